//! Lineage: a sub-agent's credential is believed by strangers who see what was passed on to it, and by nobody who sees less.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use bailiwick::credential::{
    Credential, CredentialVerifier, MintError, MintKey, Minter, Presentation, RevocationSet, danger,
};
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::{Audience, TaskId};
use bailiwick::identity::{self, AgentId};
use bailiwick::jose::{Flaw, KeySet, Refused};
use bailiwick::mandate::{Action, Approval, Consent, Grant, Intent, Mandate, Resource, Scope};
use bailiwick::policy::Evaluator;
use bailiwick::time::Timestamp;
use bailiwick::{Authorizer, Task};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::any::{cases, hold_often};
use crate::delegated::{deep, delegable, delegate, id, part, worker, worker_until};
use crate::ends::End;
use crate::published::{APPROVALS, AUTHZ, contents, issuer, known};
use crate::steps::{on_behalf, read};
use crate::world::{OPEN, START, World, at, audience, catalog, scope, ticket};

/// A chain of so many agents below the first one.
fn chain(world: &World, below: u8) -> Vec<Task> {
    let mut tasks = vec![world.task(delegable(8))];
    for depth in 1..=below {
        let child = delegate(world, &tasks[usize::from(depth) - 1], &format!("w{depth}"), deep(scope(), 8 - depth));
        tasks.push(child.expect("a part"));
    }
    tasks
}

fn mint(task: &Task, action: &Action) -> Credential {
    task.mint(task.authorize(action).expect("a permit"), &audience()).expect("a credential")
}

fn verifier(world: &World) -> CredentialVerifier {
    CredentialVerifier::new(world.keys.clone(), audience())
}

/// What a service says that knows the issuer's keys and nothing else, one second after the start.
fn flaw(world: &World, token: &str, lineage: &[&str]) -> Option<Flaw> {
    let shown = danger::possession_vouched_by_host(Presentation::new(token).lineage(lineage.iter().copied()));
    verifier(world).verify(&shown, at(START)).map_err(Refused::flaw).err()
}

fn believed(world: &World, credential: &Credential) -> Option<Flaw> {
    let shown = danger::possession_vouched_by_host(credential.presentation());
    verifier(world).verify(&shown, at(START)).map_err(Refused::flaw).err()
}

fn lineage(credential: &Credential) -> Vec<&str> {
    credential.lineage().iter().map(AsRef::as_ref).collect()
}

#[test]
fn a_stranger_believes_a_credential_of_any_depth_that_brings_its_lineage() {
    let world = World::new(OPEN);
    let tasks = chain(&world, 8);
    for (depth, task) in tasks.iter().enumerate() {
        for action in [read(), on_behalf(&world.ada, "ticket.read")] {
            let credential = mint(task, &action);
            assert_eq!(credential.lineage().len(), depth);
            let shown = danger::possession_vouched_by_host(credential.presentation());
            let verified = verifier(&world).verify(&shown, at(START)).unwrap_or_else(|e| panic!("{depth}: {e:?}"));
            assert_eq!(
                (verified.agent(), verified.mode()),
                (task_agent(&world, depth).as_ref().unwrap(), action.mode())
            );
            let above: Vec<AgentId> = verified.lineage().cloned().collect();
            let expected: Vec<AgentId> = (0..depth).map(|depth| task_agent(&world, depth).unwrap()).collect();
            assert_eq!(above, expected);
            assert_eq!(verified.txn(), tasks[0].txn());
            assert_eq!(world.door.verify(credential.expose(), &audience()).unwrap(), verified, "here nothing is shown");
            let longest = credential.lineage().iter().map(|text| text.len()).chain([credential.expose().len()]).max();
            assert!(longest < Some(8 * 1024), "{longest:?}");
        }
    }
    let (_, claims) = contents(mint(&tasks[8], &read()).expose());
    let context = &claims["urn:bailiwick:claims:v1"];
    assert_eq!((&context["depth"], &context["max_depth"]), (&json!(8), &json!(8)));
    assert_eq!(context["lineage"].as_array().map(Vec::len), Some(8));
}

