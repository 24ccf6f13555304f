//! What an action touches.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use crate::canonical::{Digest, Encoder};
use crate::id::{Found, IdError, made_of};
use crate::identity::AgentUserId;

/// What an action touches: a kind of thing and its name.
///
/// ```
/// use bailiwick::mandate::Resource;
///
/// assert_eq!(Resource::new("ticket", "T-42")?.to_string(), "ticket/T-42");
/// # Ok::<(), bailiwick::id::IdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Resource {
    text: Arc<str>,
    /// Where the kind ends in `text`.
    slash: usize,
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
        Ok(Self { text: format!("{kind}/{name}").into(), slash: kind.len() })
    }

    /// What stands for any resource where none is looked at.
    pub(crate) fn any() -> Self {
        Self { text: "any/any".into(), slash: 3 }
    }

    /// An agent user as a thing that is acted on: kind `agent_user`, and system, `/`, handle as its name.
    pub fn agent_user(user: &AgentUserId) -> Self {
        // Printable, without spaces, and shorter than a name may be.
        const KIND: &str = "agent_user";
        Self { text: format!("{KIND}/{user}").into(), slash: KIND.len() }
    }

    /// What kind of thing.
    pub fn kind(&self) -> &str {
        self.text.get(..self.slash).unwrap_or_default()
    }

    /// Which one.
    pub fn name(&self) -> &str {
        self.text.get(self.slash + 1..).unwrap_or_default()
    }

    /// The SHA-256 of its canonical form.
    pub(super) fn digest(&self) -> Digest {
        let mut encoder = Encoder::new("bailiwick/resource/v1");
        encoder.text(self.as_str());
        encoder.finish()
    }

    /// Kind, `/`, name: unambiguous, since no kind has a `/`.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// By kind, then by name.
impl Ord for Resource {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.kind(), self.name()).cmp(&(other.kind(), other.name()))
    }
}

impl PartialOrd for Resource {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
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
        resource.as_str().to_owned()
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resource({self})")
    }
}
