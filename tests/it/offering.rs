//! What is offered and what is permitted agree: a tool is left out only where every call of it is refused.

use std::collections::BTreeSet;

use bailiwick::mandate::{Grant, Mode, Scope, ToolName};
use bailiwick::policy::Outcome;
use bailiwick::{Halt, Task};
use proptest::prelude::*;
use proptest::sample::subsequence;

use crate::any::{self, hold_often};
use crate::steps::{alone, autonomous, on_behalf, step};
use crate::world::{OPEN, START, World, at, catalog, operator, ticket};

/// Some are as broad as can be.
const MEANT: &str = r#"@allow("unconditional-permit broad-administration")"#;

const PERMITS: [&str; 7] = [
    r#"permit(principal, action, resource);"#,
    r#"permit(principal, action in Action::"any read", resource);"#,
    r#"permit(principal, action, resource) when { resource.kind == "ticket" };"#,
    r#"permit(principal, action, resource) when { context.mode == "on_behalf_of" && resource.kind == "ticket" };"#,
    r#"@requires("approval") permit(principal, action == Action::"ticket.purge", resource) when { !principal.attested };"#,
    r#"permit(principal, action == Action::"everything", resource) when { context.args has flag && context.args.flag };"#,
    r#"permit(principal, action, resource == Resource::"ticket/T-43") when { context.tool.class != "privileged" };"#,
];

const FORBIDS: [&str; 9] = [
    r#"forbid(principal, action == Action::"ticket.read", resource);"#,
    r#"forbid(principal, action, resource) when { context.mode == "autonomous" };"#,
    r#"forbid(principal, action in Action::"any privileged", resource) unless { context.approved };"#,
    r#"forbid(principal, action, resource) when { context.task.calls >= 1 && resource.name == "T-43" };"#,
    r#"forbid(principal, action, resource) when { context.task.calls + 9223372036854775806 > 0 };"#,
    r#"@visibility("hide") forbid(principal, action == Action::"web.fetch", resource);"#,
    r#"@visibility("hide") forbid(principal, action == Action::"money.send", resource) unless { context.approved };"#,
    r#"@visibility("hide") forbid(principal, action == Action::"ticket.close", resource) when { context.args has reason };"#,
    r#"@engine("cedar") forbid(principal, action == Action::"everything", resource);"#,
];

/// Some policies, each with a name.
fn policies() -> impl Strategy<Value = String> {
    let some = (subsequence(PERMITS.to_vec(), 0..=3), subsequence(FORBIDS.to_vec(), 0..=3));
    some.prop_map(|(permits, forbids)| {
        let all = permits.into_iter().chain(forbids).enumerate();
        all.map(|(number, text)| format!("@id(\"p{number}\") {MEANT} {text}\n")).collect()
    })
}

/// Some tools, in some way.
fn scopes() -> impl Strategy<Value = Scope> {
    let tools: Vec<String> = catalog().tools().map(|tool| tool.name().to_string()).collect();
    let tools = tools.into_iter().map(|name| name.trim_matches('`').to_owned()).collect::<Vec<_>>();
    (subsequence(tools, 0..=7), 0_u32..8, 0_u32..4).prop_map(|(tools, bits, most)| {
        let allow = |scope: Scope, (place, tool): (u32, String)| {
            let grant = if (bits + place) % 3 == 0 { Grant::new() } else { Grant::new().autonomous() };
            let grant = if bits % 2 == 0 { grant.preapproved() } else { grant };
            scope.allow(&tool, if bits == 7 { grant.on([ticket()]).or_ask() } else { grant }).expect("a tool name")
        };
        let scope = (0..).zip(tools).fold(Scope::new(), allow);
        if most == 3 { scope } else { scope.at_most(most) }
    })
}

fn names() -> Vec<ToolName> {
    catalog().tools().map(|tool| tool.name().clone()).collect()
}

#[test]
fn a_tool_of_which_a_call_is_permitted_or_held_is_offered_and_what_is_not_offered_is_refused() {
    let unlisted = std::cell::Cell::new(0);
    hold_often((160, 40), (policies(), scopes(), any::<bool>()), |(policies, scope, ran)| {
        let world = World::new(&policies);
        let task = world.task(scope);
        if ran {
            let _ = task
                .authorize(&alone("ticket.read"))
                .map(|permit| task.redeem(permit, alone("ticket.read").arguments()));
        }
        let names = names();
        let mut says_something = false;
        for behalf in [None, Some(&world.ada)] {
            let mode = behalf.map_or(Mode::Autonomous, |person| Mode::OnBehalfOf(person.operator().id().clone()));
            let offered: BTreeSet<&ToolName> = task.visible(&names, &mode).expect("a time").into_iter().collect();
            unlisted.set(unlisted.get() + names.len() - offered.len());
            for action in any::actions(120) {
                let action = step(behalf, action.tool().as_str(), action.resource()).with(action.arguments().clone());
                let verdict = task.verdict(&action).expect("a time");
                let is_open = verdict.outcome != Outcome::Denied && !verdict.hidden;
                prop_assert!(
                    !is_open || offered.contains(action.tool()),
                    "{policies}\n{mode}: {action:?}: {verdict:?}"
                );
                says_something |= is_open;
            }
            for (hidden, forbid) in [("web.fetch", FORBIDS[5]), ("money.send", FORBIDS[6])] {
                let is_hidden = policies.contains(forbid);
                prop_assert!(!is_hidden || offered.iter().all(|tool| tool.as_str() != hidden), "{policies}");
            }
        }
        Ok(says_something)
    });
    assert!(unlisted.get() > 500, "only {} tools were left out", unlisted.get());
}

