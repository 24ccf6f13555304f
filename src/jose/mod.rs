//! Signed tokens: compact JWS (RFC 7515) with pinned keys, written once and used by every room.
//!
//! Every kind of token has its own `typ` and a closed header; the algorithm is fixed by the key, the key is
//! chosen by `kid` among those that were registered, and nothing is ever taken from the token (RFC 8725).

pub(crate) mod base64url;
mod jws;
mod key;

pub use jws::{Flaw, Refused};
pub(crate) use jws::{Kind, Token, check_window, sign};
pub use key::{KeyError, KeySet, Thumbprint, VerifyingKey};
pub(crate) use key::{SigningKey, key_for};
