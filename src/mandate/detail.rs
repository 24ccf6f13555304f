//! One authorization detail (RFC 9396): authority over actions, as it travels in approvals and credentials.

use serde::{Deserialize, Serialize};

use super::{
    Action, ArgumentName, Arguments, Bound, Grant, Measure, Resolved, Resource, Scope, ScopeError, ToolName, Value,
};
use crate::id::Audience;
use crate::jose::Flaw;
use crate::sorted::Sorted;
use crate::strict::{object, present};

const TYPE: &str = "urn:bailiwick:rar:task-action";
/// A token has no more of them (token profile, schema).
const MAX_DETAILS: usize = 32;

/// Some actions on one resource at one service, within constraints. Another member (`datatypes`, say) narrows in a way
/// that is not known here, and is refused. Members in lexical order, so that what is
/// written is canonical JSON (RFC 8785).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Detail {
    pub(crate) actions: Vec<ToolName>,
    #[serde(default, deserialize_with = "object", skip_serializing_if = "Limits::is_none")]
    constraints: Limits,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    identifier: Option<Resource>,
    pub(crate) locations: Vec<Audience>,
    #[serde(rename = "type")]
    kind: String,
}

/// The closed vocabulary of constraints, which is that of a [`Grant`]; another one is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    /// The value that the argument `currency` must have.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// The limit of the argument `amount_minor`.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    max_amount_minor: Option<i64>,
    /// How many calls.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    max_calls: Option<u32>,
    /// Which values other arguments may have.
    #[serde(rename = "where", default, skip_serializing_if = "Sorted::is_empty")]
    bounds: Sorted<ArgumentName, Bound>,
}

impl Limits {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Detail {
    fn new(action: &ToolName, resource: Option<&Resource>, audience: &Audience, constraints: Limits) -> Self {
        Self {
            actions: vec![action.clone()],
            constraints,
            identifier: resource.cloned(),
            locations: vec![audience.clone()],
            kind: TYPE.to_owned(),
        }
    }

    /// One action at one service, once: on its resource, with the values that it has where its task's scope binds arguments or
    /// has a budget that measures them. A scope below has the budgets of every one above.
    ///
    /// # Errors
    ///
    /// One of these arguments, where no bound names its value alone.
    pub(crate) fn once(action: &Action, scope: &Scope, audience: &Audience) -> Result<Self, ArgumentName> {
        let bound = scope.grant(action.tool()).into_iter().flat_map(|grant| grant.bounds().keys());
        let measured = scope.budgets_on(action.tool()).filter_map(|budget| match budget.measure() {
            Measure::Sum(name) => Some((name, true)),
            Measure::Distinct(name) => Some((name, false)),
            Measure::Calls | Measure::Resources => None,
        });
        let mut bounds = Sorted::default();
        for (name, is_sum) in bound.map(|name| (name, false)).chain(measured) {
            let value = action.arguments().get(name.as_str());
            // How often a list has an item, no bound says.
            let adds_up = is_sum && matches!(value, Some(Value::List(items)) if !items.is_empty());
            let exactly = Bound::exactly(value).filter(|_| !adds_up).ok_or_else(|| name.clone())?;
            bounds.insert(name.clone(), exactly);
        }
        let limits = Limits { max_calls: Some(1), bounds, ..Limits::default() };
        Ok(Self::new(action.tool(), Some(action.resource()), audience, limits))
    }

    /// What a grant gives of one tool at one service: at most 32 details. Where it names more resources, only what concerns
    /// `resource`.
    pub(crate) fn of_grant(tool: &ToolName, grant: &Grant, resource: &Resource, audience: &Audience) -> Vec<Self> {
        let limits = Limits { max_calls: grant.max_calls(), bounds: grant.bounds().clone(), ..Limits::default() };
        let detail = |resource| Self::new(tool, resource, audience, limits.clone());
        match grant.resources() {
            None => vec![detail(None)],
            Some(named) if named.len() > MAX_DETAILS => vec![detail(Some(resource))],
            Some(named) => named.iter().map(|resource| detail(Some(resource))).collect(),
        }
    }

