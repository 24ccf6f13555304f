//! What credentials cost: minting beside ring's bare signature over the same bytes, verifying beside its bare check, a token that
//! is known, chains of agents, and the memory of what lives.
//!
//! `cargo bench --bench credentials` prints a line for each, in about a minute.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "time is what is measured; a benchmark that cannot start fails; keys are those of the tests"
)]

#[path = "../tests/it/published.rs"]
mod published;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bailiwick::audit::{Ack, AuditSink, Effect, Event, Permit};
use bailiwick::credential::{Credential, CredentialVerifier, MintKey, Minter};
use bailiwick::entropy::SystemEntropy;
use bailiwick::identity::{AgentId, AgentKey, HumanOperator, OperatorId, OperatorSession, Registry, danger};
use bailiwick::mandate::{Action, ActionClass, Grant, Intent, Mandate, Resource, Scope, Tool};
use bailiwick::policy::{Catalog, Evaluator};
use bailiwick::time::{Clock, ManualClock, Timestamp};
use bailiwick::{Authorizer, Task};
use cpu_time::ThreadTime;
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};

use crate::published::{AUTHZ, ERP, ISSUER, audience, decode, issuer, shown};

/// Measurements of each, of which the median is shown.
const ROUNDS: usize = 31;
/// Credentials of one measurement.
const BATCH: usize = 128;

/// Tasks of the million, and credentials of each.
const TASKS: usize = 16;
const OF_TASK: usize = 1 << 16;

/// A sink that takes every record and keeps none.
#[derive(Debug)]
struct Deaf;

impl AuditSink for Deaf {
    fn record(&self, event: &Event) -> Ack {
        black_box(event);
        Ack::taken()
    }
}

struct Scene {
    door: Authorizer,
    clock: Arc<ManualClock>,
    ada: OperatorSession,
    agent: AgentId,
    key: AgentKey,
    minted: Minter,
    start: Timestamp,
}

impl Scene {
    fn new() -> Self {
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

    fn task(&self) -> Task {
        let until = self.start.after(Duration::from_secs(86_400));
        let workload =
            danger::workload_vouched_by_host(self.agent.clone(), Some(self.key.public().thumbprint()), until);
        let scope = Scope::new().allow("invoices.read", Grant::new()).expect("a tool");
        let intent = Intent::new("reconcile invoices", scope).expect("a purpose");
        let agent = self.door.admit(workload).expect("an agent");
        self.door.begin(Mandate::new(agent, intent).approved_by(&self.ada)).expect("a task")
    }

    fn action(&self) -> Action {
        let ledger = Resource::new("ledger", "2026-Q3").expect("a resource");
        Action::on_behalf_of(&self.ada, "invoices.read", &ledger).expect("an action")
    }

    fn permits(&self, task: &Task) -> Vec<Permit> {
        (0..BATCH).map(|_| task.authorize(&self.action()).expect("a permit")).collect()
    }

    fn mint(&self, task: &Task, permits: Vec<Permit>) -> Vec<Credential> {
        let audience = audience(ERP);
        permits.into_iter().map(|permit| task.mint(permit, &audience).expect("a credential")).collect()
    }
}

/// Microseconds for each of a batch.
fn each<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let start = ThreadTime::now();
    let result = run();
    (start.elapsed().as_secs_f64() * 1e6 / BATCH as f64, result)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    // Cargo asks every benchmark whether it has tests.
    if std::env::args().any(|argument| argument == "--list" || argument == "--help") {
        println!("cargo bench --bench credentials");
        return;
    }
    signatures();
    memory();
}

