//! A mandate under way: its ids, its life and its ledger, shared by all that hangs below the task.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock, Weak};

use super::{
    Action, ActionRequest, Approval, ApprovalRequest, Arguments, BreakerState, Conduct, Consenting, Entitled, Finds,
    Grant, Issue, Issued, Ledger, LedgerView, LooseEnds, Mandate, Mode, ObserveError, Observed, Passes, Reservation,
    Resource, Scope, Seen, Standing, Step, Tool, ToolName,
};
use crate::canonical::{Digest, Encoder, Salt};
use crate::id::{Audience, TaskId, TransactionId};
use crate::identity::{BlueprintId, OperatorId};
use crate::live::{Hold, locked};
use crate::sorted::Sorted;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use crate::time::Timestamp;

/// Tasks that go on below the first one of an errand at the same time, at whatever depth.
pub(crate) const MAX_BELOW: usize = 64;

/// The life of a task. It is left once, and never entered again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaskState {
    /// It goes on.
    Active,
    /// It was completed.
    Completed,
    /// It was dropped without being completed, by a panic for instance.
    Abandoned,
    /// It was stopped by a human.
    Halted,
    /// A task above it ended, or the agent of one was suspended, retired, or halted with its blueprint.
    EndedAbove,
}

impl TaskState {
    /// The name in records and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Abandoned => "abandoned",
            Self::Halted => "halted",
            Self::EndedAbove => "ended_above",
        }
    }
}

/// A [`TaskState`] that is read and left without a lock.
#[derive(Debug, Default)]
struct Life(AtomicU8);

const ACTIVE: u8 = 0;
const COMPLETED: u8 = 1;
const ABANDONED: u8 = 2;
const HALTED: u8 = 3;
const ENDED_ABOVE: u8 = 4;

impl Life {
    fn state(&self) -> TaskState {
        match self.0.load(Ordering::Acquire) {
            ACTIVE => TaskState::Active,
            COMPLETED => TaskState::Completed,
            ABANDONED => TaskState::Abandoned,
            ENDED_ABOVE => TaskState::EndedAbove,
            _ => TaskState::Halted,
        }
    }

