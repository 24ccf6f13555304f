//! The life of a request: its states, who answers, and its JSON.

use bailiwick::identity::OperatorSession;
use bailiwick::mandate::{
    Action, ActionRequest, Approval, ApprovalRequest, Grant, Objection, Quorum, RequestError, RequestState, Resource,
    Scope, danger,
};
use bailiwick::policy::ReasonCode;
use bailiwick::time::Timestamp;
use bailiwick::{Task, TaskHandle};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::any::{cases, hold_often};
use crate::quorums;
use crate::steps::{alone, code, on_behalf};
use crate::world::{START, World, args, at, operator, session};

const PEOPLE: [&str; 4] = ["ada", "bob", "carol", "eve"];

/// A request for two of Ada, Bob and Carol, which is over after a minute.
fn request() -> ApprovalRequest {
    let world = quorums::world();
    let listed = ["ada", "bob", "carol"].map(operator);
    let quorum = Quorum::of(2).unwrap().among(listed).unwrap().within(std::time::Duration::from_secs(60));
    let task = world.task(quorums::purges(quorum));
    task.authorize(&alone("ticket.purge")).expect_err("nobody approved").asks().cloned().expect("a request")
}

fn signed_in(name: &str, until: i64) -> OperatorSession {
    let person = bailiwick::identity::HumanOperator::new(operator(name));
    bailiwick::identity::danger::operator_vouched_by_host(person, at(START), at(until)).expect("a session")
}

