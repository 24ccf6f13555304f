//! Exact actions that people approve: how many, which, once, and not too often.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bailiwick::audit::{AgentFact, Decided, Denial, OperatorFact};
use bailiwick::identity::{HumanOperator, OperatorId, OperatorSession};
use bailiwick::mandate::{
    Action, ActionRequest, Approval, ApprovalRequest, ArgumentType, Arguments, Grant, Intent, Mandate, MandateError,
    Objection, Quorum, QuorumError, Resource, Scope, danger,
};
use bailiwick::policy::{Evaluator, Outcome, ReasonCode};
use bailiwick::{Error, ObjectionError, Task, TaskHandle};

use crate::flaky::{self, Mood};
use crate::steps::{alone, code, on_behalf, step};
use crate::world::{OPEN, START, World, args, at, catalog, operator, scope, session};

/// The people of these tests beside Ada, who approves every task.
const OTHERS: [&str; 3] = ["bob", "carol", "dan"];

/// The world, in which Carol and Dan are known too.
pub(crate) fn world() -> World {
    let world = World::new(OPEN);
    for name in ["carol", "dan"] {
        world.registry.enroll(HumanOperator::new(operator(name))).expect("a new operator");
    }
    world
}

fn of(people: u8) -> Quorum {
    Quorum::of(people).expect("a number of people")
}

fn people(names: &[&str]) -> Vec<OperatorId> {
    names.iter().map(|name| operator(name)).collect()
}

/// A scope in which purges want this quorum, in both modes.
pub(crate) fn purges(quorum: Quorum) -> Scope {
    Scope::new().allow("ticket.purge", Grant::new().autonomous().approved_by(quorum)).expect("a tool name")
}

/// A task of Ada's, and of whoever else approves it.
fn task(world: &World, scope: Scope, more: &[&str]) -> Task {
    let mandate = more.iter().fold(world.mandate(scope.clone()), |mandate, name| {
        mandate.approved(Approval::by(&session(name), scope.clone()))
    });
    world.door.begin(mandate).expect("a task")
}

/// The action, approved by these people.
fn approved(task: &TaskHandle, action: &Action, by: &[&str]) -> Action {
    let request = task.request(action);
    by.iter().fold(action.clone(), |action, name| action.approved(Approval::by(&session(name), request.clone())))
}

fn purge() -> Action {
    alone("ticket.purge")
}

fn held(task: &TaskHandle, action: &Action) -> Denial {
    let denial = task.authorize(action).expect_err("nobody approved");
    assert!(denial.is_held(), "{}", denial.for_operator());
    denial
}

fn asks(task: &TaskHandle, action: &Action) -> ApprovalRequest {
    held(task, action).asks().cloned().expect("a request")
}

// ── How many, and which ─────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn as_many_distinct_people_as_the_scope_wants_approve_an_action() {
    let world = world();
    let two = || purges(of(2));
    let listed = || purges(of(2).among(people(&["ada", "bob", "carol"])).unwrap());
    let apart = || purges(of(2).among_others(people(&["ada", "bob", "carol", "dan"])).unwrap());
    let few = Some(ReasonCode::TooFewApprovals);
    let invalid = Some(ReasonCode::ApprovalInvalid);
    type Row<'r> = (&'r str, Scope, &'r [&'r str], &'r [&'r str], Option<ReasonCode>);
    let table: &[Row] = &[
        ("nobody", two(), &["bob"], &[], Some(ReasonCode::NeedsApproval)),
        ("one of two", two(), &["bob"], &["ada"], few),
        ("both", two(), &["bob"], &["ada", "bob"], None),
        ("the same person twice", two(), &["bob"], &["ada", "ada"], few),
        ("the same person three times, and another", two(), &["bob"], &["ada", "ada", "ada", "bob"], None),
        ("somebody who did not approve the task", two(), &["bob"], &["ada", "carol"], few),
        ("nobody who may", two(), &["bob"], &["carol", "dan"], invalid),
        ("two who are listed", listed(), &[], &["bob", "carol"], None),
        ("the one who approved the task among them", listed(), &[], &["ada", "bob"], None),
        ("one who is not listed", listed(), &["dan"], &["ada", "dan"], few),
        ("two others", apart(), &[], &["bob", "dan"], None),
        ("who approved the task, though listed", apart(), &[], &["ada", "bob"], few),
        ("who approved the task too, though listed", apart(), &["bob"], &["bob", "carol"], few),
        ("who approved the task alone", apart(), &[], &["ada"], invalid),
        ("the others, with her beside", apart(), &[], &["ada", "bob", "carol"], None),
    ];
    for (what, scope, more, by, expected) in table {
        let task = task(&world, scope.clone(), more);
        let answer = task.authorize(&approved(&task, &purge(), by));
        assert!(answer.as_ref().err().is_none_or(Denial::is_held), "{what}");
        assert_eq!(code(answer), *expected, "{what}");
    }
}

