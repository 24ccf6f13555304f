//! The bounds on policy text: what is over them is refused before Cedar sees it, what is within them is decided on any
//! thread, and nothing stops the process.

use std::process::Command;
use std::thread;

use bailiwick::mandate::{Action, Grant, Scope};
use bailiwick::policy::compiled::Compiled;
use bailiwick::policy::{Evaluator, Limit, PolicyError, ReasonCode, TextError};

use crate::world::{World, catalog, ticket};

/// The stack that Rust gives a thread unless told otherwise.
const SMALL: usize = 2 * 1024 * 1024;

fn on_a_stack<T: Send + 'static>(bytes: usize, run: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new().stack_size(bytes).spawn(run).expect("a thread").join().expect("no panic")
}

/// The beginning of the policy `p`, which may permit everything.
const HEAD: &str =
    r#"@id("p") @allow("unconditional-permit broad-administration") permit(principal, action, resource)"#;

/// The policy `p`, under this condition.
fn when(condition: &str) -> String {
    format!("{HEAD} when {{ {condition} }};")
}

/// What is said of an autonomous read under these policies: `None` where it is permitted.
fn decide(text: &str) -> Result<Option<ReasonCode>, PolicyError> {
    Evaluator::new(catalog(), text)?;
    let world = World::new(text);
    let task = world.task(Scope::new().allow("ticket.read", Grant::new().autonomous()).expect("a tool name"));
    let action = Action::autonomous("ticket.read", &ticket()).expect("a tool name");
    Ok(task.authorize(&action).err().map(|denial| denial.code()))
}

/// Text of exactly `count` of what `limit` bounds, which permits everything, and how many brackets or operators are in
/// it before the repeated part.
fn sized(limit: Limit, shape: &str, count: usize) -> String {
    match (limit, shape) {
        (Limit::Bytes, _) => {
            let text = when("true");
            let rest = count - text.len();
            format!("{text}{}", " ".repeat(rest))
        }
        // The braces of the condition are one level, and `when` is one operator.
        (Limit::Nesting, "(") => when(&format!("{}true{}", "(".repeat(count - 1), ")".repeat(count - 1))),
        (Limit::Nesting, "[") => {
            when(&format!("{0}true{1} == {0}true{1}", "[".repeat(count - 1), "]".repeat(count - 1)))
        }
        (Limit::Nesting, "{") => {
            when(&format!("{0}true{1} == {0}true{1}", "{a: ".repeat(count - 1), "}".repeat(count - 1)))
        }
        (Limit::Nesting, "!(") => when(&format!("!!{}true{}", "!!(".repeat(count - 1), ")".repeat(count - 1))),
        (Limit::Nesting, "-(") => when(&format!("{}0{} == 0", "-(".repeat(count - 1), ")".repeat(count - 1))),
        (Limit::Nesting, "if") => {
            when(&format!("{}true{}", "(if ".repeat(count - 1), " then true else false)".repeat(count - 1)))
        }
        (Limit::Nesting, ".contains(") => {
            when(&format!("{}true{}", "[true].contains(".repeat(count - 1), ")".repeat(count - 1)))
        }
        (Limit::Nesting, "mixed") => {
            let (open, close) = ("if 1 + 2 * -3 < 4 && true || (", ") then true else false");
            when(&format!("{}true{}", open.repeat(count - 1), close.repeat(count - 1)))
        }
        (Limit::Operators, "&&") => {
            when(&format!("{}context has mode", "context has mode && ".repeat((count - 2) / 3)))
        }
        (Limit::Operators, "||") => {
            when(&format!("{}context has mode", "context has operator || ".repeat((count - 2) / 3)))
        }
        (Limit::Operators, "+") => when(&format!("{}1 > 0", "1 + ".repeat(count - 2))),
        (Limit::Operators, "-") => when(&format!("1{} < 1", " - 1".repeat(count - 2))),
        (Limit::Operators, "*") => when(&format!("{}1 > 0", "1 * ".repeat(count - 2))),
        (Limit::Operators, "else if") => when(&format!("{}true", "if false then false else ".repeat(count - 1))),
        (Limit::Operators, "if") => {
            when(&format!("{}true{}", "if ".repeat(count - 1), " then true else false".repeat(count - 1)))
        }
        (Limit::Operators, "then if") => {
            when(&format!("{}true{}", "if true then ".repeat(count - 1), " else false".repeat(count - 1)))
        }
        (Limit::Operators, ".offset()") => {
            when(&format!("context.time < context.time{}", ".offset(duration(\"1h\"))".repeat(count - 4)))
        }
        (Limit::Operators, "when") => {
            let conditions = "when { true }".repeat(count);
            format!("{HEAD} {conditions};")
        }
        _ => panic!("no text of {count} {limit:?} in the shape {shape}"),
    }
}

