//! The agent user: a user-shaped record for systems that insist on a user. Never a security subject.

use std::fmt;

use super::{AgentId, AgentIdentity};
use crate::id::{IdError, Pair, made_of, text};
use crate::live::Hold;

text! {
    /// A system that keeps users, for instance `jira.acme.example`.
    SystemName, "system name", "1 to 128 characters of a-z, 0-9, `.` and `-`",
    |text| made_of(text, 128, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'))
}

text! {
    /// The name of a user in one system, as that system writes it.
    Handle, "handle", "1 to 128 printable ASCII characters without spaces and `/`",
    |text| made_of(text, 128, |b| b.is_ascii_graphic() && b != b'/')
}

/// Names a user record: the system that keeps it, and its handle there.
///
/// ```
/// use bailiwick::identity::AgentUserId;
///
/// let user = AgentUserId::new("jira.acme.example", "invoice-bot")?;
/// assert_eq!(user.to_string(), "jira.acme.example/invoice-bot");
/// # Ok::<(), bailiwick::id::IdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct AgentUserId(Pair<SystemName, Handle>);

/// The JSON of an [`AgentUserId`].
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "AgentUserId", deny_unknown_fields)]
struct Written {
    system: SystemName,
    handle: Handle,
}

impl AgentUserId {
    /// Parses system and handle.
    ///
    /// # Errors
    ///
    /// Either is not valid; see [`SystemName`] and [`Handle`].
    pub fn new(system: &str, handle: &str) -> Result<Self, IdError> {
        Ok(Self::of(SystemName::new(system)?, Handle::new(handle)?))
    }

    /// The system that keeps the record.
    pub fn system(&self) -> &SystemName {
        self.0.first()
    }

    /// The name in that system.
    pub fn handle(&self) -> &Handle {
        self.0.second()
    }

    /// System, `/`, handle: unambiguous, since neither has a `/`.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn of(system: SystemName, handle: Handle) -> Self {
        Self(Pair::new(system, handle, |system, handle| format!("{system}/{handle}")))
    }
}

impl From<Written> for AgentUserId {
    fn from(Written { system, handle }: Written) -> Self {
        Self::of(system, handle)
    }
}

impl From<AgentUserId> for Written {
    fn from(id: AgentUserId) -> Self {
        Self { system: id.system().clone(), handle: id.handle().clone() }
    }
}

impl fmt::Display for AgentUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AgentUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentUserId({self})")
    }
}

/// The user record through which one agent is seen by systems that know only users.
///
/// Made by [`Registry::bind`](super::Registry::bind), once per agent, and never bound to another. It has no
/// credential and no sign-in, and presenting it adds no authority. What other systems are shown of it is a
/// [`projection`](super::projection).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentUser {
    id: AgentUserId,
    agent: AgentId,
    /// The agent's life: what the registry that made the binding knows the agent by.
    life: Hold,
}

impl AgentUser {
    pub(super) fn new(id: AgentUserId, agent: AgentId, life: Hold) -> Self {
        Self { id, agent, life }
    }

    /// Whether it was bound to this agent by the registry that admitted it.
    pub(crate) fn is_of(&self, agent: &AgentIdentity) -> bool {
        self.agent == *agent.id() && self.life.is_of(agent.hold())
    }

    /// Whether both are the same binding, in whatever life of the agent.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.id == other.id && self.agent == other.agent && self.life.is_of(&other.life)
    }

    /// The record's id.
    pub fn id(&self) -> &AgentUserId {
        &self.id
    }

    /// The agent that is seen through it.
    pub fn agent(&self) -> &AgentId {
        &self.agent
    }
}
