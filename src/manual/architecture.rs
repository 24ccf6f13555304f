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
//!    ground             id · time · entropy · secret · canonical · json · jose · live
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
//! 2. **reserve**: a place in the ledger's budget, checked and booked in one step.
//! 3. **guard**: what no policy overrides. Everything running, agent active, task active, proof and task not over, the
//!    person approved and is active; the tool is declared, the agent user is the agent's own, the arguments are what the
//!    tool declares, the scope covers them, the budget has room.
//! 4. **policies**: Cedar's, compiled, and of those the ones that can matter for this tool, agent and resource. Any
//!    evaluation error denies, since Cedar skips a policy that errs, and a skipped `forbid` would open the door. What is
//!    refused without the agent user is refused with it. What is refused, and would be permitted with a human's approval,
//!    is held.
//! 5. **hold**: where scope, class or policies want a human, the approval of exactly this action, consumed once.
//! 6. **record**: three lanes into the sink, and its acknowledgement.
//! 7. **permit** or denial. Any refusal gives the place in the budget back.
//!
//! No lock is held while the sink, the clock, the source of randomness or the memory of approvals runs; a panic of theirs
//! is a fault like any other, and denies.
//!
//! [`redeem`](crate::TaskHandle::redeem) and [`mint`](crate::TaskHandle::mint) look at everything that can have changed
//! since: the task's, agent's, operator's life, time, the policies' digest, and the arguments that are about to run.
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
//! 15. Administration takes a person's session and is recorded; stopping takes effect before it is recorded.
//! 16. Digests of arguments that leave the process are keyed with a salt of the task.
//! 17. A credential is no wider than its permit: [`Authorizer::accept`](crate::Authorizer::accept) uses it up for exactly
//!     the tool, resource and arguments that were permitted. A service elsewhere sees tool and resource only.
//! 18. What a bearer can show admits nobody before it is bound to a key that they prove to have; what is said of people proves
//!     no workload, and the other way round.
//!
//! # Seams that a host implements
//!
//! | seam | what it does | what comes with the crate |
//! |---|---|---|
//! | [`AuditSink`](crate::audit::AuditSink) | takes records | [`MemorySink`](crate::audit::MemorySink), [`FanOut`](crate::audit::FanOut), [`TracingTap`](crate::audit::TracingTap) |
//! | [`IdentityVerifier`](crate::identity::IdentityVerifier) | verifies a workload's proof | [`KeyPossession`](crate::identity::KeyPossession) |
//! | [`Once`](crate::mandate::Once) | remembers which approvals were used | [`MemoryOnce`](crate::mandate::MemoryOnce) |
//! | [`Clock`](crate::time::Clock) | tells the time | [`SystemClock`](crate::time::SystemClock), [`ManualClock`](crate::time::ManualClock) |
//! | [`Entropy`](crate::entropy::Entropy) | draws randomness | [`SystemEntropy`](crate::entropy::SystemEntropy) |
//!
//! # Where a change belongs
//!
//! | change | file |
//! |---|---|
//! | a new ground for refusal | `policy/verdict.rs` (`Reason`), then `policy/guard.rs` or a policy |
//! | a new fact that policies can use | `policy/agent.cedarschema`, `policy/facts.rs`, `policy/compiled/name.rs` |
//! | what is known of groups and resources | `policy/directory.rs` |
//! | what can be replaced while agents run | `policy/bundle.rs` |
//! | an operator of Cedar's | `policy/compiled/compile.rs`, `policy/compiled/program.rs` |
//! | what an argument can be held to | `mandate/constraints.rs` and `mandate/broken.rs`, then `policy/json_schema.rs` |
//! | a new kind of workload proof | a new file in `identity/` |
//! | which algorithms and keys of others are verified with | `jose/algorithm.rs`, `jose/key.rs`, `jose/jwk.rs` |
//! | what tells a person's token from a workload's | `identity/id_token.rs` |
//! | which claims alone select nobody | `identity/selector.rs` |
//! | what an approval can cover | `mandate/scope.rs` |
//! | a field of the record | `audit/record.rs` |
//! | the claims of a credential | `credential/token.rs` |
//! | what happens when a task ends | `task.rs`, `door.rs`, `audit/trail.rs` |
//! | what authors of tests are given | `testing/` |
//! | a bound on policy text | `policy/text.rs` |
