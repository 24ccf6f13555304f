//! The arguments of an action: strict JSON, exact numbers, one canonical form.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::canonical::{Digest, Encoder};
use crate::id::Found;
use crate::json::{self, Json, JsonError, Limits};

/// The arguments' JSON text has at most 64 KiB and 32 levels.
const LIMITS: Limits = Limits { bytes: 64 * 1024, depth: 32 };

/// A number with at most four fractional digits, exact: an `i64`, or what Cedar's `decimal` can hold.
///
/// ```
/// use bailiwick::mandate::Number;
///
/// let price: Number = "98.7".parse()?;
/// assert_eq!(price, "98.7000".parse()?);
/// assert_eq!(price.as_integer(), None);
/// assert!("0.00001".parse::<Number>().is_err());
/// assert!("1e3".parse::<Number>().is_err());
/// # Ok::<(), bailiwick::mandate::NumberError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    /// In ten-thousandths: every number that is accepted fits.
    units: i128,
}

/// Ten-thousandths in one.
const ONE: i128 = 10_000;

/// A number was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} is not an integer of 64 bits, nor a decimal of at most four fractional digits")]
#[non_exhaustive]
pub struct NumberError {
    /// The number as it was written.
    pub found: Found,
}

impl Number {
    /// The number as an integer, if it is one of 64 bits.
    pub fn as_integer(self) -> Option<i64> {
        match i64::try_from(self.units) {
            // Most are small, and 64 bits are divided in a fraction of the time.
            Ok(units) => (units % 10_000 == 0).then_some(units / 10_000),
            Err(_) if self.units % ONE == 0 => i64::try_from(self.units / ONE).ok(),
            Err(_) => None,
        }
    }

    /// Whether Cedar's `decimal` can hold it: ten-thousandths in 64 bits.
    pub fn is_decimal(self) -> bool {
        self.as_decimal().is_some()
    }

    /// The ten-thousandths, where Cedar's `decimal` can hold them.
    pub(crate) fn as_decimal(self) -> Option<i64> {
        i64::try_from(self.units).ok()
    }

    pub(super) fn checked_add(self, other: Self) -> Option<Self> {
        self.units.checked_add(other.units).map(|units| Self { units })
    }

    pub(super) fn checked_sub(self, other: Self) -> Option<Self> {
        self.units.checked_sub(other.units).map(|units| Self { units })
    }

    /// Whether `other` divides it. Zero divides zero only.
    pub(super) fn is_multiple_of(self, other: Self) -> bool {
        if other.units == 0 { self.units == 0 } else { self.units % other.units == 0 }
    }

    /// With a point and at least one fractional digit, as Cedar writes a `decimal`.
    pub(crate) fn to_decimal(self) -> String {
        let (sign, units) = (if self.units < 0 { "-" } else { "" }, self.units.unsigned_abs());
        let fraction = format!("{:04}", units % ONE.unsigned_abs());
        let kept = fraction.trim_end_matches('0');
        format!("{sign}{}.{}", units / ONE.unsigned_abs(), if kept.is_empty() { "0" } else { kept })
    }
}

impl From<i64> for Number {
    fn from(integer: i64) -> Self {
        Self { units: i128::from(integer) * ONE }
    }
}

impl FromStr for Number {
    type Err = NumberError;

    /// Reads a JSON number without exponent (RFC 8259, section 6).
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let refuse = || NumberError { found: Found::new(text) };
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let numeric = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if !numeric(whole) || !numeric(fraction) || fraction.len() > 4 || whole.len() > 19 || leading_zero {
            return Err(refuse());
        }
        let whole: i128 = whole.parse().map_err(|_| refuse())?;
        let fraction: i128 = format!("{fraction:0<4}").parse().map_err(|_| refuse())?;
        let units = whole * ONE + fraction;
        let number = Self { units: if text.starts_with('-') { -units } else { units } };
        if number.as_integer().is_none() && !number.is_decimal() {
            return Err(refuse());
        }
        Ok(number)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_decimal();
        f.write_str(text.strip_suffix(".0").unwrap_or(&text))
    }
}

