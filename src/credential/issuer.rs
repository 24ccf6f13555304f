//! The issuer: the seam to other systems that issue and revoke credentials.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::audit::{OpenLease, Permit};
use crate::id::{Audience, Found, LeaseId, TaskId, TransactionId};
use crate::identity::AgentId;
use crate::live::shielded;
use crate::secret::Secret;
use crate::time::Timestamp;

/// How long a lease is wanted for, unless its issuer says otherwise.
const LIFETIME: Duration = Duration::from_secs(900);

/// Issues credentials of another system: a database's roles, a cloud's session keys, a forge's tokens.
///
/// A host implements this once for each system, and gives it to [`Builder::issuer`](crate::Builder::issuer) under the name of
/// the service that the credentials are for; [`TaskHandle::lease`](crate::TaskHandle::lease) asks it.
///
/// **One id, drawn before.** A [`LeaseId`] is drawn, and the intent recorded, before `issue` is called. What is made at the
/// other system must be found again by that id alone: as a name (a role `lea_…`), a tag, or an entry that the issuer keeps
/// before it asks. An answer that is lost, a panic and a crash then leave something that `revoke` can find.
///
/// **No more than the permit.** The permit says which tool runs on which resource with which arguments, for whom. An issuer
/// narrows what it issues to that: nothing else is asked for, so that nobody can ask for more.
///
/// **It may wait, and must not wait for ever.** No lock of this crate is held while it runs, but whoever asks for a lease,
/// completes a task or sweeps waits for it: give every call to the other system a deadline. A host whose issuer is
/// asynchronous does not call `issue` at all, but [`intend`](crate::TaskHandle::intend), fetches, and
/// [`adopt`](crate::TaskHandle::adopt); its `revoke` is called by whoever sweeps.
///
/// A panic is a failure whose outcome is not known. What other systems can and cannot do of this, the manual says in
/// [`leases`](crate::manual::leases).
pub trait CredentialIssuer: Send + Sync {
    /// How long what it issues is wanted for at most; 15 minutes unless said otherwise. Asked once, when the door is built.
    /// The task, the agent's proof and the approvals bound it further.
    fn lifetime(&self) -> Duration {
        LIFETIME
    }

    /// When whatever comes of a request until `until` has ended by itself, heard or not, and however late it is heard; not known
    /// unless said otherwise. Asked, and recorded, before the issuer is asked to issue or to renew. Where only time ends what is
    /// issued, it bounds how long a lease is owed of which nobody knows whether it is there.
    fn latest_end(&self, until: Timestamp) -> Option<Timestamp> {
        let _ = until;
        None
    }

    /// Issues what the permitted action needs, no wider, and no longer than [`LeaseRequest::until`] where the system can say
    /// so. Called once for each lease.
    ///
    /// # Errors
    ///
    /// [`IssuerError::Refused`] where the other system certainly made nothing; whatever else went wrong is
    /// [`IssuerError::Failed`], and `revoke` is called.
    fn issue(&self, permit: &Permit, request: &LeaseRequest) -> Result<Issued, IssuerError>;

    /// Revokes a lease, and what was begun with it (open sessions, for instance), as far as the system can. Called again until
    /// it works, for leases of earlier processes too, and for leases that never came to be: what is not there is
    /// [`Gone::NotFound`], not an error.
    ///
    /// # Errors
    ///
    /// It is not known to be gone. It is tried again. [`IssuerError::Unsupported`] where nothing but time ends what was
    /// issued: it is then owed until [its own end](Issued::until), or the [latest](Self::latest_end) that it can have.
    fn revoke(&self, lease: &LeaseId) -> Result<Gone, IssuerError>;

    /// Lets a lease go on until `until`, with the same secret; says when it now ends by itself, if it does. While it is asked,
    /// the lease may be revoked; what lets it go on nevertheless is revoked again.
    ///
    /// # Errors
    ///
    /// [`IssuerError::Unsupported`] where the system cannot, which is so unless said otherwise, and [`IssuerError::Refused`] where it
    /// certainly did not: the lease then ends when it was to end before. With anything else it ends then *here*, and nobody
    /// knows when it does there: it is looked for until `until`, and owed until its [latest end](Self::latest_end).
    fn renew(&self, lease: &LeaseId, until: Timestamp) -> Result<Option<Timestamp>, IssuerError> {
        let _ = (lease, until);
        Err(IssuerError::Unsupported)
    }
}

