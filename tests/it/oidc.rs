//! Tokens of platforms: what each says of a workload, which selector takes it, and that nothing else does.

use bailiwick::identity::{AgentId, BearerProof, OidcVerifier, ProofMethod, Selector, SelectorError};
use bailiwick::jose::Flaw;
use serde_json::{Value, json};

use crate::pens::{Pen, changed, flaw};
use crate::published::{audience, issuer};
use crate::world::{START, at};

const HOST: &str = "https://host.acme.example";
const CLUSTER: &str = "https://oidc.eks.eu-west-1.amazonaws.com/id/9D2B6A1FC0F34E5A8B7C6D5E4F3A2B1C";
const GITHUB: &str = "https://token.actions.githubusercontent.com";
const GOOGLE: &str = "https://accounts.google.com";
const TENANT: &str = "8d3f1c5e-6a51-4a0f-9a27-1f6f7f2f4b10";
const UID: &str = "0d7a2f9c-6f1e-4a8b-9c7a-3d1f5a1b2c3d";
const WORKFLOW: &str = "acme/app/.github/workflows/release.yml@refs/heads/main";
const OBJECT: &str = "5f0b6d2e-2c4d-4d6a-8a55-0c3d7e9f1a2b";

pub(crate) fn agent() -> AgentId {
    "spiffe://acme.example/agent/invoices".parse().expect("an agent")
}

/// A platform: how its tokens are signed and what they look like, the preset for it, and what that looks at.
pub(crate) struct Platform {
    pen: Pen,
    header: Value,
    pub(crate) claims: Value,
    selector: Selector,
    matched: &'static [&'static str],
    /// What is not looked at, and may be anything.
    ignored: &'static [&'static str],
}

pub(crate) fn platforms() -> [Platform; 4] {
    let times = (START - 10, START + 3600);
    let pen = Pen::new("RS256", "a");
    let with = |member: &str, value: Value| changed(&pen.header(), |header| header[member] = value);
    let kubernetes = Platform {
        // Without a `typ`; the audience is a list.
        header: json!({ "alg": "RS256", "kid": "key-a" }),
        claims: json!({
            "aud": [HOST], "exp": times.1, "iat": times.0, "nbf": times.0, "iss": CLUSTER,
            "jti": "e2c5d1f0-9a8b-4c7d-8e6f-5a4b3c2d1e0f",
            "kubernetes.io": {
                "namespace": "billing",
                "node": { "name": "ip-10-0-1-17", "uid": "c1b2a3d4-0000-4000-8000-000000000001" },
                "pod": { "name": "invoices-7d9c", "uid": "c1b2a3d4-0000-4000-8000-000000000002" },
                "serviceaccount": { "name": "invoices", "uid": UID },
            },
            "sub": "system:serviceaccount:billing:invoices",
        }),
        selector: Selector::kubernetes(agent(), issuer(CLUSTER), "billing", "invoices", UID).expect("a selector"),
        matched: &[
            "/sub",
            "/kubernetes.io/namespace",
            "/kubernetes.io/serviceaccount/name",
            "/kubernetes.io/serviceaccount/uid",
        ],
        ignored: &["/kubernetes.io/pod/name", "/jti"],
        pen: Pen::new("RS256", "a"),
    };
    let github = Platform {
        header: with("x5t", "ykNaY4qM_ta4k2TgZOCEYLkcYlA".into()),
        claims: json!({
            "actor": "ada", "actor_id": "12", "aud": HOST, "base_ref": "", "event_name": "push", "exp": times.1,
            "head_ref": "", "iat": times.0, "iss": GITHUB, "job_workflow_ref": WORKFLOW, "jti": "example-id",
            "nbf": times.0 - 590, "ref": "refs/heads/main", "ref_protected": "true", "ref_type": "branch",
            "repository": "acme/app", "repository_id": "74", "repository_owner": "acme", "repository_owner_id": "65",
            "repository_visibility": "private", "run_attempt": "2", "run_id": "11", "run_number": "10",
            "runner_environment": "github-hosted", "sha": "0f1e2d3c", "sub": "repo:acme/app:ref:refs/heads/main",
            "workflow": "release", "workflow_ref": WORKFLOW, "workflow_sha": "0f1e2d3c",
        }),
        selector: Selector::github_actions(agent(), "74", "65", WORKFLOW).expect("a selector"),
        matched: &["/repository_id", "/repository_owner_id", "/workflow_ref"],
        ignored: &["/repository", "/repository_owner", "/actor", "/run_id"],
        pen: Pen::new("RS256", "a"),
    };
    let google = Platform {
        header: pen.header(),
        claims: json!({
            "aud": HOST, "azp": "112010400000000710080", "email": "invoices@acme.iam.gserviceaccount.com",
            "email_verified": true, "exp": times.1, "iat": times.0, "iss": GOOGLE, "sub": "112010400000000710080",
            "google": { "compute_engine": {
                "instance_creation_timestamp": 1_752_000_000, "instance_id": "152986662232938449",
                "instance_name": "invoices-1", "project_id": "acme-prod", "project_number": 739_419_398_126_i64,
                "zone": "europe-west1-b",
            } },
        }),
        selector: Selector::gcp(agent(), "112010400000000710080").expect("a selector"),
        matched: &["/sub"],
        ignored: &["/email", "/google/compute_engine/instance_name"],
        pen: Pen::new("RS256", "a"),
    };
    let entra = Platform {
        header: with("x5t", "ykNaY4qM_ta4k2TgZOCEYLkcYlA".into()),
        claims: json!({
            "aud": HOST, "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "iat": times.0,
            "nbf": times.0, "exp": times.1, "aio": "k2RgYLhT", "azp": "6e1b2f4a-77c0-4f55-9b1c-0a9c8d7e6f5b",
            "azpacr": "2", "idtyp": "app", "oid": OBJECT, "rh": "1.AAAA", "sub": OBJECT, "tid": TENANT,
            "uti": "m5RaaRnoFUyp2TbS", "ver": "2.0", "xms_act_fct": "3 9", "xms_sub_fct": "9 3",
        }),
        selector: Selector::entra(agent(), TENANT, OBJECT).expect("a selector"),
        matched: &["/tid", "/oid", "/idtyp"],
        ignored: &["/azp", "/uti"],
        pen,
    };
    [kubernetes, github, google, entra]
}

