//! Tokens of OpenID providers: what is verified of each, whether it is about a workload or a person.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::trust::Trusted;
use crate::canonical::Digest;
use crate::id::{Audience, Issuer};
use crate::jose::{Flaw, Kind, Leeway, OneAudience, Signed, Window};
use crate::json::Json;
use crate::time::Timestamp;

/// A token of an OpenID provider (OpenID Connect Core 1.0, section 2) whose signature, issuer, audience and times hold.
pub(super) struct IdToken {
    pub(super) issuer: Issuer,
    pub(super) subject: String,
    /// The digest of what was signed.
    pub(super) digest: Digest,
    /// When it ends.
    pub(super) until: Timestamp,
    pub(super) claims: BTreeMap<String, Json>,
}

/// Microsoft Entra's facets of agents: an agent identity, and an agent's user account.
const AGENT_IDENTITY: &str = "11";
const AGENT_USER: &str = "13";

/// What only the platforms of workloads say.
const OF_PLATFORMS: &[&str] = &["kubernetes.io", "repository_id", "google"];
/// How the names of workloads begin.
const WORKLOADS: &[&str] = &["project_path:", "repo:", "system:serviceaccount:", "spiffe://"];
/// What is only said of somebody who signed in (OpenID Connect Core 1.0, sections 2 and 3.3.2.11).
const OF_SIGN_INS: &[&str] = &["nonce", "auth_time", "acr", "amr", "at_hash", "c_hash"];

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: OneAudience,
    #[serde(flatten)]
    window: Window,
}

impl IdToken {
    /// Verifies a token for `audience`, by the keys of the issuer that it names, if that is trusted.
    pub(super) fn verify(
        token: &str,
        trusted: &Trusted<Issuer>,
        audience: &Audience,
        leeway: Leeway,
        now: Timestamp,
    ) -> Result<Self, Flaw> {
        let signed = Signed::read(Kind::IdToken, token)?;
        let Claims { iss, sub: subject, aud, window } = signed.claimed()?;
        let (issuer, keys) = trusted.get(&iss).ok_or(Flaw::UnknownKey)?;
        signed.check(keys.get(signed.kid()).ok_or(Flaw::UnknownKey)?)?;
        if !aud.is(audience) {
            return Err(Flaw::Audience);
        }
        let until = window.check(now, leeway)?;
        Ok(Self { issuer: issuer.clone(), subject, digest: signed.digest(), until, claims: signed.members()? })
    }

    /// A claim that is a text, if it is there. One that is something else is refused: nobody knows what it says.
    pub(super) fn text(&self, claim: &str) -> Result<Option<&str>, Flaw> {
        match self.claims.get(claim) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(Flaw::Claims),
        }
    }

    /// A claim that is a number of seconds.
    pub(super) fn seconds(&self, claim: &str) -> Option<i64> {
        match self.claims.get(claim) {
            Some(Json::Number(number)) => number.parse().ok(),
            _ => None,
        }
    }

    /// A claim that is a list of texts; what is no text is left out.
    pub(super) fn texts(&self, claim: &str) -> Vec<&str> {
        match self.claims.get(claim) {
            Some(Json::List(items)) => items
                .iter()
                .filter_map(|item| if let Json::Text(text) = item { Some(text.as_str()) } else { None })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Whether Entra gives the subject or the actor this facet: numbers with spaces between them, in no order.
    fn has_facet(&self, claim: &str, facet: &str) -> Result<bool, Flaw> {
        let Some(facets) = self.text(claim)? else { return Ok(false) };
        let is_number = |own: &str| !own.is_empty() && own.bytes().all(|b| b.is_ascii_digit());
        if !facets.split(' ').all(is_number) {
            return Err(Flaw::Claims);
        }
        Ok(facets.split(' ').any(|own| own == facet))
    }

    /// Whether Entra says that an agent identity acts.
    pub(super) fn is_by_agent(&self) -> Result<bool, Flaw> {
        self.has_facet("xms_act_fct", AGENT_IDENTITY)
    }

    /// Whether Entra says that the token is about an agent identity.
    pub(super) fn is_about_agent(&self) -> Result<bool, Flaw> {
        self.has_facet("xms_sub_fct", AGENT_IDENTITY)
    }

    /// Whether Entra says that the token is about an agent's user account.
    pub(super) fn is_about_agent_user(&self) -> Result<bool, Flaw> {
        self.has_facet("xms_sub_fct", AGENT_USER)
    }

    /// Whether it says that it is about a workload, or that somebody else acts than it is about.
    pub(super) fn names_workload(&self) -> Result<bool, Flaw> {
        for client in ["azp", "appid", "client_id"] {
            if self.text(client)? == Some(&self.subject) {
                return Ok(true);
            }
        }
        Ok(self.is_by_agent()?
            || self.is_about_agent()?
            || self.text("idtyp")? == Some("app")
            || self.text("sub_profile")? == Some("ai_agent")
            || self.has_any(OF_PLATFORMS)
            || self.has_any(&["act"])
            || WORKLOADS.iter().any(|start| self.subject.starts_with(start)))
    }

    /// Whether it says that it is about a user, a person or an agent's user account, whoever acts; or that somebody else acts
    /// than it is about.
    pub(super) fn names_user(&self) -> Result<bool, Flaw> {
        let kind = self.text("idtyp")?;
        // Entra says `idtyp` only where it was asked to, and what a user consented to (`scp`) always.
        let is_delegated = kind != Some("app") && matches!(self.claims.get("scp"), Some(Json::Text(_)));
        let is_by_another = self.has_any(&["act"]) || (self.is_by_agent()? && !self.is_about_agent()?);
        Ok(self.is_about_agent_user()?
            || kind == Some("user")
            || is_delegated
            || is_by_another
            || self.has_any(OF_SIGN_INS))
    }

    fn has_any(&self, claims: &[&str]) -> bool {
        claims.iter().any(|claim| self.claims.contains_key(*claim))
    }
}
