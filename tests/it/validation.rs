//! Loading gives the verdict of Cedar's own validator over the whole schema, though each policy is only held against the
//! tools that can tell something of it.

use std::collections::BTreeSet;

use bailiwick::mandate::{ActionClass, ArgumentType, Tool};
use bailiwick::policy::{Catalog, Evaluator, PolicyError};
use cedar_policy::{PolicyId, PolicySet, Schema, ValidationMode, Validator};
use proptest::prelude::*;
use proptest::sample::select;

use crate::any::hold_often;

// ── What is loaded ──────────────────────────────────────────────────────────────────────────────────────────────────

const CLASSES: &[ActionClass] = &[ActionClass::Read, ActionClass::Write, ActionClass::Privileged];

const KINDS: &[ArgumentType] =
    &[ArgumentType::Text, ArgumentType::Integer, ArgumentType::Number, ArgumentType::Texts, ArgumentType::Opaque];

/// What a tool is besides its name: its class, and which of the arguments `a`, `b` and `c` it has.
type Kind = (ActionClass, Vec<Option<(ArgumentType, bool)>>);

fn kind() -> impl Strategy<Value = Kind> {
    let argument = proptest::option::weighted(0.7, (select(KINDS), any::<bool>()));
    (select(CLASSES), proptest::collection::vec(argument, 3))
}

