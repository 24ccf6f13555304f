//! Values while a policy is evaluated: borrowed from wherever they are, never copied.

use std::cmp::Ordering;

use super::ipaddr::IpNet;
use super::uid::Uid;
use super::{Name, Record, Set, Value};
use crate::policy::typed::Typed;

/// The members of a set.
pub(in crate::policy) trait Members: Sync {
    /// Whether the value is one of them.
    fn has(&self, value: &Val<'_>) -> bool;
    /// How many there are; a view may count some twice.
    fn len(&self) -> usize;
    /// Visits each until the visitor says no; says whether it never did.
    fn each<'s>(&'s self, visit: &mut dyn FnMut(Val<'s>) -> bool) -> bool;
    /// The set, if it is one that is owned: sorted, and compared member by member.
    fn owned(&self) -> Option<&Set> {
        None
    }
}

/// The members of a record, or the attributes of an entity.
pub(in crate::policy) trait Fields: Sync {
    /// The member of this name.
    fn get(&self, name: &Name) -> Option<Val<'_>>;
    /// Visits each, by name, until the visitor says no; says whether it never did.
    fn each<'s>(&'s self, visit: &mut dyn FnMut(&'s str, Val<'s>) -> bool) -> bool;
}

/// A record wherever it is: a stored one is searched without asking what it is.
#[derive(Clone, Copy)]
pub(in crate::policy) enum Part<'a> {
    Stored(&'a Record),
    View(&'a dyn Fields),
    /// A typed argument.
    Typed(Typed<'a>),
}

impl<'a> Part<'a> {
    #[inline]
    pub(in crate::policy) fn get(self, name: &Name) -> Option<Val<'a>> {
        match self {
            Self::Stored(record) => record.find(name).map(Value::view),
            Self::View(view) => view.get(name),
            Self::Typed(typed) => typed.get(name.as_str()),
        }
    }

    pub(in crate::policy) fn each(self, visit: &mut dyn FnMut(&'a str, Val<'a>) -> bool) -> bool {
        match self {
            Self::Stored(record) => record.iter().all(|(name, value)| visit(name.as_str(), value.view())),
            Self::View(view) => view.each(visit),
            Self::Typed(typed) => typed.each(visit),
        }
    }

    pub(in crate::policy) fn to_record(self) -> Record {
        match self {
            Self::Stored(record) => record.clone(),
            Self::View(_) | Self::Typed(_) => {
                let mut members = Vec::new();
                self.each(&mut |name, value| {
                    members.push((Name::new(name), value.to_value()));
                    true
                });
                members.into_iter().collect()
            }
        }
    }
}

/// A value that is looked at.
#[derive(Clone, Copy)]
pub(in crate::policy) enum Val<'a> {
    Bool(bool),
    Long(i64),
    Text(&'a str),
    Decimal(i64),
    Datetime(i64),
    Duration(i64),
    Ip(IpNet),
    Entity(Uid<'a>),
    Set(&'a dyn Members),
    Record(Part<'a>),
}

impl Val<'_> {
    /// Cedar's `==`: values of different types are different, and that is no error.
    pub(in crate::policy) fn is(&self, other: &Val<'_>) -> bool {
        match (self, other) {
            (Val::Text(one), Val::Text(other)) => one == other,
            (Val::Long(one), Val::Long(other)) => one == other,
            (Val::Entity(one), Val::Entity(other)) => one == other,
            (Val::Set(one), Val::Set(other)) => match (one.owned(), other.owned()) {
                // Both ways round would be twice for every level of sets within sets.
                (Some(one), Some(other)) => one == other,
                _ => is_within(*one, *other) && is_within(*other, *one),
            },
            _ => self.order(other) == Ordering::Equal,
        }
    }

    /// The order of [`Value`], so that sorted sets can be searched.
    pub(in crate::policy) fn order(&self, other: &Val<'_>) -> Ordering {
        match (self, other) {
            (Val::Bool(one), Val::Bool(other)) => one.cmp(other),
            (Val::Long(one), Val::Long(other))
            | (Val::Decimal(one), Val::Decimal(other))
            | (Val::Datetime(one), Val::Datetime(other))
            | (Val::Duration(one), Val::Duration(other)) => one.cmp(other),
            (Val::Text(one), Val::Text(other)) => one.cmp(other),
            (Val::Ip(one), Val::Ip(other)) => one.cmp(other),
            (Val::Entity(one), Val::Entity(other)) => one.cmp(other),
            (Val::Set(one), Val::Set(other)) => match (one.owned(), other.owned()) {
                (Some(one), Some(other)) => one.cmp(other),
                _ => to_set(*one).cmp(&to_set(*other)),
            },
            (Val::Record(Part::Stored(one)), Val::Record(Part::Stored(other))) => one.cmp(other),
            (Val::Record(one), Val::Record(other)) => one.to_record().cmp(&other.to_record()),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    /// The place of the type in the declaration of [`Value`].
    fn rank(&self) -> u8 {
        match self {
            Val::Bool(_) => 0,
            Val::Long(_) => 1,
            Val::Text(_) => 2,
            Val::Decimal(_) => 3,
            Val::Datetime(_) => 4,
            Val::Duration(_) => 5,
            Val::Ip(_) => 6,
            Val::Entity(_) => 7,
            Val::Set(_) => 8,
            Val::Record(_) => 9,
        }
    }

    pub(in crate::policy) fn to_value(self) -> Value {
        match self {
            Val::Bool(value) => Value::Bool(value),
            Val::Long(value) => Value::Long(value),
            Val::Text(text) => Value::text(text),
            Val::Decimal(value) => Value::Decimal(value),
            Val::Datetime(value) => Value::Datetime(value),
            Val::Duration(value) => Value::Duration(value),
            Val::Ip(value) => Value::Ip(value),
            Val::Entity(uid) => uid.to_owned().into(),
            Val::Set(set) => to_set(set).into(),
            Val::Record(record) => record.to_record().into(),
        }
    }
}

pub(in crate::policy) fn to_set(set: &dyn Members) -> Set {
    let mut values = Vec::new();
    set.each(&mut |value| {
        values.push(value.to_value());
        true
    });
    values.into_iter().collect()
}

/// As many comparisons as two unsorted sets may take; beyond, one of them is sorted first.
const MAX_COMPARISONS: usize = 256;

/// Cedar's `wide.containsAll(narrow)`.
pub(in crate::policy) fn is_within(narrow: &dyn Members, wide: &dyn Members) -> bool {
    with_fast(wide, narrow.len(), |wide| narrow.each(&mut |value| wide.has(&value)))
}

/// Cedar's `one.containsAny(other)`.
pub(in crate::policy) fn have_common(one: &dyn Members, other: &dyn Members) -> bool {
    with_fast(one, other.len(), |one| !other.each(&mut |value| !one.has(&value)))
}

fn with_fast(set: &dyn Members, times: usize, ask: impl FnOnce(&dyn Members) -> bool) -> bool {
    if set.owned().is_some() || set.len().saturating_mul(times) <= MAX_COMPARISONS {
        ask(set)
    } else {
        ask(&to_set(set))
    }
}

/// Values side by side, as a set.
pub(in crate::policy) struct Among<'x, 'a>(pub(in crate::policy) &'x [Val<'a>]);

impl Members for Among<'_, '_> {
    fn has(&self, value: &Val<'_>) -> bool {
        self.0.iter().any(|member| member.is(value))
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn each<'s>(&'s self, visit: &mut dyn FnMut(Val<'s>) -> bool) -> bool {
        self.0.iter().all(|member| visit(*member))
    }
}
