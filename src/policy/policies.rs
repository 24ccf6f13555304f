//! The policies of one text, each with what was made of it. What was made before of the same text is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cedar_policy::PolicyId;

use super::source::Source;
use super::syntax::Principals;
use super::text::Piece;
use super::validate::Vocabulary;
use super::{PolicyError, PolicyName, syntax};
use crate::canonical::{Digest, Encoder};
use crate::id::Found;

/// Policies that hold under a vocabulary, in the order of their text.
#[derive(Debug)]
pub(super) struct Policies<T>(Vec<(Digest, Arc<Made<T>>)>);

/// One policy that holds, and what was made of it.
#[derive(Debug)]
pub(super) struct Made<T> {
    name: PolicyName,
    made: T,
}

/// A policy that was read, and does not hold yet unless it held before.
enum Read<T> {
    Before(Arc<Made<T>>),
    Now(PolicyName, Box<Source>),
}

impl<T> Policies<T> {
    /// Reads policies, checks them against the vocabulary, and makes of each what `make` makes. A policy whose text is
    /// among `before`, under the same vocabulary, is taken from there.
    pub(super) fn load(
        pieces: &[Piece<'_>],
        vocabulary: &Vocabulary,
        before: Option<&Self>,
        make: impl Fn(&Source) -> Result<T, PolicyError>,
    ) -> Result<Self, PolicyError> {
        let before: BTreeMap<&Digest, &Arc<Made<T>>> =
            before.into_iter().flat_map(|before| &before.0).map(|(key, made)| (key, made)).collect();
        let mut all = Vec::with_capacity(pieces.len());
        for (piece, number) in pieces.iter().zip(1..) {
            let key = key(piece, vocabulary);
            let read = match before.get(&key) {
                Some(made) => Read::Before(Arc::clone(made)),
                None => Read::from_text(piece, number, vocabulary.principals())?,
            };
            all.push((key, read));
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = all.iter().map(|(_, read)| read.name()).find(|name| !names.insert(*name)) {
            return Err(PolicyError::DuplicateId(twice.clone()));
        }
        vocabulary.check(all.iter().filter_map(|(_, read)| read.source()))?;
        let all = all.into_iter().map(|(key, read)| Ok((key, read.make(&make)?)));
        all.collect::<Result<_, _>>().map(Self)
    }

    /// What was made of each.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, made)| &made.made)
    }
}

impl<T> Read<T> {
    /// Reads the policy with this number, from 1. Its `@id` becomes its id.
    fn from_text(piece: &Piece<'_>, number: usize, known: Principals) -> Result<Self, PolicyError> {
        let source = Source::parse(piece.text);
        let source =
            source.map_err(|error| PolicyError::cedar(format!("the policy on line {}: {error}", piece.line)))?;
        let name = PolicyName::new(source.annotation("id").ok_or(PolicyError::NoId { number })?)?;
        let stranger = |condition| syntax::stranger(condition, known);
        if let Some(kind) = syntax::conditions(source.tree()?.clauses()).find_map(stranger) {
            return Err(PolicyError::Principal { policy: name, kind: Found::new(&kind), only: known.kind });
        }
        let source = source.with_id(PolicyId::new(name.as_str()));
        Ok(Self::Now(name, Box::new(source)))
    }

    fn name(&self) -> &PolicyName {
        match self {
            Self::Before(made) => &made.name,
            Self::Now(name, _) => name,
        }
    }

    fn source(&self) -> Option<&Source> {
        match self {
            Self::Before(_) => None,
            Self::Now(_, source) => Some(source),
        }
    }

    fn make(self, make: impl Fn(&Source) -> Result<T, PolicyError>) -> Result<Arc<Made<T>>, PolicyError> {
        match self {
            Self::Before(made) => Ok(made),
            Self::Now(name, source) => Ok(Arc::new(Made { made: make(&source)?, name })),
        }
    }
}

/// The same for the same text under the same vocabulary.
fn key(piece: &Piece<'_>, vocabulary: &Vocabulary) -> Digest {
    let mut encoder = Encoder::new("bailiwick/policy/v1");
    encoder.fixed(vocabulary.digest().as_bytes()).text(piece.text);
    encoder.finish()
}
