//! Why a key did not sign.

use crate::id::Found;

/// A key did not sign: there is no token then, and none half-made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// A key that is held here did not sign: the system's randomness failed.
    #[error("the key did not sign")]
    Failed,
    /// Whoever holds the key says why it was not signed.
    #[error("whoever holds the key did not sign: {0}")]
    Elsewhere(Found),
    /// Whoever holds the key panicked.
    #[error("whoever holds the key panicked")]
    Panicked,
    /// What came back is no signature of these bytes by this key.
    #[error("what whoever holds the key signed does not verify")]
    Wrong,
}

impl SigningError {
    /// What a signer of the host's reports: for the operator's log, cut to 64 characters.
    pub fn because(why: &str) -> Self {
        Self::Elsewhere(Found::new(why))
    }
}
