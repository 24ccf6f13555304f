//! Administering at the door: who may is decided by policy, what is taken away takes effect at once, and all is recorded.

use std::fmt;
use std::time::Duration;

use crate::audit::{Administered, AgentFact, Lanes, OperatorFact};
use crate::authorizer::{Authorizer, Halt};
use crate::canonical::Digest;
use crate::door::Door;
use crate::error::Error;
use crate::id::Prose;
use crate::identity::{
    AccountabilityRole, AgentId, AgentUser, AgentUserId, Change, Edit, Ended, FreshProof, HumanOperator,
    IdentityVerifier, OperatorId, OperatorSession, Reinstatement,
};
use crate::live::locked;
use crate::mandate::{Approval, Assignment, Consent, TaskState};
use crate::policy::{Bundle, Deed, Governed, Motion, On, Said};
use crate::time::Timestamp;

/// How long broken glass is a cover at most.
const GLASS_FOR: Duration = Duration::from_secs(3600);

/// On whose word something is stopped or resumed: a person's session, or the glass that they broke.
#[derive(Debug, Clone, Copy)]
pub struct By<'b> {
    session: &'b OperatorSession,
    glass: Option<&'b BreakGlass>,
}

impl<'b> From<&'b OperatorSession> for By<'b> {
    fn from(session: &'b OperatorSession) -> Self {
        Self { session, glass: None }
    }
}

impl<'b> From<&'b BreakGlass> for By<'b> {
    fn from(glass: &'b BreakGlass) -> Self {
        Self { session: &glass.session, glass: Some(glass) }
    }
}

/// Broken glass: one person's emergency, for an hour at most. It covers stopping and resuming, and nothing that an agent
/// does.
///
/// Made by [`Authorizer::break_glass`].
pub struct BreakGlass {
    session: OperatorSession,
    why: Prose,
    until: Timestamp,
}

impl fmt::Debug for BreakGlass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakGlass")
            .field("operator", self.session.operator())
            .field("why", &self.why)
            .field("until", &self.until)
            .finish()
    }
}

impl BreakGlass {
    /// Until when it is a cover; it is over at this moment.
    pub fn until(&self) -> Timestamp {
        self.until
    }
}

