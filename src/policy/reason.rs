//! The reason: why an action was refused, with the values that disagreed.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::ser::SerializeStruct;

use super::{PolicyName, PolicyNames, ReasonCode, Stale};
use crate::id::Found;
use crate::identity::{AgentId, AgentUserId, BlueprintId, OperatorId};
use crate::mandate::{
    ArgumentName, Beyond, CapabilityDrift, Drift, Overrun, Resource, Shortage, TaskState, ToolError, ToolName,
};
use crate::time::Timestamp;

/// Why an action was refused, with the values that disagreed. `Display` is for the operator's log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// See [`ReasonCode::Clock`].
    Clock,
    /// See [`ReasonCode::Halted`].
    Halted,
    /// See [`ReasonCode::AgentNotActive`].
    AgentNotActive(AgentId),
    /// See [`ReasonCode::ProofExpired`].
    ProofExpired {
        /// When the proof ended.
        until: Timestamp,
        /// The time of the decision.
        now: Timestamp,
    },
    /// See [`ReasonCode::TaskEnded`].
    TaskEnded(TaskState),
    /// See [`ReasonCode::TaskOver`].
    TaskOver {
        /// When the task ended.
        until: Timestamp,
        /// The time of the decision.
        now: Timestamp,
    },
    /// See [`ReasonCode::NotApprovedBy`].
    NotApprovedBy(OperatorId),
    /// See [`ReasonCode::OperatorNotActive`].
    OperatorNotActive(OperatorId),
    /// See [`ReasonCode::BlueprintHalted`].
    BlueprintHalted(BlueprintId),
    /// See [`ReasonCode::BreakerOpen`].
    BreakerOpen {
        /// Until when; in the past where another action is being tried.
        until: Timestamp,
        /// The time of the decision.
        now: Timestamp,
    },
    /// See [`ReasonCode::NotEntitled`].
    NotEntitled {
        /// Who.
        operator: OperatorId,
        /// What was said of it.
        why: Found,
    },
    /// See [`ReasonCode::ApprovalOver`].
    ApprovalOver {
        /// Whose approval.
        operator: OperatorId,
        /// The time of the decision.
        now: Timestamp,
    },
    /// See [`ReasonCode::ToolUndeclared`].
    ToolUndeclared(ToolName),
    /// See [`ReasonCode::CapabilityDrift`].
    CapabilityDrift {
        /// The tool.
        tool: ToolName,
        /// What differs.
        drift: CapabilityDrift,
    },
    /// See [`ReasonCode::SessionOver`].
    SessionOver {
        /// Whose sign-in.
        operator: OperatorId,
        /// The time of the decision.
        now: Timestamp,
    },
    /// See [`ReasonCode::AgentUserNotBound`].
    AgentUserNotBound {
        /// The agent user that was presented.
        user: AgentUserId,
        /// The agent that it belongs to.
        bound: AgentId,
        /// The agent that presented it.
        agent: AgentId,
    },
    /// See [`ReasonCode::Arguments`].
    Arguments(ToolError),
    /// See [`ReasonCode::ResourceDiffers`].
    ResourceDiffers {
        /// The resource.
        resource: Resource,
        /// The first attribute that differs.
        attribute: Found,
    },
    /// See [`ReasonCode::OutOfScope`].
    OutOfScope(Beyond),
    /// See [`ReasonCode::TargetOutOfScope`].
    TargetOutOfScope(ArgumentName),
    /// See [`ReasonCode::Budget`].
    Budget {
        /// Calls that were permitted.
        used: u32,
        /// Calls that were approved.
        limit: u32,
    },
    /// See [`ReasonCode::Overrun`].
    Overrun(Box<Overrun>),
    /// See [`ReasonCode::TooSoon`].
    TooSoon(Box<Overrun>),
    /// See [`ReasonCode::Drift`].
    Drift(Drift),
    /// See [`ReasonCode::NeedsApproval`].
    NeedsApproval(Beyond),
    /// See [`ReasonCode::ApprovalInvalid`].
    ApprovalInvalid {
        /// Whose approval.
        operator: OperatorId,
    },
    /// See [`ReasonCode::ApprovalSpent`].
    ApprovalSpent {
        /// Whose approval.
        operator: OperatorId,
    },
    /// See [`ReasonCode::TooFewApprovals`].
    TooFewApprovals {
        /// How many approved it.
        given: u8,
        /// How many are to.
        people: u8,
    },
    /// See [`ReasonCode::SaidNo`].
    SaidNo(OperatorId),
    /// See [`ReasonCode::TooManyRequests`].
    TooManyRequests {
        /// How many wait for a human.
        waiting: u32,
        /// How many were made.
        made: u32,
    },
    /// See [`ReasonCode::Forbidden`].
    Forbidden(PolicyNames),
    /// See [`ReasonCode::NotPermitted`].
    NotPermitted,
    /// See [`ReasonCode::PolicyFailed`].
    PolicyFailed(PolicyNames),
    /// See [`ReasonCode::Audit`].
    Audit(Found),
    /// See [`ReasonCode::PermitInvalid`].
    PermitInvalid(Stale),
    /// See [`ReasonCode::Untold`].
    Untold {
        /// How many, which is as many as may be.
        running: usize,
    },
    /// See [`ReasonCode::NoCredential`].
    NoCredential(Found),
    /// See [`ReasonCode::ArgumentsChanged`].
    ArgumentsChanged,
}

