//! Entities: attributes, tags, and what each is a member of, directly or not.

use std::collections::BTreeSet;

use super::uid::{Uid, UidMap};
use super::value::Shared;
use super::view::Part;
use super::{EntityUid, Record};

/// One entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    uid: EntityUid,
    attributes: Record,
    tags: Option<Box<Record>>,
    parents: Box<[EntityUid]>,
}

impl Entity {
    /// An entity with these attributes, and no parents.
    pub fn new(uid: EntityUid, attributes: Record) -> Self {
        Self { uid, attributes, tags: None, parents: Box::default() }
    }

    /// A member of these.
    #[must_use]
    pub fn within(mut self, parents: impl IntoIterator<Item = EntityUid>) -> Self {
        self.parents = parents.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        self
    }

    /// With these tags.
    #[must_use]
    pub fn tagged(mut self, tags: Record) -> Self {
        self.tags = Some(Box::new(tags));
        self
    }

    /// What names it.
    pub fn uid(&self) -> &EntityUid {
        &self.uid
    }

    /// Its attributes.
    pub fn attributes(&self) -> &Record {
        &self.attributes
    }

    /// Its tags.
    pub fn tags(&self) -> impl Iterator<Item = (&super::Name, &super::Value)> {
        self.tags.iter().flat_map(|tags| tags.iter())
    }

    /// What it is a member of: as it was made, directly; in a store, indirectly as well.
    pub fn ancestors(&self) -> &[EntityUid] {
        &self.parents
    }
}

/// Entities were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntitiesError {
    /// Two entities have one name.
    #[error("there are two entities {0}")]
    Duplicate(EntityUid),
    /// An entity is a member of itself, perhaps through others.
    #[error("the entity {0} is a member of itself")]
    Cycle(EntityUid),
    /// Groups within groups, more than are followed.
    #[error("the entity {uid} is a member of more than {max} others")]
    TooManyAncestors {
        /// The entity.
        uid: EntityUid,
        /// The bound.
        max: usize,
    },
    /// More entities than are kept.
    #[error("there are more than {max} entities")]
    TooMany {
        /// The bound.
        max: usize,
    },
    /// A value is none that policies can see.
    #[error("the entity {uid} has no readable {member}")]
    Unreadable {
        /// The entity.
        uid: EntityUid,
        /// What of it.
        member: crate::id::Found,
    },
}

/// Entities at most.
const MAX_ENTITIES: usize = 1_000_000;
/// Ancestors of one entity at most.
const MAX_ANCESTORS: usize = 1_000;

/// A store of entities, each by its name, with everything that it is a member of.
#[derive(Debug, Clone, Default)]
pub struct Entities(UidMap<Box<Stored>>);

/// An entity without its name, which is the key.
#[derive(Debug, Clone)]
struct Stored {
    attributes: Record,
    tags: Option<Box<Record>>,
    ancestors: Box<[EntityUid]>,
}

impl Entities {
    /// No entities.
    pub fn none() -> Self {
        Self::default()
    }

    /// These entities. Parents need not be among them.
    ///
    /// # Errors
    ///
    /// Two of one name, a member of itself, or a bound: a million entities, a thousand ancestors of each.
    pub fn new(entities: impl IntoIterator<Item = Entity>) -> Result<Self, EntitiesError> {
        let (mut store, mut shared) = (UidMap::<Box<Stored>>::default(), Shared::default());
        for Entity { mut uid, mut attributes, tags, mut parents } in entities {
            uid.share(&mut shared);
            parents.iter_mut().for_each(|parent| parent.share(&mut shared));
            attributes.share(&mut shared);
            if store.len() >= MAX_ENTITIES {
                return Err(EntitiesError::TooMany { max: MAX_ENTITIES });
            }
            if store.get(uid.view()).is_some() {
                return Err(EntitiesError::Duplicate(uid));
            }
            store.insert(uid, Box::new(Stored { attributes, tags, ancestors: parents }));
        }
        let closed: Vec<(EntityUid, Box<[EntityUid]>)> = store
            .iter()
            .map(|(uid, _)| Ok((uid.clone(), ancestors(&store, uid)?)))
            .collect::<Result<_, EntitiesError>>()?;
        for (uid, ancestors) in closed {
            if let Some(stored) = store.get_mut(uid.view()) {
                stored.ancestors = ancestors;
            }
        }
        Ok(Self(store))
    }

    /// Entities that came out of a store: each once, with everything above it.
    pub(super) fn closed(entities: impl IntoIterator<Item = Entity>) -> Self {
        let stored = |Entity { uid, attributes, tags, parents }| {
            (uid, Box::new(Stored { attributes, tags, ancestors: parents }))
        };
        Self(entities.into_iter().map(stored).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every entity, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Entity> {
        self.0.iter().map(|(uid, stored)| Entity {
            uid: uid.clone(),
            attributes: stored.attributes.clone(),
            tags: stored.tags.clone(),
            parents: stored.ancestors.clone(),
        })
    }

    pub(in crate::policy) fn get(&self, uid: Uid<'_>) -> Option<Data<'_>> {
        let stored = self.0.get(uid)?;
        Some(Data {
            fields: Part::Stored(&stored.attributes),
            tags: stored.tags.as_deref(),
            ancestors: &stored.ancestors,
        })
    }
}

/// Everything above `uid`, sorted.
fn ancestors(store: &UidMap<Box<Stored>>, uid: &EntityUid) -> Result<Box<[EntityUid]>, EntitiesError> {
    let parents = |uid: &EntityUid| store.get(uid.view()).map_or(&[][..], |stored| &stored.ancestors);
    let mut above: BTreeSet<&EntityUid> = BTreeSet::new();
    let mut open: Vec<&EntityUid> = parents(uid).iter().collect();
    while let Some(next) = open.pop() {
        if next == uid {
            return Err(EntitiesError::Cycle(uid.clone()));
        }
        if above.insert(next) {
            open.extend(parents(next));
        }
        if above.len() > MAX_ANCESTORS {
            return Err(EntitiesError::TooManyAncestors { uid: uid.clone(), max: MAX_ANCESTORS });
        }
    }
    Ok(above.into_iter().cloned().collect())
}

/// What a policy can see of an entity.
#[derive(Clone, Copy)]
pub(in crate::policy) struct Data<'a> {
    pub(in crate::policy) fields: Part<'a>,
    pub(in crate::policy) tags: Option<&'a Record>,
    /// Sorted.
    pub(in crate::policy) ancestors: &'a [EntityUid],
}

impl Data<'_> {
    pub(in crate::policy) fn is_within(&self, group: Uid<'_>) -> bool {
        if self.ancestors.len() <= 4 {
            return self.ancestors.iter().any(|ancestor| ancestor.view() == group);
        }
        self.ancestors.binary_search_by(|ancestor| ancestor.view().cmp(&group)).is_ok()
    }
}
