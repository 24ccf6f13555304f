//! A bound: which values one argument may have.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Currency, Malformed, Money, Number, Prefix, Source, Target, Value};
use crate::canonical::Encoder;
use crate::strict::{is_false, object, present, present_objects, word};

/// Which values one argument may have. An array is within a bound if each of its items is; an
/// empty one is like none.
///
/// A value that is named is one of `one_of`, under one of `under`, or given by one of the sources in `from`; whichever it is,
/// it keeps to the limits.
///
/// In JSON: `{"one_of": ["a", 7]}`, `{"at_most": "12.00"}`, `{"at_least": 1, "at_most": 5}`, `{"at_most": "12.00",
/// "currency": "EUR"}`, `{"under": ["/srv/reports", "https://api.acme.example/v1", "@acme.example"]}`, `{"from": [{"tool":
/// "get_most_recent_transactions", "at": "/*/sender"}]}`, each also with `"or_absent": true`, or just `"absent"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenBound", into = "WrittenBound")]
pub struct Bound {
    /// In order, each once. Nothing is named, and so everything, where there is none.
    one_of: Option<Box<[Target]>>,
    /// The same; none where nothing is named.
    under: Box<[Prefix]>,
    /// The same; none where nothing is named.
    from: Box<[Source]>,
    at_least: Option<Number>,
    at_most: Option<Number>,
    /// Limits are of amounts in this currency.
    currency: Option<Currency>,
    or_absent: bool,
}

impl Bound {
    /// Any value, or none.
    pub(super) fn anything() -> Self {
        Self {
            one_of: None,
            under: Box::default(),
            from: Box::default(),
            at_least: None,
            at_most: None,
            currency: None,
            or_absent: true,
        }
    }

    /// One of exactly these values.
    pub fn one_of<T: Into<Target>>(targets: impl IntoIterator<Item = T>) -> Self {
        let targets: BTreeSet<Target> = targets.into_iter().map(Into::into).collect();
        Self { one_of: Some(targets.into_iter().collect()), or_absent: false, ..Self::anything() }
    }

