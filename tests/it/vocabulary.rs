//! The vocabulary: every declared name can be said in policies, groups and declared attributes among them.

use std::sync::Arc;

use bailiwick::audit::MemorySink;
use bailiwick::identity::{AgentId, HumanOperator, Registry, danger};
use bailiwick::mandate::{Action, ActionClass, ArgumentType, Constraints, Intent, Mandate, Tool};
use bailiwick::policy::{Catalog, CatalogError, Evaluator, ReasonCode};
use bailiwick::time::ManualClock;
use bailiwick::{Authorizer, Task};

use crate::steps::{autonomous, code};
use crate::world::{OPEN, START, args, at, operator, session, ticket};

/// Keywords of Cedar, members of our own context, and what an MCP server may come up with.
const NAMES: &[&str] = &[
    "if",
    "then",
    "else",
    "in",
    "is",
    "like",
    "has",
    "true",
    "false",
    "when",
    "unless",
    "permit",
    "forbid",
    "principal",
    "action",
    "resource",
    "context",
    "__cedar",
    "Action",
    "AgentIdentity",
    "Task",
    "String",
    "mode",
    "operator",
    "task",
    "tool",
    "args",
    "approved",
    "time",
    "a-b",
    "a.b",
    "-",
    ".",
    "0",
    "a.b-c_d",
];

/// A task of the triage agent that may do everything that the policies permit with these tools.
fn task(catalog: Catalog, policies: &str) -> (Authorizer, Task) {
    let registry = Registry::new();
    registry.enroll(HumanOperator::new(operator("ada"))).expect("a new operator");
    let triage = AgentId::spiffe("spiffe://acme.example/agent/triage").expect("a SPIFFE ID");
    registry.register(triage.clone(), [operator("ada")]).expect("a new agent");
    let tools: Vec<String> = catalog.tools().map(|tool| tool.name().to_string()).collect();
    let tools: Vec<&str> = tools.iter().map(String::as_str).collect();
    let evaluator = Evaluator::new(catalog, policies).unwrap_or_else(|error| panic!("{policies}: {error}"));
    let door = Authorizer::builder(registry, evaluator, Arc::new(MemorySink::new(1_000)))
        .clock(Arc::new(ManualClock::at(at(START))))
        .build()
        .expect("a door");
    let agent = door.admit(danger::workload_vouched_by_host(triage, None, at(START + 3600))).expect("an agent");
    let intent = Intent::new("say every name", autonomous(&tools)).expect("a purpose");
    let task = door.begin(Mandate::new(agent, intent).approved_by(&session("ada"))).expect("a task");
    (door, task)
}

fn tool(name: &str) -> Tool {
    Tool::new(name.parse().expect("a tool name"), ActionClass::Read)
}

fn argument(name: &str, kind: ArgumentType) -> Tool {
    tool("t").optional(name.parse().expect("an argument name"), kind).expect("one argument")
}

