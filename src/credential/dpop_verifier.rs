//! The verifier of DPoP proofs (RFC 9449, section 4.3): whoever sends this request holds the key, now, and not for the second
//! time.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::dpop::{Claims, DpopNonce, DpopRequest};
use super::http_uri::HttpUri;
use super::replay::Replays;
use crate::canonical::Encoder;
use crate::entropy::{Entropy, EntropyError};
use crate::id::made_of;
use crate::jose::{Flaw, Kind, Leeway, Refused, Signed, Thumbprint, base64url};
use crate::live::locked;
use crate::sync::Mutex;
use crate::time::Timestamp;

/// How long a proof is good after it was made, unless said otherwise, in seconds.
const WINDOW: u64 = 60;
/// No proof is good for longer, in seconds.
const MAX_WINDOW: u64 = 300;
/// Proofs that are remembered at once, unless said otherwise: more than a thousand a second, in some ten megabytes.
const CAPACITY: usize = 1 << 16;
/// No more proofs are remembered at once.
const MAX_CAPACITY: usize = 1 << 20;

/// The rules of a verifier are not within their bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DpopError {
    /// A window has whole seconds, of which there are 1 to 300.
    #[error("a proof is good for 1 to {MAX_WINDOW} whole seconds, not for {} seconds", .0.as_secs_f64())]
    Window(Duration),
    /// At least one proof is remembered, and about a million at most.
    #[error("1 to {MAX_CAPACITY} proofs are remembered, not {0}")]
    Capacity(usize),
}

/// Verifies DPoP proofs, each once.
///
/// One verifier serves all requests of a service: what it has seen is remembered in it, as long as it would be good
/// otherwise (RFC 9449, section 11.1). Where several processes serve one URI, each remembers for itself: let them ask for
/// [nonces](Self::with_nonces), or let one process serve one agent.
///
/// What it is shown comes from a token that was verified: [`check`](Self::check) proves possession of a key, and not that the
/// key may do anything.
pub struct DpopVerifier {
    window: i64,
    leeway: Leeway,
    nonces: Option<Nonces>,
    replays: Replays,
}

impl Default for DpopVerifier {
    fn default() -> Self {
        Self::new()
    }
}

impl DpopVerifier {
    /// Takes proofs that were made within the last 60 seconds, without leeway, and remembers 65536 of them.
    pub fn new() -> Self {
        let window = i64::try_from(WINDOW).unwrap_or(0);
        Self { window, leeway: Leeway::default(), nonces: None, replays: Replays::new(CAPACITY) }
    }

    /// Takes proofs that were made within this time.
    ///
    /// # Errors
    ///
    /// Less than a second, more than 300, or a part of one.
    pub fn with_window(mut self, window: Duration) -> Result<Self, DpopError> {
        let is_whole = window.subsec_nanos() == 0 && (1..=MAX_WINDOW).contains(&window.as_secs());
        self.window = i64::try_from(window.as_secs()).ok().filter(|_| is_whole).ok_or(DpopError::Window(window))?;
        Ok(self)
    }

    /// The clocks of agents may differ from this one by so much, in either direction.
    #[must_use]
    pub fn with_leeway(mut self, leeway: Leeway) -> Self {
        self.leeway = leeway;
        self
    }

    /// Remembers so many proofs at once. When there are more, further ones are refused until the first are over.
    ///
    /// # Errors
    ///
    /// None, or more than 1048576.
    pub fn with_capacity(mut self, capacity: usize) -> Result<Self, DpopError> {
        if !(1..=MAX_CAPACITY).contains(&capacity) {
            return Err(DpopError::Capacity(capacity));
        }
        self.replays = Replays::new(capacity);
        Ok(self)
    }

    /// Takes proofs with a nonce of its own alone (RFC 9449, section 8): such a proof was not made beforehand. A nonce is new every
    /// 30 seconds, and good for 5 minutes.
    #[must_use]
    pub fn with_nonces(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.nonces = Some(Nonces { entropy, fresh: Mutex::default() });
        self
    }

    /// The nonce to give out in `DPoP-Nonce` at `now`: with every response, and with the refusal (`use_dpop_nonce`) of a proof
    /// whose [`Refused::flaw`] is [`Flaw::Nonce`]. None where nonces are not asked for.
    ///
    /// # Errors
    ///
    /// The source of randomness failed.
    pub fn nonce(&self, now: Timestamp) -> Result<Option<DpopNonce>, EntropyError> {
        self.nonces.as_ref().map(|nonces| nonces.at(now)).transpose()
    }

