//! Cells whose flipping kills what hangs below them, and the shield around code of the host.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use crate::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard};
use crate::time::Timestamp;

/// Something that lives until it is stopped. Even generations are alive, odd ones are stopped, so that
/// starting again gives a *new* life: what hung on the old one stays dead.
#[derive(Debug, Default)]
pub(crate) struct Cell(Arc<Life>);

#[derive(Debug, Default)]
struct Life {
    generation: AtomicU64,
    /// The second since 1970 in which it was last used; 0 for never.
    used: AtomicI64,
}

impl Cell {
    /// A cell that was last used then.
    pub(crate) fn used_at(used: Option<Timestamp>) -> Self {
        let used = AtomicI64::new(used.map_or(0, Timestamp::unix));
        Self(Arc::new(Life { generation: AtomicU64::new(0), used }))
    }

    /// Stops it. Stopping what is stopped counts too: a restart that was under way does not happen.
    pub(crate) fn stop(&self) {
        let next = |generation: u64| Some(if generation.is_multiple_of(2) { generation + 1 } else { generation + 2 });
        // Generations are 64 bits wide: a stop every nanosecond overflows them after centuries.
        let _ = self.0.generation.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
    }

    /// The stop that it stands at; `None` while it lives.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        let generation = self.0.generation.load(Ordering::Acquire);
        (!generation.is_multiple_of(2)).then(|| Stop { cell: Arc::clone(&self.0), generation })
    }

    /// Starts a new life, if it was not stopped again since `stop`; says whether it did.
    pub(crate) fn restart(&self, stop: &Stop) -> bool {
        let (own, next) = (stop.generation, stop.generation.saturating_add(1));
        self.0.generation.compare_exchange(own, next, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Hangs on to this life; `None` when it is stopped.
    pub(crate) fn hold(&self) -> Option<Hold> {
        let generation = self.0.generation.load(Ordering::Acquire);
        generation.is_multiple_of(2).then(|| Hold { cell: Arc::clone(&self.0), generation })
    }

    /// The second in which it was last used, if it was.
    pub(crate) fn used(&self) -> Option<Timestamp> {
        Timestamp::from_unix(self.0.used.load(Ordering::Relaxed)).filter(|used| *used > Timestamp::EPOCH)
    }
}

/// One stop of one [`Cell`].
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    cell: Arc<Life>,
    generation: u64,
}

impl Stop {
    /// Its number, among those of its cell.
    pub(crate) fn number(&self) -> u64 {
        self.generation
    }
}

impl PartialEq for Stop {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.cell, &other.cell) && self.generation == other.generation
    }
}

impl Eq for Stop {}

/// Hangs on to one life of a [`Cell`].
#[derive(Debug, Clone)]
pub(crate) struct Hold {
    cell: Arc<Life>,
    generation: u64,
}

impl Hold {
    /// Whether both hang on to the same cell, in whatever life.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.cell, &other.cell)
    }

    /// Whether that life goes on.
    pub(crate) fn is_alive(&self) -> bool {
        self.cell.generation.load(Ordering::Acquire) == self.generation
    }

    /// Notes that it is used at `now`. Written once a second at most, so that threads do not fight for the cell.
    pub(crate) fn note_use(&self, now: Timestamp) {
        let now = now.unix();
        if self.cell.used.load(Ordering::Relaxed) < now {
            self.cell.used.fetch_max(now, Ordering::Relaxed);
        }
    }
}

/// Runs code of the host; `None` when it panicked. No lock of ours is held while it runs.
pub(crate) fn shielded<T>(run: impl FnOnce() -> T) -> Option<T> {
    // What was thrown is the host's, and may throw again when it is dropped.
    catch_unwind(AssertUnwindSafe(run)).map_err(std::mem::forget).ok()
}

/// Locks a mutex of ours. Our critical sections run no code of the host and do not panic, and each leaves its
/// value whole at every step, so a poisoned lock is still sound to read.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PartialEq for Hold {
    fn eq(&self, other: &Self) -> bool {
        self.is_of(other) && self.generation == other.generation
    }
}

impl Eq for Hold {}
