//! E0451: whoever holds a permit cannot make another of it.
use bailiwick::audit::Permit;
use bailiwick::time::Timestamp;

pub fn longer(permit: Permit, until: Timestamp) -> Permit {
    #[cfg(feature = "wrong")]
    return Permit { until, ..permit };
    #[cfg(not(feature = "wrong"))]
    return (permit, until).0;
}

fn main() {}
