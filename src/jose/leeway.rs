//! How far another party's clock may differ from ours.

use std::time::Duration;

/// How far another party's clock may differ from ours: not at all unless said otherwise, and a minute at most (RFC 8725bis).
///
/// ```
/// use std::time::Duration;
/// use bailiwick::jose::Leeway;
///
/// assert_eq!(Leeway::default(), Leeway::new(Duration::ZERO)?);
/// assert!(Leeway::new(Duration::from_secs(61)).is_err());
/// # Ok::<(), bailiwick::jose::LeewayError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leeway(u8);

/// No leeway is longer.
const MAX_SECONDS: u64 = 60;

/// A leeway was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a leeway has whole seconds, {max_seconds} at most, not {} seconds", .found.as_secs_f64())]
#[non_exhaustive]
pub struct LeewayError {
    /// What was asked for.
    pub found: Duration,
    /// The bound, in seconds.
    pub max_seconds: u64,
}

impl Leeway {
    /// The longest.
    pub(crate) const MAX: Duration = Duration::from_secs(MAX_SECONDS);

    /// A leeway of whole seconds.
    ///
    /// # Errors
    ///
    /// More than a minute, or a part of a second.
    pub fn new(leeway: Duration) -> Result<Self, LeewayError> {
        let refused = LeewayError { found: leeway, max_seconds: MAX_SECONDS };
        match u8::try_from(leeway.as_secs()) {
            Ok(seconds) if u64::from(seconds) <= MAX_SECONDS && leeway.subsec_nanos() == 0 => Ok(Self(seconds)),
            _ => Err(refused),
        }
    }

    pub(crate) fn seconds(self) -> i64 {
        self.0.into()
    }
}
