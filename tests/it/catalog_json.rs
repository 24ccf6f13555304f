//! The JSON form of a catalogue: read back as the same catalogue, and read strictly.

use bailiwick::mandate::{ActionClass, ArgumentType, Constraints, Tool};
use bailiwick::policy::Catalog;
use proptest::prelude::*;

use crate::any::cases;
use crate::constraints::schema;

fn read(json: &str) -> Result<Catalog, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[test]
fn a_catalogue_is_written_plainly() {
    let number = |text: &str| text.parse().expect("a number");
    let send = Tool::new("money.send".parse().expect("a tool name"), ActionClass::ExternalCommitment)
        .required("amount".parse().expect("an argument name"), ArgumentType::Number)
        .and_then(|tool| tool.optional("memo".parse().expect("an argument name"), ArgumentType::Text))
        .and_then(|tool| {
            let amounts = Constraints::new().exclusive_minimum(number("0")).maximum(number("99.5"));
            tool.constrained("amount", amounts.one_of([number("1"), number("2.5")]))
        })
        .expect("two arguments")
        .labelled("pii".parse().expect("a label"))
        .described("Sends money.");
    let catalog = Catalog::new()
        .with(send)
        .and_then(|catalog| catalog.resource_attribute("owner".parse().expect("a name"), ArgumentType::Text))
        .expect("one tool");
    let written = serde_json::to_value(&catalog).expect("JSON");
    let expected = serde_json::json!({
        "tools": [{
            "name": "money.send",
            "class": "external_commitment",
            "arguments": {
                "amount": {
                    "type": "number",
                    "required": true,
                    "nullable": false,
                    "constraints": {"enum": [1, {"number": "2.5"}], "exclusiveMinimum": "0", "maximum": "99.5"},
                },
                "memo": {"type": "text", "required": false, "nullable": true},
            },
            "labels": ["pii"],
            "description": bailiwick::Digest::of(b"Sends money.").to_string(),
        }],
        "resource_attributes": {"owner": "text"},
    });
    assert_eq!(written, expected);
    assert_eq!(read(&written.to_string()), Ok(catalog));
}

#[test]
fn what_a_tool_does_not_say_is_the_careful_answer() {
    let catalog = read(r#"{"tools": [{"name": "t", "arguments": {"x": {"type": "text"}}}]}"#).expect("a catalogue");
    let tool = catalog.tools().next().expect("one tool");
    assert_eq!(tool.class(), ActionClass::Privileged);
    assert!(tool.check(&crate::world::args(r#"{"x": null}"#)).is_err(), "`null` must be allowed");
    assert!(tool.check(&crate::world::args("{}")).is_ok());
}

#[test]
fn what_is_not_known_or_said_twice_is_refused() {
    let tool = |members: &str| format!(r#"{{"tools": [{{"name": "t", {members}}}]}}"#);
    let constrained = |json: &str| tool(&format!(r#""arguments": {{"x": {{"type": "text", "constraints": {json}}}}}"#));
    let rows = [
        ("[]".to_owned(), "an object"),
        ("{}".to_owned(), "missing field `tools`"),
        (r#"{"tools": {}}"#.to_owned(), "expected a sequence"),
        (r#"{"tools": [["t", "read"]]}"#.to_owned(), "expected an object"),
        (r#"{"tools": [], "tools": []}"#.to_owned(), "duplicate field `tools`"),
        (r#"{"tools": [], "more": 1}"#.to_owned(), "unknown field `more`"),
        (r#"{"tools": [{"class": "read"}]}"#.to_owned(), "missing field `name`"),
        (r#"{"tools": [{"name": "a b"}]}"#.to_owned(), "tool name must be"),
        (r#"{"tools": [{"name": "t"}, {"name": "t"}]}"#.to_owned(), "the tool t is in the catalogue already"),
        (r#"{"tools": [], "resource_attributes": {"kind": "text"}}"#.to_owned(), "cannot be declared"),
        (r#"{"tools": [], "resource_attributes": {"a": "text", "a": "text"}}"#.to_owned(), "a is named twice"),
        (tool(r#""class": "harmless""#), "unknown variant `harmless`"),
        (tool(r#""class": "read", "class": "write""#), "duplicate field `class`"),
        (tool(r#""colour": "red""#), "unknown field `colour`"),
        (tool(r#""description": null"#), "invalid type: null"),
        (tool(r#""description": "Sends.""#), "digest must be"),
        (tool(r#""labels": ["PII"]"#), "label must be"),
        (tool(r#""arguments": {"x": "text"}"#), "expected an object"),
        (tool(r#""arguments": {"x": ["text"]}"#), "expected an object"),
        (tool(r#""arguments": {"x": {}}"#), "missing field `type`"),
        (tool(r#""arguments": {"x": {"type": "text"}, "x": {"type": "text"}}"#), "x is named twice"),
        (tool(r#""arguments": {"x": {"type": "text", "must": true}}"#), "unknown field `must`"),
        (tool(r#""unenforced": [{"word": "not"}]"#), "unknown field `word`"),
        (constrained("null"), "expected an object"),
        (constrained("[]"), "expected an object"),
        (constrained(r#"{"min": 1}"#), "unknown field `min`"),
        (constrained(r#"{"minimum": 1.5}"#), "an integer, or a number in a string"),
        (constrained(r#"{"minimum": null}"#), "an integer, or a number in a string"),
        (constrained(r#"{"minimum": 1, "minimum": 2}"#), "duplicate field `minimum`"),
        (constrained(r#"{"minLength": -1}"#), "expected usize"),
        (constrained(r#"{"pattern": "(?=a)"}"#), "looks ahead or behind"),
        (constrained(r#"{"enum": [[1]]}"#), "a string, an integer, a boolean"),
        (constrained(r#"{"type": ["colour"]}"#), "unknown variant `colour`"),
        (constrained(r#"{"items": true}"#), "expected an object"),
        (constrained(r#"{"properties": {"a": {}, "a": {}}}"#), "a is named twice"),
        (constrained(r#"{"anyOf": [{"not": {}}]}"#), "unknown field `not`"),
    ];
    for (json, said) in rows {
        let error = read(&json).expect_err(&json);
        assert!(error.contains(said), "{json}: {error}");
    }
}

proptest! {
    #![proptest_config(cases(300))]

    /// Whatever is read of a server's answer comes back from its JSON as it was.
    #[test]
    fn a_catalogue_comes_back_as_it_was(schemas in proptest::collection::vec((schema(3), any::<bool>()), 1..4)) {
        let tools: Vec<_> = schemas.iter().enumerate().map(|(place, (schema, required))| serde_json::json!({
            "name": format!("t{place}"),
            "description": format!("Tool {place}."),
            "inputSchema": {
                "properties": {"x": schema, "y": {"not": {}}},
                "required": if *required { vec!["x"] } else { Vec::new() },
            },
        })).collect();
        let catalog = Catalog::from_mcp(&serde_json::json!({ "tools": tools }).to_string()).expect("a catalogue");
        let catalog = catalog
            .classify("t0", ActionClass::Read)
            .and_then(|catalog| catalog.label("t0", "pii".parse().expect("a label")))
            .and_then(|catalog| catalog.resource_attribute("owner".parse().expect("a name"), ArgumentType::Texts))
            .expect("one tool");
        let json = serde_json::to_string(&catalog).expect("JSON");
        let back = read(&json);
        prop_assert_eq!(back.as_ref(), Ok(&catalog), "{}", &json);
        prop_assert_eq!(back.map(|back| serde_json::to_string(&back).expect("JSON")), Ok(json));
    }
}
