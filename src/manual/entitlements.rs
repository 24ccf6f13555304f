//! Entitlements: what people may do themselves, and so have an agent do on their behalf.
//!
//! Policies for agents say what an agent may do. An agent that serves many people needs the rights of all of them, and so could do
//! for a trainee what only the treasurer may. With an [`Entitlement`](crate::mandate::Entitlement) at the door, an action on
//! behalf of a person wants both: what the *agent* may, and what the *person* may. An agent with wide rights that serves a person
//! with narrow ones gets the narrow ones.
//!
//! ```
//! # use std::{sync::Arc, time::Duration};
//! # use bailiwick::audit::MemorySink;
//! # use bailiwick::identity::{AgentId, HumanOperator, OperatorId, Registry, danger};
//! # use bailiwick::mandate::{Action, ActionClass, Grant, Intent, Mandate, Resource, Scope, Tool};
//! # use bailiwick::time::{Clock, SystemClock};
//! # use bailiwick::Authorizer;
//! use bailiwick::policy::{Catalog, Directory, Entitlements, Evaluator, ReasonCode};
//! # let [ada, bob] = ["ada", "bob"].map(|name| OperatorId::new("https://idp.acme.example", name).map(HumanOperator::new));
//! # let (ada, bob) = (ada?, bob?);
//! # let agent = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
//! # let registry = Registry::new();
//! # registry.enroll(ada.clone())?;
//! # registry.enroll(bob.clone())?;
//! # registry.register(agent.clone(), [ada.id().clone()])?;
//! let catalog = Catalog::new().with(Tool::new("ticket.close".parse()?, ActionClass::Write))?;
//! // What the agent may do, and what people may do themselves: two sets, two vocabularies, two digests.
//! let evaluator = Evaluator::new(catalog.clone(), r#"
//!     @id("triage") permit(principal, action == Action::"ticket.close", resource) when { resource.kind == "ticket" };
//! "#)?;
//! let entitlements = Arc::new(Entitlements::new(catalog, r#"
//!     @id("leads-close") permit(principal in Team::"leads", action == Action::"ticket.close", resource);
//! "#, Directory::new().operator(ada.id(), ["leads".parse()?]))?);
//! let sink = Arc::new(MemorySink::new(1_000));
//! let door = Authorizer::builder(registry, evaluator, sink).entitlement(entitlements).build()?;
//! # let (now, hour) = (SystemClock.now()?, Duration::from_secs(3600));
//! # let ada = danger::operator_vouched_by_host(ada, now, now.after(hour))?;
//! # let bob = danger::operator_vouched_by_host(bob, now, now.after(hour))?;
//! # let agent = door.admit(danger::workload_vouched_by_host(agent, None, now.after(hour)))?;
//! # let intent = Intent::new("close stale tickets", Scope::new().allow("ticket.close", Grant::new())?)?;
//! // Both approved the task; what each gets of it is their own.
//! let task = door.begin(Mandate::new(agent, intent).approved_by(&ada).approved_by(&bob))?;
//! let ticket = Resource::new("ticket", "T-42")?;
//! assert!(task.authorize(&Action::on_behalf_of(&ada, "ticket.close", &ticket)?).is_ok());
//! let denial = task.authorize(&Action::on_behalf_of(&bob, "ticket.close", &ticket)?).unwrap_err();
//! assert_eq!(denial.code(), ReasonCode::NotEntitled);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # When it is asked
//!
//! Once before each decision about an action on somebody's behalf, about people who approved the task; and again when a permit is
//! redeemed, minted or leased, when a lease is renewed, and when a credential is [accepted](crate::Authorizer::accept): what was
//! withdrawn meanwhile is withdrawn. It is never asked about what is autonomous. Merely [verifying](crate::Authorizer::verify) a
//! credential, and services elsewhere, do not ask: what they honour ends within minutes.
//!
//! The answer is a fact of the decision, like the state of the task: it is in the record
//! ([`Standing::entitlement`](crate::mandate::Standing)), with the digest of what decided, or that nobody was asked. The model is
//! told that it is not this person's to do, and not why.
//!
//! # What it cannot do
//!
//! * *Permit.* It answers with a digest or with why not, from neither of which anything can be made. Whoever is entitled may
//!   still not have the agent do it: scope, policies and approvals say no for themselves.
//! * *Speak of agents.* In the vocabulary of [`Entitlements`](crate::policy::Entitlements) only `HumanOperator` is a principal;
//!   there is no agent, no task and no mode in it, and a policy that names one does not load.
//! * *Fail open.* An error, a panic, a policy that fails, an undeclared tool, arguments that do not fit: all of it refuses.
//!
//! # Change it
//!
//! [`Authorizer::reload_entitlements`](crate::Authorizer::reload_entitlements) replaces policies and directory as a whole, by an
//! administrator, recorded first. A host with an entitlement system of its own implements
//! [`Entitlement`](crate::mandate::Entitlement), one method, and answers for how long that takes: the decision waits, and no lock is
//! held meanwhile.
