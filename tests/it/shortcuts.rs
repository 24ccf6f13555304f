//! Ways around the corridor, each closed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bailiwick::audit::{Ack, AgentFact, AuditSink, Effect, Event, MemorySink};
use bailiwick::credential::MintError;
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::TaskId;
use bailiwick::identity::{AgentUserId, HumanOperator, IdentityVerifier, KeyPossession, Namespace, Registry};
use bailiwick::jose::Flaw;
use bailiwick::mandate::{Action, Approval, Arguments, Bound, Grant, Intent, Mandate, Scope};
use bailiwick::policy::{Evaluator, ReasonCode};
use bailiwick::{Authorizer, Error, Halt};

use crate::world::{HOUR, OPEN, START, World, args, at, audience, catalog, operator, scope, ticket};

fn close(world: &World) -> Action {
    Action::on_behalf_of(&world.ada, "ticket.close", &ticket()).unwrap()
}

#[test]
fn an_approval_that_a_policy_wants_is_asked_for_and_used_once() {
    let world = World::new(r#"@id("asked") permit(principal, action, resource) when { context.approved };"#);
    let task = world.task(scope());
    let held = task.authorize(&close(&world)).expect_err("not approved");
    assert!(held.is_held(), "{}", held.for_operator());
    assert_eq!(held.code(), ReasonCode::NeedsApproval);
    let approved = close(&world).approved(Approval::by(&world.ada, held.request().cloned().unwrap()));
    assert!(task.authorize(&approved).is_ok());
    let again = task.authorize(&approved).expect_err("used");
    assert_eq!((again.code(), again.is_held()), (ReasonCode::ApprovalSpent, true));
}

#[test]
fn a_policy_that_rewards_presenting_an_agent_user_rewards_nothing() {
    let wanted = r#"@id("p") @allow("broad-administration")
        permit(principal, action, resource) when { context has agent_user };"#;
    let unless = r#"@id("all") @allow("unconditional-permit") permit(principal, action, resource);
        @id("f") forbid(principal, action, resource) unless { context has agent_user };"#;
    for policies in [wanted, unless] {
        let world = World::new(policies);
        let task = world.task(scope());
        assert!(task.authorize(&close(&world)).is_err());
        assert!(task.authorize(&close(&world).presenting(&world.triage_bot)).is_err(), "{policies}");
    }
    // However it is spelt, what forbids an agent user is asked.
    for asked in [
        "context has agent_user",
        "context has \"agent_user\"",
        "context has \"agent\\u{5f}user\"",
        "{Var: context has agent_user}.Var",
        "if resource.kind == \"x\" then false else context has agent_user && context.agent_user != AgentUser::\"x/y\"",
    ] {
        let narrowing = format!(
            r#"@id("all") @allow("unconditional-permit") permit(principal, action, resource);
               @id("f") forbid(principal, action, resource) when {{ {asked} }};"#
        );
        let world = World::new(&narrowing);
        let task = world.task(scope());
        assert!(task.authorize(&close(&world)).is_ok());
        assert!(task.authorize(&close(&world).presenting(&world.triage_bot)).is_err(), "{asked}");
    }
}

#[test]
fn nothing_runs_in_a_task_that_is_closed() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let (first, second) = (task.authorize(&close(&world)).unwrap(), task.authorize(&close(&world)).unwrap());
    let handle = task.handle();
    let running = handle.redeem(first, &Arguments::none()).unwrap();
    assert_eq!(task.complete().unwrap().unknown, 1);
    assert!(handle.redeem(second, &Arguments::none()).is_err());
    running.finish(Effect::Succeeded).unwrap();
    let effects = world.sink.events().into_iter().filter_map(|event| match event.agent?.fact {
        AgentFact::Done { effect, .. } => Some(effect),
        _ => None,
    });
    assert_eq!(effects.collect::<Vec<_>>(), [Effect::Unknown, Effect::Succeeded], "told late, and written beside");
}

