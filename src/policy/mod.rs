//! **May it?** Cedar policies and the guard that no policy overrides, asked at every action.
//!
//! The room hands out a [`Verdict`]: a pure function of standing, mandate, ledger, action, policies and time. It is
//! what tests, replay and shadow policies get, and it opens nothing.

mod builder;
mod bundle;
mod catalog;
mod clause;
pub mod compiled;
mod coverage;
mod cut;
#[cfg(feature = "miette")]
mod diagnostic;
mod directory;
mod error;
mod evaluator;
mod explain;
mod facts;
mod guard;
mod host_schema;
mod json_schema;
mod layout;
mod lint;
mod mcp;
mod names;
mod part;
mod policies;
#[allow(clippy::module_inception, reason = "the file owns the noun that the room is named after")]
mod policy;
mod question;
mod schema;
mod schema_text;
mod schema_types;
mod snapshot;
mod source;
mod stack;
mod syntax;
mod text;
mod validate;
mod verdict;

pub use builder::EvaluatorBuilder;
pub use bundle::{Bundle, BundleKey};
pub use catalog::{Catalog, CatalogError};
pub use clause::{Clause, ClauseKind, Truth};
pub use coverage::{Coverage, CoveredClause, CoveredPolicy, Gap};
pub use directory::{Directory, DirectoryError, GroupName};
pub use error::{Message, PolicyError};
pub use evaluator::{Evaluator, Report};
pub use explain::{ExplainedClause, ExplainedPolicy, Explanation, PathValue};
pub(crate) use guard::check_standing;
pub use host_schema::SchemaError;
pub use lint::{Lint, LintCode, Severity};
pub use names::{PolicyName, PolicyNames};
pub use question::Question;
pub use text::{Limit, TextError};
pub use verdict::{Outcome, Reason, ReasonCode, Remedy, Stale, Verdict};
