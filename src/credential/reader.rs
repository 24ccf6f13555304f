//! Reads credentials: form, key, signature, claims and all that they prove, and remembers what was read.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::consent;
use super::known::Known;
use super::lineage::{self, Link};
use super::presentation::Presentation;
use super::projected::Projected;
use super::token::{Claims, FORBIDDEN, FORBIDDEN_WITH_ACTOR, ModeClaim};
use super::verified::{Facts, VerifiedCredential};
use crate::id::{Audience, Issuer};
use crate::identity::OperatorId;
use crate::jose::{self, Flaw, KeySet, Kind, Leeway, Said, Signed, Thumbprint};
use crate::mandate::Mode;
use crate::time::Timestamp;

/// Reads credentials, and remembers them.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    tokens: Known<VerifiedCredential>,
    links: Known<Arc<Link>>,
    /// The header of the last token whose signature verified: most are written like it.
    header: ArcSwapOption<Said>,
}

/// What a credential must bring along.
pub(crate) enum Needed<'a> {
    /// Nothing: whoever asks knows its task.
    Nothing,
    /// Its lineage, and the approval that it rests on where these keys are there.
    Proof { shown: &'a Presentation<'a>, approvals: Option<&'a KeySet> },
}

impl Reader {
    /// Reads a credential for `audience` that a key of `keys` signed. Who holds it, and whether it was revoked, is not looked at.
    pub(crate) fn read(
        &self,
        token: &str,
        (keys, audience): (&KeySet, &Audience),
        needed: &Needed<'_>,
        (now, leeway): (Timestamp, Leeway),
    ) -> Result<VerifiedCredential, Flaw> {
        if let Some(known) = self.tokens.get(token) {
            let facts = &known.0;
            if keys.get(facts.kid.as_str()).is_none() {
                return Err(Flaw::UnknownKey);
            }
            if facts.audience != *audience {
                return Err(Flaw::Audience);
            }
            jose::check_window((facts.from.unix(), facts.from.unix(), facts.until.unix()), now, leeway)?;
            return Ok(known);
        }
        let said = self.header.load();
        let signed = Signed::read_like(Kind::Credential, token, said.as_deref())?;
        let (kid, (owner, key)) = keys.get(signed.kid()).ok_or(Flaw::UnknownKey)?;
        signed.check(key)?;
        if said.as_ref().is_none_or(|said| !signed.is_like(said)) {
            self.header.store(signed.said(Kind::Credential).map(Arc::new));
        }
        let claims = claims(&signed, owner, audience)?;
        jose::check_window((claims.iat, claims.nbf, claims.exp), now, leeway)?;
        claims.check()?;
        if let Needed::Proof { shown, approvals } = needed {
            let links = lineage::prove(&claims, &shown.lineage, keys, &self.links)?;
            if let (Some(approvals), ModeClaim::OnBehalfOf) = (approvals, claims.context.mode) {
                let root = links.first().map_or(&claims, |link| link.claims());
                consent::prove(root, shown.approval.ok_or(Flaw::Unproven)?, approvals, now)?;
            }
        }
        let credential = credential(claims, kid.clone())?;
        self.tokens.put(token, credential.clone());
        Ok(credential)
    }
}

/// The claims, in whichever convention they are written, of this issuer and for this audience.
fn claims(signed: &Signed<'_>, owner: &Issuer, audience: &Audience) -> Result<Claims, Flaw> {
    let claims = match signed.claimed_without::<Claims>(FORBIDDEN) {
        Ok(claims) => claims,
        Err(_) => signed.claimed_without::<Projected>(FORBIDDEN_WITH_ACTOR)?.native()?,
    };
    if claims.iss != *owner {
        return Err(Flaw::Issuer);
    }
    if claims.aud != *audience {
        return Err(Flaw::Audience);
    }
    Ok(claims)
}

fn credential(claims: Claims, kid: Thumbprint) -> Result<VerifiedCredential, Flaw> {
    let context = claims.context;
    let mode = match (context.mode, context.obo) {
        (ModeClaim::OnBehalfOf, Some(obo)) => Mode::OnBehalfOf(OperatorId::of(obo.iss, obo.sub)),
        _ => Mode::Autonomous,
    };
    let moment = |unix| Timestamp::from_unix(unix).ok_or(Flaw::Claims);
    Ok(VerifiedCredential(Arc::new(Facts {
        id: claims.jti,
        of: claims.of,
        kid,
        issuer: claims.iss,
        audience: claims.aud,
        agent: claims.sub,
        mode,
        presented: context.present_as.map(|user| user.handle.unwrap_or(user.id)),
        accountable: OperatorId::of(context.accountable.iss, context.accountable.sub),
        authority: claims.authorization_details,
        task: context.task.id,
        task_hash: context.task.hash,
        txn: claims.txn,
        confirmation: claims.cnf.confirmation()?,
        policies: context.pol,
        lineage: context.lineage.unwrap_or_default(),
        issued: moment(claims.iat)?,
        from: moment(claims.nbf)?,
        until: moment(claims.exp)?,
    })))
}
