//! The registry: who is known and active, who answers for whom, and which agent user belongs to which agent.

use bailiwick::identity::{
    AgentId, AgentState, AgentUserId, HumanOperator, Namespace, OperatorId, OperatorState, Registry, RegistryError,
    danger,
};
use bailiwick::{Error, Halt};

use crate::world::{HOUR, OPEN, START, World, at, operator};

fn agent(name: &str) -> AgentId {
    AgentId::spiffe(&format!("spiffe://acme.example/agent/{name}")).expect("a SPIFFE ID")
}

fn user(handle: &str) -> AgentUserId {
    AgentUserId::new("jira.acme.example", &format!("{handle}-bot")).expect("an agent user id")
}

/// A registry that knows Ada and Bob, and one agent of Ada's.
fn registry() -> Registry {
    let registry = Registry::new();
    for name in ["ada", "bob"] {
        registry.enroll(HumanOperator::new(operator(name))).expect("a new operator");
    }
    registry.register(agent("a"), [operator("ada")]).expect("a new agent");
    registry.declare(Namespace::suffix("jira.acme.example", "-bot").expect("a namespace"));
    registry
}

#[test]
fn an_agent_is_registered_once_under_sponsors_who_are_all_known_and_active() {
    let rows: [(&str, AgentId, &[&str], RegistryError); 4] = [
        ("nobody", agent("b"), &[], RegistryError::NoSponsor(agent("b"))),
        ("a stranger", agent("b"), &["eve"], RegistryError::UnknownOperator(operator("eve"))),
        ("a stranger beside Ada", agent("b"), &["ada", "eve"], RegistryError::UnknownOperator(operator("eve"))),
        ("Bob, for an id that is taken", agent("a"), &["bob"], RegistryError::AgentExists(agent("a"))),
    ];
    let registry = registry();
    for (sponsors, id, names, error) in rows {
        assert_eq!(registry.register(id, names.iter().map(|name| operator(name))), Err(error), "{sponsors}");
        assert_eq!(registry.agents().len(), 1, "nothing is half done");
    }
    assert_eq!(registry.agent_state(&agent("a")), Some(AgentState::Active));
    assert_eq!(registry.agent_state(&agent("b")), None);
    assert_eq!(registry.agents(), [(agent("a"), AgentState::Active, [operator("ada")].into())]);
}

#[test]
fn no_name_is_an_agents_and_a_persons() {
    let registry = registry();
    let (issuer, subject) = ("https://idp.acme.example", "robot");
    let robot = AgentId::issued(issuer, subject).expect("an agent id");
    let both = RegistryError::AgentAndOperator(operator(subject));
    registry.register(robot.clone(), [operator("ada")]).expect("a new agent");
    assert_eq!(registry.enroll(HumanOperator::new(operator(subject))), Err(both));
    let ada = AgentId::issued(issuer, "ada").expect("an agent id");
    let both = RegistryError::AgentAndOperator(operator("ada"));
    assert_eq!(registry.register(ada, [operator("ada")]), Err(both));
    let elsewhere = AgentId::issued("https://idp.acme.example/", "ada").expect("an agent id");
    assert_eq!(registry.register(elsewhere, [operator("ada")]), Ok(()), "another issuer, another name");
}

#[test]
fn ids_are_never_used_again() {
    let world = World::new(OPEN);
    let _ = world.door.offboard(&world.ada, &operator("bob")).expect("Bob leaves");
    assert_eq!(world.registry.operator_state(&operator("bob")), Some(OperatorState::Offboarded));
    let again = world.registry.enroll(HumanOperator::new(operator("bob")));
    assert_eq!(again, Err(RegistryError::OperatorExists(operator("bob"))));
    let sponsored = world.registry.register(agent("new"), [operator("bob")]);
    let state = OperatorState::Offboarded;
    assert_eq!(sponsored, Err(RegistryError::OperatorNotActive { operator: operator("bob"), state }));

    world.door.retire(&world.ada, &world.triage).expect("an end");
    assert_eq!(world.registry.agent_state(&world.triage), Some(AgentState::Retired));
    let again = world.registry.register(world.triage.clone(), [operator("ada")]);
    assert_eq!(again, Err(RegistryError::AgentExists(world.triage.clone())));
    let bound = world.registry.bind(&world.triage, user("another"));
    assert!(bound.is_err(), "nothing is bound to what has ended");
    let revived = world.door.halt(&world.ada, Halt::Agent(world.triage.clone()));
    let retired = RegistryError::AgentNotActive { agent: world.triage.clone(), state: AgentState::Retired };
    assert_eq!(revived, Err(Error::Registry(retired)), "there is no way back from retired");
}

