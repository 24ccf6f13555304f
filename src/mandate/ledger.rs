//! What a task has done so far. A check of the budget and its booking are one step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use super::{Label, Tool, ToolName};
use crate::live::locked;

/// Tools that are remembered in order.
const RECENT: usize = 32;

/// What a task had done before one of its steps: what policies and the record see.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct LedgerView {
    /// The number of this step, from 1.
    pub step: u64,
    /// Actions that were permitted before and not given back.
    pub calls: u32,
    /// The same, of this step's tool.
    pub tool_calls: u32,
    /// Steps that were refused before.
    pub refusals: u32,
    /// The labels that the task carries.
    pub labels: BTreeSet<Label>,
    /// The last tools that ran, the latest last, at most 32.
    pub recent: Vec<ToolName>,
}

/// The limits that a reservation must stay within.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Caps {
    pub(crate) calls: Option<u32>,
    pub(crate) tool_calls: Option<u32>,
}

/// What one task has done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    step: u64,
    calls: u32,
    by_tool: BTreeMap<ToolName, u32>,
    refusals: u32,
    labels: BTreeSet<Label>,
    recent: VecDeque<ToolName>,
}

impl Book {
    fn view(&self, tool: &ToolName) -> LedgerView {
        LedgerView {
            step: self.step.saturating_add(1),
            calls: self.calls,
            tool_calls: self.by_tool.get(tool).copied().unwrap_or(0),
            refusals: self.refusals,
            labels: self.labels.clone(),
            recent: self.recent.iter().cloned().collect(),
        }
    }
}

impl Ledger {
    /// Takes one step: what was done before it, and a place in the budget if there is one.
    pub(crate) fn reserve(&self, tool: &ToolName, caps: Caps) -> (LedgerView, Option<Reservation>) {
        let mut book = locked(&self.0);
        let view = book.view(tool);
        let tool_calls = view.tool_calls;
        book.step = view.step;
        let free = |used: u32, cap: Option<u32>| used < cap.unwrap_or(u32::MAX);
        if !free(book.calls, caps.calls) || !free(tool_calls, caps.tool_calls) {
            return (view, None);
        }
        book.calls += 1;
        book.by_tool.insert(tool.clone(), tool_calls + 1);
        (view, Some(Reservation { ledger: self.clone(), tool: tool.clone(), kept: false }))
    }

    /// What the next step would see.
    pub(crate) fn view(&self, tool: &ToolName) -> LedgerView {
        locked(&self.0).view(tool)
    }

    /// Notes that a step was refused.
    pub(crate) fn refuse(&self) {
        let mut book = locked(&self.0);
        book.refusals = book.refusals.saturating_add(1);
    }

    /// How many actions were permitted and not given back.
    pub(crate) fn calls(&self) -> u32 {
        locked(&self.0).calls
    }
}

/// A place in a live task's budget. Dropped, it is given back; not `Clone`, since a fact must not double as a key.
#[derive(Debug)]
#[must_use = "a reservation that is dropped is given back"]
pub(crate) struct Reservation {
    ledger: Ledger,
    tool: ToolName,
    kept: bool,
}

impl Reservation {
    /// Books the step: `tool` runs now, and the task carries its labels from here on.
    pub(crate) fn keep(mut self, tool: &Tool) {
        self.kept = true;
        let mut book = locked(&self.ledger.0);
        book.labels.extend(tool.labels().iter().cloned());
        if book.recent.len() >= RECENT {
            book.recent.pop_front();
        }
        book.recent.push_back(self.tool.clone());
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let mut book = locked(&self.ledger.0);
        book.calls = book.calls.saturating_sub(1);
        match book.by_tool.get_mut(&self.tool) {
            Some(calls) if *calls > 1 => *calls -= 1,
            _ => {
                book.by_tool.remove(&self.tool);
            }
        }
    }
}
