//! The agents' host: decides, mints, and publishes what services need to verify: keys, and what is revoked.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bailiwick::audit::MemorySink;
use bailiwick::credential::{Credential, KeyRing, MintKey, Minter};
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::{Audience, Issuer};
use bailiwick::identity::{AgentId, AgentKey, HumanOperator, OperatorId, OperatorSession, Registry, danger};
use bailiwick::mandate::{Action, ActionClass, Grant, Intent, Mandate, Resource, Scope, Tool};
use bailiwick::policy::{Catalog, Evaluator};
use bailiwick::time::{Clock, SystemClock};
use bailiwick::{Authorizer, Task};
use serde_json::{Value, json};

use crate::http;

const POLICIES: &str = r#"@id("tickets") permit(principal, action, resource) when { resource.kind == "ticket" };"#;

pub(crate) struct Host {
    door: Authorizer,
    ada: OperatorSession,
    agent: AgentId,
    pub(crate) at: SocketAddr,
}

impl Host {
    /// Opens the host, and what it publishes in a thread of its own that lives as long as the process.
    pub(crate) fn open(issuer: &Issuer) -> Result<Self, Box<dyn Error>> {
        let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
        let agent = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
        let registry = Registry::new();
        registry.enroll(ada.clone())?;
        registry.register(agent.clone(), [ada.id().clone()])?;
        let tool = |name: &str| Ok::<_, Box<dyn Error>>(Tool::new(name.parse()?, ActionClass::Write));
        let catalog = Catalog::new().with(tool("ticket.close")?)?.with(tool("ticket.comment")?)?;
        let ring = KeyRing::new(issuer.clone(), MintKey::generate(&SystemEntropy)?);
        let door = Authorizer::builder(registry, Evaluator::new(catalog, POLICIES)?, Arc::new(MemorySink::new(1_000)))
            .minter(Minter::with_ring(ring.clone()))
            .build()?;
        let now = SystemClock.now()?;
        let ada = danger::operator_vouched_by_host(ada, now, now.after(Duration::from_secs(3600)))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (at, publishing) = (listener.local_addr()?, door.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answered = http::receive(&stream).and_then(|request| {
                    let (status, body) = published(&publishing, &ring, &request.path);
                    http::respond(&stream, status, &body)
                });
                answered.unwrap_or_else(|error| eprintln!("the host: {error}"));
            }
        });
        Ok(Self { door, ada, agent, at })
    }

    /// Ada approves a task of the agent, which holds this key.
    pub(crate) fn begin(&self, key: &AgentKey) -> Result<Task, Box<dyn Error>> {
        let until = SystemClock.now()?.after(Duration::from_secs(3600));
        let proven = danger::workload_vouched_by_host(self.agent.clone(), Some(key.public().thumbprint()), until);
        let scope = Scope::new().allow("ticket.close", Grant::new())?.allow("ticket.comment", Grant::new())?;
        let intent = Intent::new("close what came in overnight", scope)?;
        Ok(self.door.begin(Mandate::new(self.door.admit(proven)?, intent).approved_by(&self.ada))?)
    }

    /// A credential for one action on one ticket.
    pub(crate) fn mint(&self, task: &Task, tool: &str, audience: &Audience) -> Result<Credential, Box<dyn Error>> {
        let action = Action::on_behalf_of(&self.ada, tool, &Resource::new("ticket", "42")?)?;
        Ok(task.mint(task.authorize(&action)?, audience)?)
    }
}

fn published(door: &Authorizer, ring: &KeyRing, path: &str) -> (u16, Value) {
    let unavailable = (503, Value::Null);
    match path {
        "/jwks" => {
            let set = SystemClock.now().ok().and_then(|now| serde_json::from_str(&ring.jwk_set(now)).ok());
            set.map_or(unavailable, |set| (200, set))
        }
        "/revocations" => door.revocations().map_or(unavailable, |list| (200, json!(list))),
        _ => (404, Value::Null),
    }
}
