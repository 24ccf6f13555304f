//! Approvals: what people approve once, what they approve each time, and how their answer gets from one process to another.
//!
//! A person who is asked fifty times says yes fifty times. So people approve a *task*, as far as a
//! [`Scope`](crate::mandate::Scope) goes, and within it nobody is asked; what is held is the exception that the scope or the
//! policies make of it: an action of a [class](crate::mandate::ActionClass) with much at stake, one beyond the bounds of a grant
//! that says [`or_ask`](crate::mandate::Grant::or_ask), one that policies permit only so, or each call of a tool for which the
//! scope names a [`Quorum`](crate::mandate::Quorum).
//!
//! An approval is an input to a fresh decision, and never a stored yes: everything else is looked at again, and what has changed
//! since may refuse.
//!
//! # What an approval of one action binds
//!
//! | what | where it is compared |
//! |---|---|
//! | the operator | who approved the task, or is listed; for an action on somebody's behalf that person, unless others are listed |
//! | task, agent, mode, tool, resource | [`ActionRequest`](crate::mandate::ActionRequest), member by member |
//! | the arguments, and what the host says of the resource | digests under the task's salt, so that no other process' task has them |
//! | time | its own end, the session's, the request's |
//! | one use | [`Once`](crate::mandate::Once); of several approvals all are used up, or none |
//!
//! Not the step at which it was asked: the same action at a later step is the same action.
//!
//! # How many, and which
//!
//! [`Quorum::of`](crate::mandate::Quorum::of) says how many distinct people (1 to 8), [`among`](crate::mandate::Quorum::among) which, and
//! [`among_others`](crate::mandate::Quorum::among_others) that nobody counts who approved the task: separation of duties. It is a part
//! of the scope that people approve; a delegated part may want more people and never fewer, nor others. Who is listed is enrolled,
//! held as those who approved the task are, and looked at again when the permit is used. A list gives nobody an errand: only who
//! approved the task is somebody on whose behalf the agent acts. Each approver finds it in their own lane of the record, and
//! [`Decided::rests_on`](crate::audit::Decided::rests_on) has all of them.
//!
//! # The life of a request
//!
//! [`Denial::asks`](crate::audit::Denial::asks) is an [`ApprovalRequest`](crate::mandate::ApprovalRequest): the action, who may
//! answer, how many it takes, until when, and the answers so far. It is a value; `now` is handed in.
//!
//! ```text
//!             enough people say yes ──▶ approved
//!            ╱ one says no ───────────▶ denied
//!   pending ─  its time is over ──────▶ expired
//!            ╲ nobody asks any more ──▶ cancelled
//! ```
//!
//! It is written as JSON and read again, strictly: only what a request can have become is read. Whoever alters it on its way has
//! a note that says something else, and opens nothing by it, since the decision looks at approvals and the scope.
//!
//! A no is an answer as well. [`TaskHandle::object`](crate::TaskHandle::object) lets the task know of an
//! [`Objection`](crate::mandate::Objection), and the same action is refused in it from then on, whoever else approves it.
//!
//! # In another process
//!
//! ```
//! use bailiwick::credential::{ApprovalKey, ApprovalSealer};
//! use bailiwick::entropy::SystemEntropy;
//! use bailiwick::id::{Audience, Issuer};
//! use bailiwick::identity::OperatorSession;
//! use bailiwick::mandate::{Action, ApprovalRequest, ApprovalVerifier};
//! use bailiwick::time::Timestamp;
//!
//! /// At the approvals service, where the person is signed in and was shown the request with its arguments.
//! fn seal(sealer: &ApprovalSealer, text: &str, ada: &OperatorSession, now: Timestamp) -> Result<String, Box<dyn std::error::Error>> {
//!     let mut request: ApprovalRequest = serde_json::from_str(text)?;
//!     Ok(sealer.approve(&mut request, ada, &SystemEntropy, now)?)
//! }
//!
//! /// Where the agent runs: the same action once more, to be decided afresh.
//! fn approved(action: &Action, verifier: &ApprovalVerifier, token: &str, now: Timestamp) -> Result<Action, bailiwick::jose::Refused> {
//!     Ok(action.clone().approved(verifier.verify(token, now)?))
//! }
//!
//! let host = Audience::new("https://authz.acme.example")?;
//! let key = ApprovalKey::generate(&SystemEntropy)?;
//! let sealer = ApprovalSealer::new(Issuer::new("https://approvals.acme.example")?, key, host.clone());
//! let verifier = ApprovalVerifier::new(sealer.keys(), host);
//! # let _ = (verifier, seal, approved);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The token is a `task-approval+jwt`: the person is its subject, `may_act` names the agent. An answer to one action has, in the
//! container `urn:bailiwick:claims:v1`, `task.id`, `action` (the request) and `answer` (`approved` or `denied`), and no
//! `authorization_details`; consent to a task has those, `task.id` and `task.hash`, and neither of the two. One is never the other,
//! and a sealed no is never a yes. `cargo run --example step_up_approval` does all of it between two processes.
//!
//! The service cannot know whether the arguments that it shows are those of the digest, which is salted: the agent's host, which
//! sends both, is trusted in that, as in everything that it runs.
//!
//! # Not too often
//!
//! Eight actions of an errand, with all the parts that were delegated of it, wait for people at once, and 64 are asked for in its
//! life; what is beyond is not held but *denied* (`too_many_requests`), and recorded as such. The same action asked for again
//! counts once. An answer that was used, a no, [`TaskHandle::cancel`](crate::TaskHandle::cancel) and the end of the request's time
//! make room. Both numbers are in the record of every decision that comes after a request
//! ([`LedgerView::requests`](crate::mandate::LedgerView::requests)).
