//! Credentials and approvals: the known answers, and what the minter makes.

use std::sync::Arc;

use bailiwick::audit::MemorySink;
use bailiwick::credential::{Confirmation, CredentialVerifier, MintKey, Minter};
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::TaskId;
use bailiwick::identity::{
    AgentId, AgentKey, HumanOperator, IdentityVerifier, KeyPossession, ProofError, Registry, danger,
};
use bailiwick::jose::{Flaw, KeyError, KeySet, VerifyingKey};
use bailiwick::mandate::{
    Action, ActionClass, ArgumentType, Arguments, Consent, Evidence, Intent, Mandate, MandateError, Mode, OnceError,
    Resource, Scope, Tool,
};
use bailiwick::policy::{Catalog, Evaluator};
use bailiwick::time::ManualClock;
use bailiwick::{Authorizer, Digest, Error};

use crate::published::{
    AGENT, APPROVALS, AUTHZ, CHILD, ERP, ISSUER, approvals, audience, bytes, contents, credentials, encode, issuer,
    known, shown,
};
use crate::world::{OPEN, START, args, at, operator};

const RECONCILER: &str = "spiffe://acme.example/ns/prod/agent/invoice-reconciler";

fn ledger() -> Resource {
    Resource::new("ledger", "2026-Q3").unwrap()
}

/// The person of the known answers who approved the task.
fn approver() -> HumanOperator {
    HumanOperator::new(operator("u_7Qm2c1"))
}

#[test]
fn keys_have_the_published_thumbprints() {
    for key in [ISSUER, AGENT, CHILD, APPROVALS] {
        assert_eq!(key.public().thumbprint().as_str(), key.thumbprint);
        assert!(key.public().to_jwk().contains(key.x), "the same point");
        assert_eq!(MintKey::from_pkcs8(&key.pkcs8()).unwrap().public(), key.public(), "the private half fits");
        assert_eq!(AgentKey::from_pkcs8(&key.pkcs8()).unwrap().public(), key.public(), "the private half fits");
    }
}

#[test]
fn bytes_that_are_not_a_key_are_refused() {
    let key = |x: &str| VerifyingKey::from_jwk_x(x);
    for x in
        ["", "AAAA", &ISSUER.x[1..], &format!("{}A", ISSUER.x), &format!("{}=", ISSUER.x), &ISSUER.x.replace('_', "/")]
    {
        assert_eq!(key(x), Err(KeyError::Malformed { want: "32 bytes of base64url" }), "{x}");
    }
    for bytes in [&[][..], &[0; 48], &ISSUER.pkcs8()[..47]] {
        assert!(matches!(
            MintKey::from_pkcs8(bytes),
            Err(KeyError::Malformed { want: "an Ed25519 or P-256 key in PKCS#8" })
        ));
    }
    let twice = KeySet::new().with(issuer(AUTHZ), ISSUER.public()).unwrap().with(issuer(ERP), ISSUER.public());
    assert!(matches!(twice, Err(KeyError::Duplicate { .. })));
}

