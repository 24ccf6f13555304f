//! One task, partly on behalf of people and partly autonomous: the agent has wide rights, the people it serves have narrow ones,
//! and each step gets what its own errand is worth. At the end everything made from the agent's blueprint is halted, and resumed.
//! Run it with `cargo run --example mixed_workflow`.

use std::{error::Error, sync::Arc, time::Duration};

use bailiwick::audit::{Effect, MemorySink};
use bailiwick::credential::{MintKey, Minter};
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::{Audience, Issuer};
use bailiwick::identity::{
    AgentId, AgentIdentity, AgentKey, BlueprintId, HumanOperator, OperatorId, OperatorSession, Registry, danger,
};
use bailiwick::mandate::{
    Action, ActionClass, ArgumentType, Arguments, Ceiling, Grant, Intent, Mandate, Resource, Scope, Tool,
};
use bailiwick::policy::{Catalog, Directory, Entitlements, Evaluator};
use bailiwick::time::{Clock, SystemClock};
use bailiwick::{Authorizer, Halt, Resume, Task};

#[path = "shared/lanes.rs"]
mod lanes;

/// The agent may do all of it.
const AGENTS: &str = r#"
    @id("assistants") permit(principal, action, resource) when { ["ticket", "account"].contains(resource.kind) };
"#;

/// The people may not: Ada closes tickets and pays small sums, support reads.
const PEOPLE: &str = r#"
    @id("support-reads") permit(principal in Team::"support", action in Action::"any read", resource);
    @id("leads-close") permit(principal in Team::"leads", action == Action::"ticket.close", resource);
    @id("leads-pay") permit(principal in Team::"leads", action == Action::"money.send", resource)
    when { context.args.amount <= 500 };
