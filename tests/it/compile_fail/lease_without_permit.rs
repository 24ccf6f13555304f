//! E0308, E0382, E0599: no lease without an intent, no second one from a permit, and none that is copied or printed.
use bailiwick::TaskHandle;
use bailiwick::audit::{Execution, Permit};
use bailiwick::credential::{IntendedLease, Issued, Lease, LeaseError};
use bailiwick::id::Audience;

pub fn lease(task: &TaskHandle, permit: Permit, audience: &Audience) -> Result<Lease, LeaseError> {
    let lease = task.lease(permit, audience)?;
    #[cfg(feature = "wrong")]
    let _ = task.lease(permit, audience);
    #[cfg(feature = "wrong")]
    let _ = lease.clone();
    #[cfg(not(feature = "wrong"))]
    let _ = lease.id().clone();
    Ok(lease)
}

pub fn adopt(task: &TaskHandle, intended: IntendedLease, execution: Execution, issued: Issued) {
    #[cfg(feature = "wrong")]
    let _ = task.adopt(execution, issued);
    #[cfg(not(feature = "wrong"))]
    let _ = (execution, task.adopt(intended, issued));
}

pub fn show(lease: &Lease) {
    #[cfg(feature = "wrong")]
    let _ = lease.to_string();
    #[cfg(not(feature = "wrong"))]
    let _ = lease.expose().to_string();
}

fn main() {}
