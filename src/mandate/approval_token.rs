//! The approval token: a human's consent to a task, sealed by an approvals service.

use std::sync::Arc;

use serde::Deserialize;

use super::{Approval, Detail};
use crate::canonical::Digest;
use crate::id::{ApprovalId, Audience, Issuer, Subject, TaskId};
use crate::identity::{AgentId, OperatorId};
use crate::jose::{self, Flaw, KeySet, Kind, Leeway, Refused, Token};
use crate::strict::{object, objects, present_object};
use crate::time::Timestamp;

/// Verifies `task-approval+jwt` tokens.
///
/// The human is the subject (`sub_id`, RFC 9493), `may_act` (RFC 8693) names the agent, `authorization_details`
/// (RFC 9396) become a [`Scope`](super::Scope): `actions` are tools, `identifier` a resource, `locations` the audience, and of
/// `constraints`, `max_calls` limits the calls, and `max_amount_minor` and `currency` bound the arguments
/// `amount_minor` and `currency`; `delegation.max_depth` says how many agents may stand below. Anything else is refused.
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
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Approval, Refused> {
        let Token { owner, claims, .. } = Token::<Claims>::verify(Kind::Approval, token, &self.keys)?;
        if claims.iss != owner {
            return Err(Flaw::Issuer.into());
        }
        if claims.aud != self.audience {
            return Err(Flaw::Audience.into());
        }
        let until = jose::check_window((claims.iat, claims.nbf, claims.exp), now, Leeway::default())?;
        if claims.sub_id.sub != claims.sub || claims.sub_id.format != "iss_sub" || claims.sub_profile != "user" {
            return Err(Flaw::Subject.into());
        }
        if claims.may_act.iss.as_str() != self.audience.as_str() || claims.may_act.sub_profile != "ai_agent" {
            return Err(Flaw::Subject.into());
        }
        let operator = OperatorId::new(claims.sub_id.iss.as_str(), claims.sub.as_str()).map_err(|_| Flaw::Subject)?;
        let issued = Timestamp::from_unix(claims.iat).ok_or(Flaw::Claims)?;
        let scope = Detail::scope(&claims.authorization_details)?;
        let scope = match claims.context.delegation.map_or(0, |delegation| delegation.max_depth) {
            0 => scope,
            max_depth => scope.delegable(max_depth).map_err(|_| Flaw::Authority)?,
        };
        let task = claims.context.task;
        let sealed = (claims.may_act.sub, task.id, task.hash);
        let named = (claims.jti, Digest::of(token.as_bytes()));
        Ok(Approval::sealed(named, operator, scope, sealed, (issued, until)).with_text(token))
    }
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: Issuer,
    sub: Subject,
    #[serde(deserialize_with = "object")]
    sub_id: SubjectId,
    sub_profile: String,
    aud: Audience,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: ApprovalId,
    #[serde(deserialize_with = "object")]
    may_act: MayAct,
    #[serde(deserialize_with = "objects")]
    authorization_details: Vec<Detail>,
    #[serde(rename = "urn:bailiwick:claims:v1", deserialize_with = "object")]
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
    #[serde(deserialize_with = "object")]
    task: Task,
    /// How deep the agent may delegate: not at all, unless it is said.
    #[serde(default, deserialize_with = "present_object")]
    delegation: Option<Delegation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    id: TaskId,
    hash: Digest,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Delegation {
    max_depth: u8,
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
