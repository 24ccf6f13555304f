//! Shadows: policies that another one implies, so that nothing changes without them.

use std::collections::HashMap;

use cedar_policy::pst::{ActionConstraint, EntityOrSlot, EntityUID, PrincipalConstraint, ResourceConstraint};

use super::place::Place;
use super::tools::Tools;
use super::{Lint, LintCode, Severity, Subject};

/// For each policy, the shadow that another throws on it.
pub(super) fn find(policies: &[Subject<'_>], tools: &Tools) -> Vec<Option<Lint>> {
    let texts: Vec<Vec<String>> = policies.iter().map(conditions).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    texts.iter().flatten().for_each(|text| *counts.entry(text).or_default() += 1);
    let mut wide: HashMap<Key<'_>, Vec<usize>> = HashMap::new();
    for (number, (policy, conditions)) in policies.iter().zip(&texts).enumerate() {
        let principal = principal(policy).map(|bound| bound.uid);
        let resource = resource(policy).map(|bound| bound.uid);
        // The rarest: many policies share a condition, few share all.
        let condition = conditions.iter().map(String::as_str).min_by_key(|text| counts.get(text));
        for action in actions(policy) {
            wide.entry(Key { action, principal, resource, condition }).or_default().push(number);
        }
    }
    let shadow = |(number, (policy, conditions)): (usize, (&Subject<'_>, &Vec<String>))| {
        let keys = keys(policy, conditions, tools);
        let others = keys.iter().filter_map(|key| wide.get(key)).flatten().filter(|other| **other != number);
        let mut others = others.filter_map(|other| Some((*other, policies.get(*other)?)));
        let (_, other) = others.find(|(place, other)| {
            // Of two that say the same, the second is in the shadow.
            covers(other, policy, tools) && (*place < number || !covers(policy, other, tools))
        })?;
        let message = format!("changes nothing: `{}` applies wherever it does", other.name);
        let lint = policy.lint(LintCode::Shadowed, &Place::Head, message);
        Some(if policy.is_permit() { Lint { severity: Severity::Note, ..lint } } else { lint })
    };
    policies.iter().zip(&texts).enumerate().map(shadow).collect()
}

/// By what a policy that throws a shadow is found: a part of what it says, which is part of what the other says.
#[derive(PartialEq, Eq, Hash)]
struct Key<'k> {
    /// An action of its scope, by id; `None` admits all.
    action: Option<&'k str>,
    principal: Option<&'k EntityUID>,
    resource: Option<&'k EntityUID>,
    condition: Option<&'k str>,
}

/// The keys of everything that can throw a shadow on a policy.
fn keys<'k>(policy: &'k Subject<'_>, conditions: &'k [String], tools: &'k Tools) -> Vec<Key<'k>> {
    let first = match &policy.tree.action {
        ActionConstraint::Any => None,
        ActionConstraint::Eq(uid) => Some(uid),
        ActionConstraint::In(uids) => uids.first(),
    };
    let groups = first.and_then(|uid| tools.get(uid)).into_iter().flat_map(|tool| &tool.groups);
    let actions = [None].into_iter().chain(first.map(|uid| Some(uid.eid.as_str())));
    let actions: Vec<Option<&str>> = actions.chain(groups.map(|group| Some(group.id()))).collect();
    let bounds = |bound: Option<Bound<'k>>| [None].into_iter().chain(bound.map(|bound| Some(bound.uid)));
    let mut keys = Vec::new();
    for principal in bounds(principal(policy)) {
        for resource in bounds(resource(policy)) {
            for condition in [None].into_iter().chain(conditions.iter().map(|text| Some(text.as_str()))) {
                keys.extend(actions.iter().map(|action| Key { action: *action, principal, resource, condition }));
            }
        }
    }
    keys
}

fn actions<'p>(policy: &'p Subject<'_>) -> Vec<Option<&'p str>> {
    match &policy.tree.action {
        ActionConstraint::Any => vec![None],
        ActionConstraint::Eq(uid) => vec![Some(uid.eid.as_str())],
        ActionConstraint::In(uids) => uids.iter().map(|uid| Some(uid.eid.as_str())).collect(),
    }
}

/// What must hold, as texts that are the same where the conditions are.
fn conditions(policy: &Subject<'_>) -> Vec<String> {
    policy.conditions.conjuncts().iter().map(|part| format!("{} {:?}", part.holds, part.tree)).collect()
}

/// Whether a policy applies, and does the same, wherever the other does.
fn covers(wide: &Subject<'_>, narrow: &Subject<'_>, tools: &Tools) -> bool {
    let has_more = |annotation| narrow.has(annotation) && !wide.has(annotation);
    let does_more = if wide.is_permit() {
        wide.has("requires") && !narrow.has("requires")
    } else {
        has_more("visibility") || has_more("reason")
    };
    let conditions = narrow.conditions.conjuncts();
    wide.tree.effect == narrow.tree.effect
        && !does_more
        && bound_covers(principal(wide), principal(narrow))
        && bound_covers(resource(wide), resource(narrow))
        && actions_cover(&wide.tree.action, &narrow.tree.action, tools)
        && wide
            .conditions
            .conjuncts()
            .iter()
            .all(|part| conditions.iter().any(|other| part.holds == other.holds && part.tree == other.tree))
}

/// What a scope says of principal or resource: that it is this entity, or that it is this or in it.
struct Bound<'p> {
    uid: &'p EntityUID,
    is_exact: bool,
}

fn principal<'p>(policy: &Subject<'p>) -> Option<Bound<'p>> {
    match &policy.tree.principal {
        PrincipalConstraint::Eq(EntityOrSlot::Entity(uid)) => Some(Bound { uid, is_exact: true }),
        PrincipalConstraint::In(EntityOrSlot::Entity(uid))
        | PrincipalConstraint::IsIn(_, EntityOrSlot::Entity(uid)) => Some(Bound { uid, is_exact: false }),
        _ => None,
    }
}

fn resource<'p>(policy: &Subject<'p>) -> Option<Bound<'p>> {
    match &policy.tree.resource {
        ResourceConstraint::Eq(EntityOrSlot::Entity(uid)) => Some(Bound { uid, is_exact: true }),
        ResourceConstraint::In(EntityOrSlot::Entity(uid)) | ResourceConstraint::IsIn(_, EntityOrSlot::Entity(uid)) => {
            Some(Bound { uid, is_exact: false })
        }
        _ => None,
    }
}

fn bound_covers(wide: Option<Bound<'_>>, narrow: Option<Bound<'_>>) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(wide), Some(narrow)) => wide.uid == narrow.uid && (narrow.is_exact || !wide.is_exact),
        (Some(_), None) => false,
    }
}

fn actions_cover(wide: &ActionConstraint, narrow: &ActionConstraint, tools: &Tools) -> bool {
    let narrow = match narrow {
        ActionConstraint::Any => return *wide == ActionConstraint::Any,
        ActionConstraint::Eq(uid) => std::slice::from_ref(uid),
        ActionConstraint::In(uids) => uids,
    };
    narrow.iter().all(|uid| match wide {
        ActionConstraint::Any => true,
        // Nothing is in a tool but itself.
        ActionConstraint::Eq(own) => own == uid && tools.get(uid).is_some(),
        ActionConstraint::In(own) => {
            own.contains(uid) || tools.get(uid).is_some_and(|tool| own.iter().any(|group| tool.is_within(group)))
        }
    })
}
