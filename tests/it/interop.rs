//! Tokens that another implementation signed: those that are right verify here, and those with one thing changed do not. And
//! ours, which verify there.

use bailiwick::credential::{DpopProof, DpopRequest, KeyRing, MintKey, Minter};
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::{Audience, Issuer};
use bailiwick::identity::AgentKey;
use bailiwick::identity::{
    BearerProof, Environment, OidcVerifier, ProofError, Selector, SpiffeVerifier, TrustBundle, TrustDomain,
};
use bailiwick::jose::{Flaw, JwkSet};
use jsonwebtoken::jwk::ThumbprintHash;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};

use crate::pens::{ALGORITHMS, TestKey, changed, flaw, key_name, test_key};
use crate::world::{START, at};

const HOST: &str = "https://host.acme.example";
const ISSUER: &str = "https://ci.acme.example";
const AGENT: &str = "spiffe://acme.example/agent/triage";

/// Signs claims with `jsonwebtoken`, which is told nothing but the key.
fn sign(algorithm: &str, which: &str, claims: &Value) -> String {
    let pem = test_key(&key_name(algorithm, which)).pem;
    let key = match &algorithm[..2] {
        "ES" => EncodingKey::from_ec_pem(pem.as_bytes()),
        "Ed" => EncodingKey::from_ed_pem(pem.as_bytes()),
        _ => EncodingKey::from_rsa_pem(pem.as_bytes()),
    };
    let mut header = Header::new(algorithm.parse().expect("an algorithm of theirs"));
    header.kid = Some("1".to_owned());
    jsonwebtoken::encode(&header, claims, &key.expect("a key")).expect("a token")
}

/// A set of one key, pinned to an algorithm or not.
fn set(algorithm: &str, which: &str, pinned: Option<&str>, purpose: &str) -> String {
    let TestKey { mut jwk, .. } = test_key(&key_name(algorithm, which));
    (jwk["kid"], jwk["use"]) = ("1".into(), purpose.into());
    pinned.inspect(|algorithm| jwk["alg"] = (*algorithm).into());
    json!({ "keys": [jwk] }).to_string()
}

/// Verifies as an SVID, and as an ID token, by the keys of one set.
fn verify_svid(set: &str, token: &str) -> Result<BearerProof, ProofError> {
    let production = Environment::new("production").expect("an environment");
    let domain = TrustDomain::new("acme.example").expect("a trust domain");
    let mut verifier = SpiffeVerifier::new(Audience::new(HOST).expect("an audience"), production.clone());
    verifier.trust(TrustBundle::from_json(domain, production, set).expect("a bundle")).expect("a new domain");
    verifier.verify(token, at(START))
}

fn verify_id_token(set: &str, token: &str) -> Result<BearerProof, ProofError> {
    let issuer = Issuer::new(ISSUER).expect("an issuer");
    let mut verifier = OidcVerifier::new(Audience::new(HOST).expect("an audience"));
    verifier.trust(issuer.clone(), JwkSet::from_json(set).expect("a set")).expect("a new issuer");
    let selector = Selector::new(AGENT.parse().expect("an agent"), issuer).with("/sub", "runner-7");
    verifier.select(selector.expect("a selector")).expect("a selector of one");
    verifier.verify(token, at(START))
}

/// A way to verify, what sets are for there, and claims that are right there.
type Way = (fn(&str, &str) -> Result<BearerProof, ProofError>, &'static str, Value);

fn ways() -> [Way; 2] {
    [
        (verify_svid, "jwt-svid", json!({ "sub": AGENT, "aud": [HOST], "iat": START, "exp": START + 300 })),
        (
            verify_id_token,
            "sig",
            json!({ "iss": ISSUER, "sub": "runner-7", "aud": HOST, "iat": START, "nbf": START, "exp": START + 300 }),
        ),
    ]
}

/// The other algorithms of the same kind of key.
fn siblings(algorithm: &str) -> impl Iterator<Item = &&'static str> {
    ALGORITHMS.iter().filter(move |other| **other != algorithm && key_name(other, "a") == key_name(algorithm, "a"))
}

#[test]
fn what_another_implementation_signs_verifies_with_every_algorithm_but_eddsa_for_svids() {
    for (verify, purpose, claims) in ways() {
        for algorithm in ALGORITHMS {
            let token = sign(algorithm, "a", &claims);
            let expected = (purpose == "jwt-svid" && *algorithm == "EdDSA").then_some(Flaw::Header);
            for pinned in [Some(*algorithm), None] {
                let verified = verify(&set(algorithm, "a", pinned, purpose), &token);
                if let Ok(proof) = &verified {
                    assert_eq!((proof.agent().as_str(), proof.until()), (AGENT, at(START + 300)));
                }
                assert_eq!(flaw(verified), expected, "{algorithm} as {purpose}, pinned to {pinned:?}");
            }
        }
    }
}

#[test]
fn another_key_of_the_same_kind_and_another_algorithm_of_the_same_key_do_not_verify() {
    let mut pins = 0;
    for (verify, purpose, claims) in ways() {
        for algorithm in ALGORITHMS.iter().filter(|algorithm| purpose == "sig" || **algorithm != "EdDSA") {
            let token = sign(algorithm, "a", &claims);
            let other = verify(&set(algorithm, "b", None, purpose), &token);
            assert_eq!(flaw(other), Some(Flaw::Signature), "{algorithm} as {purpose}");
            for pinned in siblings(algorithm) {
                let pinned_to = verify(&set(algorithm, "a", Some(pinned), purpose), &token);
                assert_eq!(flaw(pinned_to), Some(Flaw::Header), "{algorithm} as {purpose}, pinned to {pinned}");
                pins += 1;
            }
        }
    }
    assert_eq!(pins, 2 * 6 * 5, "six algorithms share the RSA key");
}

