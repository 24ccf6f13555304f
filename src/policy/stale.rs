//! Stale: why a permit is good for nothing any more.

use std::fmt;

use crate::canonical::Digest;
use crate::time::Timestamp;

/// Why a permit is good for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stale {
    /// It is for another task.
    OtherTask,
    /// Other policies decide now than those that permitted it.
    OtherPolicies {
        /// The digest of those that permitted it.
        permitted: Digest,
        /// The digest of those that decide now.
        now: Digest,
    },
    /// Its time is over.
    Over {
        /// When it ended.
        until: Timestamp,
        /// The time now.
        now: Timestamp,
    },
    /// The errand got another label, or entered another stage, right after it was checked. To be asked for again.
    Overtaken,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherTask => f.write_str("the permit is for another task"),
            Self::OtherPolicies { permitted, now } => {
                write!(f, "the permit is from the policies {permitted}, those that decide are {now}")
            }
            Self::Over { until, now } => write!(f, "the permit ended at {until}, it is {now}"),
            Self::Overtaken => {
                f.write_str("the labels or the stage of the task changed right after the permit was checked")
            }
        }
    }
}
