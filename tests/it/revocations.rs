//! Revocation for services elsewhere: what the door says is dead, and what is believed of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bailiwick::audit::{AgentFact, Effect};
use bailiwick::credential::{Credential, CredentialVerifier, MintError, RevocationSet, RevocationView, Status};
use bailiwick::id::{CredentialId, Issuer};
use bailiwick::jose::{Flaw, KeySet, Leeway, Refused};
use bailiwick::mandate::{Action, Approval, Grant, Quorum, Scope};
use bailiwick::time::Timestamp;
use bailiwick::{Error, Task};
use serde_json::{Value, json};

use crate::ends::End;
use crate::published::{APPROVALS, AUTHZ, ISSUER, contents, issuer, known, shown};
use crate::world::{self, OPEN, START, World, at, operator, scope, ticket};

/// A service elsewhere: it knows the issuer's keys and what it loaded.
struct Service {
    verifier: CredentialVerifier,
    revoked: Arc<RevocationSet>,
}

impl Service {
    fn new(world: &World) -> Self {
        let revoked = Arc::new(RevocationSet::new(world.keys.clone()));
        let verifier = CredentialVerifier::new(world.keys.clone(), world::audience()).revoked_by(revoked.clone());
        Self { verifier, revoked }
    }

    fn load(&self, world: &World) {
        self.revoked.load(&world.door.revocations().expect("a list"), now(world)).expect("a list that is believed");
    }

    fn flaw(&self, world: &World, token: &str) -> Option<Flaw> {
        self.verifier.verify(&shown(token), now(world)).map_err(Refused::flaw).err()
    }
}

fn now(world: &World) -> Timestamp {
    bailiwick::time::Clock::now(world.clock.as_ref()).expect("it stands")
}

fn mint(task: &Task, action: &Action) -> Credential {
    task.mint(task.authorize(action).expect("a permit"), &world::audience()).expect("a credential")
}

fn close(world: &World) -> Action {
    Action::on_behalf_of(&world.ada, "ticket.close", &ticket()).unwrap()
}

fn read() -> Action {
    Action::autonomous("ticket.read", &ticket()).unwrap()
}

/// The ids in a list.
fn named(list: &str) -> BTreeSet<String> {
    let revoked: Vec<String> = serde_json::from_value(contents(list).1["revoked"].clone()).unwrap();
    revoked.into_iter().collect()
}

#[test]
fn a_service_elsewhere_learns_of_every_end() {
    for end in End::ALL {
        let world = World::new(OPEN);
        let service = Service::new(&world);
        let task = world.task(scope());
        let credentials = [mint(&task, &close(&world)), mint(&task, &read())];
        let tokens = credentials.each_ref().map(|credential| credential.expose().to_owned());
        for token in &tokens {
            assert_eq!(service.flaw(&world, token), Some(Flaw::Unavailable), "nothing was loaded");
        }
        service.load(&world);
        for token in &tokens {
            assert_eq!(service.flaw(&world, token), None, "{end:?}");
        }
        let task = end.come(&world, task);
        if end == End::TimeOver {
            assert_eq!(named(&world.door.revocations().unwrap()), BTreeSet::new(), "what is over is not revoked");
            continue;
        }
        for again in 0..2 {
            service.load(&world);
            for token in &tokens {
                assert_eq!(service.flaw(&world, token), Some(Flaw::Revoked), "{end:?}, {again}");
            }
            world.door.sweep();
        }
        drop((task, credentials));
        service.load(&world);
        assert_eq!(service.flaw(&world, &tokens[0]), Some(Flaw::Revoked), "{end:?}, all dropped");
        world.clock.set(at(START + 419));
        assert_eq!(named(&world.door.revocations().unwrap()).len(), 2, "somebody's clock may be behind, and lenient");
        world.clock.set(at(START + 420));
        assert_eq!(named(&world.door.revocations().unwrap()), BTreeSet::new(), "what is over is forgotten");
    }
}

