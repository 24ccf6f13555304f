//! Another system, which really keeps what it issued, and an issuer for it that fails as it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bailiwick::TaskHandle;
use bailiwick::audit::{AgentFact, Event, LeaseFact, Permit};
use bailiwick::credential::{CredentialIssuer, Gone, Issued, IssuerError, Lease, LeaseError, LeaseRequest};
use bailiwick::id::LeaseId;
use bailiwick::secret::Secret;
use bailiwick::time::Timestamp;

use crate::flaky::Host;
use crate::steps::read;
use crate::world::{OPEN, audience};

/// How the issuer answers when it is asked to issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Issuing {
    Works,
    /// Nothing is made, and it says so.
    Refuses,
    /// Nothing is made, and it does not know that.
    Fails,
    /// It is made, and the answer is lost.
    LosesTheAnswer,
    /// It is made, and the issuer panics.
    Panics,
    /// It is made later, when nobody waits any more.
    ComesLate,
}

/// How it answers when it is asked to revoke, for so many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Revoking {
    Fails(usize),
    Panics(usize),
    /// Only time ends what it issues.
    Cannot,
}

/// What it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    Issue(LeaseId),
    Revoke(LeaseId),
    Renew(LeaseId, Timestamp),
}

#[derive(Default)]
pub(crate) struct System(Mutex<State>);

#[derive(Default)]
struct State {
    there: BTreeMap<LeaseId, String>,
    /// With the end that was asked for.
    late: Vec<(LeaseId, Timestamp)>,
    asked: Vec<Asked>,
    issuing: Option<Issuing>,
    revoking: Option<Revoking>,
    /// When what it issues ends by itself.
    ends: Option<Timestamp>,
    /// How long it lives at most, beyond what was asked for.
    at_most: Option<Duration>,
    renews: bool,
    meanwhile: Option<Box<dyn FnOnce() + Send>>,
}

pub(crate) const LIFETIME: Duration = Duration::from_secs(300);

impl System {
    pub(crate) fn issuing(&self, how: Issuing) {
        self.0.lock().unwrap().issuing = Some(how);
    }

    pub(crate) fn revoking(&self, how: Option<Revoking>) {
        self.0.lock().unwrap().revoking = how;
    }

    pub(crate) fn ends(&self, ends: Option<Timestamp>) {
        self.0.lock().unwrap().ends = ends;
    }

    pub(crate) fn lives_at_most(&self, beyond: Duration) {
        self.0.lock().unwrap().at_most = Some(beyond);
    }

    pub(crate) fn renews(&self) {
        self.0.lock().unwrap().renews = true;
    }

    /// Does this, once, after it was asked to issue and before it answers.
    pub(crate) fn meanwhile(&self, act: impl FnOnce() + Send + 'static) {
        self.0.lock().unwrap().meanwhile = Some(Box::new(act));
    }

    /// What was to come late has come, if it is not over by now.
    pub(crate) fn late_ones_come(&self, now: Timestamp) {
        let mut state = self.0.lock().unwrap();
        let late = std::mem::take(&mut state.late).into_iter().filter(|(_, until)| now < *until);
        state.there.extend(late.map(|(lease, _)| (lease, "late".to_owned())));
    }

    pub(crate) fn there(&self) -> Vec<LeaseId> {
        self.0.lock().unwrap().there.keys().cloned().collect()
    }

    pub(crate) fn drain_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    pub(crate) fn revoked(&self) -> Vec<LeaseId> {
        let revoked = |asked: &Asked| if let Asked::Revoke(lease) = asked { Some(lease.clone()) } else { None };
        self.0.lock().unwrap().asked.iter().filter_map(revoked).collect()
    }
}

impl CredentialIssuer for System {
    fn lifetime(&self) -> Duration {
        LIFETIME
    }

    fn latest_end(&self, until: Timestamp) -> Option<Timestamp> {
        self.0.lock().unwrap().at_most.map(|beyond| until.after(beyond))
    }

