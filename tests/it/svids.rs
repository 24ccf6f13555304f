//! JWT-SVIDs: a trust domain speaks for its own workloads, with its own keys, in its own environment.

use bailiwick::identity::{Environment, ProofMethod, SpiffeVerifier, TrustBundle, TrustDomain};
use bailiwick::jose::{Flaw, VerifyingKey};
use serde_json::{Value, json};

use crate::pens::{Pen, changed, flaw};
use crate::published::{audience, encode};
use crate::world::{START, at};

const HOST: &str = "https://host.acme.example";
const AGENT: &str = "spiffe://acme.example/agent/triage";

fn production() -> Environment {
    Environment::new("production").expect("an environment")
}

/// A verifier that trusts these domains, each with these keys.
fn verifier(domains: &[(&str, Value)]) -> SpiffeVerifier {
    let mut verifier = SpiffeVerifier::new(audience(HOST), production());
    for (domain, keys) in domains {
        let domain = TrustDomain::new(domain).expect("a trust domain");
        let bundle = TrustBundle::from_json(domain, production(), &json!({ "keys": keys }).to_string());
        verifier.trust(bundle.expect("a bundle")).expect("a new domain");
    }
    verifier
}

fn claims(sub: &str) -> Value {
    json!({ "sub": sub, "aud": [HOST], "exp": START + 300 })
}

#[test]
fn an_svid_needs_subject_audience_and_end_and_says_no_more_than_it_says() {
    for algorithm in ["RS256", "PS256", "PS512", "ES256", "ES384"] {
        let pen = Pen::new(algorithm, "a");
        let token = pen.sign(&claims(AGENT));
        let proof =
            verifier(&[("acme.example", json!([pen.jwk("jwt-svid")]))]).verify(&token, at(START)).expect("a proof");
        assert_eq!((proof.agent().as_str(), proof.method()), (AGENT, ProofMethod::SpiffeJwtSvid), "{algorithm}");
        assert_eq!(proof.until(), at(START + 300));
        let (message, _) = token.rsplit_once('.').expect("three parts");
        assert_eq!(
            proof.digest(),
            &bailiwick::Digest::of(message.as_bytes()),
            "what was signed, without the signature"
        );
    }
}

#[test]
fn the_trust_domain_of_the_subject_picks_the_keys_and_nothing_else_does() {
    // Both domains call their keys the same.
    let (acme, partner) = (Pen::new("ES256", "a"), Pen::new("ES256", "b").called("key-a"));
    let verifier = verifier(&[
        ("acme.example", json!([acme.jwk("jwt-svid")])),
        ("partner.example", json!([partner.jwk("jwt-svid")])),
        ("empty.example", json!([])),
        ("other-use.example", json!([Pen::new("ES384", "a").jwk("sig")])),
    ]);
    let theirs = "spiffe://partner.example/agent/triage";
    let rows = [
        ("its own", &acme, AGENT, None),
        ("the partner's own", &partner, theirs, None),
        ("the partner about ours", &partner, AGENT, Some(Flaw::Signature)),
        ("ours about the partner's", &acme, theirs, Some(Flaw::Signature)),
        ("nobody trusts it", &acme, "spiffe://evil.example/agent/triage", Some(Flaw::UnknownKey)),
        ("a domain below", &acme, "spiffe://sub.acme.example/agent/triage", Some(Flaw::UnknownKey)),
        ("a bundle without keys", &acme, "spiffe://empty.example/agent", Some(Flaw::UnknownKey)),
        ("a bundle for other things", &acme, "spiffe://other-use.example/agent", Some(Flaw::UnknownKey)),
    ];
    for (what, pen, sub, expected) in rows {
        assert_eq!(flaw(verifier.verify(&pen.sign(&claims(sub)), at(START))), expected, "{what}");
    }
    // Whatever else it says of itself.
    for (claim, value) in
        [("iss", "spiffe://acme.example"), ("iss", "https://acme.example"), ("trust_domain", "acme.example")]
    {
        let token = partner.sign(&changed(&claims(AGENT), |claims| claims[claim] = value.into()));
        assert_eq!(flaw(verifier.verify(&token, at(START))), Some(Flaw::Signature), "{claim}");
    }
}