impl Platform {
    pub(crate) fn verifier(&self, selectors: &[Selector]) -> OidcVerifier {
        let mut verifier = OidcVerifier::new(audience(HOST));
        verifier.trust(issuer(self.claims["iss"].as_str().expect("text")), self.pen.set()).expect("a new issuer");
        for selector in selectors {
            verifier.select(selector.clone()).expect("a selector of one");
        }
        verifier
    }

    /// A verifier with the preset alone.
    fn preset(&self) -> OidcVerifier {
        self.verifier(std::slice::from_ref(&self.selector))
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.pen.sign_text(&self.header.to_string(), &claims.to_string())
    }

    /// What is wrong with these claims for the preset.
    fn flaw(&self, claims: &Value) -> Option<Flaw> {
        flaw(self.preset().verify(&self.sign(claims), at(START)))
    }
}

#[test]
fn the_presets_take_what_their_platforms_say_of_a_workload() {
    for platform in platforms() {
        let token = platform.sign(&platform.claims);
        let proof: BearerProof = platform.preset().verify(&token, at(START)).expect("a proof");
        assert_eq!((proof.agent(), proof.method()), (&agent(), ProofMethod::OidcJwt));
        assert_eq!(proof.until(), at(START + 3600));
        let (message, _) = token.rsplit_once('.').expect("three parts");
        assert_eq!(proof.digest(), &bailiwick::Digest::of(message.as_bytes()));
    }
}

#[test]
fn every_claim_that_a_preset_names_is_matched_exactly() {
    for platform in platforms() {
        for pointer in platform.matched {
            let value = platform.claims.pointer(pointer).expect("a claim").as_str().expect("a text").to_owned();
            let other = [
                json!(format!("{value} ")),
                json!(format!("{value}0")),
                json!(value[..value.len() - 1]),
                json!(format!("x{value}")),
                json!(""),
                json!("*"),
                json!([value]),
                json!({ "0": value }),
                json!(7),
                json!(true),
            ];
            let upper = Some(value.to_uppercase()).filter(|upper| *upper != value).map(Value::from);
            for other in other.into_iter().chain(upper) {
                let claims = changed(&platform.claims, |claims| *claims.pointer_mut(pointer).expect("a claim") = other);
                let flaw = platform.flaw(&claims);
                assert!(matches!(flaw, Some(Flaw::Subject | Flaw::Claims)), "{pointer}: {flaw:?}, {claims}");
            }
            let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
            let claims = changed(&platform.claims, |claims| {
                let parent = claims.pointer_mut(parent).expect("an object").as_object_mut().expect("an object");
                parent.remove(name).expect("a claim");
            });
            assert!(platform.flaw(&claims).is_some(), "no {pointer}");
        }
        for pointer in platform.ignored {
            let claims =
                changed(&platform.claims, |claims| *claims.pointer_mut(pointer).expect("a claim") = "x".into());
            assert_eq!(platform.flaw(&claims), None, "{pointer}");
        }
    }
}

