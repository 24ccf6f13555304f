//! The layout of a policy: where its parts stand in its text.
//!
//! Cedar's syntax tree does not say. The text has been parsed: what is looked for here is there.

use std::fmt;
use std::ops::Range;

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

/// Where the parts of a policy stand.
#[derive(Debug, Default)]
pub(super) struct Layout<'t> {
    /// Names, without the `@`, and where they stand, with it.
    annotations: Vec<(&'t str, Range<usize>)>,
    effect: Range<usize>,
    /// The brackets with everything in them.
    scope: Range<usize>,
    /// What stands in the brackets, between the commas.
    parts: Vec<Range<usize>>,
    clauses: Vec<Range<usize>>,
}

impl<'t> Layout<'t> {
    /// Reads the text of one policy.
    pub(super) fn of(text: &'t str) -> Self {
        let mut layout = Self::default();
        let (mut depth, mut at, mut clause) = (0_usize, None, None);
        for (token, range) in Tokens::of(text) {
            if matches!(token, "(" | "[" | "{") {
                depth += 1;
            }
            if depth == 0 {
                match (at.take(), token) {
                    (_, "@") => at = Some(range.start),
                    (Some(start), name) => layout.annotations.push((name, start..range.end)),
                    (None, "permit" | "forbid") => layout.effect = range.clone(),
                    (None, "when" | "unless") => clause = Some(range.start),
                    (None, _) => {}
                }
            } else if layout.effect.end > 0 && layout.clauses.is_empty() && clause.is_none() {
                layout.read_scope(token, depth, &range);
            }
            if matches!(token, ")" | "]" | "}") {
                depth = depth.saturating_sub(1);
                if depth == 0 && token == "}" {
                    layout.clauses.extend(clause.take().map(|start| start..range.end));
                }
            }
        }
        layout
    }

    fn read_scope(&mut self, token: &str, depth: usize, range: &Range<usize>) {
        match (depth, token) {
            (1, "(") => self.scope = range.clone(),
            (1, ")") => self.scope.end = range.end,
            (1, ",") => self.parts.push(range.end..range.end),
            _ if self.parts.is_empty() => self.parts.push(range.clone()),
            _ => {
                if let Some(part) = self.parts.last_mut() {
                    part.start = if part.start == part.end { range.start } else { part.start };
                    part.end = range.end;
                }
            }
        }
    }

    /// The bytes of a part; of one that is not there, none.
    pub(super) fn find(&self, place: &Place<'_>) -> Range<usize> {
        let found = match place {
            Place::Annotation(name) => self.annotations.iter().find(|(own, _)| own == name).map(|(_, range)| range),
            Place::Effect => Some(&self.effect),
            Place::Head => return self.effect.start..self.scope.end,
            Place::Action => self.parts.get(1),
            Place::Clause(number) => self.clauses.get(*number),
            Place::Bytes(range) => Some(range),
        };
        found.cloned().unwrap_or_default()
    }

    /// Where the annotations end.
    pub(super) fn annotations_end(&self) -> usize {
        self.effect.start
    }
}

/// The words, texts and signs of a policy, without spaces and comments.
struct Tokens<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Tokens<'t> {
    fn of(text: &'t str) -> Self {
        Self { text, at: 0 }
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = (&'t str, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.text.get(self.at..)?;
            let spaces = length(rest, char::is_whitespace);
            let comment = rest.get(spaces..).filter(|rest| rest.starts_with("//"));
            let comment = comment.map_or(0, |rest| length(rest, |char| !matches!(char, '\n' | '\r')));
            self.at += spaces + comment;
            if spaces + comment == 0 {
                let long = match rest.chars().next()? {
                    '"' => quoted(rest),
                    char if is_in_word(char) => length(rest, is_in_word),
                    char => char.len_utf8(),
                };
                let range = self.at..self.at + long;
                self.at = range.end;
                return Some((rest.get(..long)?, range));
            }
        }
    }
}

fn is_in_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// The bytes at the beginning of a text up to the first other character.
fn length(text: &str, is: impl Fn(char) -> bool) -> usize {
    text.find(|char| !is(char)).unwrap_or(text.len())
}

/// The bytes of a text in quotes, both included.
fn quoted(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.char_indices().skip(1).find(|(_, char)| {
        let ends = *char == '"' && !is_escaped;
        is_escaped = *char == '\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
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
