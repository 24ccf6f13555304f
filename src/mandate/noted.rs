//! What a task learnt from the sources that its scope trusts, and which arguments of a step that vouches for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::typed::is_invisible;
use super::{ArgumentName, CapabilityDrift, Source, Target, TaskState, ToolName, Value};
use crate::json::{self, Json, JsonError, Limits};

/// An output has at most 1 MiB and 64 levels.
const LIMITS: Limits = Limits { bytes: 1024 * 1024, depth: 64 };
/// Values that a task and all that is above, beside and below it know from sources.
const MAX_VALUES: usize = 1024;
/// Bytes of one of them: longer is prose, and no target.
const MAX_TEXT: usize = 256;

/// An output was not observed, and nothing of it is trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObserveError {
    /// The action was another task's.
    #[error("the action that ran was another task's")]
    OtherTask,
    /// The task has ended.
    #[error("the task is {}, not active", .0.as_str())]
    Ended(TaskState),
    /// The output of this action was observed before.
    #[error("the output of this action was observed before")]
    Twice,
    /// The tool is not any more the one that was declared when the task began: whatever answered may be another.
    #[error("the tool {tool} {drift}")]
    CapabilityDrift {
        /// The tool.
        tool: ToolName,
        /// What differs.
        drift: CapabilityDrift,
    },
    /// The output is not strict JSON, or over a bound.
    #[error("the output is not read")]
    Json(#[from] JsonError),
}

/// What came of observing an output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observed {
    /// Values that are trusted from here on, and were not before.
    pub noted: usize,
    /// Values at trusted places that are not trusted: the task knows 1024 already, or they are no names but longer than
    /// 256 bytes, empty, of several lines or with invisible characters.
    pub left_out: usize,
}

/// The values that are trusted, by source. Nothing is ever taken out.
#[derive(Debug, Default)]
pub(super) struct Noted {
    values: BTreeMap<Source, BTreeSet<Target>>,
    count: usize,
}

/// What stands at the places of an output that are sources.
#[derive(Debug)]
pub(crate) struct Finds {
    /// No more than a task can know.
    values: BTreeMap<Source, BTreeSet<Target>>,
    count: usize,
    left_out: usize,
}

impl Finds {
    /// Reads an output.
    pub(crate) fn read<'s>(output: &str, sources: impl Iterator<Item = &'s Source>) -> Result<Self, JsonError> {
        let mut finds = Self { values: BTreeMap::new(), count: 0, left_out: 0 };
        let mut sources = sources.peekable();
        // Of a tool that nobody trusts nothing is read.
        if sources.peek().is_none() {
            return Ok(finds);
        }
        let json = json::parse(output, LIMITS)?;
        for source in sources {
            let mut values = BTreeSet::new();
            source.pointer().visit(&json, &mut |found| match found {
                Json::Text(text) => finds.take(&mut values, is_name(text).then(|| Target::Text(text.clone()))),
                Json::Number(text) => finds.take(&mut values, text.parse().ok().map(Target::Number)),
                Json::Null | Json::Bool(_) | Json::List(_) | Json::Record(_) => {}
            });
            finds.values.insert(source.clone(), values);
        }
        Ok(finds)
    }

    /// Takes what one source gave, where it can be a target and there is room.
    fn take(&mut self, values: &mut BTreeSet<Target>, found: Option<Target>) {
        match found {
            Some(target) if values.contains(&target) => {}
            Some(target) if self.count < MAX_VALUES => {
                values.insert(target);
                self.count += 1;
            }
            _ => self.left_out += 1,
        }
    }
}

/// Whether a text can be the name of something, and is not prose.
fn is_name(text: &str) -> bool {
    (1..=MAX_TEXT).contains(&text.len()) && !text.contains(is_invisible)
}

impl Noted {
    /// Trusts what was found, as far as there is room.
    pub(super) fn add(&mut self, finds: Finds) -> Observed {
        let mut observed = Observed { noted: 0, left_out: finds.left_out };
        let found = finds
            .values
            .into_iter()
            .flat_map(|(source, values)| values.into_iter().map(move |value| (source.clone(), value)));
        for (source, value) in found {
            let known = self.values.entry(source).or_default();
            if known.contains(&value) {
                continue;
            }
            if self.count >= MAX_VALUES {
                observed.left_out += 1;
                continue;
            }
            known.insert(value);
            self.count += 1;
            observed.noted += 1;
        }
        observed
    }

    /// Whether one of the sources gave this value.
    pub(super) fn has(&self, sources: &[Source], value: &Value) -> bool {
        let is_among = |values: &BTreeSet<Target>| Target::of(value).is_some_and(|target| values.contains(&target));
        sources.iter().filter_map(|source| self.values.get(source)).any(is_among)
    }
}

/// The arguments of a step that sources vouch for: each has a value, or items, that its bound does not name, and that one of
/// the sources of the bound gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved(Vec<ArgumentName>);

impl Resolved {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// These arguments: for tests, and to decide again.
    pub fn of(arguments: impl IntoIterator<Item = ArgumentName>) -> Self {
        Self(arguments.into_iter().collect())
    }

    /// Whether the argument is one of them.
    pub fn contains(&self, argument: &str) -> bool {
        self.0.iter().any(|own| own.as_str() == argument)
    }

    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &ArgumentName> {
        self.0.iter()
    }
}

impl Serialize for Resolved {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

/// Where an argument's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "who names a value is the human, what they trust, or somebody else")]
pub enum Provenance {
    /// The human's scope names it: it is one of the values, or under one of the prefixes, of the argument's bound. In a part,
    /// that is the scope of the first task: what the agent that delegated named is no human's word.
    Scope,
    /// A source that this scope trusts for this argument gave it.
    Trusted,
    /// Anybody may have written it.
    Untrusted,
}

impl Provenance {
    /// The name in policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Trusted => "trusted",
            Self::Untrusted => "untrusted",
        }
    }
}
