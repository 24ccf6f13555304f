//! What authors of tests are given: a world that is the same in every run, assertions, tables.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bailiwick::audit::Effect;
use bailiwick::identity::{ProofMethod, danger};
use bailiwick::mandate::{Action, Approval, ArgumentType, Grant, Intent, Mandate, Resource, Scope};
use bailiwick::policy::ReasonCode;
use bailiwick::testing::{DecisionTable, SetupError, World, assert_deny, assert_held, assert_permit};
use bailiwick::{Error, Halt, Task};

use crate::golden;
use crate::steps::{alone, on_behalf, step};
use crate::world::{args, audience, catalog, scope};

/// Tickets are read and closed, little is paid, what is frozen is not touched.
pub(crate) const POLICIES: &str = r#"
    @id("reads") permit(principal, action in Action::"any read", resource);
    @id("tickets")
    permit(principal, action in [Action::"any read", Action::"any write", Action::"any irreversible"], resource)
    when { resource.kind == "ticket" && principal.attested };
    @id("frozen") @reason("the ticket is under legal hold")
    forbid(principal, action, resource) when { resource.name == "T-1" };
    @id("hands-off") forbid(principal, action == Action::"ticket.close", resource) when { resource.name == "T-1" };
    @id("payments") permit(principal, action == Action::"money.send", resource)
    when { context.approved || context.args.amount.lessThan(decimal("12.0")) };
"#;

pub(crate) fn world() -> World {
    World::new(catalog(), POLICIES).expect("a world")
}

/// Ada's task: tickets are closed for her, and read autonomously too.
pub(crate) fn task(world: &World) -> Task {
    let (triage, ada) = (world.agent("triage").expect("an agent"), world.operator("ada").expect("a person"));
    world.task(&triage, scope(), [&ada]).expect("a task")
}

pub(crate) fn frozen(tool: &str) -> Action {
    let frozen = Resource::new("ticket", "T-1").expect("a resource");
    step(None, tool, &frozen)
}

/// Everything that draws an id, a key, a salt or a time.
fn a_day() -> String {
    let world = world();
    let (ada, bob) = (world.operator("ada").unwrap(), world.operator("bob").unwrap());
    let task = world.task(&world.agent("triage").unwrap(), scope(), [&ada, &bob]).unwrap();
    let read = task.authorize(&alone("ticket.read")).expect("a permit");
    task.redeem(read, &args("{}")).unwrap().finish(Effect::Succeeded).unwrap();
    world.clock().advance(Duration::from_secs(60));
    let close = task.authorize(&on_behalf(&bob, "ticket.close")).expect("a permit");
    let credential = task.mint(close, &audience()).expect("a credential");
    let token = credential.expose().to_owned();
    credential.finish(Effect::Succeeded).unwrap();
    let purge = on_behalf(&ada, "ticket.purge");
    let request = task.authorize(&purge).expect_err("held").request().expect("what to ask").clone();
    let _unspent = task.authorize(&purge.approved(Approval::by(&ada, request))).expect("a permit");
    task.authorize(&frozen("ticket.read")).expect_err("forbidden");
    task.complete().unwrap();
    world.authorizer().halt(&world.operator(World::SPONSOR).unwrap(), Halt::Everything).unwrap();
    let records = serde_json::to_string_pretty(&world.sink().events()).expect("records");
    format!("{records}\n{token}")
}

#[test]
fn two_runs_of_a_test_keep_the_same_records() {
    let first = a_day();
    assert!(first.matches("\"seq\": ").count() > 15, "{first}");
    assert_eq!(first, a_day());
}

#[test]
fn people_and_agents_come_into_being_when_they_are_named() {
    let world = world();
    let short = world.agent("triage").unwrap();
    assert_eq!(short.id().as_str(), "spiffe://test.example/agent/triage");
    assert_eq!((short.method(), short.sponsor().subject().as_str()), (ProofMethod::HostKey, "sponsor"));
    let whole = world.agent("spiffe://acme.example/agent/payer").unwrap();
    assert_eq!(whole.id().as_str(), "spiffe://acme.example/agent/payer");
    let operator = |name: &str| world.operator(name).unwrap().operator().id().to_string();
    assert_eq!(operator("ada"), "https://idp.test.example#ada");
    assert_eq!(operator("https://idp.acme.example#bob"), "https://idp.acme.example#bob");
    for name in ["", "two words", "http://idp.acme.example#ada", "https://idp.acme.example#"] {
        assert!(matches!(world.operator(name), Err(SetupError::Id(_))), "{name:?}");
    }
    assert!(matches!(world.agent("two words"), Err(SetupError::Id(_))));
    assert!(matches!(World::new(catalog(), "permit(principal);"), Err(SetupError::Policy(_))));
}

