//! Lints: what policies may say and hardly mean.
//!
//! What the vocabulary does not have, what can never apply by its types, and names that look like others are refused by
//! Cedar's strict validation when policies load; lints are about the rest. They look at what each policy says, one
//! policy at a time, except for what another implies. The worst of them keep a policy from loading, unless its author
//! acknowledges it in the policy itself: `@allow("unconditional-permit")`.

mod annotations;
mod breadth;
mod conditions;
mod confusable;
#[allow(clippy::module_inception, reason = "the file owns the noun that the room is named after")]
mod lint;
mod place;
mod shadow;
mod tools;

use std::collections::BTreeSet;

use cedar_policy::PolicyId;
use cedar_policy::pst::{Effect, Template};

use self::conditions::Conditions;
pub use self::lint::{Lint, LintCode, Severity};
use self::place::Place;
pub(super) use self::tools::Tools;
use super::policy::Policy;
use super::{PolicyError, PolicyName, compiled};

/// One policy, its slots filled.
pub(super) struct Subject<'p> {
    name: &'p PolicyName,
    tree: &'p Template,
    text: &'p str,
    conditions: Conditions<'p>,
}

impl<'p> Subject<'p> {
    pub(super) fn new(name: &'p PolicyName, tree: &'p Template, text: &'p str) -> Self {
        Self { name, tree, text, conditions: Conditions::of(tree) }
    }

    /// Refuses a policy with an error that it does not acknowledge.
    pub(super) fn check(&self, tools: &Tools) -> Result<(), PolicyError> {
        let allowed = annotations::allowed(self)?;
        let mut errors = annotations::misspelt(self).into_iter().chain(breadth::error(self, tools));
        match errors.find(|lint| !allowed.contains(&lint.code)) {
            Some(lint) => Err(PolicyError::Lint(Box::new(lint))),
            None => Ok(()),
        }
    }

    fn is_permit(&self) -> bool {
        self.tree.effect == Effect::Permit
    }

    fn has(&self, annotation: &str) -> bool {
        self.tree.annotations.contains_key(annotation)
    }

    fn lint(&self, code: LintCode, place: &Place<'_>, message: impl Into<String>) -> Lint {
        Lint::new(code, self.name, self.text, place, message.into())
    }

    /// Everything that is found and not acknowledged, with the shadow that another policy throws on this one.
    fn lints(&self, tools: &Tools, shadow: Option<Lint>) -> Vec<Lint> {
        let broad = breadth::error(self, tools);
        let is_unconditional = broad.as_ref().is_some_and(|lint| lint.code == LintCode::UnconditionalPermit);
        let loose = if is_unconditional { None } else { breadth::loose(self, tools) };
        let never = breadth::never_fires(self, tools);
        let mut lints: Vec<Lint> = broad.into_iter().chain(loose).chain(never).chain(shadow).collect();
        lints.extend(annotations::misspelt(self));
        lints.extend(annotations::no_reason(self));
        lints.extend(confusable::find(self));
        let found: BTreeSet<LintCode> = lints.iter().map(|lint| lint.code).collect();
        // What loaded acknowledges what there is.
        let allowed = annotations::allowed(self).unwrap_or_default();
        lints.extend(annotations::unused(self, &allowed, &found));
        lints.retain(|lint| !allowed.contains(&lint.code));
        lints.sort_by_key(|lint| (lint.span.start, lint.code));
        lints
    }
}

/// Everything that is found in these policies and is not acknowledged, in their order and in the order of their texts.
///
/// It recurses as deep as they nest: only on the stack of the room.
pub(super) fn find<'p>(policies: impl Iterator<Item = &'p Policy>, tools: &Tools) -> Result<Vec<Lint>, PolicyError> {
    let policies: Vec<&Policy> = policies.collect();
    let trees = policies.iter().map(|policy| {
        let id = PolicyId::new(policy.name.as_str());
        let parsed = cedar_policy::Policy::parse(Some(id), &policy.text).map_err(PolicyError::cedar)?;
        Ok(compiled::filled(&parsed)?.0)
    });
    let trees: Vec<Template> = trees.collect::<Result<_, PolicyError>>()?;
    let subjects = policies.iter().zip(&trees).map(|(policy, tree)| Subject::new(&policy.name, tree, &policy.text));
    let subjects: Vec<Subject<'_>> = subjects.collect();
    let shadows = shadow::find(&subjects, tools);
    let all = subjects.iter().zip(shadows).flat_map(|(subject, shadow)| subject.lints(tools, shadow));
    Ok(all.collect())
}
