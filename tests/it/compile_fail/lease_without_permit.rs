//! E0308, E0599: nothing but a permit is leased with, nothing but an intent adopted, and no lease is copied or printed.
use bailiwick::TaskHandle;
use bailiwick::audit::{Denial, Execution, Permit};
use bailiwick::credential::{IntendedLease, Issued, Lease, LeaseError};
use bailiwick::id::Audience;

pub fn lease(task: &TaskHandle, permit: Permit, denial: Denial, audience: &Audience) -> Result<Lease, LeaseError> {
    #[cfg(feature = "wrong")]
    let _ = task.lease(denial, audience);
    #[cfg(not(feature = "wrong"))]
    let _ = denial;
    let lease = task.lease(permit, audience)?;
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
