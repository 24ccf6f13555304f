//! From what another system saw of an agent user, back to the agent, the task and the human: all of it, and nothing made
//! up.

use std::time::Duration;

use bailiwick::Task;
use bailiwick::audit::{Attribution, Behind, Effect, Event, Execution, Permit, Sighting};
use bailiwick::id::{EventId, TaskId};
use bailiwick::identity::{AgentId, AgentUser, AgentUserId};
use bailiwick::mandate::{Action, Approval, Arguments, Intent, Mandate, Resource};
use bailiwick::time::{Clock, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::any::{cases, take};
use crate::delegated::{deep, delegate};
use crate::steps::{autonomous, on_behalf, read, step};
use crate::world::{OPEN, START, World, at, operator, ticket};

fn seen(handle: &str, second: i64) -> Sighting {
    Sighting::new(AgentUserId::new("jira.acme.example", handle).expect("an agent user id"), at(START + second))
}

fn second() -> Duration {
    Duration::from_secs(1)
}

/// Runs a step that is told to have succeeded three seconds after it was decided.
fn run(world: &World, task: &Task, action: &Action) -> EventId {
    let permit = task.authorize(action).expect("a permit");
    let running = task.redeem(permit, action.arguments()).expect("an execution");
    world.clock.advance(3 * second());
    let decision = *running.decision();
    running.finish(Effect::Succeeded).expect("a record");
    decision
}

#[test]
fn the_agent_the_task_and_the_human_are_found() {
    let world = World::new(OPEN);
    let task = world.task(autonomous(&["ticket.read", "ticket.close"]));
    let for_ada = run(&world, &task, &on_behalf(&world.ada, "ticket.close").presenting(&world.triage_bot));
    world.clock.advance(600 * second());
    let alone = run(&world, &task, &read().presenting(&world.triage_bot));
    let rows = [
        (1, for_ada, Behind::OnBehalfOf(operator("ada")), "ticket.close", 0),
        (-10, for_ada, Behind::OnBehalfOf(operator("ada")), "ticket.close", 10),
        (63, for_ada, Behind::OnBehalfOf(operator("ada")), "ticket.close", 60),
        (604, alone, Behind::Sponsor(operator("ada")), "ticket.read", 0),
    ];
    for (second, decision, behind, tool, off_by) in rows {
        let found = world.sink.resolve(&seen("triage-bot", second));
        let [one] = found.as_slice() else { panic!("{second}: {found:?}") };
        assert_eq!((&one.agent, &one.task, one.decision, &one.behind), (&world.triage, task.id(), decision, &behind));
        assert_eq!((one.tool.as_str(), &one.resource, one.off_by), (tool, &ticket(), Duration::from_secs(off_by)));
        assert!(matches!(one.effect, Some((Effect::Succeeded, _))));
    }
    assert_eq!(world.sink.resolve(&seen("TRIAGE-bot", 1)).len(), 1, "systems overlook case");
    for nobody in
        [seen("payer-bot", 1), seen("ada", 1), seen("triage-bot", -61), seen("triage-bot", 64), seen("triage-bot", 300)]
    {
        assert_eq!(world.sink.resolve(&nobody), [], "{nobody:?}");
    }
    let elsewhere = Sighting::new(AgentUserId::new("chat.acme.example", "triage-bot").unwrap(), at(START + 1));
    assert_eq!(world.sink.resolve(&elsewhere), []);
}

#[test]
fn what_was_not_done_as_the_user_is_not_attributed() {
    let world = World::new(OPEN);
    let task = world.task(autonomous(&["ticket.read"]));
    run(&world, &task, &read());
    let _ = task.authorize(&read().presenting(&world.payer_bot)).expect_err("another agent's");
    let _ = task.authorize(&step(None, "ticket.close", &ticket()).presenting(&world.triage_bot)).expect_err("no scope");
    assert_eq!(world.sink.resolve(&seen("triage-bot", 0)), [], "not presented, or denied");
    assert_eq!(world.sink.resolve(&seen("payer-bot", 0)), [], "a claim of another agent's user");
}

#[test]
fn several_candidates_are_all_told_the_likeliest_first() {
    let world = World::new(OPEN);
    let task = world.task(autonomous(&["ticket.read"]));
    let other = Resource::new("ticket", "T-43").unwrap();
    let on_other = step(None, "ticket.read", &other).presenting(&world.triage_bot);
    let action = read().presenting(&world.triage_bot);
    let first = run(&world, &task, &action);
    let second = run(&world, &task, &on_other);
    let failed = task.redeem(task.authorize(&action).unwrap(), &Arguments::none()).unwrap();
    let failed_id = *failed.decision();
    failed.finish(Effect::Failed).unwrap();
    let open = task.authorize(&action).unwrap();
    let order = |sighting: &Sighting| {
        world.sink.resolve(sighting).into_iter().map(|one: Attribution| one.decision).collect::<Vec<_>>()
    };
    assert_eq!(order(&seen("triage-bot", 1)), [first, second, *open.decision(), failed_id]);
    assert_eq!(order(&seen("triage-bot", 5))[0], second, "the one that it lies within");
    assert_eq!(order(&seen("triage-bot", 6)), [second, *open.decision(), failed_id, first]);
    assert_eq!(order(&seen("triage-bot", 6).on(other)), [second], "what was touched tells them apart");
    assert_eq!(order(&seen("triage-bot", 6).within(Duration::ZERO)), [second, *open.decision(), failed_id]);
}

#[test]
fn a_permit_that_never_ran_is_no_candidate_once_its_task_has_ended() {
    let world = World::new(OPEN);
    let task = world.task(autonomous(&["ticket.read"]));
    let action = read().presenting(&world.triage_bot);
    let dropped = task.authorize(&action).unwrap();
    let untold = task.redeem(task.authorize(&action).unwrap(), &Arguments::none()).unwrap();
    let (dropped_id, untold_id) = (*dropped.decision(), *untold.decision());
    drop((dropped, untold));
    let found: Vec<_> =
        world.sink.resolve(&seen("triage-bot", 0)).into_iter().map(|one| (one.decision, one.effect)).collect();
    assert_eq!(found.len(), 2, "both may be running");
    assert!(found.contains(&(dropped_id, None)));
    task.complete().unwrap();
    let found: Vec<_> =
        world.sink.resolve(&seen("triage-bot", 0)).into_iter().map(|one| (one.decision, one.effect)).collect();
    assert_eq!(found, [(untold_id, Some((Effect::Unknown, at(START))))]);
}

#[test]
fn who_approved_exactly_this_is_told() {
    let world = World::new(OPEN);
    let both = world.mandate(autonomous(&["ticket.purge"])).approved_by(&world.bob);
    let task = world.door.begin(both).unwrap();
    let action = step(None, "ticket.purge", &ticket()).presenting(&world.triage_bot);
    let held = task.authorize(&action).expect_err("held");
    let approval = Approval::by(&world.bob, held.request().expect("a request").clone());
    run(&world, &task, &action.approved(approval));
    let found = world.sink.resolve(&seen("triage-bot", 0));
    assert_eq!((&found[0].behind, &found[0].approved_by), (&Behind::Sponsor(operator("ada")), &Some(operator("bob"))));
}

#[test]
fn records_that_do_not_reach_back_say_so() {
    let world = World::new(OPEN);
    let task = world.task(autonomous(&["ticket.read"]));
    let earlier = world.sink.drain();
    run(&world, &task, &read().presenting(&world.triage_bot));
    let behind = |events: &[Event]| seen("triage-bot", 0).resolve(events)[0].behind.clone();
    let late = world.sink.events();
    assert_eq!(behind(&late), Behind::NotInTheseRecords);
    let admitted = [&earlier[..1], &late[..]].concat();
    assert_eq!(behind(&admitted), Behind::NotInTheseRecords, "who answered before may have handed over");
    assert_eq!(behind(&[earlier, late].concat()), Behind::Sponsor(operator("ada")));
}

/// What the test itself knows of an action that was permitted.
struct Known {
    decision: EventId,
    user: Option<AgentUser>,
    agent: AgentId,
    task: TaskId,
    behind: Behind,
    resource: Resource,
    decided: Timestamp,
    /// It was redeemed.
    ran: bool,
    told: Option<(Effect, Timestamp)>,
    ended: bool,
}

#[derive(Debug, Clone)]
enum Step {
    Decide { payer: bool, for_ada: bool, presenting: bool, other: bool },
    Redeem(Index),
    Forget(Index),
    Finish(Index, Effect),
    Lose(Index),
    Wait(u64),
    Complete { payer: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let effect = prop_oneof![Just(Effect::Succeeded), Just(Effect::Failed)];
    let step = prop_oneof![
        4 => any::<(bool, bool, bool, bool)>().prop_map(|(payer, for_ada, unpresented, other)| Step::Decide {
            payer, for_ada, presenting: !unpresented, other
        }),
        3 => any::<Index>().prop_map(Step::Redeem),
        1 => any::<Index>().prop_map(Step::Forget),
        3 => (any::<Index>(), effect).prop_map(|(index, effect)| Step::Finish(index, effect)),
        1 => any::<Index>().prop_map(Step::Lose),
        3 => (0..20_u64).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(|payer| Step::Complete { payer }),
    ];
    proptest::collection::vec(step, 1..40)
}

/// Two agents at work, and the test's own account of it.
struct Office {
    world: World,
    tasks: [Task; 2],
    permits: Vec<(usize, Permit)>,
    running: Vec<Execution>,
    known: Vec<Known>,
}

impl Office {
    fn open() -> Self {
        let world = World::new(OPEN);
        let tasks = [begin(&world, false), begin(&world, true)];
        Self { world, tasks, permits: Vec::new(), running: Vec::new(), known: Vec::new() }
    }

    fn now(&self) -> Timestamp {
        self.world.clock.now().expect("the time")
    }

    fn of(&mut self, decision: EventId) -> &mut Known {
        self.known.iter_mut().find(|known| known.decision == decision).expect("a permitted action")
    }

    fn take(&mut self, step: Step) {
        let now = self.now();
        match step {
            Step::Decide { payer, for_ada, presenting, other } => {
                let resource = Resource::new("ticket", if other { "T-43" } else { "T-42" }).unwrap();
                let action = self::step(for_ada.then_some(&self.world.ada), "ticket.read", &resource);
                let user = if payer { &self.world.payer_bot } else { &self.world.triage_bot };
                let action = if presenting { action.presenting(user) } else { action };
                let task = &self.tasks[usize::from(payer)];
                let permit = task.authorize(&action).expect("a permit");
                let behind = if for_ada { Behind::OnBehalfOf } else { Behind::Sponsor };
                self.known.push(Known {
                    decision: *permit.decision(),
                    user: presenting.then(|| user.clone()),
                    agent: user.agent().clone(),
                    task: task.id().clone(),
                    behind: behind(operator("ada")),
                    resource,
                    decided: now,
                    ran: false,
                    told: None,
                    ended: false,
                });
                self.permits.push((usize::from(payer), permit));
            }
            Step::Redeem(index) => {
                let Some((task, permit)) = take(&mut self.permits, &index) else { return };
                let decision = *permit.decision();
                match self.tasks[task].redeem(permit, &Arguments::none()) {
                    Ok(running) => {
                        self.of(decision).ran = true;
                        self.running.push(running);
                    }
                    // Its task ended, or it was too late.
                    Err(_) => self.known.retain(|known| known.decision != decision),
                }
            }
            Step::Forget(index) => drop(take(&mut self.permits, &index)),
            Step::Finish(index, effect) => {
                let Some(running) = take(&mut self.running, &index) else { return };
                let decision = *running.decision();
                running.finish(effect).expect("a record");
                self.of(decision).told = Some((effect, now));
            }
            Step::Lose(index) => drop(take(&mut self.running, &index)),
            Step::Wait(seconds) => self.world.clock.advance(Duration::from_secs(seconds)),
            Step::Complete { payer } => {
                let next = begin(&self.world, payer);
                let task = std::mem::replace(&mut self.tasks[usize::from(payer)], next);
                for known in self.known.iter_mut().filter(|known| known.task == *task.id()) {
                    known.ended = true;
                    if known.ran && known.told.is_none() {
                        known.told = Some((Effect::Unknown, now));
                    }
                }
                task.complete().expect("an end");
            }
        }
    }
}

fn begin(world: &World, payer: bool) -> Task {
    let agent = world.door.admit(world.workload(if payer { &world.payer } else { &world.triage })).expect("an agent");
    let intent = Intent::new("read tickets", autonomous(&["ticket.read"])).expect("a purpose");
    world.door.begin(Mandate::new(agent, intent).approved_by(&world.ada)).expect("a task")
}

proptest! {
    #![proptest_config(cases(64))]

    /// By the test's own account: every action that it may have been, with what is known of it, and no other.
    #[test]
    fn whoever_it_may_have_been_is_found_and_nobody_else(
        steps in steps(),
        sightings in proptest::collection::vec((any::<bool>(), 0..200_i64, 0..20_u64, proptest::option::of(any::<bool>())), 8),
    ) {
        let mut office = Office::open();
        steps.into_iter().for_each(|step| office.take(step));
        for (payer, second, window, other) in sightings {
            let (handle, time) = (if payer { "payer-bot" } else { "triage-bot" }, at(START + second));
            let mut sighting = seen(handle, second).within(Duration::from_secs(window));
            let resource = other.map(|other| Resource::new("ticket", if other { "T-43" } else { "T-42" }).unwrap());
            sighting = resource.clone().into_iter().fold(sighting, Sighting::on);
            let found = office.world.sink.resolve(&sighting);
            prop_assert!(found.is_sorted_by_key(|one| one.off_by));
            let mut found: Vec<_> = found.into_iter().map(|one| {
                (one.decision, one.agent, one.task, one.behind, one.effect, one.off_by.as_secs())
            }).collect();
            found.sort_by_key(|one| one.0);
            let expected = office.known.iter().filter_map(|known| {
                let presented = known.user.as_ref().is_some_and(|user| user.id().handle().as_str() == handle);
                let over = known.ended && known.told.is_none();
                let touched = resource.as_ref().is_none_or(|resource| *resource == known.resource);
                let early = known.decided.unix() - time.unix();
                let late = known.told.map_or(0, |(_, told)| time.unix() - told.unix());
                let off_by = early.max(late).max(0) as u64;
                (presented && !over && touched && off_by <= window).then(|| {
                    let (agent, task) = (known.agent.clone(), known.task.clone());
                    (known.decision, agent, task, known.behind.clone(), known.told, off_by)
                })
            });
            let mut expected: Vec<_> = expected.collect();
            expected.sort_by_key(|one| one.0);
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn who_is_behind_a_task_is_not_who_is_behind_its_parts() {
    let world = World::new(OPEN);
    let task = world.task(deep(autonomous(&["ticket.read"]), 1));
    // Bob answers for the worker, in the same transaction; Ada for the agent that delegates.
    let part = delegate(&world, &task, "a", autonomous(&["ticket.read"])).unwrap();
    let action = read().presenting(&world.triage_bot);
    let running = task.authorize(&action).unwrap();
    part.complete().unwrap();
    let found = world.sink.resolve(&seen("triage-bot", 0));
    let [one] = found.as_slice() else { panic!("it may run still: {found:?}") };
    assert_eq!((&one.task, &one.behind), (task.id(), &Behind::Sponsor(operator("ada"))));
    drop(running);
    task.complete().unwrap();
    assert_eq!(world.sink.resolve(&seen("triage-bot", 0)), []);
}
