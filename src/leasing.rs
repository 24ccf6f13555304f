//! Leasing at the door: the intent is recorded, the issuer asked, and what it issued is revoked when the task ends.

use std::sync::Arc;

use crate::audit::{AgentFact, AuditError, Effect, Execution, Lanes, LeaseFact, OpenLease, Permit};
use crate::authorizer::Authorizer;
use crate::credential::{
    Asked, Claim, Gone, IntendedLease, Issued, IssuerError, Lease, LeaseError, LeaseRequest, Of, OwedLease, Under,
};
use crate::door::Door;
use crate::id::{Audience, Found, LeaseId};
use crate::identity::AgentId;
use crate::policy::Reason;
use crate::task::TaskHandle;
use crate::time::Timestamp;

/// How often an issuer is asked to revoke one lease, each time that leases are revoked.
const TRIES: usize = 3;

impl TaskHandle {
    /// Spends a permit on a credential of another system, issued for this one action: records the intent, asks the issuer
    /// of `audience`, and hands out what it gave.
    ///
    /// # Errors
    ///
    /// There is no issuer, the permit is refused as in [`redeem`](Self::redeem), the scope does not allow this service, too
    /// many leases are open, the issuer failed, or a record was not taken. There is no lease then, the permit is gone, and
    /// what the issuer may have made is revoked, now or by the next sweep.
    pub fn lease(&self, permit: Permit, audience: &Audience) -> Result<Lease, LeaseError> {
        let intended = self.intend(permit, audience)?;
        match self.door.issuer(audience)?.issue(intended.permit(), intended.request()) {
            Ok(issued) => self.adopt(intended, issued),
            Err(error) => {
                if matches!(error, IssuerError::Refused(_)) {
                    intended.held().note_refused();
                }
                self.door.trail.void(intended.permit(), Reason::NoCredential(Found::new(&error.to_string())));
                self.give_up(intended);
                Err(error.into())
            }
        }
    }

    /// Records the intent to ask the issuer of `audience`, for a host that asks it by itself. What it gives is for
    /// [`adopt`](Self::adopt), while the permit holds.
    ///
    /// # Errors
    ///
    /// As [`lease`](Self::lease), before the issuer is asked.
    pub fn intend(&self, permit: Permit, audience: &Audience) -> Result<IntendedLease, LeaseError> {
        let trail = &self.door.trail;
        let now = self.check(&permit).map_err(|reason| LeaseError::Denied(trail.void(&permit, reason)))?;
        let request = self.request_lease(&permit, audience, now).inspect_err(|error| {
            trail.void(&permit, Reason::NoCredential(Found::new(&error.to_string())));
        })?;
        let under = Under { assignment: Arc::clone(&self.assignment), mode: permit.action().mode().clone() };
        let held = self.door.leases.enter(request.open().clone(), under).map_err(|open| {
            let error = LeaseError::TooMany { open };
            trail.void(&permit, Reason::NoCredential(Found::new(&error.to_string())));
            error
        })?;
        let intended = IntendedLease::new(permit, request, held);
        match self.announce_lease(&intended) {
            Ok(()) => Ok(intended),
            Err(error) => {
                // Nobody was asked, so there is nothing to look for twice.
                intended.held().note_refused();
                self.give_up(intended);
                Err(error)
            }
        }
    }

    /// Takes over what an issuer gave for this intent.
    ///
    /// # Errors
    ///
    /// The permit or the task is over, what was given is over already, or the record was not taken. There is no lease then,
    /// and it is revoked, now or by the next sweep.
    pub fn adopt(&self, intended: IntendedLease, issued: Issued) -> Result<Lease, LeaseError> {
        let place = intended.held().place();
        self.adopted(intended, issued).inspect_err(|_| {
            self.door.revoke_leases(Of::One(place));
        })
    }

    /// Asks the issuer to let a lease go on, as long as what it rests on does; says until when it does. The action is the
    /// one that was permitted, under the same policies, so no other permit is spent.
    ///
    /// # Errors
    ///
    /// The lease is over, what it rests on is, other policies decide, the issuer cannot or did not, or the record was not
    /// taken. The lease then ends when it was to end.
    pub fn renew(&self, lease: &mut Lease) -> Result<Timestamp, LeaseError> {
        let door = &self.door;
        if !lease.held().is_of(&self.assignment) {
            return Err(LeaseError::OtherTask(lease.id().clone()));
        }
        let issuer = door.issuer(lease.audience())?;
        let now = self.check_lease(lease)?;
        let until = now.after(issuer.lifetime()).min(lease.last());
        if until <= lease.until() {
            return Ok(lease.until());
        }
        let fact = LeaseFact::Renewed { lease: lease.id().clone(), until };
        door.trail.write_for(&self.assignment, lease_lanes(self.assignment.mandate().agent().id().clone(), fact))?;
        // Whoever stopped the task meanwhile has the last word.
        self.check_lease(lease)?;
        let ends = issuer.renew(lease.id(), until)?;
        let until = ends.map_or(until, |ends| ends.min(until)).max(lease.until());
        if !lease.held().goes_on(until, ends, door.now_or_latest()) {
            return Err(LeaseError::Owed(lease.id().clone()));
        }
        lease.goes_on(until);
        Ok(until)
    }