// ── States ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/// What happens to a request.
#[derive(Debug, Clone, Copy)]
enum Step {
    Approve(&'static str),
    Deny(&'static str),
    Note(&'static str),
    Object(&'static str),
    Cancel,
    Wait(i64),
    Travel,
}

fn step() -> impl Strategy<Value = Step> {
    let name = || select(&PEOPLE[..]);
    prop_oneof![
        4 => name().prop_map(Step::Approve),
        1 => name().prop_map(Step::Deny),
        2 => name().prop_map(Step::Note),
        1 => name().prop_map(Step::Object),
        1 => Just(Step::Cancel),
        2 => (1_i64..40).prop_map(Step::Wait),
        2 => Just(Step::Travel),
    ]
}

/// What a request must be, told in the simplest words.
#[derive(Debug, Clone)]
struct Model {
    yes: Vec<&'static str>,
    state: RequestState,
}

impl Model {
    fn at(&mut self, now: i64) -> RequestState {
        if self.state == RequestState::Pending && now >= START + 60 {
            self.state = RequestState::Expired;
        }
        self.state
    }

    fn may(&mut self, name: &'static str, now: i64) -> Result<(), RequestError> {
        match self.at(now) {
            RequestState::Pending if name == "eve" => Err(RequestError::NotAsked(operator(name))),
            RequestState::Pending if self.yes.contains(&name) => Err(RequestError::Answered(operator(name))),
            RequestState::Pending => Ok(()),
            left => Err(RequestError::Left(left)),
        }
    }

    fn say(&mut self, name: &'static str, yes: bool, now: i64) -> Result<(), RequestError> {
        self.may(name, now)?;
        if yes {
            self.yes.push(name);
        }
        self.state = match (yes, self.yes.len()) {
            (false, _) => RequestState::Denied,
            (true, 2) => RequestState::Approved,
            (true, _) => RequestState::Pending,
        };
        Ok(())
    }
}

#[test]
fn a_request_is_left_once_and_never_entered_again() {
    let fresh = request();
    let left = std::cell::RefCell::new(std::collections::BTreeSet::new());
    hold_often((512, 300), vec(step(), 1..12), |steps| {
        let (mut request, mut now) = (fresh.clone(), START);
        let mut model = Model { yes: Vec::new(), state: RequestState::Pending };
        let approval = |name: &str| Approval::by(&session(name), fresh.action().clone());
        for step in steps {
            let before = request.state(at(now));
            match step {
                Step::Approve(name) => {
                    let answer = request.approve(&session(name), at(now));
                    prop_assert_eq!(answer.map(drop), model.say(name, true, now));
                }
                Step::Note(name) => {
                    let answer = request.note(&approval(name), at(now));
                    prop_assert_eq!(answer.map(drop), model.say(name, true, now));
                }
                Step::Deny(name) => {
                    let answer = request.deny(&session(name), at(now));
                    prop_assert_eq!(answer.map(drop), model.say(name, false, now));
                }
                Step::Object(name) => {
                    let objection = Objection::by(&session(name), fresh.action().clone());
                    let answer = request.note_objection(&objection, at(now));
                    prop_assert_eq!(answer.map(drop), model.say(name, false, now));
                }
                Step::Cancel => {
                    let waited = model.at(now) == RequestState::Pending;
                    prop_assert_eq!(request.cancel(at(now)), waited);
                    if waited {
                        model.state = RequestState::Cancelled;
                    }
                }
                Step::Wait(seconds) => now += seconds,
                Step::Travel => {
                    let written = serde_json::to_string(&request).unwrap();
                    let read: ApprovalRequest = serde_json::from_str(&written).unwrap();
                    prop_assert_eq!(&read, &request);
                    request = read;
                }
            }
            prop_assert_eq!(request.state(at(now)), model.at(now), "{:?}", step);
            if before != RequestState::Pending {
                prop_assert_eq!(request.state(at(now)), before);
            }
        }
        let state = request.state(at(now));
        left.borrow_mut().insert(state.as_str());
        // Whatever it became, time makes nothing else of it.
        let later = request.state(at(START + 10_000));
        prop_assert!(later == state || (state, later) == (RequestState::Pending, RequestState::Expired));
        Ok(state != RequestState::Pending)
    });
    let all = ["approved", "cancelled", "denied", "expired", "pending"];
    assert_eq!(left.into_inner().into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn an_answer_is_one_s_own_to_this_action_and_in_time() {
    let fresh = request();
    let other = request();
    let over = |name| Err(RequestError::Over { operator: operator(name), now: at(START + 30) });
    let now = at(START + 30);
    let mut asked = fresh.clone();
    assert_eq!(asked.approve(&signed_in("ada", START + 30), now).map(drop), over("ada"), "signed out");
    assert_eq!(asked.deny(&signed_in("ada", START + 30), now).map(drop), over("ada"), "signed out");
    let elsewhere = Err(RequestError::OtherAction(operator("ada")));
    assert_eq!(asked.note(&Approval::by(&session("ada"), other.action().clone()), now), elsewhere, "another task's");
    assert_eq!(asked.note(&Approval::by(&session("ada"), Scope::new()), now), elsewhere, "of a task");
    let late = Approval::by(&session("ada"), fresh.action().clone()).until(at(START + 30));
    assert_eq!(asked.note(&late, now).map(drop), over("ada"));
    assert_eq!(asked, fresh, "nothing of it is noted");
    // An approval that is given to a request is over when that is.
    let approval = asked.approve(&session("ada"), now).unwrap();
    assert_eq!(approval.ends(), asked.until());
    assert_eq!(asked.answers()[0].approval.as_ref(), Some(approval.id()));
}

#[test]
fn an_approval_that_came_after_its_request_was_over_permits_nothing() {
    let world = quorums::world();
    let task = world.task(quorums::purges(Quorum::of(1).unwrap().within(std::time::Duration::from_secs(60))));
    let action = alone("ticket.purge");
    let mut asked = task.authorize(&action).expect_err("held").asks().cloned().unwrap();
    let approval = asked.clone().approve(&world.ada, at(START)).unwrap();
    world.clock.set(at(START + 60));
    assert_eq!(asked.state(at(START + 60)), RequestState::Expired);
    let left = Err(RequestError::Left(RequestState::Expired));
    assert_eq!(asked.approve(&world.ada, at(START + 60)).map(drop), left);
    assert_eq!(asked.approve(&world.ada, at(START)).map(drop), left, "nor when the clock is set back");
    assert_eq!(code(task.authorize(&action.approved(approval))), Some(ReasonCode::ApprovalInvalid));
}

// ── The action that is asked for ────────────────────────────────────────────────────────────────────────────────────

/// One member of a request, and another value of it.
type Change = (&'static str, fn(&mut Value));

const CHANGES: &[Change] = &[
    ("task", |r| r["task"] = "tsk_another_task".into()),
    ("agent", |r| r["agent"] = "spiffe://acme.example/agent/payer".into()),
    ("mode", |r| {
        r["mode"] = "autonomous".into();
        r.as_object_mut().unwrap().remove("operator");
    }),
    ("operator", |r| r["operator"]["sub"] = "bob".into()),
    ("tool", |r| r["tool"] = "ticket.purge".into()),
    ("resource", |r| r["resource"] = "ticket/T-43".into()),
    ("arguments", |r| r["arguments"] = "sha-256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU".into()),
    ("attributes", |r| r["attributes"] = "sha-256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU".into()),
];

fn payment(amount: &str, recipient: &str) -> Action {
    let arguments = args(&format!(r#"{{"recipient": "{recipient}", "amount": {amount}}}"#));
    Action::on_behalf_of(&session("ada"), "money.send", &Resource::new("account", "ours").unwrap())
        .unwrap()
        .with(arguments)
}

fn paying(world: &World) -> Task {
    world.task(Scope::new().allow("money.send", Grant::new()).unwrap().allow("ticket.purge", Grant::new()).unwrap())
}

fn answer(task: &TaskHandle, action: &Action, consented: ActionRequest) -> Option<ReasonCode> {
    code(task.authorize(&action.clone().approved(Approval::by(&session("ada"), consented))))
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn consent_to_a_request_that_differs_in_one_member_is_consent_to_nothing(
        amount in 1_i64..100_000,
        recipient in "[A-Z]{2}[0-9]{4}",
        which in select(CHANGES),
        step in 1_u64..1_000,
    ) {
        let world = World::new(crate::world::OPEN);
        let task = paying(&world);
        let action = payment(&amount.to_string(), &recipient);
        let asked = serde_json::to_value(task.request(&action)).unwrap();
        let mut altered = asked.clone();
        which.1(&mut altered);
        let altered: ActionRequest = serde_json::from_value(altered).unwrap();
        prop_assert_eq!(answer(&task, &action, altered), Some(ReasonCode::ApprovalInvalid), "{}", which.0);
        // Other arguments than those that were approved.
        let consented: ActionRequest = serde_json::from_value(asked.clone()).unwrap();
        let more = payment(&(amount + 1).to_string(), &recipient);
        prop_assert_eq!(answer(&task, &more, consented.clone()), Some(ReasonCode::ApprovalInvalid));
        // At which step it was asked is no part of what it is.
        let mut later = asked;
        later["step"] = step.into();
        prop_assert_eq!(answer(&task, &action, serde_json::from_value(later).unwrap()), None);
    }
}

#[test]
fn every_member_of_a_request_is_changed_by_these_tests() {
    let world = World::new(crate::world::OPEN);
    let asked = serde_json::to_value(paying(&world).request(&payment("1", "GB"))).unwrap();
    let changed = CHANGES.iter().map(|(name, _)| *name);
    let all: std::collections::BTreeSet<_> = changed.chain(["step"]).collect();
    let mut members: std::collections::BTreeSet<_> = asked.as_object().unwrap().keys().map(String::as_str).collect();
    // There, where something is said of the resource.
    members.insert("attributes");
    assert_eq!(members, all);
}

// ── JSON ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const ADA: &str = r#"{"iss":"https://idp.acme.example","sub":"ada"}"#;

/// A request as it is written, whatever its task and salt are.
fn written() -> Value {
    let mut request = serde_json::to_value(request()).unwrap();
    request["action"]["task"] = "tsk_Yk3v0Q9m2nR7sT1u".into();
    request["action"]["arguments"] = "sha-256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU".into();
    request
}

#[test]
fn a_request_is_written_like_this() {
    let mut asked: ApprovalRequest = serde_json::from_value(written()).unwrap();
    let vouched = |name: &str, reference: &str| {
        danger::approval_vouched_by_host(operator(name), asked.action().clone(), at(START + 60), reference)
    };
    let (first, second) = (vouched("bob", "T-1"), vouched("ada", "T-2"));
    let pending = serde_json::to_string_pretty(&asked).unwrap();
    asked.note(&first, at(START + 10)).unwrap();
    let once = serde_json::to_string_pretty(&asked).unwrap();
    asked.note(&second, at(START + 20)).unwrap();
    let twice = serde_json::to_string_pretty(&asked).unwrap();
    crate::golden::compare("approval_request.txt", &format!("{pending}\n\n{once}\n\n{twice}\n"));
}

#[test]
fn only_what_a_request_can_have_become_is_read() {
    let answered = |name: &str, approval: Value, second: i64| {
        let at = serde_json::to_value(at(START + second)).unwrap();
        json!({"operator": {"iss": "https://idp.acme.example", "sub": name}, "approval": approval, "at": at})
    };
    let yes = |name: &str, second| answered(name, "apr_123456789".into(), second);
    let no = |name: &str, second| answered(name, Value::Null, second);
    let ada: Value = serde_json::from_str(ADA).unwrap();
    type Row = (&'static str, Box<dyn Fn(&mut Value)>, bool);
    let set = |member: &'static str, value: Value| -> Box<dyn Fn(&mut Value)> {
        Box::new(move |r| r[member] = value.clone())
    };
    let story = |state: &'static str, answers: Vec<Value>| -> Box<dyn Fn(&mut Value)> {
        Box::new(move |r| {
            r["state"] = state.into();
            r["answers"] = answers.clone().into();
        })
    };
    let table: Vec<Row> = vec![
        ("as it is", story("pending", vec![]), true),
        ("one yes", story("pending", vec![yes("ada", 1)]), true),
        ("two", story("approved", vec![yes("ada", 1), yes("bob", 1)]), true),
        ("two, and pending", story("pending", vec![yes("ada", 1), yes("bob", 1)]), false),
        ("one, and approved", story("approved", vec![yes("ada", 1)]), false),
        ("none, and approved", story("approved", vec![]), false),
        ("one twice", story("approved", vec![yes("ada", 1), yes("ada", 2)]), false),
        ("a stranger", story("pending", vec![yes("eve", 1)]), false),
        ("three", story("approved", vec![yes("ada", 1), yes("bob", 1), yes("carol", 1)]), false),
        ("a no", story("denied", vec![no("ada", 1)]), true),
        ("a no, and pending", story("pending", vec![no("ada", 1)]), false),
        ("a yes after a no", story("denied", vec![no("ada", 1), yes("bob", 1)]), false),
        ("no no, and denied", story("denied", vec![yes("ada", 1)]), false),
        ("over, after a yes", story("expired", vec![yes("ada", 1)]), true),
        ("over, after two", story("expired", vec![yes("ada", 1), yes("bob", 1)]), false),
        ("given up", story("cancelled", vec![]), true),
        ("given up, after a no", story("cancelled", vec![no("ada", 1)]), false),
        ("answered before it was asked", story("pending", vec![yes("ada", -1)]), false),
        ("answered when it was over", story("pending", vec![yes("ada", 60)]), false),
        ("answered in another order", story("approved", vec![yes("ada", 2), yes("bob", 1)]), false),
        ("no such state", set("state", "granted".into()), false),
        ("a state that is an object", set("state", json!({"pending": null})), false),
        ("nobody", set("people", 0.into()), false),
        ("nine people", set("people", 9.into()), false),
        ("more than there are", set("people", 8.into()), true),
        ("one twice among them", set("among", json!([ada, ada])), false),
        ("33 people", set("among", json!(vec![ada.clone(); 33])), false),
        ("who is needed", set("needed", ada.clone()), true),
        ("a stranger who is needed", set("needed", json!({"iss": "https://idp.acme.example", "sub": "eve"})), false),
        ("who is needed, null", set("needed", Value::Null), false),
        ("another member", set("approved", true.into()), false),
        ("no action", Box::new(|r| drop(r.as_object_mut().unwrap().remove("action"))), false),
        ("another member of the action", Box::new(|r| r["action"]["scope"] = "all".into()), false),
        ("an errand of nobody", Box::new(|r| r["action"]["mode"] = "on_behalf_of".into()), false),
        ("nobody's errand for somebody", Box::new(move |r| r["action"]["operator"] = ada.clone()), false),
        ("a mode that is an object", Box::new(|r| r["action"]["mode"] = json!({"autonomous": null})), false),
        (
            "an operator who is an agent",
            Box::new(|r| {
                r["action"]["mode"] = "on_behalf_of".into();
                r["action"]["operator"] = "spiffe://acme.example/agent/triage".into();
            }),
            false,
        ),
        ("attributes that are null", Box::new(|r| r["action"]["attributes"] = Value::Null), false),
        ("a negative step", Box::new(|r| r["action"]["step"] = (-1).into()), false),
    ];
    for (what, change, reads) in &table {
        let mut value = written();
        change(&mut value);
        let read = serde_json::from_value::<ApprovalRequest>(value.clone());
        assert_eq!(read.is_ok(), *reads, "{what}: {value} {:?}", read.err());
        if let Ok(read) = read {
            let again = serde_json::to_string(&read).unwrap();
            assert_eq!(serde_json::from_str::<ApprovalRequest>(&again).unwrap(), read, "{what}");
        }
    }
    let text = written().to_string();
    for wrong in [text.replacen("\"people\":2", "\"people\":2,\"people\":1", 1), format!("[{text}]"), "null".to_owned()]
    {
        assert!(serde_json::from_str::<ApprovalRequest>(&wrong).is_err(), "{wrong}");
    }
    assert!(serde_json::from_str::<ActionRequest>(r#"["tsk_Yk3v0Q9m2nR7sT1u"]"#).is_err());
}

/// A request that somebody made wider on its way is answered by more people, and permits no more.
#[test]
fn a_request_that_was_altered_on_its_way_opens_nothing() {
    let world = quorums::world();
    let task = world.task(quorums::purges(Quorum::of(2).unwrap().among(["ada", "bob"].map(operator)).unwrap()));
    let action = alone("ticket.purge");
    let denial = task.authorize(&action).expect_err("held");
    let mut altered = serde_json::to_value(denial.asks().unwrap()).unwrap();
    altered["people"] = 1.into();
    altered["among"] =
        json!([{"iss": "https://idp.acme.example", "sub": "carol"}, serde_json::from_str::<Value>(ADA).unwrap()]);
    altered["until"] = serde_json::to_value(at(START + 7 * 3600)).unwrap();
    let read = || serde_json::from_value::<ApprovalRequest>(altered.clone()).unwrap();
    let mut one = read();
    let carol = one.approve(&session("carol"), at(START)).expect("so it says");
    assert_eq!(one.state(at(START)), RequestState::Approved, "so it says");
    assert_eq!(code(task.authorize(&action.clone().approved(carol))), Some(ReasonCode::ApprovalInvalid));
    let ada = read().approve(&world.ada, at(START)).unwrap();
    assert_eq!(code(task.authorize(&action.approved(ada))), Some(ReasonCode::TooFewApprovals));
}

#[test]
fn a_request_says_who_may_answer_and_until_when() {
    let world = quorums::world();
    let asks = |task: &TaskHandle, action: &Action| task.authorize(action).expect_err("held").asks().cloned().unwrap();
    let names = |asked: &ApprovalRequest| -> Vec<String> {
        asked.among().iter().map(|one| one.subject().to_string()).collect()
    };
    let plain = world.task(Scope::new().allow("ticket.purge", Grant::new().autonomous()).unwrap());
    let asked = asks(&plain, &on_behalf(&world.ada, "ticket.purge"));
    assert_eq!((asked.people(), names(&asked), asked.needed()), (1, vec!["ada".to_owned()], Some(&operator("ada"))));
    assert_eq!((asked.asked(), asked.until()), (at(START), plain.until()));
    assert_eq!(asks(&plain, &alone("ticket.purge")).needed(), None);
    let others = Quorum::of(1).unwrap().among_others(["ada", "bob", "dan"].map(operator)).unwrap();
    let others = world.task(quorums::purges(others.within(std::time::Duration::from_secs(90))));
    let asked = asks(&others, &on_behalf(&world.ada, "ticket.purge"));
    assert_eq!((names(&asked), asked.needed()), (vec!["bob".to_owned(), "dan".to_owned()], None));
    let until: Timestamp = at(START + 90);
    assert_eq!(asked.until(), until);
}
