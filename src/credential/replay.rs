//! What was presented once: proofs that are good for nothing more, remembered as long as they would be good otherwise.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use crate::canonical::Digest;
use crate::live::locked;
use crate::time::Timestamp;

/// Remembers what was presented, up to a bound. What is still good is never forgotten to make room: what finds none is
/// refused.
#[derive(Debug)]
pub(super) struct Replays {
    capacity: usize,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    all: HashSet<Digest>,
    /// The same, by the second at which it is over. A proof is good for minutes, so that these are few.
    by_end: BTreeMap<i64, Vec<Digest>>,
    /// The latest time that was told. What was over then stays over.
    latest: Timestamp,
}

/// Why something was not entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotEntered {
    /// It was presented before.
    Seen,
    /// It is over, by the latest time that was told.
    Over,
    /// There is no room.
    Full,
}

impl Replays {
    pub(super) fn new(capacity: usize) -> Self {
        let seen = Seen { all: HashSet::new(), by_end: BTreeMap::new(), latest: Timestamp::EPOCH };
        Self { capacity, seen: Mutex::new(seen) }
    }

    /// Enters what is good up to the second `end`. Of any number of calls at once with the same, one succeeds.
    pub(super) fn enter(&self, what: Digest, end: i64, now: Timestamp) -> Result<(), NotEntered> {
        let mut seen = locked(&self.seen);
        seen.latest = seen.latest.max(now);
        seen.forget_what_is_over();
        if end <= seen.latest.unix() {
            return Err(NotEntered::Over);
        }
        if seen.all.contains(&what) {
            return Err(NotEntered::Seen);
        }
        if seen.all.len() >= self.capacity {
            return Err(NotEntered::Full);
        }
        seen.all.insert(what);
        seen.by_end.entry(end).or_default().push(what);
        Ok(())
    }
}

impl Seen {
    /// Each entry is forgotten once, so that this costs no more than entering did.
    fn forget_what_is_over(&mut self) {
        while let Some(first) = self.by_end.first_entry() {
            if *first.key() > self.latest.unix() {
                return;
            }
            for over in first.remove() {
                self.all.remove(&over);
            }
        }
    }
}