fn task_agent(world: &World, depth: usize) -> Option<AgentId> {
    Some(if depth == 0 { world.triage.clone() } else { id(&format!("w{depth}")) })
}

#[test]
fn what_is_passed_on_opens_nothing() {
    let world = World::new(OPEN);
    let tasks = chain(&world, 2);
    let credential = mint(&tasks[2], &read());
    let [first, second] = credential.lineage() else { panic!("two above") };
    for (pass, above) in [(first, vec![]), (second, vec![first.as_ref()])] {
        assert_eq!(flaw(&world, pass, &above), Some(Flaw::Header));
        assert_eq!(world.door.verify(pass, &audience()).unwrap_err().flaw(), Flaw::Header);
        assert_eq!(world.door.accept(pass, &audience(), &read()).unwrap_err().flaw(), Flaw::Header);
        let (header, claims) = contents(pass);
        assert_eq!(header["typ"], "task-delegation+jwt");
        assert!(claims["urn:bailiwick:claims:v1"].get("pol").is_none(), "whatever the policies are");
    }
    // What the scope gives of the one tool, and the worker gets one call of it.
    let passed = &contents(first).1["authorization_details"];
    assert_eq!(passed[0]["actions"], json!(["ticket.read"]));
    assert_eq!((&passed[0]["identifier"], &passed[0]["constraints"]), (&Value::Null, &Value::Null));
    assert_eq!(contents(credential.expose()).1["authorization_details"][0]["constraints"]["max_calls"], 1);
}

#[test]
fn a_coordinator_passes_on_what_its_own_policies_do_not_permit_it() {
    let world = World::new(
        r#"@id("workers-read") permit(principal, action == Action::"ticket.read", resource)
           when { principal == AgentIdentity::"spiffe://acme.example/worker/w1" };"#,
    );
    let tasks = chain(&world, 1);
    assert!(tasks[0].authorize(&read()).is_err());
    assert_eq!(believed(&world, &mint(&tasks[1], &read())), None);
}

#[test]
fn who_proved_no_key_passes_nothing_on_to_strangers() {
    let world = World::new(OPEN);
    let keyless = identity::danger::workload_vouched_by_host(world.triage.clone(), None, at(START + 3600));
    let intent = Intent::new("close stale tickets", delegable(1)).unwrap();
    let mandate = Mandate::new(world.door.admit(keyless).unwrap(), intent).approved_by(&world.ada);
    let task = world.door.begin(mandate).unwrap();
    let child = delegate(&world, &task, "a", scope()).unwrap();
    let refused = child.mint(child.authorize(&read()).unwrap(), &audience());
    assert_eq!(refused.map(drop), Err(MintError::NoKey(world.triage.clone())));
}

#[test]
fn what_is_passed_on_is_made_once_while_it_lasts() {
    let world = World::new(OPEN);
    let tasks = chain(&world, 2);
    let [one, same] = [mint(&tasks[2], &read()), mint(&tasks[2], &read())];
    let shared = |one: &Credential, other: &Credential| -> Vec<bool> {
        one.lineage().iter().zip(other.lineage()).map(|(one, other)| Arc::ptr_eq(one, other)).collect()
    };
    assert_eq!(shared(&one, &same), [true, true]);
    assert_eq!(shared(&one, &mint(&tasks[1], &read())), [true], "a sibling's or a parent's alike");
    let other = delegate(&world, &tasks[1], "other", scope()).unwrap();
    assert_eq!(shared(&one, &mint(&other, &read())), [true, true]);
    assert_eq!(shared(&one, &mint(&tasks[2], &on_behalf(&world.ada, "ticket.read"))), [false, false], "another errand");
    // As long as a new credential lasts no longer than they do: 900 seconds less 300.
    world.clock.set(at(START + 600));
    assert_eq!(shared(&one, &mint(&tasks[2], &read())), [true, true]);
    world.clock.set(at(START + 601));
    let late = mint(&tasks[2], &read());
    assert_eq!(shared(&one, &late), [false, false]);
    let shown = danger::possession_vouched_by_host(late.presentation());
    assert!(verifier(&world).verify(&shown, at(START + 900)).is_ok());
}

