//! Mutexes and atomics, as the model checker of `tests/loom.rs` takes their place with `--cfg loom`.
//!
//! What a task's way through the door locks or flips is taken from here, so that a model sees every order in which it may
//! happen. A lock of the standard library must not be held across one of these: a model runs its threads in turn on one.

#[cfg(loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic};
#[cfg(not(loom))]
pub(crate) use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic};
