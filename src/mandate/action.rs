//! One step of a task: what is to be done, to what, with which arguments, and on whose errand.

use std::fmt;
use std::sync::Arc;

use super::{Approval, Arguments, Resource, Tool, ToolName};
use crate::id::IdError;
use crate::identity::{AgentUser, HumanOperator, OperatorId};

/// On whose errand an action is. There is no default.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(tag = "mode", content = "operator", rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "an action is on behalf of somebody or it is not")]
pub enum Mode {
    /// The agent acts on its own, where the scope lists it.
    Autonomous,
    /// The agent acts for this person, who approved it.
    OnBehalfOf(OperatorId),
}

impl Mode {
    /// The name in records, policies and tokens.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Autonomous => "autonomous",
            Self::OnBehalfOf(_) => "on_behalf_of",
        }
    }

    /// On whose behalf, if anybody's.
    pub fn operator(&self) -> Option<&OperatorId> {
        match self {
            Self::Autonomous => None,
            Self::OnBehalfOf(operator) => Some(operator),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Autonomous => f.write_str("autonomous"),
            Self::OnBehalfOf(operator) => write!(f, "on behalf of {operator}"),
        }
    }
}

/// Approvals that come along with one action; a quorum has 8 people at most.
const MAX_APPROVALS: usize = 16;

/// One step that an agent wants to take.
///
/// ```
/// use bailiwick::mandate::{Action, Arguments, Resource};
///
/// let ticket = Resource::new("ticket", "T-42")?;
/// let action = Action::autonomous("ticket.close", &ticket)?.with(Arguments::from_json(r#"{"reason": "stale"}"#)?);
/// assert_eq!(action.mode().as_str(), "autonomous");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Action {
    tool: ToolName,
    mode: Mode,
    resource: Resource,
    attributes: Arguments,
    arguments: Arguments,
    presented: Option<AgentUser>,
    projected: Option<AgentUser>,
    approvals: Vec<Arc<Approval>>,
}

impl Action {
    /// A step on behalf of a person, who must have approved the task.
    ///
    /// # Errors
    ///
    /// `tool` is not the name of a tool.
    pub fn on_behalf_of(
        operator: &impl AsRef<HumanOperator>,
        tool: &str,
        resource: &Resource,
    ) -> Result<Self, IdError> {
        let mode = Mode::OnBehalfOf(operator.as_ref().id().clone());
        Ok(Self::new(mode, ToolName::new(tool)?, resource.clone()))
    }

    /// A step of the agent's own, which the scope must list as such.
    ///
    /// # Errors
    ///
    /// `tool` is not the name of a tool.
    pub fn autonomous(tool: &str, resource: &Resource) -> Result<Self, IdError> {
        Ok(Self::new(Mode::Autonomous, ToolName::new(tool)?, resource.clone()))
    }

    /// Obtaining, from the system that keeps this agent user, a token that is shaped like it: a step with
    /// [`Tool::project_as`] on the agent user, which it presents. Of nobody but the agent's own.
    ///
    /// A step like any other, for scope, policies (`resource.kind == "agent_user"`) and record. Naming the tool and the
    /// resource by hand is denied: an agent user is known by the registry that bound it.
    pub fn project_as(mode: Mode, user: &AgentUser) -> Self {
        let action = Self::new(mode, Tool::project_as().name().clone(), Resource::agent_user(user.id()));
        Self { presented: Some(user.clone()), projected: Some(user.clone()), ..action }
    }

    fn new(mode: Mode, tool: ToolName, resource: Resource) -> Self {
        let (attributes, arguments) = (Arguments::none(), Arguments::none());
        Self { tool, mode, resource, attributes, arguments, presented: None, projected: None, approvals: Vec::new() }
    }

    /// The same, on another errand.
    #[cfg(feature = "testing")]
    pub(crate) fn in_mode(&self, mode: Mode) -> Self {
        Self { mode, ..self.clone() }
    }

    /// Any call of this tool: it stands for all of them where neither arguments nor resource are looked at.
    pub(crate) fn any_of(tool: &ToolName, mode: &Mode) -> Self {
        Self::new(mode.clone(), tool.clone(), Resource::any())
    }

    /// With these arguments.
    #[must_use]
    pub fn with(mut self, arguments: Arguments) -> Self {
        self.arguments = arguments;
        self
    }

    /// With what the host knows of the resource, for policies: attributes that the catalogue declares. Where the directory
    /// has the resource too, they must be equal. Never from the output of a tool.
    #[must_use]
    pub fn of_resource(mut self, attributes: Arguments) -> Self {
        self.attributes = attributes;
        self
    }

    /// Seen by the target system as this agent user. Adds no authority.
    #[must_use]
    pub fn presenting(mut self, user: &AgentUser) -> Self {
        self.presented = Some(user.clone());
        self
    }

    /// With a human's approval of exactly this action, beside those before: where the scope wants more people than one, each
    /// gives their own. After the 16th nobody's is looked at.
    #[must_use]
    pub fn approved(mut self, approval: Approval) -> Self {
        if self.approvals.len() < MAX_APPROVALS {
            self.approvals.push(Arc::new(approval));
        }
        self
    }

    /// The tool to call.
    pub fn tool(&self) -> &ToolName {
        &self.tool
    }

    /// On whose errand.
    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// What it touches.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// What the host knows of the resource.
    pub fn resource_attributes(&self) -> &Arguments {
        &self.attributes
    }

    /// The arguments.
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// The agent user that is presented, if any.
    pub fn presented(&self) -> Option<&AgentUser> {
        self.presented.as_ref()
    }

    /// The agent user that a token is to be shaped like, where it is that.
    pub(crate) fn projected(&self) -> Option<&AgentUser> {
        self.projected.as_ref()
    }

    /// The approvals of exactly this action that come along.
    pub fn approvals(&self) -> &[Arc<Approval>] {
        &self.approvals
    }
}
