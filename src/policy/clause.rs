//! The clauses of a policy: the parts of which each must hold for it to apply, asked one by one.

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use super::compiled::{self, Actions, Asked, Made, Path, Rule, Scope, Variable};
use super::facts::Seen;
use super::layout::{Condition, Fragment, Layout};
use super::policy::Policy;
use super::syntax;

/// A clause of a policy: a part of its scope that leaves something out, one of the conditions that `&&` joins in a
/// `when`, an `unless`, or the approval that it wants. A policy applies where each of its clauses holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Clause {
    /// Which part of the policy.
    pub kind: ClauseKind,
    /// What the policy says there, on one line and without comments: at most 400 characters of it.
    pub text: String,
    /// Where that stands in the policy's own text, in bytes.
    pub span: Range<usize>,
}

/// Which part of a policy a clause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClauseKind {
    /// What its scope says of the principal.
    Principal,
    /// What its scope says of the action.
    Action,
    /// What its scope says of the resource.
    Resource,
    /// A `when`, or one of several conditions that `&&` joins there.
    When,
    /// An `unless`: it holds where its condition does not.
    Unless,
    /// `@requires("approval")`: a human's approval of exactly the action.
    Approval,
    /// All of it, where its clauses could not be told apart.
    Whole,
}

/// What came of a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "there is no fifth")]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It could not be evaluated.
    Failed,
    /// An earlier clause did not hold, or failed: it was not asked.
    NotReached,
}

impl Truth {
    /// As one character: `✓`, `✗`, `!` or `·`.
    pub fn mark(self) -> char {
        match self {
            Self::True => '✓',
            Self::False => '✗',
            Self::Failed => '!',
            Self::NotReached => '·',
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// How much is kept of the text of a clause, in characters.
const MAX_TEXT: usize = 400;
/// How many paths are looked up for one clause.
const MAX_PATHS: usize = 16;

/// The clauses of one policy, to be asked.
#[derive(Debug)]
pub(super) struct Clauses {
    rule: Arc<Rule>,
    all: Vec<Tested>,
}

/// A clause, and how it is asked.
#[derive(Debug)]
pub(super) struct Tested {
    pub(super) clause: Clause,
    test: Test,
    /// What it looks at.
    paths: Vec<Path>,
}

#[derive(Debug)]
enum Test {
    Principal,
    Action,
    Resource,
    Approval,
    Condition(Arc<Rule>),
}

impl Clauses {
    /// Reads the clauses of a policy, on the stack of the room.
    pub(super) fn of(policy: &Policy) -> Self {
        let all = told_apart(policy).unwrap_or_else(|| vec![whole(policy)]);
        Self { rule: Arc::clone(&policy.rule), all }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Tested> {
        self.all.iter()
    }

    /// What comes of each. The parts of the scope are looked at each for itself, for they cannot fail. The conditions
    /// follow as Cedar evaluates them, up to the first that does not hold; the approval is last.
    pub(super) fn truths(&self, asked: &Asked<'_>, seen: Seen) -> Vec<Truth> {
        let made = Made::default();
        let [principal, action, resource] = self.rule.scope(asked);
        let mut goes_on = principal && action && resource;
        let mut truths = Vec::with_capacity(self.all.len());
        for tested in &self.all {
            let truth = match &tested.test {
                Test::Principal => principal.into(),
                Test::Action => action.into(),
                Test::Resource => resource.into(),
                _ if !goes_on => Truth::NotReached,
                Test::Condition(rule) => rule.applies(asked, &made).map_or(Truth::Failed, Truth::from),
                Test::Approval => seen.approved.into(),
            };
            goes_on = goes_on && truth == Truth::True;
            truths.push(truth);
        }
        truths
    }
}

impl Tested {
    /// What the clause looks at, and what that is; nothing where it is not there.
    pub(super) fn values(&self, asked: &Asked<'_>) -> Vec<(String, Option<String>)> {
        let value = |path: &Path| path.value(asked).map(|value| compiled::brief(&value));
        self.paths.iter().map(|path| (compiled::cut(path, MAX_TEXT), value(path))).collect()
    }
}

/// The clauses in the order in which they are asked; `None` where the text is not understood.
fn told_apart(policy: &Policy) -> Option<Vec<Tested>> {
    let Layout { annotations, principal, action, resource, conditions, .. } = Layout::of(&policy.text)?;
    let rule = &policy.rule;
    let mut all = Vec::new();
    let mut scope = |says: bool, (kind, test, variable), fragment: &Fragment| {
        if says {
            all.push(Tested { clause: clause(kind, fragment), test, paths: vec![Path::variable(variable)] });
        }
    };
    let (who, what) = (ClauseKind::Principal, ClauseKind::Resource);
    scope(rule.principal != Scope::Any, (who, Test::Principal, Variable::Principal), &principal);
    scope(rule.actions != Actions::Any, (ClauseKind::Action, Test::Action, Variable::Action), &action);
    scope(rule.resource != Scope::Any, (what, Test::Resource, Variable::Resource), &resource);
    for (kind, fragment) in &conditions {
        all.push(condition(*kind, fragment)?);
    }
    if policy.wants_approval {
        let wants = annotations.iter().find(|annotation| annotation.name == "requires")?;
        let clause = Clause { text: "needs approval".to_owned(), ..clause(ClauseKind::Approval, &wants.whole) };
        all.push(Tested { clause, test: Test::Approval, paths: Vec::new() });
    }
    Some(all)
}

/// One condition, as a policy of its own.
fn condition(kind: Condition, fragment: &Fragment) -> Option<Tested> {
    let text = &fragment.text;
    let (kind, text) = match kind {
        Condition::When => (ClauseKind::When, format!("permit(principal, action, resource) when {{ {text} }};")),
        Condition::Unless => (ClauseKind::Unless, format!("permit(principal, action, resource) {text};")),
    };
    let policy = cedar_policy::Policy::parse(None, text).ok()?;
    let (tree, _) = compiled::filled(&policy).ok()?;
    let mut paths = Vec::new();
    syntax::conditions(tree.clauses()).for_each(|condition| Path::all(condition, &mut paths));
    paths.truncate(MAX_PATHS);
    Some(Tested { clause: clause(kind, fragment), test: Test::Condition(Arc::new(Rule::of(&policy).ok()?)), paths })
}

fn clause(kind: ClauseKind, fragment: &Fragment) -> Clause {
    Clause { kind, text: compiled::cut(&fragment.text, MAX_TEXT), span: fragment.span.clone() }
}

/// A policy as one clause. Without the approval that it may want: it is asked as if it had that.
fn whole(policy: &Policy) -> Tested {
    let fragment = Fragment { span: 0..policy.text.len(), text: format!("the policy {}", policy.name) };
    let test = Test::Condition(Arc::clone(&policy.rule));
    Tested { clause: clause(ClauseKind::Whole, &fragment), test, paths: Vec::new() }
}