#[test]
fn what_is_told_used_given_up_or_of_other_policies_is_dead_elsewhere_too() {
    let world = World::new(OPEN);
    let (service, task) = (Service::new(&world), world.task(scope()));
    let action = close(&world);
    let mut tokens = Vec::new();
    let mut minted = || {
        let credential = mint(&task, &action);
        tokens.push((credential.id().clone(), credential.expose().to_owned()));
        credential
    };
    let kept = minted();
    drop(minted());
    minted().finish(Effect::Succeeded).unwrap();
    let used = minted();
    world.door.accept(used.expose(), &world::audience(), &action).unwrap();
    let given_up = minted();
    assert_eq!(task.revoke(given_up.id()), Ok(true));
    assert_eq!(task.revoke(given_up.id()), Ok(false), "once");
    assert!(world.door.verify(given_up.expose(), &world::audience()).is_err());
    let told = |fact: &AgentFact| matches!(fact, AgentFact::Revoked { credential } if credential == given_up.id());
    let times =
        world.sink.events().iter().filter(|event| event.agent.as_ref().is_some_and(|own| told(&own.fact))).count();
    assert_eq!(times, 1);
    assert_eq!(task.revoke(&CredentialId::new("tc_0000000000000000000000").unwrap()), Ok(false), "of nobody's");

    service.load(&world);
    let verdicts: Vec<_> = tokens.iter().map(|(_, token)| service.flaw(&world, token)).collect();
    let dead = Some(Flaw::Revoked);
    assert_eq!(verdicts, [None, dead, dead, dead, dead]);
    let expected: BTreeSet<_> = tokens[1..].iter().map(|(id, _)| id.as_str().to_owned()).collect();
    assert_eq!(named(&world.door.revocations().unwrap()), expected);

    // Other policies, and then the first ones again: nothing comes back.
    for policies in [format!("{OPEN} // other"), format!("{OPEN}{OPEN}").replacen("all", "al", 1), OPEN.to_owned()] {
        world.door.reload(&world.ada, policies.as_str()).unwrap();
        service.load(&world);
    }
    assert_eq!(service.flaw(&world, kept.expose()), Some(Flaw::Revoked));
    assert!(world.door.verify(kept.expose(), &world::audience()).is_err());
    let newer = mint(&task, &action);
    service.load(&world);
    assert_eq!(service.flaw(&world, newer.expose()), None);
}

#[test]
fn when_a_person_leaves_what_rests_on_others_goes_on() {
    let world = World::new(OPEN);
    world.registry.assign(&world.triage, bailiwick::identity::AccountabilityRole::Sponsor, &operator("bob")).unwrap();
    let (service, task) = (Service::new(&world), world.task(scope()));
    let (hers, own) = (mint(&task, &close(&world)), mint(&task, &read()));
    world.door.offboard(&world.bob, &operator("ada")).unwrap();
    service.load(&world);
    assert_eq!(service.flaw(&world, hers.expose()), Some(Flaw::Revoked));
    assert_eq!(service.flaw(&world, own.expose()), None);
}

#[test]
fn when_a_person_leaves_what_rests_on_their_approval_of_the_action_is_dead_elsewhere_too() {
    let world = World::new(OPEN);
    let quorum = Quorum::of(1).unwrap().among_others([operator("bob")]).unwrap();
    let purges = Grant::new().autonomous().approved_by(quorum);
    let reads = Scope::new().allow("ticket.read", Grant::new().autonomous()).unwrap();
    let task = world.task(reads.allow("ticket.purge", purges).unwrap());
    let (service, purge) = (Service::new(&world), Action::autonomous("ticket.purge", &ticket()).unwrap());
    let approved = purge.clone().approved(Approval::by(&world.bob, task.request(&purge)));
    let (theirs, own) = (mint(&task, &approved), mint(&task, &read()));
    service.load(&world);
    assert_eq!(service.flaw(&world, theirs.expose()), None);
    world.door.offboard(&world.ada, &operator("bob")).unwrap();
    world.clock.advance(Duration::from_secs(1));
    service.load(&world);
    assert_eq!(service.flaw(&world, theirs.expose()), Some(Flaw::Revoked));
    assert_eq!(service.flaw(&world, own.expose()), None);
}

