//! How the arguments of a call do not fit a tool.

use super::{ArgumentName, Malformed, ToolName};
use crate::id::Found;

/// The arguments of a call do not fit the tool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// An argument was given that the tool does not have.
    #[error("the tool {tool} has no argument {argument}")]
    Undeclared {
        /// The tool.
        tool: ToolName,
        /// The argument.
        argument: Found,
    },
    /// A required argument is missing.
    #[error("the tool {tool} needs the argument {argument}")]
    Missing {
        /// The tool.
        tool: ToolName,
        /// The argument.
        argument: ArgumentName,
    },
    /// An argument is of another type.
    #[error("the argument {argument} of the tool {tool} must be {want}, found {found}")]
    Type {
        /// The tool.
        tool: ToolName,
        /// The argument.
        argument: ArgumentName,
        /// The declared type.
        want: &'static str,
        /// The type of what was given.
        found: &'static str,
    },
    /// An argument is not spelt as its type wants it: see [`Path`](super::Path), [`Url`](super::Url),
    /// [`Email`](super::Email), [`Money`](super::Money) and [`Command`](super::Command).
    #[error("the argument {argument} of the tool {tool} must be {want}: {why}")]
    Malformed {
        /// The tool.
        tool: ToolName,
        /// The argument.
        argument: ArgumentName,
        /// The declared type.
        want: &'static str,
        /// What is wrong with it.
        why: Malformed,
    },
    /// An argument breaks one of its [`Constraints`](super::Constraints), or a part of it does.
    #[error("the argument {argument} of the tool {tool} must keep to its `{keyword}` {limit}, found {found}")]
    Constraint {
        /// The tool.
        tool: ToolName,
        /// The argument.
        argument: ArgumentName,
        /// The constraint, as JSON Schema calls it.
        keyword: &'static str,
        /// What it wants.
        limit: Found,
        /// The type of what was given.
        found: &'static str,
    },
    /// The tool has this argument already.
    #[error("the tool {tool} has the argument {argument} already")]
    Duplicate {
        /// The tool.
        tool: ToolName,
        /// The argument.
        argument: ArgumentName,
    },
}
