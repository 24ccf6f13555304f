//! The policies: ten for each tool, five of which are about the agent that asks, and one for all tools.

use crate::facts::{FILER, PAYER, decimal};

/// Policies for each tool.
const PER_TOOL: usize = 10;

/// What a policy does where it applies. What nothing permits is denied, and a `Forbid` beats every `Permit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Permit,
    Forbid,
}

/// Whom a policy is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Anybody,
    /// Members of [`OFFICE`](crate::OFFICE).
    Office,
    /// The agent with this id.
    Agent(&'static str),
}

/// When a policy applies. Amounts are in cents.
#[derive(Debug, Clone)]
pub enum Condition {
    /// On behalf of a person who approved `scope`, and the amount is below the limit.
    ForPerson { scope: String, below: i32 },
    /// The agent alone, beneath a path, at most so many.
    AloneBeneath { path: &'static str, most: i32 },
    /// Resources of a kind, from one hour until before another, small amounts, not deep.
    SmallByDay { kind: &'static str, from: i32, before: i32, below: i32, depth: i32 },
    /// Beneath a path.
    Beneath { path: &'static str },
    /// Before one hour or from another on, unless the agent is attested.
    UnattestedOutside { from: i32, before: i32 },
    /// More than so many.
    MoreThan { most: i32 },
}

/// One policy.
#[derive(Debug, Clone)]
pub struct Rule {
    pub id: String,
    pub effect: Effect,
    pub who: Who,
    /// All tools where there is none.
    pub tool: Option<String>,
    pub condition: Condition,
}

/// The tools that `n` policies are about.
pub fn tools(n: usize) -> Vec<String> {
    (0..n / PER_TOOL).map(|number| format!("tool-{number:04}")).collect()
}

/// `n` policies, of which six can matter for each of the requests.
pub fn rules(n: usize) -> Vec<Rule> {
    let rule = |number: usize| {
        let tool = format!("tool-{:04}", number / PER_TOOL);
        // So that not every condition is written with the same numbers.
        let below = 50_000 - (number / PER_TOOL % 10) as i32;
        let (effect, who, condition) = match number % PER_TOOL % 5 {
            0 => (Effect::Forbid, Who::Anybody, Condition::Beneath { path: "/secret/" }),
            1 => (Effect::Forbid, Who::Office, Condition::UnattestedOutside { from: 6, before: 20 }),
            2 => (Effect::Permit, Who::Office, Condition::ForPerson { scope: tool.clone(), below }),
            3 => (Effect::Permit, Who::Agent(FILER), Condition::AloneBeneath { path: "/inbox/", most: 3 }),
            _ => {
                let day = Condition::SmallByDay { kind: "folder", from: 8, before: 18, below: 5_000, depth: 3 };
                (Effect::Permit, Who::Anybody, day)
            }
        };
        let who = if number % PER_TOOL < 5 { who } else { Who::Agent(PAYER) };
        Rule { id: format!("p{number}"), effect, who, tool: Some(tool), condition }
    };
    let mut rules: Vec<Rule> = (0..n).map(rule).collect();
    // One for all tools, in the place of the first tool's last.
    rules[PER_TOOL - 1] = Rule {
        id: "all".to_owned(),
        effect: Effect::Forbid,
        who: Who::Anybody,
        tool: None,
        condition: Condition::MoreThan { most: 100 },
    };
    rules
}

impl Condition {
    /// The limit of the amount as a decimal, where there is one.
    pub fn limit(&self) -> Option<String> {
        match self {
            Self::ForPerson { below, .. } | Self::SmallByDay { below, .. } => Some(decimal(*below)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OFFICE, Request, requests};

    fn applies(rule: &Rule, request: &Request) -> bool {
        let (agent, context) = (&request.agent, &request.context);
        let asked = rule.tool.as_ref().is_none_or(|tool| *tool == request.tool)
            && match rule.who {
                Who::Anybody => true,
                Who::Office => agent.groups.contains(&OFFICE),
                Who::Agent(id) => agent.id == id,
            };
        asked
            && match &rule.condition {
                Condition::ForPerson { scope, below } => {
                    context.mode == "on_behalf_of" && context.scopes.contains(scope) && context.amount < *below
                }
                Condition::AloneBeneath { path, most } => {
                    context.mode == "autonomous" && context.path.starts_with(path) && context.count <= *most
                }
                Condition::SmallByDay { kind, from, before, below, depth } => {
                    request.resource.kind == *kind
                        && (*from..*before).contains(&context.hour)
                        && context.amount < *below
                        && context.depth < *depth
                }
                Condition::Beneath { path } => context.path.starts_with(path),
                Condition::UnattestedOutside { from, before } => {
                    !(*from..*before).contains(&context.hour) && !agent.attested
                }
                Condition::MoreThan { most } => context.count > *most,
            }
    }

    #[test]
    fn the_answers_are_those_of_the_rules() {
        for n in [10, 100, 1_000] {
            let rules = rules(n);
            for request in requests(n) {
                let any = |effect| rules.iter().any(|rule| rule.effect == effect && applies(rule, &request));
                assert_eq!(any(Effect::Permit) && !any(Effect::Forbid), request.allowed, "{request:?}");
            }
        }
    }

    #[test]
    fn six_policies_can_matter() {
        for n in [100, 1_000] {
            let rules = rules(n);
            assert_eq!(rules.len(), n);
            for request in requests(n) {
                let matters = |rule: &&Rule| {
                    rule.tool.as_ref().is_none_or(|tool| *tool == request.tool) && rule.who != Who::Agent(PAYER)
                };
                assert_eq!(rules.iter().filter(matters).count(), 6);
            }
        }
    }
}
