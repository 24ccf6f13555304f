//! What races, and what was good once, lets nobody do more and brings nothing back.

use std::sync::{Arc, Mutex};

use bailiwick::audit::{Ack, Administered, AgentFact, AuditSink, Event, MemorySink, OperatorFact};
use bailiwick::entropy::SystemEntropy;
use bailiwick::identity::{
    AccountabilityRole, AgentId, AgentKey, AgentState, BlueprintId, HumanOperator, IdentityVerifier, OperatorId,
    ProofError, RegistryError, VerifiedWorkload, danger,
};
use bailiwick::mandate::Approval;
use bailiwick::policy::Evaluator;
use bailiwick::time::Timestamp;
use bailiwick::{Authorizer, Error, Halt, Resume};

use crate::flaky::{Host, Mood};
use crate::steps::prover;
use crate::world::{OPEN, START, World, at, catalog, operator, session, standard};

/// A verifier that says what it was told to say.
struct Says(VerifiedWorkload);

impl IdentityVerifier for Says {
    fn verify(&self, _: &str, _: Timestamp) -> Result<VerifiedWorkload, ProofError> {
        Ok(self.0.clone())
    }
}

/// Does something, once, while it is told of a giving change.
#[derive(Default)]
struct Meanwhile(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl AuditSink for Meanwhile {
    fn record(&self, event: &Event) -> Ack {
        let is_giving = event.operator.as_ref().is_some_and(|record| {
            matches!(
                &record.fact,
                OperatorFact::Administered(
                    Administered::Reinstated { .. }
                        | Administered::Enrolled { .. }
                        | Administered::Assigned { .. }
                        | Administered::Policies { .. }
                        | Administered::Resumed
                        | Administered::BlueprintResumed { .. }
                )
            )
        });
        let act = if is_giving { self.0.lock().unwrap().take() } else { None };
        if let Some(act) = act {
            act();
        }
        Ack::taken()
    }
}

fn raced() -> (World, Arc<Meanwhile>) {
    let sink = Arc::new(Meanwhile::default());
    (World::recorded_in(OPEN, sink.clone(), Arc::new(MemorySink::new(1))), sink)
}

impl Meanwhile {
    fn leaves(&self, world: &World, by: &str, who: &str) {
        let (door, by, who) = (world.door.clone(), session(by), operator(who));
        *self.0.lock().unwrap() = Some(Box::new(move || drop(door.offboard(&by, &who).expect("leaves"))));
    }
}

fn carl() -> OperatorId {
    operator("carl")
}

#[test]
fn glass_is_broken_at_one_door_and_covers_nothing_at_another() {
    let world = World::new(OPEN);
    world.registry.enroll(HumanOperator::new(carl())).expect("a person");
    let evaluator = Evaluator::new(catalog(), OPEN).expect("policies");
    let other = Authorizer::builder(Arc::clone(&world.registry), evaluator, Arc::new(MemorySink::new(10)))
        .administration(standard())
        .may_break_glass(carl())
        .clock(world.clock.clone())
        .build()
        .expect("a door");
    let glass =
        other.break_glass(&session("carl"), bailiwick::id::Prose::new("a fire").expect("prose")).expect("his own door");
    assert!(world.door.halt(&glass, Halt::Agent(world.triage.clone())).is_err(), "not listed here");
    assert_eq!(world.registry.agent_state(&world.triage), Some(AgentState::Active));
    assert_eq!(other.halt(&glass, Halt::Agent(world.triage.clone())), Ok(()), "but there");
}

#[test]
fn a_proof_brings_an_agent_back_once() {
    let world = World::new(OPEN);
    let (verifier, answer) = prover(&world, &world.triage);
    let workload = verifier.verify(&answer, at(START)).expect("a proof");
    let again = |expected: Result<(), Error>| {
        world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).expect("a halt");
        let of = world.registry.reinstatement(&world.triage).expect("a suspended agent");
        let proof = world.door.prove(&of, &Says(workload.clone()), "").expect("a proof");
        assert_eq!(world.door.reinstate(&world.bob, proof, Approval::by(&world.ada, of)), expected);
    };
    again(Ok(()));
    again(Err(Error::Registry(RegistryError::ProofNotFresh(world.triage.clone()))));
}

#[test]
fn a_proof_by_which_it_was_admitted_long_ago_is_not_fresh_either() {
    let world = World::new(OPEN);
    let (verifier, answer) = prover(&world, &world.triage);
    let first = verifier.verify(&answer, at(START)).expect("a proof");
    world.door.admit(first.clone()).expect("an active agent");
    for later in 0..20 {
        let until = at(first.until().unix() + later);
        let workload = danger::workload_vouched_by_host(world.triage.clone(), None, until);
        world.door.admit(workload).expect("an active agent");
    }
    world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).expect("a halt");
    let of = world.registry.reinstatement(&world.triage).expect("a suspended agent");
    let proof = world.door.prove(&of, &Says(first), "").expect("a proof");
    assert_eq!(
        world.door.reinstate(&world.bob, proof, Approval::by(&world.ada, of)),
        Err(Error::Registry(RegistryError::ProofNotFresh(world.triage.clone())))
    );
}

