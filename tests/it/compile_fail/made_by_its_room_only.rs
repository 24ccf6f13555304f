//! E0624: permits, identities, workloads, user records and sessions are made by their rooms only.
use bailiwick::audit::Permit;
use bailiwick::identity::{AgentIdentity, AgentUser, OperatorSession, VerifiedWorkload};
use bailiwick::mandate::Mandate;

fn main() {
    #[cfg(feature = "wrong")]
    let _ = Permit::new;
    #[cfg(feature = "wrong")]
    let _ = AgentIdentity::new;
    #[cfg(feature = "wrong")]
    let _ = AgentUser::new;
    #[cfg(feature = "wrong")]
    let _ = OperatorSession::new;
    #[cfg(feature = "wrong")]
    let _ = VerifiedWorkload::new;
    #[cfg(not(feature = "wrong"))]
    let _ = Mandate::new;
}
