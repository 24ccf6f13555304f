//! A credential in the other convention (RFC 8693, section 4.1): the person is the subject, the agent the actor. It is read
//! as what it means: the agent acts, on behalf of the person.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::token::{Accountable, Claims, Cnf, Context, ModeClaim, OnBehalfOf, TaskClaim};
use crate::id::{Audience, CredentialId, Issuer, Subject, TransactionId};
use crate::identity::AgentId;
use crate::jose::Flaw;
use crate::mandate::Detail;
use crate::strict::{object, objects, present, word};

/// The longest life of a projection, in seconds.
const MAX_LIFETIME: i64 = 60;

/// The claims of a projection. What else is there is ignored (RFC 7519, section 4), unless a credential must not have it.
#[derive(Debug, Deserialize)]
pub(super) struct Projected {
    #[serde(deserialize_with = "object")]
    act: Actor,
    aud: Audience,
    #[serde(deserialize_with = "objects")]
    authorization_details: Vec<Detail>,
    client_id: AgentId,
    #[serde(deserialize_with = "object")]
    cnf: Cnf,
    exp: i64,
    iat: i64,
    iss: Issuer,
    jti: CredentialId,
    nbf: i64,
    scope: String,
    sub: Subject,
    sub_profile: String,
    txn: TransactionId,
    #[serde(rename = "urn:bailiwick:claims:v1", deserialize_with = "object")]
    context: Projection,
    #[serde(default, deserialize_with = "present")]
    status: Option<IgnoredAny>,
}

/// The agent. Another actor within it is history, which counts for nothing (RFC 8693, section 4.1): it is not there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Actor {
    iss: Issuer,
    sub: AgentId,
    sub_profile: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Projection {
    #[serde(deserialize_with = "object")]
    accountable: Accountable,
    #[serde(deserialize_with = "word")]
    mode: ModeClaim,
    #[serde(deserialize_with = "object")]
    obo: OnBehalfOf,
    /// The credential that it is a projection of.
    of: CredentialId,
    projection: String,
    #[serde(deserialize_with = "object")]
    task: TaskClaim,
    v: u8,
}

impl Projected {
    /// The same in the native convention, where it is a true projection.
    pub(super) fn native(self) -> Result<Claims, Flaw> {
        let Self { act, context, .. } = self;
        let is_projection = context.projection == "rfc8693" && context.mode == ModeClaim::OnBehalfOf;
        if !is_projection || context.of == self.jti {
            return Err(Flaw::Claims);
        }
        // The subject is the person on whose behalf, and nobody else.
        let is_person = self.sub == context.obo.sub && self.sub_profile == "user";
        let is_agent = act.iss == self.iss && act.sub == self.client_id && act.sub_profile == "ai_agent";
        if !is_person || !is_agent {
            return Err(Flaw::Subject);
        }
        if self.exp.saturating_sub(self.iat) > MAX_LIFETIME {
            return Err(Flaw::Expired);
        }
        Ok(Claims {
            aud: self.aud,
            authorization_details: self.authorization_details,
            client_id: self.client_id,
            cnf: self.cnf,
            exp: self.exp,
            iat: self.iat,
            iss: self.iss,
            jti: self.jti,
            nbf: self.nbf,
            scope: self.scope,
            sub: act.sub,
            sub_profile: Some(act.sub_profile),
            txn: self.txn,
            context: Context {
                accountable: context.accountable,
                attn: None,
                depth: None,
                lineage: None,
                max_depth: None,
                mode: context.mode,
                obo: Some(context.obo),
                pol: None,
                present_as: None,
                task: context.task,
                v: context.v,
            },
            of: Some(context.of),
            status: self.status,
        })
    }
}
