//! The agent user as claims of a user (OpenID Connect Core 1.0, section 5.1), for systems that ask who somebody is.

use serde::{Serialize, Serializer};

use super::shown_name;
use crate::id::{IdError, Subject};
use crate::identity::{AgentUser, AgentUserId, Registry, RegistryError};

/// The value of `sub_profile`, as in credentials.
const SUB_PROFILE: &str = "ai_agent";

/// The agent user as claims of a user, as its agent is at the moment when this is made.
///
/// The subject is the *agent*: a user record is nobody. It says nothing of an authentication, for nobody signed in: no
/// `acr`, `amr`, `auth_time`, `nonce`, `at_hash`, `email`, and no other claim than these.
///
/// ```
/// use bailiwick::identity::projection::UserInfo;
/// # use bailiwick::identity::{AgentId, AgentUserId, HumanOperator, Namespace, OperatorId, Registry};
/// # let ada = OperatorId::new("https://idp.acme.example", "ada")?;
/// # let agent = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
/// # let registry = Registry::new();
/// # registry.enroll(HumanOperator::new(ada.clone()))?;
/// # registry.register(agent.clone(), [ada])?;
/// # registry.declare(Namespace::suffix("jira.acme.example", "-bot")?);
/// # let seen_as = registry.bind(&agent, AgentUserId::new("jira.acme.example", "triage-bot")?)?;
/// let claims = serde_json::to_value(UserInfo::of(&registry, &seen_as)?)?;
/// assert_eq!(claims, serde_json::json!({
///     "sub": "spiffe://acme.example/agent/triage",
///     "sub_profile": "ai_agent",
///     "name": "triage-bot (AI agent)",
///     "preferred_username": "triage-bot",
///     "agent_user": { "system": "jira.acme.example", "handle": "triage-bot" },
/// }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInfo {
    subject: Subject,
    user: AgentUserId,
}

impl UserInfo {
    /// The claims of this agent user as they are now.
    ///
    /// # Errors
    ///
    /// [`RegistryError`]: the agent user was not bound by this registry, or its agent is not active. [`IdError`]: the
    /// agent's name is longer than a subject can be, 255 characters.
    pub fn of(registry: &Registry, user: &AgentUser) -> Result<Self, UserInfoError> {
        let agent = user.agent();
        let (active, _) = registry.shown(user).map_err(RegistryError::from)?;
        match registry.agent_state(agent) {
            Some(state) if !active => Err(RegistryError::AgentNotActive { agent: agent.clone(), state }.into()),
            _ => Ok(Self { subject: Subject::new(agent.as_str())?, user: user.id().clone() }),
        }
    }

    /// The agent.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }
}

/// There are no claims to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserInfoError {
    /// The agent user is not bound here, or its agent is not active.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The agent's name is longer than a subject can be.
    #[error(transparent)]
    Subject(#[from] IdError),
}

impl Serialize for UserInfo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let handle = self.user.handle();
        Claims {
            sub: self.subject.as_str(),
            sub_profile: SUB_PROFILE,
            name: shown_name(handle),
            preferred_username: handle.as_str(),
            agent_user: &self.user,
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    sub_profile: &'static str,
    name: String,
    preferred_username: &'a str,
    agent_user: &'a AgentUserId,
}
