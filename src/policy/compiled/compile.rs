//! The compiler: Cedar's public syntax tree in, a program out.
//!
//! It recurses as deep as the policy nests: only where the text was bounded, on the stack of the room.

use cedar_policy::pst::{BinaryOp, Clause, EntityUID, Expr, Literal, PatternElem, UnaryOp, Var};

use super::check::{Against, Check};
use super::pattern::Pattern;
use super::program::{Aside, Binary, Program, Step, Unary, Variable};
use super::{EntityUid, Name, Record, Set, Value, datetime, decimal, ipaddr};
use crate::policy::syntax;

/// A node that this compiler does not know: a newer Cedar's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) struct Unknown;

/// The conditions of a policy, as Cedar joins them: all of them, in order, as long as they hold. Those that are simple
/// and stand before all others are checks.
pub(in crate::policy) fn conditions(clauses: &[Clause]) -> Result<Program, Unknown> {
    let mut all = Vec::new();
    for clause in clauses {
        match clause {
            Clause::When(condition) => split(condition, &mut all),
            Clause::Unless(condition) => all.push((&**condition, false)),
        }
    }
    let checks: Vec<Check> = all.iter().map_while(|(tree, wanted)| check(tree, *wanted)).collect();
    let (mut steps, mut ands) = (Vec::new(), Vec::new());
    for (tree, wanted) in all.iter().skip(checks.len()) {
        if !steps.is_empty() {
            ands.push(steps.len());
            steps.push(Step::And(0));
        }
        expression(tree, &mut steps)?;
        if !wanted {
            steps.push(Step::Unary(Unary::Not));
        }
    }
    let end = steps.len();
    for and in ands {
        aim(&mut steps, and, end);
    }
    Ok(Program::new(checks, steps))
}

/// The parts of a conjunction, in order.
fn split<'t>(tree: &'t Expr, all: &mut Vec<(&'t Expr, bool)>) {
    match tree {
        Expr::BinaryOp { op: BinaryOp::And, left, right } => {
            split(left, all);
            split(right, all);
        }
        other => all.push((other, true)),
    }
}

/// The condition as a check, if it is that simple.
fn check(tree: &Expr, wanted: bool) -> Option<Check> {
    let (of, against) = match tree {
        Expr::UnaryOp { op: UnaryOp::Not, expr } => return check(expr, !wanted),
        Expr::GetAttr { .. } => (tree, Against::Truth),
        Expr::HasAttr { expr, attrs } => (&**expr, Against::Has(attrs.iter().map(|attr| Name::new(attr)).collect())),
        Expr::Like { expr, pattern } => (&**expr, Against::Like(Pattern::new(pattern))),
        Expr::BinaryOp { op, left, right } if is_truth(tree) => {
            (&**left, Against::Value(binary(*op)?, constant(right)??))
        }
        _ => return None,
    };
    let (variable, path) = match of {
        Expr::Var(var) => (variable(var), Box::default()),
        other => path(other)?,
    };
    Some(Check { variable, path, against, wanted })
}

/// Appends the steps that leave the expression's value in hand.
fn expression(tree: &Expr, steps: &mut Vec<Step>) -> Result<(), Unknown> {
    if let Some(value) = constant(tree) {
        steps.push(value.map_or(Step::Fail, Step::Load));
        return Ok(());
    }
    match tree {
        Expr::Literal(_) => return Err(Unknown),
        Expr::Var(var) => steps.push(Step::Variable(variable(var))),
        Expr::UnaryOp { op, expr } => {
            let op = unary(*op).ok_or(Unknown)?;
            expression(expr, steps)?;
            steps.push(Step::Unary(op));
        }
        Expr::BinaryOp { op: BinaryOp::And, left, right } => short_cut(Step::And, (left, right), steps)?,
        Expr::BinaryOp { op: BinaryOp::Or, left, right } => short_cut(Step::Or, (left, right), steps)?,
        Expr::BinaryOp { op, left, right } => operation(binary(*op).ok_or(Unknown)?, (left, right), steps)?,
        Expr::GetAttr { expr, attr } => match path(tree) {
            Some((variable, names)) => steps.push(Step::Path(variable, names)),
            None => {
                expression(expr, steps)?;
                steps.push(Step::Attribute(Name::new(attr)));
            }
        },
        Expr::HasAttr { expr, attrs } => {
            expression(expr, steps)?;
            steps.push(Step::Has(attrs.iter().map(|attr| Name::new(attr)).collect()));
        }
        Expr::Like { expr, pattern } => {
            let pattern = self::pattern(pattern)?;
            expression(expr, steps)?;
            steps.push(Step::Like(pattern));
        }
        Expr::Is { expr, entity_type, in_expr } => {
            expression(expr, steps)?;
            steps.push(Step::Is(Name::new(&entity_type.to_string())));
            if let Some(group) = in_expr {
                let and = steps.len();
                steps.push(Step::And(0));
                operation(Binary::In, (expr, group), steps)?;
                let end = steps.len();
                aim(steps, and, end);
            }
        }
        Expr::IfThenElse { cond, then_expr, else_expr } => {
            expression(cond, steps)?;
            let branch = steps.len();
            steps.push(Step::Branch(0));
            expression(then_expr, steps)?;
            let jump = steps.len();
            steps.push(Step::Jump(0));
            aim(steps, branch, jump.saturating_add(1));
            expression(else_expr, steps)?;
            let end = steps.len();
            aim(steps, jump, end);
        }
        Expr::Set(members) => {
            push_all(members.iter().map(AsRef::as_ref), steps)?;
            steps.push(Step::Set(members.len()));
        }
        Expr::Record(members) => {
            push_all(members.values().map(AsRef::as_ref), steps)?;
            steps.push(Step::Record(members.keys().map(|name| Name::new(name)).collect()));
        }
        _ => return Err(Unknown),
    }
    Ok(())
}

