//! E0308: an agent approves nothing, nor does its user record, nor a person who is not signed in.
use bailiwick::identity::{AgentIdentity, AgentUser, HumanOperator, OperatorSession};
use bailiwick::mandate::{Approval, Scope};

pub fn approve(agent: &AgentIdentity, user: &AgentUser, person: &HumanOperator, session: &OperatorSession) {
    #[cfg(feature = "wrong")]
    let _ = Approval::by(agent, Scope::new());
    #[cfg(feature = "wrong")]
    let _ = Approval::by(user, Scope::new());
    #[cfg(feature = "wrong")]
    let _ = Approval::by(person, Scope::new());
    #[cfg(not(feature = "wrong"))]
    let _ = (agent, user, person);
    let _ = Approval::by(session, Scope::new());
}

fn main() {}
