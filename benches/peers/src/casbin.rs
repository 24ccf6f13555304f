//! casbin: an ABAC model whose policies are conditions, evaluated by its matcher.
//!
//! `Enforcer::enforce` on policies in memory. `CachedEnforcer` stays out: it remembers answers to requests that repeat, as
//! the eight here would, and so decides nothing. The first row has the request's objects built beforehand; the second
//! reads them from typed values at each call, as its documentation shows. Amounts are cents: its numbers are integers.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use casbin::rhai::Dynamic;
use casbin::rhai::serde::to_dynamic;
use casbin::{CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi};
use scene::{Condition, Effect, Failure, OFFICE, Rule, Timed, Who, requests, rules};
use serde::Serialize;

const MODEL: &str = r#"
[request_definition]
r = sub, act, obj, ctx

[policy_definition]
p = sub, act, rule, eft

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = (p.act == "*" || r.act == p.act) && g(r.sub.id, p.sub) && eval(p.rule)
"#;

pub fn prebuilt(n: usize) -> Result<Box<dyn Timed>, Failure> {
    let enforcer = enforcer(n)?;
    let mut objects = Vec::new();
    for request in &requests(n) {
        let (sub, act, obj, ctx) = typed(request);
        objects.push(vec![to_dynamic(sub)?, Dynamic::from(act.to_owned()), to_dynamic(obj)?, to_dynamic(ctx)?]);
    }
    Ok(scene::local(move |number| enforcer.enforce(objects[number].clone()).expect("a decision")))
}

pub fn built(n: usize) -> Result<Box<dyn Timed>, Failure> {
    let (enforcer, requests) = (enforcer(n)?, requests(n));
    Ok(scene::local(move |number| enforcer.enforce(typed(&requests[number])).expect("a decision")))
}

fn enforcer(n: usize) -> Result<Enforcer, Failure> {
    let model = at_once(DefaultModel::from_str(MODEL))?;
    let mut enforcer = at_once(Enforcer::new(model, MemoryAdapter::default()))?;
    at_once(enforcer.add_policies(rules(n).iter().map(policy).collect()))?;
    let agent = requests(n).remove(0).agent;
    let roles = agent.groups.into_iter().chain(["anybody"]);
    let roles = roles.map(|role| vec![agent.id.to_owned(), role.to_owned()]).collect();
    at_once(enforcer.add_grouping_policies(roles))?;
    Ok(enforcer)
}

fn policy(rule: &Rule) -> Vec<String> {
    let effect = match rule.effect {
        Effect::Permit => "allow",
        Effect::Forbid => "deny",
    };
    let who = match rule.who {
        Who::Anybody => "anybody",
        Who::Office => OFFICE,
        Who::Agent(id) => id,
    };
    let condition = match &rule.condition {
        Condition::ForPerson { scope, below } => {
            format!(r#"r.ctx.mode == "on_behalf_of" && "{scope}" in r.ctx.scopes && r.ctx.amount < {below}"#)
        }
        Condition::AloneBeneath { path, most } => {
            format!(r#"r.ctx.mode == "autonomous" && keyMatch(r.ctx.path, "{path}*") && r.ctx.count <= {most}"#)
        }
        Condition::SmallByDay { kind, from, before, below, depth } => format!(
            r#"r.obj.kind == "{kind}" && r.ctx.hour >= {from} && r.ctx.hour < {before} && r.ctx.amount < {below} && r.ctx.depth < {depth}"#
        ),
        Condition::Beneath { path } => format!(r#"keyMatch(r.ctx.path, "{path}*")"#),
        Condition::UnattestedOutside { from, before } => {
            format!("(r.ctx.hour < {from} || r.ctx.hour >= {before}) && !r.sub.attested")
        }
        Condition::MoreThan { most } => format!("r.ctx.count > {most}"),
    };
    let tool = rule.tool.as_deref().unwrap_or("*");
    [who, tool, &condition, effect].map(str::to_owned).to_vec()
}

#[derive(Serialize, Hash)]
struct Subject<'a> {
    id: &'a str,
    attested: bool,
    proof: &'a str,
    authority: &'a str,
    sponsor: &'a str,
    level: i32,
}

#[derive(Serialize, Hash)]
struct Object<'a> {
    kind: &'a str,
    name: &'a str,
    owner: &'a str,
}

#[derive(Serialize, Hash)]
struct Facts<'a> {
    task: &'a str,
    mode: &'a str,
    operator: &'a str,
    scopes: &'a [String],
    depth: i32,
    hour: i32,
    amount: i32,
    path: &'a str,
    count: i32,
}

fn typed(request: &scene::Request) -> (Subject<'_>, &str, Object<'_>, Facts<'_>) {
    let scene::Agent { id, attested, proof, authority, sponsor, level, .. } = request.agent;
    let scene::Resource { kind, name, owner } = request.resource;
    let context = &request.context;
    let facts = Facts {
        task: context.task,
        mode: context.mode,
        operator: context.operator,
        scopes: &context.scopes,
        depth: context.depth,
        hour: context.hour,
        amount: context.amount,
        path: context.path,
        count: context.count,
    };
    (Subject { id, attested, proof, authority, sponsor, level }, &request.tool, Object { kind, name, owner }, facts)
}

/// Everything is in memory, so nothing waits.
fn at_once<T, E: Into<Failure>>(future: impl Future<Output = Result<T, E>>) -> Result<T, Failure> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done.map_err(Into::into),
        Poll::Pending => Err("something waits".into()),
    }
}