#[test]
fn on_somebody_s_behalf_that_person_is_one_of_them_unless_others_are_listed() {
    let world = world();
    let action = on_behalf(&world.ada, "ticket.purge");
    let few = Some(ReasonCode::TooFewApprovals);
    let two = task(&world, purges(of(2)), &["bob", "carol"]);
    let ask = |task: &TaskHandle, by: &[&str]| code(task.authorize(&approved(task, &action, by)));
    assert_eq!(ask(&two, &["bob", "carol"]), few, "without her");
    assert_eq!(ask(&two, &["bob", "carol", "ada"]), None);
    assert_eq!(ask(&two, &["ada", "carol"]), None);
    let one = task(&world, purges(of(1)), &["bob"]);
    assert_eq!(ask(&one, &["bob"]), Some(ReasonCode::ApprovalInvalid), "one person is she");
    assert_eq!(ask(&one, &["ada"]), None);
    let others = task(&world, purges(of(2).among_others(people(&OTHERS)).unwrap()), &[]);
    assert_eq!(ask(&others, &["ada", "bob"]), few);
    assert_eq!(ask(&others, &["bob", "carol"]), None);
    // Who is listed approves actions, and is nobody on whose behalf there is an errand.
    for_bob(&others);
}

fn for_bob(task: &TaskHandle) {
    let action = on_behalf(&session("bob"), "ticket.purge");
    let answer = task.authorize(&approved(task, &action, &["bob", "carol"]));
    assert_eq!(code(answer), Some(ReasonCode::NotApprovedBy));
}

#[test]
fn a_name_at_another_provider_is_another_name_and_nobody_s() {
    let world = world();
    let task = task(&world, purges(of(2)), &["bob"]);
    for alias in ["https://idp.acme.example/", "https://other.example"] {
        let alias = OperatorId::new(alias, "bob").unwrap();
        let vouched = danger::approval_vouched_by_host(alias, task.request(&purge()), at(START + 60), "T-1");
        let answer = task.authorize(&approved(&task, &purge(), &["ada"]).approved(vouched));
        assert_eq!(code(answer), Some(ReasonCode::TooFewApprovals));
    }
}

#[test]
fn a_grant_with_a_quorum_is_asked_for_each_call_unless_it_is_preapproved() {
    let world = world();
    let grant = || Grant::new().autonomous().approved_by(of(1));
    let asked = world.task(Scope::new().allow("ticket.close", grant()).unwrap());
    assert_eq!(code(asked.authorize(&alone("ticket.close"))), Some(ReasonCode::NeedsApproval), "a mere write");
    assert_eq!(code(asked.authorize(&approved(&asked, &alone("ticket.close"), &["ada"]))), None);
    let spared = world.task(Scope::new().allow("ticket.close", grant().preapproved()).unwrap());
    assert_eq!(code(spared.authorize(&alone("ticket.close"))), None);
}

#[test]
fn a_quorum_that_cannot_be_reached_is_refused_before_anybody_is_asked() {
    let listed = |many| (0..many).map(|place| operator(&format!("p{place}")));
    assert_eq!(Quorum::of(0), Err(QuorumError::People(0)));
    assert_eq!(Quorum::of(9), Err(QuorumError::People(9)));
    assert_eq!(of(3).among(listed(2)), Err(QuorumError::Listed { people: 3, listed: 2 }));
    assert_eq!(of(2).among([operator("a"), operator("a")]), Err(QuorumError::Listed { people: 2, listed: 1 }));
    assert!(of(8).among(listed(32)).is_ok());
    assert_eq!(of(1).among_others(listed(33)), Err(QuorumError::Listed { people: 1, listed: 33 }));

    let world = world();
    let begin = |scope: Scope| world.door.begin(world.mandate(scope)).map(drop);
    let refused = |people, able| {
        Err(Error::Mandate(MandateError::NoQuorum { tool: "ticket.purge".parse().unwrap(), people, able }))
    };
    assert_eq!(begin(purges(of(2))), refused(2, 1), "she is alone");
    assert_eq!(begin(purges(of(2).among_others(people(&["ada", "bob"])).unwrap())), refused(2, 1));
    assert_eq!(begin(purges(of(2).among(people(&["ada", "bob"])).unwrap())), Ok(()));
    let unknown = purges(of(1).among_others(people(&["eve"])).unwrap());
    assert!(matches!(begin(unknown), Err(Error::Registry(_))), "nobody knows Eve");
}

