//! The facts: what policies see of a question, looked at where it is and never copied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smallvec::SmallVec;

use super::Question;
use super::compiled::{self, Fields, Members, Name, Part, Record, Uid, Val, Word};
use super::typed::Typed;
use crate::identity::AgentIdentity;
use crate::mandate::{
    Action, Approval, ArgumentName, ArgumentType, Arguments, Drifts, Label, Resource, Tool, ToolError, ToolName, Value,
};

/// The entity types of the vocabulary.
#[derive(Debug, Clone)]
pub(super) struct Kinds {
    pub(super) action: Name,
    pub(super) agent: Name,
    pub(super) agent_group: Name,
    pub(super) team: Name,
    pub(super) operator: Name,
    pub(super) agent_user: Name,
    pub(super) resource: Name,
}

impl Kinds {
    pub(super) fn new() -> Self {
        Self {
            action: Name::new("Action"),
            agent: Name::new("AgentIdentity"),
            agent_group: Name::new("AgentGroup"),
            team: Name::new("Team"),
            operator: Name::new("HumanOperator"),
            agent_user: Name::new("AgentUser"),
            resource: Name::new("Resource"),
        }
    }
}

/// What policies see besides the facts that always hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// A human's approval of exactly this action.
    pub(super) approved: bool,
    /// The agent user that is presented.
    pub(super) agent_user: bool,
}

/// `context`.
pub(super) struct Context<'q> {
    question: &'q Question<'q>,
    kinds: &'q Kinds,
    seen: Seen,
    task: Task<'q>,
    tool: Declared<'q>,
    args: Args<'q>,
}

impl<'q> Context<'q> {
    pub(super) fn new(
        question: &'q Question<'q>,
        (tool, places): (&'q Tool, &'q Record),
        values: &'q [Option<Val<'q>>],
        kinds: &'q Kinds,
        seen: Seen,
    ) -> Self {
        Self {
            question,
            kinds,
            seen,
            task: Task {
                question,
                approvers: Approvers { approvals: question.mandate.approvals(), kinds },
                provenance: Sources { question, tool },
            },
            tool: Declared { tool, action: question.action },
            args: Args { places, values },
        }
    }
}

/// A record whose members are known by their words: one list for finding and for visiting.
macro_rules! fields {
    ($view:ty, $($word:ident $name:literal => |$own:ident| $value:expr;)*) => {
        impl Fields for $view {
            #[inline]
            fn get(&self, name: &Name) -> Option<Val<'_>> {
                match name.word() {
                    $(Word::$word => { let $own = self; $value })*
                    _ => None,
                }
            }

            fn each<'s>(&'s self, visit: &mut dyn FnMut(&'s str, Val<'s>) -> bool) -> bool {
                $({ let $own = self; $value }.is_none_or(|value| visit($name, value)))&&*
            }
        }
    };
}
pub(super) use fields;

fields! { Context<'_>,
    Mode "mode" => |own| Some(Val::Text(own.question.action.mode().as_str()));
    Operator "operator" => |own| own.question.action.mode().operator().map(|operator| {
        Val::Entity(Uid { kind: &own.kinds.operator, id: operator.as_str() })
    });
    AgentUser "agent_user" => |own| own.question.action.presented().filter(|_| own.seen.agent_user).map(|user| {
        Val::Entity(Uid { kind: &own.kinds.agent_user, id: user.id().as_str() })
    });
    Approved "approved" => |own| Some(Val::Bool(own.seen.approved));
    Task "task" => |own| Some(Val::Record(Part::View(&own.task)));
    Tool "tool" => |own| Some(Val::Record(Part::View(&own.tool)));
    // Whole seconds.
    Time "time" => |own| Some(Val::Datetime(own.question.now.unix().saturating_mul(1_000)));
    Args "args" => |own| Some(Val::Record(Part::View(&own.args)));
}

/// `context.task`.
struct Task<'q> {
    question: &'q Question<'q>,
    approvers: Approvers<'q>,
    provenance: Sources<'q>,
}

