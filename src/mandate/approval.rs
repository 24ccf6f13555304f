//! An approval: one operator's consent to one scope, or to one exact action.

use std::sync::Arc;

use serde::Deserialize;

use super::detail::Detail;
use super::{ActionRequest, Scope};
use crate::canonical::{Digest, Encoder};
use crate::id::{ApprovalId, Audience, Issuer, Subject, TaskId};
use crate::identity::{AgentId, OperatorId, OperatorSession};
use crate::jose::{self, Flaw, KeySet, Kind, Refused, Token};
use crate::time::Timestamp;

/// What a person consents to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Consent {
    /// A task, as far as this scope goes.
    Scope(Scope),
    /// One action, exactly as it was asked for.
    Action(ActionRequest),
}

impl From<Scope> for Consent {
    fn from(scope: Scope) -> Self {
        Self::Scope(scope)
    }
}

impl From<ActionRequest> for Consent {
    fn from(request: ActionRequest) -> Self {
        Self::Action(request)
    }
}

/// How a consent is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Evidence {
    /// The person gave it in a session of theirs.
    Session {
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

/// One operator's consent. Good once, until it ends; made only from an [`OperatorSession`], a verified token
/// ([`ApprovalVerifier`]), or by [`danger`].
///
/// An approval is an input to a fresh decision, never a stored yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    id: ApprovalId,
    operator: OperatorId,
    consent: Consent,
    /// For this agent only, where the approval says so.
    agent: Option<AgentId>,
    /// For this task only, where the approval says so.
    task: Option<TaskId>,
    until: Timestamp,
    evidence: Evidence,
    /// What a credential names the approval by: the hash of the token, or of the canonical form.
    digest: Digest,
}

impl Approval {
    /// The operator of this session consents, until the session ends or as [`until`](Self::until) says.
    ///
    /// Must be presented while the session goes on.
    pub fn by(session: &OperatorSession, consent: impl Into<Consent>) -> Self {
        let mut encoder = Encoder::new("bailiwick/session-approval/v1");
        encoder.fixed(&session.signed_in().unix().to_be_bytes()).fixed(&session.until().unix().to_be_bytes());
        encoder.fixed(&session.number_approval().to_be_bytes());
        let evidence = Evidence::Session { until: session.until() };
        Self::new(encoder, session.operator().id().clone(), consent.into(), session.until(), evidence)
    }

    fn new(mut encoder: Encoder, operator: OperatorId, consent: Consent, until: Timestamp, evidence: Evidence) -> Self {
        encoder.text(operator.issuer().as_str()).text(operator.subject().as_str());
        match &consent {
            Consent::Scope(scope) => {
                encoder.tag(0).fixed(scope.digest().as_bytes());
            }
            Consent::Action(request) => request.encode(encoder.tag(1)),
        }
        let digest = encoder.finish();
        let id = ApprovalId::derive(&digest);
        Self { id, operator, consent, agent: None, task: None, until, evidence, digest }
    }

    /// Ends at `until`; it is over at this moment.
    #[must_use]
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = until;
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

    /// Whether it can be presented at `now`: not over, and given in a session that still goes on.
    pub(crate) fn is_presentable_at(&self, now: Timestamp) -> bool {
        let given = match self.evidence {
            Evidence::Session { until } => now < until,
            Evidence::Token { issued } => issued <= now,
            Evidence::Vouched => true,
        };
        given && now < self.until
    }

    /// Whether it is consent to exactly this action.
    pub(crate) fn is_for(&self, request: &ActionRequest) -> bool {
        matches!(&self.consent, Consent::Action(consented) if consented == request)
    }
}

/// Consent that the host asserts instead of proving. Recorded as *vouched*.
pub mod danger {
    use super::{Approval, Consent, Encoder, Evidence, OperatorId, Timestamp};

    /// The host vouches that this person consented. `reference` is the host's own name of that consent, for
    /// instance a ticket number; the same reference is good once.
    pub fn approval_vouched_by_host(
        operator: OperatorId,
        consent: impl Into<Consent>,
        until: Timestamp,
        reference: &str,
    ) -> Approval {
        let mut encoder = Encoder::new("bailiwick/vouched-approval/v1");
        encoder.text(reference);
        Approval::new(encoder, operator, consent.into(), until, Evidence::Vouched)
    }
}

