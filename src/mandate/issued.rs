//! What was issued under a task: for what each credential is good, and whether it was used.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::{Mode, Resource, ToolName};
use crate::canonical::Digest;
use crate::id::CredentialId;
use crate::jose::Flaw;
use crate::live::locked;
use crate::time::Timestamp;

/// Credentials of one task that are good at the same time.
const MAX: usize = 1024;

/// What one credential is good for, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issue {
    pub(crate) tool: ToolName,
    pub(crate) resource: Resource,
    pub(crate) mode: Mode,
    pub(crate) arguments: Digest,
}

/// The credentials of one task that are good or were used. A credential that is given up is forgotten, and so refused.
#[derive(Debug, Default)]
pub(crate) struct Issued(Mutex<BTreeMap<CredentialId, Entry>>);

#[derive(Debug)]
struct Entry {
    issue: Issue,
    until: Timestamp,
    used: bool,
}

impl Issued {
    /// Enters a credential; says whether there was room.
    #[must_use]
    pub(crate) fn enter(&self, id: CredentialId, issue: Issue, until: Timestamp, now: Timestamp) -> bool {
        let mut entries = locked(&self.0);
        if entries.len() >= MAX {
            entries.retain(|_, entry| now < entry.until);
        }
        let room = entries.len() < MAX;
        if room {
            entries.insert(id, Entry { issue, until, used: false });
        }
        room
    }

    pub(crate) fn withdraw(&self, id: &CredentialId) {
        locked(&self.0).remove(id);
    }

    /// Whether the credential is good and was not used.
    pub(crate) fn is_good(&self, id: &CredentialId) -> bool {
        locked(&self.0).get(id).is_some_and(|entry| !entry.used)
    }

    /// How many are good and were not used.
    pub(crate) fn count(&self, now: Timestamp) -> u64 {
        let entries = locked(&self.0);
        entries.values().map(|entry| u64::from(!entry.used && now < entry.until)).sum()
    }

    /// Uses the credential, for exactly what it is good for. Of any number of calls at once, one succeeds.
    pub(crate) fn use_up(&self, id: &CredentialId, wanted: &Issue) -> Result<(), Flaw> {
        match locked(&self.0).get_mut(id) {
            Some(entry) if entry.used => Err(Flaw::Replayed),
            Some(entry) if entry.issue != *wanted => Err(Flaw::Binding),
            Some(entry) => {
                entry.used = true;
                Ok(())
            }
            None => Err(Flaw::Revoked),
        }
    }
}
