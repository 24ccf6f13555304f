//! A bounded map of what ends: it never forgets what lives, and refuses what is new when it is full of that.

use std::borrow::Borrow;
use std::hash::Hash;

use hashbrown::HashMap;
use std::hash::RandomState;

use crate::time::Timestamp;

/// Below so many entries nobody looks for what is over.
const FEW: usize = 64;

/// What ends, by key. What is over is looked for when the entries have doubled since the last time, and, when it is full, at
/// most once for each second in which something ends: amortised, forgetting costs a constant.
#[derive(Debug)]
pub(crate) struct Expiring<K, V> {
    entries: HashMap<K, Entry<V>, RandomState>,
    max: usize,
    /// With so many entries somebody looks for what is over.
    full_at: usize,
    /// Before this second nothing of it is over.
    earliest: i64,
}

#[derive(Debug)]
struct Entry<V> {
    until: i64,
    value: V,
}

/// It is full of what lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl<K: Eq + Hash, V> Expiring<K, V> {
    /// Room for `max` entries.
    pub(crate) fn new(max: usize) -> Self {
        Self { entries: HashMap::default(), max, full_at: FEW.min(max), earliest: i64::MAX }
    }

    pub(crate) fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.entries.get_mut(key).map(|entry| &mut entry.value)
    }

    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// Enters what ends at `until`.
    pub(crate) fn insert(&mut self, key: K, value: V, until: Timestamp, now: Timestamp) -> Result<(), Full> {
        if self.entries.len() >= self.full_at {
            self.forget(now);
        }
        if self.entries.len() >= self.max {
            return Err(Full);
        }
        let until = until.unix();
        self.earliest = self.earliest.min(until);
        self.entries.insert(key, Entry { until, value });
        Ok(())
    }

    /// What is not over at `now`, with the second in which it will be.
    pub(crate) fn living(&self, now: Timestamp) -> impl Iterator<Item = (&K, &V, i64)> {
        let living = self.entries.iter().filter(move |(_, entry)| now.unix() < entry.until);
        living.map(|(key, entry)| (key, &entry.value, entry.until))
    }

    fn forget(&mut self, now: Timestamp) {
        if self.earliest <= now.unix() {
            self.entries.retain(|_, entry| now.unix() < entry.until);
            self.earliest = self.entries.values().map(|entry| entry.until).min().unwrap_or(i64::MAX);
        }
        self.full_at = self.entries.len().saturating_mul(2).max(FEW).min(self.max);
    }
}
