//! What our own schema declares, as types with a value of each to try.

use std::collections::BTreeMap;
use std::fmt;

use cedar_policy::{RestrictedExpression, SchemaFragment};
use serde_json::{Map, Value};

use super::PolicyError;
use super::host_schema::{Members, uid};

/// What our schema declares.
pub(super) struct Vocabulary {
    entities: BTreeMap<String, EntityType>,
    contexts: BTreeMap<String, Type>,
}

/// An entity type.
pub(super) struct EntityType {
    pub(super) attributes: Type,
    /// The types of what its entities can be in.
    pub(super) parents: Vec<String>,
}

impl Vocabulary {
    /// Reads a schema of ours: nothing in it has a namespace.
    pub(super) fn of(text: &str) -> Result<Self, PolicyError> {
        let (fragment, _) = SchemaFragment::from_cedarschema_str(text).map_err(PolicyError::cedar)?;
        let json = fragment.to_json_value().map_err(PolicyError::cedar)?;
        let none = Map::new();
        let declared = |what: &str| json.get("").and_then(|json| json.get(what)?.as_object()).unwrap_or(&none);
        let common = declared("commonTypes");
        let entities = declared("entityTypes").iter().map(|(name, json)| {
            let attributes = json.get("shape").map_or(Type::Record(Vec::new()), |shape| Type::read(shape, common));
            let parents = json.get("memberOfTypes").and_then(Value::as_array).into_iter().flatten();
            let parents = parents.filter_map(|parent| parent.as_str().map(str::to_owned)).collect();
            (name.clone(), EntityType { attributes, parents })
        });
        let contexts = declared("actions")
            .iter()
            .filter_map(|(name, json)| Some((name.clone(), Type::read(json.pointer("/appliesTo/context")?, common))));
        Ok(Self { entities: entities.collect(), contexts: contexts.collect() })
    }

    pub(super) fn entities(&self) -> impl Iterator<Item = (&str, &EntityType)> {
        self.entities.iter().map(|(name, kind)| (name.as_str(), kind))
    }

    /// The context of an action.
    pub(super) fn context(&self, action: &str) -> Option<&Type> {
        self.contexts.get(action)
    }
}

/// A type of our schema.
pub(super) enum Type {
    Bool,
    Long,
    String,
    Datetime,
    Decimal,
    Entity(String),
    Set(Box<Type>),
    Record(Vec<Field>),
}

/// A member of a record.
pub(super) struct Field {
    name: String,
    required: bool,
    kind: Type,
}

/// A member at the end of the way through the records, as policies name it.
pub(super) struct Leaf<'a> {
    /// For people.
    pub(super) path: String,
    /// For policies.
    pub(super) way: String,
    /// What policies ask first, where it may be missing.
    pub(super) guard: String,
    pub(super) required: bool,
    pub(super) kind: &'a Type,
}

impl Type {
    fn read(json: &Value, common: &Map<String, Value>) -> Self {
        let text = |member: &str| json.get(member).and_then(Value::as_str).unwrap_or_default();
        match (text("type"), text("name")) {
            ("Record", _) => {
                let fields = json.get("attributes").and_then(Value::as_object).into_iter().flatten();
                Self::Record(fields.map(|(name, json)| Field::read(name, json, common)).collect())
            }
            ("Set", _) => Self::Set(Box::new(json.get("element").map_or(Self::String, |of| Self::read(of, common)))),
            (_, "Bool") => Self::Bool,
            (_, "Long") => Self::Long,
            (_, "String") => Self::String,
            (_, "datetime") => Self::Datetime,
            (_, "decimal") => Self::Decimal,
            (_, name) => common.get(name).map_or(Self::Entity(name.to_owned()), |json| Self::read(json, common)),
        }
    }

    /// A value of this type, with everything that may be in it or with what must be.
    fn value(&self, full: bool) -> Result<RestrictedExpression, PolicyError> {
        Ok(match self {
            Self::Bool => RestrictedExpression::new_bool(true),
            Self::Long => RestrictedExpression::new_long(1),
            Self::String => RestrictedExpression::new_string("some".to_owned()),
            Self::Datetime => RestrictedExpression::new_datetime("2026-01-01"),
            Self::Decimal => RestrictedExpression::new_decimal("1.0"),
            Self::Entity(kind) => RestrictedExpression::new_entity_uid(uid(kind, "some")?),
            Self::Set(of) => RestrictedExpression::new_set([of.value(full)?]),
            Self::Record(_) => RestrictedExpression::new_record(self.members(full)?).map_err(PolicyError::cedar)?,
        })
    }

    /// The members of such a value, if it is a record.
    pub(super) fn members(&self, full: bool) -> Result<Members, PolicyError> {
        let Self::Record(fields) = self else { return Ok(Vec::new()) };
        let there = fields.iter().filter(|field| full || field.required);
        there.map(|field| Ok((field.name.clone(), field.kind.value(full)?))).collect()
    }

    /// A value of this type, as it is written in policies.
    pub(super) fn literal(&self) -> String {
        match self {
            Self::Bool => "true".to_owned(),
            Self::Long => "1".to_owned(),
            Self::String => r#""some""#.to_owned(),
            Self::Datetime => r#"datetime("2026-01-01")"#.to_owned(),
            Self::Decimal => r#"decimal("1.0")"#.to_owned(),
            Self::Entity(kind) => format!(r#"{kind}::"some""#),
            Self::Set(of) => format!("[{}]", of.literal()),
            Self::Record(_) => "{}".to_owned(),
        }
    }

    /// The members of this record and of those within it.
    pub(super) fn leaves(&self, (path, way): (&str, &str)) -> Vec<Leaf<'_>> {
        self.leaves_within((path, way), "", true)
    }

    /// The same; `before` is what policies ask first to come to this record, which is always there or not.
    fn leaves_within(&self, (path, way): (&str, &str), before: &str, is_certain: bool) -> Vec<Leaf<'_>> {
        let Self::Record(fields) = self else { return Vec::new() };
        let leaves = fields.iter().flat_map(|Field { name, required, kind }| {
            let (path, within, required) = (format!("{path}.{name}"), way, *required && is_certain);
            let way = format!(r#"{within}["{name}"]"#);
            let guard = format!(r#"{before}{within} has "{name}""#);
            match kind {
                Self::Record(_) if required => kind.leaves_within((&path, &way), "", true),
                Self::Record(_) => kind.leaves_within((&path, &way), &format!("{guard} && "), false),
                _ => vec![Leaf { path, way, guard, required, kind }],
            }
        });
        leaves.collect()
    }
}

impl Field {
    fn read(name: &str, json: &Value, common: &Map<String, Value>) -> Self {
        let required = json.get("required") != Some(&Value::Bool(false));
        Self { name: name.to_owned(), required, kind: Type::read(json, common) }
    }
}

/// As a schema writes it.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("Bool"),
            Self::Long => f.write_str("Long"),
            Self::String => f.write_str("String"),
            Self::Datetime => f.write_str("datetime"),
            Self::Decimal => f.write_str("decimal"),
            Self::Entity(kind) => f.write_str(kind),
            Self::Set(of) => write!(f, "Set<{of}>"),
            Self::Record(_) => f.write_str("a record"),
        }
    }
}
