//! The snapshot: everything that decides, loaded as a whole and never changed.

use std::collections::{BTreeMap, HashMap as StdMap};
use std::num::NonZeroU32;
use std::sync::Arc;

use cedar_policy::{PolicyId, PolicySet, SlotId};
use hashbrown::HashMap;

use super::bundle::Link;
use super::compiled::{
    Asked, Compiled, Data, Effect, Entities, EntityUid, Known, Part, Record, Tally, Uid, Val, ask_cedar, cedar_uid,
};
use super::facts::{self, Agent, Attributes, Context, Kinds, Seen, Target, Values};
use super::lint::{self, Lint, Tools};
use super::policies::Policies;
use super::policy::Policy;
use super::source::Source;
use super::syntax::Principals;
use super::validate::Vocabulary;
use super::{Bundle, Catalog, PolicyError, PolicyName, Question, Reason, host_schema, stack, text};
use crate::canonical::{Digest, Encoder};
use crate::id::Found;
use crate::jose::VerifyingKey;
use crate::mandate::{Action, ArgumentName, ArgumentType, Tool, ToolName};

/// Only a workload acts.
const AGENTS: Principals = Principals { kind: "AgentIdentity", group: "AgentGroup" };

/// What is settled once for all snapshots of an evaluator.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) catalog: Catalog,
    /// The host's own schema.
    pub(super) schema: Option<String>,
    /// Who seals bundles.
    pub(super) pinned: Option<VerifyingKey>,
    /// Every so many decisions Cedar is asked too.
    pub(super) cross_check: Option<NonZeroU32>,
}

/// Policies, tools and entities.
#[derive(Debug)]
pub(super) struct Snapshot {
    kinds: Kinds,
    vocabulary: Arc<Vocabulary>,
    /// As they were read.
    sources: Policies<Made>,
    /// Those that decide.
    policies: Vec<Arc<Policy>>,
    compiled: Compiled,
    tools: HashMap<ToolName, Prepared>,
    entities: Entities,
    /// Whether there are others than actions.
    has_directory: bool,
    /// The attributes of what has none.
    bare: Record,
    /// The attributes that resources may have.
    declared: BTreeMap<ArgumentName, ArgumentType>,
    version: Option<u64>,
    digest: Digest,
}

/// A question, and what was found out about it while it was checked.
#[derive(Clone, Copy)]
pub(super) struct Asks<'q> {
    pub(super) question: &'q Question<'q>,
    /// What its arguments are to policies.
    pub(super) values: &'q [Option<Val<'q>>],
    /// What came along of the resource.
    pub(super) given: &'q [(&'q str, Val<'q>)],
}

/// What is made of the text of one policy.
#[derive(Debug)]
enum Made {
    Policy(Arc<Policy>),
    /// Decides nothing until it is linked.
    Template(Box<cedar_policy::Template>),
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
    /// Whether some policy may hide that there is such a tool.
    pub(super) may_hide: bool,
    /// Of its declaration.
    digest: Digest,
}

impl Prepared {
    pub(super) fn tool(&self) -> &Tool {
        &self.tool
    }

    /// The digest of its declaration.
    pub(super) fn digest(&self) -> &Digest {
        &self.digest
    }
}

impl Terms {
    pub(super) fn new(catalog: Catalog) -> Self {
        Self { catalog, schema: None, pinned: None, cross_check: None }
    }

    fn vocabulary(&self) -> Result<Vocabulary, PolicyError> {
        match &self.schema {
            None => Vocabulary::parse(&self.catalog.schema(), AGENTS),
            Some(schema) => {
                host_schema::check(schema, &self.catalog)?;
                Vocabulary::parse(schema, AGENTS)
            }
        }
    }
}

