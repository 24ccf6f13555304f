//! The URI of a request, as two parties compare it.

use crate::id::{Found, IdError};

/// Longer than any URI that servers take (RFC 9110, section 4.1, asks for 8000 bytes; a token has 16 KiB).
const MAX: usize = 8000;

/// An `http` or `https` URI without query and fragment, after the normalisation of RFC 3986, sections 6.2.2 and 6.2.3: two
/// spellings of one resource are equal. Small on purpose: what is not understood is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HttpUri(Box<str>);

impl HttpUri {
    pub(super) fn new(text: &str) -> Result<Self, IdError> {
        normalised(text).map(|text| Self(text.into())).ok_or_else(|| IdError {
            what: "request URI",
            want: "an absolute http or https URI without a user part, in ASCII",
            found: Found::new(text),
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

fn normalised(text: &str) -> Option<String> {
    if text.len() > MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let text = text.split(['?', '#']).next()?;
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default = match scheme.as_str() {
        "http" => "80",
        "https" => "443",
        _ => return None,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = host_and_port(authority)?;
    let port = if port.is_empty() || port == default { String::new() } else { format!(":{port}") };
    let path = dots_removed(&unescaped(path)?);
    Some(format!("{scheme}://{}{port}{path}", host.to_ascii_lowercase()))
}

/// A name, an IPv4 address, or an IPv6 address in brackets, and digits.
fn host_and_port(authority: &str) -> Option<(&str, &str)> {
    let end = authority.find(']').map_or(0, |bracket| bracket + 1);
    let colon = authority.get(end..)?.find(':').map_or(authority.len(), |colon| end + colon);
    let (host, port) = authority.split_at_checked(colon)?;
    let port = port.strip_prefix(':').unwrap_or(port);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is_host = match host.strip_prefix('[') {
        Some(address) => {
            let address = address.strip_suffix(']')?;
            !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
        }
        None => !host.is_empty() && host.bytes().all(is_name),
    };
    let is_port = port.is_empty()
        || (port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0') && port.parse::<u16>().is_ok());
    (is_host && is_port).then_some((host, port))
}

/// The path with its escapes in upper case, and without those of characters that need none (RFC 3986, sections 6.2.2.1 and
/// 6.2.2.2). An escape of an escape stays one.
fn unescaped(path: &str) -> Option<String> {
    let mut written = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    // The rest of `pchar`, and what is between segments.
    let is_path = |byte: u8| unreserved(byte) || b"!$&'()*+,;=:@/".contains(&byte);
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let escaped = u8::try_from(digit()? * 16 + digit()?).ok()?;
            if unreserved(escaped) {
                written.push(char::from(escaped));
            } else {
                written.push_str(&format!("%{escaped:02X}"));
            }
        } else if is_path(byte) {
            written.push(char::from(byte));
        } else {
            return None;
        }
    }
    Some(written)
}

/// The path without `.` and `..` (RFC 3986, section 5.2.4), and `/` where there is none (section 6.2.3).
fn dots_removed(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments = path.strip_prefix('/').unwrap_or(path);
    for segment in segments.split('/') {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    let is_open = segments.ends_with("/.") || segments.ends_with("/..") || matches!(segments, "." | "..");
    let end = if is_open && !kept.is_empty() { "/" } else { "" };
    format!("/{}{end}", kept.join("/"))
}
