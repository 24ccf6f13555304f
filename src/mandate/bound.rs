//! A bound: which values one argument may have.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Number, Value};
use crate::canonical::Encoder;
use crate::strict::{is_false, object, present, word};

/// Which values one argument may have. An array is within a bound if each of its items is; an
/// empty one is like none.
///
/// In JSON: `{"one_of": ["a", 7]}`, `{"at_most": "12.00"}`, `{"at_least": 1, "at_most": 5}`, each also with
/// `"or_absent": true`, or just `"absent"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenBound", into = "WrittenBound")]
pub struct Bound {
    /// In order, each once.
    one_of: Option<Box<[Target]>>,
    at_least: Option<Number>,
    at_most: Option<Number>,
    or_absent: bool,
}

impl Bound {
    /// Any value, or none.
    pub(super) fn anything() -> Self {
        Self { one_of: None, at_least: None, at_most: None, or_absent: true }
    }

    /// One of exactly these values.
    pub fn one_of<T: Into<Target>>(targets: impl IntoIterator<Item = T>) -> Self {
        let targets: BTreeSet<Target> = targets.into_iter().map(Into::into).collect();
        Self { one_of: Some(targets.into_iter().collect()), or_absent: false, ..Self::anything() }
    }

    /// A number from zero to this one: who writes a limit does not mean a negative amount.
    pub fn at_most(limit: Number) -> Self {
        Self::between(Number::from(0), limit)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(low: Number, high: Number) -> Self {
        Self { at_least: Some(low), at_most: Some(high), or_absent: false, ..Self::anything() }
    }

    /// Not given at all, or `null`.
    pub fn absent() -> Self {
        Self { one_of: Some(Box::default()), ..Self::anything() }
    }

    /// Exactly this value, or none where there is none; of a list, each of its items. `None` for what no bound can name.
    pub(super) fn exactly(value: Option<&Value>) -> Option<Self> {
        match value {
            None | Some(Value::Null) => Some(Self::absent()),
            Some(Value::List(items)) if items.is_empty() => Some(Self::absent()),
            Some(Value::List(items)) => items.iter().map(Target::of).collect::<Option<Vec<_>>>().map(Self::one_of),
            Some(value) => Target::of(value).map(|target| Self::one_of([target])),
        }
    }

    /// As before, or not given at all.
    #[must_use]
    pub fn or_absent(mut self) -> Self {
        self.or_absent = true;
        self
    }

    pub(super) fn admits(&self, value: Option<&Value>) -> bool {
        match value {
            None | Some(Value::Null) => self.or_absent,
            Some(Value::List(items)) if items.is_empty() => self.or_absent,
            Some(Value::List(items)) => items.iter().all(|item| self.admits_one(item)),
            Some(value) => self.admits_one(value),
        }
    }

    fn admits_one(&self, value: &Value) -> bool {
        let is_among = |targets: &[Target]| targets.binary_search_by(|target| target.cmp_value(value)).is_ok();
        let named = self.one_of.as_deref().is_none_or(is_among);
        named && (!self.is_range() || matches!(value, Value::Number(number) if self.in_range(*number)))
    }

    fn is_range(&self) -> bool {
        self.at_least.is_some() || self.at_most.is_some()
    }

    fn in_range(&self, number: Number) -> bool {
        self.at_least.is_none_or(|low| low <= number) && self.at_most.is_none_or(|high| number <= high)
    }

    /// Whether every value that this bound admits is admitted by `wider`.
    pub(super) fn is_subset(&self, wider: &Self) -> bool {
        let values = match &self.one_of {
            Some(targets) => {
                let mut values = targets.iter().map(Target::to_value).filter(|value| self.admits_one(value));
                values.all(|value| wider.admits_one(&value))
            }
            None => {
                let above = |wide| self.at_least.is_some_and(|narrow| narrow >= wide);
                let below = |wide| self.at_most.is_some_and(|narrow| narrow <= wide);
                wider.one_of.is_none() && wider.at_least.is_none_or(above) && wider.at_most.is_none_or(below)
            }
        };
        values && (wider.or_absent || !self.or_absent)
    }

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        encoder.tag(u8::from(self.one_of.is_some())).count(self.one_of.as_deref().map_or(0, <[Target]>::len));
        self.one_of.iter().flatten().for_each(|target| target.to_value().encode(encoder));
        for limit in [self.at_least, self.at_most] {
            Value::from(limit).encode(encoder);
        }
        encoder.tag(u8::from(self.or_absent));
    }
}

