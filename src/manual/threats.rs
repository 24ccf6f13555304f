//! The threats: what is defended against, how, and what is not.
//!
//! # Whom we trust
//!
//! * **Not trusted**: the model and whatever it reads; tool arguments and outputs; tokens, proofs and approvals as they
//!   arrive; serialised scopes and catalogues; what an MCP server says of its own tools.
//! * **Half trusted**: the host's code. It may misuse the API, forget to call it, or bring a clock, a sink or a memory that
//!   fails, panics or lies about success.
//! * **Trusted**: the author of the policies, the keys that were registered, the operating system's randomness.
//!
//! # What stands against what
//!
//! | attack | defence |
//! |---|---|
//! | the agent is talked into another target of a permitted tool | scopes bind targets, not only tools ([`Bound`](crate::mandate::Bound)); beyond them: denied, or a human is asked |
//! | the agent calls a step autonomous, to escape a person's narrow rights | the mode is part of every action; the scope lists what may be autonomous, nothing by default |
//! | presenting an agent user to be permitted more | the policies are asked without it first |
//! | an agent or agent user of another registry, or one that was stopped meanwhile | each hangs on a cell of the registry that made it, which is compared |
//! | an agent user is given a person's handle, or one that differs in case | handles are bound within namespaces for agents alone; people's are kept; one handle has one owner |
//! | somebody at the other system wakes, renames or promotes the record of an agent user | its state is its agent's, read when it is shown; what was changed is [`Drift`](crate::identity::projection::Drift), recorded, and changes nothing |
//! | an agent obtains a token shaped like another's user, or a person | [`project_as`](crate::mandate::Action::project_as) takes the agent's own user, as the registry bound it, a scope, a policy and a record |
//! | hostile SCIM messages | bounded, nothing named twice in whatever case, unknown members refused; no value is kept |
//! | an agent user is used as a principal | does not type-check; a policy that names one as principal does not load |
//! | an agent approves its own action | an approval is made from a person's session, a token of a trusted approvals service, or by name in `danger` |
//! | an approval is used twice, for other arguments, or late | bound to task, agent, mode, tool, resource and the digests of arguments and resource attributes; consumed once; ends |
//! | one person approves twice, or what they asked for themselves | distinct people count, of those whom the scope lists, and where it says so none who approved the task |
//! | a request is altered on its way, or consent to one thing shown as consent to another | the decision compares with what is asked, and the scope; a token is about one of both, in closed members |
//! | people are asked until they say yes | few requests at once and in all; a no counts for the whole task |
//! | arguments change between decision and action | [`redeem`](crate::TaskHandle::redeem) compares them |
//! | a permit or a credential outlives its task | both read the task's life at use; a credential also dies when its effect is told or other policies decide |
//! | a bound on a misspelt argument binds nothing | a scope is held against the tools before the task begins |
//! | two actions spend the last of a budget | check and booking are one step under one lock; a sub-agent's step is booked in every budget above as well |
//! | an agent with wide rights does for a person what that person may not | the person's own entitlement is decided too, by policies about people alone, at the decision and at use |
//! | one agent piles up grants over many tasks | each decision sees one task; a ceiling of the host's bounds tasks, tools and class at once; reviews show growth and what is never used |
//! | an agent that tries and tries | a breaker per agent, across its tasks, opens on refusals and on rate |
//! | many agents of one faulty image | they hang on one cell, and are halted together |
//! | an agent delegates more than its task is, to itself, in a circle, deeper or longer than was approved, or to very many | each is refused with the values that disagreed; nothing is delegable unless a human said so |
//! | a sub-agent goes on when the task above has ended, or its agent was stopped | its state is read through all that is above it |
//! | a coordinator uses what it passed on; a chain is spliced, reordered or cut | what is passed on is another kind of token, named by its hash in all that is below |
//! | a policy errs and its `forbid` is skipped | any error denies |
//! | hostile policy text exhausts the stack | bytes, nesting, operators and policies are bounded before parsing |
//! | duplicate JSON members, inexact numbers | refused at any depth, before anything is built |
//! | a token of another kind, key, issuer, audience or algorithm | one `typ` per kind, a closed header, the key picked by `kid` among registered ones and bound to issuer and algorithm |
//! | a stolen SVID, certificate or platform token | it is a [`BearerProof`](crate::identity::BearerProof), which admits nobody without an answer by the key that is pinned, that is in it (a certificate), or that it was bound to first |
//! | the same proof with a second signature that verifies (ECDSA) | proofs are known by what was signed |
//! | a credential stolen on its way, or with the request that it came in | whoever shows it proves the key that it names, for this request and this credential, within a minute and once ([`DpopVerifier`](crate::credential::DpopVerifier)); what was seen is not forgotten while it is good |
//! | a sub-agent's credential without its lineage, or a chain in which something grew | each link is verified, named by its hash below, and within the one above: actions, targets, limits, time, depth, audience, errand |
//! | a credential for one call, shown twice, in two conventions, by two clones, after the clock was set back | counted as one until nobody can honour it |
//! | a list of what is revoked that is old, another issuer's, or cut | signed, good for a minute, never replaced by an older one; without one everything is refused |
//! | a key of the minter's leaks | it is rotated and withdrawn while the door is open; whatever it signed is refused |
//! | a KMS that fails, hangs, panics or signs something else | asked without a lock, after the record; verified before anybody gets the credential; the permit is void then |
//! | whoever holds the key of credentials rewrites the record, or the other way round | [`AuditKey`](crate::audit::AuditKey) and [`MintKey`](crate::credential::MintKey) are different types |
//! | a key smuggled in by a token, a weak key, two keys of one name | keys come from the host alone, and are looked at when they are registered |
//! | a repository, account or service that got a name which another had | selectors match what is never given to somebody else, and one that does not is refused |
//! | staging's workload in production | a verifier takes bundles of its own environment only; no key or root speaks for two trust domains |
//! | an agent's or an agent user's token as a person's sign-in, or the other way round | both verifiers ask whom a token is about |
//! | an unrecorded action | no acknowledgement, no permit; a sink that fails, panics or is late denies |
//! | secrets or arguments in logs and records | secrets have no `Serialize` and a redacted `Debug`; arguments appear as a digest keyed per task |
//! | somebody who may stop agents starts them | stopping and starting are different administrative actions; who may do which is decided by policies about people alone |
//! | a suspended agent comes back by an old proof, an old approval, or a restart | both are for exactly the stop that it stands at; a restored registry knows, and revives nothing |
//! | an agent that nobody answers for any more | the last sponsor's leaving suspends it and is recorded; a transfer is explicit |
//! | one identity is used from two places | another key while a proof holds is recorded, reviewed, and on request refused; proofs without a key tell nothing |
//! | an emergency power is used in silence, or for more | breaking the glass is listed by name, ends within the hour, is recorded with its reason, and only stops and resumes |
//! | the clock is set back | readings never go back; what is over stays over |
//! | a flood of challenges, approvals, credentials, untold effects, records | each is kept within a bound, and denied when that is reached; challenges within one for each agent, so that one does not take the others' room |
//!
//! # What is not defended
//!
//! * **A host that does not ask**, or ignores the answer: complete mediation is the host's.
//! * **Harm inside what was approved**: a message to the right person with the wrong words. Labels and policies can hold
//!   it, a human can be asked; the crate does not read meaning.
//! * **A sink that acknowledges what it did not keep**, and an operator's session that the host vouched for wrongly:
//!   [`danger`](crate::identity::danger) says so by name.
//! * **A proof that was stolen before the workload enrolled**, where its key is not pinned: the thief is first, and the workload
//!   is refused. Revocation of certificates is not looked at; SVIDs are short-lived.
//! * **A stolen credential used in time, where the resource server does not check possession**, or vouches for it by name in
//!   [`danger`](crate::credential::danger).
//! * **A DPoP proof at another process of one service**: each remembers what it has seen itself. Its nonces, or one process for one
//!   agent, help.
//! * **Other arguments at a service elsewhere**: a credential names tool, resource and the values that its scope binds; only the
//!   process that minted it can compare the rest.
//! * **What a system lets a record do** that it made an administrator of: the host is told of the drift, and puts the record
//!   right or does not.
//! * **Handles that look alike** beyond case (`l` and `1`, `-` and `_`): declare a namespace that no person can have.
//! * **Revocation at a service that does not ask**: without a [`RevocationView`](crate::credential::RevocationView) a credential is
//!   good until it ends, five minutes by default; with a [`RevocationSet`](crate::credential::RevocationSet), until the next list is
//!   loaded. A list tells seconds: a process that starts in the second in which another issued says nothing of that second.
//! * **A service whose clock is set back**: only the door's readings never go back. What was used is not usable again.
//! * **An agent that mints very much**: a task has 8 192 credentials that are not over; when more than 32 768 are dead and not over,
//!   the list revokes everything, so that four busy tasks can cost the others theirs.
//! * **Memory disclosure**, a debugger, a compromised kernel. Keys inside `ring` cannot be wiped.
