//! Signs: which refusals say something of the agent that was refused.

use super::ReasonCode;

impl ReasonCode {
    /// Whether a refusal for this reason says something of the agent: not that a service failed, or that somebody stopped it.
    pub(crate) fn is_sign(self) -> bool {
        !matches!(
            self,
            Self::Clock
                | Self::Halted
                | Self::BlueprintHalted
                | Self::AgentNotActive
                | Self::BreakerOpen
                | Self::Audit
                | Self::PermitInvalid
                | Self::NoCredential
        )
    }
}
