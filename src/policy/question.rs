//! A question to the rules: everything that a verdict depends on besides policies and tools.

use std::sync::Arc;

use super::Reason;
use crate::mandate::{Action, ActionRequest, Approval, Beyond, Evidence, LedgerView, Mandate, Panel, Standing};
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

    /// Who approved exactly this action in a sign-in that is over, where the approval itself is not.
    fn signed_out(&self) -> Option<&'a Approval> {
        let mut theirs = self.action.approvals().iter().filter(|approval| approval.is_for(self.request));
        let is_over = |approval: &&Arc<Approval>| match approval.evidence() {
            Evidence::Session { until, .. } => *until <= self.now && self.now < approval.ends(),
            _ => false,
        };
        theirs.find(is_over).map(AsRef::as_ref)
    }

    /// The approvals that a permit would rest on: of exactly this action, in time, by as many people as the scope wants, who may
    /// and are active. Where they do not do, how many there are.
    pub(crate) fn consent(&self) -> Result<Vec<&'a Arc<Approval>>, u8> {
        self.panel().consent(self.action, self.request, self.standing, self.now)
    }

    /// Whether humans approved exactly this action.
    pub(super) fn is_approved(&self) -> bool {
        !self.action.approvals().is_empty() && self.consent().is_ok()
    }

    /// Why it is held, where it is `beyond` what nobody need be asked for.
    pub(super) fn missing(&self, beyond: Beyond) -> Reason {
        let mut came = self.action.approvals().iter();
        let Some(first) = came.clone().next() else {
            return Reason::NeedsApproval(beyond);
        };
        if let Some(approval) = self.signed_out() {
            return Reason::SessionOver { operator: approval.operator().clone(), now: self.now };
        }
        match (came.find(|approval| self.standing.spent.contains(approval.id())), self.consent()) {
            (Some(spent), _) => Reason::ApprovalSpent { operator: spent.operator().clone() },
            (None, Err(given @ 1..)) => Reason::TooFewApprovals { given, people: self.panel().people() },
            (None, _) => Reason::ApprovalInvalid { operator: first.operator().clone() },
        }
    }

    fn panel(&self) -> Panel<'a> {
        self.mandate.panel(self.action)
    }
}
