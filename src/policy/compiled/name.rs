//! Names: of attributes and entity types, made once, compared often.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::canonical::Digest;

/// Words of the vocabulary, so that our own records need not compare text to find a member.
macro_rules! words {
    ($($variant:ident $text:literal,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::policy) enum Word { $($variant,)* Other }

        impl Word {
            fn of(text: &str) -> Self {
                match text { $($text => Self::$variant,)* _ => Self::Other }
            }
        }
    };
}

words! {
    Mode "mode", Operator "operator", AgentUser "agent_user", Approved "approved", Task "task", Tool "tool",
    Time "time", Args "args",
    Id "id", Purpose "purpose", Approvers "approvers", Step "step", Calls "calls", ToolCalls "tool_calls",
    Refusals "refusals", Labels "labels", Recent "recent", Targets "targets", Touched "touched", Drift "drift",
    Class "class",
    Attested "attested", Proof "proof", Authority "authority", Sponsor "sponsor",
    Kind "kind", Name "name",
}

/// The name of an attribute, or of an entity type with its namespaces. Cheap to clone: clones share the text.
#[derive(Clone)]
pub struct Name(Arc<Inner>);

struct Inner {
    /// The half of the text's SHA-256: names are compared by it, for no two texts with the same half are known or can
    /// be made.
    mark: [u64; 2],
    word: Word,
    text: Box<str>,
}

impl Name {
    /// The name with this text. Any text is one: Cedar's attributes are not restricted.
    pub fn new(text: &str) -> Self {
        let [mark, _] = Digest::of(text.as_bytes()).halves();
        Self(Arc::new(Inner { mark, word: Word::of(text), text: text.into() }))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// A place in a table of 256.
    #[inline]
    pub(super) fn place(&self) -> usize {
        usize::from(self.0.mark[0] as u8)
    }

    #[inline]
    pub(in crate::policy) fn word(&self) -> Word {
        self.0.word
    }
}

impl PartialEq for Name {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.0.mark == other.0.mark
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.mark[0]);
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
