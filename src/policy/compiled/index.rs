//! The index: which policies can matter for a request, by the parts of their scopes.
//!
//! Leaving out by scope is exact: a scope cannot err, and Cedar does not look at the conditions of a policy whose scope
//! does not match either.

use hashbrown::HashMap;

use super::asked::{Asked, Known};
use super::rule::{Actions, Rule, Scope};
use super::uid::UidMap;
use super::{EntityUid, Name};

/// Policies by action, then by principal or resource; each policy by its number.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Index {
    buckets: Vec<Bucket>,
    by_action: UidMap<Places>,
}

/// The buckets of the policies that name one action, and of those that name it as a group.
#[derive(Debug, Clone, Copy, Default)]
struct Places {
    equal: Option<usize>,
    within: Option<usize>,
}

/// The policies that one part of an action scope leaves.
#[derive(Debug, Clone, Default)]
struct Bucket {
    by_principal: Part,
    by_resource: Part,
    rest: Vec<u32>,
}

/// Policies by what their scopes say of one variable.
#[derive(Debug, Clone, Default)]
struct Part {
    by_uid: UidMap<Lists>,
    by_kind: HashMap<Name, Vec<u32>>,
    /// Whether some name a group.
    has_groups: bool,
}

/// The policies that name one entity, and those that name it as a group.
#[derive(Debug, Clone, Default)]
struct Lists {
    equal: Vec<u32>,
    within: Vec<u32>,
}

impl Index {
    pub(in crate::policy) fn new<'r>(rules: impl Iterator<Item = &'r Rule>) -> Self {
        let mut index = Self { buckets: vec![Bucket::default()], by_action: UidMap::default() };
        for (number, rule) in (0..).zip(rules) {
            match &rule.actions {
                Actions::Any => index.put(0, rule, number),
                Actions::Equal(action) => index.enter(action, |places| &mut places.equal, rule, number),
                Actions::In(actions) => {
                    for (place, action) in actions.iter().enumerate() {
                        if !actions.iter().take(place).any(|earlier| earlier == action) {
                            index.enter(action, |places| &mut places.within, rule, number);
                        }
                    }
                }
            }
        }
        index
    }

    fn enter(&mut self, action: &EntityUid, place: fn(&mut Places) -> &mut Option<usize>, rule: &Rule, number: u32) {
        let fresh = self.buckets.len();
        let place = self.by_action.change(action, |places| *place(places).get_or_insert(fresh));
        if place == fresh {
            self.buckets.push(Bucket::default());
        }
        self.put(place, rule, number);
    }

    fn put(&mut self, place: usize, rule: &Rule, number: u32) {
        let Some(bucket) = self.buckets.get_mut(place) else { return };
        let Bucket { by_principal, by_resource, rest } = bucket;
        let is_wide = |scope: &Scope| matches!(scope, Scope::Any | Scope::Is(_));
        // An entity or a group leaves less than a type.
        match (&rule.principal, &rule.resource) {
            (Scope::Any, Scope::Any) => rest.push(number),
            (principal, resource) if *principal == Scope::Any || (is_wide(principal) && !is_wide(resource)) => {
                by_resource.put(resource, number);
            }
            (principal, _) => by_principal.put(principal, number),
        }
    }

    /// Visits the places of the buckets for this action.
    #[inline]
    pub(in crate::policy) fn buckets(&self, action: &Known<'_>, mut visit: impl FnMut(usize)) {
        visit(0);
        if let Some(places) = self.by_action.get(action.uid) {
            places.equal.into_iter().chain(places.within).for_each(&mut visit);
        }
        for group in action.data.map_or(&[][..], |data| data.ancestors) {
            self.by_action.get(group.view()).and_then(|places| places.within).into_iter().for_each(&mut visit);
        }
    }

    /// Visits the policies in one bucket that can matter; one that names several actions is in several buckets.
    #[inline]
    pub(in crate::policy) fn each(&self, bucket: usize, asked: &Asked<'_>, mut visit: impl FnMut(u32)) {
        let Some(Bucket { by_principal, by_resource, rest }) = self.buckets.get(bucket) else { return };
        rest.iter().copied().for_each(&mut visit);
        by_principal.each(&asked.principal, &mut visit);
        by_resource.each(&asked.resource, &mut visit);
    }

    /// Whether any policy is in the bucket.
    pub(in crate::policy) fn has_some(&self, bucket: usize) -> bool {
        self.all(&[bucket]).next().is_some()
    }

    /// Every policy in these buckets, whoever asks.
    pub(in crate::policy) fn all(&self, buckets: &[usize]) -> impl Iterator<Item = u32> {
        buckets
            .iter()
            .filter_map(|place| self.buckets.get(*place))
            .flat_map(|bucket| bucket.by_principal.all().chain(bucket.by_resource.all()).chain(&bucket.rest).copied())
    }
}

impl Part {
    fn put(&mut self, scope: &Scope, number: u32) {
        match scope {
            Scope::Equal(uid) => self.by_uid.change(uid, |lists| lists.equal.push(number)),
            Scope::In(group) | Scope::IsIn(_, group) => {
                self.has_groups = true;
                self.by_uid.change(group, |lists| lists.within.push(number));
            }
            Scope::Is(kind) => self.by_kind.entry(kind.clone()).or_default().push(number),
            // What says nothing of the variable is not put here.
            Scope::Any => {}
        }
    }

    #[inline]
    fn each(&self, known: &Known<'_>, visit: &mut impl FnMut(u32)) {
        if !self.by_uid.is_empty() {
            if let Some(lists) = self.by_uid.get(known.uid) {
                lists.equal.iter().chain(&lists.within).copied().for_each(&mut *visit);
            }
            let groups = known.data.filter(|_| self.has_groups).map_or(&[][..], |data| data.ancestors);
            for lists in groups.iter().filter_map(|group| self.by_uid.get(group.view())) {
                lists.within.iter().copied().for_each(&mut *visit);
            }
        }
        if !self.by_kind.is_empty()
            && let Some(numbers) = self.by_kind.get(known.uid.kind)
        {
            numbers.iter().copied().for_each(visit);
        }
    }

    fn all(&self) -> impl Iterator<Item = &u32> {
        let lists = self.by_uid.iter().flat_map(|(_, lists)| lists.equal.iter().chain(&lists.within));
        lists.chain(self.by_kind.values().flatten())
    }
}
