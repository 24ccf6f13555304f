//! Programs: the conditions of one policy as steps without recursion, and the machine that takes them.
//!
//! A step works on one value in hand; what waits for its partner is pushed. Jumps lead forward only, so a program of n
//! steps ends after at most n, on a stack whose depth is known at load. Every fault is Cedar's evaluation error.

use std::cell::OnceCell;

use smallvec::SmallVec;

use super::asked::Asked;
use super::check::Check;
use super::entities::Data;
use super::pattern::Pattern;
use super::uid::Uid;
use super::view::{Among, Part, Val, have_common, is_within};
use super::{Name, Record, Set, Value, datetime, decimal, ipaddr};

/// One step.
#[derive(Debug, Clone)]
pub(in crate::policy) enum Step {
    /// A constant.
    Load(Value),
    /// A variable.
    Variable(Variable),
    /// An attribute of a variable, of its attribute, and so on.
    Path(Variable, Box<[Name]>),
    /// An attribute of the value in hand.
    Attribute(Name),
    /// Whether there is such an attribute, with such an attribute, and so on.
    Has(Box<[Name]>),
    /// Puts the value in hand aside.
    Push,
    /// One operand in hand.
    Unary(Unary),
    /// One operand aside, one in hand.
    Binary(Binary),
    /// One operand in hand, one known at load.
    With(Binary, Value),
    /// As [`Binary`](Self::Binary), where an operand is so many values aside, as a set.
    Sets(Binary, Aside, Aside),
    Like(Pattern),
    Is(Name),
    /// False in hand: it stays, and the next steps up to there are left out.
    And(usize),
    /// True in hand: likewise.
    Or(usize),
    /// False in hand: goes on there.
    Branch(usize),
    /// Goes on there.
    Jump(usize),
    /// What is in hand must be true or false.
    Truth,
    /// So many values aside, as a set of their own.
    Set(usize),
    /// As many values aside, as a record.
    Record(Box<[Name]>),
    /// What was known at load to be an error.
    Fail,
}

