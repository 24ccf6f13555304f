//! The explanation: why the rules say what they say of one action, clause by clause, for whoever writes policies.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::clause::Clauses;
use super::compiled::{Asked, Effect};
use super::evaluator::decide_by;
use super::facts::Seen;
use super::policy::Policy;
use super::snapshot::Snapshot;
use super::{Clause, Evaluator, Outcome, PolicyName, PolicyNames, Question, Reason, Truth, Verdict, stack};
use crate::id::Prose;

/// Why the rules say what they say of one action.
///
/// It is for whoever writes policies or operates the host: it has the values of arguments, and is not to be shown to a
/// model. As text it has a line for each clause: `✓` holds, `✗` does not, `!` could not be evaluated, `·` was not
/// reached; and below one that does not hold, what is there instead of what is wanted.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use bailiwick::audit::MemorySink;
/// # use bailiwick::identity::{AgentId, HumanOperator, OperatorId, Registry, danger};
/// # use bailiwick::mandate::{Action, ActionClass, Grant, Intent, Mandate, Resource, Scope, Tool};
/// # use bailiwick::policy::{Catalog, Evaluator};
/// # use bailiwick::time::{Clock, SystemClock};
/// # use bailiwick::Authorizer;
/// # let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
/// # let agent = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
/// # let registry = Registry::new();
/// # registry.enroll(ada.clone())?;
/// # registry.register(agent.clone(), [ada.id().clone()])?;
/// # let catalog = Catalog::new().with(Tool::new("ticket.close".parse()?, ActionClass::Write))?;
/// let evaluator = Evaluator::new(catalog, r#"
///     @id("close-for-people")
///     permit(principal, action == Action::"ticket.close", resource)
///     when { resource.kind == "ticket" && context.mode == "on_behalf_of" };
/// "#)?;
/// # let door = Authorizer::builder(registry, evaluator, Arc::new(MemorySink::new(100))).build()?;
/// # let (now, hour) = (SystemClock.now()?, Duration::from_secs(3600));
/// # let ada = danger::operator_vouched_by_host(ada, now, now.after(hour))?;
/// # let agent = door.admit(danger::workload_vouched_by_host(agent, None, now.after(hour)))?;
/// # let intent = Intent::new("close", Scope::new().allow("ticket.close", Grant::new().autonomous())?)?;
/// # let task = door.begin(Mandate::new(agent, intent).approved_by(&ada))?;
/// let alone = Action::autonomous("ticket.close", &Resource::new("ticket", "T-42")?)?;
/// assert_eq!(task.explain(&alone)?.to_string(), r#"denied: no policy permits it
/// the nearest permits:
/// permit `close-for-people`
///   ✓ action == Action::"ticket.close"
///   ✓ resource.kind == "ticket"
///   ✗ context.mode == "on_behalf_of"
///       context.mode is "autonomous"
/// "#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// What the rules say.
    pub outcome: Outcome,
    /// Why not; absent when permitted. Where it is not about policies, it is the whole explanation.
    pub reason: Option<Reason>,
    /// The policies that decided, by name, at most 16: those that permit, those that forbid, or those that failed. Where
    /// nothing permits, the policies whose permit came nearest, at most 5: those with the fewest clauses that do not
    /// hold, and of these first those whose scope matches.
    pub policies: Vec<ExplainedPolicy>,
    /// How many more decided, or could have permitted.
    pub more: usize,
    /// Whether the policies were asked as if a human had approved exactly this action, which nobody did: an approval
    /// is all that is missing.
    pub supposes_approval: bool,
    /// Whether the verdict is not what is decided now: it is of other policies, or of another question. Then no policy
    /// is named.
    pub stale: bool,
}

/// A policy, and what came of each of its clauses.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ExplainedPolicy {
    /// Its name.
    pub name: PolicyName,
    /// What it does where it applies.
    pub effect: Effect,
    /// What it says of itself: its `@reason`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<Prose>,
    /// Its own text, into which the clauses point.
    #[serde(skip)]
    pub text: Arc<str>,
    /// Its clauses, in the order in which they are asked. None where it applies to everything.
    pub clauses: Vec<ExplainedClause>,
}

