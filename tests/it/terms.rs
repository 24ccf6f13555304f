//! Random scopes, in the words in which people write them, and narrower and wider ones.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick::mandate::Scope;
use proptest::collection::btree_set;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use serde::Serialize;
use serde_json::Value;

use crate::any::{RESOURCES, TOOLS, values};

const AUDIENCES: &[&str] = &["https://jira.acme.example", "https://bank.acme.example"];

/// Values that bounds name, as JSON.
const TARGETS: &[&str] = &["true", "0", "1", "7", r#"{"number":"2.5"}"#, r#""a""#, r#""b""#];

/// The numbers that bounds allow at least and at most, in rising order.
const LIMITS: &[&str] = &["-1", "0", "1", "2.5", "10"];

/// The place of zero among the limits.
const ZERO: usize = 1;

/// What a scope says, in the words in which people write it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Terms {
    tools: BTreeMap<&'static str, Grant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_calls: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_depth: Option<u8>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Grant {
    #[serde(rename = "where")]
    bounds: BTreeMap<&'static str, Bound>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<BTreeSet<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audiences: Option<BTreeSet<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_calls: Option<u32>,
    autonomous: bool,
    preapproved: bool,
    beyond: Beyond,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Beyond {
    Deny,
    Ask,
}

#[derive(Debug, Clone, PartialEq)]
struct Bound {
    one_of: Option<BTreeSet<&'static str>>,
    /// Places among the limits. Where there is an upper one there is a lower one.
    at_least: Option<usize>,
    at_most: Option<usize>,
    or_absent: bool,
}

impl Serialize for Bound {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let read = |json: &&str| serde_json::from_str::<Value>(json).expect("JSON");
        let mut parts = serde_json::Map::new();
        if let Some(targets) = &self.one_of {
            parts.insert("one_of".to_owned(), targets.iter().map(read).collect());
        }
        // From zero on, if nothing else is said.
        if let Some(low) = self.at_least.filter(|low| *low != ZERO || self.at_most.is_none()) {
            parts.insert("at_least".to_owned(), LIMITS[low].into());
        }
        if let Some(high) = self.at_most {
            parts.insert("at_most".to_owned(), LIMITS[high].into());
        }
        parts.insert("or_absent".to_owned(), self.or_absent.into());
        parts.serialize(serializer)
    }
}

impl Terms {
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).expect("JSON")
    }

    pub(crate) fn scope(&self) -> Scope {
        serde_json::from_str(&self.json()).expect("a scope")
    }

    /// What both allow: narrower than either.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let both = |(tool, grant): (&&'static str, &Grant)| Some((*tool, grant.and(other.tools.get(tool)?)));
        Self {
            tools: self.tools.iter().filter_map(both).collect(),
            max_calls: least(self.max_calls, other.max_calls),
            // Said by neither, nothing is delegable.
            max_depth: self.max_depth.zip(other.max_depth).map(|(one, other)| one.min(other)),
        }
    }

    /// The same, with so many agents below.
    pub(crate) fn delegable(self, max_depth: Option<u8>) -> Self {
        Self { max_depth, ..self }
    }
}

/// One way to say more.
#[derive(Debug, Clone, Copy)]
enum More {
    Calls,
    Depth,
    ToolCalls,
    Resources,
    Audiences,
    Autonomous,
    Preapproved,
    Ask,
    NoBound,
    OrAbsent,
    AnyValue,
    Value,
    NoLimit,
    Lower,
    Higher,
}

/// Any of them; those of bounds more often, since there are more ways to be wrong.
fn more() -> impl Strategy<Value = More> {
    use More::{
        AnyValue, Ask, Audiences, Autonomous, Calls, Depth, Higher, Lower, NoBound, NoLimit, OrAbsent, Preapproved,
        Resources, ToolCalls, Value,
    };
    prop_oneof![
        1 => select(&[Calls, Depth, ToolCalls, Resources, Audiences, Autonomous, Preapproved, Ask]),
        3 => select(&[NoBound, OrAbsent, AnyValue, Value, NoLimit, Lower, Higher]),
    ]
}