    /// Checks the proof of `request` at `now`, and takes it: a second time it is refused. `key` is the thumbprint that the access
    /// token is bound to (`cnf.jkt`), as [`VerifiedCredential::confirmation`](super::VerifiedCredential::confirmation) tells it.
    ///
    /// A request has one header `DPoP`; the host sees to that, and hands its value over as it is.
    ///
    /// # Errors
    ///
    /// Always the same to outsiders; [`Refused::flaw`] says more to the operator's log. It is [`Flaw::Nonce`] only where all else
    /// holds but whether the proof is new. A proof that is refused is not remembered.
    pub fn check(&self, proof: &str, request: &DpopRequest, key: &Thumbprint, now: Timestamp) -> Result<(), Refused> {
        Ok(self.take(proof, request, key, now)?)
    }

    pub(super) fn take(
        &self,
        proof: &str,
        request: &DpopRequest,
        expected: &Thumbprint,
        now: Timestamp,
    ) -> Result<(), Flaw> {
        let signed = Signed::read(Kind::Dpop, proof)?;
        let key = signed.own_key().ok_or(Flaw::Header)?;
        if key.thumbprint() != *expected {
            return Err(Flaw::UnknownKey);
        }
        let claims: Claims = signed.verified_by(key)?;
        let is_for = *claims.htm == *request.method
            && HttpUri::new(&claims.htu).is_ok_and(|uri| uri == request.uri)
            && claims.ath == request.ath;
        if !is_for {
            return Err(Flaw::Binding);
        }
        let end = self.end(claims.iat, now)?;
        if !made_of(&claims.jti, 256, |byte| byte.is_ascii_graphic()) {
            return Err(Flaw::Claims);
        }
        if self.nonces.as_ref().is_some_and(|nonces| !nonces.knows(claims.nonce.as_deref(), now)) {
            return Err(Flaw::Nonce);
        }
        let mut once = Encoder::new("bailiwick/dpop/v1");
        once.text(expected.as_str()).text(&claims.jti);
        self.replays.enter(once.finish(), end, now)
    }

    /// When a proof that was made at this second is over.
    fn end(&self, made: i64, now: Timestamp) -> Result<Timestamp, Flaw> {
        let leeway = self.leeway.seconds();
        if made < 1 {
            return Err(Flaw::Claims);
        }
        if made > now.unix().saturating_add(leeway) {
            return Err(Flaw::NotYetValid);
        }
        let end = made.saturating_add(self.window).saturating_add(leeway);
        Timestamp::from_unix(end).filter(|end| now < *end).ok_or(Flaw::Expired)
    }
}

impl fmt::Debug for DpopVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopVerifier")
            .field("window", &self.window)
            .field("leeway", &self.leeway)
            .field("nonces", &self.nonces.is_some())
            .finish_non_exhaustive()
    }
}

/// A nonce is given out for so long,
const GIVEN_FOR: Duration = Duration::from_secs(30);
/// and is good for so long.
const GOOD_FOR: Duration = Duration::from_secs(300);
/// So many are good at once: as many as are given out in that time.
const MAX_FRESH: usize = 10;

/// The nonces that a server gave out lately.
struct Nonces {
    entropy: Arc<dyn Entropy>,
    /// With the time at which each was drawn, the last one last.
    fresh: Mutex<VecDeque<(DpopNonce, Timestamp)>>,
}

impl Nonces {
    fn at(&self, now: Timestamp) -> Result<DpopNonce, EntropyError> {
        if let Some(nonce) = self.given_out(now) {
            return Ok(nonce);
        }
        // Drawn without the lock: it is the host's randomness.
        let drawn = base64url::encode(&crate::entropy::draw::<16>(self.entropy.as_ref())?);
        let nonce = DpopNonce::new(&drawn).map_err(|_| EntropyError)?;
        let mut fresh = locked(&self.fresh);
        if let Some((other, _)) = fresh.back().filter(|(_, drawn)| now < drawn.after(GIVEN_FOR)) {
            // Somebody else was faster.
            return Ok(other.clone());
        }
        if fresh.len() >= MAX_FRESH {
            fresh.pop_front();
        }
        fresh.push_back((nonce.clone(), now));
        Ok(nonce)
    }

    fn given_out(&self, now: Timestamp) -> Option<DpopNonce> {
        let fresh = locked(&self.fresh);
        fresh.back().filter(|(_, drawn)| now < drawn.after(GIVEN_FOR)).map(|(nonce, _)| nonce.clone())
    }

    fn knows(&self, nonce: Option<&str>, now: Timestamp) -> bool {
        let fresh = locked(&self.fresh);
        fresh.iter().any(|(one, drawn)| Some(one.as_str()) == nonce && now < drawn.after(GOOD_FOR))
    }
}
