//! Entitlement: whether a person could do themselves what is done on their behalf, and the seam through which that is asked.

use super::{Action, Arguments, Resource, ToolName};
use crate::canonical::Digest;
use crate::id::Found;
use crate::identity::OperatorId;
use crate::time::Timestamp;

/// What a person would do themselves: the action that an agent wants to take on their behalf, without the agent.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Deed<'d> {
    /// Who.
    pub operator: &'d OperatorId,
    /// With which tool.
    pub tool: &'d ToolName,
    /// On what.
    pub resource: &'d Resource,
    /// What the host knows of the resource.
    pub attributes: &'d Arguments,
    /// With which arguments. They fit the tool only where that was checked.
    pub arguments: &'d Arguments,
    /// When.
    pub now: Timestamp,
}

impl<'d> Deed<'d> {
    /// What this person would do at `now`, were the action theirs. Whose errand it is does not matter.
    pub fn of(operator: &'d OperatorId, action: &'d Action, now: Timestamp) -> Self {
        Self {
            operator,
            tool: action.tool(),
            resource: action.resource(),
            attributes: action.resource_attributes(),
            arguments: action.arguments(),
            now,
        }
    }
}

/// A person is not entitled, or it is not known whether they are. Both refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotEntitled {
    /// They may not do it.
    #[error("not entitled: {why}")]
    Refused {
        /// Why, for the operator's log.
        why: Found,
        /// The digest of what decided that.
        by: Digest,
    },
    /// It is not known: what would decide could not be asked, or failed.
    #[error("whether they are entitled is not known: {0}")]
    Unknown(Found),
}

/// Decides whether a person could do themselves what an agent is to do on their behalf: an agent with wide rights that serves a
/// person with narrow ones gets the narrow ones.
///
/// Asked before every decision about an action on somebody's behalf whose approval of the task stands, and again where its
/// permit is redeemed, minted or leased, where its lease is renewed and where its credential is
/// [accepted](crate::Authorizer::accept), so that what is withdrawn
/// meanwhile is withdrawn. Never asked about an autonomous action. It is asked on the thread that decides, which waits for it;
/// no lock of this crate is held meanwhile, and nothing else waits. An error refuses, and so does a panic.
///
/// An answer can only take away: whoever is entitled may still not have the agent do it. What comes with the crate is
/// [`Entitlements`](crate::policy::Entitlements), Cedar policies of their own; a host that has an entitlement system asks
/// that instead.
///
/// ```
/// use bailiwick::Digest;
/// use bailiwick::id::Found;
/// use bailiwick::mandate::{Deed, Entitlement, NotEntitled};
///
/// /// The finance department's list: who may send how much is decided there, in version 12 of it.
/// struct Signatories(Vec<String>);
///
/// impl Entitlement for Signatories {
///     fn check(&self, deed: &Deed<'_>) -> Result<Digest, NotEntitled> {
///         let by = Digest::of(b"signatories, version 12");
///         let is_listed = self.0.iter().any(|name| name == deed.operator.subject().as_str());
///         if deed.tool.as_str() != "money.send" || is_listed {
///             return Ok(by);
///         }
///         Err(NotEntitled::Refused { why: Found::new("no signatory"), by })
///     }
/// }
/// ```
pub trait Entitlement: Send + Sync {
    /// Whether the person may do this themselves; the digest of what decided that.
    ///
    /// # Errors
    ///
    /// They may not, or it is not known.
    fn check(&self, deed: &Deed<'_>) -> Result<Digest, NotEntitled>;
}

/// What was said of a person's own entitlement, as a decision takes it and its record has it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "said", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entitled {
    /// Nobody was asked: the action is autonomous or refused anyway, or the host decides nothing about people.
    NotAsked,
    /// They may do it themselves.
    Yes {
        /// The digest of what decided.
        by: Digest,
    },
    /// They may not.
    No {
        /// The digest of what decided.
        by: Digest,
        /// Why.
        why: Found,
    },
    /// It is not known whether they may, which refuses.
    Unknown {
        /// Why not.
        why: Found,
    },
}

impl From<Result<Digest, NotEntitled>> for Entitled {
    fn from(answer: Result<Digest, NotEntitled>) -> Self {
        match answer {
            Ok(by) => Self::Yes { by },
            Err(NotEntitled::Refused { why, by }) => Self::No { by, why },
            Err(NotEntitled::Unknown(why)) => Self::Unknown { why },
        }
    }
}

impl Entitled {
    /// Why the person's entitlement refuses, if it does.
    pub(crate) fn refusal(&self) -> Option<&Found> {
        match self {
            Self::NotAsked | Self::Yes { .. } => None,
            Self::No { why, .. } | Self::Unknown { why } => Some(why),
        }
    }
}
