//! The key ring: the key that signs credentials, and the ones that did and still verify them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::token::MAX_LIFETIME;
use crate::id::Issuer;
use crate::jose::{self, Heading, JwkSet, KeySet, Kind, SigningError, SigningKey, Thumbprint, VerifyingKey};
use crate::live::locked;
use crate::sync::Mutex;
use crate::time::Timestamp;

jose::key_for! {
    /// The key that credentials are signed with, held here or [elsewhere](Self::elsewhere). Another type than any other key.
    MintKey
}

impl MintKey {
    pub(super) fn of(key: SigningKey) -> Self {
        Self(key)
    }
}

/// Keys that do not sign any more and still verify, at most. With more than that in a quarter of an hour, keys do not
/// rotate: something rotates them.
const MAX_FORMER: usize = 8;

/// The ring was left as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingError {
    /// The ring has this key: a key signs for one time.
    #[error("the ring has the key {0} already")]
    Known(Thumbprint),
    /// Too many keys still verify.
    #[error("{former} former keys still verify, at most {max} may; the first of them ends at {until}")]
    TooMany {
        /// How many there are.
        former: usize,
        /// The bound.
        max: usize,
        /// When there is room again.
        until: Timestamp,
    },
    /// The key is the one that signs.
    #[error("the key {0} signs; rotate it first, and withdraw it then")]
    Signs(Thumbprint),
    /// The ring has no such key.
    #[error("the ring has no key {0}")]
    Unknown(Thumbprint),
}

/// The keys of one issuer of credentials: one signs, and those that signed before verify until the last credential of
/// theirs is over. Cheap to clone; clones are the same ring, so that a host rotates keys while the door is open.
///
/// ```
/// use bailiwick::credential::{KeyRing, MintKey, Minter};
/// use bailiwick::entropy::SystemEntropy;
/// use bailiwick::id::Issuer;
/// use bailiwick::jose::{JwkSet, KeySet};
/// use bailiwick::time::{Clock, SystemClock};
///
/// let (issuer, now) = (Issuer::new("https://authz.acme.example")?, SystemClock.now()?);
/// let ring = KeyRing::new(issuer.clone(), MintKey::generate(&SystemEntropy)?);
/// let minter = Minter::with_ring(ring.clone());
///
/// // At any time after: another key signs. The service that takes credentials fetches both.
/// let former = ring.signs_with();
/// ring.rotate(MintKey::generate_es256()?, now)?;
/// let published = ring.jwk_set(now);
/// let trusted = KeySet::from_jwk_set(&issuer, &JwkSet::from_json(&published)?)?;
///
/// // A key that leaked verifies nothing from now on.
/// ring.withdraw(&former)?;
/// assert!(!ring.jwk_set(now).contains(former.as_str()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct KeyRing(Arc<Ring>);

struct Ring {
    issuer: Issuer,
    keys: ArcSwap<Keys>,
    /// Held while the keys are replaced.
    changing: Mutex<()>,
}

/// The keys as they are at one time.
#[derive(Clone)]
struct Keys {
    pen: Arc<Pen>,
    /// Those that signed before, the first to end first.
    former: VecDeque<Former>,
    /// All of them, as they are trusted.
    trusted: KeySet,
}

#[derive(Clone)]
struct Former {
    key: VerifyingKey,
    thumbprint: Thumbprint,
    /// From this moment on it verifies nothing.
    until: Timestamp,
}

/// A key that signs, with the header of its credentials.
pub(super) struct Pen {
    key: MintKey,
    heading: Heading,
}

impl Pen {
    fn new(key: MintKey) -> Self {
        Self { heading: Heading::of(Kind::Credential, &key.0), key }
    }

    pub(super) fn thumbprint(&self) -> &Thumbprint {
        self.key.0.thumbprint()
    }

    /// Signs the claims of a credential. No lock is held: the key may be far away.
    pub(super) fn sign(&self, claims: &[u8]) -> Result<String, SigningError> {
        self.heading.sign(claims, &self.key.0)
    }

    /// Signs the claims of something else that its issuer says.
    pub(super) fn sign_as(&self, kind: Kind, claims: &[u8]) -> Result<String, SigningError> {
        Heading::of(kind, &self.key.0).sign(claims, &self.key.0)
    }
}

impl Keys {
    fn new(issuer: &Issuer, pen: Arc<Pen>, former: VecDeque<Former>) -> Self {
        let mut trusted = KeySet::of(issuer.clone(), pen.key.0.public().clone());
        for one in &former {
            // No key is there twice.
            let _ = trusted.add(issuer.clone(), one.key.clone());
        }
        Self { pen, former, trusted }
    }

    /// Whether one of them is over.
    fn is_stale(&self, now: Timestamp) -> bool {
        self.former.front().is_some_and(|first| first.until <= now)
    }
}

