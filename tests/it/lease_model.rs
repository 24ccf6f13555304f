//! Leases beside a naive model: whatever happens, in the end the other system has nothing that is not known as owed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bailiwick::audit::{Effect, OpenLeases};
use bailiwick::credential::{IntendedLease, Issued, Lease};
use bailiwick::id::LeaseId;
use bailiwick::mandate::{Approval, Intent, Mandate};
use bailiwick::secret::Secret;
use bailiwick::time::Clock;
use bailiwick::{Authorizer, Task};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::any::{hold_often, take};
use crate::flaky::{Host, Mood};
use crate::issuing::{Asked, Issuing, LIFETIME, Revoking, System, host};
use crate::steps::read;
use crate::world::{OPEN, audience, scope};

#[derive(Debug, Clone)]
enum Turn {
    Begin,
    Lease(Index),
    Intend(Index),
    Adopt(Index),
    Renew(Index),
    GiveBack(Index),
    Drop(Index),
    Complete(Index),
    Abandon(Index),
    Issuing(Issuing),
    Revoking(Option<Revoking>),
    Sink(bool),
    Wait(u64),
    LateOnesCome,
    Sweep,
    Crash,
}

fn turn() -> impl Strategy<Value = Turn> {
    let issuing = vec![Issuing::Works, Issuing::Refuses, Issuing::Fails, Issuing::LosesTheAnswer, Issuing::ComesLate];
    prop_oneof![
        3 => Just(Turn::Begin),
        8 => any::<Index>().prop_map(Turn::Lease),
        2 => any::<Index>().prop_map(Turn::Intend),
        2 => any::<Index>().prop_map(Turn::Adopt),
        4 => any::<Index>().prop_map(Turn::Renew),
        2 => any::<Index>().prop_map(Turn::GiveBack),
        2 => any::<Index>().prop_map(Turn::Drop),
        1 => any::<Index>().prop_map(Turn::Complete),
        1 => any::<Index>().prop_map(Turn::Abandon),
        3 => select(issuing).prop_map(Turn::Issuing),
        2 => (0_usize..6).prop_map(|times| Turn::Revoking(Some(Revoking::Fails(times)))),
        1 => any::<bool>().prop_map(Turn::Sink),
        2 => Just(Turn::Sink(true)),
        2 => (0_u64..200).prop_map(Turn::Wait),
        2 => Just(Turn::LateOnesCome),
        3 => Just(Turn::Sweep),
        1 => Just(Turn::Crash),
    ]
}

struct Running {
    host: Host,
    system: Arc<System>,
    door: Authorizer,
    tasks: Vec<Task>,
    leases: Vec<Lease>,
    intended: Vec<IntendedLease>,
    issued: usize,
}

impl Running {
    fn new() -> Self {
        let (host, system) = host();
        system.renews();
        let door = host.world.door.clone();
        Self { host, system, door, tasks: vec![], leases: vec![], intended: vec![], issued: 0 }
    }

    fn with_task(&self, index: &Index) -> Option<&Task> {
        (!self.tasks.is_empty()).then(|| &self.tasks[index.index(self.tasks.len())])
    }

