//! The test files of `cedar run-tests`, Cedar's own command line: read, written and run.
//!
//! Such a test is a request with its entities, and what policies answer: nothing of tasks, scopes and budgets is in it. It
//! fits where policies are shared with services that run Cedar, and lets each side hold the other's answers against its own.
//!
//! ```
//! use bailiwick::mandate::{Action, ActionClass, Grant, Resource, Scope, Tool};
//! use bailiwick::policy::{Catalog, compiled::Compiled};
//! use bailiwick::testing::World;
//! use bailiwick::testing::cedar_tests::{Test, Tests};
//!
//! # let catalog = Catalog::new().with(Tool::new("ticket.close".parse()?, ActionClass::Write))?;
//! # let scope = Scope::new().allow("ticket.close", Grant::new().autonomous())?;
//! # let ticket = Resource::new("ticket", "T-42")?;
//! let policies = r#"@id("tickets") permit(principal, action, resource) when { resource.kind == "ticket" };"#;
//! let world = World::new(catalog, policies)?;
//! let task = world.task(&world.agent("triage")?, scope, [&world.operator("ada")?])?;
//! let test = Test::of("closes tickets", &task, &Action::autonomous("ticket.close", &ticket)?)?;
//! let written = Tests::from_iter([test]).to_json()?;
//!
//! // `cedar run-tests --policies policies.cedar --tests tests.json` passes too.
//! let report = Tests::from_json(&written)?.run(&Compiled::named(policies)?);
//! assert!(report.is_passed(), "{report}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod written;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use self::written::Written;
use crate::json::{self, JsonError, Limits};
use crate::mandate::{Action, ToolError, ToolName};
use crate::policy::Message;
use crate::policy::compiled::{Compiled, Request, Response};
use crate::task::TaskHandle;
use crate::time::ClockError;

/// What is read of one file.
const LIMITS: Limits = Limits { bytes: 64 * 1024 * 1024, depth: 64 };

/// The tests of one file.
///
/// In JSON: an array of `{"name", "request": {"principal", "action", "resource", "context"}, "entities", "decision",
/// "reason", "num_errors"}`, where a name may be left out. Entities and contexts are in Cedar's JSON format, as it is without
/// a schema: a reference to an entity is `{"__entity": {"type", "id"}}`. Entities that are the name of a file are refused: no
/// file is opened here. Members that are not known are not read.
#[derive(Debug, Clone, Default)]
pub struct Tests(Vec<Test>);

/// One request, and what the policies must answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Test {
    /// What the test is called.
    pub name: Option<String>,
    /// What is asked.
    pub request: Request,
    /// What Cedar's rule makes of the policies.
    pub decision: Decision,
    /// Policies that are among those that decide; there may be more.
    pub reason: BTreeSet<String>,
    /// How many policies cannot be evaluated.
    pub num_errors: usize,
}

/// What Cedar's rule makes of policies: one permits, and none forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(clippy::exhaustive_enums, reason = "Cedar has no third decision")]
pub enum Decision {
    /// It is so.
    Allow,
    /// It is not.
    Deny,
}

