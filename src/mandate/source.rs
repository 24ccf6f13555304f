//! A source: a place in the output of a tool whose values a human trusts as targets.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ToolName;
use crate::id::{IdError, text};
use crate::json::Json;

/// Steps of one pointer.
const MAX_STEPS: usize = 16;

text! {
    /// Where in a JSON text values stand: a JSON Pointer (RFC 6901) in which a step `*` leads to every item of an array and
    /// to every member of an object. The empty one is the whole.
    Pointer, "pointer", "at most 256 bytes and 16 steps, each a `/` and text, in which `~` is followed by 0 or 1",
    is_pointer
}

fn is_pointer(text: &str) -> bool {
    let tildes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    let steps = text.matches('/').count() <= MAX_STEPS && (text.is_empty() || text.starts_with('/'));
    text.len() <= 256 && tildes && steps && !text.contains(char::is_control)
}

impl Pointer {
    /// Visits every value that it leads to, in the order of the text; members by name.
    pub(super) fn visit<'j>(&self, json: &'j Json, visit: &mut impl FnMut(&'j Json)) {
        let steps: Vec<&str> = self.as_str().split('/').skip(1).collect();
        walk(json, &steps, visit);
    }
}

/// As deep as the pointer has steps.
fn walk<'j>(json: &'j Json, steps: &[&str], visit: &mut impl FnMut(&'j Json)) {
    let Some((step, rest)) = steps.split_first() else {
        return visit(json);
    };
    match json {
        Json::List(items) if *step == "*" => items.iter().for_each(|item| walk(item, rest, visit)),
        Json::Record(members) if *step == "*" => members.values().for_each(|member| walk(member, rest, visit)),
        Json::List(items) => {
            if let Some(item) = index(step).and_then(|place| items.get(place)) {
                walk(item, rest, visit);
            }
        }
        Json::Record(members) => {
            if let Some(member) = members.get(unescaped(step).as_ref()) {
                walk(member, rest, visit);
            }
        }
        _ => {}
    }
}

/// An index has no leading zero (RFC 6901, section 4).
fn index(step: &str) -> Option<usize> {
    let is_plain = step == "0" || (!step.starts_with('0') && step.bytes().all(|byte| byte.is_ascii_digit()));
    step.parse().ok().filter(|_| is_plain)
}

fn unescaped(step: &str) -> Cow<'_, str> {
    // In this order, so that `~01` is `~1`.
    if step.contains('~') { step.replace("~1", "/").replace("~0", "~").into() } else { step.into() }
}

/// A place in the output of a tool whose values a human trusts as targets: "who sent me money, by my statement".
///
/// Trusted is the place, not the tool: what others wrote freely (a subject, a message, a page) is their text, whichever tool
/// it comes through. A source says that the *system* vouches for what stands there, so nobody should name a place into which
/// others can write what they like.
///
/// In JSON: `{"tool": "get_most_recent_transactions", "at": "/*/sender"}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    at: Pointer,
    tool: ToolName,
}

impl Source {
    /// The values at `pointer` in the outputs of `tool`.
    ///
    /// # Errors
    ///
    /// `tool` is not the name of a tool, or `pointer` no [`Pointer`].
    pub fn new(tool: &str, pointer: &str) -> Result<Self, IdError> {
        Ok(Self { at: Pointer::new(pointer)?, tool: ToolName::new(tool)? })
    }

    /// The tool.
    pub fn tool(&self) -> &ToolName {
        &self.tool
    }

    /// The place in its outputs.
    pub fn pointer(&self) -> &Pointer {
        &self.at
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at `{}`", self.tool, self.at)
    }
}
