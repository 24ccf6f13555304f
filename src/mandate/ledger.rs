//! What a task has done so far. A check of the budget and its booking are one step.
//!
//! What is done below a task is done by it: a step takes a place in its own budget and in every budget above, and gives all
//! of them back. Labels, refusals and the tools that ran are the whole errand's: data that one agent brings in reaches the
//! others, and nobody starts anew by delegating.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, OnceLock};

use super::book::{Book, Limits, Place, Step};
use super::noted::Noted;
use super::refusals::{self, Refusals};
use super::requests::RequestBook;
use super::{
    Action, ActionRequest, Drifts, Finds, Label, Observed, Overrun, Requests, Resolved, Resource, Scope, Source, Spent,
    Tool, ToolName, Value, drift,
};
use crate::identity::OperatorId;
use crate::live::locked;
use crate::sync::Mutex;
use crate::time::Timestamp;

/// Tools that are remembered in order.
const RECENT: usize = 32;
/// Resources that are remembered; what is touched beyond stays new.
const MAX_TOUCHED: usize = 256;
/// Labels that an errand can carry.
const MAX_LABELS: usize = 256;

/// What a task had done before one of its steps: what policies and the record see.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct LedgerView {
    /// The number of this step, from 1.
    pub step: u64,
    /// Actions that were permitted before and not given back, of the tasks below it too.
    pub calls: u32,
    /// The same, of this step's tool.
    pub tool_calls: u32,
    /// Steps that were refused before, in the task and all that is above, beside and below it.
    pub refusals: u32,
    /// How often the one of them that was repeated most was given: the same action, refused for the same reason, and never
    /// permitted in between. What was held counts too.
    pub repeats: u32,
    /// The labels that all of them carry.
    pub labels: BTreeSet<Label>,
    /// The arguments of this step that sources vouch for.
    #[serde(skip_serializing_if = "Resolved::is_none")]
    pub resolved: Resolved,
    /// The last tools that ran in any of them, the latest last, at most 32.
    pub recent: Vec<ToolName>,
    /// What was asked of humans.
    #[serde(skip_serializing_if = "Requests::is_none")]
    pub requests: Requests,
    /// Of the budgets above this task, the one with the least room; none above it is limited, if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<Spent>,
    /// The budget, of this task or of one above it, of which there is less than this step would use up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overrun: Option<Box<Overrun>>,
    /// Stages of the plan that were entered.
    pub entered: u16,
    /// Resources that any of them touched, 256 at most.
    pub targets: u32,
    /// Whether this step's resource is one of them.
    pub touched: bool,
    /// Ways in which this step departs from the intent.
    pub drift: Drifts,
}

impl LedgerView {
    pub(crate) fn seen(&self) -> Seen {
        Seen { labels: self.labels.len(), entered: self.entered }
    }
}

/// How far an errand was when a step of it was decided: what lets the step run only as long as it is as far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    labels: usize,
    entered: u16,
}

/// What one task has done: nothing, until it takes its first step.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    book: OnceLock<Arc<Mutex<Book>>>,
    errand: OnceLock<Arc<Mutex<Errand>>>,
}

/// What a task has done with all that is above, beside and below it.
#[derive(Debug, Default)]
struct Errand {
    labels: BTreeSet<Label>,
    noted: Noted,
    refusals: u32,
    repeated: Refusals,
    recent: VecDeque<ToolName>,
    requests: RequestBook,
    touched: BTreeSet<Resource>,
}

impl Errand {
    fn show(&self, action: &Action, scope: &Scope, view: LedgerView) -> LedgerView {
        LedgerView {
            labels: self.labels.clone(),
            resolved: self.resolved(action, scope),
            refusals: self.refusals,
            repeats: self.repeated.most(),
            recent: self.recent.iter().cloned().collect(),
            requests: self.requests.made(),
            targets: u32::try_from(self.touched.len()).unwrap_or(u32::MAX),
            touched: self.touched.contains(action.resource()),
            ..view
        }
    }

    /// The arguments that the sources of its tool's grant vouch for. Where it has none, nothing is looked at.
    fn resolved(&self, action: &Action, scope: &Scope) -> Resolved {
        let grant = scope.grant(action.tool()).filter(|grant| grant.has_sources());
        let is_given = |sources: &[Source], value: &Value| self.noted.has(sources, value);
        grant.map_or_else(Resolved::none, |grant| grant.resolved(action.arguments(), is_given))
    }

