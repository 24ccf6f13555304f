//! The door: how a task begins, with which approvals, and what is left when it does not.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bailiwick::audit::{Ack, AgentFact, AuditError, AuditSink, Event, MemorySink, Receipt};
use bailiwick::credential::{Credential, Minter};
use bailiwick::id::{Audience, Issuer, TaskId};
use bailiwick::identity::{
    AgentId, AgentState, HumanOperator, OperatorId, OperatorState, RegistryError, danger as vouched,
};
use bailiwick::jose::{KeySet, VerifyingKey};
use bailiwick::mandate::{
    ActionClass, Approval, ApprovalVerifier, Grant, Intent, Mandate, MandateError, OnceError, Resource, Scope, Tool,
    danger,
};
use bailiwick::policy::Evaluator;
use bailiwick::time::Timestamp;
use bailiwick::{Authorizer, Error, Halt, Resume, Task, TaskHandle};

use crate::flaky::{Host, Mood};
use crate::steps::{alone, autonomous, read};
use crate::world::{HOUR, OPEN, START, World, at, audience, catalog, operator, scope, session};

#[test]
fn what_is_shared_can_be_shared_and_what_is_one_can_be_sent() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn sent<T: Send + 'static>() {}
    shared::<Authorizer>();
    shared::<TaskHandle>();
    shared::<Evaluator>();
    sent::<Task>();
    sent::<bailiwick::audit::Permit>();
    sent::<bailiwick::audit::Execution>();
    sent::<Credential>();
    sent::<Minter>();
    sent::<Error>();
}

// ── Beginning ───────────────────────────────────────────────────────────────────────────────────────────────────────

fn mandate(world: &World, scope: Scope) -> Mandate {
    Mandate::new(world.agent(), Intent::new("close stale tickets", scope).expect("a purpose"))
}