fields! { Task<'_>,
    Id "id" => |own| Some(Val::Text(own.question.request.task().as_str()));
    Purpose "purpose" => |own| Some(Val::Text(own.question.mandate.intent().purpose().as_str()));
    Approvers "approvers" => |own| Some(Val::Set(&own.approvers));
    Step "step" => |own| Some(Val::Long(own.question.ledger.step.try_into().unwrap_or(i64::MAX)));
    Calls "calls" => |own| Some(Val::Long(own.question.ledger.calls.into()));
    ToolCalls "tool_calls" => |own| Some(Val::Long(own.question.ledger.tool_calls.into()));
    Refusals "refusals" => |own| Some(Val::Long(own.question.ledger.refusals.into()));
    Labels "labels" => |own| Some(Val::Set(&own.question.ledger.labels));
    Provenance "provenance" => |own| Some(Val::Record(Part::View(&own.provenance)));
    Recent "recent" => |own| Some(Val::Set(&own.question.ledger.recent));
    Targets "targets" => |own| Some(Val::Long(own.question.ledger.targets.into()));
    Touched "touched" => |own| Some(Val::Bool(own.question.ledger.touched));
    Drift "drift" => |own| Some(Val::Set(&own.question.ledger.drift));
}

/// `context.task.provenance`: where the value of each argument comes from, where there is one.
struct Sources<'q> {
    question: &'q Question<'q>,
    tool: &'q Tool,
}

impl Sources<'_> {
    fn of(&self, argument: &str) -> Option<Val<'_>> {
        let Question { mandate, ledger, action, .. } = self.question;
        let value = action.arguments().get(argument).filter(|value| **value != Value::Null)?;
        Some(Val::Text(mandate.provenance(action.tool(), argument, value, &ledger.resolved).as_str()))
    }
}

impl Fields for Sources<'_> {
    fn get(&self, name: &Name) -> Option<Val<'_>> {
        self.of(name.as_str())
    }

    fn each<'s>(&'s self, visit: &mut dyn FnMut(&'s str, Val<'s>) -> bool) -> bool {
        let names = self.tool.parameters().iter().map(|(name, _)| name.as_str());
        names.filter_map(|name| Some((name, self.of(name)?))).all(|(name, value)| visit(name, value))
    }
}

/// `context.tool`.
struct Declared<'q> {
    tool: &'q Tool,
    action: &'q Action,
}

fields! { Declared<'_>,
    Class "class" => |own| Some(Val::Text(own.tool.class_of(own.action).as_str()));
    Labels "labels" => |own| Some(Val::Set(own.tool.labels()));
}

/// The attributes of the principal.
pub(super) struct Agent<'q> {
    pub(super) agent: &'q AgentIdentity,
    pub(super) kinds: &'q Kinds,
}

fields! { Agent<'_>,
    Attested "attested" => |own| Some(Val::Bool(own.agent.method().is_attested()));
    Proof "proof" => |own| Some(Val::Text(own.agent.method().as_str()));
    Authority "authority" => |own| Some(Val::Text(own.agent.id().authority()));
    Sponsor "sponsor" => |own| {
        Some(Val::Entity(Uid { kind: &own.kinds.operator, id: own.agent.sponsor().as_str() }))
    };
}

/// The attributes of the resource: its own, and those that the directory or the action has of it.
pub(super) struct Target<'q> {
    pub(super) resource: &'q Resource,
    pub(super) stored: Option<Part<'q>>,
    pub(super) given: &'q [(&'q str, Val<'q>)],
}

/// The attributes that an action has of its resource, in the types that the catalogue declares.
pub(super) type Attributes<'q> = SmallVec<[(&'q str, Val<'q>); 4]>;

impl Fields for Target<'_> {
    fn get(&self, name: &Name) -> Option<Val<'_>> {
        match name.word() {
            Word::Kind => Some(Val::Text(self.resource.kind())),
            Word::Name => Some(Val::Text(self.resource.name())),
            _ => match self.stored {
                Some(stored) => stored.get(name),
                None => self.given.iter().find(|(own, _)| *own == name.as_str()).map(|(_, value)| *value),
            },
        }
    }

    fn each<'s>(&'s self, visit: &mut dyn FnMut(&'s str, Val<'s>) -> bool) -> bool {
        visit("kind", Val::Text(self.resource.kind()))
            && visit("name", Val::Text(self.resource.name()))
            && match self.stored {
                Some(stored) => stored.each(&mut |name, value| matches!(name, "kind" | "name") || visit(name, value)),
                None => self.given.iter().all(|(name, value)| visit(name, *value)),
            }
    }
}

