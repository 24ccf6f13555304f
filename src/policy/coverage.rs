//! Coverage: which policies, and which of their clauses, ever had a say in what was asked.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::clause::Clauses;
use super::compiled::Effect;
use super::evaluator::decide_by;
use super::snapshot::Snapshot;
use super::{Clause, Evaluator, PolicyError, PolicyName, Question, Reason, Truth, Verdict, stack};
use crate::canonical::Digest;

/// Counts what comes of every clause of every policy while questions are decided, for instance those of a test suite or
/// those that were recorded.
///
/// It belongs to the policies that were loaded when it was made, and goes on to decide by them: what the evaluator loads
/// later has a coverage of its own. A policy is covered where it decided at least once, and each of its clauses was seen
/// to hold and seen not to. Clauses are asked as in an [`Explanation`](super::Explanation).
///
/// ```
/// use bailiwick::mandate::{ActionClass, Tool};
/// use bailiwick::policy::{Catalog, Coverage, Evaluator, Gap};
///
/// let catalog = Catalog::new().with(Tool::new("ticket.close".parse()?, ActionClass::Write))?;
/// let evaluator = Evaluator::new(catalog, r#"
///     @id("tickets") permit(principal, action, resource) when { resource.kind == "ticket" };
/// "#)?;
/// let coverage = Coverage::new(&evaluator)?;
/// // … and coverage.observe(&question) in place of evaluator.decide(&question).
/// let gaps: Vec<String> = coverage.uncovered().map(|gap| gap.to_string()).collect();
/// assert_eq!(gaps, [
///     "`tickets` never decided",
///     "`tickets`: never true: resource.kind == \"ticket\"",
///     "`tickets`: never false: resource.kind == \"ticket\"",
/// ]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Serialize)]
pub struct Coverage {
    /// The digest of the policies.
    digest: Digest,
    questions: u64,
    /// Questions that were refused before policies were asked.
    guarded: u64,
    policies: Vec<CoveredPolicy>,
    #[serde(skip)]
    snapshot: Arc<Snapshot>,
    /// The clauses of each policy, as they are asked.
    #[serde(skip)]
    clauses: Vec<Clauses>,
}

/// What was seen of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CoveredPolicy {
    /// Its name.
    pub name: PolicyName,
    /// What it does where it applies.
    pub effect: Effect,
    /// How often it decided: it permitted, or it forbade, or it failed and so denied.
    pub decided: u64,
    /// Its clauses, in the order in which they are asked.
    pub clauses: Vec<CoveredClause>,
}

/// What was seen of a clause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CoveredClause {
    /// What it says, and where.
    #[serde(flatten)]
    pub clause: Clause,
    /// How often it held.
    #[serde(rename = "true")]
    pub holds: u64,
    /// How often it did not.
    #[serde(rename = "false")]
    pub fails: u64,
    /// How often it could not be evaluated.
    pub failed: u64,
    /// How often an earlier clause had settled the matter.
    pub not_reached: u64,
}

/// What was never seen of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gap<'c> {
    /// It never decided.
    Policy(&'c PolicyName),
    /// A clause of it was never seen to hold.
    NeverTrue(&'c PolicyName, &'c Clause),
    /// A clause of it was never seen not to hold.
    NeverFalse(&'c PolicyName, &'c Clause),
}

impl Coverage {
    /// Of the policies that are loaded now; nothing was asked yet.
    ///
    /// # Errors
    ///
    /// There is no thread with a stack of its own to read policies on.
    pub fn new(evaluator: &Evaluator) -> Result<Self, PolicyError> {
        let snapshot = evaluator.snapshot();
        let clauses: Vec<Clauses> = stack::deep(|| Ok(snapshot.policies().map(Clauses::of).collect()))?;
        let policies = snapshot.policies().zip(&clauses).map(|(policy, clauses)| CoveredPolicy {
            name: policy.name.clone(),
            effect: policy.rule.effect,
            decided: 0,
            clauses: clauses.iter().map(|tested| CoveredClause::new(&tested.clause)).collect(),
        });
        let policies = policies.collect();
        Ok(Self { digest: snapshot.digest(), questions: 0, guarded: 0, policies, snapshot, clauses })
    }

