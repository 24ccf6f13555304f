//! tenuo: the constraints of a warrant on a call's arguments, without its cryptography.
//!
//! `Warrant::check_constraints`, on one warrant with a capability for each tool. A warrant bounds each argument, where
//! policies permit and forbid: so the bounds are those outside which no policy permits or one forbids, and the eight
//! answers are the same. Who asks is the warrant's holder, which its signature proves and is not measured here. The
//! first row has the arguments built beforehand, the second from typed values at each call.

use std::collections::HashMap;
use std::time::Duration;

use scene::{Condition, Failure, OPERATOR, Timed, requests, rules, tools};
use tenuo::constraints::{
    Any, Constraint, ConstraintSet, ConstraintValue, Contains, Exact, OneOf, Range, Subpath, Wildcard,
};
use tenuo::crypto::SigningKey;
use tenuo::warrant::Warrant;

pub fn prebuilt(n: usize) -> Result<Box<dyn Timed>, Failure> {
    let (warrant, requests) = (warrant(n)?, requests(n));
    let calls: Vec<(String, _)> = requests.iter().map(|request| (request.tool.clone(), arguments(request))).collect();
    Ok(scene::local(move |number| {
        let (tool, arguments) = &calls[number];
        warrant.check_constraints(tool, arguments).is_ok()
    }))
}

pub fn built(n: usize) -> Result<Box<dyn Timed>, Failure> {
    let (warrant, requests) = (warrant(n)?, requests(n));
    Ok(scene::local(move |number| {
        let request = &requests[number];
        warrant.check_constraints(&request.tool, &arguments(request)).is_ok()
    }))
}

fn warrant(n: usize) -> Result<Warrant, Failure> {
    let key = SigningKey::generate();
    let mut builder = Warrant::builder().ttl(Duration::from_secs(600)).holder(key.public_key());
    let rules = rules(n);
    for tool in tools(n) {
        let limit =
            rules.iter().filter(|rule| rule.tool.as_ref() == Some(&tool)).find_map(|rule| match rule.condition {
                Condition::ForPerson { below, .. } => Some(f64::from(below - 1) / 100.0),
                _ => None,
            });
        builder = builder.capability(&tool, constraints(&tool, limit)?);
    }
    Ok(builder.build(&key)?)
}

fn constraints(tool: &str, limit: Option<f64>) -> Result<ConstraintSet, Failure> {
    let paths: [Constraint; 2] = [Subpath::new("/inbox")?.into(), Subpath::new("/archive")?.into()];
    let bounds: [(&str, Constraint); 10] = [
        ("task", Wildcard::new().into()),
        ("mode", OneOf::new(["on_behalf_of", "autonomous"]).into()),
        ("operator", Exact::new(OPERATOR).into()),
        ("scopes", Contains::new([tool]).into()),
        ("depth", Range::new(Some(0.0), Some(5.0))?.into()),
        ("hour", Range::new(Some(6.0), Some(19.0))?.into()),
        ("amount", Range::new(Some(0.0), limit)?.into()),
        ("path", Any::new(paths).into()),
        ("count", Range::new(Some(0.0), Some(100.0))?.into()),
        ("kind", Exact::new("folder").into()),
    ];
    Ok(ConstraintSet::from_iter(bounds.map(|(name, constraint)| (name.to_owned(), constraint))))
}

/// The context and the resource's kind: the agent is the holder.
fn arguments(request: &scene::Request) -> HashMap<String, ConstraintValue> {
    let context = &request.context;
    let text = |text: &str| ConstraintValue::String(text.to_owned());
    let number = |number: i32| ConstraintValue::Integer(number.into());
    HashMap::from([
        ("task".to_owned(), text(context.task)),
        ("mode".to_owned(), text(context.mode)),
        ("operator".to_owned(), text(context.operator)),
        ("scopes".to_owned(), ConstraintValue::List(context.scopes.iter().map(|scope| text(scope)).collect())),
        ("depth".to_owned(), number(context.depth)),
        ("hour".to_owned(), number(context.hour)),
        ("amount".to_owned(), ConstraintValue::Float(f64::from(context.amount) / 100.0)),
        ("path".to_owned(), text(context.path)),
        ("count".to_owned(), number(context.count)),
        ("kind".to_owned(), text(request.resource.kind)),
    ])
}
