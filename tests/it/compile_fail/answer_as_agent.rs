//! E0308: an agent answers no request, nor does its user record, nor a person who is not signed in: not here, and not sealed.
use bailiwick::credential::ApprovalSealer;
use bailiwick::entropy::SystemEntropy;
use bailiwick::identity::{AgentIdentity, AgentUser, HumanOperator, OperatorSession};
use bailiwick::mandate::{ActionRequest, ApprovalRequest, Objection};
use bailiwick::time::Timestamp;

pub fn answer(
    (agent, user, person, session): (&AgentIdentity, &AgentUser, &HumanOperator, &OperatorSession),
    (sealer, request, action): (&ApprovalSealer, &mut ApprovalRequest, &ActionRequest),
    now: Timestamp,
) {
    #[cfg(feature = "wrong")]
    let _ = request.approve(agent, now);
    #[cfg(feature = "wrong")]
    let _ = request.approve(user, now);
    #[cfg(feature = "wrong")]
    let _ = request.deny(person, now);
    #[cfg(feature = "wrong")]
    let _ = Objection::by(agent, action.clone());
    #[cfg(feature = "wrong")]
    let _ = sealer.approve(request, agent, &SystemEntropy, now);
    #[cfg(feature = "wrong")]
    let _ = sealer.deny(request, user, &SystemEntropy, now);
    #[cfg(not(feature = "wrong"))]
    let _ = (agent, user, person);
    let _ = request.approve(session, now);
    let _ = Objection::by(session, action.clone());
    let _ = sealer.approve(request, session, &SystemEntropy, now);
}

fn main() {}
