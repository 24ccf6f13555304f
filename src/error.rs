//! The error of the door, over the rooms' own errors.

use crate::asking::ObjectionError;
use crate::audit::AuditError;
use crate::credential::MintError;
use crate::delegation::DelegationError;
use crate::entropy::EntropyError;
use crate::id::{ApprovalId, Audience, TaskId};
use crate::identity::{AgentId, OperatorId, ProofError, RegistryError};
use crate::mandate::{CeilingError, Label, MandateError, OnceError};
use crate::policy::{CatalogError, NotAllowed, PolicyError};
use crate::time::{ClockError, Timestamp};

/// What the door could not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The registry refused.
    #[error("the registry refused")]
    Registry(#[from] RegistryError),
    /// The mandate is not one that a task can begin with.
    #[error("the task cannot begin")]
    Mandate(#[from] MandateError),
    /// The scope grants what is not declared.
    #[error("the scope does not fit the tools")]
    Scope(#[from] CatalogError),
    /// An approval was used before, or that is not known.
    #[error("the approval {approval} cannot be used")]
    Once {
        /// Which approval.
        approval: ApprovalId,
        /// Why not.
        source: OnceError,
    },
    /// The task does not delegate this.
    #[error("the task does not delegate this")]
    Delegation(#[from] DelegationError),
    /// The task would be beyond what its agent may have at once.
    #[error("the task is beyond the ceiling of its agent")]
    Ceiling(#[from] CeilingError),
    /// A person's no was not taken.
    #[error("the objection was not taken")]
    Objection(#[from] ObjectionError),
    /// A task with this id is open.
    #[error("the task {0} has begun already")]
    TaskExists(TaskId),
    /// No task with this id is open.
    #[error("no task {0} is open")]
    UnknownTask(TaskId),
    /// The errand carries as many labels as it can.
    #[error("the errand cannot carry the label {0} too")]
    TooManyLabels(Label),
    /// Two issuers are to issue credentials for one service.
    #[error("there are two issuers for {0}")]
    TwoIssuers(Audience),
    /// The breaker of an agent was tried, or opened again, before its pause could be ended.
    #[error("the breaker of {0} was tried or opened again meanwhile")]
    BreakerMoved(AgentId),
    /// A human halted everything.
    #[error("everything is halted")]
    Halted,
    /// The session is over, or has not begun.
    #[error("the session of the operator {operator} ended at {until}, it is {now}")]
    SessionOver {
        /// Whose session.
        operator: OperatorId,
        /// When it ended.
        until: Timestamp,
        /// The time now.
        now: Timestamp,
    },
    /// The operator may not do this.
    #[error("this is not the operator's to do")]
    NotAllowed(#[from] NotAllowed),
    /// The glass was broken at another door.
    #[error("the glass of the operator {0} was broken at another door")]
    GlassElsewhere(OperatorId),
    /// The broken glass is no cover any more.
    #[error("the glass was broken until {until}, it is {now}")]
    GlassOver {
        /// Until when it was.
        until: Timestamp,
        /// The time now.
        now: Timestamp,
    },
    /// The proof was refused.
    #[error("the proof was refused")]
    Proof(#[from] ProofError),
    /// The approval is not one of this agent's coming back, or cannot be used now.
    #[error("the approval {approval} is none of the agent's coming back, or is over")]
    NotForReinstatement {
        /// Which approval.
        approval: ApprovalId,
    },
    /// The policies did not load; those that were loaded before stay.
    #[error("the policies did not load")]
    Policy(#[from] PolicyError),
    /// Other policies are being loaded.
    #[error("other policies are being loaded")]
    Reloading,
    /// What only a minter makes was not made.
    #[error("nothing was signed")]
    Mint(#[from] MintError),
    /// The record was not taken.
    #[error("the record was not taken")]
    Audit(#[from] AuditError),
    /// The clock failed.
    #[error("the time is not known")]
    Clock(#[from] ClockError),
    /// The source of randomness failed.
    #[error("no id could be drawn")]
    Entropy(#[from] EntropyError),
}
