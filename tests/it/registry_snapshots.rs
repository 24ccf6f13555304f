//! The registry as a value: read strictly, restored as it was, and reviving nothing.

use std::sync::Arc;

use bailiwick::identity::{
    AccountabilityRole, AgentState, HumanOperator, OperatorState, Registry, RegistryError, RegistrySnapshot,
};
use bailiwick::mandate::{Approval, Intent, Mandate};
use bailiwick::policy::{Evaluator, ReasonCode};
use bailiwick::{Authorizer, Error, Halt};
use serde_json::{Value, json};

use crate::steps::{code, on_behalf, read};
use crate::world::{OPEN, START, World, at, catalog, operator, scope};

/// A registry with everything in it that there can be.
fn world() -> World {
    let world = World::new(OPEN);
    world.registry.enroll(HumanOperator::new(operator("eve"))).unwrap();
    world.registry.assign(&world.triage, AccountabilityRole::Owner, &operator("bob")).unwrap();
    world.registry.assign(&world.triage, AccountabilityRole::Manager, &operator("eve")).unwrap();
    world.registry.assign(&world.triage, AccountabilityRole::Sponsor, &operator("bob")).unwrap();
    world.door.announce_leaving(&world.ada, &operator("ada"), Some(at(START + 3600))).unwrap();
    let _ = world.door.offboard(&world.ada, &operator("eve")).unwrap();
    let _ = world.door.retire(&world.ada, &world.payer).unwrap();
    world
}

fn written(registry: &Registry) -> Value {
    serde_json::to_value(registry.snapshot()).unwrap()
}

fn restored(snapshot: Value) -> Result<Registry, String> {
    let snapshot: RegistrySnapshot = serde_json::from_value(snapshot).map_err(|error| error.to_string())?;
    Registry::restore(snapshot).map_err(|error| error.to_string())
}

#[test]
fn what_is_restored_is_known_as_it_was_tombstones_too() {
    let world = world();
    drop(world.task(scope()).authorize(&read()).unwrap());
    let kept = written(&world.registry);
    assert_eq!(kept["agents"][1]["last_use"], json!("2026-09-21T14:13:20Z"), "{kept:#}");
    let registry = restored(kept.clone()).unwrap();
    assert_eq!(written(&registry), kept);

    assert_eq!(registry.operator_state(&operator("eve")), Some(OperatorState::Offboarded));
    let exists = RegistryError::OperatorExists(operator("eve"));
    assert_eq!(registry.enroll(HumanOperator::new(operator("eve"))), Err(exists));
    assert_eq!(registry.agent_state(&world.payer), Some(AgentState::Retired));
    let exists = RegistryError::AgentExists(world.payer.clone());
    assert_eq!(registry.register(world.payer.clone(), [operator("ada")]), Err(exists));
    let taken = registry.bind(&world.triage, world.payer_bot.id().clone());
    assert!(matches!(taken, Err(RegistryError::UserHasAgent { .. })), "agent users are not used again either");
    assert_eq!(registry.bind(&world.triage, world.triage_bot.id().clone()).unwrap().id(), world.triage_bot.id());
}

#[test]
fn nothing_of_the_old_registry_lives_in_the_restored_one() {
    let mut world = world();
    let (agent, task) = (world.agent(), world.task(scope()));
    let registry = Arc::new(restored(written(&world.registry)).unwrap());
    let evaluator = Evaluator::new(catalog(), OPEN).unwrap();
    let builder = Authorizer::builder(Arc::clone(&registry), evaluator, world.sink.clone());
    world.door = builder.administrator(operator("ada")).clock(world.clock.clone()).build().unwrap();
    world.registry = registry;

    let intent = Intent::new("close stale tickets", scope()).unwrap();
    let mandate = Mandate::new(agent, intent).approved(Approval::by(&world.ada, scope()));
    assert!(matches!(world.door.begin(mandate), Err(Error::Registry(RegistryError::AgentNotActive { .. }))));
    let fresh = world.task(scope());
    assert_eq!(code(fresh.authorize(&read())), None);
    let presented = on_behalf(&world.ada, "ticket.read").presenting(&world.triage_bot);
    assert_eq!(code(fresh.authorize(&presented)), Some(ReasonCode::AgentUserNotBound));
    assert!(task.authorize(&read()).is_ok(), "the old door is the old registry's");

    world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).unwrap();
    let of = world.registry.reinstatement(&world.triage).unwrap();
    let next = restored(written(&world.registry)).unwrap();
    assert_ne!(next.reinstatement(&world.triage).unwrap(), of, "what was approved for an earlier stop is for that one");
}

#[test]
fn what_does_not_fit_together_is_refused() {
    type Spoil = (&'static str, fn(&mut Value), &'static str);
    let rows: [Spoil; 17] = [
        ("another version", |all| all["v"] = json!(2), "version 2"),
        ("an unknown member", |all| all["more"] = json!(1), "unknown field"),
        ("an unknown member of an agent", |all| all["agents"][0]["more"] = json!(1), "unknown field"),
        ("an unknown member of an operator", |all| all["operators"][0]["more"] = json!(1), "unknown field"),
        ("no operators", |all| drop(all.as_object_mut().unwrap().remove("operators")), "missing field"),
        ("no owners", |all| drop(all["agents"][0].as_object_mut().unwrap().remove("owners")), "missing field"),
        ("no time for `null`", |all| all["operators"][0]["leaving"] = json!(null), "invalid type"),
        ("a list for an agent", |all| all["agents"][0] = json!([]), "expected an object"),
        ("an unknown state", |all| all["agents"][0]["state"] = json!("paused"), "unknown variant"),
        ("an id that is none", |all| all["agents"][0]["agent"] = json!("triage"), "agent id"),
        ("an operator twice", |all| twice(&mut all["operators"]), "registered already"),
        ("an agent twice", |all| twice(&mut all["agents"]), "registered already"),
        ("a person twice in one role", |all| twice(&mut all["agents"][1]["sponsors"]), "is sponsor of the agent"),
        (
            "a sponsor who is unknown",
            |all| all["agents"][1]["sponsors"] = json!([{"iss": "https://idp.acme.example", "sub": "stranger"}]),
            "is not registered",
        ),
        (
            "an active agent whose only sponsor has left",
            |all| all["agents"][1]["sponsors"] = json!([{"iss": "https://idp.acme.example", "sub": "eve"}]),
            "no active human sponsor",
        ),
        ("an active agent without sponsors", |all| all["agents"][1]["sponsors"] = json!([]), "no active human sponsor"),
        (
            "an agent user of two agents",
            |all| all["agents"][1]["agent_user"] = all["agents"][0]["agent_user"].clone(),
            "belongs to the agent",
        ),
    ];
    let kept = written(&world().registry);
    assert!(restored(kept.clone()).is_ok());
    for (what, spoil, said) in rows {
        let mut spoilt = kept.clone();
        spoil(&mut spoilt);
        let error = restored(spoilt).expect_err(what);
        assert!(error.contains(said), "{what}: {error}");
    }
    let doubled = serde_json::to_string(&kept).unwrap().replacen(r#""v":1"#, r#""v":1,"v":1"#, 1);
    assert!(serde_json::from_str::<RegistrySnapshot>(&doubled).is_err(), "a member twice");
}

fn twice(list: &mut Value) {
    let first = list[0].clone();
    list.as_array_mut().unwrap().push(first);
}
