//! What a policy asks, read from its syntax tree.
//!
//! Never from its text: there, a name can be spelt in many ways.

use cedar_policy::pst::{BinaryOp, Clause, Expr, Literal, Var};

/// The conditions of a policy.
pub(super) fn conditions(clauses: &[Clause]) -> impl Iterator<Item = &Expr> {
    clauses.iter().map(|clause| match clause {
        Clause::When(condition) | Clause::Unless(condition) => &**condition,
    })
}

/// The expressions right below one; none below a node that is not known here.
pub(super) fn parts(tree: &Expr) -> Vec<&Expr> {
    match tree {
        Expr::UnaryOp { expr, .. }
        | Expr::GetAttr { expr, .. }
        | Expr::HasAttr { expr, .. }
        | Expr::Like { expr, .. } => vec![expr],
        Expr::BinaryOp { left, right, .. } => vec![left, right],
        Expr::Is { expr, in_expr, .. } => std::iter::once(expr).chain(in_expr).map(AsRef::as_ref).collect(),
        Expr::IfThenElse { cond, then_expr, else_expr } => vec![cond, then_expr, else_expr],
        Expr::Set(members) => members.iter().map(AsRef::as_ref).collect(),
        Expr::Record(members) => members.values().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    }
}

/// What the principals of a vocabulary can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Principals {
    /// Their type.
    pub(super) kind: &'static str,
    /// The type of what they are in.
    pub(super) group: &'static str,
}

/// The type that an expression compares `principal` with, if that is none that a principal can be or be in.
pub(super) fn stranger(tree: &Expr, known: Principals) -> Option<String> {
    let (is, of) = (&[known.kind][..], &[known.kind, known.group][..]);
    let own = match tree {
        Expr::Is { expr, entity_type, .. } if is_principal(expr) => {
            Some(entity_type.to_string()).filter(|kind| !is.contains(&kind.as_str()))
        }
        Expr::BinaryOp { op: BinaryOp::Eq | BinaryOp::NotEq, left, right } if is_principal(left) => other(right, is),
        Expr::BinaryOp { op: BinaryOp::Eq | BinaryOp::NotEq, left, right } if is_principal(right) => other(left, is),
        Expr::BinaryOp { op: BinaryOp::In, left, right } if is_principal(left) => other(right, of),
        _ => None,
    };
    let group = match tree {
        Expr::Is { expr, in_expr: Some(group), .. } if is_principal(expr) => other(group, of),
        _ => None,
    };
    own.or(group).or_else(|| parts(tree).into_iter().find_map(|part| stranger(part, known)))
}

fn is_principal(tree: &Expr) -> bool {
    matches!(tree, Expr::Var(Var::Principal))
}

/// The type of an entity, or of the first of several, that is none of these.
fn other(tree: &Expr, kinds: &[&str]) -> Option<String> {
    match tree {
        Expr::Literal(Literal::EntityUID(uid)) => {
            Some(uid.ty.to_string()).filter(|kind| !kinds.contains(&kind.as_str()))
        }
        Expr::Set(members) => members.iter().find_map(|member| other(member, kinds)),
        _ => None,
    }
}

/// The variable and the names of the attributes that an expression is, if it is a variable, an attribute of one, of that
/// one's attribute, and so on.
pub(super) fn path(tree: &Expr) -> Option<(&Var, Vec<&str>)> {
    let (mut tree, mut names) = (tree, Vec::new());
    while let Expr::GetAttr { expr, attr } = tree {
        names.push(attr.as_str());
        tree = expr;
    }
    names.reverse();
    match tree {
        Expr::Var(var) => Some((var, names)),
        _ => None,
    }
}
