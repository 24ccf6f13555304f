//! Two workloads prove who they are, by a JWT-SVID and by a Kubernetes token, each bound to a key of its own; a forged token,
//! a stolen one, and those of another environment prove nothing. Run it with `cargo run --example workload_identity`.

use std::{error::Error, sync::Arc};

use bailiwick::Authorizer;
use bailiwick::audit::MemorySink;
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::{Audience, Issuer};
use bailiwick::identity::{
    AgentId, AgentKey, BearerProof, Enrolment, Environment, HumanOperator, OidcVerifier, OperatorId, ProofError,
    Registry, Selector, SpiffeVerifier, TrustBundle, TrustDomain, TrustError, VerifiedWorkload,
};
use bailiwick::jose::{Flaw, JwkSet};
use bailiwick::policy::{Catalog, Evaluator};
use bailiwick::time::{Clock, SystemClock, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk, jwk::PublicKeyUse};
use ring::{rand::SystemRandom, signature::ECDSA_P256_SHA256_FIXED_SIGNING, signature::EcdsaKeyPair};
use serde_json::{Value, json};

const HOST: &str = "https://host.acme.example";
const CLUSTER: &str = "https://oidc.cluster.acme.example";
const TRIAGE: &str = "spiffe://acme.example/agent/triage";
const INVOICES: &str = "spiffe://acme.example/agent/invoices";
const UID: &str = "0d7a2f9c-6f1e-4a8b-9c7a-3d1f5a1b2c3d";

/// Somebody who signs tokens: a SPIRE server, a cluster, or whoever would like to be one. All call their key `1`.
struct Signer(EncodingKey);

impl Signer {
    fn new() -> Result<Self, Box<dyn Error>> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| "no key could be made")?;
        Ok(Self(EncodingKey::from_ec_der(pkcs8.as_ref())))
    }

    fn sign(&self, claims: &Value) -> Result<String, Box<dyn Error>> {
        let header = Header { kid: Some("1".to_owned()), ..Header::new(Algorithm::ES256) };
        Ok(jsonwebtoken::encode(&header, claims, &self.0)?)
    }

    /// The public half as a set of keys for one use, as it is published.
    fn published(&self, purpose: &str) -> Result<String, Box<dyn Error>> {
        let mut jwk = Jwk::from_encoding_key(&self.0, Algorithm::ES256)?;
        jwk.common.key_id = Some("1".to_owned());
        jwk.common.public_key_use = Some(PublicKeyUse::Other(purpose.to_owned()));
        Ok(json!({ "keys": [jwk] }).to_string())
    }
}

/// A host that admits workloads.
struct Host {
    svids: SpiffeVerifier,
    pods: OidcVerifier,
    enrolment: Enrolment,
    door: Authorizer,
}

impl Host {
    fn new(spire: &Signer, cluster: &Signer) -> Result<Self, Box<dyn Error>> {
        // Whom it trusts, each for its own workloads.
        let (audience, production) = (Audience::new(HOST)?, Environment::new("production")?);
        let mut svids = SpiffeVerifier::new(audience.clone(), production.clone());
        let domain = TrustDomain::new("acme.example")?;
        svids.trust(TrustBundle::from_json(domain, production, &spire.published("jwt-svid")?)?)?;
        let mut pods = OidcVerifier::new(audience.clone());
        let issuer = Issuer::new(CLUSTER)?;
        pods.trust(issuer.clone(), JwkSet::from_json(&cluster.published("sig")?)?)?;
        pods.select(Selector::kubernetes(INVOICES.parse()?, issuer, "billing", "invoices", UID)?)?;

        // Whom it knows, and under which person.
        let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
        let registry = Registry::new();
        registry.enroll(ada.clone())?;
        for agent in [TRIAGE, INVOICES] {
            registry.register(AgentId::spiffe(agent)?, [ada.id().clone()])?;
        }
        let evaluator = Evaluator::new(Catalog::new(), "")?;
        let door = Authorizer::builder(registry, evaluator, Arc::new(MemorySink::new(100))).build()?;
        Ok(Self { svids, pods, enrolment: Enrolment::new(audience, Arc::new(SystemEntropy)), door })
    }

