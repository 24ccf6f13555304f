//! E0277: what opens a door exists once.
use bailiwick::audit::{Execution, Permit};
use bailiwick::credential::Credential;
use bailiwick::secret::Secret;
use bailiwick::{Task, TaskHandle};

pub fn clones<T: Clone>() {}

fn main() {
    #[cfg(feature = "wrong")]
    clones::<Permit>();
    #[cfg(feature = "wrong")]
    clones::<Credential>();
    #[cfg(feature = "wrong")]
    clones::<Execution>();
    #[cfg(feature = "wrong")]
    clones::<Task>();
    #[cfg(feature = "wrong")]
    clones::<Secret<String>>();
    clones::<TaskHandle>();
}
