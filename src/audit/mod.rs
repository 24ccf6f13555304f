//! **Is it written?** Three separate, linked records of every event, and the permit that exists only after them.
//!
//! The room hands out a [`Permit`], in exchange for a permitting verdict *and* a place in a live task's budget, *after*
//! the sink took the record. No record, no permit.

mod ack;
mod administered;
mod attribution;
mod audit_key;
mod denial;
mod execution;
mod lease;
mod permit;
mod record;
mod rendering;
mod sink;
mod trail;

pub use ack::{Ack, AuditError, Receipt};
pub use administered::Administered;
pub use attribution::{Attribution, Behind, Sighting};
pub use audit_key::AuditKey;
pub use denial::Denial;
pub use execution::Execution;
pub use lease::{LeaseFact, OpenLease, OpenLeases, UnreadRecord};
pub use permit::Permit;
pub use record::{
    AgentFact, AgentRecord, AgentUserFact, AgentUserRecord, Decided, Effect, Event, Link, OperatorFact, OperatorRecord,
};
pub use rendering::{ForHuman, ForModel, ForOperator};
pub use sink::{AuditSink, FanOut, MemorySink, TracingTap};
pub(crate) use trail::{Lanes, Proposal, Trail};
