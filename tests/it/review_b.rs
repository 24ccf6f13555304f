//! What a reviewer found between the parts: each of these fails for now.

use bailiwick::audit::Effect;
use bailiwick::mandate::{
    Action, ActionClass, ArgumentType, Bound, Drift, Email, Grant, Mode, Resource, Response, Scope, Source, Tool,
    ToolName, Url, Watch,
};
use bailiwick::policy::{Catalog, Evaluator, ReasonCode};

use crate::delegated::{deep, delegate};
use crate::steps::{alone, autonomous, code, read, step};
use crate::world::{OPEN, World, args};

fn catalog() -> Catalog {
    let pay = Tool::new("pay".parse().unwrap(), ActionClass::Write)
        .required("to".parse().unwrap(), ArgumentType::Text)
        .unwrap();
    let statement = Tool::new("statement".parse().unwrap(), ActionClass::Read);
    Catalog::new().with(pay).unwrap().with(statement).unwrap()
}

const ONLY_NAMED: &str = r#"@id("s") permit(principal, action == Action::"statement", resource);
    @id("p") permit(principal, action == Action::"pay", resource);
    @id("f") forbid(principal, action == Action::"pay", resource)
        when { context.task.provenance.to == "untrusted" };"#;

fn pay(to: &str) -> Action {
    alone("pay").with(args(&format!(r#"{{"to": "{to}"}}"#)))
}

#[test]
fn an_agent_does_not_make_a_target_the_humans_by_naming_it_in_a_part() {
    let world = World::under(Evaluator::new(catalog(), ONLY_NAMED).unwrap());
    let task = world.task(deep(autonomous(&["pay"]), 1));
    assert_eq!(code(task.authorize(&pay("US13"))), Some(ReasonCode::Forbidden));
    let named = Grant::new().autonomous().bound("to", Bound::one_of(["US13"])).unwrap();
    let child = delegate(&world, &task, "a", Scope::new().allow("pay", named).unwrap()).unwrap();
    assert_eq!(code(child.authorize(&pay("US13"))), Some(ReasonCode::Forbidden), "no human named it");
}

#[test]
fn an_agent_does_not_make_a_source_the_humans_by_trusting_it_in_a_part() {
    let world = World::under(Evaluator::new(catalog(), ONLY_NAMED).unwrap());
    let task = world.task(deep(autonomous(&["pay", "statement"]), 1));
    let from = Bound::from_sources([Source::new("statement", "/subject").unwrap()]);
    let part = autonomous(&["statement"]).allow("pay", Grant::new().autonomous().bound("to", from).unwrap()).unwrap();
    let child = delegate(&world, &task, "a", part).unwrap();
    let permit = child.authorize(&alone("statement")).unwrap();
    let ran = child.redeem(permit, &args("{}")).unwrap();
    child.observe(&ran, r#"{"subject": "US13"}"#).unwrap();
    assert_eq!(code(child.authorize(&pay("US13"))), Some(ReasonCode::Forbidden), "no human trusts it");
}

#[test]
fn an_agent_does_not_name_a_new_target_by_a_part() {
    let world = World::new(OPEN);
    let watch = || Watch::new().on(Drift::NewTarget, Response::Deny);
    let task = world.task(deep(autonomous(&["ticket.close"]).watched(watch()), 1));
    let other = Resource::new("ticket", "T-43").unwrap();
    let close = step(None, "ticket.close", &other);
    assert_eq!(code(task.authorize(&close)), Some(ReasonCode::Drift));
    let named = Grant::new().autonomous().on([other]);
    let part = Scope::new().allow("ticket.close", named).unwrap().watched(watch());
    let Ok(child) = delegate(&world, &task, "a", part) else { return };
    assert_eq!(code(child.authorize(&close)), Some(ReasonCode::Drift), "no human named it");
}

#[test]
fn a_tool_is_offered_whose_permit_looks_where_its_argument_comes_from() {
    let policies = r#"@id("p") permit(principal, action == Action::"pay", resource)
        when { context.task.provenance.to == "scope" };"#;
    offered(policies);
}

#[test]
fn a_tool_is_offered_whose_forbid_looks_where_its_argument_comes_from() {
    let policies = r#"@id("p") permit(principal, action == Action::"pay", resource);
        @id("f") forbid(principal, action == Action::"pay", resource)
        unless { context.task.provenance.to == "scope" };"#;
    offered(policies);
}

fn offered(policies: &str) {
    let world = World::under(Evaluator::new(catalog(), policies).unwrap());
    let named = Grant::new().autonomous().bound("to", Bound::one_of(["GB29"])).unwrap();
    let task = world.task(Scope::new().allow("pay", named).unwrap());
    assert_eq!(code(task.authorize(&pay("GB29"))), None);
    let tool = ToolName::new("pay").unwrap();
    assert_eq!(task.visible([&tool], &Mode::Autonomous).unwrap(), [&tool], "it can be permitted");
}

#[test]
fn a_permit_does_not_outlive_the_turn_of_its_tool() {
    let world = World::new(OPEN);
    let watch = Watch::new().plan([["ticket.read"], ["ticket.close"]]).unwrap().on(Drift::OrderBroken, Response::Deny);
    let task = world.task(autonomous(&["ticket.read", "ticket.close"]).watched(watch));
    let run = |permit| task.redeem(permit, &args("{}")).map(|ran| ran.finish(Effect::Succeeded).unwrap());
    run(task.authorize(&read()).unwrap()).unwrap();
    let kept = task.authorize(&read()).unwrap();
    run(task.authorize(&alone("ticket.close")).unwrap()).unwrap();
    assert_eq!(code(task.authorize(&read())), Some(ReasonCode::Drift));
    assert_eq!(code(run(kept)), Some(ReasonCode::Drift), "a permit of an earlier stage");
}

#[test]
fn a_permit_that_a_hiding_policy_takes_back_is_refused_as_if_there_were_no_tool() {
    let hide = r#"@id("h") @visibility("hide") forbid(principal, action == Action::"ticket.close", resource)
        when { context.task.labels.contains("untrusted") };"#;
    let world = World::new(&format!("{OPEN} {hide}"));
    let task = world.task(autonomous(&["ticket.close"]));
    let permit = task.authorize(&alone("ticket.close")).unwrap();
    task.label("untrusted".parse().unwrap()).unwrap();
    let taken_back = task.redeem(permit, &args("{}")).unwrap_err();
    let refused = world.task(autonomous(&["ticket.close"]));
    refused.label("untrusted".parse().unwrap()).unwrap();
    let refused = refused.authorize(&alone("ticket.close")).unwrap_err();
    assert_eq!(refused.for_model().code(), ReasonCode::ToolUndeclared);
    assert_eq!(taken_back.to_string(), refused.to_string());
}

#[test]
fn no_path_parameter_hides_two_points_in_a_url() {
    let prefix = Url::new("https://api.acme.example/v1/tickets").unwrap();
    let rest = ["..;/..;/admin", "..;x=1/..;/admin", ".;/x", "%c0%ae%c0%ae/admin", "..%3b/admin"];
    for rest in rest {
        let text = format!("https://api.acme.example/v1/tickets/{rest}");
        assert!(!Url::new(&text).is_ok_and(|url| url.is_under(prefix)), "{text}");
    }
}

#[test]
fn no_route_hides_another_domain_in_an_address() {
    for text in ["mallory%evil.example@acme.example", "evil.example!mallory@acme.example"] {
        assert!(Email::new(text).is_err(), "{text}");
    }
}
