//! Revocation for others: which credentials of an issuer are refused before they end.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, PoisonError};

use serde::{Deserialize, Serialize};

use crate::id::{CredentialId, Issuer};
use crate::jose::{self, Flaw, KeySet, Kind, Leeway, Refused, Token};
use crate::strict::present;
use crate::sync::RwLock;
use crate::time::Timestamp;

/// Credentials that a list names at most; when there are more, it refuses everything that was issued so far.
pub(crate) const MAX_NAMED: usize = 1 << 15;
/// How long a list is believed, in seconds.
const BELIEVED: i64 = 60;

/// Whether a credential stands, as far as somebody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no fourth answer")]
pub enum Status {
    /// It was not revoked.
    Good,
    /// It was revoked.
    Revoked,
    /// Nobody knows, or not any more: refused.
    Unknown,
}

/// Knows which credentials were revoked. A host implements this to ask elsewhere; [`RevocationSet`] knows what was loaded.
///
/// It is asked at every verification, for a credential and for each one that it was passed on from, and must answer from
/// memory. A panic is [`Status::Unknown`].
pub trait RevocationView: fmt::Debug + Send + Sync {
    /// Whether the credential `id` of `issuer`, which was issued at `issued`, stands at `now`.
    fn status(&self, issuer: &Issuer, id: &CredentialId, issued: Timestamp, now: Timestamp) -> Status;
}

/// What is revoked and not over, as [`Authorizer::revocations`](crate::Authorizer::revocations) says it, of any number of
/// issuers. Of an issuer that no list is loaded of, and when the last one is older than a minute, nothing is known: so it is
/// loaded again, every few seconds.
///
/// What was issued before the process started that signed the list is refused: its tasks are gone. So a name of an issuer is
/// used by one process at a time.
#[derive(Debug)]
pub struct RevocationSet {
    keys: KeySet,
    leeway: Leeway,
    lists: RwLock<BTreeMap<Issuer, Arc<List>>>,
}

#[derive(Debug)]
struct List {
    as_of: i64,
    until: i64,
    from: i64,
    all_until: Option<i64>,
    named: HashSet<CredentialId>,
}

/// The claims of a list, in lexical order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevocationClaims {
    /// Everything is revoked that was issued in this second or before.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    all_until: Option<i64>,
    exp: i64,
    /// Everything is revoked that was issued before this second.
    from: i64,
    iat: i64,
    iss: Issuer,
    /// What is revoked besides.
    revoked: Vec<CredentialId>,
}

impl RevocationClaims {
    /// The list of an issuer as it is at `now`, of a process that started at `from`.
    pub(crate) fn new(
        iss: Issuer,
        (from, now): (Timestamp, Timestamp),
        all_until: Option<i64>,
        revoked: Vec<CredentialId>,
    ) -> Self {
        let (iat, from) = (now.unix(), from.unix());
        Self { all_until, exp: iat.saturating_add(BELIEVED), from, iat, iss, revoked }
    }
}

impl List {
    /// Revokes what the other one does, too.
    fn add(&mut self, other: &Self) {
        self.until = self.until.min(other.until);
        self.from = self.from.max(other.from);
        self.all_until = self.all_until.max(other.all_until);
        self.named.extend(other.named.iter().cloned());
    }
}

impl RevocationSet {
    /// Believes lists that are signed by one of these keys, of the issuer that it speaks for.
    pub fn new(keys: KeySet) -> Self {
        Self { keys, leeway: Leeway::default(), lists: RwLock::default() }
    }

    /// The issuers' clocks may differ so much from this service's.
    #[must_use]
    pub fn with_leeway(mut self, leeway: Leeway) -> Self {
        self.leeway = leeway;
        self
    }

    /// Loads the list of an issuer, in the place of the one before.
    ///
    /// # Errors
    ///
    /// It is no list, is not the issuer's, is over, or is older than the one that is loaded: that one stays. Of two of the same
    /// second, nobody knows which is newer: what either revokes is revoked.
    pub fn load(&self, list: &str, now: Timestamp) -> Result<(), Refused> {
        let Token { owner, claims, .. } = Token::<RevocationClaims>::verify(Kind::Revocations, list, &self.keys)?;
        if claims.iss != owner {
            return Err(Flaw::Issuer.into());
        }
        jose::check_window((claims.iat, claims.iat, claims.exp), now, self.leeway)?;
        if claims.exp - claims.iat > BELIEVED || claims.revoked.len() > MAX_NAMED {
            return Err(Flaw::Claims.into());
        }
        let mut list = List {
            as_of: claims.iat,
            until: claims.exp,
            from: claims.from,
            all_until: claims.all_until,
            named: claims.revoked.into_iter().collect(),
        };
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        match lists.get(&owner) {
            Some(loaded) if list.as_of < loaded.as_of => return Err(Flaw::Replayed.into()),
            Some(loaded) if list.as_of == loaded.as_of => list.add(loaded),
            _ => {}
        }
        lists.insert(owner, Arc::new(list));
        Ok(())
    }
}

impl RevocationView for RevocationSet {
    fn status(&self, issuer: &Issuer, id: &CredentialId, issued: Timestamp, now: Timestamp) -> Status {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        let Some(list) = lists.get(issuer).filter(|list| now.unix() < list.until + self.leeway.seconds()) else {
            return Status::Unknown;
        };
        let issued = issued.unix();
        if issued < list.from || list.all_until.is_some_and(|until| issued <= until) || list.named.contains(id) {
            return Status::Revoked;
        }
        Status::Good
    }
}
