//! What is dead when something ends, and when a credential ends.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use bailiwick::audit::{Effect, Permit};
use bailiwick::credential::{Credential, MintKey, Minter};
use bailiwick::entropy::SystemEntropy;
use bailiwick::identity::{AccountabilityRole, danger};
use bailiwick::mandate::{Action, Approval, Arguments, Intent, Mandate};
use bailiwick::policy::{Evaluator, ReasonCode};
use bailiwick::time::Timestamp;
use bailiwick::{Authorizer, Halt, Resume, Task};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::any::{self, cases, hold_often, take};
use crate::published::{AUTHZ, issuer};
use crate::steps::prover;
use crate::world::{OPEN, START, World, at, audience, catalog, operator, scope, ticket};

/// How something ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum End {
    Completed,
    Dropped,
    Panicked,
    Everything,
    EverythingAndResumed,
    Task,
    Suspended,
    SuspendedAndReinstated,
    Retired,
    Offboarded,
    Unsponsored,
    TimeOver,
}

impl End {
    pub(crate) const ALL: [Self; 12] = [
        Self::Completed,
        Self::Dropped,
        Self::Panicked,
        Self::Everything,
        Self::EverythingAndResumed,
        Self::Task,
        Self::Suspended,
        Self::SuspendedAndReinstated,
        Self::Retired,
        Self::Offboarded,
        Self::Unsponsored,
        Self::TimeOver,
    ];

    /// Makes it end so; gives the task back where it is not the task itself that ended.
    pub(crate) fn come(self, world: &World, task: Task) -> Option<Task> {
        let (door, ada) = (&world.door, &world.ada);
        match self {
            Self::Completed => {
                task.complete().unwrap();
                return None;
            }
            Self::Dropped => {
                drop(task);
                return None;
            }
            Self::Panicked => {
                let unwound: Result<(), _> = catch_unwind(AssertUnwindSafe(move || {
                    let _task = task;
                    // Unwinds as a panic does, without its message.
                    resume_unwind(Box::new("the tool broke"))
                }));
                assert!(unwound.is_err());
                return None;
            }
            Self::Everything => door.halt(ada, Halt::Everything).unwrap(),
            Self::EverythingAndResumed => {
                door.halt(ada, Halt::Everything).unwrap();
                door.resume(ada, Resume::Everything).unwrap();
            }
            Self::Task => door.halt(ada, Halt::Task(task.id().clone())).unwrap(),
            Self::Suspended => door.halt(ada, Halt::Agent(world.triage.clone())).unwrap(),
            Self::SuspendedAndReinstated => {
                door.halt(ada, Halt::Agent(world.triage.clone())).unwrap();
                let of = world.registry.reinstatement(&world.triage).unwrap();
                let (verifier, answer) = prover(world, &world.triage);
                let proof = door.prove(&of, &verifier, &answer).unwrap();
                door.reinstate(ada, proof, Approval::by(ada, of)).unwrap();
            }
            Self::Unsponsored => {
                let sponsor = AccountabilityRole::Sponsor;
                drop(door.withdraw(ada, &world.triage, sponsor, &operator("ada")).unwrap());
            }
            Self::Retired => drop(door.retire(ada, &world.triage).unwrap()),
            Self::Offboarded => drop(door.offboard(ada, &operator("ada")).unwrap()),
            Self::TimeOver => world.clock.set(task.until()),
        }
        Some(task)
    }
}

/// One step of whoever uses a task.
#[derive(Debug, Clone)]
enum Step {
    Authorize(Box<Action>),
    Redeem(Index),
    Mint(Index),
    Drop(Index),
    Finish(Index),
}

fn step() -> impl Strategy<Value = Step> {
    let read = || Action::autonomous("ticket.read", &ticket()).unwrap();
    let close = || Action::on_behalf_of(&crate::world::session("ada"), "ticket.close", &ticket()).unwrap();
    prop_oneof![
        3 => select(vec![read(), close()]).prop_map(|action| Step::Authorize(Box::new(action))),
        1 => any::action().prop_map(|action| Step::Authorize(Box::new(action))),
        1 => any::<Index>().prop_map(Step::Redeem),
        2 => any::<Index>().prop_map(Step::Mint),
        1 => any::<Index>().prop_map(Step::Drop),
        1 => any::<Index>().prop_map(Step::Finish),
    ]
}

