//! Sets of keys out of a fuzzer's bytes, by the functions of the tests.
#![no_main]
#![allow(dead_code, reason = "the tests use more of what is shared")]

#[path = "../../tests/it/cedar/dice.rs"]
mod dice;
#[path = "../../tests/it/fuzzed/jwk_set.rs"]
mod jwk_set;
#[path = "../../tests/it/pens.rs"]
mod pens;
#[path = "../../tests/it/published.rs"]
mod published;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(complaint) = jwk_set::hold(bytes) {
        panic!("{complaint}");
    }
});
