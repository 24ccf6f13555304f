//! Random actions over the world's tools, from pools so small that they meet, and how properties are run.

use std::cell::Cell;

use bailiwick::mandate::Action;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::world::{args, session};

/// So many cases; a failure prints the smallest one and leaves no file behind.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Runs a property that counts on the side how often it said something.
pub(crate) fn hold_often<S: Strategy>(
    (cases, often): (u32, u32),
    strategy: S,
    law: impl Fn(S::Value) -> Result<bool, TestCaseError>,
) {
    let telling = Cell::new(0);
    let mut runner = TestRunner::new(self::cases(cases));
    let outcome = runner.run(&strategy, |input| {
        telling.set(telling.get() + u32::from(law(input)?));
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(telling.get() >= often, "only {} of {cases} cases said something", telling.get());
}

/// The world's tools and their arguments.
pub(crate) const TOOLS: &[(&str, &[&str])] = &[
    ("ticket.read", &[]),
    ("web.fetch", &["url"]),
    ("ticket.close", &["reason"]),
    ("ticket.purge", &[]),
    ("money.send", &["recipient", "amount"]),
    ("role.grant", &[]),
    ("everything", &["flag", "count", "sum", "text", "texts", "counts", "blob"]),
];

pub(crate) const RESOURCES: &[&str] = &["ticket/T-42", "ticket/T-43", "account/ours"];

/// Values that calls give to an argument, as JSON.
pub(crate) fn values(argument: &str) -> &'static [&'static str] {
    match argument {
        "flag" => &["true", "false", "null"],
        "count" => &["0", "1", "7", "null"],
        "sum" | "amount" => &["-1", "1", "2.5", "10"],
        "texts" => &[r#"[]"#, r#"["a"]"#, r#"["a", "b"]"#],
        "counts" => &["[]", "[1]", "[1, 7]"],
        "blob" => &[
            "null",
            "[]",
            "true",
            "-1",
            "0",
            "1",
            "2.5",
            "7",
            "10",
            r#""a""#,
            r#""b""#,
            "[1, 7]",
            r#"["a"]"#,
            r#"{"x": 1}"#,
        ],
        _ => &[r#""a""#, r#""b""#],
    }
}

/// Any action of Ada's or the agent's own; most calls fit their tool.
pub(crate) fn action() -> impl Strategy<Value = Action> {
    let with_arguments: Vec<_> = TOOLS.iter().copied().filter(|(_, names)| !names.is_empty()).collect();
    let tool = prop_oneof![select(TOOLS), select(with_arguments)];
    (tool, any::<bool>(), select(RESOURCES)).prop_flat_map(|((tool, names), autonomous, resource)| {
        let given = names.iter().map(|name| proptest::option::weighted(0.8, select(values(name)))).collect::<Vec<_>>();
        given.prop_map(move |given| {
            let members = names.iter().zip(given).filter_map(|(name, value)| Some(format!(r#""{name}": {}"#, value?)));
            let json = format!("{{{}}}", members.collect::<Vec<_>>().join(", "));
            let resource = resource.to_owned().try_into().expect("a resource");
            let action = if autonomous {
                Action::autonomous(tool, &resource)
            } else {
                Action::on_behalf_of(&session("ada"), tool, &resource)
            };
            action.expect("an action").with(args(&json))
        })
    })
}

/// So many actions of every kind.
pub(crate) fn actions(count: usize) -> Vec<Action> {
    let tree = proptest::collection::vec(action(), count).new_tree(&mut TestRunner::default());
    tree.expect("actions").current()
}

/// Takes one of them out, if there is any.
pub(crate) fn take<T>(from: &mut Vec<T>, index: &Index) -> Option<T> {
    (!from.is_empty()).then(|| from.swap_remove(index.index(from.len())))
}
