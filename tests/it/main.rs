//! What the crate promises, tested through its public API.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that meets the unexpected fails"
)]

mod arguments;
mod audit;
mod compile;
mod credentials;
mod decisions;
mod door;
mod house;
mod identity;
mod laws;
mod policies;
mod scopes;
mod shortcuts;
mod world;
