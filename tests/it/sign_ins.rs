//! Sign-ins of people: an ID token of this client's, to this nonce, about a person and nobody else, is a session.

use bailiwick::identity::{OperatorId, OperatorSession, OperatorVerifier, ProofError};
use bailiwick::jose::{Flaw, Leeway};
use serde_json::{Value, json};
use std::time::Duration;

use crate::pens::{ALGORITHMS, Pen, changed, flaw, without};
use crate::published::{audience, issuer};
use crate::world::{START, at};

const PROVIDER: &str = "https://idp.acme.example";
const CLIENT: &str = "approvals-console";
const NONCE: &str = "n-0S6_WzA2Mj";

fn verifier(pen: &Pen, leeway: u64) -> OperatorVerifier {
    let leeway = Leeway::new(Duration::from_secs(leeway)).expect("a minute at most");
    let mut verifier = OperatorVerifier::new(audience(CLIENT)).with_leeway(leeway);
    verifier.trust(issuer(PROVIDER), pen.set()).expect("a new provider");
    verifier
}

fn claims() -> Value {
    json!({
        "iss": PROVIDER, "sub": "u_7Qm2c1", "aud": CLIENT, "iat": START, "exp": START + 300, "nonce": NONCE,
        "auth_time": START - 60, "acr": "urn:acme:loa:3", "amr": ["hwk", "pin"], "azp": CLIENT, "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
        "name": "Ada Lovelace", "email": "ada@acme.example", "email_verified": true,
    })
}

fn verify(claims: &Value) -> Result<OperatorSession, ProofError> {
    let pen = Pen::new("ES256", "a");
    verifier(&pen, 0).verify(&pen.sign(claims), NONCE, at(START))
}

#[test]
fn a_sign_in_is_a_session_until_the_token_ends_and_how_it_was_is_kept() {
    for algorithm in ALGORITHMS {
        let pen = Pen::new(algorithm, "a");
        let session = verifier(&pen, 0).verify(&pen.sign(&claims()), NONCE, at(START + 9)).expect("a session");
        assert_eq!(session.operator().id(), &OperatorId::new(PROVIDER, "u_7Qm2c1").expect("an id"));
        assert_eq!((session.signed_in(), session.until()), (at(START), at(START + 300)));
        let how = session.authentication();
        assert_eq!((how.class(), how.time()), (Some("urn:acme:loa:3"), Some(at(START - 60))));
        assert_eq!(how.methods().collect::<Vec<_>>(), ["hwk", "pin"]);
        let valid = [START - 1, START, START + 299, START + 300].map(|now| session.is_valid_at(at(now)));
        assert_eq!(valid, [false, true, true, false], "{algorithm}");
    }
    let bare =
        ["auth_time", "acr", "amr", "azp", "at_hash"].iter().fold(claims(), |claims, claim| without(&claims, claim));
    let session = verify(&bare).expect("a session");
    let how = session.authentication();
    assert_eq!((how.class(), how.time(), how.methods().count()), (None, None, 0));
}

#[test]
fn a_sign_in_that_another_began_or_another_client_asked_for_is_refused() {
    let set = |claim: &'static str, value: Value| changed(&claims(), |claims| claims[claim] = value);
    let rows = [
        ("as it is", claims(), None),
        ("no nonce", without(&claims(), "nonce"), Some(Flaw::Replayed)),
        ("another nonce", set("nonce", json!("n-0S6_WzA2Mk")), Some(Flaw::Replayed)),
        ("the nonce in capitals", set("nonce", json!(NONCE.to_uppercase())), Some(Flaw::Replayed)),
        ("the nonce and more", set("nonce", json!(format!("{NONCE} "))), Some(Flaw::Replayed)),
        ("an empty nonce", set("nonce", json!("")), Some(Flaw::Replayed)),
        ("a list with the nonce", set("nonce", json!([NONCE])), Some(Flaw::Claims)),
        ("no nonce to speak of", set("nonce", json!(null)), Some(Flaw::Claims)),
        ("another client", set("aud", json!("another-client")), Some(Flaw::Audience)),
        ("another party", set("azp", json!("another-client")), Some(Flaw::Audience)),
        ("an empty party", set("azp", json!("")), Some(Flaw::Audience)),
        ("a party that is no text", set("azp", json!([CLIENT])), Some(Flaw::Claims)),
        ("a party that is null", set("azp", json!(null)), Some(Flaw::Claims)),
        ("no `iat`", without(&claims(), "iat"), Some(Flaw::Claims)),
        ("a sign-in after the token was made", set("auth_time", json!(START + 1)), Some(Flaw::Claims)),
        ("a sign-in as the token was made", set("auth_time", json!(START)), None),
        ("a sign-in before 1970", set("auth_time", json!(-1)), Some(Flaw::Claims)),
        ("a sign-in at no whole second", set("auth_time", json!(1.5)), Some(Flaw::Claims)),
        ("a sign-in that is a text", set("auth_time", json!("1790000000")), Some(Flaw::Claims)),
        ("a sign-in that is null", set("auth_time", json!(null)), Some(Flaw::Claims)),
        ("a class that is no text", set("acr", json!(3)), Some(Flaw::Claims)),
        ("a class with a line break", set("acr", json!("a\nb")), Some(Flaw::Claims)),
        ("a class that is empty", set("acr", json!("")), Some(Flaw::Claims)),
        ("a class that is long", set("acr", json!("a".repeat(501))), Some(Flaw::Claims)),
        ("a method with a control character", set("amr", json!(["pwd", "\u{1b}[2J"])), Some(Flaw::Claims)),
        ("a subject with a space", set("sub", json!("ada lovelace")), Some(Flaw::Subject)),
        ("no subject to speak of", set("sub", json!("")), Some(Flaw::Subject)),
        ("a long subject", set("sub", json!("a".repeat(256))), Some(Flaw::Subject)),
        ("a subject as long as may be", set("sub", json!("a".repeat(255))), None),
    ];
    for (what, claims, expected) in rows {
        assert_eq!(flaw(verify(&claims)), expected, "{what}");
    }
    let pen = Pen::new("ES256", "a");
    let empty = pen.sign(&set("nonce", json!("")));
    assert_eq!(flaw(verifier(&pen, 0).verify(&empty, "", at(START))), Some(Flaw::Replayed), "a host without a nonce");
    let none = pen.sign(&without(&claims(), "nonce"));
    assert_eq!(
        flaw(verifier(&pen, 0).verify(&none, "", at(START))),
        Some(Flaw::Replayed),
        "nor does the token have one"
    );
}