#[test]
fn a_task_begins_only_with_approvals_that_hold_and_go_as_far() {
    type Row = (&'static str, fn(&World) -> (Mandate, Error));
    let rows: [Row; 13] = [
        ("no approval", |world| (mandate(world, scope()), MandateError::NotApproved.into())),
        ("an approval that does not go as far", |world| {
            let approval = Approval::by(&world.ada, autonomous(&["ticket.read"]));
            let too_narrow = MandateError::TooNarrow { approval: approval.id().clone(), operator: operator("ada") };
            (mandate(world, scope()).approved(approval), too_narrow.into())
        }),
        ("one that does and one that does not", |world| {
            let approval = Approval::by(&world.bob, autonomous(&["ticket.read"]));
            let too_narrow = MandateError::TooNarrow { approval: approval.id().clone(), operator: operator("bob") };
            let mandate = mandate(world, scope()).approved(Approval::by(&world.ada, scope()));
            (mandate.approved(approval), too_narrow.into())
        }),
        ("an approval of one action", |world| {
            let approval = Approval::by(&world.ada, world.task(scope()).request(&alone("ticket.purge")));
            let error = MandateError::NotForTask(approval.id().clone());
            (mandate(world, scope()).approved(approval), error.into())
        }),
        ("an approval that ends now", |world| {
            let approval = Approval::by(&world.ada, scope()).until(at(START));
            let (until, now) = (at(START), at(START));
            let over = MandateError::ApprovalOver { approval: approval.id().clone(), until, now };
            (mandate(world, scope()).approved(approval), over.into())
        }),
        ("an approval from a session that is over", |world| {
            let approval = Approval::by(&world.ada, scope());
            let (until, now) = (at(START + 8 * 3600), at(START + 8 * 3600));
            let over = MandateError::ApprovalOver { approval: approval.id().clone(), until, now };
            world.clock.set(now);
            let agent = vouched::workload_vouched_by_host(world.triage.clone(), None, at(START + 9 * 3600));
            let agent = world.door.admit(agent).expect("an active agent");
            let intent = Intent::new("close stale tickets", scope()).expect("a purpose");
            (Mandate::new(agent, intent).approved(approval), over.into())
        }),
        ("an approval by somebody who is not enrolled", |world| {
            let error = RegistryError::UnknownOperator(operator("eve"));
            (mandate(world, scope()).approved(Approval::by(&session("eve"), scope())), error.into())
        }),
        ("an approval by somebody who has left", |world| {
            let _ = world.door.offboard(&world.ada, &operator("bob")).expect("Bob leaves");
            let state = OperatorState::Offboarded;
            let error = RegistryError::OperatorNotActive { operator: operator("bob"), state };
            let approval = Approval::by(&world.bob, scope());
            (mandate(world, scope()).approved(Approval::by(&world.ada, scope())).approved(approval), error.into())
        }),
        ("an agent that was stopped", |world| {
            let mandate = world.mandate(scope());
            world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).expect("a halt");
            let state = AgentState::Suspended;
            (mandate, RegistryError::AgentNotActive { agent: world.triage.clone(), state }.into())
        }),
        ("an agent that another door admitted", |world| {
            let there = World::new(OPEN);
            let stranger = AgentId::spiffe("spiffe://acme.example/agent/stranger").expect("a SPIFFE ID");
            there.registry.register(stranger.clone(), [operator("ada")]).expect("a new agent");
            let agent = there.door.admit(there.workload(&stranger)).expect("an active agent");
            let intent = Intent::new("close stale tickets", scope()).expect("a purpose");
            (Mandate::new(agent, intent).approved_by(&world.ada), RegistryError::UnknownAgent(stranger).into())
        }),
        ("an approval that the host vouches for a second time", |world| {
            let approval = || danger::approval_vouched_by_host(operator("ada"), scope(), at(START + 60), "OPS-1");
            drop(world.door.begin(mandate(world, scope()).approved(approval())).expect("a task"));
            let spent = Error::Once { approval: approval().id().clone(), source: OnceError::Spent };
            (mandate(world, scope()).approved(approval()), spent)
        }),
        ("a task that is over before it begins", |world| {
            let over = MandateError::Over { until: at(START), now: at(START) };
            (world.mandate(scope()).until(at(START)), over.into())
        }),
        ("after everything was halted", |world| {
            let mandate = world.mandate(scope());
            world.door.halt(&world.bob, Halt::Everything).expect("a halt");
            (mandate, Error::Halted)
        }),
    ];
    for (what, set_up) in rows {
        let world = World::new(OPEN);
        let (mandate, expected) = set_up(&world);
        world.door.sweep();
        let events = world.sink.events().len();
        assert_eq!(world.door.begin(mandate).expect_err(what), expected, "{what}");
        assert_eq!(world.sink.events().len(), events, "{what}: nothing has begun");
    }
}

#[test]
fn an_approval_from_a_session_that_has_not_begun_begins_no_task() {
    let world = World::new(OPEN);
    let person = HumanOperator::new(operator("ada"));
    let tomorrow = vouched::operator_vouched_by_host(person, at(START + 60), at(START + 120)).expect("a session");
    let begun = world.door.begin(mandate(&world, scope()).approved(Approval::by(&tomorrow, scope())));
    assert!(begun.is_err(), "it is {}, the session begins at {}", at(START), tomorrow.signed_in());
}

#[test]
fn the_host_vouches_with_one_reference_once() {
    let world = World::new(OPEN);
    let approval = |scope| danger::approval_vouched_by_host(operator("ada"), scope, at(START + 60), "OPS-1");
    drop(world.door.begin(mandate(&world, scope()).approved(approval(scope()))).expect("a task"));
    let narrow = || autonomous(&["ticket.read"]);
    let again = world.door.begin(mandate(&world, narrow()).approved(approval(narrow())));
    assert!(again.is_err(), "the reference `OPS-1` was used before, for another scope");
}

