//! Administering at the door: who may is decided by policy, what is taken away takes effect at once, and all is recorded.

use std::sync::Arc;

use crate::audit::{Administered, AgentFact, Lanes, OperatorFact};
use crate::authorizer::{Authorizer, Halt, Resume};
use crate::break_glass::By;
use crate::canonical::Digest;
use crate::door::Door;
use crate::error::Error;
use crate::identity::{AgentId, Change, Edit, Ended, OperatorId, OperatorSession};
use crate::live::{Stop, locked};
use crate::mandate::{Assignment, TaskState};
use crate::policy::{AdminAction, Bundle, Governed, Motion, On, Said};
use crate::time::Timestamp;

impl Authorizer {
    /// Stops tasks at once: every permit and credential below is dead before this returns, recorded or not.
    ///
    /// What is stopped, however much hangs below it, is one cell: no task, permit or credential is looked at. The tasks of an
    /// agent are counted for the record once they are dead.
    ///
    /// Unless policies of [`Administration`](crate::policy::Administration) say otherwise, whoever is an active operator may
    /// stop everything, a blueprint or a task; an agent is stopped by somebody who answers for it or by an administrator.
    ///
    /// # Errors
    ///
    /// The session is over, the operator may not do this, or what is to be stopped is not known. Or the record was not
    /// taken: then it is stopped nevertheless.
    pub fn halt<'b>(&self, by: impl Into<By<'b>>, what: Halt) -> Result<(), Error> {
        let (door, by) = (&self.0, by.into());
        match what {
            Halt::Everything => {
                let now = door.allow(by, AdminAction::HaltEverything, On::House, Vec::new())?;
                door.everything.stop();
                door.administered(by, None, Administered::Everything, now)
            }
            Halt::Blueprint(blueprint) => {
                let says = vec![("blueprint", Said::Text(blueprint.as_str()))];
                let now = door.allow(by, AdminAction::HaltBlueprint, On::House, says)?;
                door.registry.stop_blueprint(&blueprint)?;
                door.administered(by, None, Administered::Blueprint { blueprint }, now)
            }
            Halt::Agent(agent) => {
                door.stop_agent(by, AdminAction::Suspend, Edit::Suspend(agent.clone()), &agent).map(drop)
            }
            Halt::Task(task) => {
                door.active(by)?;
                let open = locked(&door.open).get(&task).cloned();
                let assignment = open.ok_or(Error::UnknownTask(task))?;
                let agent = assignment.mandate().agent().id();
                let now = door.allow(by, AdminAction::HaltTask, On::Agent(&door.governed(agent)?), Vec::new())?;
                if !assignment.end(TaskState::Halted) || assignment.state() != TaskState::Halted {
                    return Err(Error::UnknownTask(assignment.task().clone()));
                }
                let lanes = Door::lanes(by, Some(agent), Administered::Task);
                door.trail.write(assignment.txn(), Some(assignment.task()), now, lanes)?;
                Ok(())
            }
        }
    }

    /// Lets new tasks begin after everything, or a blueprint, was halted; or an agent try that was cut off. What was halted
    /// stays dead.
    ///
    /// # Errors
    ///
    /// The operator may not do this, the session is over, no agent was registered from the blueprint, the record was not taken,
    /// or somebody halted again meanwhile: then it stays halted. A breaker that was tried or opened again meanwhile stays as it is.
    pub fn resume<'b>(&self, by: impl Into<By<'b>>, what: Resume) -> Result<(), Error> {
        let (door, by) = (&self.0, by.into());
        match what {
            Resume::Everything => {
                // What is halted after this is not what this person saw.
                let stop = door.everything.stopped();
                let now = door.allow(by, AdminAction::Resume, On::House, Vec::new())?;
                let told = (Administered::Resumed, Administered::NotResumed);
                door.restart(by, stop, told, now, |stop| door.everything.restart(stop))
            }
            Resume::Blueprint(blueprint) => {
                let stop = door.registry.stopped_blueprint(&blueprint);
                let says = vec![("blueprint", Said::Text(blueprint.as_str()))];
                let now = door.allow(by, AdminAction::ResumeBlueprint, On::House, says)?;
                let resumed = Administered::BlueprintResumed { blueprint: blueprint.clone() };
                let not_resumed = Administered::BlueprintNotResumed { blueprint: blueprint.clone() };
                door.restart(by, stop?, (resumed, not_resumed), now, |stop| {
                    door.registry.restart_blueprint(&blueprint, stop)
                })
            }
            Resume::Breaker(agent) => {
                door.active(by)?;
                let governed = door.governed(&agent)?;
                // What opens after this is not what this person saw.
                let conduct = door.watch.known(&agent);
                let seen = conduct.zip(Some(door.now()?)).and_then(|(own, now)| Some((own.pausing(now)?, own)));
                let now = door.allow(by, AdminAction::ResetBreaker, On::Agent(&governed), Vec::new())?;
                let Some((opening, conduct)) = seen else { return Ok(()) };
                door.administered(by, Some(&agent), Administered::BreakerReset, now)?;
                // Whoever left meanwhile lets nobody try.
                let reset = match door.active(by) {
                    Ok(now) if conduct.reset(opening, now) => return Ok(()),
                    Ok(_) => Err(Error::BreakerMoved(agent.clone())),
                    Err(error) => Err(error),
                };
                let undone = Administered::NotDone { action: AdminAction::ResetBreaker };
                door.administered(by, Some(&agent), undone, now)?;
                reset
            }
        }
    }

    /// Stops an agent for good. Its id is never used again.
    ///
    /// # Errors
    ///
    /// As [`halt`](Self::halt).
    pub fn retire(&self, by: &OperatorSession, agent: &AgentId) -> Result<Change, Error> {
        self.0.stop_agent(by.into(), AdminAction::Retire, Edit::Retire(agent.clone()), agent)
    }

    /// A person leaves: their approvals end, with every action on their behalf, and the agents that have no other
    /// active sponsor are suspended. Other agents go on autonomously, under their sponsors.
    ///
    /// # Errors
    ///
    /// As [`halt`](Self::halt).
    pub fn offboard(&self, by: &OperatorSession, operator: &OperatorId) -> Result<Change, Error> {
        let (door, edit) = (&self.0, Edit::Offboard(operator.clone()));
        let now = door.allow(by.into(), AdminAction::Offboard, On::Operator(operator), Vec::new())?;
        let change = door.take(&edit, now)?;
        let suspended = change.agents().to_vec();
        let what = Administered::Offboarded { left: operator.clone(), suspended, ended: change.ended() };
        door.changed(by, &change, what, now)?;
        Ok(change)
    }

    /// Replaces the policies, a text or a [`Bundle`]. Permits that older policies gave are not honoured any more.
    ///
    /// # Errors
    ///
    /// The operator may not do this, the session is over, the policies do not load, a later version is loaded and this one
    /// not forced, it is not sealed by the pinned key, others are being loaded, or the record was not taken: then the older
    /// policies stay.
    pub fn reload(&self, by: &OperatorSession, bundle: impl Into<Bundle>) -> Result<Digest, Error> {
        let now = self.0.allow(by.into(), AdminAction::Reload, On::House, Vec::new())?;
        // Never waited for: bundles are installed in the order in which they are recorded.
        let _reloading = self.0.reloading.try_lock().map_err(|_| Error::Reloading)?;
        let loaded = self.0.evaluator.prepare(&bundle.into())?;
        let digest = loaded.digest();
        self.0.administered(by.into(), None, Administered::Policies { digest }, now)?;
        // Whoever left meanwhile replaces nothing.
        self.0.active(by.into()).inspect_err(|_| {
            let _ = self.0.administered(by.into(), None, Administered::NotDone { action: AdminAction::Reload }, now);
        })?;
        self.0.evaluator.install(loaded);
        Ok(digest)
    }
}