impl serde::Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From an integer, or from text, so that no digit is lost.
impl<'de> serde::Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged, expecting = "an integer, or a number in a string")]
        enum Written {
            Integer(i64),
            Text(String),
        }
        match <Written as serde::Deserialize>::deserialize(deserializer)? {
            Written::Integer(integer) => Ok(integer.into()),
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One argument's value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[allow(clippy::exhaustive_enums, reason = "the kinds of JSON value are closed")]
pub enum Value {
    /// `null`: counts in the digest; policies see an absent argument.
    Null,
    /// A truth value.
    Bool(bool),
    /// An exact number.
    Number(Number),
    /// A text.
    Text(String),
    /// An array; policies see a set.
    List(Vec<Value>),
    /// An object; counts in the digest only.
    Record(BTreeMap<String, Value>),
}

impl Value {
    /// What a value of this kind is called.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(number) if number.as_integer().is_some() => "integer",
            Self::Number(_) => "decimal",
            Self::Text(_) => "text",
            Self::List(_) => "list",
            Self::Record(_) => "object",
        }
    }

    pub(crate) fn from_json(json: Json) -> Result<Self, NumberError> {
        Ok(match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(text) => Self::Number(text.parse()?),
            Json::Text(text) => Self::Text(text),
            Json::List(items) => Self::List(items.into_iter().map(Self::from_json).collect::<Result<_, _>>()?),
            Json::Record(members) => Self::Record(read_members(members)?),
        })
    }

    /// The SHA-256 of its canonical form.
    pub(super) fn digest(&self) -> Digest {
        let mut encoder = Encoder::new("bailiwick/value/v1");
        self.encode(&mut encoder);
        encoder.finish()
    }

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        match self {
            Self::Null => {
                encoder.tag(0);
            }
            Self::Bool(value) => {
                encoder.tag(1).tag(u8::from(*value));
            }
            Self::Number(number) => {
                encoder.tag(2).fixed(&number.units.to_be_bytes());
            }
            Self::Text(text) => {
                encoder.tag(3).text(text);
            }
            Self::List(items) => {
                encoder.tag(4).count(items.len());
                items.iter().for_each(|item| item.encode(encoder));
            }
            Self::Record(members) => {
                encoder.tag(5);
                encode_members(members.iter(), encoder);
            }
        }
    }
}

/// A number, or `null`.
impl From<Option<Number>> for Value {
    fn from(number: Option<Number>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => Found::new(text).fmt(f),
            Self::List(items) => write!(f, "a list of {}", items.len()),
            Self::Record(members) => write!(f, "an object of {}", members.len()),
        }
    }
}

fn read_members<C: FromIterator<(String, Value)>>(members: BTreeMap<String, Json>) -> Result<C, NumberError> {
    members.into_iter().map(|(name, json)| Ok((name, Value::from_json(json)?))).collect()
}

fn encode_members<'m>(members: impl ExactSizeIterator<Item = (&'m String, &'m Value)>, encoder: &mut Encoder) {
    encoder.count(members.len());
    for (name, value) in members {
        encoder.text(name);
        value.encode(encoder);
    }
}

/// Arguments were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentsError {
    /// The text is not strict JSON, or is over a bound.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A number is not exact.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// The text is not an object.
    #[error("arguments must be an object, found {found}")]
    NotAnObject {
        /// What the text is.
        found: &'static str,
    },
}

/// The arguments of one action, read once and never changed.
///
/// ```
/// use bailiwick::mandate::Arguments;
///
/// let args = Arguments::from_json(r#"{"recipient": "GB29NWBK60161331926819", "amount": 98.7}"#)?;
/// let same = Arguments::from_json(r#"{"amount": 98.70, "recipient": "GB29NWBK60161331926819"}"#)?;
/// assert_eq!(args.digest(), same.digest());
/// assert!(Arguments::from_json(r#"{"amount": 1, "amount": 1000}"#).is_err());
/// # Ok::<(), bailiwick::mandate::ArgumentsError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Arguments {
    /// By name.
    members: Box<[(String, Value)]>,
    digest: Digest,
}

/// Names and kinds only: values are not for logs.
impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (Found::new(name), value.kind()))).finish()
    }
}

impl Arguments {
    /// No arguments.
    pub fn none() -> Self {
        Self::of(Box::default())
    }

    /// Reads a JSON object.
    ///
    /// # Errors
    ///
    /// Text over 64 KiB or 32 levels, a member named twice at any depth, a number that is neither an `i64` nor a
    /// decimal of at most four fractional digits, or anything but an object.
    pub fn from_json(text: &str) -> Result<Self, ArgumentsError> {
        match json::parse(text, LIMITS)? {
            Json::Record(members) => Ok(Self::of(read_members(members)?)),
            other => Err(ArgumentsError::NotAnObject { found: Value::from_json(other)?.kind() }),
        }
    }

    /// `members` are in order.
    fn of(members: Box<[(String, Value)]>) -> Self {
        let mut encoder = Encoder::new("bailiwick/arguments/v1");
        encode_members(members.iter().map(|(name, value)| (name, value)), &mut encoder);
        Self { members, digest: encoder.finish() }
    }

    /// The value of one argument.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let place = self.members.binary_search_by(|(own, _)| own.as_str().cmp(name)).ok()?;
        self.members.get(place).map(|(_, value)| value)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Every argument, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.members.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The SHA-256 of the canonical form. Where it leaves the process it is keyed with the task's salt.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}
