//! E0277: what was proven, projected, decided or consented to is not read from text.
use bailiwick::audit::Permit;
use bailiwick::identity::projection::{Drift, ScimUser, UserInfo};
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
    #[cfg(feature = "wrong")]
    read::<ScimUser>("{}");
    #[cfg(feature = "wrong")]
    read::<UserInfo>("{}");
    #[cfg(feature = "wrong")]
    read::<Drift>("{}");
    read::<AgentId>("{}");
}