const SHAPES: [(Limit, &str); 19] = [
    (Limit::Bytes, ""),
    (Limit::Nesting, "("),
    (Limit::Nesting, "["),
    (Limit::Nesting, "{"),
    (Limit::Nesting, "!("),
    (Limit::Nesting, "-("),
    (Limit::Nesting, "if"),
    (Limit::Nesting, ".contains("),
    (Limit::Nesting, "mixed"),
    (Limit::Operators, "&&"),
    (Limit::Operators, "||"),
    (Limit::Operators, "+"),
    (Limit::Operators, "-"),
    (Limit::Operators, "*"),
    (Limit::Operators, "else if"),
    (Limit::Operators, "then if"),
    (Limit::Operators, "if"),
    (Limit::Operators, ".offset()"),
    (Limit::Operators, "when"),
];

#[test]
fn what_is_over_a_bound_is_refused_with_the_bound_and_what_was_found() {
    for (limit, shape) in SHAPES {
        let over = limit.max() + if matches!(shape, "&&" | "||") { 3 } else { 1 };
        let error = Evaluator::new(catalog(), &sized(limit, shape, over)).expect_err(shape);
        assert!(
            matches!(error, PolicyError::Text(TextError { limit: found, .. }) if found == limit),
            "{limit:?} {shape}: {error}"
        );
        assert!(error.to_string().contains(&limit.max().to_string()), "{error}");
    }
    let policies = |count: usize| Evaluator::new(catalog(), &";".repeat(count)).expect_err("no policies");
    let max = Limit::Policies.max();
    let over = policies(max + 1);
    assert!(matches!(over, PolicyError::Text(TextError { limit: Limit::Policies, .. })), "{over}");
    assert!(!matches!(policies(max), PolicyError::Text(_)), "the bound itself is not over it");
}

#[test]
fn policies_that_cedar_has_parsed_have_the_same_bounds() {
    use bailiwick::policy::compiled::Compiled;
    let parsed = |limit, count| -> Result<(), PolicyError> {
        let text = sized(limit, "(", count);
        crate::cedar::deep(|| Compiled::new(&text.parse().expect("Cedar's policies")).map(drop))
    };
    let limit = Limit::Nesting;
    assert_eq!(parsed(limit, limit.max()), Ok(()));
    let over = parsed(limit, limit.max() + 1);
    assert!(matches!(over, Err(PolicyError::Text(TextError { limit: Limit::Nesting, .. }))), "{over:?}");
}

#[test]
fn operators_are_counted_for_each_policy() {
    let text: String =
        (0..100).map(|n| when("1 + 1 + 1 + 1 == 4").replacen("\"p\"", &format!("\"p{n}\""), 1)).collect();
    assert_eq!(decide(&text), Ok(None));
}

#[test]
fn what_stands_in_strings_and_comments_is_not_counted() {
    let many = "((((if a || b == -c.d + [{".repeat(40);
    for text in [
        format!("// {many}\n{}", when("true")),
        format!("{} // {many}", when("true")),
        when(&format!("// \" {many}\n true")),
        when(&format!("context.mode != \"{many}\"")),
        when(&format!("context.mode != \"\\\"{many}\\\\\"")),
        when("true // \"\n"),
        when("context.mode != \"// \""),
    ] {
        assert_eq!(decide(&text), Ok(None), "{text}");
    }
}

