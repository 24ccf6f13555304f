//! Handles: an agent's is in a namespace for agents, and never a person's.

use bailiwick::identity::{
    AgentId, AgentUserId, Handle, HandleError, HumanOperator, Namespace, Registry, RegistryError, SystemName,
};
use proptest::prelude::*;

use crate::any::cases;
use crate::world::operator;

const JIRA: &str = "jira.acme.example";

fn agent(name: &str) -> AgentId {
    AgentId::spiffe(&format!("spiffe://acme.example/agent/{name}")).expect("a SPIFFE ID")
}

fn user(handle: &str) -> AgentUserId {
    AgentUserId::new(JIRA, handle).expect("an agent user id")
}

/// Two agents of Ada's, and nothing declared.
fn registry() -> Registry {
    let registry = Registry::new();
    registry.enroll(HumanOperator::new(operator("ada"))).expect("a new operator");
    for name in ["a", "b"] {
        registry.register(agent(name), [operator("ada")]).expect("a new agent");
    }
    registry
}

fn reserve(registry: &Registry, handle: &str) -> Result<(), HandleError> {
    registry.reserve(&SystemName::new(JIRA).expect("a system"), &Handle::new(handle).expect("a handle"))
}

#[test]
fn a_namespace_is_told_from_peoples_handles_by_more_than_letters() {
    type Make = fn(&str, &str) -> Result<Namespace, bailiwick::id::IdError>;
    let rows: &[(Make, &str, bool)] = &[
        (Namespace::suffix, "-bot", true),
        (Namespace::suffix, "@agents.acme.example", true),
        (Namespace::suffix, "+ai", true),
        (Namespace::suffix, "bot", false),
        (Namespace::suffix, "bot-", false),
        (Namespace::suffix, "-", false),
        (Namespace::suffix, "--", false),
        (Namespace::suffix, "", false),
        (Namespace::suffix, "- bot", false),
        (Namespace::suffix, "/bot", false),
        (Namespace::suffix, "-b\u{f6}t", false),
        (Namespace::prefix, "agent.", true),
        (Namespace::prefix, "agent", false),
        (Namespace::prefix, ".agent", false),
        (Namespace::prefix, "_", false),
    ];
    for (make, text, valid) in rows {
        assert_eq!(make(JIRA, text).is_ok(), *valid, "{text:?}");
    }
    assert!(Namespace::suffix("Jira", "-bot").is_err());
    let longest = format!("-{}", "b".repeat(63));
    assert!(Namespace::suffix(JIRA, &longest).is_ok());
    assert!(Namespace::suffix(JIRA, &format!("{longest}b")).is_err());
}

#[test]
fn a_namespace_holds_the_handles_of_its_system_that_have_something_before_or_after_it() {
    let (bots, agents) = (Namespace::suffix(JIRA, "-Bot"), Namespace::prefix(JIRA, "agent."));
    let (bots, agents) = (bots.expect("a namespace"), agents.expect("a namespace"));
    let rows = [
        ("triage-bot", true, false),
        ("TRIAGE-BOT", true, false),
        ("agent.triage", false, true),
        ("Agent.x-bot", true, true),
        ("-bot", false, false),
        ("agent.", false, false),
        ("talbot", false, false),
        ("triage-bots", false, false),
        ("my.agent.x", false, false),
    ];
    for (handle, in_bots, in_agents) in rows {
        assert_eq!((bots.holds(&user(handle)), agents.holds(&user(handle))), (in_bots, in_agents), "{handle}");
    }
    assert!(!bots.holds(&AgentUserId::new("chat.acme.example", "triage-bot").expect("an agent user id")));
}

