//! How far a task goes: which tools, on which targets, within which limits, and which of them autonomously.
//!
//! Tools alone do not bind an agent: what an attacker wants is mostly the permitted tool on another target.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Action, ActionClass, ArgumentName, Arguments, Bound, Mode, Resource, ToolName};
use crate::canonical::{Digest, Encoder};
use crate::id::{Audience, IdError};
use crate::strict::{Object, present, unique};

/// A scope was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// A name in it is not valid.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The tool is in the scope already.
    #[error("the scope has a grant for the tool {0} already")]
    Duplicate(ToolName),
    /// The argument is bound already.
    #[error("the argument {0} is bound already")]
    DuplicateBound(ArgumentName),
    /// So many agents below the first are none, or too many.
    #[error("1 to {MAX_DEPTH} agents may stand below one another, not {0}")]
    Depth(u8),
}

/// Agents that may stand below the first one, each under the one before, at most (actor profile for OAuth 2.0: a chain is
/// bounded, and never cut).
pub(crate) const MAX_DEPTH: u8 = 8;

/// Whether an action is covered, in rising order: what one scope covers, a wider one covers no less.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no fourth answer")]
pub enum Coverage {
    /// It is not.
    Outside(Beyond),
    /// It is, if a human approves exactly this action.
    Ask(Beyond),
    /// It is.
    Within,
}

impl Coverage {
    /// 0 outside, 1 to be asked, 2 within.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Outside(_) => 0,
            Self::Ask(_) => 1,
            Self::Within => 2,
        }
    }
}

/// What an action is beyond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Beyond {
    /// The scope does not have the tool.
    Tool,
    /// The scope does not let the tool run autonomously.
    Mode,
    /// The resource is not one of those that the scope names.
    Resource,
    /// The value of this argument is not one that the scope allows.
    Argument(ArgumentName),
    /// The action is of a class for which a human approves the exact action.
    Class(ActionClass),
    /// The policies permit it with a human's approval of the exact action, and not without.
    Policies,
}

impl std::fmt::Display for Beyond {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tool => f.write_str("the tool is not in the scope"),
            Self::Mode => f.write_str("the tool may not run autonomously"),
            Self::Resource => f.write_str("the resource is not in the scope"),
            Self::Argument(name) => write!(f, "the value of the argument {name} is not in the scope"),
            Self::Policies => f.write_str("the policies want a human's approval of this action"),
            Self::Class(class) => write!(f, "actions of the class {class} are approved one by one"),
        }
    }
}

/// How far a task goes. Empty at first: nothing is covered that was not granted.
///
/// ```
/// use bailiwick::mandate::{Bound, Grant, Scope};
///
/// let scope = Scope::new()
///     .allow("get_balance", Grant::new().autonomous())?
///     .allow("send_money", Grant::new()
///         .bound("recipient", Bound::one_of(["GB29NWBK60161331926819"]))?
///         .bound("amount", Bound::at_most("12.00".parse()?))?
///         .preapproved()
///         .or_ask())?
///     .at_most(20);
///
/// // The same, as a person writes it in a file.
/// let written: Scope = serde_json::from_str(r#"{
///     "tools": {
///         "get_balance": { "autonomous": true },
///         "send_money": {
///             "where": { "recipient": { "one_of": ["GB29NWBK60161331926819"] }, "amount": { "at_most": "12.00" } },
///             "preapproved": true,
///             "beyond": "ask"
///         }
///     },
///     "max_calls": 20
/// }"#)?;
/// assert_eq!(scope, written);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Object<Written>")]
pub struct Scope {
    tools: BTreeMap<ToolName, Grant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_calls: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_depth: Option<Depth>,
}

/// How many agents may stand below: 1 to [`MAX_DEPTH`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8")]
struct Depth(u8);

impl TryFrom<u8> for Depth {
    type Error = ScopeError;
    fn try_from(depth: u8) -> Result<Self, ScopeError> {
        if (1..=MAX_DEPTH).contains(&depth) { Ok(Self(depth)) } else { Err(ScopeError::Depth(depth)) }
    }
}

/// The JSON of a [`Scope`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(deserialize_with = "unique")]
    tools: BTreeMap<ToolName, Object<Grant>>,
    #[serde(default, deserialize_with = "present")]
    max_calls: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    max_depth: Option<Depth>,
}

impl From<Object<Written>> for Scope {
    fn from(Object(written): Object<Written>) -> Self {
        let tools = written.tools.into_iter().map(|(tool, Object(grant))| (tool, grant)).collect();
        Self { tools, max_calls: written.max_calls, max_depth: written.max_depth }
    }
}

impl Scope {
    /// The empty scope.
    pub fn new() -> Self {
        Self::default()
    }

