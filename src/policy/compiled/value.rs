//! Values of Cedar's language, owned: what policies compare with, and what entities and contexts are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smol_str::SmolStr;

use super::ipaddr::IpNet;
use super::view::{Members, Part, Val};
use super::{EntityUid, Name};

/// A value of Cedar's language.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Value {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Long(i64),
    /// A text.
    Text(SmolStr),
    /// A `decimal`, in ten-thousandths.
    Decimal(i64),
    /// A `datetime`, in milliseconds since 1970.
    Datetime(i64),
    /// A `duration`, in milliseconds.
    Duration(i64),
    /// An `ipaddr`.
    Ip(IpNet),
    /// An entity.
    Entity(Box<EntityUid>),
    /// A set.
    Set(Set),
    /// A record.
    Record(Record),
}

impl Value {
    /// A text.
    pub fn text(text: &str) -> Self {
        Self::Text(SmolStr::new(text))
    }

    pub(in crate::policy) fn view(&self) -> Val<'_> {
        match self {
            Self::Bool(value) => Val::Bool(*value),
            Self::Long(value) => Val::Long(*value),
            Self::Text(text) => Val::Text(text),
            Self::Decimal(value) => Val::Decimal(*value),
            Self::Datetime(value) => Val::Datetime(*value),
            Self::Duration(value) => Val::Duration(*value),
            Self::Ip(value) => Val::Ip(*value),
            Self::Entity(uid) => Val::Entity(uid.view()),
            Self::Set(set) => Val::Set(set),
            Self::Record(record) => Val::Record(Part::Stored(record)),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Long(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<EntityUid> for Value {
    fn from(uid: EntityUid) -> Self {
        Self::Entity(Box::new(uid))
    }
}

impl From<Set> for Value {
    fn from(set: Set) -> Self {
        Self::Set(set)
    }
}

impl From<Record> for Value {
    fn from(record: Record) -> Self {
        Self::Record(record)
    }
}

/// A set: its members in order, none twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Set(Box<[Value]>);

impl FromIterator<Value> for Set {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        let mut values: Vec<Value> = values.into_iter().collect();
        values.sort_unstable();
        values.dedup();
        Self(values.into())
    }
}

impl Set {
    /// The members, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Value> {
        self.0.iter()
    }
}

impl Members for Set {
    fn has(&self, value: &Val<'_>) -> bool {
        // Below a handful, looking at each is faster than halving.
        if self.0.len() <= 4 {
            return self.0.iter().any(|member| member.view().is(value));
        }
        self.0.binary_search_by(|member| member.view().order(value)).is_ok()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn each<'s>(&'s self, visit: &mut dyn FnMut(Val<'s>) -> bool) -> bool {
        self.0.iter().all(|member| visit(member.view()))
    }

    fn owned(&self) -> Option<&Set> {
        Some(self)
    }
}

/// A record: its members by name, none twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    members: Box<[(Name, Value)]>,
    places: Option<Arc<Places>>,
}

/// Where a member is, by a byte of its name's mark: one more than its place, or none.
type Places = [u8; 256];

impl FromIterator<(Name, Value)> for Record {
    /// Of two members of one name the last one stays.
    fn from_iter<I: IntoIterator<Item = (Name, Value)>>(members: I) -> Self {
        let members: BTreeMap<Name, Value> = members.into_iter().collect();
        let members: Box<[(Name, Value)]> = members.into_iter().collect();
        Self { places: places(members.iter().map(|(name, _)| name)).map(Arc::new), members }
    }
}

/// Records of at least so many members have a table, if no two of them share a place in it.
const WITH_TABLE: usize = 3;
/// Without one, so many are looked at one by one.
const IN_TURN: usize = 16;

fn places<'n>(names: impl ExactSizeIterator<Item = &'n Name>) -> Option<Places> {
    if names.len() < WITH_TABLE {
        return None;
    }
    let mut places = [0; 256];
    for (name, number) in names.zip(1_usize..) {
        let place = places.get_mut(name.place())?;
        if *place != 0 {
            return None;
        }
        *place = u8::try_from(number).ok()?;
    }
    Some(places)
}

/// What entities can share: names, and the tables of records with the same names.
#[derive(Default)]
pub(super) struct Shared {
    names: BTreeSet<Name>,
    tables: BTreeMap<Vec<Name>, Option<Arc<Places>>>,
}

impl Shared {
    /// The name that was there before, if it was.
    pub(super) fn name(&mut self, name: &mut Name) {
        match self.names.get(name) {
            Some(shared) => name.clone_from(shared),
            None => drop(self.names.insert(name.clone())),
        }
    }
}

impl Record {
    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let place = self.members.binary_search_by(|(own, _)| own.as_str().cmp(name)).ok()?;
        self.members.get(place).map(|(_, value)| value)
    }

    /// The same, without looking at the name's text.
    #[inline]
    pub(in crate::policy) fn find(&self, name: &Name) -> Option<&Value> {
        let Some(places) = &self.places else {
            if self.members.len() > IN_TURN {
                return self.get(name.as_str());
            }
            return self.members.iter().find(|(own, _)| own == name).map(|(_, value)| value);
        };
        let number = places.get(name.place())?;
        let (own, value) = self.members.get(usize::from(*number).checked_sub(1)?)?;
        (own == name).then_some(value)
    }

    /// Shares what records before it have.
    pub(super) fn share(&mut self, shared: &mut Shared) {
        self.members.iter_mut().for_each(|(name, _)| shared.name(name));
        let names = self.members.iter().map(|(name, _)| name.clone()).collect();
        self.places.clone_from(shared.tables.entry(names).or_insert_with(|| self.places.clone()));
    }

    /// The members, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Value)> {
        self.members.iter().map(|(name, value)| (name, value))
    }
}
