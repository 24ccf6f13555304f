//! Tools are what was declared and approved: a floor under every class, and drift where a server lists something else.

use bailiwick::jose::Flaw;
use bailiwick::mandate::{
    Action, ActionClass, ArgumentType, Bound, CapabilityDrift, Coverage, Grant, Intent, Mandate, Scope, Tool, ToolName,
};
use bailiwick::policy::{Catalog, CatalogError, Evaluator, Outcome, ReasonCode};
use bailiwick::{Error, Task};
use proptest::prelude::*;
use proptest::sample::select;

use crate::any;
use crate::steps::{alone, autonomous, code};
use crate::world::{OPEN, World, audience, catalog};

/// What a server lists: its tools are `ticket.read` and `ticket.close`, and of the first this is said.
fn listing(read: &str) -> Catalog {
    let text = format!(
        r#"{{"tools": [{{"name": "ticket.read", {read}}},
            {{"name": "ticket.close", "description": "Closes.", "inputSchema": {{"type": "object"}}}}]}}"#
    );
    let read = |catalog: Catalog| catalog.classify("ticket.read", ActionClass::Read);
    Catalog::from_mcp(&text).and_then(read).and_then(|c| c.classify("ticket.close", ActionClass::Write)).expect(&text)
}

const DECLARED: &str = r#""title": "Read", "description": "Reads.", "inputSchema": {"properties": {
    "id": {"type": "string", "description": "Which ticket."}}}, "annotations": {"readOnlyHint": true}"#;

fn tool_name(name: &str) -> ToolName {
    name.parse().expect("a tool name")
}

// ── Pins ────────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_changed_of_a_tool_is_told_by_type() {
    let rows: [(&str, &str, &[&str]); 9] = [
        ("nothing", DECLARED, &[]),
        (
            "the order of members, and what is for clients alone",
            r#""_meta": {"at": 7}, "icons": [],
            "annotations": {"readOnlyHint": true}, "description": "Reads.", "title": "Read", "inputSchema": {"properties": {
            "id": {"description": "Which ticket.", "type": "string"}}}"#,
            &[],
        ),
        ("the description", &DECLARED.replace("Reads.", "Reads, and sends it on."), &["description"]),
        ("the description of an argument", &DECLARED.replace("Which ticket.", "Your password."), &["listing"]),
        ("the title", &DECLARED.replace("\"Read\"", "\"Read!\""), &["listing"]),
        ("the type of an argument", &DECLARED.replace("\"string\"", "\"integer\""), &["arguments"]),
        ("one argument more", &DECLARED.replace("\"id\"", "\"to\": {\"type\": \"string\"}, \"id\""), &["arguments"]),
        ("more is at stake", &DECLARED.replace("\"readOnlyHint\": true", "\"destructiveHint\": true"), &["class"]),
        (
            "less is at stake",
            &DECLARED.replace("\"readOnlyHint\": true", "\"readOnlyHint\": true, \"idempotentHint\": true"),
            &["listing"],
        ),
    ];
    for (what, now, expected) in rows {
        let drifts = listing(DECLARED).compare(&listing(now));
        let kinds: Vec<String> = drifts
            .iter()
            .map(|(tool, drift)| {
                assert_eq!(tool.as_str(), "ticket.read", "{what}");
                let text = format!("the tool {tool} {drift}");
                assert!(
                    text.starts_with("the tool `ticket.read` ") || text.starts_with("the tool ticket.read "),
                    "{text}"
                );
                serde_json::to_value(drift).expect("JSON")["what"].as_str().expect("text").to_owned()
            })
            .collect();
        assert_eq!(kinds, expected, "{what}");
    }
    let without = listing(DECLARED).without("ticket.close");
    assert_eq!(listing(DECLARED).compare(&without), [(tool_name("ticket.close"), CapabilityDrift::Removed)]);
    assert_eq!(without.compare(&listing(DECLARED)), [(tool_name("ticket.close"), CapabilityDrift::Added)]);
}

