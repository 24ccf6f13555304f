//! Delegation: a part of a task for another agent, never wider, never longer, and never alive without the task above it.

use std::sync::Arc;

use crate::audit::{AgentFact, Lanes};
use crate::canonical::{Digest, Salt};
use crate::door::Door;
use crate::error::Error;
use crate::id::TaskId;
use crate::identity::AgentId;
use crate::jose::Thumbprint;
use crate::mandate::{Assignment, MAX_BELOW, Mandate, MandateError, Mode, TaskState};
use crate::policy::{Reason, check_standing};
use crate::task::{Task, TaskHandle};
use crate::time::Timestamp;

/// A task does not delegate what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DelegationError {
    /// The task, its agent, or the time for it has ended.
    #[error("the task cannot delegate any more: {0}")]
    Over(Reason),
    /// Nobody who approved the task is active, and their approval not over.
    #[error("nobody stands behind the task any more at {now}")]
    Unapproved {
        /// The time now.
        now: Timestamp,
    },
    /// No human said that the task may be delegated, or so deep.
    #[error("the scope lets {allowed} agents stand below, and the delegated part would let {asked}")]
    Depth {
        /// How many agents may stand below the delegating one.
        allowed: u8,
        /// How many would, the other agent among them.
        asked: u8,
    },
    /// The other scope is not within the task's.
    #[error("the scope {asked} is not within the scope {allowed} of the task")]
    Wider {
        /// The digest of the scope that was asked for.
        asked: Digest,
        /// The digest of the task's.
        allowed: Digest,
    },
    /// The other agent delegates itself, or stands above already.
    #[error("the agent {agent} would stand below itself, in the task {above}")]
    Cycle {
        /// The agent.
        agent: AgentId,
        /// Its task above.
        above: TaskId,
    },
    /// The other agent has the key of one above: it could not be told from it.
    #[error("the agent {agent} has the same key {key} as {above}")]
    SameKey {
        /// The agent.
        agent: AgentId,
        /// Their key.
        key: Thumbprint,
        /// Who stands above.
        above: AgentId,
    },
    /// The other task would outlive this one.
    #[error("the part would end at {asked}, after the task at {allowed}")]
    Later {
        /// When it would end.
        asked: Timestamp,
        /// When the task ends.
        allowed: Timestamp,
    },
    /// The other mandate has approvals of its own: people approve what a task begins with.
    #[error("a delegated part rests on the approvals of its task, and not on {0} of its own")]
    OwnApproval(usize),
    /// Too many delegated tasks go on at once.
    #[error("{living} delegated tasks go on, at most {max} may")]
    TooMany {
        /// How many go on, at whatever depth below the first task.
        living: usize,
        /// The bound.
        max: usize,
    },
}

impl TaskHandle {
    /// Delegates a part of the task to another agent: a task of its own, in the same transaction, that rests on what people
    /// approved of this one.
    ///
    /// The mandate names the agent, admitted at this door, and the intent; it may say `until` and `named`, and has no
    /// approval of its own. Its scope must be within the scope of *this task*, which must be
    /// [`delegable`](crate::mandate::Scope::delegable), and delegable itself for one level less at most. What policies
    /// permit this agent does not matter: the other agent acts as itself, under the policies for it. Its end is this
    /// task's, unless it says an earlier one.
    ///
    /// What it does is booked in its budget and in every budget above, in one step. It is over, with every permit and
    /// credential below it, as soon as this task is, or its agent is stopped, in whatever way.
    ///
    /// # Errors
    ///
    /// [`Error::Delegation`] says which of these does not hold. As with [`begin`](crate::Authorizer::begin), the agent is not
    /// active, the scope does not fit the tools, the id is taken, or the record was not taken: then there is no such task.
    pub fn delegate(&self, mandate: Mandate) -> Result<Task, Error> {
        let (door, parent) = (&self.door, &self.assignment);
        door.close_some();
        let now = door.now()?;
        check_alive(parent, now)?;
        let part = check_part(parent, &mandate)?;
        door.evaluator.catalog().check_scope(mandate.intent().scope())?;
        door.registry.check_admitted(mandate.agent())?;
        let lasting = mandate.intent().scope().end(now).unwrap_or(part);
        let until = part.min(lasting).min(mandate.agent().until());
        if now >= until {
            return Err(MandateError::Over { until, now }.into());
        }
        let task = mandate.task().cloned().map_or_else(|| TaskId::draw(door.entropy.as_ref()), Ok)?;
        let salt = Salt::draw(door.entropy.as_ref())?;
        let blueprint = door.registry.hold_blueprint(mandate.agent().id())?;
        let conduct = door.watch.of(mandate.agent().id());
        let child = Arc::new(Assignment::part_of(parent, task, mandate, (blueprint, conduct), until, salt));
        parent.enter_below(&child, now).map_err(|living| DelegationError::TooMany { living, max: MAX_BELOW })?;
        door.enter(&child, now)?;
        door.open(child, |child| door.record_delegation(parent, child, now))
    }
}

