//! Asking people: a decision that rests on what they approved uses that up, and one that is held takes a place among what waits.

use std::sync::Arc;

use crate::audit::{Denial, Lanes, OperatorFact, Permit};
use crate::error::Error;
use crate::id::TaskId;
use crate::identity::OperatorId;
use crate::mandate::{Action, ActionRequest, Approval, ApprovalRequest, LedgerView, Objection, Standing};
use crate::policy::{Outcome, Reason, Verdict};
use crate::task::TaskHandle;
use crate::time::Timestamp;

/// A person's no was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectionError {
    /// It is about another task.
    #[error("the objection is to an action of the task {found}, not of {task}")]
    OtherTask {
        /// The task.
        task: TaskId,
        /// The other.
        found: TaskId,
    },
    /// It is not theirs to say.
    #[error("the operator {0} may not answer for actions of the task, or is not active")]
    NotTheirs(OperatorId),
    /// Nobody was asked for this action.
    #[error("nobody was asked for this action")]
    NotAsked,
    /// It was given in a session that is over.
    #[error("the objection of the operator {operator} cannot be presented at {now}")]
    Over {
        /// Whose.
        operator: OperatorId,
        /// The time now.
        now: Timestamp,
    },
}

/// A decision, with what it was taken from and what it uses up.
pub(crate) struct Weighed {
    pub(crate) standing: Standing,
    pub(crate) ledger: LedgerView,
    pub(crate) verdict: Verdict,
    /// What people approved, used up, where the verdict rests on it.
    pub(crate) consent: Vec<Arc<Approval>>,
    /// What people are asked, where it is held.
    pub(crate) asked: Option<ApprovalRequest>,
    /// Whether it is asked for the first time.
    pub(crate) is_new: bool,
}

impl TaskHandle {
    /// Decides, and uses up the approvals that the verdict rests on: all of them or none. What is held takes a place among what
    /// waits for people; where there is none, it is decided again.
    pub(crate) fn weigh(
        &self,
        action: &Action,
        mut standing: Standing,
        mut ledger: LedgerView,
        request: &ActionRequest,
        now: Timestamp,
    ) -> Weighed {
        let books = self.assignment.ledger();
        if !ledger.requests.is_none() {
            ledger.requests = books.requests(request, now);
        }
        let mut verdict = self.decide(action, &standing, &ledger, request, now);
        let mut consent = Vec::new();
        // At most as often as approvals came along: each time one more of them is known to be spent.
        while verdict.rests_on_approval {
            let resting = self.question(action, &standing, &ledger, request, now).consent().unwrap_or_default();
            let Err(spent) = self.door.consume_each(&resting, now) else {
                consent = resting.into_iter().cloned().collect();
                break;
            };
            standing.spent.push(spent);
            verdict = self.decide(action, &standing, &ledger, request, now);
        }
        let (mut asked, mut is_new) = (None, false);
        if verdict.outcome == Outcome::Held {
            match books.wait(request, self.assignment.asked_until(action, now), now) {
                Ok((until, new)) => {
                    asked = Some(self.assignment.ask(action, request.clone(), now, until));
                    is_new = new;
                }
                Err(requests) => {
                    ledger.requests = requests;
                    verdict = self.decide(action, &standing, &ledger, request, now);
                }
            }
        }
        Weighed { standing, ledger, verdict, consent, asked, is_new }
    }

    /// Notes what became of a decision: approvals that permitted nothing are good again, and a request that nobody recorded was
    /// not made.
    pub(crate) fn note_answered(
        &self,
        request: &ActionRequest,
        consent: &[Arc<Approval>],
        settled: Result<&Permit, &Denial>,
        is_new: bool,
        now: Timestamp,
    ) {
        match settled {
            Ok(_) if !consent.is_empty() => {
                self.assignment.ledger().answered(request, now);
            }
            Ok(_) => {}
            Err(denial) => {
                consent.iter().for_each(|approval| self.door.release(approval));
                match denial.asks() {
                    Some(asks) => self.assignment.ledger().asked(request, asks.until()),
                    None if is_new => self.assignment.ledger().unask(request),
                    None => {}
                }
            }
        }
    }

    /// Whether nobody said no to the action of a permit since it was permitted.
    pub(crate) fn check_answers(&self, permit: &Permit, now: Timestamp) -> Result<(), Reason> {
        let books = self.assignment.ledger();
        if !books.has_asked() {
            return Ok(());
        }
        let request = self.assignment.request(permit.action(), permit.ledger().step);
        books.requests(&request, now).refused_by.map_or(Ok(()), |operator| Err(Reason::SaidNo(operator)))
    }

    /// Does not ask people for this action any more: its place among what waits is free. Says whether it waited. What they
    /// approve of it all the same is good, until the approval ends.
    pub fn cancel(&self, request: &ActionRequest) -> bool {
        self.assignment.ledger().answered(request, self.door.trail.clock().latest())
    }

    /// A person who was asked for an action says no: from now on exactly this action is refused in this task, whoever else
    /// approves it, a permit for it that is not spent is void, and its place among what waits is free. It takes effect first, and
    /// is then recorded.
    ///
    /// # Errors
    ///
    /// It is about another task or an action that nobody was asked for, not that person's to say, or over; then nothing has
    /// changed. Or the record was not taken; then the no counts all the same.
    pub fn object(&self, objection: &Objection) -> Result<(), Error> {
        let (door, assignment, action) = (&self.door, &self.assignment, objection.action());
        let (now, operator) = (door.now()?, objection.operator());
        if action.task() != assignment.task() {
            let (task, found) = (assignment.task().clone(), action.task().clone());
            return Err(ObjectionError::OtherTask { task, found }.into());
        }
        if !objection.is_presentable_at(now) {
            return Err(ObjectionError::Over { operator: operator.clone(), now }.into());
        }
        let panel = assignment.mandate().panel_for(action.tool(), action.mode());
        if !panel.has(operator) || !assignment.standing().operators.contains(operator) {
            return Err(ObjectionError::NotTheirs(operator.clone()).into());
        }
        if !assignment.ledger().object(action, operator) {
            return Err(ObjectionError::NotAsked.into());
        }
        let objected = OperatorFact::Objected {
            tool: action.tool().clone(),
            resource: action.resource().clone(),
            evidence: *objection.evidence(),
        };
        let lanes = Lanes { operator: Some((operator.clone(), objected)), ..Lanes::default() };
        door.trail.write(assignment.txn(), Some(assignment.task()), now, lanes)?;
        Ok(())
    }
}