    fn leave(&self, state: TaskState) -> bool {
        let number = match state {
            TaskState::Active => return false,
            TaskState::Completed => COMPLETED,
            TaskState::Abandoned => ABANDONED,
            TaskState::Halted => HALTED,
            TaskState::EndedAbove => ENDED_ABOVE,
        };
        self.0.compare_exchange(ACTIVE, number, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// What a task's life hangs on, besides its agent.
#[derive(Debug, Clone)]
pub(crate) struct Lives {
    pub(crate) everything: Hold,
    /// What the agent was made from.
    pub(crate) blueprint: Option<(BlueprintId, Hold)>,
    pub(crate) operators: Sorted<OperatorId, Hold>,
    /// What the agent does across its tasks.
    pub(crate) conduct: Arc<Conduct>,
}

impl Lives {
    fn halted_blueprint(&self) -> Option<&BlueprintId> {
        self.blueprint.as_ref().filter(|(_, life)| !life.is_alive()).map(|(blueprint, _)| blueprint)
    }
}

/// A mandate under way.
#[derive(Debug)]
pub(crate) struct Assignment {
    task: TaskId,
    txn: TransactionId,
    mandate: Mandate,
    until: Timestamp,
    ledger: Ledger,
    lives: Lives,
    salt: Salt,
    life: Life,
    loose_ends: OnceLock<Box<LooseEnds>>,
    issued: OnceLock<Arc<Issued>>,
    /// The tools that ran, here or below.
    used: Mutex<BTreeSet<ToolName>>,
    passes: OnceLock<Box<Passes>>,
    /// Names the task in credentials, once somebody asked.
    hash: OnceLock<Box<Digest>>,
    /// Its beginning is recorded.
    begun: AtomicBool,
    /// The task that it is a part of.
    parent: Option<Arc<Assignment>>,
    /// Of the first task of an errand: those below it, at whatever depth.
    below: Mutex<Vec<Weak<Assignment>>>,
    /// The last listing of tools that differed before the task began, or the first task of its errand.
    listing: u64,
}

impl Assignment {
    pub(crate) fn new(
        (task, txn): (TaskId, TransactionId),
        mandate: Mandate,
        until: Timestamp,
        lives: Lives,
        salt: Salt,
    ) -> Self {
        Self {
            task,
            txn,
            mandate,
            until,
            ledger: Ledger::default(),
            lives,
            salt,
            life: Life::default(),
            loose_ends: OnceLock::new(),
            issued: OnceLock::new(),
            used: Mutex::default(),
            passes: OnceLock::new(),
            hash: OnceLock::new(),
            begun: AtomicBool::new(false),
            parent: None,
            below: Mutex::default(),
            listing: 0,
        }
    }

    /// A part of `parent`: of its transaction, on what its life hangs on, with its labels, and no longer than it.
    pub(crate) fn part_of(
        parent: &Arc<Self>,
        task: TaskId,
        mandate: Mandate,
        (blueprint, conduct): (Option<(BlueprintId, Hold)>, Arc<Conduct>),
        until: Timestamp,
        salt: Salt,
    ) -> Self {
        let (mandate, lives) = (mandate.below(&parent.mandate), Lives { blueprint, conduct, ..parent.lives.clone() });
        let own = Self::new((task, parent.txn.clone()), mandate, until.min(parent.until), lives, salt);
        Self { ledger: parent.ledger.below(), parent: Some(Arc::clone(parent)), listing: parent.listing, ..own }
    }

    /// Begun under the tools as they were after this listing.
    pub(crate) fn under(self, listing: u64) -> Self {
        Self { listing, ..self }
    }

    /// The listing under which it, or the first task of its errand, began.
    pub(crate) fn listing(&self) -> u64 {
        self.listing
    }

    /// The task that it is a part of.
    pub(crate) fn parent(&self) -> Option<&Arc<Self>> {
        self.parent.as_ref()
    }

    /// The tasks above it, the nearest first: at most 8.
    pub(crate) fn above(&self) -> impl Iterator<Item = &Arc<Self>> + Clone {
        std::iter::successors(self.parent(), |above| above.parent())
    }

    /// How many stand above it.
    pub(crate) fn depth(&self) -> u8 {
        u8::try_from(self.above().count()).unwrap_or(u8::MAX)
    }

    /// Enters a task below this one, where the errand has room: says how many go on, where it has none.
    pub(crate) fn enter_below(&self, task: &Arc<Self>, now: Timestamp) -> Result<(), usize> {
        let mut below = locked(&self.above().last().map_or(self, |root| root.as_ref()).below);
        below.retain(|one| one.upgrade().is_some_and(|one| one.state() == TaskState::Active && now < one.until));
        if below.len() >= MAX_BELOW {
            return Err(below.len());
        }
        below.push(Arc::downgrade(task));
        Ok(())
    }

    pub(crate) fn task(&self) -> &TaskId {
        &self.task
    }

    pub(crate) fn txn(&self) -> &TransactionId {
        &self.txn
    }

    pub(crate) fn mandate(&self) -> &Mandate {
        &self.mandate
    }

    pub(crate) fn until(&self) -> Timestamp {
        self.until
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Its state: what ends above ends it too.
    pub(crate) fn state(&self) -> TaskState {
        match self.life.state() {
            TaskState::Active if !self.above().all(|above| above.stands()) => TaskState::EndedAbove,
            state => state,
        }
    }

    /// Whether it, for its own part, lets those below it go on.
    fn stands(&self) -> bool {
        self.life.state() == TaskState::Active
            && self.mandate.agent().hold().is_alive()
            && self.lives.halted_blueprint().is_none()
    }

    /// Notes that its beginning is recorded; before that nobody records its end.
    pub(crate) fn note_begun(&self) {
        self.begun.store(true, Ordering::Release);
    }

    /// Whether it ended and that is to be recorded.
    pub(crate) fn wants_closing(&self) -> bool {
        self.begun.load(Ordering::Acquire) && self.state() != TaskState::Active
    }

    /// Ends the task. The first ending counts, and what ends above comes first; says whether it had not ended.
    pub(crate) fn end(&self, state: TaskState) -> bool {
        let is_over = self.state() == TaskState::EndedAbove;
        self.life.leave(if is_over { TaskState::EndedAbove } else { state })
    }

    /// Whether neither it nor a task above was ended, whatever became of their agents.
    pub(crate) fn was_going_on(&self) -> bool {
        let is_active = |assignment: &Self| assignment.life.state() == TaskState::Active;
        is_active(self) && self.above().all(|above| is_active(above))
    }

    pub(crate) fn standing(&self) -> Standing {
        Standing {
            time_known: true,
            drift: None,
            task: self.state(),
            running: self.lives.everything.is_alive(),
            agent_active: self.mandate.agent().hold().is_alive(),
            halted_blueprint: self.lives.halted_blueprint().cloned(),
            breaker: BreakerState::Closed,
            entitlement: Entitled::NotAsked,
            operators: self
                .lives
                .operators
                .iter()
                .filter(|(_, life)| life.is_alive())
                .map(|(operator, _)| operator.clone())
                .collect(),
            spent: Vec::new(),
        }
    }

    /// Whether actions of it may still be permitted at `now`.
    pub(crate) fn goes_on(&self, now: Timestamp) -> bool {
        self.stands() && self.state() == TaskState::Active && self.lives.everything.is_alive() && now < self.until
    }

    /// What its agent does across its tasks.
    pub(crate) fn conduct(&self) -> &Arc<Conduct> {
        &self.lives.conduct
    }

    /// Books that a tool ran, here and for every task above.
    pub(crate) fn exercise(&self, tool: &Tool, now: Timestamp) {
        let note = |task: &Self| locked(&task.used).insert(tool.name().clone());
        let is_first = note(self);
        for above in self.above() {
            note(above);
        }
        self.lives.conduct.exercise(tool, is_first, now);
    }

    /// The tools that are granted and did not run, here or below.
    pub(crate) fn unused(&self) -> Vec<ToolName> {
        let used = locked(&self.used);
        self.mandate.intent().scope().tools().filter(|tool| !used.contains(*tool)).cloned().collect()
    }

    /// The tasks that stand below it, at whatever depth.
    pub(crate) fn below(self: &Arc<Self>) -> Vec<Arc<Self>> {
        let root = self.above().last().unwrap_or(self);
        let below = locked(&root.below);
        let is_below = |one: &Arc<Self>| one.above().any(|above| Arc::ptr_eq(above, self));
        below.iter().filter_map(Weak::upgrade).filter(is_below).collect()
    }

    /// Takes one step in the ledger.
    pub(crate) fn reserve(&self, step: Step<'_>) -> (LedgerView, Option<Reservation>) {
        let (view, reservation) = self.ledger.reserve(step, self.scope(), self.ledgers_above());
        (view, reservation.filter(|_| self.state() == TaskState::Active))
    }

    /// Trusts what stands at the sources of this task in an output of `tool`.
    pub(crate) fn observe(&self, tool: &ToolName, output: &str) -> Result<Observed, ObserveError> {
        let finds = Finds::read(output, self.scope().sources_in(tool))?;
        match self.state() {
            TaskState::Active => Ok(self.ledger.note(finds)),
            state => Err(ObserveError::Ended(state)),
        }
    }

    /// What its next step would see.
    pub(crate) fn view(&self, step: Step<'_>) -> LedgerView {
        self.ledger.view(step, self.scope(), self.ledgers_above())
    }

    /// What a step that was taken before would see by now, if the errand was not as far when it was seen.
    pub(crate) fn renewed(&self, step: Step<'_>, before: (&LedgerView, Seen)) -> Option<LedgerView> {
        self.ledger.renewed(step, self.scope(), self.ledgers_above(), before)
    }

    /// Books a step that runs now, if the errand is as far as was seen. Says whether it is booked.
    #[must_use]
    pub(crate) fn keep(&self, reservation: &mut Reservation, seen: Seen, ran: (&Tool, &Resource)) -> bool {
        reservation.keep(seen, ran, (self.scope(), self.above().map(|above| above.scope())))
    }

    fn ledgers_above(&self) -> impl Iterator<Item = (&Ledger, &Scope)> {
        self.above().map(|above| (&above.ledger, above.scope()))
    }

    fn scope(&self) -> &Scope {
        self.mandate.intent().scope()
    }

    /// What a human would be asked to approve.
    pub(crate) fn request(&self, action: &Action, step: u64) -> ActionRequest {
        let keyed = |given: &Arguments| self.keyed(given.digest());
        let attributes = Some(action.resource_attributes()).filter(|attributes| !attributes.is_empty());
        let digests = (keyed(action.arguments()), attributes.map(keyed));
        ActionRequest::new((&self.task, step), self.mandate.agent().id(), action, digests)
    }

    /// When a request for this action is over that is made at `now`.
    pub(crate) fn asked_until(&self, action: &Action, now: Timestamp) -> Timestamp {
        self.mandate.panel(action).until(now, self.until)
    }

    /// What humans are asked, until `until`.
    pub(crate) fn ask(
        &self,
        action: &Action,
        request: ActionRequest,
        now: Timestamp,
        until: Timestamp,
    ) -> ApprovalRequest {
        ApprovalRequest::new(request, self.mandate.panel(action), (now, until))
    }

    /// What a credential for this action is good for, under policies that were replaced so often.
    pub(crate) fn issue(&self, action: &Action, policies: u32) -> Issue {
        let mut encoder = Encoder::new("bailiwick/issue/v1");
        encoder.text(action.tool().as_str()).text(action.resource().as_str());
        encoder.fixed(action.arguments().digest().as_bytes());
        let errand = self.mandate.errand(action.mode());
        encoder.fixed(&errand.to_be_bytes());
        Issue::new(&self.keyed(&encoder.finish()), policies, errand)
    }

    /// The people whose approvals of exactly an action these are, with what those hang on.
    pub(crate) fn consenting(&self, consent: &[Arc<Approval>]) -> Consenting {
        let operators = consent.iter().map(|approval| approval.operator());
        Consenting::new(operators.map(|operator| (operator.clone(), self.lives.operators.get(operator).cloned())))
    }

    /// The end of what is wanted until `wanted`, on this errand: of that, the task, the proof and the approval it rests on, the
    /// first, in whole seconds, rounded down. What is above ends no earlier than the task.
    pub(crate) fn bound(&self, mode: &Mode, wanted: Timestamp, now: Timestamp) -> Timestamp {
        let until = wanted.min(self.until).min(self.mandate.agent().until());
        let basis = mode.operator().and_then(|_| self.mandate.basis(mode, now));
        let until = basis.map_or(until, |approval| until.min(approval.ends()));
        // A token tells whole seconds: rounded down, it never outlives what it rests on.
        Timestamp::from_unix(until.unix()).unwrap_or(now)
    }

    /// Whether the scope allows a credential for this service.
    pub(crate) fn allows(&self, tool: &ToolName, audience: &Audience) -> bool {
        let audiences = self.mandate.intent().scope().grant(tool).and_then(Grant::audiences);
        audiences.is_none_or(|allowed| allowed.contains(audience))
    }

    /// What names the task in credentials, computed once.
    pub(crate) fn hash(&self, compute: impl FnOnce() -> Digest) -> &Digest {
        self.hash.get_or_init(|| Box::new(compute()))
    }

    /// A digest as it may leave the process: keyed with the task's salt.
    pub(crate) fn keyed(&self, digest: &Digest) -> Digest {
        self.salt.key(digest)
    }

    /// The credentials under it.
    pub(crate) fn issued(&self) -> &Arc<Issued> {
        self.issued.get_or_init(Arc::default)
    }

    /// What was passed on of it, as strangers are shown it.
    pub(crate) fn passes(&self) -> &Passes {
        self.passes.get_or_init(Box::default)
    }

    /// What is still to be written.
    pub(crate) fn loose_ends(&self) -> &LooseEnds {
        self.loose_ends.get_or_init(Box::default)
    }
}
