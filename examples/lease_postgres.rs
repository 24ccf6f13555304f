//! A role of PostgreSQL for every task: made when an action is permitted, dropped when the task ends, however it ends.
//!
//! Start a PostgreSQL for it, as any user but root, and run it:
//!
//! ```sh
//! echo secret > /tmp/pg.pw && initdb -D /tmp/pg -U postgres -A scram-sha-256 --pwfile=/tmp/pg.pw
//! pg_ctl -D /tmp/pg -o '-p 5433 -k /tmp' -l /tmp/pg.log -w start
//! DATABASE_URL=postgres://postgres:secret@127.0.0.1:5433/postgres cargo run --example lease_postgres
//! pg_ctl -D /tmp/pg stop
//! ```

use std::error::Error;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bailiwick::audit::{MemorySink, OpenLeases, Permit};
use bailiwick::credential::{CredentialIssuer, Gone, Issued, IssuerError, Lease, LeaseError, LeaseRequest};
use bailiwick::entropy::{Entropy, SystemEntropy};
use bailiwick::id::{Audience, LeaseId};
use bailiwick::identity::{AgentId, HumanOperator, OperatorId, OperatorSession, Registry, danger};
use bailiwick::mandate::{Action, ActionClass, Grant, Intent, Mandate, Resource, Scope, Tool};
use bailiwick::policy::{Catalog, Evaluator};
use bailiwick::secret::Secret;
use bailiwick::time::{Clock, SystemClock, Timestamp};
use bailiwick::{Authorizer, Task};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postgres::{Client, Config, NoTls, error::SqlState};
use ring::{digest, hmac, pbkdf2};

type Failure = Box<dyn Error>;

/// Passwords have 256 bits: more rounds would protect nothing.
const ROUNDS: NonZeroU32 = NonZeroU32::new(4096).unwrap();

const POLICIES: &str = r#"
    @id("tickets") permit(principal, action == Action::"ticket.list", resource) when { resource.kind == "table" };
"#;

const HELP: &str = "usage: DATABASE_URL=postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE lease_postgres

