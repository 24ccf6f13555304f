//! The approval request: a held action on its way to the people who answer for it, and what they answered.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::quorum::{MAX_LISTED, MAX_PEOPLE};
use super::{ActionRequest, Approval, Objection, Panel};
use crate::id::ApprovalId;
use crate::identity::{OperatorId, OperatorSession};
use crate::strict::{Object, object, objects, present_object, word};
use crate::time::Timestamp;

/// The life of a request. *Pending* is left once, and never entered again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RequestState {
    /// It waits for people.
    Pending,
    /// Enough people said yes.
    Approved,
    /// Somebody said no.
    Denied,
    /// Its time is over, and too few answered.
    Expired,
    /// Whoever asked does not ask any more.
    Cancelled,
}

impl RequestState {
    /// The name in JSON and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What one person answered, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Answer {
    /// Who.
    #[serde(deserialize_with = "object")]
    pub operator: OperatorId,
    /// Their approval; none where they said no.
    #[serde(deserialize_with = "Option::deserialize")]
    pub approval: Option<ApprovalId>,
    /// When.
    pub at: Timestamp,
}

/// A request does not take this answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// It does not wait any more.
    #[error("the request is {}, not pending", .0.as_str())]
    Left(RequestState),
    /// It is not this person's to answer.
    #[error("the operator {0} is not among those who answer this request")]
    NotAsked(OperatorId),
    /// This person answered already.
    #[error("the operator {0} has answered this request already")]
    Answered(OperatorId),
    /// The answer is to another request.
    #[error("the answer of the operator {0} is to another request")]
    OtherAction(OperatorId),
    /// The answer is over, or was given in a session that is.
    #[error("the answer of the operator {operator} cannot be presented at {now}")]
    Over {
        /// Who answered.
        operator: OperatorId,
        /// The time now.
        now: Timestamp,
    },
}

/// A held action on its way to the people who answer for it: who may, how many it takes, until when, and what they answered so
/// far. Made by a denial that a human can lift ([`Denial::asks`](crate::audit::Denial::asks)).
///
/// It is a note and no key: serialisable, so that the answer may come tomorrow in another process, and worth nothing to whoever
/// alters it, since what is permitted is decided anew from the [`Approval`]s themselves.
///
/// In JSON: `{"action": {…}, "people": 1, "among": [{"iss": …, "sub": …}], "asked": …, "until": …, "state": "pending"}`, and
/// `"answers"` where there are some; `"needed"` is one of `among` without whom it is not approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Object<Written>")]
pub struct ApprovalRequest {
    action: ActionRequest,
    people: u8,
    among: BTreeSet<OperatorId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    needed: Option<OperatorId>,
    asked: Timestamp,
    until: Timestamp,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    answers: Vec<Answer>,
    state: RequestState,
}

impl ApprovalRequest {
    pub(super) fn new(action: ActionRequest, panel: Panel<'_>, (asked, until): (Timestamp, Timestamp)) -> Self {
        Self {
            action,
            people: panel.people(),
            among: panel.members(),
            needed: panel.needed().cloned(),
            asked,
            until,
            answers: Vec::new(),
            state: RequestState::Pending,
        }
    }

    /// The action.
    pub fn action(&self) -> &ActionRequest {
        &self.action
    }

    /// How many people it takes.
    pub fn people(&self) -> u8 {
        self.people
    }

    /// Who may answer.
    pub fn among(&self) -> &BTreeSet<OperatorId> {
        &self.among
    }

    /// Without whose yes it is not approved, if that is anybody in particular.
    pub fn needed(&self) -> Option<&OperatorId> {
        self.needed.as_ref()
    }

    /// When it was asked.
    pub fn asked(&self) -> Timestamp {
        self.asked
    }

    /// When it is over; it is over at this moment.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// What was answered, in order: of each person once.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// Its state at `now`.
    pub fn state(&self, now: Timestamp) -> RequestState {
        match self.state {
            RequestState::Pending if now >= self.until => RequestState::Expired,
            state => state,
        }
    }

    /// The operator of this session says yes: their approval of exactly this action, which is over when the request is.
    ///
    /// # Errors
    ///
    /// The request does not wait any more, it is not theirs to answer, or the session is over.
    pub fn approve(&mut self, session: &OperatorSession, now: Timestamp) -> Result<Approval, RequestError> {
        let approval = Approval::by(session, self.action.clone()).until(self.until);
        self.answer_as(session, Some(approval.id().clone()), now)?;
        Ok(approval)
    }

    /// The operator of this session says no. One no is enough.
    ///
    /// # Errors
    ///
    /// As for [`approve`](Self::approve).
    pub fn deny(&mut self, session: &OperatorSession, now: Timestamp) -> Result<Objection, RequestError> {
        self.answer_as(session, None, now)?;
        Ok(Objection::by(session, self.action.clone()))
    }

    /// Notes an approval that was given elsewhere: that of a verified token, say. The approval stays good for the action.
    ///
    /// # Errors
    ///
    /// The request does not wait any more, the approval is of another action or over, or it is not that person's to answer.
    pub fn note(&mut self, approval: &Approval, now: Timestamp) -> Result<RequestState, RequestError> {
        let (operator, is_good) = (approval.operator(), approval.is_presentable_at(now));
        let super::Consent::Action(of) = approval.consent() else {
            return Err(RequestError::OtherAction(operator.clone()));
        };
        self.check(operator, of, is_good, now)?;
        self.answer(operator.clone(), Some(approval.id().clone()), now);
        Ok(self.state)
    }

