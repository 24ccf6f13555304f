//! What the records say, and what they never say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick::audit::{Denial, Effect, Event, MemorySink};
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::{Audience, Prose};
use bailiwick::identity::{AccountabilityRole, AgentId, AgentKey, AgentUserId, BlueprintId, HumanOperator, danger};
use bailiwick::mandate::{Action, Approval, Arguments, Budget, Grant, Objection, Scope};
use bailiwick::policy::{Directory, Entitlements, ReasonCode};
use bailiwick::{Halt, Resume, Task};
use serde_json::Value;

use super::{Mood, Moody, PATIENT, close, denied, purge, refused, world};
use crate::issuing::{Revoking, host, lease};
use crate::steps::prover;
use crate::world::{OPEN, START, World, args, at, audience, catalog, operator, scope, ticket};

/// The records of an event, each as a line of its own, by lane.
fn lines(event: &Event) -> Vec<(&'static str, String)> {
    let Event { operator, agent, agent_user, .. } = event;
    let line = |record: Option<serde_json::Result<String>>| record.map(|line| line.expect("a line"));
    [
        ("operator", line(operator.as_ref().map(serde_json::to_string))),
        ("agent", line(agent.as_ref().map(serde_json::to_string))),
        ("agent_user", line(agent_user.as_ref().map(serde_json::to_string))),
    ]
    .into_iter()
    .filter_map(|(lane, line)| Some((lane, line?)))
    .collect()
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).expect("JSON")
}

#[test]
fn each_record_stands_alone_and_names_the_others() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let permit = task.authorize(&close(&world)).unwrap();
    let event = world.sink.events().pop().unwrap();
    let records: Vec<(&str, Value)> = lines(&event)
        .into_iter()
        .map(|(lane, line)| {
            assert!(!line.contains('\n'), "{line}");
            // The strict reader also refuses a member that is there twice.
            Arguments::from_json(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            (lane, json(&line))
        })
        .collect();
    assert_eq!(records.len(), 3);
    for (lane, record) in &records {
        for (other, its) in &records {
            assert_eq!(record[format!("{other}_record")], its["id"], "the {lane} record names the {other} record");
            assert_eq!(*lane == *other, record["id"] == its["id"], "{lane} and {other} are two records");
        }
        assert_eq!(record["v"], 1);
        assert_eq!(record["event"], permit.decision().to_string());
        assert_eq!(record["txn"], task.txn().as_str());
        assert_eq!(record["task"], task.id().as_str());
        for same in ["seq", "at", "boot"] {
            assert_eq!(record[same], records[0].1[same], "{same}");
        }
    }
    assert_eq!(records[0].1["operator"]["sub"], "ada");
    assert_eq!(records[1].1["agent"], world.triage.to_string());
    assert_eq!(records[2].1["agent_user"]["handle"], "triage-bot");
}

#[test]
fn a_record_that_there_is_not_is_named_by_none() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let _permit = task.authorize(&Action::autonomous("ticket.read", &ticket()).unwrap()).unwrap();
    let event = world.sink.events().pop().unwrap();
    let records = lines(&event);
    assert_eq!(records.len(), 1);
    let record = json(&records[0].1);
    assert_eq!((&record["operator_record"], &record["agent_user_record"]), (&Value::Null, &Value::Null));
    assert_eq!(record["agent_record"], record["id"]);
}

#[test]
fn another_agents_user_record_gets_no_record_of_its_own() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let denial = denied(&task, &close(&world).presenting(&world.payer_bot));
    assert_eq!(denial.code(), ReasonCode::AgentUserNotBound);
    let event = world.sink.events().pop().unwrap();
    assert_eq!(event.agent_user, None);
    assert!(lines(&event)[1].1.contains("payer-bot"), "what was asked stays in the agent's lane");
}

