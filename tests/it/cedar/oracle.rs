//! Asks Cedar and the compiled policies the same, and says where they differ.

use std::collections::{HashMap, HashSet};

use bailiwick::policy::compiled::{Compiled, Entities, Entity, EntityUid, Record};
use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Policy as CedarPolicy, PolicyId, PolicySet, Request, Response,
    SlotId, Template,
};

use super::policies::Policy;
use super::scene::{self, Scene};
use super::things::{cedar_pairs, our_record};

/// What became of one policy in one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    Satisfied,
    Unsatisfied,
    Failed,
}

/// Decides on every request of the scene; tells `seen` what became of each policy, where the answer shows it.
///
/// What differs is said of a scene with nothing in it that could be left out.
pub(crate) fn hold(scene: &Scene, seen: &mut dyn FnMut(&Policy, Fate)) -> Result<(), String> {
    compare(scene, seen).map_err(|difference| smallest(scene, difference))
}

fn compare(scene: &Scene, seen: &mut dyn FnMut(&Policy, Fate)) -> Result<(), String> {
    let policies = policy_set(&scene.policies);
    let compiled = compile(&scene.policies, &policies, scene.converted);
    let entities = cedar_entities(scene);
    let ours = if scene.converted { Entities::try_from(&entities).unwrap() } else { our_entities(scene) };
    for request in &scene.requests {
        let asked = cedar_request(request);
        let wanted = Answer::cedars(&Authorizer::new().is_authorized(&asked, &policies, &entities));
        let context = match asked.context() {
            Some(context) if scene.converted => Record::try_from(context).unwrap(),
            _ => our_record(&request.context),
        };
        let found = Answer::of(
            &compiled,
            [request.principal, request.action, request.resource].map(|uid| uid.ours()),
            &context,
            &ours,
        );
        if wanted != found {
            return Err(format!("asked {request}\ncedar says {wanted:?}\nwe say     {found:?}\nof {scene:?}"));
        }
        for policy in scene.policies.iter().filter(|policy| policy.links.is_none()) {
            wanted.fate(policy).into_iter().for_each(|fate| seen(policy, fate));
        }
    }
    Ok(())
}

/// Leaves out what does not make the difference go away, one thing after the other.
fn smallest(scene: &Scene, mut difference: String) -> String {
    let mut scene = scene.clone();
    let mut keeps = |smaller: Scene, scene: &mut Scene| {
        if let Err(still) = compare(&smaller, &mut |_, _| {}) {
            (*scene, difference) = (smaller, still);
        }
    };
    for place in (0..scene.requests.len()).rev() {
        let mut smaller = scene.clone();
        smaller.requests.remove(place);
        keeps(smaller, &mut scene);
    }
    for place in (0..scene.policies.len()).rev() {
        let mut smaller = scene.clone();
        smaller.policies.remove(place);
        keeps(smaller, &mut scene);
    }
    let uids: Vec<_> = scene.entities.keys().copied().collect();
    for uid in uids {
        let mut smaller = scene.clone();
        smaller.entities.remove(&uid);
        keeps(smaller, &mut scene);
        let Some(known) = scene.entities.get(&uid).cloned() else { continue };
        for place in (0..known.attributes.len()).rev() {
            let mut smaller = scene.clone();
            smaller.entities.get_mut(&uid).unwrap().attributes.remove(place);
            keeps(smaller, &mut scene);
        }
    }
    for place in (0..scene.requests.first().map_or(0, |request| request.context.len())).rev() {
        let mut smaller = scene.clone();
        smaller.requests[0].context.remove(place);
        keeps(smaller, &mut scene);
    }
    difference
}

/// A decision: everything that Cedar says, in order, nothing twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) allowed: bool,
    pub(crate) determining: Vec<String>,
    pub(crate) failed: Vec<String>,
}

