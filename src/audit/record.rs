//! The records: what the operator is accountable for, what the agent did, and what was seen as the agent user.
//!
//! One event is up to three records. Each is complete alone, names the ids of the others, and joins the rest of its
//! task by the transaction id. Arguments appear only as a digest under a salt of the task.

use serde::Serialize;

use super::{Administered, LeaseFact};
use crate::canonical::Digest;
use crate::id::{ApprovalId, Audience, BootId, CredentialId, EventId, Prose, RecordId, TaskId, TransactionId};
use crate::identity::projection::Difference;
use crate::identity::{AgentId, AgentUserId, OperatorId, ProofMethod};
use crate::jose::Thumbprint;
use crate::mandate::{
    CeilingError, Evidence, Label, LedgerView, Mode, Resource, Standing, TaskState, ToolName, Tripped,
};
use crate::policy::{Outcome, Reason, Verdict};
use crate::time::Timestamp;

/// One event, as it happened to each of the parties that it concerns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// What a human is accountable for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<OperatorRecord>,
    /// What the agent did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentRecord>,
    /// What was seen as the agent user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_user: Option<AgentUserRecord>,
}

/// What every record has: its place, and its links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Link {
    /// The version of the format: 1.
    pub v: u8,
    /// This record.
    pub id: RecordId,
    /// The event that it is a part of.
    pub event: EventId,
    /// What joins all events of a task.
    pub txn: TransactionId,
    /// The task, if the event belongs to one.
    pub task: Option<TaskId>,
    /// The event's place in the order of this process, from 1. Time does not order records; this does.
    pub seq: u64,
    /// The time of the event.
    pub at: Timestamp,
    /// The start of the process that recorded it.
    pub boot: BootId,
    /// The operator's record of the same event.
    pub operator_record: Option<RecordId>,
    /// The agent's record of the same event.
    pub agent_record: Option<RecordId>,
    /// The agent user's record of the same event.
    pub agent_user_record: Option<RecordId>,
}

/// What a human is accountable for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OperatorRecord {
    /// Its place and its links.
    #[serde(flatten)]
    pub link: Link,
    /// Who.
    pub operator: OperatorId,
    /// What.
    #[serde(flatten)]
    pub fact: OperatorFact,
}

/// What happened, for the human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum OperatorFact {
    /// They approved a task.
    Approved {
        /// What for.
        purpose: Prose,
        /// Which approval.
        approval: ApprovalId,
        /// The digest of the approval.
        digest: Digest,
        /// How the consent is known.
        evidence: Evidence,
        /// Which agent.
        agent: AgentId,
    },
    /// An agent asked to act on their behalf.
    ActedFor {
        /// With which tool.
        tool: ToolName,
        /// On what.
        resource: Resource,
        /// What was decided.
        outcome: Outcome,
        /// They approved exactly this action.
        approved: Option<ApprovalId>,
    },
    /// They approved exactly one action, not on their behalf, and the decision rests on it: of several people the first, where
    /// the decision has no other, in its own event, the others each in one before it, of the same transaction.
    ApprovedAction {
        /// With which tool.
        tool: ToolName,
        /// On what.
        resource: Resource,
        /// Which approval.
        approval: ApprovalId,
        /// How the consent is known.
        evidence: Evidence,
    },
    /// They said no to exactly one action.
    Objected {
        /// With which tool.
        tool: ToolName,
        /// On what.
        resource: Resource,
        /// How it is known.
        evidence: Evidence,
    },
    /// What an agent was permitted to do on their behalf was refused after all.
    Voided {
        /// The decision that had permitted it.
        decision: EventId,
    },
    /// What an agent did on their behalf has had an effect.
    Done {
        /// The decision that permitted it.
        decision: EventId,
        /// The effect.
        effect: Effect,
    },
    /// They stopped, resumed, changed or replaced something.
    Administered(Administered),
    /// They did so behind broken glass.
    Emergency {
        /// Why they broke it.
        why: Prose,
        /// What they did.
        did: Administered,
    },
}

/// What the agent did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AgentRecord {
    /// Its place and its links.
    #[serde(flatten)]
    pub link: Link,
    /// Which agent: the execution root.
    pub agent: AgentId,
    /// What.
    #[serde(flatten)]
    pub fact: AgentFact,
}

