//! Microsoft Entra's three flows of agents: whoever a token is shaped like, the agent identity executes.

use bailiwick::id::Subject;
use bailiwick::identity::{AgentId, EntraVerifier, Executed, OperatorId, ProofError};
use bailiwick::jose::Flaw;
use serde_json::{Value, json};

use crate::pens::{Pen, changed, flaw, without};
use crate::published::{audience, issuer};
use crate::world::{START, at};

const TENANT: &str = "8d3f1c5e-6a51-4a0f-9a27-1f6f7f2f4b10";
const API: &str = "api://erp.acme.example";
const AGENT: &str = "6e1b2f4a-77c0-4f55-9b1c-0a9c8d7e6f5b";
const AGENT_OBJECT: &str = "5f0b6d2e-2c4d-4d6a-8a55-0c3d7e9f1a2b";
const PERSON: &str = "91ab0c2d-3e4f-4a5b-8c6d-7e8f9a0b1c2d";
const ACCOUNT: &str = "c0ffee00-1111-4222-8333-444455556666";

fn version_2() -> String {
    format!("https://login.microsoftonline.com/{TENANT}/v2.0")
}

fn version_1() -> String {
    format!("https://sts.windows.net/{TENANT}/")
}

fn with(claims: &Value, more: Value) -> Value {
    changed(claims, |claims| {
        claims.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    })
}