impl KeyRing {
    /// A ring of one key, which signs for `issuer`.
    pub fn new(issuer: Issuer, key: MintKey) -> Self {
        let keys = Keys::new(&issuer, Arc::new(Pen::new(key)), VecDeque::new());
        Self(Arc::new(Ring { issuer, keys: ArcSwap::from_pointee(keys), changing: Mutex::default() }))
    }

    /// The issuer.
    pub fn issuer(&self) -> &Issuer {
        &self.0.issuer
    }

    /// The thumbprint of the key that signs.
    pub fn signs_with(&self) -> Thumbprint {
        self.0.keys.load().pen.key.0.thumbprint().clone()
    }

    /// From now on `key` signs; the one that did verifies for another 900 seconds, which is as long as a credential lives at
    /// most, and nothing from then on. Services elsewhere that meet a key that they do not know fetch
    /// [`jwk_set`](Self::jwk_set) again.
    ///
    /// # Errors
    ///
    /// The ring has the key, or eight former keys still verify. None of them is given up before its time.
    pub fn rotate(&self, key: MintKey, now: Timestamp) -> Result<(), KeyRingError> {
        let pen = Arc::new(Pen::new(key));
        self.change(now, |keys| {
            let thumbprint = pen.key.0.thumbprint();
            let signs = &keys.pen.key.0;
            if signs.thumbprint() == thumbprint || keys.former.iter().any(|one| one.thumbprint == *thumbprint) {
                return Err(KeyRingError::Known(thumbprint.clone()));
            }
            if let Some(first) = keys.former.front().filter(|_| keys.former.len() >= MAX_FORMER) {
                let (former, until) = (keys.former.len(), first.until);
                return Err(KeyRingError::TooMany { former, max: MAX_FORMER, until });
            }
            let last = keys.former.back().map_or(Timestamp::EPOCH, |one| one.until);
            // A clock that was set back shortens nobody's time.
            let until = now.after(Duration::from_secs(MAX_LIFETIME)).max(last);
            let former = Former { key: signs.public().clone(), thumbprint: signs.thumbprint().clone(), until };
            keys.former.push_back(former);
            keys.pen = pen;
            Ok(())
        })
    }

    /// Gives a former key up at once, and with it every credential that it signed: for a key that leaked. The ring does not
    /// remember it; do not let it sign again.
    ///
    /// # Errors
    ///
    /// It is the key that signs, which is [rotated](Self::rotate) first, or none of the ring's.
    pub fn withdraw(&self, key: &Thumbprint) -> Result<(), KeyRingError> {
        self.change(Timestamp::EPOCH, |keys| {
            if keys.pen.key.0.thumbprint() == key {
                return Err(KeyRingError::Signs(key.clone()));
            }
            let place = keys.former.iter().position(|one| one.thumbprint == *key);
            let place = place.ok_or_else(|| KeyRingError::Unknown(key.clone()))?;
            keys.former.remove(place);
            Ok(())
        })
    }

    /// The keys that verify credentials at `now`, for services elsewhere (RFC 7517): each under its RFC 7638 thumbprint. Read it
    /// with [`JwkSet::from_json`] and [`KeySet::from_jwk_set`].
    pub fn jwk_set(&self, now: Timestamp) -> String {
        let keys = self.at(now);
        JwkSet::write(std::iter::once(keys.pen.key.0.public()).chain(keys.former.iter().map(|one| &one.key)))
    }

    /// The keys that verify credentials at `now`, for services in this process.
    pub fn keys(&self, now: Timestamp) -> KeySet {
        self.at(now).trusted.clone()
    }

    /// What signs now.
    pub(super) fn pen(&self) -> Arc<Pen> {
        Arc::clone(&self.0.keys.load().pen)
    }

    /// The keys at `now`; those that are over are gone for good.
    fn at(&self, now: Timestamp) -> Arc<Keys> {
        let keys = self.0.keys.load_full();
        if !keys.is_stale(now) {
            return keys;
        }
        let Ok(()) = self.change(now, |_| Ok::<_, std::convert::Infallible>(()));
        self.0.keys.load_full()
    }

    /// Replaces the keys by what `change` makes of them, without those that are over at `now`.
    fn change<E>(&self, now: Timestamp, change: impl FnOnce(&mut Keys) -> Result<(), E>) -> Result<(), E> {
        let _changing = locked(&self.0.changing);
        let mut keys = Keys::clone(&self.0.keys.load());
        while keys.is_stale(now) {
            keys.former.pop_front();
        }
        change(&mut keys)?;
        self.0.keys.store(Arc::new(Keys::new(&self.0.issuer, keys.pen, keys.former)));
        Ok(())
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.0.keys.load();
        let former: Vec<_> = keys.former.iter().map(|one| (&one.thumbprint, one.until)).collect();
        f.debug_struct("KeyRing")
            .field("issuer", &self.0.issuer)
            .field("signs", keys.pen.key.0.thumbprint())
            .field("former", &former)
            .finish()
    }
}
