//! A person approves a task; an agent works on their behalf, then autonomously where the scope lets it; the ticket system
//! sees an agent user; the record has three lanes. Run it with `cargo run --example quickstart`.

use std::{error::Error, sync::Arc, time::Duration};

use bailiwick::audit::{Effect, MemorySink};
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::{Audience, Issuer};
use bailiwick::identity::{AgentId, AgentKey, AgentUserId, HumanOperator, OperatorId, Registry, danger};
use bailiwick::mandate::{Action, ActionClass, Approval, Grant, Intent, Mandate, Resource, Scope, Tool};
use bailiwick::policy::{Catalog, Evaluator};
use bailiwick::time::{Clock, SystemClock};
use bailiwick::{Authorizer, credential};

#[path = "shared/lanes.rs"]
mod lanes;

const POLICIES: &str = r#"
    @id("tickets") permit(principal, action, resource) when { resource.kind == "ticket" };
    @id("not-while-untrusted") forbid(principal, action in Class::Action::"write", resource)
    when { context.task.labels.contains("untrusted") };
"#;

fn main() -> Result<(), Box<dyn Error>> {
    // Once per process: who is known, which tools there are, what policies say, where records go.
    let (ada, jira) =
        (OperatorId::new("https://idp.acme.example", "ada")?, Audience::new("https://jira.acme.example")?);
    let (agent, key) = (AgentId::spiffe("spiffe://acme.example/agent/triage")?, AgentKey::generate(&SystemEntropy)?);
    let registry = Registry::new();
    registry.enroll(HumanOperator::new(ada.clone()))?;
    registry.register(agent.clone(), [ada.clone()])?;
    let seen_as = registry.bind(&agent, AgentUserId::new("jira.acme.example", "triage-bot")?)?;
    let catalog = Catalog::new()
        .with(Tool::new("ticket.read".parse()?, ActionClass::Read))?
        .with(Tool::new("ticket.close".parse()?, ActionClass::Write))?;
    let sink = Arc::new(MemorySink::new(1_000));
    let minter =
        credential::Minter::new(Issuer::new("https://acme.example")?, credential::MintKey::generate(&SystemEntropy)?);
    let door =
        Authorizer::builder(registry, Evaluator::new(catalog, POLICIES)?, sink.clone()).minter(minter).build()?;

    // Once per task: Ada signed in, and approves what the agent may do, and which of it without her.
    let (now, hour) = (SystemClock.now()?, Duration::from_secs(3600));
    let ada = danger::operator_vouched_by_host(HumanOperator::new(ada), now, now.after(hour))?;
    let agent =
        door.admit(danger::workload_vouched_by_host(agent, Some(key.public().thumbprint()), now.after(hour)))?;
    let scope = Scope::new().allow("ticket.read", Grant::new().autonomous())?.allow("ticket.close", Grant::new())?;
    let mandate =
        Mandate::new(agent, Intent::new("close stale tickets", scope.clone())?).approved(Approval::by(&ada, scope));
    let task = door.begin(mandate)?;

    // Once per action: for Ada, on its own, and once further than the scope goes.
    let ticket = Resource::new("ticket", "T-42")?;
    for action in [
        Action::on_behalf_of(&ada, "ticket.close", &ticket)?.presenting(&seen_as),
        Action::autonomous("ticket.read", &ticket)?.presenting(&seen_as),
        Action::autonomous("ticket.close", &ticket)?.presenting(&seen_as),
    ] {
        match task.authorize(&action) {
            Ok(permit) => task.mint(permit, &jira)?.finish(Effect::Succeeded)?,
            Err(denial) => println!("The model is told: {denial}"),
        }
    }
    task.complete()?;
    println!("{}", lanes::table(&sink.events()));
    Ok(())
}
