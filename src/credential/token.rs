//! The claims of the task credential, and every rule that can be checked on them alone.
//!
//! Members are in lexical order, so that what is written is canonical JSON (RFC 8785).

use std::collections::BTreeSet;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::Confirmation;
use crate::canonical::Digest;
use crate::id::{ApprovalId, Audience, CredentialId, Issuer, Subject, TaskId, TransactionId, made_of};
use crate::identity::{AgentId, ProofMethod};
use crate::jose::{Flaw, Thumbprint};
use crate::mandate::{Detail, MAX_DEPTH};
use crate::strict::{object, objects, present, present_object, present_objects, word};

/// The longest life of a credential, in seconds.
pub(super) const MAX_LIFETIME: u64 = 900;

/// Claims that say something else than this kind of token can mean.
pub(super) const FORBIDDEN: &[&str] = &[
    "act",
    "acr",
    "amr",
    "auth_time",
    "azp",
    "email",
    "entitlements",
    "groups",
    "may_act",
    "name",
    "nonce",
    "preferred_username",
    "roles",
];
/// The same, where the agent is the actor.
pub(super) const FORBIDDEN_WITH_ACTOR: &[&str] = FORBIDDEN.split_at(1).1;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) aud: Audience,
    #[serde(deserialize_with = "objects")]
    pub(super) authorization_details: Vec<Detail>,
    pub(super) client_id: AgentId,
    #[serde(deserialize_with = "object")]
    pub(super) cnf: Cnf,
    pub(super) exp: i64,
    pub(super) iat: i64,
    pub(super) iss: Issuer,
    pub(super) jti: CredentialId,
    pub(super) nbf: i64,
    pub(super) scope: String,
    pub(super) sub: AgentId,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) sub_profile: Option<String>,
    pub(super) txn: TransactionId,
    #[serde(rename = "urn:bailiwick:claims:v1", deserialize_with = "object")]
    pub(super) context: Context,
    /// The credential that it is a projection of.
    #[serde(skip)]
    pub(super) of: Option<CredentialId>,
    /// A reference to a status list. What else is there is ignored (RFC 7519, section 4), unless it is forbidden.
    #[serde(default, deserialize_with = "present", skip_serializing)]
    pub(super) status: Option<IgnoredAny>,
}

/// The key that the presenter must prove (RFC 7800): exactly one.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cnf {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) jkt: Option<Thumbprint>,
    #[serde(default, rename = "x5t#S256", deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) certificate: Option<Thumbprint>,
}

/// The container of what no registered claim can say.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Context {
    #[serde(deserialize_with = "object")]
    pub(super) accountable: Accountable,
    #[serde(default, deserialize_with = "present_object", skip_serializing_if = "Option::is_none")]
    pub(super) attn: Option<Attestation>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) depth: Option<u8>,
    #[serde(default, deserialize_with = "present_objects", skip_serializing_if = "Option::is_none")]
    pub(super) lineage: Option<Vec<Ancestor>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) max_depth: Option<u8>,
    #[serde(deserialize_with = "word")]
    pub(super) mode: ModeClaim,
    #[serde(default, deserialize_with = "present_object", skip_serializing_if = "Option::is_none")]
    pub(super) obo: Option<OnBehalfOf>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) pol: Option<Digest>,
    #[serde(default, deserialize_with = "present_object", skip_serializing_if = "Option::is_none")]
    pub(super) present_as: Option<PresentAs>,
    #[serde(deserialize_with = "object")]
    pub(super) task: TaskClaim,
    pub(super) v: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ModeClaim {
    Autonomous,
    OnBehalfOf,
}

/// Who answers for the agent; confers nothing.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accountable {
    pub(super) iss: Issuer,
    #[serde(deserialize_with = "word")]
    pub(super) role: Role,
    pub(super) sub: Subject,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    Sponsor,
    Owner,
    Operator,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attestation {
    pub(super) exp: i64,
    pub(super) hash: Digest,
    #[serde(deserialize_with = "word")]
    pub(super) method: Method,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(clippy::enum_variant_names, reason = "the names are the profile's")]
pub(super) enum Method {
    #[serde(rename = "spiffe-x509-svid")]
    SpiffeX509Svid,
    SpiffeJwtSvid,
    SpiffeWitSvid,
    OidcJwt,
    HostKey,
}

impl Method {
    /// The method's name in a token; nothing where nothing was proven.
    pub(super) fn of(method: ProofMethod) -> Option<Self> {
        match method {
            ProofMethod::Unattested => None,
            ProofMethod::HostKey => Some(Self::HostKey),
            ProofMethod::SpiffeJwtSvid => Some(Self::SpiffeJwtSvid),
            ProofMethod::SpiffeX509Svid => Some(Self::SpiffeX509Svid),
            ProofMethod::OidcJwt => Some(Self::OidcJwt),
        }
    }
}

/// An agent above this one, and the token by which it passed the task on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ancestor {
    pub(super) iss: Issuer,
    pub(super) jti: CredentialId,
    pub(super) sub: AgentId,
    pub(super) th: Digest,
}

