//! Key possession: a challenge is answered once, in time, by the key that is registered for the agent.

use std::sync::Arc;
use std::time::Duration;

use bailiwick::entropy::SystemEntropy;
use bailiwick::id::Audience;
use bailiwick::identity::{
    AgentId, AgentKey, Challenge, IdentityVerifier, KeyPossession, ProofError, ProofMethod, RegistryError,
};
use bailiwick::jose::{Flaw, KeyError};
use bailiwick::time::Timestamp;
use serde_json::json;

use crate::flaky::{BROKEN, Flaky};
use crate::world::{OPEN, START, World, at};

fn agent(name: &str) -> AgentId {
    AgentId::spiffe(&format!("spiffe://acme.example/agent/{name}")).expect("a SPIFFE ID")
}

fn audience(name: &str) -> Audience {
    Audience::new(&format!("https://{name}.acme.example")).expect("an audience")
}

fn key() -> AgentKey {
    AgentKey::generate(&SystemEntropy).expect("a key")
}

/// A verifier that knows two agents, and their keys.
struct Lobby {
    verifier: KeyPossession,
    triage: AgentKey,
    payer: AgentKey,
}

impl Lobby {
    fn new() -> Self {
        let (triage, payer) = (key(), key());
        let mut verifier = KeyPossession::new(audience("host"), Arc::new(SystemEntropy));
        verifier.register(agent("triage"), triage.public()).expect("a new key");
        verifier.register(agent("payer"), payer.public()).expect("a new key");
        Self { verifier, triage, payer }
    }

    fn challenge(&self) -> Challenge {
        self.verifier.challenge(&agent("triage"), at(START)).expect("a challenge")
    }

    fn flaw(&self, answer: &str, now: Timestamp) -> Flaw {
        match self.verifier.verify(answer, now) {
            Err(ProofError::Refused(refused)) => refused.flaw(),
            other => panic!("a flaw is expected, found {other:?}"),
        }
    }
}

/// The same question with another member, as somebody may write it who holds a key.
fn bent(challenge: &Challenge, member: &str, value: serde_json::Value) -> Challenge {
    let mut json = serde_json::to_value(challenge).expect("JSON");
    json[member] = value;
    serde_json::from_value(json).expect("a challenge")
}

#[test]
fn the_right_key_proves_the_agent_for_as_long_as_the_verifier_says() {
    let lobby = Lobby::new();
    let proven = lobby
        .verifier
        .verify(&lobby.challenge().answer(&lobby.triage).expect("an answer"), at(START))
        .expect("a proof");
    assert_eq!(proven.agent(), &agent("triage"));
    assert_eq!(proven.method(), ProofMethod::HostKey);
    assert_eq!(proven.key(), Some(&lobby.triage.public().thumbprint()));
    assert_eq!(proven.until(), at(START + 3600));

    let brief = Lobby::new();
    let verifier = brief.verifier.with_lifetime(Duration::from_secs(5)).expect("a lifetime");
    let answer =
        verifier.challenge(&agent("payer"), at(START)).expect("a challenge").answer(&brief.payer).expect("an answer");
    assert_eq!(verifier.verify(&answer, at(START + 10)).expect("a proof").until(), at(START + 15));
}

#[test]
fn an_answer_is_good_once() {
    let lobby = Lobby::new();
    let answer = lobby.challenge().answer(&lobby.triage).expect("an answer");
    assert!(lobby.verifier.verify(&answer, at(START)).is_ok());
    assert_eq!(lobby.flaw(&answer, at(START)), Flaw::Replayed);
    assert_eq!(lobby.flaw(&lobby.challenge().answer(&key()).expect("an answer"), at(START)), Flaw::UnknownKey);
    assert!(
        lobby.verifier.verify(&lobby.challenge().answer(&lobby.triage).expect("an answer"), at(START)).is_ok(),
        "another challenge"
    );
}

#[test]
fn an_answer_to_another_question_proves_nothing() {
    let lobby = Lobby::new();
    let elsewhere = Lobby::new();
    let for_payer = lobby.verifier.challenge(&agent("payer"), at(START)).expect("a challenge");
    let rows = [
        ("another key", lobby.challenge().answer(&key()).expect("an answer"), Flaw::UnknownKey),
        ("another agent's key", lobby.challenge().answer(&lobby.payer).expect("an answer"), Flaw::Subject),
        ("another agent's challenge", for_payer.answer(&lobby.triage).expect("an answer"), Flaw::Subject),
        (
            "another agent's nonce",
            bent(&for_payer, "agent", json!(agent("triage"))).answer(&lobby.triage).expect("an answer"),
            Flaw::Replayed,
        ),
        (
            "a nonce of the agent's own",
            bent(&lobby.challenge(), "nonce", json!("AAAAAAAAAAAAAAAAAAAAAA"))
                .answer(&lobby.triage)
                .expect("an answer"),
            Flaw::Replayed,
        ),
        (
            "another audience",
            bent(&lobby.challenge(), "audience", json!(audience("other"))).answer(&lobby.triage).expect("an answer"),
            Flaw::Replayed,
        ),
        (
            "another verifier's challenge",
            elsewhere.challenge().answer(&lobby.triage).expect("an answer"),
            Flaw::Replayed,
        ),
        ("no token", String::new(), Flaw::Encoding),
        ("no token", "a.b.c".to_owned(), Flaw::Encoding),
    ];
    for (what, answer, flaw) in rows {
        assert_eq!(lobby.flaw(&answer, at(START)), flaw, "{what}");
    }
}

