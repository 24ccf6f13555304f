//! Cedar itself: `Authorizer::is_authorized` on one `PolicySet`.
//!
//! Set up as its documentation shows: policies and entities are parsed once. The first row has the request and the
//! entities of each call built beforehand, too: Cedar's best case. The second builds both from typed values at each
//! call, as a host must whose requests differ; names of types are parsed once, and no schema is checked.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression as Value,
};
use scene::{Condition, Effect, Failure, Rule, Timed, Who, requests, rules};

pub fn prebuilt(n: usize) -> Result<Box<dyn Timed>, Failure> {
    let (cedar, policies, kinds) = (Authorizer::new(), policies(n)?, Kinds::new()?);
    let requests = requests(n).iter().map(|request| kinds.build(request)).collect::<Result<Vec<_>, _>>()?;
    Ok(scene::local(move |number| {
        let (request, entities) = &requests[number];
        cedar.is_authorized(request, &policies, entities).decision() == Decision::Allow
    }))
}

pub fn built(n: usize) -> Result<Box<dyn Timed>, Failure> {
    let (cedar, policies, kinds) = (Authorizer::new(), policies(n)?, Kinds::new()?);
    let requests = requests(n);
    Ok(scene::local(move |number| {
        let (request, entities) = kinds.build(&requests[number]).expect("it was built when it was checked");
        cedar.is_authorized(&request, &policies, &entities).decision() == Decision::Allow
    }))
}

fn policies(n: usize) -> Result<PolicySet, Failure> {
    Ok(text(n).parse()?)
}

/// The policies in Cedar's language.
pub fn text(n: usize) -> String {
    rules(n).iter().map(policy).collect()
}

fn policy(rule: &Rule) -> String {
    let effect = match rule.effect {
        Effect::Permit => "permit",
        Effect::Forbid => "forbid",
    };
    let who = match rule.who {
        Who::Anybody => "principal".to_owned(),
        Who::Office => r#"principal in Group::"office""#.to_owned(),
        Who::Agent(id) => format!(r#"principal == Agent::"{id}""#),
    };
    let action = rule.tool.as_ref().map_or("action".to_owned(), |tool| format!(r#"action == Action::"{tool}""#));
    let limit = rule.condition.limit().unwrap_or_default();
    let condition = match &rule.condition {
        Condition::ForPerson { scope, .. } => format!(
            r#"context.mode == "on_behalf_of" && context.scopes.contains("{scope}")
               && context.amount.lessThan(decimal("{limit}"))"#
        ),
        Condition::AloneBeneath { path, most } => {
            format!(r#"context.mode == "autonomous" && context.path like "{path}*" && context.count <= {most}"#)
        }
        Condition::SmallByDay { kind, from, before, depth, .. } => format!(
            r#"resource.kind == "{kind}" && context.hour >= {from} && context.hour < {before}
               && context.amount.lessThan(decimal("{limit}")) && context.depth < {depth}"#
        ),
        Condition::Beneath { path } => format!(r#"context.path like "{path}*""#),
        Condition::UnattestedOutside { from, before } => {
            format!("(context.hour < {from} || context.hour >= {before}) && !principal.attested")
        }
        Condition::MoreThan { most } => format!("context.count > {most}"),
    };
    format!("@id(\"{}\") {effect}({who}, {action}, resource) when {{ {condition} }};\n", rule.id)
}

/// The entity types, parsed once.
struct Kinds {
    agent: EntityTypeName,
    group: EntityTypeName,
    action: EntityTypeName,
    resource: EntityTypeName,
    operator: EntityTypeName,
}

impl Kinds {
    fn new() -> Result<Self, Failure> {
        Ok(Self {
            agent: "Agent".parse()?,
            group: "Group".parse()?,
            action: "Action".parse()?,
            resource: "Resource".parse()?,
            operator: "Operator".parse()?,
        })
    }

    fn build(&self, request: &scene::Request) -> Result<(Request, Entities), Failure> {
        let (agent, context) = (&request.agent, &request.context);
        let principal = uid(&self.agent, agent.id);
        let resource = uid(&self.resource, request.resource.name);
        let groups: HashSet<EntityUid> = agent.groups.iter().map(|group| uid(&self.group, group)).collect();
        let operator = |id| Value::new_entity_uid(uid(&self.operator, id));
        let entities = [
            Entity::new(
                principal.clone(),
                attributes([
                    ("attested", Value::new_bool(agent.attested)),
                    ("proof", string(agent.proof)),
                    ("authority", string(agent.authority)),
                    ("sponsor", operator(agent.sponsor)),
                    ("level", Value::new_long(agent.level.into())),
                ]),
                groups,
            )?,
            Entity::new(
                resource.clone(),
                attributes([
                    ("kind", string(request.resource.kind)),
                    ("name", string(request.resource.name)),
                    ("owner", operator(request.resource.owner)),
                ]),
                HashSet::new(),
            )?,
            Entity::new_no_attrs(uid(&self.operator, context.operator), HashSet::new()),
        ];
        let context = Context::from_pairs(attributes([
            ("task", string(context.task)),
            ("mode", string(context.mode)),
            ("operator", operator(context.operator)),
            ("scopes", Value::new_set(context.scopes.iter().map(|scope| string(scope)))),
            ("depth", Value::new_long(context.depth.into())),
            ("hour", Value::new_long(context.hour.into())),
            ("amount", Value::new_decimal(context.decimal())),
            ("path", string(context.path)),
            ("count", Value::new_long(context.count.into())),
        ]))?;
        let request = Request::new(principal, uid(&self.action, &request.tool), resource, context, None)?;
        Ok((request, Entities::from_entities(entities, None)?))
    }
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn string(text: &str) -> Value {
    Value::new_string(text.to_owned())
}

fn attributes<const N: usize>(pairs: [(&str, Value); N]) -> HashMap<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
