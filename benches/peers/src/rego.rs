//! regorus: Rego, interpreted and on its virtual machine, with one rule for each policy or with policies as data.
//!
//! Inputs are built beforehand and cloned at each call, which copies a reference: building one is the host's. The
//! interpreter is `Engine::eval_rule`, which was faster here than `CompiledPolicy::eval_with_input`. The machine is kept
//! from call to call, as in regorus's own benchmarks, its bound on instructions lifted, as there.

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, Value};
use scene::{Condition, Effect, Failure, OFFICE, Rule, Timed, Who, requests, rules};
use serde_json::{Value as Json, json};

const ENTRY: &str = "data.tools.allow";

const PACKAGE: &str = "package tools\nimport rego.v1\n";

const ALLOW: &str = "
default allow := false
allow if { permit; not forbid }
";

/// Rules over policies as data, found by the tool's name and by whom they are about.
const GENERIC: &str = r#"
principals := array.concat(["anybody", input.agent.id], input.agent.groups)

permit if { some who in principals; some policy in data.permit[input.tool][who]; not fails(policy) }
forbid if { some who in principals; some policy in data.forbid[input.tool][who]; not fails(policy) }
forbid if { some who in principals; some policy in data.forbid["*"][who]; not fails(policy) }

fails(policy) if { policy.mode != input.context.mode }
fails(policy) if { policy.scope; not policy.scope in input.context.scopes }
fails(policy) if { policy.beneath; not startswith(input.context.path, policy.beneath) }
fails(policy) if { policy.kind != input.resource.kind }
fails(policy) if { policy.attested != input.agent.attested }
fails(policy) if { input.context.amount >= policy.amount_below }
fails(policy) if { input.context.depth >= policy.depth_below }
fails(policy) if { input.context.count > policy.count_most }
fails(policy) if { input.context.count <= policy.count_above }
fails(policy) if { input.context.hour < policy.from }
fails(policy) if { input.context.hour >= policy.before }
fails(policy) if { input.context.hour >= policy.outside.from; input.context.hour < policy.outside.before }
"#;

pub fn interpreter(n: usize) -> Result<Box<dyn Timed>, Failure> {
    let mut engine = engine(one_rule_each(n))?;
    let (inputs, allow) = (inputs(n)?, Value::from(true));
    Ok(scene::local(move |number| {
        engine.set_input(inputs[number].clone());
        engine.eval_rule(ENTRY.to_owned()).expect("a decision") == allow
    }))
}

pub fn machine(n: usize) -> Result<Box<dyn Timed>, Failure> {
    run(one_rule_each(n), None, inputs(n)?)
}

pub fn machine_over_data(n: usize) -> Result<Box<dyn Timed>, Failure> {
    run(vec![format!("{PACKAGE}{ALLOW}{GENERIC}")], Some(data(n)?), inputs(n)?)
}

fn engine(files: Vec<String>) -> Result<Engine, Failure> {
    let mut engine = Engine::new();
    for (number, text) in files.into_iter().enumerate() {
        engine.add_policy(format!("tools-{number}.rego"), text)?;
    }
    Ok(engine)
}

fn run(files: Vec<String>, data: Option<Value>, inputs: Vec<Value>) -> Result<Box<dyn Timed>, Failure> {
    let policy = engine(files)?.compile_with_entrypoint(&ENTRY.into())?;
    let mut machine = RegoVM::new();
    machine.load_program(Compiler::compile_from_policy(&policy, &[ENTRY])?);
    machine.set_max_instructions(usize::MAX);
    if let Some(data) = data {
        machine.set_data(data)?;
    }
    let allow = Value::from(true);
    Ok(scene::local(move |number| {
        machine.set_input(inputs[number].clone());
        machine.execute().expect("a decision") == allow
    }))
}

/// Several files of one package: regorus reads files of up to 1 MiB.
fn one_rule_each(n: usize) -> Vec<String> {
    let file = |rules: &[Rule]| std::iter::once(PACKAGE.to_owned()).chain(rules.iter().map(rego)).collect();
    let rules = rules(n);
    std::iter::once(format!("{PACKAGE}{ALLOW}")).chain(rules.chunks(2_000).map(file)).collect()
}