/// A host that keeps sign-ins elsewhere makes the session anew for every request.
#[test]
fn one_sign_in_approves_the_same_work_again() {
    let world = World::new(OPEN);
    drop(world.door.begin(mandate(&world, scope()).approved(Approval::by(&session("ada"), scope()))).expect("a task"));
    let again = world.door.begin(mandate(&world, scope()).approved(Approval::by(&session("ada"), scope())));
    assert!(again.is_ok(), "{:?}: Ada approved twice, and the second consent was taken for the first", again.err());
}

#[test]
fn a_refused_beginning_leaves_the_approvals_as_they_were() {
    type Way = (&'static str, fn(&Host));
    let ways: [Way; 7] = [
        ("an approval was used before", |host| {
            let spent = mandate(&host.world, scope()).approved(vouched_for("bob"));
            drop(host.world.door.begin(spent).expect("a task"));
            host.world.door.sweep();
        }),
        ("the sink fails", |host| host.sink.set(Mood::Fails)),
        ("the sink panics", |host| host.sink.set(Mood::Panics)),
        ("the clock fails", |host| host.clock.set(Mood::Fails)),
        ("randomness fails", |host| host.entropy.set(Mood::Fails)),
        ("the memory fails", |host| host.once.set(Mood::Fails)),
        ("everything is halted", |host| host.world.door.halt(&host.world.ada, Halt::Everything).expect("a halt")),
    ];
    for (what, breaks) in ways {
        let host = Host::new(OPEN);
        let world = &host.world;
        let wanted = mandate(world, scope()).approved(vouched_for("ada")).approved(vouched_for("bob"));
        let again = mandate(world, scope()).approved(vouched_for("ada"));
        breaks(&host);
        let events = world.sink.events().len();
        assert!(world.door.begin(wanted).is_err(), "{what}");
        host.works();
        assert_eq!(world.sink.events().len(), events, "{what}: nothing has begun");
        world.door.resume(&world.ada, Resume::Everything).expect("a new start");
        assert!(world.door.begin(again).is_ok(), "{what}: Ada's approval is as it was");
        let ended =
            |event: &Event| event.agent.as_ref().is_some_and(|agent| matches!(agent.fact, AgentFact::Ended { .. }));
        assert!(!world.sink.events()[events..].iter().any(ended), "{what}: what has not begun does not end");
    }
}

/// The one consent of this person that the host knows of.
fn vouched_for(name: &str) -> Approval {
    danger::approval_vouched_by_host(operator(name), scope(), at(START + 60), name)
}

/// Begins a second task of the same id while the first is being recorded.
struct Impostor {
    inner: Arc<MemorySink>,
    door: OnceLock<Authorizer>,
    second: Mutex<Option<Mandate>>,
    begun: Mutex<Vec<Result<Task, Error>>>,
}

impl AuditSink for Impostor {
    fn record(&self, event: &Event) -> Ack {
        let begins = event.agent.as_ref().is_some_and(|agent| matches!(agent.fact, AgentFact::Begun { .. }));
        let second = if begins { self.second.lock().expect("a lock").take() } else { None };
        if let (Some(door), Some(second)) = (self.door.get(), second) {
            let begun = door.begin(second);
            self.begun.lock().expect("a lock").push(begun);
        }
        self.inner.record(event)
    }
}

#[test]
fn of_two_tasks_that_begin_under_one_id_at_most_one_goes_on_and_it_is_whole() {
    let sink = Arc::new(MemorySink::new(1000));
    let impostor = Arc::new(Impostor {
        inner: Arc::clone(&sink),
        door: OnceLock::new(),
        second: Mutex::default(),
        begun: Mutex::default(),
    });
    let world = World::recorded_in(OPEN, impostor.clone(), sink);
    let name = || TaskId::new("tsk_of_this_name").expect("a task id");
    let _ = impostor.door.set(world.door.clone());
    *impostor.second.lock().expect("a lock") =
        Some(mandate(&world, scope()).approved(vouched_for("bob")).named(name()));
    let first = world.door.begin(mandate(&world, scope()).approved(vouched_for("ada")).named(name()));
    let second = impostor.begun.lock().expect("a lock").pop().expect("a second beginning");

    let (begun, refused): (Vec<_>, Vec<_>) = [first, second].into_iter().partition(Result::is_ok);
    assert!(begun.len() <= 1, "two tasks go on under one id");
    assert!(refused.iter().all(|refused| matches!(refused, Err(Error::TaskExists(_)))));
    for task in begun.into_iter().flatten() {
        let permit = task.authorize(&read()).expect("a permit");
        let credential = task.mint(permit, &audience()).expect("a credential");
        assert!(world.door.verify(credential.expose(), &audience()).is_ok(), "its credentials are good");
        world.door.halt(&world.ada, Halt::Task(name())).expect("a halt");
        assert!(task.authorize(&read()).is_err(), "a halt of this id stops it");
    }
    let begun = |event: &Event| event.agent.as_ref().is_some_and(|agent| matches!(agent.fact, AgentFact::Begun { .. }));
    assert_eq!(world.sink.events().iter().filter(|event| begun(event)).count(), 1, "one beginning is written");
    let unused =
        ["ada", "bob"].map(|name| world.door.begin(mandate(&world, scope()).approved(vouched_for(name))).is_ok());
    assert_eq!(unused.iter().filter(|unused| **unused).count(), 1, "a refused beginning uses nothing up");
}

#[test]
fn a_late_record_is_none() {
    struct Silent(Mutex<Vec<Receipt>>);
    impl AuditSink for Silent {
        fn record(&self, _: &Event) -> Ack {
            let (receipt, ack) = Ack::later();
            self.0.lock().expect("a lock").push(receipt);
            ack
        }
    }
    let world = World::new(OPEN);
    let evaluator = Evaluator::new(catalog(), OPEN).expect("policies");
    let door = Authorizer::builder(Arc::clone(&world.registry), evaluator, Arc::new(Silent(Mutex::default())))
        .clock(world.clock.clone())
        .deadline(Duration::from_millis(1))
        .build()
        .expect("a door");
    let begun = door.begin(world.mandate(scope()));
    assert_eq!(begun.expect_err("nobody acknowledges"), AuditError::Late(Duration::from_millis(1)).into());
}

// ── Approval tokens ─────────────────────────────────────────────────────────────────────────────────────────────────

/// The approval token of the known answers, issued half a minute after the world began, and its verifier.
fn token(now: Timestamp) -> Approval {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("vectors/token-known-answers.json")).expect("JSON");
    let issuer = Issuer::new("https://approvals.acme.example").expect("an issuer");
    let key = VerifyingKey::from_jwk_x("7Bcrk61eVjv0kyxw4SRQNMNUZ-8u_U1k6_gZaDRn4r8").expect("a key");
    let keys = KeySet::of(issuer, key);
    let verifier = ApprovalVerifier::new(keys, Audience::new("https://authz.acme.example").expect("an audience"));
    verifier.verify(vectors["approval"]["jwt"].as_str().expect("a token"), now).expect("a valid token")
}

