//! The circuit breaker: an agent that is refused, or acts, too often is cut off in all its tasks, and comes back by a try.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bailiwick::audit::{Administered, AgentFact, OperatorFact};
use bailiwick::mandate::{Arguments, Breaker, BreakerState, Grant, Intent, Mandate, Scope, Tripped};
use bailiwick::policy::{Outcome, ReasonCode};
use bailiwick::{DelegationError, Error, Resume, Task, TaskHandle};
use proptest::prelude::*;

use crate::any;
use crate::flaky::{Host, Mood};
use crate::steps::{alone, autonomous, code, read};
use crate::world::{OPEN, START, World, at, audience};

/// Refusals and actions count for so long.
const WITHIN: u64 = 60;
const PAUSE: u64 = 300;

fn settings(refusals: u16, actions: u16) -> Breaker {
    let (max, within) = (|max| NonZeroU16::new(max).expect("not 0"), Duration::from_secs(WITHIN));
    Breaker::new(Duration::from_secs(PAUSE)).refusals(max(refusals), within).actions(max(actions), within)
}

/// A world whose agents are cut off by so many refusals, or after so many actions, in a minute, for five.
pub(crate) fn world(refusals: u16, actions: u16) -> World {
    World::built(OPEN, |builder| builder.breaker(settings(refusals, actions)))
}

fn reads() -> Scope {
    autonomous(&["ticket.read"])
}

/// A step that is refused.
fn fly(task: &TaskHandle) -> Option<ReasonCode> {
    code(task.authorize(&alone("ticket.fly")))
}

/// A step that is permitted unless the agent is cut off.
fn go(task: &TaskHandle) -> Option<ReasonCode> {
    code(task.authorize(&read()))
}

/// What opened breakers so far.
fn openings(world: &World) -> Vec<Tripped> {
    let facts = world.sink.events().into_iter().filter_map(|event| match event.agent?.fact {
        AgentFact::BreakerOpened { by, .. } => Some(by),
        _ => None,
    });
    facts.collect()
}

const OPEN_NOW: Option<ReasonCode> = Some(ReasonCode::BreakerOpen);

#[test]
fn so_many_refusals_within_a_time_cut_the_agent_off_in_all_its_tasks() {
    let world = world(3, 1000);
    let (task, other) = (world.task(reads()), world.task(reads()));
    let permit = other.authorize(&read()).expect("a permit");
    assert_eq!(fly(&task), Some(ReasonCode::ToolUndeclared));
    assert_eq!(fly(&other), Some(ReasonCode::ToolUndeclared), "all its tasks count together");
    assert_eq!(go(&task), None, "two are not three");
    world.clock.advance(Duration::from_secs(WITHIN));
    assert_eq!(fly(&task), Some(ReasonCode::ToolUndeclared), "those of before do not count any more");
    assert_eq!(go(&task), None);
    for _ in 0..2 {
        assert_eq!(fly(&task), Some(ReasonCode::ToolUndeclared));
    }
    let denial = other.authorize(&read()).expect_err("a denial");
    assert_eq!(denial.code(), ReasonCode::BreakerOpen);
    assert_eq!(task.verdict(&read()).expect("a verdict").outcome, Outcome::Denied);
    assert_eq!(openings(&world), [Tripped::Refusals(3)], "told once");
    drop(permit);

    let stranger = bailiwick::identity::danger::workload_vouched_by_host(world.payer.clone(), None, at(START + 3600));
    let payer = world.door.admit(stranger).expect("an active agent");
    let intent = Intent::new("read", reads()).expect("a purpose");
    let theirs = world.door.begin(Mandate::new(payer, intent).approved_by(&world.ada)).expect("a task");
    assert_eq!(go(&theirs), None, "other agents go on");
}