    fn issue(&self, _: &Permit, request: &LeaseRequest) -> Result<Issued, IssuerError> {
        let (id, mut state) = (request.id().clone(), self.0.lock().unwrap());
        state.asked.push(Asked::Issue(id.clone()));
        let (how, meanwhile) = (state.issuing.unwrap_or(Issuing::Works), state.meanwhile.take());
        drop(state);
        meanwhile.into_iter().for_each(|act| act());
        let mut state = self.0.lock().unwrap();
        let secret = format!("canary-of-{id}");
        match how {
            Issuing::Refuses => return Err(IssuerError::refused("not for you")),
            Issuing::Fails => return Err(IssuerError::failed("no route to host")),
            Issuing::ComesLate => state.late.push((id, request.until())),
            _ => drop(state.there.insert(id, secret.clone())),
        }
        let ends = state.ends;
        drop(state);
        match how {
            Issuing::LosesTheAnswer | Issuing::ComesLate => Err(IssuerError::failed("timed out")),
            Issuing::Panics => panic!("the issuer panics"),
            _ => {
                let issued = Issued::new(Secret::new(secret));
                Ok(if let Some(ends) = ends { issued.until(ends) } else { issued })
            }
        }
    }

    fn revoke(&self, lease: &LeaseId) -> Result<Gone, IssuerError> {
        let mut state = self.0.lock().unwrap();
        state.asked.push(Asked::Revoke(lease.clone()));
        match state.revoking {
            Some(Revoking::Fails(left)) if left > 0 => {
                state.revoking = Some(Revoking::Fails(left - 1));
                return Err(IssuerError::failed("no route to host"));
            }
            Some(Revoking::Cannot) => return Err(IssuerError::Unsupported),
            Some(Revoking::Panics(left)) if left > 0 => {
                state.revoking = Some(Revoking::Panics(left - 1));
                drop(state);
                panic!("the issuer panics");
            }
            _ => {}
        }
        Ok(if state.there.remove(lease).is_some() { Gone::Revoked } else { Gone::NotFound })
    }

    fn renew(&self, lease: &LeaseId, until: Timestamp) -> Result<Option<Timestamp>, IssuerError> {
        let mut state = self.0.lock().unwrap();
        if !state.renews {
            return Err(IssuerError::Unsupported);
        }
        state.asked.push(Asked::Renew(lease.clone(), until));
        let how = state.issuing.unwrap_or(Issuing::Works);
        match how {
            Issuing::Refuses => return Err(IssuerError::refused("not for you")),
            Issuing::Fails => return Err(IssuerError::failed("no route to host")),
            Issuing::ComesLate => state.late.push((lease.clone(), until)),
            // What is not there any more is made anew.
            _ => drop(state.there.insert(lease.clone(), format!("canary-of-{lease}"))),
        }
        let ends = state.ends;
        drop(state);
        match how {
            Issuing::LosesTheAnswer | Issuing::ComesLate => Err(IssuerError::failed("timed out")),
            Issuing::Panics => panic!("the issuer panics"),
            _ => Ok(ends),
        }
    }
}

/// A host that has such an issuer for the world's service.
pub(crate) fn host() -> (Host, Arc<System>) {
    let system = Arc::new(System::default());
    (Host::issuing(OPEN, vec![(audience(), system.clone())]), system)
}

/// Asks for a lease to read the ticket with.
pub(crate) fn lease(task: &TaskHandle) -> Result<Lease, LeaseError> {
    task.lease(task.authorize(&read()).expect("a permit"), &audience())
}

/// What was recorded of leases.
pub(crate) fn facts(events: &[Event]) -> Vec<LeaseFact> {
    let fact = |event: &Event| match &event.agent.as_ref()?.fact {
        AgentFact::Lease(fact) => Some(fact.clone()),
        _ => None,
    };
    events.iter().filter_map(fact).collect()
}

/// The same, as words.
pub(crate) fn story(host: &Host) -> Vec<&'static str> {
    let word = |fact: &LeaseFact| match fact {
        LeaseFact::Intended { .. } => "intended",
        LeaseFact::Issued { .. } => "issued",
        LeaseFact::Renewed { .. } => "renewed",
        LeaseFact::Revoked { found: true, .. } => "revoked",
        LeaseFact::Revoked { .. } => "not there",
        LeaseFact::NotRevoked { .. } => "not revoked",
        other => panic!("{other:?}"),
    };
    facts(&host.world.sink.events()).iter().map(word).collect()
}
