//! What happens meanwhile: stops, departures and other policies while somebody is asked, and what rests on them afterwards.

use std::num::NonZeroU16;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bailiwick::audit::{Ack, Administered, AuditError, AuditSink, Event, MemorySink, OperatorFact};
use bailiwick::id::{Found, TaskId};
use bailiwick::mandate::{
    Action, ActionClass, Approval, Arguments, Breaker, Ceiling, Deed, Entitlement, Grant, Intent, Mandate, NotEntitled,
    Objection, Quorum, Scope, Tool, danger,
};
use bailiwick::policy::{Catalog, Directory, Entitlements, Evaluator, ReasonCode};
use bailiwick::{Authorizer, Digest, Error, Halt, Resume};

use crate::delegated::delegate;
use crate::issuing::System;
use crate::steps::{alone, autonomous, code, on_behalf, read};
use crate::world::{OPEN, START, World, args, at, audience, catalog, operator, session};

type Act = Box<dyn FnOnce() + Send>;

/// Entitles everybody; at the `nth` question from now on something happens before it answers.
#[derive(Default)]
struct Meanwhile(Mutex<(usize, Option<Act>)>);

impl Meanwhile {
    fn at(&self, nth: usize, act: impl FnOnce() + Send + 'static) {
        *self.0.lock().unwrap() = (nth, Some(Box::new(act)));
    }
}

impl Entitlement for Meanwhile {
    fn check(&self, _: &Deed<'_>) -> Result<Digest, NotEntitled> {
        let act = {
            let mut own = self.0.lock().unwrap();
            own.0 = own.0.saturating_sub(1);
            if own.0 == 0 { own.1.take() } else { None }
        };
        act.into_iter().for_each(|act| act());
        Ok(Digest::of(b"everybody"))
    }
}

/// A sink in which something happens once, before a record is refused.
struct Late(Arc<MemorySink>, Mutex<Option<Act>>, bool);

impl AuditSink for Late {
    fn record(&self, event: &Event) -> Ack {
        let act = self.1.lock().unwrap().take();
        match act {
            None => self.0.record(event),
            Some(act) => {
                act();
                if self.2 { self.0.record(event) } else { Ack::failed(AuditError::Failed(Found::new("disk full"))) }
            }
        }
    }
}

fn late(is_taken: bool) -> (World, Arc<Late>) {
    let seen = Arc::new(MemorySink::new(100_000));
    let sink = Arc::new(Late(seen.clone(), Mutex::default(), is_taken));
    (World::recorded_in(OPEN, sink.clone(), seen), sink)
}

fn closes() -> Scope {
    Scope::new().allow("ticket.close", Grant::new().autonomous()).unwrap()
}

fn breaker(refusals: u16, pause: u64) -> Breaker {
    let minute = Duration::from_secs(60);
    Breaker::new(Duration::from_secs(pause)).refusals(NonZeroU16::new(refusals).unwrap(), minute)
}

// 1 ── a stop that comes while the entitlement is asked

#[test]
fn a_halt_while_the_entitlement_is_asked_stops_the_redeeming() {
    let mut ran = Vec::new();
    for what in ["everything", "agent", "task", "offboard", "policies", "time"] {
        let seam = Arc::new(Meanwhile::default());
        let world = World::built(OPEN, |builder| builder.entitlement(seam.clone()));
        let task = world.task(closes());
        let close = on_behalf(&world.ada, "ticket.close");
        let permit = task.authorize(&close).expect("a permit");
        let (door, clock, agent, id) =
            (world.door.clone(), world.clock.clone(), world.triage.clone(), task.id().clone());
        seam.at(1, move || {
            let bob = session("bob");
            match what {
                "everything" => door.halt(&bob, Halt::Everything).unwrap(),
                "agent" => door.halt(&bob, Halt::Agent(agent)).unwrap(),
                "task" => door.halt(&bob, Halt::Task(id)).unwrap(),
                "offboard" => drop(door.offboard(&bob, &operator("ada")).unwrap()),
                "policies" => drop(door.reload(&bob, OPEN.replace("\"all\"", "\"other\"").as_str()).unwrap()),
                _ => clock.set(at(START + 31)),
            }
        });
        if task.redeem(permit, close.arguments()).is_ok() {
            ran.push(what);
        }
    }
    assert_eq!(ran, [""; 0], "it ran after it was stopped");
}