/// The JSON of a [`Bound`]. Members in lexical order, so that what is written is canonical JSON (RFC 8785).
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "\"absent\", or an object with `one_of`, `at_least`, `at_most` and `or_absent` only")]
enum WrittenBound {
    Word(#[serde(deserialize_with = "word")] Word),
    Parts(#[serde(deserialize_with = "object")] Parts),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Absent,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    at_least: Option<Number>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    at_most: Option<Number>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    one_of: Option<BTreeSet<Target>>,
    #[serde(default, skip_serializing_if = "is_false")]
    or_absent: bool,
}

impl TryFrom<WrittenBound> for Bound {
    type Error = &'static str;
    fn try_from(written: WrittenBound) -> Result<Self, Self::Error> {
        let WrittenBound::Parts(Parts { one_of, at_least, at_most, or_absent }) = written else {
            return Ok(Self::absent());
        };
        let one_of = one_of.map(|targets| targets.into_iter().collect());
        let at_least = at_least.or(at_most.map(|_| Number::from(0)));
        let bound = Self { one_of, at_least, at_most, or_absent };
        if bound.one_of.is_none() && !bound.is_range() {
            return Err("a bound has `one_of`, `at_least` or `at_most`");
        }
        Ok(bound)
    }
}

impl From<Bound> for WrittenBound {
    fn from(bound: Bound) -> Self {
        if bound == Bound::absent() {
            return Self::Word(Word::Absent);
        }
        let Bound { one_of, at_least, at_most, or_absent } = bound;
        let one_of = one_of.map(|targets| targets.into_iter().collect());
        Self::Parts(Parts { one_of, at_least, at_most, or_absent })
    }
}

/// A value that a bound names.
///
/// In JSON: a string, an integer, `true` or `false`, or `{"number": "98.7"}` for other numbers, so that none is
/// rounded on the way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
#[allow(clippy::exhaustive_enums, reason = "the kinds of scalar JSON value are closed")]
pub enum Target {
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
}

impl Target {
    /// Where a value stands in the order of targets; what can be no target is behind them all.
    fn cmp_value(&self, value: &Value) -> Ordering {
        match (self, value) {
            (Self::Bool(target), Value::Bool(value)) => target.cmp(value),
            (Self::Number(target), Value::Number(value)) => target.cmp(value),
            (Self::Text(target), Value::Text(value)) => target.cmp(value),
            (Self::Number(_) | Self::Text(_), Value::Bool(_)) | (Self::Text(_), Value::Number(_)) => Ordering::Greater,
            _ => Ordering::Less,
        }
    }

    /// The value as a target, if it is a scalar.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Number(number) => Some(Self::Number(*number)),
            Value::Text(text) => Some(Self::Text(text.clone())),
            Value::Null | Value::List(_) | Value::Record(_) => None,
        }
    }

    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => Value::Number(*number),
            Self::Text(text) => Value::Text(text.clone()),
        }
    }
}

impl From<&str> for Target {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Number> for Target {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Target {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// The JSON of a [`Target`].
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "a string, an integer, a boolean or {\"number\": \"98.7\"}")]
enum Written {
    Bool(bool),
    Integer(i64),
    Text(String),
    Decimal(#[serde(deserialize_with = "object")] Decimal),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decimal {
    number: Number,
}

impl From<Written> for Target {
    fn from(written: Written) -> Self {
        match written {
            Written::Bool(value) => Self::Bool(value),
            Written::Integer(integer) => Self::Number(integer.into()),
            Written::Text(text) => Self::Text(text),
            Written::Decimal(Decimal { number }) => Self::Number(number),
        }
    }
}

impl From<Target> for Written {
    fn from(target: Target) -> Self {
        match target {
            Target::Bool(value) => Self::Bool(value),
            Target::Number(number) => number.as_integer().map_or(Self::Decimal(Decimal { number }), Self::Integer),
            Target::Text(text) => Self::Text(text),
        }
    }
}
