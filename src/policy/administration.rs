//! Administration: which person may do which administrative action, by policies of their own.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use super::admin_action::Kind;
use super::compiled::{Asked, Compiled, Data, Entities, Entity, EntityUid, Known, Name, Part, Record, Set, Uid, Value};
use super::facts::Kinds;
use super::people::{self, Refused};
use super::{AdminAction, Directory, PolicyError, PolicyName, stack, text};
use crate::identity::{AgentId, AgentState, OperatorId, OperatorSession};
use crate::time::Timestamp;

/// The vocabulary, without the administrative actions.
const VOCABULARY: &str = include_str!("administration.cedarschema");

/// Who administers unless a host says otherwise.
const STANDARD: &str = include_str!("administration.cedar");

/// Which person may do which [`AdminAction`]: Cedar policies over a vocabulary in which only `HumanOperator` is ever a
/// principal. No decision about what an agent does can come of it, and none of those can come of an
/// [`Evaluator`](super::Evaluator) to administer.
///
/// [`standard`](Self::standard) is what holds unless a host says otherwise. [`schema`](Self::schema) prints what policies
/// can name: the person's teams, the agent's sponsors, owners, managers and state, and in the context whether the person
/// is an administrator by name, when they signed in, and what the administrative action says.
///
/// ```
/// use bailiwick::policy::{Administration, Directory};
///
/// // Whoever is on call may stop any agent; security lets one come back; nothing is done in a session older than a day.
/// let administration = Administration::new(r#"
///     @id("on-call") permit(principal in Team::"on-call", action in Action::"any stop", resource);
///     @id("security") permit(principal in Team::"security", action in Action::"any start", resource);
///     @id("fresh") forbid(principal, action, resource)
///     when { context.time.durationSince(context.signed_in) > duration("1d") };
/// "#, Directory::new())?;
///
/// // An agent administers nothing: such a policy does not load.
/// let agents = r#"@id("p") permit(principal is AgentIdentity, action, resource);"#;
/// assert!(Administration::new(agents, Directory::new()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Administration(Arc<Loaded>);

#[derive(Debug)]
struct Loaded {
    kinds: Kinds,
    compiled: Compiled,
    entities: Entities,
    house: Name,
    bare: Record,
}

impl Administration {
    /// Loads Cedar policies, and who is in which team and which group of agents. Every policy has an `@id`.
    ///
    /// # Errors
    ///
    /// The text is over a bound, does not parse, does not pass Cedar's strict validation without a warning, an `@id` is
    /// missing or doubled, a policy is a template, or the directory contradicts itself.
    pub fn new(policies: &str, directory: Directory) -> Result<Self, PolicyError> {
        let pieces = text::split(policies)?;
        stack::deep(|| Self::of(people::load(&pieces, &Self::schema())?, &directory))
    }

    /// What holds unless a host says otherwise, as a text to begin with:
    ///
    /// * an administrator, by the name that the host gave, does everything;
    /// * every active operator stops everything, a blueprint, or a task;
    /// * a sponsor suspends and retires their agents, hands them over, and chooses owners and managers;
    /// * an owner suspends, binds agent users, and chooses managers; a manager suspends;
    /// * what was suspended comes back by an administrator, with an attested proof and the approval of a sponsor.
    pub fn standard_text() -> &'static str {
        STANDARD
    }

    /// [`standard_text`](Self::standard_text), loaded, and nobody in any team.
    ///
    /// # Errors
    ///
    /// [`PolicyError::NoStack`]: there is no thread to read them on.
    pub fn standard() -> Result<Self, PolicyError> {
        // Validated before it was released.
        Self::of(Compiled::named(STANDARD)?, &Directory::new())
    }

    /// What policies can name, as a Cedar schema.
    pub fn schema() -> String {
        let mut schema = VOCABULARY.to_owned();
        for action in AdminAction::ALL {
            let (group, kind, parts) = action.terms();
            let parts = parts.iter().fold(String::new(), |mut all, (name, kind)| {
                // Writing to a string cannot fail.
                let _ = write!(all, "\n    {name}: {kind},");
                all
            });
            let _ = write!(
                schema,
                r#"
action "{action}" in [Action::"{group}"] appliesTo {{
  principal: [HumanOperator],
  resource: [{}],
  context: {{
    administrator: Bool,
    listed: Bool,
    glass_broken: Bool,
    time: datetime,
    signed_in: datetime,{parts}
  }},
}};
"#,
                match kind {
                    Kind::House => "House",
                    Kind::Agent => "AgentIdentity",
                    Kind::Operator => "HumanOperator",
                },
            );
        }
        schema
    }

    fn of(compiled: Compiled, directory: &Directory) -> Result<Self, PolicyError> {
        let kinds = Kinds::new();
        let uid = |name: &str| EntityUid::new(kinds.action.clone(), name);
        let known =
            |action: &AdminAction| Entity::new(uid(action.as_str()), Record::default()).within([uid(action.terms().0)]);
        let entities = directory.entities(&kinds, &BTreeMap::new(), AdminAction::ALL.iter().map(known))?;
        Ok(Self(Arc::new(Loaded { kinds, compiled, entities, house: Name::new("House"), bare: Record::default() })))
    }

    /// Whether the administrative action may be done. Any error of any policy denies.
    pub(crate) fn check(&self, motion: &Motion<'_>) -> Result<(), NotAllowed> {
        let loaded = &*self.0;
        let (kinds, entities) = (&loaded.kinds, &loaded.entities);
        let (operator, action) = (motion.by.operator().id(), motion.action);
        let (attributes, context) = (motion.attributes(kinds), motion.context(kinds));
        let known = |kind, id, fields| {
            let uid = Uid { kind, id };
            let ancestors = entities.get(uid).map_or(&[][..], |data| data.ancestors);
            Known { uid, data: Some(Data { fields: Part::Stored(fields), tags: None, ancestors }) }
        };
        let asked = Asked {
            principal: known(&kinds.operator, operator.as_str(), &loaded.bare),
            action: known(&kinds.action, action.as_str(), &loaded.bare),
            resource: match motion.on {
                On::House => known(&loaded.house, "this", &loaded.bare),
                On::Agent(agent) => known(&kinds.agent, agent.id.as_str(), &attributes),
                On::Operator(operator) => known(&kinds.operator, operator.as_str(), &loaded.bare),
            },
            context: Part::Stored(&context),
            entities,
        };
        people::ask(&loaded.compiled, &asked).map_err(|Refused { by, failed }| {
            if !failed.is_empty() {
                tracing::error!(%operator, %action, ?failed, "policies of administration failed");
            }
            NotAllowed { operator: operator.clone(), action, by, failed }
        })
    }
}

