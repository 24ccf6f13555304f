//! Private keys: Ed25519, each wrapped in a type that says what it is for.

use std::fmt;

use ring::signature::{Ed25519KeyPair, KeyPair};

use super::{KeyError, Thumbprint, VerifyingKey};
use crate::entropy::Entropy;

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
        let public = VerifyingKey::ed25519(pair.public_key().as_ref().try_into().map_err(|_| malformed)?);
        Ok(Self { pair, thumbprint: public.thumbprint(), public })
    }

    pub(crate) fn public(&self) -> VerifyingKey {
        self.public.clone()
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
