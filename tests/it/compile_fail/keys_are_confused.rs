//! E0308: an agent's key signs no credentials, and the minter's key proves no agent.
use bailiwick::credential::{MintKey, Minter};
use bailiwick::id::Issuer;
use bailiwick::identity::{AgentKey, Challenge};

pub fn use_keys(challenge: Challenge, issuer: Issuer, agents: AgentKey, minters: MintKey) {
    #[cfg(feature = "wrong")]
    let _ = challenge.answer(&minters);
    #[cfg(feature = "wrong")]
    let _ = Minter::new(issuer, agents);
    #[cfg(not(feature = "wrong"))]
    let _ = (challenge.answer(&agents), Minter::new(issuer, minters));
}

fn main() {}
