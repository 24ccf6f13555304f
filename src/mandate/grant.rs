//! What a scope says of one tool: which values its arguments may have, on what, how often, and in which mode.

use std::collections::BTreeSet;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::budget::MAX_BUDGETS;
use super::{
    Action, ActionClass, ArgumentName, Arguments, Beyond, Bound, Budget, Coverage, Mode, Provenance, Quorum, Resolved,
    Resource, ScopeError, Source, Value,
};
use crate::canonical::{Digest, Encoder};
use crate::id::Audience;
use crate::sorted::Sorted;
use crate::strict::{objects, present, word};

/// What a scope says of one tool. Without bounds, every call for a person who approved it is covered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grant {
    #[serde(rename = "where", skip_serializing_if = "Sorted::is_empty")]
    bounds: Sorted<ArgumentName, Bound>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    resources: Option<BTreeSet<Resource>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    audiences: Option<BTreeSet<Audience>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pinned: Option<Digest>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    max_calls: Option<u32>,
    #[serde(deserialize_with = "budgets", skip_serializing_if = "Vec::is_empty")]
    budgets: Vec<Budget>,
    autonomous: bool,
    preapproved: bool,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    quorum: Option<Quorum>,
    #[serde(rename = "beyond", deserialize_with = "word")]
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

    /// Only the tool whose declaration has this digest ([`Tool::digest`](super::Tool::digest)): the one that whoever approves
    /// the scope was shown. Another one is `capability drift`, and a task does not begin with it.
    #[must_use]
    pub fn pinned(mut self, declaration: Digest) -> Self {
        self.pinned = Some(declaration);
        self
    }

    /// At most so many calls of this tool in the whole task.
    #[must_use]
    pub fn at_most(mut self, max_calls: u32) -> Self {
        self.max_calls = Some(max_calls);
        self
    }

    /// Within this budget, for this tool alone.
    ///
    /// # Errors
    ///
    /// It has a budget of the same within the same time already, or eight.
    pub fn budget(mut self, budget: Budget) -> Result<Self, ScopeError> {
        add_budget(&mut self.budgets, budget)?;
        Ok(self)
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

    /// Each call with the approval of these people; where it is [preapproved](Self::preapproved), only beyond the bounds.
    #[must_use]
    pub fn approved_by(mut self, quorum: Quorum) -> Self {
        self.quorum = Some(quorum);
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

    pub(super) fn budgets(&self) -> &[Budget] {
        &self.budgets
    }

    pub(crate) fn audiences(&self) -> Option<&BTreeSet<Audience>> {
        self.audiences.as_ref()
    }

    /// The declaration that it is bound to, if it is.
    pub(crate) fn pin(&self) -> Option<&Digest> {
        self.pinned.as_ref()
    }

    pub(crate) fn quorum(&self) -> Option<&Quorum> {
        self.quorum.as_ref()
    }

    pub(super) fn bounds(&self) -> &Sorted<ArgumentName, Bound> {
        &self.bounds
    }

    pub(super) fn resources(&self) -> Option<&BTreeSet<Resource>> {
        self.resources.as_ref()
    }

    /// Whether it may run without a human who is asked.
    pub(super) fn is_unasked(&self) -> bool {
        self.preapproved || (self.autonomous && self.quorum.is_none())
    }

    pub(super) fn is_unbound(&self) -> bool {
        self.bounds.is_empty() && self.resources.is_none() && self.max_calls.is_none() && self.budgets.is_empty()
    }

    /// Whether the tool may run on such an errand.
    pub(crate) fn admits(&self, mode: &Mode) -> bool {
        *mode != Mode::Autonomous || self.autonomous
    }

    /// Whether the grant covers an action of its tool.
    pub(crate) fn covers(&self, action: &Action, class: ActionClass, resolved: &Resolved) -> Coverage {
        if !self.admits(action.mode()) {
            return Coverage::Outside(Beyond::Mode);
        }
        if let Some(beyond) = self.beyond(action.resource(), action.arguments(), resolved) {
            return match self.outside {
                Otherwise::Deny => Coverage::Outside(beyond),
                Otherwise::Ask => Coverage::Ask(beyond),
            };
        }
        if class.is_high_consequence() && !self.preapproved {
            return Coverage::Ask(Beyond::Class(class));
        }
        if self.quorum.is_some() && !self.preapproved {
            return Coverage::Ask(Beyond::Quorum);
        }
        Coverage::Within
    }

    /// Whether sources may vouch for an argument.
    pub(super) fn has_sources(&self) -> bool {
        self.bounds.values().any(Bound::has_sources)
    }

    /// The arguments with a value, or items, that their bound does not name and that one of its sources gave, where all else
    /// of them is named. `is_given` says whether one of some sources gave a value.
    pub(super) fn resolved(&self, arguments: &Arguments, is_given: impl Fn(&[Source], &Value) -> bool) -> Resolved {
        let by_source = self.bounds.iter().filter(|(name, bound)| {
            bound.has_sources()
                && arguments.get(name.as_str()).is_some_and(|value| {
                    !bound.names(value) && bound.is_vouched(value, |one| is_given(bound.sources(), one))
                })
        });
        Resolved::of(by_source.map(|(name, _)| name.clone()))
    }

    /// Where the value of an argument comes from, if people wrote this.
    pub(super) fn provenance(&self, argument: &str, value: &Value, resolved: &Resolved) -> Provenance {
        match self.bounds.get(argument) {
            Some(bound) if bound.names(value) => Provenance::Scope,
            Some(bound) if bound.has_sources() && resolved.contains(argument) => Provenance::Trusted,
            _ => Provenance::Untrusted,
        }
    }

    /// Whether it names and trusts nothing for an argument that `wider` does not.
    pub(super) fn trusts_within(&self, wider: &Self, argument: &str) -> bool {
        let bounds = self.bounds.get(argument).zip(wider.bounds.get(argument));
        bounds.is_some_and(|(own, wider)| own.is_subset(wider))
    }

    /// The first bound that an action with this resource and these arguments is beyond.
    pub(super) fn beyond(&self, resource: &Resource, arguments: &Arguments, resolved: &Resolved) -> Option<Beyond> {
        if self.resources.as_ref().is_some_and(|named| !named.contains(resource)) {
            return Some(Beyond::Resource);
        }
        let is_resolved = |name: &ArgumentName, bound: &Bound| bound.has_sources() && resolved.contains(name.as_str());
        let beyond = self.bounds.iter().find(|(name, bound)| {
            let value = arguments.get(name.as_str());
            !bound.admits(value, is_resolved(name, bound))
        });
        beyond.map(|(name, _)| Beyond::Argument(name.clone()))
    }

    pub(super) fn is_subset(&self, wider: &Self) -> bool {
        let anything = Bound::anything();
        fewer(self.max_calls, wider.max_calls)
            && keeps_to(&self.budgets, &wider.budgets)
            && (wider.autonomous || !self.autonomous)
            && (wider.preapproved || !self.preapproved)
            && Quorum::is_subset(self.quorum.as_ref(), wider.quorum.as_ref())
            && (wider.outside == Otherwise::Ask || self.outside == Otherwise::Deny)
            && within(self.resources.as_ref(), wider.resources.as_ref())
            && within(self.audiences.as_ref(), wider.audiences.as_ref())
            && (wider.pinned.is_none() || self.pinned == wider.pinned)
            && wider.bounds.iter().all(|(name, bound)| self.bounds.get(name).unwrap_or(&anything).is_subset(bound))
    }

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        encoder.count(self.bounds.len());
        for (name, bound) in self.bounds.iter() {
            encoder.text(name.as_str());
            bound.encode(encoder);
        }
        encode_set(self.resources.as_ref(), encoder);
        encode_set(self.audiences.as_ref(), encoder);
        let pin = self.pinned.map_or([0; 32], |pin| *pin.as_bytes());
        encoder.tag(u8::from(self.pinned.is_some())).fixed(&pin);
        encode_limit(self.max_calls, encoder);
        encode_budgets(&self.budgets, encoder);
        encoder.tag(u8::from(self.autonomous)).tag(u8::from(self.preapproved));
        encoder.tag(u8::from(self.outside == Otherwise::Ask)).tag(u8::from(self.quorum.is_some()));
        if let Some(quorum) = &self.quorum {
            quorum.encode(encoder);
        }
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

/// Whether a limit allows no more than a wider one; no limit is the widest.
pub(super) fn fewer(narrow: Option<u32>, wide: Option<u32>) -> bool {
    match (narrow, wide) {
        (_, None) => true,
        (Some(narrow), Some(wide)) => narrow <= wide,
        (None, Some(_)) => false,
    }
}

pub(super) fn encode_limit(limit: Option<u32>, encoder: &mut Encoder) {
    encoder.tag(u8::from(limit.is_some())).fixed(&limit.unwrap_or(0).to_be_bytes());
}

/// Adds a budget, where there is room and none like it.
pub(super) fn add_budget(budgets: &mut Vec<Budget>, budget: Budget) -> Result<(), ScopeError> {
    if budgets.iter().any(|own| own.is_like(&budget)) || budgets.len() >= MAX_BUDGETS {
        return Err(ScopeError::Budget(budget.measure().clone()));
    }
    budgets.push(budget);
    Ok(())
}

/// Reads budgets.
pub(super) fn budgets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Budget>, D::Error> {
    objects(deserializer)?.into_iter().try_fold(Vec::new(), |mut budgets, budget| {
        add_budget(&mut budgets, budget).map_err(D::Error::custom)?;
        Ok(budgets)
    })
}

/// Whether what keeps to these budgets keeps to the wider ones.
pub(super) fn keeps_to(narrow: &[Budget], wide: &[Budget]) -> bool {
    wide.iter().all(|wide| narrow.iter().any(|narrow| narrow.is_within(wide)))
}

pub(super) fn encode_budgets(budgets: &[Budget], encoder: &mut Encoder) {
    encoder.count(budgets.len());
    budgets.iter().for_each(|budget| budget.encode(encoder));
}