impl Answer {
    pub(crate) fn cedars(response: &Response) -> Self {
        let failed = response.diagnostics().errors().map(|error| match error {
            AuthorizationError::PolicyEvaluationError(error) => error.policy_id().to_string(),
        });
        Self {
            allowed: response.decision() == Decision::Allow,
            determining: sorted(response.diagnostics().reason().map(ToString::to_string)),
            failed: sorted(failed),
        }
    }

    pub(crate) fn of(policies: &Compiled, asked: [EntityUid; 3], context: &Record, entities: &Entities) -> Self {
        let [principal, action, resource] = &asked;
        let response = policies.evaluate(principal, action, resource, context, entities);
        Self {
            allowed: response.is_allowed(),
            determining: sorted(response.determining().map(str::to_owned)),
            failed: sorted(response.failed().map(str::to_owned)),
        }
    }

    /// None where policies of the other effect won.
    fn fate(&self, policy: &Policy) -> Option<Fate> {
        let others_won = !self.determining.is_empty() && self.allowed == policy.forbids;
        if self.failed.contains(&policy.id) {
            Some(Fate::Failed)
        } else if self.determining.contains(&policy.id) {
            Some(Fate::Satisfied)
        } else {
            (!others_won).then_some(Fate::Unsatisfied)
        }
    }
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    texts.sort_unstable();
    texts
}

fn policy_set(policies: &[Policy]) -> PolicySet {
    let mut set = PolicySet::new();
    for Policy { id, text, links, .. } in policies {
        let id = PolicyId::new(id);
        let parsed = match links {
            None => CedarPolicy::parse(Some(id.clone()), text).map(|policy| set.add(policy).unwrap()),
            Some(_) => Template::parse(Some(id.clone()), text).map(|template| set.add_template(template).unwrap()),
        };
        parsed.unwrap_or_else(|error| panic!("Cedar does not read {text}: {error:?}"));
        for link in links.iter().flatten() {
            let slots = [(SlotId::principal(), link.principal), (SlotId::resource(), link.resource)];
            let values: HashMap<_, _> =
                slots.into_iter().filter_map(|(slot, uid)| Some((slot, uid?.cedar()))).collect();
            set.link(id.clone(), PolicyId::new(&link.id), values).unwrap();
        }
    }
    set
}

/// From the text where that says everything, and is within bounds; otherwise from what Cedar has read.
fn compile(policies: &[Policy], set: &PolicySet, by_text: bool) -> Compiled {
    let text: String = policies.iter().map(|policy| policy.text.as_str()).collect();
    let is_told = |(place, policy): (usize, &Policy)| policy.links.is_none() && policy.id == format!("policy{place}");
    let parsed = (by_text && policies.iter().enumerate().all(is_told)).then(|| Compiled::parse(&text).ok());
    parsed.flatten().unwrap_or_else(|| Compiled::new(set).unwrap())
}

pub(crate) fn cedar_entities(scene: &Scene) -> cedar_policy::Entities {
    let entities = scene.entities.iter().map(|(uid, known)| {
        let parents: HashSet<_> = known.parents.iter().map(|parent| parent.cedar()).collect();
        let (attributes, tags) = (cedar_pairs(&known.attributes), cedar_pairs(&known.tags));
        cedar_policy::Entity::new_with_tags(uid.cedar(), attributes, parents, tags).unwrap()
    });
    cedar_policy::Entities::from_entities(entities, None).unwrap()
}

pub(crate) fn our_entities(scene: &Scene) -> Entities {
    let entities = scene.entities.iter().map(|(uid, known)| {
        let entity = Entity::new(uid.ours(), our_record(&known.attributes));
        let entity = entity.within(known.parents.iter().map(|parent| parent.ours()));
        if known.tags.is_empty() { entity } else { entity.tagged(our_record(&known.tags)) }
    });
    Entities::new(entities).unwrap()
}

fn cedar_request(request: &scene::Request) -> Request {
    let context = Context::from_pairs(cedar_pairs(&request.context)).unwrap();
    let [principal, action, resource] = [request.principal, request.action, request.resource].map(|uid| uid.cedar());
    Request::new(principal, action, resource, context, None).unwrap()
}