#[test]
fn one_changed_character_anywhere_is_noticed() {
    for (verify, purpose, claims) in ways() {
        for algorithm in ALGORITHMS.iter().filter(|algorithm| purpose == "sig" || **algorithm != "EdDSA") {
            let (set, token) = (set(algorithm, "a", None, purpose), sign(algorithm, "a", &claims));
            for place in (0..token.len()).step_by(5) {
                let mut bytes = token.clone().into_bytes();
                bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
                let changed = String::from_utf8(bytes).expect("ASCII");
                assert!(verify(&set, &changed).is_err(), "{algorithm} as {purpose}, byte {place}");
            }
            assert!(verify(&set, &token).is_ok(), "{algorithm} as {purpose}");
        }
    }
}

#[test]
fn a_token_that_names_another_algorithm_than_it_was_signed_with_does_not_verify() {
    for (verify, purpose, claims) in ways() {
        for algorithm in ["RS256", "PS256", "ES256", "ES384"] {
            let token = sign(algorithm, "a", &claims);
            let (_, rest) = token.split_once('.').expect("three parts");
            for named in ALGORITHMS.iter().filter(|named| **named != algorithm) {
                let header = json!({ "typ": "JWT", "alg": named, "kid": "1" }).to_string();
                let renamed = format!("{}.{rest}", crate::published::encode(header.as_bytes()));
                assert!(verify(&set(algorithm, "a", None, purpose), &renamed).is_err(), "{algorithm} as {named}");
            }
        }
    }
}

#[test]
fn the_other_implementation_finds_our_thumbprints_too() {
    for name in ["rsa-2048-a", "rsa-2048-b", "p256-a", "p256-b", "p384-a", "p384-b", "ed25519-a", "ed25519-b"] {
        let TestKey { jwk, thumbprint, .. } = test_key(name);
        let ours = bailiwick::jose::VerifyingKey::from_jwk(&jwk.to_string()).expect("a key").thumbprint();
        let theirs: jsonwebtoken::jwk::Jwk = serde_json::from_value(jwk).expect("a key of theirs");
        let theirs = theirs.thumbprint(ThumbprintHash::SHA256).expect("a thumbprint");
        assert_eq!([ours.as_str(), theirs.as_str()], [thumbprint.as_str(); 2], "{name}");
    }
}

#[test]
fn a_token_for_another_audience_is_refused_whoever_signed_it() {
    for (verify, purpose, claims) in ways() {
        let token = sign("ES256", "a", &changed(&claims, |claims| claims["aud"] = json!("https://other.example")));
        assert_eq!(flaw(verify(&set("ES256", "a", None, purpose), &token)), Some(Flaw::Audience));
    }
}

/// What `jsonwebtoken` makes of a token, by a key that it reads itself; claims that are missing or wrong are an error.
fn theirs(token: &str, key: &jsonwebtoken::jwk::Jwk, validation: &Validation) -> Result<Value, String> {
    let key = DecodingKey::from_jwk(key).map_err(|error| error.to_string())?;
    jsonwebtoken::decode::<Value>(token, &key, validation).map(|token| token.claims).map_err(|error| error.to_string())
}

#[test]
fn what_we_mint_and_prove_verifies_with_another_implementation() {
    let ring = KeyRing::new(crate::published::issuer(ISSUER), MintKey::generate(&SystemEntropy).expect("a key"));
    for own in [AgentKey::generate(&SystemEntropy).expect("a key"), AgentKey::generate_es256().expect("a key")] {
        let mut world = crate::key_ring::minting(Minter::with_ring(ring.clone()));
        world.key = own;
        let (task, close) = crate::key_ring::closing(&world);
        let permit = task.authorize(&close).expect("a permit");
        let credential = task.mint(permit, &crate::world::audience()).expect("a credential");
        let token = credential.expose();

        let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&ring.jwk_set(at(START))).expect("a set of theirs");
        let header = jsonwebtoken::decode_header(token).expect("a header");
        let key = set.find(header.kid.as_deref().expect("a kid")).expect("the key that signed");
        let mut validation = Validation::new(header.alg);
        (validation.validate_exp, validation.validate_nbf) = (false, false); // the world's time is not theirs
        validation.set_audience(&[crate::world::audience().as_str()]);
        validation.set_issuer(&[ISSUER]);
        let claims = theirs(token, key, &validation).expect("a token that verifies");
        assert_eq!(claims["jti"], credential.id().as_str());
        validation.set_audience(&["https://other.example"]);
        assert!(theirs(token, key, &validation).is_err());

        let request = DpopRequest::new("POST", "https://jira.acme.example/x").expect("a request").with_token(token);
        let proof = DpopProof::new(&request, &SystemEntropy, at(START)).map(|proof| proof.sign(&world.key));
        let proof = proof.expect("randomness").expect("a proof");
        let header = jsonwebtoken::decode_header(&proof).expect("a header");
        let own = header.jwk.expect("its key");
        assert_eq!(header.typ.as_deref(), Some("dpop+jwt"));
        let thumbprint = own.thumbprint(ThumbprintHash::SHA256).expect("a thumbprint");
        assert_eq!(claims["cnf"], json!({ "jkt": thumbprint }));
        let mut validation = Validation::new(header.alg);
        (validation.required_spec_claims, validation.validate_exp) = (Default::default(), false);
        let proven = theirs(&proof, &own, &validation).expect("a proof that verifies");
        assert_eq!(proven["ath"], crate::published::encode(bailiwick::Digest::of(token.as_bytes()).as_bytes()));
        assert!(theirs(&proof, key, &validation).is_err(), "another key");
        ring.rotate(MintKey::generate_es256().expect("a key"), at(START)).expect("a rotation");
    }
}
