//! The agent identity: the workload that really runs, and the only principal.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::proof::VerifiedWorkload;
use super::registry::Sponsors;
use super::{OperatorId, ProofMethod, SpiffeError, SpiffeId};
use crate::canonical::Digest;
use crate::id::{Found, IdError, Issuer, Pair, Parsed, Subject};
use crate::jose::{Thumbprint, base64url};
use crate::live::Hold;
use crate::time::Timestamp;

/// Names a workload: its SPIFFE ID, or the exact pair of issuer and subject of its platform's tokens.
///
/// As text (in tokens, records and policies) an issuer and subject are encoded as
/// `urn:bailiwick:agent:<issuer>:<subject>`, each in base64url, so that no pair can be taken for another.
///
/// ```
/// use bailiwick::identity::AgentId;
///
/// let agent: AgentId = "spiffe://acme.example/agent/invoices".parse()?;
/// let other = AgentId::issued("https://token.ci.example", "repo:acme/app:ref:refs/heads/main")?;
/// assert_eq!(other.to_string().parse(), Ok(other));
/// # Ok::<(), bailiwick::id::IdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentId(Form);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Form {
    Spiffe(SpiffeId),
    Issued(Pair<Issuer, Subject>),
}

const URN: &str = "urn:bailiwick:agent:";

impl AgentId {
    /// The workload with this SPIFFE ID.
    ///
    /// # Errors
    ///
    /// The text is not a SPIFFE ID.
    pub fn spiffe(text: &str) -> Result<Self, SpiffeError> {
        SpiffeId::parse(text).map(|id| Self(Form::Spiffe(id)))
    }

    /// The workload that `issuer` calls `subject`.
    ///
    /// # Errors
    ///
    /// Either is not valid; see [`Issuer`] and [`Subject`].
    pub fn issued(issuer: &str, subject: &str) -> Result<Self, IdError> {
        Ok(Self::of(Issuer::new(issuer)?, Subject::new(subject)?))
    }

    /// What vouches for the name: the trust domain of a SPIFFE ID, or the issuer.
    pub fn authority(&self) -> &str {
        match &self.0 {
            Form::Spiffe(id) => id.trust_domain(),
            Form::Issued(pair) => pair.first().as_str(),
        }
    }

    /// The whole name: the SPIFFE ID, or the URN of issuer and subject.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Spiffe(id) => id.as_str(),
            Form::Issued(pair) => pair.as_str(),
        }
    }

    /// The agent that would have the same issuer and subject as a person.
    pub(super) fn of_name(operator: &OperatorId) -> Self {
        Self::of(operator.issuer().clone(), operator.subject().clone())
    }

    /// The person who would have the same issuer and subject.
    pub(super) fn as_name(&self) -> Option<OperatorId> {
        match &self.0 {
            Form::Spiffe(_) => None,
            Form::Issued(pair) => Some(OperatorId::of(pair.first().clone(), pair.second().clone())),
        }
    }

    fn of(issuer: Issuer, subject: Subject) -> Self {
        let encode = |text: &str| base64url::encode(text.as_bytes());
        let join = |issuer: &Issuer, subject: &Subject| {
            format!("{URN}{}:{}", encode(issuer.as_str()), encode(subject.as_str()))
        };
        Self(Form::Issued(Pair::new(issuer, subject, join)))
    }

    fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix(URN) {
            let (issuer, subject) = rest.split_once(':')?;
            let part = |text| String::from_utf8(base64url::decode(text).ok()?).ok();
            return Self::issued(&part(issuer)?, &part(subject)?).ok();
        }
        Self::spiffe(text).ok()
    }
}

impl From<SpiffeId> for AgentId {
    fn from(id: SpiffeId) -> Self {
        Self(Form::Spiffe(id))
    }
}

impl FromStr for AgentId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text).ok_or_else(|| IdError {
            what: "agent id",
            want: "a SPIFFE ID with a path, or `urn:bailiwick:agent:` with issuer and subject",
            found: Found::new(text),
        })
    }
}

impl TryFrom<String> for AgentId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<AgentId> for String {
    fn from(id: AgentId) -> Self {
        id.as_str().to_owned()
    }
}

impl serde::Serialize for AgentId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for AgentId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed::<Self>::new("agent id"))
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentId({self})")
    }
}

/// A proven, registered, sponsored and active workload: the only execution root and the only principal.
///
/// Made by [`Authorizer::admit`](crate::Authorizer::admit) from a [`VerifiedWorkload`]. It stops being good for
/// anything when its proof expires or its agent is suspended; suspending and starting again does not revive it.
#[derive(Debug, Clone)]
pub struct AgentIdentity {
    workload: Arc<VerifiedWorkload>,
    /// Who answered for it when it was admitted.
    first: OperatorId,
    sponsors: Arc<Sponsors>,
    hold: Hold,
}

impl AgentIdentity {
    /// `None` without an active sponsor.
    pub(super) fn new(workload: VerifiedWorkload, sponsors: Arc<Sponsors>, hold: Hold) -> Option<Self> {
        let first = sponsors.answering()?.clone();
        Some(Self { workload: Arc::new(workload), first, sponsors, hold })
    }

    /// The workload's id.
    pub fn id(&self) -> &AgentId {
        self.workload.agent()
    }

    /// The person who answers for this agent now: the first of its sponsors who is active, whoever they were when it was
    /// admitted. When it has none any more, it is suspended. Confers no authority.
    pub fn sponsor(&self) -> &OperatorId {
        self.sponsors.answering().unwrap_or(&self.first)
    }

    /// How the workload was proven.
    pub fn method(&self) -> ProofMethod {
        self.workload.method()
    }

    /// The digest of the proof.
    pub fn proof(&self) -> &Digest {
        self.workload.digest()
    }

    /// When the proof ends, and everything that rests on it.
    pub fn until(&self) -> Timestamp {
        self.workload.until()
    }

    /// The key that the workload holds, if it proved one.
    pub fn key(&self) -> Option<&Thumbprint> {
        self.workload.key()
    }

    pub(crate) fn hold(&self) -> &Hold {
        &self.hold
    }
}
