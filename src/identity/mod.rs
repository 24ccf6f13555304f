//! **Who?** The three parties, the proofs of the workload, and the registry of who is active.
//!
//! The room hands out one value: an [`AgentIdentity`], which exists only where a workload's proof was verified and
//! the registry knows the agent as active under at least one active human sponsor. [`HumanOperator`] and
//! [`AgentUser`] share nothing with it: no trait, no id type, no conversion.

mod agent;
mod agent_user;
mod namespace;
mod operator;
mod possession;
pub mod projection;
mod proof;
mod registry;
mod spiffe;

pub use agent::{AgentId, AgentIdentity};
pub use agent_user::{AgentUser, AgentUserId, Handle, SystemName};
pub use namespace::{HandleError, Namespace};
pub use operator::{HumanOperator, OperatorId, OperatorSession, SessionError};
pub use possession::{AgentKey, Challenge, KeyPossession};
pub use proof::{IdentityVerifier, ProofError, ProofMethod, VerifiedWorkload, danger};
pub use registry::{AgentState, Change, OperatorState, Registry, RegistryError};
pub use spiffe::{SpiffeError, SpiffeId};
