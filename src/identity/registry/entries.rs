//! The entries of the registry, and how each change changes them.

use std::sync::Arc;

use hashbrown::HashMap;

use super::blueprints::Blueprints;
use super::proofs::Proofs;
use super::roles::Sponsors;
use super::{AccountabilityRole, AgentState, BlueprintId, Change, Edit, OperatorState, RegistryError, Reinstatement};
use crate::identity::namespace::Handles;
use crate::identity::{AgentId, AgentUser, OperatorId};
use crate::live::{Cell, Hold};
use crate::time::Timestamp;

/// People in one role of one agent at most.
const MAX_IN_ROLE: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) operators: HashMap<OperatorId, Operator>,
    pub(super) agents: HashMap<AgentId, Agent>,
    pub(super) handles: Handles,
    pub(super) blueprints: Blueprints,
}

#[derive(Debug)]
pub(super) struct Operator {
    pub(super) state: OperatorState,
    pub(super) life: Cell,
    /// When they leave, where that is known.
    pub(super) leaving: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) struct Agent {
    pub(super) state: AgentState,
    /// What it was made from.
    pub(super) blueprint: Option<BlueprintId>,
    pub(super) life: Cell,
    pub(super) sponsors: Arc<Sponsors>,
    /// Owners and managers, in order.
    pub(super) others: Box<[(AccountabilityRole, OperatorId)]>,
    pub(super) user: Option<AgentUser>,
    /// By what it was admitted.
    pub(super) proofs: Proofs,
}

impl Agent {
    pub(super) fn is_sponsored(&self) -> bool {
        self.sponsors.people().iter().any(|(_, life)| life.is_alive())
    }

    /// Everybody in this role, active or not.
    pub(super) fn people(&self, role: AccountabilityRole) -> impl Iterator<Item = &OperatorId> {
        let sponsors = self.sponsors.people().iter().map(|(person, _)| person);
        let others = self.others.iter().filter(move |(own, _)| *own == role).map(|(_, person)| person);
        sponsors.filter(move |_| role == AccountabilityRole::Sponsor).chain(others)
    }

    fn has(&self, role: AccountabilityRole, person: &OperatorId) -> bool {
        self.people(role).any(|one| one == person)
    }

    pub(super) fn stop(&mut self, state: AgentState) {
        self.state = state;
        self.life.stop();
    }

    /// Begins another life: what hung on the one before hangs on a cell that stays stopped, agent users as well.
    fn start_anew(&mut self, agent: &AgentId) {
        self.state = AgentState::Active;
        self.life = Cell::used_at(self.life.used());
        let (user, life) = (self.user.take(), self.life.hold());
        self.user = user.zip(life).map(|(user, life)| AgentUser::new(user.id().clone(), agent.clone(), life));
    }

    /// Adds a person whose life is `life`, and takes one out.
    fn change_sponsors(&mut self, with: Option<(&OperatorId, Hold)>, without: Option<&OperatorId>) {
        let stay = self.sponsors.people().iter().filter(|(person, _)| Some(person) != without).cloned();
        let people = stay.chain(with.map(|(person, life)| (person.clone(), life))).collect();
        self.sponsors = Sponsors::new(people).follow(&self.sponsors);
    }

    fn change_others(&mut self, change: impl FnOnce(&mut Vec<(AccountabilityRole, OperatorId)>)) {
        let mut others = std::mem::take(&mut self.others).into_vec();
        change(&mut others);
        others.sort();
        self.others = others.into();
    }
}

impl Entries {
    pub(super) fn active_operator(&self, operator: &OperatorId) -> Result<Hold, RegistryError> {
        let entry = self.operators.get(operator).ok_or_else(|| RegistryError::UnknownOperator(operator.clone()))?;
        match (entry.state, entry.life.hold()) {
            (OperatorState::Active, Some(hold)) => Ok(hold),
            (state, _) => Err(RegistryError::OperatorNotActive { operator: operator.clone(), state }),
        }
    }

    pub(super) fn agent(&self, agent: &AgentId) -> Result<&Agent, RegistryError> {
        self.agents.get(agent).ok_or_else(|| RegistryError::UnknownAgent(agent.clone()))
    }