impl Authorizer {
    /// Stops tasks at once: every permit and credential below is dead before this returns, recorded or not.
    ///
    /// Unless policies of [`Administration`](crate::policy::Administration) say otherwise, whoever is an active operator may
    /// stop everything or a task; an agent is stopped by somebody who answers for it or by an administrator.
    ///
    /// # Errors
    ///
    /// The session is over, the operator may not do this, or what is to be stopped is not known. Or the record was not
    /// taken: then it is stopped nevertheless.
    pub fn halt<'b>(&self, by: impl Into<By<'b>>, what: Halt) -> Result<(), Error> {
        let (door, by) = (&self.0, by.into());
        match what {
            Halt::Everything => {
                let now = door.allow(by, Deed::HaltEverything, On::House, Vec::new())?;
                door.everything.stop();
                door.administered(by, None, Administered::Everything, now)
            }
            Halt::Agent(agent) => door.stop_agent(by, Deed::Suspend, Edit::Suspend(agent.clone()), &agent).map(drop),
            Halt::Task(task) => {
                door.active(by)?;
                let open = locked(&door.open).get(&task).cloned();
                let assignment = open.ok_or(Error::UnknownTask(task))?;
                let agent = assignment.mandate().agent().id();
                let now = door.allow(by, Deed::HaltTask, On::Agent(&door.governed(agent)?), Vec::new())?;
                if !assignment.end(TaskState::Halted) {
                    return Err(Error::UnknownTask(assignment.task().clone()));
                }
                let lanes = Door::lanes(by, Some(agent), Administered::Task);
                door.trail.write(assignment.txn(), Some(assignment.task()), now, lanes)?;
                Ok(())
            }
        }
    }

    /// Lets new tasks begin after everything was halted. What was halted stays dead.
    ///
    /// # Errors
    ///
    /// The operator may not do this, the session is over, the record was not taken, or somebody halted again meanwhile:
    /// then it stays halted.
    pub fn resume<'b>(&self, by: impl Into<By<'b>>) -> Result<(), Error> {
        let by = by.into();
        let now = self.0.allow(by, Deed::Resume, On::House, Vec::new())?;
        let Some(stop) = self.0.everything.stopped() else {
            return Ok(());
        };
        self.0.administered(by, None, Administered::Resumed, now)?;
        // Whoever pressed the button again in the meantime has the last word.
        if self.0.everything.restart(stop) {
            return Ok(());
        }
        self.0.administered(by, None, Administered::NotResumed, now)?;
        Err(Error::Halted)
    }

    /// Breaks the glass: for at most an hour of this session, and as far as policies of
    /// [`Administration`](crate::policy::Administration) let it, this person stops agents that are not theirs, and resumes,
    /// without being an administrator. Each use is told as an error to `tracing`, and recorded as an emergency.
    ///
    /// # Errors
    ///
    /// The operator is none of those whom the host [lists](crate::Builder::may_break_glass), the session is over, or the
    /// record was not taken.
    pub fn break_glass(&self, by: &OperatorSession, why: Prose) -> Result<BreakGlass, Error> {
        let now = self.0.allow(by.into(), Deed::BreakGlass, On::House, Vec::new())?;
        let until = by.until().min(now.after(GLASS_FOR));
        tracing::error!(operator = %by.operator().id(), %why, %until, "the glass was broken");
        let what = Administered::GlassBroken { why: why.clone(), until };
        self.0.administered(by.into(), None, what, now)?;
        Ok(BreakGlass { session: by.clone(), why, until })
    }

    /// Stops an agent for good. Its id is never used again.
    ///
    /// # Errors
    ///
    /// As [`halt`](Self::halt).
    pub fn retire(&self, by: &OperatorSession, agent: &AgentId) -> Result<Change, Error> {
        self.0.stop_agent(by.into(), Deed::Retire, Edit::Retire(agent.clone()), agent)
    }

    /// A person leaves: their approvals end, with every action on their behalf, and the agents that have no other
    /// active sponsor are suspended. Other agents go on autonomously, under their sponsors.
    ///
    /// # Errors
    ///
    /// As [`halt`](Self::halt).
    pub fn offboard(&self, by: &OperatorSession, operator: &OperatorId) -> Result<Change, Error> {
        let (door, edit) = (&self.0, Edit::Offboard(operator.clone()));
        let now = door.allow(by.into(), Deed::Offboard, On::Operator(operator), Vec::new())?;
        let change = door.take(&edit, now)?;
        let suspended = change.agents().to_vec();
        let what = Administered::Offboarded { left: operator.clone(), suspended, ended: change.ended() };
        door.changed(by, &change, what, now)?;
        Ok(change)
    }

    /// Says when a person will leave, or that they will not after all; a [review](Self::review) warns of agents that they
    /// sponsor. Nothing else comes of it: they have left when they are [offboarded](Self::offboard).
    ///
    /// # Errors
    ///
    /// The operator may not do this, the session is over, the person is not active, or the record was not taken.
    pub fn announce_leaving(
        &self,
        by: &OperatorSession,
        person: &OperatorId,
        at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let what = Administered::Leaving { person: person.clone(), at };
        let edit = Edit::Leave(person.clone(), at);
        self.0.change(by, (Deed::AnnounceLeaving, On::Operator(person), Vec::new()), &edit, (None, what)).map(drop)
    }

    /// Makes a person known, as active.
    ///
    /// # Errors
    ///
    /// The operator may not do this, the session is over, the id is registered or was, or the record was not taken: then
    /// nothing has changed.
    pub fn enroll(&self, by: &OperatorSession, person: &HumanOperator) -> Result<(), Error> {
        let what = Administered::Enrolled { person: person.id().clone() };
        let edit = Edit::Enroll(person.id().clone());
        self.0.change(by, (Deed::Enroll, On::Operator(person.id()), Vec::new()), &edit, (None, what)).map(drop)
    }

    /// Makes an agent known, as active, with the people who answer for it.
    ///
    /// # Errors
    ///
    /// The operator may not do this, the session is over, the [registry](crate::identity::Registry::register) refuses, or
    /// the record was not taken: then nothing has changed.
    pub fn register(
        &self,
        by: &OperatorSession,
        agent: &AgentId,
        sponsors: impl IntoIterator<Item = OperatorId>,
    ) -> Result<(), Error> {
        let mut sponsors: Vec<OperatorId> = sponsors.into_iter().collect();
        sponsors.sort();
        sponsors.dedup();
        let new = Governed {
            id: agent.clone(),
            state: "new",
            sponsors: sponsors.clone(),
            owners: Vec::new(),
            managers: Vec::new(),
        };
        let what = Administered::Registered { sponsors: sponsors.clone() };
        let edit = Edit::Register(agent.clone(), sponsors);
        self.0.change(by, (Deed::Register, On::Agent(&new), Vec::new()), &edit, (Some(agent), what)).map(drop)
    }

    /// Gives a person a role in the life of an agent.
    ///
    /// # Errors
    ///
    /// The operator may not do this, the session is over, the [registry](crate::identity::Registry::assign) refuses, or the
    /// record was not taken: then nothing has changed.
    pub fn assign(
        &self,
        by: &OperatorSession,
        agent: &AgentId,
        role: AccountabilityRole,
        person: &OperatorId,
    ) -> Result<(), Error> {
        self.0.active(by.into())?;
        let (governed, what) = (self.0.governed(agent)?, Administered::Assigned { role, person: person.clone() });
        let edit = Edit::Assign(agent.clone(), role, person.clone());
        self.0.change(by, (Deed::Assign, On::Agent(&governed), said(role, person)), &edit, (Some(agent), what)).map(drop)
    }

    /// Takes a role in the life of an agent from a person. The agent is suspended when that was its last active sponsor;
    /// to hand it over instead, [`transfer`](Self::transfer) it.
    ///
    /// # Errors
    ///
    /// The operator may not do this, the session is over, the person does not have the role, or the agent is retired. Or the
    /// record was not taken: then the role is taken nevertheless.
    pub fn withdraw(
        &self,
        by: &OperatorSession,
        agent: &AgentId,
        role: AccountabilityRole,
        person: &OperatorId,
    ) -> Result<Change, Error> {
        let door = &self.0;
        door.active(by.into())?;
        let governed = door.governed(agent)?;
        let now = door.allow(by.into(), Deed::Withdraw, On::Agent(&governed), said(role, person))?;
        let change = door.take(&Edit::Withdraw(agent.clone(), role, person.clone()), now)?;
        let (suspended, ended) = (!change.agents().is_empty(), change.ended());
        let what = Administered::Withdrawn { role, person: person.clone(), suspended, ended };
        door.administered(by.into(), Some(agent), what, now)?;
        Ok(change)
    }

    /// Hands the sponsorship of an agent from one person to another. It is never without a sponsor, and its tasks go on:
    /// from now on the other one answers for them.
    ///
    /// # Errors
    ///
    /// The operator may not do this, the session is over, `from` does not sponsor the agent or `to` does already, `to` is no
    /// active operator, the agent is retired, or the record was not taken: then nothing has changed.
    pub fn transfer(
        &self,
        by: &OperatorSession,
        agent: &AgentId,
        from: &OperatorId,
        to: &OperatorId,
    ) -> Result<(), Error> {
        self.0.active(by.into())?;
        let (governed, says) =
            (self.0.governed(agent)?, vec![("from", Said::Person(from)), ("to", Said::Person(to))]);
        let what = Administered::Transferred { from: from.clone(), to: to.clone() };
        let edit = Edit::Transfer(agent.clone(), from.clone(), to.clone());
        self.0.change(by, (Deed::Transfer, On::Agent(&governed), says), &edit, (Some(agent), what)).map(drop)
    }

    /// Binds an agent user to its agent, for good.
    ///
    /// # Errors
    ///
    /// The operator may not do this, the session is over, or the [registry](crate::identity::Registry::bind) refuses. Or the
    /// record was not taken: then it is bound nevertheless, which adds no authority.
    pub fn bind(&self, by: &OperatorSession, agent: &AgentId, user: AgentUserId) -> Result<AgentUser, Error> {
        let door = &self.0;
        door.active(by.into())?;
        let governed = door.governed(agent)?;
        let says = vec![("system", Said::Text(user.system().as_str()))];
        let now = door.allow(by.into(), Deed::Bind, On::Agent(&governed), says)?;
        let bound = door.registry.bind(agent, user)?;
        door.administered(by.into(), Some(agent), Administered::Bound { agent_user: bound.id().clone() }, now)?;
        Ok(bound)
    }

    /// Verifies, now, the proof of a workload whose agent is suspended, so that it can come back.
    ///
    /// # Errors
    ///
    /// The clock failed, or the verifier refused the proof.
    pub fn prove(
        &self,
        reinstatement: &Reinstatement,
        verifier: &dyn IdentityVerifier,
        proof: &str,
    ) -> Result<FreshProof, Error> {
        Ok(FreshProof::verify(reinstatement, verifier, proof, self.0.now()?)?)
    }

    /// Lets a suspended agent be admitted again: what it takes is a proof from after it was stopped, and a person's
    /// approval of exactly this [`Reinstatement`]. Nothing that it held comes back: tasks, permits, credentials and agent
    /// users of before stay dead, and the agent user is [bound](crate::identity::Registry::bind) anew.
    ///
    /// Unless policies of [`Administration`](crate::policy::Administration) say otherwise, an administrator does it, the
    /// approval is a sponsor's, and the proof an attested one.
    ///
    /// # Errors
    ///
    /// The operator may not do this, the session is over; the agent is not suspended, was stopped again meanwhile, or has no
    /// active sponsor; the proof is of another agent, over, or one that it was admitted by before; the approval is of
    /// something else, over, used before, or of somebody who is not active; or the record was not taken. Then nothing has
    /// changed.
    pub fn reinstate(&self, by: &OperatorSession, proof: FreshProof, approval: Approval) -> Result<(), Error> {
        let door = &self.0;
        let now = door.active(by.into())?;
        let (workload, reinstatement) = (proof.workload(), proof.reinstatement());
        let agent = reinstatement.agent();
        let governed = door.governed(agent)?;
        let wrong = || Error::NotForReinstatement { approval: approval.id().clone() };
        door.registry.hold_operator(approval.operator())?;
        let is_of_this = matches!(approval.consent(), Consent::Reinstatement(of) if of == reinstatement);
        if !is_of_this || !approval.is_presentable_at(now) {
            return Err(wrong());
        }
        door.registry.check_proof(reinstatement, workload, now)?;
        let says = vec![
            ("approver", Said::Person(approval.operator())),
            ("attested", Said::Yes(workload.method().is_attested())),
            ("proof", Said::Text(workload.method().as_str())),
        ];
        let what = Administered::Reinstated {
            proof: workload.method(),
            digest: *workload.digest(),
            approver: approval.operator().clone(),
            approval: approval.id().clone(),
            evidence: *approval.evidence(),
        };
        let edit = Edit::Reinstate(reinstatement.clone(), *workload.digest());
        let once = |source| Error::Once { approval: approval.id().clone(), source };
        door.consume(&approval, now).map_err(once)?;
        let done = door.change(by, (Deed::Reinstate, On::Agent(&governed), says), &edit, (Some(agent), what));
        done.map(drop).inspect_err(|_| door.release(&approval))
    }

    /// Replaces the policies, a text or a [`Bundle`]. Permits that older policies gave are not honoured any more.
    ///
    /// # Errors
    ///
    /// The operator may not do this, the session is over, the policies do not load, a later version is loaded and this one
    /// not forced, it is not sealed by the pinned key, others are being loaded, or the record was not taken: then the older
    /// policies stay.
    pub fn reload(&self, by: &OperatorSession, bundle: impl Into<Bundle>) -> Result<Digest, Error> {
        let now = self.0.allow(by.into(), Deed::Reload, On::House, Vec::new())?;
        // Never waited for: bundles are installed in the order in which they are recorded.
        let _reloading = self.0.reloading.try_lock().map_err(|_| Error::Reloading)?;
        let loaded = self.0.evaluator.prepare(&bundle.into())?;
        let digest = loaded.digest();
        self.0.administered(by.into(), None, Administered::Policies { digest }, now)?;
        self.0.evaluator.install(loaded);
        Ok(digest)
    }
}

