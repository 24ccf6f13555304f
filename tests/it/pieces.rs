//! Policies are read one by one, and are the same that Cedar reads in the whole text.

use std::collections::BTreeSet;

use bailiwick::policy::{Evaluator, PolicyError, PolicyName};
use cedar_policy::PolicySet;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::any::hold_often;
use crate::steps::{autonomous, read};
use crate::world::{World, catalog};

/// What may stand between any two words.
const BETWEEN: &[&str] = &[
    " ",
    "\n",
    "\r\n",
    "\t",
    "\u{a0}",
    "\u{2028}",
    "// a comment; with \" one quote\n",
    "// permit(principal, action, resource);\r\n",
    "// it ends with a carriage return \\\"\r",
    "//\n",
    "/////// \u{e9}\u{1f512} {([\n",
];

/// Texts that no ticket has as its name.
const TEXTS: &[&str] = &[
    "\"\"",
    "\";\"",
    "\"; permit(principal, action, resource);\"",
    "\"// no comment\"",
    "\"\\\"; // \\\" ;\"",
    "\"\\\\\"",
    "\"\\\\\\\";\"",
    "\"\\u{1F512};\"",
    "\"caf\u{e9};\"",
    "\"a\nb;\nc\"",
    "\"({[\"",
];

/// What does not belong there.
const DAMAGE: &[&str] =
    &[";", "\"", "\\", "//", "/", "\"\\\n", "(", "}", "@id(\"p0\")", "permit", "\u{feff}", "?principal", "\0", "\r"];

/// A policy under this number that permits every read of the ticket, and what stands before it.
fn policy() -> impl Strategy<Value = (Vec<&'static str>, &'static str)> {
    (vec(select(BETWEEN), 5), select(TEXTS))
}

fn text(policies: &[(Vec<&str>, &str)]) -> String {
    let one = |(number, (between, name)): (usize, &(Vec<&str>, &str))| {
        let words = [
            format!("@id(\"p{number}\") @allow(\"broad-administration\")"),
            "permit(principal, action, resource)".to_owned(),
            "when {".to_owned(),
            format!("resource.name != {name} }}"),
            ";".to_owned(),
        ];
        between.iter().zip(words).map(|(between, word)| format!("{between}{word}")).collect::<String>()
    };
    policies.iter().enumerate().map(one).collect()
}

/// The names of all policies, by Cedar; `None` where it does not read the text.
fn named_by_cedar(text: &str) -> Option<Vec<String>> {
    let set: PolicySet = text.parse().ok()?;
    Some(set.policies().map(|policy| policy.annotation("id").unwrap_or_default().to_owned()).collect())
}

/// The names of the policies that permit a read of the ticket.
fn permitting(text: &str) -> BTreeSet<String> {
    let world = World::new(text);
    let verdict = world.task(autonomous(&["ticket.read"])).verdict(&read()).expect("a clock");
    verdict.policies.iter().map(|name| PolicyName::as_str(name).to_owned()).collect()
}

fn is_read_as_cedar_reads(text: &str) -> Result<bool, TestCaseError> {
    let loaded = Evaluator::new(catalog(), text);
    let Some(names) = named_by_cedar(text) else {
        prop_assert!(loaded.is_err(), "Cedar does not read {text:?}");
        return Ok(false);
    };
    let unique: BTreeSet<String> = names.iter().cloned().collect();
    match loaded {
        Ok(_) => {
            prop_assert_eq!(unique.len(), names.len());
            prop_assert_eq!(permitting(text), unique, "{:?}", text);
        }
        Err(PolicyError::Cedar(message)) => prop_assert!(false, "Cedar reads {text:?}: {message}"),
        Err(_) => {}
    }
    Ok(true)
}

#[test]
fn every_policy_is_read_whatever_stands_in_texts_and_comments() {
    let input = (vec(policy(), 0..5), select(BETWEEN));
    hold_often((60, 60), input, |(policies, behind)| {
        let text = format!("{}{behind}", text(&policies));
        let read = is_read_as_cedar_reads(&text)?;
        prop_assert_eq!(permitting(&text).len(), policies.len(), "{:?}", text);
        Ok(read)
    });
}

#[test]
fn a_text_is_read_where_cedar_reads_it() {
    let input = (vec(policy(), 1..4), any::<prop::sample::Index>(), select(DAMAGE));
    hold_often((120, 10), input, |(policies, place, damage)| {
        let mut text = text(&policies);
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        text.insert_str(places[place.index(places.len())], damage);
        is_read_as_cedar_reads(&text)
    });
}

#[test]
fn a_policy_that_cannot_be_read_is_named_by_its_line() {
    let text =
        "// nothing\n@id(\"a\") permit(principal, action, resource);\r\n\n// here:\n@id(\"b\")\npermit(principal);";
    let error = Evaluator::new(catalog(), text).expect_err("half a scope").to_string();
    assert!(error.contains("the policy on line 5: "), "{error}");
}
