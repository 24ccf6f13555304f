//! Tokens, sets of keys and SPIFFE IDs out of any bytes: nothing panics, and what is accepted is what a naive reader would.
//!
//! The package `fuzz` calls the same functions.

mod jwk_set;
mod jws;
mod spiffe_id;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::any::hold_often;
use crate::cedar::dice;
use crate::pens;
use crate::published;

/// Any bytes, so many at most.
fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..most)
}

/// Runs a function on so many inputs; at least so many of them must be accepted.
fn hold(often: (u32, u32), most: usize, one: fn(&[u8]) -> Result<bool, String>) {
    hold_often(often, bytes(most), |bytes| one(&bytes).map_err(TestCaseError::fail));
}

#[test]
fn a_token_is_accepted_where_a_naive_reader_would_and_it_was_signed() {
    hold((4_000, 200), 120, jws::hold);
}

#[test]
fn a_set_of_keys_has_what_a_naive_reader_would_verify_with() {
    hold((3_000, 300), 60, jwk_set::hold);
}

#[test]
fn a_spiffe_id_is_what_a_naive_reader_would_take_for_one_and_is_shown_as_it_was_written() {
    hold((20_000, 1_000), 24, spiffe_id::hold);
}
