//! The verifier: a token in, what it proves out. Needs the issuer's public keys and nothing else.

use super::token::{Claims, ModeClaim};
use crate::canonical::Digest;
use crate::id::{Audience, CredentialId, Issuer, TaskId, TransactionId};
use crate::identity::{AgentId, OperatorId};
use crate::jose::{self, Flaw, KeySet, Kind, Refused, Thumbprint, Token};
use crate::mandate::{Arguments, Detail, Mode, Resource, ToolName};
use crate::time::Timestamp;

/// Verifies task credentials offline, for one service.
///
/// Every rule of the profile that can be checked without asking anybody is checked here: form, header, key,
/// signature, issuer, claims, audience, time, subject, authority, mode, bounds. Whether the task has ended is known
/// only to the process that minted: there, use [`Authorizer::verify`](crate::Authorizer::verify). Whether the
/// presenter holds the key that [`VerifiedCredential::confirmation`] names is for the caller to check before relying
/// on anything.
#[derive(Debug, Clone)]
pub struct CredentialVerifier {
    keys: KeySet,
    audience: Audience,
}

impl CredentialVerifier {
    /// Trusts `keys`, for credentials whose one audience is `audience`.
    pub fn new(keys: KeySet, audience: Audience) -> Self {
        Self { keys, audience }
    }

    /// Verifies `token` at `now`, without leeway.
    ///
    /// # Errors
    ///
    /// Always the same to outsiders; [`Refused::flaw`] says more to the operator's log.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<VerifiedCredential, Refused> {
        Ok(self.check(token, now)?)
    }

    fn check(&self, token: &str, now: Timestamp) -> Result<VerifiedCredential, Flaw> {
        let Token { owner, claims, .. } = Token::<Claims>::verify(Kind::Credential, token, &self.keys)?;
        if claims.iss != owner {
            return Err(Flaw::Issuer);
        }
        if claims.aud != self.audience {
            return Err(Flaw::Audience);
        }
        let until = jose::check_window(claims.iat, claims.nbf, claims.exp, now)?;
        claims.check()?;
        VerifiedCredential::of(claims, until)
    }
}

/// What a verified credential says. Whoever presents it must still prove the key of
/// [`confirmation`](Self::confirmation).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCredential {
    id: CredentialId,
    issuer: Issuer,
    audience: Audience,
    agent: AgentId,
    mode: Mode,
    presented: Option<String>,
    accountable: OperatorId,
    authority: Vec<Detail>,
    task: TaskId,
    task_hash: Digest,
    txn: TransactionId,
    confirmation: Thumbprint,
    policies: Option<Digest>,
    until: Timestamp,
}

impl VerifiedCredential {
    fn of(claims: Claims, until: Timestamp) -> Result<Self, Flaw> {
        let context = claims.context;
        let person = |iss: &Issuer, sub: &str| OperatorId::new(iss.as_str(), sub).map_err(|_| Flaw::Subject);
        let mode = match (context.mode, &context.obo) {
            (ModeClaim::OnBehalfOf, Some(obo)) => Mode::OnBehalfOf(person(&obo.iss, obo.sub.as_str())?),
            _ => Mode::Autonomous,
        };
        Ok(Self {
            id: claims.jti,
            issuer: claims.iss,
            audience: claims.aud,
            agent: claims.sub,
            mode,
            presented: context.present_as.map(|user| user.handle.unwrap_or(user.id)),
            accountable: person(&context.accountable.iss, context.accountable.sub.as_str())?,
            authority: claims.authorization_details,
            task: context.task.id,
            task_hash: context.task.hash,
            txn: claims.txn,
            confirmation: claims.cnf.jkt.or(claims.cnf.certificate).ok_or(Flaw::Binding)?,
            policies: context.pol,
            until,
        })
    }

    /// The credential's id (`jti`).
    pub fn id(&self) -> &CredentialId {
        &self.id
    }

    /// Who issued it.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The service that it is for.
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// The agent: the principal, and the only one.
    pub fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// On whose errand.
    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// The agent user to show; never an input to authorization.
    pub fn presented_as(&self) -> Option<&str> {
        self.presented.as_deref()
    }

    /// Who answers for the agent; confers nothing.
    pub fn accountable(&self) -> &OperatorId {
        &self.accountable
    }

    /// The task.
    pub fn task(&self) -> &TaskId {
        &self.task
    }

    /// Names the task's intent.
    pub fn task_hash(&self) -> &Digest {
        &self.task_hash
    }

    /// What joins the records of the task.
    pub fn txn(&self) -> &TransactionId {
        &self.txn
    }

    /// The thumbprint of the key that the presenter must prove.
    pub fn confirmation(&self) -> &Thumbprint {
        &self.confirmation
    }

    /// When it ends; it is over at this moment.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// Whether it permits this action on this resource with these arguments. How often is for whoever counts: see
    /// [`max_calls`](Self::max_calls), and [`Authorizer::accept`](crate::Authorizer::accept).
    pub fn permits(&self, action: &ToolName, resource: &Resource, arguments: &Arguments) -> bool {
        self.authority.iter().any(|detail| detail.permits(action, resource, arguments))
    }

    /// How many such calls it is good for, where it says so.
    pub fn max_calls(&self, action: &ToolName, resource: &Resource, arguments: &Arguments) -> Option<u32> {
        let permits = |detail: &&Detail| detail.permits(action, resource, arguments);
        self.authority.iter().filter(permits).filter_map(Detail::max_calls).max()
    }

    pub(crate) fn policies(&self) -> Option<&Digest> {
        self.policies.as_ref()
    }
}
