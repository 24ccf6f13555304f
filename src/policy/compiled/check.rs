//! Checks: the simplest conditions, of which most policies are made, each looked at in one go.
//!
//! An attribute of a variable (or its attribute, and so on) is held against something that the policy says.

use super::Name;
use super::pattern::Pattern;
use super::program::{Binary, Failed, Machine, Variable};
use super::value::Value;
use super::view::{Members, Part, Val};

/// One check.
#[derive(Debug, Clone)]
pub(super) struct Check {
    pub(super) variable: Variable,
    /// Empty where the variable itself is asked.
    pub(super) path: Box<[Name]>,
    pub(super) against: Against,
    /// The answer with which it holds.
    pub(super) wanted: bool,
}

/// What an attribute is held against.
#[derive(Debug, Clone)]
pub(super) enum Against {
    /// It is true.
    Truth,
    /// It has such an attribute, with such an attribute, and so on.
    Has(Box<[Name]>),
    Like(Pattern),
    Value(Binary, Value),
}

/// What is at the end of a path.
enum Found<'a> {
    Stored(&'a Value),
    Seen(Val<'a>),
}

impl Check {
    #[inline]
    pub(super) fn holds<'a>(&'a self, machine: &Machine<'_, 'a>) -> Result<bool, Failed> {
        let answer = match (&self.against, self.find(machine)?) {
            (Against::Value(op, right), Found::Stored(left)) => stored(*op, left, right, machine)?,
            (Against::Value(op, right), Found::Seen(left)) => seen(*op, left, right, machine)?,
            (against, found) => {
                let value = match found {
                    Found::Stored(value) => value.view(),
                    Found::Seen(value) => value,
                };
                match (against, value) {
                    (Against::Truth, Val::Bool(value)) => value,
                    (Against::Has(names), value) => machine.has(value, names)?,
                    (Against::Like(pattern), Val::Text(text)) => pattern.matches(text),
                    _ => return Err(Failed),
                }
            }
        };
        Ok(answer == self.wanted)
    }

    #[inline]
    fn find<'a>(&'a self, machine: &Machine<'_, 'a>) -> Result<Found<'a>, Failed> {
        let Some((first, rest)) = self.path.split_first() else {
            return Ok(Found::Seen(machine.asked.variable(self.variable)));
        };
        let record = match machine.asked.fields(self.variable).ok_or(Failed)? {
            Part::Stored(record) => record,
            seen => return machine.walk(seen.get(first).ok_or(Failed)?, rest).map(Found::Seen),
        };
        let mut value = record.find(first).ok_or(Failed)?;
        for name in rest {
            match value {
                Value::Record(record) => value = record.find(name).ok_or(Failed)?,
                // Only where a record leads to an entity is the way longer.
                _ => return machine.path(self.variable, &self.path).map(Found::Seen),
            }
        }
        Ok(Found::Stored(value))
    }
}

/// An operation on two stored values: the most frequent ones without looking at them as anything else.
#[inline]
fn stored<'a>(op: Binary, left: &'a Value, right: &'a Value, machine: &Machine<'_, 'a>) -> Result<bool, Failed> {
    Ok(match (op, left, right) {
        (Binary::Equal, ..) => left == right,
        (Binary::Unequal, ..) => left != right,
        (Binary::Less, Value::Long(left), Value::Long(right)) => left < right,
        (Binary::LessOrEqual, Value::Long(left), Value::Long(right)) => left <= right,
        (Binary::Greater, Value::Long(left), Value::Long(right)) => left > right,
        (Binary::GreaterOrEqual, Value::Long(left), Value::Long(right)) => left >= right,
        (Binary::DecimalLess, Value::Decimal(left), Value::Decimal(right)) => left < right,
        (Binary::DecimalLessOrEqual, Value::Decimal(left), Value::Decimal(right)) => left <= right,
        (Binary::Contains, Value::Set(set), _) => set.has(&right.view()),
        _ => return seen(op, left.view(), right, machine),
    })
}

#[inline]
fn seen<'a>(op: Binary, left: Val<'a>, right: &'a Value, machine: &Machine<'_, 'a>) -> Result<bool, Failed> {
    let answer = match (op, &left, right) {
        (Binary::Equal, Val::Text(left), Value::Text(right)) => *left == right.as_str(),
        (Binary::Unequal, Val::Text(left), Value::Text(right)) => *left != right.as_str(),
        (Binary::Less, Val::Long(left), Value::Long(right)) => left < right,
        (Binary::LessOrEqual, Val::Long(left), Value::Long(right)) => left <= right,
        (Binary::Greater, Val::Long(left), Value::Long(right)) => left > right,
        (Binary::GreaterOrEqual, Val::Long(left), Value::Long(right)) => left >= right,
        (Binary::Contains, Val::Set(set), Value::Text(right)) => set.has(&Val::Text(right)),
        _ => match machine.binary(op, left, right.view())? {
            Val::Bool(answer) => answer,
            _ => return Err(Failed),
        },
    };
    Ok(answer)
}
