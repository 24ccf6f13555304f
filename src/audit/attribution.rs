//! Attribution: from what another system saw of an agent user, back to the agent, the task and the human behind it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::{AgentFact, AgentUserFact, Decided, Effect, Event, OperatorFact};
use crate::id::{EventId, TaskId, TransactionId};
use crate::identity::{AgentId, AgentUserId, OperatorId};
use crate::mandate::{Mode, Resource, ToolName};
use crate::policy::Outcome;
use crate::time::Timestamp;

/// How far the clocks of two systems may be apart, unless the host says otherwise.
const WINDOW: Duration = Duration::from_secs(60);

/// What another system wrote down: that a user of its did something at a time. A ticket, a mail, an entry of a calendar.
///
/// ```
/// use bailiwick::audit::{MemorySink, Sighting};
/// use bailiwick::identity::AgentUserId;
/// use bailiwick::mandate::Resource;
/// use bailiwick::time::Timestamp;
///
/// // Ticket 7: closed by `triage-bot` at 14:13:20.
/// let at = Timestamp::from_unix(1_790_000_000).expect("between 1970 and 9999");
/// let closed = Sighting::new(AgentUserId::new("jira.acme.example", "triage-bot")?, at)
///     .on(Resource::new("ticket", "7")?);
/// let sink = MemorySink::new(1_000);
/// assert!(sink.resolve(&closed).is_empty(), "nothing is made up");
/// # Ok::<(), bailiwick::id::IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    user: AgentUserId,
    at: Timestamp,
    window: Duration,
    resource: Option<Resource>,
}

/// On whose errand something was done.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "errand", content = "operator", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Behind {
    /// For this person.
    OnBehalfOf(OperatorId),
    /// For nobody: it was autonomous, and this person answered for the agent when the task began.
    Sponsor(OperatorId),
    /// It was autonomous, and the records do not reach back to where the task began.
    NotInTheseRecords,
}

/// Who may have done what another system saw.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Attribution {
    /// The agent that acted.
    pub agent: AgentId,
    /// In which task.
    pub task: TaskId,
    /// The human behind it.
    pub behind: Behind,
    /// Who approved exactly this action, if it rests on that.
    pub approved_by: Option<OperatorId>,
    /// With which tool.
    pub tool: ToolName,
    /// On what.
    pub resource: Resource,
    /// The decision that permitted it.
    pub decision: EventId,
    /// When that was.
    pub decided: Timestamp,
    /// The effect, and when it was told; nothing, where it is not told yet, and the action may be running.
    pub effect: Option<(Effect, Timestamp)>,
    /// How far the time that was seen is from the time of the action; nothing, where it lies within.
    pub off_by: Duration,
}

impl Sighting {
    /// This user did something at this time, as its system says.
    pub fn new(user: AgentUserId, at: Timestamp) -> Self {
        Self { user, at, window: WINDOW, resource: None }
    }

    /// The clocks are at most this far apart: a minute, unless said otherwise.
    #[must_use]
    pub fn within(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// It was done to this.
    #[must_use]
    pub fn on(mut self, resource: Resource) -> Self {
        self.resource = Some(resource);
        self
    }

    /// Every action that this may have been, the likeliest first: those that were permitted and presented this user, whose
    /// time from the decision until the effect was told is nearest; of equally near ones, those that succeeded before
    /// those that may still run, before those that failed.
    ///
    /// One answer is an answer. Several are as many as there are: which it was, these records do not say. None is none:
    /// whoever did it, no action here was permitted for it.
    ///
    /// `events` come in the order in which they were recorded, of one process or several. Each is looked at once; what is
    /// kept meanwhile grows with the tasks, and with the actions of this user.
    pub fn resolve<'e>(&self, events: impl IntoIterator<Item = &'e Event>) -> Vec<Attribution> {
        let mut search = Search::default();
        for event in events {
            search.see(self, event);
        }
        let mut found = search.found(self);
        found.sort_by_key(|one| self.likelihood(one));
        found
    }

    /// Small for what is likely.
    fn likelihood(&self, one: &Attribution) -> impl Ord + use<> {
        let rank = match one.effect {
            Some((Effect::Succeeded, _)) => 0,
            None | Some((Effect::Unknown, _)) => 1,
            Some((Effect::Failed, _)) => 2,
        };
        let last = one.effect.map_or(one.decided, |(_, told)| told);
        (one.off_by, rank, self.at.since(last).max(last.since(self.at)), Reverse(one.decided), one.decision)
    }