#[test]
fn a_session_is_the_same_while_it_lasts() {
    let world = world();
    let hours = |hours: u64| world.clock().advance(Duration::from_secs(hours * 3600));
    let ada = || world.operator("ada").unwrap();
    let first = ada();
    hours(7);
    assert_eq!(ada().signed_in(), first.signed_in());
    hours(1);
    assert_eq!(ada().signed_in(), first.until(), "signed in anew");
    // Agents prove themselves anew whenever they are named.
    let scope = Scope::new().allow("ticket.read", Grant::new().autonomous()).unwrap();
    assert_permit!(world.task(&world.agent("triage").unwrap(), scope, [&ada()]).unwrap(), alone("ticket.read"));
}

#[test]
fn what_the_door_refuses_a_world_refuses() {
    let world = world();
    let (triage, sponsor) = (world.agent("triage").unwrap(), world.operator(World::SPONSOR).unwrap());
    assert!(matches!(world.task(&triage, scope(), []), Err(SetupError::Door(Error::Mandate(_)))), "nobody approved");
    world.authorizer().halt(&sponsor, Halt::Agent(triage.id().clone())).unwrap();
    assert!(matches!(world.agent("triage"), Err(SetupError::Door(Error::Registry(_)))), "suspended");
    // What a world has no word for goes by its door.
    world
        .registry()
        .register(
            bailiwick::identity::AgentId::spiffe("spiffe://a.example/b").unwrap(),
            [sponsor.operator().id().clone()],
        )
        .unwrap();
    let vouched = danger::workload_vouched_by_host("spiffe://a.example/b".parse().unwrap(), None, sponsor.until());
    let mandate = Mandate::new(world.authorizer().admit(vouched).unwrap(), Intent::new("see", scope()).unwrap());
    let task = world.authorizer().begin(mandate.approved_by(&sponsor)).unwrap();
    assert_permit!(task, alone("ticket.read"));
    assert_deny!(task, on_behalf(&sponsor, "ticket.close"), reason = ReasonCode::NotPermitted);
}

#[test]
fn assertions_hold_where_they_are_true() {
    let world = world();
    let (task, ada) = (task(&world), world.operator("ada").unwrap());
    let before = world.sink().events().len();
    assert_permit!(task, alone("ticket.read"));
    assert_permit!(task.handle(), &on_behalf(&ada, "ticket.close"));
    assert_held!(task, on_behalf(&ada, "ticket.purge"));
    assert_deny!(task, alone("ticket.close"));
    assert_deny!(task, alone("ticket.close"), reason = ReasonCode::OutOfScope);
    assert_deny!(task, alone("ticket.close"), by = []);
    assert_deny!(task, frozen("ticket.read"), by = ["frozen"]);
    assert_deny!(&task, &frozen("ticket.read"), reason = ReasonCode::Forbidden, by = ["frozen"],);
    let mine = step(Some(&ada), "ticket.purge", frozen("ticket.purge").resource());
    assert_deny!(task, mine, by = ["frozen"]);
    assert_eq!(world.sink().events().len(), before, "nothing is recorded");
}

thread_local! {
    /// Whether this thread looks where it panics, and where it did.
    static PLACE: RefCell<Option<Option<(String, u32)>>> = const { RefCell::new(None) };
}

/// What an assertion says when it fails, and in which line.
fn failure(assertion: impl FnOnce()) -> (String, u32) {
    PLACE.replace(Some(None));
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion holds");
    let message = panic.downcast_ref::<String>().expect("a message").clone();
    let (file, line) = PLACE.take().flatten().expect("a place");
    assert_eq!(file, file!());
    (message, line)
}

