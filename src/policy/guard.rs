//! What no policy may override: standing, declaration, scope and budget.

use super::facts::{self, Values};
use super::snapshot::Prepared;
use super::{Question, Reason};
use crate::id::Found;
use crate::mandate::{
    Beyond, BreakerState, CapabilityDrift, Coverage, Entitled, Grant, LedgerView, Mandate, Mode, Response, Scope,
    Spent, Standing, TaskState,
};
use crate::time::Timestamp;

/// Checks everything that policies are not asked about. Finds what the arguments are to policies, and returns what a human
/// must approve, if anything.
pub(super) fn check<'q>(
    question: &Question<'q>,
    prepared: &Prepared,
    values: &mut Values<'q>,
) -> Result<Option<Beyond>, Reason> {
    let (action, tool) = (question.action, prepared.tool());
    let scope = question.mandate.intent().scope();
    let grant = scope.grant(action.tool());
    check_capability(question, prepared, grant)?;
    check_agent_user(question)?;
    facts::check_arguments(tool, action.arguments(), values).map_err(Reason::Arguments)?;
    let grant = grant.ok_or(Reason::OutOfScope(Beyond::Tool))?;
    let ask = match grant.covers(action, tool.class_of(action), &question.ledger.resolved) {
        Coverage::Outside(Beyond::Argument(argument)) => return Err(Reason::TargetOutOfScope(argument)),
        Coverage::Outside(beyond) => return Err(Reason::OutOfScope(beyond)),
        Coverage::Ask(beyond) => Some(beyond),
        Coverage::Within => None,
    };
    check_entitled(&question.standing.entitlement, action.mode())?;
    if let Some(operator) = &question.ledger.requests.refused_by {
        return Err(Reason::SaidNo(operator.clone()));
    }
    check_budget(question.ledger, scope.max_calls(), grant.max_calls())?;
    check_drift(question.ledger, scope, ask)
}

/// Checks everything that policies are not asked about and that does not depend on arguments and resource.
pub(super) fn check_offer(question: &Question<'_>, prepared: &Prepared) -> Result<(), Reason> {
    let Question { mandate, standing, ledger, action, until, now, .. } = *question;
    check_standing(mandate, standing, action.mode(), until, now)?;
    let scope = mandate.intent().scope();
    let grant = scope.grant(action.tool());
    check_capability(question, prepared, grant)?;
    let grant = grant.ok_or(Reason::OutOfScope(Beyond::Tool))?;
    if !grant.admits(action.mode()) {
        return Err(Reason::OutOfScope(Beyond::Mode));
    }
    check_calls(ledger, scope.max_calls(), grant.max_calls())
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
    if let Some(blueprint) = &standing.halted_blueprint {
        return Err(Reason::BlueprintHalted(blueprint.clone()));
    }
    check_breaker(standing.breaker, now)?;
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

/// A tool is the one that was declared when the task began, and the one that was approved.
fn check_capability(question: &Question<'_>, prepared: &Prepared, grant: Option<&Grant>) -> Result<(), Reason> {
    let pin = || {
        let (approved, declared) = (*grant?.pin()?, *prepared.digest());
        (approved != declared).then_some(CapabilityDrift::Pinned { approved, declared })
    };
    match question.standing.drift.clone().or_else(pin) {
        Some(drift) => Err(Reason::CapabilityDrift { tool: question.action.tool().clone(), drift }),
        None => Ok(()),
    }
}

/// Checks that the agent is not cut off.
pub(crate) fn check_breaker(breaker: BreakerState, now: Timestamp) -> Result<(), Reason> {
    match breaker {
        BreakerState::Open { until } => Err(Reason::BreakerOpen { until, now }),
        BreakerState::Closed | BreakerState::Trying => Ok(()),
    }
}

/// Checks that the person on whose behalf it is may do it themselves, where that was asked: before a decision, and again
/// before a permit or a credential is used.
pub(crate) fn check_entitled(entitled: &Entitled, mode: &Mode) -> Result<(), Reason> {
    match (mode.operator(), entitled.refusal()) {
        (Some(operator), Some(why)) => Err(Reason::NotEntitled { operator: operator.clone(), why: why.clone() }),
        _ => Ok(()),
    }
}

/// Presenting an agent user adds nothing; presenting another agent's takes everything. So does being shaped like
/// another's, or like one that no registry bound.
fn check_agent_user(question: &Question<'_>) -> Result<(), Reason> {
    let (agent, action) = (question.mandate.agent(), question.action);
    for user in [action.presented(), action.projected()].into_iter().flatten() {
        if !user.is_of(agent) {
            let (user, bound) = (user.id().clone(), user.agent().clone());
            return Err(Reason::AgentUserNotBound { user, bound, agent: agent.id().clone() });
        }
    }
    if action.tool().is_project_as() && action.projected().is_none() {
        return Err(Reason::ResourceDiffers { resource: action.resource().clone(), attribute: Found::new("agent") });
    }
    Ok(())
}

fn check_budget(ledger: &LedgerView, max_calls: Option<u32>, max_tool_calls: Option<u32>) -> Result<(), Reason> {
    check_calls(ledger, max_calls, max_tool_calls)?;
    ledger.overrun.as_ref().map_or(Ok(()), |overrun| Err(Reason::overrun(overrun.clone())))
}

/// The budgets that every call draws on alike.
fn check_calls(ledger: &LedgerView, max_calls: Option<u32>, max_tool_calls: Option<u32>) -> Result<(), Reason> {
    for (used, limit) in [(ledger.calls, max_calls), (ledger.tool_calls, max_tool_calls)] {
        if let Some(limit) = limit
            && used >= limit
        {
            return Err(Reason::Budget { used, limit });
        }
    }
    match ledger.above.filter(|spent| spent.is_all()) {
        Some(Spent { used, limit, .. }) => Err(Reason::Budget { used, limit }),
        None => Ok(()),
    }
}

/// What follows, by the scope's choice, from how the step departs from the intent: what a human must approve, if anything.
fn check_drift(ledger: &LedgerView, scope: &Scope, ask: Option<Beyond>) -> Result<Option<Beyond>, Reason> {
    match scope.watch().and_then(|watch| watch.follows(ledger.drift)) {
        Some((Response::Deny, drift)) => Err(Reason::Drift(drift)),
        Some((Response::Ask, drift)) => Ok(ask.or(Some(Beyond::Drift(drift)))),
        Some((Response::Note, _)) | None => Ok(ask),
    }
}
