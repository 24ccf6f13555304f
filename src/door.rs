//! What the authorizer and its tasks share: who is known, what decides, where records go, which tasks are open.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::audit::{AgentFact, Lanes, OperatorFact, Trail};
use crate::authorizer::Swept;
use crate::credential::{Asked, Leases, Minter, Needed, Reader, VerifiedCredential};
use crate::entropy::Entropy;
use crate::error::Error;
use crate::id::{ApprovalId, Audience, TaskId};
use crate::identity::{OperatorId, Registry};
use crate::jose::{Flaw, Leeway};
use crate::live::{Cell, locked, shielded};
use crate::mandate::{
    Action, Approval, Assignment, Capabilities, CapabilityDrift, Entitlement, Lives, Mandate, Mode, Once, OnceError,
    TaskState, ToolName,
};
use crate::policy::{Administration, Evaluator, check_breaker, check_standing};
use crate::revocations::Outlived;
use crate::sorted::Sorted;
use crate::sync::Mutex;
use crate::task::Task;
use crate::time::Timestamp;
use crate::watching::Watch;

/// Ended tasks that are closed when another begins, and open ones that are looked at for them.
const CLOSED_AT_BEGIN: usize = 2;
const LOOKED_AT: usize = 16;

/// What is behind the door.
pub(crate) struct Door {
    pub(crate) registry: Arc<Registry>,
    pub(crate) evaluator: Evaluator,
    pub(crate) trail: Arc<Trail>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) once: Arc<dyn Once>,
    pub(crate) minter: Option<Minter>,
    pub(crate) reader: Reader,
    /// Credentials of tasks that are closed.
    pub(crate) outlived: Outlived,
    /// Who issues credentials for other services.
    pub(crate) issuers: BTreeMap<Audience, Asked>,
    /// What they issued, or may have.
    pub(crate) leases: Arc<Leases>,
    /// Who decides what people may do themselves.
    pub(crate) entitlement: Option<Arc<dyn Entitlement>>,
    /// What agents do across their tasks, and where that ends.
    pub(crate) watch: Watch,
    /// Which person may administer what.
    pub(crate) administration: Administration,
    /// Whom its policies see as administrators.
    pub(crate) administrators: BTreeSet<OperatorId>,
    /// Who may break the glass.
    pub(crate) listed: BTreeSet<OperatorId>,
    /// An agent is refused where it is attested with two keys at once.
    pub(crate) in_one_place: bool,
    /// Held while policies are replaced, and never waited for.
    pub(crate) reloading: Mutex<()>,
    pub(crate) everything: Cell,
    /// Which tools are not what was declared.
    pub(crate) capabilities: Capabilities,
    pub(crate) open: Mutex<BTreeMap<TaskId, Arc<Assignment>>>,
    /// The open task that was looked at last, to see whether it ended.
    pub(crate) looked: Mutex<Option<TaskId>>,
    pub(crate) started: Timestamp,
}

impl Door {
    pub(crate) fn now(&self) -> Result<Timestamp, Error> {
        Ok(self.trail.clock().now()?)
    }

    /// Writes an event that belongs to no task.
    pub(crate) fn write(&self, now: Timestamp, lanes: Lanes) -> Result<(), Error> {
        Ok(self.trail.write_alone(now, lanes)?)
    }

    /// How a tool differs from what was declared when this task began.
    pub(crate) fn drift(&self, assignment: &Assignment, tool: &ToolName) -> Option<CapabilityDrift> {
        self.capabilities.drift_of(tool, assignment.listing())
    }

    /// Hangs on to what the task's life depends on.
    pub(crate) fn lives(&self, mandate: &Mandate) -> Result<Lives, Error> {
        let everything = self.everything.hold().ok_or(Error::Halted)?;
        let held = |approval: &Arc<Approval>| {
            let operator = approval.operator();
            Ok((operator.clone(), self.registry.hold_operator(operator)?))
        };
        let mut operators = mandate.approvals().iter().map(held).collect::<Result<Sorted<_, _>, Error>>()?;
        // Who may approve actions of it alone: nothing is done on their behalf.
        for operator in mandate.intent().scope().quorums().flat_map(|(_, quorum)| quorum.listed()) {
            if !operators.contains_key(operator) {
                operators.insert(operator.clone(), self.registry.hold_operator(operator)?);
            }
        }
        let blueprint = self.registry.hold_blueprint(mandate.agent().id())?;
        Ok(Lives { everything, blueprint, operators, conduct: self.watch.of(mandate.agent().id()) })
    }

