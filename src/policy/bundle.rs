//! The bundle: what decides and can be replaced as a whole, with its version and its seal.

use super::compiled::EntityUid;
use super::{Directory, PolicyName};
use crate::canonical::{Digest, Encoder};
use crate::identity::AgentId;
use crate::jose::{Algorithm, SigningError, VerifyingKey, base64url, key_for};
use crate::mandate::Resource;

/// Policies, the links of their templates, and the directory: loaded, and replaced, as a whole.
///
/// A text alone is a bundle without a version.
///
/// ```
/// use bailiwick::mandate::{ActionClass, Tool};
/// use bailiwick::policy::{Bundle, Catalog, Evaluator};
///
/// let catalog = Catalog::new().with(Tool::new("ticket.read".parse()?, ActionClass::Read))?;
/// let bundle = Bundle::new(r#"@id("reads") permit(principal, action in Action::"any read", resource);"#).version(7);
/// let evaluator = Evaluator::new(catalog, bundle)?;
/// assert_eq!(evaluator.report().version, Some(7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    pub(super) policies: String,
    pub(super) links: Vec<Link>,
    pub(super) directory: Directory,
    pub(super) version: Option<u64>,
    pub(super) forced: bool,
    seal: Option<Box<[u8]>>,
}

/// A policy that is made of a template.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) template: PolicyName,
    pub(super) name: PolicyName,
    pub(super) principal: Option<AgentId>,
    pub(super) resource: Option<Resource>,
}

key_for! {
    /// Seals bundles, for instance where policies are reviewed and released.
    BundleKey
}

impl BundleKey {
    /// The seal of a bundle as it is: 86 characters of base64url, the signature over its digest.
    ///
    /// # Errors
    ///
    /// The key did not sign; an Ed25519 key always does.
    pub fn seal(&self, bundle: &Bundle) -> Result<String, SigningError> {
        Ok(base64url::encode(&self.0.sign(bundle.digest().as_bytes())?))
    }
}

impl Bundle {
    /// These policies.
    pub fn new(policies: &str) -> Self {
        Self { policies: policies.to_owned(), ..Self::default() }
    }

    /// With this directory.
    #[must_use]
    pub fn with(mut self, directory: Directory) -> Self {
        self.directory = directory;
        self
    }

    /// With a policy of this name, made of a template for an agent, a resource, or both: as many as it has slots.
    #[must_use]
    pub fn link(
        mut self,
        template: PolicyName,
        name: PolicyName,
        principal: Option<&AgentId>,
        resource: Option<&Resource>,
    ) -> Self {
        let (principal, resource) = (principal.cloned(), resource.cloned());
        self.links.push(Link { template, name, principal, resource });
        self
    }

    /// Of this version: it does not replace a later one.
    #[must_use]
    pub fn version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    /// Replaces a later version as well.
    #[must_use]
    pub fn forced(mut self) -> Self {
        self.forced = true;
        self
    }

    /// With a seal, as [`BundleKey::seal`] made it.
    #[must_use]
    pub fn sealed(mut self, seal: &str) -> Self {
        // What is no base64url is a seal that nothing verifies.
        self.seal = Some(base64url::decode(seal).unwrap_or_default().into());
        self
    }

    /// The digest of everything in it, besides the seal.
    pub fn digest(&self) -> Digest {
        let mut encoder = Encoder::new("bailiwick/bundle/v1");
        encoder.tag(u8::from(self.version.is_some())).fixed(&self.version.unwrap_or(0).to_be_bytes());
        encoder.text(&self.policies).count(self.links.len());
        for link in &self.links {
            encoder.text(link.template.as_str()).text(link.name.as_str());
            encoder.text(link.principal.as_ref().map_or("", AgentId::as_str));
            encoder.text(link.resource.as_ref().map_or("", Resource::as_str));
        }
        self.directory.encode(&mut encoder);
        encoder.finish()
    }

    pub(super) fn is_sealed_by(&self, key: &VerifyingKey) -> bool {
        let digest = self.digest();
        let by = |algorithm, seal: &[u8]| key.verifies(algorithm, digest.as_bytes(), seal);
        self.seal.as_ref().is_some_and(|seal| by(Algorithm::Ed25519, seal) || by(Algorithm::Es256, seal))
    }
}

impl Link {
    /// What fills the slots.
    pub(super) fn slots(&self, kinds: &super::facts::Kinds) -> [Option<EntityUid>; 2] {
        let agent = |agent: &AgentId| EntityUid::new(kinds.agent.clone(), agent.as_str());
        let resource = |resource: &Resource| EntityUid::new(kinds.resource.clone(), resource.as_str());
        [self.principal.as_ref().map(agent), self.resource.as_ref().map(resource)]
    }
}

impl From<&str> for Bundle {
    fn from(policies: &str) -> Self {
        Self::new(policies)
    }
}

impl From<&String> for Bundle {
    fn from(policies: &String) -> Self {
        Self::new(policies)
    }
}
