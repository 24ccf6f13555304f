//! What an action touches.

use std::fmt;

use crate::id::{Found, IdError, made_of};

/// What an action touches: a kind of thing and its name.
///
/// ```
/// use bailiwick::mandate::Resource;
///
/// assert_eq!(Resource::new("ticket", "T-42")?.to_string(), "ticket/T-42");
/// # Ok::<(), bailiwick::id::IdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Resource {
    kind: String,
    name: String,
}

impl Resource {
    /// The thing of this kind with this name.
    ///
    /// # Errors
    ///
    /// A kind that is not 1 to 64 characters of a-z, 0-9, `_` and `-`, or a name that is not 1 to 512 printable
    /// ASCII characters without spaces.
    pub fn new(kind: &str, name: &str) -> Result<Self, IdError> {
        let in_kind = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
        if !made_of(kind, 64, in_kind) {
            let want = "1 to 64 characters of a-z, 0-9, `_` and `-`";
            return Err(IdError { what: "resource kind", want, found: Found::new(kind) });
        }
        if !made_of(name, 512, |b| b.is_ascii_graphic()) {
            let want = "1 to 512 printable ASCII characters without spaces";
            return Err(IdError { what: "resource name", want, found: Found::new(name) });
        }
        Ok(Self { kind: kind.to_owned(), name: name.to_owned() })
    }

    /// What kind of thing.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Which one.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl TryFrom<String> for Resource {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        let (kind, name) = text.split_once('/').unwrap_or((&text, ""));
        Self::new(kind, name)
    }
}

impl From<Resource> for String {
    fn from(resource: Resource) -> Self {
        resource.to_string()
    }
}

/// Kind, `/`, name: unambiguous, since no kind has a `/`.
impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resource({self})")
    }
}
