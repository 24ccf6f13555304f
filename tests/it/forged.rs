//! Tokens that are signed with the right key and still wrong, or right and then tampered with: all refused.

use bailiwick::credential::VerifiedCredential;
use bailiwick::jose::{Flaw, Refused};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::any::cases;
use crate::published::{
    AGENT, APPROVALS, AUTHZ, ERP, ISSUER, Known, approvals, bytes, credentials, decode, encode, known, shown,
};
use crate::world::{START, at};

const CONTEXT: &str = "urn:bailiwick:claims:v1";

/// Verifies at the time at which both known credentials are good.
fn verify(token: &str) -> Result<VerifiedCredential, Refused> {
    credentials().verify(&shown(token), at(START + 100))
}

fn flaw(token: &str) -> Option<Flaw> {
    verify(token).map_err(Refused::flaw).err()
}

/// The claims of a known answer after one change.
fn changed(name: &str, change: impl Fn(&mut Value)) -> Value {
    let mut claims = known(name).claims;
    change(&mut claims);
    claims
}

fn without(claims: &mut Value, member: &str) {
    claims.as_object_mut().expect("an object").remove(member).expect("a member");
}

/// One change of a known credential's claims, and what is wrong then.
type Row = (&'static str, fn(&mut Value), Option<Flaw>);

fn check(name: &str, rows: &[Row]) {
    for (what, change, expected) in rows {
        assert_eq!(flaw(&ISSUER.sign(&changed(name, change))), *expected, "{name}, {what}");
    }
}

const OK: Option<Flaw> = None;
const CLAIMS: Option<Flaw> = Some(Flaw::Claims);
const SUBJECT: Option<Flaw> = Some(Flaw::Subject);
const BINDING: Option<Flaw> = Some(Flaw::Binding);
const AUTHORITY: Option<Flaw> = Some(Flaw::Authority);

#[test]
fn the_pen_of_these_tests_writes_what_is_accepted() {
    for name in ["auto", "obo"] {
        assert_eq!(verify(&ISSUER.sign(&known(name).claims)), verify(&known(name).jwt), "{name}");
        assert_eq!(flaw(&known(name).jwt), OK, "{name}");
    }
}

#[test]
fn the_header_is_closed_and_its_algorithm_is_the_key_s() {
    let claims = known("auto").claims.to_string();
    let with = |member: &str, value: Value| {
        let mut header = ISSUER.header("at+jwt");
        header[member] = value;
        header.to_string()
    };
    let alg = |alg: &str| with("alg", alg.into());
    let (kid, header) = (ISSUER.thumbprint, Some(Flaw::Header));
    let mut table: Vec<(String, Option<Flaw>)> = vec![
        (alg("EdDSA"), OK),
        (alg("Ed25519"), OK),
        (with("typ", "at+JWT".into()), header),
        (with("typ", "application/at+jwt".into()), header),
        (with("typ", "JWT".into()), header),
        (with("typ", "task-approval+jwt".into()), header),
        (with("typ", "agent-possession+jwt".into()), header),
        (with("typ", json!(["at+jwt"])), header),
        (with("kid", "".into()), Some(Flaw::UnknownKey)),
        (with("kid", "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4K".into()), Some(Flaw::UnknownKey)),
        (with("kid", "../../keys/issuer".into()), Some(Flaw::UnknownKey)),
        (with("kid", APPROVALS.thumbprint.into()), Some(Flaw::Signature)),
        (with("kid", json!(null)), header),
        (with("kid", json!(7)), header),
        (with("crit", json!([])), header),
        (with("crit", json!(["exp"])), header),
        (with("jku", "https://evil.example/keys".into()), header),
        (with("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": APPROVALS.x})), header),
        (with("x5u", "https://evil.example/cert".into()), header),
        (with("x5c", json!(["MIIB"])), header),
        (with("x5t#S256", "AA".into()), header),
        (with("zip", "DEF".into()), header),
        (with("b64", json!(false)), header),
        (with("cty", "JWT".into()), header),
        (with("enc", "A256GCM".into()), header),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#), header),
        (r#"{"alg":"EdDSA","typ":"at+jwt"}"#.to_owned(), header),
        (format!(r#"{{"kid":"{kid}","typ":"at+jwt"}}"#), header),
        (format!(r#"{{"alg":"none","alg":"EdDSA","kid":"{kid}","typ":"at+jwt"}}"#), header),
        (format!(r#"{{"alg":"EdDSA","\u0061lg":"none","kid":"{kid}","typ":"at+jwt"}}"#), header),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"at+jwt"}} x"#), header),
        ("null".to_owned(), header),
        ("not JSON".to_owned(), header),
        (format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"at+jwt"{}}}"#, " ".repeat(1024)), header),
    ];
    let other = [
        "none", "None", "NONE", "", "HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "ES512", "ES256K", "Ed448",
        "eddsa", "EDDSA", "ed25519", "ED25519", "EdDSA ",
    ];
    table.extend(other.map(|name| (alg(name), header)));
    for (written, expected) in table {
        assert_eq!(flaw(&ISSUER.sign_text(&written, &claims)), expected, "{written}");
    }
}

#[test]
fn a_key_speaks_for_its_owner_only() {
    let claims = known("auto").claims;
    assert_eq!(flaw(&APPROVALS.sign(&claims)), Some(Flaw::Issuer), "another issuer's key");
    let other = changed("auto", |claims| claims["iss"] = "https://approvals.acme.example".into());
    assert_eq!(flaw(&ISSUER.sign(&other)), Some(Flaw::Issuer), "another issuer's name");
    assert_eq!(flaw(&APPROVALS.sign(&other)), OK, "another issuer that is trusted as well");
    let slash = changed("auto", |claims| claims["iss"] = format!("{AUTHZ}/").into());
    assert_eq!(flaw(&ISSUER.sign(&slash)), Some(Flaw::Issuer), "a slash more");
    let claimed = APPROVALS.sign_text(&ISSUER.header("at+jwt").to_string(), &claims.to_string());
    assert_eq!(flaw(&claimed), Some(Flaw::Signature), "another key under the issuer's name");
    // The agent's own key, or one that nobody registered.
    assert_eq!(flaw(&AGENT.sign(&claims)), Some(Flaw::UnknownKey));
}

#[test]
fn every_claim_that_is_required_is() {
    let required = [
        "iss",
        "sub",
        "client_id",
        "aud",
        "iat",
        "nbf",
        "exp",
        "jti",
        "txn",
        "scope",
        "authorization_details",
        "cnf",
        CONTEXT,
    ];
    for claim in required {
        assert_eq!(flaw(&ISSUER.sign(&changed("auto", |claims| without(claims, claim)))), CLAIMS, "without {claim}");
        let null = changed("auto", |claims| claims[claim] = Value::Null);
        assert_eq!(flaw(&ISSUER.sign(&null)), CLAIMS, "{claim} null");
    }
    for member in ["v", "mode", "task", "accountable"] {
        let claims = changed("auto", |claims| without(&mut claims[CONTEXT], member));
        assert_eq!(flaw(&ISSUER.sign(&claims)), CLAIMS, "without {member}");
    }
    let nested: [(&str, &str); 8] = [
        ("/task", "id"),
        ("/task", "hash"),
        ("/accountable", "iss"),
        ("/accountable", "sub"),
        ("/accountable", "role"),
        ("/obo", "iss"),
        ("/obo", "sub"),
        ("/obo", "approval"),
    ];
    for (place, member) in nested {
        let claims = changed("obo", |claims| without(claims[CONTEXT].pointer_mut(place).unwrap(), member));
        assert_eq!(flaw(&ISSUER.sign(&claims)), CLAIMS, "without {place}/{member}");
    }
}

#[test]
fn a_claim_that_says_something_else_than_this_kind_of_token_is_refused_and_an_unknown_one_ignored() {
    let forbidden = [
        "act",
        "may_act",
        "email",
        "name",
        "preferred_username",
        "groups",
        "roles",
        "entitlements",
        "amr",
        "acr",
        "auth_time",
        "nonce",
        "azp",
    ];
    for claim in forbidden {
        for value in [json!("x"), Value::Null, json!({})] {
            let claims = changed("auto", |claims| claims[claim] = value.clone());
            assert_eq!(flaw(&ISSUER.sign(&claims)), CLAIMS, "{claim}: {value}");
        }
    }
    for claim in ["ver", "Act", "actor", "email_verified", "sub_id", "urn:bailiwick:claims:v2"] {
        let claims = changed("auto", |claims| claims[claim] = json!({"a": [1.5, null]}));
        assert_eq!(flaw(&ISSUER.sign(&claims)), OK, "{claim}");
    }
}

#[test]
fn a_claim_that_is_optional_says_something_or_is_not_there() {
    check(
        "obo",
        &[
            ("no profile", |c| c["sub_profile"] = Value::Null, CLAIMS),
            ("no proof", |c| c[CONTEXT]["attn"] = Value::Null, CLAIMS),
            ("no policies", |c| c[CONTEXT]["pol"] = Value::Null, CLAIMS),
            ("no user", |c| c[CONTEXT]["present_as"] = Value::Null, CLAIMS),
            ("no depth", |c| c[CONTEXT]["depth"] = Value::Null, CLAIMS),
            ("no lineage", |c| c[CONTEXT]["lineage"] = Value::Null, CLAIMS),
            ("no other key", |c| c["cnf"]["x5t#S256"] = Value::Null, CLAIMS),
            ("no resource", |c| c["authorization_details"][0]["identifier"] = Value::Null, CLAIMS),
            ("no limit", |c| c["authorization_details"][1]["constraints"]["max_calls"] = Value::Null, CLAIMS),
            ("no step", |c| c[CONTEXT]["task"]["step"] = Value::Null, CLAIMS),
        ],
    );
    // Somebody else would have to be asked.
    check("auto", &[("a status list", |c| c["status"] = json!({"status_list": {"idx": 7}}), Some(Flaw::Unproven))]);
}

#[test]
fn nothing_is_said_twice() {
    let text = known("obo").claims.to_string();
    for (once, twice) in [
        (r#""aud":"#, r#""aud":"https://erp.acme.example","aud":"#),
        (r#""aud":"#, r#""\u0061ud":"https://erp.acme.example","aud":"#),
        (r#""exp":1790000360"#, r#""exp":1790000360,"exp":1790000360"#),
        (r#""v":1"#, r#""v":1,"v":1"#),
        (r#""jkt":"#, r#""jkt":"FtIu-VbGrfe_KB6CH7GNwODB72MNxj_ml11dEvO-7kk","jkt":"#),
        (r#""max_calls":20"#, r#""max_calls":20,"max_calls":20"#),
        (r#""aud":"#, r#""unknown":{"a":[{"b":1,"b":1}]},"aud":"#),
    ] {
        let doubled = text.replacen(once, twice, 1);
        assert_ne!(doubled, text, "{once}");
        assert_eq!(flaw(&ISSUER.sign_text(&ISSUER.header("at+jwt").to_string(), &doubled)), CLAIMS, "{twice}");
    }
}

#[test]
fn a_credential_is_for_one_audience_byte_for_byte() {
    let audience = Some(Flaw::Audience);
    let table: &[(Value, Option<Flaw>)] = &[
        (json!([ERP]), CLAIMS),
        (json!([ERP, "https://evil.example"]), CLAIMS),
        (json!(""), CLAIMS),
        (json!("https://*.acme.example"), CLAIMS),
        (json!("https://erp.acme.example "), CLAIMS),
        (json!("https://erp.acme.example/"), audience),
        (json!("https://erp.acme.example:443"), audience),
        (json!("https://erp.acme.exampl"), audience),
        (json!("https://erp.acme.example.evil.example"), audience),
        (json!("HTTPS://erp.acme.example"), audience),
        (json!("https://ERP.acme.example"), audience),
        (json!("erp.acme.example"), audience),
    ];
    for (aud, expected) in table {
        // The details go along, so that nothing else is wrong.
        let claims = changed("auto", |claims| {
            claims["aud"] = aud.clone();
            claims["authorization_details"][0]["locations"][0] = aud.clone();
        });
        assert_eq!(flaw(&ISSUER.sign(&claims)), *expected, "{aud}");
    }
}

#[test]
fn times_are_whole_seconds_of_this_era() {
    let wrong = [
        json!("1790000300"),
        json!(1_790_000_300.0),
        json!(1_790_000_300.5),
        json!(-1),
        json!(1_u64 << 63),
        json!(u64::MAX),
        json!(1e300),
        json!(true),
        json!([1_790_000_300]),
    ];
    for claim in ["iat", "nbf", "exp"] {
        for value in &wrong {
            let claims = changed("auto", |claims| claims[claim] = value.clone());
            assert_eq!(flaw(&ISSUER.sign(&claims)), CLAIMS, "{claim}: {value}");
        }
    }
    // The year 10000, and the last second before it.
    let ending = |exp: i64| flaw(&ISSUER.sign(&changed("auto", |claims| claims["exp"] = exp.into())));
    assert_eq!(ending(253_402_300_800), CLAIMS);
    assert_eq!(ending(253_402_300_799), Some(Flaw::Expired), "it lives too long");
}

#[test]
fn a_credential_is_good_from_nbf_until_just_before_exp() {
    // `iat`, `nbf` and `exp` against the second at which it is verified.
    let (early, late) = (Some(Flaw::NotYetValid), Some(Flaw::Expired));
    for (iat, nbf, exp, expected) in [
        (0, 0, 1, OK),
        (-300, 0, 1, OK),
        (-300, -300, 600, OK),
        (-300, -300, 601, late),
        (-300, 0, 601, late),
        (-300, -300, 0, late),
        (-300, -300, -1, late),
        (0, 1, 300, early),
        (1, 1, 300, early),
        (1, 0, 300, CLAIMS),
        (0, 0, 0, CLAIMS),
        (-10, 0, -1, CLAIMS),
    ] {
        let now = START + 100;
        let claims = changed("auto", |claims| {
            for (claim, offset) in [("iat", iat), ("nbf", nbf), ("exp", exp)] {
                claims[claim] = (now + offset).into();
            }
        });
        assert_eq!(flaw(&ISSUER.sign(&claims)), expected, "iat {iat}, nbf {nbf}, exp {exp}");
    }
    let origin = changed("auto", |claims| claims["iat"] = 0.into());
    assert_eq!(flaw(&ISSUER.sign(&origin)), CLAIMS, "issued at the start of 1970");
}

#[test]
fn the_agent_is_the_subject_and_nobody_else() {
    check(
        "auto",
        &[
            ("another client", |c| c["client_id"] = "spiffe://acme.example/other".into(), SUBJECT),
            ("another subject", |c| c["sub"] = "spiffe://acme.example/other".into(), SUBJECT),
            ("a person as the subject", |c| c["sub"] = "u_7Qm2c1".into(), CLAIMS),
            ("a person as both", |c| (c["sub"], c["client_id"]) = ("u_7Qm2c1".into(), "u_7Qm2c1".into()), CLAIMS),
            ("a trust domain", |c| (c["sub"], c["client_id"]) = ("spiffe://a".into(), "spiffe://a".into()), CLAIMS),
            ("a person's profile", |c| c["sub_profile"] = "user".into(), SUBJECT),
            ("another case of the profile", |c| c["sub_profile"] = "AI_agent".into(), SUBJECT),
            ("no profile", |c| without(c, "sub_profile"), OK),
            ("the agent as its own user", |c| c[CONTEXT]["present_as"] = json!({"id": c["sub"]}), SUBJECT),
            ("a user without a name", |c| c[CONTEXT]["present_as"] = json!({"id": ""}), SUBJECT),
            ("a user", |c| c[CONTEXT]["present_as"] = json!({"id": "jira/bot"}), OK),
            ("a user with more", |c| c[CONTEXT]["present_as"] = json!({"id": "jira/bot", "groups": []}), CLAIMS),
        ],
    );
    check(
        "obo",
        &[
            ("another profile of the person", |c| c[CONTEXT]["obo"]["sub_profile"] = "ai_agent".into(), SUBJECT),
            ("no profile of the person", |c| without(&mut c[CONTEXT]["obo"], "sub_profile"), OK),
        ],
    );
}

#[test]
fn a_credential_is_bound_to_one_key_and_ends_before_what_it_rests_on() {
    let exp = known("obo").claims["exp"].as_i64().unwrap();
    let bound = |place: &'static str| {
        move |exp: i64| changed("obo", |claims| *claims[CONTEXT].pointer_mut(place).unwrap() = exp.into())
    };
    for (place, with) in
        [("approval", &bound("/obo/approval/exp") as &dyn Fn(i64) -> Value), ("proof", &bound("/attn/exp"))]
    {
        assert_eq!(flaw(&ISSUER.sign(&with(exp))), OK, "{place}");
        assert_eq!(flaw(&ISSUER.sign(&with(exp - 1))), BINDING, "{place}");
        assert_eq!(flaw(&ISSUER.sign(&with(i64::MIN))), BINDING, "{place}");
    }
    check(
        "auto",
        &[
            ("no key", |c| c["cnf"] = json!({}), BINDING),
            ("two keys", |c| c["cnf"]["x5t#S256"] = c["cnf"]["jkt"].clone(), BINDING),
            ("a certificate", |c| c["cnf"] = json!({"x5t#S256": c["cnf"]["jkt"]}), OK),
            ("a short thumbprint", |c| c["cnf"]["jkt"] = "FtIu".into(), CLAIMS),
            ("a padded thumbprint", |c| c["cnf"]["jkt"] = format!("{}=", "A".repeat(42)).into(), CLAIMS),
            ("a key itself", |c| c["cnf"] = json!({"jwk": {"kty": "OKP"}}), CLAIMS),
            ("a thumbprint and a key id", |c| c["cnf"]["kid"] = "1".into(), CLAIMS),
            ("no proof", |c| without(&mut c[CONTEXT], "attn"), OK),
            ("an unknown method", |c| c[CONTEXT]["attn"]["method"] = "password".into(), CLAIMS),
            ("a digest of another kind", |c| c[CONTEXT]["attn"]["hash"] = "sha-1:AAAA".into(), CLAIMS),
            ("a proof with more", |c| c[CONTEXT]["attn"]["x"] = 1.into(), CLAIMS),
        ],
    );
}

#[test]
fn the_authority_is_whole_known_and_here() {
    check(
        "obo",
        &[
            ("no detail", |c| c["authorization_details"] = json!([]), AUTHORITY),
            ("32 details", |c| repeat_detail(c, 32), OK),
            ("33 details", |c| repeat_detail(c, 33), AUTHORITY),
            ("one detail, not a list", |c| c["authorization_details"] = c["authorization_details"][0].clone(), CLAIMS),
            ("another type", |c| c["authorization_details"][0]["type"] = "payment".into(), AUTHORITY),
            ("no type", |c| without(&mut c["authorization_details"][0], "type"), CLAIMS),
            ("no action", |c| c["authorization_details"][0]["actions"] = json!([]), AUTHORITY),
            ("no actions", |c| without(&mut c["authorization_details"][0], "actions"), CLAIMS),
            ("an action that is no name", |c| c["authorization_details"][0]["actions"][0] = "a b".into(), CLAIMS),
            ("no location", |c| c["authorization_details"][0]["locations"] = json!([]), AUTHORITY),
            ("two locations", |c| c["authorization_details"][0]["locations"] = json!([ERP, ERP]), AUTHORITY),
            ("elsewhere", |c| c["authorization_details"][1]["locations"][0] = "https://b.example".into(), AUTHORITY),
            ("no locations", |c| without(&mut c["authorization_details"][0], "locations"), CLAIMS),
            ("an unknown member", |c| c["authorization_details"][0]["privileges"] = json!([]), CLAIMS),
            ("an unknown constraint", |c| c["authorization_details"][1]["constraints"]["at"] = "noon".into(), CLAIMS),
            (
                "a constraint below zero",
                |c| c["authorization_details"][1]["constraints"]["max_calls"] = (-1).into(),
                CLAIMS,
            ),
            (
                "a constraint as text",
                |c| c["authorization_details"][1]["constraints"]["max_calls"] = "20".into(),
                CLAIMS,
            ),
            ("no resource", |c| without(&mut c["authorization_details"][0], "identifier"), OK),
            ("a resource without a kind", |c| c["authorization_details"][0]["identifier"] = "ledger".into(), CLAIMS),
            ("less scope", |c| c["scope"] = "invoices.read".into(), OK),
            ("no scope", |c| c["scope"] = "".into(), AUTHORITY),
            ("more scope", |c| c["scope"] = "invoices.read invoices.write".into(), AUTHORITY),
            ("a prefix", |c| c["scope"] = "invoices".into(), AUTHORITY),
            ("another case", |c| c["scope"] = "Invoices.read".into(), AUTHORITY),
            ("a space more", |c| c["scope"] = "invoices.read  journal-entries.write".into(), AUTHORITY),
            ("a tab", |c| c["scope"] = "invoices.read\tjournal-entries.write".into(), AUTHORITY),
            ("a list", |c| c["scope"] = json!(["invoices.read"]), CLAIMS),
        ],
    );
}

fn repeat_detail(claims: &mut Value, times: usize) {
    let details = claims["authorization_details"].as_array().expect("details").iter().cycle().take(times).cloned();
    claims["authorization_details"] = details.collect();
}

#[test]
fn the_container_is_closed_and_its_mode_is_the_truth() {
    let obo = || known("obo").claims[CONTEXT]["obo"].clone();
    let with_obo = changed("auto", |claims| claims[CONTEXT]["obo"] = obo());
    assert_eq!(flaw(&ISSUER.sign(&with_obo)), CLAIMS, "autonomous, on behalf of somebody");
    check(
        "obo",
        &[
            ("autonomous, on behalf of somebody", |c| c[CONTEXT]["mode"] = "autonomous".into(), CLAIMS),
            ("on behalf of nobody", |c| without(&mut c[CONTEXT], "obo"), CLAIMS),
            ("on behalf of null", |c| c[CONTEXT]["obo"] = Value::Null, CLAIMS),
            ("another mode", |c| c[CONTEXT]["mode"] = "delegated".into(), CLAIMS),
            ("another case of the mode", |c| c[CONTEXT]["mode"] = "On_Behalf_Of".into(), CLAIMS),
            ("version 2", |c| c[CONTEXT]["v"] = 2.into(), CLAIMS),
            ("version 0", |c| c[CONTEXT]["v"] = 0.into(), CLAIMS),
            ("version 1 as text", |c| c[CONTEXT]["v"] = "1".into(), CLAIMS),
            ("version 1 as a float", |c| c[CONTEXT]["v"] = json!(1.0), CLAIMS),
            ("an unknown member", |c| c[CONTEXT]["admin"] = true.into(), CLAIMS),
            ("an unknown member of the task", |c| c[CONTEXT]["task"]["parent"] = "x".into(), CLAIMS),
            ("an unknown member of the sponsor", |c| c[CONTEXT]["accountable"]["email"] = "x".into(), CLAIMS),
            ("an unknown member of the person", |c| c[CONTEXT]["obo"]["roles"] = json!([]), CLAIMS),
            ("an unknown member of the approval", |c| c[CONTEXT]["obo"]["approval"]["x"] = 1.into(), CLAIMS),
            ("another role of the sponsor", |c| c[CONTEXT]["accountable"]["role"] = "admin".into(), CLAIMS),
            ("a person who is no issuer's", |c| c[CONTEXT]["obo"]["iss"] = "idp".into(), CLAIMS),
            ("a task without a hash", |c| c[CONTEXT]["task"]["hash"] = "sha-256:".into(), CLAIMS),
            ("a step", |c| c[CONTEXT]["task"]["step"] = 3.into(), OK),
            ("a step below zero", |c| c[CONTEXT]["task"]["step"] = (-1).into(), CLAIMS),
            ("not an object", |c| c[CONTEXT] = json!([1]), CLAIMS),
            ("a depth without a lineage", |c| c[CONTEXT]["depth"] = 1.into(), CLAIMS),
        ],
    );
    check(
        "sub",
        &[
            ("as it is", |_| (), Some(Flaw::Unproven)),
            ("a lineage without a depth", |c| without(&mut c[CONTEXT], "depth"), CLAIMS),
            ("a depth without a lineage", |c| without(&mut c[CONTEXT], "lineage"), CLAIMS),
            ("an unknown member of the lineage", |c| c[CONTEXT]["lineage"][0]["x"] = 1.into(), CLAIMS),
            // Without its lineage a sub-agent's token would be like any other: the issuer never signs that.
            ("no lineage", |c| ["lineage", "depth"].iter().for_each(|name| without(&mut c[CONTEXT], name)), OK),
        ],
    );
}

/// The way to every object below.
fn objects(value: &Value, way: &str) -> Vec<String> {
    let below = |(name, value): (String, &Value)| objects(value, &format!("{way}/{name}"));
    match value {
        Value::Object(members) => {
            [way.to_owned()].into_iter().chain(members.iter().map(|(k, v)| (k.clone(), v)).flat_map(below)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(k, v)| (k.to_string(), v)).flat_map(below).collect(),
        _ => Vec::new(),
    }
}

/// A derived reader takes an array for an object, in the order of its fields.
#[test]
fn an_array_is_no_object() {
    let values = |object: &Value| object.as_object().expect("an object").values().cloned().collect::<Vec<_>>();
    let mut accepted = Vec::new();
    for name in ["auto", "obo", "approval"] {
        let Known { header, claims, .. } = known(name);
        let key = if name == "approval" { APPROVALS } else { ISSUER };
        let mut check = |what: String, header: &Value, claims: &Value| {
            let token = key.sign_text(&header.to_string(), &claims.to_string());
            let now = at(START + 100);
            if credentials().verify(&shown(&token), now).is_ok() || approvals().verify(&token, now).is_ok() {
                accepted.push(format!("{name} {what}"));
            }
        };
        for way in objects(&claims, "") {
            // Fields are mostly in lexical order, or in the reverse one.
            let lexical = values(claims.pointer(&way).expect("an object"));
            for array in [lexical.clone(), lexical.into_iter().rev().collect()] {
                let mut changed = claims.clone();
                *changed.pointer_mut(&way).expect("an object") = array.into();
                check(way.clone(), &header, &changed);
            }
        }
        check("header".to_owned(), &values(&header).into(), &claims);
    }
    assert_eq!(accepted, [] as [&str; 0]);
}

#[test]
fn an_id_is_short_text_of_base64url() {
    let with = |claim: &str, id: &str| flaw(&ISSUER.sign(&changed("auto", |claims| claims[claim] = id.into())));
    for claim in ["jti", "txn"] {
        for (length, expected) in [(0, CLAIMS), (7, CLAIMS), (22, OK), (64, OK), (65, CLAIMS)] {
            assert_eq!(with(claim, &"a".repeat(length)), expected, "{claim} of {length} characters");
        }
        for id in ["tc_2J5cQm8sVb0XzR4yLw1p=", "tc_2J5cQm8sVb0XzR4yLw1p/", "tc_2J5cQm8sVb0XzR4yLw1p é"] {
            assert_eq!(with(claim, id), CLAIMS, "{claim} {id}");
        }
    }
}

/// By its id a credential is revoked: 128 bits of it, which are 22 characters, cannot be guessed.
#[test]
fn the_id_of_a_credential_has_128_bits() {
    let with = |length| flaw(&ISSUER.sign(&changed("auto", |claims| claims["jti"] = "a".repeat(length).into())));
    assert_eq!((with(21), with(22)), (CLAIMS, OK));
}

#[test]
fn a_token_is_three_parts_of_strict_base64url() {
    let token = known("auto").jwt;
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("three parts") };
    // The last letter of the signature carries two bits that must be zero.
    let last = signature.chars().last().unwrap();
    let stray = char::from(last as u8 + 1);
    let loose = format!("{}{stray}", &signature[..signature.len() - 1]);
    assert_eq!(decode(&loose), decode(signature), "the same bytes, written otherwise");
    let table = [
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{claims}")),
        ("two parts and a dot", format!("{header}.{claims}.")),
        ("four parts", format!("{token}.{signature}")),
        ("five parts", format!("{header}.{header}.{claims}.{claims}.{signature}")),
        ("a dot before", format!(".{token}")),
        ("a dot after", format!("{token}.")),
        ("no header", format!(".{claims}.{signature}")),
        ("no claims", format!("{header}..{signature}")),
        ("padding after the signature", format!("{token}==")),
        ("padding after the header", format!("{header}=.{claims}.{signature}")),
        ("a space before", format!(" {token}")),
        ("a line break after", format!("{token}\n")),
        ("a line break within", format!("{header}.{}\n{}.{signature}", &claims[..64], &claims[64..])),
        ("another alphabet", token.replace('_', "/").replace('-', "+")),
        ("stray bits at the end", format!("{header}.{claims}.{loose}")),
        ("a length that cannot be", format!("{header}.{claims}.{}", &signature[..85])),
        ("a scheme before", format!("Bearer {token}")),
        ("not ASCII", format!("{header}.{claims}é.{signature}")),
    ];
    for (name, token) in table {
        assert_eq!(flaw(&token), Some(Flaw::Encoding), "{name}");
    }
}

#[test]
fn a_token_of_16_kib_is_read_and_a_longer_one_not() {
    // Spaces in the header reach the lengths that base64url leaves out.
    let padded = |spaces: usize, bytes: usize| {
        let header = format!("{}{}", ISSUER.header("at+jwt"), " ".repeat(spaces));
        let claims = changed("auto", |claims| claims["padding"] = "a".repeat(bytes).into());
        ISSUER.sign_text(&header, &claims.to_string())
    };
    let tokens = (0..3).flat_map(|spaces| (11_100..11_140).map(move |bytes| padded(spaces, bytes)));
    let lengths: Vec<_> = tokens.map(|token| (token.len(), flaw(&token))).collect();
    for bound in [16 * 1024, 16 * 1024 + 1] {
        assert!(lengths.iter().any(|(length, _)| *length == bound), "{bound} is tried: {lengths:?}");
    }
    for (length, found) in lengths {
        assert_eq!(found, (length > 16 * 1024).then_some(Flaw::Encoding), "{length} bytes");
    }
}

#[test]
fn claims_are_nested_16_deep_at_most() {
    let nested = |levels: usize| {
        let deep = (0..levels).fold(json!(1), |inner, _| json!([inner]));
        flaw(&ISSUER.sign(&changed("auto", |claims| claims["deep"] = deep.clone())))
    };
    assert_eq!((nested(15), nested(16)), (OK, CLAIMS));
    let header = ISSUER.header("at+jwt").to_string();
    let brackets = format!(r#"{{"deep":{}"#, "[".repeat(10_000));
    assert_eq!(flaw(&ISSUER.sign_text(&header, &brackets)), CLAIMS);
    for claims in ["null", "[]", "{}", "1", "\"\"", "{", "\u{feff}{}"] {
        assert_eq!(flaw(&ISSUER.sign_text(&header, claims)), CLAIMS, "{claims}");
    }
}

#[test]
fn an_approval_says_who_consents_to_what_for_whom_or_is_refused() {
    let header = APPROVALS.header("task-approval+jwt").to_string();
    let sign = |claims: &Value| APPROVALS.sign_text(&header, &claims.to_string());
    let flaw = |token: &str| approvals().verify(token, at(START + 100)).map_err(Refused::flaw).err();
    assert_eq!(flaw(&sign(&known("approval").claims)), OK);
    let table: &[Row] = &[
        ("another issuer", |c| c["iss"] = AUTHZ.into(), Some(Flaw::Issuer)),
        ("another audience", |c| c["aud"] = ERP.into(), Some(Flaw::Audience)),
        ("a list of audiences", |c| c["aud"] = json!([AUTHZ]), CLAIMS),
        ("another person beside the subject", |c| c["sub_id"]["sub"] = "u_03kTz9".into(), SUBJECT),
        ("another subject", |c| c["sub"] = "u_03kTz9".into(), SUBJECT),
        ("another format of the person", |c| c["sub_id"]["format"] = "email".into(), SUBJECT),
        ("a person with more", |c| c["sub_id"]["email"] = "a@b.example".into(), CLAIMS),
        ("an agent that consents", |c| c["sub_profile"] = "ai_agent".into(), SUBJECT),
        ("no profile", |c| without(c, "sub_profile"), CLAIMS),
        ("nobody who may act", |c| without(c, "may_act"), CLAIMS),
        ("a person who may act", |c| c["may_act"]["sub_profile"] = "user".into(), SUBJECT),
        ("a person's id that may act", |c| c["may_act"]["sub"] = "u_7Qm2c1".into(), CLAIMS),
        ("an agent of another issuer", |c| c["may_act"]["iss"] = "https://b.example".into(), SUBJECT),
        ("no authority", |c| c["authorization_details"] = json!([]), AUTHORITY),
        ("33 details", |c| repeat_detail(c, 33), AUTHORITY),
        ("one action twice", |c| repeat_detail(c, 3), AUTHORITY),
        ("authority of another type", |c| c["authorization_details"][0]["type"] = "x".into(), AUTHORITY),
        ("an unknown constraint", |c| c["authorization_details"][1]["constraints"]["at"] = "noon".into(), CLAIMS),
        ("version 2", |c| c[CONTEXT]["v"] = 2.into(), CLAIMS),
        ("no task", |c| without(&mut c[CONTEXT], "task"), CLAIMS),
        ("an unknown member of the container", |c| c[CONTEXT]["x"] = 1.into(), CLAIMS),
        ("over", |c| c["exp"] = (START + 100).into(), Some(Flaw::Expired)),
        ("not yet", |c| c["nbf"] = (START + 101).into(), Some(Flaw::NotYetValid)),
        ("valid before it was issued", |c| c["nbf"] = (START + 29).into(), CLAIMS),
        ("an unknown claim", |c| c["locale"] = "en".into(), OK),
    ];
    for (what, change, expected) in table {
        assert_eq!(flaw(&sign(&changed("approval", change))), *expected, "{what}");
    }
    let by_issuer =
        ISSUER.sign_text(&ISSUER.header("task-approval+jwt").to_string(), &known("approval").claims.to_string());
    assert_eq!(flaw(&by_issuer), Some(Flaw::Issuer), "the issuer consents to nothing in the name of another");
}

/// The token with another signature.
fn signed_with(token: &str, signature: &[u8]) -> String {
    let (message, _) = token.rsplit_once('.').expect("a signature");
    format!("{message}.{}", encode(signature))
}

#[test]
fn a_signature_is_the_one_that_the_key_makes() {
    let token = known("auto").jwt;
    let (_, text) = token.rsplit_once('.').unwrap();
    let signature = decode(text);
    assert_eq!(flaw(&signed_with(&token, &signature)), OK);

    // S plus the order of the group: the same point, but not the same signature (RFC 8032, section 5.1.7).
    let order: [u8; 32] = bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut carry = 0;
    let shifted = signature[32..].iter().zip(order).map(|(one, other)| {
        let sum = u16::from(*one) + u16::from(other) + carry;
        carry = sum >> 8;
        sum as u8
    });
    let malleable = [&signature[..32], &shifted.collect::<Vec<u8>>()].concat();
    let other = decode(known("obo").jwt.rsplit_once('.').unwrap().1);
    for (name, signature) in [
        ("S plus the order", malleable),
        ("truncated", signature[..63].to_vec()),
        ("one byte", vec![0]),
        ("one byte longer", [&signature[..], &[0]].concat()),
        ("twice", signature.repeat(2)),
        ("zeros", vec![0; 64]),
        ("the halves exchanged", [&signature[32..], &signature[..32]].concat()),
        ("another token's", other),
    ] {
        assert_eq!(flaw(&signed_with(&token, &signature)), Some(Flaw::Signature), "{name}");
    }
}

#[test]
fn outsiders_are_told_nothing_but_that_it_was_refused() {
    let tokens: [String; 4] = [
        "x".to_owned(),
        APPROVALS.sign(&known("auto").claims),
        ISSUER.sign(&changed("auto", |claims| claims["aud"] = "https://b.example".into())),
        ISSUER.sign(&changed("auto", |claims| claims["exp"] = (START + 1).into())),
    ];
    for token in tokens {
        assert_eq!(verify(&token).unwrap_err().to_string(), "the token was refused");
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_token_with_one_bit_flipped_is_refused(
        name in proptest::sample::select(vec!["auto", "obo"]),
        part in 0_usize..3,
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let token = known(name).jwt;
        let mut parts: Vec<Vec<u8>> = token.split('.').map(decode).collect();
        let place = at.index(parts[part].len());
        parts[part][place] ^= 1 << bit;
        let flipped = parts.iter().map(|part| encode(part)).collect::<Vec<_>>().join(".");
        prop_assert!(verify(&flipped).is_err(), "{}", flipped);
    }

    #[test]
    fn a_token_with_one_letter_changed_or_lost_is_refused(
        name in proptest::sample::select(vec!["auto", "obo", "approval"]),
        index in any::<prop::sample::Index>(),
        letter in any::<char>(),
        lose in any::<bool>(),
    ) {
        let token = known(name).jwt;
        let place = index.index(token.len());
        let inserted = if lose { String::new() } else { letter.to_string() };
        let changed = format!("{}{inserted}{}", &token[..place], &token[place + 1..]);
        if changed != token {
            prop_assert!(verify(&changed).is_err(), "{}", changed);
            prop_assert!(approvals().verify(&changed, at(START + 100)).is_err(), "{}", changed);
        }
        prop_assert!(verify(&token[..place]).is_err());
    }

    #[test]
    fn no_text_panics_the_verifier(text in ".{0,100}", json in ".{0,60}") {
        let signed = ISSUER.sign_text(&ISSUER.header("at+jwt").to_string(), &json);
        let dressed = ISSUER.sign_text(&json, &known("auto").claims.to_string());
        for token in [text.clone(), format!("{text}.{text}.{text}"), signed, dressed] {
            prop_assert!(verify(&token).is_err());
        }
    }
}
