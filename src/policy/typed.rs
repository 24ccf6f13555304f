//! What policies see of a typed argument: its parts, where they stand in the argument, and never a copy.

use super::compiled::Val;
use crate::mandate::{ArgumentType, Command, Email, Money, Url, Value};

/// An argument of a type that is a record to policies. It was checked; what is none has no members.
#[derive(Clone, Copy)]
pub(super) struct Typed<'a> {
    kind: ArgumentType,
    value: &'a Value,
}

impl<'a> Typed<'a> {
    /// Nothing of a type that is no record, and nothing of `null`.
    pub(super) fn of(kind: ArgumentType, value: &'a Value) -> Option<Self> {
        use ArgumentType::{Command, Email, Money, Url};
        let is_record = matches!(kind, Url | Email | Money | Command) && *value != Value::Null;
        is_record.then_some(Self { kind, value })
    }

    pub(super) fn get(self, name: &str) -> Option<Val<'a>> {
        let mut found = None;
        self.each(&mut |own, value| {
            if own == name {
                found = Some(value);
            }
            found.is_none()
        });
        found
    }

    pub(super) fn each(self, visit: &mut dyn FnMut(&'a str, Val<'a>) -> bool) -> bool {
        match (self.kind, self.value) {
            (ArgumentType::Url, Value::Text(text)) => Url::new(text).is_ok_and(|url| {
                visit("text", Val::Text(url.as_str()))
                    && visit("scheme", Val::Text(url.scheme()))
                    && visit("host", Val::Text(url.host()))
                    && visit("port", Val::Long(url.port().into()))
                    && visit("path", Val::Text(url.path()))
                    && visit("private", Val::Bool(url.is_private()))
            }),
            (ArgumentType::Email, Value::Text(text)) => Email::new(text).is_ok_and(|email| {
                visit("text", Val::Text(email.as_str()))
                    && visit("local", Val::Text(email.local()))
                    && visit("domain", Val::Text(email.domain()))
            }),
            (ArgumentType::Money, value) => Money::parts(value).is_ok_and(|(amount, currency)| {
                amount.as_decimal().is_none_or(|amount| visit("amount", Val::Decimal(amount)))
                    && visit("currency", Val::Text(currency))
            }),
            (ArgumentType::Command, value) => Command::new(value).is_ok_and(|command| {
                visit("program", Val::Text(command.program())) && visit("argv", Val::Set(command.argv()))
            }),
            _ => true,
        }
    }
}
