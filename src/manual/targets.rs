//! Targets: which values an argument may have, where they come from, and how they are spelt.
//!
//! What an attacker wants of an agent is mostly the permitted tool on another target. So a scope binds targets: it names them,
//! names what they are under, or names the places that the human trusts to give them.
//!
//! # Name them, or what they are under
//!
//! A [`Bound`](crate::mandate::Bound) names values (`one_of`), everything under a [`Prefix`](crate::mandate::Prefix) (`under`: a
//! path, a URL, the addresses of a domain, by whole parts), and limits numbers or amounts of money. Whatever names a value, it
//! keeps to the limits; of a list, each item.
//!
//! ```
//! use bailiwick::mandate::Scope;
//!
//! let scope: Scope = serde_json::from_str(r#"{"tools": {
//!     "file.write": {"where": {"path": {"under": ["/srv/reports"]}}},
//!     "http.get": {"where": {"url": {"under": ["https://api.acme.example/v1"]}}},
//!     "mail.send": {"where": {"to": {"under": ["@acme.example", "@*.acme.example"], "one_of": ["tax@revenue.example"]}}},
//!     "money.send": {"where": {"sum": {"at_most": "12.00", "currency": "EUR"}}}
//! }}"#)?;
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # Trust a place, not a tool
//!
//! Often the target is not known when the task is approved: "refund what my friend sent me". Then a bound names a
//! [`Source`](crate::mandate::Source), a tool and a place in its outputs, and the host hands over what the tool gave back:
//!
//! ```
//! # use bailiwick::{TaskHandle, mandate::{Action, Arguments}};
//! use bailiwick::audit::{Effect, Execution};
//! use bailiwick::mandate::{Bound, Grant, Scope, Source};
//!
//! let who_paid_me = Bound::from_sources([Source::new("get_most_recent_transactions", "/*/sender")?]);
//! let scope = Scope::new()
//!     .allow("get_most_recent_transactions", Grant::new())?
//!     .allow("send_money", Grant::new().bound("recipient", who_paid_me)?.bound("amount", Bound::at_most(10.into()))?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```
//! # use bailiwick::{TaskHandle, audit::{Effect, Execution}};
//! // Once per action that ran, before its effect is told.
//! fn done(task: &TaskHandle, execution: Execution, output: &str) -> Result<(), Box<dyn std::error::Error>> {
//!     task.observe(&execution, output)?;
//!     Ok(execution.finish(Effect::Succeeded)?)
//! }
//! ```
//!
//! Of the output exactly what stands at `/*/sender` may be a recipient from here on. The subject beside it, which a stranger wrote,
//! may not, though it came through the same tool. A source is worth what the system behind it vouches for; ask of each place who can
//! write there:
//!
//! * *Who sent me money*, *channels that there are*, *users of the workspace*: the system's own word. But who sends a cent is a
//!   sender, and who may create channels names them. Limit the amount, the calls, or both.
//! * *The body of a message, the subject of a payment, a file, a web page*: never. A value longer than 256 bytes, of several
//!   lines or with invisible characters is not trusted wherever it stands.
//! * What the agent itself can write with another tool of the scope, and then read back at the place.
//! * Who chooses what is read: the members of *a channel that the agent names* are only as good as that name. Bind it too.
//!
//! Observed is what came of an action of this task that really ran, once. A task and its parts share what they know, each as far
//! as its own scope trusts the same place; they know at most 1024 values, after which nothing more is trusted and
//! [`Observed::left_out`](crate::mandate::Observed) says so. Nothing that is known is forgotten before the whole errand ends.
//! A value is given as the same JSON scalar: `10` is not `"10"`.
//!
//! # Ask in a policy
//!
//! `context.task.provenance` says of each argument that has a value where it comes from: `"scope"` where the scope names it,
//! `"trusted"` where one of the argument's sources gave it (of a list, some items), and `"untrusted"` where anybody may have
//! written it: also where the argument is not bound, or within a limit only. A misspelt argument does not load.
//!
//! ```
//! use bailiwick::mandate::{ActionClass, ArgumentType, Tool};
//! use bailiwick::policy::{Catalog, Evaluator};
//!
//! let send = Tool::new("mail.send".parse()?, ActionClass::ExternalCommitment)
//!     .required("to".parse()?, ArgumentType::Email)?;
//! let evaluator = Evaluator::new(Catalog::new().with(send)?, r#"
//!     @id("mail") permit(principal, action == Action::"mail.send", resource) when { context.mode == "on_behalf_of" };
//!     @id("no-strangers") forbid(principal, action == Action::"mail.send", resource)
//!     when { context.task.provenance.to == "untrusted" && context.args.to.domain != "acme.example" };
//! "#)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The verdict stays a function of what is recorded: the ledger of a decision names the arguments that a source vouched for
//! ([`LedgerView::resolved`](crate::mandate::LedgerView)), never their values.
//!
//! A credential names the value itself. A service elsewhere that checks the person's own approval, or what was passed on to a
//! sub-agent, cannot know what this task observed: it refuses a target that only a source vouches for.
//!
//! # Spell them in one way
//!
//! A tool that declares [`Path`](crate::mandate::Path), [`Url`](crate::mandate::Url), [`Email`](crate::mandate::Email),
//! [`Money`](crate::mandate::Money) or [`Command`](crate::mandate::Command) takes no argument that two systems could read in two ways.
//! Nothing is normalised: what is not spelt as its target system would write it is refused, so that what was decided on is what
//! runs. Bounds read values under a prefix as strictly, whatever the tool declares.
//!
//! | type | refused, among others | policies see |
//! |---|---|---|
//! | `path` | `.`, `..`, `//`, a slash at the end, `\`, encoded or look-alike separators, `~`, drives, NUL | a text |
//! | `url` | upper case, a user, the default port, `0x7f.1`, `127.1`, `[::ffff:127.0.0.1]`, `host.`, letters beyond ASCII, `%2f` and `%2e` in the path, other schemes than https, http, wss, ws | `text`, `scheme`, `host`, `port`, `path`, `private` |
//! | `email` | quotes, comments, two `@`, domains in upper case, of one label, or addresses | `text`, `local`, `domain` |
//! | `money` | `12`, `12 eur`, `1,000 EUR`, less than nothing | `amount`, `currency` |
//! | `command` | a line for a shell, NUL, a program with a space | `program`, `argv` (a set, the program among it) |
//!
//! `private` is true of loopback, link-local, site and shared addresses, of those of clouds' metadata, of IPv6 addresses that stand
//! for such, and of names such as `localhost`, `router` and `metadata.google.internal`. What a public name leads to is known only
//! where it is looked up: a host that fetches looks at the address once more. Nor are symbolic links known here.
//!
//! A tool that a server lists with a text is declared more exactly with [`Tool::typed`](crate::mandate::Tool::typed).
