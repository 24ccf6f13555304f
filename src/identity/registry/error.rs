//! Why the registry refused.

use super::{AccountabilityRole, AgentState, BlueprintId, OperatorState};
use crate::identity::{AgentId, AgentUserId, HandleError, OperatorId};
use crate::time::Timestamp;

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
    /// The handle is not one for this agent user.
    #[error(transparent)]
    Handle(#[from] HandleError),
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
    /// The proof is over.
    #[error("the proof ended at {until}, it is {now}")]
    ProofExpired {
        /// When it ended.
        until: Timestamp,
        /// The time now.
        now: Timestamp,
    },
    /// The person has this role already.
    #[error("the operator {person} is {role} of the agent {agent} already")]
    HasRole {
        /// Who.
        person: OperatorId,
        /// Which role.
        role: AccountabilityRole,
        /// Of which agent.
        agent: AgentId,
    },
    /// The person does not have this role.
    #[error("the operator {person} is not {role} of the agent {agent}")]
    NoRole {
        /// Who.
        person: OperatorId,
        /// Which role.
        role: AccountabilityRole,
        /// Of which agent.
        agent: AgentId,
    },
    /// An agent has more people in one role than are kept.
    #[error("the agent {agent} has {max} people as {role}, no more are kept")]
    TooMany {
        /// Which agent.
        agent: AgentId,
        /// Which role.
        role: AccountabilityRole,
        /// The bound.
        max: usize,
    },
    /// Only what is suspended comes back.
    #[error("the agent {agent} is {}, not suspended", .state.as_str())]
    AgentNotSuspended {
        /// Which.
        agent: AgentId,
        /// Its state.
        state: AgentState,
    },
    /// What was proven or approved is of another agent, or of an earlier stop.
    #[error("the agent {0} was stopped again since that was proven or approved, or it is of another agent")]
    StoppedSince(AgentId),
    /// Who answers for the agent, or its state, changed while what was to be changed was recorded.
    #[error("the agent {0} was changed by somebody else meanwhile")]
    ChangedSince(AgentId),
    /// The agent was admitted by this proof before it was suspended, or came back by it, or may have: it is from before what
    /// is remembered.
    #[error("the agent {0} was admitted by this proof before it was suspended, or may have been")]
    ProofNotFresh(AgentId),
    /// No agent was registered from the blueprint.
    #[error("no agent was registered from the blueprint {0}")]
    UnknownBlueprint(BlueprintId),
    /// Agents of the blueprint are halted.
    #[error("the blueprint {0} is halted")]
    BlueprintHalted(BlueprintId),
    /// The agent is attested with another key, and may be in one place only.
    #[error("the agent {agent} is attested with another key until {until}")]
    Elsewhere {
        /// Which.
        agent: AgentId,
        /// When that proof ends.
        until: Timestamp,
    },
}
