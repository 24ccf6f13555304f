//! Public keys as JSON (RFC 7517), alone and in sets.

use std::collections::BTreeMap;

use super::key::Curve;
use super::{Algorithm, KeyError, KeyId, Thumbprint, VerifyingKey, base64url};
use crate::id::Found;
use crate::json::{self, Json, Limits};

/// A set's text has at most 256 KiB: a hundred keys with their certificates.
const LIMITS: Limits = Limits { bytes: 256 * 1024, depth: 8 };
/// A set has at most so many keys.
const MAX_KEYS: usize = 128;

impl VerifyingKey {
    /// Reads a JWK (RFC 7517; RFC 7518, section 6; RFC 8037): `OKP` on the curve of Ed25519, `EC` on P-256 or P-384, or
    /// `RSA`.
    ///
    /// # Errors
    ///
    /// The text is not strict JSON; the key is of another kind, for another purpose (`use`, `key_ops`) or algorithm than
    /// verifying with what is verified here, comes with its private half, or is weak: of small order, not canonical, a
    /// modulus below 2048 bits, an exponent of 1.
    pub fn from_jwk(text: &str) -> Result<Self, KeyError> {
        let json = json::parse(text, LIMITS)?;
        let jwk = Jwk::of(&json)?;
        Purpose::Signatures.check(jwk)?;
        jwk.key()
    }

    /// The key of a header's `jwk` (RFC 9449, section 4.2): the members that are required of its kind, each as it is written
    /// canonically, and nothing else.
    pub(super) fn from_bare_jwk(members: BTreeMap<String, String>) -> Option<Self> {
        let members = members.into_iter().map(|(name, text)| (name, Json::Text(text))).collect();
        let key = Jwk(&members).key().ok()?;
        (json::parse(&key.to_jwk(), LIMITS) == Ok(Json::Record(members))).then_some(key)
    }
}

/// What the keys of a set are for, by their `use`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// `sig`, or not said.
    Signatures,
    /// `jwt-svid` (SPIFFE Trust Domain and Bundle, section 4.2.2).
    JwtSvids,
}

impl Purpose {
    fn check(self, jwk: Jwk<'_>) -> Result<(), KeyError> {
        let found = jwk.text("use")?;
        let (want, is_met) = match self {
            Self::Signatures => ("signatures", matches!(found, None | Some("sig"))),
            Self::JwtSvids => ("JWT-SVIDs", found == Some("jwt-svid")),
        };
        if is_met {
            return Ok(());
        }
        Err(KeyError::Purpose { want, member: "use", found: Found::new(found.unwrap_or_default()) })
    }
}

/// The keys of another party, each found by its `kid` there.
///
/// What a set has for other purposes or of other kinds than are verified here is left out, as RFC 7517, section 5, wants
/// it. A key that would be used and is malformed, weak, or without a `kid` refuses the whole set.
///
/// ```
/// use bailiwick::jose::{JwkSet, KeyError};
///
/// let keys = JwkSet::from_json(r#"{"keys": [
///     {"kid": "2026-11", "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///     {"kid": "for-encryption", "kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB"}
/// ]}"#)?;
/// assert_eq!(keys.ids().map(|id| id.as_str()).collect::<Vec<_>>(), ["2026-11"]);
///
/// // A signing key of 24 bits is not left out in silence.
/// let weak = r#"{"keys": [{"kid": "1", "kty": "RSA", "use": "sig", "n": "AQAB", "e": "AQAB"}]}"#;
/// assert!(matches!(JwkSet::from_json(weak), Err(KeyError::Malformed { .. })));
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JwkSet(BTreeMap<KeyId, VerifyingKey>);

impl JwkSet {
    /// Reads a JWK set: what an issuer publishes as `jwks_uri`. The host fetched it, in a way that it trusts.
    ///
    /// # Errors
    ///
    /// The text is over 256 KiB or not strict JSON, has more than 128 keys, or a key that would be used has no `kid` or
    /// that of another, or is refused by [`VerifyingKey::from_jwk`].
    pub fn from_json(text: &str) -> Result<Self, KeyError> {
        Self::read(&read_set(text)?, Purpose::Signatures)
    }