/// A world in which the person and the agent of the token are known, half a minute after it began.
fn world_of_the_token() -> (World, AgentId, TaskId) {
    let mut world = World::new(OPEN);
    let person = OperatorId::new("https://idp.acme.example", "u_7Qm2c1").expect("an operator id");
    let agent = AgentId::spiffe("spiffe://acme.example/ns/prod/agent/invoice-reconciler").expect("a SPIFFE ID");
    world.registry.enroll(HumanOperator::new(person.clone())).expect("a new operator");
    world.registry.register(agent.clone(), [person]).expect("a new agent");
    world.door = door_for_invoices(&world);
    world.clock.set(at(START + 30));
    (world, agent, TaskId::new("tsk_Yk3v0Q9m2nR7sT1u").expect("a task id"))
}

/// Another door of this world, opened now, for agents that read invoices.
fn door_for_invoices(world: &World) -> Authorizer {
    let read = Tool::new("invoices.read".parse().expect("a tool name"), ActionClass::Read);
    let evaluator = Evaluator::new(catalog().with(read).expect("a new tool"), OPEN).expect("policies");
    let door = Authorizer::builder(Arc::clone(&world.registry), evaluator, world.sink.clone());
    door.clock(world.clock.clone()).build().expect("a door")
}

/// A mandate for what the token approves, or a part of it.
fn invoices(world: &World, agent: &AgentId) -> Mandate {
    let ledger = Resource::new("ledger", "2026-Q3").expect("a resource");
    let grant = Grant::new().on([ledger]).at([Audience::new("https://erp.acme.example").expect("an audience")]);
    let scope = Scope::new().allow("invoices.read", grant).expect("a tool name");
    let agent = world.door.admit(world.workload(agent)).expect("an active agent");
    Mandate::new(agent, Intent::new("reconcile invoices", scope).expect("a purpose"))
}

