//! Scopes: what they cover, which is within which, and how they are written.

use std::cell::Cell;

use bailiwick::id::Audience;
use bailiwick::mandate::{
    Action, ActionClass, Beyond, Bound, Coverage, Grant, Number, Resource, Scope, ScopeError, Target,
};
use proptest::prelude::*;

use crate::any;
use crate::terms;
use crate::world::{args, session, ticket};

fn scope(json: &str) -> Result<Scope, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

fn class() -> impl Strategy<Value = ActionClass> {
    proptest::sample::select(&ActionClass::ALL)
}

fn pair() -> impl Strategy<Value = (Scope, Scope)> {
    terms::pair().prop_map(|(one, other)| (one.scope(), other.scope()))
}

#[test]
fn a_scope_within_another_covers_no_action_more() {
    let (within, covered) = (Cell::new(0), Cell::new(0));
    let actions = any::actions(600);
    any::hold_often((512, 150), (pair(), class()), |((narrow, wide), class)| {
        if !narrow.is_subset(&wide) {
            return Ok(false);
        }
        within.set(within.get() + 1);
        for action in &actions {
            let (less, more) = (narrow.covers(action, class), wide.covers(action, class));
            prop_assert!(less.rank() <= more.rank(), "{less:?} in {narrow:?}, {more:?} in {wide:?}: {action:?}");
            covered.set(covered.get() + u32::from(less.rank() > 0));
        }
        Ok(true)
    });
    assert!(within.get() <= 400, "{} of 512 pairs were within one another", within.get());
    assert!(covered.get() >= 5_000, "{} actions were covered by the narrower scope", covered.get());
}

