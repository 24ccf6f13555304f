//! What people may do themselves: an agent with wide rights that serves a person with narrow ones gets the narrow ones.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bailiwick::audit::{Administered, AgentFact, Decided, OperatorFact};
use bailiwick::id::Found;
use bailiwick::identity::OperatorSession;
use bailiwick::mandate::{
    Action, ActionClass, Approval, Arguments, Deed, Entitled, Entitlement, Grant, Intent, Mandate, NotEntitled,
    Resource, Scope,
};
use bailiwick::policy::{Directory, Entitlements, Outcome, PolicyError, ReasonCode};
use bailiwick::{Digest, Error, Task};
use proptest::prelude::*;

use crate::golden::{self, Table};
use crate::steps::{alone, code, on_behalf, step};
use crate::world::{OPEN, World, args, audience, catalog, operator, scope, session, ticket};

/// Ada reads, closes and pays up to a sum; everybody in support reads.
const NARROW: &str = r#"
@id("support-reads") permit(principal in Team::"support", action in Action::"any read", resource)
when { resource.kind == "ticket" };
@id("ada-closes") permit(
  principal == HumanOperator::"https://idp.acme.example#ada", action == Action::"ticket.close", resource
);
@id("treasury-pays") permit(principal in Team::"treasury", action == Action::"money.send", resource)
when { context.class == "external_commitment" && context.args.amount.lessThanOrEqual(decimal("10.0")) };
@id("nobody-pays-eve") forbid(principal, action == Action::"money.send", resource)
when { context.args.recipient == "eve" };
"#;

fn teams() -> Directory {
    let team = |name: &str| name.parse().expect("a team");
    Directory::new()
        .operator(&operator("ada"), [team("treasury")])
        .operator(&operator("bob"), [team("support")])
        .team(team("treasury"), [team("support")])
}

fn narrow() -> Arc<Entitlements> {
    Arc::new(Entitlements::new(catalog(), NARROW, teams()).expect("entitlements"))
}

/// A world in which agents may do everything, and people little.
pub(crate) fn world() -> World {
    World::built(OPEN, |builder| builder.entitlement(narrow()))
}

/// Everything, for whomever and alone, without further approvals.
fn wide() -> Scope {
    let tools = ["ticket.read", "web.fetch", "ticket.close", "ticket.purge", "money.send", "role.grant"];
    let grant = |scope: Scope, tool: &str| scope.allow(tool, Grant::new().autonomous().preapproved());
    tools.into_iter().try_fold(Scope::new(), grant).expect("tool names")
}

/// A task that both approved.
fn task_of_both(world: &World) -> Task {
    let mandate = world.mandate(wide()).approved(Approval::by(&world.bob, wide()));
    world.door.begin(mandate).expect("a task")
}

fn decided(world: &World) -> Decided {
    let facts = world.sink.events().into_iter().filter_map(|event| match event.agent?.fact {
        AgentFact::Decided(decided) => Some(*decided),
        _ => None,
    });
    facts.last().expect("a decision")
}

const HEAD: &str = "\
# What an agent that may do everything may do for whom. Ada is in the treasury, which is part of support; Bob is in support.
# Written by `UPDATE_GOLDEN=1 cargo test entitlements`.
";

