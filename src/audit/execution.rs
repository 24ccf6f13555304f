//! An action that runs: whoever runs it tells the effect, or it is written down as unknown.

use std::sync::Arc;

use super::trail::Lanes;
use super::{AgentFact, AgentUserFact, AuditError, Denial, Effect, OperatorFact, Permit, Trail};
use crate::id::{CredentialId, EventId};
use crate::mandate::{Action, Assignment, CapabilityDrift, LooseEnd, Missing, NotLeft, ObserveError, Observed};
use crate::policy::Reason;
use crate::sync::atomic::{AtomicBool, Ordering};

/// An action that runs under a spent permit.
///
/// [`finish`](Self::finish) writes its effect down. Dropped without it, by a panic for instance, the effect is
/// unknown, and written down as such when the task is closed or swept. A task has at most 1024 actions whose effect
/// is not told; the next one is refused.
#[must_use = "an effect that nobody tells is recorded as unknown"]
pub struct Execution {
    trail: Arc<Trail>,
    assignment: Arc<Assignment>,
    decision: EventId,
    action: Action,
    credential: Option<CredentialId>,
    /// Its output was observed.
    observed: AtomicBool,
}

impl std::fmt::Debug for Execution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Execution")
            .field("decision", &self.decision)
            .field("tool", self.action.tool())
            .finish_non_exhaustive()
    }
}

impl Execution {
    /// Spends a permit that was checked. Until its effect is told it is a loose end of the task; where none can be left,
    /// since the task is being closed or too many actions run, it is refused.
    pub(crate) fn of(mut permit: Permit, trail: &Arc<Trail>) -> Result<Self, Denial> {
        let end = LooseEnd::of(*permit.decision(), permit.action(), Missing::Effect);
        if let Err(why) = permit.assignment().loose_ends().leave(end) {
            let reason = match why {
                NotLeft::Closed => Reason::TaskEnded(permit.assignment().state()),
                NotLeft::Full(running) => Reason::Untold { running },
            };
            return Err(trail.void(&permit, reason));
        }
        if let Err(reason) = permit.book() {
            permit.assignment().loose_ends().take(*permit.decision());
            return Err(trail.void(&permit, reason));
        }
        let (assignment, decision, action) = permit.spend(trail.clock().latest());
        Ok(Self {
            trail: Arc::clone(trail),
            assignment,
            decision,
            action,
            credential: None,
            observed: AtomicBool::new(false),
        })
    }

    /// Runs with this credential, which is good no longer than this.
    pub(crate) fn with(mut self, credential: CredentialId) -> Self {
        self.credential = Some(credential);
        self
    }

    /// The decision that permitted it.
    pub fn decision(&self) -> &EventId {
        &self.decision
    }

    /// The action that runs.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Observes its output for the task that it belongs to, once.
    pub(crate) fn observe_for(
        &self,
        task: &Arc<Assignment>,
        drift: Option<CapabilityDrift>,
        output: &str,
    ) -> Result<Observed, ObserveError> {
        if !Arc::ptr_eq(&self.assignment, task) {
            return Err(ObserveError::OtherTask);
        }
        if self.observed.swap(true, Ordering::AcqRel) {
            return Err(ObserveError::Twice);
        }
        if let Some(drift) = drift {
            return Err(ObserveError::CapabilityDrift { tool: self.action.tool().clone(), drift });
        }
        task.observe(self.action.tool(), output)
    }

    /// Writes the effect down. Told after the task was closed, it stands beside the *unknown* of the closing.
    ///
    /// # Errors
    ///
    /// The record was not taken; while the task goes on, the effect is then written down as unknown when it is closed.
    pub fn finish(self, effect: Effect) -> Result<(), AuditError> {
        let ends = self.assignment.loose_ends();
        let taken = ends.take(self.decision);
        let end = taken.clone().unwrap_or_else(|| LooseEnd::of(self.decision, &self.action, Missing::Effect));
        let written = self.trail.write_for(&self.assignment, effect_lanes(&self.assignment, &end, effect));
        if let (Err(_), Some(end)) = (&written, taken) {
            ends.put_back(end);
        }
        written.map(|_| ())
    }
}

/// The three lanes of an effect.
pub(super) fn effect_lanes(assignment: &Assignment, ran: &LooseEnd, effect: Effect) -> Lanes {
    let decision = ran.decision;
    let agent = assignment.mandate().agent().id();
    let presented = AgentUserFact::Presented { named: decision, effect };
    Lanes {
        operator: ran.mode.operator().map(|id| (id.clone(), OperatorFact::Done { decision, effect })),
        agent: Some((agent.clone(), AgentFact::Done { decision, effect })),
        agent_user: ran.presented.clone().map(|id| (id, agent.clone(), presented)),
    }
}

impl Drop for Execution {
    fn drop(&mut self) {
        if let Some(credential) = &self.credential {
            self.assignment.issued().withdraw(credential);
        }
    }
}