/// Where an operand of [`Step::Sets`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Aside {
    /// The value in hand.
    Hand,
    /// One value aside.
    One,
    /// So many values aside, as a set.
    Many(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Variable {
    Principal,
    Action,
    Resource,
    Context,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Unary {
    Not,
    Negate,
    IsEmpty,
    Decimal,
    Datetime,
    Duration,
    Ip,
    IsIpv4,
    IsIpv6,
    IsLoopback,
    IsMulticast,
    ToDate,
    ToTime,
    ToMilliseconds,
    ToSeconds,
    ToMinutes,
    ToHours,
    ToDays,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Binary {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    In,
    Contains,
    ContainsAll,
    ContainsAny,
    Tag,
    HasTag,
    IsInRange,
    Offset,
    DurationSince,
    DecimalLess,
    DecimalLessOrEqual,
    DecimalGreater,
    DecimalGreaterOrEqual,
}

/// An evaluation error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) struct Failed;

/// The sets and records that policies make of other values: no memory until there is one.
#[derive(Default)]
pub(in crate::policy) struct Made(OnceCell<typed_arena::Arena<Value>>);

impl Made {
    fn keep(&self, value: Value) -> Val<'_> {
        self.0.get_or_init(typed_arena::Arena::new).alloc(value).view()
    }
}

/// The conditions of one policy: checks that all must hold, and then steps, if there are any.
#[derive(Debug, Clone, Default)]
pub(in crate::policy) struct Program {
    checks: Box<[Check]>,
    steps: Box<[Step]>,
}

impl Program {
    pub(super) fn new(checks: Vec<Check>, steps: Vec<Step>) -> Self {
        Self { checks: checks.into(), steps: steps.into() }
    }

    /// Whether the conditions hold.
    #[inline]
    pub(in crate::policy) fn holds<'a>(&'a self, asked: &Asked<'a>, made: &'a Made) -> Result<bool, Failed> {
        let machine = Machine { asked };
        for check in &self.checks {
            if !check.holds(&machine)? {
                return Ok(false);
            }
        }
        if self.steps.is_empty() {
            return Ok(true);
        }
        match machine.run(&self.steps, made)? {
            Val::Bool(holds) => Ok(holds),
            _ => Err(Failed),
        }
    }
}

/// Takes the steps.
pub(super) struct Machine<'m, 'a> {
    pub(super) asked: &'m Asked<'a>,
}

impl<'a> Machine<'_, 'a> {
    /// What the steps leave in hand; true without any.
    fn run(&self, steps: &'a [Step], made: &'a Made) -> Result<Val<'a>, Failed> {
        let mut aside: SmallVec<[Val<'a>; 8]> = SmallVec::new();
        let mut hand = Val::Bool(true);
        let mut next = 0;
        while let Some(step) = steps.get(next) {
            next = next.saturating_add(1);
            match step {
                Step::And(end) => match hand {
                    Val::Bool(true) => {}
                    Val::Bool(false) => next = *end,
                    _ => return Err(Failed),
                },
                Step::Or(end) => match hand {
                    Val::Bool(false) => {}
                    Val::Bool(true) => next = *end,
                    _ => return Err(Failed),
                },
                Step::Path(variable, names) => hand = self.path(*variable, names)?,
                Step::With(op, right) => hand = self.binary(*op, hand, right.view())?,
                Step::Truth if matches!(hand, Val::Bool(_)) => {}
                Step::Truth | Step::Fail => return Err(Failed),
                Step::Has(names) => hand = Val::Bool(self.has(hand, names)?),
                Step::Load(value) => hand = value.view(),
                Step::Variable(variable) => hand = self.asked.variable(*variable),
                Step::Attribute(name) => hand = self.attribute(hand, name)?,
                Step::Push => aside.push(hand),
                Step::Unary(op) => hand = unary(*op, hand)?,
                Step::Binary(op) => hand = self.binary(*op, aside.pop().ok_or(Failed)?, hand)?,
                Step::Sets(op, left, right) => hand = Val::Bool(self.sets(*op, (*left, *right), &mut aside, hand)?),
                Step::Like(pattern) => match hand {
                    Val::Text(text) => hand = Val::Bool(pattern.matches(text)),
                    _ => return Err(Failed),
                },
                Step::Is(kind) => match hand {
                    Val::Entity(uid) => hand = Val::Bool(uid.kind == kind),
                    _ => return Err(Failed),
                },
                Step::Branch(otherwise) => match hand {
                    Val::Bool(true) => {}
                    Val::Bool(false) => next = *otherwise,
                    _ => return Err(Failed),
                },
                Step::Jump(end) => next = *end,
                Step::Set(count) => {
                    let start = aside.len().checked_sub(*count).ok_or(Failed)?;
                    let set: Set = aside.drain(start..).map(Val::to_value).collect();
                    hand = made.keep(set.into());
                }
                Step::Record(names) => {
                    let start = aside.len().checked_sub(names.len()).ok_or(Failed)?;
                    let members = names.iter().cloned().zip(aside.drain(start..).map(Val::to_value));
                    hand = made.keep(members.collect::<Record>().into());
                }
            }
        }
        Ok(hand)
    }

    #[inline]
    pub(super) fn path(&self, variable: Variable, names: &[Name]) -> Result<Val<'a>, Failed> {
        let (first, rest) = names.split_first().ok_or(Failed)?;
        match self.asked.fields(variable).ok_or(Failed)? {
            Part::Stored(record) => {
                let mut value = record.find(first).ok_or(Failed)?;
                for (place, name) in rest.iter().enumerate() {
                    match value {
                        Value::Record(record) => value = record.find(name).ok_or(Failed)?,
                        _ => return self.walk(value.view(), rest.get(place..).unwrap_or_default()),
                    }
                }
                Ok(value.view())
            }
            seen => self.walk(seen.get(first).ok_or(Failed)?, rest),
        }
    }

    #[inline]
    pub(super) fn walk(&self, value: Val<'a>, names: &[Name]) -> Result<Val<'a>, Failed> {
        names.iter().try_fold(value, |value, name| self.attribute(value, name))
    }

    /// The record, or the attributes of the entity; none if it is not known.
    fn fields(&self, value: Val<'a>) -> Result<Option<Part<'a>>, Failed> {
        match value {
            Val::Record(record) => Ok(Some(record)),
            Val::Entity(uid) => Ok(self.data(uid).map(|data| data.fields)),
            _ => Err(Failed),
        }
    }

    fn data(&self, uid: Uid<'a>) -> Option<Data<'a>> {
        self.asked.entity(uid).data
    }

    fn attribute(&self, value: Val<'a>, name: &Name) -> Result<Val<'a>, Failed> {
        self.fields(value)?.and_then(|fields| fields.get(name)).ok_or(Failed)
    }

    pub(super) fn has(&self, mut value: Val<'a>, names: &[Name]) -> Result<bool, Failed> {
        for name in names {
            match self.fields(value)?.and_then(|fields| fields.get(name)) {
                Some(next) => value = next,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    pub(super) fn binary(&self, op: Binary, left: Val<'a>, right: Val<'a>) -> Result<Val<'a>, Failed> {
        Ok(match (op, left, right) {
            (Binary::Equal, ..) => Val::Bool(left.is(&right)),
            (Binary::Unequal, ..) => Val::Bool(!left.is(&right)),
            (Binary::Add, Val::Long(left), Val::Long(right)) => Val::Long(left.checked_add(right).ok_or(Failed)?),
            (Binary::Subtract, Val::Long(left), Val::Long(right)) => Val::Long(left.checked_sub(right).ok_or(Failed)?),
            (Binary::Multiply, Val::Long(left), Val::Long(right)) => Val::Long(left.checked_mul(right).ok_or(Failed)?),
            (Binary::In, Val::Entity(uid), groups) => Val::Bool(self.is_in(uid, groups)?),
            (Binary::Contains, Val::Set(set), _) => Val::Bool(set.has(&right)),
            (Binary::ContainsAll, Val::Set(left), Val::Set(right)) => Val::Bool(is_within(right, left)),
            (Binary::ContainsAny, Val::Set(left), Val::Set(right)) => Val::Bool(have_common(left, right)),
            (Binary::HasTag, Val::Entity(uid), Val::Text(tag)) => Val::Bool(self.tag(uid, tag).is_some()),
            (Binary::Tag, Val::Entity(uid), Val::Text(tag)) => self.tag(uid, tag).ok_or(Failed)?,
            (Binary::IsInRange, Val::Ip(ip), Val::Ip(range)) => Val::Bool(ip.is_in_range(range)),
            (Binary::Offset, Val::Datetime(time), Val::Duration(by)) => {
                Val::Datetime(datetime::offset(time, by).ok_or(Failed)?)
            }
            (Binary::DurationSince, Val::Datetime(time), Val::Datetime(since)) => {
                Val::Duration(datetime::duration_since(time, since).ok_or(Failed)?)
            }
            _ => Val::Bool(compare(op, left, right)?),
        })
    }

    fn tag(&self, uid: Uid<'a>, tag: &str) -> Option<Val<'a>> {
        self.data(uid)?.tags?.get(tag).map(Value::view)
    }

    /// Cedar's `in`: every group must be an entity, also those after the one that decides.
    fn is_in(&self, uid: Uid<'a>, groups: Val<'_>) -> Result<bool, Failed> {
        let known = self.asked.entity(uid);
        match groups {
            Val::Entity(group) => Ok(known.is_in(group)),
            Val::Set(groups) => {
                let mut within = false;
                let all = groups.each(&mut |group| match group {
                    Val::Entity(group) => {
                        within = within || known.is_in(group);
                        true
                    }
                    _ => false,
                });
                if all { Ok(within) } else { Err(Failed) }
            }
            _ => Err(Failed),
        }
    }

    /// An operation on sets that lie aside member by member.
    fn sets(
        &self,
        op: Binary,
        (left, right): (Aside, Aside),
        aside: &mut SmallVec<[Val<'a>; 8]>,
        hand: Val<'a>,
    ) -> Result<bool, Failed> {
        let size = |operand| match operand {
            Aside::Hand => 0,
            Aside::One => 1,
            Aside::Many(count) => count,
        };
        let middle = aside.len().checked_sub(size(right)).ok_or(Failed)?;
        let start = middle.checked_sub(size(left)).ok_or(Failed)?;
        let (low, rights) = aside.split_at_checked(middle).ok_or(Failed)?;
        let lefts = low.get(start..).ok_or(Failed)?;
        let (many_left, many_right) = (Among(lefts), Among(rights));
        let pick = |operand, values: &[Val<'a>]| match operand {
            Aside::Hand => Some(hand),
            Aside::One => values.first().copied(),
            Aside::Many(_) => None,
        };
        let left_value = pick(left, lefts).map_or(Val::Set(&many_left), |value| value);
        let right_value = pick(right, rights).map_or(Val::Set(&many_right), |value| value);
        let result = match (op, left_value, right_value) {
            (Binary::Equal, left, right) => Ok(left.is(&right)),
            (Binary::Unequal, left, right) => Ok(!left.is(&right)),
            (Binary::Contains, Val::Set(set), value) => Ok(set.has(&value)),
            (Binary::ContainsAll, Val::Set(left), Val::Set(right)) => Ok(is_within(right, left)),
            (Binary::ContainsAny, Val::Set(left), Val::Set(right)) => Ok(have_common(left, right)),
            (Binary::In, _, groups) => match pick(left, lefts) {
                Some(Val::Entity(uid)) => self.is_in(uid, groups),
                _ => Err(Failed),
            },
            _ => Err(Failed),
        };
        aside.truncate(start);
        result
    }
}

fn unary(op: Unary, value: Val<'_>) -> Result<Val<'static>, Failed> {
    Ok(match (op, value) {
        (Unary::Not, Val::Bool(value)) => Val::Bool(!value),
        (Unary::Negate, Val::Long(value)) => Val::Long(value.checked_neg().ok_or(Failed)?),
        (Unary::IsEmpty, Val::Set(set)) => Val::Bool(set.len() == 0),
        (Unary::Decimal, Val::Text(text)) => Val::Decimal(decimal::parse(text).ok_or(Failed)?),
        (Unary::Datetime, Val::Text(text)) => Val::Datetime(datetime::parse(text).ok_or(Failed)?),
        (Unary::Duration, Val::Text(text)) => Val::Duration(datetime::parse_duration(text).ok_or(Failed)?),
        (Unary::Ip, Val::Text(text)) => Val::Ip(ipaddr::IpNet::parse(text).ok_or(Failed)?),
        (Unary::IsIpv4, Val::Ip(ip)) => Val::Bool(ip.is_ipv4()),
        (Unary::IsIpv6, Val::Ip(ip)) => Val::Bool(ip.is_ipv6()),
        (Unary::IsLoopback, Val::Ip(ip)) => Val::Bool(ip.is_loopback()),
        (Unary::IsMulticast, Val::Ip(ip)) => Val::Bool(ip.is_multicast()),
        (Unary::ToDate, Val::Datetime(time)) => Val::Datetime(datetime::to_date(time).ok_or(Failed)?),
        (Unary::ToTime, Val::Datetime(time)) => Val::Duration(datetime::to_time(time)),
        (Unary::ToMilliseconds, Val::Duration(span)) => Val::Long(datetime::to_milliseconds(span)),
        (Unary::ToSeconds, Val::Duration(span)) => Val::Long(datetime::to_seconds(span)),
        (Unary::ToMinutes, Val::Duration(span)) => Val::Long(datetime::to_minutes(span)),
        (Unary::ToHours, Val::Duration(span)) => Val::Long(datetime::to_hours(span)),
        (Unary::ToDays, Val::Duration(span)) => Val::Long(datetime::to_days(span)),
        _ => return Err(Failed),
    })
}

fn compare(op: Binary, left: Val<'_>, right: Val<'_>) -> Result<bool, Failed> {
    let (op, left, right) = match (op, left, right) {
        (Binary::DecimalLess, Val::Decimal(left), Val::Decimal(right)) => (Binary::Less, left, right),
        (Binary::DecimalLessOrEqual, Val::Decimal(left), Val::Decimal(right)) => (Binary::LessOrEqual, left, right),
        (Binary::DecimalGreater, Val::Decimal(left), Val::Decimal(right)) => (Binary::Greater, left, right),
        (Binary::DecimalGreaterOrEqual, Val::Decimal(left), Val::Decimal(right)) => {
            (Binary::GreaterOrEqual, left, right)
        }
        (_, Val::Long(left), Val::Long(right))
        | (_, Val::Datetime(left), Val::Datetime(right))
        | (_, Val::Duration(left), Val::Duration(right)) => (op, left, right),
        _ => return Err(Failed),
    };
    match op {
        Binary::Less => Ok(left < right),
        Binary::LessOrEqual => Ok(left <= right),
        Binary::Greater => Ok(left > right),
        Binary::GreaterOrEqual => Ok(left >= right),
        _ => Err(Failed),
    }
}
