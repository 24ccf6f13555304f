//! Permits and credentials: good for one action, once, within seconds, and only while what they rest on lives.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use bailiwick::audit::{AgentFact, Effect};
use bailiwick::credential::{MintError, MintKey, Minter};
use bailiwick::id::Issuer;
use bailiwick::jose::Flaw;
use bailiwick::mandate::{Action, Approval, Grant, Mandate, Scope};
use bailiwick::policy::{Evaluator, ReasonCode};
use bailiwick::{Authorizer, Halt, Resume, Task};

use crate::steps::{alone, autonomous, code, read};
use crate::world::{OPEN, START, World, args, at, audience, catalog, operator, scope};

/// So many reads, autonomously.
fn reads(max: u32) -> Scope {
    Scope::new().allow("ticket.read", Grant::new().autonomous().at_most(max)).expect("a tool name")
}

fn flaw(world: &World, token: &str) -> Option<Flaw> {
    world.door.verify(token, &audience()).err().map(|refused| refused.flaw())
}

// ── The end of a task ───────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn when_a_task_ends_everything_below_it_is_dead_at_once() {
    type End = fn(&World, Task) -> Option<Task>;
    let ends: [(&str, End, ReasonCode); 10] = [
        (
            "completed",
            |_, task| {
                task.complete().expect("an end");
                None
            },
            ReasonCode::TaskEnded,
        ),
        ("dropped", |_, _| None, ReasonCode::TaskEnded),
        (
            "dropped by a panic",
            |_, task| {
                let panics = catch_unwind(AssertUnwindSafe(|| {
                    let _task = task;
                    panic!("the agent panics");
                }));
                assert!(panics.is_err());
                None
            },
            ReasonCode::TaskEnded,
        ),
        (
            "dropped by a thread that panics",
            |_, task| {
                let panics = thread::spawn(move || {
                    let _task = task;
                    panic!("the agent panics");
                });
                assert!(panics.join().is_err());
                None
            },
            ReasonCode::TaskEnded,
        ),
        (
            "halted",
            |world, task| {
                world.door.halt(&world.bob, Halt::Task(task.id().clone())).expect("a halt");
                Some(task)
            },
            ReasonCode::TaskEnded,
        ),
        (
            "halted with everything",
            |world, task| {
                world.door.halt(&world.bob, Halt::Everything).expect("a halt");
                Some(task)
            },
            ReasonCode::Halted,
        ),
        (
            "halted with everything, and resumed",
            |world, task| {
                world.door.halt(&world.bob, Halt::Everything).expect("a halt");
                world.door.resume(&world.bob, Resume::Everything).expect("a new start");
                Some(task)
            },
            ReasonCode::Halted,
        ),
        (
            "halted with its agent",
            |world, task| {
                world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).expect("a halt");
                Some(task)
            },
            ReasonCode::AgentNotActive,
        ),
        (
            "ended with its agent",
            |world, task| {
                world.door.retire(&world.ada, &world.triage).expect("an end");
                Some(task)
            },
            ReasonCode::AgentNotActive,
        ),
        (
            "ended with the last sponsor of its agent",
            |world, task| {
                let _ = world.door.offboard(&world.bob, &operator("ada")).expect("Ada leaves");
                Some(task)
            },
            ReasonCode::AgentNotActive,
        ),
    ];
    for (what, end, code) in ends {
        let world = World::new(OPEN);
        let task = world.task(scope());
        let handle = task.handle();
        let [to_redeem, to_mint, minted] = [(); 3].map(|()| task.authorize(&read()).expect("a permit"));
        let credential = task.mint(minted, &audience()).expect("a credential");
        let secret = credential.expose().to_owned();
        assert_eq!(flaw(&world, &secret), None, "{what}: good until then");

        let _alive = end(&world, task);
        let denial = handle.redeem(to_redeem, read().arguments()).expect_err(what);
        assert_eq!(denial.code(), code, "{what}: redeeming");
        let Err(MintError::Denied(denial)) = handle.mint(to_mint, &audience()) else {
            panic!("{what}: minting");
        };
        assert_eq!(denial.code(), code, "{what}: minting");
        assert_eq!(flaw(&world, &secret), Some(Flaw::Revoked), "{what}: verifying");
        let accepted = world.door.accept(&secret, &audience(), &read()).expect_err(what);
        assert_eq!(accepted.flaw(), Flaw::Revoked, "{what}: accepting");
        assert_eq!(handle.authorize(&read()).expect_err(what).code(), code, "{what}: authorizing");
        assert!(credential.finish(Effect::Succeeded).is_ok(), "{what}: what was done is still told");
    }
}

