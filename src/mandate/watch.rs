//! A watch: the plan that a task is held against, the labels that are kept apart, and what follows where it drifts.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Drift, Drifts, Label, ScopeError, ToolName};
use crate::canonical::Encoder;
use crate::strict::{present, unique_words};

/// Stages of a plan.
const MAX_STAGES: usize = 64;
/// Tools of one stage, and labels that are kept apart from one another.
const MAX_TOGETHER: usize = 64;
/// Sets of labels that are kept apart.
const MAX_APART: usize = 16;

/// What follows where an action drifts, in rising order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Response {
    /// It is written down, and policies see it.
    #[default]
    Note,
    /// A human approves exactly this action first.
    Ask,
    /// It is denied.
    Deny,
}

impl Response {
    fn rank(self) -> u8 {
        match self {
            Self::Note => 0,
            Self::Ask => 1,
            Self::Deny => 2,
        }
    }
}

/// The plan that a task is held against, the labels that are kept apart, and what follows where it drifts.
///
/// A plan is a list of stages, each a set of tools. A task goes on in a stage or enters the next; whatever else is
/// [`Drift`]. A stage is entered when one of its tools runs. Whatever is said here, `untrusted`, `outside` and one of
/// `pii`, `secret` and `internal` are kept apart.
///
/// ```
/// use bailiwick::mandate::{Drift, Response, Scope, Watch};
///
/// let watch = Watch::new()
///     .plan([&["read_file"][..], &["get_iban", "get_balance"], &["send_money"]])?
///     .apart(["letter", "payment"])?
///     .on(Drift::OrderBroken, Response::Deny)
///     .on(Drift::LabelsCombined, Response::Ask);
///
/// let written: Watch = serde_json::from_str(r#"{
///     "plan": [["read_file"], ["get_iban", "get_balance"], ["send_money"]],
///     "apart": [["letter", "payment"]],
///     "on": {"order_broken": "deny", "labels_combined": "ask"}
/// }"#)?;
/// assert_eq!(watch, written);
/// let scope = Scope::new().watched(watch);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watch {
    #[serde(skip_serializing_if = "Aparts::is_empty")]
    apart: Aparts,
    #[serde(deserialize_with = "unique_words", skip_serializing_if = "BTreeMap::is_empty")]
    on: BTreeMap<Drift, Response>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    plan: Option<Plan>,
}

impl Watch {
    /// Whatever is drift is written down, and nothing follows from it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The task goes through these stages, in this order.
    ///
    /// # Errors
    ///
    /// No stage, more than 64, an empty one, one of more than 64 tools, or what is not the name of a tool.
    pub fn plan<S: AsRef<[T]>, T: AsRef<str>>(
        mut self,
        stages: impl IntoIterator<Item = S>,
    ) -> Result<Self, ScopeError> {
        let names = |stage: S| stage.as_ref().iter().map(|tool| ToolName::new(tool.as_ref())).collect();
        let stages = stages.into_iter().map(names).collect::<Result<Vec<BTreeSet<ToolName>>, _>>()?;
        self.plan = Some(Plan::try_from(stages).map_err(ScopeError::Watch)?);
        Ok(self)
    }