    /// `tool` runs now, on this resource.
    fn note(&mut self, tool: &Tool, resource: &Resource) {
        self.labels.extend(tool.labels().iter().cloned());
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(tool.name().clone());
        if self.touched.len() < MAX_TOUCHED && !self.touched.contains(resource) {
            self.touched.insert(resource.clone());
        }
    }
}

impl Ledger {
    fn book(&self) -> &Arc<Mutex<Book>> {
        self.book.get_or_init(Arc::default)
    }

    fn errand(&self) -> &Arc<Mutex<Errand>> {
        self.errand.get_or_init(Arc::default)
    }

    /// The ledger of a task below this one's.
    pub(crate) fn below(&self) -> Self {
        Self { book: OnceLock::new(), errand: Arc::clone(self.errand()).into() }
    }

    /// Takes one step under `scope`: what was done before it, and a place in this task's budgets and in those of every task
    /// `above`, the nearest first, if there is one in each.
    pub(crate) fn reserve<'l>(
        &self,
        step: Step<'_>,
        scope: &Scope,
        above: impl Iterator<Item = (&'l Self, &'l Scope)>,
    ) -> (LedgerView, Option<Reservation>) {
        self.ask(step, scope, above, true)
    }

    /// What the next step would see.
    pub(crate) fn view<'l>(
        &self,
        step: Step<'_>,
        scope: &Scope,
        above: impl Iterator<Item = (&'l Self, &'l Scope)>,
    ) -> LedgerView {
        self.ask(step, scope, above, false).0
    }

    fn ask<'l>(
        &self,
        step: Step<'_>,
        scope: &Scope,
        above: impl Iterator<Item = (&'l Self, &'l Scope)>,
        is_taken: bool,
    ) -> (LedgerView, Option<Reservation>) {
        let tool = step.action.tool();
        let limits = Limits::of(scope, tool);
        let (mut view, mut entered, place) = {
            let mut book = locked(self.book());
            let (view, entered) = (book.view(tool), book.entered());
            if is_taken {
                book.step();
            }
            let (_, place) = Book::ask(self.book(), &mut book, (step, limits), is_taken);
            (view, entered, place)
        };
        let mut reservation = match place {
            Ok(place) => place.map(|own| Reservation { errand: Arc::clone(self.errand()), own, above: Vec::new() }),
            Err(overrun) => {
                view.overrun = Some(overrun);
                None
            }
        };
        // One after the other: what has a place below and none above gives it back, so that no budget is ever exceeded.
        for (ledger, scope) in above {
            let limits = Limits::of(scope, tool);
            let (spent, place) = {
                let mut book = locked(ledger.book());
                if limits.plan().is_some() {
                    entered = entered.max(book.entered());
                }
                Book::ask(ledger.book(), &mut book, (step, limits), reservation.is_some())
            };
            view.above = Spent::tighter(view.above, spent);
            reservation = match place {
                Ok(place) => reservation.zip(place).map(|(mut own, place)| {
                    own.above.push(place);
                    own
                }),
                Err(overrun) => {
                    view.overrun.get_or_insert(overrun);
                    None
                }
            };
        }
        view.entered = entered;
        (self.show(step, scope, view), reservation)
    }

    /// The view of a step that was taken before, with what the errand carries and which stage it entered by now, if it was not
    /// as far when it was seen.
    pub(crate) fn renewed<'l>(
        &self,
        step: Step<'_>,
        scope: &Scope,
        above: impl Iterator<Item = (&'l Self, &'l Scope)>,
        (before, seen): (&LedgerView, Seen),
    ) -> Option<LedgerView> {
        let books = above.map(|(ledger, scope)| (ledger.book().as_ref(), scope));
        let entered = entered(self.book(), books, step.action.tool());
        let labels = locked(self.errand()).labels.len();
        let has_moved = Seen { labels, entered } != seen;
        has_moved.then(|| self.show(step, scope, LedgerView { entered, ..before.clone() }))
    }

    /// With what the errand carries, and how the step departs from the intent.
    fn show(&self, step: Step<'_>, scope: &Scope, view: LedgerView) -> LedgerView {
        let action = step.action;
        let mut view = locked(self.errand()).show(action, scope, view);
        view.drift = drift::of(scope, step, &view);
        view
    }

    /// Labels the errand, where it has room.
    pub(crate) fn label(&self, label: Label) -> bool {
        let mut errand = locked(self.errand());
        let has_room = errand.labels.len() < MAX_LABELS || errand.labels.contains(&label);
        if has_room {
            errand.labels.insert(label);
        }
        has_room
    }

    /// Notes that a step was refused.
    pub(crate) fn refuse(&self) {
        let mut errand = locked(self.errand());
        errand.refusals = errand.refusals.saturating_add(1);
    }

    /// Notes what an action was refused for, as the model is told it; says how often that was, this time included.
    pub(crate) fn note_refusal(&self, action: &Action, code: &'static str) -> u32 {
        let name = refusals::name(action);
        locked(self.errand()).repeated.note(&name, code)
    }

    /// Notes that an action was permitted that may have been refused before.
    pub(crate) fn note_permit(&self, action: &Action) {
        let name = refusals::name(action);
        locked(self.errand()).repeated.forget(&name);
    }

    /// Trusts what was found at a source, from here on and in the whole errand.
    pub(crate) fn note(&self, finds: Finds) -> Observed {
        locked(self.errand()).noted.add(finds)
    }

    /// Whether humans were asked for anything.
    pub(crate) fn has_asked(&self) -> bool {
        !locked(self.errand()).requests.made().is_none()
    }

    /// What was asked of humans before this is asked.
    pub(crate) fn requests(&self, request: &ActionRequest, now: Timestamp) -> Requests {
        locked(self.errand()).requests.view(request, now)
    }

    /// Enters a request, where there is room: says when it is over, and whether it is new.
    pub(crate) fn wait(
        &self,
        request: &ActionRequest,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(Timestamp, bool), Requests> {
        locked(self.errand()).requests.ask(request, until, now)
    }

    /// Notes that it was recorded that a human is asked for this until then.
    pub(crate) fn asked(&self, request: &ActionRequest, until: Timestamp) {
        locked(self.errand()).requests.record(request, until);
    }

    /// Forgets a request that was not recorded.
    pub(crate) fn unask(&self, request: &ActionRequest) {
        locked(self.errand()).requests.forget(request);
    }

    /// Frees the place of a request that waits; says whether it did.
    pub(crate) fn answered(&self, request: &ActionRequest, now: Timestamp) -> bool {
        locked(self.errand()).requests.free(request, now)
    }

    /// Notes that a human said no; says whether they were asked.
    pub(crate) fn object(&self, request: &ActionRequest, by: &OperatorId) -> bool {
        locked(self.errand()).requests.refuse(request, by)
    }

    /// How many actions were permitted and not given back.
    pub(crate) fn calls(&self) -> u32 {
        locked(self.book()).calls()
    }
}

