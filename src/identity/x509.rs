//! X.509-SVIDs: what a trust domain certifies of its workloads.

use std::collections::BTreeMap;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage as Usage, anchor_from_trusted_cert};
use x509_cert::Certificate;
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode, Encode, Error, Reader, SliceReader};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, SubjectAltName};

use super::{
    AgentId, BearerProof, Environment, ProofError, ProofMethod, SpiffeId, TrustBundle, TrustDomain, TrustError,
};
use crate::canonical::Digest;
use crate::id::Found;
use crate::jose::{Flaw, Leeway, VerifyingKey};
use crate::time::Timestamp;

/// Certificates in one chain.
const MAX_CHAIN: usize = 8;
/// Bytes of one certificate.
const MAX_BYTES: usize = 16 * 1024;

/// Verifies X.509-SVIDs (SPIFFE X509-SVID): a path to a root of the trust domain that the certificate names, in time, and a
/// leaf that is no authority, is for digital signatures, and has one URI, a SPIFFE ID, as its name.
///
/// A certificate is no secret: what is found true is a [`BearerProof`], which admits nobody before
/// [`Enrolment`](super::Enrolment) was answered with the certificate's own key
/// ([`Challenge::answer_with`](super::Challenge::answer_with)), or with the one that the host pinned. Revocation lists are not looked at: SVIDs are short-lived.
///
/// ```
/// use bailiwick::identity::{Environment, TrustBundle, TrustDomain, X509Verifier};
///
/// let production = Environment::new("production")?;
/// let bundle = r#"{"keys": []}"#;
/// let bundle = TrustBundle::from_json(TrustDomain::new("acme.example")?, production.clone(), bundle)?;
/// let mut verifier = X509Verifier::new(production);
/// verifier.trust(&bundle)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct X509Verifier {
    environment: Environment,
    leeway: Leeway,
    roots: BTreeMap<TrustDomain, Vec<TrustAnchor<'static>>>,
}

impl X509Verifier {
    /// Trusts nobody yet.
    pub fn new(environment: Environment) -> Self {
        Self { environment, leeway: Leeway::default(), roots: BTreeMap::new() }
    }

    /// How far the clocks of trust domains may differ from ours.
    #[must_use]
    pub fn with_leeway(mut self, leeway: Leeway) -> Self {
        self.leeway = leeway;
        self
    }

