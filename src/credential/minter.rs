//! The minter: turns a moved permit into a credential.

use std::sync::Arc;
use std::time::Duration;

use super::token::{
    Accountable, ApprovalClaim, Attestation, Claims, Confirmation, Context, MAX_LIFETIME, Method, ModeClaim,
    OnBehalfOf, PresentAs, Role, TaskClaim,
};
use super::{Credential, CredentialVerifier};
use crate::audit::{AgentFact, AuditError, Denial, Execution, Lanes, Permit, Trail};
use crate::canonical::Digest;
use crate::entropy::{Entropy, EntropyError};
use crate::id::{Audience, CredentialId, Issuer};
use crate::identity::AgentId;
use crate::jose::{self, KeySet, Kind};
use crate::mandate::{Assignment, Detail, Mode};
use crate::secret::Secret;
use crate::time::{ClockError, Timestamp};

jose::key_for! {
    /// The key that credentials are signed with. Another type than any other key.
    MintKey
}

/// How long a credential lives unless said otherwise.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);

/// No credential was made, and none half-made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// The authorizer has no minter.
    #[error("the authorizer was built without a minter")]
    NoMinter,
    /// The permit was refused when it was to be used.
    #[error("the permit was refused")]
    Denied(#[source] Denial),
    /// The agent proved no key that the credential could be bound to.
    #[error("the agent {0} proved no key that a credential could be bound to")]
    NoKey(AgentId),
    /// The scope does not allow credentials for this service.
    #[error("the scope allows no credential for {asked}")]
    Audience {
        /// The service.
        asked: Audience,
    },
    /// What the credential rests on ends too soon.
    #[error("the credential would end at {until}, it is {now}")]
    TooShort {
        /// When it would end.
        until: Timestamp,
        /// The time now.
        now: Timestamp,
    },
    /// No approval is left that the action rests on.
    #[error("no approval is left that the action rests on")]
    NoApproval,
    /// A lifetime is not a valid one.
    #[error("a credential lives for 1 second to {MAX_LIFETIME} seconds, not for {seconds}")]
    Lifetime {
        /// What was asked for, in seconds.
        seconds: u64,
    },
    /// The task has too many credentials that are good at the same time.
    #[error("the task has too many credentials at the same time")]
    TooMany,
    /// The record was not taken.
    #[error("the record was not taken")]
    Audit(#[from] AuditError),
    /// The source of randomness failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The clock failed.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The claims could not be written.
    #[error("the claims could not be written")]
    Claims,
}

/// A credential that is not signed yet.
pub(crate) struct Draft {
    id: CredentialId,
    audience: Audience,
    claims: Vec<u8>,
    until: Timestamp,
}

impl Draft {
    pub(crate) fn id(&self) -> &CredentialId {
        &self.id
    }

    pub(crate) fn until(&self) -> Timestamp {
        self.until
    }

    /// The record of the intent to hand it out.
    pub(crate) fn lanes(&self, permit: &Permit) -> Lanes {
        let fact = AgentFact::Minted {
            decision: *permit.decision(),
            credential: self.id.clone(),
            audience: self.audience.clone(),
            until: self.until,
        };
        let agent = permit.assignment().mandate().agent().id().clone();
        Lanes { agent: Some((agent, fact)), ..Lanes::default() }
    }
}

/// Signs credentials for one issuer.
#[derive(Debug)]
pub struct Minter {
    issuer: Issuer,
    key: MintKey,
    keys: KeySet,
    lifetime: Duration,
}

impl Minter {
    /// Signs as `issuer` with `key`; credentials live for 300 seconds at most.
    pub fn new(issuer: Issuer, key: MintKey) -> Self {
        Self { keys: KeySet::of(issuer.clone(), key.public()), issuer, key, lifetime: DEFAULT_LIFETIME }
    }

    /// Credentials live for `lifetime` at most.
    ///
    /// # Errors
    ///
    /// Less than a second, or more than 900.
    pub fn with_lifetime(mut self, lifetime: Duration) -> Result<Self, MintError> {
        if lifetime.as_secs() == 0 || lifetime > Duration::from_secs(MAX_LIFETIME) {
            return Err(MintError::Lifetime { seconds: lifetime.as_secs() });
        }
        self.lifetime = lifetime;
        Ok(self)
    }

    /// What others need to verify credentials of this minter.
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// A verifier for the credentials of this minter that are meant for `audience`.
    pub fn verifier(&self, audience: Audience) -> CredentialVerifier {
        CredentialVerifier::new(self.keys.clone(), audience)
    }

    /// Drafts a credential for a permit that was checked, at `now`. Nothing is spent, and nothing signed.
    pub(crate) fn draft(
        &self,
        permit: &Permit,
        audience: &Audience,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<Draft, MintError> {
        let id = CredentialId::draw(entropy)?;
        let (claims, until) = self.claims(permit, audience, &id, now)?;
        let claims = serde_json::to_vec(&claims).map_err(|_| MintError::Claims)?;
        Ok(Draft { id, audience: audience.clone(), claims, until })
    }

    /// Spends the permit, and signs.
    pub(crate) fn seal(&self, draft: Draft, permit: Permit, trail: &Arc<Trail>) -> Result<Credential, MintError> {
        let Draft { id, audience, claims, until } = draft;
        let assignment = Arc::clone(permit.assignment());
        let execution = Execution::of(permit, trail).map_err(|denial| {
            assignment.issued().withdraw(&id);
            MintError::Denied(denial)
        })?;
        let token = Secret::new(jose::sign(Kind::Credential, &claims, &self.key.0));
        Ok(Credential::new(token, id.clone(), audience, until, execution.with(id)))
    }

    fn claims(
        &self,
        permit: &Permit,
        audience: &Audience,
        id: &CredentialId,
        now: Timestamp,
    ) -> Result<(Claims, Timestamp), MintError> {
        let (assignment, action) = (permit.assignment(), permit.action());
        let mandate = assignment.mandate();
        let agent = mandate.agent();
        let key = agent.key().cloned().ok_or_else(|| MintError::NoKey(agent.id().clone()))?;
        if !permit.allows(audience) {
            return Err(MintError::Audience { asked: audience.clone() });
        }
        let until = self.effective_expiry(permit, now);
        if until.unix() <= now.unix() {
            return Err(MintError::TooShort { until, now });
        }
        let basis = match action.mode() {
            Mode::Autonomous => None,
            Mode::OnBehalfOf(_) => Some(mandate.basis(action.mode(), now).ok_or(MintError::NoApproval)?),
        };
        let obo = basis.map(|approval| OnBehalfOf {
            approval: ApprovalClaim {
                exp: approval.ends().unix(),
                hash: *approval.digest(),
                id: approval.id().clone(),
            },
            iss: approval.operator().issuer().clone(),
            sub: approval.operator().subject().clone(),
            sub_profile: Some("user".to_owned()),
        });
        let method = Method::of(agent.method());
        let attn = method.map(|method| Attestation { exp: agent.until().unix(), hash: *agent.proof(), method });
        let present_as = action
            .presented()
            .map(|user| PresentAs { handle: Some(user.id().handle().to_string()), id: user.id().to_string() });
        let claims = Claims {
            aud: audience.clone(),
            authorization_details: vec![Detail::once(action.tool(), action.resource(), audience)],
            client_id: agent.id().clone(),
            cnf: Confirmation { jkt: Some(key), certificate: None },
            exp: until.unix(),
            iat: now.unix(),
            iss: self.issuer.clone(),
            jti: id.clone(),
            nbf: now.unix(),
            scope: action.tool().to_string(),
            sub: agent.id().clone(),
            sub_profile: Some("ai_agent".to_owned()),
            txn: assignment.txn().clone(),
            context: Context {
                accountable: Accountable {
                    iss: agent.sponsor().issuer().clone(),
                    role: Role::Sponsor,
                    sub: agent.sponsor().subject().clone(),
                },
                attn,
                depth: None,
                lineage: None,
                max_depth: None,
                mode: match action.mode() {
                    Mode::Autonomous => ModeClaim::Autonomous,
                    Mode::OnBehalfOf(_) => ModeClaim::OnBehalfOf,
                },
                obo,
                pol: Some(*permit.policy_digest()),
                present_as,
                task: TaskClaim { hash: self.task_hash(assignment), id: assignment.task().clone(), step: None },
                v: 1,
            },
            rest: std::collections::BTreeMap::new(),
        };
        Ok((claims, until))
    }

    /// The smallest of what bounds a credential: its own lifetime, the task, the proof, the approvals.
    fn effective_expiry(&self, permit: &Permit, now: Timestamp) -> Timestamp {
        permit.bound(now.after(self.lifetime), now)
    }

    /// Names the task's intent: as an approvals service sealed it, or else the SHA-256 over the canonical JSON (RFC 8785)
    /// of issuer, kind and value.
    pub(crate) fn task_hash(&self, assignment: &Assignment) -> Digest {
        if let Some(sealed) = assignment.mandate().task_hash() {
            return *sealed;
        }
        #[derive(serde::Serialize)]
        struct Named<'a> {
            iss: &'a Issuer,
            typ: &'static str,
            value: Value<'a>,
        }
        #[derive(serde::Serialize)]
        struct Value<'a> {
            agent: &'a AgentId,
            id: &'a str,
            purpose: &'a str,
            scope: Digest,
        }
        let intent = assignment.mandate().intent();
        let value = Value {
            agent: assignment.mandate().agent().id(),
            id: assignment.task().as_str(),
            purpose: intent.purpose().as_str(),
            scope: intent.scope().digest(),
        };
        // Serialising text cannot fail.
        Digest::of(&serde_json::to_vec(&Named { iss: &self.issuer, typ: "agent-task", value }).unwrap_or_default())
    }
}