    /// Notes a no that was said elsewhere.
    ///
    /// # Errors
    ///
    /// As for [`note`](Self::note).
    pub fn note_objection(&mut self, objection: &Objection, now: Timestamp) -> Result<RequestState, RequestError> {
        self.check(objection.operator(), objection.action(), objection.is_presentable_at(now), now)?;
        self.answer(objection.operator().clone(), None, now);
        Ok(self.state)
    }

    /// Whoever asked does not ask any more; says whether it waited. [`TaskHandle::cancel`](crate::TaskHandle::cancel) frees its
    /// place in the task.
    pub fn cancel(&mut self, now: Timestamp) -> bool {
        let waited = self.state(now) == RequestState::Pending;
        self.state = if waited { RequestState::Cancelled } else { self.state(now) };
        waited
    }

    /// The operator of this session answers: yes with this approval, or no.
    pub(crate) fn answer_as(
        &mut self,
        session: &OperatorSession,
        approval: Option<ApprovalId>,
        now: Timestamp,
    ) -> Result<(), RequestError> {
        let operator = session.operator().id();
        self.check(operator, &self.action.clone(), session.is_valid_at(now), now)?;
        self.answer(operator.clone(), approval, now);
        Ok(())
    }

    /// Whether it takes an answer of this person to this action now. What has expired stays expired.
    fn check(
        &mut self,
        operator: &OperatorId,
        action: &ActionRequest,
        is_good: bool,
        now: Timestamp,
    ) -> Result<(), RequestError> {
        self.state = self.state(now);
        if self.state != RequestState::Pending {
            return Err(RequestError::Left(self.state));
        }
        let operator = || operator.clone();
        if !self.action.is_same_action(action) {
            return Err(RequestError::OtherAction(operator()));
        }
        if !self.among.contains(&operator()) {
            return Err(RequestError::NotAsked(operator()));
        }
        if self.answers.iter().any(|answer| answer.operator == operator()) {
            return Err(RequestError::Answered(operator()));
        }
        if is_good { Ok(()) } else { Err(RequestError::Over { operator: operator(), now }) }
    }

    fn answer(&mut self, operator: OperatorId, approval: Option<ApprovalId>, at: Timestamp) {
        self.answers.push(Answer { operator, approval, at });
        self.state = self.answered();
    }

    /// What the answers make of it.
    fn answered(&self) -> RequestState {
        let said_yes = |operator: &OperatorId| self.answers.iter().any(|answer| answer.operator == *operator);
        if self.answers.iter().any(|answer| answer.approval.is_none()) {
            return RequestState::Denied;
        }
        if self.answers.len() >= usize::from(self.people) && self.needed.as_ref().is_none_or(said_yes) {
            RequestState::Approved
        } else {
            RequestState::Pending
        }
    }
}

/// The JSON of an [`ApprovalRequest`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    action: ActionRequest,
    people: u8,
    #[serde(deserialize_with = "objects")]
    among: Vec<OperatorId>,
    #[serde(default, deserialize_with = "present_object")]
    needed: Option<OperatorId>,
    asked: Timestamp,
    until: Timestamp,
    #[serde(default, deserialize_with = "objects")]
    answers: Vec<Answer>,
    #[serde(deserialize_with = "word")]
    state: RequestState,
}

/// Only what a request can have become is read.
impl TryFrom<Object<Written>> for ApprovalRequest {
    type Error = &'static str;
    fn try_from(Object(written): Object<Written>) -> Result<Self, Self::Error> {
        let Written { action, people, among, needed, asked, until, answers, state } = written;
        let (listed, distinct) = (among.len(), BTreeSet::from_iter(among));
        if !(1..=MAX_PEOPLE).contains(&people) || listed > MAX_LISTED {
            return Err("1 to 8 people of at most 32 answer a request");
        }
        if distinct.len() != listed || needed.as_ref().is_some_and(|needed| !distinct.contains(needed)) {
            return Err("each person who may answer is named once, and who is needed is one of them");
        }
        let request = Self { action, people, among: distinct, needed, asked, until, answers, state };
        let mut before = asked;
        let mut so_far = Self { answers: Vec::new(), state: RequestState::Pending, ..request.clone() };
        for answer in request.answers.iter().cloned() {
            let is_known = so_far.among.contains(&answer.operator)
                && !so_far.answers.iter().any(|one| one.operator == answer.operator)
                && so_far.state == RequestState::Pending;
            if !is_known || answer.at < before || answer.at >= until {
                return Err("people answer once each, in order, in time, and while the request waits");
            }
            before = answer.at;
            so_far.answer(answer.operator, answer.approval, answer.at);
        }
        let is_left = matches!(state, RequestState::Expired | RequestState::Cancelled);
        let fits = so_far.state == state || (so_far.state == RequestState::Pending && is_left);
        if fits { Ok(request) } else { Err("the state is not what the answers make of the request") }
    }
}
