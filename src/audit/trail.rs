//! The trail: turns a verdict and a reservation into a permit or a denial, once the record was taken.

use std::sync::Arc;
use std::time::Duration;

use super::execution::effect_lanes;
use super::{
    AgentFact, AgentRecord, AgentUserFact, AgentUserRecord, AuditError, AuditSink, Decided, Denial, Effect, Event,
    Link, OperatorFact, OperatorRecord, Permit,
};
use crate::entropy::{Entropy, draw};
use crate::id::{BootId, EventId, Found, RecordId, TaskId, TransactionId};
use crate::identity::{AgentId, AgentUserId, OperatorId};
use crate::live::shielded;
use crate::mandate::{
    Action, ActionRequest, Approval, ApprovalRequest, Assignment, LedgerView, LooseEnd, Missing, Mode, Opened,
    Reservation, Standing, Tool,
};
use crate::policy::{Outcome, Reason, Ruling, Verdict};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::time::{Steady, Timestamp};

/// How long a permit is good for.
const PERMIT_FOR: Duration = Duration::from_secs(30);

/// Random bytes of the ids of one event and up to three records.
const IDS: usize = 40;
/// Random bytes of the id of a transaction.
const TRANSACTION: usize = 16;

/// Writes records, in order.
pub(crate) struct Trail {
    sink: Arc<dyn AuditSink>,
    entropy: Arc<dyn Entropy>,
    clock: Steady,
    boot: BootId,
    seq: AtomicU64,
    deadline: Duration,
}

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trail").field("boot", &self.boot).field("seq", &self.seq).finish_non_exhaustive()
    }
}

/// What one event is to each party.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    pub(crate) operator: Option<(OperatorId, OperatorFact)>,
    pub(crate) agent: Option<(AgentId, AgentFact)>,
    /// With the agent behind it, which may have done nothing.
    pub(crate) agent_user: Option<(AgentUserId, AgentId, AgentUserFact)>,
}

/// A decision on its way to becoming a permit or a denial.
#[derive(Debug)]
pub(crate) struct Proposal<'a> {
    pub(crate) assignment: &'a Arc<Assignment>,
    pub(crate) action: &'a Action,
    pub(crate) tool: Option<&'a Tool>,
    pub(crate) request: ActionRequest,
    pub(crate) standing: Standing,
    pub(crate) ledger: LedgerView,
    pub(crate) verdict: Verdict,
    pub(crate) reservation: Option<Reservation>,
    /// What people approved of exactly this action, where the verdict rests on it.
    pub(crate) consent: Vec<Arc<Approval>>,
    /// How often breakers had opened before.
    pub(crate) openings: u64,
    /// What people are asked, where it is held.
    pub(crate) asked: Option<ApprovalRequest>,
    pub(crate) now: Timestamp,
}

impl Trail {
    pub(crate) fn new(
        sink: Arc<dyn AuditSink>,
        entropy: Arc<dyn Entropy>,
        clock: Steady,
        boot: BootId,
        deadline: Duration,
    ) -> Self {
        Self { sink, entropy, clock, boot, seq: AtomicU64::new(0), deadline }
    }

    pub(crate) fn clock(&self) -> &Steady {
        &self.clock
    }

