//! The review that fits agents: per agent who answers for it, how it is proven, what it does, and what wants attention.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::authorizer::Authorizer;
use crate::error::Error;
use crate::identity::{AgentId, AgentState, AgentUserId, BlueprintId, Listed, OperatorId, ProofMethod};
use crate::live::locked;
use crate::mandate::{ActionClass, Assignment, BreakerState, Conduct, Exercised, TaskState, ToolName};
use crate::time::Timestamp;

/// An agent that nobody used for so long wants attention.
const UNUSED_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// An agent whose first action is so long ago is expected to have used what it is for.
const SETTLED_AFTER: Duration = Duration::from_secs(24 * 3600);
/// A tool that it first used within this time wants attention.
const GREW_WITHIN: Duration = Duration::from_secs(30 * 24 * 3600);
/// A sponsor who leaves within this time wants attention.
const LEAVING_WITHIN: Duration = Duration::from_secs(30 * 24 * 3600);

/// Every agent as it stands, in order. Shown as a table for people; serialised for the host's own reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Review {
    /// When.
    pub at: Timestamp,
    /// Every agent, those that are retired too.
    pub agents: Vec<ReviewedAgent>,
}

/// One agent as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReviewedAgent {
    /// Which.
    pub agent: AgentId,
    /// What it was made from, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blueprint: Option<BlueprintId>,
    /// Its state.
    pub state: AgentState,
    /// Who answers for it.
    pub sponsors: Vec<ReviewedSponsor>,
    /// Who answers for how it is set up.
    pub owners: Vec<OperatorId>,
    /// Who answers for what is done with it.
    pub managers: Vec<OperatorId>,
    /// How it was proven when it was admitted last, by this process.
    pub proof: Option<ProofMethod>,
    /// When that proof ends.
    pub proof_until: Option<Timestamp>,
    /// With how many keys it is attested now.
    pub keys: usize,
    /// The second in which its last action was decided.
    pub last_use: Option<Timestamp>,
    /// Tasks that go on.
    pub open_tasks: usize,
    /// The tools that are granted in those tasks, all together: no decision ever sees them so.
    pub granted: BTreeSet<ToolName>,
    /// The tools that it really used, in whatever task, as far as this process knows.
    pub exercised: BTreeMap<ToolName, Exercised>,
    /// How its breaker stands.
    pub breaker: BreakerState,
    /// As whom it is seen by systems that insist on a user.
    pub agent_user: Option<AgentUserId>,
    /// What wants attention.
    pub attention: BTreeSet<Attention>,
}

/// One sponsor of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReviewedSponsor {
    /// Who.
    pub operator: OperatorId,
    /// Whether they are active.
    pub active: bool,
    /// When they leave, where that was announced.
    pub leaving: Option<Timestamp>,
}

/// What of an agent a person should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Attention {
    /// It is suspended: somebody must let it come back, or retire it.
    Suspended,
    /// No active sponsor stays for thirty days.
    SponsorLeaving,
    /// Nobody owns it.
    NoOwner,
    /// It was last admitted on the host's word alone.
    Unattested,
    /// It is attested with several keys at once.
    SeveralKeys,
    /// None of its actions was ever decided, as far as is known.
    NeverUsed,
    /// None of its actions was decided for thirty days.
    Unused,
    /// It used a tool for the first time within thirty days, and had been at work for longer than a day before.
    Grew,
    /// Its breaker is open: it was refused, or acted, too often.
    CutOff,
    /// An open task may use a tool that changes something without a human being asked, whatever the arguments and however
    /// often.
    OverWide,
}

impl Attention {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::SponsorLeaving => "sponsor_leaving",
            Self::NoOwner => "no_owner",
            Self::Unattested => "unattested",
            Self::SeveralKeys => "several_keys",
            Self::NeverUsed => "never_used",
            Self::Unused => "unused",
            Self::Grew => "grew",
            Self::CutOff => "cut_off",
            Self::OverWide => "over_wide",
        }
    }
}

impl Authorizer {
    /// Every agent as it stands now, and what wants attention. Nothing is recorded.
    ///
    /// # Errors
    ///
    /// The clock failed.
    pub fn review(&self) -> Result<Review, Error> {
        let (door, at) = (&self.0, self.0.now()?);
        let mut open: BTreeMap<AgentId, (usize, bool)> = BTreeMap::new();
        for assignment in locked(&door.open).values().filter(|one| one.state() == TaskState::Active) {
            let (tasks, over_wide) = open.entry(assignment.mandate().agent().id().clone()).or_default();
            *tasks = tasks.saturating_add(1);
            *over_wide |= self.is_over_wide(assignment);
        }
        let listed = door.registry.inventory(at).into_iter();
        let agents = listed.map(|listed| {
            let (tasks, over_wide) = open.get(&listed.agent).copied().unwrap_or_default();
            let conduct = door.watch.known(&listed.agent);
            ReviewedAgent::new(listed, conduct.as_deref(), tasks, over_wide, at)
        });
        Ok(Review { at, agents: agents.collect() })
    }

