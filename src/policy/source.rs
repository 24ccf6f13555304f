//! One policy as Cedar reads it: a policy, or a template for policies.

use cedar_policy::{ParseErrors, Policy, PolicyId, PolicySet, Template, pst};

use super::PolicyError;

/// What Cedar made of the text of one policy.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Policy(Policy),
    Template(Template),
}

impl Source {
    /// Reads the text of one policy.
    pub(super) fn parse(text: &str) -> Result<Self, Box<ParseErrors>> {
        match Policy::parse(None, text) {
            Ok(policy) => Ok(Self::Policy(policy)),
            Err(error) => Template::parse(None, text).map(Self::Template).map_err(|_| Box::new(error)),
        }
    }

    pub(super) fn id(&self) -> &PolicyId {
        match self {
            Self::Policy(policy) => policy.id(),
            Self::Template(template) => template.id(),
        }
    }

    /// Its annotation of this name.
    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        match self {
            Self::Policy(policy) => policy.annotation(name),
            Self::Template(template) => template.annotation(name),
        }
    }

    pub(super) fn with_id(&self, id: PolicyId) -> Self {
        match self {
            Self::Policy(policy) => Self::Policy(policy.new_id(id)),
            Self::Template(template) => Self::Template(template.new_id(id)),
        }
    }

    /// Its syntax tree.
    pub(super) fn tree(&self) -> Result<pst::Template, PolicyError> {
        match self {
            Self::Policy(policy) => policy.to_pst().map(|tree| tree.body().clone()),
            Self::Template(template) => template.to_pst(),
        }
        .map_err(PolicyError::cedar)
    }

    pub(super) fn add_to(&self, set: &mut PolicySet) -> Result<(), PolicyError> {
        match self {
            Self::Policy(policy) => set.add(policy.clone()),
            Self::Template(template) => set.add_template(template.clone()),
        }
        .map_err(PolicyError::cedar)
    }
}
