//! Strict JSON (RFC 8259, I-JSON): duplicate members refused at every depth, size and depth bounded before
//! anything is built, numbers kept as they were written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use crate::id::Found;

/// JSON text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The text is longer than the bound.
    #[error("the text has {bytes} bytes, at most {max} are read")]
    TooLong {
        /// The text's length in bytes.
        bytes: usize,
        /// The bound in bytes.
        max: usize,
    },
    /// Arrays and objects are nested deeper than the bound.
    #[error("the text is nested deeper than {max} levels")]
    TooDeep {
        /// The bound in levels.
        max: usize,
    },
    /// An object names a member twice.
    #[error("an object names the member {member} twice")]
    Duplicate {
        /// The member's name.
        member: Found,
    },
    /// The text is not JSON.
    #[error("the text is not JSON: error at line {line}, column {column}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
}

/// How much is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    pub(crate) depth: usize,
}

/// A JSON value; numbers are the text that stood there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Record(BTreeMap<String, Json>),
}

/// Reads one JSON text.
pub(crate) fn parse(text: &str, limits: Limits) -> Result<Json, JsonError> {
    if text.len() > limits.bytes {
        return Err(JsonError::TooLong { bytes: text.len(), max: limits.bytes });
    }
    if depth(text) > limits.depth {
        return Err(JsonError::TooDeep { max: limits.depth });
    }
    let whole = serde_json::from_str::<&RawValue>(text).map_err(|error| syntax(&error, text, text))?;
    value(whole, text)
}

/// The deepest nesting of brackets outside strings.
fn depth(text: &str) -> usize {
    let (mut deepest, mut depth, mut quoted, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth = depth.saturating_add(1);
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Whether a text is strict JSON that [`parse`] would take, without building anything.
pub(crate) fn is_strict(text: &str, limits: Limits) -> bool {
    let mut reader = serde_json::Deserializer::from_str(text);
    text.len() <= limits.bytes && Strict(limits.depth).deserialize(&mut reader).is_ok() && reader.end().is_ok()
}

/// Looks at one value, of at most this depth, in which nothing is named twice.
#[derive(Clone, Copy)]
pub(crate) struct Strict(pub(crate) usize);

impl Strict {
    fn within<E: Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("strict JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let within = self.within()?;
        let mut names: SmallVec<[Name<'de>; 24]> = SmallVec::new();
        while let Some(name) = map.next_key::<Name<'de>>()? {
            names.push(name);
            map.next_value_seed(within)?;
        }
        names.sort_unstable();
        match names.windows(2).any(|pair| pair.first() == pair.last()) {
            true => Err(A::Error::custom("a name twice")),
            false => Ok(()),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let within = self.within()?;
        while seq.next_element_seed(within)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A member's name, where it stood unless it is written with escapes.
#[derive(PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Name<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Where in `text` an error is that was found in its part `part`.
fn syntax(error: &serde_json::Error, part: &str, text: &str) -> JsonError {
    let before = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    let before = text.get(..before).unwrap_or_default();
    let (lines, last) = (before.matches('\n').count(), before.rsplit('\n').next().unwrap_or_default());
    let column = if error.line() == 1 { last.len() + error.column() } else { error.column() };
    JsonError::Syntax { line: lines + error.line(), column }
}

/// `serde_json` does the lexing; each value is handed over as the text it stood in.
fn value(raw: &RawValue, text: &str) -> Result<Json, JsonError> {
    let part = raw.get();
    let syntax = |error: serde_json::Error| syntax(&error, part, text);
    match part.bytes().next() {
        Some(b'{') => {
            let members = serde_json::from_str::<Members<'_>>(part).map_err(syntax)?.0;
            let mut record = BTreeMap::new();
            for (name, member) in members {
                match record.entry(name) {
                    Entry::Occupied(first) => return Err(JsonError::Duplicate { member: Found::new(first.key()) }),
                    Entry::Vacant(place) => place.insert(value(member, text)?),
                };
            }
            Ok(Json::Record(record))
        }
        Some(b'[') => {
            let items = serde_json::from_str::<Items<'_>>(part).map_err(syntax)?.0;
            items.into_iter().map(|item| value(item, text)).collect::<Result<_, _>>().map(Json::List)
        }
        Some(b'"') => serde_json::from_str(part).map(Json::Text).map_err(syntax),
        Some(b'n') => Ok(Json::Null),
        Some(b't') => Ok(Json::Bool(true)),
        Some(b'f') => Ok(Json::Bool(false)),
        _ => Ok(Json::Number(part.to_owned())),
    }
}

/// An object's members in order, duplicates included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// An array's items.
struct Items<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Items<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Items<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Items(items))
            }
        }
        deserializer.deserialize_seq(Collect)
    }
}
