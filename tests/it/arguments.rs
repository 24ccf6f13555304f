//! Arguments: strict JSON in, exact numbers, one digest for one value.

use std::collections::BTreeMap;

use bailiwick::JsonError;
use bailiwick::id::Found;
use bailiwick::mandate::{ActionClass, ArgumentType, Arguments, ArgumentsError, Number, Tool, ToolError, Value};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

use crate::any::cases;
use crate::world::args;

fn read(json: &str) -> Result<Arguments, ArgumentsError> {
    Arguments::from_json(json)
}

/// The value of the argument `a`.
fn value(json: &str) -> Result<Value, ArgumentsError> {
    read(&format!(r#"{{"a": {json}}}"#)).map(|arguments| arguments.get("a").expect("an argument").clone())
}

fn is_syntax(result: &Result<Arguments, ArgumentsError>) -> bool {
    matches!(result, Err(ArgumentsError::Json(JsonError::Syntax { .. })))
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn a_member_named_twice_is_refused_at_any_depth(
        wraps in vec(select(vec![(r#"{"k": "#, "}"), ("[", "]"), ("[7, ", "]"), (r#"{"x": 7, "k": "#, r#", "y": {}}"#)]), 0..31),
        second in select(vec!["k", r"\u006b", r"\u006B"]),
    ) {
        let wrapped = |inner: &str| {
            let inner = wraps.iter().fold(inner.to_owned(), |json, (open, close)| format!("{open}{json}{close}"));
            read(&format!(r#"{{"a": {inner}}}"#))
        };
        let twice = ArgumentsError::Json(JsonError::Duplicate { member: Found::new("k") });
        prop_assert_eq!(wrapped(&format!(r#"{{"k": 1, "{second}": 1}}"#)), Err(twice));
        let once = wrapped(r#"{"k": 1, "K": 1}"#);
        prop_assert!(once.is_ok());
    }
}

#[test]
fn the_size_and_the_depth_are_bounded_and_the_bound_itself_is_accepted() {
    let long = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "a".repeat(bytes - 8));
    let deep = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1));
    assert!(read(&long(65_536)).is_ok());
    assert_eq!(read(&long(65_537)), Err(JsonError::TooLong { bytes: 65_537, max: 65_536 }.into()));
    assert!(read(&deep(32)).is_ok());
    assert_eq!(read(&deep(33)), Err(JsonError::TooDeep { max: 32 }.into()));
    // Brackets in a text are no levels; those that are never closed are.
    assert!(value(&format!(r#""\"{}""#, "[{".repeat(64))).is_ok());
    assert_eq!(read(&"[".repeat(60_000)), Err(JsonError::TooDeep { max: 32 }.into()));
    // Objects side by side are no deeper than one.
    assert!(value(&format!("[{}{{}}]", "{}, ".repeat(64))).is_ok());
}

#[test]
fn a_number_is_exact_or_refused() {
    let exact = [
        ("98.7", "98.7"),
        ("98.7000", "98.7"),
        ("4", "4"),
        ("4.0", "4"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("0.0001", "0.0001"),
        ("-0.0001", "-0.0001"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775807.0", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("922337203685477.5807", "922337203685477.5807"),
        ("-922337203685477.5808", "-922337203685477.5808"),
    ];
    for (written, shown) in exact {
        let Value::Number(number) = value(written).expect(written) else { panic!("{written} is no number") };
        assert_eq!(number.to_string(), shown, "{written}");
        assert_eq!(written.parse(), Ok(number), "{written} as text");
        assert_eq!(shown.parse(), Ok(number), "{written}, shown");
    }

    let refused = [
        "1e3",
        "1E3",
        "1e0",
        "1.5e1",
        "0.00001",
        "98.70000",
        "9223372036854775808",
        "-9223372036854775809",
        "922337203685477.5808",
        "-922337203685477.5809",
        "9223372036854775807.5",
        "1e400",
    ];
    let refused = refused.map(str::to_owned).into_iter().chain(["9".repeat(60_000)]);
    for written in refused {
        let error = written.parse::<Number>().expect_err(&written);
        assert_eq!(error.found, Found::new(&written));
        assert_eq!(value(&written), Err(error.into()), "{written}");
    }

    for written in ["NaN", "Infinity", "-Infinity", "01", "-01", "+1", ".5", "5.", "-", "--1", "1_000", "0x10", "1,5"] {
        assert!(is_syntax(&read(&format!(r#"{{"a": {written}}}"#))), "{written}");
        assert!(written.parse::<Number>().is_err(), "{written} as text");
    }
    for text in ["", " 1", "1 ", "1.", "1.-5", "1.+5", "١"] {
        assert!(text.parse::<Number>().is_err(), "{text:?} as text");
    }
}

#[test]
fn a_number_is_an_integer_a_decimal_or_both() {
    for (written, integer, decimal) in [
        ("4.0", Some(4), true),
        ("98.7", None, true),
        ("922337203685477.5807", None, true),
        ("922337203685477", Some(922_337_203_685_477), true),
        ("922337203685478", Some(922_337_203_685_478), false),
        ("9223372036854775807", Some(i64::MAX), false),
        ("-9223372036854775808", Some(i64::MIN), false),
    ] {
        let number: Number = written.parse().expect(written);
        assert_eq!((number.as_integer(), number.is_decimal()), (integer, decimal), "{written}");
    }
    let rising: Vec<Number> = ["-1", "-0.5", "0", "0.5", "1", "10"].map(|text| text.parse().unwrap()).to_vec();
    assert!(rising.is_sorted_by(|one, other| one < other));
}

#[test]
fn a_text_is_what_its_escapes_say() {
    let same = [
        (r#""\u00e9""#, "é"),
        (r#""\ud83d\ude00""#, "😀"),
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r#""\u0000""#, "\0"),
        ("\"\u{7f}\u{2028}\u{fffe}\"", "\u{7f}\u{2028}\u{fffe}"),
        (r#""""#, ""),
    ];
    for (json, text) in same {
        assert_eq!(value(json), Ok(Value::Text(text.to_owned())), "{json}");
    }
    let refused = [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800\u0041""#,
        r#""\ude00\ud83d""#,
        r#""\x41""#,
        r#""\u12""#,
        r#""\U0041""#,
        "\"\n\"",
        "\"\t\"",
        "\"\0\"",
        "'a'",
        r#""a"#,
        r#"{"\ud800": 1}"#,
    ];
    for json in refused {
        assert!(is_syntax(&read(&format!(r#"{{"a": {json}}}"#))), "{json:?}");
    }
    // Texts are bytes: what looks the same is not.
    assert_ne!(args("{\"a\": \"\u{e9}\"}").digest(), args("{\"a\": \"e\u{301}\"}").digest());
}

#[test]
fn what_is_not_an_object_is_named() {
    for (json, found) in [
        ("null", "null"),
        ("true", "boolean"),
        ("7", "integer"),
        ("7.5", "decimal"),
        (r#""{}""#, "text"),
        ("[{}]", "list"),
    ] {
        assert_eq!(read(json), Err(ArgumentsError::NotAnObject { found }), "{json}");
    }
}

#[test]
fn strict_json_is_read_and_nothing_else() {
    for json in ["{}", " \t\r\n{ \"a\" : [ ] } \n", r#"{"": {"": [[], {}, null]}}"#, r#"{"a":1,"A":2," a":3}"#] {
        assert!(read(json).is_ok(), "{json:?}");
    }
    let refused = [
        "",
        " ",
        "{",
        "}",
        "{}{}",
        "{} x",
        "{,}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{,"a":1}"#,
        r#"{"a" 1}"#,
        r#"{a:1}"#,
        "{'a':1}",
        r#"{1:1}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":[1 2]}"#,
        r#"{"a":[1}"#,
        r#"{"a":TRUE}"#,
        r#"{"a":tru}"#,
        r#"{"a":nul}"#,
        r#"{"a":1}//"#,
        r#"/**/{"a":1}"#,
        "\u{feff}{}",
        "\u{a0}{}",
        "\u{c}{}",
        "{\"a\":1}\0",
        r#"{"a":undefined}"#,
        r#"{"a":1;"b":2}"#,
        r#"{"a"::1}"#,
        r#"{"a":"b" "c"}"#,
    ];
    for json in refused {
        assert!(is_syntax(&read(json)), "{json:?}");
    }
}

#[test]
fn a_syntax_error_is_found_in_the_line_where_it_is() {
    for json in ["{\n\n\"a\": 01\n}", "{\n\"a\": {\n\"b\": tru }}", "{\n\"a\": {\n\"b\": \"\\ud800\"\n}}"] {
        let Err(ArgumentsError::Json(JsonError::Syntax { line, .. })) = read(json) else { panic!("{json}") };
        assert_eq!(line, 3, "{json}");
    }
}

/// A JSON value, as the test knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tree {
    Null,
    Bool(bool),
    /// In ten-thousandths.
    Number(i64),
    Text(String),
    List(Vec<Tree>),
    Record(BTreeMap<String, Tree>),
}

/// Any value, of parts so few that equal and almost equal values are common.
fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        select(vec![0, 10_000, -10_000, 987_000, 1, i64::MAX]).prop_map(Tree::Number),
        select(vec!["", "a", "b", "null", "1", "é\"\\\n"]).prop_map(|text| Tree::Text(text.to_owned())),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = select(vec!["", "a", "b", "é"]).prop_map(str::to_owned);
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Tree::List), btree_map(name, inner, 0..4).prop_map(Tree::Record)]
    })
}

/// Arguments of one or two members.
fn object() -> impl Strategy<Value = BTreeMap<String, Tree>> {
    btree_map(select(vec!["a", "b"]).prop_map(str::to_owned), tree(), 0..3)
}

/// Writes values in one of many spellings, as the choices say.
struct Pen<'a>(std::iter::Cycle<std::slice::Iter<'a, u8>>);

impl<'a> Pen<'a> {
    fn new(choices: &'a [u8]) -> Self {
        Self(choices.iter().cycle())
    }

    fn choose(&mut self, among: usize) -> usize {
        usize::from(*self.0.next().expect("a choice")) % among
    }

    fn space(&mut self) -> &'static str {
        ["", "", " ", "\n\t"][self.choose(4)]
    }

    fn tree(&mut self, tree: &Tree) -> String {
        let (before, after) = (self.space(), self.space());
        let written = match tree {
            Tree::Null => "null".to_owned(),
            Tree::Bool(value) => value.to_string(),
            Tree::Number(units) => self.number(*units),
            Tree::Text(text) => self.text(text),
            Tree::List(items) => {
                format!("[{}]", items.iter().map(|item| self.tree(item)).collect::<Vec<_>>().join(","))
            }
            Tree::Record(members) => self.record(members),
        };
        format!("{before}{written}{after}")
    }

    fn number(&mut self, units: i64) -> String {
        let (sign, units) = (if units < 0 { "-" } else { "" }, units.unsigned_abs());
        let sign = if units == 0 { ["", "-"][self.choose(2)] } else { sign };
        let fraction = format!("{:04}", units % 10_000);
        let least = fraction.trim_end_matches('0').len();
        match (least + self.choose(5)).min(4) {
            0 => format!("{sign}{}", units / 10_000),
            digits => format!("{sign}{}.{}", units / 10_000, &fraction[..digits]),
        }
    }

    fn text(&mut self, text: &str) -> String {
        let escape = |pen: &mut Self, letter: char| match letter {
            '"' | '\\' | '\n' => format!("\\u{:04x}", u32::from(letter)),
            _ if pen.choose(3) == 0 => format!("\\u{:04X}", u32::from(letter)),
            _ => letter.to_string(),
        };
        format!("\"{}\"", text.chars().map(|letter| escape(self, letter)).collect::<String>())
    }

    fn record(&mut self, members: &BTreeMap<String, Tree>) -> String {
        let mut written: Vec<String> = Vec::new();
        for (name, value) in members {
            let member = format!("{}:{}", self.text(name), self.tree(value));
            let place = self.choose(written.len() + 1);
            written.insert(place, member);
        }
        format!("{{{}}}", written.join(","))
    }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn a_value_has_one_digest_however_it_is_written(
        object in object(),
        one in vec(any::<u8>(), 64),
        other in vec(any::<u8>(), 64),
    ) {
        let (one, other) = (Pen::new(&one).record(&object), Pen::new(&other).record(&object));
        let (first, second) = (args(&one), args(&other));
        prop_assert_eq!(&first, &second, "{} and {}", one, other);
        prop_assert_eq!(first.digest(), second.digest());
    }

    #[test]
    fn digests_are_equal_exactly_when_values_are(objects in vec(object(), 12)) {
        let read: Vec<_> = objects.iter().map(|object| args(&Pen::new(&[0]).record(object))).collect();
        for (one, first) in objects.iter().zip(&read) {
            for (other, second) in objects.iter().zip(&read) {
                prop_assert_eq!(one == other, first.digest() == second.digest(), "{:?} and {:?}", one, other);
                prop_assert_eq!(one == other, first == second);
            }
        }
    }

    #[test]
    fn no_text_panics_and_every_error_can_be_shown(
        bytes in vec(any::<u8>(), 0..200),
        object in object(),
        spelling in vec(any::<u8>(), 16),
        at in any::<prop::sample::Index>(),
        letter in select(br#"{}[]":,\-0.eun"#.as_slice()),
    ) {
        let mut mutated = Pen::new(&spelling).record(&object).into_bytes();
        let place = at.index(mutated.len());
        mutated[place] = letter;
        for text in [String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&mutated)] {
            for text in [text.as_ref(), &format!(r#"{{"a": {text}}}"#)] {
                if let Err(error) = read(text) {
                    let shown = error.to_string();
                    prop_assert!(shown.len() < 800 && !shown.contains(char::is_control), "{}", shown);
                }
            }
        }
    }
}

#[test]
fn values_that_are_easily_confused_have_different_digests() {
    let texts = [
        "{}",
        r#"{"a": null}"#,
        r#"{"a": false}"#,
        r#"{"a": 0}"#,
        r#"{"a": ""}"#,
        r#"{"a": "0"}"#,
        r#"{"a": []}"#,
        r#"{"a": {}}"#,
        r#"{"a": [null]}"#,
        r#"{"a": [[]]}"#,
        r#"{"a": ["ab"]}"#,
        r#"{"a": ["a", "b"]}"#,
        r#"{"a": ["b", "a"]}"#,
        r#"{"a": [["a"], "b"]}"#,
        r#"{"a": [["a", "b"]]}"#,
        r#"{"ab": ""}"#,
        r#"{"a": "b"}"#,
        r#"{"a": {"b": ""}}"#,
        r#"{"a": 1}"#,
        r#"{"a": 0.0001}"#,
        r#"{"a": -1}"#,
        r#"{"a": null, "b": null}"#,
    ];
    let digests: std::collections::BTreeSet<_> = texts.iter().map(|text| *args(text).digest()).collect();
    assert_eq!(digests.len(), texts.len());
    assert_eq!(args("{}").digest(), Arguments::none().digest());
}

/// A tool with one argument.
fn tool(kind: ArgumentType, required: bool) -> Tool {
    let (tool, name) = (Tool::new("t".parse().unwrap(), ActionClass::Read), "a".parse().unwrap());
    if required { tool.required(name, kind) } else { tool.optional(name, kind) }.unwrap()
}

#[test]
fn an_argument_has_the_declared_type_or_is_refused_with_both_named() {
    use ArgumentType::{Bool, Integer, Integers, Number, Opaque, Text, Texts};
    let fits = [
        (Bool, "true"),
        (Integer, "7"),
        (Integer, "7.0"),
        (Integer, "9223372036854775807"),
        (Number, "7"),
        (Number, "98.7"),
        (Number, "922337203685477.5807"),
        (Text, r#""""#),
        (Texts, "[]"),
        (Texts, r#"["a", "a"]"#),
        (Integers, "[]"),
        (Integers, "[1, 1.0, -7]"),
        (Opaque, "7"),
        (Opaque, r#"{"a": [1, "b"]}"#),
        (Opaque, "[1, null]"),
    ];
    for (kind, json) in fits {
        for required in [true, false] {
            assert_eq!(tool(kind, required).check(&args(&format!(r#"{{"a": {json}}}"#))), Ok(()), "{kind:?}: {json}");
        }
    }
    let differs = [
        (Bool, r#""true""#, "a boolean", "text"),
        (Bool, "1", "a boolean", "integer"),
        (Integer, "7.5", "an integer", "decimal"),
        (Integer, r#""7""#, "an integer", "text"),
        (Number, "true", "a number of at most 922337203685477.5807", "boolean"),
        (Number, r#""7""#, "a number of at most 922337203685477.5807", "text"),
        // An integer that no `decimal` can hold.
        (Number, "922337203685478", "a number of at most 922337203685477.5807", "integer"),
        (Text, "7", "a text", "integer"),
        (Text, r#"["a"]"#, "a text", "list"),
        (Texts, r#""a""#, "a list of texts", "text"),
        (Texts, r#"["a", 1]"#, "a list of texts", "list"),
        (Texts, r#"["a", null]"#, "a list of texts", "list"),
        (Texts, r#"[["a"]]"#, "a list of texts", "list"),
        (Integers, "[1.5]", "a list of integers", "list"),
        (Integers, "{}", "a list of integers", "object"),
    ];
    for (kind, json, want, found) in differs {
        let (tool_name, argument) = ("t".parse().unwrap(), "a".parse().unwrap());
        let error = ToolError::Type { tool: tool_name, argument, want, found };
        for required in [true, false] {
            let checked = tool(kind, required).check(&args(&format!(r#"{{"a": {json}}}"#)));
            assert_eq!(checked, Err(error.clone()), "{kind:?}: {json}");
        }
    }
}

#[test]
fn an_argument_may_be_left_out_where_it_is_optional_and_nowhere_else() {
    let kinds = [
        ArgumentType::Bool,
        ArgumentType::Integer,
        ArgumentType::Number,
        ArgumentType::Text,
        ArgumentType::Texts,
        ArgumentType::Integers,
        ArgumentType::Opaque,
    ];
    let missing = || ToolError::Missing { tool: "t".parse().unwrap(), argument: "a".parse().unwrap() };
    for kind in kinds {
        assert_eq!(tool(kind, false).check(&args("{}")), Ok(()), "{kind:?}");
        assert_eq!(tool(kind, false).check(&args(r#"{"a": null}"#)), Ok(()), "{kind:?}");
        assert_eq!(tool(kind, true).check(&args("{}")), Err(missing()), "{kind:?}");
        let null = tool(kind, true).check(&args(r#"{"a": null}"#));
        // Anything at all is what an opaque argument may be.
        assert_eq!(null.is_ok(), kind == ArgumentType::Opaque, "{kind:?}: {null:?}");
    }
}

#[test]
fn an_argument_that_is_not_declared_is_refused() {
    for name in ["b", "A", "a ", "", "ä", "a.a"] {
        let json = serde_json::json!({ "a": true, name: true }).to_string();
        let error = ToolError::Undeclared { tool: "t".parse().unwrap(), argument: Found::new(name) };
        assert_eq!(tool(ArgumentType::Bool, false).check(&args(&json)), Err(error), "{name:?}");
    }
    let twice = tool(ArgumentType::Bool, false).optional("a".parse().unwrap(), ArgumentType::Text);
    assert_eq!(twice, Err(ToolError::Duplicate { tool: "t".parse().unwrap(), argument: "a".parse().unwrap() }));
}
