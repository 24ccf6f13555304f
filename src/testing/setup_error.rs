//! The error of setting up a test.

use crate::error::Error;
use crate::id::IdError;
use crate::identity::{ProofError, RegistryError, SessionError};
use crate::jose::{KeyError, SigningError};
use crate::policy::PolicyError;
use crate::time::ClockError;

/// What a test starts from could not be made as it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A name is not valid.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The policies did not load.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The registry refused, for instance one name for an agent and a person.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The agent could not prove itself.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// No key could be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The agent's key did not sign.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// Nobody can sign in at the end of the year 9999.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The clock failed.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The door refused.
    #[error(transparent)]
    Door(#[from] Error),
}
