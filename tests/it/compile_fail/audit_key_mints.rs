//! E0308: the key that seals records signs no credentials, so that whoever mints cannot rewrite what was minted.
use bailiwick::audit::AuditKey;
use bailiwick::credential::{KeyRing, MintKey};
use bailiwick::id::Issuer;

pub fn ring(issuer: Issuer, sealing: AuditKey, minting: MintKey) {
    #[cfg(feature = "wrong")]
    let _ = KeyRing::new(issuer, sealing);
    #[cfg(not(feature = "wrong"))]
    let _ = (KeyRing::new(issuer, minting), sealing.public());
}

fn main() {}
