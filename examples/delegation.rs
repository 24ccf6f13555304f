//! A coordinator that may only plan passes a part of its task on to two workers who may read invoices, within what Ada approved.
//! They spend one budget, and are dead when the coordinator's task ends. Run it with `cargo run --example delegation`.

use std::{error::Error, sync::Arc, time::Duration};

use bailiwick::audit::{Effect, MemorySink};
use bailiwick::credential::{CredentialVerifier, MintKey, Minter, Presentation, danger::possession_vouched_by_host};
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::{Audience, Issuer};
use bailiwick::identity::{
    AgentId, AgentIdentity, AgentKey, HumanOperator, OperatorId, OperatorSession, Registry, danger,
};
use bailiwick::mandate::{Action, ActionClass, Grant, Intent, Mandate, Resource, Scope, Tool};
use bailiwick::policy::{Catalog, Evaluator, ReasonCode};
use bailiwick::time::{Clock, SystemClock, Timestamp};
use bailiwick::{Authorizer, DelegationError, Error as DoorError, Task};

#[path = "shared/lanes.rs"]
mod lanes;

const POLICIES: &str = r#"
    @id("coordinators-plan")
    permit(principal == AgentIdentity::"spiffe://acme.example/agent/coordinator", action == Action::"plan.write", resource)
    when { context.mode == "on_behalf_of" };

    @id("workers-read-invoices")
    permit(principal, action == Action::"invoice.read", resource)
    when { principal != AgentIdentity::"spiffe://acme.example/agent/coordinator" && resource.kind == "invoice" };