#[test]
fn what_is_passed_on_later_ends_no_later_than_what_it_hangs_on() {
    let world = World::new(OPEN);
    let tasks = chain(&world, 2);
    let first = mint(&tasks[1], &read());
    world.clock.set(at(START + 500));
    let credential = mint(&tasks[2], &read());
    assert!(Arc::ptr_eq(&first.lineage()[0], &credential.lineage()[0]), "the older one still lasts long enough");
    let end = |token: &str| contents(token).1["exp"].as_i64();
    assert_eq!(end(&credential.lineage()[1]), Some(START + 900));
    let shown = danger::possession_vouched_by_host(credential.presentation());
    assert!(verifier(&world).verify(&shown, at(START + 500)).is_ok());
}

#[test]
fn tokens_are_not_in_what_is_logged() {
    let world = World::new(OPEN);
    let tasks = chain(&world, 1);
    let credential = mint(&tasks[1], &read());
    let logged = format!("{credential:?} {:?} {tasks:?} {:?}", credential.presentation(), world.sink.events());
    for token in credential.lineage().iter().map(AsRef::as_ref).chain([credential.expose()]) {
        assert!(!logged.contains(token));
    }
}

/// Ways to show something else than what was passed on.
#[derive(Debug, Clone, Copy)]
enum Spoilt {
    LeftOut,
    Doubled,
    Swapped,
    /// From a chain of other agents.
    Elsewhere,
    /// From the same place of a chain whose agents are the same, in another task.
    OtherErrand,
    /// On another errand of the same task.
    OtherMode,
    /// Of another tool.
    OtherTool,
    /// The sibling's credential, which is one, in the place of what was passed on.
    Sibling,
}

#[test]
fn a_lineage_is_refused_when_any_part_of_it_is_left_out_moved_or_another() {
    use Spoilt::{Doubled, Elsewhere, LeftOut, OtherErrand, OtherMode, OtherTool, Sibling, Swapped};
    let world = World::new(OPEN);
    let (tasks, others) = (chain(&world, 8), chain(&world, 8));
    let foreign = {
        let mut tasks = vec![world.task(delegable(8))];
        for depth in 1..=8_u8 {
            let above = &tasks[usize::from(depth) - 1];
            tasks.push(delegate(&world, above, &format!("v{depth}"), deep(scope(), 8 - depth)).unwrap());
        }
        tasks
    };
    let all = [LeftOut, Doubled, Swapped, Elsewhere, OtherErrand, OtherMode, OtherTool, Sibling];
    let input = (1_usize..=8, select(all.to_vec()), any::<Index>(), any::<Index>());
    hold_often((256, 200), input, |(depth, spoilt, place, other)| {
        let credential = mint(&tasks[depth], &read());
        let own = lineage(&credential);
        prop_assert_eq!(flaw(&world, credential.expose(), &own), None);
        let (place, other) = (place.index(depth), other.index(depth));
        let instead = match spoilt {
            Elsewhere | Sibling => mint(&foreign[depth], &read()),
            OtherErrand => mint(&others[depth], &read()),
            OtherMode => mint(&tasks[depth], &on_behalf(&world.ada, "ticket.read")),
            _ => mint(&tasks[depth], &on_behalf(&world.ada, "ticket.close")),
        };
        let mut shown = own.clone();
        match spoilt {
            LeftOut => drop(shown.remove(place)),
            Doubled => shown.insert(place, own[other]),
            Swapped => shown.swap(place, other),
            Sibling => shown[place] = instead.expose(),
            Elsewhere | OtherErrand | OtherMode | OtherTool => shown[place] = lineage(&instead)[place],
        }
        if shown == own {
            return Ok(false);
        }
        let flaw = flaw(&world, credential.expose(), &shown);
        prop_assert!(
            matches!(flaw, Some(Flaw::Lineage | Flaw::Unproven)),
            "{:?} {} {}: {:?}",
            spoilt,
            place,
            other,
            flaw
        );
        Ok(true)
    });
}