    /// A value under one of these prefixes: paths, URLs or domains, by whole parts.
    ///
    /// ```
    /// use bailiwick::mandate::Bound;
    ///
    /// let reports = Bound::under(["/srv/reports"])?;
    /// let ours = Bound::under(["@acme.example", "@*.acme.example"])?;
    /// # Ok::<(), bailiwick::mandate::Malformed>(())
    /// ```
    ///
    /// # Errors
    ///
    /// One of them is no [`Prefix`].
    pub fn under<'p>(prefixes: impl IntoIterator<Item = &'p str>) -> Result<Self, Malformed> {
        Self::one_of::<&str>([]).or_under(prefixes)
    }

    /// A value that one of these sources gave in this task.
    ///
    /// ```
    /// use bailiwick::mandate::{Bound, Source};
    ///
    /// let who_paid_me = Bound::from_sources([Source::new("get_most_recent_transactions", "/*/sender")?]);
    /// # Ok::<(), bailiwick::id::IdError>(())
    /// ```
    pub fn from_sources(sources: impl IntoIterator<Item = Source>) -> Self {
        Self::one_of::<&str>([]).or_from(sources)
    }

    /// A number from zero to this one: who writes a limit does not mean a negative amount.
    pub fn at_most(limit: Number) -> Self {
        Self::between(Number::from(0), limit)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(low: Number, high: Number) -> Self {
        Self { at_least: Some(low), at_most: Some(high), or_absent: false, ..Self::anything() }
    }

    /// Not given at all, or `null`.
    pub fn absent() -> Self {
        Self { one_of: Some(Box::default()), ..Self::anything() }
    }

    /// Exactly this value, or none where there is none; of a list, each of its items; of money in parts, this amount. `None`
    /// for what no bound can name.
    pub(super) fn exactly(value: Option<&Value>) -> Option<Self> {
        match value {
            None | Some(Value::Null) => Some(Self::absent()),
            Some(Value::List(items)) if items.is_empty() => Some(Self::absent()),
            Some(Value::List(items)) => Self::each_of(items),
            Some(value) => Self::each_of(std::slice::from_ref(value)),
        }
    }

    /// Scalars, or money in parts, all of the same amount.
    fn each_of(items: &[Value]) -> Option<Self> {
        if let Some(targets) = items.iter().map(Target::of).collect::<Option<Vec<_>>>() {
            return Some(Self::one_of(targets));
        }
        let mut sums = items.iter().map(|item| match item {
            Value::Record(_) => Money::try_from(item).ok(),
            _ => None,
        });
        let first = sums.next().flatten()?;
        let bound = Self::between(first.amount(), first.amount()).in_currency(first.currency());
        sums.all(|sum| sum == Some(first)).then_some(bound)
    }

    /// As before, or under one of these prefixes. Of what was not named before, this names all.
    ///
    /// # Errors
    ///
    /// One of them is no [`Prefix`].
    pub fn or_under<'p>(mut self, prefixes: impl IntoIterator<Item = &'p str>) -> Result<Self, Malformed> {
        let mut under: BTreeSet<Prefix> = self.under.into_iter().collect();
        for prefix in prefixes {
            under.insert(Prefix::new(prefix)?);
        }
        self.under = under.into_iter().collect();
        self.one_of.get_or_insert_default();
        Ok(self)
    }

    /// As before, or given by one of these sources. Of what was not named before, this names all.
    #[must_use]
    pub fn or_from(mut self, sources: impl IntoIterator<Item = Source>) -> Self {
        let from: BTreeSet<Source> = self.from.into_iter().chain(sources).collect();
        self.from = from.into_iter().collect();
        self.one_of.get_or_insert_default();
        self
    }

    /// As before, and a number from zero to this one.
    #[must_use]
    pub fn and_at_most(mut self, limit: Number) -> Self {
        (self.at_least, self.at_most) = (Some(self.at_least.unwrap_or(0.into())), Some(limit));
        self
    }

    /// As before, and an amount of money in this currency: limits are of such amounts, not of numbers.
    #[must_use]
    pub fn in_currency(mut self, currency: Currency) -> Self {
        self.currency = Some(currency);
        self
    }

    /// As before, or not given at all.
    #[must_use]
    pub fn or_absent(mut self) -> Self {
        self.or_absent = true;
        self
    }

    /// Whether the value is within it, where sources are known to vouch for what it does not name, or not.
    pub(super) fn admits(&self, value: Option<&Value>, is_resolved: bool) -> bool {
        let admits_one = |one: &Value| (is_resolved || self.names_one(one)) && self.limits_admit(one);
        match value {
            None | Some(Value::Null) => self.or_absent,
            Some(Value::List(items)) if items.is_empty() => self.or_absent,
            Some(Value::List(items)) => items.iter().all(admits_one),
            Some(value) => admits_one(value),
        }
    }

    /// Whether it has sources, which may vouch for a value.
    pub(super) fn has_sources(&self) -> bool {
        !self.from.is_empty()
    }

    /// Its sources.
    pub(super) fn sources(&self) -> &[Source] {
        &self.from
    }

    /// Whether a value, or each item of a list, is named by itself: no source needs to vouch for it.
    pub(super) fn names(&self, value: &Value) -> bool {
        self.is_vouched(value, |_| false)
    }

    /// The same, or one of its sources gave it.
    pub(super) fn is_vouched(&self, value: &Value, is_given: impl Fn(&Value) -> bool) -> bool {
        let vouched = |one: &Value| self.names_one(one) || is_given(one);
        self.one_of.is_some()
            && match value {
                Value::Null => false,
                Value::List(items) => !items.is_empty() && items.iter().all(vouched),
                one => vouched(one),
            }
    }

    fn names_one(&self, value: &Value) -> bool {
        let Some(targets) = &self.one_of else { return true };
        targets.binary_search_by(|target| target.cmp_value(value)).is_ok()
            || self.under.iter().any(|prefix| prefix.covers(value))
    }

    fn limits_admit(&self, value: &Value) -> bool {
        match (self.currency, value) {
            (Some(currency), value) => {
                Money::try_from(value).is_ok_and(|sum| sum.currency() == currency && self.in_range(sum.amount()))
            }
            (None, Value::Number(number)) => self.in_range(*number),
            (None, _) => !self.is_range(),
        }
    }

    fn is_range(&self) -> bool {
        self.at_least.is_some() || self.at_most.is_some()
    }

    fn in_range(&self, number: Number) -> bool {
        self.at_least.is_none_or(|low| low <= number) && self.at_most.is_none_or(|high| number <= high)
    }

    /// Whether every value that this bound admits is admitted by `wider`. A source vouches for the same values in both.
    pub(super) fn is_subset(&self, wider: &Self) -> bool {
        let limits = self.limits_are_within(wider);
        let values = match (&self.one_of, &wider.one_of) {
            (None, Some(_)) => false,
            (None, None) => limits,
            (Some(targets), _) => {
                let mut values = targets.iter().map(Target::to_value).filter(|value| self.limits_admit(value));
                let is_within = |prefix: &Prefix| wider.under.iter().any(|wide| prefix.is_within(wide));
                let named = wider.one_of.is_none()
                    || (self.under.iter().all(is_within) && self.from.iter().all(|source| wider.from.contains(source)));
                values.all(|value| wider.admits(Some(&value), false))
                    && (limits || (self.under.is_empty() && self.from.is_empty()))
                    && named
            }
        };
        values && (wider.or_absent || !self.or_absent)
    }

    /// Whether every value that keeps to the limits of this bound keeps to those of `wider`.
    fn limits_are_within(&self, wider: &Self) -> bool {
        let above = |wide| self.at_least.is_some_and(|narrow| narrow >= wide);
        let below = |wide| self.at_most.is_some_and(|narrow| narrow <= wide);
        let is_same_kind =
            if wider.is_range() || wider.currency.is_some() { self.currency == wider.currency } else { true };
        is_same_kind && wider.at_least.is_none_or(above) && wider.at_most.is_none_or(below)
    }

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        encoder.tag(u8::from(self.one_of.is_some())).count(self.one_of.as_deref().map_or(0, <[Target]>::len));
        self.one_of.iter().flatten().for_each(|target| target.to_value().encode(encoder));
        for limit in [self.at_least, self.at_most] {
            Value::from(limit).encode(encoder);
        }
        // What is said seldom is encoded where it is said.
        let is_more = !self.under.is_empty() || !self.from.is_empty() || self.currency.is_some();
        encoder.tag(u8::from(self.or_absent) | u8::from(is_more) << 1);
        if is_more {
            encoder.count(self.under.len());
            self.under.iter().for_each(|prefix| {
                encoder.text(prefix.as_str());
            });
            encoder.count(self.from.len());
            self.from.iter().for_each(|source| {
                encoder.text(source.tool().as_str()).text(source.pointer().as_str());
            });
            encoder.text(self.currency.as_ref().map_or("", Currency::as_str));
        }
    }
}