impl Terms {
    /// The same, with more in one place, if there is such a place.
    fn with(mut self, more: More, at: &Index) -> Self {
        use More::{AnyValue, Higher, Lower, NoBound, NoLimit, OrAbsent, Value};
        let of_bounds = matches!(more, NoBound | OrAbsent | AnyValue | Value | NoLimit | Lower | Higher);
        let grants = self.tools.values_mut().filter(|grant| !of_bounds || !grant.bounds.is_empty());
        match (more, grants.collect::<Vec<_>>()) {
            (More::Calls, _) => self.max_calls = None,
            (More::Depth, _) => self.max_depth = Some(8),
            (_, mut grants) if !grants.is_empty() => at.get_mut(&mut grants).widen(more, at),
            _ => {}
        }
        self
    }
}

impl Grant {
    fn widen(&mut self, more: More, at: &Index) {
        match more {
            More::Calls | More::Depth => {}
            More::ToolCalls => self.max_calls = None,
            More::Resources => self.resources = None,
            More::Audiences => self.audiences = None,
            More::Autonomous => self.autonomous = true,
            More::Preapproved => self.preapproved = true,
            More::Ask => self.beyond = Beyond::Ask,
            More::NoBound => drop(self.bounds.pop_first()),
            More::OrAbsent => self.bound(at).or_absent = true,
            More::AnyValue => self.bound(at).forget_values(),
            More::Value => {
                let place = at.index(self.bounds.len());
                let (argument, bound) = self.bounds.iter_mut().nth(place).expect("a bound");
                let target = *at.get(&likely(argument));
                bound.one_of.iter_mut().for_each(|targets| targets.extend([target]));
            }
            More::NoLimit => self.bound(at).forget_limits(),
            More::Lower => self.bound(at).at_least.iter_mut().for_each(|limit| *limit = 0),
            More::Higher => self.bound(at).at_most.iter_mut().for_each(|limit| *limit = LIMITS.len() - 1),
        }
    }

    fn bound(&mut self, at: &Index) -> &mut Bound {
        let place = at.index(self.bounds.len());
        self.bounds.values_mut().nth(place).expect("a bound")
    }

    fn and(&self, other: &Self) -> Self {
        let mut bounds = self.bounds.clone();
        for (name, bound) in &other.bounds {
            let met = bounds.get(name).map_or_else(|| bound.clone(), |own| own.and(bound));
            bounds.insert(*name, met);
        }
        Self {
            bounds,
            resources: common(&self.resources, &other.resources),
            audiences: common(&self.audiences, &other.audiences),
            max_calls: least(self.max_calls, other.max_calls),
            autonomous: self.autonomous && other.autonomous,
            preapproved: self.preapproved && other.preapproved,
            beyond: self.beyond.min(other.beyond),
        }
    }
}

impl Bound {
    /// A bound says something: either values or limits stay.
    fn forget_values(&mut self) {
        if self.at_least.is_some() {
            self.one_of = None;
        }
    }

    fn forget_limits(&mut self) {
        if self.one_of.is_some() {
            (self.at_least, self.at_most) = (None, None);
        }
    }

    fn and(&self, other: &Self) -> Self {
        Self {
            one_of: common(&self.one_of, &other.one_of),
            at_least: self.at_least.max(other.at_least),
            at_most: least(self.at_most, other.at_most),
            or_absent: self.or_absent && other.or_absent,
        }
    }
}

/// The smaller limit; none is the largest.
fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    one.into_iter().chain(other).min()
}

/// What is in both sets; none is everything.
fn common(
    one: &Option<BTreeSet<&'static str>>,
    other: &Option<BTreeSet<&'static str>>,
) -> Option<BTreeSet<&'static str>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one & other),
        (one, other) => one.clone().or_else(|| other.clone()),
    }
}

/// Any scope, wide more often than narrow.
pub(crate) fn terms() -> impl Strategy<Value = Terms> {
    let tools = subsequence(TOOLS.to_vec(), 4..=TOOLS.len());
    let granted = tools
        .prop_flat_map(|tools| tools.into_iter().map(|(tool, names)| (Just(tool), grant(names))).collect::<Vec<_>>());
    let depth = proptest::option::of(1_u8..=8);
    (granted, calls(), depth).prop_map(|(tools, max_calls, max_depth)| Terms {
        tools: tools.into_iter().collect(),
        max_calls,
        max_depth,
    })
}