/// A clause, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExplainedClause {
    /// What it says, and where.
    #[serde(flatten)]
    pub clause: Clause,
    /// What came of it.
    pub truth: Truth,
    /// Where it does not hold or failed: what it looked at, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<PathValue>,
}

/// What a policy looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PathValue {
    /// A variable or an attribute, as Cedar writes it: `context.args.amount`.
    pub path: String,
    /// Its value, as Cedar writes it: at most 120 characters; of a set of more than 8 members how many there are.
    /// Absent where it is not there.
    pub value: Option<String>,
}

/// How many policies that decided are shown.
const MAX_DECIDING: usize = 16;
/// How many of those that could have permitted.
const MAX_NEAREST: usize = 5;
/// Among how many those are looked for, beginning with those whose scope matches.
const MAX_CANDIDATES: usize = 256;

impl Verdict {
    /// Why. A verdict is a small fact and does not keep what was asked, so the question comes along, and the evaluator
    /// that answered it: both as they were, or the explanation is [`stale`](Explanation::stale).
    ///
    /// It takes as long as reading the policies that it shows, some hundred microseconds, on a thread of its own; where
    /// there is none to be had no policy is named.
    #[must_use]
    pub fn explain(&self, evaluator: &Evaluator, question: &Question<'_>) -> Explanation {
        let explanation = Explanation {
            outcome: self.outcome,
            reason: self.reason.clone(),
            policies: Vec::new(),
            more: 0,
            supposes_approval: false,
            stale: false,
        };
        let Some(which) = Which::of(self) else { return explanation };
        let snapshot = evaluator.snapshot();
        let mut seen = None;
        let verdict = decide_by(&snapshot, question, || false, &mut seen);
        let Some(seen) = seen.filter(|_| verdict == *self) else {
            return Explanation { stale: true, ..explanation };
        };
        let explained = snapshot.look_at(question, seen, |asked| {
            let explaining = Explaining { snapshot: &snapshot, asked, seen };
            stack::deep(|| Ok(explaining.policies(&which)))
        });
        let (policies, more) = explained.and_then(Result::ok).unwrap_or_default();
        let supposes_approval = seen.approved && !question.is_approved();
        Explanation { policies, more, supposes_approval, ..explanation }
    }
}

/// Which policies explain a verdict.
enum Which<'v> {
    Named(&'v PolicyNames),
    Nearest,
}

impl<'v> Which<'v> {
    /// `None` where it is not about policies.
    fn of(verdict: &'v Verdict) -> Option<Self> {
        match &verdict.reason {
            None
            | Some(
                Reason::NeedsApproval(_)
                | Reason::ApprovalInvalid { .. }
                | Reason::ApprovalSpent { .. }
                | Reason::TooFewApprovals { .. }
                | Reason::TooManyRequests { .. },
            ) => Some(Self::Named(&verdict.policies)),
            // None failed where Cedar did not agree.
            Some(Reason::PolicyFailed(names)) if names.is_empty() => None,
            Some(Reason::Forbidden(names) | Reason::PolicyFailed(names)) => Some(Self::Named(names)),
            Some(Reason::NotPermitted) => Some(Self::Nearest),
            Some(_) => None,
        }
    }
}

/// One question, answered by one snapshot.
struct Explaining<'a> {
    snapshot: &'a Snapshot,
    asked: &'a Asked<'a>,
    seen: Seen,
}

