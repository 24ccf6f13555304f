//! Assertions on what is decided, which say what disagreed and why.

use crate::mandate::Action;
use crate::policy::{Outcome, PolicyName, ReasonCode, Verdict};
use crate::task::TaskHandle;

/// Asserts that an action is permitted now: `assert_permit!(task, action)`, with a [`Task`](crate::Task) or a
/// [`TaskHandle`](crate::TaskHandle) and an [`Action`](crate::mandate::Action). Nothing is recorded or spent.
///
/// # Panics
///
/// It is denied or held; the message says why.
#[doc(hidden)]
#[macro_export]
macro_rules! __assert_permit {
    ($task:expr, $action:expr $(,)?) => {
        $crate::testing::Wanted::permitted().check(&$task, &$action)
    };
}
pub use __assert_permit as assert_permit;

/// Asserts that an action is denied now, not held: `assert_deny!(task, action)`. With `reason = ReasonCode::Forbidden` it is
/// denied for that reason; with `by = ["a", "b"]` the policies that denied it are these, in whatever order, and no others.
/// Nothing is recorded or spent.
///
/// # Panics
///
/// It is permitted or held, or denied otherwise; the message says what was wanted, what was found, and why.
#[doc(hidden)]
#[macro_export]
macro_rules! __assert_deny {
    ($task:expr, $action:expr $(, reason = $reason:expr)? $(, by = $by:expr)? $(,)?) => {
        $crate::testing::Wanted::denied()$(.for_reason($reason))?$(.by(&$by))?.check(&$task, &$action)
    };
}
pub use __assert_deny as assert_deny;

/// Asserts that an action is held now: denied until a human approves exactly it. `assert_held!(task, action)`. Nothing is
/// recorded or spent.
///
/// # Panics
///
/// It is permitted, or denied for good; the message says why.
#[doc(hidden)]
#[macro_export]
macro_rules! __assert_held {
    ($task:expr, $action:expr $(,)?) => {
        $crate::testing::Wanted::held().check(&$task, &$action)
    };
}
pub use __assert_held as assert_held;

/// What a test wants of a verdict: what the assertions expand to.
#[derive(Debug)]
#[must_use = "nothing is asserted before `check`"]
pub struct Wanted<'a> {
    outcome: Outcome,
    reason: Option<ReasonCode>,
    by: Option<&'a [&'a str]>,
}

impl<'a> Wanted<'a> {
    fn that(outcome: Outcome) -> Self {
        Self { outcome, reason: None, by: None }
    }

    /// It is permitted.
    pub fn permitted() -> Self {
        Self::that(Outcome::Permitted)
    }

    /// It is held.
    pub fn held() -> Self {
        Self::that(Outcome::Held)
    }

    /// It is denied.
    pub fn denied() -> Self {
        Self::that(Outcome::Denied)
    }

    /// For this reason.
    pub fn for_reason(self, reason: ReasonCode) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// By these policies, and no others.
    pub fn by(self, by: &'a [&'a str]) -> Self {
        Self { by: Some(by), ..self }
    }

    /// Asserts that the rules say so now.
    ///
    /// # Panics
    ///
    /// They do not, or the clock failed.
    #[track_caller]
    #[allow(clippy::panic, reason = "an assertion that fails")]
    pub fn check(self, task: &TaskHandle, action: &Action) {
        let (tool, resource, mode) = (action.tool(), action.resource(), action.mode());
        let asked = format!("`{tool}` on `{resource}`, {mode}");
        match task.verdict(action) {
            Err(error) => panic!("{asked}, cannot be decided: {error}"),
            Ok(verdict) => {
                let differences = self.differences(&verdict);
                if !differences.is_empty() {
                    panic!("{asked}, is not decided as wanted\n{differences}{}", explained(task, action));
                }
            }
        }
    }

    /// A line for everything that is not as wanted.
    fn differences(&self, verdict: &Verdict) -> String {
        let mut lines = String::new();
        let mut compare = |what: &str, wanted: String, found: String| {
            if wanted != found {
                lines.push_str(&format!("  {what}: wanted {wanted} but found {found}\n"));
            }
        };
        compare("outcome", name(self.outcome).to_owned(), name(verdict.outcome).to_owned());
        if let Some(wanted) = self.reason {
            let found = verdict.reason.as_ref().map(|reason| reason.code().as_str());
            compare("reason", wanted.as_str().to_owned(), found.unwrap_or("none").to_owned());
        }
        if let Some(wanted) = self.by {
            compare("by", list(wanted.to_vec()), list(verdict.policies.iter().map(PolicyName::as_str).collect()));
        }
        lines
    }
}

fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Permitted => "permitted",
        Outcome::Held => "held",
        Outcome::Denied => "denied",
    }
}

/// Names in order, each once.
fn list(mut names: Vec<&str>) -> String {
    names.sort_unstable();
    names.dedup();
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() { "no policy".to_owned() } else { quoted.join(", ") }
}

/// Why it is decided as it is.
fn explained(task: &TaskHandle, action: &Action) -> String {
    match task.explain(action) {
        Ok(explanation) => explanation.to_string().trim_end().to_owned(),
        Err(error) => error.to_string(),
    }
}
