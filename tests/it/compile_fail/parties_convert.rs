//! E0277: none of the three parties converts into another, either way.
use bailiwick::identity::{AgentIdentity, AgentUser, HumanOperator};

pub fn converts<A: TryInto<B>, B>() {}

fn main() {
    #[cfg(feature = "wrong")]
    converts::<HumanOperator, AgentIdentity>();
    #[cfg(feature = "wrong")]
    converts::<AgentIdentity, HumanOperator>();
    #[cfg(feature = "wrong")]
    converts::<AgentUser, AgentIdentity>();
    #[cfg(feature = "wrong")]
    converts::<AgentIdentity, AgentUser>();
    #[cfg(feature = "wrong")]
    converts::<AgentUser, HumanOperator>();
    #[cfg(feature = "wrong")]
    converts::<HumanOperator, AgentUser>();
    #[cfg(not(feature = "wrong"))]
    converts::<AgentIdentity, AgentIdentity>();
}