    /// Records a decision, and only then makes a permit of it.
    pub(crate) fn settle(&self, mut proposal: Proposal<'_>) -> Result<Permit, Denial> {
        if proposal.verdict.outcome == Outcome::Permitted && (proposal.reservation.is_none() || proposal.tool.is_none())
        {
            // Unreachable, since the guard refuses both; were it reached, it would be a refusal.
            let ended = Reason::TaskEnded(proposal.assignment.state());
            proposal.verdict = proposal.verdict.refused(ended);
        }
        let lanes = decision_lanes(&proposal);
        let approvers = approver_lanes(&proposal, lanes.operator.as_ref().map(|(operator, _)| operator));
        let has_repeats = proposal.ledger.repeats > 0;
        let Proposal { assignment, action, tool, ledger, verdict, reservation, consent, openings, asked, now, .. } =
            proposal;
        let purpose = assignment.mandate().intent().purpose();
        let hold = |reason, event| Denial::new(reason, action, purpose, event);
        let refuse = |reason, event| {
            assignment.ledger().refuse();
            hold(reason, event)
        };
        let count = |denial: Denial| count_refusal(assignment, action, denial);
        let unrecorded = |error: AuditError| Reason::Audit(Found::new(&error.to_string()));
        // First, so that they stand before it.
        for lanes in approvers {
            let written = self.write(assignment.txn(), Some(assignment.task()), now, lanes);
            written.map_err(|error| count(refuse(unrecorded(error), None)))?;
        }
        let event = self.compose((assignment.txn(), Some(assignment.task())), now, lanes);
        let (decision, event) = event.map_err(|error| count(refuse(unrecorded(error), None)))?;
        if let Err(error) = self.deliver(&event) {
            if verdict.outcome == Outcome::Permitted {
                self.doubt(assignment, decision, action);
            }
            return Err(count(refuse(unrecorded(error), None)));
        }
        assignment.mandate().agent().hold().note_use(now);
        let last = now.after(PERMIT_FOR);
        match (verdict.outcome, verdict.reason, reservation, tool) {
            (Outcome::Permitted, None, Some(reservation), Some(tool)) => {
                if has_repeats {
                    assignment.ledger().note_permit(action);
                }
                Ok(Permit::new(
                    (Arc::clone(assignment), reservation),
                    decision,
                    (action.clone(), tool.clone()),
                    ledger,
                    verdict.policy_digest,
                    (consent, openings),
                    last,
                ))
            }
            (Outcome::Held, Some(reason), ..) => {
                let held = hold(reason, Some(decision)).held(asked);
                Err(count(held.with_ruling(verdict.policies, verdict.because, verdict.hidden)))
            }
            (_, reason, ..) => {
                let denial = refuse(reason.unwrap_or(Reason::NotPermitted), Some(decision));
                Err(count(denial.with_ruling(verdict.policies, verdict.because, verdict.hidden)))
            }
        }
    }

    /// Notes that a record may say *permitted* of what was not: put right when the task is closed.
    pub(crate) fn doubt(&self, assignment: &Assignment, decision: EventId, action: &Action) {
        // Where nothing can be left, the record stays on the side of having permitted too much.
        let _ = assignment.loose_ends().leave(LooseEnd::of(decision, action, Missing::Permit));
    }

    /// Records that a permit was refused when it was to be used.
    pub(crate) fn void(&self, permit: &Permit, ruling: impl Into<Box<Ruling>>) -> Denial {
        let Ruling { reason, policies, because, hidden } = *ruling.into();
        let (assignment, decision, action) = (permit.assignment(), *permit.decision(), permit.action());
        let lanes = void_lanes(assignment, decision, action.mode(), reason.clone());
        let event = self.write_for(assignment, lanes);
        assignment.ledger().refuse();
        self.watch(assignment, &reason);
        // Refused it is, whether or not that could be written.
        let purpose = assignment.mandate().intent().purpose();
        let denial = Denial::new(reason, action, purpose, event.ok()).with_ruling(policies, because, hidden);
        count_refusal(assignment, action, denial)
    }

    /// Tells the agent's breaker of a permit that was refused.
    fn watch(&self, assignment: &Assignment, reason: &Reason) {
        if reason.code().is_sign()
            && let Some(opened) = assignment.conduct().refuse(self.clock.latest())
        {
            self.opened(assignment, opened);
        }
    }

    /// Records that the breaker of a task's agent opened, which it does whether or not that is written.
    pub(crate) fn opened(&self, assignment: &Assignment, Opened { by, until }: Opened) {
        let agent = assignment.mandate().agent().id();
        tracing::warn!(%agent, ?by, %until, "the breaker of an agent opened");
        let agent = Some((agent.clone(), AgentFact::BreakerOpened { by, until }));
        let _ = self.write_for(assignment, Lanes { agent, ..Lanes::default() });
    }

