//! The end of a task, as it is written down: once, whole, and by the next sweep where it could not be at first.

use std::sync::{Arc, Mutex};

use bailiwick::audit::{Ack, AgentFact, AuditError, AuditSink, Effect, Event, MemorySink};
use bailiwick::id::Found;
use bailiwick::mandate::TaskState;
use bailiwick::{Error, Halt, Swept};

use crate::flaky::{BROKEN, Host, Mood};
use crate::steps::read;
use crate::world::{OPEN, World, scope};

/// How tasks ended, by the record: state, calls, effects that nobody told.
fn endings(events: &[Event]) -> Vec<(TaskState, u32, u64)> {
    let ended = |event: &Event| match event.agent.as_ref()?.fact {
        AgentFact::Ended { state, calls, unknown } => Some((state, calls, unknown)),
        _ => None,
    };
    events.iter().filter_map(ended).collect()
}

fn unknown_effects(events: &[Event]) -> usize {
    let unknown = |event: &&Event| {
        event.agent.as_ref().is_some_and(|agent| matches!(agent.fact, AgentFact::Done { effect: Effect::Unknown, .. }))
    };
    events.iter().filter(unknown).count()
}

fn closed(swept: Swept) -> (usize, usize) {
    (swept.closed, swept.failed)
}

#[test]
fn a_sweep_closes_each_task_that_was_left_once() {
    let world = World::new(OPEN);
    let [alive, halted] = [world.task(scope()), world.task(scope())];
    for task in [world.task(scope()), world.task(scope()), world.task(scope())] {
        drop(task.redeem(task.authorize(&read()).expect("a permit"), read().arguments()));
    }
    world.door.halt(&world.ada, Halt::Task(halted.id().clone())).expect("a halt");
    assert_eq!(closed(world.door.sweep()), (4, 0));
    assert_eq!(closed(world.door.sweep()), (0, 0));
    let mut written = endings(&world.sink.events());
    written.sort_by_key(|(state, ..)| *state as u8);
    let abandoned = (TaskState::Abandoned, 1, 1);
    assert_eq!(written, [abandoned, abandoned, abandoned, (TaskState::Halted, 0, 0)]);
    assert_eq!(unknown_effects(&world.sink.events()), 3);
    assert!(alive.authorize(&read()).is_ok());
    let closed = halted.complete().expect("closed already");
    assert_eq!((closed.state, closed.unknown), (TaskState::Halted, 0));
    assert_eq!(endings(&world.sink.events()).len(), 4);
}

#[test]
fn beginning_closes_what_was_left() {
    let world = World::new(OPEN);
    drop(world.task(scope()));
    assert_eq!(endings(&world.sink.events()), []);
    let _task = world.task(scope());
    assert_eq!(endings(&world.sink.events()), [(TaskState::Abandoned, 0, 0)]);
}

#[test]
fn completing_tells_the_state_and_the_effects_that_nobody_told() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    drop(task.redeem(task.authorize(&read()).expect("a permit"), read().arguments()));
    let told = task.redeem(task.authorize(&read()).expect("a permit"), read().arguments()).expect("an execution");
    told.finish(Effect::Succeeded).expect("a record");
    let closed = task.complete().expect("an end");
    assert_eq!((closed.state, closed.unknown), (TaskState::Completed, 1));
    assert_eq!(endings(&world.sink.events()), [(TaskState::Completed, 2, 1)]);
}

#[test]
fn an_end_that_could_not_be_recorded_is_recorded_by_the_next_sweep() {
    for mood in BROKEN {
        let host = Host::new(OPEN);
        let world = &host.world;
        let (left, task) = (world.task(scope()), world.task(scope()));
        drop(task.redeem(task.authorize(&read()).expect("a permit"), read().arguments()));
        drop(left);
        host.sink.set(mood);
        assert!(matches!(task.complete(), Err(Error::Audit(_))), "{mood:?}");
        assert_eq!(closed(world.door.sweep()), (0, 2), "{mood:?}");
        assert_eq!(closed(world.door.sweep()), (0, 2), "{mood:?}");
        host.sink.set(Mood::Works);
        assert_eq!(closed(world.door.sweep()), (2, 0), "{mood:?}");
        let mut written = endings(&world.sink.events());
        written.sort_by_key(|(state, ..)| *state as u8);
        assert_eq!(written, [(TaskState::Completed, 1, 1), (TaskState::Abandoned, 0, 0)], "{mood:?}");
        assert_eq!(unknown_effects(&world.sink.events()), 1);
    }
}

/// Fails for what is to be recorded when this says so.
struct Picky {
    inner: Arc<MemorySink>,
    refuses: Mutex<fn(&Event) -> bool>,
}

impl AuditSink for Picky {
    fn record(&self, event: &Event) -> Ack {
        if self.refuses.lock().expect("a lock")(event) {
            return Ack::failed(AuditError::Failed(Found::new("not this one")));
        }
        self.inner.record(event)
    }
}

fn is_ending(event: &Event) -> bool {
    event.agent.as_ref().is_some_and(|agent| matches!(agent.fact, AgentFact::Ended { .. }))
}

#[test]
fn an_end_that_is_recorded_late_counts_every_effect_that_nobody_told() {
    let sink = Arc::new(MemorySink::new(1000));
    let picky = Arc::new(Picky { inner: Arc::clone(&sink), refuses: Mutex::new(is_ending) });
    let world = World::recorded_in(OPEN, picky.clone(), sink);
    let task = world.task(scope());
    for _ in 0..2 {
        drop(task.redeem(task.authorize(&read()).expect("a permit"), read().arguments()));
    }
    assert!(task.complete().is_err());
    *picky.refuses.lock().expect("a lock") = |_| false;
    assert_eq!(closed(world.door.sweep()), (1, 0));
    assert_eq!(unknown_effects(&world.sink.events()), 2, "each is written once");
    assert_eq!(endings(&world.sink.events()), [(TaskState::Completed, 2, 2)]);
}
