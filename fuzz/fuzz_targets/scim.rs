//! What comes back from a service provider as a SCIM message: the law of the tests, on a fuzzer's bytes.
#![no_main]
#![allow(dead_code, reason = "the tests use more of what is shared")]

#[path = "../../tests/it/drift/law.rs"]
mod law;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(broken) = law::hold(text) {
        panic!("{broken}");
    }
});
