//! The registry as a value: to be kept by the host, and restored in another process.

use serde::{Deserialize, Serialize};

use super::entries::{Agent, Entries, Operator};
use super::roles::Sponsors;
use super::{AccountabilityRole, AgentState, BlueprintId, OperatorState, Proofs, Registry, RegistryError};
use crate::identity::{AgentId, AgentUser, AgentUserId, Handle, Namespace, OperatorId, SystemName};
use crate::live::Cell;
use crate::strict::{Object, objects, present, word};
use crate::time::Timestamp;

/// Everything that a [`Registry`] knows, those who left and what was retired too: ids are never used again.
///
/// Reading is strict, and says nothing yet of whether it fits together; [`Registry::restore`] does. What is restored is
/// known, and nothing of it is revived: identities, tasks, permits, credentials and agent users of the registry that it
/// was taken from mean nothing to the one that is made of it.
///
/// ```
/// use bailiwick::identity::{HumanOperator, OperatorId, Registry, RegistrySnapshot};
///
/// let registry = Registry::new();
/// registry.enroll(HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?))?;
/// let kept = serde_json::to_string(&registry.snapshot())?;
///
/// let snapshot: RegistrySnapshot = serde_json::from_str(&kept)?;
/// let registry = Registry::restore(snapshot)?;
/// assert_eq!(serde_json::to_string(&registry.snapshot())?, kept);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Object<Written>")]
pub struct RegistrySnapshot {
    /// The version of the format.
    v: u8,
    /// Which handles are for agents.
    namespaces: Vec<Namespace>,
    /// Which handles are people's.
    reserved: Vec<PersonHandle>,
    operators: Vec<OperatorEntry>,
    /// What agents were made from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blueprints: Vec<BlueprintEntry>,
    agents: Vec<AgentEntry>,
}

const VERSION: u8 = 1;

/// The JSON of a [`RegistrySnapshot`].
#[derive(Deserialize)]
#[serde(rename = "RegistrySnapshot", deny_unknown_fields)]
struct Written {
    v: u8,
    namespaces: Vec<Namespace>,
    #[serde(deserialize_with = "objects")]
    reserved: Vec<PersonHandle>,
    #[serde(deserialize_with = "objects")]
    operators: Vec<OperatorEntry>,
    #[serde(default, deserialize_with = "objects")]
    blueprints: Vec<BlueprintEntry>,
    #[serde(deserialize_with = "objects")]
    agents: Vec<AgentEntry>,
}

