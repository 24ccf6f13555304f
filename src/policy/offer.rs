//! What an agent can be offered: the tools of which some call could be permitted or held now.
//!
//! A call that is not there yet has no arguments and no resource. What policies say without looking at those is decided
//! as it would be for a call; what looks at them counts as possible. So a tool is left out only where every call of it is
//! refused.

use std::sync::Arc;

use cedar_policy::pst::{BinaryOp, Clause, Expr, Template, Var};

use super::compiled::{Effect, Made, Rule, Scope};
use super::facts::{Attributes, Seen, Values};
use super::part::Part;
use super::policy::Policy;
use super::snapshot::{Asks, Prepared, Snapshot};
use super::{Evaluator, Question, guard, syntax};

/// What can be said of a policy before there is a call.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    /// Its conditions that do not look at the call, whatever the resource; nothing where Cedar alone knows what they mean.
    known: Option<Arc<Rule>>,
    /// Whether these are all that it has.
    is_whole: bool,
    /// Whether they look at the tool, whose class may be another in single calls.
    sees_tool: bool,
}

impl Offer {
    pub(super) fn new(tree: &Template, rule: &Rule) -> Self {
        let mut clauses = Vec::new();
        tree.clauses().iter().for_each(|clause| split(clause, &mut clauses));
        let all = clauses.len();
        clauses.retain(|clause| !sees_call(condition(clause)));
        let sees_tool = clauses.iter().any(|clause| Part::read_in([condition(clause)]).has("tool"));
        let is_whole = clauses.len() == all && rule.resource == Scope::Any;
        let known = if rule.is_foreign() { None } else { rule.about_any_resource(&clauses).map(Arc::new) };
        Self { known, is_whole, sees_tool }
    }
}

/// The parts that `&&` joins in a `when`, and each `unless`.
fn split(clause: &Clause, into: &mut Vec<Clause>) {
    match clause {
        Clause::When(tree) => match &**tree {
            Expr::BinaryOp { op: BinaryOp::And, left, right } => {
                split(&Clause::When(left.clone()), into);
                split(&Clause::When(right.clone()), into);
            }
            _ => into.push(clause.clone()),
        },
        Clause::Unless(_) => into.push(clause.clone()),
    }
}

fn condition(clause: &Clause) -> &Expr {
    match clause {
        Clause::When(tree) | Clause::Unless(tree) => tree,
    }
}

/// Whether an expression looks at what differs between two calls of one tool.
fn sees_call(tree: &Expr) -> bool {
    let read = Part::read_in([tree]);
    // Of the task's past, this is held against the call.
    let sees_past = ["touched", "drift", "provenance"].into_iter().any(|fact| read.has_within("task", fact));
    sees_past || ["args", "agent_user"].into_iter().any(|member| read.has(member)) || sees_resource(tree)
}

fn sees_resource(tree: &Expr) -> bool {
    matches!(tree, Expr::Var(Var::Resource)) || syntax::parts(tree).into_iter().any(sees_resource)
}

/// Offers by one snapshot.
#[derive(Debug)]
pub(crate) struct Offers(Arc<Snapshot>);

impl Evaluator {
    /// What can be offered by what decides now.
    pub(crate) fn offers(&self) -> Offers {
        Offers(self.snapshot())
    }
}

impl Offers {
    /// Whether some call of the tool of this question could be permitted or held now, and is not hidden. Nothing of its action
    /// but tool and mode is looked at.
    pub(crate) fn admit(&self, question: &Question<'_>) -> bool {
        let Self(snapshot) = self;
        let Some(prepared) = snapshot.tool(question.action.tool()) else { return false };
        let given = Attributes::new();
        let values: Values<'_> = prepared.tool().parameters().iter().map(|_| None).collect();
        let asks = Asks { question, values: &values, given: &given };
        let offering = Offering { snapshot, asks, prepared };
        guard::check_offer(question, prepared).is_ok()
            && !offering.is_refused_by(false, |policy| policy.hides)
            && [false, true].into_iter().any(|approved| offering.is_possible(approved))
    }
}

/// One tool, by one snapshot.
struct Offering<'a> {
    snapshot: &'a Snapshot,
    asks: Asks<'a>,
    prepared: &'a Prepared,
}

impl Offering<'_> {
    /// Whether some call could be permitted, with a human's approval of it or without.
    fn is_possible(&self, approved: bool) -> bool {
        let mut policies = self.policies(approved).filter(|policy| policy.rule.effect == Effect::Permit);
        policies.any(|policy| self.applies(policy, approved) != Some(false)) && !self.is_refused_by(approved, |_| true)
    }

    /// Whether one of these policies forbids every call, or fails for every call.
    fn is_refused_by(&self, approved: bool, which: impl Fn(&Policy) -> bool) -> bool {
        let mut forbids =
            self.policies(approved).filter(|policy| policy.rule.effect == Effect::Forbid && which(policy));
        forbids.any(|policy| policy.offer.is_whole && self.applies(policy, approved) == Some(true))
    }

    fn policies(&self, approved: bool) -> impl Iterator<Item = &Policy> {
        self.snapshot.matters(self.prepared).filter(move |policy| approved || !policy.wants_approval)
    }

    /// Whether what is known of a policy holds, or fails; nothing where nothing is known. A permit that fails for a call, or
    /// is not asked that far, does not permit it.
    fn applies(&self, policy: &Policy, approved: bool) -> Option<bool> {
        let Offer { known, sees_tool, .. } = &policy.offer;
        if *sees_tool && self.prepared.tool().is_raised() {
            return None;
        }
        let rule = known.as_ref()?;
        let seen = Seen { approved, agent_user: false };
        self.snapshot.with_facts(self.asks, self.prepared, seen, |asked| {
            let [principal, action, _] = rule.scope(asked);
            let holds = rule.applies(asked, &Made::default()).unwrap_or(rule.effect == Effect::Forbid);
            Some(principal && action && holds)
        })
    }
}
