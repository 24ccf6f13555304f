//! Policies: which load, and how they are weighed.

use std::collections::BTreeSet;

use bailiwick::audit::{AgentFact, Denial};
use bailiwick::mandate::{ActionClass, Tool};
use bailiwick::policy::{Evaluator, PolicyError, PolicyName, PolicyNames, Reason, ReasonCode};
use proptest::prelude::*;

use crate::steps::{autonomous, read};
use crate::world::{World, catalog};

// ── Loading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/// The policy `p` with this scope and these conditions.
fn policy(effect: &str, scope: &str, conditions: &str) -> String {
    format!("@id(\"p\") @allow(\"unconditional-permit broad-administration\") {effect}({scope}) {conditions};")
}

fn when(condition: &str) -> String {
    policy("permit", "principal, action, resource", &format!("when {{ {condition} }}"))
}

fn with_scope(scope: &str) -> String {
    policy("permit", scope, "")
}

fn load(text: &str) -> Result<Evaluator, PolicyError> {
    Evaluator::new(catalog(), text)
}

#[test]
fn what_is_not_a_set_of_named_policies_does_not_load() {
    let all = "@allow(\"unconditional-permit\") permit(principal, action, resource);";
    let name = |text: &str| PolicyName::new(text).expect("a policy id");
    type Row = (&'static str, String, fn(&PolicyError) -> bool);
    let rows: [Row; 9] = [
        ("half a policy", "@id(\"p\") permit(".to_owned(), |e| matches!(e, PolicyError::Cedar(_))),
        ("no policy at all", "let the agent in".to_owned(), |e| matches!(e, PolicyError::Cedar(_))),
        ("an unknown effect", "@id(\"p\") allow(principal, action, resource);".to_owned(), |e| {
            matches!(e, PolicyError::Cedar(_))
        }),
        ("no id", all.to_owned(), |e| *e == PolicyError::NoId { number: 1 }),
        ("no id on the second", format!("@id(\"a\") {all}\n{all}"), |e| *e == PolicyError::NoId { number: 2 }),
        ("an empty id", format!("@id(\"\") {all}"), |e| matches!(e, PolicyError::Id(_))),
        ("an id without a value", format!("@id {all}"), |e| matches!(e, PolicyError::Id(_))),
        ("an id with a space", format!("@id(\"a b\") {all}"), |e| matches!(e, PolicyError::Id(_))),
        ("an id of 129 characters", format!("@id(\"{}\") {all}", "a".repeat(129)), |e| matches!(e, PolicyError::Id(_))),
    ];
    for (what, text, expected) in rows {
        let error = load(&text).expect_err(what);
        assert!(expected(&error), "{what}: {error}");
    }
    let twice = format!("@id(\"a\") {all} @id(\"b\") {all} @id(\"a\") {all}");
    assert_eq!(load(&twice).expect_err("an id twice"), PolicyError::DuplicateId(name("a")));
    assert!(load(&format!("@id(\"{}\") {all}", "a".repeat(128))).is_ok(), "an id of 128 characters");
    assert!(load("").is_ok(), "no policies are policies too");
}

#[test]
fn what_does_not_fit_the_vocabulary_does_not_load() {
    let conditions = [
        // Who is no principal.
        "principal is HumanOperator",
        "principal is AgentUser",
        r#"principal == HumanOperator::"https://idp.acme.example#ada""#,
        r#"principal == AgentUser::"jira.acme.example/triage-bot""#,
        r#"principal in HumanOperator::"https://idp.acme.example#ada""#,
        r#"principal in AgentUser::"jira.acme.example/triage-bot""#,
        r#"principal in [AgentUser::"jira.acme.example/triage-bot"]"#,
        "context has operator && principal == context.operator",
        "context has agent_user && principal == context.agent_user",
        "principal == principal.sponsor",
        // What is not known.
        "principal.age > 18",
        "principal.attested == 1",
        "resource.owner == principal",
        "context.weather == \"fine\"",
        "context.task.budget > 0",
        "principal is Robot",
        r#"principal == Robot::"R2""#,
        // What may not be there.
        r#"context.operator == HumanOperator::"https://idp.acme.example#ada""#,
        // What is of another type.
        "context.mode > 3",
        "context.mode == 3",
        "context.task.step == \"1\"",
        "context.task.labels == \"untrusted\"",
        "context.time < \"2026-09-21\"",
        // What can never apply.
        "false",
        "context.mode == \"x\" && false",
        // What looks like something else: the first letter of this name is Cyrillic.
        "resource.name == \"\u{430}dmin\"",
    ];
    for condition in conditions {
        for text in
            [when(condition), policy("forbid", "principal, action, resource", &format!("when {{ {condition} }}"))]
        {
            assert!(
                matches!(load(&text), Err(PolicyError::Invalid { .. } | PolicyError::Principal { .. })),
                "{text}: {:?}",
                load(&text).err()
            );
        }
    }
    let scopes = [
        "principal is HumanOperator, action, resource",
        "principal is AgentUser, action, resource",
        r#"principal == HumanOperator::"https://idp.acme.example#ada", action, resource"#,
        r#"principal == AgentUser::"jira.acme.example/triage-bot", action, resource"#,
        r#"principal in HumanOperator::"https://idp.acme.example#ada", action, resource"#,
        r#"principal in AgentUser::"jira.acme.example/triage-bot", action, resource"#,
        r#"principal is HumanOperator in HumanOperator::"https://idp.acme.example#ada", action, resource"#,
        r#"principal, action == Action::"ticket.fly", resource"#,
        r#"principal, action in Action::"any harmless", resource"#,
        r#"principal, action in [], resource"#,
        "principal, action, resource is AgentUser",
        "principal, action, resource is Ticket",
    ];
    for scope in scopes {
        assert!(matches!(load(&with_scope(scope)), Err(PolicyError::Invalid { .. })), "{scope}");
    }
}

/// Nobody but an agent is ever the principal: a policy that asks means something else than it says.
#[test]
fn a_policy_that_asks_whether_the_principal_is_a_person_does_not_load() {
    let conditions = [
        "unless { principal is HumanOperator }",
        "unless { principal is AgentGroup }",
        "unless { principal == AgentGroup::\"all\" }",
        "unless { principal in [AgentGroup::\"all\", AgentUser::\"jira.acme.example/triage-bot\"] }",
        "unless { principal is AgentIdentity in Team::\"support\" }",
        "when { !(principal is AgentUser) }",
        "when { principal is HumanOperator || principal.attested }",
        "when { if principal is HumanOperator then false else true }",
    ];
    for conditions in conditions {
        let refused = load(&policy("permit", "principal, action, resource", conditions)).map(drop);
        assert!(matches!(refused, Err(PolicyError::Principal { .. })), "{conditions}: {refused:?}");
    }
}

#[test]
fn a_policy_names_only_the_declared_arguments_of_its_action() {
    let everything = r#"principal, action == Action::"everything", resource"#;
    let close = r#"principal, action == Action::"ticket.close", resource"#;
    let rows = [
        ("one that is there", everything, "context.args has text && context.args.text == \"x\"", true),
        ("an optional one as if it were always there", everything, "context.args.text == \"x\"", false),
        ("an opaque one", everything, "context.args has blob && context.args.blob == \"x\"", false),
        ("whether an opaque one is there", everything, "context.args has blob", false),
        ("one that nobody declared", everything, "context.args.nope == \"x\"", false),
        ("another tool's", close, "context.args has text && context.args.text == \"x\"", false),
        ("one of another type", everything, "context.args has count && context.args.count == \"1\"", false),
        ("a number as if it were an integer", everything, "context.args has sum && context.args.sum > 1", false),
        ("one tool's in a policy for all tools", "principal, action, resource", "context.args.url like \"*\"", false),
    ];
    for (what, scope, condition, loads) in rows {
        let loaded = load(&policy("permit", scope, &format!("when {{ {condition} }}")));
        assert_eq!(loaded.is_ok(), loads, "{what}: {:?}", loaded.err());
    }
}

#[test]
fn the_digest_changes_with_the_policies_and_with_the_tools() {
    let text = when("true");
    let same = load(&text).expect("policies").digest();
    assert_eq!(load(&text).expect("policies").digest(), same);
    assert_ne!(load(&format!("{text} ")).expect("policies").digest(), same, "even a space counts");
    let wider =
        catalog().with(Tool::new("ticket.fly".parse().expect("a tool name"), ActionClass::Read)).expect("a tool");
    assert_ne!(Evaluator::new(wider, &text).expect("policies").digest(), same, "another tool");
    let other = catalog().classify("ticket.close", ActionClass::Read).expect("a tool");
    assert_ne!(Evaluator::new(other, &text).expect("policies").digest(), same, "another class");
}

// ── Weighing ────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn forbid_beats_permit_in_every_order_and_nothing_permits_nothing() {
    let permits = r#"@id("b-permits") @allow("unconditional-permit") permit(principal, action, resource);"#;
    let forbids = r#"@id("a-forbids") forbid(principal, action, resource);"#;
    let also = r#"@id("c-forbids-reads") forbid(principal, action in Action::"any read", resource);"#;
    let fails = r#"@id("d-fails") @allow("broad-administration")
        permit(principal, action, resource) when { context.task.step + 9223372036854775807 > 0 };"#;
    let elsewhere = r#"@id("e-elsewhere") forbid(principal, action == Action::"ticket.close", resource);"#;
    let rows: [(Vec<&str>, Option<ReasonCode>, &[&str]); 8] = [
        (vec![], Some(ReasonCode::NotPermitted), &[]),
        (vec![permits], None, &["b-permits"]),
        (vec![permits, elsewhere], None, &["b-permits"]),
        (vec![elsewhere], Some(ReasonCode::NotPermitted), &[]),
        (vec![permits, forbids], Some(ReasonCode::Forbidden), &["a-forbids"]),
        (vec![permits, also, forbids], Some(ReasonCode::Forbidden), &["a-forbids", "c-forbids-reads"]),
        (vec![permits, fails], Some(ReasonCode::PolicyFailed), &[]),
        (vec![permits, forbids, fails], Some(ReasonCode::PolicyFailed), &[]),
    ];
    for (mut set, code, deciding) in rows {
        for _ in 0..2 {
            let world = World::new(&set.join("\n"));
            let answer = world.task(autonomous(&["ticket.read"])).authorize(&read());
            assert_eq!(answer.as_ref().err().map(Denial::code), code, "{set:?}");
            let Some(AgentFact::Decided(decided)) =
                world.sink.events().into_iter().last().and_then(|e| e.agent).map(|r| r.fact)
            else {
                panic!("the decision is the last record");
            };
            let named: Vec<&str> = decided.verdict.policies.iter().map(PolicyName::as_str).collect();
            assert_eq!(named, deciding, "{set:?}");
            if let Some(Reason::PolicyFailed(erring)) = answer.err().as_ref().map(Denial::reason) {
                assert_eq!(erring, &[PolicyName::new("d-fails").expect("a policy id")]);
            }
            set.reverse();
        }
    }
}

proptest! {
    // Few letters, so that some come twice; short and long, in the list and beyond what it holds itself.
    #[test]
    fn names_of_policies_are_in_order_each_once(texts in prop::collection::vec("[ab]{1,3}|[ab]{24}", 0..10)) {
        let names: Vec<PolicyName> = texts.iter().map(|text| PolicyName::new(text).expect("a policy id")).collect();
        let wanted: Vec<PolicyName> = names.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        let collected: PolicyNames = names.iter().cloned().collect();
        let mut inserted = PolicyNames::default();
        names.iter().cloned().for_each(|name| inserted.insert(name));
        prop_assert_eq!(&collected, &wanted);
        prop_assert_eq!(&inserted, &collected);
        prop_assert_eq!(serde_json::to_string(&inserted).ok(), serde_json::to_string(&wanted).ok());
    }
}
