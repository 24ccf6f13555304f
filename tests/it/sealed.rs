//! What an approvals service seals, in whatever process, and what is made of it here.

use std::collections::BTreeSet;
use std::sync::Arc;

use bailiwick::credential::{ApprovalKey, ApprovalSealer, Message, SealError, Signer};
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::{Audience, TaskId};
use bailiwick::identity::AgentId;
use bailiwick::jose::{Algorithm, Flaw, Refused, SigningError, VerifyingKey};
use bailiwick::mandate::{
    Action, Approval, ApprovalRequest, ApprovalVerifier, Bound, Consent, Grant, Intent, Mandate, Quorum, RequestError,
    RequestState, Resource, Scope,
};
use bailiwick::policy::ReasonCode;
use bailiwick::{Task, TaskHandle};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::any::cases;
use crate::published::{APPROVALS, AUTHZ, ERP, audience, contents, issuer, known};
use crate::quorums;
use crate::steps::{alone, code, on_behalf};
use crate::world::{OPEN, START, World, at, operator, session, ticket};

const CONTEXT: &str = "urn:bailiwick:claims:v1";

fn sealer() -> ApprovalSealer {
    let key = ApprovalKey::from_pkcs8(&APPROVALS.pkcs8()).expect("a key");
    ApprovalSealer::new(issuer("https://approvals.acme.example"), key, audience(AUTHZ))
}

fn verifier() -> ApprovalVerifier {
    ApprovalVerifier::new(sealer().keys(), audience(AUTHZ))
}

fn asks(task: &TaskHandle, action: &Action) -> ApprovalRequest {
    task.authorize(action).expect_err("nobody approved").asks().cloned().expect("a request")
}

/// A request on its way to another process and what is made of it there.
fn travelled(request: &ApprovalRequest) -> ApprovalRequest {
    serde_json::from_str(&serde_json::to_string(request).unwrap()).unwrap()
}

fn task(world: &World) -> Task {
    world.task(Scope::new().allow("ticket.purge", Grant::new().autonomous()).unwrap())
}

#[test]
fn an_answer_that_was_sealed_elsewhere_is_an_answer_here() {
    let world = quorums::world();
    let task = world.task(quorums::purges(Quorum::of(2).unwrap().among(["ada", "bob"].map(operator)).unwrap()));
    let action = on_behalf(&world.ada, "ticket.purge");
    let mut asked = asks(&task, &action);
    let seal = |person: &str| {
        sealer().approve(&mut travelled(&asked), &session(person), &SystemEntropy, at(START + 5)).unwrap()
    };
    let tokens = [seal("ada"), seal("bob")];
    let verify = |token: &String| verifier().verify(token, at(START + 10)).unwrap();
    let approvals = || tokens.iter().map(verify);
    for approval in approvals() {
        assert_eq!(*approval.consent(), asked.action().clone().into());
        asked.note(&approval, at(START + 10)).unwrap();
    }
    assert_eq!(asked.state(at(START + 10)), RequestState::Approved);
    world.clock.set(at(START + 10));
    let with = |action: &Action| approvals().fold(action.clone(), Action::approved);
    drop(task.authorize(&with(&action)).expect("both approved it"));
    assert_eq!(code(task.authorize(&with(&action))), Some(ReasonCode::ApprovalSpent), "once");
}

#[test]
fn a_no_that_was_sealed_elsewhere_is_a_no_here_and_never_a_yes() {
    let world = World::new(OPEN);
    let task = task(&world);
    let mut asked = asks(&task, &alone("ticket.purge"));
    let mut there = travelled(&asked);
    let no = sealer().deny(&mut there, &world.ada, &SystemEntropy, at(START)).unwrap();
    assert_eq!(there.state(at(START)), RequestState::Denied);
    let yes = sealer().approve(&mut travelled(&asked), &world.ada, &SystemEntropy, at(START)).unwrap();
    let flaw = |refused: Refused| refused.flaw();
    assert_eq!(verifier().verify(&no, at(START)).map_err(flaw).err(), Some(Flaw::Authority));
    assert_eq!(verifier().verify_objection(&yes, at(START)).map_err(flaw).err(), Some(Flaw::Authority));
    let objection = verifier().verify_objection(&no, at(START)).unwrap();
    assert_eq!(asked.note_objection(&objection, at(START)), Ok(RequestState::Denied));
    task.object(&objection).unwrap();
    let approval = verifier().verify(&yes, at(START)).unwrap();
    assert_eq!(code(task.authorize(&alone("ticket.purge").approved(approval))), Some(ReasonCode::SaidNo));
}

