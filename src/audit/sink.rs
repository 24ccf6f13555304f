//! Where records go: the seam that a host implements, and the sinks that come with the crate.

use std::sync::Arc;

use super::{Ack, Attribution, AuditError, Event, Sighting};
use crate::live::{locked, shielded};
use crate::sync::Mutex;

/// Takes records.
///
/// `record` hands one event over; the [`Ack`] says whether it was taken for good. A decision waits for the ack, with a
/// deadline, and is a denial without it. An implementation should return quickly and acknowledge later from a thread
/// or task of its own; one that blocks inside `record` blocks the decision, and no deadline can help. A panic is a
/// failure like any other. No lock of this crate is held during the call.
pub trait AuditSink: Send + Sync {
    /// Takes one event.
    fn record(&self, event: &Event) -> Ack;
}

/// Keeps events in memory, up to a bound; when it is full it refuses, and so every action is denied.
///
/// ```
/// use bailiwick::audit::MemorySink;
///
/// let sink = MemorySink::new(10_000);
/// assert!(sink.events().is_empty());
/// ```
#[derive(Debug)]
pub struct MemorySink {
    max: usize,
    events: Mutex<Vec<Event>>,
}

impl MemorySink {
    /// A sink that holds at most `max` events.
    pub fn new(max: usize) -> Self {
        Self { max, events: Mutex::default() }
    }

    /// A copy of the events that it holds, in order.
    pub fn events(&self) -> Vec<Event> {
        locked(&self.events).clone()
    }

    /// Who may have done what another system saw, as far as the events that it holds say; see [`Sighting::resolve`].
    pub fn resolve(&self, sighting: &Sighting) -> Vec<Attribution> {
        sighting.resolve(locked(&self.events).iter())
    }

    /// Takes the events out, in order, and so makes room.
    pub fn drain(&self) -> Vec<Event> {
        std::mem::take(&mut *locked(&self.events))
    }
}

impl AuditSink for MemorySink {
    fn record(&self, event: &Event) -> Ack {
        let event = event.clone();
        let mut events = locked(&self.events);
        if events.len() >= self.max {
            return Ack::failed(AuditError::Full { max: self.max });
        }
        events.push(event);
        Ack::taken()
    }
}

/// Gives every event to several sinks: all that acknowledge must, and at least one does.
pub struct FanOut(Vec<Arc<dyn AuditSink>>);

impl std::fmt::Debug for FanOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FanOut").field(&self.0.len()).finish()
    }
}

impl FanOut {
    /// Gives to each of these, in order.
    pub fn new(sinks: impl IntoIterator<Item = Arc<dyn AuditSink>>) -> Self {
        Self(sinks.into_iter().collect())
    }
}

impl AuditSink for FanOut {
    fn record(&self, event: &Event) -> Ack {
        // One sink's panic does not keep the event from the others.
        let ask = |sink: &Arc<dyn AuditSink>| {
            shielded(|| sink.record(event)).unwrap_or_else(|| Ack::failed(AuditError::Panicked))
        };
        Ack::all(self.0.iter().map(ask).collect())
    }
}

/// Shows events in `tracing`, at the level INFO. Never acknowledges: a log is no record.
#[derive(Debug, Clone, Default)]
#[allow(clippy::exhaustive_structs, reason = "hosts write it as a value, and there is nothing to add")]
pub struct TracingTap;

impl AuditSink for TracingTap {
    fn record(&self, event: &Event) -> Ack {
        if let Some(record) = &event.agent {
            tracing::info!(
                gen_ai.agent.id = %record.agent,
                event = %record.link.event,
                txn = %record.link.txn,
                fact = ?record.fact,
                "agent"
            );
        } else if let Some(record) = &event.operator {
            tracing::info!(
                event = %record.link.event,
                txn = %record.link.txn,
                fact = ?record.fact,
                "operator"
            );
        } else if let Some(record) = &event.agent_user {
            tracing::info!(
                gen_ai.agent.id = %record.agent,
                event = %record.link.event,
                txn = %record.link.txn,
                fact = ?record.fact,
                "agent user"
            );
        }
        Ack::never()
    }
}
