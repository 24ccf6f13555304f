//! Conduct: what one agent does across all its tasks, which no task knows of another.
//!
//! For people and for limits only. What an agent was granted in several tasks is never put together into a right: a decision
//! sees one task.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, Weak};

use super::breaker::{Attempt, Breaker, Gauge};
use super::{ActionClass, Assignment, Ceiling, CeilingError, Tool, ToolName};
use crate::live::locked;
use crate::time::Timestamp;

/// Tasks below which none is looked for that is over.
const FEW: usize = 16;

/// What one agent does across its tasks.
#[derive(Debug)]
pub(crate) struct Conduct {
    gauge: Option<Gauge>,
    exercised: Mutex<BTreeMap<ToolName, Exercised>>,
    open: Mutex<Open>,
}

/// A tool that an agent really used: a permit for it was spent.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Exercised {
    /// The class of the tool.
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

/// The tasks of the agent that nobody ended.
#[derive(Debug, Default)]
struct Open {
    tasks: Vec<Weak<Assignment>>,
    /// From so many on, those that are over are taken out.
    full: usize,
}

impl Open {
    /// The tasks that go on at `now`.
    fn going_on(&self, now: Timestamp) -> impl Iterator<Item = Arc<Assignment>> {
        self.tasks.iter().filter_map(Weak::upgrade).filter(move |task| task.goes_on(now))
    }
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
            ceiling.check(task.mandate().intent().scope(), || open.going_on(now))?;
        }
        if open.tasks.len() >= open.full.max(FEW) {
            open.tasks.retain(|task| task.upgrade().is_some_and(|task| task.was_going_on()));
            // Looked through once for as many that come: however many there are, a task costs the same.
            open.full = open.tasks.len().saturating_mul(2);
        }
        open.tasks.push(Arc::downgrade(task));
        Ok(())
    }

    /// The tasks that nobody ended.
    pub(crate) fn tasks(&self) -> Vec<Arc<Assignment>> {
        locked(&self.open).tasks.iter().filter_map(Weak::upgrade).collect()
    }

    /// The tools that are granted in the tasks that go on at `now`.
    pub(crate) fn granted(&self, now: Timestamp) -> BTreeSet<ToolName> {
        let mut tools = BTreeSet::new();
        locked(&self.open)
            .going_on(now)
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
            (own.class, own.last) = (tool.class(), own.last.max(now));
            return;
        }
        let own = Exercised { class: tool.class(), times: 1, tasks, first: now, last: now };
        exercised.insert(tool.name().clone(), own);
    }

    /// Every tool that the agent used.
    pub(crate) fn exercised(&self) -> BTreeMap<ToolName, Exercised> {
        locked(&self.exercised).clone()
    }
}
