//! The states of an agent's and an operator's life.

/// The life of an agent. There is no way back from *retired*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AgentState {
    /// It may be admitted.
    Active,
    /// It is stopped for now; nothing that it held comes back when it is active again.
    Suspended,
    /// It is stopped for good, and its id is never used again.
    Retired,
}

impl AgentState {
    /// The name in records and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Retired => "retired",
        }
    }
}

/// The life of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OperatorState {
    /// May approve and sponsor.
    Active,
    /// Has left; the id is never used again.
    Offboarded,
}

impl OperatorState {
    /// The name in records and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Offboarded => "offboarded",
        }
    }
}
