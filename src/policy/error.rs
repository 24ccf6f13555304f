//! Why policies do not load.

use std::fmt;

use super::PolicyName;
use super::text::TextError;
use crate::id::{Found, IdError};

/// Policies did not load; what was loaded before stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The text is over a bound.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The text is not Cedar, or Cedar refused it.
    #[error("cedar refused: {0}")]
    Cedar(Message),
    /// A policy does not fit the tools and the vocabulary, or can never apply.
    #[error("{count} problems with the policies, the first: {first}")]
    Invalid {
        /// How many problems.
        count: usize,
        /// The first one.
        first: Message,
    },
    /// A policy asks whether the principal is somebody who is never one: of an agent's action, only an agent identity is;
    /// of administration, only a human operator.
    #[error("the policy {policy} asks whether the principal is of the type {kind}, only `{only}` is")]
    Principal {
        /// The policy.
        policy: PolicyName,
        /// The type that it names.
        kind: Found,
        /// The type that principals have.
        only: &'static str,
    },
    /// A policy has no `@id`.
    #[error("the policy number {number} has no `@id`")]
    NoId {
        /// The policy's place in the text, from 1.
        number: usize,
    },
    /// An `@id` is not valid.
    #[error(transparent)]
    Id(#[from] IdError),
    /// Two policies have one `@id`.
    #[error("the `@id` {0} is used twice")]
    DuplicateId(PolicyName),
    /// An annotation has a value that means nothing, or stands where it means nothing.
    #[error("the annotation `@{key}` of the policy {policy} must be {want}, found {found}")]
    Annotation {
        /// The policy.
        policy: PolicyName,
        /// The annotation.
        key: &'static str,
        /// What it can be.
        want: &'static str,
        /// What it is.
        found: Found,
    },
    /// A policy says what its author hardly means, and does not acknowledge it.
    #[error("{}: change it, or acknowledge it with `@allow(\"{}\")` on the policy", .0.headline(), .0.code)]
    Lint(Box<super::Lint>),
    /// The directory was refused.
    #[error(transparent)]
    Directory(#[from] super::DirectoryError),
    /// The bundle is not sealed by the key that is pinned.
    #[error("the bundle is not sealed by the pinned key")]
    Seal,
    /// A later version is loaded.
    #[error("the bundle is of version {found:?}, {loaded:?} is loaded")]
    Older {
        /// The bundle's version, if it has one.
        found: Option<u64>,
        /// The version that is loaded.
        loaded: Option<u64>,
    },
    /// A schema of the host's does not fit the catalogue.
    #[error(transparent)]
    Schema(#[from] super::SchemaError),
    /// There is no thread with a stack of its own to load policies on, or loading ended early.
    #[error("policies could not be loaded on a stack of their own")]
    NoStack,
    /// The text has a template; those are not linked here and would never apply.
    #[error("the policy {0} is a template")]
    Template(Found),
}

/// A message of Cedar's, at most 500 characters of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message(String);

impl Message {
    pub(crate) fn of(message: &impl fmt::Display) -> Self {
        Self(message.to_string().chars().take(500).collect())
    }

    /// An error and its causes.
    pub(crate) fn in_full(error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(Some(error), |error| error.source());
        let said: Vec<String> = causes.take(8).map(ToString::to_string).collect();
        Self::of(&said.join(": "))
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PolicyError {
    pub(super) fn cedar(error: impl fmt::Display) -> Self {
        Self::Cedar(Message::of(&error))
    }
}
