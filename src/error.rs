//! The error of the door, over the rooms' own errors.

use crate::audit::AuditError;
use crate::entropy::EntropyError;
use crate::id::{ApprovalId, TaskId};
use crate::identity::{OperatorId, RegistryError};
use crate::mandate::{MandateError, OnceError};
use crate::policy::{CatalogError, PolicyError};
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
    /// A task with this id is open.
    #[error("the task {0} has begun already")]
    TaskExists(TaskId),
    /// No task with this id is open.
    #[error("no task {0} is open")]
    UnknownTask(TaskId),
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
    #[error("the operator {0} is not a sponsor of the agent")]
    NotSponsor(OperatorId),
    /// The operator is not an administrator.
    #[error("the operator {0} is not an administrator")]
    NotAdministrator(OperatorId),
    /// The policies did not load; those that were loaded before stay.
    #[error("the policies did not load")]
    Policy(#[from] PolicyError),
    /// Other policies are being loaded.
    #[error("other policies are being loaded")]
    Reloading,
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