#[test]
fn whatever_says_that_it_is_no_person_s_is_refused() {
    let rows = [
        ("idtyp", json!("app"), Flaw::Subject),
        ("sub_profile", json!("ai_agent"), Flaw::Subject),
        ("act", json!({ "sub": "agent" }), Flaw::Subject),
        ("act", json!(null), Flaw::Subject),
        ("azp", json!("u_7Qm2c1"), Flaw::Subject),
        ("appid", json!("u_7Qm2c1"), Flaw::Subject),
        ("client_id", json!("u_7Qm2c1"), Flaw::Subject),
        ("kubernetes.io", json!({}), Flaw::Subject),
        ("repository_id", json!("74"), Flaw::Subject),
        ("google", json!({}), Flaw::Subject),
        ("sub", json!("system:serviceaccount:billing:invoices"), Flaw::Subject),
        ("sub", json!("spiffe://acme.example/agent/triage"), Flaw::Subject),
        ("xms_act_fct", json!("11"), Flaw::Subject),
        ("xms_act_fct", json!("3 11 9"), Flaw::Subject),
        ("xms_sub_fct", json!("9 11"), Flaw::Subject),
        ("xms_sub_fct", json!("13"), Flaw::Subject),
        ("xms_sub_fct", json!("9 13"), Flaw::Subject),
        // What cannot be read may say anything.
        ("xms_sub_fct", json!(13), Flaw::Claims),
        ("xms_sub_fct", json!(["13"]), Flaw::Claims),
        ("xms_sub_fct", json!("9,13"), Flaw::Claims),
        ("xms_sub_fct", json!("9  13"), Flaw::Claims),
        ("xms_sub_fct", json!("9\t13"), Flaw::Claims),
        ("xms_act_fct", json!(11), Flaw::Claims),
        ("xms_act_fct", json!(""), Flaw::Claims),
        ("idtyp", json!(["app"]), Flaw::Claims),
        ("sub_profile", json!({ "is": "ai_agent" }), Flaw::Claims),
        ("client_id", json!(["u_7Qm2c1"]), Flaw::Claims),
    ];
    for (claim, value, expected) in rows {
        let found = verify(&changed(&claims(), |claims| claims[claim] = value.clone()));
        assert_eq!(flaw(found), Some(expected), "{claim} is {value}");
    }
    // People have facets too, and their provider may say that they are people.
    for (claim, value) in
        [("xms_sub_fct", "3 9 113"), ("xms_act_fct", "1 110"), ("idtyp", "user"), ("client_id", CLIENT)]
    {
        assert_eq!(flaw(verify(&changed(&claims(), |claims| claims[claim] = value.into()))), None, "{claim}");
    }
}

#[test]
fn how_somebody_signed_in_is_bounded() {
    let many: Vec<String> = (0..40).map(|number| format!("m{number}")).collect();
    let session = verify(&changed(&claims(), |claims| claims["amr"] = json!(many))).expect("a session");
    assert_eq!(session.authentication().methods().collect::<Vec<_>>(), many[..16]);
    // What is no list of texts says nothing, and so satisfies nobody who asks for a method.
    for amr in [json!("mfa"), json!({ "mfa": true }), json!([1, null])] {
        let session = verify(&changed(&claims(), |claims| claims["amr"] = amr.clone())).expect("a session");
        assert_eq!(session.authentication().methods().count(), 0, "{amr}");
    }
}

#[test]
fn a_clock_that_is_ahead_signs_nobody_in_before_now() {
    let pen = Pen::new("ES256", "a");
    let token = pen.sign(&claims());
    let session = verifier(&pen, 60).verify(&token, NONCE, at(START - 60)).expect("a session");
    assert_eq!((session.signed_in(), session.until()), (at(START - 60), at(START + 360)));
    assert!(session.is_valid_at(at(START - 60)));
    assert_eq!(flaw(verifier(&pen, 60).verify(&token, NONCE, at(START - 61))), Some(Flaw::NotYetValid));
    let late = verifier(&pen, 60).verify(&token, NONCE, at(START + 359)).expect("a session");
    assert!(late.is_valid_at(at(START + 359)) && !late.is_valid_at(at(START + 360)));
}

#[test]
fn one_provider_does_not_speak_for_another() {
    let (own, other) = (Pen::new("ES256", "a"), Pen::new("ES256", "b").called("key-a"));
    let mut verifier = verifier(&own, 0);
    verifier.trust(issuer("https://idp.partner.example"), other.set()).expect("a new provider");
    assert_eq!(flaw(verifier.verify(&other.sign(&claims()), NONCE, at(START))), Some(Flaw::Signature));
    let theirs = changed(&claims(), |claims| claims["iss"] = "https://idp.partner.example".into());
    let session = verifier.verify(&other.sign(&theirs), NONCE, at(START)).expect("a session");
    assert_ne!(session.operator().id(), &OperatorId::new(PROVIDER, "u_7Qm2c1").expect("an id"));
}
