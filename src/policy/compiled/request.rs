//! One request, owned: who, what, on what, in which context, and the entities that policies can come to from there.

use std::collections::BTreeMap;

use super::asked::{Asked, Known};
use super::uid::Uid;
use super::view::{Part, Val};
use super::{Entities, Entity, EntityUid, Record};

/// One request, with its entities.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Request {
    /// Who asks.
    pub principal: EntityUid,
    /// What for.
    pub action: EntityUid,
    /// On what.
    pub resource: EntityUid,
    /// In which context.
    pub context: Record,
    /// What is known of these, and of others.
    pub entities: Entities,
}

impl Request {
    /// A request.
    pub fn new(
        principal: EntityUid,
        action: EntityUid,
        resource: EntityUid,
        context: Record,
        entities: Entities,
    ) -> Self {
        Self { principal, action, resource, context, entities }
    }

    /// A copy of what is asked. Of the entities, those that can be come to from the request or from `named`: a policy
    /// comes to no others.
    pub(in crate::policy) fn of(asked: &Asked<'_>, named: impl IntoIterator<Item = EntityUid>) -> Self {
        let mut found = BTreeMap::new();
        let mut open: Vec<EntityUid> = named.into_iter().collect();
        open.extend([&asked.principal, &asked.action, &asked.resource].map(|known| known.uid.to_owned()));
        uids(asked.context, &mut open);
        while let Some(uid) = open.pop() {
            if found.contains_key(&uid) {
                continue;
            }
            let entity = look_up(asked, uid.view());
            if let Some(entity) = &entity {
                uids(Part::Stored(entity.attributes()), &mut open);
                entity.tags().for_each(|(_, value)| uids_of(value.view(), &mut open));
            }
            found.insert(uid, entity);
        }
        Self {
            principal: asked.principal.uid.to_owned(),
            action: asked.action.uid.to_owned(),
            resource: asked.resource.uid.to_owned(),
            context: asked.context.to_record(),
            // They come from a store that was checked, each once.
            entities: Entities::closed(found.into_values().flatten()),
        }
    }
}

fn look_up(asked: &Asked<'_>, uid: Uid<'_>) -> Option<Entity> {
    let own = [&asked.principal, &asked.action, &asked.resource].into_iter().find(|known| known.uid == uid);
    let data = own.map_or_else(|| Known::of(uid, asked.entities).data, |known| known.data)?;
    let entity = Entity::new(uid.to_owned(), data.fields.to_record()).within(data.ancestors.iter().cloned());
    Some(match data.tags {
        Some(tags) => entity.tagged(tags.clone()),
        None => entity,
    })
}

fn uids(fields: Part<'_>, into: &mut Vec<EntityUid>) {
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
