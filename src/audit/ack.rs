//! The acknowledgement: the promise that a record was taken.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::id::Found;
use crate::live::shielded;

/// A record was not taken; what it would have permitted is denied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The sink refused.
    #[error("the sink failed: {0}")]
    Failed(Found),
    /// The sink is full.
    #[error("the sink holds {max} events and is full")]
    Full {
        /// How many events it holds.
        max: usize,
    },
    /// The sink panicked.
    #[error("the sink panicked")]
    Panicked,
    /// Nobody acknowledged in time.
    #[error("nobody acknowledged the record within {0:?}")]
    Late(Duration),
    /// Nobody who could acknowledge was asked.
    #[error("no sink acknowledges records")]
    NobodyAcknowledges,
    /// No id could be drawn for the record, or its number overflowed.
    #[error("no id could be drawn for the record")]
    NoId,
}

/// The promise that a record was taken.
///
/// Waited for with a deadline, or polled as a [`Future`].
#[derive(Debug)]
#[must_use = "without its acknowledgement a record is not taken"]
pub struct Ack(Promise);

#[derive(Debug)]
enum Promise {
    /// It is known.
    Known(Result<(), AuditError>),
    /// It will be known.
    Awaited(Arc<Awaited>),
    /// It never will: a tap.
    Never,
    /// All that acknowledge must, and one must.
    All(Vec<Ack>),
}

#[derive(Debug, Default)]
struct Awaited {
    state: Mutex<State>,
    settled: Condvar,
}

#[derive(Debug, Default)]
struct State {
    result: Option<Result<(), AuditError>>,
    waker: Option<Waker>,
}

impl Ack {
    /// The record was taken.
    pub fn taken() -> Self {
        Self(Promise::Known(Ok(())))
    }

    /// The record was not taken.
    pub fn failed(error: AuditError) -> Self {
        Self(Promise::Known(Err(error)))
    }

    /// Whether the record was taken is told later, through the receipt.
    pub fn later() -> (Receipt, Self) {
        let awaited = Arc::new(Awaited::default());
        (Receipt(Some(Arc::clone(&awaited))), Self(Promise::Awaited(awaited)))
    }

    /// The sink only looks on: it never acknowledges, and its failing fails nothing.
    pub fn never() -> Self {
        Self(Promise::Never)
    }

    /// All that acknowledge must have taken it, and at least one does.
    pub(super) fn all(acks: Vec<Self>) -> Self {
        Self(Promise::All(acks))
    }

    /// Waits until it is known whether the record was taken, at most for `deadline` (for each sink of a [`FanOut`](super::FanOut)).
    ///
    /// # Errors
    ///
    /// It was not taken, or that is not known in time.
    pub fn wait(self, deadline: Duration) -> Result<(), AuditError> {
        self.acknowledged(deadline)?.then_some(()).ok_or(AuditError::NobodyAcknowledges)
    }

    /// Whether somebody acknowledged; a tap does not.
    fn acknowledged(self, deadline: Duration) -> Result<bool, AuditError> {
        match self.0 {
            Promise::Known(result) => result.map(|()| true),
            Promise::Never => Ok(false),
            Promise::Awaited(awaited) => awaited.wait(deadline).map(|()| true),
            Promise::All(acks) => acks.into_iter().try_fold(false, |any, ack| Ok(ack.acknowledged(deadline)? || any)),
        }
    }

    fn poll_acknowledged(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, AuditError>> {
        match &mut self.0 {
            Promise::Known(result) => Poll::Ready(result.clone().map(|()| true)),
            Promise::Never => Poll::Ready(Ok(false)),
            Promise::Awaited(awaited) => awaited.poll(cx).map_ok(|()| true),
            Promise::All(acks) => {
                let (mut any, mut waiting) = (false, false);
                for ack in acks {
                    match ack.poll_acknowledged(cx) {
                        Poll::Ready(Ok(acknowledged)) => any |= acknowledged,
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                        Poll::Pending => waiting = true,
                    }
                }
                if waiting { Poll::Pending } else { Poll::Ready(Ok(any)) }
            }
        }
    }
}

impl Future for Ack {
    type Output = Result<(), AuditError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_acknowledged(cx).map(|any| if any? { Ok(()) } else { Err(AuditError::NobodyAcknowledges) })
    }
}

impl Awaited {
    /// A lock of the standard library, which is waited on with a deadline; nothing else is locked or flipped while it is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, deadline: Duration) -> Result<(), AuditError> {
        let state = self.lock();
        let waited = self.settled.wait_timeout_while(state, deadline, |state| state.result.is_none());
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.result.clone().unwrap_or(Err(AuditError::Late(deadline)))
    }

    /// The wakers are the host's: they are cloned, woken and dropped while the lock is not held.
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<(), AuditError>> {
        let waker = cx.waker().clone();
        let older = {
            let mut state = self.lock();
            if let Some(result) = &state.result {
                return Poll::Ready(result.clone());
            }
            state.waker.replace(waker)
        };
        drop(older);
        Poll::Pending
    }

    fn settle(&self, result: Result<(), AuditError>) {
        let waker = {
            let mut state = self.lock();
            state.result = Some(result);
            state.waker.take()
        };
        self.settled.notify_all();
        if let Some(waker) = waker {
            let _ = shielded(|| waker.wake());
        }
    }
}

/// Tells an [`Ack`] whether the record was taken. Dropped without a word, it was not.
#[derive(Debug)]
pub struct Receipt(Option<Arc<Awaited>>);

impl Receipt {
    /// The record was taken.
    pub fn taken(mut self) {
        self.settle(Ok(()));
    }

    /// The record was not taken.
    pub fn failed(mut self, error: AuditError) {
        self.settle(Err(error));
    }

    fn settle(&mut self, result: Result<(), AuditError>) {
        if let Some(awaited) = self.0.take() {
            awaited.settle(result);
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.settle(Err(AuditError::Failed(Found::new("the receipt was dropped"))));
    }
}