#[test]
fn a_wide_agent_gets_the_narrow_rights_of_whom_it_serves() {
    let world = world();
    let task = task_of_both(&world);
    let paid = |to: &str, amount: &str| args(&format!(r#"{{"recipient": "{to}", "amount": {amount}}}"#));
    let page = Resource::new("page", "p").expect("a resource");
    let rows: [(&str, &str, Resource, Arguments); 8] = [
        ("ticket.read a ticket", "ticket.read", ticket(), Arguments::none()),
        ("ticket.read a page", "ticket.read", page, Arguments::none()),
        ("ticket.close", "ticket.close", ticket(), Arguments::none()),
        ("ticket.purge", "ticket.purge", ticket(), Arguments::none()),
        ("money.send 10 to joe", "money.send", ticket(), paid("joe", "10")),
        ("money.send 10.01 to joe", "money.send", ticket(), paid("joe", "10.01")),
        ("money.send 1 to eve", "money.send", ticket(), paid("eve", "1")),
        ("role.grant", "role.grant", ticket(), Arguments::none()),
    ];
    let mut table = Table::new("Entitlements", &["the agent", "alone", "for ada", "for bob"]);
    for (name, tool, resource, arguments) in rows {
        let answer = |behalf: Option<&OperatorSession>| {
            let action = step(behalf, tool, &resource).with(arguments.clone());
            match task.authorize(&action) {
                Ok(_) => "permitted".to_owned(),
                Err(denial) => match decided(&world).standing.entitlement {
                    Entitled::No { why, .. } => format!("{}: {why}", denial.code().as_str()),
                    other => format!("{}: {other:?}", denial.code().as_str()),
                },
            }
        };
        table.row(name, [answer(None), answer(Some(&world.ada)), answer(Some(&world.bob))]);
    }
    golden::compare("entitlements.txt", &format!("{HEAD}\n{}", table.render()));
}

#[test]
fn the_record_says_what_decided_and_the_model_learns_nothing_of_it() {
    let world = world();
    let by = narrow().digest();
    let task = task_of_both(&world);
    assert!(task.authorize(&on_behalf(&world.ada, "ticket.close")).is_ok());
    assert_eq!(decided(&world).standing.entitlement, Entitled::Yes { by });
    let denial = task.authorize(&on_behalf(&world.bob, "ticket.close")).expect_err("a denial");
    assert_eq!(denial.code(), ReasonCode::NotEntitled);
    assert!(denial.for_operator().to_string().contains(operator("bob").as_str()), "{}", denial.for_operator());
    let told = denial.to_string();
    assert!(!told.contains("bob") && !told.contains("permits"), "{told}");
    let why = Found::new("no policy permits it");
    assert_eq!(decided(&world).standing.entitlement, Entitled::No { by, why });
    assert!(!denial.is_held(), "no approval lifts it");
    assert!(task.authorize(&alone("ticket.close")).is_ok());
    assert_eq!(decided(&world).standing.entitlement, Entitled::NotAsked);

    let without = World::new(OPEN);
    let task = without.task(wide());
    assert!(
        task.authorize(&on_behalf(&without.ada, "role.grant")).is_ok(),
        "as it is where nobody decides about people"
    );
    assert_eq!(decided(&without).standing.entitlement, Entitled::NotAsked);
}

#[test]
fn what_would_be_said_is_what_is_said() {
    let world = world();
    let task = task_of_both(&world);
    for (person, outcome) in [(&world.ada, Outcome::Permitted), (&world.bob, Outcome::Denied)] {
        let action = on_behalf(person, "ticket.close");
        assert_eq!(task.verdict(&action).expect("a verdict").outcome, outcome);
        let explained = task.explain(&action).expect("an explanation").to_string();
        assert_eq!(explained.contains("not entitled"), outcome == Outcome::Denied, "{explained}");
    }
}

#[test]
fn what_one_person_approved_covers_nothing_that_another_asked() {
    let world = World::built(OPEN, |builder| builder.entitlement(Arc::new(Everybody::default())));
    let purge = Scope::new().allow("ticket.purge", Grant::new().autonomous()).expect("a tool name");
    let mandate = world.mandate(purge.clone()).approved(Approval::by(&world.bob, purge));
    let task = world.door.begin(mandate).expect("a task");
    let people = [&world.ada, &world.bob];
    for (asked, approves) in [(0, 1), (1, 0)] {
        let action = on_behalf(people[asked], "ticket.purge");
        let approval = Approval::by(people[approves], task.request(&action));
        assert_eq!(code(task.authorize(&action.approved(approval))), Some(ReasonCode::ApprovalInvalid));
    }
    let action = on_behalf(people[0], "ticket.purge");
    // Nor what one approved of their own errand: the other's, and the agent's own, are other actions.
    for other in [on_behalf(people[1], "ticket.purge"), alone("ticket.purge")] {
        let approval = Approval::by(people[0], task.request(&action));
        assert_eq!(code(task.authorize(&other.approved(approval))), Some(ReasonCode::ApprovalInvalid));
    }
    let approval = Approval::by(people[0], task.request(&action));
    assert_eq!(code(task.authorize(&action.approved(approval))), None);
}

#[test]
fn a_credential_of_one_mode_is_good_for_nothing_in_another() {
    let world = World::built(OPEN, |builder| builder.entitlement(Arc::new(Everybody::default())));
    let task = task_of_both(&world);
    let errands = [alone("ticket.close"), on_behalf(&world.ada, "ticket.close"), on_behalf(&world.bob, "ticket.close")];
    for (place, own) in errands.iter().enumerate() {
        let permit = task.authorize(own).expect("a permit");
        assert_eq!(permit.action().mode(), own.mode());
        let credential = task.mint(permit, &audience()).expect("a credential");
        let token = credential.expose();
        for (elsewhere, other) in errands.iter().enumerate().filter(|(elsewhere, _)| *elsewhere != place) {
            let verified = world.door.verify(token, &audience()).expect("a good credential");
            assert_eq!(verified.mode(), own.mode(), "verified or not, it is of its own mode");
            assert!(world.door.accept(token, &audience(), other).is_err(), "{place} as {elsewhere}");
        }
        assert!(world.door.accept(token, &audience(), own).is_ok(), "{place}: no wrong use has used it up");
    }
}

#[test]
fn what_is_withdrawn_is_withdrawn_from_the_next_use_on() {
    let entitlements = narrow();
    let world = World::built(OPEN, |builder| builder.entitlement(entitlements.clone()));
    let task = task_of_both(&world);
    let close = on_behalf(&world.ada, "ticket.close");
    let permit = task.authorize(&close).expect("a permit");
    let unminted = task.authorize(&close).expect("a permit");
    let credential = task.mint(task.authorize(&close).expect("a permit"), &audience()).expect("a credential");
    let (alone, kept) = (task.authorize(&alone("ticket.close")).expect("a permit"), entitlements.digest());

    let refused = world.door.reload_entitlements(&session("eve"), &entitlements, "", teams());
    assert!(matches!(refused, Err(Error::Registry(_))), "{refused:?}");
    let wrong = world.door.reload_entitlements(&world.ada, &entitlements, "@id(\"p\") permit(", teams());
    assert!(matches!(wrong, Err(Error::Policy(_))), "{wrong:?}");
    assert_eq!(entitlements.digest(), kept, "the older stay");

    let digest = world.door.reload_entitlements(&world.ada, &entitlements, "", teams()).expect("others");
    assert_eq!(entitlements.digest(), digest);
    assert_ne!(kept, digest);
    let events = world.sink.events();
    let fact = events.last().and_then(|event| event.operator.as_ref()).map(|record| &record.fact);
    assert_eq!(fact, Some(&OperatorFact::Administered(Administered::Entitlements { digest })));

    let denial = task.redeem(permit, close.arguments()).expect_err("a denial");
    assert_eq!(denial.code(), ReasonCode::NotEntitled);
    assert!(task.mint(unminted, &audience()).is_err());
    assert!(world.door.accept(credential.expose(), &audience(), &close).is_err());
    assert_eq!(code(task.authorize(&close)), Some(ReasonCode::NotEntitled));
    assert!(
        task.redeem(alone, &Arguments::none()).is_ok(),
        "what the agent does alone is no person's to be entitled to"
    );
}

#[test]
fn a_part_for_another_agent_gets_no_more_of_a_person_than_the_task() {
    let world = world();
    let scope = wide().delegable(1).expect("a depth");
    let mandate = world.mandate(scope.clone()).approved(Approval::by(&world.bob, scope));
    let task = world.door.begin(mandate).expect("a task");
    let workload = bailiwick::identity::danger::workload_vouched_by_host(
        world.payer.clone(),
        None,
        crate::world::at(crate::world::START + 3600),
    );
    let payer = world.door.admit(workload).expect("an active agent");
    let part = task.delegate(Mandate::new(payer, Intent::new("close", wide()).expect("a purpose"))).expect("a part");
    assert_eq!(code(part.authorize(&on_behalf(&world.ada, "ticket.close"))), None);
    assert_eq!(code(part.authorize(&on_behalf(&world.bob, "ticket.close"))), Some(ReasonCode::NotEntitled));
}

#[test]
fn who_is_no_person_is_in_no_entitlement() {
    let load = |text: &str| Entitlements::new(catalog(), text, teams()).map(drop).expect_err("a refusal");
    for kind in ["AgentIdentity", "AgentUser"] {
        for text in [
            format!(r#"@id("p") permit(principal is {kind}, action, resource);"#),
            format!(r#"@id("p") permit(principal == {kind}::"a", action, resource);"#),
            format!(r#"@id("p") permit(principal, action, resource) when {{ principal is {kind} }};"#),
            format!(r#"@id("p") forbid(principal, action, resource) unless {{ principal == {kind}::"a" }};"#),
        ] {
            let error = load(&text);
            let seen =
                matches!(&error, PolicyError::Principal { only: "HumanOperator", .. } | PolicyError::Invalid { .. });
            assert!(seen, "{text}: {error:?}");
        }
    }
    for foreign in ["context.task.calls < 3", "context.mode == \"autonomous\"", "context.approved"] {
        let text = format!(r#"@id("p") permit(principal, action, resource) when {{ {foreign} }};"#);
        assert!(matches!(load(&text), PolicyError::Invalid { .. }), "{foreign} is nothing of a person's");
    }
    let template = r#"@id("p") permit(principal == ?principal, action, resource);"#;
    assert!(matches!(load(template), PolicyError::Template(_)));
    assert!(matches!(load("permit(principal, action, resource);"), PolicyError::NoId { .. }));
}

#[test]
fn a_policy_that_fails_refuses() {
    let fails = r#"
        @id("all") permit(principal, action, resource);
        @id("sum") forbid(principal, action == Action::"everything", resource)
        when { context.args has count && context.args.count + 9223372036854775807 > 0 };
    "#;
    let entitlements = Entitlements::new(catalog(), fails, Directory::new()).expect("entitlements");
    let check = |json: &str| {
        let action = alone("everything").with(args(json));
        entitlements.check(&Deed::of(&operator("ada"), &action, crate::world::at(crate::world::START))).map(drop)
    };
    assert_eq!(check("{}"), Ok(()));
    assert!(matches!(check(r#"{"count": 1}"#), Err(NotEntitled::Refused { .. })));
    assert!(matches!(check(r#"{"count": "one"}"#), Err(NotEntitled::Refused { .. })), "nor what does not fit the tool");
    assert!(matches!(check(r#"{"more": 1}"#), Err(NotEntitled::Refused { .. })));
}

/// Entitles everybody, until told otherwise; counts how often it is asked.
#[derive(Default)]
struct Everybody {
    mood: AtomicU8,
    asked: AtomicUsize,
}

impl Entitlement for Everybody {
    fn check(&self, deed: &Deed<'_>) -> Result<Digest, NotEntitled> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.mood.load(Ordering::SeqCst) {
            0 => Ok(Digest::of(b"everybody")),
            1 => Err(NotEntitled::Unknown(Found::new("the directory is down"))),
            _ => panic!("{} panics", deed.operator),
        }
    }
}

#[test]
fn what_the_host_brings_may_fail_and_panic_and_that_refuses() {
    let seam = Arc::new(Everybody::default());
    let world = World::built(OPEN, |builder| builder.entitlement(seam.clone()));
    let task = task_of_both(&world);
    let close = on_behalf(&world.ada, "ticket.close");
    for mood in [1, 2] {
        let permit = task.authorize(&close).expect("a permit");
        seam.mood.store(mood, Ordering::SeqCst);
        assert_eq!(code(task.authorize(&close)), Some(ReasonCode::NotEntitled));
        assert!(matches!(decided(&world).standing.entitlement, Entitled::Unknown { .. }));
        assert_eq!(task.redeem(permit, close.arguments()).expect_err("a denial").code(), ReasonCode::NotEntitled);
        assert_eq!(code(task.authorize(&alone("ticket.close"))), None, "nobody is asked about what is autonomous");
        seam.mood.store(0, Ordering::SeqCst);
    }
}

#[test]
fn it_is_asked_once_for_a_decision_and_only_about_people_who_approved() {
    let seam = Arc::new(Everybody::default());
    let world = World::built(OPEN, |builder| builder.entitlement(seam.clone()));
    let task = world.task(scope());
    let asked = || seam.asked.swap(0, Ordering::SeqCst);
    let purge = on_behalf(&world.ada, "ticket.purge");
    let approval = Approval::by(&world.ada, task.request(&purge));
    let spent = purge.clone().approved(approval);
    for (what, action, times) in [
        ("for Ada", on_behalf(&world.ada, "ticket.close"), 1),
        ("held", purge, 1),
        ("approved", spent.clone(), 1),
        ("approved by what is spent: decided twice, asked once", spent, 1),
        ("for Bob, who did not approve", on_behalf(&world.bob, "ticket.close"), 0),
        ("alone", alone("ticket.read"), 0),
    ] {
        let _ = task.authorize(&action);
        assert_eq!(asked(), times, "{what}");
    }
    let handle = task.handle();
    drop(task);
    let _ = handle.authorize(&on_behalf(&world.ada, "ticket.close"));
    assert_eq!(asked(), 0, "not once it is over");
}

/// Says when it was asked, and answers when it is told to.
struct Slow {
    asked: Mutex<Sender<()>>,
    answer: Mutex<Receiver<()>>,
}

impl Entitlement for Slow {
    fn check(&self, _: &Deed<'_>) -> Result<Digest, NotEntitled> {
        let _ = self.asked.lock().expect("a lock").send(());
        let _ = self.answer.lock().expect("a lock").recv_timeout(Duration::from_secs(20));
        Ok(Digest::of(b"slow"))
    }
}

#[test]
fn whoever_waits_for_an_answer_keeps_nobody_else_waiting() {
    let ((asked, is_asked), (answer, answered)) = (channel(), channel());
    let slow = Slow { asked: Mutex::new(asked), answer: Mutex::new(answered) };
    let world = World::built(OPEN, |builder| builder.entitlement(Arc::new(slow)));
    let task = task_of_both(&world);
    let close = on_behalf(&world.ada, "ticket.close");
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| code(task.authorize(&close)));
        is_asked.recv().expect("it is asked");
        assert_eq!(code(task.authorize(&alone("ticket.close"))), None, "the same task goes on");
        assert!(world.door.begin(world.mandate(wide())).is_ok(), "others begin");
        let halt = bailiwick::Halt::Task(task.id().clone());
        world.door.halt(&world.bob, halt).expect("and it can be stopped");
        answer.send(()).expect("it waits");
        // The task was active when it was asked; the permit is dead before it can be used.
        let _ = waits.join().expect("no panic");
    });
    assert_eq!(code(task.authorize(&close)), Some(ReasonCode::TaskEnded));
}

/// Entitles by a coin for each tool.
struct Coins(u8);

impl Entitlement for Coins {
    fn check(&self, deed: &Deed<'_>) -> Result<Digest, NotEntitled> {
        let by = Digest::of(&[self.0]);
        let place = deed.tool.as_str().len() % 8;
        if self.0 >> place & 1 == 1 { Ok(by) } else { Err(NotEntitled::Refused { why: Found::new("the coin"), by }) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Whatever is said of people, it only takes away, and nothing of what is autonomous.
    #[test]
    fn an_entitlement_only_takes_away(coins in any::<u8>()) {
        let with = World::built(OPEN, |builder| builder.entitlement(Arc::new(Coins(coins))));
        let without = World::new(OPEN);
        let tasks = [with.task(scope()), without.task(scope())];
        for tool in ["ticket.read", "ticket.close", "ticket.purge", "role.grant", "ticket.fly"] {
            for behalf in [Some(&with.ada), None] {
                let action: Action = step(behalf, tool, &ticket());
                let [with, without] = tasks.each_ref().map(|task| task.verdict(&action).expect("a verdict").outcome);
                prop_assert!(with == without || with == Outcome::Denied && behalf.is_some(), "{} {:?}", tool, behalf);
            }
        }
    }
}

#[test]
fn every_class_is_a_group_of_deeds() {
    let schema = Entitlements::schema(&catalog());
    for class in ActionClass::ALL {
        assert!(schema.contains(&format!(r#"action "any {class}";"#)), "{class}");
    }
    assert!(!schema.contains("AgentIdentity"), "{schema}");
}
