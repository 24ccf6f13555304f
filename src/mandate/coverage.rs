//! Whether a scope covers an action, and what the action is beyond.

use serde::Serialize;

use super::{ActionClass, ArgumentName, Drift};

/// Whether an action is covered, in rising order: what one scope covers, a wider one covers no less.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no fourth answer")]
pub enum Coverage {
    /// It is not.
    Outside(Beyond),
    /// It is, if a human approves exactly this action.
    Ask(Beyond),
    /// It is.
    Within,
}

impl Coverage {
    /// 0 outside, 1 to be asked, 2 within.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Outside(_) => 0,
            Self::Ask(_) => 1,
            Self::Within => 2,
        }
    }
}

/// What an action is beyond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Beyond {
    /// The scope does not have the tool.
    Tool,
    /// The scope does not let the tool run autonomously.
    Mode,
    /// The resource is not one of those that the scope names.
    Resource,
    /// The value of this argument is not one that the scope allows.
    Argument(ArgumentName),
    /// The action is of a class for which a human approves the exact action.
    Class(ActionClass),
    /// The scope says how many people approve each call of the tool.
    Quorum,
    /// It departs from the intent in this way.
    Drift(Drift),
    /// The policies permit it with a human's approval of the exact action, and not without.
    Policies,
}

impl std::fmt::Display for Beyond {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tool => f.write_str("the tool is not in the scope"),
            Self::Mode => f.write_str("the tool may not run autonomously"),
            Self::Resource => f.write_str("the resource is not in the scope"),
            Self::Argument(name) => write!(f, "the value of the argument {name} is not in the scope"),
            Self::Quorum => f.write_str("the scope wants people to approve each call of the tool"),
            Self::Drift(drift) => drift.fmt(f),
            Self::Policies => f.write_str("the policies want a human's approval of this action"),
            Self::Class(class) => write!(f, "actions of the class {class} are approved one by one"),
        }
    }
}
