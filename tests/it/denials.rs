//! Denials that help: three languages by type, what is said again, and what is hidden.

use std::fmt::Debug;

use bailiwick::audit::{AgentFact, Denial, ForModel};
use bailiwick::identity::danger;
use bailiwick::mandate::{Action, Approval, Grant, Intent, Mandate, Resource, Scope};
use bailiwick::policy::{ReasonCode, Retry};
use bailiwick::{Task, TaskHandle};
use proptest::prelude::*;

use crate::any;
use crate::golden;
use crate::steps::{alone, autonomous, on_behalf, read};
use crate::world::{OPEN, World, args, operator, scope, ticket};

fn refused(task: &TaskHandle, action: &Action) -> Denial {
    task.authorize(action).expect_err("a denial")
}

/// Everything that a model can be shown of a refusal.
fn shown(denial: &Denial) -> [String; 6] {
    let told: ForModel = denial.for_model();
    let debug = |shown: &dyn Debug| format!("{shown:?}");
    let json = serde_json::to_string(&told).expect("JSON");
    [denial.to_string(), told.to_string(), debug(&told), json, told.retry().as_str().to_owned(), debug(&told.pause())]
}

// ── Three languages ─────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_denial_speaks_to_the_model_to_people_and_to_operators() {
    let policies = r#"@id("frozen-on-fridays") @reason("tickets are frozen") forbid(principal, action, resource);
        @id("all") @allow("unconditional-permit") permit(principal, action, resource);"#;
    let world = World::new(policies);
    let task = world.task(scope());
    let denial = refused(&task, &read());
    let event = denial.event().expect("a record");
    let expected = [
        (denial.for_model().to_string(), "Do not try this action again: it is forbidden.".to_owned()),
        (
            denial.for_human().to_string(),
            "`ticket.read` on `ticket/T-42`, for “close stale tickets”, was refused: the rules of this system forbid it. \
             Nothing lifts this."
                .to_owned(),
        ),
        (
            denial.for_operator().to_string(),
            format!("denied `ticket.read`: policy_forbids (forbidden by `frozen-on-fridays`) [{event}]"),
        ),
        (
            format!("{:#}", denial.for_operator()),
            format!(
                "denied `ticket.read`: policy_forbids (forbidden by `frozen-on-fridays`) [{event}]\n  retry: never\n  \
                 times: 1\n  policies: frozen-on-fridays\n  because: tickets are frozen"
            ),
        ),
        (
            serde_json::to_string(&denial.for_model()).expect("JSON"),
            r#"{"code":"policy_forbids","retry":"never","times":1,"message":"Do not try this action again: it is forbidden."}"#
                .to_owned(),
        ),
    ];
    for (found, wanted) in expected {
        assert_eq!(found, wanted);
    }
    for told in [denial.for_model().to_string(), denial.for_human().to_string()] {
        assert!(!told.contains("friday") && !told.contains("frozen"), "no policy: {told}");
    }
}

#[test]
fn when_to_try_again_is_a_closed_vocabulary_in_which_every_word_is_used() {
    let words = Retry::ALL.map(Retry::as_str);
    assert_eq!(words, ["never", "other_arguments", "approval", "step_up", "pause", "new_task"]);
    for retry in Retry::ALL {
        assert_eq!(serde_json::to_string(&retry).expect("JSON"), format!("\"{}\"", retry.as_str()));
        assert!(ReasonCode::ALL.iter().any(|code| code.retry() == retry), "nothing is lifted so: {retry:?}");
        assert!(retry.for_human().ends_with('.'));
    }
}

#[test]
fn how_long_to_pause_is_said_where_it_is_known() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let permit = task.authorize(&read()).expect("a permit");
    world.clock.advance(std::time::Duration::from_secs(30));
    let late = task.redeem(permit, read().arguments()).expect_err("a denial");
    assert_eq!((late.retry(), late.pause()), (Retry::Pause, Some(std::time::Duration::ZERO)), "at once");
    let json = serde_json::to_value(late.for_model()).expect("JSON");
    assert_eq!(json["retry_after"], 0);
    assert_eq!(refused(&task, &alone("ticket.close")).pause(), None);

    let rate = r#"{"tools": {"ticket.read": {"autonomous": true, "budgets": [{"calls": 1, "seconds": 60}]}}}"#;
    let task = world.task(serde_json::from_str(rate).expect("a scope"));
    let _taken = task.authorize(&read()).expect("a permit");
    let often = refused(&task, &read());
    assert_eq!((often.retry(), often.pause()), (Retry::Pause, Some(std::time::Duration::from_secs(60))));
    assert_eq!(serde_json::to_value(often.for_model()).expect("JSON")["retry_after"], 60);
}

