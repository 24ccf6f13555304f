//! What every token of another party must be, whoever it is about: strict, with a closed header, for one audience, in time,
//! and of its own kind.
//!
//! The four verifiers trust one key under one name, and expect one audience: only what a token says of itself tells the kinds
//! apart.

use bailiwick::identity::{
    EntraVerifier, Environment, Executed, IdentityVerifier, KeyPossession, OidcVerifier, OperatorVerifier, ProofError,
    Selector, SpiffeVerifier, TrustBundle, TrustDomain,
};
use bailiwick::jose::{Flaw, Leeway};
use bailiwick::time::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

use crate::pens::{Pen, changed, flaw, without};
use crate::published::{AGENT, ISSUER as OURS, audience, credentials, encode, issuer, known, shown};
use crate::world::{START, at};

const HOST: &str = "https://host.acme.example";
const ISSUER: &str = "https://login.microsoftonline.com/8d3f1c5e-6a51-4a0f-9a27-1f6f7f2f4b10/v2.0";
const NONCE: &str = "n-0S6_WzA2Mj";

/// Verifies a token, and forgets whom it names.
type Verify = Box<dyn Fn(&str, Timestamp) -> Result<(), ProofError>>;

/// A verifier, and claims that are right for it.
struct Kind {
    name: &'static str,
    claims: Value,
    verify: Verify,
}

impl Kind {
    fn flaw_at(&self, token: &str, unix: i64) -> Option<Flaw> {
        flaw((self.verify)(token, at(unix)))
    }

    fn flaw(&self, token: &str) -> Option<Flaw> {
        self.flaw_at(token, START)
    }
}

/// The four kinds, all under the key of this pen.
fn kinds(pen: &Pen, leeway: u64) -> [Kind; 4] {
    let leeway = Leeway::new(Duration::from_secs(leeway)).expect("a minute at most");
    let production = Environment::new("production").expect("an environment");
    let bundle = json!({ "keys": [pen.jwk("jwt-svid")] }).to_string();
    let domain = TrustDomain::new("acme.example").expect("a trust domain");
    let mut svids = SpiffeVerifier::new(audience(HOST), production.clone()).with_leeway(leeway);
    svids.trust(TrustBundle::from_json(domain, production, &bundle).expect("a bundle")).expect("a new domain");

    let mut oidc = OidcVerifier::new(audience(HOST)).with_leeway(leeway);
    oidc.trust(issuer(ISSUER), pen.set()).expect("a new issuer");
    for (name, sub) in [("runner", "runner-7"), ("ada", "u_7Qm2c1"), ("obo", "pairwise-1"), ("account", "pairwise-2")] {
        let agent = format!("spiffe://acme.example/agent/{name}").parse().expect("an agent");
        oidc.select(Selector::new(agent, issuer(ISSUER)).with("/sub", sub).expect("a claim")).expect("a selector");
    }

    let mut operators = OperatorVerifier::new(audience(HOST)).with_leeway(leeway);
    operators.trust(issuer(ISSUER), pen.set()).expect("a new provider");

    let mut entra = EntraVerifier::new(audience(HOST)).with_leeway(leeway);
    entra.trust(issuer(ISSUER), pen.set()).expect("a new tenant");

    let common = json!({ "iss": ISSUER, "aud": HOST, "iat": START, "nbf": START, "exp": START + 300 });
    let with = |more: Value| {
        let mut claims = common.clone();
        claims.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        claims
    };
    [
        Kind {
            name: "SVID",
            claims: with(json!({ "sub": "spiffe://acme.example/agent/triage" })),
            verify: Box::new(move |token, now| svids.verify(token, now).map(drop)),
        },
        Kind {
            name: "token of a workload",
            claims: with(json!({ "sub": "runner-7", "job": "release" })),
            verify: Box::new(move |token, now| oidc.verify(token, now).map(drop)),
        },
        Kind {
            name: "sign-in",
            claims: with(json!({ "sub": "u_7Qm2c1", "nonce": NONCE, "auth_time": START - 9, "amr": ["hwk"] })),
            verify: Box::new(move |token, now| operators.verify(token, NONCE, now).map(drop)),
        },
        Kind {
            name: "access token of an agent for a person",
            claims: with(json!({
                "sub": "pairwise-1", "idtyp": "user", "azp": "6e1b", "oid": "91ab",
                "xms_act_fct": "3 9 11", "xms_sub_fct": "9 3",
            })),
            verify: Box::new(move |token, now| entra.verify(token, now).map(|_: Executed| ())),
        },
    ]
}

