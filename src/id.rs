//! Names and numbers of things: text that was parsed once, and ids that are drawn, never chosen.
//!
//! Every text here is ASCII, bounded and compared byte for byte (RFC 8725bis: no case folding, no
//! normalisation). A value of one of these types is always valid.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use crate::entropy::{Entropy, EntropyError};
use crate::time::Timestamp;

/// A text was refused: what it should have been, and what it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {want}, found {found}")]
#[non_exhaustive]
pub struct IdError {
    /// The kind of text.
    pub what: &'static str,
    /// What was wanted.
    pub want: &'static str,
    /// What was found, quoted, and cut to 64 characters.
    pub found: Found,
}

/// Refused input, kept short and printable so that it can be shown and logged safely.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Found(String);

impl Found {
    /// Keeps the first 64 characters of `text`, with everything but printable ASCII escaped.
    pub fn new(text: &str) -> Self {
        let mut shown: String = text.chars().take(64).flat_map(char::escape_default).collect();
        if text.chars().nth(64).is_some() {
            shown.push('…');
        }
        Self(shown)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Declares a text type: documentation, name, what it is kept in, what it is called, what is wanted, and the test.
macro_rules! text {
    (@store) => { std::sync::Arc<str> };
    (@store $store:ty) => { $store };
    ($(#[$doc:meta])* $name:ident $(in $store:ty)?, $what:literal, $want:expr, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($crate::id::text!(@store $($store)?));

        impl $name {
            #[doc = concat!("Parses ", $what, ": ", $want, ".\n\n# Errors\n\nAny other text.")]
            pub fn new(text: &str) -> Result<Self, $crate::id::IdError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err($crate::id::IdError {
                        what: $what,
                        want: $want,
                        found: $crate::id::Found::new(text),
                    })
                }
            }

            /// The text, exactly as it was parsed.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::id::IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::id::Parsed::<Self>::new($what))
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::id::IdError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.as_str().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        /// Compared and hashed as its text is, so that a map by name is asked by text.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }
    };
}
pub(crate) use text;

/// Reads a text where it stands: most of it is never copied before it was found to be valid.
pub(crate) struct Parsed<T>(&'static str, PhantomData<T>);

impl<T> Parsed<T> {
    pub(crate) fn new(what: &'static str) -> Self {
        Self(what, PhantomData)
    }
}

impl<T: FromStr<Err: fmt::Display>> serde::de::Visitor<'_> for Parsed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string: {}", self.0)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// Two names that make one, and the text of the whole: written once, shared by every clone. Whoever makes it sees to
/// it that no two pairs have the same text. Equal by that text, ordered by its parts.
#[derive(Clone)]
pub(crate) struct Pair<A, B>(Arc<Joined<A, B>>);

struct Joined<A, B> {
    text: Box<str>,
    first: A,
    second: B,
}

impl<A, B> Pair<A, B> {
    pub(crate) fn new(first: A, second: B, join: impl FnOnce(&A, &B) -> String) -> Self {
        Self(Arc::new(Joined { text: join(&first, &second).into(), first, second }))
    }

    pub(crate) fn first(&self) -> &A {
        &self.0.first
    }

    pub(crate) fn second(&self) -> &B {
        &self.0.second
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0.text
    }
}

impl<A, B> PartialEq for Pair<A, B> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.text == other.0.text
    }
}

impl<A, B> Eq for Pair<A, B> {}

impl<A: Ord, B: Ord> PartialOrd for Pair<A, B> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<A: Ord, B: Ord> Ord for Pair<A, B> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.first(), self.second()).cmp(&(other.first(), other.second()))
    }
}

impl<A, B> Hash for Pair<A, B> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.text.hash(state);
    }
}

/// Whether `text` has 1 to `max` characters, all of which `allowed` accepts.
pub(crate) fn made_of(text: &str, max: usize, allowed: fn(u8) -> bool) -> bool {
    !text.is_empty() && text.len() <= max && text.bytes().all(allowed)
}

fn url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

text! {
    /// Who issued an identity or a token: an `https` URL without query, fragment or user part
    /// (OpenID Connect Core 1.0, section 2). Compared byte for byte: a trailing slash matters.
    Issuer, "issuer", "an https URL of at most 512 printable characters without `?`, `#` or `@`",
    |text| text.strip_prefix("https://").is_some_and(|rest| {
        !rest.starts_with('/')
            && made_of(rest, 504, |b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'@' | b'"' | b'\\'))
    })
}

