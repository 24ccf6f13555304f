//! Leases: recorded before they are, revoked when they or what they rest on ends, and owed until they are.

use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use bailiwick::audit::{
    Ack, AgentFact, AuditError, AuditSink, Effect, Event, LeaseFact, MemorySink, OpenLease, OpenLeases,
};
use bailiwick::credential::{Issued, IssuerError, LeaseError};
use bailiwick::id::Found;
use bailiwick::mandate::{Grant, Scope};
use bailiwick::policy::{Reason, ReasonCode};
use bailiwick::secret::Secret;
use bailiwick::{Authorizer, Error, Halt, NotRecovered, Swept, Task};

use crate::delegated::{delegable, delegate};
use crate::ends::End;
use crate::flaky::{BROKEN, Host, Mood};
use crate::issuing::{Asked, Issuing, LIFETIME, Revoking, System, facts, host, lease, story};
use crate::published::audience as audience_of;
use crate::steps::{autonomous, read};
use crate::world::{OPEN, START, World, at, audience, scope};

/// Revoked, and owed.
fn told(swept: Swept) -> (usize, usize) {
    (swept.revoked, swept.owed)
}

// ── From intent to end ──────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_intent_is_recorded_before_the_issuer_is_asked() {
    let (host, system) = host();
    let task = host.world.task(scope());
    let (sink, seen) = (host.world.sink.clone(), Arc::new(Mutex::new(Vec::new())));
    let when_asked = seen.clone();
    system.meanwhile(move || *when_asked.lock().unwrap() = facts(&sink.events()));
    let lease = lease(&task).expect("a lease");
    let seen = seen.lock().unwrap();
    let [LeaseFact::Intended { lease: intended, audience: service, until, .. }] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    assert_eq!((intended, service, *until), (lease.id(), &audience(), at(START).after(LIFETIME)));
    assert_eq!(system.there(), [lease.id().clone()]);
    assert_eq!(lease.expose(), format!("canary-of-{}", lease.id()));
    assert_eq!((lease.audience(), lease.until()), (&audience(), at(START).after(LIFETIME)));
    assert_eq!(story(&host), ["intended", "issued"]);
}

#[test]
fn what_is_given_back_is_revoked_at_once_and_what_is_finished_or_dropped_by_the_next_sweep() {
    let (host, system) = host();
    let task = host.world.task(scope());
    task.give_back(lease(&task).expect("a lease"), Effect::Succeeded).expect("given back");
    assert_eq!(system.there(), []);
    lease(&task).expect("a lease").finish(Effect::Failed).expect("a record");
    drop(lease(&task).expect("a lease"));
    let kept = lease(&task).expect("a lease");
    assert_eq!(system.there().len(), 3, "nobody was asked yet");
    assert_eq!(told(host.world.door.sweep()), (2, 0));
    assert_eq!(system.there(), [kept.id().clone()], "what somebody has in a task that goes on stays");
    let closed = task.complete().expect("an end");
    assert_eq!((closed.revoked, closed.owed, closed.unknown), (1, 0, 2));
    assert_eq!(system.there(), []);
}

#[test]
fn every_end_leaves_nothing_at_the_other_system_after_a_sweep() {
    for end in End::ALL {
        for kept in [true, false] {
            let (host, system) = host();
            let task = host.world.task(scope());
            let lease = Some(lease(&task).expect("a lease")).filter(|_| kept);
            let over = end.come(&host.world, task);
            if end != End::Completed {
                assert_eq!(system.there().len(), 1, "{end:?}: an end calls nobody");
                assert_eq!(told(host.world.door.sweep()), (1, 0), "{end:?}");
            }
            assert_eq!(system.there(), [], "{end:?}");
            assert_eq!(host.world.door.owed(), [], "{end:?}");
            assert_eq!(story(&host).last(), Some(&"revoked"), "{end:?}");
            if let (Some(task), Some(mut lease)) = (over, lease) {
                task.renew(&mut lease).expect_err("it is over");
            }
        }
    }
}

#[test]
fn an_end_of_one_task_leaves_the_leases_of_others() {
    let (host, system) = host();
    let (one, other) = (host.world.task(scope()), host.world.task(scope()));
    let (_one, kept) = (lease(&one).expect("a lease"), lease(&other).expect("a lease"));
    one.complete().expect("an end");
    host.world.door.sweep();
    assert_eq!(system.there(), [kept.id().clone()]);
}

