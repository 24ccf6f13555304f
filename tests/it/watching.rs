//! Labels and drift: what a task carries, how it departs from what it was meant for, and what follows.

use bailiwick::Task;
use bailiwick::audit::{AgentFact, Denial, Effect};
use bailiwick::mandate::{Action, Approval, Beyond, Drift, Grant, Resource, Response, Scope, ScopeError, Watch};
use bailiwick::policy::{Reason, ReasonCode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::any::hold_often;
use crate::delegated::{deep, delegate};
use crate::laws::decisions;
use crate::steps::{alone, autonomous, code, read, step};
use crate::world::{OPEN, World, args, audience};

const TOOLS: &[&str] = &["ticket.read", "ticket.close", "role.grant", "web.fetch", "ticket.purge"];

/// All of the tools without being asked again, watched like this.
fn watched(watch: Watch) -> Scope {
    let grant = |scope: Scope, tool: &&str| scope.allow(tool, Grant::new().autonomous().preapproved()).unwrap();
    TOOLS.iter().fold(Scope::new(), grant).watched(watch)
}

fn call(tool: &str) -> Action {
    let arguments = if tool == "web.fetch" { r#"{"url": "https://acme.example"}"# } else { "{}" };
    alone(tool).with(args(arguments))
}

fn run(task: &Task, action: &Action) -> Result<(), Denial> {
    let permit = task.authorize(action)?;
    task.redeem(permit, action.arguments())?.finish(Effect::Succeeded).unwrap();
    Ok(())
}

/// How the last step departed from the intent, as it was recorded.
fn drift(world: &World) -> Vec<Drift> {
    let (decided, _) = decisions(&world.sink.events()).pop().unwrap();
    decided.ledger.drift.iter().collect()
}

fn planned() -> Watch {
    Watch::new().plan([&["ticket.read"][..], &["ticket.close", "web.fetch"], &["role.grant"]]).unwrap()
}

#[test]
fn a_plan_is_followed_stage_by_stage() {
    use Drift::{NewTarget, OrderBroken, OutsidePlan};
    let world = World::new(OPEN);
    let task = world.task(watched(planned()));
    let turns: [(&str, &[Drift]); 10] = [
        ("ticket.close", &[OrderBroken, NewTarget]), // not reached yet; and entered by this
        ("ticket.read", &[OrderBroken]),             // past
        ("ticket.close", &[]),
        ("web.fetch", &[]),
        ("ticket.purge", &[OutsidePlan]),
        ("ticket.close", &[]),
        ("role.grant", &[]),
        ("role.grant", &[]),
        ("web.fetch", &[OrderBroken]),
        ("role.grant", &[]),
    ];
    for (turn, (tool, departs)) in turns.iter().enumerate() {
        run(&task, &call(tool)).unwrap();
        assert_eq!(drift(&world), *departs, "turn {turn}: {tool}");
    }
}

#[test]
fn a_stage_is_entered_when_its_tool_runs_and_not_when_it_may() {
    let world = World::new(OPEN);
    let task = world.task(watched(planned()));
    let permit = task.authorize(&call("ticket.read")).unwrap();
    task.authorize(&call("ticket.close")).map(drop).unwrap();
    assert!(drift(&world).contains(&Drift::OrderBroken));
    task.redeem(permit, call("ticket.read").arguments()).unwrap().finish(Effect::Succeeded).unwrap();
    task.authorize(&call("ticket.close")).map(drop).unwrap();
    assert!(drift(&world).is_empty());
}

#[test]
fn what_follows_is_the_scopes_choice_and_the_strictest() {
    let world = World::new(OPEN);
    let follow = |ask, deny| planned().on(ask, Response::Ask).on(deny, Response::Deny);
    // Broken order is asked, leaving the plan denied.
    let task = world.task(watched(follow(Drift::OrderBroken, Drift::OutsidePlan)));
    let denial = task.authorize(&call("role.grant")).unwrap_err();
    assert_eq!(*denial.reason(), Reason::NeedsApproval(Beyond::Drift(Drift::OrderBroken)));
    let approval = Approval::by(&world.ada, denial.request().unwrap().clone());
    run(&task, &call("role.grant").approved(approval)).unwrap();
    let denial = task.authorize(&call("ticket.purge")).unwrap_err();
    assert_eq!(*denial.reason(), Reason::Drift(Drift::OutsidePlan));
    // No approval lifts it.
    let approval = Approval::by(&world.ada, task.request(&call("ticket.purge")));
    assert_eq!(code(task.authorize(&call("ticket.purge").approved(approval))), Some(ReasonCode::Drift));
    // Two at once: to change something never touched, out of turn.
    for (new_target, order, wanted) in [
        (Response::Ask, Response::Deny, Some(ReasonCode::Drift)),
        (Response::Deny, Response::Ask, Some(ReasonCode::Drift)),
        (Response::Ask, Response::Note, Some(ReasonCode::NeedsApproval)),
        (Response::Note, Response::Note, None),
    ] {
        let watch = planned().on(Drift::NewTarget, new_target).on(Drift::OrderBroken, order);
        assert_eq!(code(world.task(watched(watch)).authorize(&call("ticket.close"))), wanted);
    }
}

#[test]
fn a_target_is_new_until_it_was_touched_or_is_named() {
    let world = World::new(OPEN);
    let watch = Watch::new().on(Drift::NewTarget, Response::Deny);
    let task = world.task(watched(watch.clone()));
    let other = Resource::new("ticket", "T-43").unwrap();
    assert_eq!(code(run(&task, &call("ticket.close"))), Some(ReasonCode::Drift));
    run(&task, &read()).unwrap();
    run(&task, &call("ticket.close")).unwrap();
    assert_eq!(code(run(&task, &step(None, "ticket.close", &other))), Some(ReasonCode::Drift));
    let named = Grant::new().autonomous().on([other.clone()]);
    let task = world.task(Scope::new().allow("ticket.close", named).unwrap().watched(watch));
    run(&task, &step(None, "ticket.close", &other)).unwrap();
}

#[test]
fn a_target_is_new_to_a_call_that_is_more_than_its_tool_is_called() {
    use bailiwick::mandate::{ActionClass, ArgumentType, Bound, Tool};
    let dump = Tool::new("dump".parse().unwrap(), ActionClass::Read)
        .optional("drop".parse().unwrap(), ArgumentType::Bool)
        .and_then(|tool| tool.raised_unless("drop", Bound::one_of([false]).or_absent(), ActionClass::Write))
        .unwrap();
    let catalog = crate::world::catalog().with(dump).unwrap();
    let world = World::under(bailiwick::policy::Evaluator::new(catalog, OPEN).unwrap());
    let watch = Watch::new().on(Drift::NewTarget, Response::Deny);
    let task = world.task(autonomous(&["dump"]).watched(watch));
    let drop = alone("dump").with(args(r#"{"drop": true}"#));
    assert_eq!(code(task.authorize(&drop)), Some(ReasonCode::Drift), "it changes what was never touched");
    run(&task, &alone("dump")).unwrap();
    run(&task, &drop).unwrap();
}

#[test]
fn refusals_add_up_to_drift() {
    let world = World::new(OPEN);
    let task = world.task(watched(Watch::new().on(Drift::RepeatedRefusals, Response::Deny)));
    for number in 0..5 {
        run(&task, &read()).unwrap();
        assert_eq!(code(run(&task, &alone(&format!("fly{number}")))), Some(ReasonCode::ToolUndeclared));
    }
    assert_eq!(code(run(&task, &read())), Some(ReasonCode::Drift));
    // The same, for the same reason, is drift sooner.
    let task = world.task(watched(Watch::new().on(Drift::RepeatedRefusals, Response::Deny)));
    for _ in 0..3 {
        run(&task, &read()).unwrap();
        assert_eq!(code(run(&task, &alone("fly"))), Some(ReasonCode::ToolUndeclared));
    }
    assert_eq!(code(run(&task, &read())), Some(ReasonCode::Drift));
}

/// A world in which one tool reads what is private, one what a stranger wrote, and one sends out.
fn house() -> World {
    use bailiwick::mandate::{ActionClass, Label, Tool};
    let tool =
        |name: &str, label| Tool::new(name.parse().unwrap(), ActionClass::Read).labelled(Label::new(label).unwrap());
    let tools = [
        tool("mail.read", Label::PII),
        tool("vault.read", Label::SECRET),
        tool("wiki.read", Label::INTERNAL),
        tool("page.read", Label::UNTRUSTED),
        tool("page.post", Label::OUTSIDE),
        tool("letter.read", "letter"),
        tool("payment.make", "payment"),
    ];
    let catalog = tools.into_iter().fold(crate::world::catalog(), |catalog, tool| catalog.with(tool).unwrap());
    World::under(bailiwick::policy::Evaluator::new(catalog, OPEN).unwrap())
}

#[test]
fn three_labels_are_kept_apart_whatever_the_scope_says() {
    let tools = ["mail.read", "vault.read", "wiki.read", "page.read", "page.post", "letter.read"];
    let world = house();
    for private in ["mail.read", "vault.read", "wiki.read"] {
        for order in [
            [private, "page.read", "page.post"],
            ["page.read", private, "page.post"],
            ["page.post", "page.read", private],
            ["page.read", "page.post", private],
        ] {
            let task = world.task(autonomous(&tools).watched(Watch::new().on(Drift::LabelsCombined, Response::Deny)));
            let [first, second, third] = order;
            run(&task, &alone(first)).unwrap();
            run(&task, &alone(second)).unwrap();
            assert_eq!(code(run(&task, &alone(third))), Some(ReasonCode::Drift), "{order:?}");
            // What does not add to it goes on, and so does what is none of it.
            run(&task, &alone("letter.read")).unwrap();
        }
    }
    // Unless the scope says otherwise it is a fact, and nothing follows.
    let task = world.task(autonomous(&tools));
    for tool in ["mail.read", "page.read", "page.post"] {
        run(&task, &alone(tool)).unwrap();
    }
    assert_eq!(drift(&world), [Drift::LabelsCombined]);
}

#[test]
fn the_scope_keeps_labels_of_its_own_apart() {
    let world = house();
    let watch = Watch::new().apart(["letter", "payment"]).unwrap().on(Drift::LabelsCombined, Response::Ask);
    let task = world.task(autonomous(&["letter.read", "payment.make", "page.read"]).watched(watch));
    run(&task, &alone("payment.make")).unwrap();
    run(&task, &alone("payment.make")).unwrap();
    assert_eq!(code(run(&task, &alone("letter.read"))), Some(ReasonCode::NeedsApproval));
    task.label("letter".parse().unwrap()).unwrap();
    assert_eq!(code(run(&task, &alone("payment.make"))), Some(ReasonCode::NeedsApproval));
    run(&task, &alone("page.read")).unwrap();
}

/// Nothing is sent out by a task that has seen what is private.
const GUARDED: &str = r#"
@id("all") @allow("unconditional-permit") permit(principal, action, resource);
@id("private") forbid(principal, action == Action::"page.post", resource)
unless { !context.task.labels.contains("pii") };
@id("drifted") forbid(principal, action == Action::"role.grant", resource)
when { context.task.drift.contains("new_target") || context.task.targets > 2 || !context.task.touched };
"#;

fn guarded() -> World {
    use bailiwick::mandate::{ActionClass, Label, Tool};
    let mail = Tool::new("mail.read".parse().unwrap(), ActionClass::Read).labelled(Label::new(Label::PII).unwrap());
    let post = Tool::new("page.post".parse().unwrap(), ActionClass::Write);
    let catalog = crate::world::catalog().with(mail).unwrap().with(post).unwrap();
    World::under(bailiwick::policy::Evaluator::new(catalog, GUARDED).unwrap())
}

#[test]
fn a_permit_is_decided_again_where_a_label_came_after_it() {
    let world = guarded();
    let task = world.task(autonomous(&["mail.read", "page.post", "ticket.read"]).at_most(100));
    let (mail, post) = (alone("mail.read"), alone("page.post"));
    let early = [task.authorize(&post).unwrap(), task.authorize(&post).unwrap()];
    let minted = task.authorize(&post).unwrap();
    let harmless = task.authorize(&read()).unwrap();
    let [used, unused] = early;
    task.redeem(used, post.arguments()).unwrap().finish(Effect::Succeeded).unwrap();
    // The label comes by spending the permit, whether or not anybody tells what came of it.
    drop(task.redeem(task.authorize(&mail).unwrap(), mail.arguments()).unwrap());
    assert_eq!(code(task.redeem(unused, post.arguments())), Some(ReasonCode::Forbidden));
    assert!(task.mint(minted, &audience()).is_err());
    task.redeem(harmless, read().arguments()).unwrap().finish(Effect::Succeeded).unwrap();
    let voided = |fact: AgentFact| matches!(fact, AgentFact::Voided { reason: Reason::Forbidden(_), .. });
    let events = world.sink.events().into_iter();
    assert_eq!(events.filter_map(|event| event.agent).filter(|record| voided(record.fact.clone())).count(), 2);
    // Its place in the budget came back: two posts, the mail and the read are what ran.
    task.authorize(&read()).map(drop).unwrap();
    let (decided, _) = decisions(&world.sink.events()).pop().unwrap();
    assert_eq!(decided.ledger.calls, 3);
}

#[test]
fn an_approval_and_a_budget_that_a_permit_took_hold_when_it_is_decided_again() {
    let world = World::new(OPEN);
    let scope = Scope::new().allow("ticket.purge", Grant::new().autonomous().at_most(1)).unwrap();
    let task = world.task(scope);
    let purge = alone("ticket.purge");
    let approved = purge.clone().approved(Approval::by(&world.ada, task.request(&purge)));
    let permit = task.authorize(&approved).unwrap();
    task.label("untrusted".parse().unwrap()).unwrap();
    task.redeem(permit, purge.arguments()).unwrap().finish(Effect::Succeeded).unwrap();
}

#[test]
fn labels_of_the_host_are_recorded_carried_by_all_and_bounded() {
    let world = guarded();
    let task = world.task(deep(autonomous(&["page.post", "ticket.read"]), 1));
    let part = delegate(&world, &task, "one", autonomous(&["page.post"])).unwrap();
    part.label("pii".parse().unwrap()).unwrap();
    let labelled = |fact: AgentFact| matches!(fact, AgentFact::Labelled { label } if label.as_str() == "pii");
    assert!(world.sink.events().into_iter().filter_map(|event| event.agent).any(|record| labelled(record.fact)));
    assert_eq!(code(task.authorize(&alone("page.post"))), Some(ReasonCode::Forbidden));
    for number in 1..256 {
        task.label(format!("l{number}").parse().unwrap()).unwrap();
    }
    task.label("pii".parse().unwrap()).expect("it carries it already");
    assert!(matches!(task.label("more".parse().unwrap()), Err(bailiwick::Error::TooManyLabels(_))));
}

#[test]
fn policies_see_drift_and_what_was_touched() {
    let world = guarded();
    let scope = Scope::new().allow("role.grant", Grant::new().autonomous().preapproved()).unwrap();
    let task = world.task(scope.allow("ticket.read", Grant::new().autonomous()).unwrap());
    assert_eq!(code(task.authorize(&alone("role.grant"))), Some(ReasonCode::Forbidden));
    run(&task, &read()).unwrap();
    run(&task, &alone("role.grant")).unwrap();
    for name in ["T-1", "T-2"] {
        run(&task, &step(None, "ticket.read", &Resource::new("ticket", name).unwrap())).unwrap();
    }
    assert_eq!(code(task.authorize(&alone("role.grant"))), Some(ReasonCode::Forbidden), "three targets");
}

#[test]
fn a_part_follows_the_plan_of_the_task() {
    let world = World::new(OPEN);
    let strict = || watched(planned().on(Drift::OrderBroken, Response::Deny));
    let task = world.task(deep(strict(), 1));
    // It is watched no less: the same plan, and what follows at least as strict.
    for looser in [Scope::new(), Scope::new().watched(planned()), Scope::new().watched(Watch::new())] {
        assert!(delegate(&world, &task, "one", looser).is_err());
    }
    let part = delegate(&world, &task, "one", strict()).unwrap();
    assert_eq!(code(run(&part, &call("ticket.close"))), Some(ReasonCode::Drift));
    run(&task, &call("ticket.read")).unwrap();
    run(&part, &call("ticket.close")).unwrap();
    // What ran in the part was a turn of the task.
    run(&task, &call("role.grant")).unwrap();
    assert_eq!(code(run(&part, &call("ticket.close"))), Some(ReasonCode::Drift));
}

#[test]
fn the_drift_of_a_plan_is_what_a_naive_reader_sees() {
    let stages = vec(proptest::sample::subsequence(TOOLS, 1..4), 1..4);
    hold_often((64, 16), (stages, vec(select(TOOLS), 1..24)), |(stages, calls)| {
        let world = World::new(OPEN);
        let task = world.task(watched(Watch::new().plan(stages.clone()).unwrap()));
        // Where the reader's finger is: on no stage, at first.
        let mut finger: Option<usize> = None;
        let (mut in_order, mut broken) = (0, 0);
        for tool in calls {
            run(&task, &call(tool)).unwrap();
            let found = drift(&world);
            let holds: Vec<usize> = (0..stages.len()).filter(|place| stages[*place].contains(&tool)).collect();
            let next = finger.map_or(0, |finger| finger + 1);
            let fits = finger.filter(|finger| holds.contains(finger)).or(holds.contains(&next).then_some(next));
            prop_assert_eq!(found.contains(&Drift::OutsidePlan), holds.is_empty());
            prop_assert_eq!(found.contains(&Drift::OrderBroken), !holds.is_empty() && fits.is_none());
            match fits {
                Some(_) => in_order += 1,
                None => broken += 1,
            }
            // Out of turn the finger goes ahead to the first stage that has it, and never back.
            finger = fits.or(holds.into_iter().find(|place| *place > next)).or(finger);
        }
        Ok(in_order > 2 && broken > 2)
    });
}

#[test]
fn a_watch_is_written_as_people_read_it() {
    let read = |json: &str| serde_json::from_str::<Scope>(json);
    let watch = planned().apart(["b", "a"]).unwrap().on(Drift::NewTarget, Response::Ask);
    let json = serde_json::to_string(&Scope::new().watched(watch.clone())).unwrap();
    assert_eq!(read(&json).unwrap(), Scope::new().watched(watch.clone()));
    assert!(
        json.contains(
            r#""on":{"new_target":"ask"},"plan":[["ticket.read"],["ticket.close","web.fetch"],["role.grant"]]"#
        )
    );
    let wrong = [
        r#"{"plan": []}"#,
        r#"{"plan": [[]]}"#,
        r#"{"plan": null}"#,
        r#"{"plan": [["a b"]]}"#,
        r#"{"apart": [["a"]]}"#,
        r#"{"apart": [["a", "a"]]}"#,
        r#"{"apart": [["a", "B"]]}"#,
        r#"{"on": {"boredom": "deny"}}"#,
        r#"{"on": {"new_target": "wait"}}"#,
        r#"{"on": {"new_target": "ask", "new_target": "note"}}"#,
        r#"{"more": 1}"#,
        "[]",
        "null",
    ];
    for wrong in wrong {
        assert!(read(&format!(r#"{{"tools": {{}}, "watch": {wrong}}}"#)).is_err(), "{wrong}");
    }
    let many: Vec<_> = (0..17).map(|number| [format!("a{number}"), "b".to_owned()]).collect();
    let many = serde_json::to_string(&many).unwrap();
    assert!(read(&format!(r#"{{"tools": {{}}, "watch": {{"apart": {many}}}}}"#)).is_err());
    assert!(matches!(Watch::new().plan(vec![["a"]; 65]), Err(ScopeError::Watch(_))));
    assert_ne!(Scope::new().watched(watch.clone()).digest(), Scope::new().digest());
    assert_ne!(
        Scope::new().watched(watch.clone().on(Drift::NewTarget, Response::Deny)).digest(),
        Scope::new().watched(watch).digest()
    );
}

#[test]
fn a_stricter_watch_is_narrower() {
    let of = |watch: Watch| Scope::new().watched(watch);
    let wide = || planned().apart(["a", "b"]).unwrap().on(Drift::NewTarget, Response::Ask);
    for narrow in [
        wide(),
        wide().on(Drift::NewTarget, Response::Deny),
        wide().on(Drift::OrderBroken, Response::Ask),
        wide().apart(["a", "c"]).unwrap(),
    ] {
        assert!(of(narrow.clone()).is_subset(&of(wide())) && of(narrow).is_subset(&Scope::new()));
    }
    for other in [
        wide().on(Drift::NewTarget, Response::Note),
        Watch::new().apart(["a", "b"]).unwrap().on(Drift::NewTarget, Response::Deny),
        wide().plan([["ticket.read"]]).unwrap(),
        planned().apart(["a", "b", "c"]).unwrap().on(Drift::NewTarget, Response::Ask),
    ] {
        assert!(!of(other).is_subset(&of(wide())));
    }
    assert!(!Scope::new().is_subset(&of(wide())));
}
