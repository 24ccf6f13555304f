//! **Is it written?** Three separate, linked records of every event, and the permit that exists only after them.
//!
//! The room hands out a [`Permit`], in exchange for a permitting verdict *and* a place in a live task's budget, *after*
//! the sink took the record. No record, no permit.

mod denial;
mod execution;
mod permit;
mod record;
mod sink;
mod trail;

pub use denial::Denial;
pub use execution::Execution;
pub use permit::Permit;
pub use record::{
    AgentFact, AgentRecord, AgentUserFact, AgentUserRecord, Decided, Effect, Event, Link, OperatorFact, OperatorRecord,
    Stopped,
};
pub use sink::{Ack, AuditError, AuditSink, FanOut, MemorySink, Receipt, TracingTap};
pub(crate) use trail::{Lanes, Proposal, Trail};