    /// Consumes one approval; a panic of the host's memory is a memory that is not available.
    pub(crate) fn consume(&self, approval: &Approval, now: Timestamp) -> Result<(), OnceError> {
        let Some(until) = approval.remembered_until() else {
            return Ok(());
        };
        shielded(|| self.once.consume(approval.id(), until, now)).unwrap_or(Err(OnceError::Unavailable))
    }

    pub(crate) fn release(&self, approval: &Approval) {
        if approval.remembered_until().is_some() {
            // A memory that panics keeps the approval as used, which is the safe side.
            let _ = shielded(|| self.once.release(approval.id()));
        }
    }

    /// Consumes all of them, or none: says which could not be.
    pub(crate) fn consume_each(&self, approvals: &[&Arc<Approval>], now: Timestamp) -> Result<(), ApprovalId> {
        for (place, approval) in approvals.iter().enumerate() {
            self.consume(approval, now).map_err(|_| {
                approvals.iter().take(place).for_each(|consumed| self.release(consumed));
                approval.id().clone()
            })?;
        }
        Ok(())
    }

    fn release_all(&self, approvals: &[&Approval]) {
        for approval in approvals {
            self.release(approval);
        }
    }

    /// Opens a task once its beginning is recorded.
    pub(crate) fn open(
        self: &Arc<Self>,
        assignment: Arc<Assignment>,
        record: impl FnOnce(&Assignment) -> Result<(), Error>,
    ) -> Result<Task, Error> {
        // The id is taken before anything is consumed or recorded: of two tasks with one id, one never was.
        match locked(&self.open).entry(assignment.task().clone()) {
            Entry::Occupied(place) => {
                assignment.conduct().leave(&assignment);
                return Err(Error::TaskExists(place.key().clone()));
            }
            Entry::Vacant(place) => place.insert(Arc::clone(&assignment)),
        };
        record(&assignment).inspect_err(|_| {
            assignment.end(TaskState::Abandoned);
            self.forget(&assignment);
        })?;
        assignment.note_begun();
        if assignment.state() != TaskState::Active {
            // Halted while it began.
            self.close(&assignment)?;
            return Err(Error::Halted);
        }
        Ok(Task::new(Arc::clone(self), assignment))
    }

