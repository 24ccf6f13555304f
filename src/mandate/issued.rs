//! What was issued under a task: for what each credential is good, and whether it was used.

use std::time::Duration;

use super::Consenting;
use crate::canonical::Digest;
use crate::expiring::{Expiring, Full};
use crate::id::CredentialId;
use crate::jose::{Flaw, Leeway};
use crate::live::locked;
use crate::sync::Mutex;
use crate::time::Timestamp;

/// Credentials of one task that are not over yet, by anybody's clock.
const MAX: usize = 1 << 13;
/// Others may honour a credential so long after its end: a service's leeway, and that of its list of what is revoked.
const HONOURED: Duration = Leeway::MAX.saturating_mul(2);

/// What one credential is good for, once, and on what it rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Issue {
    /// Names tool, resource, mode and arguments, under the task's salt.
    action: u64,
    /// How often policies had been replaced when it was permitted.
    policies: u32,
    /// Whose errand it is: 0 for the agent's own, otherwise the place among the task's approvals, from 1.
    errand: u16,
}

impl Issue {
    pub(crate) fn new(action: &Digest, policies: u32, errand: u16) -> Self {
        // Whoever looks for another action with the same eight bytes does not know the salt, and has one try for each question
        // to the door.
        let [[action, _], _] = action.halves();
        Self { action, policies, errand }
    }
}

/// The credentials of one task that are not over anywhere. Each costs about a hundred bytes. A credential that is given up is kept as
/// dead, for others may have to be told.
#[derive(Debug)]
pub(crate) struct Issued(Mutex<Expiring<[u8; 16], Entry>>);

impl Default for Issued {
    fn default() -> Self {
        Self(Mutex::new(Expiring::new(MAX)))
    }
}

/// An [`Issue`], and what became of it. Side by side it takes no more room than what is in it.
#[derive(Debug)]
struct Entry {
    action: u64,
    policies: u32,
    errand: u16,
    state: State,
    /// Whose approval of exactly this action it rests on.
    consenting: Consenting,
}

impl Entry {
    /// Whether nobody may honour it any more, under policies that were replaced so often.
    fn is_dead(&self, policies: u32) -> bool {
        self.state != State::Good || self.policies != policies || !self.consenting.stands()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    Used,
    Dead,
}

impl Issued {
    /// Enters a credential; says whether there was room, and no other of its id.
    #[must_use]
    pub(crate) fn enter(
        &self,
        id: &CredentialId,
        (issue, consenting): (Issue, Consenting),
        until: Timestamp,
        now: Timestamp,
    ) -> bool {
        let Some(bits) = id.bits() else {
            return false;
        };
        let mut entries = locked(&self.0);
        let is_new = entries.get(&bits).is_none();
        let Issue { action, policies, errand } = issue;
        let entry = Entry { action, policies, errand, state: State::Good, consenting };
        is_new && entries.insert(bits, entry, until.after(HONOURED), now) != Err(Full)
    }

    /// Gives a credential up; says whether it was good.
    pub(crate) fn withdraw(&self, id: &CredentialId) -> bool {
        let (mut entries, bits) = (locked(&self.0), id.bits());
        match bits.and_then(|bits| entries.get_mut(&bits)) {
            Some(entry) => std::mem::replace(&mut entry.state, State::Dead) == State::Good,
            None => false,
        }
    }

    /// Whether the credential is good, was not used, and rests on policies that were replaced so often, and on the approval of
    /// nobody who left.
    pub(crate) fn is_good(&self, id: &CredentialId, policies: u32) -> bool {
        let is_good = |entry: &Entry| !entry.is_dead(policies);
        id.bits().is_some_and(|bits| locked(&self.0).get(&bits).is_some_and(is_good))
    }

    /// How many are good and were not used.
    pub(crate) fn count(&self, now: Timestamp) -> u64 {
        let entries = locked(&self.0);
        let living = entries.living(now.after(HONOURED));
        living.map(|(_, entry, _)| u64::from(entry.state == State::Good)).sum()
    }

    /// Uses the credential, for exactly what it is good for. Of any number of calls at once, one succeeds.
    pub(crate) fn use_up(&self, id: &CredentialId, wanted: Issue) -> Result<(), Flaw> {
        let (mut entries, bits) = (locked(&self.0), id.bits());
        match bits.and_then(|bits| entries.get_mut(&bits)) {
            None | Some(Entry { state: State::Dead, .. }) => Err(Flaw::Revoked),
            Some(Entry { state: State::Used, .. }) => Err(Flaw::Replayed),
            Some(entry) if entry.policies != wanted.policies => Err(Flaw::Revoked),
            Some(entry) if entry.action != wanted.action => Err(Flaw::Binding),
            Some(entry) if !entry.consenting.stands() => Err(Flaw::Revoked),
            Some(entry) => {
                entry.state = State::Used;
                Ok(())
            }
        }
    }

    /// The second in which the last of them is over everywhere.
    pub(crate) fn last(&self, now: Timestamp) -> Option<i64> {
        locked(&self.0).living(now).map(|(_, _, until)| until).max()
    }

    /// Those that are not over everywhere, and that nobody may honour any more: given up, used, from other policies than `policies`, on
    /// an errand that does not stand, or on the approval of somebody who left.
    pub(crate) fn revoked(&self, now: Timestamp, policies: u32, stands: impl Fn(u16) -> bool) -> Vec<CredentialId> {
        let entries = locked(&self.0);
        let is_dead = |entry: &Entry| entry.is_dead(policies) || !stands(entry.errand);
        let dead = entries.living(now).filter(|(_, entry, _)| is_dead(entry));
        dead.map(|(bits, _, _)| CredentialId::of(bits)).collect()
    }
}
