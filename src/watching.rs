//! Watching at the door: what agents do across their tasks, the breaker that cuts one off, and what nobody ever used.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;
use serde::Serialize;

use crate::audit::{AgentFact, Denial, Lanes, Permit};
use crate::authorizer::Authorizer;
use crate::door::Door;
use crate::error::Error;
use crate::id::TaskId;
use crate::identity::AgentId;
use crate::live::locked;
use crate::mandate::{
    ActionClass, Assignment, Breaker, Ceiling, CeilingError, Conduct, Scope, Sign, TaskState, Tool, ToolName,
};
use crate::sync::Mutex;
use crate::task::TaskHandle;
use crate::time::Timestamp;

/// What is watched of every agent that began a task, and where it ends.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) breaker: Option<Breaker>,
    /// Of every agent that has none of its own.
    pub(crate) ceiling: Option<Ceiling>,
    pub(crate) ceilings: BTreeMap<AgentId, Ceiling>,
    /// At most as many as there are agents in the registry.
    conducts: Mutex<HashMap<AgentId, Arc<Conduct>>>,
}

impl Watch {
    /// What this agent, which was admitted, does across its tasks.
    pub(crate) fn of(&self, agent: &AgentId) -> Arc<Conduct> {
        let new = || Arc::new(Conduct::new(self.breaker.as_ref()));
        Arc::clone(locked(&self.conducts).entry_ref(agent).or_insert_with(new))
    }

    /// The same, where it ever began a task.
    pub(crate) fn known(&self, agent: &AgentId) -> Option<Arc<Conduct>> {
        locked(&self.conducts).get(agent).cloned()
    }

    fn ceiling(&self, agent: &AgentId) -> Option<&Ceiling> {
        self.ceilings.get(agent).or(self.ceiling.as_ref())
    }
}

/// What a task was granted and did not use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unused {
    /// Whose task.
    pub agent: AgentId,
    /// Which task.
    pub task: TaskId,
    /// The tools that it was granted and did not use, in order.
    pub tools: Vec<ToolName>,
}

impl Authorizer {
    /// Of every task that goes on, the grants that were never exercised, by it or below it: what the next scope can do without.
    /// Tasks that used everything are left out. Of a task that is completed, [`Closed`](crate::Closed) says the same.
    pub fn unused(&self) -> Vec<Unused> {
        let open: Vec<_> = locked(&self.0.open).values().cloned().collect();
        let going_on = open.iter().filter(|task| task.state() == TaskState::Active);
        let mut unused: Vec<Unused> = going_on.filter_map(|task| of(task)).collect();
        unused.sort_by(|one, other| (&one.agent, &one.task).cmp(&(&other.agent, &other.task)));
        unused
    }
}

fn of(task: &Assignment) -> Option<Unused> {
    let (agent, tools) = (task.mandate().agent().id().clone(), task.unused());
    (!tools.is_empty()).then(|| Unused { agent, task: task.task().clone(), tools })
}

impl TaskHandle {
    /// The tools that the task was granted and did not use so far, itself or below it, in order.
    pub fn unused(&self) -> Vec<ToolName> {
        self.assignment.unused()
    }

    /// The task's scope without what it did not use so far: for the next task like it, if a person agrees.
    pub fn narrowed(&self) -> Scope {
        let scope = self.assignment.mandate().intent().scope();
        self.unused().iter().fold(scope.clone(), |scope, tool| scope.without(tool))
    }
}

impl Door {
    /// Enters a task among those of its agent, if the ceiling of that has room for it. What was refused is recorded as far as
    /// that goes.
    pub(crate) fn enter(&self, task: &Arc<Assignment>, now: Timestamp) -> Result<(), Error> {
        let (agent, ceiling) = (task.mandate().agent().id(), self.watch.ceiling(task.mandate().agent().id()));
        let catalog = self.evaluator.catalog();
        let class = |tool: &ToolName| catalog.get(tool).map_or(ActionClass::unsaid(), Tool::highest_class);
        let check = |ceiling: &Ceiling| ceiling.check_class(task.mandate().intent().scope(), class);
        let entered = ceiling.map_or(Ok(()), check).and_then(|()| task.conduct().enter(task, ceiling, now));
        entered.map_err(|beyond: CeilingError| {
            tracing::warn!(%agent, %beyond, "a task would be beyond the ceiling of its agent");
            let agent = Some((agent.clone(), AgentFact::BeyondCeiling { ceiling: beyond.clone() }));
            let _ = self.write(now, Lanes { agent, ..Lanes::default() });
            beyond.into()
        })
    }
}

/// What a decision says of the agent to its breaker.
pub(crate) fn sign(answer: &Result<Permit, Denial>) -> Sign {
    match answer {
        Ok(_) => Sign::Good,
        Err(denial) if denial.is_held() || !denial.code().is_sign() => Sign::None,
        Err(_) => Sign::Bad,
    }
}