#[test]
fn a_halt_while_the_entitlement_is_asked_stops_the_minting() {
    let seam = Arc::new(Meanwhile::default());
    let world = World::built(OPEN, |builder| builder.entitlement(seam.clone()));
    let task = world.task(closes());
    let permit = task.authorize(&on_behalf(&world.ada, "ticket.close")).expect("a permit");
    let door = world.door.clone();
    // Before the draft, before the signing, after the signing.
    seam.at(3, move || door.halt(&session("bob"), Halt::Everything).unwrap());
    assert!(task.mint(permit, &audience()).is_err(), "a credential came of a halted house");
}

#[test]
fn a_halt_while_the_entitlement_is_asked_stops_the_lease() {
    let (seam, system) = (Arc::new(Meanwhile::default()), Arc::new(System::default()));
    let world = World::built(OPEN, |builder| builder.entitlement(seam.clone()).issuer(audience(), system.clone()));
    let task = world.task(closes());
    let permit = task.authorize(&on_behalf(&world.ada, "ticket.close")).expect("a permit");
    let door = world.door.clone();
    seam.at(3, move || door.halt(&session("bob"), Halt::Everything).unwrap());
    assert!(task.lease(permit, &audience()).is_err(), "a lease came of a halted house");
}

// 2 ── whose approval an action rests on leaves: its permit dies, its credential and its lease do not

fn by_bob(world: &World) -> (bailiwick::Task, Action) {
    let quorum = Quorum::of(1).unwrap().among_others([operator("bob")]).unwrap();
    let scope = Scope::new().allow("ticket.purge", Grant::new().autonomous().approved_by(quorum)).unwrap();
    let task = world.task(scope);
    let purge = alone("ticket.purge");
    let approved = purge.clone().approved(Approval::by(&world.bob, task.request(&purge)));
    (task, approved)
}

#[test]
fn a_credential_dies_with_the_person_whose_approval_of_the_action_it_rests_on() {
    let world = World::new(OPEN);
    let (task, purge) = by_bob(&world);
    let credential = task.mint(task.authorize(&purge).expect("approved"), &audience()).expect("a credential");
    let _ = world.door.offboard(&world.ada, &operator("bob")).expect("Bob leaves");
    assert!(world.door.accept(credential.expose(), &audience(), &purge).is_err());
}

#[test]
fn a_lease_is_not_renewed_on_the_approval_of_somebody_who_left() {
    let system = Arc::new(System::default());
    system.renews();
    let world = World::built(OPEN, |builder| builder.issuer(audience(), system.clone()));
    let (task, purge) = by_bob(&world);
    let mut lease = task.lease(task.authorize(&purge).expect("approved"), &audience()).expect("a lease");
    let _ = world.door.offboard(&world.ada, &operator("bob")).expect("Bob leaves");
    world.clock.advance(Duration::from_secs(60));
    assert!(task.renew(&mut lease).is_err());
}

// 3 ── what the new checks forgot: credentials and leases

#[test]
fn a_credential_of_an_agent_that_is_cut_off_is_not_accepted() {
    let world = World::built(OPEN, |builder| builder.breaker(breaker(1, 300)));
    let task = world.task(autonomous(&["ticket.read"]));
    let credential = task.mint(task.authorize(&read()).expect("a permit"), &audience()).expect("a credential");
    assert!(task.authorize(&alone("ticket.fly")).is_err());
    assert_eq!(code(task.authorize(&read())), Some(ReasonCode::BreakerOpen));
    assert!(world.door.accept(credential.expose(), &audience(), &read()).is_err());
}

#[test]
fn a_lease_of_an_agent_that_is_cut_off_is_not_renewed() {
    let system = Arc::new(System::default());
    system.renews();
    let world = World::built(OPEN, |builder| builder.issuer(audience(), system.clone()).breaker(breaker(1, 3000)));
    let task = world.task(autonomous(&["ticket.read"]));
    let mut lease = task.lease(task.authorize(&read()).expect("a permit"), &audience()).expect("a lease");
    assert!(task.authorize(&alone("ticket.fly")).is_err());
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(code(task.authorize(&read())), Some(ReasonCode::BreakerOpen));
    assert!(task.renew(&mut lease).is_err());
}