// ── Again ───────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_second_identical_refusal_says_so_and_the_fourth_tells_the_model_to_stop() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let denials: Vec<Denial> = (0..5).map(|_| refused(&task, &alone("ticket.close"))).collect();
    let told: String = denials.iter().map(|denial| format!("{denial}\n")).collect();
    golden::compare("repeats.txt", &told);
    let times: Vec<u32> = denials.iter().map(|denial| denial.for_model().times()).collect();
    assert_eq!(times, [1, 2, 3, 4, 5]);
    let last: Vec<bool> = denials.iter().map(|denial| denial.for_model().is_last_word()).collect();
    assert_eq!(last, [false, false, false, true, true]);
    for denial in &denials {
        assert!(denial.to_string().chars().count() <= 280, "{denial}");
    }
}

#[test]
fn what_is_held_is_counted_and_said_again_too() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let purge = on_behalf(&world.ada, "ticket.purge");
    let held: Vec<Denial> = (0..4).map(|_| refused(&task, &purge)).collect();
    assert!(held.iter().all(Denial::is_held));
    assert!(held[1].to_string().ends_with(" You were told so before."), "{}", held[1]);
    assert!(held[3].for_model().is_last_word());
}

#[test]
fn another_action_another_errand_and_another_reason_are_counted_apart() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let close = |json: &str| alone("ticket.close").with(args(json));
    let other = Resource::new("ticket", "T-43").expect("a resource");
    let others = [
        alone("web.fetch"),
        Action::autonomous("ticket.close", &other).expect("an action"),
        on_behalf(&world.bob, "ticket.close"),
        close(r#"{"reason": "stale"}"#),
        close(r#"{"force": true}"#),
    ];
    assert_eq!(refused(&task, &close("{}")).for_model().times(), 1);
    for other in &others {
        assert_eq!(refused(&task, other).for_model().times(), 1, "{other:?}");
    }
    assert_eq!(refused(&task, &close("{}")).for_model().times(), 2);
    world.door.reload(&world.ada, OPEN).expect("policies");
    drop(world.door.offboard(&world.ada, &operator("bob")).expect("Bob leaves"));
    assert_eq!(refused(&task, &close("{}")).for_model().times(), 3);
    world.door.halt(&world.ada, bailiwick::Halt::Everything).expect("a halt");
    assert_eq!(refused(&task, &close("{}")).for_model().times(), 1, "halted, which it was not told before");
}

#[test]
fn an_identical_action_that_is_permitted_starts_anew() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let purge = on_behalf(&world.ada, "ticket.purge");
    for times in 1..=3 {
        assert_eq!(refused(&task, &purge).for_model().times(), times);
    }
    let approval = Approval::by(&world.ada, task.request(&purge));
    drop(task.authorize(&on_behalf(&world.ada, "ticket.read")).expect("another action changes nothing"));
    assert_eq!(refused(&task, &purge).for_model().times(), 4);
    drop(task.authorize(&purge.clone().approved(approval)).expect("a permit"));
    assert_eq!(refused(&task, &purge).for_model().times(), 1);
}

#[test]
fn the_count_is_the_errands_and_in_every_record_and_bounded() {
    let world = World::new(OPEN);
    let task = world.task(scope().delegable(1).expect("a depth"));
    let payer =
        world.door.admit(danger::workload_vouched_by_host(world.payer.clone(), None, task.until())).expect("an agent");
    let part = Mandate::new(payer, Intent::new("read", autonomous(&["ticket.read"])).expect("a purpose"));
    let part = task.delegate(part).expect("a part");
    let close = alone("ticket.close");
    assert_eq!(refused(&task, &close).for_model().times(), 1);
    assert_eq!(refused(&part, &close).for_model().times(), 2, "nobody starts anew by delegating");

    // Asking for a hundred other things does not make it forgotten.
    for name in 0..100 {
        let other = Resource::new("ticket", &format!("T-{name}")).expect("a resource");
        refused(&task, &Action::autonomous("web.fetch", &other).expect("an action"));
    }
    assert_eq!(refused(&task, &close).for_model().times(), 3);
    assert_eq!(repeats(&world), 2, "what the last decision saw");
    refused(&task, &close);
    assert_eq!(repeats(&world), 3);
}

/// The count in the last decision that was recorded.
fn repeats(world: &World) -> u32 {
    let decided = |event: bailiwick::audit::Event| match event.agent?.fact {
        AgentFact::Decided(decided) => Some(decided.ledger.repeats),
        _ => None,
    };
    world.sink.events().into_iter().filter_map(decided).next_back().expect("a decision")
}

// ── Hidden ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Hides fetching, in every way in which a policy can; what is approved is permitted.
const HIDING: [&str; 5] = [
    r#"@id("h") @visibility("hide") forbid(principal, action == Action::"money.send", resource);"#,
    r#"@id("h") @visibility("hide") forbid(principal, action, resource) when { context.tool.class == "external_commitment" };"#,
    r#"@id("h") @visibility("hide") forbid(principal, action == Action::"money.send", resource) unless { context.approved };"#,
    r#"@id("h") @visibility("hide") forbid(principal, action == Action::"money.send", resource)
       when { context.args.recipient like "*" };"#,
    r#"@id("h") @visibility("hide") forbid(principal, action == Action::"money.send", resource)
       when { context.task.step + 9223372036854775807 > 0 };"#,
];