#[test]
fn one_action_more_than_may_be_cuts_off_too() {
    let world = world(1000, 3);
    let task = world.task(reads());
    let permit = task.authorize(&read()).expect("a permit");
    let unminted = task.authorize(&read()).expect("a permit");
    assert_eq!(go(&task), None);
    assert_eq!(go(&task), OPEN_NOW, "the fourth is refused, and not the third");
    assert_eq!(openings(&world), [Tripped::Actions(3)]);
    let denial = task.redeem(permit, &Arguments::none()).expect_err("a denial");
    assert_eq!(denial.code(), ReasonCode::BreakerOpen, "what was permitted before does not run either");
    assert!(task.mint(unminted, &audience()).is_err());
    for _ in 0..10 {
        assert_eq!(go(&task), OPEN_NOW);
    }
    assert_eq!(openings(&world).len(), 1, "told once");
    world.clock.advance(Duration::from_secs(PAUSE));
    for _ in 0..3 {
        assert_eq!(go(&task), None, "a permitted try closes it");
    }
}

#[test]
fn after_the_pause_one_action_is_tried() {
    let world = world(2, 1000);
    let (task, held) = (world.task(reads()), {
        let scope = Scope::new().allow("ticket.purge", Grant::new().autonomous()).expect("a tool name");
        world.task(scope)
    });
    let cut_off = || {
        assert_eq!((fly(&task), fly(&task)), (Some(ReasonCode::ToolUndeclared), Some(ReasonCode::ToolUndeclared)));
        assert_eq!(go(&task), OPEN_NOW);
    };
    cut_off();
    world.clock.advance(Duration::from_secs(PAUSE - 1));
    assert_eq!(go(&task), OPEN_NOW);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(code(held.authorize(&alone("ticket.purge"))), Some(ReasonCode::NeedsApproval), "held is not tried yet");
    assert_eq!(fly(&task), Some(ReasonCode::ToolUndeclared), "refused, it opens again");
    assert_eq!(go(&task), OPEN_NOW);
    world.clock.advance(Duration::from_secs(PAUSE));
    assert_eq!(go(&task), None, "permitted, it closes");
    assert_eq!(fly(&task), Some(ReasonCode::ToolUndeclared));
    assert_eq!(go(&task), None, "and counts from the start");
    assert_eq!(openings(&world), [Tripped::Refusals(2), Tripped::Trial]);
}

#[test]
fn a_person_lets_it_try_before_the_pause_is_over() {
    let world = world(1, 1000);
    let task = world.task(reads());
    let events = || world.sink.events().len();
    let before = events();
    let reset = || world.door.resume(&world.bob, Resume::Breaker(world.triage.clone()));
    assert_eq!(reset(), Ok(()), "what is not open need not be reset");
    assert_eq!(events(), before, "and nothing was done");
    assert_eq!(fly(&task), Some(ReasonCode::ToolUndeclared));
    assert_eq!(go(&task), OPEN_NOW);
    let eve = crate::world::session("eve");
    world.registry.enroll(eve.operator().clone()).expect("a new operator");
    let refused = world.door.resume(&eve, Resume::Breaker(world.triage.clone()));
    assert!(matches!(refused, Err(Error::NotAllowed(_))), "{refused:?}");
    assert_eq!(go(&task), OPEN_NOW);
    assert_eq!(reset(), Ok(()));
    let last = world.sink.events().last().and_then(|event| Some(event.operator.as_ref()?.fact.clone()));
    assert_eq!(last, Some(OperatorFact::Administered(Administered::BreakerReset)));
    assert_eq!(fly(&task), Some(ReasonCode::ToolUndeclared), "it may try");
    assert_eq!(go(&task), OPEN_NOW, "and only once");
}

