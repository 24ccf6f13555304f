//! A Cedar schema that a host brings: it may say more than ours, and must hold all that ours holds.
//!
//! A decision is asked with our context, whoever wrote the schema. So for each tool the least and the most that can be
//! said is tried against it: what both pass, all between them pass. Where one does not, small policies find the member.

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request, RestrictedExpression, Schema,
    SchemaFragment, ValidationMode, Validator,
};

use super::schema_types::{EntityType, Type, Vocabulary};
use super::{Catalog, Message, PolicyError, schema_text, stack};
use crate::id::Found;
use crate::mandate::ToolName;

/// A schema does not fit the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The schema is over a bound.
    #[error("the schema has {found} {what}, at most {max} are read")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// How much there is, at least.
        found: usize,
        /// The bound.
        max: usize,
    },
    /// The text is no schema.
    #[error("cedar refused the schema: {0}")]
    Cedar(Message),
    /// A tool is no action of an agent on a resource.
    #[error("the schema has no action `{0}` of an `AgentIdentity` on a `Resource`")]
    Action(ToolName),
    /// A member of the context is not declared, or not as it will be.
    #[error("the action `{tool}` must have the member {member} of the type {want}")]
    Member {
        /// The action.
        tool: ToolName,
        /// The way to the member.
        member: Found,
        /// What the member is, and whether it may be missing.
        want: Found,
    },
    /// The context of an action must have what nobody will put there.
    #[error("the action `{tool}` wants what its context will not have: {message}")]
    Surplus {
        /// The action.
        tool: ToolName,
        /// What Cedar says of a context without it.
        message: Message,
    },
    /// An entity type does not hold what its entities will have, or wants more.
    #[error("the entity type {kind} does not fit: {message}")]
    Entity {
        /// The entity type.
        kind: Found,
        /// What Cedar says of such an entity.
        message: Message,
    },
}

/// Reads a schema, and checks that everything that is asked of these tools fits it.
pub(super) fn check(text: &str, catalog: &Catalog) -> Result<Schema, PolicyError> {
    schema_text::check(text)?;
    stack::deep(|| {
        let refuse = |error: &dyn std::error::Error| SchemaError::Cedar(Message::in_full(error));
        let (fragment, _) = SchemaFragment::from_cedarschema_str(text).map_err(|error| refuse(&error))?;
        schema_text::check_types(&fragment.clone().to_json_value().map_err(|error| refuse(&error))?)?;
        let theirs = Schema::from_schema_fragments([fragment]).map_err(|error| refuse(&error))?;
        let ours = Vocabulary::of(&catalog.schema())?;
        let host = Host { schema: &theirs, ours: &ours };
        ours.entities().try_for_each(|(name, kind)| host.check_entity(name, kind))?;
        catalog.tools().try_for_each(|tool| host.check_action(tool.name()))?;
        Ok(theirs)
    })
}

struct Host<'a> {
    schema: &'a Schema,
    ours: &'a Vocabulary,
}

impl Host<'_> {
    /// Tries the least and the most that an entity has.
    fn check_entity(&self, name: &str, kind: &EntityType) -> Result<(), PolicyError> {
        for full in [false, true] {
            let parents = kind.parents.iter().filter(|_| full).map(|parent| uid(parent, "another"));
            let attributes = kind.attributes.members(full)?.into_iter().collect();
            let entity = Entity::new(uid(name, "some")?, attributes, parents.collect::<Result<_, _>>()?);
            let entity = entity.map_err(PolicyError::cedar)?;
            if let Err(error) = Entities::from_entities([entity], Some(self.schema)) {
                let message = Message::in_full(&error);
                return Err(SchemaError::Entity { kind: Found::new(name), message }.into());
            }
        }
        Ok(())
    }

    /// Tries the least and the most that a request says.
    fn check_action(&self, tool: &ToolName) -> Result<(), PolicyError> {
        let action = uid("Action", tool.as_str())?;
        let mut agents = self.schema.principals_for_action(&action).into_iter().flatten();
        let mut resources = self.schema.resources_for_action(&action).into_iter().flatten();
        let agents = agents.any(|kind| kind.to_string() == "AgentIdentity");
        let resources = resources.any(|kind| kind.to_string() == "Resource");
        if !agents || !resources {
            return Err(SchemaError::Action(tool.clone()).into());
        }
        let Some(context) = self.ours.context(tool.as_str()) else {
            return Err(SchemaError::Action(tool.clone()).into());
        };
        for full in [false, true] {
            let said = Context::from_pairs(context.members(full)?).map_err(PolicyError::cedar)?;
            let (agent, resource) = (uid("AgentIdentity", "some")?, uid("Resource", "some")?);
            let request = Request::new(agent, action.clone(), resource, said.clone(), Some(self.schema));
            if let Err(error) = request {
                if let Some(error) = self.misfit(tool, context)? {
                    return Err(error.into());
                }
                // Read with the schema in hand, Cedar names what it misses.
                let json = said.to_json_value().map_err(PolicyError::cedar)?;
                let named = Context::from_json_value(json, Some((self.schema, &action))).err();
                let message = named.map_or_else(|| Message::in_full(&error), |named| Message::in_full(&named));
                return Err(SchemaError::Surplus { tool: tool.clone(), message }.into());
            }
        }
        Ok(())
    }

    /// The first member of the context that is not what it will be.
    fn misfit(&self, tool: &ToolName, context: &Type) -> Result<Option<SchemaError>, PolicyError> {
        let validator = Validator::new(self.schema.clone());
        let loads = |condition: &str| -> Result<bool, PolicyError> {
            let scope = format!(r#"principal is AgentIdentity, action == Action::"{tool}", resource is Resource"#);
            let policy = format!("permit({scope}) when {{ {condition} }};");
            let policy: PolicySet = policy.parse().map_err(PolicyError::cedar)?;
            let result = validator.validate(&policy, ValidationMode::Strict);
            Ok(result.validation_passed_without_warnings())
        };
        for member in context.leaves(("context", "context")) {
            let reads = format!("{} == {}", member.way, member.kind.literal());
            // Where theirs is always there, ours may not be missing.
            let fits = loads(&format!("{} && {reads}", member.guard))? && (member.required || !loads(&reads)?);
            if !fits {
                let want = format!("{}{}", member.kind, if member.required { "" } else { ", or nothing" });
                let (member, want) = (Found::new(&member.path), Found::new(&want));
                return Ok(Some(SchemaError::Member { tool: tool.clone(), member, want }));
            }
        }
        Ok(None)
    }
}

pub(super) fn uid(kind: &str, id: &str) -> Result<EntityUid, PolicyError> {
    let kind = kind.parse::<EntityTypeName>().map_err(PolicyError::cedar)?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

/// Members of a record, by name.
pub(super) type Members = Vec<(String, RestrictedExpression)>;