#[test]
fn completing_a_task_revokes_the_leases_of_its_parts_first() {
    let (host, system) = host();
    let task = host.world.task(delegable(1));
    let above = lease(&task).expect("a lease").id().clone();
    let part = delegate(&host.world, &task, "worker", scope()).expect("a part");
    let below = lease(&part).expect("a lease");
    let closed = task.complete().expect("an end");
    assert_eq!((closed.revoked, closed.owed), (2, 0));
    assert_eq!(system.revoked(), [below.id().clone(), above]);
}

#[test]
fn the_newest_is_revoked_first() {
    let (host, system) = host();
    let (one, other) = (host.world.task(scope()), host.world.task(scope()));
    let given: Vec<_> = [&one, &other, &one, &other].map(|task| lease(task).expect("a lease")).into();
    let ids: Vec<_> = given.iter().map(|lease| lease.id().clone()).collect();
    one.complete().expect("an end");
    assert_eq!(system.revoked(), [ids[2].clone(), ids[0].clone()]);
    system.drain_asked();
    let third = host.world.task(scope());
    let late = lease(&third).expect("a lease").id().clone();
    drop((other, third));
    system.drain_asked();
    host.world.door.sweep();
    assert_eq!(system.revoked(), [late, ids[3].clone(), ids[1].clone()]);
}

#[test]
fn beginning_a_task_asks_no_issuer() {
    let (host, system) = host();
    let task = host.world.task(scope());
    drop(lease(&task).expect("a lease"));
    drop(task);
    system.drain_asked();
    let _next = host.world.task(scope());
    assert_eq!(system.drain_asked(), []);
    assert_eq!(told(host.world.door.sweep()), (1, 0), "its task is closed, and the lease is known still");
}

#[test]
fn a_lease_that_is_over_is_revoked_while_its_task_goes_on() {
    let (host, system) = host();
    let task = host.world.task(scope());
    let mut over = lease(&task).expect("a lease");
    host.world.clock.set(over.until().after(Duration::ZERO));
    let fresh = lease(&task).expect("a lease");
    assert_eq!(told(host.world.door.sweep()), (1, 0));
    assert_eq!(system.there(), [fresh.id().clone()]);
    assert!(matches!(task.renew(&mut over), Err(LeaseError::TooShort { .. })));
}

// ── What the issuer does ────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_issuer_that_fails_gives_nothing_and_leaves_nothing() {
    let cases = [
        (Issuing::Refuses, IssuerError::refused("not for you"), "not there"),
        (Issuing::LosesTheAnswer, IssuerError::failed("timed out"), "revoked"),
        (Issuing::Panics, IssuerError::Panicked, "revoked"),
    ];
    for (how, why, ending) in cases {
        let (host, system) = host();
        let task = host.world.task(Scope::new().allow("ticket.read", Grant::new().autonomous().at_most(1)).unwrap());
        system.issuing(how);
        assert_eq!(lease(&task).expect_err("no lease"), LeaseError::Issuer(why), "{how:?}");
        assert_eq!((system.there(), host.world.door.owed()), (vec![], vec![]), "{how:?}");
        assert_eq!(story(&host), ["intended", ending], "{how:?}");
        let voided = |event: &Event| match &event.agent.as_ref()?.fact {
            AgentFact::Voided { reason: Reason::NoCredential(why), .. } => Some(why.clone()),
            _ => None,
        };
        assert_eq!(host.world.sink.events().iter().filter_map(voided).count(), 1, "{how:?}");
        system.issuing(Issuing::Works);
        let _lease = lease(&task).expect("the budget is as it was");
    }
}

#[test]
fn what_may_still_come_is_owed_until_it_came_or_would_have_ended() {
    for comes in [true, false] {
        let (host, system) = host();
        let task = host.world.task(scope());
        system.issuing(Issuing::ComesLate);
        lease(&task).expect_err("no lease");
        assert_eq!(told(host.world.door.sweep()), (0, 1), "it is not there, and nobody knows what will be");
        assert_eq!(story(&host), ["intended", "not revoked"]);
        if comes {
            system.late_ones_come(at(START));
            assert_eq!(system.there().len(), 1);
        } else {
            host.world.clock.set(at(START).after(LIFETIME));
        }
        assert_eq!(told(host.world.door.sweep()), (1, 0));
        assert_eq!((system.there(), host.world.door.owed()), (vec![], vec![]));
        assert_eq!(story(&host).last(), Some(if comes { &"revoked" } else { &"not there" }));
    }
}

