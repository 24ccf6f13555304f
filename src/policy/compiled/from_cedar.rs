//! Cedar's own values, contexts and entities as ours, by way of Cedar's JSON format.
//!
//! Not by way of `EvalResult`: that shows a value of an extension type as the text of some expression.

use serde_json::{Map, Value as Json};

use super::entities::{EntitiesError, Entity};
use super::ipaddr::IpNet;
use super::{Entities, EntityUid, Name, Record, Set, Value, datetime, decimal};
use crate::id::Found;

/// A value of Cedar's that is none of ours: a newer Cedar's, or an unknown of partial evaluation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cedar's {0} has a value that is not known here")]
pub struct ForeignValue(Found);

impl From<&cedar_policy::EntityUid> for EntityUid {
    fn from(uid: &cedar_policy::EntityUid) -> Self {
        Self::new(Name::new(&uid.type_name().to_string()), uid.id().unescaped())
    }
}

impl TryFrom<&cedar_policy::Context> for Record {
    type Error = ForeignValue;
    fn try_from(context: &cedar_policy::Context) -> Result<Self, ForeignValue> {
        match context.to_json_value() {
            Ok(Json::Object(members)) => record(&members).ok_or_else(|| ForeignValue(Found::new("context"))),
            _ => Err(ForeignValue(Found::new("context"))),
        }
    }
}

impl TryFrom<&cedar_policy::Entities> for Entities {
    type Error = EntitiesError;
    fn try_from(entities: &cedar_policy::Entities) -> Result<Self, EntitiesError> {
        Self::new(entities.iter().map(Entity::try_from).collect::<Result<Vec<_>, _>>()?)
    }
}

impl TryFrom<&cedar_policy::Entity> for Entity {
    type Error = EntitiesError;
    fn try_from(entity: &cedar_policy::Entity) -> Result<Self, EntitiesError> {
        let uid = EntityUid::from(&entity.uid());
        let unreadable = |member: &str| EntitiesError::Unreadable { uid: uid.clone(), member: Found::new(member) };
        let json = entity.to_json_value().map_err(|_| unreadable("JSON"))?;
        let read = |member: &str| match json.get(member) {
            None => Some(Record::default()),
            Some(members) => record(members.as_object()?),
        };
        let attributes = read("attrs").ok_or_else(|| unreadable("attributes"))?;
        let tags = read("tags").ok_or_else(|| unreadable("tags"))?;
        let parents = json.get("parents").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        let parents: Option<Vec<EntityUid>> = parents.iter().map(self::uid).collect();
        let parents = parents.ok_or_else(|| unreadable("parents"))?;
        let read = Self::new(uid, attributes).within(parents);
        Ok(if tags.iter().next().is_some() { read.tagged(tags) } else { read })
    }
}

fn record(members: &Map<String, Json>) -> Option<Record> {
    members.iter().map(|(name, json)| Some((Name::new(name), value(json)?))).collect()
}

fn value(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Long(number.as_i64()?),
        Json::String(text) => Value::text(text),
        Json::Array(items) => items.iter().map(value).collect::<Option<Set>>()?.into(),
        Json::Object(members) => match (members.get("__entity"), members.get("__extn")) {
            (Some(entity), None) => uid(entity)?.into(),
            (None, Some(call)) => extension(call)?,
            _ => record(members)?.into(),
        },
        Json::Null => return None,
    })
}

fn uid(json: &Json) -> Option<EntityUid> {
    let text = |member| json.get(member).and_then(Json::as_str);
    Some(EntityUid::new(Name::new(text("type")?), text("id")?))
}

/// A call of an extension function, with one argument or several.
fn extension(call: &Json) -> Option<Value> {
    let arguments: Vec<Value> = match (call.get("arg"), call.get("args")) {
        (Some(one), None) => vec![value(one)?],
        (None, Some(many)) => many.as_array()?.iter().map(value).collect::<Option<_>>()?,
        _ => return None,
    };
    match (call.get("fn")?.as_str()?, arguments.as_slice()) {
        ("decimal", [Value::Text(text)]) => decimal::parse(text).map(Value::Decimal),
        ("datetime", [Value::Text(text)]) => datetime::parse(text).map(Value::Datetime),
        ("duration", [Value::Text(text)]) => datetime::parse_duration(text).map(Value::Duration),
        ("ip", [Value::Text(text)]) => IpNet::parse(text).map(Value::Ip),
        ("offset", [Value::Datetime(time), Value::Duration(by)]) => datetime::offset(*time, *by).map(Value::Datetime),
        _ => None,
    }
}