    /// Writes down what the action did, and has the lease revoked at once.
    ///
    /// # Errors
    ///
    /// The lease is of another task; or the record was not taken, or the lease is not known to be revoked: the next sweep
    /// then tries again. In any case it is given up.
    pub fn give_back(&self, lease: Lease, effect: Effect) -> Result<(), LeaseError> {
        let (id, place) = (lease.id().clone(), lease.held().place());
        if !lease.held().is_of(&self.assignment) {
            return Err(LeaseError::OtherTask(id));
        }
        let told = lease.finish(effect);
        let (_, owed) = self.door.revoke_leases(Of::One(place));
        told?;
        if owed > 0 { Err(LeaseError::Owed(id)) } else { Ok(()) }
    }

    /// What an issuer is to be asked for.
    fn request_lease(&self, permit: &Permit, audience: &Audience, now: Timestamp) -> Result<LeaseRequest, LeaseError> {
        let issuer = self.door.issuer(audience)?;
        if !permit.allows(audience) {
            return Err(LeaseError::Audience { asked: audience.clone() });
        }
        let until = permit.bound(now.after(issuer.lifetime()), now);
        if until <= now {
            return Err(LeaseError::TooShort { until, now });
        }
        let open = OpenLease {
            lease: LeaseId::draw(self.door.entropy.as_ref())?,
            audience: audience.clone(),
            agent: self.assignment.mandate().agent().id().clone(),
            task: self.assignment.task().clone(),
            txn: self.assignment.txn().clone(),
            decision: *permit.decision(),
            until,
            issued: false,
            ends: None,
        };
        Ok(LeaseRequest::new(open, now))
    }

    /// Writes the intent before the issuer is asked. Whoever stopped the task meanwhile has the last word.
    fn announce_lease(&self, intended: &IntendedLease) -> Result<(), LeaseError> {
        let (trail, permit, open) = (&self.door.trail, intended.permit(), intended.request().open().clone());
        let OpenLease { lease, audience, agent, decision, until, .. } = open;
        let fact = LeaseFact::Intended { decision, lease, audience, until };
        if let Err(error) = trail.write_for(&self.assignment, lease_lanes(agent, fact)) {
            trail.doubt(&self.assignment, *permit.decision(), permit.action());
            return Err(error.into());
        }
        self.check(permit).map_err(|reason| LeaseError::Denied(trail.void(permit, reason)))?;
        Ok(())
    }

    fn adopted(&self, intended: IntendedLease, issued: Issued) -> Result<Lease, LeaseError> {
        let trail = &self.door.trail;
        let denied = |permit: &Permit, reason| LeaseError::Denied(trail.void(permit, reason));
        let now = self.check(intended.permit()).map_err(|reason| denied(intended.permit(), reason))?;
        let (permit, mut open, held) = intended.into_parts();
        let ends = issued.ends();
        let until = ends.map_or(open.until, |ends| ends.min(open.until));
        // From here on it is revoked like any other, and whoever stopped the task meanwhile is seen below.
        (open.until, open.issued, open.ends) = (until, true, ends);
        held.note_issued(&open);
        if until <= now {
            let error = LeaseError::TooShort { until, now };
            trail.void(&permit, Reason::NoCredential(Found::new(&error.to_string())));
            return Err(error);
        }
        let fact = LeaseFact::Issued { lease: open.lease.clone(), until, ends };
        if let Err(error) = trail.write_for(&self.assignment, lease_lanes(open.agent.clone(), fact)) {
            trail.doubt(&self.assignment, *permit.decision(), permit.action());
            return Err(error.into());
        }
        let now = self.check(&permit).map_err(|reason| denied(&permit, reason))?;
        // The end of what it rests on, to which it may be renewed.
        let last = permit.bound(self.assignment.until(), now);
        let policies = *permit.policy_digest();
        let execution = Execution::of(permit, trail).map_err(LeaseError::Denied)?;
        Ok(Lease::new(issued.into_secret(), (open, last), policies, execution, held))
    }

    /// Whether a lease may go on now.
    fn check_lease(&self, lease: &Lease) -> Result<Timestamp, LeaseError> {
        let now = self.door.trail.clock().now()?;
        let over = |reason: Option<Reason>| {
            reason.map_or(LeaseError::TooShort { until: lease.until(), now }, LeaseError::NotRenewed)
        };
        lease.held().check(now).map_err(over)?;
        let (permitted, now_decide) = (*lease.policies(), self.door.evaluator.digest());
        if permitted != now_decide {
            return Err(LeaseError::OtherPolicies { permitted, now: now_decide });
        }
        Ok(now)
    }

    /// Gives up what an issuer may have made.
    fn give_up(&self, intended: IntendedLease) {
        let place = intended.held().place();
        drop(intended);
        self.door.revoke_leases(Of::One(place));
    }
}

