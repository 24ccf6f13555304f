//! The audit key: what the record of what happened is sealed with.

use crate::jose;

jose::key_for! {
    /// The key that records are sealed with. Another type than the key of credentials: whoever can mint cannot rewrite what
    /// was minted, and the other way round.
    AuditKey
}
