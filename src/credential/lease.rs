//! The lease: a secret that another system issued, under a task, handed to the tool and never to the model.

use std::fmt;

use super::leases::Held;
use super::{IssuerError, LeaseRequest};
use crate::audit::{AuditError, Denial, Effect, Execution, OpenLease, Permit};
use crate::canonical::Digest;
use crate::entropy::EntropyError;
use crate::id::{Audience, LeaseId};
use crate::policy::Reason;
use crate::secret::Secret;
use crate::time::{ClockError, Timestamp};

/// There is no lease. What the other system may have made nevertheless is revoked, now or by the next sweep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// The authorizer has no issuer for this service.
    #[error("there is no issuer for {0}")]
    NoIssuer(Audience),
    /// The permit was refused when it was to be used.
    #[error("the permit was refused")]
    Denied(#[source] Denial),
    /// The scope does not allow credentials for this service.
    #[error("the scope allows no credential for {asked}")]
    Audience {
        /// The service.
        asked: Audience,
    },
    /// The lease would be over before it begins.
    #[error("the lease would end at {until}, it is {now}")]
    TooShort {
        /// When it would end.
        until: Timestamp,
        /// The time now.
        now: Timestamp,
    },
    /// Too many leases are open or owed, of this task with the one that it is a part of and all their parts, or in all.
    #[error("{open} leases are open or owed, and no more are given")]
    TooMany {
        /// How many.
        open: usize,
    },
    /// The issuer did not do it.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The lease is not one of this task.
    #[error("the lease {0} is not one of this task")]
    OtherTask(LeaseId),
    /// What the lease rests on is over, and so it does not go on.
    #[error("the lease does not go on: {0}")]
    NotRenewed(Reason),
    /// Other policies decide than those that permitted it, and so it does not go on.
    #[error("the lease was permitted by the policies {permitted}, now {now} decide")]
    OtherPolicies {
        /// Those that permitted it.
        permitted: Digest,
        /// Those that decide now.
        now: Digest,
    },
    /// It is not known to be revoked; the next sweep tries again.
    #[error("the lease {0} is not known to be revoked")]
    Owed(LeaseId),
    /// The record was not taken.
    #[error("the record was not taken")]
    Audit(#[from] AuditError),
    /// The source of randomness failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The clock failed.
    #[error(transparent)]
    Clock(#[from] ClockError),
}

/// The recorded intent to ask an issuer, with the permit that it rests on.
///
/// For a host whose issuer is asynchronous: it fetches what [`request`](Self::request) says, and gives it to
/// [`adopt`](crate::TaskHandle::adopt). Dropped without that, the issuer is asked to revoke what it may have made.
#[must_use = "what was intended and is dropped is revoked"]
pub struct IntendedLease {
    permit: Permit,
    request: LeaseRequest,
    held: Held,
}

impl fmt::Debug for IntendedLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntendedLease").field("request", &self.request).finish_non_exhaustive()
    }
}

impl IntendedLease {
    pub(crate) fn new(permit: Permit, request: LeaseRequest, held: Held) -> Self {
        Self { permit, request, held }
    }

    /// What is permitted.
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// What is asked for.
    pub fn request(&self) -> &LeaseRequest {
        &self.request
    }

    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    pub(crate) fn into_parts(self) -> (Permit, OpenLease, Held) {
        (self.permit, self.request.open().clone(), self.held)
    }
}

/// A credential of another system, for one action of one task.
///
/// The secret is wiped when this is dropped, and shown only by [`expose`](Self::expose). When it is dropped, finished or over,
/// or the task ends, the other system is asked to revoke it: by [`Task::complete`](crate::Task::complete),
/// [`TaskHandle::give_back`](crate::TaskHandle::give_back) or [`Authorizer::sweep`](crate::Authorizer::sweep).
#[must_use = "a lease that is dropped is revoked"]
pub struct Lease {
    secret: Secret<String>,
    open: OpenLease,
    /// The end of what it rests on.
    last: Timestamp,
    policies: Digest,
    execution: Execution,
    held: Held,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("id", self.id())
            .field("audience", self.audience())
            .field("until", &self.until())
            .finish_non_exhaustive()
    }
}

impl Lease {
    pub(crate) fn new(
        secret: Secret<String>,
        (open, last): (OpenLease, Timestamp),
        policies: Digest,
        execution: Execution,
        held: Held,
    ) -> Self {
        Self { secret, open, last, policies, execution, held }
    }

    /// The secret, for the tool that presents it.
    pub fn expose(&self) -> &str {
        self.secret.expose()
    }

    /// The lease's id: safe to log.
    pub fn id(&self) -> &LeaseId {
        &self.open.lease
    }

    /// The service that it is for.
    pub fn audience(&self) -> &Audience {
        &self.open.audience
    }

    /// When it ends at the latest; it is over at this moment, and the next sweep revokes it.
    pub fn until(&self) -> Timestamp {
        self.open.until
    }

    /// Writes down what the action did, and gives the lease up: the next sweep, or completion, revokes it.
    /// [`give_back`](crate::TaskHandle::give_back) does both at once.
    ///
    /// # Errors
    ///
    /// The record was not taken; the effect is then written down as unknown when the task is closed.
    pub fn finish(self, effect: Effect) -> Result<(), AuditError> {
        self.execution.finish(effect)
    }

    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    /// The end of what it rests on, beyond which it does not go on.
    pub(crate) fn last(&self) -> Timestamp {
        self.last
    }

    /// The policies under which it was permitted.
    pub(crate) fn policies(&self) -> &Digest {
        &self.policies
    }

    pub(crate) fn goes_on(&mut self, until: Timestamp) {
        self.open.until = until;
    }
}
