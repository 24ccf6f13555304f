//! The task: authorize, redeem or mint, complete. Dropping it revokes everything below it.

use std::fmt;
use std::sync::Arc;

use crate::asking::Weighed;
use crate::audit::{AgentFact, Denial, Execution, Lanes, Permit, Proposal};
use crate::credential::{Credential, Draft, MintError, Minter, Of};
use crate::door::Door;
use crate::error::Error;
use crate::id::{Audience, Found, TaskId, TransactionId};
use crate::mandate::{
    Action, ActionRequest, Arguments, Assignment, Label, LedgerView, ObserveError, Observed, Standing, Step, TaskState,
    ToolName,
};
use crate::policy::{Evaluator, Explanation, Question, Reason, Ruling, Verdict, check_breaker};
use crate::secret::Secret;
use crate::time::{ClockError, Timestamp};
use crate::watching::sign;

/// A task under way: its life. Not `Clone`; when it is dropped, by a panic too, every permit and credential below it is
/// dead.
#[must_use = "a task that is dropped is over"]
pub struct Task(TaskHandle);

/// Acts for a task without keeping it alive. Cheap to clone.
#[derive(Clone)]
pub struct TaskHandle {
    pub(crate) door: Arc<Door>,
    pub(crate) assignment: Arc<Assignment>,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(&self.0).finish()
    }
}

impl fmt::Debug for TaskHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle")
            .field("task", self.assignment.task())
            .field("state", &self.assignment.state())
            .finish_non_exhaustive()
    }
}

/// How a task was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// Its state: completed, unless it was ended before.
    pub state: TaskState,
    /// Permitted actions whose effect nobody told.
    pub unknown: u64,
    /// Leases that are revoked now.
    pub revoked: usize,
    /// Leases that are not known to be revoked; the next sweep tries again.
    /// [`Authorizer::owed`](crate::Authorizer::owed) says which.
    pub owed: usize,
    /// The tools that it was granted and did not use, itself or below it, in order: what the next scope can do without.
    pub unused: Vec<ToolName>,
}

impl Task {
    pub(crate) fn new(door: Arc<Door>, assignment: Arc<Assignment>) -> Self {
        Self(TaskHandle { door, assignment })
    }

    /// A handle that can act for the task, in other threads too, and does not keep it alive.
    pub fn handle(&self) -> TaskHandle {
        self.0.clone()
    }

    /// Ends the task. Everything below it is revoked whether or not its end could be recorded; of leases the newest first,
    /// each by asking its issuer three times at most. It waits for the issuers.
    ///
    /// # Errors
    ///
    /// The record was not taken; [`Authorizer::sweep`](crate::Authorizer::sweep) tries again.
    pub fn complete(self) -> Result<Closed, Error> {
        let TaskHandle { door, assignment } = &self.0;
        assignment.end(TaskState::Completed);
        let (revoked, owed) = door.revoke_leases(Of::Task(assignment));
        let unknown = door.close(assignment)?.unwrap_or_else(|| assignment.loose_ends().unknown());
        Ok(Closed { state: assignment.state(), unknown, revoked, owed, unused: assignment.unused() })
    }
}

impl Drop for Task {
    /// Flips one cell; calls nobody.
    fn drop(&mut self) {
        self.0.assignment.end(TaskState::Abandoned);
    }
}

impl std::ops::Deref for Task {
    type Target = TaskHandle;
    fn deref(&self) -> &TaskHandle {
        &self.0
    }
}

impl TaskHandle {
    /// The task's id.
    pub fn id(&self) -> &TaskId {
        self.assignment.task()
    }

    /// What joins the task's records.
    pub fn txn(&self) -> &TransactionId {
        self.assignment.txn()
    }

    /// The task's state.
    pub fn state(&self) -> TaskState {
        self.assignment.state()
    }

    /// When the task ends at the latest.
    pub fn until(&self) -> Timestamp {
        self.assignment.until()
    }

