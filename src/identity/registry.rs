//! The registry: who is known and active, who answers for whom, and which agent user belongs to which agent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::namespace::Handles;
use super::{
    AgentId, AgentIdentity, AgentUser, AgentUserId, Handle, HandleError, HumanOperator, Namespace, OperatorId,
    SystemName, VerifiedWorkload,
};
use crate::live::{Cell, Hold};
use crate::time::Timestamp;

/// The life of an agent. There is no way back from *retired*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AgentState {
    /// It may be admitted.
    Active,
    /// It is stopped for now; nothing that it held comes back when it is active again.
    Suspended,
    /// It is stopped for good, and its id is never used again.
    Retired,
}

impl AgentState {
    /// The name in records and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Retired => "retired",
        }
    }
}

/// The life of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OperatorState {
    /// May approve and sponsor.
    Active,
    /// Has left; the id is never used again.
    Offboarded,
}

impl OperatorState {
    /// The name in records and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Offboarded => "offboarded",
        }
    }
}

/// The registry refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The operator is registered already, or was.
    #[error("the operator {0} is registered already")]
    OperatorExists(OperatorId),
    /// The operator is not registered.
    #[error("the operator {0} is not registered")]
    UnknownOperator(OperatorId),
    /// The operator has left.
    #[error("the operator {operator} is {}, not active", .state.as_str())]
    OperatorNotActive {
        /// Who.
        operator: OperatorId,
        /// Their state.
        state: OperatorState,
    },
    /// The agent is registered already, or was.
    #[error("the agent {0} is registered already")]
    AgentExists(AgentId),
    /// An agent and an operator would have the same issuer and subject.
    #[error("the name {0} cannot be both an operator's and an agent's")]
    AgentAndOperator(OperatorId),
    /// The agent is not registered.
    #[error("the agent {0} is not registered")]
    UnknownAgent(AgentId),
    /// The agent is suspended or retired.
    #[error("the agent {agent} is {}, not active", .state.as_str())]
    AgentNotActive {
        /// Which.
        agent: AgentId,
        /// Its state.
        state: AgentState,
    },
    /// The agent would have no active sponsor.
    #[error("the agent {0} has no active human sponsor")]
    NoSponsor(AgentId),
    /// The agent has an agent user, and keeps it.
    #[error("the agent {agent} is bound to the agent user {bound}, not to {asked}")]
    AgentHasUser {
        /// Which agent.
        agent: AgentId,
        /// Its agent user.
        bound: AgentUserId,
        /// The one that was asked for.
        asked: AgentUserId,
    },
    /// The agent user belongs to another agent, and stays there.
    #[error("the agent user {user} belongs to the agent {bound}, not to {asked}")]
    UserHasAgent {
        /// Which agent user.
        user: AgentUserId,
        /// Its agent.
        bound: AgentId,
        /// The one that asked.
        asked: AgentId,
    },
    /// The handle is not one for this agent user.
    #[error(transparent)]
    Handle(#[from] HandleError),
    /// The proof is over.
    #[error("the proof ended at {until}, it is {now}")]
    ProofExpired {
        /// When it ended.
        until: Timestamp,
        /// The time now.
        now: Timestamp,
    },
}

/// What a change to the registry did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    agents: Vec<AgentId>,
    operator: Option<OperatorId>,
}

impl Change {
    /// The agents that were stopped by it.
    pub fn agents(&self) -> &[AgentId] {
        &self.agents
    }

    /// The operator who was offboarded by it.
    pub fn operator(&self) -> Option<&OperatorId> {
        self.operator.as_ref()
    }
}

/// Who is known. Filled by the host, then given to the [`Authorizer`](crate::Authorizer).
///
/// Every agent has at least one active human sponsor; when the last one leaves, the agent is suspended. Ids are
/// never used again. Decisions do not read the registry: what they need hangs on cells that a change flips.
///
/// ```
/// use bailiwick::identity::{AgentId, AgentUserId, HumanOperator, Namespace, OperatorId, Registry};
///
/// let ada = OperatorId::new("https://idp.acme.example", "u_7Qm2c1")?;
/// let agent = AgentId::spiffe("spiffe://acme.example/agent/invoices")?;
///
/// let registry = Registry::new();
/// registry.enroll(HumanOperator::new(ada.clone()))?;
/// registry.register(agent.clone(), [ada])?;
/// registry.declare(Namespace::suffix("jira.acme.example", "-bot")?);
/// let seen_as = registry.bind(&agent, AgentUserId::new("jira.acme.example", "invoice-bot")?)?;
/// assert_eq!(seen_as.agent(), &agent);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Registry(RwLock<Entries>);

#[derive(Debug, Default)]
struct Entries {
    operators: BTreeMap<OperatorId, Operator>,
    agents: BTreeMap<AgentId, Agent>,
    handles: Handles,
}

#[derive(Debug)]
struct Operator {
    state: OperatorState,
    life: Cell,
}

#[derive(Debug)]
struct Agent {
    state: AgentState,
    life: Cell,
    sponsors: BTreeSet<OperatorId>,
    user: Option<AgentUser>,
}

