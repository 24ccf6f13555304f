//! Credentials that a program prints, in the manner of an AWS credential process or of a git credential helper, as leases.
//! Run it with `cargo run --example lease_command`, or with a program of yours:
//!
//! ```sh
//! cargo run --example lease_command -- --erase -- git credential-store --file /tmp/credentials get
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use bailiwick::Authorizer;
use bailiwick::audit::{Effect, MemorySink, Permit};
use bailiwick::credential::{CredentialIssuer, Gone, Issued, IssuerError, Lease, LeaseRequest};
use bailiwick::id::{Audience, LeaseId};
use bailiwick::identity::{AgentId, HumanOperator, OperatorId, OperatorSession, Registry, danger};
use bailiwick::mandate::{Action, ActionClass, Grant, Intent, Mandate, Resource, Scope, Tool};
use bailiwick::policy::{Catalog, Evaluator};
use bailiwick::secret::Secret;
use bailiwick::time::{Clock, SystemClock, Timestamp};
use bailiwick::{Task, TaskHandle};
use serde::Deserialize;

type Failure = Box<dyn Error>;

const HELP: &str = "usage: lease_command [--erase] [--timeout SECONDS] [-- PROGRAM [ARGUMENT...]]

Runs PROGRAM, which prints a credential: JSON with Version, AccessKeyId, SecretAccessKey, SessionToken and Expiration
(an AWS credential_process), or lines key=value with password and password_expiry_utc (a git credential helper). It is told
protocol and host in lines on its standard input, and LEASE_ID and LEASE_SECONDS in its environment.

  --erase            the program can revoke: it is run with `erase` as its last argument in place of `get`
  --timeout SECONDS  it is killed when it runs for longer, 10 unless said otherwise

Without a program, shows how leases come and go with small programs of its own.";

