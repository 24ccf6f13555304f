//! Leases in the record: what was asked of another system, what came of it, and which of them were not seen to end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AgentFact, AgentRecord, Event};
use crate::id::{Audience, EventId, Found, LeaseId, TaskId, TransactionId};
use crate::identity::AgentId;
use crate::time::Timestamp;

/// What happened to a lease: a credential that another system issues. The secret is in none of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeaseFact {
    /// The issuer is about to be asked. From here on there may be something to revoke.
    Intended {
        /// The decision that permitted it.
        decision: EventId,
        /// Which lease.
        lease: LeaseId,
        /// For which service.
        audience: Audience,
        /// When it ends here, and is revoked.
        until: Timestamp,
        /// When whatever comes of this has ended at the other system by itself, where the issuer knows that before it asks.
        #[serde(default)]
        ends: Option<Timestamp>,
    },
    /// The issuer answered: it gave it, or it said what became of the renewal. Whether it was handed out is for the task to say.
    Issued {
        /// Which lease.
        lease: LeaseId,
        /// When it ends here, and is revoked.
        until: Timestamp,
        /// When it ends at the other system by itself, if it does.
        ends: Option<Timestamp>,
        /// An earlier renewal, until then, was not answered, and may still be heard.
        #[serde(default)]
        unheard: Option<Timestamp>,
    },
    /// The issuer is about to be asked to let it go on. Until it is known to have answered, it may have heard that or not.
    Renewed {
        /// Which lease.
        lease: LeaseId,
        /// When it then ends here, and is revoked.
        until: Timestamp,
        /// When it has ended at the other system by itself in either case, where the issuer knows that before it asks.
        #[serde(default)]
        ends: Option<Timestamp>,
    },
    /// It is gone.
    Revoked {
        /// Which lease.
        lease: LeaseId,
        /// Whether the other system still had it.
        found: bool,
    },
    /// It could not be revoked; written at the first failure, while it is tried again.
    NotRevoked {
        /// Which lease.
        lease: LeaseId,
        /// For which service.
        audience: Audience,
        /// Why not.
        #[serde(deserialize_with = "found")]
        why: Found,
    },
}

fn found<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Found, D::Error> {
    String::deserialize(deserializer).map(|text| Found::new(&text))
}

/// A lease that may be there: the intent to ask for it was recorded, and its end was not.
///
/// It holds no secret. A host may keep it (`serde`), or find it in the records with [`OpenLeases`], and gives it to
/// [`Authorizer::recover`](crate::Authorizer::recover) after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OpenLease {
    /// Which lease.
    pub lease: LeaseId,
    /// For which service: the name of its issuer.
    pub audience: Audience,
    /// Which agent asked for it.
    pub agent: AgentId,
    /// The task that it hangs under.
    pub task: TaskId,
    /// What joins the records of that task.
    pub txn: TransactionId,
    /// The decision that permitted it.
    pub decision: EventId,
    /// When it ends here, and is revoked.
    pub until: Timestamp,
    /// The issuer is known to have given it. If not, it may still come to be.
    pub issued: bool,
    /// When it ends at the other system by itself, where that is known.
    pub ends: Option<Timestamp>,
    /// It was to be renewed until then, and nobody knows whether the issuer heard that: it may still do so.
    #[serde(default)]
    pub unheard: Option<Timestamp>,
}

/// Finds the leases that were not seen to end, in records that are told in their order.
///
/// ```
/// use bailiwick::audit::OpenLeases;
///
/// let mut open = OpenLeases::default();
/// // One line for each event, or for each agent's record, as `serde_json` writes them:
/// for line in [r#"{"agent":{"kind":"begun"}}"#, r#"{"kind":"ended"}"#] {
///     open.read(line)?;
/// }
/// assert!(open.found().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct OpenLeases {
    /// How many were intended so far.
    intended: u64,
    open: BTreeMap<LeaseId, (u64, OpenLease)>,
}

/// The record of a lease, as much of it as says whether it is open.
#[derive(Deserialize)]
struct Told {
    agent: AgentId,
    task: TaskId,
    txn: TransactionId,
    #[serde(flatten)]
    fact: LeaseFact,
}

/// A line that says something of a lease cannot be read: it may be open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the record cannot be read: {0}")]
#[non_exhaustive]
pub struct UnreadRecord(pub Found);

impl OpenLeases {
    /// The open ones of these events.
    pub fn of<'e>(events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut open = Self::default();
        for record in events.into_iter().filter_map(|event| event.agent.as_ref()) {
            open.see(record);
        }
        open
    }

    /// Takes an agent's record into account.
    pub fn see(&mut self, record: &AgentRecord) {
        if let (AgentFact::Lease(fact), Some(task)) = (&record.fact, &record.link.task) {
            self.note(Told {
                agent: record.agent.clone(),
                task: task.clone(),
                txn: record.link.txn.clone(),
                fact: fact.clone(),
            });
        }
    }

    /// Takes a line of JSON into account: an event, or an agent's record. Lines that tell of no lease say nothing here.
    ///
    /// # Errors
    ///
    /// The line is not JSON, or is the record of a lease and not as this version writes it.
    pub fn read(&mut self, line: &str) -> Result<(), UnreadRecord> {
        let unread = |error: serde_json::Error| UnreadRecord(Found::new(&error.to_string()));
        let line: Value = serde_json::from_str(line).map_err(unread)?;
        let record = line.get("agent").filter(|agent| agent.is_object()).unwrap_or(&line);
        if record.get("kind").and_then(Value::as_str) == Some("lease") {
            self.note(Told::deserialize(record).map_err(unread)?);
        }
        Ok(())
    }

    /// Those that may be there, in the order in which they were intended.
    pub fn found(self) -> Vec<OpenLease> {
        let mut found: Vec<_> = self.open.into_values().collect();
        found.sort_by_key(|(place, _)| *place);
        found.into_iter().map(|(_, open)| open).collect()
    }

    fn note(&mut self, told: Told) {
        let Told { agent, task, txn, fact } = told;
        match fact {
            LeaseFact::Intended { decision, lease, audience, until, ends } => {
                let (issued, unheard) = (false, None);
                let open = OpenLease { lease, audience, agent, task, txn, decision, until, issued, ends, unheard };
                self.open.insert(open.lease.clone(), (self.intended, open));
                // Numbers are 64 bits wide: one every nanosecond overflows them after centuries.
                self.intended = self.intended.saturating_add(1);
            }
            LeaseFact::Issued { lease, until, ends, unheard } => self.alter(&lease, |open| {
                (open.issued, open.until, open.ends, open.unheard) = (true, until, ends, unheard);
            }),
            LeaseFact::Renewed { lease, until, ends } => self.alter(&lease, |open| {
                (open.until, open.ends, open.unheard) = (until, ends, open.unheard.max(Some(until)));
            }),
            LeaseFact::Revoked { lease, .. } => drop(self.open.remove(&lease)),
            LeaseFact::NotRevoked { .. } => {}
        }
    }

    fn alter(&mut self, lease: &LeaseId, alter: impl FnOnce(&mut OpenLease)) {
        if let Some((_, open)) = self.open.get_mut(lease) {
            alter(open);
        }
    }
}
