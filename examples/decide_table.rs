//! How long one decision takes, by the number of policies: Cedar, the compiled policies, and a whole verdict.
//!
//! `cargo run --release --example decide_table` prints one line per size, all measured in this run, interleaved:
//! medians of nanoseconds of computing per decision, over eight questions of which half are permitted. Cedar's requests and entities
//! and those of the compiled policies are built beforehand; a verdict begins at typed values.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    reason = "a measurement that cannot start fails; the scene is shared with the benchmarks"
)]

#[path = "../benches/scene/mod.rs"]
mod scene;

use std::hint::black_box;
use std::time::Duration;

use bailiwick::policy::Outcome;
use bailiwick::policy::compiled::Compiled;
use cedar_policy::{Authorizer, Decision};
use cpu_time::ThreadTime;
use scene::Scene;

/// Measurements of each, of which the median is shown.
const ROUNDS: usize = 15;

/// One measurement takes at least so long.
const LEAST: Duration = Duration::from_millis(10);

const HELP: &str = "\
usage: decide_table [policies…]

Prints the nanoseconds of one decision for each number of policies (10, 100, 1000 and 10000 where none is named; a
multiple of ten each): by Cedar alone, by the compiled policies alone, and as a whole verdict from typed values.";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{HELP}");
        return;
    }
    let sizes: Vec<usize> = match arguments.iter().map(|argument| argument.parse()).collect::<Result<Vec<_>, _>>() {
        Ok(sizes) if sizes.is_empty() => vec![10, 100, 1_000, 10_000],
        Ok(sizes) if sizes.iter().all(|size| *size >= 10 && size % 10 == 0 && *size <= 10_000) => sizes,
        _ => {
            eprintln!("{HELP}");
            std::process::exit(2);
        }
    };
    for size in sizes {
        eprintln!("loading {size} policies");
        println!("{}", row(size));
    }
}

fn row(size: usize) -> String {
    let scene = Scene::new(size);
    let (questions, evaluator) = (scene.questions(), scene.evaluator());
    let (cedar, policies) = (Authorizer::new(), scene.raw_policies());
    let compiled = Compiled::new(&policies).expect("compiled policies");
    let ours: Vec<_> = questions.iter().map(|(question, _)| evaluator.request(&question).expect("a tool")).collect();
    let theirs: Vec<_> = ours.iter().map(|request| request.to_cedar().expect("a request of Cedar's")).collect();

    let by_cedar = |place: usize| {
        let (request, entities) = &theirs[place];
        cedar.is_authorized(request, &policies, entities).decision() == Decision::Allow
    };
    let by_compiled = |place: usize| compiled.answer(&ours[place]).is_allowed();
    let questions: Vec<_> = questions.iter().collect();
    let by_verdict = |place: usize| evaluator.decide(&questions[place].0).outcome == Outcome::Permitted;
    for (place, (_, permitted)) in questions.iter().enumerate() {
        assert_eq!(
            [*permitted; 3],
            [by_cedar(place), by_compiled(place), by_verdict(place)],
            "question {place} gets other answers"
        );
    }
    let mut times: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        times[0].push(measure(&by_cedar));
        times[1].push(measure(&by_compiled));
        times[2].push(measure(&by_verdict));
    }
    let [cedar, compiled, decide] = times.map(median);
    format!(
        "policies={size} cedar_ns={cedar:.0} compiled_ns={compiled:.0} decide_ns={decide:.0} ratio={:.0}",
        cedar / compiled
    )
}

/// Nanoseconds of one answer, over all eight questions as often as it takes.
fn measure(answer: &dyn Fn(usize) -> bool) -> f64 {
    let (start, mut rounds) = (ThreadTime::now(), 0_u32);
    while start.elapsed() < LEAST {
        for place in 0..8 {
            black_box(answer(black_box(place)));
        }
        rounds += 8;
    }
    start.elapsed().as_nanos() as f64 / f64::from(rounds)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
