//! The reason: why an action was refused, in a closed vocabulary, and what would lift it.

use std::fmt;

use serde::Serialize;
use serde::ser::SerializeStruct;

use super::{PolicyName, PolicyNames, Stale};
use crate::id::Found;
use crate::identity::{AgentId, AgentUserId, BlueprintId, OperatorId};
use crate::mandate::{ArgumentName, Beyond, Drift, Overrun, Resource, Shortage, TaskState, ToolError, ToolName};
use crate::time::Timestamp;

/// Declares the reasons: variant, code, what the model may be told, and the controls that it is evidence for.
macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident, $code:literal, $remedy:ident, $model:literal, $controls:expr;)*) => {
        /// The stable codes of [`Reason`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ReasonCode {
            $($(#[$doc])* $variant,)*
        }

        impl ReasonCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as text, the same in every version.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// What would lift the refusal.
            pub fn remedy(self) -> Remedy {
                match self { $(Self::$variant => Remedy::$remedy),* }
            }

            /// One imperative sentence that is safe to show to a model: no policy, no person, no value.
            pub fn for_model(self) -> &'static str {
                match self { $(Self::$variant => $model),* }
            }

            /// The controls that the refusal is evidence for: OWASP ASI and NHI, CSA MAESTRO, NIST AI RMF.
            pub fn controls(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &$controls),* }
            }
        }
    };
}

