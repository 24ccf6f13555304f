//! The verifier: what a resource server needs, alone: the issuer's public keys in, what a credential proves out.

use std::sync::Arc;
use std::time::Duration;

use super::presentation::{Holder, Presentation};
use super::reader::{Needed, Reader};
use super::revocation::{RevocationView, Status};
use super::token::MAX_LIFETIME;
use super::uses::Uses;
use super::{Confirmation, DpopVerifier, VerifiedCredential};
use crate::id::{Audience, CredentialId, Issuer};
use crate::jose::{Flaw, KeySet, Leeway, Refused};
use crate::mandate::{Arguments, Resource, ToolName};
use crate::time::Timestamp;

/// Credentials that are counted at once, unless said otherwise.
const MAX_COUNTED: usize = 1 << 16;
/// No more are counted, whatever is said.
const MOST_COUNTED: usize = 1 << 22;

/// Verifies task credentials for one service, anywhere. Cheap to clone; clones share what they remember.
///
/// Every rule of the profile is checked here: form, header, key, signature, issuer, claims, audience, time, subject,
/// authority, mode, lineage, bounds, and that the presenter holds the key. Where it is told how, also the human's approval
/// ([`approved_by`](Self::approved_by)) and revocation ([`revoked_by`](Self::revoked_by)); without that a credential that was
/// revoked is good until it ends. In the process that minted use [`Authorizer::verify`](crate::Authorizer::verify), which knows.
///
/// A token that was verified before is not verified again: time, revocation and possession are.
#[derive(Debug, Clone)]
pub struct CredentialVerifier {
    keys: KeySet,
    audience: Audience,
    leeway: Leeway,
    approvals: Option<KeySet>,
    revocations: Option<Arc<dyn RevocationView>>,
    proofs: Option<Arc<DpopVerifier>>,
    reader: Arc<Reader>,
    uses: Arc<Uses<(Issuer, CredentialId)>>,
}

impl CredentialVerifier {
    /// Trusts `keys`, for credentials whose one audience is `audience`.
    pub fn new(keys: KeySet, audience: Audience) -> Self {
        Self {
            keys,
            audience,
            leeway: Leeway::default(),
            approvals: None,
            revocations: None,
            proofs: None,
            reader: Arc::default(),
            uses: Arc::new(Uses::new(MAX_COUNTED)),
        }
    }

    /// Trusts `keys` in the place of those before, as they were fetched again. What was counted stays counted, and what was shown
    /// once stays shown, as they would not in a new verifier.
    #[must_use]
    pub fn trusting(mut self, keys: KeySet) -> Self {
        // What was read before rests on the others.
        (self.keys, self.reader) = (keys, Arc::default());
        self
    }

    /// Counts up to so many credentials that live at once, 65 536 unless said otherwise; when there are more, new ones that are good
    /// for a number of calls are refused. What was counted before is forgotten: say it first.
    #[must_use]
    pub fn counting(mut self, credentials: usize) -> Self {
        self.uses = Arc::new(Uses::new(credentials.min(MOST_COUNTED)));
        self
    }

    /// The issuer's clock may differ so much from this service's.
    #[must_use]
    pub fn with_leeway(mut self, leeway: Leeway) -> Self {
        self.leeway = leeway;
        self
    }

    /// On behalf of a person only with that person's own `task-approval+jwt`, signed by one of these keys: the issuer's word
    /// is not enough.
    #[must_use]
    pub fn approved_by(mut self, approvals: KeySet) -> Self {
        // What was read before was not held to that.
        (self.approvals, self.reader) = (Some(approvals), Arc::default());
        self
    }

    /// What this view says is revoked is refused, and so is everything while it does not know.
    #[must_use]
    pub fn revoked_by(mut self, view: Arc<dyn RevocationView>) -> Self {
        self.revocations = Some(view);
        self
    }

    /// Takes DPoP proofs (RFC 9449), each of which is good once at whatever shares `proofs`. Without it, none is taken.
    #[must_use]
    pub fn proven_by(mut self, proofs: Arc<DpopVerifier>) -> Self {
        self.proofs = Some(proofs);
        self
    }

    /// Verifies what is shown, at `now`.
    ///
    /// # Errors
    ///
    /// Always the same to outsiders; [`Refused::flaw`] says more to the operator's log.
    pub fn verify(&self, shown: &Presentation<'_>, now: Timestamp) -> Result<VerifiedCredential, Refused> {
        Ok(self.check(shown, now)?)
    }

    /// Verifies as [`verify`](Self::verify) does, for exactly this action, and counts: a credential that is good for one call
    /// is refused the second time. Other instances of the service count for themselves.
    ///
    /// # Errors
    ///
    /// Always the same to outsiders; [`Refused::flaw`] says more to the operator's log.
    pub fn accept(
        &self,
        shown: &Presentation<'_>,
        (action, resource, arguments): (&ToolName, &Resource, &Arguments),
        now: Timestamp,
    ) -> Result<VerifiedCredential, Refused> {
        let credential = self.check(shown, now)?;
        if !credential.permits(action, resource, arguments) {
            return Err(Flaw::Binding.into());
        }
        if let Some(times) = credential.max_calls(action, resource, arguments) {
            // A projection and what it is one of are used together, and counted as long as either lives for anybody.
            let (facts, longest) = (&credential.0, Duration::from_secs(MAX_LIFETIME));
            let (id, until) = match &facts.of {
                Some(original) => (original, facts.issued.after(longest)),
                None => (&facts.id, facts.until),
            };
            let key = (facts.issuer.clone(), id.clone());
            self.uses.count(key, times, until.after(Leeway::MAX), now)?;
        }
        Ok(credential)
    }

    fn check(&self, shown: &Presentation<'_>, now: Timestamp) -> Result<VerifiedCredential, Flaw> {
        let needed = Needed::Proof { shown, approvals: self.approvals.as_ref() };
        let credential = self.reader.read(shown.token, (&self.keys, &self.audience), &needed, (now, self.leeway))?;
        self.check_revocation(&credential, now)?;
        match (&shown.holder, credential.confirmation()) {
            (Holder::Vouched, _) => {}
            (Holder::Dpop(proof, request), Confirmation::Key(bound)) => {
                let proofs = self.proofs.as_ref().ok_or(Flaw::Unproven)?;
                proofs.take(proof, &(*request).clone().with_token(shown.token), bound, now)?;
            }
            (Holder::Certificate(shown), Confirmation::Certificate(bound)) if *shown == bound => {}
            (Holder::Unknown, _) => return Err(Flaw::Unproven),
            _ => return Err(Flaw::Binding),
        }
        Ok(credential)
    }

    /// Whether the credential, and all that was passed on to it, stands.
    fn check_revocation(&self, credential: &VerifiedCredential, now: Timestamp) -> Result<(), Flaw> {
        let Some(view) = &self.revocations else {
            return Ok(());
        };
        let facts = &credential.0;
        let own = [Some(&facts.id), facts.of.as_ref()].into_iter().flatten().map(|id| (&facts.issuer, id));
        let above = facts.lineage.iter().map(|above| (&above.iss, &above.jti));
        for (issuer, id) in above.chain(own) {
            match crate::live::shielded(|| view.status(issuer, id, facts.issued, now)) {
                Some(Status::Good) => {}
                Some(Status::Revoked) => return Err(Flaw::Revoked),
                Some(Status::Unknown) | None => return Err(Flaw::Unavailable),
            }
        }
        Ok(())
    }
}
