//! A door that mints: one agent that reads invoices for Ada, with the published keys, recorded by nobody.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bailiwick::audit::{Ack, AuditSink, Event, Permit};
use bailiwick::credential::{Credential, MintKey, Minter};
use bailiwick::entropy::SystemEntropy;
use bailiwick::identity::{AgentId, AgentKey, HumanOperator, OperatorId, OperatorSession, Registry, danger};
use bailiwick::mandate::{Action, ActionClass, Grant, Intent, Mandate, Resource, Scope, Tool};
use bailiwick::policy::{Catalog, Evaluator};
use bailiwick::time::{ManualClock, Timestamp};
use bailiwick::{Authorizer, Task};

use crate::published::{AUTHZ, ERP, ISSUER, audience, issuer};

/// Credentials of one measurement.
pub(crate) const BATCH: usize = 128;

/// A sink that takes every record and keeps none.
#[derive(Debug)]
struct Deaf;

impl AuditSink for Deaf {
    fn record(&self, event: &Event) -> Ack {
        black_box(event);
        Ack::taken()
    }
}

pub(crate) struct Scene {
    pub(crate) door: Authorizer,
    pub(crate) clock: Arc<ManualClock>,
    ada: OperatorSession,
    agent: AgentId,
    key: AgentKey,
    pub(crate) minted: Minter,
    pub(crate) start: Timestamp,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let start = Timestamp::from_unix(1_790_000_000).expect("a moment");
        let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada").expect("an id"));
        let agent = AgentId::spiffe("spiffe://acme.example/agent/filer").expect("an id");
        let registry = Registry::new();
        registry.enroll(ada.clone()).expect("a new operator");
        registry.register(agent.clone(), [ada.id().clone()]).expect("a new agent");
        let catalog = Catalog::new().with(Tool::new("invoices.read".parse().unwrap(), ActionClass::Read)).unwrap();
        let policy = r#"@id("all") @allow("unconditional-permit") permit(principal, action, resource);"#;
        let evaluator = Evaluator::new(catalog, policy).expect("policies");
        let minter = || Minter::new(issuer(AUTHZ), MintKey::from_pkcs8(&ISSUER.pkcs8()).expect("a key"));
        let clock = Arc::new(ManualClock::at(start));
        let door = Authorizer::builder(registry, evaluator, Arc::new(Deaf)).minter(minter()).clock(clock.clone());
        let ada = danger::operator_vouched_by_host(ada, start, start.after(Duration::from_secs(86_400)));
        Self {
            door: door.build().expect("a door"),
            clock,
            ada: ada.expect("a session"),
            agent,
            key: AgentKey::generate(&SystemEntropy).expect("a key"),
            minted: minter(),
            start,
        }
    }

    pub(crate) fn task(&self) -> Task {
        let until = self.start.after(Duration::from_secs(86_400));
        let workload =
            danger::workload_vouched_by_host(self.agent.clone(), Some(self.key.public().thumbprint()), until);
        let scope = Scope::new().allow("invoices.read", Grant::new()).expect("a tool");
        let intent = Intent::new("reconcile invoices", scope).expect("a purpose");
        let agent = self.door.admit(workload).expect("an agent");
        self.door.begin(Mandate::new(agent, intent).approved_by(&self.ada)).expect("a task")
    }

    pub(crate) fn action(&self) -> Action {
        let ledger = Resource::new("ledger", "2026-Q3").expect("a resource");
        Action::on_behalf_of(&self.ada, "invoices.read", &ledger).expect("an action")
    }

    pub(crate) fn permits(&self, task: &Task) -> Vec<Permit> {
        (0..BATCH).map(|_| task.authorize(&self.action()).expect("a permit")).collect()
    }

    pub(crate) fn mint(&self, task: &Task, permits: Vec<Permit>) -> Vec<Credential> {
        let audience = audience(ERP);
        permits.into_iter().map(|permit| task.mint(permit, &audience).expect("a credential")).collect()
    }
}
