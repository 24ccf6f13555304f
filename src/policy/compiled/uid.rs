//! What names an entity: its type and its id.

use std::fmt;
use std::hash::{Hash, Hasher};

use hashbrown::Equivalent;
use smol_str::SmolStr;

use super::Name;

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
        *self == key.view()
    }
}

impl fmt::Display for Uid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::\"{}\"", self.kind, self.id.escape_debug())
    }
}