#[test]
fn events_are_numbered_without_a_gap() {
    let world = World::new(OPEN);
    tell(&world);
    let numbers = world.sink.events();
    let numbers: Vec<u64> =
        numbers.iter().flat_map(lines).map(|(_, line)| json(&line)["seq"].as_u64().unwrap()).collect();
    let mut distinct = numbers.clone();
    distinct.dedup();
    assert!(numbers.is_sorted(), "{numbers:?}");
    assert_eq!(distinct, (1..=world.sink.events().len() as u64).collect::<Vec<_>>());
}

#[test]
fn the_effect_is_told_or_written_down_as_unknown() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let run = || task.redeem(task.authorize(&close(&world)).unwrap(), &Arguments::none()).unwrap();
    let (told, untold) = (run(), run());
    let decisions = [*told.decision(), *untold.decision()].map(|event| event.to_string());
    told.finish(Effect::Failed).unwrap();
    drop(untold);
    let closed = task.complete().unwrap();
    assert_eq!(closed.unknown, 1);

    let events = world.sink.events();
    let effects: Vec<_> = events.iter().rev().skip(1).take(2).rev().collect();
    for ((event, decision), effect) in effects.into_iter().zip(&decisions).zip(["failed", "unknown"]) {
        let records = lines(event);
        assert_eq!(records.len(), 3, "{records:?}");
        for (_, line) in records {
            assert_eq!(json(&line)["effect"], effect);
            assert!(line.contains(decision), "{line} does not name {decision}");
        }
    }
    let ended = json(&lines(events.last().unwrap())[0].1);
    assert_eq!((&ended["kind"], &ended["unknown"]), (&Value::from("ended"), &Value::from(1)));
}

#[test]
fn an_effect_that_cannot_be_written_is_written_as_unknown_later() {
    let sink = Moody::new(Mood::Takes);
    let world = world(sink.clone(), PATIENT);
    let task = world.task(scope());
    let run = task.redeem(task.authorize(&close(&world)).unwrap(), &Arguments::none()).unwrap();
    sink.turns(Mood::Errs);
    assert_eq!(run.finish(Effect::Succeeded), Err(refused()));
    assert!(task.complete().is_err());
    sink.turns(Mood::Takes);
    sink.seen.drain();
    let swept = world.door.sweep();
    assert_eq!((swept.closed, swept.failed), (1, 0));
    let effects: Vec<Value> =
        sink.seen.events().iter().map(|event| json(&lines(event)[0].1)["effect"].clone()).collect();
    assert_eq!(effects, [Value::from("unknown"), Value::Null]);
}

#[test]
fn a_credential_that_is_refused_is_written_down_as_refused() {
    let world = World::new(OPEN);
    let task = world.task(Scope::new().allow("ticket.close", Grant::new().at([audience()])).unwrap());
    let permit = task.authorize(&close(&world)).unwrap();
    let decision = permit.decision().to_string();
    let elsewhere = Audience::new("https://elsewhere.example").unwrap();
    task.mint(permit, &elsewhere).expect_err("the scope names another audience");
    let (_, line) = lines(&world.sink.events().pop().unwrap()).pop().unwrap();
    let record = json(&line);
    assert_eq!((&record["kind"], &record["decision"]), (&Value::from("voided"), &Value::from(decision)));
}

#[test]
fn an_end_that_is_written_late_still_counts_what_is_unknown() {
    // Room for the admission, the beginning, the decision and its effect, not for the end.
    let sink = Arc::new(MemorySink::new(4));
    let world = world(sink.clone(), PATIENT);
    let task = world.task(scope());
    drop(task.redeem(task.authorize(&close(&world)).unwrap(), &Arguments::none()).unwrap());
    assert!(task.complete().is_err());
    assert_eq!(sink.drain().len(), 4);
    assert_eq!(world.door.sweep().closed, 1);
    let ended = json(&lines(&sink.events()[0])[0].1);
    assert_eq!((&ended["kind"], &ended["unknown"]), (&Value::from("ended"), &Value::from(1)));
}

