//! An account: what is used up of one budget. Bounded, and given back exactly as it was taken.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use super::budget::{Budget, MAX_REMEMBERED, Overrun, Shortage, Unmeasured, Use};
use super::{Action, Number, Tool};
use crate::canonical::Digest;
use crate::time::Timestamp;

/// What is used up of one budget.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// In all.
    total: Number,
    /// Each value, and how often it was taken.
    values: BTreeMap<Digest, u32>,
    /// When what was taken, where the budget is within a time: the oldest first.
    log: VecDeque<(Timestamp, Number)>,
    /// The latest time at which something was taken: what was older then is forgotten.
    latest: Option<Timestamp>,
}

/// What one step took.
#[derive(Debug)]
pub(super) struct Taken {
    used: Use,
    at: Timestamp,
    is_timed: bool,
}

impl Account {
    /// What `action` would use up at `now`, if there is as much: nothing where the budget is not concerned.
    pub(super) fn check(
        &self,
        budget: &Budget,
        (action, declared): (&Action, Option<&Tool>),
        now: Timestamp,
    ) -> Result<Option<Taken>, Box<Overrun>> {
        // Whoever looked at the clock first can come last: to them it is as late as to those before.
        let now = self.latest.map_or(now, |latest| now.max(latest));
        let wanted =
            budget.use_of(action, declared).map_err(|Unmeasured| Overrun::new(budget, Shortage::Unmeasured))?;
        let Some(wanted) = wanted else { return Ok(None) };
        let more = match &wanted {
            Use::Amount(amount) => *amount,
            Use::Values(values) => {
                let mut unknown: Vec<_> = values.iter().filter(|value| !self.values.contains_key(*value)).collect();
                unknown.sort_unstable();
                unknown.dedup();
                i64::try_from(unknown.len()).unwrap_or(i64::MAX).into()
            }
        };
        let has_room = budget.time().is_none_or(|time| self.within(time, now).count() < MAX_REMEMBERED as usize);
        let used = self.used(budget, now);
        if has_room && used.checked_add(more).is_some_and(|sum| sum <= budget.limit()) {
            return Ok(Some(Taken { used: wanted, at: now, is_timed: budget.time().is_some() }));
        }
        let passes = budget.time().is_some() && more <= budget.limit();
        Err(Overrun::new(budget, if passes { Shortage::TooSoon } else { Shortage::TooMuch }))
    }

    /// What is used up at `now`.
    fn used(&self, budget: &Budget, now: Timestamp) -> Number {
        let sum = |sum: Number, amount: Number| sum.checked_add(amount).unwrap_or(sum);
        match budget.time() {
            Some(time) => self.within(time, now).fold(Number::from(0), sum),
            None if self.values.is_empty() => self.total,
            None => i64::try_from(self.values.len()).unwrap_or(i64::MAX).into(),
        }
    }

    fn within(&self, time: std::time::Duration, now: Timestamp) -> impl Iterator<Item = Number> {
        self.log.iter().filter(move |(at, _)| now.since(*at) < time).map(|(_, amount)| *amount)
    }

    /// Takes what was checked.
    pub(super) fn take(&mut self, budget: &Budget, taken: &Taken) {
        if let Some(time) = budget.time() {
            self.latest = self.latest.max(Some(taken.at));
            while self.log.front().is_some_and(|(at, _)| taken.at.since(*at) >= time) {
                self.log.pop_front();
            }
        }
        match &taken.used {
            Use::Amount(amount) if taken.is_timed => self.log.push_back((taken.at, *amount)),
            Use::Amount(amount) => self.total = self.total.checked_add(*amount).unwrap_or(self.total),
            Use::Values(values) => values.iter().for_each(|value| {
                let times = self.values.entry(*value).or_default();
                *times = times.saturating_add(1);
            }),
        }
    }

    /// Gives back what was taken.
    pub(super) fn give_back(&mut self, taken: &Taken) {
        match &taken.used {
            Use::Amount(amount) if taken.is_timed => {
                let place = self.log.iter().position(|entry| *entry == (taken.at, *amount));
                place.and_then(|place| self.log.remove(place));
            }
            Use::Amount(amount) => self.total = self.total.checked_sub(*amount).unwrap_or_default(),
            Use::Values(values) => values.iter().for_each(|value| {
                if let Entry::Occupied(mut times) = self.values.entry(*value) {
                    match times.get() {
                        0 | 1 => drop(times.remove()),
                        _ => *times.get_mut() -= 1,
                    }
                }
            }),
        }
    }
}
