//! **What?** The task that a human approved, how far it goes, and what has been done of it so far.
//!
//! A [`Mandate`] is an agent, an [`Intent`] with its [`Scope`], and the [`Approval`]s of the people who stand behind
//! it. An [`Action`] is one step, for somebody or autonomous, never unsaid. The room hands out a reservation of a
//! live task's budget, without which no permit is made.

mod account;
mod action;
mod approval;
mod approval_token;
mod arguments;
mod assignment;
mod book;
mod bound;
mod broken;
mod budget;
mod capability;
mod class;
mod constraints;
mod coverage;
mod detail;
mod drift;
mod grant;
mod issued;
mod ledger;
mod loose_end;
#[allow(clippy::module_inception, reason = "the file owns the noun that the room is named after")]
mod mandate;
mod once;
mod parameter;
mod pass;
mod pattern;
mod raise;
mod refusals;
mod request;
mod resource;
mod scope;
mod tool;
mod unenforced;
mod watch;

pub use action::{Action, Mode};
pub use approval::{Approval, Consent, Evidence, danger};
pub use approval_token::ApprovalVerifier;
pub use arguments::{Arguments, ArgumentsError, Number, NumberError, Value};
pub(crate) use assignment::{Assignment, Lives, MAX_BELOW};
pub use assignment::{Standing, TaskState};
pub use book::Spent;
pub(crate) use book::Step;
pub use bound::{Bound, Target};
pub use budget::{Budget, Measure, Overrun, Shortage};
pub(crate) use capability::Capabilities;
pub use capability::CapabilityDrift;
pub use class::ActionClass;
pub use constraints::Constraints;
pub(crate) use constraints::JsonType;
pub use coverage::{Beyond, Coverage};
pub(crate) use detail::Detail;
pub use drift::{Drift, Drifts};
pub use grant::Grant;
pub(crate) use issued::{Issue, Issued};
pub use ledger::LedgerView;
pub(crate) use ledger::{Ledger, Reservation};
pub(crate) use loose_end::{LooseEnd, LooseEnds, Missing, NotLeft};
pub use mandate::{Intent, Mandate, MandateError};
pub use once::{MemoryOnce, Once, OnceError};
pub use parameter::{ArgumentName, ArgumentType};
pub(crate) use pass::{Pass, Passes};
pub(crate) use pattern::Pattern;
pub use pattern::PatternError;
pub use request::ActionRequest;
pub use resource::Resource;
pub(crate) use scope::MAX_DEPTH;
pub use scope::{Scope, ScopeError};
pub use tool::{Label, Tool, ToolError, ToolName};
pub use unenforced::Unenforced;
use watch::Plan;
pub use watch::{Response, Watch};
