//! Drift: what other systems make of a record is reported, and changes nothing here.

use bailiwick::Halt;
use bailiwick::identity::projection::{DriftKind, ScimError, ScimOp, ScimUser, Severity};
use bailiwick::identity::{AgentState, HandleError, Registry, RegistryError};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::any::cases;
use crate::world::{OPEN, World};

mod law;

use law::PATCH_OP;

/// A PATCH of these operations.
fn patch(operations: Value) -> String {
    json!({ "schemas": [PATCH_OP], "Operations": operations }).to_string()
}

/// A PATCH of one operation.
fn one(op: &str, path: &str, value: Value) -> String {
    patch(json!([{ "op": op, "path": path, "value": value }]))
}

fn shown(registry: &Registry, world: &World) -> ScimUser {
    ScimUser::of(registry, &world.triage_bot).expect("a bound agent user")
}

/// The agent user of an active agent, and of a suspended one.
fn both() -> (ScimUser, ScimUser) {
    let world = World::new(OPEN);
    let active = shown(&world.registry, &world);
    world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).expect("a halt");
    (active, shown(&world.registry, &world))
}

fn kinds(user: &ScimUser, message: &str) -> Vec<DriftKind> {
    let drift = user.patched(message).unwrap_or_else(|error| panic!("{error}: {message}"));
    drift.differences().iter().map(|difference| difference.kind).collect()
}

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const AGENT: &str = "urn:bailiwick:scim:schemas:agent:1.0:User";