/// `context.args`: the arguments that policies can name, in the types that the tool declares. They were checked.
pub(super) struct Args<'q> {
    /// The place of each argument among the values, by its name.
    pub(super) places: &'q Record,
    pub(super) values: &'q [Option<Val<'q>>],
}

/// What each argument of a call is to policies, in the order of the names that the tool declares.
pub(super) type Values<'q> = SmallVec<[Option<Val<'q>>; 8]>;

/// Checks the arguments of a call against the tool, and finds what each is to policies.
pub(super) fn check_arguments<'q>(
    tool: &Tool,
    arguments: &'q Arguments,
    values: &mut Values<'q>,
) -> Result<(), ToolError> {
    tool.check_each(arguments, |kind, value| values.push(value.and_then(|value| argument(kind, value))))
}

/// The same of a call whose arguments do not fit: each that does, and nothing of those that do not.
pub(super) fn arguments_that_fit<'q>(tool: &Tool, arguments: &'q Arguments) -> Values<'q> {
    let parameters = tool.parameters().iter();
    parameters.map(|(name, parameter)| argument(parameter.kind, arguments.get(name.as_str())?)).collect()
}

impl Fields for Args<'_> {
    fn get(&self, name: &Name) -> Option<Val<'_>> {
        match self.places.find(name)? {
            compiled::Value::Long(place) => self.values.get(usize::try_from(*place).ok()?).copied().flatten(),
            _ => None,
        }
    }

    fn each<'s>(&'s self, visit: &mut dyn FnMut(&'s str, Val<'s>) -> bool) -> bool {
        let named = self.places.iter().zip(self.values);
        named.filter_map(|((name, _), value)| Some((name, (*value)?))).all(|(name, value)| visit(name.as_str(), value))
    }
}

/// The place of each argument of a tool, by its name.
pub(super) fn places(tool: &Tool) -> Record {
    let names = tool.parameters().iter().map(|(name, _)| Name::new(name.as_str()));
    names.zip(0..).map(|(name, place)| (name, compiled::Value::Long(place))).collect()
}

/// Checks what came along of a resource, and finds what it is to policies: declared, and where the resource is in the
/// directory, all of what is there. The first attribute that is not as it must be is an error.
pub(super) fn check_resource<'q>(
    attributes: &'q Arguments,
    declared: &BTreeMap<ArgumentName, ArgumentType>,
    stored: Option<Part<'q>>,
    given: &mut Attributes<'q>,
) -> Result<(), &'q str> {
    if attributes.is_empty() {
        return Ok(());
    }
    attributes_of(attributes, declared, |name, value| given.push((name, value)))?;
    stored.and_then(|stored| first_difference(stored, given)).map_or(Ok(()), Err)
}

/// The first attribute that the directory and an action do not share of one resource.
fn first_difference<'s>(stored: Part<'s>, given: &[(&'s str, Val<'_>)]) -> Option<&'s str> {
    let (mut different, mut shared) = (None, 0_usize);
    stored.each(&mut |name, value| {
        match given.iter().find(|(own, _)| *own == name) {
            Some((_, own)) if own.is(&value) => shared = shared.saturating_add(1),
            // Every resource has these, and no action gives them.
            None if matches!(name, "kind" | "name") => {}
            _ => different = Some(name),
        }
        different.is_none()
    });
    // All that is stored was given: more was given than that, if anything.
    let more = || given.iter().map(|(name, _)| *name).find(|name| !has(stored, name));
    different.or_else(|| if shared < given.len() { more() } else { None })
}

fn has(part: Part<'_>, name: &str) -> bool {
    !part.each(&mut |own, _| own != name)
}

