//! `bailiwick`'s policies without agents and tools: `policy::compiled::Compiled::answer`.
//!
//! The same policies, entities and context as Cedar's, word for word. The first row has them built beforehand, the second
//! builds principal, resource, context and entities from typed values at each call.

use bailiwick::policy::compiled::{Compiled, Entities, Entity, EntityUid, Name, Record, Request, Value};
use scene::{Failure, Timed, requests};

use crate::cedar;

pub fn prebuilt(n: usize) -> Result<Box<dyn Timed>, Failure> {
    let policies = Compiled::parse(&cedar::text(n))?;
    let names = Names::new();
    let requests = requests(n).iter().map(|request| names.build(request)).collect::<Result<Vec<_>, _>>()?;
    Ok(scene::local(move |number| policies.answer(&requests[number]).is_allowed()))
}

pub fn built(n: usize) -> Result<Box<dyn Timed>, Failure> {
    let policies = Compiled::parse(&cedar::text(n))?;
    let (names, requests) = (Names::new(), requests(n));
    Ok(scene::local(move |number| {
        let request = names.build(&requests[number]).expect("it was built when it was checked");
        policies.answer(&request).is_allowed()
    }))
}

/// The entity types, made once.
struct Names {
    agent: Name,
    group: Name,
    action: Name,
    resource: Name,
    operator: Name,
}

impl Names {
    fn new() -> Self {
        Self {
            agent: Name::new("Agent"),
            group: Name::new("Group"),
            action: Name::new("Action"),
            resource: Name::new("Resource"),
            operator: Name::new("Operator"),
        }
    }

    fn build(&self, request: &scene::Request) -> Result<Request, Failure> {
        let (agent, context) = (&request.agent, &request.context);
        let principal = uid(&self.agent, agent.id);
        let resource = uid(&self.resource, request.resource.name);
        let operator = |id| Value::from(uid(&self.operator, id));
        let entities = [
            Entity::new(
                principal.clone(),
                record([
                    ("attested", agent.attested.into()),
                    ("proof", agent.proof.into()),
                    ("authority", agent.authority.into()),
                    ("sponsor", operator(agent.sponsor)),
                    ("level", long(agent.level)),
                ]),
            )
            .within(agent.groups.iter().map(|group| uid(&self.group, group))),
            Entity::new(
                resource.clone(),
                record([
                    ("kind", request.resource.kind.into()),
                    ("name", request.resource.name.into()),
                    ("owner", operator(request.resource.owner)),
                ]),
            ),
            Entity::new(uid(&self.operator, context.operator), record([])),
        ];
        let context = record([
            ("task", context.task.into()),
            ("mode", context.mode.into()),
            ("operator", operator(context.operator)),
            ("scopes", Value::Set(context.scopes.iter().map(|scope| Value::text(scope)).collect())),
            ("depth", long(context.depth)),
            ("hour", long(context.hour)),
            // From cents.
            ("amount", Value::Decimal(i64::from(context.amount) * 100)),
            ("path", context.path.into()),
            ("count", long(context.count)),
        ]);
        let action = uid(&self.action, &request.tool);
        Ok(Request::new(principal, action, resource, context, Entities::new(entities)?))
    }
}

fn uid(kind: &Name, id: &str) -> EntityUid {
    EntityUid::new(kind.clone(), id)
}

fn long(number: i32) -> Value {
    Value::Long(number.into())
}

fn record<const N: usize>(pairs: [(&str, Value); N]) -> Record {
    pairs.into_iter().map(|(name, value)| (Name::new(name), value)).collect()
}
