//! The benchmark's files: the tools, what the person asked, and the calls that were made, by the agent and by the attacker.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bailiwick::mandate::{Arguments, ToolName};
use bailiwick::policy::Catalog;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Where the files come from.
pub(crate) const ORIGIN: &str = "\
SUITE-tools-list.json  the tools, as an MCP server lists them: name, description, inputSchema
SUITE-tasks.json       `user_tasks` with the person's `prompt`, `injection_tasks` with the attacker's `goal`
SUITE-runs.jsonl       one run a line: user_task, injection_task (null in a benign run), calls with `by`, `f`, `a`, `out`
They are made from AgentDojo v1.2 (ETH Zurich, MIT licence, https://github.com/ethz-spylab/agentdojo), whose
environments run each task's ground truth, and are no part of this project.";

/// The data could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataError {
    #[error("no file {} in {}", .files.join(", "), .dir.display())]
    Missing { dir: PathBuf, files: Vec<String> },
    #[error("{} cannot be read", .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{place}")]
    Malformed { place: String, source: Box<dyn std::error::Error> },
    #[error("there is no run of {user} under {attack}")]
    NoRun { user: String, attack: String },
}

/// One suite's data.
#[derive(Debug)]
pub(crate) struct Data {
    /// The tools, as the MCP server lists them.
    pub(crate) listed: Catalog,
    /// What the person asked, by user task.
    pub(crate) prompts: Vec<(String, String)>,
    /// What the attacker wants, by injection task.
    pub(crate) goals: Vec<(String, String)>,
    runs: Runs,
}

/// The runs of each user task: the benign one, and one under each injection task.
type Runs = BTreeMap<(String, Option<String>), Run>;

/// One run.
#[derive(Debug)]
pub(crate) struct Run {
    /// What the agent did for the user. In an attacked run the planted text is in the outputs.
    pub(crate) user: Vec<Call>,
    /// What it then did for the attacker.
    pub(crate) injected: Vec<Call>,
}

/// One tool call, as it was really made.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) tool: ToolName,
    pub(crate) arguments: Arguments,
    /// What the tool gave back, as JSON.
    pub(crate) output: String,
}

impl Data {
    /// Reads the suite's three files in `dir`.
    pub(crate) fn read(dir: &Path, suite: &str) -> Result<Self, DataError> {
        let file = |what: &str| format!("{suite}-{what}");
        let names = [file("tools-list.json"), file("tasks.json"), file("runs.jsonl")];
        let files: Vec<String> = names.iter().filter(|name| !dir.join(name).is_file()).cloned().collect();
        if !files.is_empty() {
            return Err(DataError::Missing { dir: dir.to_owned(), files });
        }
        let [tools_list, tasks, runs] = names.map(|name| dir.join(name));
        let listed = Catalog::from_mcp(&read(&tools_list)?);
        let Tasks { user_tasks, injection_tasks } = parse(&tasks.display().to_string(), &read(&tasks)?)?;
        Ok(Self {
            listed: listed.map_err(|source| malformed(&tools_list.display().to_string(), source))?,
            prompts: in_order(user_tasks.into_iter().map(|(name, task)| (name, task.prompt))),
            goals: in_order(injection_tasks.into_iter().map(|(name, task)| (name, task.goal))),
            runs: read_runs(&runs)?,
        })
    }

    /// The run of a user task, with this injection task planted into it, or without any.
    pub(crate) fn run(&self, user: &str, injection: Option<&str>) -> Result<&Run, DataError> {
        let run = self.runs.get(&(user.to_owned(), injection.map(str::to_owned)));
        run.ok_or_else(|| DataError::NoRun {
            user: user.to_owned(),
            attack: injection.unwrap_or("no attack").to_owned(),
        })
    }
}

#[derive(Deserialize)]
struct Tasks {
    user_tasks: BTreeMap<String, UserTask>,
    injection_tasks: BTreeMap<String, InjectionTask>,
}

/// The ground truth that stands beside the prompt is not read.
#[derive(Deserialize)]
struct UserTask {
    prompt: String,
}

#[derive(Deserialize)]
struct InjectionTask {
    goal: String,
}

#[derive(Deserialize)]
struct Written {
    user_task: String,
    injection_task: Option<String>,
    calls: Vec<Made>,
}

/// A call as the file has it. The arguments stay text until the library reads them, so that no digit is lost.
#[derive(Deserialize)]
struct Made {
    by: Maker,
    f: ToolName,
    a: Box<RawValue>,
    out: Box<RawValue>,
}

#[derive(PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Maker {
    User,
    Injection,
}

fn read(path: &Path) -> Result<String, DataError> {
    fs::read_to_string(path).map_err(|source| DataError::Unreadable { path: path.to_owned(), source })
}

fn malformed(place: &str, source: impl Into<Box<dyn std::error::Error>>) -> DataError {
    DataError::Malformed { place: place.to_owned(), source: source.into() }
}

fn parse<'a, T: Deserialize<'a>>(place: &str, text: &'a str) -> Result<T, DataError> {
    serde_json::from_str(text).map_err(|source| malformed(place, source))
}

/// `user_task_2` comes before `user_task_10`.
fn in_order(tasks: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut tasks: Vec<_> = tasks.collect();
    tasks.sort_by_key(|(name, _)| (name.len(), name.clone()));
    tasks
}

fn read_runs(path: &Path) -> Result<Runs, DataError> {
    let text = read(path)?;
    let mut runs = Runs::new();
    for (line, text) in (1_usize..).zip(text.lines()) {
        let place = format!("{}, run {line}", path.display());
        let written: Written = parse(&place, text)?;
        let mut run = Run { user: Vec::new(), injected: Vec::new() };
        for Made { by, f, a, out } in written.calls {
            let arguments = Arguments::from_json(a.get()).map_err(|source| malformed(&place, source))?;
            let calls = if by == Maker::User { &mut run.user } else { &mut run.injected };
            calls.push(Call { tool: f, arguments, output: out.get().to_owned() });
        }
        runs.insert((written.user_task, written.injection_task), run);
    }
    Ok(runs)
}