#[test]
fn what_is_within_the_bounds_is_decided_on_a_small_thread_as_on_a_large_one_or_denied() {
    let mut failures = Vec::new();
    for (limit, shape) in SHAPES {
        let text = sized(limit, shape, limit.max());
        let answers = [SMALL, 32 * SMALL].map(|stack| {
            let text = text.clone();
            on_a_stack(stack, move || decide(&text))
        });
        let parsed = text.clone();
        let compiles = on_a_stack(SMALL, move || Compiled::parse(&parsed).is_ok());
        // Where a small stack is not enough, it is a denial.
        let small_is_safe = matches!(answers[0], Ok(None | Some(ReasonCode::PolicyFailed)));
        if !compiles || !small_is_safe || answers[1] != Ok(None) {
            failures.push(format!("{limit:?} {shape}: {answers:?}, compiles: {compiles}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Cedar's validator says nothing of what it has no stack to look at.
#[test]
fn what_is_wrong_at_the_bottom_of_the_deepest_policies_is_seen_on_a_small_thread() {
    // The first or the last of these is at the bottom.
    let rows = [
        (Limit::Nesting, "(", "true", true),
        (Limit::Nesting, "mixed", "true)", false),
        (Limit::Operators, "&&", "context has mode", true),
        (Limit::Operators, "||", "context has operator", true),
        (Limit::Operators, "+", "1", true),
        (Limit::Operators, "-", "1", true),
        (Limit::Operators, "*", "1", true),
        (Limit::Operators, "else if", "true", false),
        (Limit::Operators, "then if", "true ", false),
        (Limit::Operators, "if", "true", true),
        (Limit::Operators, ".offset()", "context.time.", true),
    ];
    for (limit, shape, part, is_first) in rows {
        let text = sized(limit, shape, limit.max() - 1);
        let at = if is_first { text.find(part) } else { text.rfind(part) }.expect("a part of the text");
        let wrong = part.replace(part.trim_end_matches(['.', ' ', ')']), "context.nope");
        let text = format!("{}{wrong}{}", &text[..at], &text[at + part.len()..]);
        let answer = on_a_stack(SMALL, move || decide(&text));
        assert!(matches!(answer, Err(PolicyError::Invalid { .. })), "{limit:?} {shape}: {answer:?}");
    }
}

/// Text that means harm, by its name.
fn hostile() -> Vec<(&'static str, String)> {
    let many = 100_000;
    let pair =
        |open: &str, close: &str, count: usize| when(&format!("{}true{}", open.repeat(count), close.repeat(count)));
    // What no bound forbids, though it is as much as they let through and no condition.
    let most = Limit::Operators.max() - 2;
    vec![
        ("as many members as are read", when(&format!("context{}", ".task".repeat(most)))),
        ("as many indices as are read", when(&format!("context{}", "[\"task\"]".repeat(most)))),
        ("as many calls as are read", when(&format!("true{}", ".contains(1)".repeat(most)))),
        ("as many parts of a has as are read", when(&format!("context has task{}", ".task".repeat(most - 1)))),
        ("as many negations as are read", when(&format!("{}true", "!!!!(".repeat(62) + "!!!!" + &")".repeat(62)))),
        ("nested parentheses", pair("(", ")", many)),
        ("nested brackets", pair("[", "]", many)),
        ("nested braces", pair("{a: ", "}", many)),
        ("parentheses that stay open", when(&"(".repeat(many))),
        ("brackets that do not match", when(&"(]".repeat(many))),
        ("brackets closed too often", format!("{}{}", ")".repeat(many), when("true"))),
        ("brackets behind a comment", pair("// (\n(", ")", many)),
        ("brackets behind a comment that ends with a carriage return", pair("// \r(", ")", many)),
        ("brackets behind one comment that ends with a carriage return", when(&format!("// \r{}", "(".repeat(many)))),
        ("brackets behind a string", pair("\"\\\"\" == \"(\" || (", ")", many)),
        ("brackets behind an escaped quote", when(&format!("\"\\\"{}\"", "(".repeat(many)))),
        ("a string that does not end", when(&format!("\"{}", "(".repeat(many)))),
        ("a comment that does not end", format!("{} // {}", when("true"), "(".repeat(many))),
        ("not not not", when(&format!("{}true", "!".repeat(many)))),
        ("minus minus minus", when(&format!("{}1 < 0", "-".repeat(many)))),
        ("if if if", pair("if ", " then true else false", many)),
        ("else if else if", when(&format!("{}true", "if false then false else ".repeat(many)))),
        ("then if then if", when(&format!("{}true{}", "if true then ".repeat(many), " else false".repeat(many)))),
        ("a chain of &&", when(&format!("{}true", "true && ".repeat(many)))),
        ("a chain of ||", when(&format!("{}true", "false || ".repeat(many)))),
        ("a chain of +", when(&format!("{}1 > 0", "1 + ".repeat(many)))),
        ("a chain of members", when(&format!("context{}", ".task".repeat(many)))),
        ("a chain of indices", when(&format!("context{} == 1", "[\"task\"]".repeat(many)))),
        ("a chain of calls", when(&format!("[1]{}", ".contains(1)".repeat(many)))),
        ("a chain of has", when(&format!("context has task{}", ".task".repeat(many)))),
        ("a chain of in", when(&format!("{}principal", "principal in ".repeat(many)))),
        ("a chain of is", when(&format!("principal{}", " is AgentIdentity".repeat(many)))),
        ("many conditions", format!("{HEAD} {};", "when { true }".repeat(many))),
        ("many exceptions", format!("{HEAD} {};", "unless { false }".repeat(many))),
        ("a long path", when(&format!("principal is {}A", "A::".repeat(many)))),
        ("many annotations", format!("{}{}", (0..many).map(|n| format!("@a{n} ")).collect::<String>(), when("true"))),
        ("a large set", when(&format!("[{}].contains(1)", "1,".repeat(many) + "1"))),
        ("many arguments", when(&format!("[1].contains({})", "1,".repeat(many) + "1"))),
        ("semicolons that part an expression", when(&format!("{}true", "true || ;".repeat(1000)))),
        ("a pattern with many wildcards", when(&format!("\"{}\" like \"{}b\"", "a".repeat(1000), "*a".repeat(1000)))),
        ("no text but NUL", "\0".repeat(many)),
        ("letters that are not ASCII", when(&"\u{202e}\u{430}".repeat(many))),
        ("a byte order mark", format!("\u{feff}{}", when("true"))),
    ]
}

/// Each runs on a thread with a small stack, in a process of its own, since what is looked for ends the process.
#[test]
fn no_text_stops_the_process() {
    let mut stopped = Vec::new();
    for (name, _) in hostile() {
        let child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "policy_bounds::one_hostile_text", "--ignored", "--test-threads=1"])
            .env(HOSTILE, name)
            .output()
            .expect("a process");
        if !child.status.success() {
            stopped.push(format!("{name}: {}", child.status));
        }
    }
    assert!(stopped.is_empty(), "the process was stopped by\n{}", stopped.join("\n"));
}

/// Names the text that the child process reads.
const HOSTILE: &str = "BAILIWICK_TEST_HOSTILE_TEXT";

#[test]
#[ignore = "runs in a process of its own: see `no_text_stops_the_process`"]
fn one_hostile_text() {
    let Ok(name) = std::env::var(HOSTILE) else { return };
    let (_, text) = hostile().into_iter().find(|(known, _)| *known == name).expect("a known text");
    // Refused or decided, either is an answer.
    let _ = on_a_stack(SMALL, move || decide(&text));
}