    /// The task does not carry all of these labels.
    ///
    /// # Errors
    ///
    /// Fewer than two or more than 64 labels, more than 16 sets of them, or what is not a label.
    pub fn apart<'l>(mut self, labels: impl IntoIterator<Item = &'l str>) -> Result<Self, ScopeError> {
        let labels = labels.into_iter().map(Label::new).collect::<Result<BTreeSet<_>, _>>()?;
        self.apart.0.insert(Apart::try_from(labels).map_err(ScopeError::Watch)?);
        self.apart = Aparts::try_from(self.apart.0).map_err(ScopeError::Watch)?;
        Ok(self)
    }

    /// What follows from this drift.
    #[must_use]
    pub fn on(mut self, drift: Drift, response: Response) -> Self {
        self.on.insert(drift, response);
        self
    }

    /// What follows from all of these: the strictest, and from which.
    pub(crate) fn follows(&self, drifts: Drifts) -> Option<(Response, Drift)> {
        let responses = drifts.iter().map(|drift| (self.response(drift), drift));
        responses.max_by_key(|(response, _)| *response)
    }

    fn response(&self, drift: Drift) -> Response {
        self.on.get(&drift).copied().unwrap_or_default()
    }

    pub(super) fn planned(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    pub(super) fn kept_apart(&self) -> impl Iterator<Item = &BTreeSet<Label>> {
        self.apart.0.iter().map(|apart| &apart.0)
    }

    /// Whether it is no less strict than `wider`. Of plans only the same one is known to be.
    pub(super) fn is_within(&self, wider: &Self) -> bool {
        (wider.plan.is_none() || self.plan == wider.plan)
            && self.apart.0.is_superset(&wider.apart.0)
            && wider.on.iter().all(|(drift, response)| self.response(*drift) >= *response)
    }

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        let stages = self.plan.as_ref().map_or(&[][..], |plan| &plan.0);
        encoder.count(stages.len());
        for stage in stages {
            encoder.count(stage.len());
            for tool in stage {
                encoder.text(tool.as_str());
            }
        }
        encoder.count(self.apart.0.len());
        for apart in self.kept_apart() {
            encoder.count(apart.len());
            for label in apart {
                encoder.text(label.as_str());
            }
        }
        for drift in Drift::ALL {
            encoder.tag(self.response(drift).rank());
        }
    }
}

/// What is kept apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeSet<Apart>")]
struct Aparts(BTreeSet<Apart>);

impl Aparts {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<BTreeSet<Apart>> for Aparts {
    type Error = &'static str;
    fn try_from(sets: BTreeSet<Apart>) -> Result<Self, Self::Error> {
        if sets.len() <= MAX_APART { Ok(Self(sets)) } else { Err("more than 16 sets of labels are kept apart") }
    }
}

/// Labels that a task does not carry all of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "BTreeSet<Label>")]
struct Apart(BTreeSet<Label>);

impl TryFrom<BTreeSet<Label>> for Apart {
    type Error = &'static str;
    fn try_from(labels: BTreeSet<Label>) -> Result<Self, Self::Error> {
        let is_sound = (2..=MAX_TOGETHER).contains(&labels.len());
        if is_sound { Ok(Self(labels)) } else { Err("2 to 64 labels are kept apart from one another") }
    }
}

/// Stages, each a set of tools.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<BTreeSet<ToolName>>")]
pub(super) struct Plan(Vec<BTreeSet<ToolName>>);

impl TryFrom<Vec<BTreeSet<ToolName>>> for Plan {
    type Error = &'static str;
    fn try_from(stages: Vec<BTreeSet<ToolName>>) -> Result<Self, Self::Error> {
        if !(1..=MAX_STAGES).contains(&stages.len()) {
            return Err("a plan has 1 to 64 stages");
        }
        if !stages.iter().all(|stage| (1..=MAX_TOGETHER).contains(&stage.len())) {
            return Err("a stage of a plan has 1 to 64 tools");
        }
        Ok(Self(stages))
    }
}

/// Where a tool stands in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// Stages that are entered once it ran.
    pub(super) entered: u16,
    /// Whether it goes on in the stage, or enters the next.
    pub(super) is_in_order: bool,
}

impl Plan {
    /// Where the tool stands after so many stages were entered; nothing, where no stage has it.
    pub(super) fn turn(&self, tool: &ToolName, entered: u16) -> Option<Turn> {
        let has = |place: u16| self.0.get(usize::from(place)).is_some_and(|stage| stage.contains(tool));
        let turn = |entered, is_in_order| Some(Turn { entered, is_in_order });
        if entered.checked_sub(1).is_some_and(has) {
            return turn(entered, true);
        }
        if has(entered) {
            return turn(entered.saturating_add(1), true);
        }
        let stages = u16::try_from(self.0.len()).unwrap_or(u16::MAX);
        let ahead = (entered..stages).find(|place| has(*place)).map(|place| place.saturating_add(1));
        match ahead {
            Some(ahead) => turn(ahead, false),
            None => (0..entered).any(has).then_some(Turn { entered, is_in_order: false }),
        }
    }
}
