//! Handles: which of a system's are for agents, which are people's, and that no two are the same.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AgentId, AgentUserId, Handle, RegistryError, SystemName};
use crate::id::{Found, IdError, made_of};
use crate::strict::{Object, present};

/// Handles of one system that are for agents: those that begin, or end, in a way that no person's does.
///
/// Where it meets the rest of the handle it has a character that is neither letter nor digit: `-bot` is for agents,
/// `bot` would be for `talbot` as well. As systems do, it overlooks case.
///
/// ```
/// use bailiwick::identity::Namespace;
///
/// let bots = Namespace::suffix("jira.acme.example", "-bot")?;
/// assert_eq!(bots.to_string(), "jira.acme.example/…-bot");
/// let mail = Namespace::suffix("mail.acme.example", "@agents.acme.example")?;
/// let chat = Namespace::prefix("chat.acme.example", "agent.")?;
/// assert!(Namespace::suffix("jira.acme.example", "bot").is_err());
/// # Ok::<(), bailiwick::id::IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Object<Written>", into = "Written")]
pub struct Namespace {
    system: SystemName,
    affix: Affix,
}

/// In lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Affix {
    Prefix(Box<str>),
    Suffix(Box<str>),
}

/// The JSON of a [`Namespace`]: its system, and `prefix` or `suffix`.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Namespace", deny_unknown_fields)]
struct Written {
    system: SystemName,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    suffix: Option<String>,
}

impl TryFrom<Object<Written>> for Namespace {
    type Error = String;
    fn try_from(Object(written): Object<Written>) -> Result<Self, String> {
        let Written { system, prefix, suffix } = written;
        let read = match (prefix, suffix) {
            (Some(prefix), None) => Self::prefix(system.as_str(), &prefix),
            (None, Some(suffix)) => Self::suffix(system.as_str(), &suffix),
            _ => return Err("a namespace has a `prefix` or a `suffix`".to_owned()),
        };
        read.map_err(|error| error.to_string())
    }
}

impl From<Namespace> for Written {
    fn from(Namespace { system, affix }: Namespace) -> Self {
        match affix {
            Affix::Prefix(prefix) => Self { system, prefix: Some(prefix.into()), suffix: None },
            Affix::Suffix(suffix) => Self { system, prefix: None, suffix: Some(suffix.into()) },
        }
    }
}

impl Namespace {
    /// The handles of `system` that begin with `prefix`, and are longer.
    ///
    /// # Errors
    ///
    /// `system` is not the name of one, or `prefix` is not 2 to 64 characters of a handle, one of them a letter or digit,
    /// and the last one neither.
    pub fn prefix(system: &str, prefix: &str) -> Result<Self, IdError> {
        let (system, meets) = (SystemName::new(system)?, prefix.bytes().next_back());
        Ok(Self { system, affix: Affix::Prefix(affix(prefix, meets)?) })
    }

    /// The handles of `system` that end with `suffix`, and are longer.
    ///
    /// # Errors
    ///
    /// `system` is not the name of one, or `suffix` is not 2 to 64 characters of a handle, one of them a letter or digit,
    /// and the first one neither.
    pub fn suffix(system: &str, suffix: &str) -> Result<Self, IdError> {
        let (system, meets) = (SystemName::new(system)?, suffix.bytes().next());
        Ok(Self { system, affix: Affix::Suffix(affix(suffix, meets)?) })
    }

    /// The system.
    pub fn system(&self) -> &SystemName {
        &self.system
    }

    /// Whether this handle of this system is in it.
    pub fn holds(&self, user: &AgentUserId) -> bool {
        let handle = user.handle().as_str().to_ascii_lowercase();
        let rest = match &self.affix {
            Affix::Prefix(prefix) => handle.strip_prefix(&**prefix),
            Affix::Suffix(suffix) => handle.strip_suffix(&**suffix),
        };
        self.system == *user.system() && rest.is_some_and(|rest| !rest.is_empty())
    }
}

fn affix(text: &str, meets: Option<u8>) -> Result<Box<str>, IdError> {
    let of_handle = made_of(text, 64, |b| b.is_ascii_graphic() && b != b'/');
    let apart = meets.is_some_and(|b| !b.is_ascii_alphanumeric());
    if of_handle && apart && text.bytes().any(|b| b.is_ascii_alphanumeric()) {
        return Ok(text.to_ascii_lowercase().into());
    }
    Err(IdError {
        what: "namespace",
        want: "2 to 64 printable ASCII characters without spaces and `/`, and neither letter nor digit where they meet the rest of the handle",
        found: Found::new(text),
    })
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.affix {
            Affix::Prefix(prefix) => write!(f, "{}/{prefix}…", self.system),
            Affix::Suffix(suffix) => write!(f, "{}/…{suffix}", self.system),
        }
    }
}

