//! A ticket system knows only users. An agent works in it under a record of its own, for Ada and autonomously; somebody
//! meddles with the record; a person asks who did what; the agent is retired. Run it with
//! `cargo run --example legacy_ticketing`.
#![allow(clippy::indexing_slicing, reason = "JSON where there is no such member is null")]

mod desk;
#[path = "../shared/http.rs"]
mod http;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bailiwick::audit::{Behind, Effect, MemorySink, Sighting};
use bailiwick::identity::projection::{
    Accepts, Drift, DriftKind, LegacySurface, ScimId, ScimRequest, ScimUser, Severity, Strategy,
};
use bailiwick::identity::{
    AgentId, AgentUser, AgentUserId, HumanOperator, Namespace, OperatorId, OperatorSession, Registry, danger,
};
use bailiwick::mandate::{Action, ActionClass, Grant, Intent, Mandate, Mode, Resource, Scope, Tool};
use bailiwick::policy::{Catalog, Evaluator};
use bailiwick::time::{Clock, SystemClock, Timestamp};
use bailiwick::{Authorizer, Task};
use serde_json::{Value, json};

use http::Request;

const HELP: &str = "\
usage: legacy_ticketing
A ticket system on loopback knows only SCIM users; an agent works in it and is not taken for a person. Takes no arguments.";

/// The name of the ticket system.
const DESK: &str = "desk.acme.example";

const POLICIES: &str = r#"
    @id("tickets") permit(principal, action in [Action::"ticket.open", Action::"ticket.comment", Action::"ticket.close"], resource)
    when { resource.kind == "ticket" || resource.kind == "queue" };
    @id("own-record") permit(principal, action == Action::"project_as", resource)
    when { resource.kind == "agent_user" };
"#;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).is_some() {
        println!("{HELP}");
        return Ok(());
    }
    let desk = desk::open()?;
    let office = Office::open(desk)?;
    let id = office.provision()?;
    let task = office.work()?;
    office.meddle(&id)?;
    office.ask(&task)?;
    task.complete()?;
    office.retire(&id)
}

/// The host: one person, one agent, the record through which it is seen, and the door.
struct Office {
    desk: SocketAddr,
    registry: Arc<Registry>,
    sink: Arc<MemorySink>,
    door: Authorizer,
    ada: OperatorSession,
    agent: AgentId,
    seen_as: AgentUser,
}

impl Office {
    fn open(desk: SocketAddr) -> Result<Self, Box<dyn Error>> {
        let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
        let agent = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
        let registry = Arc::new(Registry::new());
        registry.enroll(ada.clone())?;
        registry.register(agent.clone(), [ada.id().clone()])?;
        registry.declare(Namespace::suffix(DESK, "-bot")?);
        registry.reserve(&DESK.parse()?, &"ada".parse()?)?;
        // A person's handle is no agent's.
        let posing = registry.bind(&agent, AgentUserId::new(DESK, "ada")?);
        assert!(posing.is_err());
        let seen_as = registry.bind(&agent, AgentUserId::new(DESK, "triage-bot")?)?;
        let tool = |name: &str| Ok::<_, Box<dyn Error>>(Tool::new(name.parse()?, ActionClass::Write));
        let catalog = Catalog::new().with(tool("ticket.open")?)?.with(tool("ticket.comment")?)?;
        let catalog = catalog.with(tool("ticket.close")?)?.with(Tool::project_as())?;
        let sink = Arc::new(MemorySink::new(1_000));
        let evaluator = Evaluator::new(catalog, POLICIES)?;
        let door = Authorizer::builder(Arc::clone(&registry), evaluator, sink.clone()).build()?;
        let now = SystemClock.now()?;
        let ada = danger::operator_vouched_by_host(ada, now, now.after(Duration::from_secs(3600)))?;
        Ok(Self { desk, registry, sink, door, ada, agent, seen_as })
    }

    /// The record is made in the ticket system, which is asked for nothing that is a person's.
    fn provision(&self) -> Result<ScimId, Box<dyn Error>> {
        let surface = LegacySurface::new(DESK.parse()?, [Accepts::Record, Accepts::Person]);
        let strategy = surface.strategy(&self.registry);
        assert_eq!(strategy, Strategy::Record);
        println!("{DESK} wants {strategy}.");
        let (status, made) = self.scim(&self.projected()?.create())?;
        assert_eq!(status, 201);
        println!("It keeps: {} ({}), active: {}.\n", made["displayName"], made["userType"], made["active"]);
        Ok(ScimId::new(made["id"].as_str().unwrap_or_default())?)
    }