fn push_all<'t>(trees: impl Iterator<Item = &'t Expr>, steps: &mut Vec<Step>) -> Result<(), Unknown> {
    for tree in trees {
        expression(tree, steps)?;
        steps.push(Step::Push);
    }
    Ok(())
}

/// `&&` and `||`: both sides must be true or false, the right one only where it is looked at.
fn short_cut(step: fn(usize) -> Step, (left, right): (&Expr, &Expr), steps: &mut Vec<Step>) -> Result<(), Unknown> {
    expression(left, steps)?;
    let place = steps.len();
    steps.push(step(0));
    expression(right, steps)?;
    if !is_truth(right) {
        steps.push(Step::Truth);
    }
    let end = steps.len();
    aim(steps, place, end);
    Ok(())
}

/// Whether an expression is true or false, if it is anything. Read from the tree: the last step is not the only one that
/// may leave its value in hand.
fn is_truth(tree: &Expr) -> bool {
    match tree {
        Expr::HasAttr { .. } | Expr::Like { .. } | Expr::Is { .. } | Expr::Literal(Literal::Bool(_)) => true,
        Expr::UnaryOp { op, .. } => matches!(op, UnaryOp::Not | UnaryOp::IsEmpty),
        Expr::BinaryOp { op, .. } => {
            use BinaryOp::{Add, DurationSince, GetTag, Mul, Offset, Sub};
            !matches!(op, Add | Sub | Mul | GetTag | Offset | DurationSince)
        }
        _ => false,
    }
}

/// An operation on two values; a constant on the right needs no place aside, and neither does a set that is only
/// looked at.
fn operation(op: Binary, (left, right): (&Expr, &Expr), steps: &mut Vec<Step>) -> Result<(), Unknown> {
    let (many_left, many_right) = (loose_set(left, op, true), loose_set(right, op, false));
    if many_left.is_none() && many_right.is_none() {
        match constant(right) {
            Some(value) => {
                expression(left, steps)?;
                steps.push(value.map_or(Step::Fail, |value| Step::With(op, value)));
            }
            None => {
                expression(left, steps)?;
                steps.push(Step::Push);
                expression(right, steps)?;
                steps.push(Step::Binary(op));
            }
        }
        return Ok(());
    }
    let left = match many_left {
        Some(members) => {
            push_all(members.iter().map(AsRef::as_ref), steps)?;
            Aside::Many(members.len())
        }
        None => {
            expression(left, steps)?;
            steps.push(Step::Push);
            Aside::One
        }
    };
    let right = match many_right {
        Some(members) => {
            push_all(members.iter().map(AsRef::as_ref), steps)?;
            Aside::Many(members.len())
        }
        None => {
            expression(right, steps)?;
            Aside::Hand
        }
    };
    steps.push(Step::Sets(op, left, right));
    Ok(())
}

/// The members of a set that is written in the policy, is no constant, and is only looked at by this operation.
fn loose_set(tree: &Expr, op: Binary, is_left: bool) -> Option<&[std::sync::Arc<Expr>]> {
    let looks = match op {
        Binary::Equal | Binary::Unequal | Binary::ContainsAll | Binary::ContainsAny => true,
        Binary::Contains => is_left,
        Binary::In => !is_left,
        _ => false,
    };
    match tree {
        Expr::Set(members) if looks && constant(tree).is_none() => Some(members),
        _ => None,
    }
}

/// An attribute of an attribute of a variable, and so on.
pub(super) fn path(tree: &Expr) -> Option<(Variable, Box<[Name]>)> {
    let (var, names) = syntax::path(tree).filter(|(_, names)| !names.is_empty())?;
    Some((variable(var), names.into_iter().map(Name::new).collect()))
}

fn aim(steps: &mut [Step], place: usize, target: usize) {
    if let Some(Step::And(to) | Step::Or(to) | Step::Branch(to) | Step::Jump(to)) = steps.get_mut(place) {
        *to = target;
    }
}