    fn is_over_wide(&self, assignment: &Assignment) -> bool {
        let catalog = self.0.evaluator.catalog();
        let has_effects = |tool| catalog.get(tool).is_none_or(|tool| tool.highest_class() > ActionClass::Read);
        assignment.mandate().intent().scope().unbound().any(has_effects)
    }
}

impl ReviewedAgent {
    fn new(listed: Listed, conduct: Option<&Conduct>, open_tasks: usize, over_wide: bool, at: Timestamp) -> Self {
        let Listed { agent, blueprint, state, sponsors, owners, managers, agent_user, proof, places, last_use } =
            listed;
        let stays = |leaving: &Option<Timestamp>| leaving.is_none_or(|leaving| leaving > at.after(LEAVING_WITHIN));
        let active = state == AgentState::Active;
        let exercised = conduct.map(Conduct::exercised).unwrap_or_default();
        let breaker = conduct.map_or(BreakerState::Closed, |conduct| conduct.breaker(at));
        let granted = conduct.map(|conduct| conduct.granted(at)).unwrap_or_default();
        let wants = [
            (Attention::Suspended, state == AgentState::Suspended),
            (
                Attention::SponsorLeaving,
                active && !sponsors.iter().any(|(_, leaving, active)| *active && stays(leaving)),
            ),
            (Attention::NoOwner, active && owners.is_empty()),
            (Attention::Unattested, active && proof.is_some_and(|(method, _)| !method.is_attested())),
            (Attention::SeveralKeys, active && places > 1),
            (Attention::NeverUsed, active && last_use.is_none()),
            (Attention::Unused, active && last_use.is_some_and(|used| used.after(UNUSED_FOR) <= at)),
            (Attention::Grew, active && grew(&exercised, at)),
            (Attention::CutOff, active && breaker != BreakerState::Closed),
            (Attention::OverWide, active && over_wide),
        ];
        let sponsor = |(operator, leaving, active)| ReviewedSponsor { operator, active, leaving };
        Self {
            agent,
            blueprint,
            state,
            sponsors: sponsors.into_iter().map(sponsor).collect(),
            owners,
            managers,
            proof: proof.map(|(method, _)| method),
            proof_until: proof.map(|(_, until)| until),
            keys: places,
            last_use,
            open_tasks,
            granted,
            exercised,
            breaker,
            agent_user,
            attention: wants.into_iter().filter_map(|(attention, wants)| wants.then_some(attention)).collect(),
        }
    }

    /// The cells of its line.
    fn cells(&self) -> [String; COLUMNS] {
        let sponsor = |sponsor: &ReviewedSponsor| match (sponsor.active, sponsor.leaving) {
            (false, _) => format!("{} (left)", sponsor.operator.subject()),
            (true, Some(leaving)) => format!("{} (leaves {})", sponsor.operator.subject(), day(leaving)),
            (true, None) => sponsor.operator.subject().to_string(),
        };
        let sponsors: Vec<String> = self.sponsors.iter().map(sponsor).collect();
        let attention: Vec<&str> = self.attention.iter().map(|attention| attention.as_str()).collect();
        [
            self.agent.to_string(),
            self.state.as_str().to_owned(),
            sponsors.join(", "),
            self.proof.map_or("-", ProofMethod::as_str).to_owned(),
            self.last_use.map_or_else(|| "-".to_owned(), |used| used.to_string()),
            self.open_tasks.to_string(),
            self.agent_user.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
            if attention.is_empty() { "-".to_owned() } else { attention.join(", ") },
        ]
    }
}

const COLUMNS: usize = 8;
const HEAD: [&str; COLUMNS] = ["agent", "state", "sponsors", "proof", "last use", "tasks", "agent user", "attention"];

/// Whether a tool came lately to those that the agent had used before.
fn grew(exercised: &BTreeMap<ToolName, Exercised>, at: Timestamp) -> bool {
    let Some(began) = exercised.values().map(|own| own.first).min() else { return false };
    exercised.values().any(|own| own.first >= began.after(SETTLED_AFTER) && at < own.first.after(GREW_WITHIN))
}

/// The day of a moment.
fn day(moment: Timestamp) -> String {
    moment.to_string().chars().take_while(|char| *char != 'T').collect()
}

/// A line for each agent, under a line of names.
impl fmt::Display for Review {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<[String; COLUMNS]> =
            std::iter::once(HEAD.map(str::to_owned)).chain(self.agents.iter().map(ReviewedAgent::cells)).collect();
        let mut widths = [0; COLUMNS];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for line in &lines {
            let padded = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            writeln!(f, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}