#[test]
fn every_changed_byte_of_an_answer_is_noticed() {
    let lobby = Lobby::new();
    let answer = lobby.challenge().answer(&lobby.triage).expect("an answer");
    for place in 0..answer.len() {
        let mut bytes = answer.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("ASCII");
        assert!(lobby.verifier.verify(&changed, at(START)).is_err(), "byte {place}");
    }
    assert!(lobby.verifier.verify(&answer, at(START)).is_ok(), "what was refused used nothing up");
}

#[test]
fn a_challenge_is_answered_within_a_minute() {
    for (seconds, flaw) in [(0, None), (59, None), (60, Some(Flaw::Expired)), (61, Some(Flaw::Expired))] {
        let lobby = Lobby::new();
        let answer = lobby.challenge().answer(&lobby.triage).expect("an answer");
        let verified = lobby.verifier.verify(&answer, at(START + seconds));
        assert_eq!(verified.is_ok(), flaw.is_none(), "{seconds} seconds");
        flaw.inspect(|flaw| assert_eq!(lobby.flaw(&answer, at(START + seconds)), *flaw, "{seconds} seconds"));
    }
    let lobby = Lobby::new();
    let answer = lobby.challenge().answer(&lobby.triage).expect("an answer");
    assert_eq!(lobby.flaw(&answer, at(START - 1)), Flaw::NotYetValid, "not before it was asked");
}

#[test]
fn so_many_challenges_are_open_at_once_and_those_that_ended_make_room() {
    let mut lobby = Lobby::new();
    let first = lobby.challenge();
    (1..64).for_each(|_| drop(lobby.challenge()));
    let of_one = lobby.verifier.challenge(&agent("triage"), at(START));
    assert_eq!(of_one, Err(ProofError::TooManyOfAgent { agent: agent("triage"), max: 64 }));
    for other in (1..16).map(|number| agent(&format!("other-{number}"))) {
        lobby.verifier.register(other.clone(), key().public()).expect("a new key");
        (0..64).for_each(|_| drop(lobby.verifier.challenge(&other, at(START)).expect("a challenge")));
    }
    let full = lobby.verifier.challenge(&agent("payer"), at(START + 59));
    assert_eq!(full, Err(ProofError::TooManyChallenges { open: 1024, max: 1024 }));
    assert!(lobby.verifier.verify(&first.answer(&lobby.triage).expect("an answer"), at(START + 59)).is_ok());
    assert!(lobby.verifier.challenge(&agent("payer"), at(START + 59)).is_ok(), "one was answered");
    assert!(lobby.verifier.challenge(&agent("payer"), at(START + 59)).is_err());
    assert!(lobby.verifier.challenge(&agent("payer"), at(START + 60)).is_ok(), "the others ended");
}

#[test]
fn an_agent_has_one_key_and_a_key_one_agent() {
    let Lobby { mut verifier, triage, .. } = Lobby::new();
    let second = key().public();
    let rows = [
        ("a second key", agent("triage"), second, agent("triage")),
        ("the same key again", agent("triage"), triage.public(), agent("triage")),
        ("another agent's key", agent("new"), triage.public(), agent("triage")),
    ];
    for (what, asked, key, owner) in rows {
        let has_one = asked == agent("triage");
        let (thumbprint, found) = match verifier.register(asked, key.clone()) {
            Err(KeyError::HasKey { thumbprint, owner }) if has_one => (thumbprint, owner),
            Err(KeyError::Duplicate { thumbprint, owner }) if !has_one => (thumbprint, owner),
            other => panic!("{what} is refused: {other:?}"),
        };
        assert_eq!(thumbprint, key.thumbprint(), "{what}");
        assert_eq!(found.to_string(), format!("`{owner}`"), "{what}");
    }
    let unknown = verifier.challenge(&agent("new"), at(START));
    assert_eq!(unknown, Err(ProofError::UnknownAgent(agent("new"))), "what was refused registered nothing");
}

#[test]
fn a_proof_holds_for_a_second_to_an_hour() {
    for (millis, fits) in [(0, false), (999, false), (1000, true), (3_600_000, true), (3_600_001, false)] {
        let lifetime = Lobby::new().verifier.with_lifetime(Duration::from_millis(millis));
        assert_eq!(lifetime.is_ok(), fits, "{millis} milliseconds");
    }
    let error = Lobby::new().verifier.with_lifetime(Duration::from_secs(7200)).expect_err("two hours");
    assert_eq!(error, ProofError::Lifetime { seconds: 7200, max_seconds: 3600 });
}

#[test]
fn without_randomness_there_is_no_challenge() {
    for mood in BROKEN {
        let entropy = Flaky::new(SystemEntropy);
        let mut verifier = KeyPossession::new(audience("host"), entropy.clone());
        verifier.register(agent("triage"), key().public()).expect("a new key");
        entropy.set(mood);
        assert!(matches!(verifier.challenge(&agent("triage"), at(START)), Err(ProofError::Entropy(_))), "{mood:?}");
    }
}

#[test]
fn a_proof_is_admitted_until_the_second_at_which_it_ends() {
    for (seconds, admitted) in [(0, true), (3599, true), (3600, false)] {
        let (world, lobby) = (World::new(OPEN), Lobby::new());
        let proven = lobby
            .verifier
            .verify(&lobby.challenge().answer(&lobby.triage).expect("an answer"), at(START))
            .expect("a proof");
        world.clock.set(at(START + seconds));
        let expired = RegistryError::ProofExpired { until: at(START + 3600), now: at(START + seconds) };
        assert_eq!(world.door.admit(proven).err(), (!admitted).then(|| expired.into()), "{seconds} seconds");
    }
}
