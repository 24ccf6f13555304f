//! A pattern that a text must match: a regular expression as JSON Schema writes them, matched in linear time.

use std::fmt;
use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

use crate::id::Found;

/// Bytes of one pattern.
const MAX_TEXT: usize = 512;
/// Bytes of one pattern when it is compiled.
const MAX_COMPILED: usize = 128 * 1024;
/// Bytes of what one thread remembers while it matches.
const MAX_CACHE: usize = 128 * 1024;
/// Brackets within brackets.
const MAX_NESTING: u32 = 32;

/// A pattern was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the pattern {pattern} {why}")]
#[non_exhaustive]
pub struct PatternError {
    /// The pattern.
    pub pattern: Found,
    /// What is wrong with it.
    pub why: &'static str,
}

/// A regular expression of ECMA-262 in its Unicode mode, without what has no linear-time match: look-around and
/// references back.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Result<Self, PatternError> {
        let refuse = |why| PatternError { pattern: Found::new(text), why };
        if text.len() > MAX_TEXT {
            return Err(refuse("is longer than 512 bytes"));
        }
        let translated = translate(text).map_err(refuse)?;
        let built = RegexBuilder::new(&translated)
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(MAX_CACHE)
            .nest_limit(MAX_NESTING)
            .build();
        let regex = built.map_err(|error| {
            let large = matches!(error, regex::Error::CompiledTooBig(_));
            refuse(if large { "is larger than 128 KiB when compiled" } else { "is not valid" })
        })?;
        Ok(Self { text: text.to_owned(), regex })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether some part of `text` matches: a pattern that means all of it says so with `^` and `$`.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;
    fn try_from(text: String) -> Result<Self, PatternError> {
        Self::new(&text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

const DIGITS: &str = "[0-9]";
const WORD: &str = "[0-9A-Za-z_]";
const SPACE: &str = r"[\t\n\x0B\x0C\r \x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}]";
const NO_DIGITS: &str = "[^0-9]";
const NO_WORD: &str = "[^0-9A-Za-z_]";
const NO_SPACE: &str =
    r"[^\t\n\x0B\x0C\r \x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}]";
const NO_LINE_END: &str = r"[^\n\r\x{2028}\x{2029}]";

const INVALID: &str = "is not valid";

/// Says in the words of `regex` what ECMA-262 means.
///
/// The two look alike and differ: there `\d` and `\w` are ASCII, `.` stops at four line ends, and `[`, `&&` and `--`
/// within brackets are letters. What was not translated would match more than was written.
fn translate(pattern: &str) -> Result<String, &'static str> {
    let mut rest = pattern.chars().peekable();
    let mut out = String::new();
    while let Some(next) = rest.next() {
        match next {
            '\\' => match escape(&mut rest, false)? {
                Atom::One(letter) => push(&mut out, letter),
                Atom::Set(set) => out.push_str(&set),
            },
            '[' => class(&mut rest, &mut out)?,
            '(' => group(&mut rest, &mut out)?,
            '{' => repetition(&mut rest, &mut out)?,
            '.' => out.push_str(NO_LINE_END),
            '^' | '$' | '|' | ')' | '*' | '+' | '?' => out.push(next),
            ']' | '}' => return Err(INVALID),
            letter => push(&mut out, letter),
        }
    }
    Ok(out)
}

/// What an escape or a letter within brackets stands for.
enum Atom {
    One(char),
    Set(String),
}

/// One letter that is nothing but itself.
fn push(out: &mut String, letter: char) {
    // Writing to a string cannot fail.
    let _ = write!(out, r"\x{{{:X}}}", u32::from(letter));
}

fn escape(rest: &mut Peekable<Chars<'_>>, in_class: bool) -> Result<Atom, &'static str> {
    let set = |set: &str| Ok(Atom::Set(set.to_owned()));
    let letter = match rest.next().ok_or(INVALID)? {
        'd' => return set(DIGITS),
        'w' => return set(WORD),
        's' => return set(SPACE),
        'D' => return set(NO_DIGITS),
        'W' => return set(NO_WORD),
        'S' => return set(NO_SPACE),
        'b' if !in_class => return set(r"(?-u:\b)"),
        'B' if !in_class => return set(r"(?-u:\B)"),
        property @ ('p' | 'P') => return property_of(property, rest),
        '1'..='9' | 'k' => return Err("refers back to a group"),
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'v' => '\u{B}',
        'f' => '\u{C}',
        'r' => '\r',
        '0' if !rest.peek().is_some_and(char::is_ascii_digit) => '\0',
        'x' => char::from_u32(hex(rest, 2)?).ok_or(INVALID)?,
        'u' => code_point(rest)?,
        letter if letter.is_ascii_punctuation() => letter,
        _ => return Err("has an escape that is not understood"),
    };
    Ok(Atom::One(letter))
}

fn property_of(kind: char, rest: &mut Peekable<Chars<'_>>) -> Result<Atom, &'static str> {
    rest.next_if_eq(&'{').ok_or(INVALID)?;
    let mut name = String::new();
    while let Some(letter) = rest.next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '=')) {
        name.push(letter);
    }
    rest.next_if_eq(&'}').ok_or(INVALID)?;
    Ok(Atom::Set(format!(r"\{kind}{{{name}}}")))
}

fn hex(rest: &mut Peekable<Chars<'_>>, digits: usize) -> Result<u32, &'static str> {
    (0..digits).try_fold(0, |number, _| {
        let digit = rest.next().and_then(|digit| digit.to_digit(16)).ok_or(INVALID)?;
        Ok(number << 4 | digit)
    })
}

/// What follows `\u`: four digits, twice four for a surrogate pair, or up to six in braces.
fn code_point(rest: &mut Peekable<Chars<'_>>) -> Result<char, &'static str> {
    if rest.next_if_eq(&'{').is_some() {
        let mut digits = String::new();
        while let Some(digit) = rest.next_if(char::is_ascii_hexdigit) {
            digits.push(digit);
        }
        rest.next_if_eq(&'}').ok_or(INVALID)?;
        return u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).ok_or(INVALID);
    }
    let unit = hex(rest, 4)?;
    if !(0xD800..0xDC00).contains(&unit) {
        return char::from_u32(unit).ok_or(INVALID);
    }
    let follows = rest.next() == Some('\\') && rest.next() == Some('u');
    match if follows { hex(rest, 4)? } else { 0 } {
        low @ 0xDC00..0xE000 => char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00)).ok_or(INVALID),
        _ => Err(INVALID),
    }
}

