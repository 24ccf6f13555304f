//! Leasing at the door: the intent is recorded, the issuer asked, and what it issued is revoked when the task ends.

use std::sync::Arc;

use crate::audit::{AgentFact, AuditError, Effect, Execution, Lanes, LeaseFact, OpenLease, Permit};
use crate::authorizer::Authorizer;
use crate::credential::{
    Asked, Claim, Gone, IntendedLease, Issued, IssuerError, Lease, LeaseError, LeaseRequest, Of, OwedLease, Renewal,
    Under,
};
use crate::door::Door;
use crate::id::{Audience, Found, LeaseId};
use crate::identity::AgentId;
use crate::policy::{Reason, check_breaker};
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
        let under = Under {
            assignment: Arc::clone(&self.assignment),
            action: Arc::new(permit.action().clone()),
            consenting: permit.consenting(),
        };
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
    /// The lease is over, what it rests on is, the person may not do it themselves any more, the tool drifted, the agent is cut
    /// off, other policies decide, the issuer cannot or did not, or the record was not
    /// taken. The lease then ends here when it was to end; where nobody knows what the issuer did, it is looked for until it
    /// would have ended.
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
        let Some(renewal) = lease.held().renewing(until, issuer.latest_end(until), now) else {
            return Err(LeaseError::TooShort { until: lease.until(), now });
        };
        let renewed = self.renewed(lease, issuer, renewal);
        // What was revoked while the issuer was asked may be there again.
        let (_, owed) = door.revoke_leases(Of::One(lease.held().place()));
        if owed > 0 { Err(LeaseError::Owed(lease.id().clone())) } else { renewed }
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
            ends: issuer.latest_end(until),
            unheard: None,
        };
        Ok(LeaseRequest::new(open, now))
    }

    /// Writes the intent before the issuer is asked. Whoever stopped the task meanwhile has the last word.
    fn announce_lease(&self, intended: &IntendedLease) -> Result<(), LeaseError> {
        let (trail, permit, open) = (&self.door.trail, intended.permit(), intended.request().open().clone());
        let OpenLease { lease, audience, agent, decision, until, ends, .. } = open;
        let fact = LeaseFact::Intended { decision, lease, audience, until, ends };
        if let Err(error) = trail.write_for(&self.assignment, lease_lanes(agent, fact)) {
            trail.doubt(&self.assignment, *permit.decision(), permit.action());
            return Err(error.into());
        }
        self.check(permit).map_err(|reason| LeaseError::Denied(trail.void(permit, reason)))?;
        Ok(())
    }

    fn adopted(&self, intended: IntendedLease, issued: Issued) -> Result<Lease, LeaseError> {
        let trail = &self.door.trail;
        let (permit, mut open, held) = intended.into_parts();
        let ends = issued.ends().or(open.ends);
        let until = ends.map_or(open.until, |ends| ends.min(open.until));
        // First of all: from here on it is known, and revoked like any other, whatever is found below.
        (open.until, open.issued, open.ends) = (until, true, ends);
        held.note_issued(&open);
        let told = self.door.tell_issued(&open);
        let now = self.check(&permit).map_err(|ruling| LeaseError::Denied(trail.void(&permit, ruling)))?;
        if until <= now {
            let error = LeaseError::TooShort { until, now };
            trail.void(&permit, Reason::NoCredential(Found::new(&error.to_string())));
            return Err(error);
        }
        if let Err(error) = told {
            trail.doubt(&self.assignment, *permit.decision(), permit.action());
            return Err(error.into());
        }
        // The end of what it rests on, to which it may be renewed.
        let last = permit.bound(self.assignment.until(), now);
        let policies = *permit.policy_digest();
        let execution = Execution::of(permit, trail).map_err(LeaseError::Denied)?;
        Ok(Lease::new(issued.into_secret(), (open, last), policies, execution, held))
    }

    /// Has a lease renewed that is marked as such.
    fn renewed(&self, lease: &mut Lease, issuer: &Asked, renewal: Renewal) -> Result<Timestamp, LeaseError> {
        let Renewal { until, ends, .. } = renewal;
        let fact = LeaseFact::Renewed { lease: lease.id().clone(), until, ends };
        let lanes = lease_lanes(self.assignment.mandate().agent().id().clone(), fact);
        let told = self.door.trail.write_for(&self.assignment, lanes).map_err(LeaseError::from);
        // Whoever stopped the task meanwhile has the last word.
        let asked = told.and_then(|_| self.check_lease(lease)).and_then(|_| Ok(issuer.renew(lease.id(), until)?));
        let answer = match asked {
            Ok(answer) => answer.or(ends),
            Err(error @ LeaseError::Issuer(IssuerError::Failed(_) | IssuerError::Panicked)) => {
                lease.held().not_answered();
                return Err(error);
            }
            Err(error) => {
                // Nothing was done. If that cannot be recorded, it is looked for longer than it is there.
                lease.held().put_back(renewal).map(|open| self.door.tell_issued(&open));
                return Err(error);
            }
        };
        let given = answer.map_or(until, |ends| ends.min(until));
        let told = lease.held().answered(renewal, given, answer).map(|open| self.door.tell_issued(&open));
        let until = if matches!(told, Some(Ok(()))) { given } else { given.min(lease.until()) };
        let now = self.door.now_or_latest();
        let goes_on = lease.held().goes_on(until, now);
        if !goes_on {
            self.check_lease(lease)?;
            return Err(LeaseError::TooShort { until: lease.until(), now });
        }
        lease.goes_on(until);
        told.transpose()?;
        if until <= now { Err(LeaseError::TooShort { until, now }) } else { Ok(until) }
    }

    /// Whether a lease may go on now.
    fn check_lease(&self, lease: &Lease) -> Result<Timestamp, LeaseError> {
        let (door, action) = (&self.door, lease.held().action());
        // First, for it asks the host: whatever is stopped meanwhile has the last word.
        let asked = door.check_entitled(&self.assignment, action, door.trail.clock().now()?);
        asked.map_err(LeaseError::NotRenewed)?;
        let now = door.trail.clock().now()?;
        if let Some(drift) = door.drift(&self.assignment, action.tool()) {
            let tool = action.tool().clone();
            return Err(LeaseError::NotRenewed(Reason::CapabilityDrift { tool, drift }));
        }
        check_breaker(self.assignment.breaker(now), now).map_err(LeaseError::NotRenewed)?;
        let over = |reason: Option<Reason>| {
            reason.map_or(LeaseError::TooShort { until: lease.until(), now }, LeaseError::NotRenewed)
        };
        lease.held().check(now).map_err(over)?;
        let (permitted, now_decide) = (*lease.policies(), door.evaluator.digest());
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
            revoked += usize::from(self.revoke(claim, now));
        }
        (revoked, self.leases.owed(of, now).len())
    }

    /// Revokes one lease; says whether it is gone, and that is recorded.
    fn revoke(&self, claim: Claim, now: Timestamp) -> bool {
        let gone = claim.gone.map_or_else(|| self.ask_to_revoke(&claim, now), Ok);
        let why = match gone {
            Ok(gone) if claim.gone.is_some() || claim.is_gone(gone, now) => {
                let fact = LeaseFact::Revoked { lease: claim.open.lease.clone(), found: gone == Gone::Revoked };
                let told = self.write_of_lease(&claim.open, now, fact).is_ok();
                if told {
                    claim.forget();
                }
                // It is gone; if that was not recorded, the next sweep does.
                return told;
            }
            Ok(Gone::Revoked) => Found::new("it is revoked, and may come to be again"),
            Ok(Gone::NotFound) => Found::new("it is not there, and may still come to be"),
            Err(error) => Found::new(&error.to_string()),
        };
        self.tell_owed(&claim, now, why.clone());
        let OpenLease { lease, audience, .. } = claim.open.clone();
        drop(claim);
        // Code of the host runs here, and it may panic.
        tracing::warn!(%lease, %audience, %why, "a lease is not revoked yet");
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
                    claim.failed(error.clone());
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
        if !claim.wants_telling() {
            return;
        }
        let OpenLease { lease, audience, .. } = &claim.open;
        let fact = LeaseFact::NotRevoked { lease: lease.clone(), audience: audience.clone(), why };
        if self.write_of_lease(&claim.open, now, fact).is_ok() {
            claim.note_told();
        }
    }

    /// Records what the issuer said of it.
    fn tell_issued(&self, open: &OpenLease) -> Result<(), AuditError> {
        let OpenLease { lease, until, ends, unheard, .. } = open.clone();
        let fact = LeaseFact::Issued { lease, until, ends, unheard };
        self.write_of_lease(open, self.now_or_latest(), fact)
    }

    fn write_of_lease(&self, open: &OpenLease, now: Timestamp, fact: LeaseFact) -> Result<(), AuditError> {
        self.trail.write(&open.txn, Some(&open.task), now, lease_lanes(open.agent.clone(), fact)).map(drop)
    }
}

/// What happens to a lease is told of the agent alone.
fn lease_lanes(agent: AgentId, fact: LeaseFact) -> Lanes {
    Lanes { agent: Some((agent, AgentFact::Lease(fact))), ..Lanes::default() }
}
