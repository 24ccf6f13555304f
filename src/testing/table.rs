//! A table of decisions, to be reviewed by people and compared as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::mandate::{Action, Arguments, Mode, ToolName, Value};
use crate::policy::{Outcome, ReasonCode};
use crate::task::{Task, TaskHandle};
use crate::time::ClockError;

/// What is decided now of the calls of every tool, by every agent, on everybody's errand: a text to be reviewed once, and
/// compared from then on.
///
/// Under the agent of each task, in the order given, is a line for each example of each tool, by the tool's name; there
/// are columns for *autonomous* and for each of the people who approved one of the tasks. `✓` is permitted, `?` held until
/// a human approves exactly the action, `✗` denied, with the code of the reason. A tool of the catalogue without an example
/// is shown as such: so a new tool is seen. Nothing is recorded or spent.
///
/// ```
/// use bailiwick::mandate::{Action, ActionClass, Grant, Resource, Scope, Tool};
/// use bailiwick::policy::Catalog;
/// use bailiwick::testing::{DecisionTable, World};
///
/// let catalog = Catalog::new()
///     .with(Tool::new("ticket.close".parse()?, ActionClass::Write))?
///     .with(Tool::new("ticket.purge".parse()?, ActionClass::Irreversible))?
///     .with(Tool::new("ticket.read".parse()?, ActionClass::Read))?;
/// let policies = r#"@id("tickets") permit(principal, action, resource) when { resource.kind == "ticket" };"#;
/// let world = World::new(catalog, policies)?;
/// let scope = Scope::new().allow("ticket.close", Grant::new())?.allow("ticket.purge", Grant::new())?;
/// let task = world.task(&world.agent("triage")?, scope, [&world.operator("ada")?])?;
///
/// let ticket = Resource::new("ticket", "T-42")?;
/// let table = DecisionTable::new([&task])
///     .example(Action::autonomous("ticket.close", &ticket)?)
///     .example(Action::autonomous("ticket.purge", &ticket)?);
/// assert_eq!(table.to_string(), "\
/// tool             resource      arguments   autonomous       for ada
/// spiffe://test.example/agent/triage
///   ticket.close   ticket/T-42               ✗ out_of_scope   ✓
///   ticket.purge   ticket/T-42               ✗ out_of_scope   ?
///   ticket.read    no example
/// ");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct DecisionTable {
    tasks: Vec<TaskHandle>,
    /// On whose errand each column is.
    modes: BTreeSet<Mode>,
    /// Every tool of the tasks' catalogues, and every tool of an example.
    examples: BTreeMap<ToolName, Vec<Action>>,
}

impl DecisionTable {
    /// A table of what these tasks may do. A task that has ended by the time the table is shown may do nothing.
    pub fn new<'t>(tasks: impl IntoIterator<Item = &'t Task>) -> Self {
        let tasks: Vec<TaskHandle> = tasks.into_iter().map(Task::handle).collect();
        let terms = || tasks.iter().map(TaskHandle::terms);
        let people = terms().flat_map(|(_, mandate)| mandate.approvals()).map(|approval| approval.operator());
        let modes = people.cloned().map(Mode::OnBehalfOf).chain([Mode::Autonomous]).collect();
        let tools = terms().flat_map(|(catalog, _)| catalog.tools()).map(|tool| (tool.name().clone(), Vec::new()));
        Self { modes, examples: tools.collect(), tasks }
    }

    /// With one more example: this action, on every errand in turn.
    #[must_use]
    pub fn example(mut self, action: Action) -> Self {
        self.examples.entry(action.tool().clone()).or_default().push(action);
        self
    }

    /// The lines under one task: the cells of each.
    fn lines(&self, task: &TaskHandle) -> Vec<Vec<String>> {
        let line = |(tool, examples): (&ToolName, &Vec<Action>)| {
            let line = |action: &Action| {
                let start = [format!("  {tool}"), resource(action), members(action.arguments())];
                let decided = self.modes.iter().map(|mode| decided(task, &action.in_mode(mode.clone())));
                start.into_iter().chain(decided).collect()
            };
            let mut lines: Vec<Vec<String>> = examples.iter().map(line).collect();
            if lines.is_empty() {
                lines.push(vec![format!("  {tool}"), "no example".to_owned()]);
            }
            lines
        };
        self.examples.iter().flat_map(line).collect()
    }

    /// The head of a column: people by their name alone, where that is enough.
    fn head(&self, mode: &Mode) -> String {
        let Some(person) = mode.operator() else { return mode.to_string() };
        let others = self.modes.iter().filter_map(Mode::operator).filter(|other| *other != person);
        let is_enough = others.into_iter().all(|other| other.subject() != person.subject());
        if is_enough { format!("for {}", person.subject()) } else { format!("for {person}") }
    }
}

/// A resource, with what came along of it.
fn resource(action: &Action) -> String {
    let (resource, attributes) = (action.resource(), members(action.resource_attributes()));
    if attributes.is_empty() { resource.to_string() } else { format!("{resource} {attributes}") }
}

/// Arguments in JSON; nothing where there are none.
fn members(arguments: &Arguments) -> String {
    let members: Vec<String> = arguments.iter().map(|(name, value)| member(name, value)).collect();
    if members.is_empty() { String::new() } else { format!("{{{}}}", members.join(", ")) }
}

fn member(name: &str, value: &Value) -> String {
    format!("{}: {}", quoted(name), json(value))
}

fn json(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => quoted(text),
        Value::List(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", ")),
        Value::Record(members) => {
            let members: Vec<String> = members.iter().map(|(name, value)| member(name, value)).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// One cell.
fn decided(task: &TaskHandle, action: &Action) -> String {
    let denied = |code: ReasonCode| format!("✗ {}", code.as_str());
    match task.verdict(action) {
        Err(ClockError) => denied(ReasonCode::Clock),
        Ok(verdict) => match (verdict.outcome, &verdict.reason) {
            (Outcome::Permitted, _) => "✓".to_owned(),
            (Outcome::Held, _) => "?".to_owned(),
            (Outcome::Denied, Some(reason)) => denied(reason.code()),
            (Outcome::Denied, None) => "✗".to_owned(),
        },
    }
}

impl fmt::Display for DecisionTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = ["tool", "resource", "arguments"].map(str::to_owned);
        let head: Vec<String> = start.into_iter().chain(self.modes.iter().map(|mode| self.head(mode))).collect();
        let groups: Vec<_> = self.tasks.iter().map(|task| (task.terms().1.agent().id(), self.lines(task))).collect();
        let mut widths = vec![0; head.len()];
        for line in groups.iter().flat_map(|(_, lines)| lines).chain([&head]) {
            widths.iter_mut().zip(line).for_each(|(width, cell)| *width = cell.chars().count().max(*width));
        }
        write_line(f, &head, &widths)?;
        for (agent, lines) in &groups {
            writeln!(f, "{agent}")?;
            lines.iter().try_for_each(|line| write_line(f, line, &widths))?;
        }
        Ok(())
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, cells: &[String], widths: &[usize]) -> fmt::Result {
    let padded: Vec<String> = cells.iter().zip(widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
    writeln!(f, "{}", padded.join("   ").trim_end())
}
