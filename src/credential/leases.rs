//! The leases that are open or owed: what other systems may have made in the name of our tasks. No secret is in here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::{Gone, IssuerError};
use crate::audit::OpenLease;
use crate::live::locked;
use crate::mandate::{Assignment, Mode};
use crate::policy::{Reason, check_standing};
use crate::time::Timestamp;

/// Leases of one task that are open or owed.
const MAX_OF_TASK: usize = 64;
/// Leases of all tasks that are open or owed.
const MAX: usize = 4096;

/// A lease's place in the order in which leases were intended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u64);

/// The leases of one door, in order. An entry is gone only when the other system said so and that was recorded.
#[derive(Debug, Default)]
pub(crate) struct Leases(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    next: u64,
    entries: BTreeMap<Place, Entry>,
}

#[derive(Debug)]
struct Entry {
    open: OpenLease,
    /// What it hangs under; nothing, for leases of earlier processes.
    under: Option<Under>,
    /// Somebody asks for it, or has it.
    held: bool,
    /// The issuer answered: what is not there now will not come to be.
    answered: bool,
    /// Somebody asks the other system to revoke it, or records that.
    busy: bool,
    /// How it is gone, where that is not recorded yet.
    gone: Option<Gone>,
    /// That it could not be revoked was recorded.
    told: bool,
    tries: u32,
    why: Option<IssuerError>,
}

/// What a lease hangs under, and for whom it was permitted.
#[derive(Debug)]
pub(crate) struct Under {
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) mode: Mode,
}

impl Under {
    /// Whether that is the task, or a part of it.
    fn is_within(&self, task: &Arc<Assignment>) -> bool {
        Arc::ptr_eq(&self.assignment, task) || self.assignment.above().any(|above| Arc::ptr_eq(above, task))
    }
}

/// Some of the leases.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of<'a> {
    Everybody,
    /// Those of a task, and of its parts.
    Task(&'a Arc<Assignment>),
    One(Place),
}

/// A lease that somebody else will not revoke meanwhile.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) place: Place,
    pub(crate) open: OpenLease,
    pub(crate) gone: Option<Gone>,
}

/// A lease that is to be revoked, and is not known to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwedLease {
    /// Which.
    pub lease: OpenLease,
    /// How often the issuer was asked to revoke it.
    pub tries: u32,
    /// What it said last, if it failed.
    pub why: Option<IssuerError>,
}

impl Leases {
    /// Enters a lease that is about to be asked for; says how many there are where there is no room.
    pub(crate) fn enter(self: &Arc<Self>, open: OpenLease, under: Under) -> Result<Held, usize> {
        let mut book = locked(&self.0);
        let theirs = book.entries.values().filter(|entry| entry.is_of(Of::Task(&under.assignment))).count();
        if theirs >= MAX_OF_TASK {
            return Err(theirs);
        }
        let task = Arc::clone(&under.assignment);
        let place = book.insert(Entry::new(open, Some(under)))?;
        Ok(Held { leases: Arc::clone(self), place, task })
    }

    /// Enters a lease of an earlier process, if it is not there; says whether there was room.
    pub(crate) fn recover(&self, open: &OpenLease) -> bool {
        let mut book = locked(&self.0);
        let known = book.entries.values().any(|entry| entry.open.lease == open.lease);
        known || book.insert(Entry::new(open.clone(), None)).is_ok()
    }

    /// Takes the newest of these that is to be revoked, and is older than `last`.
    pub(crate) fn claim(&self, of: Of<'_>, last: Option<Place>, now: Timestamp) -> Option<Claim> {
        let mut book = locked(&self.0);
        let older = |place: &Place| last.is_none_or(|last| *place < last);
        let wanted = |(place, entry): &(&Place, &mut Entry)| {
            older(place) && of.is(**place) && entry.is_of(of) && entry.is_claimable(now)
        };
        let (place, entry) = book.entries.iter_mut().rev().find(wanted)?;
        entry.busy = true;
        Some(Claim { place: *place, open: entry.open.clone(), gone: entry.gone })
    }

    /// Notes that the other system said so; says whether that settles it.
    pub(crate) fn gone(&self, place: Place, gone: Gone, now: Timestamp) -> bool {
        let mut book = locked(&self.0);
        let Some(entry) = book.entries.get_mut(&place) else { return false };
        entry.tries = entry.tries.saturating_add(1);
        entry.why = None;
        // What nobody answered may still be on its way, until it would have ended.
        let over = !entry.held && now >= entry.open.until;
        let settled = entry.answered || over || (!entry.held && gone == Gone::Revoked);
        entry.gone = settled.then_some(gone);
        settled
    }

    /// Notes that the issuer failed to revoke it.
    pub(crate) fn failed(&self, place: Place, why: IssuerError) {
        self.alter(place, |entry| {
            entry.tries = entry.tries.saturating_add(1);
            entry.why = Some(why);
        });
    }

    /// Whether it is to be recorded that it could not be revoked: once.
    pub(crate) fn wants_telling(&self, place: Place) -> bool {
        locked(&self.0).entries.get(&place).is_some_and(|entry| !entry.told)
    }

