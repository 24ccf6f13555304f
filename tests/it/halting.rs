//! The stop button: everything, a blueprint, an agent or a task stops at once, with all that hangs below, however much that is.

use bailiwick::id::{Prose, TaskId};
use bailiwick::identity::{AgentId, AgentState, BlueprintId, Registry, RegistryError, danger};
use bailiwick::mandate::{Arguments, Intent, Mandate, Scope, TaskState};
use bailiwick::policy::ReasonCode;
use bailiwick::{Error, Halt, Resume, Task};

use crate::flaky::{BROKEN, Host, Mood};
use crate::steps::{autonomous, code, read};
use crate::world::{OPEN, START, World, at, audience, operator, scope, session};

pub(crate) fn blueprint(name: &str) -> BlueprintId {
    BlueprintId::new(name).expect("a blueprint")
}

fn halt(name: &str) -> Halt {
    Halt::Blueprint(blueprint(name))
}

fn agent(name: &str) -> AgentId {
    AgentId::spiffe(&format!("spiffe://acme.example/agent/{name}")).expect("a SPIFFE ID")
}

/// Registers an agent of this name from this blueprint.
fn known(world: &World, name: &str, image: &str) {
    world.registry.register_from(blueprint(image), agent(name), [operator("ada")]).expect("a new agent");
}

fn begin(world: &World, name: &str, scope: Scope) -> Result<Task, Error> {
    let agent = world.door.admit(world.workload(&agent(name)))?;
    let intent = Intent::new("close stale tickets", scope).expect("a purpose");
    world.door.begin(Mandate::new(agent, intent).approved_by(&world.ada))
}

/// A task of a new agent that was made from this.
pub(crate) fn made_from(world: &World, image: &str) -> Task {
    known(world, "made", image);
    begin(world, "made", autonomous(&["ticket.read"])).expect("a task")
}

#[test]
fn a_blueprint_that_is_halted_takes_everything_of_its_agents_along() {
    let world = World::new(OPEN);
    for (name, image) in [("one", "image@7"), ("two", "image@7"), ("other", "image@8")] {
        known(&world, name, image);
    }
    let tasks = ["one", "two", "other"].map(|name| begin(&world, name, autonomous(&["ticket.read"])).expect("a task"));
    let held = tasks.each_ref().map(|task| {
        let permit = task.authorize(&read()).expect("a permit");
        let unminted = task.authorize(&read()).expect("a permit");
        let minted = task.authorize(&read()).expect("a permit");
        (permit, unminted, task.mint(minted, &audience()).expect("a credential"))
    });
    let (without, admitted) = (world.task(scope()), world.door.admit(world.workload(&agent("one"))).expect("an agent"));
    world.door.halt(&world.bob, halt("image@7")).expect("a halt");

    for ((name, task), (permit, unminted, credential)) in ["one", "two", "other"].into_iter().zip(&tasks).zip(held) {
        let halted = (name != "other").then_some(ReasonCode::BlueprintHalted);
        assert_eq!(code(task.authorize(&read())), halted, "{name}");
        assert_eq!(code(task.redeem(permit, &Arguments::none())), halted, "{name}");
        assert_eq!(task.mint(unminted, &audience()).is_err(), halted.is_some(), "{name}");
        assert_eq!(world.door.verify(credential.expose(), &audience()).is_err(), halted.is_some(), "{name}");
        assert_eq!(world.door.accept(credential.expose(), &audience(), &read()).is_err(), halted.is_some(), "{name}");
    }
    assert_eq!(code(without.authorize(&read())), None, "who is of no blueprint goes on");

    let halted = RegistryError::BlueprintHalted(blueprint("image@7"));
    let refused = |answer: Result<(), Error>| assert_eq!(answer, Err(halted.clone().into()));
    let intent = Intent::new("again", scope()).expect("a purpose");
    refused(begin(&world, "two", scope()).map(drop));
    refused(world.door.begin(Mandate::new(admitted.clone(), intent.clone()).approved_by(&world.ada)).map(drop));
    refused(world.door.register_from(&world.ada, blueprint("image@7"), &agent("three"), [operator("ada")]));
    assert_eq!(world.registry.agent_state(&agent("three")), None);

    world.door.resume(&world.bob, Resume::Blueprint(blueprint("image@7"))).expect("a new start");
    assert_eq!(code(tasks[0].authorize(&read())), Some(ReasonCode::BlueprintHalted), "what was halted stays dead");
    let again = world.door.begin(Mandate::new(admitted, intent).approved_by(&world.ada)).expect("a task");
    assert_eq!(code(again.authorize(&read())), None);
    assert!(begin(&world, "two", scope()).is_ok());
    assert_eq!(world.registry.agent_state(&agent("one")), Some(AgentState::Active), "the agents were no suspects each");
}

#[test]
fn a_part_ends_with_the_blueprint_of_any_agent_above_it() {
    let world = World::new(OPEN);
    known(&world, "above", "image@7");
    known(&world, "below", "image@8");
    let delegable = autonomous(&["ticket.read"]).delegable(1).expect("a depth");
    for (image, seen, state) in [
        ("image@7", ReasonCode::TaskEnded, TaskState::EndedAbove),
        ("image@8", ReasonCode::BlueprintHalted, TaskState::Active),
    ] {
        let task = begin(&world, "above", delegable.clone()).expect("a task");
        let workload = danger::workload_vouched_by_host(agent("below"), None, at(START + 3600));
        let below = world.door.admit(workload).expect("an active agent");
        let intent = Intent::new("a part", autonomous(&["ticket.read"])).expect("a purpose");
        let part = task.delegate(Mandate::new(below.clone(), intent.clone())).expect("a part");
        world.door.halt(&world.ada, halt(image)).expect("a halt");
        assert_eq!(code(part.authorize(&read())), Some(seen), "{image}");
        assert_eq!(part.state(), state, "{image}");
        assert_eq!(code(task.authorize(&read())).is_none(), image == "image@8", "{image}");
        assert!(task.delegate(Mandate::new(below, intent)).is_err(), "{image}");
        world.door.resume(&world.ada, Resume::Blueprint(blueprint(image))).expect("a new start");
    }
}

