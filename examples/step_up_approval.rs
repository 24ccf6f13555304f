//! Most of a task needs nobody; one action of it needs a person, who answers in another process: held, shown, sealed, decided
//! afresh. Run it with `cargo run --example step_up_approval`.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bailiwick::audit::{Effect, MemorySink};
use bailiwick::credential::{ApprovalKey, ApprovalSealer};
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::{Audience, Issuer};
use bailiwick::identity::{AgentId, HumanOperator, OperatorId, OperatorSession, Registry, danger};
use bailiwick::jose::{KeySet, VerifyingKey};
use bailiwick::mandate::{
    Action, ActionClass, ApprovalRequest, ApprovalVerifier, ArgumentType, Arguments, Grant, Intent, Mandate, Quorum,
    Resource, Scope, Tool,
};
use bailiwick::policy::{Catalog, Evaluator};
use bailiwick::time::{Clock, SystemClock, Timestamp};
use bailiwick::{Authorizer, Task};
use serde::{Deserialize, Serialize};

#[path = "shared/lanes.rs"]
mod lanes;

type Failure = Box<dyn Error>;

const HELP: &str = "usage: step_up_approval [approve]

Without an argument it is an agent's process. It starts itself once more as an approvals service, which is what `approve` is:
that writes its public key as a line, and answers every line {\"request\", \"arguments\", \"person\", \"answer\": \"yes\"|\"no\"} that it
reads with a line {\"token\"} or {\"error\"}. What it shows to a person is on its standard error.
";

const HOST: &str = "https://authz.acme.example";
const SERVICE: &str = "https://approvals.acme.example";
const PEOPLE: [&str; 3] = ["ada", "bob", "carol"];
const POLICIES: &str = r#"
    @id("payments") permit(principal, action == Action::"money.send", resource) when { resource.kind == "account" };
    @id("invoices") permit(principal, action == Action::"invoice.read", resource) when { resource.kind == "invoice" };
    @id("roles") permit(principal, action == Action::"role.grant", resource) when { resource.kind == "role" };
"#;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => agent(),
        ["approve"] => approve(),
        ["--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("step_up_approval: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// What the service is asked to put before a person. The arguments are beside the request, which has their digest.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    request: ApprovalRequest,
    arguments: String,
    person: String,
    answer: Yes,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Yes {
    Yes,
    No,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Token(String),
    Error(String),
}

// ── The approvals service: another process, with a key of its own ───────────────────────────────────────────────────

fn approve() -> Result<(), Failure> {
    let key = ApprovalKey::generate(&SystemEntropy)?;
    println!("{}", key.public().to_jwk());
    let sealer = ApprovalSealer::new(Issuer::new(SERVICE)?, key, Audience::new(HOST)?);
    for line in io::stdin().lines() {
        let answer = put(&sealer, &line?).map_or_else(|failure| Answer::Error(told(&*failure)), Answer::Token);
        println!("{}", serde_json::to_string(&answer)?);
    }
    Ok(())
}

/// Shows the request to the person, who is signed in here, and seals what they say.
fn put(sealer: &ApprovalSealer, line: &str) -> Result<String, Failure> {
    let Question { mut request, arguments, person, answer } = serde_json::from_str(line)?;
    let now = SystemClock.now()?;
    let session = signed_in(&person, now)?;
    let action = request.action();
    eprintln!("  ┌ {person}, {} asks: {} on {} ({})", action.agent(), action.tool(), action.resource(), action.mode());
    eprintln!("  │ with {arguments}, at step {} of {}; by {}", action.step(), action.task(), request.until());
    let sealed = match answer {
        Yes::Yes => sealer.approve(&mut request, &session, &SystemEntropy, now),
        Yes::No => sealer.deny(&mut request, &session, &SystemEntropy, now),
    };
    let said = if answer == Yes::Yes { "yes" } else { "no" };
    eprintln!("  └ {said}{}", if sealed.is_ok() { "" } else { ", which is not sealed" });
    Ok(sealed?)
}

/// A real service verifies the person's sign-in (`OperatorVerifier`); this one vouches for it.
fn signed_in(person: &str, now: Timestamp) -> Result<OperatorSession, Failure> {
    let person = HumanOperator::new(OperatorId::new("https://idp.acme.example", person)?);
    Ok(danger::operator_vouched_by_host(person, now, now.after(Duration::from_secs(300)))?)
}

/// What went wrong, with its cause.
fn told(failure: &dyn Error) -> String {
    let cause = failure.source().map_or(String::new(), |cause| format!(": {cause}"));
    format!("{failure}{cause}")
}

// ── The agent's process ─────────────────────────────────────────────────────────────────────────────────────────────

/// The service as the agent's process sees it: lines there, lines back, and a key that the host was told to trust.
struct Service {
    process: Child,
    there: ChildStdin,
    back: BufReader<ChildStdout>,
    verifier: ApprovalVerifier,
}

impl Service {
    fn start() -> Result<Self, Failure> {
        let mut service = Command::new(std::env::current_exe()?);
        let mut process = service.arg("approve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (there, back) = process.stdin.take().zip(process.stdout.take()).ok_or("no pipes")?;
        let mut back = BufReader::new(back);
        let mut jwk = String::new();
        back.read_line(&mut jwk)?;
        let keys = KeySet::of(Issuer::new(SERVICE)?, VerifyingKey::from_jwk(jwk.trim())?);
        Ok(Self { process, there, back, verifier: ApprovalVerifier::new(keys, Audience::new(HOST)?) })
    }

    /// The person's answer to a request.
    fn ask(
        &mut self,
        request: &ApprovalRequest,
        arguments: &str,
        person: &str,
        answer: Yes,
    ) -> Result<String, Failure> {
        let (request, arguments, person) = (request.clone(), arguments.to_owned(), person.to_owned());
        let question = Question { request, arguments, person, answer };
        writeln!(self.there, "{}", serde_json::to_string(&question)?)?;
        let mut line = String::new();
        self.back.read_line(&mut line)?;
        match serde_json::from_str(&line)? {
            Answer::Token(token) => Ok(token),
            Answer::Error(error) => Err(error.into()),
        }
    }

    fn stop(self) -> Result<(), Failure> {
        let Self { mut process, there, .. } = self;
        drop(there);
        let status = process.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the approvals service ended with {status}").into()) }
    }
}

/// What happened, in two columns.
#[derive(Default)]
struct Story(Vec<(String, String)>);

impl Story {
    fn tell(&mut self, what: &str, came: impl ToString) {
        self.0.push((what.to_owned(), came.to_string()));
    }
}

fn agent() -> Result<(), Failure> {
    let mut service = Service::start()?;
    let sink = Arc::new(MemorySink::new(1_000));
    let door = door(sink.clone())?;
    let task = begin(&door)?;
    let (mut story, mut told) = (Story::default(), sink.events());
    reads(&task, &mut story)?;
    let after = sink.events().len();
    payment(&task, &mut service, &mut story)?;
    refusal(&task, &mut service, &mut story)?;
    role(&task, &mut service, &mut story)?;
    late(&task, &mut service, &mut story)?;
    service.stop()?;
    task.complete()?;
    let width = story.0.iter().map(|(what, _)| what.chars().count()).max().unwrap_or(0);
    println!("{:<width$}  WHAT CAME OF IT", "STEP");
    for (what, came) in &story.0 {
        println!("{what:<width$}  {came}");
    }
    told.extend(sink.events().into_iter().skip(after));
    println!("\nThe record, without the reading:\n{}", lanes::table(&told));
    Ok(())
}

fn door(sink: Arc<MemorySink>) -> Result<Authorizer, Failure> {
    let registry = Registry::new();
    for person in PEOPLE {
        registry.enroll(HumanOperator::new(OperatorId::new("https://idp.acme.example", person)?))?;
    }
    registry.register(agent_id()?, [OperatorId::new("https://idp.acme.example", "ada")?])?;
    let send = Tool::new("money.send".parse()?, ActionClass::ExternalCommitment);
    let send = send.required("amount".parse()?, ArgumentType::Number)?;
    let catalog = Catalog::new()
        .with(Tool::new("invoice.read".parse()?, ActionClass::Read))?
        .with(send)?
        .with(Tool::new("role.grant".parse()?, ActionClass::Privileged))?;
    Ok(Authorizer::builder(registry, Evaluator::new(catalog, POLICIES)?, sink).build()?)
}

/// What Ada approves once: reading needs nobody, payments need her, roles two others, who have two seconds to answer.
fn begin(door: &Authorizer) -> Result<Task, Failure> {
    let now = SystemClock.now()?;
    let agent = door.admit(danger::workload_vouched_by_host(agent_id()?, None, now.after(Duration::from_secs(600))))?;
    let others = ["bob", "carol"].map(|person| OperatorId::new("https://idp.acme.example", person));
    let others = others.into_iter().collect::<Result<Vec<_>, _>>()?;
    let two = Quorum::of(2)?.among_others(others)?.within(Duration::from_secs(2));
    let scope = Scope::new()
        .allow("invoice.read", Grant::new())?
        .allow("money.send", Grant::new())?
        .allow("role.grant", Grant::new().approved_by(two))?;
    let intent = Intent::new("pay what is due", scope)?;
    Ok(door.begin(Mandate::new(agent, intent).approved_by(&signed_in("ada", now)?))?)
}

/// Fifty times within what was approved: nobody is asked.
fn reads(task: &Task, story: &mut Story) -> Result<(), Failure> {
    for number in 1..=50 {
        let read = for_ada("invoice.read", &Resource::new("invoice", &format!("I-{number}"))?)?;
        task.redeem(task.authorize(&read)?, read.arguments())?.finish(Effect::Succeeded)?;
    }
    story.tell("50 invoices read", "permitted; nobody was asked");
    Ok(())
}

/// Held, answered in the other process, decided afresh, run once, and for nothing else.
fn payment(task: &Task, service: &mut Service, story: &mut Story) -> Result<(), Failure> {
    let pay = pay("250.00")?;
    let mut asked = held(task, &pay, story, "pay 250.00")?;
    let token = service.ask(&asked, r#"{"amount": 250.00}"#, "ada", Yes::Yes)?;
    let approval = || service.verifier.verify(&token, SystemClock.now()?).map_err(Failure::from);
    let state = asked.note(&approval()?, SystemClock.now()?)?;
    story.tell("  Ada answers elsewhere", format!("a task-approval+jwt of {} bytes; {}", token.len(), state.as_str()));
    refused(task, &self::pay("2500.00")?.approved(approval()?), story, "  the same for 2500.00", "approval_invalid")?;
    let approved = pay.clone().approved(approval()?);
    task.redeem(task.authorize(&approved)?, pay.arguments())?.finish(Effect::Succeeded)?;
    story.tell("  for 250.00", "permitted, run");
    refused(task, &pay.approved(approval()?), story, "  a second time", "approval_spent")
}

/// A person says no: the agent is not to ask again.
fn refusal(task: &Task, service: &mut Service, story: &mut Story) -> Result<(), Failure> {
    let pay = pay("999.00")?;
    let asked = held(task, &pay, story, "pay 999.00")?;
    let token = service.ask(&asked, r#"{"amount": 999.00}"#, "ada", Yes::No)?;
    task.object(&service.verifier.verify_objection(&token, SystemClock.now()?)?)?;
    story.tell("  Ada answers elsewhere", "no");
    refused(task, &pay, story, "  asked again", "refused_by_operator")
}

/// Two people other than the one who approved the task.
fn role(task: &Task, service: &mut Service, story: &mut Story) -> Result<(), Failure> {
    let grant = for_ada("role.grant", &Resource::new("role", "auditor")?)?;
    let mut asked = held(task, &grant, story, "grant a role")?;
    let own = service.ask(&asked, "{}", "ada", Yes::Yes).err().ok_or("Ada approved the task, and this as well")?;
    story.tell("  Ada, who approved the task", own);
    let mut action = grant.clone();
    for person in ["bob", "carol"] {
        let token = service.ask(&asked, "{}", person, Yes::Yes)?;
        let now = SystemClock.now()?;
        let approval = service.verifier.verify(&token, now)?;
        let state = asked.note(&approval, now)?;
        story.tell(&format!("  {person} says yes"), state.as_str());
        action = action.approved(approval);
        if person == "bob" {
            let alone = grant.clone().approved(service.verifier.verify(&token, now)?);
            refused(task, &alone, story, "  with one of two", "approvals_too_few")?;
        }
    }
    task.redeem(task.authorize(&action)?, action.arguments())?.finish(Effect::Succeeded)?;
    story.tell("  with both", "permitted, run");
    Ok(())
}

/// Nobody answers in time.
fn late(task: &Task, service: &mut Service, story: &mut Story) -> Result<(), Failure> {
    let grant = for_ada("role.grant", &Resource::new("role", "owner")?)?;
    let asked = held(task, &grant, story, "grant another role")?;
    thread::sleep(Duration::from_millis(2_100));
    let late = service.ask(&asked, "{}", "bob", Yes::Yes).err().ok_or("an answer that came too late was sealed")?;
    story.tell("  Bob answers too late", late);
    Ok(())
}

/// The action is held: what a person is asked, on its way.
fn held(task: &Task, action: &Action, story: &mut Story, what: &str) -> Result<ApprovalRequest, Failure> {
    let denial = task.authorize(action).err().ok_or("permitted without anybody")?;
    let asked = denial.asks().cloned().ok_or_else(|| denial.for_operator().to_string())?;
    let written = serde_json::to_string(&asked)?.len();
    story.tell(what, format!("held ({}): a request of {written} bytes", denial.code().as_str()));
    Ok(asked)
}

fn refused(task: &Task, action: &Action, story: &mut Story, what: &str, code: &str) -> Result<(), Failure> {
    let denial = task.authorize(action).err().ok_or_else(|| format!("permitted:{what}"))?;
    if denial.code().as_str() != code {
        return Err(denial.for_operator().to_string().into());
    }
    story.tell(what, format!("{code}: “{denial}”"));
    Ok(())
}

fn pay(amount: &str) -> Result<Action, Failure> {
    let arguments = Arguments::from_json(&format!(r#"{{"amount": {amount}}}"#))?;
    Ok(for_ada("money.send", &Resource::new("account", "supplier-7")?)?.with(arguments))
}

fn for_ada(tool: &str, resource: &Resource) -> Result<Action, Failure> {
    let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
    Ok(Action::on_behalf_of(&ada, tool, resource)?)
}

fn agent_id() -> Result<AgentId, Failure> {
    Ok(AgentId::spiffe("spiffe://acme.example/agent/payables")?)
}
