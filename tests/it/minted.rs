//! What the minter makes: what it says, what it fits, and when it is dead.

use std::time::Duration;

use bailiwick::audit::Effect;
use bailiwick::credential::{MintError, MintKey, Minter};
use bailiwick::entropy::SystemEntropy;
use bailiwick::identity::danger;
use bailiwick::jose::Flaw;
use bailiwick::mandate::{Action, Approval, Arguments, Grant, Intent, Mandate, Resource, Scope};
use bailiwick::{Digest, Task};

use crate::ends::End;
use crate::published::{AUTHZ, ISSUER, audience, contents, issuer};
use crate::world::{self, OPEN, START, World, at};

/// A world whose task has a permit for closing the ticket, for Ada.
fn closing(world: &World) -> (Task, Action) {
    let user = &world.triage_bot;
    let close = Action::on_behalf_of(&world.ada, "ticket.close", &world::ticket()).unwrap().presenting(user);
    (world.task(world::scope()), close)
}

#[test]
fn a_minted_credential_says_what_the_profile_wants() {
    let world = World::new(OPEN);
    let (task, close) = closing(&world);
    let read = Action::autonomous("ticket.read", &world::ticket()).unwrap();
    for action in [&close, &read] {
        let permit = task.authorize(action).unwrap();
        let credential = task.mint(permit, &world::audience()).unwrap();
        let (header, claims) = contents(credential.expose());
        assert_eq!(header.as_object().unwrap().keys().collect::<Vec<_>>(), ["alg", "kid", "typ"]);
        assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("EdDSA"), Some("at+jwt")));

        let context = &claims["urn:bailiwick:claims:v1"];
        let (agent, tool) = (world.triage.to_string(), action.tool().to_string());
        let detail = serde_json::json!([{
            "type": "urn:bailiwick:rar:task-action",
            "locations": ["https://jira.acme.example"],
            "actions": [tool],
            "identifier": "ticket/T-42",
            "constraints": {"max_calls": 1},
        }]);
        let constants = [
            (&claims["iss"], "https://authz.acme.example".into()),
            (&claims["sub"], agent.clone().into()),
            (&claims["client_id"], agent.into()),
            (&claims["sub_profile"], "ai_agent".into()),
            (&claims["aud"], "https://jira.acme.example".into()),
            (&claims["iat"], START.into()),
            (&claims["nbf"], START.into()),
            (&claims["exp"], (START + 300).into()),
            (&claims["jti"], credential.id().as_str().into()),
            (&claims["txn"], task.txn().as_str().into()),
            (&claims["scope"], tool.into()),
            (&claims["authorization_details"], detail),
            (&claims["cnf"], serde_json::json!({"jkt": world.key.public().thumbprint()})),
            (&context["v"], 1.into()),
            (&context["mode"], action.mode().as_str().into()),
            (&context["task"]["id"], task.id().as_str().into()),
            (
                &context["accountable"],
                serde_json::json!({
                    "iss": "https://idp.acme.example", "sub": "ada", "role": "sponsor",
                }),
            ),
        ];
        for (found, wanted) in constants {
            assert_eq!(found, &wanted);
        }
        let digest = |value: &serde_json::Value| value.as_str().is_some_and(|text| text.parse::<Digest>().is_ok());
        assert!(digest(&context["task"]["hash"]) && digest(&context["pol"]));
        let jti = claims["jti"].as_str().unwrap();
        assert!((22..=64).contains(&jti.len()), "{jti}");

        // Nothing else is emitted, and what only one mode has, only that mode has.
        let always = ["accountable", "mode", "pol", "task", "v"];
        let for_ada = ["accountable", "mode", "obo", "pol", "present_as", "task", "v"];
        let expected = if action.mode().operator().is_some() { &for_ada[..] } else { &always[..] };
        assert_eq!(context.as_object().unwrap().keys().collect::<Vec<_>>(), expected);
        assert_eq!(claims.as_object().unwrap().len(), 14, "{claims}");
        if let Some(ada) = action.mode().operator() {
            assert_eq!(context["obo"]["sub"], ada.subject().as_str());
            assert!(digest(&context["obo"]["approval"]["hash"]));
            assert_eq!(
                context["present_as"],
                serde_json::json!({
                    "id": "jira.acme.example/triage-bot", "handle": "triage-bot",
                })
            );
        }
    }
}

#[test]
fn a_minted_credential_fits_one_action_at_one_service() {
    let world = World::new(OPEN);
    let (task, close) = closing(&world);
    let credential = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
    let verified = world.door.verify(credential.expose(), &world::audience()).unwrap();
    let other = Resource::new("ticket", "T-43").unwrap();
    let none = Arguments::none();
    assert!(verified.permits(close.tool(), &world::ticket(), &none));
    assert!(!verified.permits(close.tool(), &other, &none));
    assert!(!verified.permits(&"ticket.read".parse().unwrap(), &world::ticket(), &none));
    assert_eq!(verified.max_calls(close.tool(), &world::ticket(), &none), Some(1));
    assert_eq!(verified.mode(), close.mode());
    assert_eq!(verified.presented_as(), Some("triage-bot"));
    assert_eq!(verified.until(), credential.until());

    let elsewhere = audience("https://bank.acme.example");
    assert_eq!(world.door.verify(credential.expose(), &elsewhere).unwrap_err().flaw(), Flaw::Audience);
    let again = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
    assert_ne!(credential.id(), again.id());
    assert_ne!(credential.expose(), again.expose());
}

