//! Privileges do not pile up unseen: what an agent really uses, what it is granted at once, where that ends, and what nobody uses.

use std::time::Duration;

use bailiwick::audit::{AgentFact, Effect};
use bailiwick::identity::{AgentId, danger};
use bailiwick::mandate::{ActionClass, Arguments, Ceiling, CeilingError, Intent, Mandate, Scope, ToolName};
use bailiwick::policy::ReasonCode;
use bailiwick::{Attention, Authorizer, Error, Halt, ReviewedAgent, Task};

use crate::steps::{alone, autonomous, code, read};
use crate::world::{OPEN, START, World, at};

fn tool(name: &str) -> ToolName {
    name.parse().expect("a tool name")
}

fn tools(names: &[&str]) -> Vec<ToolName> {
    names.iter().map(|name| tool(name)).collect()
}

/// Uses a tool on the ticket.
fn uses(task: &Task, name: &str) {
    let permit = task.authorize(&alone(name)).expect("a permit");
    task.redeem(permit, &Arguments::none()).expect("leave").finish(Effect::Succeeded).expect("a record");
}

fn reviewed(door: &Authorizer, agent: &AgentId) -> ReviewedAgent {
    let review = door.review().expect("a review");
    review.agents.into_iter().find(|one| one.agent == *agent).expect("an agent")
}

const BOTH: [&str; 2] = ["ticket.close", "ticket.read"];

#[test]
fn what_was_granted_and_never_used_is_told_for_the_next_scope() {
    let world = World::new(OPEN);
    let task = world.task(autonomous(&["ticket.read", "ticket.close", "role.grant"]));
    let all_used = world.task(autonomous(&["ticket.read"]));
    uses(&all_used, "ticket.read");
    assert_eq!(task.unused(), tools(&["role.grant", "ticket.close", "ticket.read"]));
    drop(task.authorize(&read()).expect("a permit that nobody spends"));
    let _ = task.authorize(&alone("ticket.fly"));
    assert_eq!(task.unused().len(), 3, "asked is not used");
    uses(&task, "ticket.read");
    let unused = world.door.unused();
    assert_eq!(unused.len(), 1, "who used everything is left out");
    assert_eq!((&unused[0].task, &unused[0].agent), (task.id(), &world.triage));
    assert_eq!(unused[0].tools, tools(&["role.grant", "ticket.close"]));
    let next = task.narrowed();
    assert_eq!(next, autonomous(&["ticket.read"]));
    assert!(next.is_subset(&autonomous(&["ticket.read", "ticket.close", "role.grant"])));
    let closed = task.complete().expect("an end");
    assert_eq!(closed.unused, tools(&["role.grant", "ticket.close"]));
    assert_eq!(all_used.complete().expect("an end").unused, []);
    assert_eq!(world.door.unused(), []);
}

#[test]
fn what_is_used_below_a_task_is_used() {
    let world = World::new(OPEN);
    let task = world.task(autonomous(&BOTH).delegable(1).expect("a depth"));
    let workload = danger::workload_vouched_by_host(world.payer.clone(), None, at(START + 3600));
    let payer = world.door.admit(workload).expect("an active agent");
    let part = task.delegate(Mandate::new(payer, Intent::new("close", autonomous(&BOTH)).expect("a purpose")));
    let part = part.expect("a part");
    uses(&part, "ticket.close");
    assert_eq!((part.unused(), task.unused()), (tools(&["ticket.read"]), tools(&["ticket.read"])));
    assert!(reviewed(&world.door, &world.triage).exercised.is_empty(), "but by the other agent");
    assert_eq!(reviewed(&world.door, &world.payer).exercised.len(), 1);
}

#[test]
fn a_review_says_what_was_used_and_what_is_granted_at_once() {
    let world = World::new(OPEN);
    let (one, other) = (world.task(autonomous(&["ticket.read"])), world.task(autonomous(&BOTH)));
    uses(&one, "ticket.read");
    world.clock.advance(Duration::from_secs(5));
    uses(&other, "ticket.read");
    uses(&other, "ticket.read");
    let agent = reviewed(&world.door, &world.triage);
    assert_eq!(agent.granted.iter().cloned().collect::<Vec<_>>(), tools(&BOTH));
    let read = &agent.exercised[&tool("ticket.read")];
    assert_eq!((read.class, read.times, read.tasks), (ActionClass::Read, 3, 2));
    assert_eq!((read.first, read.last), (at(START), at(START + 5)));
    assert_eq!(agent.exercised.len(), 1);
    drop(other);
    assert_eq!(
        reviewed(&world.door, &world.triage).granted.iter().cloned().collect::<Vec<_>>(),
        tools(&["ticket.read"])
    );
    world.door.halt(&world.ada, Halt::Everything).expect("a halt");
    let agent = reviewed(&world.door, &world.triage);
    assert!(agent.granted.is_empty(), "what is halted grants nothing");
    assert_eq!(agent.exercised.len(), 1, "what was used was used");
}

