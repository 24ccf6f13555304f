//! The ledger, written naively: a diary of what happened, counted anew at every question.

use std::cell::Cell;
use std::collections::BTreeSet;

use bailiwick::Task;
use bailiwick::audit::{Effect, Execution, Permit};
use bailiwick::mandate::{Action, Grant, LedgerView, Scope, ToolName};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::any::{hold_often, take};
use crate::laws::decisions;
use crate::world::{OPEN, World, args, audience, ticket};

/// What happened in one task, in order.
#[derive(Debug, Default)]
struct Diary(Vec<Entry>);

#[derive(Debug, PartialEq)]
enum Entry {
    /// The tool was permitted.
    Permitted(&'static str),
    /// A human would be asked first: no step is taken, and nothing is refused.
    Held,
    /// The tool was refused.
    Refused,
    /// A permit for the tool was given back.
    GivenBack(&'static str),
    /// A permit for the tool was refused when it was to be used, and so given back.
    Voided(&'static str),
    /// The tool ran, and the task has its label since.
    Ran(&'static str, Option<&'static str>),
}

impl Diary {
    fn note(&mut self, entry: Entry) {
        self.0.push(entry);
    }

    fn count(&self, of: impl Fn(&Entry) -> bool) -> usize {
        self.0.iter().filter(|entry| of(entry)).count()
    }

    /// Actions that were permitted and not given back.
    fn calls(&self, of: impl Fn(&str) -> bool) -> usize {
        let permitted = self.count(|entry| matches!(entry, Entry::Permitted(tool) if of(tool)));
        let back = self.count(|entry| matches!(entry, Entry::GivenBack(tool) | Entry::Voided(tool) if of(tool)));
        permitted - back
    }

    /// What ran, with its label.
    fn ran(&self) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
        self.0.iter().filter_map(|entry| match entry {
            Entry::Ran(tool, label) => Some((*tool, *label)),
            _ => None,
        })
    }

    /// What the next step's record must say was done before it.
    fn agrees(&self, view: &LedgerView, tool: &str) -> bool {
        let asked = self.count(|entry| matches!(entry, Entry::Permitted(_) | Entry::Held | Entry::Refused));
        let labels: BTreeSet<&str> = self.ran().filter_map(|(_, label)| label).collect();
        let tools: Vec<&str> = self.ran().map(|(tool, _)| tool).collect();
        view.step == asked as u64 + 1
            && view.calls as usize == self.calls(|_| true)
            && view.tool_calls as usize == self.calls(|one| one == tool)
            && view.refusals as usize == self.denied() + self.count(|entry| matches!(entry, Entry::Voided(_)))
            && view.labels.iter().map(|label| label.as_str()).eq(labels)
            && view.recent.iter().map(ToolName::as_str).eq(tools[tools.len().saturating_sub(32)..].iter().copied())
    }

    fn denied(&self) -> usize {
        self.count(|entry| *entry == Entry::Refused)
    }
}

/// One step of a task whose ledger is watched.
#[derive(Debug, Clone)]
enum Turn {
    Ask(&'static str),
    Redeem(Index),
    RedeemOther(Index),
    Mint(Index),
    MintElsewhere(Index),
    Drop(Index),
    Finish(Index),
    Forget(Index),
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        8 => select(&["ticket.read", "web.fetch", "ticket.close", "ticket.purge", "role.grant"]).prop_map(Turn::Ask),
        8 => any::<Index>().prop_map(Turn::Redeem),
        1 => any::<Index>().prop_map(Turn::RedeemOther),
        1 => any::<Index>().prop_map(Turn::Mint),
        1 => any::<Index>().prop_map(Turn::MintElsewhere),
        1 => any::<Index>().prop_map(Turn::Drop),
        1 => any::<Index>().prop_map(Turn::Finish),
        1 => any::<Index>().prop_map(Turn::Forget),
    ]
}

/// A task under budgets, and the diary that is kept beside it.
struct Watched<'a> {
    world: &'a World,
    task: Task,
    /// Calls in all, and of closing.
    caps: (Option<u32>, Option<u32>),
    diary: Diary,
    permits: Vec<(&'static str, Permit)>,
    running: Vec<Execution>,
}

impl<'a> Watched<'a> {
    fn begin(world: &'a World, caps: (Option<u32>, Option<u32>)) -> Self {
        let grant = || Grant::new().at([audience()]);
        let close = caps.1.map_or(grant(), |calls| grant().at_most(calls));
        let scope =
            [("ticket.read", grant()), ("web.fetch", grant()), ("ticket.purge", grant()), ("ticket.close", close)]
                .into_iter()
                .fold(Scope::new(), |scope, (tool, grant)| scope.allow(tool, grant).unwrap());
        let task = world.task(caps.0.map_or(scope.clone(), |calls| scope.at_most(calls)));
        Self { world, task, caps, diary: Diary::default(), permits: Vec::new(), running: Vec::new() }
    }

    /// What must come of asking for the tool.
    fn expected(&self, tool: &'static str) -> Entry {
        let left =
            |cap: Option<u32>, of: &dyn Fn(&str) -> bool| cap.is_none_or(|cap| self.diary.calls(of) < cap as usize);
        match tool {
            "role.grant" => Entry::Refused,
            _ if !left(self.caps.0, &|_| true) => Entry::Refused,
            "ticket.close" if !left(self.caps.1, &|one| one == tool) => Entry::Refused,
            "ticket.purge" => Entry::Held,
            _ => Entry::Permitted(tool),
        }
    }

    fn ask(&mut self, tool: &'static str) -> Result<(), TestCaseError> {
        let arguments = if tool == "web.fetch" { r#"{"url": "https://acme.example"}"# } else { "{}" };
        let action = Action::on_behalf_of(&self.world.ada, tool, &ticket()).unwrap().with(args(arguments));
        self.world.sink.drain();
        let asked = self.task.authorize(&action);
        let (decided, _) = decisions(&self.world.sink.drain()).remove(0);
        prop_assert!(self.diary.agrees(&decided.ledger, tool), "{:?} and {:?}", self.diary, decided.ledger);
        let found = match &asked {
            Ok(_) => Entry::Permitted(tool),
            Err(denial) if denial.is_held() => Entry::Held,
            Err(_) => Entry::Refused,
        };
        prop_assert_eq!(&found, &self.expected(tool), "{:?}", self.diary);
        self.permits.extend(asked.map(|permit| (tool, permit)));
        self.diary.note(found);
        Ok(())
    }

    /// Uses one of the permits, and notes what comes of it.
    fn with_permit(&mut self, index: &Index, how: impl FnOnce(&mut Self, &'static str, Permit) -> Entry) {
        if let Some((tool, permit)) = take(&mut self.permits, index) {
            let entry = how(self, tool, permit);
            self.diary.note(entry);
        }
    }

    fn turn(&mut self, turn: Turn) -> Result<(), TestCaseError> {
        match turn {
            Turn::Ask(tool) => self.ask(tool)?,
            Turn::Redeem(index) => self.with_permit(&index, |this, tool, permit| {
                let arguments = permit.action().arguments().clone();
                this.running.push(this.task.redeem(permit, &arguments).unwrap());
                Entry::Ran(tool, label(tool))
            }),
            Turn::RedeemOther(index) => self.with_permit(&index, |this, tool, permit| {
                this.task.redeem(permit, &args(r#"{"other": 1}"#)).unwrap_err();
                Entry::Voided(tool)
            }),
            Turn::Mint(index) => self.with_permit(&index, |this, tool, permit| {
                drop(this.task.mint(permit, &audience()).unwrap());
                Entry::Ran(tool, label(tool))
            }),
            Turn::MintElsewhere(index) => self.with_permit(&index, |this, tool, permit| {
                this.task.mint(permit, &"https://elsewhere.example".parse().unwrap()).unwrap_err();
                Entry::Voided(tool)
            }),
            Turn::Drop(index) => self.with_permit(&index, |_, tool, permit| {
                drop(permit);
                Entry::GivenBack(tool)
            }),
            // What comes of an action that ran changes no budget.
            Turn::Finish(index) => {
                let running = take(&mut self.running, &index);
                running.into_iter().for_each(|execution| execution.finish(Effect::Succeeded).unwrap());
            }
            Turn::Forget(index) => drop(take(&mut self.running, &index)),
        }
        Ok(())
    }
}

fn label(tool: &str) -> Option<&'static str> {
    match tool {
        "ticket.read" => Some("internal"),
        "web.fetch" => Some("untrusted"),
        _ => None,
    }
}

#[test]
fn the_ledger_does_what_a_naive_diary_does() {
    let world = World::new(OPEN);
    let caps = (proptest::option::of(0_u32..12), proptest::option::of(0_u32..4));
    let longest = Cell::new(0);
    hold_often((64, 8), (caps, vec(turn(), 1..400)), |(caps, turns)| {
        let mut watched = Watched::begin(&world, caps);
        for turn in turns {
            watched.turn(turn)?;
        }
        longest.set(longest.get().max(watched.diary.ran().count()));
        let spent = caps.0.is_some_and(|cap| watched.diary.calls(|_| true) == cap as usize);
        Ok(spent)
    });
    assert!(longest.get() > 33, "at most {} actions ran in one task: none was forgotten", longest.get());
}