"#;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).is_some() {
        println!(
            "usage: delegation\nA coordinator delegates to two workers, who share its budget. Takes no arguments."
        );
        return Ok(());
    }
    let now = SystemClock.now()?;
    let end = now.after(Duration::from_secs(3600));
    let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
    let registry = Registry::new();
    registry.enroll(ada.clone())?;
    for name in ["coordinator", "reader-1", "reader-2"] {
        registry.register(agent_id(name)?, [ada.id().clone()])?;
    }
    let catalog = Catalog::new()
        .with(Tool::new("plan.write".parse()?, ActionClass::Write))?
        .with(Tool::new("invoice.read".parse()?, ActionClass::Read))?;
    let sink = Arc::new(MemorySink::new(1_000));
    let minter = Minter::new(Issuer::new("https://authz.acme.example")?, MintKey::generate(&SystemEntropy)?);
    let (keys, erp) = (minter.keys(now), Audience::new("https://erp.acme.example")?);
    let door =
        Authorizer::builder(registry, Evaluator::new(catalog, POLICIES)?, sink.clone()).minter(minter).build()?;
    let [coordinator, first, other] =
        [admit(&door, "coordinator", end)?, admit(&door, "reader-1", end)?, admit(&door, "reader-2", end)?];
    let ada = danger::operator_vouched_by_host(ada, now, end)?;

    // What Ada approves: plans, three invoices read, and that parts of it are passed on, once.
    let reading = Grant::new().at_most(3).at([erp.clone()]);
    let scope = Scope::new().allow("plan.write", Grant::new())?.allow("invoice.read", reading.clone())?.delegable(1)?;
    let intent = Intent::new("reconcile the invoices of the quarter", scope)?;
    let task = door.begin(Mandate::new(coordinator.clone(), intent).approved_by(&ada))?;

    let invoice = |name: &str| Resource::new("invoice", name);
    let read = |name: &str| -> Result<Action, Box<dyn Error>> {
        Ok(Action::on_behalf_of(&ada, "invoice.read", &invoice(name)?)?)
    };
    let plan = Action::on_behalf_of(&ada, "plan.write", &Resource::new("plan", "2026-Q3")?)?;
    task.redeem(task.authorize(&plan)?, plan.arguments())?.finish(Effect::Succeeded)?;
    let denial = task.authorize(&read("I-1")?).err().ok_or("the coordinator reads no invoices")?;
    expect(denial.code() == ReasonCode::NotPermitted, "its policies say so")?;
    println!("The coordinator plans, and may not read: “{denial}”");

    // Narrower than the task, and not to be passed on further.
    let part = || -> Result<Intent, Box<dyn Error>> {
        Ok(Intent::new("read what was planned", Scope::new().allow("invoice.read", reading.clone())?)?)
    };
    let one = task.delegate(Mandate::new(first.clone(), part()?))?;
    let two = task.delegate(Mandate::new(other.clone(), part()?))?;
    let refused = one.delegate(Mandate::new(other, part()?));
    expect(
        matches!(refused, Err(DoorError::Delegation(DelegationError::Depth { allowed: 0, asked: 1 }))),
        "a worker passes nothing on",
    )?;
    let wider = Intent::new("read everything", Scope::new().allow("invoice.read", Grant::new())?)?;
    let refused = task.delegate(Mandate::new(first.clone(), wider));
    expect(matches!(refused, Err(DoorError::Delegation(DelegationError::Wider { .. }))), "a part is within the task")?;

    // Three in all, whoever reads.
    for (worker, name) in [(&one, "I-1"), (&two, "I-2"), (&one, "I-3")] {
        let action = read(name)?;
        worker.redeem(worker.authorize(&action)?, action.arguments())?.finish(Effect::Succeeded)?;
    }
    for worker in [&one, &two] {
        let denial = worker.authorize(&read("I-4")?).err().ok_or("the budget is spent")?;
        expect(denial.code() == ReasonCode::Budget, "by both together")?;
    }
    println!("Two workers read three invoices, as many as Ada approved, and no more.");

    // Another errand: a worker's key, which a service believes that has never heard of it.
    let (errand, worker) = second(&door, &ada, coordinator, first, &reading)?;
    let action = read("I-5")?;
    let key = worker.mint(worker.authorize(&action)?, &erp)?;
    let service = CredentialVerifier::new(keys.clone(), erp.clone());
    let shown = || possession_vouched_by_host(key.presentation());
    let verified = service.verify(&shown(), SystemClock.now()?)?;
    let above: Vec<String> = verified.lineage().map(ToString::to_string).collect();
    println!("The service sees {}, dispatched by {}.", verified.agent(), above.join(", "));
    let bare = possession_vouched_by_host(Presentation::new(key.expose()));
    let other = CredentialVerifier::new(keys, erp.clone());
    expect(other.verify(&bare, SystemClock.now()?).is_err(), "nobody believes a key without its lineage")?;
    expect(door.verify(key.expose(), &erp).is_ok(), "the worker's key is good")?;

    // The coordinator is done; nothing of what hung on it is left.
    let permit = worker.authorize(&read("I-6")?)?;
    errand.complete()?;
    task.complete()?;
    expect(door.verify(key.expose(), &erp).is_err(), "the key died with the task above it")?;
    expect(worker.redeem(permit, action.arguments()).is_err(), "and so did the permit")?;
    expect(one.authorize(&plan).is_err() && two.authorize(&plan).is_err(), "and every other worker")?;
    println!("The coordinator's task ends, and with it everything below.\n");
    drop(key);
    drop((one, two, worker));
    let swept = door.sweep();
    expect(swept.failed == 0, "every end is recorded")?;
    println!("{}", lanes::table(&sink.events()));
    Ok(())
}

/// Another task of the coordinator's, with one worker.
fn second(
    door: &Authorizer,
    ada: &OperatorSession,
    coordinator: AgentIdentity,
    worker: AgentIdentity,
    reading: &Grant,
) -> Result<(Task, Task), Box<dyn Error>> {
    let scope = Scope::new().allow("invoice.read", reading.clone())?;
    let intent = Intent::new("look at what is left", scope.clone().delegable(1)?)?;
    let task = door.begin(Mandate::new(coordinator, intent).approved_by(ada))?;
    let part = task.delegate(Mandate::new(worker, Intent::new("look at it", scope)?))?;
    Ok((task, part))
}

fn agent_id(name: &str) -> Result<AgentId, Box<dyn Error>> {
    Ok(AgentId::spiffe(&format!("spiffe://acme.example/agent/{name}"))?)
}

/// Each with a key of its own; a host verifies a proof here.
fn admit(door: &Authorizer, name: &str, until: Timestamp) -> Result<AgentIdentity, Box<dyn Error>> {
    let key = AgentKey::generate(&SystemEntropy)?.public().thumbprint();
    Ok(door.admit(danger::workload_vouched_by_host(agent_id(name)?, Some(key), until))?)
}

/// Whether it is as it should be; the program fails where it is not.
fn expect(is_so: bool, what: &'static str) -> Result<(), Box<dyn Error>> {
    if is_so { Ok(()) } else { Err(format!("not so: {what}").into()) }
}
