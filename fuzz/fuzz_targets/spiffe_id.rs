//! SPIFFE IDs out of a fuzzer's bytes, by the functions of the tests.
#![no_main]
#![allow(dead_code, reason = "the tests use more of what is shared")]

#[path = "../../tests/it/cedar/dice.rs"]
mod dice;
#[path = "../../tests/it/fuzzed/spiffe_id.rs"]
mod spiffe_id;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(complaint) = spiffe_id::hold(bytes) {
        panic!("{complaint}");
    }
});
