//! What grows: how long thousands of policies take to load and to reload, what 100 000 entities cost, and what a second
//! thread gains.
//!
//! `cargo bench --bench scale` prints a line for each, in about a minute.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "time is what is measured; a benchmark that cannot start fails; the scene is shared with the others"
)]

mod scene;

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use bailiwick::mandate::{Arguments, Resource};
use bailiwick::policy::Directory;
use bailiwick::policy::compiled::{Entities, Entity, EntityUid, Name, Record, Value};
use cpu_time::ThreadTime;
use scene::Scene;

fn main() {
    // Cargo asks every benchmark whether it has tests.
    if std::env::args().any(|argument| argument == "--list" || argument == "--help") {
        println!("cargo bench --bench scale");
        return;
    }
    load();
    entities();
    threads();
}

/// Policies over as many tools as a catalogue may have, and ten of them changed.
fn load() {
    let start = Instant::now();
    let scene = Scene::new(10_000);
    let loaded = start.elapsed();
    let changed = scene.policies().replacen("lessThan(decimal(\"500.0\"))", "lessThan(decimal(\"499.0\"))", 10);
    let start = Instant::now();
    scene.reload(&changed);
    println!("load     policies=10000 tools=1000 load_s={:.2} reload_10_s={:.2}", secs(loaded), secs(start.elapsed()));
}

/// A decision with few entities and with many, and the memory of each.
fn entities() {
    let file = |number: usize| Resource::new("file", &format!("home/ada/documents/{number:06}.pdf")).expect("a name");
    let owned = || Arguments::from_json(r#"{"owner": "ada", "weight": 3, "reviewed": true}"#).expect("attributes");
    let project = Resource::new("project", "apollo").expect("a name");
    let directory = |count: usize| {
        (0..count).fold(Directory::new().resource(&project, Arguments::none(), []), |directory, number| {
            directory.resource(&file(number), owned(), [&project])
        })
    };
    let (few, many) = (Scene::with(100, directory(8)), Scene::with(100, directory(100_000)));
    let mut times: [Vec<f64>; 2] = Default::default();
    for _ in 0..15 {
        times[0].push(decide(&few));
        times[1].push(decide(&many));
    }
    let [few, many] = times.map(median);
    let uid = |kind: &str, id: &str| EntityUid::new(Name::new(kind), id);
    let entity = |number: usize| {
        let attributes: Record = [
            (Name::new("kind"), Value::text("file")),
            (Name::new("name"), Value::text(file(number).name())),
            (Name::new("owner"), Value::text("ada")),
            (Name::new("weight"), Value::Decimal(30_000)),
            (Name::new("reviewed"), Value::Bool(true)),
        ]
        .into_iter()
        .collect();
        Entity::new(uid("Resource", file(number).as_str()), attributes).within([uid("Resource", "project/apollo")])
    };
    let mut store = None;
    let memory = allocation_counter::measure(|| store = Entities::new((0..100_000).map(entity)).ok());
    assert_eq!(store.map(|store| store.len()), Some(100_000));
    println!(
        "entities 8: decide_ns={few:.0} 100000: decide_ns={many:.0} bytes_each={}",
        memory.bytes_current / 100_000
    );
}

/// Nanoseconds of computing for one decision.
fn decide(scene: &Scene) -> f64 {
    let (questions, evaluator) = (scene.questions(), scene.evaluator());
    let (start, mut rounds) = (ThreadTime::now(), 0_u32);
    while start.elapsed() < Duration::from_millis(10) {
        for (question, _) in questions.iter() {
            black_box(evaluator.decide(black_box(&question)));
        }
        rounds += 8;
    }
    start.elapsed().as_nanos() as f64 / f64::from(rounds)
}

/// What two threads do in the time in which one does one: for an empty loop, and for decisions of one evaluator.
fn threads() {
    let scene = Scene::new(1_000);
    let questions = [scene.questions(), scene.questions()];
    let evaluator = scene.evaluator();
    let spin = |_: usize| {
        for number in 0..2_000_u64 {
            black_box(number);
        }
    };
    let ask = |thread: usize| {
        for (question, _) in questions[thread % 2].iter() {
            black_box(evaluator.decide(black_box(&question)));
        }
    };
    let mut gains: [Vec<f64>; 2] = Default::default();
    for _ in 0..15 {
        gains[0].push(gain(&spin));
        gains[1].push(gain(&ask));
    }
    let [spin, ask] = gains.map(median);
    println!("threads  spin={spin:.2} decide={ask:.2} share={:.0}%", ask / spin * 100.0);
}

fn gain(work: &(impl Fn(usize) + Sync)) -> f64 {
    let rate = |threads: usize| {
        let gate = Barrier::new(threads);
        let done = |thread: usize| {
            gate.wait();
            let (start, mut rounds) = (Instant::now(), 0_u64);
            while start.elapsed() < Duration::from_millis(60) {
                work(thread);
                rounds += 1;
            }
            rounds as f64 / start.elapsed().as_secs_f64()
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || done(thread))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread")).sum::<f64>()
        })
    };
    rate(2) / rate(1)
}

fn secs(time: Duration) -> f64 {
    time.as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().expect("a figure")
}
