//! A suspended agent comes back by a proof from after it was stopped and a person's approval; nothing that it held does.

use bailiwick::audit::{Administered, OperatorFact};
use bailiwick::entropy::SystemEntropy;
use bailiwick::identity::{
    AccountabilityRole, AgentKey, AgentState, FreshProof, HumanOperator, IdentityVerifier, ProofError, RegistryError,
    Reinstatement, VerifiedWorkload, danger,
};
use bailiwick::mandate::{Approval, Scope};
use bailiwick::policy::ReasonCode;
use bailiwick::time::Timestamp;
use bailiwick::{Error, Halt};

use crate::steps::{code, on_behalf, prover, read};
use crate::world::{OPEN, START, World, at, audience, operator, scope, session};

/// A verifier that says what it was told to say.
struct Says(VerifiedWorkload);

impl IdentityVerifier for Says {
    fn verify(&self, _: &str, _: Timestamp) -> Result<VerifiedWorkload, ProofError> {
        Ok(self.0.clone())
    }
}

fn suspended(world: &World) -> Reinstatement {
    world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).expect("a halt");
    world.registry.reinstatement(&world.triage).expect("a suspended agent")
}

/// The triage agent proves its key again.
fn proven(world: &World, of: &Reinstatement) -> FreshProof {
    let (verifier, answer) = prover(world, &world.triage);
    world.door.prove(of, &verifier, &answer).expect("a proof")
}

fn comes_back(world: &World) {
    let of = suspended(world);
    let approval = Approval::by(&world.ada, of.clone());
    world.door.reinstate(&world.bob, proven(world, &of), approval).expect("a new life");
}

#[test]
fn what_comes_back_is_another_life() {
    let world = World::new(OPEN);
    let (agent, task) = (world.agent(), world.task(scope()));
    let (permit, other) = (task.authorize(&read()).expect("a permit"), task.authorize(&read()).expect("a permit"));
    let credential = task.mint(other, &audience()).expect("a credential");
    comes_back(&world);
    assert_eq!(world.registry.agent_state(&world.triage), Some(AgentState::Active));

    assert_eq!(code(task.authorize(&read())), Some(ReasonCode::AgentNotActive));
    assert_eq!(code(task.redeem(permit, read().arguments())), Some(ReasonCode::AgentNotActive));
    assert!(world.door.verify(credential.expose(), &audience()).is_err());
    let intent = bailiwick::mandate::Intent::new("close stale tickets", scope()).expect("a purpose");
    let mandate = bailiwick::mandate::Mandate::new(agent, intent).approved(Approval::by(&world.ada, scope()));
    assert!(matches!(world.door.begin(mandate), Err(Error::Registry(RegistryError::AgentNotActive { .. }))));

    let fresh = world.task(scope());
    assert_eq!(code(fresh.authorize(&read())), None, "whoever is admitted now works");
    let of_before = on_behalf(&world.ada, "ticket.read").presenting(&world.triage_bot);
    assert_eq!(
        code(fresh.authorize(&of_before)),
        Some(ReasonCode::AgentUserNotBound),
        "the agent user of before is dead"
    );
    let bound = world.registry.bind(&world.triage, world.triage_bot.id().clone()).expect("the same, bound anew");
    assert_eq!(code(fresh.authorize(&on_behalf(&world.ada, "ticket.read").presenting(&bound))), None);
}

#[test]
fn it_is_recorded_with_both_people_and_the_proof() {
    let world = World::new(OPEN);
    let of = suspended(&world);
    let proof = proven(&world, &of);
    let (digest, approval) = (*proof.workload().digest(), Approval::by(&world.ada, of));
    let id = approval.id().clone();
    world.door.reinstate(&world.bob, proof, approval).expect("a new life");
    let last = world.sink.events().pop().expect("an event");
    let record = last.operator.expect("the operator's lane");
    assert_eq!(record.operator, operator("bob"));
    let OperatorFact::Administered(Administered::Reinstated { digest: seen, approver, approval, .. }) = record.fact
    else {
        panic!("{:?}", record.fact)
    };
    assert_eq!((seen, approver, approval), (digest, operator("ada"), id));
    assert_eq!(last.agent.expect("the agent's lane").agent, world.triage);
}