    /// Grants one tool.
    ///
    /// # Errors
    ///
    /// `tool` is not the name of a tool, or is granted already.
    pub fn allow(mut self, tool: &str, grant: Grant) -> Result<Self, ScopeError> {
        let tool = ToolName::new(tool)?;
        if self.tools.contains_key(&tool) {
            return Err(ScopeError::Duplicate(tool));
        }
        self.tools.insert(tool, grant);
        Ok(self)
    }

    /// At most so many actions in the whole task.
    #[must_use]
    pub fn at_most(mut self, max_calls: u32) -> Self {
        self.max_calls = Some(max_calls);
        self
    }

    /// The agent may delegate parts of it to other agents, of which `max_depth` may stand below one another. Not delegable
    /// unless this is said.
    ///
    /// # Errors
    ///
    /// `max_depth` is 0, or more than 8.
    pub fn delegable(mut self, max_depth: u8) -> Result<Self, ScopeError> {
        self.max_depth = Some(Depth::try_from(max_depth)?);
        Ok(self)
    }

    /// Whether the scope covers an action of this class. The number of calls is the ledger's to judge.
    pub fn covers(&self, action: &Action, class: ActionClass) -> Coverage {
        match self.tools.get(action.tool()) {
            Some(grant) => grant.covers(action, class),
            None => Coverage::Outside(Beyond::Tool),
        }
    }

    /// Whether every action that this scope covers is covered no less by `wider`. Sound, not complete: some
    /// scopes that cover the same actions in different words are not recognised.
    pub fn is_subset(&self, wider: &Self) -> bool {
        fewer(self.max_calls, wider.max_calls)
            && self.max_depth <= wider.max_depth
            && self.tools.iter().all(|(tool, grant)| wider.tools.get(tool).is_some_and(|wide| grant.is_subset(wide)))
    }

    /// Every tool that is granted, with the arguments that are bound.
    pub(crate) fn bound_arguments(&self) -> impl Iterator<Item = (&ToolName, impl Iterator<Item = &ArgumentName>)> {
        self.tools.iter().map(|(tool, grant)| (tool, grant.bounds.keys()))
    }

    /// Every tool that may run without a human who is asked, whatever its arguments and resource, and however often.
    pub(crate) fn unbound(&self) -> impl Iterator<Item = &ToolName> {
        let is_unbound = |grant: &Grant| (grant.autonomous || grant.preapproved) && grant.is_unbound();
        let grants = self.tools.iter().filter(|_| self.max_calls.is_none());
        grants.filter(move |(_, grant)| is_unbound(grant)).map(|(tool, _)| tool)
    }

    pub(crate) fn grant(&self, tool: &ToolName) -> Option<&Grant> {
        self.tools.get(tool)
    }

    pub(crate) fn max_calls(&self) -> Option<u32> {
        self.max_calls
    }

    /// How many agents may stand below; 0 where nothing is delegable.
    pub(crate) fn max_depth(&self) -> u8 {
        self.max_depth.map_or(0, |depth| depth.0)
    }

    /// The digest of the scope's canonical form: what an approval binds.
    pub fn digest(&self) -> Digest {
        let mut encoder = Encoder::new("bailiwick/scope/v1");
        encode_limit(self.max_calls, &mut encoder);
        encoder.tag(self.max_depth());
        encoder.count(self.tools.len());
        for (tool, grant) in &self.tools {
            encoder.text(tool.as_str());
            grant.encode(&mut encoder);
        }
        encoder.finish()
    }
}

/// Whether a limit allows no more than a wider one; no limit is the widest.
fn fewer(narrow: Option<u32>, wide: Option<u32>) -> bool {
    match (narrow, wide) {
        (_, None) => true,
        (Some(narrow), Some(wide)) => narrow <= wide,
        (None, Some(_)) => false,
    }
}

fn encode_limit(limit: Option<u32>, encoder: &mut Encoder) {
    encoder.tag(u8::from(limit.is_some())).fixed(&limit.unwrap_or(0).to_be_bytes());
}

/// What a scope says of one tool. Without bounds, every call for a person who approved it is covered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grant {
    #[serde(rename = "where", deserialize_with = "unique", skip_serializing_if = "BTreeMap::is_empty")]
    bounds: BTreeMap<ArgumentName, Bound>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    resources: Option<BTreeSet<Resource>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    audiences: Option<BTreeSet<Audience>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    max_calls: Option<u32>,
    autonomous: bool,
    preapproved: bool,
    #[serde(rename = "beyond")]
    outside: Otherwise,
}

/// What happens to a call beyond the bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Otherwise {
    #[default]
    Deny,
    Ask,
}

impl Grant {
    /// Any arguments and resources; on behalf of a person only; beyond it, denied.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only with this argument within `bound`.
    ///
    /// # Errors
    ///
    /// `argument` is not the name of an argument, or is bound already.
    pub fn bound(mut self, argument: &str, bound: Bound) -> Result<Self, ScopeError> {
        let argument = ArgumentName::new(argument)?;
        if self.bounds.contains_key(&argument) {
            return Err(ScopeError::DuplicateBound(argument));
        }
        self.bounds.insert(argument, bound);
        Ok(self)
    }

