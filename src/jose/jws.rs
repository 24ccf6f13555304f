//! Compact JWS (RFC 7515, section 3.1): signing, and the first five steps of verifying.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{KeySet, SigningKey, Thumbprint, base64url};
use crate::id::Issuer;
use crate::json::{self, Limits};
use crate::strict::Object;
use crate::time::Timestamp;

/// No token is longer (token profile, section 2.2).
const MAX_BYTES: usize = 16 * 1024;
/// No header is longer.
const MAX_HEADER: usize = 1024;
/// No claims are nested deeper.
const MAX_DEPTH: usize = 16;

/// A token was refused. What it says to outsiders is always the same; what was wrong is for the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token was refused")]
pub struct Refused(Flaw);

impl Refused {
    /// What was wrong: for the operator's log and for tests, never for whoever presented the token.
    pub fn flaw(self) -> Flaw {
        self.0
    }
}

impl From<Flaw> for Refused {
    fn from(flaw: Flaw) -> Self {
        Self(flaw)
    }
}

/// What was wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Flaw {
    /// Longer than 16 KiB, or not three non-empty parts of strict base64url.
    Encoding,
    /// A header member is missing, unknown, doubled or has another value than this kind of token has.
    Header,
    /// No registered key has this `kid`.
    UnknownKey,
    /// The signature does not verify.
    Signature,
    /// The claims are not strict JSON of this kind of token's shape.
    Claims,
    /// `iss` is not the issuer that the key was registered for.
    Issuer,
    /// `aud` is not the audience that was expected.
    Audience,
    /// The token is not valid yet.
    NotYetValid,
    /// The token is not valid any more, or lives longer than its kind may.
    Expired,
    /// The token names somebody else than it must.
    Subject,
    /// Something that the token rests on ends before it, or does not match it; or it is used for another action.
    Binding,
    /// The authority in the token contradicts itself. An unknown constraint is a matter of [`Claims`](Self::Claims).
    Authority,
    /// What the token needs to be proven cannot be proven from it alone.
    Unproven,
    /// It was used before, or was made for another question.
    Replayed,
    /// What it rests on has ended or been revoked.
    Revoked,
    /// The clock or another seam of the host failed.
    Unavailable,
}

/// The kinds of token, by their `typ` (RFC 8725, section 3.11): none is ever accepted as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The task credential, an access token (RFC 9068).
    Credential,
    /// A human's consent to a task.
    Approval,
    /// An agent's answer to a challenge.
    Possession,
}

impl Kind {
    fn typ(self) -> &'static str {
        match self {
            Self::Credential => "at+jwt",
            Self::Approval => "task-approval+jwt",
            Self::Possession => "agent-possession+jwt",
        }
    }
}

/// Signs `claims`, a JSON object, as a token of the kind `kind`.
pub(crate) fn sign(kind: Kind, claims: &[u8], key: &SigningKey) -> String {
    let header = format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"{}"}}"#, key.thumbprint(), kind.typ());
    let mut token = base64url::encode(header.as_bytes());
    token.push('.');
    token.push_str(&base64url::encode(claims));
    let signature = key.sign(token.as_bytes());
    token.push('.');
    token.push_str(&base64url::encode(&signature));
    token
}

/// The closed header of every token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

/// A token whose signature was verified and whose claims have the shape `C`.
#[derive(Debug)]
pub(crate) struct Token<C, Owner = Issuer> {
    /// Whose key signed it.
    pub(crate) owner: Owner,
    /// The verifying key's thumbprint.
    pub(crate) kid: Thumbprint,
    pub(crate) claims: C,
}

impl<C: DeserializeOwned, Owner: Clone + std::fmt::Display> Token<C, Owner> {
    /// Verifies the signature of `token` with a key of `keys`, and reads the claims.
    pub(crate) fn verify(kind: Kind, token: &str, keys: &KeySet<Owner>) -> Result<Self, Flaw> {
        if token.len() > MAX_BYTES {
            return Err(Flaw::Encoding);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Flaw::Encoding)?;
        let (header, claims) = message.split_once('.').ok_or(Flaw::Encoding)?;
        let part = |text: &str| match base64url::decode(text) {
            Ok(bytes) if !bytes.is_empty() => Ok(bytes),
            _ => Err(Flaw::Encoding),
        };
        let (header, claims, signature) = (part(header)?, part(claims)?, part(signature)?);

        let header: Header = read(&header, MAX_HEADER).ok_or(Flaw::Header)?;
        // Ed25519 is pinned to every key that can be registered; RFC 9864 gives it two spellings.
        if header.typ != kind.typ() || !matches!(header.alg.as_str(), "EdDSA" | "Ed25519") {
            return Err(Flaw::Header);
        }
        let (owner, key) = keys.get(&header.kid).ok_or(Flaw::UnknownKey)?;
        if !key.verifies(message.as_bytes(), &signature) {
            return Err(Flaw::Signature);
        }
        let claims = read(&claims, MAX_BYTES).ok_or(Flaw::Claims)?;
        Ok(Self { owner: owner.clone(), kid: key.thumbprint(), claims })
    }
}

/// Reads strict JSON into a typed value.
fn read<T: DeserializeOwned>(bytes: &[u8], max: usize) -> Option<T> {
    let text = std::str::from_utf8(bytes).ok()?;
    json::parse(text, Limits { bytes: max, depth: MAX_DEPTH }).ok()?;
    serde_json::from_str::<Object<T>>(text).ok().map(|object| object.0)
}

/// The time rules of every token: `iat ≤ nbf ≤ now < exp`, without leeway, at the second.
pub(crate) fn check_window(iat: i64, nbf: i64, exp: i64, now: Timestamp) -> Result<Timestamp, Flaw> {
    let end = Timestamp::from_unix(exp).ok_or(Flaw::Claims)?;
    if iat < 1 || nbf < iat || exp <= nbf {
        return Err(Flaw::Claims);
    }
    if now.unix() < nbf {
        return Err(Flaw::NotYetValid);
    }
    if now.unix() >= exp {
        return Err(Flaw::Expired);
    }
    Ok(end)
}
