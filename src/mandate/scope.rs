//! How far a task goes: which tools, on which targets, within which limits, and which of them autonomously.
//!
//! Tools alone do not bind an agent: what an attacker wants is mostly the permitted tool on another target.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::grant::{add_budget, budgets, encode_budgets, encode_limit, fewer, keeps_to};
use super::{
    Action, ActionClass, ArgumentName, Beyond, Bound, Budget, Coverage, Grant, Measure, Quorum, Resolved, Source,
    ToolName, Watch,
};
use crate::canonical::{Digest, Encoder};
use crate::id::IdError;
use crate::sorted::Sorted;
use crate::strict::{Object, present, present_object, unique};
use crate::time::Timestamp;

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
    /// A budget is not one, has one like it beside it, or is one too many.
    #[error("a budget of {0} is negative, too large, within no sound time, said twice, or the ninth")]
    Budget(Measure),
    /// Values are trusted from too many places.
    #[error("a scope trusts {MAX_SOURCES} sources at most, not {0}")]
    Sources(usize),
    /// A task is watched for what cannot be watched.
    #[error("{0}")]
    Watch(&'static str),
    /// A task cannot last so long.
    #[error("a task lasts 1 second to 366 days, not {0} s")]
    Duration(u64),
    /// So many agents below the first are none, or too many.
    #[error("1 to {MAX_DEPTH} agents may stand below one another, not {0}")]
    Depth(u8),
}

/// Agents that may stand below the first one, each under the one before, at most (actor profile for OAuth 2.0: a chain is
/// bounded, and never cut).
pub(crate) const MAX_DEPTH: u8 = 8;

/// Sources that one scope trusts, each counted once: an output is searched for each.
const MAX_SOURCES: usize = 64;

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
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Object<Written>")]
pub struct Scope(Arc<Terms>);

/// What a scope says: said once, and shared by the approval, the intent and whoever else has the scope.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Terms {
    tools: Sorted<ToolName, Grant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_calls: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_depth: Option<Depth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_seconds: Option<Seconds>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    budgets: Vec<Budget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    watch: Option<Watch>,
}

/// How long a task lasts: 1 second to 366 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u64")]
struct Seconds(u64);

impl TryFrom<u64> for Seconds {
    type Error = ScopeError;
    fn try_from(seconds: u64) -> Result<Self, ScopeError> {
        if (1..=366 * 24 * 3600).contains(&seconds) { Ok(Self(seconds)) } else { Err(ScopeError::Duration(seconds)) }
    }
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
    #[serde(default, deserialize_with = "present")]
    max_seconds: Option<Seconds>,
    #[serde(default, deserialize_with = "budgets")]
    budgets: Vec<Budget>,
    #[serde(default, deserialize_with = "present_object")]
    watch: Option<Watch>,
}

