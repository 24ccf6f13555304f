//! X.509-SVIDs that another implementation issued: what is verified of a chain, and what is refused.

use bailiwick::identity::{
    AgentId, BearerProof, Environment, ProofError, ProofMethod, TrustBundle, TrustDomain, TrustError, X509Verifier,
};
use bailiwick::jose::{Flaw, KeyError, Leeway};
use bailiwick::time::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    SanType, SerialNumber, date_time_ymd,
};

use crate::world::at;

pub(crate) const AGENT: &str = "spiffe://acme.example/agent/invoices";
/// The first and the last second of every leaf, unless said otherwise: 2026-11-24 and 2026-11-25, at midnight.
pub(crate) const FROM: i64 = 1_795_478_400;
const LAST: i64 = FROM + 86_400;

fn domain() -> TrustDomain {
    TrustDomain::new("acme.example").expect("a trust domain")
}

pub(crate) fn production() -> Environment {
    Environment::new("production").expect("an environment")
}

pub(crate) type Issuer = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(rcgen::DnType::CommonName, "root");
    params
}

pub(crate) fn root() -> Issuer {
    CertifiedIssuer::self_signed(authority(), key()).expect("a root")
}

pub(crate) fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

/// What an SVID is made from.
pub(crate) fn leaf(names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::default();
    let uri = |name: &&str| SanType::URI((*name).try_into().expect("ASCII"));
    params.subject_alt_names = names.iter().map(uri).collect();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
    params.is_ca = IsCa::ExplicitNoCa;
    (params.not_before, params.not_after) = (date_time_ymd(2026, 11, 24), date_time_ymd(2026, 11, 25));
    params.serial_number = Some(SerialNumber::from(7_u64));
    params
}

pub(crate) fn issued(params: CertificateParams, by: &Issuer) -> Vec<u8> {
    params.signed_by(&key(), by).expect("a certificate").der().to_vec()
}

/// A bundle in which these are roots.
fn bundle_of(roots: &[&Issuer]) -> TrustBundle {
    let keys: Vec<_> = roots.iter().map(|root| jwk(&base64(root.der()))).collect();
    bundle(&serde_json::json!({ "keys": keys })).expect("a bundle")
}

pub(crate) fn jwk(x5c: &str) -> serde_json::Value {
    serde_json::json!({ "use": "x509-svid", "kty": "EC", "crv": "P-256", "x": "", "y": "", "x5c": [x5c] })
}

fn bundle(json: &serde_json::Value) -> Result<TrustBundle, KeyError> {
    TrustBundle::from_json(domain(), production(), &json.to_string())
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letters = bytes.chunks(3).flat_map(|chunk| {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let letter = move |place: usize| match place <= chunk.len() {
            true => char::from(ALPHABET[(bits >> (18 - 6 * place)) as usize & 63]),
            false => '=',
        };
        (0..4).map(letter)
    });
    letters.collect()
}

pub(crate) fn verifier(root: &Issuer) -> X509Verifier {
    let mut verifier = X509Verifier::new(production());
    verifier.trust(&bundle_of(&[root])).expect("a new trust domain");
    verifier
}

fn verify(root: &Issuer, chain: &[Vec<u8>], now: Timestamp) -> Result<BearerProof, Flaw> {
    verifier(root).verify(chain, now).map_err(|error| match error {
        ProofError::Refused(refused) => refused.flaw(),
        other => panic!("a flaw is expected, found {other:?}"),
    })
}

#[test]
fn a_workload_is_who_its_certificate_names_until_it_ends() {
    let root = root();
    let svid = issued(leaf(&[AGENT]), &root);
    let proof = verify(&root, &[svid], at(FROM)).expect("a proof");
    assert_eq!(proof.agent(), &AGENT.parse::<AgentId>().expect("an id"));
    assert_eq!(proof.method(), ProofMethod::SpiffeX509Svid);
    assert_eq!(proof.until(), at(LAST + 1), "`notAfter` is the last second");
}

