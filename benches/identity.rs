//! What the registry costs: admitting an agent again, among few and among many, and the memory of each.
//!
//! `cargo bench --bench identity` prints a line for each, in a few seconds.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    missing_docs,
    reason = "time is what is measured; a benchmark that cannot start fails"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bailiwick::Authorizer;
use bailiwick::audit::{Ack, AuditSink, Event};
use bailiwick::entropy::{Entropy, EntropyError, SystemEntropy};
use bailiwick::identity::{
    AgentId, AgentKey, AgentUserId, HumanOperator, Namespace, OperatorId, Registry, VerifiedWorkload, danger,
};
use bailiwick::policy::{Catalog, Evaluator};
use bailiwick::time::{ManualClock, Timestamp};
use cpu_time::ThreadTime;

/// Agents of one sponsor.
const PER_SPONSOR: usize = 100;

fn main() {
    // Cargo asks every benchmark whether it has tests.
    if std::env::args().any(|argument| argument == "--list" || argument == "--help") {
        println!("cargo bench --bench identity");
        return;
    }
    for agents in [100, 100_000] {
        let mut registry = None;
        let start = Instant::now();
        let memory = allocation_counter::measure(|| registry = Some(filled(agents)));
        let filled = start.elapsed();
        let registry = Arc::new(registry.expect("a registry"));
        let bytes = memory.bytes_current;
        println!(
            "registry agents={agents} users={agents} mb={:.1} bytes_each={} fill_us_each={:.2}",
            bytes as f64 / 1e6,
            bytes / i64::try_from(agents).expect("a number"),
            filled.as_secs_f64() * 1e6 / agents as f64,
        );
        for (name, entropy) in
            [("counted", Arc::new(Counting::default()) as Arc<dyn Entropy>), ("system", Arc::new(SystemEntropy))]
        {
            println!("admit    agents={agents} entropy={name} again_ns={:.0}", admit(&registry, agents, entropy));
        }
        println!("review   agents={agents} ms={:.1}", review(&registry));
    }
}

fn agent(number: usize) -> AgentId {
    AgentId::spiffe(&format!("spiffe://acme.example/agent/worker-{number:06}")).expect("a SPIFFE ID")
}

/// So many agents, each with its agent user.
fn filled(agents: usize) -> Registry {
    let registry = Registry::new();
    registry.declare(Namespace::suffix("jira.acme.example", "-bot").expect("a namespace"));
    let person = |number: usize| {
        OperatorId::new("https://idp.acme.example", &format!("person-{number:04}")).expect("an operator id")
    };
    let people: Vec<OperatorId> = (0..agents / PER_SPONSOR).map(person).collect();
    for person in &people {
        registry.enroll(HumanOperator::new(person.clone())).expect("a new operator");
    }
    for number in 0..agents {
        let (id, sponsor) = (agent(number), people[number % people.len()].clone());
        registry.register(id.clone(), [sponsor]).expect("a new agent");
        let user = AgentUserId::new("jira.acme.example", &format!("worker-{number:06}-bot")).expect("an agent user id");
        let _ = registry.bind(&id, user).expect("a new agent user");
    }
    registry
}

/// A sink that is as good as none.
struct Nowhere;

impl AuditSink for Nowhere {
    fn record(&self, event: &Event) -> Ack {
        black_box(event);
        Ack::taken()
    }
}

/// Numbers that are never the same, without asking the system.
#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
        Ok(())
    }
}

fn door(registry: &Arc<Registry>, entropy: Arc<dyn Entropy>) -> (Authorizer, Timestamp) {
    let now = Timestamp::from_unix(1_790_000_000).expect("a moment");
    let evaluator = Evaluator::new(Catalog::new(), "").expect("no policies");
    let builder = Authorizer::builder(Arc::clone(registry), evaluator, Arc::new(Nowhere));
    (builder.clock(Arc::new(ManualClock::at(now))).entropy(entropy).build().expect("a door"), now)
}

/// Nanoseconds of computing for admitting a workload that was admitted before.
fn admit(registry: &Arc<Registry>, agents: usize, entropy: Arc<dyn Entropy>) -> f64 {
    let (door, now) = door(registry, entropy);
    let key = AgentKey::generate(&SystemEntropy).expect("a key").public().thumbprint();
    let workload = |number: usize| {
        danger::workload_vouched_by_host(agent(number), Some(key.clone()), now.after(Duration::from_secs(3600)))
    };
    let workloads: Vec<VerifiedWorkload> = (0..64).map(|number| workload(number * agents / 64)).collect();
    for workload in &workloads {
        door.admit(workload.clone()).expect("an active agent");
    }
    let round = || {
        let (start, mut times) = (ThreadTime::now(), 0_u32);
        while start.elapsed() < Duration::from_millis(20) {
            for workload in &workloads {
                black_box(door.admit(black_box(workload).clone()).expect("an active agent"));
            }
            times += 64;
        }
        start.elapsed().as_nanos() as f64 / f64::from(times)
    };
    median((0..15).map(|_| round()).collect())
}

/// Milliseconds for a review of all.
fn review(registry: &Arc<Registry>) -> f64 {
    let (door, _) = door(registry, Arc::new(SystemEntropy));
    let round = || {
        let start = ThreadTime::now();
        black_box(door.review().expect("a review"));
        start.elapsed().as_secs_f64() * 1e3
    };
    median((0..5).map(|_| round()).collect())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().expect("a figure")
}
