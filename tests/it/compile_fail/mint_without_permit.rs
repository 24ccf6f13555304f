//! E0308: nothing but a permit is minted from: no denial, no verdict, no action.
use bailiwick::TaskHandle;
use bailiwick::audit::{Denial, Permit};
use bailiwick::id::Audience;
use bailiwick::mandate::Action;
use bailiwick::policy::Verdict;

pub fn mint(task: TaskHandle, permit: Permit, others: (Denial, Verdict, Action), audience: &Audience) {
    let (denial, verdict, action) = others;
    #[cfg(feature = "wrong")]
    let _ = task.mint(denial, audience);
    #[cfg(feature = "wrong")]
    let _ = task.mint(verdict, audience);
    #[cfg(feature = "wrong")]
    let _ = task.mint(action, audience);
    #[cfg(not(feature = "wrong"))]
    let _ = (denial, verdict, action);
    let _ = task.mint(permit, audience);
}

fn main() {}
