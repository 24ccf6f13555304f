//! Who may administer what: roles in an agent's life, policies of administration, and broken glass.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bailiwick::audit::{Ack, Administered, AgentFact, AuditSink, Event, MemorySink, OperatorFact};
use bailiwick::id::Prose;
use bailiwick::identity::{
    AccountabilityRole, AgentId, AgentState, AgentUserId, BlueprintId, HumanOperator, OperatorSession, Registry,
    RegistryError, danger,
};
use bailiwick::mandate::{Action, Approval};
use bailiwick::policy::{AdminAction, Administration, Directory, Evaluator, Outcome, PolicyError, ReasonCode};
use bailiwick::{Authorizer, Builder, Error, Halt, Resume};
use tracing::Subscriber;

use crate::flaky::{BROKEN, Host};
use crate::golden::{self, Table};
use crate::steps::{alone, code, on_behalf, prover, read};
use crate::world::{HOUR, OPEN, START, World, at, audience, catalog, operator, scope, session};

const HEAD: &str = "\
# Who may do what to an agent, to another person and to the house, by the standard policies of administration. Written by
# `UPDATE_GOLDEN=1 cargo test --test it roles`.
";

const ROLES: [AccountabilityRole; 3] =
    [AccountabilityRole::Sponsor, AccountabilityRole::Owner, AccountabilityRole::Manager];

fn agent(name: &str) -> AgentId {
    AgentId::spiffe(&format!("spiffe://acme.example/agent/{name}")).expect("a SPIFFE ID")
}

fn person(name: &str) -> HumanOperator {
    HumanOperator::new(operator(name))
}

fn why() -> Prose {
    Prose::new("the ticket agent floods the queue").expect("a reason")
}

/// The world with a door that was built otherwise.
fn built(build: impl FnOnce(Builder) -> Builder) -> World {
    let mut world = World::new(OPEN);
    let evaluator = Evaluator::new(catalog(), OPEN).expect("policies");
    let builder = Authorizer::builder(Arc::clone(&world.registry), evaluator, world.sink.clone());
    world.door = build(builder.clock(world.clock.clone())).build().expect("a door");
    world
}

/// A world in which Sam sponsors, Olga owns and Max manages an agent; Eve is anybody, Root an administrator, and Gus may
/// break the glass.
fn team() -> World {
    let world = built(|builder| builder.administrator(operator("root")).may_break_glass(operator("gus")));
    for name in ["sam", "olga", "max", "eve", "root", "gus", "new"] {
        world.registry.enroll(person(name)).expect("a new operator");
    }
    world.registry.register_from(blueprint(), agent("team"), [operator("sam")]).expect("a new agent");
    for (role, name) in ROLES.into_iter().zip(["sam", "olga", "max"]).skip(1) {
        world.registry.assign(&agent("team"), role, &operator(name)).expect("a new role");
    }
    world
}

fn blueprint() -> BlueprintId {
    BlueprintId::new("team-image@7").expect("a blueprint")
}

