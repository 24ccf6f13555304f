//! What raises the class of single calls of a tool above the tool's own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ActionClass, ArgumentName, Arguments, Bound, Resource};
use crate::strict::{present, unique, word};

/// A call is of this class at least, where it touches that kind of thing, or where not all of those arguments keep to their
/// bounds. Without either, every call is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raise {
    #[serde(deserialize_with = "word")]
    class: ActionClass,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    on: Option<String>,
    #[serde(default, deserialize_with = "unique", skip_serializing_if = "BTreeMap::is_empty")]
    unless: BTreeMap<ArgumentName, Bound>,
}

impl Raise {
    pub(super) fn always(class: ActionClass) -> Self {
        Self { class, on: None, unless: BTreeMap::new() }
    }

    pub(super) fn on(class: ActionClass, kind: &str) -> Self {
        Self { on: Some(kind.to_owned()), ..Self::always(class) }
    }

    pub(super) fn unless(class: ActionClass, argument: ArgumentName, bound: Bound) -> Self {
        Self { unless: [(argument, bound)].into(), ..Self::always(class) }
    }

    /// The class that every call has by it, if every call has.
    pub(super) fn of_every_call(&self) -> Option<ActionClass> {
        (self.on.is_none() && self.unless.is_empty()).then_some(self.class)
    }

    /// The class that calls have by it.
    pub(super) fn class(&self) -> ActionClass {
        self.class
    }

    /// The class that a call has by it, if it has.
    pub(super) fn of(&self, resource: &Resource, arguments: &Arguments) -> Option<ActionClass> {
        let is_on = self.on.as_ref().is_none_or(|kind| kind == resource.kind());
        let is_harmless = |(name, bound): (&ArgumentName, &Bound)| bound.admits(arguments.get(name.as_str()), false);
        let keeps = !self.unless.is_empty() && self.unless.iter().all(is_harmless);
        (is_on && !keeps).then_some(self.class)
    }

    /// The arguments that it looks at.
    pub(super) fn arguments(&self) -> impl Iterator<Item = &ArgumentName> {
        self.unless.keys()
    }
}
