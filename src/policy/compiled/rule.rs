//! One policy, compiled: its scope, its conditions, its effect.

use cedar_policy::Policy;
use cedar_policy::pst::{self, ActionConstraint, EntityOrSlot, PrincipalConstraint, ResourceConstraint, Template};
use serde::Serialize;
use smol_str::SmolStr;

use super::asked::{Asked, Known};
use super::compile::{self, Unknown};
use super::foreign::Foreign;
use super::program::{Failed, Made, Program};
use super::{EntityUid, Name};
use crate::policy::PolicyError;

/// What a policy does where it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "Cedar has no third effect")]
pub enum Effect {
    /// It permits.
    Permit,
    /// It forbids, whatever others permit.
    Forbid,
}

impl Effect {
    /// The word that policies use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Forbid => "forbid",
        }
    }
}

/// One policy.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Rule {
    pub(in crate::policy) id: SmolStr,
    pub(in crate::policy) effect: Effect,
    pub(in crate::policy) principal: Scope,
    pub(in crate::policy) resource: Scope,
    pub(in crate::policy) actions: Actions,
    conditions: Conditions,
    /// Whether its scope admits every principal and every resource.
    is_open: bool,
}

#[derive(Debug, Clone)]
enum Conditions {
    Compiled(Program),
    /// Only Cedar knows what they mean.
    Foreign(Box<Foreign>),
}

/// What a policy's scope says of the principal or the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) enum Scope {
    Any,
    Equal(EntityUid),
    In(EntityUid),
    Is(Name),
    IsIn(Name, EntityUid),
}

/// What a policy's scope says of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) enum Actions {
    Any,
    Equal(EntityUid),
    In(Box<[EntityUid]>),
}

impl Rule {
    /// Compiles a policy.
    ///
    /// # Errors
    ///
    /// Cedar has no syntax tree of it, or its scope has a form that is not known here.
    pub(in crate::policy) fn of(policy: &Policy) -> Result<Self, PolicyError> {
        let (tree, filled) = filled(policy)?;
        let unknown = |_| PolicyError::cedar(format!("the scope of {} is not known here", policy.id()));
        Self::new(policy.id().as_ref(), &tree, &filled).map_err(unknown)
    }

    fn new(id: &str, tree: &Template, own: &Policy) -> Result<Self, Unknown> {
        let wants_cedar = tree.annotations.get("engine").is_some_and(|engine| engine == "cedar");
        let conditions = match compile::conditions(tree.clauses()) {
            Ok(program) if !wants_cedar => Conditions::Compiled(program),
            _ => Conditions::Foreign(Box::new(Foreign::new(own.clone()))),
        };
        let principal = match &tree.principal {
            PrincipalConstraint::Any => Scope::Any,
            PrincipalConstraint::Eq(uid) => Scope::Equal(linked(uid)?),
            PrincipalConstraint::In(uid) => Scope::In(linked(uid)?),
            PrincipalConstraint::Is(kind) => Scope::Is(Name::new(&kind.to_string())),
            PrincipalConstraint::IsIn(kind, uid) => Scope::IsIn(Name::new(&kind.to_string()), linked(uid)?),
        };
        let resource = match &tree.resource {
            ResourceConstraint::Any => Scope::Any,
            ResourceConstraint::Eq(uid) => Scope::Equal(linked(uid)?),
            ResourceConstraint::In(uid) => Scope::In(linked(uid)?),
            ResourceConstraint::Is(kind) => Scope::Is(Name::new(&kind.to_string())),
            ResourceConstraint::IsIn(kind, uid) => Scope::IsIn(Name::new(&kind.to_string()), linked(uid)?),
        };
        Ok(Self {
            id: SmolStr::new(id),
            is_open: principal == Scope::Any && resource == Scope::Any,
            principal,
            resource,
            effect: match tree.effect {
                pst::Effect::Permit => Effect::Permit,
                pst::Effect::Forbid => Effect::Forbid,
            },
            actions: match &tree.action {
                ActionConstraint::Any => Actions::Any,
                ActionConstraint::Eq(uid) => Actions::Equal(compile::entity(uid)),
                ActionConstraint::In(uids) => Actions::In(uids.iter().map(compile::entity).collect()),
            },
            conditions,
        })
    }

    /// Whether the policy applies to a request that its action scope admits. Scopes cannot fail.
    #[inline]
    pub(in crate::policy) fn applies<'a>(&'a self, asked: &Asked<'a>, made: &'a Made) -> Result<bool, Failed> {
        if !(self.is_open || self.principal.admits(&asked.principal) && self.resource.admits(&asked.resource)) {
            return Ok(false);
        }
        match &self.conditions {
            Conditions::Compiled(program) => program.holds(asked, made),
            Conditions::Foreign(foreign) => foreign.applies(asked),
        }
    }

    /// The same under these conditions, whatever the resource; nothing where they are not known here.
    pub(in crate::policy) fn about_any_resource(&self, clauses: &[pst::Clause]) -> Option<Self> {
        let conditions = Conditions::Compiled(compile::conditions(clauses).ok()?);
        let is_open = self.principal == Scope::Any;
        Some(Self { resource: Scope::Any, conditions, is_open, ..self.clone() })
    }

    /// Whether each part of the scope admits its variable: principal, action, resource.
    pub(in crate::policy) fn scope(&self, asked: &Asked<'_>) -> [bool; 3] {
        let action = match &self.actions {
            Actions::Any => true,
            Actions::Equal(uid) => asked.action.uid == uid.view(),
            Actions::In(groups) => groups.iter().any(|group| asked.action.is_in(group.view())),
        };
        [self.principal.admits(&asked.principal), action, self.resource.admits(&asked.resource)]
    }

    /// Whether the policy is in several places of the index.
    pub(super) fn may_be_met_twice(&self) -> bool {
        matches!(&self.actions, Actions::In(actions) if actions.len() > 1)
    }

    /// Whether the conditions are evaluated by Cedar itself.
    pub(in crate::policy) fn is_foreign(&self) -> bool {
        matches!(self.conditions, Conditions::Foreign(_))
    }
}

/// A policy whose slots are filled, as its tree and as Cedar's own.
pub(in crate::policy) fn filled(policy: &Policy) -> Result<(Template, Policy), PolicyError> {
    let tree = match policy.to_pst().map_err(PolicyError::cedar)? {
        pst::Policy::Static(tree) => tree,
        pst::Policy::Linked(linked) => linked.into_static_policy().map_err(PolicyError::cedar)?,
    };
    let body = tree.body().clone();
    if policy.is_static() {
        return Ok((body, policy.clone()));
    }
    // The tree may come with its slots filled; Cedar's own policy does not, and would want its template.
    Ok((body, Policy::from_pst(pst::Policy::Static(tree)).map_err(PolicyError::cedar)?))
}

fn linked(place: &EntityOrSlot) -> Result<EntityUid, Unknown> {
    match place {
        EntityOrSlot::Entity(uid) => Ok(compile::entity(uid)),
        EntityOrSlot::Slot(_) => Err(Unknown),
    }
}

impl Scope {
    #[inline]
    fn admits(&self, known: &Known<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Equal(uid) => known.uid == uid.view(),
            Self::In(group) => known.is_in(group.view()),
            Self::Is(kind) => known.uid.kind == kind,
            Self::IsIn(kind, group) => known.uid.kind == kind && known.is_in(group.view()),
        }
    }
}
