//! What a resource server believes: lineages, approvals, the other convention, and who holds the key.

use bailiwick::credential::{Confirmation, CredentialVerifier, Presentation, VerifiedCredential, danger};
use bailiwick::identity::AgentId;
use bailiwick::jose::{Flaw, KeySet, Leeway, Refused, Thumbprint};
use bailiwick::mandate::{Arguments, Mode, Resource};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::any::cases;
use crate::published::{
    AGENT, APPROVALS, AUTHZ, CHILD, ERP, ISSUER, audience, credentials, encode, issuer, known, shown,
};
use crate::world::{START, args, at, operator};

const CONTEXT: &str = "urn:bailiwick:claims:v1";
const LINK: &str = "task-delegation+jwt";

/// When all known answers but the autonomous one are good.
const NOW: i64 = START + 100;

fn flaw<T>(result: Result<T, Refused>) -> Option<Flaw> {
    result.map_err(Refused::flaw).err()
}

fn digest(token: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
    format!("sha-256:{}", encode(digest.as_ref()))
}

/// A chain of agents that pass a task on: the claims of each, the first agent's first. The last is the credential.
#[derive(Debug, Clone)]
struct Chain(Vec<Value>);

impl Chain {
    /// Of so many agents, each with all that the one above has, for as long.
    fn of(agents: usize) -> Self {
        let agent = |place: usize| {
            let mut claims = known("obo").claims;
            claims["sub"] = format!("spiffe://acme.example/agent/{place}").into();
            claims["client_id"] = claims["sub"].clone();
            claims["jti"] = format!("tc_{place:0>22}").into();
            claims["cnf"]["jkt"] = format!("{place:A>43}").into();
            claims[CONTEXT]["max_depth"] = 8.into();
            claims
        };
        Self((0..agents).map(agent).collect())
    }

    /// The tokens, each of which names those above it as they are.
    fn tokens(&self) -> Vec<String> {
        let mut tokens: Vec<String> = Vec::new();
        let mut lineage = Vec::new();
        for (place, claims) in self.0.iter().enumerate() {
            let mut claims = claims.clone();
            if place > 0 {
                claims[CONTEXT]["lineage"] = json!(lineage);
                claims[CONTEXT]["depth"] = place.into();
            }
            let typ = if place + 1 == self.0.len() { "at+jwt" } else { LINK };
            let token = ISSUER.sign_text(&ISSUER.header(typ).to_string(), &claims.to_string());
            lineage.push(json!({
                "iss": claims["iss"], "sub": claims["sub"], "jti": claims["jti"], "th": digest(&token)
            }));
            tokens.push(token);
        }
        tokens
    }

    fn verify(&self) -> Result<VerifiedCredential, Refused> {
        verify(&self.tokens())
    }

    fn with(mut self, place: usize, change: impl Fn(&mut Value)) -> Self {
        change(&mut self.0[place]);
        self
    }
}

/// Shows the last of these tokens with those before it.
fn verify(tokens: &[String]) -> Result<VerifiedCredential, Refused> {
    let (last, above) = tokens.split_last().expect("a credential");
    credentials().verify(&shown(last).lineage(above.iter().map(String::as_str)), at(NOW))
}

#[test]
fn the_known_credential_of_a_sub_agent_is_good_with_its_parent_s_and_not_without() {
    let (parent, child, other) = (known("obo").jwt, known("sub").jwt, known("auto").jwt);
    let verify = |lineage: &[&str]| credentials().verify(&shown(&child).lineage(lineage.iter().copied()), at(NOW));
    let credential = verify(&[&parent]).expect("a credential");
    assert_eq!(credential.agent(), &AgentId::spiffe("spiffe://acme.example/ns/prod/agent/pdf-extractor").unwrap());
    let above: Vec<_> = credential.lineage().map(AgentId::as_str).collect();
    assert_eq!(above, ["spiffe://acme.example/ns/prod/agent/invoice-reconciler"]);
    assert_eq!(credential.mode(), &Mode::OnBehalfOf(operator("u_7Qm2c1")));
    assert_eq!(credential.confirmation(), &Confirmation::Key(CHILD.public().thumbprint()));
    assert_eq!(credential.until(), at(START + 190));

    assert_eq!(flaw(verify(&[])), Some(Flaw::Unproven));
    assert_eq!(flaw(verify(&[&parent, &parent])), Some(Flaw::Unproven));
    assert_eq!(flaw(verify(&[&other])), Some(Flaw::Lineage));
    assert_eq!(flaw(verify(&[&child])), Some(Flaw::Lineage));
    let again = ISSUER.sign_text(
        r#"{"kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","alg":"EdDSA","typ":"at+jwt"}"#,
        &known("obo").claims.to_string(),
    );
    assert_eq!(flaw(verify(&[&again])), Some(Flaw::Lineage), "the same claims, signed once more");
    let broken = format!("{}A", &parent[..parent.len() - 1]);
    assert!(matches!(flaw(verify(&[&broken])), Some(Flaw::Signature | Flaw::Encoding)));
}