text! {
    /// The name that an issuer gave to somebody: 1 to 255 printable ASCII characters without spaces
    /// (OpenID Connect Core 1.0, section 2). It means nothing without its [`Issuer`].
    Subject, "subject", "1 to 255 printable ASCII characters without spaces",
    |text| made_of(text, 255, |b| b.is_ascii_graphic())
}

text! {
    /// The one service that a credential is for (`aud`); compared byte for byte.
    Audience, "audience", "1 to 512 printable ASCII characters without spaces, and no wildcard",
    |text| made_of(text, 512, |b| b.is_ascii_graphic() && b != b'*')
}

/// Declares an id that is drawn at random and travels in tokens as text.
macro_rules! drawn {
    ($(#[$doc:meta])* $name:ident, $what:literal, $prefix:literal, $min:literal) => {
        text! {
            $(#[$doc])*
            $name, $what, concat!($min, " to 64 characters of A-Z, a-z, 0-9, `-` and `_`"),
            |text| text.len() >= $min && made_of(text, 64, url_safe)
        }

        impl $name {
            /// Draws a new id with 128 random bits.
            ///
            /// # Errors
            ///
            /// The source of randomness failed.
            pub fn draw(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
                let bits: [u8; 16] = crate::entropy::draw(entropy)?;
                Ok(Self::of(&bits))
            }

            /// The id with these random bits.
            pub(crate) fn of(bits: &[u8]) -> Self {
                Self(format!(concat!($prefix, "{}"), crate::jose::base64url::encode(bits)).into())
            }
        }
    };
}

drawn! {
    /// Names one task: the life of one mandate. Drawn here, or by whoever sealed an approval of it.
    TaskId, "task id", "tsk_", 8
}
drawn! {
    /// Joins everything that happens under one task, in every record and credential (`txn`, RFC 8417).
    TransactionId, "transaction id", "txn_", 8
}
drawn! {
    /// Names one approval.
    ApprovalId, "approval id", "apr_", 8
}
drawn! {
    /// Names one credential (`jti`).
    CredentialId, "credential id", "tc_", 22
}
drawn! {
    /// Names one lease: what another system issued. Drawn before that system is asked, so that it can be found by it.
    LeaseId, "lease id", "lea_", 22
}

impl CredentialId {
    /// The random bits of an id that was drawn here.
    pub(crate) fn bits(&self) -> Option<[u8; 16]> {
        crate::jose::base64url::decode(self.as_str().strip_prefix("tc_")?).ok()?.try_into().ok()
    }
}

impl ApprovalId {
    /// The id of an approval that was given here: 128 bits of its digest.
    pub(crate) fn derive(digest: &crate::canonical::Digest) -> Self {
        Self::of(digest.as_bytes().split_at(16).0)
    }
}

/// Declares an id of a record: a UUIDv7 (RFC 9562, section 5.7), made from the decision's own clock reading.
macro_rules! stamped {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id of this moment with these random bits.
            pub(crate) fn of(bits: &[u8; 10], now: Timestamp) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(now.unix_millis(), bits).into_uuid())
            }

            /// The id as a UUID.
            pub fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

stamped! {
    /// Names one event, which has up to three records.
    EventId
}
stamped! {
    /// Names one record of one lane.
    RecordId
}
stamped! {
    /// Names one start of one process: nothing single-use outlives it.
    BootId
}

/// A short text that only people read: 1 to 500 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Prose(Arc<str>);

impl Prose {
    /// Keeps `text` as it is.
    ///
    /// # Errors
    ///
    /// Text that is empty, longer than 500 characters, or has control characters (line breaks included).
    pub fn new(text: &str) -> Result<Self, IdError> {
        if text.is_empty() || text.chars().count() > 500 || text.chars().any(char::is_control) {
            return Err(IdError {
                what: "text",
                want: "1 to 500 characters without control characters",
                found: Found::new(text),
            });
        }
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Prose {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::new(&text)
    }
}

impl From<Prose> for String {
    fn from(value: Prose) -> Self {
        value.as_str().to_owned()
    }
}

impl fmt::Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