impl Ancestor {
    pub(super) fn agent(&self) -> &AgentId {
        &self.sub
    }
}

/// On whose behalf, by which approval; confers nothing by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OnBehalfOf {
    #[serde(deserialize_with = "object")]
    pub(super) approval: ApprovalClaim,
    pub(super) iss: Issuer,
    pub(super) sub: Subject,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) sub_profile: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApprovalClaim {
    pub(super) exp: i64,
    pub(super) hash: Digest,
    pub(super) id: ApprovalId,
}

/// The agent user, for display; never an input to authorization.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PresentAs {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) handle: Option<String>,
    pub(super) id: String,
}

impl PresentAs {
    /// Whether it can be shown and logged: printable ASCII, as an agent user's id and handle are.
    fn is_shown_safely(&self) -> bool {
        let shown = |text: &str| made_of(text, 260, |b| b.is_ascii_graphic());
        shown(&self.id) && self.handle.as_deref().is_none_or(shown)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskClaim {
    pub(super) hash: Digest,
    pub(super) id: TaskId,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) step: Option<u64>,
}

impl Cnf {
    /// The one key.
    pub(super) fn confirmation(&self) -> Result<Confirmation, Flaw> {
        match (&self.jkt, &self.certificate) {
            (Some(key), None) => Ok(Confirmation::Key(key.clone())),
            (None, Some(certificate)) => Ok(Confirmation::Certificate(certificate.clone())),
            _ => Err(Flaw::Binding),
        }
    }
}

impl Claims {
    /// The rules that the claims keep among themselves: token profile, sections 2.1 and 2.2.
    pub(super) fn check(&self) -> Result<(), Flaw> {
        let context = &self.context;
        if context.v != 1 {
            return Err(Flaw::Claims);
        }
        if self.sub != self.client_id || self.sub_profile.as_deref().is_some_and(|profile| profile != "ai_agent") {
            return Err(Flaw::Subject);
        }
        self.cnf.confirmation()?;
        if self.exp.saturating_sub(self.iat).unsigned_abs() > MAX_LIFETIME {
            return Err(Flaw::Expired);
        }
        self.check_authority()?;
        self.check_mode()?;
        if context.attn.as_ref().is_some_and(|attn| self.exp > attn.exp) {
            return Err(Flaw::Binding);
        }
        if context.present_as.as_ref().is_some_and(|user| !user.is_shown_safely() || user.id == self.sub.as_str()) {
            return Err(Flaw::Subject);
        }
        // A status list is somebody else's word, which is not asked for here.
        if self.status.is_some() {
            return Err(Flaw::Unproven);
        }
        self.check_lineage()
    }

    /// The agents above this one, the first of the task first.
    pub(super) fn lineage(&self) -> &[Ancestor] {
        self.context.lineage.as_deref().unwrap_or_default()
    }

    /// That the lineage is whole, not too deep, and goes in no circle. That it is true is proven by the tokens that it names.
    fn check_lineage(&self) -> Result<(), Flaw> {
        let Context { lineage, depth, max_depth, .. } = &self.context;
        if max_depth.is_some_and(|max| max > MAX_DEPTH) {
            return Err(Flaw::Lineage);
        }
        match (lineage, depth) {
            (None, None) => return Ok(()),
            (Some(above), Some(depth)) if !above.is_empty() && above.len() == usize::from(*depth) => {}
            _ => return Err(Flaw::Claims),
        }
        let mut agents: BTreeSet<_> = self.lineage().iter().map(Ancestor::agent).collect();
        let is_circle = !agents.insert(&self.sub) || agents.len() != self.lineage().len() + 1;
        let is_deep = depth.unwrap_or(0) > max_depth.unwrap_or(0);
        if is_circle || is_deep { Err(Flaw::Lineage) } else { Ok(()) }
    }

    fn check_authority(&self) -> Result<(), Flaw> {
        let details = &self.authorization_details;
        Detail::check_all(details)?;
        let elsewhere = details.iter().flat_map(|detail| &detail.locations).any(|location| *location != self.aud);
        let granted = |name: &str| details.iter().flat_map(|d| &d.actions).any(|action| action.as_str() == name);
        if elsewhere || self.scope.is_empty() || !self.scope.split(' ').all(granted) {
            return Err(Flaw::Authority);
        }
        Ok(())
    }

    fn check_mode(&self) -> Result<(), Flaw> {
        match (self.context.mode, &self.context.obo) {
            (ModeClaim::Autonomous, None) => Ok(()),
            (ModeClaim::OnBehalfOf, Some(obo)) => {
                if obo.sub_profile.as_deref().is_some_and(|profile| profile != "user") {
                    return Err(Flaw::Subject);
                }
                if self.exp > obo.approval.exp { Err(Flaw::Binding) } else { Ok(()) }
            }
            (ModeClaim::Autonomous, Some(_)) | (ModeClaim::OnBehalfOf, None) => Err(Flaw::Claims),
        }
    }
}
