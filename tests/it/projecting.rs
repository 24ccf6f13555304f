//! Obtaining a token that is shaped like an agent user is an action like any other, on the agent's own user alone.

use bailiwick::Task;
use bailiwick::audit::{AgentFact, AgentUserFact, Denial, Effect, Permit};
use bailiwick::identity::{AgentUser, OperatorSession};
use bailiwick::mandate::{Action, ActionClass, Approval, Grant, Mode, Resource, Scope, Tool};
use bailiwick::policy::{Evaluator, ReasonCode};

use crate::steps::{autonomous, code};
use crate::world::{World, catalog};

const POLICIES: &str = r#"
@id("own-record") permit(principal, action == Action::"project_as", resource)
when { resource.kind == "agent_user" && resource.name like "jira.acme.example/*" };
@id("tickets") permit(principal, action == Action::"ticket.read", resource);
"#;

fn world(policies: &str) -> World {
    let catalog = catalog().with(Tool::project_as()).expect("a tool");
    World::under(Evaluator::new(catalog, policies).expect("policies"))
}

fn preapproved() -> Scope {
    Scope::new().allow("project_as", Grant::new().autonomous().preapproved()).expect("a tool name")
}

fn obo(ada: &OperatorSession) -> Mode {
    Mode::OnBehalfOf(ada.operator().id().clone())
}

fn ask(task: &Task, mode: Mode, user: &AgentUser) -> Result<Permit, Denial> {
    task.authorize(&Action::project_as(mode, user))
}

#[test]
fn an_agent_may_be_shaped_like_its_own_user_where_scope_and_policy_say_so() {
    let world = world(POLICIES);
    let task = world.task(preapproved());
    for mode in [Mode::Autonomous, obo(&world.ada)] {
        let action = Action::project_as(mode, &world.triage_bot);
        assert_eq!(action.resource(), &Resource::new("agent_user", "jira.acme.example/triage-bot").unwrap());
        let permit = task.authorize(&action).expect("a permit");
        let event = world.sink.events().pop().expect("an event");
        let AgentFact::Decided(decided) = event.agent.expect("a record").fact else { panic!("a decision") };
        assert_eq!(decided.presented.as_ref(), Some(world.triage_bot.id()));
        assert_eq!(&decided.resource, action.resource());
        let named = event.agent_user.expect("a record");
        assert!(matches!(named.fact, AgentUserFact::Named { tool, .. } if tool.as_str() == "project_as"));
        task.redeem(permit, action.arguments()).expect("an execution").finish(Effect::Succeeded).expect("a record");
    }
}

#[test]
fn nobody_is_shaped_like_another_or_like_what_is_merely_named() {
    let world = world(POLICIES);
    let task = world.task(preapproved());
    let theirs = ask(&task, Mode::Autonomous, &world.payer_bot);
    assert_eq!(code(theirs), Some(ReasonCode::AgentUserNotBound));
    let own = Action::project_as(Mode::Autonomous, &world.triage_bot);
    // Presenting its own does not make another's its own, and the other way round.
    let mixed = [
        Action::project_as(Mode::Autonomous, &world.payer_bot).presenting(&world.triage_bot),
        own.clone().presenting(&world.payer_bot),
    ];
    for action in mixed {
        assert_eq!(code(task.authorize(&action)), Some(ReasonCode::AgentUserNotBound));
    }
    for name in ["jira.acme.example/triage-bot", "jira.acme.example/ada"] {
        let named = Action::autonomous("project_as", &Resource::new("agent_user", name).unwrap()).unwrap();
        for action in [named.clone(), named.presenting(&world.triage_bot)] {
            assert_eq!(code(task.authorize(&action)), Some(ReasonCode::ResourceDiffers), "{name}");
        }
    }
    assert!(task.authorize(&own).is_ok());
}

#[test]
fn it_takes_a_scope_a_policy_and_a_tool() {
    let (with, own) = (world(POLICIES), |world: &World| Action::project_as(Mode::Autonomous, &world.triage_bot));
    let task = with.task(autonomous(&["ticket.read"]));
    assert_eq!(code(task.authorize(&own(&with))), Some(ReasonCode::OutOfScope));
    let for_ada_alone = Scope::new().allow("project_as", Grant::new().preapproved()).expect("a tool name");
    let task = with.task(for_ada_alone);
    assert_eq!(code(task.authorize(&own(&with))), Some(ReasonCode::OutOfScope), "not autonomously");
    assert!(ask(&task, obo(&with.ada), &with.triage_bot).is_ok());

    let without = world(r#"@id("tickets") permit(principal, action == Action::"ticket.read", resource);"#);
    assert_eq!(code(without.task(preapproved()).authorize(&own(&without))), Some(ReasonCode::NotPermitted));

    let bare = World::new(r#"@id("tickets") permit(principal, action == Action::"ticket.read", resource);"#);
    assert_eq!(code(bare.task(autonomous(&["ticket.read"])).authorize(&own(&bare))), Some(ReasonCode::ToolUndeclared));
}

#[test]
fn a_human_is_asked_unless_the_scope_says_otherwise() {
    assert_eq!(Tool::project_as().class(), ActionClass::Privileged);
    let world = world(POLICIES);
    let task = world.task(autonomous(&["project_as"]));
    let action = Action::project_as(Mode::Autonomous, &world.triage_bot);
    let held = task.authorize(&action).expect_err("held");
    let request = held.request().expect("a request").clone();
    assert!(task.authorize(&action.approved(Approval::by(&world.ada, request))).is_ok());
}
