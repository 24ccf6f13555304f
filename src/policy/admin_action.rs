//! The administrative actions: what people do to agents and to the house, as policies name it.

use std::fmt;

/// One kind of administrative action.
///
/// Stopping and starting are different administrative actions, so that a policy can permit one without the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AdminAction {
    /// Stops every task, and the beginning of new ones.
    HaltEverything,
    /// Stops every task of every agent of a blueprint, and the beginning of new ones.
    HaltBlueprint,
    /// Stops one task.
    HaltTask,
    /// Stops an agent for now.
    Suspend,
    /// Stops an agent for good.
    Retire,
    /// Ends what a person may approve and answer for.
    Offboard,
    /// Lets new tasks begin after everything was halted.
    Resume,
    /// Lets new tasks begin after a blueprint was halted.
    ResumeBlueprint,
    /// Lets an agent whose breaker is open try one action.
    ResetBreaker,
    /// Lets an agent be admitted again after it was suspended.
    Reinstate,
    /// Makes a person known.
    Enroll,
    /// Makes an agent known.
    Register,
    /// Gives a person a role in the life of an agent.
    Assign,
    /// Takes such a role from a person.
    Withdraw,
    /// Hands the sponsorship of an agent over.
    Transfer,
    /// Says when a person will leave.
    AnnounceLeaving,
    /// Binds an agent user to an agent.
    Bind,
    /// Replaces the policies.
    Reload,
    /// Opens what is for emergencies only.
    BreakGlass,
}

/// What an administrative action is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    House,
    Agent,
    Operator,
}

/// What policies see of an administrative action besides who, what, and on what: the name of each part, and its Cedar type.
type Parts = &'static [(&'static str, &'static str)];

const STOP: &str = "any stop";
const START: &str = "any start";
const CHANGE: &str = "any change";

impl AdminAction {
    /// Every administrative action.
    pub const ALL: &'static [Self] = &[
        Self::HaltEverything,
        Self::HaltBlueprint,
        Self::HaltTask,
        Self::Suspend,
        Self::Retire,
        Self::Offboard,
        Self::Resume,
        Self::ResumeBlueprint,
        Self::ResetBreaker,
        Self::Reinstate,
        Self::Enroll,
        Self::Register,
        Self::Assign,
        Self::Withdraw,
        Self::Transfer,
        Self::AnnounceLeaving,
        Self::Bind,
        Self::Reload,
        Self::BreakGlass,
    ];

    /// The name in policies and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HaltEverything => "halt_everything",
            Self::HaltBlueprint => "halt_blueprint",
            Self::HaltTask => "halt_task",
            Self::Suspend => "suspend",
            Self::Retire => "retire",
            Self::Offboard => "offboard",
            Self::Resume => "resume",
            Self::ResumeBlueprint => "resume_blueprint",
            Self::ResetBreaker => "reset_breaker",
            Self::Reinstate => "reinstate",
            Self::Enroll => "enroll",
            Self::Register => "register",
            Self::Assign => "assign",
            Self::Withdraw => "withdraw",
            Self::Transfer => "transfer",
            Self::AnnounceLeaving => "announce_leaving",
            Self::Bind => "bind",
            Self::Reload => "reload",
            Self::BreakGlass => "break_glass",
        }
    }

    /// The group of actions that it is in, what it is done to, and what else policies see of it.
    pub(super) fn terms(self) -> (&'static str, Kind, Parts) {
        const ROLE: Parts = &[("role", "String"), ("person", "HumanOperator")];
        const BLUEPRINT: Parts = &[("blueprint", "String")];
        match self {
            Self::HaltEverything => (STOP, Kind::House, &[]),
            Self::HaltBlueprint => (STOP, Kind::House, BLUEPRINT),
            Self::HaltTask | Self::Suspend | Self::Retire => (STOP, Kind::Agent, &[]),
            Self::Offboard => (STOP, Kind::Operator, &[]),
            Self::Resume => (START, Kind::House, &[]),
            Self::ResumeBlueprint => (START, Kind::House, BLUEPRINT),
            Self::Reinstate => {
                (START, Kind::Agent, &[("approver", "HumanOperator"), ("attested", "Bool"), ("proof", "String")])
            }
            Self::Enroll => (START, Kind::Operator, &[]),
            Self::Register | Self::ResetBreaker => (START, Kind::Agent, &[]),
            Self::Assign | Self::Withdraw => (CHANGE, Kind::Agent, ROLE),
            Self::Transfer => (CHANGE, Kind::Agent, &[("from", "HumanOperator"), ("to", "HumanOperator")]),
            Self::AnnounceLeaving => (CHANGE, Kind::Operator, &[]),
            Self::Bind => (CHANGE, Kind::Agent, &[("system", "String")]),
            Self::Reload | Self::BreakGlass => (CHANGE, Kind::House, &[]),
        }
    }
}

impl fmt::Display for AdminAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
