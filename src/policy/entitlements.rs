//! Entitlements: what people may do themselves, by policies of their own.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use hashbrown::HashMap;

use super::compiled::{
    Asked, Compiled, Data, Entities, Entity, EntityUid, Fields, Known, Name, Part, Record, Uid, Val, Word,
};
use super::facts::{self, Args, Attributes, Kinds, Target, Values};
use super::people::{self, Refused};
use super::{Catalog, Directory, PolicyError, schema, stack, text};
use crate::canonical::{Digest, Encoder};
use crate::id::Found;
use crate::mandate::{ActionClass, ArgumentName, ArgumentType, Deed, Entitlement, NotEntitled, Tool, ToolName};
use crate::time::Timestamp;

/// The vocabulary, without the tools.
const VOCABULARY: &str = include_str!("entitlements.cedarschema");

/// What people may do themselves: Cedar policies over a vocabulary in which only `HumanOperator` is ever a principal. An agent
/// does nothing on behalf of a person that these do not permit that person, however wide its own rights are.
///
/// A set of its own, with its own schema ([`schema`](Self::schema)) and its own digest, which each decision's record names.
/// Nothing that an agent may do can come of it: it answers with a digest, or with why not, and an
/// [`Evaluator`](super::Evaluator) reads none of it. What it does not permit, and what any of its policies fails at, is
/// refused. Policies see the person's teams, the tool, the resource as the directory or the action has it, and in the context
/// the arguments, the class of the call and the time; the group that an action is in is that of its class too.
///
/// ```
/// use bailiwick::identity::OperatorId;
/// use bailiwick::mandate::{Action, ActionClass, ArgumentType, Arguments, Deed, Entitlement, Resource, Tool};
/// use bailiwick::policy::{Catalog, Directory, Entitlements};
/// use bailiwick::time::{Clock, SystemClock};
///
/// let send = Tool::new("money.send".parse()?, ActionClass::ExternalCommitment)
///     .required("amount".parse()?, ArgumentType::Integer)?;
/// let ada = OperatorId::new("https://idp.acme.example", "ada")?;
/// let directory = Directory::new().operator(&ada, ["treasury".parse()?]);
/// let entitlements = Entitlements::new(Catalog::new().with(send)?, r#"
///     @id("small-sums") permit(principal in Team::"treasury", action == Action::"money.send", resource)
///     when { context.args.amount <= 500 };
/// "#, directory)?;
///
/// let (account, now) = (Resource::new("account", "7")?, SystemClock.now()?);
/// let action = Action::autonomous("money.send", &account)?.with(Arguments::from_json(r#"{"amount": 501}"#)?);
/// assert!(entitlements.check(&Deed::of(&ada, &action, now)).is_err());
///
/// // Who says what an agent may do says it elsewhere.
/// let agents = r#"@id("p") permit(principal is AgentIdentity, action, resource);"#;
/// assert!(Entitlements::new(Catalog::new(), agents, Directory::new()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Entitlements {
    catalog: Catalog,
    loaded: ArcSwap<Loaded>,
}

/// Policies and a directory that loaded: installed, or not yet.
pub(crate) struct Loaded {
    kinds: Kinds,
    compiled: Compiled,
    entities: Entities,
    tools: HashMap<ToolName, Prepared>,
    bare: Record,
    /// The attributes that resources may have.
    declared: BTreeMap<ArgumentName, ArgumentType>,
    digest: Digest,
}

/// A tool, and what was found out about it at load.
struct Prepared {
    tool: Tool,
    /// The place of each argument.
    places: Record,
    action: EntityUid,
    /// The group of the calls of each class, in rising order.
    groups: [[EntityUid; 1]; ActionClass::ALL.len()],
}

impl Prepared {
    /// The group of its calls that are of this class.
    fn group(&self, class: ActionClass) -> &[EntityUid] {
        let of_class = ActionClass::ALL.iter().zip(&self.groups).find(|(own, _)| **own == class);
        of_class.map_or(&[], |(_, group)| group)
    }
}

impl fmt::Debug for Entitlements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entitlements").field("digest", &self.digest()).finish_non_exhaustive()
    }
}

impl Entitlements {
    /// Loads Cedar policies over the tools of `catalog`, and who is in which team. Every policy has an `@id`.
    ///
    /// # Errors
    ///
    /// The text is over a bound, does not parse, does not pass Cedar's strict validation without a warning, names somebody else
    /// than people as principal, an `@id` is missing or doubled, a policy is a template, or the directory contradicts itself or
    /// the catalogue.
    pub fn new(catalog: Catalog, policies: &str, directory: Directory) -> Result<Self, PolicyError> {
        let loaded = Loaded::load(&catalog, policies, &directory)?;
        Ok(Self { catalog, loaded: ArcSwap::from_pointee(loaded) })
    }

    /// What policies over the tools of `catalog` can name, as a Cedar schema.
    pub fn schema(catalog: &Catalog) -> String {
        let mut text = schema::with_attributes(VOCABULARY, catalog.resource_attributes());
        catalog.tools().for_each(|tool| schema::write_deed(&mut text, tool));
        text
    }

