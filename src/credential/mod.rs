//! **Which key?** A credential for one action of one task, good for minutes, dead when the task ends.
//!
//! The room hands out a [`Credential`] in exchange for a moved permit. What it looks like is the token profile: an
//! RFC 9068 access token in which the agent is the subject and a human appears only in a container of its own.
//!
//! Keys of other systems are a [`Lease`]: a [`CredentialIssuer`] issues them, and revokes them when the task ends.

mod approval_sealer;
mod consent;
#[allow(clippy::module_inception, reason = "the file owns the noun that the room is named after")]
mod credential;
mod dpop;
mod dpop_verifier;
mod http_uri;
mod issuer;
mod key_ring;
mod known;
mod lease;
mod leases;
mod lineage;
mod minter;
mod passing;
mod presentation;
mod projected;
mod reader;
mod replay;
mod revocation;
mod signer;
mod token;
mod uses;
mod verified;
mod verifier;

pub use approval_sealer::{ApprovalKey, ApprovalSealer, SealError};
pub use credential::Credential;
pub use dpop::{DpopNonce, DpopProof, DpopRequest};
pub use dpop_verifier::{DpopError, DpopVerifier};
pub(crate) use issuer::Asked;
pub use issuer::{CredentialIssuer, Gone, Issued, IssuerError, LeaseRequest};
pub use key_ring::{KeyRing, KeyRingError, MintKey};
pub use lease::{IntendedLease, Lease, LeaseError};
pub use leases::OwedLease;
pub(crate) use leases::{Claim, Leases, Of, Renewal, Under};
pub(crate) use minter::Draft;
pub use minter::{MintError, Minter};
pub use presentation::{Presentation, danger};
pub(crate) use reader::{Needed, Reader};
pub(crate) use revocation::{MAX_NAMED, RevocationClaims};
pub use revocation::{RevocationSet, RevocationView, Status};
pub use signer::{Message, Signer};
pub use verified::{Confirmation, VerifiedCredential};
pub use verifier::CredentialVerifier;
