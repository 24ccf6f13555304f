//! Key possession: the workload signs a fresh challenge with a key that was registered for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AgentId, IdentityVerifier, ProofError, ProofMethod, VerifiedWorkload};
use crate::canonical::Digest;
use crate::entropy::Entropy;
use crate::id::{Audience, Found};
use crate::jose::{self, Flaw, KeyError, KeySet, Kind, Token, VerifyingKey, base64url};
use crate::live::locked;
use crate::time::Timestamp;

jose::key_for! {
    /// The key that an agent holds and proves itself with.
    AgentKey
}

/// Challenges that may be unanswered at once.
const MAX_OPEN: usize = 1024;
/// How long a challenge may be answered.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// How long a proof may hold at most.
const MAX_LIFETIME: Duration = Duration::from_secs(3600);

/// A question that only the holder of the agent's key can answer. Answered once, within a minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    agent: AgentId,
    audience: Audience,
    nonce: String,
    issued: i64,
    until: i64,
}

impl Challenge {
    /// Answers with the agent's key. The answer is a token that proves possession and nothing else.
    #[must_use]
    pub fn answer(&self, key: &AgentKey) -> String {
        let claims = Claims {
            sub: self.agent.clone(),
            aud: self.audience.clone(),
            nonce: self.nonce.clone(),
            iat: self.issued,
            exp: self.until,
        };
        // Serialising text and numbers cannot fail; an empty claim set would be refused by every verifier.
        jose::sign(Kind::Possession, &serde_json::to_vec(&claims).unwrap_or_default(), &key.0)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    sub: AgentId,
    aud: Audience,
    nonce: String,
    iat: i64,
    exp: i64,
}

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
/// let answer = verifier.challenge(&agent, now)?.answer(&key);
/// let proven = verifier.verify(&answer, now)?;
/// assert_eq!(proven.agent(), &agent);
/// assert!(verifier.verify(&answer, now).is_err(), "answered once");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct KeyPossession {
    audience: Audience,
    entropy: Arc<dyn Entropy>,
    lifetime: Duration,
    keys: KeySet<AgentId>,
    open: Mutex<BTreeMap<String, Challenge>>,
}

impl std::fmt::Debug for KeyPossession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPossession")
            .field("audience", &self.audience)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl KeyPossession {
    /// A verifier for answers that are meant for `audience`: the name of this host.
    pub fn new(audience: Audience, entropy: Arc<dyn Entropy>) -> Self {
        Self { audience, entropy, lifetime: MAX_LIFETIME, keys: KeySet::new(), open: Mutex::default() }
    }

    /// How long a proof holds; an hour unless said otherwise.
    ///
    /// # Errors
    ///
    /// Less than a second, or more than an hour.
    pub fn with_lifetime(mut self, lifetime: Duration) -> Result<Self, ProofError> {
        if lifetime.as_secs() == 0 || lifetime > MAX_LIFETIME {
            return Err(ProofError::Lifetime { seconds: lifetime.as_secs(), max_seconds: MAX_LIFETIME.as_secs() });
        }
        self.lifetime = lifetime;
        Ok(self)
    }

    /// Registers the key of an agent, which the host learnt in a way that it trusts.
    ///
    /// # Errors
    ///
    /// The agent has a key already, or the key is another agent's.
    pub fn register(&mut self, agent: AgentId, key: VerifyingKey) -> Result<(), KeyError> {
        if self.knows(&agent) {
            return Err(KeyError::HasKey { thumbprint: key.thumbprint(), owner: Found::new(agent.as_str()) });
        }
        self.keys.add(agent, key)
    }

    fn knows(&self, agent: &AgentId) -> bool {
        self.keys.owners().any(|known| known == agent)
    }

    /// Asks `agent` to prove itself.
    ///
    /// # Errors
    ///
    /// No key is registered for the agent, too many challenges are unanswered, or randomness failed.
    pub fn challenge(&self, agent: &AgentId, now: Timestamp) -> Result<Challenge, ProofError> {
        if !self.knows(agent) {
            return Err(ProofError::UnknownAgent(agent.clone()));
        }
        let nonce = base64url::encode(&crate::entropy::draw::<16>(self.entropy.as_ref())?);
        let challenge = Challenge {
            agent: agent.clone(),
            audience: self.audience.clone(),
            nonce: nonce.clone(),
            issued: now.unix(),
            until: now.after(ANSWER_WITHIN).unix(),
        };
        let mut open = locked(&self.open);
        open.retain(|_, challenge| now.unix() < challenge.until);
        if open.len() >= MAX_OPEN {
            return Err(ProofError::TooManyChallenges { open: open.len(), max: MAX_OPEN });
        }
        open.insert(nonce, challenge.clone());
        Ok(challenge)
    }
}

impl IdentityVerifier for KeyPossession {
    fn verify(&self, proof: &str, now: Timestamp) -> Result<VerifiedWorkload, ProofError> {
        let Token { owner, kid, claims } = Token::<Claims, AgentId>::verify(Kind::Possession, proof, &self.keys)?;
        jose::check_window(claims.iat, claims.iat, claims.exp, now)?;
        if claims.sub != owner {
            return Err(Flaw::Subject.into());
        }
        // Removed whether or not the rest matches: a challenge is answered once.
        let asked = locked(&self.open).remove(&claims.nonce).ok_or(Flaw::Replayed)?;
        let answered = Challenge {
            agent: claims.sub,
            audience: claims.aud,
            nonce: claims.nonce,
            issued: claims.iat,
            until: claims.exp,
        };
        if asked != answered || now.unix() >= asked.until {
            return Err(Flaw::Replayed.into());
        }
        let digest = Digest::of(proof.as_bytes());
        let until = now.after(self.lifetime);
        Ok(VerifiedWorkload::new(owner, ProofMethod::HostKey, digest, Some(kid), until))
    }
}