/// What somebody would do, to what, and what else is said of it.
pub(crate) type Wanted<'m> = (AdminAction, On<'m>, Vec<(&'static str, Said<'m>)>);

impl Door {
    /// Whether this session goes on, its operator is active, and the glass that they broke is a cover still.
    pub(crate) fn active(&self, by: By<'_>) -> Result<Timestamp, Error> {
        let now = self.now()?;
        let (session, operator) = (by.session(), by.session().operator().id());
        self.registry.hold_operator(operator)?;
        if !session.is_valid_at(now) {
            return Err(Error::SessionOver { operator: operator.clone(), until: session.until(), now });
        }
        match by.glass() {
            Some(glass) if !glass.is_of(self) => Err(Error::GlassElsewhere(operator.clone())),
            Some(glass) if now >= glass.until() => Err(Error::GlassOver { until: glass.until(), now }),
            _ => Ok(now),
        }
    }

    /// Whether policies let this person do this.
    pub(crate) fn allow(
        &self,
        by: By<'_>,
        action: AdminAction,
        on: On<'_>,
        says: Vec<(&'static str, Said<'_>)>,
    ) -> Result<Timestamp, Error> {
        let (now, operator) = (self.active(by)?, by.session().operator().id());
        self.administration.check(&Motion {
            by: by.session(),
            administrator: self.administrators.contains(operator),
            listed: self.listed.contains(operator),
            glass_broken: by.glass().is_some(),
            action,
            on,
            says,
            now,
        })?;
        if let Some(glass) = by.glass() {
            tracing::error!(%operator, %action, why = %glass.why(), "done behind broken glass");
        }
        Ok(now)
    }

    /// An agent as policies of administration see it.
    pub(crate) fn governed(&self, agent: &AgentId) -> Result<Governed, Error> {
        let (state, people) = self.registry.governed(agent)?;
        let [sponsors, owners, managers] = people;
        Ok(Governed { id: agent.clone(), state: Some(state), sponsors, owners, managers })
    }

