//! One authorization detail (RFC 9396): authority over actions, as it travels in approvals and credentials.

use serde::{Deserialize, Serialize};

use super::{Arguments, Bound, Grant, Resource, Scope, ScopeError, ToolName};
use crate::id::Audience;
use crate::jose::Flaw;
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
    #[serde(default, deserialize_with = "object", skip_serializing_if = "Constraints::is_none")]
    pub(crate) constraints: Constraints,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) identifier: Option<Resource>,
    pub(crate) locations: Vec<Audience>,
    #[serde(rename = "type")]
    kind: String,
}

/// The closed vocabulary of constraints; another one is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Constraints {
    /// The value that the argument `currency` must have.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<String>,
    /// The limit of the argument `amount_minor`.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) max_amount_minor: Option<i64>,
    /// How many calls.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) max_calls: Option<u32>,
}

impl Constraints {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Detail {
    /// One action on one resource at one service, once.
    pub(crate) fn once(action: &ToolName, resource: &Resource, audience: &Audience) -> Self {
        Self {
            actions: vec![action.clone()],
            constraints: Constraints { max_calls: Some(1), ..Constraints::default() },
            identifier: Some(resource.clone()),
            locations: vec![audience.clone()],
            kind: TYPE.to_owned(),
        }
    }

    /// Checks what the shape does not say.
    pub(crate) fn check_all(details: &[Self]) -> Result<(), Flaw> {
        let sound = |detail: &Self| detail.kind == TYPE && detail.locations.len() == 1 && !detail.actions.is_empty();
        let fits = !details.is_empty() && details.len() <= MAX_DETAILS && details.iter().all(sound);
        if fits { Ok(()) } else { Err(Flaw::Authority) }
    }

    /// Whether it permits this action on this resource with these arguments.
    pub(crate) fn permits(&self, action: &ToolName, resource: &Resource, arguments: &Arguments) -> bool {
        self.actions.contains(action) && self.grant().is_ok_and(|grant| grant.beyond(resource, arguments).is_none())
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
        let mut grant = Grant::new().preapproved().at(self.locations.iter().cloned());
        if let Some(resource) = &self.identifier {
            grant = grant.on([resource.clone()]);
        }
        if let Some(max_calls) = self.constraints.max_calls {
            grant = grant.at_most(max_calls);
        }
        if let Some(max) = self.constraints.max_amount_minor {
            grant = grant.bound("amount_minor", Bound::at_most(max.into()))?;
        }
        if let Some(currency) = &self.constraints.currency {
            grant = grant.bound("currency", Bound::one_of([currency.as_str()]))?;
        }
        Ok(grant)
    }
}