#[test]
fn a_lease_is_not_renewed_for_somebody_who_is_no_longer_entitled() {
    let system = Arc::new(System::default());
    system.renews();
    let all = r#"@id("all") permit(principal, action, resource);"#;
    let entitlements = Arc::new(Entitlements::new(catalog(), all, Directory::new()).unwrap());
    let world =
        World::built(OPEN, |builder| builder.issuer(audience(), system.clone()).entitlement(entitlements.clone()));
    let task = world.task(closes());
    let close = on_behalf(&world.ada, "ticket.close");
    let mut lease = task.lease(task.authorize(&close).expect("a permit"), &audience()).expect("a lease");
    world.door.reload_entitlements(&world.ada, &entitlements, "", Directory::new()).expect("nobody may anything");
    world.clock.advance(Duration::from_secs(60));
    assert!(task.renew(&mut lease).is_err());
}

#[test]
fn a_lease_is_not_renewed_for_a_tool_that_drifted() {
    let system = Arc::new(System::default());
    system.renews();
    let listing = |said: &str| {
        let text = format!(
            r#"{{"tools": [{{"name": "ticket.read", "description": "{said}", "inputSchema": {{"type": "object"}}}}]}}"#
        );
        Catalog::from_mcp(&text).and_then(|c| c.classify("ticket.read", ActionClass::Read)).unwrap()
    };
    let world = World::new(OPEN);
    let door = Authorizer::builder(
        world.registry.clone(),
        Evaluator::new(listing("Reads."), OPEN).unwrap(),
        world.sink.clone(),
    );
    let door = door.clock(world.clock.clone()).issuer(audience(), system).build().unwrap();
    let agent = door.admit(world.workload(&world.triage)).unwrap();
    let intent =
        Intent::new("read", Scope::new().allow("ticket.read", Grant::new().autonomous().preapproved()).unwrap());
    let task = door.begin(Mandate::new(agent, intent.unwrap()).approved_by(&world.ada)).unwrap();
    let mut lease = task.lease(task.authorize(&read()).expect("a permit"), &audience()).expect("a lease");
    assert!(!door.listed(&listing("Sends.")).is_empty());
    assert_eq!(code(task.authorize(&read())), Some(ReasonCode::CapabilityDrift));
    world.clock.advance(Duration::from_secs(60));
    assert!(task.renew(&mut lease).is_err());
}

#[test]
fn a_credential_of_older_policies_is_not_accepted_though_they_came_while_it_was_asked() {
    let seam = Arc::new(Meanwhile::default());
    let world = World::built(OPEN, |builder| builder.entitlement(seam.clone()));
    let task = world.task(closes());
    let close = on_behalf(&world.ada, "ticket.close");
    let credential = task.mint(task.authorize(&close).expect("a permit"), &audience()).expect("a credential");
    let door = world.door.clone();
    seam.at(1, move || {
        let _ = door.reload(&session("bob"), "").unwrap();
    });
    assert!(world.door.accept(credential.expose(), &audience(), &close).is_err());
}

// 4 ── the class of a call and the class of its tool

fn raised() -> Catalog {
    let tool =
        |name: &str| Tool::new(name.parse().unwrap(), ActionClass::Read).raised_on("ticket", ActionClass::Irreversible);
    Catalog::new().with(tool("ticket.wipe")).unwrap()
}

#[test]
fn entitlements_see_the_class_of_the_call() {
    for text in [
        r#"@id("reads") permit(principal, action, resource) when { context.class == "read" };"#,
        r#"@id("reads") permit(principal, action in Action::"any read", resource);"#,
    ] {
        let entitlements = Entitlements::new(raised(), text, Directory::new()).unwrap();
        let action = alone("ticket.wipe");
        let said = entitlements.check(&Deed::of(&operator("ada"), &action, at(START)));
        assert!(said.is_err(), "who may only read may take what is irreversible: {text}");
    }
}

#[test]
fn a_ceiling_counts_the_class_that_calls_may_have() {
    let world = World::new(OPEN);
    let evaluator = Evaluator::new(raised(), OPEN).unwrap();
    let door = Authorizer::builder(world.registry.clone(), evaluator, world.sink.clone())
        .clock(world.clock.clone())
        .ceiling(Ceiling::new().class(ActionClass::Write))
        .build()
        .unwrap();
    let scope = Scope::new().allow("ticket.wipe", Grant::new().autonomous().preapproved()).unwrap();
    let agent = door.admit(world.workload(&world.triage)).unwrap();
    let begun = door.begin(Mandate::new(agent, Intent::new("wipe", scope).unwrap()).approved_by(&world.ada));
    // Either it does not begin, or the call is refused.
    let wiped = begun.map(|task| task.authorize(&alone("ticket.wipe")).is_ok());
    assert!(!wiped.unwrap_or(false), "an agent under a ceiling of writes did what is irreversible");
}

