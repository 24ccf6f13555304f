//! E0382: a permit, a credential, a lease and a task are used up by being used.
use bailiwick::Task;
use bailiwick::audit::{Effect, Permit};
use bailiwick::credential::{Credential, Lease};
use bailiwick::id::Audience;
use bailiwick::mandate::{Action, Arguments};

pub fn again(task: Task, permit: Permit, key: Credential, at: &Audience, with: &Arguments, action: &Action) {
    let _ = task.redeem(permit, with);
    #[cfg(feature = "wrong")]
    let _ = task.mint(permit, at);
    let _ = key.finish(Effect::Succeeded);
    #[cfg(feature = "wrong")]
    let _ = key.expose();
    #[cfg(not(feature = "wrong"))]
    let _ = (at, task.authorize(action));
    let _ = task.complete();
    #[cfg(feature = "wrong")]
    let _ = task.authorize(action);
}

pub fn lease_again(task: Task, permit: Permit, lease: Lease, at: &Audience) {
    let _ = task.lease(permit, at);
    #[cfg(feature = "wrong")]
    let _ = task.intend(permit, at);
    let _ = task.give_back(lease, Effect::Succeeded);
    #[cfg(feature = "wrong")]
    let _ = lease.expose();
}

fn main() {}