    /// Records how a task ended, and its loose ends.
    pub(crate) fn close(&self, assignment: &Assignment) -> Result<u64, AuditError> {
        let ends = assignment.loose_ends();
        while let Some(end) = ends.close() {
            let lanes = match end.missing {
                Missing::Effect => effect_lanes(assignment, &end, Effect::Unknown),
                Missing::Permit => {
                    let reason = Reason::Audit(Found::new("nobody acknowledged the record of the decision"));
                    void_lanes(assignment, end.decision, &end.mode, reason)
                }
            };
            if let Err(error) = self.write_for(assignment, lanes) {
                ends.put_back(end);
                return Err(error);
            }
            if end.missing == Missing::Effect {
                ends.count_unknown();
            }
        }
        let unknown = ends.unknown();
        let fact = AgentFact::Ended { state: assignment.state(), calls: assignment.ledger().calls(), unknown };
        let agent = Some((assignment.mandate().agent().id().clone(), fact));
        self.write_for(assignment, Lanes { agent, ..Lanes::default() })?;
        Ok(unknown)
    }

    /// Writes an event of a task, at the time that it is.
    pub(crate) fn write_for(&self, assignment: &Assignment, lanes: Lanes) -> Result<EventId, AuditError> {
        let now = self.clock.now().unwrap_or_else(|_| self.clock.latest());
        self.write(assignment.txn(), Some(assignment.task()), now, lanes)
    }

    /// Writes one event and waits until it was taken.
    pub(crate) fn write(
        &self,
        txn: &TransactionId,
        task: Option<&TaskId>,
        at: Timestamp,
        lanes: Lanes,
    ) -> Result<EventId, AuditError> {
        let (id, event) = self.compose((txn, task), at, lanes)?;
        self.deliver(&event)?;
        Ok(id)
    }

    /// Writes one event that belongs to no task, in a transaction of its own, and waits until it was taken.
    pub(crate) fn write_alone(&self, at: Timestamp, lanes: Lanes) -> Result<(), AuditError> {
        let bits: [u8; TRANSACTION + IDS] = draw(self.entropy.as_ref()).map_err(|_| AuditError::NoId)?;
        let (txn, ids) = bits.split_at(TRANSACTION);
        let (_, event) = self.stamp((&TransactionId::of(txn), None), at, lanes, ids)?;
        self.deliver(&event)
    }

    /// Hands an event to the sink and waits until it was taken.
    fn deliver(&self, event: &Event) -> Result<(), AuditError> {
        shielded(|| self.sink.record(event)).ok_or(AuditError::Panicked)?.wait(self.deadline)
    }

    /// Makes the records of one event, with their ids and links.
    fn compose(
        &self,
        within: (&TransactionId, Option<&TaskId>),
        at: Timestamp,
        lanes: Lanes,
    ) -> Result<(EventId, Event), AuditError> {
        // Drawn at once: asking the system takes longer than everything else here.
        let bits: [u8; IDS] = draw(self.entropy.as_ref()).map_err(|_| AuditError::NoId)?;
        self.stamp(within, at, lanes, &bits)
    }

    /// The same, with the random bits of its ids.
    fn stamp(
        &self,
        (txn, task): (&TransactionId, Option<&TaskId>),
        at: Timestamp,
        lanes: Lanes,
        bits: &[u8],
    ) -> Result<(EventId, Event), AuditError> {
        let mut bits = bits.as_chunks().0.iter();
        let mut next = || bits.next().ok_or(AuditError::NoId);
        let event = EventId::of(next()?, at);
        let mut id = |wanted: bool| next().map(|bits| wanted.then(|| RecordId::of(bits, at)));
        let operator_record = id(lanes.operator.is_some())?;
        let agent_record = id(lanes.agent.is_some())?;
        let agent_user_record = id(lanes.agent_user.is_some())?;
        let count = |seq: u64| seq.checked_add(1);
        let before = self.seq.fetch_update(Ordering::AcqRel, Ordering::Acquire, count).map_err(|_| AuditError::NoId)?;
        let link = |id: Option<RecordId>| {
            id.map(|id| Link {
                v: 1,
                id,
                event,
                txn: txn.clone(),
                task: task.cloned(),
                seq: before.saturating_add(1),
                at,
                boot: self.boot,
                operator_record,
                agent_record,
                agent_user_record,
            })
        };
        let operator = link(operator_record).zip(lanes.operator);
        let agent = link(agent_record).zip(lanes.agent);
        let agent_user = link(agent_user_record).zip(lanes.agent_user);
        let composed = Event {
            operator: operator.map(|(link, (operator, fact))| OperatorRecord { link, operator, fact }),
            agent: agent.map(|(link, (agent, fact))| AgentRecord { link, agent, fact }),
            agent_user: agent_user.map(|(link, (agent_user, agent, fact))| AgentUserRecord {
                link,
                agent_user,
                agent,
                fact,
            }),
        };
        Ok((event, composed))
    }
}

