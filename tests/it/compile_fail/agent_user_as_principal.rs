//! E0308: an agent user is never the principal of a task.
use bailiwick::identity::{AgentIdentity, AgentUser};
use bailiwick::mandate::{Intent, Mandate};

pub fn for_a_user_record(agent: AgentIdentity, user: AgentUser, intent: Intent) {
    #[cfg(feature = "wrong")]
    let _ = (Mandate::new(user, intent), agent);
    #[cfg(not(feature = "wrong"))]
    let _ = (Mandate::new(agent, intent), user);
}

fn main() {}