#[test]
fn who_leaves_does_not_count_whether_before_the_decision_or_before_the_permit_is_used() {
    let world = world();
    let listed = || purges(of(2).among_others(people(&OTHERS)).unwrap());
    let task = task(&world, listed(), &[]);
    let action = approved(&task, &purge(), &["bob", "carol"]);
    let permit = task.authorize(&action).expect("both are active");
    let _ = world.door.offboard(&world.ada, &operator("carol")).expect("Carol leaves");
    let voided = task.redeem(permit, &Arguments::none()).expect_err("one of them is gone");
    assert_eq!(voided.code(), ReasonCode::OperatorNotActive);
    let again = approved(&task, &purge(), &["bob", "carol"]);
    assert_eq!(code(task.authorize(&again)), Some(ReasonCode::TooFewApprovals));
    assert_eq!(code(task.authorize(&approved(&task, &purge(), &["bob", "dan"]))), None);
    assert!(world.door.begin(world.mandate(listed())).is_err(), "a new task does not begin with her");
}

/// Whatever one quorum lets pass, a wider one lets pass as well.
#[test]
fn a_quorum_within_another_is_no_easier_to_reach() {
    let world = world();
    let lists: &[&[&str]] = &[&["ada", "bob"], &["bob", "carol"], &["ada", "bob", "carol"]];
    let mut grants = vec![Grant::new().autonomous(), Grant::new().autonomous().preapproved()];
    for many in 1..=2 {
        grants.push(Grant::new().autonomous().approved_by(of(many)));
        for list in lists {
            grants.push(Grant::new().autonomous().approved_by(of(many).among(people(list)).unwrap()));
            grants.push(Grant::new().autonomous().approved_by(of(many).among_others(people(list)).unwrap()));
        }
    }
    let subsets: Vec<Vec<&str>> = (0..8_usize)
        .map(|bits| ["ada", "bob", "carol"].into_iter().enumerate().filter(move |(place, _)| bits >> place & 1 == 1))
        .map(|named| named.map(|(_, name)| name).collect())
        .collect();
    // A task that does not begin permits nothing.
    let passes = |grant: &Grant| -> Vec<bool> {
        let scope = Scope::new().allow("ticket.purge", grant.clone()).unwrap();
        let mandate = world.mandate(scope.clone()).approved(Approval::by(&world.bob, scope));
        let Ok(task) = world.door.begin(mandate) else { return vec![false; 16] };
        let actions = [purge(), on_behalf(&world.ada, "ticket.purge")];
        let asked = actions.iter().flat_map(|action| subsets.iter().map(move |by| (action, by)));
        let outcome = |action: &Action| task.verdict(action).unwrap().outcome;
        asked.map(|(action, by)| outcome(&approved(&task, action, by)) == Outcome::Permitted).collect()
    };
    let all: Vec<(Scope, Vec<bool>)> = grants
        .iter()
        .map(|grant| (Scope::new().allow("ticket.purge", grant.clone()).unwrap(), passes(grant)))
        .collect();
    let mut within = 0;
    for (narrow, less) in &all {
        for (wide, more) in &all {
            if narrow.is_subset(wide) {
                within += 1;
                let holds = less.iter().zip(more).all(|(less, more)| less <= more);
                assert!(holds, "{narrow:?} in {wide:?}: {less:?} {more:?}");
            }
        }
    }
    assert!((all.len() + 10..200).contains(&within), "{within} pairs were within one another");
}