    /// Somebody shows a proof and a public key, is asked, and answers with the private half.
    fn enrol(&self, proof: BearerProof, key: &AgentKey, now: Timestamp) -> Result<VerifiedWorkload, Box<dyn Error>> {
        let challenge = self.enrolment.challenge(&proof, key.public(), now)?;
        // At the workload: it looks at who asks before it answers.
        assert_eq!(challenge.audience().as_str(), HOST);
        let answer = challenge.answer(key)?;
        Ok(self.enrolment.verify(proof, &answer, now)?)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).is_some() {
        println!("usage: workload_identity\nAdmits two workloads, and refuses four that are none. Takes no arguments.");
        return Ok(());
    }
    let (spire, cluster, forger, now) = (Signer::new()?, Signer::new()?, Signer::new()?, SystemClock.now()?);
    let host = Host::new(&spire, &cluster)?;
    let svid = |sub: &str| json!({ "sub": sub, "aud": [HOST], "iat": now.unix(), "exp": now.unix() + 300 });
    let pod = |uid: &str| {
        json!({
            "iss": CLUSTER, "sub": "system:serviceaccount:billing:invoices", "aud": [HOST],
            "iat": now.unix(), "nbf": now.unix(), "exp": now.unix() + 3600,
            "kubernetes.io": { "namespace": "billing", "serviceaccount": { "name": "invoices", "uid": uid } },
        })
    };

    let (own, thief) = (AgentKey::generate(&SystemEntropy)?, AgentKey::generate(&SystemEntropy)?);
    let proof = host.svids.verify(&spire.sign(&svid(TRIAGE))?, now)?;
    let agent = host.door.admit(host.enrol(proof.clone(), &own, now)?)?;
    println!("A JWT-SVID, and the key that it came with: {} is admitted until {}.", agent.id(), agent.until());

    let token = cluster.sign(&pod(UID))?;
    let proof_of_pod = host.pods.verify(&token, now)?;
    let agent = host.door.admit(host.enrol(proof_of_pod, &AgentKey::generate(&SystemEntropy)?, now)?)?;
    println!("A Kubernetes token, and another key: {} is admitted until {}.\n", agent.id(), agent.until());

    let refused = [
        ("A stolen SVID with the thief's key", refusal(host.enrol(proof, &thief, now))?, Flaw::Binding),
        (
            "An SVID that somebody else signed",
            refusal(host.svids.verify(&forger.sign(&svid(TRIAGE))?, now))?,
            Flaw::Signature,
        ),
        (
            "An SVID of staging",
            refusal(host.svids.verify(&forger.sign(&svid("spiffe://staging.acme.example/agent/triage"))?, now))?,
            Flaw::UnknownKey,
        ),
        (
            "A service account that was deleted and made again",
            refusal(host.pods.verify(&cluster.sign(&pod("another-uid"))?, now))?,
            Flaw::Subject,
        ),
    ];
    for (what, error, expected) in refused {
        let ProofError::Refused(refused) = error else { return Err(error.into()) };
        assert_eq!(refused.flaw(), expected, "{what}");
        println!("{what}: “{refused}”; the log says {}.", serde_json::to_string(&refused.flaw())?);
    }

    let staging = TrustBundle::from_json(
        TrustDomain::new("staging.acme.example")?,
        Environment::new("staging")?,
        &forger.published("jwt-svid")?,
    )?;
    let error = host.svids.clone().trust(staging).err().ok_or("staging is not production")?;
    assert!(matches!(error, TrustError::Environment { .. }));
    println!("Its bundle, in production: “{error}”.");
    Ok(())
}

/// What a proof was refused for.
fn refusal<T>(result: Result<T, impl Into<Box<dyn Error>>>) -> Result<ProofError, Box<dyn Error>> {
    let error: Box<dyn Error> = result.err().ok_or("what proves nothing was taken for a proof")?.into();
    Ok(*error.downcast()?)
}
