//! What names an entity: its type and its id.

use std::fmt;
use std::hash::{Hash, Hasher};

use hashbrown::{Equivalent, HashMap};
use smol_str::SmolStr;

use super::Name;
use super::value::Shared;

/// Names an entity, as `Type::"id"`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntityUid {
    kind: Name,
    id: SmolStr,
}

impl EntityUid {
    /// The entity of this type with this id.
    pub fn new(kind: Name, id: &str) -> Self {
        Self { kind, id: SmolStr::new(id) }
    }

    /// Shares the name of its type with entities before it.
    pub(super) fn share(&mut self, shared: &mut Shared) {
        shared.name(&mut self.kind);
    }

    /// Its type.
    pub fn kind(&self) -> &Name {
        &self.kind
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(in crate::policy) fn view(&self) -> Uid<'_> {
        Uid { kind: &self.kind, id: &self.id }
    }

    /// Whether it is this one. Ids differ more often than types, and mostly in length.
    #[inline]
    fn is(&self, uid: Uid<'_>) -> bool {
        self.id.as_str() == uid.id && self.kind == *uid.kind
    }
}

impl Hash for EntityUid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.view().hash(state);
    }
}

impl fmt::Display for EntityUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.view(), f)
    }
}

impl fmt::Debug for EntityUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.view(), f)
    }
}

/// An [`EntityUid`], wherever its parts are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::policy) struct Uid<'a> {
    pub(in crate::policy) kind: &'a Name,
    pub(in crate::policy) id: &'a str,
}

impl Uid<'_> {
    pub(in crate::policy) fn to_owned(self) -> EntityUid {
        EntityUid::new(self.kind.clone(), self.id)
    }
}

impl Equivalent<EntityUid> for Uid<'_> {
    fn equivalent(&self, key: &EntityUid) -> bool {
        key.is(*self)
    }
}

impl fmt::Display for Uid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::\"{}\"", self.kind, self.id.escape_debug())
    }
}

/// As many entities as are looked at one by one: their names mostly differ in what is compared first.
const FEW: usize = 8;

/// What belongs to entities.
#[derive(Debug, Clone)]
pub(super) enum UidMap<T> {
    Few(Vec<(EntityUid, T)>),
    Many(HashMap<EntityUid, T>),
}

impl<T> Default for UidMap<T> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<T> UidMap<T> {
    #[inline]
    pub(super) fn get(&self, uid: Uid<'_>) -> Option<&T> {
        match self {
            Self::Few(few) => few.iter().find(|(own, _)| own.is(uid)).map(|(_, value)| value),
            Self::Many(many) => many.get(&uid),
        }
    }

    pub(super) fn get_mut(&mut self, uid: Uid<'_>) -> Option<&mut T> {
        match self {
            Self::Few(few) => few.iter_mut().find(|(own, _)| own.is(uid)).map(|(_, value)| value),
            Self::Many(many) => many.get_mut(&uid),
        }
    }

    /// Puts a value in place of what is there.
    pub(super) fn insert(&mut self, uid: EntityUid, value: T) {
        if let Some(own) = self.get_mut(uid.view()) {
            *own = value;
            return;
        }
        match self {
            Self::Few(few) if few.len() < FEW => few.push((uid, value)),
            Self::Few(few) => {
                let mut many: HashMap<EntityUid, T> = few.drain(..).collect();
                many.insert(uid, value);
                *self = Self::Many(many);
            }
            Self::Many(many) => drop(many.insert(uid, value)),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few(few) => few.len(),
            Self::Many(many) => many.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&EntityUid, &T)> {
        let (few, many) = match self {
            Self::Few(few) => (few.as_slice(), None),
            Self::Many(many) => (&[][..], Some(many)),
        };
        few.iter().map(|(uid, value)| (uid, value)).chain(many.into_iter().flatten())
    }
}

impl<T: Default> UidMap<T> {
    /// Changes what is there, or what is put there.
    pub(super) fn change<R>(&mut self, uid: &EntityUid, change: impl FnOnce(&mut T) -> R) -> R {
        match self.get_mut(uid.view()) {
            Some(own) => change(own),
            None => {
                let mut fresh = T::default();
                let result = change(&mut fresh);
                self.insert(uid.clone(), fresh);
                result
            }
        }
    }
}

impl<T> FromIterator<(EntityUid, T)> for UidMap<T> {
    fn from_iter<I: IntoIterator<Item = (EntityUid, T)>>(pairs: I) -> Self {
        let mut map = Self::default();
        pairs.into_iter().for_each(|(uid, value)| map.insert(uid, value));
        map
    }
}
