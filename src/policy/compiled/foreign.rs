//! Asking Cedar itself: for policies that are not compiled, and to check those that are.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, Policy, PolicySet, Request,
    RestrictedExpression,
};

use super::EntityUid;
use super::asked::Asked;
use super::entities::Data;
use super::program::Failed;
use super::uid::Uid;
use super::view::{Fields, Members, Val};

/// One policy that only Cedar evaluates.
#[derive(Clone)]
pub(in crate::policy) struct Foreign(PolicySet);

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Foreign({})", self.0)
    }
}

/// What Cedar answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) struct Answer {
    pub(in crate::policy) allowed: bool,
    pub(in crate::policy) determining: BTreeSet<String>,
    pub(in crate::policy) failed: BTreeSet<String>,
}

impl Foreign {
    /// `policy` has no slots.
    pub(super) fn new(policy: Policy) -> Self {
        // Adding one policy to an empty set cannot fail; if it did, the empty set would answer nothing.
        Self(PolicySet::from_policies([policy]).unwrap_or_default())
    }

    /// Whether the policy applies. What cannot be asked has failed.
    pub(super) fn applies(&self, asked: &Asked<'_>) -> Result<bool, Failed> {
        let answer = ask(&self.0, asked)?;
        if self.0.is_empty() || !answer.failed.is_empty() { Err(Failed) } else { Ok(!answer.determining.is_empty()) }
    }
}

/// Asks Cedar about these policies, on the thread that asks.
pub(in crate::policy) fn ask(policies: &PolicySet, asked: &Asked<'_>) -> Result<Answer, Failed> {
    let mut entities = Reachable { asked, found: BTreeMap::new() };
    for known in [&asked.principal, &asked.action, &asked.resource] {
        entities.follow(known.uid)?;
    }
    entities.follow_fields(asked.context)?;
    for uid in policies.policies().flat_map(Policy::entity_literals) {
        entities.follow(EntityUid::from(&uid).view())?;
    }
    let entities = entities.found.into_values().flatten();
    let entities = Entities::from_entities(entities, None).map_err(|_| Failed)?;
    let context = Context::from_pairs(pairs(asked.context)?).map_err(|_| Failed)?;
    let [principal, action, resource] = [&asked.principal, &asked.action, &asked.resource].map(|known| uid(known.uid));
    let request = Request::new(principal?, action?, resource?, context, None).map_err(|_| Failed)?;
    let response = Authorizer::new().is_authorized(&request, policies, &entities);
    Ok(Answer {
        allowed: response.decision() == Decision::Allow,
        determining: response.diagnostics().reason().map(ToString::to_string).collect(),
        failed: response
            .diagnostics()
            .errors()
            .map(|cedar_policy::AuthorizationError::PolicyEvaluationError(error)| error.policy_id().to_string())
            .collect(),
    })
}

/// The entities that policies can come to from a request: Cedar needs no others.
struct Reachable<'x, 'a> {
    asked: &'x Asked<'a>,
    /// Those that were come to; `None` where nothing is known of one.
    found: BTreeMap<EntityUid, Option<Entity>>,
}

impl Reachable<'_, '_> {
    fn follow(&mut self, uid: Uid<'_>) -> Result<(), Failed> {
        let mut open = vec![uid.to_owned()];
        while let Some(next) = open.pop() {
            if self.found.contains_key(&next) {
                continue;
            }
            let data = self.data(next.view());
            if let Some(data) = &data {
                uids(data.fields, &mut open);
                if let Some(tags) = data.tags {
                    uids(tags, &mut open);
                }
            }
            let entity = data.map(|data| entity(&next, &data)).transpose()?;
            self.found.insert(next, entity);
        }
        Ok(())
    }

    fn follow_fields(&mut self, fields: &dyn Fields) -> Result<(), Failed> {
        let mut named = Vec::new();
        uids(fields, &mut named);
        named.into_iter().try_for_each(|uid| self.follow(uid.view()))
    }

    fn data(&self, uid: Uid<'_>) -> Option<Data<'_>> {
        let asked = self.asked;
        let own = [&asked.principal, &asked.action, &asked.resource].into_iter().find(|known| known.uid == uid);
        own.map_or_else(|| asked.entities.get(uid), |known| known.data)
    }
}

fn uids(fields: &dyn Fields, into: &mut Vec<EntityUid>) {
    fields.each(&mut |_, value| {
        uids_of(value, into);
        true
    });
}

fn uids_of(value: Val<'_>, into: &mut Vec<EntityUid>) {
    match value {
        Val::Entity(uid) => into.push(uid.to_owned()),
        Val::Record(fields) => uids(fields, into),
        Val::Set(members) => {
            members.each(&mut |member| {
                uids_of(member, into);
                true
            });
        }
        _ => {}
    }
}

fn entity(own: &EntityUid, data: &Data<'_>) -> Result<Entity, Failed> {
    let parents: HashSet<cedar_policy::EntityUid> =
        data.ancestors.iter().map(|parent| uid(parent.view())).collect::<Result<_, _>>()?;
    let tags = data.tags.map_or(Ok(Vec::new()), |tags| pairs(tags))?;
    Entity::new_with_tags(uid(own.view())?, pairs(data.fields)?, parents, tags).map_err(|_| Failed)
}

fn uid(uid: Uid<'_>) -> Result<cedar_policy::EntityUid, Failed> {
    let kind: EntityTypeName = uid.kind.as_str().parse().map_err(|_| Failed)?;
    Ok(cedar_policy::EntityUid::from_type_name_and_id(kind, EntityId::new(uid.id)))
}

fn pairs(fields: &dyn Fields) -> Result<Vec<(String, RestrictedExpression)>, Failed> {
    let mut pairs = Vec::new();
    let mut failed = false;
    fields.each(&mut |name, value| {
        match expression(value) {
            Ok(value) => pairs.push((name.to_owned(), value)),
            Err(Failed) => failed = true,
        }
        !failed
    });
    if failed { Err(Failed) } else { Ok(pairs) }
}

fn expression(value: Val<'_>) -> Result<RestrictedExpression, Failed> {
    Ok(match value {
        Val::Bool(value) => RestrictedExpression::new_bool(value),
        Val::Long(value) => RestrictedExpression::new_long(value),
        Val::Text(text) => RestrictedExpression::new_string(text.to_owned()),
        Val::Entity(entity) => RestrictedExpression::new_entity_uid(uid(entity)?),
        Val::Set(members) => RestrictedExpression::new_set(expressions(members)?),
        Val::Record(fields) => RestrictedExpression::new_record(pairs(fields)?).map_err(|_| Failed)?,
        Val::Decimal(_) | Val::Datetime(_) | Val::Duration(_) | Val::Ip(_) => {
            value.to_string().parse().map_err(|_| Failed)?
        }
    })
}

fn expressions(members: &dyn Members) -> Result<Vec<RestrictedExpression>, Failed> {
    let mut expressions = Vec::new();
    let mut failed = false;
    members.each(&mut |member| {
        match expression(member) {
            Ok(member) => expressions.push(member),
            Err(Failed) => failed = true,
        }
        !failed
    });
    if failed { Err(Failed) } else { Ok(expressions) }
}
