//! The blueprints: what agents were made from, each a cell that stops all of them at once.

use hashbrown::HashMap;

use super::RegistryError;
use crate::id::text;
use crate::live::{Cell, Hold, Stop};

text! {
    /// Names what agents were made from: an image, a template, a version of either. Agents of one blueprint share its faults,
    /// and are [halted](crate::Halt::Blueprint) together.
    BlueprintId, "blueprint", "1 to 200 printable ASCII characters without spaces",
    |text| crate::id::made_of(text, 200, |b| b.is_ascii_graphic())
}

/// Every blueprint that an agent was registered from.
#[derive(Debug, Default)]
pub(super) struct Blueprints(HashMap<BlueprintId, Cell>);

impl Blueprints {
    /// Makes one known, as running unless it is known already.
    pub(super) fn know(&mut self, blueprint: &BlueprintId) -> &Cell {
        self.0.entry_ref(blueprint).or_default()
    }

    fn cell(&self, blueprint: &BlueprintId) -> Result<&Cell, RegistryError> {
        self.0.get(blueprint).ok_or_else(|| RegistryError::UnknownBlueprint(blueprint.clone()))
    }

    /// Whether agents may be made from it: it is not halted. One that is not known is not.
    pub(super) fn check(&self, blueprint: &BlueprintId) -> Result<(), RegistryError> {
        self.0.get(blueprint).map_or(Ok(()), |cell| running(blueprint, cell).map(drop))
    }

    /// Hangs on to its running.
    pub(super) fn hold(&self, blueprint: &BlueprintId) -> Result<Hold, RegistryError> {
        running(blueprint, self.cell(blueprint)?)
    }

    /// Stops it, with all that hangs on it.
    pub(super) fn stop(&self, blueprint: &BlueprintId) -> Result<(), RegistryError> {
        self.cell(blueprint).map(Cell::stop)
    }

    /// The stop that it stands at, if it is halted.
    pub(super) fn stopped(&self, blueprint: &BlueprintId) -> Result<Option<Stop>, RegistryError> {
        self.cell(blueprint).map(Cell::stopped)
    }

    /// Lets it run again if it was not stopped since; says whether it did.
    pub(super) fn restart(&self, blueprint: &BlueprintId, stop: &Stop) -> bool {
        self.0.get(blueprint).is_some_and(|cell| cell.restart(stop))
    }

    /// Each, in order, and whether it is halted.
    pub(super) fn all(&self) -> Vec<(BlueprintId, bool)> {
        let mut all: Vec<_> = self.0.iter().map(|(id, cell)| (id.clone(), cell.stopped().is_some())).collect();
        all.sort();
        all
    }
}

fn running(blueprint: &BlueprintId, cell: &Cell) -> Result<Hold, RegistryError> {
    cell.hold().ok_or_else(|| RegistryError::BlueprintHalted(blueprint.clone()))
}
