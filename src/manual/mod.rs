//! The manual: documentation only, compiled and link-checked with the code.
//!
//! * [`model`]: the words, and what each party can and cannot do;
//! * [`architecture`]: the rooms, the way of one action through them, and what always holds;
//! * [`threats`]: what is defended against, how, and what is not;
//! * [`howto`]: what a host writes: sinks, scopes, policies, approvals, stopping;
//! * [`approvals`]: what people approve once or each time, by how many, and from which process;
//! * [`credentials`]: keys that rotate, or are held elsewhere, and proofs of possession;
//! * [`delegating`]: what an agent may have other agents do of its task;
//! * [`entitlements`]: what people may do themselves, and so have an agent do for them;
//! * [`halting`]: the stop button, breakers, ceilings, and grants that nobody uses;
//! * [`drift`]: budgets, labels, and what follows where a task departs from its intent;
//! * [`denials`]: classes, tools that change, what is said of a refusal, and what a model is offered;
//! * [`leases`]: credentials that other systems issue, and what Vault, AWS, GitHub and PostgreSQL make of them;
//! * [`targets`]: which values arguments may have, where they come from, and how they are spelt;
//! * [`controls`]: OWASP, CSA MAESTRO and NIST references, and where the evidence for each is;
//! * [`readme`]: the front page of the repository.

pub mod approvals;
pub mod architecture;
pub mod controls;
pub mod credentials;
pub mod delegating;
pub mod denials;
pub mod drift;
pub mod entitlements;
pub mod halting;
pub mod howto;
pub mod leases;
pub mod model;
pub mod targets;
pub mod threats;

#[doc = include_str!("../../README.md")]
pub mod readme {}
