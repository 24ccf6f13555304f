//! The mandate: what a human authorised an agent to pursue.

use std::sync::Arc;

use super::{Action, Approval, Consent, Evidence, Grant, Mode, Panel, Provenance, Resolved, Scope, ToolName, Value};
use crate::canonical::Digest;
use crate::id::{ApprovalId, IdError, Prose, TaskId};
use crate::identity::{AgentId, AgentIdentity, OperatorId, OperatorSession};
use crate::time::Timestamp;

/// What is to be achieved, in a person's words, and how far that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    purpose: Prose,
    scope: Scope,
}

impl Intent {
    /// `purpose` is for people and for policies; what binds is the scope.
    ///
    /// # Errors
    ///
    /// `purpose` is empty, longer than 500 characters, or has control characters.
    pub fn new(purpose: &str, scope: Scope) -> Result<Self, IdError> {
        Ok(Self { purpose: Prose::new(purpose)?, scope })
    }

    /// What is to be achieved.
    pub fn purpose(&self) -> &Prose {
        &self.purpose
    }

    /// How far that goes.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// A mandate is not one that a task can begin with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MandateError {
    /// No human stands behind it.
    #[error("no human approved the task")]
    NotApproved,
    /// An approval is for one action, not for a task.
    #[error("the approval {0} is for one action, not for a task")]
    NotForTask(ApprovalId),
    /// An approval does not go as far as the intent.
    #[error("the approval {approval} by {operator} does not cover the scope of the intent")]
    TooNarrow {
        /// The approval.
        approval: ApprovalId,
        /// Who gave it.
        operator: OperatorId,
    },
    /// An approval is for another agent.
    #[error("the approval {approval} is for the agent {approved}, not for {agent}")]
    OtherAgent {
        /// The approval.
        approval: ApprovalId,
        /// Its agent.
        approved: AgentId,
        /// The mandate's agent.
        agent: AgentId,
    },
    /// An approval is for another task.
    #[error("the approval {approval} is for the task {approved}, not for {task}")]
    OtherTask {
        /// The approval.
        approval: ApprovalId,
        /// Its task.
        approved: TaskId,
        /// The task that would begin.
        task: TaskId,
    },
    /// An approval is over, or was given in a session that is over.
    #[error("the approval {approval} cannot be presented any more: it ends at {until}, it is {now}")]
    ApprovalOver {
        /// The approval.
        approval: ApprovalId,
        /// When it ends.
        until: Timestamp,
        /// The time now.
        now: Timestamp,
    },
    /// An approval token is older than this process, and nothing remembers whether it was used before.
    #[error("the approval {approval} was issued at {issued}, before this process started at {started}")]
    EarlierBoot {
        /// The approval.
        approval: ApprovalId,
        /// When it was issued.
        issued: Timestamp,
        /// When this process started.
        started: Timestamp,
    },
    /// Fewer people could approve calls of a tool than are to.
    #[error("{people} people are to approve calls of the tool {tool}, only {able} may")]
    NoQuorum {
        /// The tool.
        tool: ToolName,
        /// How many are to approve.
        people: u8,
        /// How many may.
        able: usize,
    },
    /// The task would be over before it begins.
    #[error("the task would end at {until}, it is {now}")]
    Over {
        /// When it would end.
        until: Timestamp,
        /// The time now.
        now: Timestamp,
    },
}

/// An agent, an intent, and the people who approved it: what a task begins with.
///
/// Every task needs an approval; a part that is [delegated](crate::TaskHandle::delegate) rests on those of its task. An action on behalf of a person needs that person's own; an autonomous one needs
/// a scope that lists it as such.
#[derive(Debug)]
pub struct Mandate {
    agent: AgentIdentity,
    intent: Intent,
    /// Those of the first task, for every task below it.
    approvals: Vec<Arc<Approval>>,
    /// The scope of the first task, in a task below it: what people approved, and no agent wrote.
    root: Option<Scope>,
    until: Option<Timestamp>,
    task: Option<TaskId>,
}

