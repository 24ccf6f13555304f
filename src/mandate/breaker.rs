//! The circuit breaker: cuts an agent off that is refused, or acts, too often, across all its tasks.

use std::collections::VecDeque;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use super::{Assignment, Conduct};
use crate::live::locked;
use crate::sync::Mutex;
use crate::time::Timestamp;

/// When an agent is cut off, and for how long. The same for every agent, and counted for each by itself.
///
/// An agent that is refused so often within a time, or would take more actions within a time than that, has run into something:
/// a loop, a model that was talked into trying, a policy that nobody told it of. The breaker *opens*: every further action of the
/// agent is refused, in whatever task, and that is recorded once and told as a warning to `tracing`. After the pause, or when a
/// person [resets](crate::Resume::Breaker) it, one action is let through to *try*: permitted, it closes the breaker; refused, it
/// opens it again; held for a human, it leaves the try to the next.
///
/// What is refused since the clock or the record failed, or somebody halted it, is no sign of the agent's and does not
/// count; nor does what is refused by the breaker itself.
///
/// ```
/// use std::{num::NonZeroU16, time::Duration};
/// use bailiwick::mandate::Breaker;
///
/// let minute = Duration::from_secs(60);
/// let breaker = Breaker::new(5 * minute)
///     .refusals(NonZeroU16::new(10).ok_or("not 0")?, minute)
///     .actions(NonZeroU16::new(300).ok_or("not 0")?, minute);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    pause: Duration,
    refusals: Option<Limit>,
    actions: Option<Limit>,
}

/// So many within a time. The moments of the last so many are kept for each agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit {
    max: NonZeroU16,
    within: Duration,
}

impl Breaker {
    /// Stays open for `pause`; opened by nothing yet.
    pub fn new(pause: Duration) -> Self {
        Self { pause, refusals: None, actions: None }
    }

    /// Opened by the refusal that is the `max`-th within `within`.
    #[must_use]
    pub fn refusals(mut self, max: NonZeroU16, within: Duration) -> Self {
        self.refusals = Some(Limit { max, within });
        self
    }

    /// Opened by an action that would be one more than `max` within `within`; that one is refused. Every action counts
    /// that is asked about and decided, whatever comes of it.
    #[must_use]
    pub fn actions(mut self, max: NonZeroU16, within: Duration) -> Self {
        self.actions = Some(Limit { max, within });
        self
    }
}

/// How the breaker of an agent stands, as a decision takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[non_exhaustive]
pub enum BreakerState {
    /// It lets everything through, or there is none.
    #[default]
    Closed,
    /// It lets nothing through.
    Open {
        /// Until when. In the past where another action is being tried.
        until: Timestamp,
    },
    /// The pause is over, and this action is tried.
    Trying,
}

/// What opened a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "tripped_by", content = "count", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Tripped {
    /// So many refusals.
    Refusals(u16),
    /// One action more than so many.
    Actions(u16),
    /// The action that was tried was refused.
    Trial,
}

/// A breaker that opened, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "that it opened is recorded"]
pub(crate) struct Opened {
    pub(crate) by: Tripped,
    pub(crate) until: Timestamp,
}

/// What came of an action, as far as the breaker is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Good,
    Bad,
    /// It tells nothing of the agent.
    None,
}

/// The breaker of one agent. Checking and booking are one step.
#[derive(Debug)]
pub(crate) struct Gauge {
    breaker: Breaker,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    position: Position,
    /// Since it closed, those that may count still.
    refusals: VecDeque<Timestamp>,
    actions: VecDeque<Timestamp>,
    /// How often it opened.
    openings: u64,
    /// The latest moment that was seen: of two threads, the later one may come first.
    latest: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Position {
    #[default]
    Closed,
    Open {
        until: Timestamp,
    },
    /// The pause ended then.
    HalfOpen {
        since: Timestamp,
        is_trying: bool,
    },
}

impl Gauge {
    pub(crate) fn new(breaker: Breaker) -> Self {
        Self { breaker, inner: Mutex::default() }
    }

