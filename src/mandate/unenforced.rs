//! What is said of arguments and not enforced.

use serde::{Deserialize, Serialize};

use super::ArgumentName;
use crate::strict::present;

/// Something that the JSON Schema of a tool says of its arguments, and that [`Tool::check`](super::Tool::check) does not hold them to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Unenforced {
    /// The argument; none where all of them together are spoken of.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub argument: Option<ArgumentName>,
    /// The keyword, and the way to it in the argument's schema: `items/not`.
    pub keyword: String,
}

impl Unenforced {
    pub(crate) fn new(argument: Option<ArgumentName>, keyword: String) -> Self {
        Self { argument, keyword }
    }
}
