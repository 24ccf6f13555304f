//! Administration: who may stop, resume, retire, offboard and reload, and what that does.

use bailiwick::audit::{Administered, AgentUserFact, OperatorFact};
use bailiwick::id::TaskId;
use bailiwick::identity::{
    AgentId, AgentState, HumanOperator, OperatorSession, OperatorState, RegistryError, danger as vouched,
};
use bailiwick::mandate::{Approval, Intent, Mandate};
use bailiwick::policy::{AdminAction, PolicyError, ReasonCode};
use bailiwick::{Error, Halt, Resume, Task};

use crate::flaky::{BROKEN, Host, Mood};
use crate::steps::{code, on_behalf, prover, read};
use crate::world::{OPEN, START, World, at, audience, operator, scope, session};

fn agent(name: &str) -> AgentId {
    AgentId::spiffe(&format!("spiffe://acme.example/agent/{name}")).expect("a SPIFFE ID")
}

#[test]
fn administration_takes_the_live_session_of_an_active_operator() {
    type Act = (&'static str, fn(&World, &OperatorSession) -> Result<(), Error>);
    let actions: [Act; 7] = [
        ("halt everything", |world, by| world.door.halt(by, Halt::Everything)),
        ("halt an agent", |world, by| world.door.halt(by, Halt::Agent(world.triage.clone()))),
        ("halt a task", |world, by| world.door.halt(by, Halt::Task(TaskId::new("tsk_of_this_name").expect("an id")))),
        ("resume", |world, by| world.door.resume(by, Resume::Everything)),
        ("retire", |world, by| world.door.retire(by, &world.triage).map(drop)),
        ("offboard", |world, by| world.door.offboard(by, &operator("ada")).map(|_| ())),
        ("reload", |world, by| world.door.reload(by, "").map(|_| ())),
    ];
    for (what, action) in actions {
        let world = World::new(OPEN);
        let name = TaskId::new("tsk_of_this_name").expect("a task id");
        let task = world.door.begin(world.mandate(scope()).named(name)).expect("a task");
        let stranger = RegistryError::UnknownOperator(operator("eve"));
        assert_eq!(action(&world, &session("eve")), Err(stranger.into()), "{what} by a stranger");

        let (start, end) = (at(START - 60), at(START));
        let ada = HumanOperator::new(operator("ada"));
        let over = vouched::operator_vouched_by_host(ada, start, end).expect("a session");
        let error = Error::SessionOver { operator: operator("ada"), until: end, now: at(START) };
        assert_eq!(action(&world, &over), Err(error), "{what} from a session that is over");

        let ada = HumanOperator::new(operator("ada"));
        let early = vouched::operator_vouched_by_host(ada, at(START + 1), at(START + 60)).expect("a session");
        assert!(matches!(action(&world, &early), Err(Error::SessionOver { .. })), "{what} from one that has not begun");

        let bob = world.bob.clone();
        let _ = world.door.offboard(&world.ada, &operator("bob")).expect("Bob leaves");
        let left = RegistryError::OperatorNotActive { operator: operator("bob"), state: OperatorState::Offboarded };
        assert_eq!(action(&world, &bob), Err(left.into()), "{what} by somebody who has left");

        assert!(task.authorize(&read()).is_ok(), "{what}: nothing was stopped");
        assert_eq!(action(&world, &world.ada), Ok(()), "{what} by Ada");
    }
}

#[test]
fn who_stops_what_and_who_lets_it_go_on() {
    let world = World::new(OPEN);
    let eve = session("eve");
    world.registry.enroll(eve.operator().clone()).expect("a new operator");
    let refused = |answer: Result<(), Error>| match answer.expect_err("a refusal") {
        Error::NotAllowed(refused) if refused.operator == operator("eve") => refused.action,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(world.door.halt(&eve, Halt::Agent(world.triage.clone()))), AdminAction::Suspend);
    assert_eq!(refused(world.door.retire(&eve, &world.triage).map(drop)), AdminAction::Retire);
    assert_eq!(refused(world.door.offboard(&eve, &operator("bob")).map(drop)), AdminAction::Offboard);
    assert_eq!(refused(world.door.reload(&eve, "").map(drop)), AdminAction::Reload);
    assert_eq!(world.registry.agent_state(&world.triage), Some(AgentState::Active));
    let task = world.task(scope());
    assert_eq!(world.door.halt(&eve, Halt::Task(task.id().clone())), Ok(()), "everybody may stop a task");
    assert_eq!(world.door.halt(&eve, Halt::Everything), Ok(()), "and everything");
    assert_eq!(refused(world.door.resume(&eve, Resume::Everything)), AdminAction::Resume, "but not begin again");
    world.door.resume(&world.bob, Resume::Everything).expect("a new start");
    world.registry.register(agent("eve"), [operator("eve")]).expect("a new agent");
    assert_eq!(world.door.halt(&eve, Halt::Agent(agent("eve"))), Ok(()), "a sponsor stops their agent");
    assert_eq!(world.door.halt(&world.bob, Halt::Agent(world.triage.clone())), Ok(()), "an administrator stops any");

    let unknown = RegistryError::UnknownAgent(agent("unknown"));
    assert_eq!(world.door.halt(&world.ada, Halt::Agent(agent("unknown"))), Err(unknown.into()));
    let ended = task.id().clone();
    assert_eq!(world.door.sweep().closed, 1);
    assert_eq!(world.door.halt(&world.ada, Halt::Task(ended.clone())), Err(Error::UnknownTask(ended)));
}

#[test]
fn what_is_stopped_is_stopped_though_nobody_could_write_it_down() {
    type Stop = (&'static str, fn(&World, &Task) -> Result<(), Error>);
    let stops: [Stop; 4] = [
        ("everything", |world, _| world.door.halt(&world.bob, Halt::Everything)),
        ("the agent", |world, _| world.door.halt(&world.ada, Halt::Agent(world.triage.clone()))),
        ("the task", |world, task| world.door.halt(&world.bob, Halt::Task(task.id().clone()))),
        ("the agent, for good", |world, _| world.door.retire(&world.ada, &world.triage).map(drop)),
    ];
    for mood in BROKEN {
        for (what, stop) in stops {
            let host = Host::new(OPEN);
            let task = host.world.task(scope());
            host.sink.set(mood);
            assert!(matches!(stop(&host.world, &task), Err(Error::Audit(_))), "{what} {mood:?}");
            host.sink.set(Mood::Works);
            assert!(task.authorize(&read()).is_err(), "{what} {mood:?}");
        }
        let host = Host::new(OPEN);
        host.world.door.halt(&host.world.ada, Halt::Everything).expect("a halt");
        let mandate = host.world.mandate(scope());
        host.sink.set(mood);
        assert!(matches!(host.world.door.resume(&host.world.ada, Resume::Everything), Err(Error::Audit(_))));
        host.sink.set(Mood::Works);
        assert_eq!(host.world.door.begin(mandate).expect_err("it stays halted"), Error::Halted);
    }
}

#[test]
fn after_resuming_new_tasks_begin_and_old_ones_stay_dead() {
    let world = World::new(OPEN);
    let old = world.task(scope());
    let permit = old.authorize(&read()).expect("a permit");
    world.door.halt(&world.ada, Halt::Everything).expect("a halt");
    world.door.halt(&world.ada, Halt::Everything).expect("halting twice is halting");
    world.door.resume(&world.bob, Resume::Everything).expect("a new start");
    assert!(world.task(scope()).authorize(&read()).is_ok());
    assert_eq!(old.authorize(&read()).expect_err("a denial").code(), ReasonCode::Halted);
    assert_eq!(old.redeem(permit, read().arguments()).expect_err("a denial").code(), ReasonCode::Halted);
    let written: Vec<Administered> = world
        .sink
        .events()
        .into_iter()
        .filter_map(|event| match event.operator?.fact {
            OperatorFact::Administered(what) => Some(what),
            _ => None,
        })
        .collect();
    assert_eq!(written, [Administered::Everything, Administered::Everything, Administered::Resumed]);
}

#[test]
fn a_person_who_leaves_takes_their_errands_and_their_only_agents_along() {
    let world = World::new(OPEN);
    let shared = agent("shared");
    world.registry.register(shared.clone(), [operator("ada"), operator("bob")]).expect("a new agent");
    let admitted = world.door.admit(world.workload(&shared)).expect("an active agent");
    let intent = Intent::new("close stale tickets", scope()).expect("a purpose");
    let goes_on = world.door.begin(Mandate::new(admitted, intent).approved(Approval::by(&world.ada, scope())));
    let (goes_on, stops) = (goes_on.expect("a task"), world.task(scope()));
    let for_ada = on_behalf(&world.ada, "ticket.read");
    let permit = goes_on.authorize(&for_ada).expect("a permit");

    let _ = world.door.offboard(&world.bob, &operator("ada")).expect("Ada leaves");
    assert_eq!(code(goes_on.authorize(&read())), None, "autonomous steps go on under Bob");
    assert_eq!(code(goes_on.authorize(&for_ada)), Some(ReasonCode::OperatorNotActive));
    assert_eq!(
        goes_on.redeem(permit, for_ada.arguments()).expect_err("a denial").code(),
        ReasonCode::OperatorNotActive
    );
    assert_eq!(code(stops.authorize(&read())), Some(ReasonCode::AgentNotActive), "nobody else answers for this one");
}

/// Who answers for the agent is somebody who is there.
#[test]
fn a_credential_names_a_sponsor_who_has_not_left() {
    let world = World::new(OPEN);
    let shared = agent("shared");
    world.registry.register(shared.clone(), [operator("ada"), operator("bob")]).expect("a new agent");
    let admitted = world.door.admit(world.workload(&shared)).expect("an active agent");
    let intent = Intent::new("close stale tickets", scope()).expect("a purpose");
    let task =
        world.door.begin(Mandate::new(admitted, intent).approved(Approval::by(&world.ada, scope()))).expect("a task");
    let _ = world.door.offboard(&world.bob, &operator("ada")).expect("Ada leaves");
    let credential = task.mint(task.authorize(&read()).expect("a permit"), &audience()).expect("a credential");
    let verified = world.door.verify(credential.expose(), &audience()).expect("a valid credential");
    assert_eq!(verified.accountable(), &operator("bob"));
}

#[test]
fn policies_that_do_not_load_or_are_not_recorded_leave_the_older_ones() {
    let host = Host::new(OPEN);
    let world = &host.world;
    let task = world.task(scope());
    let permit = task.authorize(&read()).expect("a permit");
    let forbid = r#"@id("stop") forbid(principal, action, resource);"#;
    for text in ["permit(", "forbid(principal, action, resource);", &"(".repeat(100)] {
        assert!(matches!(world.door.reload(&world.ada, text), Err(Error::Policy(_))), "{text}");
    }
    for mood in BROKEN {
        host.sink.set(mood);
        assert!(matches!(world.door.reload(&world.ada, forbid), Err(Error::Audit(_))), "{mood:?}");
        host.sink.set(Mood::Works);
        assert_eq!(code(task.authorize(&read())), None, "{mood:?}: the older ones decide");
    }
    let same = world.door.reload(&world.ada, OPEN).expect("the same policies");
    assert!(task.redeem(permit, read().arguments()).is_ok(), "the policies that permitted it still decide");
    let other = world.door.reload(&world.ada, forbid).expect("other policies");
    assert_ne!(same, other);
    assert_eq!(task.authorize(&read()).expect_err("a denial").code(), ReasonCode::Forbidden);
    assert!(matches!(world.door.reload(&world.ada, "("), Err(Error::Policy(PolicyError::Cedar(_)))));
}

#[test]
fn what_is_done_to_an_agent_is_in_the_lane_of_its_agent_user_too() {
    let last = |world: &World| {
        let event = world.sink.events().pop().expect("an event");
        let (agent, seen) = (event.agent.expect("the agent's lane"), event.agent_user.expect("the agent user's lane"));
        assert_eq!((&seen.agent_user, &seen.agent), (world.triage_bot.id(), &world.triage));
        assert_eq!((agent.link.agent_user_record, seen.link.agent_record), (Some(seen.link.id), Some(agent.link.id)));
        seen.fact
    };
    let world = World::new(OPEN);
    world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).expect("a halt");
    assert_eq!(last(&world), AgentUserFact::Followed { active: false });
    let of = world.registry.reinstatement(&world.triage).expect("a suspended agent");
    let (verifier, answer) = prover(&world, &world.triage);
    let proof = world.door.prove(&of, &verifier, &answer).expect("a proof");
    world.door.reinstate(&world.bob, proof, Approval::by(&world.ada, of)).expect("a new life");
    assert_eq!(last(&world), AgentUserFact::Followed { active: true });
    let _ = world.door.bind(&world.ada, &world.triage, world.triage_bot.id().clone()).expect("the same, anew");
    assert_eq!(last(&world), AgentUserFact::Bound);
    let _ = world.door.offboard(&world.bob, &operator("ada")).expect("nobody else sponsors the agent");
    assert_eq!(last(&world), AgentUserFact::Followed { active: false });
}
