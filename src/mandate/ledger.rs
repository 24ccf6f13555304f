//! What a task has done so far. A check of the budget and its booking are one step.
//!
//! What is done below a task is done by it: a step takes a place in its own budget and in every budget above, and gives all
//! of them back. Labels, refusals and the tools that ran are the whole errand's: data that one agent brings in reaches the
//! others, and nobody starts anew by delegating.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use super::refusals::{self, Refusals};
use super::{Action, Label, Tool, ToolName};
use crate::live::locked;

/// Tools that are remembered in order.
const RECENT: usize = 32;

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
    /// The last tools that ran in any of them, the latest last, at most 32.
    pub recent: Vec<ToolName>,
    /// Of the budgets above this task, the one with the least room; none above it is limited, if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<Spent>,
}

/// A budget, and what is spent of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Spent {
    /// Actions that were permitted and not given back.
    pub used: u32,
    /// How many were approved.
    pub limit: u32,
}

impl Spent {
    pub(crate) fn is_all(self) -> bool {
        self.used >= self.limit
    }

    fn room(self) -> u32 {
        self.limit.saturating_sub(self.used)
    }

    /// The one with the least room.
    fn tighter(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        one.into_iter().chain(other).min_by_key(|spent| spent.room())
    }
}

/// The limits that a reservation must stay within.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Caps {
    pub(crate) calls: Option<u32>,
    pub(crate) tool_calls: Option<u32>,
}

impl Caps {
    /// What is spent of the tighter of both.
    fn spent(self, calls: u32, tool_calls: u32) -> Option<Spent> {
        let spent = |used: u32, limit: Option<u32>| limit.map(|limit| Spent { used, limit });
        Spent::tighter(spent(calls, self.calls), spent(tool_calls, self.tool_calls))
    }
}

/// What one task has done. Clones are the same ledger.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    book: Arc<Mutex<Book>>,
    errand: Arc<Mutex<Errand>>,
}

/// What a task has done with all that is above, beside and below it.
#[derive(Debug, Default)]
struct Errand {
    labels: BTreeSet<Label>,
    refusals: u32,
    repeated: Refusals,
    recent: VecDeque<ToolName>,
}

impl Errand {
    fn show(&self, view: LedgerView) -> LedgerView {
        let recent = self.recent.iter().cloned().collect();
        let (refusals, repeats) = (self.refusals, self.repeated.most());
        LedgerView { labels: self.labels.clone(), refusals, repeats, recent, ..view }
    }
}

#[derive(Debug, Default)]
struct Book {
    step: u64,
    calls: u32,
    by_tool: BTreeMap<ToolName, u32>,
}

impl Book {
    fn tool_calls(&self, tool: &ToolName) -> u32 {
        self.by_tool.get(tool).copied().unwrap_or(0)
    }

    fn view(&self, tool: &ToolName) -> LedgerView {
        LedgerView {
            step: self.step.saturating_add(1),
            calls: self.calls,
            tool_calls: self.tool_calls(tool),
            ..LedgerView::default()
        }
    }

    /// Takes a place, if there is one.
    fn take(&mut self, tool: &ToolName, caps: Caps) -> bool {
        let (calls, tool_calls) = (self.calls, self.tool_calls(tool));
        let free = |used: u32, cap: Option<u32>| used < cap.unwrap_or(u32::MAX);
        let is_free = free(calls, caps.calls) && free(tool_calls, caps.tool_calls);
        if is_free {
            self.calls += 1;
            self.by_tool.insert(tool.clone(), tool_calls + 1);
        }
        is_free
    }
}

impl Ledger {
    /// The ledger of a task below this one's.
    pub(crate) fn below(&self) -> Self {
        Self { book: Arc::default(), errand: Arc::clone(&self.errand) }
    }

