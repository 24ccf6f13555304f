//! Test keys of other parties, a pen for each algorithm of theirs, and what became of a token.

use std::fmt::Debug;

use bailiwick::identity::ProofError;
use bailiwick::jose::{Flaw, JwkSet};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair as RsaKeyPair;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, RsaEncoding};
use serde_json::{Value, json};

use crate::published::{decode, encode};

/// The algorithms of other parties' tokens, as headers name them.
pub(crate) const ALGORITHMS: &[&str] =
    &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// One of the test keys, as `openssl` wrote it.
pub(crate) struct TestKey {
    pub(crate) pem: String,
    pub(crate) jwk: Value,
    pub(crate) thumbprint: String,
}

/// `rsa-2048-a`, `p256-b` and so on.
pub(crate) fn test_key(name: &str) -> TestKey {
    let all: Value = serde_json::from_str(include_str!("vectors/test-keys.json")).expect("JSON");
    let text = |member: &str| all[name][member].as_str().expect(name).to_owned();
    TestKey { pem: text("pem"), jwk: all[name]["jwk"].clone(), thumbprint: text("thumbprint") }
}

/// What the key for an algorithm is called; there are two of each, `a` and `b`.
pub(crate) fn key_name(algorithm: &str, which: &str) -> String {
    let kind = match algorithm {
        "ES256" => "p256",
        "ES384" => "p384",
        "EdDSA" => "ed25519",
        _ => "rsa-2048",
    };
    format!("{kind}-{which}")
}

/// Signs with one key and one algorithm, whatever the text says.
pub(crate) struct Pen {
    pub(crate) algorithm: &'static str,
    pub(crate) kid: String,
    pub(crate) jwk: Value,
    pair: Pair,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ed(Ed25519KeyPair),
}

impl Pen {
    pub(crate) fn new(algorithm: &'static str, which: &str) -> Self {
        let TestKey { pem, jwk, .. } = test_key(&key_name(algorithm, which));
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let pkcs8 = decode(base64.replace('+', "-").replace('/', "_").trim_end_matches('='));
        let ec = |how| Pair::Ec(EcdsaKeyPair::from_pkcs8(how, &pkcs8, &SystemRandom::new()).expect("a key"));
        let rsa = |how| Pair::Rsa(RsaKeyPair::from_pkcs8(&pkcs8).expect("a key"), how);
        let pair = match algorithm {
            "ES256" => ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            "ES384" => ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            "EdDSA" => Pair::Ed(Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).expect("a key")),
            "RS256" => rsa(&signature::RSA_PKCS1_SHA256),
            "RS384" => rsa(&signature::RSA_PKCS1_SHA384),
            "RS512" => rsa(&signature::RSA_PKCS1_SHA512),
            "PS256" => rsa(&signature::RSA_PSS_SHA256),
            "PS384" => rsa(&signature::RSA_PSS_SHA384),
            "PS512" => rsa(&signature::RSA_PSS_SHA512),
            other => panic!("no pen for {other}"),
        };
        Self { algorithm, kid: format!("key-{which}"), jwk, pair }
    }

    /// The same under another name.
    pub(crate) fn called(self, kid: &str) -> Self {
        Self { kid: kid.to_owned(), ..self }
    }

    /// The public half as a member of a set.
    pub(crate) fn jwk(&self, purpose: &str) -> Value {
        let mut jwk = self.jwk.clone();
        (jwk["kid"], jwk["use"], jwk["alg"]) = (self.kid.as_str().into(), purpose.into(), self.algorithm.into());
        jwk
    }

    /// A set of this key alone, as an issuer publishes it.
    pub(crate) fn set(&self) -> JwkSet {
        JwkSet::from_json(&json!({ "keys": [self.jwk("sig")] }).to_string()).expect("a set")
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "alg": self.algorithm, "kid": self.kid, "typ": "JWT" })
    }

    /// Signs claims as a JWT.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_text(&self.header().to_string(), &claims.to_string())
    }

    /// Signs header and claims, exactly as they are written here.
    pub(crate) fn sign_text(&self, header: &str, claims: &str) -> String {
        self.sign_bytes(header.as_bytes(), claims.as_bytes())
    }

    pub(crate) fn sign_bytes(&self, header: &[u8], claims: &[u8]) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = self.signature(message.as_bytes());
        format!("{message}.{}", encode(&signature))
    }

    pub(crate) fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, message).expect("a signature").as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair, how) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(*how, &random, message, &mut signature).expect("a signature");
                signature
            }
        }
    }
}

/// What was wrong, if anything. Whatever it was, an outsider is told the same.
pub(crate) fn flaw<T: Debug>(result: Result<T, ProofError>) -> Option<Flaw> {
    match result {
        Ok(_) => None,
        Err(error @ ProofError::Refused(refused)) => {
            assert_eq!(error.to_string(), "the token was refused");
            Some(refused.flaw())
        }
        Err(other) => panic!("a flaw is expected, found {other:?}"),
    }
}

/// Claims after one change.
pub(crate) fn changed(claims: &Value, change: impl FnOnce(&mut Value)) -> Value {
    let mut claims = claims.clone();
    change(&mut claims);
    claims
}

/// Claims without one of them.
pub(crate) fn without(claims: &Value, claim: &str) -> Value {
    changed(claims, |claims| drop(claims.as_object_mut().expect("an object").remove(claim).expect("a claim")))
}
