//! Private keys: Ed25519 or P-256, held here or elsewhere, each wrapped in a type that says what it is for.

use std::fmt;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

use super::key::Curve;
use super::{Algorithm, KeyError, SigningError, Thumbprint, VerifyingKey};
use crate::entropy::Entropy;

/// The bytes of a signature, with Ed25519 (RFC 8032) and with ES256 (RFC 7518, section 3.4).
pub(crate) const SIGNATURE: usize = 64;

/// The private half of a key. Rooms wrap it in a type that says what the key is for.
pub(crate) struct SigningKey {
    form: Form,
    public: VerifyingKey,
    algorithm: Algorithm,
    thumbprint: Thumbprint,
}

enum Form {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Elsewhere(Box<Hand>),
}

/// Signs what it is shown with a key that somebody else holds.
pub(crate) type Hand = dyn Fn(&[u8]) -> Result<Vec<u8>, SigningError> + Send + Sync;

impl SigningKey {
    pub(crate) fn generate(entropy: &dyn Entropy) -> Result<Self, KeyError> {
        let seed = zeroize::Zeroizing::new(crate::entropy::draw::<32>(entropy)?);
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).map_err(|_| malformed())?;
        Self::ed25519(pair)
    }

    /// A new key on P-256; `ring` draws its randomness from the system itself.
    pub(crate) fn generate_es256() -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        Self::from_pkcs8(document.map_err(|_| crate::entropy::EntropyError)?.as_ref())
    }

    /// Ed25519 (RFC 8410), or P-256 with its public half (RFC 5915, in RFC 5958).
    pub(crate) fn from_pkcs8(bytes: &[u8]) -> Result<Self, KeyError> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes) {
            return Self::ed25519(pair);
        }
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes, &SystemRandom::new());
        let pair = pair.map_err(|_| malformed())?;
        // Uncompressed (SEC 1, section 2.3.3): a byte that says so, and two coordinates.
        let point = pair.public_key().as_ref().split_at_checked(33).ok_or_else(malformed)?;
        let public = VerifyingKey::point(Curve::P256, point.0.get(1..).unwrap_or_default(), point.1)?;
        Ok(Self::of(Form::P256(pair), public, Algorithm::Es256))
    }

    /// A key that somebody else holds: what `hand` signs is verified before it is used. Only with algorithms that are
    /// signed with here.
    pub(crate) fn elsewhere(public: VerifyingKey, algorithm: Algorithm, hand: Box<Hand>) -> Result<Self, KeyError> {
        if !matches!(algorithm, Algorithm::Ed25519 | Algorithm::Es256) || !public.algorithms().contains(&algorithm) {
            return Err(KeyError::Malformed { want: "an Ed25519 or P-256 key with its own algorithm" });
        }
        Ok(Self::of(Form::Elsewhere(hand), public, algorithm))
    }

    fn ed25519(pair: Ed25519KeyPair) -> Result<Self, KeyError> {
        let public = VerifyingKey::ed25519(pair.public_key().as_ref().try_into().map_err(|_| malformed())?);
        Ok(Self::of(Form::Ed25519(pair), public, Algorithm::Ed25519))
    }

    fn of(form: Form, public: VerifyingKey, algorithm: Algorithm) -> Self {
        Self { form, thumbprint: public.thumbprint(), public, algorithm }
    }

    pub(crate) fn public(&self) -> &VerifyingKey {
        &self.public
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE], SigningError> {
        let ours = |signature: ring::signature::Signature| signature.as_ref().try_into();
        match &self.form {
            Form::Ed25519(pair) => ours(pair.sign(message)).map_err(|_| SigningError::Failed),
            Form::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(|_| SigningError::Failed)?;
                ours(signature).map_err(|_| SigningError::Failed)
            }
            Form::Elsewhere(hand) => {
                let signature: [u8; SIGNATURE] = hand(message)?.try_into().map_err(|_| SigningError::Wrong)?;
                let verifies = self.public.verifies(self.algorithm, message, &signature);
                if verifies { Ok(signature) } else { Err(SigningError::Wrong) }
            }
        }
    }
}

fn malformed() -> KeyError {
    KeyError::Malformed { want: "an Ed25519 or P-256 key in PKCS#8" }
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

            /// Makes a new P-256 key, which signs with ES256. Its randomness, and that of each of its signatures, is the
            /// system's: `ring` draws it itself, and no [`Entropy`](crate::entropy::Entropy) of the host's reaches it.
            ///
            /// # Errors
            ///
            /// The system's randomness failed.
            pub fn generate_es256() -> Result<Self, crate::jose::KeyError> {
                crate::jose::SigningKey::generate_es256().map(Self)
            }

            /// Reads an Ed25519 key (RFC 8410), or a P-256 key that comes with its public half (RFC 5915), in PKCS#8
            /// (RFC 5958), DER.
            ///
            /// # Errors
            ///
            /// The bytes are not such a key.
            pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, crate::jose::KeyError> {
                crate::jose::SigningKey::from_pkcs8(bytes).map(Self)
            }

            /// The public half.
            pub fn public(&self) -> crate::jose::VerifyingKey {
                self.0.public().clone()
            }
        }
    };
}
pub(crate) use key_for;
