//! The proofs by which an agent was admitted: in how many places it runs, as far as keys tell.

use std::sync::Mutex;

use crate::canonical::Digest;
use crate::identity::{ProofMethod, VerifiedWorkload};
use crate::jose::Thumbprint;
use crate::live::locked;
use crate::time::Timestamp;

/// Proofs of one agent that are remembered.
const MAX: usize = 8;

/// The last proofs of one agent.
#[derive(Debug, Default)]
pub(super) struct Proofs(Mutex<Vec<Seen>>);

#[derive(Debug)]
struct Seen {
    digest: Digest,
    method: ProofMethod,
    key: Option<Thumbprint>,
    until: Timestamp,
}

/// One agent was attested with another key while a proof of it still holds: it runs in two places, or renewed its key, or
/// somebody else has its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    /// The other keys.
    pub(crate) keys: Vec<Thumbprint>,
    /// When the last of those proofs ends.
    pub(crate) until: Timestamp,
}

impl Proofs {
    /// Notes a proof. Says where else the agent is, if its key is news; a proof without a key tells nothing of places. What
    /// is `refused` for being from elsewhere is not noted.
    pub(super) fn note(&self, workload: &VerifiedWorkload, now: Timestamp, refused: bool) -> Option<Elsewhere> {
        let mut seen = locked(&self.0);
        if seen.iter().any(|one| one.digest == *workload.digest()) {
            return None;
        }
        let elsewhere = workload.key().and_then(|key| elsewhere(&seen, key, now));
        if elsewhere.is_some() && refused {
            return elsewhere;
        }
        let first = seen.iter().enumerate().min_by_key(|(_, one)| one.until).map(|(place, _)| place);
        if let Some(first) = first.filter(|_| seen.len() >= MAX) {
            seen.remove(first);
        }
        let (digest, method, until) = (*workload.digest(), workload.method(), workload.until());
        seen.push(Seen { digest, method, key: workload.key().cloned(), until });
        elsewhere
    }

    /// Whether the agent was admitted by this proof, as far as is remembered.
    pub(super) fn knows(&self, digest: &Digest) -> bool {
        locked(&self.0).iter().any(|one| one.digest == *digest)
    }

    /// The method and the end of the last one.
    pub(super) fn last(&self) -> Option<(ProofMethod, Timestamp)> {
        locked(&self.0).last().map(|one| (one.method, one.until))
    }

    /// With how many keys it is attested now.
    pub(super) fn places(&self, now: Timestamp) -> usize {
        distinct(live(&locked(&self.0), now)).len()
    }
}

/// Where else, for a key that no proof that holds is of.
fn elsewhere(seen: &[Seen], key: &Thumbprint, now: Timestamp) -> Option<Elsewhere> {
    if live(seen, now).any(|(own, _)| own == key) {
        return None;
    }
    let until = live(seen, now).map(|(_, until)| until).max()?;
    Some(Elsewhere { keys: distinct(live(seen, now)), until })
}

/// The keys of proofs that hold.
fn live(seen: &[Seen], now: Timestamp) -> impl Iterator<Item = (&Thumbprint, Timestamp)> {
    seen.iter().filter(move |one| now < one.until).filter_map(|one| Some((one.key.as_ref()?, one.until)))
}

fn distinct<'k>(keys: impl Iterator<Item = (&'k Thumbprint, Timestamp)>) -> Vec<Thumbprint> {
    let mut keys: Vec<Thumbprint> = keys.map(|(key, _)| key.clone()).collect();
    keys.sort();
    keys.dedup();
    keys
}