    /// The keys of a set that was read, for one purpose.
    pub(crate) fn read(set: &BTreeMap<String, Json>, purpose: Purpose) -> Result<Self, KeyError> {
        let mut keys = BTreeMap::new();
        for jwk in all_of(set)? {
            let read = purpose.check(jwk).and_then(|()| jwk.key());
            let key = match read {
                Err(KeyError::Purpose { .. } | KeyError::Unsupported { .. }) => continue,
                read => read?,
            };
            let id = jwk.id()?.ok_or(KeyError::Set { want: "a `kid` for each key" })?;
            if keys.insert(id.clone(), key).is_some() {
                return Err(KeyError::DuplicateId(id));
            }
        }
        Ok(Self(keys))
    }

    /// Writes a set of these keys, each under its thumbprint, for signatures with its first algorithm (RFC 7517, sections 4
    /// and 5).
    pub(crate) fn write<'k>(keys: impl Iterator<Item = &'k VerifyingKey>) -> String {
        let published = |key: &VerifyingKey| {
            let algorithm = key.algorithms().first().map_or("", |algorithm| algorithm.name());
            let (jwk, kid) = (key.to_jwk(), key.thumbprint());
            format!(r#"{{"alg":"{algorithm}","kid":"{kid}","use":"sig",{}"#, jwk.trim_start_matches('{'))
        };
        format!(r#"{{"keys":[{}]}}"#, keys.map(published).collect::<Vec<_>>().join(","))
    }

    /// Its keys, by what they are called.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&KeyId, &VerifyingKey)> {
        self.0.iter()
    }

    /// The key with this `kid`.
    pub(crate) fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.0.get(kid)
    }

    /// What its keys are called.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.0.keys()
    }

    /// The thumbprints of its keys.
    pub fn thumbprints(&self) -> impl Iterator<Item = Thumbprint> {
        self.0.values().map(VerifyingKey::thumbprint)
    }

    /// Whether it has no keys: then it verifies nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads the text of a set.
pub(crate) fn read_set(text: &str) -> Result<BTreeMap<String, Json>, KeyError> {
    match json::parse(text, LIMITS)? {
        Json::Record(members) => Ok(members),
        _ => Err(KeyError::Set { want: "a JSON object around it" }),
    }
}

/// The keys of a set, as they are written.
fn all_of(set: &BTreeMap<String, Json>) -> Result<Vec<Jwk<'_>>, KeyError> {
    let Some(Json::List(keys)) = set.get("keys") else {
        return Err(KeyError::Set { want: "a list of `keys`" });
    };
    if keys.len() > MAX_KEYS {
        return Err(KeyError::Set { want: "at most 128 keys" });
    }
    keys.iter().map(Jwk::of).collect()
}

/// The certificates in DER of each key of a set that is for this `use` (RFC 7517, section 4.7).
#[cfg(feature = "x509")]
pub(crate) fn certificates(set: &BTreeMap<String, Json>, purpose: &str) -> Result<Vec<Vec<Vec<u8>>>, KeyError> {
    // `x5c` is the one place where JOSE has the other alphabet, and padding.
    let malformed = || KeyError::Malformed { want: "certificates in base64" };
    let decode = |text: &str| match text.contains(['-', '_']) || !text.len().is_multiple_of(4) {
        true => Err(malformed()),
        false => {
            let url = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
            base64url::decode(&url).map_err(|_| malformed())
        }
    };
    let mut keys = Vec::new();
    for jwk in all_of(set)? {
        if jwk.text("use")? == Some(purpose) {
            let texts = jwk.texts("x5c")?.unwrap_or_default();
            keys.push(texts.into_iter().map(decode).collect::<Result<_, _>>()?);
        }
    }
    Ok(keys)
}

/// One JWK, as it is written.
#[derive(Clone, Copy)]
struct Jwk<'j>(&'j BTreeMap<String, Json>);

