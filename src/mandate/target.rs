//! A target: a scalar value that a bound names.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{Number, Value};
use crate::strict::object;

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
    pub(super) fn cmp_value(&self, value: &Value) -> Ordering {
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