#[test]
fn a_strangers_list_names_what_ended_above() {
    for end in [End::Completed, End::Dropped, End::Task, End::Suspended, End::Everything, End::Retired] {
        let world = World::new(OPEN);
        let mut tasks = chain(&world, 2);
        let credentials = [mint(&tasks[1], &read()), mint(&tasks[2], &read())];
        let set = Arc::new(RevocationSet::new(world.keys.clone()));
        let service = verifier(&world).revoked_by(set.clone());
        let flaws = || {
            set.load(&world.door.revocations().unwrap(), at(START)).unwrap();
            let shown = credentials.each_ref().map(|one| danger::possession_vouched_by_host(one.presentation()));
            shown.map(|shown| service.verify(&shown, at(START)).map_err(Refused::flaw).err())
        };
        assert_eq!(flaws(), [None, None], "{end:?}");
        let root = tasks.remove(0);
        let _kept = end.come(&world, root);
        assert_eq!(flaws(), [Some(Flaw::Revoked), Some(Flaw::Revoked)], "{end:?}");
        world.door.sweep();
        assert_eq!(flaws(), [Some(Flaw::Revoked), Some(Flaw::Revoked)], "{end:?}, swept");
    }
}

/// A moment so many milliseconds after the start of the world.
fn after(millis: u64) -> Timestamp {
    at(START).after(Duration::from_millis(millis))
}

#[test]
fn a_sub_agents_credential_ends_with_the_first_of_what_bounds_it() {
    let world = World::new(OPEN);
    let evaluator = Evaluator::new(catalog(), OPEN).unwrap();
    let bound = || 1_000_u64..1_000_000;
    let ends = Cell::new([0; 6]);
    let input = (1_u64..=900, bound(), bound(), bound(), bound(), bound(), (bound(), 0_u64..1_000));
    hold_often((160, 120), input, |(lifetime, task_end, proof, ada, child_end, child_proof, (warm, now))| {
        world.clock.set(at(START));
        let minter = Minter::new(issuer(AUTHZ), MintKey::generate(&SystemEntropy).unwrap());
        let keys = minter.keys(at(START));
        let minter = minter.with_lifetime(Duration::from_secs(lifetime)).unwrap();
        let door = Authorizer::builder(world.registry.clone(), evaluator.clone(), world.sink.clone())
            .minter(minter)
            .clock(world.clock.clone())
            .build()
            .unwrap();
        let key = Some(world.key.public().thumbprint());
        let agent = identity::danger::workload_vouched_by_host(world.triage.clone(), key, after(proof));
        let intent = Intent::new("close stale tickets", delegable(1)).unwrap();
        let mandate = Mandate::new(door.admit(agent).unwrap(), intent)
            .approved(Approval::by(&world.ada, delegable(1)).until(after(ada)))
            .until(after(task_end));
        let task = door.begin(mandate).unwrap();
        let below = part(worker_until(&world, "w", after(child_proof)), scope());
        let child_end = child_end.min(task_end).min(proof).min(ada);
        let child = task.delegate(below.until(after(child_end))).unwrap();
        let action = on_behalf(&world.ada, "ticket.read");
        let mint = |task: &Task| task.mint(task.authorize(&action).unwrap(), &audience());
        // What was passed on before is older than the credential, and may be kept.
        if warm % 2 == 0 {
            let _ = mint(&child);
        }
        let now = now.min(child_end / 2);
        world.clock.set(after(now));
        let bounds = [now + lifetime * 1_000, task_end, proof, ada, child_end, child_proof];
        let end = START + i64::try_from(bounds.into_iter().min().unwrap() / 1_000).unwrap();
        if after(now) >= child.until() {
            return Ok(false);
        }
        let minted = mint(&child);
        if end <= START + i64::try_from(now / 1_000).unwrap() {
            prop_assert!(minted.is_err());
            return Ok(false);
        }
        let credential = minted.unwrap();
        prop_assert_eq!(credential.until(), at(end));
        let passed = contents(&credential.lineage()[0]).1["exp"].as_i64().unwrap();
        prop_assert!(end <= passed && passed <= START + i64::try_from(task_end.min(proof).min(ada) / 1_000).unwrap());
        let shown = danger::possession_vouched_by_host(credential.presentation());
        let service = CredentialVerifier::new(keys, audience());
        prop_assert_eq!(service.verify(&shown, after(now)).unwrap().until(), at(end));
        let shortest = bounds.iter().position(|bound| Some(bound) == bounds.iter().min()).unwrap();
        let mut counts = ends.get();
        counts[shortest] += 1;
        ends.set(counts);
        Ok(true)
    });
    assert!(ends.get().iter().all(|count| *count >= 3), "every bound is the first at times: {:?}", ends.get());
}