DATABASE_URL says where the PostgreSQL is: others on this machine can see arguments, and so there are none. The user must be
allowed to create roles. Roles sign in by scram-sha-256: the server is told what it verifies passwords by, and no password is in
a statement, or in a log of statements.
To start one, as any user but root:

  echo secret > /tmp/pg.pw
  initdb -D /tmp/pg -U postgres -A scram-sha-256 --pwfile=/tmp/pg.pw
  pg_ctl -D /tmp/pg -o '-p 5433 -k /tmp' -l /tmp/pg.log -w start
  DATABASE_URL=postgres://postgres:secret@127.0.0.1:5433/postgres cargo run --example lease_postgres";

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    if matches!(argument.as_deref(), Some("--help" | "-h")) {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    if argument.is_some() {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    }
    let Ok(url) = std::env::var("DATABASE_URL") else {
        eprintln!("no PostgreSQL was named\n\n{HELP}");
        return ExitCode::from(2);
    };
    let database = match Database::at(&url) {
        Ok(database) => Arc::new(database),
        Err(error) => {
            eprintln!("no PostgreSQL answers there: {error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(&database) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(database: &Arc<Database>) -> Result<(), Failure> {
    let host = Host::new(database)?;

    println!("A task, and a role of its own:");
    let task = host.begin()?;
    let lease = host.lease(&task)?;
    println!("  {} until {}; there are {:?}", lease.id(), lease.until(), database.roles()?);
    let mut session = database.sign_in(lease.id(), lease.expose())?;
    let rows = session.query("SELECT title FROM ticket ORDER BY id", &[])?;
    println!("  the tool reads {} tickets with it", rows.len());
    let beyond = session.execute("DELETE FROM ticket", &[]).err().ok_or("it may delete")?;
    assert_eq!(beyond.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    let second = database.sign_in(lease.id(), lease.expose()).err().ok_or("it may sign in twice")?;
    assert_eq!(second.code(), Some(&SqlState::TOO_MANY_CONNECTIONS));
    println!("  it may not delete, and not sign in a second time");
    let (id, password) = (lease.id().clone(), lease.expose().to_owned());
    let closed = task.complete()?;
    assert_eq!((closed.revoked, closed.owed), (1, 0));
    assert!(session.query("SELECT 1", &[]).is_err(), "its session goes on");
    assert!(database.sign_in(&id, &password).is_err(), "it may still sign in");
    assert!(database.roles()?.is_empty());
    println!("  completed: the role is gone, its session is closed, and nobody signs in with it\n");

    println!("A task whose thread panics:");
    let task = host.begin()?;
    let unwound: Result<(), _> = catch_unwind(AssertUnwindSafe(|| {
        let (_task, _lease) = (&task, host.lease(&task));
        // Unwinds as a panic does, without its message.
        resume_unwind(Box::new("the tool broke"))
    }));
    assert!(unwound.is_err());
    drop(task);
    println!("  there are {:?}", database.roles()?);
    let swept = host.door.sweep();
    println!(
        "  the next sweep revokes {}, and owes {}; there are {:?}\n",
        swept.revoked,
        swept.owed,
        database.roles()?
    );
    assert!(database.roles()?.is_empty());

    println!("A process that crashes while it has a role:");
    let task = host.begin()?;
    let lease = host.lease(&task)?;
    println!("  there are {:?}", database.roles()?);
    std::mem::forget((lease, task));
    let records = host.sink.events().iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    drop(host);

    let next = Host::new(database)?;
    let mut open = OpenLeases::default();
    for line in &records {
        open.read(line)?;
    }
    let open = open.found();
    println!("  the next one finds {} open lease in {} records", open.len(), records.len());
    assert!(next.door.recover(open).is_empty());
    let swept = next.door.sweep();
    println!("  its sweep revokes {}, and owes {}; there are {:?}\n", swept.revoked, swept.owed, database.roles()?);
    assert!(database.roles()?.is_empty());

    println!("An issuer that cannot reach its database while the task ends:");
    let task = next.begin()?;
    let _lease = next.lease(&task)?;
    database.set_reachable(false);
    let closed = task.complete()?;
    println!("  completed: revoked {}, owed {}", closed.revoked, closed.owed);
    for owed in next.door.owed() {
        let why = owed.why.map_or(String::new(), |why| why.to_string());
        println!("  {} is owed after {} tries: {why}", owed.lease.lease, owed.tries);
    }
    database.set_reachable(true);
    let swept = next.door.sweep();
    println!("  the next sweep revokes {}, and owes {}; there are {:?}", swept.revoked, swept.owed, database.roles()?);
    assert!(database.roles()?.is_empty());
    Ok(())
}

/// A database, and the administrator's connection to it.
struct Database {
    config: Config,
    administrator: Mutex<Client>,
    reachable: Mutex<bool>,
}

impl Database {
    /// With a table of tickets.
    fn at(url: &str) -> Result<Self, postgres::Error> {
        let mut config: Config = url.parse()?;
        // No statement waits for ever: whoever completes a task waits for this.
        config.connect_timeout(Duration::from_secs(5)).options("-c statement_timeout=5000 -c lock_timeout=5000");
        let mut administrator = config.connect(NoTls)?;
        administrator.batch_execute(
            "DROP TABLE IF EXISTS ticket;
             CREATE TABLE ticket (id integer PRIMARY KEY, title text NOT NULL);
             INSERT INTO ticket VALUES (41, 'printer on fire'), (42, 'stale');",
        )?;
        Ok(Self { config, administrator: Mutex::new(administrator), reachable: Mutex::new(true) })
    }

    fn set_reachable(&self, reachable: bool) {
        *self.reachable.lock().unwrap_or_else(PoisonError::into_inner) = reachable;
    }

    fn as_administrator<T>(
        &self,
        act: impl FnOnce(&mut Client) -> Result<T, postgres::Error>,
    ) -> Result<T, IssuerError> {
        if !*self.reachable.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(IssuerError::failed("no route to the database"));
        }
        let mut client = self.administrator.lock().unwrap_or_else(PoisonError::into_inner);
        if client.is_closed() {
            *client = self.config.connect(NoTls).map_err(|error| failed(&error))?;
        }
        act(&mut client).map_err(|error| failed(&error))
    }

    /// The roles that are there in our name.
    fn roles(&self) -> Result<Vec<String>, IssuerError> {
        let all = r"SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'lea\_%'";
        self.as_administrator(|client| Ok(client.query(all, &[])?.iter().map(|row| row.get(0)).collect()))
    }

    fn sign_in(&self, role: &LeaseId, password: &str) -> Result<Client, postgres::Error> {
        self.config.clone().user(role.as_str()).password(password).connect(NoTls)
    }
}

/// What PostgreSQL said, by its code: a text may hold what was sent. An error in the statement undoes it; where the
/// connection or the server was lost (classes 08 and 57), nobody knows.
fn failed(error: &postgres::Error) -> IssuerError {
    match error.code() {
        Some(code) if !["08", "57"].iter().any(|class| code.code().starts_with(class)) => {
            IssuerError::refused(&format!("SQLSTATE {}", code.code()))
        }
        Some(code) => IssuerError::failed(&format!("SQLSTATE {}", code.code())),
        None => IssuerError::failed("the connection failed"),
    }
}

impl CredentialIssuer for Database {
    fn lifetime(&self) -> Duration {
        Duration::from_secs(300)
    }

    /// One transaction, so that there is the whole role or none. `VALID UNTIL` ends new sign-ins, even if nobody revokes.
    fn issue(&self, permit: &Permit, request: &LeaseRequest) -> Result<Issued, IssuerError> {
        let password = password()?;
        let (role, table) = (identifier(request.id().as_str())?, identifier(permit.action().resource().name())?);
        // PostgreSQL has no parameters here. What is written into the statement is an id of ours, a name, what verifies
        // a password, and a time, each quoted as the language wants it.
        let statement = Secret::new(format!(
            "BEGIN;
             CREATE ROLE {role} LOGIN PASSWORD {} VALID UNTIL {} CONNECTION LIMIT 1
                 NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT;
             GRANT SELECT ON {table} TO {role};
             COMMIT;",
            literal(verifier(password.expose())?.expose())?,
            literal(&request.until().to_string())?,
        ));
        self.as_administrator(|client| {
            client.batch_execute(statement.expose()).inspect_err(|_| {
                let _ = client.batch_execute("ROLLBACK");
            })
        })?;
        Ok(Issued::new(password).until(request.until()))
    }

    /// Nobody signs in from here on, who is in is thrown out, and the role goes with its rights.
    fn revoke(&self, lease: &LeaseId) -> Result<Gone, IssuerError> {
        let role = identifier(lease.as_str())?;
        self.as_administrator(|client| {
            let there = "SELECT 1 FROM pg_roles WHERE rolname = $1";
            if client.query_opt(there, &[&lease.as_str()])?.is_none() {
                return Ok(Gone::NotFound);
            }
            client.batch_execute(&format!("ALTER ROLE {role} NOLOGIN"))?;
            let close = "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = $1";
            client.query(close, &[&lease.as_str()])?;
            client.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role};"))?;
            Ok(Gone::Revoked)
        })
    }

    fn renew(&self, lease: &LeaseId, until: Timestamp) -> Result<Option<Timestamp>, IssuerError> {
        let statement =
            format!("ALTER ROLE {} VALID UNTIL {}", identifier(lease.as_str())?, literal(&until.to_string())?);
        self.as_administrator(|client| client.batch_execute(&statement))?;
        Ok(Some(until))
    }
}

/// 256 bits, in hexadecimal.
fn password() -> Result<Secret<String>, IssuerError> {
    let mut bits = [0; 32];
    SystemEntropy.fill(&mut bits).map_err(|_| IssuerError::refused("no password could be drawn"))?;
    let mut text = String::with_capacity(64);
    bits.iter().for_each(|byte| text.push_str(&format!("{byte:02x}")));
    Ok(Secret::new(text))
}

/// What the server verifies a password by (RFC 5803). Nobody signs in with it, so it may be in a statement that the server
/// writes into its log.
fn verifier(password: &str) -> Result<Secret<String>, IssuerError> {
    let mut salt = [0; 16];
    SystemEntropy.fill(&mut salt).map_err(|_| IssuerError::refused("no salt could be drawn"))?;
    let mut salted = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, &salt, password.as_bytes(), &mut salted);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let [client, server] = [&b"Client Key"[..], b"Server Key"].map(|name| hmac::sign(&key, name));
    let stored = digest::digest(&digest::SHA256, client.as_ref());
    let [salt, stored, server] = [&salt[..], stored.as_ref(), server.as_ref()].map(|bytes| STANDARD.encode(bytes));
    Ok(Secret::new(format!("SCRAM-SHA-256${ROUNDS}:{salt}${stored}:{server}")))
}

/// A name as SQL writes it. Longer ones would be cut, and then name something else.
fn identifier(name: &str) -> Result<String, IssuerError> {
    if name.is_empty() || name.len() > 63 || name.contains('\0') {
        return Err(IssuerError::refused("not a name of PostgreSQL"));
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

/// A text as SQL writes it; one with a backslash would depend on the server's settings.
fn literal(text: &str) -> Result<String, IssuerError> {
    if text.contains(['\0', '\\']) {
        return Err(IssuerError::refused("not a text for PostgreSQL"));
    }
    Ok(format!("'{}'", text.replace('\'', "''")))
}

/// A host with one agent, one person, and one tool.
struct Host {
    door: Authorizer,
    sink: Arc<MemorySink>,
    ada: OperatorSession,
    agent: AgentId,
    service: Audience,
}

impl Host {
    fn new(database: &Arc<Database>) -> Result<Self, Failure> {
        let (now, hour) = (SystemClock.now()?, Duration::from_secs(3600));
        let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
        let agent = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
        let registry = Registry::new();
        registry.enroll(ada.clone())?;
        registry.register(agent.clone(), [ada.id().clone()])?;
        let catalog = Catalog::new().with(Tool::new("ticket.list".parse()?, ActionClass::Read))?;
        let sink = Arc::new(MemorySink::new(10_000));
        let service = Audience::new("postgres://tickets.acme.example/tickets")?;
        let door = Authorizer::builder(registry, Evaluator::new(catalog, POLICIES)?, sink.clone())
            .issuer(service.clone(), database.clone())
            .build()?;
        let ada = danger::operator_vouched_by_host(ada, now, now.after(hour))?;
        Ok(Self { door, sink, ada, agent, service })
    }

    fn begin(&self) -> Result<Task, Failure> {
        let hour = Duration::from_secs(3600);
        let workload = danger::workload_vouched_by_host(self.agent.clone(), None, SystemClock.now()?.after(hour));
        let scope = Scope::new().allow("ticket.list", Grant::new().at([self.service.clone()]))?;
        let intent = Intent::new("list the open tickets", scope)?;
        Ok(self.door.begin(Mandate::new(self.door.admit(workload)?, intent).approved_by(&self.ada))?)
    }

    /// Asks for leave to list the tickets, and for a role to do it with.
    fn lease(&self, task: &Task) -> Result<Lease, Failure> {
        let action = Action::on_behalf_of(&self.ada, "ticket.list", &Resource::new("table", "ticket")?)?;
        let permit = task.authorize(&action)?;
        match task.lease(permit, &self.service) {
            Err(LeaseError::Issuer(error)) => Err(format!("PostgreSQL gave no role: {error}").into()),
            lease => Ok(lease?),
        }
    }
}