#[test]
fn an_approval_token_begins_the_task_and_serves_the_agent_that_it_names_and_no_other() {
    let (world, agent, task) = world_of_the_token();
    // Verified as often as it is presented, it is one approval.
    let begin = |agent: &AgentId, name: Option<&TaskId>| {
        let mandate = invoices(&world, agent).approved(token(at(START + 30)));
        world.door.begin(match name {
            Some(name) => mandate.named(name.clone()),
            None => mandate,
        })
    };
    let approval = token(at(START + 30));
    let id = || approval.id().clone();

    let (approved, triage) = (agent.clone(), world.triage.clone());
    let other = begin(&world.triage, Some(&task)).expect_err("another agent");
    assert_eq!(other, MandateError::OtherAgent { approval: id(), approved, agent: triage }.into());

    let name = TaskId::new("tsk_another_task").expect("a task id");
    let other = begin(&agent, Some(&name)).expect_err("another task");
    assert_eq!(other, MandateError::OtherTask { approval: id(), approved: task.clone(), task: name }.into());
    assert!(begin(&agent, None).is_err(), "a task with a drawn id");

    let begun = begin(&agent, Some(&task)).expect("the task that it names");
    assert_eq!(begun.until(), approval.ends());
    assert_eq!(begin(&agent, Some(&task)).expect_err("while it goes on"), Error::TaskExists(task.clone()));
    begun.complete().expect("an end");
    let spent = Error::Once { approval: id(), source: OnceError::Spent };
    assert_eq!(begin(&agent, Some(&task)).expect_err("after it ended"), spent);
}

#[test]
fn a_door_without_a_memory_refuses_tokens_that_are_older_than_itself() {
    let (world, agent, task) = world_of_the_token();
    for (started, fits) in [(START + 30, true), (START + 31, false)] {
        world.clock.set(at(started));
        let door = door_for_invoices(&world);
        let approval = token(at(started)).id().clone();
        let begun = door.begin(invoices(&world, &agent).approved(token(at(started))).named(task.clone()));
        let (issued, started) = (at(START + 30), at(started));
        let error = MandateError::EarlierBoot { approval, issued, started };
        assert_eq!(begun.err(), (!fits).then(|| error.into()));
    }
}

#[test]
fn nobody_stretches_what_a_person_sealed_or_a_host_vouched_for() {
    let approvals: [fn() -> Approval; 2] = [|| token(at(START + 30)), || vouched_for("ada")];
    for approval in approvals {
        let ends = approval().ends();
        assert_eq!(approval().until(at(START + 45)).ends(), at(START + 45), "shorter it may be");
        assert_eq!(approval().until(ends.after(HOUR)).ends(), ends, "the person said {ends}");
        assert_eq!(approval().until(at(START + 45)).until(ends).ends(), ends, "and as long as they said");
    }
}
