//! Revocations at the door: what it minted, and nobody may honour any more before it ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::audit::{AgentFact, Lanes};
use crate::authorizer::Authorizer;
use crate::credential::{MAX_NAMED, MintError, RevocationClaims};
use crate::error::Error;
use crate::expiring::{Expiring, Full};
use crate::id::CredentialId;
use crate::live::locked;
use crate::mandate::{Assignment, Issued};
use crate::policy::check_standing;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicI64, Ordering};
use crate::task::TaskHandle;
use crate::time::Timestamp;

/// Closed tasks with credentials that are not over.
const MAX_CLOSED: usize = 1 << 16;

/// Credentials that outlive their tasks, as far as others know.
#[derive(Debug)]
pub(crate) struct Outlived {
    /// By where they are kept: a task's name can come again.
    closed: Mutex<Expiring<usize, Arc<Issued>>>,
    /// The second in which there was no room for more: everything that was issued until then is revoked. 0 for never.
    lost: AtomicI64,
}

impl Default for Outlived {
    fn default() -> Self {
        Self { closed: Mutex::new(Expiring::new(MAX_CLOSED)), lost: AtomicI64::new(0) }
    }
}

impl Outlived {
    /// Keeps the credentials of a task that is being closed, until they are over.
    pub(crate) fn keep(&self, issued: &Arc<Issued>, now: Timestamp) {
        let Some(last) = issued.last(now).and_then(Timestamp::from_unix) else {
            return;
        };
        let kept = locked(&self.closed).insert(Arc::as_ptr(issued).addr(), Arc::clone(issued), last, now);
        if kept == Err(Full) {
            self.lost.fetch_max(now.unix(), Ordering::AcqRel);
        }
    }
}

impl Authorizer {
    /// What this door minted, is not over, and nobody may honour any more: as a signed list, good for a minute, that a
    /// [`RevocationSet`](crate::credential::RevocationSet) elsewhere loads.
    ///
    /// It names the credentials of ended tasks, stopped agents and people who left, on whose behalf or by whose approval of the
    /// exact action they were, those that were given up or used, and those
    /// of policies that were replaced. It is bounded: when more than 32 768 are to be named, it revokes everything that was
    /// issued so far.
    ///
    /// # Errors
    ///
    /// There is no minter, the clock failed, or the list could not be signed.
    pub fn revocations(&self) -> Result<String, Error> {
        let (door, now) = (&self.0, self.0.now()?);
        let minter = door.minter.as_ref().ok_or(MintError::NoMinter)?;
        let open: Vec<Arc<Assignment>> = locked(&door.open).values().cloned().collect();
        let closed: Vec<Arc<Issued>> =
            locked(&door.outlived.closed).living(now).map(|(_, issued, _)| Arc::clone(issued)).collect();
        let mut revoked = BTreeSet::new();
        let policies = door.evaluator.replaced();
        for assignment in &open {
            let (mandate, standing) = (assignment.mandate(), assignment.standing());
            let stands = |errand| {
                let mode = mandate.mode_of(errand);
                mode.is_some_and(|mode| check_standing(mandate, &standing, &mode, assignment.until(), now).is_ok())
            };
            revoked.extend(assignment.issued().revoked(now, policies, stands));
        }
        for issued in &closed {
            revoked.extend(issued.revoked(now, policies, |_| false));
        }
        let lost = Some(door.outlived.lost.load(Ordering::Acquire)).filter(|lost| *lost > 0);
        let too_many = (revoked.len() > MAX_NAMED).then_some(now.unix());
        let named = if too_many.is_some() { Vec::new() } else { revoked.into_iter().collect() };
        let claims = RevocationClaims::new(minter.issuer().clone(), (door.started, now), too_many.or(lost), named);
        Ok(minter.sign_revocations(&claims)?)
    }
}

impl TaskHandle {
    /// Gives up one credential of this task before it ends. It is refused from now on, whether or not that could be recorded;
    /// says whether it was good until then.
    ///
    /// # Errors
    ///
    /// The record was not taken.
    pub fn revoke(&self, credential: &CredentialId) -> Result<bool, Error> {
        let was_good = self.assignment.issued().withdraw(credential);
        if was_good {
            let agent = self.assignment.mandate().agent().id().clone();
            let fact = AgentFact::Revoked { credential: credential.clone() };
            self.door.trail.write_for(&self.assignment, Lanes { agent: Some((agent, fact)), ..Lanes::default() })?;
        }
        Ok(was_good)
    }
}