#[test]
fn neither_an_old_proof_nor_an_old_approval_is_good() {
    let world = World::new(OPEN);
    let first = suspended(&world);
    let (old_proof, old_approval) = (proven(&world, &first), Approval::by(&world.ada, first.clone()));
    let second = suspended(&world);
    assert_ne!(first, second, "it was stopped again");
    let stopped = Error::Registry(RegistryError::StoppedSince(world.triage.clone()));
    let approval = |of: &Reinstatement| Approval::by(&world.ada, of.clone());

    assert_eq!(world.door.reinstate(&world.bob, old_proof, approval(&first)), Err(stopped), "both are old");
    let mixed = world.door.reinstate(&world.bob, proven(&world, &second), old_approval);
    assert!(matches!(mixed, Err(Error::NotForReinstatement { .. })), "the approval is old: {mixed:?}");
    let mixed = world.door.reinstate(&world.bob, proven(&world, &first), approval(&second));
    assert!(matches!(mixed, Err(Error::NotForReinstatement { .. })), "the proof is old: {mixed:?}");
    assert_eq!(world.registry.agent_state(&world.triage), Some(AgentState::Suspended));
    assert_eq!(world.door.reinstate(&world.bob, proven(&world, &second), approval(&second)), Ok(()));
}

#[test]
fn a_proof_by_which_it_was_admitted_is_not_fresh() {
    let world = World::new(OPEN);
    let (verifier, answer) = prover(&world, &world.triage);
    let workload = verifier.verify(&answer, at(START)).expect("a proof");
    world.door.admit(workload.clone()).expect("an active agent");
    let of = suspended(&world);
    let replayed = world.door.prove(&of, &Says(workload), "the same token").expect("a verifier that cannot know");
    let answer = world.door.reinstate(&world.bob, replayed, Approval::by(&world.ada, of));
    assert_eq!(answer, Err(Error::Registry(RegistryError::ProofNotFresh(world.triage.clone()))));
}

