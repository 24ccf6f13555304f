//! The catalogue: what is read of an MCP server's answer to `tools/list`, and what is refused.

use bailiwick::mandate::{ActionClass, Tool, ToolError};
use bailiwick::policy::{Catalog, CatalogError};

/// An answer with one tool, `t`, whose argument `x` has this JSON Schema.
fn answer(schema: &str, required: &str) -> String {
    format!(
        r#"{{"tools": [{{"name": "t", "inputSchema": {{"type": "object", "properties": {{"x": {schema}}}, "required": {required}}}}}]}}"#
    )
}

#[test]
fn each_json_schema_type_becomes_the_cedar_type_that_can_hold_it() {
    let rows = [
        (r#"{"type": "boolean"}"#, Some("Bool")),
        (r#"{"type": "integer"}"#, Some("Long")),
        (r#"{"type": "number"}"#, Some("decimal")),
        (r#"{"type": "string", "description": "a text"}"#, Some("String")),
        (r#"{"type": "array", "items": {"type": "string"}}"#, Some("Set<String>")),
        (r#"{"type": "array", "items": {"type": "integer"}}"#, Some("Set<Long>")),
        // Either that or nothing is that, and policies may not find it.
        (r#"{"anyOf": [{"type": "string"}, {"type": "null"}], "default": null}"#, Some("String")),
        (r#"{"anyOf": [{"type": "null"}, {"type": "array", "items": {"type": "string"}}]}"#, Some("Set<String>")),
        (r#"{"anyOf": [{"anyOf": [{"type": "integer"}, {"type": "null"}]}, {"type": "null"}]}"#, Some("Long")),
        // What no policy can name.
        (r#"{"anyOf": [{"type": "string"}, {"type": "integer"}]}"#, None),
        (r#"{"anyOf": [{"type": "null"}]}"#, None),
        (r#"{"anyOf": []}"#, None),
        (r#"{"type": "array"}"#, None),
        (r#"{"type": "array", "items": {"type": "number"}}"#, None),
        (r#"{"type": "array", "items": {"type": "object"}}"#, None),
        (r#"{"type": "array", "items": [{"type": "string"}]}"#, None),
        (r#"{"type": "object", "properties": {"y": {"type": "string"}}}"#, None),
        (r#"{"type": ["string", "integer"]}"#, None),
        (r#"{"type": "colour"}"#, None),
        (r##"{"$ref": "#/$defs/x"}"##, None),
        ("{}", None),
        ("true", None),
        ("null", None),
    ];
    for (schema, cedar) in rows {
        for (required, mark) in [("[]", "?"), (r#"["x"]"#, "")] {
            let schema_text = Catalog::from_mcp(&answer(schema, required)).expect(schema).schema();
            let declared = schema_text.lines().find(|line| line.trim().starts_with("\"x\"")).map(str::trim);
            let mark = if schema.contains("null") { "?" } else { mark };
            let expected = cedar.map(|kind| format!("\"x\"{mark}: {kind},"));
            assert_eq!(declared, expected.as_deref(), "{schema}");
        }
    }
}

#[test]
fn a_tool_of_a_server_is_privileged_and_pinned_until_the_host_says_otherwise() {
    let text = r#"{"tools": [
        {"name": "a", "description": "Reads.", "inputSchema": {"type": "object"}},
        {"name": "b", "inputSchema": {"type": "object", "properties": null}, "annotations": {"readOnlyHint": true}}
    ], "nextCursor": "more"}"#;
    let catalog = Catalog::from_mcp(text).expect("a catalogue");
    let tool = |name: &str| catalog.get(&name.parse().expect("a tool name")).expect("a tool");
    assert!(catalog.tools().all(|tool| tool.class() == ActionClass::Privileged));
    let same = Tool::new("a".parse().expect("a tool name"), ActionClass::Read).described("Reads.");
    assert_eq!(tool("a").description(), same.description());
    assert_eq!(tool("b").description(), None);
    assert!(catalog.tools().all(|tool| tool.listing().is_some()), "and to everything else that is listed of it");
    let classified = catalog.clone().classify("a", ActionClass::Read).expect("a known tool");
    let classified_tool = classified.get(same.name()).expect("a tool");
    assert_eq!((classified_tool.class(), classified_tool.digest()), (ActionClass::Read, tool("a").digest()));
    assert_ne!(classified.schema(), catalog.schema());
}

#[test]
fn what_is_not_such_an_answer_is_refused_by_the_path_what_was_wanted_and_what_was_found() {
    let tool = |members: &str| format!(r#"{{"tools": [{{"name": "ok", "inputSchema": {{}}}}, {{{members}}}]}}"#);
    let rows = [
        ("[]".to_owned(), "`the answer` must be an object, found an array"),
        ("7".to_owned(), "`the answer` must be an object, found a number"),
        ("{}".to_owned(), "`the answer.tools` must be an array, found nothing"),
        (r#"{"tools": {}}"#.to_owned(), "`the answer.tools` must be an array, found an object"),
        (r#"{"tools": ["a"]}"#.to_owned(), "`the answer.tools[0]` must be an object, found a string"),
        (tool(r#""inputSchema": {}"#), "`the answer.tools[1].name` must be a string, found nothing"),
        (tool(r#""name": true, "inputSchema": {}"#), "`the answer.tools[1].name` must be a string, found a boolean"),
        (tool(r#""name": "b""#), "`the answer.tools[1].inputSchema` must be an object, found nothing"),
        (
            tool(r#""name": "b", "description": 7, "inputSchema": {}"#),
            "`the answer.tools[1].description` must be a string, found a number",
        ),
        (
            tool(r#""name": "b", "inputSchema": {"properties": []}"#),
            "`the answer.tools[1].inputSchema.properties` must be an object, found an array",
        ),
        (
            tool(r#""name": "b", "inputSchema": {"required": "x"}"#),
            "`the answer.tools[1].inputSchema.required` must be an array, found a string",
        ),
        (
            tool(r#""name": "b", "inputSchema": {"required": [7]}"#),
            "`the answer.tools[1].inputSchema.required[0]` must be a string, found a number",
        ),
    ];
    for (text, message) in rows {
        let error = Catalog::from_mcp(&text).expect_err(&text);
        assert!(matches!(error, CatalogError::Shape { .. }), "{text}: {error:?}");
        assert_eq!(error.to_string(), message, "{text}");
    }
}

#[test]
fn names_duplicates_and_bounds_are_checked() {
    let named = |name: &str| format!(r#"{{"name": "{name}", "inputSchema": {{}}}}"#);
    let tools = |tools: &[String]| format!(r#"{{"tools": [{}]}}"#, tools.join(","));
    let many = |count: usize| tools(&(0..count).map(|place| named(&format!("t{place}"))).collect::<Vec<_>>());
    let argument = r#"{"name": "b", "inputSchema": {"properties": {"a b": {"type": "string"}}}}"#.to_owned();
    type Row = (String, fn(&CatalogError) -> bool);
    let rows: [Row; 10] = [
        (tools(&[named("a"), named("a")]), |e| matches!(e, CatalogError::Duplicate(name) if name.as_str() == "a")),
        (tools(&[named("")]), |e| matches!(e, CatalogError::Id(_))),
        (tools(&[named("a b")]), |e| matches!(e, CatalogError::Id(_))),
        (tools(&[named(&"a".repeat(129))]), |e| matches!(e, CatalogError::Id(_))),
        (tools(&[named("\\\"] appliesTo {")]), |e| matches!(e, CatalogError::Id(_))),
        (tools(&[argument]), |e| matches!(e, CatalogError::Id(_))),
        (many(1001), |e| *e == CatalogError::TooMany { what: "tools", found: 1001, max: 1000 }),
        (r#"{"tools": [], "tools": []}"#.to_owned(), |e| matches!(e, CatalogError::Json(_))),
        (format!("{}{}", "[".repeat(65), "]".repeat(65)), |e| matches!(e, CatalogError::Json(_))),
        (format!("{{}}{}", " ".repeat(4 * 1024 * 1024)), |e| matches!(e, CatalogError::Json(_))),
    ];
    for (text, expected) in rows {
        let error = Catalog::from_mcp(&text).expect_err("a refusal");
        assert!(expected(&error), "{error:?}");
    }
    assert_eq!(Catalog::from_mcp(&many(1000)).expect("a full catalogue").tools().count(), 1000);
    let unknown = Catalog::new().classify("t", ActionClass::Read).expect_err("an unknown tool");
    assert!(matches!(unknown, CatalogError::Unknown(name) if name.as_str() == "t"));
}

/// What a schema requires and does not describe can be anything, and must be there.
#[test]
fn a_required_argument_that_is_not_described_is_not_lost() {
    let catalog = Catalog::from_mcp(&answer(r#"{"type": "string"}"#, r#"["x", "ghost"]"#)).expect("a catalogue");
    let tool = catalog.tools().next().expect("one tool");
    let missing = tool.check(&crate::world::args(r#"{"x": "a"}"#)).expect_err("no ghost");
    assert!(matches!(missing, ToolError::Missing { argument, .. } if argument.as_str() == "ghost"));
    assert_eq!(tool.check(&crate::world::args(r#"{"x": "a", "ghost": [1, "b"]}"#)), Ok(()));
}

/// A JSON Schema may require an argument and let it be `null`.
#[test]
fn a_required_argument_that_may_be_null_may_be_null() {
    let schema = answer(r#"{"anyOf": [{"type": "string"}, {"type": "null"}]}"#, r#"["x"]"#);
    let catalog = Catalog::from_mcp(&schema).expect("a catalogue");
    let tool = catalog.tools().next().expect("one tool");
    assert_eq!(tool.check(&crate::world::args(r#"{"x": null}"#)), Ok(()));
}