    /// What a scope gives at the services that it names, as far as details can say it: whoever relies on it reads it back.
    pub(super) fn of_scope(scope: &Scope) -> Option<Vec<Self>> {
        let details = scope.grants().map(|(tool, grant)| {
            let mut audiences = grant.audiences()?.iter();
            let (audience, mut resources) = (audiences.next()?, grant.resources().into_iter().flatten());
            let limits = Limits { max_calls: grant.max_calls(), bounds: grant.bounds().clone(), ..Limits::default() };
            Some(Self::new(tool, resources.next(), audience, limits))
        });
        details.collect()
    }

    /// Checks what the shape does not say.
    pub(crate) fn check_all(details: &[Self]) -> Result<(), Flaw> {
        let sound = |detail: &Self| detail.kind == TYPE && detail.locations.len() == 1 && !detail.actions.is_empty();
        let fits = !details.is_empty() && details.len() <= MAX_DETAILS && details.iter().all(sound);
        if fits { Ok(()) } else { Err(Flaw::Authority) }
    }

    /// Whether what these details give, the wider ones give as well. Sound, not complete: a detail must be within one other.
    pub(crate) fn are_within(details: &[Self], wider: &[Self]) -> bool {
        let wider: Option<Vec<_>> = wider.iter().map(|wide| Some((wide, wide.grant().ok()?))).collect();
        let within = |detail: &Self, action: &ToolName| {
            let (grant, wider) = (detail.grant().ok()?, wider.as_ref()?);
            let mut wider = wider.iter().filter(|(wide, _)| wide.actions.contains(action));
            Some(wider.any(|(_, wide)| grant.is_subset(wide)))
        };
        let all = |detail: &Self| detail.actions.iter().all(|action| within(detail, action) == Some(true));
        details.iter().all(all)
    }

    /// Whether what these details give, the scope of an approval gives as well.
    pub(crate) fn are_covered(details: &[Self], scope: &Scope) -> bool {
        let covered = |detail: &Self| {
            let grant = detail.grant().ok()?;
            let mut wide = detail.actions.iter().map(|action| scope.grant(action));
            Some(wide.all(|wide| wide.is_some_and(|wide| grant.is_subset(wide))))
        };
        details.iter().all(|detail| covered(detail) == Some(true))
    }

    /// Whether it permits this action on this resource with these arguments.
    pub(crate) fn permits(&self, action: &ToolName, resource: &Resource, arguments: &Arguments) -> bool {
        self.actions.contains(action)
            && self.grant().is_ok_and(|grant| grant.beyond(resource, arguments, &Resolved::none()).is_none())
    }

    /// How many calls it is good for, where it says so.
    pub(crate) fn max_calls(&self) -> Option<u32> {
        self.constraints.max_calls
    }

    /// The scope that these details make. What a human sealed, they need not be asked again.
    pub(super) fn scope(details: &[Self]) -> Result<Scope, Flaw> {
        Self::check_all(details)?;
        let mut scope = Scope::new();
        for detail in details {
            let grant = detail.grant().map_err(|_| Flaw::Authority)?;
            for action in &detail.actions {
                scope = scope.allow(action.as_str(), grant.clone()).map_err(|_| Flaw::Authority)?;
            }
        }
        Ok(scope)
    }

    fn grant(&self) -> Result<Grant, ScopeError> {
        let Limits { currency, max_amount_minor, max_calls, bounds } = &self.constraints;
        let mut grant = Grant::new().preapproved().at(self.locations.iter().cloned());
        if let Some(resource) = &self.identifier {
            grant = grant.on([resource.clone()]);
        }
        if let Some(max_calls) = max_calls {
            grant = grant.at_most(*max_calls);
        }
        if let Some(max) = max_amount_minor {
            grant = grant.bound("amount_minor", Bound::at_most((*max).into()))?;
        }
        if let Some(currency) = currency {
            grant = grant.bound("currency", Bound::one_of([currency.as_str()]))?;
        }
        bounds.iter().try_fold(grant, |grant, (name, bound)| grant.bound(name.as_str(), bound.clone()))
    }
}
