//! Loose ends: what a task's record still has to say when the task is closed.

use std::sync::Mutex;

use super::{Action, Mode};
use crate::id::EventId;
use crate::identity::AgentUserId;
use crate::live::locked;

/// Loose ends that are remembered one by one; what is beyond is counted.
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
    left: Vec<LooseEnd>,
    /// Beyond those that are remembered one by one.
    more: u64,
    /// Effects that were recorded as unknown, in all.
    unknown: u64,
}

impl LooseEnds {
    pub(crate) fn leave(&self, end: LooseEnd) {
        let mut ends = locked(&self.0);
        if ends.left.len() < MAX {
            ends.left.push(end);
        } else {
            ends.more = ends.more.saturating_add(1);
        }
    }

    /// What was missing of a decision is said.
    pub(crate) fn tie(&self, decision: EventId) {
        let mut ends = locked(&self.0);
        match ends.left.iter().position(|end| end.decision == decision) {
            Some(place) => {
                ends.left.swap_remove(place);
            }
            None => ends.more = ends.more.saturating_sub(1),
        }
    }

    /// Takes one that is not said yet, in order.
    pub(crate) fn take(&self) -> Option<LooseEnd> {
        let mut ends = locked(&self.0);
        let first = ends.left.iter().enumerate().min_by_key(|(_, end)| end.decision).map(|(place, _)| place)?;
        Some(ends.left.swap_remove(first))
    }

    /// Notes that an effect was recorded as unknown.
    pub(crate) fn count_unknown(&self) {
        let mut ends = locked(&self.0);
        ends.unknown = ends.unknown.saturating_add(1);
    }

    /// How many effects nobody told.
    pub(crate) fn unknown(&self) -> u64 {
        let ends = locked(&self.0);
        ends.unknown.saturating_add(ends.more)
    }
}