#[test]
fn a_list_is_believed_for_a_minute_and_no_older_one_takes_its_place() {
    let world = World::new(OPEN);
    let (service, task) = (Service::new(&world), world.task(scope()));
    let (credential, victim) = (mint(&task, &close(&world)), mint(&task, &read()));
    let first = world.door.revocations().unwrap();
    service.load(&world);
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(service.flaw(&world, credential.expose()), None);
    let second = world.door.revocations().unwrap();
    task.revoke(victim.id()).unwrap();
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(service.flaw(&world, credential.expose()), Some(Flaw::Unavailable), "nobody knows any more");
    let flaw = |list: &str| service.revoked.load(list, now(&world)).map_err(Refused::flaw).err();
    assert_eq!(flaw(&first), Some(Flaw::Expired));
    service.load(&world);
    assert_eq!(flaw(&second), Some(Flaw::Replayed), "of before the revocation");
    assert_eq!(service.flaw(&world, victim.expose()), Some(Flaw::Revoked));
    assert_eq!(service.flaw(&world, credential.expose()), None);
}

/// A list that the issuer's key signed.
fn list(change: impl Fn(&mut Value)) -> String {
    let mut claims = json!({ "iss": AUTHZ, "iat": START, "exp": START + 60, "from": START - 100, "revoked": [] });
    change(&mut claims);
    ISSUER.sign_text(&ISSUER.header("credential-revocations+jwt").to_string(), &claims.to_string())
}

fn trusting() -> RevocationSet {
    let keys = KeySet::of(issuer(AUTHZ), ISSUER.public());
    RevocationSet::new(keys.with(issuer("https://b.example"), APPROVALS.public()).unwrap())
}