// 5 ── a no that is lost

#[test]
fn a_no_outlives_a_request_that_was_not_recorded() {
    let (world, sink) = late(false);
    let task = world.task(Scope::new().allow("ticket.purge", Grant::new().autonomous()).unwrap());
    let purge = alone("ticket.purge");
    let (request, handle) = (task.request(&purge), task.handle());
    let no = Objection::by(&world.ada, request.clone());
    *sink.1.lock().unwrap() = Some(Box::new(move || handle.object(&no).expect("she was asked")));
    assert_eq!(code(task.authorize(&purge)), Some(ReasonCode::Audit));
    let approved = purge.approved(Approval::by(&world.ada, request));
    assert_eq!(code(task.authorize(&approved)), Some(ReasonCode::SaidNo));
}

#[test]
fn who_was_asked_in_another_thread_may_still_say_no() {
    let (world, sink) = late(false);
    let task = world.task(Scope::new().allow("ticket.purge", Grant::new().autonomous()).unwrap());
    let purge = alone("ticket.purge");
    let (handle, again) = (task.handle(), purge.clone());
    *sink.1.lock().unwrap() = Some(Box::new(move || assert!(handle.authorize(&again).expect_err("held").is_held())));
    assert_eq!(code(task.authorize(&purge)), Some(ReasonCode::Audit));
    let no = Objection::by(&world.ada, task.request(&purge));
    assert_eq!(task.object(&no), Ok(()), "the second was recorded as asked");
}

// 6 ── the breaker

#[test]
fn what_was_permitted_before_the_breaker_opened_is_not_let_through_beside_the_try() {
    let world = World::built(OPEN, |builder| builder.breaker(breaker(1, 5)));
    let task = world.task(autonomous(&["ticket.read"]));
    let permits = [(); 3].map(|()| task.authorize(&read()).expect("a permit"));
    assert!(task.authorize(&alone("ticket.fly")).is_err());
    world.clock.advance(Duration::from_secs(5));
    let ran = AtomicUsize::new(0);
    for permit in permits {
        ran.fetch_add(usize::from(task.redeem(permit, &Arguments::none()).is_ok()), Ordering::Relaxed);
    }
    assert!(ran.into_inner() <= 1, "one action is tried after the pause");
}

#[test]
fn a_part_of_an_agent_that_is_cut_off_does_not_act_instead() {
    let world = World::built(OPEN, |builder| builder.breaker(breaker(1, 300)));
    let task = world.task(autonomous(&["ticket.read"]).delegable(1).unwrap());
    let part = delegate(&world, &task, "worker", autonomous(&["ticket.read"])).expect("a part");
    assert!(task.authorize(&alone("ticket.fly")).is_err());
    assert_eq!(code(task.authorize(&read())), Some(ReasonCode::BreakerOpen));
    assert_eq!(code(part.authorize(&read())), Some(ReasonCode::BreakerOpen));
}

