//! A budget: how much of something a task may use up, in all or within a time.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Action, ArgumentName, Currency, Money, Number, ScopeError, Tool, Value};
use crate::canonical::{Digest, Encoder};
use crate::strict::present;

/// Budgets of one tool, and of one scope for all tools.
pub(super) const MAX_BUDGETS: usize = 8;
/// What a budget remembers one by one: distinct values, and what fell within its time.
pub(super) const MAX_REMEMBERED: u32 = 4_096;
/// The longest time that a budget can be within: a year.
const MAX_SECONDS: u32 = 366 * 24 * 3600;

/// How much of something a task may use up: calls, the sum of an argument, distinct values of an argument, or distinct
/// resources; in all, or within a time that slides. Taken when an action is permitted, given back when its permit is not
/// used, and taken from the budgets of the tasks above as well.
///
/// What cannot be measured is refused: an amount that is missing where the tool declares it, negative, or no number.
///
/// ```
/// use std::time::Duration;
/// use bailiwick::mandate::{Budget, Grant};
///
/// let grant = Grant::new()
///     .budget(Budget::sum("amount", "500.00".parse()?)?)?
///     .budget(Budget::sum("price", "20.00".parse()?)?.in_currency("EUR".parse()?)?)?
///     .budget(Budget::distinct("recipient", 3)?)?
///     .budget(Budget::calls(10).within(Duration::from_secs(60))?)?;
///
/// let written: Grant = serde_json::from_str(r#"{"budgets": [
///     {"sum": "amount", "at_most": "500.00"},
///     {"sum": "price", "at_most": "20.00", "currency": "EUR"},
///     {"distinct": "recipient", "at_most": 3},
///     {"calls": 10, "seconds": 60}
/// ]}"#)?;
/// assert_eq!(grant, written);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Budget {
    measure: Measure,
    limit: Number,
    /// Sums are of amounts in this currency.
    currency: Option<Currency>,
    /// In whole seconds; in all, if there is none.
    seconds: Option<u32>,
}

/// What a budget counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Measure {
    /// Actions.
    Calls,
    /// What this argument adds up to.
    Sum(ArgumentName),
    /// Different values of this argument.
    Distinct(ArgumentName),
    /// Different resources.
    Resources,
}

impl Budget {
    /// At most so many actions.
    pub fn calls(limit: u32) -> Self {
        Self::of(Measure::Calls, i64::from(limit).into())
    }

    /// At most so many different resources.
    ///
    /// # Errors
    ///
    /// More than 4 096.
    pub fn resources(limit: u32) -> Result<Self, ScopeError> {
        Self::of(Measure::Resources, i64::from(limit).into()).checked()
    }

    /// The values of this argument add up to `limit` at most.
    ///
    /// # Errors
    ///
    /// `argument` is not the name of an argument, or the limit is negative.
    pub fn sum(argument: &str, limit: Number) -> Result<Self, ScopeError> {
        Self::of(Measure::Sum(ArgumentName::new(argument)?), limit).checked()
    }

    /// At most so many different values of this argument; of a list, of its items.
    ///
    /// # Errors
    ///
    /// `argument` is not the name of an argument, or the limit is more than 4 096.
    pub fn distinct(argument: &str, limit: u32) -> Result<Self, ScopeError> {
        Self::of(Measure::Distinct(ArgumentName::new(argument)?), i64::from(limit).into()).checked()
    }

    /// The same, of amounts of [money](super::Money) in this currency; of numbers, unless this is said.
    ///
    /// # Errors
    ///
    /// A budget of anything but a sum.
    pub fn in_currency(mut self, currency: Currency) -> Result<Self, ScopeError> {
        self.currency = Some(currency);
        self.checked()
    }

    /// The same, within any time of this length instead of in all: a rate. In whole seconds. Of what such a budget took, it
    /// remembers 4 096; then it takes no more until time has gone on.
    ///
    /// # Errors
    ///
    /// Less than a second, more than 366 days, or a budget of distinct values or resources.
    pub fn within(mut self, time: Duration) -> Result<Self, ScopeError> {
        let seconds = u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        self.seconds = Some(seconds);
        self.checked()
    }