#[test]
fn what_is_passed_on_only_shrinks() {
    fn amount(claims: &mut Value) -> &mut Value {
        &mut claims["authorization_details"][1]["constraints"]["max_amount_minor"]
    }
    type Row = (&'static str, fn(&mut Value), bool);
    let rows: &[Row] = &[
        ("all of it", |_| (), true),
        ("an action less", |c| drop(c["authorization_details"].as_array_mut().unwrap().pop()), false),
        (
            "an action less, in scope too",
            |c| {
                c["authorization_details"].as_array_mut().unwrap().pop();
                c["scope"] = "invoices.read".into();
            },
            true,
        ),
        (
            "another action",
            |c| {
                c["authorization_details"][0]["actions"] = json!(["invoices.write"]);
                c["scope"] = "invoices.write".into();
            },
            false,
        ),
        ("an action more", |c| c["authorization_details"][0]["actions"] = json!(["invoices.read", "a.b"]), false),
        ("another resource", |c| c["authorization_details"][0]["identifier"] = "ledger/2026-Q4".into(), false),
        (
            "any resource",
            |c| {
                c["authorization_details"][0].as_object_mut().unwrap().remove("identifier");
            },
            false,
        ),
        ("a lower limit", |c| *amount(c) = 49_999.into(), true),
        ("a higher limit", |c| *amount(c) = 50_001.into(), false),
        (
            "no limit",
            |c| {
                c["authorization_details"][1]["constraints"].as_object_mut().unwrap().remove("max_amount_minor");
            },
            false,
        ),
        ("another currency", |c| c["authorization_details"][1]["constraints"]["currency"] = "EUR".into(), false),
        ("more calls", |c| c["authorization_details"][1]["constraints"]["max_calls"] = 21.into(), false),
        ("fewer calls", |c| c["authorization_details"][1]["constraints"]["max_calls"] = 1.into(), true),
        (
            "a bound more",
            |c| {
                c["authorization_details"][1]["constraints"]["where"] = json!({"book": {"one_of": ["a"]}});
            },
            true,
        ),
        ("an earlier end", |c| c["exp"] = (START + 200).into(), true),
        ("a later end", |c| c["exp"] = (START + 361).into(), false),
        ("a later beginning", |c| (c["iat"], c["nbf"]) = ((START + 70).into(), (START + 70).into()), true),
        ("an earlier beginning", |c| (c["iat"], c["nbf"]) = ((START + 59).into(), (START + 59).into()), false),
        ("another transaction", |c| c["txn"] = "txn_6fN3hW9kE2aD7cB1".into(), false),
        ("a lower depth", |c| c[CONTEXT]["max_depth"] = 4.into(), true),
        ("another task", |c| c[CONTEXT]["task"]["id"] = "tsk_another1".into(), true),
        ("another person", |c| c[CONTEXT]["obo"]["sub"] = "u_other".into(), false),
        ("another approval", |c| c[CONTEXT]["obo"]["approval"]["id"] = "apr_other123".into(), false),
        ("a later end of the approval", |c| c[CONTEXT]["obo"]["approval"]["exp"] = (START + 1201).into(), false),
        (
            "its own errand",
            |c| {
                c[CONTEXT]["mode"] = "autonomous".into();
                c[CONTEXT].as_object_mut().unwrap().remove("obo");
            },
            false,
        ),
        ("another who answers", |c| c[CONTEXT]["accountable"]["sub"] = "u_other".into(), true),
        ("another agent user", |c| c[CONTEXT]["present_as"] = json!({"id": "jira/other-bot"}), true),
    ];
    for (what, change, allowed) in rows {
        for (agents, place) in [(2, 1), (3, 2), (5, 4)] {
            let verdict = flaw(Chain::of(agents).with(place, change).verify());
            if *allowed {
                assert_eq!(verdict, None, "{what}, {place} of {agents}");
            } else {
                assert!(matches!(verdict, Some(Flaw::Lineage | Flaw::Authority)), "{what}: {verdict:?}");
            }
        }
        // In the middle of a chain, what is widened there is wider than what is above.
        if !allowed {
            assert!(Chain::of(4).with(1, change).verify().is_err(), "{what}, in the middle");
        }
    }
}

#[test]
fn a_lineage_is_whole_in_order_and_no_circle() {
    let tokens = Chain::of(4).tokens();
    assert_eq!(flaw(verify(&tokens)), None);
    let shuffled = |order: &[usize]| {
        let tokens: Vec<String> = order.iter().map(|place| tokens[*place].clone()).collect();
        flaw(verify(&tokens))
    };
    for order in [[1, 0, 2, 3], [0, 2, 1, 3], [0, 0, 2, 3], [1, 1, 2, 3], [2, 1, 0, 3], [0, 1, 1, 3], [2, 2, 2, 3]] {
        assert_eq!(shuffled(&order), Some(Flaw::Lineage), "{order:?}");
    }
    for order in [&[3][..], &[0, 3], &[0, 1, 3], &[1, 2, 3], &[0, 1, 2, 2, 3]] {
        assert_eq!(shuffled(order), Some(Flaw::Unproven), "{order:?}");
    }
    // A sibling's link, which says nearly the same.
    let sibling = Chain::of(4).with(2, |claims| claims["jti"] = "tc_9999999999999999999999".into()).tokens();
    let swapped = [tokens[0].clone(), tokens[1].clone(), sibling[2].clone(), tokens[3].clone()];
    assert_eq!(flaw(verify(&swapped)), Some(Flaw::Lineage));

    let circle = |place: usize, like: usize| {
        Chain::of(4).with(place, move |claims| {
            claims["sub"] = format!("spiffe://acme.example/agent/{like}").into();
            claims["client_id"] = claims["sub"].clone();
        })
    };
    for (place, like) in [(3, 0), (3, 2), (2, 0), (2, 1)] {
        assert_eq!(flaw(circle(place, like).verify()), Some(Flaw::Lineage), "{place} is {like}");
    }
    let same_key = |place: usize, like: usize| {
        Chain::of(4).with(place, move |claims| claims["cnf"]["jkt"] = format!("{like:A>43}").into())
    };
    for (place, like) in [(3, 0), (3, 2), (2, 0), (1, 0)] {
        assert_eq!(flaw(same_key(place, like).verify()), Some(Flaw::Lineage), "{place} has the key of {like}");
    }
}

#[test]
fn a_chain_is_no_deeper_than_its_first_agent_may_pass_on_and_than_eight() {
    assert_eq!(flaw(Chain::of(9).verify()), None);
    assert_eq!(flaw(Chain::of(10).verify()), Some(Flaw::Lineage));
    let deep = |max: Value| {
        (0..4).fold(Chain::of(4), |chain, place| {
            let max = max.clone();
            chain.with(place, move |claims| claims[CONTEXT]["max_depth"] = max.clone())
        })
    };
    assert_eq!(flaw(deep(3.into()).verify()), None);
    assert_eq!(flaw(deep(2.into()).verify()), Some(Flaw::Lineage));
    assert_eq!(flaw(deep(9.into()).verify()), Some(Flaw::Lineage), "more than there can be");
    let raised = Chain::of(3).with(0, |claims| claims[CONTEXT]["max_depth"] = 2.into());
    assert_eq!(flaw(raised.verify()), Some(Flaw::Lineage), "raised below");
    let silent = Chain::of(3).with(0, |claims| {
        claims[CONTEXT].as_object_mut().unwrap().remove("max_depth");
    });
    assert_eq!(flaw(silent.verify()), Some(Flaw::Lineage), "not said is none");
}

#[test]
fn a_lineage_that_contradicts_itself_is_refused() {
    let with = |change: fn(&mut Value)| {
        let mut claims = known("sub").claims;
        change(&mut claims[CONTEXT]);
        let (child, parent) = (ISSUER.sign(&claims), known("obo").jwt);
        flaw(credentials().verify(&shown(&child).lineage([parent.as_str()]), at(NOW)))
    };
    let (claims, lineage) = (Some(Flaw::Claims), Some(Flaw::Lineage));
    type Row = (&'static str, fn(&mut Value), Option<Flaw>);
    let rows: [Row; 13] = [
        ("as it is", |_| (), None),
        ("no depth", |c| drop(c.as_object_mut().unwrap().remove("depth")), claims),
        ("no lineage", |c| drop(c.as_object_mut().unwrap().remove("lineage")), claims),
        ("an empty lineage", |c| c["lineage"] = json!([]), claims),
        ("an empty lineage and no depth", |c| (c["lineage"], c["depth"]) = (json!([]), 0.into()), claims),
        ("another depth", |c| c["depth"] = 2.into(), claims),
        ("no deeper", |c| c["max_depth"] = 0.into(), lineage),
        ("an array for an object", |c| c["lineage"][0] = json!(["a", "b", "c", "d"]), claims),
        ("a member more", |c| c["lineage"][0]["exp"] = 1.into(), claims),
        ("another issuer", |c| c["lineage"][0]["iss"] = "https://b.example".into(), lineage),
        ("another agent", |c| c["lineage"][0]["sub"] = "spiffe://acme.example/b".into(), lineage),
        ("another token", |c| c["lineage"][0]["jti"] = "tc_0000000000000000000000".into(), lineage),
        ("another digest", |c| c["lineage"][0]["th"] = format!("sha-256:{}", "A".repeat(43)).into(), lineage),
    ];
    for (what, change, expected) in rows {
        assert_eq!(with(change), expected, "{what}");
    }
}

#[test]
fn a_link_opens_nothing_itself_and_is_checked_like_a_credential() {
    let tokens = Chain::of(2).tokens();
    assert_eq!(flaw(credentials().verify(&shown(&tokens[0]), at(NOW))), Some(Flaw::Header));
    type Row = (&'static str, fn(&mut Value));
    let rows: [Row; 6] = [
        ("a person's claim", |c| c["email"] = "a@acme.example".into()),
        ("another client", |c| c["client_id"] = "spiffe://acme.example/other".into()),
        ("a life too long", |c| (c["iat"], c["nbf"]) = ((START - 600).into(), (START - 600).into())),
        ("an unknown constraint", |c| c["authorization_details"][0]["constraints"] = json!({"at": "noon"})),
        ("an unknown version", |c| c[CONTEXT]["v"] = 2.into()),
        ("another issuer", |c| c["iss"] = "https://b.example".into()),
    ];
    for (what, change) in rows {
        assert!(Chain::of(2).with(0, change).verify().is_err(), "{what}");
    }
    // Signed by a key of another trusted issuer, in this one's name.
    let other = Chain::of(2);
    let link = APPROVALS.sign_text(&APPROVALS.header(LINK).to_string(), &other.0[0].to_string());
    let mut claims = other.0[1].clone();
    claims[CONTEXT]["depth"] = 1.into();
    claims[CONTEXT]["lineage"] = json!([{
        "iss": AUTHZ, "sub": other.0[0]["sub"], "jti": other.0[0]["jti"], "th": digest(&link)
    }]);
    assert_eq!(flaw(verify(&[link, ISSUER.sign(&claims)])), Some(Flaw::Issuer));
}

fn stricter() -> CredentialVerifier {
    let keys = KeySet::of(issuer("https://approvals.acme.example"), APPROVALS.public());
    credentials().approved_by(keys)
}

#[test]
fn on_behalf_of_somebody_a_strict_service_wants_their_own_approval() {
    let (auto, obo, sub) = (known("auto").jwt, known("obo").jwt, known("sub").jwt);
    let approval = known("approval").jwt;
    let verify = |shown: Presentation<'_>| flaw(stricter().verify(&shown, at(NOW)));
    assert_eq!(verify(shown(&auto)), None, "autonomous");
    assert_eq!(verify(shown(&obo)), Some(Flaw::Unproven));
    assert_eq!(verify(shown(&obo).approval(&approval)), None);
    assert_eq!(verify(shown(&sub).lineage([obo.as_str()]).approval(&approval)), None);
    assert_eq!(verify(shown(&sub).lineage([obo.as_str()])), Some(Flaw::Unproven));
    assert_eq!(verify(shown(&sub).approval(&approval)), Some(Flaw::Unproven), "without its lineage");
    assert_eq!(verify(shown(&known("proj").jwt).approval(&approval)), None, "in the other convention");
    assert_eq!(verify(shown(&obo).approval(&obo)), Some(Flaw::Header), "itself");

    // Whatever is changed in the approval, signed by the same service: it is not the one that the credential names.
    let again =
        APPROVALS.sign_text(&APPROVALS.header("task-approval+jwt").to_string(), &known("approval").claims.to_string());
    assert_eq!(verify(shown(&obo).approval(&again)), Some(Flaw::Binding), "the same, signed once more");
    type Row = (&'static str, fn(&mut Value, &mut Value));
    let rows: [Row; 11] = [
        ("another person", |a, _| (a["sub"], a["sub_id"]["sub"]) = ("u_b".into(), "u_b".into())),
        ("another provider of persons", |a, _| a["sub_id"]["iss"] = "https://b.example".into()),
        ("another agent", |a, _| a["may_act"]["sub"] = "spiffe://acme.example/b".into()),
        ("another task", |a, _| a[CONTEXT]["task"]["id"] = "tsk_another1".into()),
        ("another hash", |a, _| a[CONTEXT]["task"]["hash"] = format!("sha-256:{}", "A".repeat(43)).into()),
        ("another issuer of credentials", |a, _| a["aud"] = "https://b.example".into()),
        ("less deep", |a, _| a[CONTEXT]["delegation"]["max_depth"] = 1.into()),
        ("not to be passed on", |a, _| drop(a[CONTEXT].as_object_mut().unwrap().remove("delegation"))),
        ("less authority", |a, _| drop(a["authorization_details"].as_array_mut().unwrap().pop())),
        ("an earlier end than said", |a, _| a["exp"] = (START + 1100).into()),
        ("another id than said", |_, c| c["id"] = "apr_other123".into()),
    ];
    for (what, change) in rows {
        let (mut approval, mut claims) = (known("approval").claims, known("obo").claims);
        change(&mut approval, &mut claims[CONTEXT]["obo"]["approval"]);
        let approval = APPROVALS.sign_text(&APPROVALS.header("task-approval+jwt").to_string(), &approval.to_string());
        claims[CONTEXT]["obo"]["approval"]["hash"] = digest(&approval).into();
        let verdict = verify(shown(&ISSUER.sign(&claims)).approval(&approval));
        assert!(
            matches!(verdict, Some(Flaw::Binding | Flaw::Authority | Flaw::Subject | Flaw::Audience | Flaw::Lineage)),
            "{what}: {verdict:?}"
        );
    }
    // The approval is over before the credential: the credential is, too.
    let late = |claims: &mut Value| claims[CONTEXT]["obo"]["approval"]["exp"] = (START + 300).into();
    let mut claims = known("obo").claims;
    late(&mut claims);
    assert_eq!(verify(shown(&ISSUER.sign(&claims)).approval(&approval)), Some(Flaw::Binding));
}

#[test]
fn what_was_believed_without_an_approval_is_not_remembered_where_one_is_wanted() {
    let obo = known("obo").jwt;
    let lax = credentials();
    assert_eq!(flaw(lax.verify(&shown(&obo), at(NOW))), None);
    let keys = KeySet::of(issuer("https://approvals.acme.example"), APPROVALS.public());
    assert_eq!(flaw(lax.approved_by(keys).verify(&shown(&obo), at(NOW))), Some(Flaw::Unproven));
}

#[test]
fn both_conventions_say_the_same() {
    let (native, projected) = (known("obo").jwt, known("proj").jwt);
    let native = credentials().verify(&shown(&native), at(NOW)).expect("a credential");
    let projected = credentials().verify(&shown(&projected), at(NOW)).expect("a credential");
    assert_eq!(native.agent(), projected.agent());
    assert_eq!(native.mode(), projected.mode());
    assert_eq!(native.accountable(), projected.accountable());
    assert_eq!(
        (native.task(), native.task_hash(), native.txn()),
        (projected.task(), projected.task_hash(), projected.txn())
    );
    assert_eq!(native.confirmation(), projected.confirmation());
    assert_eq!(projected.until(), at(START + 140));
    assert_eq!(projected.presented_as(), None);

    let (subject, claims) = (Some(Flaw::Subject), Some(Flaw::Claims));
    type Row = (&'static str, fn(&mut Value), Option<Flaw>);
    let rows: [Row; 24] = [
        ("as it is", |_| (), None),
        ("an unknown claim", |c| c["ver"] = "2".into(), None),
        ("61 seconds", |c| c["exp"] = (START + 141).into(), Some(Flaw::Expired)),
        ("another subject", |c| c["sub"] = "u_other".into(), subject),
        ("the agent as the subject", |c| c["sub"] = c["act"]["sub"].clone(), subject),
        ("another profile", |c| c["sub_profile"] = "ai_agent".into(), subject),
        ("no profile", |c| drop(c.as_object_mut().unwrap().remove("sub_profile")), claims),
        ("another actor", |c| c["act"]["sub"] = "spiffe://acme.example/b".into(), subject),
        ("a person as the actor", |c| c["act"]["sub"] = "u_b".into(), claims),
        ("another actor's issuer", |c| c["act"]["iss"] = "https://b.example".into(), subject),
        ("another actor's profile", |c| c["act"]["sub_profile"] = "user".into(), subject),
        ("an actor within", |c| c["act"]["act"] = json!({"sub": "spiffe://acme.example/b"}), claims),
        ("no actor", |c| drop(c.as_object_mut().unwrap().remove("act")), claims),
        ("another who may act", |c| c["may_act"] = json!({}), claims),
        ("another client", |c| c["client_id"] = "spiffe://acme.example/b".into(), subject),
        ("another projection", |c| c[CONTEXT]["projection"] = "other".into(), claims),
        ("no original", |c| drop(c[CONTEXT].as_object_mut().unwrap().remove("of")), claims),
        ("itself as the original", |c| c[CONTEXT]["of"] = c["jti"].clone(), claims),
        ("on its own", |c| c[CONTEXT]["mode"] = "autonomous".into(), claims),
        ("nobody's errand", |c| drop(c[CONTEXT].as_object_mut().unwrap().remove("obo")), claims),
        ("after the approval", |c| c[CONTEXT]["obo"]["approval"]["exp"] = (START + 139).into(), Some(Flaw::Binding)),
        ("a lineage", |c| c[CONTEXT]["lineage"] = json!([]), claims),
        ("a name", |c| c["name"] = "Ada".into(), claims),
        ("no key", |c| c["cnf"] = json!({}), Some(Flaw::Binding)),
    ];
    for (what, change, expected) in rows {
        let mut claims = known("proj").claims;
        change(&mut claims);
        assert_eq!(flaw(credentials().verify(&shown(&ISSUER.sign(&claims)), at(NOW))), expected, "{what}");
    }
}

#[test]
fn a_credential_is_no_bearer_token() {
    let token = known("obo").jwt;
    let verify = |shown: &Presentation<'_>| flaw(credentials().verify(shown, at(NOW)));
    let thumbprint = |text: &str| Thumbprint::new(text).expect("a thumbprint");
    let (agent, other) = (thumbprint(AGENT.thumbprint), thumbprint(CHILD.thumbprint));
    assert_eq!(verify(&Presentation::new(&token)), Some(Flaw::Unproven));
    assert_eq!(verify(&danger::possession_vouched_by_host(Presentation::new(&token))), None);
    assert_eq!(verify(&Presentation::new(&token).certificate(&agent)), Some(Flaw::Binding), "it is bound to a key");
    let mut claims = known("obo").claims;
    claims["cnf"] = json!({"x5t#S256": AGENT.thumbprint});
    let bound = ISSUER.sign(&claims);
    assert_eq!(verify(&Presentation::new(&bound)), Some(Flaw::Unproven));
    assert_eq!(verify(&Presentation::new(&bound).certificate(&agent)), None);
    assert_eq!(verify(&Presentation::new(&bound).certificate(&other)), Some(Flaw::Binding));
    // And a second time, when the token is known.
    let verifier = credentials();
    assert_eq!(flaw(verifier.verify(&Presentation::new(&bound).certificate(&agent), at(NOW))), None);
    assert_eq!(flaw(verifier.verify(&Presentation::new(&bound), at(NOW))), Some(Flaw::Unproven));
    assert_eq!(flaw(verifier.verify(&Presentation::new(&bound).certificate(&other), at(NOW))), Some(Flaw::Binding));
    let text = format!("{:?}", Presentation::new(&bound).lineage([token.as_str()]).approval(&token));
    assert!(!text.contains("eyJ"), "{text}");
}

#[test]
fn a_token_that_is_known_ends_all_the_same() {
    let (token, verifier) = (known("obo").jwt, credentials());
    let verify = |now: i64| flaw(verifier.verify(&shown(&token), at(now)));
    for _ in 0..2 {
        assert_eq!(verify(START + 59), Some(Flaw::NotYetValid));
        assert_eq!(verify(START + 60), None);
        assert_eq!(verify(START + 359), None);
        assert_eq!(verify(START + 360), Some(Flaw::Expired));
    }
    let tolerant = credentials().with_leeway(Leeway::new(std::time::Duration::from_secs(30)).unwrap());
    let verify = |now: i64| flaw(tolerant.verify(&shown(&token), at(now)));
    for _ in 0..2 {
        assert_eq!(verify(START + 29), Some(Flaw::NotYetValid));
        assert_eq!(verify(START + 30), None);
        assert_eq!(verify(START + 389), None);
        assert_eq!(verify(START + 390), Some(Flaw::Expired));
    }
    // Another ending of the same length, under the same signature.
    let changed = token.replacen("eyJ", "eyK", 1);
    assert!(verifier.verify(&shown(&changed), at(NOW)).is_err());
}

#[test]
fn a_service_counts_what_a_credential_is_good_for() {
    let mut claims = known("obo").claims;
    claims["authorization_details"][0]["constraints"] = json!({"max_calls": 1});
    let (token, verifier) = (ISSUER.sign(&claims), credentials());
    let (read, write) = ("invoices.read".parse().unwrap(), "journal-entries.write".parse().unwrap());
    let (here, there) = (Resource::new("ledger", "2026-Q3").unwrap(), Resource::new("ledger", "2026-Q4").unwrap());
    let none = Arguments::none();
    let accept = |action, resource, arguments: &Arguments| {
        flaw(verifier.accept(&shown(&token), (action, resource, arguments), at(NOW)))
    };
    assert_eq!(accept(&read, &there, &none), Some(Flaw::Binding));
    assert_eq!(accept(&write, &here, &none), Some(Flaw::Binding), "without its arguments");
    assert_eq!(accept(&read, &here, &none), None);
    assert_eq!(accept(&read, &here, &none), Some(Flaw::Replayed));
    assert_eq!(flaw(verifier.clone().accept(&shown(&token), (&read, &here, &none), at(NOW))), Some(Flaw::Replayed));
    assert_eq!(flaw(verifier.verify(&shown(&token), at(NOW))), None, "looking uses nothing up");
    let entry = args(r#"{"amount_minor": 1, "currency": "USD"}"#);
    let taken = (0..30).filter(|_| accept(&write, &here, &entry).is_none()).count();
    assert_eq!(taken, 19, "twenty calls, whatever they are");
}

#[test]
fn of_many_calls_at_once_as_many_are_accepted_as_the_credential_is_good_for() {
    let (token, verifier) = (known("obo").jwt, credentials());
    let (write, here) = ("journal-entries.write".parse().unwrap(), Resource::new("ledger", "2026-Q3").unwrap());
    let entry = args(r#"{"amount_minor": 1, "currency": "USD"}"#);
    let accept = || verifier.accept(&shown(&token), (&write, &here, &entry), at(NOW)).is_ok();
    let taken: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| (0..10).filter(|_| accept()).count())).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert_eq!(taken, 20);
}

/// One way in which an agent passes on less than it has.
fn narrowing() -> impl Strategy<Value = (&'static str, i64)> {
    select(vec!["limit", "calls", "end", "begin", "depth", "actions", "nothing", "bound"])
        .prop_flat_map(|what| (Just(what), 0..40_i64))
}

fn narrow(claims: &mut Value, (what, by): (&str, i64)) {
    let lower = |value: &mut Value, by: i64| *value = (value.as_i64().expect("a number") - by).max(1).into();
    match what {
        "end" => lower(&mut claims["exp"], by),
        "begin" => {
            let later = (claims["nbf"].as_i64().unwrap() + by).min(NOW);
            (claims["iat"], claims["nbf"]) = (later.into(), later.into());
        }
        "depth" => {
            let depth = claims[CONTEXT]["max_depth"].as_i64().unwrap();
            claims[CONTEXT]["max_depth"] = (depth - by % 2).max(5).into();
        }
        "actions" if claims["authorization_details"].as_array().unwrap().len() > 1 => {
            claims["authorization_details"].as_array_mut().unwrap().remove(0);
            claims["scope"] = "journal-entries.write".into();
        }
        _ => {
            let limits = claims["authorization_details"].as_array_mut().unwrap().last_mut().unwrap();
            match what {
                "limit" => lower(&mut limits["constraints"]["max_amount_minor"], by * 100),
                "calls" => lower(&mut limits["constraints"]["max_calls"], by),
                "bound" => limits["constraints"]["where"] = json!({"book": {"one_of": ["a", "b"]}}),
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(64))]

    /// A chain that narrows at every step is good, and permits nothing that a step above does not; a chain of which one step
    /// takes back what the step above gave up is refused.
    #[test]
    fn authority_only_shrinks_along_a_chain(steps in proptest::collection::vec(narrowing(), 1..5), swap in 0..4_usize, amount in 1..60_000_i64) {
        let mut chain = Chain::of(steps.len() + 1);
        for place in 1..chain.0.len() {
            let above = chain.0[place - 1].clone();
            for member in ["exp", "iat", "nbf", "authorization_details", "scope"] {
                chain.0[place][member] = above[member].clone();
            }
            chain.0[place][CONTEXT]["max_depth"] = above[CONTEXT]["max_depth"].clone();
            narrow(&mut chain.0[place], steps[place - 1]);
        }
        let verified = chain.verify();
        prop_assert!(verified.is_ok(), "{:?}", flaw(verified));
        let verified = verified.unwrap();

        // As if each agent of the chain had asked itself.
        let action = "journal-entries.write".parse().unwrap();
        let (here, entry) = (Resource::new("ledger", "2026-Q3").unwrap(), args(&json!({"amount_minor": amount, "currency": "USD", "book": "a"}).to_string()));
        let mut before = true;
        for claims in &chain.0 {
            let mut alone = claims.clone();
            let context = alone[CONTEXT].as_object_mut().unwrap();
            context.remove("lineage");
            context.remove("depth");
            let alone = credentials().verify(&shown(&ISSUER.sign(&alone)), at(NOW));
            let permits = alone.is_ok_and(|alone| alone.permits(&action, &here, &entry));
            prop_assert!(before || !permits, "more than above");
            before = permits;
        }
        prop_assert_eq!(verified.permits(&action, &here, &entry), before);

        // What the first agent had, in the place of what a lower one was given.
        let place = 1 + swap % steps.len();
        let (own, first) = (chain.0[place].clone(), chain.0[0].clone());
        let above = chain.0[place - 1].clone();
        let mut wider = chain.clone();
        for member in ["exp", "authorization_details", "scope"] {
            wider.0[place][member] = first[member].clone();
        }
        let is_wider = above["exp"] != first["exp"] || above["authorization_details"] != first["authorization_details"];
        let verdict = flaw(wider.verify());
        prop_assert_eq!(verdict.is_some(), is_wider, "{} of {:?} {:?}", place, own, verdict);
    }
}

#[test]
fn an_audience_is_the_same_all_along() {
    let elsewhere = |claims: &mut Value| {
        claims["aud"] = "https://b.example".into();
        for detail in claims["authorization_details"].as_array_mut().unwrap() {
            detail["locations"][0] = "https://b.example".into();
        }
    };
    assert_eq!(flaw(Chain::of(3).with(0, elsewhere).verify()), Some(Flaw::Lineage));
    assert_eq!(flaw(Chain::of(3).with(2, elsewhere).verify()), Some(Flaw::Audience));
    assert_eq!(audience(ERP).as_str(), ERP);
}

/// A credential of one call, from this second on for five minutes.
fn once(number: u32, from: i64) -> String {
    let mut claims = known("auto").claims;
    claims["jti"] = format!("tc_{number:0>22}").into();
    (claims["iat"], claims["nbf"], claims["exp"]) = (from.into(), from.into(), (from + 300).into());
    claims[CONTEXT]["attn"]["exp"] = (from + 5_000).into();
    for_one_call(&mut claims);
    ISSUER.sign(&claims)
}

fn for_one_call(claims: &mut Value) {
    claims["authorization_details"].as_array_mut().unwrap().truncate(1);
    claims["authorization_details"][0]["constraints"] = json!({"max_calls": 1});
    claims["scope"] = "invoices.read".into();
}

fn accept(verifier: &CredentialVerifier, token: &str, now: i64) -> Option<Flaw> {
    let (read, here) = ("invoices.read".parse().unwrap(), Resource::new("ledger", "2026-Q3").unwrap());
    flaw(verifier.accept(&shown(token), (&read, &here, &Arguments::none()), at(now)))
}

#[test]
fn no_clock_makes_what_was_used_good_again() {
    let verifier = credentials();
    let lenient = verifier.clone().with_leeway(Leeway::new(std::time::Duration::from_secs(60)).unwrap());
    let first = once(0, START);
    assert_eq!(accept(&verifier, &first, START + 10), None);
    assert_eq!(accept(&verifier, &first, START + 11), Some(Flaw::Replayed));
    for number in 1..=200 {
        assert_eq!(accept(&verifier, &once(number, START + 200), START + 301), None);
    }
    for (verifier, now) in [(&verifier, 301), (&lenient, 301), (&lenient, 359), (&verifier, 20), (&lenient, 20)] {
        assert!(accept(verifier, &first, START + now).is_some(), "at {now}");
    }
    for number in 201..=400 {
        assert_eq!(accept(&verifier, &once(number, START + 200), START + 361), None);
    }
    // By then it is forgotten; a clock that is set back does not bring it back.
    assert_eq!(accept(&verifier, &first, START + 20), Some(Flaw::Expired));
    assert_eq!(accept(&verifier, &once(401, START), START + 20), Some(Flaw::Expired), "nor one that was not there");
}

#[test]
fn a_service_that_counts_as_many_as_it_has_room_for_refuses_the_next() {
    let verifier = credentials().counting(3);
    for number in 0..3 {
        assert_eq!(accept(&verifier, &once(number, START), START + 1), None);
    }
    assert_eq!(accept(&verifier, &once(3, START), START + 1), Some(Flaw::Unavailable));
    assert_eq!(accept(&verifier, &once(0, START), START + 1), Some(Flaw::Replayed), "what lives is not forgotten");
    assert_eq!(accept(&verifier, &once(4, START + 300), START + 361), None, "what is over is");
}

#[test]
fn a_projection_is_revoked_and_used_up_with_what_it_is_one_of() {
    let [mut native, mut projected] = ["obo", "proj"].map(|name| known(name).claims);
    for_one_call(&mut native);
    for_one_call(&mut projected);
    let (native, projected) = (ISSUER.sign(&native), ISSUER.sign(&projected));
    for order in [[&native, &projected], [&projected, &native], [&projected, &projected]] {
        let verifier = credentials();
        assert_eq!(accept(&verifier, order[0], NOW), None);
        assert_eq!(accept(&verifier, order[1], NOW), Some(Flaw::Replayed));
    }
    let view = std::sync::Arc::new(crate::revocations::Only("tc_8Rr1tYpZq3Kd6Vx0Gm9sHa"));
    let verifier = credentials().revoked_by(view);
    assert_eq!(flaw(verifier.verify(&shown(&native), at(NOW))), Some(Flaw::Revoked));
    assert_eq!(flaw(verifier.verify(&shown(&projected), at(NOW))), Some(Flaw::Revoked));
}

#[test]
fn a_word_is_written_as_one() {
    type Row = (&'static str, fn(&mut Value));
    let rows: [Row; 5] = [
        ("the mode", |c| c[CONTEXT]["mode"] = json!({"autonomous": null})),
        ("the role", |c| c[CONTEXT]["accountable"]["role"] = json!({"sponsor": null})),
        ("the method", |c| c[CONTEXT]["attn"]["method"] = json!({"spiffe-jwt-svid": null})),
        ("a bound", |c| c["authorization_details"][0]["constraints"] = json!({"where": {"x": {"absent": null}}})),
        ("no bound", |c| c["authorization_details"][0]["constraints"] = json!({"where": {"x": {}}})),
    ];
    for (what, change) in rows {
        let mut claims = known("auto").claims;
        change(&mut claims);
        assert_eq!(flaw(credentials().verify(&shown(&ISSUER.sign(&claims)), at(NOW))), Some(Flaw::Claims), "{what}");
    }
    let mut claims = known("auto").claims;
    claims["authorization_details"][0]["constraints"] = json!({"where": {"x": "absent"}});
    assert_eq!(flaw(credentials().verify(&shown(&ISSUER.sign(&claims)), at(NOW))), None);
}
