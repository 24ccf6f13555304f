//! DPoP proofs (RFC 9449): for which request one is, and how one is made.

use serde::{Deserialize, Serialize};

use super::http_uri::HttpUri;
use crate::canonical::Digest;
use crate::entropy::{Entropy, EntropyError};
use crate::id::{Found, IdError, made_of, text};
use crate::identity::AgentKey;
use crate::jose::{Algorithm, Heading, Kind, SigningError, VerifyingKey, base64url};
use crate::strict::present;
use crate::time::Timestamp;

text! {
    /// What a server gave out for proofs to repeat (RFC 9449, section 8).
    DpopNonce, "nonce", "1 to 128 printable ASCII characters without spaces, `\"` and `\\`",
    |text| made_of(text, 128, |byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

/// An HTTP request, as far as a proof speaks of it: method, URI, and the access token that comes along.
///
/// Whoever sends it makes the proof from it, whoever receives it verifies by it: build it from what was really received,
/// behind a proxy from what the client had asked for. URIs are compared after the normalisation of RFC 3986, sections 6.2.2 and
/// 6.2.3, and without query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DpopRequest {
    /// Compared byte for byte: methods are case-sensitive (RFC 9110, section 9.1).
    pub(super) method: Box<str>,
    pub(super) uri: HttpUri,
    /// The hash of the access token.
    pub(super) ath: Option<String>,
}

impl DpopRequest {
    /// A request without an access token, such as the one for it.
    ///
    /// # Errors
    ///
    /// The method is no token, or the URI is not an absolute `http` or `https` URI of ASCII without a user part.
    pub fn new(method: &str, uri: &str) -> Result<Self, IdError> {
        // RFC 9110, section 5.6.2.
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !made_of(method, 32, is_token) {
            return Err(IdError { what: "method", want: "1 to 32 characters of a token", found: Found::new(method) });
        }
        Ok(Self { method: method.into(), uri: HttpUri::new(uri)?, ath: None })
    }

    /// With this access token. Its hash is all that is kept.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.ath = Some(base64url::encode(Digest::of(token.as_bytes()).as_bytes()));
        self
    }
}

/// The claims of a proof (RFC 9449, section 4.2). What else it claims is ignored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) ath: Option<String>,
    pub(super) htm: String,
    pub(super) htu: String,
    pub(super) iat: i64,
    pub(super) jti: String,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) nonce: Option<String>,
}

/// A proof that waits to be signed: it tells a server that whoever sends this one request, with this one token, holds the key
/// that the token is bound to. Good once, for about a minute.
///
/// ```
/// use bailiwick::credential::{DpopProof, DpopRequest, DpopVerifier};
/// use bailiwick::entropy::SystemEntropy;
/// use bailiwick::identity::AgentKey;
/// use bailiwick::time::{Clock, SystemClock};
///
/// let (key, now) = (AgentKey::generate(&SystemEntropy)?, SystemClock.now()?);
/// # let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
///
/// // At the agent: the request that it is about to send, with `DPoP: {proof}`, `Authorization: DPoP {token}`.
/// let request = DpopRequest::new("POST", "https://jira.acme.example/tickets/42/close")?.with_token(token);
/// let proof = DpopProof::new(&request, &SystemEntropy, now)?.sign(&key)?;
///
/// // At the service: the request that it received, and the thumbprint that the verified token names.
/// let proofs = DpopVerifier::new();
/// let received = DpopRequest::new("POST", "https://jira.acme.example:443/tickets/42/close?notify=no")?.with_token(token);
/// proofs.check(&proof, &received, &key.public().thumbprint(), now)?;
/// assert!(proofs.check(&proof, &received, &key.public().thumbprint(), now).is_err(), "a second time");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DpopProof(Claims);

impl DpopProof {
    /// A proof for `request`, made at `now`, under an id that is drawn.
    ///
    /// # Errors
    ///
    /// The source of randomness failed.
    pub fn new(request: &DpopRequest, entropy: &dyn Entropy, now: Timestamp) -> Result<Self, EntropyError> {
        Ok(Self(Claims {
            ath: request.ath.clone(),
            htm: request.method.to_string(),
            htu: request.uri.as_str().to_owned(),
            iat: now.unix(),
            jti: base64url::encode(&crate::entropy::draw::<16>(entropy)?),
            nonce: None,
        }))
    }

    /// With the nonce that the server gave out last, where it gives them out.
    #[must_use]
    pub fn with_nonce(mut self, nonce: DpopNonce) -> Self {
        self.0.nonce = Some(nonce.into());
        self
    }

    /// Signs it with the agent's key.
    ///
    /// # Errors
    ///
    /// The key did not sign; an Ed25519 key always does.
    pub fn sign(self, key: &AgentKey) -> Result<String, SigningError> {
        let key = key.signing();
        Heading::of(Kind::Dpop, key).sign(&self.claims(), key)
    }

    /// Signs it with a key that is held elsewhere: `sign` signs the bytes with `algorithm`, as RFC 7518, section 3, writes
    /// signatures (of ECDSA, r and s side by side).
    #[must_use]
    pub fn sign_with(self, key: &VerifyingKey, algorithm: Algorithm, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        Heading::new(Kind::Dpop, algorithm, key).sign_with(&self.claims(), sign)
    }

    fn claims(&self) -> Vec<u8> {
        // Serialising text and numbers cannot fail; an empty claim set would be refused by every verifier.
        serde_json::to_vec(&self.0).unwrap_or_default()
    }
}
