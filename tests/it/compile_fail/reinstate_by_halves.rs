//! E0061, E0308: no agent comes back without a fresh proof, nor without a person's approval.
use bailiwick::Authorizer;
use bailiwick::identity::{FreshProof, OperatorSession, Reinstatement, VerifiedWorkload};
use bailiwick::mandate::Approval;

pub fn unproven(door: &Authorizer, by: &OperatorSession, approval: Approval, old: VerifiedWorkload) {
    #[cfg(feature = "wrong")]
    let _ = door.reinstate(by, approval);
    #[cfg(feature = "wrong")]
    let _ = door.reinstate(by, old, approval);
    #[cfg(not(feature = "wrong"))]
    let _ = (door, by, approval, old);
}

pub fn unapproved(door: &Authorizer, by: &OperatorSession, proof: FreshProof) {
    #[cfg(feature = "wrong")]
    let _ = door.reinstate(by, proof);
    #[cfg(not(feature = "wrong"))]
    let _ = (door, by, proof);
}

pub fn consented(door: &Authorizer, by: &OperatorSession, proof: FreshProof, of: Reinstatement) {
    #[cfg(feature = "wrong")]
    let _ = door.reinstate(by, proof, of);
    #[cfg(not(feature = "wrong"))]
    let _ = door.reinstate(by, proof, Approval::by(by, of));
}

fn main() {}
