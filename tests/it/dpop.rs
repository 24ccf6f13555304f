//! DPoP proofs: the standard's own verify, ours do, and with one thing changed none does.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use bailiwick::Digest;
use bailiwick::credential::{
    CredentialVerifier, DpopError, DpopNonce, DpopProof, DpopRequest, DpopVerifier, Presentation,
};
use bailiwick::entropy::SystemEntropy;
use bailiwick::identity::AgentKey;
use bailiwick::jose::{Algorithm, Flaw, KeySet, Leeway, Refused, Thumbprint, VerifyingKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::any::cases;
use crate::flaky::{BROKEN, Flaky};
use crate::pens::{ALGORITHMS, Pen, changed, without};
use crate::published::{AGENT, AUTHZ, CHILD, ERP, audience, contents, encode, issuer, shown};
use crate::world::{START, at};

const URI: &str = "https://jira.acme.example/tickets/42/close";
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

fn request() -> DpopRequest {
    DpopRequest::new("POST", URI).expect("a request").with_token(TOKEN)
}

/// The agent's pen, as it would forge a proof.
fn pen() -> Pen {
    Pen::new("ES256", "a")
}

fn thumbprint(pen: &Pen) -> Thumbprint {
    VerifyingKey::from_jwk(&pen.jwk.to_string()).expect("a key").thumbprint()
}

fn header(pen: &Pen) -> Value {
    json!({ "typ": "dpop+jwt", "alg": pen.algorithm, "jwk": pen.jwk })
}

fn claims() -> Value {
    let ath = encode(Digest::of(TOKEN.as_bytes()).as_bytes());
    json!({ "jti": "e1j3V_bKic8-LAEB", "htm": "POST", "htu": URI, "iat": START, "ath": ath })
}

fn written(pen: &Pen, header: &Value, claims: &Value) -> String {
    pen.sign_text(&header.to_string(), &claims.to_string())
}

/// What a verifier that has seen nothing yet makes of a proof of the agent's.
fn flaw(proof: &str) -> Option<Flaw> {
    flaw_by(&DpopVerifier::new(), proof, START)
}

fn flaw_by(verifier: &DpopVerifier, proof: &str, now: i64) -> Option<Flaw> {
    let checked = verifier.check(proof, &request(), &thumbprint(&pen()), at(now));
    checked.inspect_err(|refused| assert_eq!(refused.to_string(), "the token was refused")).map_err(Refused::flaw).err()
}

#[test]
fn the_proofs_of_the_standard_verify() {
    let thumbprint = Thumbprint::new("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I").expect("a thumbprint");
    let jwk = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rsc\
               EJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In\
               19";
    // RFC 9449, section 4.1: the request for a token.
    let asking = format!(
        "{jwk}.{}.{}",
        "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0I\
         joxNTYyMjYyNjE2fQ",
        "2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
    );
    // Section 7.1: the request with it.
    let using = format!(
        "{jwk}.{}.{}",
        "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZ\
         XNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9",
        "2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
    );
    assert_eq!(contents(&using).1["ath"], encode(Digest::of(TOKEN.as_bytes()).as_bytes()));
    let for_token = DpopRequest::new("POST", "https://server.example.com/token").unwrap();
    let for_resource = DpopRequest::new("GET", "https://resource.example.org/protectedresource").unwrap();
    let for_resource = for_resource.with_token(TOKEN);
    for (proof, request, now) in [(&asking, &for_token, 1_562_262_616), (&using, &for_resource, 1_562_262_618)] {
        let verifier = DpopVerifier::new();
        assert!(verifier.check(proof, request, &thumbprint, at(now)).is_ok());
        assert_eq!(verifier.check(proof, request, &thumbprint, at(now)).unwrap_err().flaw(), Flaw::Replayed);
    }
    let crossed = DpopVerifier::new().check(&using, &for_token, &thumbprint, at(1_562_262_618));
    assert_eq!(crossed.unwrap_err().flaw(), Flaw::Binding);
}

#[test]
fn what_an_agent_makes_verifies_with_its_own_key_and_one_that_is_held_elsewhere() {
    for key in [AgentKey::generate(&SystemEntropy).unwrap(), AgentKey::generate_es256().unwrap()] {
        let proof = DpopProof::new(&request(), &SystemEntropy, at(START)).unwrap().sign(&key).unwrap();
        let (header, claims) = contents(&proof);
        assert_eq!(header.as_object().unwrap().keys().collect::<Vec<_>>(), ["alg", "jwk", "typ"]);
        assert_eq!(header["jwk"], serde_json::from_str::<Value>(&key.public().to_jwk()).unwrap());
        assert_eq!(claims.as_object().unwrap().keys().collect::<Vec<_>>(), ["ath", "htm", "htu", "iat", "jti"]);
        assert_eq!(claims["jti"].as_str().unwrap().len(), 22, "128 bits");
        assert!(DpopVerifier::new().check(&proof, &request(), &key.public().thumbprint(), at(START)).is_ok());
        let other = AgentKey::generate(&SystemEntropy).unwrap().public().thumbprint();
        let refused = DpopVerifier::new().check(&proof, &request(), &other, at(START)).unwrap_err();
        assert_eq!(refused.flaw(), Flaw::UnknownKey);
    }
    for name in ALGORITHMS {
        let pen = Pen::new(name, "a");
        let key = VerifyingKey::from_jwk(&pen.jwk.to_string()).unwrap();
        let algorithm = *Algorithm::ALL.iter().find(|algorithm| algorithm.name() == *name).unwrap();
        let draft = DpopProof::new(&request(), &SystemEntropy, at(START)).unwrap();
        let proof = draft.sign_with(&key, algorithm, |message| pen.signature(message));
        assert!(DpopVerifier::new().check(&proof, &request(), &key.thumbprint(), at(START)).is_ok(), "{name}");
    }
    for mood in BROKEN {
        let entropy = Flaky::new(SystemEntropy);
        entropy.set(mood);
        assert!(DpopProof::new(&request(), entropy.as_ref(), at(START)).is_err());
    }
}

#[test]
fn every_field_of_a_proof_is_looked_at() {
    let pen = pen();
    assert_eq!(flaw(&written(&pen, &header(&pen), &claims())), None, "as it is");
    let with = |member: &str, value: Value| changed(&claims(), |claims| claims[member] = value);
    let (malformed, binding) = (Some(Flaw::Claims), Some(Flaw::Binding));
    let rows = [
        ("no jti", without(&claims(), "jti"), malformed),
        ("an empty jti", with("jti", json!("")), malformed),
        ("a long jti", with("jti", json!("a".repeat(256))), None),
        ("too long a jti", with("jti", json!("a".repeat(257))), malformed),
        ("a jti with a space", with("jti", json!("a b")), malformed),
        ("a jti that is a number", with("jti", json!(7)), malformed),
        ("no htm", without(&claims(), "htm"), malformed),
        ("another method", with("htm", json!("GET")), binding),
        ("the method in lower case", with("htm", json!("post")), binding),
        ("no htu", without(&claims(), "htu"), malformed),
        ("another path", with("htu", json!("https://jira.acme.example/tickets/43/close")), binding),
        ("another host", with("htu", json!("https://evil.example/tickets/42/close")), binding),
        ("another scheme", with("htu", json!("http://jira.acme.example/tickets/42/close")), binding),
        ("another port", with("htu", json!("https://jira.acme.example:8443/tickets/42/close")), binding),
        ("a path alone", with("htu", json!("/tickets/42/close")), binding),
        ("the default port", with("htu", json!("https://jira.acme.example:443/tickets/42/close")), None),
        ("a host in capitals", with("htu", json!("HTTPS://JIRA.acme.example/tickets/42/close")), None),
        ("with a query", with("htu", json!("https://jira.acme.example/tickets/42/close?a=b#c")), None),
        ("an escape too many", with("htu", json!("https://jira.acme.example/tickets/4%32/close")), None),
        ("dots", with("htu", json!("https://jira.acme.example/tickets/./43/../42/close")), None),
        ("a user part", with("htu", json!("https://jira.acme.example@evil.example/tickets/42/close")), binding),
        ("no iat", without(&claims(), "iat"), malformed),
        ("an iat with a fraction", with("iat", json!(START as f64 + 0.5)), malformed),
        ("an iat that is text", with("iat", json!(START.to_string())), malformed),
        ("an iat of 0", with("iat", json!(0)), malformed),
        ("an iat before 1970", with("iat", json!(-START)), malformed),
        ("in a second", with("iat", json!(START + 1)), Some(Flaw::NotYetValid)),
        ("at the end of time", with("iat", json!(i64::MAX)), Some(Flaw::NotYetValid)),
        ("59 seconds ago", with("iat", json!(START - 59)), None),
        ("60 seconds ago", with("iat", json!(START - 60)), Some(Flaw::Expired)),
        ("no ath", without(&claims(), "ath"), binding),
        ("another token's ath", with("ath", encode(Digest::of(b"another").as_bytes()).into()), binding),
        ("the token itself as ath", with("ath", TOKEN.into()), binding),
        ("ath that is null", with("ath", Value::Null), malformed),
        ("a nonce that nobody asked for", with("nonce", json!("abc")), None),
        ("a claim that nobody knows", with("exp", json!(1)), None),
    ];
    for (what, claims, expected) in rows {
        assert_eq!(flaw(&written(&pen, &header(&pen), &claims)), expected, "{what}");
    }
    let twice = claims().to_string().replacen('{', r#"{"htm":"POST","#, 1);
    assert_eq!(flaw(&pen.sign_text(&header(&pen).to_string(), &twice)), malformed, "a claim twice");
    let nested = claims().to_string().replacen('{', r#"{"x":{"a":1,"a":2},"#, 1);
    assert_eq!(flaw(&pen.sign_text(&header(&pen).to_string(), &nested)), malformed, "twice within");
    // Without a token there is no hash of one.
    let bare = DpopRequest::new("POST", URI).unwrap();
    let proof = written(&pen, &header(&pen), &claims());
    assert_eq!(
        DpopVerifier::new().check(&proof, &bare, &thumbprint(&pen), at(START)).unwrap_err().flaw(),
        Flaw::Binding
    );
}

#[test]
fn the_header_is_closed_and_has_the_bare_public_key() {
    let (pen, rsa, ed25519) = (pen(), Pen::new("RS256", "a"), Pen::new("EdDSA", "a"));
    let with = |member: &str, value: Value| changed(&header(&pen), |header| header[member] = value);
    let jwk = |change: &dyn Fn(&mut Value)| changed(&header(&pen), |header| change(&mut header["jwk"]));
    let (wrong, unknown) = (Some(Flaw::Header), Some(Flaw::UnknownKey));
    let rows = [
        ("no typ", without(&header(&pen), "typ"), wrong),
        ("typ of an access token", with("typ", json!("at+jwt")), wrong),
        ("typ in capitals", with("typ", json!("DPoP+JWT")), wrong),
        ("typ with its tree", with("typ", json!("application/dpop+jwt")), wrong),
        ("no alg", without(&header(&pen), "alg"), wrong),
        ("none", with("alg", json!("none")), wrong),
        ("HS256", with("alg", json!("HS256")), wrong),
        ("another kind of key's", with("alg", json!("EdDSA")), wrong),
        ("another curve's", with("alg", json!("ES384")), wrong),
        ("no jwk", without(&header(&pen), "jwk"), wrong),
        ("a jwk that is null", with("jwk", Value::Null), wrong),
        ("a jwk that is text", with("jwk", json!(pen.jwk.to_string())), wrong),
        ("a kid", with("kid", json!(thumbprint(&pen))), wrong),
        (
            "a kid instead",
            changed(&without(&header(&pen), "jwk"), |header| header["kid"] = json!(thumbprint(&pen))),
            wrong,
        ),
        ("crit", with("crit", json!([])), wrong),
        ("jku", with("jku", json!("https://evil.example/keys")), wrong),
        ("x5c", with("x5c", json!(["MIIB"])), wrong),
        ("x5t", with("x5t", json!("AA")), wrong),
        ("the private half", jwk(&|jwk| jwk["d"] = json!("AA")), wrong),
        ("the private half, empty", jwk(&|jwk| jwk["d"] = json!("")), wrong),
        ("use", jwk(&|jwk| jwk["use"] = json!("sig")), wrong),
        ("alg within", jwk(&|jwk| jwk["alg"] = json!("ES256")), wrong),
        ("kid within", jwk(&|jwk| jwk["kid"] = json!("1")), wrong),
        ("key_ops", jwk(&|jwk| jwk["key_ops"] = json!(["verify"])), wrong),
        ("no y", jwk(&|jwk| drop(jwk.as_object_mut().unwrap().remove("y"))), wrong),
        ("x with padding", jwk(&|jwk| jwk["x"] = json!(format!("{}=", jwk["x"].as_str().unwrap()))), wrong),
        ("the other key of the kind", with("jwk", Pen::new("ES256", "b").jwk), unknown),
        ("an RSA key", changed(&header(&rsa), |header| header["alg"] = json!("RS256")), unknown),
        ("a key of another curve", header(&ed25519), unknown),
        ("a symmetric key", with("jwk", json!({ "kty": "oct", "k": "c2VjcmV0" })), wrong),
    ];
    for (what, header, expected) in rows {
        assert_eq!(flaw(&written(&pen, &header, &claims())), expected, "{what}");
    }
    let text = header(&pen).to_string();
    let twice = [
        text.replacen('{', r#"{"alg":"none","#, 1),
        text.replacen(r#""jwk":{"#, r#""jwk":{"kty":"EC","#, 1),
        text.replacen(r#""jwk":"#, r#""\u006awk":{},"jwk":"#, 1),
    ];
    for header in twice {
        assert_eq!(flaw(&pen.sign_text(&header, &claims().to_string())), wrong, "{header}");
    }
    // Somebody else's signature under the agent's key.
    let forged = written(&Pen::new("ES256", "b"), &header(&pen), &claims());
    assert_eq!(flaw(&forged), Some(Flaw::Signature));
    // A point that is on no curve.
    let off = jwk(&|jwk| jwk["y"] = jwk["x"].clone());
    let key = VerifyingKey::from_jwk(&off["jwk"].to_string()).unwrap();
    let refused = DpopVerifier::new().check(&written(&pen, &off, &claims()), &request(), &key.thumbprint(), at(START));
    assert_eq!(refused.unwrap_err().flaw(), Flaw::Signature);
    for text in ["", "a", "a.b", "a.b.c", "a.b.c.d"] {
        assert!(flaw(text).is_some(), "{text}");
    }
}

#[test]
fn every_changed_byte_of_a_proof_is_noticed() {
    let (pen, verifier) = (pen(), DpopVerifier::new());
    let proof = written(&pen, &header(&pen), &claims());
    for place in 0..proof.len() {
        let mut bytes = proof.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("ASCII");
        assert!(flaw_by(&verifier, &changed, START).is_some(), "byte {place}");
    }
    assert_eq!(flaw_by(&verifier, &proof, START), None, "what was refused used nothing up");
}

/// A proof that carries its own key is nothing to whoever looks for a key by its name.
#[test]
fn a_proof_is_no_other_token_and_no_other_token_is_a_proof() {
    use bailiwick::identity::{IdentityVerifier, KeyPossession};
    let key = AgentKey::from_pkcs8(&AGENT.pkcs8()).unwrap();
    let proof = DpopProof::new(&request(), &SystemEntropy, at(START)).unwrap().sign(&key).unwrap();
    let keys = KeySet::of(issuer(AUTHZ), key.public());
    let credentials = CredentialVerifier::new(keys, audience(ERP));
    assert_eq!(credentials.verify(&shown(&proof), at(START)).unwrap_err().flaw(), Flaw::Header);
    let mut possession = KeyPossession::new(audience("https://host.acme.example"), Arc::new(SystemEntropy));
    let agent = bailiwick::identity::AgentId::spiffe("spiffe://acme.example/agent/triage").unwrap();
    possession.register(agent.clone(), key.public()).unwrap();
    assert_eq!(crate::pens::flaw(possession.verify(&proof, at(START))), Some(Flaw::Header));
    let approvals = crate::published::approvals();
    assert!(approvals.verify(&proof, at(START)).is_err());

    let answer = possession.challenge(&agent, at(START)).unwrap().answer(&key).unwrap();
    for token in [&answer, &AGENT.sign(&claims()), &crate::published::known("auto").jwt] {
        let checked = DpopVerifier::new().check(token, &request(), &key.public().thumbprint(), at(START));
        assert_eq!(checked.unwrap_err().flaw(), Flaw::Header);
    }
    // A credential of that kind with a key of its own beside its name is none either.
    let mut header = CHILD.header("at+jwt");
    header["jwk"] = serde_json::from_str(&CHILD.public().to_jwk()).unwrap();
    let claims = crate::published::known("auto").claims.to_string();
    let keys = KeySet::of(issuer(AUTHZ), CHILD.public());
    let verify = |header: &Value| {
        let verifier = CredentialVerifier::new(keys.clone(), audience(ERP));
        verifier.verify(&shown(&CHILD.sign_text(&header.to_string(), &claims)), at(START)).map_err(Refused::flaw).err()
    };
    assert_eq!(verify(&header), Some(Flaw::Header));
    assert_eq!(verify(&without(&header, "kid")), Some(Flaw::Header));
    assert_eq!(verify(&without(&header, "jwk")), None);
}

#[test]
fn windows_and_leeways_are_bounded_and_kept() {
    let pen = pen();
    let made = |iat: i64| written(&pen, &header(&pen), &changed(&claims(), |claims| claims["iat"] = json!(iat)));
    let leeway = |seconds| Leeway::new(Duration::from_secs(seconds)).unwrap();
    let verifier = || DpopVerifier::new().with_window(Duration::from_secs(10)).unwrap().with_leeway(leeway(5));
    let rows = [(-15, Some(Flaw::Expired)), (-14, None), (0, None), (5, None), (6, Some(Flaw::NotYetValid))];
    for (before, expected) in rows {
        assert_eq!(flaw_by(&verifier(), &made(START + before), START), expected, "{before}");
    }
    let window = |window| DpopVerifier::new().with_window(window).err();
    for good in [1, 60, 300] {
        assert_eq!(window(Duration::from_secs(good)), None);
    }
    for bad in [Duration::ZERO, Duration::from_millis(1500), Duration::from_secs(301), Duration::MAX] {
        assert_eq!(window(bad), Some(DpopError::Window(bad)));
    }
    for (capacity, is_good) in [(0, false), (1, true), (1 << 20, true), ((1 << 20) + 1, false)] {
        assert_eq!(DpopVerifier::new().with_capacity(capacity).is_ok(), is_good, "{capacity}");
    }
}

#[test]
fn nonces_are_the_server_s_own_and_fresh() {
    let key = AgentKey::from_pkcs8(&AGENT.pkcs8()).unwrap();
    let verifier = DpopVerifier::new().with_nonces(Arc::new(SystemEntropy));
    let check = |nonce: Option<DpopNonce>, now: i64| {
        let draft = DpopProof::new(&request(), &SystemEntropy, at(now)).unwrap();
        let draft = nonce.into_iter().fold(draft, DpopProof::with_nonce);
        let proof = draft.sign(&key).unwrap();
        verifier.check(&proof, &request(), &key.public().thumbprint(), at(now)).map_err(Refused::flaw).err()
    };
    let nonce = |now: i64| verifier.nonce(at(now)).unwrap();
    let asked = Some(Flaw::Nonce);
    assert_eq!(check(None, START), asked, "none");
    assert_eq!(check(Some(DpopNonce::new("made-up").unwrap()), START), asked, "another's");
    let first = nonce(START);
    assert_eq!(check(first.clone(), START), None);
    assert_eq!(check(first.clone(), START), None, "in a second proof");
    assert_eq!(nonce(START + 29), first, "the same for half a minute");
    let second = nonce(START + 30);
    assert_ne!(second, first);
    assert_eq!(check(first.clone(), START + 299), None, "good for five minutes");
    assert_eq!(check(first.clone(), START + 300), asked);
    assert_eq!(check(second.clone(), START + 300), None);
    assert_eq!(check(None, START + 300), asked);
    // Whatever else is wrong is told first: nobody is given a nonce for that.
    let stranger = AgentKey::generate(&SystemEntropy).unwrap();
    let proof = DpopProof::new(&request(), &SystemEntropy, at(START)).unwrap().sign(&stranger).unwrap();
    let refused = verifier.check(&proof, &request(), &key.public().thumbprint(), at(START)).unwrap_err();
    assert_eq!(refused.flaw(), Flaw::UnknownKey);

    assert_eq!(DpopVerifier::new().nonce(at(START)), Ok(None), "where nobody asks for them there are none");
    let broken = Flaky::new(SystemEntropy);
    let verifier = DpopVerifier::new().with_nonces(broken.clone());
    for mood in BROKEN {
        broken.set(mood);
        assert!(verifier.nonce(at(START)).is_err());
    }
}

#[test]
fn however_often_nonces_are_asked_for_few_are_good_and_threads_get_the_same() {
    let verifier = DpopVerifier::new().with_nonces(Arc::new(SystemEntropy));
    let nonces: Vec<_> = (0..100).map(|step| verifier.nonce(at(START + 30 * step)).unwrap().unwrap()).collect();
    let key = AgentKey::from_pkcs8(&AGENT.pkcs8()).unwrap();
    let now = at(START + 30 * 99);
    let is_good = |nonce: &DpopNonce| {
        let draft = DpopProof::new(&request(), &SystemEntropy, now).unwrap().with_nonce(nonce.clone());
        verifier.check(&draft.sign(&key).unwrap(), &request(), &key.public().thumbprint(), now).is_ok()
    };
    assert_eq!(nonces.iter().filter(|nonce| is_good(nonce)).count(), 10);

    let (verifier, start) = (DpopVerifier::new().with_nonces(Arc::new(SystemEntropy)), Barrier::new(4));
    let drawn: Vec<_> = thread::scope(|scope| {
        let ask = || {
            start.wait();
            verifier.nonce(at(START)).unwrap()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(drawn.windows(2).all(|pair| pair[0] == pair[1]), "{drawn:?}");
}

/// The whole way: a credential, and the proof that goes along with it.
#[test]
fn a_verifier_takes_a_credential_with_the_proof_for_it_alone() {
    let known = crate::published::known("auto").jwt;
    let keys = || KeySet::of(issuer(AUTHZ), crate::published::ISSUER.public());
    let verifier = CredentialVerifier::new(keys(), audience(ERP)).proven_by(Arc::new(DpopVerifier::new()));
    let (agent, thief) = (AgentKey::from_pkcs8(&AGENT.pkcs8()).unwrap(), AgentKey::from_pkcs8(&CHILD.pkcs8()).unwrap());
    let (asked, elsewhere) = (DpopRequest::new("POST", URI).unwrap(), DpopRequest::new("GET", URI).unwrap());
    let proof = |request: &DpopRequest, token: &str, key: &AgentKey| {
        DpopProof::new(&request.clone().with_token(token), &SystemEntropy, at(START)).unwrap().sign(key).unwrap()
    };
    let verify = |verifier: &CredentialVerifier, shown: Presentation<'_>| {
        verifier.verify(&shown, at(START)).map_err(Refused::flaw).err()
    };
    let shown = || Presentation::new(&known);
    let rows = [
        ("the agent's", proof(&asked, &known, &agent), None),
        ("a thief's", proof(&asked, &known, &thief), Some(Flaw::UnknownKey)),
        ("for another request", proof(&elsewhere, &known, &agent), Some(Flaw::Binding)),
        ("for another credential", proof(&asked, &AGENT.sign(&claims()), &agent), Some(Flaw::Binding)),
        ("the credential itself", known.clone(), Some(Flaw::Header)),
        ("nothing", String::new(), Some(Flaw::Encoding)),
    ];
    for (what, proof, expected) in &rows {
        assert_eq!(verify(&verifier, shown().dpop(proof, &asked)), *expected, "{what}");
    }
    let (_, proof, _) = &rows[0];
    assert_eq!(verify(&verifier, shown().dpop(proof, &asked)), Some(Flaw::Replayed), "again");
    assert_eq!(verify(&verifier.clone(), shown().dpop(proof, &asked)), Some(Flaw::Replayed), "by a clone");
    assert_eq!(verify(&verifier, shown()), Some(Flaw::Unproven), "without one");
    // Whoever takes no proofs takes none.
    assert_eq!(
        verify(&CredentialVerifier::new(keys(), audience(ERP)), shown().dpop(proof, &asked)),
        Some(Flaw::Unproven)
    );
    // A credential that is refused uses no proof up.
    let other =
        CredentialVerifier::new(keys(), audience("https://other.example")).proven_by(Arc::new(DpopVerifier::new()));
    assert_eq!(verify(&other, shown().dpop(proof, &asked)), Some(Flaw::Audience));
    assert!(!format!("{:?}", shown().dpop(proof, &asked)).contains(proof.as_str()));
}

/// Whether a proof that was made for the one is good for the other.
fn are_one(one: &str, other: &str) -> bool {
    DpopRequest::new("GET", one).expect(one) == DpopRequest::new("GET", other).expect(other)
}

#[test]
fn two_spellings_of_one_resource_are_one() {
    // RFC 3986, sections 5.2.4, 6.2.2 and 6.2.3.
    let rows = [
        ("https://a.example", "https://a.example/"),
        ("https://a.example:443", "HTTPS://A.EXAMPLE/"),
        ("http://a.example:80/x", "http://a.example/x"),
        ("http://a.example:/x", "http://a.example/x"),
        ("https://a.example/%7euser", "https://a.example/~user"),
        ("https://a.example/%c3%a4", "https://a.example/%C3%A4"),
        ("https://a.example/a/b/c/./../../g", "https://a.example/a/g"),
        ("https://a.example/a/%2e%2E/b", "https://a.example/b"),
        ("https://a.example/../../x", "https://a.example/x"),
        ("https://a.example/a/..", "https://a.example/"),
        ("https://a.example/a/b/..", "https://a.example/a/"),
        ("https://a.example/a/.", "https://a.example/a/"),
        ("https://a.example/x?y=/../z", "https://a.example/x"),
        ("https://a.example?y", "https://a.example/"),
        ("https://a.example#y/z", "https://a.example/"),
        ("https://[2001:DB8::1]:443/x", "https://[2001:db8::1]/x"),
    ];
    for (one, other) in rows {
        assert!(are_one(one, other), "{one} and {other}");
    }
    let different = [
        "https://a.example/x",
        "https://a.example/x/",
        "https://a.example//x",
        "https://a.example/X",
        "https://a.example/%2Fx",
        "https://a.example/%252Fx",
        "https://a.example/x;v=1",
        "https://a.example:444/x",
        "https://a.example.:443/x",
        "https://b.example/x",
        "http://a.example/x",
        "http://a.example:443/x",
        "https://a.example/x/%2E%2E%2Fy",
        "https://[2001:db8::1]/x",
        "https://127.0.0.1/x",
    ];
    for (place, one) in different.iter().enumerate() {
        for other in &different[place + 1..] {
            assert!(!are_one(one, other), "{one} and {other}");
        }
    }
    let refused = [
        "",
        "/x",
        "a.example/x",
        "//a.example/x",
        "https:a.example",
        "https:/a.example",
        "https:///x",
        "https://",
        "ftp://a.example/x",
        "ws://a.example/x",
        "file:///x",
        "https://ada@a.example/x",
        "https://:443/x",
        "https://a.example:x/",
        "https://a.example:0443/",
        "https://a.example:0/",
        "https://a.example:65536/",
        "https://a.example:443:443/",
        "https://[::1/x",
        "https://[]/x",
        "https://[::1]x/",
        "https://a%2eexample/x",
        "https://a.example/a b",
        "https://a.example/ä",
        "https://a.example/\u{7f}",
        "https://a.example/%",
        "https://a.example/%4",
        "https://a.example/%zz",
        "https://a.example/a\\b",
        "https://a.example\\@b.example/",
        "https://a.example/\"",
        "https://a.example/<x>",
        "https://a.example/{x}",
        "https://a.example/[x]",
        "https://a.example/x^",
        "https://a!.example/",
        " https://a.example/",
        "https://a.example/\n",
        "https://a.example/%+1",
        "https://a.example/x?ä",
    ];
    for uri in refused {
        assert!(DpopRequest::new("GET", uri).is_err(), "{uri}");
    }
    assert!(DpopRequest::new("GET", &format!("https://a.example/{}", "a".repeat(8000))).is_err());
    for (method, is_one) in
        [("GET", true), ("M-SEARCH", true), ("", false), ("GE T", false), ("GET\n", false), ("G\"", false)]
    {
        assert_eq!(DpopRequest::new(method, URI).is_ok(), is_one, "{method}");
    }
}

/// What the standard's algorithm (RFC 3986, section 5.2.4) makes of a path, step by step as it stands there.
fn dots_removed(path: &str) -> String {
    let (mut input, mut output) = (path.to_owned(), String::new());
    while !input.is_empty() {
        if let Some(rest) = input.strip_prefix("/./") {
            input = format!("/{rest}");
        } else if input == "/." {
            input = "/".to_owned();
        } else if input == "/.." || input.starts_with("/../") {
            input = format!("/{}", input.strip_prefix("/../").unwrap_or_default());
            output.truncate(output.rfind('/').unwrap_or(0));
        } else {
            let end = input[1..].find('/').map_or(input.len(), |slash| slash + 1);
            output.push_str(&input[..end]);
            input.drain(..end);
        }
    }
    output
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn dots_are_removed_as_the_standard_says(segments in proptest::collection::vec(prop_oneof![
        Just("."), Just(".."), Just(""), Just("a"), Just("b"), Just("...")
    ], 1..8)) {
        let path = format!("/{}", segments.join("/"));
        let [one, other] = [&path, &dots_removed(&path)].map(|path| format!("https://a.example{path}"));
        prop_assert!(are_one(&one, &other), "{} and {}", one, other);
        // What is removed is not what is there otherwise.
        let more = other + "z";
        prop_assert!(!are_one(&one, &more), "{} and {}", one, more);
    }
}
