//! The ceiling: how much one agent may have open and granted at once, in all its tasks together.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{ActionClass, Assignment, Scope, ToolName};

/// How much one agent may have at once, whoever approved what: a task that would be beyond it does not begin. Nothing is
/// limited that is not said. How many actions it takes within a time is a [`Breaker`](super::Breaker)'s.
///
/// ```
/// use bailiwick::mandate::{ActionClass, Ceiling};
///
/// let ceiling = Ceiling::new().tasks(20).tools(8).class(ActionClass::Write);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ceiling {
    tasks: Option<usize>,
    tools: Option<usize>,
    class: Option<ActionClass>,
}

/// A task would be beyond what its agent may have at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "beyond", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CeilingError {
    /// Too many tasks.
    #[error("{open} tasks of the agent go on, at most {max} may")]
    Tasks {
        /// How many go on.
        open: usize,
        /// How many may.
        max: usize,
    },
    /// Too many different tools.
    #[error("{granted} tools would be granted to the agent at once, at most {max} may")]
    Tools {
        /// How many different tools all its tasks together would have.
        granted: usize,
        /// How many may be.
        max: usize,
    },
    /// A tool of too high a class.
    #[error("the tool {tool} is of the class {class}, the agent may be granted {max} at most")]
    Class {
        /// Which tool.
        tool: ToolName,
        /// The highest class that its calls may have.
        class: ActionClass,
        /// The highest that may be.
        max: ActionClass,
    },
}

impl Ceiling {
    /// Nothing is limited.
    pub fn new() -> Self {
        Self::default()
    }

    /// So many tasks go on at once at most, parts that other agents delegated to it among them.
    #[must_use]
    pub fn tasks(mut self, max: usize) -> Self {
        self.tasks = Some(max);
        self
    }

    /// So many different tools are granted at once at most, in all its tasks together.
    #[must_use]
    pub fn tools(mut self, max: usize) -> Self {
        self.tools = Some(max);
        self
    }

    /// No tool is granted of which a call may have a higher class.
    #[must_use]
    pub fn class(mut self, max: ActionClass) -> Self {
        self.class = Some(max);
        self
    }

    /// Whether a scope grants no tool of too high a class.
    pub(crate) fn check_class(
        &self,
        scope: &Scope,
        class: impl Fn(&ToolName) -> ActionClass,
    ) -> Result<(), CeilingError> {
        let Some(max) = self.class else { return Ok(()) };
        match scope.tools().map(|tool| (tool, class(tool))).find(|(_, class)| *class > max) {
            Some((tool, class)) => Err(CeilingError::Class { tool: tool.clone(), class, max }),
            None => Ok(()),
        }
    }

    /// Whether there is room for one more task with this scope beside those that are open.
    pub(super) fn check<O: Iterator<Item = Arc<Assignment>>>(
        &self,
        scope: &Scope,
        open: impl Fn() -> O,
    ) -> Result<(), CeilingError> {
        if let Some(max) = self.tasks {
            let open = open().count();
            if open >= max {
                return Err(CeilingError::Tasks { open, max });
            }
        }
        let Some(max) = self.tools else { return Ok(()) };
        let mut granted: BTreeSet<ToolName> = scope.tools().cloned().collect();
        open().for_each(|task| granted.extend(task.mandate().intent().scope().tools().cloned()));
        if granted.len() > max { Err(CeilingError::Tools { granted: granted.len(), max }) } else { Ok(()) }
    }
}
