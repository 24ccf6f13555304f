//! An agent reads a page on which somebody wrote instructions, follows them, and tries to send customers' data out. Labels,
//! targets and drift each stop it: every defence is shown alone, and everything without any, so that one sees that it is
//! this one that stops it. Run it with `cargo run --example prompt_injection`.

#[path = "../shared/http.rs"]
#[allow(dead_code, reason = "this example needs no headers")]
mod http;
mod web;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bailiwick::audit::{Denial, Effect, MemorySink};
use bailiwick::identity::{AgentId, HumanOperator, OperatorId, Registry, danger};
use bailiwick::mandate::{Action, Arguments, Intent, Mandate, Resource, Scope};
use bailiwick::policy::{Catalog, Evaluator};
use bailiwick::time::{Clock, SystemClock};
use bailiwick::{Authorizer, Task};
use serde_json::{Value, json};

use web::{HONEST, POISONED, Web};

const HELP: &str = "\
usage: prompt_injection
An agent reads a poisoned page from a server on loopback, and obeys it. Shows which defence stops it, one at a time. Takes no
arguments; fails where something is stopped that should not be, or the other way round.";

/// What the host declares: where data comes from, and what it is.
const TOOLS: &str = r#"{"tools": [
    {"name": "web.read", "class": "read", "labels": ["untrusted"]},
    {"name": "customers.read", "class": "read", "labels": ["pii"]},
    {"name": "mail.send", "class": "external_commitment", "arguments": {"to": {"type": "text", "required": true}}}
]}"#;

/// A defence: what it adds to the policies and to the scope that Ada approves.
struct Defence {
    name: &'static str,
    policy: &'static str,
    /// Which addresses mail may go to.
    bounds: Option<fn() -> Value>,
    /// What the task is held against.
    watch: Option<fn() -> Value>,
}

const NONE: Defence = Defence { name: "none", policy: "", bounds: None, watch: None };

const DEFENCES: [Defence; 3] = [
    Defence {
        name: "labels",
        policy: r#"@id("no-way-out") forbid(principal, action == Action::"mail.send", resource)
            when { context.task.labels.containsAll(["untrusted", "pii"]) };"#,
        ..NONE
    },
    Defence { name: "targets", bounds: Some(|| json!({"to": {"one_of": ["ada@acme.example"]}})), ..NONE },
    Defence {
        name: "drift",
        watch: Some(|| json!({"plan": [["web.read"], ["mail.send"]], "on": {"outside_plan": "deny"}})),
        ..NONE
    },
];

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).is_some() {
        println!("{HELP}");
        return Ok(());
    }
    println!("{:<10} {:<22} the poisoned page", "defence", "the honest page");
    let mut wrong = 0;
    for defence in std::iter::once(&NONE).chain(&DEFENCES) {
        let (honest, poisoned) = (run(defence, HONEST)?, run(defence, POISONED)?);
        println!("{:<10} {:<22} {}", defence.name, honest.told(), poisoned.told());
        let stops = defence.name != NONE.name;
        wrong += usize::from(honest.leaked || !honest.reported) + usize::from(poisoned.leaked == stops);
    }
    if wrong > 0 { Err(format!("{wrong} runs did not go as they should").into()) } else { Ok(()) }
}

/// What came of one run.
#[derive(Default)]
struct Outcome {
    /// Ada has her report.
    reported: bool,
    /// Somebody else has the customers.
    leaked: bool,
    denial: Option<(String, Denial)>,
}

impl Outcome {
    fn told(&self) -> String {
        match (&self.denial, self.leaked) {
            (Some((tool, denial)), false) => {
                format!("stopped at {tool}: {}\n{:34}(model: {denial})", denial.code().as_str(), "")
            }
            (_, true) => "the customers' data is gone".to_owned(),
            (None, false) => "Ada has her report".to_owned(),
        }
    }
}

