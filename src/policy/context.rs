//! What policies see of a question: the facts of the task and the action, as a Cedar request.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression, Schema,
};

use super::PolicyError;
use super::Question;
use super::index::Slice;
use crate::mandate::{ArgumentType, Tool, Value};

/// The entity types of the vocabulary, parsed once.
#[derive(Debug)]
pub(super) struct Kinds {
    action: EntityTypeName,
    agent: EntityTypeName,
    operator: EntityTypeName,
    agent_user: EntityTypeName,
    resource: EntityTypeName,
}

impl Kinds {
    pub(super) fn new() -> Result<Self, PolicyError> {
        let kind = |name: &str| name.parse::<EntityTypeName>().map_err(PolicyError::cedar);
        Ok(Self {
            action: kind("Action")?,
            agent: kind("AgentIdentity")?,
            operator: kind("HumanOperator")?,
            agent_user: kind("AgentUser")?,
            resource: kind("Resource")?,
        })
    }

    pub(super) fn action(&self, id: &str) -> EntityUid {
        uid(&self.action, id)
    }
}

fn uid(kind: &EntityTypeName, id: impl AsRef<str>) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

/// What policies see besides the facts that always hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// A human's approval of exactly this action.
    pub(super) approved: bool,
    /// The agent user that is presented.
    pub(super) agent_user: bool,
}

/// The request, checked against the schema, and the entities that it names.
pub(super) fn request(
    question: &Question<'_>,
    tool: &Tool,
    slice: &Slice,
    seen: Seen,
    (kinds, schema): (&Kinds, &Schema),
) -> Result<(Request, Entities), PolicyError> {
    let (agent, action) = (question.mandate.agent(), question.action);
    let principal = uid(&kinds.agent, agent.id().as_str());
    let resource = uid(&kinds.resource, action.resource().as_str());
    let sponsor = uid(&kinds.operator, agent.sponsor().as_str());
    let operator = action.mode().operator().map(|id| uid(&kinds.operator, id.as_str()));
    let user = action.presented().filter(|_| seen.agent_user);
    let user = user.map(|user| uid(&kinds.agent_user, user.id().as_str()));

    let mut pairs = vec![
        ("mode".to_owned(), text(action.mode().as_str())),
        ("approved".to_owned(), RestrictedExpression::new_bool(seen.approved)),
        ("task".to_owned(), task(question, kinds)?),
        ("tool".to_owned(), declared(tool)?),
        ("time".to_owned(), RestrictedExpression::new_datetime(datetime(question))),
        ("args".to_owned(), arguments(question, tool)?),
    ];
    let entity = |name: &str, uid: &EntityUid| (name.to_owned(), RestrictedExpression::new_entity_uid(uid.clone()));
    pairs.extend(operator.iter().map(|uid| entity("operator", uid)));
    pairs.extend(user.iter().map(|uid| entity("agent_user", uid)));
    let context = Context::from_pairs(pairs).map_err(PolicyError::cedar)?;

    let agent_attributes = HashMap::from([
        ("attested".to_owned(), RestrictedExpression::new_bool(agent.method().is_attested())),
        ("proof".to_owned(), text(agent.method().as_str())),
        ("authority".to_owned(), text(agent.id().authority())),
        ("sponsor".to_owned(), RestrictedExpression::new_entity_uid(sponsor.clone())),
    ]);
    let resource_attributes = HashMap::from([
        ("kind".to_owned(), text(action.resource().kind())),
        ("name".to_owned(), text(action.resource().name())),
    ]);
    let mut entities = slice.entities.clone();
    entities.push(entity_of(&principal, agent_attributes)?);
    entities.push(entity_of(&resource, resource_attributes)?);
    let people: HashSet<EntityUid> = std::iter::once(sponsor).chain(operator).chain(user).collect();
    entities.extend(people.into_iter().map(|uid| Entity::new_no_attrs(uid, HashSet::new())));

    let request = Request::new(principal, slice.action.clone(), resource, context, Some(schema));
    let entities = Entities::from_entities(entities, None).map_err(PolicyError::cedar)?;
    Ok((request.map_err(PolicyError::cedar)?, entities))
}