#[test]
fn nobody_comes_back_by_the_approval_of_somebody_who_left_meanwhile() {
    for leaver in ["ada", "bob"] {
        let (world, sink) = raced();
        world.registry.enroll(HumanOperator::new(carl())).expect("a person");
        world.door.assign(&world.bob, &world.triage, AccountabilityRole::Sponsor, &carl()).expect("another sponsor");
        world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).expect("a halt");
        let of = world.registry.reinstatement(&world.triage).expect("a suspended agent");
        let (verifier, answer) = prover(&world, &world.triage);
        let proof = world.door.prove(&of, &verifier, &answer).expect("a proof");
        sink.leaves(&world, if leaver == "ada" { "bob" } else { "ada" }, leaver);
        let done = world.door.reinstate(&world.bob, proof, Approval::by(&world.ada, of));
        assert!(done.is_err(), "{leaver} has left");
        assert_eq!(world.registry.agent_state(&world.triage), Some(AgentState::Suspended), "{leaver}");
    }
}

#[test]
fn who_left_meanwhile_gives_nothing() {
    type Row = (&'static str, fn(&World) -> Result<(), Error>);
    let rows: [Row; 5] = [
        ("resume a blueprint", |world| world.door.resume(&world.bob, Resume::Blueprint(image()))),
        ("enroll", |world| world.door.enroll(&world.bob, &HumanOperator::new(operator("eve")))),
        ("assign", |world| world.door.assign(&world.bob, &world.triage, AccountabilityRole::Owner, &carl())),
        ("reload", |world| {
            world.door.reload(&world.bob, r#"@id("none") forbid(principal, action, resource);"#).map(drop)
        }),
        ("resume", |world| world.door.resume(&world.bob, Resume::Everything)),
    ];
    for (what, attempt) in rows {
        let (world, sink) = raced();
        world.registry.enroll(HumanOperator::new(carl())).expect("a person");
        if what == "resume a blueprint" {
            world.registry.register_from(image(), made(), [operator("ada")]).expect("a new agent");
            world.door.halt(&world.ada, Halt::Blueprint(image())).expect("a halt");
        }
        if what == "resume" {
            world.door.halt(&world.ada, Halt::Everything).expect("a halt");
        }
        sink.leaves(&world, "ada", "bob");
        assert!(attempt(&world).is_err(), "{what}");
        assert!(world.registry.operator_state(&operator("eve")).is_none(), "{what}");
        assert!(world.registry.people(&world.triage, AccountabilityRole::Owner).is_empty(), "{what}");
    }
}

fn image() -> BlueprintId {
    BlueprintId::new("image@7").expect("a blueprint")
}

fn made() -> AgentId {
    AgentId::spiffe("spiffe://acme.example/agent/made").expect("a SPIFFE ID")
}

#[test]
fn whoever_presses_the_button_again_meanwhile_has_the_last_word() {
    for (halt, resume) in
        [(Halt::Everything, Resume::Everything), (Halt::Blueprint(image()), Resume::Blueprint(image()))]
    {
        let (world, sink) = raced();
        world.registry.register_from(image(), made(), [operator("ada")]).expect("a new agent");
        world.door.halt(&world.ada, halt.clone()).expect("a halt");
        let (door, ada, again) = (world.door.clone(), world.ada.clone(), halt.clone());
        *sink.0.lock().unwrap() = Some(Box::new(move || door.halt(&ada, again).expect("another halt")));
        assert_eq!(world.door.resume(&world.bob, resume.clone()), Err(Error::Halted), "{halt:?}");
        assert!(world.registry.blueprints()[0].1 || halt == Halt::Everything);
        assert_eq!(world.door.resume(&world.bob, resume), Ok(()), "{halt:?}: what they see now");
    }
}

#[test]
fn who_lost_the_role_meanwhile_chooses_nobody() {
    let (world, sink) = raced();
    for person in ["carl", "eve"] {
        world.registry.enroll(HumanOperator::new(operator(person))).expect("a person");
    }
    world.registry.assign(&world.triage, AccountabilityRole::Owner, &carl()).expect("an owner");
    let (door, ada, triage) = (world.door.clone(), world.ada.clone(), world.triage.clone());
    *sink.0.lock().unwrap() = Some(Box::new(move || {
        let _ = door.withdraw(&ada, &triage, AccountabilityRole::Owner, &carl()).expect("an owner no more");
    }));
    assert!(world.door.assign(&session("carl"), &world.triage, AccountabilityRole::Manager, &operator("eve")).is_err());
    assert!(world.registry.people(&world.triage, AccountabilityRole::Manager).is_empty());
}

#[test]
fn being_elsewhere_is_told_although_the_first_record_failed() {
    let host = Host::new(OPEN);
    let vouched = |key: &AgentKey, until: i64| {
        danger::workload_vouched_by_host(host.world.triage.clone(), Some(key.public().thumbprint()), at(until))
    };
    let other = AgentKey::generate(&SystemEntropy).expect("a key");
    host.world.door.admit(vouched(&host.world.key, START + 600)).expect("an active agent");
    host.sink.set(Mood::Fails);
    assert!(host.world.door.admit(vouched(&other, START + 600)).is_err());
    host.sink.set(Mood::Works);
    host.world.door.admit(vouched(&other, START + 600)).expect("an active agent");
    let facts = host.world.sink.events().into_iter().filter_map(|event| event.agent).map(|record| record.fact);
    assert_eq!(facts.filter(|fact| matches!(fact, AgentFact::AttestedElsewhere { .. })).count(), 1);
}
