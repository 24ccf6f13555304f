//! The denial: the recorded refusal, in three languages.

use std::fmt;

use crate::id::{EventId, Prose};
use crate::mandate::{ActionRequest, ApprovalRequest, ToolName};
use crate::policy::{Outcome, PolicyName, PolicyNames, Reason, ReasonCode, Remedy};

/// An action was refused, and that was recorded.
///
/// `Display` is for the model: one sentence of a fixed catalogue, without policies, people or values. [`admin`] is for
/// the operator's log, [`explain`] for the developer.
///
/// [`admin`]: Self::admin
/// [`explain`]: Self::explain
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
    asks: Option<ApprovalRequest>,
    event: Option<EventId>,
}

impl Denial {
    pub(crate) fn new(reason: Reason, tool: &ToolName, event: Option<EventId>) -> Self {
        Self(Box::new(Refusal {
            outcome: Outcome::Denied,
            reason,
            policies: PolicyNames::default(),
            because: None,
            hidden: false,
            tool: tool.clone(),
            asks: None,
            event,
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

    /// Why.
    pub fn reason(&self) -> &Reason {
        &self.0.reason
    }

    /// The stable code of the reason.
    pub fn code(&self) -> ReasonCode {
        self.0.reason.code()
    }

    /// The code that is safe to show to the model: where a policy hides the tool, that there is no such tool.
    pub fn code_for_model(&self) -> ReasonCode {
        if self.0.hidden { ReasonCode::ToolUndeclared } else { self.code() }
    }

    /// What would lift the refusal.
    pub fn remedy(&self) -> Remedy {
        self.code().remedy()
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

    /// For the operator's log: what was refused, the code, and the values that disagreed.
    pub fn admin(&self) -> String {
        let Refusal { outcome, reason, tool, event, .. } = &*self.0;
        let verb = if *outcome == Outcome::Held { "held" } else { "denied" };
        let event = event.map_or("unrecorded".to_owned(), |event| event.to_string());
        format!("{verb} `{tool}`: {} ({reason}) [{event}]", reason.code().as_str())
    }

    /// What the policy that forbids it says of it: its `@reason`.
    pub fn because(&self) -> Option<&Prose> {
        self.0.because.as_ref()
    }

    /// For the developer: the same, what would lift it, and the policies that had a part in it.
    pub fn explain(&self) -> String {
        let policies: Vec<&str> = self.0.policies.iter().map(PolicyName::as_str).collect();
        let remedy = match self.remedy() {
            Remedy::Never => "nothing lifts this refusal",
            Remedy::OtherArguments => "other arguments may be permitted",
            Remedy::Approval => "a human's approval of exactly this action lifts it",
            Remedy::NewTask => "a new task may be permitted to do it",
            Remedy::Later => "it may be permitted later",
        };
        let because = self.because().map_or(String::new(), |because| format!("\n  because: {because}"));
        let by = if policies.is_empty() { "none".to_owned() } else { policies.join(", ") };
        format!("{}\n  remedy: {remedy}\n  policies: {by}{because}", self.admin())
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code_for_model().for_model())
    }
}

impl std::error::Error for Denial {}