#[test]
fn nothing_is_sealed_that_is_not_that_person_s_to_say_now() {
    let world = World::new(OPEN);
    let task = task(&world);
    let asked = asks(&task, &alone("ticket.purge"));
    let seal = |by: &str, now: i64| {
        let mut there = travelled(&asked);
        let sealed = sealer().approve(&mut there, &session(by), &SystemEntropy, at(now));
        assert_eq!(there == asked, sealed.is_err(), "what is not sealed is not noted");
        sealed.map(drop)
    };
    assert_eq!(seal("ada", START), Ok(()));
    assert_eq!(seal("bob", START), Err(RequestError::NotAsked(operator("bob")).into()));
    let over = RequestError::Over { operator: operator("ada"), now: at(START - 1) };
    assert_eq!(seal("ada", START - 1), Err(over.into()), "not signed in yet");
    assert_eq!(seal("ada", asked.until().unix()), Err(RequestError::Left(RequestState::Expired).into()));
}

/// A signer that does not do what it is asked for.
struct Broken;

impl Signer for Broken {
    fn public(&self) -> VerifyingKey {
        APPROVALS.public()
    }
    fn algorithm(&self) -> Algorithm {
        Algorithm::Ed25519
    }
    fn sign(&self, _: &Message<'_>) -> Result<Vec<u8>, SigningError> {
        Ok(vec![0; 64])
    }
}

#[test]
fn a_key_may_be_elsewhere_and_what_it_signs_is_looked_at() {
    let world = World::new(OPEN);
    let task = task(&world);
    let asked = asks(&task, &alone("ticket.purge"));
    let key = ApprovalKey::elsewhere(Arc::new(Broken)).unwrap();
    let broken = ApprovalSealer::new(issuer("https://approvals.acme.example"), key, audience(AUTHZ));
    let mut there = travelled(&asked);
    let sealed = broken.approve(&mut there, &world.ada, &SystemEntropy, at(START));
    assert_eq!(sealed, Err(SealError::Signature(SigningError::Wrong)));
    assert_eq!(there, asked);
}

// ── Tasks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

fn jira() -> Audience {
    audience("https://jira.acme.example")
}

/// A scope that details can say.
fn sayable() -> Scope {
    let closes = Grant::new().preapproved().at([jira()]).on([ticket()]).at_most(3);
    let reads = Grant::new().preapproved().at([jira()]);
    let reads = reads.bound("reason", Bound::one_of(["stale"])).unwrap();
    Scope::new().allow("ticket.purge", closes).unwrap().allow("ticket.close", reads).unwrap()
}

#[test]
fn consent_to_a_task_is_sealed_and_begins_it() {
    let world = World::new(OPEN);
    for scope in [sayable(), sayable().delegable(2).unwrap()] {
        let (task, intent) = (TaskId::draw(&SystemEntropy).unwrap(), Intent::new("close", scope.clone()).unwrap());
        let of = (&world.triage, &task, &intent);
        let token = sealer().approve_task(of, &world.ada, at(START + 600), &SystemEntropy, at(START)).unwrap();
        let approval = verifier().verify(&token, at(START)).unwrap();
        assert_eq!(*approval.consent(), Consent::Scope(scope));
        assert_eq!((approval.agent(), approval.task()), (Some(&world.triage), Some(&task)));
        assert_eq!(approval.ends(), at(START + 600));
        let mandate = Mandate::new(world.agent(), intent).named(task).approved(approval);
        let task = world.door.begin(mandate).expect("a task");
        let purge = on_behalf(&world.ada, "ticket.purge");
        drop(task.authorize(&purge).expect("what was sealed need not be asked again"));
        // It is a token of the form of the known answer.
        let (claims, wanted) = (contents(&token).1, known("approval").claims);
        let names = |claims: &Value| claims.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        // What Ada's provider says of her sign-in, which a vouched session does not have.
        let left_out = ["acr", "amr", "auth_time"];
        let wanted = names(&wanted).into_iter().filter(|one| !left_out.contains(&one.as_str()));
        assert_eq!(names(&claims), wanted.collect());
    }
}

