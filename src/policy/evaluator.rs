//! The evaluator: Cedar text in, verdicts out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arc_swap::ArcSwap;

use super::compiled::{Compiled, Request};
use super::facts::{Attributes, Seen, Values};
use super::snapshot::{Asks, Prepared, Snapshot, Terms};
use super::{
    Bundle, Catalog, EvaluatorBuilder, Lint, Outcome, PolicyError, PolicyName, PolicyNames, Question, Reason, Verdict,
    guard,
};
use crate::canonical::Digest;
use crate::id::Prose;
use crate::mandate::{ActionClass, Approval, Beyond};

/// Decides with one snapshot of policies at a time. Cheap to clone; clones share the snapshot. A door keeps its own: what
/// it reloads changes nothing elsewhere.
///
/// ```
/// use bailiwick::mandate::{ActionClass, Tool};
/// use bailiwick::policy::{Catalog, Evaluator};
///
/// let catalog = Catalog::new().with(Tool::new("ticket.close".parse()?, ActionClass::Write))?;
/// let evaluator = Evaluator::new(catalog, r#"
///     @id("close-for-people")
///     permit(principal, action == Action::"ticket.close", resource)
///     when { context.mode == "on_behalf_of" && resource.kind == "ticket" };
/// "#)?;
///
/// // A policy whose principal is a person is none: it could never apply.
/// let catalog = evaluator.catalog().clone();
/// assert!(Evaluator::new(catalog, r#"@id("p") permit(principal is HumanOperator, action, resource);"#).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Evaluator {
    terms: Arc<Terms>,
    snapshot: Arc<ArcSwap<Snapshot>>,
    /// Decisions that were counted, where Cedar is asked every so often.
    decisions: Arc<AtomicU32>,
}

/// A bundle that loaded and does not decide yet.
#[derive(Debug)]
pub(crate) struct Loaded(Snapshot);

impl Loaded {
    pub(crate) fn digest(&self) -> Digest {
        self.0.digest()
    }
}

impl Evaluator {
    /// Loads Cedar policies over the tools of `catalog`: a text, or a [`Bundle`]. Every policy has an `@id`, unique among
    /// them.
    ///
    /// # Errors
    ///
    /// The text is over a bound, does not parse, does not pass Cedar's strict validation without a warning, an `@id` is
    /// missing or doubled, a policy is too broad and does not say that it is meant to be
    /// ([`lint`](Self::lint)), or the directory contradicts itself or the catalogue.
    pub fn new(catalog: Catalog, bundle: impl Into<Bundle>) -> Result<Self, PolicyError> {
        Self::builder(catalog).load(bundle)
    }

    /// Builds an evaluator with more than policies: a schema of the host's, a pinned key, cross-checks.
    pub fn builder(catalog: Catalog) -> EvaluatorBuilder {
        EvaluatorBuilder::new(catalog)
    }

    pub(super) fn load(terms: Arc<Terms>, bundle: &Bundle) -> Result<Self, PolicyError> {
        let snapshot = Snapshot::load(&terms, bundle, None)?;
        Ok(Self { terms, snapshot: Arc::new(ArcSwap::from_pointee(snapshot)), decisions: Arc::default() })
    }

    /// The same policies, to be replaced apart from these.
    pub(crate) fn apart(&self) -> Self {
        let snapshot = Arc::new(ArcSwap::new(self.snapshot.load_full()));
        Self { terms: Arc::clone(&self.terms), snapshot, decisions: Arc::default() }
    }

    /// Loads another bundle over the same tools. What is as it was is not read again.
    pub(crate) fn prepare(&self, bundle: &Bundle) -> Result<Loaded, PolicyError> {
        Snapshot::load(&self.terms, bundle, Some(&self.snapshot.load())).map(Loaded)
    }

    /// Replaces everything that decides, for every clone. A decision sees the old or the new, never parts of both.
    pub(crate) fn install(&self, loaded: Loaded) {
        self.snapshot.store(Arc::new(loaded.0));
    }

    /// What is loaded.
    pub fn report(&self) -> Report {
        let snapshot = self.snapshot.load();
        let foreign = snapshot.policies().filter(|policy| policy.rule.is_foreign());
        Report {
            digest: snapshot.digest(),
            version: snapshot.version(),
            policies: snapshot.policies().count(),
            entities: snapshot.entities(),
            foreign: foreign.map(|policy| policy.name.clone()).collect(),
        }
    }

    /// The tools that policies are about.
    pub fn catalog(&self) -> &Catalog {
        &self.terms.catalog
    }

    /// The digest of the policies and the schema that decide now.
    pub fn digest(&self) -> Digest {
        self.snapshot.load().digest()
    }

