//! What open tasks cost: the memory of a million of them, and how long it takes to stop one, an agent, and everything.
//!
//! `cargo bench --bench tasks_held` prints a line for each, in about a minute; `TASKS` is how many there are.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "time and memory are what is measured; a benchmark that cannot start fails; the scene is shared"
)]

mod scene;

use bailiwick::audit::Effect;
use bailiwick::mandate::Scope;
use bailiwick::{Halt, Resume, Task};
use cpu_time::ThreadTime;
use scene::Scene;

/// Tasks that are open at once, unless the variable says otherwise.
const TASKS: usize = 1_000_000;

fn main() {
    // Cargo asks every benchmark whether it has tests.
    if std::env::args().any(|argument| argument == "--list" || argument == "--help") {
        println!("TASKS=1000000 cargo bench --bench tasks_held");
        return;
    }
    let many = std::env::var("TASKS").ok().and_then(|many| many.parse().ok()).unwrap_or(TASKS);
    let scene = Scene::new(10);
    // One scope for all tasks, and one of each task's own, as it is read from an approval.
    let (shared, written) = (scene.scope(), serde_json::to_string(&scene.scope()).expect("JSON"));
    let read = || serde_json::from_str::<Scope>(&written).expect("a scope");
    for (what, own) in [("shared", false), ("own", true)] {
        let idle = |_| scene.begin(if own { read() } else { shared.clone() });
        let mut tasks: Vec<Task> = Vec::with_capacity(many);
        let start = ThreadTime::now();
        let memory = allocation_counter::measure(|| tasks.extend((0..many).map(idle)));
        let begin = start.elapsed().as_secs_f64() * 1e6 / many as f64;
        let each = memory.bytes_current as f64 / many as f64;
        println!("open     scope={what} tasks={many} bytes_each={each:.0} begin_us={begin:.1}");
        if own {
            break;
        }
        let (task, action) = (tasks.first().expect("a task"), scene.action());
        let used = allocation_counter::measure(|| {
            let permit = task.authorize(&action).expect("a permit");
            task.redeem(permit, action.arguments()).expect("the same").finish(Effect::Succeeded).expect("a record");
        });
        println!("used     bytes_more={}", used.bytes_current);
        // Medians: the first asks for what no cache has.
        let halted = |what: &dyn Fn(usize) -> Halt| {
            let times = (0..101).map(|turn| {
                let (halt, start) = (what(turn), ThreadTime::now());
                scene.door().halt(scene.ada(), halt).expect("a halt");
                start.elapsed().as_secs_f64() * 1e6
            });
            let mut times: Vec<f64> = times.collect();
            times.sort_by(f64::total_cmp);
            times.get(50).copied().unwrap_or_default()
        };
        let far = |turn: usize| tasks.get(many / 101 * turn).expect("a task").id().clone();
        println!("halt     what=task open={many} halt_us={:.1}", halted(&|turn| Halt::Task(far(turn))));
        println!("halt     what=everything open={many} halt_us={:.1}", halted(&|_| Halt::Everything));
        assert!(tasks.iter().all(|task| task.authorize(&action).is_err()), "everything is halted");
        scene.door().resume(scene.ada(), Resume::Everything).expect("a new start");
        drop(tasks);
        let _ = scene.door().sweep();
    }
}
