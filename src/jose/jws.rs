//! Compact JWS (RFC 7515, section 3.1): signing, and the first five steps of verifying.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::signing_key::SIGNATURE;
use super::{Algorithm, KeySet, Leeway, SigningError, SigningKey, Thumbprint, VerifyingKey, base64url};
use crate::canonical::Digest;
use crate::id::{Audience, Issuer};
use crate::json::{self, Json, Limits};
use crate::open::Open;
use crate::strict::{Object, present};
use crate::time::Timestamp;

/// No token is longer (token profile, section 2.2).
pub(crate) const MAX_BYTES: usize = 16 * 1024;
/// No list of what is revoked is longer.
const MAX_LIST: usize = 2 * 1024 * 1024;
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
    /// What was passed on grew, goes in a circle or too deep, or is not what the token says that it came from.
    Lineage,
    /// What the token needs to be proven cannot be proven from it alone.
    Unproven,
    /// It was used before, or was made for another question.
    Replayed,
    /// It lacks a fresh nonce of ours (RFC 9449, section 8): whoever presents it is to be given one, and to try again.
    Nonce,
    /// What it rests on has ended or been revoked.
    Revoked,
    /// The clock or another seam of the host failed, or there is no room to remember it.
    Unavailable,
}

/// The kinds of token, by their `typ` (RFC 8725, section 3.11): none of ours is ever accepted as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The task credential, an access token (RFC 9068).
    Credential,
    /// What an agent passed on of its task to another. Of the form of a credential, and opens nothing.
    Delegation,
    /// A human's consent to a task.
    Approval,
    /// Which credentials of an issuer are refused before they end.
    Revocations,
    /// An agent's answer to a challenge.
    Possession,
    /// A proof that goes along with one HTTP request (RFC 9449, section 4.2). It alone comes with its key.
    Dpop,
    /// A workload's JWT-SVID (SPIFFE JWT-SVID, sections 2 and 3).
    Svid,
    /// A token of an OpenID provider, about a workload or a person (OpenID Connect Core 1.0, section 2).
    IdToken,
}

impl Kind {
    /// The `typ` of those that are ours.
    fn typ(self) -> &'static str {
        match self {
            Self::Credential => "at+jwt",
            Self::Delegation => "task-delegation+jwt",
            Self::Approval => "task-approval+jwt",
            Self::Revocations => "credential-revocations+jwt",
            Self::Possession => "agent-possession+jwt",
            Self::Dpop => "dpop+jwt",
            Self::Svid | Self::IdToken => "JWT",
        }
    }

    /// Whether the header is one of a token of this kind.
    fn admits(self, header: &Header) -> bool {
        let has_thumbprint = header.x5t.is_some() || header.x5t_s256.is_some();
        let typ = header.typ.as_deref();
        let is_named = (header.kid.is_some(), header.jwk.is_some())
            == if self == Self::Dpop { (false, true) } else { (true, false) };
        is_named
            && match self {
                Self::Credential
                | Self::Delegation
                | Self::Approval
                | Self::Revocations
                | Self::Possession
                | Self::Dpop => typ == Some(self.typ()) && !has_thumbprint,
                Self::Svid => matches!(typ, None | Some("JWT" | "JOSE")) && !has_thumbprint,
                // Entra and GitHub say which certificate is behind the key; nobody asks it.
                Self::IdToken => matches!(typ, None | Some("JWT")),
            }
    }

    /// No token of this kind is longer.
    fn max_bytes(self) -> usize {
        if self == Self::Revocations { MAX_LIST } else { MAX_BYTES }
    }

    /// Whether tokens of this kind are signed with the algorithm: JWT-SVIDs are not, with EdDSA.
    fn is_signed_with(self, algorithm: Algorithm) -> bool {
        self != Self::Svid || algorithm != Algorithm::Ed25519
    }
}

/// The header of the tokens of one kind that one key signs, written and encoded once.
#[derive(Debug, Clone)]
pub(crate) struct Heading(Box<str>);