    /// Only on these resources.
    #[must_use]
    pub fn on(mut self, resources: impl IntoIterator<Item = Resource>) -> Self {
        self.resources = Some(resources.into_iter().collect());
        self
    }

    /// Only with credentials for these audiences.
    #[must_use]
    pub fn at(mut self, audiences: impl IntoIterator<Item = Audience>) -> Self {
        self.audiences = Some(audiences.into_iter().collect());
        self
    }

    /// At most so many calls of this tool in the whole task.
    #[must_use]
    pub fn at_most(mut self, max_calls: u32) -> Self {
        self.max_calls = Some(max_calls);
        self
    }

    /// Autonomously as well.
    #[must_use]
    pub fn autonomous(mut self) -> Self {
        self.autonomous = true;
        self
    }

    /// Without asking a human again within the bounds, even where the tool's class would.
    #[must_use]
    pub fn preapproved(mut self) -> Self {
        self.preapproved = true;
        self
    }

    /// Beyond the bounds, with a human's approval of the exact action; without this it is denied.
    #[must_use]
    pub fn or_ask(mut self) -> Self {
        self.outside = Otherwise::Ask;
        self
    }

    pub(crate) fn max_calls(&self) -> Option<u32> {
        self.max_calls
    }

    pub(crate) fn audiences(&self) -> Option<&BTreeSet<Audience>> {
        self.audiences.as_ref()
    }

    pub(super) fn bounds(&self) -> &BTreeMap<ArgumentName, Bound> {
        &self.bounds
    }

    pub(super) fn resources(&self) -> Option<&BTreeSet<Resource>> {
        self.resources.as_ref()
    }

    fn is_unbound(&self) -> bool {
        self.bounds.is_empty() && self.resources.is_none() && self.max_calls.is_none()
    }

    /// Whether the grant covers an action of its tool.
    pub(crate) fn covers(&self, action: &Action, class: ActionClass) -> Coverage {
        if *action.mode() == Mode::Autonomous && !self.autonomous {
            return Coverage::Outside(Beyond::Mode);
        }
        if let Some(beyond) = self.beyond(action.resource(), action.arguments()) {
            return match self.outside {
                Otherwise::Deny => Coverage::Outside(beyond),
                Otherwise::Ask => Coverage::Ask(beyond),
            };
        }
        if class.is_high_consequence() && !self.preapproved {
            return Coverage::Ask(Beyond::Class(class));
        }
        Coverage::Within
    }

    /// The first bound that an action with this resource and these arguments is beyond.
    pub(super) fn beyond(&self, resource: &Resource, arguments: &Arguments) -> Option<Beyond> {
        if self.resources.as_ref().is_some_and(|named| !named.contains(resource)) {
            return Some(Beyond::Resource);
        }
        let beyond = self.bounds.iter().find(|(name, bound)| !bound.admits(arguments.get(name.as_str())));
        beyond.map(|(name, _)| Beyond::Argument(name.clone()))
    }

    pub(super) fn is_subset(&self, wider: &Self) -> bool {
        let anything = Bound::anything();
        fewer(self.max_calls, wider.max_calls)
            && (wider.autonomous || !self.autonomous)
            && (wider.preapproved || !self.preapproved)
            && (wider.outside == Otherwise::Ask || self.outside == Otherwise::Deny)
            && within(self.resources.as_ref(), wider.resources.as_ref())
            && within(self.audiences.as_ref(), wider.audiences.as_ref())
            && wider.bounds.iter().all(|(name, bound)| self.bounds.get(name).unwrap_or(&anything).is_subset(bound))
    }

    fn encode(&self, encoder: &mut Encoder) {
        encoder.count(self.bounds.len());
        for (name, bound) in &self.bounds {
            encoder.text(name.as_str());
            bound.encode(encoder);
        }
        encode_set(self.resources.as_ref(), encoder);
        encode_set(self.audiences.as_ref(), encoder);
        encode_limit(self.max_calls, encoder);
        encoder.tag(u8::from(self.autonomous)).tag(u8::from(self.preapproved));
        encoder.tag(u8::from(self.outside == Otherwise::Ask));
    }
}

/// Whether a set allows no more than a wider one; no set is the widest.
fn within<T: Ord>(narrow: Option<&BTreeSet<T>>, wide: Option<&BTreeSet<T>>) -> bool {
    match (narrow, wide) {
        (_, None) => true,
        (Some(narrow), Some(wide)) => narrow.is_subset(wide),
        (None, Some(_)) => false,
    }
}

fn encode_set<T: ToString>(set: Option<&BTreeSet<T>>, encoder: &mut Encoder) {
    encoder.tag(u8::from(set.is_some())).count(set.map_or(0, BTreeSet::len));
    set.into_iter().flatten().for_each(|item| {
        encoder.text(&item.to_string());
    });
}
