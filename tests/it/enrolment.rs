//! Enrolment: a proof that is stolen, changed, raced for or shown again admits nobody but who has the key.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use bailiwick::entropy::SystemEntropy;
use bailiwick::identity::{
    AgentId, AgentKey, AgentState, BearerProof, Challenge, Enrolment, Environment, IdentityVerifier, KeyPossession,
    OidcVerifier, ProofError, ProofMethod, RegistryError, Selector, SpiffeVerifier, TrustBundle, TrustDomain,
    VerifiedWorkload,
};
use bailiwick::jose::{Flaw, KeyError, VerifyingKey};
use bailiwick::mandate::Approval;
use bailiwick::time::Timestamp;
use bailiwick::{Error, Halt};
use serde_json::{Value, json};

use crate::flaky::{BROKEN, Flaky};
use crate::pens::{Pen, flaw};
use crate::published::{audience, decode, encode, issuer};
use crate::world::{OPEN, START, World, at};

const HOST: &str = "https://host.acme.example";
const TRIAGE: &str = "spiffe://acme.example/agent/triage";

fn key() -> AgentKey {
    AgentKey::generate(&SystemEntropy).expect("a key")
}

fn enrolment() -> Enrolment {
    Enrolment::new(audience(HOST), Arc::new(SystemEntropy))
}

fn pen() -> Pen {
    Pen::new("ES256", "a")
}

fn verifier() -> SpiffeVerifier {
    let production = Environment::new("production").expect("an environment");
    let domain = TrustDomain::new("acme.example").expect("a trust domain");
    let text = json!({ "keys": [pen().jwk("jwt-svid")] }).to_string();
    let mut verifier = SpiffeVerifier::new(audience(HOST), production.clone());
    verifier.trust(TrustBundle::from_json(domain, production, &text).expect("a bundle")).expect("a new domain");
    verifier
}

/// An SVID of this agent that nobody else has, good for so many seconds.
fn svid(agent: &str, number: usize, seconds: i64) -> String {
    pen().sign(&json!({ "sub": agent, "aud": HOST, "exp": START + seconds, "jti": number.to_string() }))
}

fn proof(number: usize) -> BearerProof {
    verifier().verify(&svid(TRIAGE, number, 300), at(START)).expect("a proof")
}

fn enrol(
    host: &Enrolment,
    proof: &BearerProof,
    key: &AgentKey,
    now: Timestamp,
) -> Result<VerifiedWorkload, ProofError> {
    let challenge = host.challenge(proof, key.public(), now)?;
    host.verify(proof.clone(), &challenge.answer(key).expect("an answer"), now)
}

#[test]
fn whoever_has_the_key_is_the_workload_until_the_proof_ends_or_an_hour_is_over() {
    for (seconds, until) in [(300, 300), (3600, 3600), (7200, 3600)] {
        let (host, key) = (enrolment(), key());
        let proof = verifier().verify(&svid(TRIAGE, 1, seconds), at(START)).expect("a proof");
        let workload = enrol(&host, &proof, &key, at(START)).expect("a workload");
        assert_eq!(workload.agent().as_str(), TRIAGE);
        assert_eq!((workload.method(), workload.digest()), (ProofMethod::SpiffeJwtSvid, proof.digest()));
        assert_eq!(workload.key(), Some(&key.public().thumbprint()));
        assert_eq!(workload.until(), at(START + until));
        let again = enrol(&host, &proof, &key, at(START + 10)).expect("the same key again");
        assert_eq!(again.until(), at(START + seconds.min(3610)));
    }
    let brief = enrolment().with_lifetime(Duration::from_secs(5)).expect("a lifetime");
    assert_eq!(enrol(&brief, &proof(1), &key(), at(START)).expect("a workload").until(), at(START + 5));
    for (millis, fits) in [(0, false), (999, false), (1000, true), (3_600_000, true), (3_600_001, false)] {
        assert_eq!(enrolment().with_lifetime(Duration::from_millis(millis)).is_ok(), fits, "{millis} milliseconds");
    }
}

