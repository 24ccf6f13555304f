//! Ed25519 keys (RFC 8032), their thumbprints, and sets of keys that are trusted for an issuer.

use std::collections::BTreeMap;
use std::fmt;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use super::base64url;
use crate::entropy::{Entropy, EntropyError};
use crate::id::{Found, Issuer, made_of, text};

text! {
    /// The thumbprint of a key (RFC 7638, SHA-256): 43 characters of base64url. Computed, never configured.
    Thumbprint, "key thumbprint", "43 characters of base64url",
    |text| text.len() == 43 && made_of(text, 43, |b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// A key was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes are not an Ed25519 key of the wanted form.
    #[error("the bytes are not an Ed25519 key in {want}")]
    Malformed {
        /// The form that was wanted.
        want: &'static str,
    },
    /// The set has this key already.
    #[error("the key {thumbprint} is registered already, for {owner}")]
    Duplicate {
        /// The key's thumbprint.
        thumbprint: Thumbprint,
        /// Whose key it is.
        owner: Found,
    },
    /// Whoever it is for has another key.
    #[error("a key is registered for {owner} already, and it is not {thumbprint}")]
    HasKey {
        /// The key that would be registered.
        thumbprint: Thumbprint,
        /// Who has another.
        owner: Found,
    },
    /// The source of randomness failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// The public half of an Ed25519 key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    /// Reads the JWK member `x` of an OKP key (RFC 8037, section 2).
    ///
    /// # Errors
    ///
    /// Anything but 32 bytes of canonical base64url, a point that is not written canonically (RFC 8032, section 5.1.3),
    /// or one of small order, under which signatures of other messages verify.
    pub fn from_jwk_x(x: &str) -> Result<Self, KeyError> {
        let bytes = base64url::decode(x).ok().and_then(|bytes| bytes.try_into().ok());
        let key = bytes.map(Self).ok_or(KeyError::Malformed { want: "32 bytes of base64url" })?;
        if key.is_sound() { Ok(key) } else { Err(KeyError::Malformed { want: "a canonical point of large order" }) }
    }

    /// Whether the point is written canonically, and is not one of the eight of small order.
    fn is_sound(self) -> bool {
        let mut y = self.0;
        if let Some(last) = y.last_mut() {
            *last &= 0x7f;
        }
        // As a number, last byte first: y < p, which is 2^255 - 19.
        let canonical = y.iter().rev().lt(PRIME.iter().rev());
        canonical && !SMALL_ORDER.contains(&y)
    }

    /// The JWK member `x`.
    pub fn to_jwk_x(&self) -> String {
        base64url::encode(&self.0)
    }

    /// The RFC 7638 thumbprint: SHA-256 over the required members in lexical order.
    pub fn thumbprint(&self) -> Thumbprint {
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.to_jwk_x());
        let digest = crate::canonical::Digest::of(members.as_bytes());
        Thumbprint::from_digest(&digest)
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}

/// 2^255 - 19, least byte first.
const PRIME: [u8; 32] = ends(0xed, 0xff, 0x7f);

/// The y of the points of order 1, 2, 4 and 8 (of those, two y, each with two signs), least byte first.
const SMALL_ORDER: [[u8; 32]; 5] = [
    ends(0x01, 0x00, 0x00),
    ends(0xec, 0xff, 0x7f),
    ends(0x00, 0x00, 0x00),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// A number whose middle bytes are all the same.
const fn ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    let [start, .., end] = &mut bytes;
    *start = first;
    *end = last;
    bytes
}

impl Thumbprint {
    fn from_digest(digest: &crate::canonical::Digest) -> Self {
        Self(base64url::encode(digest.as_bytes()).into())
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.thumbprint())
    }
}

/// The private half of an Ed25519 key. Rooms wrap it in a type that says what the key is for.
pub(crate) struct SigningKey {
    pair: Ed25519KeyPair,
    public: VerifyingKey,
    thumbprint: Thumbprint,
}

