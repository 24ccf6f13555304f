//! What was presented once is refused as long as it would be good otherwise, and nothing that is good is forgotten.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bailiwick::credential::{DpopRequest, DpopVerifier};
use bailiwick::jose::{Flaw, Leeway, Refused, Thumbprint};
use proptest::prelude::*;
use serde_json::json;

use crate::any::hold_often;
use crate::published::{AGENT, CHILD, Key};
use crate::world::{START, at};

const URI: &str = "https://jira.acme.example/x";

fn request() -> DpopRequest {
    DpopRequest::new("GET", URI).expect("a request")
}

/// A proof under this id, made at this time.
fn proof(key: &Key, jti: &str, iat: i64) -> String {
    let header = json!({ "alg": "EdDSA", "jwk": { "kty": "OKP", "crv": "Ed25519", "x": key.x }, "typ": "dpop+jwt" });
    let claims = json!({ "jti": jti, "htm": "GET", "htu": URI, "iat": iat });
    key.sign_text(&header.to_string(), &claims.to_string())
}

fn check(verifier: &DpopVerifier, key: &Key, proof: &str, now: i64) -> Result<(), Flaw> {
    let thumbprint = Thumbprint::new(key.thumbprint).expect("a thumbprint");
    verifier.check(proof, &request(), &thumbprint, at(now)).map_err(Refused::flaw)
}

fn verifier(capacity: usize) -> DpopVerifier {
    DpopVerifier::new().with_capacity(capacity).expect("a capacity")
}

#[test]
fn an_id_is_good_once_for_each_key() {
    let verifier = verifier(100);
    let take = |key: &Key, jti: &str, iat: i64| check(&verifier, key, &proof(key, jti, iat), START);
    assert_eq!(take(&AGENT, "a", START), Ok(()));
    assert_eq!(take(&AGENT, "a", START), Err(Flaw::Replayed));
    assert_eq!(take(&AGENT, "a", START - 10), Err(Flaw::Replayed), "in another proof");
    assert_eq!(take(&AGENT, "b", START), Ok(()));
    assert_eq!(take(&CHILD, "a", START), Ok(()), "another key's id");
}

#[test]
fn what_is_good_is_never_forgotten_and_what_finds_no_room_is_refused() {
    let verifier = verifier(3);
    let take = |jti: &str, now: i64| check(&verifier, &AGENT, &proof(&AGENT, jti, now), now);
    let first = proof(&AGENT, "0", START);
    assert_eq!(check(&verifier, &AGENT, &first, START), Ok(()));
    assert_eq!([take("1", START + 1), take("2", START + 2)], [Ok(()), Ok(())]);
    for more in 0..50 {
        assert_eq!(take(&format!("more-{more}"), START + 2), Err(Flaw::Unavailable));
    }
    assert_eq!(check(&verifier, &AGENT, &first, START + 59), Err(Flaw::Replayed));
    // The first is over: there is room for one.
    assert_eq!(take("3", START + 60), Ok(()));
    assert_eq!(take("4", START + 60), Err(Flaw::Unavailable));
    assert_eq!(check(&verifier, &AGENT, &first, START + 60), Err(Flaw::Expired));
}

#[test]
fn what_is_refused_for_another_reason_takes_no_room() {
    let verifier = verifier(1);
    for jti in 0..10 {
        let wrong = proof(&AGENT, &jti.to_string(), START);
        assert_eq!(check(&verifier, &CHILD, &wrong, START), Err(Flaw::UnknownKey));
        assert_eq!(check(&verifier, &AGENT, &wrong, START + 60), Err(Flaw::Expired));
    }
    assert_eq!(check(&verifier, &AGENT, &proof(&AGENT, "a", START + 60), START + 60), Ok(()));
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_good_again() {
    let verifier = verifier(100);
    let first = proof(&AGENT, "a", START);
    assert_eq!(check(&verifier, &AGENT, &first, START), Ok(()));
    assert_eq!(check(&verifier, &AGENT, &proof(&AGENT, "b", START + 60), START + 60), Ok(()));
    assert_eq!(check(&verifier, &AGENT, &first, START), Err(Flaw::Expired), "it was over, and stays over");
}

#[test]
fn of_any_number_of_threads_with_one_proof_one_wins() {
    let verifier = verifier(1000);
    for round in 0..20 {
        let (proof, won) = (proof(&AGENT, &round.to_string(), START), AtomicUsize::new(0));
        let start = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    match check(&verifier, &AGENT, &proof, START) {
                        Ok(()) => won.fetch_add(1, Ordering::SeqCst),
                        Err(flaw) => {
                            assert_eq!(flaw, Flaw::Replayed);
                            0
                        }
                    }
                });
            }
        });
        assert_eq!(won.into_inner(), 1, "round {round}");
    }
}

/// The cache as one would write it without a thought for speed: everything that was taken, with its end.
struct Naive {
    capacity: usize,
    taken: BTreeMap<(&'static str, u8), i64>,
    latest: i64,
}

impl Naive {
    fn check(&mut self, key: &Key, jti: u8, iat: i64, now: i64) -> Result<(), Flaw> {
        let end = iat + 20 + 5;
        if iat > now + 5 {
            return Err(Flaw::NotYetValid);
        }
        if now >= end {
            return Err(Flaw::Expired);
        }
        self.latest = self.latest.max(now);
        if self.latest >= end {
            return Err(Flaw::Expired);
        }
        let alive = self.taken.values().filter(|end| **end > self.latest).count();
        match self.taken.get(&(key.x, jti)) {
            Some(end) if *end > self.latest => Err(Flaw::Replayed),
            _ if alive >= self.capacity => Err(Flaw::Unavailable),
            _ => {
                self.taken.insert((key.x, jti), end);
                Ok(())
            }
        }
    }
}

#[test]
fn the_cache_answers_as_a_naive_one_does() {
    let step = (any::<bool>(), 0..6_u8, -30..10_i64, -3..8_i64);
    let steps = proptest::collection::vec(step, 1..60);
    hold_often((100, 60), (1..8_usize, steps), |(capacity, steps)| {
        let leeway = Leeway::new(Duration::from_secs(5)).expect("a leeway");
        let verifier = verifier(capacity).with_window(Duration::from_secs(20)).expect("a window").with_leeway(leeway);
        let mut naive = Naive { capacity, taken: BTreeMap::new(), latest: 0 };
        let (mut now, mut refused) = (START, [false; 3]);
        for (agent, jti, before, passed) in steps {
            now += passed;
            let key = if agent { &AGENT } else { &CHILD };
            let expected = naive.check(key, jti, now + before, now);
            let proof = proof(key, &jti.to_string(), now + before);
            prop_assert_eq!(check(&verifier, key, &proof, now), expected);
            refused[0] |= expected == Err(Flaw::Replayed);
            refused[1] |= expected.is_ok();
            refused[2] |= expected == Err(Flaw::Expired);
        }
        Ok(refused == [true; 3])
    });
}