#[test]
fn a_reset_that_does_nothing_is_not_recorded_as_one() {
    let seam = Arc::new(Meanwhile::default());
    let world = World::built(OPEN, |builder| builder.entitlement(seam.clone()).breaker(breaker(1, 5)));
    let task = world.task(closes());
    assert!(task.authorize(&alone("ticket.fly")).is_err());
    world.clock.advance(Duration::from_secs(5));
    let (door, agent) = (world.door.clone(), world.triage.clone());
    seam.at(1, move || door.resume(&session("bob"), Resume::Breaker(agent)).unwrap());
    // The try: refused, it opens again, whatever was "reset" meanwhile.
    assert!(task.authorize(&on_behalf(&world.ada, "ticket.close").with(args(r#"{"more": 1}"#))).is_err());
    let again = code(task.authorize(&alone("ticket.close")));
    let reset = |event: &Event| {
        let fact = event.operator.as_ref().map(|record| record.fact.clone());
        fact == Some(OperatorFact::Administered(Administered::BreakerReset))
    };
    let told = world.sink.events().iter().any(reset);
    assert!(!told || again.is_none(), "recorded as reset, and {again:?}");
}

// 7 ── smaller things

#[test]
fn approvals_of_a_task_that_was_halted_while_it_began_are_good_again() {
    let (world, sink) = late(true);
    let mandate = || {
        let intent = Intent::new("close", closes()).unwrap();
        let vouched = danger::approval_vouched_by_host(operator("ada"), closes(), at(START + 3600), "CHG-1");
        Mandate::new(world.agent(), intent).approved(vouched)
    };
    let id: TaskId = "task-0001".parse().expect("an id");
    let (named, door, halted) = (mandate().named(id.clone()), world.door.clone(), id);
    *sink.1.lock().unwrap() = Some(Box::new(move || door.halt(&session("bob"), Halt::Task(halted)).unwrap()));
    assert_eq!(world.door.begin(named).map(drop), Err(Error::Halted));
    assert_eq!(world.door.begin(mandate()).map(drop), Ok(()), "`begin` says so");
}

#[test]
fn a_quorum_has_one_spelling() {
    let json = r#"{"people": 1, "among": [{"iss": "https://idp.acme.example", "sub": "bob"},
        {"iss": "https://idp.acme.example", "sub": "bob"}]}"#;
    assert!(serde_json::from_str::<Quorum>(json).is_err(), "named twice; an approval request refuses that");
}

#[test]
fn a_no_to_an_action_holds_against_its_credential() {
    let world = World::new(OPEN);
    let (task, purge) = by_bob(&world);
    let bare = alone("ticket.purge");
    assert!(task.authorize(&bare).expect_err("held").is_held());
    let credential = task.mint(task.authorize(&purge).expect("approved"), &audience()).expect("a credential");
    task.object(&Objection::by(&world.bob, task.request(&bare))).expect("he thought better of it");
    assert!(world.door.accept(credential.expose(), &audience(), &purge).is_err());
}

#[test]
fn a_no_in_a_request_has_one_spelling() {
    let world = World::new(OPEN);
    let task = world.task(Scope::new().allow("ticket.purge", Grant::new().autonomous()).unwrap());
    let mut asks = task.authorize(&alone("ticket.purge")).expect_err("held").asks().cloned().expect("a request");
    drop(asks.deny(&world.ada, at(START)).expect("hers"));
    let json = serde_json::to_string(&asks).unwrap();
    assert_eq!(serde_json::from_str::<bailiwick::mandate::ApprovalRequest>(&json).ok(), Some(asks));
    let without = json.replace(r#""approval":null,"#, "");
    assert_ne!(json, without);
    assert!(serde_json::from_str::<bailiwick::mandate::ApprovalRequest>(&without).is_err(), "{without}");
}

/// Like the policies that come meanwhile: what a server lists while the entitlement is asked.
#[test]
fn a_permit_of_a_tool_that_drifted_while_the_entitlement_was_asked_is_not_redeemed() {
    let listing = |said: &str| {
        let text = format!(
            r#"{{"tools": [{{"name": "ticket.read", "description": "{said}", "inputSchema": {{"type": "object"}}}}]}}"#
        );
        Catalog::from_mcp(&text).and_then(|c| c.classify("ticket.read", ActionClass::Read)).unwrap()
    };
    let seam = Arc::new(Meanwhile::default());
    let world = World::new(OPEN);
    let evaluator = Evaluator::new(listing("Reads."), OPEN).unwrap();
    let door = Authorizer::builder(world.registry.clone(), evaluator, world.sink.clone());
    let door = door.clock(world.clock.clone()).entitlement(seam.clone()).build().unwrap();
    let agent = door.admit(world.workload(&world.triage)).unwrap();
    let scope = Scope::new().allow("ticket.read", Grant::new().preapproved()).unwrap();
    let task = door.begin(Mandate::new(agent, Intent::new("read", scope).unwrap()).approved_by(&world.ada)).unwrap();
    let action = on_behalf(&world.ada, "ticket.read");
    let permit = task.authorize(&action).expect("a permit");
    let (other, changed) = (door.clone(), listing("Sends."));
    seam.at(1, move || assert!(!other.listed(&changed).is_empty()));
    assert!(task.redeem(permit, action.arguments()).is_err());
}
