//! Key possession: the workload signs a fresh challenge with a key that was registered for it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::challenge::{Answer, Challenges};
use super::{AgentId, Challenge, IdentityVerifier, ProofError, ProofMethod, VerifiedWorkload};
use crate::canonical::Digest;
use crate::entropy::Entropy;
use crate::id::{Audience, Found};
use crate::jose::{Flaw, KeyError, KeySet, Kind, Token, VerifyingKey};
use crate::time::Timestamp;

/// How long a proof may hold at most.
pub(super) const MAX_LIFETIME: Duration = Duration::from_secs(3600);

/// Verifies that a workload holds the key that was registered for it.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use bailiwick::entropy::SystemEntropy;
/// use bailiwick::id::Audience;
/// use bailiwick::identity::{AgentId, AgentKey, IdentityVerifier, KeyPossession};
/// use bailiwick::time::{Clock, SystemClock};
///
/// let agent = AgentId::spiffe("spiffe://acme.example/agent/invoices")?;
/// let key = AgentKey::generate(&SystemEntropy)?;
/// let now = SystemClock.now()?;
///
/// let mut verifier = KeyPossession::new(Audience::new("https://host.acme.example")?, Arc::new(SystemEntropy));
/// verifier.register(agent.clone(), key.public())?;
/// let answer = verifier.challenge(&agent, now)?.answer(&key)?;
/// let proven = verifier.verify(&answer, now)?;
/// assert_eq!(proven.agent(), &agent);
/// assert!(verifier.verify(&answer, now).is_err(), "answered once");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct KeyPossession {
    challenges: Challenges<()>,
    lifetime: Duration,
    keys: KeySet<AgentId>,
    /// Who has a key.
    known: HashSet<AgentId>,
}

impl std::fmt::Debug for KeyPossession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPossession")
            .field("audience", self.challenges.audience())
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl KeyPossession {
    /// A verifier for answers that are meant for `audience`: the name of this host.
    pub fn new(audience: Audience, entropy: Arc<dyn Entropy>) -> Self {
        let challenges = Challenges::new(audience, entropy);
        Self { challenges, lifetime: MAX_LIFETIME, keys: KeySet::new(), known: HashSet::new() }
    }

    /// How long a proof holds; an hour unless said otherwise.
    ///
    /// # Errors
    ///
    /// Less than a second, or more than an hour.
    pub fn with_lifetime(mut self, lifetime: Duration) -> Result<Self, ProofError> {
        self.lifetime = checked_lifetime(lifetime)?;
        Ok(self)
    }

    /// Registers the key of an agent, which the host learnt in a way that it trusts.
    ///
    /// # Errors
    ///
    /// The agent has a key already, or the key is another agent's.
    pub fn register(&mut self, agent: AgentId, key: VerifyingKey) -> Result<(), KeyError> {
        if self.known.contains(&agent) {
            return Err(KeyError::HasKey { thumbprint: key.thumbprint(), owner: Found::new(agent.as_str()) });
        }
        self.keys.add(agent.clone(), key)?;
        self.known.insert(agent);
        Ok(())
    }

    /// Asks `agent` to prove itself.
    ///
    /// # Errors
    ///
    /// No key is registered for the agent, too many challenges are unanswered, or randomness failed.
    pub fn challenge(&self, agent: &AgentId, now: Timestamp) -> Result<Challenge, ProofError> {
        if !self.known.contains(agent) {
            return Err(ProofError::UnknownAgent(agent.clone()));
        }
        self.challenges.ask(agent, None, (), now)
    }
}

/// A lifetime that a proof may have.
pub(super) fn checked_lifetime(lifetime: Duration) -> Result<Duration, ProofError> {
    if lifetime.as_secs() == 0 || lifetime > MAX_LIFETIME {
        return Err(ProofError::Lifetime { seconds: lifetime.as_secs(), max_seconds: MAX_LIFETIME.as_secs() });
    }
    Ok(lifetime)
}

impl IdentityVerifier for KeyPossession {
    fn verify(&self, proof: &str, now: Timestamp) -> Result<VerifiedWorkload, ProofError> {
        let Token { owner, kid, claims } = Token::<Answer, AgentId>::verify(Kind::Possession, proof, &self.keys)?;
        if claims.sub != owner {
            return Err(Flaw::Subject.into());
        }
        self.challenges.take(claims, now)?;
        let digest = Digest::of(proof.as_bytes());
        let until = now.after(self.lifetime);
        Ok(VerifiedWorkload::new(owner, ProofMethod::HostKey, digest, Some(kid), until))
    }
}