    /// What the rules say of an action now: nothing is recorded, nothing is spent, and nothing is opened by it. It does not
    /// know whether an approval was used before.
    ///
    /// # Errors
    ///
    /// The clock failed.
    pub fn verdict(&self, action: &Action) -> Result<Verdict, ClockError> {
        self.asked(action, Evaluator::decide)
    }

    /// The same, and why: policy by policy and clause by clause, with the values that disagreed. For whoever writes
    /// policies or operates the host; not to be shown to a model.
    ///
    /// # Errors
    ///
    /// The clock failed.
    pub fn explain(&self, action: &Action) -> Result<Explanation, ClockError> {
        self.asked(action, |evaluator, question| evaluator.decide(question).explain(evaluator, question))
    }

    /// Asks about an action as it is now; nothing is recorded.
    pub(crate) fn asked<T>(
        &self,
        action: &Action,
        ask: impl FnOnce(&Evaluator, &Question<'_>) -> T,
    ) -> Result<T, ClockError> {
        let now = self.door.trail.clock().now()?;
        let mut ledger = self.assignment.view(self.step(action, now));
        let request = self.assignment.request(action, ledger.step);
        ledger.requests = self.assignment.ledger().requests(&request, now);
        let mut standing = self.standing(action);
        standing.breaker = self.assignment.breaker(now);
        standing.entitlement = self.door.entitled(&self.assignment, action, now);
        Ok(ask(&self.door.evaluator, &self.question(action, &standing, &ledger, &request, now)))
    }

    /// The tools that it is about, and what it began with.
    #[cfg(feature = "testing")]
    pub(crate) fn terms(&self) -> (&crate::policy::Catalog, &crate::mandate::Mandate) {
        (self.door.evaluator.catalog(), self.assignment.mandate())
    }

    /// What a human is asked to approve, so that they may do so before the action is held.
    pub fn request(&self, action: &Action) -> ActionRequest {
        let step = self.step(action, self.door.trail.clock().latest());
        self.assignment.request(action, self.assignment.view(step).step)
    }

    /// Asks for leave to take one action, at the point of taking it.
    ///
    /// # Errors
    ///
    /// The refusal, recorded: agent, task, mode, scope, budget, policies or approval do not allow it, or the record was
    /// not taken. The task is then as it was, plus its record.
    pub fn authorize(&self, action: &Action) -> Result<Permit, Denial> {
        let Self { door, assignment } = self;
        let clock = door.trail.clock().now();
        let now = clock.unwrap_or_else(|_| door.trail.clock().latest());
        // Read first: whatever opens from here on ends what is permitted.
        let openings = assignment.openings();
        let (attempt, step) = (assignment.conduct().attempt(now), self.step(action, now));
        let (ledger, reservation) = assignment.reserve(step);
        let (mut standing, request) = (self.standing(action), assignment.request(action, ledger.step));
        standing.time_known = clock.is_ok();
        standing.breaker = assignment.breaker_above().unwrap_or(attempt.state());
        standing.entitlement = door.entitled(assignment, action, now);
        let weighed = self.weigh(action, standing, ledger, &request, now);
        let Weighed { standing, ledger, verdict, consent, asked, is_new } = weighed;
        let used = consent.clone();
        let proposal = Proposal {
            assignment,
            action,
            tool: step.declared,
            request: request.clone(),
            standing,
            ledger,
            verdict,
            reservation,
            consent,
            openings,
            asked,
            now,
        };
        let settled = door.trail.settle(proposal);
        self.note_answered(&request, &used, settled.as_ref(), is_new, now);
        if let Some(opened) = attempt.end(sign(&settled), now) {
            door.trail.opened(assignment, opened);
        }
        settled
    }

    /// What holds now, for this action.
    pub(crate) fn standing(&self, action: &Action) -> Standing {
        Standing { drift: self.door.drift(&self.assignment, action.tool()), ..self.assignment.standing() }
    }

    /// One step, as the ledger sees it.
    pub(crate) fn step<'s>(&'s self, action: &'s Action, now: Timestamp) -> Step<'s> {
        let (declared, root) = (self.door.evaluator.catalog().get(action.tool()), self.assignment.mandate().root());
        Step { action, declared, root, now }
    }

    pub(crate) fn decide(
        &self,
        action: &Action,
        standing: &Standing,
        ledger: &LedgerView,
        request: &ActionRequest,
        now: Timestamp,
    ) -> Verdict {
        self.door.evaluator.decide(&self.question(action, standing, ledger, request, now))
    }

    pub(crate) fn question<'q>(
        &'q self,
        action: &'q Action,
        standing: &'q Standing,
        ledger: &'q LedgerView,
        request: &'q ActionRequest,
        now: Timestamp,
    ) -> Question<'q> {
        let assignment = &self.assignment;
        Question::new(assignment.mandate(), standing, ledger, action, request, assignment.until(), now)
    }

    /// Spends a permit on an action that runs in this process, with the arguments that are about to run.
    ///
    /// # Errors
    ///
    /// The permit is over, for another task, from older policies, or of an ended task; or these are not the arguments
    /// that it permits. The refusal is recorded, and the permit is gone.
    pub fn redeem(&self, permit: Permit, arguments: &Arguments) -> Result<Execution, Denial> {
        match self.check(&permit).and_then(|_| Ok(permit.check_arguments(arguments)?)) {
            Ok(()) => Execution::of(permit, &self.door.trail),
            Err(reason) => Err(self.door.trail.void(&permit, reason)),
        }
    }

    /// Observes what the tool of an action that ran gave back, as JSON: the values at the places that the scope of this task
    /// trusts ([`Bound::from_sources`](crate::mandate::Bound::from_sources)) may be arguments from here on, in this task and
    /// all that is above, beside and below it whose scopes trust the same places. What is beside these places stays what
    /// anybody may have written.
    ///
    /// ```
    /// # use bailiwick::{TaskHandle, audit::{Effect, Permit}, mandate::Arguments};
    /// # fn run(task: &TaskHandle, permit: Permit, call_the_bank: fn() -> String) -> Result<(), Box<dyn std::error::Error>> {
    /// let execution = task.redeem(permit, &Arguments::none())?;
    /// let statement = call_the_bank();
    /// task.observe(&execution, &statement)?;
    /// execution.finish(Effect::Succeeded)?;
    /// # Ok(()) }
    /// ```
    ///
    /// Nothing is recorded by it; each decision records which arguments rested on a source. A credential has its
    /// [`execution`](crate::credential::Credential::execution).
    ///
    /// # Errors
    ///
    /// The action was another task's, its output was observed before, whatever came of it, the tool drifted meanwhile, the task has
    /// ended, or a tool that the scope trusts did not give strict JSON of at most 1 MiB and 64 levels. Nothing of the output is trusted then.
    pub fn observe(&self, execution: &Execution, output: &str) -> Result<Observed, ObserveError> {
        let drift = self.door.drift(&self.assignment, execution.action().tool());
        execution.observe_for(&self.assignment, drift, output)
    }

    /// Spends a permit on a credential for `audience`: for this one action, for minutes.
    ///
    /// # Errors
    ///
    /// There is no minter, the permit is refused as in [`redeem`](Self::redeem), the agent proved no key, the scope does
    /// not allow this audience, the record was not taken, or the key did not sign. No credential exists then, and the permit is gone.
    pub fn mint(&self, permit: Permit, audience: &Audience) -> Result<Credential, MintError> {
        let trail = &self.door.trail;
        // Read first: whatever is replaced from here on ends what is minted.
        let policies = self.door.evaluator.replaced();
        let now = self.check(&permit).map_err(|reason| MintError::Denied(trail.void(&permit, reason)))?;
        let (minter, draft) = self.draft(&permit, audience, policies, now).inspect_err(|error| {
            trail.void(&permit, Reason::NoCredential(Found::new(&error.to_string())));
        })?;
        let signed = self.announce(&permit, &draft).and_then(|()| self.sign(minter, &permit, &draft));
        let token = signed.inspect_err(|_| {
            self.assignment.issued().withdraw(draft.id());
        })?;
        Minter::seal(draft, token, permit, trail)
    }

    /// Drafts a credential, and enters it among those of the task.
    fn draft(
        &self,
        permit: &Permit,
        audience: &Audience,
        policies: u32,
        now: Timestamp,
    ) -> Result<(&Minter, Draft), MintError> {
        let minter = self.door.minter.as_ref().ok_or(MintError::NoMinter)?;
        let draft = minter.draft(permit, audience, self.door.entropy.as_ref(), now)?;
        let issue = (self.assignment.issue(permit.action(), policies), permit.consenting());
        let entered = self.assignment.issued().enter(draft.id(), issue, draft.until(), now);
        if entered { Ok((minter, draft)) } else { Err(MintError::TooMany) }
    }

    /// Writes the intent before the key exists. Whoever stopped the task meanwhile has the last word.
    fn announce(&self, permit: &Permit, draft: &Draft) -> Result<(), MintError> {
        let trail = &self.door.trail;
        if let Err(error) = trail.write_for(&self.assignment, draft.lanes(permit)) {
            trail.doubt(&self.assignment, *permit.decision(), permit.action());
            return Err(error.into());
        }
        self.check(permit).map_err(|reason| MintError::Denied(trail.void(permit, reason)))?;
        Ok(())
    }

    /// Signs what was announced. Whoever stopped the task meanwhile has the last word, however long the signer took.
    fn sign(&self, minter: &Minter, permit: &Permit, draft: &Draft) -> Result<Secret<String>, MintError> {
        let trail = &self.door.trail;
        let token = minter.sign(draft).inspect_err(|error| {
            trail.void(permit, Reason::NoCredential(Found::new(&error.to_string())));
        })?;
        self.check(permit).map_err(|ruling| MintError::Denied(trail.void(permit, ruling)))?;
        Ok(token)
    }

    /// Whether a permit may be used by this task now.
    pub(crate) fn check(&self, permit: &Permit) -> Result<Timestamp, Box<Ruling>> {
        let clock = || self.door.trail.clock().now().map_err(|_| Reason::Clock);
        // The host first, which may take its time: whatever is stopped meanwhile is seen by what follows.
        self.door.check_entitled(&self.assignment, permit.action(), clock()?)?;
        let now = clock()?;
        permit.check(&self.assignment, &self.door.evaluator.digest(), now)?;
        let tool = permit.action().tool();
        if let Some(drift) = self.door.drift(&self.assignment, tool) {
            return Err(Reason::CapabilityDrift { tool: tool.clone(), drift }.into());
        }
        check_breaker(self.assignment.breaker_since(permit.openings(), now), now)?;
        self.check_again(permit, now)?;
        self.check_answers(permit, now)?;
        Ok(now)
    }

    /// Decides once more, where the errand carries labels or entered a stage of its plan since this was last decided. What was
    /// approved and reserved for the permit is.
    fn check_again(&self, permit: &Permit, now: Timestamp) -> Result<(), Box<Ruling>> {
        let action = permit.action();
        let before = (permit.ledger(), permit.seen());
        let Some(ledger) = self.assignment.renewed(self.step(action, now), before) else {
            return Ok(());
        };
        let request = self.assignment.request(action, ledger.step);
        let verdict = self.decide(action, &self.standing(action), &ledger, &request, now);
        Ruling::of(verdict).map_or(Ok(()), Err)?;
        permit.note_seen(ledger.seen());
        Ok(())
    }

    /// Labels the task, and all that is above, beside and below it, to its end: policies see it, and permits that are not
    /// spent are decided again. A tool's own labels come by themselves when its permit is spent.
    ///
    /// # Errors
    ///
    /// The errand carries 256 labels, or the record was not taken; it carries the label even so.
    pub fn label(&self, label: Label) -> Result<(), Error> {
        if !self.assignment.ledger().label(label.clone()) {
            return Err(Error::TooManyLabels(label));
        }
        let agent = self.assignment.mandate().agent().id().clone();
        let lanes = Lanes { agent: Some((agent, AgentFact::Labelled { label })), ..Lanes::default() };
        Ok(self.door.trail.write_for(&self.assignment, lanes).map(|_| ())?)
    }
}