/// Minting and verifying, each in turn with ring's part of it.
fn signatures() {
    let scene = Scene::new();
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&ISSUER.pkcs8()).expect("a key pair");
    let x = decode(ISSUER.x);
    let (mut sign, mut mint, mut check, mut verify) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut again, mut inside, mut first_inside) = (Vec::new(), Vec::new(), Vec::new());
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        let task = scene.task();
        let permits = scene.permits(&task);
        let (time, credentials) = each(|| scene.mint(&task, permits));
        mint.push(time);
        let tokens: Vec<&str> = credentials.iter().map(Credential::expose).collect();
        let parts: Vec<(&str, Vec<u8>)> = tokens
            .iter()
            .map(|token| token.rsplit_once('.').map(|(message, end)| (message, decode(end))).expect("three parts"))
            .collect();
        bytes = tokens[0].len();
        sign.push(
            each(|| {
                parts.iter().for_each(|(message, _)| {
                    black_box(pair.sign(message.as_bytes()));
                })
            })
            .0,
        );
        let key = UnparsedPublicKey::new(&ED25519, &x);
        let bare = || parts.iter().all(|(message, signature)| key.verify(message.as_bytes(), signature).is_ok());
        let (time, all) = each(bare);
        assert!(all, "ring takes them");
        check.push(time);
        let now = scene.clock.now().expect("it stands");
        let verifier = CredentialVerifier::new(scene.minted.keys().clone(), audience(ERP));
        let read = || tokens.iter().all(|token| verifier.verify(&shown(black_box(token)), now).is_ok());
        for (times, what) in [(&mut verify, "new"), (&mut again, "known")] {
            let (time, all) = each(read);
            assert!(all, "{what}");
            times.push(time);
        }
        let service = audience(ERP);
        let read = || tokens.iter().all(|token| scene.door.verify(black_box(token), &service).is_ok());
        for (times, what) in [(&mut first_inside, "new"), (&mut inside, "known")] {
            let (time, all) = each(read);
            assert!(all, "{what}, in process");
            times.push(time);
        }
        credentials.into_iter().for_each(|credential| credential.finish(Effect::Succeeded).expect("a record"));
        task.complete().expect("a record");
        scene.clock.advance(Duration::from_secs(1));
    }
    let ratio =
        |whole: &[f64], bare: &[f64]| median(whole.iter().zip(bare).map(|(whole, bare)| whole / bare).collect());
    let (minted, verified) = (ratio(&mint, &sign), ratio(&verify, &check));
    println!("mint     bytes={bytes} ring_us={:.1} mint_us={:.1} ratio={minted:.2}", median(sign), median(mint));
    println!("verify   bytes={bytes} ring_us={:.1} verify_us={:.1} ratio={verified:.2}", median(check), median(verify));
    println!("again    elsewhere_ns={:.0} in_process_ns={:.0}", median(again) * 1e3, median(inside) * 1e3);
    println!("inside   first_us={:.1}", median(first_inside));
}

/// What credentials cost that are not over: a million of them, and what it takes to forget them.
fn memory() {
    let scene = Scene::new();
    let tasks: Vec<Task> = (0..TASKS).map(|_| scene.task()).collect();
    let fill = |count: usize| {
        let start = ThreadTime::now();
        for task in &tasks {
            for _ in 0..count / BATCH {
                let permits = scene.permits(task);
                for credential in scene.mint(task, permits) {
                    credential.finish(Effect::Succeeded).expect("a record");
                }
            }
        }
        start.elapsed().as_secs_f64() * 1e6 / (TASKS * count) as f64
    };
    let mut first = 0.0;
    let memory = allocation_counter::measure(|| first = fill(OF_TASK));
    let (many, each) = (TASKS * OF_TASK, memory.bytes_current as f64 / (TASKS * OF_TASK) as f64);
    println!("living   credentials={many} bytes_each={each:.0} action_us={first:.1}");
    // All of them are over, and each task forgets its own while it mints more.
    scene.clock.advance(Duration::from_secs(301));
    let mut second = 0.0;
    let memory = allocation_counter::measure(|| second = fill(OF_TASK));
    println!("expired  credentials={many} bytes_more={} action_us={second:.1}", memory.bytes_current);

    // Those whose effect is not told, too: the token itself is its holder's.
    let task = scene.task();
    let mut held = Vec::with_capacity(1_000);
    let memory = allocation_counter::measure(|| {
        for _ in 0..1_000 / BATCH {
            held.extend(scene.mint(&task, scene.permits(&task)));
        }
    });
    let tokens: usize = held.iter().map(|credential| credential.expose().len()).sum();
    let each = (memory.bytes_current as f64 - tokens as f64) / held.len() as f64;
    println!("running  credentials={} bytes_each_beside_token={each:.0}", held.len());
}
