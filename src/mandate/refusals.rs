//! The refusals that an errand was given for one and the same action, again and again.

use std::collections::VecDeque;

use super::Action;
use crate::canonical::{Digest, Encoder};
use crate::identity::OperatorId;

/// Refused actions that are remembered.
const REMEMBERED: usize = 32;

/// How often each of the last refused actions was refused for the same reason, the latest last.
#[derive(Debug, Default)]
pub(super) struct Refusals(VecDeque<Refused>);

#[derive(Debug)]
struct Refused {
    action: Digest,
    /// The code of the reason, as the model is told it.
    code: &'static str,
    times: u32,
}

impl Refusals {
    /// Counts one more; says how often it was, this time included.
    pub(super) fn note(&mut self, action: &Digest, code: &'static str) -> u32 {
        let Self(all) = self;
        let place = all.iter().position(|one| one.action == *action && one.code == code);
        let before = place.and_then(|place| all.remove(place)).map_or(0, |refused| refused.times);
        let times = before.saturating_add(1);
        // What was refused least often goes first, so that nobody makes us forget by asking for many things.
        let least = all.iter().enumerate().min_by_key(|(_, refused)| refused.times).map(|(place, _)| place);
        if let Some(least) = least.filter(|_| all.len() >= REMEMBERED) {
            all.remove(least);
        }
        all.push_back(Refused { action: *action, code, times });
        times
    }

    /// The action was permitted: it starts anew.
    pub(super) fn forget(&mut self, action: &Digest) {
        self.0.retain(|refused| refused.action != *action);
    }

    /// How often the one that was repeated most was refused.
    pub(super) fn most(&self) -> u32 {
        self.0.iter().map(|refused| refused.times).max().unwrap_or(0)
    }
}

/// What makes two actions the same one to the model: tool, resource, arguments and errand.
pub(super) fn name(action: &Action) -> Digest {
    let mut encoder = Encoder::new("bailiwick/refused/v1");
    encoder.text(action.tool().as_str()).text(action.resource().as_str());
    encoder.text(action.mode().operator().map_or("", OperatorId::as_str));
    encoder.fixed(action.arguments().digest().as_bytes());
    encoder.finish()
}
