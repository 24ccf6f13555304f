//! Policy text: its bounds, checked before any parser sees it, and the pieces that are one policy each.
//!
//! Cedar's parser and evaluator recurse: a few hundred brackets or a few thousand operators can exhaust a thread's
//! stack. So the text is scanned first, without recursion, and what is too large or too deep does not load.

/// What is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Bytes of text.
    Bytes,
    /// Policies.
    Policies,
    /// Brackets within brackets.
    Nesting,
    /// Operators, `[`, `if`, `in`, `is`, `has`, `like`, `when` and `unless` in one policy.
    Operators,
}

impl Limit {
    /// The bound.
    pub fn max(self) -> usize {
        match self {
            Self::Bytes => 16 * 1024 * 1024,
            Self::Policies => 20_000,
            Self::Nesting => 64,
            Self::Operators => 1_000,
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Policies => "policies",
            Self::Nesting => "levels of brackets",
            Self::Operators => "operators in one policy",
        }
    }
}

/// Policy text is over a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the policies have {found} {}, at most {} are read", .limit.unit(), .limit.max())]
#[non_exhaustive]
pub struct TextError {
    /// Which bound.
    pub limit: Limit,
    /// How much there is, at least.
    pub found: usize,
}

/// The text of one policy, from its first annotation or word to its semicolon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'t> {
    pub(super) text: &'t str,
    /// Where it begins, in bytes from the beginning of the whole text.
    pub(super) start: usize,
    /// The line on which it begins, from 1.
    pub(super) line: usize,
}

/// Checks every bound and finds the pieces, in one pass over the text.
///
/// Spaces and comments before, between and behind policies belong to none. What stands behind the last semicolon is a
/// piece too: it is for the parser to refuse. A semicolon within brackets ends a piece as well, for Cedar has none there.
pub(super) fn split(text: &str) -> Result<Vec<Piece<'_>>, TextError> {
    within(Limit::Bytes, text.len())?;
    let mut pieces = Vec::new();
    let mut scan = Scan { place: Place::Code, depth: 0, operators: 0, word: 0 };
    let (mut open, mut line, mut end): (Option<(usize, usize)>, _, _) = (None, 1, 0);
    let piece =
        |(start, line): (usize, usize), end: usize| text.get(start..end).map(|text| Piece { text, start, line });
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let was = scan.place;
        scan.read(char, chars.peek().map(|(_, next)| *next))?;
        let is_code = was == Place::Code && scan.place != Place::Comment && !char.is_whitespace();
        if is_code || matches!(was, Place::Quoted | Place::Escaped) {
            let from = *open.get_or_insert((at, line));
            end = at + char.len_utf8();
            if is_code && char == ';' {
                pieces.extend(piece(from, end));
                within(Limit::Policies, pieces.len())?;
                open = None;
            }
        }
        line += usize::from(char == '\n');
    }
    pieces.extend(open.and_then(|from| piece(from, end)));
    Ok(pieces)
}

/// Checks the number of policies that come otherwise than as a text.
pub(super) fn check_count(policies: usize) -> Result<(), TextError> {
    within(Limit::Policies, policies)
}

fn within(limit: Limit, found: usize) -> Result<(), TextError> {
    if found > limit.max() { Err(TextError { limit, found }) } else { Ok(()) }
}

/// What is known while the text is read, of the policy that is being read.
struct Scan {
    place: Place,
    depth: usize,
    operators: usize,
    /// The last eight letters of the word that is being read; a longer word is no keyword.
    word: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Code,
    Quoted,
    /// Behind a backslash within quotes.
    Escaped,
    Comment,
}

impl Scan {
    fn read(&mut self, char: char, next: Option<char>) -> Result<(), TextError> {
        match (self.place, char) {
            (Place::Quoted, '\\') => self.place = Place::Escaped,
            (Place::Escaped, _) => self.place = Place::Quoted,
            (Place::Quoted, '"') | (Place::Comment, '\n' | '\r') => self.place = Place::Code,
            (Place::Quoted | Place::Comment, _) => {}
            (Place::Code, '"') => self.place = Place::Quoted,
            (Place::Code, '/') if next == Some('/') => self.place = Place::Comment,
            (Place::Code, '(' | '[' | '{') => {
                self.depth += 1;
                within(Limit::Nesting, self.depth)?;
                self.operators += usize::from(char == '[');
            }
            (Place::Code, ')' | ']' | '}') => self.depth = self.depth.saturating_sub(1),
            (Place::Code, ';') => self.operators = 0,
            (Place::Code, '.' | '|' | '&' | '+' | '-' | '*' | '=' | '<' | '>' | '!') => self.operators += 1,
            (Place::Code, _) => {}
        }
        if self.place == Place::Code && (char.is_ascii_alphanumeric() || char == '_') {
            self.word = self.word << 8 | u64::from(u32::from(char));
        } else {
            self.operators += usize::from(KEYWORDS.contains(&self.word));
            self.word = 0;
        }
        within(Limit::Operators, self.operators)
    }
}

/// The keywords that nest or chain, as the numbers that their letters spell.
const KEYWORDS: [u64; 7] =
    [spelt(b"if"), spelt(b"in"), spelt(b"is"), spelt(b"has"), spelt(b"like"), spelt(b"when"), spelt(b"unless")];

const fn spelt(letters: &[u8]) -> u64 {
    let (mut word, mut rest) = (0, letters);
    while let [letter, after @ ..] = rest {
        word = word << 8 | *letter as u64;
        rest = after;
    }
    word
}