impl Explaining<'_> {
    /// The policies that are shown, and how many are not.
    fn policies(&self, which: &Which<'_>) -> (Vec<ExplainedPolicy>, usize) {
        let (policies, of): (Vec<_>, _) = match which {
            Which::Named(names) => {
                let named = self.snapshot.policies().filter(|policy| names.contains(&policy.name));
                (named.take(MAX_DECIDING).map(|policy| self.policy(policy)).collect(), names.len())
            }
            Which::Nearest => self.nearest(),
        };
        let more = of.saturating_sub(policies.len());
        (policies, more)
    }

    /// Those that came nearest to a permit, and how many could have permitted.
    fn nearest(&self) -> (Vec<ExplainedPolicy>, usize) {
        let misses = |policy: &Policy| policy.rule.scope(self.asked).into_iter().filter(|admits| !admits).count();
        let permits = self.snapshot.policies().filter(|policy| policy.rule.effect == Effect::Permit);
        let mut permits: Vec<(usize, &Policy)> = permits.map(|policy| (misses(policy), policy)).collect();
        let count = permits.len();
        // Those that are as near stay in the order of their names.
        permits.sort_by_key(|(misses, _)| *misses);
        permits.truncate(MAX_CANDIDATES);
        let mut explained: Vec<_> = permits.iter().map(|(misses, policy)| (*misses, self.policy(policy))).collect();
        explained.sort_by_key(|(misses, policy)| {
            let but = |truths: &[Truth]| policy.clauses.iter().filter(|clause| !truths.contains(&clause.truth)).count();
            (but(&[Truth::True, Truth::NotReached]), *misses, but(&[Truth::True]))
        });
        (explained.into_iter().take(MAX_NEAREST).map(|(_, policy)| policy).collect(), count)
    }

    fn policy(&self, policy: &Policy) -> ExplainedPolicy {
        let clauses = Clauses::of(policy);
        let truths = clauses.truths(self.asked, self.seen);
        let explained = clauses.iter().zip(truths).map(|(tested, truth)| {
            let is_told = matches!(truth, Truth::False | Truth::Failed);
            let values = if is_told { tested.values(self.asked) } else { Vec::new() };
            let values = values.into_iter().map(|(path, value)| PathValue { path, value }).collect();
            ExplainedClause { clause: tested.clause.clone(), truth, values }
        });
        ExplainedPolicy {
            name: policy.name.clone(),
            effect: policy.rule.effect,
            because: policy.because.clone(),
            text: Arc::clone(&policy.text),
            clauses: explained.collect(),
        }
    }
}

impl ExplainedPolicy {
    /// Whether each of its clauses holds.
    pub fn applies(&self) -> bool {
        self.clauses.iter().all(|clause| clause.truth == Truth::True)
    }
}

impl std::error::Error for Explanation {}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::Denied => "denied",
            Outcome::Held => "held",
            Outcome::Permitted => "permitted",
        };
        match &self.reason {
            Some(reason) => writeln!(f, "{outcome}: {reason}")?,
            None => writeln!(f, "{outcome}")?,
        }
        if self.stale {
            writeln!(f, "the policies or the question are not those of the verdict any more")?;
        }
        match self.reason {
            Some(Reason::NotPermitted) if !self.policies.is_empty() => writeln!(f, "the nearest permits:")?,
            _ if self.supposes_approval => writeln!(f, "once a human has approved exactly this action:")?,
            _ => {}
        }
        for policy in &self.policies {
            writeln!(f, "{policy}")?;
            if policy.clauses.is_empty() {
                writeln!(f, "  ✓ without a condition")?;
            }
            policy.clauses.iter().try_for_each(|clause| clause.fmt(f))?;
        }
        if self.more > 0 { writeln!(f, "and {} more", self.more) } else { Ok(()) }
    }
}

/// Its effect, its name and its reason, on one line.
impl fmt::Display for ExplainedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.effect.as_str(), self.name)?;
        self.because.as_ref().map_or(Ok(()), |because| write!(f, ": {because}"))
    }
}

impl fmt::Display for ExplainedClause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {} {}", self.truth.mark(), self.clause.text)?;
        self.values.iter().try_for_each(|value| writeln!(f, "      {value}"))
    }
}

impl fmt::Display for PathValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{} is {value}", self.path),
            None => write!(f, "{} is absent", self.path),
        }
    }
}
