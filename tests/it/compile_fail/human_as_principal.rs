//! E0308: a human is never the principal of an agent's task, signed in or not.
use bailiwick::identity::{AgentIdentity, HumanOperator, OperatorSession};
use bailiwick::mandate::{Intent, Mandate};

pub fn for_a_person(agent: AgentIdentity, person: HumanOperator, session: OperatorSession, intent: Intent) {
    #[cfg(feature = "wrong")]
    let _ = Mandate::new(person, intent.clone());
    #[cfg(feature = "wrong")]
    let _ = Mandate::new(session, intent.clone());
    #[cfg(not(feature = "wrong"))]
    let _ = (person, session);
    let _ = Mandate::new(agent, intent);
}

fn main() {}
