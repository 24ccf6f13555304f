//! Bounds on policy text, checked before any parser sees it.
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
            Self::Bytes => 4 * 1024 * 1024,
            Self::Policies => 10_000,
            Self::Nesting => 32,
            Self::Operators => 128,
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

/// Checks every bound in one pass over the text.
pub(super) fn check(text: &str) -> Result<(), TextError> {
    let within = |limit: Limit, found: usize| {
        if found > limit.max() { Err(TextError { limit, found }) } else { Ok(()) }
    };
    within(Limit::Bytes, text.len())?;
    let (mut policies, mut depth, mut operators) = (0, 0_usize, 0);
    let mut place = Place::Code;
    let mut bytes = text.bytes().peekable();
    let mut word = 0_u64;
    while let Some(byte) = bytes.next() {
        match (place, byte) {
            (Place::Quoted, b'\\') => {
                bytes.next();
            }
            (Place::Quoted, b'"') | (Place::Comment, b'\n' | b'\r') => place = Place::Code,
            (Place::Quoted | Place::Comment, _) => {}
            (Place::Code, b'"') => place = Place::Quoted,
            (Place::Code, b'/') if bytes.peek() == Some(&b'/') => place = Place::Comment,
            (Place::Code, b'(' | b'[' | b'{') => {
                depth += 1;
                within(Limit::Nesting, depth)?;
                operators += usize::from(byte == b'[');
            }
            (Place::Code, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            (Place::Code, b';') => {
                policies += 1;
                operators = 0;
                within(Limit::Policies, policies)?;
            }
            (Place::Code, b'.' | b'|' | b'&' | b'+' | b'-' | b'*' | b'=' | b'<' | b'>' | b'!') => operators += 1,
            (Place::Code, _) => {}
        }
        // The last letters of the word that is being read; a word longer than eight letters is no keyword.
        let in_word = place == Place::Code && (byte.is_ascii_alphanumeric() || byte == b'_');
        if in_word {
            word = word << 8 | u64::from(byte);
        } else {
            operators += usize::from(KEYWORDS.contains(&word));
            word = 0;
        }
        within(Limit::Operators, operators)?;
    }
    Ok(())
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Code,
    Quoted,
    Comment,
}