impl TryFrom<Object<Written>> for Scope {
    type Error = ScopeError;
    fn try_from(Object(written): Object<Written>) -> Result<Self, ScopeError> {
        let Written { tools, max_calls, max_depth, max_seconds, budgets, watch } = written;
        let tools = tools.into_iter().map(|(tool, Object(grant))| (tool, grant)).collect();
        Self(Arc::new(Terms { tools, max_calls, max_depth, max_seconds, budgets, watch })).checked()
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
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
    /// `tool` is not the name of a tool, or is granted already, or more than 64 sources would be trusted.
    pub fn allow(mut self, tool: &str, grant: Grant) -> Result<Self, ScopeError> {
        let tool = ToolName::new(tool)?;
        if self.0.tools.contains_key(&tool) {
            return Err(ScopeError::Duplicate(tool));
        }
        let has_sources = grant.has_sources();
        self.terms().tools.insert(tool, grant);
        if has_sources { self.checked() } else { Ok(self) }
    }

    fn checked(self) -> Result<Self, ScopeError> {
        let sources = self.sources().map(|(_, source)| source).collect::<BTreeSet<_>>().len();
        if sources <= MAX_SOURCES { Ok(self) } else { Err(ScopeError::Sources(sources)) }
    }

    /// Without this tool; the same, where it is not granted.
    #[must_use]
    pub fn without(mut self, tool: &ToolName) -> Self {
        self.terms().tools.remove(tool);
        self
    }

    /// The tools that are granted, in order.
    pub fn tools(&self) -> impl Iterator<Item = &ToolName> {
        self.0.tools.keys()
    }

    /// At most so many actions in the whole task.
    #[must_use]
    pub fn at_most(mut self, max_calls: u32) -> Self {
        self.terms().max_calls = Some(max_calls);
        self
    }

    /// The agent may delegate parts of it to other agents, of which `max_depth` may stand below one another. Not delegable
    /// unless this is said.
    ///
    /// # Errors
    ///
    /// `max_depth` is 0, or more than 8.
    pub fn delegable(mut self, max_depth: u8) -> Result<Self, ScopeError> {
        self.terms().max_depth = Some(Depth::try_from(max_depth)?);
        Ok(self)
    }

    /// Within this budget, all tools together. A sum is of the argument of this name, whichever tool has it.
    ///
    /// # Errors
    ///
    /// It has a budget of the same within the same time already, or eight.
    pub fn budget(mut self, budget: Budget) -> Result<Self, ScopeError> {
        add_budget(&mut self.terms().budgets, budget)?;
        Ok(self)
    }

    /// A task lasts no longer than this, in whole seconds.
    ///
    /// # Errors
    ///
    /// Less than a second, or more than 366 days.
    pub fn lasting(mut self, time: Duration) -> Result<Self, ScopeError> {
        self.terms().max_seconds = Some(Seconds::try_from(time.as_secs())?);
        Ok(self)
    }

    /// Watched for drift like this.
    #[must_use]
    pub fn watched(mut self, watch: Watch) -> Self {
        self.terms().watch = Some(watch);
        self
    }

    /// Whether the scope covers an action of this class, where nothing was observed. The number of calls is the ledger's to
    /// judge.
    pub fn covers(&self, action: &Action, class: ActionClass) -> Coverage {
        match self.0.tools.get(action.tool()) {
            Some(grant) => grant.covers(action, class, &Resolved::none()),
            None => Coverage::Outside(Beyond::Tool),
        }
    }

    /// Whether every action that this scope covers is covered no less by `wider`. Sound, not complete: some
    /// scopes that cover the same actions in different words are not recognised.
    pub fn is_subset(&self, wider: &Self) -> bool {
        fewer(self.0.max_calls, wider.0.max_calls)
            && self.0.max_depth <= wider.0.max_depth
            && wider.0.max_seconds.is_none_or(|wide| self.0.max_seconds.is_some_and(|own| own <= wide))
            && keeps_to(&self.0.budgets, &wider.0.budgets)
            && wider.0.watch.as_ref().is_none_or(|wide| self.0.watch.as_ref().is_some_and(|own| own.is_within(wide)))
            && self
                .0
                .tools
                .iter()
                .all(|(tool, grant)| wider.0.tools.get(tool).is_some_and(|wide| grant.is_subset(wide)))
    }

    /// Every tool that is granted, with the arguments that are bound.
    pub(crate) fn bound_arguments(&self) -> impl Iterator<Item = (&ToolName, impl Iterator<Item = &ArgumentName>)> {
        self.0.tools.iter().map(|(tool, grant)| (tool, grant.bounds().keys()))
    }

    /// The sources that it trusts in outputs of `tool`, each once.
    pub(crate) fn sources_in<'s>(&'s self, tool: &ToolName) -> impl Iterator<Item = &'s Source> {
        let sources = self.sources().filter(|(_, source)| source.tool() == tool);
        sources.map(|(_, source)| source).collect::<BTreeSet<_>>().into_iter()
    }

    /// Every source that it trusts, with the tool that may be given its values.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&ToolName, &Source)> {
        self.0.tools.iter().flat_map(|(tool, grant)| {
            grant.bounds().values().flat_map(Bound::sources).map(move |source| (tool, source))
        })
    }

    /// Every tool that is bound to a declaration, with its digest.
    pub(crate) fn pins(&self) -> impl Iterator<Item = (&ToolName, &Digest)> {
        self.0.tools.iter().filter_map(|(tool, grant)| Some((tool, grant.pin()?)))
    }

    /// Every tool that may run without a human who is asked, whatever its arguments and resource, and however often.
    pub(crate) fn unbound(&self) -> impl Iterator<Item = &ToolName> {
        let is_unbound = |grant: &Grant| grant.is_unasked() && grant.is_unbound();
        let grants = self.0.tools.iter().filter(|_| self.0.max_calls.is_none() && self.0.budgets.is_empty());
        grants.filter(move |(_, grant)| is_unbound(grant)).map(|(tool, _)| tool)
    }

    /// Every tool, and what is granted of it.
    pub(super) fn grants(&self) -> impl Iterator<Item = (&ToolName, &Grant)> {
        self.0.tools.iter()
    }

    /// Every tool whose calls people approve, and which.
    pub(crate) fn quorums(&self) -> impl Iterator<Item = (&ToolName, &Quorum)> {
        self.0.tools.iter().filter_map(|(tool, grant)| Some((tool, grant.quorum()?)))
    }

    pub(crate) fn grant(&self, tool: &ToolName) -> Option<&Grant> {
        self.0.tools.get(tool)
    }

    pub(crate) fn max_calls(&self) -> Option<u32> {
        self.0.max_calls
    }

    pub(super) fn budgets(&self) -> &[Budget] {
        &self.0.budgets
    }

    /// The budgets that measure calls of this tool: its own, and those of all tools together.
    pub(super) fn budgets_on(&self, tool: &ToolName) -> impl Iterator<Item = &Budget> {
        self.grant(tool).into_iter().flat_map(Grant::budgets).chain(&self.0.budgets)
    }

    pub(crate) fn watch(&self) -> Option<&Watch> {
        self.0.watch.as_ref()
    }

    /// When a task that begins at `now` ends at the latest, where that is said.
    pub(crate) fn end(&self, now: Timestamp) -> Option<Timestamp> {
        self.0.max_seconds.map(|seconds| now.after(Duration::from_secs(seconds.0)))
    }

    /// What it says, to be changed: its own, where others have it too.
    fn terms(&mut self) -> &mut Terms {
        Arc::make_mut(&mut self.0)
    }

    /// How many agents may stand below; 0 where nothing is delegable.
    pub(crate) fn max_depth(&self) -> u8 {
        self.0.max_depth.map_or(0, |depth| depth.0)
    }

    /// The digest of the scope's canonical form: what an approval binds.
    pub fn digest(&self) -> Digest {
        let mut encoder = Encoder::new("bailiwick/scope/v1");
        encode_limit(self.0.max_calls, &mut encoder);
        encoder.tag(self.max_depth());
        encoder.fixed(&self.0.max_seconds.map_or(0, |seconds| seconds.0).to_be_bytes());
        encode_budgets(&self.0.budgets, &mut encoder);
        encoder.tag(u8::from(self.0.watch.is_some()));
        self.0.watch.iter().for_each(|watch| watch.encode(&mut encoder));
        encoder.count(self.0.tools.len());
        for (tool, grant) in self.0.tools.iter() {
            encoder.text(tool.as_str());
            grant.encode(&mut encoder);
        }
        encoder.finish()
    }
}
