//! Constraints: what a JSON Schema or a host says of the values of an argument is what every call is held to.

use std::collections::BTreeSet;

use bailiwick::mandate::{ActionClass, ArgumentType, Constraints, Tool, ToolError};
use bailiwick::policy::Catalog;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::any::hold_often;
use crate::world::args;

/// The tool `t` whose one argument `x` has this JSON Schema, and what of that is not enforced.
fn tool(schema: &str, required: bool) -> (Tool, Vec<String>) {
    let required = if required { r#"["x"]"# } else { "[]" };
    let answer = format!(
        r##"{{"tools": [{{"name": "t", "inputSchema": {{
            "type": "object", "properties": {{"x": {schema}}}, "required": {required},
            "$defs": {{"short": {{"type": "string", "maxLength": 2}}, "tree": {{"type": "object", "properties": {{
                "left": {{"$ref": "#/$defs/tree"}}, "size": {{"minimum": 1}}}}}},
                "a/b~c": {{"const": "odd"}}}}
        }}}}]}}"##
    );
    let catalog = Catalog::from_mcp(&answer).unwrap_or_else(|error| panic!("{schema}: {error}"));
    let unenforced = catalog.unenforced().map(|(_, unenforced)| unenforced.keyword.clone()).collect();
    (catalog.tools().next().expect("one tool").clone(), unenforced)
}

