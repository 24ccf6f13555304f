//! No record, no permit: what a sink does to a decision.

mod records;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use bailiwick::audit::{Ack, AuditError, AuditSink, Denial, Event, FanOut, MemorySink, Receipt, TracingTap};
use bailiwick::credential::MintError;
use bailiwick::id::Found;
use bailiwick::mandate::danger::approval_vouched_by_host;
use bailiwick::mandate::{Action, Approval, Intent, Mandate};
use bailiwick::policy::{Evaluator, ReasonCode};
use bailiwick::{Authorizer, Task};
use tracing::Subscriber;

use crate::world::{OPEN, START, World, at, audience, catalog, operator, scope, ticket};

/// Long enough for a thread to be scheduled on a busy machine.
const PATIENT: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

/// What a test sink does with an event.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Takes,
    Errs,
    Panics,
    DropsTheReceipt,
    AcknowledgesFromAThread,
    FailsFromAThread,
    NeverSaysAWord,
    OnlyLooksOn,
}

/// A sink in a mood; what it sees it keeps, whatever it says of it.
struct Moody {
    mood: Mutex<Mood>,
    seen: Arc<MemorySink>,
    unsaid: Mutex<Vec<Receipt>>,
}

impl Moody {
    fn new(mood: Mood) -> Arc<Self> {
        Arc::new(Self { mood: Mutex::new(mood), seen: Arc::new(MemorySink::new(1_000)), unsaid: Mutex::default() })
    }

