//! The leases that are open or owed: what other systems may have made in the name of our tasks. No secret is in here.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Gone, IssuerError};
use crate::audit::OpenLease;
use crate::live::locked;
use crate::mandate::{Action, Assignment, Consenting};
use crate::policy::{Reason, check_standing};
use crate::sync::Mutex;
use crate::time::Timestamp;

/// Leases of one errand, a task and all its parts, that are open or owed.
const MAX_OF_ERRAND: usize = 64;
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
    /// Somebody asks the issuer to let it go on.
    renewing: bool,
    /// Somebody asks the other system to revoke it, or records that.
    busy: bool,
    /// How it is gone, where that is not recorded yet.
    gone: Option<Gone>,
    /// That it could not be revoked was recorded.
    told: bool,
    tries: u32,
    why: Option<IssuerError>,
}

/// What a lease hangs under, for which action it was permitted, and whose approval of exactly that it rests on.
#[derive(Debug)]
pub(crate) struct Under {
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) action: Arc<Action>,
    pub(crate) consenting: Consenting,
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

/// A lease that somebody else will not revoke meanwhile: until this is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    leases: Arc<Leases>,
    pub(crate) place: Place,
    pub(crate) open: OpenLease,
    pub(crate) gone: Option<Gone>,
    /// What is revoked while it is renewed may be there again afterwards.
    renewing: bool,
}

impl Claim {
    /// Notes that the other system said so; says whether that settles it.
    pub(crate) fn is_gone(&self, gone: Gone, now: Timestamp) -> bool {
        let mut book = locked(&self.leases.0);
        let Some(entry) = book.entries.get_mut(&self.place) else { return false };
        entry.tries = entry.tries.saturating_add(1);
        entry.why = None;
        entry.gone = (!self.renewing && entry.is_settled(gone, now)).then_some(gone);
        entry.gone.is_some()
    }

    /// Notes that the issuer failed to revoke it.
    pub(crate) fn failed(&self, why: IssuerError) {
        self.leases.alter(self.place, |entry| {
            entry.tries = entry.tries.saturating_add(1);
            entry.why = Some(why);
        });
    }

    /// Whether it is to be recorded that it could not be revoked: once.
    pub(crate) fn wants_telling(&self) -> bool {
        locked(&self.leases.0).entries.get(&self.place).is_some_and(|entry| !entry.told)
    }

    pub(crate) fn note_told(&self) {
        self.leases.alter(self.place, |entry| entry.told = true);
    }

    /// It is gone, and that is recorded.
    pub(crate) fn forget(self) {
        locked(&self.leases.0).entries.remove(&self.place);
    }
}

