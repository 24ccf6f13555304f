//! Administered: what a person did to the running of things, as it is recorded.

use serde::Serialize;

use super::AgentUserFact;
use crate::canonical::Digest;
use crate::id::{ApprovalId, Prose};
use crate::identity::{AccountabilityRole, AgentId, AgentUserId, BlueprintId, Ended, OperatorId, ProofMethod};
use crate::mandate::Evidence;
use crate::policy::AdminAction;
use crate::time::Timestamp;

/// What a person did to the running of things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "administered", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Administered {
    /// All agents.
    Everything,
    /// What was stopped for all agents goes on, for new tasks.
    Resumed,
    /// What was to go on was stopped again meanwhile: it stays stopped.
    NotResumed,
    /// All agents of a blueprint.
    Blueprint {
        /// Which.
        blueprint: BlueprintId,
    },
    /// What was stopped for all agents of a blueprint goes on, for new tasks.
    BlueprintResumed {
        /// Which.
        blueprint: BlueprintId,
    },
    /// A blueprint that was to go on was stopped again meanwhile: it stays stopped.
    BlueprintNotResumed {
        /// Which.
        blueprint: BlueprintId,
    },
    /// The breaker of an agent lets one action try.
    BreakerReset,
    /// One task.
    Task,
    /// An agent, for now.
    Suspended {
        /// What was under way.
        ended: Ended,
    },
    /// An agent, for good.
    Retired {
        /// What was under way.
        ended: Ended,
    },
    /// An agent may be admitted again.
    Reinstated {
        /// How it was proven anew.
        proof: ProofMethod,
        /// The digest of that proof.
        digest: Digest,
        /// Who approved.
        approver: OperatorId,
        /// Which approval.
        approval: ApprovalId,
        /// How the consent is known.
        evidence: Evidence,
    },
    /// A person is known.
    Enrolled {
        /// Who.
        person: OperatorId,
    },
    /// A person will leave, or will not after all.
    Leaving {
        /// Who.
        person: OperatorId,
        /// When.
        leaves: Option<Timestamp>,
    },
    /// An operator left, and these agents are suspended for want of a sponsor.
    Offboarded {
        /// Who left.
        left: OperatorId,
        /// The agents that have no active sponsor any more.
        suspended: Vec<AgentId>,
        /// What was under way.
        ended: Ended,
    },
    /// An agent is known.
    Registered {
        /// Who answers for it.
        sponsors: Vec<OperatorId>,
        /// What it was made from.
        #[serde(skip_serializing_if = "Option::is_none")]
        blueprint: Option<BlueprintId>,
    },
    /// A person has a role in the life of an agent.
    Assigned {
        /// Which role.
        role: AccountabilityRole,
        /// Who.
        person: OperatorId,
    },
    /// A person has it no more.
    Withdrawn {
        /// Which role.
        role: AccountabilityRole,
        /// Who.
        person: OperatorId,
        /// Nobody else sponsors the agent, and so it is suspended.
        suspended: bool,
        /// What was under way.
        ended: Ended,
    },
    /// One sponsor handed over to another.
    Transferred {
        /// Who.
        from: OperatorId,
        /// To whom.
        to: OperatorId,
    },
    /// An agent is seen through an agent user.
    Bound {
        /// Which agent user.
        agent_user: AgentUserId,
    },
    /// New policies decide.
    Policies {
        /// Their digest.
        digest: Digest,
    },
    /// Other policies decide what people may do themselves.
    Entitlements {
        /// Their digest.
        digest: Digest,
    },
    /// The glass was broken: until then this person may stop and resume without further leave.
    GlassBroken {
        /// Why.
        why: Prose,
        /// Until when.
        until: Timestamp,
    },
    /// What was recorded before was not done: something else came first.
    NotDone {
        /// What.
        action: AdminAction,
    },
}

impl Administered {
    /// What it is to the agent user of the agent that it was done to, if anything.
    pub(crate) fn seen(&self) -> Option<AgentUserFact> {
        match self {
            Self::Bound { .. } => Some(AgentUserFact::Bound),
            Self::Suspended { .. }
            | Self::Retired { .. }
            | Self::Offboarded { .. }
            | Self::Withdrawn { suspended: true, .. } => Some(AgentUserFact::Followed { active: false }),
            Self::Reinstated { .. } => Some(AgentUserFact::Followed { active: true }),
            _ => None,
        }
    }
}
