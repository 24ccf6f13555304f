//! Proofs of a workload: the seam through which they are verified, and what verifying yields.

use super::AgentId;
use crate::canonical::Digest;
use crate::id::Found;
use crate::jose::{Refused, Thumbprint};
use crate::time::Timestamp;

/// How a workload was proven. The names are those of the credential's `attn.method`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProofMethod {
    /// Nothing was proven: the host vouches. Policies see `principal.attested == false`.
    Unattested,
    /// The workload signed a challenge with a key that was registered for it.
    HostKey,
    /// A JWT-SVID, and a challenge that the workload signed.
    SpiffeJwtSvid,
    /// An X.509-SVID, and a challenge that the workload signed.
    #[serde(rename = "spiffe-x509-svid")]
    SpiffeX509Svid,
    /// A token of its platform's OpenID provider, and a challenge that the workload signed.
    OidcJwt,
}

impl ProofMethod {
    /// The name in records, policies and tokens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unattested => "unattested",
            Self::HostKey => "host-key",
            Self::SpiffeJwtSvid => "spiffe-jwt-svid",
            Self::SpiffeX509Svid => "spiffe-x509-svid",
            Self::OidcJwt => "oidc-jwt",
        }
    }

    /// Whether anything was proven.
    pub fn is_attested(self) -> bool {
        !matches!(self, Self::Unattested)
    }
}

/// A workload whose proof was verified: what [`Authorizer::admit`](crate::Authorizer::admit) takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedWorkload {
    agent: AgentId,
    method: ProofMethod,
    digest: Digest,
    key: Option<Thumbprint>,
    until: Timestamp,
}

impl VerifiedWorkload {
    pub(super) fn new(
        agent: AgentId,
        method: ProofMethod,
        digest: Digest,
        key: Option<Thumbprint>,
        until: Timestamp,
    ) -> Self {
        Self { agent, method, digest, key, until }
    }

    /// Whom the proof names.
    pub fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// How it was proven.
    pub fn method(&self) -> ProofMethod {
        self.method
    }

    /// The digest of the proof.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The key that the workload holds, if it proved one.
    pub fn key(&self) -> Option<&Thumbprint> {
        self.key.as_ref()
    }

    /// When the proof ends; it is over at this moment.
    pub fn until(&self) -> Timestamp {
        self.until
    }
}

/// A proof was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The token was refused; see [`Refused::flaw`] for the operator's log.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The agent has no registered key.
    #[error("no key is registered for the agent {0}")]
    UnknownAgent(AgentId),
    /// Too many challenges are unanswered.
    #[error("{open} challenges are unanswered, at most {max} may be")]
    TooManyChallenges {
        /// Challenges that are unanswered and have not expired.
        open: usize,
        /// The bound.
        max: usize,
    },
    /// Too many challenges of one agent are unanswered.
    #[error("{max} challenges of the agent {agent} are unanswered, no more may be")]
    TooManyOfAgent {
        /// Whose.
        agent: AgentId,
        /// The bound.
        max: usize,
    },
    /// Too many proofs are bound to keys.
    #[error("{max} proofs that are not over are bound to keys, no more may be")]
    TooManyBound {
        /// The bound.
        max: usize,
    },
    /// The lifetime is not a valid one.
    #[error("a proof can hold for 1 second to {max_seconds} seconds, not for {seconds}")]
    Lifetime {
        /// What was asked for, in seconds.
        seconds: u64,
        /// The bound, in seconds.
        max_seconds: u64,
    },
    /// The source of randomness failed.
    #[error(transparent)]
    Entropy(#[from] crate::entropy::EntropyError),
    /// A verifier of the host refused the proof.
    #[error("the proof was refused: {0}")]
    Host(Found),
}

impl From<crate::jose::Flaw> for ProofError {
    fn from(flaw: crate::jose::Flaw) -> Self {
        Self::Refused(flaw.into())
    }
}

/// Verifies one kind of workload proof, given as the text in which it travels.
///
/// What a bearer can show, a token or a certificate, is no such proof: see [`Enrolment`](super::Enrolment). A host that has a
/// kind of proof of its own verifies it here and returns
/// [`danger::workload_vouched_by_host`], which says honestly that this library proved nothing.
pub trait IdentityVerifier: Send + Sync {
    /// Verifies `proof` at `now`.
    ///
    /// # Errors
    ///
    /// The proof does not hold.
    fn verify(&self, proof: &str, now: Timestamp) -> Result<VerifiedWorkload, ProofError>;
}

/// What the host asserts instead of proving. Recorded as such.
pub mod danger {
    use super::super::{HumanOperator, OperatorSession, SessionError};
    use super::{AgentId, ProofMethod, Thumbprint, Timestamp, VerifiedWorkload};
    use crate::canonical::Encoder;

    /// The host vouches that this process runs as `agent`, until `until`. Recorded as *unattested*, and
    /// visible to policies as `principal.attested == false`.
    ///
    /// `key` is the thumbprint of a key that the agent holds; without one no credential can be minted.
    pub fn workload_vouched_by_host(agent: AgentId, key: Option<Thumbprint>, until: Timestamp) -> VerifiedWorkload {
        let mut encoder = Encoder::new("bailiwick/vouched-workload/v1");
        encoder.text(agent.as_str()).text(key.as_ref().map_or("", Thumbprint::as_str));
        encoder.fixed(&until.unix().to_be_bytes());
        VerifiedWorkload::new(agent, ProofMethod::Unattested, encoder.finish(), key, until)
    }

    /// The host authenticated this person itself, at `signed_in`, and the session holds until `until`.
    ///
    /// # Errors
    ///
    /// The session would end before it starts.
    pub fn operator_vouched_by_host(
        operator: HumanOperator,
        signed_in: Timestamp,
        until: Timestamp,
    ) -> Result<OperatorSession, SessionError> {
        OperatorSession::new(operator, signed_in, until)
    }
}
