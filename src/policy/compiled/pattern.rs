//! What stands to the right of `like`, split at its wildcards once, at load.

use cedar_policy::pst::PatternElem;

/// A pattern that any text can be held against, without allocation and in time linear in the text.
///
/// Texts are compared as UTF-8: a piece that is itself text is found only where characters begin and end.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// No wildcard.
    Exact(Box<str>),
    /// At least one wildcard.
    Split {
        /// What stands before the first wildcard.
        prefix: Box<str>,
        /// What stands between two wildcards, where that is anything.
        inner: Box<[Box<str>]>,
        /// What stands after the last wildcard.
        suffix: Box<str>,
    },
}

impl Pattern {
    /// A pattern of these elements.
    pub(super) fn new<'a>(elements: impl IntoIterator<Item = &'a PatternElem>) -> Self {
        let (mut ended, mut piece) = (Vec::new(), String::new());
        for element in elements {
            match element {
                PatternElem::Char(letter) => piece.push(*letter),
                PatternElem::Wildcard => ended.push(std::mem::take(&mut piece).into_boxed_str()),
            }
        }
        let suffix = piece.into_boxed_str();
        let mut ended = ended.into_iter();
        match ended.next() {
            None => Self::Exact(suffix),
            Some(prefix) => Self::Split { prefix, inner: ended.filter(|piece| !piece.is_empty()).collect(), suffix },
        }
    }

    /// Whether all of `text` fits.
    pub(super) fn matches(&self, text: &str) -> bool {
        let (prefix, inner, suffix) = match self {
            Self::Exact(exact) => return **exact == *text,
            Self::Split { prefix, inner, suffix } => (&**prefix, &**inner, &**suffix),
        };
        // What is empty points nowhere, and where `memcmp` loads under a mask, a look there costs more than all the rest.
        let after = if prefix.is_empty() { Some(text) } else { text.strip_prefix(prefix) };
        let between = after.and_then(|rest| if suffix.is_empty() { Some(rest) } else { rest.strip_suffix(suffix) });
        let Some(between) = between else { return false };
        let Some((last, earlier)) = inner.split_last() else { return true };
        // The leftmost place of a piece leaves the most for those that follow, so no other place need be tried.
        let rest = earlier.iter().try_fold(between, |rest, piece| Some(rest.split_once(&**piece)?.1));
        rest.is_some_and(|rest| rest.contains(&**last))
    }
}