#[test]
fn every_other_flaw_of_proof_approval_and_person_is_refused() {
    type Row = (&'static str, fn(&World, Reinstatement) -> Result<(), Error>, fn(&Error) -> bool);
    let rows: [Row; 9] = [
        (
            "a proof of another agent",
            |world, of| {
                let (verifier, answer) = prover(world, &world.payer);
                let proof = world.door.prove(&of, &verifier, &answer)?;
                world.door.reinstate(&world.bob, proof, Approval::by(&world.ada, of))
            },
            |error| matches!(error, Error::Registry(RegistryError::StoppedSince(_))),
        ),
        (
            "a proof that is over",
            |world, of| {
                let proof = proven(world, &of);
                world.clock.set(proof.workload().until());
                world.door.reinstate(&world.bob, proof, Approval::by(&world.ada, of))
            },
            |error| matches!(error, Error::Registry(RegistryError::ProofExpired { .. })),
        ),
        (
            "the host's word instead of a proof",
            |world, of| {
                let proof = world.door.prove(&of, &Says(world.workload(&world.triage)), "")?;
                world.door.reinstate(&world.bob, proof, Approval::by(&world.ada, of))
            },
            |error| matches!(error, Error::NotAllowed(_)),
        ),
        (
            "an approval of a task",
            |world, of| world.door.reinstate(&world.bob, proven(world, &of), Approval::by(&world.ada, Scope::new())),
            |error| matches!(error, Error::NotForReinstatement { .. }),
        ),
        (
            "an approval that is over",
            |world, of| {
                let approval = Approval::by(&world.ada, of.clone()).until(at(START));
                world.door.reinstate(&world.bob, proven(world, &of), approval)
            },
            |error| matches!(error, Error::NotForReinstatement { .. }),
        ),
        (
            "an approval of somebody who does not sponsor it",
            |world, of| world.door.reinstate(&world.bob, proven(world, &of), Approval::by(&world.bob, of)),
            |error| matches!(error, Error::NotAllowed(_)),
        ),
        (
            "an approval of a stranger",
            |world, of| world.door.reinstate(&world.bob, proven(world, &of), Approval::by(&session("eve"), of)),
            |error| matches!(error, Error::Registry(RegistryError::UnknownOperator(_))),
        ),
        (
            "somebody who may not",
            |world, of| {
                world.registry.enroll(HumanOperator::new(operator("eve")))?;
                world.door.reinstate(&session("eve"), proven(world, &of), Approval::by(&world.ada, of))
            },
            |error| matches!(error, Error::NotAllowed(_)),
        ),
        (
            "an agent without a sponsor",
            |world, of| {
                let sponsor = AccountabilityRole::Sponsor;
                let _ = world.door.withdraw(&world.ada, &world.triage, sponsor, &operator("ada"))?;
                world.door.reinstate(&world.bob, proven(world, &of), Approval::by(&world.ada, of))
            },
            |error| matches!(error, Error::Registry(RegistryError::NoSponsor(_))),
        ),
    ];
    for (what, attempt, is_it) in rows {
        let world = World::new(OPEN);
        let of = suspended(&world);
        let error = attempt(&world, of).expect_err(what);
        assert!(is_it(&error), "{what}: {error:?}");
        assert_eq!(world.registry.agent_state(&world.triage), Some(AgentState::Suspended), "{what}");
        // What was wrong was that alone.
        comes_back_now(&world);
    }
}

fn comes_back_now(world: &World) {
    if world.registry.people(&world.triage, AccountabilityRole::Sponsor).is_empty() {
        let sponsor = AccountabilityRole::Sponsor;
        world.door.assign(&world.bob, &world.triage, sponsor, &operator("ada")).expect("a sponsor again");
    }
    comes_back(world);
}

#[test]
fn only_what_is_suspended_comes_back() {
    let world = World::new(OPEN);
    let state = |state| RegistryError::AgentNotSuspended { agent: world.triage.clone(), state };
    assert_eq!(world.registry.reinstatement(&world.triage), Err(state(AgentState::Active)));
    let of = suspended(&world);
    let (one, other) = (proven(&world, &of), proven(&world, &of));
    let approval = || Approval::by(&world.ada, of.clone());
    world.door.reinstate(&world.bob, one, approval()).expect("a new life");
    assert_eq!(world.door.reinstate(&world.bob, other, approval()), Err(state(AgentState::Active).into()), "once");
    let of = suspended(&world);
    let (proof, approval) = (proven(&world, &of), Approval::by(&world.ada, of));
    let _ = world.door.retire(&world.ada, &world.triage).expect("an end");
    assert_eq!(
        world.door.reinstate(&world.bob, proof, approval),
        Err(state(AgentState::Retired).into()),
        "never again"
    );
}

#[test]
fn a_verifier_that_panics_proves_nothing() {
    struct Panics;
    impl IdentityVerifier for Panics {
        fn verify(&self, _: &str, _: Timestamp) -> Result<VerifiedWorkload, ProofError> {
            panic!("the host's code panics")
        }
    }
    let world = World::new(OPEN);
    let of = suspended(&world);
    assert!(matches!(world.door.prove(&of, &Panics, ""), Err(Error::Proof(ProofError::Host(_)))));
}

#[test]
fn one_identity_from_two_places_is_noticed() {
    let world = World::new(OPEN);
    let vouched = |key: &AgentKey, until: i64| {
        danger::workload_vouched_by_host(world.triage.clone(), Some(key.public().thumbprint()), at(until))
    };
    let elsewhere = || {
        let facts = world.sink.events().into_iter().filter_map(|event| event.agent).map(|record| record.fact);
        facts.filter(|fact| matches!(fact, bailiwick::audit::AgentFact::AttestedElsewhere { .. })).count()
    };
    let other = AgentKey::generate(&SystemEntropy).expect("a key");
    let admit = |workload| drop(world.door.admit(workload).expect("an active agent"));
    admit(vouched(&world.key, START + 600));
    admit(vouched(&world.key, START + 700));
    assert_eq!(elsewhere(), 0, "the same key again");
    admit(danger::workload_vouched_by_host(world.triage.clone(), None, at(START + 600)));
    assert_eq!(elsewhere(), 0, "no key tells nothing");
    admit(vouched(&other, START + 600));
    assert_eq!(elsewhere(), 1);
    admit(vouched(&other, START + 650));
    assert_eq!(elsewhere(), 1, "said once");
    world.clock.set(at(START + 700));
    admit(vouched(&AgentKey::generate(&SystemEntropy).expect("a key"), START + 800));
    assert_eq!(elsewhere(), 1, "nothing held any more");
}

#[test]
fn a_host_may_refuse_what_is_attested_elsewhere() {
    let mut world = World::new(OPEN);
    let evaluator = bailiwick::policy::Evaluator::new(crate::world::catalog(), OPEN).expect("policies");
    let builder = bailiwick::Authorizer::builder(world.registry.clone(), evaluator, world.sink.clone());
    world.door = builder.in_one_place().clock(world.clock.clone()).build().expect("a door");
    let vouched = |until: i64| {
        let key = AgentKey::generate(&SystemEntropy).expect("a key").public().thumbprint();
        danger::workload_vouched_by_host(world.triage.clone(), Some(key), at(until))
    };
    world.door.admit(vouched(START + 600)).expect("the first");
    let error = RegistryError::Elsewhere { agent: world.triage.clone(), until: at(START + 600) };
    for _ in 0..2 {
        assert_eq!(world.door.admit(vouched(START + 900)).expect_err("the second"), error.clone().into());
    }
    world.clock.set(at(START + 600));
    world.door.admit(vouched(START + 900)).expect("the first is over");
}

#[test]
fn a_verifier_s_challenge_is_answered_once() {
    let world = World::new(OPEN);
    let of = suspended(&world);
    let (verifier, answer) = prover(&world, &world.triage);
    assert!(world.door.prove(&of, &verifier, &answer).is_ok());
    assert!(matches!(world.door.prove(&of, &verifier, &answer), Err(Error::Proof(_))));
}
