//! Challenges: fresh questions that only the holder of a key can answer, each once and within a minute.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AgentId, ProofError};
use crate::canonical::Digest;
use crate::entropy::Entropy;
use crate::id::Audience;
use crate::jose::{self, Algorithm, Flaw, Heading, Kind, Leeway, SigningError, SigningKey, VerifyingKey, base64url};
use crate::live::locked;
use crate::strict::present;
use crate::sync::Mutex;
use crate::time::Timestamp;

jose::key_for! {
    /// The key that an agent holds and proves itself with.
    AgentKey
}

impl AgentKey {
    /// The key itself, for the proofs of possession that other rooms define.
    pub(crate) fn signing(&self) -> &SigningKey {
        &self.0
    }
}

/// Challenges that may be unanswered at once.
const MAX_OPEN: usize = 1024;
/// Challenges of one agent that may be unanswered at once: whoever asks for one agent's leaves room for the others.
const MAX_OF_AGENT: usize = 64;
/// How long a challenge may be answered.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// A question that only the holder of the agent's key can answer. Answered once, within a minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    agent: AgentId,
    audience: Audience,
    nonce: String,
    issued: i64,
    until: i64,
    /// The proof that came along, which the answer binds to the key.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    proof: Option<Digest>,
}

impl Challenge {
    /// The host that asks. Whoever answers for another host than the one that they talk to lets that one in as themselves.
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// Answers with the agent's key, once [`audience`](Self::audience) is the host that was asked. The answer is a token that
    /// proves possession and nothing else.
    ///
    /// # Errors
    ///
    /// The key did not sign; an Ed25519 key always does.
    pub fn answer(&self, key: &AgentKey) -> Result<String, SigningError> {
        Heading::of(Kind::Possession, &key.0).sign(&self.claims(), &key.0)
    }

    /// Answers with a key that is held elsewhere, such as that of an X.509-SVID: `sign` signs the bytes with `algorithm`, as
    /// RFC 7518, section 3, writes signatures (of ECDSA, r and s side by side).
    #[must_use]
    pub fn answer_with(&self, key: &VerifyingKey, algorithm: Algorithm, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        Heading::new(Kind::Possession, algorithm, key).sign_with(&self.claims(), sign)
    }

    fn claims(&self) -> Vec<u8> {
        let answer = Answer {
            sub: self.agent.clone(),
            aud: self.audience.clone(),
            nonce: self.nonce.clone(),
            iat: self.issued,
            exp: self.until,
            proof: self.proof,
        };
        // Serialising text and numbers cannot fail; an empty claim set would be refused by every verifier.
        serde_json::to_vec(&answer).unwrap_or_default()
    }

    /// Who is asked.
    pub(super) fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// The proof that came along.
    pub(super) fn proof(&self) -> Option<&Digest> {
        self.proof.as_ref()
    }
}

/// The claims of an answer: the question, word for word.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) sub: AgentId,
    aud: Audience,
    nonce: String,
    iat: i64,
    exp: i64,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    proof: Option<Digest>,
}

/// The challenges that one verifier asked and nobody answered yet, with what it remembers of each.
pub(super) struct Challenges<T> {
    audience: Audience,
    entropy: Arc<dyn Entropy>,
    open: Mutex<BTreeMap<String, (Challenge, T)>>,
}

impl<T: Clone> Challenges<T> {
    pub(super) fn new(audience: Audience, entropy: Arc<dyn Entropy>) -> Self {
        Self { audience, entropy, open: Mutex::default() }
    }

    /// For whom answers are meant.
    pub(super) fn audience(&self) -> &Audience {
        &self.audience
    }

    /// Asks.
    pub(super) fn ask(
        &self,
        agent: &AgentId,
        proof: Option<Digest>,
        remembered: T,
        now: Timestamp,
    ) -> Result<Challenge, ProofError> {
        let nonce = base64url::encode(&crate::entropy::draw::<16>(self.entropy.as_ref())?);
        let challenge = Challenge {
            agent: agent.clone(),
            audience: self.audience.clone(),
            nonce: nonce.clone(),
            issued: now.unix(),
            until: now.after(ANSWER_WITHIN).unix(),
            proof,
        };
        let mut open = locked(&self.open);
        open.retain(|_, (challenge, _)| now.unix() < challenge.until);
        if open.len() >= MAX_OPEN {
            return Err(ProofError::TooManyChallenges { open: open.len(), max: MAX_OPEN });
        }
        if open.values().filter(|(challenge, _)| challenge.agent == *agent).count() >= MAX_OF_AGENT {
            return Err(ProofError::TooManyOfAgent { agent: agent.clone(), max: MAX_OF_AGENT });
        }
        open.insert(nonce, (challenge.clone(), remembered));
        Ok(challenge)
    }

    /// What is remembered of the challenge that an answer names; nobody verified the answer yet.
    pub(super) fn remembered(&self, answer: &Answer) -> Option<T> {
        locked(&self.open).get(&answer.nonce).map(|(_, remembered)| remembered.clone())
    }

    /// Takes the challenge that a verified answer is to, word for word and in time. It is gone whether or not the rest
    /// matches: a challenge is answered once.
    pub(super) fn take(&self, answer: Answer, now: Timestamp) -> Result<Challenge, Flaw> {
        jose::check_window((answer.iat, answer.iat, answer.exp), now, Leeway::default())?;
        let (asked, _) = locked(&self.open).remove(&answer.nonce).ok_or(Flaw::Replayed)?;
        let Answer { sub: agent, aud: audience, nonce, iat: issued, exp: until, proof } = answer;
        let answered = Challenge { agent, audience, nonce, issued, until, proof };
        if asked != answered || now.unix() >= asked.until {
            return Err(Flaw::Replayed);
        }
        Ok(asked)
    }
}