    /// The digest of the policies, the schema and the directory that decide now.
    pub fn digest(&self) -> Digest {
        self.loaded.load().digest
    }

    /// Loads others over the same tools, which do not decide yet.
    pub(crate) fn prepare(&self, policies: &str, directory: &Directory) -> Result<Loaded, PolicyError> {
        Loaded::load(&self.catalog, policies, directory)
    }

    /// Replaces everything that decides. A check sees the old or the new, never parts of both.
    pub(crate) fn install(&self, loaded: Loaded) {
        self.loaded.store(Arc::new(loaded));
    }
}

impl Entitlement for Entitlements {
    fn check(&self, deed: &Deed<'_>) -> Result<Digest, NotEntitled> {
        self.loaded.load().check(deed)
    }
}

impl Loaded {
    fn load(catalog: &Catalog, policies: &str, directory: &Directory) -> Result<Self, PolicyError> {
        let (pieces, schema) = (text::split(policies)?, Entitlements::schema(catalog));
        let compiled = stack::deep(|| people::load(&pieces, &schema))?;
        let kinds = Kinds::new();
        let uid = |name: &str| EntityUid::new(kinds.action.clone(), name);
        let prepare = |tool: &Tool| Prepared {
            tool: tool.clone(),
            places: facts::places(tool),
            action: uid(tool.name().as_str()),
            groups: ActionClass::ALL.map(|class| [uid(&format!("any {class}"))]),
        };
        let tools: HashMap<_, _> = catalog.tools().map(|tool| (tool.name().clone(), prepare(tool))).collect();
        let actions = tools.values().map(|tool: &Prepared| {
            Entity::new(tool.action.clone(), Record::default()).within(tool.group(tool.tool.floor()).iter().cloned())
        });
        let entities = directory.entities(&kinds, catalog.resource_attributes(), actions)?;
        let mut encoder = Encoder::new("bailiwick/entitlements/v1");
        encoder.text(&schema).text(policies);
        catalog.encode(&mut encoder);
        directory.encode(&mut encoder);
        let digest = encoder.finish();
        let declared = catalog.resource_attributes().clone();
        Ok(Self { kinds, compiled, entities, tools, bare: Record::default(), declared, digest })
    }

    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    fn check(&self, deed: &Deed<'_>) -> Result<Digest, NotEntitled> {
        let by = self.digest;
        let refused = |why: &str| NotEntitled::Refused { why: Found::new(why), by };
        let prepared = self.tools.get(deed.tool).ok_or_else(|| refused("the tool is not declared"))?;
        let (mut values, mut given) = (Values::new(), Attributes::new());
        facts::check_arguments(&prepared.tool, deed.arguments, &mut values)
            .map_err(|_| refused("the arguments do not fit the tool"))?;
        let thing = Uid { kind: &self.kinds.resource, id: deed.resource.as_str() };
        let stored = self.entities.get(thing);
        facts::check_resource(deed.attributes, &self.declared, stored.map(|data| data.fields), &mut given)
            .map_err(|_| refused("the resource is not what is known"))?;
        let class = prepared.tool.class_of_call(deed.resource, deed.arguments);
        let args = Args { places: &prepared.places, values: &values };
        let context = Context { args, class, now: deed.now };
        let target = Target { resource: deed.resource, stored: stored.map(|data| data.fields), given: &given };
        let person = Uid { kind: &self.kinds.operator, id: deed.operator.as_str() };
        let known = |uid, fields, ancestors| Known { uid, data: Some(Data { fields, tags: None, ancestors }) };
        let asked = Asked {
            principal: known(
                person,
                Part::Stored(&self.bare),
                self.entities.get(person).map_or(&[], |data| data.ancestors),
            ),
            action: known(prepared.action.view(), Part::Stored(&self.bare), prepared.group(class)),
            resource: known(thing, Part::View(&target), stored.map_or(&[], |data| data.ancestors)),
            context: Part::View(&context),
            entities: &self.entities,
        };
        people::ask(&self.compiled, &asked).map(|()| by).map_err(|Refused { by: forbid, failed }| {
            if !failed.is_empty() {
                tracing::error!(operator = %deed.operator, tool = %deed.tool, ?failed, "entitlements failed");
                return refused(&format!("policies failed: {failed:?}"));
            }
            match forbid.first() {
                Some(policy) => refused(policy.as_str()),
                None => refused("no policy permits it"),
            }
        })
    }
}

/// `context`.
struct Context<'d> {
    args: Args<'d>,
    class: ActionClass,
    now: Timestamp,
}

facts::fields! { Context<'_>,
    Args "args" => |own| Some(Val::Record(Part::View(&own.args)));
    Class "class" => |own| Some(Val::Text(own.class.as_str()));
    // Whole seconds.
    Time "time" => |own| Some(Val::Datetime(own.now.unix().saturating_mul(1_000)));
}