impl SigningKey {
    pub(crate) fn generate(entropy: &dyn Entropy) -> Result<Self, KeyError> {
        let seed = zeroize::Zeroizing::new(crate::entropy::draw::<32>(entropy)?);
        Self::of(Ed25519KeyPair::from_seed_unchecked(seed.as_ref()))
    }

    pub(crate) fn from_pkcs8(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::of(Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes))
    }

    fn of(pair: Result<Ed25519KeyPair, ring::error::KeyRejected>) -> Result<Self, KeyError> {
        let malformed = KeyError::Malformed { want: "PKCS#8" };
        let pair = pair.map_err(|_| malformed.clone())?;
        let public = VerifyingKey(pair.public_key().as_ref().try_into().map_err(|_| malformed)?);
        Ok(Self { pair, public, thumbprint: public.thumbprint() })
    }

    pub(crate) fn public(&self) -> VerifyingKey {
        self.public
    }

    pub(crate) fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes.iter_mut().zip(self.pair.sign(message).as_ref()).for_each(|(to, from)| *to = *from);
        bytes
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.thumbprint)
    }
}

/// Declares a private key for one purpose.
macro_rules! key_for {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// `Debug` shows the thumbprint of the public half; the private half is shown nowhere.
        #[derive(Debug)]
        pub struct $name(crate::jose::SigningKey);

        impl $name {
            /// Makes a new Ed25519 key.
            ///
            /// # Errors
            ///
            /// The source of randomness failed.
            pub fn generate(entropy: &dyn crate::entropy::Entropy) -> Result<Self, crate::jose::KeyError> {
                crate::jose::SigningKey::generate(entropy).map(Self)
            }

            /// Reads an Ed25519 key in PKCS#8 (RFC 8410), DER.
            ///
            /// # Errors
            ///
            /// The bytes are not such a key.
            pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, crate::jose::KeyError> {
                crate::jose::SigningKey::from_pkcs8(bytes).map(Self)
            }

            /// The public half.
            pub fn public(&self) -> crate::jose::VerifyingKey {
                self.0.public()
            }
        }
    };
}
pub(crate) use key_for;

/// Keys that are trusted, each for one owner: an issuer of tokens, unless said otherwise. A token's `kid`
/// picks the key; the key says whose it is and which algorithm.
#[derive(Debug, Clone)]
pub struct KeySet<Owner = Issuer>(BTreeMap<Thumbprint, (Owner, VerifyingKey)>);

impl<Owner> Default for KeySet<Owner> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<Owner: fmt::Display> KeySet<Owner> {
    /// A set without keys: it verifies nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// A set of one key, which is trusted for tokens of `owner`.
    pub fn of(owner: Owner, key: VerifyingKey) -> Self {
        Self(BTreeMap::from([(key.thumbprint(), (owner, key))]))
    }

    /// Trusts `key` for tokens of `owner` as well.
    ///
    /// # Errors
    ///
    /// The key is registered already: one key speaks for one owner.
    pub fn with(mut self, owner: Owner, key: VerifyingKey) -> Result<Self, KeyError> {
        self.add(owner, key)?;
        Ok(self)
    }

    pub(crate) fn add(&mut self, owner: Owner, key: VerifyingKey) -> Result<(), KeyError> {
        let thumbprint = key.thumbprint();
        if let Some((owner, _)) = self.0.get(&thumbprint) {
            return Err(KeyError::Duplicate { thumbprint, owner: Found::new(&owner.to_string()) });
        }
        self.0.insert(thumbprint, (owner, key));
        Ok(())
    }

    pub(crate) fn get(&self, kid: &str) -> Option<&(Owner, VerifyingKey)> {
        self.0.get(kid)
    }

    pub(crate) fn owners(&self) -> impl Iterator<Item = &Owner> {
        self.0.values().map(|(owner, _)| owner)
    }
}
