//! Delegating: what an agent may have others do of its task, and what is left of it there.
//!
//! An agent that plans need not be able to do everything that it plans. It passes a part of its *task* on to another agent,
//! which acts as itself: with its own identity, its own key, and what policies permit it. What counts is what people approved
//! of the task, not what the first agent could do; so a coordinator may be kept narrow, and dispatch a worker that may more.
//!
//! ```
//! # use std::{sync::Arc, time::Duration};
//! # use bailiwick::audit::MemorySink;
//! # use bailiwick::identity::{AgentId, HumanOperator, OperatorId, Registry, danger};
//! # use bailiwick::mandate::{Action, ActionClass, Grant, Intent, Mandate, Resource, Scope, Tool};
//! # use bailiwick::policy::{Catalog, Evaluator, ReasonCode};
//! # use bailiwick::time::{Clock, SystemClock};
//! # use bailiwick::Authorizer;
//! # let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
//! # let registry = Registry::new();
//! # registry.enroll(ada.clone())?;
//! # let ids = ["planner", "reader"].map(|name| format!("spiffe://acme.example/agent/{name}"));
//! # for id in &ids { registry.register(AgentId::spiffe(id)?, [ada.id().clone()])?; }
//! # let catalog = Catalog::new().with(Tool::new("invoice.read".parse()?, ActionClass::Read))?;
//! let evaluator = Evaluator::new(catalog, r#"
//!     @id("readers-read") permit(principal, action == Action::"invoice.read", resource)
//!     when { principal == AgentIdentity::"spiffe://acme.example/agent/reader" };
//! "#)?;
//! # let door = Authorizer::builder(registry, evaluator, Arc::new(MemorySink::new(100))).build()?;
//! # let (now, hour) = (SystemClock.now()?, Duration::from_secs(3600));
//! # let ada = danger::operator_vouched_by_host(ada, now, now.after(hour))?;
//! # let admit = |id: &String| AgentId::spiffe(id).map(|id| {
//! #     door.admit(danger::workload_vouched_by_host(id, None, now.after(hour)))
//! # });
//! # let (planner, reader) = (admit(&ids[0])??, admit(&ids[1])??);
//! // What Ada approves says that it may be passed on, and that one agent may stand below the first.
//! let reading = Scope::new().allow("invoice.read", Grant::new().at_most(2))?;
//! let intent = Intent::new("reconcile the invoices", reading.clone().delegable(1)?)?;
//! let task = door.begin(Mandate::new(planner, intent).approved_by(&ada))?;
//!
//! // A part of it, without approvals of its own. It could be narrower, and end earlier.
//! let part = task.delegate(Mandate::new(reader, Intent::new("read what was planned", reading)?))?;
//! let read = Action::on_behalf_of(&ada, "invoice.read", &Resource::new("invoice", "I-1")?)?;
//! assert_eq!(task.authorize(&read).unwrap_err().code(), ReasonCode::NotPermitted);
//! assert!(part.authorize(&read).is_ok());
//!
//! // The task ends, and with it every part.
//! task.complete()?;
//! assert_eq!(part.authorize(&read).unwrap_err().code(), ReasonCode::TaskEnded);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What only shrinks
//!
//! | what | how it is held |
//! |---|---|
//! | tools, targets, arguments, audiences, autonomy, what is asked | the part's scope is within the task's ([`Scope::is_subset`](crate::mandate::Scope::is_subset)) |
//! | depth | not delegable unless [said](crate::mandate::Scope::delegable), at most 8, one less with each agent |
//! | time | the part ends no later than the task, its own proof, every proof above, and the approval; a later end is refused |
//! | people | the part rests on the task's approvals, and on no others: whoever approved nothing is acted for by nobody |
//! | budgets | a step takes a place in its own budget and in every one above, or none; what is given back is given back everywhere |
//! | life | halting, ending, dropping a task, or stopping its agent, ends every part at once, with its permits and credentials |
//! | room | 64 parts of one errand go on at the same time |
//!
//! No agent stands below itself, and no key below itself: a chain has no circle. Labels are the whole errand's: what one agent
//! brought in, policies hold against the others.
//!
//! # What is written
//!
//! `Delegated` in the first agent's lane, with the other task, its agent, scope, depth and end, and `Begun` in the other's, which
//! names the task above; both in one transaction, and before the other agent can do anything. A part that ended because of
//! something above it says so: [`TaskState::EndedAbove`](crate::mandate::TaskState::EndedAbove).
//!
//! # What strangers see
//!
//! A sub-agent's credential names the agents above it, by tokens that the same issuer signed: what each of *their tasks* grants
//! of this one tool at this one service. [`Credential::presentation`](crate::credential::Credential::presentation) has them all,
//! and a [`CredentialVerifier`](crate::credential::CredentialVerifier) refuses a credential with one left out, moved or replaced.
//! They are of a kind of their own and open nothing, so that a coordinator cannot use what it passed on. They are not recorded:
//! what is minted with them is. An agent without a key of its own passes nothing on to strangers.
