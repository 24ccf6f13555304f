//! Passing on: what each agent above a sub-agent passed on to it, so that a stranger can believe the sub-agent's credential.
//!
//! What is passed on is what the scope of that agent's task grants of the one tool, whatever policies let the agent do with it
//! itself. It is another kind of token than a credential: whoever passes power on cannot use it.

use std::sync::Arc;
use std::time::Duration;

use super::minter::Told;
use super::token::{Ancestor, MAX_LIFETIME};
use super::{MintError, Minter};
use crate::canonical::Digest;
use crate::entropy::Entropy;
use crate::id::{Audience, CredentialId};
use crate::jose::Kind;
use crate::mandate::{Action, Assignment, Detail, Pass};
use crate::time::Timestamp;

/// What the agents above passed on, the first agent's first.
#[derive(Default)]
pub(super) struct PassedOn {
    /// As a token names it.
    pub(super) above: Vec<Ancestor>,
    /// As it is shown.
    pub(super) shown: Vec<Arc<str>>,
}

impl Minter {
    /// What was passed on to `assignment` for this action at `audience`, good from now until `until`. What was made before and
    /// lasts so long is made once.
    pub(super) fn passed_on(
        &self,
        assignment: &Assignment,
        (action, audience): (&Action, &Audience),
        window: (Timestamp, Timestamp),
        entropy: &dyn Entropy,
    ) -> Result<PassedOn, MintError> {
        let mut tasks: Vec<_> = assignment.above().collect();
        tasks.reverse();
        let (mut passed, mut last) = (PassedOn::default(), None);
        for task in tasks {
            let pass = self.pass(task, (action, audience), (&passed.above, last), window, entropy)?;
            last = Some(pass.until);
            passed.shown.push(Arc::clone(pass.text()));
            passed.above.push(Ancestor {
                iss: self.issuer().clone(),
                jti: pass.id,
                sub: task.mandate().agent().id().clone(),
                th: pass.digest,
            });
        }
        Ok(passed)
    }

    fn pass(
        &self,
        task: &Assignment,
        (action, audience): (&Action, &Audience),
        (above, last): (&[Ancestor], Option<Timestamp>),
        (now, until): (Timestamp, Timestamp),
        entropy: &dyn Entropy,
    ) -> Result<Pass, MintError> {
        let (tool, mode, scope) = (action.tool(), action.mode(), task.mandate().intent().scope());
        let grant = scope.grant(tool).ok_or_else(|| MintError::Audience { asked: audience.clone() })?;
        let details = Detail::of_grant(tool, grant, action.resource(), audience);
        // What another key signed is not shown any more.
        let pen = self.pen();
        let of = serde_json::to_vec(&(&details, pen.thumbprint())).map_err(|_| MintError::Claims)?;
        let of = (mode.clone(), Digest::of(&of));
        let upper = above.last().map(|upper| upper.th);
        if let Some(pass) = task.passes().get(&of).filter(|pass| pass.fits(upper.as_ref(), (now, until))) {
            return Ok(pass);
        }
        let longest = task.bound(mode, now.after(Duration::from_secs(MAX_LIFETIME)), now);
        let window = (now, longest.min(last.unwrap_or(longest)));
        let id = CredentialId::draw(entropy)?;
        let told = Told { assignment: task, mode, tool, audience, details, above: above.to_vec() };
        let claims = serde_json::to_vec(&self.claims(told, &id, window)?).map_err(|_| MintError::Claims)?;
        let pass = Pass::new((id, pen.sign_as(Kind::Delegation, &claims)?), upper, window);
        task.passes().keep(of, pass.clone(), now);
        Ok(pass)
    }
}