impl Snapshot {
    /// Loads a bundle; what is as it was `before` is not read again.
    pub(super) fn load(terms: &Terms, bundle: &Bundle, before: Option<&Self>) -> Result<Self, PolicyError> {
        if terms.pinned.as_ref().is_some_and(|key| !bundle.is_sealed_by(key)) {
            return Err(PolicyError::Seal);
        }
        let loaded = before.and_then(|before| before.version);
        if loaded.is_some() && bundle.version < loaded && !bundle.forced {
            return Err(PolicyError::Older { found: bundle.version, loaded });
        }
        let pieces = text::split(&bundle.policies)?;
        stack::deep(|| {
            let vocabulary = match before {
                Some(before) => Arc::clone(&before.vocabulary),
                None => Arc::new(terms.vocabulary()?),
            };
            let actions = vocabulary.schema().action_entities().map_err(PolicyError::cedar)?;
            let actions = Entities::try_from(&actions).map_err(super::DirectoryError::from)?;
            let about = Tools::of(&terms.catalog, &actions);
            let sources = Policies::load(&pieces, &vocabulary, before.map(|before| &before.sources), |source| {
                Ok(match source {
                    Source::Policy(policy) => Made::Policy(Arc::new(Policy::new(policy, &about)?)),
                    Source::Template(template) => Made::Template(Box::new(template.clone())),
                })
            })?;
            let kinds = Kinds::new();
            let policies = linked(&sources, &bundle.links, &kinds, &about)?;
            let compiled = Compiled::of(policies.iter().map(|policy| Arc::clone(&policy.rule)).collect());
            let declared = terms.catalog.resource_attributes();
            let entities = bundle.directory.entities(&kinds, declared, actions.iter())?;
            let prepare =
                |tool: &Tool| (tool.name().clone(), Prepared::new(tool, &kinds, &entities, &compiled, &policies));
            let tools = terms.catalog.tools().map(prepare).collect();
            let mut encoder = Encoder::new("bailiwick/policies/v2");
            encoder.fixed(vocabulary.digest().as_bytes()).fixed(bundle.digest().as_bytes());
            terms.catalog.encode(&mut encoder);
            Ok(Self {
                kinds,
                vocabulary,
                sources,
                policies,
                compiled,
                tools,
                has_directory: entities.len() > actions.len(),
                entities,
                bare: Record::default(),
                declared: declared.clone(),
                version: bundle.version,
                digest: encoder.finish(),
            })
        })
    }

    /// The digest of policies, schema and entities.
    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    pub(super) fn version(&self) -> Option<u64> {
        self.version
    }

    pub(super) fn tool(&self, name: &ToolName) -> Option<&Prepared> {
        self.tools.get(name)
    }

    /// The policies with these numbers.
    pub(super) fn numbered(&self, numbers: &[u32]) -> impl Iterator<Item = &Policy> {
        numbers.iter().filter_map(|number| self.policy(*number))
    }

    /// Their names.
    pub(super) fn names(&self, numbers: &[u32]) -> impl Iterator<Item = PolicyName> {
        self.numbered(numbers).map(|policy| policy.name.clone())
    }

    pub(super) fn policy(&self, number: u32) -> Option<&Policy> {
        self.policies.get(number as usize).map(AsRef::as_ref)
    }

