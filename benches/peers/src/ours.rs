//! `bailiwick`: the whole of `policy::Evaluator::decide`, guard and policies, from typed values.
//!
//! The same facts in this library's vocabulary: the tool's approved scopes are the mandate's scope, which the guard
//! checks; members of the office are the agents of its authority; the hour comes from the time of the decision; path,
//! amount, depth and count are arguments of the tool. Nothing that Cedar sees is built beforehand.

use std::sync::Arc;
use std::time::Duration;

use bailiwick::Authorizer;
use bailiwick::audit::{AgentFact, MemorySink};
use bailiwick::identity::{AgentId, HumanOperator, OperatorId, Registry, danger};
use bailiwick::mandate::{
    Action, ActionClass, ActionRequest, ArgumentType, Arguments, Grant, Intent, LedgerView, Mandate, Resource, Scope,
    Tool,
};
use bailiwick::policy::{Catalog, Evaluator, Outcome, Question, Reason};
use bailiwick::time::{ManualClock, Timestamp};
use scene::{Condition, Effect, FILER, Failure, Rule, Timed, Who, requests, rules, tools};

/// Midnight, of any day.
const MIDNIGHT: i64 = 1_789_948_800;
const DAY: Duration = Duration::from_secs(86_400);

pub fn prepare(n: usize) -> Result<Box<dyn Timed>, Failure> {
    let evaluator = Evaluator::new(catalog(n)?, &rules(n).iter().map(policy).collect::<String>())?;
    let midnight = Timestamp::from_unix(MIDNIGHT).ok_or("no time")?;

    // A door, a person and an agent: what a mandate and a standing come from.
    let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
    let registry = Registry::new();
    registry.enroll(ada.clone())?;
    registry.register(AgentId::spiffe(FILER)?, [ada.id().clone()])?;
    let sink = Arc::new(MemorySink::new(16));
    let door = Authorizer::builder(registry, evaluator.clone(), sink.clone())
        .clock(Arc::new(ManualClock::at(midnight)))
        .build()?;
    let ada = danger::operator_vouched_by_host(ada, midnight, midnight.after(DAY))?;
    let agent = door.admit(danger::workload_vouched_by_host(AgentId::spiffe(FILER)?, None, midnight.after(DAY)))?;

    let requests = requests(n);
    let mut scope = Scope::new();
    for tool in requests.iter().map(|request| &request.tool).collect::<std::collections::BTreeSet<_>>() {
        scope = scope.allow(tool, Grant::new().autonomous())?;
    }
    let intent = Intent::new("file the inbox", scope)?;
    let mandate = || Mandate::new(agent.clone(), intent.clone()).approved_by(&ada);
    let task = door.begin(mandate())?;
    let asked = |request: &scene::Request| -> Result<(Action, ActionRequest, Timestamp), Failure> {
        let resource = Resource::new(request.resource.kind, request.resource.name)?;
        let action = match request.context.mode {
            "autonomous" => Action::autonomous(&request.tool, &resource)?,
            _ => Action::on_behalf_of(&ada, &request.tool, &resource)?,
        };
        let context = &request.context;
        let arguments = format!(
            r#"{{"path": "{}", "amount": {}, "depth": {}, "count": {}}}"#,
            context.path,
            context.decimal(),
            context.depth,
            context.count
        );
        let action = action.with(Arguments::from_json(&arguments)?);
        let request = task.request(&action);
        Ok((action, request, midnight.after(Duration::from_secs(3_600 * u64::try_from(context.hour)?))))
    };
    let asked = requests.iter().map(asked).collect::<Result<Vec<_>, _>>()?;

    // What holds at this instant is in the record of a decision.
    drop(task.authorize(&asked[0].0));
    let decided = sink.events().into_iter().filter_map(|event| event.agent).find_map(|record| match record.fact {
        AgentFact::Decided(decided) => Some(decided),
        _ => None,
    });
    let standing = decided.ok_or("no decision was recorded")?.standing;
    let (mandate, ledger, until) = (mandate(), LedgerView::default(), task.until());
    let decide = move |number: usize| {
        let _alive = &task;
        let (action, request, now) = &asked[number];
        evaluator.decide(&Question::new(&mandate, &standing, &ledger, action, request, until, *now))
    };
    // The guard refuses none of them: it is the policies that decide.
    for reason in (0..requests.len()).filter_map(|number| decide(number).reason) {
        assert!(matches!(reason, Reason::NotPermitted | Reason::Forbidden(_)), "{reason:?}");
    }
    Ok(scene::local(move |number| decide(number).outcome == Outcome::Permitted))
}

fn catalog(n: usize) -> Result<Catalog, Failure> {
    let mut catalog = Catalog::new();
    for name in tools(n) {
        let tool = Tool::new(name.parse()?, ActionClass::Write)
            .required("path".parse()?, ArgumentType::Text)?
            .required("amount".parse()?, ArgumentType::Number)?
            .required("depth".parse()?, ArgumentType::Integer)?
            .required("count".parse()?, ArgumentType::Integer)?;
        catalog = catalog.with(tool)?;
    }
    Ok(catalog)
}

fn policy(rule: &Rule) -> String {
    let effect = match rule.effect {
        Effect::Permit => "permit",
        Effect::Forbid => "forbid",
    };
    let (who, office) = match rule.who {
        Who::Anybody => ("principal".to_owned(), ""),
        Who::Office => ("principal".to_owned(), r#"principal.authority == "acme.example" && "#),
        Who::Agent(id) => (format!(r#"principal == AgentIdentity::"{id}""#), ""),
    };
    let action = rule.tool.as_ref().map_or("action".to_owned(), |tool| format!(r#"action == Action::"{tool}""#));
    let limit = rule.condition.limit().unwrap_or_default();
    let condition = match &rule.condition {
        // The scope is the mandate's.
        Condition::ForPerson { .. } => {
            format!(r#"context.mode == "on_behalf_of" && context.args.amount.lessThan(decimal("{limit}"))"#)
        }
        Condition::AloneBeneath { path, most } => format!(
            r#"context.mode == "autonomous" && context.args.path like "{path}*" && context.args.count <= {most}"#
        ),
        Condition::SmallByDay { kind, from, before, depth, .. } => format!(
            r#"resource.kind == "{kind}" && context.time.toTime() >= duration("{from}h")
               && context.time.toTime() < duration("{before}h")
               && context.args.amount.lessThan(decimal("{limit}")) && context.args.depth < {depth}"#
        ),
        Condition::Beneath { path } => format!(r#"context.args.path like "{path}*""#),
        Condition::UnattestedOutside { from, before } => format!(
            r#"(context.time.toTime() < duration("{from}h") || context.time.toTime() >= duration("{before}h"))
               && !principal.attested"#
        ),
        Condition::MoreThan { most } => format!("context.args.count > {most}"),
    };
    format!("@id(\"{}\") {effect}({who}, {action}, resource) when {{ {office}{condition} }};\n", rule.id)
}