    /// Consumes the approvals of a task and records its beginning; on any failure the approvals are as they were.
    pub(crate) fn consume_and_record(&self, assignment: &Assignment, now: Timestamp) -> Result<(), Error> {
        let mut consumed = Vec::new();
        for approval in assignment.mandate().approvals() {
            self.consume(approval, now).map_err(|source| {
                self.release_all(&consumed);
                Error::Once { approval: approval.id().clone(), source }
            })?;
            consumed.push(approval);
        }
        self.record_beginning(assignment, now).inspect_err(|_| self.release_all(&consumed))
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
            parent: None,
        };
        let mut agent_lane = Some((agent.id().clone(), begun));
        let mut recorded = false;
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
            let written = self.trail.write(assignment.txn(), Some(assignment.task()), now, lanes);
            written.inspect_err(|_| {
                if recorded {
                    // What was recorded as begun is recorded as ended, as far as that goes.
                    assignment.end(TaskState::Abandoned);
                    let _ = self.trail.close(assignment);
                }
            })?;
            recorded = true;
        }
        Ok(())
    }

    /// Verifies a credential; says which task it belongs to.
    pub(crate) fn verify(
        &self,
        token: &str,
        audience: &Audience,
    ) -> Result<(VerifiedCredential, Arc<Assignment>), Flaw> {
        let now = self.now().map_err(|_| Flaw::Unavailable)?;
        let minter = self.minter.as_ref().ok_or(Flaw::UnknownKey)?;
        let verified =
            self.reader.read(token, (&minter.keys(now), audience), &Needed::Nothing, (now, Leeway::default()))?;
        let assignment = locked(&self.open).get(verified.task()).cloned().ok_or(Flaw::Revoked)?;
        self.verify_alive(&assignment, verified.mode())?;
        let is_good = assignment.issued().is_good(verified.id(), self.evaluator.replaced());
        let drifted = verified.tools().any(|tool| self.drift(&assignment, tool).is_some());
        if verified.policies() != Some(&self.evaluator.digest()) || !is_good || drifted {
            return Err(Flaw::Revoked);
        }
        let same = verified.txn() == assignment.txn()
            && verified.agent() == assignment.mandate().agent().id()
            && verified.task_hash() == minter.task_hash(&assignment);
        if same { Ok((verified, assignment)) } else { Err(Flaw::Binding) }
    }

    /// Checks that nothing that came after a credential holds against its action: the agent is not cut off, and nobody said no.
    pub(crate) fn check_accepted(&self, assignment: &Assignment, action: &Action) -> Result<(), Flaw> {
        let now = self.now().map_err(|_| Flaw::Unavailable)?;
        let is_cut_off = check_breaker(assignment.breaker(now), now).is_err();
        let books = assignment.ledger();
        let said_no = || books.requests(&assignment.request(action, 0), now).refused_by.is_some();
        if is_cut_off || (books.has_asked() && said_no()) { Err(Flaw::Revoked) } else { Ok(()) }
    }

    /// Checks that what a credential rests on stands.
    pub(crate) fn verify_alive(&self, assignment: &Assignment, mode: &Mode) -> Result<(), Flaw> {
        let now = self.now().map_err(|_| Flaw::Unavailable)?;
        let (mandate, standing) = (assignment.mandate(), assignment.standing());
        check_standing(mandate, &standing, mode, assignment.until(), now).map_err(|_| Flaw::Revoked)
    }

    /// Takes an ended task out of the open ones, and records its end. A task whose end cannot be recorded is kept for
    /// the next sweep.
    pub(crate) fn close(&self, assignment: &Arc<Assignment>) -> Result<Option<u64>, Error> {
        // Whoever takes it out closes it: nobody closes it twice.
        if !self.forget(assignment) {
            return Ok(None);
        }
        self.trail.close(assignment).map(Some).map_err(|error| {
            // A task that has the same id by now keeps it; this one's end is then told by this error alone.
            locked(&self.open).entry(assignment.task().clone()).or_insert_with(|| Arc::clone(assignment));
            error.into()
        })
    }

    /// Takes this task, and no other of its id, out of the open ones; says whether it was there.
    pub(crate) fn forget(&self, assignment: &Arc<Assignment>) -> bool {
        // First kept and then forgotten: at every moment a list of what is revoked finds its credentials.
        self.outlived.keep(assignment.issued(), self.trail.clock().latest());
        assignment.conduct().leave(assignment);
        let mut open = locked(&self.open);
        let there = open.get(assignment.task()).is_some_and(|one| Arc::ptr_eq(one, assignment));
        if there {
            open.remove(assignment.task());
        }
        there
    }

    /// Closes every task that ended.
    pub(crate) fn close_ended(&self) -> Swept {
        let ended: Vec<_> =
            locked(&self.open).values().filter(|assignment| assignment.wants_closing()).cloned().collect();
        let mut swept = Swept::default();
        for assignment in ended {
            match self.close(&assignment) {
                Ok(Some(_)) => swept.closed += 1,
                Ok(None) => {}
                Err(_) => swept.failed += 1,
            }
        }
        swept
    }

    /// Closes a few tasks that ended, up to the first whose end cannot be recorded: of those that are open it looks at some,
    /// each time at the next, so that beginning a task costs the same however many are open.
    pub(crate) fn close_some(&self) {
        let mut ended: Vec<Arc<Assignment>> = Vec::new();
        {
            let (open, mut looked) = (locked(&self.open), locked(&self.looked));
            let all = (Bound::Unbounded, Bound::Unbounded);
            let after = looked.as_ref().map_or(all, |last| (Bound::Excluded(last), Bound::Unbounded));
            let up_to = looked.iter().flat_map(|last| open.range::<TaskId, _>(..=last));
            let in_turn = open.range::<TaskId, _>(after).chain(up_to);
            let mut last = None;
            for (task, assignment) in in_turn.take(LOOKED_AT) {
                last = Some(task.clone());
                if assignment.wants_closing() {
                    ended.push(Arc::clone(assignment));
                }
                if ended.len() == CLOSED_AT_BEGIN {
                    break;
                }
            }
            *looked = last;
        }
        let _ = ended.iter().try_for_each(|assignment| self.close(assignment).map(drop));
    }
}