#[test]
fn a_hidden_tool_is_refused_byte_for_byte_as_one_that_does_not_exist() {
    let known = r#"{"recipient": "GB29NWBK60161331926819", "amount": 12.00}"#;
    let calls = [
        ("within the scope", known),
        ("beyond it, where a human would be asked", r#"{"recipient": "US133000000121212121212", "amount": 1}"#),
        ("without arguments", "{}"),
        ("with an argument of another type", r#"{"recipient": 7, "amount": 1}"#),
        ("with an argument that it does not have", r#"{"recipient": "a", "amount": 1, "force": true}"#),
    ];
    let scopes = [("granted", scope()), ("not granted", autonomous(&["ticket.read"])), ("spent", scope().at_most(0))];
    for policy in HIDING {
        for (which, scope) in &scopes {
            for (what, json) in calls {
                let world = World::new(&format!("{OPEN} {policy}"));
                let (one, other) = (world.task(scope.clone()), world.task(scope.clone()));
                for behalf in [None, Some(&world.ada), Some(&world.bob)] {
                    let call = |tool: &str| crate::steps::step(behalf, tool, &ticket()).with(args(json));
                    for round in 1..=5 {
                        let hidden = refused(&one, &call("money.send"));
                        let unknown = refused(&other, &call("money.sent"));
                        assert_eq!(unknown.for_model().times(), round);
                        let told = |denial: &Denial| shown(denial).map(|text| text.replace("money.sent", "money.send"));
                        assert_eq!(
                            told(&hidden),
                            told(&unknown),
                            "{policy}\n{which}, {what}, {behalf:?}, round {round}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_hidden_from_the_model_is_not_hidden_from_people_and_operators() {
    let world = World::new(&format!("{OPEN} {}", HIDING[2]));
    let task = world.task(scope());
    let send = on_behalf(&world.ada, "money.send").with(args(r#"{"recipient": "US1", "amount": 1}"#));
    let denial = refused(&task, &send);
    assert_eq!(denial.for_model().code(), ReasonCode::ToolUndeclared);
    assert!(denial.is_held() && denial.code() == ReasonCode::NeedsApproval, "the host may still ask");
    assert!(denial.for_human().to_string().contains("a person must approve it first"), "{}", denial.for_human());
    let approval = Approval::by(&world.ada, denial.request().expect("a request").clone());
    assert!(task.authorize(&send.approved(approval)).is_ok(), "and so it is lifted");
}

#[test]
fn a_policy_that_hides_some_calls_hides_only_those() {
    let hide = r#"@id("h") @visibility("hide") forbid(principal, action == Action::"ticket.close", resource)
        when { context.args has reason && context.args.reason like "secret*" };"#;
    let world = World::new(&format!("{OPEN} {hide}"));
    let task = world.task(autonomous(&["ticket.read"]));
    let code = |json: &str| refused(&task, &alone("ticket.close").with(args(json))).for_model().code();
    assert_eq!(code(r#"{"reason": "secret plans"}"#), ReasonCode::ToolUndeclared);
    assert_eq!(code(r#"{"reason": "stale"}"#), ReasonCode::OutOfScope);
    assert_eq!(code(r#"{"reason": "stale", "force": true}"#), ReasonCode::Arguments);
    assert_eq!(code(r#"{"reason": "secret plans", "force": true}"#), ReasonCode::ToolUndeclared);
}

proptest! {
    #![proptest_config(any::cases(128))]

    /// Nothing that a model is told depends on anything but the code, the pause and the count.
    #[test]
    fn the_model_is_told_a_sentence_of_the_catalogue_and_nothing_else(action in any::action(), again in 1_usize..6) {
        let world = World::new(OPEN);
        let task: Task = world.task(autonomous(&["ticket.read", "ticket.purge"]));
        for _ in 0..again {
            if let Err(denial) = task.authorize(&action) {
                let (text, code) = (denial.to_string(), denial.code());
                let rest = text.strip_prefix(code.for_model()).expect("its sentence");
                let stop = " Stop: you were told so again and again; do not ask for this any more.";
                prop_assert!(["", " You were told so before.", stop].contains(&rest), "{}", text);
            }
        }
    }
}

/// Only a scope that people approved goes without a human where much is at stake.
#[test]
fn preapproval_is_the_scopes_to_say() {
    let world = World::new(OPEN);
    let asked = world.task(Scope::new().allow("ticket.purge", Grant::new().autonomous()).expect("a tool name"));
    let preapproved = Grant::new().autonomous().preapproved();
    let unasked = world.task(Scope::new().allow("ticket.purge", preapproved).expect("a tool name"));
    assert_eq!(refused(&asked, &alone("ticket.purge")).code(), ReasonCode::NeedsApproval);
    assert!(unasked.authorize(&alone("ticket.purge")).is_ok());
}
