//! Typed arguments: texts that a target system takes apart, taken apart here in the one way that leaves no doubt.
//!
//! Two parsers that read one text differently are how a bound is passed: `..` in a path, `\` in a URL, `0x7f.1` as a host.
//! So nothing is normalised here. What is not spelt as its target system would write it itself is refused, and what is
//! accepted is compared by its parts, which are slices of the text that runs.

mod command;
mod email;
mod money;
mod path;
mod private;
mod url;

pub use command::Command;
pub use email::Email;
pub(super) use email::check_domain;
pub use money::{Currency, Money};
pub use path::Path;
pub use url::Url;

use super::{ArgumentType, Value};

/// A typed argument was refused: a value that is not what its type says, or that two systems could read differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it {why}")]
#[non_exhaustive]
pub struct Malformed {
    /// What is wrong with it.
    pub why: &'static str,
}

impl Malformed {
    pub(super) const NO_TEXT: Self = Self { why: "is no text" };
}

/// An error where `is_good` is not.
fn ensure(is_good: bool, why: &'static str) -> Result<(), Malformed> {
    if is_good { Ok(()) } else { Err(Malformed { why }) }
}

impl ArgumentType {
    /// Checks that a value is spelt as its type wants it; where the type does not say, it is not looked at.
    pub(super) fn check_spelling(self, value: &Value) -> Result<(), Malformed> {
        match self {
            Self::Path => Path::new(text(value)?).map(drop),
            Self::Url => Url::new(text(value)?).map(drop),
            Self::Email => Email::new(text(value)?).map(drop),
            Self::Money => Money::try_from(value).map(drop),
            Self::Command => Command::new(value).map(drop),
            _ => Ok(()),
        }
    }
}

fn text(value: &Value) -> Result<&str, Malformed> {
    if let Value::Text(text) = value { Ok(text) } else { Err(Malformed::NO_TEXT) }
}

/// What is not to be seen, or turns the order of what is: neither is part of a name.
pub(super) fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}')
        || matches!(letter, '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFF}')
        || matches!(letter, '\u{E0000}'..='\u{E0FFF}')
}

/// The character that the percent-encoding at the beginning of `text` stands for, behind its `%`.
fn encoded(text: &str) -> Option<u8> {
    let digits = text.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

/// Whether a percent-encoding hides what parts a path, ends a text, or is a percent-encoding itself.
fn hides(text: &str, also: &[u8]) -> bool {
    let hidden = |byte: u8| matches!(byte, b'/' | b'\\' | b'%' | 0..=0x1F | 0x7F) || also.contains(&byte);
    text.split('%').skip(1).any(|rest| encoded(rest).is_some_and(hidden))
}

/// Whether what is percent-encoded is UTF-8, so that no lenient reader sees a `.` or a `/` in an overlong form of it.
fn encodes_text(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('%') {
        rest = behind;
        let width = match encoded(behind) {
            Some(0x80..=0xBF | 0xF8..) => return false,
            Some(0xC0..=0xDF) => 2,
            Some(0xE0..=0xEF) => 3,
            Some(0xF0..=0xF7) => 4,
            Some(_) | None => continue,
        };
        let (mut letter, mut next) = ([0; 4], Some(behind));
        for byte in letter.iter_mut().take(width) {
            let Some(own) = next.and_then(encoded) else { return false };
            *byte = own;
            rest = next.and_then(|next| next.get(2..)).unwrap_or_default();
            next = rest.strip_prefix('%');
        }
        if letter.get(..width).is_none_or(|letter| std::str::from_utf8(letter).is_err()) {
            return false;
        }
    }
    true
}

/// Whether a part of a path is `.` or `..` to somebody: some servers drop what follows a `;`, encoded or not, before they
/// look.
fn is_points(part: &str) -> bool {
    let begins_with = |points: &str| {
        part.strip_prefix(points).is_some_and(|rest| {
            let encoded = rest.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%3b"));
            rest.is_empty() || rest.starts_with(';') || encoded
        })
    };
    begins_with(".") || begins_with("..")
}

/// Whether `text`, parted by `/`, is `prefix` or below it. Neither has an empty part, except for a slash at the beginning.
fn is_below(text: &str, prefix: &str) -> bool {
    match text.strip_prefix(prefix) {
        Some(rest) => rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/'),
        None => false,
    }
}
