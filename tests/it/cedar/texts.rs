//! The extension types and `like`, held against Cedar on texts that are nearly right.

use std::cell::Cell;

use bailiwick::policy::compiled::{Compiled, Entities, EntityUid, Name, Record, Value};
use cedar_policy::pst::PatternElem;
use cedar_policy::{Context, EvalResult, Expression, Request, RestrictedExpression, eval_expression};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;

use super::spelling::{addresses, datetimes, decimals, durations, fill, pattern_source};
use crate::any::cases;

const CASES: u32 = 1_500;

/// What an expression comes to; an error is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Bool(bool),
    Long(i64),
}

/// Expressions over the texts `context.a` and `context.b`, each as the condition of a policy: that it is true, or that it
/// is the number that Cedar says.
struct Claims {
    expressions: Vec<(&'static str, Expression)>,
    compiled: Compiled,
}

impl Claims {
    fn new(texts: &[&'static str]) -> Self {
        let policy = |text: &&str| {
            format!("permit(principal, action, resource) when {{ [true, context.number].contains({text}) }};")
        };
        let compiled = Compiled::parse(&texts.iter().map(policy).collect::<String>()).unwrap();
        Self { expressions: texts.iter().map(|text| (*text, text.parse().unwrap())).collect(), compiled }
    }

    fn hold(&self, a: &str, b: &str, seen: &mut dyn FnMut(usize, Option<Answer>)) -> Result<(), TestCaseError> {
        let request = request(a, b);
        for (place, (text, expression)) in self.expressions.iter().enumerate() {
            let wanted = cedar(&request, expression);
            let number = if let Some(Answer::Long(number)) = wanted { number } else { 0 };
            let (holds, fails) =
                ours(&self.compiled, &[("a", a.into()), ("b", b.into()), ("number", number.into())], place);
            let expected = (matches!(wanted, Some(Answer::Bool(true) | Answer::Long(_))), wanted.is_none());
            prop_assert_eq!((holds, fails), expected, "{} of a = {:?}, b = {:?}", text, a, b);
            seen(place, wanted);
        }
        Ok(())
    }
}

fn request(a: &str, b: &str) -> Request {
    let text = |name: &str, text: &str| (name.to_owned(), RestrictedExpression::new_string(text.to_owned()));
    let uid: cedar_policy::EntityUid = r#"A::"a""#.parse().unwrap();
    let context = Context::from_pairs([text("a", a), text("b", b)]).unwrap();
    Request::new(uid.clone(), uid.clone(), uid, context, None).unwrap()
}

fn cedar(request: &Request, expression: &Expression) -> Option<Answer> {
    match eval_expression(request, &cedar_policy::Entities::empty(), expression).ok()? {
        EvalResult::Bool(answer) => Some(Answer::Bool(answer)),
        EvalResult::Long(answer) => Some(Answer::Long(answer)),
        other => panic!("an expression of these tests came to {other:?}"),
    }
}

/// Whether a policy is satisfied, and whether it fails.
fn ours(policies: &Compiled, context: &[(&str, Value)], place: usize) -> (bool, bool) {
    let uid = EntityUid::new(Name::new("A"), "a");
    let context: Record = context.iter().map(|(name, value)| (Name::new(name), value.clone())).collect();
    let entities = Entities::none();
    let response = policies.evaluate(&uid, &uid, &uid, &context, &entities);
    let id = format!("policy{place}");
    (response.determining().any(|own| own == id), response.failed().any(|own| own == id))
}

/// Holds every claim on pairs of texts, some of them twins; each must have come to every kind of answer, often.
fn hold(texts: &(impl Strategy<Value = String> + Clone), claims: &[&'static str]) {
    let claims = Claims::new(claims);
    let seen: Vec<[Cell<u32>; 3]> = claims.expressions.iter().map(|_| <[Cell<u32>; 3]>::default()).collect();
    let pairs = (texts.clone(), texts.clone(), prop::bool::weighted(0.1));
    let pairs = pairs.prop_map(|(a, b, twins)| if twins { (a.clone(), a) } else { (a, b) });
    let law = |(a, b): (String, String)| {
        claims.hold(&a, &b, &mut |place, answer| {
            let kind = match answer {
                None => 0,
                Some(Answer::Bool(false)) => 1,
                Some(Answer::Bool(true) | Answer::Long(_)) => 2,
            };
            seen[place][kind].set(seen[place][kind].get() + 1);
        })
    };
    TestRunner::new(cases(CASES)).run(&pairs, law).unwrap_or_else(|failure| panic!("{failure}"));
    for ((text, _), [errors, falsehoods, values]) in claims.expressions.iter().zip(&seen) {
        let enough = |seen: &Cell<u32>| seen.get() >= CASES / 100;
        let is_number = falsehoods.get() == 0;
        assert!(enough(errors) && enough(values) && (is_number || enough(falsehoods)), "{text} hardly told anything");
    }
}

#[test]
fn decimals_are_cedars() {
    hold(
        &decimals(),
        &[
            "decimal(context.a) == decimal(context.b)",
            "decimal(context.a).lessThan(decimal(context.b))",
            "decimal(context.a).lessThanOrEqual(decimal(context.b))",
            "decimal(context.a).greaterThan(decimal(context.b))",
            "decimal(context.a).greaterThanOrEqual(decimal(context.b))",
        ],
    );
}

#[test]
fn datetimes_are_cedars() {
    hold(
        &datetimes(),
        &[
            r#"datetime(context.a).durationSince(datetime("1970-01-01")).toMilliseconds()"#,
            "datetime(context.a).durationSince(datetime(context.b)).toMilliseconds()",
            "datetime(context.a) == datetime(context.b)",
            "datetime(context.a) < datetime(context.b)",
            "datetime(context.a) <= datetime(context.b)",
            "datetime(context.a).toTime().toMilliseconds()",
            r#"datetime(context.a).toDate().durationSince(datetime("1970-01-01")).toMilliseconds()"#,
        ],
    );
}

#[test]
fn durations_are_cedars() {
    hold(
        &durations(),
        &[
            "duration(context.a).toMilliseconds()",
            "duration(context.a).toSeconds()",
            "duration(context.a).toMinutes()",
            "duration(context.a).toHours()",
            "duration(context.a).toDays()",
            "duration(context.a) == duration(context.b)",
            "duration(context.a) < duration(context.b)",
            "duration(context.a) <= duration(context.b)",
            r#"datetime("2024-02-29").offset(duration(context.a)).durationSince(datetime("1970-01-01")).toMilliseconds()"#,
            r#"datetime("1970-01-01").offset(duration(context.a)).offset(duration(context.b)).durationSince(datetime("1970-01-01")).toMilliseconds()"#,
            r#"datetime("1970-01-01").offset(duration(context.a)).durationSince(datetime("1970-01-01").offset(duration(context.b))).toMilliseconds()"#,
            r#"datetime("1970-01-01").offset(duration(context.a)).toDate().durationSince(datetime("1970-01-01")).toMilliseconds()"#,
            r#"datetime("1970-01-01").offset(duration(context.a)).toTime().toMilliseconds()"#,
        ],
    );
}

#[test]
fn addresses_are_cedars() {
    hold(
        &addresses(),
        &[
            "ip(context.a) == ip(context.b)",
            "ip(context.a).isInRange(ip(context.b))",
            "ip(context.a).isIpv4()",
            "ip(context.a).isIpv6()",
            "ip(context.a).isLoopback()",
            "ip(context.a).isMulticast()",
        ],
    );
}

/// Few patterns would leave much unseen, many would be parsed for long: so each is held against many texts.
#[test]
fn patterns_are_cedars() {
    const TEXTS: usize = 20;
    let matched = Cell::new(0);
    let letters = || select(vec!['a', 'b', 'ä', '💡', '*', '\\', '"']);
    let pieces = vec(prop_oneof![2 => letters().prop_map(PatternElem::Char), 1 => Just(PatternElem::Wildcard)], 0..9);
    // A text is drawn freely, or made from the pattern so that it nearly fits.
    let text = (vec(letters(), 0..12), vec(vec(letters(), 0..4), 9), any::<Index>(), 0..4_u8);
    type Text = (Vec<char>, Vec<Vec<char>>, Index, u8);
    let law = |(elements, texts): (Vec<PatternElem>, Vec<Text>)| {
        let like = format!(r#"context.a like "{}""#, pattern_source(&elements));
        let compiled = Compiled::parse(&format!("permit(principal, action, resource) when {{ {like} }};")).unwrap();
        let expression: Expression = like.parse().unwrap();
        for (free, filling, at, kind) in texts {
            let mut text: String = if kind == 0 { free.iter().collect() } else { fill(&elements, &filling) };
            if kind == 1 {
                let at = at.index(text.chars().count() + 1);
                text = text.chars().enumerate().filter(|(index, _)| *index != at).map(|(_, letter)| letter).collect();
            }
            let wanted = cedar(&request(&text, ""), &expression) == Some(Answer::Bool(true));
            let found = ours(&compiled, &[("a", text.as_str().into())], 0);
            prop_assert_eq!(found, (wanted, false), "{:?} like {:?}", text, elements);
            matched.set(matched.get() + u32::from(wanted));
        }
        Ok(())
    };
    TestRunner::new(cases(CASES)).run(&(pieces, vec(text, TEXTS)), law).unwrap_or_else(|failure| panic!("{failure}"));
    let all = CASES * u32::try_from(TEXTS).unwrap();
    assert!((all / 5..all * 9 / 10).contains(&matched.get()), "{} of {all} match", matched.get());
}

/// Corners that chance may pass by: what is written shortest, and what is refused.
#[test]
fn corners_are_cedars() {
    let zeros = format!("{}1.0", "0".repeat(70_000));
    let long = format!("{}1d", "0".repeat(70_000));
    let tables: &[(&'static str, &[&str], &str)] = &[
        ("decimal(context.a) == decimal(context.a)", super::spelling::DECIMALS, &zeros),
        ("duration(context.a).toMilliseconds()", super::spelling::DURATIONS, &long),
        (
            r#"datetime(context.a).durationSince(datetime("1970-01-01")).toMilliseconds()"#,
            super::spelling::DATETIMES,
            "1970-01-01",
        ),
        ("ip(context.a) == ip(context.a)", super::spelling::ADDRESSES, "1.2.3.4"),
    ];
    for (text, corners, another) in tables {
        let claims = Claims::new(&[text]);
        for corner in corners.iter().chain([another]) {
            claims.hold(corner, "", &mut |_, _| {}).unwrap();
        }
    }
}