impl<'j> Jwk<'j> {
    fn of(json: &'j Json) -> Result<Self, KeyError> {
        match json {
            Json::Record(members) => Ok(Self(members)),
            _ => Err(KeyError::Malformed { want: "a JSON object" }),
        }
    }

    /// A member that is a text, if it is there.
    fn text(self, member: &str) -> Result<Option<&'j str>, KeyError> {
        match self.0.get(member) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(KeyError::Malformed { want: "a JWK whose members are texts" }),
        }
    }

    /// A member that is a list of texts, if it is there.
    fn texts(self, member: &str) -> Result<Option<Vec<&'j str>>, KeyError> {
        let malformed = KeyError::Malformed { want: "a JWK whose lists are of texts" };
        match self.0.get(member) {
            None => Ok(None),
            Some(Json::List(items)) => {
                let texts =
                    items.iter().map(|item| if let Json::Text(text) = item { Some(text.as_str()) } else { None });
                texts.collect::<Option<_>>().map(Some).ok_or(malformed)
            }
            Some(_) => Err(malformed),
        }
    }

    /// Its `kid`, if it has one.
    fn id(self) -> Result<Option<KeyId>, KeyError> {
        let id = self.text("kid")?.map(KeyId::new).transpose();
        id.map_err(|_| KeyError::Malformed { want: "a JWK with a `kid` of 1 to 256 printable ASCII characters" })
    }

    fn key(self) -> Result<VerifyingKey, KeyError> {
        let kind = self.text("kty")?.ok_or(KeyError::Malformed { want: "a JWK with a `kty`" })?;
        // A private member of any kind (RFC 7518, sections 6.2.2 and 6.3.2; RFC 8037, section 2).
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|member| self.0.contains_key(*member)) {
            return Err(KeyError::Private);
        }
        if self.texts("key_ops")?.is_some_and(|ops| !ops.contains(&"verify")) {
            return Err(KeyError::Purpose {
                want: "verifying",
                member: "key_ops",
                found: Found::new("other operations"),
            });
        }
        match kind {
            "OKP" => self.okp(),
            "EC" => self.ec(),
            "RSA" => self.rsa(),
            other => Err(unsupported("kty", other)),
        }
    }

    fn okp(self) -> Result<VerifyingKey, KeyError> {
        match self.text("crv")? {
            Some("Ed25519") => {
                self.pinned(&[Algorithm::Ed25519])?;
                VerifyingKey::from_jwk_x(self.text("x")?.unwrap_or_default())
            }
            other => Err(unsupported("crv", other.unwrap_or_default())),
        }
    }

    fn ec(self) -> Result<VerifyingKey, KeyError> {
        let name = self.text("crv")?.unwrap_or_default();
        let curve = Curve::named(name).ok_or_else(|| unsupported("crv", name))?;
        self.pinned(&[curve.algorithm()])?;
        VerifyingKey::point(curve, &self.bytes("x")?, &self.bytes("y")?)
    }

    fn rsa(self) -> Result<VerifyingKey, KeyError> {
        let only = self.pinned(Algorithm::RSA)?;
        VerifyingKey::rsa(&self.bytes("n")?, &self.bytes("e")?, only)
    }

    /// The algorithm that the key is for, if it says so: one of its kind.
    fn pinned(self, own: &[Algorithm]) -> Result<Option<Algorithm>, KeyError> {
        let Some(name) = self.text("alg")? else { return Ok(None) };
        let algorithm = Algorithm::named(name).ok_or_else(|| unsupported("alg", name))?;
        if own.contains(&algorithm) {
            return Ok(Some(algorithm));
        }
        Err(KeyError::Malformed { want: "a key of the kind that its `alg` is for" })
    }

    fn bytes(self, member: &str) -> Result<Vec<u8>, KeyError> {
        let text = self.text(member)?.ok_or(KeyError::Malformed { want: "a JWK with all members of its kind" })?;
        base64url::decode(text).map_err(|_| KeyError::Malformed { want: "numbers in canonical base64url" })
    }
}

fn unsupported(member: &'static str, found: &str) -> KeyError {
    KeyError::Unsupported { member, found: Found::new(found) }
}
