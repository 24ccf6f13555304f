//! Compiled policies against Cedar itself: whatever the policies, entities and requests are, the answers are the same.
//!
//! In the ordinary run some ten thousand decisions are compared. `CEDAR_DECISIONS=1000000` asks for so many of each
//! style instead: `CEDAR_DECISIONS=1000000 cargo test --release --test it cedar:: -- --nocapture`. The package `fuzz`
//! makes the same comparison for a fuzzer.

mod conversions;
pub(crate) mod dice;
mod expressions;
mod oracle;
mod policies;
mod scene;
mod spelling;
mod texts;
mod things;
mod traps;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::thread;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use self::dice::Dice;
use self::expressions::OPERATORS;
use self::oracle::Fate;
use self::policies::Style;
use self::scene::{REQUESTS, Scene};
use crate::any::cases;

/// Runs where Cedar has all the stack that it could want: with less, its answers are others.
pub(crate) fn deep<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    const BYTES: usize = 64 * 1024 * 1024;
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(BYTES).spawn_scoped(scope, run).unwrap();
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Say nothing to a reader.
#[derive(Clone)]
struct Bytes(Vec<u64>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} words", self.0.len())
    }
}

/// What was seen of a run, so that a run that shows nothing fails.
#[derive(Debug, Default)]
struct Seen {
    fates: BTreeMap<Fate, u32>,
    /// How often an operator was certainly evaluated without an error.
    ran: BTreeMap<&'static str, u32>,
}

impl Seen {
    /// Percent of what became of policies.
    fn share(&self, fate: Fate) -> u32 {
        let all: u32 = self.fates.values().sum();
        self.fates.get(&fate).copied().unwrap_or(0) * 100 / all.max(1)
    }
}

/// Compares decisions on scenes of this style.
fn hold(style: Style, decisions: usize) -> Seen {
    deep(|| hold_here(style, decisions))
}

fn hold_here(style: Style, decisions: usize) -> Seen {
    let decisions = std::env::var("CEDAR_DECISIONS").map_or(decisions, |asked| asked.parse().unwrap());
    let scenes = u32::try_from(decisions.div_ceil(REQUESTS)).unwrap();
    let bytes = vec(any::<u64>(), 0..600).prop_map(Bytes);
    let seen = RefCell::new(Seen::default());
    let law = |Bytes(words): Bytes| {
        let bytes: Vec<u8> = words.into_iter().flat_map(u64::to_be_bytes).collect();
        let scene = Scene::of(&mut Dice::new(&bytes), style);
        let held = oracle::hold(&scene, &mut |policy, fate| {
            let mut seen = seen.borrow_mut();
            *seen.fates.entry(fate).or_default() += 1;
            // A policy that was not satisfied may have been so for its scope.
            if fate == Fate::Satisfied || fate == Fate::Unsatisfied && policy.is_open {
                for operator in &policy.ran {
                    *seen.ran.entry(operator).or_default() += 1;
                }
            }
        });
        held.map_err(TestCaseError::fail)
    };
    // What fails is made smaller as a scene, not as bytes.
    let config = ProptestConfig { max_shrink_iters: 0, ..cases(scenes) };
    TestRunner::new(config).run(&bytes, law).unwrap_or_else(|failure| panic!("{failure}"));
    let seen = seen.into_inner();
    println!("{style:?}: {} decisions, {:?}\n{:?}", scenes as usize * REQUESTS, seen.fates, seen.ran);
    seen
}

#[test]
fn conditions_that_are_often_true_hold_as_cedar_says() {
    let seen = hold(Style::Typed, 6_000);
    for (fate, least) in [(Fate::Satisfied, 10), (Fate::Unsatisfied, 10), (Fate::Failed, 3)] {
        assert!(seen.share(fate) >= least, "only {}% {fate:?}", seen.share(fate));
    }
    // That each also gives every answer is seen in the tables of `traps`.
    let rare: Vec<_> = OPERATORS.iter().filter(|operator| !seen.ran.contains_key(**operator)).collect();
    assert!(rare.is_empty(), "never certainly evaluated: {rare:?}");
}

#[test]
fn anything_that_can_be_written_means_what_cedar_says() {
    let seen = hold(Style::Wild, 3_000);
    assert!(seen.share(Fate::Satisfied) >= 3 && seen.share(Fate::Failed) >= 10, "{:?}", seen.fates);
}

#[test]
fn no_policy_is_lost_between_scopes() {
    let seen = hold(Style::Scopes, 2_000);
    assert!(seen.share(Fate::Satisfied) >= 10 && seen.share(Fate::Unsatisfied) >= 10, "{:?}", seen.fates);
}