    fn turns(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

impl AuditSink for Moody {
    fn record(&self, event: &Event) -> Ack {
        let taken = self.seen.record(event);
        let (receipt, ack) = Ack::later();
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Takes => return taken,
            Mood::Errs => return Ack::failed(refused()),
            Mood::Panics => panic!("the disk is on fire"),
            Mood::DropsTheReceipt => drop(receipt),
            Mood::AcknowledgesFromAThread => drop(thread::spawn(|| receipt.taken())),
            Mood::FailsFromAThread => drop(thread::spawn(|| receipt.failed(refused()))),
            Mood::NeverSaysAWord => self.unsaid.lock().unwrap().push(receipt),
            Mood::OnlyLooksOn => return Ack::never(),
        }
        ack
    }
}

fn refused() -> AuditError {
    AuditError::Failed(Found::new("no space left"))
}

/// A world that is recorded in `sink`, and waits for it at most for `deadline`.
fn world(sink: Arc<dyn AuditSink>, deadline: Duration) -> World {
    let world = World::new(OPEN);
    let evaluator = Evaluator::new(catalog(), OPEN).unwrap();
    let door = Authorizer::builder(Arc::clone(&world.registry), evaluator, sink).clock(world.clock.clone());
    World { door: door.deadline(deadline).build().unwrap(), ..world }
}

fn close(world: &World) -> Action {
    Action::on_behalf_of(&world.ada, "ticket.close", &ticket()).unwrap().presenting(&world.triage_bot)
}

fn purge(world: &World) -> Action {
    Action::on_behalf_of(&world.ada, "ticket.purge", &ticket()).unwrap()
}

fn denied(task: &Task, action: &Action) -> Denial {
    task.authorize(action).expect_err("a denial")
}

#[test]
fn an_action_is_permitted_only_after_its_record_was_taken() {
    let cases = [
        (Mood::Takes, PATIENT, true),
        (Mood::AcknowledgesFromAThread, PATIENT, true),
        (Mood::FailsFromAThread, PATIENT, false),
        (Mood::Errs, PATIENT, false),
        (Mood::Panics, PATIENT, false),
        (Mood::DropsTheReceipt, PATIENT, false),
        (Mood::NeverSaysAWord, SHORT, false),
        (Mood::OnlyLooksOn, SHORT, false),
    ];
    for (mood, deadline, permitted) in cases {
        let sink = Moody::new(Mood::Takes);
        let world = world(sink.clone(), deadline);
        let task = world.task(scope().at_most(1));
        sink.turns(mood);
        match task.authorize(&close(&world)) {
            Ok(_) => assert!(permitted, "{mood:?} gave a permit"),
            Err(denial) => {
                assert!(!permitted, "{mood:?}: {denial:?}");
                assert_eq!((denial.code(), denial.event()), (ReasonCode::Audit, None), "{mood:?}");
            }
        }
        // The one place in the budget is free again: the permit was dropped, or never made.
        sink.turns(Mood::Takes);
        assert!(task.authorize(&close(&world)).is_ok(), "{mood:?} kept the place in the budget");
    }
}

#[test]
fn a_full_memory_denies_until_somebody_makes_room() {
    let sink = Arc::new(MemorySink::new(2));
    let world = world(sink.clone(), PATIENT);
    let task = world.task(scope().at_most(1));
    for _ in 0..3 {
        let denial = denied(&task, &close(&world));
        assert_eq!(denial.code(), ReasonCode::Audit);
        assert!(
            denial.for_operator().to_string().contains("the sink holds 2 events and is full"),
            "{}",
            denial.for_operator()
        );
    }
    assert_eq!(sink.drain().len(), 2, "the admission and the beginning");
    assert!(task.authorize(&close(&world)).is_ok());
    assert_eq!(sink.events().len(), 1);
}

#[test]
fn without_a_record_nobody_is_admitted_nothing_begins_and_nothing_is_minted() {
    let sink = Moody::new(Mood::Errs);
    let world = World::recorded_in(OPEN, sink.clone(), Arc::clone(&sink.seen));
    assert!(world.door.admit(world.workload(&world.triage)).is_err());
    sink.turns(Mood::Takes);
    let mandate = || {
        let intent = Intent::new("close stale tickets", scope()).unwrap();
        let approval = approval_vouched_by_host(operator("ada"), scope(), at(START + 3600), "T-42");
        Mandate::new(world.agent(), intent).approved(approval)
    };
    let (first, second) = (mandate(), mandate());
    sink.turns(Mood::Errs);
    assert!(world.door.begin(first).is_err());
    sink.turns(Mood::Takes);
    let task = world.door.begin(second).expect("the approval is as it was");
    let permit = task.authorize(&close(&world)).unwrap();
    sink.turns(Mood::Errs);
    let error = task.mint(permit, &audience()).expect_err("no credential");
    assert_eq!(error, MintError::Audit(refused()));
}

#[test]
fn an_approval_of_one_action_is_not_used_up_by_a_record_that_was_not_taken() {
    let sink = Moody::new(Mood::Takes);
    let world = world(sink.clone(), PATIENT);
    let task = world.task(scope());
    let request = denied(&task, &purge(&world)).request().cloned().expect("what to ask a human for");
    let approved = purge(&world).approved(Approval::by(&world.ada, request));
    sink.turns(Mood::Panics);
    assert_eq!(denied(&task, &approved).code(), ReasonCode::Audit);
    sink.turns(Mood::Takes);
    assert!(task.authorize(&approved).is_ok());
    assert_eq!(denied(&task, &approved).code(), ReasonCode::ApprovalSpent);
}

#[test]
fn of_several_sinks_all_that_acknowledge_must_and_one_does() {
    use Mood::{AcknowledgesFromAThread, DropsTheReceipt, Errs, NeverSaysAWord, OnlyLooksOn, Panics, Takes};
    let dropped = || Err(AuditError::Failed(Found::new("the receipt was dropped")));
    let cases: [(&[Mood], Result<(), AuditError>); 11] = [
        (&[Takes, Takes], Ok(())),
        (&[Takes, OnlyLooksOn], Ok(())),
        (&[OnlyLooksOn, Takes, AcknowledgesFromAThread], Ok(())),
        (&[], Err(AuditError::NobodyAcknowledges)),
        (&[OnlyLooksOn], Err(AuditError::NobodyAcknowledges)),
        (&[OnlyLooksOn, OnlyLooksOn], Err(AuditError::NobodyAcknowledges)),
        (&[Takes, Errs], Err(refused())),
        (&[Errs, Takes], Err(refused())),
        (&[Panics, Takes], Err(AuditError::Panicked)),
        (&[Takes, DropsTheReceipt, Takes], dropped()),
        (&[NeverSaysAWord, Takes], Err(AuditError::Late(SHORT))),
    ];
    let world = World::new(OPEN);
    let _task = world.task(scope());
    let event = &world.sink.events()[0];
    for (moods, wanted) in cases {
        let sinks: Vec<Arc<Moody>> = moods.iter().map(|mood| Moody::new(*mood)).collect();
        let seam = |sink: &Arc<Moody>| -> Arc<dyn AuditSink> { sink.clone() };
        let deadline = if moods.contains(&NeverSaysAWord) { SHORT } else { PATIENT };
        let all = FanOut::new(sinks.iter().map(seam));
        assert_eq!(all.record(event).wait(deadline), wanted, "{moods:?}");
        for sink in &sinks {
            assert_eq!(sink.seen.events(), std::slice::from_ref(event), "{moods:?}: every sink sees the event");
        }
        // A fan of one fan says the same.
        let nested = FanOut::new([Arc::new(FanOut::new(sinks.iter().map(seam))) as Arc<dyn AuditSink>]);
        assert_eq!(nested.record(event).wait(deadline), wanted, "{moods:?}, nested");
    }
}

#[test]
fn a_tap_alone_permits_nothing_and_beside_a_memory_disturbs_nothing() {
    let world = World::new(OPEN);
    let tap = || Arc::new(TracingTap) as Arc<dyn AuditSink>;
    let alone = World::recorded_in(OPEN, tap(), Arc::clone(&world.sink));
    assert!(alone.door.admit(alone.workload(&alone.triage)).is_err());

    let memory = Arc::new(MemorySink::new(100));
    let beside = World::recorded_in(OPEN, Arc::new(FanOut::new([tap(), memory.clone()])), memory);
    assert!(beside.task(scope()).authorize(&close(&beside)).is_ok());
    assert_eq!(beside.sink.events().len(), 3);
}

#[test]
fn a_tap_shows_every_event() {
    /// Counts what is shown.
    struct Screen(Arc<AtomicUsize>);
    impl Subscriber for Screen {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }
        fn event(&self, _: &tracing::Event<'_>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }
        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
        fn enter(&self, _: &tracing::span::Id) {}
        fn exit(&self, _: &tracing::span::Id) {}
    }
    let world = World::new(OPEN);
    records::tell(&world);
    let shown = Arc::new(AtomicUsize::new(0));
    tracing::subscriber::with_default(Screen(Arc::clone(&shown)), || {
        for event in world.sink.events() {
            let before = shown.load(Ordering::SeqCst);
            drop(TracingTap.record(&event));
            assert!(shown.load(Ordering::SeqCst) > before, "not shown: {event:?}");
        }
    });
}

/// Counts how often it was woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll(ack: &mut Ack, waker: &Waker) -> Poll<Result<(), AuditError>> {
    Pin::new(ack).poll(&mut Context::from_waker(waker))
}

