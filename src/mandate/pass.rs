//! The pass: what an agent passed on of its task, as strangers are shown it. It opens nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::Mode;
use crate::canonical::Digest;
use crate::id::CredentialId;
use crate::live::locked;
use crate::sync::Mutex;
use crate::time::Timestamp;

/// Passes of one task that are kept.
const MAX: usize = 256;

/// A signed text that names people, and so is not for logs.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Text(pub(super) Arc<str>);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
    }
}

/// What was passed on of one tool at one service, on one errand.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    pub(crate) id: CredentialId,
    /// Names it in what is below.
    pub(crate) digest: Digest,
    /// The pass above it.
    pub(crate) above: Option<Digest>,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    text: Text,
}

impl Pass {
    pub(crate) fn new(
        (id, text): (CredentialId, String),
        above: Option<Digest>,
        (from, until): (Timestamp, Timestamp),
    ) -> Self {
        Self { id, digest: Digest::of(text.as_bytes()), above, from, until, text: Text(text.into()) }
    }

    pub(crate) fn text(&self) -> &Arc<str> {
        &self.text.0
    }

    /// Whether it hangs on this one, and is good from `from` until `until`.
    pub(crate) fn fits(&self, above: Option<&Digest>, (from, until): (Timestamp, Timestamp)) -> bool {
        self.above.as_ref() == above && self.from <= from && until <= self.until
    }
}

/// The passes of one task: kept while they last, so that not every credential below needs new ones.
#[derive(Debug, Default)]
pub(crate) struct Passes(Mutex<BTreeMap<(Mode, Digest), Pass>>);

impl Passes {
    /// The one on this errand, of what this digest names.
    pub(crate) fn get(&self, of: &(Mode, Digest)) -> Option<Pass> {
        locked(&self.0).get(of).cloned()
    }

    /// Keeps one, in the place of an older one.
    pub(crate) fn keep(&self, of: (Mode, Digest), pass: Pass, now: Timestamp) {
        let mut passes = locked(&self.0);
        if passes.len() >= MAX {
            passes.retain(|_, pass| now < pass.until);
        }
        if passes.len() >= MAX {
            passes.pop_first();
        }
        passes.insert(of, pass);
    }
}
