//! Enrolment: a bearer proof and a key become one proof of the workload.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::challenge::{Answer, Challenges};
use super::possession::{MAX_LIFETIME, checked_lifetime};
use super::{AgentId, BearerProof, Challenge, IdentityVerifier, ProofError, VerifiedWorkload};
use crate::canonical::Digest;
use crate::entropy::Entropy;
use crate::id::{Audience, Found};
use crate::jose::{Flaw, KeyError, Kind, Signed, Thumbprint, VerifyingKey};
use crate::live::locked;
use crate::sync::Mutex;
use crate::time::Timestamp;

/// Proofs that may be bound at once.
const MAX_BOUND: usize = 65_536;

/// Binds bearer proofs to the keys of those who show them, so that a stolen SVID or ID token alone admits nobody.
///
/// The workload sends its proof and the public half of a key; the host verifies the proof, asks, and the workload
/// answers with the key, over the proof's digest and a nonce. From then on that proof is good with that key alone; a
/// certificate never was with another than its own. An
/// agent whose key the host knows ([`pin`](Self::pin)) is admitted with that key only, whatever proof comes along:
/// then not even a thief who is faster than the workload gets in.
///
/// ```
/// use std::{error::Error, sync::Arc};
/// use bailiwick::entropy::SystemEntropy;
/// use bailiwick::id::Audience;
/// use bailiwick::identity::{AgentKey, BearerProof, Enrolment, VerifiedWorkload};
/// use bailiwick::time::Timestamp;
///
/// // At the host, with a proof that `SpiffeVerifier` or `OidcVerifier` found true.
/// fn enrol(
///     host: &Enrolment,
///     proof: BearerProof,
///     key: &AgentKey,
///     now: Timestamp,
/// ) -> Result<VerifiedWorkload, Box<dyn Error>> {
///     let challenge = host.challenge(&proof, key.public(), now)?;
///     // At the workload, which alone has the private half.
///     let answer = challenge.answer(key)?;
///     Ok(host.verify(proof, &answer, now)?)
/// }
///
/// let host = Enrolment::new(Audience::new("https://host.acme.example")?, Arc::new(SystemEntropy));
/// # let _ = (host, enrol);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Enrolment {
    challenges: Challenges<VerifyingKey>,
    lifetime: Duration,
    /// The agents whose key is known.
    pinned: HashMap<AgentId, Thumbprint>,
    /// Whose key each proof is bound to, and until when.
    bound: Mutex<HashMap<Digest, (Thumbprint, Timestamp)>>,
}

/// An enrolment that has a proof and awaits the answer. Made by [`Enrolment::awaiting`].
#[derive(Debug)]
pub struct AwaitedAnswer<'e> {
    enrolment: &'e Enrolment,
    proof: BearerProof,
}

impl IdentityVerifier for AwaitedAnswer<'_> {
    fn verify(&self, answer: &str, now: Timestamp) -> Result<VerifiedWorkload, ProofError> {
        self.enrolment.verify(self.proof.clone(), answer, now)
    }
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrolment").field("audience", self.challenges.audience()).finish_non_exhaustive()
    }
}

