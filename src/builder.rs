//! The builder: what an authorizer needs, and what it can do without.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::audit::{AuditSink, Trail};
use crate::authorizer::Authorizer;
use crate::credential::{Asked, CredentialIssuer, Minter, Reader};
use crate::door::Door;
use crate::entropy::{Entropy, SystemEntropy, draw};
use crate::error::Error;
use crate::id::{Audience, BootId};
use crate::identity::{AgentId, OperatorId, Registry};
use crate::live::Cell;
use crate::mandate::{Breaker, Capabilities, Ceiling, Entitlement, MemoryOnce, Once};
use crate::policy::{Administration, Evaluator};
use crate::revocations::Outlived;
use crate::sync::Mutex;
use crate::time::{Clock, Steady, SystemClock};
use crate::watching::Watch;

/// How long a decision waits for its record to be taken.
const DEADLINE: Duration = Duration::from_secs(5);

/// What an authorizer is built from: three things that it needs, and what it can do without.
pub struct Builder {
    registry: Arc<Registry>,
    evaluator: Evaluator,
    sink: Arc<dyn AuditSink>,
    minter: Option<Minter>,
    issuers: Vec<(Audience, Arc<dyn CredentialIssuer>)>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    once: Arc<dyn Once>,
    deadline: Duration,
    entitlement: Option<Arc<dyn Entitlement>>,
    watch: Watch,
    administration: Option<Administration>,
    administrators: BTreeSet<OperatorId>,
    listed: BTreeSet<OperatorId>,
    in_one_place: bool,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("minter", &self.minter).finish_non_exhaustive()
    }
}

impl Builder {
    pub(crate) fn new(registry: Arc<Registry>, evaluator: Evaluator, sink: Arc<dyn AuditSink>) -> Self {
        Self {
            registry,
            evaluator,
            sink,
            minter: None,
            issuers: Vec::new(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            once: Arc::new(MemoryOnce::default()),
            deadline: DEADLINE,
            entitlement: None,
            watch: Watch::default(),
            administration: None,
            administrators: BTreeSet::new(),
            listed: BTreeSet::new(),
            in_one_place: false,
        }
    }

    /// Credentials are minted by `minter`; without one there are none.
    #[must_use]
    pub fn minter(mut self, minter: Minter) -> Self {
        self.minter = Some(minter);
        self
    }

    /// Credentials for the service `audience` are issued, renewed and revoked by `issuer`. A service has one issuer: where one
    /// system issues several kinds, each has a name of its own.
    #[must_use]
    pub fn issuer(mut self, audience: Audience, issuer: Arc<dyn CredentialIssuer>) -> Self {
        self.issuers.push((audience, issuer));
        self
    }

    /// This operator is an administrator: policies of [`Administration`] see them as one, and unless a host brings its own,
    /// they let them do everything that is a person's to do. Without one, nobody resumes, offboards, registers or replaces
    /// policies.
    #[must_use]
    pub fn administrator(mut self, operator: OperatorId) -> Self {
        self.administrators.insert(operator);
        self
    }

    /// What people may do themselves, and so have done on their behalf, is decided by `entitlement`. Without one, nothing is
    /// decided about people besides what they approved, and each record says so.
    #[must_use]
    pub fn entitlement(mut self, entitlement: Arc<dyn Entitlement>) -> Self {
        self.entitlement = Some(entitlement);
        self
    }

    /// Agents that are refused or act too often are cut off by `breaker`. Without one, none is.
    #[must_use]
    pub fn breaker(mut self, breaker: Breaker) -> Self {
        self.watch.breaker = Some(breaker);
        self
    }

    /// No agent has more at once than `ceiling` lets it, unless it has a [ceiling of its own](Self::ceiling_of).
    #[must_use]
    pub fn ceiling(mut self, ceiling: Ceiling) -> Self {
        self.watch.ceiling = Some(ceiling);
        self
    }

    /// This agent has no more at once than `ceiling` lets it.
    #[must_use]
    pub fn ceiling_of(mut self, agent: AgentId, ceiling: Ceiling) -> Self {
        self.watch.ceilings.insert(agent, ceiling);
        self
    }

    /// Who administers what is decided by `administration`, not by [`Administration::standard`].
    #[must_use]
    pub fn administration(mut self, administration: Administration) -> Self {
        self.administration = Some(administration);
        self
    }

    /// This operator may [break the glass](Authorizer::break_glass). Without one, nobody may.
    #[must_use]
    pub fn may_break_glass(mut self, operator: OperatorId) -> Self {
        self.listed.insert(operator);
        self
    }

    /// An agent is attested with one key at a time: while a proof of it holds, it is not admitted with another. Unless said
    /// so, that is recorded and reviewed, not refused, for a workload that renews its key looks the same.
    #[must_use]
    pub fn in_one_place(mut self) -> Self {
        self.in_one_place = true;
        self
    }

    /// The time is read from `clock`, not from the system.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Randomness is drawn from `entropy`, not from the system.
    #[must_use]
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Approvals are consumed in `once`, not in memory.
    #[must_use]
    pub fn once(mut self, once: Arc<dyn Once>) -> Self {
        self.once = once;
        self
    }

    /// A decision waits for each sink that acknowledges at most for `deadline`, five seconds unless said otherwise.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Opens the door.
    ///
    /// # Errors
    ///
    /// The clock or the source of randomness failed, a service has two issuers, or the standard policies of administration
    /// could not be loaded.
    pub fn build(self) -> Result<Authorizer, Error> {
        let clock = Steady::new(self.clock);
        let started = clock.now()?;
        let boot = BootId::of(&draw(self.entropy.as_ref())?, started);
        let trail = Trail::new(self.sink, Arc::clone(&self.entropy), clock, boot, self.deadline);
        let mut issuers = BTreeMap::new();
        for (audience, issuer) in self.issuers {
            if issuers.insert(audience.clone(), Asked::new(issuer)).is_some() {
                return Err(Error::TwoIssuers(audience));
            }
        }
        Ok(Authorizer::new(Door {
            registry: self.registry,
            evaluator: self.evaluator.apart(),
            trail: Arc::new(trail),
            entropy: self.entropy,
            once: self.once,
            minter: self.minter,
            reader: Reader::default(),
            outlived: Outlived::default(),
            issuers,
            leases: Arc::default(),
            entitlement: self.entitlement,
            watch: self.watch,
            administration: self.administration.map_or_else(Administration::standard, Ok)?,
            administrators: self.administrators,
            listed: self.listed,
            in_one_place: self.in_one_place,
            reloading: Mutex::default(),
            capabilities: Capabilities::default(),
            everything: Cell::default(),
            open: Mutex::default(),
            looked: Mutex::default(),
            started,
        }))
    }
}
