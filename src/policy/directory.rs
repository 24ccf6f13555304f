//! The directory: which groups agents, people and things are in, and what is known of things.

use std::collections::BTreeMap;

use super::compiled::{Entities, EntitiesError, Entity, EntityUid, Name, Record, Val};
use super::facts::{Kinds, attributes_of};
use crate::canonical::Encoder;
use crate::id::text;
use crate::identity::{AgentId, OperatorId};
use crate::mandate::{ArgumentName, ArgumentType, Arguments, Resource};

text! {
    /// The name of a group of agents, for instance of one blueprint, or of a team of people.
    GroupName, "group name", "1 to 128 printable ASCII characters without spaces",
    |text| crate::id::made_of(text, 128, |b| b.is_ascii_graphic())
}

/// A directory was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// It contradicts itself, or is too large.
    #[error(transparent)]
    Entities(#[from] EntitiesError),
    /// An attribute that the catalogue does not declare, or declares with another type.
    #[error("the attribute {attribute} of the resource {resource} is not declared with this type")]
    Attribute {
        /// The resource.
        resource: Resource,
        /// The attribute.
        attribute: crate::id::Found,
    },
}

/// What policies know besides the action: the groups of agents, the teams of people, and the resources with their
/// attributes and what they are part of.
///
/// ```
/// use bailiwick::identity::AgentId;
/// use bailiwick::mandate::{Arguments, ArgumentType, Resource};
/// use bailiwick::policy::{Bundle, Catalog, Directory, Evaluator};
///
/// let triage = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
/// let (apollo, design) = (Resource::new("project", "apollo")?, Resource::new("document", "design")?);
/// let directory = Directory::new()
///     .agent(&triage, ["support-agents".parse()?])
///     .resource(&apollo, Arguments::none(), [])
///     .resource(&design, Arguments::from_json(r#"{"owner": "ada"}"#)?, [&apollo]);
/// let catalog = Catalog::new().resource_attribute("owner".parse()?, ArgumentType::Text)?;
/// Evaluator::new(catalog, Bundle::new("").with(directory))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Directory {
    /// Members of groups, by their types.
    members: Vec<(Member, Vec<GroupName>)>,
    resources: Vec<(Resource, Arguments, Vec<Resource>)>,
}

#[derive(Debug, Clone)]
enum Member {
    Agent(AgentId),
    AgentGroup(GroupName),
    Operator(OperatorId),
    Team(GroupName),
}

impl Directory {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// An agent is in these groups.
    #[must_use]
    pub fn agent(mut self, agent: &AgentId, groups: impl IntoIterator<Item = GroupName>) -> Self {
        self.members.push((Member::Agent(agent.clone()), groups.into_iter().collect()));
        self
    }

    /// Everything in a group of agents is in these as well.
    #[must_use]
    pub fn agent_group(mut self, group: GroupName, groups: impl IntoIterator<Item = GroupName>) -> Self {
        self.members.push((Member::AgentGroup(group), groups.into_iter().collect()));
        self
    }

    /// A person is in these teams.
    #[must_use]
    pub fn operator(mut self, operator: &OperatorId, teams: impl IntoIterator<Item = GroupName>) -> Self {
        self.members.push((Member::Operator(operator.clone()), teams.into_iter().collect()));
        self
    }

    /// Everybody in a team is in these as well.
    #[must_use]
    pub fn team(mut self, team: GroupName, teams: impl IntoIterator<Item = GroupName>) -> Self {
        self.members.push((Member::Team(team), teams.into_iter().collect()));
        self
    }

    /// A resource has these attributes and is part of those.
    #[must_use]
    pub fn resource<'r>(
        mut self,
        resource: &Resource,
        attributes: Arguments,
        within: impl IntoIterator<Item = &'r Resource>,
    ) -> Self {
        self.resources.push((resource.clone(), attributes, within.into_iter().cloned().collect()));
        self
    }

    /// Everything that is in it, as policies see it; with `others`, which are no part of any directory.
    pub(super) fn entities(
        &self,
        kinds: &Kinds,
        declared: &BTreeMap<ArgumentName, ArgumentType>,
        others: impl IntoIterator<Item = Entity>,
    ) -> Result<Entities, DirectoryError> {
        let groups = |kind: &Name, names: &[GroupName]| {
            names.iter().map(|name| EntityUid::new(kind.clone(), name.as_str())).collect::<Vec<_>>()
        };
        let member = |(member, of): &(Member, Vec<GroupName>)| {
            let (kind, id, group) = match member {
                Member::Agent(agent) => (&kinds.agent, agent.as_str(), &kinds.agent_group),
                Member::AgentGroup(group) => (&kinds.agent_group, group.as_str(), &kinds.agent_group),
                Member::Operator(operator) => (&kinds.operator, operator.as_str(), &kinds.team),
                Member::Team(team) => (&kinds.team, team.as_str(), &kinds.team),
            };
            Entity::new(EntityUid::new(kind.clone(), id), Record::default()).within(groups(group, of))
        };
        let mut entities: Vec<Entity> = others.into_iter().chain(self.members.iter().map(member)).collect();
        for (resource, attributes, within) in &self.resources {
            let uid = |resource: &Resource| EntityUid::new(kinds.resource.clone(), resource.as_str());
            let mut record = Vec::new();
            attributes_of(attributes, declared, |name, value: Val<'_>| {
                record.push((Name::new(name), value.to_value()))
            })
            .map_err(|attribute| DirectoryError::Attribute {
                resource: resource.clone(),
                attribute: crate::id::Found::new(attribute),
            })?;
            let own = [("kind", resource.kind()), ("name", resource.name())];
            record.extend(own.map(|(name, text)| (Name::new(name), text.into())));
            entities.push(Entity::new(uid(resource), record.into_iter().collect()).within(within.iter().map(uid)));
        }
        Ok(Entities::new(entities)?)
    }

    /// Everything that a verdict depends on.
    pub(super) fn encode(&self, encoder: &mut Encoder) {
        encoder.count(self.members.len());
        for (member, groups) in &self.members {
            let (tag, name) = match member {
                Member::Agent(agent) => (0, agent.as_str()),
                Member::AgentGroup(group) => (1, group.as_str()),
                Member::Operator(operator) => (2, operator.as_str()),
                Member::Team(team) => (3, team.as_str()),
            };
            encoder.tag(tag).text(name).count(groups.len());
            groups.iter().for_each(|group| {
                encoder.text(group.as_str());
            });
        }
        encoder.count(self.resources.len());
        for (resource, attributes, within) in &self.resources {
            encoder.text(resource.as_str()).fixed(attributes.digest().as_bytes()).count(within.len());
            within.iter().for_each(|whole| {
                encoder.text(whole.as_str());
            });
        }
    }
}
