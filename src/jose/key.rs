//! Public keys: what they are, which algorithms they are pinned to, and their thumbprints.

use std::fmt;
use std::sync::Arc;

use ring::signature::{RsaPublicKeyComponents, UnparsedPublicKey};

use super::{Algorithm, base64url, ed25519};
use crate::canonical::Digest;
use crate::entropy::EntropyError;
use crate::id::{Found, made_of, text};
use crate::json::JsonError;

text! {
    /// The thumbprint of a key (RFC 7638, SHA-256): 43 characters of base64url. Computed, never configured.
    Thumbprint, "key thumbprint", "43 characters of base64url",
    |text| text.len() == 43 && made_of(text, 43, |b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

text! {
    /// What a key of another party's set is called there (`kid`, RFC 7517, section 4.5). It means nothing outside its set.
    KeyId, "key id", "1 to 256 printable ASCII characters",
    |text| made_of(text, 256, |b| b.is_ascii_graphic() || b == b' ')
}

/// A key was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes are not a key of the wanted form.
    #[error("the key is not {want}")]
    Malformed {
        /// The form that was wanted.
        want: &'static str,
    },
    /// It is a key of a kind, or for an algorithm, that is not verified here.
    #[error("keys with the `{member}` {found} are not verified here")]
    Unsupported {
        /// The member of the JWK.
        member: &'static str,
        /// Its value.
        found: Found,
    },
    /// The key is for another purpose.
    #[error("the key must be for {want}, its `{member}` is {found}")]
    Purpose {
        /// What it must be for.
        want: &'static str,
        /// The member of the JWK that says otherwise.
        member: &'static str,
        /// Its value.
        found: Found,
    },
    /// The private half is there too: whoever published it has lost it.
    #[error("the key comes with its private half")]
    Private,
    /// A JWK, or a set of them, is not strict JSON.
    #[error("the key or set of keys is refused")]
    Json(#[from] JsonError),
    /// The set is not what a set of its kind is.
    #[error("a set of keys must have {want}")]
    Set {
        /// What it must have.
        want: &'static str,
    },
    /// Two keys of the set have one `kid`.
    #[error("two keys of the set have the `kid` {0}")]
    DuplicateId(KeyId),
    /// The `kid` of a key is not the key's thumbprint, which is what our tokens name it by.
    #[error("the key {thumbprint} is called {id}, and not by its thumbprint")]
    NotThumbprint {
        /// What the set calls it.
        id: KeyId,
        /// The key's thumbprint.
        thumbprint: Thumbprint,
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

/// A public key, pinned to the algorithms that it may be used with: a token does not choose.
///
/// Ed25519, P-256, P-384, or RSA with a modulus of 2048 to 8192 bits; an RSA key whose JWK names one `alg` is used with
/// that one only.
///
/// ```
/// use bailiwick::jose::VerifyingKey;
///
/// // RFC 8037, appendix A.
/// let key = VerifyingKey::from_jwk(
///     r#"{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
/// )?;
/// assert_eq!(key.thumbprint().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
/// # Ok::<(), bailiwick::jose::KeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey(Form);

#[derive(Clone, PartialEq, Eq)]
enum Form {
    Ed25519([u8; 32]),
    /// A point of P-256 or P-384, uncompressed (SEC 1, section 2.3.3).
    Point {
        curve: Curve,
        point: Arc<[u8]>,
    },
    /// Modulus and exponent, most significant byte first, and the only algorithm, if there is only one.
    Rsa {
        n: Arc<[u8]>,
        e: Arc<[u8]>,
        only: Option<Algorithm>,
    },
}

/// A curve of ECDSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
}

impl Curve {
    /// The `crv` of a JWK.
    fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::P256, Self::P384].into_iter().find(|curve| curve.name() == name)
    }

    /// The bytes of a coordinate.
    fn width(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }

    pub(super) fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 => Algorithm::Es256,
            Self::P384 => Algorithm::Es384,
        }
    }
}

impl VerifyingKey {
    /// Reads the JWK member `x` of an OKP key on the curve of Ed25519 (RFC 8037, section 2).
    ///
    /// # Errors
    ///
    /// Anything but 32 bytes of canonical base64url, a point that is not written canonically (RFC 8032, section 5.1.3),
    /// or one of small order, under which signatures of other messages verify.
    pub fn from_jwk_x(x: &str) -> Result<Self, KeyError> {
        let bytes = base64url::decode(x).ok().and_then(|bytes| bytes.try_into().ok());
        let key = bytes.ok_or(KeyError::Malformed { want: "32 bytes of base64url" })?;
        if ed25519::is_sound(key) {
            return Ok(Self::ed25519(key));
        }
        Err(KeyError::Malformed { want: "a canonical point of large order" })
    }

