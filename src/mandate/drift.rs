//! Drift: what a task has done, held against what it was meant to do.

use std::collections::BTreeSet;
use std::fmt;

use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};

use super::{ActionClass, Grant, Label, LedgerView, Scope, Step, Tool, Watch};

/// One way in which an action departs from the intent. A fact in the record and for policies; what follows from it, the
/// scope says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Drift {
    /// The tool is in no stage of the plan.
    OutsidePlan,
    /// The tool is in a stage that is past, or not reached yet.
    OrderBroken,
    /// It changes something that the scope, of a part that of the first task, does not name and that the task has not touched
    /// before.
    NewTarget,
    /// The same was refused three times or more, or anything five times, in all that is above, beside and below it.
    RepeatedRefusals,
    /// With this tool's labels the task would carry some that are to be kept apart.
    LabelsCombined,
}

/// How many refusals are many, of the same action for the same reason and of any.
const MANY_REPEATS: u32 = 3;
const MANY_REFUSALS: u32 = 5;

impl Drift {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::OutsidePlan, Self::OrderBroken, Self::NewTarget, Self::RepeatedRefusals, Self::LabelsCombined];

    /// The name in records, scopes and policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OutsidePlan => "outside_plan",
            Self::OrderBroken => "order_broken",
            Self::NewTarget => "new_target",
            Self::RepeatedRefusals => "repeated_refusals",
            Self::LabelsCombined => "labels_combined",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::OutsidePlan => 1,
            Self::OrderBroken => 1 << 1,
            Self::NewTarget => 1 << 2,
            Self::RepeatedRefusals => 1 << 3,
            Self::LabelsCombined => 1 << 4,
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutsidePlan => "the tool is not in the plan of the task",
            Self::OrderBroken => "the tool is not in turn",
            Self::NewTarget => "it changes what the task has not touched before and the scope does not name",
            Self::RepeatedRefusals => "the task was refused many times",
            Self::LabelsCombined => "it would bring together labels that are kept apart",
        })
    }
}

/// Ways in which one action departs from the intent.
///
/// In JSON: a list of names, in the order of [`Drift::ALL`].
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Drifts(u8);

impl Drifts {
    /// Whether this one is among them.
    pub fn has(self, drift: Drift) -> bool {
        self.0 & drift.bit() != 0
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each, in the order of [`Drift::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Drift> {
        Drift::ALL.into_iter().filter(move |drift| self.has(*drift))
    }

    fn note(&mut self, drift: Drift, is_there: bool) {
        if is_there {
            self.0 |= drift.bit();
        }
    }
}

impl fmt::Debug for Drifts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for Drifts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        self.iter().try_for_each(|drift| list.serialize_element(&drift))?;
        list.end()
    }
}

/// How a step departs from what the scope is meant for, after what the task has done. A tool that is not declared has no
/// labels, and does not only read.
pub(super) fn of(scope: &Scope, step: Step<'_>, past: &LedgerView) -> Drifts {
    let (tool, resource) = (step.action.tool(), step.action.resource());
    let mut drifts = Drifts::default();
    if let Some(plan) = scope.watch().and_then(Watch::planned) {
        let turn = plan.turn(tool, past.entered);
        drifts.note(Drift::OutsidePlan, turn.is_none());
        drifts.note(Drift::OrderBroken, turn.is_some_and(|turn| !turn.is_in_order));
    }
    // By people: what an agent names in a part is new all the same.
    let is_named = || step.root.grant(tool).and_then(Grant::resources).is_some_and(|named| named.contains(resource));
    drifts.note(
        Drift::NewTarget,
        step.declared.is_none_or(|tool| tool.class_of(step.action) != ActionClass::Read)
            && !past.touched
            && !is_named(),
    );
    drifts.note(Drift::RepeatedRefusals, past.repeats >= MANY_REPEATS || past.refusals >= MANY_REFUSALS);
    drifts.note(Drift::LabelsCombined, step.declared.is_some_and(|tool| are_combined(scope, tool, &past.labels)));
    drifts
}

/// Whether a call of this tool would bring labels together that are kept apart.
fn are_combined(scope: &Scope, tool: &Tool, labels: &BTreeSet<Label>) -> bool {
    if tool.labels().is_empty() {
        return false;
    }
    let carries = |label: &str| labels.contains(label) || tool.labels().contains(label);
    // Data of the house, a stranger's text and a way out: any two of them are harmless.
    let all_three = || {
        let is_private = [Label::PII, Label::SECRET, Label::INTERNAL].into_iter().any(carries);
        is_private && carries(Label::UNTRUSTED) && carries(Label::OUTSIDE)
    };
    let adds = |label: &&Label| tool.labels().contains(label.as_str());
    let kept_apart = |apart: &BTreeSet<Label>| {
        apart.iter().any(|label| adds(&label)) && apart.iter().all(|label| carries(label.as_str()))
    };
    all_three() || scope.watch().is_some_and(|watch| watch.kept_apart().any(kept_apart))
}
