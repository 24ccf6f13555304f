//! Cuts: of a schema's actions, those that tell all that Cedar's validator can tell of a policy.
//!
//! The validator types a policy once for each action, principal type and resource type that go together. What it finds
//! for an action depends on the types that the action applies to, on its groups and on the part of its context that the
//! policy reads; on its name only where the policy names the action or one that is in it. Where the policy's scope does
//! not admit the action, what follows the scope is not looked at. So of actions that are the same in all of this one
//! stands for the others. Checks besides, of names and of texts, are the same under any actions, as long as those that
//! the policy names are among them.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{ActionConstraint, Entity, EntityUid, Policy, Schema};
use serde_json::{Map, Value, json};

use super::part::Part;

/// The actions of a schema, by number.
#[derive(Debug)]
pub(super) struct Actions {
    /// The schema in Cedar's JSON format, without its actions.
    frame: Value,
    all: Vec<Action>,
    numbers: BTreeMap<EntityUid, usize>,
    /// Actions that differ in nothing but their names.
    shapes: Vec<Shape>,
}

#[derive(Debug)]
struct Action {
    namespace: String,
    id: String,
    declaration: Value,
    groups: Vec<usize>,
}

#[derive(Debug)]
struct Shape {
    actions: Vec<usize>,
    groups: Vec<usize>,
    /// The declaration besides groups and context: what the action applies to, mostly.
    applies: String,
    context: Value,
}

/// What a policy needs to know of actions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    /// The actions that the policy names, and their groups.
    named: BTreeSet<usize>,
    /// Those in the action part of its scope, unless that admits every action.
    scope: Option<BTreeSet<usize>>,
    /// What it reads of the context.
    part: Part,
}

/// Some actions of a schema, with their groups.
pub(super) type Cut = BTreeSet<usize>;

impl Actions {
    /// Reads a schema; `None` where its JSON form is not understood.
    pub(super) fn of(schema: &Schema, mut json: Value) -> Option<Self> {
        let entities = schema.action_entities().ok()?;
        let uids: BTreeSet<EntityUid> = entities.iter().map(Entity::uid).collect();
        let numbers: BTreeMap<EntityUid, usize> = uids.into_iter().zip(0..).collect();
        let mut declared: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        for (namespace, definition) in json.as_object_mut()? {
            let actions = std::mem::replace(definition.get_mut("actions")?, json!({}));
            let Value::Object(actions) = actions else { return None };
            declared.insert(namespace.clone(), actions);
        }
        let action = |uid: &EntityUid| {
            let (namespace, id) = (uid.type_name().namespace(), uid.id().unescaped().to_owned());
            let declaration = declared.get_mut(&namespace)?.remove(&id)?;
            let groups = entities.ancestors(uid)?.map(|group| numbers.get(group).copied());
            let mut groups = groups.collect::<Option<Vec<_>>>()?;
            groups.sort_unstable();
            Some(Action { namespace, id, declaration, groups })
        };
        let all = numbers.keys().map(action).collect::<Option<Vec<_>>>()?;
        let shapes = shapes(&all);
        // An action that is declared and is no entity would be lost.
        declared.values().all(Map::is_empty).then_some(Self { frame: json, all, numbers, shapes })
    }

    pub(super) fn need(&self, policy: &Policy) -> Need {
        let number = |uid: &EntityUid| self.numbers.get(uid).copied();
        let named = self.with_groups(policy.entity_literals().iter().filter_map(number));
        let scope = match policy.action_constraint() {
            ActionConstraint::Any => None,
            ActionConstraint::Eq(one) => Some(number(&one).into_iter().collect()),
            ActionConstraint::In(some) => Some(some.iter().filter_map(number).collect()),
        };
        let mut need = Need { named, scope, part: Part::nothing() };
        // Where all that the scope admits is named, and so in the cut, it does not matter what is read.
        if self.shapes.iter().any(|shape| need.admits(shape) && need.stranger(shape).is_some()) {
            need.part = Part::read_by(policy);
        }
        need
    }

    /// The smallest cut that tells the same as all actions; where it is not much smaller, all actions.
    pub(super) fn cut(&self, need: &Need) -> Option<Cut> {
        let mut told = BTreeSet::new();
        let strangers = self.shapes.iter().filter_map(|shape| {
            let tells = if need.admits(shape) {
                (shape.applies.as_str(), Some((&shape.groups, need.part.of_type(&shape.context).to_string())))
            } else {
                (shape.applies.as_str(), None)
            };
            need.stranger(shape).filter(|_| told.insert(tells))
        });
        let mut cut = self.with_groups(strangers);
        cut.extend(&need.named);
        (cut.len() <= self.all.len() / 2).then_some(cut)
    }

    /// The schema with only these actions, in Cedar's JSON format.
    pub(super) fn schema(&self, cut: &Cut) -> Value {
        let mut json = self.frame.clone();
        for action in cut.iter().filter_map(|number| self.all.get(*number)) {
            if let Some(Value::Object(actions)) = json.pointer_mut(&format!("/{}/actions", action.namespace)) {
                actions.insert(action.id.clone(), action.declaration.clone());
            }
        }
        json
    }

    fn with_groups(&self, numbers: impl Iterator<Item = usize>) -> Cut {
        let groups = |number: usize| self.all.get(number).into_iter().flat_map(|action| &action.groups).copied();
        numbers.flat_map(|number| std::iter::once(number).chain(groups(number))).collect()
    }
}

impl Need {
    /// Whether the policy's scope admits the actions of this shape that the policy does not name.
    fn admits(&self, shape: &Shape) -> bool {
        self.scope.as_ref().is_none_or(|scope| shape.groups.iter().any(|group| scope.contains(group)))
    }

    /// An action of this shape that the policy does not name.
    fn stranger(&self, shape: &Shape) -> Option<usize> {
        shape.actions.iter().copied().find(|number| !self.named.contains(number))
    }
}

fn shapes(actions: &[Action]) -> Vec<Shape> {
    let mut shapes: BTreeMap<(String, String, &[usize]), Shape> = BTreeMap::new();
    for (number, action) in actions.iter().enumerate() {
        let mut rest = action.declaration.clone();
        let context = rest.pointer_mut("/appliesTo/context").map(Value::take).unwrap_or_default();
        if let Value::Object(members) = &mut rest {
            members.retain(|member, _| member != "memberOf" && member != "annotations");
        }
        let applies = format!("{} {rest}", action.namespace);
        let shape = shapes.entry((applies.clone(), context.to_string(), &action.groups));
        let new = || Shape { actions: Vec::new(), groups: action.groups.clone(), applies, context };
        shape.or_insert_with(new).actions.push(number);
    }
    shapes.into_values().collect()
}
