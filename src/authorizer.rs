//! The authorizer: wires the rooms, begins tasks, and stops them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use crate::audit::{AgentFact, AuditSink, Lanes, OperatorFact, Stopped, Trail};
use crate::builder::Builder;
use crate::canonical::{Digest, Salt};
use crate::credential::{Minter, VerifiedCredential};
use crate::entropy::Entropy;
use crate::error::Error;
use crate::id::{Audience, TaskId, TransactionId};
use crate::identity::{AgentId, AgentIdentity, Change, OperatorId, OperatorSession, Registry, VerifiedWorkload};
use crate::jose::{Flaw, Refused};
use crate::live::{Cell, locked, shielded};
use crate::mandate::{Approval, Assignment, Lives, Mandate, Once, OnceError, TaskState};
use crate::policy::{Evaluator, check_standing};
use crate::task::Task;
use crate::time::Timestamp;

/// Abandoned tasks that are closed when another begins.
const CLOSED_AT_BEGIN: usize = 16;

/// The door: admits agents, begins tasks, stops them. Cheap to clone; clones are the same door.
#[derive(Clone)]
pub struct Authorizer(Arc<Core>);

pub(crate) struct Core {
    pub(crate) registry: Arc<Registry>,
    pub(crate) evaluator: Evaluator,
    pub(crate) trail: Arc<Trail>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) once: Arc<dyn Once>,
    pub(crate) minter: Option<Minter>,
    pub(crate) everything: Cell,
    pub(crate) open: Mutex<BTreeMap<TaskId, Arc<Assignment>>>,
    pub(crate) started: Timestamp,
}

impl fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizer").field("trail", &self.0.trail).finish_non_exhaustive()
    }
}

/// What to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Halt {
    /// Every task of every agent, and beginning new ones, until a human resumes.
    Everything,
    /// Every task of one agent; the agent is suspended.
    Agent(AgentId),
    /// One task.
    Task(TaskId),
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// Ended tasks whose end is now recorded.
    pub closed: usize,
    /// Ended tasks whose end could not be recorded; the next sweep tries again.
    pub failed: usize,
}

impl Authorizer {
    pub(crate) fn new(core: Core) -> Self {
        Self(Arc::new(core))
    }

    /// A door for the agents of `registry`, decided by `evaluator`, recorded in `sink`.
    pub fn builder(registry: impl Into<Arc<Registry>>, evaluator: Evaluator, sink: Arc<dyn AuditSink>) -> Builder {
        Builder::new(registry.into(), evaluator, sink)
    }

    /// Admits a proven workload.
    ///
    /// # Errors
    ///
    /// It is not registered, not active, has no active sponsor, its proof is over, or the record was not taken.
    pub fn admit(&self, workload: VerifiedWorkload) -> Result<AgentIdentity, Error> {
        let now = self.0.now()?;
        let agent = self.0.registry.admit(workload, now)?;
        let fact = AgentFact::Admitted {
            proof: agent.method(),
            digest: *agent.proof(),
            until: agent.until(),
            sponsor: agent.sponsor().clone(),
        };
        self.0.write(now, Lanes { agent: Some((agent.id().clone(), fact)), ..Lanes::default() })?;
        Ok(agent)
    }

