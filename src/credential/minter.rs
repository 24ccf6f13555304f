//! The minter: turns a moved permit into a credential.

use std::sync::Arc;
use std::time::Duration;

use super::credential::Beside;
use super::key_ring::Pen;
use super::passing::PassedOn;
use super::token::{
    Accountable, Ancestor, ApprovalClaim, Attestation, Claims, Cnf, Context, MAX_LIFETIME, Method, ModeClaim,
    OnBehalfOf, PresentAs, Role, TaskClaim,
};
use super::{Credential, CredentialVerifier, KeyRing, MintKey, RevocationClaims};
use crate::audit::{AgentFact, AuditError, Denial, Execution, Lanes, Permit, Trail};
use crate::canonical::Digest;
use crate::entropy::{Entropy, EntropyError};
use crate::id::{Audience, CredentialId, Issuer, TaskId};
use crate::identity::AgentId;
use crate::jose::{KeySet, Kind, SigningError};
use crate::mandate::{ArgumentName, Assignment, Detail, Intent, Mode, ToolName};
use crate::secret::Secret;
use crate::time::{ClockError, Timestamp};

/// How long a credential lives unless said otherwise.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);
/// Room for the claims of most credentials, in bytes.
const CLAIMS: usize = 1536;

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
    /// The scope bounds an argument, or a budget counts it, and a credential could not say that it is for this value alone:
    /// an object that is no amount of money, or a list whose sum is counted.
    #[error("no credential can be for the value of the argument {argument} alone")]
    Argument {
        /// The argument.
        argument: ArgumentName,
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
    /// The credential was not signed.
    #[error("the credential was not signed")]
    Signature(#[from] SigningError),
}

/// A credential that is not signed yet.
pub(crate) struct Draft {
    id: CredentialId,
    audience: Audience,
    claims: Vec<u8>,
    until: Timestamp,
    beside: Beside,
}

/// What a token says of one tool of a task at one service.
pub(super) struct Told<'a> {
    pub(super) assignment: &'a Assignment,
    pub(super) mode: &'a Mode,
    pub(super) tool: &'a ToolName,
    pub(super) audience: &'a Audience,
    pub(super) details: Vec<Detail>,
    pub(super) above: Vec<Ancestor>,
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
    ring: KeyRing,
    lifetime: Duration,
}

impl Minter {
    /// Signs as `issuer` with `key`; credentials live for 300 seconds at most.
    pub fn new(issuer: Issuer, key: MintKey) -> Self {
        Self::with_ring(KeyRing::new(issuer, key))
    }