/// A place in a live task's budgets, and in those of every task above. Dropped, it is given back; not `Clone`, since a fact
/// must not double as a key.
#[derive(Debug)]
#[must_use = "a reservation that is dropped is given back"]
pub(crate) struct Reservation {
    errand: Arc<Mutex<Errand>>,
    own: Place,
    /// Above, the nearest first.
    above: Vec<Place>,
}

impl Reservation {
    /// Books the step, if the errand is as far as was seen when it was decided: `tool` runs now on this resource, and the whole
    /// errand carries its labels from here on. `scopes` are those of the task and of every task above, in the order of the
    /// places. Says whether it is booked.
    #[must_use]
    pub(crate) fn keep<'s>(
        &mut self,
        seen: Seen,
        (tool, resource): (&Tool, &Resource),
        (own, above): (&'s Scope, impl Iterator<Item = &'s Scope> + Clone),
    ) -> bool {
        // Held to the end, so that of two steps the later one sees what the earlier one booked.
        let mut errand = locked(&self.errand);
        let books = self.above.iter().map(Place::book).zip(above.clone());
        let entered = entered(self.own.book(), books, tool.name());
        if (Seen { labels: errand.labels.len(), entered }) != seen {
            return false;
        }
        errand.note(tool, resource);
        let places = std::iter::once(&mut self.own).chain(&mut self.above);
        for (place, scope) in places.zip(std::iter::once(own).chain(above)) {
            place.keep(Limits::of(scope, tool.name()).plan());
        }
        true
    }
}

/// Stages of the plan that were entered, in a task or in one above that has it.
fn entered<'b, 's>(
    own: &Mutex<Book>,
    above: impl Iterator<Item = (&'b Mutex<Book>, &'s Scope)>,
    tool: &ToolName,
) -> u16 {
    let own = locked(own).entered();
    let with_plan = above.filter(|(_, scope)| Limits::of(scope, tool).plan().is_some());
    with_plan.fold(own, |entered, (book, _)| entered.max(locked(book).entered()))
}
