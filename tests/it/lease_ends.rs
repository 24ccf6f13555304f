//! The ends of leases: what a lost answer, a halt in between and a host that panics leave is owed, and not for ever.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bailiwick::Halt;
use bailiwick::audit::{OpenLease, OpenLeases, Permit};
use bailiwick::credential::{CredentialIssuer, Gone, Issued, IssuerError, LeaseError, LeaseRequest};
use bailiwick::id::LeaseId;
use bailiwick::secret::Secret;
use bailiwick::time::Timestamp;

use crate::delegated::{delegable, delegate};
use crate::flaky::Host;
use crate::issuing::{Issuing, LIFETIME, Revoking, host, lease, story};
use crate::steps::{autonomous, read};
use crate::world::{OPEN, START, at, audience, scope, session};

/// What was recorded, as another process finds it.
fn recorded(host: &Host) -> Vec<OpenLease> {
    OpenLeases::of(&host.world.sink.events()).found()
}

/// Halts the task of this name, and sweeps.
fn halt_and_sweep(host: &Host, task: &bailiwick::Task) -> impl FnOnce() + Send + use<> {
    let (door, ada, name) = (host.world.door.clone(), session("ada"), task.id().clone());
    move || {
        door.halt(&ada, Halt::Task(name)).expect("halted");
        door.sweep();
    }
}

// ── Renewals ────────────────────────────────────────────────────────────────────────────────────────────────────────

/// How an issuer answers that is asked to renew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Renewing {
    Works,
    /// It is done, and the answer is lost.
    LosesTheAnswer,
    Panics,
    /// It certainly is not done.
    Refuses,
}

