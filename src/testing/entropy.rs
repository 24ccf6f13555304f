//! Bytes that look random and are the same in every run.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::canonical::Encoder;
use crate::entropy::{Entropy, EntropyError};

/// The bytes that follow from a name. No secret can be made of them: everybody knows the name.
pub(super) struct Foreseen {
    name: String,
    drawn: AtomicU64,
}

impl Foreseen {
    pub(super) fn from(name: &str) -> Self {
        Self { name: name.to_owned(), drawn: AtomicU64::new(0) }
    }
}

impl Entropy for Foreseen {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for part in bytes.chunks_mut(32) {
            let mut encoder = Encoder::new("bailiwick/testing-entropy/v1");
            encoder.text(&self.name).fixed(&self.drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            part.iter_mut().zip(encoder.finish().as_bytes()).for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }
}
