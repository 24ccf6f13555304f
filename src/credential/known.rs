//! Tokens that were verified before: their signatures need not be checked again.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{PoisonError, RwLock};

use hashbrown::{DefaultHashBuilder, Equivalent, HashMap};

/// Tokens that are remembered at most; twice as many for a moment.
const HALF: usize = 4096;

/// What was found in tokens, by their text. Bounded: what was not asked for lately is forgotten first, and then verified
/// anew. Whoever reads it checks time and revocation again, for those change.
pub(super) struct Known<T>(RwLock<Halves<T>>);

/// Filled one after the other: when the young half is full, the old one is forgotten.
struct Halves<T> {
    young: Half<T>,
    old: Half<T>,
}

type Half<T> = HashMap<Text, T, DefaultHashBuilder>;

impl<T> fmt::Debug for Known<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known(redacted)")
    }
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(RwLock::new(Halves { young: Half::default(), old: Half::default() }))
    }
}

impl<T: Clone> Known<T> {
    /// What was found in exactly this token.
    pub(super) fn get(&self, token: &str) -> Option<T> {
        let halves = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let place = Shown(token);
        halves.young.get(&place).or_else(|| halves.old.get(&place)).cloned()
    }

    /// Remembers what was found in a token.
    pub(super) fn put(&self, token: &str, found: T) {
        let mut halves = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if halves.young.len() >= HALF {
            halves.old = std::mem::take(&mut halves.young);
        }
        halves.young.insert(Text(token.into()), found);
    }
}

/// The text of a token, as it came in a request: worth nothing without the key that it names.
#[derive(PartialEq, Eq)]
struct Text(Box<str>);

/// The same, borrowed.
struct Shown<'t>(&'t str);

/// A token ends in its signature, which nobody can choose: that much tells tokens apart. What is equal is equal as a whole.
fn hash(token: &str, state: &mut impl Hasher) {
    let bytes = token.as_bytes();
    let (_, end) = bytes.split_at(bytes.len().saturating_sub(32));
    end.hash(state);
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(&self.0, state);
    }
}

impl Hash for Shown<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(self.0, state);
    }
}

impl Equivalent<Text> for Shown<'_> {
    fn equivalent(&self, text: &Text) -> bool {
        *self.0 == *text.0
    }
}