proptest! {
    #![proptest_config(cases(80))]

    #[test]
    fn after_the_end_no_permit_and_no_credential_is_accepted(
        end in select(&End::ALL),
        steps in vec(step(), 1..16),
        by_minting in any::<bool>(),
    ) {
        let world = World::new(OPEN);
        let task = world.task(scope());
        let (mut permits, mut credentials) = (Vec::<Permit>::new(), Vec::<Credential>::new());
        for step in steps {
            match step {
                Step::Authorize(action) => permits.extend(task.authorize(&action)),
                Step::Redeem(index) => {
                    if let Some(permit) = take(&mut permits, &index) {
                        let arguments = permit.action().arguments().clone();
                        task.redeem(permit, &arguments).unwrap().finish(Effect::Succeeded).unwrap();
                    }
                }
                Step::Mint(index) => {
                    credentials.extend(take(&mut permits, &index).map(|permit| task.mint(permit, &audience()).unwrap()));
                }
                Step::Drop(index) => drop(take(&mut permits, &index)),
                Step::Finish(index) => {
                    if let Some(credential) = take(&mut credentials, &index) {
                        credential.finish(Effect::Failed).unwrap();
                    }
                }
            }
        }
        // There is always something to refuse.
        let read = Action::autonomous("ticket.read", &ticket()).unwrap();
        credentials.push(task.mint(task.authorize(&read).unwrap(), &audience()).unwrap());
        permits.push(task.authorize(&read).unwrap());
        for credential in &credentials {
            prop_assert!(world.door.verify(credential.expose(), &audience()).is_ok());
        }

        let handle = task.handle();
        let _kept = end.come(&world, task);
        for credential in &credentials {
            prop_assert!(world.door.verify(credential.expose(), &audience()).is_err(), "{:?}", end);
        }
        prop_assert!(handle.authorize(&read).is_err(), "{:?}", end);
        for permit in permits {
            let arguments = permit.action().arguments().clone();
            let refused = if by_minting {
                handle.mint(permit, &audience()).is_err()
            } else {
                handle.redeem(permit, &arguments).is_err()
            };
            prop_assert!(refused, "{:?}", end);
        }
        // Nor is it when the ends are written down, or when another task begins.
        world.door.sweep();
        let goes_on = [
            End::Completed,
            End::Dropped,
            End::Panicked,
            End::Task,
            End::EverythingAndResumed,
            End::SuspendedAndReinstated,
        ];
        if goes_on.contains(&end) {
            let _next = world.task(scope());
        }
        for credential in &credentials {
            prop_assert!(world.door.verify(credential.expose(), &audience()).is_err(), "{:?}, swept", end);
        }
    }
}

#[test]
fn a_permit_is_good_for_its_own_task_only() {
    let world = World::new(OPEN);
    let (one, other) = (world.task(scope()), world.task(scope()));
    let read = Action::autonomous("ticket.read", &ticket()).unwrap();
    let refused = other.redeem(one.authorize(&read).unwrap(), &Arguments::none()).unwrap_err();
    assert_eq!(refused.code(), ReasonCode::PermitInvalid);
    assert!(other.mint(one.authorize(&read).unwrap(), &audience()).is_err());
}

/// A moment so many milliseconds after the start of the world.
fn after(millis: u64) -> Timestamp {
    at(START).after(Duration::from_millis(millis))
}

#[test]
fn a_credential_ends_with_the_first_of_what_bounds_it() {
    let world = World::new(OPEN);
    let evaluator = Evaluator::new(catalog(), OPEN).unwrap();
    let bound = || 1_000_u64..1_000_000;
    let ends = Cell::new([0; 5]);
    let input = (1_u64..=900, bound(), bound(), bound(), bound(), 0_u64..1_000, any::<bool>());
    hold_often((128, 100), input, |(lifetime, task_end, proof, ada, bob, now, alone)| {
        world.clock.set(after(now));
        let minter = Minter::new(issuer(AUTHZ), MintKey::generate(&SystemEntropy).unwrap());
        let minter = minter.with_lifetime(Duration::from_secs(lifetime)).unwrap();
        let door = Authorizer::builder(world.registry.clone(), evaluator.clone(), world.sink.clone())
            .minter(minter)
            .clock(world.clock.clone())
            .build()
            .unwrap();
        let key = Some(world.key.public().thumbprint());
        let agent = door.admit(danger::workload_vouched_by_host(world.triage.clone(), key, after(proof))).unwrap();
        let intent = Intent::new("close stale tickets", scope()).unwrap();
        let mandate = Mandate::new(agent, intent)
            .approved(Approval::by(&world.ada, scope()).until(after(ada)))
            .approved(Approval::by(&world.bob, scope()).until(after(bob)))
            .until(after(task_end));
        let task = door.begin(mandate).unwrap();
        let action = if alone {
            Action::autonomous("ticket.read", &ticket())
        } else {
            Action::on_behalf_of(&world.ada, "ticket.read", &ticket())
        };
        // What is autonomous rests on whoever approved; what is for Ada rests on her approval.
        let approval = if alone { ada.max(bob) } else { ada };
        let bounds = [now + lifetime * 1_000, task_end, proof, approval];
        let end = START + i64::try_from(bounds.into_iter().min().unwrap() / 1_000).unwrap();
        let minted = task.mint(task.authorize(&action.unwrap()).unwrap(), &audience());
        if end <= START + i64::try_from(now / 1_000).unwrap() {
            prop_assert!(minted.is_err());
            return Ok(false);
        }
        let credential = minted.unwrap();
        prop_assert_eq!(credential.until(), at(end));
        let verified = door.verify(credential.expose(), &audience());
        prop_assert_eq!(verified.unwrap().until(), at(end));

        let shortest = bounds.iter().position(|bound| Some(bound) == bounds.iter().min()).unwrap();
        let mut counts = ends.get();
        counts[shortest] += 1;
        ends.set(counts);
        Ok(true)
    });
    assert!(ends.get()[..4].iter().all(|count| *count >= 5), "every bound is the first at times: {:?}", ends.get());
}