fn pen() -> Pen {
    Pen::new("ES256", "a")
}

#[test]
fn each_verifier_takes_its_own_kind_and_refuses_every_other() {
    let pen = pen();
    let kinds = kinds(&pen, 0);
    for (owner, kind) in kinds.iter().enumerate() {
        for (other, shown) in kinds.iter().enumerate() {
            let found = kind.flaw(&pen.sign(&shown.claims));
            assert_eq!(found.is_none(), owner == other, "a {} where a {} is wanted: {found:?}", shown.name, kind.name);
        }
    }
}

#[test]
fn no_addition_makes_one_kind_pass_for_another() {
    // The shown token also says what the verifier looks for, as far as another issuer's token could.
    let pen = pen();
    let [_, workload, sign_in, entra] = kinds(&pen, 0);
    let with = |claims: &Value, more: Value| {
        let mut claims = claims.clone();
        claims.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        claims
    };
    let account = with(&entra.claims, json!({ "sub": "pairwise-2", "xms_sub_fct": "9 13 3" }));
    let signed_in = json!({ "nonce": NONCE, "auth_time": START - 9, "amr": ["hwk"] });
    let people: [(&str, Value); 10] = [
        ("a workload's that has a nonce and says it is an app", with(&workload.claims, json!({"idtyp": "app"}))),
        ("a cluster's", with(&workload.claims, json!({"kubernetes.io": {"namespace": "billing"}}))),
        ("a service account's", with(&workload.claims, json!({"sub": "system:serviceaccount:billing:invoices"}))),
        ("a CI's", with(&workload.claims, json!({"repository_id": "74"}))),
        ("a cloud's", with(&workload.claims, json!({"google": {"compute_engine": {}}}))),
        ("a workload's with a SPIFFE ID", with(&workload.claims, json!({"sub": "spiffe://acme.example/agent/triage"}))),
        ("a client's own", with(&workload.claims, json!({"client_id": "runner-7"}))),
        ("an AI agent's", with(&workload.claims, json!({"sub_profile": "ai_agent"}))),
        ("an agent's for a person", entra.claims.clone()),
        ("an agent's user account's", account.clone()),
    ];
    for (what, claims) in people {
        let claims = with(&claims, signed_in.clone());
        assert_eq!(sign_in.flaw(&pen.sign(&claims)), Some(Flaw::Subject), "a sign-in: {what}");
    }
    let acted_for = with(&sign_in.claims, json!({"act": {"sub": "6e1b"}}));
    assert_eq!(sign_in.flaw(&pen.sign(&acted_for)), Some(Flaw::Subject), "somebody acts for the person");

    let workloads = [
        ("a person's sign-in", sign_in.claims.clone()),
        ("a person's, who is said to be one", with(&workload.claims, json!({"sub": "u_7Qm2c1", "idtyp": "user"}))),
        ("an agent's for a person", entra.claims),
        ("an agent's user account's", account),
    ];
    for (what, claims) in workloads {
        assert_eq!(workload.flaw(&pen.sign(&claims)), Some(Flaw::Subject), "a workload: {what}");
    }
    for mark in ["nonce", "auth_time", "amr", "acr", "at_hash", "c_hash"] {
        let value = if mark == "auth_time" { json!(START) } else { json!("x") };
        let claims = with(&workload.claims, json!({ mark: value }));
        assert_eq!(workload.flaw(&pen.sign(&claims)), Some(Flaw::Subject), "{mark} is said of people");
    }
}

