//! The authorizer: wires the rooms, begins tasks, and stops them.

use std::fmt;
use std::sync::Arc;

use crate::audit::{AgentFact, AgentUserFact, AuditSink, Lanes};
use crate::builder::Builder;
use crate::canonical::Salt;
use crate::credential::{Of, VerifiedCredential};
use crate::door::Door;
use crate::error::Error;
use crate::id::{Audience, TaskId, TransactionId};
use crate::identity::projection::Drift;
use crate::identity::{AgentId, AgentIdentity, BlueprintId, Elsewhere, Registry, RegistryError, VerifiedWorkload};
use crate::jose::{Flaw, Refused};
use crate::live::shielded;
use crate::mandate::{Action, Assignment, CapabilityDrift, Mandate, ToolName};
use crate::policy::{Catalog, Evaluator};
use crate::task::Task;

/// The door: admits agents, begins tasks, stops them. Cheap to clone; clones are the same door.
#[derive(Clone)]
pub struct Authorizer(pub(crate) Arc<Door>);

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
    /// Every task of every agent of a blueprint, and beginning new ones, until a human resumes.
    Blueprint(BlueprintId),
    /// Every task of one agent; the agent is suspended.
    Agent(AgentId),
    /// One task.
    Task(TaskId),
}

/// What to let go on. An agent that was halted comes back by [`reinstate`](Authorizer::reinstate), a task never.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resume {
    /// Beginning tasks, after everything was halted.
    Everything,
    /// Beginning tasks of agents of a blueprint, after it was halted.
    Blueprint(BlueprintId),
    /// An agent whose [breaker](crate::mandate::Breaker) is open: the pause is over, and its next action is tried.
    Breaker(AgentId),
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Swept {
    /// Ended tasks whose end is now recorded.
    pub closed: usize,
    /// Ended tasks whose end could not be recorded; the next sweep tries again.
    pub failed: usize,
    /// Leases that are revoked now.
    pub revoked: usize,
    /// Leases that are not known to be revoked, or not recorded as such; the next sweep tries again.
    /// [`Authorizer::owed`] says which.
    pub owed: usize,
}

impl Authorizer {
    pub(crate) fn new(door: Door) -> Self {
        Self(Arc::new(door))
    }

    /// A door for the agents of `registry`, decided by `evaluator`, recorded in `sink`.
    pub fn builder(registry: impl Into<Arc<Registry>>, evaluator: Evaluator, sink: Arc<dyn AuditSink>) -> Builder {
        Builder::new(registry.into(), evaluator, sink)
    }

    /// Admits a proven workload.
    ///
    /// # Errors
    ///
    /// It is not registered, not active, has no active sponsor, its proof is over, it is attested with another key and may be
    /// in [one place](Builder::in_one_place) only, or the record was not taken.
    pub fn admit(&self, workload: VerifiedWorkload) -> Result<AgentIdentity, Error> {
        let now = self.0.now()?;
        let (agent, elsewhere) = self.0.registry.admit(workload, now, self.0.in_one_place)?;
        let fact = AgentFact::Admitted {
            proof: agent.method(),
            digest: *agent.proof(),
            until: agent.until(),
            sponsor: agent.sponsor().clone(),
        };
        // What is not told is news the next time.
        let untold = |_: &Error| {
            if elsewhere.is_some() {
                self.0.registry.forget_proof(&agent);
            }
        };
        self.0.write(now, Lanes { agent: Some((agent.id().clone(), fact)), ..Lanes::default() }).inspect_err(untold)?;
        if let Some(Elsewhere { keys: others, until }) = elsewhere.clone() {
            let (digest, key) = (*agent.proof(), agent.key().cloned());
            let fact = AgentFact::AttestedElsewhere { digest, key, others, until };
            let lanes = Lanes { agent: Some((agent.id().clone(), fact)), ..Lanes::default() };
            self.0.write(now, lanes).inspect_err(untold)?;
        }
        Ok(agent)
    }

    /// Begins a task. Its approvals are consumed: they begin no other.
    ///
    /// # Errors
    ///
    /// No human stands behind it as far as it goes, one of them is not active, an approval was used before, the scope does
    /// not fit the tools, it is beyond the agent's [ceiling](crate::Builder::ceiling), it or everything is halted, or the record was not taken. Then nothing has begun: the mandate is
    /// gone, and approvals that are remembered as used are good again.
    pub fn begin(&self, mandate: Mandate) -> Result<Task, Error> {
        let door = &self.0;
        door.close_some();
        let now = door.now()?;
        let listing = door.capabilities.listings();
        door.evaluator.catalog().check_scope(mandate.intent().scope())?;
        door.registry.check_admitted(mandate.agent())?;
        let task = mandate.task().cloned().map_or_else(|| TaskId::draw(door.entropy.as_ref()), Ok)?;
        let remembers = shielded(|| door.once.outlives_process()).unwrap_or(false);
        let until = mandate.check(&task, now, (!remembers).then_some(door.started))?;
        let lives = door.lives(&mandate)?;
        let txn = TransactionId::draw(door.entropy.as_ref())?;
        let salt = Salt::draw(door.entropy.as_ref())?;
        let assignment = Arc::new(Assignment::new((task, txn), mandate, until, lives, salt).under(listing));
        door.enter(&assignment, now)?;
        let begun = door.open(Arc::clone(&assignment), |assignment| door.consume_and_record(assignment, now));
        begun.inspect_err(|error| {
            // Halted after its approvals were consumed: they have begun nothing.
            if *error == Error::Halted {
                assignment.mandate().approvals().iter().for_each(|approval| door.release(approval));
            }
        })
    }

