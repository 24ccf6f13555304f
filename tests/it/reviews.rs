//! The review: per agent who answers for it, how it is proven, what it does, and what wants attention.

use std::time::Duration;

use bailiwick::entropy::SystemEntropy;
use bailiwick::identity::{AccountabilityRole, AgentKey, danger};
use bailiwick::mandate::{Approval, Grant, Intent, Mandate, Scope};
use bailiwick::{Attention, Halt, ReviewedAgent};

use crate::steps::{attested, read};
use crate::world::{HOUR, OPEN, START, World, at, operator, scope};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn triage(world: &World) -> ReviewedAgent {
    let agents = world.door.review().unwrap().agents;
    agents.into_iter().find(|reviewed| reviewed.agent == world.triage).unwrap()
}

fn wants(world: &World) -> Vec<Attention> {
    triage(world).attention.into_iter().collect()
}

#[test]
fn each_thing_that_wants_attention_is_told_and_told_no_more_when_it_was_seen_to() {
    let world = World::new(OPEN);
    assert_eq!(wants(&world), [Attention::NoOwner, Attention::NeverUsed]);
    world.door.assign(&world.ada, &world.triage, AccountabilityRole::Owner, &operator("bob")).unwrap();
    let agent = attested(&world);
    let intent = Intent::new("close stale tickets", scope()).unwrap();
    let task = world.door.begin(Mandate::new(agent, intent).approved(Approval::by(&world.ada, scope()))).unwrap();
    drop(task.authorize(&read()).unwrap());
    assert_eq!(wants(&world), [Attention::OverWide; 0]);
    assert_eq!((triage(&world).open_tasks, triage(&world).keys), (1, 1));
    assert_eq!(triage(&world).last_use, Some(at(START)));

    world.door.announce_leaving(&world.ada, &operator("ada"), Some(at(START).after(31 * DAY))).unwrap();
    assert_eq!(wants(&world), [], "not soon");
    world.door.announce_leaving(&world.ada, &operator("ada"), Some(at(START).after(30 * DAY))).unwrap();
    assert_eq!(wants(&world), [Attention::SponsorLeaving]);
    world.door.assign(&world.ada, &world.triage, AccountabilityRole::Sponsor, &operator("bob")).unwrap();
    assert_eq!(wants(&world), [], "somebody stays");

    let vouched = |key: &AgentKey| {
        danger::workload_vouched_by_host(world.triage.clone(), Some(key.public().thumbprint()), at(START + 3600))
    };
    world.door.admit(vouched(&AgentKey::generate(&SystemEntropy).unwrap())).unwrap();
    assert_eq!(wants(&world), [Attention::Unattested, Attention::SeveralKeys]);
    drop(attested(&world));

    let wide = Scope::new().allow("ticket.close", Grant::new().autonomous()).unwrap();
    let wide_task = world.task(wide);
    assert!(wants(&world).contains(&Attention::OverWide));
    drop(wide_task);
    assert!(!wants(&world).contains(&Attention::OverWide));
    world.clock.advance(HOUR);
    task.complete().unwrap();

    world.clock.set(at(START).after(30 * DAY));
    assert!(wants(&world).contains(&Attention::Unused));
    world.door.halt(&world.bob, Halt::Agent(world.triage.clone())).unwrap_err();
}

#[test]
fn the_width_of_a_scope_is_told_by_what_nobody_is_asked_about() {
    let on = || [crate::world::ticket()];
    let rows = [
        ("ticket.read", Grant::new().autonomous(), false),
        ("ticket.close", Grant::new(), false),
        ("ticket.close", Grant::new().autonomous(), true),
        ("ticket.purge", Grant::new().preapproved(), true),
        ("ticket.close", Grant::new().autonomous().on(on()), false),
        ("ticket.close", Grant::new().autonomous().at_most(3), false),
    ];
    for (tool, grant, is_wide) in rows {
        let world = World::new(OPEN);
        let shown = format!("{tool} {grant:?}");
        let _task = world.task(Scope::new().allow(tool, grant).unwrap());
        assert_eq!(wants(&world).contains(&Attention::OverWide), is_wide, "{shown}");
    }
    let world = World::new(OPEN);
    let _task = world.task(Scope::new().allow("ticket.close", Grant::new().autonomous()).unwrap().at_most(10));
    assert!(!wants(&world).contains(&Attention::OverWide), "the whole task is bounded");
}

#[test]
fn a_refused_action_is_use_and_a_test_of_the_rules_is_none() {
    let world = World::new(OPEN);
    let task = world.task(Scope::new());
    task.verdict(&read()).unwrap();
    assert_eq!(triage(&world).last_use, None);
    world.clock.advance(HOUR / 2);
    task.authorize(&read()).unwrap_err();
    assert_eq!(triage(&world).last_use, Some(at(START).after(HOUR / 2)));
}

#[test]
fn people_read_it_as_a_table() {
    let world = World::new(OPEN);
    world.door.assign(&world.ada, &world.triage, AccountabilityRole::Owner, &operator("bob")).unwrap();
    let agent = attested(&world);
    let intent = Intent::new("close stale tickets", scope()).unwrap();
    let task = world.door.begin(Mandate::new(agent, intent).approved(Approval::by(&world.ada, scope()))).unwrap();
    drop(task.authorize(&read()).unwrap());
    world.door.announce_leaving(&world.ada, &operator("ada"), Some(at(START).after(DAY))).unwrap();
    let _ = world.door.retire(&world.ada, &world.payer).unwrap();
    assert_eq!(world.door.review().unwrap().to_string(), TABLE);
    let json = serde_json::to_value(world.door.review().unwrap()).unwrap();
    assert_eq!(json["agents"][1]["attention"], serde_json::json!(["sponsor_leaving"]));
    drop(task);
}

const TABLE: &str = "\
agent                               state    sponsors                 proof     last use              tasks  agent user                    attention
spiffe://acme.example/agent/payer   retired  ada (leaves 2026-09-22)  -         -                     0      jira.acme.example/payer-bot   -
spiffe://acme.example/agent/triage  active   ada (leaves 2026-09-22)  host-key  2026-09-21T14:13:20Z  1      jira.acme.example/triage-bot  sponsor_leaving
";