#[test]
fn an_issuer_may_give_less_and_what_it_gives_beyond_is_cut() {
    let wanted = at(START).after(LIFETIME);
    for (ends, until) in [(None, wanted), (Some(at(START + 10)), at(START + 10)), (Some(at(START + 9999)), wanted)] {
        let (host, system) = host();
        let task = host.world.task(scope());
        system.ends(ends);
        let lease = lease(&task).expect("a lease");
        assert_eq!(lease.until(), until);
        let recorded = facts(&host.world.sink.events()).pop();
        assert_eq!(recorded, Some(LeaseFact::Issued { lease: lease.id().clone(), until, ends, unheard: None }));
        host.world.clock.set(until);
        host.world.door.sweep();
        assert_eq!(system.there(), []);
    }
    let (host, system) = host();
    let task = host.world.task(scope());
    system.ends(Some(at(START)));
    assert_eq!(lease(&task).expect_err("over"), LeaseError::TooShort { until: at(START), now: at(START) });
    assert_eq!((system.there(), host.world.door.owed()), (vec![], vec![]));
}

#[test]
fn a_lease_is_bounded_by_what_it_rests_on() {
    let (host, _) = host();
    let task = host.world.door.begin(host.world.mandate(scope()).until(at(START + 7))).expect("a task");
    assert_eq!(lease(&task).expect("a lease").until(), at(START + 7));
}

#[test]
fn revoking_is_tried_three_times_each_time_and_owed_until_it_works() {
    for (fails, panics) in [(usize::MAX, false), (usize::MAX, true)] {
        let (host, system) = host();
        let task = host.world.task(scope());
        let id = lease(&task).expect("a lease").id().clone();
        system.drain_asked();
        system.revoking(Some(if panics { Revoking::Panics(fails) } else { Revoking::Fails(fails) }));
        let closed = task.complete().expect("an end");
        assert_eq!((closed.revoked, closed.owed), (0, 1));
        assert_eq!(system.revoked(), [id.clone(), id.clone(), id.clone()]);
        let owed = host.world.door.owed();
        assert_eq!((&owed[0].lease.lease, owed[0].tries, owed.len()), (&id, 3, 1));
        assert!(owed[0].why.is_some());
        assert_eq!(told(host.world.door.sweep()), (0, 1));
        assert_eq!(system.drain_asked().len(), 6);
        assert_eq!(story(&host), ["intended", "issued", "not revoked"], "told once");
        system.revoking(None);
        assert_eq!(told(host.world.door.sweep()), (1, 0));
        assert_eq!(story(&host).last(), Some(&"revoked"));
        assert_eq!((system.there(), host.world.door.owed()), (vec![], vec![]));
        assert_eq!(told(host.world.door.sweep()), (0, 0));
    }
}

#[test]
fn an_issuer_that_fails_twice_is_asked_a_third_time() {
    let (host, system) = host();
    let task = host.world.task(scope());
    drop(lease(&task).expect("a lease"));
    system.revoking(Some(Revoking::Fails(2)));
    assert_eq!(told(host.world.door.sweep()), (1, 0));
    assert_eq!(story(&host), ["intended", "issued", "revoked"]);
}

#[test]
fn what_only_time_ends_is_owed_until_its_own_end() {
    for ends in [Some(at(START + 3600)), None] {
        let (host, system) = host();
        let task = host.world.task(scope());
        system.ends(ends);
        system.revoking(Some(Revoking::Cannot));
        drop(lease(&task).expect("a lease"));
        let closed = task.complete().expect("an end");
        assert_eq!((closed.revoked, closed.owed, system.revoked().len()), (0, 1, 1));
        // The same is known after a crash.
        let door = host.door(OPEN, vec![(audience(), system.clone())]);
        assert_eq!(door.recover(OpenLeases::of(&host.world.sink.events()).found()), []);
        for door in [&host.world.door, &door] {
            host.world.clock.set(at(START + 3599));
            assert_eq!(told(door.sweep()), (0, 1), "past our end, and not its own");
        }
        host.world.clock.set(at(START + 3600));
        let over = usize::from(ends.is_some());
        assert_eq!(told(host.world.door.sweep()), (over, 1 - over));
        assert_eq!(told(door.sweep()), (over, 1 - over));
    }
}

#[test]
fn one_that_cannot_be_revoked_keeps_no_other_from_being() {
    let (host, system) = host();
    let task = host.world.task(scope());
    let given = [(); 3].map(|()| lease(&task).expect("a lease"));
    drop(task);
    system.revoking(Some(Revoking::Fails(3)));
    assert_eq!(told(host.world.door.sweep()), (2, 1));
    assert_eq!(system.there(), [given[2].id().clone()]);
}

// ── What the host's other seams do ──────────────────────────────────────────────────────────────────────────────────

