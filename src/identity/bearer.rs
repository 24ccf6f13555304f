//! Bearer proofs: true of a workload, and shown by whoever holds them.

use super::{AgentId, ProofMethod};
use crate::canonical::Digest;
use crate::jose::Thumbprint;
use crate::time::Timestamp;

/// A token or certificate that truly names a workload. Whoever holds it can show it, so it admits nobody:
/// [`Enrolment`](super::Enrolment) binds it to a key that the workload proves to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BearerProof {
    agent: AgentId,
    method: ProofMethod,
    digest: Digest,
    until: Timestamp,
    /// The key that is in it, if one is.
    key: Option<Thumbprint>,
}

impl BearerProof {
    /// `digest` is of what was signed, and not of the signature: of an ECDSA signature there are two.
    pub(super) fn new(agent: AgentId, method: ProofMethod, digest: Digest, until: Timestamp) -> Self {
        Self { agent, method, digest, until, key: None }
    }

    /// What was signed names the workload's key: no other proves it.
    #[cfg(feature = "x509")]
    pub(super) fn of_key(self, key: Thumbprint) -> Self {
        Self { key: Some(key), ..self }
    }

    /// The key that is in it, if one is: a certificate's own.
    pub fn key(&self) -> Option<&Thumbprint> {
        self.key.as_ref()
    }

    /// Whom it names.
    pub fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// What it is.
    pub fn method(&self) -> ProofMethod {
        self.method
    }

    /// The digest of what its issuer signed.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// When it ends; it is over at this moment.
    pub fn until(&self) -> Timestamp {
        self.until
    }
}