/// Visits the attributes of a resource in the types that are declared; the first that is not is an error.
pub(super) fn attributes_of<'q>(
    given: &'q Arguments,
    declared: &BTreeMap<ArgumentName, ArgumentType>,
    mut visit: impl FnMut(&'q str, Val<'q>),
) -> Result<(), &'q str> {
    for (name, value) in given.iter() {
        let kind = declared.get(name).filter(|kind| kind.admits(value)).ok_or(name)?;
        visit(name, argument(*kind, value).ok_or(name)?);
    }
    Ok(())
}

/// A value as policies see one of the declared type.
fn argument(kind: ArgumentType, value: &Value) -> Option<Val<'_>> {
    match (kind, value) {
        (ArgumentType::Bool, Value::Bool(value)) => Some(Val::Bool(*value)),
        (ArgumentType::Integer, Value::Number(number)) => number.as_integer().map(Val::Long),
        (ArgumentType::Number, Value::Number(number)) => number.as_decimal().map(Val::Decimal),
        (ArgumentType::Text | ArgumentType::Path, Value::Text(text)) => Some(Val::Text(text)),
        (ArgumentType::Texts | ArgumentType::Integers, Value::List(items)) => Some(Val::Set(items)),
        _ => Typed::of(kind, value).map(|typed| Val::Record(Part::Typed(typed))),
    }
}

/// What is in a list of texts or of integers; of anything else policies see nothing.
fn item(value: &Value) -> Option<Val<'_>> {
    match value {
        Value::Text(text) => Some(Val::Text(text)),
        Value::Number(number) => number.as_integer().map(Val::Long),
        _ => None,
    }
}

impl Members for Vec<Value> {
    fn has(&self, value: &Val<'_>) -> bool {
        self.iter().filter_map(item).any(|own| own.is(value))
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn each<'s>(&'s self, visit: &mut dyn FnMut(Val<'s>) -> bool) -> bool {
        self.iter().filter_map(item).all(visit)
    }
}

/// The people who approved the task.
struct Approvers<'q> {
    approvals: &'q [Arc<Approval>],
    kinds: &'q Kinds,
}

impl Members for Approvers<'_> {
    fn has(&self, value: &Val<'_>) -> bool {
        match value {
            Val::Entity(uid) if *uid.kind == self.kinds.operator => {
                self.approvals.iter().any(|approval| approval.operator().as_str() == uid.id)
            }
            _ => false,
        }
    }

    fn len(&self) -> usize {
        self.approvals.len()
    }

    fn each<'s>(&'s self, visit: &mut dyn FnMut(Val<'s>) -> bool) -> bool {
        let uid = |approval: &'s Arc<Approval>| Uid { kind: &self.kinds.operator, id: approval.operator().as_str() };
        self.approvals.iter().all(|approval| visit(Val::Entity(uid(approval))))
    }
}

impl Members for BTreeSet<Label> {
    fn has(&self, value: &Val<'_>) -> bool {
        matches!(value, Val::Text(text) if self.contains(*text))
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn each<'s>(&'s self, visit: &mut dyn FnMut(Val<'s>) -> bool) -> bool {
        self.iter().all(|label| visit(Val::Text(label.as_str())))
    }
}

impl Members for Drifts {
    fn has(&self, value: &Val<'_>) -> bool {
        matches!(value, Val::Text(text) if self.iter().any(|drift| drift.as_str() == *text))
    }

    fn len(&self) -> usize {
        self.iter().count()
    }

    fn each<'s>(&'s self, visit: &mut dyn FnMut(Val<'s>) -> bool) -> bool {
        self.iter().all(|drift| visit(Val::Text(drift.as_str())))
    }
}

impl Members for Vec<ToolName> {
    fn has(&self, value: &Val<'_>) -> bool {
        matches!(value, Val::Text(text) if self.iter().any(|tool| tool.as_str() == *text))
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn each<'s>(&'s self, visit: &mut dyn FnMut(Val<'s>) -> bool) -> bool {
        self.iter().all(|tool| visit(Val::Text(tool.as_str())))
    }
}