#[test]
fn every_second_counts() {
    let root = root();
    let svid = vec![issued(leaf(&[AGENT]), &root)];
    let minute = Leeway::new(std::time::Duration::from_secs(60)).expect("a leeway");
    let generous = verifier(&root).with_leeway(minute);
    let rows = [
        (FROM - 61, Err(Flaw::NotYetValid), Err(Flaw::NotYetValid)),
        (FROM - 60, Err(Flaw::NotYetValid), Ok(())),
        (FROM - 1, Err(Flaw::NotYetValid), Ok(())),
        (FROM, Ok(()), Ok(())),
        (LAST, Ok(()), Ok(())),
        (LAST + 1, Err(Flaw::Expired), Ok(())),
        (LAST + 60, Err(Flaw::Expired), Ok(())),
        (LAST + 61, Err(Flaw::Expired), Err(Flaw::Expired)),
    ];
    for (now, strict, lenient) in rows {
        assert_eq!(verify(&root, &svid, at(now)).map(drop), strict, "{now}");
        let found = generous.verify(&svid, at(now)).map(drop);
        assert_eq!(found.map_err(|error| flaw(&error)), lenient, "{now} with a minute of leeway");
    }
}

fn flaw(error: &ProofError) -> Flaw {
    match error {
        ProofError::Refused(refused) => refused.flaw(),
        other => panic!("a flaw is expected, found {other:?}"),
    }
}

#[test]
fn a_leaf_is_what_the_standard_wants() {
    let root = root();
    let changed = |change: fn(&mut CertificateParams)| {
        let mut params = leaf(&[AGENT]);
        change(&mut params);
        issued(params, &root)
    };
    let rows = [
        ("two names", issued(leaf(&[AGENT, "spiffe://acme.example/agent/other"]), &root), Flaw::Subject),
        ("a second URI that is no SPIFFE ID", issued(leaf(&[AGENT, "https://acme.example"]), &root), Flaw::Subject),
        ("no name", issued(leaf(&[]), &root), Flaw::Subject),
        ("the trust domain itself", issued(leaf(&["spiffe://acme.example"]), &root), Flaw::Subject),
        ("another scheme", issued(leaf(&["https://acme.example/agent"]), &root), Flaw::Subject),
        ("upper case", issued(leaf(&["spiffe://Acme.example/agent"]), &root), Flaw::Subject),
        ("a trust domain without roots", issued(leaf(&["spiffe://other.example/agent"]), &root), Flaw::UnknownKey),
        ("an authority", changed(|leaf| leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)), Flaw::Authority),
        ("no usage", changed(|leaf| leaf.key_usages.clear()), Flaw::Authority),
        (
            "the usage of an authority",
            changed(|leaf| leaf.key_usages.push(KeyUsagePurpose::KeyCertSign)),
            Flaw::Authority,
        ),
        (
            "signing of revocation lists",
            changed(|leaf| leaf.key_usages.push(KeyUsagePurpose::CrlSign)),
            Flaw::Authority,
        ),
        (
            "no digital signatures",
            changed(|leaf| leaf.key_usages = vec![KeyUsagePurpose::KeyAgreement]),
            Flaw::Authority,
        ),
        (
            "for mail alone",
            changed(|leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection]),
            Flaw::Signature,
        ),
        ("no certificate", b"MII".to_vec(), Flaw::Encoding),
        ("too long", vec![0x30; 16 * 1024 + 1], Flaw::Encoding),
    ];
    for (what, svid, flaw) in rows {
        assert_eq!(verify(&root, &[svid], at(FROM)).map(drop), Err(flaw), "{what}");
    }
    assert_eq!(verify(&root, &[], at(FROM)).map(drop), Err(Flaw::Encoding), "nothing");
    let long = vec![issued(leaf(&[AGENT]), &root); 9];
    assert_eq!(verify(&root, &long, at(FROM)).map(drop), Err(Flaw::Encoding), "nine certificates");
}

