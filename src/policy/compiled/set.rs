//! A set of policies, compiled: asked with any request, it answers as Cedar does.

use std::sync::Arc;

use cedar_policy::{PolicyId, PolicySet};
use smallvec::SmallVec;

use super::asked::{Asked, Known};
use super::entities::Entities;
use super::index::Index;
use super::program::Made;
use super::rule::{Effect, Rule};
use super::view::Part;
use super::{EntityUid, Record, Request};
use crate::policy::{PolicyError, stack, text};

/// Policies as programs of our own: Cedar's language, with Cedar's answers.
///
/// This is the lower door: any policies, entities and requests, no vocabulary of ours, Cedar's own treatment of errors.
/// Agents are decided on by an [`Evaluator`](crate::policy::Evaluator), which rests on it.
///
/// ```
/// use bailiwick::policy::compiled::{Compiled, Entities, EntityUid, Name, Record, Value};
///
/// let policies = Compiled::parse(r#"permit(principal, action == Action::"read", resource) when { context.hour < 18 };"#)?;
/// let uid = |kind: &str, id: &str| EntityUid::new(Name::new(kind), id);
/// let context: Record = [(Name::new("hour"), Value::Long(9))].into_iter().collect();
/// let response = policies.evaluate(
///     &uid("User", "ada"), &uid("Action", "read"), &uid("File", "a.txt"), &context, &Entities::none(),
/// );
/// assert!(response.is_allowed());
/// assert_eq!(response.determining().collect::<Vec<_>>(), ["policy0"]);
/// # Ok::<(), bailiwick::policy::PolicyError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Compiled {
    rules: Vec<Arc<Rule>>,
    index: Index,
}

/// What a set of policies answers.
#[derive(Debug, Clone)]
pub struct Response<'c> {
    policies: &'c Compiled,
    tally: Tally,
}

/// The numbers of policies.
type Numbers = SmallVec<[u32; 4]>;

/// The policies that applied, and those that failed, as they were met.
#[derive(Debug, Clone, Default)]
pub(in crate::policy) struct Tally {
    pub(in crate::policy) permits: Numbers,
    pub(in crate::policy) forbids: Numbers,
    pub(in crate::policy) errors: Numbers,
}

impl Compiled {
    /// Parses and compiles policies. Those without a template are named as Cedar names them: `policy0`, `policy1`, in
    /// the order of the text. A template is nothing until it is linked.
    ///
    /// # Errors
    ///
    /// The text is over a bound, or does not parse.
    pub fn parse(policies: &str) -> Result<Self, PolicyError> {
        text::split(policies)?;
        stack::deep(|| Self::build(&policies.parse().map_err(PolicyError::cedar)?))
    }

    /// The same, each policy named by its `@id` where it has one, as Cedar's command line names them.
    ///
    /// # Errors
    ///
    /// The text is over a bound, does not parse, or gives one name to two policies.
    pub fn named(policies: &str) -> Result<Self, PolicyError> {
        text::split(policies)?;
        stack::deep(|| {
            let parsed: PolicySet = policies.parse().map_err(PolicyError::cedar)?;
            let named = parsed.policies().map(|policy| match policy.annotation("id") {
                Some(name) => policy.new_id(PolicyId::new(name)),
                None => policy.clone(),
            });
            Self::build(&PolicySet::from_policies(named).map_err(PolicyError::cedar)?)
        })
    }

    /// Compiles policies that Cedar has parsed, links of templates among them.
    ///
    /// # Errors
    ///
    /// There are more policies, or one is longer or deeper, than a text may have; or Cedar has no syntax tree of one.
    pub fn new(policies: &PolicySet) -> Result<Self, PolicyError> {
        text::check_count(policies.policies().count())?;
        stack::deep(|| {
            policies.policies().try_for_each(|policy| text::split(&policy.to_string()).map(drop))?;
            Self::build(policies)
        })
    }

    fn build(policies: &PolicySet) -> Result<Self, PolicyError> {
        let mut rules = policies.policies().map(Rule::of).collect::<Result<Vec<_>, _>>()?;
        // Cedar keeps policies in no order.
        rules.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(Self::of(rules.into_iter().map(Arc::new).collect()))
    }

