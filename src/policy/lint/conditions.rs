//! The conditions of a policy: what of them can be said before anything is asked.

use cedar_policy::pst::{
    BinaryOp, Clause, EntityOrSlot, EntityUID, Expr, Literal, PrincipalConstraint, ResourceConstraint, Template,
    UnaryOp, Var,
};

use super::tools::Callable;
use crate::mandate::ActionClass;
use crate::policy::syntax;

/// An expression that must be true, or must be false, for the policy to apply.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conjunct<'p> {
    /// The number of the clause that it is in, from 0.
    pub(super) clause: usize,
    pub(super) holds: bool,
    pub(super) tree: &'p Expr,
}

/// Everything that must hold for a policy to apply.
#[derive(Debug)]
pub(super) struct Conditions<'p> {
    conjuncts: Vec<Conjunct<'p>>,
    /// What a variable or an attribute must be.
    facts: Vec<(&'p Expr, Value<'p>)>,
}

impl<'p> Conditions<'p> {
    /// The conditions of a policy without slots.
    pub(super) fn of(policy: &'p Template) -> Self {
        let mut conjuncts = Vec::new();
        for (clause, condition) in policy.clauses().iter().enumerate() {
            let (holds, tree) = match condition {
                Clause::When(tree) => (true, tree),
                Clause::Unless(tree) => (false, tree),
            };
            split(Conjunct { clause, holds, tree }, &mut conjuncts);
        }
        let facts = scope_facts(policy).into_iter().chain(conjuncts.iter().filter_map(Conjunct::fact)).collect();
        Self { conjuncts, facts }
    }

    pub(super) fn conjuncts(&self) -> &[Conjunct<'p>] {
        &self.conjuncts
    }

    /// Whether they hold whatever is asked.
    pub(super) fn always_hold(&self) -> bool {
        let look = Look { facts: &[], tool: None };
        self.conjuncts.iter().all(|conjunct| look.truth(conjunct.tree) == Some(conjunct.holds))
    }

    /// Whether they may hold for a call of the tool.
    pub(super) fn may_hold(&self, tool: &Callable) -> bool {
        self.failing(tool).is_none()
    }

    /// The number of a clause that cannot hold for any call of the tool, where the others do.
    pub(super) fn failing(&self, tool: &Callable) -> Option<usize> {
        let look = Look { facts: &self.facts, tool: Some(tool) };
        let fails = |conjunct: &&Conjunct<'_>| look.truth(conjunct.tree) == Some(!conjunct.holds);
        self.conjuncts.iter().find(fails).map(|conjunct| conjunct.clause)
    }
}

/// What all must hold of an expression that must be true or false.
fn split<'p>(whole: Conjunct<'p>, conjuncts: &mut Vec<Conjunct<'p>>) {
    let part = |tree, holds| Conjunct { holds, tree, ..whole };
    match (whole.holds, whole.tree) {
        (true, Expr::BinaryOp { op: BinaryOp::And, left, right })
        | (false, Expr::BinaryOp { op: BinaryOp::Or, left, right }) => {
            split(part(left, whole.holds), conjuncts);
            split(part(right, whole.holds), conjuncts);
        }
        (holds, Expr::UnaryOp { op: UnaryOp::Not, expr }) => split(part(expr, !holds), conjuncts),
        _ => conjuncts.push(whole),
    }
}

static PRINCIPAL: Expr = Expr::Var(Var::Principal);
static RESOURCE: Expr = Expr::Var(Var::Resource);

/// What the scope says that principal and resource are.
fn scope_facts(policy: &Template) -> Vec<(&Expr, Value<'_>)> {
    let mut facts = Vec::new();
    if let PrincipalConstraint::Eq(EntityOrSlot::Entity(uid)) = &policy.principal {
        facts.push((&PRINCIPAL, Value::Entity(uid)));
    }
    if let ResourceConstraint::Eq(EntityOrSlot::Entity(uid)) = &policy.resource {
        facts.push((&RESOURCE, Value::Entity(uid)));
    }
    facts
}

impl<'p> Conjunct<'p> {
    /// What a variable or an attribute is where this holds.
    fn fact(&self) -> Option<(&'p Expr, Value<'p>)> {
        match (self.holds, self.tree) {
            (true, Expr::BinaryOp { op: BinaryOp::Eq, left, right })
            | (false, Expr::BinaryOp { op: BinaryOp::NotEq, left, right }) => match (&**left, &**right) {
                (path, Expr::Literal(literal)) | (Expr::Literal(literal), path) if syntax::path(path).is_some() => {
                    Some((path, Value::of(literal)?))
                }
                _ => None,
            },
            (holds, path) if syntax::path(path).is_some() => Some((path, Value::Bool(holds))),
            _ => None,
        }
    }
}

/// A value that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Value<'v> {
    Bool(bool),
    Long(i64),
    Text(&'v str),
    Entity(&'v EntityUID),
}

impl<'v> Value<'v> {
    fn of(literal: &'v Literal) -> Option<Self> {
        match literal {
            Literal::Bool(value) => Some(Self::Bool(*value)),
            Literal::Long(value) => Some(Self::Long(*value)),
            Literal::String(text) => Some(Self::Text(text)),
            Literal::EntityUID(uid) => Some(Self::Entity(uid)),
            _ => None,
        }
    }
}

/// What is known while conditions are looked at.
#[derive(Clone, Copy)]
struct Look<'l> {
    facts: &'l [(&'l Expr, Value<'l>)],
    tool: Option<&'l Callable>,
}

