//! The one canonical form: domain-separated, length-prefixed bytes, and their digest.
//!
//! Two values have the same encoding only if they are the same value of the same kind: every digest starts
//! with the name of its domain, every variable-length part with its length, every variant with its tag.

use std::fmt;
use std::sync::OnceLock;

use ring::{digest, hmac};

use crate::entropy::{Entropy, EntropyError};
use crate::jose::base64url;

/// A SHA-256 digest (FIPS 180-4) or an HMAC-SHA-256 (RFC 2104), shown as `sha-256:` and 43 characters of base64url.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The SHA-256 of exactly these bytes, without any domain: for hashes that a standard defines.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_ring(&digest::digest(&digest::SHA256, bytes))
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The two halves, each as two numbers.
    pub(crate) fn halves(&self) -> [[u64; 2]; 2] {
        let mut numbers =
            self.0.chunks_exact(8).map(|part| part.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        std::array::from_fn(|_| std::array::from_fn(|_| numbers.next().unwrap_or(0)))
    }

    fn from_ring(ring: &digest::Digest) -> Self {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(ring.as_ref()).for_each(|(to, from)| *to = *from);
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha-256:{}", base64url::encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Digest {
    type Err = crate::id::IdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix("sha-256:").and_then(base64url::decode_32).map(Self).ok_or_else(|| crate::id::IdError {
            what: "digest",
            want: "`sha-256:` and 43 characters of base64url",
            found: crate::id::Found::new(text),
        })
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(51);
        text.push_str("sha-256:");
        base64url::append(&self.0, &mut text);
        serializer.serialize_str(&text)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(crate::id::Parsed::<Self>::new("digest"))
    }
}

/// The key of one task's digests. An unsalted hash of an amount or a password can be guessed; with the salt
/// gone, the digests in the records tell nothing.
pub(crate) struct Salt {
    secret: zeroize::Zeroizing<[u8; 32]>,
    /// The same, made ready when it is first used: a task that does nothing has no need of it.
    key: OnceLock<Box<hmac::Key>>,
}

impl Salt {
    pub(crate) fn draw(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self { secret: zeroize::Zeroizing::new(crate::entropy::draw(entropy)?), key: OnceLock::new() })
    }

    /// The digest of `digest` under this salt.
    pub(crate) fn key(&self, digest: &Digest) -> Digest {
        let key = self.key.get_or_init(|| Box::new(hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_ref())));
        let tag = hmac::sign(key, &digest.0);
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        Digest(bytes)
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(redacted)")
    }
}

/// Writes the canonical form of one value, straight into the hash.
#[derive(Clone)]
pub(crate) struct Encoder(digest::Context);

impl Encoder {
    /// Starts the encoding of a value of the kind `domain`, for instance `bailiwick/arguments/v1`.
    pub(crate) fn new(domain: &str) -> Self {
        let mut encoder = Self(digest::Context::new(&digest::SHA256));
        encoder.text(domain);
        encoder
    }

    pub(crate) fn tag(&mut self, tag: u8) -> &mut Self {
        self.0.update(&[tag]);
        self
    }

    pub(crate) fn count(&mut self, count: usize) -> &mut Self {
        self.0.update(&(count as u64).to_be_bytes());
        self
    }

    pub(crate) fn fixed(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.count(text.len()).fixed(text.as_bytes())
    }

    pub(crate) fn finish(self) -> Digest {
        Digest::from_ring(&self.0.finish())
    }
}
