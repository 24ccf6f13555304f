//! The part of the context that a policy reads, and what a schema says of that part.

use std::collections::BTreeMap;

use cedar_policy::Policy;
use cedar_policy::pst::{self, Clause, Expr, Var};
use serde_json::Value;

/// A part of a record: the whole of it, or these members.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Whole,
    Of(BTreeMap<String, Part>),
}

impl Part {
    pub(super) fn nothing() -> Self {
        Self::Of(BTreeMap::new())
    }

    /// What the conditions of a policy read of the context. A policy with a node that is not known here reads the whole.
    pub(super) fn read_by(policy: &Policy) -> Self {
        let mut part = Self::nothing();
        let Ok(pst::Policy::Static(tree)) = policy.to_pst() else {
            return Self::Whole;
        };
        for clause in tree.body().clauses() {
            let (Clause::When(condition) | Clause::Unless(condition)) = clause;
            part.read(condition);
        }
        part
    }

    fn read(&mut self, tree: &Expr) {
        match tree {
            Expr::Literal(_) | Expr::Slot(_) | Expr::Var(Var::Principal | Var::Action | Var::Resource) => {}
            Expr::Var(Var::Context) => *self = Self::Whole,
            Expr::GetAttr { expr, .. } => match path(tree) {
                Some(path) => self.add(&path),
                None => self.read(expr),
            },
            Expr::HasAttr { expr, attrs } => match path(expr) {
                Some(path) => self.add(&path.into_iter().chain(attrs.iter().map(AsRef::as_ref)).collect::<Vec<_>>()),
                None => self.read(expr),
            },
            Expr::UnaryOp { expr, .. } | Expr::Like { expr, .. } => self.read(expr),
            Expr::BinaryOp { left, right, .. } => self.read_all([left, right]),
            Expr::Is { expr, in_expr, .. } => self.read_all(std::iter::once(expr).chain(in_expr)),
            Expr::IfThenElse { cond, then_expr, else_expr } => self.read_all([cond, then_expr, else_expr]),
            Expr::Set(members) => self.read_all(members),
            Expr::Record(members) => self.read_all(members.values()),
            _ => *self = Self::Whole,
        }
    }

    fn read_all<'t>(&mut self, trees: impl IntoIterator<Item = &'t std::sync::Arc<Expr>>) {
        trees.into_iter().for_each(|tree| self.read(tree));
    }

    fn add(&mut self, path: &[&str]) {
        match (path, self) {
            (_, Self::Whole) => {}
            ([], part) => *part = Self::Whole,
            ([first, rest @ ..], Self::Of(members)) => {
                members.entry((*first).to_owned()).or_insert_with(Self::nothing).add(rest);
            }
        }
    }

    /// What is left of a record type in Cedar's JSON format where only this part of its members is looked at. A type
    /// that is given by its name stays as it is.
    pub(super) fn of_type(&self, kind: &Value) -> Value {
        let attributes = kind.get("attributes").and_then(Value::as_object);
        let (Self::Of(members), Some("Record"), Some(attributes)) =
            (self, kind.get("type").and_then(Value::as_str), attributes)
        else {
            return kind.clone();
        };
        let read = members.iter().filter_map(|(name, part)| Some((name.clone(), part.of_type(attributes.get(name)?))));
        let beside = kind.as_object().into_iter().flatten().filter(|(name, _)| *name != "attributes");
        let beside = beside.map(|(name, value)| (name.clone(), value.clone()));
        Value::Object(beside.chain([("attributes".to_owned(), Value::Object(read.collect()))]).collect())
    }
}

/// The names from the context to the member that the expression is, if it is one.
fn path(tree: &Expr) -> Option<Vec<&str>> {
    let (mut tree, mut names) = (tree, Vec::new());
    while let Expr::GetAttr { expr, attr } = tree {
        names.push(attr.as_str());
        tree = expr;
    }
    names.reverse();
    matches!(tree, Expr::Var(Var::Context)).then_some(names)
}