#[test]
fn a_credential_is_accepted_once_for_exactly_its_action() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let pay = |amount: &str| {
        let json = format!(r#"{{"recipient": "GB29NWBK60161331926819", "amount": {amount}}}"#);
        Action::on_behalf_of(&world.ada, "money.send", &ticket()).unwrap().with(args(&json))
    };
    let key = task.mint(task.authorize(&pay("12.00")).unwrap(), &audience()).unwrap();
    let accept =
        |action: &Action| world.door.accept(key.expose(), &audience(), action).map_err(|refused| refused.flaw());
    assert!(world.door.verify(key.expose(), &audience()).is_ok());
    assert_eq!(accept(&pay("11.99")).unwrap_err(), Flaw::Binding);
    assert_eq!(accept(&close(&world)).unwrap_err(), Flaw::Binding);
    assert!(accept(&pay("12")).is_ok(), "the same number");
    assert_eq!(accept(&pay("12")).unwrap_err(), Flaw::Revoked);

    let key = task.mint(task.authorize(&close(&world)).unwrap(), &audience()).unwrap();
    let token = key.expose().to_owned();
    key.finish(Effect::Succeeded).unwrap();
    assert!(world.door.verify(&token, &audience()).is_err(), "its effect was told");

    let key = task.mint(task.authorize(&close(&world)).unwrap(), &audience()).unwrap();
    world
        .door
        .reload(&world.ada, r#"@id("other") @allow("unconditional-permit") permit(principal, action, resource);"#)
        .unwrap();
    assert_eq!(world.door.verify(key.expose(), &audience()).unwrap_err().flaw(), Flaw::Revoked);
}

#[test]
fn what_rests_on_an_approval_ends_with_it() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let purge = Action::on_behalf_of(&world.ada, "ticket.purge", &ticket()).unwrap();
    let consent = Approval::by(&world.ada, task.request(&purge)).until(at(START + 10));
    let permit = task.authorize(&purge.approved(consent)).unwrap();
    assert_eq!(permit.until(), at(START + 10));
    assert_eq!(task.mint(permit, &audience()).unwrap().until(), at(START + 10));
}

#[test]
fn a_second_task_of_the_same_id_never_was() {
    let world = World::new(OPEN);
    let id = TaskId::draw(&SystemEntropy).unwrap();
    let task = world.door.begin(world.mandate(scope()).named(id.clone())).unwrap();
    let second = world.door.begin(world.mandate(scope()).named(id.clone())).expect_err("the id is taken");
    assert_eq!(second, Error::TaskExists(id.clone()));
    assert!(task.authorize(&close(&world)).is_ok());
    world.door.halt(&world.ada, Halt::Task(id)).unwrap();
    assert!(task.authorize(&close(&world)).is_err());
}

#[test]
fn parties_of_another_registry_are_nobody_here() {
    let (world, other) = (World::new(OPEN), World::new(OPEN));
    let intent = Intent::new("close stale tickets", scope()).unwrap();
    let mandate = Mandate::new(other.agent(), intent).approved_by(&world.ada);
    assert!(matches!(world.door.begin(mandate), Err(Error::Registry(_))), "admitted elsewhere");

    let forged = Registry::new();
    forged.enroll(HumanOperator::new(operator("ada"))).unwrap();
    forged.register(world.triage.clone(), [operator("ada")]).unwrap();
    forged.declare(Namespace::suffix("jira.acme.example", "-bot").unwrap());
    let ceo = forged.bind(&world.triage, AgentUserId::new("jira.acme.example", "ceo-bot").unwrap()).unwrap();
    let task = world.task(scope());
    let denial = task.authorize(&close(&world).presenting(&ceo)).expect_err("bound elsewhere");
    assert_eq!(denial.code(), ReasonCode::AgentUserNotBound);
}

#[test]
fn an_agent_that_was_stopped_begins_nothing() {
    let world = World::new(OPEN);
    let mandate = world.mandate(scope());
    world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).unwrap();
    assert!(matches!(world.door.begin(mandate), Err(Error::Registry(_))));
}

/// Halts a task from within the record of its next credential.
#[derive(Default)]
struct Halting(Mutex<Option<(Authorizer, bailiwick::identity::OperatorSession, TaskId)>>);

impl AuditSink for Halting {
    fn record(&self, event: &Event) -> Ack {
        let minted = event.agent.as_ref().is_some_and(|record| matches!(record.fact, AgentFact::Minted { .. }));
        let armed = if minted { self.0.lock().unwrap().take() } else { None };
        if let Some((door, by, task)) = armed {
            door.halt(&by, Halt::Task(task)).unwrap();
        }
        Ack::taken()
    }
}

#[test]
fn no_credential_is_made_after_a_halt_that_came_while_it_was_recorded() {
    let sink = Arc::new(Halting::default());
    let world = World::recorded_in(OPEN, sink.clone(), Arc::new(MemorySink::new(1)));
    let task = world.task(scope());
    let permit = task.authorize(&close(&world)).unwrap();
    *sink.0.lock().unwrap() = Some((world.door.clone(), world.ada.clone(), task.id().clone()));
    assert!(matches!(task.mint(permit, &audience()), Err(MintError::Denied(_))));
}

