//! The registry: who is known and active, who answers for whom, and which agent user belongs to which agent.

mod blueprints;
mod change;
mod entries;
mod error;
mod proofs;
mod roles;
mod snapshot;
mod state;

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use entries::Entries;
use proofs::Proofs;

use super::{
    AgentId, AgentIdentity, AgentUser, AgentUserId, Handle, HandleError, HumanOperator, Namespace, OperatorId,
    ProofMethod, SystemName, VerifiedWorkload,
};
use crate::live::{Hold, Stop};
use crate::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use crate::time::Timestamp;

pub use blueprints::BlueprintId;
pub(crate) use change::Edit;
pub use change::{Change, Ended, Reinstatement};
pub use error::RegistryError;
pub(crate) use proofs::Elsewhere;
pub use roles::AccountabilityRole;
pub(super) use roles::Sponsors;
pub use snapshot::RegistrySnapshot;
pub use state::{AgentState, OperatorState};

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
        self.apply(&Edit::Enroll(operator.id().clone())).map(drop)
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
        self.apply(&Edit::Register(agent, sponsors.into_iter().collect(), None)).map(drop)
    }

    /// The same, with what the agent was made from: for good, as its id.
    ///
    /// # Errors
    ///
    /// As [`register`](Self::register), or the blueprint is halted.
    pub fn register_from(
        &self,
        blueprint: BlueprintId,
        agent: AgentId,
        sponsors: impl IntoIterator<Item = OperatorId>,
    ) -> Result<(), RegistryError> {
        let sponsors: BTreeSet<_> = sponsors.into_iter().collect();
        self.apply(&Edit::Register(agent, sponsors.into_iter().collect(), Some(blueprint))).map(drop)
    }

    /// What an agent was made from, where that was said.
    pub fn blueprint(&self, agent: &AgentId) -> Option<BlueprintId> {
        self.read().agents.get(agent)?.blueprint.clone()
    }

    /// Every blueprint that an agent was registered from, in order, and whether it is halted.
    pub fn blueprints(&self) -> Vec<(BlueprintId, bool)> {
        self.read().blueprints.all()
    }

    /// Hangs on to the running of what an agent was made from, if that was said.
    pub(crate) fn hold_blueprint(&self, agent: &AgentId) -> Result<Option<(BlueprintId, Hold)>, RegistryError> {
        let entries = self.read();
        let blueprint = entries.agents.get(agent).and_then(|entry| entry.blueprint.as_ref());
        blueprint.map(|blueprint| Ok((blueprint.clone(), entries.blueprints.hold(blueprint)?))).transpose()
    }

    /// Stops a blueprint at once: one cell, whatever hangs on it.
    pub(crate) fn stop_blueprint(&self, blueprint: &BlueprintId) -> Result<(), RegistryError> {
        self.read().blueprints.stop(blueprint)
    }

    /// The stop that a blueprint stands at, if it is halted.
    pub(crate) fn stopped_blueprint(&self, blueprint: &BlueprintId) -> Result<Option<Stop>, RegistryError> {
        self.read().blueprints.stopped(blueprint)
    }

    /// Lets a blueprint run again, if it was not stopped since; says whether it did.
    pub(crate) fn restart_blueprint(&self, blueprint: &BlueprintId, stop: &Stop) -> bool {
        self.read().blueprints.restart(blueprint, stop)
    }

    /// Gives a person a role in the life of an agent, besides those who sponsor it from the start.
    ///
    /// # Errors
    ///
    /// The agent is not known or retired, the person is no active operator, has this role already, or 64 others have.
    pub fn assign(&self, agent: &AgentId, role: AccountabilityRole, to: &OperatorId) -> Result<(), RegistryError> {
        self.apply(&Edit::Assign(agent.clone(), role, to.clone())).map(drop)
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
        let sponsor = entry.sponsors.people().iter().find(|(_, life)| life.is_alive());
        Ok((entry.state == AgentState::Active, sponsor.map(|(person, _)| person.clone())))
    }

    /// The agent user of an agent, if it has one.
    pub(crate) fn seen_as(&self, agent: &AgentId) -> Option<AgentUserId> {
        Some(self.read().agents.get(agent)?.user.as_ref()?.id().clone())
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

    /// Every agent, in order, with its state and its sponsors.
    pub fn agents(&self) -> Vec<(AgentId, AgentState, BTreeSet<OperatorId>)> {
        let entries = self.read();
        let sponsors = |entry: &entries::Agent| entry.people(AccountabilityRole::Sponsor).cloned().collect();
        let all = entries.agents.iter().map(|(id, entry)| (id.clone(), entry.state, sponsors(entry)));
        let mut all: Vec<_> = all.collect();
        all.sort();
        all
    }

    /// Who has this role of an agent, in order, active or not.
    pub fn people(&self, agent: &AgentId, role: AccountabilityRole) -> Vec<OperatorId> {
        self.read().agents.get(agent).into_iter().flat_map(|entry| entry.people(role)).cloned().collect()
    }

    /// Admits a proven workload: it must be registered, active, and have an active sponsor. Says where else it is, if that
    /// is news, or refuses it then.
    pub(crate) fn admit(
        &self,
        workload: VerifiedWorkload,
        now: Timestamp,
        in_one_place: bool,
    ) -> Result<(AgentIdentity, Option<Elsewhere>), RegistryError> {
        let (agent, until) = (workload.agent(), workload.until());
        if now >= until {
            return Err(RegistryError::ProofExpired { until, now });
        }
        let entries = self.read();
        let entry = entries.agent(agent)?;
        let hold = match (entry.state, entry.life.hold()) {
            (AgentState::Active, Some(hold)) => hold,
            (state, _) => return Err(RegistryError::AgentNotActive { agent: agent.clone(), state }),
        };
        if let Some(blueprint) = &entry.blueprint {
            entries.blueprints.check(blueprint)?;
        }
        if !entry.is_sponsored() {
            return Err(RegistryError::NoSponsor(agent.clone()));
        }
        let elsewhere = entry.proofs.note(&workload, now, in_one_place);
        let sponsors = Arc::clone(&entry.sponsors);
        drop(entries);
        if let (Some(Elsewhere { until, .. }), true) = (&elsewhere, in_one_place) {
            return Err(RegistryError::Elsewhere { agent: agent.clone(), until: *until });
        }
        let missing = RegistryError::NoSponsor(agent.clone());
        Ok((AgentIdentity::new(workload, sponsors, hold).ok_or(missing)?, elsewhere))
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

    /// What a person is asked to approve so that a suspended agent comes back.
    ///
    /// # Errors
    ///
    /// The agent is not known, or not suspended.
    pub fn reinstatement(&self, agent: &AgentId) -> Result<Reinstatement, RegistryError> {
        let entries = self.read();
        let entry = entries.suspended(agent)?;
        let active = || RegistryError::AgentNotSuspended { agent: agent.clone(), state: entry.state };
        let stop = entry.life.stopped().ok_or_else(active)?;
        Ok(Reinstatement { agent: agent.clone(), stop })
    }

    /// Checks that a workload proved itself for this stop of this agent, and its proof holds.
    pub(crate) fn check_proof(
        &self,
        reinstatement: &Reinstatement,
        workload: &VerifiedWorkload,
        approver: &OperatorId,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let until = workload.until();
        if now >= until {
            return Err(RegistryError::ProofExpired { until, now });
        }
        if workload.agent() != reinstatement.agent() {
            return Err(RegistryError::StoppedSince(workload.agent().clone()));
        }
        self.check(&Edit::Reinstate(reinstatement.clone(), workload.clone(), approver.clone()))
    }

    /// The state of an agent, and its sponsors, owners and managers.
    pub(crate) fn governed(&self, agent: &AgentId) -> Result<(AgentState, [Vec<OperatorId>; 3]), RegistryError> {
        self.read().governed(agent)
    }

    /// Whether a change can be made now.
    pub(crate) fn check(&self, edit: &Edit) -> Result<(), RegistryError> {
        self.read().check(edit)
    }

    /// Makes a change. It takes effect before this returns, and is not recorded yet.
    pub(crate) fn apply(&self, edit: &Edit) -> Result<Change, RegistryError> {
        self.write().apply(edit)
    }

    /// Makes a change that this person was let make of an agent that stood so, if they are active and it stands so still.
    pub(crate) fn apply_as(
        &self,
        edit: &Edit,
        by: &OperatorId,
        seen: Option<(&AgentId, AgentState, [&[OperatorId]; 3])>,
    ) -> Result<Change, RegistryError> {
        let mut entries = self.write();
        entries.active_operator(by)?;
        if let Some((agent, state, people)) = seen {
            let (now, own) = entries.governed(agent)?;
            if now != state || own != people {
                return Err(RegistryError::ChangedSince(agent.clone()));
            }
        }
        entries.apply(edit)
    }

    /// Takes back that an agent was admitted by a proof, for nobody was told.
    pub(crate) fn forget_proof(&self, workload: &AgentIdentity) {
        if let Some(entry) = self.read().agents.get(workload.id()) {
            entry.proofs.forget(workload.proof());
        }
    }

    /// Every agent and what is known of it now, in order.
    pub(crate) fn inventory(&self, now: Timestamp) -> Vec<Listed> {
        let entries = self.read();
        let leaving = |person: &OperatorId| {
            let entry = entries.operators.get(person).filter(|entry| entry.state == OperatorState::Active);
            (person.clone(), entry.and_then(|entry| entry.leaving), entry.is_some())
        };
        let listed = |(id, entry): (&AgentId, &entries::Agent)| Listed {
            agent: id.clone(),
            blueprint: entry.blueprint.clone(),
            state: entry.state,
            sponsors: entry.people(AccountabilityRole::Sponsor).map(leaving).collect(),
            owners: entry.people(AccountabilityRole::Owner).cloned().collect(),
            managers: entry.people(AccountabilityRole::Manager).cloned().collect(),
            agent_user: entry.user.as_ref().map(|user| user.id().clone()),
            proof: entry.proofs.last(),
            places: entry.proofs.places(now),
            last_use: entry.life.used(),
        };
        let mut all: Vec<Listed> = entries.agents.iter().map(listed).collect();
        drop(entries);
        all.sort_by(|one, other| one.agent.cmp(&other.agent));
        all
    }

    fn of(entries: Entries) -> Self {
        Self(RwLock::new(entries))
    }

    // No code of the host runs under the lock and no critical section panics, so poison says nothing.
    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the registry knows of one agent.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) agent: AgentId,
    /// What it was made from.
    pub(crate) blueprint: Option<BlueprintId>,
    pub(crate) state: AgentState,
    /// Each with when they leave, where that is known, and whether they are active.
    pub(crate) sponsors: Vec<(OperatorId, Option<Timestamp>, bool)>,
    pub(crate) owners: Vec<OperatorId>,
    pub(crate) managers: Vec<OperatorId>,
    pub(crate) agent_user: Option<AgentUserId>,
    /// How it was proven last, and until when.
    pub(crate) proof: Option<(ProofMethod, Timestamp)>,
    /// With how many keys it is attested now.
    pub(crate) places: usize,
    pub(crate) last_use: Option<Timestamp>,
}
