//! An approval: one operator's consent to one scope, or to one exact action.

use std::sync::Arc;

use super::pass::Text;
use super::{ActionRequest, Scope};
use crate::canonical::{Digest, Encoder};
use crate::id::{ApprovalId, TaskId};
use crate::identity::{AgentId, OperatorId, OperatorSession, Reinstatement};
use crate::time::Timestamp;

/// What a person consents to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Consent {
    /// A task, as far as this scope goes.
    Scope(Scope),
    /// One action, exactly as it was asked for.
    Action(Box<ActionRequest>),
    /// One suspended agent, as it stands, may come back.
    Reinstatement(Box<Reinstatement>),
}

impl From<Reinstatement> for Consent {
    fn from(reinstatement: Reinstatement) -> Self {
        Self::Reinstatement(Box::new(reinstatement))
    }
}

impl From<Scope> for Consent {
    fn from(scope: Scope) -> Self {
        Self::Scope(scope)
    }
}

impl From<ActionRequest> for Consent {
    fn from(request: ActionRequest) -> Self {
        Self::Action(Box::new(request))
    }
}

/// How a consent is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Evidence {
    /// The person gave it in a session of theirs.
    Session {
        /// When they signed in.
        since: Timestamp,
        /// When the session ends: the approval must be presented before.
        until: Timestamp,
    },
    /// A `task-approval+jwt` was verified.
    Token {
        /// When it was issued.
        issued: Timestamp,
    },
    /// The host vouches.
    Vouched,
}

impl Evidence {
    /// Whether what it is of can be presented at `now`: a session must go on.
    pub(super) fn holds_at(&self, now: Timestamp) -> bool {
        match *self {
            Self::Session { since, until } => since <= now && now < until,
            Self::Token { issued } => issued <= now,
            Self::Vouched => true,
        }
    }
}

/// One operator's consent. Good once, until it ends, and not `Clone`; made only from an [`OperatorSession`], a verified token
/// ([`ApprovalVerifier`](super::ApprovalVerifier)), or by [`danger`].
///
/// An approval is an input to a fresh decision, never a stored yes.
#[derive(Debug, PartialEq, Eq)]
pub struct Approval {
    id: ApprovalId,
    operator: OperatorId,
    consent: Consent,
    /// For this agent only, where the approval says so.
    agent: Option<AgentId>,
    /// For this task only, where the approval says so.
    task: Option<TaskId>,
    /// The task that was sealed with it, where the approval says so.
    task_hash: Option<Digest>,
    until: Timestamp,
    /// When it ended as it was given.
    given_until: Timestamp,
    evidence: Evidence,
    /// What a credential names the approval by: the hash of the token, or of the canonical form.
    digest: Digest,
    /// The token, where it came as one: it opens nothing, and is shown to whoever checks a credential that names it.
    text: Option<Text>,
}

impl Approval {
    /// The operator of this session consents, until the session ends or as [`until`](Self::until) says.
    ///
    /// Must be presented while the session goes on.
    pub fn by(session: &OperatorSession, consent: impl Into<Consent>) -> Self {
        let mut encoder = Encoder::new("bailiwick/session-approval/v1");
        encoder.fixed(&session.signed_in().unix().to_be_bytes()).fixed(&session.until().unix().to_be_bytes());
        encoder.fixed(&session.number_approval().to_be_bytes());
        let evidence = Evidence::Session { since: session.signed_in(), until: session.until() };
        Self::new(encoder, session.operator().id().clone(), consent.into(), session.until(), evidence)
    }

    /// What a verified token says: its id and digest, whose consent to what, for which agent and task, when.
    pub(super) fn sealed(
        (id, digest): (ApprovalId, Digest),
        operator: OperatorId,
        consent: Consent,
        (agent, task, task_hash): (AgentId, TaskId, Option<Digest>),
        (issued, until): (Timestamp, Timestamp),
    ) -> Self {
        Self {
            id,
            operator,
            consent,
            agent: Some(agent),
            task: Some(task),
            task_hash,
            until,
            given_until: until,
            evidence: Evidence::Token { issued },
            digest,
            text: None,
        }
    }