/// A handle is not one for this agent user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// It is in none of the namespaces that the host declared for agents.
    #[error("the handle of {user} is in no namespace for agents, of which its system has {}", Listed(.declared))]
    OutsideNamespaces {
        /// The agent user that was asked for.
        user: AgentUserId,
        /// What is declared for its system.
        declared: Vec<Namespace>,
    },
    /// A person has it, or one that differs only in case.
    #[error("the handle of {0} is a person's")]
    OfPerson(AgentUserId),
    /// An agent user has it.
    #[error("the handle of {asked} is that of the agent user {taken}")]
    OfAgentUser {
        /// The record that was asked for.
        asked: AgentUserId,
        /// The agent user, which may differ in case.
        taken: AgentUserId,
    },
    /// The agent user was not bound by this registry.
    #[error("the agent user {0} is not bound in this registry")]
    NotBound(AgentUserId),
}

struct Listed<'a>(&'a [Namespace]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<_> = self.0.iter().take(8).map(ToString::to_string).collect();
        match shown.as_slice() {
            [] => f.write_str("none"),
            shown => write!(f, "`{}`", shown.join("`, `")),
        }
    }
}

/// Every handle that is known, with whose it is.
#[derive(Debug, Default)]
pub(super) struct Handles {
    namespaces: BTreeSet<Namespace>,
    /// By system and handle in lower case.
    taken: BTreeMap<Box<str>, Owner>,
}

#[derive(Debug)]
enum Owner {
    /// A person's, as it was written first.
    Person(AgentUserId),
    Agent(AgentUserId, AgentId),
}

impl Handles {
    pub(super) fn declare(&mut self, namespace: Namespace) {
        self.namespaces.insert(namespace);
    }

    /// Whether any handle of this system is for agents.
    pub(super) fn is_declared(&self, system: &SystemName) -> bool {
        self.namespaces.iter().any(|namespace| namespace.system == *system)
    }

    /// Keeps a handle for a person.
    pub(super) fn reserve(&mut self, system: &SystemName, handle: &Handle) -> Result<(), HandleError> {
        let asked = AgentUserId::of(system.clone(), handle.clone());
        match self.taken.entry(folded(&asked)) {
            Entry::Vacant(place) => {
                place.insert(Owner::Person(asked));
                Ok(())
            }
            Entry::Occupied(taken) => match taken.get() {
                Owner::Person(_) => Ok(()),
                Owner::Agent(taken, _) => Err(HandleError::OfAgentUser { asked, taken: taken.clone() }),
            },
        }
    }

    /// Checks that this agent may have this handle, or has it.
    pub(super) fn check(&self, user: &AgentUserId, agent: &AgentId) -> Result<(), RegistryError> {
        match self.taken.get(&folded(user)) {
            Some(Owner::Person(_)) => Err(HandleError::OfPerson(user.clone()).into()),
            Some(Owner::Agent(taken, bound)) if taken == user && bound == agent => Ok(()),
            Some(Owner::Agent(taken, bound)) if taken == user => {
                Err(RegistryError::UserHasAgent { user: user.clone(), bound: bound.clone(), asked: agent.clone() })
            }
            Some(Owner::Agent(taken, _)) => {
                Err(HandleError::OfAgentUser { asked: user.clone(), taken: taken.clone() }.into())
            }
            None if self.namespaces.iter().any(|namespace| namespace.holds(user)) => Ok(()),
            None => {
                let of_system = |namespace: &&Namespace| namespace.system == *user.system();
                let declared = self.namespaces.iter().filter(of_system).cloned().collect();
                Err(HandleError::OutsideNamespaces { user: user.clone(), declared }.into())
            }
        }
    }

    pub(super) fn take(&mut self, user: AgentUserId, agent: AgentId) {
        self.taken.insert(folded(&user), Owner::Agent(user, agent));
    }

    /// The namespaces that are declared, in order.
    pub(super) fn declared(&self) -> impl Iterator<Item = &Namespace> {
        self.namespaces.iter()
    }

    /// The handles that are kept for people, in order.
    pub(super) fn reserved(&self) -> impl Iterator<Item = &AgentUserId> {
        self.taken.values().filter_map(|owner| if let Owner::Person(handle) = owner { Some(handle) } else { None })
    }

    /// Whose agent's this handle is, in whatever case.
    pub(super) fn agent(&self, user: &AgentUserId) -> Option<&AgentId> {
        match self.taken.get(&folded(user))? {
            Owner::Person(_) => None,
            Owner::Agent(_, agent) => Some(agent),
        }
    }
}

fn folded(user: &AgentUserId) -> Box<str> {
    user.as_str().to_ascii_lowercase().into()
}
