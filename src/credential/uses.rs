//! How often things were used that are good for a number of times, for as long as they live.

use std::hash::Hash;

use crate::expiring::{Expiring, Full};
use crate::jose::Flaw;
use crate::live::locked;
use crate::sync::Mutex;
use crate::time::Timestamp;

/// Counted uses. What lives is never forgotten; when it is full of that, everything new is refused. A clock that is set back
/// brings nothing back.
#[derive(Debug)]
pub(super) struct Uses<K>(Mutex<Book<K>>);

#[derive(Debug)]
struct Book<K> {
    uses: Expiring<K, u32>,
    /// The latest time that was told.
    latest: Timestamp,
}

impl<K: Eq + Hash> Uses<K> {
    /// Room for `max` things that live at once.
    pub(super) fn new(max: usize) -> Self {
        Self(Mutex::new(Book { uses: Expiring::new(max), latest: Timestamp::EPOCH }))
    }

    /// Uses something once that lives until `until` and is good for `times` uses. Of any number of calls at once, as many
    /// succeed.
    pub(super) fn count(&self, key: K, times: u32, until: Timestamp, now: Timestamp) -> Result<(), Flaw> {
        let mut book = locked(&self.0);
        let now = now.max(book.latest);
        book.latest = now;
        match book.uses.get_mut(&key) {
            Some(used) if *used >= times => Err(Flaw::Replayed),
            Some(used) => {
                *used += 1;
                Ok(())
            }
            None if times == 0 => Err(Flaw::Replayed),
            // It may have been counted and forgotten.
            None if until <= now => Err(Flaw::Expired),
            None => book.uses.insert(key, 1, until, now).map_err(|Full| Flaw::Unavailable),
        }
    }
}
