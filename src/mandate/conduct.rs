//! Conduct: what one agent does across all its tasks, which no task knows of another.
//!
//! For people and for limits only. What an agent was granted in several tasks is never put together into a right: a decision
//! sees one task.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use super::breaker::{Attempt, Breaker, Gauge};
use super::{ActionClass, Assignment, Ceiling, CeilingError, Tool, ToolName};
use crate::live::locked;
use crate::sync::Mutex;
use crate::time::Timestamp;

/// What one agent does across its tasks.
#[derive(Debug)]
pub(crate) struct Conduct {
    gauge: Option<Gauge>,
    exercised: Mutex<BTreeMap<ToolName, Exercised>>,
    /// The tasks that are not closed, by where they are.
    open: Mutex<BTreeMap<usize, Weak<Assignment>>>,
}

/// A tool that an agent really used: a permit for it was spent.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Exercised {
    /// The highest class that calls of the tool may have.
    pub class: ActionClass,
    /// How often.
    pub times: u64,
    /// In how many tasks.
    pub tasks: u64,
    /// When first, as far as this process knows.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
}

/// Those that go on at `now`.
fn going_on(open: &BTreeMap<usize, Weak<Assignment>>, now: Timestamp) -> impl Iterator<Item = Arc<Assignment>> {
    open.values().filter_map(Weak::upgrade).filter(move |task| task.goes_on(now))
}

/// Where a task is: nothing else is there while anybody holds on to it, weakly too.
fn place(task: &Arc<Assignment>) -> usize {
    Arc::as_ptr(task).addr()
}

impl Conduct {
    pub(crate) fn new(breaker: Option<&Breaker>) -> Self {
        let gauge = breaker.cloned().map(Gauge::new);
        Self { gauge, exercised: Mutex::default(), open: Mutex::default() }
    }

    pub(super) fn gauge(&self) -> Option<&Gauge> {
        self.gauge.as_ref()
    }

    /// Takes one action to the breaker.
    pub(crate) fn attempt(self: &Arc<Self>, now: Timestamp) -> Attempt {
        Attempt::new(self, now)
    }

    /// Enters a task, if the ceiling has room for it.
    pub(crate) fn enter(
        &self,
        task: &Arc<Assignment>,
        ceiling: Option<&Ceiling>,
        now: Timestamp,
    ) -> Result<(), CeilingError> {
        let mut open = locked(&self.open);
        if let Some(ceiling) = ceiling {
            ceiling.check(task.mandate().intent().scope(), || going_on(&open, now))?;
        }
        open.insert(place(task), Arc::downgrade(task));
        Ok(())
    }

    /// Takes a task out that is closed, or never began.
    pub(crate) fn leave(&self, task: &Arc<Assignment>) {
        locked(&self.open).remove(&place(task));
    }

    /// The tasks that are not closed.
    pub(crate) fn tasks(&self) -> Vec<Arc<Assignment>> {
        locked(&self.open).values().filter_map(Weak::upgrade).collect()
    }

    /// The tools that are granted in the tasks that go on at `now`.
    pub(crate) fn granted(&self, now: Timestamp) -> BTreeSet<ToolName> {
        let mut tools = BTreeSet::new();
        going_on(&locked(&self.open), now)
            .for_each(|task| tools.extend(task.mandate().intent().scope().tools().cloned()));
        tools
    }

    /// Whether the agent ever used this tool.
    pub(crate) fn has_used(&self, tool: &ToolName) -> bool {
        locked(&self.exercised).contains_key(tool)
    }

    /// Books that a tool was used, and whether the task had not used it before.
    pub(crate) fn exercise(&self, tool: &Tool, is_first_in_task: bool, now: Timestamp) {
        let mut exercised = locked(&self.exercised);
        let tasks = u64::from(is_first_in_task);
        if let Some(own) = exercised.get_mut(tool.name()) {
            own.times = own.times.saturating_add(1);
            own.tasks = own.tasks.saturating_add(tasks);
            (own.class, own.last) = (tool.highest_class(), own.last.max(now));
            return;
        }
        let own = Exercised { class: tool.highest_class(), times: 1, tasks, first: now, last: now };
        exercised.insert(tool.name().clone(), own);
    }

    /// Every tool that the agent used.
    pub(crate) fn exercised(&self) -> BTreeMap<ToolName, Exercised> {
        locked(&self.exercised).clone()
    }
}
