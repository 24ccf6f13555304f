//! The index: which policies can matter for a request, by the parts of their scopes.
//!
//! Leaving out by scope is exact: a scope cannot err, and Cedar does not look at the conditions of a policy whose scope
//! does not match either.

use hashbrown::{Equivalent, HashMap};
use smallvec::SmallVec;

use super::asked::{Asked, Known};
use super::rule::{Actions, Rule, Scope};
use super::uid::Uid;
use super::{EntityUid, Name};

/// Policies by action, then by principal or resource; each policy by its number.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Index {
    buckets: Vec<Bucket>,
    by_action: HashMap<Key, usize>,
}

/// The policies that one part of an action scope leaves.
#[derive(Debug, Clone, Default)]
struct Bucket {
    by_principal: HashMap<Key, Vec<u32>>,
    by_resource: HashMap<Key, Vec<u32>>,
    rest: Vec<u32>,
}

/// What a scope says of one entity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Equal(EntityUid),
    In(EntityUid),
    Is(Name),
}

/// A [`Key`], wherever its parts are.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Look<'a> {
    Equal(Uid<'a>),
    In(Uid<'a>),
    Is(&'a Name),
}

impl Equivalent<Key> for Look<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        match (self, key) {
            (Look::Equal(uid), Key::Equal(own)) | (Look::In(uid), Key::In(own)) => *uid == own.view(),
            (Look::Is(kind), Key::Is(own)) => *kind == own,
            _ => false,
        }
    }
}

/// The buckets that can matter for one action.
pub(in crate::policy) type Buckets = SmallVec<[usize; 8]>;

impl Index {
    pub(in crate::policy) fn new<'r>(rules: impl Iterator<Item = &'r Rule>) -> Self {
        let mut index = Self { buckets: vec![Bucket::default()], by_action: HashMap::new() };
        for (number, rule) in (0..).zip(rules) {
            match &rule.actions {
                Actions::Any => index.put(0, rule, number),
                Actions::Equal(action) => index.enter(Key::Equal(action.clone()), rule, number),
                Actions::In(actions) => {
                    for (place, action) in actions.iter().enumerate() {
                        if !actions.iter().take(place).any(|earlier| earlier == action) {
                            index.enter(Key::In(action.clone()), rule, number);
                        }
                    }
                }
            }
        }
        index
    }

    fn enter(&mut self, key: Key, rule: &Rule, number: u32) {
        let fresh = self.buckets.len();
        let place = *self.by_action.entry(key).or_insert(fresh);
        if place == fresh {
            self.buckets.push(Bucket::default());
        }
        self.put(place, rule, number);
    }

    fn put(&mut self, place: usize, rule: &Rule, number: u32) {
        let Some(bucket) = self.buckets.get_mut(place) else { return };
        let list = match (key(&rule.principal), key(&rule.resource)) {
            (Some(key @ (Key::Equal(_) | Key::In(_))), _) => bucket.by_principal.entry(key).or_default(),
            (_, Some(key)) => bucket.by_resource.entry(key).or_default(),
            (Some(key), None) => bucket.by_principal.entry(key).or_default(),
            (None, None) => &mut bucket.rest,
        };
        list.push(number);
    }

    /// The buckets for this action.
    pub(in crate::policy) fn buckets(&self, action: &Known<'_>) -> Buckets {
        let ancestors = action.data.map_or(&[][..], |data| data.ancestors);
        let groups = ancestors.iter().map(|group| Look::In(group.view()));
        let looks = [Look::Equal(action.uid), Look::In(action.uid)].into_iter().chain(groups);
        std::iter::once(0).chain(looks.filter_map(|look| self.by_action.get(&look).copied())).collect()
    }

    /// Visits the policies that can matter; one that names several actions maybe twice.
    #[inline]
    pub(in crate::policy) fn each(&self, buckets: &[usize], asked: &Asked<'_>, mut visit: impl FnMut(u32)) {
        for bucket in buckets.iter().filter_map(|place| self.buckets.get(*place)) {
            look(&bucket.by_principal, &asked.principal, &mut visit);
            look(&bucket.by_resource, &asked.resource, &mut visit);
            bucket.rest.iter().copied().for_each(&mut visit);
        }
    }

    /// Every policy in these buckets, whoever asks.
    pub(in crate::policy) fn all(&self, buckets: &[usize]) -> impl Iterator<Item = u32> {
        buckets.iter().filter_map(|place| self.buckets.get(*place)).flat_map(|bucket| {
            let lists = bucket.by_principal.values().chain(bucket.by_resource.values());
            lists.flatten().chain(&bucket.rest).copied()
        })
    }
}

fn key(scope: &Scope) -> Option<Key> {
    match scope {
        Scope::Any => None,
        Scope::Equal(uid) => Some(Key::Equal(uid.clone())),
        Scope::In(group) | Scope::IsIn(_, group) => Some(Key::In(group.clone())),
        Scope::Is(kind) => Some(Key::Is(kind.clone())),
    }
}

fn look(map: &HashMap<Key, Vec<u32>>, known: &Known<'_>, visit: &mut impl FnMut(u32)) {
    if map.is_empty() {
        return;
    }
    let ancestors = known.data.map_or(&[][..], |data| data.ancestors);
    let groups = ancestors.iter().map(|group| Look::In(group.view()));
    let own = [Look::Equal(known.uid), Look::In(known.uid), Look::Is(known.uid.kind)];
    for numbers in own.into_iter().chain(groups).filter_map(|look| map.get(&look)) {
        numbers.iter().copied().for_each(&mut *visit);
    }
}