/// Ada's approval of a ticket task, sealed by the approvals service: so many agents may stand below.
fn sealed(world: &World, max_depth: Option<u64>) -> String {
    let mut claims = known("approval").claims;
    for (pointer, value) in [
        ("/sub", json!("ada")),
        ("/sub_id/sub", json!("ada")),
        ("/iat", json!(START)),
        ("/nbf", json!(START)),
        ("/may_act/sub", json!(world.triage.as_str())),
        (
            "/authorization_details",
            json!([{
                "type": "urn:bailiwick:rar:task-action",
                "locations": [audience().as_str()],
                "actions": ["ticket.read", "ticket.close"],
                "constraints": { "max_calls": 5 },
            }]),
        ),
    ] {
        *claims.pointer_mut(pointer).expect("a claim") = value;
    }
    let context = claims["urn:bailiwick:claims:v1"].as_object_mut().expect("the container");
    match max_depth {
        Some(depth) => context["delegation"]["max_depth"] = json!(depth),
        None => drop(context.remove("delegation")),
    }
    APPROVALS.sign_text(&APPROVALS.header("task-approval+jwt").to_string(), &claims.to_string())
}

fn approval(token: &str) -> Result<Approval, Flaw> {
    crate::published::approvals().verify(token, at(START)).map_err(Refused::flaw)
}

/// What the sealed approval lets the task do.
fn approved(approval: &Approval) -> Scope {
    let Consent::Scope(scope) = approval.consent().clone() else { panic!("consent to a task") };
    scope
}

fn begin(world: &World, token: &str) -> Task {
    let approval = approval(token).unwrap();
    let intent = Intent::new("close stale tickets", approved(&approval)).unwrap();
    let name = TaskId::new("tsk_Yk3v0Q9m2nR7sT1u").unwrap();
    world.door.begin(Mandate::new(world.agent(), intent).approved(approval).named(name)).unwrap()
}

#[test]
fn what_a_sealed_approval_says_of_delegation_is_meant() {
    let world = World::new(OPEN);
    for (depth, flaw) in [(9, Flaw::Authority), (255, Flaw::Authority), (256, Flaw::Claims)] {
        assert_eq!(approval(&sealed(&world, Some(depth))).unwrap_err(), flaw, "{depth}");
    }
    let unsaid = approved(&approval(&sealed(&world, None)).unwrap());
    assert_eq!(approved(&approval(&sealed(&world, Some(0))).unwrap()), unsaid);
    for depth in 1..=8_u8 {
        let said = approved(&approval(&sealed(&world, Some(depth.into()))).unwrap());
        assert_eq!(said, deep(unsaid.clone(), depth));
    }
    let task = begin(&world, &sealed(&world, None));
    assert!(delegate(&world, &task, "a", unsaid).is_err());
}