#[test]
fn the_end_of_one_task_is_not_the_end_of_another() {
    let world = World::new(OPEN);
    let (one, other) = (world.task(scope()), world.task(scope()));
    let credential = other.mint(other.authorize(&read()).expect("a permit"), &audience()).expect("a credential");
    one.complete().expect("an end");
    drop(world.task(scope()));
    world.door.sweep();
    assert_eq!(flaw(&world, credential.expose()), None);
    assert!(other.authorize(&read()).is_ok());
}

#[test]
fn another_door_refuses_the_credentials_of_this_one_whatever_key_it_has() {
    let world = World::new(OPEN);
    let rng = ring::rand::SystemRandom::new();
    let pkcs8 = ring::signature::Ed25519KeyPair::generate_pkcs8(&rng).expect("a key");
    let door = || {
        let issuer = Issuer::new("https://authz.acme.example").expect("an issuer");
        let evaluator = Evaluator::new(catalog(), OPEN).expect("policies");
        Authorizer::builder(Arc::clone(&world.registry), evaluator, world.sink.clone())
            .minter(Minter::new(issuer, MintKey::from_pkcs8(pkcs8.as_ref()).expect("a key")))
            .clock(world.clock.clone())
            .build()
            .expect("a door")
    };
    let (first, second) = (door(), door());
    let (one, other) = (first.begin(world.mandate(scope())).expect("a task"), second.begin(world.mandate(scope())));
    let credential = one.mint(one.authorize(&read()).expect("a permit"), &audience()).expect("a credential");
    assert!(first.verify(credential.expose(), &audience()).is_ok());
    assert_eq!(second.verify(credential.expose(), &audience()).expect_err("a refusal").flaw(), Flaw::Revoked);
    assert_eq!(flaw(&world, credential.expose()), Some(Flaw::UnknownKey), "a door with another key");

    let permit = one.authorize(&read()).expect("a permit");
    let denial = other.expect("a task").redeem(permit, read().arguments()).expect_err("a permit of another door");
    assert_eq!(denial.code(), ReasonCode::PermitInvalid);
}