fn rego(rule: &Rule) -> String {
    let mut tests = Vec::new();
    if let Some(tool) = &rule.tool {
        tests.push(format!(r#"input.tool == "{tool}""#));
    }
    match rule.who {
        Who::Anybody => {}
        Who::Office => tests.push(format!(r#""{OFFICE}" in input.agent.groups"#)),
        Who::Agent(id) => tests.push(format!(r#"input.agent.id == "{id}""#)),
    }
    let limit = rule.condition.limit().unwrap_or_default();
    tests.push(match &rule.condition {
        Condition::ForPerson { scope, .. } => format!(
            r#"input.context.mode == "on_behalf_of"; "{scope}" in input.context.scopes; input.context.amount < {limit}"#
        ),
        Condition::AloneBeneath { path, most } => format!(
            r#"input.context.mode == "autonomous"; startswith(input.context.path, "{path}"); input.context.count <= {most}"#
        ),
        Condition::SmallByDay { kind, from, before, depth, .. } => format!(
            r#"input.resource.kind == "{kind}"; input.context.hour >= {from}; input.context.hour < {before}; input.context.amount < {limit}; input.context.depth < {depth}"#
        ),
        Condition::Beneath { path } => format!(r#"startswith(input.context.path, "{path}")"#),
        Condition::UnattestedOutside { from, before } => {
            // Rego says "or" with two rules.
            let day = tests.join("; ");
            return format!(
                "forbid if {{ {day}; input.context.hour < {from}; not input.agent.attested }}\n\
                 forbid if {{ {day}; input.context.hour >= {before}; not input.agent.attested }}\n"
            );
        }
        Condition::MoreThan { most } => format!("input.context.count > {most}"),
    });
    format!("{} if {{ {} }}\n", effect(rule), tests.join("; "))
}

fn effect(rule: &Rule) -> &'static str {
    match rule.effect {
        Effect::Permit => "permit",
        Effect::Forbid => "forbid",
    }
}

/// `{effect: {tool: {who: [condition]}}}`.
fn data(n: usize) -> Result<Value, Failure> {
    let mut data = json!({"permit": {}, "forbid": {}});
    for rule in rules(n) {
        let who = match rule.who {
            Who::Anybody => "anybody",
            Who::Office => OFFICE,
            Who::Agent(id) => id,
        };
        let tool = rule.tool.as_deref().unwrap_or("*");
        let list = &mut data[effect(&rule)][tool][who];
        match list.as_array_mut() {
            Some(list) => list.push(condition(&rule.condition)),
            None => *list = json!([condition(&rule.condition)]),
        }
    }
    Ok(Value::from_json_str(&data.to_string())?)
}

fn condition(condition: &Condition) -> Json {
    let amount = |cents: &i32| f64::from(*cents) / 100.0;
    match condition {
        Condition::ForPerson { scope, below } => {
            json!({"mode": "on_behalf_of", "scope": scope, "amount_below": amount(below)})
        }
        Condition::AloneBeneath { path, most } => json!({"mode": "autonomous", "beneath": path, "count_most": most}),
        Condition::SmallByDay { kind, from, before, below, depth } => json!({
            "kind": kind, "from": from, "before": before, "amount_below": amount(below), "depth_below": depth,
        }),
        Condition::Beneath { path } => json!({"beneath": path}),
        Condition::UnattestedOutside { from, before } => {
            json!({"outside": {"from": from, "before": before}, "attested": false})
        }
        Condition::MoreThan { most } => json!({"count_above": most}),
    }
}

fn inputs(n: usize) -> Result<Vec<Value>, Failure> {
    let input = |request: &scene::Request| {
        let (agent, resource, context) = (&request.agent, &request.resource, &request.context);
        let input = json!({
            "tool": request.tool,
            "agent": {
                "id": agent.id, "groups": agent.groups, "attested": agent.attested, "proof": agent.proof,
                "authority": agent.authority, "sponsor": agent.sponsor, "level": agent.level,
            },
            "resource": {"kind": resource.kind, "name": resource.name, "owner": resource.owner},
            "context": {
                "task": context.task, "mode": context.mode, "operator": context.operator, "scopes": context.scopes,
                "depth": context.depth, "hour": context.hour, "amount": f64::from(context.amount) / 100.0,
                "path": context.path, "count": context.count,
            },
        });
        Ok(Value::from_json_str(&input.to_string())?)
    };
    requests(n).iter().map(input).collect()
}
