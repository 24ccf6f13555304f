//! The agent user as a SCIM 2.0 user (RFC 7643, sections 4.1 and 4.3), and the requests that provision it (RFC 7644).

use serde::{Serialize, Serializer};

use super::shown_name;
use crate::id::{made_of, text};
use crate::identity::{AgentUser, HandleError, OperatorId, Registry};

/// The schema of users.
pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of what a company says of users.
pub(super) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// Our schema of users that are no people.
pub(super) const AGENT: &str = "urn:bailiwick:scim:schemas:agent:1.0:User";
/// The schema of a change.
pub(super) const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// What the record is.
pub(super) const USER_TYPE: &str = "Agent";

text! {
    /// The id that a service provider gave to a record (RFC 7643, section 3.1), as it stands in a path.
    ScimId, "SCIM id", "1 to 256 characters of A-Z, a-z, 0-9, `-`, `_`, `~`, `.`, `:`, `@` and `=`, not all of them `.`",
    |text| made_of(text, 256, |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'~' | b'.' | b':' | b'@' | b'='))
        && text.bytes().any(|b| b != b'.')
}

/// The agent user as a SCIM user, as its agent is at the moment when this is made.
///
/// Its JSON has `schemas`, `externalId` (the agent's id), `userName` (the handle), `displayName`, `userType` (`Agent`),
/// `active`, the `manager` of the enterprise extension (the sponsor; nobody, where none is active), and an extension that
/// says `nonHuman`. There is no other member, and nothing of it can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimUser {
    user: AgentUser,
    active: bool,
    sponsor: Option<OperatorId>,
    sponsor_id: Option<ScimId>,
}

impl ScimUser {
    /// The record of this agent user as it is now.
    ///
    /// # Errors
    ///
    /// The agent user was not bound by this registry.
    pub fn of(registry: &Registry, user: &AgentUser) -> Result<Self, HandleError> {
        let (active, sponsor) = registry.shown(user)?;
        Ok(Self { user: user.clone(), active, sponsor, sponsor_id: None })
    }

    /// With the id that the sponsor's own record has in that system, which is what it knows a manager by. Without it, the
    /// manager is named by issuer and subject.
    #[must_use]
    pub fn sponsor_known_as(mut self, id: ScimId) -> Self {
        self.sponsor_id = Some(id);
        self
    }

    /// The agent user.
    pub fn user(&self) -> &AgentUser {
        &self.user
    }

    /// Whether its agent is active.
    pub fn active(&self) -> bool {
        self.active
    }

    /// Who answers for the agent, shown as its manager.
    pub fn sponsor(&self) -> Option<&OperatorId> {
        self.sponsor.as_ref()
    }

    /// What makes the record (RFC 7644, section 3.3).
    pub fn create(&self) -> ScimRequest {
        ScimRequest::new("POST", "/Users".to_owned(), self)
    }

    /// What makes the record as it should be, whatever became of it (RFC 7644, section 3.5.1).
    pub fn replace(&self, id: &ScimId) -> ScimRequest {
        ScimRequest::new("PUT", format!("/Users/{id}"), self)
    }

    /// What makes the record active or inactive, as its agent is (RFC 7644, section 3.5.2). A record is never deleted by
    /// us: what was done under its name is still found by it.
    pub fn set_active(&self, id: &ScimId) -> ScimRequest {
        let operations = [Operation { op: "replace", path: "active", value: self.active }];
        ScimRequest::new("PATCH", format!("/Users/{id}"), &Patch { schemas: [PATCH], operations })
    }

    pub(super) fn display_name(&self) -> String {
        shown_name(self.user.id().handle())
    }

    /// What the system knows the manager by.
    pub(super) fn manager(&self) -> Option<&str> {
        let sponsor = self.sponsor.as_ref()?;
        Some(self.sponsor_id.as_ref().map_or(sponsor.as_str(), ScimId::as_str))
    }
}

impl Serialize for ScimUser {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = |value| Manager { value, display_name: self.sponsor.as_ref().map(|s| s.subject().as_str()) };
        let agent = self.user.agent().as_str();
        Members {
            schemas: [USER, ENTERPRISE, AGENT],
            external_id: agent,
            user_name: self.user.id().handle().as_str(),
            display_name: self.display_name(),
            user_type: USER_TYPE,
            active: self.active,
            enterprise: Enterprise { manager: self.manager().map(named) },
            agent: Agent { non_human: true, agent, interactive_sign_in: false },
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    schemas: [&'static str; 3],
    external_id: &'a str,
    user_name: &'a str,
    display_name: String,
    user_type: &'static str,
    active: bool,
    #[serde(rename = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")]
    enterprise: Enterprise<'a>,
    #[serde(rename = "urn:bailiwick:scim:schemas:agent:1.0:User")]
    agent: Agent<'a>,
}

#[derive(Serialize)]
struct Enterprise<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    manager: Option<Manager<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manager<'a> {
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Agent<'a> {
    non_human: bool,
    agent: &'a str,
    interactive_sign_in: bool,
}

#[derive(Serialize)]
struct Patch {
    schemas: [&'static str; 1],
    #[serde(rename = "Operations")]
    operations: [Operation; 1],
}

#[derive(Serialize)]
struct Operation {
    op: &'static str,
    path: &'static str,
    value: bool,
}

/// A request to a service provider, for the host to send: this crate opens no socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScimRequest {
    method: &'static str,
    path: String,
    body: String,
}

impl ScimRequest {
    /// The media type of the body (RFC 7644, section 8.1).
    pub const CONTENT_TYPE: &str = "application/scim+json";

    fn new(method: &'static str, path: String, body: &impl Serialize) -> Self {
        // Texts and truth values: writing them cannot fail.
        Self { method, path, body: serde_json::to_string(body).unwrap_or_default() }
    }

    /// `POST`, `PUT` or `PATCH`.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// The path below the base of the service provider.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The JSON to send.
    pub fn body(&self) -> &str {
        &self.body
    }
}
