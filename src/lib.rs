//! Lets an AI agent act for people without being mistaken for one.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use bailiwick::audit::{Effect, MemorySink};
//! use bailiwick::identity::{AgentId, HumanOperator, OperatorId, Registry, danger};
//! use bailiwick::mandate::{Action, ActionClass, Grant, Intent, Mandate, Resource, Scope, Tool};
//! use bailiwick::policy::{Catalog, Evaluator};
//! use bailiwick::time::{Clock, SystemClock};
//! use bailiwick::Authorizer;
//!
//! // Once per process: who is known, which tools there are, what policies say, where records go.
//! let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
//! let agent = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
//! let registry = Registry::new();
//! registry.enroll(ada.clone())?;
//! registry.register(agent.clone(), [ada.id().clone()])?;
//! let catalog = Catalog::new().with(Tool::new("ticket.close".parse()?, ActionClass::Write))?;
//! let evaluator = Evaluator::new(catalog, r#"
//!     @id("tickets") permit(principal, action == Action::"ticket.close", resource)
//!     when { context.mode == "on_behalf_of" && resource.kind == "ticket" };
//! "#)?;
//! let sink = Arc::new(MemorySink::new(1_000));
//! let door = Authorizer::builder(registry, evaluator, sink.clone()).build()?;
//!
//! // Once per task: a proven workload, a person's own sign-in, and what that person approves.
//! let (now, hour) = (SystemClock.now()?, Duration::from_secs(3600));
//! let ada = danger::operator_vouched_by_host(ada, now, now.after(hour))?;
//! let agent = door.admit(danger::workload_vouched_by_host(agent, None, now.after(hour)))?;
//! let intent = Intent::new("close stale tickets", Scope::new().allow("ticket.close", Grant::new())?)?;
//! let task = door.begin(Mandate::new(agent, intent).approved_by(&ada))?;
//!
//! // Once per action: asked at the point of action, spent once, and its effect told.
//! let ticket = Resource::new("ticket", "T-42")?;
//! let action = Action::on_behalf_of(&ada, "ticket.close", &ticket)?;
//! let permit = task.authorize(&action)?;
//! task.redeem(permit, action.arguments())?.finish(Effect::Succeeded)?;
//!
//! // Autonomously it may not: Ada's scope does not list it as such.
//! let denial = task.authorize(&Action::autonomous("ticket.close", &ticket)?).expect_err("not listed");
//! assert_eq!(denial.code().as_str(), "out_of_scope");
//!
//! // Or dropped: everything below the task is dead either way.
//! task.complete()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Three parties
//!
//! | type | what it is | what it never does |
//! |---|---|---|
//! | [`identity::HumanOperator`] | the person accountable for intent and bounds | execute, or be the principal of an agent's action |
//! | [`identity::AgentIdentity`] | the workload that really runs, proven | exist without proof and without a sponsor |
//! | [`identity::AgentUser`] | a user-shaped record for systems that insist on a user | hold a credential, or add authority |
//!
//! No conversion, no shared id type, no common trait lets one stand in for another.
//!
//! # Five rooms and a door
//!
//! Each room hands out one value with private fields, and that value is the only way into the next:
//!
//! * [`identity`] (who?) an [`AgentIdentity`](identity::AgentIdentity), by verifying a proof;
//! * [`mandate`] (what?) a [`Mandate`](mandate::Mandate), from an agent, an intent, a scope and human approvals;
//! * [`policy`] (may it?) a [`Verdict`](policy::Verdict), a pure function of facts, which opens nothing;
//! * [`audit`] (is it written?) a [`Permit`](audit::Permit), after the record was taken;
//! * [`credential`] (which key?) a [`Credential`](credential::Credential), by spending a permit.
//!
//! The door, [`Authorizer`] and [`Task`], wires them. Ground values ([`id`], [`time`], [`secret`], [`entropy`],
//! [`jose`]) are below. The [`manual`] explains the model, the architecture, the threats, and what a host must do.
//!
//! # What it does not do
//!
//! It decides, keys and records; it does not stand in the way. **Complete mediation is the host's**: an action that does
//! not pass through [`TaskHandle::authorize`] is not seen. The crate opens no socket and no file, needs no async
//! runtime, has no global state, and no thread that outlives a call.
//!
//! # Features
//!
//! Each adds something, and none is on by default.
//!
//! * `miette`: an [`Explanation`](policy::Explanation) is a diagnostic that points into the policies.
//! * `testing`: the module `testing`, for tests that assert what is decided.

mod accountability;
mod administration;
mod asking;
pub mod audit;
mod authorizer;
mod break_glass;
mod builder;
mod canonical;
pub mod credential;
mod delegation;
mod door;
mod entitling;
pub mod entropy;
mod error;
mod expiring;
pub mod id;
pub mod identity;
pub mod jose;
mod json;
mod leasing;
mod live;
pub mod mandate;
pub mod manual;
mod offering;
mod open;
pub mod policy;
mod reinstatement;
mod review;
mod revocations;
pub mod secret;
mod sorted;
mod strict;
mod sync;
mod task;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
mod watching;

pub use asking::ObjectionError;
pub use authorizer::{Authorizer, Halt, Resume, Swept};
pub use break_glass::{BreakGlass, By};
pub use builder::Builder;
pub use canonical::Digest;
pub use delegation::DelegationError;
pub use error::Error;
pub use json::JsonError;
pub use leasing::NotRecovered;
pub use review::{Attention, Review, ReviewedAgent, ReviewedSponsor};
pub use task::{Closed, Task, TaskHandle};
pub use watching::Unused;
