//! The part of the context that a policy reads, and what a schema says of that part.

use std::collections::BTreeMap;

use cedar_policy::Policy;
use cedar_policy::pst::{Expr, Var};
use serde_json::Value;

use super::syntax;

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

    /// What the conditions of a policy read of the context; the whole where that cannot be told.
    pub(super) fn read_by(policy: &Policy) -> Self {
        policy.to_pst().map_or(Self::Whole, |tree| Self::read_in(syntax::conditions(tree.body().clauses())))
    }

    /// What these expressions read of the context. A node that is not known here reads the whole.
    pub(super) fn read_in<'t>(trees: impl IntoIterator<Item = &'t Expr>) -> Self {
        let mut part = Self::nothing();
        trees.into_iter().for_each(|tree| part.read(tree));
        part
    }

    /// Whether something of this member is in it.
    pub(super) fn has(&self, member: &str) -> bool {
        match self {
            Self::Whole => true,
            Self::Of(members) => members.contains_key(member),
        }
    }

    /// Whether something of this member of that member is in it.
    pub(super) fn has_within(&self, member: &str, inner: &str) -> bool {
        match self {
            Self::Whole => true,
            Self::Of(members) => members.get(member).is_some_and(|part| part.has(inner)),
        }
    }

    fn read(&mut self, tree: &Expr) {
        match tree {
            Expr::Literal(_) | Expr::Slot(_) | Expr::Var(Var::Principal | Var::Action | Var::Resource) => {}
            Expr::Var(Var::Context) => *self = Self::Whole,
            Expr::GetAttr { expr, .. } => match syntax::path(tree) {
                Some((Var::Context, path)) => self.add(&path),
                _ => self.read(expr),
            },
            Expr::HasAttr { expr, attrs } => match syntax::path(expr) {
                Some((Var::Context, path)) => {
                    self.add(&path.into_iter().chain(attrs.iter().map(AsRef::as_ref)).collect::<Vec<_>>());
                }
                _ => self.read(expr),
            },
            Expr::Set(members) if members.is_empty() => {}
            Expr::Record(members) if members.is_empty() => {}
            _ => match syntax::parts(tree) {
                parts if parts.is_empty() => *self = Self::Whole,
                parts => parts.into_iter().for_each(|part| self.read(part)),
            },
        }
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
