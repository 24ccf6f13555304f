//! SPIFFE IDs out of bytes.

use bailiwick::identity::{AgentId, SpiffeId, TrustDomain};

use super::dice::Dice;

/// What IDs, and what is almost one, are made of.
const PIECES: &[&str] = &[
    "/",
    "/",
    "a",
    "agent",
    "Z9",
    "acme.example",
    ".",
    "..",
    "-",
    "_",
    "0",
    "A",
    "//",
    "spiffe://",
    "%2f",
    "%",
    "\0",
    "\n",
    " ",
    "?",
    "#",
    "@",
    ":",
    "\u{e9}",
    "\u{430}",
    "\\",
    "+",
    "~",
    "*",
];

/// A text, mostly one that begins well.
fn text(bytes: &[u8]) -> String {
    let mut dice = Dice::new(bytes);
    match dice.below(8) {
        0 => String::from_utf8_lossy(bytes.get(1..).unwrap_or_default()).into_owned(),
        1 => "spiffe://acme.example/".repeat(dice.below(100)) + &"a".repeat(dice.below(256) * 8),
        kind => {
            let start =
                dice.pick(&["spiffe://acme.example/", "spiffe://a/", "spiffe://", "SPIFFE://a/", "spiffe:/", ""]);
            let pieces = (0..dice.below(8)).map(|_| dice.pick(&PIECES[..if kind < 6 { 8 } else { PIECES.len() }]));
            pieces.fold(start.to_owned(), |text, piece| text + piece)
        }
    }
}

/// SPIFFE-ID, section 2, read by the slashes.
pub(crate) fn is_one(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let [scheme, nothing, domain, path @ ..] = parts.as_slice() else { return false };
    let in_domain = |c: char| "abcdefghijklmnopqrstuvwxyz0123456789.-_".contains(c);
    let in_path = |c: char| in_domain(c.to_ascii_lowercase()) && c.is_ascii();
    let is_segment = |part: &&str| !matches!(*part, "" | "." | "..") && part.chars().all(in_path);
    (*scheme, *nothing) == ("spiffe:", "")
        && (1..=255).contains(&domain.len())
        && domain.chars().all(in_domain)
        && !path.is_empty()
        && path.iter().all(is_segment)
        && text.len() <= 2048
}

/// Whether it was one.
///
/// # Errors
///
/// Somebody would have said otherwise, or it is shown in another way than it was written.
pub(crate) fn hold(bytes: &[u8]) -> Result<bool, String> {
    let text = text(bytes);
    let complain = |what: &str| Err(format!("{what}: {text:?}"));
    let Ok(id) = SpiffeId::parse(&text) else {
        return match is_one(&text) || AgentId::spiffe(&text).is_ok() {
            true => complain("is one"),
            false => Ok(false),
        };
    };
    if !is_one(&text) {
        return complain("is none");
    }
    let whole = format!("spiffe://{}{}", id.trust_domain(), id.path());
    let again = SpiffeId::parse(&id.to_string());
    let agent = text.parse::<AgentId>().map(|agent| agent.to_string());
    if id.to_string() != text
        || id.as_str() != text
        || whole != text
        || again != Ok(id.clone())
        || agent != Ok(text.clone())
    {
        return complain("is shown in another way");
    }
    if TrustDomain::new(id.trust_domain()).is_err() {
        return complain("has a trust domain that is none");
    }
    Ok(true)
}
