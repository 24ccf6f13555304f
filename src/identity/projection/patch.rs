//! What a service provider says that it changed of a record: SCIM messages, read strictly (RFC 7644, section 3.5).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::scim::{AGENT, ENTERPRISE, PATCH, USER};
use crate::id::{Found, made_of};
use crate::json::{Json, JsonError, Limits, parse};

/// What is read: bytes, and levels of nesting.
const LIMITS: Limits = Limits { bytes: 64 * 1024, depth: 16 };
/// Operations of one message at most.
const MAX_OPERATIONS: usize = 100;
/// Characters of one path at most.
const MAX_PATH: usize = 512;

/// A SCIM message was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScimError {
    /// It is not JSON, or too much of it.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A part of it is not what it must be.
    #[error("{part} must be {want}")]
    Shape {
        /// Which part.
        part: &'static str,
        /// What was wanted.
        want: &'static str,
    },
    /// It has a member that there is not.
    #[error("{part} has no member {member}")]
    Undeclared {
        /// Which part.
        part: &'static str,
        /// The member.
        member: Found,
    },
    /// An operation is none that there is.
    #[error("an operation is `add`, `remove` or `replace`, found {0}")]
    Operation(Found),
    /// A path, or the name of an attribute, is none.
    #[error("{0} is not the path of an attribute")]
    Path(Found),
    /// One operation says two things of one attribute.
    #[error("{0} is named twice")]
    Twice(Found),
}

/// What was done to an attribute, or to the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ScimOp {
    /// A value was added.
    Add,
    /// A value was replaced.
    Replace,
    /// A value was removed, or left out of the whole.
    Remove,
    /// The record was deleted.
    Delete,
}

/// One attribute that was said to change.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) op: ScimOp,
    pub(super) at: Attribute,
    /// What it is then; nothing where it was removed.
    pub(super) to: Option<Json>,
}

/// Whose attribute it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Schema {
    User,
    Enterprise,
    Agent,
    Other,
}

/// Names an attribute. Names are compared without regard to case (RFC 7643, section 2.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Attribute {
    pub(super) schema: Schema,
    /// In lower case. Nothing, where all of a schema is meant.
    pub(super) name: String,
    /// In lower case.
    pub(super) sub: Option<String>,
    /// Only some of its values are meant.
    pub(super) filtered: bool,
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.filtered {
            f.write_str("[…]")?;
        }
        self.sub.as_ref().map_or(Ok(()), |sub| write!(f, ".{sub}"))
    }
}

/// Reads the changes of a PATCH (RFC 7644, section 3.5.2).
pub(super) fn read_patch(text: &str) -> Result<Vec<Change>, ScimError> {
    const WHOLE: &str = "a change";
    let mut message = record(parse(text, LIMITS)?, WHOLE)?;
    let schemas = message.remove("schemas");
    if !matches!(&schemas, Some(Json::List(named)) if matches!(named.as_slice(), [Json::Text(one)] if one == PATCH)) {
        return Err(ScimError::Shape { part: "`schemas`", want: "a list of the schema of changes alone" });
    }
    let operations = match message.remove("Operations") {
        Some(Json::List(operations)) if (1..=MAX_OPERATIONS).contains(&operations.len()) => operations,
        _ => return Err(ScimError::Shape { part: "`Operations`", want: "a list of 1 to 100 operations" }),
    };
    nothing_else(&message, WHOLE)?;
    let mut changes = Vec::new();
    for operation in operations {
        read_operation(operation, &mut changes)?;
    }
    Ok(changes)
}

/// Reads a whole record, as replacing what there was (RFC 7644, section 3.5.1).
pub(super) fn read_record(text: &str) -> Result<Vec<Change>, ScimError> {
    const WHOLE: &str = "a record";
    let members = record(parse(text, LIMITS)?, WHOLE)?;
    let is_user = |schema: &Json| matches!(schema, Json::Text(schema) if schema.eq_ignore_ascii_case(USER));
    if !matches!(members.get("schemas"), Some(Json::List(schemas)) if schemas.iter().any(is_user)) {
        return Err(ScimError::Shape { part: "`schemas`", want: "a list with the schema of users" });
    }
    let mut changes = Vec::new();
    spread(Schema::User, members, ScimOp::Replace, &mut Spread { seen: BTreeSet::new(), changes: &mut changes })?;
    Ok(changes)
}