    /// Every policy that decides.
    pub(super) fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.policies.iter().map(AsRef::as_ref)
    }

    /// The same, to be asked with any request.
    pub(super) fn compiled(&self) -> &Compiled {
        &self.compiled
    }

    /// How many entities are known.
    pub(super) fn entities(&self) -> usize {
        self.entities.len()
    }

    /// Checks what came along of the resource, and finds what it is to policies.
    pub(super) fn check_resource<'q>(&'q self, action: &'q Action, given: &mut Attributes<'q>) -> Result<(), Reason> {
        let (resource, attributes) = (action.resource(), action.resource_attributes());
        if attributes.is_empty() {
            return Ok(());
        }
        let stored = self.look_up(Uid { kind: &self.kinds.resource, id: resource.as_str() });
        facts::check_resource(attributes, &self.declared, stored.map(|stored| stored.fields), given).map_err(
            |attribute| Reason::ResourceDiffers { resource: resource.clone(), attribute: Found::new(attribute) },
        )
    }

    /// What of the policies a person should look at.
    pub(super) fn lint(&self, catalog: &Catalog) -> Result<Vec<Lint>, PolicyError> {
        stack::deep(|| lint::find(self.policies(), &Tools::of(catalog, &self.entities)))
    }

    /// Asks every policy that can matter, with what it may see.
    pub(super) fn ask(&self, asks: Asks<'_>, prepared: &Prepared, seen: Seen) -> Tally {
        self.with_facts(asks, prepared, seen, |asked| {
            self.compiled.tally(&prepared.buckets, asked, |number| self.counts(number, prepared, seen))
        })
    }

    /// Whether Cedar answers the same.
    pub(super) fn agrees(&self, asks: Asks<'_>, prepared: &Prepared, seen: Seen, tally: &Tally) -> bool {
        let counted =
            self.compiled.index().all(&prepared.buckets).filter(|number| self.counts(*number, prepared, seen));
        let names = |numbers: &[u32]| {
            let names = numbers.iter().filter_map(|number| self.policy(*number));
            names.map(|policy| policy.name.as_str().to_owned()).collect()
        };
        let counted: BTreeMap<&PolicyName, &Policy> =
            counted.filter_map(|number| self.policy(number)).map(|policy| (&policy.name, policy)).collect();
        let theirs = self.with_facts(asks, prepared, seen, |asked| {
            stack::deep(|| {
                let mut set = PolicySet::new();
                for (name, policy) in &counted {
                    let parsed = cedar_policy::Policy::parse(Some(PolicyId::new(name.as_str())), &policy.text);
                    set.add(parsed.map_err(PolicyError::cedar)?).map_err(PolicyError::cedar)?;
                }
                ask_cedar(&set, asked).map_err(|_| PolicyError::NoStack)
            })
        });
        let deciding = if tally.forbids.is_empty() { &tally.permits } else { &tally.forbids };
        theirs.is_ok_and(|theirs| {
            theirs.is_allowed == (tally.forbids.is_empty() && !tally.permits.is_empty())
                && theirs.determining == names(deciding)
                && theirs.failed == names(&tally.errors)
        })
    }

    /// Looks at what policies may see of a question; nothing where the tool is not declared, the arguments do not fit it, or
    /// the resource is not what is known.
    pub(super) fn look_at<T>(
        &self,
        question: &Question<'_>,
        seen: Seen,
        look: impl FnOnce(&Asked<'_>) -> T,
    ) -> Option<T> {
        let prepared = self.tool(question.action.tool())?;
        let (mut values, mut given) = (Values::new(), Attributes::new());
        facts::check_arguments(prepared.tool(), question.action.arguments(), &mut values).ok()?;
        self.check_resource(question.action, &mut given).ok()?;
        Some(self.with_facts(Asks { question, values: &values, given: &given }, prepared, seen, look))
    }

    /// What the directory has of an agent or a resource.
    fn look_up(&self, uid: Uid<'_>) -> Option<Data<'_>> {
        if self.has_directory { self.entities.get(uid) } else { None }
    }

    /// A permit that wants an approval is none without.
    fn counts(&self, number: u32, prepared: &Prepared, seen: Seen) -> bool {
        seen.approved
            || !prepared.permits_see_approval
            || !self.policy(number).is_some_and(|policy| policy.wants_approval)
    }

    /// The policies that can matter for a tool.
    pub(super) fn matters(&self, prepared: &Prepared) -> impl Iterator<Item = &Policy> {
        self.compiled.index().all(&prepared.buckets).filter_map(|number| self.policy(number))
    }

    /// Looks at what policies see of a question.
    pub(super) fn with_facts<T>(
        &self,
        asks: Asks<'_>,
        prepared: &Prepared,
        seen: Seen,
        look: impl FnOnce(&Asked<'_>) -> T,
    ) -> T {
        let Asks { question, values, given } = asks;
        let (agent, resource) = (question.mandate.agent(), question.action.resource());
        let attributes = Agent { agent, kinds: &self.kinds };
        let context = Context::new(question, (&prepared.tool, &prepared.places), values, &self.kinds, seen);
        let principal = Uid { kind: &self.kinds.agent, id: agent.id().as_str() };
        let thing = Uid { kind: &self.kinds.resource, id: resource.as_str() };
        let stored = self.look_up(thing);
        let target = Target { resource, stored: stored.map(|data| data.fields), given };
        let known = |uid, fields, ancestors| Known { uid, data: Some(Data { fields, tags: None, ancestors }) };
        look(&Asked {
            principal: known(
                principal,
                Part::View(&attributes),
                self.look_up(principal).map_or(&[], |data| data.ancestors),
            ),
            action: known(prepared.action.view(), Part::Stored(&self.bare), &prepared.groups),
            resource: known(thing, Part::View(&target), stored.map_or(&[], |data| data.ancestors)),
            context: Part::View(&context),
            entities: &self.entities,
        })
    }
}

impl Prepared {
    fn new(tool: &Tool, kinds: &Kinds, entities: &Entities, compiled: &Compiled, policies: &[Arc<Policy>]) -> Self {
        let action = EntityUid::new(kinds.action.clone(), tool.name().as_str());
        let known = Known::of(action.view(), entities);
        let mut buckets = Vec::new();
        compiled.index().buckets(&known, |bucket| buckets.extend(compiled.index().has_some(bucket).then_some(bucket)));
        let matter = || compiled.index().all(&buckets).filter_map(|number| policies.get(number as usize));
        let sees = |policy: &Arc<Policy>| policy.sees_approval && policy.rule.effect == Effect::Permit;
        Self {
            tool: tool.clone(),
            places: facts::places(tool),
            permits_see_approval: matter().any(sees),
            sees_agent_user: matter().any(|policy| policy.sees_agent_user),
            may_hide: matter().any(|policy| policy.hides),
            digest: tool.digest(),
            groups: known.data.map_or(&[][..], |data| data.ancestors).into(),
            buckets: buckets.as_slice().into(),
            action,
        }
    }
}

/// The policies that decide: those that were read, and those that are linked.
fn linked(
    sources: &Policies<Made>,
    links: &[Link],
    kinds: &Kinds,
    tools: &Tools,
) -> Result<Vec<Arc<Policy>>, PolicyError> {
    let mut policies: BTreeMap<PolicyName, Arc<Policy>> = BTreeMap::new();
    let mut templates = PolicySet::new();
    for made in sources.iter() {
        match made {
            Made::Policy(policy) => drop(policies.insert(policy.name.clone(), Arc::clone(policy))),
            Made::Template(template) => templates.add_template((**template).clone()).map_err(PolicyError::cedar)?,
        }
    }
    for link in links {
        let [principal, resource] = link.slots(kinds);
        let slots = [(SlotId::principal(), principal), (SlotId::resource(), resource)];
        let mut values = StdMap::new();
        for (slot, uid) in slots {
            if let Some(uid) = uid {
                values.insert(slot, cedar_uid(&uid).map_err(PolicyError::cedar)?);
            }
        }
        let (template, name) = (PolicyId::new(link.template.as_str()), PolicyId::new(link.name.as_str()));
        templates.link(template, name.clone(), values).map_err(PolicyError::cedar)?;
        let policy = templates.policy(&name).ok_or_else(|| PolicyError::Template(Found::new(link.name.as_str())))?;
        let policy = Arc::new(Policy::new(policy, tools)?);
        if policies.insert(link.name.clone(), policy).is_some() {
            return Err(PolicyError::DuplicateId(link.name.clone()));
        }
    }
    Ok(policies.into_values().collect())
}

#[cfg(test)]
impl super::Evaluator {
    /// Decides by one text, and asks Cedar about another: no two answers are known that differ, so they are made.
    pub(crate) fn torn(catalog: Catalog, compiled: &str, text: &str) -> Result<Self, PolicyError> {
        let terms = Terms { cross_check: NonZeroU32::new(1), ..Terms::new(catalog) };
        let mut snapshot = Snapshot::load(&terms, &Bundle::from(compiled), None)?;
        snapshot.policies = Snapshot::load(&terms, &Bundle::from(text), None)?.policies;
        Ok(Self::of(Arc::new(terms), snapshot))
    }
}