/// How a lease is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "it was there or it was not")]
pub enum Gone {
    /// It was there, and is not any more.
    Revoked,
    /// It was not there, or the issuer cannot tell whether it was. Where nobody knows whether the issuer had been heard, it may still come to be there, and is looked
    /// for until it would have ended.
    NotFound,
}

/// An issuer did not do what it was asked. Its text is kept short, and goes into the record: it must hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// The other system refused, and certainly made nothing.
    #[error("the issuer refused: {0}")]
    Refused(Found),
    /// It is not known what the other system did.
    #[error("the issuer failed: {0}")]
    Failed(Found),
    /// The issuer panicked.
    #[error("the issuer panicked")]
    Panicked,
    /// The system cannot do this.
    #[error("the issuer cannot do this")]
    Unsupported,
}

impl IssuerError {
    /// The other system refused, and certainly made nothing.
    pub fn refused(why: &str) -> Self {
        Self::Refused(Found::new(why))
    }

    /// It is not known what the other system did.
    pub fn failed(why: &str) -> Self {
        Self::Failed(Found::new(why))
    }
}

/// An issuer, behind a shield, and the lifetime that it wants.
pub(crate) struct Asked {
    issuer: Arc<dyn CredentialIssuer>,
    lifetime: Duration,
}

impl Asked {
    /// An issuer that does not say for how long gives nothing.
    pub(crate) fn new(issuer: Arc<dyn CredentialIssuer>) -> Self {
        let lifetime = shielded(|| issuer.lifetime()).unwrap_or_default();
        Self { issuer, lifetime }
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// An issuer that panics does not know.
    pub(crate) fn latest_end(&self, until: Timestamp) -> Option<Timestamp> {
        shielded(|| self.issuer.latest_end(until)).flatten()
    }

    pub(crate) fn issue(&self, permit: &Permit, request: &LeaseRequest) -> Result<Issued, IssuerError> {
        shielded(|| self.issuer.issue(permit, request)).unwrap_or(Err(IssuerError::Panicked))
    }

    pub(crate) fn revoke(&self, lease: &LeaseId) -> Result<Gone, IssuerError> {
        shielded(|| self.issuer.revoke(lease)).unwrap_or(Err(IssuerError::Panicked))
    }

    pub(crate) fn renew(&self, lease: &LeaseId, until: Timestamp) -> Result<Option<Timestamp>, IssuerError> {
        shielded(|| self.issuer.renew(lease, until)).unwrap_or(Err(IssuerError::Panicked))
    }
}

/// What an issuer is asked for.
#[derive(Debug, Clone)]
pub struct LeaseRequest {
    open: OpenLease,
    asked: Timestamp,
}

impl LeaseRequest {
    pub(crate) fn new(open: OpenLease, asked: Timestamp) -> Self {
        Self { open, asked }
    }

    /// The lease's id, by which `revoke` must find it.
    pub fn id(&self) -> &LeaseId {
        &self.open.lease
    }

    /// The service that it is for.
    pub fn audience(&self) -> &Audience {
        &self.open.audience
    }

    /// The agent that will use it.
    pub fn agent(&self) -> &AgentId {
        &self.open.agent
    }

    /// The task that it hangs under.
    pub fn task(&self) -> &TaskId {
        &self.open.task
    }

    /// What joins the records of that task: for a tag that the other system writes into its own log.
    pub fn txn(&self) -> &TransactionId {
        &self.open.txn
    }

    /// When it is to end: it is revoked then, even if the other system lets it live longer.
    pub fn until(&self) -> Timestamp {
        self.open.until
    }

    /// The same, as a duration from when it was asked for.
    pub fn lifetime(&self) -> Duration {
        self.open.until.since(self.asked)
    }

    /// What a host may keep, to recover the lease after a crash without looking into the records.
    pub fn open(&self) -> &OpenLease {
        &self.open
    }
}

/// What an issuer gives: a secret, and when it ends by itself.
pub struct Issued {
    secret: Secret<String>,
    ends: Option<Timestamp>,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("ends", &self.ends).finish_non_exhaustive()
    }
}

impl Issued {
    /// A secret, opaque to this crate: a password, a token, a document of several keys. It does not end by itself unless
    /// [said](Self::until).
    pub fn new(secret: Secret<String>) -> Self {
        Self { secret, ends: None }
    }

    /// It ends at `ends` by itself, whatever becomes of this process.
    #[must_use]
    pub fn until(mut self, ends: Timestamp) -> Self {
        self.ends = Some(ends);
        self
    }

    pub(crate) fn ends(&self) -> Option<Timestamp> {
        self.ends
    }

    pub(crate) fn into_secret(self) -> Secret<String> {
        self.secret
    }
}