#[test]
fn every_way_in_which_a_record_drifts_has_a_name() {
    use DriftKind::*;
    let (user, _) = both();
    let rows: Vec<(&str, String, Value, Option<DriftKind>)> = vec![
        ("replace", "active".into(), json!(false), Some(Deactivated)),
        ("replace", "active".into(), json!("False"), Some(Deactivated)),
        ("replace", "active".into(), json!(true), None),
        ("Replace", "ACTIVE".into(), json!("True"), None),
        ("replace", "active".into(), json!(7), Some(Deactivated)),
        ("replace", "userName".into(), json!("ada"), Some(Renamed)),
        ("replace", "username".into(), json!("Triage-Bot"), None),
        ("replace", "userName".into(), Value::Null, Some(Renamed)),
        ("replace", "externalId".into(), json!("someone"), Some(Detached)),
        ("replace", "displayName".into(), json!("Ada Lovelace"), Some(Disguised)),
        ("replace", "displayName".into(), json!("triage-bot (AI agent)"), None),
        ("replace", "userType".into(), json!("Employee"), Some(Disguised)),
        ("replace", "userType".into(), json!("agent"), None),
        ("add", "name".into(), json!({ "givenName": "Ada" }), Some(Disguised)),
        ("add", "name.familyName".into(), json!("Lovelace"), Some(Disguised)),
        ("add", "title".into(), json!("Engineer"), Some(Disguised)),
        ("replace", "password".into(), json!("hunter2"), Some(GainedCredential)),
        ("replace", "PassWord".into(), json!("hunter2"), Some(GainedCredential)),
        ("replace", "urn:ietf:params:scim:schemas:core:2.0:User:password".into(), json!("x"), Some(GainedCredential)),
        ("replace", "URN:IETF:params:scim:schemas:core:2.0:user:Password".into(), json!("x"), Some(GainedCredential)),
        ("add", "x509Certificates".into(), json!([{ "value": "MII" }]), Some(GainedCredential)),
        ("add", "x509Certificates".into(), json!([]), None),
        ("add", "roles".into(), json!([{ "value": "admin" }]), Some(GainedAuthority)),
        ("replace", r#"roles[primary eq "true]"].value"#.into(), json!("admin"), Some(GainedAuthority)),
        ("add", "entitlements".into(), json!([{ "value": "x" }]), Some(GainedAuthority)),
        ("add", "groups".into(), json!([{ "value": "x" }]), Some(GainedAuthority)),
        ("add", r#"emails[type eq "work"].value"#.into(), json!("ada@acme.example"), Some(GainedContact)),
        ("add", "phoneNumbers".into(), json!([{ "value": "+1" }]), Some(GainedContact)),
        ("replace", "id".into(), json!("8"), None),
        ("replace", "meta".into(), json!({}), None),
        ("add", "locale".into(), json!("en"), Some(Other)),
        ("add", "favouriteColour".into(), json!("blue"), Some(Other)),
        ("add", "urn:example:slack:2.0:User:role".into(), json!("x"), Some(Other)),
        ("add", "schemas".into(), json!(["urn:example:slack"]), Some(Other)),
        ("replace", "schemas".into(), json!(["urn:example:slack"]), Some(Detached)),
        ("replace", format!("{ENTERPRISE}:manager"), json!({ "value": "bob" }), Some(OtherManager)),
        ("replace", format!("{ENTERPRISE}:manager"), json!("bob"), Some(OtherManager)),
        ("replace", format!("{ENTERPRISE}:manager.value"), json!("bob"), Some(OtherManager)),
        ("replace", format!("{ENTERPRISE}:manager.value"), json!("https://idp.acme.example#ada"), None),
        ("replace", format!("{ENTERPRISE}:manager"), json!({ "value": "https://idp.acme.example#ada" }), None),
        (
            "replace",
            format!("{ENTERPRISE}:manager"),
            json!({ "VALUE": "https://idp.acme.example#ada", "value": "bob" }),
            Some(OtherManager),
        ),
        ("replace", format!("{ENTERPRISE}:manager.displayName"), json!("Ada"), None),
        ("replace", ENTERPRISE.into(), json!({ "manager": { "Value": "bob" } }), Some(OtherManager)),
        ("add", format!("{ENTERPRISE}:employeeNumber"), json!("7"), Some(Disguised)),
        ("replace", format!("{AGENT}:nonHuman"), json!(false), Some(Disguised)),
        ("replace", format!("{AGENT}:nonHuman"), json!(true), None),
        ("replace", format!("{AGENT}:agent"), json!("spiffe://acme.example/agent/payer"), Some(Detached)),
        ("replace", format!("{AGENT}:interactiveSignIn"), json!(true), Some(GainedCredential)),
        ("remove", "userName".into(), json!("x"), Some(Renamed)),
        ("remove", "roles".into(), json!("x"), None),
        ("remove", ENTERPRISE.into(), json!("x"), Some(OtherManager)),
        ("remove", AGENT.into(), json!("x"), Some(Disguised)),
        ("remove", "active".into(), json!("x"), Some(Deactivated)),
    ];
    for (op, path, value, kind) in rows {
        let message = one(op, &path, value);
        assert_eq!(kinds(&user, &message), kind.into_iter().collect::<Vec<_>>(), "{message}");
    }
}

#[test]
fn whatever_may_wake_a_record_whose_agent_sleeps_is_critical() {
    let (_, user) = both();
    for value in [json!(true), json!("True"), json!("yes"), json!(1), Value::Null, json!([]), json!([false])] {
        let drift = user.patched(&one("replace", "active", value.clone())).expect("a patch");
        assert_eq!(drift.severity(), Some(Severity::Critical), "{value}");
        assert_eq!(drift.differences()[0].kind, DriftKind::Reactivated, "{value}");
    }
    let removed = patch(json!([{ "op": "remove", "path": "active" }]));
    assert_eq!(kinds(&user, &removed), [DriftKind::Reactivated]);
    assert_eq!(kinds(&user, &one("replace", "active", json!(false))), []);
}

#[test]
fn attributes_without_a_path_are_each_looked_at() {
    let (user, _) = both();
    let value = json!({
        "active": true, "roles": [{ "value": "admin" }], "name.givenName": "Ada", "userName": "ada",
        ENTERPRISE: { "manager": { "value": "bob" } }, format!("{AGENT}:nonHuman"): false,
    });
    let drift = user.patched(&patch(json!([{ "op": "replace", "value": value }]))).expect("a patch");
    let found: Vec<_> =
        drift.differences().iter().map(|d| (d.kind, d.path.as_ref().map(ToString::to_string))).collect();
    let path = |text: &str| Some(format!("`{text}`"));
    assert_eq!(found[0], (DriftKind::GainedAuthority, path("roles")), "the gravest first");
    let rest = [
        (DriftKind::Disguised, path("name.givenname")),
        (DriftKind::Renamed, path("username")),
        (DriftKind::OtherManager, path("manager")),
        (DriftKind::Disguised, path("nonhuman")),
    ];
    assert_eq!(found.len(), 5);
    rest.iter().for_each(|one| assert!(found.contains(one), "{one:?} in {found:?}"));
}

#[test]
fn a_password_is_never_kept() {
    let (user, _) = both();
    let message = patch(json!([{ "op": "add", "value": { "password": "hunter2", "title": "hunter2" } }]));
    let drift = user.patched(&message).expect("a patch");
    let json = serde_json::to_string(drift.differences()).expect("JSON");
    assert!(
        json.contains("gained_credential") && !json.contains("hunter2") && !format!("{drift:?}").contains("hunter2")
    );
}

#[test]
fn a_whole_record_is_held_against_ours() {
    let (user, asleep) = both();
    let ours: Value = serde_json::from_str(user.create().body()).expect("JSON");
    let with = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut record = ours.clone();
        change(record.as_object_mut().expect("an object"));
        let drift = user.replaced(&record.to_string()).expect("a record");
        drift.differences().iter().map(|d| (d.op, d.kind)).collect::<Vec<_>>()
    };
    let removed = |kind| vec![(ScimOp::Remove, kind)];
    for (name, kind) in [
        ("externalId", DriftKind::Detached),
        ("userName", DriftKind::Renamed),
        ("displayName", DriftKind::Disguised),
        ("userType", DriftKind::Disguised),
        ("active", DriftKind::Deactivated),
        (ENTERPRISE, DriftKind::OtherManager),
    ] {
        assert_eq!(with(&|record| drop(record.remove(name))), removed(kind), "{name}");
    }
    let all = with(&|record| drop(record.remove(AGENT)));
    assert_eq!(all.len(), 3, "its three members: {all:?}");
    let own = with(&|record| drop(record.insert("id".into(), json!("7"))));
    assert_eq!(own, [], "their own id is theirs");
    let gained = with(&|record| drop(record.insert("groups".into(), json!([{ "value": "admins" }]))));
    assert_eq!(gained, [(ScimOp::Replace, DriftKind::GainedAuthority)]);

    let woken = asleep.replaced(&ours.to_string()).expect("a record");
    assert_eq!(woken.differences()[0].kind, DriftKind::Reactivated);
    let lost = asleep.replaced(&json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"] }).to_string());
    assert_eq!(lost.expect("a record").differences()[0].kind, DriftKind::Reactivated);
}

#[test]
fn a_deleted_record_is_reported() {
    let (user, _) = both();
    let drift = user.deleted();
    let found: Vec<_> = drift.differences().iter().map(|d| (d.op, d.kind, d.path.clone())).collect();
    assert_eq!(found, [(ScimOp::Delete, DriftKind::Deleted, None)]);
    assert_eq!((drift.is_none(), drift.user()), (false, user.user()));
}

#[test]
fn a_report_is_bounded_and_hides_nothing_grave() {
    let (user, _) = both();
    let mut operations: Vec<Value> =
        (0..99).map(|n| json!({ "op": "add", "path": format!("colour{n}"), "value": "x" })).collect();
    operations.push(json!({ "op": "add", "path": "password", "value": "x" }));
    let drift = user.patched(&patch(Value::Array(operations.clone()))).expect("a patch");
    assert_eq!((drift.differences().len(), drift.left_out()), (64, 36));
    assert_eq!(drift.differences()[0].kind, DriftKind::GainedCredential);
    operations.push(json!({ "op": "add", "path": "x", "value": "x" }));
    assert!(matches!(user.patched(&patch(Value::Array(operations))), Err(ScimError::Shape { .. })), "one too many");
}

#[test]
fn what_is_no_such_message_is_refused() {
    let (user, _) = both();
    let message = |schemas: &str, operations: &str| format!(r#"{{"schemas": {schemas}, "Operations": {operations}}}"#);
    let of = |operation: &str| message(&format!(r#"["{PATCH_OP}"]"#), &format!("[{operation}]"));
    let rows = [
        ("", "not JSON"),
        ("[]", "an object"),
        (r#"{"schemas": [], "Operations": []}"#, "`schemas`"),
        (&message(r#"["urn:other"]"#, r#"[{"op": "remove", "path": "x"}]"#), "`schemas`"),
        (&message(&format!(r#"["{PATCH_OP}", "urn:x"]"#), r#"[{"op": "remove", "path": "x"}]"#), "`schemas`"),
        (&message(&format!(r#"["{PATCH_OP}"]"#), "[]"), "`Operations`"),
        (&message(&format!(r#"["{PATCH_OP}"]"#), "{}"), "`Operations`"),
        (&of(r#"{"op": "remove", "path": "x"}"#).replace("\"Operations\"", "\"operations\""), "`Operations`"),
        (&of(r#"{"op": "remove", "path": "x"}"#).replacen('{', r#"{"x": 1, "#, 1), "no member `x`"),
        (&of(r#"{"op": "remove", "op": "add", "path": "x"}"#), "twice"),
        (&of(r#"{"op": "test", "path": "x"}"#), "`test`"),
        (&of(r#"{"path": "x"}"#), "`op`"),
        (&of(r#"{"op": "add", "path": "x", "value": 1, "from": "y"}"#), "no member `from`"),
        (&of(r#"{"op": "add", "path": "x"}"#), "`value`"),
        (&of(r#"{"op": "remove"}"#), "`path`"),
        (&of(r#"{"op": "add", "path": 7, "value": 1}"#), "`path`"),
        (&of(r#"{"op": "add", "value": 1}"#), "an object"),
        (&of(r#"{"op": "add", "value": {"active": true, "ACTIVE": false}}"#), "twice"),
        (
            &of(
                r#"{"op": "add", "value": {"active": true, "urn:ietf:params:scim:schemas:core:2.0:User:active": false}}"#,
            ),
            "twice",
        ),
        (&of(r#"{"op": "add", "value": {"a": {"b": 1, "b": 2}}}"#), "twice"),
        (&of(&format!(r#"{{"op": "add", "path": "x", "value": {}1{}}}"#, "[".repeat(17), "]".repeat(17))), "deeper"),
    ];
    for (text, part) in rows {
        let error = user.patched(text).expect_err(text);
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
    for path in [
        "", ".", "a.", ".a", "a.b.c", "a[", "a[]", "a[x", "a]", "a[b[c]]", "a[b]c", "1a", "a b", "ä", "a\u{0}",
        "urn:\"", "a/b",
    ] {
        let error = user.patched(&one("add", path, json!(1))).expect_err(path);
        assert!(matches!(error, ScimError::Path(_)), "{path:?}: {error}");
    }
    let long = "a".repeat(64 * 1024);
    assert!(matches!(user.patched(&one("add", "x", json!(long))), Err(ScimError::Json(_))));
    assert!(matches!(user.replaced("{}"), Err(ScimError::Shape { .. })));
}

#[test]
fn drift_changes_nothing_here() {
    let world = World::new(OPEN);
    world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).expect("a halt");
    let user = shown(&world.registry, &world);
    let woken = user.patched(&one("replace", "active", json!(true))).expect("a patch");
    assert!(!woken.is_none());
    assert_eq!(world.registry.agent_state(&world.triage), Some(AgentState::Suspended));
    assert_eq!(shown(&world.registry, &world), user);
    assert!(world.door.admit(world.workload(&world.triage)).is_err());
}

/// Texts that are nearly a PATCH.
fn nearly() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("active".to_owned()),
        Just("password".to_owned()),
        Just("roles".to_owned()),
        Just("userName".to_owned()),
        Just(format!("{ENTERPRISE}:manager")),
        Just(AGENT.to_owned()),
        "[a-zA-Z.\\[\\]\" :]{0,12}",
    ];
    let value = prop_oneof![
        Just(json!(true)),
        Just(json!(false)),
        Just(Value::Null),
        Just(json!([])),
        Just(json!("True")),
        Just(json!({ "value": "x" })),
        Just(json!([{ "value": "x" }])),
        Just(json!({ "password": "x", "active": 1 })),
    ];
    let op = prop_oneof![Just("add"), Just("replace"), Just("remove"), Just("REPLACE"), Just("move")];
    let operation = (op, proptest::option::of(name), proptest::option::of(value)).prop_map(|(op, path, value)| {
        let mut operation = json!({ "op": op });
        path.into_iter().for_each(|path| operation["path"] = json!(path));
        value.into_iter().for_each(|value| operation["value"] = value);
        operation
    });
    let message = proptest::collection::vec(operation, 0..4).prop_map(|all| patch(Value::Array(all)));
    // A few of its bytes are lost, doubled or bent.
    (message, proptest::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<char>()), 0..3)).prop_map(
        |(message, bends)| {
            let mut letters: Vec<char> = message.chars().collect();
            for (at, how, letter) in bends {
                let at = at.index(letters.len());
                match how {
                    0 => drop(letters.remove(at)),
                    1 => letters.insert(at, letters[at]),
                    _ => letters[at] = letter,
                }
            }
            letters.into_iter().collect()
        },
    )
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn no_message_panics_or_is_read_as_less_than_it_says(text in nearly()) {
        law::hold(&text).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn no_text_panics(text in ".{0,200}") {
        law::hold(&text).map_err(TestCaseError::fail)?;
    }
}

#[test]
fn drift_is_written_in_the_lane_of_the_agent_user_alone() {
    let world = World::new(OPEN);
    let user = shown(&world.registry, &world);
    let drift = user.patched(&one("add", "password", json!("hunter2"))).expect("a patch");
    world.door.drifted(&drift).expect("a record");
    let event = world.sink.events().pop().expect("an event");
    assert_eq!((&event.operator, &event.agent), (&None, &None), "nobody did anything");
    let record = serde_json::to_value(event.agent_user.expect("a record")).expect("JSON");
    assert_eq!(record["agent_user"]["handle"], "triage-bot");
    assert_eq!((&record["agent"], &record["kind"]), (&json!(world.triage.as_str()), &json!("drifted")));
    let differences = json!([{ "kind": "gained_credential", "op": "add", "path": "password" }]);
    assert_eq!((&record["differences"], &record["left_out"]), (&differences, &json!(0)));
    assert_eq!((&record["agent_user_record"], &record["task"]), (&record["id"], &Value::Null));

    let before = world.sink.events().len();
    world.door.drifted(&user.patched(&one("replace", "active", json!(true))).expect("a patch")).expect("nothing to do");
    assert_eq!(world.sink.events().len(), before, "no difference, no record");
    let other = World::new(OPEN);
    let refused = world.door.drifted(&shown(&other.registry, &other).deleted()).expect_err("bound elsewhere");
    assert_eq!(refused, RegistryError::from(HandleError::NotBound(other.triage_bot.id().clone())).into());
    assert_eq!(world.sink.events().len(), before);
}
