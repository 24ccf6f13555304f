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