    /// What of the policies a person should look at: in the order of their names, and in the order of their texts. What a
    /// policy acknowledges with `@allow` is left out; errors are gone, for a policy with one does not load. Templates
    /// are looked at as they are linked.
    ///
    /// ```
    /// use bailiwick::mandate::{ActionClass, Tool};
    /// use bailiwick::policy::{Catalog, Evaluator, LintCode};
    ///
    /// let catalog = Catalog::new().with(Tool::new("ticket.close".parse()?, ActionClass::Write))?;
    /// let evaluator = Evaluator::new(catalog, r#"
    ///     @id("closes") permit(principal, action == Action::"ticket.close", resource);
    /// "#)?;
    /// let lints = evaluator.lint()?;
    /// assert_eq!(lints[0].code, LintCode::NoTaskCondition);
    /// assert_eq!(lints[0].to_string(), r#"
    /// warning[no-task-condition] closes: permits write actions whatever task, mode, arguments and resource are
    ///   @id("closes") permit(principal, action == Action::"ticket.close", resource);
    ///                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    /// "#.trim());
    ///
    /// // A permit without any bound loads only where its author says that it is meant.
    /// let all = r#"@id("all") permit(principal, action, resource);"#;
    /// assert!(Evaluator::new(evaluator.catalog().clone(), all).is_err());
    /// let all = format!(r#"@allow("unconditional-permit") {all}"#);
    /// assert!(Evaluator::new(evaluator.catalog().clone(), &all)?.lint()?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`PolicyError::NoStack`]: the policies are read again, on a stack of their own, and there is none.
    pub fn lint(&self) -> Result<Vec<Lint>, PolicyError> {
        self.snapshot.load().lint(&self.terms.catalog)
    }

    /// Whether Cedar is asked about this decision too.
    fn is_checked(&self) -> bool {
        let Some(every) = self.terms.cross_check else { return false };
        self.decisions.fetch_add(1, Ordering::Relaxed) % every == 0
    }

    /// What policies see of a question: for tests, and to ask Cedar itself. Nothing where the tool is not
    /// declared, or the arguments do not fit it.
    pub fn request(&self, question: &Question<'_>) -> Option<Request> {
        let seen = Seen { approved: question.is_approved(), agent_user: true };
        self.snapshot.load().look_at(question, seen, |asked| Request::of(asked, []))
    }

    /// The policies that decide now, to be asked with any request. They then answer by Cedar's rule: `@requires` means
    /// nothing to it, and a policy that fails does not count.
    pub fn compiled(&self) -> Compiled {
        self.snapshot.load().compiled().clone()
    }

    /// Decides. Pure: the same question and policies give the same verdict.
    pub fn decide(&self, question: &Question<'_>) -> Verdict {
        let snapshot = self.snapshot.load();
        let prepared = snapshot.tool(question.action.tool());
        Ruling::new(&snapshot, prepared, question, || self.is_checked()).verdict(&snapshot, prepared)
    }

    /// What decides now.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }
}

/// Decides by one snapshot; and what the policies saw where they decided, unless the guard did.
pub(super) fn decide_by(snapshot: &Snapshot, question: &Question<'_>) -> (Verdict, Option<Seen>) {
    let prepared = snapshot.tool(question.action.tool());
    let ruling = Ruling::new(snapshot, prepared, question, || false);
    let seen = ruling.answer.seen;
    (ruling.verdict(snapshot, prepared), seen)
}

/// What the rules say, before it is a verdict.
struct Ruling {
    outcome: Outcome,
    reason: Option<Reason>,
    answer: Answer,
    rests_on_approval: bool,
}

impl Ruling {
    #[inline]
    fn new(
        snapshot: &Snapshot,
        prepared: Option<&Prepared>,
        question: &Question<'_>,
        is_checked: impl FnOnce() -> bool,
    ) -> Self {
        Self::weighed(snapshot, prepared, question, is_checked)
            .unwrap_or_else(|reason| Self::refused(reason, Answer::default()))
    }

    #[inline]
    fn verdict(self, snapshot: &Snapshot, prepared: Option<&Prepared>) -> Verdict {
        let Self { outcome, reason, answer, rests_on_approval } = self;
        Verdict {
            outcome,
            reason,
            policies: answer.policies,
            because: answer.because,
            hidden: answer.hidden,
            class: prepared.map_or(ActionClass::Privileged, |prepared| prepared.tool().class()),
            rests_on_approval,
            policy_digest: snapshot.digest(),
        }
    }

    /// The guard, which no policy overrides, and then the policies.
    fn weighed(
        snapshot: &Snapshot,
        prepared: Option<&Prepared>,
        question: &Question<'_>,
        is_checked: impl FnOnce() -> bool,
    ) -> Result<Self, Reason> {
        let Question { mandate, standing, action, until, now, .. } = *question;
        guard::check_standing(mandate, standing, action.mode(), until, now)?;
        let prepared = prepared.ok_or_else(|| Reason::ToolUndeclared(action.tool().clone()))?;
        let (mut values, mut given) = (Values::new(), Attributes::new());
        snapshot.check_resource(action, &mut given)?;
        let beyond = guard::check(question, prepared.tool(), &mut values)?;
        let approved = question.is_approved();
        let asks = Asks { question, values: &values, given: &given };
        let asking = Asking { snapshot, asks, prepared, is_checked: is_checked() };
        let (mut answer, beyond) = asking.for_approval(approved, beyond);
        if let Some(reason) = answer.refusal.take() {
            return Ok(Self::refused(reason, answer));
        }
        let missing = beyond.filter(|_| !approved).map(|beyond| match action.approval().map(Approval::operator) {
            None => Reason::NeedsApproval(beyond),
            Some(operator) if standing.approval_spent => Reason::ApprovalSpent { operator: operator.clone() },
            Some(operator) => Reason::ApprovalInvalid { operator: operator.clone() },
        });
        let outcome = if missing.is_some() { Outcome::Held } else { Outcome::Permitted };
        Ok(Self { outcome, reason: missing, answer, rests_on_approval: approved })
    }

