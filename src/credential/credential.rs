//! The credential: a secret that fits one action, handed to the tool and never to the model.

use std::fmt;
use std::sync::Arc;

use super::Presentation;
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
    beside: Beside,
}

/// What a stranger is shown beside the token.
#[derive(Default)]
pub(super) struct Beside {
    /// What was passed on to the agent, the first agent's first.
    pub(super) lineage: Vec<Arc<str>>,
    /// The person's approval, where it came as a token.
    pub(super) approval: Option<Arc<str>>,
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
        (id, audience, until): (CredentialId, Audience, Timestamp),
        beside: Beside,
        execution: Execution,
    ) -> Self {
        Self { token, id, audience, until, execution, beside }
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

    /// What the agents above passed on to a sub-agent, the first agent's first; empty for an agent that a person gave the task
    /// itself. A service that does not ask this process needs it beside the token. It opens nothing.
    pub fn lineage(&self) -> &[Arc<str>] {
        &self.beside.lineage
    }

    /// The approval of the person on whose behalf, where it came as a token. A service that wants more than this issuer's word
    /// needs it beside the token. It opens nothing.
    pub fn approval(&self) -> Option<&str> {
        self.beside.approval.as_deref()
    }

    /// The action that runs with it.
    pub fn execution(&self) -> &Execution {
        &self.execution
    }

    /// The token, with what a stranger needs beside it; that the presenter holds its key is still to be shown.
    pub fn presentation(&self) -> Presentation<'_> {
        let shown = Presentation::new(self.expose()).lineage(self.beside.lineage.iter().map(Arc::as_ref));
        self.approval().map_or(shown.clone(), |approval| shown.approval(approval))
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