    /// Begins a task. Its approvals are consumed: they begin no other.
    ///
    /// # Errors
    ///
    /// No human stands behind it as far as it goes, one of them is not active, an approval was used before, everything
    /// is halted, or the record was not taken. Then nothing has begun, and the approvals are as they were.
    pub fn begin(&self, mandate: Mandate) -> Result<Task, Error> {
        let core = &self.0;
        let now = core.now()?;
        core.close_ended(CLOSED_AT_BEGIN);
        let task = match mandate.task() {
            Some(task) => task.clone(),
            None => TaskId::draw(core.entropy.as_ref())?,
        };
        let remembers = core.once.outlives_process();
        let until = mandate.check(&task, now, (!remembers).then_some(core.started))?;
        let lives = core.lives(&mandate)?;
        let txn = TransactionId::draw(core.entropy.as_ref())?;
        let salt = Salt::draw(core.entropy.as_ref())?;
        let assignment = Arc::new(Assignment::new((task.clone(), txn), mandate, until, lives, salt));

        if locked(&core.open).contains_key(&task) {
            return Err(Error::TaskExists(task));
        }
        let consumed = core.consume_all(assignment.mandate().approvals(), now)?;
        core.record_beginning(&assignment, now).inspect_err(|_| core.release_all(&consumed))?;
        if locked(&core.open).insert(task.clone(), Arc::clone(&assignment)).is_some() {
            // Two tasks of one id began at once: neither goes on.
            assignment.end(TaskState::Halted);
            return Err(Error::TaskExists(task));
        }
        Ok(Task::new(Arc::clone(core), assignment))
    }

    /// Verifies a credential that this door minted for `audience`. Refused the moment its task has ended, its agent,
    /// its operator or everything was stopped; credentials of an earlier process are unknown, and refused.
    ///
    /// # Errors
    ///
    /// Always the same to outsiders; [`Refused::flaw`] says more to the operator's log.
    pub fn verify(&self, token: &str, audience: &Audience) -> Result<VerifiedCredential, Refused> {
        let core = &self.0;
        let now = core.now().map_err(|_| Flaw::Unavailable)?;
        let minter = core.minter.as_ref().ok_or(Flaw::UnknownKey)?;
        let verified = minter.verifier(audience.clone()).verify(token, now)?;
        let assignment = locked(&core.open).get(verified.task()).cloned().ok_or(Flaw::Revoked)?;
        let (mandate, standing) = (assignment.mandate(), assignment.standing());
        check_standing(mandate, &standing, verified.mode(), assignment.until(), now).map_err(|_| Flaw::Revoked)?;
        let same = verified.txn() == assignment.txn()
            && verified.agent() == mandate.agent().id()
            && *verified.task_hash() == minter.task_hash(&assignment);
        if same { Ok(verified) } else { Err(Flaw::Binding.into()) }
    }

    /// Stops tasks at once: every permit and credential below is dead before this returns, recorded or not.
    ///
    /// Whoever is an active operator may stop everything or a task; an agent is stopped by a sponsor of it.
    ///
    /// # Errors
    ///
    /// The session is over, the operator may not do this, or what is to be stopped is not known. Or the record was not
    /// taken: then it is stopped nevertheless.
    pub fn halt(&self, by: &OperatorSession, what: Halt) -> Result<(), Error> {
        let (core, now) = (&self.0, self.0.administrator(by)?);
        match what {
            Halt::Everything => {
                core.everything.stop();
                core.stopped(by, None, Stopped::Everything, now)
            }
            Halt::Agent(agent) => {
                core.sponsor(by, &agent)?;
                let change = core.registry.suspend(&agent)?;
                core.changed(by, &change, Stopped::Suspended, now)
            }
            Halt::Task(task) => {
                let open = locked(&core.open).get(&task).cloned();
                let assignment = open.ok_or(Error::UnknownTask(task))?;
                assignment.end(TaskState::Halted);
                let agent = assignment.mandate().agent().id();
                let lanes = Core::stop_lanes(by, Some(agent), Stopped::Task);
                core.trail.write(assignment.txn(), Some(assignment.task()), now, lanes)?;
                Ok(())
            }
        }
    }

    /// Lets new tasks begin after everything was halted. What was halted stays dead.
    ///
    /// # Errors
    ///
    /// The session is over, the operator is not active, or the record was not taken: then it stays halted.
    pub fn resume(&self, by: &OperatorSession) -> Result<(), Error> {
        let now = self.0.administrator(by)?;
        self.0.stopped(by, None, Stopped::Resumed, now)?;
        self.0.everything.restart();
        Ok(())
    }

