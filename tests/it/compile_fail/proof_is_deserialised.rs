//! E0277: what was proven, decided or consented to is not read from text.
use bailiwick::audit::Permit;
use bailiwick::identity::{AgentId, AgentIdentity, AgentUser, OperatorSession, VerifiedWorkload};
use bailiwick::mandate::Approval;
use serde::de::DeserializeOwned;

pub fn read<T: DeserializeOwned>(json: &str) -> Option<T> {
    serde_json::from_str(json).ok()
}

fn main() {
    #[cfg(feature = "wrong")]
    read::<AgentIdentity>("{}");
    #[cfg(feature = "wrong")]
    read::<AgentUser>("{}");
    #[cfg(feature = "wrong")]
    read::<OperatorSession>("{}");
    #[cfg(feature = "wrong")]
    read::<VerifiedWorkload>("{}");
    #[cfg(feature = "wrong")]
    read::<Approval>("{}");
    #[cfg(feature = "wrong")]
    read::<Permit>("{}");
    read::<AgentId>("{}");
}
