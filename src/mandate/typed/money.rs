//! An amount of money: how much, exactly, and in which currency.

use std::fmt;
use std::str::FromStr;

use super::{Malformed, ensure};
use crate::mandate::{Number, Value};

/// A currency by its code of three capital letters (ISO 4217). Which codes there are is not known here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The code.
    pub fn as_str(&self) -> &str {
        // Three letters of ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Currency {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let code: Option<[u8; 3]> = text.as_bytes().try_into().ok();
        let code = code.filter(|code| code.iter().all(u8::is_ascii_uppercase));
        code.map(Self).ok_or(Malformed { why: "has no currency of three capital letters" })
    }
}

impl TryFrom<String> for Currency {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount of money, zero or more: which way it goes is the tool's to say.
///
/// As an argument it is `"12.00 EUR"`, or `{"amount": "12.00", "currency": "EUR"}` with the amount as text or as number.
///
/// ```
/// use bailiwick::mandate::Money;
///
/// let price: Money = "12.00 EUR".parse()?;
/// assert_eq!((price.amount(), price.currency().as_str()), ("12".parse()?, "EUR"));
/// for refused in ["12.00", "12,00 EUR", "12.00  EUR", "-12.00 EUR", "1e3 EUR", "12.00 eur", "12.00 €"] {
///     assert!(refused.parse::<Money>().is_err(), "{refused}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    amount: Number,
    currency: Currency,
}

impl Money {
    /// How much: at most four fractional digits.
    pub fn amount(&self) -> Number {
        self.amount
    }

    /// In which currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The amount, and the currency as it stands in the argument.
    pub(crate) fn parts(value: &Value) -> Result<(Number, &str), Malformed> {
        let (amount, currency) = match value {
            Value::Text(text) => {
                let (amount, currency) =
                    text.split_once(' ').ok_or(Malformed { why: "is no amount, a space and a currency" })?;
                (read(amount)?, currency)
            }
            Value::Record(members) => {
                let amount = match members.get("amount") {
                    Some(Value::Text(text)) => read(text)?,
                    Some(Value::Number(number)) => *number,
                    _ => return Err(Malformed { why: "has no `amount`" }),
                };
                ensure(members.len() == 2, "has members besides `amount` and `currency`")?;
                match members.get("currency") {
                    Some(Value::Text(currency)) => (amount, currency.as_str()),
                    _ => return Err(Malformed { why: "has no `currency`" }),
                }
            }
            _ => return Err(Malformed { why: "is neither a text nor an object" }),
        };
        ensure(amount >= Number::from(0), "is less than nothing")?;
        ensure(amount.is_decimal(), "is more than 922337203685477.5807")?;
        Ok((amount, currency))
    }
}

fn read(amount: &str) -> Result<Number, Malformed> {
    ensure(!amount.starts_with('-'), "is less than nothing")?;
    amount.parse().map_err(|_| Malformed { why: "has an amount that is no decimal of at most four fractional digits" })
}

impl TryFrom<&Value> for Money {
    type Error = Malformed;
    fn try_from(value: &Value) -> Result<Self, Malformed> {
        let (amount, currency) = Self::parts(value)?;
        Ok(Self { amount, currency: currency.parse()? })
    }
}

impl FromStr for Money {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (amount, currency) =
            text.split_once(' ').ok_or(Malformed { why: "is no amount, a space and a currency" })?;
        let amount = read(amount)?;
        ensure(amount.is_decimal(), "is more than 922337203685477.5807")?;
        Ok(Self { amount, currency: currency.parse()? })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}
