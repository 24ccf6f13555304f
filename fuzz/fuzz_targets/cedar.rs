//! Compiled policies against Cedar, on scenes out of a fuzzer's bytes, by the generators of the tests.
#![no_main]
#![allow(dead_code, reason = "the tests use more of what is shared")]

#[path = "../../tests/it/cedar/dice.rs"]
mod dice;
#[path = "../../tests/it/cedar/expressions.rs"]
mod expressions;
#[path = "../../tests/it/cedar/oracle.rs"]
mod oracle;
#[path = "../../tests/it/cedar/policies.rs"]
mod policies;
#[path = "../../tests/it/cedar/scene.rs"]
mod scene;
#[path = "../../tests/it/cedar/things.rs"]
mod things;

use libfuzzer_sys::fuzz_target;

use crate::dice::Dice;
use crate::policies::Style;
use crate::scene::Scene;

fuzz_target!(|bytes: &[u8]| {
    let mut dice = Dice::new(bytes);
    let style = dice.pick(&[Style::Typed, Style::Wild, Style::Scopes]);
    if let Err(difference) = oracle::hold(&Scene::of(&mut dice, style), &mut |_, _| {}) {
        panic!("{difference}");
    }
});