#[test]
fn a_blueprint_is_halted_though_nobody_could_write_it_down_and_resumed_only_where_it_was() {
    for mood in BROKEN {
        let host = Host::new(OPEN);
        let task = made_from(&host.world, "image@7");
        host.sink.set(mood);
        assert!(matches!(host.world.door.halt(&host.world.bob, halt("image@7")), Err(Error::Audit(_))), "{mood:?}");
        let resume = || host.world.door.resume(&host.world.bob, Resume::Blueprint(blueprint("image@7")));
        assert!(matches!(resume(), Err(Error::Audit(_))), "{mood:?}");
        host.sink.set(Mood::Works);
        assert_eq!(code(task.authorize(&read())), Some(ReasonCode::BlueprintHalted), "{mood:?}");
        assert!(begin(&host.world, "made", scope()).is_err(), "{mood:?}: it stays halted");
        assert_eq!(resume(), Ok(()), "{mood:?}");
        assert_eq!(resume(), Ok(()), "{mood:?}: resuming twice is resuming");
        assert!(begin(&host.world, "made", scope()).is_ok(), "{mood:?}");
    }
}

#[test]
fn what_is_not_there_is_not_halted() {
    let world = World::new(OPEN);
    let unknown = || Err(RegistryError::UnknownBlueprint(blueprint("typo")).into());
    assert_eq!(world.door.halt(&world.ada, halt("typo")), unknown());
    assert_eq!(world.door.resume(&world.ada, Resume::Blueprint(blueprint("typo"))), unknown());
    for wrong in ["", "two words", "tab\t", "ümlaut", &"a".repeat(201)] {
        assert!(BlueprintId::new(wrong).is_err(), "{wrong:?}");
    }
    let task = TaskId::new("tsk_of_this_name").expect("an id");
    assert_eq!(world.door.halt(&world.ada, Halt::Task(task.clone())), Err(Error::UnknownTask(task)));
}

#[test]
fn a_blueprint_that_is_halted_is_halted_after_a_restart_too() {
    let world = World::new(OPEN);
    known(&world, "one", "image@7");
    known(&world, "two", "image@8");
    world.door.halt(&world.ada, halt("image@7")).expect("a halt");
    let kept = serde_json::to_string(&world.registry.snapshot()).expect("a snapshot");
    let restore = |text: &str| Registry::restore(serde_json::from_str(text).expect("a snapshot"));
    let registry = restore(&kept).expect("a registry");
    assert_eq!(registry.blueprints(), [(blueprint("image@7"), true), (blueprint("image@8"), false)]);
    assert_eq!(registry.blueprint(&agent("one")), Some(blueprint("image@7")));
    assert_eq!(serde_json::to_string(&registry.snapshot()).expect("a snapshot"), kept);
    let new = registry.register_from(blueprint("image@7"), agent("three"), []);
    assert_eq!(new, Err(RegistryError::BlueprintHalted(blueprint("image@7"))));

    // What does not tell of a blueprint that an agent is of does not fit together: it may have been halted.
    let untold = kept.replace(r#"{"blueprint":"image@7","halted":true},"#, "");
    assert_ne!(untold, kept);
    assert_eq!(restore(&untold).expect_err("a refusal"), RegistryError::UnknownBlueprint(blueprint("image@7")));
    let twice =
        kept.replace(r#"{"blueprint":"image@8","#, r#"{"blueprint":"image@7","halted":false},{"blueprint":"image@8","#);
    assert_eq!(restore(&twice).expect("a registry").blueprints(), registry.blueprints(), "halted is halted");
}

#[test]
fn stopping_is_for_everybody_and_starting_is_not() {
    let world = World::new(OPEN);
    known(&world, "one", "image@7");
    let eve = session("eve");
    world.registry.enroll(eve.operator().clone()).expect("a new operator");
    assert_eq!(world.door.halt(&eve, halt("image@7")), Ok(()));
    let refused = world.door.resume(&eve, Resume::Blueprint(blueprint("image@7")));
    assert!(matches!(refused, Err(Error::NotAllowed(_))), "{refused:?}");
    let glass =
        world.door.break_glass(&world.ada, Prose::new("nobody else is here").expect("words")).expect("broken glass");
    assert_eq!(world.door.resume(&glass, Resume::Blueprint(blueprint("image@7"))), Ok(()));
}

/// One cell is flipped, whatever hangs on it: no list is made, and none is walked.
#[test]
fn halting_costs_the_same_however_many_tasks_there_are() {
    for what in [Halt::Everything, halt("image@7")] {
        let costs = [1, 400].map(|tasks| {
            let world = World::new(OPEN);
            known(&world, "made", "image@7");
            let open: Vec<Task> =
                (0..tasks).map(|_| begin(&world, "made", autonomous(&["ticket.read"])).expect("a task")).collect();
            let counted = allocation_counter::measure(|| world.door.halt(&world.bob, what.clone()).expect("a halt"));
            assert!(open.iter().all(|task| task.authorize(&read()).is_err()));
            counted.count_total
        });
        assert!(costs[1].abs_diff(costs[0]) <= 2, "{what:?}: {costs:?}");
    }
}