/// What a program may print at most.
const MAX_OUTPUT: u64 = 64 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["--help" | "-h", ..] => {
            println!("{HELP}");
            Ok(())
        }
        ["--pretend", kind, folder, what] => pretend(kind, Path::new(folder), what),
        [] => show(),
        words => match Program::parse(words) {
            Some(program) => run_once(program),
            None => {
                eprintln!("{HELP}");
                return ExitCode::from(2);
            }
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One task with the credential of a program.
fn run_once(program: Program) -> Result<(), Failure> {
    let host = Host::new(program)?;
    let task = host.begin()?;
    let lease = host.lease(&task)?;
    println!("{} until {}: {}", lease.id(), lease.until(), names(lease.expose()));
    let closed = task.complete()?;
    println!("completed: revoked {}, owed {}", closed.revoked, closed.owed);
    host.print_owed();
    Ok(())
}

fn show() -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("lease_command-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let shown = show_in(&folder);
    std::fs::remove_dir_all(&folder)?;
    shown
}

fn show_in(folder: &Path) -> Result<(), Failure> {
    let there = || -> Result<usize, Failure> { Ok(std::fs::read_dir(folder)?.count()) };

    println!("A helper in the manner of git, which can erase:");
    let host = Host::new(Program::pretended("git", folder, true)?)?;
    let task = host.begin()?;
    let lease = host.lease(&task)?;
    println!("  {} until {}: {}", lease.id(), lease.until(), names(lease.expose()));
    assert_eq!(there()?, 1);
    task.give_back(lease, Effect::Succeeded)?;
    assert_eq!(there()?, 0);
    println!("  given back: it is erased");
    let _lease = host.lease(&task)?;
    let closed = task.complete()?;
    assert_eq!((closed.revoked, closed.owed, there()?), (1, 0, 0));
    println!("  completed: the next one is erased too\n");

    println!("A process in the manner of AWS, whose keys cannot be revoked, but end:");
    let host = Host::new(Program::pretended("aws", folder, false)?)?;
    let task = host.begin()?;
    let lease = host.lease(&task)?;
    println!("  {} until {}: {}", lease.id(), lease.until(), names(lease.expose()));
    let closed = task.complete()?;
    assert_eq!((closed.revoked, closed.owed), (0, 1));
    println!("  completed: revoked {}, owed {}", closed.revoked, closed.owed);
    host.print_owed();
    while SystemClock.now()? <= lease.until() {
        thread::sleep(Duration::from_millis(100));
    }
    let swept = host.door.sweep();
    assert_eq!((swept.revoked, swept.owed), (1, 0));
    println!("  after its end, a sweep finds it gone: revoked {}, owed {}\n", swept.revoked, swept.owed);

    println!("A helper that made something and does not come back:");
    let mut program = Program::pretended("slow", folder, true)?;
    program.timeout = Duration::from_secs(1);
    let host = Host::new(program)?;
    let task = host.begin()?;
    let error = host.lease(&task).err().ok_or("it came back")?;
    println!("  no lease: {error}");
    assert_eq!(there()?, 0, "what it made was looked for, and erased");
    // `erase` does not say whether there was anything, and nobody knows whether the helper was heard.
    assert_eq!(host.door.owed().len(), 1);
    println!("  what it had made is erased; until it would have ended, it is owed");
    host.print_owed();
    thread::sleep(Duration::from_secs(4));
    assert!(there()? == 0 || !cfg!(unix), "what it started was not killed with it");
    println!("  what it had started is gone with it\n");

    println!("Helpers that give nothing:");
    for (kind, why) in [("loud", "more than it may print"), ("odd", "no credential"), ("failing", "its exit code")] {
        let host = Host::new(Program::pretended(kind, folder, true)?)?;
        let error = host.lease(&host.begin()?.handle()).err().ok_or("a lease")?;
        println!("  {why}: {error}");
    }
    Ok(())
}

/// The names of what a credential is made of, without the values.
fn names(credential: &str) -> String {
    if let Ok(keys) = serde_json::from_str::<BTreeMap<String, serde::de::IgnoredAny>>(credential) {
        return keys.into_keys().collect::<Vec<_>>().join(", ");
    }
    let names = credential.lines().filter_map(|line| Some(line.split_once('=')?.0));
    names.collect::<Vec<_>>().join(", ")
}

/// A program that prints credentials.
struct Program {
    get: Vec<String>,
    can_erase: bool,
    timeout: Duration,
}

impl Program {
    fn parse(mut words: &[&str]) -> Option<Self> {
        let (mut can_erase, mut timeout) = (false, 10);
        loop {
            words = match words {
                ["--erase", rest @ ..] => {
                    can_erase = true;
                    rest
                }
                ["--timeout", seconds, rest @ ..] => {
                    timeout = seconds.parse().ok()?;
                    rest
                }
                ["--", program @ ..] if !program.is_empty() => {
                    let get = program.iter().map(|word| (*word).to_owned()).collect();
                    return Some(Self::new(get, can_erase, Duration::from_secs(timeout)));
                }
                _ => return None,
            };
        }
    }

    fn new(get: Vec<String>, can_erase: bool, timeout: Duration) -> Self {
        Self { get, can_erase, timeout }
    }

    /// This example, pretending to be one.
    fn pretended(kind: &str, folder: &Path, can_erase: bool) -> Result<Self, Failure> {
        let own = std::env::current_exe()?;
        let words = [own.as_path(), Path::new("--pretend"), Path::new(kind), folder, Path::new("get")];
        let words: Option<Vec<String>> = words.iter().map(|word| word.to_str().map(str::to_owned)).collect();
        Ok(Self::new(words.ok_or("a path that is no text")?, can_erase, Duration::from_secs(10)))
    }

    /// Runs it to its end, or to the end of its time.
    fn run(&self, words: &[String], lease: &LeaseId, input: &str, seconds: u64) -> Result<Secret<String>, IssuerError> {
        let (program, arguments) = words.split_first().ok_or_else(|| IssuerError::refused("there is no program"))?;
        let mut command = Command::new(program);
        // In a group of its own, so that what it starts itself can be killed with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command
            .args(arguments)
            .env("LEASE_ID", lease.as_str())
            .env("LEASE_SECONDS", seconds.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| IssuerError::refused(&format!("it does not start: {}", error.kind())))?;
        let ended = self.talk(&mut child, input);
        if ended.is_err() {
            kill(&mut child);
        }
        ended
    }

    fn talk(&self, child: &mut Child, input: &str) -> Result<Secret<String>, IssuerError> {
        let piped = child.stdin.take().zip(child.stdout.take());
        let (mut to, from) = piped.ok_or_else(|| IssuerError::failed("it cannot be talked to"))?;
        let (sender, receiver) = channel();
        let input = input.to_owned();
        // A program that does not read, or does not stop, holds up this thread and nobody else.
        thread::spawn(move || {
            // A program that needs no input may be gone.
            let _ = to.write_all(input.as_bytes());
            drop(to);
            let mut text = String::with_capacity(MAX_OUTPUT as usize + 1);
            let read = from.take(MAX_OUTPUT + 1).read_to_string(&mut text);
            let _ = sender.send((read.is_ok(), Secret::new(text)));
        });
        let (read, output) =
            receiver.recv_timeout(self.timeout).map_err(|_| IssuerError::failed("it was killed after its time"))?;
        if !read || output.expose().len() as u64 > MAX_OUTPUT {
            return Err(IssuerError::failed("it printed too much, or no text"));
        }
        for _ in 0..100 {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(output),
                Ok(Some(status)) => return Err(IssuerError::failed(&format!("it ended with {status}"))),
                Ok(None) => thread::sleep(Duration::from_millis(10)),
                Err(_) => break,
            }
        }
        Err(IssuerError::failed("it printed and did not end"))
    }
}