#[test]
fn our_own_tokens_are_nobody_s_and_nobody_s_are_ours() {
    // The published key signs everything here: credentials, approvals, answers, and other parties' tokens.
    let pen = pen();
    let ours = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": OURS.x, "kid": OURS.thumbprint }] }).to_string();
    let ours = bailiwick::jose::JwkSet::from_json(&ours).expect("a set");
    let authz = "https://authz.acme.example";
    let mut oidc = OidcVerifier::new(audience("https://erp.acme.example"));
    oidc.trust(issuer(authz), ours.clone()).expect("a new issuer");
    let mut operators = OperatorVerifier::new(audience("https://erp.acme.example"));
    operators.trust(issuer(authz), ours.clone()).expect("a new issuer");
    let mut entra = EntraVerifier::new(audience("https://erp.acme.example"));
    entra.trust(issuer(authz), ours).expect("a new issuer");
    for name in ["auto", "obo", "sub", "proj", "approval"] {
        let (jwt, now) = (known(name).jwt, at(START + 1));
        assert!(flaw(oidc.verify(&jwt, now)) == Some(Flaw::Header), "{name}");
        assert!(flaw(operators.verify(&jwt, NONCE, now)) == Some(Flaw::Header), "{name}");
        assert!(flaw(entra.verify(&jwt, now)) == Some(Flaw::Header), "{name}");
    }

    let mut possession = KeyPossession::new(audience(HOST), Arc::new(bailiwick::entropy::SystemEntropy));
    let agent: bailiwick::identity::AgentId = "spiffe://acme.example/agent/triage".parse().expect("an agent");
    possession.register(agent.clone(), AGENT.public()).expect("a new key");
    let key = bailiwick::identity::AgentKey::from_pkcs8(&AGENT.pkcs8()).expect("a key");
    let answer = possession.challenge(&agent, at(START)).expect("a challenge").answer(&key);
    for kind in kinds(&pen, 0) {
        assert_eq!(kind.flaw(&answer), Some(Flaw::Header), "an answer as a {}", kind.name);
        for typ in ["JWT", "JOSE"] {
            let text = kind.claims.to_string();
            let by_ours =
                credentials().verify(&shown(&OURS.sign_text(&OURS.header(typ).to_string(), &text)), at(START));
            assert_eq!(by_ours.map_err(|refused| refused.flaw()).err(), Some(Flaw::Header), "a {}", kind.name);
            let as_answer = possession.verify(&AGENT.sign_text(&AGENT.header(typ).to_string(), &text), at(START));
            assert_eq!(flaw(as_answer), Some(Flaw::Header), "a {} as an answer", kind.name);
        }
    }
    assert!(possession.verify(&answer, at(START)).is_ok());
}