fn entity_of(uid: &EntityUid, attributes: HashMap<String, RestrictedExpression>) -> Result<Entity, PolicyError> {
    Entity::new(uid.clone(), attributes, HashSet::new()).map_err(PolicyError::cedar)
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn texts<'a>(items: impl Iterator<Item = &'a str>) -> RestrictedExpression {
    RestrictedExpression::new_set(items.map(text))
}

fn long(number: impl TryInto<i64>) -> RestrictedExpression {
    RestrictedExpression::new_long(number.try_into().unwrap_or(i64::MAX))
}

fn record(pairs: Vec<(String, RestrictedExpression)>) -> Result<RestrictedExpression, PolicyError> {
    RestrictedExpression::new_record(pairs).map_err(PolicyError::cedar)
}

/// Cedar reads whole seconds in this form.
fn datetime(question: &Question<'_>) -> String {
    let moment = question.now.to_string();
    let seconds = moment.split(['.', 'Z']).next().unwrap_or_default();
    format!("{seconds}Z")
}

fn task(question: &Question<'_>, kinds: &Kinds) -> Result<RestrictedExpression, PolicyError> {
    let ledger = question.ledger;
    let approvers = question
        .mandate
        .approvals()
        .iter()
        .map(|approval| RestrictedExpression::new_entity_uid(uid(&kinds.operator, approval.operator().as_str())));
    record(vec![
        ("id".to_owned(), text(question.request.task().as_str())),
        ("purpose".to_owned(), text(question.mandate.intent().purpose().as_str())),
        ("approvers".to_owned(), RestrictedExpression::new_set(approvers)),
        ("step".to_owned(), long(ledger.step)),
        ("calls".to_owned(), long(ledger.calls)),
        ("tool_calls".to_owned(), long(ledger.tool_calls)),
        ("refusals".to_owned(), long(ledger.refusals)),
        ("labels".to_owned(), texts(ledger.labels.iter().map(|label| label.as_str()))),
        ("recent".to_owned(), texts(ledger.recent.iter().map(|tool| tool.as_str()))),
    ])
}

fn declared(tool: &Tool) -> Result<RestrictedExpression, PolicyError> {
    record(vec![
        ("class".to_owned(), text(tool.class().as_str())),
        ("labels".to_owned(), texts(tool.labels().iter().map(|label| label.as_str()))),
    ])
}

/// The arguments that policies can name, in the types that the tool declares. They were checked against the tool.
fn arguments(question: &Question<'_>, tool: &Tool) -> Result<RestrictedExpression, PolicyError> {
    let mut pairs = Vec::new();
    for (name, parameter) in tool.parameters() {
        if let Some(value) = question.action.arguments().get(name.as_str())
            && let Some(expression) = argument(parameter.kind, value)
        {
            pairs.push((name.as_str().to_owned(), expression));
        }
    }
    record(pairs)
}

fn argument(kind: ArgumentType, value: &Value) -> Option<RestrictedExpression> {
    match (kind, value) {
        (ArgumentType::Bool, Value::Bool(value)) => Some(RestrictedExpression::new_bool(*value)),
        (ArgumentType::Integer, Value::Number(number)) => number.as_integer().map(RestrictedExpression::new_long),
        (ArgumentType::Number, Value::Number(number)) => Some(RestrictedExpression::new_decimal(number.to_decimal())),
        (ArgumentType::Text, Value::Text(value)) => Some(text(value)),
        (ArgumentType::Texts, Value::List(items)) => {
            let items: Option<Vec<_>> = items.iter().map(|item| argument(ArgumentType::Text, item)).collect();
            items.map(RestrictedExpression::new_set)
        }
        (ArgumentType::Integers, Value::List(items)) => {
            let items: Option<Vec<_>> = items.iter().map(|item| argument(ArgumentType::Integer, item)).collect();
            items.map(RestrictedExpression::new_set)
        }
        _ => None,
    }
}
