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

/// The loose ends of one task.
#[derive(Debug, Default)]
pub(crate) struct LooseEnds(Mutex<Ends>);

#[derive(Debug, Default)]
struct Ends {
    left: Vec<LooseEnd>,
    /// Effects that nobody told, remembered or not.
    unknown: u64,
}

impl LooseEnds {
    pub(crate) fn leave(&self, end: LooseEnd) {
        let mut ends = locked(&self.0);
        ends.unknown = ends.unknown.saturating_add(u64::from(end.missing == Missing::Effect));
        if ends.left.len() < MAX {
            ends.left.push(end);
        }
    }

    /// Takes what is not written yet; says how many effects are unknown in all.
    pub(crate) fn take(&self) -> (Vec<LooseEnd>, u64) {
        let mut ends = locked(&self.0);
        (std::mem::take(&mut ends.left), ends.unknown)
    }

    /// Gives back what could not be written.
    pub(crate) fn put_back(&self, left: impl Iterator<Item = LooseEnd>) {
        let left: Vec<_> = left.collect();
        locked(&self.0).left.extend(left);
    }
}