/// A scope, and the same with more in one place.
pub(crate) fn near() -> impl Strategy<Value = (Terms, Terms)> {
    (terms(), more(), any::<Index>()).prop_map(|(terms, more, at)| (terms.clone(), terms.with(more, &at)))
}

/// Two scopes: any two, or one within the other, or one that is so but for one place.
pub(crate) fn pair() -> impl Strategy<Value = (Terms, Terms)> {
    let spoilt = proptest::option::weighted(0.6, (more(), any::<Index>()));
    (terms(), terms(), proptest::bool::weighted(0.8), spoilt).prop_map(|(one, wide, related, spoilt)| {
        let narrow = if related { one.and(&wide) } else { one };
        let narrow = spoilt.map_or(narrow.clone(), |(more, at)| narrow.with(more, &at));
        (narrow, wide)
    })
}

/// Two scopes of one tool with one bound, on its argument `blob`, as in [`pair`].
pub(crate) fn bounded_pair() -> impl Strategy<Value = (Terms, Terms)> {
    let bounded = |bound| {
        let grant = Grant {
            bounds: BTreeMap::from([("blob", bound)]),
            resources: None,
            audiences: None,
            max_calls: None,
            autonomous: true,
            preapproved: true,
            beyond: Beyond::Deny,
        };
        Terms { tools: BTreeMap::from([("everything", grant)]), max_calls: None, max_depth: None }
    };
    (bound("blob"), bound("blob"), any::<bool>(), proptest::option::of((more(), any::<Index>()))).prop_map(
        move |(one, wide, related, spoilt)| {
            let narrow = bounded(if related { one.and(&wide) } else { one });
            let narrow = spoilt.map_or(narrow.clone(), |(more, at)| narrow.with(more, &at));
            (narrow, bounded(wide))
        },
    )
}

fn grant(names: &'static [&'static str]) -> impl Strategy<Value = Grant> {
    let bound_names = subsequence(names.to_vec(), names.len().min(2)..=names.len().min(4));
    let bounds =
        bound_names.prop_flat_map(|names| names.into_iter().map(|name| (Just(name), bound(name))).collect::<Vec<_>>());
    (
        bounds,
        proptest::option::weighted(0.3, btree_set(select(RESOURCES), 1..3)),
        proptest::option::weighted(0.3, btree_set(select(AUDIENCES), 1..3)),
        calls(),
        any::<bool>(),
        any::<bool>(),
        select(vec![Beyond::Deny, Beyond::Ask]),
    )
        .prop_map(|(bounds, resources, audiences, max_calls, autonomous, preapproved, beyond)| Grant {
            bounds: bounds.into_iter().collect(),
            resources,
            audiences,
            max_calls,
            autonomous,
            preapproved,
            beyond,
        })
}

fn bound(argument: &'static str) -> impl Strategy<Value = Bound> {
    let target = prop_oneof![4 => select(likely(argument)), 1 => select(TARGETS)];
    let values = proptest::option::of(btree_set(target, 0..4));
    let limit = 0..LIMITS.len();
    (values, any::<bool>(), limit.clone(), proptest::option::weighted(0.8, limit), any::<bool>()).prop_map(
        |(one_of, limited, low, at_most, or_absent)| {
            if one_of.is_some() && !limited {
                return Bound { one_of, at_least: None, at_most: None, or_absent };
            }
            let at_least = Some(low.min(at_most.unwrap_or(low)));
            Bound { one_of, at_least, at_most, or_absent }
        },
    )
}

/// The targets that a call could give to the argument, alone or in an array.
fn likely(argument: &str) -> Vec<&'static str> {
    let written = |target: &&&str| {
        let written = target.trim_start_matches(r#"{"number":""#).trim_end_matches(r#""}"#);
        values(argument).iter().any(|value| value.contains(written))
    };
    TARGETS.iter().filter(written).copied().collect()
}

fn calls() -> impl Strategy<Value = Option<u32>> {
    proptest::option::weighted(0.3, 0_u32..4)
}
