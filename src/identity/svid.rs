//! JWT-SVIDs: what a trust domain says of its workloads.

use serde::Deserialize;

use super::trust::{TrustBundle, Trusted};
use super::{AgentId, BearerProof, Environment, ProofError, ProofMethod, SpiffeId, TrustDomain, TrustError};
use crate::id::Audience;
use crate::jose::{Flaw, Kind, Leeway, OneAudience, Signed, Window};
use crate::time::Timestamp;

/// Verifies JWT-SVIDs (SPIFFE JWT-SVID): signed with RS, PS or ES and never EdDSA, with a key of the trust domain that `sub`
/// names, for this audience alone, and in time.
///
/// What it finds true is a [`BearerProof`], which admits nobody before [`Enrolment`](super::Enrolment) bound it to the
/// workload's key. One verifier is for one environment: staging's bundle is refused in production.
///
/// ```
/// use bailiwick::id::Audience;
/// use bailiwick::identity::{Environment, SpiffeVerifier, TrustBundle, TrustDomain};
///
/// let (production, staging) = (Environment::new("production")?, Environment::new("staging")?);
/// let bundle = TrustBundle::from_json(TrustDomain::new("acme.example")?, production.clone(), r#"{"keys": [
///     {"use": "jwt-svid", "kid": "1", "kty": "EC", "crv": "P-256",
///      "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
/// ]}"#)?;
///
/// let audience = Audience::new("https://host.acme.example")?;
/// let mut verifier = SpiffeVerifier::new(audience.clone(), production);
/// verifier.trust(bundle.clone())?;
/// assert!(SpiffeVerifier::new(audience, staging).trust(bundle).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SpiffeVerifier {
    audience: Audience,
    environment: Environment,
    leeway: Leeway,
    trusted: Trusted<TrustDomain>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    aud: OneAudience,
    #[serde(flatten)]
    window: Window,
}

impl SpiffeVerifier {
    /// Trusts nobody yet.
    pub fn new(audience: Audience, environment: Environment) -> Self {
        Self { audience, environment, leeway: Leeway::default(), trusted: Trusted::default() }
    }

    /// How far the clocks of trust domains may differ from ours.
    #[must_use]
    pub fn with_leeway(mut self, leeway: Leeway) -> Self {
        self.leeway = leeway;
        self
    }

    /// Trusts a trust domain for its own workloads.
    ///
    /// # Errors
    ///
    /// It is of another environment, is trusted already, or has a key of another that is.
    pub fn trust(&mut self, bundle: TrustBundle) -> Result<(), TrustError> {
        let TrustBundle { domain, environment, jwt, .. } = bundle;
        if environment != self.environment {
            return Err(TrustError::Environment { domain, want: self.environment.clone(), found: environment });
        }
        self.trusted.add(domain, jwt)
    }

    /// Verifies a JWT-SVID.
    ///
    /// # Errors
    ///
    /// [`ProofError::Refused`], the same to outsiders whatever is wrong.
    pub fn verify(&self, svid: &str, now: Timestamp) -> Result<BearerProof, ProofError> {
        Ok(self.verified(svid, now)?)
    }

    fn verified(&self, svid: &str, now: Timestamp) -> Result<BearerProof, Flaw> {
        let signed = Signed::read(Kind::Svid, svid)?;
        let Claims { sub, aud, window } = signed.claimed()?;
        let id = SpiffeId::parse(&sub).map_err(|_| Flaw::Subject)?;
        // The trust domain of the subject picks the bundle, and nothing else does.
        let (_, keys) = self.trusted.get(id.trust_domain()).ok_or(Flaw::UnknownKey)?;
        signed.check(keys.get(signed.kid()).ok_or(Flaw::UnknownKey)?)?;
        if !aud.is(&self.audience) {
            return Err(Flaw::Audience);
        }
        let until = window.check(now, self.leeway)?;
        Ok(BearerProof::new(AgentId::from(id), ProofMethod::SpiffeJwtSvid, signed.digest(), until))
    }
}