#[test]
fn a_path_leads_to_a_root_of_the_trust_domain() {
    let (root, other) = (root(), root());
    let params = authority();
    let between = CertifiedIssuer::signed_by(params, key(), &root).expect("an authority");
    let svid = issued(leaf(&[AGENT]), &between);
    let chain = [svid.clone(), between.der().to_vec()];
    assert!(verify(&root, &chain, at(FROM)).is_ok(), "by an intermediate authority");
    assert_eq!(verify(&root, &[svid], at(FROM)).map(drop), Err(Flaw::Signature), "without it");
    assert_eq!(verify(&other, &chain, at(FROM)).map(drop), Err(Flaw::Signature), "of another root");

    let forged = CertifiedIssuer::self_signed(leaf(&[AGENT]), key()).expect("a certificate");
    assert_eq!(verify(&root, &[forged.der().to_vec()], at(FROM)).map(drop), Err(Flaw::Signature), "signed by itself");
    // A leaf that issues another leaf is no authority.
    let workload = CertifiedIssuer::signed_by(leaf(&[AGENT]), key(), &root).expect("an SVID");
    let below = [issued(leaf(&["spiffe://acme.example/agent/admin"]), &workload), workload.der().to_vec()];
    assert_eq!(verify(&root, &below, at(FROM)).map(drop), Err(Flaw::Signature), "issued by a workload");
}

#[test]
fn the_proof_is_of_what_was_signed_and_not_of_the_signature() {
    let root = root();
    let (params, holder) = (leaf(&[AGENT]), key());
    let twice = [(); 2].map(|()| params.signed_by(&holder, &root).expect("a certificate").der().to_vec());
    assert_ne!(twice[0], twice[1], "ECDSA signs otherwise each time");
    let [one, other] = twice.map(|svid| *verify(&root, &[svid], at(FROM)).expect("a proof").digest());
    assert_eq!(one, other);
}

#[test]
fn a_bundle_is_trusted_for_one_domain_of_one_environment() {
    let root = root();
    let mut verifier = X509Verifier::new(Environment::new("staging").expect("an environment"));
    assert!(matches!(verifier.trust(&bundle_of(&[&root])), Err(TrustError::Environment { .. })));

    let mut verifier = X509Verifier::new(production());
    verifier.trust(&bundle_of(&[&root])).expect("a new trust domain");
    assert!(matches!(verifier.trust(&bundle_of(&[&root])), Err(TrustError::Twice(_))));
    let json = serde_json::json!({ "keys": [jwk(&base64(root.der()))] }).to_string();
    let other = TrustBundle::from_json(TrustDomain::new("other.example").expect("a domain"), production(), &json);
    assert!(matches!(verifier.trust(&other.expect("a bundle")), Err(TrustError::SharedRoot { .. })));
}

#[test]
fn a_root_is_one_certificate_in_base64() {
    let root = base64(root().der());
    let with = |x5c: serde_json::Value| {
        let mut key = jwk("");
        key["x5c"] = x5c;
        bundle(&serde_json::json!({ "keys": [key] })).map(drop)
    };
    assert_eq!(with(serde_json::json!([root])), Ok(()));
    let set = Err(KeyError::Set { want: "one certificate in `x5c` for each key of X.509-SVIDs" });
    assert_eq!(with(serde_json::json!([])), set, "none");
    assert_eq!(with(serde_json::json!([root, root])), set, "two");
    let base64 = Err(KeyError::Malformed { want: "certificates in base64" });
    assert_eq!(with(serde_json::json!([format!("{root}-_==")])), base64, "the other alphabet");
    assert_eq!(with(serde_json::json!([format!("{root} ")])), base64, "spaces");
    assert_eq!(with(serde_json::json!(["AAAA"])), Err(KeyError::Malformed { want: "a root certificate" }));
    let for_tokens = serde_json::json!({ "keys": [{ "use": "jwt-svid", "kty": "oct", "kid": "1" }] });
    assert!(bundle(&for_tokens).is_ok(), "what is for other purposes or of other kinds is left out");
}
