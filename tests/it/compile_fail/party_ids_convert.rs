//! E0277: the id of no party converts into that of another, either way.
use bailiwick::identity::{AgentId, AgentUserId, OperatorId};

pub fn converts<A: TryInto<B>, B>() {}

fn main() {
    #[cfg(feature = "wrong")]
    converts::<OperatorId, AgentId>();
    #[cfg(feature = "wrong")]
    converts::<AgentId, OperatorId>();
    #[cfg(feature = "wrong")]
    converts::<AgentUserId, AgentId>();
    #[cfg(feature = "wrong")]
    converts::<AgentId, AgentUserId>();
    #[cfg(feature = "wrong")]
    converts::<AgentUserId, OperatorId>();
    #[cfg(feature = "wrong")]
    converts::<OperatorId, AgentUserId>();
    #[cfg(not(feature = "wrong"))]
    converts::<AgentId, AgentId>();
}