/// The value of a tree that is the same in every request; an error that is, is `Some(None)`.
fn constant(tree: &Expr) -> Option<Option<Value>> {
    match tree {
        Expr::Literal(literal) => self::literal(literal).map(Some),
        Expr::UnaryOp { op, expr } => match (op, constant(expr)?) {
            (UnaryOp::Neg, Some(Value::Long(value))) => Some(value.checked_neg().map(Value::Long)),
            (UnaryOp::Decimal, Some(Value::Text(text))) => Some(decimal::parse(&text).map(Value::Decimal)),
            (UnaryOp::Datetime, Some(Value::Text(text))) => Some(datetime::parse(&text).map(Value::Datetime)),
            (UnaryOp::Duration, Some(Value::Text(text))) => Some(datetime::parse_duration(&text).map(Value::Duration)),
            (UnaryOp::Ip, Some(Value::Text(text))) => Some(ipaddr::IpNet::parse(&text).map(Value::Ip)),
            _ => None,
        },
        Expr::Set(members) => {
            let members: Option<Option<Set>> = members.iter().map(|member| constant(member)).collect();
            members.map(|set| set.map(Value::Set))
        }
        Expr::Record(members) => {
            let member = |(name, tree): (&_, &std::sync::Arc<Expr>)| {
                constant(tree).map(|value| value.map(|value| (Name::new(AsRef::<str>::as_ref(name)), value)))
            };
            let members: Option<Option<Record>> = members.iter().map(member).collect();
            members.map(|record| record.map(Value::Record))
        }
        _ => None,
    }
}

fn literal(literal: &Literal) -> Option<Value> {
    match literal {
        Literal::Bool(value) => Some(Value::Bool(*value)),
        Literal::Long(value) => Some(Value::Long(*value)),
        Literal::String(text) => Some(Value::text(text)),
        Literal::EntityUID(uid) => Some(entity(uid).into()),
        _ => None,
    }
}

pub(super) fn entity(uid: &EntityUID) -> EntityUid {
    EntityUid::new(Name::new(&uid.ty.to_string()), &uid.eid)
}

pub(super) fn variable(var: &Var) -> Variable {
    match var {
        Var::Principal => Variable::Principal,
        Var::Action => Variable::Action,
        Var::Resource => Variable::Resource,
        Var::Context => Variable::Context,
    }
}

fn pattern(elements: &[PatternElem]) -> Result<Pattern, Unknown> {
    Ok(Pattern::new(elements))
}

fn unary(op: UnaryOp) -> Option<Unary> {
    Some(match op {
        UnaryOp::Not => Unary::Not,
        UnaryOp::Neg => Unary::Negate,
        UnaryOp::IsEmpty => Unary::IsEmpty,
        UnaryOp::Datetime => Unary::Datetime,
        UnaryOp::Decimal => Unary::Decimal,
        UnaryOp::Duration => Unary::Duration,
        UnaryOp::Ip => Unary::Ip,
        UnaryOp::IsIPv4 => Unary::IsIpv4,
        UnaryOp::IsIPV6 => Unary::IsIpv6,
        UnaryOp::IsLoopback => Unary::IsLoopback,
        UnaryOp::IsMulticast => Unary::IsMulticast,
        UnaryOp::ToDate => Unary::ToDate,
        UnaryOp::ToTime => Unary::ToTime,
        UnaryOp::ToMilliseconds => Unary::ToMilliseconds,
        UnaryOp::ToSeconds => Unary::ToSeconds,
        UnaryOp::ToMinutes => Unary::ToMinutes,
        UnaryOp::ToHours => Unary::ToHours,
        UnaryOp::ToDays => Unary::ToDays,
        _ => return None,
    })
}

fn binary(op: BinaryOp) -> Option<Binary> {
    Some(match op {
        BinaryOp::Eq => Binary::Equal,
        BinaryOp::NotEq => Binary::Unequal,
        BinaryOp::Less => Binary::Less,
        BinaryOp::LessEq => Binary::LessOrEqual,
        BinaryOp::Greater => Binary::Greater,
        BinaryOp::GreaterEq => Binary::GreaterOrEqual,
        BinaryOp::Add => Binary::Add,
        BinaryOp::Sub => Binary::Subtract,
        BinaryOp::Mul => Binary::Multiply,
        BinaryOp::In => Binary::In,
        BinaryOp::Contains => Binary::Contains,
        BinaryOp::ContainsAll => Binary::ContainsAll,
        BinaryOp::ContainsAny => Binary::ContainsAny,
        BinaryOp::GetTag => Binary::Tag,
        BinaryOp::HasTag => Binary::HasTag,
        BinaryOp::IsInRange => Binary::IsInRange,
        BinaryOp::Offset => Binary::Offset,
        BinaryOp::DurationSince => Binary::DurationSince,
        BinaryOp::DecimalLessThan => Binary::DecimalLess,
        BinaryOp::DecimalLessEq => Binary::DecimalLessOrEqual,
        BinaryOp::DecimalGreater => Binary::DecimalGreater,
        BinaryOp::DecimalGreaterEq => Binary::DecimalGreaterOrEqual,
        _ => return None,
    })
}