/// The JSON of a [`Bound`]. Members in lexical order, so that what is written is canonical JSON (RFC 8785).
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "\"absent\", or an object with `at_least`, `at_most`, `currency`, `from`, `one_of`, `or_absent` and `under` only"
)]
enum WrittenBound {
    Word(#[serde(deserialize_with = "word")] Word),
    Parts(#[serde(deserialize_with = "object")] Parts),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Absent,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    at_least: Option<Number>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    at_most: Option<Number>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
    #[serde(default, deserialize_with = "present_objects", skip_serializing_if = "Option::is_none")]
    from: Option<Vec<Source>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    one_of: Option<BTreeSet<Target>>,
    #[serde(default, skip_serializing_if = "is_false")]
    or_absent: bool,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    under: Option<Vec<Prefix>>,
}

impl TryFrom<WrittenBound> for Bound {
    type Error = &'static str;
    fn try_from(written: WrittenBound) -> Result<Self, Self::Error> {
        let WrittenBound::Parts(Parts { at_least, at_most, currency, from, one_of, or_absent, under }) = written else {
            return Ok(Self::absent());
        };
        let one_of = one_of.map(|targets| targets.into_iter().collect());
        // Who writes an empty list of prefixes or sources does not mean everything.
        let one_of = one_of.or((under.is_some() || from.is_some()).then(Box::default));
        let at_least = at_least.or(at_most.map(|_| Number::from(0)));
        let (under, from) = (in_order(under), in_order(from));
        let bound = Self { one_of, under, from, at_least, at_most, currency, or_absent };
        if bound.one_of.is_none() && !bound.is_range() && bound.currency.is_none() {
            return Err("a bound has `one_of`, `under`, `from`, `at_least`, `at_most` or `currency`");
        }
        Ok(bound)
    }
}

impl From<Bound> for WrittenBound {
    fn from(bound: Bound) -> Self {
        if bound == Bound::absent() {
            return Self::Word(Word::Absent);
        }
        let Bound { one_of, under, from, at_least, at_most, currency, or_absent } = bound;
        let one_of = one_of.filter(|targets| !targets.is_empty() || (under.is_empty() && from.is_empty()));
        let one_of = one_of.map(|targets| targets.into_iter().collect());
        let from = Some(from.into_vec()).filter(|from| !from.is_empty());
        let under = Some(under.into_vec()).filter(|under| !under.is_empty());
        Self::Parts(Parts { at_least, at_most, currency, from, one_of, or_absent, under })
    }
}

/// Each once.
fn in_order<T: Ord>(items: Option<Vec<T>>) -> Box<[T]> {
    let items: BTreeSet<T> = items.into_iter().flatten().collect();
    items.into_iter().collect()
}