impl Agent {
    fn stop(&mut self, state: AgentState) {
        self.state = state;
        self.life.stop();
    }
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a person known, as active.
    ///
    /// # Errors
    ///
    /// The id is registered, or was.
    pub fn enroll(&self, operator: HumanOperator) -> Result<(), RegistryError> {
        let mut entries = self.write();
        if entries.operators.contains_key(operator.id()) {
            return Err(RegistryError::OperatorExists(operator.id().clone()));
        }
        if entries.agents.keys().any(|agent| agent.is_same_name(operator.id())) {
            return Err(RegistryError::AgentAndOperator(operator.id().clone()));
        }
        let entry = Operator { state: OperatorState::Active, life: Cell::default() };
        entries.operators.insert(operator.id().clone(), entry);
        Ok(())
    }

    /// Makes an agent known, as active, with the people who answer for it.
    ///
    /// # Errors
    ///
    /// The id is registered, or was; there is no sponsor, or one of them is not an active operator.
    pub fn register(
        &self,
        agent: AgentId,
        sponsors: impl IntoIterator<Item = OperatorId>,
    ) -> Result<(), RegistryError> {
        // The host's iterator runs before the lock is taken.
        let sponsors: BTreeSet<_> = sponsors.into_iter().collect();
        let mut entries = self.write();
        if entries.agents.contains_key(&agent) {
            return Err(RegistryError::AgentExists(agent));
        }
        if let Some(person) = entries.operators.keys().find(|operator| agent.is_same_name(operator)) {
            return Err(RegistryError::AgentAndOperator(person.clone()));
        }
        if sponsors.is_empty() {
            return Err(RegistryError::NoSponsor(agent));
        }
        for sponsor in &sponsors {
            entries.active_operator(sponsor)?;
        }
        let entry = Agent { state: AgentState::Active, life: Cell::default(), sponsors, user: None };
        entries.agents.insert(agent, entry);
        Ok(())
    }

    /// Says that these handles of a system are for agents. Without that, none is.
    pub fn declare(&self, namespace: Namespace) {
        self.write().handles.declare(namespace);
    }

    /// Keeps a handle for a person, in whatever case: no agent user is ever bound to it.
    ///
    /// # Errors
    ///
    /// An agent user has it.
    pub fn reserve(&self, system: &SystemName, handle: &Handle) -> Result<(), HandleError> {
        self.write().handles.reserve(system, handle)
    }

    /// Binds an agent user to its agent, for good. Asking again for the same binding returns it.
    ///
    /// # Errors
    ///
    /// The handle is in no namespace that was declared for agents, or is a person's, or another agent user's in other case;
    /// the agent is not registered or not active, has another agent user, or the agent user belongs to another agent.
    pub fn bind(&self, agent: &AgentId, user: AgentUserId) -> Result<AgentUser, RegistryError> {
        let mut entries = self.write();
        entries.handles.check(&user, agent)?;
        let entry = entries.agents.get_mut(agent).ok_or_else(|| RegistryError::UnknownAgent(agent.clone()))?;
        match &entry.user {
            Some(bound) if *bound.id() == user => Ok(bound.clone()),
            Some(bound) => {
                let bound = bound.id().clone();
                Err(RegistryError::AgentHasUser { agent: agent.clone(), bound, asked: user })
            }
            None => {
                let state = entry.state;
                let hold = entry.life.hold();
                let hold = hold.ok_or_else(|| RegistryError::AgentNotActive { agent: agent.clone(), state })?;
                let bound = AgentUser::new(user.clone(), agent.clone(), hold);
                entry.user = Some(bound.clone());
                entries.handles.take(user, agent.clone());
                Ok(bound)
            }
        }
    }

    /// The agent user that has this handle, in whatever case: whom a system means that names one.
    pub fn agent_user(&self, user: &AgentUserId) -> Option<AgentUser> {
        let entries = self.read();
        entries.agents.get(entries.handles.agent(user)?)?.user.clone()
    }

    /// What an agent user shows of its agent: whether that is active, and who answers for it now.
    pub(crate) fn shown(&self, user: &AgentUser) -> Result<(bool, Option<OperatorId>), HandleError> {
        let entries = self.read();
        let entry = entries.agents.get(user.agent());
        let entry = entry.filter(|entry| entry.user.as_ref().is_some_and(|own| own.is_same(user)));
        let entry = entry.ok_or_else(|| HandleError::NotBound(user.id().clone()))?;
        let active = |sponsor: &&OperatorId| entries.active_operator(sponsor).is_ok();
        Ok((entry.state == AgentState::Active, entry.sponsors.iter().find(active).cloned()))
    }

    /// Whether any handle of this system is for agents.
    pub(super) fn is_declared(&self, system: &SystemName) -> bool {
        self.read().handles.is_declared(system)
    }

    /// The state of an agent.
    pub fn agent_state(&self, agent: &AgentId) -> Option<AgentState> {
        self.read().agents.get(agent).map(|entry| entry.state)
    }

    /// The state of an operator.
    pub fn operator_state(&self, operator: &OperatorId) -> Option<OperatorState> {
        self.read().operators.get(operator).map(|entry| entry.state)
    }