#[test]
fn what_is_no_sign_of_the_agents_does_not_count() {
    let host = Host::new(OPEN);
    let world = &host.world;
    let door = bailiwick::Authorizer::builder(
        Arc::clone(&world.registry),
        bailiwick::policy::Evaluator::new(crate::world::catalog(), OPEN).expect("policies"),
        host.sink.clone(),
    );
    let door = door.clock(host.clock.clone()).breaker(settings(1, 1000)).build().expect("a door");
    let intent = Intent::new("read", reads()).expect("a purpose");
    let agent = door.admit(world.workload(&world.triage)).expect("an active agent");
    let task = door.begin(Mandate::new(agent, intent).approved_by(&world.ada)).expect("a task");
    for (seam, refusal) in [("clock", ReasonCode::Clock), ("sink", ReasonCode::Audit)] {
        let set = |mood| if seam == "clock" { host.clock.set(mood) } else { host.sink.set(mood) };
        set(Mood::Fails);
        assert_eq!(go(&task), Some(refusal));
        set(Mood::Works);
        assert_eq!(go(&task), None, "{seam}");
    }
    let stale = task.authorize(&read()).expect("a permit");
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(code(task.redeem(stale, &Arguments::none())), Some(ReasonCode::PermitInvalid));
    assert_eq!(go(&task), None);
    // Other arguments than those that were permitted are one.
    let permit = task.authorize(&read()).expect("a permit");
    let changed = task.redeem(permit, &crate::world::args(r#"{"force": true}"#));
    assert_eq!(code(changed), Some(ReasonCode::ArgumentsChanged));
    assert_eq!(go(&task), OPEN_NOW);
}

#[test]
fn who_is_cut_off_has_nobody_else_act_instead() {
    let world = world(1, 1000);
    let task = world.task(reads().delegable(1).expect("a depth"));
    let other = bailiwick::identity::danger::workload_vouched_by_host(world.payer.clone(), None, at(START + 3600));
    let payer = world.door.admit(other).expect("an active agent");
    assert_eq!(fly(&task), Some(ReasonCode::ToolUndeclared));
    let part = task.delegate(Mandate::new(payer, Intent::new("read", reads()).expect("a purpose")));
    assert!(matches!(part, Err(Error::Delegation(DelegationError::Over(_)))), "{part:?}");
}

#[test]
fn the_record_says_how_the_breaker_stood() {
    let world = world(1, 1000);
    let task = world.task(reads());
    assert_eq!(fly(&task), Some(ReasonCode::ToolUndeclared));
    assert_eq!(go(&task), OPEN_NOW);
    world.clock.advance(Duration::from_secs(PAUSE));
    assert_eq!(go(&task), None);
    let stood = world.sink.events().into_iter().filter_map(|event| match event.agent?.fact {
        AgentFact::Decided(decided) => Some(decided.standing.breaker),
        _ => None,
    });
    let until = at(START).after(Duration::from_secs(PAUSE));
    assert_eq!(stood.collect::<Vec<_>>(), [BreakerState::Closed, BreakerState::Open { until }, BreakerState::Trying]);
}

/// However many threads act at once, so many are let through and no more, and the opening is told once.
#[test]
fn it_is_exact_while_many_act_at_once() {
    const THREADS: usize = 8;
    const EACH: usize = 25;
    for limit in [1, 50, 150] {
        let world = world(1000, limit);
        let task = world.task(reads());
        let (permitted, cut_off) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let run = |handle: TaskHandle, trials: usize| {
            for _ in 0..trials {
                match go(&handle) {
                    None => permitted.fetch_add(1, Ordering::SeqCst),
                    OPEN_NOW => cut_off.fetch_add(1, Ordering::SeqCst),
                    other => panic!("{other:?}"),
                };
            }
        };
        let all = |trials| {
            std::thread::scope(|scope| {
                for _ in 0..THREADS {
                    let (handle, run) = (task.handle(), &run);
                    scope.spawn(move || run(handle, trials));
                }
            });
            (permitted.swap(0, Ordering::SeqCst), cut_off.swap(0, Ordering::SeqCst))
        };
        let limit = usize::from(limit);
        assert_eq!(all(EACH), (limit, THREADS * EACH - limit), "at most {limit}");
        assert_eq!(openings(&world).len(), 1);
        // While one is tried, the others are refused: whoever comes after it is through.
        world.clock.advance(Duration::from_secs(PAUSE));
        let (through, refused) = all(1);
        assert!(through >= 1 && through + refused == THREADS, "{through} {refused}");
    }
}

/// What a test does to an agent.
#[derive(Debug, Clone, Copy)]
enum Step {
    Go,
    Fly,
    Hold,
    Wait(u64),
    Back(u64),
    Reset,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Go),
        4 => Just(Step::Fly),
        1 => Just(Step::Hold),
        3 => (1..40_u64).prop_map(Step::Wait),
        1 => Just(Step::Wait(PAUSE)),
        1 => Just(Step::Wait(100_000)),
        1 => (1..1_000_u64).prop_map(Step::Back),
        1 => Just(Step::Reset),
    ]
}

