//! E0308: what a bearer shows admits nobody, nor does a person's sign-in or what Entra says; only what was bound to a key.
use bailiwick::Authorizer;
use bailiwick::identity::{BearerProof, Enrolment, Executed, OperatorSession};
use bailiwick::time::Timestamp;

pub fn admit(
    door: Authorizer,
    host: Enrolment,
    proof: BearerProof,
    others: (OperatorSession, Executed),
    until: Timestamp,
) {
    let (session, executed) = others;
    #[cfg(feature = "wrong")]
    let _ = door.admit(proof);
    #[cfg(feature = "wrong")]
    let _ = door.admit(session);
    #[cfg(feature = "wrong")]
    let _ = door.admit(executed);
    #[cfg(not(feature = "wrong"))]
    let _ = (session, executed, until, host.verify(proof, "answer", until).map(|workload| door.admit(workload)));
}

fn main() {}