impl Reason {
    /// The reason of a budget of which there is too little.
    pub(super) fn overrun(overrun: Box<Overrun>) -> Self {
        match overrun.shortage {
            Shortage::TooSoon => Self::TooSoon(overrun),
            _ => Self::Overrun(overrun),
        }
    }

    /// The stable code.
    pub fn code(&self) -> ReasonCode {
        match self {
            Self::Clock => ReasonCode::Clock,
            Self::Halted => ReasonCode::Halted,
            Self::AgentNotActive(_) => ReasonCode::AgentNotActive,
            Self::ProofExpired { .. } => ReasonCode::ProofExpired,
            Self::TaskEnded(_) => ReasonCode::TaskEnded,
            Self::TaskOver { .. } => ReasonCode::TaskOver,
            Self::NotApprovedBy(_) => ReasonCode::NotApprovedBy,
            Self::OperatorNotActive(_) => ReasonCode::OperatorNotActive,
            Self::BlueprintHalted(_) => ReasonCode::BlueprintHalted,
            Self::BreakerOpen { .. } => ReasonCode::BreakerOpen,
            Self::NotEntitled { .. } => ReasonCode::NotEntitled,
            Self::ApprovalOver { .. } => ReasonCode::ApprovalOver,
            Self::ToolUndeclared(_) => ReasonCode::ToolUndeclared,
            Self::CapabilityDrift { .. } => ReasonCode::CapabilityDrift,
            Self::SessionOver { .. } => ReasonCode::SessionOver,
            Self::AgentUserNotBound { .. } => ReasonCode::AgentUserNotBound,
            Self::Arguments(_) => ReasonCode::Arguments,
            Self::ResourceDiffers { .. } => ReasonCode::ResourceDiffers,
            Self::OutOfScope(_) => ReasonCode::OutOfScope,
            Self::TargetOutOfScope(_) => ReasonCode::TargetOutOfScope,
            Self::Budget { .. } => ReasonCode::Budget,
            Self::Overrun(_) => ReasonCode::Overrun,
            Self::TooSoon(_) => ReasonCode::TooSoon,
            Self::Drift(_) => ReasonCode::Drift,
            Self::NeedsApproval(_) => ReasonCode::NeedsApproval,
            Self::ApprovalInvalid { .. } => ReasonCode::ApprovalInvalid,
            Self::ApprovalSpent { .. } => ReasonCode::ApprovalSpent,
            Self::TooFewApprovals { .. } => ReasonCode::TooFewApprovals,
            Self::SaidNo(_) => ReasonCode::SaidNo,
            Self::TooManyRequests { .. } => ReasonCode::TooManyRequests,
            Self::Forbidden(_) => ReasonCode::Forbidden,
            Self::NotPermitted => ReasonCode::NotPermitted,
            Self::PolicyFailed(_) => ReasonCode::PolicyFailed,
            Self::Audit(_) => ReasonCode::Audit,
            Self::PermitInvalid(_) => ReasonCode::PermitInvalid,
            Self::Untold { .. } => ReasonCode::Untold,
            Self::NoCredential(_) => ReasonCode::NoCredential,
            Self::ArgumentsChanged => ReasonCode::ArgumentsChanged,
        }
    }

