//! Consenting: the people whose approval of exactly one action something rests on that came of it.

use crate::identity::OperatorId;
use crate::live::Hold;

/// The people whose approval of exactly one action something rests on. Takes a word where it is nobody's; a quorum has 8 people
/// at most.
#[derive(Debug, Clone, Default)]
pub(crate) struct Consenting(Option<Box<People>>);

/// Each with what their approval hangs on. Where that is not known, it does not stand.
#[derive(Debug, Clone)]
struct People(Vec<(OperatorId, Option<Hold>)>);

impl Consenting {
    pub(super) fn new(people: impl Iterator<Item = (OperatorId, Option<Hold>)>) -> Self {
        let people: Vec<_> = people.collect();
        Self((!people.is_empty()).then(|| Box::new(People(people))))
    }

    /// The first of them who left since.
    pub(crate) fn gone(&self) -> Option<&OperatorId> {
        let mut people = self.0.iter().flat_map(|people| &people.0);
        people.find(|(_, life)| !life.as_ref().is_some_and(Hold::is_alive)).map(|(operator, _)| operator)
    }

    /// Whether nobody of them left.
    pub(crate) fn stands(&self) -> bool {
        self.gone().is_none()
    }
}
