//! Entitlement at the door: what a person may do themselves is asked before an agent does it on their behalf.

use crate::audit::Administered;
use crate::authorizer::Authorizer;
use crate::canonical::Digest;
use crate::door::Door;
use crate::error::Error;
use crate::id::Found;
use crate::identity::OperatorSession;
use crate::live::shielded;
use crate::mandate::{Action, Assignment, Deed, Entitled, NotEntitled, TaskState};
use crate::policy::{AdminAction, Directory, Entitlements, On, Reason, check_entitled};
use crate::time::Timestamp;

impl Authorizer {
    /// Replaces what [`Entitlements`] decide by: a text, and who is in which team. What is asked afterwards is decided by the
    /// new, permits that were given before as well when they are used.
    ///
    /// # Errors
    ///
    /// The operator may not do this, the session is over, the policies do not load, others are being loaded, or the record was
    /// not taken: then the older ones stay.
    pub fn reload_entitlements(
        &self,
        by: &OperatorSession,
        entitlements: &Entitlements,
        policies: &str,
        directory: Directory,
    ) -> Result<Digest, Error> {
        let door = &self.0;
        let now = door.allow(by.into(), AdminAction::Reload, On::House, Vec::new())?;
        // Never waited for: what is installed last is recorded last.
        let _reloading = door.reloading.try_lock().map_err(|_| Error::Reloading)?;
        let loaded = entitlements.prepare(policies, &directory)?;
        let digest = loaded.digest();
        door.administered(by.into(), None, Administered::Entitlements { digest }, now)?;
        // Whoever left meanwhile replaces nothing.
        door.active(by.into()).inspect_err(|_| {
            let _ = door.administered(by.into(), None, Administered::NotDone { action: AdminAction::Reload }, now);
        })?;
        entitlements.install(loaded);
        Ok(digest)
    }
}

impl Door {
    /// What is said of the person on whose behalf the action is. Nobody is asked about somebody who did not approve the task, or
    /// once it is over: that refuses anyway.
    pub(crate) fn entitled(&self, assignment: &Assignment, action: &Action, now: Timestamp) -> Entitled {
        let (Some(entitlement), Some(operator)) = (&self.entitlement, action.mode().operator()) else {
            return Entitled::NotAsked;
        };
        if assignment.state() != TaskState::Active || !assignment.mandate().is_approved_by(operator) {
            return Entitled::NotAsked;
        }
        let deed = Deed::of(operator, action, now);
        let answer = shielded(|| entitlement.check(&deed));
        answer.unwrap_or_else(|| Err(NotEntitled::Unknown(Found::new("what was asked panicked")))).into()
    }

    /// Whether that person may still do it themselves.
    pub(crate) fn check_entitled(&self, task: &Assignment, action: &Action, now: Timestamp) -> Result<(), Reason> {
        check_entitled(&self.entitled(task, action, now), action.mode())
    }
}
