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
//!     (challenge.audience().as_str() == host).then(|| challenge.answer(key).ok()).flatten()
//! }
//! ```
//!
//! Tokens of Kubernetes, GitHub, Google Cloud and Entra go through an [`OidcVerifier`](crate::identity::OidcVerifier) instead,
//! with a [`Selector`](crate::identity::Selector) for each agent. Select by what the platform never gives to somebody else; a
//! selector by names alone is refused. A host that knows an agent's key beforehand
//! [pins](crate::identity::Enrolment::pin) it, and not even a thief who is faster than the workload gets in. The example
//! `workload_identity` is the whole of it.
//!
//! A proof is looked at once: keep the [`VerifiedWorkload`](crate::identity::VerifiedWorkload) and admit it again until it
//! ends. Keys rotate: build a verifier from the new sets and put it in place of the old. Of Entra's tokens for agents, of which
//! two in three are shaped like a user's, [`EntraVerifier`](crate::identity::EntraVerifier) says who executes.
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
//! let seal = key.seal(&bundle)?;
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
//! person with the arguments beside it; when they agree, in a session of theirs (elsewhere, or by several people: see
//! [`approvals`](super::approvals)):
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
//! # Provision a user record
//!
//! For a system that insists on a user. Say which of its handles are for agents, and which are people's; what such a system
//! accepts says how an agent acts there ([`LegacySurface`](crate::identity::projection::LegacySurface)), and it never is as
//! a person.
//!
//! ```
//! use bailiwick::identity::projection::{Accepts, LegacySurface, ScimId, ScimUser, Strategy};
//! use bailiwick::identity::{AgentUserId, Namespace};
//! # use bailiwick::identity::{AgentId, HumanOperator, OperatorId, Registry};
//! # let ada = OperatorId::new("https://idp.acme.example", "ada")?;
//! # let agent = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
//! # let registry = Registry::new();
//! # registry.enroll(HumanOperator::new(ada.clone()))?;
//! # registry.register(agent.clone(), [ada])?;
//! registry.declare(Namespace::suffix("jira.acme.example", "-bot")?);
//! registry.reserve(&"jira.acme.example".parse()?, &"ada".parse()?)?;
//! let seen_as = registry.bind(&agent, AgentUserId::new("jira.acme.example", "triage-bot")?)?;
//! let surface = LegacySurface::new("jira.acme.example".parse()?, [Accepts::Record, Accepts::Person]);
//! assert_eq!(surface.strategy(&registry), Strategy::Record);
//!
//! // To be sent by the host: at first, and after every change of the agent's state.
//! let create = ScimUser::of(&registry, &seen_as)?.create();
//! println!("{} {}\n{}", create.method(), create.path(), create.body());
//! let follow = ScimUser::of(&registry, &seen_as)?.set_active(&ScimId::new("2819c223")?);
//! # let _ = follow;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What the system says that somebody changed is held against that, and recorded; the agent stays what it is:
//!
//! ```
//! use bailiwick::identity::projection::{ScimId, ScimRequest, ScimUser, Severity};
//! use bailiwick::{Authorizer, Error};
//!
//! /// A PATCH that the system tells of; returns what puts the record right, where somebody should not wait.
//! fn changed(door: &Authorizer, user: &ScimUser, id: &ScimId, patch: &str) -> Result<Option<ScimRequest>, Error> {
//!     match user.patched(patch) {
//!         Ok(drift) => {
//!             door.drifted(&drift)?;
//!             Ok(drift.severity().filter(|severity| *severity >= Severity::Warning).map(|_| user.replace(id)))
//!         }
//!         // What cannot be read may say anything.
//!         Err(_) => Ok(Some(user.replace(id))),
//!     }
//! }
//! ```
//!
//! Where the agent needs a token that is shaped like its user, put [`Tool::project_as`](crate::mandate::Tool::project_as) into
//! the catalogue and ask for [`Action::project_as`](crate::mandate::Action::project_as), as for every action.
//!
//! # Find out who it was
//!
//! A ticket says: `triage-bot`, at such a time. [`Sighting`](crate::audit::Sighting) finds the agent, the task and the human
//! in the records; where several actions fit, it returns all of them. Where a system names a user in a callback,
//! [`Registry::agent_user`](crate::identity::Registry::agent_user) says whose record that is, if it is an agent's.
//!
//! ```
//! use bailiwick::audit::{Behind, Event, Sighting};
//!
//! /// One line for each action that it may have been.
//! fn who(records: &[Event], seen: &Sighting) -> Vec<String> {
//!     let told = |behind: &Behind| match behind {
//!         Behind::OnBehalfOf(person) => format!("on behalf of {person}"),
//!         Behind::Sponsor(person) => format!("autonomously; {person} answers for it"),
//!         _ => "autonomously; older records say who answers for it".to_owned(),
//!     };
//!     seen.resolve(records).iter().map(|one| format!("{} {}: {}", one.tool, one.agent, told(&one.behind))).collect()
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
//! # Lease keys of other systems
//!
//! Write a [`CredentialIssuer`](crate::credential::CredentialIssuer) and give it to [`Builder::issuer`](crate::Builder::issuer);
//! [`leases`](super::leases) has a small one, and what Vault, AWS, GitHub and PostgreSQL make of it. Sweep often, and after a crash
//! [`recover`](crate::Authorizer::recover) what the records say is open.
//!
//! # Stop
//!
//! [`Authorizer::halt`](crate::Authorizer::halt) stops a task, an agent, a blueprint or everything, before it returns; see
//! [`halting`](super::halting). Any active operator may stop a task, a blueprint or everything; whoever answers for an agent, the agent. Resuming, replacing policies and offboarding are
//! for the [`administrator`](crate::Builder::administrator)s that the host names; by default there is none.
//!
//! For emergencies at night, list people who [may break the glass](crate::Builder::may_break_glass): with a reason, for an
//! hour, recorded as an emergency and told to `tracing` as an error, they stop agents that are not theirs, and resume.
//!
//! # Say who administers
//!
//! [`Administration`](crate::policy::Administration) holds policies about what *people* do, in which no agent is ever a
//! principal. Begin with [`standard_text`](crate::policy::Administration::standard_text).
//!
//! ```
//! use bailiwick::identity::OperatorId;
//! use bailiwick::policy::{Administration, Directory};
//!
//! let ada = OperatorId::new("https://idp.acme.example", "ada")?;
//! let policies = format!("{}{}", Administration::standard_text(), r#"
//!     @id("on-call-stops") permit(principal in Team::"on-call", action in Action::"any stop", resource is AgentIdentity);
//!     @id("two-people") forbid(principal, action == Action::"reinstate", resource) when { context.approver == principal };
//! "#);
//! let administration = Administration::new(&policies, Directory::new().operator(&ada, ["on-call".parse()?]))?;
//! # let _ = administration;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Change who answers for an agent
//!
//! A sponsor answers for why it exists, an owner for how it is set up, a manager for what is done with it from day to day.
//! [`transfer`](crate::Authorizer::transfer) hands an agent over while its tasks go on; to
//! [`withdraw`](crate::Authorizer::withdraw) its last sponsor suspends it.
//!
//! ```
//! use bailiwick::identity::{AccountabilityRole, AgentId, OperatorId, OperatorSession};
//! use bailiwick::time::Timestamp;
//! use bailiwick::{Authorizer, Error};
//!
//! fn ada_leaves(
//!     door: &Authorizer, hr: &OperatorSession, agent: &AgentId, ada: &OperatorId, bob: &OperatorId, at: Timestamp,
//! ) -> Result<(), Error> {
//!     // Weeks before: reviews warn of agents that nobody else sponsors.
//!     door.announce_leaving(hr, ada, Some(at))?;
//!     door.transfer(hr, agent, ada, bob)?;
//!     door.assign(hr, agent, AccountabilityRole::Owner, bob)?;
//!     // The day that she leaves:
//!     let change = door.offboard(hr, ada)?;
//!     assert!(!change.agents().contains(agent), "Bob answers for it");
//!     Ok(())
//! }
//! ```
//!
//! # Let a suspended agent come back
//!
//! It takes a proof that is verified after it was stopped, and a person's approval of exactly this. Nothing that it held
//! comes back; admit it, and bind its agent user, anew.
//!
//! ```
//! use bailiwick::identity::{AgentId, IdentityVerifier, OperatorSession, Registry};
//! use bailiwick::mandate::Approval;
//! use bailiwick::{Authorizer, Error};
//!
//! fn comes_back(
//!     door: &Authorizer, registry: &Registry, agent: &AgentId,
//!     verifier: &dyn IdentityVerifier, proof: &str, sponsor: &OperatorSession, administrator: &OperatorSession,
//! ) -> Result<(), Error> {
//!     let reinstatement = registry.reinstatement(agent)?;
//!     let proof = door.prove(&reinstatement, verifier, proof)?;
//!     door.reinstate(administrator, proof, Approval::by(sponsor, reinstatement))
//! }
//! ```
//!
//! For a workload that proves itself by SVIDs or tokens, the verifier is its enrolment with a new one
//! ([`awaiting`](crate::identity::Enrolment::awaiting)), and the proof its answer.
//!
//! # Keep the registry
//!
//! [`Registry::snapshot`](crate::identity::Registry::snapshot) is a value for `serde`, tombstones included;
//! [`Registry::restore`](crate::identity::Registry::restore) refuses what does not fit together, and revives nothing.
//!
//! # Review agents
//!
//! Agents are not reviewed as employees are. [`Authorizer::review`](crate::Authorizer::review) says of each who answers for
//! it, how it was proven, when it was last used, which tasks are open, as whom it is seen, and what wants
//! [`Attention`](crate::Attention); printed, it is a table. An identity that is attested with two keys at once is shown
//! there, and recorded when it is first seen; [`in_one_place`](crate::Builder::in_one_place) refuses it.
//!
//! # Accept credentials
//!
//! In the process that mints, [`Authorizer::accept`](crate::Authorizer::accept) uses a credential up for exactly its action.
//! Elsewhere, a [`CredentialVerifier`](crate::credential::CredentialVerifier) with the minter's
//! [`keys`](crate::credential::Minter::keys) verifies what is shown. How that goes, and how keys rotate, is in
//! [`credentials`](super::credentials).
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