/// The administrative action is not this person's to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the operator {operator} may not {action}")]
#[non_exhaustive]
pub struct NotAllowed {
    /// Who asked.
    pub operator: OperatorId,
    /// What they would have done.
    pub action: AdminAction,
    /// The policies that forbid it; none where no policy permits it.
    pub by: Vec<PolicyName>,
    /// The policies that failed. Where one does, nothing is allowed.
    pub failed: Vec<PolicyName>,
}

/// An administrative action that somebody would do.
#[derive(Debug, Clone)]
pub(crate) struct Motion<'m> {
    /// Who.
    pub(crate) by: &'m OperatorSession,
    /// The host named them an administrator.
    pub(crate) administrator: bool,
    /// The host listed them as one who may break the glass.
    pub(crate) listed: bool,
    /// They have broken it.
    pub(crate) glass_broken: bool,
    pub(crate) action: AdminAction,
    pub(crate) on: On<'m>,
    /// What else the administrative action says.
    pub(crate) says: Vec<(&'static str, Said<'m>)>,
    pub(crate) now: Timestamp,
}

/// What an administrative action is done to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum On<'m> {
    House,
    Agent(&'m Governed),
    Operator(&'m OperatorId),
}

/// An agent, as far as administration goes.
#[derive(Debug, Clone)]
pub(crate) struct Governed {
    pub(crate) id: AgentId,
    /// Nothing while it is new.
    pub(crate) state: Option<AgentState>,
    pub(crate) sponsors: Vec<OperatorId>,
    pub(crate) owners: Vec<OperatorId>,
    pub(crate) managers: Vec<OperatorId>,
}

/// A part of what an administrative action says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Said<'m> {
    Text(&'m str),
    Yes(bool),
    Person(&'m OperatorId),
}

impl Governed {
    /// What the registry said of it when this was asked; nothing of an agent that is new.
    pub(crate) fn seen(&self) -> Option<(&AgentId, AgentState, [&[OperatorId]; 3])> {
        Some((&self.id, self.state?, [&self.sponsors, &self.owners, &self.managers]))
    }
}

impl Motion<'_> {
    /// What policies see of the resource.
    fn attributes(&self, kinds: &Kinds) -> Record {
        let On::Agent(agent) = self.on else { return Record::default() };
        let person = |person: &OperatorId| EntityUid::new(kinds.operator.clone(), person.as_str()).into();
        let people = |people: &[OperatorId]| people.iter().map(person).collect::<Set>().into();
        let attributes: [(&str, Value); 4] = [
            ("state", agent.state.map_or("new", AgentState::as_str).into()),
            ("sponsors", people(&agent.sponsors)),
            ("owners", people(&agent.owners)),
            ("managers", people(&agent.managers)),
        ];
        attributes.into_iter().map(|(name, value)| (Name::new(name), value)).collect()
    }

    fn context(&self, kinds: &Kinds) -> Record {
        // Whole seconds.
        let moment = |moment: Timestamp| Value::Datetime(moment.unix().saturating_mul(1_000));
        let said = self.says.iter().map(|(name, said)| match said {
            Said::Text(text) => (*name, Value::text(text)),
            Said::Yes(yes) => (*name, Value::Bool(*yes)),
            Said::Person(person) => (*name, EntityUid::new(kinds.operator.clone(), person.as_str()).into()),
        });
        let own = [
            ("administrator", self.administrator.into()),
            ("listed", self.listed.into()),
            ("glass_broken", self.glass_broken.into()),
            ("time", moment(self.now)),
            ("signed_in", moment(self.by.signed_in())),
        ];
        own.into_iter().chain(said).map(|(name, value)| (Name::new(name), value)).collect()
    }
}
