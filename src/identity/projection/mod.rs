//! What other systems are shown of an [`AgentUser`](super::AgentUser), and what comes back from them.
//!
//! A projection is read off the registry when it is made, is a closed shape (there is no field for a password, a phone, a
//! role, a certificate, a person's name or an authentication), and cannot be set: whether the record is *active* is
//! whether its agent is. What a system changes of it changes nothing here; it is [`Drift`].
//!
//! ```
//! use bailiwick::identity::projection::{DriftKind, ScimUser, Severity};
//! # use bailiwick::identity::{AgentId, AgentUserId, HumanOperator, Namespace, OperatorId, Registry};
//! # let ada = OperatorId::new("https://idp.acme.example", "ada")?;
//! # let agent = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
//! # let registry = Registry::new();
//! # registry.enroll(HumanOperator::new(ada.clone()))?;
//! # registry.register(agent.clone(), [ada])?;
//! # registry.declare(Namespace::suffix("jira.acme.example", "-bot")?);
//! # let seen_as = registry.bind(&agent, AgentUserId::new("jira.acme.example", "triage-bot")?)?;
//! // `registry` and `seen_as` are the host's own; what is sent is the host's to send.
//! let user = ScimUser::of(&registry, &seen_as)?;
//! assert_eq!((user.create().method(), user.create().path()), ("POST", "/Users"));
//!
//! let drift = user.patched(r#"{
//!     "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
//!     "Operations": [{"op": "add", "path": "roles", "value": [{"value": "admin"}]}]
//! }"#)?;
//! assert_eq!(drift.differences()[0].kind, DriftKind::GainedAuthority);
//! assert_eq!(drift.severity(), Some(Severity::Critical));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod drift;
mod patch;
mod scim;
mod surface;
mod userinfo;

pub use drift::{Difference, Drift, DriftKind, Severity};
pub use patch::{ScimError, ScimOp};
pub use scim::{ScimId, ScimRequest, ScimUser};
pub use surface::{Accepts, LegacySurface, Strategy};
pub use userinfo::{UserInfo, UserInfoError};

use super::Handle;

/// What people read where other users have their names: nobody takes it for a person.
fn shown_name(handle: &Handle) -> String {
    format!("{handle} (AI agent)")
}
