//! Randomness, through one seam.

use ring::rand::SecureRandom;

/// The source of randomness failed; nothing was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the source of randomness failed")]
#[allow(clippy::exhaustive_structs, reason = "hosts write it as a value, and there is nothing to add")]
pub struct EntropyError;

/// A cryptographically secure source of randomness.
///
/// A host implements this to bring its own generator, and tests to bring a failing one. An implementation
/// that panics counts as one that failed.
pub trait Entropy: Send + Sync {
    /// Fills all of `bytes`.
    ///
    /// # Errors
    ///
    /// The bytes could not be filled; their content is then not used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The operating system's generator.
#[derive(Debug, Clone, Default)]
#[allow(clippy::exhaustive_structs, reason = "hosts write it as a value, and there is nothing to add")]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        ring::rand::SystemRandom::new().fill(bytes).map_err(|_| EntropyError)
    }
}

/// Draws `N` bytes; a panic of the source is a failure like any other.
pub(crate) fn draw<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], EntropyError> {
    let mut bytes = [0; N];
    crate::live::shielded(|| entropy.fill(&mut bytes)).unwrap_or(Err(EntropyError))?;
    Ok(bytes)
}
