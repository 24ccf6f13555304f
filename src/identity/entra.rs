//! Microsoft Entra's tokens for agents: who really executes, whoever the token is shaped like.

use super::id_token::IdToken;
use super::trust::Trusted;
use super::{AgentId, OperatorId, ProofError};
use crate::id::{Audience, Issuer, Subject};
use crate::jose::{Flaw, JwkSet, Leeway};
use crate::time::Timestamp;

/// Who executes, behind an access token that Entra gave to an agent identity.
///
/// In two of its three flows the token is shaped like a user's (`idtyp` is `user`); it is the agent identity (`azp`, `appid`)
/// that runs in all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Executed {
    /// The agent identity: the issuer's name for it is its application id. The only principal.
    pub agent: AgentId,
    /// The person on whose behalf, by their object id. Confers nothing: consent is an approval of theirs. It is not the id of
    /// their sign-ins: those have `sub`, which Entra makes anew for each client.
    pub on_behalf_of: Option<OperatorId>,
    /// The object id of the agent's user account that the token is shaped like. A name, and never who executes.
    pub presented_as: Option<Subject>,
    /// When the token ends.
    pub until: Timestamp,
}

/// Reads who executes from Entra's access tokens for one service.
///
/// | flow | `idtyp` | `xms_sub_fct` has | agent | on behalf of | presented as |
/// |---|---|---|---|---|---|
/// | autonomous | `app` | `11` | `azp` | – | – |
/// | on behalf of a person | `user` | neither | `azp` | `oid` | – |
/// | as its user account | `user` | `13` | `azp` | – | `oid` |
///
/// In each, `xms_act_fct` has `11` (an agent identity acts); without it the token is no agent's, and is refused (Microsoft,
/// "Token claims reference for agents").
#[derive(Debug, Clone)]
pub struct EntraVerifier {
    audience: Audience,
    leeway: Leeway,
    trusted: Trusted<Issuer>,
}

impl EntraVerifier {
    /// For tokens that are meant for `audience`. Trusts no tenant yet.
    pub fn new(audience: Audience) -> Self {
        Self { audience, leeway: Leeway::default(), trusted: Trusted::default() }
    }

    /// How far Entra's clock may differ from ours.
    #[must_use]
    pub fn with_leeway(mut self, leeway: Leeway) -> Self {
        self.leeway = leeway;
        self
    }

    /// Trusts a tenant, by its issuer and keys: `https://login.microsoftonline.com/{tenant}/v2.0`, or
    /// `https://sts.windows.net/{tenant}/` for tokens of version 1.
    ///
    /// # Errors
    ///
    /// It is trusted already. Entra signs for all tenants with the same keys: of several, one verifier each.
    pub fn trust(&mut self, tenant: Issuer, keys: JwkSet) -> Result<(), super::TrustError> {
        self.trusted.add(tenant, keys)
    }

    /// Verifies an access token, and says who executes.
    ///
    /// # Errors
    ///
    /// [`ProofError::Refused`], the same to outsiders whatever is wrong.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Executed, ProofError> {
        Ok(self.verified(token, now)?)
    }

    fn verified(&self, token: &str, now: Timestamp) -> Result<Executed, Flaw> {
        let token = IdToken::verify(token, &self.trusted, &self.audience, self.leeway, now)?;
        if !token.is_by_agent()? {
            return Err(Flaw::Subject);
        }
        // Version 2 says `azp`, version 1 `appid`; a token that says both says the same.
        let client = match (token.text("azp")?, token.text("appid")?) {
            (Some(one), Some(other)) if one != other => return Err(Flaw::Claims),
            (one, other) => one.or(other).ok_or(Flaw::Claims)?,
        };
        let issuer = token.issuer.as_str();
        let agent = AgentId::issued(issuer, client).map_err(|_| Flaw::Subject)?;
        let object = token.text("oid")?.ok_or(Flaw::Claims)?;
        let person = || OperatorId::new(issuer, object).map_err(|_| Flaw::Subject);
        let account = || Subject::new(object).map_err(|_| Flaw::Subject);
        let (on_behalf_of, presented_as) =
            match (token.text("idtyp")?, token.is_about_agent()?, token.is_about_agent_user()?) {
                (Some("app"), true, false) => (None, None),
                (Some("user"), false, true) => (None, Some(account()?)),
                (Some("user"), false, false) => (Some(person()?), None),
                _ => return Err(Flaw::Subject),
            };
        Ok(Executed { agent, on_behalf_of, presented_as, until: token.until })
    }
}