impl Mandate {
    /// A mandate that nobody approved yet.
    pub fn new(agent: AgentIdentity, intent: Intent) -> Self {
        Self { agent, intent, approvals: Vec::new(), root: None, until: None, task: None }
    }

    /// With an operator's approval, whose scope must cover the intent's.
    #[must_use]
    pub fn approved(mut self, approval: Approval) -> Self {
        self.approvals.reserve_exact(1);
        self.approvals.push(Arc::new(approval));
        self
    }

    /// With the consent of this session's operator to the intent, as far as it goes.
    #[must_use]
    pub fn approved_by(self, session: &OperatorSession) -> Self {
        let approval = Approval::by(session, self.intent.scope.clone());
        self.approved(approval)
    }

    /// The task ends at `until` at the latest.
    #[must_use]
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// The task has this id, which an approval token names. Without it, one is drawn.
    #[must_use]
    pub fn named(mut self, task: TaskId) -> Self {
        self.task = Some(task);
        self
    }

    /// Who acts.
    pub fn agent(&self) -> &AgentIdentity {
        &self.agent
    }

    /// What for.
    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// Who stands behind it.
    pub fn approvals(&self) -> &[Arc<Approval>] {
        &self.approvals
    }

    pub(crate) fn task(&self) -> Option<&TaskId> {
        self.task.as_ref()
    }

    /// The approval on which an action of this mode rests at `now`: the person's own, or, for an autonomous one, any;
    /// of those that are not over, the one that lasts longest.
    pub(crate) fn basis(&self, mode: &Mode, now: Timestamp) -> Option<&Approval> {
        let theirs = |approval: &&Approval| mode.operator().is_none_or(|operator| operator == approval.operator());
        self.approvals
            .iter()
            .map(Arc::as_ref)
            .filter(theirs)
            .filter(|approval| now < approval.ends())
            .max_by_key(|a| a.ends())
    }

    /// The number of this errand: 0 for the agent's own, otherwise the place among the approvals, from 1.
    pub(crate) fn errand(&self, mode: &Mode) -> u16 {
        let Some(operator) = mode.operator() else {
            return 0;
        };
        let place = self.approvals.iter().position(|approval| approval.operator() == operator);
        place.and_then(|place| u16::try_from(place.saturating_add(1)).ok()).unwrap_or(u16::MAX)
    }

    /// The errand with this number.
    pub(crate) fn mode_of(&self, errand: u16) -> Option<Mode> {
        match usize::from(errand).checked_sub(1) {
            None => Some(Mode::Autonomous),
            Some(place) => self.approvals.get(place).map(|approval| Mode::OnBehalfOf(approval.operator().clone())),
        }
    }

    /// Whether this person approved the task.
    pub(crate) fn is_approved_by(&self, operator: &OperatorId) -> bool {
        self.approvals.iter().any(|approval| approval.operator() == operator)
    }

    /// Who answers for an action of the task, where a human is asked.
    pub(crate) fn panel<'m>(&'m self, action: &'m Action) -> Panel<'m> {
        self.panel_for(action.tool(), action.mode())
    }

    /// Who answers for actions with this tool in this mode.
    pub(crate) fn panel_for<'m>(&'m self, tool: &ToolName, mode: &'m Mode) -> Panel<'m> {
        Panel::new(self, self.intent.scope.grant(tool).and_then(Grant::quorum), mode)
    }

    /// The task that an approvals service sealed, where an approval names it.
    pub(crate) fn task_hash(&self) -> Option<&Digest> {
        self.approvals.iter().find_map(|approval| approval.task_hash())
    }

    /// The same, resting on what people approved of the task above.
    pub(crate) fn below(mut self, above: &Self) -> Self {
        self.approvals = above.approvals.clone();
        self.root = Some(above.root().clone());
        self
    }