#[test]
fn without_a_record_of_the_intent_nobody_is_asked() {
    for mood in BROKEN {
        let (host, system) = host();
        let task = host.world.task(scope());
        let permit = task.authorize(&read()).expect("a permit");
        host.sink.set(mood);
        assert!(matches!(task.lease(permit, &audience()), Err(LeaseError::Audit(_))), "{mood:?}");
        assert!(system.drain_asked().iter().all(|asked| !matches!(asked, Asked::Issue(_))), "{mood:?}");
        host.sink.set(Mood::Works);
        host.world.door.sweep();
        assert_eq!((system.there(), host.world.door.owed()), (vec![], vec![]), "{mood:?}");
    }
}

/// Fails for what it is told to fail for.
struct Picky {
    inner: Arc<MemorySink>,
    refuses: Mutex<fn(&LeaseFact) -> bool>,
}

impl AuditSink for Picky {
    fn record(&self, event: &Event) -> Ack {
        let refuses = *self.refuses.lock().unwrap();
        if facts(std::slice::from_ref(event)).iter().any(refuses) {
            return Ack::failed(AuditError::Failed(Found::new("not this one")));
        }
        self.inner.record(event)
    }
}

fn picky(refuses: fn(&LeaseFact) -> bool) -> (World, Arc<System>, Arc<Picky>) {
    let picky = Arc::new(Picky { inner: Arc::new(MemorySink::new(1000)), refuses: Mutex::new(refuses) });
    let mut world = World::recorded_in(OPEN, picky.clone(), picky.inner.clone());
    let system = Arc::new(System::default());
    world.door = Authorizer::builder(world.registry.clone(), evaluator(), picky.clone())
        .issuer(audience(), system.clone())
        .clock(world.clock.clone())
        .build()
        .unwrap();
    (world, system, picky)
}

fn evaluator() -> bailiwick::policy::Evaluator {
    bailiwick::policy::Evaluator::new(crate::world::catalog(), OPEN).unwrap()
}

#[test]
fn without_a_record_of_what_was_issued_there_is_no_lease() {
    let (world, system, _) = picky(|fact| matches!(fact, LeaseFact::Issued { .. }));
    let task = world.task(scope());
    assert!(matches!(lease(&task), Err(LeaseError::Audit(_))));
    assert_eq!((system.there(), world.door.owed()), (vec![], vec![]));
    assert_eq!(facts(&world.sink.events()).len(), 2, "intended and revoked");
}

#[test]
fn what_is_gone_is_owed_until_that_is_recorded() {
    let (world, system, picky) = picky(|fact| matches!(fact, LeaseFact::Revoked { .. }));
    let task = world.task(scope());
    drop(lease(&task).expect("a lease"));
    assert_eq!(told(world.door.sweep()), (0, 1));
    assert_eq!(system.there(), []);
    assert_eq!(told(world.door.sweep()), (0, 1));
    assert_eq!(system.revoked().len(), 1, "the issuer said so, and is not asked again");
    *picky.refuses.lock().unwrap() = |_| false;
    assert_eq!(told(world.door.sweep()), (1, 0));
    let last = facts(&world.sink.events()).pop();
    assert!(matches!(last, Some(LeaseFact::Revoked { found: true, .. })), "{last:?}");
    drop(task);
}

#[test]
fn without_randomness_or_time_nobody_is_asked() {
    for mood in BROKEN {
        let (host, system) = host();
        let task = host.world.task(scope());
        let [no_id, no_time] = [(); 2].map(|()| task.authorize(&read()).expect("a permit"));
        host.entropy.set(mood);
        assert!(matches!(task.lease(no_id, &audience()), Err(LeaseError::Entropy(_))), "{mood:?}");
        host.entropy.set(Mood::Works);
        host.clock.set(mood);
        let refused = task.lease(no_time, &audience()).expect_err("no time");
        assert!(matches!(refused, LeaseError::Denied(denial) if denial.code() == ReasonCode::Clock), "{mood:?}");
        assert_eq!((system.drain_asked(), host.world.door.owed()), (vec![], vec![]), "{mood:?}");
    }
}

#[test]
fn a_seam_that_breaks_while_the_issuer_works_leaves_no_half_made_lease() {
    for mood in BROKEN {
        for breaks in ["clock", "entropy", "sink"] {
            let (host, system) = host();
            let task = host.world.task(scope());
            let (clock, entropy, sink) = (host.clock.clone(), host.entropy.clone(), host.sink.clone());
            system.meanwhile(move || match breaks {
                "clock" => clock.set(mood),
                "entropy" => entropy.set(mood),
                _ => sink.set(mood),
            });
            lease(&task).expect_err("no lease");
            assert_eq!(system.there(), [], "{breaks} {mood:?}: revoked at once, whatever breaks");
            host.works();
            host.world.door.sweep();
            assert_eq!(host.world.door.owed(), [], "{breaks} {mood:?}");
            assert_eq!(story(&host).last(), Some(&"revoked"), "{breaks} {mood:?}");
        }
    }
}