/// The three flows, as tokens of version 2.
fn flows() -> [(&'static str, Value); 3] {
    let common = json!({
        "aud": API, "iss": version_2(), "iat": START, "nbf": START, "exp": START + 3900, "aio": "k2RgYLhT", "azp": AGENT,
        "azpacr": "2", "rh": "1.AAAA", "tid": TENANT, "uti": "m5RaaRnoFUyp2TbS", "ver": "2.0",
        "xms_act_fct": "3 9 11", "xms_tnt_fct": "3 9", "xms_par_app_azp": "30cf4c22-9985-4ef7-8756-91cc888176bd",
    });
    let autonomous = json!({ "idtyp": "app", "oid": AGENT_OBJECT, "sub": AGENT_OBJECT, "xms_sub_fct": "9 3 11", "xms_idrel": "7 10" });
    let for_person = json!({
        "idtyp": "user", "oid": PERSON, "sub": "pairwise-person", "name": "Ada Lovelace", "scp": "Ledger.Read",
        "preferred_username": "ada@acme.example", "xms_sub_fct": "3 1", "xms_idrel": "1 8", "amr": ["pwd", "mfa"],
    });
    let as_account = json!({
        "idtyp": "user", "oid": ACCOUNT, "sub": "pairwise-account", "name": "Invoice Agent", "scp": "Ledger.Read",
        "preferred_username": "invoices@acme.example", "xms_sub_fct": "13 9 3", "xms_idrel": "1 6",
    });
    [
        ("autonomous", with(&common, autonomous)),
        ("on behalf of a person", with(&common, for_person)),
        ("as its user account", with(&common, as_account)),
    ]
}

/// The same token in version 1.
fn in_version_1(claims: &Value) -> Value {
    let client = json!({ "iss": version_1(), "appid": AGENT, "appidacr": "2", "ver": "1.0" });
    with(&without(&without(claims, "azp"), "azpacr"), client)
}

fn verify(claims: &Value) -> Result<Executed, ProofError> {
    let pen = Pen::new("RS256", "a");
    let mut verifier = EntraVerifier::new(audience(API));
    verifier.trust(issuer(claims["iss"].as_str().expect("text")), pen.set()).expect("a new tenant");
    verifier.verify(&pen.sign(claims), at(START))
}

#[test]
fn in_each_flow_the_agent_identity_executes() {
    for ((name, claims), (person, account)) in
        flows().into_iter().zip([(None, None), (Some(PERSON), None), (None, Some(ACCOUNT))])
    {
        for (claims, tenant) in [(claims.clone(), version_2()), (in_version_1(&claims), version_1())] {
            let executed = verify(&claims).unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert_eq!(executed.agent, AgentId::issued(&tenant, AGENT).expect("an agent"), "{name}");
            assert_eq!(executed.on_behalf_of, person.map(|id| OperatorId::new(&tenant, id).expect("an id")), "{name}");
            assert_eq!(executed.presented_as, account.map(|id| Subject::new(id).expect("a subject")), "{name}");
            assert_eq!(executed.until, at(START + 3900), "{name}");
        }
    }
}

#[test]
fn a_token_that_contradicts_itself_or_says_too_little_is_refused() {
    let (subject, claims) = (Flaw::Subject, Flaw::Claims);
    // In every flow.
    for (name, token) in flows() {
        let rows = [
            ("no actor", without(&token, "xms_act_fct"), subject),
            ("an actor that is no agent", with(&token, json!({ "xms_act_fct": "3 9" })), subject),
            ("an actor of 110 and 111", with(&token, json!({ "xms_act_fct": "110 111" })), subject),
            ("an actor that is a number", with(&token, json!({ "xms_act_fct": 11 })), claims),
            ("an actor that is a list", with(&token, json!({ "xms_act_fct": ["11"] })), claims),
            ("an actor with commas", with(&token, json!({ "xms_act_fct": "3,9,11" })), claims),
            ("an actor with more spaces", with(&token, json!({ "xms_act_fct": " 11" })), claims),
            ("no type", without(&token, "idtyp"), subject),
            ("another type", with(&token, json!({ "idtyp": "device" })), subject),
            ("a type in capitals", with(&token, json!({ "idtyp": "USER" })), subject),
            ("a type that is a list", with(&token, json!({ "idtyp": [token["idtyp"]] })), claims),
            ("no client", without(&token, "azp"), claims),
            ("a client that is no text", with(&token, json!({ "azp": [AGENT] })), claims),
            ("no client text, but the other", with(&token, json!({ "azp": null, "appid": AGENT })), claims),
            ("two clients", with(&token, json!({ "appid": PERSON })), claims),
            ("an empty client", with(&token, json!({ "azp": "" })), subject),
            ("no object", without(&token, "oid"), claims),
            ("an object that is no text", with(&token, json!({ "oid": 7 })), claims),
            ("both facets", with(&token, json!({ "xms_sub_fct": "11 13" })), subject),
            ("facets that cannot be read", with(&token, json!({ "xms_sub_fct": "9;13" })), claims),
            ("no subject", without(&token, "sub"), claims),
        ];
        for (what, token, expected) in rows {
            assert_eq!(flaw(verify(&token)), Some(expected), "{name}, {what}");
        }
        let both = with(&token, json!({ "appid": AGENT }));
        assert_eq!(flaw(verify(&both)), None, "{name}: the client twice");
    }
    let [(_, autonomous), (_, for_person), (_, as_account)] = flows();
    let rows = [
        ("an app's for a user", with(&autonomous, json!({ "idtyp": "user" })), subject),
        ("an app's about nobody's facets", without(&autonomous, "xms_sub_fct"), subject),
        ("an app's about a user account", with(&autonomous, json!({ "xms_sub_fct": "13" })), subject),
        ("a person's that says it is an app's", with(&for_person, json!({ "idtyp": "app" })), subject),
        ("a person's about an agent", with(&for_person, json!({ "xms_sub_fct": "11" })), subject),
        ("a person's without an object that is a name", with(&for_person, json!({ "oid": "a b" })), subject),
        ("an account's that says it is an app's", with(&as_account, json!({ "idtyp": "app" })), subject),
        ("an account's without an object that is a name", with(&as_account, json!({ "oid": "" })), subject),
    ];
    for (what, token, expected) in rows {
        assert_eq!(flaw(verify(&token)), Some(expected), "{what}");
    }
}

#[test]
fn the_account_s_facet_alone_tells_it_from_a_person() {
    // The same token with and without the facet: nobody is presented, or nobody is acted for.
    let [_, (_, for_person), _] = flows();
    let executed = verify(&without(&for_person, "xms_sub_fct")).expect("a person's");
    assert!(executed.on_behalf_of.is_some() && executed.presented_as.is_none());
    let executed = verify(&with(&for_person, json!({ "xms_sub_fct": "1 13" }))).expect("an account's");
    assert!(executed.on_behalf_of.is_none() && executed.presented_as.is_some());
}

#[test]
fn names_of_people_and_mail_addresses_decide_nothing() {
    for (name, token) in flows() {
        let plain = verify(&token).expect(name);
        let noise = json!({ "upn": "root@acme.example", "unique_name": "root", "roles": ["Admin"], "groups": ["admins"],
            "email": "root@acme.example", "wids": ["62e90394"], "act": { "sub": PERSON }, "sub": "somebody-else" });
        assert_eq!(verify(&with(&token, noise)).expect(name), plain, "{name}");
    }
}

#[test]
fn each_tenant_is_one_verifier_s_and_no_tenant_speaks_for_another() {
    let pen = Pen::new("RS256", "a");
    let mut verifier = EntraVerifier::new(audience(API));
    verifier.trust(issuer(&version_2()), pen.set()).expect("a new tenant");
    assert!(verifier.trust(issuer(&version_1()), pen.set()).is_err(), "Entra's keys are the same");
    let [(_, autonomous), ..] = flows();
    let elsewhere = "https://login.microsoftonline.com/00000000-0000-4000-8000-000000000000/v2.0";
    for iss in [elsewhere, "https://login.microsoftonline.com/common/v2.0", &version_1()] {
        let token = pen.sign(&with(&autonomous, json!({ "iss": iss })));
        assert_eq!(flaw(verifier.verify(&token, at(START))), Some(Flaw::UnknownKey), "{iss}");
    }
}