#[test]
fn nothing_is_bound_where_no_namespace_is_declared() {
    let registry = registry();
    let refused = registry.bind(&agent("a"), user("a-bot")).expect_err("nothing declared");
    assert_eq!(refused, HandleError::OutsideNamespaces { user: user("a-bot"), declared: vec![] }.into());
    assert!(refused.to_string().ends_with("of which its system has none"), "{refused}");

    registry.declare(Namespace::suffix("chat.acme.example", "-bot").expect("a namespace"));
    assert!(registry.bind(&agent("a"), user("a-bot")).is_err(), "declared for another system");
    let bots = Namespace::suffix(JIRA, "-bot").expect("a namespace");
    registry.declare(bots.clone());
    let refused = registry.bind(&agent("a"), user("ceo")).expect_err("a person's kind of handle");
    assert_eq!(refused, HandleError::OutsideNamespaces { user: user("ceo"), declared: vec![bots] }.into());
    assert!(
        refused.to_string().contains("jira.acme.example/ceo") && refused.to_string().contains("…-bot"),
        "{refused}"
    );
    assert!(registry.bind(&agent("a"), user("a-bot")).is_ok());
}

#[test]
fn a_persons_handle_is_nobody_elses_in_any_case() {
    let registry = registry();
    registry.declare(Namespace::suffix(JIRA, "-bot").expect("a namespace"));
    reserve(&registry, "Ann-Bot").expect("a person");
    reserve(&registry, "ann-bot").expect("the same person");
    for handle in ["Ann-Bot", "ann-bot", "ANN-BOT"] {
        let refused = registry.bind(&agent("a"), user(handle));
        assert_eq!(refused, Err(HandleError::OfPerson(user(handle)).into()), "{handle}");
        assert_eq!(registry.agent_user(&user(handle)), None);
    }
    let bound = registry.bind(&agent("a"), user("a-bot")).expect("a free handle");
    let late = reserve(&registry, "A-BOT").expect_err("an agent has it");
    assert_eq!(late, HandleError::OfAgentUser { asked: user("A-BOT"), taken: user("a-bot") });
    assert_eq!(registry.agent_user(&user("A-Bot")), Some(bound), "it stays the agent's");
}

#[test]
fn handles_that_differ_only_in_case_are_one() {
    let registry = registry();
    registry.declare(Namespace::suffix(JIRA, "-bot").expect("a namespace"));
    registry.bind(&agent("a"), user("Triage-bot")).expect("a free handle");
    for by in ["a", "b"] {
        let refused = registry.bind(&agent(by), user("triage-Bot"));
        let taken = HandleError::OfAgentUser { asked: user("triage-Bot"), taken: user("Triage-bot") };
        assert_eq!(refused, Err(taken.into()), "{by}");
    }
    let refused = registry.bind(&agent("b"), user("Triage-bot"));
    assert!(matches!(refused, Err(RegistryError::UserHasAgent { .. })), "{refused:?}");
    assert!(registry.bind(&agent("b"), user("b-bot")).is_ok(), "a refusal binds nothing");
}

proptest! {
    #![proptest_config(cases(512))]

    /// Whatever is asked in whatever order: an agent's handle is in a namespace, and nobody else has it in any case.
    #[test]
    fn no_handle_is_ever_two_parties(steps in proptest::collection::vec(("[aA-]{0,2}(-bot|-BOT|bot)", 0..3_usize), 1..12)) {
        let registry = registry();
        let bots = Namespace::suffix(JIRA, "-bot").expect("a namespace");
        registry.declare(bots.clone());
        let (mut people, mut agents) = (Vec::new(), Vec::new());
        for (handle, who) in steps {
            match who {
                0 => if reserve(&registry, &handle).is_ok() { people.push(handle) },
                who => if registry.bind(&agent(["a", "b"][who - 1]), user(&handle)).is_ok() {
                    prop_assert!(bots.holds(&user(&handle)));
                    agents.push((who, handle));
                },
            }
        }
        for (who, handle) in &agents {
            prop_assert!(!people.iter().any(|person| person.eq_ignore_ascii_case(handle)));
            for (other, its) in &agents {
                prop_assert_eq!(who == other, its.eq_ignore_ascii_case(handle));
            }
        }
    }
}
