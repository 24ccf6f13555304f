//! Bounds on a schema that a host brings, checked before Cedar does what grows faster than the text.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::SchemaError;

const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Types within types, as they are written.
const MAX_NESTING: usize = 32;
/// Cedar's time for a chain of entity types grows with the square of its length.
const MAX_DECLARATIONS: usize = 10_000;
/// Types with everything in them that they name, in all: each name that is used twice doubles what is behind it.
const MAX_PARTS: usize = 1_000_000;
/// Names that stand for names.
const MAX_NAMES: usize = 64;

/// Checks what can be seen in the text.
pub(super) fn check(text: &str) -> Result<(), SchemaError> {
    within("bytes", text.len(), MAX_BYTES)?;
    let (mut depth, mut declarations) = (0_usize, 0);
    let (mut quoted, mut comment) = (false, false);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\n' | b'\r' => comment = false,
            _ if comment => {}
            b'\\' if quoted => {
                bytes.next();
            }
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'/' if bytes.peek() == Some(&b'/') => comment = true,
            b'{' | b'[' | b'(' | b'<' => {
                depth += 1;
                within("levels of brackets", depth, MAX_NESTING)?;
            }
            b'}' | b']' | b')' | b'>' => depth = depth.saturating_sub(1),
            b';' => {
                declarations += 1;
                within("declarations", declarations, MAX_DECLARATIONS)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks how much its types hold when every name is written out.
pub(super) fn check_types(schema: &Value) -> Result<(), SchemaError> {
    let spaces = || schema.as_object().into_iter().flat_map(Map::values);
    let common = spaces().filter_map(|space| space.get("commonTypes")?.as_object()).flatten();
    // Which of two namespaces a name means is Cedar's matter: here it means all of them.
    let mut named: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    common.for_each(|(name, kind)| named.entry(name).or_default().push(kind));
    let mut parts = Parts { named, known: BTreeMap::new() };
    let declared = spaces().flat_map(|space| ["commonTypes", "entityTypes", "actions"].map(|what| space.get(what)));
    declared.flatten().try_fold(0_usize, |sum, declared| {
        let sum = sum.saturating_add(parts.of(declared, 0)?);
        within("parts of types", sum, MAX_PARTS).map(|()| sum)
    })?;
    Ok(())
}

struct Parts<'a> {
    named: BTreeMap<&'a str, Vec<&'a Value>>,
    known: BTreeMap<&'a str, usize>,
}

impl<'a> Parts<'a> {
    fn of(&mut self, json: &'a Value, names: usize) -> Result<usize, SchemaError> {
        match json {
            Value::Object(members) => self.sum(members.values(), names),
            Value::Array(items) => self.sum(items.iter(), names),
            Value::String(name) => self.behind(name.rsplit("::").next().unwrap_or(name), names),
            _ => Ok(1),
        }
    }

    fn sum(&mut self, mut parts: impl Iterator<Item = &'a Value>, names: usize) -> Result<usize, SchemaError> {
        parts.try_fold(1_usize, |sum, part| {
            let sum = sum.saturating_add(self.of(part, names)?);
            within("parts of types", sum, MAX_PARTS).map(|()| sum)
        })
    }

    /// What is behind a name, if it is one of a type.
    fn behind(&mut self, name: &'a str, names: usize) -> Result<usize, SchemaError> {
        if let Some(known) = self.known.get(name) {
            return Ok(*known);
        }
        within("names of types behind a name", names, MAX_NAMES)?;
        let kinds = self.named.get(name).cloned().unwrap_or_default();
        let parts =
            kinds.into_iter().try_fold(1_usize, |sum, kind| Ok(sum.saturating_add(self.of(kind, names + 1)?)))?;
        self.known.insert(name, parts);
        Ok(parts)
    }
}

fn within(what: &'static str, found: usize, max: usize) -> Result<(), SchemaError> {
    if found > max { Err(SchemaError::TooLarge { what, found, max }) } else { Ok(()) }
}