/// What happened, for the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AgentFact {
    /// It was admitted.
    Admitted {
        /// How it was proven.
        proof: ProofMethod,
        /// The digest of the proof.
        digest: Digest,
        /// When the proof ends.
        until: Timestamp,
        /// Who answers for it.
        sponsor: OperatorId,
    },
    /// It was admitted with another key while a proof of it still held: it runs in two places, renewed its key, or
    /// somebody else has its name.
    AttestedElsewhere {
        /// The digest of the proof by which it was admitted now.
        digest: Digest,
        /// The key of that proof.
        key: Option<Thumbprint>,
        /// The other keys.
        others: Vec<Thumbprint>,
        /// When the last of their proofs ends.
        until: Timestamp,
    },
    /// It began a task.
    Begun {
        /// What for.
        purpose: Prose,
        /// The digest of the scope.
        scope: Digest,
        /// When the task ends.
        until: Timestamp,
        /// Who answers for the agent.
        sponsor: OperatorId,
        /// The task that it is a part of, where it was delegated.
        #[serde(skip_serializing_if = "Option::is_none")]
        parent: Option<TaskId>,
    },
    /// It is about to delegate a part of its task to another agent.
    Delegated {
        /// The other task, of the same transaction.
        child: TaskId,
        /// The other agent.
        to: AgentId,
        /// The digest of the other task's scope.
        scope: Digest,
        /// How many agents stand above the other one.
        depth: u8,
        /// When the other task ends.
        until: Timestamp,
    },
    /// An action was decided.
    Decided(Box<Decided>),
    /// A permit was refused when it was to be used.
    Voided {
        /// The decision that had permitted it.
        decision: EventId,
        /// Why it was refused.
        reason: Reason,
    },
    /// A credential is about to be handed out.
    Minted {
        /// The decision that permitted it.
        decision: EventId,
        /// Which credential.
        credential: CredentialId,
        /// For which service.
        audience: Audience,
        /// When it ends.
        until: Timestamp,
    },
    /// It gave a credential up before its end.
    Revoked {
        /// Which credential.
        credential: CredentialId,
    },
    /// Its host labelled the errand.
    Labelled {
        /// With what.
        label: Label,
    },
    /// Something happened to a credential of another system.
    Lease(LeaseFact),
    /// A permitted action has had an effect.
    Done {
        /// The decision that permitted it.
        decision: EventId,
        /// The effect.
        effect: Effect,
    },
    /// The task ended.
    Ended {
        /// How.
        state: TaskState,
        /// Actions that were permitted and not given back.
        calls: u32,
        /// Actions whose effect nobody told.
        unknown: u64,
    },
    /// It would have had more at once than it may: the task did not begin.
    BeyondCeiling {
        /// Of what.
        #[serde(flatten)]
        ceiling: CeilingError,
    },
    /// It was refused, or acted, too often: it is cut off for a while, in all its tasks.
    BreakerOpened {
        /// By what.
        #[serde(flatten)]
        by: Tripped,
        /// Until when.
        until: Timestamp,
    },
    /// A person stopped it, or changed who answers for it.
    Administered(Administered),
}

/// A decision, with what it was taken from.
///
/// It holds every fact that the verdict depends on besides the mandate, the policies and the arguments; the digests
/// say which those were. Deciding again needs them from the host, so a record alone is not replayable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Decided {
    /// With which tool.
    pub tool: ToolName,
    /// On what.
    pub resource: Resource,
    /// On whose errand.
    #[serde(flatten)]
    pub mode: Mode,
    /// The digest of the arguments, under the task's salt.
    pub arguments: Digest,
    /// The agent user that was presented.
    pub presented: Option<AgentUserId>,
    /// The approvals of exactly this action that came along.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ApprovalId>,
    /// Those of them that the verdict rests on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rests_on: Vec<ApprovalId>,
    /// What the rules said.
    pub verdict: Verdict,
    /// What held at that instant.
    pub standing: Standing,
    /// What the task had done before.
    pub ledger: LedgerView,
    /// The agent had not used the tool before, in whatever task, as far as this process knows.
    pub first_use: bool,
    /// When the task ends.
    pub until: Timestamp,
    /// Whether the record alone is enough to decide again: not while arguments are kept as a digest only.
    pub replayable: bool,
}

/// What was seen as the agent user. It says nothing of decisions: an agent user takes none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AgentUserRecord {
    /// Its place and its links.
    #[serde(flatten)]
    pub link: Link,
    /// Which agent user.
    pub agent_user: AgentUserId,
    /// Which agent is behind it.
    pub agent: AgentId,
    /// What.
    #[serde(flatten)]
    pub fact: AgentUserFact,
}

/// What happened, for the agent user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AgentUserFact {
    /// It was bound to its agent, for good.
    Bound,
    /// Its agent was stopped, or may work again, and so it is inactive, or active.
    Followed {
        /// Whether it is active from now on.
        active: bool,
    },
    /// The agent named it in an action.
    Named {
        /// With which tool.
        tool: ToolName,
        /// On what.
        resource: Resource,
    },
    /// An action ran under its name.
    Presented {
        /// The event in which the agent had named it.
        named: EventId,
        /// The effect.
        effect: Effect,
    },
    /// Its record in that system is not what it should be. The agent did nothing, and nothing changed for it.
    Drifted {
        /// What differs, the gravest first.
        differences: Vec<Difference>,
        /// How many differences more there were.
        left_out: usize,
    },
}

/// What an action did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Effect {
    /// What it was to do.
    Succeeded,
    /// Nothing, or not all.
    Failed,
    /// Nobody told.
    Unknown,
}
