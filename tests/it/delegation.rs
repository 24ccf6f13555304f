//! Delegation: a part of a task is never wider, deeper or longer than the task, spends its budget, and dies with it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use bailiwick::audit::{Ack, AgentFact, AuditError, AuditSink, Event, MemorySink, Permit, Sighting};
use bailiwick::id::{Audience, Found, TaskId};
use bailiwick::identity::{RegistryError, danger};
use bailiwick::mandate::{ActionClass, Approval, Grant, Intent, Mandate, MandateError, Scope, ScopeError, TaskState};
use bailiwick::policy::{Outcome, Reason, ReasonCode};
use bailiwick::{DelegationError, Error, Halt, Task, TaskHandle};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::any::{self, cases, hold_often, take};
use crate::delegated::{deep, delegable, delegate, id, part, worker, worker_until};
use crate::ends::End;
use crate::flaky::{BROKEN, Host};
use crate::steps::{alone, autonomous, code, on_behalf, read};
use crate::terms::{self, Terms};
use crate::world::{OPEN, START, World, args, at, audience, operator, scope, session};

fn refused(answer: Result<Task, Error>) -> DelegationError {
    match answer {
        Err(Error::Delegation(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_scope_says_whether_it_is_delegable() {
    for depth in [0, 9, u8::MAX] {
        assert_eq!(Scope::new().delegable(depth), Err(ScopeError::Depth(depth)));
    }
    let written = |json: &str| serde_json::from_str::<Scope>(json);
    for depth in 1..=8 {
        assert_eq!(written(&format!(r#"{{"tools": {{}}, "max_depth": {depth}}}"#)).unwrap(), deep(Scope::new(), depth));
    }
    for wrong in ["0", "9", "256", "-1", "1.0", "null", r#""1""#, "[1]", "true"] {
        assert!(written(&format!(r#"{{"tools": {{}}, "max_depth": {wrong}}}"#)).is_err(), "{wrong}");
    }
    assert!(written(r#"{"tools": {}, "max_depth": 1, "max_depth": 1}"#).is_err());
    for (narrow, wide) in [(0, 1), (1, 2), (7, 8), (0, 8)] {
        assert!(deep(Scope::new(), narrow).is_subset(&deep(Scope::new(), wide)));
        assert!(!deep(Scope::new(), wide).is_subset(&deep(Scope::new(), narrow)));
        assert_ne!(deep(Scope::new(), wide).digest(), deep(Scope::new(), narrow).digest());
    }
}

#[test]
fn what_ada_did_not_say_is_not_delegable() {
    let world = World::new(OPEN);
    // Nor does it help to say so in the intent, where her approval does not.
    let intent = Intent::new("close stale tickets", delegable(1)).unwrap();
    let mandate = Mandate::new(world.agent(), intent).approved(Approval::by(&world.ada, scope()));
    assert!(matches!(world.door.begin(mandate), Err(Error::Mandate(MandateError::TooNarrow { .. }))));

    let task = world.task(scope());
    let depth = |allowed, asked| DelegationError::Depth { allowed, asked };
    assert_eq!(refused(delegate(&world, &task, "a", scope())), depth(0, 1));
    assert_eq!(refused(delegate(&world, &task, "a", delegable(8))), depth(0, 9));
    for allowed in 1..=8 {
        let task = world.task(delegable(allowed));
        assert_eq!(refused(delegate(&world, &task, "a", delegable(allowed))), depth(allowed, allowed + 1));
        assert!(delegate(&world, &task, "a", deep(scope(), allowed - 1)).is_ok());
    }
}

#[test]
fn a_chain_is_as_deep_as_was_said_and_no_deeper() {
    let world = World::new(OPEN);
    let mut chain = vec![world.task(delegable(8))];
    for depth in 1..=8_u8 {
        let above = chain.last().unwrap();
        chain.push(delegate(&world, above, &format!("w{depth}"), deep(scope(), 8 - depth)).unwrap());
    }
    let last = chain.last().unwrap();
    assert!(last.authorize(&read()).is_ok());
    assert_eq!(refused(delegate(&world, last, "w9", scope())), DelegationError::Depth { allowed: 0, asked: 1 });
    assert!(chain.iter().all(|task| task.txn() == chain[0].txn()), "one transaction");
}

#[test]
fn a_part_is_within_the_task() {
    let world = World::new(OPEN);
    let task = world.task(delegable(1).at_most(5));
    let wider = [
        ("any number of calls", scope()),
        ("more calls", scope().at_most(6)),
        ("another tool", autonomous(&["web.fetch"]).at_most(1)),
        ("autonomously", autonomous(&["ticket.close"]).at_most(1)),
        ("on every ticket", Scope::new().allow("ticket.close", Grant::new()).unwrap().at_most(1)),
    ];
    for (name, asked) in wider {
        let allowed = delegable(1).at_most(5).digest();
        let expected = DelegationError::Wider { asked: asked.digest(), allowed };
        assert_eq!(refused(delegate(&world, &task, "a", asked)), expected, "{name}");
    }
    let child = delegate(&world, &task, "a", autonomous(&["ticket.read"]).at_most(5)).unwrap();
    assert!(child.authorize(&read()).is_ok());
    assert_eq!(code(child.authorize(&on_behalf(&world.ada, "ticket.close"))), Some(ReasonCode::OutOfScope));
}

#[test]
fn nobody_stands_below_themselves_or_below_their_own_key() {
    let world = World::new(OPEN);
    let task = world.task(delegable(3));
    let child = delegate(&world, &task, "a", delegable(2)).unwrap();
    let grandchild = delegate(&world, &child, "b", delegable(1)).unwrap();
    let cycle = |agent, above: &Task| DelegationError::Cycle { agent, above: above.id().clone() };
    let triage = || part(world.agent(), scope());
    assert_eq!(refused(task.delegate(triage())), cycle(world.triage.clone(), &task));
    assert_eq!(refused(child.delegate(triage())), cycle(world.triage.clone(), &task));
    assert_eq!(refused(grandchild.delegate(triage())), cycle(world.triage.clone(), &task));
    // With another proof and key too.
    assert_eq!(refused(delegate(&world, &grandchild, "a", scope())), cycle(id("a"), &child));
    // Beside one another they may, and one after the other.
    drop(delegate(&world, &task, "a", scope()).unwrap());

    let payer = world.door.admit(world.workload(&world.payer)).unwrap();
    let key = world.key.public().thumbprint();
    for parent in [&task, &child, &grandchild] {
        let (agent, above) = (world.payer.clone(), world.triage.clone());
        let expected = DelegationError::SameKey { agent, key: key.clone(), above };
        assert_eq!(refused(parent.delegate(part(payer.clone(), scope()))), expected);
    }
}

#[test]
fn a_part_rests_on_what_people_approved_of_the_task_and_on_nothing_else() {
    let world = World::new(OPEN);
    let task = world.task(delegable(1));
    let own = part(worker(&world, "a"), scope()).approved_by(&world.bob);
    assert_eq!(refused(task.delegate(own)), DelegationError::OwnApproval(1));
    let child = delegate(&world, &task, "a", scope()).unwrap();
    assert!(child.authorize(&on_behalf(&world.ada, "ticket.read")).is_ok());
    // On another errand it goes for nobody.
    let denial = child.authorize(&on_behalf(&world.bob, "ticket.read"));
    assert_eq!(code(denial), Some(ReasonCode::NotApprovedBy));
}

#[test]
fn a_part_ends_when_the_task_does_or_before() {
    let world = World::new(OPEN);
    let end = at(START + 600);
    let task = world.door.begin(world.mandate(delegable(2)).until(end)).unwrap();
    let until = |agent, until: i64| part(agent, delegable(1)).until(at(START + until));
    let asked = at(START + 601);
    assert_eq!(refused(task.delegate(until(worker(&world, "a"), 601))), DelegationError::Later { asked, allowed: end });
    assert_eq!(delegate(&world, &task, "a", scope()).unwrap().until(), end, "the task's");
    assert_eq!(task.delegate(until(worker(&world, "a"), 599)).unwrap().until(), at(START + 599), "an earlier one");
    let short = worker_until(&world, "a", at(START + 300));
    let child = task.delegate(part(short.clone(), delegable(1))).unwrap();
    assert_eq!(child.until(), at(START + 300), "its own proof's");
    assert_eq!(task.delegate(until(short.clone(), 600)).unwrap().until(), at(START + 300));
    let grandchild = delegate(&world, &child, "b", scope()).unwrap();
    assert_eq!(grandchild.until(), at(START + 300), "the proof's of the agent above");
    let over = task.delegate(until(worker(&world, "b"), 0)).unwrap_err();
    assert_eq!(over, Error::Mandate(MandateError::Over { until: at(START), now: at(START) }));

    world.clock.set(at(START + 300));
    let over = refused(child.delegate(part(worker(&world, "b"), scope())));
    assert!(matches!(over, DelegationError::Over(Reason::ProofExpired { .. })), "{over:?}");
    assert_eq!(code(grandchild.authorize(&read())), Some(ReasonCode::TaskOver));
    world.clock.set(end);
    let over = refused(delegate(&world, &task, "b", scope()));
    assert_eq!(over, DelegationError::Over(Reason::TaskOver { until: end, now: end }));
}

#[test]
fn what_has_ended_delegates_nothing() {
    for end in End::ALL {
        let world = World::new(OPEN);
        let task = world.task(delegable(1));
        let (handle, helper) = (task.handle(), part(worker(&world, "a"), scope()));
        let _kept = end.come(&world, task);
        let error = handle.delegate(helper).map(drop).unwrap_err();
        assert!(matches!(error, Error::Delegation(DelegationError::Over(_))), "{end:?}: {error:?}");
    }
}

#[test]
fn when_whoever_approved_has_left_or_their_approval_is_over_nothing_is_delegated() {
    let world = World::new(OPEN);
    // Bob approves; the agents are Ada's.
    let approved = |until| {
        let approval = Approval::by(&world.bob, delegable(1)).until(at(START + until));
        Mandate::new(world.agent(), Intent::new("close stale tickets", delegable(1)).unwrap()).approved(approval)
    };
    let task = world.door.begin(approved(600)).unwrap();
    let payer = worker(&world, "a");
    world.registry.assign(&id("a"), bailiwick::identity::AccountabilityRole::Sponsor, &operator("ada")).unwrap();
    assert!(task.delegate(part(payer.clone(), scope())).is_ok());
    world.door.offboard(&world.ada, &operator("bob")).unwrap();
    assert_eq!(refused(task.delegate(part(payer, scope()))), DelegationError::Unapproved { now: at(START) });
    assert!(task.authorize(&read()).is_ok(), "it goes on for its sponsor");
}

#[test]
fn a_worker_is_admitted_here_and_active() {
    let (world, elsewhere) = (World::new(OPEN), World::new(OPEN));
    let task = world.task(delegable(1));
    let unknown = task.delegate(part(worker(&elsewhere, "a"), scope())).unwrap_err();
    assert!(matches!(unknown, Error::Registry(RegistryError::UnknownAgent(_))), "{unknown:?}");
    worker(&world, "a");
    let other = task.delegate(part(worker(&elsewhere, "a"), scope())).unwrap_err();
    assert!(matches!(other, Error::Registry(RegistryError::AgentNotActive { .. })), "{other:?}");
    let own = worker(&world, "a");
    world.door.halt(&world.bob, Halt::Agent(id("a"))).unwrap();
    let stopped = task.delegate(part(own, scope())).unwrap_err();
    assert!(matches!(stopped, Error::Registry(RegistryError::AgentNotActive { .. })), "{stopped:?}");
}

#[test]
fn an_id_is_taken_once_and_a_scope_fits_the_tools() {
    let world = World::new(OPEN);
    let task = world.task(delegable(1));
    let named = |name: &TaskId| part(worker(&world, "a"), scope()).named(name.clone());
    assert_eq!(task.delegate(named(task.id())).unwrap_err(), Error::TaskExists(task.id().clone()));
    let name = TaskId::new("tsk_the_second_one").unwrap();
    let child = task.delegate(named(&name)).unwrap();
    assert_eq!(child.id(), &name);
    assert_eq!(task.delegate(named(&name)).unwrap_err(), Error::TaskExists(name));
    let undeclared = Grant::new().bound("no_such", bailiwick::mandate::Bound::absent()).unwrap();
    let undeclared = Scope::new().allow("ticket.read", undeclared).unwrap();
    assert!(matches!(delegate(&world, &task, "b", undeclared), Err(Error::Scope(_))));
}

#[test]
fn an_errand_has_64_parts_at_a_time_at_whatever_depth() {
    let world = World::new(OPEN);
    let task = world.task(delegable(2));
    let (agent, other) = (worker(&world, "a"), worker(&world, "b"));
    let child = task.delegate(part(agent.clone(), delegable(1))).unwrap();
    let mut parts: Vec<Task> = (0..63).map(|_| child.delegate(part(other.clone(), scope())).unwrap()).collect();
    for above in [&task, &child] {
        let too_many = above.delegate(part(worker(&world, "c"), scope()));
        assert_eq!(refused(too_many), DelegationError::TooMany { living: 64, max: 64 });
    }
    // Another errand has room of its own, and what has ended makes room.
    assert!(world.task(delegable(1)).delegate(part(agent.clone(), scope())).is_ok());
    parts.pop();
    parts.push(child.delegate(part(other.clone(), scope())).unwrap());
    drop(child);
    assert!(task.delegate(part(agent, scope())).is_ok(), "with the one above, all below it ended");
}

/// The tokens of a child and of a grandchild die with whatever is above.
#[test]
fn whatever_ends_a_task_ends_what_is_below_it() {
    for end in End::ALL {
        let world = World::new(OPEN);
        let task = world.task(delegable(2));
        let child = delegate(&world, &task, "a", delegable(1)).unwrap();
        let grandchild = delegate(&world, &child, "b", scope()).unwrap();
        let below = [&child, &grandchild];
        let mint = |task: &&Task| task.mint(task.authorize(&read()).unwrap(), &audience()).unwrap();
        let credentials: Vec<_> = below.iter().map(mint).collect();
        let verify = |token: &str| world.door.verify(token, &audience());
        for credential in &credentials {
            assert!(verify(credential.expose()).is_ok(), "{end:?}");
        }
        let permits: Vec<Permit> = below.iter().map(|task| task.authorize(&read()).unwrap()).collect();

        let kept = end.come(&world, task);
        for credential in &credentials {
            assert!(verify(credential.expose()).is_err(), "{end:?}");
            assert!(world.door.accept(credential.expose(), &audience(), &read()).is_err(), "{end:?}");
        }
        for (task, permit) in below.iter().zip(permits) {
            let denial = task.redeem(permit, read().arguments()).map(drop).unwrap_err();
            let expected = match end {
                End::Everything | End::EverythingAndResumed => ReasonCode::Halted,
                End::TimeOver => ReasonCode::PermitInvalid,
                _ => ReasonCode::TaskEnded,
            };
            assert_eq!(denial.code(), expected, "{end:?}");
            assert!(task.authorize(&read()).is_err(), "{end:?}");
            assert!(task.verdict(&read()).is_ok_and(|verdict| verdict.outcome == Outcome::Denied), "{end:?}");
        }
        // What ended above is written down as such, once, by the next sweep.
        drop(credentials);
        drop(kept);
        world.door.sweep();
        let ended: Vec<TaskState> = states(&world.sink.events(), &child);
        match end {
            End::Everything | End::EverythingAndResumed | End::TimeOver => {
                // Its own task was left alone until it was dropped above.
                assert_eq!(child.state(), TaskState::EndedAbove, "{end:?}");
            }
            _ => assert_eq!(ended, [TaskState::EndedAbove], "{end:?}"),
        }
        let closed = child.complete().unwrap();
        assert_eq!(closed.state, TaskState::EndedAbove, "{end:?}");
        assert_eq!(states(&world.sink.events(), &grandchild), [TaskState::EndedAbove], "{end:?}");
    }
}

/// How a task ended, by the record.
fn states(events: &[Event], task: &TaskHandle) -> Vec<TaskState> {
    let ended = |event: &Event| {
        let record = event.agent.as_ref()?;
        let own = record.link.task.as_ref() == Some(task.id());
        match record.fact {
            AgentFact::Ended { state, .. } if own => Some(state),
            _ => None,
        }
    };
    events.iter().filter_map(ended).collect()
}

#[test]
fn what_ends_a_part_leaves_what_is_above_and_beside_it() {
    let world = World::new(OPEN);
    let task = world.task(delegable(2));
    let [one, other] = ["a", "b"].map(|name| delegate(&world, &task, name, delegable(1)).unwrap());
    let below = delegate(&world, &one, "c", scope()).unwrap();
    world.door.halt(&world.ada, Halt::Task(one.id().clone())).unwrap();
    assert_eq!((one.state(), below.state()), (TaskState::Halted, TaskState::EndedAbove));
    assert_eq!(code(below.authorize(&read())), Some(ReasonCode::TaskEnded));
    assert_eq!(below.complete().unwrap().state, TaskState::EndedAbove, "it was over before");
    world.door.halt(&world.bob, Halt::Agent(id("b"))).unwrap();
    assert_eq!(code(other.authorize(&read())), Some(ReasonCode::AgentNotActive));
    assert_eq!(other.state(), TaskState::Halted);
    assert!(task.authorize(&read()).is_ok());
    assert!(world.door.halt(&world.ada, Halt::Task(one.id().clone())).is_err(), "ends once");
}

#[test]
fn stopping_an_agent_says_what_ended_below_it_too() {
    let world = World::new(OPEN);
    let (task, other) = (world.task(delegable(2)), world.task(delegable(1)));
    let child = delegate(&world, &task, "a", delegable(1)).unwrap();
    let below = delegate(&world, &child, "b", scope()).unwrap();
    let _beside = delegate(&world, &other, "c", scope()).unwrap();
    let _credential = below.mint(below.authorize(&read()).unwrap(), &audience()).unwrap();
    let stopped = world.door.retire(&world.bob, &id("a")).unwrap().ended();
    assert_eq!((stopped.tasks, stopped.credentials), (2, 1));
    assert_eq!((child.state(), below.state()), (TaskState::Halted, TaskState::EndedAbove));
    drop(task);
    let stopped = world.door.retire(&world.ada, &world.triage).unwrap().ended();
    assert_eq!((stopped.tasks, stopped.credentials), (2, 0), "what had ended before is not counted");
}

#[test]
fn other_policies_take_back_what_they_did_not_permit() {
    let world = World::new(OPEN);
    let task = world.task(delegable(1));
    let child = delegate(&world, &task, "a", scope()).unwrap();
    let credential = child.mint(child.authorize(&read()).unwrap(), &audience()).unwrap();
    let permit = child.authorize(&read()).unwrap();
    world.door.reload(&world.ada, &OPEN.replace("@id(\"all\")", "@id(\"every\")")).unwrap();
    assert!(world.door.verify(credential.expose(), &audience()).is_err());
    assert_eq!(code(child.redeem(permit, read().arguments())), Some(ReasonCode::PermitInvalid));
    assert!(child.authorize(&read()).is_ok(), "asked anew");
}

#[test]
fn a_narrow_coordinator_dispatches_a_worker_who_may_more() {
    let world = World::new(
        r#"@id("workers-read") permit(principal, action == Action::"ticket.read", resource)
           when { principal == AgentIdentity::"spiffe://acme.example/worker/a" };"#,
    );
    let task = world.task(delegable(1));
    assert_eq!(code(task.authorize(&read())), Some(ReasonCode::NotPermitted));
    let child = delegate(&world, &task, "a", scope()).unwrap();
    let credential = child.mint(child.authorize(&read()).unwrap(), &audience()).unwrap();
    let verified = world.door.verify(credential.expose(), &audience()).unwrap();
    assert_eq!(verified.agent(), &id("a"), "the worker is who acts");
    assert_eq!(verified.txn(), task.txn());
    let other = delegate(&world, &task, "b", scope()).unwrap();
    assert_eq!(code(other.authorize(&read())), Some(ReasonCode::NotPermitted), "each under its own policies");
    // A handle of the coordinator's cannot use what was permitted to the worker.
    let permit = child.authorize(&read()).unwrap();
    assert_eq!(code(task.redeem(permit, read().arguments())), Some(ReasonCode::PermitInvalid));
}

#[test]
fn what_one_agent_brings_in_the_whole_errand_carries() {
    let world = World::new(
        r#"@id("all") @allow("unconditional-permit") permit(principal, action, resource);
           @id("clean") forbid(principal, action == Action::"ticket.read", resource)
           when { context.task.labels.contains("untrusted") };"#,
    );
    let tools = autonomous(&["ticket.read", "web.fetch"]);
    let task = world.task(deep(tools.clone(), 2));
    let [one, other] = ["a", "b"].map(|name| delegate(&world, &task, name, deep(tools.clone(), 1)).unwrap());
    let below = delegate(&world, &one, "c", tools).unwrap();
    for task in [&task, &one, &other, &below] {
        assert!(task.authorize(&read()).is_ok());
    }
    let fetch = alone("web.fetch").with(args(r#"{"url": "https://a.example"}"#));
    drop(below.redeem(below.authorize(&fetch).unwrap(), fetch.arguments()).unwrap());
    for task in [&task, &one, &other, &below] {
        assert_eq!(code(task.authorize(&read())), Some(ReasonCode::Forbidden));
    }
}

#[test]
fn nobody_starts_anew_by_delegating() {
    let world = World::new(
        r#"@id("all") @allow("unconditional-permit") permit(principal, action, resource);
           @id("breaker") forbid(principal, action, resource) when { context.task.refusals >= 2 };
           @id("order") forbid(principal, action == Action::"ticket.close", resource)
           when { context.task.recent.contains("ticket.read") };"#,
    );
    let tools = autonomous(&["ticket.read", "ticket.close"]);
    let task = world.task(deep(tools.clone(), 1));
    let early = delegate(&world, &task, "a", tools.clone()).unwrap();
    assert!(early.authorize(&alone("ticket.close")).is_ok());
    drop(task.redeem(task.authorize(&read()).unwrap(), read().arguments()).unwrap());
    let late = delegate(&world, &task, "b", tools.clone()).unwrap();
    for task in [&task, &early, &late] {
        let verdict = task.verdict(&alone("ticket.close")).unwrap();
        assert_eq!(verdict.reason.map(|reason| reason.code()), Some(ReasonCode::Forbidden), "the order");
    }
    for task in [&early, &late] {
        assert_eq!(code(task.authorize(&alone("ticket.purge"))), Some(ReasonCode::OutOfScope));
    }
    let latest = delegate(&world, &task, "c", tools).unwrap();
    for task in [&task, &early, &late, &latest] {
        assert_eq!(code(task.authorize(&read())), Some(ReasonCode::Forbidden), "two refusals in all");
    }
}

#[test]
fn a_part_with_the_name_of_one_before_is_seen() {
    let world = World::new(OPEN);
    let task = world.task(delegable(1));
    let payer = || world.door.admit(danger::workload_vouched_by_host(world.payer.clone(), None, at(START + 3600)));
    let name = || "tsk_again".parse().unwrap();
    let begin = || task.delegate(part(payer().unwrap(), autonomous(&["ticket.read"])).named(name())).unwrap();
    let act = read().presenting(&world.payer_bot);
    let first = begin();
    let never = first.authorize(&act).unwrap();
    first.complete().unwrap();
    let second = begin();
    let running = second.redeem(second.authorize(&act).unwrap(), act.arguments()).unwrap();
    let seen = Sighting::new(world.payer_bot.id().clone(), at(START)).resolve(&world.sink.events());
    let decisions: Vec<_> = seen.iter().map(|one| one.decision).collect();
    assert_eq!(decisions, [*running.decision()], "what never ran was not seen");
    drop(never);
}

#[test]
fn the_records_say_who_delegated_what_to_whom() {
    let world = World::new(OPEN);
    let task = world.task(delegable(2));
    let before = world.sink.events().len();
    let child = task.delegate(part(worker(&world, "a"), delegable(1)).until(at(START + 60))).unwrap();
    let events = world.sink.events();
    // The admission of the worker comes first.
    let [_, delegated, begun] = &events[before..] else { panic!("{events:?}") };
    let [delegated, begun] = [delegated, begun].map(|event| event.agent.clone().unwrap());
    assert_eq!((&delegated.agent, delegated.link.task.as_ref()), (&world.triage, Some(task.id())));
    assert_eq!((&begun.agent, begun.link.task.as_ref()), (&id("a"), Some(child.id())));
    assert_eq!((&delegated.link.txn, &begun.link.txn), (task.txn(), task.txn()));
    let scope = delegable(1).digest();
    let expected =
        AgentFact::Delegated { child: child.id().clone(), to: id("a"), scope, depth: 1, until: at(START + 60) };
    assert_eq!(delegated.fact, expected);
    let AgentFact::Begun { scope: begun_scope, until, sponsor, parent, .. } = begun.fact else { panic!("{begun:?}") };
    assert_eq!((begun_scope, until, sponsor), (scope, at(START + 60), operator("bob")));
    assert_eq!(parent.as_ref(), Some(task.id()));
    let json = serde_json::to_value(&events[before + 1]).unwrap();
    assert_eq!(json["agent"]["kind"], "delegated");
    child.complete().unwrap();
    assert_eq!(states(&world.sink.events(), &task), []);
}

#[test]
fn what_is_not_recorded_is_not_delegated() {
    for mood in BROKEN {
        let host = Host::new(OPEN);
        let task = host.world.task(delegable(1));
        let helper = || part(worker(&host.world, "a"), scope()).named(TaskId::new("tsk_the_second_one").unwrap());
        for break_it in [|host: &Host, mood| host.sink.set(mood), |host: &Host, mood| host.clock.set(mood)] {
            let helper = helper();
            break_it(&host, mood);
            assert!(task.delegate(helper).is_err(), "{mood:?}");
            host.works();
        }
        let helper = part(worker(&host.world, "a"), scope());
        host.entropy.set(mood);
        assert!(matches!(task.delegate(helper), Err(Error::Entropy(_))), "{mood:?}");
        host.works();
        assert!(host.world.sink.events().iter().all(|event| !is_delegated(event)), "{mood:?}");
        assert!(task.delegate(self::part(worker(&host.world, "a"), scope())).is_ok(), "the place is free again");
    }
}

fn is_delegated(event: &Event) -> bool {
    event.agent.as_ref().is_some_and(|agent| matches!(agent.fact, AgentFact::Delegated { .. }))
}

/// Takes every record but that of a part that begins.
struct NoBeginning(Arc<MemorySink>);

impl AuditSink for NoBeginning {
    fn record(&self, event: &Event) -> Ack {
        let begins =
            |agent: &bailiwick::audit::AgentRecord| matches!(agent.fact, AgentFact::Begun { parent: Some(_), .. });
        if event.agent.as_ref().is_some_and(begins) {
            return Ack::failed(AuditError::Failed(Found::new("not this one")));
        }
        self.0.record(event)
    }
}

#[test]
fn a_part_whose_beginning_is_not_recorded_never_was() {
    let sink = Arc::new(MemorySink::new(1_000));
    let world = World::recorded_in(OPEN, Arc::new(NoBeginning(Arc::clone(&sink))), sink);
    let task = world.task(delegable(1));
    let name = TaskId::new("tsk_the_second_one").unwrap();
    let answer = task.delegate(part(worker(&world, "a"), scope()).named(name.clone()));
    assert!(matches!(answer, Err(Error::Audit(_))), "{answer:?}");
    let last = world.sink.events().last().unwrap().agent.clone().unwrap();
    assert_eq!(last.link.task.as_ref(), Some(&name));
    assert!(matches!(last.fact, AgentFact::Ended { state: TaskState::Abandoned, calls: 0, .. }), "{last:?}");
    assert_eq!(world.door.sweep().closed, 0);
}

/// Two workers, each with a budget of its own that is larger than what is left of the task's.
#[test]
fn of_two_workers_who_race_for_the_last_of_a_budget_one_gets_it() {
    for round in 0..20 {
        let world = World::new(OPEN);
        let limits = |scope: Scope| scope.at_most(25);
        let task = world.task(limits(delegable(2)));
        let one = delegate(&world, &task, "a", limits(delegable(1))).unwrap();
        let workers = [
            delegate(&world, &task, "b", limits(scope())).unwrap(),
            delegate(&world, &one, "c", limits(scope())).unwrap(),
        ];
        let start = Barrier::new(2);
        let spent: Mutex<Vec<Permit>> = Mutex::default();
        std::thread::scope(|threads| {
            for worker in &workers {
                threads.spawn(|| {
                    start.wait();
                    for step in 0..40 {
                        match worker.authorize(&read()) {
                            // Some are given back, and are there for the other then.
                            Ok(permit) if step % 5 == 0 => drop(permit),
                            Ok(permit) => spent.lock().unwrap().push(permit),
                            Err(denial) => assert_eq!(denial.code(), ReasonCode::Budget),
                        }
                    }
                });
            }
        });
        let spent = spent.into_inner().unwrap();
        assert!(spent.len() <= 25, "{} of 25, round {round}", spent.len());
        assert_eq!(spent.len(), 25, "all that there was, round {round}");
        for task in [&task, &one, &workers[0], &workers[1]] {
            assert_eq!(code(task.authorize(&read())), Some(ReasonCode::Budget), "round {round}");
        }
        drop(spent);
        assert!(task.authorize(&read()).is_ok(), "what is given back is there again");
    }
}

/// One step of an errand; tasks and permits are taken by place.
#[derive(Debug, Clone)]
enum Step {
    Delegate(Index, Option<u32>, Option<u32>),
    Authorize(Index, bool),
    Redeem(Index),
    Drop(Index),
    End(Index),
}

fn steps() -> impl Strategy<Value = Step> {
    let limit = || proptest::option::of(0_u32..6);
    prop_oneof![
        2 => (any::<Index>(), limit(), limit()).prop_map(|(of, calls, reads)| Step::Delegate(of, calls, reads)),
        6 => (any::<Index>(), any::<bool>()).prop_map(|(of, reads)| Step::Authorize(of, reads)),
        2 => any::<Index>().prop_map(Step::Redeem),
        2 => any::<Index>().prop_map(Step::Drop),
        1 => any::<Index>().prop_map(Step::End),
    ]
}

/// What an errand is to a reader who is not in a hurry.
#[derive(Debug, Clone, Default)]
struct Node {
    parent: Option<usize>,
    depth: u8,
    calls: Option<u32>,
    reads: Option<u32>,
    used: u32,
    used_reads: u32,
}

struct Errand {
    tasks: Vec<Option<Task>>,
    nodes: Vec<Node>,
}

impl Errand {
    fn up(&self, node: usize) -> Vec<usize> {
        std::iter::successors(Some(node), |node| self.nodes[*node].parent).collect()
    }

    fn lives(&self, node: usize) -> bool {
        self.up(node).into_iter().all(|node| self.tasks[node].is_some())
    }

    fn has_room(&self, node: usize, reads: bool) -> bool {
        self.up(node).into_iter().all(|node| {
            let node = &self.nodes[node];
            node.calls.is_none_or(|limit| node.used < limit)
                && (!reads || node.reads.is_none_or(|limit| node.used_reads < limit))
        })
    }

    fn book(&mut self, node: usize, reads: bool, by: impl Fn(&mut u32)) {
        for node in self.up(node) {
            by(&mut self.nodes[node].used);
            if reads {
                by(&mut self.nodes[node].used_reads);
            }
        }
    }
}

/// The smaller of both limits; none is the largest.
fn within(asked: Option<u32>, above: Option<u32>) -> Option<u32> {
    asked.into_iter().chain(above).min()
}

fn limited(calls: Option<u32>, reads: Option<u32>, depth: u8) -> Scope {
    let grant = Grant::new().autonomous();
    let reading = reads.map_or(grant.clone(), |reads| grant.clone().at_most(reads));
    let scope = Scope::new().allow("ticket.read", reading).unwrap().allow("ticket.close", grant).unwrap();
    deep(calls.map_or(scope.clone(), |calls| scope.at_most(calls)), depth)
}

#[test]
fn whatever_agents_do_together_budgets_are_kept_as_a_naive_reader_would() {
    let (refusals, deepest) = (Cell::new(0), Cell::new(0));
    let input =
        (proptest::option::of(1_u32..8), proptest::option::of(1_u32..8), proptest::collection::vec(steps(), 60));
    hold_often((96, 40), input, |(calls, reads, steps)| {
        let world = World::new(OPEN);
        let root = Node { calls, reads, ..Node::default() };
        let mut errand = Errand { tasks: vec![Some(world.task(limited(calls, reads, 8)))], nodes: vec![root] };
        let mut permits: Vec<(usize, bool, Permit)> = Vec::new();
        let handles = Mutex::new(BTreeMap::from([(0, errand.tasks[0].as_ref().unwrap().handle())]));
        let handle = |node: usize| handles.lock().unwrap()[&node].clone();
        let mut was_above = false;
        for step in steps {
            match step {
                Step::Delegate(of, calls, reads) => {
                    let (number, of) = (errand.nodes.len(), of.index(errand.nodes.len()));
                    let above = errand.nodes[of].clone();
                    if !errand.lives(of) || above.depth >= 8 {
                        continue;
                    }
                    let node = Node {
                        parent: Some(of),
                        depth: above.depth + 1,
                        calls: within(calls, above.calls),
                        reads: within(reads, above.reads),
                        ..Node::default()
                    };
                    let scope = limited(node.calls, node.reads, 8 - node.depth);
                    let child = delegate(&world, &handle(of), &format!("w{number}"), scope).unwrap();
                    handles.lock().unwrap().insert(number, child.handle());
                    deepest.set(deepest.get().max(node.depth));
                    errand.nodes.push(node);
                    errand.tasks.push(Some(child));
                }
                Step::Authorize(node, reads) => {
                    let node = node.index(errand.nodes.len());
                    let action = alone(if reads { "ticket.read" } else { "ticket.close" });
                    let foreseen = handle(node).verdict(&action).unwrap();
                    let explained = handle(node).explain(&action).unwrap();
                    prop_assert_eq!((&foreseen.outcome, &foreseen.reason), (&explained.outcome, &explained.reason));
                    let expected = errand.lives(node) && errand.has_room(node, reads);
                    match handle(node).authorize(&action) {
                        Ok(permit) => {
                            prop_assert!(expected && foreseen.outcome == Outcome::Permitted);
                            errand.book(node, reads, |used| *used += 1);
                            permits.push((node, reads, permit));
                        }
                        Err(denial) => {
                            prop_assert!(!expected, "{:?}", denial);
                            prop_assert_eq!(foreseen.reason.map(|reason| reason.code()), Some(denial.code()));
                            if errand.lives(node) {
                                prop_assert_eq!(denial.code(), ReasonCode::Budget);
                                refusals.set(refusals.get() + 1);
                                let own = &errand.nodes[node];
                                was_above |= own.calls.is_none_or(|limit| own.used < limit)
                                    && own.reads.is_none_or(|limit| own.used_reads < limit);
                            }
                        }
                    }
                }
                Step::Redeem(index) => {
                    if let Some((node, reads, permit)) = take(&mut permits, &index) {
                        let arguments = permit.action().arguments().clone();
                        let ran = handle(node).redeem(permit, &arguments);
                        prop_assert_eq!(ran.is_ok(), errand.lives(node));
                        if ran.is_err() {
                            errand.book(node, reads, |used| *used -= 1);
                        }
                    }
                }
                Step::Drop(index) => {
                    if let Some((node, reads, permit)) = take(&mut permits, &index) {
                        drop(permit);
                        errand.book(node, reads, |used| *used -= 1);
                    }
                }
                // The first one goes on, or there is nothing more to see.
                Step::End(index) => {
                    let node = index.index(errand.tasks.len());
                    if node > 0 {
                        errand.tasks[node] = None;
                    }
                }
            }
        }
        Ok(was_above)
    });
    assert!(refusals.get() > 300, "{} refusals", refusals.get());
    assert!(deepest.get() >= 4, "{} deep", deepest.get());
}

/// One agent more: what its part is narrowed by, if by anything, and an end, if there is one of its own.
type More = (Option<Terms>, Option<u64>);

fn chains() -> impl Strategy<Value = (Terms, Vec<More>)> {
    let more = (proptest::option::weighted(0.3, terms::terms()), proptest::option::of(60_u64..4_000));
    (terms::terms(), proptest::collection::vec(more, 1..=8))
}

#[test]
fn along_a_chain_authority_only_shrinks() {
    let depths = Cell::new([0_u32; 9]);
    let actions = any::actions(60);
    let minted = Cell::new(0);
    hold_often((64, 40), chains(), |(first, more)| {
        let world = World::new(OPEN);
        let depth = u8::try_from(more.len()).unwrap();
        let mut terms = first.delegable(Some(depth));
        let mut scopes = vec![terms.scope()];
        let mut tasks = vec![world.task(terms.scope())];
        for (place, (narrowed, end)) in (1_u8..).zip(more) {
            let above = tasks.last().unwrap();
            // Who may delegate as deep as whoever is above is refused.
            let answer = delegate(&world, above, &format!("x{place}"), terms.scope());
            prop_assert!(matches!(answer, Err(Error::Delegation(DelegationError::Depth { .. }))), "{:?}", answer);
            terms = narrowed.map_or(terms.clone(), |other| terms.and(&other));
            terms = terms.delegable(Some(depth - place).filter(|depth| *depth > 0));
            let part = part(worker(&world, &format!("w{place}")), terms.scope());
            let part = match end {
                Some(end) => part.until(at(START).after(Duration::from_secs(end)).min(above.until())),
                None => part,
            };
            let task = above.delegate(part).unwrap();
            tasks.push(task);
            scopes.push(terms.scope());
        }
        for pair in tasks.windows(2) {
            prop_assert!(pair[1].until() <= pair[0].until());
        }
        for pair in scopes.windows(2) {
            prop_assert!(pair[1].is_subset(&pair[0]));
            for action in &actions {
                for class in [ActionClass::Read, ActionClass::Irreversible] {
                    prop_assert!(pair[1].covers(action, class).rank() <= pair[0].covers(action, class).rank());
                }
            }
        }
        // What the last one may, everyone above might have been asked for, in the same mode.
        let last = tasks.last().unwrap();
        for action in &actions {
            let outcomes = tasks.iter().map(|task| task.verdict(action).unwrap().outcome);
            let outcomes: Vec<_> = outcomes.collect();
            prop_assert!(outcomes.windows(2).all(|pair| pair[1] <= pair[0]), "{:?} for {:?}", outcomes, action);
            for audience in ["https://jira.acme.example", "https://bank.acme.example"] {
                let audience = Audience::new(audience).unwrap();
                let permit = last.authorize(action).inspect_err(|denial| {
                    // Nobody waits for an answer: the place is the next one's.
                    denial.request().map(|request| last.cancel(request));
                });
                let Some(credential) = permit.ok().and_then(|it| last.mint(it, &audience).ok()) else {
                    continue;
                };
                prop_assert!(tasks.iter().all(|task| credential.until() <= task.until()));
                minted.set(minted.get() + 1);
                for above in &tasks {
                    let refused = above.authorize(action).ok().and_then(|permit| above.mint(permit, &audience).err());
                    prop_assert!(refused.is_none(), "{:?}", refused);
                }
            }
        }
        let mut counts = depths.get();
        counts[tasks.len() - 1] += 1;
        depths.set(counts);
        Ok(tasks.len() > 2)
    });
    assert!(depths.get()[8] > 0, "to depth 8: {:?}", depths.get());
    assert!(minted.get() >= 20, "{} credentials", minted.get());
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn a_scope_with_more_in_one_place_is_delegated_only_where_it_is_within((near, more) in terms::near()) {
        let world = World::new(OPEN);
        let task = world.task(near.clone().delegable(Some(8)).scope());
        let asked = more.delegable(None).scope();
        let answer = delegate(&world, &task, "a", asked.clone());
        prop_assert_eq!(answer.is_ok(), asked.is_subset(&near.scope()));
        if let Err(error) = answer {
            prop_assert!(matches!(error, Error::Delegation(DelegationError::Wider { .. })), "{:?}", error);
        }
    }

    #[test]
    fn an_end_anywhere_in_a_chain_ends_exactly_what_is_below(place in 0_usize..9, end in select(&[0_u8, 1, 2])) {
        let world = World::new(OPEN);
        let mut chain = vec![Some(world.task(delegable(8)))];
        for depth in 1..=8_u8 {
            let above = chain.last().unwrap().as_ref().unwrap();
            let child = delegate(&world, above, &format!("w{depth}"), deep(scope(), 8 - depth)).unwrap();
            chain.push(Some(child));
        }
        let handles: Vec<TaskHandle> = chain.iter().flatten().map(|task| task.handle()).collect();
        match end {
            0 => drop(chain[place].take()),
            1 => drop(chain[place].take().unwrap().complete().unwrap()),
            _ => world.door.halt(&session("ada"), Halt::Task(handles[place].id().clone())).unwrap(),
        }
        for (depth, task) in handles.iter().enumerate() {
            prop_assert_eq!(task.authorize(&read()).is_ok(), depth < place);
        }
    }
}