#[test]
fn a_written_quorum_is_the_same_and_anything_else_is_refused() {
    let quorum = of(2).among_others(people(&OTHERS)).unwrap().within(Duration::from_secs(3600));
    let written = serde_json::to_string(&quorum).unwrap();
    assert_eq!(serde_json::from_str::<Quorum>(&written).unwrap(), quorum);
    assert_eq!(serde_json::to_string(&of(1)).unwrap(), r#"{"people":1}"#);
    let ada = r#"{"iss":"https://idp.acme.example","sub":"ada"}"#;
    for wrong in [
        r#"{}"#.to_owned(),
        r#"[1]"#.to_owned(),
        r#"{"people":0}"#.to_owned(),
        r#"{"people":9}"#.to_owned(),
        r#"{"people":1.0}"#.to_owned(),
        r#"{"people":1,"apart":true}"#.to_owned(),
        r#"{"people":1,"within":0}"#.to_owned(),
        r#"{"people":1,"within":null}"#.to_owned(),
        r#"{"people":1,"among":null}"#.to_owned(),
        r#"{"people":1,"among":[]}"#.to_owned(),
        r#"{"people":1,"people":1}"#.to_owned(),
        r#"{"people":1,"by":"agents"}"#.to_owned(),
        format!(r#"{{"people":2,"among":[{ada},{ada}]}}"#),
        format!(r#"{{"people":1,"among":[{}]}}"#, [ada; 33].join(",")),
        r#"{"people":1,"among":["spiffe://acme.example/agent/triage"]}"#.to_owned(),
    ] {
        assert!(serde_json::from_str::<Quorum>(&wrong).is_err(), "{wrong}");
    }
    // Each part of it is a part of what is approved.
    let scopes = [
        purges(of(1)),
        purges(of(2)),
        purges(of(1).among(people(&["bob"])).unwrap()),
        purges(of(1).among(people(&["dan"])).unwrap()),
        purges(of(1).among_others(people(&["bob"])).unwrap()),
        purges(of(1).within(Duration::from_secs(1))),
        Scope::new().allow("ticket.purge", Grant::new().autonomous()).unwrap(),
    ];
    assert_eq!(scopes.iter().map(|scope| scope.digest()).collect::<BTreeSet<_>>().len(), scopes.len());
}

// ── Of exactly this action, and once ────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_approval_binds_what_the_host_says_of_the_resource() {
    let catalog = catalog().resource_attribute("owner".parse().unwrap(), ArgumentType::Text).unwrap();
    let world = World::under(Evaluator::new(catalog, OPEN).unwrap());
    let task = world.task(in_both_modes());
    let of = |owner: &str| purge().of_resource(args(&format!(r#"{{"owner": "{owner}"}}"#)));
    let consent = |action: &Action| Approval::by(&world.ada, task.request(action));
    let invalid = Some(ReasonCode::ApprovalInvalid);
    assert_eq!(code(task.authorize(&of("bob").approved(consent(&of("ada"))))), invalid, "another owner");
    assert_eq!(code(task.authorize(&purge().approved(consent(&of("ada"))))), invalid, "nothing said");
    assert_eq!(code(task.authorize(&of("ada").approved(consent(&purge())))), invalid, "more said");
    assert_eq!(code(task.authorize(&of("ada").approved(consent(&of("ada"))))), None);
}

#[test]
fn approvals_are_used_up_together_or_not_at_all() {
    let world = world();
    let task = task(&world, purges(of(2)), &["bob"]);
    let vouched = |name: &str| {
        let reference = format!("{name}'s");
        danger::approval_vouched_by_host(operator(name), task.request(&purge()), at(START + 600), &reference)
    };
    drop(task.authorize(&purge().approved(vouched("ada")).approved(vouched("bob"))).expect("both"));
    let spent = task.authorize(&purge().approved(vouched("ada")).approved(vouched("bob")));
    assert_eq!(code(spent), Some(ReasonCode::ApprovalSpent));
    // A fresh one beside a spent one is not used up by the refusal.
    let fresh = danger::approval_vouched_by_host(operator("ada"), task.request(&purge()), at(START + 600), "again");
    let id = fresh.id().clone();
    let mixed = purge().approved(fresh).approved(vouched("bob"));
    assert_eq!(code(task.authorize(&mixed)), Some(ReasonCode::ApprovalSpent));
    let fresh = danger::approval_vouched_by_host(operator("ada"), task.request(&purge()), at(START + 600), "again");
    let other = danger::approval_vouched_by_host(operator("bob"), task.request(&purge()), at(START + 600), "another");
    assert_eq!(*fresh.id(), id);
    // And a spent one beside enough fresh ones takes nothing away.
    let enough = purge().approved(vouched("bob")).approved(fresh).approved(other);
    drop(task.authorize(&enough).expect("two that are good"));
    let decided = decisions(&world).pop().unwrap();
    assert_eq!((decided.approvals.len(), decided.rests_on.len()), (3, 2));
    assert_eq!(decided.standing.spent.len(), 1);
    assert!(!decided.rests_on.contains(&decided.standing.spent[0]));
}

fn decisions(world: &World) -> Vec<Decided> {
    let decided = world.sink.events().into_iter().filter_map(|event| match event.agent?.fact {
        AgentFact::Decided(decided) => Some(*decided),
        _ => None,
    });
    decided.collect()
}

#[test]
fn of_any_number_of_threads_one_uses_an_approval() {
    let world = world();
    let task = task(&world, purges(of(2)), &["bob"]);
    let asked = task.request(&purge());
    for round in 0..20 {
        let permitted = AtomicUsize::new(0);
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    let vouched = |name| {
                        let reference = format!("{round}");
                        danger::approval_vouched_by_host(operator(name), asked.clone(), at(START + 600), &reference)
                    };
                    // In either order, so that each may hold what the other wants.
                    let action = purge().approved(vouched("ada")).approved(vouched("bob"));
                    permitted.fetch_add(usize::from(task.authorize(&action).is_ok()), Ordering::Relaxed);
                });
            }
        });
        assert!(permitted.into_inner() <= 1, "round {round}");
    }
    let action = approved(&task, &purge(), &["ada", "bob"]);
    let permitted = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| permitted.fetch_add(usize::from(task.authorize(&action).is_ok()), Ordering::Relaxed));
        }
    });
    assert!(permitted.into_inner() <= 1);
}

