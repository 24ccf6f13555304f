//! Our values, contexts and entities as Cedar's own.

use std::collections::HashSet;

use cedar_policy::{Context, EntityId, EntityTypeName, RestrictedExpression};

use super::{Entity, EntityUid, Record, Request, Value};
use crate::id::Found;

/// Something that Cedar has no form for: an entity type that is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cedar has no form for {0}")]
pub struct NotCedar(Found);

impl Request {
    /// The same request for Cedar.
    ///
    /// # Errors
    ///
    /// An entity type is no name of Cedar's.
    pub fn to_cedar(&self) -> Result<(cedar_policy::Request, cedar_policy::Entities), NotCedar> {
        let context = Context::from_pairs(pairs(&self.context)?).map_err(refuse)?;
        let [principal, action, resource] = [&self.principal, &self.action, &self.resource].map(uid);
        let request = cedar_policy::Request::new(principal?, action?, resource?, context, None).map_err(refuse)?;
        let entities = self.entities.iter().map(|entity| self::entity(&entity)).collect::<Result<Vec<_>, _>>()?;
        let entities = cedar_policy::Entities::from_entities(entities, None).map_err(refuse)?;
        Ok((request, entities))
    }
}

fn refuse(error: impl std::fmt::Display) -> NotCedar {
    NotCedar(Found::new(&error.to_string()))
}

fn entity(own: &Entity) -> Result<cedar_policy::Entity, NotCedar> {
    let parents: HashSet<cedar_policy::EntityUid> = own.ancestors().iter().map(uid).collect::<Result<_, _>>()?;
    let tags = own.tags().map(pair).collect::<Result<Vec<_>, _>>()?;
    cedar_policy::Entity::new_with_tags(uid(own.uid())?, pairs(own.attributes())?, parents, tags).map_err(refuse)
}

pub(in crate::policy) fn uid(uid: &EntityUid) -> Result<cedar_policy::EntityUid, NotCedar> {
    let kind: EntityTypeName = uid.kind().as_str().parse().map_err(refuse)?;
    Ok(cedar_policy::EntityUid::from_type_name_and_id(kind, EntityId::new(uid.id())))
}

fn pairs(record: &Record) -> Result<Vec<(String, RestrictedExpression)>, NotCedar> {
    record.iter().map(pair).collect()
}

fn pair((name, value): (&super::Name, &Value)) -> Result<(String, RestrictedExpression), NotCedar> {
    Ok((name.as_str().to_owned(), expression(value)?))
}

fn expression(value: &Value) -> Result<RestrictedExpression, NotCedar> {
    Ok(match value {
        Value::Bool(value) => RestrictedExpression::new_bool(*value),
        Value::Long(value) => RestrictedExpression::new_long(*value),
        Value::Text(text) => RestrictedExpression::new_string(text.to_string()),
        Value::Entity(entity) => RestrictedExpression::new_entity_uid(uid(entity)?),
        Value::Set(members) => {
            RestrictedExpression::new_set(members.iter().map(expression).collect::<Result<Vec<_>, _>>()?)
        }
        Value::Record(record) => RestrictedExpression::new_record(pairs(record)?).map_err(refuse)?,
        // These are written as calls of their constructors.
        Value::Decimal(_) | Value::Datetime(_) | Value::Duration(_) | Value::Ip(_) => {
            value.to_string().parse().map_err(refuse)?
        }
    })
}
