//! The three lanes of the record as an aligned table.

use bailiwick::audit::{Administered, AgentFact, AgentUserFact, Event, OperatorFact};

/// One line an event: what it was to the operator, to the agent, and to the agent user.
pub(crate) fn table(events: &[Event]) -> String {
    let mut rows = vec![["", "OPERATOR", "AGENT", "AGENT USER"].map(str::to_owned)];
    rows.extend(events.iter().map(row));
    let widths = rows.iter().fold([0; 4], |mut widths: [usize; 4], row| {
        widths.iter_mut().zip(row).for_each(|(width, cell)| *width = (*width).max(cell.chars().count()));
        widths
    });
    let line = |row: &[String; 4]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect::<Vec<_>>();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The last part of an agent's id.
fn name(agent: &str) -> &str {
    agent.rsplit('/').next().unwrap_or(agent)
}

fn row(event: &Event) -> [String; 4] {
    let link = event.agent.as_ref().map(|r| &r.link).or(event.operator.as_ref().map(|r| &r.link));
    let link = link.or(event.agent_user.as_ref().map(|r| &r.link));
    [
        link.map_or(String::new(), |link| link.seq.to_string()),
        event.operator.as_ref().map_or(String::new(), |record| {
            let who = record.operator.subject();
            match &record.fact {
                OperatorFact::Approved { purpose, .. } => format!("{who} approved “{purpose}”"),
                OperatorFact::ActedFor { outcome, .. } => format!("for {who}: {outcome:?}").to_lowercase(),
                OperatorFact::ApprovedAction { tool, .. } => format!("{who} approved this {tool}"),
                OperatorFact::Objected { tool, .. } => format!("{who} said no to this {tool}"),
                OperatorFact::Voided { .. } => format!("for {who}: voided"),
                OperatorFact::Done { effect, .. } => format!("for {who}: {effect:?}").to_lowercase(),
                OperatorFact::Administered(Administered::Blueprint { blueprint }) => {
                    format!("{who} halted {blueprint}")
                }
                OperatorFact::Administered(Administered::BlueprintResumed { blueprint }) => {
                    format!("{who} resumed {blueprint}")
                }
                other => format!("{who}: {other:?}"),
            }
        }),
        event.agent.as_ref().map_or(String::new(), |record| match &record.fact {
            AgentFact::Admitted { proof, .. } => format!("admitted, {}", proof.as_str()),
            AgentFact::Begun { parent: None, .. } => format!("{}: task begun", name(record.agent.as_str())),
            AgentFact::Begun { .. } => format!("{}: part of a task begun", name(record.agent.as_str())),
            AgentFact::Delegated { to, depth, .. } => format!("delegated to {} ({depth} deep)", name(to.as_str())),
            AgentFact::Decided(decided) => {
                let why =
                    decided.verdict.reason.as_ref().map_or(String::new(), |r| format!(" ({})", r.code().as_str()));
                let outcome = format!("{:?}", decided.verdict.outcome).to_lowercase();
                format!("{} {}: {outcome}{why}", decided.mode.as_str(), decided.tool)
            }
            AgentFact::Voided { reason, .. } => format!("voided ({})", reason.code().as_str()),
            AgentFact::Minted { audience, .. } => format!("key for {audience}"),
            AgentFact::Done { effect, .. } => format!("{effect:?}").to_lowercase(),
            AgentFact::Ended { state, calls, unknown } => {
                format!("task {}, {calls} calls, {unknown} unknown", state.as_str())
            }
            other => format!("{other:?}"),
        }),
        event.agent_user.as_ref().map_or(String::new(), |record| {
            let what = match &record.fact {
                AgentUserFact::Named { tool, .. } => format!("named for {tool}"),
                AgentUserFact::Presented { effect, .. } => format!("presented, {effect:?}").to_lowercase(),
                AgentUserFact::Drifted { differences, .. } => {
                    let kinds = differences.iter().map(|one| format!("{:?}", one.kind).to_lowercase());
                    format!("drifted: {}", kinds.collect::<Vec<_>>().join(", "))
                }
                other => format!("{other:?}"),
            };
            format!("{}: {what}", record.agent_user.handle())
        }),
    ]
}