/// What follows `(`. Groups only group: nothing refers back to them.
fn group(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), &'static str> {
    out.push_str("(?:");
    if rest.next_if_eq(&'?').is_none() {
        return Ok(());
    }
    match rest.next() {
        Some(':') => Ok(()),
        Some('<') if !matches!(rest.peek(), Some('=' | '!')) => {
            let mut letters = 0;
            while rest.next_if(|c| c.is_alphanumeric() || matches!(c, '_' | '$')).is_some() {
                letters += 1;
            }
            let named = letters > 0 && rest.next() == Some('>');
            if named { Ok(()) } else { Err(INVALID) }
        }
        Some('=' | '!' | '<') => Err("looks ahead or behind"),
        _ => Err(INVALID),
    }
}

/// What follows `{`: one number, or two.
fn repetition(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), &'static str> {
    out.push('{');
    let mut numbers = 0;
    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
        out.push(digit);
        numbers += 1;
    }
    if numbers > 0 && rest.next_if_eq(&',').is_some() {
        out.push(',');
        while let Some(digit) = rest.next_if(char::is_ascii_digit) {
            out.push(digit);
        }
    }
    out.push('}');
    if numbers > 0 && rest.next() == Some('}') { Ok(()) } else { Err(INVALID) }
}

/// What follows `[`.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), &'static str> {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if rest.peek() == Some(&']') {
        return Err("has brackets with nothing in them");
    }
    while rest.next_if_eq(&']').is_none() {
        let first = class_atom(rest)?;
        // A hyphen is a letter at either end, and beside a set.
        let range = rest.peek() == Some(&'-') && rest.clone().nth(1) != Some(']');
        if !range {
            push_atom(out, &first);
            continue;
        }
        rest.next();
        match (first, class_atom(rest)?) {
            (Atom::One(low), Atom::One(high)) if low <= high => {
                push(out, low);
                out.push('-');
                push(out, high);
            }
            (Atom::One(_), Atom::One(_)) => return Err(INVALID),
            (first, last) => [first, Atom::One('-'), last].iter().for_each(|atom| push_atom(out, atom)),
        }
    }
    out.push(']');
    Ok(())
}

fn class_atom(rest: &mut Peekable<Chars<'_>>) -> Result<Atom, &'static str> {
    match rest.next().ok_or(INVALID)? {
        '\\' => escape(rest, true),
        letter => Ok(Atom::One(letter)),
    }
}

fn push_atom(out: &mut String, atom: &Atom) {
    match atom {
        Atom::One(letter) => push(out, *letter),
        Atom::Set(set) => out.push_str(set),
    }
}
