//! The world of a test: one door over the host's own tools and policies, at a moment that moves by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::SetupError;
use super::entropy::Foreseen;
use crate::audit::MemorySink;
use crate::authorizer::Authorizer;
use crate::credential::{MintKey, Minter};
use crate::entropy::Entropy;
use crate::id::{Audience, IdError, Issuer};
use crate::identity::{
    AgentId, AgentIdentity, AgentKey, HumanOperator, IdentityVerifier, KeyPossession, OperatorId, OperatorSession,
    Registry, VerifiedWorkload, danger,
};
use crate::live::locked;
use crate::mandate::{Intent, Mandate, Scope};
use crate::policy::{Bundle, Catalog, Evaluator};
use crate::sync::Mutex;
use crate::task::Task;
use crate::time::{Clock, ClockError, ManualClock, Timestamp};

/// When it begins: 2026-09-21T14:13:20Z.
const START: i64 = 1_790_000_000;
/// How long a person is signed in.
const SESSION: Duration = Duration::from_secs(8 * 3600);
/// Events at most.
const MAX_EVENTS: usize = 100_000;

/// A world that is the same in every run: an [`Authorizer`] over the host's own tools and policies, a clock that stands
/// until it is moved, people and agents who come into being when they are named, and every record in memory.
///
/// It begins at 2026-09-21T14:13:20Z. Ids, keys and salts are drawn from a source that everybody can foresee, so nothing in
/// it is secret. Its order of events is that of the test: a test with threads that act at once is not the same in every run.
#[derive(Debug)]
pub struct World {
    clock: Arc<ManualClock>,
    sink: Arc<MemorySink>,
    registry: Arc<Registry>,
    authorizer: Authorizer,
    /// Who signed in last, by their ids.
    sessions: Mutex<BTreeMap<OperatorId, OperatorSession>>,
}

impl World {
    /// The name of the person who sponsors every agent and administers the door.
    pub const SPONSOR: &str = "sponsor";

    /// A world with these tools and policies.
    ///
    /// # Errors
    ///
    /// [`SetupError::Policy`]: the policies do not load; see [`Evaluator::new`].
    pub fn new(catalog: Catalog, bundle: impl Into<Bundle>) -> Result<Self, SetupError> {
        Self::of(Evaluator::new(catalog, bundle)?)
    }

    /// A world in which this decides: for an evaluator with more than tools and policies.
    ///
    /// # Errors
    ///
    /// None that a test can bring about: ids, keys and the time are given.
    pub fn of(evaluator: Evaluator) -> Result<Self, SetupError> {
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(START).ok_or(ClockError)?));
        let (sink, registry) = (Arc::new(MemorySink::new(MAX_EVENTS)), Arc::new(Registry::new()));
        let entropy: Arc<dyn Entropy> = Arc::new(Foreseen::from("world"));
        let sponsor = HumanOperator::new(operator_id(Self::SPONSOR)?);
        registry.enroll(sponsor.clone())?;
        let minter = Minter::new(Issuer::new("https://authz.test.example")?, MintKey::generate(entropy.as_ref())?);
        let authorizer = Authorizer::builder(Arc::clone(&registry), evaluator, sink.clone())
            .minter(minter)
            .administrator(sponsor.id().clone())
            .clock(clock.clone())
            .entropy(entropy)
            .build()?;
        Ok(Self { clock, sink, registry, authorizer, sessions: Mutex::default() })
    }

    /// The session of a person, who is known from then on: signed in now for eight hours, and the same session for as long
    /// as it lasts.
    ///
    /// `name` is short, for `https://idp.test.example#name`, or the whole id as policies write it.
    ///
    /// # Errors
    ///
    /// [`SetupError::Id`]: the name is not valid.
    pub fn operator(&self, name: &str) -> Result<OperatorSession, SetupError> {
        let (id, now) = (operator_id(name)?, self.clock.now()?);
        let mut sessions = locked(&self.sessions);
        if let Some(session) = sessions.get(&id).filter(|session| session.is_valid_at(now)) {
            return Ok(session.clone());
        }
        let person = HumanOperator::new(id.clone());
        if self.registry.operator_state(&id).is_none() {
            self.registry.enroll(person.clone())?;
        }
        let session = danger::operator_vouched_by_host(person, now, now.after(SESSION))?;
        sessions.insert(id, session.clone());
        Ok(session)
    }

    /// An agent that has just proven a key of its own, for an hour; known from then on, and sponsored by
    /// [`SPONSOR`](Self::SPONSOR).
    ///
    /// `name` is short, for `spiffe://test.example/agent/name`, or the whole id as policies write it.
    ///
    /// # Errors
    ///
    /// [`SetupError::Id`]: the name is not valid. [`SetupError::Door`]: the agent was suspended or retired.
    pub fn agent(&self, name: &str) -> Result<AgentIdentity, SetupError> {
        let id = agent_id(name)?;
        if self.registry.agent_state(&id).is_none() {
            self.registry.register(id.clone(), [operator_id(Self::SPONSOR)?])?;
        }
        Ok(self.authorizer.admit(prove(id, self.clock.now()?)?)?)
    }

    /// A task of this agent as far as `scope` goes, which these people approved in sessions of theirs. Its purpose is
    /// `test`.
    ///
    /// # Errors
    ///
    /// [`SetupError::Door`]: the task cannot begin; see [`Authorizer::begin`].
    pub fn task<'s>(
        &self,
        agent: &AgentIdentity,
        scope: Scope,
        operators: impl IntoIterator<Item = &'s OperatorSession>,
    ) -> Result<Task, SetupError> {
        let mandate = Mandate::new(agent.clone(), Intent::new("test", scope)?);
        Ok(self.authorizer.begin(operators.into_iter().fold(mandate, Mandate::approved_by))?)
    }

    /// The clock, which stands until the test moves it.
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// Where every record is, up to 100 000 events.
    pub fn sink(&self) -> &MemorySink {
        &self.sink
    }

    /// Who is known.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The door.
    pub fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }
}

/// A whole id has its issuer before the `#`.
fn operator_id(name: &str) -> Result<OperatorId, IdError> {
    let (issuer, subject) = name.split_once('#').unwrap_or(("https://idp.test.example", name));
    OperatorId::new(issuer, subject)
}

fn agent_id(name: &str) -> Result<AgentId, IdError> {
    name.parse().or_else(|_| format!("spiffe://test.example/agent/{name}").parse())
}

/// The agent answers a challenge with the key that follows from its name.
fn prove(id: AgentId, now: Timestamp) -> Result<VerifiedWorkload, SetupError> {
    let entropy = Arc::new(Foreseen::from(id.as_str()));
    let key = AgentKey::generate(entropy.as_ref())?;
    let mut proofs = KeyPossession::new(Audience::new("https://host.test.example")?, entropy);
    proofs.register(id.clone(), key.public())?;
    let answer = proofs.challenge(&id, now)?.answer(&key)?;
    Ok(proofs.verify(&answer, now)?)
}