    /// Stops an agent for good. Its id is never used again.
    ///
    /// # Errors
    ///
    /// As [`halt`](Self::halt).
    pub fn retire(&self, by: &OperatorSession, agent: &AgentId) -> Result<(), Error> {
        let now = self.0.administrator(by)?;
        self.0.sponsor(by, agent)?;
        let change = self.0.registry.retire(agent)?;
        self.0.changed(by, &change, Stopped::Retired, now)
    }

    /// A person leaves: their approvals end, with every action on their behalf, and the agents that have no other
    /// active sponsor are suspended. Other agents go on autonomously, under their sponsors.
    ///
    /// # Errors
    ///
    /// As [`halt`](Self::halt).
    pub fn offboard(&self, by: &OperatorSession, operator: &OperatorId) -> Result<Change, Error> {
        let now = self.0.administrator(by)?;
        let change = self.0.registry.offboard(operator)?;
        let stopped = Stopped::Offboarded { left: operator.clone(), suspended: change.agents().to_vec() };
        self.0.changed(by, &change, stopped, now)?;
        Ok(change)
    }

    /// Replaces the policies. Permits that older policies gave are not honoured any more.
    ///
    /// # Errors
    ///
    /// The session is over, the operator is not active, the policies do not load, or the record was not taken: then the
    /// older policies stay.
    pub fn reload(&self, by: &OperatorSession, policies: &str) -> Result<Digest, Error> {
        let now = self.0.administrator(by)?;
        let loaded = self.0.evaluator.prepare(policies)?;
        let digest = loaded.digest();
        self.0.stopped(by, None, Stopped::Policies { digest }, now)?;
        self.0.evaluator.install(loaded);
        Ok(digest)
    }

    /// Records the end of every task that ended without being closed, and the effects that nobody told.
    pub fn sweep(&self) -> Swept {
        self.0.close_ended(usize::MAX)
    }
}

impl Core {
    pub(crate) fn now(&self) -> Result<Timestamp, Error> {
        Ok(self.trail.clock().now()?)
    }

    /// Writes an event that belongs to no task.
    fn write(&self, now: Timestamp, lanes: Lanes) -> Result<(), Error> {
        let txn = TransactionId::draw(self.entropy.as_ref())?;
        self.trail.write(&txn, None, now, lanes)?;
        Ok(())
    }

    /// Hangs on to what the task's life depends on.
    fn lives(&self, mandate: &Mandate) -> Result<Lives, Error> {
        let everything = self.everything.hold().ok_or(Error::Halted)?;
        let held = |approval: &Approval| {
            let operator = approval.operator();
            Ok((operator.clone(), self.registry.hold_operator(operator)?))
        };
        let operators = mandate.approvals().iter().map(held).collect::<Result<_, Error>>()?;
        Ok(Lives { everything, operators })
    }

    /// Consumes one approval; a panic of the host's memory is a memory that is not available.
    pub(crate) fn consume(&self, approval: &Approval, now: Timestamp) -> Result<(), OnceError> {
        shielded(|| self.once.consume(approval.id(), approval.ends(), now)).unwrap_or(Err(OnceError::Unavailable))
    }

    pub(crate) fn release(&self, approval: &Approval) {
        // A memory that panics keeps the approval as used, which is the safe side.
        let _ = shielded(|| self.once.release(approval.id()));
    }

