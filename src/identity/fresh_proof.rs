//! A fresh proof: a workload that proved itself after its agent was suspended.

use super::{AgentId, IdentityVerifier, ProofError, Reinstatement, VerifiedWorkload};
use crate::id::Found;
use crate::live::shielded;
use crate::time::Timestamp;

/// A workload that proved itself for one [`Reinstatement`]: what [`Authorizer::reinstate`](crate::Authorizer::reinstate)
/// takes, and what no proof from before the suspension becomes.
///
/// Made by [`Authorizer::prove`](crate::Authorizer::prove).
#[derive(Debug)]
pub struct FreshProof {
    workload: VerifiedWorkload,
    reinstatement: Reinstatement,
}

impl FreshProof {
    /// Verifies a proof now, for a stop that was before.
    pub(crate) fn verify(
        reinstatement: &Reinstatement,
        verifier: &dyn IdentityVerifier,
        proof: &str,
        now: Timestamp,
    ) -> Result<Self, ProofError> {
        let panicked = ProofError::Host(Found::new("the verifier panicked"));
        let workload = shielded(|| verifier.verify(proof, now)).unwrap_or(Err(panicked))?;
        Ok(Self { workload, reinstatement: reinstatement.clone() })
    }

    /// Whom it names.
    pub fn agent(&self) -> &AgentId {
        self.workload.agent()
    }

    /// What was proven.
    pub fn workload(&self) -> &VerifiedWorkload {
        &self.workload
    }

    /// What for.
    pub fn reinstatement(&self) -> &Reinstatement {
        &self.reinstatement
    }
}
