//! **May it?** Cedar policies and the guard that no policy overrides, asked at every action.
//!
//! The room hands out a [`Verdict`]: a pure function of standing, mandate, ledger, action, policies and time. It is
//! what tests, replay and shadow policies get, and it opens nothing.

// Deciding: a question, what policies see of it, what none of them overrides, and the verdict.
pub mod compiled;
mod evaluator;
mod facts;
mod guard;
mod hiding;
mod names;
mod offer;
mod question;
mod reason;
mod reason_code;
mod retry;
mod sign;
mod snapshot;
mod stale;
mod typed;
mod verdict;

// The vocabulary: tools, their schema, and what is known besides.
mod catalog;
mod directory;
mod host_schema;
mod json_schema;
mod mcp;
mod schema;
mod schema_text;
mod schema_types;

// Administering: which person may do what to agents and to the house. Nothing of it decides about an agent's action.
mod admin_action;
mod administration;

// What people may do themselves. Nothing of it decides about an agent's action either.
mod entitlements;
mod people;

// Loading: from the text of a bundle to policies that decide.
mod builder;
mod bundle;
mod cut;
mod error;
mod part;
mod policies;
#[allow(clippy::module_inception, reason = "the file owns the noun that the room is named after")]
mod policy;
mod source;
mod stack;
mod syntax;
mod text;
mod validate;

// Saying why, for the people who write policies.
mod clause;
mod coverage;
#[cfg(feature = "miette")]
mod diagnostic;
mod explain;
mod layout;
mod lint;

pub use admin_action::AdminAction;
pub use administration::{Administration, NotAllowed};
pub(crate) use administration::{Governed, Motion, On, Said};
pub use builder::EvaluatorBuilder;
pub use bundle::{Bundle, BundleKey};
pub use catalog::{Catalog, CatalogError};
pub use clause::{Clause, ClauseKind, Truth};
pub use coverage::{Coverage, CoveredClause, CoveredPolicy, Gap};
pub use directory::{Directory, DirectoryError, GroupName};
pub use entitlements::Entitlements;
pub use error::{Message, PolicyError};
pub use evaluator::{Evaluator, Report};
pub use explain::{ExplainedClause, ExplainedPolicy, Explanation, PathValue};
pub(crate) use guard::{check_breaker, check_entitled, check_standing};
pub use host_schema::SchemaError;
pub use lint::{Lint, LintCode, Severity};
pub use names::{PolicyName, PolicyNames};
pub use question::Question;
pub use reason::Reason;
pub use reason_code::ReasonCode;
pub use retry::Retry;
pub use stale::Stale;
pub use text::{Limit, TextError};
pub(crate) use verdict::Ruling;
pub use verdict::{Outcome, Verdict};
