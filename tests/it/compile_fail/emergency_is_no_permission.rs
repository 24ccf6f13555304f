//! E0308: broken glass is nobody who approves, and nobody on whose behalf an agent acts.
use bailiwick::BreakGlass;
use bailiwick::identity::OperatorSession;
use bailiwick::mandate::{Approval, Scope};

pub fn approve(glass: &BreakGlass, by: &OperatorSession) {
    #[cfg(feature = "wrong")]
    let _ = Approval::by(glass, Scope::new());
    #[cfg(not(feature = "wrong"))]
    let _ = (glass, Approval::by(by, Scope::new()));
}

fn main() {}