impl Heading {
    /// The key is named by its thumbprint; in a proof of possession of another party's definition, it is there itself.
    pub(crate) fn new(kind: Kind, algorithm: Algorithm, key: &VerifyingKey) -> Self {
        let (alg, typ) = (algorithm.name(), kind.typ());
        let header = match kind {
            Kind::Dpop => format!(r#"{{"alg":"{alg}","jwk":{},"typ":"{typ}"}}"#, key.to_jwk()),
            _ => format!(r#"{{"alg":"{alg}","kid":"{}","typ":"{typ}"}}"#, key.thumbprint()),
        };
        Self(base64url::encode(header.as_bytes()).into())
    }

    /// The header of tokens that this key signs.
    pub(crate) fn of(kind: Kind, key: &SigningKey) -> Self {
        Self::new(kind, key.algorithm(), key.public())
    }

    /// Signs `claims`, a JSON object, as a token with this header.
    pub(crate) fn sign(&self, claims: &[u8], key: &SigningKey) -> Result<String, SigningError> {
        self.token(claims, |message| key.sign(message))
    }

    /// The same, with a key that somebody else holds.
    pub(crate) fn sign_with(&self, claims: &[u8], sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let Ok(token) = self.token(claims, |message| Ok::<_, std::convert::Infallible>(sign(message)));
        token
    }

    fn token<S: AsRef<[u8]>, E>(&self, claims: &[u8], sign: impl FnOnce(&[u8]) -> Result<S, E>) -> Result<String, E> {
        // With room for all of it, so that no part of a secret stays behind where it was too narrow.
        let mut token = String::with_capacity(self.0.len() + (claims.len() + SIGNATURE).div_ceil(3) * 4 + 8);
        token.push_str(&self.0);
        token.push('.');
        base64url::append(claims, &mut token);
        let signature = sign(token.as_bytes())?;
        token.push('.');
        base64url::append(signature.as_ref(), &mut token);
        Ok(token)
    }
}

/// The closed header of every token: what is not here, `crit`, `jku`, `x5u`, `x5c`, `b64` and `zip` among it, is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(default, deserialize_with = "present")]
    kid: Option<String>,
    /// Of a [`Kind::Dpop`] alone.
    #[serde(default, deserialize_with = "present")]
    jwk: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "present")]
    typ: Option<String>,
    #[serde(default, deserialize_with = "present")]
    x5t: Option<String>,
    #[serde(default, rename = "x5t#S256", deserialize_with = "present")]
    x5t_s256: Option<String>,
}

/// A token that was taken apart. Nobody verified its signature: what it claims is good for choosing a key, and for
/// nothing else.
pub(crate) struct Signed<'t> {
    algorithm: Algorithm,
    key: Named,
    message: &'t str,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

/// How a token says which key it was signed with.
enum Named {
    Kid(Arc<str>),
    /// By the key itself, which anybody may have made.
    Own(VerifyingKey),
}

/// What the header of a token says, once it was read: what is written exactly so says the same.
#[derive(Debug)]
pub(crate) struct Said {
    kind: Kind,
    text: Box<str>,
    algorithm: Algorithm,
    kid: Arc<str>,
}

impl<'t> Signed<'t> {
    /// Takes a token of the kind `kind` apart.
    pub(crate) fn read(kind: Kind, token: &'t str) -> Result<Self, Flaw> {
        Self::read_like(kind, token, None)
    }

    /// The same, where the header of most tokens is this one.
    pub(crate) fn read_like(kind: Kind, token: &'t str, said: Option<&Said>) -> Result<Self, Flaw> {
        if token.len() > kind.max_bytes() {
            return Err(Flaw::Encoding);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Flaw::Encoding)?;
        let (header, claims) = message.split_once('.').ok_or(Flaw::Encoding)?;
        let part = |text: &str| match base64url::decode(text) {
            Ok(bytes) if !bytes.is_empty() => Ok(bytes),
            _ => Err(Flaw::Encoding),
        };
        if let Some(said) = said.filter(|said| said.kind == kind && *said.text == *header) {
            let (algorithm, key) = (said.algorithm, Named::Kid(Arc::clone(&said.kid)));
            return Ok(Self { algorithm, key, message, claims: part(claims)?, signature: part(signature)? });
        }
        let (header, claims, signature) = (part(header)?, part(claims)?, part(signature)?);
        let header: Header = read(&header, MAX_HEADER).ok_or(Flaw::Header)?;
        let algorithm = Algorithm::named(&header.alg).ok_or(Flaw::Header)?;
        if !kind.admits(&header) || !kind.is_signed_with(algorithm) {
            return Err(Flaw::Header);
        }
        let key = match (header.kid, header.jwk) {
            (Some(kid), None) => Named::Kid(kid.into()),
            (None, Some(jwk)) => Named::Own(VerifyingKey::from_bare_jwk(jwk).ok_or(Flaw::Header)?),
            _ => return Err(Flaw::Header),
        };
        Ok(Self { algorithm, key, message, claims, signature })
    }

    /// Which key it says that it was signed with; none, where it brings its own.
    pub(crate) fn kid(&self) -> &str {
        match &self.key {
            Named::Kid(kid) => kid,
            Named::Own(_) => "",
        }
    }

    /// Whether its header is this one.
    pub(crate) fn is_like(&self, said: &Said) -> bool {
        self.message.split_once('.').is_some_and(|(text, _)| *text == *said.text)
    }

    /// What its header says, for those that are written like it.
    pub(crate) fn said(&self, kind: Kind) -> Option<Said> {
        let (Named::Kid(kid), Some((text, _))) = (&self.key, self.message.split_once('.')) else {
            return None;
        };
        Some(Said { kind, text: text.into(), algorithm: self.algorithm, kid: Arc::clone(kid) })
    }

    /// The key that it brings along, which is worth something only to whoever expects that very one.
    pub(crate) fn own_key(&self) -> Option<&VerifyingKey> {
        match &self.key {
            Named::Kid(_) => None,
            Named::Own(key) => Some(key),
        }
    }

