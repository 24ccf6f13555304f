//! One request, as programs see it.

use super::entities::{Data, Entities};
use super::program::Variable;
use super::uid::Uid;
use super::view::{Part, Val};

/// An entity of the request, and what is known of it.
#[derive(Clone, Copy)]
pub(in crate::policy) struct Known<'a> {
    pub(in crate::policy) uid: Uid<'a>,
    pub(in crate::policy) data: Option<Data<'a>>,
}

impl<'a> Known<'a> {
    pub(in crate::policy) fn of(uid: Uid<'a>, entities: &'a Entities) -> Self {
        Self { uid, data: entities.get(uid) }
    }

    /// Cedar's `in`: an entity is in itself, known or not.
    pub(in crate::policy) fn is_in(&self, group: Uid<'_>) -> bool {
        self.uid == group || self.data.is_some_and(|data| data.is_within(group))
    }
}

/// One request.
#[derive(Clone, Copy)]
pub(in crate::policy) struct Asked<'a> {
    pub(in crate::policy) principal: Known<'a>,
    pub(in crate::policy) action: Known<'a>,
    pub(in crate::policy) resource: Known<'a>,
    pub(in crate::policy) context: Part<'a>,
    pub(in crate::policy) entities: &'a Entities,
}

impl<'a> Asked<'a> {
    pub(in crate::policy) fn variable(&self, variable: Variable) -> Val<'a> {
        match variable {
            Variable::Principal => Val::Entity(self.principal.uid),
            Variable::Action => Val::Entity(self.action.uid),
            Variable::Resource => Val::Entity(self.resource.uid),
            Variable::Context => Val::Record(self.context),
        }
    }

    /// The attributes of a variable, if it has any.
    #[inline]
    pub(in crate::policy) fn fields(&self, variable: Variable) -> Option<Part<'a>> {
        match variable {
            Variable::Principal => self.principal.data.map(|data| data.fields),
            Variable::Action => self.action.data.map(|data| data.fields),
            Variable::Resource => self.resource.data.map(|data| data.fields),
            Variable::Context => Some(self.context),
        }
    }

    pub(in crate::policy) fn entity(&self, uid: Uid<'a>) -> Known<'a> {
        let own = [&self.principal, &self.resource, &self.action].into_iter().find(|known| known.uid == uid);
        own.copied().unwrap_or_else(|| Known::of(uid, self.entities))
    }
}
