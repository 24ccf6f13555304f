//! Breadth: permits that reach further than their authors need, and policies that reach nothing.

use cedar_policy::pst::{ActionConstraint, BinaryOp, Expr, PrincipalConstraint, ResourceConstraint, UnaryOp, Var};

use super::conditions::is_of_context;
use super::place::Place;
use super::tools::{Callable, Tools};
use super::{Lint, LintCode, Subject};
use crate::mandate::ActionClass;
use crate::policy::part::Part;
use crate::policy::syntax;

/// Tools that are named at most where a bound is proposed.
const MAX_NAMED: usize = 16;

/// A permit that is so broad that its author must say so.
pub(super) fn error(policy: &Subject<'_>, tools: &Tools) -> Option<Lint> {
    if !policy.is_permit() || policy.has("requires") {
        return None;
    }
    let is_unconditional = !policy.binds_principal()
        && !policy.binds_resource()
        && tools.are_all_in(&policy.tree.action)
        && policy.conditions.always_hold();
    if is_unconditional {
        let message = "permits every agent every action on everything";
        return Some(policy.lint(LintCode::UnconditionalPermit, &Place::Head, message));
    }
    broad_administration(policy, tools)
}

fn broad_administration(policy: &Subject<'_>, tools: &Tools) -> Option<Lint> {
    let is_somebodys = || policy.conditions.conjuncts().iter().any(|part| is_somebodys(part.tree, part.holds));
    if policy.binds_principal() || !tools.privileged().iter().any(|tool| policy.reaches(tool)) || is_somebodys() {
        return None;
    }
    let is_privileged = |tool: &&Callable| tool.class == ActionClass::Privileged && policy.reaches(tool);
    let reached = tools.declared().iter().find(is_privileged)?.name.as_ref()?;
    let message = format!("permits every agent privileged tools that it does not name, `{}` for one", reached.id());
    Some(policy.lint(LintCode::BroadAdministration, &Place::Action, message).fixed(named(&policy.tree.action, tools)))
}

/// The action part of a scope with the tools of its privileged groups in place of those groups.
fn named(scope: &ActionConstraint, tools: &Tools) -> Option<String> {
    let ActionConstraint::In(uids) = scope else { return None };
    let mut names = Vec::new();
    for uid in uids {
        if tools.privileged().iter().any(|tool| tool.is_within(uid)) {
            let within = tools.declared().iter().filter(|tool| tool.is_within(uid));
            names.extend(within.filter_map(|tool| tool.name.as_ref()).map(ToString::to_string));
        } else {
            names.push(uid.to_string());
        }
    }
    (names.len() <= MAX_NAMED).then(|| format!("action in [{}]", names.join(", ")))
}

/// A permit that looks at too little of what is asked.
pub(super) fn loose(policy: &Subject<'_>, tools: &Tools) -> Option<Lint> {
    let read = Part::read_in(policy.conditions.conjuncts().iter().map(|part| part.tree));
    let looks_at = |member| read.has(member);
    if !policy.is_permit() || looks_at("mode") || looks_at("operator") {
        return None;
    }
    let is_bound = policy.has("requires")
        || policy.binds_resource()
        || ["task", "approved", "args"].into_iter().any(looks_at)
        || policy.conditions.conjuncts().iter().any(|part| names_resource(part.tree));
    let reached = || tools.declared().iter().chain(tools.classes()).filter(|tool| policy.reaches(tool));
    let worst = if is_bound { None } else { reached().map(|tool| tool.class).max() };
    Some(match worst.filter(|class| *class >= ActionClass::Write) {
        Some(class) => {
            let message = format!("permits {class} actions whatever task, mode, arguments and resource are");
            policy.lint(LintCode::NoTaskCondition, &Place::Head, message)
        }
        None => {
            let message = "permits the same on behalf of a person and autonomously";
            policy.lint(LintCode::IgnoresMode, &Place::Head, message)
        }
    })
}

/// A policy that applies to no call of any tool.
pub(super) fn never_fires(policy: &Subject<'_>, tools: &Tools) -> Option<Lint> {
    let in_scope = tools.declared().iter().filter(|tool| tool.is_in(&policy.tree.action));
    let failing: Option<Vec<usize>> = in_scope.map(|tool| policy.conditions.failing(tool)).collect();
    let (place, message) = match failing?.first() {
        Some(clause) => {
            (Place::Clause(*clause), "does not hold for any tool in scope, or contradicts what else must hold")
        }
        None => (Place::Action, "applies to no tool that is declared"),
    };
    Some(policy.lint(LintCode::NeverFires, &place, message))
}

impl Subject<'_> {
    fn binds_principal(&self) -> bool {
        !matches!(self.tree.principal, PrincipalConstraint::Any | PrincipalConstraint::Is(_))
    }

    fn binds_resource(&self) -> bool {
        !matches!(self.tree.resource, ResourceConstraint::Any | ResourceConstraint::Is(_))
    }

    fn reaches(&self, tool: &Callable) -> bool {
        tool.is_in(&self.tree.action) && self.conditions.may_hold(tool)
    }
}

/// Whether an expression can be true, or false, only for some agents, or only with a human's approval of the action.
fn is_somebodys(tree: &Expr, holds: bool) -> bool {
    let all = |parts: [&Expr; 2]| parts.into_iter().all(|part| is_somebodys(part, holds));
    let any = |parts: [&Expr; 2]| parts.into_iter().any(|part| is_somebodys(part, holds));
    match (tree, holds) {
        (Expr::UnaryOp { op: UnaryOp::Not, expr }, _) => is_somebodys(expr, !holds),
        (Expr::BinaryOp { op: BinaryOp::And, left, right }, true)
        | (Expr::BinaryOp { op: BinaryOp::Or, left, right }, false) => any([left, right]),
        (Expr::BinaryOp { op: BinaryOp::Or, left, right }, true)
        | (Expr::BinaryOp { op: BinaryOp::And, left, right }, false) => all([left, right]),
        (Expr::IfThenElse { then_expr, else_expr, .. }, _) => all([then_expr, else_expr]),
        (Expr::BinaryOp { op: BinaryOp::Eq | BinaryOp::In | BinaryOp::Contains, left, right }, true)
        | (Expr::BinaryOp { op: BinaryOp::NotEq, left, right }, false) => names_agent(left) || names_agent(right),
        (Expr::Is { expr, in_expr: Some(_), .. } | Expr::Like { expr, .. }, true) => names_agent(expr),
        (tree, true) => is_of_context(tree, "approved"),
        _ => false,
    }
}

/// The principal, or something of it that not every agent has: how it was proven is no name.
fn names_agent(tree: &Expr) -> bool {
    match tree {
        Expr::Var(var) => *var == Var::Principal,
        Expr::GetAttr { expr, attr } => !matches!(attr.as_str(), "attested" | "proof") && names_agent(expr),
        Expr::BinaryOp { op: BinaryOp::GetTag, left, .. } => names_agent(left),
        _ => false,
    }
}

fn names_resource(tree: &Expr) -> bool {
    *tree == Expr::Var(Var::Resource) || syntax::parts(tree).into_iter().any(names_resource)
}
