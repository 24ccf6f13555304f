//! The evaluator: Cedar text in, verdicts out.

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use cedar_policy::{AuthorizationError, Authorizer, Decision, PolicyId, PolicySet, Schema, ValidationMode, Validator};

use super::context::{Kinds, Seen};
use super::index::{self, Index, Slice};
use super::{
    Catalog, Message, Outcome, PolicyError, PolicyName, Question, Reason, Verdict, context, guard, stack, syntax, text,
};
use crate::canonical::{Digest, Encoder};
use crate::id::Found;
use crate::mandate::{ActionClass, Beyond, Tool};

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
    cedar: Authorizer,
    kinds: Kinds,
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

    /// The same policies, to be replaced apart from these.
    pub(crate) fn apart(&self) -> Self {
        Self { catalog: Arc::clone(&self.catalog), snapshot: Arc::new(ArcSwap::new(self.snapshot.load_full())) }
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
        let stands = guard::check_standing(mandate, standing, action.mode(), until, now);
        let tool = tool.ok_or_else(|| Reason::ToolUndeclared(action.tool().clone()));
        let guarded = stands.and(tool).and_then(|tool| Ok((tool, guard::check(question, tool)?)));
        let (tool, beyond) = match guarded {
            Ok(guarded) => guarded,
            Err(reason) => return verdict.refused(reason),
        };
        let approved = question.is_approved();
        let (answer, beyond) = snapshot.ask_for_approval(question, tool, approved, beyond);
        let verdict = Verdict { policies: answer.policies, ..verdict };
        match (answer.refusal, beyond, action.approval()) {
            (Some(reason), ..) => verdict.refused(reason),
            (None, _, _) if approved => Verdict { rests_on_approval: true, ..verdict },
            (None, None, _) => verdict,
            (None, Some(beyond), None) => verdict.held(Reason::NeedsApproval(beyond)),
            (None, Some(_), Some(approval)) if standing.approval_spent => {
                verdict.held(Reason::ApprovalSpent { operator: approval.operator().clone() })
            }
            (None, Some(_), Some(approval)) => {
                verdict.held(Reason::ApprovalInvalid { operator: approval.operator().clone() })
            }
        }
    }
}

/// What policies say.
struct Answer {
    /// The policies that decided.
    policies: Vec<PolicyName>,
    /// Why not, if not.
    refusal: Option<Reason>,
}

impl Answer {
    fn refused(reason: Reason) -> Self {
        Self { policies: Vec::new(), refusal: Some(reason) }
    }
}

impl Snapshot {
    fn load(catalog: &Catalog, policies: &str) -> Result<Self, PolicyError> {
        text::check(policies)?;
        stack::deep(|| {
            let schema_text = catalog.schema();
            let (schema, _) = Schema::from_cedarschema_str(&schema_text).map_err(PolicyError::cedar)?;
            let parsed: PolicySet = policies.parse().map_err(PolicyError::cedar)?;
            if let Some(template) = parsed.templates().next() {
                return Err(PolicyError::Template(Found::new(template.id().as_ref())));
            }
            let named = name_all(&parsed)?;
            validate(&named, &schema)?;
            let kinds = Kinds::new()?;
            let index = index::build(catalog.tools().map(Tool::name), &named, &schema, &kinds)?;
            let mut encoder = Encoder::new("bailiwick/policies/v1");
            encoder.text(&schema_text).text(policies);
            catalog.encode(&mut encoder);
            Ok(Self { cedar: Authorizer::new(), kinds, schema, index, digest: encoder.finish() })
        })
    }

    /// Asks the policies. Where they refuse and would permit with a human's approval of this action, that approval is
    /// what is missing.
    fn ask_for_approval(
        &self,
        question: &Question<'_>,
        tool: &Tool,
        approved: bool,
        beyond: Option<Beyond>,
    ) -> (Answer, Option<Beyond>) {
        let Some(slice) = self.index.get(tool.name()) else {
            return (Answer::refused(Reason::NotPermitted), beyond);
        };
        let answer = self.ask(question, tool, slice, approved);
        let refused = matches!(answer.refusal, Some(Reason::NotPermitted | Reason::Forbidden(_)));
        if refused && !approved && slice.sees_approval {
            let approved = self.ask(question, tool, slice, true);
            if approved.refusal.is_none() {
                return (approved, beyond.or(Some(Beyond::Policies)));
            }
        }
        (answer, beyond)
    }

    /// An agent user that is presented adds nothing: what is refused without it is refused.
    fn ask(&self, question: &Question<'_>, tool: &Tool, slice: &Slice, approved: bool) -> Answer {
        let without = self.ask_cedar(question, tool, slice, Seen { approved, agent_user: false });
        if question.action.presented().is_none() || !slice.sees_agent_user || without.refusal.is_some() {
            return without;
        }
        self.ask_cedar(question, tool, slice, Seen { approved, agent_user: true })
    }

    /// Asks Cedar once. Any error of any policy denies.
    fn ask_cedar(&self, question: &Question<'_>, tool: &Tool, slice: &Slice, seen: Seen) -> Answer {
        let Ok((request, entities)) = context::request(question, tool, slice, seen, (&self.kinds, &self.schema)) else {
            // What Cedar will not even look at, no policy can permit.
            return Answer::refused(Reason::PolicyFailed(Vec::new()));
        };
        let response = self.cedar.is_authorized(&request, &slice.policies, &entities);
        if response.diagnostics().errors().next().is_some() {
            let erring = names(response.diagnostics().errors().map(|error| match error {
                AuthorizationError::PolicyEvaluationError(error) => error.policy_id(),
            }));
            return Answer::refused(Reason::PolicyFailed(erring));
        }
        let policies = names(response.diagnostics().reason());
        let refusal = match response.decision() {
            Decision::Allow => None,
            Decision::Deny if policies.is_empty() => Some(Reason::NotPermitted),
            Decision::Deny => Some(Reason::Forbidden(policies.clone())),
        };
        Answer { policies, refusal }
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
        if let Some(kind) = syntax::stranger(&policy.to_json().map_err(PolicyError::cedar)?) {
            return Err(PolicyError::Principal { policy: name, kind: Found::new(&kind) });
        }
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
