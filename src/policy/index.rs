//! The slices: for each declared tool, the policies that can matter for it.
//!
//! Slicing by the action part of a policy's scope is exact: that part cannot err, and a policy whose action part does
//! not match is not evaluated by Cedar either.

use std::collections::BTreeMap;

use cedar_policy::{ActionConstraint, Entity, EntityUid, PolicySet, Schema};

use super::context::Kinds;
use super::{PolicyError, syntax};
use crate::mandate::ToolName;

/// What is needed to decide about one tool.
#[derive(Debug)]
pub(super) struct Slice {
    pub(super) action: EntityUid,
    /// The action and its groups, as Cedar wants them among the entities.
    pub(super) entities: Vec<Entity>,
    pub(super) policies: PolicySet,
    /// Whether some policy may ask for an approval of the exact action.
    pub(super) sees_approval: bool,
    /// Whether some policy may ask for the agent user.
    pub(super) sees_agent_user: bool,
}

/// The slice of each tool.
pub(super) type Index = BTreeMap<ToolName, Slice>;

pub(super) fn build<'a>(
    tools: impl Iterator<Item = &'a ToolName>,
    policies: &PolicySet,
    schema: &Schema,
    kinds: &Kinds,
) -> Result<Index, PolicyError> {
    let known = schema.action_entities().map_err(PolicyError::cedar)?;
    tools
        .map(|tool| {
            let action = kinds.action(tool.as_str());
            let groups: Vec<EntityUid> = known.ancestors(&action).into_iter().flatten().cloned().collect();
            let matches = |constraint: &EntityUid| *constraint == action || groups.contains(constraint);
            let sliced = policies.policies().filter(|policy| match policy.action_constraint() {
                ActionConstraint::Any => true,
                ActionConstraint::Eq(one) => one == action,
                ActionConstraint::In(some) => some.iter().any(matches),
            });
            let policies = PolicySet::from_policies(sliced.cloned()).map_err(PolicyError::cedar)?;
            let trees = policies.policies().map(|policy| policy.to_json().map_err(PolicyError::cedar));
            let trees = trees.collect::<Result<Vec<_>, _>>()?;
            let reads = |member: &str| trees.iter().any(|tree| syntax::reads(tree, member));
            let (sees_approval, sees_agent_user) = (reads("approved"), reads("agent_user"));
            let entities = std::iter::once(&action).chain(&groups).filter_map(|uid| known.get(uid).cloned()).collect();
            Ok((tool.clone(), Slice { action, entities, policies, sees_approval, sees_agent_user }))
        })
        .collect()
}