/// What is offered autonomously, and for Ada, of reading, closing and purging.
fn offered(task: &Task, world: &World) -> [String; 2] {
    let names =
        ["ticket.read", "ticket.close", "ticket.purge"].map(|name| name.parse::<ToolName>().expect("a tool name"));
    [Mode::Autonomous, Mode::OnBehalfOf(world.ada.operator().id().clone())].map(|mode| {
        let offered = task.visible(&names, &mode).expect("a time");
        offered.iter().map(|name| name.as_str().trim_start_matches("ticket.")).collect::<Vec<_>>().join(" ")
    })
}

#[test]
fn what_is_surely_refused_is_not_offered() {
    let all = "read close purge";
    let rows: [(&str, &str, [&str; 2]); 14] = [
        ("everything is permitted", r#"@id("a") permit(principal, action, resource);"#, [all, all]),
        ("nothing is", "", ["", ""]),
        ("one is", r#"@id("a") permit(principal, action == Action::"ticket.read", resource);"#, ["read", "read"]),
        (
            "for people",
            r#"@id("a") permit(principal, action, resource) when { context.mode == "on_behalf_of" && resource.kind == "x" };"#,
            ["", all],
        ),
        (
            "for people, in two conditions",
            r#"@id("a") permit(principal, action, resource) when { resource.kind == "x" } unless { context.mode == "autonomous" };"#,
            ["", all],
        ),
        (
            "by class",
            r#"@id("a") permit(principal, action, resource) when { context.tool.class == "read" && resource.kind == "x" };"#,
            ["read", "read"],
        ),
        (
            "by arguments",
            r#"@id("a") permit(principal, action == Action::"ticket.close", resource) when { context.args has reason };"#,
            ["close", "close"],
        ),
        (
            "by where arguments come from",
            r#"@id("a") permit(principal, action == Action::"ticket.close", resource)
            when { context.task.provenance has reason };"#,
            ["close", "close"],
        ),
        (
            "by somebody else",
            r#"@id("a") permit(principal == AgentIdentity::"spiffe://acme.example/agent/payer", action, resource);"#,
            ["", ""],
        ),
        (
            "later",
            r#"@id("a") permit(principal, action, resource) when { context.task.step > 7 && resource.kind == "x" };"#,
            ["", ""],
        ),
        (
            "what fails permits nothing",
            r#"@id("a") permit(principal, action, resource) when { context.task.step + 9223372036854775807 > 0 && resource.kind == "x" };"#,
            ["", ""],
        ),
        (
            "with an approval",
            r#"@id("a") @requires("approval") permit(principal, action == Action::"ticket.close", resource);"#,
            ["close", "close"],
        ),
        (
            "by Cedar alone",
            r#"@id("a") @engine("cedar") permit(principal, action == Action::"ticket.read", resource) when { context.mode == "x" };"#,
            ["read", "read"],
        ),
        (
            "but on one ticket",
            r#"@id("a") permit(principal, action, resource);
            @id("b") forbid(principal, action, resource == Resource::"ticket/T-42");"#,
            [all, all],
        ),
    ];
    for (what, policies, expected) in rows {
        let world = World::new(&policies.replace("permit(", &format!("{MEANT} permit(")));
        let task = world.task(autonomous(&["ticket.read", "ticket.close", "ticket.purge"]));
        assert_eq!(offered(&task, &world), expected, "{what}");
    }
}

#[test]
fn what_the_guard_refuses_is_not_offered() {
    let world = World::new(OPEN);
    let scope = Scope::new()
        .allow("ticket.read", Grant::new().autonomous().at_most(1))
        .and_then(|scope| scope.allow("ticket.close", Grant::new()))
        .expect("tool names");
    let task = world.task(scope);
    assert_eq!(offered(&task, &world), ["read", "read close"], "purging is not granted");
    let held = task.authorize(&alone("ticket.read")).expect("a permit");
    assert_eq!(offered(&task, &world), ["", "close"], "the budget is spent");
    drop(held);
    assert_eq!(offered(&task, &world), ["read", "read close"], "and given back");
    let bob = Mode::OnBehalfOf(operator("bob"));
    assert!(task.visible(&names(), &bob).expect("a time").is_empty(), "Bob approved nothing");
    let unknown = ["ticket.fly".parse().expect("a tool name")];
    assert!(task.visible(&unknown, &Mode::Autonomous).expect("a time").is_empty());
    world.clock.set(at(START + 3600));
    assert_eq!(offered(&task, &world), ["", ""], "the proof is over");
    world.clock.set(at(START));
    let other = World::new(OPEN);
    let task = other.task(autonomous(&["ticket.read"]));
    other.door.halt(&other.ada, Halt::Task(task.id().clone())).expect("a halt");
    assert_eq!(offered(&task, &other), ["", ""]);
}

#[test]
fn nothing_is_recorded_or_spent_by_offering() {
    let world = World::new(OPEN);
    let task = world.task(autonomous(&["ticket.read"]).at_most(1));
    let before = world.sink.events().len();
    for _ in 0..3 {
        assert_eq!(offered(&task, &world), ["read", "read"]);
    }
    assert_eq!(world.sink.events().len(), before);
    assert!(task.authorize(&on_behalf(&world.ada, "ticket.read")).is_ok());
}