// ── Who may ask ─────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_lease_is_for_a_service_that_the_scope_allows_and_that_has_one_issuer() {
    let (host, system) = host();
    let elsewhere = audience_of("https://bank.acme.example");
    let grant = Grant::new().autonomous().at([elsewhere.clone()]);
    let task = host.world.task(Scope::new().allow("ticket.read", grant).unwrap());
    assert_eq!(lease(&task).expect_err("out of scope"), LeaseError::Audience { asked: audience() });
    let unknown = task.lease(task.authorize(&read()).expect("a permit"), &elsewhere);
    assert_eq!(unknown.expect_err("nobody issues for it"), LeaseError::NoIssuer(elsewhere));
    assert_eq!(system.drain_asked(), []);

    let two = Authorizer::builder(host.world.registry.clone(), evaluator(), host.sink.clone())
        .issuer(audience(), system.clone())
        .issuer(audience(), system);
    assert_eq!(two.build().expect_err("two issuers"), Error::TwoIssuers(audience()));
}

#[test]
fn a_permit_of_another_task_or_one_that_is_over_gets_no_lease() {
    let (host, system) = host();
    let (one, other) = (host.world.task(scope()), host.world.task(scope()));
    let refused = other.lease(one.authorize(&read()).expect("a permit"), &audience());
    assert!(matches!(refused, Err(LeaseError::Denied(denial)) if denial.code() == ReasonCode::PermitInvalid));
    let permit = one.authorize(&read()).expect("a permit");
    host.world.clock.set(permit.until());
    assert!(matches!(one.lease(permit, &audience()), Err(LeaseError::Denied(_))));
    assert_eq!(system.drain_asked(), []);
}

#[test]
fn a_task_has_so_many_leases_and_what_is_owed_counts() {
    let (host, system) = host();
    let task = host.world.task(scope());
    let given: Vec<_> = (0..64).map(|_| lease(&task).expect("a lease")).collect();
    assert_eq!(lease(&task).expect_err("full"), LeaseError::TooMany { open: 64 });
    system.revoking(Some(Revoking::Fails(usize::MAX)));
    drop(given);
    host.world.door.sweep();
    assert_eq!(lease(&task).expect_err("owed"), LeaseError::TooMany { open: 64 });
    let _lease = lease(&host.world.task(scope())).expect("another task has its own");
    system.revoking(None);
    host.world.door.sweep();
    let _lease = lease(&task).expect("there is room");
}

#[test]
fn when_nothing_more_can_be_owed_no_lease_is_given() {
    let (host, system) = host();
    let task = host.world.task(scope());
    drop(lease(&task).expect("a lease"));
    let [open] = OpenLeases::of(&host.world.sink.events()).found().try_into().expect("one");
    system.revoking(Some(Revoking::Fails(usize::MAX)));
    let numbered = |number: usize| {
        let mut other = open.clone();
        other.lease = format!("lea_{number:022}").parse().unwrap();
        other
    };
    assert_eq!(host.world.door.recover((1..4096).map(numbered)), [], "with the first, 4096");
    assert_eq!(host.world.door.recover([numbered(4096)]), [NotRecovered::TooMany(numbered(4096))]);
    assert_eq!(host.world.door.recover([numbered(7)]), [], "known");
    system.drain_asked();
    assert_eq!(lease(&task).expect_err("full"), LeaseError::TooMany { open: 4096 });
    assert_eq!(system.drain_asked(), []);
}

// ── Asking by oneself ───────────────────────────────────────────────────────────────────────────────────────────────

fn given(secret: &str) -> Issued {
    Issued::new(Secret::new(secret.to_owned()))
}

#[test]
fn what_a_host_fetches_by_itself_is_adopted() {
    let (host, system) = host();
    let task = host.world.task(scope());
    let intended = task.intend(task.authorize(&read()).expect("a permit"), &audience()).expect("an intent");
    assert_eq!(story(&host), ["intended"]);
    assert_eq!(intended.request().lifetime(), LIFETIME);
    assert_eq!(intended.permit().action().tool(), read().tool());
    let id = intended.request().id().clone();
    let lease = task.adopt(intended, given("fetched")).expect("a lease");
    assert_eq!((lease.id(), lease.expose()), (&id, "fetched"));
    drop(task);
    host.world.door.sweep();
    assert_eq!(system.revoked(), [id]);
}

