//! One policy as it was loaded: compiled, and with what its annotations say.

use std::sync::Arc;

use cedar_policy::pst::Template;

use super::compiled::{Effect, Rule};
use super::lint::{Subject, Tools};
use super::offer::Offer;
use super::part::Part;
use super::{PolicyError, PolicyName, compiled, syntax};
use crate::id::{Found, Prose};

/// One policy.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    /// `@id`.
    pub(super) name: PolicyName,
    pub(super) rule: Arc<Rule>,
    /// Its own text, its slots filled.
    pub(super) text: Arc<str>,
    /// `@reason`: what the operator is told where it decides.
    pub(super) because: Option<Prose>,
    /// `@visibility("hide")`: what it forbids answers as if it did not exist.
    pub(super) hides: bool,
    /// `@requires("approval")`: it permits only with a human's approval of exactly the action.
    pub(super) wants_approval: bool,
    /// Whether its answer may depend on an approval of the exact action.
    pub(super) sees_approval: bool,
    /// Whether its answer may depend on the agent user.
    pub(super) sees_agent_user: bool,
    /// What of it can be said before there is a call.
    pub(super) offer: Offer,
}

impl Policy {
    /// Reads a policy whose id is its name, about these tools. One that is too broad, and does not say so, is refused.
    pub(super) fn new(parsed: &cedar_policy::Policy, tools: &Tools) -> Result<Self, PolicyError> {
        let name = PolicyName::new(parsed.id().as_ref())?;
        let (tree, filled) = compiled::filled(parsed)?;
        let text = filled.to_string();
        Subject::new(&name, &tree, &text).check(tools)?;
        let rule = Rule::of(&filled)?;
        let read = Part::read_in(syntax::conditions(tree.clauses()));
        let reads = |member| rule.is_foreign() || read.has(member);
        let wants_approval = says(&name, &tree, "requires", "approval", rule.effect == Effect::Permit)?;
        Ok(Self {
            because: reason(&name, &tree)?,
            hides: says(&name, &tree, "visibility", "hide", rule.effect == Effect::Forbid)?,
            wants_approval,
            sees_approval: wants_approval || reads("approved"),
            sees_agent_user: reads("agent_user"),
            offer: Offer::new(&tree, &rule),
            name,
            rule: Arc::new(rule),
            text: text.into(),
        })
    }
}

fn reason(name: &PolicyName, tree: &Template) -> Result<Option<Prose>, PolicyError> {
    tree.annotations
        .get("reason")
        .map(|text| Prose::new(text).map_err(|_| annotation(name, "reason", "a text of 1 to 500 characters", text)))
        .transpose()
}

/// Whether the policy has this annotation, whose only value is `word`, and may have it.
fn says(
    name: &PolicyName,
    tree: &Template,
    key: &'static str,
    word: &'static str,
    may: bool,
) -> Result<bool, PolicyError> {
    match tree.annotations.get(key) {
        None => Ok(false),
        Some(value) if value == word && may => Ok(true),
        Some(value) if value == word => Err(annotation(name, key, "on a policy of the other effect", value)),
        Some(value) => Err(annotation(name, key, word, value)),
    }
}

fn annotation(policy: &PolicyName, key: &'static str, want: &'static str, found: &str) -> PolicyError {
    PolicyError::Annotation { policy: policy.clone(), key, want, found: Found::new(found) }
}
