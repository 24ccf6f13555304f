//! A change of the registry: what is to be changed, and what changing it did.

use super::{AccountabilityRole, BlueprintId};
use crate::identity::{AgentId, OperatorId, VerifiedWorkload};
use crate::live::Stop;
use crate::time::Timestamp;

/// What is to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// A person is known, as active.
    Enroll(OperatorId),
    /// A person leaves at this time; or not, after all.
    Leave(OperatorId, Option<Timestamp>),
    /// A person has left.
    Offboard(OperatorId),
    /// An agent is known, as active, under these sponsors, made from this.
    Register(AgentId, Vec<OperatorId>, Option<BlueprintId>),
    /// A person has this role from now on.
    Assign(AgentId, AccountabilityRole, OperatorId),
    /// A person does not have this role any more.
    Withdraw(AgentId, AccountabilityRole, OperatorId),
    /// One sponsor hands over to another.
    Transfer(AgentId, OperatorId, OperatorId),
    /// An agent is stopped for now.
    Suspend(AgentId),
    /// An agent is stopped for good.
    Retire(AgentId),
    /// An agent that stands at this stop may be admitted again, for it proved itself since, and this person approves.
    Reinstate(Reinstatement, VerifiedWorkload, OperatorId),
}

/// One stop of one agent that is suspended: what a person is asked to approve, and what a workload proves itself anew for.
/// Good for nothing when the agent was stopped again, and for no other registry.
///
/// Made by [`Registry::reinstatement`](super::Registry::reinstatement).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reinstatement {
    pub(super) agent: AgentId,
    pub(super) stop: Stop,
}

impl Reinstatement {
    /// Which agent.
    pub fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// The number of the stop, among those of the agent.
    pub(crate) fn number(&self) -> u64 {
        self.stop.number()
    }
}

/// What was under way and ended with a change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Ended {
    /// Tasks that were open.
    pub tasks: u64,
    /// Credentials of theirs that were good.
    pub credentials: u64,
}

impl Ended {
    /// With one more task, and its credentials.
    #[must_use]
    pub(crate) fn with(self, credentials: u64) -> Self {
        let Self { tasks, credentials: others } = self;
        Self { tasks: tasks.saturating_add(1), credentials: others.saturating_add(credentials) }
    }
}

/// What a change to the registry did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    pub(super) agents: Vec<AgentId>,
    pub(super) operator: Option<OperatorId>,
    pub(super) ended: Ended,
}

impl Change {
    pub(crate) fn ending(mut self, ended: Ended) -> Self {
        self.ended = ended;
        self
    }

    /// What was under way and ended with it.
    pub fn ended(&self) -> Ended {
        self.ended
    }

    /// The agents that were stopped by it, in order.
    pub fn agents(&self) -> &[AgentId] {
        &self.agents
    }

    /// The operator who was offboarded by it.
    pub fn operator(&self) -> Option<&OperatorId> {
        self.operator.as_ref()
    }
}
