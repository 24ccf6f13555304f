//! A book: what is used up of the budgets of one task. A check and its booking are one step.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::account::{Account, Taken};
use super::{Action, Budget, Grant, LedgerView, Overrun, Plan, Scope, Tool, ToolName, Watch};
use crate::live::locked;
use crate::sync::Mutex;
use crate::time::Timestamp;

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
    pub(super) fn tighter(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        one.into_iter().chain(other).min_by_key(|spent| spent.room())
    }
}

/// One step, as a ledger sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<'s> {
    pub(crate) action: &'s Action,
    /// Its tool as it is declared, where it is.
    pub(crate) declared: Option<&'s Tool>,
    /// The scope of the first task of the errand.
    pub(crate) root: &'s Scope,
    pub(crate) now: Timestamp,
}

/// What a scope lets one tool use up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits<'s> {
    scope: &'s Scope,
    grant: Option<&'s Grant>,
}

/// Whose budget: that of the scope, or of the tool; and which of its budgets.
type Whose = (Option<ToolName>, u8);

impl<'s> Limits<'s> {
    pub(super) fn of(scope: &'s Scope, tool: &ToolName) -> Self {
        Self { scope, grant: scope.grant(tool) }
    }

    pub(super) fn plan(self) -> Option<&'s Plan> {
        self.scope.watch().and_then(Watch::planned)
    }

    /// What is spent of the tighter of both numbers of calls.
    fn spent(self, calls: u32, tool_calls: u32) -> Option<Spent> {
        let spent = |used: u32, limit: Option<u32>| limit.map(|limit| Spent { used, limit });
        Spent::tighter(spent(calls, self.scope.max_calls()), spent(tool_calls, self.grant.and_then(Grant::max_calls)))
    }

    /// Every other budget, and whose it is.
    fn budgets(self, tool: &'s ToolName) -> impl Iterator<Item = (Whose, &'s Budget)> {
        let own = self.grant.map_or(&[][..], Grant::budgets);
        let of_scope = self.scope.budgets().iter().zip(0..).map(|(budget, place)| ((None, place), budget));
        of_scope.chain(own.iter().zip(0..).map(|(budget, place)| ((Some(tool.clone()), place), budget)))
    }
}

/// What is used up of the budgets of one task.
#[derive(Debug, Default)]
pub(super) struct Book {
    step: u64,
    calls: u32,
    by_tool: BTreeMap<ToolName, u32>,
    accounts: BTreeMap<Whose, Account>,
    /// Stages of the plan that were entered.
    entered: u16,
}

/// What one step takes of the other budgets.
type Takings = Vec<(Whose, Taken)>;

impl Book {
    /// What is spent, as the next step of this tool sees it.
    pub(super) fn view(&self, tool: &ToolName) -> LedgerView {
        let (step, calls, tool_calls) = (self.step.saturating_add(1), self.calls, self.tool_calls(tool));
        LedgerView { step, calls, tool_calls, ..LedgerView::default() }
    }

    /// Takes one step.
    pub(super) fn step(&mut self) {
        self.step = self.step.saturating_add(1);
    }

    fn tool_calls(&self, tool: &ToolName) -> u32 {
        self.by_tool.get(tool).copied().unwrap_or(0)
    }

    pub(super) fn calls(&self) -> u32 {
        self.calls
    }

    pub(super) fn entered(&self) -> u16 {
        self.entered
    }

    /// What is spent of the number of calls, and a place in all budgets, if that is wanted and there is one; or of which
    /// there is too little.
    pub(super) fn ask(
        book: &Arc<Mutex<Self>>,
        own: &mut Self,
        (step, limits): (Step<'_>, Limits<'_>),
        is_wanted: bool,
    ) -> (Option<Spent>, Result<Option<Place>, Box<Overrun>>) {
        let tool = step.action.tool();
        let spent = limits.spent(own.calls, own.tool_calls(tool));
        let is_free = is_wanted && !spent.is_some_and(Spent::is_all) && own.calls < u32::MAX;
        let takings = own.takings(step, limits);
        (spent, takings.map(|takings| is_free.then(|| own.book(book, tool, limits, takings))))
    }

    /// What a step would take of the budgets besides the numbers of calls.
    fn takings(&self, step: Step<'_>, limits: Limits<'_>) -> Result<Takings, Box<Overrun>> {
        let takings = limits.budgets(step.action.tool()).map(|(whose, budget)| {
            let what = (step.action, step.declared);
            let taken = match self.accounts.get(&whose) {
                Some(account) => account.check(budget, what, step.now),
                None => Account::default().check(budget, what, step.now),
            };
            Ok(taken?.map(|taken| (whose, taken)))
        });
        takings.filter_map(Result::transpose).collect()
    }

    fn book(&mut self, book: &Arc<Mutex<Self>>, tool: &ToolName, limits: Limits<'_>, takings: Takings) -> Place {
        self.calls += 1;
        let tool_calls = self.by_tool.entry(tool.clone()).or_default();
        *tool_calls = tool_calls.saturating_add(1);
        for (whose, budget) in limits.budgets(tool) {
            if let Some((_, taken)) = takings.iter().find(|(own, _)| *own == whose) {
                self.accounts.entry(whose).or_default().take(budget, taken);
            }
        }
        Place { book: Arc::clone(book), tool: tool.clone(), takings, kept: false }
    }

    fn give_back(&mut self, tool: &ToolName, takings: &Takings) {
        self.calls = self.calls.saturating_sub(1);
        match self.by_tool.get_mut(tool) {
            Some(calls) if *calls > 1 => *calls -= 1,
            _ => {
                self.by_tool.remove(tool);
            }
        }
        for (whose, taken) in takings {
            if let Some(account) = self.accounts.get_mut(whose) {
                account.give_back(taken);
            }
        }
    }
}

/// A place in one task's budgets. Dropped, it is given back.
#[derive(Debug)]
pub(super) struct Place {
    book: Arc<Mutex<Book>>,
    tool: ToolName,
    takings: Takings,
    kept: bool,
}

impl Place {
    /// Whose place it is.
    pub(super) fn book(&self) -> &Mutex<Book> {
        &self.book
    }

    /// Keeps it: the tool runs now, in its turn of the plan.
    pub(super) fn keep(&mut self, plan: Option<&Plan>) {
        self.kept = true;
        if let Some(plan) = plan {
            let mut book = locked(&self.book);
            let turn = plan.turn(&self.tool, book.entered);
            book.entered = turn.map_or(book.entered, |turn| turn.entered);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.kept {
            locked(&self.book).give_back(&self.tool, &self.takings);
        }
    }
}
