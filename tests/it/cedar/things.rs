//! Values, each as Cedar's, as ours and as policy text: from pools so small that they meet.

use std::fmt;

use bailiwick::policy::compiled::{EntityUid, IpNet, Name, Record, Value};
use cedar_policy::{EntityId, RestrictedExpression};

use super::dice::Dice;

/// The types of values that the generators tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Long,
    Text,
    Decimal,
    Datetime,
    Duration,
    Ip,
    Entity,
    Longs,
    Texts,
    Entities,
    /// A set of anything.
    Mixed,
    Record,
}

pub(crate) const KINDS: &[Kind] = &[
    Kind::Bool,
    Kind::Long,
    Kind::Text,
    Kind::Decimal,
    Kind::Datetime,
    Kind::Duration,
    Kind::Ip,
    Kind::Entity,
    Kind::Longs,
    Kind::Texts,
    Kind::Entities,
    Kind::Mixed,
    Kind::Record,
];

/// The attributes that entities, contexts and records have, if nothing went wrong.
pub(crate) const ATTRIBUTES: &[(&str, Kind)] = &[
    ("flag", Kind::Bool),
    ("if", Kind::Bool),
    ("n", Kind::Long),
    ("odd name", Kind::Long),
    ("Ü\"\\\n", Kind::Long),
    ("name", Kind::Text),
    ("", Kind::Text),
    ("price", Kind::Decimal),
    ("at", Kind::Datetime),
    ("ttl", Kind::Duration),
    ("address", Kind::Ip),
    ("owner", Kind::Entity),
    ("a_name_that_is_longer_than_any_other", Kind::Entity),
    ("numbers", Kind::Longs),
    ("words", Kind::Texts),
    ("groups", Kind::Entities),
    ("mixed", Kind::Mixed),
    ("inner", Kind::Record),
];

