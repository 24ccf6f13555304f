//! Halting: the stop button, breakers, ceilings, and what agents were granted and never use.
//!
//! # The button
//!
//! [`Authorizer::halt`](crate::Authorizer::halt) stops at once, whether or not that can be recorded:
//!
//! | what | what is dead | how it goes on |
//! |---|---|---|
//! | [`Halt::Everything`](crate::Halt::Everything) | every task of every agent | [`resume`](crate::Authorizer::resume), for new tasks |
//! | [`Halt::Blueprint`](crate::Halt::Blueprint) | every task of every agent that was made from it, and of those below | the same |
//! | [`Halt::Agent`](crate::Halt::Agent) | the agent, every task of its, and those below | [`reinstate`](crate::Authorizer::reinstate), with a fresh proof and an approval |
//! | [`Halt::Task`](crate::Halt::Task) | the task, and those below | never |
//!
//! Each is one cell that is flipped: permits, credentials and parts hang on it and are looked at by nobody. Where there are a
//! hundred thousand tasks, halting costs what it costs where there is one. Only the record of a suspended agent counts what ended,
//! when it is dead already, and looks at that agent's own tasks for it.
//!
//! A *blueprint* is what agents were made from: an image, a template, a version of either. It is said where an agent is
//! [registered](crate::identity::Registry::register_from), for good, and kept with the registry, whether it is halted as well.
//!
//! ```
//! # use std::{num::NonZeroU16, sync::Arc, time::Duration};
//! # use bailiwick::audit::MemorySink;
//! # use bailiwick::identity::{AgentId, BlueprintId, HumanOperator, OperatorId, Registry, danger};
//! # use bailiwick::mandate::{Action, ActionClass, Breaker, Ceiling, Grant, Intent, Mandate, Resource, Scope, Tool};
//! # use bailiwick::policy::{Catalog, Evaluator, ReasonCode};
//! # use bailiwick::time::{Clock, SystemClock};
//! # use bailiwick::{Authorizer, Halt, Resume};
//! # let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
//! # let agent = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
//! # let registry = Registry::new();
//! # registry.enroll(ada.clone())?;
//! let image = BlueprintId::new("registry.acme.example/triage@7")?;
//! registry.register_from(image.clone(), agent.clone(), [ada.id().clone()])?;
//! # let catalog = Catalog::new().with(Tool::new("ticket.read".parse()?, ActionClass::Read))?;
//! # let policies = r#"@id("reads") permit(principal, action in Action::"any read", resource);"#;
//! # let sink = Arc::new(MemorySink::new(1_000));
//! # let minute = Duration::from_secs(60);
//! let door = Authorizer::builder(registry, Evaluator::new(catalog, policies)?, sink)
//!     .administrator(ada.id().clone())
//!     .breaker(Breaker::new(5 * minute).refusals(NonZeroU16::new(2).ok_or("not 0")?, minute))
//!     .ceiling(Ceiling::new().tasks(10).tools(5).class(ActionClass::Write))
//!     .build()?;
//! # let (now, hour) = (SystemClock.now()?, Duration::from_secs(3600));
//! # let ada = danger::operator_vouched_by_host(ada, now, now.after(hour))?;
//! # let agent = door.admit(danger::workload_vouched_by_host(agent, None, now.after(hour)))?;
//! # let intent = Intent::new("look", Scope::new().allow("ticket.read", Grant::new().autonomous())?)?;
//! # let mandate = || Mandate::new(agent.clone(), intent.clone()).approved_by(&ada);
//! # let read = Action::autonomous("ticket.read", &Resource::new("ticket", "T-42")?)?;
//! let task = door.begin(mandate())?;
//! door.halt(&ada, Halt::Blueprint(image.clone()))?;
//! assert_eq!(task.authorize(&read).unwrap_err().code(), ReasonCode::BlueprintHalted);
//! assert!(door.begin(mandate()).is_err());
//! door.resume(&ada, Resume::Blueprint(image))?;
//! assert!(door.begin(mandate())?.authorize(&read).is_ok());
//!
//! // Two refusals within a minute, in whatever task, and the agent is cut off.
//! # let fly = Action::autonomous("ticket.fly", &Resource::new("ticket", "T-42")?)?;
//! let task = door.begin(mandate())?;
//! for _ in 0..2 {
//!     assert_eq!(task.authorize(&fly).unwrap_err().code(), ReasonCode::ToolUndeclared);
//! }
//! assert_eq!(task.authorize(&read).unwrap_err().code(), ReasonCode::BreakerOpen);
//! door.resume(&ada, Resume::Breaker(agent.id().clone()))?;
//! assert!(task.authorize(&read).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Who may press is decided by policies of [`Administration`](crate::policy::Administration). Unless a host says otherwise,
//! every active operator stops everything, a blueprint or a task, those who answer for an agent stop it, and only administrators
//! let anything go on; for emergencies there is [broken glass](crate::Authorizer::break_glass), by name and loud.
//!
//! # The breaker
//!
//! A [`Breaker`](crate::mandate::Breaker) cuts an agent off that is refused, or acts, too often, across all its tasks: a loop, or
//! a model that was talked into trying. It opens by itself, is recorded once and told as a warning to `tracing`, and after its
//! pause, or when a person says so, lets one action try. While it is open, decisions are refused, permits are not
//! redeemed, no lease is renewed, and nothing is delegated. Parts that it delegated before, whoever acts in them, are refused as long
//! as it is not closed again, so what is tried is its own; and a permit from before it opened is good for nothing afterwards. What
//! was minted or leased before is not revoked by it, which is what halting is for.
//! Up to 65 535 moments are kept for each agent and limit, as many as the limit says. After a restart every breaker is closed.
//!
//! # The ceiling
//!
//! Each task is approved by itself, and so nobody may see what an agent has in all of them. A [`Ceiling`](crate::mandate::Ceiling)
//! is the host's: so many tasks, so many different tools, no higher class, at once. What would be beyond it does not begin, and that
//! is recorded. It is checked where tasks begin and where parts are delegated, and never puts grants together into a right: a
//! decision sees one task.
//!
//! # What is never used
//!
//! [`Authorizer::review`](crate::Authorizer::review) has, for each agent, what it is granted at once and what it really
//! [exercised](crate::mandate::Exercised): how often, in how many tasks, when first and last. A tool that came late wants
//! [attention](crate::Attention::Grew), and each decision's record says whether it was the first of its tool.
//! [`Authorizer::unused`](crate::Authorizer::unused), and when a task is completed [`Closed`](crate::Closed), say which grants were
//! never exercised; [`TaskHandle::narrowed`](crate::TaskHandle::narrowed) is the scope without them, for a person to approve the
//! next time. All of it is kept in memory, for as long as the process and no longer.
