//! How a peer is timed: in batches, each of which asks the eight requests in turn.

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Distinct requests.
pub const REQUESTS: usize = 8;

/// What is said of the eight requests.
pub type Answers = [bool; REQUESTS];

/// Why a peer cannot be measured.
pub type Failure = Box<dyn std::error::Error>;

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its name in the table.
    pub title: &'static str,
    /// Loads `n` policies and the requests: everything that a host does once.
    pub prepare: fn(usize) -> Result<Box<dyn Timed>, Failure>,
}

/// A prepared peer.
pub trait Timed {
    /// Answers each request once.
    fn answers(&mut self) -> Result<Answers, Failure>;

    /// The processor's time that so many decisions take.
    fn time(&mut self, decisions: u64) -> Result<Duration, Failure>;
}

/// A peer in this process: `decide` answers the request of this number, below [`REQUESTS`].
pub fn local(decide: impl FnMut(usize) -> bool + 'static) -> Box<dyn Timed> {
    Box::new(Local(decide))
}

struct Local<F>(F);

impl<F: FnMut(usize) -> bool> Timed for Local<F> {
    fn answers(&mut self) -> Result<Answers, Failure> {
        Ok(std::array::from_fn(&mut self.0))
    }

    fn time(&mut self, decisions: u64) -> Result<Duration, Failure> {
        let start = spent()?;
        batch(&mut self.0, decisions);
        Ok(spent()?.saturating_sub(start))
    }
}

/// The time that this thread has had a processor: not the time for which others had it.
fn spent() -> Result<Duration, Failure> {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Ok(Duration::new(time.tv_sec.try_into()?, time.tv_nsec.try_into()?))
}

/// Nothing but decisions: what `run.sh --instructions` counts, by this name.
#[inline(never)]
fn batch(decide: &mut impl FnMut(usize) -> bool, decisions: u64) {
    for number in 0..decisions as usize {
        black_box(decide(black_box(number % REQUESTS)));
    }
}

/// Checks that the peer answers as every peer must.
pub fn check(timed: &mut dyn Timed, n: usize) -> Result<(), Failure> {
    let (found, wanted) = (timed.answers()?, crate::requests(n));
    for (number, (found, wanted)) in found.into_iter().zip(wanted).enumerate() {
        assert_eq!(found, wanted.allowed, "request {number} of {n} policies: {wanted:?}");
    }
    Ok(())
}
