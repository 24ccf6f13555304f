//! Whether a refused action can be tried again, and after what.

use serde::Serialize;

/// Whether a refused action can be tried again, and after what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Retry {
    /// Never.
    Never,
    /// With other arguments.
    OtherArguments,
    /// After a human approved exactly this action.
    Approval,
    /// After the person signed in again, and approved exactly this action.
    StepUp,
    /// After a pause. [`Reason::pause`](super::Reason::pause) says how long, where that is known.
    Pause,
    /// In a new task.
    NewTask,
}

impl Retry {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Never, Self::OtherArguments, Self::Approval, Self::StepUp, Self::Pause, Self::NewTask];

    /// The name, the same in every version.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::OtherArguments => "other_arguments",
            Self::Approval => "approval",
            Self::StepUp => "step_up",
            Self::Pause => "pause",
            Self::NewTask => "new_task",
        }
    }

    /// What would lift the refusal, as a person is told it.
    pub fn for_human(self) -> &'static str {
        match self {
            Self::Never => "Nothing lifts this.",
            Self::OtherArguments => "It may be tried with other arguments.",
            Self::Approval => "It can go on once somebody who answers for the task approves exactly this.",
            Self::StepUp => "It can go on once you sign in again and approve exactly this.",
            Self::Pause => "It may be tried again later.",
            Self::NewTask => "A new task may do it, if somebody approves one.",
        }
    }
}