/// A system that makes anew whatever is renewed, or one that only time ends.
struct Keys {
    renewing: Renewing,
    only_time: bool,
    latest: Option<Duration>,
    there: Mutex<Option<Timestamp>>,
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Keys {
    fn new(renewing: Renewing, only_time: bool) -> Self {
        Self { renewing, only_time, latest: None, there: Mutex::default(), meanwhile: Mutex::default() }
    }

    fn host(self) -> (Host, Arc<Self>) {
        let keys = Arc::new(self);
        (Host::issuing(OPEN, vec![(audience(), keys.clone())]), keys)
    }

    fn ends(&self) -> Option<Timestamp> {
        *self.there.lock().unwrap()
    }
}

impl CredentialIssuer for Keys {
    fn lifetime(&self) -> Duration {
        Duration::from_secs(60)
    }
    fn latest_end(&self, until: Timestamp) -> Option<Timestamp> {
        self.latest.map(|latest| until.after(latest))
    }
    fn issue(&self, _: &Permit, request: &LeaseRequest) -> Result<Issued, IssuerError> {
        *self.there.lock().unwrap() = Some(request.until());
        Ok(Issued::new(Secret::new("a key".to_owned())).until(request.until()))
    }
    fn revoke(&self, _: &LeaseId) -> Result<Gone, IssuerError> {
        if self.only_time {
            return Err(IssuerError::Unsupported);
        }
        Ok(if self.there.lock().unwrap().take().is_some() { Gone::Revoked } else { Gone::NotFound })
    }
    fn renew(&self, _: &LeaseId, until: Timestamp) -> Result<Option<Timestamp>, IssuerError> {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        meanwhile.into_iter().for_each(|act| act());
        if self.renewing == Renewing::Refuses {
            return Err(IssuerError::refused("not again"));
        }
        *self.there.lock().unwrap() = Some(until);
        match self.renewing {
            Renewing::LosesTheAnswer => Err(IssuerError::failed("timed out")),
            Renewing::Panics => panic!("the issuer panics"),
            _ => Ok(Some(until)),
        }
    }
}

#[test]
fn a_renewal_whose_answer_is_lost_is_not_taken_as_not_done() {
    for how in [Renewing::LosesTheAnswer, Renewing::Panics] {
        for latest in [None, Some(Duration::from_secs(5))] {
            let (host, keys) = Keys { latest, ..Keys::new(how, true) }.host();
            let task = host.world.task(scope());
            let mut held = lease(&task).expect("a lease");
            host.world.clock.set(at(START + 50));
            task.renew(&mut held).expect_err("the answer is lost");
            assert_eq!((keys.ends(), held.until()), (Some(at(START + 110)), at(START + 60)), "there, and here");
            drop(held);
            let next = host.door(OPEN, vec![(audience(), keys.clone())]);
            assert_eq!(next.recover(recorded(&host)), []);
            for (now, over) in [(60, false), (110, false), (114, false), (115, latest.is_some())] {
                host.world.clock.set(at(START + now));
                for door in [&host.world.door, &next] {
                    let swept = door.sweep();
                    let expected = (usize::from(over), usize::from(!over));
                    assert_eq!((swept.revoked, swept.owed), expected, "{how:?} {latest:?} {now}");
                }
            }
        }
    }
}

#[test]
fn a_renewal_that_is_certainly_not_done_leaves_the_end_as_it_was() {
    let (host, keys) = Keys::new(Renewing::Refuses, true).host();
    let task = host.world.task(scope());
    let mut held = lease(&task).expect("a lease");
    host.world.clock.set(at(START + 50));
    task.renew(&mut held).expect_err("not again");
    assert_eq!(recorded(&host)[0].ends, keys.ends(), "after a crash too");
    drop(held);
    host.world.clock.set(at(START + 60));
    assert_eq!(host.world.door.sweep().revoked, 1);
}

#[test]
fn what_is_revoked_while_it_is_renewed_is_revoked_again() {
    for how in [Renewing::Works, Renewing::LosesTheAnswer, Renewing::Panics, Renewing::Refuses] {
        let (host, keys) = Keys::new(how, false).host();
        let task = host.world.task(scope());
        let mut held = lease(&task).expect("a lease");
        host.world.clock.set(at(START + 50));
        *keys.meanwhile.lock().unwrap() = Some(Box::new(halt_and_sweep(&host, &task)));
        let refused = task.renew(&mut held).expect_err("it was halted");
        assert_eq!(keys.ends(), None, "{how:?}: it came to be again, and was revoked again");
        let lost = matches!(how, Renewing::LosesTheAnswer | Renewing::Panics);
        assert_eq!(matches!(refused, LeaseError::Owed(_)), lost, "{how:?}: {refused:?}");
        assert_eq!(host.world.door.owed().len(), usize::from(lost), "{how:?}: it may still be heard");
        // What was heard late is found.
        if lost {
            *keys.there.lock().unwrap() = Some(at(START + 110));
        }
        host.world.clock.set(at(START + 110));
        host.world.door.sweep();
        assert_eq!((keys.ends(), host.world.door.owed(), recorded(&host)), (None, vec![], vec![]), "{how:?}");
    }
}

#[test]
fn what_is_renewed_for_less_than_before_ends_sooner() {
    let (host, system) = host();
    let task = host.world.task(scope());
    let mut held = lease(&task).expect("a lease");
    system.renews();
    host.world.clock.set(at(START + 100));
    system.ends(Some(at(START + 150)));
    assert_eq!(task.renew(&mut held).expect("for less"), at(START + 150));
    assert_eq!(held.until(), at(START + 150));
    host.world.clock.set(at(START + 150));
    assert_eq!(host.world.door.sweep().revoked, 1);
    assert_eq!(story(&host), ["intended", "issued", "renewed", "issued", "revoked"]);
}

// ── What only time ends ─────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_a_lost_answer_left_where_only_time_ends_it_is_owed_until_the_latest_end_that_it_can_have() {
    let (host, system) = host();
    let task = host.world.task(scope());
    system.issuing(Issuing::LosesTheAnswer);
    system.revoking(Some(Revoking::Cannot));
    system.lives_at_most(Duration::from_secs(3600));
    lease(&task).expect_err("lost");
    task.complete().expect("an end");
    let next = host.door(OPEN, vec![(audience(), system.clone())]);
    assert_eq!(next.recover(recorded(&host)), []);
    let ends = at(START).after(LIFETIME).after(Duration::from_secs(3600));
    for (now, owed) in [(at(ends.unix() - 1), 1), (ends, 0)] {
        host.world.clock.set(now);
        for door in [&host.world.door, &next] {
            assert_eq!(door.sweep().owed, owed, "{now}");
        }
    }
}