/// Kills a program, and on Unix what it started and left in its group, also where it has ended itself. Its group keeps its
/// number as long as somebody is in it; before `wait`, that is at least the program.
fn kill(child: &mut Child) {
    #[cfg(unix)]
    {
        let group = format!("-{}", child.id());
        let mut kill = Command::new("kill");
        kill.args(["-s", "KILL", "--", &group]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Where there is no such command, the program itself is killed below.
        let _ = kill.status();
    }
    // What is killed already is dead as well.
    let _ = child.kill();
    let _ = child.wait();
}

fn asked(resource: &str) -> String {
    format!("protocol=https\nhost={resource}\n\n")
}

impl CredentialIssuer for Program {
    fn issue(&self, permit: &Permit, request: &LeaseRequest) -> Result<Issued, IssuerError> {
        let input = asked(permit.action().resource().name());
        let output = self.run(&self.get, request.id(), &input, request.lifetime().as_secs())?;
        let ends = read(output.expose())?;
        let issued = Issued::new(output);
        Ok(if let Some(ends) = ends { issued.until(ends) } else { issued })
    }

    /// By `erase`, where the program can; else only time ends it. That it ran well does not say whether there was anything to
    /// erase: a lease that was never answered is then looked for until it would have ended.
    fn revoke(&self, lease: &LeaseId) -> Result<Gone, IssuerError> {
        if !self.can_erase {
            return Err(IssuerError::Unsupported);
        }
        let mut erase = self.get.clone();
        erase.pop();
        erase.push("erase".to_owned());
        self.run(&erase, lease, &asked(HOST), 0).map(|_| Gone::NotFound)
    }
}

/// When a credential ends by itself.
fn read(credential: &str) -> Result<Option<Timestamp>, IssuerError> {
    if credential.trim_start().starts_with('{') {
        let keys: Keys<'_> =
            serde_json::from_str(credential).map_err(|_| IssuerError::failed("it printed odd JSON"))?;
        let whole = keys.version == 1 && !keys.id.is_empty() && !keys.secret.is_empty();
        return if whole { Ok(keys.expiration) } else { Err(IssuerError::failed("it printed no keys of version 1")) };
    }
    let lines: BTreeMap<&str, &str> = credential.lines().filter_map(|line| line.split_once('=')).collect();
    if !lines.contains_key("password") {
        return Err(IssuerError::failed("it printed no credential"));
    }
    let Some(ends) = lines.get("password_expiry_utc") else { return Ok(None) };
    let ends = ends.parse().ok().and_then(Timestamp::from_unix);
    ends.map(Some).ok_or_else(|| IssuerError::failed("it printed an odd expiry"))
}

/// What an AWS `credential_process` prints.
#[derive(Deserialize)]
struct Keys<'a> {
    #[serde(rename = "Version")]
    version: u8,
    #[serde(rename = "AccessKeyId")]
    id: &'a str,
    #[serde(rename = "SecretAccessKey")]
    secret: &'a str,
    #[serde(rename = "Expiration", default)]
    expiration: Option<Timestamp>,
}