#[test]
fn the_subject_is_the_spiffe_id_of_a_workload_byte_for_byte() {
    let pen = Pen::new("ES256", "a");
    let verifier = verifier(&[("acme.example", json!([pen.jwk("jwt-svid")]))]);
    let wrong = [
        "",
        "acme.example/agent",
        "spiffe://acme.example",
        "spiffe://acme.example/",
        "spiffe://acme.example/agent/",
        "spiffe://acme.example//agent",
        "spiffe://acme.example/./agent",
        "spiffe://acme.example/x/../agent",
        "spiffe://acme.example/agent%2ftriage",
        "spiffe://acme.example/agent?x=1",
        "spiffe://acme.example/agent#x",
        "spiffe://acme.example:443/agent",
        "spiffe://ada@acme.example/agent",
        "SPIFFE://acme.example/agent",
        "spiffe://ACME.example/agent",
        " spiffe://acme.example/agent",
        "spiffe://acme.example/agent ",
        "spiffe://acme.example/agent\u{0}",
        "spiffe://acme.example/\u{430}gent",
        "https://acme.example/agent",
    ];
    for sub in wrong {
        assert_eq!(flaw(verifier.verify(&pen.sign(&claims(sub)), at(START))), Some(Flaw::Subject), "{sub:?}");
    }
    for length in [2048, 2049] {
        let sub = format!("spiffe://acme.example/{}", "a".repeat(length - "spiffe://acme.example/".len()));
        let expected = (length > 2048).then_some(Flaw::Subject);
        assert_eq!(flaw(verifier.verify(&pen.sign(&claims(&sub)), at(START))), expected, "{length} bytes");
    }
}

#[test]
fn eddsa_signs_no_svid_whatever_the_bundle_has() {
    let pen = Pen::new("EdDSA", "a");
    let verifier = verifier(&[("acme.example", json!([pen.jwk("jwt-svid")]))]);
    for name in ["EdDSA", "Ed25519"] {
        let header = changed(&pen.header(), |header| header["alg"] = name.into()).to_string();
        let found = flaw(verifier.verify(&pen.sign_text(&header, &claims(AGENT).to_string()), at(START)));
        assert_eq!(found, Some(Flaw::Header), "{name}");
    }
}

#[test]
fn a_kid_picks_one_key_and_the_others_are_not_tried() {
    let (first, second) = (Pen::new("ES256", "a"), Pen::new("ES256", "b"));
    let verifier = verifier(&[("acme.example", json!([first.jwk("jwt-svid"), second.jwk("jwt-svid")]))]);
    for (pen, kid, expected) in [
        (&first, "key-a", None),
        (&second, "key-b", None),
        (&first, "key-b", Some(Flaw::Signature)),
        (&second, "key-a", Some(Flaw::Signature)),
        (&first, "key-c", Some(Flaw::UnknownKey)),
    ] {
        let header = changed(&pen.header(), |header| header["kid"] = kid.into()).to_string();
        let token = pen.sign_text(&header, &claims(AGENT).to_string());
        assert_eq!(flaw(verifier.verify(&token, at(START))), expected, "{kid}");
    }
    // The thumbprint is a name only where the set says so.
    let thumbprint = VerifyingKey::from_jwk(&first.jwk.to_string()).expect("a key").thumbprint();
    let header = changed(&first.header(), |header| header["kid"] = thumbprint.as_str().into()).to_string();
    let token = first.sign_text(&header, &claims(AGENT).to_string());
    assert_eq!(flaw(verifier.verify(&token, at(START))), Some(Flaw::UnknownKey));
}

#[test]
fn a_point_that_is_not_on_its_curve_verifies_nothing() {
    let pen = Pen::new("ES256", "a");
    let (one, zero, most) = (encode(&[&[0; 31][..], &[1]].concat()), encode(&[0; 32]), encode(&[0xff; 32]));
    for (x, y) in [(&one, &one), (&zero, &zero), (&most, &most)] {
        let jwk = changed(&pen.jwk("jwt-svid"), |jwk| (jwk["x"], jwk["y"]) = (x.as_str().into(), y.as_str().into()));
        let verifier = verifier(&[("acme.example", json!([jwk]))]);
        assert_eq!(flaw(verifier.verify(&pen.sign(&claims(AGENT)), at(START))), Some(Flaw::Signature), "{x}");
    }
}
