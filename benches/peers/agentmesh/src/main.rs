//! agentmesh: the rule engine of the Agent Governance Toolkit, `PolicyEngine::evaluate` with a context.
//!
//! Rules in one YAML profile, loaded once. The first matching rule wins, so each tool's denials come before what it allows,
//! the denial for all tools before every tool, and one for whatever is left at the end. Conditions are equalities and
//! lists: what is a bound elsewhere is a list of hours, or a fact that the host derives (the band of an amount, the folder
//! of a path, whether the scope is approved). The first row has the context built and derived beforehand, the second at
//! each call, from typed values.

use std::collections::HashMap;
use std::fmt::Write;

use agentmesh::policy::PolicyEngine;
use agentmesh::types::PolicyDecision;
use scene::{Condition, Effect, Failure, OFFICE, Peer, Rule, Timed, Who, requests, rules};
use serde_yaml::Value;

const PEERS: [Peer; 2] = [
    Peer { name: "agentmesh", title: "", prepare: prebuilt },
    Peer { name: "agentmesh-built", title: "", prepare: built },
];

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ask = scene::ask(&arguments)?.ok_or("started by `peers`: --peer NAME --n N [--iterations K]")?;
    scene::serve(&PEERS, &ask)
}

fn prebuilt(n: usize) -> Result<Box<dyn Timed>, Failure> {
    let engine = engine(n)?;
    let calls: Vec<(String, _)> = requests(n).iter().map(|request| (request.tool.clone(), context(request))).collect();
    Ok(scene::local(move |number| {
        let (tool, context) = &calls[number];
        engine.evaluate(tool, Some(context)) == PolicyDecision::Allow
    }))
}

fn built(n: usize) -> Result<Box<dyn Timed>, Failure> {
    let (engine, requests) = (engine(n)?, requests(n));
    Ok(scene::local(move |number| {
        let request = &requests[number];
        engine.evaluate(&request.tool, Some(&context(request))) == PolicyDecision::Allow
    }))
}

fn engine(n: usize) -> Result<PolicyEngine, Failure> {
    let mut rules = rules(n);
    rules.sort_by_key(|rule| (rule.tool.clone(), rule.effect == Effect::Permit));
    let mut profile = "version: \"1.0\"\nagent: filer\npolicies:\n".to_owned();
    for rule in &rules {
        write_rule(&mut profile, rule)?;
    }
    writeln!(profile, "- {{name: rest, type: capability, denied_actions: [\"*\"]}}")?;
    let engine = PolicyEngine::new();
    engine.load_from_yaml(&profile)?;
    Ok(engine)
}

fn write_rule(profile: &mut String, rule: &Rule) -> Result<(), Failure> {
    let list = match rule.effect {
        Effect::Permit => "allowed_actions",
        Effect::Forbid => "denied_actions",
    };
    let tool = rule.tool.as_deref().unwrap_or("*");
    writeln!(profile, "- name: {}\n  type: capability\n  {list}: [\"{tool}\"]\n  conditions:", rule.id)?;
    match rule.who {
        Who::Anybody => {}
        Who::Office => writeln!(profile, "    agent.group: {OFFICE}")?,
        Who::Agent(id) => writeln!(profile, "    agent.id: {id}")?,
    }
    let hours = |from: i32, before: i32| (from..before).map(|hour| hour.to_string()).collect::<Vec<_>>().join(", ");
    match &rule.condition {
        Condition::ForPerson { .. } => {
            writeln!(profile, "    mode: on_behalf_of\n    scope_approved: true\n    amount_band: [small, medium]")?
        }
        Condition::AloneBeneath { path, most } => {
            writeln!(profile, "    mode: autonomous\n    folder: {path}\n    count: [{}]", hours(0, most + 1))?
        }
        Condition::SmallByDay { kind, from, before, depth, .. } => writeln!(
            profile,
            "    resource.kind: {kind}\n    hour: [{}]\n    amount_band: small\n    depth: [{}]",
            hours(*from, *before),
            hours(0, *depth)
        )?,
        Condition::Beneath { path } => writeln!(profile, "    folder: {path}")?,
        Condition::UnattestedOutside { from, before } => {
            writeln!(profile, "    hour: [{}, {}]\n    agent.attested: false", hours(0, *from), hours(*before, 24))?
        }
        Condition::MoreThan { .. } => writeln!(profile, "    count_band: large")?,
    }
    Ok(())
}

/// The facts, and what is derived from them.
fn context(request: &scene::Request) -> HashMap<String, Value> {
    let (agent, resource, context) = (&request.agent, &request.resource, &request.context);
    let folder = context.path.match_indices('/').nth(1).map_or(context.path, |(at, _)| &context.path[..=at]);
    let group = if agent.groups.contains(&OFFICE) { OFFICE } else { "" };
    let amount_band = match context.amount {
        ..5_000 => "small",
        5_000..49_991 => "medium",
        _ => "large",
    };
    HashMap::from(
        [
            ("agent.id", Value::from(agent.id)),
            ("agent.group", Value::from(group)),
            ("agent.attested", Value::from(agent.attested)),
            ("agent.proof", Value::from(agent.proof)),
            ("agent.authority", Value::from(agent.authority)),
            ("agent.sponsor", Value::from(agent.sponsor)),
            ("agent.level", Value::from(agent.level)),
            ("resource.kind", Value::from(resource.kind)),
            ("resource.name", Value::from(resource.name)),
            ("resource.owner", Value::from(resource.owner)),
            ("task", Value::from(context.task)),
            ("mode", Value::from(context.mode)),
            ("operator", Value::from(context.operator)),
            ("scope_approved", Value::from(context.scopes.contains(&request.tool))),
            ("depth", Value::from(context.depth)),
            ("hour", Value::from(context.hour)),
            ("amount_band", Value::from(amount_band)),
            ("folder", Value::from(folder)),
            ("count", Value::from(context.count)),
            ("count_band", Value::from(if context.count > 100 { "large" } else { "small" })),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    )
}
