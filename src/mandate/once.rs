//! What is good once: the seam through which it is consumed.

use std::collections::BTreeMap;

use crate::id::ApprovalId;
use crate::live::locked;
use crate::sync::Mutex;
use crate::time::Timestamp;

/// An approval could not be consumed; nothing is permitted by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OnceError {
    /// It was consumed before.
    #[error("it was used before")]
    Spent,
    /// Whether it was consumed before is not known.
    #[error("whether it was used before is not known")]
    Unavailable,
}

/// Remembers what was consumed, for as long as it could still be presented.
///
/// A host that wants approvals to be good once across restarts and processes keeps them in its own database. An
/// implementation that panics counts as unavailable.
pub trait Once: Send + Sync {
    /// Consumes `approval`, which ends at `until`; it is `now`. Of any number of calls at once, one succeeds.
    ///
    /// # Errors
    ///
    /// It was consumed before, or that is not known.
    fn consume(&self, approval: &ApprovalId, until: Timestamp, now: Timestamp) -> Result<(), OnceError>;

    /// Gives `approval` back after a step that was refused for another reason. Doing nothing is safe: the person
    /// is then asked again.
    fn release(&self, approval: &ApprovalId);

    /// Whether the memory outlives this process. If not, approval tokens that were issued before this process
    /// started are refused.
    fn outlives_process(&self) -> bool;
}

/// Remembers in memory, at most 65 536 approvals that have not ended; when full, it refuses.
#[derive(Debug, Default)]
pub struct MemoryOnce(Mutex<BTreeMap<ApprovalId, Timestamp>>);

/// Approvals that are remembered at once.
const MAX_REMEMBERED: usize = 65_536;

impl Once for MemoryOnce {
    fn consume(&self, approval: &ApprovalId, until: Timestamp, now: Timestamp) -> Result<(), OnceError> {
        let mut spent = locked(&self.0);
        if spent.contains_key(approval) {
            return Err(OnceError::Spent);
        }
        if spent.len() >= MAX_REMEMBERED {
            spent.retain(|_, until| now < *until);
        }
        if spent.len() >= MAX_REMEMBERED {
            return Err(OnceError::Unavailable);
        }
        spent.insert(approval.clone(), until);
        Ok(())
    }

    fn release(&self, approval: &ApprovalId) {
        locked(&self.0).remove(approval);
    }

    fn outlives_process(&self) -> bool {
        false
    }
}