    /// Trusts a trust domain for its own workloads.
    ///
    /// # Errors
    ///
    /// It is of another environment, is trusted already, or has a root of another that is.
    pub fn trust(&mut self, bundle: &TrustBundle) -> Result<(), TrustError> {
        let TrustBundle { domain, environment, x509, .. } = bundle;
        if *environment != self.environment {
            let (want, found) = (self.environment.clone(), environment.clone());
            return Err(TrustError::Environment { domain: domain.clone(), want, found });
        }
        if self.roots.contains_key(domain) {
            return Err(TrustError::Twice(Found::new(domain.as_str())));
        }
        let speaks_for =
            |known: &[TrustAnchor<'_>]| known.iter().any(|root| x509.0.iter().any(|new| is_same_key(root, new)));
        if let Some((first, _)) = self.roots.iter().find(|(_, known)| speaks_for(known)) {
            let (first, second) = (Found::new(first.as_str()), Found::new(domain.as_str()));
            return Err(TrustError::SharedRoot { first, second });
        }
        self.roots.insert(domain.clone(), x509.0.clone());
        Ok(())
    }

    /// Verifies a chain: the workload's certificate first, then what is between it and a root, each in DER.
    ///
    /// # Errors
    ///
    /// [`ProofError::Refused`], the same to outsiders whatever is wrong.
    pub fn verify<C: AsRef<[u8]>>(&self, chain: &[C], now: Timestamp) -> Result<BearerProof, ProofError> {
        let chain: Vec<&[u8]> = chain.iter().map(AsRef::as_ref).collect();
        Ok(self.verified(&chain, now)?)
    }

    fn verified(&self, chain: &[&[u8]], now: Timestamp) -> Result<BearerProof, Flaw> {
        if chain.len() > MAX_CHAIN || chain.iter().any(|certificate| certificate.len() > MAX_BYTES) {
            return Err(Flaw::Encoding);
        }
        let read = |der: &&[u8]| Certificate::from_der(der).map_err(|_| Flaw::Encoding);
        let certificates: Vec<Certificate> = chain.iter().map(read).collect::<Result<_, _>>()?;
        let leaf = certificates.first().ok_or(Flaw::Encoding)?;
        let id = named(leaf)?;
        let roots = self.roots.get(id.trust_domain()).ok_or(Flaw::UnknownKey)?;
        let until = self.ends(&certificates, now)?;
        check_path(chain, roots, until.1)?;
        // Of what was signed: of an ECDSA signature anybody can make a second one.
        let signed = leaf.tbs_certificate().to_der().map_err(|_| Flaw::Encoding)?;
        let proof = BearerProof::new(AgentId::from(id), ProofMethod::SpiffeX509Svid, Digest::of(&signed), until.0);
        Ok(proof.of_key(key_of(leaf)?.thumbprint()))
    }

    /// When the first of them ends, by our clock; and the moment at which the path is looked at.
    fn ends(&self, certificates: &[Certificate], now: Timestamp) -> Result<(Timestamp, UnixTime), Flaw> {
        let (mut first_end, mut last_start) = (i64::MAX, 0);
        for certificate in certificates {
            let validity = certificate.tbs_certificate().validity();
            let seconds = |time: Duration| i64::try_from(time.as_secs()).map_err(|_| Flaw::Claims);
            // `notAfter` is the last second of it (RFC 5280, section 4.1.2.5).
            let last = seconds(validity.not_after.to_unix_duration())?;
            first_end = first_end.min(last.saturating_add(1));
            last_start = last_start.max(seconds(validity.not_before.to_unix_duration())?);
        }
        let (now, leeway) = (now.unix(), self.leeway.seconds());
        if now.saturating_add(leeway) < last_start {
            return Err(Flaw::NotYetValid);
        }
        let end = first_end.checked_add(leeway).and_then(Timestamp::from_unix).ok_or(Flaw::Claims)?;
        if now >= end.unix() {
            return Err(Flaw::Expired);
        }
        // Within the leeway, the path is as it was, or will be, when all of them hold.
        let at = now.clamp(last_start.min(first_end - 1), first_end - 1);
        let at = u64::try_from(at).map_err(|_| Flaw::Claims)?;
        Ok((end, UnixTime::since_unix_epoch(Duration::from_secs(at))))
    }
}

/// The workload that the certificate names, if it is a leaf as the standard wants it (X509-SVID, sections 2, 4 and 5.2).
fn named(leaf: &Certificate) -> Result<SpiffeId, Flaw> {
    let certificate = leaf.tbs_certificate();
    let constraints = certificate.get_extension::<BasicConstraints>().map_err(|_| Flaw::Claims)?;
    if constraints.is_some_and(|(_, constraints)| constraints.ca) {
        return Err(Flaw::Authority);
    }
    let usage = certificate.get_extension::<KeyUsage>().map_err(|_| Flaw::Claims)?;
    let (_, usage) = usage.ok_or(Flaw::Authority)?;
    if !usage.digital_signature() || usage.key_cert_sign() || usage.crl_sign() {
        return Err(Flaw::Authority);
    }
    let names = certificate.get_extension::<SubjectAltName>().map_err(|_| Flaw::Claims)?;
    let (_, SubjectAltName(names)) = names.ok_or(Flaw::Subject)?;
    let uri = |name: &GeneralName| match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str().to_owned()),
        _ => None,
    };
    let mut uris = names.iter().filter_map(uri);
    match (uris.next(), uris.next()) {
        (Some(uri), None) => SpiffeId::parse(&uri).map_err(|_| Flaw::Subject),
        _ => Err(Flaw::Subject),
    }
}

/// The workload's own key: with none that is verified here, nobody could prove to have it.
fn key_of(leaf: &Certificate) -> Result<VerifyingKey, Flaw> {
    let info = leaf.tbs_certificate().subject_public_key_info();
    let bytes = info.subject_public_key.as_bytes().ok_or(Flaw::UnknownKey)?;
    let rsa = || {
        let numbers = SliceReader::new(bytes)?
            .sequence(|reader| Ok::<_, Error>((UintRef::decode(reader)?, UintRef::decode(reader)?)));
        numbers.map(|(n, e)| VerifyingKey::rsa(n.as_bytes(), e.as_bytes(), None).ok())
    };
    VerifyingKey::from_subject(bytes).or_else(|| rsa().ok().flatten()).ok_or(Flaw::UnknownKey)
}

fn check_path(chain: &[&[u8]], roots: &[TrustAnchor<'_>], at: UnixTime) -> Result<(), Flaw> {
    let (leaf, rest) = chain.split_first().ok_or(Flaw::Encoding)?;
    let leaf = CertificateDer::from(*leaf);
    let between: Vec<CertificateDer<'_>> = rest.iter().map(|der| CertificateDer::from(*der)).collect();
    let leaf = EndEntityCert::try_from(&leaf).map_err(|_| Flaw::Encoding)?;
    let path = leaf.verify_for_usage(ALL_VERIFICATION_ALGS, roots, &between, at, Usage::client_auth(), None, None);
    path.map(drop).map_err(|_| Flaw::Signature)
}

/// Whether whoever has the key of one has that of the other: then they certify for both, whatever the certificates say.
fn is_same_key(one: &TrustAnchor<'_>, other: &TrustAnchor<'_>) -> bool {
    one.subject_public_key_info == other.subject_public_key_info
}

/// The roots of a trust domain's certificates.
#[derive(Debug, Clone, Default)]
pub(super) struct Roots(Vec<TrustAnchor<'static>>);

impl Roots {
    /// The root that a certificate in DER is.
    pub(super) fn add(&mut self, der: &[u8]) -> Option<()> {
        let certificate = CertificateDer::from(der);
        self.0.push(anchor_from_trusted_cert(&certificate).ok()?.to_owned());
        Some(())
    }
}