/// Whether everything that the task rests on stands.
fn check_alive(parent: &Assignment, now: Timestamp) -> Result<(), DelegationError> {
    let (mandate, mut standing) = (parent.mandate(), parent.standing());
    standing.breaker = parent.breaker(now);
    check_standing(mandate, &standing, &Mode::Autonomous, parent.until(), now).map_err(DelegationError::Over)?;
    let mut approvals = mandate.approvals().iter();
    let stands = approvals.any(|approval| now < approval.ends() && standing.operators.contains(approval.operator()));
    if stands { Ok(()) } else { Err(DelegationError::Unapproved { now }) }
}

/// Whether the mandate is a part of the task; says when it ends at the latest.
fn check_part(parent: &Arc<Assignment>, mandate: &Mandate) -> Result<Timestamp, DelegationError> {
    let approvals = mandate.approvals().len();
    if approvals > 0 {
        return Err(DelegationError::OwnApproval(approvals));
    }
    let (asked, allowed) = (mandate.intent().scope(), parent.mandate().intent().scope());
    if asked.max_depth() >= allowed.max_depth() {
        let asked = asked.max_depth().saturating_add(1);
        return Err(DelegationError::Depth { allowed: allowed.max_depth(), asked });
    }
    if !asked.is_subset(allowed) {
        return Err(DelegationError::Wider { asked: asked.digest(), allowed: allowed.digest() });
    }
    let agent = mandate.agent();
    for above in std::iter::once(parent).chain(parent.above()) {
        let theirs = above.mandate().agent();
        if theirs.id() == agent.id() {
            return Err(DelegationError::Cycle { agent: agent.id().clone(), above: above.task().clone() });
        }
        if let Some(key) = agent.key().filter(|key| theirs.key() == Some(key)) {
            let (agent, above) = (agent.id().clone(), theirs.id().clone());
            return Err(DelegationError::SameKey { agent, key: key.clone(), above });
        }
    }
    let allowed = parent.until();
    match mandate.wanted_until() {
        Some(asked) if asked > allowed => Err(DelegationError::Later { asked, allowed }),
        wanted => Ok(wanted.unwrap_or(allowed)),
    }
}

impl Door {
    /// Records that a part was delegated, and that it began.
    fn record_delegation(&self, parent: &Assignment, child: &Assignment, now: Timestamp) -> Result<(), Error> {
        let (mandate, scope) = (child.mandate(), child.mandate().intent().scope().digest());
        let (agent, until) = (mandate.agent(), child.until());
        let delegated = AgentFact::Delegated {
            child: child.task().clone(),
            to: agent.id().clone(),
            scope,
            depth: child.depth(),
            until,
        };
        let begun = AgentFact::Begun {
            purpose: mandate.intent().purpose().clone(),
            scope,
            until,
            sponsor: agent.sponsor().clone(),
            parent: Some(parent.task().clone()),
        };
        for (task, fact) in [(parent, delegated), (child, begun)] {
            let lanes = Lanes { agent: Some((task.mandate().agent().id().clone(), fact)), ..Lanes::default() };
            self.trail.write(task.txn(), Some(task.task()), now, lanes).inspect_err(|_| {
                if std::ptr::eq(task, child) {
                    // What may have been recorded as begun is recorded as ended, as far as that goes.
                    child.end(TaskState::Abandoned);
                    let _ = self.trail.close(child);
                }
            })?;
        }
        Ok(())
    }
}