fn fits(tool: &Tool, value: &str) -> bool {
    tool.check(&args(&format!(r#"{{"x": {value}}}"#))).is_ok()
}

#[test]
fn each_keyword_holds_for_values_of_its_kind_and_says_nothing_of_others() {
    // The schema, what keeps to it, what does not.
    let rows: &[(&str, &[&str], &[&str])] = &[
        (r#"{"enum": ["a", "b"]}"#, &[r#""a""#, r#""b""#], &[r#""c""#, r#""A""#, r#""""#, "1", "null"]),
        (r#"{"enum": [1, 2.5]}"#, &["1", "1.0", "2.5", "2.5000"], &["2", "2.4", r#""1""#]),
        (r#"{"enum": [true]}"#, &["true"], &["false", "1"]),
        (r#"{"enum": ["a", 1, null]}"#, &[r#""a""#, "1", "null"], &[r#""1""#, "[]"]),
        (r#"{"type": ["string", "null"], "enum": ["a"]}"#, &[r#""a""#], &["null"]),
        (r#"{"type": "string", "enum": ["a", null]}"#, &[r#""a""#], &["null"]),
        (r#"{"enum": []}"#, &[], &["null", "1", r#""a""#]),
        (r#"{"const": 7}"#, &["7"], &["8"]),
        (r#"{"const": "a", "enum": ["a", "b"]}"#, &[r#""a""#], &[r#""b""#]),
        (r#"{"type": "number", "minimum": 0.1, "maximum": 0.3}"#, &["0.1", "0.2", "0.3"], &["0.0999", "0.3001", "-1"]),
        (r#"{"type": "integer", "minimum": -3, "maximum": 3}"#, &["-3", "0", "3"], &["-4", "4"]),
        (r#"{"exclusiveMinimum": 0, "exclusiveMaximum": 1}"#, &["0.0001", "0.9999", r#""9""#], &["0", "1"]),
        (r#"{"type": "integer", "maximum": 9223372036854775806}"#, &["9223372036854775806"], &["9223372036854775807"]),
        // In floating point 0.3 is no multiple of 0.1.
        (r#"{"type": "number", "multipleOf": 0.1}"#, &["0.3", "-0.7", "0"], &["0.35", "0.0001"]),
        (r#"{"type": "integer", "multipleOf": 5}"#, &["-10", "0", "5"], &["1"]),
        (r#"{"type": "string", "minLength": 2, "maxLength": 3}"#, &[r#""ab""#, r#""abc""#], &[r#""a""#, r#""abcd""#]),
        // Characters, neither bytes nor the halves of a pair.
        (r#"{"type": "string", "maxLength": 2}"#, &[r#""üñ""#, r#""😀😀""#], &[r#""😀😀😀""#]),
        (r#"{"type": "string", "minLength": 2}"#, &[r#""😀😀""#], &[r#""😀""#]),
        (r#"{"minLength": 9}"#, &["1", "[]", r#""123456789""#], &[r#""12345678""#]),
        (r#"{"type": "string", "pattern": "^[a-z]+$"}"#, &[r#""abc""#], &[r#""""#, r#""aB""#, r#""a\n""#]),
        (r#"{"type": "string", "pattern": "b"}"#, &[r#""abc""#], &[r#""ac""#]),
        (
            r#"{"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2}"#,
            &[r#"["a"]"#],
            &["[]", r#"["a", "b", "c"]"#],
        ),
        (
            r#"{"type": "array", "items": {"type": "integer"}, "uniqueItems": true}"#,
            &["[]", "[1, 2]"],
            &["[1, 1.0]", "[1, 2, 1]"],
        ),
        (r#"{"uniqueItems": true}"#, &[r#"[{"a": 1}, {"a": 2}, 1, "1"]"#], &[r#"[{"a": [1]}, {"a": [1]}]"#]),
        (
            r#"{"type": "array", "items": {"type": "string", "maxLength": 1, "enum": ["a", "b", "cc"]}}"#,
            &[r#"["a", "b"]"#],
            &[r#"["a", "cc"]"#, r#"["d"]"#],
        ),
        (r#"{"type": "array", "items": {"type": "number", "maximum": 1}}"#, &["[0.5, 1]"], &["[2]", r#"["a"]"#, "7"]),
        (r#"{"type": "array", "items": false}"#, &["[]"], &["[1]", "[null]"]),
        (
            r#"{"type": "object", "properties": {"a": {"type": "string"}, "b": {"minimum": 1}}, "required": ["a"]}"#,
            &[r#"{"a": "x"}"#, r#"{"a": "x", "b": 1, "c": 0}"#],
            &["{}", r#"{"a": 1}"#, r#"{"a": "x", "b": 0}"#, "[]", r#""a""#],
        ),
        (
            r#"{"type": "object", "properties": {"a": true}, "additionalProperties": false}"#,
            &["{}", r#"{"a": null}"#],
            &[r#"{"a": 1, "b": 1}"#],
        ),
        (r#"{"additionalProperties": {"type": "integer"}}"#, &[r#"{"b": 1}"#, "1"], &[r#"{"b": "1"}"#]),
        (
            r#"{"type": "array", "items": {"type": "object", "properties": {"to": {"enum": ["a"]}}, "required": ["to"]}}"#,
            &[r#"[{"to": "a"}]"#],
            &[r#"[{"to": "b"}]"#, "[{}]"],
        ),
        (
            r#"{"anyOf": [{"type": "string", "maxLength": 1}, {"type": "integer"}]}"#,
            &[r#""a""#, "1"],
            &[r#""ab""#, "1.5", "null"],
        ),
        (r#"{"anyOf": [{"type": "string", "maxLength": 1}, {"type": "null"}]}"#, &[r#""a""#, "null"], &[r#""ab""#]),
        (r#"{"allOf": [{"minimum": 1}, {"maximum": 2}]}"#, &["1", "2", r#""a""#], &["0", "3"]),
        (r#"{"oneOf": [{"minimum": 1}, {"maximum": 2}]}"#, &["0", "3"], &["1", "2", r#""a""#, "null"]),
        (r#"{"oneOf": [{"type": "string"}, {"type": "null"}]}"#, &[r#""a""#, "null"], &["1"]),
        (r##"{"$ref": "#/$defs/short"}"##, &[r#""ab""#], &[r#""abc""#, "1", "null"]),
        (r##"{"$ref": "#/$defs/short", "minLength": 1}"##, &[r#""a""#], &[r#""""#, r#""abc""#]),
        (r##"{"$ref": "#/$defs/a~1b~0c"}"##, &[r#""odd""#], &[r#""even""#]),
        (r#"{"type": "null"}"#, &["null"], &["1"]),
        ("false", &[], &["null", "1", "{}"]),
        ("true", &["null", "1", "{}"], &[]),
    ];
    for (schema, keep, breach) in rows {
        let (tool, unenforced) = tool(schema, true);
        assert_eq!(unenforced, [""; 0], "{schema}");
        for value in *keep {
            assert!(
                fits(&tool, value),
                "{schema} takes {value}: {:?}",
                tool.check(&args(&format!(r#"{{"x": {value}}}"#)))
            );
        }
        for value in *breach {
            assert!(!fits(&tool, value), "{schema} refuses {value}");
        }
    }
}

/// What is told of a call and what of a schema are two things; neither may go missing.
#[test]
fn what_is_not_enforced_is_named_with_the_way_to_it() {
    let rows: &[(&str, &[&str])] = &[
        (r#"{"type": "string", "title": "x", "default": "a", "format": "uri", "examples": ["a"], "x-order": 1}"#, &[]),
        (r#"{"type": "string", "not": {"const": "a"}}"#, &["not"]),
        (r#"{"type": "string", "pattern": "(?=a)"}"#, &["pattern"]),
        (
            r#"{"type": "string", "pattern": 7, "minLength": -1, "maxLength": "2"}"#,
            &["maxLength", "minLength", "pattern"],
        ),
        (r#"{"type": "number", "minimum": 0.00001, "maximum": 1e9}"#, &["maximum", "minimum"]),
        (r#"{"type": "number", "minimum": 0, "exclusiveMinimum": true}"#, &["exclusiveMinimum"]),
        (r#"{"type": "number", "multipleOf": 0}"#, &["multipleOf"]),
        (r#"{"type": "colour"}"#, &["type"]),
        (r#"{"type": []}"#, &["type"]),
        (r#"{"enum": [["a"], "b"]}"#, &["enum"]),
        (r#"{"const": {"a": 1}}"#, &["const"]),
        (r#"{"anyOf": []}"#, &["anyOf"]),
        (r#"{"anyOf": [{"not": {}}, 7]}"#, &["anyOf", "anyOf/not"]),
        // Nobody knows which of the two holds.
        (r#"{"oneOf": [{"not": {}}, {"type": "string"}]}"#, &["oneOf", "oneOf/not"]),
        (r#"{"type": "array", "items": [{"type": "string"}]}"#, &["items"]),
        (r#"{"type": "array", "prefixItems": [{}], "items": {"type": "string"}}"#, &["items", "prefixItems"]),
        (r#"{"type": "array", "items": {"contains": {}}, "minContains": 2}"#, &["items/contains", "minContains"]),
        (
            r#"{"properties": {"a": {"not": {}}, "b": 7}, "patternProperties": {}, "additionalProperties": false}"#,
            &["additionalProperties", "patternProperties", "properties/a/not", "properties/b"],
        ),
        (r#"{"if": {}, "then": {}, "dependentRequired": {}}"#, &["dependentRequired", "if", "then"]),
        (r#"{"someNewKeyword": 1}"#, &["someNewKeyword"]),
        (r##"{"$ref": "#/$defs/tree"}"##, &["$ref/properties/left/$ref"]),
        (r##"{"$ref": "#"}"##, &["$ref/properties/x/$ref"]),
        (r##"{"$ref": "#/$defs/none"}"##, &["$ref"]),
        (r##"{"$ref": "https://schemas.example/x.json"}"##, &["$ref"]),
        (r##"{"$ref": "#anchor"}"##, &["$ref"]),
        (r#"{"$dynamicRef": "x"}"#, &["$dynamicRef"]),
        ("7", &["schema"]),
        ("null", &["schema"]),
    ];
    for (schema, named) in rows {
        assert_eq!(tool(schema, true).1, *named, "{schema}");
    }
}

#[test]
fn what_is_said_of_all_arguments_together_is_named_without_one() {
    let answer = r#"{"tools": [{"name": "t", "inputSchema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "x", "type": "object", "title": "T",
        "properties": {"x": {"not": {}}}, "additionalProperties": true, "minProperties": 1, "anyOf": [{}]
    }}, {"name": "u", "inputSchema": {"type": "string"}}]}"#;
    let catalog = Catalog::from_mcp(answer).expect("a catalogue");
    let named = |catalog: &Catalog| -> Vec<String> {
        let name = |argument: &Option<_>| argument.as_ref().map_or("-".to_owned(), ToString::to_string);
        catalog.unenforced().map(|(tool, one)| format!("{tool} {} {}", name(&one.argument), one.keyword)).collect()
    };
    assert_eq!(named(&catalog), ["t - anyOf", "t - minProperties", "t x not", "u - type"]);
    assert_eq!(named(&catalog.without("t")), ["u - type"]);
}

/// A schema that unfolds without end, or nearly, is cut and said to be.
#[test]
fn references_depth_and_patterns_are_bounded() {
    let doubling: Vec<String> = (0..40)
        .map(|level| {
            let next = format!(r##"{{"$ref": "#/$defs/d{}"}}"##, level + 1);
            format!(r#""d{level}": {{"properties": {{"a": {next}, "b": {next}}}}}"#)
        })
        .collect();
    let laughs = format!(
        r##"{{"tools": [{{"name": "t", "inputSchema": {{"properties": {{"x": {{"$ref": "#/$defs/d0"}}}},
            "$defs": {{{}}}}}}}]}}"##,
        doubling.join(",")
    );
    let catalog = Catalog::from_mcp(&laughs).expect("a catalogue");
    assert!((1..20_000).contains(&catalog.unenforced().count()), "{}", catalog.unenforced().count());

    let nested = |depth| format!("{}{{\"type\": \"integer\"}}{}", "{\"items\": ".repeat(depth), "}".repeat(depth));
    assert_eq!(tool(&nested(23), true).1, [""; 0]);
    assert_eq!(tool(&nested(24), true).1.len(), 1);

    let patterns: Vec<String> =
        (0..1_001).map(|place| format!(r#""p{place:04}": {{"pattern": "a{place}"}}"#)).collect();
    let (_, unenforced) = tool(&format!(r#"{{"properties": {{{}}}}}"#, patterns.join(",")), true);
    assert_eq!(unenforced, ["properties/p1000/pattern"]);
}

#[test]
fn a_type_that_only_values_or_references_tell_is_known_to_policies() {
    let rows = [
        (r#"{"enum": ["a", "b"]}"#, Some("String")),
        (r#"{"const": 1}"#, Some("Long")),
        (r#"{"enum": [1, 2.5]}"#, Some("decimal")),
        (r#"{"enum": [true, false]}"#, Some("Bool")),
        (r#"{"enum": ["a", 1]}"#, None),
        (r##"{"$ref": "#/$defs/short"}"##, Some("String")),
        (r##"{"$ref": "#/$defs/short", "minLength": 1}"##, Some("String")),
        (r#"{"type": "array", "items": {"enum": ["a"]}}"#, Some("Set<String>")),
        (r##"{"type": "array", "items": {"$ref": "#/$defs/short"}}"##, Some("Set<String>")),
        (r#"{"type": "array", "items": {"type": ["string", "null"]}}"#, None),
        (r#"{"type": ["integer", "number"]}"#, Some("decimal")),
        (r#"{"oneOf": [{"type": "string"}, {"type": "null"}]}"#, Some("String")),
    ];
    for (schema, cedar) in rows {
        let (tool, _) = tool(schema, false);
        let schema_text = Catalog::new().with(tool).expect("a tool").schema();
        let declared = schema_text.lines().find_map(|line| line.trim().strip_prefix("\"x\"?: ")?.strip_suffix(','));
        assert_eq!(declared, cedar, "{schema}");
    }
}

// ── In Rust ─────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_host_says_the_same_in_rust_and_the_refusal_names_what_was_wanted_and_not_the_value() {
    let number = |text: &str| text.parse().expect("a number");
    type Row = (ArgumentType, Constraints, &'static str, &'static str, &'static str);
    let new = Constraints::new;
    let rows: [Row; 15] = [
        (ArgumentType::Text, new().one_of(["a", "b"]), r#""a""#, r#""c""#, "`enum` `2 choices`, found text"),
        (ArgumentType::Number, new().minimum(number("0.5")), "0.5", "0.4", "`minimum` `0.5`, found decimal"),
        (ArgumentType::Number, new().maximum(number("2")), "2", "3", "`maximum` `2`, found integer"),
        (ArgumentType::Number, new().exclusive_minimum(number("0")), "1", "0", "`exclusiveMinimum` `0`, found integer"),
        (ArgumentType::Number, new().exclusive_maximum(number("2")), "1", "2", "`exclusiveMaximum` `2`, found integer"),
        (ArgumentType::Number, new().multiple_of(number("0.25")), "1.5", "1.3", "`multipleOf` `0.25`, found decimal"),
        (ArgumentType::Integer, new().multiple_of(number("0")), "0", "1", "`multipleOf` `0`, found integer"),
        (ArgumentType::Text, new().min_length(2), r#""ab""#, r#""a""#, "`minLength` `2`, found text"),
        (ArgumentType::Text, new().max_length(2), r#""ab""#, r#""abc""#, "`maxLength` `2`, found text"),
        (
            ArgumentType::Text,
            new().pattern("^a").expect("a pattern"),
            r#""ab""#,
            r#""b""#,
            "`pattern` `^a`, found text",
        ),
        (ArgumentType::Texts, new().min_items(1), r#"["a"]"#, "[]", "`minItems` `1`, found list"),
        (ArgumentType::Texts, new().max_items(1), r#"["a"]"#, r#"["a", "b"]"#, "`maxItems` `1`, found list"),
        (ArgumentType::Texts, new().unique_items(), r#"["a"]"#, r#"["a", "a"]"#, "`uniqueItems` `true`, found list"),
        (ArgumentType::Texts, new().items(new().max_length(1)), r#"["a"]"#, r#"["ab"]"#, "`maxLength` `1`, found text"),
        (ArgumentType::Opaque, new().max_length(1), r#"{"any": 1}"#, r#""ab""#, "`maxLength` `1`, found text"),
    ];
    for (kind, constraints, keeps, breaks, said) in rows {
        let tool = Tool::new("t".parse().expect("a tool name"), ActionClass::Read)
            .required("x".parse().expect("an argument name"), kind)
            .and_then(|tool| tool.constrained("x", constraints))
            .expect("one argument");
        assert!(fits(&tool, keeps), "{said}: {keeps}");
        let error = tool.check(&args(&format!(r#"{{"x": {breaks}}}"#))).expect_err(said);
        assert!(matches!(error, ToolError::Constraint { .. }), "{error:?}");
        assert_eq!(error.to_string(), format!("the argument x of the tool t must keep to its {said}"));
    }
}

#[test]
fn constraints_stand_on_an_argument_that_is_there_and_null_keeps_to_all_of_them() {
    let bare = || Tool::new("t".parse().expect("a tool name"), ActionClass::Read);
    let text = |tool: Tool| tool.optional("x".parse().expect("an argument name"), ArgumentType::Text);
    let missing = bare().constrained("x", Constraints::new().min_length(1)).expect_err("no argument");
    assert!(matches!(missing, ToolError::Undeclared { .. }), "{missing:?}");
    let twice = text(bare())
        .and_then(|tool| tool.constrained("x", Constraints::new().max_length(1)))
        .and_then(|tool| tool.constrained("x", Constraints::new().min_length(2)))
        .expect("one argument");
    assert!(fits(&twice, r#""abc""#), "the first ones are gone");
    assert!(!fits(&twice, r#""a""#));
    assert!(fits(&twice, "null"));
    assert!(twice.check(&args("{}")).is_ok());
}

#[test]
fn many_items_are_told_apart_as_few_are() {
    let (tool, _) = tool(r#"{"uniqueItems": true}"#, true);
    for count in [2, 63, 64, 65, 66, 5_000] {
        let list = |last: usize| {
            let items: Vec<String> = (0..count - 1).chain([last]).map(|item| item.to_string()).collect();
            format!("[{}]", items.join(","))
        };
        assert!(fits(&tool, &list(count - 1)), "{count}");
        assert!(!fits(&tool, &list(0)), "{count}: the last is the first");
        assert!(!fits(&tool, &list(count - 2)), "{count}: the last is the one before");
    }
}

// ── The law ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/// For any schema of the subset and any value, the catalogue takes exactly what a plain reading of the standard takes.
#[test]
fn the_catalogue_takes_what_a_plain_reading_of_the_standard_takes() {
    hold_often((3_000, 300), (schema(3), value(3), any::<bool>()), |(schema, value, required)| {
        let (tool, unenforced) = tool(&schema.to_string(), required);
        prop_assert_eq!(unenforced, [""; 0], "{}", &schema);
        let expected = keeps(&schema, &value) || (!required && value.is_null());
        prop_assert_eq!(fits(&tool, &value.to_string()), expected, "{}: {} ({})", &schema, &value, required);
        Ok(expected && schema.as_object().is_some_and(|schema| schema.len() > 1))
    });
}

type Reads = fn(&str) -> bool;

const PATTERNS: [(&str, Reads); 3] = [
    ("^a", |text| text.starts_with('a')),
    ("b$", |text| text.ends_with('b')),
    ("^[ab]*$", |text| text.chars().all(|c| matches!(c, 'a' | 'b'))),
];

fn value(depth: u32) -> BoxedStrategy<Value> {
    let number = select(vec!["-1", "0", "0.5", "1", "1.0", "1.5", "2", "3"]);
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number.prop_map(|text| serde_json::from_str(text).expect("a number")),
        select(vec!["", "a", "b", "ab", "ba", "abc", "ü"]).prop_map(Value::from),
    ];
    scalar
        .prop_recursive(depth, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(select(vec!["p", "q", "r"]), inner, 0..3)
                    .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
            ]
        })
        .boxed()
}

/// A JSON Schema of the subset that is enforced.
pub(crate) fn schema(depth: u32) -> BoxedStrategy<Value> {
    let kinds = || select(vec!["null", "boolean", "integer", "number", "string", "array", "object"]);
    let kind = prop_oneof![
        4 => kinds().prop_map(|kind| json!({ "type": kind })),
        1 => proptest::collection::vec(kinds(), 1..3).prop_map(|kinds| json!({ "type": kinds })),
        2 => Just(json!({})),
    ];
    let number = select(vec![json!(-1), json!(0), json!(0.5), json!(1), json!(2)]);
    let count = 0..3_u32;
    let keyword = prop_oneof![
        proptest::collection::vec(value(0), 1..4).prop_map(|values| json!({ "enum": values })),
        value(0).prop_map(|value| json!({ "const": value })),
        (select(vec!["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]), number)
            .prop_map(|(keyword, number)| json!({ keyword: number })),
        select(vec![json!(0.5), json!(1), json!(2)]).prop_map(|number| json!({ "multipleOf": number })),
        (select(vec!["minLength", "maxLength", "minItems", "maxItems"]), count)
            .prop_map(|(keyword, count)| json!({ keyword: count })),
        any::<bool>().prop_map(|unique| json!({ "uniqueItems": unique })),
        select(PATTERNS.to_vec()).prop_map(|(pattern, _)| json!({ "pattern": pattern })),
        proptest::collection::btree_set(select(vec!["p", "q"]), 0..3).prop_map(|names| json!({ "required": names })),
    ];
    let leaf = (kind, proptest::collection::vec(keyword, 0..3)).prop_map(|(kind, keywords)| merged(kind, keywords));
    let leaf = prop_oneof![8 => leaf, 1 => any::<bool>().prop_map(Value::Bool)];
    leaf.prop_recursive(depth, 16, 3, |inner| {
        let several = proptest::collection::vec(inner.clone(), 1..4);
        let applied = prop_oneof![
            inner.clone().prop_map(|items| json!({ "items": items })),
            inner.clone().prop_map(|others| json!({ "additionalProperties": others })),
            proptest::collection::btree_map(select(vec!["p", "q"]), inner.clone(), 0..3)
                .prop_map(|properties| json!({ "properties": properties })),
            (select(vec!["anyOf", "allOf", "oneOf"]), several).prop_map(|(keyword, list)| json!({ keyword: list })),
        ];
        (inner, proptest::collection::vec(applied, 1..3)).prop_map(|(one, more)| merged(one, more))
    })
    .boxed()
}

/// One schema with the keywords of all; a schema that is no object gives way.
fn merged(first: Value, more: Vec<Value>) -> Value {
    let all = std::iter::once(first).chain(more).filter_map(|schema| schema.as_object().cloned()).flatten();
    Value::Object(all.collect::<Map<_, _>>())
}

/// Tenths, which every number here is made of.
fn tenths(value: &Value) -> Option<i64> {
    let number = value.as_f64()?;
    #[allow(clippy::cast_possible_truncation, reason = "small numbers")]
    Some((number * 10.0).round() as i64)
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(_), Value::Number(_)) => tenths(one) == tenths(other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| same(one, other)))
        }
        _ => one == other,
    }
}

/// JSON Schema, section by section, on plain JSON.
fn keeps(schema: &Value, value: &Value) -> bool {
    match schema {
        Value::Bool(all) => *all,
        Value::Object(keywords) => keywords.iter().all(|(keyword, wanted)| keeps_to(keyword, wanted, keywords, value)),
        _ => panic!("no schema"),
    }
}

fn keeps_to(keyword: &str, wanted: &Value, schema: &Map<String, Value>, value: &Value) -> bool {
    let list = || wanted.as_array().expect("a list");
    let count = || usize::try_from(wanted.as_u64().expect("a count")).expect("a small count");
    let number =
        |kept: fn(i64, i64) -> bool| tenths(value).is_none_or(|own| kept(own, tenths(wanted).expect("a number")));
    let text = |kept: &dyn Fn(&str) -> bool| value.as_str().is_none_or(kept);
    let items = |kept: &dyn Fn(&[Value]) -> bool| value.as_array().is_none_or(|items| kept(items));
    let members = |kept: &dyn Fn(&Map<String, Value>) -> bool| value.as_object().is_none_or(kept);
    let is = |kind: &Value| match kind.as_str().expect("a type") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => tenths(value).is_some_and(|tenths| tenths % 10 == 0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        _ => value.is_object(),
    };
    match keyword {
        "type" => wanted.as_array().map_or_else(|| is(wanted), |kinds| kinds.iter().any(is)),
        "enum" => list().iter().any(|one| same(one, value)),
        "const" => same(wanted, value),
        "minimum" => number(|own, limit| own >= limit),
        "maximum" => number(|own, limit| own <= limit),
        "exclusiveMinimum" => number(|own, limit| own > limit),
        "exclusiveMaximum" => number(|own, limit| own < limit),
        "multipleOf" => number(|own, step| own % step == 0),
        "minLength" => text(&|text| text.chars().count() >= count()),
        "maxLength" => text(&|text| text.chars().count() <= count()),
        "pattern" => text(&|text| PATTERNS.iter().all(|(pattern, is)| wanted.as_str() != Some(*pattern) || is(text))),
        "minItems" => items(&|items| items.len() >= count()),
        "maxItems" => items(&|items| items.len() <= count()),
        "uniqueItems" => items(&|items| {
            let twice = |(place, item)| items.iter().skip(place + 1).any(|other| same(item, other));
            wanted == &json!(false) || !items.iter().enumerate().any(twice)
        }),
        "items" => items(&|items| items.iter().all(|item| keeps(wanted, item))),
        "required" => {
            members(&|members| list().iter().all(|name| members.contains_key(name.as_str().expect("a name"))))
        }
        "properties" => members(&|members| {
            let declared = wanted.as_object().expect("properties");
            declared.iter().all(|(name, schema)| members.get(name).is_none_or(|value| keeps(schema, value)))
        }),
        "additionalProperties" => members(&|members| {
            let declared: BTreeSet<&String> =
                schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys).collect();
            members.iter().all(|(name, value)| declared.contains(name) || keeps(wanted, value))
        }),
        "anyOf" => list().iter().any(|schema| keeps(schema, value)),
        "allOf" => list().iter().all(|schema| keeps(schema, value)),
        "oneOf" => list().iter().filter(|schema| keeps(schema, value)).count() == 1,
        other => panic!("{other} is not generated"),
    }
}
