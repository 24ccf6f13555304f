//! What a verified credential says.

use std::sync::Arc;

use super::token::Ancestor;
use crate::canonical::Digest;
use crate::id::{Audience, CredentialId, Issuer, TaskId, TransactionId};
use crate::identity::{AgentId, OperatorId};
use crate::jose::Thumbprint;
use crate::mandate::{Arguments, Detail, Mode, Resource, ToolName};
use crate::time::Timestamp;

/// What a verified credential says, whichever convention it was written in: the agent is the principal, and a person
/// appears only as the one on whose behalf. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCredential(pub(super) Arc<Facts>);

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) id: CredentialId,
    /// The credential that it is a projection of.
    pub(super) of: Option<CredentialId>,
    /// The key that signed it.
    pub(super) kid: Thumbprint,
    pub(super) issuer: Issuer,
    pub(super) audience: Audience,
    pub(super) agent: AgentId,
    pub(super) mode: Mode,
    pub(super) presented: Option<String>,
    pub(super) accountable: OperatorId,
    pub(super) authority: Vec<Detail>,
    pub(super) task: TaskId,
    pub(super) task_hash: Digest,
    pub(super) txn: TransactionId,
    pub(super) confirmation: Confirmation,
    pub(super) policies: Option<Digest>,
    pub(super) lineage: Vec<Ancestor>,
    pub(super) issued: Timestamp,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

/// Which key whoever presents a credential must hold (RFC 7800).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Confirmation {
    /// The key with this thumbprint (RFC 9449, section 6.1).
    Key(Thumbprint),
    /// The key of the certificate with this SHA-256 thumbprint (RFC 8705, section 3.1).
    Certificate(Thumbprint),
}

impl VerifiedCredential {
    /// The credential's id (`jti`).
    pub fn id(&self) -> &CredentialId {
        &self.0.id
    }

    /// Who issued it.
    pub fn issuer(&self) -> &Issuer {
        &self.0.issuer
    }

    /// The service that it is for.
    pub fn audience(&self) -> &Audience {
        &self.0.audience
    }

    /// The agent: the principal, and the only one.
    pub fn agent(&self) -> &AgentId {
        &self.0.agent
    }

    /// On whose errand.
    pub fn mode(&self) -> &Mode {
        &self.0.mode
    }

    /// The agent user to show; never an input to authorization.
    pub fn presented_as(&self) -> Option<&str> {
        self.0.presented.as_deref()
    }

    /// Who answers for the agent; confers nothing.
    pub fn accountable(&self) -> &OperatorId {
        &self.0.accountable
    }

    /// The agents above this one, the first of the task first: who passed the task on. They confer nothing.
    pub fn lineage(&self) -> impl ExactSizeIterator<Item = &AgentId> {
        self.0.lineage.iter().map(Ancestor::agent)
    }

    /// The task.
    pub fn task(&self) -> &TaskId {
        &self.0.task
    }

    /// Names the task's intent.
    pub fn task_hash(&self) -> &Digest {
        &self.0.task_hash
    }

    /// What joins the records of the task.
    pub fn txn(&self) -> &TransactionId {
        &self.0.txn
    }

    /// The key that the presenter must hold.
    pub fn confirmation(&self) -> &Confirmation {
        &self.0.confirmation
    }

    /// When it was issued.
    pub fn issued(&self) -> Timestamp {
        self.0.issued
    }

    /// When it ends; it is over at this moment.
    pub fn until(&self) -> Timestamp {
        self.0.until
    }

    /// Whether it permits this action on this resource with these arguments. How often is for whoever counts: see
    /// [`max_calls`](Self::max_calls), [`CredentialVerifier::accept`](super::CredentialVerifier::accept) and
    /// [`Authorizer::accept`](crate::Authorizer::accept).
    pub fn permits(&self, action: &ToolName, resource: &Resource, arguments: &Arguments) -> bool {
        self.0.authority.iter().any(|detail| detail.permits(action, resource, arguments))
    }

    /// How many such calls it is good for, where it says so.
    pub fn max_calls(&self, action: &ToolName, resource: &Resource, arguments: &Arguments) -> Option<u32> {
        let permits = |detail: &&Detail| detail.permits(action, resource, arguments);
        self.0.authority.iter().filter(permits).filter_map(Detail::max_calls).max()
    }

    /// The tools that it permits something with.
    pub(crate) fn tools(&self) -> impl Iterator<Item = &ToolName> {
        self.0.authority.iter().flat_map(|detail| &detail.actions)
    }

    pub(crate) fn policies(&self) -> Option<&Digest> {
        self.0.policies.as_ref()
    }
}