#[test]
fn an_ack_can_be_polled() {
    let known = [
        (Ack::taken(), Ok(())),
        (Ack::failed(refused()), Err(refused())),
        (Ack::never(), Err(AuditError::NobodyAcknowledges)),
    ];
    for (mut ack, wanted) in known {
        assert_eq!(poll(&mut ack, Waker::noop()), Poll::Ready(wanted));
    }
    type Settle = fn(Receipt);
    let later: [(Settle, Result<(), AuditError>); 3] = [
        (|receipt| receipt.taken(), Ok(())),
        (|receipt| receipt.failed(refused()), Err(refused())),
        (drop, Err(AuditError::Failed(Found::new("the receipt was dropped")))),
    ];
    for (settle, wanted) in later {
        let (receipt, mut ack) = Ack::later();
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        assert_eq!(poll(&mut ack, Waker::noop()), Poll::Pending);
        assert_eq!(poll(&mut ack, &waker), Poll::Pending);
        assert_eq!(bell.0.load(Ordering::SeqCst), 0);
        thread::spawn(move || settle(receipt)).join().unwrap();
        assert_eq!(bell.0.load(Ordering::SeqCst), 1, "the last waker is woken, once");
        assert_eq!(poll(&mut ack, &waker), Poll::Ready(wanted));
    }
}

#[test]
fn an_ack_of_several_sinks_is_pending_until_the_last_of_them() {
    let world = World::new(OPEN);
    let _task = world.task(scope());
    let silent = [Moody::new(Mood::NeverSaysAWord), Moody::new(Mood::NeverSaysAWord)];
    let all = FanOut::new(silent.iter().map(|sink| sink.clone() as Arc<dyn AuditSink>));
    let mut ack = all.record(&world.sink.events()[0]);
    for sink in &silent {
        assert_eq!(poll(&mut ack, Waker::noop()), Poll::Pending);
        sink.unsaid.lock().unwrap().pop().expect("a receipt").taken();
    }
    assert_eq!(poll(&mut ack, Waker::noop()), Poll::Ready(Ok(())));
}

#[test]
fn a_waker_that_panics_is_no_matter_of_the_sink() {
    struct Mine;
    impl Wake for Mine {
        fn wake(self: Arc<Self>) {
            panic!("not yours to hear");
        }
    }
    let (receipt, mut ack) = Ack::later();
    assert_eq!(poll(&mut ack, &Waker::from(Arc::new(Mine))), Poll::Pending);
    receipt.taken();
    assert_eq!(poll(&mut ack, Waker::noop()), Poll::Ready(Ok(())));
}
