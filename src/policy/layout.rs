//! The layout of a policy's text: where its annotations, the parts of its scope and its conditions stand.
//!
//! Cedar's syntax trees do not say where in the text they come from. The text is one that Cedar has read, so that its
//! tokens are enough to find the parts; where they are not as expected there is no layout.

use std::ops::Range;

/// Where the parts of one policy stand in its text, in bytes.
#[derive(Debug)]
pub(super) struct Layout<'t> {
    pub(super) annotations: Vec<Annotation<'t>>,
    /// `permit` or `forbid`.
    pub(super) effect: Range<usize>,
    /// What follows the effect, with its brackets.
    pub(super) scope: Range<usize>,
    pub(super) principal: Fragment,
    pub(super) action: Fragment,
    pub(super) resource: Fragment,
    /// Each `when` and `unless`, with its brackets.
    pub(super) clauses: Vec<Range<usize>>,
    pub(super) conditions: Vec<(Condition, Fragment)>,
}

#[derive(Debug)]
pub(super) struct Annotation<'t> {
    pub(super) name: &'t str,
    /// The name, with the `@`.
    pub(super) start: Range<usize>,
    /// The same with what follows in brackets.
    pub(super) whole: Fragment,
}

/// What a condition's text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// What is in the brackets of a `when`, or one of several that are joined there by `&&`.
    When,
    /// An `unless`, with its brackets.
    Unless,
}

/// A part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fragment {
    pub(super) span: Range<usize>,
    /// The same on one line, without comments.
    pub(super) text: String,
}

impl<'t> Layout<'t> {
    /// Finds the parts of a policy.
    pub(super) fn of(text: &'t str) -> Option<Self> {
        let tokens = tokens(text);
        let (annotations, rest) = annotations(&tokens)?;
        let (effect, rest) = rest.split_first()?;
        let (scope, mut rest) = bracketed(rest)?;
        // A comma may follow the last part.
        let parts: Vec<_> = split(scope.inside, Kind::Comma).into_iter().filter(|part| !part.is_empty()).collect();
        let [principal, action, resource] = parts.as_slice() else { return None };
        let (mut clauses, mut conditions) = (Vec::new(), Vec::new());
        while let Some((word, behind)) = rest.split_first().filter(|(word, _)| word.text != ";") {
            let (body, behind) = bracketed(behind)?;
            clauses.push(word.start..body.span.end);
            match word.text {
                "when" => {
                    for conjunct in conjuncts(body.inside) {
                        conditions.push((Condition::When, Fragment::of(conjunct)?));
                    }
                }
                "unless" => {
                    let whole = rest.get(..rest.len().checked_sub(behind.len())?)?;
                    conditions.push((Condition::Unless, Fragment::of(whole)?));
                }
                _ => return None,
            }
            rest = behind;
        }
        Some(Self {
            annotations,
            effect: effect.start..effect.end(),
            scope: scope.span,
            principal: Fragment::of(principal)?,
            action: Fragment::of(action)?,
            resource: Fragment::of(resource)?,
            clauses,
            conditions,
        })
    }
}

impl Fragment {
    fn of(tokens: &[Token<'_>]) -> Option<Self> {
        let span = tokens.first()?.start..tokens.last()?.end();
        let mut text = String::new();
        let mut end = span.start;
        for token in tokens {
            if token.start > end {
                text.push(' ');
            }
            text.push_str(token.text);
            end = token.end();
        }
        Some(Self { span, text })
    }
}

#[derive(Debug, Clone, Copy)]
struct Token<'t> {
    kind: Kind,
    text: &'t str,
    start: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Quoted,
    Open,
    Close,
    Comma,
    And,
    Or,
    Other,
    /// Spaces and comments.
    Nothing,
}

impl Token<'_> {
    fn end(&self) -> usize {
        self.start.saturating_add(self.text.len())
    }
}