/// A breaker that remembers everything and counts anew each time.
struct Naive {
    refusals: Vec<u64>,
    actions: Vec<u64>,
    /// Open until then; after that, or reset, it is tried.
    open: Option<u64>,
    limits: (usize, usize),
}

impl Naive {
    fn act(&mut self, now: u64, what: Step) -> Option<ReasonCode> {
        let is_trying = self.open.is_some();
        if self.open.is_some_and(|until| now < until) {
            return OPEN_NOW;
        }
        let within = |moments: &[u64]| moments.iter().filter(|moment| **moment + WITHIN > now).count();
        if !is_trying {
            if within(&self.actions) >= self.limits.1 {
                self.trip(now);
                return OPEN_NOW;
            }
            self.actions.push(now);
        }
        match what {
            Step::Go => {
                self.open = None;
                None
            }
            Step::Fly => {
                self.refusals.push(now);
                if is_trying || within(&self.refusals) >= self.limits.0 {
                    self.trip(now);
                }
                Some(ReasonCode::ToolUndeclared)
            }
            _ => Some(ReasonCode::NeedsApproval),
        }
    }

    fn trip(&mut self, now: u64) {
        (self.refusals, self.actions) = (Vec::new(), Vec::new());
        self.open = Some(now + PAUSE);
    }
}

proptest! {
    #![proptest_config(any::cases(64))]

    /// It says what a breaker says that counts everything anew, whatever the clock does.
    #[test]
    fn it_is_a_naive_one_with_less_memory(
        steps in prop::collection::vec(step(), 1..80),
        limits in (1..5_u16, 1..8_u16),
    ) {
        let world = world(limits.0, limits.1);
        let hour = bailiwick::identity::danger::workload_vouched_by_host(world.triage.clone(), None, at(START + 100_000_000));
        let session = bailiwick::identity::danger::operator_vouched_by_host(
            world.ada.operator().clone(), at(START), at(START + 100_000_000),
        ).expect("a session");
        let scope = reads().allow("ticket.purge", Grant::new().autonomous()).expect("a tool name");
        let intent = Intent::new("read", scope).expect("a purpose");
        let mandate = Mandate::new(world.door.admit(hour).expect("an agent"), intent).approved_by(&session);
        let task = world.door.begin(mandate).expect("a task");
        let limits = (usize::from(limits.0), usize::from(limits.1));
        let mut naive = Naive { refusals: Vec::new(), actions: Vec::new(), open: None, limits };
        // What the host's clock says, and the latest that it said.
        let (mut clock, mut now) = (0_u64, 0_u64);
        for (place, step) in steps.into_iter().enumerate() {
            match step {
                Step::Wait(seconds) => clock += seconds,
                Step::Back(seconds) => clock = clock.saturating_sub(seconds),
                // Time goes on where somebody reads the clock.
                _ => now = now.max(clock),
            }
            world.clock.set(at(START + i64::try_from(clock).expect("a moment")));
            let said = match step {
                Step::Go => go(&task),
                Step::Fly => fly(&task),
                Step::Hold => code(task.authorize(&alone("ticket.purge"))),
                Step::Reset => {
                    world.door.resume(&session, Resume::Breaker(world.triage.clone())).expect("a reset");
                    naive.open = naive.open.map(|until| until.min(now));
                    continue;
                }
                Step::Wait(_) | Step::Back(_) => continue,
            };
            prop_assert_eq!(said, naive.act(now, step), "step {} at {}", place, now);
        }
    }
}

#[test]
fn without_a_breaker_nobody_is_cut_off() {
    let world = World::new(OPEN);
    let task: Task = world.task(reads());
    for _ in 0..200 {
        assert_eq!(fly(&task), Some(ReasonCode::ToolUndeclared));
    }
    assert_eq!(go(&task), None);
}