    /// Decides as [`Evaluator::decide`] does, and counts. Of the times that policies are asked for one question, the
    /// one that decides counts.
    pub fn observe(&mut self, question: &Question<'_>) -> Verdict {
        let mut seen = None;
        let verdict = decide_by(&self.snapshot, question, || false, &mut seen);
        self.questions = self.questions.saturating_add(1);
        let Some(seen) = seen else {
            self.guarded = self.guarded.saturating_add(1);
            return verdict;
        };
        let deciding = match &verdict.reason {
            Some(Reason::PolicyFailed(failed)) => failed,
            _ => &verdict.policies,
        };
        let (policies, clauses) = (&mut self.policies, &self.clauses);
        let _ = self.snapshot.look_at(question, seen, |asked| {
            for (policy, clauses) in policies.iter_mut().zip(clauses) {
                policy.decided = policy.decided.saturating_add(u64::from(deciding.contains(&policy.name)));
                let truths = clauses.truths(asked, seen);
                policy.clauses.iter_mut().zip(truths).for_each(|(clause, truth)| clause.count(truth));
            }
        });
        verdict
    }

    /// The digest of the policies that it is of.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How many questions were decided.
    pub fn questions(&self) -> u64 {
        self.questions
    }

    /// Every policy, by name.
    pub fn policies(&self) -> &[CoveredPolicy] {
        &self.policies
    }

    /// What was never seen, policy by policy.
    pub fn uncovered(&self) -> impl Iterator<Item = Gap<'_>> {
        self.policies.iter().flat_map(CoveredPolicy::gaps)
    }
}

impl CoveredPolicy {
    /// How much of it was seen, in percent, rounded down: that it decided, and of each clause that it holds and that it
    /// does not.
    pub fn percent(&self) -> usize {
        let all = self.clauses.len().saturating_mul(2).saturating_add(1);
        let seen = all.saturating_sub(self.gaps().count());
        seen.saturating_mul(100).checked_div(all).unwrap_or(0)
    }

    fn gaps(&self) -> impl Iterator<Item = Gap<'_>> {
        let clauses = self.clauses.iter().flat_map(|covered| {
            let never_true = (covered.holds == 0).then_some(Gap::NeverTrue(&self.name, &covered.clause));
            let never_false = (covered.fails == 0).then_some(Gap::NeverFalse(&self.name, &covered.clause));
            never_true.into_iter().chain(never_false)
        });
        (self.decided == 0).then_some(Gap::Policy(&self.name)).into_iter().chain(clauses)
    }
}

impl CoveredClause {
    fn new(clause: &Clause) -> Self {
        Self { clause: clause.clone(), holds: 0, fails: 0, failed: 0, not_reached: 0 }
    }

    fn count(&mut self, truth: Truth) {
        let counter = match truth {
            Truth::True => &mut self.holds,
            Truth::False => &mut self.fails,
            Truth::Failed => &mut self.failed,
            Truth::NotReached => &mut self.not_reached,
        };
        *counter = counter.saturating_add(1);
    }
}

/// A table: for each policy how much of it was seen and how often it decided, and for each of its clauses how often it
/// held (`✓`), did not (`✗`), failed (`!`) and was not reached (`·`).
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { digest, questions, guarded, .. } = self;
        writeln!(f, "policies {digest}")?;
        writeln!(f, "{questions} questions, {guarded} of them refused before policies were asked")?;
        // No count is larger than that of the questions.
        let width = questions.to_string().len().max(4);
        let marks = [Truth::True, Truth::False, Truth::Failed, Truth::NotReached].map(Truth::mark);
        let [holds, fails, failed, not_reached] = marks;
        writeln!(
            f,
            "\nseen   {:>decided$}   {holds:>width$} {fails:>width$} {failed:>width$} {not_reached:>width$}",
            "decided",
            decided = width.max(7),
        )?;
        for policy in &self.policies {
            let (percent, decided) = (policy.percent(), policy.decided);
            let (effect, space) = (policy.effect.as_str(), width.saturating_mul(4).saturating_add(3));
            writeln!(
                f,
                "{percent:>3}%   {decided:>wide$}   {:space$}   {effect} `{}`",
                "",
                policy.name,
                wide = width.max(7)
            )?;
            for CoveredClause { clause, holds, fails, failed, not_reached } in &policy.clauses {
                let before = width.max(7).saturating_add(10);
                writeln!(
                    f,
                    "{:before$}{holds:>width$} {fails:>width$} {failed:>width$} {not_reached:>width$}     {}",
                    "", clause.text
                )?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Gap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(name) => write!(f, "`{name}` never decided"),
            Self::NeverTrue(name, clause) => write!(f, "`{name}`: never true: {}", clause.text),
            Self::NeverFalse(name, clause) => write!(f, "`{name}`: never false: {}", clause.text),
        }
    }
}
