//! The consent behind a credential: the human's own sealed approval, which a stranger can believe.

use super::token::Claims;
use crate::id::Audience;
use crate::jose::{Flaw, KeySet};
use crate::mandate::{ApprovalVerifier, Consent, Detail};
use crate::time::Timestamp;

/// Verifies that the approval which `root` names is this one, and that it was given to this agent for this task and goes as far
/// as `root` does: token profile, section 2.2, step 13.
pub(super) fn prove(root: &Claims, approval: &str, keys: &KeySet, now: Timestamp) -> Result<(), Flaw> {
    let obo = root.context.obo.as_ref().ok_or(Flaw::Unproven)?;
    let audience = Audience::new(root.iss.as_str()).map_err(|_| Flaw::Issuer)?;
    let verifier = ApprovalVerifier::new(keys.clone(), audience);
    let given = verifier.verify(approval, now).map_err(|refused| refused.flaw())?;
    let is_named = *given.digest() == obo.approval.hash
        && *given.id() == obo.approval.id
        && given.ends().unix() == obo.approval.exp;
    let person = given.operator();
    let is_theirs = *person.issuer() == obo.iss && *person.subject() == obo.sub;
    let is_for = given.agent() == Some(&root.sub)
        && given.task() == Some(&root.context.task.id)
        && given.task_hash() == Some(&root.context.task.hash);
    if !is_named || !is_theirs || !is_for {
        return Err(Flaw::Binding);
    }
    let Consent::Scope(scope) = given.consent() else {
        return Err(Flaw::Binding);
    };
    // Nobody passes on more often than the human said.
    if root.context.max_depth.unwrap_or(0) > scope.max_depth() {
        return Err(Flaw::Lineage);
    }
    if Detail::are_covered(&root.authorization_details, scope) { Ok(()) } else { Err(Flaw::Authority) }
}
