//! The credential: a secret that fits one action, handed to the tool and never to the model.

use std::fmt;

use crate::audit::{AuditError, Effect, Execution};
use crate::id::{Audience, CredentialId};
use crate::secret::Secret;
use crate::time::Timestamp;

/// A key for one action of one task, at one service, for minutes.
///
/// The token is wiped when this is dropped, and shown only by [`expose`](Self::expose). [`finish`](Self::finish) tells
/// what the action did.
pub struct Credential {
    token: Secret<String>,
    id: CredentialId,
    audience: Audience,
    until: Timestamp,
    execution: Execution,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("id", &self.id)
            .field("audience", &self.audience)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl Credential {
    pub(super) fn new(
        token: Secret<String>,
        id: CredentialId,
        audience: Audience,
        until: Timestamp,
        execution: Execution,
    ) -> Self {
        Self { token, id, audience, until, execution }
    }

    /// The token, for the tool that presents it.
    pub fn expose(&self) -> &str {
        self.token.expose()
    }

    /// The credential's id (`jti`): safe to log.
    pub fn id(&self) -> &CredentialId {
        &self.id
    }

    /// The service that it is for.
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// When it ends at the latest; it is over at this moment.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// Writes down what the action did, and gives the credential up.
    ///
    /// # Errors
    ///
    /// The record was not taken; the effect is then written down as unknown when the task is closed.
    pub fn finish(self, effect: Effect) -> Result<(), AuditError> {
        self.execution.finish(effect)
    }
}