    pub(super) fn ed25519(key: [u8; 32]) -> Self {
        Self(Form::Ed25519(key))
    }

    /// A point by its coordinates. One that is not on the curve verifies nothing.
    pub(super) fn point(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        if x.len() != curve.width() || y.len() != curve.width() {
            return Err(KeyError::Malformed { want: "two coordinates of the curve's length" });
        }
        let point = [&[4], x, y].concat();
        Ok(Self(Form::Point { curve, point: point.into() }))
    }

    /// An RSA key (RFC 7518, section 6.3.1): numbers without leading zeros.
    pub(crate) fn rsa(n: &[u8], e: &[u8], only: Option<Algorithm>) -> Result<Self, KeyError> {
        let (Some(first), Some(last)) = (n.first().filter(|byte| **byte != 0), n.last()) else {
            return Err(KeyError::Malformed { want: "a modulus without leading zeros" });
        };
        let bits = n.len().saturating_mul(8).saturating_sub(first.leading_zeros() as usize);
        if !(2048..=8192).contains(&bits) || last % 2 == 0 {
            return Err(KeyError::Malformed { want: "an odd modulus of 2048 to 8192 bits" });
        }
        let number = e.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let is_written = (1..=5).contains(&e.len()) && e.first().is_some_and(|byte| *byte != 0);
        // What `ring` verifies with (and FIPS 186-5 allows more of): 1 is no encryption at all.
        if !is_written || number < 3 || number % 2 == 0 || number >= 1 << 33 {
            return Err(KeyError::Malformed { want: "an odd exponent of 3 to 33 bits" });
        }
        Ok(Self(Form::Rsa { n: n.into(), e: e.into(), only }))
    }

    /// The key that a certificate has: its bits alone, whose form says what it is (RFC 5480, section 2.2; RFC 8410, section 4;
    /// RFC 8017, appendix A.1.1).
    #[cfg(feature = "x509")]
    pub(crate) fn from_subject(bits: &[u8]) -> Option<Self> {
        match bits {
            [4, x_y @ ..] if matches!(x_y.len(), 64 | 96) => {
                let (x, y) = x_y.split_at_checked(x_y.len() / 2)?;
                Self::point(if x.len() == 32 { Curve::P256 } else { Curve::P384 }, x, y).ok()
            }
            [..] if bits.len() == 32 => Self::from_jwk_x(&base64url::encode(bits)).ok(),
            _ => None,
        }
    }

    /// The JWK (RFC 7517): the members that are required of its kind, in lexical order, and nothing else.
    pub fn to_jwk(&self) -> String {
        let encode = |bytes: &[u8]| base64url::encode(bytes);
        match &self.0 {
            Form::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x)),
            Form::Point { curve, point } => {
                let (x, y) = point.get(1..).unwrap_or_default().split_at_checked(curve.width()).unwrap_or_default();
                format!(r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#, curve.name(), encode(x), encode(y))
            }
            Form::Rsa { n, e, .. } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n)),
        }
    }

    /// The RFC 7638 thumbprint: SHA-256 over [`to_jwk`](Self::to_jwk).
    pub fn thumbprint(&self) -> Thumbprint {
        Thumbprint(base64url::encode(Digest::of(self.to_jwk().as_bytes()).as_bytes()).into())
    }

    /// The algorithms that it may be used with.
    pub fn algorithms(&self) -> &[Algorithm] {
        match &self.0 {
            Form::Ed25519(_) => &[Algorithm::Ed25519],
            Form::Point { curve: Curve::P256, .. } => &[Algorithm::Es256],
            Form::Point { curve: Curve::P384, .. } => &[Algorithm::Es384],
            Form::Rsa { only: Some(only), .. } => std::slice::from_ref(only),
            Form::Rsa { only: None, .. } => Algorithm::RSA,
        }
    }

    /// Whether the signature verifies, with an algorithm that the key is pinned to.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.algorithms().contains(&algorithm) {
            return false;
        }
        match &self.0 {
            Form::Rsa { n, e, .. } => algorithm
                .of_modulus()
                .is_some_and(|how| RsaPublicKeyComponents { n, e }.verify(how, message, signature).is_ok()),
            Form::Ed25519(key) => verifies_point(algorithm, key, message, signature),
            Form::Point { point, .. } => verifies_point(algorithm, point, message, signature),
        }
    }
}

fn verifies_point(algorithm: Algorithm, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    algorithm.of_point().is_some_and(|how| UnparsedPublicKey::new(how, key).verify(message, signature).is_ok())
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.thumbprint())
    }
}