#[test]
fn a_stolen_proof_is_of_no_use_with_another_key() {
    let (host, own, thief, proof) = (enrolment(), key(), key(), proof(1));
    enrol(&host, &proof, &own, at(START)).expect("a workload");
    assert_eq!(flaw(host.challenge(&proof, thief.public(), at(START))), Some(Flaw::Binding));
    // Nor with the workload's own public key, which is no secret.
    let challenge = host.challenge(&proof, own.public(), at(START)).expect("a challenge");
    assert_eq!(
        flaw(host.verify(proof.clone(), &challenge.answer(&thief).expect("an answer"), at(START))),
        Some(Flaw::UnknownKey)
    );
    let forged = {
        let token = challenge.answer(&thief).expect("an answer");
        let (_, claims) = crate::published::contents(&token);
        let header =
            json!({ "alg": "EdDSA", "kid": own.public().thumbprint().as_str(), "typ": "agent-possession+jwt" });
        let signature = token.rsplit_once('.').expect("three parts").1.to_owned();
        format!("{}.{}.{signature}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()))
    };
    assert_eq!(flaw(host.verify(proof.clone(), &forged, at(START))), Some(Flaw::Signature));
    assert!(
        host.verify(proof, &challenge.answer(&own).expect("an answer"), at(START)).is_ok(),
        "what was refused used nothing up"
    );
}

/// The order of P-256 (SEC 2, section 2.4.2).
const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

/// The same signature with `n - s` for `s`, which anybody can make.
fn twin(token: &str) -> String {
    let (message, signature) = token.rsplit_once('.').expect("three parts");
    let signature = decode(signature);
    let (r, s) = signature.split_at(32);
    let (mut flipped, mut borrow) = (crate::published::bytes::<32>(ORDER), 0);
    for place in (0..32).rev() {
        let left = i16::from(flipped[place]) - i16::from(s[place]) - borrow;
        borrow = i16::from(left < 0);
        flipped[place] = u8::try_from(left.rem_euclid(256)).expect("a byte");
    }
    format!("{message}.{}", encode(&[r, &flipped].concat()))
}

#[test]
fn the_other_signature_of_the_same_token_is_the_same_proof() {
    let token = svid(TRIAGE, 1, 300);
    let other = twin(&token);
    assert_ne!(token, other);
    assert_eq!(twin(&other), token);
    let (first, second) = (verifier().verify(&token, at(START)), verifier().verify(&other, at(START)));
    let (first, second) = (first.expect("a proof"), second.expect("both verify: so ECDSA is"));
    assert_eq!(first, second);
    let (host, own, thief) = (enrolment(), key(), key());
    enrol(&host, &first, &own, at(START)).expect("a workload");
    assert_eq!(flaw(enrol(&host, &second, &thief, at(START))), Some(Flaw::Binding));
    assert!(enrol(&host, &second, &own, at(START)).is_ok());
}

#[test]
fn an_agent_whose_key_is_known_is_admitted_with_that_key_only() {
    let (mut host, own, thief) = (enrolment(), key(), key());
    let agent: AgentId = TRIAGE.parse().expect("an agent");
    host.pin(agent.clone(), &own.public()).expect("a first key");
    host.pin(agent.clone(), &own.public()).expect("the same key");
    assert!(matches!(host.pin(agent, &thief.public()), Err(KeyError::HasKey { .. })));
    // The thief is first, with a proof that nobody showed yet.
    assert_eq!(flaw(enrol(&host, &proof(1), &thief, at(START))), Some(Flaw::Binding));
    assert!(enrol(&host, &proof(1), &own, at(START)).is_ok());
    let payer = verifier().verify(&svid("spiffe://acme.example/agent/payer", 1, 300), at(START)).expect("a proof");
    assert!(enrol(&host, &payer, &thief, at(START)).is_ok(), "others are not pinned");
}

/// The same question with another member, as somebody may write it who holds a key.
fn bent(challenge: &Challenge, member: &str, value: Value) -> Challenge {
    let mut json = serde_json::to_value(challenge).expect("JSON");
    json[member] = value;
    serde_json::from_value(json).expect("a challenge")
}

#[test]
fn an_answer_is_to_one_question_word_for_word_and_once() {
    let (host, elsewhere, own) = (enrolment(), enrolment(), key());
    let (first, second) = (proof(1), proof(2));
    let ask = |proof: &BearerProof| host.challenge(proof, own.public(), at(START)).expect("a challenge");
    let without_proof = {
        let mut json = serde_json::to_value(ask(&first)).expect("JSON");
        json.as_object_mut().expect("an object").remove("proof").expect("a digest");
        serde_json::from_value::<Challenge>(json).expect("a challenge").answer(&own).expect("an answer")
    };
    let rows = [
        (
            "no nonce of ours",
            bent(&ask(&first), "nonce", json!("AAAAAAAAAAAAAAAAAAAAAA")).answer(&own).expect("an answer"),
            Flaw::Replayed,
        ),
        (
            "another agent",
            bent(&ask(&first), "agent", json!("spiffe://acme.example/a")).answer(&own).expect("an answer"),
            Flaw::Replayed,
        ),
        (
            "another host",
            bent(&ask(&first), "audience", json!("https://other.example")).answer(&own).expect("an answer"),
            Flaw::Replayed,
        ),
        (
            "a later end",
            bent(&ask(&first), "until", json!(START + 61)).answer(&own).expect("an answer"),
            Flaw::Replayed,
        ),
        (
            "an earlier start",
            bent(&ask(&first), "issued", json!(START - 1)).answer(&own).expect("an answer"),
            Flaw::Replayed,
        ),
        (
            "another proof",
            bent(&ask(&first), "proof", json!(second.digest())).answer(&own).expect("an answer"),
            Flaw::Replayed,
        ),
        ("no proof", without_proof, Flaw::Replayed),
        ("the other proof's question", ask(&second).answer(&own).expect("an answer"), Flaw::Binding),
        (
            "another enrolment's question",
            elsewhere.challenge(&first, own.public(), at(START)).expect("a challenge").answer(&own).expect("an answer"),
            Flaw::Replayed,
        ),
        ("no token", String::new(), Flaw::Encoding),
        ("the proof itself", svid(TRIAGE, 1, 300), Flaw::Header),
    ];
    for (what, answer, expected) in rows {
        assert_eq!(flaw(host.verify(first.clone(), &answer, at(START))), Some(expected), "{what}");
        // A question that was answered, rightly or not, is gone.
        assert!(host.verify(first.clone(), &answer, at(START)).is_err(), "{what}, again");
    }
    let answer = ask(&first).answer(&own).expect("an answer");
    assert!(host.verify(first.clone(), &answer, at(START)).is_ok());
    assert_eq!(flaw(host.verify(first.clone(), &answer, at(START))), Some(Flaw::Replayed), "twice");

    let mut registered = KeyPossession::new(audience(HOST), Arc::new(SystemEntropy));
    registered.register(TRIAGE.parse().expect("an agent"), own.public()).expect("a new key");
    let asked = registered.challenge(&TRIAGE.parse().expect("an agent"), at(START)).expect("a challenge");
    assert_eq!(
        flaw(host.verify(first.clone(), &asked.answer(&own).expect("an answer"), at(START))),
        Some(Flaw::Replayed)
    );
    assert_eq!(flaw(registered.verify(&ask(&first).answer(&own).expect("an answer"), at(START))), Some(Flaw::Replayed));
}

#[test]
fn every_changed_character_of_an_answer_is_noticed_and_uses_nothing_up() {
    let (host, own, proof) = (enrolment(), key(), proof(1));
    let answer = host.challenge(&proof, own.public(), at(START)).expect("a challenge").answer(&own).expect("an answer");
    for place in 0..answer.len() {
        let mut bytes = answer.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("ASCII");
        assert!(host.verify(proof.clone(), &changed, at(START)).is_err(), "byte {place}");
    }
    assert!(host.verify(proof, &answer, at(START)).is_ok());
}

#[test]
fn a_challenge_says_whom_it_is_for_so_that_nobody_answers_for_another_host() {
    // A host that is asked by somebody else could pass the question on; the workload sees whose it is.
    let challenge = enrolment().challenge(&proof(1), key().public(), at(START)).expect("a challenge");
    assert_eq!(challenge.audience(), &audience(HOST));
    let passed_on: Challenge = serde_json::from_str(&serde_json::to_string(&challenge).expect("JSON")).expect("JSON");
    assert_eq!(passed_on.audience(), &audience(HOST));
}

#[test]
fn an_answer_is_given_within_a_minute_and_while_the_proof_holds() {
    let rows = [
        (300, -1, Some(Flaw::NotYetValid)),
        (300, 0, None),
        (300, 59, None),
        (300, 60, Some(Flaw::Expired)),
        (30, 29, None),
        (30, 30, Some(Flaw::Expired)),
    ];
    for (lives, seconds, expected) in rows {
        let (host, own) = (enrolment(), key());
        let proof = verifier().verify(&svid(TRIAGE, 1, lives), at(START)).expect("a proof");
        let answer =
            host.challenge(&proof, own.public(), at(START)).expect("a challenge").answer(&own).expect("an answer");
        let found = flaw(host.verify(proof, &answer, at(START + seconds)));
        assert_eq!(found, expected, "a proof of {lives} seconds after {seconds}");
    }
    let old = verifier().verify(&svid(TRIAGE, 1, 30), at(START)).expect("a proof");
    assert_eq!(flaw(enrolment().challenge(&old, key().public(), at(START + 30))), Some(Flaw::Expired));
}

#[test]
fn of_two_who_race_with_one_proof_one_is_first() {
    for number in 0..40 {
        let (host, proof, keys) = (enrolment(), proof(number), [key(), key()]);
        // Both were asked before either answered.
        let answers = keys.each_ref().map(|key| {
            host.challenge(&proof, key.public(), at(START)).expect("a challenge").answer(key).expect("an answer")
        });
        let start = Barrier::new(2);
        let outcomes = std::thread::scope(|scope| {
            let threads = answers.each_ref().map(|answer| {
                let (host, proof, start) = (&host, proof.clone(), &start);
                scope.spawn(move || {
                    start.wait();
                    host.verify(proof, answer, at(START))
                })
            });
            threads.map(|thread| thread.join().expect("no panic"))
        });
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(won, 1, "{outcomes:?}");
        let flaws = outcomes.map(flaw);
        assert!(flaws.contains(&Some(Flaw::Binding)), "{flaws:?}");
    }
}

#[test]
fn of_two_who_race_with_one_answer_one_is_first() {
    for number in 0..40 {
        let (host, proof, own) = (enrolment(), proof(number), key());
        let answer =
            host.challenge(&proof, own.public(), at(START)).expect("a challenge").answer(&own).expect("an answer");
        let start = Barrier::new(2);
        let won = std::thread::scope(|scope| {
            let run = || {
                let (host, proof, start, answer) = (&host, proof.clone(), &start, &answer);
                scope.spawn(move || {
                    start.wait();
                    host.verify(proof, answer, at(START)).is_ok()
                })
            };
            [run(), run()].map(|thread| thread.join().expect("no panic"))
        });
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
    }
}

#[test]
fn so_many_challenges_are_open_at_once_and_those_that_ended_make_room() {
    let (host, own, proof) = (enrolment(), key(), proof(1));
    let ask = |seconds: i64| host.challenge(&proof, own.public(), at(START + seconds));
    let first = ask(0).expect("a challenge");
    (1..64).for_each(|_| drop(ask(0).expect("a challenge")));
    assert_eq!(ask(0), Err(ProofError::TooManyOfAgent { agent: proof.agent().clone(), max: 64 }));
    for other in (1..16).map(|number| svid(&format!("{TRIAGE}-{number}"), 1, 300)) {
        let other = verifier().verify(&other, at(START)).expect("a proof");
        (0..64).for_each(|_| drop(host.challenge(&other, own.public(), at(START)).expect("a challenge")));
    }
    assert_eq!(ask(59), Err(ProofError::TooManyChallenges { open: 1024, max: 1024 }));
    assert!(host.verify(proof.clone(), &first.answer(&own).expect("an answer"), at(START + 59)).is_ok());
    assert!(ask(59).is_ok(), "one was answered");
    assert!(ask(59).is_err());
    assert!(ask(60).is_ok(), "the others ended");
}

#[test]
fn without_randomness_there_is_no_challenge() {
    for mood in BROKEN {
        let entropy = Flaky::new(SystemEntropy);
        let host = Enrolment::new(audience(HOST), entropy.clone());
        entropy.set(mood);
        let asked = host.challenge(&proof(1), key().public(), at(START));
        assert!(matches!(asked, Err(ProofError::Entropy(_))), "{mood:?}");
    }
}

#[test]
fn a_key_of_any_kind_answers_with_its_own_algorithm() {
    for algorithm in ["ES256", "ES384", "PS256", "EdDSA"] {
        let (host, proof, pen) = (enrolment(), proof(1), Pen::new(algorithm, "b"));
        let public = VerifyingKey::from_jwk(&pen.jwk("sig").to_string()).expect("a key");
        let thumbprint = public.thumbprint();
        let challenge = host.challenge(&proof, public, at(START)).expect("a challenge");
        // An answer is the question, signed; `AgentKey` is one way to write it.
        let (_, claims) = crate::published::contents(&challenge.answer(&key()).expect("an answer"));
        let header = |named: &str| json!({ "alg": named, "kid": thumbprint.as_str(), "typ": "agent-possession+jwt" });
        let by = |named: &str| pen.sign_text(&header(named).to_string(), &claims.to_string());
        for other in ["RS256", "ES256", "ES384", "PS256", "EdDSA"].iter().filter(|other| **other != algorithm) {
            assert_eq!(flaw(host.verify(proof.clone(), &by(other), at(START))), Some(Flaw::Header), "{other}");
        }
        let workload = host.verify(proof, &by(algorithm), at(START)).expect("a workload");
        assert_eq!(workload.key(), Some(&thumbprint));
    }
}

#[test]
fn what_was_enrolled_is_admitted_while_the_proof_holds() {
    let mut oidc = OidcVerifier::new(audience(HOST));
    oidc.trust(issuer("https://ci.acme.example"), pen().set()).expect("a new issuer");
    let selector = Selector::new(TRIAGE.parse().expect("an agent"), issuer("https://ci.acme.example"));
    oidc.select(selector.with("/sub", "runner-7").expect("a claim")).expect("a selector");
    let token =
        pen().sign(&json!({ "iss": "https://ci.acme.example", "sub": "runner-7", "aud": HOST, "exp": START + 300 }));
    let by_oidc = oidc.verify(&token, at(START)).expect("a proof");
    for (proof, method) in [(proof(1), ProofMethod::SpiffeJwtSvid), (by_oidc, ProofMethod::OidcJwt)] {
        for (seconds, admitted) in [(0, true), (299, true), (300, false)] {
            let world = World::new(OPEN);
            let workload = enrol(&enrolment(), &proof, &key(), at(START)).expect("a workload");
            assert_eq!(workload.method(), method);
            world.clock.set(at(START + seconds));
            let expired = RegistryError::ProofExpired { until: at(START + 300), now: at(START + seconds) };
            let found = world.door.admit(workload).err();
            assert_eq!(found, (!admitted).then(|| expired.into()), "{method:?}, {seconds} seconds");
        }
    }
    let stranger =
        verifier().verify(&svid("spiffe://acme.example/agent/stranger", 1, 300), at(START)).expect("a proof");
    let workload = enrol(&enrolment(), &stranger, &key(), at(START)).expect("a workload");
    assert!(World::new(OPEN).door.admit(workload).is_err(), "proven, and not registered");
}

#[test]
fn an_agent_that_proves_itself_by_svids_comes_back_by_a_new_one() {
    let world = World::new(OPEN);
    let (host, own) = (enrolment(), key());
    drop(world.door.admit(enrol(&host, &proof(1), &own, at(START)).expect("a workload")).expect("an agent"));
    world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).expect("a halt");
    let of = world.registry.reinstatement(&world.triage).expect("a suspended agent");

    let with = |number: usize| {
        let proof = proof(number);
        let answer =
            host.challenge(&proof, own.public(), at(START)).expect("a challenge").answer(&own).expect("an answer");
        let fresh = world.door.prove(&of, &host.awaiting(proof), &answer).expect("a proof");
        world.door.reinstate(&world.bob, fresh, Approval::by(&world.ada, of.clone()))
    };
    assert!(matches!(with(1), Err(Error::Registry(RegistryError::ProofNotFresh(_)))), "the SVID of before");
    with(2).expect("a new life");
    assert_eq!(world.registry.agent_state(&world.triage), Some(AgentState::Active));
}