impl<'l> Look<'l> {
    /// Whether an expression is true, or false, wherever it is anything.
    fn truth(self, tree: &'l Expr) -> Option<bool> {
        match tree {
            Expr::UnaryOp { op: UnaryOp::Not, expr } => self.truth(expr).map(|truth| !truth),
            Expr::BinaryOp { op: BinaryOp::And, left, right } => either(self.truth(left), || self.truth(right), false),
            Expr::BinaryOp { op: BinaryOp::Or, left, right } => either(self.truth(left), || self.truth(right), true),
            Expr::BinaryOp { op: BinaryOp::Eq, left, right } => self.equal(left, right),
            Expr::BinaryOp { op: BinaryOp::NotEq, left, right } => self.equal(left, right).map(|truth| !truth),
            Expr::BinaryOp { op: BinaryOp::In, left, right } if **left == Expr::Var(Var::Action) => self.within(right),
            Expr::BinaryOp { op: BinaryOp::Contains, left, right } => self.contains(left, right),
            Expr::HasAttr { expr, attrs } if attrs.len() == 1 => is_always_there(expr, attrs.first()).then_some(true),
            Expr::Is { expr, entity_type, in_expr: None } => {
                let always = [(Var::Principal, "AgentIdentity"), (Var::Resource, "Resource"), (Var::Action, "Action")];
                let kind = entity_type.to_string();
                always.iter().any(|(var, own)| **expr == Expr::Var(var.clone()) && kind == *own).then_some(true)
            }
            Expr::IfThenElse { cond, then_expr, else_expr } => match self.truth(cond) {
                Some(true) => self.truth(then_expr),
                Some(false) => self.truth(else_expr),
                None => self.truth(then_expr).filter(|truth| self.truth(else_expr) == Some(*truth)),
            },
            _ => match self.value(tree) {
                Some(Value::Bool(truth)) => Some(truth),
                _ => None,
            },
        }
    }

    fn value(self, tree: &'l Expr) -> Option<Value<'l>> {
        if let Expr::Literal(literal) = tree {
            return Value::of(literal);
        }
        if self.tool.is_some() && is_of_tool(tree, "class") {
            return self.tool.map(|tool| Value::Text(tool.class.as_str()));
        }
        self.facts.iter().find(|(path, _)| *path == tree).map(|(_, value)| *value)
    }

    fn equal(self, left: &'l Expr, right: &'l Expr) -> Option<bool> {
        match (left, right) {
            (Expr::Var(Var::Action), Expr::Literal(Literal::EntityUID(uid)))
            | (Expr::Literal(Literal::EntityUID(uid)), Expr::Var(Var::Action))
                if self.tool.is_some() =>
            {
                return self.tool.map(|tool| tool.is(uid));
            }
            (path, Expr::Literal(Literal::String(text))) | (Expr::Literal(Literal::String(text)), path)
                if !can_be(path, text) =>
            {
                return Some(false);
            }
            _ => {}
        }
        match (self.value(left), self.value(right)) {
            (Some(left), Some(right)) => Some(left == right),
            _ => (left == right).then_some(true),
        }
    }

    /// Whether the action is in what stands on the right.
    fn within(self, right: &Expr) -> Option<bool> {
        let tool = self.tool?;
        match right {
            Expr::Literal(Literal::EntityUID(uid)) => Some(tool.is_within(uid)),
            Expr::Set(members) => members.iter().try_fold(false, |found, member| match &**member {
                Expr::Literal(Literal::EntityUID(uid)) => Some(found || tool.is_within(uid)),
                _ => None,
            }),
            _ => None,
        }
    }

    fn contains(self, set: &'l Expr, value: &'l Expr) -> Option<bool> {
        if is_of_tool(set, "labels") {
            let labels = self.tool?.labels.as_ref()?;
            return match self.value(value)? {
                Value::Text(text) => Some(labels.contains(text)),
                _ => Some(false),
            };
        }
        let Expr::Set(members) = set else { return None };
        let equal = |found: Option<bool>, member: &'l Expr| either(found, || self.equal(member, value), true);
        members.iter().map(AsRef::as_ref).fold(Some(false), equal)
    }
}

/// Two truths, one of which settles the whole if it is `settling`.
fn either(one: Option<bool>, other: impl FnOnce() -> Option<bool>, settling: bool) -> Option<bool> {
    if one == Some(settling) {
        return one;
    }
    match (one, other()) {
        (_, Some(other)) if other == settling => Some(settling),
        (Some(_), Some(_)) => Some(!settling),
        _ => None,
    }
}

/// Whether this is a member of the context, for instance `context.mode`.
pub(super) fn is_of_context(tree: &Expr, member: &str) -> bool {
    matches!(tree, Expr::GetAttr { expr, attr } if attr == member && **expr == Expr::Var(Var::Context))
}

fn is_of_tool(tree: &Expr, member: &str) -> bool {
    matches!(tree, Expr::GetAttr { expr, attr } if attr == member && is_of_context(expr, "tool"))
}

/// Whether an attribute can be this text: of two it is known what they can be.
fn can_be(path: &Expr, text: &str) -> bool {
    if is_of_context(path, "mode") {
        return matches!(text, "autonomous" | "on_behalf_of");
    }
    !is_of_tool(path, "class") || ActionClass::ALL.iter().any(|class| class.as_str() == text)
}

fn is_always_there(of: &Expr, member: &str) -> bool {
    match of {
        Expr::Var(Var::Context) => matches!(member, "mode" | "approved" | "task" | "tool" | "time" | "args"),
        Expr::Var(Var::Principal) => matches!(member, "attested" | "proof" | "authority" | "sponsor"),
        Expr::Var(Var::Resource) => matches!(member, "kind" | "name"),
        _ => false,
    }
}