reasons! {
    /// The clock failed.
    Clock, "clock_unavailable", Later,
        "Stop: no action can be decided at the moment.", ["NIST MANAGE 2.4"];
    /// A human stopped everything.
    Halted, "halted", NewTask,
        "Stop: a human halted all agents.", ["ASI10", "NIST MANAGE 2.4"];
    /// The agent was suspended or retired.
    AgentNotActive, "agent_not_active", Never,
        "Stop: you are not active any more.", ["ASI10", "NHI1", "MAESTRO L7 Compromised Agents"];
    /// The agent's proof is over.
    ProofExpired, "proof_expired", NewTask,
        "Stop: prove your identity again and begin a new task.", ["ASI03", "NHI7"];
    /// The task was completed, dropped or halted.
    TaskEnded, "task_ended", NewTask,
        "Stop: the task has ended.", ["ASI10", "NHI1"];
    /// The task's time is over.
    TaskOver, "task_over", NewTask,
        "Stop: the time for the task is over.", ["ASI03", "NHI7"];
    /// The person on whose behalf did not approve the task.
    NotApprovedBy, "not_approved_by_operator", Never,
        "Act only for the people who approved the task.", ["ASI03", "NHI10", "NIST GOVERN 3.2"];
    /// The person on whose behalf has left.
    OperatorNotActive, "operator_not_active", NewTask,
        "Do not act for this person any more.", ["NHI1", "NIST GOVERN 2.1"];
    /// A human stopped all agents of the agent's blueprint.
    BlueprintHalted, "blueprint_halted", NewTask,
        "Stop: a human halted all agents of your kind.", ["ASI04", "ASI10", "NIST MANAGE 2.4"];
    /// The agent was refused, or acted, too often.
    BreakerOpen, "breaker_open", Later,
        "Stop: you were refused or acted too often; wait before you try again.",
        ["ASI08", "ASI10", "MAESTRO L4 Resource Hijacking", "NIST MANAGE 2.4"];
    /// The person on whose behalf may not do it themselves.
    NotEntitled, "not_entitled", Never,
        "Do not try this action for this person again: it is not theirs to do.",
        ["ASI03", "NHI5", "NIST GOVERN 3.2"];
    /// The approval on which the action rests is over.
    ApprovalOver, "approval_over", NewTask,
        "Ask for the task to be approved again.", ["ASI03", "ASI09"];
    /// No such tool is declared.
    ToolUndeclared, "tool_undeclared", Never,
        "Use only the tools that you were offered.", ["ASI02", "ASI04", "MAESTRO L7 Agent Tool Misuse"];
    /// The agent user that is presented belongs to another agent.
    AgentUserNotBound, "agent_user_not_bound", Never,
        "Present only your own user record.", ["ASI03", "NHI9", "MAESTRO L7 Agent Impersonation"];
    /// The arguments do not fit the tool.
    Arguments, "arguments_invalid", OtherArguments,
        "Call the tool with the arguments that it declares.", ["ASI02", "MAESTRO L3 Input Validation Attacks"];
    /// What came along of the resource is not declared, or is not what the directory has.
    ResourceDiffers, "resource_differs", Never,
        "Do not try this action again: what it touches is not known as it is described.",
        ["ASI02", "ASI06", "MAESTRO L2 Data Tampering"];
    /// The scope does not cover the action.
    OutOfScope, "out_of_scope", Never,
        "Stay within what the task was approved for; do not try this action again.",
        ["ASI01", "ASI02", "ASI03", "NHI5", "MAESTRO L7 Agent Goal Manipulation"];
    /// The value of an argument is beyond what the scope lets it be.
    TargetOutOfScope, "target_out_of_scope", OtherArguments,
        "Name a target that a human named or that a trusted source gave.",
        ["ASI01", "ASI02", "ASI03", "NHI5", "MAESTRO L7 Agent Goal Manipulation"];
    /// The budget is spent.
    Budget, "budget_spent", NewTask,
        "Stop: the task has used all the calls that were approved.", ["ASI08", "MAESTRO L4 Resource Hijacking"];
    /// It would use up more than a budget has.
    Overrun, "budget_exceeded", OtherArguments,
        "Ask for less: the task has no room for this much.", ["ASI08", "MAESTRO L4 Resource Hijacking"];
    /// It would use up more than a budget has for the time being.
    TooSoon, "rate_exceeded", Later,
        "Wait before you ask for this again: it was done too often just now.",
        ["ASI08", "MAESTRO L4 Resource Hijacking"];
    /// It departs from the intent in a way that the scope does not allow.
    Drift, "intent_drift", Never,
        "Return to what the task is for; do not try this action again.",
        ["ASI01", "ASI03", "MAESTRO L7 Agent Goal Manipulation"];
    /// A human approves exactly this action first.
    NeedsApproval, "needs_approval", Approval,
        "Wait until a human has approved exactly this action.", ["ASI09", "NIST MAP 3.5"];
    /// The approval that came along is not for this action.
    ApprovalInvalid, "approval_invalid", Approval,
        "Wait until a human has approved exactly this action.", ["ASI09", "NIST MAP 3.5"];
    /// The approval that came along was used before, or that is not known.
    ApprovalSpent, "approval_spent", Approval,
        "Ask a human to approve this action again.", ["ASI09", "NIST MAP 3.5"];
    /// Fewer people approved exactly this action than the scope wants.
    TooFewApprovals, "approvals_too_few", Approval,
        "Wait until more people have approved exactly this action.", ["ASI09", "NIST MAP 3.5"];
    /// A human who was asked for this action said no.
    SaidNo, "refused_by_operator", Never,
        "Do not try this action again: a human refused it.", ["ASI09", "NIST MAP 3.5"];
    /// A human would have to be asked, and was asked too much.
    TooManyRequests, "too_many_requests", Later,
        "Stop asking: do what needs no human, or wait until they have answered.", ["ASI09", "NIST MANAGE 2.4"];
    /// A policy forbids it.
    Forbidden, "policy_forbids", Never,
        "Do not try this action again: it is forbidden.", ["ASI02", "ASI03", "NIST GOVERN 1.4"];
    /// No policy permits it.
    NotPermitted, "no_policy_permits", Never,
        "Do not try this action again: it is not permitted.", ["ASI02", "ASI03", "NIST GOVERN 1.4"];
    /// A policy could not be evaluated.
    PolicyFailed, "policy_failed", Never,
        "Do not try this action again: it cannot be decided.", ["ASI03", "NIST GOVERN 1.4"];
    /// The record was not taken.
    Audit, "audit_unavailable", Later,
        "Stop: no action can be recorded at the moment.", ["NIST GOVERN 1.5", "MAESTRO L7 Repudiation"];
    /// The permit is over, for another task, or from older policies.
    PermitInvalid, "permit_invalid", Later,
        "Ask for this action again.", ["ASI03"];
    /// Too many actions of the task run, or ran without anybody telling their effect.
    Untold, "effects_untold", Later,
        "Stop: wait until actions that were begun are finished.", ["ASI08", "NIST GOVERN 1.5"];
    /// No credential can be minted for what was permitted.
    NoCredential, "no_credential", NewTask,
        "Do not try this action again: there is no key for it.", ["ASI03", "NHI4"];
    /// The arguments that are about to run are not those that were permitted.
    ArgumentsChanged, "arguments_changed", OtherArguments,
        "Ask for this action again with the arguments that will run.", ["ASI02", "ASI03"];
}

/// What would lift a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Remedy {
    /// Nothing.
    Never,
    /// Other arguments.
    OtherArguments,
    /// A human's approval of exactly this action.
    Approval,
    /// A new task.
    NewTask,
    /// Time.
    Later,
}

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
