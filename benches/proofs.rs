//! What verifying a JWT-SVID costs, beside ring's bare check of the same signature over the same bytes.
//!
//! `cargo bench --bench proofs` measures both with criterion, and then each in turn by the time that the thread computed.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    dead_code,
    unreachable_pub,
    reason = "criterion's macros have no docs; a benchmark that cannot start fails; keys and pens are those of the tests"
)]

#[path = "../tests/it/pens.rs"]
mod pens;
#[path = "../tests/it/published.rs"]
mod published;

use std::hint::black_box;
use std::time::Duration;

use bailiwick::identity::{Environment, SpiffeVerifier, TrustBundle, TrustDomain};
use bailiwick::time::Timestamp;
use cpu_time::ThreadTime;
use criterion::{Criterion, criterion_group};
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::json;

use crate::pens::Pen;
use crate::published::{audience, decode};

/// Measurements of each, of which the median is shown.
const ROUNDS: usize = 41;
/// One measurement takes at least so long.
const LEAST: Duration = Duration::from_millis(10);
const NOW: i64 = 1_790_000_000;

/// One token, its verifier, and what ring is given of it.
struct Scene {
    algorithm: &'static str,
    token: String,
    verifier: SpiffeVerifier,
    now: Timestamp,
    message: Vec<u8>,
    signature: Vec<u8>,
    /// A point, or a modulus and an exponent.
    key: [Vec<u8>; 2],
}

impl Scene {
    fn new(algorithm: &'static str) -> Self {
        let pen = Pen::new(algorithm, "a").called("Xn0pQ3mJ8cVw2r7tKfYb5sLdGhZ1uE4o");
        let production = Environment::new("production").expect("an environment");
        let domain = TrustDomain::new("acme.example").expect("a trust domain");
        let text = json!({ "keys": [pen.jwk("jwt-svid")] }).to_string();
        let mut verifier = SpiffeVerifier::new(audience("https://host.acme.example"), production.clone());
        verifier.trust(TrustBundle::from_json(domain, production, &text).expect("a bundle")).expect("a new domain");
        let token = pen.sign(&json!({
            "aud": ["https://host.acme.example"], "exp": NOW + 300, "iat": NOW,
            "sub": "spiffe://acme.example/ns/prod/agent/invoice-reconciler",
        }));
        let (message, signature) = token.rsplit_once('.').expect("three parts");
        let number = |member: &str| decode(pen.jwk[member].as_str().expect("a number"));
        let key = match algorithm {
            "ES256" => [[&[4], &number("x")[..], &number("y")].concat(), Vec::new()],
            _ => [number("n"), number("e")],
        };
        let now = Timestamp::from_unix(NOW).expect("a moment");
        let (message, signature) = (message.as_bytes().to_vec(), decode(signature));
        let scene = Self { algorithm, token, verifier, now, message, signature, key };
        assert!(scene.bare() && scene.verified(), "both take it");
        scene
    }

    fn bare(&self) -> bool {
        let [n, e] = &self.key;
        let (message, signature) = (black_box(&self.message[..]), &self.signature[..]);
        match self.algorithm {
            "ES256" => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, n).verify(message, signature).is_ok(),
            _ => RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok(),
        }
    }

    fn verified(&self) -> bool {
        self.verifier.verify(black_box(&self.token), self.now).is_ok()
    }
}

fn svids(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("svid");
    for scene in ["ES256", "RS256"].map(Scene::new) {
        group.bench_function(format!("ring/{}", scene.algorithm), |b| b.iter(|| scene.bare()));
        group.bench_function(format!("verify/{}", scene.algorithm), |b| b.iter(|| scene.verified()));
    }
    group.finish();
}

/// Microseconds of one run.
fn measure(run: impl Fn() -> bool) -> f64 {
    let (start, mut runs) = (ThreadTime::now(), 0_u32);
    while start.elapsed() < LEAST {
        black_box(run());
        runs += 1;
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(runs)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

criterion_group!(benches, svids);

fn main() {
    benches();
    for scene in ["ES256", "RS256"].map(Scene::new) {
        let (mut bare, mut whole) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            bare.push(measure(|| scene.bare()));
            whole.push(measure(|| scene.verified()));
        }
        let more = median(bare.iter().zip(&whole).map(|(bare, whole)| whole - bare).collect());
        let (bare, whole) = (median(bare), median(whole));
        println!("svid={} ring_us={bare:.1} verify_us={whole:.1} more_us={more:.1}", scene.algorithm);
    }
}