#[test]
fn what_details_cannot_say_is_not_sealed() {
    let world = World::new(OPEN);
    let with = |grant: Grant| Scope::new().allow("ticket.purge", grant).unwrap();
    let grant = || Grant::new().preapproved().at([jira()]);
    let other = Resource::new("ticket", "T-43").unwrap();
    let table = [
        ("as it can be said", with(grant()), true),
        ("nothing", Scope::new(), false),
        ("nowhere in particular", with(Grant::new().preapproved()), false),
        ("at two services", with(Grant::new().preapproved().at([jira(), audience(ERP)])), false),
        ("on two resources", with(grant().on([ticket(), other])), false),
        ("on none", with(grant().on([])), false),
        ("asked again", with(Grant::new().at([jira()])), false),
        ("beyond, asked", with(grant().or_ask()), false),
        ("autonomously", with(grant().autonomous()), false),
        ("by a quorum", with(grant().approved_by(Quorum::of(1).unwrap())), false),
        ("so many in all", with(grant()).at_most(7), false),
    ];
    let task = TaskId::draw(&SystemEntropy).unwrap();
    for (what, scope, is_sealed) in table {
        let intent = Intent::new("purge", scope).unwrap();
        let of = (&world.triage, &task, &intent);
        let sealed = sealer().approve_task(of, &world.ada, at(START + 600), &SystemEntropy, at(START));
        assert_eq!(sealed.map(drop), if is_sealed { Ok(()) } else { Err(SealError::Unsayable) }, "{what}");
    }
    let intent = Intent::new("purge", with(grant())).unwrap();
    let seal = |until, now| {
        let of = (&world.triage, &task, &intent);
        sealer().approve_task(of, &world.ada, at(until), &SystemEntropy, at(now)).map(drop)
    };
    assert_eq!(seal(START, START), Err(SealError::Over { until: at(START), now: at(START) }));
    let over = SealError::SessionOver { operator: operator("ada"), now: at(START + 8 * 3600) };
    assert_eq!(seal(START + 9 * 3600, START + 8 * 3600), Err(over));
}

// ── Forged with the right key ───────────────────────────────────────────────────────────────────────────────────────

fn sign(claims: &Value) -> String {
    APPROVALS.sign_text(&APPROVALS.header("task-approval+jwt").to_string(), &claims.to_string())
}

/// What a forged token is good for.
#[derive(Debug, PartialEq)]
enum Good {
    /// The verifier refuses it.
    Flawed(Flaw),
    /// It verifies, and approves another action.
    ForNothing,
    /// It approves this one.
    ForThis,
}

