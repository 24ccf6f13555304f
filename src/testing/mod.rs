//! For tests that assert what is decided: a small fixed [`World`], assertions on a task's actions, tables of decisions, and
//! the test files of Cedar's own command line.
//!
//! ```
//! use bailiwick::mandate::{Action, ActionClass, Grant, Resource, Scope, Tool};
//! use bailiwick::policy::{Catalog, ReasonCode};
//! use bailiwick::testing::{World, assert_deny, assert_permit};
//!
//! # let catalog = Catalog::new().with(Tool::new("ticket.close".parse()?, ActionClass::Write))?;
//! # let policies = r#"
//! #     @id("tickets") permit(principal, action, resource) when { resource.kind == "ticket" };
//! #     @id("frozen") forbid(principal, action, resource) when { resource.name == "T-1" };
//! # "#;
//! # let scope = Scope::new().allow("ticket.close", Grant::new().autonomous())?;
//! # let (fresh, frozen) = (Resource::new("ticket", "T-42")?, Resource::new("ticket", "T-1")?);
//! // `catalog`, `policies` and `scope` are the host's own.
//! let world = World::new(catalog, policies)?;
//! let ada = world.operator("ada")?;
//! let task = world.task(&world.agent("triage")?, scope, [&ada])?;
//! assert_permit!(task, Action::on_behalf_of(&ada, "ticket.close", &fresh)?);
//! assert_deny!(task, Action::autonomous("ticket.close", &frozen)?, reason = ReasonCode::Forbidden, by = ["frozen"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An assertion asks [`TaskHandle::verdict`](crate::TaskHandle::verdict): nothing is recorded or spent by it. What an
//! assertion cannot see (records, credentials, an approval that is used twice) is tested by acting:
//! [`World::sink`] keeps every record, and two runs of the same test keep the same ones, byte for byte.

mod assertion;
pub mod cedar_tests;
#[cfg(test)]
mod cross_check;
mod entropy;
mod setup_error;
mod table;
mod world;

#[doc(hidden)]
pub use assertion::Wanted;
#[doc(inline)]
pub use assertion::{assert_deny, assert_held, assert_permit};
pub use setup_error::SetupError;
pub use table::DecisionTable;
pub use world::World;