#[test]
fn what_was_refused_where_only_time_ends_it_is_not_waited_for() {
    let (host, system) = host();
    let task = host.world.task(scope());
    system.issuing(Issuing::Refuses);
    system.revoking(Some(Revoking::Cannot));
    lease(&task).expect_err("refused");
    assert_eq!((host.world.door.owed(), story(&host)), (vec![], vec!["intended", "not there"]));
}

#[test]
fn an_answer_that_comes_after_the_end_tells_its_end_nevertheless() {
    let (host, system) = host();
    let task = host.world.task(scope());
    system.ends(Some(at(START + 600)));
    system.revoking(Some(Revoking::Cannot));
    system.meanwhile(halt_and_sweep(&host, &task));
    assert!(matches!(lease(&task), Err(LeaseError::Denied(_))));
    assert_eq!(recorded(&host)[0].ends, Some(at(START + 600)), "after a crash too");
    for (now, owed) in [(599, 1), (600, 0)] {
        host.world.clock.set(at(START + now));
        assert_eq!(host.world.door.sweep().owed, owed, "{now}");
    }
}

// ── Intents ─────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_intent_that_is_forgotten_is_settled_when_nobody_can_have_the_answer_any_more() {
    let (host, system) = host();
    let task = host.world.task(scope());
    let intend = || task.intend(task.authorize(&read()).expect("a permit"), &audience()).expect("an intent");
    std::mem::forget(intend());
    let kept = intend();
    let handle = task.handle();
    task.complete().expect("an end");
    assert_eq!(host.world.door.sweep().owed, 2, "somebody may still ask for them");
    host.world.clock.set(at(START).after(LIFETIME));
    assert_eq!((host.world.door.sweep().revoked, recorded(&host)), (2, vec![]));
    // Somebody did, against all sense: it is revoked.
    system.drain_asked();
    let id = kept.request().id().clone();
    handle.adopt(kept, Issued::new(Secret::new("late".to_owned()))).expect_err("it is over");
    assert_eq!((system.revoked(), host.world.door.owed()), (vec![id], vec![]));
}

// ── Room ────────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_errand_has_so_many_leases_however_many_parts_it_has() {
    let (host, system) = host();
    let world = &host.world;
    let task = world.task(delegable(1));
    let part = || delegate(world, &task, "worker", autonomous(&["ticket.read"])).expect("a part");
    let (one, two) = (part(), part());
    let _kept: Vec<_> = (0..63).map(|n| lease([&one, &two][n % 2]).expect("a lease")).collect();
    system.revoking(Some(Revoking::Fails(usize::MAX)));
    drop(lease(&one).expect("a lease"));
    drop(one);
    world.door.sweep();
    for full in [&part(), &two, &task] {
        assert_eq!(lease(full).expect_err("full"), LeaseError::TooMany { open: 64 });
    }
    let _other = lease(&world.task(scope())).expect("another errand has its own");
}

// ── A host that panics ──────────────────────────────────────────────────────────────────────────────────────────────

/// A subscriber that panics while it is told to.
struct Bomb(Arc<AtomicBool>);

impl tracing::Subscriber for Bomb {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        assert!(!self.0.load(Ordering::SeqCst), "the subscriber panics");
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn a_subscriber_that_panics_loses_no_lease() {
    let (host, system) = host();
    let task = host.world.task(scope());
    drop(lease(&task).expect("a lease"));
    system.revoking(Some(Revoking::Fails(3)));
    tracing::subscriber::with_default(Bomb(Arc::new(AtomicBool::new(true))), || {
        let swept = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| host.world.door.sweep()));
        swept.expect_err("the panic is the host's");
    });
    assert_eq!(story(&host), ["intended", "issued", "not revoked"], "that was recorded before");
    assert_eq!((host.world.door.sweep().revoked, system.there()), (1, vec![]));
}
