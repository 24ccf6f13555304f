//! The snapshot: everything that decides, loaded as a whole and never changed.

use std::collections::BTreeSet;

use cedar_policy::{PolicySet, Schema, ValidationMode, Validator};
use hashbrown::HashMap;

use super::compiled::{Asked, Compiled, Data, Effect, Entities, EntityUid, Known, Record, Request, Tally, Uid};
use super::facts::{Agent, Context, Kinds, Seen, Target};
use super::policy::Policy;
use super::{Catalog, Message, PolicyError, PolicyName, Question, facts, stack, text};
use crate::canonical::{Digest, Encoder};
use crate::id::Found;
use crate::mandate::{Tool, ToolName};

/// Policies, tools and entities.
#[derive(Debug)]
pub(super) struct Snapshot {
    kinds: Kinds,
    policies: Vec<Policy>,
    compiled: Compiled,
    tools: HashMap<ToolName, Prepared>,
    entities: Entities,
    /// The attributes of what has none.
    bare: Record,
    digest: Digest,
}

/// A tool, and what was found out about it at load.
#[derive(Debug)]
pub(super) struct Prepared {
    tool: Tool,
    /// The place of each argument.
    places: Record,
    action: EntityUid,
    groups: Box<[EntityUid]>,
    /// Where the policies are that can matter.
    buckets: Box<[usize]>,
    /// Whether some policy that permits may ask for an approval of the exact action.
    pub(super) permits_see_approval: bool,
    /// Whether some policy may ask for the agent user.
    pub(super) sees_agent_user: bool,
}

impl Prepared {
    pub(super) fn tool(&self) -> &Tool {
        &self.tool
    }
}

impl Snapshot {
    pub(super) fn load(catalog: &Catalog, policies: &str) -> Result<Self, PolicyError> {
        text::check(policies)?;
        stack::deep(|| {
            let schema_text = catalog.schema();
            let (schema, _) = Schema::from_cedarschema_str(&schema_text).map_err(PolicyError::cedar)?;
            let parsed: PolicySet = policies.parse().map_err(PolicyError::cedar)?;
            if let Some(template) = parsed.templates().next() {
                return Err(PolicyError::Template(Found::new(template.id().as_ref())));
            }
            let policies_read = read_all(&parsed)?;
            validate(&parsed, &schema)?;
            let compiled =
                Compiled::of(policies_read.iter().map(|policy| std::sync::Arc::new(policy.rule.clone())).collect());
            let kinds = Kinds::new();
            let actions = Entities::try_from(&schema.action_entities().map_err(PolicyError::cedar)?)?;
            let tools = catalog.tools().map(|tool| {
                let action = EntityUid::new(kinds.action.clone(), tool.name().as_str());
                let known = Known::of(action.view(), &actions);
                let mut buckets = Vec::new();
                compiled.index().buckets(&known, |bucket| buckets.push(bucket));
                let matter = || compiled.index().all(&buckets).filter_map(|number| policies_read.get(number as usize));
                let prepared = Prepared {
                    tool: tool.clone(),
                    places: facts::places(tool),
                    permits_see_approval: matter()
                        .any(|policy| policy.sees_approval && policy.rule.effect == Effect::Permit),
                    sees_agent_user: matter().any(|policy| policy.sees_agent_user),
                    groups: known.data.map_or(&[][..], |data| data.ancestors).into(),
                    buckets: buckets.as_slice().into(),
                    action,
                };
                (tool.name().clone(), prepared)
            });
            let tools = tools.collect();
            let mut encoder = Encoder::new("bailiwick/policies/v1");
            encoder.text(&schema_text).text(policies);
            catalog.encode(&mut encoder);
            Ok(Self {
                kinds,
                policies: policies_read,
                compiled,
                tools,
                entities: actions,
                bare: Record::default(),
                digest: encoder.finish(),
            })
        })
    }

    /// The digest of policies, schema and entities.
    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    pub(super) fn tool(&self, name: &ToolName) -> Option<&Prepared> {
        self.tools.get(name)
    }

    /// Asks every policy that can matter, with what it may see.
    pub(super) fn ask(&self, question: &Question<'_>, prepared: &Prepared, seen: Seen) -> Tally {
        let counts = |number: u32| seen.approved || !self.policy(number).is_some_and(|policy| policy.wants_approval);
        self.with_facts(question, prepared, seen, |asked| self.compiled.tally(&prepared.buckets, asked, counts))
    }

    /// What policies may see.
    pub(super) fn request(&self, question: &Question<'_>, prepared: &Prepared, seen: Seen) -> Request {
        self.with_facts(question, prepared, seen, |asked| Request::of(asked, []))
    }

    fn with_facts<T>(
        &self,
        question: &Question<'_>,
        prepared: &Prepared,
        seen: Seen,
        look: impl FnOnce(&Asked<'_>) -> T,
    ) -> T {
        let (agent, resource) = (question.mandate.agent(), question.action.resource());
        let attributes = Agent { agent, kinds: &self.kinds };
        let target = Target { resource, given: &self.bare };
        let context = Context::new(question, (&prepared.tool, &prepared.places), &self.kinds, seen);
        let within = |uid| self.entities.get(uid).map_or(&[][..], |data| data.ancestors);
        let principal = Uid { kind: &self.kinds.agent, id: agent.id().as_str() };
        let resource = Uid { kind: &self.kinds.resource, id: resource.as_str() };
        let known = |uid, fields, ancestors| Known { uid, data: Some(Data { fields, tags: None, ancestors }) };
        look(&Asked {
            principal: known(principal, &attributes, within(principal)),
            action: known(prepared.action.view(), &self.bare, &prepared.groups),
            resource: known(resource, &target, within(resource)),
            context: &context,
            entities: &self.entities,
        })
    }

    pub(super) fn policy(&self, number: u32) -> Option<&Policy> {
        self.policies.get(number as usize)
    }
}

/// Gives every policy its `@id` as its name.
fn read_all(parsed: &PolicySet) -> Result<Vec<Policy>, PolicyError> {
    let mut seen = BTreeSet::new();
    let mut policies = Vec::new();
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
        policies.push(Policy::new(name, policy)?);
    }
    policies.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(policies)
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
