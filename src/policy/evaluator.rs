//! The evaluator: Cedar text in, verdicts out.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use cedar_policy::{AuthorizationError, Authorizer, Decision, PolicyId, PolicySet, Schema, ValidationMode, Validator};

use super::index::{self, Index};
use super::text::{self, TextError};
use super::{Catalog, Outcome, PolicyName, Reason, Verdict, context, guard};
use crate::canonical::{Digest, Encoder};
use crate::id::{Found, IdError};
use crate::mandate::{Action, ActionClass, ActionRequest, LedgerView, Mandate, Standing, Tool};
use crate::time::Timestamp;

/// Policies did not load; what was loaded before stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The text is over a bound.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The text is not Cedar, or Cedar refused it.
    #[error("cedar refused: {0}")]
    Cedar(Message),
    /// A policy does not fit the tools and the vocabulary, or can never apply.
    #[error("{count} problems with the policies, the first: {first}")]
    Invalid {
        /// How many problems.
        count: usize,
        /// The first one.
        first: Message,
    },
    /// A policy has no `@id`.
    #[error("the policy number {number} has no `@id`")]
    NoId {
        /// The policy's place in the text, from 1.
        number: usize,
    },
    /// An `@id` is not valid.
    #[error(transparent)]
    Id(#[from] IdError),
    /// Two policies have one `@id`.
    #[error("the `@id` {0} is used twice")]
    DuplicateId(PolicyName),
    /// The text has a template; those are not linked here and would never apply.
    #[error("the policy {0} is a template")]
    Template(Found),
}

/// A message of Cedar's, at most 500 characters of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message(String);

impl Message {
    fn of(message: &impl fmt::Display) -> Self {
        Self(message.to_string().chars().take(500).collect())
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PolicyError {
    pub(super) fn cedar(error: impl fmt::Display) -> Self {
        Self::Cedar(Message::of(&error))
    }
}

/// One question to the rules. Everything that a verdict depends on besides policies.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Question<'a> {
    /// The task's mandate.
    pub mandate: &'a Mandate,
    /// What holds at this instant.
    pub standing: &'a Standing,
    /// What the task did before.
    pub ledger: &'a LedgerView,
    /// What is asked.
    pub action: &'a Action,
    /// The same as a human would be asked.
    pub request: &'a ActionRequest,
    /// When the task ends.
    pub until: Timestamp,
    /// The time of the decision.
    pub now: Timestamp,
}

impl<'a> Question<'a> {
    /// Asks about `action` at `now`, in a task that ends at `until`.
    pub fn new(
        mandate: &'a Mandate,
        standing: &'a Standing,
        ledger: &'a LedgerView,
        action: &'a Action,
        request: &'a ActionRequest,
        until: Timestamp,
        now: Timestamp,
    ) -> Self {
        Self { mandate, standing, ledger, action, request, until, now }
    }

    /// Whether a human approved exactly this action, in time: one who approved the task, is active, and, for an
    /// action on somebody's behalf, is that person.
    pub(super) fn is_approved(&self) -> bool {
        self.action.approval().is_some_and(|approval| {
            let operator = approval.operator();
            approval.is_for(self.request)
                && approval.is_presentable_at(self.now)
                && self.mandate.is_approved_by(operator)
                && self.standing.operators.contains(operator)
                && self.action.mode().operator().is_none_or(|behalf| behalf == operator)
        })
    }
}

/// Decides with one snapshot of policies at a time. Cheap to clone; clones share the snapshot.
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
    catalog: Arc<Catalog>,
    snapshot: Arc<ArcSwap<Snapshot>>,
}

/// Policies that loaded and do not decide yet.
#[derive(Debug)]
pub(crate) struct Loaded(Snapshot);

impl Loaded {
    pub(crate) fn digest(&self) -> Digest {
        self.0.digest
    }
}

#[derive(Debug)]
struct Snapshot {
    schema: Schema,
    index: Index,
    digest: Digest,
}

impl Evaluator {
    /// Loads Cedar policies over the tools of `catalog`. Every policy has an `@id`, unique in the text.
    ///
    /// # Errors
    ///
    /// The text is over a bound, does not parse, does not pass Cedar's strict validation without a warning, has a
    /// template, or an `@id` is missing or doubled.
    pub fn new(catalog: Catalog, policies: &str) -> Result<Self, PolicyError> {
        let snapshot = Snapshot::load(&catalog, policies)?;
        Ok(Self { catalog: Arc::new(catalog), snapshot: Arc::new(ArcSwap::from_pointee(snapshot)) })
    }

    /// Loads other policies over the same tools, as [`new`](Self::new) does.
    pub(crate) fn prepare(&self, policies: &str) -> Result<Loaded, PolicyError> {
        Snapshot::load(&self.catalog, policies).map(Loaded)
    }

    /// Replaces the policies, for every clone. A decision sees the old set or the new one, never parts of both.
    pub(crate) fn install(&self, loaded: Loaded) {
        self.snapshot.store(Arc::new(loaded.0));
    }

    /// The tools that policies are about.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The digest of the policies and the schema that decide now.
    pub fn digest(&self) -> Digest {
        self.snapshot.load().digest
    }

