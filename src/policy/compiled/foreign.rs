//! Asking Cedar itself: for policies that are not compiled, and to check those that are.

use std::collections::BTreeSet;
use std::fmt;

use cedar_policy::{AuthorizationError, Authorizer, Policy, PolicySet};

use super::asked::Asked;
use super::program::Failed;
use super::{EntityUid, Request};
use crate::policy::stack;

/// One policy that only Cedar evaluates.
#[derive(Clone)]
pub(in crate::policy) struct Foreign(PolicySet);

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Foreign({})", self.0)
    }
}

/// What Cedar answers: the policies that decide, and those that fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) struct Answer {
    pub(in crate::policy) is_allowed: bool,
    pub(in crate::policy) determining: BTreeSet<String>,
    pub(in crate::policy) failed: BTreeSet<String>,
}

impl Foreign {
    /// `policy` has no slots.
    pub(super) fn new(policy: Policy) -> Self {
        // Adding one policy to an empty set cannot fail; if it did, the empty set would answer nothing.
        Self(PolicySet::from_policies([policy]).unwrap_or_default())
    }

    /// Whether the policy applies, whatever the stack of the thread that asks. What cannot be asked has failed.
    pub(super) fn applies(&self, asked: &Asked<'_>) -> Result<bool, Failed> {
        let answer = stack::deep(|| Ok(ask(&self.0, asked))).map_err(|_| Failed)??;
        if self.0.is_empty() || !answer.failed.is_empty() { Err(Failed) } else { Ok(!answer.determining.is_empty()) }
    }
}

/// Asks Cedar about these policies, on the thread that asks.
pub(in crate::policy) fn ask(policies: &PolicySet, asked: &Asked<'_>) -> Result<Answer, Failed> {
    let named = policies.policies().flat_map(Policy::entity_literals);
    let request = Request::of(asked, named.map(|uid| EntityUid::from(&uid)));
    let (request, entities) = request.to_cedar().map_err(|_| Failed)?;
    let response = Authorizer::new().is_authorized(&request, policies, &entities);
    let failed = response.diagnostics().errors();
    Ok(Answer {
        is_allowed: response.decision() == cedar_policy::Decision::Allow,
        determining: response.diagnostics().reason().map(ToString::to_string).collect(),
        failed: failed.map(|AuthorizationError::PolicyEvaluationError(error)| error.policy_id().to_string()).collect(),
    })
}
