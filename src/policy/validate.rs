//! Strict validation: the schema that policies are held against, and Cedar's verdict on them.

use std::collections::BTreeMap;

use cedar_policy::{PolicyId, PolicySet, Schema, SchemaFragment, ValidationMode, Validator};

use super::cut::{Actions, Cut, Need};
use super::source::Source;
use super::syntax::Principals;
use super::{Message, PolicyError};
use crate::canonical::{Digest, Encoder};

/// How many actions the cuts of different policies are joined to: building a schema costs more than a few actions in it.
const JOINED: usize = 16;

/// A schema, read once for all policies that are held against it.
#[derive(Debug)]
pub(super) struct Vocabulary {
    schema: Schema,
    digest: Digest,
    /// `None` where the schema cannot be cut.
    actions: Option<Actions>,
    principals: Principals,
}

impl Vocabulary {
    /// Reads a schema in Cedar's own syntax, in which these are the principals.
    pub(super) fn parse(text: &str, principals: Principals) -> Result<Self, PolicyError> {
        let (fragment, _) = SchemaFragment::from_cedarschema_str(text).map_err(PolicyError::cedar)?;
        let schema = Schema::from_schema_fragments([fragment.clone()]).map_err(PolicyError::cedar)?;
        let actions = fragment.to_json_value().ok().and_then(|json| Actions::of(&schema, json));
        let mut encoder = Encoder::new("bailiwick/vocabulary/v1");
        encoder.text(text);
        Ok(Self { schema, digest: encoder.finish(), actions, principals })
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(super) fn principals(&self) -> Principals {
        self.principals
    }

    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    /// Gives the verdict of Cedar's validator over the whole schema. What it only warns of (a policy that can never
    /// apply, a confusable text) refuses as well.
    ///
    /// The validator looks at every policy by itself and at every action for each, which for thousands of both takes
    /// minutes: here policies are held against the actions that can tell something of them.
    pub(super) fn check<'s>(&self, policies: impl IntoIterator<Item = &'s Source>) -> Result<(), PolicyError> {
        let mut problems = Problems::default();
        let mut needs: BTreeMap<Option<Need>, PolicySet> = BTreeMap::new();
        for (place, source) in policies.into_iter().enumerate() {
            let need = match (source, &self.actions) {
                (Source::Policy(policy), Some(actions)) => Some(actions.need(policy)),
                _ => None,
            };
            source.add_to(needs.entry(need).or_default())?;
            problems.places.insert(source.id().clone(), place);
        }
        let mut cuts: BTreeMap<Option<Cut>, Vec<PolicySet>> = BTreeMap::new();
        for (need, set) in needs {
            let cut = need.and_then(|need| self.actions.as_ref()?.cut(&need));
            cuts.entry(cut).or_default().push(set);
        }
        for (cut, sets) in join(cuts) {
            let cut = cut.and_then(|cut| Schema::from_json_value(self.actions.as_ref()?.schema(&cut)).ok());
            let validator = Validator::new(cut.unwrap_or_else(|| self.schema.clone()));
            sets.iter().for_each(|set| problems.find(&validator, set));
        }
        match problems.first {
            None => Ok(()),
            Some((.., first)) => Err(PolicyError::Invalid { count: problems.count, first: Message::of(&first) }),
        }
    }
}

/// Joins small cuts that follow each other. A policy may be held against more actions than it needs.
fn join(cuts: BTreeMap<Option<Cut>, Vec<PolicySet>>) -> Vec<(Option<Cut>, Vec<PolicySet>)> {
    let mut joined: Vec<(Option<Cut>, Vec<PolicySet>)> = Vec::new();
    for (cut, sets) in cuts {
        match (joined.last_mut(), cut) {
            (Some((Some(last), before)), Some(cut)) if last.union(&cut).count() <= JOINED => {
                last.extend(cut);
                before.extend(sets);
            }
            (_, cut) => joined.push((cut, sets)),
        }
    }
    joined
}

/// What is wrong with policies.
#[derive(Default)]
struct Problems {
    places: BTreeMap<PolicyId, usize>,
    count: usize,
    /// The first in the text, errors before warnings.
    first: Option<(bool, usize, String)>,
}

impl Problems {
    fn find(&mut self, validator: &Validator, set: &PolicySet) {
        let result = validator.validate(set, ValidationMode::Strict);
        for error in result.validation_errors() {
            self.add(false, error.policy_id(), error.to_string());
        }
        for warning in result.validation_warnings() {
            self.add(true, warning.policy_id(), warning.to_string());
        }
    }

    fn add(&mut self, is_warning: bool, policy: &PolicyId, message: String) {
        self.count += 1;
        let place = self.places.get(policy).copied().unwrap_or_default();
        let problem = (is_warning, place, message);
        if self.first.as_ref().is_none_or(|first| problem < *first) {
            self.first = Some(problem);
        }
    }
}
