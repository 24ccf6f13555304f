//! What a host brings fails or panics: everything is refused, nothing is half done, and nothing dead comes back.

use std::time::Duration;

use bailiwick::audit::{AuditError, Effect};
use bailiwick::credential::MintError;
use bailiwick::jose::Flaw;
use bailiwick::mandate::{Approval, Grant, Intent, Mandate, OnceError, Scope, danger};
use bailiwick::policy::{Reason, ReasonCode};
use bailiwick::{Error, Halt};

use crate::flaky::{BROKEN, Host, Mood};
use crate::steps::{alone, autonomous, code, read};
use crate::world::{HOUR, OPEN, START, World, at, audience, operator};

/// One read, and purges that a human approves one by one.
fn granted() -> Scope {
    Scope::new()
        .allow("ticket.read", Grant::new().autonomous().at_most(1))
        .and_then(|scope| scope.allow("ticket.purge", Grant::new().autonomous()))
        .expect("tool names")
}

// ── The clock ───────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn without_a_clock_everything_is_refused() {
    for mood in BROKEN {
        let host = Host::new(OPEN);
        let world = &host.world;
        let task = world.task(autonomous(&["ticket.read"]));
        let [to_redeem, to_mint, minted] = [(); 3].map(|()| task.authorize(&read()).expect("a permit"));
        let credential = task.mint(minted, &audience()).expect("a credential");
        let (mandate, workload) = (world.mandate(granted()), world.workload(&world.triage));

        host.clock.set(mood);
        let denial = task.authorize(&read()).expect_err("a denial");
        assert_eq!(denial.reason(), &Reason::Clock, "{mood:?}");
        assert!(denial.event().is_some(), "{mood:?}: recorded, at the last time that is known");
        assert_eq!(code(task.redeem(to_redeem, read().arguments())), Some(ReasonCode::Clock), "{mood:?}");
        let minting = task.mint(to_mint, &audience()).expect_err("a denial");
        assert!(matches!(minting, MintError::Denied(denial) if denial.code() == ReasonCode::Clock), "{mood:?}");
        let verified = world.door.verify(credential.expose(), &audience()).expect_err("a refusal");
        assert_eq!(verified.flaw(), Flaw::Unavailable, "{mood:?}");
        assert!(matches!(world.door.begin(mandate), Err(Error::Clock(_))), "{mood:?}");
        assert!(matches!(world.door.admit(workload), Err(Error::Clock(_))), "{mood:?}");
        assert!(matches!(world.door.reload(&world.ada, ""), Err(Error::Clock(_))), "{mood:?}");

        host.clock.set(Mood::Works);
        assert_eq!(code(task.authorize(&read())), None, "{mood:?}: as it was");
        assert!(world.door.verify(credential.expose(), &audience()).is_ok(), "{mood:?}: as it was");
    }
}

#[test]
fn a_clock_that_steps_back_revives_nothing() {
    let world = World::new(OPEN);
    let task = world.task(autonomous(&["ticket.read"]));
    let [seen, unseen] = [(); 2].map(|()| task.authorize(&read()).expect("a permit"));
    let credential = task.mint(task.authorize(&read()).expect("a permit"), &audience()).expect("a credential");
    let until = credential.until();

    world.clock.advance(Duration::from_secs(30));
    assert_eq!(code(task.redeem(seen, read().arguments())), Some(ReasonCode::PermitInvalid));
    world.clock.set(at(START));
    assert_eq!(code(task.redeem(unseen, read().arguments())), Some(ReasonCode::PermitInvalid), "a permit");

    world.clock.set(until);
    assert_eq!(world.door.verify(credential.expose(), &audience()).expect_err("over").flaw(), Flaw::Expired);
    world.clock.set(at(START));
    assert_eq!(world.door.verify(credential.expose(), &audience()).expect_err("over").flaw(), Flaw::Expired);

    let brief = world.door.begin(world.mandate(granted()).until(until.after(Duration::from_secs(60))));
    let brief = brief.expect("a task");
    let ada = Approval::by(&world.ada, granted()).until(until.after(Duration::from_secs(60)));
    world.clock.set(brief.until());
    assert_eq!(code(brief.authorize(&read())), Some(ReasonCode::TaskOver));
    world.clock.set(at(START));
    assert_eq!(code(brief.authorize(&read())), Some(ReasonCode::TaskOver), "a task");
    let intent = Intent::new("close stale tickets", granted()).expect("a purpose");
    let mandate = Mandate::new(world.agent(), intent).approved(ada);
    assert!(world.door.begin(mandate).is_err(), "an approval");

    world.clock.advance(HOUR);
    assert_eq!(code(task.authorize(&read())), Some(ReasonCode::ProofExpired));
    world.clock.set(at(START));
    assert_eq!(code(task.authorize(&read())), Some(ReasonCode::ProofExpired), "a proof");
}

