//! Legacy surfaces: what a system accepts of those who act in it, and how an agent acts there without posing as a person.

use std::fmt;

use crate::identity::{Registry, SystemName};

/// What a system accepts of those who act in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Accepts {
    /// It looks at the credential alone, and wants no user.
    Nothing,
    /// Accounts that are no people: service accounts, application registrations.
    ServiceAccount,
    /// A record of a user, which may say that it is an agent's (SCIM `userType`).
    Record,
    /// People alone: what it keeps cannot say that it is an agent's.
    Person,
}

impl Accepts {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::ServiceAccount, Self::Record, Self::Person];
}

/// What a host does so that an agent can act in a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Strategy {
    /// The agent comes with its own credential, and there is no user.
    WithoutUser,
    /// The system's own account of the agent, which is no user.
    ServiceAccount,
    /// The agent user, provisioned as a [`ScimUser`](super::ScimUser).
    Record,
    /// The agent user, which nothing but its handle and its display name tells from a person's.
    MarkedRecord,
    /// The agent does not act there: it prepares, and a person acts. Nothing would tell its record from a person's.
    ByAPerson,
}

impl Strategy {
    /// Whether the agent is seen as an agent user, which its actions there present.
    pub fn presents_user(self) -> bool {
        matches!(self, Self::Record | Self::MarkedRecord)
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WithoutUser => "no user: the agent's own credential",
            Self::ServiceAccount => "a service account of the agent",
            Self::Record => "the agent user, as a record that says so",
            Self::MarkedRecord => "the agent user, told by its handle and its display name",
            Self::ByAPerson => "not by the agent: a person acts",
        })
    }
}

/// A system as a host declares it: what it accepts of those who act in it.
///
/// ```
/// use bailiwick::identity::projection::{Accepts, LegacySurface, Strategy};
/// use bailiwick::identity::{Namespace, Registry};
///
/// let payroll = LegacySurface::new("payroll.acme.example".parse()?, [Accepts::Person]);
/// let registry = Registry::new();
/// assert_eq!(payroll.strategy(&registry), Strategy::ByAPerson);
/// registry.declare(Namespace::suffix("payroll.acme.example", "-bot")?);
/// assert_eq!(payroll.strategy(&registry), Strategy::MarkedRecord);
/// # Ok::<(), bailiwick::id::IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacySurface {
    system: SystemName,
    /// What it accepts that tells most of who acts; nothing, if it accepts nobody.
    accepts: Option<Accepts>,
}

impl LegacySurface {
    /// The system, and everything that it accepts.
    pub fn new(system: SystemName, accepts: impl IntoIterator<Item = Accepts>) -> Self {
        Self { system, accepts: accepts.into_iter().min() }
    }

    /// The system.
    pub fn system(&self) -> &SystemName {
        &self.system
    }

    /// How an agent acts there: without a user where that goes, else as what says most clearly that it is an agent, and
    /// never as a person. A record needs a handle, and so a [`Namespace`](crate::identity::Namespace) that the registry
    /// was told of.
    pub fn strategy(&self, registry: &Registry) -> Strategy {
        let marked = || registry.is_declared(&self.system);
        match self.accepts {
            Some(Accepts::Nothing) => Strategy::WithoutUser,
            Some(Accepts::ServiceAccount) => Strategy::ServiceAccount,
            Some(Accepts::Record) if marked() => Strategy::Record,
            Some(Accepts::Person) if marked() => Strategy::MarkedRecord,
            Some(Accepts::Record | Accepts::Person) | None => Strategy::ByAPerson,
        }
    }
}