    /// How far its time is from an action's; nothing while that is not over.
    fn off_by(&self, decided: Timestamp, told: Option<Timestamp>) -> Duration {
        let late = told.map_or(Duration::ZERO, |told| self.at.since(told));
        decided.since(self.at).max(late)
    }

    /// Whether an event is a decision that this may have been.
    fn concerns(&self, user: &AgentUserId, decided: &Decided, at: Timestamp) -> bool {
        user.system() == self.user.system()
            && user.handle().as_str().eq_ignore_ascii_case(self.user.handle().as_str())
            && decided.verdict.outcome == Outcome::Permitted
            && self.resource.as_ref().is_none_or(|resource| *resource == decided.resource)
            && at.since(self.at) <= self.window
    }
}

/// One task: a transaction has several where parts were delegated. Its name can come again when it ended.
type Named<'e> = (&'e TransactionId, Option<&'e TaskId>);

/// What was seen of the events so far.
#[derive(Default)]
struct Search<'e> {
    candidates: BTreeMap<EventId, (Named<'e>, Attribution)>,
    /// Who answered for the agent when the task began.
    sponsors: BTreeMap<Named<'e>, &'e OperatorId>,
}

impl<'e> Search<'e> {
    fn see(&mut self, sighting: &Sighting, event: &'e Event) {
        let Some(record) = &event.agent else {
            return;
        };
        let (link, agent) = (&record.link, &record.agent);
        let own = (&link.txn, link.task.as_ref());
        match &record.fact {
            AgentFact::Begun { sponsor, .. } => drop(self.sponsors.insert(own, sponsor)),
            AgentFact::Decided(decided) => {
                // The lane of the agent user is there only where the user is the agent's own.
                let named = event.agent_user.as_ref().filter(|one| matches!(one.fact, AgentUserFact::Named { .. }));
                if let (Some(named), Some(task)) = (named, &link.task)
                    && sighting.concerns(&named.agent_user, decided, link.at)
                {
                    let behind = self.behind(&decided.mode, &own);
                    let candidate = Attribution {
                        agent: agent.clone(),
                        task: task.clone(),
                        behind,
                        approved_by: approver(event),
                        tool: decided.tool.clone(),
                        resource: decided.resource.clone(),
                        decision: link.event,
                        decided: link.at,
                        effect: None,
                        off_by: Duration::ZERO,
                    };
                    self.candidates.insert(link.event, (own, candidate));
                }
            }
            AgentFact::Voided { decision, .. } => drop(self.candidates.remove(decision)),
            AgentFact::Done { decision, effect } => {
                // Told after its task was closed, it stands beside an *unknown*, and is the better word.
                if let Some((_, candidate)) = self.candidates.get_mut(decision) {
                    candidate.effect = Some((*effect, link.at));
                }
            }
            // A task that ended told the effect of all that ran: what has none never ran.
            AgentFact::Ended { .. } => {
                self.candidates.retain(|_, (task, one)| *task != own || one.effect.is_some());
            }
            _ => {}
        }
    }

    fn behind(&self, mode: &Mode, own: &Named<'_>) -> Behind {
        match mode {
            Mode::OnBehalfOf(operator) => Behind::OnBehalfOf(operator.clone()),
            // An admission tells who answered at another time: where the task's beginning is not recorded, later.
            Mode::Autonomous => match self.sponsors.get(own) {
                Some(sponsor) => Behind::Sponsor((*sponsor).clone()),
                None => Behind::NotInTheseRecords,
            },
        }
    }

    fn found(self, sighting: &Sighting) -> Vec<Attribution> {
        self.candidates
            .into_values()
            .map(|(_, one)| Attribution { off_by: sighting.off_by(one.decided, one.effect.map(|(_, at)| at)), ..one })
            .filter(|one| one.off_by <= sighting.window)
            .collect()
    }
}

/// Who approved exactly this action.
fn approver(event: &Event) -> Option<OperatorId> {
    let record = event.operator.as_ref()?;
    let exactly = match &record.fact {
        OperatorFact::ActedFor { approved, .. } => approved.is_some(),
        OperatorFact::ApprovedAction { .. } => true,
        _ => false,
    };
    exactly.then(|| record.operator.clone())
}