type Row = (&'static str, fn(&mut Value), Good);

#[test]
fn a_token_for_anything_but_exactly_this_action_is_refused() {
    let world = World::new(OPEN);
    let _ = world.registry.enroll(bailiwick::identity::HumanOperator::new(operator("carol")));
    let task = world.task(Scope::new().allow("ticket.purge", Grant::new().autonomous()).unwrap());
    let action = on_behalf(&world.ada, "ticket.purge");
    let asked = asks(&task, &action);
    let claims = contents(&sealer().approve(&mut travelled(&asked), &world.ada, &SystemEntropy, at(START)).unwrap()).1;
    let (claims_flaw, binding, authority) =
        (|| Good::Flawed(Flaw::Claims), || Good::Flawed(Flaw::Binding), || Good::Flawed(Flaw::Authority));
    const HASH: &str = "sha-256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    let table: Vec<Row> = vec![
        ("as it is", |_| {}, Good::ForThis),
        ("at another step", |c| c[CONTEXT]["action"]["step"] = 77.into(), Good::ForThis),
        (
            "in the other mode",
            |c| {
                c[CONTEXT]["action"]["mode"] = "autonomous".into();
                c[CONTEXT]["action"].as_object_mut().unwrap().remove("operator");
            },
            Good::ForNothing,
        ),
        ("for somebody else", |c| c[CONTEXT]["action"]["operator"]["sub"] = "bob".into(), Good::ForNothing),
        (
            "by somebody else",
            |c| {
                c["sub"] = "bob".into();
                c["sub_id"]["sub"] = "bob".into();
            },
            Good::ForNothing,
        ),
        ("by her of another provider", |c| c["sub_id"]["iss"] = "https://b.example".into(), Good::ForNothing),
        ("another tool", |c| c[CONTEXT]["action"]["tool"] = "ticket.read".into(), Good::ForNothing),
        ("another resource", |c| c[CONTEXT]["action"]["resource"] = "ticket/T-43".into(), Good::ForNothing),
        ("other arguments", |c| c[CONTEXT]["action"]["arguments"] = HASH.into(), Good::ForNothing),
        ("more of the resource", |c| c[CONTEXT]["action"]["attributes"] = HASH.into(), Good::ForNothing),
        (
            "another task throughout",
            |c| {
                c[CONTEXT]["task"]["id"] = "tsk_another_task".into();
                c[CONTEXT]["action"]["task"] = "tsk_another_task".into();
            },
            Good::ForNothing,
        ),
        (
            "another agent throughout",
            |c| {
                c["may_act"]["sub"] = "spiffe://acme.example/agent/payer".into();
                c[CONTEXT]["action"]["agent"] = "spiffe://acme.example/agent/payer".into();
            },
            Good::ForNothing,
        ),
        ("another task beside", |c| c[CONTEXT]["task"]["id"] = "tsk_another_task".into(), binding()),
        ("another task within", |c| c[CONTEXT]["action"]["task"] = "tsk_another_task".into(), binding()),
        ("another agent beside", |c| c["may_act"]["sub"] = "spiffe://acme.example/agent/payer".into(), binding()),
        ("another agent within", |c| c[CONTEXT]["action"]["agent"] = "spiffe://a.example/x".into(), binding()),
        ("a task that is sealed", |c| c[CONTEXT]["task"]["hash"] = HASH.into(), binding()),
        ("an answer that is no", |c| c[CONTEXT]["answer"] = "denied".into(), authority()),
        ("no answer", |c| drop(c[CONTEXT].as_object_mut().unwrap().remove("answer")), authority()),
        ("an answer to nothing", |c| drop(c[CONTEXT].as_object_mut().unwrap().remove("action")), authority()),
        ("another answer", |c| c[CONTEXT]["answer"] = "granted".into(), claims_flaw()),
        ("an answer that is an object", |c| c[CONTEXT]["answer"] = json!({"approved": null}), claims_flaw()),
        ("a null action", |c| c[CONTEXT]["action"] = Value::Null, claims_flaw()),
        ("an action with more", |c| c[CONTEXT]["action"]["scope"] = "all".into(), claims_flaw()),
        (
            "an action without arguments",
            |c| {
                c[CONTEXT]["action"].as_object_mut().unwrap().remove("arguments");
            },
            claims_flaw(),
        ),
        (
            "a scope beside the action",
            |c| {
                c["authorization_details"] = known("approval").claims["authorization_details"].clone();
            },
            authority(),
        ),
        ("no details, said", |c| c["authorization_details"] = json!([]), authority()),
        ("details that are null", |c| c["authorization_details"] = Value::Null, claims_flaw()),
        ("delegable", |c| c[CONTEXT]["delegation"] = json!({"max_depth": 2}), authority()),
        (
            "a scope in the place of the action",
            |c| {
                c["authorization_details"] = known("approval").claims["authorization_details"].clone();
                c[CONTEXT].as_object_mut().unwrap().retain(|name, _| name == "v" || name == "task");
            },
            claims_flaw(),
        ),
        (
            "that scope, with a hash",
            |c| {
                c["authorization_details"] = known("approval").claims["authorization_details"].clone();
                c[CONTEXT].as_object_mut().unwrap().retain(|name, _| name == "v" || name == "task");
                c[CONTEXT]["task"]["hash"] = HASH.into();
            },
            Good::ForNothing,
        ),
        ("by an agent", |c| c["sub_profile"] = "ai_agent".into(), Good::Flawed(Flaw::Subject)),
        ("for another host", |c| c["aud"] = ERP.into(), Good::Flawed(Flaw::Audience)),
        ("over", |c| c["exp"] = (START + 1).into(), Good::Flawed(Flaw::Expired)),
        ("not yet", |c| c["nbf"] = (START + 2).into(), Good::Flawed(Flaw::NotYetValid)),
        ("without an end", |c| drop(c.as_object_mut().unwrap().remove("exp")), claims_flaw()),
        ("without an id", |c| drop(c.as_object_mut().unwrap().remove("jti")), claims_flaw()),
        ("version 2", |c| c[CONTEXT]["v"] = 2.into(), claims_flaw()),
    ];
    world.clock.set(at(START + 1));
    for (place, (what, change, expected)) in table.iter().enumerate() {
        let mut forged = claims.clone();
        change(&mut forged);
        if forged.get("jti").is_some() {
            forged["jti"] = format!("apr_forged_{place}").into();
        }
        let found = match verifier().verify(&sign(&forged), at(START + 1)) {
            Err(refused) => Good::Flawed(refused.flaw()),
            Ok(approval) => match task.authorize(&action.clone().approved(approval)) {
                Ok(_) => Good::ForThis,
                Err(denial) => {
                    assert_eq!(denial.code(), ReasonCode::ApprovalInvalid, "{what}");
                    Good::ForNothing
                }
            },
        };
        assert_eq!(found, *expected, "{what}");
    }
}

