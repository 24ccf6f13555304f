//! The files of `cedar run-tests`: what is written, Cedar reads, and what Cedar would not read is refused.

use bailiwick::policy::compiled::Compiled;
use bailiwick::policy::{Evaluator, PolicyError};
use bailiwick::testing::World;
use bailiwick::testing::cedar_tests::{Decision, Test, Tests, TestsError};
use cedar_policy::{Authorizer, PolicySet};

use crate::steps::{alone, on_behalf};
use crate::testing::{POLICIES, frozen, task, world};
use crate::world::{args, catalog};

/// What is asked in Cedar's files: everything that a context can hold.
fn asked(world: &World) -> Vec<Test> {
    let (task, ada) = (task(world), world.operator("ada").unwrap());
    let everything = args(
        r#"{"flag": true, "count": 7, "sum": 12.50, "text": "a \"b\" \\ é", "texts": ["x", "y"], "counts": [2, 1]}"#,
    );
    let actions = [
        ("reads", alone("ticket.read")),
        ("does not touch what is frozen", frozen("ticket.read")),
        ("closes for Ada", on_behalf(&ada, "ticket.close").with(args(r#"{"reason": "stale"}"#))),
        ("pays nobody", on_behalf(&ada, "money.send").with(args(r#"{"recipient": "x", "amount": 0.1}"#))),
        ("everything", alone("everything").with(everything)),
    ];
    actions.into_iter().map(|(name, action)| Test::of(name, &task, &action).expect("a test")).collect()
}

#[test]
fn what_policies_answer_is_written_for_cedars_command_line_and_read_back() {
    let tests = Tests::from_iter(asked(&world()));
    let written = tests.to_json().expect("JSON");
    assert_eq!(written, Tests::from_iter(asked(&world())).to_json().unwrap(), "the same in every run");
    let read = Tests::from_json(&written).expect("tests");
    assert_eq!(read.to_json().unwrap(), written);
    let decisions: Vec<_> = read.iter().map(|test| (test.decision, test.reason.iter().cloned().collect())).collect();
    let allow = |reason: &str| (Decision::Allow, vec![reason.to_owned()]);
    let deny = |reason: &[&str]| (Decision::Deny, reason.iter().map(ToString::to_string).collect());
    let both = (Decision::Allow, vec!["reads".to_owned(), "tickets".to_owned()]);
    let wanted: [(Decision, Vec<String>); 5] =
        [both, deny(&["frozen"]), allow("tickets"), allow("payments"), allow("tickets")];
    assert_eq!(decisions, wanted);
    for policies in [Compiled::named(POLICIES).unwrap(), Evaluator::new(catalog(), POLICIES).unwrap().compiled()] {
        let report = read.run(&policies);
        assert!(report.is_passed(), "{report}");
    }
    assert!(!read.run(&Compiled::parse(POLICIES).unwrap()).is_passed(), "named by their place");
    passes_in_cedar(&written);
}

/// Reads the file as Cedar's command line does, with the schema, and asks Cedar.
fn passes_in_cedar(written: &str) {
    let (schema, _) = cedar_policy::Schema::from_cedarschema_str(&catalog().schema()).expect("a schema");
    let named = POLICIES.parse::<PolicySet>().unwrap();
    let named = named.policies().map(|policy| policy.new_id(policy.annotation("id").unwrap().parse().unwrap()));
    let policies = PolicySet::from_policies(named).unwrap();
    let tests: Vec<serde_json::Value> = serde_json::from_str(written).unwrap();
    assert_eq!(tests.len(), 5);
    for test in tests {
        let uid = |member: &str| test["request"][member].as_str().unwrap().parse::<cedar_policy::EntityUid>().unwrap();
        let (principal, action, resource) = (uid("principal"), uid("action"), uid("resource"));
        let context = test["request"]["context"].clone();
        let context = cedar_policy::Context::from_json_value(context, Some((&schema, &action))).expect("a context");
        let request =
            cedar_policy::Request::new(principal, action, resource, context, Some(&schema)).expect("a request");
        let entities = test["entities"].clone();
        let entities = cedar_policy::Entities::from_json_value(entities, Some(&schema)).expect("entities");
        let response = Authorizer::new().is_authorized(&request, &policies, &entities);
        let decision = if response.decision() == cedar_policy::Decision::Allow { "allow" } else { "deny" };
        assert_eq!(test["decision"], decision, "{}", test["name"]);
        let mut reason: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        reason.sort();
        assert_eq!(test["reason"], serde_json::json!(reason), "{}", test["name"]);
        assert_eq!(test["num_errors"], response.diagnostics().errors().count());
    }
}

/// A file of one test, with something said otherwise.
fn file(change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut test = serde_json::json!({
        "request": {"principal": r#"User::"ada""#, "action": r#"Action::"view""#, "resource": r#"Photo::"p""#, "context": {}},
        "entities": [{"uid": {"type": "Photo", "id": "p"}, "attrs": {}, "parents": [{"type": "Album", "id": "a"}]}],
        "decision": "allow",
        "reason": ["albums"],
        "num_errors": 1,
        "comment": "members that are not known are not read"
    });
    change(&mut test);
    serde_json::json!([test]).to_string()
}

/// Any policies can be asked, whatever their vocabulary.
const PHOTOS: &str = r#"
    @id("albums") permit(principal, action, resource in Album::"a");
    permit(principal, action, resource) when { principal.admin };
    @id("also") permit(principal, action, resource) unless { resource == Photo::"q" };
"#;

#[test]
fn a_report_says_of_each_test_what_was_found_instead() {
    type Change = fn(&mut serde_json::Value);
    let cases: [(Change, &str); 7] = [
        (|_| {}, "passed"),
        (|test| test["reason"] = serde_json::json!([]), "passed"),
        (|test| test["decision"] = "deny".into(), "decision: wanted deny but found allow"),
        (
            |test| test["reason"] = serde_json::json!(["policy0", "also"]),
            "reason: wanted `also`, `policy0` but found `albums`, `also`",
        ),
        (|test| test["num_errors"] = 0.into(), "errors: wanted 0 but found 1 (`policy1`)"),
        (|test| test["entities"][0]["uid"]["type"] = "Picture".into(), "reason: wanted `albums` but found `also`"),
        (
            |test| {
                test["request"]["resource"] = r#"Photo::"q""#.into();
                test["num_errors"] = 2.into();
            },
            "decision: wanted allow but found deny; reason: wanted `albums` but found none; errors: wanted 2 but found 1 (`policy1`)",
        ),
    ];
    let policies = Compiled::named(PHOTOS).unwrap();
    for (change, wanted) in cases {
        let report = Tests::from_json(&file(change)).expect("a test").run(&policies);
        let (passed, failed) = if wanted == "passed" { (1, 0) } else { (0, 1) };
        assert_eq!(report.to_string(), format!("number 1: {wanted}\n{passed} passed, {failed} failed"));
        assert_eq!((report.is_passed(), report.failed().count()), (failed == 0, failed));
    }
    let named = Tests::from_json(&file(|test| test["name"] = "a photo".into())).unwrap().run(&policies);
    assert_eq!(named.to_string(), "a photo: passed\n1 passed, 0 failed");
}

#[test]
fn what_has_no_order_is_written_in_one() {
    let albums = |ids: [&str; 6]| {
        let albums = ids.map(|id| serde_json::json!({"type": "Album", "id": id}));
        let photo = |id: &str| serde_json::json!({"uid": {"type": "Photo", "id": id}, "attrs": {}, "parents": albums});
        file(|test| test["entities"] = ids.map(photo).into_iter().collect())
    };
    let written = |text: &str| Tests::from_json(text).expect("a test").to_json().expect("JSON");
    let there = written(&albums(["a", "b", "c", "d", "e", "f"]));
    assert_eq!(there, written(&albums(["e", "a", "f", "c", "b", "d"])));
}

#[test]
fn a_file_that_cedar_would_not_read_is_refused() {
    type Change = fn(&mut serde_json::Value);
    let cases: [(Change, &str); 9] = [
        (|test| test["request"]["principal"] = "ada".into(), "the principal of the test number 1 cannot be read"),
        (|test| test["request"]["action"] = 1.into(), "no tests in the form of `cedar run-tests`"),
        (|test| test["request"]["resource"] = r#"Photo::"p" "#.repeat(2).into(), "the resource of the test number 1"),
        (|test| test["request"]["context"] = "{}".into(), "the context of the test number 1"),
        (|test| test["entities"] = "entities.json".into(), "they are the name of a file"),
        (|test| test["entities"][0]["uid"] = "Photo".into(), "the entities of the test number 1"),
        (|test| test["decision"] = "Allow".into(), "no tests in the form of `cedar run-tests`"),
        (|test| drop(test.as_object_mut().unwrap().remove("num_errors")), "missing field `num_errors`"),
        (|test| test["num_errors"] = (-1).into(), "no tests in the form of `cedar run-tests`"),
    ];
    for (change, wanted) in cases {
        let error = Tests::from_json(&file(change)).expect_err(wanted).to_string();
        assert!(error.contains(wanted), "{error}");
    }
    let twice = file(|_| {}).replace(r#""context":{}"#, r#""context":{"a":1,"a":2}"#);
    assert!(matches!(Tests::from_json(&twice), Err(TestsError::Json(_))), "{twice}");
    let world = world();
    let undeclared = Test::of("burns", &task(&world), &alone("ticket.burn"));
    assert!(matches!(undeclared, Err(TestsError::Undeclared(_))));
    // No policy is ever asked about it.
    let misfit = Test::of("closes", &task(&world), &alone("ticket.close").with(args(r#"{"reason": 1}"#)));
    assert!(matches!(misfit, Err(TestsError::Arguments(_))));
}

#[test]
fn two_policies_of_one_name_are_refused() {
    let twice = r#"@id("a") permit(principal, action, resource); @id("a") forbid(principal, action, resource);"#;
    assert!(matches!(Compiled::named(twice), Err(PolicyError::Cedar(_))));
    assert_eq!(Compiled::named("permit(principal, action, resource);").unwrap().len(), 1);
}