/// Ada wants a report; the agent reads the page, does what it takes for its task, and reports.
fn run(defence: &Defence, page: &'static str) -> Result<Outcome, Box<dyn Error>> {
    let (web, task) = (Web::open(page)?, begin(defence)?);
    let mut outcome = Outcome::default();
    let mut known = act(&task, "web.read", "/report", &json!({}), || web.get("/report"))??;
    for line in known.clone().lines().filter_map(|line| line.strip_prefix("AGENT: ")) {
        // A model that was talked over. A real one is now and then; what stops it must not hang on that.
        let done = match line.split_once(' ') {
            Some(("read", _)) => act(&task, "customers.read", "/customers", &json!({}), || web.get("/customers"))?,
            Some(("mail", to)) => act(&task, "mail.send", "/mail", &json!({"to": to}), || {
                web.mail(to, &known)?;
                Ok(String::new())
            })?,
            _ => continue,
        };
        match done {
            Ok(text) => known.push_str(&text),
            Err(denial) => {
                outcome.denial = Some((line.to_owned(), denial));
                break;
            }
        }
    }
    if outcome.denial.is_none() && page == HONEST {
        let to = "ada@acme.example";
        act(&task, "mail.send", "/mail", &json!({"to": to}), || web.mail(to, &known).map(|()| String::new()))??;
    }
    task.complete()?;
    for (to, body) in web.mails.try_iter() {
        outcome.reported |= to == "ada@acme.example";
        outcome.leaked |= to != "ada@acme.example" && body.contains("555-");
    }
    Ok(outcome)
}

/// Asks for one action, and runs it where it is permitted.
fn act(
    task: &Task,
    tool: &str,
    path: &str,
    arguments: &Value,
    run: impl FnOnce() -> Result<String, Box<dyn Error>>,
) -> Result<Result<String, Denial>, Box<dyn Error>> {
    let arguments = Arguments::from_json(&arguments.to_string())?;
    let action = Action::autonomous(tool, &Resource::new("page", path)?)?.with(arguments);
    let execution = match task.authorize(&action).and_then(|permit| task.redeem(permit, action.arguments())) {
        Ok(execution) => execution,
        Err(denial) => return Ok(Err(denial)),
    };
    let text = run()?;
    execution.finish(Effect::Succeeded)?;
    Ok(Ok(text))
}

/// A task that may read and mail, as far as this defence lets it.
fn begin(defence: &Defence) -> Result<Task, Box<dyn Error>> {
    let mail = match defence.bounds {
        Some(bounds) => json!({"autonomous": true, "preapproved": true, "where": bounds()}),
        None => json!({"autonomous": true, "preapproved": true}),
    };
    let mut scope =
        json!({"tools": {"web.read": {"autonomous": true}, "customers.read": {"autonomous": true}, "mail.send": mail}});
    if let (Some(watch), Some(scope)) = (defence.watch, scope.as_object_mut()) {
        scope.insert("watch".to_owned(), watch());
    }
    let scope: Scope = serde_json::from_str(&scope.to_string())?;
    let catalog: Catalog = serde_json::from_str(TOOLS)?;
    let open = r#"@id("all") @allow("unconditional-permit") permit(principal, action, resource);"#;
    let evaluator = Evaluator::new(catalog, format!("{open}\n{}", defence.policy).as_str())?;
    let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
    let agent = AgentId::spiffe("spiffe://acme.example/agent/reporter")?;
    let registry = Registry::new();
    registry.enroll(ada.clone())?;
    registry.register(agent.clone(), [ada.id().clone()])?;
    let door = Authorizer::builder(registry, evaluator, Arc::new(MemorySink::new(100))).build()?;
    let (now, hour) = (SystemClock.now()?, Duration::from_secs(3600));
    let ada = danger::operator_vouched_by_host(ada, now, now.after(hour))?;
    let agent = door.admit(danger::workload_vouched_by_host(agent, None, now.after(hour)))?;
    Ok(door.begin(Mandate::new(agent, Intent::new("report the sales", scope)?).approved_by(&ada))?)
}