#[test]
fn what_comes_after_the_end_or_for_another_task_is_refused_and_revoked() {
    for end in End::ALL {
        let (host, system) = host();
        let task = host.world.task(scope());
        let intended = task.intend(task.authorize(&read()).expect("a permit"), &audience()).expect("an intent");
        let (handle, id) = (task.handle(), intended.request().id().clone());
        let _over = end.come(&host.world, task);
        host.world.door.sweep();
        let fetched = system.drain_asked();
        assert!(fetched.is_empty() || end == End::TimeOver, "{end:?}: while it is fetched it may not be there yet");
        assert!(matches!(handle.adopt(intended, given("late")), Err(LeaseError::Denied(_))), "{end:?}");
        assert_eq!(system.revoked(), [id], "{end:?}");
    }
    let (host, system) = host();
    let (one, other) = (host.world.task(scope()), host.world.task(scope()));
    let intended = one.intend(one.authorize(&read()).expect("a permit"), &audience()).expect("an intent");
    let id = intended.request().id().clone();
    assert!(matches!(other.adopt(intended, given("theirs")), Err(LeaseError::Denied(_))));
    assert_eq!(system.revoked(), [id]);
}

#[test]
fn an_intent_that_is_dropped_is_revoked_by_the_next_sweep() {
    let (host, system) = host();
    let task = host.world.task(scope());
    let intended = task.intend(task.authorize(&read()).expect("a permit"), &audience()).expect("an intent");
    let id = intended.request().id().clone();
    drop(intended);
    assert_eq!(told(host.world.door.sweep()), (0, 1), "what was fetched may still come");
    assert_eq!(system.revoked(), [id]);
}

// ── Renewing ────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_lease_goes_on_as_long_as_what_it_rests_on() {
    let (host, system) = host();
    system.renews();
    let task = host.world.door.begin(host.world.mandate(scope()).until(at(START + 400))).expect("a task");
    let mut lease = lease(&task).expect("a lease");
    assert_eq!(task.renew(&mut lease).expect("as it is"), at(START + 300));
    host.world.clock.set(at(START + 50));
    assert_eq!(task.renew(&mut lease).expect("renewed"), at(START + 350));
    host.world.clock.set(at(START + 200));
    assert_eq!(task.renew(&mut lease).expect("to the end of the task"), at(START + 400));
    let asked = |until| Asked::Renew(lease.id().clone(), at(START + until));
    assert_eq!(system.drain_asked()[1..], [asked(350), asked(400)]);
    assert_eq!(story(&host), ["intended", "issued", "renewed", "issued", "renewed", "issued"]);
    host.world.clock.set(at(START + 399));
    assert_eq!(told(host.world.door.sweep()), (0, 0));
    assert_eq!(lease.until(), at(START + 400));
}

#[test]
fn a_lease_is_not_renewed_without_a_record_or_against_the_rules() {
    let (host, system) = host();
    let task = host.world.task(scope());
    let other = host.world.task(scope());
    let mut lease = lease(&task).expect("a lease");
    host.world.clock.set(at(START + 50));
    assert_eq!(task.renew(&mut lease), Err(LeaseError::Issuer(IssuerError::Unsupported)));
    system.renews();
    system.drain_asked();
    assert_eq!(other.renew(&mut lease), Err(LeaseError::OtherTask(lease.id().clone())));
    host.sink.set(Mood::Fails);
    assert!(matches!(task.renew(&mut lease), Err(LeaseError::Audit(_))));
    host.sink.set(Mood::Works);
    host.world.door.reload(&host.world.ada, format!("{OPEN}\n// other").as_str()).expect("policies");
    let refused = task.renew(&mut lease);
    assert!(matches!(refused, Err(LeaseError::OtherPolicies { .. })), "{refused:?}");
    host.world.door.reload(&host.world.ada, OPEN).expect("policies");
    host.world.door.halt(&host.world.ada, Halt::Task(task.id().clone())).expect("a halt");
    assert!(matches!(task.renew(&mut lease), Err(LeaseError::NotRenewed(Reason::TaskEnded(_)))));
    assert_eq!((system.drain_asked(), lease.until()), (vec![], at(START + 300)));
    assert_eq!(
        other.give_back(lease, Effect::Succeeded).map_err(|error| error.to_string().contains("lea_")),
        Err(true)
    );
}

