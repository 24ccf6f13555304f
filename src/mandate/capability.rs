//! Capability drift: a tool is not any more the one that was declared and approved.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{ActionClass, Tool, ToolName};
use crate::canonical::Digest;
use crate::live::locked;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};

/// What differs between a tool as it was declared and as a server lists it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CapabilityDrift {
    /// It is listed and was not declared. It cannot be called.
    Added,
    /// It was declared and is not listed.
    Removed,
    /// Its description is another one.
    Description {
        /// The digest of the one that was declared.
        declared: Digest,
        /// The digest of the one that is listed, if one is.
        listed: Option<Digest>,
    },
    /// It takes other arguments, or other values of them.
    Arguments,
    /// Something else that a model is shown of it is another: its title, the description of an argument, a hint.
    Listing {
        /// The digest of what was declared.
        declared: Digest,
        /// The digest of what is listed.
        listed: Option<Digest>,
    },
    /// It says of itself that more is at stake than was declared.
    Class {
        /// The class that was declared.
        declared: ActionClass,
        /// The least that it says now.
        listed: ActionClass,
    },
    /// The scope was approved for another declaration of it ([`Grant::pinned`](super::Grant::pinned)).
    Pinned {
        /// What was approved.
        approved: Digest,
        /// What is declared.
        declared: Digest,
    },
}

impl fmt::Display for CapabilityDrift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none = |digest: &Option<Digest>| digest.map_or("none".to_owned(), |digest| digest.to_string());
        match self {
            Self::Added => f.write_str("is listed and was not declared"),
            Self::Removed => f.write_str("was declared and is not listed any more"),
            Self::Description { declared, listed } => {
                write!(f, "has another description: {declared} was declared, {} is listed", or_none(listed))
            }
            Self::Arguments => f.write_str("takes other arguments than were declared"),
            Self::Listing { declared, listed } => {
                write!(f, "says other things of itself: {declared} was declared, {} is listed", or_none(listed))
            }
            Self::Class { declared, listed } => {
                write!(f, "says that it is {listed} at least, {declared} was declared")
            }
            Self::Pinned { approved, declared } => {
                write!(f, "is not the one that was approved: {approved} was approved, {declared} is declared")
            }
        }
    }
}

impl CapabilityDrift {
    /// What differs between a tool as it was declared and as it is listed, in the order in which it matters. Of a tool
    /// that was written by hand, only a description that was pinned is compared: what else is said of it is the host's word.
    pub(crate) fn between(declared: &Tool, listed: &Tool) -> Vec<Self> {
        let mut drifts = Vec::new();
        if let Some(own) = declared.description().filter(|own| listed.description() != Some(own)) {
            drifts.push(Self::Description { declared: *own, listed: listed.description().copied() });
        }
        let Some(own) = declared.listing() else {
            return drifts;
        };
        if declared.parameters() != listed.parameters() || declared.unenforced() != listed.unenforced() {
            drifts.push(Self::Arguments);
        }
        if listed.least_class() > declared.least_class() {
            drifts.push(Self::Class { declared: declared.class(), listed: listed.least_class() });
        }
        if drifts.is_empty() && listed.listing() != Some(own) {
            drifts.push(Self::Listing { declared: *own, listed: listed.listing().copied() });
        }
        drifts
    }
}

/// Which tools of a door were seen to differ from their declaration, and since which listing.
#[derive(Debug, Default)]
pub(crate) struct Capabilities {
    /// Listings in which something differed.
    listings: AtomicU64,
    changed: Mutex<BTreeMap<ToolName, Changed>>,
}

#[derive(Debug)]
struct Changed {
    drift: CapabilityDrift,
    /// The last listing in which it differed.
    at: u64,
    /// A later one had it as it was declared.
    is_over: bool,
}

impl Capabilities {
    /// The number of the last listing in which something differed.
    pub(crate) fn listings(&self) -> u64 {
        self.listings.load(Ordering::Acquire)
    }

    /// Takes in what a server lists: the tools that differ, how, and those that do not.
    pub(crate) fn take_in(&self, differ: impl Iterator<Item = (ToolName, Option<CapabilityDrift>)>) {
        let mut changed = locked(&self.changed);
        let at = self.listings().saturating_add(1);
        let mut is_news = false;
        for (tool, drift) in differ {
            match drift {
                Some(drift) => {
                    is_news = true;
                    changed.insert(tool, Changed { drift, at, is_over: false });
                }
                None => {
                    if let Some(one) = changed.get_mut(&tool) {
                        one.is_over = true;
                    }
                }
            }
        }
        if is_news {
            self.listings.store(at, Ordering::Release);
        }
    }

    /// How a tool differs for a task that began after this listing: it differs now, or did since.
    pub(crate) fn drift_of(&self, tool: &ToolName, since: u64) -> Option<CapabilityDrift> {
        if self.listings() == 0 {
            return None;
        }
        let changed = locked(&self.changed);
        changed.get(tool).filter(|one| !one.is_over || one.at > since).map(|one| one.drift.clone())
    }
}