impl Enrolment {
    /// An enrolment at the host that is called `audience`.
    pub fn new(audience: Audience, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            challenges: Challenges::new(audience, entropy),
            lifetime: MAX_LIFETIME,
            pinned: HashMap::new(),
            bound: Mutex::default(),
        }
    }

    /// How long a proof holds at most, however long its issuer let it live; an hour unless said otherwise.
    ///
    /// # Errors
    ///
    /// Less than a second, or more than an hour.
    pub fn with_lifetime(mut self, lifetime: Duration) -> Result<Self, ProofError> {
        self.lifetime = checked_lifetime(lifetime)?;
        Ok(self)
    }

    /// Admits this agent with this key only, which the host learnt in a way that it trusts.
    ///
    /// # Errors
    ///
    /// The agent has another key already.
    pub fn pin(&mut self, agent: AgentId, key: &VerifyingKey) -> Result<(), KeyError> {
        let thumbprint = key.thumbprint();
        match self.pinned.get(&agent) {
            Some(known) if *known != thumbprint => {
                Err(KeyError::HasKey { thumbprint, owner: Found::new(agent.as_str()) })
            }
            _ => {
                self.pinned.insert(agent, thumbprint);
                Ok(())
            }
        }
    }

    /// Asks whoever shows the proof to prove that they have the key.
    ///
    /// # Errors
    ///
    /// The agent or the proof has another key, the proof is over, too many challenges are unanswered, or randomness failed.
    pub fn challenge(&self, proof: &BearerProof, key: VerifyingKey, now: Timestamp) -> Result<Challenge, ProofError> {
        self.check(proof, &key.thumbprint(), now)?;
        self.challenges.ask(proof.agent(), Some(*proof.digest()), key, now)
    }

    /// Verifies the answer, and binds the proof to the key.
    ///
    /// # Errors
    ///
    /// The answer is not to a challenge for this proof, word for word, within a minute, once, and by the key; or the proof was
    /// bound to another key meanwhile, is over, or too many are bound.
    pub fn verify(&self, proof: BearerProof, answer: &str, now: Timestamp) -> Result<VerifiedWorkload, ProofError> {
        let signed = Signed::read(Kind::Possession, answer)?;
        let key = self.challenges.remembered(&signed.claimed()?).ok_or(Flaw::Replayed)?;
        let thumbprint = key.thumbprint();
        if signed.kid() != thumbprint.as_str() {
            return Err(Flaw::UnknownKey.into());
        }
        let answer: Answer = signed.verified_by(&key)?;
        let asked = self.challenges.take(answer, now)?;
        if asked.agent() != proof.agent() || asked.proof() != Some(proof.digest()) {
            return Err(Flaw::Binding.into());
        }
        self.check(&proof, &thumbprint, now)?;
        if self.known(&proof).is_none() {
            self.bind(&proof, &thumbprint, now)?;
        }
        let until = proof.until().min(now.after(self.lifetime));
        Ok(VerifiedWorkload::new(proof.agent().clone(), proof.method(), *proof.digest(), Some(thumbprint), until))
    }

    /// This enrolment with one proof, as a verifier of the answer: for what takes an [`IdentityVerifier`], such as
    /// [`Authorizer::prove`](crate::Authorizer::prove).
    pub fn awaiting(&self, proof: BearerProof) -> AwaitedAnswer<'_> {
        AwaitedAnswer { enrolment: self, proof }
    }

    /// The only key that may ever come with this proof: the one that the host pinned, or else the one that is in the proof, as in
    /// a certificate, which is seen by many.
    fn known<'k>(&'k self, proof: &'k BearerProof) -> Option<&'k Thumbprint> {
        self.pinned.get(proof.agent()).or(proof.key())
    }

    /// Whether this key may come with this proof.
    fn check(&self, proof: &BearerProof, key: &Thumbprint, now: Timestamp) -> Result<(), Flaw> {
        if now >= proof.until() {
            return Err(Flaw::Expired);
        }
        let is_it = match self.known(proof) {
            Some(known) => known == key,
            None => locked(&self.bound).get(proof.digest()).is_none_or(|(bound, _)| bound == key),
        };
        if is_it { Ok(()) } else { Err(Flaw::Binding) }
    }

    /// The check and the binding are one step: of two keys, one is first.
    fn bind(&self, proof: &BearerProof, key: &Thumbprint, now: Timestamp) -> Result<(), ProofError> {
        let mut bound = locked(&self.bound);
        if bound.len() >= MAX_BOUND {
            bound.retain(|_, (_, until)| now < *until);
        }
        let is_full = bound.len() >= MAX_BOUND;
        match bound.get_mut(proof.digest()) {
            Some((known, _)) if known != key => Err(Flaw::Binding.into()),
            Some((_, until)) => {
                // The same may be shown again with more time: to a verifier of another leeway.
                *until = proof.until().max(*until);
                Ok(())
            }
            None if is_full => Err(ProofError::TooManyBound { max: MAX_BOUND }),
            None => {
                bound.insert(*proof.digest(), (key.clone(), proof.until()));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ProofMethod;
    use super::*;
    use crate::entropy::SystemEntropy;

    type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::EPOCH.after(Duration::from_secs(seconds))
    }

    /// A host, an agent, and two keys.
    fn scene() -> Outcome<(Enrolment, AgentId, [Thumbprint; 2])> {
        let host = Enrolment::new(Audience::new("https://host.acme.example")?, Arc::new(SystemEntropy));
        let agent = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
        Ok((host, agent, [Thumbprint::new(&"A".repeat(43))?, Thumbprint::new(&"B".repeat(43))?]))
    }

    fn proof_of(agent: &AgentId, number: usize, until: u64) -> BearerProof {
        let digest = Digest::of(&number.to_be_bytes());
        BearerProof::new(agent.clone(), ProofMethod::SpiffeJwtSvid, digest, at(until))
    }

    #[test]
    fn a_binding_lasts_as_long_as_the_proof_was_ever_shown_to() -> Outcome {
        let (host, agent, [own, other]) = scene()?;
        let proof = |number, until| proof_of(&agent, number, until);
        let bind = |proof: &BearerProof, key, now: u64| host.bind(proof, key, at(now));
        bind(&proof(0, 100), &own, 0)?;
        bind(&proof(0, 300), &own, 0)?;
        for number in 1..MAX_BOUND {
            bind(&proof(number, 200), &own, 0)?;
        }
        assert_eq!(bind(&proof(0, 300), &other, 200), Err(Flaw::Binding.into()), "shown with more time");
        Ok(())
    }

    /// Here, since so many signatures take a minute.
    #[test]
    fn so_many_proofs_are_bound_at_once_and_those_that_ended_make_room() -> Outcome {
        let (host, agent, [own, other]) = scene()?;
        let proof = |number, until| proof_of(&agent, number, until);
        let bind = |proof: &BearerProof, key, now: u64| host.bind(proof, key, at(now));

        let short = proof(0, 100);
        bind(&short, &own, 0)?;
        for number in 1..MAX_BOUND {
            bind(&proof(number, 300), &own, 0)?;
        }
        let (over, more) = (proof(MAX_BOUND, 300), proof(MAX_BOUND + 1, 300));
        let full = Err(ProofError::TooManyBound { max: MAX_BOUND });
        assert_eq!(bind(&over, &own, 99), full);
        assert_eq!(bind(&short, &own, 99), Ok(()), "who is bound already goes on");
        assert_eq!(bind(&short, &other, 99), Err(Flaw::Binding.into()), "and nobody else does");
        assert_eq!(bind(&over, &own, 100), Ok(()), "one ended");
        assert_eq!(bind(&more, &own, 100), full);
        Ok(())
    }
}