#[test]
fn an_effect_that_is_never_told_is_written_down_whenever_the_task_ends() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let running = task.redeem(task.authorize(&close(&world)).unwrap(), &Arguments::none()).unwrap();
    assert_eq!(task.complete().unwrap().unknown, 1, "it still runs when the task ends");
    drop(running);
    let done = world.sink.events().into_iter().filter_map(|event| match event.agent?.fact {
        AgentFact::Done { effect, .. } => Some(effect),
        _ => None,
    });
    assert_eq!(done.collect::<Vec<_>>(), [Effect::Unknown]);
}

#[test]
fn a_challenge_is_over_after_its_minute_whatever_the_answer_says() {
    let world = World::new(OPEN);
    let mut verifier = KeyPossession::new(audience(), Arc::new(SystemEntropy));
    verifier.register(world.triage.clone(), world.key.public()).unwrap();
    let challenge = verifier.challenge(&world.triage, at(START)).unwrap();
    let mut longer = serde_json::to_value(&challenge).unwrap();
    longer["until"] = (START + 80_000).into();
    let longer: bailiwick::identity::Challenge = serde_json::from_value(longer).unwrap();
    let answer = longer.answer(&world.key).expect("an answer");
    assert!(verifier.verify(&answer, at(START).after(Duration::from_secs(1))).is_err(), "another deadline");
    let answer = verifier.challenge(&world.triage, at(START)).unwrap().answer(&world.key).expect("an answer");
    assert!(verifier.verify(&answer, at(START).after(HOUR)).is_err());
}

#[test]
fn a_scope_that_does_not_fit_the_tools_begins_nothing() {
    let world = World::new(OPEN);
    let misspelt = Grant::new().bound("recipients", Bound::one_of(["GB29"]).or_absent()).unwrap();
    for scope in
        [Scope::new().allow("money.send", misspelt).unwrap(), Scope::new().allow("money.sent", Grant::new()).unwrap()]
    {
        assert!(matches!(world.door.begin(world.mandate(scope)), Err(Error::Scope(_))));
    }
}

#[test]
fn what_a_scope_says_is_meant_and_said_once() {
    let refused = [
        r#"{"tools": {"a": {}, "a": {"preapproved": true}}}"#,
        r#"{"tools": {"a": {"where": {"x": {"at_most": 1}, "x": {"at_most": 2}}}}}"#,
        r#"{"tools": {"a": {"where": {"x": {}}}}}"#,
        r#"{"tools": {"a": {"where": {"x": {"or_absent": true}}}}}"#,
        r#"{"tools": {"a": {"where": {"x": {"one_of": null}}}}}"#,
        r#"{"tools": {"a": {"resources": null}}}"#,
        r#"{"tools": {"a": {"max_calls": null}}}"#,
        r#"{"tools": {}, "max_calls": null}"#,
        r#"{"tools": {"a": {"autonomus": true}}}"#,
    ];
    for text in refused {
        assert!(serde_json::from_str::<Scope>(text).is_err(), "{text}");
    }
}

/// Runs on a thread with this much stack.
fn on_stack(bytes: usize, run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(bytes).spawn(run).unwrap().join().unwrap();
}

#[test]
fn validation_does_not_depend_on_the_stack_of_whoever_loads() {
    on_stack(256 * 1024, || {
        let deep = |part: &str, times: usize| part.repeat(times);
        let unknown = format!(
            r#"@id("p") @allow("broad-administration") permit(principal, action, resource) when {{ context{} }};"#,
            deep(".a", 250)
        );
        let nested = format!(
            r#"@id("p") @allow("broad-administration") permit(principal, action, resource) when {{ {}context.a{} }};"#,
            deep("if true then ", 120),
            deep(" else false", 120)
        );
        for policies in [unknown, nested] {
            assert!(Evaluator::new(catalog(), &policies).is_err(), "{policies}");
        }
    });
}

#[test]
fn text_that_hides_its_depth_from_the_bounds_is_refused_before_it_is_parsed() {
    on_stack(2 * 1024 * 1024, || {
        let carriage =
            format!("// x\r @id(\"p\") permit(principal, action, resource) when {{ {}1 }};", "(".repeat(200));
        let index = format!("@id(\"p\") permit(principal, action, resource) when {{ x{} }};", "[\"a\"]".repeat(10_000));
        let clauses = format!("@id(\"p\") permit(principal, action, resource) {};", "unless{false}".repeat(100_000));
        for policies in [carriage, index, clauses] {
            let error = Evaluator::new(catalog(), &policies).expect_err("over a bound");
            assert!(matches!(error, bailiwick::policy::PolicyError::Text(_)), "{error}");
        }
    });
}