    /// How long to wait at most where the action can be tried again after a [`Pause`](super::Retry::Pause): zero where at once, and
    /// nothing where that is not known.
    pub fn pause(&self) -> Option<Duration> {
        match self {
            Self::PermitInvalid(_) => Some(Duration::ZERO),
            Self::TooSoon(overrun) => overrun.seconds.map(u64::from).map(Duration::from_secs),
            Self::BreakerOpen { until, now } => Some(until.since(*now)),
            _ => None,
        }
    }
}

fn list(policies: &[PolicyName]) -> String {
    policies.iter().map(|policy| format!("`{policy}`")).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clock => f.write_str("the clock failed"),
            Self::Halted => f.write_str("everything was halted since the task began"),
            Self::AgentNotActive(agent) => write!(f, "the agent {agent} was suspended or retired"),
            Self::ProofExpired { until, now } => write!(f, "the agent's proof ended at {until}, it is {now}"),
            Self::TaskEnded(state) => write!(f, "the task is {}, not active", state.as_str()),
            Self::TaskOver { until, now } => write!(f, "the task's time ended at {until}, it is {now}"),
            Self::NotApprovedBy(operator) => write!(f, "the operator {operator} did not approve the task"),
            Self::OperatorNotActive(operator) => write!(f, "the operator {operator} is not active any more"),
            Self::BlueprintHalted(blueprint) => write!(f, "the blueprint {blueprint} was halted since the task began"),
            Self::BreakerOpen { until, now } if now < until => {
                write!(f, "the agent's breaker is open until {until}, it is {now}")
            }
            Self::BreakerOpen { now, .. } => {
                write!(f, "the agent's breaker lets one action try, and another does, at {now}")
            }
            Self::NotEntitled { operator, why } => {
                write!(f, "the operator {operator} is not entitled to do it themselves: {why}")
            }
            Self::ApprovalOver { operator, now } => {
                write!(f, "the approval of the operator {operator} is over, it is {now}")
            }
            Self::ToolUndeclared(tool) => write!(f, "the tool {tool} is not in the catalogue"),
            Self::CapabilityDrift { tool, drift } => write!(f, "the tool {tool} {drift}"),
            Self::SessionOver { operator, now } => {
                write!(f, "the sign-in in which the operator {operator} approved it is over, it is {now}")
            }
            Self::AgentUserNotBound { user, bound, agent } => {
                write!(f, "the agent user {user} belongs to the agent {bound}, not to {agent}")
            }
            Self::Arguments(error) => error.fmt(f),
            Self::ResourceDiffers { resource, attribute } => {
                write!(f, "the attribute {attribute} of the resource {resource} is not what is declared and known")
            }
            Self::OutOfScope(beyond) | Self::NeedsApproval(beyond) => beyond.fmt(f),
            Self::TargetOutOfScope(argument) => write!(f, "the value of the argument {argument} is not in the scope"),
            Self::Budget { used, limit } => write!(f, "{used} calls were permitted, {limit} were approved"),
            Self::Overrun(overrun) | Self::TooSoon(overrun) => overrun.fmt(f),
            Self::Drift(drift) => drift.fmt(f),
            Self::ApprovalInvalid { operator } => {
                write!(
                    f,
                    "the approval by the operator {operator} is not for this action, is over, or is not theirs to give"
                )
            }
            Self::ApprovalSpent { operator } => {
                write!(f, "the approval by the operator {operator} was used before, or that is not known")
            }
            Self::TooFewApprovals { given, people } => write!(f, "{given} of {people} people approved this action"),
            Self::SaidNo(operator) => write!(f, "the operator {operator} said no to this action"),
            Self::TooManyRequests { waiting, made } => {
                write!(f, "{waiting} requests wait for a human, and {made} were made")
            }
            Self::Forbidden(policies) => write!(f, "forbidden by {}", list(policies)),
            Self::NotPermitted => f.write_str("no policy permits it"),
            Self::PolicyFailed(policies) => write!(f, "policies that could not be evaluated: {}", list(policies)),
            Self::Audit(why) => write!(f, "the record was not taken: {why}"),
            Self::PermitInvalid(stale) => stale.fmt(f),
            Self::Untold { running } => write!(f, "nobody told the effect of {running} actions that were begun"),
            Self::NoCredential(why) => write!(f, "no credential can be minted: {why}"),
            Self::ArgumentsChanged => f.write_str("the arguments are not those that were permitted"),
        }
    }
}

/// As `{"code", "detail"}`.
impl Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Reason", 2)?;
        fields.serialize_field("code", self.code().as_str())?;
        fields.serialize_field("detail", &self.to_string())?;
        fields.end()
    }
}
