//! One step of a task: what is to be done, to what, with which arguments, and on whose errand.

use std::fmt;

use super::{Approval, Arguments, ToolName};
use crate::canonical::{Digest, Encoder};
use crate::id::{Found, IdError, TaskId, made_of};
use crate::identity::{AgentId, AgentUser, HumanOperator, OperatorId};

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

/// What an action touches: a kind of thing and its name.
///
/// ```
/// use bailiwick::mandate::Resource;
///
/// assert_eq!(Resource::new("ticket", "T-42")?.to_string(), "ticket/T-42");
/// # Ok::<(), bailiwick::id::IdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Resource {
    kind: String,
    name: String,
}

impl Resource {
    /// The thing of this kind with this name.
    ///
    /// # Errors
    ///
    /// A kind that is not 1 to 64 characters of a-z, 0-9, `_` and `-`, or a name that is not 1 to 512 printable
    /// ASCII characters without spaces.
    pub fn new(kind: &str, name: &str) -> Result<Self, IdError> {
        let in_kind = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
        if !made_of(kind, 64, in_kind) {
            let want = "1 to 64 characters of a-z, 0-9, `_` and `-`";
            return Err(IdError { what: "resource kind", want, found: Found::new(kind) });
        }
        if !made_of(name, 512, |b| b.is_ascii_graphic()) {
            let want = "1 to 512 printable ASCII characters without spaces";
            return Err(IdError { what: "resource name", want, found: Found::new(name) });
        }
        Ok(Self { kind: kind.to_owned(), name: name.to_owned() })
    }

    /// What kind of thing.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Which one.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl TryFrom<String> for Resource {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        let (kind, name) = text.split_once('/').unwrap_or((&text, ""));
        Self::new(kind, name)
    }
}

impl From<Resource> for String {
    fn from(resource: Resource) -> Self {
        resource.to_string()
    }
}

/// Kind, `/`, name: unambiguous, since no kind has a `/`.
impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resource({self})")
    }
}

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
    arguments: Arguments,
    presented: Option<AgentUser>,
    approval: Option<Approval>,
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
        Self::new(Mode::OnBehalfOf(operator.as_ref().id().clone()), tool, resource)
    }

    /// A step of the agent's own, which the scope must list as such.
    ///
    /// # Errors
    ///
    /// `tool` is not the name of a tool.
    pub fn autonomous(tool: &str, resource: &Resource) -> Result<Self, IdError> {
        Self::new(Mode::Autonomous, tool, resource)
    }

    fn new(mode: Mode, tool: &str, resource: &Resource) -> Result<Self, IdError> {
        Ok(Self {
            tool: ToolName::new(tool)?,
            mode,
            resource: resource.clone(),
            arguments: Arguments::none(),
            presented: None,
            approval: None,
        })
    }

    /// With these arguments.
    #[must_use]
    pub fn with(mut self, arguments: Arguments) -> Self {
        self.arguments = arguments;
        self
    }

    /// Seen by the target system as this agent user. Adds no authority.
    #[must_use]
    pub fn presenting(mut self, user: &AgentUser) -> Self {
        self.presented = Some(user.clone());
        self
    }

    /// With a human's approval of exactly this action.
    #[must_use]
    pub fn approved(mut self, approval: Approval) -> Self {
        self.approval = Some(approval);
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

    /// The arguments.
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// The agent user that is presented, if any.
    pub fn presented(&self) -> Option<&AgentUser> {
        self.presented.as_ref()
    }

    /// The approval of exactly this action, if any.
    pub fn approval(&self) -> Option<&Approval> {
        self.approval.as_ref()
    }
}

/// What a human is asked to approve: one exact action of one task. Made by a denial, see
/// [`Denial::request`](crate::audit::Denial::request).
///
/// The arguments are in it as a digest under the task's salt; whoever shows the request to a person shows the
/// arguments beside it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ActionRequest {
    task: TaskId,
    agent: AgentId,
    #[serde(flatten)]
    mode: Mode,
    tool: ToolName,
    resource: Resource,
    arguments: Digest,
}

impl ActionRequest {
    pub(super) fn new(task: &TaskId, agent: &AgentId, action: &Action, arguments: Digest) -> Self {
        Self {
            task: task.clone(),
            agent: agent.clone(),
            mode: action.mode.clone(),
            tool: action.tool.clone(),
            resource: action.resource.clone(),
            arguments,
        }
    }

    /// The task that the action belongs to.
    pub fn task(&self) -> &TaskId {
        &self.task
    }

    /// The agent that would act.
    pub fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// On whose errand.
    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// The tool that would be called.
    pub fn tool(&self) -> &ToolName {
        &self.tool
    }

    /// What it would touch.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// The digest of the arguments, under the task's salt.
    pub fn arguments(&self) -> &Digest {
        &self.arguments
    }

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        let operator = self.mode.operator().map_or(String::new(), ToString::to_string);
        encoder.text(self.task.as_str()).text(&self.agent.to_string());
        encoder.text(self.mode.as_str()).text(&operator);
        encoder.text(self.tool.as_str()).text(&self.resource.to_string()).fixed(self.arguments.as_bytes());
    }
}