/// With a key of small order a signature without a private key fits every message.
#[test]
fn a_key_of_small_order_is_refused() {
    let y = |first: u8, middle: u8, last: u8| {
        let mut bytes = [middle; 32];
        (bytes[0], bytes[31]) = (first, last);
        bytes
    };
    // The points of order 1, 2, 4 and 8, and the spellings of two of them that are not canonical.
    let small = [
        y(1, 0, 0),
        y(0xec, 0xff, 0x7f),
        y(0, 0, 0),
        bytes("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        bytes("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        y(0xed, 0xff, 0x7f),
        y(0xee, 0xff, 0x7f),
    ];
    for mut point in small {
        for sign in [0, 0x80] {
            point[31] |= sign;
            assert!(VerifyingKey::from_jwk_x(&encode(&point)).is_err(), "{point:02x?}");
        }
    }
}

#[test]
fn the_known_credentials_verify_and_say_what_they_say() {
    for (name, from, until, mode, presented, id) in [
        ("auto", START, START + 300, Mode::Autonomous, None, "tc_2J5cQm8sVb0XzR4yLw1pNg"),
        (
            "obo",
            START + 60,
            START + 360,
            Mode::OnBehalfOf(operator("u_7Qm2c1")),
            Some("invoice-reconciler@agents.acme.example"),
            "tc_8Rr1tYpZq3Kd6Vx0Gm9sHa",
        ),
    ] {
        let token = known(name).jwt;
        let credential = credentials().verify(&shown(&token), at(from)).expect(name);
        assert_eq!(credential, credentials().verify(&shown(&token), at(until - 1)).expect(name));
        assert_eq!(credential.agent(), &AgentId::spiffe(RECONCILER).unwrap(), "{name}");
        assert_eq!(credential.mode(), &mode, "{name}");
        assert_eq!(credential.presented_as(), presented, "{name}");
        assert_eq!(credential.id().as_str(), id, "{name}");
        assert_eq!(credential.issuer().as_str(), AUTHZ, "{name}");
        assert_eq!(credential.audience().as_str(), ERP, "{name}");
        assert_eq!(credential.accountable(), &operator("u_03kTz9"), "{name}");
        assert_eq!(credential.task().as_str(), "tsk_Yk3v0Q9m2nR7sT1u", "{name}");
        assert_eq!(credential.txn().as_str(), "txn_6fN3hW9kE2aD7cB0", "{name}");
        assert_eq!(credential.task_hash().to_string(), "sha-256:G32YOxbMrJFdLDEavY6O6rF95BxoE7JcSf5aSm5MWks", "{name}");
        assert_eq!(credential.confirmation(), &Confirmation::Key(AGENT.public().thumbprint()), "{name}");
        assert_eq!(credential.until(), at(until), "{name}");

        let (read, write) = ("invoices.read".parse().unwrap(), "journal-entries.write".parse().unwrap());
        let (here, elsewhere) = (ledger(), Resource::new("ledger", "2026-Q4").unwrap());
        let entry = |json| credential.permits(&write, &here, &args(json));
        assert!(credential.permits(&read, &here, &Arguments::none()), "{name}");
        assert!(!credential.permits(&read, &elsewhere, &Arguments::none()), "{name}");
        assert_eq!(entry(r#"{"amount_minor": 50000, "currency": "USD"}"#), name == "obo");
        assert!(!entry(r#"{"amount_minor": 50001, "currency": "USD"}"#), "{name}");
        assert!(!entry(r#"{"amount_minor": 50000, "currency": "EUR"}"#), "{name}");
        assert!(!entry(r#"{"amount_minor": 50000}"#), "{name}");
        let calls = credential.max_calls(&write, &here, &args(r#"{"amount_minor": 1, "currency": "USD"}"#));
        assert_eq!(calls, (name == "obo").then_some(20), "{name}");
        assert_eq!(credential.max_calls(&read, &here, &Arguments::none()), None, "{name}");

        let early = credentials().verify(&shown(&token), at(from - 1)).expect_err(name);
        let late = credentials().verify(&shown(&token), at(until)).expect_err(name);
        assert_eq!((early.flaw(), late.flaw()), (Flaw::NotYetValid, Flaw::Expired), "{name}");
        assert_eq!(early.to_string(), late.to_string(), "outsiders are told no reason");
    }
}

#[test]
fn the_known_approval_verifies_and_says_what_it_says() {
    let token = known("approval").jwt;
    let approval = approvals().verify(&token, at(START + 30)).unwrap();
    let Consent::Scope(scope) = approval.consent() else { panic!("consent to a task") };
    let written: Scope = serde_json::from_str(
        r#"{"tools": {
            "invoices.read": {
                "resources": ["ledger/2026-Q3"], "audiences": ["https://erp.acme.example"], "preapproved": true
            },
            "journal-entries.write": {
                "where": {"amount_minor": {"at_most": "50000"}, "currency": {"one_of": ["USD"]}},
                "resources": ["ledger/2026-Q3"], "audiences": ["https://erp.acme.example"], "preapproved": true,
                "max_calls": 20
            }
        }, "max_depth": 2}"#,
    )
    .unwrap();
    assert_eq!(scope, &written);
    assert_eq!(approval.operator(), &operator("u_7Qm2c1"));
    assert_eq!(approval.agent(), Some(&AgentId::spiffe(RECONCILER).unwrap()));
    assert_eq!(approval.task().map(TaskId::as_str), Some("tsk_Yk3v0Q9m2nR7sT1u"));
    assert_eq!(approval.id().as_str(), "apr_9wXk2bT5");
    assert_eq!(approval.ends(), at(START + 1200));
    assert_eq!(approval.evidence(), &Evidence::Token { issued: at(START + 30) });
    // What the known credential names it by.
    assert_eq!(approval.digest(), &Digest::of(token.as_bytes()));
    let context = &known("obo").claims["urn:bailiwick:claims:v1"];
    assert_eq!(context["obo"]["approval"]["hash"], approval.digest().to_string());

    for (now, flaw) in [(START + 29, Flaw::NotYetValid), (START + 1200, Flaw::Expired)] {
        assert_eq!(approvals().verify(&token, at(now)).unwrap_err().flaw(), flaw);
    }
}

#[test]
fn what_is_written_beside_a_known_token_is_what_is_in_it() {
    for name in ["auto", "obo", "sub", "proj", "approval"] {
        let known = known(name);
        assert_eq!(contents(&known.jwt), (known.header, known.claims), "{name}");
    }
}

/// A verifier of key possession that registered the keys which sign the known answers, and an answer to it.
fn possession() -> (KeyPossession, String) {
    let mut verifier = KeyPossession::new(audience(AUTHZ), Arc::new(SystemEntropy));
    for (name, key) in [("agent", AGENT), ("issuer", ISSUER), ("approvals", APPROVALS)] {
        let agent = AgentId::spiffe(&format!("spiffe://acme.example/{name}")).unwrap();
        verifier.register(agent, key.public()).unwrap();
    }
    let agent = AgentId::spiffe("spiffe://acme.example/agent").unwrap();
    let answer = verifier
        .challenge(&agent, at(START + 80))
        .unwrap()
        .answer(&AgentKey::from_pkcs8(&AGENT.pkcs8()).unwrap())
        .expect("an answer");
    (verifier, answer)
}

#[test]
fn no_kind_of_token_is_accepted_as_another() {
    let (possession, answer) = possession();
    let keys = [(AUTHZ, ISSUER), ("https://approvals.acme.example", APPROVALS), ("https://agents.acme.example", AGENT)]
        .into_iter()
        .fold(KeySet::new(), |keys, (owner, key)| keys.with(issuer(owner), key.public()).unwrap());
    let credentials = CredentialVerifier::new(keys.clone(), audience(ERP));
    let approvals = bailiwick::mandate::ApprovalVerifier::new(keys, audience(AUTHZ));
    let now = at(START + 80);

    let verdicts = |token: &str| {
        let credential = credentials.verify(&shown(token), now).map_err(|refused| refused.flaw()).err();
        let approval = approvals.verify(token, now).map_err(|refused| refused.flaw()).err();
        let proof = match possession.verify(token, now) {
            Ok(_) => None,
            Err(ProofError::Refused(refused)) => Some(refused.flaw()),
            Err(other) => panic!("{other}"),
        };
        (credential, approval, proof)
    };
    let (header, unproven) = (Some(Flaw::Header), Some(Flaw::Unproven));
    for (name, token, expected) in [
        ("auto", known("auto").jwt, (None, header, header)),
        ("obo", known("obo").jwt, (None, header, header)),
        ("sub", known("sub").jwt, (unproven, header, header)),
        ("proj", known("proj").jwt, (None, header, header)),
        ("approval", known("approval").jwt, (header, None, header)),
        ("possession", answer, (header, header, None)),
    ] {
        assert_eq!(verdicts(&token), expected, "{name}");
    }
}

/// The ERP's world: who is in the known answers, their tools, and a door that opened at some second.
struct Erp {
    clock: Arc<ManualClock>,
    door: Authorizer,
}

impl Erp {
    fn opened(start: i64) -> Self {
        let (clock, registry) = (Arc::new(ManualClock::at(at(start))), Registry::new());
        for name in ["u_7Qm2c1", "u_03kTz9"] {
            registry.enroll(HumanOperator::new(operator(name))).unwrap();
        }
        for agent in [RECONCILER, "spiffe://acme.example/other"] {
            registry.register(AgentId::spiffe(agent).unwrap(), [operator("u_03kTz9")]).unwrap();
        }
        let tool = |name: &str, class| Tool::new(name.parse().unwrap(), class);
        let write = tool("journal-entries.write", ActionClass::ExternalCommitment)
            .required("amount_minor".parse().unwrap(), ArgumentType::Integer)
            .and_then(|tool| tool.required("currency".parse().unwrap(), ArgumentType::Text))
            .unwrap();
        let catalog = Catalog::new().with(tool("invoices.read", ActionClass::Read)).unwrap().with(write).unwrap();
        let evaluator = Evaluator::new(catalog, OPEN).unwrap();
        let minter = Minter::new(issuer(AUTHZ), MintKey::from_pkcs8(&ISSUER.pkcs8()).unwrap());
        let sink = Arc::new(MemorySink::new(1000));
        let door = Authorizer::builder(registry, evaluator, sink).minter(minter).clock(clock.clone()).build().unwrap();
        Self { clock, door }
    }

    /// A mandate that rests on the known approval.
    fn mandate(&self, agent: &str, task: &str) -> Mandate {
        let key = Some(AGENT.public().thumbprint());
        let workload = danger::workload_vouched_by_host(AgentId::spiffe(agent).unwrap(), key, at(START + 3600));
        let agent = self.door.admit(workload).unwrap();
        let approval = approvals().verify(&known("approval").jwt, at(START + 40)).unwrap();
        let Consent::Scope(scope) = approval.consent().clone() else { panic!("consent to a task") };
        let intent = Intent::new("reconcile the invoices of the quarter", scope).unwrap();
        Mandate::new(agent, intent).approved(approval).named(TaskId::new(task).unwrap())
    }
}

#[test]
fn a_task_begins_from_an_approval_token_and_goes_as_far() {
    let erp = Erp::opened(START);
    erp.clock.set(at(START + 40));
    let task = erp.door.begin(erp.mandate(RECONCILER, "tsk_Yk3v0Q9m2nR7sT1u")).unwrap();
    assert_eq!((task.id().as_str(), task.until()), ("tsk_Yk3v0Q9m2nR7sT1u", at(START + 1200)));

    let write = |json| Action::on_behalf_of(&approver(), "journal-entries.write", &ledger()).unwrap().with(args(json));
    let permit = task.authorize(&write(r#"{"amount_minor": 50000, "currency": "USD"}"#)).unwrap();
    for beyond in [
        write(r#"{"amount_minor": 50001, "currency": "USD"}"#),
        write(r#"{"amount_minor": 50000, "currency": "EUR"}"#),
        Action::autonomous("invoices.read", &ledger()).unwrap(),
        Action::on_behalf_of(&approver(), "invoices.read", &Resource::new("ledger", "2026-Q4").unwrap()).unwrap(),
        Action::on_behalf_of(&HumanOperator::new(operator("u_03kTz9")), "invoices.read", &ledger()).unwrap(),
    ] {
        assert!(task.authorize(&beyond).is_err(), "{beyond:?}");
    }

    let erp_audience = audience(ERP);
    let credential = task.mint(permit, &erp_audience).unwrap();
    let verified = credentials().verify(&shown(credential.expose()), at(START + 40)).unwrap();
    assert_eq!(verified, erp.door.verify(credential.expose(), &erp_audience).unwrap());
    // The task and the approval are named as in the known credential that rests on it.
    let (_, claims) = contents(credential.expose());
    let of = |claims: &serde_json::Value| claims["urn:bailiwick:claims:v1"]["obo"].clone();
    assert_eq!(of(&claims), of(&known("obo").claims));
    let task = |claims: &serde_json::Value| claims["urn:bailiwick:claims:v1"]["task"].clone();
    assert_eq!(task(&claims), task(&known("obo").claims));
    assert_eq!(claims["cnf"], known("obo").claims["cnf"]);
}

#[test]
fn an_approval_token_is_good_once_for_its_agent_and_its_task_and_in_its_process() {
    let erp = Erp::opened(START);
    erp.clock.set(at(START + 40));
    let begin = |agent, task| erp.door.begin(erp.mandate(agent, task)).map(drop).unwrap_err();
    let other = begin("spiffe://acme.example/other", "tsk_Yk3v0Q9m2nR7sT1u");
    assert!(matches!(other, Error::Mandate(MandateError::OtherAgent { .. })), "{other:?}");
    let other = begin(RECONCILER, "tsk_another_task");
    assert!(matches!(other, Error::Mandate(MandateError::OtherTask { .. })), "{other:?}");

    // What was refused has consumed nothing; what began has, even though it is over.
    erp.door.begin(erp.mandate(RECONCILER, "tsk_Yk3v0Q9m2nR7sT1u")).unwrap().complete().unwrap();
    let again = begin(RECONCILER, "tsk_Yk3v0Q9m2nR7sT1u");
    assert_eq!(again, Error::Once { approval: "apr_9wXk2bT5".parse().unwrap(), source: OnceError::Spent });

    erp.clock.set(at(START + 1200));
    let late = begin(RECONCILER, "tsk_Yk3v0Q9m2nR7sT1u");
    assert!(matches!(late, Error::Mandate(MandateError::ApprovalOver { .. })), "{late:?}");

    // A process that started after the token was issued cannot know whether it was used before.
    let later = Erp::opened(START + 31);
    later.clock.set(at(START + 40));
    let earlier = later.door.begin(later.mandate(RECONCILER, "tsk_Yk3v0Q9m2nR7sT1u")).unwrap_err();
    assert!(matches!(earlier, Error::Mandate(MandateError::EarlierBoot { .. })), "{earlier:?}");
}

#[test]
fn a_credential_of_another_start_of_the_process_is_refused() {
    let first = Erp::opened(START);
    first.clock.set(at(START + 40));
    let task = first.door.begin(first.mandate(RECONCILER, "tsk_Yk3v0Q9m2nR7sT1u")).unwrap();
    let read = Action::on_behalf_of(&approver(), "invoices.read", &ledger()).unwrap();
    let erp = audience(ERP);
    let credential = task.mint(task.authorize(&read).unwrap(), &erp).unwrap();
    assert!(first.door.verify(credential.expose(), &erp).is_ok());

    // Same keys, same people, same task: another process.
    let second = Erp::opened(START);
    second.clock.set(at(START + 40));
    assert_eq!(second.door.verify(credential.expose(), &erp).unwrap_err().flaw(), Flaw::Revoked);
    let _twin = second.door.begin(second.mandate(RECONCILER, "tsk_Yk3v0Q9m2nR7sT1u")).unwrap();
    assert_eq!(second.door.verify(credential.expose(), &erp).unwrap_err().flaw(), Flaw::Revoked);
}
