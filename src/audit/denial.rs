//! The denial: the recorded refusal.

use std::fmt;
use std::time::Duration;

use super::{ForHuman, ForModel, ForOperator};
use crate::id::{EventId, Prose};
use crate::mandate::{Action, ActionRequest, ApprovalRequest, Resource, ToolName};
use crate::policy::{Outcome, PolicyNames, Reason, ReasonCode, Retry};

/// An action was refused, and that was recorded.
///
/// It speaks three languages by type: [`for_model`](Self::for_model), which is what `Display` says too,
/// [`for_human`](Self::for_human) and [`for_operator`](Self::for_operator).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial(Box<Refusal>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    outcome: Outcome,
    reason: Reason,
    policies: PolicyNames,
    because: Option<Prose>,
    hidden: bool,
    tool: ToolName,
    resource: Resource,
    purpose: Prose,
    asks: Option<ApprovalRequest>,
    event: Option<EventId>,
    times: u32,
}

impl Denial {
    pub(crate) fn new(reason: Reason, action: &Action, purpose: &Prose, event: Option<EventId>) -> Self {
        Self(Box::new(Refusal {
            outcome: Outcome::Denied,
            reason,
            policies: PolicyNames::default(),
            because: None,
            hidden: false,
            tool: action.tool().clone(),
            resource: action.resource().clone(),
            purpose: purpose.clone(),
            asks: None,
            event,
            times: 1,
        }))
    }

    /// With what the policies said.
    pub(super) fn with_ruling(mut self, policies: PolicyNames, because: Option<Prose>, hidden: bool) -> Self {
        (self.0.policies, self.0.because, self.0.hidden) = (policies, because, hidden);
        self
    }

    pub(super) fn held(mut self, asks: Option<ApprovalRequest>) -> Self {
        self.0.outcome = Outcome::Held;
        self.0.asks = asks;
        self
    }

    /// The same, told so often.
    pub(super) fn told(mut self, times: u32) -> Self {
        self.0.times = times;
        self
    }

    /// Why.
    pub fn reason(&self) -> &Reason {
        &self.0.reason
    }

    /// The stable code of the reason.
    pub fn code(&self) -> ReasonCode {
        self.0.reason.code()
    }

    /// Whether to try again, and after what.
    pub fn retry(&self) -> Retry {
        self.code().retry()
    }

    /// How long to wait at most, where the action can be tried again after a pause: zero where at once, nothing where that is not known.
    pub fn pause(&self) -> Option<Duration> {
        self.0.reason.pause()
    }

    /// Whether a human's approval of exactly this action is all that is missing.
    pub fn is_held(&self) -> bool {
        self.0.outcome == Outcome::Held
    }

    /// What to ask a human for, if that is all that is missing.
    pub fn request(&self) -> Option<&ActionRequest> {
        self.asks().map(ApprovalRequest::action)
    }

    /// The same, on its way: who may answer, how many it takes, and until when.
    pub fn asks(&self) -> Option<&ApprovalRequest> {
        self.0.asks.as_ref()
    }

    /// The event in the record; absent where the record itself failed.
    pub fn event(&self) -> Option<&EventId> {
        self.0.event.as_ref()
    }

    /// What the policy that forbids it says of it: its `@reason`.
    pub fn because(&self) -> Option<&Prose> {
        self.0.because.as_ref()
    }

    /// What the model is told: all that it may be shown.
    pub fn for_model(&self) -> ForModel {
        let hidden = self.0.hidden;
        let code = if hidden { ReasonCode::ToolUndeclared } else { self.code() };
        ForModel::new(code, self.pause().filter(|_| !hidden), self.0.times)
    }

    /// What people are told.
    pub fn for_human(&self) -> ForHuman<'_> {
        ForHuman(self)
    }

    /// What the operator's log is told.
    pub fn for_operator(&self) -> ForOperator<'_> {
        ForOperator(self)
    }

    pub(super) fn tool(&self) -> &ToolName {
        &self.0.tool
    }

    pub(super) fn resource(&self) -> &Resource {
        &self.0.resource
    }

    pub(super) fn purpose(&self) -> &Prose {
        &self.0.purpose
    }

    pub(super) fn policies(&self) -> &PolicyNames {
        &self.0.policies
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.for_model().fmt(f)
    }
}

impl std::error::Error for Denial {}
