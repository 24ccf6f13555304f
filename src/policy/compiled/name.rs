//! Names: of attributes and entity types, made once, compared often.

use std::fmt;
use std::hash::{Hash, Hasher};

use smol_str::SmolStr;

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
    Refusals "refusals", Labels "labels", Recent "recent",
    Class "class",
    Attested "attested", Proof "proof", Authority "authority", Sponsor "sponsor",
    Kind "kind", Name "name",
}

/// The name of an attribute, or of an entity type with its namespaces.
#[derive(Clone)]
pub struct Name {
    text: SmolStr,
    /// Names that differ here differ.
    check: u32,
    word: Word,
}

impl Name {
    /// The name with this text. Any text is one: Cedar's attributes are not restricted.
    pub fn new(text: &str) -> Self {
        // FNV-1a: names are short, and nothing rests on it but speed.
        let check = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        Self { text: SmolStr::new(text), check, word: Word::of(text) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(in crate::policy) fn word(&self) -> Word {
        self.word
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.check == other.check && self.text == other.text
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
        self.text.cmp(&other.text)
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.check);
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text.as_str(), f)
    }
}
