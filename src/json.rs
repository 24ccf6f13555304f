//! Strict JSON (RFC 8259, I-JSON): duplicate members refused at every depth, size and depth bounded before
//! anything is built, numbers kept as they were written.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

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
