//! Prints credentials and DPoP proofs as JSON, with the keys to verify them by, for another implementation to look at:
//! `cargo run --example interop | python3 tests/interop/verify.py`.

use std::{error::Error, sync::Arc, time::Duration};

use bailiwick::audit::MemorySink;
use bailiwick::credential::{DpopProof, DpopRequest, KeyRing, MintKey, Minter};
use bailiwick::identity::{AgentId, AgentKey, HumanOperator, OperatorId, Registry, danger};
use bailiwick::mandate::{Action, ActionClass, Grant, Intent, Mandate, Resource, Scope, Tool};
use bailiwick::policy::{Catalog, Evaluator};
use bailiwick::{Authorizer, entropy::SystemEntropy, id::Audience, id::Issuer, time::Clock, time::SystemClock};
use serde_json::{Value, json};

const ISSUER: &str = "https://authz.acme.example";
const AUDIENCE: &str = "https://jira.acme.example";
const URI: &str = "https://jira.acme.example/tickets/42/close";
const POLICIES: &str = r#"@id("tickets") permit(principal, action, resource) when { resource.kind == "ticket" };"#;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).is_some() {
        println!(
            "usage: interop\nPrints credentials and DPoP proofs as JSON, and the keys to verify them by. Takes no arguments."
        );
        return Ok(());
    }
    // One key signs the first credential, and another the second: the set has both.
    let ring = KeyRing::new(Issuer::new(ISSUER)?, MintKey::generate(&SystemEntropy)?);
    let first = present(&ring, "Ed25519", &AgentKey::generate(&SystemEntropy)?)?;
    let now = SystemClock.now()?;
    ring.rotate(MintKey::generate_es256()?, now)?;
    let second = present(&ring, "ES256", &AgentKey::generate_es256()?)?;
    let keys: Value = serde_json::from_str(&ring.jwk_set(now))?;
    println!("{}", json!({ "issuer": ISSUER, "audience": AUDIENCE, "keys": keys, "shown": [first, second] }));
    Ok(())
}

/// A credential for closing a ticket, and the proof that goes along when it is used.
fn present(ring: &KeyRing, called: &str, key: &AgentKey) -> Result<Value, Box<dyn Error>> {
    let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
    let agent = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
    let registry = Registry::new();
    registry.enroll(ada.clone())?;
    registry.register(agent.clone(), [ada.id().clone()])?;
    let close = Tool::new("ticket.close".parse()?, ActionClass::Write);
    let evaluator = Evaluator::new(Catalog::new().with(close)?, POLICIES)?;
    let minter = Minter::with_ring(ring.clone());
    let door = Authorizer::builder(registry, evaluator, Arc::new(MemorySink::new(100))).minter(minter).build()?;
    let (now, hour) = (SystemClock.now()?, Duration::from_secs(3600));
    let ada = danger::operator_vouched_by_host(ada, now, now.after(hour))?;
    let agent = danger::workload_vouched_by_host(agent, Some(key.public().thumbprint()), now.after(hour));
    let intent = Intent::new("close stale tickets", Scope::new().allow("ticket.close", Grant::new())?)?;
    let task = door.begin(Mandate::new(door.admit(agent)?, intent).approved_by(&ada))?;

    let action = Action::on_behalf_of(&ada, "ticket.close", &Resource::new("ticket", "42")?)?;
    let credential = task.mint(task.authorize(&action)?, &Audience::new(AUDIENCE)?)?;
    let request = DpopRequest::new("POST", URI)?.with_token(credential.expose());
    let proof = DpopProof::new(&request, &SystemEntropy, now)?.sign(key)?;
    Ok(json!({ "called": called, "token": credential.expose(), "proof": proof, "method": "POST", "uri": URI }))
}