    fn refused(reason: Reason, answer: Answer) -> Self {
        Self { outcome: Outcome::Denied, reason: Some(reason), answer, rests_on_approval: false }
    }
}

/// What is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The digest of policies, schema and entities.
    pub digest: Digest,
    /// The version of the bundle, if it has one.
    pub version: Option<u64>,
    /// Policies that decide, links of templates among them.
    pub policies: usize,
    /// Entities that are known, actions among them.
    pub entities: usize,
    /// Policies that Cedar itself evaluates: they have a node that is not known here, or the annotation
    /// `@engine("cedar")`.
    pub foreign: Vec<PolicyName>,
}

/// What policies say.
#[derive(Default)]
struct Answer {
    /// The policies that decided.
    policies: PolicyNames,
    /// Why not, if not.
    refusal: Option<Reason>,
    /// Whether an approval of the exact action might change it.
    can_be_lifted: bool,
    because: Option<Prose>,
    hidden: bool,
    /// What they saw.
    seen: Option<Seen>,
}

/// One question, to one snapshot.
struct Asking<'a> {
    snapshot: &'a Snapshot,
    asks: Asks<'a>,
    prepared: &'a Prepared,
    /// Whether Cedar is asked too.
    is_checked: bool,
}

impl Asking<'_> {
    /// Asks the policies. Where they refuse and would permit with a human's approval of this action, that approval is
    /// what is missing.
    fn for_approval(&self, approved: bool, beyond: Option<Beyond>) -> (Answer, Option<Beyond>) {
        let answer = self.with_agent_user(approved);
        if !approved && answer.can_be_lifted {
            let approved = self.with_agent_user(true);
            if approved.refusal.is_none() {
                return (approved, beyond.or(Some(Beyond::Policies)));
            }
        }
        (answer, beyond)
    }

    /// An agent user that is presented adds nothing: what is refused without it is refused.
    fn with_agent_user(&self, approved: bool) -> Answer {
        let without = self.answer(Seen { approved, agent_user: false });
        let is_seen = self.asks.question.action.presented().is_some() && self.prepared.sees_agent_user;
        if without.refusal.is_some() || !is_seen {
            return without;
        }
        self.answer(Seen { approved, agent_user: true })
    }

    /// Asks once. Any error of any policy denies.
    fn answer(&self, seen: Seen) -> Answer {
        let tally = self.snapshot.ask(self.asks, self.prepared, seen);
        if self.is_checked && !self.snapshot.agrees(self.asks, self.prepared, seen, &tally) {
            return self.differs();
        }
        let names = |numbers: &[u32]| -> PolicyNames {
            numbers
                .iter()
                .filter_map(|number| self.snapshot.policy(*number))
                .map(|policy| policy.name.clone())
                .collect()
        };
        let answer = Answer { seen: Some(seen), ..Answer::default() };
        if !tally.errors.is_empty() {
            return Answer { refusal: Some(Reason::PolicyFailed(names(&tally.errors))), ..answer };
        }
        if !tally.forbids.is_empty() {
            let policies = names(&tally.forbids);
            let forbids = || tally.forbids.iter().filter_map(|number| self.snapshot.policy(*number));
            let said = forbids().filter_map(|policy| Some((&policy.name, policy.because.as_ref()?)));
            return Answer {
                policies: policies.clone(),
                refusal: Some(Reason::Forbidden(policies)),
                can_be_lifted: forbids().all(|policy| policy.sees_approval),
                because: said.min_by_key(|(name, _)| *name).map(|(_, because)| because.clone()),
                hidden: forbids().any(|policy| policy.hides),
                seen: Some(seen),
            };
        }
        if tally.permits.is_empty() {
            let can_be_lifted = self.prepared.permits_see_approval;
            return Answer { refusal: Some(Reason::NotPermitted), can_be_lifted, ..answer };
        }
        Answer { policies: names(&tally.permits), ..answer }
    }

    /// Cedar answers otherwise, or not at all: nothing is permitted on either's word.
    fn differs(&self) -> Answer {
        let tool = self.asks.question.action.tool();
        tracing::error!(%tool, policies = %self.snapshot.digest(), "the compiled policies and cedar do not agree");
        Answer { refusal: Some(Reason::PolicyFailed(PolicyNames::default())), ..Answer::default() }
    }
}
