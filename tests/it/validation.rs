//! Loading gives the verdict of Cedar's own validator over the whole schema, though each policy is only held against the
//! tools that can tell something of it.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use bailiwick::audit::MemorySink;
use bailiwick::identity::{HumanOperator, OperatorSession, Registry};
use bailiwick::mandate::{ActionClass, ArgumentType, Tool};
use bailiwick::policy::{Catalog, Evaluator, PolicyError};
use bailiwick::time::ManualClock;
use bailiwick::{Authorizer, Error};
use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::any::hold_often;
use crate::world::{START, at, operator, session};

// ── What is loaded ──────────────────────────────────────────────────────────────────────────────────────────────────

const CLASSES: &[ActionClass] = &[ActionClass::Read, ActionClass::Write, ActionClass::Privileged];

const KINDS: &[ArgumentType] =
    &[ArgumentType::Text, ArgumentType::Integer, ArgumentType::Number, ArgumentType::Texts, ArgumentType::Opaque];

/// What a tool is besides its name: its class, and which of the arguments `a`, `b` and `c` it has.
type Kind = (ActionClass, Vec<Option<(ArgumentType, bool)>>);

fn kind() -> impl Strategy<Value = Kind> {
    let argument = proptest::option::weighted(0.7, (select(KINDS), any::<bool>()));
    (select(CLASSES), vec(argument, 3))
}

/// Eight tools `t0` to `t7` of at most four kinds.
fn catalog() -> impl Strategy<Value = Catalog> {
    let kinds = vec(kind(), 4);
    (kinds, vec(0..4_usize, 8)).prop_map(|(kinds, of)| {
        of.iter().enumerate().fold(Catalog::new(), |catalog, (number, of)| {
            let (class, arguments) = &kinds[*of];
            let tool = Tool::new(format!("t{number}").parse().expect("a name"), *class);
            let tool = ["a", "b", "c"].into_iter().zip(arguments).fold(tool, |tool, (name, argument)| {
                let name = name.parse().expect("a name");
                match *argument {
                    None => Ok(tool),
                    Some((kind, true)) => tool.required(name, kind),
                    Some((kind, false)) => tool.optional(name, kind),
                }
                .expect("a new argument")
            });
            catalog.with(tool).expect("no tool twice")
        })
    })
}

const PRINCIPALS: &[&str] = &[
    "principal is AgentIdentity",
    r#"principal == AgentIdentity::"spiffe://acme.example/a""#,
    r#"principal in AgentIdentity::"spiffe://acme.example/a""#,
    r#"principal == HumanOperator::"ada""#,
    "principal is Robot",
    r#"principal == Action::"t0""#,
];

const ACTIONS: &[&str] = &[
    "action",
    r#"action == Action::"t0""#,
    r#"action == Action::"t1""#,
    r#"action == Action::"any read""#,
    r#"action in Action::"any read""#,
    r#"action in Action::"any write""#,
    r#"action in Action::"any irreversible""#,
    r#"action in Action::"t3""#,
    r#"action in [Action::"t1", Action::"t6"]"#,
    r#"action in [Action::"t2", Action::"any write"]"#,
    r#"action in [Action::"any read", Action::"any write", Action::"any privileged"]"#,
    "action in []",
    r#"action == Action::"unknown""#,
    r#"action in [Action::"t0", Action::"unknown"]"#,
];