/// A story in which every kind of record is written.
pub(super) fn tell(world: &World) {
    let task = world.task(scope());
    let permit = task.authorize(&close(world)).unwrap();
    task.mint(permit, &audience()).unwrap().finish(Effect::Succeeded).unwrap();
    let read = Action::autonomous("ticket.read", &ticket()).unwrap();
    for action in [read.clone(), close(world)] {
        let permit = task.authorize(&action).unwrap();
        task.redeem(permit, &args(r#"{"other": 1}"#)).expect_err("other arguments");
    }
    let request = denied(&task, &purge(world)).request().cloned().unwrap();
    let permit = task.authorize(&purge(world).approved(Approval::by(&world.ada, request))).unwrap();
    drop(task.redeem(permit, &Arguments::none()).unwrap());
    let alone = world.task(Scope::new().allow("ticket.purge", Grant::new().autonomous()).unwrap());
    let purge_alone = Action::autonomous("ticket.purge", &ticket()).unwrap();
    let consent = Approval::by(&world.ada, alone.request(&purge_alone));
    let approved = purge_alone.approved(consent);
    drop(alone.authorize(&approved).unwrap());
    let held = denied(&alone, &approved).request().cloned().unwrap();
    alone.object(&Objection::by(&world.ada, held)).unwrap();
    denied(&task, &close(world).presenting(&world.payer_bot));
    task.label("untrusted".parse().unwrap()).unwrap();
    let spent = Grant::new().budget(Budget::calls(0)).unwrap().autonomous();
    denied(&world.task(Scope::new().allow("ticket.read", spent).unwrap()), &read);
    task.complete().unwrap();

    let halted = world.task(scope());
    world.door.halt(&world.ada, Halt::Task(halted.id().clone())).unwrap();
    world.door.halt(&world.ada, Halt::Everything).unwrap();
    world.door.resume(&world.ada, Resume::Everything).unwrap();
    let (blueprint, image) =
        (BlueprintId::new("image@7").unwrap(), AgentId::spiffe("spiffe://acme.example/image").unwrap());
    world.door.register_from(&world.ada, blueprint.clone(), &image, [operator("ada")]).unwrap();
    world.door.halt(&world.ada, Halt::Blueprint(blueprint.clone())).unwrap();
    world.door.resume(&world.ada, Resume::Blueprint(blueprint)).unwrap();
    let entitlements = Entitlements::new(catalog(), "", Directory::new()).unwrap();
    world.door.reload_entitlements(&world.ada, &entitlements, "", Directory::new()).unwrap();
    world.door.reload(&world.ada, OPEN).unwrap();
    world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).unwrap();
    let of = world.registry.reinstatement(&world.triage).unwrap();
    let (verifier, answer) = prover(world, &world.triage);
    let proof = world.door.prove(&of, &verifier, &answer).unwrap();
    world.door.reinstate(&world.ada, proof, Approval::by(&world.ada, of)).unwrap();
    tell_of_people(world);
    let _ = world.door.retire(&world.ada, &world.triage).unwrap();
    let _ = world.door.offboard(&world.bob, &operator("ada")).unwrap();
}

/// What people do to each other's roles.
fn tell_of_people(world: &World) {
    let (door, ada, eve) = (&world.door, &world.ada, HumanOperator::new(operator("eve")));
    door.enroll(ada, &eve).unwrap();
    let helper = AgentId::spiffe("spiffe://acme.example/agent/helper").unwrap();
    door.register(ada, &helper, [operator("ada")]).unwrap();
    let _ = door.bind(ada, &helper, AgentUserId::new("jira.acme.example", "helper-bot").unwrap()).unwrap();
    door.assign(ada, &helper, AccountabilityRole::Owner, eve.id()).unwrap();
    let _ = door.withdraw(ada, &helper, AccountabilityRole::Owner, eve.id()).unwrap();
    door.transfer(ada, &helper, &operator("ada"), eve.id()).unwrap();
    door.announce_leaving(ada, eve.id(), Some(at(START + 60))).unwrap();
    let glass = door.break_glass(ada, Prose::new("the queue is flooded").unwrap()).unwrap();
    door.halt(&glass, Halt::Agent(helper.clone())).unwrap();
    for key in [AgentKey::generate(&SystemEntropy).unwrap(), AgentKey::generate(&SystemEntropy).unwrap()] {
        let key = Some(key.public().thumbprint());
        drop(door.admit(danger::workload_vouched_by_host(world.triage.clone(), key, at(START + 60))).unwrap());
    }
}

/// What is recorded of a lease that is renewed, and revoked at the second attempt.
fn told_of_leases() -> Vec<Event> {
    let (host, system) = host();
    system.renews();
    let task = host.world.task(scope());
    let mut lease = lease(&task).unwrap();
    host.world.clock.set(at(START + 1));
    task.renew(&mut lease).unwrap();
    system.revoking(Some(Revoking::Fails(3)));
    task.give_back(lease, Effect::Succeeded).expect_err("not revoked yet");
    task.complete().unwrap();
    host.world.sink.events()
}

/// The members of every kind of record beside its link; a member with `?` is not in all of them.
const MEMBERS: &[(&str, &str)] = &[
    ("agent admitted", "agent digest proof sponsor until"),
    ("agent begun", "agent purpose scope sponsor until"),
    (
        "agent decided",
        "agent approvals? arguments first_use ledger.calls ledger.drift ledger.entered ledger.labels ledger.overrun? \
         ledger.recent ledger.refusals ledger.repeats ledger.requests? ledger.step ledger.targets ledger.tool_calls ledger.touched \
         mode operator? presented replayable resource rests_on? standing.agent_active standing.breaker \
         standing.entitlement standing.operators standing.running \
         standing.spent? standing.task standing.time_known tool until verdict.class verdict.outcome verdict.policies \
         verdict.policy_digest verdict.reason? verdict.reason.code? verdict.reason.detail? verdict.rests_on_approval",
    ),
    ("agent done", "agent decision effect"),
    ("agent ended", "agent calls state unknown"),
    ("agent labelled", "agent label"),
    ("agent lease intended", "agent audience decision ends lease step until"),
    ("agent lease issued", "agent ends lease step unheard until"),
    ("agent lease not_revoked", "agent audience lease step why"),
    ("agent lease renewed", "agent ends lease step until"),
    ("agent lease revoked", "agent found lease step"),
    ("agent minted", "agent audience credential decision until"),
    ("agent administered assigned", "administered agent person role"),
    ("agent administered bound", "administered agent agent_user"),
    ("agent administered offboarded", "administered agent ended left suspended"),
    ("agent administered registered", "administered agent blueprint? sponsors"),
    ("agent administered reinstated", "administered agent approval approver digest evidence proof"),
    ("agent administered retired", "administered agent ended"),
    ("agent administered suspended", "administered agent ended"),
    ("agent administered task", "administered agent"),
    ("agent administered transferred", "administered agent from to"),
    ("agent administered withdrawn", "administered agent ended person role suspended"),
    ("agent attested_elsewhere", "agent digest key others until"),
    ("agent voided", "agent decision reason.code reason.detail"),
    ("agent_user bound", "agent agent_user"),
    ("agent_user followed", "active agent agent_user"),
    ("agent_user named", "agent agent_user resource tool"),
    ("agent_user presented", "agent agent_user effect named"),
    ("operator acted_for", "approved operator outcome resource tool"),
    ("operator approved", "agent approval digest evidence operator purpose"),
    ("operator approved_action", "approval evidence operator resource tool"),
    ("operator done", "decision effect operator"),
    ("operator voided", "decision operator"),
    ("operator administered assigned", "administered operator person role"),
    ("operator administered blueprint", "administered blueprint operator"),
    ("operator administered blueprint_resumed", "administered blueprint operator"),
    ("operator administered bound", "administered agent_user operator"),
    ("operator administered enrolled", "administered operator person"),
    ("operator administered entitlements", "administered digest operator"),
    ("operator administered everything", "administered operator"),
    ("operator administered glass_broken", "administered operator until why"),
    ("operator administered leaving", "administered leaves operator person"),
    ("operator administered offboarded", "administered ended left operator suspended"),
    ("operator administered policies", "administered digest operator"),
    ("operator administered registered", "administered blueprint? operator sponsors"),
    ("operator administered reinstated", "administered approval approver digest evidence operator proof"),
    ("operator administered resumed", "administered operator"),
    ("operator administered retired", "administered ended operator"),
    ("operator administered suspended", "administered ended operator"),
    ("operator administered task", "administered operator"),
    ("operator administered transferred", "administered from operator to"),
    ("operator administered withdrawn", "administered ended operator person role suspended"),
    ("operator objected", "evidence operator resource tool"),
    ("operator emergency", "did operator why"),
];

/// What every record has.
const LINK: &str = "v id event txn task seq at boot operator_record agent_record agent_user_record kind";

#[test]
fn the_members_of_every_kind_of_record_are_these() {
    let world = World::new(OPEN);
    tell(&world);
    let mut found: BTreeMap<String, Vec<BTreeSet<String>>> = BTreeMap::new();
    let mut events = world.sink.events();
    events.extend(told_of_leases());
    for (lane, line) in events.iter().flat_map(lines) {
        let record = json(&line);
        let mut members = members("", &record);
        for name in LINK.split(' ') {
            assert!(members.remove(name), "no `{name}` in {line}");
        }
        let kinds = [Some(lane), record["kind"].as_str(), record["administered"].as_str(), record["step"].as_str()];
        found.entry(kinds.into_iter().flatten().collect::<Vec<_>>().join(" ")).or_default().push(members);
    }
    let found: BTreeMap<String, String> =
        found.into_iter().map(|(kind, records)| (kind, summed_up(&records))).collect();
    for (kind, members) in &found {
        let wanted = MEMBERS.iter().find(|(wanted, _)| wanted == kind).map(|(_, members)| *members);
        assert_eq!(wanted, Some(members.as_str()), "the members of the {kind} record");
    }
    assert_eq!(found.len(), MEMBERS.len(), "kinds of records were not written: {:?}", found.keys());
}

/// The paths of the members of a record, as far as they are of the record's own making.
fn members(above: &str, value: &Value) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for (name, value) in value.as_object().expect("an object") {
        let path = format!("{above}{name}");
        if value.is_object() && ["ledger", "reason", "standing", "verdict"].contains(&name.as_str()) {
            paths.extend(members(&format!("{path}."), value));
        } else {
            paths.insert(path);
        }
    }
    paths
}

