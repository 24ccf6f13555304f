//! Accountability at the door: who is known, and who answers for which agent in which role.

use crate::audit::Administered;
use crate::authorizer::Authorizer;
use crate::error::Error;
use crate::identity::{
    AccountabilityRole, AgentId, AgentUser, AgentUserId, BlueprintId, Change, Edit, HumanOperator, OperatorId,
    OperatorSession,
};
use crate::policy::{AdminAction, Governed, On, Said};
use crate::time::Timestamp;

impl Authorizer {
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
        let what = Administered::Leaving { person: person.clone(), leaves: at };
        let edit = Edit::Leave(person.clone(), at);
        self.0
            .change(by, (AdminAction::AnnounceLeaving, On::Operator(person), Vec::new()), &edit, (None, what))
            .map(drop)
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
        self.0.change(by, (AdminAction::Enroll, On::Operator(person.id()), Vec::new()), &edit, (None, what)).map(drop)
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
        self.make_known(by, agent, sponsors, None)
    }

    /// The same, with what the agent was made from: for good, as its id.
    ///
    /// # Errors
    ///
    /// As [`register`](Self::register), or the blueprint is halted.
    pub fn register_from(
        &self,
        by: &OperatorSession,
        blueprint: BlueprintId,
        agent: &AgentId,
        sponsors: impl IntoIterator<Item = OperatorId>,
    ) -> Result<(), Error> {
        self.make_known(by, agent, sponsors, Some(blueprint))
    }

    fn make_known(
        &self,
        by: &OperatorSession,
        agent: &AgentId,
        sponsors: impl IntoIterator<Item = OperatorId>,
        blueprint: Option<BlueprintId>,
    ) -> Result<(), Error> {
        let mut sponsors: Vec<OperatorId> = sponsors.into_iter().collect();
        sponsors.sort();
        sponsors.dedup();
        let new = Governed {
            id: agent.clone(),
            state: None,
            sponsors: sponsors.clone(),
            owners: Vec::new(),
            managers: Vec::new(),
        };
        let what = Administered::Registered { sponsors: sponsors.clone(), blueprint: blueprint.clone() };
        let edit = Edit::Register(agent.clone(), sponsors, blueprint);
        self.0.change(by, (AdminAction::Register, On::Agent(&new), Vec::new()), &edit, (Some(agent), what)).map(drop)
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
        self.0
            .change(by, (AdminAction::Assign, On::Agent(&governed), said(role, person)), &edit, (Some(agent), what))
            .map(drop)
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
        let now = door.allow(by.into(), AdminAction::Withdraw, On::Agent(&governed), said(role, person))?;
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
        let (governed, says) = (self.0.governed(agent)?, vec![("from", Said::Person(from)), ("to", Said::Person(to))]);
        let what = Administered::Transferred { from: from.clone(), to: to.clone() };
        let edit = Edit::Transfer(agent.clone(), from.clone(), to.clone());
        self.0.change(by, (AdminAction::Transfer, On::Agent(&governed), says), &edit, (Some(agent), what)).map(drop)
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
        let now = door.allow(by.into(), AdminAction::Bind, On::Agent(&governed), says)?;
        let bound = door.registry.bind(agent, user)?;
        door.administered(by.into(), Some(agent), Administered::Bound { agent_user: bound.id().clone() }, now)?;
        Ok(bound)
    }
}

/// What an administrative action says of a role.
fn said<'m>(role: AccountabilityRole, person: &'m OperatorId) -> Vec<(&'static str, Said<'m>)> {
    vec![("role", Said::Text(role.as_str())), ("person", Said::Person(person))]
}