    /// The agent obtains a session that is shaped like its record, and works under it.
    fn work(&self) -> Result<Task, Box<dyn Error>> {
        let now = SystemClock.now()?;
        let proven = danger::workload_vouched_by_host(self.agent.clone(), None, now.after(Duration::from_secs(3600)));
        let scope = Scope::new()
            .allow("project_as", Grant::new().preapproved())?
            .allow("ticket.open", Grant::new().autonomous())?
            .allow("ticket.comment", Grant::new())?
            .allow("ticket.close", Grant::new().autonomous())?;
        let intent = Intent::new("answer and close what came in overnight", scope)?;
        let task = self.door.begin(Mandate::new(self.door.admit(proven)?, intent).approved_by(&self.ada))?;

        let for_ada = || Mode::OnBehalfOf(self.ada.operator().id().clone());
        let project = Action::project_as(for_ada(), &self.seen_as);
        let name = json!({ "userName": self.seen_as.id().handle() });
        let session = self.run(&task, project, "/sessions", (None, name))?["session"].clone();
        let session = session.as_str().map(str::to_owned);

        // On behalf of Ada: ticket 7 is opened, answered and closed. Autonomously: ticket 8 is opened and closed.
        let queue = Resource::new("queue", "support")?;
        let step = |tool: &str, on: &Resource, alone: bool| {
            let made = if alone { Action::autonomous(tool, on) } else { Action::on_behalf_of(&self.ada, tool, on) };
            made.map(|action| action.presenting(&self.seen_as))
        };
        for (number, alone) in [(7, false), (8, true)] {
            let with = || (session.clone(), Value::Null);
            let opened = self.run(&task, step("ticket.open", &queue, alone)?, "/tickets", with())?;
            assert_eq!(opened["ticket"], number);
            let ticket = Resource::new("ticket", &number.to_string())?;
            if !alone {
                self.run(
                    &task,
                    step("ticket.comment", &ticket, alone)?,
                    &format!("/tickets/{number}/commented"),
                    with(),
                )?;
            }
            self.run(&task, step("ticket.close", &ticket, alone)?, &format!("/tickets/{number}/closed"), with())?;
        }
        // To comment on its own is not in what Ada approved.
        let denied = task.authorize(&step("ticket.comment", &queue, true)?);
        println!("It may not do everything: {}\n", denied.err().ok_or("a denial")?);
        Ok(task)
    }

    /// One action: asked, done, and its effect told.
    fn run(
        &self,
        task: &Task,
        action: Action,
        path: &str,
        (session, body): (Option<String>, Value),
    ) -> Result<Value, Box<dyn Error>> {
        let permit = task.authorize(&action)?;
        let running = task.redeem(permit, action.arguments())?;
        let headers = session.map(|session| ("Session".to_owned(), session)).into_iter().collect();
        let request = Request { method: "POST".to_owned(), path: path.to_owned(), headers, body };
        let (status, answer) = http::send(self.desk, &request)?;
        let done = (200..300).contains(&status);
        running.finish(if done { Effect::Succeeded } else { Effect::Failed })?;
        println!("{} {} ({}): {status}", action.tool(), action.resource(), action.mode().as_str());
        if done { Ok(answer) } else { Err(format!("{path}: {status} {answer}").into()) }
    }

    /// An administrator of the ticket system gives the record a role and a face. Here nothing changes but the account.
    fn meddle(&self, id: &ScimId) -> Result<(), Box<dyn Error>> {
        self.patch_as_mallory(
            id,
            &json!([
                { "op": "add", "path": "roles", "value": [{ "value": "administrator" }] },
                { "op": "replace", "path": "displayName", "value": "Trish Bott" },
            ]),
        )?;
        let drift = self.last_change()?;
        let found: Vec<_> = drift.differences().iter().map(|difference| difference.kind).collect();
        assert_eq!(found, [DriftKind::GainedAuthority, DriftKind::Disguised]);
        self.door.drifted(&drift)?;
        println!("Somebody made another of the record: {}", told(&drift));

        let (status, restored) = self.scim(&self.projected()?.replace(id))?;
        assert_eq!((status, &restored["roles"]), (200, &Value::Null));
        assert!(self.projected()?.replaced(&restored.to_string())?.is_none());
        println!("Put right: it is {} again, with no role.\n", restored["displayName"]);
        Ok(())
    }

