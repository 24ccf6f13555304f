//! A prefix: everything below one path, one URL or one domain, by whole parts.

use std::fmt;

use super::typed::check_domain;
use super::{Email, Malformed, Path, Url, Value};

/// Everything below one place.
///
/// A path such as `/srv/reports`, itself and what is below it; a URL such as `https://api.acme.example/v1`, with exactly this
/// scheme, host and port, this path and what is below it, whatever its query; the addresses `@acme.example` of a domain; or
/// those `@*.acme.example` of the domains below it. Relative paths are below relative paths only.
///
/// A value is below it only where it is spelt as [`Path`], [`Url`] or [`Email`] want it, whatever type its tool declares.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Prefix(String);

/// A prefix, taken apart.
enum Parts<'a> {
    Path(Path<'a>),
    Url(Url<'a>),
    Domain(&'a str),
    Subdomains(&'a str),
}

impl Prefix {
    /// Reads a prefix.
    ///
    /// # Errors
    ///
    /// It is none of these, or not spelt as it must be.
    pub fn new(text: &str) -> Result<Self, Malformed> {
        parts(text).map(|_| Self(text.to_owned()))
    }

    /// The prefix as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a value is below it.
    pub(super) fn covers(&self, value: &Value) -> bool {
        let (Value::Text(text), Ok(parts)) = (value, parts(&self.0)) else { return false };
        match parts {
            Parts::Path(prefix) => Path::new(text).is_ok_and(|path| path.is_under(prefix)),
            Parts::Url(prefix) => Url::new(text).is_ok_and(|url| url.is_under(prefix)),
            Parts::Domain(domain) => Email::new(text).is_ok_and(|email| email.domain() == domain),
            Parts::Subdomains(domain) => Email::new(text).is_ok_and(|email| is_below(email.domain(), domain)),
        }
    }

    /// Whether everything below it is below `wider` too.
    pub(super) fn is_within(&self, wider: &Self) -> bool {
        match (parts(&self.0), parts(&wider.0)) {
            (Ok(Parts::Path(narrow)), Ok(Parts::Path(wide))) => narrow.is_under(wide),
            (Ok(Parts::Url(narrow)), Ok(Parts::Url(wide))) => narrow.is_under(wide),
            (Ok(Parts::Domain(narrow)), Ok(Parts::Domain(wide))) => narrow == wide,
            (Ok(Parts::Domain(narrow)), Ok(Parts::Subdomains(wide))) => is_below(narrow, wide),
            (Ok(Parts::Subdomains(narrow)), Ok(Parts::Subdomains(wide))) => narrow == wide || is_below(narrow, wide),
            _ => false,
        }
    }
}

/// Whether a domain is below another.
fn is_below(domain: &str, above: &str) -> bool {
    domain.strip_suffix(above).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

fn parts(text: &str) -> Result<Parts<'_>, Malformed> {
    if let Some(domain) = text.strip_prefix("@*.") {
        return check_domain(domain).map(|()| Parts::Subdomains(domain));
    }
    if let Some(domain) = text.strip_prefix('@') {
        return check_domain(domain).map(|()| Parts::Domain(domain));
    }
    if text.contains('*') {
        return Err(Malformed { why: "has a `*`, which stands for nothing here" });
    }
    if !text.contains("://") {
        return Path::new(text).map(Parts::Path);
    }
    let url = Url::new(text)?;
    if url.ends_with_path() { Ok(Parts::Url(url)) } else { Err(Malformed { why: "has something behind its path" }) }
}

impl TryFrom<String> for Prefix {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        Self::new(&text)
    }
}

impl From<Prefix> for String {
    fn from(prefix: Prefix) -> Self {
        prefix.0
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
