//! The verdict: what the rules say of one action, and why. A fact; it opens nothing.

use serde::Serialize;

use super::{PolicyNames, Reason};
use crate::canonical::Digest;
use crate::id::Prose;
use crate::mandate::ActionClass;

/// What the rules say. A hold is a denial that a human's approval of this action lifts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "there is no fourth outcome")]
pub enum Outcome {
    /// No.
    Denied,
    /// Not without a human's approval of exactly this action.
    Held,
    /// Yes.
    Permitted,
}

/// What the rules say of one action, and why.
///
/// Pure: the same question gets the same verdict. A permit is made from it only in exchange for a place in a live
/// task's budget, and only after the record was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// What the rules say.
    pub outcome: Outcome,
    /// Why not; absent when permitted.
    pub reason: Option<Reason>,
    /// The policies that decided: those that permit, or those that forbid.
    pub policies: PolicyNames,
    /// What the policies that forbid say of it, for the operator: the first `@reason` among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<Prose>,
    /// Whether a policy hides that there is such a tool: then the model is told that there is none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// The class of the action; privileged where the tool is not declared.
    pub class: ActionClass,
    /// Whether it is permitted only because a human approved exactly this action.
    pub rests_on_approval: bool,
    /// The digest of policies and schema.
    pub policy_digest: Digest,
}

/// Why a permit was taken back, and what the policies said where they did.
#[derive(Debug, Clone)]
pub(crate) struct Ruling {
    pub(crate) reason: Reason,
    pub(crate) policies: PolicyNames,
    pub(crate) because: Option<Prose>,
    pub(crate) hidden: bool,
}

impl Ruling {
    /// Of a verdict that does not permit.
    pub(crate) fn of(verdict: Verdict) -> Option<Box<Self>> {
        let Verdict { reason, policies, because, hidden, .. } = verdict;
        Some(Box::new(Self { reason: reason?, policies, because, hidden }))
    }
}

impl From<Reason> for Box<Ruling> {
    fn from(reason: Reason) -> Self {
        Box::new(Ruling { reason, policies: PolicyNames::default(), because: None, hidden: false })
    }
}

impl Verdict {
    /// A denial of an action of this class, before anything was asked.
    pub(super) fn undecided(class: ActionClass, policy_digest: Digest) -> Self {
        Self {
            outcome: Outcome::Denied,
            reason: None,
            policies: PolicyNames::default(),
            because: None,
            hidden: false,
            class,
            rests_on_approval: false,
            policy_digest,
        }
    }

    /// The same question, refused for a reason that arose after the rules were asked.
    pub(crate) fn refused(self, reason: Reason) -> Self {
        Self { outcome: Outcome::Denied, reason: Some(reason), rests_on_approval: false, ..self }
    }
}
