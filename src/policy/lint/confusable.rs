//! Characters that are not what they look like, in annotations and comments: Cedar looks for them elsewhere.

use super::place::Place;
use super::{Lint, LintCode, Subject};
use crate::policy::layout::Layout;

/// The first character of a policy that is not seen, and the first word of its annotations that is of two alphabets.
pub(super) fn find(policy: &Subject<'_>) -> impl Iterator<Item = Lint> {
    let text = policy.text;
    // Most policies are ASCII, and then there is nothing to find.
    let text = if text.is_ascii() { "" } else { text };
    let unseen = unseen(text).map(|(at, char)| {
        let message = format!("has the character U+{:04X}, which is not seen", u32::from(char));
        policy.lint(LintCode::Confusable, &Place::Bytes(at..at + char.len_utf8()), message)
    });
    let end = if text.is_empty() { 0 } else { Layout::of(text).map_or(0, |layout| layout.effect.start) };
    let mixed = mixed(text.get(..end).unwrap_or_default()).map(|(at, word)| {
        let message = "has a word of letters from two alphabets, some of which look the same";
        policy.lint(LintCode::Confusable, &Place::Bytes(at..at + word.len()), message)
    });
    unseen.into_iter().chain(mixed)
}

/// The first character that turns the direction of a text, or takes no place in it. Joiners are left where they join
/// what is not ASCII.
fn unseen(text: &str) -> Option<(usize, char)> {
    let mut before = ' ';
    text.char_indices().find(|(_, char)| {
        let joins = matches!(char, '\u{200c}' | '\u{200d}') && before.is_ascii();
        before = *char;
        let is_unseen = matches!(
            char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        );
        joins || is_unseen
    })
}

/// The first word with both Latin letters and Greek, Cyrillic, Armenian or Cherokee ones.
fn mixed(text: &str) -> Option<(usize, &str)> {
    let mut at = 0;
    text.split(|char: char| !char.is_alphabetic())
        .map(|word| {
            let start = at;
            // A separator follows each word.
            at +=
                word.len() + text.get(at + word.len()..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            (start, word)
        })
        .find(|(_, word)| word.chars().any(is_latin) && word.chars().any(looks_latin))
}

fn is_latin(char: char) -> bool {
    char.is_ascii_alphabetic() || matches!(char, '\u{c0}'..='\u{24f}')
}

fn looks_latin(char: char) -> bool {
    matches!(char, '\u{370}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}')
}
