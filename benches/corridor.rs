//! What one action costs, from the bare verdict to the whole of it, beside raw Cedar in the same run.
//!
//! `cargo bench` runs it; `benches/README.md` says how to read it.
#![allow(
    missing_docs,
    clippy::expect_used,
    dead_code,
    reason = "criterion's macros have no docs; a benchmark that cannot start fails"
)]

mod scene;

use std::hint::black_box;

use bailiwick::audit::Effect;
use bailiwick::credential::{Presentation, danger};
use bailiwick::policy::Outcome;
use bailiwick::policy::compiled::Compiled;
use bailiwick::{Task, TaskHandle};
use cedar_policy::{Authorizer as Cedar, Decision};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use scene::Scene;

/// Numbers of policies, of which about five can matter for one action.
const SIZES: [usize; 3] = [10, 100, 1_000];

/// The rules alone: our verdict from typed values, the compiled policies and Cedar with everything prebuilt.
fn deciding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide");
    for size in SIZES {
        let scene = Scene::new(size);
        let (questions, evaluator) = (scene.questions(), scene.evaluator());
        let (question, permitted) = questions.iter().next().expect("a question");
        assert!(permitted);
        group.bench_function(BenchmarkId::new("verdict", size), |b| {
            b.iter(|| evaluator.decide(black_box(&question)).outcome);
        });
        let narrow = scene.questions_under(scene.narrow_scope());
        let (narrow, permitted) = narrow.iter().next().expect("a question");
        assert!(permitted && evaluator.decide(&narrow).outcome == Outcome::Permitted);
        group.bench_function(BenchmarkId::new("narrow_verdict", size), |b| {
            b.iter(|| evaluator.decide(black_box(&narrow)).outcome);
        });
        let policies = scene.raw_policies();
        let compiled = Compiled::new(&policies).expect("compiled policies");
        let request = evaluator.request(&question).expect("a tool");
        assert!(compiled.answer(&request).is_allowed());
        group.bench_function(BenchmarkId::new("compiled", size), |b| {
            b.iter(|| compiled.answer(black_box(&request)).is_allowed());
        });
        let (request, entities) = request.to_cedar().expect("a request of Cedar's");
        let cedar = Cedar::new();
        assert_eq!(cedar.is_authorized(&request, &policies, &entities).decision(), Decision::Allow);
        group.bench_function(BenchmarkId::new("raw_cedar", size), |b| {
            b.iter(|| cedar.is_authorized(black_box(&request), &policies, &entities).decision());
        });
    }
    group.finish();
}

/// Tasks one after the other: the clock stands still, and a task has only so many credentials that are not over.
struct Tasks<'s> {
    scene: &'s Scene,
    tasks: Vec<Task>,
    used: usize,
}

impl<'s> Tasks<'s> {
    fn new(scene: &'s Scene) -> Self {
        Self { scene, tasks: Vec::new(), used: 0 }
    }

    fn next(&mut self) -> TaskHandle {
        if self.used.is_multiple_of(4_096) {
            self.tasks.push(self.scene.task());
        }
        self.used += 1;
        self.tasks.last().expect("a task").handle()
    }
}

/// With what surrounds the rules: budget, record, permit; then keys.
fn acting(criterion: &mut Criterion) {
    let scene = Scene::new(100);
    let task = scene.task();
    let (action, audience) = (scene.action(), scene.audience());
    let mut group = criterion.benchmark_group("act");
    group.bench_function("authorize", |b| b.iter(|| task.authorize(black_box(&action)).expect("a permit")));
    group.bench_function("authorize_redeem_finish", |b| {
        b.iter(|| {
            let permit = task.authorize(black_box(&action)).expect("a permit");
            let running = task.redeem(permit, action.arguments()).expect("the same arguments");
            running.finish(Effect::Succeeded).expect("a record");
        });
    });
    group.bench_function("mint_finish", |b| {
        let mut tasks = Tasks::new(&scene);
        b.iter_batched(
            || {
                let task = tasks.next();
                let permit = task.authorize(&action).expect("a permit");
                (task, permit)
            },
            |(task, permit)| {
                let key = task.mint(permit, &audience).expect("a credential");
                key.finish(Effect::Succeeded).expect("a record");
            },
            criterion::BatchSize::SmallInput,
        );
    });
    group.bench_function("authorize_mint_finish", |b| {
        let mut tasks = Tasks::new(&scene);
        b.iter_batched(
            || tasks.next(),
            |task| {
                let permit = task.authorize(black_box(&action)).expect("a permit");
                let key = task.mint(permit, &audience).expect("a credential");
                key.finish(Effect::Succeeded).expect("a record");
            },
            criterion::BatchSize::SmallInput,
        );
    });
    let key = task.mint(task.authorize(&action).expect("a permit"), &audience).expect("a credential");
    let verifier = scene.verifier();
    group.bench_function("verify_offline", |b| {
        let shown = danger::possession_vouched_by_host(Presentation::new(key.expose()));
        b.iter(|| verifier.verify(black_box(&shown), scene.now()).expect("a valid credential"));
    });
    group.bench_function("verify_in_process", |b| {
        b.iter(|| scene.door().verify(black_box(key.expose()), &audience).expect("a valid credential"));
    });
    group.finish();
}

criterion_group!(benches, deciding, acting);
criterion_main!(benches);
