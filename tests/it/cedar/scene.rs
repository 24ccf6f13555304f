//! What is decided on: policies, entities in a hierarchy without cycles, requests.

use std::collections::BTreeMap;
use std::fmt;

use super::dice::Dice;
use super::policies::{Policy, Style};
use super::things::{ATTRIBUTES, GROUPS, TAGS, Things, UIDS, Uid, show, things};

/// As many requests as each scene has.
pub(crate) const REQUESTS: usize = 6;

/// Prints as what a reader needs to see it again.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) policies: Vec<Policy>,
    pub(crate) entities: BTreeMap<Uid, Known>,
    pub(crate) requests: Vec<Request>,
    /// Whether our side gets its values from Cedar's, rather than made directly.
    pub(crate) converted: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) parents: Vec<Uid>,
    pub(crate) attributes: Things,
    pub(crate) tags: Things,
}

#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) principal: Uid,
    pub(crate) action: Uid,
    pub(crate) resource: Uid,
    pub(crate) context: Things,
}

impl Scene {
    pub(crate) fn of(dice: &mut Dice<'_>, style: Style) -> Self {
        let converted = dice.one_in(2);
        let count = if style == Style::Scopes { 10 + dice.below(40) } else { 2 + dice.below(6) };
        let effects = dice.pick(&["permit", "forbid", "both"]);
        let mut policies: Vec<Policy> = Vec::new();
        for place in 0..count {
            let forbids = effects == "forbid" || effects == "both" && dice.one_in(2);
            policies.push(Policy::of(dice, format!("policy{place}"), forbids, style));
        }
        let mut entities = BTreeMap::new();
        // Few entities are found in another way than many.
        let missing = if dice.one_in(3) { 2 } else { 8 };
        for (place, uid) in UIDS.iter().enumerate() {
            if dice.one_in(missing) {
                continue;
            }
            let above = GROUPS.max(place + 1);
            // Parents may be missing themselves.
            let count = if above < UIDS.len() { dice.below(4) } else { 0 };
            let parents = (0..count).map(|_| dice.pick(&UIDS[above..])).collect();
            // Groups are bare, and so is everything where the scopes matter.
            let few = if style == Style::Scopes || place >= GROUPS { 8 } else { 0 };
            let attributes = things(dice, (ATTRIBUTES, few), 2);
            let tags = if dice.one_in(4) { Vec::new() } else { things(dice, (TAGS, few), 2) };
            entities.insert(*uid, Known { parents, attributes, tags });
        }
        let requests = (0..REQUESTS).map(|_| Request::of(dice, style)).collect();
        Self { policies, entities, requests, converted }
    }
}

impl Request {
    fn of(dice: &mut Dice<'_>, style: Style) -> Self {
        let party = |dice: &mut Dice<'_>| {
            let from = if dice.one_in(6) { UIDS } else { &UIDS[..5] };
            dice.pick(from)
        };
        let action = if dice.one_in(24) { dice.pick(UIDS) } else { dice.pick(&UIDS[5..GROUPS]) };
        let context = things(dice, (ATTRIBUTES, if style == Style::Scopes { 8 } else { 0 }), 2);
        Self { principal: party(dice), action, resource: party(dice), context }
    }
}

impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "values {}", if self.converted { "by way of Cedar" } else { "made directly" })?;
        self.policies.iter().try_for_each(|policy| write!(f, "{policy}"))?;
        for (uid, known) in &self.entities {
            let parents: Vec<String> = known.parents.iter().map(ToString::to_string).collect();
            writeln!(f, "{uid} in [{}] {} tags {}", parents.join(", "), show(&known.attributes), show(&known.tags))?;
        }
        self.requests.iter().try_for_each(|request| writeln!(f, "{request}"))
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.principal, self.action, self.resource, show(&self.context))
    }
}