    fn consume_all<'a>(&self, approvals: &'a [Approval], now: Timestamp) -> Result<Vec<&'a Approval>, Error> {
        let mut consumed = Vec::new();
        for approval in approvals {
            self.consume(approval, now).inspect_err(|_| self.release_all(&consumed))?;
            consumed.push(approval);
        }
        Ok(consumed)
    }

    fn release_all(&self, approvals: &[&Approval]) {
        approvals.iter().for_each(|approval| self.release(approval));
    }

    /// Records who approved, and that the task began.
    fn record_beginning(&self, assignment: &Assignment, now: Timestamp) -> Result<(), Error> {
        let mandate = assignment.mandate();
        let (agent, intent) = (mandate.agent(), mandate.intent());
        let begun = AgentFact::Begun {
            purpose: intent.purpose().clone(),
            scope: intent.scope().digest(),
            until: assignment.until(),
            sponsor: agent.sponsor().clone(),
        };
        let mut agent_lane = Some((agent.id().clone(), begun));
        for approval in mandate.approvals() {
            let approved = OperatorFact::Approved {
                purpose: intent.purpose().clone(),
                approval: approval.id().clone(),
                digest: *approval.digest(),
                evidence: *approval.evidence(),
                agent: agent.id().clone(),
            };
            let operator = Some((approval.operator().clone(), approved));
            let lanes = Lanes { operator, agent: agent_lane.take(), agent_user: None };
            self.trail.write(assignment.txn(), Some(assignment.task()), now, lanes)?;
        }
        Ok(())
    }

    /// Whether this session may administer now: it goes on, and its operator is active.
    fn administrator(&self, session: &OperatorSession) -> Result<Timestamp, Error> {
        let now = self.now()?;
        let operator = session.operator().id();
        self.registry.hold_operator(operator)?;
        if !session.is_valid_at(now) {
            return Err(Error::SessionOver { operator: operator.clone(), until: session.until(), now });
        }
        Ok(now)
    }

    fn sponsor(&self, session: &OperatorSession, agent: &AgentId) -> Result<(), Error> {
        let operator = session.operator().id();
        if self.registry.sponsors(operator, agent) { Ok(()) } else { Err(Error::NotSponsor(operator.clone())) }
    }

    fn stop_lanes(by: &OperatorSession, agent: Option<&AgentId>, stopped: Stopped) -> Lanes {
        Lanes {
            operator: Some((by.operator().id().clone(), OperatorFact::Stopped(stopped.clone()))),
            agent: agent.map(|agent| (agent.clone(), AgentFact::Stopped(stopped))),
            agent_user: None,
        }
    }

    fn stopped(
        &self,
        by: &OperatorSession,
        agent: Option<&AgentId>,
        stopped: Stopped,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write(now, Self::stop_lanes(by, agent, stopped))
    }

    /// Records a change of the registry: once for each agent that it stopped, or once if it stopped none.
    fn changed(&self, by: &OperatorSession, change: &Change, stopped: Stopped, now: Timestamp) -> Result<(), Error> {
        if change.agents().is_empty() {
            return self.stopped(by, None, stopped, now);
        }
        change.agents().iter().try_for_each(|agent| self.stopped(by, Some(agent), stopped.clone(), now))
    }

    /// Takes an ended task out of the open ones, and records its end. A task whose end cannot be recorded is kept for
    /// the next sweep.
    pub(crate) fn close(&self, assignment: &Arc<Assignment>) -> Result<Option<u64>, Error> {
        // Whoever takes it out closes it: nobody closes it twice.
        if locked(&self.open).remove(assignment.task()).is_none() {
            return Ok(None);
        }
        match self.trail.close(assignment) {
            Ok(unknown) => Ok(Some(unknown)),
            Err(error) => {
                locked(&self.open).insert(assignment.task().clone(), Arc::clone(assignment));
                Err(error.into())
            }
        }
    }

    fn close_ended(&self, max: usize) -> Swept {
        let ended: Vec<_> = locked(&self.open)
            .values()
            .filter(|assignment| assignment.state() != TaskState::Active)
            .take(max)
            .cloned()
            .collect();
        let mut swept = Swept { closed: 0, failed: 0 };
        for assignment in ended {
            match self.close(&assignment) {
                Ok(Some(_)) => swept.closed += 1,
                Ok(None) => {}
                Err(_) => swept.failed += 1,
            }
        }
        swept
    }
}
