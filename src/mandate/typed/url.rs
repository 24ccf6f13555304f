//! A URL, spelt as a browser would write it: what cannot be read in two ways.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::private::{is_private, is_private_name};
use super::{Malformed, encoded, encodes_text, ensure, hides, is_below, is_points};

/// Bytes of one URL (RFC 9110, section 4.1: at least so many are understood everywhere).
const MAX: usize = 8000;

/// The schemes that are read, with the port of each: it is not written.
const SCHEMES: [(&str, u16); 4] = [("https", 443), ("http", 80), ("wss", 443), ("ws", 80)];

/// A URL of the web, absolute, and as the URL Standard writes it (WHATWG, "URL serializing"): its own text is its only
/// spelling. Without user or password, with a host in lower case that is a name in ASCII or an address in its usual form, and
/// without a part `.` or `..`, encoded or not, also with parameters behind it, an encoded separator, or an encoding of what is
/// no UTF-8 in the path.
///
/// ```
/// use bailiwick::mandate::Url;
///
/// let url = Url::new("https://api.acme.example/v1/tickets?open=1")?;
/// assert_eq!((url.scheme(), url.host(), url.port(), url.path()), ("https", "api.acme.example", 443, "/v1/tickets"));
/// assert!(url.is_under(Url::new("https://api.acme.example/v1")?) && !url.is_private());
/// assert!(Url::new("http://169.254.169.254/latest")?.is_private());
/// for refused in ["https://acme.example@evil.example/", "http://0x7f.1/", "https:\\\\evil.example", "https://evil.example./"] {
///     assert!(Url::new(refused).is_err(), "{refused}");
/// }
/// # Ok::<(), bailiwick::mandate::Malformed>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Url<'a> {
    text: &'a str,
    scheme: &'a str,
    host: &'a str,
    port: u16,
    path: &'a str,
    /// Behind the path, with its `?` or `#`.
    rest: &'a str,
    is_private: bool,
}

impl<'a> Url<'a> {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// It is not spelt as it must be.
    pub fn new(text: &'a str) -> Result<Self, Malformed> {
        ensure(text.len() <= MAX, "is longer than 8000 bytes")?;
        ensure(text.bytes().all(|byte| byte.is_ascii_graphic()), "has a space, or what is not ASCII")?;
        let (scheme, rest) = text.split_once("://").ok_or(Malformed { why: "has no scheme and `://`" })?;
        let known = SCHEMES.iter().find(|(known, _)| *known == scheme);
        let (_, default) = known.ok_or(Malformed { why: "has a scheme besides https, http, wss and ws" })?;
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
        let (path, rest) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
        ensure(!authority.contains('@'), "names a user")?;
        let (host, port) = match authority.rfind(':').filter(|_| !authority.ends_with(']')) {
            Some(colon) => {
                let (host, port) = authority.split_at(colon);
                (host, Some(read_port(port.get(1..).unwrap_or_default(), *default)?))
            }
            None => (authority, None),
        };
        let is_private = check_host(host)?;
        check_path(path)?;
        // What stands unencoded behind the path has a meaning for somebody.
        ensure(
            !rest.contains(['"', '<', '>', '\\', '`', '\'', '{', '}', '|', '^']),
            "has what must be encoded behind its path",
        )?;
        ensure(!has_stray_percent(path) && !has_stray_percent(rest), "has a `%` that encodes nothing")?;
        Ok(Self { text, scheme, host, port: port.unwrap_or(*default), path, rest, is_private })
    }

    /// The URL as it is written.
    pub fn as_str(self) -> &'a str {
        self.text
    }

    /// The scheme.
    pub fn scheme(self) -> &'a str {
        self.scheme
    }

    /// The host: a name, or an address, of IPv6 in brackets.
    pub fn host(self) -> &'a str {
        self.host
    }

    /// The port, written or meant.
    pub fn port(self) -> u16 {
        self.port
    }

    /// The path, `/` at least.
    pub fn path(self) -> &'a str {
        if self.path.is_empty() { "/" } else { self.path }
    }

    /// Whether the host is not one of the public Internet, as far as it says so itself. What a name leads to is known only
    /// where it is looked up.
    pub fn is_private(self) -> bool {
        self.is_private
    }

    /// Whether it has the scheme, host and port of `prefix`, and its path or one below it, by whole parts.
    pub fn is_under(self, prefix: Url<'_>) -> bool {
        (self.scheme, self.host, self.port) == (prefix.scheme, prefix.host, prefix.port)
            && is_below(self.path(), prefix.path())
    }

    /// Whether nothing is behind the path.
    pub(in crate::mandate) fn ends_with_path(self) -> bool {
        self.rest.is_empty()
    }
}