/// Notes what the model is told of an action, and tells it how often that was.
fn count_refusal(assignment: &Assignment, action: &Action, denial: Denial) -> Denial {
    let times = assignment.ledger().note_refusal(action, denial.for_model().code().as_str());
    denial.told(times)
}

/// The lanes of a permit that was refused.
fn void_lanes(assignment: &Assignment, decision: EventId, mode: &Mode, reason: Reason) -> Lanes {
    Lanes {
        operator: mode.operator().map(|operator| (operator.clone(), OperatorFact::Voided { decision })),
        agent: Some((assignment.mandate().agent().id().clone(), AgentFact::Voided { decision, reason })),
        agent_user: None,
    }
}

/// The three lanes of a decision.
fn decision_lanes(proposal: &Proposal<'_>) -> Lanes {
    let Proposal { assignment, action, request, standing, ledger, verdict, .. } = proposal;
    let (tool, resource) = (action.tool().clone(), action.resource().clone());
    let id = |approval: &Arc<Approval>| approval.id().clone();
    let consent = &proposal.consent;
    let presented = action.presented().map(|user| user.id().clone());
    let acted = OperatorFact::ActedFor {
        tool: tool.clone(),
        resource: resource.clone(),
        outcome: verdict.outcome,
        approved: consent.iter().find(|one| action.mode().operator() == Some(one.operator())).map(id),
    };
    let named = AgentUserFact::Named { tool: tool.clone(), resource: resource.clone() };
    let decided = Decided {
        tool,
        resource,
        mode: action.mode().clone(),
        arguments: *request.arguments(),
        presented: presented.clone(),
        approvals: action.approvals().iter().map(id).collect(),
        rests_on: consent.iter().map(id).collect(),
        verdict: verdict.clone(),
        standing: standing.clone(),
        ledger: ledger.clone(),
        first_use: !assignment.conduct().has_used(action.tool()),
        until: assignment.until(),
        replayable: false,
    };
    let agent = assignment.mandate().agent();
    // Another agent's user record is a claim, not a fact: it stays in the agent's lane, as what was asked.
    let own = action.presented().is_some_and(|user| user.is_of(agent));
    let operator = match (action.mode().operator(), consent.first()) {
        (Some(operator), _) => Some((operator.clone(), acted)),
        (None, Some(approval)) => Some(approved_action(action, approval)),
        (None, None) => None,
    };
    Lanes {
        operator,
        agent: Some((agent.id().clone(), AgentFact::Decided(Box::new(decided)))),
        agent_user: presented.filter(|_| own).map(|user| (user, agent.id().clone(), named)),
    }
}

/// What the people are told whose approval a permit rests on, beside the one of whom the decision itself tells.
fn approver_lanes(proposal: &Proposal<'_>, told: Option<&OperatorId>) -> Vec<Lanes> {
    let others = proposal.consent.iter().filter(|approval| Some(approval.operator()) != told);
    let told = others.map(|approval| Some(approved_action(proposal.action, approval)));
    told.map(|operator| Lanes { operator, ..Lanes::default() }).collect()
}

fn approved_action(action: &Action, approval: &Approval) -> (OperatorId, OperatorFact) {
    let approved = OperatorFact::ApprovedAction {
        tool: action.tool().clone(),
        resource: action.resource().clone(),
        approval: approval.id().clone(),
        evidence: *approval.evidence(),
    };
    (approval.operator().clone(), approved)
}
