//! Constraints: what the values of an argument keep to, beyond its type.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::pattern::{Pattern, PatternError};
use super::{ArgumentType, Number, Target, Value};
use crate::strict::{is_false, objects, present, present_object, unique_objects, words};

/// What the values of one argument keep to, in the words of JSON Schema (draft 2020-12, validation).
///
/// Each constraint speaks of values of its own kind and says nothing of others; all of them hold together. Numbers are
/// compared exactly, texts are counted in characters.
///
/// ```
/// use bailiwick::mandate::{ActionClass, Arguments, ArgumentType, Constraints, Tool};
///
/// let send = Tool::new("money.send".parse()?, ActionClass::ExternalCommitment)
///     .required("amount".parse()?, ArgumentType::Number)?
///     .constrained("amount", Constraints::new().exclusive_minimum(0.into()).maximum("99.50".parse()?))?;
/// assert!(send.check(&Arguments::from_json(r#"{"amount": 12}"#)?).is_ok());
/// assert!(send.check(&Arguments::from_json(r#"{"amount": 99.51}"#)?).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// In JSON they are a strict subset of JSON Schema, `{"minimum": 1, "maximum": "99.50"}`: `type`, `enum` of scalars,
/// `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf`, `minLength`, `maxLength`, `pattern`,
/// `minItems`, `maxItems`, `uniqueItems`, `items`, `properties`, `required`, `additionalProperties` (a schema),
/// `anyOf`, `allOf`, `oneOf`, and `orNull`, with which `null` keeps to everything. A number that is no integer is a
/// string, or `{"number": "99.50"}` among the values of `enum`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Constraints {
    /// None means any.
    #[serde(rename = "type", default, deserialize_with = "words", skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) types: BTreeSet<JsonType>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) or_null: bool,
    /// Scalars.
    #[serde(rename = "enum", default, with = "scalars", skip_serializing_if = "Option::is_none")]
    pub(crate) one_of: Option<BTreeSet<Value>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) minimum: Option<Number>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) maximum: Option<Number>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) exclusive_minimum: Option<Number>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) exclusive_maximum: Option<Number>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) multiple_of: Option<Number>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) min_length: Option<usize>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) max_length: Option<usize>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) pattern: Option<Pattern>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) min_items: Option<usize>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) max_items: Option<usize>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) unique_items: bool,
    #[serde(default, deserialize_with = "present_object", skip_serializing_if = "Option::is_none")]
    pub(crate) items: Option<Box<Constraints>>,
    #[serde(default, deserialize_with = "unique_objects", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) properties: BTreeMap<String, Constraints>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) required: BTreeSet<String>,
    #[serde(default, deserialize_with = "present_object", skip_serializing_if = "Option::is_none")]
    pub(crate) additional_properties: Option<Box<Constraints>>,
    #[serde(default, deserialize_with = "objects", skip_serializing_if = "Vec::is_empty")]
    pub(crate) any_of: Vec<Constraints>,
    #[serde(default, deserialize_with = "objects", skip_serializing_if = "Vec::is_empty")]
    pub(crate) all_of: Vec<Constraints>,
    /// Exactly one; what JSON Schema calls `oneOf`.
    #[serde(rename = "oneOf", default, deserialize_with = "objects", skip_serializing_if = "Vec::is_empty")]
    pub(crate) exactly_one_of: Vec<Constraints>,
}

impl Constraints {
    /// None: every value keeps to them.
    pub fn new() -> Self {
        Self::default()
    }

