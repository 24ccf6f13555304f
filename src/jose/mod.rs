//! Signed tokens: compact JWS (RFC 7515) with pinned keys, written once and used by every room.
//!
//! Every kind of token has its own `typ` and a closed header; the algorithm is fixed by the key, the key is
//! chosen by `kid` among those that were registered, and nothing is ever taken from the token (RFC 8725).

mod algorithm;
pub(crate) mod base64url;
mod ed25519;
mod jwk;
mod jws;
mod key;
mod key_set;
mod leeway;
mod signing_error;
mod signing_key;

pub use algorithm::Algorithm;
pub use jwk::JwkSet;
#[cfg(feature = "x509")]
pub(crate) use jwk::certificates;
pub(crate) use jwk::{Purpose, read_set};
pub use jws::{Flaw, Refused};
pub(crate) use jws::{Heading, Kind, OneAudience, Said, Signed, Token, Window, check_window};
pub use key::{KeyError, KeyId, Thumbprint, VerifyingKey};
pub use key_set::KeySet;
pub use leeway::{Leeway, LeewayError};
pub use signing_error::SigningError;
pub(crate) use signing_key::{SigningKey, key_for};