/// An approval token does not say what it must.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApprovalError {
    /// The token was refused; see [`Refused::flaw`] for the operator's log.
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl From<Flaw> for ApprovalError {
    fn from(flaw: Flaw) -> Self {
        Self::Refused(flaw.into())
    }
}

/// Verifies `task-approval+jwt` tokens: a human's consent, sealed by an approvals service.
///
/// The human is the subject (`sub_id`, RFC 9493), `may_act` (RFC 8693) names the agent, `authorization_details`
/// (RFC 9396) become a [`Scope`]: `actions` are tools, `identifier` a resource, `locations` the audience, and of
/// `constraints`, `max_calls` limits the calls, and `max_amount_minor` and `currency` bound the arguments
/// `amount_minor` and `currency`. Anything else is refused.
#[derive(Debug, Clone)]
pub struct ApprovalVerifier {
    keys: Arc<KeySet>,
    audience: Audience,
}

impl ApprovalVerifier {
    /// A verifier that trusts `keys`, for tokens whose `aud` is `audience`: this host's credential issuer.
    pub fn new(keys: KeySet, audience: Audience) -> Self {
        Self { keys: Arc::new(keys), audience }
    }

    /// Verifies `token` at `now`.
    ///
    /// # Errors
    ///
    /// The token is not a valid approval for this host; to outsiders all refusals look the same.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Approval, ApprovalError> {
        let Token { owner, claims, .. } = Token::<Claims>::verify(Kind::Approval, token, &self.keys)?;
        if claims.iss != owner {
            return Err(Flaw::Issuer.into());
        }
        if claims.aud != self.audience {
            return Err(Flaw::Audience.into());
        }
        let until = jose::check_window(claims.iat, claims.nbf, claims.exp, now)?;
        if claims.sub_id.sub != claims.sub || claims.sub_id.format != "iss_sub" || claims.sub_profile != "user" {
            return Err(Flaw::Subject.into());
        }
        if claims.may_act.iss.as_str() != self.audience.as_str() || claims.may_act.sub_profile != "ai_agent" {
            return Err(Flaw::Subject.into());
        }
        let operator = OperatorId::new(claims.sub_id.iss.as_str(), claims.sub.as_str()).map_err(|_| Flaw::Subject)?;
        Ok(Approval {
            id: claims.jti,
            operator,
            consent: Consent::Scope(Detail::scope(&claims.authorization_details)?),
            agent: Some(claims.may_act.sub),
            task: Some(claims.context.task.id),
            until,
            evidence: Evidence::Token { issued: Timestamp::from_unix(claims.iat).ok_or(Flaw::Claims)? },
            digest: Digest::of(token.as_bytes()),
        })
    }
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: Issuer,
    sub: Subject,
    sub_id: SubjectId,
    sub_profile: String,
    aud: Audience,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: ApprovalId,
    may_act: MayAct,
    authorization_details: Vec<Detail>,
    #[serde(rename = "urn:bailiwick:claims:v1")]
    context: Context,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectId {
    format: String,
    iss: Issuer,
    sub: Subject,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MayAct {
    iss: Issuer,
    sub: AgentId,
    sub_profile: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Context {
    #[serde(rename = "v")]
    _version: One,
    task: Task,
    /// How deep the agent may delegate; no sub-agents are made from it, so that it is read and not used.
    #[serde(default, rename = "delegation")]
    _delegation: Option<Delegation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    id: TaskId,
    #[serde(rename = "hash")]
    _hash: Digest,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Delegation {
    #[serde(rename = "max_depth")]
    _max_depth: u8,
}

/// The number 1: the only version that is known.
#[derive(Debug, Deserialize)]
#[serde(try_from = "u8")]
struct One;

impl TryFrom<u8> for One {
    type Error = &'static str;
    fn try_from(version: u8) -> Result<Self, Self::Error> {
        if version == 1 { Ok(Self) } else { Err("an unknown version") }
    }
}
