//! Cells whose flipping kills what hangs below them, and the shield around code of the host.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something that lives until it is stopped. Even generations are alive, odd ones are stopped, so that
/// starting again gives a *new* life: what hung on the old one stays dead.
#[derive(Debug, Default)]
pub(crate) struct Cell(Arc<AtomicU64>);

impl Cell {
    /// Stops it; says whether it lived until now.
    pub(crate) fn stop(&self) -> bool {
        self.step(|generation| generation.is_multiple_of(2))
    }

    /// Starts a new life; says whether it was stopped until now.
    pub(crate) fn restart(&self) -> bool {
        self.step(|generation| !generation.is_multiple_of(2))
    }

    fn step(&self, from: fn(u64) -> bool) -> bool {
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |generation| {
                from(generation).then(|| generation.checked_add(1)).flatten()
            })
            .is_ok()
    }

    /// Hangs on to this life; `None` when it is stopped.
    pub(crate) fn hold(&self) -> Option<Hold> {
        let generation = self.0.load(Ordering::Acquire);
        generation.is_multiple_of(2).then(|| Hold { cell: Arc::clone(&self.0), generation })
    }
}

/// Hangs on to one life of a [`Cell`].
#[derive(Debug, Clone)]
pub(crate) struct Hold {
    cell: Arc<AtomicU64>,
    generation: u64,
}

impl Hold {
    /// Whether that life goes on.
    pub(crate) fn is_alive(&self) -> bool {
        self.cell.load(Ordering::Acquire) == self.generation
    }
}

/// Runs code of the host; `None` when it panicked. No lock of ours is held while it runs.
pub(crate) fn shielded<T>(run: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run)).ok()
}

/// Locks a mutex of ours. Our critical sections run no code of the host and do not panic, and each leaves its
/// value whole at every step, so a poisoned lock is still sound to read.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