    /// What it claims, unverified.
    pub(crate) fn claimed<C: DeserializeOwned>(&self) -> Result<C, Flaw> {
        read(&self.claims, MAX_LIST).ok_or(Flaw::Claims)
    }

    /// The same, where other claims are ignored unless they have one of these names. What `C` has itself must be strict.
    pub(crate) fn claimed_without<C: DeserializeOwned>(&self, never: &'static [&'static str]) -> Result<C, Flaw> {
        let text = std::str::from_utf8(&self.claims).map_err(|_| Flaw::Claims)?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let claims = C::deserialize(Open { inner: &mut reader, never, depth: MAX_DEPTH }).map_err(|_| Flaw::Claims)?;
        reader.end().map_err(|_| Flaw::Claims)?;
        Ok(claims)
    }

    /// All that it claims, unverified.
    pub(crate) fn members(&self) -> Result<BTreeMap<String, Json>, Flaw> {
        let text = std::str::from_utf8(&self.claims).map_err(|_| Flaw::Claims)?;
        match json::parse(text, Limits { bytes: MAX_BYTES, depth: MAX_DEPTH }) {
            Ok(Json::Record(members)) => Ok(members),
            _ => Err(Flaw::Claims),
        }
    }

    /// The digest of what was signed. The signature is not in it: of an ECDSA signature anybody can make a second one.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(self.message.as_bytes())
    }

    /// Verifies the signature, with the algorithm that the header names and only if the key is pinned to it. Then what it
    /// claims can be believed as far as the key's owner can.
    pub(crate) fn check(&self, key: &VerifyingKey) -> Result<(), Flaw> {
        if !key.algorithms().contains(&self.algorithm) {
            return Err(Flaw::Header);
        }
        if key.verifies(self.algorithm, self.message.as_bytes(), &self.signature) {
            return Ok(());
        }
        Err(Flaw::Signature)
    }

    /// The same, and what it claims.
    pub(crate) fn verified_by<C: DeserializeOwned>(&self, key: &VerifyingKey) -> Result<C, Flaw> {
        self.check(key)?;
        self.claimed()
    }
}

/// A token of ours whose signature was verified and whose claims have the shape `C`.
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
        let signed = Signed::read(kind, token)?;
        let (kid, (owner, key)) = keys.get(signed.kid()).ok_or(Flaw::UnknownKey)?;
        let claims = signed.verified_by(key)?;
        Ok(Self { owner: owner.clone(), kid: kid.clone(), claims })
    }
}

/// Reads strict JSON into a typed value.
fn read<T: DeserializeOwned>(bytes: &[u8], max: usize) -> Option<T> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_strict = json::is_strict(text, Limits { bytes: max, depth: MAX_DEPTH });
    serde_json::from_str::<Object<T>>(text).ok().filter(|_| is_strict).map(|object| object.0)
}

/// The time rules of our tokens: `iat ≤ nbf ≤ now + leeway` and `now < exp + leeway`, at the second. Says when it ends.
pub(crate) fn check_window(
    (iat, nbf, exp): (i64, i64, i64),
    now: Timestamp,
    leeway: Leeway,
) -> Result<Timestamp, Flaw> {
    let end = Timestamp::from_unix(exp).ok_or(Flaw::Claims)?;
    if iat < 1 || nbf < iat || exp <= nbf {
        return Err(Flaw::Claims);
    }
    if now.unix().saturating_add(leeway.seconds()) < nbf {
        return Err(Flaw::NotYetValid);
    }
    if now.unix() >= exp.saturating_add(leeway.seconds()) {
        return Err(Flaw::Expired);
    }
    Ok(end)
}

/// The times of another party's token: the end must be said, the beginning may be.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Window {
    #[serde(default, deserialize_with = "present")]
    iat: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<i64>,
    exp: i64,
}

impl Window {
    /// `iat, nbf ≤ now + leeway` and `now < exp + leeway`, at the second. Says when it ends, by our clock.
    pub(crate) fn check(self, now: Timestamp, leeway: Leeway) -> Result<Timestamp, Flaw> {
        let (from, leeway) = (self.nbf.max(self.iat), leeway.seconds());
        if [self.iat, self.nbf].into_iter().flatten().any(|time| time < 1) || from.is_some_and(|from| self.exp <= from)
        {
            return Err(Flaw::Claims);
        }
        let end = self.exp.checked_add(leeway).and_then(Timestamp::from_unix).ok_or(Flaw::Claims)?;
        if from.is_some_and(|from| now.unix().saturating_add(leeway) < from) {
            return Err(Flaw::NotYetValid);
        }
        if now >= end {
            return Err(Flaw::Expired);
        }
        Ok(end)
    }
}

/// `aud` of another party's token: a text, or a list of one. A token for several audiences is as good to each of the others.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneAudience {
    Text(String),
    List([String; 1]),
}

impl OneAudience {
    pub(crate) fn is(&self, audience: &Audience) -> bool {
        let (Self::Text(text) | Self::List([text])) = self;
        text == audience.as_str()
    }
}
