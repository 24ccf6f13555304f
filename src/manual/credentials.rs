//! How to: the keys that sign credentials, and the proofs that go along with them.
//!
//! # Rotate keys
//!
//! Mint from a [`KeyRing`](crate::credential::KeyRing) and keep a clone of it. After
//! [`rotate`](crate::credential::KeyRing::rotate) another key signs, and the former one verifies for another 900 seconds, which is
//! as long as a credential lives at most; a key that leaked is rotated and then
//! [withdrawn](crate::credential::KeyRing::withdraw) at once. Publish [`jwk_set`](crate::credential::KeyRing::jwk_set); a service
//! elsewhere makes its keys of it with [`KeySet::from_jwk_set`](crate::jose::KeySet::from_jwk_set), and fetches it again every
//! minute, and when it meets a credential or a list of what is revoked with [`Flaw::UnknownKey`](crate::jose::Flaw::UnknownKey):
//! its verifier then goes on [`trusting`](crate::credential::CredentialVerifier::trusting) the new ones, and knows what was used.
//!
//! Where the key is in a KMS or an HSM, implement [`Signer`](crate::credential::Signer), and hand it to
//! [`MintKey::elsewhere`](crate::credential::MintKey::elsewhere): it is a key like the others, and may take its time. Permits end
//! after 30 seconds, and a signer that needs longer signs for nobody.
//!
//! # Show and take DPoP proofs
//!
//! The agent makes a [`DpopProof`](crate::credential::DpopProof) for each request, with the key that it proved itself with. The
//! service hands the proof and the request as it was received to a
//! [`Presentation`](crate::credential::Presentation::dpop), and its verifier is
//! [`proven_by`](crate::credential::CredentialVerifier::proven_by) a [`DpopVerifier`](crate::credential::DpopVerifier). One header
//! `DPoP` a request: with two, refuse it. The example `resource_server` is the whole of it.
//!
//! ```
//! use std::sync::Arc;
//! use bailiwick::credential::{CredentialVerifier, DpopProof, DpopRequest, DpopVerifier, Presentation, VerifiedCredential};
//! use bailiwick::entropy::SystemEntropy;
//! use bailiwick::id::{Audience, Issuer};
//! use bailiwick::identity::AgentKey;
//! use bailiwick::jose::{JwkSet, KeyError, KeySet, Refused};
//! use bailiwick::time::Timestamp;
//!
//! const CLOSE: &str = "https://jira.acme.example/tickets/42/close";
//!
//! /// At the agent: what goes into the header `DPoP`, beside `Authorization: DPoP …`.
//! fn prove(credential: &str, key: &AgentKey, now: Timestamp) -> Result<String, Box<dyn std::error::Error>> {
//!     let request = DpopRequest::new("POST", CLOSE)?.with_token(credential);
//!     Ok(DpopProof::new(&request, &SystemEntropy, now)?.sign(key)?)
//! }
//!
//! /// At the service, once.
//! fn verifier(issuer: &Issuer, published: &str, own: Audience) -> Result<CredentialVerifier, KeyError> {
//!     let keys = KeySet::from_jwk_set(issuer, &JwkSet::from_json(published)?)?;
//!     Ok(CredentialVerifier::new(keys, own).proven_by(Arc::new(DpopVerifier::new())))
//! }
//!
//! /// At the service, for each request.
//! fn who(
//!     verifier: &CredentialVerifier,
//!     (credential, proof): (&str, &str),
//!     received: &DpopRequest,
//!     now: Timestamp,
//! ) -> Result<VerifiedCredential, Refused> {
//!     verifier.verify(&Presentation::new(credential).dpop(proof, received), now)
//! }
//! ```
//!
//! # Believe a credential elsewhere
//!
//! A service shows its [`CredentialVerifier`](crate::credential::CredentialVerifier) a
//! [`Presentation`](crate::credential::Presentation): the token, and what proves it. How it travels is the host's to say; a
//! [`Credential`](crate::credential::Credential) has all of it.
//!
//! * **Possession**: a DPoP proof, or the certificate that TLS verified. Without it a credential is refused.
//! * **Lineage**: a sub-agent's credential is believed with the links of all agents above it, the first agent's first.
//! * **Approval**: a service that does not take the issuer's word for the human's consent is
//!   [`approved_by`](crate::credential::CredentialVerifier::approved_by) the keys of the approvals service; then acting on
//!   behalf of a person takes that person's own `task-approval+jwt`, which consent in a session does not have.
//! * **Revocation**: [`Authorizer::revocations`](crate::Authorizer::revocations) is a signed list, good for a minute. Publish it,
//!   let services fetch it every few seconds into a [`RevocationSet`](crate::credential::RevocationSet), and nothing is honoured
//!   that the issuer would not honour itself; without a list that is fresh, nothing is. Of one issuer's name, one process mints.
//! * **Uses**: [`accept`](crate::credential::CredentialVerifier::accept) counts what a credential is good for, in this process.
//!
//! ```
//! use std::sync::Arc;
//! use bailiwick::credential::{CredentialVerifier, DpopVerifier, RevocationSet};
//! use bailiwick::id::Audience;
//! use bailiwick::jose::{KeySet, Refused};
//! use bailiwick::time::Timestamp;
//!
//! /// Once; the set is loaded with `load` from then on.
//! fn service(keys: KeySet, own: Audience) -> (CredentialVerifier, Arc<RevocationSet>) {
//!     let revoked = Arc::new(RevocationSet::new(keys.clone()));
//!     let verifier = CredentialVerifier::new(keys, own).proven_by(Arc::new(DpopVerifier::new())).revoked_by(revoked.clone());
//!     (verifier, revoked)
//! }
//!
//! /// Every few seconds.
//! fn refresh(revoked: &RevocationSet, fetched: &str, now: Timestamp) -> Result<(), Refused> {
//!     revoked.load(fetched, now)
//! }
//! ```