#[test]
fn a_stranger_who_wants_the_persons_own_word_gets_it_for_a_sub_agent_too() {
    let world = World::new(OPEN);
    let token = sealed(&world, Some(2));
    let task = begin(&world, &token);
    let narrow = Scope::new().allow("ticket.close", Grant::new().at([audience()]).at_most(1).preapproved()).unwrap();
    let child = delegate(&world, &task, "a", deep(narrow.clone(), 1)).unwrap();
    let below = delegate(&world, &child, "b", narrow).unwrap();
    let keys = KeySet::new().with(issuer("https://approvals.acme.example"), APPROVALS.public()).unwrap();
    let service = verifier(&world).approved_by(keys);
    let credential = mint(&below, &on_behalf(&world.ada, "ticket.close"));
    assert_eq!(credential.approval(), Some(token.as_str()));
    let shown = || danger::possession_vouched_by_host(credential.presentation());
    assert_eq!(service.verify(&shown(), at(START)).unwrap().lineage().len(), 2);

    let without = Presentation::new(credential.expose()).lineage(lineage(&credential));
    let flaw = |shown: Presentation<'_>| {
        let shown = danger::possession_vouched_by_host(shown);
        // Another service, which remembers nothing.
        let keys = KeySet::new().with(issuer("https://approvals.acme.example"), APPROVALS.public()).unwrap();
        verifier(&world).approved_by(keys).verify(&shown, at(START)).map_err(Refused::flaw).err()
    };
    assert_eq!(flaw(without.clone()), Some(Flaw::Unproven));
    assert_eq!(flaw(without.clone().approval(&sealed(&world, Some(3)))), Some(Flaw::Binding));
    assert_eq!(flaw(without.approval(&token)), None);
    // In a session nothing is sealed, and so there is nothing to show.
    let tasks = chain(&world, 1);
    assert_eq!(mint(&tasks[1], &on_behalf(&world.ada, "ticket.read")).approval(), None);
    assert_eq!(mint(&tasks[1], &read()).approval(), None);
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn what_a_credential_permits_everything_above_passed_on(
        resources in proptest::option::of(proptest::collection::btree_set(0_u32..60, 1..50)),
        limits in proptest::collection::vec(proptest::option::of(1_u32..5), 3),
    ) {
        // Where a grant names many resources, only one is passed on.
        let world = World::new(OPEN);
        let tickets = |numbers: &std::collections::BTreeSet<u32>| -> Vec<Resource> {
            numbers.iter().map(|number| Resource::new("ticket", &format!("T-{number}")).unwrap()).collect()
        };
        let mut grant = Grant::new().autonomous().at([audience(), Audience::new("https://b.example").unwrap()]);
        let mut tasks: Vec<Task> = Vec::new();
        for (depth, limit) in (0_u8..).zip(limits) {
            if let Some(numbers) = resources.as_ref().filter(|_| depth > 0) {
                grant = grant.on(tickets(numbers));
            }
            if let Some(limit) = limit {
                let above = contents_limit(&grant);
                grant = grant.at_most(limit.min(above));
            }
            let scope = deep(Scope::new().allow("ticket.read", grant.clone()).unwrap(), 2 - depth);
            let task = match tasks.last() {
                None => world.task(scope),
                Some(above) => above.delegate(part(worker(&world, &format!("w{depth}")), scope)).unwrap(),
            };
            tasks.push(task);
        }
        let on = resources.as_ref().and_then(|numbers| tickets(numbers).pop()).unwrap_or_else(ticket);
        let action = Action::autonomous("ticket.read", &on).unwrap();
        let credential = mint(&tasks[2], &action);
        prop_assert_eq!(believed(&world, &credential), None);
        let shown = danger::possession_vouched_by_host(credential.presentation());
        let verified = verifier(&world).verify(&shown, at(START)).unwrap();
        prop_assert!(verified.permits(action.tool(), &on, action.arguments()));
        let elsewhere = Resource::new("ticket", "T-99").unwrap();
        prop_assert!(!verified.permits(action.tool(), &elsewhere, action.arguments()));
    }
}

/// How many calls the grant allows.
fn contents_limit(grant: &Grant) -> u32 {
    serde_json::to_value(grant).unwrap()["max_calls"].as_u64().map_or(u32::MAX, |limit| limit.try_into().unwrap())
}
