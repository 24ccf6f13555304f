//! What a human is asked: to approve one exact action.

use super::{Action, Mode, Resource, ToolName};
use crate::canonical::{Digest, Encoder};
use crate::id::TaskId;
use crate::identity::{AgentId, OperatorId};

/// What a human is asked to approve: one exact action of one task, asked at one step of it. Made by a denial, see
/// its `request`, or by [`TaskHandle::request`](crate::TaskHandle::request).
///
/// The arguments are in it as a digest under the task's salt; whoever shows the request to a person shows the
/// arguments beside it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
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
}

impl ActionRequest {
    pub(super) fn new((task, step): (&TaskId, u64), agent: &AgentId, action: &Action, arguments: Digest) -> Self {
        Self {
            task: task.clone(),
            step,
            agent: agent.clone(),
            mode: action.mode().clone(),
            tool: action.tool().clone(),
            resource: action.resource().clone(),
            arguments,
        }
    }

    /// Whether the same action is asked for, at this step or another.
    pub(super) fn is_same_action(&self, other: &Self) -> bool {
        let Self { task, step: _, agent, mode, tool, resource, arguments } = self;
        (task, agent, mode) == (&other.task, &other.agent, &other.mode)
            && (tool, resource, arguments) == (&other.tool, &other.resource, &other.arguments)
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

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        let operator = self.mode.operator().map_or("", OperatorId::as_str);
        encoder.text(self.task.as_str()).fixed(&self.step.to_be_bytes()).text(self.agent.as_str());
        encoder.text(self.mode.as_str()).text(operator);
        encoder.text(self.tool.as_str()).text(self.resource.as_str()).fixed(self.arguments.as_bytes());
    }
}
