//! E0277: nothing that holds a secret can be displayed or serialised.
use bailiwick::credential::{Credential, MintKey};
use bailiwick::id::CredentialId;
use bailiwick::identity::AgentKey;
use bailiwick::secret::Secret;

pub fn displays<T: std::fmt::Display>() {}
pub fn serialises<T: serde::Serialize>() {}

fn main() {
    #[cfg(feature = "wrong")]
    displays::<Secret<String>>();
    #[cfg(feature = "wrong")]
    serialises::<Secret<String>>();
    #[cfg(feature = "wrong")]
    displays::<Credential>();
    #[cfg(feature = "wrong")]
    serialises::<Credential>();
    #[cfg(feature = "wrong")]
    serialises::<AgentKey>();
    #[cfg(feature = "wrong")]
    serialises::<MintKey>();
    displays::<CredentialId>();
    serialises::<CredentialId>();
}
