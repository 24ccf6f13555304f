//! What others know, share or come to have admits nobody, and names nobody.

use std::sync::Arc;

use bailiwick::audit::{Behind, Sighting};
use bailiwick::entropy::SystemEntropy;
use bailiwick::identity::{
    AgentKey, AgentUserId, Enrolment, Selector, SelectorError, TrustBundle, TrustDomain, TrustError,
};
use bailiwick::jose::{Algorithm, Flaw, VerifyingKey};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

use crate::oidc::{agent, platforms};
use crate::pens::{changed, flaw, test_key};
use crate::published::{audience, encode, issuer};
use crate::steps::{autonomous, read};
use crate::world::{OPEN, START, World, at, operator};
use crate::x509;

#[test]
fn a_root_key_of_two_certificates_is_one_root() {
    let key = x509::key();
    let der = key.serialize_der();
    let first = x509::Issuer::self_signed(x509::authority(), key).expect("a root");
    let mut params = x509::authority();
    params.distinguished_name.push(rcgen::DnType::CommonName, "another name");
    let second = x509::Issuer::self_signed(params, rcgen::KeyPair::try_from(der).expect("a key")).expect("a root");
    let json = json!({ "keys": [x509::jwk(&x509::base64(second.der()))] }).to_string();
    let other = TrustDomain::new("other.example").expect("a domain");
    let other = TrustBundle::from_json(other, x509::production(), &json).expect("a bundle");
    assert!(matches!(x509::verifier(&first).trust(&other), Err(TrustError::SharedRoot { .. })));
}

#[test]
fn the_token_of_a_user_is_no_agents_whatever_selector_takes_it() {
    let [.., entra] = platforms();
    let client = entra.claims["azp"].as_str().expect("a text").to_owned();
    let tenant = issuer(entra.claims["iss"].as_str().expect("a text"));
    let by_client = Selector::new(agent(), tenant.clone()).with("/azp", &client).expect("a selector");
    assert!(matches!(by_client.check(), Err(SelectorError::OnlyMutable(_))), "all who use the client");

    let oid = entra.claims["oid"].as_str().expect("a text");
    let by_object = Selector::new(agent(), tenant).with("/oid", oid).expect("a selector");
    let verifier = entra.verifier(&[by_object]);
    let check = |change: fn(&mut Value)| {
        let claims = changed(&entra.claims, |claims| {
            claims.as_object_mut().expect("an object").remove("idtyp");
            change(claims);
        });
        flaw(verifier.verify(&entra.sign(&claims), at(START)))
    };
    assert_eq!(check(|_| ()), None);
    assert_eq!(check(|claims| claims["xms_act_fct"] = "11".into()), Some(Flaw::Subject), "an agent acts for it");
    assert_eq!(check(|claims| claims["scp"] = "Tickets.Read".into()), Some(Flaw::Subject), "a person consented");
    assert_eq!(check(|claims| claims["act"] = json!({ "sub": "another" })), Some(Flaw::Subject), "another acts");
    assert_eq!(check(|claims| claims["scp"] = json!(["tickets.read"])), None, "Okta's of applications are lists");
}

#[test]
fn what_several_workloads_share_selects_none_of_them() {
    let shared = [
        ("/kubernetes.io/node/uid", "c1b2a3d4-0000-4000-8000-000000000001"),
        ("/actor_id", "12"),
        ("/sha", "0f1e2d3c"),
        ("/xms_par_app_azp", "6e1b2f4a-77c0-4f55-9b1c-0a9c8d7e6f5b"),
        ("/sub", "job_workflow_ref:acme/shared/.github/workflows/release.yml@refs/heads/main"),
        ("/sub", "repository_owner:acme"),
    ];
    for (claim, value) in shared {
        let selector = Selector::new(agent(), issuer("https://platform.acme.example")).with(claim, value);
        let checked = selector.expect("a selector").check();
        assert!(matches!(checked, Err(SelectorError::OnlyMutable(_))), "{claim} {value}");
    }
}

#[test]
fn who_answered_for_the_agent_later_is_not_named_for_a_task_begun_before() {
    let world = World::new(OPEN);
    let task = world.task(autonomous(&["ticket.read"]));
    world.sink.drain();
    world.door.transfer(&world.ada, &world.triage, &operator("ada"), &operator("bob")).expect("a new sponsor");
    let _again = world.agent();
    let permit = task.authorize(&read().presenting(&world.triage_bot)).expect("a permit");
    let seen = Sighting::new(AgentUserId::new("jira.acme.example", "triage-bot").expect("an id"), at(START));
    let found = world.sink.resolve(&seen);
    assert_eq!(found[0].behind, Behind::NotInTheseRecords, "the task began under Ada");
    drop(permit);
}

#[test]
fn a_certificate_that_was_seen_admits_nobody_but_who_has_its_key() {
    let (root, holder) = (x509::root(), x509::key());
    let svid = x509::leaf(&[x509::AGENT]).signed_by(&holder, &root).expect("a certificate").der().to_vec();
    let proof = x509::verifier(&root).verify(&[svid], at(x509::FROM)).expect("a proof");
    let (x, y) = holder.public_key_raw()[1..].split_at(32);
    let own = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
    let own = VerifyingKey::from_jwk(&own.to_string()).expect("a key");
    assert_eq!(proof.key(), Some(&own.thumbprint()));

    let host = Enrolment::new(audience("https://host.acme.example"), Arc::new(SystemEntropy));
    let thief = AgentKey::generate(&SystemEntropy).expect("a key");
    assert_eq!(flaw(host.challenge(&proof, thief.public(), at(x509::FROM))), Some(Flaw::Binding));
    let challenge = host.challenge(&proof, own.clone(), at(x509::FROM)).expect("a challenge");
    assert_eq!(
        flaw(host.verify(proof.clone(), &challenge.answer(&thief).expect("an answer"), at(x509::FROM))),
        Some(Flaw::UnknownKey)
    );

    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, holder.serialized_der(), &random);
    let pair = pair.expect("the same key");
    let answer = challenge.answer_with(&own, Algorithm::Es256, |message| {
        pair.sign(&random, message).expect("a signature").as_ref().to_vec()
    });
    let workload = host.verify(proof.clone(), &answer, at(x509::FROM)).expect("a workload");
    assert_eq!((workload.agent(), workload.key()), (proof.agent(), Some(&own.thumbprint())));

    let mut pinning = Enrolment::new(audience("https://host.acme.example"), Arc::new(SystemEntropy));
    let known = AgentKey::generate(&SystemEntropy).expect("a key");
    pinning.pin(proof.agent().clone(), &known.public()).expect("a new key");
    let challenge = pinning.challenge(&proof, known.public(), at(x509::FROM)).expect("the key that the host knows");
    assert!(pinning.verify(proof, &challenge.answer(&known).expect("an answer"), at(x509::FROM)).is_ok());
}

#[test]
fn the_key_of_a_certificate_is_any_that_is_verified_here() {
    let root = x509::root();
    let of = |pem: &str| {
        let holder = rcgen::KeyPair::from_pem(pem).expect("a key");
        let svid = x509::leaf(&[x509::AGENT]).signed_by(&holder, &root).expect("a certificate").der().to_vec();
        x509::verifier(&root).verify(&[svid], at(x509::FROM)).map(|proof| proof.key().cloned())
    };
    for name in ["rsa-2048-a", "p256-a", "p384-a", "ed25519-a"] {
        let key = test_key(name);
        assert_eq!(of(&key.pem).expect("a proof").map(|key| key.to_string()), Some(key.thumbprint), "{name}");
    }
}