/// The tags of entities, likewise.
pub(crate) const TAGS: &[(&str, Kind)] = &[
    ("level", Kind::Long),
    ("a*b", Kind::Text),
    ("lead", Kind::Entity),
    ("", Kind::Texts),
    ("open", Kind::Bool),
    ("when", Kind::Datetime),
    ("parts", Kind::Record),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Uid {
    pub(crate) kind: &'static str,
    pub(crate) id: &'static str,
}

const fn uid(kind: &'static str, id: &'static str) -> Uid {
    Uid { kind, id }
}

/// Every entity; those further down may be groups of those further up.
pub(crate) const UIDS: &[Uid] = &[
    uid("User", "a"),
    uid("User", "b"),
    uid("User", ""),
    uid("Space::Doc", "a"),
    uid("Space::Doc", "odd \"\\\nü 💡 of more than a few bytes"),
    uid("Action", "read"),
    uid("Action", "write"),
    uid("Space::Action", "read"),
    uid("Team", "a"),
    uid("Team", "b"),
    uid("Deep::Name::Of::Group", "x"),
    uid("Action", "any"),
    uid("Action", "all"),
    uid("Space::Action", "any"),
];

/// Where the groups begin in [`UIDS`].
pub(crate) const GROUPS: usize = 8;

pub(crate) const TYPES: &[&str] = &["User", "Space::Doc", "Doc", "Action", "Space::Action", "Team", "Nobody"];

const LONGS: &[i64] =
    &[0, 1, 1, 2, 3, -1, 10, 100, 86_400_000, 3_037_000_500, 1 << 62, i64::MAX - 1, i64::MAX, i64::MIN, i64::MIN + 1];
const TEXTS: &[&str] = &["", "a", "b", "ab", "a*b", "level", "lead", "ü\"\\\n💡", "name", "abracadabra, of more bytes"];
pub(crate) const DECIMAL_TEXTS: &[&str] =
    &["1.0", "1.0000", "0.5", "-0.5", "1.2345", "922337203685477.5807", "1.00000", "1", ""];
pub(crate) const DATETIME_TEXTS: &[&str] = &[
    "1970-01-01",
    "2024-02-29",
    "2024-02-29T23:59:59.999Z",
    "2024-03-01T01:29:59.999+0130",
    "2023-02-29",
    "2024-02-29T24:00:00Z",
    "a",
];
pub(crate) const DURATION_TEXTS: &[&str] = &["0ms", "1d", "24h", "-1ms", "1d1h1m1s1ms", "1h1d", "106751991168d", ""];
pub(crate) const IP_TEXTS: &[&str] =
    &["10.0.0.1", "10.0.0.1/32", "10.0.0.0/8", "::1", "::1/128", "::ffff:1.2.3.4", "10.0.0.256", "1.2.3.4/33"];

const DECIMALS: &[i64] = &[0, 10_000, 5_000, -5_000, 12_345, i64::MAX, i64::MIN];
const DATETIMES: &[(i64, &str)] = &[
    (0, "1970-01-01"),
    (1_709_164_800_000, "2024-02-29"),
    (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
    (-1_000, "1969-12-31T23:59:59Z"),
    (-62_167_219_200_000, "0000-01-01"),
    (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    (i64::MAX, ""),
    (i64::MIN, ""),
];
const DURATIONS: &[i64] = &[0, 1, -1, 86_400_000, 3_600_000, 90_061_001, i64::MAX, i64::MIN];
const IPS: &[&str] = &[
    "10.0.0.1",
    "10.0.0.0/8",
    "10.0.0.1/31",
    "127.0.0.1",
    "127.0.0.0/7",
    "224.0.0.1",
    "0.0.0.0/0",
    "::1",
    "ff02::1/16",
    "::ffff:a00:1",
    "::/0",
];

#[derive(Debug, Clone)]
pub(crate) enum Thing {
    Bool(bool),
    Long(i64),
    Text(&'static str),
    /// In ten-thousandths.
    Decimal(i64),
    /// In milliseconds, as are durations.
    Datetime(i64),
    Duration(i64),
    Ip(&'static str),
    Entity(Uid),
    Set(Vec<Thing>),
    Record(Things),
}

pub(crate) type Things = Vec<(&'static str, Thing)>;

impl Thing {
    /// A value of this kind, with no more than so many levels of sets and records in it.
    pub(crate) fn of(dice: &mut Dice<'_>, kind: Kind, depth: usize) -> Self {
        match kind {
            Kind::Bool => Self::Bool(dice.below(3) > 0),
            Kind::Long if dice.one_in(24) => Self::Long(dice.number()),
            Kind::Long => Self::Long(dice.pick(LONGS)),
            Kind::Text if dice.one_in(4) => {
                let texts = dice.pick(&[DECIMAL_TEXTS, DATETIME_TEXTS, DURATION_TEXTS, IP_TEXTS]);
                Self::Text(dice.pick(texts))
            }
            Kind::Text => Self::Text(dice.pick(TEXTS)),
            Kind::Decimal => Self::Decimal(dice.pick(DECIMALS)),
            Kind::Datetime => Self::Datetime(dice.pick(DATETIMES).0),
            Kind::Duration => Self::Duration(dice.pick(DURATIONS)),
            Kind::Ip => Self::Ip(dice.pick(IPS)),
            Kind::Entity => Self::Entity(dice.pick(UIDS)),
            Kind::Longs => Self::set(dice, &[Kind::Long], depth),
            Kind::Texts => Self::set(dice, &[Kind::Text], depth),
            Kind::Entities => Self::set(dice, &[Kind::Entity], depth),
            Kind::Mixed => Self::set(dice, KINDS, depth),
            Kind::Record if depth == 0 => Self::Record(Vec::new()),
            Kind::Record => Self::Record(things(dice, (ATTRIBUTES, 3), depth - 1)),
        }
    }

    fn set(dice: &mut Dice<'_>, kinds: &[Kind], depth: usize) -> Self {
        // Small sets are searched otherwise than large ones.
        let most = if dice.one_in(4) { 12 } else { 4 };
        let count = if depth == 0 { 0 } else { dice.below(most) };
        let member = |_| {
            let kind = dice.pick(kinds);
            Self::of(dice, kind, depth - 1)
        };
        Self::Set((0..count).map(member).collect())
    }

    pub(crate) fn cedar(&self) -> RestrictedExpression {
        match self {
            Self::Bool(value) => RestrictedExpression::new_bool(*value),
            Self::Long(value) => RestrictedExpression::new_long(*value),
            Self::Text(text) => RestrictedExpression::new_string((*text).to_owned()),
            Self::Decimal(value) => RestrictedExpression::new_decimal(plain_decimal(*value)),
            Self::Duration(value) => RestrictedExpression::new_duration(format!("{value}ms")),
            Self::Ip(text) => RestrictedExpression::new_ip(text),
            Self::Entity(uid) => RestrictedExpression::new_entity_uid(uid.cedar()),
            Self::Datetime(value) => match date(*value) {
                Some(text) => RestrictedExpression::new_datetime(text),
                None => self.to_string().parse().unwrap(),
            },
            Self::Set(members) => RestrictedExpression::new_set(members.iter().map(Self::cedar)),
            Self::Record(members) => RestrictedExpression::new_record(cedar_pairs(members)).unwrap(),
        }
    }

    pub(crate) fn ours(&self) -> Value {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::Long(value) => Value::Long(*value),
            Self::Text(text) => Value::text(text),
            Self::Decimal(value) => Value::Decimal(*value),
            Self::Datetime(value) => Value::Datetime(*value),
            Self::Duration(value) => Value::Duration(*value),
            Self::Ip(text) => Value::Ip(IpNet::parse(text).unwrap()),
            Self::Entity(uid) => uid.ours().into(),
            Self::Set(members) => Value::Set(members.iter().map(Self::ours).collect()),
            Self::Record(members) => Value::Record(our_record(members)),
        }
    }
}

/// Nearly all of the named values, nearly all of their kinds; of `few`, one in so many.
pub(crate) fn things(
    dice: &mut Dice<'_>,
    (names, few): (&[(&'static str, Kind)], usize),
    depth: usize,
) -> Vec<(&'static str, Thing)> {
    let mut things = Vec::new();
    for (name, kind) in names {
        let is_there = if few == 0 { !dice.one_in(24) } else { dice.one_in(few) };
        if is_there {
            let kind = if dice.one_in(48) { dice.pick(KINDS) } else { *kind };
            things.push((*name, Thing::of(dice, kind, depth)));
        }
    }
    things
}

pub(crate) fn cedar_pairs(things: &[(&'static str, Thing)]) -> Vec<(String, RestrictedExpression)> {
    things.iter().map(|(name, thing)| ((*name).to_owned(), thing.cedar())).collect()
}

pub(crate) fn our_record(things: &[(&'static str, Thing)]) -> Record {
    things.iter().map(|(name, thing)| (Name::new(name), thing.ours())).collect()
}

impl Uid {
    pub(crate) fn cedar(self) -> cedar_policy::EntityUid {
        cedar_policy::EntityUid::from_type_name_and_id(self.kind.parse().unwrap(), EntityId::new(self.id))
    }

    pub(crate) fn ours(self) -> EntityUid {
        EntityUid::new(Name::new(self.kind), self.id)
    }

    pub(crate) fn is_action(self) -> bool {
        self.kind.ends_with("Action")
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.kind, quoted(self.id))
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Long(value) => write!(f, "({value})"),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Decimal(value) => write!(f, "decimal(\"{}\")", plain_decimal(*value)),
            Self::Datetime(value) => match date(*value) {
                Some(text) => write!(f, "datetime({text:?})"),
                None => write!(f, r#"datetime("1970-01-01").offset(duration("{value}ms"))"#),
            },
            Self::Duration(value) => write!(f, "duration(\"{value}ms\")"),
            Self::Ip(text) => write!(f, "ip({text:?})"),
            Self::Entity(uid) => write!(f, "{uid}"),
            Self::Set(members) => {
                f.write_str("[")?;
                for (place, member) in members.iter().enumerate() {
                    write!(f, "{}{member}", if place == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Record(members) => f.write_str(&show(members)),
        }
    }
}

pub(crate) fn show(things: &[(&'static str, Thing)]) -> String {
    let members: Vec<String> = things.iter().map(|(name, thing)| format!("{}: {thing}", quoted(name))).collect();
    format!("{{{}}}", members.join(", "))
}

pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}

/// The instant's own text, if it is in the pool.
fn date(value: i64) -> Option<&'static str> {
    DATETIMES.iter().find(|(own, text)| *own == value && !text.is_empty()).map(|(_, text)| *text)
}

/// A decimal with all its places, by other arithmetic than the crate's.
pub(crate) fn plain_decimal(value: i64) -> String {
    let digits = format!("{:05}", i128::from(value).abs());
    let (whole, fraction) = digits.split_at(digits.len() - 4);
    format!("{}{whole}.{fraction}", if value < 0 { "-" } else { "" })
}