    /// The state of an agent, and its sponsors, owners and managers.
    pub(super) fn governed(&self, agent: &AgentId) -> Result<(AgentState, [Vec<OperatorId>; 3]), RegistryError> {
        let entry = self.agent(agent)?;
        let people = |role| entry.people(role).cloned().collect();
        let [sponsor, owner, manager] =
            [AccountabilityRole::Sponsor, AccountabilityRole::Owner, AccountabilityRole::Manager];
        Ok((entry.state, [people(sponsor), people(owner), people(manager)]))
    }

    /// An agent that is not retired.
    fn standing(&self, agent: &AgentId) -> Result<&Agent, RegistryError> {
        let entry = self.agent(agent)?;
        match entry.state {
            AgentState::Retired => Err(RegistryError::AgentNotActive { agent: agent.clone(), state: entry.state }),
            AgentState::Active | AgentState::Suspended => Ok(entry),
        }
    }

    /// Whether a change can be made now.
    pub(super) fn check(&self, edit: &Edit) -> Result<(), RegistryError> {
        match edit {
            Edit::Enroll(operator) => {
                if self.operators.contains_key(operator) {
                    return Err(RegistryError::OperatorExists(operator.clone()));
                }
                if self.agents.contains_key(&AgentId::of_name(operator)) {
                    return Err(RegistryError::AgentAndOperator(operator.clone()));
                }
            }
            Edit::Leave(operator, _) => drop(self.active_operator(operator)?),
            Edit::Offboard(operator) => {
                if !self.operators.contains_key(operator) {
                    return Err(RegistryError::UnknownOperator(operator.clone()));
                }
            }
            Edit::Register(agent, sponsors, blueprint) => {
                blueprint.as_ref().map_or(Ok(()), |blueprint| self.blueprints.check(blueprint))?;
                self.check_name(agent)?;
                if sponsors.is_empty() {
                    return Err(RegistryError::NoSponsor(agent.clone()));
                }
                check_room(agent, AccountabilityRole::Sponsor, sponsors.len())?;
                sponsors.iter().try_for_each(|sponsor| self.active_operator(sponsor).map(drop))?;
            }
            Edit::Assign(agent, role, person) => self.check_assign(agent, *role, person)?,
            Edit::Withdraw(agent, role, person) => self.check_withdraw(agent, *role, person)?,
            Edit::Transfer(agent, from, to) => {
                self.check_withdraw(agent, AccountabilityRole::Sponsor, from)?;
                self.check_assign(agent, AccountabilityRole::Sponsor, to)?;
            }
            Edit::Suspend(agent) => drop(self.standing(agent)?),
            Edit::Retire(agent) => drop(self.agent(agent)?),
            Edit::Reinstate(Reinstatement { agent, stop }, proof, approver) => {
                self.active_operator(approver)?;
                let entry = self.suspended(agent)?;
                if entry.life.stopped().as_ref() != Some(stop) {
                    return Err(RegistryError::StoppedSince(agent.clone()));
                }
                if entry.proofs.knows(proof) {
                    return Err(RegistryError::ProofNotFresh(agent.clone()));
                }
                if !entry.is_sponsored() {
                    return Err(RegistryError::NoSponsor(agent.clone()));
                }
            }
        }
        Ok(())
    }

    /// Whether the name of an agent was never used.
    pub(super) fn check_name(&self, agent: &AgentId) -> Result<(), RegistryError> {
        if self.agents.contains_key(agent) {
            return Err(RegistryError::AgentExists(agent.clone()));
        }
        match agent.as_name().filter(|person| self.operators.contains_key(person)) {
            Some(person) => Err(RegistryError::AgentAndOperator(person)),
            None => Ok(()),
        }
    }

    /// An agent that is suspended.
    pub(super) fn suspended(&self, agent: &AgentId) -> Result<&Agent, RegistryError> {
        let entry = self.agent(agent)?;
        match entry.state {
            AgentState::Suspended => Ok(entry),
            state => Err(RegistryError::AgentNotSuspended { agent: agent.clone(), state }),
        }
    }

    fn check_assign(&self, agent: &AgentId, role: AccountabilityRole, to: &OperatorId) -> Result<(), RegistryError> {
        let entry = self.standing(agent)?;
        self.active_operator(to)?;
        if entry.has(role, to) {
            return Err(RegistryError::HasRole { person: to.clone(), role, agent: agent.clone() });
        }
        check_room(agent, role, entry.people(role).count() + 1)
    }