#[test]
fn of_a_tool_that_a_host_wrote_only_the_description_that_it_pinned_is_compared() {
    let written = |tool: Tool| Catalog::new().with(tool).expect("one tool");
    let plain = || Tool::new(tool_name("ticket.read"), ActionClass::Read);
    let listed = listing(DECLARED).without("ticket.close");
    assert!(written(plain()).compare(&listed).is_empty(), "its arguments are the host's word");
    assert!(written(plain().described("Reads.")).compare(&listed).is_empty());
    let drifts = written(plain().described("Reads!")).compare(&listed);
    assert!(matches!(&drifts[..], [(_, CapabilityDrift::Description { listed: Some(_), .. })]), "{drifts:?}");
}

fn world() -> World {
    World::under(Evaluator::new(listing(DECLARED), OPEN).expect("policies"))
}

fn reading(world: &World) -> Task {
    world.task(autonomous(&["ticket.read", "ticket.close"]))
}

#[test]
fn a_tool_that_changed_is_refused_everywhere_at_once_with_all_that_rests_on_it() {
    let world = world();
    let task = reading(&world);
    let read = alone("ticket.read");
    let [to_redeem, to_mint, minted] = [(); 3].map(|()| task.authorize(&read).expect("a permit"));
    let credential = task.mint(minted, &audience()).expect("a credential");
    assert!(world.door.verify(credential.expose(), &audience()).is_ok());

    let drifts = world.door.listed(&listing(&DECLARED.replace("Reads.", "Reads, and sends it on.")));
    assert!(matches!(&drifts[..], [(tool, CapabilityDrift::Description { .. })] if tool.as_str() == "ticket.read"));

    let drifted = Some(ReasonCode::CapabilityDrift);
    assert_eq!(code(task.authorize(&read)), drifted);
    assert_eq!(code(task.redeem(to_redeem, read.arguments())), drifted, "between authorize and redeem");
    assert!(task.mint(to_mint, &audience()).is_err());
    assert_eq!(world.door.verify(credential.expose(), &audience()).expect_err("dead").flaw(), Flaw::Revoked);
    assert_eq!(task.verdict(&read).expect("a time").reason.map(|reason| reason.code()), drifted);
    assert_eq!(code(reading(&world).authorize(&read)), drifted, "in a new task");
    assert_eq!(code(task.authorize(&alone("ticket.close"))), None, "other tools go on");
}

#[test]
fn what_was_declared_and_comes_back_is_for_new_tasks() {
    let world = world();
    let (task, read) = (world.task(autonomous(&["ticket.read"]).delegable(1).expect("a depth")), alone("ticket.read"));
    let changed = listing(&DECLARED.replace("Reads.", "Sends."));
    assert!(world.door.listed(&listing(DECLARED)).is_empty());
    assert_eq!(code(task.authorize(&read)), None, "a listing that is as declared changes nothing");
    world.door.listed(&changed);
    assert!(world.door.listed(&listing(DECLARED)).is_empty());
    assert_eq!(code(task.authorize(&read)), Some(ReasonCode::CapabilityDrift), "it saw the tool change");
    let agent = world.door.admit(bailiwick::identity::danger::workload_vouched_by_host(
        world.payer.clone(),
        None,
        task.until(),
    ));
    let part =
        Mandate::new(agent.expect("an agent"), Intent::new("read", autonomous(&["ticket.read"])).expect("a purpose"));
    let part = task.delegate(part).expect("a part");
    assert_eq!(code(part.authorize(&read)), Some(ReasonCode::CapabilityDrift), "so did its errand");
    let anew = reading(&world);
    assert_eq!(code(anew.authorize(&read)), None);
    world.door.listed(&changed);
    assert_eq!(code(anew.authorize(&read)), Some(ReasonCode::CapabilityDrift), "and again");
}