#[test]
fn every_approver_is_told_in_their_own_lane_and_without_a_record_nothing_is_permitted() {
    let flaky::Host { world, sink, .. } = flaky::Host::new(OPEN);
    world.registry.enroll(HumanOperator::new(operator("carol"))).unwrap();
    let scope = || purges(of(2).among(people(&["bob", "carol"])).unwrap());
    let task = task(&world, scope(), &[]);
    let before = world.sink.events().len();
    let action = approved(&task, &on_behalf(&world.ada, "ticket.purge"), &["bob", "carol"]);
    drop(task.authorize(&action).expect("both"));
    let events = world.sink.drain().split_off(before);
    let lanes = events.iter().filter_map(|event| event.operator.as_ref());
    let told: Vec<(String, &str)> = lanes
        .map(|record| {
            let what = match &record.fact {
                OperatorFact::ApprovedAction { approval, .. } => {
                    let ids: Vec<_> = action.approvals().iter().map(|one| one.id().clone()).collect();
                    assert!(ids.contains(approval));
                    "approved"
                }
                OperatorFact::ActedFor { approved: None, outcome: Outcome::Permitted, .. } => "acted for",
                other => panic!("{other:?}"),
            };
            (record.operator.subject().to_string(), what)
        })
        .collect();
    let of = |name: &str, what| (name.to_owned(), what);
    assert_eq!(told, [of("bob", "approved"), of("carol", "approved"), of("ada", "acted for")]);
    let txns: BTreeSet<_> = events.iter().filter_map(|event| Some(event.operator.as_ref()?.link.txn.clone())).collect();
    assert_eq!(txns.len(), 1, "what joins them");
    let places: Vec<u64> = events.iter().filter_map(|event| Some(event.operator.as_ref()?.link.seq)).collect();
    assert!(places.is_sorted(), "the approvers stand before the decision: {places:?}");

    // Whichever record is not taken, nothing is permitted and nothing used up.
    let asked = task.request(&purge());
    let vouched = || {
        let vouch = |name| danger::approval_vouched_by_host(operator(name), asked.clone(), at(START + 600), "once");
        purge().approved(vouch("bob")).approved(vouch("carol"))
    };
    for mood in [Mood::Fails, Mood::Panics] {
        sink.set(mood);
        assert_eq!(code(task.authorize(&vouched())), Some(ReasonCode::Audit), "{mood:?}");
    }
    sink.set(Mood::Works);
    assert!(task.authorize(&vouched()).is_ok());
}

