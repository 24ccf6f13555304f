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

/// Who a token is about, as far as it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// A workload, or an agent that acts for somebody: never a person's own sign-in.
    Workload,
    /// A user-shaped record of an agent.
    AgentUser,
    /// A user, and no workload that is said of.
    User,
    /// It does not say.
    Unsaid,
}

/// Microsoft Entra's facets of agents: an agent identity, and an agent's user account.
const AGENT_IDENTITY: &str = "11";
const AGENT_USER: &str = "13";

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

    /// A claim that is a text.
    pub(super) fn text(&self, claim: &str) -> Option<&str> {
        match self.claims.get(claim) {
            Some(Json::Text(text)) => Some(text),
            _ => None,
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
    fn has_facet(&self, claim: &str, facet: &str) -> bool {
        self.text(claim).is_some_and(|facets| facets.split(' ').any(|own| own == facet))
    }

    /// Whom the token is about.
    pub(super) fn about(&self) -> About {
        if self.has_facet("xms_sub_fct", AGENT_USER) {
            return About::AgentUser;
        }
        let is_agent = ["xms_act_fct", "xms_sub_fct"].iter().any(|claim| self.has_facet(claim, AGENT_IDENTITY));
        let is_own_client = ["azp", "appid", "client_id"].iter().any(|client| self.text(client) == Some(&self.subject));
        // What only the platforms of workloads say.
        let is_platforms =
            ["kubernetes.io", "repository_id", "google"].iter().any(|claim| self.claims.contains_key(*claim))
                || self.subject.starts_with("system:serviceaccount:");
        let is_said = self.text("idtyp") == Some("app") || self.text("sub_profile") == Some("ai_agent");
        if is_agent || is_own_client || is_platforms || is_said || self.claims.contains_key("act") {
            return About::Workload;
        }
        if self.text("idtyp") == Some("user") { About::User } else { About::Unsaid }
    }

    /// Whether Entra says that an agent identity acts.
    pub(super) fn is_by_agent(&self) -> bool {
        self.has_facet("xms_act_fct", AGENT_IDENTITY)
    }

    /// Whether Entra says that the token is about an agent identity.
    pub(super) fn is_about_agent(&self) -> bool {
        self.has_facet("xms_sub_fct", AGENT_IDENTITY)
    }
}
