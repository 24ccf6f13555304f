//! E0277, E0624: an action says on whose errand it is; there is no default, and no constructor that leaves it open.
use bailiwick::mandate::{Action, Scope};

pub fn has_default<T: Default>() {}

fn main() {
    #[cfg(feature = "wrong")]
    has_default::<Action>();
    #[cfg(feature = "wrong")]
    let _ = Action::new;
    has_default::<Scope>();
}