#[test]
fn only_the_issuer_s_own_list_is_believed() {
    let flaw = |list: &str| trusting().load(list, at(START + 10)).map_err(Refused::flaw).err();
    type Row = (&'static str, fn(&mut Value), Option<Flaw>);
    let claims = Some(Flaw::Claims);
    let rows: [Row; 14] = [
        ("as it is", |_| (), None),
        ("another issuer", |c| c["iss"] = "https://b.example".into(), Some(Flaw::Issuer)),
        ("no issuer", |c| drop(c.as_object_mut().unwrap().remove("iss")), claims),
        ("over", |c| c["exp"] = (START + 10).into(), Some(Flaw::Expired)),
        ("not yet", |c| (c["iat"], c["exp"]) = ((START + 11).into(), (START + 60).into()), Some(Flaw::NotYetValid)),
        ("longer than a minute", |c| c["exp"] = (START + 61).into(), claims),
        ("no end", |c| drop(c.as_object_mut().unwrap().remove("exp")), claims),
        ("no beginning", |c| drop(c.as_object_mut().unwrap().remove("from")), claims),
        ("no list", |c| drop(c.as_object_mut().unwrap().remove("revoked")), claims),
        ("a member more", |c| c["aud"] = "https://b.example".into(), claims),
        ("nothing instead of a second", |c| c["all_until"] = Value::Null, claims),
        ("an id that is none", |c| c["revoked"] = json!(["a b"]), claims),
        ("many", |c| c["revoked"] = (0..32_768).map(|id| format!("tc_{id:0>22}")).collect(), None),
        ("too many", |c| c["revoked"] = (0..32_769).map(|id| format!("tc_{id:0>22}")).collect(), claims),
    ];
    for (what, change, expected) in rows {
        assert_eq!(flaw(&list(change)), expected, "{what}");
    }
    let text = list(|_| ());
    assert!(matches!(
        flaw(&text.replacen('A', "B", 1)),
        Some(Flaw::Encoding | Flaw::Header | Flaw::Claims | Flaw::Signature)
    ));
    let (header, claims) = contents(&text);
    assert_eq!(
        flaw(&APPROVALS.sign_text(&APPROVALS.header("credential-revocations+jwt").to_string(), &claims.to_string())),
        Some(Flaw::Issuer)
    );
    assert_eq!(flaw(&APPROVALS.sign_text(&header.to_string(), &claims.to_string())), Some(Flaw::Signature));
    for typ in ["at+jwt", "JWT", "task-approval+jwt", "task-delegation+jwt"] {
        assert_eq!(flaw(&ISSUER.sign_text(&ISSUER.header(typ).to_string(), &claims.to_string())), Some(Flaw::Header));
    }
    assert_eq!(flaw(&known("auto").jwt), Some(Flaw::Header));
    assert!(crate::published::credentials().verify(&shown(&text), at(START)).is_err(), "a list is no credential");
}

#[test]
fn a_list_says_which_credentials_are_dead() {
    let set = trusting();
    let (name, other) = (issuer(AUTHZ), issuer("https://b.example"));
    let id = |number: u32| CredentialId::new(&format!("tc_{number:0>22}")).unwrap();
    let status = |issuer: &Issuer, number, issued: i64, now: i64| set.status(issuer, &id(number), at(issued), at(now));
    assert_eq!(status(&name, 1, START, START), Status::Unknown, "nothing is loaded");
    set.load(&list(|c| c["revoked"] = json!([format!("tc_{:0>22}", 1)])), at(START)).unwrap();
    assert_eq!(status(&name, 1, START, START), Status::Revoked);
    assert_eq!(status(&name, 2, START, START), Status::Good);
    assert_eq!(status(&other, 2, START, START), Status::Unknown, "of another issuer");
    assert_eq!(status(&name, 2, START - 100, START), Status::Good);
    assert_eq!(status(&name, 2, START - 101, START), Status::Revoked, "before the process started");
    assert_eq!(status(&name, 2, START, START + 59), Status::Good);
    assert_eq!(status(&name, 2, START, START + 60), Status::Unknown, "stale");
    set.load(&list(|c| (c["iat"], c["all_until"]) = ((START + 1).into(), (START - 5).into())), at(START + 1)).unwrap();
    assert_eq!(status(&name, 2, START - 5, START + 1), Status::Revoked);
    assert_eq!(status(&name, 2, START - 4, START + 1), Status::Good);
    assert_eq!(status(&name, 1, START, START + 1), Status::Good, "what is over is in no list");
    let tolerant = trusting().with_leeway(Leeway::new(Duration::from_secs(5)).unwrap());
    tolerant.load(&list(|_| ()), at(START - 5)).unwrap();
    assert_eq!(tolerant.status(&name, &id(2), at(START), at(START + 64)), Status::Good);
    assert_eq!(tolerant.status(&name, &id(2), at(START), at(START + 65)), Status::Unknown);
}

/// A view that does not know, and one that panics.
#[derive(Debug)]
struct Broken(bool);

impl RevocationView for Broken {
    fn status(&self, _: &Issuer, _: &CredentialId, _: Timestamp, _: Timestamp) -> Status {
        if self.0 { std::panic::resume_unwind(Box::new("broken")) } else { Status::Unknown }
    }
}

/// A view by which one credential is revoked.
#[derive(Debug)]
pub(crate) struct Only(pub(crate) &'static str);

impl RevocationView for Only {
    fn status(&self, _: &Issuer, id: &CredentialId, _: Timestamp, _: Timestamp) -> Status {
        if id.as_str() == self.0 { Status::Revoked } else { Status::Good }
    }
}

#[test]
fn who_does_not_know_refuses_and_what_is_above_counts() {
    let (obo, sub) = (known("obo").jwt, known("sub").jwt);
    let verify = |view: Arc<dyn RevocationView>| {
        let shown = shown(&sub).lineage([obo.as_str()]);
        let verifier = crate::published::credentials().revoked_by(view);
        let first = verifier.verify(&shown, at(START + 100)).map_err(Refused::flaw).err();
        assert_eq!(first, verifier.verify(&shown, at(START + 100)).map_err(Refused::flaw).err(), "known or not");
        first
    };
    for panics in [false, true] {
        assert_eq!(verify(Arc::new(Broken(panics))), Some(Flaw::Unavailable));
    }
    assert_eq!(verify(Arc::new(Only("tc_0000000000000000000000"))), None);
    assert_eq!(verify(Arc::new(Only("tc_Lq7Zc2Nw5Ue8Ib1Ox4Ty6A"))), Some(Flaw::Revoked), "itself");
    assert_eq!(verify(Arc::new(Only("tc_8Rr1tYpZq3Kd6Vx0Gm9sHa"))), Some(Flaw::Revoked), "its parent's");
}

#[test]
fn a_door_without_a_minter_has_no_list() {
    let evaluator = bailiwick::policy::Evaluator::new(world::catalog(), OPEN).unwrap();
    let sink = Arc::new(bailiwick::audit::MemorySink::new(10));
    let registry = bailiwick::identity::Registry::new();
    let door =
        bailiwick::Authorizer::builder(registry, evaluator, sink).administration(world::standard()).build().unwrap();
    assert_eq!(door.revocations(), Err(Error::Mint(bailiwick::credential::MintError::NoMinter)));
}

/// More than a list can name: then it says so of everything, which is the safe side.
#[test]
fn when_more_is_dead_than_a_list_can_name_everything_is() {
    let world = World::recorded_in(OPEN, Arc::new(Deaf), Arc::new(bailiwick::audit::MemorySink::new(1)));
    let service = Service::new(&world);
    let tasks: Vec<Task> =
        (0..5).map(|_| world.task(Scope::new().allow("ticket.read", Grant::new().autonomous()).unwrap())).collect();
    let kept = mint(&tasks[4], &read());
    for task in &tasks[..4] {
        for _ in 0..8_192 {
            mint(task, &read()).finish(Effect::Succeeded).unwrap();
        }
        let permit = task.authorize(&read()).unwrap();
        assert!(matches!(task.mint(permit, &world::audience()), Err(MintError::TooMany)), "one task has so many");
    }
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(named(&world.door.revocations().unwrap()).len(), 32_768);
    service.load(&world);
    assert_eq!(service.flaw(&world, kept.expose()), None);
    mint(&tasks[4], &read()).finish(Effect::Succeeded).unwrap();
    service.load(&world);
    assert_eq!(named(&world.door.revocations().unwrap()).len(), 0);
    assert_eq!(service.flaw(&world, kept.expose()), Some(Flaw::Revoked));
    world.clock.advance(Duration::from_secs(420));
    let newer = mint(&tasks[0], &read());
    service.load(&world);
    assert_eq!(service.flaw(&world, newer.expose()), None, "when enough of it is over, it is good again");
}

#[test]
fn what_was_revoked_is_revoked_for_whoever_is_lenient_or_behind() {
    let lenient = |seconds| Leeway::new(Duration::from_secs(seconds)).unwrap();
    for (leeway, of_lists, behind) in [(60, 60, 0), (60, 60, 60), (0, 10, 10), (30, 60, 45)] {
        let world = World::new(OPEN);
        let task = world.task(scope());
        let credential = mint(&task, &read());
        let set = Arc::new(RevocationSet::new(world.keys.clone()).with_leeway(lenient(of_lists)));
        let verifier = CredentialVerifier::new(world.keys.clone(), world::audience())
            .revoked_by(set.clone())
            .with_leeway(lenient(leeway));
        task.revoke(credential.id()).unwrap();
        for second in [1, 299, 300, 301, 330, 359, 360, 400, 419] {
            world.clock.set(at(START + second));
            let now = at(START + second - behind);
            set.load(&world.door.revocations().unwrap(), now).unwrap();
            let verdict = verifier.verify(&shown(credential.expose()), now);
            assert!(verdict.is_err(), "{leeway} {of_lists} {behind}, after {second} seconds");
        }
    }
}

#[test]
fn of_two_lists_of_one_second_neither_takes_back_what_the_other_says() {
    let world = World::new(OPEN);
    let (service, task) = (Service::new(&world), world.task(scope()));
    let (first, second) = (mint(&task, &read()), mint(&task, &read()));
    let before = world.door.revocations().unwrap();
    task.revoke(first.id()).unwrap();
    let after = world.door.revocations().unwrap();
    for order in [[&after, &before], [&before, &after]] {
        for list in order {
            service.revoked.load(list, now(&world)).unwrap();
        }
        assert_eq!(service.flaw(&world, first.expose()), Some(Flaw::Revoked));
        assert_eq!(service.flaw(&world, second.expose()), None);
    }
}

/// A list that is made while a task is being closed: at no moment are its credentials nowhere.
#[test]
fn a_list_that_is_made_while_a_task_closes_names_what_is_dead() {
    let world = World::recorded_in(OPEN, Arc::new(Deaf), Arc::new(bailiwick::audit::MemorySink::new(1)));
    for _ in 0..8 {
        let task = world.task(scope());
        for _ in 0..300 {
            mint(&task, &read()).finish(Effect::Succeeded).unwrap();
        }
        let dead = mint(&task, &read());
        let id = dead.id().as_str().to_owned();
        drop(dead);
        let done = std::sync::atomic::AtomicBool::new(false);
        let is_named = || named(&world.door.revocations().unwrap()).contains(&id);
        std::thread::scope(|scope| {
            let looking = scope.spawn(|| {
                let mut all = true;
                while !done.load(std::sync::atomic::Ordering::SeqCst) {
                    all &= is_named();
                }
                all
            });
            std::thread::sleep(Duration::from_millis(2));
            task.complete().unwrap();
            done.store(true, std::sync::atomic::Ordering::SeqCst);
            assert!(looking.join().expect("no panic"), "a list without it");
        });
        assert!(is_named());
        world.clock.advance(Duration::from_secs(421));
    }
}

/// Randomness that repeats itself, as after a snapshot of a machine.
struct Again(std::sync::atomic::AtomicU8);

impl bailiwick::entropy::Entropy for Again {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), bailiwick::entropy::EntropyError> {
        bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst).min(40));
        Ok(())
    }
}