#[test]
fn the_header_is_closed_whoever_the_token_is_about() {
    let pen = pen();
    let with = |member: &str, value: Value| changed(&pen.header(), |header| header[member] = value).to_string();
    let header = Some(Flaw::Header);
    let mut table: Vec<(String, Option<Flaw>)> = vec![
        (pen.header().to_string(), None),
        (without(&pen.header(), "typ").to_string(), None),
        (without(&pen.header(), "alg").to_string(), header),
        (without(&pen.header(), "kid").to_string(), header),
        (with("kid", json!(null)), header),
        (with("kid", json!(1)), header),
        (with("kid", json!("")), Some(Flaw::UnknownKey)),
        (with("kid", json!("key-A")), Some(Flaw::UnknownKey)),
        (with("kid", json!("../key-a")), Some(Flaw::UnknownKey)),
        (with("kid", json!("key-a\u{0}")), Some(Flaw::UnknownKey)),
        (with("kid", json!(["key-a"])), header),
        (with("alg", json!(["ES256"])), header),
        (r#"{"alg":"none","alg":"ES256","kid":"key-a"}"#.to_owned(), header),
        (r#"{"alg":"ES256","\u0061lg":"none","kid":"key-a"}"#.to_owned(), header),
        (r#"{"alg":"ES256","kid":"key-a"} {}"#.to_owned(), header),
        (r#"["ES256","key-a",null,null,null]"#.to_owned(), header),
        (r#"["ES256","key-a"]"#.to_owned(), header),
        ("{}".to_owned(), header),
        ("null".to_owned(), header),
        ("ES256".to_owned(), header),
        (format!(r#"{{"alg":"ES256","kid":"key-a"{}}}"#, " ".repeat(1024)), header),
    ];
    let members = [
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("enc", json!("A256GCM")),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MIIB"])),
        ("jwk", Pen::new("ES256", "b").jwk),
        ("nonce", json!("x")),
        ("exp", json!(START)),
        ("", json!("")),
    ];
    table.extend(members.map(|(member, value)| (with(member, value), header)));
    let types =
        ["jwt", "Jwt", "application/jwt", "at+jwt", "logout+jwt", "secevent+jwt", "wit+jwt", "dpop+jwt", "JWT ", ""];
    table.extend(types.map(|typ| (with("typ", typ.into()), header)));
    // What is there is meant: `null` is not the same as nothing.
    for member in ["typ", "x5t", "x5t#S256", "alg"] {
        table.push((with(member, json!(null)), header));
        table.push((with(member, json!(7)), header));
    }
    let algorithms =
        ["none", "None", "nOnE", "", "HS256", "HS384", "HS512", "es256", "ES256 ", "ES256K", "ES512", "Ed448"];
    table.extend(algorithms.map(|algorithm| (with("alg", algorithm.into()), header)));
    // Known, and not this key's.
    table.extend(["ES384", "RS256", "PS256", "EdDSA", "Ed25519"].map(|other| (with("alg", other.into()), header)));
    for kind in kinds(&pen, 0) {
        for (written, expected) in &table {
            let found = kind.flaw(&pen.sign_text(written, &kind.claims.to_string()));
            assert_eq!(found, *expected, "{}: {written}", kind.name);
        }
        // Entra and GitHub say which certificate is behind the key; a trust domain does not.
        for (member, value) in [("x5t", "2ZQpJ3UpbjAYXYGaXEJl8lV0TOI"), ("x5t#S256", "AA")] {
            let found = kind.flaw(&pen.sign_text(&with(member, value.into()), &kind.claims.to_string()));
            assert_eq!(found, (kind.name == "SVID").then_some(Flaw::Header), "{}: {member}", kind.name);
        }
        let jose = kind.flaw(&pen.sign_text(&with("typ", "JOSE".into()), &kind.claims.to_string()));
        assert_eq!(jose, (kind.name != "SVID").then_some(Flaw::Header), "{}: JOSE", kind.name);
    }
}

#[test]
fn an_encoding_is_the_only_one() {
    let pen = pen();
    for kind in kinds(&pen, 0) {
        let token = pen.sign(&kind.claims);
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else { panic!("three parts") };
        let rows = [
            ("nothing", String::new()),
            ("two parts", format!("{header}.{claims}")),
            ("four parts", format!("{token}.{signature}")),
            ("five parts", format!("{token}.{signature}.{signature}")),
            ("no header", format!(".{claims}.{signature}")),
            ("no claims", format!("{header}..{signature}")),
            ("no signature", format!("{header}.{claims}.")),
            ("a space before", format!(" {token}")),
            ("a line break after", format!("{token}\n")),
            ("padding", format!("{token}==")),
            ("the other alphabet", format!("{header}.{claims}.+{}", &signature[1..])),
            ("bits that are left over", format!("{header}.{claims}.{}{}", &signature[..85], "B")),
            ("JSON", json!({ "payload": claims, "protected": header, "signature": signature }).to_string()),
            ("too long", format!("{header}.{}.{signature}", "A".repeat(16 * 1024))),
            ("not ASCII", format!("{header}.{claims}.{signature}\u{e9}")),
        ];
        for (what, token) in rows {
            assert_eq!(kind.flaw(&token), Some(Flaw::Encoding), "{}: {what}", kind.name);
        }
        assert_eq!(kind.flaw(&token), None, "{}", kind.name);
    }
}

#[test]
fn a_signature_is_the_key_s_own_and_of_its_own_form() {
    let (pen, other) = (pen(), Pen::new("ES256", "b"));
    for kind in kinds(&pen, 0) {
        let claims = kind.claims.to_string();
        let token = pen.sign(&kind.claims);
        let (message, _) = token.rsplit_once('.').expect("three parts");
        let signature = pen.signature(message.as_bytes());
        let (r, s) = signature.split_at(32);
        let order = hex(ORDER);
        let rows = [
            ("of another key", other.signature(message.as_bytes())),
            ("of another message", pen.signature(b"another message")),
            ("r is nothing", [&[0; 32], s].concat()),
            ("s is nothing", [r, &[0; 32]].concat()),
            ("both are nothing", vec![0; 64]),
            ("r is the order", [&order[..], s].concat()),
            ("s is the order", [r, &order[..]].concat()),
            ("a byte less", signature[..63].to_vec()),
            ("a byte more", [&signature[..], &[0]].concat()),
            ("in DER", der(r, s)),
            ("swapped", [s, r].concat()),
            ("one byte", vec![1]),
        ];
        for (what, signature) in rows {
            let found = kind.flaw(&format!("{message}.{}", encode(&signature)));
            assert_eq!(found, Some(Flaw::Signature), "{}: {what}", kind.name);
        }
        let claimed = other.sign_text(&pen.header().to_string(), &claims);
        assert_eq!(kind.flaw(&claimed), Some(Flaw::Signature), "{}: another key under this name", kind.name);
        assert_eq!(kind.flaw(&other.sign(&kind.claims)), Some(Flaw::UnknownKey), "{}: another key", kind.name);
    }
}

/// The order of P-256 (SEC 2, section 2.4.2).
const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

fn hex(digits: &str) -> [u8; 32] {
    crate::published::bytes(digits)
}

/// An ECDSA signature as a sequence of two integers, each without a sign.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| [&[2, 33, 0], number].concat();
    [&[0x30, 70], &integer(r)[..], &integer(s)].concat()
}

#[test]
fn times_hold_at_the_second_with_and_without_leeway() {
    let pen = pen();
    for leeway in [0, 1, 60] {
        for kind in kinds(&pen, leeway) {
            let far = i64::try_from(leeway).expect("seconds");
            let times = |iat: Value, nbf: Value, exp: i64| {
                let claims = changed(&kind.claims, |claims| claims["exp"] = exp.into());
                let mut claims = changed(&claims, |claims| (claims["iat"], claims["nbf"]) = (iat.clone(), nbf.clone()));
                claims.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
                // Nobody signs in before the token is made.
                if kind.name == "sign-in" {
                    claims["auth_time"] = 1.into();
                }
                pen.sign(&claims)
            };
            let (early, late) = (Some(Flaw::NotYetValid), Some(Flaw::Expired));
            let rows = [
                ("iat", times(START.into(), Value::Null, START + 300), START - far - 1, early),
                ("iat", times(START.into(), Value::Null, START + 300), START - far, None),
                ("nbf", times((START - 500).into(), START.into(), START + 300), START - far - 1, early),
                ("nbf", times((START - 500).into(), START.into(), START + 300), START - far, None),
                ("iat after nbf", times(START.into(), (START - 500).into(), START + 300), START - far - 1, early),
                ("exp", times((START - 500).into(), (START - 500).into(), START), START + far - 1, None),
                ("exp", times((START - 500).into(), (START - 500).into(), START), START + far, late),
                ("exp", times((START - 500).into(), (START - 500).into(), START), START + far + 1, late),
            ];
            for (what, token, now, expected) in rows {
                assert_eq!(kind.flaw_at(&token, now), expected, "{}, leeway {far}, {what} at {now}", kind.name);
            }
            let token = times((START - 500).into(), (START - 500).into(), START);
            let half = at(START + far - 1).after(Duration::from_millis(999));
            assert_eq!(flaw((kind.verify)(&token, half)), None, "{}: the last millisecond", kind.name);
        }
    }
}

#[test]
fn claims_are_strict_and_times_are_whole_seconds() {
    let pen = pen();
    let claims = Some(Flaw::Claims);
    for kind in kinds(&pen, 60) {
        for claim in ["sub", "aud", "exp"] {
            assert_eq!(kind.flaw(&pen.sign(&without(&kind.claims, claim))), claims, "{}: no {claim}", kind.name);
        }
        for claim in ["sub", "aud", "exp", "iat", "nbf"] {
            for value in [json!(null), json!([]), json!({}), json!(true), json!(["x", "y"])] {
                let token = pen.sign(&changed(&kind.claims, |claims| claims[claim] = value.clone()));
                assert_eq!(kind.flaw(&token), claims, "{}: {claim} is {value}", kind.name);
            }
        }
        let numbers =
            ["\"9\"", "9.5", "1790000300.0", "1.79e9", "1e400", "9223372036854775808", "-9223372036854775809"];
        for number in numbers.iter().chain(&["253402300800", "9223372036854775807"]) {
            let text =
                kind.claims.to_string().replace(&format!("\"exp\":{}", START + 300), &format!("\"exp\":{number}"));
            assert!(text.contains(number), "{text}");
            let token = pen.sign_text(&pen.header().to_string(), &text);
            assert_eq!(kind.flaw(&token), claims, "{}: exp is {number}", kind.name);
        }
        for (claim, value) in
            [("iat", 0), ("nbf", 0), ("iat", -1), ("nbf", -1), ("iat", START + 300), ("nbf", START + 301)]
        {
            let token = pen.sign(&changed(&kind.claims, |claims| claims[claim] = value.into()));
            assert_eq!(kind.flaw(&token), claims, "{}: {claim} is {value}", kind.name);
        }
        for value in [0, -1, i64::MIN] {
            let token = pen.sign(&changed(&kind.claims, |claims| claims["exp"] = value.into()));
            assert!(kind.flaw(&token).is_some(), "{}: exp is {value}", kind.name);
        }
        let text = kind.claims.to_string();
        let twice = text.replacen('{', r#"{"sub":"somebody-else","#, 1);
        let nested = text.replacen('{', r#"{"x":{"a":{"b":1,"b":1}},"#, 1);
        let deep = text.replacen('{', &format!(r#"{{"x":{}{},"#, "[".repeat(16), "]".repeat(16)), 1);
        let fits = text.replacen('{', &format!(r#"{{"x":{}{},"#, "[".repeat(15), "]".repeat(15)), 1);
        let rows = [
            ("twice", twice, claims),
            ("twice within", nested, claims),
            ("too deep", deep, claims),
            ("as deep as may be", fits, None),
            ("more after it", format!("{text} {{}}"), claims),
            ("a list", format!("[{text}]"), claims),
            ("a text", json!(text).to_string(), claims),
            ("a comment", text.replacen('{', "{/**/", 1), claims),
            ("half a character", text.replacen('{', r#"{"x":"\ud800","#, 1), claims),
        ];
        for (what, text, expected) in rows {
            let token = pen.sign_text(&pen.header().to_string(), &text);
            assert_eq!(kind.flaw(&token), expected, "{}: {what}", kind.name);
        }
        let (header, latin) = (pen.header().to_string(), text.replacen('{', r#"{"x":"?","#, 1));
        let latin: Vec<u8> = latin.bytes().map(|byte| if byte == b'?' { 0xe9 } else { byte }).collect();
        assert_eq!(kind.flaw(&pen.sign_bytes(header.as_bytes(), &latin)), claims, "{}: no UTF-8", kind.name);
        let marked = ["\u{feff}", &header].concat();
        assert_eq!(kind.flaw(&pen.sign_text(&marked, &text)), Some(Flaw::Header), "{}: a mark before", kind.name);
    }
}

#[test]
fn the_audience_is_one_and_exact() {
    let pen = pen();
    let audience = Some(Flaw::Audience);
    for kind in kinds(&pen, 0) {
        let rows = [
            (json!(HOST), None),
            (json!([HOST]), None),
            (json!([HOST, "https://other.example"]), Some(Flaw::Claims)),
            (json!([HOST, HOST]), Some(Flaw::Claims)),
            (json!([]), Some(Flaw::Claims)),
            (json!(format!("{HOST}/")), audience),
            (json!(&HOST[..HOST.len() - 1]), audience),
            (json!(HOST.to_uppercase()), audience),
            (json!(format!(" {HOST}")), audience),
            (json!("*"), audience),
            (json!(""), audience),
            (json!([""]), audience),
            (json!([[HOST]]), Some(Flaw::Claims)),
            (json!({ "0": HOST }), Some(Flaw::Claims)),
        ];
        for (value, expected) in rows {
            let token = pen.sign(&changed(&kind.claims, |claims| claims["aud"] = value.clone()));
            assert_eq!(kind.flaw(&token), expected, "{}: {value}", kind.name);
        }
    }
}

#[test]
fn the_issuer_is_one_that_is_trusted_exactly() {
    let pen = pen();
    // An SVID may say who issued it, and nobody asks.
    let [_, kinds @ ..] = kinds(&pen, 0);
    for kind in kinds {
        let rows = [
            (json!(format!("{ISSUER}/")), Some(Flaw::UnknownKey)),
            (json!(ISSUER.to_uppercase()), Some(Flaw::UnknownKey)),
            (json!(ISSUER.replace("https", "http")), Some(Flaw::UnknownKey)),
            (json!(""), Some(Flaw::UnknownKey)),
            (json!([ISSUER]), Some(Flaw::Claims)),
            (json!(null), Some(Flaw::Claims)),
        ];
        for (value, expected) in rows {
            let token = pen.sign(&changed(&kind.claims, |claims| claims["iss"] = value.clone()));
            assert_eq!(kind.flaw(&token), expected, "{}: {value}", kind.name);
        }
        assert_eq!(kind.flaw(&pen.sign(&without(&kind.claims, "iss"))), Some(Flaw::Claims), "{}", kind.name);
    }
}
