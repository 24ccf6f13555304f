//! What a human is asked: to approve one exact action.

use serde::{Deserialize, Serialize};

use super::{Action, Mode, Resource, ToolName};
use crate::canonical::{Digest, Encoder};
use crate::id::TaskId;
use crate::identity::{AgentId, OperatorId};
use crate::strict::{Object, present, present_object, word};

/// What a human is asked to approve: one exact action of one task, asked at one step of it. Made by a denial, see
/// its `request`, or by [`TaskHandle::request`](crate::TaskHandle::request).
///
/// The arguments, and what the host said of the resource, are in it as digests under the task's salt; whoever shows the
/// request to a person shows them beside it. Another process can read it from JSON, show it, and have it approved: altered on
/// the way, it is the request of another action, and approves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Object<Written>")]
pub struct ActionRequest {
    task: TaskId,
    /// The step at which it was asked.
    step: u64,
    agent: AgentId,
    #[serde(flatten)]
    mode: Mode,
    tool: ToolName,
    resource: Resource,
    arguments: Digest,
    /// Of what the host knows of the resource, where it said something.
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Digest>,
}

/// The JSON of an [`ActionRequest`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    task: TaskId,
    step: u64,
    agent: AgentId,
    #[serde(deserialize_with = "word")]
    mode: WrittenMode,
    #[serde(default, deserialize_with = "present_object")]
    operator: Option<OperatorId>,
    tool: ToolName,
    resource: Resource,
    arguments: Digest,
    #[serde(default, deserialize_with = "present")]
    attributes: Option<Digest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenMode {
    Autonomous,
    OnBehalfOf,
}

impl TryFrom<Object<Written>> for ActionRequest {
    type Error = &'static str;
    fn try_from(Object(written): Object<Written>) -> Result<Self, Self::Error> {
        let Written { task, step, agent, mode, operator, tool, resource, arguments, attributes } = written;
        let mode = match (mode, operator) {
            (WrittenMode::Autonomous, None) => Mode::Autonomous,
            (WrittenMode::OnBehalfOf, Some(operator)) => Mode::OnBehalfOf(operator),
            _ => return Err("an operator is named where the action is on somebody's behalf, and only there"),
        };
        Ok(Self { task, step, agent, mode, tool, resource, arguments, attributes })
    }
}

/// Of the arguments, and of what the host knows of the resource.
type Digests = (Digest, Option<Digest>);

impl ActionRequest {
    pub(super) fn new((task, step): (&TaskId, u64), agent: &AgentId, action: &Action, digests: Digests) -> Self {
        let (arguments, attributes) = digests;
        Self {
            task: task.clone(),
            step,
            agent: agent.clone(),
            mode: action.mode().clone(),
            tool: action.tool().clone(),
            resource: action.resource().clone(),
            arguments,
            attributes,
        }
    }

    /// Whether the same action is asked for, at this step or another.
    pub(super) fn is_same_action(&self, other: &Self) -> bool {
        let Self { task, step: _, agent, mode, tool, resource, arguments, attributes } = self;
        (arguments, attributes) == (&other.arguments, &other.attributes)
            && (task, agent, mode) == (&other.task, &other.agent, &other.mode)
            && (tool, resource) == (&other.tool, &other.resource)
    }

    /// The task that the action belongs to.
    pub fn task(&self) -> &TaskId {
        &self.task
    }

    /// The step of the task at which it was asked.
    pub fn step(&self) -> u64 {
        self.step
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

    /// The digest of what the host knows of the resource, under the task's salt, where it said something.
    pub fn attributes(&self) -> Option<&Digest> {
        self.attributes.as_ref()
    }

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        let operator = self.mode.operator().map_or("", OperatorId::as_str);
        encoder.text(self.task.as_str()).fixed(&self.step.to_be_bytes()).text(self.agent.as_str());
        encoder.text(self.mode.as_str()).text(operator);
        encoder.text(self.tool.as_str()).text(self.resource.as_str()).fixed(self.arguments.as_bytes());
        encoder.tag(u8::from(self.attributes.is_some()));
        if let Some(attributes) = &self.attributes {
            encoder.fixed(attributes.as_bytes());
        }
    }
}
