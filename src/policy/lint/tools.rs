//! The tools that a policy can be about, as far as policies can tell them apart.

use std::collections::BTreeSet;

use cedar_policy::pst::{ActionConstraint, EntityUID};

use crate::mandate::{ActionClass, Label};
use crate::policy::Catalog;
use crate::policy::compiled::{Entities, EntityUid, Name};

/// The tools of a catalogue.
#[derive(Debug)]
pub(in crate::policy) struct Tools {
    declared: Vec<Callable>,
    /// Of the privileged tools of the catalogue, one for each set of labels and groups.
    privileged: Vec<Callable>,
    /// Some tool of each class, about which nothing else is known.
    classes: Vec<Callable>,
}

/// A tool that is declared, or some tool of which not everything is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Callable {
    /// `None` is some tool that the policy does not name.
    pub(super) name: Option<EntityUid>,
    pub(super) class: ActionClass,
    pub(super) labels: Option<BTreeSet<Label>>,
    pub(super) groups: Vec<EntityUid>,
}

impl Tools {
    /// The tools of a catalogue, in the groups in which actions are among these entities.
    pub(in crate::policy) fn of(catalog: &Catalog, actions: &Entities) -> Self {
        let kind = Name::new("Action");
        let declared = catalog.tools().map(|tool| {
            let name = EntityUid::new(kind.clone(), tool.name().as_str());
            let groups = actions.get(name.view()).map_or(&[][..], |data| data.ancestors).to_vec();
            Callable { name: Some(name), class: tool.floor(), labels: Some(tool.labels().clone()), groups }
        });
        let declared: Vec<Callable> = declared.collect();
        let privileged = declared.iter().filter(|tool| tool.class == ActionClass::Privileged);
        let privileged: BTreeSet<Callable> = privileged.map(|tool| Callable { name: None, ..tool.clone() }).collect();
        let classes = ActionClass::ALL.into_iter().map(|class| Callable {
            name: None,
            class,
            labels: None,
            groups: vec![EntityUid::new(kind.clone(), &format!("any {class}"))],
        });
        Self { privileged: privileged.into_iter().collect(), classes: classes.collect(), declared }
    }

    pub(super) fn declared(&self) -> &[Callable] {
        &self.declared
    }

    /// The one that is this action, if it is one.
    pub(super) fn get(&self, uid: &EntityUID) -> Option<&Callable> {
        self.declared.iter().find(|tool| tool.is(uid))
    }

    pub(super) fn privileged(&self) -> &[Callable] {
        &self.privileged
    }

    pub(super) fn classes(&self) -> &[Callable] {
        &self.classes
    }

    /// Whether the action part of a scope admits every class.
    pub(super) fn are_all_in(&self, scope: &ActionConstraint) -> bool {
        self.classes.iter().all(|class| class.is_in(scope))
    }
}

impl Callable {
    /// Whether the action part of a scope admits it.
    pub(super) fn is_in(&self, scope: &ActionConstraint) -> bool {
        match scope {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(uid) => self.is(uid),
            ActionConstraint::In(uids) => uids.iter().any(|uid| self.is_within(uid)),
        }
    }

    /// Whether it is this action.
    pub(super) fn is(&self, uid: &EntityUID) -> bool {
        self.name.as_ref().is_some_and(|name| same(name, uid))
    }

    /// Whether it is this action, or in this group.
    pub(super) fn is_within(&self, uid: &EntityUID) -> bool {
        self.is(uid) || self.groups.iter().any(|group| same(group, uid))
    }
}

fn same(own: &EntityUid, uid: &EntityUID) -> bool {
    own.id() == uid.eid && own.kind().as_str() == uid.ty.to_string()
}