    fn turn(&mut self, turn: Turn) {
        match turn {
            Turn::Begin => {
                let world = &self.host.world;
                let Ok(agent) = self.door.admit(world.workload(&world.triage)) else { return };
                let intent = Intent::new("close stale tickets", scope()).expect("a purpose");
                let mandate = Mandate::new(agent, intent).approved(Approval::by(&world.ada, scope()));
                self.tasks.extend(self.door.begin(mandate));
            }
            Turn::Lease(index) => {
                let Some(task) = self.with_task(&index) else { return };
                let given = task.authorize(&read()).ok().and_then(|permit| task.lease(permit, &audience()).ok());
                self.leases.extend(given);
            }
            Turn::Intend(index) => {
                let Some(task) = self.with_task(&index) else { return };
                let intended = task.authorize(&read()).ok().and_then(|permit| task.intend(permit, &audience()).ok());
                self.intended.extend(intended);
            }
            Turn::Adopt(index) => {
                let Some(intended) = take(&mut self.intended, &index) else { return };
                let task = self.tasks.iter().find(|task| task.id() == intended.request().task());
                if let Some(task) = task {
                    let issued = Issued::new(Secret::new("fetched".to_owned()));
                    self.leases.extend(task.adopt(intended, issued));
                }
            }
            Turn::Renew(index) => {
                if self.leases.is_empty() {
                    return;
                }
                let index = index.index(self.leases.len());
                // Whose it is it says itself: any other task refuses.
                for task in &self.tasks {
                    let _ = task.renew(&mut self.leases[index]);
                }
            }
            Turn::GiveBack(index) => {
                let Some(lease) = take(&mut self.leases, &index) else { return };
                match self.tasks.first() {
                    Some(task) => drop(task.give_back(lease, Effect::Succeeded)),
                    None => drop(lease.finish(Effect::Succeeded)),
                }
            }
            Turn::Drop(index) => drop(take(&mut self.leases, &index)),
            Turn::Complete(index) => drop(take(&mut self.tasks, &index).map(Task::complete)),
            Turn::Abandon(index) => drop(take(&mut self.tasks, &index)),
            Turn::Issuing(how) => self.system.issuing(how),
            Turn::Revoking(how) => self.system.revoking(how),
            Turn::Sink(works) => self.host.sink.set(if works { Mood::Works } else { Mood::Fails }),
            Turn::Wait(seconds) => self.host.world.clock.advance(Duration::from_secs(seconds)),
            Turn::LateOnesCome => self.late_ones_come(),
            Turn::Sweep => drop(self.door.sweep()),
            Turn::Crash => self.crash(),
        }
    }

    fn late_ones_come(&self) {
        self.system.late_ones_come(self.host.world.clock.now().expect("the time"));
    }

    /// Nothing is said at the end of the process; the next one finds what is open in the records.
    fn crash(&mut self) {
        std::mem::take(&mut self.leases).into_iter().for_each(std::mem::forget);
        std::mem::take(&mut self.intended).into_iter().for_each(std::mem::forget);
        std::mem::take(&mut self.tasks).into_iter().for_each(std::mem::forget);
        self.door = self.host.door(OPEN, vec![(audience(), self.system.clone())]);
        let open = OpenLeases::of(&self.host.world.sink.events()).found();
        assert_eq!(self.door.recover(open), []);
    }

    /// What is there is had by somebody in a live task, or owed.
    fn is_accounted_for(&self) -> bool {
        let owed = self.door.owed();
        let known: BTreeSet<&LeaseId> = owed.iter().map(|owed| &owed.lease.lease).collect();
        let had = |lease: &LeaseId| self.leases.iter().any(|had| had.id() == lease);
        self.system.there().iter().all(|lease| known.contains(lease) || had(lease))
    }
}

#[test]
fn nothing_is_left_at_the_other_system_that_is_not_known_as_owed() {
    hold_often((96, 24), vec(turn(), 1..60), |turns| {
        let mut running = Running::new();
        for turn in turns {
            running.turn(turn.clone());
            prop_assert!(running.is_accounted_for(), "after {:?}", turn);
        }
        running.issued = running.system.drain_asked().iter().filter(|one| matches!(one, Asked::Issue(_))).count();
        // Everything ends, everything works, everything that was late has come.
        running.host.works();
        running.system.revoking(None);
        running.late_ones_come();
        running.tasks.clear();
        running.intended.clear();
        running.door.sweep();
        prop_assert_eq!(running.system.there(), vec![]);
        running.host.world.clock.advance(LIFETIME);
        running.door.sweep();
        prop_assert_eq!(running.door.owed(), vec![]);
        prop_assert_eq!(OpenLeases::of(&running.host.world.sink.events()).found(), vec![]);
        Ok(running.issued > 2)
    });
}
