//! The evaluator: Cedar text in, verdicts out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arc_swap::ArcSwap;

use super::compiled::{Compiled, Request, Tally};
use super::facts::{Attributes, Seen, Values};
use super::snapshot::{Asks, Prepared, Snapshot, Terms};
use super::{
    Bundle, Catalog, EvaluatorBuilder, Lint, Outcome, PolicyError, PolicyName, Question, Reason, Verdict, guard,
};
use crate::canonical::Digest;
use crate::mandate::{ActionClass, Beyond, Requests};

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
    /// How often other policies took the place of those before.
    replaced: Arc<AtomicU32>,
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
        Ok(Self::of(terms, snapshot))
    }

    pub(super) fn of(terms: Arc<Terms>, snapshot: Snapshot) -> Self {
        Self {
            terms,
            snapshot: Arc::new(ArcSwap::from_pointee(snapshot)),
            decisions: Arc::default(),
            replaced: Arc::default(),
        }
    }

    /// The same policies, to be replaced apart from these.
    pub(crate) fn apart(&self) -> Self {
        let snapshot = Arc::new(ArcSwap::new(self.snapshot.load_full()));
        Self { terms: Arc::clone(&self.terms), snapshot, decisions: Arc::default(), replaced: Arc::default() }
    }

    /// Loads another bundle over the same tools. What is as it was is not read again.
    pub(crate) fn prepare(&self, bundle: &Bundle) -> Result<Loaded, PolicyError> {
        Snapshot::load(&self.terms, bundle, Some(&self.snapshot.load())).map(Loaded)
    }

    /// Replaces everything that decides, for every clone. A decision sees the old or the new, never parts of both.
    pub(crate) fn install(&self, loaded: Loaded) {
        let differ = loaded.digest() != self.digest();
        self.snapshot.store(Arc::new(loaded.0));
        if differ {
            self.replaced.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// How often other policies took the place of those before: what rested on earlier ones does not come back with them.
    pub(crate) fn replaced(&self) -> u32 {
        self.replaced.load(Ordering::Acquire)
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
        decide_by(&self.snapshot.load(), question, || self.is_checked(), &mut None)
    }

    /// What decides now.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }
}

/// Decides by one snapshot. Says what the policies saw where they decided; nothing where the guard did.
#[inline]
pub(super) fn decide_by(
    snapshot: &Snapshot,
    question: &Question<'_>,
    is_checked: impl FnOnce() -> bool,
    saw: &mut Option<Seen>,
) -> Verdict {
    let prepared = snapshot.tool(question.action.tool());
    let class = prepared.map_or(ActionClass::Privileged, |prepared| prepared.tool().class_of(question.action));
    let mut verdict = Verdict::undecided(class, snapshot.digest());
    match weigh(snapshot, prepared, question, is_checked, &mut verdict) {
        Ok(seen) => *saw = Some(seen),
        Err(reason) => verdict.reason = Some(reason),
    }
    verdict
}

/// The guard, which no policy overrides, and then the policies: denied until all that can refuse has not.
#[inline]
fn weigh(
    snapshot: &Snapshot,
    prepared: Option<&Prepared>,
    question: &Question<'_>,
    is_checked: impl FnOnce() -> bool,
    verdict: &mut Verdict,
) -> Result<Seen, Reason> {
    let Question { mandate, standing, action, until, now, .. } = *question;
    guard::check_standing(mandate, standing, action.mode(), until, now)?;
    let prepared = prepared.ok_or_else(|| Reason::ToolUndeclared(action.tool().clone()))?;
    let (mut values, mut given) = (Values::new(), Attributes::new());
    let guarded = snapshot.check_resource(action, &mut given);
    let guarded = guarded.and_then(|()| guard::check(question, prepared, &mut values));
    // What policies hide is hidden whoever refuses it.
    let beyond = guarded.inspect_err(|_| verdict.hidden = snapshot.hides(question, prepared))?;
    let approved = question.is_approved();
    let asks = Asks { question, values: &values, given: &given };
    let asking = Asking { snapshot, asks, prepared, is_checked: is_checked() };
    let (answer, beyond) = asking.for_approval(approved, beyond, &mut verdict.hidden);
    if answer.permits() {
        verdict.policies.insert_all(snapshot.names(&answer.tally.permits));
        verdict.rests_on_approval = approved;
        verdict.reason = beyond.filter(|_| !approved).map(|beyond| question.missing(beyond));
        verdict.outcome = if verdict.reason.is_some() { Outcome::Held } else { Outcome::Permitted };
        let Requests { waiting, made, .. } = question.ledger.requests;
        if verdict.outcome == Outcome::Held && question.ledger.requests.is_full() {
            verdict.outcome = Outcome::Denied;
            verdict.reason = Some(Reason::TooManyRequests { waiting, made });
        }
    } else {
        answer.refuse(snapshot, verdict);
    }
    Ok(answer.seen)
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

/// What the policies say.
struct Answer {
    tally: Tally,
    /// What they saw.
    seen: Seen,
    /// Whether Cedar says the same, where it was asked.
    is_agreed: bool,
}

impl Answer {
    /// Any error of any policy denies.
    fn permits(&self) -> bool {
        let Tally { permits, forbids, errors } = &self.tally;
        self.is_agreed && errors.is_empty() && forbids.is_empty() && !permits.is_empty()
    }

    /// Whether an approval of the exact action might change a refusal.
    fn can_be_lifted(&self, snapshot: &Snapshot, prepared: &Prepared) -> bool {
        let Tally { forbids, errors, .. } = &self.tally;
        let (is_sound, mut forbids) = (self.is_agreed && errors.is_empty(), snapshot.numbered(forbids).peekable());
        let is_forbidden = forbids.peek().is_some();
        let by_forbids = forbids.all(|policy| policy.sees_approval);
        is_sound && if is_forbidden { by_forbids } else { prepared.permits_see_approval }
    }

    /// Whether one that refuses hides the tool; so does one that fails.
    fn hides(&self, snapshot: &Snapshot) -> bool {
        let Tally { forbids, errors, .. } = &self.tally;
        snapshot.numbered(forbids).chain(snapshot.numbered(errors)).any(|policy| policy.hides)
    }

    /// Says why they refuse.
    fn refuse(&self, snapshot: &Snapshot, verdict: &mut Verdict) {
        let Tally { forbids, errors, .. } = &self.tally;
        verdict.reason = Some(if !self.is_agreed || !errors.is_empty() {
            Reason::PolicyFailed(snapshot.names(errors).collect())
        } else if forbids.is_empty() {
            Reason::NotPermitted
        } else {
            let said = snapshot.numbered(forbids).filter_map(|policy| Some((&policy.name, policy.because.as_ref()?)));
            verdict.because = said.min_by_key(|(name, _)| *name).map(|(_, because)| because.clone());
            verdict.policies.insert_all(snapshot.names(forbids));
            Reason::Forbidden(verdict.policies.clone())
        });
    }
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
    fn for_approval(&self, approved: bool, beyond: Option<Beyond>, hidden: &mut bool) -> (Answer, Option<Beyond>) {
        let answer = self.with_agent_user(approved);
        *hidden = answer.hides(self.snapshot);
        if !answer.permits() && !approved && answer.can_be_lifted(self.snapshot, self.prepared) {
            let approved = self.with_agent_user(true);
            if approved.permits() {
                return (approved, beyond.or(Some(Beyond::Policies)));
            }
        }
        (answer, beyond)
    }

    /// An agent user that is presented adds nothing: what is refused without it is refused.
    fn with_agent_user(&self, approved: bool) -> Answer {
        let without = self.answer(Seen { approved, agent_user: false });
        let is_seen = self.asks.question.action.presented().is_some() && self.prepared.sees_agent_user;
        if is_seen && without.permits() { self.answer(Seen { approved, agent_user: true }) } else { without }
    }

    /// Asks once. Where Cedar answers otherwise, or not at all, nothing is permitted on either's word.
    fn answer(&self, seen: Seen) -> Answer {
        let tally = self.snapshot.ask(self.asks, self.prepared, seen);
        let is_agreed = !self.is_checked || self.snapshot.agrees(self.asks, self.prepared, seen, &tally);
        if !is_agreed {
            let tool = self.asks.question.action.tool();
            tracing::error!(%tool, policies = %self.snapshot.digest(), "the compiled policies and cedar do not agree");
        }
        Answer { tally, seen, is_agreed }
    }
}