/// No decision sees what the agent has in another task.
#[test]
fn grants_of_several_tasks_are_never_put_together() {
    let world = World::new(OPEN);
    let tasks: Vec<(Task, &str)> =
        BOTH.iter().flat_map(|name| (0..20).map(|_| (world.task(autonomous(&[name])), *name))).collect();
    for (task, granted) in &tasks {
        for name in BOTH {
            let wanted = (name != *granted).then_some(ReasonCode::OutOfScope);
            assert_eq!(code(task.authorize(&alone(name))), wanted);
        }
    }
}

#[test]
fn a_tool_that_comes_late_wants_attention_and_is_marked_in_the_record() {
    let world = World::new(OPEN);
    let day = Duration::from_secs(24 * 3600);
    let begin = |scope: Scope| {
        let workload = danger::workload_vouched_by_host(world.triage.clone(), None, at(START + 100 * 24 * 3600));
        let ada =
            danger::operator_vouched_by_host(world.ada.operator().clone(), at(START), at(START + 100 * 24 * 3600));
        let intent = Intent::new("work", scope).expect("a purpose");
        let agent = world.door.admit(workload).expect("an active agent");
        world.door.begin(Mandate::new(agent, intent).approved_by(&ada.expect("a session"))).expect("a task")
    };
    let task = begin(autonomous(&BOTH));
    let grew = || reviewed(&world.door, &world.triage).attention.contains(&Attention::Grew);
    assert!(!grew());
    uses(&task, "ticket.read");
    assert!(!grew(), "the first is no growth");
    world.clock.advance(day);
    uses(&task, "ticket.read");
    assert!(!grew(), "nor is the same again");
    uses(&task, "ticket.close");
    assert!(grew());
    world.clock.advance(30 * day);
    assert!(!grew(), "after a month it belongs to it");
    let first = world.sink.events().into_iter().filter_map(|event| match event.agent?.fact {
        AgentFact::Decided(decided) => Some(decided.first_use),
        _ => None,
    });
    assert_eq!(first.collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn an_agent_has_no_more_at_once_than_its_ceiling() {
    let beyond = |ceiling: Ceiling, scopes: &[&[&str]]| {
        let world = World::built(OPEN, |builder| builder.ceiling(ceiling));
        let mut open = Vec::new();
        for scope in scopes {
            match world.door.begin(world.mandate(autonomous(scope))) {
                Ok(task) => open.push(task),
                Err(Error::Ceiling(beyond)) => {
                    let last = world.sink.events().pop().and_then(|event| Some(event.agent?.fact));
                    assert_eq!(last, Some(AgentFact::BeyondCeiling { ceiling: beyond.clone() }), "recorded");
                    return Some((open.len(), beyond));
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        None
    };
    let read: &[&str] = &["ticket.read"];
    let rows = [
        (Ceiling::new(), vec![read; 30], None),
        (Ceiling::new().tasks(2), vec![read; 3], Some((2, CeilingError::Tasks { open: 2, max: 2 }))),
        (Ceiling::new().tasks(0), vec![read], Some((0, CeilingError::Tasks { open: 0, max: 0 }))),
        (Ceiling::new().tools(2), vec![read, read, &BOTH, read], None),
        (
            Ceiling::new().tools(2),
            vec![read, &BOTH, &["web.fetch"]],
            Some((2, CeilingError::Tools { granted: 3, max: 2 })),
        ),
        (
            Ceiling::new().tools(2),
            vec![&["ticket.read", "ticket.close", "web.fetch"]],
            Some((0, CeilingError::Tools { granted: 3, max: 2 })),
        ),
        (Ceiling::new().class(ActionClass::Write), vec![&BOTH], None),
        (
            Ceiling::new().class(ActionClass::Write),
            vec![read, &["ticket.read", "ticket.purge"]],
            Some((
                1,
                CeilingError::Class {
                    tool: tool("ticket.purge"),
                    class: ActionClass::Irreversible,
                    max: ActionClass::Write,
                },
            )),
        ),
    ];
    for (ceiling, scopes, wanted) in rows {
        assert_eq!(beyond(ceiling.clone(), &scopes), wanted, "{ceiling:?} {scopes:?}");
    }
}

#[test]
fn what_ended_in_whatever_way_makes_room() {
    type End = (&'static str, fn(&World, Task) -> Option<Task>);
    let ends: [End; 6] = [
        ("completed", |_, task| {
            task.complete().expect("an end");
            None
        }),
        ("dropped", |_, _| None),
        ("halted", |world, task| {
            world.door.halt(&world.ada, Halt::Task(task.id().clone())).expect("a halt");
            Some(task)
        }),
        ("over", |world, task| {
            world.clock.advance(Duration::from_secs(60));
            Some(task)
        }),
        ("halted with everything", |world, task| {
            world.door.halt(&world.ada, Halt::Everything).expect("a halt");
            world.door.resume(&world.ada, bailiwick::Resume::Everything).expect("a new start");
            Some(task)
        }),
        ("refused by the record", |_, task| Some(task)),
    ];
    for (how, end) in ends {
        let world = World::built(OPEN, |builder| builder.ceiling(Ceiling::new().tasks(1)));
        let mandate = || world.mandate(autonomous(&["ticket.read"]));
        let task = world.door.begin(mandate().until(at(START + 60))).expect("a task");
        assert!(matches!(world.door.begin(mandate()), Err(Error::Ceiling(_))), "{how}");
        let _kept = end(&world, task);
        assert_eq!(world.door.begin(mandate()).is_ok(), how != "refused by the record", "{how}");
    }
}

#[test]
fn an_agent_may_have_a_ceiling_of_its_own_and_parts_count() {
    let payer = AgentId::spiffe("spiffe://acme.example/agent/payer").expect("a SPIFFE ID");
    let world = World::built(OPEN, |builder| {
        builder.ceiling(Ceiling::new().tasks(10)).ceiling_of(payer.clone(), Ceiling::new().tasks(1))
    });
    let task = world.task(autonomous(&["ticket.read"]).delegable(1).expect("a depth"));
    let part = || {
        let workload = danger::workload_vouched_by_host(payer.clone(), None, at(START + 3600));
        let agent = world.door.admit(workload).expect("an active agent");
        task.delegate(Mandate::new(agent, Intent::new("read", autonomous(&["ticket.read"])).expect("a purpose")))
    };
    let first = part().expect("a part");
    assert!(matches!(part(), Err(Error::Ceiling(CeilingError::Tasks { open: 1, max: 1 }))));
    drop(first);
    assert!(part().is_ok());
    assert!(world.door.begin(world.mandate(autonomous(&["ticket.read"]))).is_ok(), "the other has another");
}

/// Of many that begin at once, as many do as there is room for.
#[test]
fn a_ceiling_is_exact_while_many_begin_at_once() {
    let world = World::built(OPEN, |builder| builder.ceiling(Ceiling::new().tasks(5)));
    let begun = std::thread::scope(|scope| {
        let begin = || world.door.begin(world.mandate(autonomous(&["ticket.read"]))).ok();
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(begin)).collect();
        threads.into_iter().filter_map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
    });
    assert_eq!(begun.len(), 5);
}

/// Suspending one agent looks at nobody else's tasks.
#[test]
fn stopping_an_agent_costs_the_same_however_many_tasks_others_have() {
    let costs = [1, 300].map(|others| {
        let world = World::new(OPEN);
        let intent = || Intent::new("pay", autonomous(&["ticket.read"])).expect("a purpose");
        let workload = danger::workload_vouched_by_host(world.payer.clone(), None, at(START + 3600));
        let payer = world.door.admit(workload).expect("an active agent");
        let begin = |agent: &_| {
            world
                .door
                .begin(Mandate::new(bailiwick::identity::AgentIdentity::clone(agent), intent()).approved_by(&world.ada))
                .expect("a task")
        };
        let open: Vec<Task> = (0..others).map(|_| begin(&payer)).collect();
        let own = world.task(autonomous(&["ticket.read"]));
        let halt = Halt::Agent(world.triage.clone());
        let counted = allocation_counter::measure(|| world.door.halt(&world.ada, halt.clone()).expect("a halt"));
        assert_eq!(code(own.authorize(&read())), Some(ReasonCode::AgentNotActive));
        assert!(open.iter().all(|task| code(task.authorize(&read())).is_none()));
        counted.count_total
    });
    assert!(costs[1].abs_diff(costs[0]) <= 2, "{costs:?}");
}