// ── Requests, and not too many ──────────────────────────────────────────────────────────────────────────────────────

fn purge_of(name: &str) -> Action {
    step(None, "ticket.purge", &Resource::new("ticket", name).unwrap())
}

fn in_both_modes() -> Scope {
    Scope::new().allow("ticket.purge", Grant::new().autonomous()).unwrap()
}

#[test]
fn approving_a_task_spares_fifty_questions() {
    let world = world();
    let task = world.task(scope());
    let read = Action::autonomous("ticket.read", &Resource::new("ticket", "T-42").unwrap()).unwrap();
    for _ in 0..25 {
        for action in [&read, &on_behalf(&world.ada, "ticket.close")] {
            let permit = task.authorize(action).expect("within what was approved");
            drop(task.redeem(permit, action.arguments()).expect("an execution"));
        }
    }
    // Of one class a person is asked each time, and of nothing else.
    let mut held = 0;
    for round in 0..50 {
        let action = if round % 10 == 9 {
            step(Some(&world.ada), "ticket.purge", &Resource::new("ticket", &format!("T-{round}")).unwrap())
        } else {
            read.clone()
        };
        let permit = task.authorize(&action).or_else(|denial| {
            held += 1;
            let mut asks = denial.asks().cloned().expect("held");
            task.authorize(&action.clone().approved(asks.approve(&world.ada, at(START)).expect("hers")))
        });
        drop(permit.expect("a permit"));
    }
    assert_eq!(held, 5);
    let outcomes: Vec<_> = decisions(&world).iter().map(|decided| decided.verdict.outcome).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Held).count(), 5);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Permitted).count(), 100);
}

#[test]
fn a_flood_of_requests_is_refused_and_recorded_and_every_answer_makes_room() {
    let world = world();
    let scope = purges(of(1).within(Duration::from_secs(60))).allow("ticket.read", Grant::new().autonomous()).unwrap();
    let task = world.task(scope);
    let names: Vec<String> = (0..8).map(|number| format!("T-{number}")).collect();
    let mut waiting: Vec<ApprovalRequest> = names.iter().map(|name| asks(&task, &purge_of(name))).collect();
    // The same asked again is the same, and over when it was to be.
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(asks(&task, &purge_of("T-3")).until(), waiting[3].until());
    let full = |action: &Action| {
        let denial = task.authorize(action).expect_err("there is no room");
        assert_eq!((denial.code(), denial.is_held(), denial.request()), (ReasonCode::TooManyRequests, false, None));
    };
    full(&purge_of("T-8"));
    let decided = decisions(&world).pop().unwrap();
    assert_eq!((decided.ledger.requests.waiting, decided.ledger.requests.made), (8, 8));
    assert_eq!(decided.verdict.outcome, Outcome::Denied);
    drop(task.authorize(&alone("ticket.read")).expect("what needs nobody goes on"));

    // Approved and used,
    let approval = waiting[0].approve(&world.ada, at(START + 1)).unwrap();
    drop(task.authorize(&purge_of("T-0").approved(approval)).expect("approved"));
    held(&task, &purge_of("T-8"));
    full(&purge_of("T-9"));
    // given up,
    assert!(task.cancel(waiting[1].action()));
    assert!(!task.cancel(waiting[1].action()), "once");
    held(&task, &purge_of("T-9"));
    full(&purge_of("T-10"));
    // refused,
    let objection = waiting[2].deny(&world.ada, at(START + 1)).unwrap();
    task.object(&objection).unwrap();
    held(&task, &purge_of("T-10"));
    full(&purge_of("T-11"));
    // or over.
    world.clock.set(at(START + 60));
    for number in 11..16 {
        held(&task, &purge_of(&format!("T-{number}")));
    }
    let refused = task.authorize(&approved(&task, &purge_of("T-2"), &["ada"])).expect_err("she said no");
    assert_eq!((refused.code(), refused.is_held()), (ReasonCode::SaidNo, false));
}