/// A handle that a person has: no agent user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonHandle {
    system: SystemName,
    handle: Handle,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OperatorEntry {
    operator: OperatorId,
    #[serde(deserialize_with = "word")]
    state: OperatorState,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    leaving: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlueprintEntry {
    blueprint: BlueprintId,
    halted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentEntry {
    agent: AgentId,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    blueprint: Option<BlueprintId>,
    #[serde(deserialize_with = "word")]
    state: AgentState,
    sponsors: Vec<OperatorId>,
    owners: Vec<OperatorId>,
    managers: Vec<OperatorId>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    agent_user: Option<AgentUserId>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    last_use: Option<Timestamp>,
}

impl TryFrom<Object<Written>> for RegistrySnapshot {
    type Error = String;
    fn try_from(Object(written): Object<Written>) -> Result<Self, String> {
        let Written { v, namespaces, reserved, operators, blueprints, agents } = written;
        if v != VERSION {
            return Err(format!("a snapshot of version {v}, only {VERSION} is read"));
        }
        Ok(Self { v, namespaces, reserved, operators, blueprints, agents })
    }
}

impl Registry {
    /// Everything that is known now, in order.
    pub fn snapshot(&self) -> RegistrySnapshot {
        let entries = self.read();
        let operator = |(id, entry): (&OperatorId, &Operator)| OperatorEntry {
            operator: id.clone(),
            state: entry.state,
            leaving: entry.leaving,
        };
        let agent = |(id, entry): (&AgentId, &Agent)| {
            let people = |role| entry.people(role).cloned().collect();
            AgentEntry {
                agent: id.clone(),
                blueprint: entry.blueprint.clone(),
                state: entry.state,
                sponsors: people(AccountabilityRole::Sponsor),
                owners: people(AccountabilityRole::Owner),
                managers: people(AccountabilityRole::Manager),
                agent_user: entry.user.as_ref().map(|user| user.id().clone()),
                last_use: entry.life.used(),
            }
        };
        let mut operators: Vec<_> = entries.operators.iter().map(operator).collect();
        let mut agents: Vec<_> = entries.agents.iter().map(agent).collect();
        let person = |id: &AgentUserId| PersonHandle { system: id.system().clone(), handle: id.handle().clone() };
        let reserved = entries.handles.reserved().map(person).collect();
        let namespaces = entries.handles.declared().cloned().collect();
        let blueprints = entries.blueprints.all().into_iter();
        let blueprints = blueprints.map(|(blueprint, halted)| BlueprintEntry { blueprint, halted }).collect();
        drop(entries);
        operators.sort_by(|one, other| one.operator.cmp(&other.operator));
        agents.sort_by(|one, other| one.agent.cmp(&other.agent));
        RegistrySnapshot { v: VERSION, namespaces, reserved, operators, blueprints, agents }
    }

    /// A registry that knows what another did when the snapshot was taken, and revives nothing of it.
    ///
    /// # Errors
    ///
    /// An id is there twice, or is an agent's and an operator's; an agent has a person in a role who is not among the
    /// operators, or twice, or a blueprint that is not among the blueprints; an active agent has no active sponsor; an agent user has a handle that is outside the namespaces, a
    /// person's, or another's in whatever case.
    pub fn restore(snapshot: RegistrySnapshot) -> Result<Self, RegistryError> {
        let mut entries = Entries::default();
        snapshot.namespaces.into_iter().for_each(|namespace| entries.handles.declare(namespace));
        for PersonHandle { system, handle } in snapshot.reserved {
            entries.handles.reserve(&system, &handle)?;
        }
        for OperatorEntry { operator, state, leaving } in snapshot.operators {
            entries.check(&super::Edit::Enroll(operator.clone()))?;
            entries.operators.insert(operator, Operator { state, life: Cell::default(), leaving });
        }
        for BlueprintEntry { blueprint, halted } in snapshot.blueprints {
            let cell = entries.blueprints.know(&blueprint);
            if halted && cell.stopped().is_none() {
                cell.stop();
            }
        }
        for entry in snapshot.agents {
            entries.restore(entry)?;
        }
        for operator in entries.operators.values().filter(|operator| operator.state != OperatorState::Active) {
            operator.life.stop();
        }
        for (id, agent) in &mut entries.agents {
            if agent.state == AgentState::Active && !agent.is_sponsored() {
                return Err(RegistryError::NoSponsor(id.clone()));
            }
            if agent.state != AgentState::Active {
                agent.stop(agent.state);
            }
        }
        Ok(Self::of(entries))
    }
}

impl Entries {
    /// Puts an agent back. Its cell, and those of the people, do not stand as they did yet.
    fn restore(&mut self, written: AgentEntry) -> Result<(), RegistryError> {
        let AgentEntry { agent, blueprint, state, sponsors, owners, managers, agent_user, last_use } = written;
        self.check_name(&agent)?;
        let people = [
            (AccountabilityRole::Sponsor, &sponsors),
            (AccountabilityRole::Owner, &owners),
            (AccountabilityRole::Manager, &managers),
        ];
        for (role, people) in people {
            super::entries::check_room(&agent, role, people.len())?;
            for (place, person) in people.iter().enumerate() {
                if people.iter().take(place).any(|before| before == person) {
                    return Err(RegistryError::HasRole { person: person.clone(), role, agent });
                }
                if !self.operators.contains_key(person) {
                    return Err(RegistryError::UnknownOperator(person.clone()));
                }
            }
        }
        let life = Cell::used_at(last_use);
        let lives =
            sponsors.iter().filter_map(|person| Some((person.clone(), self.operators.get(person)?.life.hold()?)));
        let sponsors = Sponsors::new(lives.collect());
        let owners = owners.into_iter().map(|person| (AccountabilityRole::Owner, person));
        let managers = managers.into_iter().map(|person| (AccountabilityRole::Manager, person));
        let mut others: Vec<_> = owners.chain(managers).collect();
        others.sort();
        let user = match agent_user {
            None => None,
            Some(user) => {
                self.handles.check(&user, &agent)?;
                self.handles.take(user.clone(), agent.clone());
                life.hold().map(|life| AgentUser::new(user, agent.clone(), life))
            }
        };
        let proofs = Proofs::default();
        // A blueprint that is not told of may have been halted.
        blueprint.as_ref().map_or(Ok(()), |blueprint| self.blueprints.stopped(blueprint).map(drop))?;
        let entry = Agent { state, blueprint, life, sponsors, others: others.into(), user, proofs };
        self.agents.insert(agent, entry);
        Ok(())
    }
}
