//! An e-mail address, in the one form that every system reads alike.

use super::{Malformed, ensure};

/// An e-mail address: local part, `@`, domain (RFC 5321, sections 4.1.2 and 4.5.3.1), without quotes, comments or address
/// literals, and without `%` and `!`, by which some systems send on to another domain; in ASCII, its domain in lower case and
/// of two labels or more. The local part is what its own system makes of it: `ada+x` and `ada` are two.
///
/// ```
/// use bailiwick::mandate::Email;
///
/// let ada = Email::new("ada@mail.acme.example")?;
/// assert_eq!((ada.local(), ada.domain()), ("ada", "mail.acme.example"));
/// for refused in ["ada@acme.example.", "ada@ACME.example", "a@b@acme.example", "\"a\"@acme.example", "ada@localhost"] {
///     assert!(Email::new(refused).is_err(), "{refused}");
/// }
/// # Ok::<(), bailiwick::mandate::Malformed>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Email<'a> {
    text: &'a str,
    local: &'a str,
    domain: &'a str,
}

impl<'a> Email<'a> {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// It is not spelt as it must be.
    pub fn new(text: &'a str) -> Result<Self, Malformed> {
        ensure(text.len() <= 254, "is longer than 254 bytes")?;
        let (local, domain) = text.split_once('@').ok_or(Malformed { why: "has no `@`" })?;
        ensure(!domain.contains('@'), "has two `@`")?;
        ensure((1..=64).contains(&local.len()), "has a local part that is not 1 to 64 bytes")?;
        let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"#$&'*+-/=?^_`{|}~.".contains(&byte);
        ensure(!local.contains(['%', '!']), "has a route in its local part")?;
        ensure(local.bytes().all(atom), "has a local part with what only quotes allow")?;
        let dotted = local.starts_with('.') || local.ends_with('.') || local.contains("..");
        ensure(!dotted, "has a local part with a point at an end, or two together")?;
        check_domain(domain)?;
        Ok(Self { text, local, domain })
    }

    /// The address as it is written.
    pub fn as_str(self) -> &'a str {
        self.text
    }

    /// What is before the `@`.
    pub fn local(self) -> &'a str {
        self.local
    }

    /// What is behind it.
    pub fn domain(self) -> &'a str {
        self.domain
    }
}

/// Checks a domain: labels of lower-case letters, digits and hyphens (RFC 1123, section 2.1), at least two of them, of which
/// the last is no number.
pub(in crate::mandate) fn check_domain(domain: &str) -> Result<(), Malformed> {
    ensure(domain.len() <= 253, "has a domain of more than 253 bytes")?;
    let label = |label: &str| {
        let in_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(in_label)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    ensure(domain.split('.').all(label), "has a domain that is not of lower-case letters, digits, hyphens and points")?;
    let last = domain.rsplit_once('.').map(|(_, last)| last).ok_or(Malformed { why: "has a domain of one label" })?;
    ensure(last.bytes().any(|byte| byte.is_ascii_lowercase()), "has a domain that ends in a number")
}
