//! Cedar's policies as programs of our own: the same answers, from typed values, without allocating.
//!
//! Cedar parses policies and says what they mean; here, each is turned into a few steps over borrowed values once, at
//! load ([`Compiled`]). Nothing here knows agents or tools: any policies, entities and requests can be asked about, so
//! that the answers can be held against Cedar's own.

mod asked;
mod check;
mod compile;
mod datetime;
mod decimal;
mod entities;
mod foreign;
mod from_cedar;
mod index;
mod ipaddr;
mod name;
mod path;
mod pattern;
mod program;
mod request;
mod rule;
mod set;
mod show;
mod to_cedar;
mod uid;
mod value;
mod view;

pub(super) use asked::{Asked, Known};
pub(super) use entities::Data;
pub use entities::{Entities, EntitiesError, Entity};
pub(super) use foreign::ask as ask_cedar;
pub use from_cedar::ForeignValue;
pub use ipaddr::IpNet;
pub use name::Name;
pub(super) use name::Word;
pub(super) use path::Path;
pub(super) use program::{Made, Variable};
pub use request::Request;
pub use rule::Effect;
pub(super) use rule::{Actions, Rule, Scope, filled};
pub(super) use set::Tally;
pub use set::{Compiled, Response};
pub(super) use show::{brief, cut};
pub use to_cedar::NotCedar;
pub(super) use to_cedar::uid as cedar_uid;
pub use uid::EntityUid;
pub(super) use uid::Uid;
pub use value::{Record, Set, Value};
pub(super) use view::{Fields, Members, Part, Val};
