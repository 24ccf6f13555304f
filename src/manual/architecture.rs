//! The architecture: five rooms and a door.
//!
//! ```text
//!                          host application (agent framework)
//!                                       │
//!    the door        ┌──────────────────▼───────────────────┐
//!                    │  Authorizer ── begin(mandate) ─▶ Task │
//!                    └──┬─────────┬─────────┬────────┬──────┬┘
//!    rooms          ┌───▼────┐┌───▼───┐┌────▼──┐┌────▼─┐┌───▼──────┐
//!                   │identity││mandate││policy ││audit ││credential│
//!    question       │  who?  ││ what? ││may it?││written│ which key?│
//!    what it opens  │Agent-  ││Mandate││Verdict││Permit││Credential│
//!    the next with  │Identity││       ││       ││      ││          │
//!                   └────────┘└───────┘└───────┘└──────┘└──────────┘
//!                      ◀──────── imports point left only ────────
//!    ground             id · time · entropy · secret · canonical · json · jose · live · sync
//! ```
//!
//! `Authorizer` and `Task` are what hosts hold; `Door` is what both share. A room imports from the rooms left of it and from the ground, never from the right, and never from the door. A test
//! reads the imports and fails on an arrow that points right. Foreign crates have one home each: `cedar_policy` in
//! `policy`, `ring` in `jose`, in the digests and in `entropy`, the system clock in `time`.
//!
//! # The way of one action
//!
//! [`TaskHandle::authorize`](crate::TaskHandle::authorize), in reading order:
//!
//! 1. **clock**: read once. A clock that goes backwards stands still until it has caught up, so nothing revives.
//! 2. **reserve**: a place in the ledger's budget, checked and booked in one step, and in the budget of every task above.
//! 3. **guard**: what no policy overrides. Everything and the agent's blueprint running, agent active and not cut off, task
//!    active, proof and task not over, the person approved and is active; the tool is declared, the agent user (presented, or
//!    to be shaped like) is the agent's own, the arguments are what the tool declares, the scope covers them, the person may do
//!    it themselves, the budget has room.
//! 4. **policies**: Cedar's, compiled, and of those the ones that can matter for this tool, agent and resource. Any
//!    evaluation error denies, since Cedar skips a policy that errs, and a skipped `forbid` would open the door. What is
//!    refused without the agent user is refused with it. What is refused, and would be permitted with a human's approval,
//!    is held.
//! 5. **hold**: where scope, class or policies want people, the approvals of exactly this action, of as many as the scope says,
//!    consumed once, all or none. What is held takes a place among the requests of the errand, of which there are few: beyond
//!    them it is denied. What a person said no to is refused. See [`approvals`](super::approvals).
//! 6. **record**: three lanes into the sink, and its acknowledgement.
//! 7. **permit** or denial. Any refusal gives the place in the budget back.
//!
//! What no book of the task has, and the decision takes as given, is asked before: whether the agent's breaker lets the action
//! through, and whether the person on whose behalf it is may do it themselves.
//!
//! No lock is held while the sink, what knows of people, the clock, the source of randomness, the memory of approvals or a signer runs; a panic of theirs
//! is a fault like any other, and denies.
//!
//! [`redeem`](crate::TaskHandle::redeem) and [`mint`](crate::TaskHandle::mint) look at everything that can have changed
//! since: the task's, agent's, operator's life, time, the policies' digest, and the arguments that are about to run. Minting
//! looks once more when the credential is signed, for the key may be far away: record, sign, look, spend. What fails on the way
//! leaves a void permit and no credential.
//!
//! # From task to another system's key
//!
//! [`lease`](crate::TaskHandle::lease) is like minting, for a key of another system: it draws the id, records the intent, asks the
//! [`CredentialIssuer`](crate::credential::CredentialIssuer), records what it gave, and looks again. One book at the door has every
//! lease that may be there, and reads at each sweep whether what it rests on stands; no end has to tell it. An entry leaves the
//! book when the other system said that it is gone *and* that was recorded. `complete` and `sweep` ask issuers; `Drop`, `halt` and
//! `begin` ask nobody.
//!
//! # From task to part
//!
//! [`TaskHandle::delegate`](crate::TaskHandle::delegate) makes an assignment with a parent. What it may is decided once, when it
//! begins: its scope is within the parent's. Whether it still may is read at use: its state is its own and that of all above,
//! at most eight, so that ending one cell ends everything below it. Approvals are shared and not copied. See [`delegating`](super::delegating).
//!
//! # From proof to agent
//!
//! A token or certificate is verified by the keys that the host trusts for the trust domain or issuer that it names
//! ([`SpiffeVerifier`](crate::identity::SpiffeVerifier), [`OidcVerifier`](crate::identity::OidcVerifier), `X509Verifier`), and is
//! then a [`BearerProof`](crate::identity::BearerProof): true, and shown by whoever holds it.
//! [`Enrolment`](crate::identity::Enrolment) binds it to a key, over a nonce and the digest of what was signed, and only then is
//! there a [`VerifiedWorkload`](crate::identity::VerifiedWorkload), which the registry may know as an active agent. No key speaks for two
//! trust domains or issuers, no verifier for two environments, and no key is taken from a token.
//!
//! # From policy to program
//!
//! Cedar parses, validates and says what policies mean; nothing of that is done again here. At load each policy's public
//! syntax tree becomes a small program: checks of attributes against constants first, then steps of a machine without
//! recursion ([`Compiled`](crate::policy::compiled::Compiled)). At a decision, programs look at the facts where they are:
//! no copy, no `Context`, no `Entities`, no allocation. A policy with a node that the compiler does not know is evaluated
//! by Cedar itself, and [`Evaluator::report`](crate::policy::Evaluator::report) names it.
//!
//! Validation looks at a policy only under the actions that can tell something of it, with the same verdict; a policy whose
//! text was checked before, under the same schema, is not looked at again.
//!
//! # Administering
//!
//! The registry changes by one [`Change`](crate::identity::Change) at a time. The door asks
//! [`Administration`](crate::policy::Administration) whether this person may do this [`AdminAction`](crate::policy::AdminAction), and
//! records it: a halt, a suspension, an offboarding or a lost role first takes effect and is then recorded; a new role, a
//! registration or a reinstatement is recorded first, and where something else came before it, recorded as not done. Those
//! policies are compiled like the others and know nothing of tools, so that they decide nothing of what agents do; what
//! they do not permit, and what any of them fails at, is refused.
//!
//! Decisions do not read the registry. An [`AgentIdentity`](crate::identity::AgentIdentity) hangs on its agent's cell and on
//! a chain of sponsors that grows at its end: stopping flips the cell, and a transfer is seen at the end of the chain,
//! without a lock. An agent that comes back has another cell; what hung on the first stays dead.
//!
//! # What always holds
//!
//! 1. An agent user adds no authority.
//! 2. No record, no permit.
//! 3. No permit, no credential; a permit is spent once, by move.
//! 4. There is no third outcome: every fault is a denial with a reason.
//! 5. Deciding is pure: same standing, mandate, ledger, action, policies and time, same verdict, on a thread of any stack.
//!    Only a cross-check, which a host asks for, can make it otherwise.
//! 6. No socket, no file, no runtime, no global state, and no thread that outlives a call: what recurses (loading policies,
//!    explaining, a cross-check) uses one, for a stack of known size.
//! 7. Time and randomness enter through seams; one clock reading per decision.
//! 8. A policy that errs denies.
//! 9. Deny beats ask beats permit.
//! 10. The check of a budget and its booking are one step.
//! 11. Revocation is state that is read at use; nothing walks lists on the hot path.
//! 12. Secrets are not `Serialize`, not in `Debug`, not in a record; a denial's `Display` is safe to show to a model.
//! 13. A caller cannot supply the principal, the time, the policies, or consent.
//! 14. Nothing dead comes back with a restart: tasks of earlier processes are unknown, and approval tokens from before
//!     the start are refused unless the host's [`Once`](crate::mandate::Once) remembers.
//! 15. Administration takes a person's session, is decided by policies in which only people are principals, and is
//!     recorded. What takes something away takes effect before it is recorded; what gives something, after.
//! 16. Digests of arguments that leave the process are keyed with a salt of the task.
//! 17. A credential is no wider than its permit: [`Authorizer::accept`](crate::Authorizer::accept) uses it up for exactly
//!     the tool, resource and arguments that were permitted. A service elsewhere sees tool, resource and bound arguments.
//! 18. What a bearer can show admits nobody before it is bound to a key that they prove to have; what is said of people proves
//!     no workload, and the other way round.
//!
//! 19. An agent user's record elsewhere follows its agent and never leads it: *active* is derived, and what another system
//!     makes of the record is [`Drift`](crate::identity::projection::Drift), which is reported and changes nothing.
//! 20. A handle is one party's, in whatever case: a person's, or one agent's, and then in a namespace for agents.
//!
//! 21. Along a chain of agents authority only shrinks: scope, depth, time, budget and life of a part are within its task's, and
//!     only what a human said to be delegable is delegated.
//! 22. No lease without a recorded intent; what may be at another system is held, revoked or known as owed, after a crash too.
//!
//! 23. A tool's output lends no trust: only a value at a place that the scope names is a target, and free text never is.
//!
//! # Seams that a host implements
//!
//! | seam | what it does | what comes with the crate |
//! |---|---|---|
//! | [`AuditSink`](crate::audit::AuditSink) | takes records | [`MemorySink`](crate::audit::MemorySink), [`FanOut`](crate::audit::FanOut), [`TracingTap`](crate::audit::TracingTap) |
//! | [`IdentityVerifier`](crate::identity::IdentityVerifier) | verifies a workload's proof | [`KeyPossession`](crate::identity::KeyPossession) |
//! | [`Entitlement`](crate::mandate::Entitlement) | knows what people may do themselves | [`Entitlements`](crate::policy::Entitlements), Cedar policies about people |
//! | [`Once`](crate::mandate::Once) | remembers which approvals were used | [`MemoryOnce`](crate::mandate::MemoryOnce) |
//! | [`RevocationView`](crate::credential::RevocationView) | knows what was revoked | [`RevocationSet`](crate::credential::RevocationSet), from signed lists |
//! | [`Signer`](crate::credential::Signer) | signs credentials with a key that is elsewhere | keys in this process ([`MintKey`](crate::credential::MintKey)) |
//! | [`CredentialIssuer`](crate::credential::CredentialIssuer) | issues and revokes other systems' credentials | examples: `lease_postgres`, `lease_command` |
//! | [`Clock`](crate::time::Clock) | tells the time | [`SystemClock`](crate::time::SystemClock), [`ManualClock`](crate::time::ManualClock) |
//! | [`Entropy`](crate::entropy::Entropy) | draws randomness | [`SystemEntropy`](crate::entropy::SystemEntropy) |
//!
//! # Where a change belongs
//!
//! | change | file |
//! |---|---|
//! | a new ground for refusal | `policy/reason_code.rs`, `policy/reason.rs`, then `policy/guard.rs` or a policy |
//! | when to try again, and who is told what | `policy/retry.rs`, `policy/reason_code.rs`, `audit/rendering.rs` |
//! | what counts as the same refusal | `mandate/refusals.rs` |
//! | what hides a tool, and what is offered | `policy/hiding.rs`, `policy/offer.rs` |
//! | what counts as another tool | `mandate/capability.rs`, and of a listing `policy/mcp.rs` |
//! | what raises the class of a call | `mandate/raise.rs` |
//! | a new fact that policies can use | `policy/agent.cedarschema`, `policy/facts.rs`, `policy/compiled/name.rs` |
//! | what is known of groups and resources | `policy/directory.rs` |
//! | what can be replaced while agents run | `policy/bundle.rs` |
//! | what people may do to agents and to each other | `policy/admin_action.rs`, `policy/administration.cedar`, then `administration.rs` at the door |
//! | a role in an agent's life | `identity/registry/roles.rs`, `accountability.rs` at the door |
//! | what a change of the registry does | `identity/registry/entries.rs` |
//! | what is kept of the registry | `identity/registry/snapshot.rs` |
//! | what a review shows | `review.rs` |
//! | what people may do themselves | `policy/entitlements.rs`; when that is asked `entitling.rs` at the door |
//! | what stops together | `identity/registry/blueprints.rs`, `administration.rs` at the door |
//! | when an agent is cut off | `mandate/breaker.rs`; which refusals count `policy/sign.rs` |
//! | what is counted of an agent across tasks | `mandate/conduct.rs`, `mandate/ceiling.rs`, `watching.rs` at the door |
//! | an operator of Cedar's | `policy/compiled/compile.rs`, `policy/compiled/program.rs` |
//! | what an argument can be held to | `mandate/constraints.rs` and `mandate/broken.rs`, then `policy/json_schema.rs` |
//! | a type whose values are taken apart | `mandate/typed/`, then `policy/typed.rs` and `policy/schema.rs` |
//! | what an argument can be bound to | `mandate/bound.rs`, `mandate/prefix.rs`, `mandate/source.rs` |
//! | what counts as a trusted value | `mandate/noted.rs` |
//! | a new kind of workload proof | a new file in `identity/`, beside `svid.rs` |
//! | a platform's claims | `identity/selector.rs` |
//! | who a provider's token is about | `identity/id_token.rs` |
//! | an algorithm, or what a key must be | `jose/algorithm.rs`, `jose/key.rs`, `jose/jwk.rs` |
//! | which handles are for agents | `identity/namespace.rs` |
//! | what other systems are shown of an agent user | `identity/projection/scim.rs`, `userinfo.rs` |
//! | what counts as drift of a record elsewhere | `identity/projection/drift.rs` |
//! | who did what another system saw | `audit/attribution.rs` |
//! | how many people approve an action, and which | `mandate/quorum.rs` |
//! | the life of a request to people | `mandate/approval_request.rs`; how many there may be `mandate/requests.rs`; at the door `asking.rs` |
//! | what an approvals service seals | `mandate/approval_token.rs`, `credential/approval_sealer.rs` |
//! | what an approval can cover | `mandate/scope.rs`, and of one tool `mandate/grant.rs` |
//! | what a task can use up | `mandate/budget.rs` |
//! | what counts as drift | `mandate/drift.rs`; what follows from it, `mandate/watch.rs` |
//! | what an agent can pass on | `delegation.rs` at the door, `mandate/scope.rs` |
//! | what is shown of it elsewhere | `credential/passing.rs`, then `credential/lineage.rs` |
//! | a field of the record | `audit/record.rs` |
//! | the claims of a credential | `credential/token.rs`; in the other convention `credential/projected.rs` |
//! | what a service believes | `credential/reader.rs`, `credential/verifier.rs`, `credential/consent.rs` |
//! | what is dead before its end, for others | `revocations.rs` at the door, `mandate/issued.rs`, `credential/revocation.rs` |
//! | which keys sign credentials, and which verify them | `credential/key_ring.rs`; keys elsewhere `credential/signer.rs` |
//! | what a DPoP proof says, and what is asked of one | `credential/dpop.rs`, `credential/dpop_verifier.rs`; URIs `credential/http_uri.rs` |
//! | what happens to credentials of other systems | `leasing.rs` at the door, `credential/leases.rs`, `audit/lease.rs` |
//! | what happens when a task ends | `task.rs`, `door.rs`, `audit/trail.rs` |
//! | what authors of tests are given | `testing/` |
//! | a bound on policy text | `policy/text.rs` |