// ── Randomness ──────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn without_randomness_everything_is_refused_and_nothing_is_half_done() {
    for mood in BROKEN {
        let host = Host::new(OPEN);
        let world = &host.world;
        let task = world.task(granted());
        let (mandate, workload) = (world.mandate(granted()), world.workload(&world.triage));
        let events = world.sink.events().len();

        host.entropy.set(mood);
        let denial = task.authorize(&read()).expect_err("a denial");
        assert_eq!((denial.code(), denial.event()), (ReasonCode::Audit, None), "{mood:?}");
        assert!(matches!(world.door.begin(mandate), Err(Error::Entropy(_))), "{mood:?}");
        assert!(matches!(world.door.admit(workload), Err(Error::Audit(AuditError::NoId))), "{mood:?}");
        assert!(world.door.reload(&world.ada, "").is_err(), "{mood:?}");
        assert_eq!(world.sink.events().len(), events, "{mood:?}: nothing is written");

        host.entropy.set(Mood::Works);
        let permit = task.authorize(&read()).expect("the budget is as it was, and the policies are");
        host.entropy.set(mood);
        assert!(matches!(task.mint(permit, &audience()), Err(MintError::Entropy(_))), "{mood:?}");
        host.entropy.set(Mood::Works);
        assert_eq!(code(task.authorize(&read())), None, "{mood:?}: the budget is as it was");

        host.entropy.set(mood);
        let halted = world.door.halt(&world.ada, Halt::Everything);
        assert!(matches!(halted, Err(Error::Audit(AuditError::NoId))), "{mood:?}");
        host.entropy.set(Mood::Works);
        assert_eq!(code(task.authorize(&read())), Some(ReasonCode::Halted), "{mood:?}: halted nevertheless");
    }
}

// ── The sink ────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn without_a_record_nothing_is_permitted_and_the_task_is_as_it_was() {
    for mood in BROKEN {
        let host = Host::new(OPEN);
        let world = &host.world;
        let task = world.task(granted());
        let purge = alone("ticket.purge");
        let asked = task.request(&purge);
        let purge = purge.approved(Approval::by(&world.ada, asked));
        let permit = task.authorize(&read()).expect("a permit");

        host.sink.set(mood);
        assert!(matches!(task.mint(permit, &audience()), Err(MintError::Audit(_))), "{mood:?}");
        for action in [&read(), &purge] {
            let denial = task.authorize(action).expect_err("a denial");
            assert_eq!((denial.code(), denial.event()), (ReasonCode::Audit, None), "{mood:?}");
        }
        host.sink.set(Mood::Works);
        assert_eq!(code(task.authorize(&purge)), None, "{mood:?}: the approval is as it was");
        let permit = task.authorize(&read()).expect("the budget is as it was");

        let running = task.redeem(permit, read().arguments()).expect("an execution");
        host.sink.set(mood);
        let finished = running.finish(Effect::Succeeded).expect_err("no record");
        assert!(matches!(finished, AuditError::Failed(_) | AuditError::Panicked), "{mood:?}");
        host.sink.set(Mood::Works);
        let closed = task.complete().expect("an end");
        assert_eq!(closed.unknown, 1, "{mood:?}: written down as unknown");
    }
}

// ── The memory ──────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_may_have_been_used_before_is_not_used() {
    for mood in BROKEN {
        let host = Host::new(OPEN);
        let world = &host.world;
        let task = world.task(granted());
        let purge = alone("ticket.purge");
        let asked = task.request(&purge);
        let purge = purge.approved(Approval::by(&world.ada, asked));
        let vouched = danger::approval_vouched_by_host(operator("ada"), granted(), at(START + 60), "OPS-1");
        let approval = vouched.id().clone();
        let intent = Intent::new("close stale tickets", granted()).expect("a purpose");
        let mandate = Mandate::new(world.agent(), intent).approved(vouched);

        host.once.set(mood);
        assert_eq!(code(task.authorize(&purge)), Some(ReasonCode::ApprovalSpent), "{mood:?}");
        let unknown = Error::Once { approval, source: OnceError::Unavailable };
        assert_eq!(world.door.begin(mandate).expect_err("a refusal"), unknown, "{mood:?}");
        assert_eq!(code(task.authorize(&read())), None, "{mood:?}: what needs no approval needs no memory");
        host.once.set(Mood::Works);
        assert_eq!(code(task.authorize(&purge)), None, "{mood:?}: as it was");
    }
}