    /// Signs with whichever key of `ring` signs then, as its issuer. Keep a clone of the ring to rotate and publish its keys.
    pub fn with_ring(ring: KeyRing) -> Self {
        Self { ring, lifetime: DEFAULT_LIFETIME }
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

    /// What others need to verify credentials of this minter, as it is at `now`.
    pub fn keys(&self, now: Timestamp) -> KeySet {
        self.ring.keys(now)
    }

    /// Signs the list of what is revoked.
    pub(crate) fn sign_revocations(&self, claims: &RevocationClaims) -> Result<String, MintError> {
        let claims = serde_json::to_vec(claims).map_err(|_| MintError::Claims)?;
        Ok(self.pen().sign_as(Kind::Revocations, &claims)?)
    }

    /// Who issues.
    pub fn issuer(&self) -> &Issuer {
        self.ring.issuer()
    }

    /// A verifier for the credentials of this minter that are meant for `audience`, with the keys as they are at `now`.
    pub fn verifier(&self, audience: Audience, now: Timestamp) -> CredentialVerifier {
        CredentialVerifier::new(self.keys(now), audience)
    }

    /// Drafts a credential for a permit that was checked, at `now`. Nothing is spent, and nothing signed.
    pub(crate) fn draft(
        &self,
        permit: &Permit,
        audience: &Audience,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<Draft, MintError> {
        let (assignment, action) = (permit.assignment(), permit.action());
        let id = CredentialId::draw(entropy)?;
        let until = permit.bound(now.after(self.lifetime), now);
        if until.unix() <= now.unix() {
            return Err(MintError::TooShort { until, now });
        }
        let PassedOn { above, shown } = self.passed_on(assignment, (action, audience), (now, until), entropy)?;
        let (mode, tool) = (action.mode(), action.tool());
        let scope = assignment.mandate().intent().scope();
        let detail = Detail::once(action, scope, audience).map_err(|argument| MintError::Argument { argument })?;
        let told = Told { assignment, mode, tool, audience, details: vec![detail], above };
        let mut claims = self.claims(told, &id, (now, until))?;
        claims.context.pol = Some(*permit.policy_digest());
        claims.context.present_as = action
            .presented()
            .map(|user| PresentAs { handle: Some(user.id().handle().to_string()), id: user.id().to_string() });
        let mut written = Vec::with_capacity(CLAIMS);
        serde_json::to_writer(&mut written, &claims).map_err(|_| MintError::Claims)?;
        let approval = mode.operator().and_then(|_| assignment.mandate().basis(mode, now)?.text().cloned());
        let beside = Beside { lineage: shown, approval };
        Ok(Draft { id, audience: audience.clone(), claims: written, until, beside })
    }

    /// Signs, once the intent is recorded. The signer may be far away, so that things can have changed when it is done.
    pub(crate) fn sign(&self, draft: &Draft) -> Result<Secret<String>, SigningError> {
        self.pen().sign(&draft.claims).map(Secret::new)
    }

    /// Spends the permit on the signed credential.
    pub(crate) fn seal(
        draft: Draft,
        token: Secret<String>,
        permit: Permit,
        trail: &Arc<Trail>,
    ) -> Result<Credential, MintError> {
        let Draft { id, audience, until, beside, .. } = draft;
        let assignment = Arc::clone(permit.assignment());
        let execution = Execution::of(permit, trail).map_err(|denial| {
            assignment.issued().withdraw(&id);
            MintError::Denied(denial)
        })?;
        Ok(Credential::new(token, (id.clone(), audience, until), beside, execution.with(id)))
    }

    /// The claims, but for what is of one action alone.
    pub(super) fn claims(
        &self,
        told: Told<'_>,
        id: &CredentialId,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<Claims, MintError> {
        let Told { assignment, mode, tool, audience, details, above } = told;
        let mandate = assignment.mandate();
        let (agent, scope) = (mandate.agent(), mandate.intent().scope());
        let key = agent.key().cloned().ok_or_else(|| MintError::NoKey(agent.id().clone()))?;
        if !assignment.allows(tool, audience) {
            return Err(MintError::Audience { asked: audience.clone() });
        }
        let basis = match mode {
            Mode::Autonomous => None,
            Mode::OnBehalfOf(_) => Some(mandate.basis(mode, now).ok_or(MintError::NoApproval)?),
        };
        let depth = u8::try_from(above.len()).map_err(|_| MintError::Claims)?;
        // How deep the whole chain may get.
        let max_depth = depth.saturating_add(scope.max_depth());
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
        Ok(Claims {
            aud: audience.clone(),
            authorization_details: details,
            client_id: agent.id().clone(),
            cnf: Cnf { jkt: Some(key), certificate: None },
            exp: until.unix(),
            iat: now.unix(),
            iss: self.ring.issuer().clone(),
            jti: id.clone(),
            nbf: now.unix(),
            scope: tool.to_string(),
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
                depth: (depth > 0).then_some(depth),
                lineage: (depth > 0).then_some(above),
                max_depth: (max_depth > 0).then_some(max_depth),
                mode: match mode {
                    Mode::Autonomous => ModeClaim::Autonomous,
                    Mode::OnBehalfOf(_) => ModeClaim::OnBehalfOf,
                },
                obo,
                pol: None,
                present_as: None,
                task: TaskClaim { hash: *self.task_hash(assignment), id: assignment.task().clone(), step: None },
                v: 1,
            },
            of: None,
            status: None,
        })
    }

    /// What signs now.
    pub(super) fn pen(&self) -> Arc<Pen> {
        self.ring.pen()
    }

    /// Names the task's intent: as an approvals service sealed it, or else the SHA-256 over the canonical JSON (RFC 8785)
    /// of issuer, kind and value.
    pub(crate) fn task_hash<'a>(&self, assignment: &'a Assignment) -> &'a Digest {
        let sealed = assignment.mandate().task_hash();
        sealed.unwrap_or_else(|| assignment.hash(|| self.hash(assignment)))
    }

    fn hash(&self, assignment: &Assignment) -> Digest {
        let mandate = assignment.mandate();
        task_hash(self.ring.issuer(), mandate.agent().id(), assignment.task(), mandate.intent())
    }
}

/// Names a task's intent, as it is at the host whose credential issuer is `iss`.
pub(super) fn task_hash(iss: &Issuer, agent: &AgentId, task: &TaskId, intent: &Intent) -> Digest {
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
    let (purpose, scope) = (intent.purpose().as_str(), intent.scope().digest());
    let value = Value { agent, id: task.as_str(), purpose, scope };
    // Serialising text cannot fail.
    Digest::of(&serde_json::to_vec(&Named { iss, typ: "agent-task", value }).unwrap_or_default())
}
