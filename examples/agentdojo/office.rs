//! The host: one person, one agent, the record that the bank or the workspace has of that agent, and the door.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick::audit::{Denial, Effect, MemorySink};
use bailiwick::identity::{
    AgentId, AgentIdentity, AgentUser, AgentUserId, HumanOperator, Namespace, OperatorId, OperatorSession, Registry,
    danger,
};
use bailiwick::mandate::{Action, Approval, Intent, Mandate, Resource, Scope};
use bailiwick::policy::{Catalog, Evaluator, Reason};
use bailiwick::time::{Clock, SystemClock};
use bailiwick::{Authorizer, Task};

use crate::data::Call;

/// What became of one call.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Permitted,
    /// A person's approval of exactly this call was all that was missing.
    Held(Reason),
    Denied(Reason),
}

/// Who asks for a call: the person approves what is held of their own calls, and none of the attacker's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wanted {
    ByThePerson,
    ByTheAttacker,
}

#[derive(Debug)]
pub(crate) struct Office {
    pub(crate) catalog: Catalog,
    resource: Resource,
    sink: Arc<MemorySink>,
    door: Authorizer,
    person: OperatorSession,
    agent: AgentIdentity,
    seen_as: AgentUser,
    /// Decisions, and the time that they took.
    decisions: u32,
    taken: Duration,
    /// Events in the record.
    events: usize,
    /// Values that became trusted, and those at trusted places that are no names.
    trusted: usize,
    left_out: usize,
}

impl Office {
    /// Opens the door to these tools under these policies.
    pub(crate) fn open((catalog, resource): (Catalog, Resource), policies: &str) -> Result<Self, Box<dyn Error>> {
        let (now, day) = (SystemClock.now()?, Duration::from_secs(24 * 3600));
        let person = OperatorId::new("https://idp.example", "emma")?;
        let agent = AgentId::spiffe("spiffe://agents.example/assistant")?;
        let registry = Registry::new();
        registry.enroll(HumanOperator::new(person.clone()))?;
        registry.register(agent.clone(), [person.clone()])?;
        registry.declare(Namespace::suffix("tools.example", "-assistant")?);
        let seen_as = registry.bind(&agent, AgentUserId::new("tools.example", "emmas-assistant")?)?;
        let sink = Arc::new(MemorySink::new(10_000));
        let evaluator = Evaluator::new(catalog.clone(), policies)?;
        let door = Authorizer::builder(registry, evaluator, sink.clone()).build()?;
        let person = danger::operator_vouched_by_host(HumanOperator::new(person), now, now.after(day))?;
        let agent = door.admit(danger::workload_vouched_by_host(agent, None, now.after(day)))?;
        Ok(Self {
            catalog,
            resource,
            sink,
            door,
            person,
            agent,
            seen_as,
            decisions: 0,
            taken: Duration::ZERO,
            events: 0,
            trusted: 0,
            left_out: 0,
        })
    }

    /// Begins a task that the person approves before the agent reads anything.
    pub(crate) fn begin(&self, prompt: &str, scope: &Scope) -> Result<Task, Box<dyn Error>> {
        let mandate = Mandate::new(self.agent.clone(), Intent::new(prompt, scope.clone())?);
        Ok(self.door.begin(mandate.approved(Approval::by(&self.person, scope.clone())))?)
    }

    /// Decides one call, and lets it run if it may.
    pub(crate) fn decide(&mut self, task: &Task, call: &Call, wanted: Wanted) -> Result<Answer, Box<dyn Error>> {
        let action = Action::on_behalf_of(&self.person, call.tool.as_str(), &self.resource)?
            .with(call.arguments.clone())
            .presenting(&self.seen_as);
        let Some(denial) = self.attempt(task, &action, &call.output)? else {
            return Ok(Answer::Permitted);
        };
        let reason = denial.reason().clone();
        match denial.request() {
            None => Ok(Answer::Denied(reason)),
            Some(_) if wanted == Wanted::ByTheAttacker => Ok(Answer::Held(reason)),
            Some(request) => {
                let approved = action.approved(Approval::by(&self.person, request.clone()));
                let refused = self.attempt(task, &approved, &call.output)?;
                Ok(refused.map_or(Answer::Held(reason), |denial| Answer::Denied(denial.reason().clone())))
            }
        }
    }

    /// Asks for leave. Permitted, the call runs, with a real permit; what the task trusts of its output is noted, and its effect
    /// is written down.
    fn attempt(&mut self, task: &Task, action: &Action, output: &str) -> Result<Option<Denial>, Box<dyn Error>> {
        let started = instant();
        let answer = task.authorize(action);
        self.taken += started.elapsed();
        self.decisions += 1;
        match answer {
            Ok(permit) => {
                let execution = task.redeem(permit, action.arguments())?;
                let observed = task.observe(&execution, output)?;
                self.trusted += observed.noted;
                self.left_out += observed.left_out;
                execution.finish(Effect::Succeeded)?;
                Ok(None)
            }
            Err(denial) => Ok(Some(denial)),
        }
    }

    /// Completes a task, and takes its records out of the sink.
    pub(crate) fn complete(&mut self, task: Task) -> Result<(), Box<dyn Error>> {
        task.complete()?;
        self.events += self.sink.drain().len();
        Ok(())
    }

    /// How many decisions were taken.
    pub(crate) fn decisions(&self) -> u32 {
        self.decisions
    }

    /// The mean time of a decision, with its record.
    pub(crate) fn mean(&self) -> Duration {
        self.taken.checked_div(self.decisions).unwrap_or_default()
    }

    /// How many values became trusted in some task, and how many at trusted places were no names and did not.
    pub(crate) fn observed(&self) -> (usize, usize) {
        (self.trusted, self.left_out)
    }

    /// How many events were recorded.
    pub(crate) fn events(&self) -> usize {
        self.events
    }
}

#[allow(clippy::disallowed_methods, reason = "the example measures")]
fn instant() -> Instant {
    Instant::now()
}