    /// A person reads the tickets, and asks who that was.
    fn ask(&self, task: &Task) -> Result<(), Box<dyn Error>> {
        let ada = self.ada.operator().id();
        for (number, behind) in [(7, Behind::OnBehalfOf(ada.clone())), (8, Behind::Sponsor(ada.clone()))] {
            let (_, history) = self.call("GET", &format!("/tickets/{number}"), Value::Null)?;
            let closed = history.as_array().and_then(|history| history.last()).ok_or("a history")?;
            assert_eq!(closed["what"], "closed");
            let at: Timestamp = serde_json::from_value(closed["at"].clone())?;
            let user = AgentUserId::new(DESK, closed["user"].as_str().unwrap_or_default())?;
            println!("Who closed ticket {number}? {DESK} says: {user}, at {at}.");
            let sighting = Sighting::new(user, at).on(Resource::new("ticket", &number.to_string())?);
            let found = self.sink.resolve(&sighting);
            let likeliest = found.first().ok_or("somebody")?;
            assert_eq!((&likeliest.agent, &likeliest.task, &likeliest.behind), (&self.agent, task.id(), &behind));
            assert_eq!(likeliest.tool.as_str(), "ticket.close");
            let human = match &likeliest.behind {
                Behind::OnBehalfOf(operator) => format!("on behalf of {operator}"),
                Behind::Sponsor(operator) => format!("autonomously; {operator} answers for it"),
                other => format!("{other:?}"),
            };
            println!("  It was {} in the task {}, {human}.", likeliest.agent, likeliest.task);
        }
        println!();
        Ok(())
    }

    /// The agent ends; its record is inactive at once, and whoever wakes it wakes nobody.
    fn retire(&self, id: &ScimId) -> Result<(), Box<dyn Error>> {
        self.door.retire(&self.ada, &self.agent)?;
        let (status, record) = self.scim(&self.projected()?.set_active(id))?;
        assert_eq!((status, &record["active"]), (200, &json!(false)));
        println!("The agent is retired, and its record is inactive.");

        self.patch_as_mallory(id, &json!([{ "op": "replace", "path": "active", "value": true }]))?;
        let drift = self.last_change()?;
        assert_eq!(drift.severity(), Some(Severity::Critical));
        self.door.drifted(&drift)?;
        let now = SystemClock.now()?;
        let proven = danger::workload_vouched_by_host(self.agent.clone(), None, now.after(Duration::from_secs(60)));
        let refused = self.door.admit(proven).err().ok_or("a refusal")?;
        assert!(!self.projected()?.active());
        let why = refused.source().map(ToString::to_string).unwrap_or_default();
        println!("Somebody wakes the record: {}\nThe agent stays what it is: {why}.", told(&drift));
        Ok(())
    }

    fn projected(&self) -> Result<ScimUser, Box<dyn Error>> {
        Ok(ScimUser::of(&self.registry, &self.seen_as)?)
    }

    /// The last change that the ticket system says somebody made of the record, against what the record should be.
    fn last_change(&self) -> Result<Drift, Box<dyn Error>> {
        let (_, changes) = self.call("GET", "/changes", Value::Null)?;
        let last = changes.as_array().and_then(|changes| changes.last()).ok_or("a change")?;
        assert_eq!((last["by"].as_str(), last["method"].as_str()), (Some("mallory"), Some("PATCH")));
        Ok(self.projected()?.patched(&last["body"].to_string())?)
    }

    fn patch_as_mallory(&self, id: &ScimId, operations: &Value) -> Result<(), Box<dyn Error>> {
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
        let (method, headers) = ("PATCH".to_owned(), vec![("Session".to_owned(), "mallory".to_owned())]);
        let (status, _) = http::send(self.desk, &Request { method, path: format!("/Users/{id}"), headers, body })?;
        assert_eq!(status, 200);
        Ok(())
    }

    fn scim(&self, request: &ScimRequest) -> Result<(u16, Value), Box<dyn Error>> {
        self.call(request.method(), request.path(), serde_json::from_str(request.body())?)
    }

    fn call(&self, method: &str, path: &str, body: Value) -> Result<(u16, Value), Box<dyn Error>> {
        let request = Request { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body };
        Ok(http::send(self.desk, &request)?)
    }
}

/// A report in one line.
fn told(drift: &Drift) -> String {
    let one = |difference: &bailiwick::identity::projection::Difference| {
        let path = difference.path.as_ref().map_or(String::new(), |path| format!(" ({path})"));
        format!("{:?}{path}", difference.kind)
    };
    let severity = drift.severity().map_or(String::new(), |severity| format!("{severity:?}: ").to_lowercase());
    severity + &drift.differences().iter().map(one).collect::<Vec<_>>().join(", ")
}
