//! What is shown to a resource server: a credential, what proves where its authority comes from, and who holds it.

use std::fmt;

use crate::jose::Thumbprint;

/// A credential as it is shown, with what a stranger needs to believe it.
///
/// Without [`certificate`](Self::certificate) or another proof that the presenter holds the credential's key, it is refused:
/// a credential is no bearer token.
///
/// ```
/// use bailiwick::credential::Presentation;
///
/// // A sub-agent's credential, with what was passed on to it, the first agent's first.
/// let shown = Presentation::new("eyJhbGciOi…").lineage(["eyJhbGciOi…"]);
/// assert_eq!(format!("{shown:?}"), "Presentation { lineage: 1, approval: false, holder: unknown, .. }");
/// ```
#[derive(Clone)]
pub struct Presentation<'p> {
    pub(super) token: &'p str,
    pub(super) lineage: Vec<&'p str>,
    pub(super) approval: Option<&'p str>,
    pub(super) holder: Holder<'p>,
}

/// How it is known that the presenter holds the credential's key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holder<'p> {
    Unknown,
    /// The host's TLS verified that they hold the key of this certificate (RFC 8705).
    Certificate(&'p Thumbprint),
    /// The host says so.
    Vouched,
}

impl fmt::Debug for Presentation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holder = match self.holder {
            Holder::Unknown => "unknown",
            Holder::Certificate(_) => "certificate",
            Holder::Vouched => "vouched",
        };
        f.debug_struct("Presentation")
            .field("lineage", &self.lineage.len())
            .field("approval", &self.approval.is_some())
            .field("holder", &format_args!("{holder}"))
            .finish_non_exhaustive()
    }
}

impl<'p> Presentation<'p> {
    /// The credential alone.
    pub fn new(token: &'p str) -> Self {
        Self { token, lineage: Vec::new(), approval: None, holder: Holder::Unknown }
    }

    /// With what was passed on to a sub-agent, by each agent above it, the first agent's first.
    #[must_use]
    pub fn lineage(mut self, links: impl IntoIterator<Item = &'p str>) -> Self {
        self.lineage = links.into_iter().collect();
        self
    }

    /// With the human's `task-approval+jwt`.
    #[must_use]
    pub fn approval(mut self, approval: &'p str) -> Self {
        self.approval = Some(approval);
        self
    }

    /// From somebody whose certificate has this SHA-256 thumbprint, and whose key the host's TLS saw them prove
    /// (RFC 8705, section 3.1).
    #[must_use]
    pub fn certificate(mut self, thumbprint: &'p Thumbprint) -> Self {
        self.holder = Holder::Certificate(thumbprint);
        self
    }
}

/// What the host asserts instead of proving.
pub mod danger {
    use super::{Holder, Presentation};

    /// The host vouches that the presenter holds the credential's key: it checked that itself, or whoever stands before it
    /// did. Where nobody did, a stolen credential is as good as the agent's own.
    #[must_use]
    pub fn possession_vouched_by_host<'p>(mut shown: Presentation<'p>) -> Presentation<'p> {
        shown.holder = Holder::Vouched;
        shown
    }
}
