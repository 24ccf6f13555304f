//! The class of an action: how much is at stake.

use std::fmt;

/// How much is at stake, in rising order. From [`Irreversible`](Self::Irreversible) on, a human approves the exact
/// action unless the scope that they approved says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ActionClass {
    /// Changes nothing.
    Read,
    /// Changes something that can be changed back.
    Write,
    /// Changes something for good.
    Irreversible,
    /// Binds somebody towards others: money, contracts, messages in their name.
    ExternalCommitment,
    /// Changes who may do what. A tool that does not say its class counts as this.
    Privileged,
}

impl ActionClass {
    /// Every class, in rising order.
    pub const ALL: [Self; 5] =
        [Self::Read, Self::Write, Self::Irreversible, Self::ExternalCommitment, Self::Privileged];

    /// The name in records and policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Irreversible => "irreversible",
            Self::ExternalCommitment => "external_commitment",
            Self::Privileged => "privileged",
        }
    }

    /// Whether a human approves the exact action.
    pub fn is_high_consequence(self) -> bool {
        self >= Self::Irreversible
    }

    /// The class of what does not say its class.
    pub(crate) fn unsaid() -> Self {
        Self::Privileged
    }
}

impl fmt::Display for ActionClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