    /// Every agent, with its state and its sponsors.
    pub fn agents(&self) -> Vec<(AgentId, AgentState, BTreeSet<OperatorId>)> {
        let entries = self.read();
        entries.agents.iter().map(|(id, entry)| (id.clone(), entry.state, entry.sponsors.clone())).collect()
    }

    /// Admits a proven workload: it must be registered, active, and have an active sponsor.
    pub(crate) fn admit(&self, workload: VerifiedWorkload, now: Timestamp) -> Result<AgentIdentity, RegistryError> {
        let (agent, until) = (workload.agent(), workload.until());
        if now >= until {
            return Err(RegistryError::ProofExpired { until, now });
        }
        let entries = self.read();
        let entry = entries.agents.get(agent).ok_or_else(|| RegistryError::UnknownAgent(agent.clone()))?;
        let hold = match (entry.state, entry.life.hold()) {
            (AgentState::Active, Some(hold)) => hold,
            (state, _) => return Err(RegistryError::AgentNotActive { agent: agent.clone(), state }),
        };
        let active = |sponsor: &OperatorId| Some((sponsor.clone(), entries.active_operator(sponsor).ok()?));
        let sponsors: Vec<_> = entry.sponsors.iter().filter_map(active).collect();
        AgentIdentity::new(workload.clone(), sponsors, hold).ok_or_else(|| RegistryError::NoSponsor(agent.clone()))
    }

    /// Checks that it was this registry that admitted the agent, and that the agent was active ever since.
    pub(crate) fn check_admitted(&self, agent: &AgentIdentity) -> Result<(), RegistryError> {
        let (entries, id) = (self.read(), agent.id());
        let entry = entries.agents.get(id).ok_or_else(|| RegistryError::UnknownAgent(id.clone()))?;
        match entry.life.hold() {
            Some(hold) if hold == *agent.hold() => Ok(()),
            _ => Err(RegistryError::AgentNotActive { agent: id.clone(), state: entry.state }),
        }
    }

    /// Hangs on to the active life of an operator.
    pub(crate) fn hold_operator(&self, operator: &OperatorId) -> Result<Hold, RegistryError> {
        self.read().active_operator(operator)
    }

    pub(crate) fn sponsors(&self, operator: &OperatorId, agent: &AgentId) -> bool {
        self.read().agents.get(agent).is_some_and(|entry| entry.sponsors.contains(operator))
    }

    /// Stops an agent for now. Takes effect before this returns.
    #[must_use = "a change is not recorded yet"]
    pub(crate) fn suspend(&self, agent: &AgentId) -> Result<Change, RegistryError> {
        self.stop(agent, AgentState::Suspended)
    }

    /// Stops an agent for good. Takes effect before this returns.
    #[must_use = "a change is not recorded yet"]
    pub(crate) fn retire(&self, agent: &AgentId) -> Result<Change, RegistryError> {
        self.stop(agent, AgentState::Retired)
    }

    fn stop(&self, agent: &AgentId, state: AgentState) -> Result<Change, RegistryError> {
        let mut entries = self.write();
        let entry = entries.agents.get_mut(agent).ok_or_else(|| RegistryError::UnknownAgent(agent.clone()))?;
        if entry.state == AgentState::Retired && state != AgentState::Retired {
            return Err(RegistryError::AgentNotActive { agent: agent.clone(), state: entry.state });
        }
        entry.stop(state);
        Ok(Change { agents: vec![agent.clone()], operator: None })
    }

    /// Ends the life of an operator, and suspends every agent that has no other active sponsor. Takes effect
    /// before this returns.
    #[must_use = "a change is not recorded yet"]
    pub(crate) fn offboard(&self, operator: &OperatorId) -> Result<Change, RegistryError> {
        let mut guard = self.write();
        let entries = &mut *guard;
        let leaving =
            entries.operators.get_mut(operator).ok_or_else(|| RegistryError::UnknownOperator(operator.clone()))?;
        leaving.state = OperatorState::Offboarded;
        leaving.life.stop();
        let mut agents = Vec::new();
        for (id, agent) in &mut entries.agents {
            let sponsored = agent.sponsors.iter().any(|sponsor| {
                entries.operators.get(sponsor).is_some_and(|entry| entry.state == OperatorState::Active)
            });
            if agent.state == AgentState::Active && !sponsored {
                agent.stop(AgentState::Suspended);
                agents.push(id.clone());
            }
        }
        Ok(Change { agents, operator: Some(operator.clone()) })
    }

    // No code of the host runs under the lock and no critical section panics, so poison says nothing.
    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn active_operator(&self, operator: &OperatorId) -> Result<Hold, RegistryError> {
        let entry = self.operators.get(operator).ok_or_else(|| RegistryError::UnknownOperator(operator.clone()))?;
        match (entry.state, entry.life.hold()) {
            (OperatorState::Active, Some(hold)) => Ok(hold),
            (state, _) => Err(RegistryError::OperatorNotActive { operator: operator.clone(), state }),
        }
    }
}
