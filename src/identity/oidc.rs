//! Tokens of a platform's OpenID provider: what it says of its workloads.

use super::id_token::IdToken;
use super::trust::Trusted;
use super::{BearerProof, ProofError, ProofMethod, Selector, SelectorError, TrustError};
use crate::id::{Audience, Issuer};
use crate::jose::{Flaw, JwkSet, Leeway};
use crate::time::Timestamp;

/// Verifies what a platform's OpenID provider says of a workload: Kubernetes, GitHub Actions, Google Cloud, Entra or another.
///
/// A token names an agent where exactly one [`Selector`] takes it. What is found true is a [`BearerProof`], which admits
/// nobody before [`Enrolment`](super::Enrolment) bound it to the workload's key. The tokens of people, of agents that act for
/// them, and of agent users are refused, whatever a selector says: so is whatever is said only of sign-ins (`nonce`,
/// `auth_time`, `amr` and the like).
///
/// ```
/// use bailiwick::id::{Audience, Issuer};
/// use bailiwick::identity::{OidcVerifier, Selector};
/// use bailiwick::jose::JwkSet;
///
/// let cluster = Issuer::new("https://oidc.cluster.acme.example")?;
/// let keys = JwkSet::from_json(r#"{"keys": []}"#)?;
/// let agent = "spiffe://acme.example/agent/invoices".parse()?;
/// let uid = "0d7a2f9c-6f1e-4a8b-9c7a-3d1f5a1b2c3d";
///
/// let mut verifier = OidcVerifier::new(Audience::new("https://host.acme.example")?);
/// verifier.trust(cluster.clone(), keys)?;
/// verifier.select(Selector::kubernetes(agent, cluster, "billing", "invoices", uid)?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct OidcVerifier {
    audience: Audience,
    leeway: Leeway,
    trusted: Trusted<Issuer>,
    selectors: Vec<Selector>,
}

impl OidcVerifier {
    /// Trusts nobody and selects nothing yet.
    pub fn new(audience: Audience) -> Self {
        Self { audience, leeway: Leeway::default(), trusted: Trusted::default(), selectors: Vec::new() }
    }

    /// How far the clocks of issuers may differ from ours.
    #[must_use]
    pub fn with_leeway(mut self, leeway: Leeway) -> Self {
        self.leeway = leeway;
        self
    }

    /// Trusts an issuer for its own tokens.
    ///
    /// # Errors
    ///
    /// It is trusted already, or has a key of another that is.
    pub fn trust(&mut self, issuer: Issuer, keys: JwkSet) -> Result<(), TrustError> {
        self.trusted.add(issuer, keys)
    }

    /// Takes the tokens that this selects as those of its agent.
    ///
    /// # Errors
    ///
    /// It names no claim, or only such as others have too, or can come to have.
    pub fn select(&mut self, selector: Selector) -> Result<(), SelectorError> {
        selector.check()?;
        self.selectors.push(selector);
        Ok(())
    }

    /// Verifies a token.
    ///
    /// # Errors
    ///
    /// [`ProofError::Refused`], the same to outsiders whatever is wrong.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<BearerProof, ProofError> {
        Ok(self.verified(token, now)?)
    }

    fn verified(&self, token: &str, now: Timestamp) -> Result<BearerProof, Flaw> {
        let token = IdToken::verify(token, &self.trusted, &self.audience, self.leeway, now)?;
        if token.names_user()? {
            return Err(Flaw::Subject);
        }
        let mut agents = self.selectors.iter().filter(|selector| selector.selects(&token.issuer, &token.claims));
        // Two that take it are a contradiction, even where both name one agent.
        match (agents.next(), agents.next()) {
            (Some(one), None) => {
                Ok(BearerProof::new(one.agent().clone(), ProofMethod::OidcJwt, token.digest, token.until))
            }
            _ => Err(Flaw::Subject),
        }
    }
}
