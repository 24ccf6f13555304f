//! The sign-in of a person, from the ID token that their provider gave.

use super::id_token::IdToken;
use super::trust::Trusted;
use super::{Authentication, HumanOperator, OperatorId, OperatorSession, ProofError, TrustError};
use crate::id::{Audience, Issuer, Prose};
use crate::jose::{Flaw, JwkSet, Leeway};
use crate::time::Timestamp;

/// Ways of signing in that are kept of one token.
const MAX_METHODS: usize = 16;

/// Verifies the ID token of a person's own sign-in (OpenID Connect Core 1.0, section 3.1.3.7): issuer, client and nonce
/// exactly, and in time. The session ends when the token does.
///
/// The token of a workload, of an agent, of an agent that acts for the person, or of an agent user is refused: none of them
/// can consent.
///
/// ```
/// use bailiwick::id::{Audience, Issuer};
/// use bailiwick::identity::OperatorVerifier;
/// use bailiwick::jose::JwkSet;
///
/// let keys = JwkSet::from_json(r#"{"keys": []}"#)?;
/// let mut verifier = OperatorVerifier::new(Audience::new("approvals-console")?);
/// verifier.trust(Issuer::new("https://idp.acme.example")?, keys)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct OperatorVerifier {
    client: Audience,
    leeway: Leeway,
    trusted: Trusted<Issuer>,
}

impl OperatorVerifier {
    /// For the ID tokens of this client, which the host is at its providers. Trusts nobody yet.
    pub fn new(client: Audience) -> Self {
        Self { client, leeway: Leeway::default(), trusted: Trusted::default() }
    }

    /// How far the clocks of providers may differ from ours.
    #[must_use]
    pub fn with_leeway(mut self, leeway: Leeway) -> Self {
        self.leeway = leeway;
        self
    }

    /// Trusts a provider for its own people.
    ///
    /// # Errors
    ///
    /// It is trusted already, or has a key of another that is.
    pub fn trust(&mut self, provider: Issuer, keys: JwkSet) -> Result<(), TrustError> {
        self.trusted.add(provider, keys)
    }

    /// Verifies an ID token against the nonce that this sign-in was begun with.
    ///
    /// # Errors
    ///
    /// [`ProofError::Refused`], the same to outsiders whatever is wrong.
    pub fn verify(&self, id_token: &str, nonce: &str, now: Timestamp) -> Result<OperatorSession, ProofError> {
        Ok(self.verified(id_token, nonce, now)?)
    }

    fn verified(&self, id_token: &str, nonce: &str, now: Timestamp) -> Result<OperatorSession, Flaw> {
        let token = IdToken::verify(id_token, &self.trusted, &self.client, self.leeway, now)?;
        if token.names_workload()? || token.is_about_agent_user()? {
            return Err(Flaw::Subject);
        }
        if nonce.is_empty() || token.text("nonce")? != Some(nonce) {
            return Err(Flaw::Replayed);
        }
        if token.text("azp")?.is_some_and(|party| party != self.client.as_str()) {
            return Err(Flaw::Audience);
        }
        let authentication = authentication(&token)?;
        // Who signed in at another client's request may have done so long ago; who is in a session is here now.
        let issued = token.seconds("iat").and_then(Timestamp::from_unix).ok_or(Flaw::Claims)?;
        if authentication.time().is_some_and(|time| time > issued) {
            return Err(Flaw::Claims);
        }
        let id = OperatorId::new(token.issuer.as_str(), &token.subject).map_err(|_| Flaw::Subject)?;
        let session = OperatorSession::new(HumanOperator::new(id), issued.min(now), token.until);
        Ok(session.map_err(|_| Flaw::Expired)?.authenticated(authentication))
    }
}

fn authentication(token: &IdToken) -> Result<Authentication, Flaw> {
    let prose = |text: &str| Prose::new(text).map_err(|_| Flaw::Claims);
    let auth_time = match token.claims.get("auth_time") {
        None => None,
        Some(_) => Some(token.seconds("auth_time").and_then(Timestamp::from_unix).ok_or(Flaw::Claims)?),
    };
    Ok(Authentication {
        acr: token.text("acr")?.map(prose).transpose()?,
        amr: token.texts("amr").into_iter().take(MAX_METHODS).map(prose).collect::<Result<_, _>>()?,
        auth_time,
    })
}