/// What a deed says of a role.
fn said<'m>(role: AccountabilityRole, person: &'m OperatorId) -> Vec<(&'static str, Said<'m>)> {
    vec![("role", Said::Text(role.as_str())), ("person", Said::Person(person))]
}

/// What somebody would do, to what, and what else is said of it.
type Wanted<'m> = (Deed, On<'m>, Vec<(&'static str, Said<'m>)>);

impl Door {
    /// Whether this session goes on, its operator is active, and the glass that they broke is a cover still.
    fn active(&self, by: By<'_>) -> Result<Timestamp, Error> {
        let now = self.now()?;
        let (session, operator) = (by.session, by.session.operator().id());
        self.registry.hold_operator(operator)?;
        if !session.is_valid_at(now) {
            return Err(Error::SessionOver { operator: operator.clone(), until: session.until(), now });
        }
        match by.glass {
            Some(glass) if now >= glass.until => Err(Error::GlassOver { until: glass.until, now }),
            _ => Ok(now),
        }
    }

    /// Whether policies let this person do this.
    fn allow(
        &self,
        by: By<'_>,
        deed: Deed,
        on: On<'_>,
        says: Vec<(&'static str, Said<'_>)>,
    ) -> Result<Timestamp, Error> {
        let (now, operator) = (self.active(by)?, by.session.operator().id());
        self.administration.check(&Motion {
            by: by.session,
            administrator: self.administrators.contains(operator),
            listed: self.listed.contains(operator),
            glass_broken: by.glass.is_some(),
            deed,
            on,
            says,
            now,
        })?;
        if let Some(glass) = by.glass {
            tracing::error!(%operator, %deed, why = %glass.why, "done behind broken glass");
        }
        Ok(now)
    }

