//! What was presented once: proofs that are good for nothing more, remembered as long as they would be good otherwise.

use crate::canonical::Digest;
use crate::expiring::{Expiring, Full};
use crate::jose::Flaw;
use crate::live::locked;
use crate::sync::Mutex;
use crate::time::Timestamp;

/// Remembers what was presented, up to a bound. What is still good is never forgotten to make room: what finds none is
/// refused.
#[derive(Debug)]
pub(super) struct Replays(Mutex<Seen>);

#[derive(Debug)]
struct Seen {
    /// Each with its end.
    all: Expiring<Digest, Timestamp>,
    /// The latest time that was told. What was over then stays over, for it may be forgotten by now.
    latest: Timestamp,
}

impl Replays {
    /// Room for `max` of what is good at once.
    pub(super) fn new(max: usize) -> Self {
        Self(Mutex::new(Seen { all: Expiring::new(max), latest: Timestamp::EPOCH }))
    }

    /// Enters what is good until `end`. Of any number of calls at once with the same, one succeeds.
    pub(super) fn enter(&self, what: Digest, end: Timestamp, now: Timestamp) -> Result<(), Flaw> {
        let mut seen = locked(&self.0);
        seen.latest = seen.latest.max(now);
        let latest = seen.latest;
        if end <= latest {
            return Err(Flaw::Expired);
        }
        if seen.all.get(&what).is_some_and(|end| latest < *end) {
            return Err(Flaw::Replayed);
        }
        seen.all.insert(what, end, end, latest).map_err(|Full| Flaw::Unavailable)
    }
}
