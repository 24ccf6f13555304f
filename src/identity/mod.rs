//! **Who?** The three parties, the proofs of the workload, and the registry of who is active.
//!
//! The room hands out one value: an [`AgentIdentity`], which exists only where a workload's proof was verified and
//! the registry knows the agent as active under at least one active human sponsor. [`HumanOperator`] and
//! [`AgentUser`] share nothing with it: no trait, no id type, no conversion.

mod agent;
mod agent_user;
mod bearer;
mod challenge;
mod enrolment;
mod entra;
mod fresh_proof;
mod id_token;
mod namespace;
mod oidc;
mod operator;
mod operator_verifier;
mod possession;
pub mod projection;
mod proof;
mod registry;
mod selector;
mod spiffe;
mod svid;
mod trust;
#[cfg(feature = "x509")]
mod x509;

pub use agent::{AgentId, AgentIdentity};
pub use agent_user::{AgentUser, AgentUserId, Handle, SystemName};
pub use bearer::BearerProof;
pub use challenge::{AgentKey, Challenge};
pub use enrolment::{AwaitedAnswer, Enrolment};
pub use entra::{EntraVerifier, Executed};
pub use fresh_proof::FreshProof;
pub use namespace::{HandleError, Namespace};
pub use oidc::OidcVerifier;
pub use operator::{Authentication, HumanOperator, OperatorId, OperatorSession, SessionError};
pub use operator_verifier::OperatorVerifier;
pub use possession::KeyPossession;
pub use proof::{IdentityVerifier, ProofError, ProofMethod, VerifiedWorkload, danger};
pub use registry::{
    AccountabilityRole, AgentState, BlueprintId, Change, Ended, OperatorState, Registry, RegistryError,
    RegistrySnapshot, Reinstatement,
};
pub(crate) use registry::{Edit, Elsewhere, Listed};
pub use selector::{Selector, SelectorError};
pub use spiffe::{SpiffeError, SpiffeId, TrustDomain};
pub use svid::SpiffeVerifier;
pub use trust::{Environment, TrustBundle, TrustError};
#[cfg(feature = "x509")]
pub use x509::X509Verifier;
