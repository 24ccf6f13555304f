//! E0277: neither a verdict nor a denial becomes a permit.
use bailiwick::audit::{Denial, Permit};
use bailiwick::policy::Verdict;

pub fn becomes<A: TryInto<B>, B>() {}

fn main() {
    #[cfg(feature = "wrong")]
    becomes::<Verdict, Permit>();
    #[cfg(feature = "wrong")]
    becomes::<Denial, Permit>();
    #[cfg(not(feature = "wrong"))]
    becomes::<Permit, Permit>();
}