    fn of(measure: Measure, limit: Number) -> Self {
        Self { measure, limit, currency: None, seconds: None }
    }

    fn checked(self) -> Result<Self, ScopeError> {
        let one_by_one = matches!(self.measure, Measure::Distinct(_) | Measure::Resources);
        let is_sound = self.limit >= Number::from(0)
            && (!one_by_one || (self.seconds.is_none() && self.limit <= Number::from(i64::from(MAX_REMEMBERED))))
            && (self.currency.is_none() || matches!(self.measure, Measure::Sum(_)))
            && self.seconds.is_none_or(|seconds| (1..=MAX_SECONDS).contains(&seconds));
        if is_sound { Ok(self) } else { Err(ScopeError::Budget(self.measure)) }
    }

    pub(super) fn measure(&self) -> &Measure {
        &self.measure
    }

    pub(super) fn limit(&self) -> Number {
        self.limit
    }

    pub(super) fn time(&self) -> Option<Duration> {
        self.seconds.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// Whether the two count the same within the same time: then one of them says it all.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (&self.measure, self.currency, self.seconds) == (&other.measure, other.currency, other.seconds)
    }

    /// Whether what keeps to this budget keeps to `wider`: as little, within as long a time.
    pub(super) fn is_within(&self, wider: &Self) -> bool {
        let lasts = self.seconds.is_none_or(|own| wider.seconds.is_some_and(|wide| own >= wide));
        (&self.measure, self.currency) == (&wider.measure, wider.currency) && self.limit <= wider.limit && lasts
    }

    /// What a step uses up of it; nothing where it is not concerned.
    pub(super) fn use_of(&self, action: &Action, declared: Option<&Tool>) -> Result<Option<Use>, Unmeasured> {
        match &self.measure {
            Measure::Calls => Ok(Some(Use::Amount(Number::from(1)))),
            Measure::Resources => Ok(Some(Use::Values(vec![action.resource().digest()]))),
            Measure::Sum(argument) => {
                amount((argument, self.currency), action, declared).map(|amount| amount.map(Use::Amount))
            }
            Measure::Distinct(argument) => Ok(match action.arguments().get(argument.as_str()) {
                None | Some(Value::Null) => None,
                Some(Value::List(items)) => Some(Use::Values(items.iter().map(Value::digest).collect())),
                Some(value) => Some(Use::Values(vec![value.digest()])),
            }),
        }
    }

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        match &self.measure {
            Measure::Calls => encoder.tag(0),
            Measure::Resources => encoder.tag(1),
            Measure::Sum(argument) => encoder.tag(2).text(argument.as_str()),
            Measure::Distinct(argument) => encoder.tag(3).text(argument.as_str()),
        };
        Value::Number(self.limit).encode(encoder);
        encoder.text(self.currency.as_ref().map_or("", Currency::as_str));
        encoder.tag(u8::from(self.seconds.is_some())).fixed(&self.seconds.unwrap_or(0).to_be_bytes());
    }
}

/// A step uses up what cannot be measured.
pub(super) struct Unmeasured;

/// What a step uses up of a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Use {
    Amount(Number),
    /// By their digests.
    Values(Vec<Digest>),
}

/// What an argument adds; nothing where the tool has no such argument.
fn amount(
    (name, currency): (&ArgumentName, Option<Currency>),
    action: &Action,
    declared: Option<&Tool>,
) -> Result<Option<Number>, Unmeasured> {
    let is_declared = declared.is_none_or(|tool| tool.parameters().contains(name.as_str()));
    let of_one = |value: &Value| match (currency, value) {
        (None, Value::Number(number)) if *number >= Number::from(0) => Ok(*number),
        (Some(currency), value) => {
            let money = Money::try_from(value).ok().filter(|money| money.currency() == currency);
            money.map(|money| money.amount()).ok_or(Unmeasured)
        }
        (None, _) => Err(Unmeasured),
    };
    match action.arguments().get(name.as_str()) {
        None if !is_declared => Ok(None),
        None => Err(Unmeasured),
        Some(Value::List(items)) => items
            .iter()
            .try_fold(Number::from(0), |sum, item| sum.checked_add(of_one(item)?).ok_or(Unmeasured))
            .map(Some),
        Some(value) => of_one(value).map(Some),
    }
}

