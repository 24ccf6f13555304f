//! Budgets, labels and drift: what keeps a task inside what a human meant while it chains tools.
//!
//! # Budgets
//!
//! A [`Budget`](crate::mandate::Budget) is of one tool (`Grant::budget`) or of all (`Scope::budget`): calls, what an argument
//! adds up to, different values of an argument, different resources; in all, or within a time that slides. `at_most` on both
//! stays the short way to a number of calls, and `Scope::lasting` says how long a task goes on at most.
//!
//! What an action uses up is taken when it is permitted, in one step with the check, in the budgets of the task and of every
//! task above it. A permit that is dropped, refused at use, or never recorded gives everything back. What cannot be measured
//! is refused. Refusals name the budget and its limit; what was asked for and what is used up are arguments, and stay out of
//! records.
//!
//! # Labels
//!
//! A [`Label`](crate::mandate::Label) says what a task has touched, to its end: `untrusted`, `pii`, `secret`, `internal`,
//! `outside`, or a name of the host's. A tool's own come when its permit is spent, whether or not anybody looks at what came of
//! it; [`TaskHandle::label`](crate::TaskHandle::label) adds more. All that is above, beside and below the task carries them. A
//! permit that is older than a label is decided once more when it is spent, on what was approved and taken for it.
//!
//! # Drift
//!
//! Every decision says how its action departs from the intent ([`Drift`](crate::mandate::Drift)): a tool outside the plan or
//! out of turn, a change to what the task has not touched and the scope does not name, refusals that add up, labels that are
//! kept apart. It is in the record (`ledger.drift`) and for policies (`context.task.drift`); the scope's
//! [`Watch`](crate::mandate::Watch) says what follows: nothing, a human's approval of the exact action, or a denial.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use bailiwick::audit::MemorySink;
//! use bailiwick::identity::{AgentId, HumanOperator, OperatorId, Registry, danger};
//! use bailiwick::mandate::{Action, Arguments, Intent, Mandate, Resource, Scope};
//! use bailiwick::policy::{Catalog, Evaluator};
//! use bailiwick::time::{Clock, SystemClock};
//! use bailiwick::Authorizer;
//!
//! let catalog: Catalog = serde_json::from_str(r#"{"tools": [
//!     {"name": "read_bill", "class": "read", "labels": ["untrusted"]},
//!     {"name": "send_money", "class": "external_commitment",
//!      "arguments": {"recipient": {"type": "text", "required": true}, "amount": {"type": "number", "required": true}}}
//! ]}"#)?;
//! // Bills first, then payments: of 500 in all, to three people, ten a minute.
//! let scope: Scope = serde_json::from_str(r#"{
//!     "tools": {
//!         "read_bill": {},
//!         "send_money": {"preapproved": true, "budgets": [
//!             {"sum": "amount", "at_most": "500.00"},
//!             {"distinct": "recipient", "at_most": 3},
//!             {"calls": 10, "seconds": 60}
//!         ]}
//!     },
//!     "watch": {"plan": [["read_bill"], ["send_money"]], "on": {"order_broken": "deny"}}
//! }"#)?;
//! # let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
//! # let agent = AgentId::spiffe("spiffe://acme.example/agent/payer")?;
//! # let registry = Registry::new();
//! # registry.enroll(ada.clone())?;
//! # registry.register(agent.clone(), [ada.id().clone()])?;
//! # let evaluator = Evaluator::new(catalog, r#"@id("all") @allow("unconditional-permit") permit(principal, action, resource);"#)?;
//! # let door = Authorizer::builder(registry, evaluator, Arc::new(MemorySink::new(1_000))).build()?;
//! # let (now, hour) = (SystemClock.now()?, Duration::from_secs(3600));
//! # let ada = danger::operator_vouched_by_host(ada, now, now.after(hour))?;
//! # let agent = door.admit(danger::workload_vouched_by_host(agent, None, now.after(hour)))?;
//! let task = door.begin(Mandate::new(agent, Intent::new("pay my bills", scope)?).approved_by(&ada))?;
//! let account = Resource::new("account", "own")?;
//! let pay = |amount: &str| -> Result<Action, Box<dyn std::error::Error>> {
//!     let args = format!(r#"{{"recipient": "GB29NWBK60161331926819", "amount": {amount}}}"#);
//!     Ok(Action::on_behalf_of(&ada, "send_money", &account)?.with(Arguments::from_json(&args)?))
//! };
//! assert_eq!(task.authorize(&pay("98.70")?).unwrap_err().code().as_str(), "intent_drift");
//! let bill = Action::on_behalf_of(&ada, "read_bill", &account)?;
//! drop(task.redeem(task.authorize(&bill)?, bill.arguments())?);
//! let permit = task.authorize(&pay("498.70")?)?;
//! assert_eq!(task.authorize(&pay("2")?).unwrap_err().code().as_str(), "budget_exceeded");
//! drop(permit); // Not used: given back.
//! assert!(task.authorize(&pay("2")?).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
