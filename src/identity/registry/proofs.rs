//! The proofs by which an agent was admitted: in how many places it runs, as far as keys tell.

use crate::canonical::Digest;
use crate::identity::{ProofMethod, VerifiedWorkload};
use crate::jose::Thumbprint;
use crate::live::locked;
use crate::sync::Mutex;
use crate::time::Timestamp;

/// Proofs of one agent that are remembered.
const MAX: usize = 8;

/// The last proofs of one agent.
#[derive(Debug, Default)]
pub(super) struct Proofs(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    seen: Vec<Seen>,
    /// Until when those that are not remembered hold, by how they were proven.
    forgotten: Vec<(ProofMethod, Timestamp)>,
}

#[derive(Debug)]
struct Seen {
    digest: Digest,
    method: ProofMethod,
    key: Option<Thumbprint>,
    until: Timestamp,
    /// It was admitted by it. Otherwise it came back by it, and nothing more.
    admitted: bool,
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
        let mut memory = locked(&self.0);
        if memory.seen.iter().any(|one| one.admitted && one.digest == *workload.digest()) {
            return None;
        }
        let elsewhere = workload.key().and_then(|key| elsewhere(&memory.seen, key, now));
        if elsewhere.is_some() && refused {
            return elsewhere;
        }
        memory.remember(workload, true);
        elsewhere
    }

    /// Remembers that the agent came back by this proof.
    pub(super) fn spend(&self, workload: &VerifiedWorkload) {
        locked(&self.0).remember(workload, false);
    }

    /// Takes back that the agent was admitted by this proof; fresh it is not for that.
    pub(super) fn forget(&self, digest: &Digest) {
        locked(&self.0).seen.iter_mut().filter(|one| one.digest == *digest).for_each(|one| one.admitted = false);
    }

    /// Whether the agent was admitted by this proof or came back by it, or may have: of what is forgotten, any could be it.
    pub(super) fn knows(&self, workload: &VerifiedWorkload) -> bool {
        let memory = locked(&self.0);
        let may_be = |(method, until): &(_, _)| *method == workload.method() && workload.until() <= *until;
        memory.seen.iter().any(|one| one.digest == *workload.digest()) || memory.forgotten.iter().any(may_be)
    }

    /// The method and the end of the last one.
    pub(super) fn last(&self) -> Option<(ProofMethod, Timestamp)> {
        locked(&self.0).seen.iter().rfind(|one| one.admitted).map(|one| (one.method, one.until))
    }

    /// With how many keys it is attested now.
    pub(super) fn places(&self, now: Timestamp) -> usize {
        distinct(live(&locked(&self.0).seen, now)).len()
    }
}

impl Memory {
    /// Makes room first: what ends first is forgotten.
    fn remember(&mut self, workload: &VerifiedWorkload, admitted: bool) {
        self.seen.retain(|one| one.digest != *workload.digest());
        let first = self.seen.iter().enumerate().min_by_key(|(_, one)| one.until).map(|(place, _)| place);
        if let Some(first) = first.filter(|_| self.seen.len() >= MAX) {
            let Seen { method, until, .. } = self.seen.remove(first);
            match self.forgotten.iter_mut().find(|(own, _)| *own == method) {
                Some((_, last)) => *last = until.max(*last),
                None => self.forgotten.push((method, until)),
            }
        }
        let (digest, method, until) = (*workload.digest(), workload.method(), workload.until());
        self.seen.push(Seen { digest, method, key: workload.key().cloned(), until, admitted });
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
    seen.iter()
        .filter(move |one| one.admitted && now < one.until)
        .filter_map(|one| Some((one.key.as_ref()?, one.until)))
}

fn distinct<'k>(keys: impl Iterator<Item = (&'k Thumbprint, Timestamp)>) -> Vec<Thumbprint> {
    let mut keys: Vec<Thumbprint> = keys.map(|(key, _)| key.clone()).collect();
    keys.sort();
    keys.dedup();
    keys
}
