//! The seam for signers elsewhere: a KMS or an HSM that holds the key which credentials are signed with.

use std::sync::Arc;

use super::MintKey;
use crate::canonical::Digest;
use crate::jose::{Algorithm, KeyError, SigningError, SigningKey, VerifyingKey};
use crate::live::shielded;

/// Signs credentials with a key that this process does not hold.
///
/// A host implements this over its KMS or HSM, and hands it over with [`MintKey::elsewhere`]. It may take its time: it is
/// called by [`mint`](crate::TaskHandle::mint) alone, on the thread that mints, and never while an action is decided or a
/// lock of ours is held. What it signs is verified with [`public`](Self::public) before anybody gets the token; a signature
/// that does not verify, an error and a panic leave no token, and the permit is voided.
///
/// ```
/// use std::sync::Arc;
/// use bailiwick::credential::{Message, MintKey, Signer};
/// use bailiwick::jose::{Algorithm, SigningError, VerifyingKey};
///
/// struct Kms {
///     public: VerifyingKey,
/// }
///
/// impl Kms {
///     fn ask(&self, _digest: &[u8; 32]) -> Result<Vec<u8>, std::io::Error> {
///         Err(std::io::Error::other("no connection"))
///     }
/// }
///
/// impl Signer for Kms {
///     fn public(&self) -> VerifyingKey {
///         self.public.clone()
///     }
///     fn algorithm(&self) -> Algorithm {
///         Algorithm::Es256
///     }
///     fn sign(&self, message: &Message<'_>) -> Result<Vec<u8>, SigningError> {
///         self.ask(message.digest().as_bytes()).map_err(|error| SigningError::because(&error.to_string()))
///     }
/// }
///
/// let public = VerifyingKey::from_jwk(
///     r#"{"kty": "EC", "crv": "P-256", "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
///         "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#,
/// )?;
/// let key = MintKey::elsewhere(Arc::new(Kms { public }))?;
/// assert_eq!(key.public().thumbprint().as_str(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
/// # Ok::<(), bailiwick::jose::KeyError>(())
/// ```
pub trait Signer: Send + Sync {
    /// The public half. Asked once, when the key is handed over: another key is another signer.
    fn public(&self) -> VerifyingKey;

    /// [`Ed25519`](Algorithm::Ed25519) or [`Es256`](Algorithm::Es256). Asked once, as well.
    fn algorithm(&self) -> Algorithm;

    /// Signs the message: 64 bytes, of Ed25519 as RFC 8032 writes them, of ES256 r and s side by side (RFC 7518,
    /// section 3.4) and not in DER.
    ///
    /// # Errors
    ///
    /// It was not signed; [`SigningError::because`] says why.
    fn sign(&self, message: &Message<'_>) -> Result<Vec<u8>, SigningError>;
}

/// What is to be signed: an unsigned token, which is worth nothing to anybody.
#[derive(Debug, Clone, Copy)]
pub struct Message<'m>(&'m [u8]);

impl Message<'_> {
    /// The message itself. Ed25519 signs no less (RFC 8032, section 5.1.6).
    pub fn bytes(&self) -> &[u8] {
        self.0
    }

    /// Its SHA-256, which is what ES256 signs.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0)
    }
}

impl MintKey {
    /// A key that somebody else holds.
    ///
    /// # Errors
    ///
    /// The signer panicked, its algorithm is neither Ed25519 nor ES256, or its key is for another algorithm.
    pub fn elsewhere(signer: Arc<dyn Signer>) -> Result<Self, KeyError> {
        held_by(signer).map(Self::of)
    }
}

/// The key that this signer holds.
pub(super) fn held_by(signer: Arc<dyn Signer>) -> Result<SigningKey, KeyError> {
    let asked = shielded(|| (signer.public(), signer.algorithm()));
    let (public, algorithm) = asked.ok_or(KeyError::Malformed { want: "one that its signer can name" })?;
    let hand = move |message: &[u8]| shielded(|| signer.sign(&Message(message))).unwrap_or(Err(SigningError::Panicked));
    SigningKey::elsewhere(public, algorithm, Box::new(hand))
}
