//! The model: three parties, one task, many actions.
//!
//! # The parties
//!
//! An IAM team that sees a user-shaped object treats it as a person: it is reviewed as a person, offboarded as a person,
//! and given a person's rights. So three things are kept apart by type:
//!
//! * A [`HumanOperator`](crate::identity::HumanOperator) is accountable for intent and bounds. A person approves (a task,
//!   or one exact action), answers for agents as sponsor, owner or manager
//!   ([`AccountabilityRole`](crate::identity::AccountabilityRole)), and stops them, always in an
//!   [`OperatorSession`](crate::identity::OperatorSession) of their own.
//! * An [`AgentIdentity`](crate::identity::AgentIdentity) is the workload that really runs. It exists only where a proof was
//!   verified and the registry knows the agent as active under an active sponsor. It is the only principal: the only
//!   execution root, the only subject of credentials, the only principal type that policies know.
//! * An [`AgentUser`](crate::identity::AgentUser) is a user record in one system. It is *presented* with an action and
//!   *written* in the record. Presenting it adds nothing; presenting another agent's takes everything. It has no
//!   credential, no sign-in, and belongs to one agent for good. Its handle is in a
//!   [`Namespace`](crate::identity::Namespace) for agents, and what other systems are shown of it says that it is no person
//!   ([`projection`](crate::identity::projection)).
//!
//! # The task
//!
//! A [`Mandate`](crate::mandate::Mandate) is an agent, an [`Intent`](crate::mandate::Intent) (words, and a
//! [`Scope`](crate::mandate::Scope) that binds), and the [`Approval`](crate::mandate::Approval)s of the people who stand
//! behind it. [`Authorizer::begin`](crate::Authorizer::begin) makes a [`Task`](crate::Task) of it. The task is a life: when
//! it is completed, dropped, or stopped, everything below it is dead, at once, by state that is read at use.
//!
//! # The action
//!
//! An [`Action`](crate::mandate::Action) is on behalf of a person or autonomous; there is no default, and one task can have
//! both. On behalf of Ada it rests on Ada's own approval. Autonomously it runs only where the scope lists it as such: an
//! agent that serves narrow Ada cannot widen itself by calling the step autonomous.
//!
//! # The answers
//!
//! | word | what it is |
//! |---|---|
//! | [`Verdict`](crate::policy::Verdict) | the fact: what the rules say; pure, comparable, opens nothing |
//! | [`Permit`](crate::audit::Permit) | the key: made after the record was taken, spent once by moving it, dead within 30 seconds |
//! | [`Denial`](crate::audit::Denial) | the recorded refusal, in three languages: for the model, the operator, the developer |
//! | held | a denial that is lifted by a human's approval of exactly this action; its [`request`](crate::audit::Denial::request) says what to approve |
//! | [`Credential`](crate::credential::Credential) | a token for one action at one service, for minutes |
//!
//! Deny beats *ask a human* beats permit, in every order. Every fault between question and answer is a denial with a
//! [`Reason`](crate::policy::Reason).
//!
//! We do not use *subject* and *actor* for our own types: the standards use them in both directions.