// ── One permit ──────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_permit_is_good_for_its_task_for_thirty_seconds_with_its_arguments_under_its_policies() {
    type Row = (&'static str, Option<ReasonCode>, fn(&World, &Task) -> Option<ReasonCode>);
    let (void, changed) = (Some(ReasonCode::PermitInvalid), Some(ReasonCode::ArgumentsChanged));
    let rows: [Row; 14] = [
        ("at once", None, |world, task| after(world, task, 0)),
        ("after 29 seconds", None, |world, task| after(world, task, 29)),
        ("after 30 seconds", void, |world, task| after(world, task, 30)),
        ("after 31 seconds", void, |world, task| after(world, task, 31)),
        ("by another task of the same agent", void, |world, task| {
            let permit = task.authorize(&read()).expect("a permit");
            code(world.task(scope()).redeem(permit, read().arguments()))
        }),
        ("with other arguments", changed, |_, task| {
            let permit = task.authorize(&close(r#"{"reason": "stale"}"#)).expect("a permit");
            code(task.redeem(permit, &args(r#"{"reason": "fresh"}"#)))
        }),
        ("with one argument more", changed, |_, task| {
            let permit = task.authorize(&close("{}")).expect("a permit");
            code(task.redeem(permit, &args(r#"{"reason": null}"#)))
        }),
        ("with the same arguments in other words", None, |_, task| {
            let permit = task.authorize(&close(r#"{"reason": "a"}"#)).expect("a permit");
            code(task.redeem(permit, &args(" {\"reason\" : \"\\u0061\"} ")))
        }),
        ("with the same arguments in another order", None, |_, task| {
            let permit = task.authorize(&everything(r#"{"flag": true, "count": 7}"#)).expect("a permit");
            code(task.redeem(permit, &args(r#"{"count": 7, "flag": true}"#)))
        }),
        ("with the same number in other digits", None, |_, task| {
            let permit = task.authorize(&everything(r#"{"sum": 2.5, "count": 7}"#)).expect("a permit");
            code(task.redeem(permit, &args(r#"{"sum": 2.50, "count": 7.0}"#)))
        }),
        ("with another number", changed, |_, task| {
            let permit = task.authorize(&everything(r#"{"sum": 2.5}"#)).expect("a permit");
            code(task.redeem(permit, &args(r#"{"sum": 2.5001}"#)))
        }),
        ("with a number for its text", changed, |_, task| {
            let permit = task.authorize(&everything(r#"{"blob": "7"}"#)).expect("a permit");
            code(task.redeem(permit, &args(r#"{"blob": 7}"#)))
        }),
        ("with one argument left out", changed, |_, task| {
            let permit = task.authorize(&everything(r#"{"flag": true, "count": 7}"#)).expect("a permit");
            code(task.redeem(permit, &args(r#"{"flag": true}"#)))
        }),
        ("after the policies were replaced", void, |world, task| {
            let permit = task.authorize(&read()).expect("a permit");
            let wider = format!("{OPEN} // reviewed");
            world.door.reload(&world.ada, &wider).expect("policies");
            code(task.redeem(permit, read().arguments()))
        }),
    ];
    for (what, code, redeem) in rows {
        let world = World::new(OPEN);
        let task = world.task(autonomous(&["ticket.read", "ticket.close", "everything"]));
        assert_eq!(redeem(&world, &task), code, "{what}");
        let voided = |event: &bailiwick::audit::Event| {
            event.agent.as_ref().is_some_and(|agent| matches!(agent.fact, AgentFact::Voided { .. }))
        };
        let voided = world.sink.events().iter().filter(|event| voided(event)).count();
        assert_eq!(voided, usize::from(code.is_some()), "{what}: a refusal is written");
    }
}

fn after(world: &World, task: &Task, seconds: u64) -> Option<ReasonCode> {
    let permit = task.authorize(&read()).expect("a permit");
    assert_eq!(permit.until(), at(START + 30));
    world.clock.advance(Duration::from_secs(seconds));
    code(task.redeem(permit, read().arguments()))
}

fn everything(json: &str) -> Action {
    alone("everything").with(args(json))
}

fn close(json: &str) -> Action {
    alone("ticket.close").with(args(json))
}

// ── The budget ──────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_is_not_used_is_given_back() {
    type Use = fn(&World, &Task);
    let uses: [(&str, Use, bool); 7] = [
        ("nothing", |_, _| {}, true),
        ("a denial", |_, task| drop(task.authorize(&close("{}"))), true),
        ("a permit that was dropped", |_, task| drop(task.authorize(&read()).expect("a permit")), true),
        (
            "a permit that was refused",
            |_, task| {
                let permit = task.authorize(&read()).expect("a permit");
                assert!(task.redeem(permit, &args(r#"{"reason": 1}"#)).is_err());
            },
            true,
        ),
        (
            "a credential that was refused",
            |_, task| {
                let permit = task.authorize(&read()).expect("a permit");
                let elsewhere = bailiwick::id::Audience::new("https://elsewhere.example").expect("an audience");
                assert!(matches!(task.mint(permit, &elsewhere), Err(MintError::Audience { .. })));
            },
            true,
        ),
        (
            "a permit that was redeemed",
            |_, task| {
                let permit = task.authorize(&read()).expect("a permit");
                drop(task.redeem(permit, read().arguments()).expect("an execution"));
            },
            false,
        ),
        (
            "a credential that was dropped",
            |_, task| {
                let permit = task.authorize(&read()).expect("a permit");
                drop(task.mint(permit, &audience()).expect("a credential"));
            },
            false,
        ),
    ];
    let once = Grant::new().autonomous().at_most(1).at([audience()]);
    let scopes = [
        Scope::new().allow("ticket.read", once).expect("a tool name"),
        Scope::new().allow("ticket.read", Grant::new().autonomous().at([audience()])).expect("a tool name").at_most(1),
    ];
    for scope in scopes {
        for (what, uses, given_back) in &uses {
            let world = World::new(OPEN);
            let task = world.task(scope.clone());
            uses(&world, &task);
            let code = code(task.authorize(&read()));
            assert_eq!(code, (!given_back).then_some(ReasonCode::Budget), "{what}");
        }
    }
}

#[test]
fn of_two_threads_that_race_for_the_last_call_exactly_one_wins() {
    let world = World::new(OPEN);
    for round in 0..200 {
        let task = world.task(if round % 2 == 0 { reads(1) } else { reads(9).at_most(1) });
        let start = Arc::new(Barrier::new(2));
        let racers = [(); 2].map(|()| {
            let (handle, start) = (task.handle(), Arc::clone(&start));
            thread::spawn(move || {
                let action = read();
                start.wait();
                let permit = handle.authorize(&action)?;
                handle.redeem(permit, action.arguments())?.finish(Effect::Succeeded).expect("a record");
                Ok::<_, bailiwick::audit::Denial>(())
            })
        });
        let answers = racers.map(|racer| code(racer.join().expect("no panic")));
        assert!(
            matches!(answers, [None, Some(ReasonCode::Budget)] | [Some(ReasonCode::Budget), None]),
            "round {round}: {answers:?}"
        );
    }
}

#[test]
fn one_approval_of_one_action_serves_one_of_two_threads() {
    let world = World::new(OPEN);
    for round in 0..100 {
        let task = world.task(autonomous(&["ticket.purge"]));
        let purge = alone("ticket.purge");
        let asked = task.request(&purge);
        let approved = purge.approved(Approval::by(&world.ada, asked));
        let start = Arc::new(Barrier::new(2));
        let racers = [(); 2].map(|()| {
            let (handle, start, action) = (task.handle(), Arc::clone(&start), approved.clone());
            thread::spawn(move || {
                start.wait();
                handle.authorize(&action).map(drop)
            })
        });
        let answers = racers.map(|racer| code(racer.join().expect("no panic")));
        assert!(
            matches!(answers, [None, Some(ReasonCode::ApprovalSpent)] | [Some(ReasonCode::ApprovalSpent), None]),
            "round {round}: {answers:?}"
        );
    }
}

#[test]
fn a_halt_beats_every_permit_that_was_given_before_it() {
    let world = World::new(OPEN);
    for round in 0..100 {
        let task = world.task(reads(1_000));
        let (handle, start) = (task.handle(), Arc::new(Barrier::new(2)));
        let begun = Arc::clone(&start);
        let agent = thread::spawn(move || {
            begun.wait();
            std::iter::repeat_with(|| handle.authorize(&read())).take_while(Result::is_ok).flatten().last()
        });
        start.wait();
        world.door.halt(&world.ada, Halt::Task(task.id().clone())).expect("a halt");
        // Whatever the agent was given in the meantime is worth nothing now.
        if let Some(permit) = agent.join().expect("no panic") {
            let denial = task.redeem(permit, read().arguments()).expect_err("a denial");
            assert_eq!(denial.code(), ReasonCode::TaskEnded, "round {round}");
        }
        assert!(task.authorize(&read()).is_err());
    }
}

#[test]
fn a_mandate_is_as_short_as_the_shortest_of_what_it_rests_on() {
    let world = World::new(OPEN);
    let until = |how: fn(Mandate) -> Mandate| world.door.begin(how(world.mandate(scope()))).expect("a task").until();
    assert_eq!(until(|mandate| mandate), at(START + 3600), "the agent's proof");
    assert_eq!(until(|mandate| mandate.until(at(START + 60))), at(START + 60), "what was asked for");
    assert_eq!(until(|mandate| mandate.until(at(START + 7200))), at(START + 3600), "no longer than the proof");
}
