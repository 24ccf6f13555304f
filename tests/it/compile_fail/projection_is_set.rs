//! E0451: whether the record of an agent user is active is not set: its agent is, or is not.
use bailiwick::identity::projection::ScimUser;

pub fn woken(shown: ScimUser) -> ScimUser {
    #[cfg(feature = "wrong")]
    let shown = ScimUser { active: true, ..shown };
    #[cfg(not(feature = "wrong"))]
    let _ = shown.active();
    shown
}

fn main() {}
