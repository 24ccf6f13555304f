//! Keys that are trusted, each for one owner, found by their thumbprints.

use std::collections::BTreeMap;
use std::fmt;

use super::{KeyError, Thumbprint, VerifyingKey};
use crate::id::{Found, Issuer};

/// Keys that are trusted, each for one owner: an issuer of tokens, unless said otherwise. A token's `kid`
/// picks the key; the key says whose it is and which algorithm.
#[derive(Debug, Clone)]
pub struct KeySet<Owner = Issuer>(BTreeMap<Thumbprint, (Owner, VerifyingKey)>);

impl<Owner> Default for KeySet<Owner> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<Owner: fmt::Display> KeySet<Owner> {
    /// A set without keys: it verifies nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// A set of one key, which is trusted for tokens of `owner`.
    pub fn of(owner: Owner, key: VerifyingKey) -> Self {
        Self(BTreeMap::from([(key.thumbprint(), (owner, key))]))
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
        self.0.insert(thumbprint, (owner, key));
        Ok(())
    }

    pub(crate) fn get(&self, kid: &str) -> Option<(&Thumbprint, &(Owner, VerifyingKey))> {
        self.0.get_key_value(kid)
    }
}