#[test]
fn an_errand_asks_64_times_in_its_life_with_all_its_parts() {
    let world = world();
    let scope = in_both_modes().delegable(1).unwrap();
    let task = world.task(scope);
    let part = Intent::new("purge", in_both_modes()).unwrap();
    let payer = world.door.admit(bailiwick::identity::danger::workload_vouched_by_host(
        world.payer.clone(),
        None,
        at(START + 3600),
    ));
    let part = task.delegate(Mandate::new(payer.unwrap(), part)).expect("a part");
    for number in 0..64 {
        let (asking, action) = (if number % 2 == 0 { &*task } else { &*part }, purge_of(&format!("T-{number}")));
        let request = held(asking, &action).request().cloned().unwrap();
        assert!(asking.cancel(&request));
    }
    for asking in [&*task, &*part] {
        assert_eq!(code(asking.authorize(&purge_of("T-64"))), Some(ReasonCode::TooManyRequests));
    }
    let next = world.task(in_both_modes());
    held(&next, &purge_of("T-64"));
}

#[test]
fn of_many_threads_at_once_eight_ask() {
    let world = world();
    let task = world.task(in_both_modes());
    let held = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for number in 0..24 {
            let (task, held) = (&task, &held);
            threads.spawn(move || {
                let denial = task.authorize(&purge_of(&format!("T-{number}"))).expect_err("nobody approved");
                held.fetch_add(usize::from(denial.is_held()), Ordering::Relaxed);
            });
        }
    });
    assert_eq!(held.into_inner(), 8);
}

#[test]
fn a_request_that_is_not_recorded_was_not_made() {
    let flaky::Host { world, sink, .. } = flaky::Host::new(OPEN);
    let task = world.task(in_both_modes());
    sink.set(Mood::Fails);
    for number in 0..100 {
        assert_eq!(code(task.authorize(&purge_of(&format!("T-{number}")))), Some(ReasonCode::Audit));
    }
    sink.set(Mood::Works);
    for number in 0..8 {
        held(&task, &purge_of(&format!("T-{number}")));
    }
}

#[test]
fn a_no_is_an_answer_of_those_who_were_asked() {
    let world = world();
    let task = task(&world, purges(of(1).among_others(people(&["bob", "carol"])).unwrap()), &[]);
    let other = world.task(in_both_modes());
    let request = held(&task, &purge()).request().cloned().unwrap();
    let elsewhere = held(&other, &purge()).request().cloned().unwrap();
    let no = |by: &OperatorSession, of: &ActionRequest| task.object(&Objection::by(by, of.clone()));
    let of = |error: ObjectionError| Err(Error::Objection(error));
    let (own, found) = (task.id().clone(), other.id().clone());
    assert_eq!(no(&world.bob, &elsewhere), of(ObjectionError::OtherTask { task: own, found }));
    assert_eq!(no(&world.ada, &request), of(ObjectionError::NotTheirs(operator("ada"))));
    assert_eq!(no(&world.bob, &task.request(&purge_of("T-9"))), of(ObjectionError::NotAsked));
    let _ = world.door.offboard(&world.ada, &operator("carol")).expect("Carol leaves");
    assert_eq!(no(&session("carol"), &request), of(ObjectionError::NotTheirs(operator("carol"))));
    assert_eq!(code(task.authorize(&purge())), Some(ReasonCode::NeedsApproval), "nothing has changed");
    assert_eq!(no(&world.bob, &request), Ok(()));
    let by_bob = |event: &bailiwick::audit::Event| {
        event.operator.as_ref().is_some_and(|record| {
            record.operator == operator("bob") && matches!(record.fact, OperatorFact::Objected { .. })
        })
    };
    assert_eq!(world.sink.events().iter().filter(|event| by_bob(event)).count(), 1);
    // Exactly this action, in this task; a yes of his own does not take it back.
    assert_eq!(code(task.authorize(&approved(&task, &purge(), &["bob"]))), Some(ReasonCode::SaidNo));
    held(&task, &purge_of("T-9"));
    held(&other, &purge());
    // What he permitted before and nobody has run yet does not run.
    let asked = held(&task, &purge_of("T-10")).request().cloned().unwrap();
    let permit = task.authorize(&approved(&task, &purge_of("T-10"), &["bob"])).expect("he said yes");
    assert_eq!(no(&world.bob, &asked), Ok(()));
    let void = task.redeem(permit, &Arguments::none()).expect_err("he thought better of it");
    assert_eq!(void.code(), ReasonCode::SaidNo);
    world.clock.set(at(START + 8 * 3600));
    assert!(matches!(no(&world.bob, &request), Err(Error::Objection(ObjectionError::Over { .. }))));
}
