//! Instructions per decision, counted by valgrind: what no neighbour on the machine can disturb.
//!
//! `cargo bench --bench instructions` runs this program again under `valgrind --tool=callgrind`, for each job with some
//! decisions and with twice as many; the difference is what one decision takes. Without valgrind it says so.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "a benchmark that cannot start fails; the scene is shared with the other benchmarks"
)]

mod scene;

use std::hint::black_box;
use std::process::Command;

use bailiwick::policy::Outcome;
use bailiwick::policy::compiled::Compiled;
use cedar_policy::Authorizer;
use scene::Scene;

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

/// Jobs, and how many rounds of eight questions are enough to divide by.
const JOBS: [(&str, u32); 4] = [("raw_cedar", 10), ("compiled", 2_000), ("verdict", 2_000), ("narrow_verdict", 2_000)];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [run, job, size, rounds] if run == "run" => {
            work(job, size.parse().expect("a number"), rounds.parse().expect("a number"));
        }
        [help] if help == "--help" || help == "-h" => println!("cargo bench --bench instructions [-- policies…]"),
        // Cargo asks every benchmark whether it has tests.
        [first, ..] if first.starts_with("--") => {}
        sizes => table(sizes),
    }
}

fn table(sizes: &[String]) {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: valgrind is not here");
        return;
    }
    let sizes: Vec<usize> = match sizes {
        [] => SIZES.into(),
        sizes => sizes.iter().map(|size| size.parse().expect("a number of policies")).collect(),
    };
    let names = JOBS.map(|(job, _)| format!(" {job:>14}")).concat();
    println!("instructions per decision\n{:>10}{names}", "policies");
    for size in sizes {
        let counts = JOBS.map(|(job, rounds)| {
            let (few, many) = (count(job, size, rounds), count(job, size, rounds * 2));
            (many - few) / u64::from(rounds * 8)
        });
        println!("{size:>10}{}", counts.map(|count| format!(" {count:>14}")).concat());
    }
}

/// The instructions of the whole program.
fn count(job: &str, size: usize, rounds: u32) -> u64 {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["run", job, &size.to_string(), &rounds.to_string()])
        .output()
        .expect("valgrind runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split("Collected : ").nth(1));
    collected.and_then(|number| number.trim().parse().ok()).unwrap_or_else(|| panic!("valgrind said:\n{said}"))
}

fn work(job: &str, size: usize, rounds: u32) {
    let scene = Scene::new(size);
    let scope = if job == "narrow_verdict" { scene.narrow_scope() } else { scene.scope() };
    let (questions, evaluator) = (scene.questions_under(scope), scene.evaluator());
    let asked = |(question, permitted)| {
        assert_eq!(evaluator.decide(&question).outcome == Outcome::Permitted, permitted);
        question
    };
    let questions: Vec<_> = questions.iter().map(asked).collect();
    let ours: Vec<_> = questions.iter().map(|question| evaluator.request(question).expect("a tool")).collect();
    let policies = scene.raw_policies();
    match job {
        "verdict" | "narrow_verdict" => repeat(rounds, |place| {
            black_box(evaluator.decide(black_box(&questions[place])));
        }),
        "compiled" => {
            let compiled = Compiled::new(&policies).expect("compiled policies");
            repeat(rounds, |place| {
                black_box(compiled.answer(black_box(&ours[place])).is_allowed());
            });
        }
        _ => {
            let theirs: Vec<_> = ours.iter().map(|own| own.to_cedar().expect("a request")).collect();
            let cedar = Authorizer::new();
            repeat(rounds, |place| {
                let (request, entities) = &theirs[place];
                black_box(cedar.is_authorized(black_box(request), &policies, entities));
            });
        }
    }
}

fn repeat(rounds: u32, decide: impl Fn(usize)) {
    for _ in 0..rounds {
        (0..8).for_each(&decide);
    }
}