/// Does one administrative action to the team's agent.
fn does(world: &World, by: &OperatorSession, action: AdminAction) -> Result<(), Error> {
    let (door, team) = (&world.door, agent("team"));
    match action {
        AdminAction::HaltEverything => door.halt(by, Halt::Everything),
        AdminAction::HaltBlueprint => door.halt(by, Halt::Blueprint(blueprint())),
        AdminAction::HaltTask => {
            door.halt(by, Halt::Task(world.task(scope()).id().clone())).or_else(|error| match error {
                // The task was dropped by then; who may is what is asked.
                Error::UnknownTask(_) => Ok(()),
                other => Err(other),
            })
        }
        AdminAction::Suspend => door.halt(by, Halt::Agent(team)),
        AdminAction::Retire => door.retire(by, &team).map(drop),
        AdminAction::Offboard => door.offboard(by, &operator("bob")).map(drop),
        AdminAction::Resume => door.resume(by, Resume::Everything),
        AdminAction::ResumeBlueprint => door.resume(by, Resume::Blueprint(blueprint())),
        AdminAction::ResetBreaker => door.resume(by, Resume::Breaker(team)),
        AdminAction::Reinstate => {
            door.halt(&session("sam"), Halt::Agent(team.clone()))?;
            let reinstatement = world.registry.reinstatement(&team)?;
            let (verifier, answer) = prover(world, &team);
            let proof = door.prove(&reinstatement, &verifier, &answer)?;
            door.reinstate(by, proof, Approval::by(&session("sam"), reinstatement))
        }
        AdminAction::Enroll => door.enroll(by, &person("somebody")),
        AdminAction::Register => door.register(by, &agent("another"), [operator("sam")]),
        AdminAction::Assign => door.assign(by, &team, AccountabilityRole::Owner, &operator("new")),
        AdminAction::Withdraw => door.withdraw(by, &team, AccountabilityRole::Manager, &operator("max")).map(drop),
        AdminAction::Transfer => door.transfer(by, &team, &operator("sam"), &operator("new")),
        AdminAction::AnnounceLeaving => door.announce_leaving(by, &operator("bob"), Some(at(START + 3600))),
        AdminAction::Bind => {
            let user = AgentUserId::new("jira.acme.example", "team-bot").expect("an agent user id");
            door.bind(by, &team, user).map(drop)
        }
        AdminAction::Reload => door.reload(by, OPEN).map(drop),
        AdminAction::BreakGlass => door.break_glass(by, why()).map(drop),
        other => panic!("{other} is not tried"),
    }
}

#[test]
fn each_role_may_do_what_was_reviewed_and_nothing_else() {
    let people = ["eve", "sam", "olga", "max", "root", "gus"];
    let names = ["", "anybody", "sponsor", "owner", "manager", "administrator", "listed for emergencies"];
    let mut table = Table::new("Administration", &names);
    for &action in AdminAction::ALL {
        let cells = people.map(|name| match does(&team(), &session(name), action) {
            Ok(()) => "may".to_owned(),
            Err(Error::NotAllowed(refused)) => {
                assert_eq!((&refused.operator, refused.action), (&operator(name), action));
                assert!(refused.failed.is_empty(), "{refused:?}");
                "-".to_owned()
            }
            Err(other) => panic!("{action} by {name}: {other:?}"),
        });
        table.row(action.as_str(), cells);
    }
    golden::compare("administration.txt", &format!("{HEAD}\n{}", table.render()));
}

#[test]
fn what_may_not_be_done_is_not_done() {
    for &action in AdminAction::ALL {
        let world = team();
        let before = world.registry.snapshot();
        if does(&world, &session("eve"), action).is_err() && action != AdminAction::Reinstate {
            assert_eq!(world.registry.snapshot(), before, "{action}");
        }
    }
}

#[test]
fn the_standard_policies_are_ones_that_a_host_could_have_written() {
    Administration::new(Administration::standard_text(), Directory::new()).expect("they are valid");
}

#[test]
fn only_people_administer_and_no_policy_of_administration_is_about_what_agents_do() {
    let refused = [
        r#"@id("p") permit(principal is AgentIdentity, action, resource);"#,
        r#"@id("p") permit(principal in AgentGroup::"a", action, resource);"#,
        r#"@id("p") permit(principal == AgentIdentity::"spiffe://acme.example/agent/a", action, resource);"#,
        r#"@id("p") permit(principal, action, resource) when { principal is AgentIdentity };"#,
        r#"@id("p") permit(principal, action == Action::"ticket.read", resource);"#,
        r#"@id("p") permit(principal, action in Action::"any read", resource);"#,
        r#"@id("p") permit(principal, action, resource) when { context.mode == "autonomous" };"#,
        r#"@id("p") permit(principal, action == Action::"suspend", resource is House);"#,
        r#"@id("p") permit(principal, action, resource) when { resource.sponsors.contains(principal) };"#,
        r#"permit(principal, action, resource);"#,
        r#"@id("p") permit(principal == ?principal, action, resource);"#,
    ];
    for text in refused {
        assert!(Administration::new(text, Directory::new()).is_err(), "{text}");
    }
    let actions = r#"@id("p") permit(principal, action == Action::"suspend", resource);"#;
    let evaluator = Evaluator::new(catalog(), actions);
    assert!(
        matches!(evaluator, Err(PolicyError::Invalid { .. })),
        "nor is an agent's policy about actions: {evaluator:?}"
    );
}