// ── At the same time ────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn two_sweeps_at_once_revoke_each_lease_once() {
    let (host, system) = host();
    let tasks: Vec<Task> = (0..4).map(|_| host.world.task(scope())).collect();
    let leases: Vec<_> = tasks.iter().flat_map(|task| (0..40).map(|_| lease(task).expect("a lease"))).collect();
    drop(tasks);
    let (barrier, door) = (Barrier::new(4), &host.world.door);
    let revoked: usize = std::thread::scope(|scope| {
        let sweep = || {
            barrier.wait();
            door.sweep().revoked
        };
        let sweeping: Vec<_> = (0..4).map(|_| scope.spawn(sweep)).collect();
        sweeping.into_iter().map(|sweeping| sweeping.join().unwrap()).sum()
    });
    assert_eq!((revoked, system.revoked().len(), leases.len()), (160, 160, 160));
    assert_eq!((system.there(), door.owed()), (vec![], vec![]));
}

#[test]
fn what_is_issued_while_its_task_is_closed_is_revoked() {
    let (host, system) = host();
    let task = host.world.task(scope());
    let handle = task.handle();
    let door = host.world.door.clone();
    system.meanwhile(move || {
        let closed = task.complete().expect("an end");
        assert_eq!((closed.revoked, closed.owed), (0, 1), "somebody waits for the answer");
        assert_eq!(told(door.sweep()), (0, 1));
    });
    assert!(matches!(lease(&handle), Err(LeaseError::Denied(denial)) if denial.code() == ReasonCode::TaskEnded));
    assert_eq!((system.there(), host.world.door.owed()), (vec![], vec![]));
}

/// Ends the task while this fact is recorded: completes it, or leaves it.
struct EndsAt {
    at: fn(&LeaseFact) -> bool,
    completes: bool,
    task: Mutex<Option<Task>>,
}

impl AuditSink for EndsAt {
    fn record(&self, event: &Event) -> Ack {
        if facts(std::slice::from_ref(event)).iter().any(self.at) {
            match self.task.lock().unwrap().take() {
                Some(task) if self.completes => drop(task.complete().map(|_| ())),
                task => drop(task),
            }
        }
        Ack::taken()
    }
}

fn ends_at(at: fn(&LeaseFact) -> bool, completes: bool) -> (World, Arc<System>, Arc<EndsAt>) {
    let sink = Arc::new(EndsAt { at, completes, task: Mutex::default() });
    let (mut world, system) = (World::new(OPEN), Arc::new(System::default()));
    world.door = Authorizer::builder(world.registry.clone(), evaluator(), sink.clone())
        .issuer(audience(), system.clone())
        .clock(world.clock.clone())
        .build()
        .unwrap();
    (world, system, sink)
}

#[test]
fn what_ends_its_task_while_it_is_recorded_has_the_last_word() {
    let moments: [fn(&LeaseFact) -> bool; 2] =
        [|fact| matches!(fact, LeaseFact::Intended { .. }), |fact| matches!(fact, LeaseFact::Issued { .. })];
    for (at, asked) in moments.into_iter().zip([0, 1]) {
        for completes in [true, false] {
            let (world, system, sink) = ends_at(at, completes);
            let task = world.task(scope());
            let handle = task.handle();
            let permit = handle.authorize(&read()).expect("a permit");
            *sink.task.lock().unwrap() = Some(task);
            assert!(matches!(handle.lease(permit, &audience()), Err(LeaseError::Denied(_))), "{completes}");
            let issued = system.drain_asked().iter().filter(|one| matches!(one, Asked::Issue(_))).count();
            assert_eq!((issued, system.there(), world.door.owed()), (asked, vec![], vec![]), "{completes}");
        }
    }
}

#[test]
fn what_ends_its_task_while_its_renewal_is_recorded_has_the_last_word() {
    let (world, system, sink) = ends_at(|fact| matches!(fact, LeaseFact::Renewed { .. }), false);
    system.renews();
    let task = world.task(scope());
    let handle = task.handle();
    let mut lease = lease(&task).expect("a lease");
    *sink.task.lock().unwrap() = Some(task);
    world.clock.set(at(START + 50));
    assert!(matches!(handle.renew(&mut lease), Err(LeaseError::NotRenewed(Reason::TaskEnded(_)))));
    let renewed = system.drain_asked().into_iter().find(|one| matches!(one, Asked::Renew(..)));
    assert_eq!((renewed, lease.until()), (None, at(START + 300)));
}

// ── After a crash ───────────────────────────────────────────────────────────────────────────────────────────────────

