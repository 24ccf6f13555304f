//! A stack of known size, for what recurses: loading must not depend on the thread that asks for it.

use std::thread;

use super::PolicyError;

/// Enough for Cedar's parser and validator at every bound of this room, in a debug build too.
const BYTES: usize = 64 * 1024 * 1024;

/// Runs on a thread of its own, which has ended before this returns.
///
/// Cedar's validator says nothing of a policy that it cannot check for want of stack. Here it never wants.
pub(super) fn deep<T: Send>(run: impl FnOnce() -> Result<T, PolicyError> + Send) -> Result<T, PolicyError> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(BYTES).spawn_scoped(scope, run);
        thread.map_err(|_| PolicyError::NoStack)?.join().map_err(std::mem::forget).unwrap_or(Err(PolicyError::NoStack))
    })
}