    /// How it stands for an action that is asked about at `now`, which is booked; and whether it opened by that.
    fn enter(&self, now: Timestamp) -> (BreakerState, Option<Opened>) {
        let mut inner = locked(&self.inner);
        let now = inner.at(now);
        match inner.peek(now) {
            BreakerState::Closed => {}
            BreakerState::Trying => {
                inner.position = Position::HalfOpen { since: now, is_trying: true };
                return (BreakerState::Trying, None);
            }
            open @ BreakerState::Open { .. } => return (open, None),
        }
        let Some(limit) = self.breaker.actions else { return (BreakerState::Closed, None) };
        forget(&mut inner.actions, limit, now);
        if inner.actions.len() < usize::from(limit.max.get()) {
            inner.actions.push_back(now);
            return (BreakerState::Closed, None);
        }
        let opened = self.open(&mut inner, Tripped::Actions(limit.max.get()), now);
        (BreakerState::Open { until: opened.until }, Some(opened))
    }

    /// How it would stand for an action at `now`.
    fn peek(&self, now: Timestamp) -> BreakerState {
        let mut inner = locked(&self.inner);
        let now = inner.at(now);
        inner.peek(now)
    }

    /// Books what came of an action that was tried.
    fn tried(&self, sign: Sign, now: Timestamp) -> Option<Opened> {
        let mut inner = locked(&self.inner);
        let now = inner.at(now);
        let Position::HalfOpen { since, is_trying: true } = inner.position else { return None };
        match sign {
            Sign::Good => inner.position = Position::Closed,
            Sign::Bad => return Some(self.open(&mut inner, Tripped::Trial, now)),
            Sign::None => inner.position = Position::HalfOpen { since, is_trying: false },
        }
        None
    }

    /// Books a refusal of what was not tried.
    fn refuse(&self, now: Timestamp) -> Option<Opened> {
        let limit = self.breaker.refusals?;
        let mut inner = locked(&self.inner);
        let now = inner.at(now);
        if inner.position != Position::Closed {
            return None;
        }
        forget(&mut inner.refusals, limit, now);
        inner.refusals.push_back(now);
        let is_enough = inner.refusals.len() >= usize::from(limit.max.get());
        is_enough.then(|| self.open(&mut inner, Tripped::Refusals(limit.max.get()), now))
    }

    /// Which of its openings it is whose pause goes on at `now`.
    fn pausing(&self, now: Timestamp) -> Option<u64> {
        let mut inner = locked(&self.inner);
        let now = inner.at(now);
        matches!(inner.position, Position::Open { until } if now < until).then_some(inner.openings)
    }

    /// Ends the pause of this opening; says whether there was one to end.
    fn reset(&self, opening: u64, now: Timestamp) -> bool {
        let mut inner = locked(&self.inner);
        let now = inner.at(now);
        let is_this = matches!(inner.position, Position::Open { .. }) && inner.openings == opening;
        if is_this {
            inner.position = Position::HalfOpen { since: now, is_trying: false };
        }
        is_this
    }

    fn open(&self, inner: &mut Inner, by: Tripped, now: Timestamp) -> Opened {
        let until = now.after(self.breaker.pause);
        inner.position = Position::Open { until };
        // Openings are 64 bits wide: one every nanosecond overflows them after centuries.
        inner.openings = inner.openings.saturating_add(1);
        inner.refusals.clear();
        inner.actions.clear();
        Opened { by, until }
    }
}

impl Inner {
    /// A moment, never before one that was seen.
    fn at(&mut self, now: Timestamp) -> Timestamp {
        let now = self.latest.map_or(now, |latest| now.max(latest));
        self.latest = Some(now);
        now
    }

    fn peek(&self, now: Timestamp) -> BreakerState {
        match self.position {
            Position::Closed => BreakerState::Closed,
            Position::Open { until } if now < until => BreakerState::Open { until },
            Position::HalfOpen { since, is_trying: true } => BreakerState::Open { until: since },
            Position::Open { .. } | Position::HalfOpen { .. } => BreakerState::Trying,
        }
    }
}

/// Forgets what does not count any more.
fn forget(moments: &mut VecDeque<Timestamp>, limit: Limit, now: Timestamp) {
    while moments.front().is_some_and(|moment| moment.after(limit.within) <= now) {
        moments.pop_front();
    }
}

/// One action, past the breaker of its agent, or stopped there. Dropped before anything came of it, it tells nothing.
#[derive(Debug)]
pub(crate) struct Attempt {
    conduct: Arc<Conduct>,
    state: BreakerState,
    opened: Option<Opened>,
    is_over: bool,
}

impl Attempt {
    pub(super) fn new(conduct: &Arc<Conduct>, now: Timestamp) -> Self {
        let (state, opened) = conduct.gauge().map_or((BreakerState::Closed, None), |gauge| gauge.enter(now));
        Self { conduct: Arc::clone(conduct), state, opened, is_over: false }
    }