/// A lease of an earlier process that was not taken over: it is the host's to see that it is revoked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotRecovered {
    /// No issuer is known for its service.
    #[error("there is no issuer for {} that could revoke the lease {}", .0.audience, .0.lease)]
    NoIssuer(OpenLease),
    /// Too many leases are open or owed.
    #[error("too many leases are open or owed for the lease {} to be taken over", .0.lease)]
    TooMany(OpenLease),
}

impl Authorizer {
    /// Takes over leases that earlier processes may have left, so that [`sweep`](Self::sweep) revokes them: what a host kept,
    /// or what [`OpenLeases`](crate::audit::OpenLeases) found in its records. Leases that this door knows anyhow stay as they
    /// are. Returns those that it cannot revoke.
    #[must_use = "leases that were not taken over are not revoked"]
    pub fn recover(&self, open: impl IntoIterator<Item = OpenLease>) -> Vec<NotRecovered> {
        let recover = |open: OpenLease| {
            if !self.0.issuers.contains_key(&open.audience) {
                return Some(NotRecovered::NoIssuer(open));
            }
            (!self.0.leases.recover(&open)).then_some(NotRecovered::TooMany(open))
        };
        open.into_iter().filter_map(recover).collect()
    }

    /// The leases that are to be revoked and are not known to be, newest first.
    pub fn owed(&self) -> Vec<OwedLease> {
        self.0.leases.owed(Of::Everybody, self.0.now_or_latest())
    }
}

impl Door {
    fn issuer(&self, audience: &Audience) -> Result<&Asked, LeaseError> {
        self.issuers.get(audience).ok_or_else(|| LeaseError::NoIssuer(audience.clone()))
    }

    /// What is to be revoked is, whether or not the clock works.
    fn now_or_latest(&self) -> Timestamp {
        self.trail.clock().now().unwrap_or_else(|_| self.trail.clock().latest())
    }

    /// Revokes those of these leases that are to be revoked, newest first; says how many are, and how many are still owed.
    pub(crate) fn revoke_leases(&self, of: Of<'_>) -> (usize, usize) {
        let now = self.now_or_latest();
        let (mut revoked, mut last) = (0, None);
        while let Some(claim) = self.leases.claim(of, last, now) {
            last = Some(claim.place);
            revoked += usize::from(self.revoke(&claim, now));
        }
        (revoked, self.leases.owed(of, now).len())
    }

    /// Revokes one lease; says whether it is gone, and that is recorded.
    fn revoke(&self, claim: &Claim, now: Timestamp) -> bool {
        let place = claim.place;
        let gone = claim.gone.map_or_else(|| self.ask_to_revoke(claim, now), Ok);
        let why = match gone {
            Ok(gone) if claim.gone.is_some() || self.leases.gone(place, gone, now) => {
                let fact = LeaseFact::Revoked { lease: claim.open.lease.clone(), found: gone == Gone::Revoked };
                if self.write_of_lease(&claim.open, now, fact).is_ok() {
                    self.leases.forget(place);
                    return true;
                }
                // It is gone; the next sweep records that.
                self.leases.unclaim(place);
                return false;
            }
            Ok(_) => Found::new("it is not there, and may still come to be"),
            Err(error) => Found::new(&error.to_string()),
        };
        self.tell_owed(claim, now, why);
        self.leases.unclaim(place);
        false
    }

    /// Asks the issuer, a few times. Where only time ends what it issues, time does.
    fn ask_to_revoke(&self, claim: &Claim, now: Timestamp) -> Result<Gone, IssuerError> {
        // Leases are entered only where there is an issuer.
        let issuer = self.issuers.get(&claim.open.audience).ok_or(IssuerError::Unsupported)?;
        let is_over = claim.open.ends.is_some_and(|ends| now >= ends);
        let mut tries = 1;
        loop {
            match issuer.revoke(&claim.open.lease) {
                Err(IssuerError::Unsupported) if is_over => return Ok(Gone::NotFound),
                Err(error) => {
                    self.leases.failed(claim.place, error.clone());
                    if tries == TRIES || error == IssuerError::Unsupported {
                        return Err(error);
                    }
                    tries += 1;
                }
                gone => return gone,
            }
        }
    }

    /// Records once that a lease could not be revoked.
    fn tell_owed(&self, claim: &Claim, now: Timestamp, why: Found) {
        let OpenLease { lease, audience, .. } = &claim.open;
        tracing::warn!(%lease, %audience, %why, "a lease is not revoked yet");
        if !self.leases.wants_telling(claim.place) {
            return;
        }
        let fact = LeaseFact::NotRevoked { lease: lease.clone(), audience: audience.clone(), why };
        if self.write_of_lease(&claim.open, now, fact).is_ok() {
            self.leases.note_told(claim.place);
        }
    }

    fn write_of_lease(&self, open: &OpenLease, now: Timestamp, fact: LeaseFact) -> Result<(), AuditError> {
        self.trail.write(&open.txn, Some(&open.task), now, lease_lanes(open.agent.clone(), fact)).map(drop)
    }
}

/// What happens to a lease is told of the agent alone.
fn lease_lanes(agent: AgentId, fact: LeaseFact) -> Lanes {
    Lanes { agent: Some((agent, AgentFact::Lease(fact))), ..Lanes::default() }
}