    /// Lets something go on that stands at `stop`, once that is recorded.
    fn restart(
        &self,
        by: By<'_>,
        stop: Option<Stop>,
        (resumed, not_resumed): (Administered, Administered),
        now: Timestamp,
        restart: impl FnOnce(&Stop) -> bool,
    ) -> Result<(), Error> {
        let Some(stop) = stop else { return Ok(()) };
        self.administered(by, None, resumed, now)?;
        // Whoever pressed the button again in the meantime has the last word.
        let refused = match self.active(by) {
            Ok(_) if restart(&stop) => return Ok(()),
            Ok(_) => Error::Halted,
            Err(error) => error,
        };
        self.administered(by, None, not_resumed, now)?;
        Err(refused)
    }

    /// Stops an agent, and then records that.
    fn stop_agent(&self, by: By<'_>, action: AdminAction, edit: Edit, agent: &AgentId) -> Result<Change, Error> {
        self.active(by)?;
        let governed = self.governed(agent)?;
        let now = self.allow(by, action, On::Agent(&governed), Vec::new())?;
        let change = self.take(&edit, now)?;
        let ended = change.ended();
        let what = match action {
            AdminAction::Retire => Administered::Retired { ended },
            _ => Administered::Suspended { ended },
        };
        self.administered(by, Some(agent), what, now)?;
        Ok(change)
    }

    /// Makes a change that takes something away; it is not recorded yet.
    pub(crate) fn take(&self, edit: &Edit, now: Timestamp) -> Result<Change, Error> {
        let change = self.registry.apply(edit)?;
        let ended = self.end_tasks(change.agents(), now);
        Ok(change.ending(ended))
    }

    /// Ends what is open of agents that were stopped, and what is below it, which is dead already: for the record. Looks at
    /// nobody else's tasks.
    fn end_tasks(&self, agents: &[AgentId], now: Timestamp) -> Ended {
        let conducts = agents.iter().filter_map(|agent| self.watch.known(agent));
        let own: Vec<Arc<Assignment>> = conducts.flat_map(|conduct| conduct.tasks()).collect();
        let all = own.iter().flat_map(|task| std::iter::once(Arc::clone(task)).chain(task.below()));
        let open: Vec<Arc<Assignment>> = all.filter(|task| task.was_going_on()).collect();
        let ended = open.iter().filter(|assignment| assignment.end(TaskState::Halted));
        ended.fold(Ended::default(), |sum, assignment| sum.with(assignment.issued().count(now)))
    }

    /// Makes a change that gives something, once it is recorded.
    pub(crate) fn change(
        &self,
        by: &OperatorSession,
        (action, on, says): Wanted<'_>,
        edit: &Edit,
        (agent, what): (Option<&AgentId>, Administered),
    ) -> Result<Change, Error> {
        let now = self.allow(by.into(), action, on, says)?;
        let seen = match on {
            On::Agent(agent) => agent.seen(),
            On::House | On::Operator(_) => None,
        };
        self.registry.check(edit)?;
        self.administered(by.into(), agent, what, now)?;
        self.registry.apply_as(edit, by.operator().id(), seen).map_err(|error| {
            // Something else came first. Nothing was done, whether or not that can be written.
            let _ = self.administered(by.into(), agent, Administered::NotDone { action }, now);
            error.into()
        })
    }

    fn lanes(by: By<'_>, agent: Option<&AgentId>, what: Administered) -> Lanes {
        let operator = by.session().operator().id().clone();
        let fact = match by.glass() {
            None => OperatorFact::Administered(what.clone()),
            Some(glass) => OperatorFact::Emergency { why: glass.why().clone(), did: what.clone() },
        };
        Lanes {
            operator: Some((operator, fact)),
            agent: agent.map(|agent| (agent.clone(), AgentFact::Administered(what))),
            agent_user: None,
        }
    }

    pub(crate) fn administered(
        &self,
        by: By<'_>,
        agent: Option<&AgentId>,
        what: Administered,
        now: Timestamp,
    ) -> Result<(), Error> {
        let seen = |agent: &AgentId| Some((self.registry.seen_as(agent)?, agent.clone(), what.seen()?));
        let agent_user = agent.and_then(seen);
        self.write(now, Lanes { agent_user, ..Self::lanes(by, agent, what) })
    }

    /// Records a change of the registry: once for each agent that it stopped, or once if it stopped none.
    fn changed(&self, by: &OperatorSession, change: &Change, what: Administered, now: Timestamp) -> Result<(), Error> {
        if change.agents().is_empty() {
            return self.administered(by.into(), None, what, now);
        }
        // Each is recorded as far as it can be; the first failure is told.
        let record = |agent: &AgentId| self.administered(by.into(), Some(agent), what.clone(), now);
        change.agents().iter().map(record).fold(Ok(()), Result::and)
    }
}