    fn check_withdraw(&self, agent: &AgentId, role: AccountabilityRole, of: &OperatorId) -> Result<(), RegistryError> {
        if self.standing(agent)?.has(role, of) {
            return Ok(());
        }
        Err(RegistryError::NoRole { person: of.clone(), role, agent: agent.clone() })
    }

    /// Makes a change, if it can be made.
    pub(super) fn apply(&mut self, edit: &Edit) -> Result<Change, RegistryError> {
        self.check(edit)?;
        let mut change = Change::default();
        match edit {
            Edit::Enroll(operator) => {
                let entry = Operator { state: OperatorState::Active, life: Cell::default(), leaving: None };
                self.operators.insert(operator.clone(), entry);
            }
            Edit::Leave(operator, at) => {
                if let Some(entry) = self.operators.get_mut(operator) {
                    entry.leaving = *at;
                }
            }
            Edit::Offboard(operator) => {
                if let Some(entry) = self.operators.get_mut(operator) {
                    entry.state = OperatorState::Offboarded;
                    entry.life.stop();
                }
                change.operator = Some(operator.clone());
                change.agents = self.stop_unsponsored();
            }
            Edit::Register(agent, sponsors, blueprint) => {
                let lives = sponsors.iter().map(|person| Ok((person.clone(), self.active_operator(person)?)));
                let sponsors = Sponsors::new(lives.collect::<Result<_, RegistryError>>()?);
                let (state, life) = (AgentState::Active, Cell::default());
                let (others, proofs, blueprint) = (Box::default(), Proofs::default(), blueprint.clone());
                if let Some(blueprint) = &blueprint {
                    let _ = self.blueprints.know(blueprint);
                }
                let entry = Agent { state, blueprint, life, sponsors, others, user: None, proofs };
                self.agents.insert(agent.clone(), entry);
            }
            Edit::Assign(agent, role, person) => {
                let life = self.active_operator(person)?;
                if let Some(entry) = self.agents.get_mut(agent) {
                    match role {
                        AccountabilityRole::Sponsor => entry.change_sponsors(Some((person, life)), None),
                        role => entry.change_others(|others| others.push((*role, person.clone()))),
                    }
                }
            }
            Edit::Withdraw(agent, role, person) => {
                if let Some(entry) = self.agents.get_mut(agent) {
                    match role {
                        AccountabilityRole::Sponsor => entry.change_sponsors(None, Some(person)),
                        role => {
                            entry.change_others(|others| others.retain(|(own, one)| (own, one) != (role, person)));
                        }
                    }
                    if entry.state == AgentState::Active && !entry.is_sponsored() {
                        change.agents = self.stop(agent, AgentState::Suspended);
                    }
                }
            }
            Edit::Transfer(agent, from, to) => {
                let life = self.active_operator(to)?;
                if let Some(entry) = self.agents.get_mut(agent) {
                    entry.change_sponsors(Some((to, life)), Some(from));
                }
            }
            Edit::Suspend(agent) => change.agents = self.stop(agent, AgentState::Suspended),
            Edit::Retire(agent) => change.agents = self.stop(agent, AgentState::Retired),
            Edit::Reinstate(Reinstatement { agent, .. }, proof, _) => {
                if let Some(entry) = self.agents.get_mut(agent) {
                    entry.proofs.spend(proof);
                    entry.start_anew(agent);
                }
            }
        }
        Ok(change)
    }

    /// Stops one agent; says which.
    fn stop(&mut self, agent: &AgentId, state: AgentState) -> Vec<AgentId> {
        let Some(entry) = self.agents.get_mut(agent) else { return Vec::new() };
        entry.stop(state);
        vec![agent.clone()]
    }

    /// Suspends every active agent that has no active sponsor; says which.
    fn stop_unsponsored(&mut self) -> Vec<AgentId> {
        let mut stopped = Vec::new();
        for (id, agent) in &mut self.agents {
            if agent.state == AgentState::Active && !agent.is_sponsored() {
                agent.stop(AgentState::Suspended);
                stopped.push(id.clone());
            }
        }
        stopped.sort();
        stopped
    }
}

pub(super) fn check_room(agent: &AgentId, role: AccountabilityRole, people: usize) -> Result<(), RegistryError> {
    if people > MAX_IN_ROLE {
        return Err(RegistryError::TooMany { agent: agent.clone(), role, max: MAX_IN_ROLE });
    }
    Ok(())
}
