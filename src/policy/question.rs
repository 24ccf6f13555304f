//! A question to the rules: everything that a verdict depends on besides policies and tools.

use crate::mandate::{Action, ActionRequest, Evidence, LedgerView, Mandate, Standing};
use crate::time::Timestamp;

/// One question to the rules.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Question<'a> {
    /// The task's mandate.
    pub mandate: &'a Mandate,
    /// What holds at this instant.
    pub standing: &'a Standing,
    /// What the task did before.
    pub ledger: &'a LedgerView,
    /// What is asked.
    pub action: &'a Action,
    /// The same as a human would be asked.
    pub request: &'a ActionRequest,
    /// When the task ends.
    pub until: Timestamp,
    /// The time of the decision.
    pub now: Timestamp,
}

impl<'a> Question<'a> {
    /// Asks about `action` at `now`, in a task that ends at `until`.
    pub fn new(
        mandate: &'a Mandate,
        standing: &'a Standing,
        ledger: &'a LedgerView,
        action: &'a Action,
        request: &'a ActionRequest,
        until: Timestamp,
        now: Timestamp,
    ) -> Self {
        Self { mandate, standing, ledger, action, request, until, now }
    }

    /// Whether a human approved exactly this action in a sign-in that is over, and the approval itself is not.
    pub(super) fn was_approved_in_time(&self) -> bool {
        let mut approvals = self.action.approval().into_iter().filter(|approval| approval.is_for(self.request));
        approvals.any(|approval| match approval.evidence() {
            Evidence::Session { until, .. } => *until <= self.now && self.now < approval.ends(),
            _ => false,
        })
    }

    /// Whether a human approved exactly this action, in time: one who approved the task, is active, and, for an
    /// action on somebody's behalf, is that person.
    pub(super) fn is_approved(&self) -> bool {
        self.action.approval().is_some_and(|approval| {
            let operator = approval.operator();
            !self.standing.approval_spent
                && approval.is_for(self.request)
                && approval.is_presentable_at(self.now)
                && self.mandate.is_approved_by(operator)
                && self.standing.operators.contains(operator)
                && self.action.mode().operator().is_none_or(|behalf| behalf == operator)
        })
    }
}