#[test]
fn an_agent_user_is_bound_to_one_agent_for_good() {
    let registry = registry();
    registry.register(agent("b"), [operator("bob")]).expect("a new agent");
    let bound = registry.bind(&agent("a"), user("a")).expect("a new agent user");
    assert_eq!((bound.id(), bound.agent()), (&user("a"), &agent("a")));
    assert_eq!(registry.bind(&agent("a"), user("a")), Ok(bound), "the same again");
    let refusals = [
        (agent("a"), user("b"), RegistryError::AgentHasUser { agent: agent("a"), bound: user("a"), asked: user("b") }),
        (agent("b"), user("a"), RegistryError::UserHasAgent { user: user("a"), bound: agent("a"), asked: agent("b") }),
        (agent("c"), user("c"), RegistryError::UnknownAgent(agent("c"))),
        (agent("c"), user("a"), RegistryError::UserHasAgent { user: user("a"), bound: agent("a"), asked: agent("c") }),
    ];
    for (agent, user, error) in refusals {
        assert_eq!(registry.bind(&agent, user), Err(error));
    }
    assert!(registry.bind(&agent("b"), user("b")).is_ok(), "a refusal binds nothing");
}

#[test]
fn refusals_name_both_values() {
    let rows = [
        (
            RegistryError::AgentHasUser { agent: agent("a"), bound: user("a"), asked: user("b") },
            vec!["agent/a", "jira.acme.example/a", "jira.acme.example/b"],
        ),
        (
            RegistryError::AgentNotActive { agent: agent("a"), state: AgentState::Suspended },
            vec!["agent/a", "suspended", "active"],
        ),
        (RegistryError::ProofExpired { until: at(START), now: at(START + 1) }, vec!["14:13:20Z", "14:13:21Z"]),
    ];
    for (error, parts) in rows {
        parts.iter().for_each(|part| assert!(error.to_string().contains(part), "{error}: {part}"));
    }
}

#[test]
fn a_workload_is_admitted_while_its_proof_holds_and_its_agent_is_known_and_active() {
    let world = World::new(OPEN);
    let vouched = |agent: &AgentId, until: i64| danger::workload_vouched_by_host(agent.clone(), None, at(until));
    let admitted = world.door.admit(vouched(&world.triage, START + 3600)).expect("an active agent");
    assert_eq!((admitted.id(), admitted.sponsor()), (&world.triage, &operator("ada")));

    let stranger = world.door.admit(vouched(&agent("stranger"), START + 3600)).expect_err("a stranger");
    assert_eq!(stranger, RegistryError::UnknownAgent(agent("stranger")).into());
    world.clock.advance(HOUR);
    let now = at(START + 3600);
    for (until, error) in [
        (START + 3601, None),
        (START + 3600, Some(RegistryError::ProofExpired { until: now, now })),
        (START + 3599, Some(RegistryError::ProofExpired { until: at(START + 3599), now })),
    ] {
        assert_eq!(world.door.admit(vouched(&world.triage, until)).err(), error.map(Error::Registry));
    }
    world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).expect("a halt");
    world.door.retire(&world.ada, &world.payer).expect("an end");
    for (id, state) in [(&world.triage, AgentState::Suspended), (&world.payer, AgentState::Retired)] {
        let error = world.door.admit(vouched(id, START + 7200)).expect_err("a stopped agent");
        assert_eq!(error, RegistryError::AgentNotActive { agent: id.clone(), state }.into());
    }
}

#[test]
fn an_agent_is_suspended_when_its_last_sponsor_leaves_and_not_before() {
    let world = World::new(OPEN);
    let shared = agent("shared");
    world.registry.register(shared.clone(), [operator("ada"), operator("bob")]).expect("a new agent");
    let change = world.door.offboard(&world.bob, &operator("ada")).expect("Ada leaves");
    assert_eq!(change.operator(), Some(&operator("ada")));
    assert_eq!(change.agents(), [world.payer.clone(), world.triage.clone()]);
    assert_eq!(world.registry.agent_state(&world.triage), Some(AgentState::Suspended));
    assert_eq!(world.registry.agent_state(&shared), Some(AgentState::Active));
    let admitted = world.door.admit(world.workload(&shared)).expect("an active agent");
    assert_eq!(admitted.sponsor(), &operator("bob"), "who is active answers for it");

    let change = world.door.offboard(&world.bob, &operator("bob")).expect("Bob leaves");
    assert_eq!(change.agents(), std::slice::from_ref(&shared), "only what was stopped by it");
    assert_eq!(world.registry.agent_state(&shared), Some(AgentState::Suspended));
}

#[test]
fn nobody_unknown_is_offboarded() {
    let world = World::new(OPEN);
    let eve: OperatorId = operator("eve");
    let error = world.door.offboard(&world.ada, &eve).expect_err("a stranger");
    assert_eq!(error, RegistryError::UnknownOperator(eve).into());
}