    /// How the breaker stood.
    pub(crate) fn state(&self) -> BreakerState {
        self.state
    }

    /// Books what came of it; says whether the breaker opened by it.
    pub(crate) fn end(mut self, sign: Sign, now: Timestamp) -> Option<Opened> {
        self.is_over = true;
        let gauge = self.conduct.gauge()?;
        match (self.state, sign) {
            (BreakerState::Trying, sign) => gauge.tried(sign, now),
            (BreakerState::Closed, Sign::Bad) => gauge.refuse(now),
            _ => self.opened,
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let (false, BreakerState::Trying, Some(gauge)) = (self.is_over, self.state, self.conduct.gauge()) {
            // Giving the try to the next opens nothing.
            let _ = gauge.tried(Sign::None, Timestamp::EPOCH);
        }
    }
}

impl Conduct {
    /// How the breaker would stand for an action at `now`.
    pub(crate) fn breaker(&self, now: Timestamp) -> BreakerState {
        self.gauge().map_or(BreakerState::Closed, |gauge| gauge.peek(now))
    }

    /// Books that a permit was refused when it was to be used; says whether the breaker opened by it.
    pub(crate) fn refuse(&self, now: Timestamp) -> Option<Opened> {
        self.gauge()?.refuse(now)
    }

    /// How the breaker stands for whoever does not try.
    pub(crate) fn untried(&self) -> BreakerState {
        let position = self.gauge().map_or(Position::Closed, |gauge| locked(&gauge.inner).position);
        match position {
            Position::Closed => BreakerState::Closed,
            Position::Open { until } | Position::HalfOpen { since: until, .. } => BreakerState::Open { until },
        }
    }

    /// How often the breaker opened.
    pub(crate) fn openings(&self) -> u64 {
        self.gauge().map_or(0, |gauge| locked(&gauge.inner).openings)
    }

    /// Which opening of the breaker it is whose pause goes on at `now`.
    pub(crate) fn pausing(&self, now: Timestamp) -> Option<u64> {
        self.gauge()?.pausing(now)
    }

    /// Ends the pause of this opening: the next action tries. Says whether there was one to end.
    pub(crate) fn reset(&self, opening: u64, now: Timestamp) -> bool {
        self.gauge().is_some_and(|gauge| gauge.reset(opening, now))
    }
}

impl Assignment {
    /// How the breaker of its agent would stand for an action at `now`, and those of the agents above, for which nothing is
    /// tried here.
    pub(crate) fn breaker(&self, now: Timestamp) -> BreakerState {
        self.breaker_above().unwrap_or_else(|| self.conduct().breaker(now))
    }

    /// The same, for what was permitted when they had opened so often: what opened since lets nothing through that is older.
    pub(crate) fn breaker_since(&self, openings: u64, now: Timestamp) -> BreakerState {
        match self.breaker(now) {
            BreakerState::Closed | BreakerState::Trying if self.openings() != openings => {
                BreakerState::Open { until: now }
            }
            state => state,
        }
    }

    /// How the breaker of an agent above stands that is not closed. Where its pause is over, that agent tries for itself first.
    pub(crate) fn breaker_above(&self) -> Option<BreakerState> {
        let others = self.above().map(|above| above.conduct()).filter(|conduct| !Arc::ptr_eq(conduct, self.conduct()));
        others.map(|conduct| conduct.untried()).find(|state| *state != BreakerState::Closed)
    }

    /// How often the breakers opened of its agent and of those above.
    pub(crate) fn openings(&self) -> u64 {
        let above = self.above().map(|above| above.conduct().openings());
        above.fold(self.conduct().openings(), u64::saturating_add)
    }
}