/// A file of tests cannot be read, or a test cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TestsError {
    /// The text is not strict JSON, or is over a bound.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The text is no array of tests.
    #[error("no tests in the form of `cedar run-tests`: {0}")]
    Shape(Message),
    /// A part of one test is not what Cedar would read.
    #[error("the {what} of the test number {number} cannot be read: {why}")]
    Unreadable {
        /// Its place, from 1.
        number: usize,
        /// Which part.
        what: &'static str,
        /// What Cedar says.
        why: Message,
    },
    /// Cedar has no form for a part of a test.
    #[error("a test cannot be written: {0}")]
    Unwritten(Message),
    /// No policy is asked about arguments that do not fit the tool.
    #[error(transparent)]
    Arguments(#[from] ToolError),
    /// No policy is asked about a tool that is not declared.
    #[error("the tool {0} is not in the catalogue")]
    Undeclared(ToolName),
    /// The clock failed.
    #[error(transparent)]
    Clock(#[from] ClockError),
}

impl Tests {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The text is not strict JSON of at most 64 MiB, or a test is not what Cedar would read: the first of them.
    pub fn from_json(text: &str) -> Result<Self, TestsError> {
        // Cedar's reader takes the last of two members with one name.
        json::parse(text, LIMITS)?;
        let tests: Vec<Written> = serde_json::from_str(text).map_err(|error| TestsError::Shape(Message::of(&error)))?;
        (1..).zip(tests).map(|(number, test)| test.read(number)).collect()
    }

    /// Writes a file. The same tests are the same text.
    ///
    /// # Errors
    ///
    /// Cedar has no form for a part of a request.
    pub fn to_json(&self) -> Result<String, TestsError> {
        let written = self.0.iter().map(Written::of).collect::<Result<Vec<_>, _>>()?;
        serde_json::to_string_pretty(&written).map_err(|error| TestsError::Unwritten(Message::of(&error)))
    }

    /// Runs each against these policies. [`Compiled::named`] names policies as Cedar's command line does.
    pub fn run(&self, policies: &Compiled) -> Report {
        let run = |(number, test): (usize, &Test)| Outcome {
            name: test.name.clone().unwrap_or_else(|| format!("number {number}")),
            differences: test.differences(&policies.answer(&test.request)),
        };
        Report((1..).zip(&self.0).map(run).collect())
    }

    /// Each test, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Test> {
        self.0.iter()
    }
}

impl FromIterator<Test> for Tests {
    fn from_iter<I: IntoIterator<Item = Test>>(tests: I) -> Self {
        Self(tests.into_iter().collect())
    }
}

impl Test {
    /// The test that the policies answer what they answer now: of what they are asked about an action of this task, whatever
    /// the task, its scope and its budget allow. An annotation that only this crate knows (`@requires`) is not part of it.
    ///
    /// # Errors
    ///
    /// The tool is not declared or does not take these arguments, or the clock failed.
    pub fn of(name: &str, task: &TaskHandle, action: &Action) -> Result<Self, TestsError> {
        let tool = action.tool();
        task.asked(action, |evaluator, question| {
            let undeclared = || TestsError::Undeclared(tool.clone());
            evaluator.catalog().get(tool).ok_or_else(undeclared)?.check(action.arguments())?;
            let request = evaluator.request(question).ok_or_else(undeclared)?;
            let policies = evaluator.compiled();
            let response = policies.answer(&request);
            Ok(Self {
                name: Some(name.to_owned()),
                decision: Decision::of(&response),
                reason: response.determining().map(str::to_owned).collect(),
                num_errors: response.failed().count(),
                request,
            })
        })?
    }

    /// Everything that is not as it must be.
    fn differences(&self, response: &Response<'_>) -> Vec<String> {
        let mut differences = Vec::new();
        let decision = Decision::of(response);
        if decision != self.decision {
            differences.push(format!("decision: wanted {} but found {decision}", self.decision));
        }
        let found: BTreeSet<String> = response.determining().map(str::to_owned).collect();
        if !self.reason.is_subset(&found) {
            differences.push(format!("reason: wanted {} but found {}", list(&self.reason), list(&found)));
        }
        let failed: BTreeSet<String> = response.failed().map(str::to_owned).collect();
        if failed.len() != self.num_errors {
            let names = if failed.is_empty() { String::new() } else { format!(" ({})", list(&failed)) };
            differences.push(format!("errors: wanted {} but found {}{names}", self.num_errors, failed.len()));
        }
        differences
    }
}

fn list(names: &BTreeSet<String>) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") }
}

impl Decision {
    fn of(response: &Response<'_>) -> Self {
        if response.is_allowed() { Self::Allow } else { Self::Deny }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        })
    }
}

/// Which tests passed, and what was found instead where they failed: a line for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report(Vec<Outcome>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Outcome {
    name: String,
    /// None where it passed.
    differences: Vec<String>,
}

impl Report {
    /// Whether every test passed.
    pub fn is_passed(&self) -> bool {
        self.failed().next().is_none()
    }

    /// The names of the tests that failed.
    pub fn failed(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|test| !test.differences.is_empty()).map(|test| test.name.as_str())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Outcome { name, differences } in &self.0 {
            let said = if differences.is_empty() { "passed".to_owned() } else { differences.join("; ") };
            writeln!(f, "{name}: {said}")?;
        }
        let failed = self.failed().count();
        write!(f, "{} passed, {failed} failed", self.0.len().saturating_sub(failed))
    }
}
