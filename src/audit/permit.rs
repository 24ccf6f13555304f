//! The permit: leave to take one action once, within seconds.

use std::fmt;
use std::sync::Arc;

use crate::canonical::Digest;
use crate::id::{Audience, EventId};
use crate::live::locked;
use crate::mandate::{Action, Approval, Arguments, Assignment, Consenting, LedgerView, Reservation, Seen, Tool};
use crate::policy::{Reason, Stale, check_standing};
use crate::sync::Mutex;
use crate::time::Timestamp;

/// Leave to take one action, once, within seconds. Spent by moving it into
/// [`redeem`](crate::TaskHandle::redeem) or [`mint`](crate::TaskHandle::mint).
///
/// Made only after the record of the decision was taken. Bound to the task, agent, mode, action, resource, arguments
/// and policies; dead as soon as what it rests on is. Dropped unspent, its place in the budget is given back.
#[must_use = "a permit that is dropped permits nothing"]
pub struct Permit {
    assignment: Arc<Assignment>,
    reservation: Reservation,
    decision: EventId,
    action: Action,
    tool: Tool,
    /// What the task had done before.
    ledger: LedgerView,
    /// How far the errand was when it was last decided.
    seen: Mutex<Seen>,
    policy_digest: Digest,
    /// What people approved of exactly this action, where it rests on that.
    consent: Vec<Arc<Approval>>,
    /// How often breakers had opened before.
    openings: u64,
    until: Timestamp,
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("decision", &self.decision)
            .field("tool", self.action.tool())
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl Permit {
    pub(super) fn new(
        (assignment, reservation): (Arc<Assignment>, Reservation),
        decision: EventId,
        (action, tool): (Action, Tool),
        ledger: LedgerView,
        policy_digest: Digest,
        (consent, openings): (Vec<Arc<Approval>>, u64),
        until: Timestamp,
    ) -> Self {
        let until = consent.iter().fold(until, |until, approval| until.min(approval.ends()));
        let seen = Mutex::new(ledger.seen());
        Self { assignment, reservation, decision, action, tool, ledger, seen, policy_digest, consent, openings, until }
    }

    /// The decision that it was made by.
    pub fn decision(&self) -> &EventId {
        &self.decision
    }

    /// The action that it permits.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// When it ends; it is over at this moment.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    pub(crate) fn assignment(&self) -> &Arc<Assignment> {
        &self.assignment
    }

    pub(crate) fn ledger(&self) -> &LedgerView {
        &self.ledger
    }

    /// How far the errand was when it was last decided.
    pub(crate) fn seen(&self) -> Seen {
        *locked(&self.seen)
    }

    /// It was decided again, and still holds.
    pub(crate) fn note_seen(&self, seen: Seen) {
        *locked(&self.seen) = seen;
    }

    pub(crate) fn policy_digest(&self) -> &Digest {
        &self.policy_digest
    }

    /// How often the breakers of its agent and of those above had opened before it was decided.
    pub(crate) fn openings(&self) -> u64 {
        self.openings
    }

    /// The people whose approval of exactly this action it rests on.
    pub(crate) fn consenting(&self) -> Consenting {
        self.assignment.consenting(&self.consent)
    }

    /// Whether it may be used at `now` by the task `task` while the policies are those of `policies`.
    pub(crate) fn check(&self, task: &Arc<Assignment>, policies: &Digest, now: Timestamp) -> Result<(), Reason> {
        if !Arc::ptr_eq(&self.assignment, task) {
            return Err(Reason::PermitInvalid(Stale::OtherTask));
        }
        if *policies != self.policy_digest {
            let (permitted, now) = (self.policy_digest, *policies);
            return Err(Reason::PermitInvalid(Stale::OtherPolicies { permitted, now }));
        }
        if now >= self.until {
            return Err(Reason::PermitInvalid(Stale::Over { until: self.until, now }));
        }
        let standing = task.standing();
        check_standing(task.mandate(), &standing, self.action.mode(), task.until(), now)?;
        match self.consent.iter().find(|approval| !standing.operators.contains(approval.operator())) {
            Some(approval) => Err(Reason::OperatorNotActive(approval.operator().clone())),
            None => Ok(()),
        }
    }

    /// Whether these are the arguments that it permits.
    pub(crate) fn check_arguments(&self, arguments: &Arguments) -> Result<(), Reason> {
        if arguments == self.action.arguments() { Ok(()) } else { Err(Reason::ArgumentsChanged) }
    }

    /// The end of a credential that is wanted until `wanted`: of that, the task, the proof and the approvals it rests on, the
    /// first, in whole seconds, rounded down.
    pub(crate) fn bound(&self, wanted: Timestamp, now: Timestamp) -> Timestamp {
        let wanted = self.consent.iter().fold(wanted, |wanted, approval| wanted.min(approval.ends()));
        self.assignment.bound(self.action.mode(), wanted, now)
    }

    /// Whether the scope allows a credential for this service.
    pub(crate) fn allows(&self, audience: &Audience) -> bool {
        self.assignment.allows(self.action.tool(), audience)
    }

    /// Books that the action runs now, if nothing came between that and its last check.
    pub(super) fn book(&mut self) -> Result<(), Reason> {
        let (seen, ran) = (self.seen(), (&self.tool, self.action.resource()));
        let is_booked = self.assignment.keep(&mut self.reservation, seen, ran);
        if is_booked { Ok(()) } else { Err(Reason::PermitInvalid(Stale::Overtaken)) }
    }

    /// Spends it: the action runs now, and is booked.
    pub(super) fn spend(self, now: Timestamp) -> (Arc<Assignment>, EventId, Action) {
        self.assignment.exercise(&self.tool, now);
        (self.assignment, self.decision, self.action)
    }
}
