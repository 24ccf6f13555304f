//! The lineage of a sub-agent's credential: every link is there, and what was passed on only shrank.

use std::sync::Arc;

use super::known::Known;
use super::token::{Claims, FORBIDDEN};
use crate::canonical::Digest;
use crate::jose::{Flaw, KeySet, Kind, Signed};
use crate::mandate::Detail;

/// A token by which an agent passed its task on, verified as far as it can be alone.
#[derive(Debug)]
pub(super) struct Link {
    claims: Claims,
    digest: Digest,
}

/// Verifies what is shown as the lineage of `last`, the first agent's link first: token profile, section 2.2, step 14.
pub(super) fn prove(
    last: &Claims,
    shown: &[&str],
    keys: &KeySet,
    known: &Known<Arc<Link>>,
) -> Result<Vec<Arc<Link>>, Flaw> {
    let above = last.lineage();
    if shown.len() != above.len() {
        return Err(Flaw::Unproven);
    }
    let mut links: Vec<Arc<Link>> = Vec::with_capacity(shown.len());
    for (place, (token, said)) in shown.iter().zip(above).enumerate() {
        let link = Link::read(token, keys, known)?;
        let claims = &link.claims;
        let is_said = claims.iss == said.iss && claims.jti == said.jti && claims.sub == said.sub;
        // Each link knows those above it, so that none can be left out or put elsewhere.
        if !is_said || link.digest != said.th || Some(claims.lineage()) != above.get(..place) {
            return Err(Flaw::Lineage);
        }
        if links.last().is_some_and(|upper| !upper.claims.passes_on(claims)) {
            return Err(Flaw::Lineage);
        }
        links.push(link);
    }
    if links.last().is_some_and(|upper| !upper.claims.passes_on(last)) {
        return Err(Flaw::Lineage);
    }
    // No key twice: whoever holds two could play two agents.
    let mut keys: Vec<_> = links.iter().map(|link| &link.claims).chain([last]).map(Claims::key).collect();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(Flaw::Lineage);
    }
    Ok(links)
}

impl Link {
    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// A link, or a credential in its place: what passes on a task is its own kind of token, but whoever holds a credential
    /// may have passed on what that gives.
    fn read(token: &str, keys: &KeySet, known: &Known<Arc<Self>>) -> Result<Arc<Self>, Flaw> {
        // Whether the key is trusted still is part of what is known: a set of keys does not change.
        if let Some(link) = known.get(token) {
            return Ok(link);
        }
        let signed = Signed::read(Kind::Delegation, token).or_else(|_| Signed::read(Kind::Credential, token))?;
        let (_, (owner, key)) = keys.get(signed.kid()).ok_or(Flaw::UnknownKey)?;
        signed.check(key)?;
        let claims: Claims = signed.claimed_without(FORBIDDEN)?;
        if claims.iss != *owner {
            return Err(Flaw::Issuer);
        }
        claims.check()?;
        let link = Arc::new(Self { claims, digest: Digest::of(token.as_bytes()) });
        known.put(token, Arc::clone(&link));
        Ok(link)
    }
}

impl Claims {
    /// Whether `lower` is no more than a part of what this one passes on.
    fn passes_on(&self, lower: &Self) -> bool {
        let (own, theirs) = (&self.context, &lower.context);
        let in_time = self.nbf <= lower.nbf && lower.exp <= self.exp;
        let in_depth = theirs.depth.unwrap_or(0) <= own.max_depth.unwrap_or(0)
            && theirs.max_depth.unwrap_or(0) <= own.max_depth.unwrap_or(0);
        let same_errand = self.txn == lower.txn && own.mode == theirs.mode && own.obo == theirs.obo;
        let same_place = self.iss == lower.iss && self.aud == lower.aud;
        let within = || Detail::are_within(&lower.authorization_details, &self.authorization_details);
        in_time && in_depth && same_errand && same_place && within()
    }

    /// The thumbprint of the key that it is bound to.
    fn key(&self) -> Option<&str> {
        self.cnf.jkt.as_ref().or(self.cnf.certificate.as_ref()).map(|key| key.as_str())
    }
}
