//! What the crate promises, tested through its public API.

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
mod world;