#[test]
fn who_administers_changes_nothing_of_what_agents_may() {
    let nobody = Administration::new(r#"@id("n") forbid(principal, action, resource);"#, Directory::new()).unwrap();
    let everybody = Administration::new(r#"@id("e") permit(principal, action, resource);"#, Directory::new()).unwrap();
    let outcomes = [nobody, everybody].map(|administration| {
        let world = built(|builder| builder.administration(administration));
        let task = world.task(scope());
        let outcome = |action: &Action| task.verdict(action).unwrap().outcome;
        steps().iter().map(outcome).collect::<Vec<_>>()
    });
    assert_eq!(outcomes[0], outcomes[1]);
    assert_eq!(outcomes[0], [Outcome::Permitted, Outcome::Denied, Outcome::Held]);
}

/// One that is permitted, one that is denied, one that is held.
fn steps() -> [Action; 3] {
    [read(), alone("ticket.purge"), on_behalf(&session("ada"), "ticket.purge")]
}

#[test]
fn a_host_s_own_policies_decide_by_team_time_and_what_is_said() {
    let text = r#"
        @id("on-call") permit(principal in Team::"on-call", action in Action::"any stop", resource);
        @id("security") permit(principal in Team::"security", action in Action::"any start", resource);
        @id("owners") permit(principal in Team::"security", action == Action::"assign", resource in AgentGroup::"ours")
        when { context.role == "owner" && context.person in Team::"on-call" };
        @id("fresh") forbid(principal, action, resource)
        when { context.time.durationSince(context.signed_in) > duration("2h") };
    "#;
    let team = |name: &str| name.parse().expect("a group");
    let directory = Directory::new()
        .operator(&operator("ada"), [team("on-call")])
        .operator(&operator("bob"), [team("security")])
        .agent(&agent("triage"), [team("ours")]);
    let administration = Administration::new(text, directory).expect("policies");
    let world = built(|builder| builder.administrator(operator("ada")).administration(administration));
    let (door, ada, bob) = (&world.door, &world.ada, &world.bob);
    let refused = |answer: Result<(), Error>| matches!(answer, Err(Error::NotAllowed(_)));

    let owner = AccountabilityRole::Owner;
    assert!(refused(door.assign(ada, &world.triage, owner, &operator("ada"))), "an administrator, to nobody's policy");
    assert!(refused(door.assign(bob, &world.triage, owner, &operator("bob"))), "not on call");
    assert!(refused(door.assign(bob, &world.payer, owner, &operator("ada"))), "not one of ours");
    assert!(refused(door.assign(bob, &world.triage, AccountabilityRole::Manager, &operator("ada"))));
    assert_eq!(door.assign(bob, &world.triage, owner, &operator("ada")), Ok(()));
    assert!(refused(door.halt(bob, Halt::Everything)));
    assert_eq!(door.halt(ada, Halt::Everything), Ok(()));
    assert!(refused(door.resume(ada, Resume::Everything)), "to stop is not to start");
    assert_eq!(door.resume(bob, Resume::Everything), Ok(()));
    world.clock.advance(3 * HOUR);
    let Err(Error::NotAllowed(late)) = door.halt(ada, Halt::Everything) else { panic!("a session of three hours") };
    assert_eq!(late.by.iter().map(|policy| policy.as_str()).collect::<Vec<_>>(), ["fresh"]);
}

#[test]
fn a_policy_that_fails_denies() {
    let text = r#"
        @id("all") permit(principal, action, resource);
        @id("fails") permit(principal, action == Action::"resume", resource)
        when { context.time.offset(duration("9223372036854775807ms")) > context.time };
    "#;
    let world = built(|builder| builder.administration(Administration::new(text, Directory::new()).unwrap()));
    assert_eq!(world.door.halt(&world.ada, Halt::Everything), Ok(()));
    let Err(Error::NotAllowed(refused)) = world.door.resume(&world.ada, Resume::Everything) else {
        panic!("a policy failed")
    };
    assert_eq!(refused.failed.iter().map(|policy| policy.as_str()).collect::<Vec<_>>(), ["fails"]);
}

#[test]
fn a_sponsor_hands_over_while_tasks_go_on_and_the_other_answers_for_them() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let permit = task.authorize(&read()).expect("a permit");
    world.door.transfer(&world.ada, &world.triage, &operator("ada"), &operator("bob")).expect("a new sponsor");
    assert_eq!(world.registry.people(&world.triage, AccountabilityRole::Sponsor), [operator("bob")]);
    let credential = task.mint(permit, &audience()).expect("the task goes on");
    let verified = world.door.verify(credential.expose(), &audience()).expect("a valid credential");
    assert_eq!(verified.accountable(), &operator("bob"), "whoever answers now is named");

    let change = world.door.offboard(&world.bob, &operator("ada")).expect("Ada leaves");
    assert_eq!(change.agents(), std::slice::from_ref(&world.payer), "she does not answer for the other any more");
    assert_eq!(code(task.authorize(&read())), None);
    let _ = world.door.offboard(&world.bob, &operator("bob")).expect("Bob leaves");
    assert_eq!(code(task.authorize(&read())), Some(ReasonCode::AgentNotActive));
    let said: Vec<Administered> = administered(&world);
    let transferred = Administered::Transferred { from: operator("ada"), to: operator("bob") };
    assert_eq!(said.first(), Some(&transferred));
}

/// What was recorded of administration, for the operators.
fn administered(world: &World) -> Vec<Administered> {
    let facts = world.sink.events().into_iter().filter_map(|event| event.operator).map(|record| record.fact);
    facts
        .filter_map(|fact| match fact {
            OperatorFact::Administered(what) => Some(what),
            _ => None,
        })
        .collect()
}

#[test]
fn no_sponsor_goes_without_a_word() {
    let world = World::new(OPEN);
    let (door, sponsor) = (&world.door, AccountabilityRole::Sponsor);
    door.assign(&world.ada, &world.triage, sponsor, &operator("bob")).expect("a second sponsor");
    let change = door.withdraw(&world.ada, &world.triage, sponsor, &operator("ada")).expect("one remains");
    assert!(change.agents().is_empty());
    let (one, _other) = (world.task(scope()), world.task(scope()));
    let credential = one.mint(one.authorize(&read()).expect("a permit"), &audience()).expect("a credential");
    let change = door.withdraw(&world.bob, &world.triage, sponsor, &operator("bob")).expect("nobody remains");
    assert_eq!(change.agents(), std::slice::from_ref(&world.triage));
    assert_eq!((change.ended().tasks, change.ended().credentials), (2, 1));
    assert_eq!(world.registry.agent_state(&world.triage), Some(AgentState::Suspended));
    assert!(door.verify(credential.expose(), &audience()).is_err());
    let facts = world.sink.events().into_iter().filter_map(|event| event.agent).map(|record| record.fact);
    let last = facts.filter_map(|fact| match fact {
        AgentFact::Administered(Administered::Withdrawn { suspended, ended, .. }) => Some((suspended, ended)),
        _ => None,
    });
    assert_eq!(last.last(), Some((true, change.ended())), "and it is written");
}

#[test]
fn roles_are_given_and_taken_once() {
    let world = team();
    let (registry, team) = (&world.registry, agent("team"));
    for (role, name) in ROLES.into_iter().zip(["sam", "olga", "max"]) {
        let twice = RegistryError::HasRole { person: operator(name), role, agent: team.clone() };
        assert_eq!(registry.assign(&team, role, &operator(name)), Err(twice));
        let stranger = RegistryError::UnknownOperator(operator("stranger"));
        assert_eq!(registry.assign(&team, role, &operator("stranger")), Err(stranger));
        let none = RegistryError::NoRole { person: operator("eve"), role, agent: team.clone() };
        assert_eq!(world.door.withdraw(&session("root"), &team, role, &operator("eve")), Err(none.into()));
        assert_eq!(registry.people(&team, role), [operator(name)]);
    }
    let from_eve = world.door.transfer(&session("root"), &team, &operator("eve"), &operator("new"));
    assert!(matches!(from_eve, Err(Error::Registry(RegistryError::NoRole { .. }))));
    for number in 0..63 {
        let name = format!("owner-{number}");
        registry.enroll(person(&name)).expect("a new operator");
        registry.assign(&team, AccountabilityRole::Owner, &operator(&name)).expect("a new owner");
    }
    let full = registry.assign(&team, AccountabilityRole::Owner, &operator("new"));
    assert!(matches!(full, Err(RegistryError::TooMany { max: 64, .. })), "{full:?}");
    let _ = world.door.retire(&session("root"), &team).expect("an end");
    assert!(
        registry.assign(&team, AccountabilityRole::Manager, &operator("new")).is_err(),
        "nobody joins what has ended"
    );
}

#[test]
fn what_cannot_be_recorded_is_not_given_and_what_is_taken_is_gone() {
    for mood in BROKEN {
        for &action in &[
            AdminAction::Enroll,
            AdminAction::Register,
            AdminAction::Assign,
            AdminAction::Transfer,
            AdminAction::AnnounceLeaving,
        ] {
            let host = Host::new(OPEN);
            host.world.registry.enroll(person("sam")).unwrap();
            host.world.registry.enroll(person("new")).unwrap();
            host.world.registry.register(agent("team"), [operator("sam")]).unwrap();
            let before = host.world.registry.snapshot();
            host.sink.set(mood);
            assert!(matches!(does(&host.world, &host.world.ada, action), Err(Error::Audit(_))), "{action} {mood:?}");
            assert_eq!(host.world.registry.snapshot(), before, "{action} {mood:?}");
        }
        let host = Host::new(OPEN);
        let (sponsor, triage) = (AccountabilityRole::Sponsor, host.world.triage.clone());
        host.sink.set(mood);
        let taken = host.world.door.withdraw(&host.world.ada, &triage, sponsor, &operator("ada"));
        assert!(matches!(taken, Err(Error::Audit(_))));
        assert_eq!(host.world.registry.agent_state(&triage), Some(AgentState::Suspended));
    }
}

/// Enrolls Eve when it is told that she is about to be enrolled.
struct Overtakes(Arc<Registry>, Arc<MemorySink>);

impl AuditSink for Overtakes {
    fn record(&self, event: &Event) -> Ack {
        // The second time she is there.
        let _ = self.0.enroll(person("eve"));
        self.1.record(event)
    }
}

#[test]
fn what_was_recorded_and_overtaken_is_recorded_as_not_done() {
    let mut world = World::new(OPEN);
    let evaluator = Evaluator::new(catalog(), OPEN).expect("policies");
    let sink = Arc::new(Overtakes(Arc::clone(&world.registry), Arc::clone(&world.sink)));
    let builder = Authorizer::builder(Arc::clone(&world.registry), evaluator, sink).administrator(operator("ada"));
    world.door = builder.clock(world.clock.clone()).build().expect("a door");
    let exists = RegistryError::OperatorExists(operator("eve"));
    assert_eq!(world.door.enroll(&world.ada, &person("eve")), Err(exists.into()));
    let enrolled = Administered::Enrolled { person: operator("eve") };
    assert_eq!(administered(&world), [enrolled, Administered::NotDone { action: AdminAction::Enroll }]);
}

#[test]
fn broken_glass_stops_and_resumes_and_opens_nothing_else() {
    let world = team();
    let (door, gus) = (&world.door, session("gus"));
    assert!(matches!(door.halt(&gus, Halt::Agent(agent("team"))), Err(Error::NotAllowed(_))), "not as he is");
    let glass = door.break_glass(&gus, why()).expect("an emergency");
    assert_eq!(door.halt(&glass, Halt::Agent(agent("team"))), Ok(()));
    assert_eq!(world.registry.agent_state(&agent("team")), Some(AgentState::Suspended));
    assert_eq!(door.halt(&glass, Halt::Everything), Ok(()));
    assert_eq!(door.resume(&glass, Resume::Everything), Ok(()));
    assert!(matches!(door.resume(&gus, Resume::Everything), Err(Error::NotAllowed(_))), "only behind the glass");

    let emergencies: Vec<Administered> = world
        .sink
        .events()
        .into_iter()
        .filter_map(|event| match event.operator?.fact {
            OperatorFact::Emergency { why: said, did } => {
                assert_eq!(said, why());
                Some(did)
            }
            _ => None,
        })
        .collect();
    assert_eq!(emergencies.len(), 3, "{emergencies:?}");
    let broken = Administered::GlassBroken { why: why(), until: glass.until() };
    assert_eq!(administered(&world), [broken], "it is written first");

    world.clock.set(glass.until());
    assert_eq!(glass.until(), at(START + 3600), "an hour");
    let over = Error::GlassOver { until: glass.until(), now: glass.until() };
    assert_eq!(door.resume(&glass, Resume::Everything), Err(over));

    let short = danger::operator_vouched_by_host(person("gus"), at(START), at(START + 3700)).expect("a session");
    let glass = door.break_glass(&short, why()).expect("another emergency");
    assert_eq!(glass.until(), short.until(), "no longer than the session");
    let _ = door.offboard(&session("root"), &operator("gus")).expect("Gus leaves");
    assert!(matches!(door.halt(&glass, Halt::Everything), Err(Error::Registry(_))), "nor beyond the person");
}

#[test]
fn glass_that_cannot_be_recorded_does_not_break() {
    for mood in BROKEN {
        let mut host = Host::new(OPEN);
        let evaluator = Evaluator::new(catalog(), OPEN).expect("policies");
        host.world.door = Authorizer::builder(host.world.registry.clone(), evaluator, host.sink.clone())
            .may_break_glass(operator("ada"))
            .clock(host.world.clock.clone())
            .deadline(Duration::from_millis(50))
            .build()
            .expect("a door");
        host.sink.set(mood);
        assert!(matches!(host.world.door.break_glass(&host.world.ada, why()), Err(Error::Audit(_))), "{mood:?}");
    }
}

/// Counts what is told as an error.
struct Errors(Arc<AtomicUsize>);

impl Subscriber for Errors {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::ERROR
    }
    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn broken_glass_is_heard() {
    let (world, told) = (team(), Arc::new(AtomicUsize::new(0)));
    tracing::subscriber::with_default(Errors(Arc::clone(&told)), || {
        let glass = world.door.break_glass(&session("gus"), why()).expect("an emergency");
        assert_eq!(told.load(Ordering::SeqCst), 1);
        world.door.halt(&glass, Halt::Everything).expect("a halt");
        assert_eq!(told.load(Ordering::SeqCst), 2);
        world.door.halt(&session("eve"), Halt::Everything).expect("a halt");
        assert_eq!(told.load(Ordering::SeqCst), 2, "what is nobody's emergency is not");
    });
}

/// What is admitted finds the newest sponsor however many there were, and lets go of the others without a deep stack.
#[test]
fn an_agent_is_handed_over_as_often_as_one_likes() {
    let world = World::new(OPEN);
    let agent = world.agent();
    for _ in 0..10_000 {
        world.door.transfer(&world.ada, &world.triage, &operator("ada"), &operator("bob")).expect("over");
        world.door.transfer(&world.ada, &world.triage, &operator("bob"), &operator("ada")).expect("and back");
    }
    world.door.transfer(&world.ada, &world.triage, &operator("ada"), &operator("bob")).expect("over");
    assert_eq!(agent.sponsor(), &operator("bob"));
    drop(agent);
}
