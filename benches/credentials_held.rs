//! What credentials cost that are not over: the memory of a million of them, and what it takes to forget them.
//!
//! `cargo bench --bench credentials_held` prints a line for each, in about a minute.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "time and memory are what is measured; a benchmark that cannot start fails; keys are those of the tests"
)]

#[path = "scene/minting.rs"]
mod minting;
#[path = "../tests/it/published.rs"]
mod published;

use std::time::Duration;

use bailiwick::Task;
use bailiwick::audit::Effect;
use cpu_time::ThreadTime;

use crate::minting::{BATCH, Scene};

/// Tasks of the million, and credentials of each.
const TASKS: usize = 128;
const OF_TASK: usize = 1 << 13;

fn main() {
    // Cargo asks every benchmark whether it has tests.
    if std::env::args().any(|argument| argument == "--list" || argument == "--help") {
        println!("cargo bench --bench credentials_held");
        return;
    }
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
    scene.clock.advance(Duration::from_secs(421));
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
