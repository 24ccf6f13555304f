//! Leases: credentials that other systems issue, and what each of those systems can and cannot do.
//!
//! # Write an issuer
//!
//! What is made is named by the lease, so that `revoke` finds it, and is no wider than the permit:
//!
//! ```
//! use std::sync::Arc;
//! use bailiwick::audit::{Effect, Permit};
//! use bailiwick::credential::{CredentialIssuer, Gone, Issued, IssuerError, LeaseError, LeaseRequest};
//! use bailiwick::id::{Audience, LeaseId};
//! use bailiwick::secret::Secret;
//! use bailiwick::{Builder, TaskHandle};
//! # trait Vendor: Send + Sync {
//! #     fn create(&self, name: &str, reads: &str, seconds: u64) -> Result<String, std::io::Error>;
//! #     fn delete(&self, name: &str) -> Result<bool, std::io::Error>;
//! # }
//!
//! /// A vendor whose keys have names.
//! struct Keys(Box<dyn Vendor>);
//!
//! impl CredentialIssuer for Keys {
//!     fn issue(&self, permit: &Permit, request: &LeaseRequest) -> Result<Issued, IssuerError> {
//!         let (name, reads) = (request.id().as_str(), permit.action().resource().name());
//!         let key = self.0.create(name, reads, request.lifetime().as_secs());
//!         // It may have been made nevertheless: not `refused`.
//!         let key = key.map_err(|error| IssuerError::failed(&error.kind().to_string()))?;
//!         Ok(Issued::new(Secret::new(key)).until(request.until()))
//!     }
//!
//!     fn revoke(&self, lease: &LeaseId) -> Result<Gone, IssuerError> {
//!         match self.0.delete(lease.as_str()) {
//!             Ok(there) => Ok(if there { Gone::Revoked } else { Gone::NotFound }),
//!             Err(error) => Err(IssuerError::failed(&error.kind().to_string())),
//!         }
//!     }
//! }
//!
//! fn with_keys(builder: Builder, service: &Audience, vendor: Box<dyn Vendor>) -> Builder {
//!     builder.issuer(service.clone(), Arc::new(Keys(vendor)))
//! }
//!
//! fn run(task: &TaskHandle, permit: Permit, service: &Audience) -> Result<(), LeaseError> {
//!     let lease = task.lease(permit, service)?;
//!     // … the effect, with `lease.expose()` …
//!     task.give_back(lease, Effect::Succeeded)
//! }
//! ```
//!
//! After a crash, before the first task begins:
//!
//! ```
//! use bailiwick::audit::{OpenLeases, UnreadRecord};
//! use bailiwick::{Authorizer, Swept};
//!
//! /// `lines` are the records that were kept, in their order.
//! fn after_a_crash<'l>(door: &Authorizer, lines: impl Iterator<Item = &'l str>) -> Result<Swept, UnreadRecord> {
//!     let mut open = OpenLeases::default();
//!     for line in lines {
//!         open.read(line)?;
//!     }
//!     for not_recovered in door.recover(open.found()) {
//!         eprintln!("{not_recovered}");
//!     }
//!     Ok(door.sweep())
//! }
//! ```
//!
//! # What the seam promises, and what it rests on
//!
//! An issuer has three calls; the rest of this page says what becomes of them at some systems. The words in `typewriter` are
//! theirs.
//!
//! 1. The id of a lease is drawn, and the intent recorded, *before* the issuer is asked. So nothing is made that no record names.
//! 2. `revoke` finds what was made by that id alone, even if the answer was lost. **This is the host's to make true**: by a name,
//!    a tag, or an entry that it keeps. A system that gives out its own ids, and can be asked for nothing else, needs the last.
//! 3. What is not known to be gone is owed: [`Closed::owed`](crate::Closed::owed), [`Swept::owed`](crate::Swept::owed),
//!    [`Authorizer::owed`](crate::Authorizer::owed), and a record at the first failure. It is tried again by every sweep, three times
//!    each. When 4096 leases are open or owed, or 64 of one errand (a task and all its parts), no more are given.
//! 4. Where nobody knows whether the issuer was heard (a lost answer, a crash), *not there* is believed only once the lease
//!    would have ended: until then it is looked for. So hand on [`until`](crate::credential::LeaseRequest::until), not a duration,
//!    where the system takes a moment: a request that it hears too late then makes nothing that is good. Where only time ends
//!    what is issued, say when at the latest ([`latest_end`](crate::credential::CredentialIssuer::latest_end)): a lost answer is owed
//!    until then, and for ever where nobody says.
//! 5. A renewal may be heard, too, when its answer is lost. The lease then ends here when it was to end, and what is revoked of it
//!    is looked for again until the renewal would have ended; what is revoked while its renewal is asked for is revoked again
//!    when the issuer answered.
//! 6. The secret is wiped here when the lease is dropped. What a tool copied, or keeps open, is the tool's and the other system's.
//!
//! A lease is not minted here, so a dead task does not make it dead at once at the other system: between the end and the
//! revocation it works. Complete tasks, or sweep often; choose short lifetimes, which hold when nothing else does.
//!
//! **Other policies** ([`Authorizer::reload`](crate::Authorizer::reload)) end permits and minted credentials, and not leases: the action
//! that a lease was given for is under way at another system. Under other policies no lease is renewed, so each ends after its
//! lifetime at the latest; what must end at once, [halt](crate::Authorizer::halt) and sweep.
//!
//! | | made under our id | ends by itself | revoked one by one | open sessions |
//! |---|---|---|---|---|
//! | PostgreSQL role | the role's name | `VALID UNTIL`, for new sign-ins only | `DROP ROLE` | `pg_terminate_backend` |
//! | Vault dynamic secret | no: `lease_id`, kept by the host | `lease_duration` | `sys/leases/revoke` | what the engine does |
//! | AWS STS session | `RoleSessionName` | 15 minutes or more | no | go on |
//! | GitHub installation token | no | always after one hour | only with the token itself | go on |
//! | git credential helper | no | `password_expiry_utc`, if told | `erase` forgets it locally | go on |
//!
//! # PostgreSQL
//!
//! The example `lease_postgres`. `issue` is one transaction: `CREATE ROLE "lea_…" LOGIN PASSWORD … VALID UNTIL … CONNECTION LIMIT 1`
//! and one `GRANT`. `PASSWORD` takes what the server verifies the password by (`SCRAM-SHA-256$…`): a password in a statement is in the
//! log of every server that logs statements, or those that fail. `revoke` takes `LOGIN` away, terminates the role's backends, and drops what it owns and the role. `VALID UNTIL`
//! ends the *password*: a session that is open goes on after it, and so does a role that signs in otherwise.
//!
//! # HashiCorp Vault and OpenBao
//!
//! `issue` reads a dynamic secret (`database/creds/ROLE`); the answer has `lease_id`, `lease_duration` and `renewable`. Choose the
//! Vault role by the permit's tool and resource: a caller cannot narrow it further.
//!
//! * **Finding it again.** Vault draws `lease_id` itself. Read the secret with a child token of its own
//!   (`auth/token/create` with `metadata` naming our id, `no_default_policy`, `explicit_max_ttl`), and keep the child's `accessor` under our
//!   id before reading: revoking the accessor (`auth/token/revoke-accessor`) revokes every lease below it, whether or not the
//!   answer came. Without that, a crash between asking and answering leaves a secret until its `lease_duration` is over.
//! * **`revoke`**: the accessor, or `sys/leases/revoke`. Without `sync`, Vault queues it and answers before it is done. A backend that
//!   fails is retried by Vault a few times and then marked *irrevocable*: an answer of success is then not the end of it, so look at
//!   `sys/leases/lookup` before saying [`Gone::Revoked`](crate::credential::Gone::Revoked).
//! * **`renew`**: `sys/leases/renew` with an `increment`; Vault may give less, up to `max_ttl`. Say what it gave.
//!
//! # AWS STS, with a session policy
//!
//! `issue` is `AssumeRole` with `DurationSeconds`, `RoleSessionName` and a `Policy`. The rights are the *intersection* of the role's
//! policies and the session policy: write the session policy from the permit, for one action and the ARNs of one resource.
//! `RoleSessionName` has 2 to 64 characters of `[\w+=,.@-]`, so a lease id fits, and CloudTrail shows it beside every call.
//!
//! * **It lives for 900 seconds at least.** Return 900 seconds or more from
//!   [`lifetime`](crate::credential::CredentialIssuer::lifetime), and [refuse](crate::credential::IssuerError::Refused) where the request is
//!   shorter because the task ends; or ask for 900 and say so ([`Issued::until`](crate::credential::Issued::until)): the lease ends here in
//!   time, and the keys there do not. Either way say so from `latest_end`, with a margin for what is heard late.
//! * **`revoke` one session: there is no such call.** What can be done is to deny: a policy on the role that denies everything
//!   where `aws:TokenIssueTime` is before now, which ends *every* session of that role issued so far; or, narrower, a deny by
//!   `aws:userid` (`ROLE-ID:lea_…`), in a policy that is bounded in size and wants cleaning. Both are eventually consistent: seconds may
//!   pass. An issuer that does neither returns [`IssuerError::Unsupported`](crate::credential::IssuerError::Unsupported): the lease is owed,
//!   visibly, until the keys' own end, and then gone. Do not return success for doing nothing.
//! * **`renew`**: none. New keys are a new lease, with a new permit.
//!
//! # GitHub App installation tokens
//!
//! `issue` is `POST /app/installations/ID/access_tokens` with `repositories` and `permissions`, each narrowed to what the permit is
//! about. The token ends after one hour, always; ours ends earlier, so revoking matters.
//!
//! * **`revoke`** is `DELETE /installation/token`, authenticated *by the token itself*. There is no id, and no listing: the issuer has to
//!   keep the token under our id as long as the lease is open, as a [`Secret`](crate::secret::Secret), in memory. After a crash, or after a
//!   lost answer, it cannot be revoked by anybody short of suspending the installation: then
//!   [`Unsupported`](crate::credential::IssuerError::Unsupported) is the honest answer. A 401 for a token that we hold means that it is
//!   gone.
//! * **`renew`**: none.
//!
//! # Programs that print a credential
//!
//! The example `lease_command`. A git helper's `get` and `erase` take the same lines; `erase` makes the helper forget, which revokes
//! nothing at the forge unless the helper does that. An AWS `credential_process` has no second call at all. Run programs with a
//! deadline, kill them and what they started after it, bound what they may print, and never put what they printed into an error.
//! Where `erase` does not say whether there was anything, the answer is [`Gone::NotFound`](crate::credential::Gone::NotFound).
//!
//! # Issuers that wait asynchronously
//!
//! [`intend`](crate::TaskHandle::intend) records; the host awaits the other system with
//! [`IntendedLease::request`](crate::credential::IntendedLease::request) in hand; [`adopt`](crate::TaskHandle::adopt) takes the result over. Drop
//! the [`IntendedLease`](crate::credential::IntendedLease) where the future is cancelled: the lease is then owed. The permit is good for
//! seconds, so what takes longer is refused, and revoked. `revoke` is called without a runtime, by whoever sweeps or completes: do
//! that on a thread that may block.