impl Drop for Claim {
    /// Somebody else may revoke it now.
    fn drop(&mut self) {
        self.leases.alter(self.place, |entry| entry.busy = false);
    }
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
        // All parts of an errand are of one transaction, those of which nothing but what is owed is left too.
        let theirs = book.entries.values().filter(|entry| entry.open.txn == open.txn).count();
        if theirs >= MAX_OF_ERRAND {
            return Err(theirs);
        }
        let (task, action) = (Arc::clone(&under.assignment), Arc::clone(&under.action));
        let place = book.insert(Entry::new(open, Some(under)))?;
        Ok(Held { leases: Arc::clone(self), place, task, action })
    }

    /// Enters a lease of an earlier process, if it is not there; says whether there was room.
    pub(crate) fn recover(&self, open: &OpenLease) -> bool {
        let mut book = locked(&self.0);
        let known = book.entries.values().any(|entry| entry.open.lease == open.lease);
        known || book.insert(Entry::new(open.clone(), None)).is_ok()
    }

    /// Takes the newest of these that is to be revoked, and is older than `last`.
    pub(crate) fn claim(self: &Arc<Self>, of: Of<'_>, last: Option<Place>, now: Timestamp) -> Option<Claim> {
        let mut book = locked(&self.0);
        let older = |place: &Place| last.is_none_or(|last| *place < last);
        let wanted = |(place, entry): &(&Place, &mut Entry)| {
            older(place) && of.is(**place) && entry.is_of(of) && entry.is_claimable(now)
        };
        let (place, entry) = book.entries.iter_mut().rev().find(wanted)?;
        entry.busy = true;
        let Entry { open, gone, renewing, .. } = &*entry;
        Some(Claim { leases: Arc::clone(self), place: *place, open: open.clone(), gone: *gone, renewing: *renewing })
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
        let (renewing, busy, told) = (false, false, false);
        Self { open, under, held, answered, renewing, busy, gone: None, told, tries: 0, why: None }
    }

    fn is_of(&self, of: Of<'_>) -> bool {
        match of {
            Of::Everybody | Of::One(_) => true,
            Of::Task(task) => self.under.as_ref().is_some_and(|under| under.is_within(task)),
        }
    }

    /// Whether what it rests on stands.
    fn stands(&self, now: Timestamp) -> Result<(), Option<Reason>> {
        let Under { assignment, action, consenting } = self.under.as_ref().ok_or(None)?;
        let (mandate, standing) = (assignment.mandate(), assignment.standing());
        check_standing(mandate, &standing, action.mode(), assignment.until(), now).map_err(Some)?;
        consenting.gone().map_or(Ok(()), |operator| Err(Some(Reason::OperatorNotActive(operator.clone()))))
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

    /// Whether it will not be there again, once the other system said this of it. What nobody answered may still be on its
    /// way, until it would have ended.
    fn is_settled(&self, gone: Gone, now: Timestamp) -> bool {
        let is_unheard = self.renewing || self.open.unheard.is_some_and(|until| now < until);
        // Whoever asks for it may still have the answer, unless there is nothing any more to have it for.
        let nobody_waits = !self.held || self.stands(now).is_err();
        let came = self.answered || (!self.held && gone == Gone::Revoked) || (nobody_waits && now >= self.open.until);
        came && !is_unheard
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
    action: Arc<Action>,
}

impl Held {
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// The action that it was permitted for.
    pub(crate) fn action(&self) -> &Action {
        &self.action
    }

    /// Whether it is a lease of this task.
    pub(crate) fn is_of(&self, task: &Arc<Assignment>) -> bool {
        Arc::ptr_eq(&self.task, task)
    }

    /// The issuer refused, and certainly made nothing: where only time would end it, nothing is left to be waited for.
    pub(crate) fn note_refused(&self) {
        self.leases.alter(self.place, |entry| (entry.answered, entry.open.ends) = (true, Some(Timestamp::EPOCH)));
    }

    /// The issuer gave it: it ends then, here. From here on it is revoked like any other, even if it was given up as one that
    /// could not come any more.
    pub(crate) fn note_issued(&self, open: &OpenLease) {
        let mut book = locked(&self.leases.0);
        let entry = book.entries.entry(self.place).or_insert_with(|| Entry::new(open.clone(), None));
        (entry.answered, entry.open) = (true, open.clone());
    }

    /// Whether it may go on, and why not; that it is being revoked has no reason.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), Option<Reason>> {
        let book = locked(&self.leases.0);
        let entry = book.entries.get(&self.place).ok_or(None)?;
        entry.stands(now)?;
        if entry.busy || entry.gone.is_some() || now >= entry.open.until { Err(None) } else { Ok(()) }
    }

    /// The issuer is about to be asked to let it go on until then: from here on it may have heard that, and has ended after
    /// both what it had and what it is given, where both are known. Nothing, if it is being revoked.
    pub(crate) fn renewing(&self, until: Timestamp, latest: Option<Timestamp>, now: Timestamp) -> Option<Renewal> {
        let mut book = locked(&self.leases.0);
        let entry = book.entries.get_mut(&self.place).filter(|entry| !entry.busy && entry.gone.is_none())?;
        if entry.is_wanted(now) {
            return None;
        }
        let (had, unheard) = (entry.open.ends, entry.open.unheard);
        let ends = had.zip(latest).map(|(had, latest)| had.max(latest));
        entry.renewing = true;
        (entry.open.ends, entry.open.unheard) = (ends, unheard.max(Some(until)));
        Some(Renewal { until, ends, had, unheard })
    }

    /// It is not known what the issuer did.
    pub(crate) fn not_answered(&self) {
        self.leases.alter(self.place, |entry| entry.renewing = false);
    }

    /// The issuer certainly did nothing: it is as it was.
    pub(crate) fn put_back(&self, renewal: Renewal) -> Option<OpenLease> {
        self.settle(renewal, renewal.had)
    }

    /// The issuer lets it go on until then, and it ends then by itself.
    pub(crate) fn answered(&self, renewal: Renewal, until: Timestamp, ends: Option<Timestamp>) -> Option<OpenLease> {
        self.settle(renewal, ends).map(|open| OpenLease { until, ..open })
    }

    fn settle(&self, renewal: Renewal, ends: Option<Timestamp>) -> Option<OpenLease> {
        let mut book = locked(&self.leases.0);
        let entry = book.entries.get_mut(&self.place)?;
        entry.renewing = false;
        (entry.open.ends, entry.open.unheard) = (ends, renewal.unheard);
        Some(entry.open.clone())
    }

    /// It goes on until then; says whether it does.
    pub(crate) fn goes_on(&self, until: Timestamp, now: Timestamp) -> bool {
        let mut book = locked(&self.leases.0);
        let Some(entry) = book.entries.get_mut(&self.place) else { return false };
        let goes_on = !entry.busy && entry.gone.is_none() && !entry.is_wanted(now);
        if goes_on {
            entry.open.until = until;
        }
        goes_on
    }
}

/// What an issuer is asked for when a lease is to go on, and what was known before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Renewal {
    pub(crate) until: Timestamp,
    /// When it has ended by itself, whether or not the issuer hears that.
    pub(crate) ends: Option<Timestamp>,
    /// When it ended by itself before.
    had: Option<Timestamp>,
    /// Until when an earlier renewal may still be heard.
    unheard: Option<Timestamp>,
}

impl Drop for Held {
    /// Flips one value; calls nobody.
    fn drop(&mut self) {
        self.leases.alter(self.place, |entry| entry.held = false);
    }
}
