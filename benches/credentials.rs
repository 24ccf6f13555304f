//! What credentials cost: minting beside ring's bare signature over the same bytes, verifying beside its bare check, a token that
//! is known, and a chain of agents.
//!
//! `cargo bench --bench credentials` prints a line for each, in a few seconds.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "time is what is measured; a benchmark that cannot start fails; keys are those of the tests"
)]

#[path = "scene/minting.rs"]
mod minting;
#[path = "../tests/it/published.rs"]
mod published;

use std::hint::black_box;
use std::time::Duration;

use bailiwick::audit::Effect;
use bailiwick::credential::{Credential, CredentialVerifier};
use bailiwick::time::Clock;
use cpu_time::ThreadTime;
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};

use crate::minting::{BATCH, Scene};
use serde_json::json;

use crate::published::{AUTHZ, ERP, ISSUER, audience, credentials, decode, encode, known, shown};

/// Measurements of each, of which the median is shown: enough that what a verifier knows is forgotten in between.
const ROUNDS: usize = 151;

/// Microseconds for each of a batch.
fn each<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let start = ThreadTime::now();
    let result = run();
    (start.elapsed().as_secs_f64() * 1e6 / BATCH as f64, result)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    // Cargo asks every benchmark whether it has tests.
    if std::env::args().any(|argument| argument == "--list" || argument == "--help") {
        println!("cargo bench --bench credentials");
        return;
    }
    signatures();
    chains();
}

/// Minting and verifying, each in turn with ring's part of it.
fn signatures() {
    let scene = Scene::new();
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&ISSUER.pkcs8()).expect("a key pair");
    let x = decode(ISSUER.x);
    let (mut sign, mut mint, mut check, mut verify) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut again, mut inside, mut first_inside) = (Vec::new(), Vec::new(), Vec::new());
    let mut bytes = 0;
    let verifier = CredentialVerifier::new(scene.minted.keys(scene.start), audience(ERP));
    for _ in 0..ROUNDS {
        let task = scene.task();
        let permits = scene.permits(&task);
        let (time, credentials) = each(|| scene.mint(&task, permits));
        mint.push(time);
        let tokens: Vec<&str> = credentials.iter().map(Credential::expose).collect();
        let parts: Vec<(&str, Vec<u8>)> = tokens
            .iter()
            .map(|token| token.rsplit_once('.').map(|(message, end)| (message, decode(end))).expect("three parts"))
            .collect();
        bytes = tokens[0].len();
        sign.push(
            each(|| {
                parts.iter().for_each(|(message, _)| {
                    black_box(pair.sign(message.as_bytes()));
                })
            })
            .0,
        );
        let key = UnparsedPublicKey::new(&ED25519, &x);
        let bare = || parts.iter().all(|(message, signature)| key.verify(message.as_bytes(), signature).is_ok());
        let (time, all) = each(bare);
        assert!(all, "ring takes them");
        check.push(time);
        let now = scene.clock.now().expect("it stands");
        let read = || tokens.iter().all(|token| verifier.verify(&shown(black_box(token)), now).is_ok());
        for (times, what) in [(&mut verify, "new"), (&mut again, "known")] {
            let (time, all) = each(read);
            assert!(all, "{what}");
            times.push(time);
        }
        let service = audience(ERP);
        let read = || tokens.iter().all(|token| scene.door.verify(black_box(token), &service).is_ok());
        for (times, what) in [(&mut first_inside, "new"), (&mut inside, "known")] {
            let (time, all) = each(read);
            assert!(all, "{what}, in process");
            times.push(time);
        }
        credentials.into_iter().for_each(|credential| credential.finish(Effect::Succeeded).expect("a record"));
        task.complete().expect("a record");
        scene.clock.advance(Duration::from_secs(1));
    }
    let ratio =
        |whole: &[f64], bare: &[f64]| median(whole.iter().zip(bare).map(|(whole, bare)| whole / bare).collect());
    let (minted, verified) = (ratio(&mint, &sign), ratio(&verify, &check));
    // Of all rounds together, with those in which what is known is forgotten.
    let whole = verify.iter().sum::<f64>() / check.iter().sum::<f64>();
    println!("mint     bytes={bytes} ring_us={:.1} mint_us={:.1} ratio={minted:.2}", median(sign), median(mint));
    println!(
        "verify   bytes={bytes} ring_us={:.1} verify_us={:.1} ratio={verified:.2} of_all={whole:.2}",
        median(check),
        median(verify)
    );
    println!("again    elsewhere_ns={:.0} in_process_ns={:.0}", median(again) * 1e3, median(inside) * 1e3);
    println!("inside   first_us={:.1}", median(first_inside));
}

/// Credentials of an agent below four others: the first one, and another under the same four links.
fn chains() {
    let now = bailiwick::time::Timestamp::from_unix(1_790_000_100).expect("a moment");
    let (mut first, mut next) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (links, tokens) = (chain(4), [0, 1].map(|number| chained(&chain(4), number)));
        let verifier = credentials();
        let verify = |token: &str| {
            let start = ThreadTime::now();
            let shown = shown(token).lineage(links.iter().map(String::as_str));
            verifier.verify(black_box(&shown), now).expect("a credential");
            start.elapsed().as_secs_f64() * 1e6
        };
        first.push(verify(&tokens[0]));
        next.push(verify(&tokens[1]));
    }
    println!("chain    depth=4 first_us={:.1} next_us={:.1}", median(first), median(next));
}

/// The links of agents below each other, the first one's first.
fn chain(length: usize) -> Vec<String> {
    (0..length).fold(Vec::new(), |mut above, place| {
        let claims = claims(&above, place, 0).to_string();
        above.push(ISSUER.sign_text(&ISSUER.header("task-delegation+jwt").to_string(), &claims));
        above
    })
}

/// One of several credentials below these links.
fn chained(above: &[String], number: usize) -> String {
    ISSUER.sign(&claims(above, above.len(), number))
}

fn claims(above: &[String], place: usize, number: usize) -> serde_json::Value {
    const CONTEXT: &str = "urn:bailiwick:claims:v1";
    let agent = |place: usize| format!("spiffe://acme.example/agent/{place}");
    let id = |place: usize, number: usize| format!("tc_{place:0>11}{number:0>11}");
    let mut claims = known("obo").claims;
    (claims["sub"], claims["client_id"]) = (agent(place).into(), agent(place).into());
    (claims["jti"], claims["cnf"]["jkt"]) = (id(place, number).into(), format!("{place:A>43}").into());
    claims[CONTEXT]["max_depth"] = 8.into();
    if place > 0 {
        let digest = |token: &str| encode(ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref());
        let links = above.iter().enumerate().map(|(place, token)| {
            json!({"iss": AUTHZ, "sub": agent(place), "jti": id(place, 0), "th": format!("sha-256:{}", digest(token))})
        });
        claims[CONTEXT]["lineage"] = links.collect();
        claims[CONTEXT]["depth"] = place.into();
    }
    claims
}
