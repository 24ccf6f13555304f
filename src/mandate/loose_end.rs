//! Loose ends: what a task's record still has to say when the task is closed.

use std::collections::BTreeMap;

use super::{Action, Mode};
use crate::id::EventId;
use crate::identity::AgentUserId;
use crate::live::locked;
use crate::sync::Mutex;

/// Actions of one task that run at the same time.
const MAX: usize = 1024;

/// A recorded decision that something is still to be said of.
#[derive(Debug, Clone)]
pub(crate) struct LooseEnd {
    pub(crate) decision: EventId,
    pub(crate) mode: Mode,
    pub(crate) presented: Option<AgentUserId>,
    pub(crate) missing: Missing,
}

/// What is still to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The action ran, and nobody told its effect.
    Effect,
    /// The record says *permitted*, and there was no permit, since nobody acknowledged the record.
    Permit,
}

impl LooseEnd {
    pub(crate) fn of(decision: EventId, action: &Action, missing: Missing) -> Self {
        let presented = action.presented().map(|user| user.id().clone());
        Self { decision, mode: action.mode().clone(), presented, missing }
    }
}

/// The loose ends of one task: what runs, and what a record says wrongly.
#[derive(Debug, Default)]
pub(crate) struct LooseEnds(Mutex<Ends>);

#[derive(Debug, Default)]
struct Ends {
    left: BTreeMap<EventId, LooseEnd>,
    /// Effects that were recorded as unknown.
    unknown: u64,
    /// The task is being closed: nothing is left any more.
    closed: bool,
}

/// A loose end was not left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotLeft {
    /// The task is being closed, or was.
    Closed,
    /// So many actions of the task run already.
    Full(usize),
}

impl LooseEnds {
    /// Leaves what is to be said later. Whoever could not leave it does not act.
    pub(crate) fn leave(&self, end: LooseEnd) -> Result<(), NotLeft> {
        let mut ends = locked(&self.0);
        if ends.closed {
            return Err(NotLeft::Closed);
        }
        if ends.left.len() >= MAX {
            return Err(NotLeft::Full(MAX));
        }
        ends.left.insert(end.decision, end);
        Ok(())
    }

    /// Takes the one of this decision, to say it now; `None` when it was taken before.
    pub(crate) fn take(&self, decision: EventId) -> Option<LooseEnd> {
        locked(&self.0).left.remove(&decision)
    }

    /// From here on nothing is left; takes the first that is not said, in order.
    pub(crate) fn close(&self) -> Option<LooseEnd> {
        let mut ends = locked(&self.0);
        ends.closed = true;
        ends.left.pop_first().map(|(_, end)| end)
    }

    /// Gives back what could not be said.
    pub(crate) fn put_back(&self, end: LooseEnd) {
        locked(&self.0).left.insert(end.decision, end);
    }

    /// Notes that an effect was recorded as unknown.
    pub(crate) fn count_unknown(&self) {
        let mut ends = locked(&self.0);
        ends.unknown = ends.unknown.saturating_add(1);
    }

    /// How many effects were recorded as unknown.
    pub(crate) fn unknown(&self) -> u64 {
        locked(&self.0).unknown
    }
}