    pub(crate) fn note_told(&self, place: Place) {
        self.alter(place, |entry| entry.told = true);
    }

    /// Somebody else may revoke it now.
    pub(crate) fn unclaim(&self, place: Place) {
        self.alter(place, |entry| entry.busy = false);
    }

    /// It is gone, and that is recorded.
    pub(crate) fn forget(&self, place: Place) {
        locked(&self.0).entries.remove(&place);
    }

    /// Those of these that are to be revoked, newest first.
    pub(crate) fn owed(&self, of: Of<'_>, now: Timestamp) -> Vec<OwedLease> {
        let book = locked(&self.0);
        let owed = book
            .entries
            .iter()
            .rev()
            .filter(|(place, entry)| of.is(**place) && entry.is_of(of) && entry.is_wanted(now));
        owed.map(|(_, entry)| OwedLease { lease: entry.open.clone(), tries: entry.tries, why: entry.why.clone() })
            .collect()
    }

    fn alter(&self, place: Place, alter: impl FnOnce(&mut Entry)) {
        if let Some(entry) = locked(&self.0).entries.get_mut(&place) {
            alter(entry);
        }
    }
}

impl Book {
    fn insert(&mut self, entry: Entry) -> Result<Place, usize> {
        if self.entries.len() >= MAX {
            return Err(self.entries.len());
        }
        let place = Place(self.next);
        // Places are 64 bits wide: one every nanosecond overflows them after centuries.
        self.next = self.next.saturating_add(1);
        self.entries.insert(place, entry);
        Ok(place)
    }
}

impl Entry {
    fn new(open: OpenLease, under: Option<Under>) -> Self {
        let (held, answered) = (under.is_some(), open.issued);
        Self { open, under, held, answered, busy: false, gone: None, told: false, tries: 0, why: None }
    }

    fn is_of(&self, of: Of<'_>) -> bool {
        match of {
            Of::Everybody | Of::One(_) => true,
            Of::Task(task) => self.under.as_ref().is_some_and(|under| under.is_within(task)),
        }
    }

    /// Whether what it rests on stands.
    fn stands(&self, now: Timestamp) -> Result<(), Option<Reason>> {
        let Under { assignment, mode } = self.under.as_ref().ok_or(None)?;
        check_standing(assignment.mandate(), &assignment.standing(), mode, assignment.until(), now).map_err(Some)
    }

    /// Whether it is to be revoked: nobody has it, it is over, or what it rests on does not stand.
    fn is_wanted(&self, now: Timestamp) -> bool {
        !self.held || now >= self.open.until || self.stands(now).is_err()
    }

    /// Whether it can be revoked. While somebody asks for it, it may not be there yet: they see that it is to be revoked
    /// when they have the answer.
    fn is_claimable(&self, now: Timestamp) -> bool {
        let asked_for = self.held && !self.answered && now < self.open.until;
        !self.busy && !asked_for && self.is_wanted(now)
    }
}

impl Of<'_> {
    fn is(self, place: Place) -> bool {
        match self {
            Self::One(one) => one == place,
            Self::Everybody | Self::Task(_) => true,
        }
    }
}

/// Somebody asks for a lease, or has it. Dropped, the lease is to be revoked.
#[derive(Debug)]
pub(crate) struct Held {
    leases: Arc<Leases>,
    place: Place,
    task: Arc<Assignment>,
}

impl Held {
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// Whether it is a lease of this task.
    pub(crate) fn is_of(&self, task: &Arc<Assignment>) -> bool {
        Arc::ptr_eq(&self.task, task)
    }

    /// The issuer refused, and certainly made nothing.
    pub(crate) fn note_refused(&self) {
        self.leases.alter(self.place, |entry| entry.answered = true);
    }

    /// The issuer gave it: it ends then, here. From here on it is revoked like any other.
    pub(crate) fn note_issued(&self, open: &OpenLease) {
        self.leases.alter(self.place, |entry| (entry.answered, entry.open) = (true, open.clone()));
    }

    /// Whether it may go on, and why not; that it is being revoked has no reason.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), Option<Reason>> {
        let book = locked(&self.leases.0);
        let entry = book.entries.get(&self.place).ok_or(None)?;
        entry.stands(now)?;
        if entry.busy || entry.gone.is_some() || now >= entry.open.until { Err(None) } else { Ok(()) }
    }

    /// It goes on until then; says whether it does.
    pub(crate) fn goes_on(&self, until: Timestamp, ends: Option<Timestamp>, now: Timestamp) -> bool {
        let mut book = locked(&self.leases.0);
        let Some(entry) = book.entries.get_mut(&self.place) else { return false };
        let goes_on = !entry.busy && entry.gone.is_none() && !entry.is_wanted(now);
        if goes_on {
            (entry.open.until, entry.open.ends) = (until, ends);
        }
        goes_on
    }
}

impl Drop for Held {
    /// Flips one value; calls nobody.
    fn drop(&mut self) {
        self.leases.alter(self.place, |entry| entry.held = false);
    }
}