    /// Takes one step: what was done before it, and a place in this budget and in every one of `above`, the nearest first,
    /// if there is one in each.
    pub(crate) fn reserve<'l>(
        &self,
        tool: &ToolName,
        caps: Caps,
        above: impl Iterator<Item = (&'l Self, Caps)>,
    ) -> (LedgerView, Option<Reservation>) {
        let (mut view, mut reservation) = {
            let mut book = locked(&self.book);
            let view = book.view(tool);
            book.step = view.step;
            (view, book.take(tool, caps).then(|| Reservation::new(self, tool)))
        };
        // One after the other: what has a place below and none above gives it back, so that no budget is ever exceeded.
        for (ledger, caps) in above {
            let (spent, place) = ledger.take(tool, caps, reservation.is_some());
            view.above = Spent::tighter(view.above, spent);
            reservation = reservation.zip(place).map(|(mut own, place)| {
                own.places.push(place);
                own
            });
        }
        (locked(&self.errand).show(view), reservation)
    }

    /// What is spent of this budget, and a place in it, if that is wanted and there is one.
    fn take(&self, tool: &ToolName, caps: Caps, is_wanted: bool) -> (Option<Spent>, Option<Place>) {
        let mut book = locked(&self.book);
        let spent = caps.spent(book.calls, book.tool_calls(tool));
        let place = (is_wanted && book.take(tool, caps)).then(|| Place::new(self, tool));
        (spent, place)
    }

    /// What the next step would see.
    pub(crate) fn view<'l>(&self, tool: &ToolName, above: impl Iterator<Item = (&'l Self, Caps)>) -> LedgerView {
        let spent = above.map(|(ledger, caps)| ledger.take(tool, caps, false).0);
        let view = LedgerView { above: spent.fold(None, Spent::tighter), ..locked(&self.book).view(tool) };
        locked(&self.errand).show(view)
    }

    /// Notes that a step was refused.
    pub(crate) fn refuse(&self) {
        let mut errand = locked(&self.errand);
        errand.refusals = errand.refusals.saturating_add(1);
    }

    /// Notes what an action was refused for, as the model is told it; says how often that was, this time included.
    pub(crate) fn note_refusal(&self, action: &Action, code: &'static str) -> u32 {
        let name = refusals::name(action);
        locked(&self.errand).repeated.note(&name, code)
    }

    /// Notes that an action was permitted that may have been refused before.
    pub(crate) fn note_permit(&self, action: &Action) {
        let name = refusals::name(action);
        locked(&self.errand).repeated.forget(&name);
    }

    /// How many actions were permitted and not given back.
    pub(crate) fn calls(&self) -> u32 {
        locked(&self.book).calls
    }
}

/// A place in a live task's budget, and in every budget above. Dropped, it is given back; not `Clone`, since a fact must not
/// double as a key.
#[derive(Debug)]
#[must_use = "a reservation that is dropped is given back"]
pub(crate) struct Reservation {
    own: Place,
    /// Above, the nearest first.
    places: Vec<Place>,
}

impl Reservation {
    fn new(ledger: &Ledger, tool: &ToolName) -> Self {
        Self { own: Place::new(ledger, tool), places: Vec::new() }
    }

    /// Books the step: `tool` runs now, and the whole errand carries its labels from here on.
    pub(crate) fn keep(self, tool: &Tool) {
        let mut errand = locked(&self.own.ledger.errand);
        errand.labels.extend(tool.labels().iter().cloned());
        if errand.recent.len() >= RECENT {
            errand.recent.pop_front();
        }
        errand.recent.push_back(self.own.tool.clone());
        drop(errand);
        self.own.keep();
        self.places.into_iter().for_each(Place::keep);
    }
}

/// A place in one budget. Dropped, it is given back.
#[derive(Debug)]
struct Place {
    ledger: Ledger,
    tool: ToolName,
    kept: bool,
}

impl Place {
    fn new(ledger: &Ledger, tool: &ToolName) -> Self {
        Self { ledger: ledger.clone(), tool: tool.clone(), kept: false }
    }

    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let mut book = locked(&self.ledger.book);
        book.calls = book.calls.saturating_sub(1);
        match book.by_tool.get_mut(&self.tool) {
            Some(calls) if *calls > 1 => *calls -= 1,
            _ => {
                book.by_tool.remove(&self.tool);
            }
        }
    }
}
