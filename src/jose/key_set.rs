//! Keys that are trusted, each for one owner, found by their thumbprints.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{JwkSet, KeyError, Thumbprint, VerifyingKey};
use crate::id::{Found, Issuer};

/// Keys that are trusted, each for one owner: an issuer of tokens, unless said otherwise. A token's `kid`
/// picks the key; the key says whose it is and which algorithm. Cheap to clone.
#[derive(Debug)]
pub struct KeySet<Owner = Issuer>(Arc<BTreeMap<Thumbprint, (Owner, VerifyingKey)>>);

impl<Owner> Clone for KeySet<Owner> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<Owner> Default for KeySet<Owner> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl KeySet {
    /// The keys that an issuer of task credentials published, such as [`KeyRing::jwk_set`](crate::credential::KeyRing::jwk_set),
    /// trusted for tokens of `issuer`.
    ///
    /// # Errors
    ///
    /// A key is called otherwise than by its thumbprint, which is what a token names it by.
    pub fn from_jwk_set(issuer: &Issuer, keys: &JwkSet) -> Result<Self, KeyError> {
        let mut set = Self::new();
        for (id, key) in keys.keys() {
            let thumbprint = key.thumbprint();
            if id.as_str() != thumbprint.as_str() {
                return Err(KeyError::NotThumbprint { id: id.clone(), thumbprint });
            }
            set.add(issuer.clone(), key.clone())?;
        }
        Ok(set)
    }
}

impl<Owner: fmt::Display + Clone> KeySet<Owner> {
    /// A set without keys: it verifies nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// A set of one key, which is trusted for tokens of `owner`.
    pub fn of(owner: Owner, key: VerifyingKey) -> Self {
        Self(Arc::new(BTreeMap::from([(key.thumbprint(), (owner, key))])))
    }

    /// Trusts `key` for tokens of `owner` as well.
    ///
    /// # Errors
    ///
    /// The key is registered already: one key speaks for one owner.
    pub fn with(mut self, owner: Owner, key: VerifyingKey) -> Result<Self, KeyError> {
        self.add(owner, key)?;
        Ok(self)
    }

    pub(crate) fn add(&mut self, owner: Owner, key: VerifyingKey) -> Result<(), KeyError> {
        let thumbprint = key.thumbprint();
        if let Some((owner, _)) = self.0.get(&thumbprint) {
            return Err(KeyError::Duplicate { thumbprint, owner: Found::new(&owner.to_string()) });
        }
        Arc::make_mut(&mut self.0).insert(thumbprint, (owner, key));
        Ok(())
    }

    pub(crate) fn get(&self, kid: &str) -> Option<(&Thumbprint, &(Owner, VerifyingKey))> {
        self.0.get_key_value(kid)
    }
}