/// Eight tools `t0` to `t7` of at most four kinds.
fn catalog() -> impl Strategy<Value = Catalog> {
    let kinds = proptest::collection::vec(kind(), 4);
    (kinds, proptest::collection::vec(0..4_usize, 8)).prop_map(|(kinds, of)| {
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
    "principal",
    "principal",
    "principal",
    "principal is AgentIdentity",
    r#"principal == AgentIdentity::"spiffe://acme.example/a""#,
    r#"principal in AgentIdentity::"spiffe://acme.example/a""#,
    r#"principal == HumanOperator::"ada""#,
    "principal is Robot",
    r#"principal == Action::"t0""#,
];

const ACTIONS: &[&str] = &[
    "action",
    "action",
    r#"action == Action::"t0""#,
    r#"action == Action::"t1""#,
    r#"action == Action::"t5""#,
    r#"action == Action::"any read""#,
    r#"action in Action::"any read""#,
    r#"action in Action::"any write""#,
    r#"action in Action::"any irreversible""#,
    r#"action in [Action::"t1", Action::"t6"]"#,
    r#"action in [Action::"t2", Action::"any write"]"#,
    r#"action in [Action::"any read", Action::"any write", Action::"any privileged"]"#,
    "action in []",
    r#"action == Action::"unknown""#,
    r#"action in [Action::"t0", Action::"unknown"]"#,
];

const RESOURCES: &[&str] = &[
    "resource",
    "resource",
    "resource",
    "resource is Resource",
    r#"resource == Resource::"a/b""#,
    "resource is AgentUser",
];

/// Conditions that some tools fit and others do not, or none, or all.
const ATOMS: &[&str] = &[
    "true",
    "false",
    r#"context.mode == "autonomous""#,
    "context.mode == 1",
    "context.nope",
    "context has operator && context.operator == principal.sponsor",
    "context.operator == principal.sponsor",
    "context.task.step > 3",
    "context.task has nope && context.task.nope",
    r#"context["args"]["a"] == "x""#,
    r#"context.args.a == "x""#,
    "context.args.a > 1",
    r#"context.args.b.contains("x")"#,
    r#"context.args.c.lessThan(decimal("1.0"))"#,
    r#"context.args has a && context.args.a == "x""#,
    "context.args has b && context.args.b > 1",
    r#"context.args has c && context.args.c.contains("x")"#,
    "context has args.a && context.args.a > 1",
    "context.args has nope",
    "context.args == context.args",
    "context == context",
    "[context.args].contains(context.args)",
    r#"{x: context.args} == {x: {a: "x", b: 1}}"#,
    r#"context.args == {a: "x"}"#,
    r#"(if action == Action::"t0" then context.args else context.args).a == "x""#,
    "(if context.approved then context else context).args has a",
    r#"action == Action::"t0""#,
    r#"Action::"t5" == action"#,
    r#"action != Action::"t1""#,
    r#"action == Action::"any read""#,
    r#"action == Action::"unknown""#,
    r#"action in Action::"any read""#,
    r#"action in Action::"any external_commitment""#,
    r#"action in [Action::"t1", Action::"any write"]"#,
    r#"action in Action::"unknown""#,
    r#"Action::"t0" in Action::"any read""#,
    r#"Action::"t2" in action"#,
    r#"Action::"any read" in action"#,
    "action in action",
    "action == action",
    "action is Action",
    "action is Resource",
    "principal in action",
    "action in resource",
    "action has kind",
    "principal == resource",
    "principal.attested",
    r#"resource.kind == "folder""#,
    "resource.nope == 1",
    r#"resource == Robot::"R2""#,
    "resource.name == \"\u{430}dmin\"",
];

fn condition() -> impl Strategy<Value = String> {
    select(ATOMS).prop_map(str::to_owned).prop_recursive(3, 8, 3, |inner| {
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
    let conditions = proptest::collection::vec((select(&["when", "unless"][..]), condition()), 0..3);
    let scope = (select(PRINCIPALS), select(ACTIONS), select(RESOURCES));
    (select(&["permit", "forbid"][..]), scope, conditions).prop_map(|(effect, (principal, action, resource), all)| {
        let conditions: Vec<String> =
            all.into_iter().map(|(word, condition)| format!("{word} {{ {condition} }}")).collect();
        format!("{effect}({principal}, {action}, {resource}) {};", conditions.join(" "))
    })
}

// ── What is said of it ──────────────────────────────────────────────────────────────────────────────────────────────

/// What Cedar's validator says of the policies `p0`, `p1`, …: its errors, or else its warnings.
fn cedar(catalog: &Catalog, policies: &[String]) -> BTreeSet<String> {
    let (schema, _) = Schema::from_cedarschema_str(&catalog.schema()).expect("a schema");
    let policies = policies.iter().enumerate().map(|(number, text)| {
        cedar_policy::Policy::parse(Some(PolicyId::new(format!("p{number}"))), text).expect("a policy")
    });
    let set = PolicySet::from_policies(policies).expect("policies");
    let result = Validator::new(schema).validate(&set, ValidationMode::Strict);
    let errors: BTreeSet<String> = result.validation_errors().map(ToString::to_string).collect();
    if errors.is_empty() { result.validation_warnings().map(ToString::to_string).collect() } else { errors }
}

/// Whether the policies load; an answer that is not Cedar's is a failure, and one that is no verdict of its validator
/// says nothing.
fn loads_as_cedar_says(catalog: &Catalog, policies: &[String]) -> Result<Option<bool>, TestCaseError> {
    let broad = r#"@allow("unconditional-permit broad-administration")"#;
    let one = |(n, text)| format!("@id(\"p{n}\") {broad}\n{text}\n");
    let text: String = policies.iter().enumerate().map(one).collect();
    let said = cedar(catalog, policies);
    match Evaluator::new(catalog.clone(), &text) {
        Ok(_) => {
            prop_assert!(said.is_empty(), "loaded, though {said:#?}\n{text}\n{}", catalog.schema());
            Ok(Some(true))
        }
        Err(PolicyError::Invalid { first, .. }) => {
            prop_assert!(
                said.contains(&first.to_string()),
                "{first}\nis not among {said:#?}\n{text}\n{}",
                catalog.schema()
            );
            Ok(Some(false))
        }
        Err(PolicyError::Principal { .. }) => Ok(None),
        Err(other) => Err(TestCaseError::fail(format!("{other}\n{text}"))),
    }
}

#[test]
fn a_policy_loads_where_cedars_validator_has_nothing_to_say_of_it() {
    let loaded = std::cell::Cell::new(0);
    hold_often((120, 80), (catalog(), policy()), |(catalog, policy)| {
        let said = loads_as_cedar_says(&catalog, &[policy])?;
        loaded.set(loaded.get() + u32::from(said == Some(true)));
        Ok(said.is_some())
    });
    assert!(loaded.get() > 5, "only {} policies were right", loaded.get());
}

#[test]
fn policies_load_together_where_each_of_them_does() {
    let policies = proptest::collection::vec(policy(), 2..6);
    hold_often((40, 20), (catalog(), policies), |(catalog, policies)| {
        let right = |policy: &&String| cedar(&catalog, &[(*policy).clone()]).is_empty();
        let right: Vec<String> = policies.iter().filter(right).cloned().collect();
        Ok(loads_as_cedar_says(&catalog, &policies)?.is_some() | loads_as_cedar_says(&catalog, &right)?.is_some())
    });
}