fn summed_up(records: &[BTreeSet<String>]) -> String {
    let all: BTreeSet<&String> = records.iter().flatten().collect();
    let always = |name: &String| records.iter().all(|members| members.contains(name));
    let marked = all.into_iter().map(|name| if always(name) { name.clone() } else { format!("{name}?") });
    marked.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_record_of_an_agent_user_says_nothing_of_decisions() {
    let world = World::new(OPEN);
    tell(&world);
    let events = world.sink.events();
    let lines: Vec<String> =
        events.iter().flat_map(lines).filter(|(lane, _)| *lane == "agent_user").map(|(_, line)| line).collect();
    for kind in ["named", "presented"] {
        assert!(lines.iter().any(|line| json(line)["kind"] == kind), "none was {kind}: {lines:?}");
    }
    for line in lines {
        for word in ["decision", "verdict", "outcome", "permit", "denied", "reason", "polic", "approv", "scope"] {
            assert!(!line.contains(word), "`{word}` in {line}");
        }
    }
}

/// Everything that can be read of a denial.
fn told_of(denial: &Denial) -> [String; 5] {
    [
        denial.to_string(),
        format!("{denial:?}"),
        denial.for_human().to_string(),
        format!("{:#}", denial.for_operator()),
        serde_json::to_string(&denial.for_model()).expect("JSON"),
    ]
}

#[test]
fn no_argument_and_no_token_is_in_a_record_or_shown() {
    const CANARIES: [&str; 2] = ["canary-6d1f", "74219973.1357"];
    let world = World::new(OPEN);
    let everything = Scope::new().allow("everything", Grant::new()).unwrap();
    let payment = world.task(scope());
    let task = world.task(everything);
    let mut shown: Vec<String> = Vec::new();
    let act = |json: &str| Action::on_behalf_of(&world.ada, "everything", &ticket()).unwrap().with(args(json));
    let refused = [
        r#"{"undeclared": "canary-6d1f"}"#,
        r#"{"flag": "canary-6d1f"}"#,
        r#"{"count": 74219973.1357}"#,
        r#"{"text": ["canary-6d1f"]}"#,
        r#"{"texts": [{"canary-6d1f": 74219973.1357}]}"#,
    ];
    for json in refused {
        let denial = denied(&task, &act(json));
        assert_eq!(denial.code(), ReasonCode::Arguments, "{json}");
        shown.extend(told_of(&denial));
    }
    let beyond = args(r#"{"recipient": "canary-6d1f", "amount": 74219973.1357}"#);
    let held = denied(&payment, &Action::on_behalf_of(&world.ada, "money.send", &ticket()).unwrap().with(beyond));
    assert!(held.is_held());
    shown.extend(told_of(&held));

    let good = r#"{"text": "canary-6d1f", "sum": 74219973.1357, "texts": ["canary-6d1f"], "blob": {"canary-6d1f": 1}}"#;
    let permit = task.authorize(&act(good)).unwrap();
    shown.push(format!("{permit:?}"));
    let changed = task.redeem(permit, &args(r#"{"text": "canary-6d1f, changed"}"#)).expect_err("other arguments");
    shown.extend(told_of(&changed));
    let elsewhere = payment.redeem(task.authorize(&act(good)).unwrap(), &args(good)).expect_err("another task");
    shown.extend(told_of(&elsewhere));
    let execution = task.redeem(task.authorize(&act(good)).unwrap(), &args(good)).unwrap();
    shown.push(format!("{execution:?}"));
    execution.finish(Effect::Succeeded).unwrap();
    let error = payment.mint(task.authorize(&act(good)).unwrap(), &audience()).expect_err("another task");
    shown.push(format!("{error} {error:?}"));
    let credential = task.mint(task.authorize(&act(good)).unwrap(), &audience()).unwrap();
    let token = credential.expose().to_owned();
    shown.push(format!("{credential:?} {task:?}"));
    credential.finish(Effect::Succeeded).unwrap();
    task.complete().unwrap();

    for event in world.sink.events() {
        shown.push(format!("{event:?}"));
        shown.extend(lines(&event).into_iter().map(|(_, line)| line));
    }
    let secrets = CANARIES.into_iter().chain(token.split('.').skip(1));
    for secret in secrets {
        let leak = shown.iter().find(|text| text.contains(secret));
        assert_eq!(leak, None, "`{secret}` is shown");
    }
}

#[test]
fn digests_of_arguments_tell_nothing_outside_their_task() {
    let world = World::new(OPEN);
    let arguments = args(r#"{"reason": "stale"}"#);
    let digest_in = |task: &Task| {
        let _permit = task.authorize(&close(&world).with(arguments.clone())).unwrap();
        let event = world.sink.events().pop().unwrap();
        json(&lines(&event)[1].1)["arguments"].as_str().unwrap().to_owned()
    };
    let (one, other) = (world.task(scope()), world.task(scope()));
    assert_eq!(digest_in(&one), digest_in(&one));
    assert_ne!(digest_in(&one), digest_in(&other));
    assert_ne!(digest_in(&one), arguments.digest().to_string());
}