#[test]
fn whoever_comes_to_have_the_same_name_is_somebody_else() {
    let [kubernetes, github, google, entra] = platforms();
    let rows = [
        ("the account was deleted and made again", &kubernetes, "/kubernetes.io/serviceaccount/uid", "another-uid"),
        ("a pull request", &github, "/workflow_ref", "acme/app/.github/workflows/release.yml@refs/pull/7/merge"),
        ("another workflow", &github, "/workflow_ref", "acme/app/.github/workflows/test.yml@refs/heads/main"),
        ("the name was free and was taken", &github, "/repository_id", "99"),
        ("the owner's name was free and was taken", &github, "/repository_owner_id", "99"),
        ("the mail address was free and was taken", &google, "/sub", "112010400000000710081"),
        ("a guest of another tenant", &entra, "/tid", "00000000-0000-4000-8000-000000000000"),
        ("a person", &entra, "/idtyp", "user"),
        ("a device", &entra, "/idtyp", "device"),
    ];
    for (what, platform, pointer, value) in rows {
        let claims = changed(&platform.claims, |claims| *claims.pointer_mut(pointer).expect("a claim") = value.into());
        assert_eq!(platform.flaw(&claims), Some(Flaw::Subject), "{what}");
    }
}

#[test]
fn each_platform_s_token_is_refused_where_another_s_is_expected() {
    let platforms = platforms();
    for (own, platform) in platforms.iter().enumerate() {
        for (other, shown) in platforms.iter().enumerate().filter(|(other, _)| *other != own) {
            let found = flaw(platform.preset().verify(&shown.sign(&shown.claims), at(START)));
            assert_eq!(found, Some(Flaw::UnknownKey), "{other} at {own}");
            // Even where all are signed with one key under one issuer's name.
            let claims = changed(&shown.claims, |claims| claims["iss"] = platform.claims["iss"].clone());
            assert_eq!(platform.flaw(&claims), Some(Flaw::Subject), "{other} at {own}, under its name");
        }
    }
}

#[test]
fn one_selector_and_no_second_takes_a_token() {
    let [kubernetes, ..] = platforms();
    let token = kubernetes.sign(&kubernetes.claims);
    let verify = |selectors: &[Selector]| flaw(kubernetes.verifier(selectors).verify(&token, at(START)));
    let other = |uid: &str| {
        let other = "spiffe://acme.example/agent/other".parse().expect("an agent");
        Selector::kubernetes(other, issuer(CLUSTER), "billing", "invoices", uid).expect("a selector")
    };
    let elsewhere = Selector::kubernetes(agent(), issuer("https://other.example"), "billing", "invoices", UID);
    assert_eq!(verify(&[]), Some(Flaw::Subject), "nobody is selected");
    assert_eq!(verify(&[kubernetes.selector.clone(), other("another-uid")]), None);
    assert_eq!(verify(&[kubernetes.selector.clone(), other(UID)]), Some(Flaw::Subject), "two agents");
    let twice = [kubernetes.selector.clone(), kubernetes.selector.clone()];
    assert_eq!(verify(&twice), Some(Flaw::Subject), "one agent, said twice");
    assert_eq!(verify(&[elsewhere.expect("a selector")]), Some(Flaw::Subject), "of another issuer");
}

fn selector() -> Selector {
    Selector::new(agent(), issuer(CLUSTER))
}

#[test]
fn a_selector_names_one_exact_value_of_one_claim_each() {
    for value in ["", "*", "repo:acme/*", "a*b", "**"] {
        assert!(matches!(selector().with("/sub", value), Err(SelectorError::Wildcard { .. })), "{value}");
    }
    for pointer in ["", "/", "sub", "sub/x", "/a//b", "/a/", "//", "/~", "/a~2b", "/a~", "/1/2/3/4/5/6/7/8/9"] {
        let refused = selector().with(pointer, "x");
        assert!(matches!(refused, Err(SelectorError::Pointer(_))), "{pointer}: {refused:?}");
        assert!(matches!(selector().with_bool(pointer, true), Err(SelectorError::Pointer(_))), "{pointer}");
    }
    for (first, second) in [("/sub", "/sub"), ("/a~1b", "/a~1b")] {
        let twice = selector().with(first, "x").expect("a claim").with(second, "y");
        assert!(matches!(twice, Err(SelectorError::Twice(_))), "{second}");
    }
    assert!(matches!(
        Selector::kubernetes(agent(), issuer(CLUSTER), "", "a", UID),
        Err(SelectorError::Wildcard { .. })
    ));
    assert!(matches!(
        Selector::kubernetes(agent(), issuer(CLUSTER), "a", "*", UID),
        Err(SelectorError::Wildcard { .. })
    ));
    assert!(matches!(Selector::github_actions(agent(), "74", "*", WORKFLOW), Err(SelectorError::Wildcard { .. })));
    assert!(matches!(Selector::gcp(agent(), ""), Err(SelectorError::Wildcard { .. })));
    assert!(matches!(Selector::entra(agent(), "a b", OBJECT), Err(SelectorError::Id(_))));
    assert!(matches!(Selector::entra(agent(), TENANT, ""), Err(SelectorError::Wildcard { .. })));
}