/// A host that is gone with three leases under way: given, asked for with a lost answer, and given back.
fn crashed() -> (Host, Arc<System>, Vec<OpenLease>) {
    let (host, system) = host();
    let task = host.world.task(scope());
    task.give_back(lease(&task).expect("a lease"), Effect::Succeeded).expect("given back");
    std::mem::forget(lease(&task).expect("a lease"));
    let intended = task.intend(task.authorize(&read()).expect("a permit"), &audience()).expect("an intent");
    std::mem::forget(intended);
    std::mem::forget(task);
    let open = OpenLeases::of(&host.world.sink.events()).found();
    assert_eq!(open.iter().map(|open| open.issued).collect::<Vec<_>>(), [true, false]);
    (host, system, open)
}

#[test]
fn after_a_crash_what_was_open_is_found_in_the_records_and_revoked() {
    let (host, system, open) = crashed();
    assert_eq!(system.there().len(), 1);
    let door = host.door(OPEN, vec![(audience(), system.clone())]);
    assert_eq!(door.recover(open.clone()), []);
    assert_eq!(door.recover(open), [], "twice is once");
    assert_eq!(door.owed().len(), 2);
    assert_eq!(told(door.sweep()), (1, 1), "of the one that was never answered nobody knows");
    assert_eq!(system.there(), []);
    host.world.clock.set(at(START).after(LIFETIME));
    assert_eq!(told(door.sweep()), (1, 0));
    assert_eq!(OpenLeases::of(&host.world.sink.events()).found(), []);
}

#[test]
fn the_records_say_the_same_as_lines_of_text() {
    let (host, _, open) = crashed();
    let events = host.world.sink.events();
    let (mut by_event, mut by_record) = (OpenLeases::default(), OpenLeases::default());
    for event in &events {
        by_event.read(&serde_json::to_string(event).unwrap()).expect("a line");
        if let Some(agent) = &event.agent {
            by_record.read(&serde_json::to_string(agent).unwrap()).expect("a line");
        }
    }
    assert_eq!((by_event.found(), by_record.found()), (open.clone(), open.clone()));
    let kept = serde_json::to_string(&open).unwrap();
    assert_eq!(serde_json::from_str::<Vec<OpenLease>>(&kept).unwrap(), open);
    for wrong in ["", "{", r#"{"kind":"lease","step":"forgiven"}"#, r#"{"agent":{"kind":"lease"}}"#] {
        OpenLeases::default().read(wrong).expect_err(wrong);
    }
}

#[test]
fn a_lease_of_an_unknown_issuer_is_reported() {
    let (host, _, open) = crashed();
    let unknown: Vec<_> = open.iter().cloned().map(NotRecovered::NoIssuer).collect();
    assert_eq!(host.door(OPEN, vec![]).recover(open), unknown);
}

#[test]
fn recovering_from_its_own_records_disturbs_nothing() {
    let (host, system) = host();
    let task = host.world.task(scope());
    let lease = lease(&task).expect("a lease");
    assert_eq!(host.world.door.recover(OpenLeases::of(&host.world.sink.events()).found()), []);
    assert_eq!(told(host.world.door.sweep()), (0, 0));
    assert_eq!(system.there(), [lease.id().clone()]);
}

// ── The secret ──────────────────────────────────────────────────────────────────────────────────────────────────────

/// Keeps what `tracing` is told.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut log = self.0.lock().unwrap();
        event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            *log += &format!("{field}={value:?} ");
        });
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn the_secret_is_shown_to_nobody_but_who_asks_for_it() {
    let log = Log::default();
    let (host, system) = host();
    let mut shown = tracing::subscriber::with_default(log.clone(), || {
        let task = host.world.task(autonomous(&["ticket.read"]));
        let lease = lease(&task).expect("a lease");
        assert!(lease.expose().contains("canary"));
        system.revoking(Some(Revoking::Fails(3)));
        let issued = given("canary, too");
        let intended = task.intend(task.authorize(&read()).expect("a permit"), &audience()).expect("an intent");
        let mut shown = format!("{lease:?} {task:?} {issued:?} {intended:?} {:?}", host.world.door);
        drop(task.adopt(intended, issued).expect("a lease"));
        host.world.door.sweep();
        shown += &format!("{:?} {:?}", host.world.door.owed(), lease.finish(Effect::Succeeded));
        task.complete().expect("an end");
        shown
    });
    shown += &format!("{:?}", host.world.sink.events());
    shown += &serde_json::to_string(&host.world.sink.events()).unwrap();
    shown += &log.0.lock().unwrap();
    assert!(shown.contains("a lease is not revoked yet") && shown.contains("lea_"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
}