/// The programs that are run where none is given: each keeps what it issued in a file, named by the lease.
fn pretend(kind: &str, folder: &Path, what: &str) -> Result<(), Failure> {
    let file: PathBuf = folder.join(std::env::var("LEASE_ID")?);
    if what == "erase" {
        // What is not there is erased.
        let _ = std::fs::remove_file(file);
        return Ok(());
    }
    let now = SystemClock.now()?;
    match kind {
        "aws" => println!(
            r#"{{"Version":1,"AccessKeyId":"AKIDEXAMPLE","SecretAccessKey":"wJalr","SessionToken":"t","Expiration":"{}"}}"#,
            now.after(Duration::from_secs(2)),
        ),
        "git" => {
            std::fs::write(file, "")?;
            println!("username=agent\npassword=hunter2\npassword_expiry_utc={}", now.unix() + 3600);
        }
        "slow" => {
            std::fs::write(file, "")?;
            // By a program of its own, which is to be killed with it.
            let words = ["--pretend", "late", folder.to_str().ok_or("a path that is no text")?, "get"];
            Command::new(std::env::current_exe()?).args(words).spawn()?.wait()?;
        }
        "late" => {
            thread::sleep(Duration::from_secs(4));
            std::fs::write(file, "")?;
        }
        "loud" => println!("password={}", "x".repeat(100_000)),
        "failing" => return Err("not today".into()),
        _ => println!("good morning"),
    }
    Ok(())
}

const HOST: &str = "forge.acme.example";

/// A host with one agent, one person, and one tool.
struct Host {
    door: Authorizer,
    ada: OperatorSession,
    agent: AgentId,
    service: Audience,
}

impl Host {
    fn new(program: Program) -> Result<Self, Failure> {
        let (now, hour) = (SystemClock.now()?, Duration::from_secs(3600));
        let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
        let agent = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
        let registry = Registry::new();
        registry.enroll(ada.clone())?;
        registry.register(agent.clone(), [ada.id().clone()])?;
        let catalog = Catalog::new().with(Tool::new("repository.clone".parse()?, ActionClass::Read))?;
        let policies = r#"
            @id("clone") permit(principal, action == Action::"repository.clone", resource) when { resource.kind == "host" };
        "#;
        let service = Audience::new("https://forge.acme.example")?;
        let sink = Arc::new(MemorySink::new(10_000));
        let door = Authorizer::builder(registry, Evaluator::new(catalog, policies)?, sink)
            .issuer(service.clone(), Arc::new(program))
            .build()?;
        let ada = danger::operator_vouched_by_host(ada, now, now.after(hour))?;
        Ok(Self { door, ada, agent, service })
    }

    fn begin(&self) -> Result<Task, Failure> {
        let hour = Duration::from_secs(3600);
        let workload = danger::workload_vouched_by_host(self.agent.clone(), None, SystemClock.now()?.after(hour));
        let scope = Scope::new().allow("repository.clone", Grant::new())?;
        let intent = Intent::new("look at the repository", scope)?;
        Ok(self.door.begin(Mandate::new(self.door.admit(workload)?, intent).approved_by(&self.ada))?)
    }

    fn lease(&self, task: &TaskHandle) -> Result<Lease, Failure> {
        let action = Action::on_behalf_of(&self.ada, "repository.clone", &Resource::new("host", HOST)?)?;
        Ok(task.lease(task.authorize(&action)?, &self.service)?)
    }

    fn print_owed(&self) {
        for owed in self.door.owed() {
            let why = owed.why.map_or(String::new(), |why| why.to_string());
            println!("  {} is owed after {} tries: {why}", owed.lease.lease, owed.tries);
        }
    }
}