/// A step would use up more than there is. It has no amounts that were asked for: those are arguments, and do not go into
/// records in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Overrun {
    /// Of what.
    pub of: Measure,
    /// How much was approved.
    pub limit: Number,
    /// Within how many seconds; in all, if it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    /// What would help.
    pub shortage: Shortage,
}

/// Why there is not as much as a step would use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Shortage {
    /// It cannot be measured.
    Unmeasured,
    /// It is too much.
    TooMuch,
    /// It is too much for now, and time brings more.
    TooSoon,
}

impl Overrun {
    pub(super) fn new(budget: &Budget, shortage: Shortage) -> Box<Self> {
        let Budget { measure, limit, seconds, .. } = budget.clone();
        Box::new(Self { of: measure, limit, seconds, shortage })
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calls => f.write_str("calls"),
            Self::Sum(argument) => write!(f, "the sum of the argument {argument}"),
            Self::Distinct(argument) => write!(f, "different values of the argument {argument}"),
            Self::Resources => f.write_str("different resources"),
        }
    }
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, limit, seconds, shortage } = self;
        match shortage {
            Shortage::Unmeasured => write!(f, "{of}: what this action would use up of {limit} cannot be measured")?,
            Shortage::TooMuch | Shortage::TooSoon => write!(f, "{of}: this action would use up more than {limit}")?,
        }
        seconds.map_or(Ok(()), |seconds| write!(f, " within {seconds} s"))
    }
}

/// The JSON of a [`Budget`]. Members in lexical order, so that what is written is canonical JSON (RFC 8785).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    at_most: Option<Number>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    calls: Option<u32>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    distinct: Option<ArgumentName>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    resources: Option<u32>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    seconds: Option<u32>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    sum: Option<ArgumentName>,
}

impl TryFrom<Written> for Budget {
    type Error = &'static str;
    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let count = |count: u32| Number::from(i64::from(count));
        let (measure, limit) = match written {
            Written { calls: Some(calls), resources: None, sum: None, distinct: None, at_most: None, .. } => {
                (Measure::Calls, count(calls))
            }
            Written { resources: Some(resources), calls: None, sum: None, distinct: None, at_most: None, .. } => {
                (Measure::Resources, count(resources))
            }
            Written { sum: Some(sum), at_most: Some(limit), calls: None, resources: None, distinct: None, .. } => {
                (Measure::Sum(sum), limit)
            }
            Written {
                distinct: Some(distinct), at_most: Some(limit), calls: None, resources: None, sum: None, ..
            } if limit.as_integer().is_some() => (Measure::Distinct(distinct), limit),
            _ => {
                return Err("a budget has `calls`, `resources`, or `at_most` of a `sum` or of `distinct` values");
            }
        };
        let budget = Self { measure, limit, currency: written.currency, seconds: written.seconds };
        let why = "a budget is not negative, of a currency only if it is a sum, and within 1 to 31622400 seconds if within any";
        budget.checked().map_err(|_| why)
    }
}

impl From<Budget> for Written {
    fn from(budget: Budget) -> Self {
        let Budget { measure, limit, currency, seconds } = budget;
        let none = Self { at_most: None, calls: None, currency, distinct: None, resources: None, seconds, sum: None };
        let count = limit.as_integer().and_then(|limit| u32::try_from(limit).ok());
        match measure {
            Measure::Calls => Self { calls: count, ..none },
            Measure::Resources => Self { resources: count, ..none },
            Measure::Sum(argument) => Self { sum: Some(argument), at_most: Some(limit), ..none },
            Measure::Distinct(argument) => Self { distinct: Some(argument), at_most: Some(limit), ..none },
        }
    }
}