    /// The scope of the first task of the errand: what it names and trusts, people do.
    pub(crate) fn root(&self) -> &Scope {
        self.root.as_ref().unwrap_or(&self.intent.scope)
    }

    /// Where the value of an argument of `tool` comes from. What a part names or trusts that the first task does not, an agent
    /// does.
    pub(crate) fn provenance(&self, tool: &ToolName, argument: &str, value: &Value, resolved: &Resolved) -> Provenance {
        let own = self.intent.scope.grant(tool);
        let provenance = |grant: &Grant| grant.provenance(argument, value, resolved);
        let Some(root) = &self.root else { return own.map_or(Provenance::Untrusted, provenance) };
        match root.grant(tool).map(|root| (root, provenance(root))) {
            Some((_, Provenance::Scope)) => Provenance::Scope,
            // Vouched for by a source of the part, which is one of the first task's.
            Some((root, Provenance::Trusted)) if own.is_some_and(|own| own.trusts_within(root, argument)) => {
                Provenance::Trusted
            }
            _ => Provenance::Untrusted,
        }
    }

    /// When it was to end, where that was said.
    pub(crate) fn wanted_until(&self) -> Option<Timestamp> {
        self.until
    }

    /// Checks that a task with the id `task` can begin at `now`, in a process that started at `started` and
    /// remembers no approval from before, unless `started` is `None`. Returns when the task ends.
    pub(crate) fn check(
        &self,
        task: &TaskId,
        now: Timestamp,
        started: Option<Timestamp>,
    ) -> Result<Timestamp, MandateError> {
        let last = self.approvals.iter().map(|approval| approval.ends()).max().ok_or(MandateError::NotApproved)?;
        for approval in &self.approvals {
            self.check_approval(approval, task, now, started)?;
        }
        self.check_quorums()?;
        let lasting = self.intent.scope.end(now).unwrap_or(last);
        let until = self.until.unwrap_or(last).min(last).min(lasting).min(self.agent.until());
        if now >= until {
            return Err(MandateError::Over { until, now });
        }
        Ok(until)
    }

    /// Checks that enough people could approve where the scope wants people to.
    fn check_quorums(&self) -> Result<(), MandateError> {
        for (tool, quorum) in self.intent.scope.quorums() {
            let panel = Panel::new(self, Some(quorum), &Mode::Autonomous);
            let (people, able) = (panel.people(), panel.members().len());
            if able < usize::from(people) {
                return Err(MandateError::NoQuorum { tool: tool.clone(), people, able });
            }
        }
        Ok(())
    }

    fn check_approval(
        &self,
        approval: &Approval,
        task: &TaskId,
        now: Timestamp,
        started: Option<Timestamp>,
    ) -> Result<(), MandateError> {
        let id = approval.id().clone();
        let Consent::Scope(scope) = approval.consent() else {
            return Err(MandateError::NotForTask(id));
        };
        if !self.intent.scope.is_subset(scope) {
            return Err(MandateError::TooNarrow { approval: id, operator: approval.operator().clone() });
        }
        if let Some(approved) = approval.agent()
            && approved != self.agent.id()
        {
            let (approved, agent) = (approved.clone(), self.agent.id().clone());
            return Err(MandateError::OtherAgent { approval: id, approved, agent });
        }
        if let Some(approved) = approval.task()
            && approved != task
        {
            return Err(MandateError::OtherTask { approval: id, approved: approved.clone(), task: task.clone() });
        }
        if let (Evidence::Token { issued }, Some(started)) = (approval.evidence(), started)
            && *issued < started
        {
            return Err(MandateError::EarlierBoot { approval: id, issued: *issued, started });
        }
        if !approval.is_presentable_at(now) {
            return Err(MandateError::ApprovalOver { approval: id, until: approval.ends(), now });
        }
        Ok(())
    }
}
