//! How to: what a host writes.
//!
//! # Guard a tool
//!
//! Let the function that has the effect take a [`Permit`](crate::audit::Permit) or an
//! [`Execution`](crate::audit::Execution): then it cannot be called without one.
//!
//! ```
//! use bailiwick::audit::{Denial, Effect, Permit};
//! use bailiwick::mandate::Arguments;
//! use bailiwick::TaskHandle;
//!
//! fn close_ticket(task: &TaskHandle, permit: Permit, arguments: &Arguments) -> Result<(), Denial> {
//!     let running = task.redeem(permit, arguments)?;
//!     // … the effect …
//!     // A record that cannot be written is the operator's matter: the effect has happened.
//!     let _ = running.finish(Effect::Succeeded);
//!     Ok(())
//! }
//! ```
//!
//! # Let workloads prove themselves
//!
//! What a platform says of a workload, an SVID or a token, is shown by whoever holds it. So the workload sends the public half
//! of a key along, is asked, and answers with the private half; from then on that proof is good with that key alone.
//!
//! ```
//! use bailiwick::identity::{AgentKey, Challenge, Enrolment, ProofError, SpiffeVerifier, VerifiedWorkload};
//! use bailiwick::jose::VerifyingKey;
//! use bailiwick::time::Timestamp;
//!
//! /// At the host; `ask` takes the question to the workload and brings the answer.
//! fn enrol(
//!     (svids, enrolment): (&SpiffeVerifier, &Enrolment),
//!     (svid, key): (&str, VerifyingKey),
//!     ask: impl Fn(&Challenge) -> String,
//!     now: Timestamp,
//! ) -> Result<VerifiedWorkload, ProofError> {
//!     let proof = svids.verify(svid, now)?;
//!     let challenge = enrolment.challenge(&proof, key, now)?;
//!     // What comes of it is for `Authorizer::admit`.
//!     enrolment.verify(proof, &ask(&challenge), now)
//! }
//!
//! /// At the workload, which answers nobody but the host that it talks to.
//! fn answer(challenge: &Challenge, host: &str, key: &AgentKey) -> Option<String> {
//!     (challenge.audience().as_str() == host).then(|| challenge.answer(key))
//! }
//! ```
//!
//! Tokens of Kubernetes, GitHub, Google Cloud and Entra go through an [`OidcVerifier`](crate::identity::OidcVerifier) instead,
//! with a [`Selector`](crate::identity::Selector) for each agent. Select by what the platform never gives to somebody else; a
//! selector by names alone is refused. A host that knows an agent's key beforehand
//! [pins](crate::identity::Enrolment::pin) it, and not even a thief who is faster than the workload gets in. The example
//! `workload_identity` is the whole of it.
//!
//! People sign in with an [`OperatorVerifier`](crate::identity::OperatorVerifier). Draw a nonce for each sign-in and take it
//! once: the verifier compares it, and remembers nothing.
//!
//! # Write a scope
//!
//! A scope is what a person approves, so write it as a person would: from what they asked for and the list of tools. Bind
//! the targets. Let what they did not name be asked.
//!
//! ```
//! use bailiwick::mandate::Scope;
//!
//! let scope: Scope = serde_json::from_str(r#"{
//!     "tools": {
//!         "read_file": { "where": { "path": { "one_of": ["landlord-notices.txt"] } } },
//!         "update_payment": {
//!             "where": { "recipient": "absent", "amount": { "at_most": "1500" } },
//!             "preapproved": true,
//!             "beyond": "ask",
//!             "max_calls": 1
//!         }
//!     }
//! }"#)?;
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # Declare tools
//!
//! In Rust, from a [`Catalog`](crate::policy::Catalog)'s own JSON, or from a server's `tools/list`. What the server says of
//! arguments is enforced; look at [`unenforced`](crate::policy::Catalog::unenforced) for what is not, and leave the tool out
//! if that matters. What it says of its tools' harmlessness is not believed: classify them.
//!
//! # Write policies
//!
//! Policies see `principal` (attested, proof, authority, sponsor), `resource` (kind, name, what you declare), and a context of `mode`,
//! `operator`, `agent_user`, `approved`, `task`, `tool`, `time` and the tool's own arguments in `args`.
//! [`Catalog::schema`](crate::policy::Catalog::schema) prints the vocabulary of your tools.
//!
//! ```
//! # use bailiwick::mandate::{ActionClass, ArgumentType, Tool};
//! # use bailiwick::policy::{Catalog, Evaluator};
//! # let send = Tool::new("send_mail".parse()?, ActionClass::ExternalCommitment)
//! #     .required("to".parse()?, ArgumentType::Text)?;
//! # let catalog = Catalog::new().with(send)?;
//! let evaluator = Evaluator::new(catalog, r#"
//!     @id("proven-agents-work")
//!     permit(principal, action in Action::"any external_commitment", resource)
//!     when { principal.attested && context.mode == "on_behalf_of" };
//!
//!     @id("nothing-leaves-after-untrusted-content")
//!     forbid(principal, action in Action::"any external_commitment", resource)
//!     when { context.task.labels.contains("untrusted") && !context.approved };
//! "#)?;
//! // The second policy does not deny for good: what it refuses is held until a human approves exactly that action.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A policy that is too broad does not load: a permit of everything, or of privileged tools that it does not name, for
//! every agent. Where it is meant, its author says so in the policy, where reviewers see it: `@allow` with the codes of the
//! [lints](crate::policy::LintCode). [`Evaluator::lint`](crate::policy::Evaluator::lint) tells what else a person should look
//! at, for instance in the checks of whatever repository the policies are kept in.
//!
//! ```
//! # use bailiwick::mandate::{ActionClass, Tool};
//! # use bailiwick::policy::{Catalog, Evaluator, Severity};
//! # let grant = Tool::new("role.grant".parse()?, ActionClass::Privileged);
//! # let catalog = Catalog::new().with(grant)?;
//! let broad = r#"@id("admins") permit(principal, action in Action::"any privileged", resource)
//!     when { context.mode == "on_behalf_of" };"#;
//! let refused = Evaluator::new(catalog.clone(), broad).expect_err("every agent may grant roles");
//! assert!(refused.to_string().contains(r#"@allow("broad-administration")"#));
//!
//! let narrow = r#"@id("admins") permit(principal in AgentGroup::"provisioning", action == Action::"role.grant", resource)
//!     when { context.mode == "on_behalf_of" };"#;
//! let lints = Evaluator::new(catalog, narrow)?.lint()?;
//! assert!(lints.iter().all(|lint| lint.severity < Severity::Warning));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Replace policies while agents run
//!
//! ```
//! use bailiwick::entropy::SystemEntropy;
//! use bailiwick::identity::AgentId;
//! use bailiwick::mandate::{ActionClass, Tool};
//! use bailiwick::policy::{Bundle, BundleKey, Catalog, Directory, Evaluator};
//!
//! // Where policies are reviewed and released:
//! let key = BundleKey::generate(&SystemEntropy)?;
//! let triage = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
//! let bundle = Bundle::new(r#"
//!     @id("triage-reads")
//!     permit(principal in AgentGroup::"triagers", action in Action::"any read", resource)
//!     when { context.task.step <= 100 };
//! "#)
//! .with(Directory::new().agent(&triage, ["triagers".parse()?]))
//! .version(8);
//! let seal = key.seal(&bundle);
//!
//! // Where agents run: nothing else is loaded, now or later, and nothing older.
//! let catalog = Catalog::new().with(Tool::new("ticket.read".parse()?, ActionClass::Read))?;
//! let evaluator = Evaluator::builder(catalog).pinned(key.public()).load(bundle.sealed(&seal))?;
//! assert_eq!(evaluator.report().version, Some(8));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An administrator replaces it with [`Authorizer::reload`](crate::Authorizer::reload): as a whole, recorded, and permits of
//! the older one are not honoured any more. A bundle that does not load changes nothing.
//!
//! # Find out why
//!
//! [`TaskHandle::explain`](crate::TaskHandle::explain) says why an action is answered as it is now: which policies decide
//! and by which of their clauses, or, where nothing permits, which permits came nearest and what stood in their way. For
//! the people who write policies; what a model may be told is a denial's `Display`.
//!
//! In a test suite, [`Coverage`](crate::policy::Coverage) counts what comes of every clause of every policy, and names
//! those that no test ever reached.
//!
//! ```
//! use bailiwick::policy::{Coverage, Evaluator, PolicyError, Question};
//!
//! /// What no question of the suite ever decided by.
//! fn gaps(evaluator: &Evaluator, suite: &[Question<'_>]) -> Result<Vec<String>, PolicyError> {
//!     let mut coverage = Coverage::new(evaluator)?;
//!     for question in suite {
//!         coverage.observe(question);
//!     }
//!     println!("{coverage}");
//!     Ok(coverage.uncovered().map(|gap| gap.to_string()).collect())
//! }
//! ```
//!
//! # Ask a human
//!
//! A denial that [`is_held`](crate::audit::Denial::is_held) has a [`request`](crate::audit::Denial::request). Show it to the
//! person with the arguments beside it; when they agree, in a session of theirs:
//!
//! ```
//! use bailiwick::audit::Denial;
//! use bailiwick::identity::OperatorSession;
//! use bailiwick::mandate::{Action, Approval};
//!
//! /// The same action with the person's approval, to be authorized afresh.
//! fn approved(action: Action, denial: &Denial, ada: &OperatorSession) -> Option<Action> {
//!     let request = denial.request()?.clone();
//!     Some(action.approved(Approval::by(ada, request)))
//! }
//! ```
//!
//! # Keep records
//!
//! An [`AuditSink`](crate::audit::AuditSink) takes an [`Event`](crate::audit::Event) and returns an
//! [`Ack`](crate::audit::Ack). Hand the event to a thread or task of your own and acknowledge when it is safe:
//!
//! ```
//! use std::sync::mpsc::{SyncSender, sync_channel};
//! use bailiwick::audit::{Ack, AuditSink, Event, Receipt};
//!
//! struct Channel(SyncSender<(Event, Receipt)>);
//!
//! impl AuditSink for Channel {
//!     fn record(&self, event: &Event) -> Ack {
//!         let (receipt, ack) = Ack::later();
//!         // A full channel drops the receipt, and a dropped receipt denies.
//!         let _ = self.0.try_send((event.clone(), receipt));
//!         ack
//!     }
//! }
//! # let (sender, _receiver) = sync_channel(1);
//! # let _ = Channel(sender);
//! ```
//!
//! Call [`Authorizer::sweep`](crate::Authorizer::sweep) now and then: it records the end of tasks that were dropped.
//!
//! # Stop
//!
//! [`Authorizer::halt`](crate::Authorizer::halt) stops a task, an agent or everything, before it returns. Any active operator
//! may stop a task or everything, a sponsor the agent. Resuming, replacing policies and offboarding are for the
//! [`administrator`](crate::Builder::administrator)s that the host names; by default there is none.
//!
//! # Accept credentials
//!
//! In the process that mints, [`Authorizer::accept`](crate::Authorizer::accept) uses a credential up for exactly its action.
//! Elsewhere, a [`CredentialVerifier`](crate::credential::CredentialVerifier) with the minter's
//! [`keys`](crate::credential::Minter::keys) verifies offline; whoever relies on it must also demand proof of the key that
//! [`confirmation`](crate::credential::VerifiedCredential::confirmation) names.
//!
//! # Test
//!
//! The feature `testing` adds the module `testing`: a world that is the same in every run, with a clock that moves by hand,
//! and assertions that say what disagreed. A decision test reads like a sentence: this action, under this scope, is denied,
//! for this reason, by this policy. In `Cargo.toml`, with the version that the host depends on anyhow:
//!
//! ```toml
//! [dev-dependencies]
//! bailiwick = { version = "…", features = ["testing"] }
//! ```
//!
//! ```
//! # use bailiwick::mandate::{Action, ActionClass, Grant, Resource, Scope, Tool};
//! # use bailiwick::policy::{Catalog, ReasonCode};
//! # let catalog = Catalog::new().with(Tool::new("ticket.close".parse()?, ActionClass::Write))?;
//! # let policies = r#"@id("tickets") permit(principal, action, resource) when { resource.kind == "ticket" };"#;
//! # let scope = Scope::new().allow("ticket.close", Grant::new())?;
//! # let ticket = Resource::new("ticket", "T-42")?;
//! use bailiwick::testing::{DecisionTable, World, assert_deny, assert_permit};
//!
//! let world = World::new(catalog, policies)?;
//! let ada = world.operator("ada")?;
//! let task = world.task(&world.agent("triage")?, scope, [&ada])?;
//! assert_permit!(task, Action::on_behalf_of(&ada, "ticket.close", &ticket)?);
//! assert_deny!(task, Action::autonomous("ticket.close", &ticket)?, reason = ReasonCode::OutOfScope);
//!
//! // All decisions at once, to be reviewed as a file: a change of a policy is then a change of a line.
//! let table = DecisionTable::new([&task]).example(Action::autonomous("ticket.close", &ticket)?);
//! assert!(table.to_string().contains("✗ out_of_scope   ✓"), "{table}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `testing::cedar_tests` reads, writes and runs the files of `cedar run-tests`, for policies that other services share.