    /// Takes in what a server lists of the tools that it offers now, and returns what differs from their declarations.
    ///
    /// A tool that differs is refused from here on, as `capability drift`: in every task that goes on, with its permits and
    /// credentials, and in new ones too until a later listing has it as it was declared. What the model was shown when the task
    /// was approved does not come back into a task that saw it change. A description that is to be accepted is declared anew:
    /// in the catalogue of another door. Tools that are not listed here may be another server's, and are left as they are.
    pub fn listed(&self, listed: &Catalog) -> Vec<(ToolName, CapabilityDrift)> {
        let declared = self.0.evaluator.catalog();
        let there = listed.tools().filter_map(|tool| Some((declared.get(tool.name())?, tool)));
        let differ = there.map(|(own, tool)| (own.name().clone(), CapabilityDrift::between(own, tool)));
        self.0.capabilities.take_in(differ.map(|(name, drifts)| (name, drifts.into_iter().next())));
        let differences = declared.compare(listed);
        differences.into_iter().filter(|(_, drift)| *drift != CapabilityDrift::Removed).collect()
    }

    /// Verifies a credential that this door minted for `audience`, and uses nothing up. Refused the moment its task, its
    /// agent, its operator or everything was stopped, its effect was told, or other policies decide; credentials of an
    /// earlier process are unknown, and refused.
    ///
    /// # Errors
    ///
    /// Always the same to outsiders; [`Refused::flaw`] says more to the operator's log.
    pub fn verify(&self, token: &str, audience: &Audience) -> Result<VerifiedCredential, Refused> {
        Ok(self.0.verify(token, audience)?.0)
    }

    /// Verifies a credential as [`verify`](Self::verify) does, and uses it up for exactly the action that it was minted
    /// for: another tool, resource or arguments, and a second time, are refused.
    ///
    /// # Errors
    ///
    /// Always the same to outsiders; [`Refused::flaw`] says more to the operator's log.
    pub fn accept(&self, token: &str, audience: &Audience, action: &Action) -> Result<VerifiedCredential, Refused> {
        let door = &self.0;
        let now = door.now().map_err(|_| Flaw::Unavailable)?;
        let (verified, assignment) = door.verify(token, audience)?;
        if door.entitlement.is_some() {
            door.check_entitled(&assignment, action, now).map_err(|_| Flaw::Revoked)?;
            // The host may take its time: whatever was stopped or replaced meanwhile is seen now.
            door.verify(token, audience)?;
        }
        door.check_accepted(&assignment, action)?;
        assignment.issued().use_up(verified.id(), assignment.issue(action, door.evaluator.replaced()))?;
        // Whoever stopped the task meanwhile has the last word.
        door.verify_alive(&assignment, verified.mode())?;
        Ok(verified)
    }

    /// Records that another system's record of an agent user is not what it should be. Nothing else comes of it: the agent
    /// is what it was. Where there is no difference, nothing is recorded; where there are many reports, it is the host's to
    /// say how many of them the sink has room for.
    ///
    /// # Errors
    ///
    /// The agent user is not bound in this door's registry, or the record was not taken.
    pub fn drifted(&self, drift: &Drift) -> Result<(), Error> {
        let (now, user) = (self.0.now()?, drift.user());
        self.0.registry.shown(user).map_err(RegistryError::from)?;
        if drift.is_none() {
            return Ok(());
        }
        let fact = AgentUserFact::Drifted { differences: drift.differences().to_vec(), left_out: drift.left_out() };
        let agent_user = Some((user.id().clone(), user.agent().clone(), fact));
        self.0.write(now, Lanes { agent_user, ..Lanes::default() })
    }

    /// Revokes the leases that are over, or whose task, agent, operator or everything was stopped, the newest first, each by
    /// asking its issuer three times at most; records the end of every task that ended without being closed, and the
    /// effects that nobody told. It waits for the issuers: call it where that may be.
    pub fn sweep(&self) -> Swept {
        let (revoked, owed) = self.0.revoke_leases(Of::Everybody);
        Swept { revoked, owed, ..self.0.close_ended() }
    }
}
