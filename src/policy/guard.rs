//! What no policy may override: standing, declaration, scope and budget.

use super::{Question, Reason};
use crate::mandate::{Beyond, Coverage, Mandate, Mode, Standing, TaskState, Tool};
use crate::time::Timestamp;

/// Checks everything that policies are not asked about. Returns what a human must approve, if anything.
pub(super) fn check(question: &Question<'_>, tool: &Tool) -> Result<Option<Beyond>, Reason> {
    let (mandate, action) = (question.mandate, question.action);
    check_agent_user(question)?;
    tool.check(action.arguments()).map_err(Reason::Arguments)?;
    let ask = match mandate.intent().scope().covers(action, tool.class()) {
        Coverage::Outside(beyond) => return Err(Reason::OutOfScope(beyond)),
        Coverage::Ask(beyond) => Some(beyond),
        Coverage::Within => None,
    };
    check_budget(question)?;
    Ok(ask)
}

/// Checks that the agent, the task and the person stand as they must: before a decision, and again before a permit
/// or a credential is used.
pub(crate) fn check_standing(
    mandate: &Mandate,
    standing: &Standing,
    mode: &Mode,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), Reason> {
    let agent = mandate.agent();
    if !standing.time_known {
        return Err(Reason::Clock);
    }
    if !standing.running {
        return Err(Reason::Halted);
    }
    if !standing.agent_active {
        return Err(Reason::AgentNotActive(agent.id().clone()));
    }
    if standing.task != TaskState::Active {
        return Err(Reason::TaskEnded(standing.task));
    }
    if now >= agent.until() {
        return Err(Reason::ProofExpired { until: agent.until(), now });
    }
    if now >= until {
        return Err(Reason::TaskOver { until, now });
    }
    let Some(operator) = mode.operator() else {
        return Ok(());
    };
    if !mandate.is_approved_by(operator) {
        return Err(Reason::NotApprovedBy(operator.clone()));
    }
    if !standing.operators.contains(operator) {
        return Err(Reason::OperatorNotActive(operator.clone()));
    }
    match mandate.basis(mode, now) {
        Some(_) => Ok(()),
        None => Err(Reason::ApprovalOver { operator: operator.clone(), now }),
    }
}

/// Presenting an agent user adds nothing; presenting another agent's takes everything.
fn check_agent_user(question: &Question<'_>) -> Result<(), Reason> {
    let agent = question.mandate.agent();
    match question.action.presented() {
        Some(user) if !user.is_of(agent) => Err(Reason::AgentUserNotBound {
            user: user.id().clone(),
            bound: user.agent().clone(),
            agent: agent.id().clone(),
        }),
        _ => Ok(()),
    }
}

fn check_budget(question: &Question<'_>) -> Result<(), Reason> {
    let ledger = question.ledger;
    let limits = [
        (ledger.calls, question.mandate.intent().scope().max_calls()),
        (ledger.tool_calls, question.mandate.max_tool_calls(question.action.tool())),
    ];
    for (used, limit) in limits {
        if let Some(limit) = limit
            && used >= limit
        {
            return Err(Reason::Budget { used, limit });
        }
    }
    Ok(())
}
