//! The codes of refusals: a closed vocabulary, when to try again, and what is told of each.

use super::Retry;

/// Declares the reasons: variant, code, when to try again, what the model and what people are told, and the controls that it is
/// evidence for.
macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident, $code:literal, $retry:ident, $model:literal, $human:literal, $controls:expr;)*) => {
        /// The stable codes of [`Reason`](super::Reason).
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

            /// Whether to try again, and after what.
            pub fn retry(self) -> Retry {
                match self { $(Self::$variant => Retry::$retry),* }
            }

            /// One imperative sentence that is safe to show to a model: no policy, no person, no value.
            pub fn for_model(self) -> &'static str {
                match self { $(Self::$variant => $model),* }
            }

            /// The same for people, in plain words: a clause that says what is the matter.
            pub fn for_human(self) -> &'static str {
                match self { $(Self::$variant => $human),* }
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
    Clock, "clock_unavailable", Pause,
        "Stop: no action can be decided at the moment.",
        "the system cannot tell the time at the moment", ["NIST MANAGE 2.4"];
    /// A human stopped everything.
    Halted, "halted", NewTask,
        "Stop: a human halted all agents.",
        "all agents were stopped since the task began", ["ASI10", "NIST MANAGE 2.4"];
    /// The agent was suspended or retired.
    AgentNotActive, "agent_not_active", Never,
        "Stop: you are not active any more.",
        "the agent was suspended or retired", ["ASI10", "NHI1", "MAESTRO L7 Compromised Agents"];
    /// The agent's proof is over.
    ProofExpired, "proof_expired", NewTask,
        "Stop: prove your identity again and begin a new task.",
        "the agent's proof of who it is has run out", ["ASI03", "NHI7"];
    /// The task was completed, dropped or halted.
    TaskEnded, "task_ended", NewTask,
        "Stop: the task has ended.",
        "the task has ended", ["ASI10", "NHI1"];
    /// The task's time is over.
    TaskOver, "task_over", NewTask,
        "Stop: the time for the task is over.",
        "the task's time is over", ["ASI03", "NHI7"];
    /// The person on whose behalf did not approve the task.
    NotApprovedBy, "not_approved_by_operator", Never,
        "Act only for the people who approved the task.",
        "the person it would act for did not approve the task", ["ASI03", "NHI10", "NIST GOVERN 3.2"];
    /// The person on whose behalf has left.
    OperatorNotActive, "operator_not_active", NewTask,
        "Do not act for this person any more.",
        "the person it would act for has left", ["NHI1", "NIST GOVERN 2.1"];
    /// A human stopped all agents of the agent's blueprint.
    BlueprintHalted, "blueprint_halted", NewTask,
        "Stop: a human halted all agents of your kind.",
        "all agents of its kind were stopped", ["ASI04", "ASI10", "NIST MANAGE 2.4"];
    /// The agent was refused, or acted, too often.
    BreakerOpen, "breaker_open", Pause,
        "Stop: you were refused or acted too often; wait before you try again.",
        "the agent was refused or acted too often, and is cut off for a while",
        ["ASI08", "ASI10", "MAESTRO L4 Resource Hijacking", "NIST MANAGE 2.4"];
    /// The person on whose behalf may not do it themselves.
    NotEntitled, "not_entitled", Never,
        "Do not try this action for this person again: it is not theirs to do.",
        "the person it would act for may not do this themselves", ["ASI03", "NHI5", "NIST GOVERN 3.2"];
    /// The approval on which the action rests is over.
    ApprovalOver, "approval_over", NewTask,
        "Ask for the task to be approved again.",
        "the approval that it rests on has run out", ["ASI03", "ASI09"];
    /// No such tool is declared.
    ToolUndeclared, "tool_undeclared", Never,
        "Use only the tools that you were offered.",
        "there is no such tool", ["ASI02", "ASI04", "MAESTRO L7 Agent Tool Misuse"];
    /// The tool is not the one that was approved: its description or its arguments changed.
    CapabilityDrift, "capability_drift", NewTask,
        "Do not use this tool any more: it is not the one that was approved.",
        "the tool is not any more what it was when the task was approved", ["ASI02", "ASI04", "MAESTRO L7 Compromised Agent Registry"];
    /// The sign-in in which exactly this action was approved is over.
    SessionOver, "session_over", StepUp,
        "Wait until the person has signed in again and approved exactly this action.",
        "the sign-in in which it was approved is over", ["ASI03", "ASI09", "NIST MAP 3.5"];
    /// The agent user that is presented belongs to another agent.
    AgentUserNotBound, "agent_user_not_bound", Never,
        "Present only your own user record.",
        "it would have appeared as another agent's user", ["ASI03", "NHI9", "MAESTRO L7 Agent Impersonation"];
    /// The arguments do not fit the tool.
    Arguments, "arguments_invalid", OtherArguments,
        "Call the tool with the arguments that it declares.",
        "it was called in a way that the tool does not understand", ["ASI02", "MAESTRO L3 Input Validation Attacks"];
    /// What came along of the resource is not declared, or is not what the directory has.
    ResourceDiffers, "resource_differs", Never,
        "Do not try this action again: what it touches is not known as it is described.",
        "what it would touch is not what it is said to be",
        ["ASI02", "ASI06", "MAESTRO L2 Data Tampering"];
    /// The scope does not cover the action.
    OutOfScope, "out_of_scope", Never,
        "Stay within what the task was approved for; do not try this action again.",
        "the task was not approved to go that far",
        ["ASI01", "ASI02", "ASI03", "NHI5", "MAESTRO L7 Agent Goal Manipulation"];
    /// The value of an argument is beyond what the scope lets it be.
    TargetOutOfScope, "target_out_of_scope", OtherArguments,
        "Name a target that a human named or that a trusted source gave.",
        "it touches something that nobody named and no trusted source gave",
        ["ASI01", "ASI02", "ASI03", "NHI5", "MAESTRO L7 Agent Goal Manipulation"];
    /// The budget is spent.
    Budget, "budget_spent", NewTask,
        "Stop: the task has used all the calls that were approved.",
        "the task has used up what was approved", ["ASI08", "MAESTRO L4 Resource Hijacking"];
    /// It would use up more than a budget has.
    Overrun, "budget_exceeded", OtherArguments,
        "Ask for less: the task has no room for this much.",
        "it would use up more than is left of what was approved", ["ASI08", "MAESTRO L4 Resource Hijacking"];
    /// It would use up more than a budget has for the time being.
    TooSoon, "rate_exceeded", Pause,
        "Wait before you ask for this again: it was done too often just now.",
        "it was done too often just now", ["ASI08", "MAESTRO L4 Resource Hijacking"];
    /// It departs from the intent in a way that the scope does not allow.
    Drift, "intent_drift", Never,
        "Return to what the task is for; do not try this action again.",
        "it departs from what the task was meant for", ["ASI01", "ASI03", "MAESTRO L7 Agent Goal Manipulation"];
    /// A human approves exactly this action first.
    NeedsApproval, "needs_approval", Approval,
        "Wait until a human has approved exactly this action.",
        "a person must approve it first", ["ASI09", "NIST MAP 3.5"];
    /// The approval that came along is not for this action.
    ApprovalInvalid, "approval_invalid", Approval,
        "Wait until a human has approved exactly this action.",
        "the approval that came along is for something else, or has run out", ["ASI09", "NIST MAP 3.5"];
    /// The approval that came along was used before, or that is not known.
    ApprovalSpent, "approval_spent", Approval,
        "Ask a human to approve this action again.",
        "the approval that came along was used before", ["ASI09", "NIST MAP 3.5"];
    /// Fewer people approved exactly this action than the scope wants.
    TooFewApprovals, "approvals_too_few", Approval,
        "Wait until more people have approved exactly this action.",
        "more people must approve it", ["ASI09", "NIST MAP 3.5"];
    /// A human who was asked for this action said no.
    SaidNo, "refused_by_operator", Never,
        "Do not try this action again: a human refused it.",
        "somebody who was asked said no", ["ASI09", "NIST MAP 3.5"];
    /// A human would have to be asked, and was asked too much.
    TooManyRequests, "too_many_requests", Pause,
        "Stop asking: do what needs no human, or wait until they have answered.",
        "people are asked too much already", ["ASI09", "NIST MANAGE 2.4"];
    /// A policy forbids it.
    Forbidden, "policy_forbids", Never,
        "Do not try this action again: it is forbidden.",
        "the rules of this system forbid it", ["ASI02", "ASI03", "NIST GOVERN 1.4"];
    /// No policy permits it.
    NotPermitted, "no_policy_permits", Never,
        "Do not try this action again: it is not permitted.",
        "the rules of this system do not allow it", ["ASI02", "ASI03", "NIST GOVERN 1.4"];
    /// A policy could not be evaluated.
    PolicyFailed, "policy_failed", Never,
        "Do not try this action again: it cannot be decided.",
        "the rules of this system could not be applied to it", ["ASI03", "NIST GOVERN 1.4"];
    /// The record was not taken.
    Audit, "audit_unavailable", Pause,
        "Stop: no action can be recorded at the moment.",
        "it could not be written down, and nothing is done that is not", ["NIST GOVERN 1.5", "MAESTRO L7 Repudiation"];
    /// The permit is over, for another task, or from older policies.
    PermitInvalid, "permit_invalid", Pause,
        "Ask for this action again.",
        "the permission for it was not used in time, or does not fit any more", ["ASI03"];
    /// Too many actions of the task run, or ran without anybody telling their effect.
    Untold, "effects_untold", Pause,
        "Stop: wait until actions that were begun are finished.",
        "too many actions are still under way, or nobody said how they ended", ["ASI08", "NIST GOVERN 1.5"];
    /// No credential can be minted for what was permitted.
    NoCredential, "no_credential", NewTask,
        "Do not try this action again: there is no key for it.",
        "no key could be made for it", ["ASI03", "NHI4"];
    /// The arguments that are about to run are not those that were permitted.
    ArgumentsChanged, "arguments_changed", OtherArguments,
        "Ask for this action again with the arguments that will run.",
        "what was about to run is not what was permitted", ["ASI02", "ASI03"];
}