const RESOURCES: &[&str] = &["resource is Resource", r#"resource == Resource::"a/b""#, "resource is AgentUser"];

/// Conditions that fit every tool, or some tools and others not.
const FITTING: &[&str] = &[
    r#"context.mode == "autonomous""#,
    "context has operator && context.operator == principal.sponsor",
    "context.task.step > 3",
    r#"context.args.a == "x""#,
    r#"context["args"]["b"] == "x""#,
    "context.args.a > 1",
    r#"context.args.b.contains("x")"#,
    r#"context.args.c.lessThan(decimal("1.0"))"#,
    r#"context.args has a && context.args.a == "x""#,
    "context.args has b && context.args.b > 1",
    r#"context.args has c && context.args.c.contains("x")"#,
    "context has args.a && context.args.a > 1",
    "context.args has a",
    "context.args has nope",
    "context.args == context.args",
    "context == context",
    "[context.args].contains(context.args)",
    r#"context.args == {a: "x"}"#,
    r#"{x: context.args} == {x: {a: "x", b: 1}}"#,
    r#"(if context.approved then context.args else context.args).a == "x""#,
    r#"(if context.approved then context else context).args.a == "x""#,
    r#"action == Action::"t0""#,
    r#"Action::"t5" == action"#,
    r#"action != Action::"t1""#,
    r#"action == Action::"any read""#,
    r#"action in Action::"any read""#,
    r#"action in Action::"any external_commitment""#,
    r#"action in [Action::"t1", Action::"any write"]"#,
    r#"Action::"t0" in Action::"any read""#,
    r#"Action::"t2" in action"#,
    "action in action",
    "action is Action",
    "principal.attested",
    r#"resource.kind == "folder""#,
];

/// Conditions that never fit, or fit and never hold, or always.
const ODD: &[&str] = &[
    "true",
    "false",
    "context.mode == 1",
    "context.nope",
    "context.operator == principal.sponsor",
    "context.task has nope && context.task.nope",
    r#"action == Action::"unknown""#,
    r#"action in Action::"unknown""#,
    r#"Action::"any read" in action"#,
    "action == action",
    "action is Resource",
    "principal in action",
    "action in resource",
    "action has kind",
    "principal == resource",
    "resource.nope == 1",
    r#"resource == Robot::"R2""#,
    "resource.name == \"\u{430}dmin\"",
];

fn condition() -> impl Strategy<Value = String> {
    let atom = prop_oneof![4 => select(FITTING), 1 => select(ODD)];
    atom.prop_map(str::to_owned).prop_recursive(2, 4, 2, |inner| {
        let (a, b, c) = (inner.clone(), inner.clone(), inner.clone());
        prop_oneof![
            inner.prop_map(|a| format!("!({a})")),
            (a.clone(), b.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
            (a.clone(), b.clone()).prop_map(|(a, b)| format!("({a}) || ({b})")),
            (a, b, c).prop_map(|(a, b, c)| format!("if ({a}) then ({b}) else ({c})")),
        ]
    })
}

/// A policy without its `@id`.
fn policy() -> impl Strategy<Value = String> {
    let scope = (
        prop_oneof![6 => Just("principal"), 1 => select(PRINCIPALS)],
        prop_oneof![1 => Just("action"), 2 => select(ACTIONS)],
        prop_oneof![6 => Just("resource"), 1 => select(RESOURCES)],
    );
    let one = || (select(&["when", "unless"][..]), condition()).prop_map(|(word, all)| format!(" {word} {{ {all} }}"));
    let conditions = prop_oneof![
        1 => Just(String::new()),
        6 => one(),
        1 => (one(), one()).prop_map(|(one, other)| one + &other),
    ];
    (select(&["permit", "forbid"][..]), scope, conditions).prop_map(
        |(effect, (principal, action, resource), conditions)| {
            format!("{effect}({principal}, {action}, {resource}){conditions};")
        },
    )
}

// ── What is said of it ──────────────────────────────────────────────────────────────────────────────────────────────

/// A catalogue, with Cedar's validator over the whole of its schema and a door that loads policies over it.
struct Loading {
    validator: Validator,
    door: Authorizer,
    ada: OperatorSession,
}

impl Loading {
    fn new(catalog: &Catalog) -> Self {
        let (schema, _) = Schema::from_cedarschema_str(&catalog.schema()).expect("a schema");
        let (registry, ada) = (Registry::new(), session("ada"));
        registry.enroll(HumanOperator::new(operator("ada"))).expect("a new operator");
        let evaluator = Evaluator::new(catalog.clone(), "").expect("no policies");
        let door = Authorizer::builder(registry, evaluator, Arc::new(MemorySink::new(1_000)))
            .administrator(operator("ada"))
            .clock(Arc::new(ManualClock::at(at(START))))
            .build()
            .expect("a door");
        Self { validator: Validator::new(schema), door, ada }
    }

    /// What Cedar's validator says of the policies `p0`, `p1`, …: its errors, or else its warnings.
    fn cedar(&self, policies: &[String]) -> BTreeSet<String> {
        let policies = policies
            .iter()
            .enumerate()
            .map(|(number, text)| Policy::parse(Some(PolicyId::new(format!("p{number}"))), text).expect("a policy"));
        let set = PolicySet::from_policies(policies).expect("policies");
        let result = self.validator.validate(&set, ValidationMode::Strict);
        let errors: BTreeSet<String> = result.validation_errors().map(ToString::to_string).collect();
        if errors.is_empty() { result.validation_warnings().map(ToString::to_string).collect() } else { errors }
    }

    /// Whether the policies load; an answer that is not Cedar's is a failure, and one that is no verdict of its
    /// validator says nothing.
    fn loads_as_cedar_says(&self, policies: &[String]) -> Result<Option<bool>, TestCaseError> {
        let broad = r#"@allow("unconditional-permit broad-administration")"#;
        let one = |(n, text)| format!("@id(\"p{n}\") {broad}\n{text}\n");
        let text: String = policies.iter().enumerate().map(one).collect();
        let said = self.cedar(policies);
        match self.door.reload(&self.ada, &text) {
            Ok(_) => {
                prop_assert!(said.is_empty(), "loaded, though {said:#?}\n{text}");
                Ok(Some(true))
            }
            Err(Error::Policy(PolicyError::Invalid { first, .. })) => {
                prop_assert!(said.contains(&first.to_string()), "{first}\nis not among {said:#?}\n{text}");
                Ok(Some(false))
            }
            Err(Error::Policy(PolicyError::Principal { .. })) => Ok(None),
            Err(other) => Err(TestCaseError::fail(format!("{other}\n{text}"))),
        }
    }
}

/// Nine tools have the argument `a` and the tenth has not, which one of the nine cannot tell of it.
#[test]
fn whatever_way_a_policy_reads_an_argument_a_tool_without_it_is_seen() {
    let catalog = (0..10).fold(Catalog::new(), |catalog, number| {
        let tool = Tool::new(format!("t{number}").parse().expect("a name"), ActionClass::Read);
        let argument = "a".parse().expect("a name");
        let tool = if number == 9 { Ok(tool) } else { tool.required(argument, ArgumentType::Text) };
        catalog.with(tool.expect("one argument")).expect("no tool twice")
    });
    let loading = Loading::new(&catalog);
    let conditions = [
        r#"context.args.a == "x""#,
        r#"context["args"].a == "x""#,
        r#"context.args["a"] == "x""#,
        r#"context.args.a like "x*""#,
        r#"!(context.args.a == "x")"#,
        r#"context.approved || context.args.a == "x""#,
        r#"context.approved && context.args.a == "x""#,
        r#"if context.args.a == "x" then context.approved else false"#,
        r#"if context.approved then context.args.a == "x" else false"#,
        r#"if context.approved then false else context.args.a == "x""#,
        r#"(if context.approved then context else context).args.a == "x""#,
        r#"(if context.approved then context.args else context.args).a == "x""#,
        r#"["x"].contains(context.args.a)"#,
        r#"[context.args.a].contains("x")"#,
        r#"{x: context.args.a}.x == "x""#,
        r#"{x: context.args}.x.a == "x""#,
        r#"{x: context}.x.args.a == "x""#,
        r#"context.args == {a: "x"}"#,
        r#"[context.args].contains({a: "x"})"#,
        r#"resource.kind == context.args.a"#,
        r#"datetime("2026-09-21") < context.time && context.args.a == "x""#,
        r#"action is Action && context.args.a == "x""#,
    ];
    for condition in conditions {
        let everywhere = format!("permit(principal, action, resource) when {{ {condition} }};");
        let group = everywhere.replacen("action", r#"action in Action::"any read""#, 1);
        let nine = everywhere.replacen("action", r#"action in [Action::"t0", Action::"t8"]"#, 1);
        let tenth = everywhere.replacen("action", r#"action == Action::"t9""#, 1);
        for (policy, loads) in [(everywhere, false), (group, false), (nine, true), (tenth, false)] {
            let loaded = loading.loads_as_cedar_says(std::slice::from_ref(&policy)).expect("Cedar's answer");
            assert_eq!(loaded, Some(loads), "{policy}");
        }
    }
}

#[test]
fn a_policy_loads_where_cedars_validator_has_nothing_to_say_of_it() {
    let (right, wrong) = (Cell::new(0), Cell::new(0));
    hold_often((40, 40), (catalog(), vec(policy(), 40)), |(catalog, policies)| {
        let loading = Loading::new(&catalog);
        for policy in policies {
            match loading.loads_as_cedar_says(&[policy])? {
                Some(true) => right.set(right.get() + 1),
                Some(false) => wrong.set(wrong.get() + 1),
                None => {}
            }
        }
        Ok(true)
    });
    assert!(right.get() > 300 && wrong.get() > 300, "{} were right and {} wrong", right.get(), wrong.get());
}

#[test]
fn policies_load_together_where_each_of_them_does() {
    hold_often((20, 15), (catalog(), vec(policy(), 30)), |(catalog, policies)| {
        let loading = Loading::new(&catalog);
        let is_right = |policy: &&String| loading.cedar(&[(*policy).clone()]).is_empty();
        let right: Vec<String> = policies.iter().filter(is_right).cloned().collect();
        loading.loads_as_cedar_says(&policies)?;
        Ok(loading.loads_as_cedar_says(&right)?.is_some())
    });
}

/// What was checked before is not checked again, and what changed is.
#[test]
fn a_reload_says_what_a_first_load_says() {
    let all = "permit(principal, action, resource);".to_owned();
    hold_often((10, 10), (catalog(), vec((any::<Index>(), policy()), 60)), |(catalog, changes)| {
        let loading = Loading::new(&catalog);
        let mut policies = vec![all.clone(); 6];
        for (place, policy) in changes {
            let mut next = policies.clone();
            *place.get_mut(&mut next) = policy;
            if loading.loads_as_cedar_says(&next)? == Some(true) {
                policies = next;
            }
        }
        Ok(policies.iter().any(|policy| *policy != all))
    });
}
