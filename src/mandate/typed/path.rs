//! The path of a file, below which there is nothing but what is below it.

use super::{Malformed, encodes_text, ensure, hides, is_below, is_invisible, is_points};

/// Bytes of one path (Linux, `PATH_MAX`).
const MAX: usize = 4096;

/// Characters that some systems take for `/`, `\` or `.` (compatibility forms, Unicode's NFKC).
const LIKE_SEPARATORS: &[char] = &[
    '\u{2024}', '\u{2025}', '\u{2026}', '\u{2044}', '\u{2215}', '\u{2216}', '\u{29F8}', '\u{29F9}', '\u{FE52}',
    '\u{FE68}', '\u{FF0E}', '\u{FF0F}', '\u{FF3C}',
];

/// A path of parts between `/`, absolute or relative: no `.` and no `..`, no empty part and so no slash at the end, no `\`
/// and no encoded separator, nothing invisible. What links lead elsewhere is not known here.
///
/// ```
/// use bailiwick::mandate::Path;
///
/// assert!(Path::new("/srv/reports/2026-09.csv")?.is_under(Path::new("/srv/reports")?));
/// assert!(!Path::new("/srv/reports-old/2026-09.csv")?.is_under(Path::new("/srv/reports")?));
/// for refused in ["/srv/reports/../keys", "/srv//reports", "/srv/reports/", r"\srv", "/srv/%2e%2e/keys", "~/.ssh"] {
///     assert!(Path::new(refused).is_err(), "{refused}");
/// }
/// # Ok::<(), bailiwick::mandate::Malformed>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path<'a>(&'a str);

impl<'a> Path<'a> {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// It is not spelt as it must be.
    pub fn new(text: &'a str) -> Result<Self, Malformed> {
        ensure(!text.is_empty(), "is empty")?;
        ensure(text.len() <= MAX, "is longer than 4096 bytes")?;
        ensure(!text.contains('\\'), r"has a `\`")?;
        ensure(!text.contains(is_invisible), "has an invisible character")?;
        ensure(!text.contains(LIKE_SEPARATORS), "has a character that some systems take for a separator")?;
        ensure(!hides(text, b".:~"), "has an encoded separator")?;
        ensure(encodes_text(text), "has an encoding of what is no text")?;
        let mut parts = text.strip_prefix('/').unwrap_or(text).split('/').peekable();
        let first = parts.peek().copied().unwrap_or_default();
        ensure(!first.starts_with('~'), "begins with `~`, which a shell replaces")?;
        let drive = first.as_bytes();
        ensure(!(drive.get(1) == Some(&b':') && drive.first().is_some_and(u8::is_ascii_alphabetic)), "names a drive")?;
        if text == "/" {
            return Ok(Self(text));
        }
        for part in parts {
            ensure(!part.is_empty(), "has an empty part")?;
            ensure(part != ".", "has a part `.`")?;
            ensure(part != "..", "has a part `..`")?;
            ensure(!is_points(part), "has a part `.` or `..` with parameters")?;
            // Some systems drop them, and `.. ` becomes `..`.
            ensure(!part.ends_with(['.', ' ']), "has a part that ends in a point or a space")?;
            ensure(!part.starts_with(' '), "has a part that begins with a space")?;
        }
        Ok(Self(text))
    }

    /// The path as it is written.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether it is `prefix` or below it, by whole parts. Relative paths are below relative ones only.
    pub fn is_under(self, prefix: Path<'_>) -> bool {
        is_below(self.0, prefix.0)
    }
}