fn read_operation(operation: Json, changes: &mut Vec<Change>) -> Result<(), ScimError> {
    const WHOLE: &str = "an operation";
    let mut members = record(operation, WHOLE)?;
    let op = match members.remove("op") {
        Some(Json::Text(op)) => match op.to_ascii_lowercase().as_str() {
            "add" => ScimOp::Add,
            "replace" => ScimOp::Replace,
            "remove" => ScimOp::Remove,
            _ => return Err(ScimError::Operation(Found::new(&op))),
        },
        _ => return Err(ScimError::Shape { part: "`op`", want: "a text" }),
    };
    let at = match members.remove("path") {
        None => None,
        Some(Json::Text(path)) => Some(attribute(&path)?),
        Some(_) => return Err(ScimError::Shape { part: "`path`", want: "a text" }),
    };
    let value = members.remove("value");
    nothing_else(&members, WHOLE)?;
    let mut spreading = Spread { seen: BTreeSet::new(), changes };
    match (op, at, value) {
        // Some say which values are removed beside the path, and not in it.
        (ScimOp::Remove, Some(at), value) => {
            let filtered = at.filtered || value.is_some();
            changes.push(Change { op, at: Attribute { filtered, ..at }, to: None });
            Ok(())
        }
        (ScimOp::Remove, None, _) => Err(ScimError::Shape { part: "what is removed", want: "named by `path`" }),
        (_, _, None) => Err(ScimError::Shape { part: "what is added or replaced", want: "given as `value`" }),
        (_, None, Some(value)) => {
            spread(Schema::User, record(value, "a `value` without a `path`")?, op, &mut spreading)
        }
        (_, Some(at), Some(value)) => spreading.put(at, value, op),
    }
}

/// The changes of one operation, and the attributes that it named so far.
struct Spread<'c> {
    seen: BTreeSet<Attribute>,
    changes: &'c mut Vec<Change>,
}

impl Spread<'_> {
    fn put(&mut self, at: Attribute, value: Json, op: ScimOp) -> Result<(), ScimError> {
        if at.name.is_empty() {
            return spread(at.schema, record(value, "all of a schema")?, op, self);
        }
        if !self.seen.insert(at.clone()) {
            return Err(ScimError::Twice(Found::new(&at.to_string())));
        }
        self.changes.push(Change { op, at, to: Some(value) });
        Ok(())
    }
}

/// Every member as a change of its own. A member's name may be a path of its own: there are systems that write it so.
fn spread(
    schema: Schema,
    members: BTreeMap<String, Json>,
    op: ScimOp,
    spreading: &mut Spread<'_>,
) -> Result<(), ScimError> {
    for (name, value) in members {
        let at = attribute(&name)?;
        // Within another schema its own attributes are named shortly, and there are no schemas.
        let at = match schema {
            Schema::User => at,
            _ if is_urn(&name) => return Err(ScimError::Path(Found::new(&name))),
            _ => Attribute { schema, ..at },
        };
        spreading.put(at, value, op)?;
    }
    Ok(())
}

/// Reads the path of an attribute (RFC 7644, section 3.5.2, figure 7).
fn attribute(path: &str) -> Result<Attribute, ScimError> {
    let wrong = || ScimError::Path(Found::new(path));
    if !made_of(path, MAX_PATH, |b| b.is_ascii_graphic() || b == b' ') {
        return Err(wrong());
    }
    let whole = |schema, name: &str| Attribute { schema, name: name.to_owned(), sub: None, filtered: false };
    if !is_urn(path) {
        return of_schema(Schema::User, path).ok_or_else(wrong);
    }
    for (schema, urn) in [(Schema::User, USER), (Schema::Enterprise, ENTERPRISE), (Schema::Agent, AGENT)] {
        let Some((start, rest)) = path.split_at_checked(urn.len()) else {
            continue;
        };
        if !start.eq_ignore_ascii_case(urn) {
            continue;
        }
        if rest.is_empty() {
            return Ok(whole(schema, ""));
        }
        if let Some(rest) = rest.strip_prefix(':') {
            return of_schema(schema, rest).ok_or_else(wrong);
        }
    }
    let named = made_of(path, MAX_PATH, |b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\'));
    if named { Ok(whole(Schema::Other, &path.to_ascii_lowercase())) } else { Err(wrong()) }
}

/// A name, perhaps which of its values, perhaps a part of it.
fn of_schema(schema: Schema, path: &str) -> Option<Attribute> {
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (name, rest) = path.split_at_checked(end)?;
    let (filtered, rest) = match rest.strip_prefix('[') {
        Some(rest) => (true, after_filter(rest)?),
        None => (false, rest),
    };
    let sub = match rest.strip_prefix('.') {
        Some(sub) => Some(sub),
        None if rest.is_empty() => None,
        None => return None,
    };
    let named = is_name(name) && sub.is_none_or(|sub| is_name(sub) || sub.eq_ignore_ascii_case("$ref"));
    let sub = sub.map(str::to_ascii_lowercase);
    named.then(|| Attribute { schema, name: name.to_ascii_lowercase(), sub, filtered })
}

/// What follows the bracket that ends a filter. What it says is not read: which values are meant is the other side's
/// matter.
fn after_filter(text: &str) -> Option<&str> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' if !quoted => return None,
            b']' if !quoted => return if at > 0 { text.get(at.saturating_add(1)..) } else { None },
            _ => {}
        }
    }
    None
}

fn is_urn(text: &str) -> bool {
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
}

fn is_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && made_of(text, MAX_PATH, |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn record(json: Json, part: &'static str) -> Result<BTreeMap<String, Json>, ScimError> {
    match json {
        Json::Record(members) => Ok(members),
        _ => Err(ScimError::Shape { part, want: "an object" }),
    }
}

fn nothing_else(members: &BTreeMap<String, Json>, part: &'static str) -> Result<(), ScimError> {
    match members.keys().next() {
        Some(member) => Err(ScimError::Undeclared { part, member: Found::new(member) }),
        None => Ok(()),
    }
}