#[test]
fn an_id_that_comes_again_makes_nothing_good_again() {
    let world = World::new(OPEN);
    let evaluator = bailiwick::policy::Evaluator::new(world::catalog(), OPEN).unwrap();
    let key = bailiwick::credential::MintKey::generate(&bailiwick::entropy::SystemEntropy).unwrap();
    let door = bailiwick::Authorizer::builder(world.registry.clone(), evaluator, Arc::new(Deaf))
        .minter(bailiwick::credential::Minter::new(issuer(AUTHZ), key))
        .administration(world::standard())
        .entropy(Arc::new(Again(0.into())))
        .clock(world.clock.clone())
        .build()
        .unwrap();
    let agent = door.admit(world.workload(&world.triage)).unwrap();
    let intent = bailiwick::mandate::Intent::new("close stale tickets", scope()).unwrap();
    let task = door.begin(bailiwick::mandate::Mandate::new(agent, intent).approved_by(&world.ada)).unwrap();
    let mint = || task.mint(task.authorize(&read()).unwrap(), &world::audience());
    let minted: Vec<_> = (0..60).map_while(|_| mint().ok()).collect();
    let last = minted.last().expect("a credential");
    assert!(minted.len() < 60, "the same id is not minted twice");
    assert!(door.accept(last.expose(), &world::audience(), &read()).is_ok());
    assert!(mint().is_err());
    assert!(door.accept(last.expose(), &world::audience(), &read()).is_err(), "it was used");
}

/// A sink that takes every record and keeps none.
#[derive(Debug)]
struct Deaf;

impl bailiwick::audit::AuditSink for Deaf {
    fn record(&self, _: &bailiwick::audit::Event) -> bailiwick::audit::Ack {
        bailiwick::audit::Ack::taken()
    }
}
