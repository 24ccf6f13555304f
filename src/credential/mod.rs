//! **Which key?** A credential for one action of one task, good for minutes, dead when the task ends.
//!
//! The room hands out a [`Credential`] in exchange for a moved permit. What it looks like is the token profile: an
//! RFC 9068 access token in which the agent is the subject and a human appears only in a container of its own.
//!
//! Keys of other systems are a [`Lease`]: a [`CredentialIssuer`] issues them, and revokes them when the task ends.

#[allow(clippy::module_inception, reason = "the file owns the noun that the room is named after")]
mod credential;
mod issuer;
mod lease;
mod leases;
mod minter;
mod token;
mod verifier;

pub use credential::Credential;
pub(crate) use issuer::Asked;
pub use issuer::{CredentialIssuer, Gone, Issued, IssuerError, LeaseRequest};
pub use lease::{IntendedLease, Lease, LeaseError};
pub use leases::OwedLease;
pub(crate) use leases::{Claim, Leases, Of, Under};
pub(crate) use minter::Draft;
pub use minter::{MintError, MintKey, Minter};
pub use verifier::{CredentialVerifier, VerifiedCredential};
