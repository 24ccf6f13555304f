//! The human operator: the person who is accountable for an agent's intent and bounds.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::id::{IdError, Issuer, Pair, Prose, Subject};
use crate::time::Timestamp;

/// Names a person: the exact pair of issuer and subject that their identity provider uses.
///
/// ```
/// use bailiwick::identity::OperatorId;
///
/// let ada = OperatorId::new("https://idp.acme.example", "u_7Qm2c1")?;
/// assert_eq!(ada.to_string(), "https://idp.acme.example#u_7Qm2c1");
/// assert_ne!(ada, OperatorId::new("https://idp.acme.example/", "u_7Qm2c1")?);
/// # Ok::<(), bailiwick::id::IdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct OperatorId(Pair<Issuer, Subject>);

/// The JSON of an [`OperatorId`].
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "OperatorId", deny_unknown_fields)]
struct Written {
    #[serde(rename = "iss")]
    issuer: Issuer,
    #[serde(rename = "sub")]
    subject: Subject,
}

impl OperatorId {
    /// Parses issuer and subject.
    ///
    /// # Errors
    ///
    /// Either is not valid; see [`Issuer`] and [`Subject`].
    pub fn new(issuer: &str, subject: &str) -> Result<Self, IdError> {
        Ok(Self::of(Issuer::new(issuer)?, Subject::new(subject)?))
    }

    /// Who named the person.
    pub fn issuer(&self) -> &Issuer {
        self.0.first()
    }

    /// The name that the issuer gave.
    pub fn subject(&self) -> &Subject {
        self.0.second()
    }

    /// Issuer, `#`, subject: unambiguous, since no issuer has a `#`.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn of(issuer: Issuer, subject: Subject) -> Self {
        Self(Pair::new(issuer, subject, |issuer, subject| [issuer.as_str(), "#", subject.as_str()].concat()))
    }
}

impl From<Written> for OperatorId {
    fn from(Written { issuer, subject }: Written) -> Self {
        Self::of(issuer, subject)
    }
}

impl From<OperatorId> for Written {
    fn from(id: OperatorId) -> Self {
        Self { issuer: id.issuer().clone(), subject: id.subject().clone() }
    }
}

impl fmt::Display for OperatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for OperatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperatorId({self})")
    }
}

/// A person who can approve tasks and sponsor agents. Never executes, never is a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HumanOperator {
    id: OperatorId,
}

impl HumanOperator {
    /// The person with this id.
    pub fn new(id: OperatorId) -> Self {
        Self { id }
    }

    /// The person's id.
    pub fn id(&self) -> &OperatorId {
        &self.id
    }
}

impl AsRef<HumanOperator> for HumanOperator {
    fn as_ref(&self) -> &HumanOperator {
        self
    }
}

/// A session ends before it starts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a session that was signed in at {signed_in} cannot end at {until}")]
#[non_exhaustive]
pub struct SessionError {
    /// When the person signed in.
    pub signed_in: Timestamp,
    /// When the session ends.
    pub until: Timestamp,
}

/// How a person signed in, as far as their provider says (OpenID Connect Core 1.0, section 2; RFC 8176).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authentication {
    pub(super) acr: Option<Prose>,
    pub(super) amr: Vec<Prose>,
    pub(super) auth_time: Option<Timestamp>,
}

impl Authentication {
    /// The class that the sign-in satisfied (`acr`).
    pub fn class(&self) -> Option<&str> {
        self.acr.as_ref().map(Prose::as_str)
    }

    /// The methods that were used (`amr`): `pwd`, `hwk`, `mfa` and others.
    pub fn methods(&self) -> impl Iterator<Item = &str> {
        self.amr.iter().map(Prose::as_str)
    }

    /// When the person last signed in actively (`auth_time`).
    pub fn time(&self) -> Option<Timestamp> {
        self.auth_time
    }
}

/// A person's own sign-in, verified: what consent is given with.
///
/// Made by an [`OperatorVerifier`](super::OperatorVerifier) from the ID token of a sign-in, or by
/// [`danger::operator_vouched_by_host`](super::danger::operator_vouched_by_host), for a host that authenticated the person
/// itself.
#[derive(Debug, Clone)]
pub struct OperatorSession {
    operator: HumanOperator,
    signed_in: Timestamp,
    until: Timestamp,
    authentication: Authentication,
    /// How many approvals were given in it, so that no two of this value and its clones are the same.
    approvals: Arc<AtomicU64>,
}

impl OperatorSession {
    pub(super) fn new(operator: HumanOperator, signed_in: Timestamp, until: Timestamp) -> Result<Self, SessionError> {
        if until <= signed_in {
            return Err(SessionError { signed_in, until });
        }
        let authentication = Authentication::default();
        Ok(Self { operator, signed_in, until, authentication, approvals: Arc::default() })
    }

    pub(super) fn authenticated(self, authentication: Authentication) -> Self {
        Self { authentication, ..self }
    }

    /// How they signed in. A host that vouches for the person says nothing of it.
    pub fn authentication(&self) -> &Authentication {
        &self.authentication
    }

    /// Who signed in.
    pub fn operator(&self) -> &HumanOperator {
        &self.operator
    }

    /// When they signed in.
    pub fn signed_in(&self) -> Timestamp {
        self.signed_in
    }

    /// When the session ends; it is over at this moment.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// The number of the next approval that is given in this session.
    pub(crate) fn number_approval(&self) -> u64 {
        self.approvals.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether the session goes on at `now`.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.signed_in <= now && now < self.until
    }
}

impl AsRef<HumanOperator> for OperatorSession {
    fn as_ref(&self) -> &HumanOperator {
        &self.operator
    }
}