/// From now on threads can look where they panic.
fn look() {
    let earlier = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let looks = PLACE.with_borrow_mut(|place| {
            let looks = place.is_some();
            *place = place.take().map(|_| panic.location().map(|at| (at.file().to_owned(), at.line())));
            looks
        });
        if !looks {
            earlier(panic);
        }
    }));
}

#[test]
fn an_assertion_that_fails_says_what_disagreed_and_where() {
    look();
    let world = world();
    let (task, ada) = (task(&world), world.operator("ada").unwrap());
    let (read, purge) = (alone("ticket.read"), on_behalf(&ada, "ticket.purge"));
    let close = step(Some(&ada), "ticket.close", frozen("ticket.close").resource());
    let failures = [
        (line!(), failure(|| assert_permit!(task, alone("ticket.close")))),
        (line!(), failure(|| assert_permit!(task, frozen("ticket.read")))),
        (line!(), failure(|| assert_permit!(task, purge))),
        (line!(), failure(|| assert_held!(task, read))),
        (line!(), failure(|| assert_held!(task, alone("ticket.close")))),
        (line!(), failure(|| assert_deny!(task, read))),
        (line!(), failure(|| assert_deny!(task, purge))),
        (line!(), failure(|| assert_deny!(task, alone("ticket.close"), reason = ReasonCode::Forbidden))),
        (line!(), failure(|| assert_deny!(task, frozen("ticket.read"), by = ["hands-off", "frozen"]))),
        (line!(), failure(|| assert_deny!(task, close, reason = ReasonCode::Budget, by = []))),
        (line!(), failure(|| assert_deny!(task, read, reason = ReasonCode::Forbidden, by = ["frozen"]))),
    ];
    let mut said = String::new();
    for (line, (message, place)) in failures {
        assert_eq!(place, line, "{message}");
        said.push_str(&format!("{message}\n\n"));
    }
    golden::compare("assertions.txt", &said);
}

#[test]
fn a_table_shows_what_every_agent_may_do_on_whose_errand() {
    let owner = ("owner".parse().unwrap(), ArgumentType::Text);
    let world = World::new(catalog().resource_attribute(owner.0, owner.1).unwrap(), POLICIES).unwrap();
    let [ada, bob] = ["ada", "https://idp.acme.example#bob"].map(|name| world.operator(name).unwrap());
    let tasks = [
        world.task(&world.agent("triage").unwrap(), scope(), [&ada, &bob]).unwrap(),
        world.task(&world.agent("payer").unwrap(), scope(), [&ada]).unwrap(),
    ];
    let known = Resource::new("ticket", "T-7").unwrap();
    let told = |action: Action| action.of_resource(args(r#"{"owner": "ada"}"#));
    let table = DecisionTable::new(&tasks)
        .example(alone("ticket.read"))
        .example(on_behalf(&bob, "ticket.read"))
        .example(frozen("ticket.read"))
        .example(told(step(None, "ticket.read", &known)))
        .example(alone("ticket.close").with(args(r#"{"reason": "stale"}"#)))
        .example(alone("ticket.close").with(args(r#"{"reason": [1, "a \"b\"", null, {"c": true}]}"#)))
        .example(alone("ticket.purge"))
        .example(alone("money.send").with(args(r#"{"recipient": "GB29NWBK60161331926819", "amount": 11.50}"#)))
        .example(alone("money.send").with(args(r#"{"recipient": "GB29NWBK60161331926819", "amount": 13}"#)))
        .example(alone("ticket.burn"));
    let before = world.sink().events().len();
    let shown = table.to_string();
    assert_eq!(shown, table.to_string());
    assert_eq!(world.sink().events().len(), before, "nothing is recorded");
    drop(tasks);
    let ended = table.to_string();
    assert_eq!(ended.matches("✗ task_ended").count(), 2 * 10 * 3, "{ended}");
    golden::compare("decision_table.txt", &shown);
}

#[test]
fn two_people_of_one_name_are_told_apart() {
    let world = world();
    let people = ["ada", "https://idp.acme.example#ada"].map(|name| world.operator(name).unwrap());
    let task = world.task(&world.agent("triage").unwrap(), scope(), &people).unwrap();
    let shown = DecisionTable::new([&task]).to_string();
    let head: Vec<&str> =
        shown.lines().next().unwrap().split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(head[3..], ["autonomous", "for https://idp.acme.example#ada", "for https://idp.test.example#ada"]);
}