#[test]
fn consent_to_one_action_begins_no_task_and_one_to_a_task_takes_no_action() {
    let world = World::new(OPEN);
    let task = task(&world);
    let asked = asks(&task, &alone("ticket.purge"));
    let token = sealer().approve(&mut travelled(&asked), &world.ada, &SystemEntropy, at(START)).unwrap();
    let approval = verifier().verify(&token, at(START)).unwrap();
    let intent = Intent::new("purge", sayable()).unwrap();
    let begun = world.door.begin(Mandate::new(world.agent(), intent.clone()).approved(approval));
    assert!(matches!(begun, Err(bailiwick::Error::Mandate(_))));
    let of = (&world.triage, task.id(), &intent);
    let token = sealer().approve_task(of, &world.ada, at(START + 600), &SystemEntropy, at(START)).unwrap();
    let approval = verifier().verify(&token, at(START)).unwrap();
    assert_eq!(code(task.authorize(&alone("ticket.purge").approved(approval))), Some(ReasonCode::ApprovalInvalid));
}

proptest! {
    #![proptest_config(cases(256))]

    /// Whoever changes a byte of what was sealed has sealed nothing.
    #[test]
    fn no_byte_of_a_token_can_be_changed(place in any::<prop::sample::Index>(), other in 0_u8..64) {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let world = World::new(OPEN);
        let task = task(&world);
        let asked = asks(&task, &alone("ticket.purge"));
        let token = sealer().approve(&mut travelled(&asked), &world.ada, &SystemEntropy, at(START)).unwrap();
        let mut bytes = token.clone().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = ALPHABET[usize::from(other)];
        let changed = String::from_utf8(bytes).unwrap();
        prop_assume!(changed != token);
        prop_assert!(verifier().verify(&changed, at(START)).is_err());
    }
}

#[test]
fn an_agent_is_nobody_whose_answer_can_be_sealed() {
    // A session is a person's; what has the name of an agent is not the name of a person.
    let agent = AgentId::spiffe("spiffe://acme.example/agent/triage").unwrap();
    assert!(serde_json::from_value::<bailiwick::identity::OperatorId>(json!(agent.to_string())).is_err());
    let world = World::new(OPEN);
    let task = task(&world);
    let asked = asks(&task, &alone("ticket.purge"));
    let mut claims =
        contents(&sealer().approve(&mut travelled(&asked), &world.ada, &SystemEntropy, at(START)).unwrap()).1;
    claims["sub"] = "spiffe://acme.example/agent/triage".into();
    claims["sub_id"]["sub"] = "spiffe://acme.example/agent/triage".into();
    let made = verifier().verify(&sign(&claims), at(START)).ok();
    let made: Option<Approval> = made;
    let answer = made.map(|approval| code(task.authorize(&alone("ticket.purge").approved(approval))));
    assert!(answer.is_none_or(|answer| answer == Some(ReasonCode::ApprovalInvalid)));
}