    /// An agent as policies of administration see it.
    fn governed(&self, agent: &AgentId) -> Result<Governed, Error> {
        let (state, people) = self.registry.governed(agent)?;
        let [sponsors, owners, managers] = people;
        Ok(Governed { id: agent.clone(), state: state.as_str(), sponsors, owners, managers })
    }

    /// Stops an agent, and then records that.
    fn stop_agent(&self, by: By<'_>, deed: Deed, edit: Edit, agent: &AgentId) -> Result<Change, Error> {
        self.active(by)?;
        let governed = self.governed(agent)?;
        let now = self.allow(by, deed, On::Agent(&governed), Vec::new())?;
        let change = self.take(&edit, now)?;
        let ended = change.ended();
        let what = match deed {
            Deed::Retire => Administered::Retired { ended },
            _ => Administered::Suspended { ended },
        };
        self.administered(by, Some(agent), what, now)?;
        Ok(change)
    }

    /// Makes a change that takes something away; it is not recorded yet.
    fn take(&self, edit: &Edit, now: Timestamp) -> Result<Change, Error> {
        let change = self.registry.apply(edit)?;
        let ended = self.end_tasks(change.agents(), now);
        Ok(change.ending(ended))
    }

    /// Ends what is open of agents that were stopped, which is dead already: for the record.
    fn end_tasks(&self, agents: &[AgentId], now: Timestamp) -> Ended {
        if agents.is_empty() {
            return Ended::default();
        }
        let is_theirs = |assignment: &Assignment| agents.binary_search(assignment.mandate().agent().id()).is_ok();
        let open: Vec<_> =
            locked(&self.open).values().filter(|assignment| is_theirs(assignment)).cloned().collect();
        let ended = open.iter().filter(|assignment| assignment.end(TaskState::Halted));
        ended.fold(Ended::default(), |sum, assignment| sum.with(assignment.issued().count(now)))
    }

