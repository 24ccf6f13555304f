//! A schema that a host brings: it may say more than ours, and never less.

use bailiwick::mandate::{ActionClass, ArgumentType, Tool};
use bailiwick::policy::{Catalog, PolicyError, SchemaError};

use crate::world;

/// The world's tools, with resources that may have an owner.
fn catalog() -> Catalog {
    let named = Tool::new("odd/name:x".parse().expect("a tool name"), ActionClass::Read)
        .optional("if".parse().expect("an argument name"), ArgumentType::Text)
        .and_then(|tool| tool.required("a-b".parse().expect("an argument name"), ArgumentType::Integer))
        .expect("two arguments");
    let catalog = world::catalog().with(named).expect("a new tool");
    catalog.resource_attribute("owner".parse().expect("a name"), ArgumentType::Text).expect("an attribute")
}

/// Why our own schema does not fit, once this of it is replaced everywhere.
fn replaced(from: &str, to: &str) -> Option<SchemaError> {
    let ours = catalog().schema();
    assert!(ours.contains(from), "our schema says {from:?}");
    refusal(&ours.replace(from, to))
}

fn refusal(text: &str) -> Option<SchemaError> {
    match catalog().check_schema(text) {
        Ok(()) => None,
        Err(PolicyError::Schema(error)) => Some(error),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn our_own_schema_fits_and_so_does_one_that_says_more() {
    assert_eq!(refusal(&catalog().schema()), None);
    let rows = [
        ("mode: String,", "mode: String, tenant?: String,"),
        ("id: String,", "id: String, budget?: decimal,"),
        ("args: {", "args: { extra?: Long,"),
        ("entity AgentUser;", "entity AgentUser = { handle?: String } tags String; entity Robot;"),
        ("entity HumanOperator in [Team]", "entity Org; entity HumanOperator in [Team, Org]"),
        ("attested: Bool,", "attested: Bool, level?: Long,"),
        ("  name: String, ", "  name: String, colour?: String, "),
        ("principal: [AgentIdentity],", "principal: [AgentIdentity, HumanOperator],"),
        ("labels: Set<String>,", "labels: Labels,"),
        ("action \"any read\";", "action \"any read\"; action \"own\" in [Action::\"any read\"];"),
        // Their policies ask whether it is there, and find it.
        ("mode: String,", "mode?: String,"),
    ];
    for (from, to) in rows {
        let ours = format!("type Labels = Set<String>;\n{}", catalog().schema());
        assert!(ours.contains(from), "our schema says {from:?}");
        assert_eq!(refusal(&ours.replace(from, to)), None, "{to}");
    }
}

#[test]
fn a_schema_whose_actions_are_not_our_tools_names_the_tool() {
    let rows = [
        (r#"action "odd/name:x""#, r#"action "odd/name:y""#, "odd/name:x"),
        (r#"action "web.fetch""#, r#"action "web.get""#, "web.fetch"),
        ("principal: [AgentIdentity],", "principal: [HumanOperator],", "everything"),
        ("resource: [Resource],", "resource: [AgentUser],", "everything"),
    ];
    for (from, to, tool) in rows {
        let error = replaced(from, to).expect("a refusal");
        assert_eq!(error, SchemaError::Action(tool.parse().expect("a tool name")), "{to}");
    }
}

#[test]
fn a_context_that_lacks_a_member_or_has_it_otherwise_names_the_tool_and_the_member() {
    // The first tool, but for what only others have.
    let everything = "everything";
    let rows = [
        ("mode: String,", "", everything, "context.mode", "String"),
        ("mode: String,", "mode: Long,", everything, "context.mode", "String"),
        ("approved: Bool,", "", everything, "context.approved", "Bool"),
        ("time: datetime,", "time: String,", everything, "context.time", "datetime"),
        ("step: Long,", "step: decimal,", everything, "context.task.step", "Long"),
        ("purpose: String,", "", everything, "context.task.purpose", "String"),
        (
            "approvers: Set<HumanOperator>,",
            "approvers: Set<String>,",
            everything,
            "context.task.approvers",
            "Set<HumanOperator>",
        ),
        ("class: String,", "class: Bool,", everything, "context.tool.class", "String"),
        (
            "operator?: HumanOperator,",
            "operator?: AgentUser,",
            everything,
            "context.operator",
            "HumanOperator, or nothing",
        ),
        // What is there only sometimes may not be wanted always.
        (
            "operator?: HumanOperator,",
            "operator: HumanOperator,",
            everything,
            "context.operator",
            "HumanOperator, or nothing",
        ),
        ("agent_user?: AgentUser,", "", everything, "context.agent_user", "AgentUser, or nothing"),
        (r#""count"?: Long,"#, "", everything, "context.args.count", "Long, or nothing"),
        (
            r#""texts"?: Set<String>,"#,
            r#""texts"?: Set<Long>,"#,
            everything,
            "context.args.texts",
            "Set<String>, or nothing",
        ),
        (r#""amount": decimal,"#, r#""amount": Long,"#, "money.send", "context.args.amount", "decimal"),
        (r#""amount": decimal,"#, "", "money.send", "context.args.amount", "decimal"),
        (r#""a-b": Long,"#, r#""a-b": String,"#, "odd/name:x", "context.args.a-b", "Long"),
        (r#""if"?: String,"#, r#""if": String,"#, "odd/name:x", "context.args.if", "String, or nothing"),
    ];
    for (from, to, tool, member, want) in rows {
        let error = replaced(from, to).expect("a refusal");
        let said = format!("the action `{tool}` must have the member `{member}` of the type `{want}`");
        assert!(matches!(error, SchemaError::Member { .. }), "{to}: {error:?}");
        assert_eq!(error.to_string(), said, "{to}");
    }
}

#[test]
fn a_context_that_wants_more_than_there_is_names_the_tool_and_what_it_wants() {
    let rows = [
        ("mode: String,", "mode: String, tenant: String,", "everything", "tenant"),
        ("id: String,", "id: String, budget: decimal,", "everything", "budget"),
        (r#""amount": decimal,"#, r#""amount": decimal, "currency": String,"#, "money.send", "currency"),
    ];
    for (from, to, tool, member) in rows {
        let error = replaced(from, to).expect("a refusal");
        assert!(matches!(&error, SchemaError::Surplus { tool: named, .. } if named.as_str() == tool), "{error:?}");
        assert!(error.to_string().contains(&format!("`{member}`")), "{error}");
    }
}

#[test]
fn an_entity_type_that_does_not_hold_ours_is_named() {
    let rows = [
        ("entity AgentUser;", "entity AgentUser = { handle: String };", "AgentUser", "handle"),
        ("entity AgentUser;", "entity AgentUser enum [\"a\"];", "AgentUser", "some"),
        ("attested: Bool,", "", "AgentIdentity", "attested"),
        ("attested: Bool,", "attested: String,", "AgentIdentity", "attested"),
        ("attested: Bool,", "attested: Bool, level: Long,", "AgentIdentity", "level"),
        ("sponsor: HumanOperator,", "sponsor: AgentUser,", "AgentIdentity", "sponsor"),
        ("entity AgentIdentity in [AgentGroup]", "entity AgentIdentity", "AgentIdentity", "AgentGroup"),
        ("entity HumanOperator in [Team]", "entity HumanOperator", "HumanOperator", "Team"),
        ("entity Resource in [Resource]", "entity Resource", "Resource", "Resource"),
        (r#""owner"?: String,"#, "", "Resource", "owner"),
        (r#""owner"?: String,"#, r#""owner": String,"#, "Resource", "owner"),
        ("kind: String,", "kind: Long,", "Resource", "kind"),
    ];
    for (from, to, kind, named) in rows {
        let error = replaced(from, to).expect("a refusal");
        let SchemaError::Entity { message, .. } = &error else { panic!("{to}: {error:?}") };
        assert!(error.to_string().starts_with(&format!("the entity type `{kind}` does not fit: ")), "{error}");
        assert!(message.to_string().contains(named), "{to}: {message}");
    }
    // A type that is not there at all.
    assert!(matches!(replaced("entity AgentUser;", "entity Robot;"), Some(SchemaError::Cedar(_))));
}

#[test]
fn what_is_no_schema_or_too_large_for_one_is_refused() {
    assert!(matches!(refusal("permit(principal, action, resource);"), Some(SchemaError::Cedar(_))));
    assert!(matches!(refusal(""), Some(SchemaError::Entity { .. })));
    let ours = catalog().schema();
    let nested = |depth| format!("{ours}\ntype Deep = {}Long{};", "Set<".repeat(depth), ">".repeat(depth));
    assert_eq!(refusal(&nested(32)), None);
    let doubled: String = (0..40).map(|n| format!("type T{n} = {{ a: T{m}, b: T{m} }};\n", m = n + 1)).collect();
    let renamed: String = (0..100).map(|n| format!("type T{n:03} = T{:03};\n", n + 1)).collect();
    let rows = [
        ("bytes", format!("{ours}//{}", " ".repeat(4 * 1024 * 1024))),
        ("levels of brackets", nested(33)),
        ("declarations", format!("{ours}{}", "entity E; ".repeat(10_001))),
        ("parts of types", format!("{ours}{doubled}type T40 = Long;")),
        ("names of types behind a name", format!("{ours}{renamed}type T100 = Long;")),
    ];
    for (what, text) in rows {
        let error = refusal(&text).expect(what);
        assert!(matches!(error, SchemaError::TooLarge { what: named, .. } if named == what), "{what}: {error}");
    }
    // Brackets in a name or a comment are none.
    let quoted = format!("{ours}\n// {}\nentity Odd = {{ \"{}\": Long }};", "{".repeat(99), "[".repeat(99));
    assert_eq!(refusal(&quoted), None);
}