#[test]
fn tools_of_other_servers_are_left_as_they_are() {
    let world = world();
    let (task, other) = (reading(&world), Catalog::from_mcp(r#"{"tools": [{"name": "fly", "inputSchema": {}}]}"#));
    let drifts = world.door.listed(&other.expect("a listing"));
    assert_eq!(drifts, [(tool_name("fly"), CapabilityDrift::Added)]);
    assert_eq!(code(task.authorize(&alone("ticket.read"))), None);
    assert_eq!(code(task.authorize(&alone("fly"))), Some(ReasonCode::ToolUndeclared));
}

#[test]
fn a_scope_may_bind_the_declaration_that_was_approved() {
    let digest = |catalog: &Catalog| catalog.get(&tool_name("ticket.read")).expect("a tool").digest();
    let pinned =
        |digest| Scope::new().allow("ticket.read", Grant::new().autonomous().pinned(digest)).expect("a tool name");
    let (own, other) =
        (digest(&listing(DECLARED)), digest(&listing(&DECLARED.replace("Which ticket.", "Your password."))));
    assert_ne!(own, other);
    let world = world();
    assert_eq!(code(world.task(pinned(own)).authorize(&alone("ticket.read"))), None);
    match world.door.begin(world.mandate(pinned(other))) {
        Err(Error::Scope(CatalogError::Drift { drift: CapabilityDrift::Pinned { approved, declared }, .. })) => {
            assert_eq!((approved, declared), (other, own));
        }
        answer => panic!("{answer:?}"),
    }

    // In JSON, in the digest, and in what is narrower.
    let json = serde_json::to_string(&pinned(own)).expect("JSON");
    assert!(json.contains(&format!(r#""pinned":"{own}""#)), "{json}");
    assert_eq!(serde_json::from_str::<Scope>(&json).expect("a scope"), pinned(own));
    let digests = [pinned(own).digest(), pinned(other).digest(), autonomous(&["ticket.read"]).digest()];
    assert!(digests[0] != digests[1] && digests[0] != digests[2] && digests[1] != digests[2]);
    assert!(pinned(own).is_subset(&autonomous(&["ticket.read"])));
    assert!(!autonomous(&["ticket.read"]).is_subset(&pinned(own)));
    assert!(!pinned(other).is_subset(&pinned(own)));
}

#[test]
fn the_digest_of_a_declaration_is_what_the_tool_says_and_not_what_the_host_says() {
    let tool =
        || Tool::new(tool_name("a"), ActionClass::Read).required("x".parse().unwrap(), ArgumentType::Text).unwrap();
    let same = [
        tool().classed(ActionClass::Write),
        tool().labelled("pii".parse().unwrap()),
        tool().raised_on("a", ActionClass::Write),
    ];
    for same in same {
        assert_eq!(same.digest(), tool().digest(), "{same:?}");
    }
    let other = [
        Tool::new(tool_name("b"), ActionClass::Read).required("x".parse().unwrap(), ArgumentType::Text).unwrap(),
        Tool::new(tool_name("a"), ActionClass::Read).optional("x".parse().unwrap(), ArgumentType::Text).unwrap(),
        tool().optional("y".parse().unwrap(), ArgumentType::Text).unwrap(),
        tool().described("A."),
    ];
    for other in other {
        assert_ne!(other.digest(), tool().digest(), "{other:?}");
    }
}

// ── The floor ───────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_a_tool_says_of_itself_raises_its_class_and_never_lowers_it() {
    let rows = [
        (r#""annotations": {"readOnlyHint": true, "destructiveHint": false}"#, ActionClass::Read),
        (r#""annotations": {}"#, ActionClass::Read),
        (r#""annotations": {"readOnlyHint": false}"#, ActionClass::Write),
        (r#""annotations": {"readOnlyHint": true, "destructiveHint": true}"#, ActionClass::Irreversible),
        (r#""annotations": {"destructiveHint": "yes"}"#, ActionClass::Read),
    ];
    for (hints, least) in rows {
        let listed = Catalog::from_mcp(&format!(r#"{{"tools": [{{"name": "a", "inputSchema": {{}}, {hints}}}]}}"#))
            .expect(hints);
        let class_of = |catalog: &Catalog| catalog.get(&tool_name("a")).expect("a tool").class_of(&alone("a"));
        assert_eq!(class_of(&listed), ActionClass::Privileged, "{hints}: until the host says");
        for class in ActionClass::ALL {
            let said = listed.clone().classify("a", class).expect("a tool");
            assert_eq!(class_of(&said), class.max(least), "{hints}");
        }
    }
}

/// A catalogue whose `everything` is raised by a kind of resource and by an argument, and the class of each of its calls.
fn raised() -> Catalog {
    let tool = catalog().get(&tool_name("everything")).expect("a tool").clone();
    let tool = tool.raised_on("account", ActionClass::ExternalCommitment);
    let tool = tool.raised_unless("text", Bound::one_of(["a"]), ActionClass::Irreversible).expect("an argument");
    catalog().without("everything").with(tool).expect("a tool")
}

fn floor(action: &Action) -> ActionClass {
    let declared = catalog().get(action.tool()).map_or(ActionClass::Privileged, Tool::class);
    let is_raised = action.tool().as_str() == "everything";
    let on_account = is_raised && action.resource().kind() == "account";
    let is_harmless = action.arguments().get("text") == Some(&bailiwick::mandate::Value::Text("a".to_owned()));
    let by_argument = if is_raised && !is_harmless { ActionClass::Irreversible } else { ActionClass::Read };
    declared.max(by_argument).max(if on_account { ActionClass::ExternalCommitment } else { ActionClass::Read })
}

/// Policies of every kind: none of them says what class a call has.
const POLICIES: [&str; 4] = [
    OPEN,
    r#"@id("a") @allow("unconditional-permit broad-administration") permit(principal, action in Action::"any write", resource);"#,
    r#"@id("a") @allow("unconditional-permit") @requires("approval") permit(principal, action, resource);"#,
    r#"@id("a") permit(principal, action, resource) when { context.tool.class == "write" };"#,
];

proptest! {
    #![proptest_config(any::cases(256))]

    #[test]
    fn no_policy_no_scope_and_no_call_is_below_the_floor(
        action in any::action(), policies in select(POLICIES.to_vec()), preapproved in any::<bool>(),
    ) {
        let world = World::under(Evaluator::new(raised(), policies).expect("policies"));
        let grant = || if preapproved { Grant::new().autonomous().preapproved() } else { Grant::new().autonomous() };
        let grant_all = |scope: Scope, tool: &Tool| scope.allow(tool.name().as_str(), grant()).expect("a tool name");
        let scope = raised().tools().fold(Scope::new(), grant_all);
        let task = world.task(scope.clone());
        let verdict = task.verdict(&action).expect("a time");
        let floor = floor(&action);
        prop_assert!(verdict.class >= floor, "{:?} {:?}", verdict.class, action);
        prop_assert_eq!(verdict.class, floor);
        if floor.is_high_consequence() && !preapproved {
            prop_assert_ne!(verdict.outcome, Outcome::Permitted, "nobody approved exactly this: {:?}", action);
        }
        prop_assert_eq!(scope.covers(&action, verdict.class) == Coverage::Within, preapproved || !floor.is_high_consequence());
    }
}

#[test]
fn a_raise_is_in_the_json_of_a_catalogue_and_names_an_argument_that_there_is() {
    let json = serde_json::to_string(&raised()).expect("JSON");
    assert_eq!(serde_json::from_str::<Catalog>(&json).expect("a catalogue"), raised());
    let text = r#"{"tools": [{"name": "a", "class": "read", "raised": [{"class": "write", "unless": {"b": {"one_of": ["x"]}}}]}]}"#;
    assert!(serde_json::from_str::<Catalog>(text).expect_err("no such argument").to_string().contains("no argument"));
    for wrong in
        [r#"{"on": "a"}"#, r#"{"class": "write", "on": null}"#, r#"{"class": "write", "beside": 1}"#, r#"["write"]"#]
    {
        let text = format!(r#"{{"tools": [{{"name": "a", "class": "read", "raised": [{wrong}]}}]}}"#);
        assert!(serde_json::from_str::<Catalog>(&text).is_err(), "{wrong}");
    }
    let missing =
        Tool::new(tool_name("a"), ActionClass::Read).raised_unless("b", Bound::one_of(["x"]), ActionClass::Write);
    assert!(missing.is_err());
}
