//! Standing: what holds at one instant, outside the task's own books.

use super::{BreakerState, CapabilityDrift, Entitled, TaskState};
use crate::id::ApprovalId;
use crate::identity::{BlueprintId, OperatorId};

/// What holds at one instant, outside the task's own books: what a decision takes as given.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Standing {
    /// The clock told the time.
    pub time_known: bool,
    /// How the tool that is asked for differs from what was declared when the task began, where a listing showed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<CapabilityDrift>,
    /// The state of the task.
    pub task: TaskState,
    /// Nobody pressed the stop button for everything since the task began.
    pub running: bool,
    /// The agent is active, and was ever since it was admitted.
    pub agent_active: bool,
    /// The agent's blueprint, where it was halted since the task began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halted_blueprint: Option<BlueprintId>,
    /// How the breaker of the agent stands for this action.
    pub breaker: BreakerState,
    /// Whether the person on whose behalf the action is may do it themselves.
    pub entitlement: Entitled,
    /// The operators who approved the task, or may approve actions of it, and are active, and were ever since it began.
    pub operators: Vec<OperatorId>,
    /// Of the approvals of exactly this action that came along, those that were used before, or of which that is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spent: Vec<ApprovalId>,
}
