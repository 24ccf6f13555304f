//! Policies in which only people are principals: loaded strictly, compiled, and asked so that one that fails refuses.

use std::sync::Arc;

use super::compiled::{Asked, Compiled, Rule};
use super::policies::Policies;
use super::source::Source;
use super::syntax::Principals;
use super::text::Piece;
use super::validate::Vocabulary;
use super::{PolicyError, PolicyName};
use crate::id::Found;

/// Only a person administers, and only a person is entitled.
const PEOPLE: Principals = Principals { kind: "HumanOperator", group: "Team" };

/// Loads policies over this schema. There are no templates.
pub(super) fn load(pieces: &[Piece<'_>], schema: &str) -> Result<Compiled, PolicyError> {
    let vocabulary = Vocabulary::parse(schema, PEOPLE)?;
    let rules = Policies::load(pieces, &vocabulary, None, |source| match source {
        Source::Policy(policy) => Ok(Arc::new(Rule::of(policy)?)),
        Source::Template(template) => Err(PolicyError::Template(Found::new(template.id().as_ref()))),
    })?;
    Ok(Compiled::of(rules.iter().cloned().collect()))
}

/// What policies refuse by.
#[derive(Debug)]
pub(super) struct Refused {
    /// Those that forbid; none where none permits.
    pub(super) by: Vec<PolicyName>,
    /// Those that failed. Where one does, nothing is allowed.
    pub(super) failed: Vec<PolicyName>,
}

/// Asks. Any error of any policy refuses.
pub(super) fn ask(policies: &Compiled, asked: &Asked<'_>) -> Result<(), Refused> {
    let response = policies.ask(asked);
    if response.is_allowed() && response.failed().next().is_none() {
        return Ok(());
    }
    let name = |id: &str| PolicyName::new(id).ok();
    let by = if response.is_allowed() { Vec::new() } else { response.determining().filter_map(name).collect() };
    Err(Refused { by, failed: response.failed().filter_map(name).collect() })
}