    pub(in crate::policy) fn of(rules: Vec<Arc<Rule>>) -> Self {
        let index = Index::new(rules.iter().map(AsRef::as_ref));
        Self { rules, index }
    }

    /// Decides as Cedar's `is_authorized` does, without allocating unless more than four policies apply, or a policy
    /// makes a record or a set out of the request and uses it as a value.
    pub fn evaluate(
        &self,
        principal: &EntityUid,
        action: &EntityUid,
        resource: &EntityUid,
        context: &Record,
        entities: &Entities,
    ) -> Response<'_> {
        let known = |uid| Known::of(EntityUid::view(uid), entities);
        let asked = Asked {
            principal: known(principal),
            action: known(action),
            resource: known(resource),
            context: Part::Stored(context),
            entities,
        };
        self.ask(&asked)
    }

    /// Asks every policy that can matter.
    pub(in crate::policy) fn ask(&self, asked: &Asked<'_>) -> Response<'_> {
        let mut asking = Asking::new(self, asked);
        self.index.buckets(&asked.action, |bucket| asking.ask(bucket, |_| true));
        Response { policies: self, tally: asking.tally }
    }

    /// The same for a whole request.
    pub fn answer(&self, request: &Request) -> Response<'_> {
        let Request { principal, action, resource, context, entities } = request;
        self.evaluate(principal, action, resource, context, entities)
    }

    /// Asks the policies in these buckets that `counts` lets count.
    pub(in crate::policy) fn tally(&self, buckets: &[usize], asked: &Asked<'_>, counts: impl Fn(u32) -> bool) -> Tally {
        let mut asking = Asking::new(self, asked);
        buckets.iter().for_each(|bucket| asking.ask(*bucket, &counts));
        asking.tally
    }

    pub(in crate::policy) fn index(&self) -> &Index {
        &self.index
    }

    /// The policies that are evaluated by Cedar itself: they have a node that is not known here, or the annotation
    /// `@engine("cedar")`.
    pub fn foreign(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter(|rule| rule.is_foreign()).map(|rule| rule.id.as_str())
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    fn ids(&self, numbers: &[u32]) -> impl Iterator<Item = &str> {
        numbers.iter().filter_map(|number| self.rules.get(*number as usize)).map(|rule| rule.id.as_str())
    }
}

/// One request to one set of policies.
struct Asking<'a> {
    policies: &'a Compiled,
    asked: &'a Asked<'a>,
    made: Made,
    tally: Tally,
}

impl<'a> Asking<'a> {
    fn new(policies: &'a Compiled, asked: &'a Asked<'a>) -> Self {
        Self { policies, asked, made: Made::default(), tally: Tally::default() }
    }

    /// Asks the policies in one bucket.
    #[inline]
    fn ask(&mut self, bucket: usize, counts: impl Fn(u32) -> bool) {
        let Self { policies, asked, made, tally } = self;
        policies.index.each(bucket, asked, |number| {
            if !counts(number) {
                return;
            }
            // A policy that is not there has failed: were it left out, it might have been one that forbids.
            let Some(rule) = policies.rules.get(number as usize) else { return tally.errors.push(number) };
            let list = match (rule.applies(asked, made), rule.effect) {
                (Ok(false), _) => return,
                (Ok(true), Effect::Permit) => &mut tally.permits,
                (Ok(true), Effect::Forbid) => &mut tally.forbids,
                (Err(_), _) => &mut tally.errors,
            };
            if !rule.may_be_met_twice() || !list.contains(&number) {
                list.push(number);
            }
        });
    }
}

impl<'c> Response<'c> {
    /// Whether the request is allowed: some policy permits and none forbids. Policies that failed do not count, which is
    /// Cedar's rule and not that of an [`Evaluator`](crate::policy::Evaluator).
    pub fn is_allowed(&self) -> bool {
        self.tally.forbids.is_empty() && !self.tally.permits.is_empty()
    }

    /// The policies that decided, in no order: those that forbid, or else those that permit.
    pub fn determining(&self) -> impl Iterator<Item = &str> {
        let Tally { permits, forbids, .. } = &self.tally;
        self.policies.ids(if forbids.is_empty() { permits } else { forbids })
    }

    /// The policies that failed, in no order.
    pub fn failed(&self) -> impl Iterator<Item = &str> {
        self.policies.ids(&self.tally.errors)
    }
}