#[test]
fn every_tool_can_be_named_in_a_policy_and_is_no_other() {
    let more = ["a/b:c.d-e", "/", ":", "::", "a::b", "any.read"];
    let names: Vec<&str> = NAMES.iter().copied().chain(more).collect();
    let all = || names.iter().fold(Catalog::new(), |catalog, name| catalog.with(tool(name)).expect("a new tool"));
    for name in &names {
        let policy = format!(r#"@id("p") permit(principal, action == Action::"{name}", resource);"#);
        let (_door, task) = task(all(), &policy);
        for other in &names {
            let answer = task.authorize(&Action::autonomous(other, &ticket()).expect("a tool name"));
            assert_eq!(answer.is_ok(), other == name, "{other} where {name} is permitted");
        }
    }
}

#[test]
fn every_argument_can_be_named_in_a_policy_and_is_no_member_of_the_context() {
    for name in NAMES {
        let policy = format!(
            r#"@id("p") permit(principal, action, resource) when {{
                context.args has "{name}" && context.args["{name}"] == "said" && context.mode == "autonomous"
            }};"#
        );
        let catalog = Catalog::new().with(argument(name, ArgumentType::Text)).expect("a tool");
        let (_door, task) = task(catalog, &policy);
        for (json, permitted) in [
            (format!(r#"{{"{name}": "said"}}"#), true),
            (format!(r#"{{"{name}": "other"}}"#), false),
            (format!(r#"{{"{name}": null}}"#), false),
            ("{}".to_owned(), false),
        ] {
            let action = Action::autonomous("t", &ticket()).expect("a tool name").with(args(&json));
            let expected = (!permitted).then_some(ReasonCode::NotPermitted);
            assert_eq!(code(task.authorize(&action)), expected, "{name}: {json}");
        }
    }
}

#[test]
fn policies_speak_of_groups_of_agents_of_people_and_of_resources() {
    let catalog = || {
        Catalog::new()
            .with(tool("t"))
            .and_then(|catalog| catalog.resource_attribute("owner".parse().expect("a name"), ArgumentType::Text))
            .and_then(|catalog| catalog.resource_attribute("size".parse().expect("a name"), ArgumentType::Integer))
            .expect("two attributes")
    };
    let rows = [
        (r#"principal in AgentGroup::"blueprint-x""#, true),
        (r#"principal in [AgentGroup::"a", AgentGroup::"b"]"#, true),
        (r#"AgentGroup::"a" in AgentGroup::"b" || principal.attested"#, true),
        (r#"context has operator && context.operator in Team::"support""#, true),
        (r#"principal.sponsor in Team::"support""#, true),
        (r#"resource in Resource::"project/apollo""#, true),
        (r#"resource has owner && resource.owner == "ada""#, true),
        (r#"resource has size && resource.size > 7"#, true),
        // What is declared may be missing, and what is not declared is not there.
        (r#"resource.owner == "ada""#, false),
        (r#"resource has colour && resource.colour == "red""#, false),
        (r#"resource has size && resource.size == "7""#, false),
        // Nobody is in what nobody can be in.
        (r#"principal in Team::"support""#, false),
        (r#"principal in Resource::"project/apollo""#, false),
        (r#"context has operator && context.operator in AgentGroup::"a""#, false),
        (r#"resource in Team::"support""#, false),
        (r#"principal == AgentGroup::"a""#, false),
    ];
    for (condition, loads) in rows {
        let text = format!(r#"@id("p") permit(principal, action, resource) when {{ {condition} }};"#);
        let loaded = Evaluator::new(catalog(), &text);
        assert_eq!(loaded.is_ok(), loads, "{condition}: {:?}", loaded.err());
    }
    for scope in [
        r#"principal in AgentGroup::"a", action, resource"#,
        r#"principal is AgentIdentity in AgentGroup::"a", action, resource"#,
        r#"principal, action, resource in Resource::"project/apollo""#,
        r#"principal, action, resource is Resource in Resource::"project/apollo""#,
    ] {
        Evaluator::new(catalog(), &format!(r#"@id("p") permit({scope});"#)).expect(scope);
    }
}

#[test]
fn attributes_of_resources_have_new_names_and_types_that_policies_can_see() {
    let declare = |catalog: Catalog, name: &str, kind| {
        catalog.resource_attribute(name.parse().expect("an attribute's name"), kind)
    };
    for (name, kind) in [("kind", ArgumentType::Text), ("name", ArgumentType::Text), ("blob", ArgumentType::Opaque)] {
        let error = declare(Catalog::new(), name, kind).expect_err(name);
        assert!(matches!(error, CatalogError::Attribute(ref named) if named.as_str() == name), "{error:?}");
    }
    let once = declare(Catalog::new(), "owner", ArgumentType::Text).expect("an attribute");
    assert!(matches!(declare(once, "owner", ArgumentType::Bool), Err(CatalogError::Attribute(_))));
    for name in NAMES {
        let catalog = declare(Catalog::new().with(tool("t")).expect("a tool"), name, ArgumentType::Texts);
        let text = format!(
            r#"@id("p") permit(principal, action, resource) when {{
                resource has "{name}" && resource["{name}"].contains("a")
            }};"#
        );
        Evaluator::new(catalog.expect("an attribute"), &text).expect(name);
    }
    let many = |count| (0..count).try_fold(Catalog::new(), |all, n| declare(all, &format!("a{n}"), ArgumentType::Bool));
    assert!(many(64).is_ok());
    let error = many(65).expect_err("one too many");
    assert_eq!(error, CatalogError::TooMany { what: "attributes of resources", found: 65, max: 64 });
}

/// Policies that are the same over tools that are not decide otherwise: their digest tells.
#[test]
fn the_digest_of_the_policies_counts_everything_that_the_catalogue_says() {
    let listed = |schema: &str| {
        let text = format!(r#"{{"tools": [{{"name": "t", "inputSchema": {{"properties": {{"x": {schema}}}}}}}]}}"#);
        Catalog::from_mcp(&text).expect("a catalogue").classify("t", ActionClass::Read).expect("a tool")
    };
    let text = |constraints| argument("x", ArgumentType::Text).constrained("x", constraints).expect("an argument");
    let with = |tool| Catalog::new().with(tool).expect("a tool");
    let name = || "x".parse().expect("an argument name");
    let catalogs = [
        Catalog::new(),
        with(tool("t")),
        with(tool("u")),
        with(tool("t").classed(ActionClass::Write)),
        with(tool("t").labelled("pii".parse().expect("a label"))),
        with(tool("t").described("")),
        with(tool("t").described("T.")),
        with(argument("x", ArgumentType::Text)),
        with(argument("x", ArgumentType::Opaque)),
        with(tool("t").required(name(), ArgumentType::Text).expect("an argument")),
        with(tool("t").nullable(name(), ArgumentType::Text).expect("an argument")),
        with(text(Constraints::new().one_of(["1"]))),
        with(text(Constraints::new().one_of([true]))),
        with(text(Constraints::new().one_of(["1", "2"]))),
        with(text(Constraints::new().minimum(1.into()))),
        with(text(Constraints::new().maximum(1.into()))),
        with(text(Constraints::new().maximum("1.5".parse().expect("a number")))),
        with(text(Constraints::new().exclusive_minimum(1.into()))),
        with(text(Constraints::new().exclusive_maximum(1.into()))),
        with(text(Constraints::new().multiple_of(1.into()))),
        with(text(Constraints::new().min_length(1))),
        with(text(Constraints::new().max_length(1))),
        with(text(Constraints::new().pattern("1").expect("a pattern"))),
        with(text(Constraints::new().min_items(1))),
        with(text(Constraints::new().max_items(1))),
        with(text(Constraints::new().unique_items())),
        with(text(Constraints::new().items(Constraints::new().max_items(1)))),
        listed(r#"{"type": "string", "not": {}}"#),
        listed(r#"{"properties": {"a": {"minimum": 1}}}"#),
        listed(r#"{"additionalProperties": {"minimum": 1}}"#),
        listed(r#"{"required": ["a"]}"#),
        listed(r#"{"anyOf": [{"minimum": 1}, {"maximum": 1}]}"#),
        listed(r#"{"allOf": [{"minimum": 1}, {"maximum": 1}]}"#),
        listed(r#"{"oneOf": [{"minimum": 1}, {"maximum": 1}]}"#),
        with(tool("t")).resource_attribute(name(), ArgumentType::Text).expect("an attribute"),
        with(tool("t")).resource_attribute(name(), ArgumentType::Bool).expect("an attribute"),
    ];
    let digests: std::collections::BTreeSet<_> = catalogs
        .iter()
        .map(|catalog| Evaluator::new(catalog.clone(), if catalog.tools().count() > 0 { OPEN } else { "" }))
        .map(|evaluator| evaluator.expect("policies").digest())
        .collect();
    assert_eq!(digests.len(), catalogs.len());
}
