//! One declared argument of a tool: its name, its type, and what its values keep to.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Constraints, Value};
use crate::id::{made_of, text};
use crate::strict::{present_object, unique_objects, word};

text! {
    /// The name of one argument of a tool.
    ArgumentName, "argument name", "1 to 64 characters of A-Z, a-z, 0-9, `_`, `.` and `-`",
    |text| made_of(text, 64, |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// The type of one argument, as policies see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ArgumentType {
    /// A truth value; Cedar `Bool`.
    Bool,
    /// A 64-bit integer; Cedar `Long`.
    Integer,
    /// A number of at most four fractional digits; Cedar `decimal`.
    Number,
    /// A text; Cedar `String`.
    Text,
    /// An array of texts; Cedar `Set<String>`.
    Texts,
    /// An array of integers; Cedar `Set<Long>`.
    Integers,
    /// The path of a file ([`Path`](super::Path)); Cedar `String`.
    Path,
    /// A URL of the web ([`Url`](super::Url)); Cedar `{text: String, scheme: String, host: String, port: Long, path: String,
    /// private: Bool}`.
    Url,
    /// An e-mail address ([`Email`](super::Email)); Cedar `{text: String, local: String, domain: String}`.
    Email,
    /// An amount of money ([`Money`](super::Money)); Cedar `{amount: decimal, currency: String}`.
    Money,
    /// A program and its arguments ([`Command`](super::Command)); Cedar `{program: String, argv: Set<String>}`.
    Command,
    /// Anything else: counts in the digest, keeps to its [`Constraints`], and no policy can name it.
    Opaque,
}

impl ArgumentType {
    pub(crate) fn admits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Opaque, _) | (Self::Bool, Value::Bool(_)) | (Self::Text, Value::Text(_)) => true,
            (Self::Integer, Value::Number(number)) => number.as_integer().is_some(),
            (Self::Number, Value::Number(number)) => number.is_decimal(),
            (Self::Texts, Value::List(items)) => items.iter().all(|item| Self::Text.admits(item)),
            (Self::Integers, Value::List(items)) => items.iter().all(|item| Self::Integer.admits(item)),
            (Self::Path | Self::Url | Self::Email | Self::Money | Self::Command, _) => {
                self.check_spelling(value).is_ok()
            }
            _ => false,
        }
    }

    /// What a value of this type is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bool => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a number of at most 922337203685477.5807",
            Self::Text => "a text",
            Self::Texts => "a list of texts",
            Self::Integers => "a list of integers",
            Self::Path => "a path",
            Self::Url => "a URL",
            Self::Email => "an e-mail address",
            Self::Money => "an amount of money",
            Self::Command => "a command",
            Self::Opaque => "anything",
        }
    }
}

/// One declared argument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameter {
    #[serde(rename = "type", deserialize_with = "word")]
    pub(crate) kind: ArgumentType,
    /// Every call gives it.
    #[serde(default)]
    pub(crate) required: bool,
    /// A call may give `null`.
    #[serde(default)]
    pub(crate) nullable: bool,
    /// What its values keep to besides, except `null` where that is allowed.
    #[serde(default, deserialize_with = "present_object", skip_serializing_if = "Option::is_none")]
    pub(crate) constraints: Option<Box<Constraints>>,
}

impl Parameter {
    /// Whether the value is of the type, and nothing else is asked of it.
    pub(super) fn plainly_admits(&self, value: &Value) -> bool {
        self.constraints.is_none() && self.kind.admits(value)
    }

    /// Whether policies always see it.
    pub(crate) fn is_certain(&self) -> bool {
        self.required && !self.nullable
    }
}

/// The declared arguments of one tool, each once, by name: side by side, for every decision walks them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parameters(Vec<(ArgumentName, Parameter)>);

impl Parameters {
    /// Puts one in its place; no second one of the same name.
    pub(super) fn insert(&mut self, name: ArgumentName, parameter: Parameter) -> Result<(), ArgumentName> {
        match self.place(name.as_str()) {
            Ok(_) => Err(name),
            Err(place) => {
                self.0.insert(place, (name, parameter));
                Ok(())
            }
        }
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Parameter> {
        let place = self.place(name).ok()?;
        self.0.get_mut(place).map(|(_, parameter)| parameter)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.place(name).is_ok()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ArgumentName, &Parameter)> {
        self.0.iter().map(|(name, parameter)| (name, parameter))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(own, _)| own.as_str().cmp(name))
    }
}

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let named: BTreeMap<ArgumentName, Parameter> = unique_objects(deserializer)?;
        Ok(Self(named.into_iter().collect()))
    }
}
