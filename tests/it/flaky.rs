//! What a host brings, and how it breaks: every seam works until it is told to fail or to panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bailiwick::Authorizer;
use bailiwick::audit::{Ack, AuditError, AuditSink, Event, MemorySink};
use bailiwick::credential::{CredentialIssuer, MintKey, Minter};
use bailiwick::entropy::{Entropy, EntropyError, SystemEntropy};
use bailiwick::id::{ApprovalId, Audience, Found, Issuer};
use bailiwick::mandate::{MemoryOnce, Once, OnceError};
use bailiwick::policy::Evaluator;
use bailiwick::time::{Clock, ClockError, ManualClock, Timestamp};

use crate::world::{World, catalog, operator, standard};

/// How a seam behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Works,
    Fails,
    Panics,
}

/// Both ways to break.
pub(crate) const BROKEN: [Mood; 2] = [Mood::Fails, Mood::Panics];

pub(crate) struct Flaky<T> {
    inner: T,
    mood: AtomicU8,
}

impl<T> Flaky<T> {
    pub(crate) fn new(inner: T) -> Arc<Self> {
        Arc::new(Self { inner, mood: AtomicU8::new(Mood::Works as u8) })
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    /// The seam, if it works; panics if it is to.
    fn ask(&self) -> Option<&T> {
        match self.mood.load(Ordering::SeqCst) {
            mood if mood == Mood::Works as u8 => Some(&self.inner),
            mood if mood == Mood::Fails as u8 => None,
            _ => panic!("the host's code panics"),
        }
    }
}

impl Clock for Flaky<Arc<ManualClock>> {
    fn now(&self) -> Result<Timestamp, ClockError> {
        self.ask().ok_or(ClockError)?.now()
    }
}

impl Entropy for Flaky<SystemEntropy> {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        self.ask().ok_or(EntropyError)?.fill(bytes)
    }
}

impl AuditSink for Flaky<Arc<MemorySink>> {
    fn record(&self, event: &Event) -> Ack {
        match self.ask() {
            Some(sink) => sink.record(event),
            None => Ack::failed(AuditError::Failed(Found::new("disk full"))),
        }
    }
}

impl Once for Flaky<MemoryOnce> {
    fn consume(&self, approval: &ApprovalId, until: Timestamp, now: Timestamp) -> Result<(), OnceError> {
        self.ask().ok_or(OnceError::Unavailable)?.consume(approval, until, now)
    }

    fn release(&self, approval: &ApprovalId) {
        if let Some(once) = self.ask() {
            once.release(approval);
        }
    }

    fn outlives_process(&self) -> bool {
        false
    }
}

/// Issuers, by the services that their credentials are for.
pub(crate) type Issuers = Vec<(Audience, Arc<dyn CredentialIssuer>)>;

/// A world whose door hangs on seams that can break.
pub(crate) struct Host {
    pub(crate) world: World,
    pub(crate) clock: Arc<Flaky<Arc<ManualClock>>>,
    pub(crate) entropy: Arc<Flaky<SystemEntropy>>,
    pub(crate) sink: Arc<Flaky<Arc<MemorySink>>>,
    pub(crate) once: Arc<Flaky<MemoryOnce>>,
}

impl Host {
    pub(crate) fn new(policies: &str) -> Self {
        Self::issuing(policies, Vec::new())
    }

    /// With these issuers.
    pub(crate) fn issuing(policies: &str, issuers: Issuers) -> Self {
        let world = World::new(policies);
        let clock = Flaky::new(Arc::clone(&world.clock));
        let entropy = Flaky::new(SystemEntropy);
        let sink = Flaky::new(Arc::clone(&world.sink));
        let once = Flaky::new(MemoryOnce::default());
        let mut host = Self { world, clock, entropy, sink, once };
        host.world.door = host.door(policies, issuers);
        host
    }

    /// Another door on the same seams, as after a restart.
    pub(crate) fn door(&self, policies: &str, issuers: Issuers) -> Authorizer {
        let issuer = Issuer::new("https://authz.acme.example").expect("an issuer");
        let evaluator = Evaluator::new(catalog(), policies).expect("policies");
        let builder = Authorizer::builder(Arc::clone(&self.world.registry), evaluator, self.sink.clone());
        let builder = issuers.into_iter().fold(builder, |builder, (audience, issuer)| builder.issuer(audience, issuer));
        builder
            .minter(Minter::new(issuer, MintKey::generate(&SystemEntropy).expect("a key")))
            .administration(standard())
            .administrator(operator("ada"))
            .administrator(operator("bob"))
            .clock(self.clock.clone())
            .entropy(self.entropy.clone())
            .once(self.once.clone())
            .build()
            .expect("a door")
    }

    /// Everything works again.
    pub(crate) fn works(&self) {
        self.clock.set(Mood::Works);
        self.entropy.set(Mood::Works);
        self.sink.set(Mood::Works);
        self.once.set(Mood::Works);
    }
}