/// What precedes the effect, and the rest.
fn annotations<'t, 'x>(tokens: &'x [Token<'t>]) -> Option<(Vec<Annotation<'t>>, &'x [Token<'t>])> {
    let (mut found, mut rest) = (Vec::new(), tokens);
    while let [at, name, behind @ ..] = rest {
        if at.text != "@" {
            break;
        }
        let after = match behind {
            // Without a value, the next word is another annotation or the effect.
            [open, ..] if open.kind == Kind::Open => bracketed(behind)?.1,
            _ => behind,
        };
        let whole = Fragment::of(rest.get(..rest.len().checked_sub(after.len())?)?)?;
        found.push(Annotation { name: name.text, start: at.start..name.end(), whole });
        rest = after;
    }
    Some((found, rest))
}

/// What is in brackets, and where it is with them.
struct Bracketed<'t, 'x> {
    inside: &'x [Token<'t>],
    span: Range<usize>,
}

/// The brackets with which the tokens begin, and what is behind them.
fn bracketed<'t, 'x>(tokens: &'x [Token<'t>]) -> Option<(Bracketed<'t, 'x>, &'x [Token<'t>])> {
    let (open, rest) = tokens.split_first().filter(|(first, _)| first.kind == Kind::Open)?;
    let place = outside(rest).find(|(_, token)| token.kind == Kind::Close)?.0;
    let (inside, rest) = rest.split_at_checked(place)?;
    let (close, behind) = rest.split_first()?;
    Some((Bracketed { inside, span: open.start..close.end() }, behind))
}

/// The tokens that are not within brackets, with their places. Brackets themselves: those that open, and one that closes
/// what was not opened here.
fn outside<'t, 'x>(tokens: &'x [Token<'t>]) -> impl Iterator<Item = (usize, &'x Token<'t>)> {
    let mut depth = 0_usize;
    tokens.iter().enumerate().filter(move |(_, token)| {
        let is_outside = depth == 0;
        match token.kind {
            Kind::Open => depth = depth.saturating_add(1),
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_outside
    })
}

fn split<'t, 'x>(tokens: &'x [Token<'t>], at: Kind) -> Vec<&'x [Token<'t>]> {
    let mut ends: Vec<usize> = outside(tokens).filter(|(_, token)| token.kind == at).map(|(place, _)| place).collect();
    ends.push(tokens.len());
    let starts = std::iter::once(0).chain(ends.iter().map(|end| end.saturating_add(1)));
    starts.zip(&ends).map(|(start, end)| tokens.get(start..*end).unwrap_or_default()).collect()
}

/// What `&&` joins. It binds closer than `||` and `if`: where these stand beside it, the whole is one.
fn conjuncts<'t, 'x>(body: &'x [Token<'t>]) -> Vec<&'x [Token<'t>]> {
    let binds_looser = |token: &Token<'_>| token.kind == Kind::Or || (token.kind == Kind::Word && token.text == "if");
    if outside(body).any(|(_, token)| binds_looser(token)) { vec![body] } else { split(body, Kind::And) }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut start) = (Vec::new(), 0_usize);
    while let Some((kind, length)) = text.get(start..).and_then(token) {
        let end = start.saturating_add(length);
        if kind != Kind::Nothing {
            tokens.extend(text.get(start..end).map(|text| Token { kind, text, start }));
        }
        start = end;
    }
    tokens
}

/// The token with which a text begins: what it is, and how long.
fn token(text: &str) -> Option<(Kind, usize)> {
    let first = text.chars().next()?;
    let until = |is_end: fn(char) -> bool| text.find(is_end).unwrap_or(text.len());
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    Some(match first {
        '"' => (Kind::Quoted, quoted(text)),
        '/' if text.starts_with("//") => (Kind::Nothing, until(|char| matches!(char, '\n' | '\r'))),
        '(' | '[' | '{' => (Kind::Open, 1),
        ')' | ']' | '}' => (Kind::Close, 1),
        ',' => (Kind::Comma, 1),
        '&' if text.starts_with("&&") => (Kind::And, 2),
        '|' if text.starts_with("||") => (Kind::Or, 2),
        _ if first.is_whitespace() => (Kind::Nothing, until(|char| !char.is_whitespace())),
        _ if is_word(first) => (Kind::Word, until(|char| !char.is_alphanumeric() && char != '_')),
        _ => (Kind::Other, first.len_utf8()),
    })
}

/// How long a text in quotes is.
fn quoted(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.char_indices().skip(1).find(|(_, char)| {
        let ends = *char == '"' && !is_escaped;
        is_escaped = *char == '\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |(place, _)| place.saturating_add(1))
}
