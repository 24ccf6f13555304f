//! The approval sealer: what an approvals service needs, alone: it seals what a person answered as a `task-approval+jwt`.

use std::sync::Arc;

use super::Signer;
use super::minter::task_hash;
use super::signer::held_by;
use crate::entropy::{Entropy, EntropyError};
use crate::id::{ApprovalId, Audience, Issuer, TaskId};
use crate::identity::{AgentId, OperatorId, OperatorSession};
use crate::jose::{self, Heading, KeyError, KeySet, Kind, SigningError};
use crate::mandate::{ApprovalClaims, ApprovalRequest, Intent, RequestError, SealedAnswer};
use crate::time::Timestamp;

jose::key_for! {
    /// The key that an approvals service seals with, held here or [elsewhere](Self::elsewhere). Another type than any other key:
    /// who issues credentials approves nothing.
    ApprovalKey
}

impl ApprovalKey {
    /// A key that somebody else holds.
    ///
    /// # Errors
    ///
    /// The signer panicked, its algorithm is neither Ed25519 nor ES256, or its key is for another algorithm.
    pub fn elsewhere(signer: Arc<dyn Signer>) -> Result<Self, KeyError> {
        held_by(signer).map(Self)
    }
}

/// Nothing was sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The person's session is over, or has not begun.
    #[error("the session of the operator {operator} does not go on at {now}")]
    SessionOver {
        /// Whose session.
        operator: OperatorId,
        /// The time now.
        now: Timestamp,
    },
    /// The request does not take the answer.
    #[error("the request was not answered")]
    Request(#[from] RequestError),
    /// The token would be over before it is good.
    #[error("the approval would end at {until}, it is {now}")]
    Over {
        /// When it would end.
        until: Timestamp,
        /// The time now.
        now: Timestamp,
    },
    /// Authorization details cannot say what the scope does: each tool preapproved, for one audience, on one resource or any,
    /// within bounds and a number of calls, and no more than that.
    #[error("authorization details cannot say what the scope does")]
    Unsayable,
    /// The source of randomness failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The token was not signed.
    #[error("the approval was not signed")]
    Signature(#[from] SigningError),
}

/// Seals what people answer, for one host: an approvals service, in whatever process people sign in to. The host verifies it
/// with an [`ApprovalVerifier`](crate::mandate::ApprovalVerifier) that trusts [`keys`](Self::keys).
///
/// It says that this person answered so, and not that they may: that is decided where the action is.
#[derive(Debug)]
pub struct ApprovalSealer {
    issuer: Issuer,
    audience: Audience,
    key: ApprovalKey,
    heading: Heading,
}

impl ApprovalSealer {
    /// Seals as `issuer` with `key`, for the host whose credential issuer is `audience`.
    pub fn new(issuer: Issuer, key: ApprovalKey, audience: Audience) -> Self {
        Self { heading: Heading::of(Kind::Approval, &key.0), issuer, audience, key }
    }

    /// What the host verifies with.
    pub fn keys(&self) -> KeySet {
        KeySet::of(self.issuer.clone(), self.key.public())
    }

    /// The operator of this session says yes to one exact action, until the request is over; the request notes it.
    ///
    /// # Errors
    ///
    /// The request does not take the answer, the session is over, or nothing could be drawn or signed. The request is then as it
    /// was.
    pub fn approve(
        &self,
        request: &mut ApprovalRequest,
        session: &OperatorSession,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<String, SealError> {
        let mut answered = request.clone();
        let id = ApprovalId::draw(entropy)?;
        answered.answer_as(session, Some(id.clone()), now)?;
        let token = self.seal_answer((request, SealedAnswer::Approved), session, id, now)?;
        *request = answered;
        Ok(token)
    }

    /// The operator of this session says no to one exact action; the request notes it.
    ///
    /// # Errors
    ///
    /// As for [`approve`](Self::approve).
    pub fn deny(
        &self,
        request: &mut ApprovalRequest,
        session: &OperatorSession,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<String, SealError> {
        let mut answered = request.clone();
        answered.answer_as(session, None, now)?;
        let token = self.seal_answer((request, SealedAnswer::Denied), session, ApprovalId::draw(entropy)?, now)?;
        *request = answered;
        Ok(token)
    }

    /// The operator of this session consents, until `until`, to the task `task` of `agent`, as far as the intent goes.
    ///
    /// # Errors
    ///
    /// Details cannot say how far that is, the session or the consent is over, or nothing could be drawn or signed.
    pub fn approve_task(
        &self,
        (agent, task, intent): (&AgentId, &TaskId, &Intent),
        session: &OperatorSession,
        until: Timestamp,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<String, SealError> {
        if !session.is_valid_at(now) {
            return Err(SealError::SessionOver { operator: session.operator().id().clone(), now });
        }
        let issuer = Issuer::new(self.audience.as_str()).map_err(|_| SealError::Unsayable)?;
        let hash = task_hash(&issuer, agent, task, intent);
        let (named, window) = (ApprovalId::draw(entropy)?, window(now, until)?);
        let named = (&self.issuer, &self.audience, named);
        let claims = ApprovalClaims::of_task(named, session, (agent, task, hash), intent.scope(), window);
        self.sign(claims)
    }

    fn seal_answer(
        &self,
        (request, answer): (&ApprovalRequest, SealedAnswer),
        session: &OperatorSession,
        id: ApprovalId,
        now: Timestamp,
    ) -> Result<String, SealError> {
        let (named, window) = ((&self.issuer, &self.audience, id), window(now, request.until())?);
        self.sign(ApprovalClaims::of_action(named, session, (request.action(), answer), window))
    }

    fn sign(&self, claims: Option<ApprovalClaims>) -> Result<String, SealError> {
        let written = claims.and_then(|claims| serde_json::to_vec(&claims).ok()).ok_or(SealError::Unsayable)?;
        Ok(self.heading.sign(&written, &self.key.0)?)
    }
}

/// From now until then, in the whole seconds that a token has: rounded down, it outlives nothing.
fn window(now: Timestamp, until: Timestamp) -> Result<(Timestamp, Timestamp), SealError> {
    if until.unix() > now.unix() { Ok((now, until)) } else { Err(SealError::Over { until, now }) }
}
