//! A value that is shown to nobody by accident.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// A secret: wiped when dropped, redacted in `Debug`, and neither `Clone`, `Display` nor `Serialize`.
///
/// ```
/// use bailiwick::secret::Secret;
///
/// let token = Secret::new("eyJhbGciOi…".to_owned());
/// assert_eq!(format!("{token:?}"), "Secret(redacted)");
/// assert_eq!(token.expose(), "eyJhbGciOi…");
/// ```
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes a secret into keeping.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The secret itself. The call is the place to look for in a review.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}