    /// Decides. Pure: the same question and policies give the same verdict.
    pub fn decide(&self, question: &Question<'_>) -> Verdict {
        let snapshot = self.snapshot.load();
        let tool = self.catalog.get(question.action.tool());
        let verdict = Verdict {
            outcome: Outcome::Permitted,
            reason: None,
            policies: Vec::new(),
            class: tool.map_or(ActionClass::Privileged, Tool::class),
            rests_on_approval: false,
            policy_digest: snapshot.digest,
        };
        let Question { mandate, standing, action, until, now, .. } = *question;
        let standing = guard::check_standing(mandate, standing, action.mode(), until, now);
        let tool = tool.ok_or_else(|| Reason::ToolUndeclared(action.tool().clone()));
        let guarded = standing.and(tool).and_then(|tool| Ok((tool, guard::check(question, tool)?)));
        let (tool, ask) = match guarded {
            Ok(guarded) => guarded,
            Err(reason) => return verdict.refused(reason),
        };
        let (policies, refusal) = snapshot.ask_policies(question, tool);
        let verdict = Verdict { policies, ..verdict };
        match (refusal, ask) {
            (Some(reason), _) => verdict.refused(reason),
            (None, None) => verdict,
            (None, Some(_)) if question.is_approved() => Verdict { rests_on_approval: true, ..verdict },
            (None, Some(beyond)) => {
                Verdict { outcome: Outcome::Held, reason: Some(Reason::NeedsApproval(beyond)), ..verdict }
            }
        }
    }
}

impl Snapshot {
    fn load(catalog: &Catalog, policies: &str) -> Result<Self, PolicyError> {
        text::check(policies)?;
        let schema_text = catalog.schema();
        let (schema, _) = Schema::from_cedarschema_str(&schema_text).map_err(PolicyError::cedar)?;
        let parsed: PolicySet = policies.parse().map_err(PolicyError::cedar)?;
        if let Some(template) = parsed.templates().next() {
            return Err(PolicyError::Template(Found::new(template.id().as_ref())));
        }
        let named = name_all(&parsed)?;
        validate(&named, &schema)?;
        let index = index::build(catalog.tools().map(Tool::name), &named, &schema)?;
        let mut encoder = Encoder::new("bailiwick/policies/v1");
        encoder.text(&schema_text).text(policies);
        Ok(Self { schema, index, digest: encoder.finish() })
    }

    /// Asks Cedar: the policies that decided, and why not, if not. Any error of any policy denies.
    fn ask_policies(&self, question: &Question<'_>, tool: &Tool) -> (Vec<PolicyName>, Option<Reason>) {
        let Some(slice) = self.index.get(tool.name()) else {
            return (Vec::new(), Some(Reason::NotPermitted));
        };
        let (request, entities) = match context::request(question, tool, slice, &self.schema) {
            Ok(asked) => asked,
            // What Cedar will not even look at, no policy can permit.
            Err(_) => return (Vec::new(), Some(Reason::PolicyFailed(Vec::new()))),
        };
        let response = Authorizer::new().is_authorized(&request, &slice.policies, &entities);
        if response.diagnostics().errors().next().is_some() {
            let erring = names(response.diagnostics().errors().map(|error| match error {
                AuthorizationError::PolicyEvaluationError(error) => error.policy_id(),
            }));
            return (Vec::new(), Some(Reason::PolicyFailed(erring)));
        }
        let deciding = names(response.diagnostics().reason());
        match response.decision() {
            Decision::Allow => (deciding, None),
            Decision::Deny if deciding.is_empty() => (deciding, Some(Reason::NotPermitted)),
            Decision::Deny => (deciding.clone(), Some(Reason::Forbidden(deciding))),
        }
    }
}

/// The names behind Cedar's ids, sorted. Every id was made from a name at load.
fn names<'a>(ids: impl Iterator<Item = &'a PolicyId>) -> Vec<PolicyName> {
    let names: BTreeSet<PolicyName> = ids.filter_map(|id| PolicyName::new(id.as_ref()).ok()).collect();
    names.into_iter().collect()
}

/// Gives every policy its `@id` as its id.
fn name_all(parsed: &PolicySet) -> Result<PolicySet, PolicyError> {
    let mut named = PolicySet::new();
    let mut seen = BTreeSet::new();
    for policy in parsed.policies() {
        let Some(id) = policy.annotation("id") else {
            let number = policy.id().to_string();
            let number = number.strip_prefix("policy").and_then(|number| number.parse::<usize>().ok());
            return Err(PolicyError::NoId { number: number.map_or(0, |number| number.saturating_add(1)) });
        };
        let name = PolicyName::new(id)?;
        if !seen.insert(name.clone()) {
            return Err(PolicyError::DuplicateId(name));
        }
        named.add(policy.new_id(PolicyId::new(name.as_str()))).map_err(PolicyError::cedar)?;
    }
    Ok(named)
}

/// Strict validation; what Cedar only warns of (a policy that can never apply, a confusable text) refuses as well.
fn validate(policies: &PolicySet, schema: &Schema) -> Result<(), PolicyError> {
    let validator = Validator::new(schema.clone());
    let result = validator.validate(policies, ValidationMode::Strict);
    let errors = result.validation_errors().map(|error| Message::of(&error));
    let problems: Vec<Message> =
        errors.chain(result.validation_warnings().map(|warning| Message::of(&warning))).collect();
    match problems.first() {
        None => Ok(()),
        Some(first) => Err(PolicyError::Invalid { count: problems.len(), first: first.clone() }),
    }
}
