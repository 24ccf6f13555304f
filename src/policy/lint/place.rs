//! The place that a lint is about, and how it is shown.

use std::fmt;
use std::ops::Range;

use crate::policy::layout::Layout;

/// A part of a policy.
#[derive(Debug, Clone)]
pub(super) enum Place<'p> {
    /// `@name`, without its value.
    Annotation(&'p str),
    /// `permit` or `forbid`.
    Effect,
    /// The effect and the scope.
    Head,
    /// What the scope says of the action.
    Action,
    /// The `when` or `unless` with this number, from 0.
    Clause(usize),
    /// These bytes.
    Bytes(Range<usize>),
}

impl Place<'_> {
    /// The bytes of this part of a policy; of one that is not there, none.
    pub(super) fn find(&self, text: &str) -> Range<usize> {
        let within = |layout: Layout<'_>| match self {
            Self::Annotation(name) => {
                let mut annotations = layout.annotations.into_iter();
                annotations.find(|annotation| annotation.name == *name).map(|annotation| annotation.start)
            }
            Self::Effect => Some(layout.effect),
            Self::Head => Some(layout.effect.start..layout.scope.end),
            Self::Action => Some(layout.action.span),
            Self::Clause(number) => layout.clauses.into_iter().nth(*number),
            Self::Bytes(range) => Some(range.clone()),
        };
        Layout::of(text).and_then(within).unwrap_or_default()
    }
}

/// Characters of a line that are shown at most, and those of them before what is meant.
const MAX_SHOWN: usize = 160;
const MAX_BEFORE: usize = 40;

/// The line of a text on which something begins.
pub(super) struct Excerpt {
    before: String,
    meant: String,
    after: String,
}

impl Excerpt {
    pub(super) fn of(text: &str, span: &Range<usize>) -> Self {
        let is_break = |char| matches!(char, '\n' | '\r');
        let cut = |range: Range<usize>| text.get(range).unwrap_or_default();
        let before = cut(0..span.start).rsplit(is_break).next().unwrap_or_default();
        let before = match before.char_indices().nth_back(MAX_BEFORE) {
            Some((at, char)) => before.get(at + char.len_utf8()..).unwrap_or_default(),
            None => before,
        };
        let meant = cut(span.clone()).split(is_break).next().unwrap_or_default();
        let is_whole = meant.len() == span.len();
        let after = if is_whole { cut(span.end..text.len()).split(is_break).next().unwrap_or_default() } else { "" };
        let mut left = MAX_SHOWN;
        let mut show = |text: &str| {
            let mut shown = String::new();
            for char in text.chars() {
                let char = printable(char);
                left = left.saturating_sub(char.chars().count());
                if left == 0 {
                    break;
                }
                shown.push_str(&char);
            }
            shown
        };
        Self { before: show(before.trim_start()), meant: show(meant), after: show(after) }
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, meant, after } = self;
        let (indent, width) = (before.chars().count(), meant.chars().count().max(1));
        writeln!(f, "{}", format!("{before}{meant}{after}").trim_end())?;
        write!(f, "{:indent$}{:^<width$}", "", "^")
    }
}

/// A character as it can be shown in one line.
fn printable(char: char) -> String {
    match char {
        '\t' => " ".to_owned(),
        '"' | '\'' | '\\' => char.to_string(),
        _ => char.escape_debug().collect(),
    }
}