fn read_port(text: &str, default: u16) -> Result<u16, Malformed> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let port = text.parse().ok().filter(|_| digits).ok_or(Malformed { why: "has a port that is not 1 to 65535" })?;
    ensure(port != default, "writes the port that its scheme has anyway")?;
    Ok(port)
}

/// Checks a host; says whether it is private.
fn check_host(host: &str) -> Result<bool, Malformed> {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr =
            address.parse().map_err(|_| Malformed { why: "has a host that is no address of IPv6" })?;
        ensure(is_usual(address, host), "has an address of IPv6 that is not in its usual form")?;
        return Ok(is_private(address.into()));
    }
    ensure(!host.is_empty(), "has no host")?;
    ensure(host.len() <= 253, "has a host of more than 253 bytes")?;
    ensure(!host.ends_with('.'), "has a host that ends in a point")?;
    let label = |label: &str| {
        let in_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(in_label) && !label.starts_with('-')
    };
    let labels = host.split('.').all(label);
    ensure(labels, "has a host that is not of lower-case letters, digits, hyphens and points")?;
    let last = host.rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if hex || last.bytes().all(|byte| byte.is_ascii_digit()) {
        // The library reads four decimal numbers without leading zeros and nothing else: octal, hexadecimal and short forms
        // of addresses are refused.
        let address: Ipv4Addr =
            host.parse().map_err(|_| Malformed { why: "has an address of IPv4 in an unusual form" })?;
        return Ok(is_private(address.into()));
    }
    Ok(is_private_name(host))
}

/// Whether an address stands in its brackets as the URL Standard writes it: in hexadecimal, the first of the longest runs of
/// two zeros or more left out.
fn is_usual(address: Ipv6Addr, written: &str) -> bool {
    let segments = address.segments();
    let (mut longest, mut run) = (0..0, 0..0);
    for (place, segment) in segments.iter().enumerate() {
        run = if *segment == 0 { run.start..place + 1 } else { place + 1..place + 1 };
        if run.len() > longest.len() {
            longest = run.clone();
        }
    }
    let gap = Some(longest).filter(|gap| gap.len() > 1);
    let mut rest = written.strip_prefix('[').unwrap_or_default();
    for (place, segment) in segments.iter().enumerate() {
        if gap.as_ref().is_some_and(|gap| gap.contains(&place)) {
            let is_first = gap.as_ref().is_some_and(|gap| gap.start == place);
            let Some(after) = rest.strip_prefix("::").filter(|_| is_first).or((!is_first).then_some(rest)) else {
                return false;
            };
            rest = after;
            continue;
        }
        let follows_gap = gap.as_ref().is_some_and(|gap| gap.end == place);
        if place > 0 && !follows_gap {
            let Some(after) = rest.strip_prefix(':') else { return false };
            rest = after;
        }
        let end = rest.find([':', ']']).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(end);
        let is_plain = !digits.is_empty() && (digits == "0" || !digits.starts_with('0'));
        let is_lower = !digits.bytes().any(|byte| byte.is_ascii_uppercase());
        if !is_plain || !is_lower || u16::from_str_radix(digits, 16) != Ok(*segment) {
            return false;
        }
        rest = after;
    }
    rest == "]"
}

fn check_path(path: &str) -> Result<(), Malformed> {
    ensure(!path.contains('\\'), r"has a `\`")?;
    ensure(!path.contains(['"', '<', '>', '`', '{', '}', '^']), "has what must be encoded in its path")?;
    ensure(!hides(path, b"."), "has an encoded separator or point in its path")?;
    ensure(encodes_text(path), "has an encoding of what is no text in its path")?;
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        ensure(!is_points(part), "has a part `.` or `..` in its path")?;
        ensure(!part.is_empty() || parts.peek().is_none(), "has an empty part in its path")?;
    }
    Ok(())
}

fn has_stray_percent(text: &str) -> bool {
    text.split('%').skip(1).any(|rest| encoded(rest).is_none())
}
