//! Moments, and the one place that may ask the system what time it is.

use std::fmt;
use std::time::Duration;

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcDateTime};

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicI64, Ordering};

/// A moment between the years 1970 and 9999, in UTC, to the nanosecond.
///
/// ```
/// use std::time::Duration;
/// use bailiwick::time::Timestamp;
///
/// let start = Timestamp::from_unix(1_790_000_000).expect("between 1970 and 9999");
/// assert_eq!(start.to_string(), "2026-09-21T14:13:20Z");
/// assert!(start < start.after(Duration::from_secs(1)));
/// assert_eq!(start.after(Duration::from_secs(1)).since(start), Duration::from_secs(1));
/// assert_eq!(start.since(start.after(Duration::from_secs(1))), Duration::ZERO);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(UtcDateTime);

/// The last second of the year 9999.
const LAST: i64 = 253_402_300_799;

impl Timestamp {
    /// The start of 1970: earlier than anything that can be valid.
    pub const EPOCH: Self = Self(UtcDateTime::UNIX_EPOCH);

    /// The moment `seconds` after the start of 1970; `None` outside 1970 to 9999.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        if !(0..=LAST).contains(&seconds) {
            return None;
        }
        UtcDateTime::from_unix_timestamp(seconds).ok().map(Self)
    }

    /// Whole seconds since the start of 1970.
    pub fn unix(self) -> i64 {
        self.0.unix_timestamp()
    }

    fn from_micros(micros: i64) -> Option<Self> {
        Self::from_unix(micros / 1_000_000)?;
        UtcDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok().map(Self)
    }

    fn micros(self) -> i64 {
        i64::try_from(self.0.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
    }

    pub(crate) fn unix_millis(self) -> u64 {
        u64::try_from(self.0.unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
    }

    /// How long after `earlier` it is; nothing, where it is before.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        (self.0 - earlier.0).try_into().unwrap_or_default()
    }

    /// The moment `duration` later, or the end of the year 9999 if that comes first.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let last = Self::from_unix(LAST).unwrap_or(self);
        time::Duration::try_from(duration)
            .ok()
            .and_then(|duration| self.0.checked_add(duration))
            .map_or(last, |moment| Self(moment).min(last))
    }
}

/// Fails outside 1970 to 9999.
impl TryFrom<std::time::SystemTime> for Timestamp {
    type Error = ClockError;
    fn try_from(moment: std::time::SystemTime) -> Result<Self, ClockError> {
        let since = moment.duration_since(std::time::UNIX_EPOCH).map_err(|_| ClockError)?;
        let seconds = i64::try_from(since.as_secs()).map_err(|_| ClockError)?;
        Self::from_unix(seconds).map(|_| Self::EPOCH.after(since)).ok_or(ClockError)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        let moment = OffsetDateTime::parse(&text, &Rfc3339).map_err(D::Error::custom)?;
        match Self::from_unix(moment.unix_timestamp()) {
            Some(_) => Ok(Self(moment.to_utc())),
            None => Err(D::Error::custom("a moment outside 1970 to 9999")),
        }
    }
}

/// The clock failed; whatever asked for the time is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the clock failed")]
#[allow(clippy::exhaustive_structs, reason = "hosts write it as a value, and there is nothing to add")]
pub struct ClockError;

/// Says what time it is. Read once per decision.
///
/// A clock that goes backwards revives nothing: after a step backwards the door's time stands still until the clock has
/// caught up. A clock that panics counts as one that failed.
pub trait Clock: Send + Sync {
    /// The time now.
    ///
    /// # Errors
    ///
    /// The time is not known; the question that needed it is denied.
    fn now(&self) -> Result<Timestamp, ClockError>;
}

/// The system's wall clock.
#[derive(Debug, Clone, Default)]
#[allow(clippy::exhaustive_structs, reason = "hosts write it as a value, and there is nothing to add")]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
    fn now(&self) -> Result<Timestamp, ClockError> {
        let now = UtcDateTime::now();
        Timestamp::from_unix(now.unix_timestamp()).map(|_| Timestamp(now)).ok_or(ClockError)
    }
}

/// A clock that stands where it was set, for tests, replay and examples with fixed output.
///
/// ```
/// use std::time::Duration;
/// use bailiwick::time::{Clock, ManualClock, Timestamp};
///
/// let clock = ManualClock::at(Timestamp::from_unix(1_790_000_000).expect("a moment"));
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().expect("it stands").unix(), 1_790_000_060);
/// ```
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that stands at `moment`.
    pub fn at(moment: Timestamp) -> Self {
        Self(Mutex::new(moment))
    }

    /// Sets the clock, backwards too.
    pub fn set(&self, moment: Timestamp) {
        *crate::live::locked(&self.0) = moment;
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        let mut moment = crate::live::locked(&self.0);
        *moment = moment.after(duration);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Result<Timestamp, ClockError> {
        Ok(*crate::live::locked(&self.0))
    }
}

/// Reads a host's clock, and never goes back by a microsecond: after a step backwards it stands still until the host's
/// clock has caught up. So nothing that has expired can become valid again, and one reading of a far future ends all
/// there is until the process starts again.
pub(crate) struct Steady {
    clock: std::sync::Arc<dyn Clock>,
    /// The latest reading, in microseconds since 1970.
    latest: AtomicI64,
}

impl fmt::Debug for Steady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steady").field("latest", &self.latest).finish_non_exhaustive()
    }
}

impl Steady {
    pub(crate) fn new(clock: std::sync::Arc<dyn Clock>) -> Self {
        Self { clock, latest: AtomicI64::new(0) }
    }

    /// The latest moment that was read: what a record says when the clock fails.
    pub(crate) fn latest(&self) -> Timestamp {
        Timestamp::from_micros(self.latest.load(Ordering::Acquire)).unwrap_or(Timestamp::EPOCH)
    }

    /// The time now, or the latest reading where the host's clock lags behind it.
    pub(crate) fn now(&self) -> Result<Timestamp, ClockError> {
        let read = crate::live::shielded(|| self.clock.now()).unwrap_or(Err(ClockError))?;
        let before = self.latest.fetch_max(read.micros(), Ordering::AcqRel);
        if read.micros() < before {
            tracing::warn!(read = read.micros(), latest = before, "the clock went backwards");
        }
        Timestamp::from_micros(before.max(read.micros())).ok_or(ClockError)
    }
}
