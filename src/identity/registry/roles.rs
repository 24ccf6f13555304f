//! The people behind an agent: in which role, and who of them answers for it now.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::identity::OperatorId;
use crate::live::Hold;

/// In which way a person answers for an agent. One person can have several roles; none of them lets anybody act as the
/// agent, or adds to what it may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountabilityRole {
    /// Answers for why the agent exists and what it does. Every active agent has an active one.
    Sponsor,
    /// Answers for how it is set up.
    Owner,
    /// Answers for what is done with it from day to day, as a line manager does for people.
    Manager,
}

impl AccountabilityRole {
    /// Every role.
    pub const ALL: &'static [Self] = &[Self::Sponsor, Self::Owner, Self::Manager];

    /// The name in records, policies and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sponsor => "sponsor",
            Self::Owner => "owner",
            Self::Manager => "manager",
        }
    }
}

impl fmt::Display for AccountabilityRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The sponsors of an agent at one time, in order, and those of the time after it. Whoever holds one finds the newest,
/// without a lock.
#[derive(Debug, Default)]
pub(in crate::identity) struct Sponsors {
    people: Box<[(OperatorId, Hold)]>,
    next: OnceLock<Arc<Sponsors>>,
}

impl Sponsors {
    pub(super) fn new(mut people: Vec<(OperatorId, Hold)>) -> Arc<Self> {
        people.sort_by(|(one, _), (other, _)| one.cmp(other));
        Arc::new(Self { people: people.into(), next: OnceLock::new() })
    }

    /// These come after `before`.
    pub(super) fn follow(self: Arc<Self>, before: &Self) -> Arc<Self> {
        // It is set once for each, under the registry's lock.
        let _ = before.next.set(Arc::clone(&self));
        self
    }

    /// The newest.
    fn newest(&self) -> &Self {
        std::iter::successors(Some(self), |own| own.next.get().map(Arc::as_ref)).last().unwrap_or(self)
    }

    /// The first sponsor, as of now, who has not left.
    pub(in crate::identity) fn answering(&self) -> Option<&OperatorId> {
        self.newest().people.iter().find(|(_, life)| life.is_alive()).map(|(sponsor, _)| sponsor)
    }

    /// Those of this time.
    pub(super) fn people(&self) -> &[(OperatorId, Hold)] {
        &self.people
    }
}

impl Drop for Sponsors {
    /// One after the other: many changes must not need much stack.
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(mut last) = next.and_then(Arc::into_inner) {
            next = last.next.take();
        }
    }
}