#[test]
fn the_secret_of_a_credential_is_not_in_what_is_logged() {
    let world = World::new(OPEN);
    let (task, close) = closing(&world);
    let credential = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
    let shown = format!("{credential:?} {credential:#?} {:?} {:?} {task:?}", world.door, world.sink.events());
    assert!(shown.contains(credential.id().as_str()));
    for part in credential.expose().split('.') {
        assert!(!shown.contains(part), "{shown}");
    }
    let records = serde_json::to_string(&world.sink.events()).unwrap();
    let (_, signature) = credential.expose().rsplit_once('.').unwrap();
    assert!(!records.contains(signature));
    let key = MintKey::from_pkcs8(&ISSUER.pkcs8()).unwrap();
    assert_eq!(format!("{key:?}"), format!("MintKey(SigningKey({}))", ISSUER.thumbprint));
}

#[test]
fn no_credential_is_minted_for_what_it_cannot_be_bound_to() {
    let world = World::new(OPEN);
    let jira_only = Grant::new().at([world::audience()]);
    let scope = Scope::new().allow("ticket.close", jira_only).unwrap();
    let task = world.task(scope.clone());
    let close = Action::on_behalf_of(&world.ada, "ticket.close", &world::ticket()).unwrap();
    let elsewhere = audience("https://bank.acme.example");
    let refused = task.mint(task.authorize(&close).unwrap(), &elsewhere).unwrap_err();
    assert_eq!(refused, MintError::Audience { asked: elsewhere });
    assert!(task.mint(task.authorize(&close).unwrap(), &world::audience()).is_ok());

    let keyless = danger::workload_vouched_by_host(world.triage.clone(), None, at(START + 3600));
    let agent = world.door.admit(keyless).unwrap();
    let intent = Intent::new("close stale tickets", scope.clone()).unwrap();
    let mandate = Mandate::new(agent, intent).approved(Approval::by(&world.ada, scope));
    let task = world.door.begin(mandate).unwrap();
    let refused = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap_err();
    assert_eq!(refused, MintError::NoKey(world.triage.clone()));
}

#[test]
fn a_lifetime_is_within_its_bounds() {
    let minter = || Minter::new(issuer(AUTHZ), MintKey::generate(&SystemEntropy).unwrap());
    for (seconds, valid) in [(0, false), (1, true), (900, true), (901, false), (u64::MAX, false)] {
        assert_eq!(minter().with_lifetime(Duration::from_secs(seconds)).is_ok(), valid, "{seconds}");
    }
}

/// With the fraction of the second at which it is minted, it would live for 901 seconds, and be refused by everybody.
#[test]
fn a_lifetime_over_the_bound_by_less_than_a_second_is_refused() {
    let minter = Minter::new(issuer(AUTHZ), MintKey::generate(&SystemEntropy).unwrap());
    assert!(minter.with_lifetime(Duration::from_millis(900_001)).is_err());
}

#[test]
fn a_credential_is_over_when_it_ends() {
    let world = World::new(OPEN);
    let (task, close) = closing(&world);
    let credential = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
    let verify = || world.door.verify(credential.expose(), &world::audience());
    world.clock.set(at(START + 299));
    assert!(verify().is_ok());
    world.clock.set(at(START + 300));
    assert_eq!(verify().unwrap_err().flaw(), Flaw::Expired);
    // A clock that is set back revives nothing.
    world.clock.set(at(START));
    assert_eq!(verify().unwrap_err().flaw(), Flaw::Expired);
}

#[test]
fn a_credential_is_used_once_for_exactly_its_action() {
    let world = World::new(OPEN);
    let (task, close) = closing(&world);
    let credential = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
    let accept = |action: &Action| world.door.accept(credential.expose(), &world::audience(), action);
    let (ada, other) = (&world.ada, Resource::new("ticket", "T-43").unwrap());
    for (name, action) in [
        ("another tool", Action::on_behalf_of(ada, "ticket.read", &world::ticket()).unwrap()),
        ("another resource", Action::on_behalf_of(ada, "ticket.close", &other).unwrap()),
        ("other arguments", close.clone().with(world::args(r#"{"reason": "stale"}"#))),
        ("another person", Action::on_behalf_of(&world.bob, "ticket.close", &world::ticket()).unwrap()),
        ("nobody's errand", Action::autonomous("ticket.close", &world::ticket()).unwrap()),
    ] {
        assert_eq!(accept(&action).unwrap_err().flaw(), Flaw::Binding, "{name}");
    }
    assert!(accept(&close).is_ok());
    assert!(accept(&close).is_err(), "a second time");
    assert!(world.door.verify(credential.expose(), &world::audience()).is_err(), "after it was used");
}

#[test]
fn a_credential_is_dead_when_its_effect_is_told_or_it_is_dropped() {
    let world = World::new(OPEN);
    let (task, close) = closing(&world);
    for told in [true, false] {
        let credential = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
        let token = credential.expose().to_owned();
        if told {
            credential.finish(Effect::Succeeded).unwrap()
        } else {
            drop(credential)
        }
        assert_eq!(world.door.verify(&token, &world::audience()).unwrap_err().flaw(), Flaw::Revoked);
    }
}

#[test]
fn a_credential_is_dead_when_what_it_rests_on_is() {
    for end in End::ALL {
        let world = World::new(OPEN);
        let (task, close) = closing(&world);
        let credential = task.mint(task.authorize(&close).unwrap(), &world::audience()).unwrap();
        let verify = || world.door.verify(credential.expose(), &world::audience());
        assert!(verify().is_ok(), "{end:?}");
        let _kept = end.come(&world, task);
        let expected = if end == End::TimeOver { Flaw::Expired } else { Flaw::Revoked };
        assert_eq!(verify().unwrap_err().flaw(), expected, "{end:?}");
    }
}
