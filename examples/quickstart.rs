//! A person approves a task; an agent works on their behalf, then autonomously where the scope lets it; the ticket
//! system sees an agent user; the record has three lanes. Run it with `cargo run --example quickstart`.

use std::{error::Error, sync::Arc, time::Duration};

use bailiwick::audit::{Effect, MemorySink};
use bailiwick::credential::{MintKey, Minter};
use bailiwick::identity::{AgentId, AgentKey, AgentUserId, HumanOperator, Namespace, OperatorId, Registry, danger};
use bailiwick::mandate::{Action, ActionClass, Grant, Intent, Mandate, Resource, Scope, Tool};
use bailiwick::policy::{Catalog, Evaluator};
use bailiwick::{Authorizer, entropy::SystemEntropy, id::Audience, id::Issuer, time::Clock, time::SystemClock};

#[path = "shared/lanes.rs"]
mod lanes;

const POLICIES: &str = r#"@id("tickets") permit(principal, action, resource) when { resource.kind == "ticket" };"#;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).is_some() {
        println!("usage: quickstart\nRuns one task, and prints the three lanes of its record. Takes no arguments.");
        return Ok(());
    }
    // Once per process: who is known, which tools there are, what policies say, where records go.
    let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
    let (agent, key) = (AgentId::spiffe("spiffe://acme.example/agent/triage")?, AgentKey::generate(&SystemEntropy)?);
    let registry = Registry::new();
    registry.enroll(ada.clone())?;
    registry.register(agent.clone(), [ada.id().clone()])?;
    registry.declare(Namespace::suffix("jira.acme.example", "-bot")?);
    let seen_as = registry.bind(&agent, AgentUserId::new("jira.acme.example", "triage-bot")?)?;
    let read = Tool::new("ticket.read".parse()?, ActionClass::Read);
    let close = Tool::new("ticket.close".parse()?, ActionClass::Write);
    let evaluator = Evaluator::new(Catalog::new().with(read)?.with(close)?, POLICIES)?;
    let sink = Arc::new(MemorySink::new(1_000));
    let minter = Minter::new(Issuer::new("https://authz.acme.example")?, MintKey::generate(&SystemEntropy)?);
    let door = Authorizer::builder(registry, evaluator, sink.clone()).minter(minter).build()?;

    // Once per task: Ada signed in, and approves what the agent may do, and which of it without her.
    let (now, hour) = (SystemClock.now()?, Duration::from_secs(3600));
    let ada = danger::operator_vouched_by_host(ada, now, now.after(hour))?;
    let agent = danger::workload_vouched_by_host(agent, Some(key.public().thumbprint()), now.after(hour));
    let scope = Scope::new().allow("ticket.read", Grant::new().autonomous())?.allow("ticket.close", Grant::new())?;
    let mandate = Mandate::new(door.admit(agent)?, Intent::new("close stale tickets", scope)?).approved_by(&ada);
    let task = door.begin(mandate)?;

    // Once per action: for Ada, on its own, and once further than the scope goes.
    let (ticket, jira) = (Resource::new("ticket", "T-42")?, Audience::new("https://jira.acme.example")?);
    let close_for_ada = Action::on_behalf_of(&ada, "ticket.close", &ticket)?.presenting(&seen_as);
    let read_alone = Action::autonomous("ticket.read", &ticket)?.presenting(&seen_as);
    let close_alone = Action::autonomous("ticket.close", &ticket)?.presenting(&seen_as);
    for action in [close_for_ada, read_alone, close_alone] {
        match task.authorize(&action) {
            Ok(permit) => task.mint(permit, &jira)?.finish(Effect::Succeeded)?,
            Err(denial) => println!("The model is told: {denial}\n"),
        }
    }
    task.complete()?;
    println!("{}", lanes::table(&sink.events()));
    Ok(())
}