    /// Makes a change that gives something, once it is recorded.
    fn change(
        &self,
        by: &OperatorSession,
        (deed, on, says): Wanted<'_>,
        edit: &Edit,
        (agent, what): (Option<&AgentId>, Administered),
    ) -> Result<Change, Error> {
        let now = self.allow(by.into(), deed, on, says)?;
        self.registry.check(edit)?;
        self.administered(by.into(), agent, what, now)?;
        self.registry.apply(edit).map_err(|error| {
            // Something else came first. Nothing was done, whether or not that can be written.
            let _ = self.administered(by.into(), agent, Administered::NotDone { deed }, now);
            error.into()
        })
    }

    fn lanes(by: By<'_>, agent: Option<&AgentId>, what: Administered) -> Lanes {
        let operator = by.session.operator().id().clone();
        let fact = match by.glass {
            None => OperatorFact::Administered(what.clone()),
            Some(glass) => OperatorFact::Emergency { why: glass.why.clone(), did: what.clone() },
        };
        Lanes {
            operator: Some((operator, fact)),
            agent: agent.map(|agent| (agent.clone(), AgentFact::Administered(what))),
            agent_user: None,
        }
    }

    fn administered(
        &self,
        by: By<'_>,
        agent: Option<&AgentId>,
        what: Administered,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write(now, Self::lanes(by, agent, what))
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
