//! What is trusted: the keys of trust domains and issuers, each for one of them and for one environment.

use std::collections::BTreeMap;
use std::fmt;

use super::TrustDomain;
use crate::id::{Found, made_of, text};
use crate::jose::{self, JwkSet, KeyError, Purpose, Thumbprint};

text! {
    /// Where workloads run that must not be taken for each other: `production`, `staging`.
    Environment, "environment", "1 to 64 characters of a-z, 0-9 and `-`",
    |text| made_of(text, 64, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// What was to be trusted contradicts what is trusted already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// There are keys for it already.
    #[error("there are keys for {0} already")]
    Twice(Found),
    /// One key would speak for two.
    #[error("the key {key} is that of {first} already, and cannot be that of {second}")]
    SharedKey {
        /// The key's thumbprint.
        key: Thumbprint,
        /// Whose it is.
        first: Found,
        /// Whose it would be too.
        second: Found,
    },
    /// One root would certify for two.
    #[error("a root certificate of {first} cannot be one of {second} too")]
    SharedRoot {
        /// Whose it is.
        first: Found,
        /// Whose it would be too.
        second: Found,
    },
    /// The workloads of another environment would be admitted.
    #[error("the trust domain {domain} is of the environment {found}, not of {want}")]
    Environment {
        /// The trust domain.
        domain: TrustDomain,
        /// The environment of the verifier.
        want: Environment,
        /// That of the bundle.
        found: Environment,
    },
    /// A key or a set of keys was refused.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The keys of those who vouch for others, each by its name: no key speaks for two of them.
#[derive(Debug, Clone)]
pub(super) struct Trusted<Name>(BTreeMap<Name, JwkSet>);

impl<Name> Default for Trusted<Name> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<Name: Ord + fmt::Display> Trusted<Name> {
    pub(super) fn add(&mut self, name: Name, keys: JwkSet) -> Result<(), TrustError> {
        let shown = |name: &Name| Found::new(&name.to_string());
        if self.0.contains_key(&name) {
            return Err(TrustError::Twice(shown(&name)));
        }
        let known: BTreeMap<Thumbprint, &Name> =
            self.0.iter().flat_map(|(name, keys)| keys.thumbprints().map(move |key| (key, name))).collect();
        for key in keys.thumbprints() {
            if let Some(first) = known.get(&key) {
                return Err(TrustError::SharedKey { key, first: shown(first), second: shown(&name) });
            }
        }
        self.0.insert(name, keys);
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<(&Name, &JwkSet)>
    where
        Name: std::borrow::Borrow<str>,
    {
        self.0.get_key_value(name)
    }
}

/// The bundle of a trust domain (SPIFFE Trust Domain and Bundle, section 4): the keys that its JWT-SVIDs are signed with.
///
/// What is in it for other purposes is left out, as the standard wants it; a key for JWT-SVIDs that is malformed, weak or
/// has no `kid` refuses the whole bundle. A bundle without keys verifies nothing.
#[derive(Debug, Clone)]
pub struct TrustBundle {
    pub(super) domain: TrustDomain,
    pub(super) environment: Environment,
    pub(super) jwt: JwkSet,
    #[cfg(feature = "x509")]
    pub(super) x509: super::x509::Roots,
}

impl TrustBundle {
    /// Reads the bundle of a trust domain: a JWK set, which the host got in a way that it trusts.
    ///
    /// # Errors
    ///
    /// As [`JwkSet::from_json`].
    pub fn from_json(domain: TrustDomain, environment: Environment, text: &str) -> Result<Self, KeyError> {
        let set = jose::read_set(text)?;
        Ok(Self {
            domain,
            environment,
            jwt: JwkSet::read(&set, Purpose::JwtSvids)?,
            #[cfg(feature = "x509")]
            x509: roots(&set)?,
        })
    }

    /// The trust domain.
    pub fn domain(&self) -> &TrustDomain {
        &self.domain
    }

    /// The environment that it is of.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The keys of its JWT-SVIDs.
    pub fn jwt_keys(&self) -> &JwkSet {
        &self.jwt
    }
}

/// The roots of its X.509-SVIDs: each key has one certificate, and no `kid` (SPIFFE Trust Domain and Bundle, section 4.2.2).
#[cfg(feature = "x509")]
fn roots(set: &BTreeMap<String, crate::json::Json>) -> Result<super::x509::Roots, KeyError> {
    let mut roots = super::x509::Roots::default();
    for certificates in jose::certificates(set, "x509-svid")? {
        let [certificate] = certificates.as_slice() else {
            return Err(KeyError::Set { want: "one certificate in `x5c` for each key of X.509-SVIDs" });
        };
        roots.add(certificate).ok_or(KeyError::Malformed { want: "a root certificate" })?;
    }
    Ok(roots)
}