#[test]
fn pointers_lead_through_objects_only_and_escapes_are_undone() {
    let pen = Pen::new("ES256", "a");
    let claims = json!({
        "iss": CLUSTER, "aud": HOST, "sub": "s", "exp": START + 60,
        "a/b": { "m~n": "deep", "~1": "tilde" }, "list": ["x"], "flag": true, "text": "true", "number": 7,
    });
    let verify = |selector: Selector| {
        let mut verifier = OidcVerifier::new(audience(HOST));
        verifier.trust(issuer(CLUSTER), pen.set()).expect("a new issuer");
        verifier.select(selector.with("/sub", "s").expect("a claim")).expect("a selector");
        flaw(verifier.verify(&pen.sign(&claims), at(START)))
    };
    let (taken, refused) = (None, Some(Flaw::Subject));
    let rows = [
        ("/a~1b/m~0n", "deep", taken),
        ("/a~1b/~01", "tilde", taken),
        ("/a~1b/m~0n/x", "deep", refused),
        ("/a~1b", "deep", refused),
        ("/a/b/m~0n", "deep", refused),
        ("/list/0", "x", refused),
        ("/list", "x", refused),
        ("/flag", "true", refused),
        ("/text", "true", taken),
        ("/number", "7", refused),
        ("/missing", "x", refused),
    ];
    for (pointer, value, expected) in rows {
        assert_eq!(verify(selector().with(pointer, value).expect("a claim")), expected, "{pointer}");
    }
    for (pointer, value, expected) in
        [("/flag", true, taken), ("/flag", false, refused), ("/text", true, refused), ("/number", true, refused)]
    {
        assert_eq!(verify(selector().with_bool(pointer, value).expect("a claim")), expected, "{pointer}");
    }
}

#[test]
fn a_selector_that_would_take_others_too_is_refused() {
    let mut verifier = OidcVerifier::new(audience(HOST));
    assert!(matches!(verifier.select(selector()), Err(SelectorError::Empty)));
    // Each alone takes tokens of more than one workload, or one's that comes to have the name later.
    let shared = [
        ("/iss", CLUSTER),
        ("/aud", HOST),
        ("/tid", TENANT),
        ("/ver", "2.0"),
        ("/idtyp", "app"),
        ("/sub_profile", "ai_agent"),
        ("/repository", "acme/app"),
        ("/repository_owner", "acme"),
        ("/repository_owner_id", "65"),
        ("/workflow_ref", WORKFLOW),
        ("/ref", "refs/heads/main"),
        ("/environment", "production"),
        ("/email", "invoices@acme.iam.gserviceaccount.com"),
        ("/kubernetes.io/namespace", "billing"),
        ("/kubernetes.io/serviceaccount/name", "invoices"),
        ("/kubernetes.io/pod/name", "invoices-0"),
        ("/google/compute_engine/instance_name", "invoices-1"),
        ("/google/compute_engine/project_id", "acme-prod"),
        ("/google/compute_engine/zone", "europe-west1-b"),
        ("/sub", "repo:acme/app:ref:refs/heads/main"),
        ("/sub", "system:serviceaccount:billing:invoices"),
        ("/sub", "project_path:acme/app:ref_type:branch:ref:main"),
    ];
    for (pointer, value) in shared {
        let alone = selector().with(pointer, value).expect("a claim");
        assert!(matches!(verifier.select(alone.clone()), Err(SelectorError::OnlyMutable(_))), "{pointer}");
        let two = alone.with_bool("/email_verified", true).expect("a claim");
        assert!(matches!(verifier.select(two), Err(SelectorError::OnlyMutable(_))), "{pointer} and a truth value");
    }
    let truth = selector().with_bool("/is_agent", true).expect("a claim");
    assert!(matches!(verifier.select(truth), Err(SelectorError::OnlyMutable(_))), "half of all tokens");
    for (pointer, value) in [("/sub", "112010400000000710080"), ("/oid", OBJECT), ("/repository_id", "74")] {
        assert!(verifier.select(selector().with(pointer, value).expect("a claim")).is_ok(), "{pointer}");
    }
    let error = selector().with("/kubernetes.io/namespace", "billing").expect("a claim").check().expect_err("shared");
    assert!(error.to_string().contains("kubernetes.io/namespace"), "{error}");
}