#[test]
fn a_bound_within_another_admits_no_value_more() {
    let call = |json: &str| Action::autonomous("everything", &ticket()).unwrap().with(args(json));
    let given = any::values("blob").iter().map(|value| call(&format!(r#"{{"blob": {value}}}"#)));
    let calls: Vec<Action> = given.chain([call("{}")]).collect();
    any::hold_often((512, 100), terms::bounded_pair(), |(narrow, wide)| {
        let (narrow, wide) = (narrow.scope(), wide.scope());
        let within = narrow.is_subset(&wide);
        for call in &calls {
            let (less, more) = (narrow.covers(call, ActionClass::Read), wide.covers(call, ActionClass::Read));
            prop_assert!(!within || less.rank() <= more.rank(), "{narrow:?} in {wide:?}: {call:?}");
        }
        Ok(within)
    });
}

proptest! {
    #![proptest_config(any::cases(256))]

    #[test]
    fn being_within_is_reflexive_and_transitive(one in terms::terms(), two in terms::terms(), three in terms::terms()) {
        let (wide, middle, narrow) = (one.scope(), one.and(&two).scope(), one.and(&two).and(&three).scope());
        for scope in [&wide, &middle, &narrow] {
            prop_assert!(scope.is_subset(scope));
        }
        prop_assert!(middle.is_subset(&wide) && narrow.is_subset(&middle) && narrow.is_subset(&wide));
        let (two, three) = (two.scope(), three.scope());
        if wide.is_subset(&two) && two.is_subset(&three) {
            prop_assert!(wide.is_subset(&three));
        }
    }

    #[test]
    fn scopes_that_are_within_each_other_cover_the_same(
        (one, other) in pair(),
        actions in proptest::collection::vec((any::action(), class()), 8),
    ) {
        if one.is_subset(&other) && other.is_subset(&one) {
            for (action, class) in &actions {
                prop_assert_eq!(one.covers(action, *class).rank(), other.covers(action, *class).rank());
            }
        }
    }

    #[test]
    fn a_written_scope_is_the_same_scope(terms in terms::terms()) {
        let scope = terms.scope();
        let read: Scope = serde_json::from_str(&serde_json::to_string(&scope).unwrap()).unwrap();
        prop_assert_eq!(&read, &scope);
        prop_assert_eq!(read.digest(), scope.digest());
    }

    #[test]
    fn digests_are_equal_exactly_when_scopes_are((one, other) in pair(), (near, nearer) in terms::near()) {
        for (one, other) in [(one, other), (near.scope(), nearer.scope())] {
            prop_assert_eq!(one == other, one.digest() == other.digest(), "{:?} and {:?}", one, other);
        }
    }
}

/// A grant with every kind of limit, and these two bounds.
fn payment(recipient: Bound, amount: Bound) -> Grant {
    let account = Resource::new("account", "ours").unwrap();
    Grant::new()
        .bound("recipient", recipient)
        .and_then(|grant| grant.bound("amount", amount))
        .unwrap()
        .on([ticket(), account])
        .at(["https://jira.acme.example", "https://bank.acme.example"].map(|text| Audience::new(text).unwrap()))
        .at_most(5)
        .autonomous()
        .preapproved()
        .or_ask()
}

fn paying(grant: Grant) -> Scope {
    Scope::new().allow("money.send", grant).unwrap()
}

#[test]
fn every_way_to_write_less_gives_a_scope_that_is_within_and_not_the_other_way_round() {
    let recipient = || Bound::one_of(["a", "b"]);
    let amount = |limit: &str| Bound::at_most(limit.parse().unwrap());
    let wide = payment(recipient(), amount("12.00").or_absent());
    let written = |change: fn(&mut serde_json::Value)| {
        let mut json = serde_json::to_value(&wide).unwrap();
        change(&mut json);
        serde_json::from_value::<Grant>(json).unwrap()
    };
    let bounded = |amount: Bound| payment(recipient(), amount.or_absent());
    let narrower = [
        ("fewer values", payment(Bound::one_of(["a"]), amount("12").or_absent())),
        ("no value", payment(Bound::one_of([] as [&str; 0]), amount("12").or_absent())),
        ("a lower limit", bounded(amount("11.9999"))),
        ("a limit from below", bounded(Bound::between("0.0001".parse().unwrap(), 12.into()))),
        ("values within the limits", bounded(Bound::one_of([Number::from(0), 12.into()]))),
        ("never absent", payment(recipient(), amount("12"))),
        ("always absent", payment(recipient(), Bound::absent())),
        ("one more bound", wide.clone().bound("note", Bound::one_of(["rent"]).or_absent()).unwrap()),
        ("fewer resources", wide.clone().on([ticket()])),
        ("no resource", wide.clone().on([])),
        ("fewer audiences", wide.clone().at([Audience::new("https://bank.acme.example").unwrap()])),
        ("fewer calls", wide.clone().at_most(4)),
        ("not autonomous", written(|json| json["autonomous"] = false.into())),
        ("not preapproved", written(|json| json["preapproved"] = false.into())),
        ("denied beyond", written(|json| json["beyond"] = "deny".into())),
    ];
    for (name, grant) in narrower {
        assert!(paying(grant.clone()).is_subset(&paying(wide.clone())), "{name}");
        assert!(!paying(wide.clone()).is_subset(&paying(grant)), "{name}, turned round");
    }

    let (less, more) = (paying(wide.clone()), paying(wide).allow("ticket.read", Grant::new()).unwrap());
    assert!(less.is_subset(&more) && !more.is_subset(&less), "fewer tools");
    assert!(
        less.clone().at_most(3).is_subset(&less) && !less.is_subset(&less.clone().at_most(3)),
        "fewer calls in all"
    );
    assert!(Scope::new().is_subset(&less), "nothing");
}

#[test]
fn values_are_within_a_limit_that_they_keep_and_no_limit_is_within_values() {
    let amount = |bound| paying(Grant::new().bound("amount", bound).unwrap());
    let ten = amount(Bound::at_most(10.into()));
    let table = [
        ("a limit within values", &ten, amount(Bound::one_of([Number::from(10)])), false),
        ("values within a limit", &amount(Bound::one_of([Number::from(10)])), ten.clone(), true),
        ("values below a limit", &amount(Bound::one_of([Number::from(-1)])), ten.clone(), false),
        ("a limit within a higher one", &ten, amount(Bound::at_most(11.into())), true),
        ("a limit within another from one on", &ten, amount(Bound::between(1.into(), 10.into())), false),
        ("values above a limit", &amount(Bound::one_of([Number::from(11)])), ten.clone(), false),
        ("a text within a limit", &amount(Bound::one_of(["10"])), ten.clone(), false),
        ("absent within a limit", &amount(Bound::absent()), ten.clone(), false),
        ("anything within a limit", &paying(Grant::new()), ten.clone(), false),
        ("a limit within anything", &ten, paying(Grant::new()), true),
    ];
    for (name, one, other, within) in table {
        assert_eq!(one.is_subset(&other), within, "{name}");
    }
}

#[test]
fn an_action_is_covered_as_its_scope_says() {
    let amount = || Beyond::Argument("amount".parse().unwrap());
    let class = |class| Coverage::Ask(Beyond::Class(class));
    let (outside, ask, within) = (Coverage::Outside, Coverage::Ask, Coverage::Within);
    let ada = |json: &str| Action::on_behalf_of(&session("ada"), "money.send", &ticket()).unwrap().with(args(json));
    let alone = |json: &str| Action::autonomous("money.send", &ticket()).unwrap().with(args(json));
    let one_of = r#""where": {"amount": {"one_of": [1, {"number": "2.5"}, "a", true]}}"#;
    let at_most = r#""where": {"amount": {"at_most": "2.5"}}"#;
    let both = r#""where": {"amount": {"at_most": "2.5", "one_of": [1, 7]}}"#;
    let from_below = r#""where": {"amount": {"at_least": "-1", "at_most": 7}}"#;
    let no_limit = r#""where": {"amount": {"at_least": 1}}"#;
    let absent = r#""where": {"amount": "absent"}"#;
    let read = ActionClass::Read;
    let table: &[(&str, &str, Action, ActionClass, Coverage)] = &[
        ("no bound", "", ada("{}"), read, within.clone()),
        ("a value named", one_of, ada(r#"{"amount": 1}"#), read, within.clone()),
        ("the same number, written otherwise", one_of, ada(r#"{"amount": 2.50}"#), read, within.clone()),
        ("a number named as a text", one_of, ada(r#"{"amount": "1"}"#), read, outside(amount())),
        ("a text in another case", one_of, ada(r#"{"amount": "A"}"#), read, outside(amount())),
        ("the other truth", one_of, ada(r#"{"amount": false}"#), read, outside(amount())),
        ("nothing", one_of, ada("{}"), read, outside(amount())),
        ("null", one_of, ada(r#"{"amount": null}"#), read, outside(amount())),
        ("an empty list, which is like nothing", one_of, ada(r#"{"amount": []}"#), read, outside(amount())),
        ("a list of values named", one_of, ada(r#"{"amount": [1, "a"]}"#), read, within.clone()),
        ("a list with one value too many", one_of, ada(r#"{"amount": [1, 2]}"#), read, outside(amount())),
        ("a list in a list", one_of, ada(r#"{"amount": [[1]]}"#), read, outside(amount())),
        ("an object", one_of, ada(r#"{"amount": {"a": 1}}"#), read, outside(amount())),
        ("at the limit", at_most, ada(r#"{"amount": 2.5}"#), read, within.clone()),
        ("below zero", at_most, ada(r#"{"amount": -0.0001}"#), read, outside(amount())),
        ("zero", at_most, ada(r#"{"amount": -0}"#), read, within.clone()),
        ("below zero, where it may be", from_below, ada(r#"{"amount": -1}"#), read, within.clone()),
        ("below what it may be", from_below, ada(r#"{"amount": -1.0001}"#), read, outside(amount())),
        ("however much", no_limit, ada(r#"{"amount": 9223372036854775807}"#), read, within.clone()),
        ("too little", no_limit, ada(r#"{"amount": 0.9999}"#), read, outside(amount())),
        ("above the limit", at_most, ada(r#"{"amount": 2.5001}"#), read, outside(amount())),
        ("a text under a limit", at_most, ada(r#"{"amount": "1"}"#), read, outside(amount())),
        ("nothing under a limit", at_most, ada("{}"), read, outside(amount())),
        ("a list under a limit", at_most, ada(r#"{"amount": [1, 2.5]}"#), read, within.clone()),
        ("a list over a limit", at_most, ada(r#"{"amount": [1, 3]}"#), read, outside(amount())),
        ("named and under the limit", both, ada(r#"{"amount": 1}"#), read, within.clone()),
        ("named and over the limit", both, ada(r#"{"amount": 7}"#), read, outside(amount())),
        ("absent where it must be", absent, ada("{}"), read, within.clone()),
        ("empty where it must be absent", absent, ada(r#"{"amount": []}"#), read, within.clone()),
        ("null where it must be absent", absent, ada(r#"{"amount": null}"#), read, within.clone()),
        ("given where it must be absent", absent, ada(r#"{"amount": 1}"#), read, outside(amount())),
        (
            "beyond, to be asked",
            r#""beyond": "ask", "where": {"amount": {"one_of": [1]}}"#,
            ada("{}"),
            read,
            ask(amount()),
        ),
        ("another resource", r#""resources": ["ticket/T-43"]"#, ada("{}"), read, outside(Beyond::Resource)),
        ("no resource", r#""resources": []"#, ada("{}"), read, outside(Beyond::Resource)),
        ("a resource named", r#""resources": ["ticket/T-42"]"#, ada("{}"), read, within.clone()),
        (
            "another resource, to be asked",
            r#""resources": [], "beyond": "ask""#,
            ada("{}"),
            read,
            ask(Beyond::Resource),
        ),
        ("on its own, not listed", "", alone("{}"), read, outside(Beyond::Mode)),
        ("on its own, not listed, to be asked beyond", r#""beyond": "ask""#, alone("{}"), read, outside(Beyond::Mode)),
        ("on its own, listed", r#""autonomous": true"#, alone("{}"), read, within.clone()),
        ("a write", "", ada("{}"), ActionClass::Write, within.clone()),
        ("for good", "", ada("{}"), ActionClass::Irreversible, class(ActionClass::Irreversible)),
        ("binding", "", ada("{}"), ActionClass::ExternalCommitment, class(ActionClass::ExternalCommitment)),
        ("privileged", "", ada("{}"), ActionClass::Privileged, class(ActionClass::Privileged)),
        ("privileged, preapproved", r#""preapproved": true"#, ada("{}"), ActionClass::Privileged, within),
        ("for good, and beyond", one_of, ada("{}"), ActionClass::Irreversible, outside(amount())),
    ];
    for (name, grant, action, class, expected) in table {
        let scope = scope(&format!(r#"{{"tools": {{"money.send": {{{grant}}}}}}}"#)).expect(name);
        assert_eq!(scope.covers(action, *class), *expected, "{name}");
        assert_eq!(Scope::new().covers(action, *class), Coverage::Outside(Beyond::Tool), "{name}, without the tool");
    }
}

#[test]
fn a_value_is_named_by_its_like_among_whatever_else_is_named() {
    let values = ["false", "true", "-1", "0", "2.5", "10", r#""""#, r#""0""#, r#""a""#, r#""true""#];
    let never = ["null", "[]", "[[1]]", "{}"];
    let target = |text: &str| match text.parse::<Number>() {
        Ok(number) => Target::Number(number),
        Err(_) if text.starts_with('"') => Target::from(text.trim_matches('"')),
        Err(_) => Target::Bool(text == "true"),
    };
    for chosen in 0..1_usize << values.len() {
        let named = |place: usize| chosen >> place & 1 == 1;
        let targets = (0..values.len()).rev().filter(|place| named(*place)).map(|place| target(values[place]));
        let scope = Scope::new().allow("it", Grant::new().bound("x", Bound::one_of(targets)).unwrap().autonomous());
        let (scope, given) = (scope.unwrap(), values.iter().chain(&never).enumerate());
        for (place, value) in given {
            let action = Action::autonomous("it", &ticket()).unwrap().with(args(&format!(r#"{{"x": {value}}}"#)));
            let within = scope.covers(&action, ActionClass::Read) == Coverage::Within;
            assert_eq!(within, place < values.len() && named(place), "{value} in {scope:?}");
        }
    }
}

#[test]
fn what_a_person_wrote_wrong_is_refused_and_says_so() {
    let grant = |grant: &str| format!(r#"{{"tools": {{"a": {grant}}}}}"#);
    let bound = |bound: &str| grant(&format!(r#"{{"where": {{"x": {bound}}}}}"#));
    let a_bound = "\"absent\", or an object with `at_least`, `at_most`, `currency`, `from`, `one_of`, `or_absent` and `under` only";
    let table = [
        ("no tools", "{}".to_owned(), "missing field `tools`"),
        ("another member", r#"{"tools": {}, "max_call": 1}"#.to_owned(), "unknown field `max_call`"),
        ("calls below zero", r#"{"tools": {}, "max_calls": -1}"#.to_owned(), "invalid value"),
        ("no number of calls", r#"{"tools": {}, "max_calls": null}"#.to_owned(), "invalid type: null"),
        ("no name of a tool", r#"{"tools": {"a b": {}}}"#.to_owned(), "tool name must be"),
        (
            "a tool twice",
            r#"{"tools": {"a": {}, "a": {"autonomous": true}}}"#.to_owned(),
            "the member a is named twice",
        ),
        ("another member of a grant", grant(r#"{"autonomus": true}"#), "unknown field `autonomus`"),
        ("a member twice", grant(r#"{"max_calls": 1, "max_calls": 2}"#), "duplicate field `max_calls`"),
        ("another word", grant(r#"{"beyond": "allow"}"#), "unknown variant `allow`"),
        ("no resource", grant(r#"{"resources": ["ticket"]}"#), "resource name must be"),
        ("no resources", grant(r#"{"resources": null}"#), "invalid type: null"),
        ("no audiences", grant(r#"{"audiences": null}"#), "invalid type: null"),
        ("no name of an argument", grant(r#"{"where": {"a b": {"at_most": 1}}}"#), "argument name must be"),
        (
            "an argument twice",
            grant(r#"{"where": {"x": "absent", "x": {"at_most": 1}}}"#),
            "the member x is named twice",
        ),
        ("another member of a bound", bound(r#"{"one_of": [], "at_mots": 1}"#), a_bound),
        ("a member of a bound twice", bound(r#"{"at_most": 1, "at_most": 9}"#), a_bound),
        (
            "a bound that says nothing",
            bound("{}"),
            "a bound has `one_of`, `under`, `from`, `at_least`, `at_most` or `currency`",
        ),
        ("a bound that says nothing but maybe", bound(r#"{"or_absent": true}"#), "a bound has `one_of`"),
        ("another word for a bound", bound(r#""anything""#), a_bound),
        ("no values", bound(r#"{"one_of": null}"#), a_bound),
        ("a float", bound(r#"{"one_of": [98.7]}"#), a_bound),
        ("too large an integer", bound(r#"{"one_of": [9223372036854775808]}"#), a_bound),
        ("null", bound(r#"{"one_of": [null]}"#), a_bound),
        ("a list", bound(r#"{"one_of": [["a"]]}"#), a_bound),
        ("a number that is not exact", bound(r#"{"one_of": [{"number": "1e3"}]}"#), a_bound),
        ("a limit that is a float", bound(r#"{"at_most": 12.5}"#), a_bound),
        ("a limit with five digits", bound(r#"{"at_most": "0.00001"}"#), a_bound),
    ];
    for (name, json, message) in table {
        let error = scope(&json).expect_err(name);
        assert!(error.contains(message), "{name}: {error}");
    }
}

#[test]
fn what_is_meant_as_an_object_is_written_as_one_without_more() {
    let table = [
        ("a number and more", r#"{"tools": {"a": {"where": {"x": {"one_of": [{"number": "1", "to": "9"}]}}}}}"#),
        ("a list for a number", r#"{"tools": {"a": {"where": {"x": {"one_of": [["1"]]}}}}}"#),
        ("a list for a bound", r#"{"tools": {"a": {"where": {"x": [["a"], 0, 9, true]}}}}"#),
        (
            "a list for a grant",
            r#"{"tools": {"a": [{}, ["ticket/T-42"], ["https://a.example"], 1, true, true, "ask"]}}"#,
        ),
        ("a list for a scope", r#"[{"a": {}}, 1]"#),
    ];
    let accepted: Vec<_> = table.iter().filter(|(_, json)| scope(json).is_ok()).map(|(name, _)| *name).collect();
    assert_eq!(accepted, [] as [&str; 0]);
}

#[test]
fn an_argument_is_bound_once() {
    let once = Grant::new().bound("x", Bound::absent()).unwrap();
    let twice = once.bound("x", Bound::at_most(1.into())).unwrap_err();
    assert_eq!(twice, ScopeError::DuplicateBound("x".parse().unwrap()));
}

#[test]
fn a_grant_that_is_not_one_is_refused() {
    let twice = Scope::new().allow("a", Grant::new()).unwrap().allow("a", Grant::new().autonomous());
    assert_eq!(twice, Err(ScopeError::Duplicate("a".parse().unwrap())));
    for name in ["", "a b", "ä", &"a".repeat(129)] {
        assert!(matches!(Scope::new().allow(name, Grant::new()), Err(ScopeError::Id(_))), "{name}");
    }
    for name in ["", "a b", "a/b", &"a".repeat(65)] {
        assert!(matches!(Grant::new().bound(name, Bound::absent()), Err(ScopeError::Id(_))), "{name}");
    }
}

#[test]
fn a_target_is_written_so_that_no_digit_is_lost() {
    let table = [
        (r#""98.7""#, Target::from("98.7")),
        ("98", Target::from(Number::from(98))),
        (r#"{"number":"98.7"}"#, Target::from("98.7".parse::<Number>().unwrap())),
        ("9223372036854775807", Target::from(Number::from(i64::MAX))),
        ("true", Target::from(true)),
    ];
    for (json, target) in table {
        assert_eq!(serde_json::from_str::<Target>(json).unwrap(), target, "{json}");
        assert_eq!(serde_json::to_string(&target).unwrap(), json);
    }
    for json in ["98.7", "98.0", "9223372036854775808", "null", "[1]", r#"{"number": "1e3"}"#, r#"{"number": 98.7}"#] {
        let error = serde_json::from_str::<Target>(json).expect_err(json).to_string();
        assert!(error.starts_with("a string, an integer, a boolean or {\"number\": \"98.7\"}"), "{json}: {error}");
    }
    let whole: Target = serde_json::from_str(r#"{"number": "98.0"}"#).unwrap();
    assert_eq!(whole, Target::from(Number::from(98)));
}
