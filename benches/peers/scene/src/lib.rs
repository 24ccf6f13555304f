//! One job for every peer: who asks, what is asked, under which policies, and with which answers.
//!
//! A peer writes these facts and rules down in its own form; what it answers is checked before it is timed.

mod facts;
mod rules;
mod serve;
mod timing;

pub use facts::{Agent, Context, FILER, OFFICE, OPERATOR, PAYER, Request, Resource, requests};
pub use rules::{Condition, Effect, Rule, Who, rules, tools};
pub use serve::{Ask, ask, serve};
pub use timing::{Answers, Failure, Peer, REQUESTS, Timed, check, local};
