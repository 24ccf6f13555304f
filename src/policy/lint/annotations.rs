//! Annotations: those that mean something, and those that almost do.

use std::collections::BTreeSet;

use super::place::Place;
use super::{Lint, LintCode, Subject};
use crate::id::Found;
use crate::policy::PolicyError;

/// The annotations that mean something. Others are for whoever wrote them.
const KNOWN: [&str; 6] = ["id", "reason", "visibility", "requires", "allow", "engine"];

/// The codes that the policy acknowledges.
pub(super) fn allowed(policy: &Subject<'_>) -> Result<BTreeSet<LintCode>, PolicyError> {
    let Some(text) = policy.tree.annotations.get("allow") else { return Ok(BTreeSet::new()) };
    let codes: Option<BTreeSet<LintCode>> = text.split_ascii_whitespace().map(LintCode::read).collect();
    codes.filter(|codes| !codes.is_empty()).ok_or_else(|| PolicyError::Annotation {
        policy: policy.name.clone(),
        key: "allow",
        want: "codes of lints, with spaces between them",
        found: Found::new(text),
    })
}

/// Codes that are acknowledged and were not found.
pub(super) fn unused(policy: &Subject<'_>, allowed: &BTreeSet<LintCode>, found: &BTreeSet<LintCode>) -> Vec<Lint> {
    let unused = allowed.difference(found).filter(|code| **code != LintCode::UnusedAllow);
    let lint = |code| {
        let message = format!("acknowledges `{code}`, which it is not: nobody would be told when it is");
        policy.lint(LintCode::UnusedAllow, &Place::Annotation("allow"), message)
    };
    unused.map(lint).collect()
}

pub(super) fn no_reason(policy: &Subject<'_>) -> Option<Lint> {
    let silent = !policy.is_permit() && !policy.has("reason");
    silent.then(|| policy.lint(LintCode::NoReason, &Place::Effect, "forbids and does not say why, in a `@reason`"))
}

/// Annotations that are almost one that means something.
pub(super) fn misspelt(policy: &Subject<'_>) -> Vec<Lint> {
    let names = policy.tree.annotations.keys().filter(|name| !KNOWN.contains(&name.as_str()));
    let almost = names.filter_map(|name| Some((name, KNOWN.into_iter().find(|known| is_almost(name, known))?)));
    let lint = |(name, known): (&String, &str)| {
        let message = format!("the annotation `@{name}` means nothing, `@{known}` would");
        let lint = policy.lint(LintCode::MisspeltAnnotation, &Place::Annotation(name), message);
        lint.fixed((!policy.has(known)).then(|| format!("@{known}")))
    };
    almost.map(lint).collect()
}

/// Whether a name is another one with a slip or two, of which a short one bears fewer: `@in` is no slip of `@id`, and
/// `@region` none of `@reason`.
fn is_almost(name: &str, known: &str) -> bool {
    let slips = match known.len() {
        0..4 => 0,
        4..8 => 1,
        _ => 2,
    };
    is_within(name.to_lowercase().as_bytes(), known.as_bytes(), slips)
}

/// Whether one text becomes the other by so many letters left out, put in, taken for another or swapped.
fn is_within(one: &[u8], other: &[u8], slips: usize) -> bool {
    match (one, other) {
        ([a, one @ ..], [b, other @ ..]) if a == b => is_within(one, other, slips),
        ([], []) => true,
        _ if slips == 0 => false,
        _ => {
            let (less, left) = (one.get(1..), slips - 1);
            let swapped = match (one, other) {
                ([a, b, one @ ..], [c, d, other @ ..]) if a == d && b == c => is_within(one, other, left),
                _ => false,
            };
            swapped
                || less.is_some_and(|one| is_within(one, other, left))
                || other.get(1..).is_some_and(|other| is_within(one, other, left))
                || less.zip(other.get(1..)).is_some_and(|(one, other)| is_within(one, other, left))
        }
    }
}