"#;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).is_some() {
        println!(
            "usage: mixed_workflow\nOne task for two people and on its own, mode by mode, with a halt of a blueprint at the \
             end. Takes no arguments."
        );
        return Ok(());
    }
    let now = SystemClock.now()?;
    let end = now.after(Duration::from_secs(3600));
    let [ada, bob] =
        ["ada", "bob"].map(|name| OperatorId::new("https://idp.acme.example", name).map(HumanOperator::new));
    let (ada, bob) = (ada?, bob?);
    let (agent, blueprint) =
        (AgentId::spiffe("spiffe://acme.example/agent/assistant")?, BlueprintId::new("assistant@7")?);
    let registry = Registry::new();
    registry.enroll(ada.clone())?;
    registry.enroll(bob.clone())?;
    registry.register_from(blueprint.clone(), agent.clone(), [ada.id().clone()])?;

    // Two sets of policies over the same tools: what agents may do, and what people may do themselves.
    let catalog = catalog()?;
    let teams = Directory::new()
        .operator(ada.id(), ["leads".parse()?])
        .operator(bob.id(), ["support".parse()?])
        .team("leads".parse()?, ["support".parse()?]);
    let entitlements = Arc::new(Entitlements::new(catalog.clone(), PEOPLE, teams)?);
    let sink = Arc::new(MemorySink::new(1_000));
    let minter = Minter::new(Issuer::new("https://authz.acme.example")?, MintKey::generate(&SystemEntropy)?);
    let door = Authorizer::builder(registry, Evaluator::new(catalog, AGENTS)?, sink.clone())
        .minter(minter)
        .entitlement(entitlements)
        .ceiling(Ceiling::new().tasks(2).class(ActionClass::ExternalCommitment))
        .administrator(ada.id().clone())
        .build()?;

    // One task that both approve.
    let ada = danger::operator_vouched_by_host(ada, now, end)?;
    let bob = danger::operator_vouched_by_host(bob, now, end)?;
    let key = AgentKey::generate(&SystemEntropy)?.public().thumbprint();
    let agent = door.admit(danger::workload_vouched_by_host(agent, Some(key), end))?;
    let task = begin(&door, &agent, [&ada, &bob], scope()?)?;

    // Mode by mode.
    let (ticket, account) = (Resource::new("ticket", "T-42")?, Resource::new("account", "7")?);
    let paid = |amount: u32| Arguments::from_json(&format!(r#"{{"amount": {amount}}}"#));
    let steps = [
        ("read, on its own", Action::autonomous("ticket.read", &ticket)?),
        ("read, for Bob", Action::on_behalf_of(&bob, "ticket.read", &ticket)?),
        ("close, for Ada", Action::on_behalf_of(&ada, "ticket.close", &ticket)?),
        ("close, for Bob", Action::on_behalf_of(&bob, "ticket.close", &ticket)?),
        ("close, on its own", Action::autonomous("ticket.close", &ticket)?),
        ("pay 400, for Ada", Action::on_behalf_of(&ada, "money.send", &account)?.with(paid(400)?)),
        ("pay 900, for Ada", Action::on_behalf_of(&ada, "money.send", &account)?.with(paid(900)?)),
        ("pay 400, for Bob", Action::on_behalf_of(&bob, "money.send", &account)?.with(paid(400)?)),
    ];
    for (name, action) in &steps {
        let answer = match task.authorize(action) {
            Ok(permit) => {
                task.redeem(permit, action.arguments())?.finish(Effect::Succeeded)?;
                "done".to_owned()
            }
            Err(denial) => denial.code().as_str().to_owned(),
        };
        println!("{name:<20} {answer}");
    }

    // What was permitted in one mode is good for nothing in another.
    let jira = Audience::new("https://jira.acme.example")?;
    let (for_ada, for_bob) = (&steps[2].1, &steps[3].1);
    let key = task.mint(task.authorize(for_ada)?, &jira)?;
    for (whom, action) in [("Bob", for_bob), ("Ada", for_ada)] {
        let taken = door.accept(key.expose(), &jira, action).is_ok();
        println!("Ada's key, for {whom}   {}", if taken { "taken" } else { "refused" });
    }
    key.finish(Effect::Succeeded)?;

    // The next task like it needs less.
    let (narrowed, closed) = (task.narrowed(), task.complete()?);
    let unused: Vec<&str> = closed.unused.iter().map(|tool| tool.as_str()).collect();
    println!("never used           {}", unused.join(", "));

    // Something is wrong with what the agent was made from: whoever sees it presses the button, a person lets it go on.
    let task = begin(&door, &agent, [&ada, &bob], narrowed.clone())?;
    door.halt(&bob, Halt::Blueprint(blueprint.clone()))?;
    let refused = |task: &Task| task.authorize(&steps[0].1).err().map_or("permitted", |denial| denial.code().as_str());
    println!("while it is halted   {}", refused(&task));
    let by_bob = door.resume(&bob, Resume::Blueprint(blueprint.clone()));
    println!("resumed by Bob       {}", if by_bob.is_ok() { "yes" } else { "no" });
    door.resume(&ada, Resume::Blueprint(blueprint))?;
    println!("the task of before   {}", refused(&task));
    let again = begin(&door, &agent, [&ada, &bob], narrowed)?;
    println!("a new one            {}\n", refused(&again));
    again.complete()?;
    println!("{}", lanes::table(&sink.events()));
    Ok(())
}

fn catalog() -> Result<Catalog, Box<dyn Error>> {
    let send = Tool::new("money.send".parse()?, ActionClass::ExternalCommitment)
        .required("amount".parse()?, ArgumentType::Integer)?;
    Ok(Catalog::new()
        .with(Tool::new("ticket.read".parse()?, ActionClass::Read))?
        .with(Tool::new("ticket.close".parse()?, ActionClass::Write))?
        .with(Tool::new("ticket.merge".parse()?, ActionClass::Write))?
        .with(send)?)
}

/// All tools, and of them only reading without a person.
fn scope() -> Result<Scope, Box<dyn Error>> {
    Ok(Scope::new()
        .allow("ticket.read", Grant::new().autonomous())?
        .allow("ticket.close", Grant::new())?
        .allow("ticket.merge", Grant::new())?
        .allow("money.send", Grant::new().preapproved())?)
}

fn begin(
    door: &Authorizer,
    agent: &AgentIdentity,
    people: [&OperatorSession; 2],
    scope: Scope,
) -> Result<Task, Box<dyn Error>> {
    let mandate = Mandate::new(agent.clone(), Intent::new("tidy up the support queue", scope)?);
    Ok(door.begin(people.into_iter().fold(mandate, Mandate::approved_by))?)
}
