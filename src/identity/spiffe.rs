//! SPIFFE IDs, exactly as the standard says: refused or kept, never normalised.

use std::fmt;
use std::sync::Arc;

use crate::id::{Found, made_of, text};

/// A text is not the SPIFFE ID of a workload (SPIFFE-ID, section 2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a SPIFFE ID must have {want}, found {found}")]
#[non_exhaustive]
pub struct SpiffeError {
    /// The rule that was broken.
    pub want: &'static str,
    /// The text, cut to 64 characters.
    pub found: Found,
}

text! {
    /// The name of a trust domain (SPIFFE-ID, section 2.1). Compared byte for byte, never normalised.
    TrustDomain, "trust domain", "1 to 255 characters of a-z, 0-9, `.`, `-` and `_`",
    |text| made_of(text, 255, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_'))
}

/// The SPIFFE ID of a workload: trust domain and a path that is not empty.
///
/// ```
/// use bailiwick::identity::SpiffeId;
///
/// let id = SpiffeId::parse("spiffe://acme.example/agent/invoices")?;
/// assert_eq!((id.trust_domain(), id.path()), ("acme.example", "/agent/invoices"));
/// assert!(SpiffeId::parse("spiffe://Acme.example/agent").is_err());
/// # Ok::<(), bailiwick::identity::SpiffeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId {
    text: Arc<str>,
    /// Where the path starts in `text`.
    path: usize,
}

const SCHEME: &str = "spiffe://";

impl SpiffeId {
    /// Parses a SPIFFE ID.
    ///
    /// # Errors
    ///
    /// The first rule of SPIFFE-ID section 2 that the text breaks; a path is required, since an id
    /// without one names the trust domain and no workload.
    pub fn parse(text: &str) -> Result<Self, SpiffeError> {
        let refuse = |want| SpiffeError { want, found: Found::new(text) };
        if text.len() > 2048 {
            return Err(refuse("at most 2048 bytes"));
        }
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| refuse("the scheme `spiffe://`"))?;
        let (domain, path) = rest.split_once('/').ok_or_else(|| refuse("a path"))?;
        let in_domain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
        if !made_of(domain, 255, in_domain) {
            return Err(refuse("a trust domain of 1 to 255 characters of a-z, 0-9, `.`, `-` and `_`"));
        }
        let in_segment = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        if !path.split('/').all(|segment| made_of(segment, 2048, in_segment) && segment != "." && segment != "..") {
            return Err(refuse("path segments of A-Z, a-z, 0-9, `.`, `-` and `_`, none empty, `.` or `..`"));
        }
        Ok(Self { path: SCHEME.len() + domain.len(), text: text.into() })
    }

    /// The trust domain.
    pub fn trust_domain(&self) -> &str {
        self.text.get(SCHEME.len()..self.path).unwrap_or_default()
    }

    /// The path, from its first `/` on.
    pub fn path(&self) -> &str {
        self.text.get(self.path..).unwrap_or_default()
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpiffeId({self})")
    }
}
