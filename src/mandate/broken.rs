//! A constraint that a value breaks. Nothing here allocates as long as nothing is broken.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::constraints::JsonType;
use super::{Constraints, Number, Value};

/// Up to so many items are compared in place; more are sorted first, which does allocate.
const COMPARED_IN_PLACE: usize = 64;

/// The constraint that was broken, and the kind of what broke it.
#[derive(Debug)]
pub(super) struct Broken<'a> {
    /// As JSON Schema calls it.
    pub(super) keyword: &'static str,
    pub(super) limit: Limit<'a>,
    pub(super) found: &'static str,
}

/// What a constraint wants.
#[derive(Debug)]
pub(super) enum Limit<'a> {
    Types(&'a BTreeSet<JsonType>),
    Choices(usize),
    Number(Number),
    Count(usize),
    Text(&'a str),
    True,
}

impl Constraints {
    /// Checks that `value` keeps to all of these.
    pub(super) fn check<'a>(&'a self, value: &Value) -> Result<(), Broken<'a>> {
        if self.or_null && *value == Value::Null {
            return Ok(());
        }
        let found = value.kind();
        let typed = self.types.is_empty() || self.types.iter().any(|kind| kind.admits(value));
        keep(typed, "type", Limit::Types(&self.types), found)?;
        if let Some(values) = &self.one_of {
            keep(values.contains(value), "enum", Limit::Choices(values.len()), found)?;
        }
        let mut kept = self.any_of.iter().filter(|one| one.check(value).is_ok());
        keep(self.any_of.is_empty() || kept.next().is_some(), "anyOf", Limit::Choices(self.any_of.len()), found)?;
        let mut kept = self.exactly_one_of.iter().filter(|one| one.check(value).is_ok());
        let one = self.exactly_one_of.is_empty() || (kept.next().is_some() && kept.next().is_none());
        keep(one, "oneOf", Limit::Choices(self.exactly_one_of.len()), found)?;
        self.all_of.iter().try_for_each(|all| all.check(value))?;
        match value {
            Value::Null | Value::Bool(_) => Ok(()),
            Value::Number(number) => self.check_number(*number, found),
            Value::Text(text) => self.check_text(text, found),
            Value::List(items) => self.check_items(items, found),
            Value::Record(members) => self.check_members(members, found),
        }
    }

    fn check_number(&self, number: Number, found: &'static str) -> Result<(), Broken<'_>> {
        let is = |limit: Option<Number>, kept: fn(Number, Number) -> bool, keyword| match limit {
            Some(limit) => keep(kept(number, limit), keyword, Limit::Number(limit), found),
            None => Ok(()),
        };
        is(self.minimum, |number, least| number >= least, "minimum")?;
        is(self.maximum, |number, most| number <= most, "maximum")?;
        is(self.exclusive_minimum, |number, below| number > below, "exclusiveMinimum")?;
        is(self.exclusive_maximum, |number, above| number < above, "exclusiveMaximum")?;
        is(self.multiple_of, Number::is_multiple_of, "multipleOf")
    }

    fn check_text(&self, text: &str, found: &'static str) -> Result<(), Broken<'_>> {
        if self.min_length.is_some() || self.max_length.is_some() {
            let (min, max) = (("minLength", self.min_length), ("maxLength", self.max_length));
            within(text.chars().count(), min, max, found)?;
        }
        match &self.pattern {
            Some(pattern) => keep(pattern.matches(text), "pattern", Limit::Text(pattern.as_str()), found),
            None => Ok(()),
        }
    }

    fn check_items(&self, items: &[Value], found: &'static str) -> Result<(), Broken<'_>> {
        within(items.len(), ("minItems", self.min_items), ("maxItems", self.max_items), found)?;
        keep(!self.unique_items || are_unique(items), "uniqueItems", Limit::True, found)?;
        match &self.items {
            Some(each) => items.iter().try_for_each(|item| each.check(item)),
            None => Ok(()),
        }
    }

    fn check_members(&self, members: &BTreeMap<String, Value>, found: &'static str) -> Result<(), Broken<'_>> {
        for name in &self.required {
            keep(members.contains_key(name), "required", Limit::Text(name), found)?;
        }
        members.iter().try_for_each(|(name, value)| {
            let declared = self.properties.get(name).or(self.additional_properties.as_deref());
            declared.map_or(Ok(()), |declared| declared.check(value))
        })
    }
}

fn keep<'a>(kept: bool, keyword: &'static str, limit: Limit<'a>, found: &'static str) -> Result<(), Broken<'a>> {
    if kept { Ok(()) } else { Err(Broken { keyword, limit, found }) }
}

type Named = (&'static str, Option<usize>);

fn within<'a>(count: usize, min: Named, max: Named, found: &'static str) -> Result<(), Broken<'a>> {
    if let (keyword, Some(least)) = min {
        keep(count >= least, keyword, Limit::Count(least), found)?;
    }
    if let (keyword, Some(most)) = max {
        keep(count <= most, keyword, Limit::Count(most), found)?;
    }
    Ok(())
}

fn are_unique(items: &[Value]) -> bool {
    if items.len() > COMPARED_IN_PLACE {
        return items.iter().collect::<BTreeSet<_>>().len() == items.len();
    }
    let mut rest = items.iter();
    while let Some(item) = rest.next() {
        if rest.clone().any(|other| other == item) {
            return false;
        }
    }
    true
}

impl fmt::Display for Limit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Types(types) => {
                for (place, kind) in types.iter().enumerate() {
                    write!(f, "{}{}", if place == 0 { "" } else { " or " }, kind.as_str())?;
                }
                Ok(())
            }
            Self::Choices(count) => write!(f, "{count} choices"),
            Self::Number(number) => number.fmt(f),
            Self::Count(count) => count.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::True => f.write_str("true"),
        }
    }
}