    /// One of exactly these values (`enum`).
    #[must_use]
    pub fn one_of<T: Into<Target>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        self.one_of = Some(values.into_iter().map(|value| value.into().to_value()).collect());
        self
    }

    /// A number of at least this (`minimum`).
    #[must_use]
    pub fn minimum(mut self, number: Number) -> Self {
        self.minimum = Some(number);
        self
    }

    /// A number of at most this (`maximum`).
    #[must_use]
    pub fn maximum(mut self, number: Number) -> Self {
        self.maximum = Some(number);
        self
    }

    /// A number above this (`exclusiveMinimum`).
    #[must_use]
    pub fn exclusive_minimum(mut self, number: Number) -> Self {
        self.exclusive_minimum = Some(number);
        self
    }

    /// A number below this (`exclusiveMaximum`).
    #[must_use]
    pub fn exclusive_maximum(mut self, number: Number) -> Self {
        self.exclusive_maximum = Some(number);
        self
    }

    /// A number that this divides (`multipleOf`). Zero divides zero only.
    #[must_use]
    pub fn multiple_of(mut self, number: Number) -> Self {
        self.multiple_of = Some(number);
        self
    }

    /// A text of at least so many characters (`minLength`).
    #[must_use]
    pub fn min_length(mut self, characters: usize) -> Self {
        self.min_length = Some(characters);
        self
    }

    /// A text of at most so many characters (`maxLength`).
    #[must_use]
    pub fn max_length(mut self, characters: usize) -> Self {
        self.max_length = Some(characters);
        self
    }

    /// A text with a part that matches this regular expression (`pattern`): in the language of ECMA-262's Unicode mode,
    /// without look-around and references back. A pattern for the whole text begins with `^` and ends with `$`.
    ///
    /// # Errors
    ///
    /// A pattern that is not valid, is not in that language, is longer than 512 bytes, or is larger than 128 KiB when
    /// compiled.
    pub fn pattern(mut self, pattern: &str) -> Result<Self, PatternError> {
        self.pattern = Some(Pattern::new(pattern)?);
        Ok(self)
    }

    /// A list of at least so many items (`minItems`).
    #[must_use]
    pub fn min_items(mut self, items: usize) -> Self {
        self.min_items = Some(items);
        self
    }

    /// A list of at most so many items (`maxItems`).
    #[must_use]
    pub fn max_items(mut self, items: usize) -> Self {
        self.max_items = Some(items);
        self
    }

    /// A list without an item that is in it twice (`uniqueItems`).
    #[must_use]
    pub fn unique_items(mut self) -> Self {
        self.unique_items = true;
        self
    }

    /// A list of which each item keeps to these (`items`).
    #[must_use]
    pub fn items(mut self, items: Self) -> Self {
        self.items = Some(Box::new(items));
        self
    }

    /// What no value keeps to: JSON Schema's `false`.
    pub(crate) fn never() -> Self {
        Self { one_of: Some(BTreeSet::new()), ..Self::default() }
    }

    /// The type that policies can see in every value that keeps to these, except `null`.
    pub(crate) fn argument_type(&self) -> ArgumentType {
        let spoken = if self.types.is_empty() { self.types_of_choices() } else { self.types.clone() };
        let spoken: Vec<JsonType> = spoken.into_iter().filter(|kind| *kind != JsonType::Null).collect();
        match (spoken.as_slice(), &self.items) {
            ([JsonType::Boolean], _) => ArgumentType::Bool,
            ([JsonType::Integer], _) => ArgumentType::Integer,
            ([JsonType::Number] | [JsonType::Integer, JsonType::Number], _) => ArgumentType::Number,
            ([JsonType::String], _) => ArgumentType::Text,
            ([JsonType::Array], Some(items)) if !items.admits_null() => match items.argument_type() {
                ArgumentType::Text => ArgumentType::Texts,
                ArgumentType::Integer => ArgumentType::Integers,
                _ => ArgumentType::Opaque,
            },
            // Where only `null` is spoken of, nothing else is.
            ([], _) if self.types.is_empty() => {
                let mut parts = self.all_of.iter().map(Self::argument_type);
                parts.find(|kind| *kind != ArgumentType::Opaque).unwrap_or(ArgumentType::Opaque)
            }
            _ => ArgumentType::Opaque,
        }
    }

    /// The types of the values that may be chosen.
    fn types_of_choices(&self) -> BTreeSet<JsonType> {
        let choices = self.one_of.iter().flatten();
        choices.filter_map(|value| JsonType::ALL.into_iter().find(|kind| kind.admits(value))).collect()
    }

    /// Whether `null` keeps to these.
    pub(crate) fn admits_null(&self) -> bool {
        self.check(&Value::Null).is_ok()
    }

    /// Without what `kind` says already. `null` is the parameter's own matter.
    pub(crate) fn beyond(mut self, kind: ArgumentType) -> Option<Box<Self>> {
        if kind != ArgumentType::Opaque {
            self.types.clear();
            self.or_null = false;
        }
        if matches!(kind, ArgumentType::Texts | ArgumentType::Integers)
            && let Some(mut items) = self.items.take()
        {
            items.types.clear();
            self.items = (*items != Self::default()).then_some(items);
        }
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// The types of JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JsonType {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl JsonType {
    /// Every type; what is narrower comes first.
    pub(crate) const ALL: [Self; 7] =
        [Self::Null, Self::Boolean, Self::Integer, Self::Number, Self::String, Self::Array, Self::Object];

    /// As JSON Schema calls it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    pub(super) fn admits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Null, Value::Null)
            | (Self::Boolean, Value::Bool(_))
            | (Self::Number, Value::Number(_))
            | (Self::String, Value::Text(_))
            | (Self::Array, Value::List(_))
            | (Self::Object, Value::Record(_)) => true,
            (Self::Integer, Value::Number(number)) => number.as_integer().is_some(),
            _ => false,
        }
    }
}

/// The values of `enum`: a [`Target`] or `null` each.
mod scalars {
    use super::*;

    pub(super) fn serialize<S: Serializer>(values: &Option<BTreeSet<Value>>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().flatten().map(Target::of))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<BTreeSet<Value>>, D::Error> {
        let values = Vec::<Option<Target>>::deserialize(deserializer)?;
        let value = |target: &Option<Target>| target.as_ref().map_or(Value::Null, Target::to_value);
        Ok(Some(values.iter().map(value).collect()))
    }
}