    /// The token that it came as.
    pub(super) fn with_text(mut self, token: &str) -> Self {
        self.text = Some(Text(token.into()));
        self
    }

    fn new(mut encoder: Encoder, operator: OperatorId, consent: Consent, until: Timestamp, evidence: Evidence) -> Self {
        encoder.text(operator.issuer().as_str()).text(operator.subject().as_str());
        match &consent {
            Consent::Scope(scope) => {
                encoder.tag(0).fixed(scope.digest().as_bytes());
            }
            Consent::Action(request) => request.encode(encoder.tag(1)),
            Consent::Reinstatement(of) => {
                encoder.tag(2).text(of.agent().as_str()).fixed(&of.number().to_be_bytes());
            }
        }
        let digest = encoder.finish();
        let id = ApprovalId::derive(&digest);
        Self {
            id,
            operator,
            consent,
            agent: None,
            task: None,
            task_hash: None,
            until,
            given_until: until,
            evidence,
            digest,
            text: None,
        }
    }

    /// Ends at `until`; it is over at this moment. What was given in a session may outlast it; what somebody else
    /// sealed or vouched for only gets shorter.
    #[must_use]
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = match self.evidence {
            Evidence::Session { .. } => until,
            Evidence::Token { .. } | Evidence::Vouched => until.min(self.given_until),
        };
        self
    }

    /// The approval's id.
    pub fn id(&self) -> &ApprovalId {
        &self.id
    }

    /// Who consents.
    pub fn operator(&self) -> &OperatorId {
        &self.operator
    }

    /// To what.
    pub fn consent(&self) -> &Consent {
        &self.consent
    }

    /// When it ends.
    pub fn ends(&self) -> Timestamp {
        self.until
    }

    /// How it is known.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// What credentials name it by.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// For which agent only, if the approval says so.
    pub fn agent(&self) -> Option<&AgentId> {
        self.agent.as_ref()
    }

    /// For which task only, if the approval says so.
    pub fn task(&self) -> Option<&TaskId> {
        self.task.as_ref()
    }

    pub(crate) fn text(&self) -> Option<&Arc<str>> {
        self.text.as_ref().map(|text| &text.0)
    }

    pub(crate) fn task_hash(&self) -> Option<&Digest> {
        self.task_hash.as_ref()
    }

    /// Whether it must be remembered that it was used, and until when. What a person approves of a task or of an agent in
    /// a session is used by moving it, and there is no other of it.
    pub(crate) fn remembered_until(&self) -> Option<Timestamp> {
        let is_moved = matches!(self.consent, Consent::Scope(_) | Consent::Reinstatement(_));
        let moved = is_moved && matches!(self.evidence, Evidence::Session { .. });
        (!moved).then(|| self.until.max(self.given_until))
    }

    /// Whether it can be presented at `now`: not over, and given in a session that still goes on.
    pub(crate) fn is_presentable_at(&self, now: Timestamp) -> bool {
        self.evidence.holds_at(now) && now < self.until
    }

    /// Whether it is consent to exactly this action.
    pub(crate) fn is_for(&self, request: &ActionRequest) -> bool {
        matches!(&self.consent, Consent::Action(consented) if consented.is_same_action(request))
    }
}

/// Consent that the host asserts instead of proving. Recorded as *vouched*.
pub mod danger {
    use super::{Approval, Consent, Encoder, Evidence, OperatorId, Timestamp};

    /// The host vouches that this person consented. `reference` is the host's own name of that consent, for
    /// instance a ticket number; the same reference is good once, for as long as the host's
    /// [`Once`](crate::mandate::Once) remembers.
    pub fn approval_vouched_by_host(
        operator: OperatorId,
        consent: impl Into<Consent>,
        until: Timestamp,
        reference: &str,
    ) -> Approval {
        let mut encoder = Encoder::new("bailiwick/vouched-approval/v1");
        encoder.text(reference).text(operator.issuer().as_str()).text(operator.subject().as_str());
        let mut approval = Approval::new(encoder.clone(), operator, consent.into(), until, Evidence::Vouched);
        // The reference is what is good once, whatever it is said to consent to.
        approval.id = super::ApprovalId::derive(&encoder.finish());
        approval
    }
}
