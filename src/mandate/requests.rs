//! The requests of an errand: which actions wait for a human, how many did, and what a human said no to.
//!
//! A person who is asked too often says yes to everything. An errand therefore has few requests at once and not many in all;
//! what is beyond is refused, not held.

use serde::Serialize;

use super::ActionRequest;
use crate::identity::OperatorId;
use crate::time::Timestamp;

/// Requests of one errand that wait for a human at once.
pub(super) const MAX_WAITING: u32 = 8;
/// Requests of one errand in its life.
pub(super) const MAX_MADE: u32 = 64;

/// What was asked of humans before one step of a task: what a decision sees, and the record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Requests {
    /// Actions that wait for a human, of the task and all that is above, beside and below it.
    pub waiting: u32,
    /// Requests that were made in all of them so far.
    pub made: u32,
    /// Whether this action is one of those that wait: asked for again, it counts once.
    pub is_waiting: bool,
    /// Who said no to this action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_by: Option<OperatorId>,
}

impl Requests {
    /// Whether nobody was asked anything.
    pub(crate) fn is_none(&self) -> bool {
        self.made == 0
    }

    /// Whether a human is not to be asked for this action as well.
    pub(crate) fn is_full(&self) -> bool {
        !self.is_waiting && (self.waiting >= MAX_WAITING || self.made >= MAX_MADE)
    }
}

/// The requests of one errand: at most [`MAX_MADE`].
#[derive(Debug, Default)]
pub(super) struct RequestBook {
    made: u32,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    request: ActionRequest,
    state: State,
}

#[derive(Debug)]
enum State {
    /// A human may still answer, until then; and whether that they are asked was recorded.
    Waiting { until: Timestamp, is_recorded: bool },
    /// It was answered and used, or given up.
    Free,
    /// This person said no.
    Refused(OperatorId),
}

impl RequestBook {
    /// How many were made: where there are none, there is nothing more to see.
    pub(super) fn made(&self) -> Requests {
        Requests { made: self.made, ..Requests::default() }
    }

    /// What the next step sees that asks for this.
    pub(super) fn view(&self, request: &ActionRequest, now: Timestamp) -> Requests {
        let mut view = self.made();
        for Entry { request: own, state } in &self.entries {
            let is_same = || own.is_same_action(request);
            match state {
                State::Waiting { until, .. } if now < *until => {
                    view.waiting += 1;
                    view.is_waiting |= is_same();
                }
                State::Refused(operator) if is_same() => view.refused_by = Some(operator.clone()),
                State::Waiting { .. } | State::Free | State::Refused(_) => {}
            }
        }
        view
    }

    /// Enters a request that is over at `until`, where there is room; says when it is over, and whether it is new. Where there is
    /// none, or a human said no, says what is in the way.
    pub(super) fn ask(
        &mut self,
        request: &ActionRequest,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(Timestamp, bool), Requests> {
        let view = self.view(request, now);
        if view.refused_by.is_some() || view.is_full() {
            return Err(view);
        }
        let waiting = State::Waiting { until, is_recorded: false };
        match self.find(request) {
            Some(Entry { state: State::Waiting { until, .. }, .. }) if now < *until => return Ok((*until, false)),
            Some(entry) => entry.state = waiting,
            None => self.entries.push(Entry { request: request.clone(), state: waiting }),
        }
        self.made = self.made.saturating_add(1);
        Ok((until, true))
    }

    /// Forgets a request that was entered and then not recorded, unless somebody else's was, or a human said no meanwhile.
    pub(super) fn forget(&mut self, request: &ActionRequest) {
        let (before, forgotten) = (self.entries.len(), |entry: &Entry| {
            entry.request.is_same_action(request) && matches!(entry.state, State::Waiting { is_recorded: false, .. })
        });
        self.entries.retain(|entry| !forgotten(entry));
        if self.entries.len() < before {
            self.made = self.made.saturating_sub(1);
        }
    }

    /// Notes that it was recorded that a human is asked for this until then; entered anew, where somebody else's request for it
    /// was forgotten meanwhile.
    pub(super) fn record(&mut self, request: &ActionRequest, until: Timestamp) {
        match self.find(request) {
            Some(Entry { state: State::Waiting { is_recorded, .. }, .. }) => *is_recorded = true,
            Some(_) => {}
            None => {
                let state = State::Waiting { until, is_recorded: true };
                self.entries.push(Entry { request: request.clone(), state });
                self.made = self.made.saturating_add(1);
            }
        }
    }

    /// Frees the place of a request that waits; says whether it did.
    pub(super) fn free(&mut self, request: &ActionRequest, now: Timestamp) -> bool {
        match self.find(request) {
            Some(Entry { state: state @ State::Waiting { .. }, .. }) => {
                let waited = matches!(state, State::Waiting { until, .. } if now < *until);
                *state = State::Free;
                waited
            }
            _ => false,
        }
    }

    /// Notes that a human said no; says whether it was asked for.
    pub(super) fn refuse(&mut self, request: &ActionRequest, by: &OperatorId) -> bool {
        match self.find(request) {
            // The first to say so is the one.
            Some(Entry { state: State::Refused(_), .. }) => true,
            Some(entry) => {
                entry.state = State::Refused(by.clone());
                true
            }
            None => false,
        }
    }

    fn find(&mut self, request: &ActionRequest) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.request.is_same_action(request))
    }
}
