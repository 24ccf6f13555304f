//! What holds of every action, scope and policy, whatever they are.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use bailiwick::Halt;
use bailiwick::audit::{AgentFact, Decided, Event, Permit};
use bailiwick::identity::AgentIdentity;
use bailiwick::mandate::{
    Action, ActionClass, ActionRequest, Approval, Grant, Intent, LedgerView, Mandate, Scope, Standing,
};
use bailiwick::policy::{Evaluator, Outcome, Question, ReasonCode, Verdict};
use bailiwick::time::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use crate::any::{self, hold_often};
use crate::terms;
use crate::world::{OPEN, START, World, at, catalog, operator, scope, ticket};

/// A policy, and what it says, in Rust.
#[derive(Debug, Clone)]
struct Rule {
    id: &'static str,
    says: Says,
    text: &'static str,
    applies: fn(&Action, &LedgerView) -> bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    Permit,
    /// Forbids until a human has approved exactly this action.
    Ask,
    Forbid,
}

fn rules() -> Vec<Rule> {
    let permit = |id, text, applies| Rule { id, says: Says::Permit, text, applies };
    let ask = |id, text, applies| Rule { id, says: Says::Ask, text, applies };
    let forbid = |id, text, applies| Rule { id, says: Says::Forbid, text, applies };
    vec![
        permit("all", "permit(principal, action, resource);", |_, _| true),
        permit("reads", r#"permit(principal, action in Action::"any read", resource);"#, |action, _| {
            matches!(action.tool().as_str(), "ticket.read" | "web.fetch")
        }),
        permit("tickets", r#"permit(principal, action, resource) when { resource.kind == "ticket" };"#, |action, _| {
            action.resource().kind() == "ticket"
        }),
        permit(
            "people",
            r#"permit(principal, action, resource) when { context.mode == "on_behalf_of" };"#,
            |action, _| action.mode().operator().is_some(),
        ),
        ask(
            "accounts",
            r#"forbid(principal, action, resource) when { resource.kind == "account" } unless { context.approved };"#,
            |action, _| action.resource().kind() == "account",
        ),
        forbid(
            "untrusted",
            r#"forbid(principal, action, resource) when { context.task.labels.contains("untrusted") };"#,
            |_, ledger| ledger.labels.iter().any(|label| label.as_str() == "untrusted"),
        ),
        forbid("T-43", r#"forbid(principal, action, resource) when { resource.name == "T-43" };"#, |action, _| {
            action.resource().name() == "T-43"
        }),
        forbid(
            "purge-alone",
            r#"forbid(principal, action == Action::"ticket.purge", resource) unless { context.mode == "on_behalf_of" };"#,
            |action, _| action.tool().as_str() == "ticket.purge" && action.mode().operator().is_none(),
        ),
        forbid("three", "forbid(principal, action, resource) when { context.task.calls >= 3 };", |_, ledger| {
            ledger.calls >= 3
        }),
    ]
}

fn load(rules: &[Rule]) -> Evaluator {
    Evaluator::new(catalog(), &text(rules)).expect("policies")
}

/// Some of the rules are as broad as can be.
fn text(rules: &[Rule]) -> String {
    let broad = r#"@allow("unconditional-permit broad-administration")"#;
    rules.iter().map(|rule| format!("@id(\"{}\") {broad} {}\n", rule.id, rule.text)).collect()
}

/// Some rules, in some order: more permits than forbids, so that something is left to forbid.
fn some_rules() -> impl Strategy<Value = Vec<Rule>> {
    let (permits, forbids): (Vec<Rule>, Vec<Rule>) = rules().into_iter().partition(|rule| rule.says == Says::Permit);
    let some = (subsequence(permits, 0..=4), subsequence(forbids, 0..=2));
    some.prop_map(|(permits, forbids)| [permits, forbids].concat()).prop_shuffle()
}

/// What a task may have done before.
pub(crate) fn ledger() -> impl Strategy<Value = LedgerView> {
    let labels = prop_oneof![Just(vec![]), subsequence(vec!["internal", "untrusted"], 0..=2)];
    (0_u32..5, 0_u32..5, labels).prop_map(|(calls, tool_calls, labels)| {
        let mut view = LedgerView::default();
        view.step = u64::from(calls) + 1;
        (view.calls, view.tool_calls) = (calls, tool_calls.min(calls));
        view.labels = labels.into_iter().map(|label| label.parse().expect("a label")).collect();
        view
    })
}

/// A question to the rules, of which every part can be exchanged.
pub(crate) struct Bar {
    pub(crate) world: World,
    agent: AgentIdentity,
    standing: Standing,
    request: ActionRequest,
    until: Timestamp,
}

impl Bar {
    /// Takes the parts that only the door makes from a task's first decision.
    pub(crate) fn new() -> Self {
        let world = World::new(OPEN);
        let task = world.task(scope());
        let read = Action::on_behalf_of(&world.ada, "ticket.read", &ticket()).unwrap();
        let request = task.request(&read);
        drop(task.authorize(&read));
        let (decided, _) = decisions(&world.sink.events()).remove(0);
        let (agent, until) = (world.agent(), task.until());
        drop(task);
        Self { world, agent, standing: decided.standing, request, until }
    }

    fn decide(&self, evaluator: &Evaluator, scope: &Scope, ledger: &LedgerView, action: &Action) -> Verdict {
        self.ask(scope, ledger, action, |question| evaluator.decide(question))
    }

    pub(crate) fn ask<T>(
        &self,
        scope: &Scope,
        ledger: &LedgerView,
        action: &Action,
        ask: impl FnOnce(&Question<'_>) -> T,
    ) -> T {
        let intent = Intent::new("close stale tickets", scope.clone()).unwrap();
        let mandate = Mandate::new(self.agent.clone(), intent).approved_by(&self.world.ada);
        let (standing, request) = (&self.standing, &self.request);
        ask(&Question::new(&mandate, standing, ledger, action, request, self.until, at(START)))
    }
}

/// The decisions among these events, and when they were taken.
pub(crate) fn decisions(events: &[Event]) -> Vec<(Decided, Timestamp)> {
    let records = events.iter().filter_map(|event| event.agent.as_ref());
    let decided = records.filter_map(|record| match &record.fact {
        AgentFact::Decided(decided) => Some(((**decided).clone(), record.link.at)),
        _ => None,
    });
    decided.collect()
}

/// Every tool, in every way, without being asked about what the classes let pass.
fn everything() -> Scope {
    let tools = catalog();
    tools.tools().fold(Scope::new(), |scope, tool| {
        scope.allow(tool.name().as_str(), Grant::new().autonomous()).expect("no tool twice")
    })
}

/// Any scope, or every tool.
fn some_scope() -> impl Strategy<Value = Scope> {
    prop_oneof![terms::terms().prop_map(|terms| terms.scope()), Just(everything())]
}

#[test]
fn an_agent_user_adds_nothing_and_its_own_takes_nothing() {
    let bar = Bar::new();
    let input = (some_rules(), some_scope(), ledger(), vec(any::action(), 16));
    hold_often((48, 8), input, |(rules, scope, ledger, actions)| {
        let evaluator = load(&rules);
        let mut permitted = false;
        for action in actions {
            let verdict = bar.decide(&evaluator, &scope, &ledger, &action);
            let own = bar.decide(&evaluator, &scope, &ledger, &action.clone().presenting(&bar.world.triage_bot));
            let other = bar.decide(&evaluator, &scope, &ledger, &action.clone().presenting(&bar.world.payer_bot));
            prop_assert_eq!(&own, &verdict, "{:?}", action);
            prop_assert_eq!(other.reason.map(|reason| reason.code()), Some(ReasonCode::AgentUserNotBound));
            permitted |= verdict.outcome == Outcome::Permitted;
        }
        Ok(permitted)
    });
}

#[test]
fn no_policy_lets_an_agent_user_add_authority() {
    let bar = Bar::new();
    let read = Action::on_behalf_of(&bar.world.ada, "ticket.read", &ticket()).unwrap();
    let presenting = read.clone().presenting(&bar.world.triage_bot);
    let policies = [
        r#"@id("seen") @allow("broad-administration")
           permit(principal, action, resource) when { context has agent_user };"#,
        r#"@id("all") @allow("unconditional-permit") permit(principal, action, resource);
           @id("unseen") forbid(principal, action, resource) unless { context has agent_user };"#,
    ];
    for policies in policies {
        // A policy that does not load lets nothing pass either.
        let Ok(evaluator) = Evaluator::new(catalog(), policies) else { continue };
        let outcome = |action| bar.decide(&evaluator, &everything(), &LedgerView::default(), action).outcome;
        assert_eq!(outcome(&read), Outcome::Denied, "{policies}");
        assert_eq!(outcome(&presenting), Outcome::Denied, "presenting, {policies}");
    }
}

#[test]
fn a_narrower_scope_permits_no_more() {
    let bar = Bar::new();
    let named = |ids: &[&str]| load(&rules().into_iter().filter(|rule| ids.contains(&rule.id)).collect::<Vec<_>>());
    let evaluators = [
        named(&["all"]),
        named(&["reads", "people"]),
        named(&["all", "accounts", "T-43"]),
        named(&["tickets", "people", "untrusted", "purge-alone", "three"]),
    ];
    let input = (terms::terms(), terms::terms(), ledger(), vec(any::action(), 16));
    hold_often((128, 20), input, |(wide, other, ledger, actions)| {
        let (wide, narrow) = (wide.scope(), wide.and(&other).scope());
        let mut passed = false;
        for (action, evaluator) in actions.iter().zip(evaluators.iter().cycle()) {
            let more = bar.decide(evaluator, &wide, &ledger, action);
            let less = bar.decide(evaluator, &narrow, &ledger, action);
            prop_assert!(less.outcome <= more.outcome, "{:?}: {:?}, {:?}", action, less, more);
            passed |= less.outcome > Outcome::Denied;
        }
        Ok(passed)
    });
}

#[test]
fn one_more_forbid_permits_no_more() {
    let bar = Bar::new();
    let forbids: Vec<Rule> = rules().into_iter().filter(|rule| rule.says != Says::Permit).collect();
    let input = (some_rules(), select(forbids), any::<Index>(), ledger(), vec(any::action(), 16));
    hold_often((32, 2), input, |(mut rules, forbid, place, ledger, actions)| {
        rules.retain(|rule| rule.id != forbid.id);
        let without = load(&rules);
        rules.insert(place.index(rules.len() + 1), forbid);
        let with = load(&rules);
        let mut bites = false;
        for action in actions {
            let more = bar.decide(&without, &everything(), &ledger, &action);
            let less = bar.decide(&with, &everything(), &ledger, &action);
            prop_assert!(less.outcome <= more.outcome, "{:?}: {:?}, {:?}", action, less, more);
            bites |= less.outcome < more.outcome;
        }
        Ok(bites)
    });
}

#[test]
fn deny_beats_hold_beats_permit_in_every_order_of_the_policies() {
    let bar = Bar::new();
    let seen = Cell::new([0; 3]);
    let input = (some_rules(), ledger(), vec(any::action(), 16));
    hold_often((48, 0), input, |(rules, ledger, actions)| {
        let evaluator = load(&rules);
        let tools = catalog();
        for action in actions {
            let tool = tools.get(action.tool()).expect("a declared tool");
            if tool.check(action.arguments()).is_err() {
                continue;
            }
            let applying = |says| {
                let some = rules.iter().filter(|rule| rule.says == says && (rule.applies)(&action, &ledger));
                some.map(|rule| rule.id).collect::<BTreeSet<_>>()
            };
            let (permits, asks, forbids) = (applying(Says::Permit), applying(Says::Ask), applying(Says::Forbid));
            let against = &asks | &forbids;
            let asked = !asks.is_empty() || tool.class() >= ActionClass::Irreversible;
            let expected = match (forbids.is_empty(), permits.is_empty(), asked) {
                (false, ..) => (Outcome::Denied, Some(ReasonCode::Forbidden), against),
                (true, true, _) if !asks.is_empty() => (Outcome::Denied, Some(ReasonCode::Forbidden), against),
                (true, true, _) => (Outcome::Denied, Some(ReasonCode::NotPermitted), against),
                (true, false, true) => (Outcome::Held, Some(ReasonCode::NeedsApproval), permits),
                (true, false, false) => (Outcome::Permitted, None, permits),
            };
            let verdict = bar.decide(&evaluator, &everything(), &ledger, &action);
            let policies = verdict.policies.iter().map(|policy| policy.as_str()).collect();
            let found = (verdict.outcome, verdict.reason.as_ref().map(|reason| reason.code()), policies);
            prop_assert_eq!(&found, &expected, "{:?} under {:?}", action, rules);
            let mut counts = seen.get();
            counts[found.0 as usize] += 1;
            seen.set(counts);
        }
        Ok(true)
    });
    assert!(seen.get().iter().all(|count| *count >= 20), "every outcome is met: {:?}", seen.get());
}

/// What may happen between two actions of a replayed task.
#[derive(Debug, Clone)]
enum Meanwhile {
    Nothing,
    Time(u64),
    Run,
    Offboard,
    Halt,
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    prop_oneof![
        8 => Just(Meanwhile::Nothing),
        4 => (1_u64..900_000).prop_map(Meanwhile::Time),
        8 => Just(Meanwhile::Run),
        1 => Just(Meanwhile::Offboard),
        1 => Just(Meanwhile::Halt),
    ]
}

#[test]
fn a_record_s_inputs_give_the_recorded_verdict_again() {
    let rules: Vec<Rule> = rules().into_iter().filter(|rule| rule.id != "three").collect();
    let policies = text(&rules);
    let evaluator = Evaluator::new(catalog(), &policies).unwrap();
    let input = (some_scope(), vec((any::action(), meanwhile(), proptest::bool::weighted(0.8)), 4..32));
    hold_often((48, 4), input, |(scope, steps)| {
        let world = World::new(&policies);
        let agent = world.agent();
        let mandate = || {
            let intent = Intent::new("close stale tickets", scope.clone()).unwrap();
            Mandate::new(agent.clone(), intent).approved_by(&world.ada).approved_by(&world.bob)
        };
        let task = world.door.begin(mandate()).unwrap();
        let mut asked: Vec<Action> = Vec::new();
        let mut permits: Vec<Permit> = Vec::new();
        for (action, meanwhile, approve) in steps {
            match meanwhile {
                Meanwhile::Nothing => {}
                Meanwhile::Time(millis) => world.clock.advance(Duration::from_millis(millis)),
                Meanwhile::Run => {
                    if let Some(permit) = permits.pop() {
                        let arguments = permit.action().arguments().clone();
                        let _ = task.redeem(permit, &arguments);
                    }
                }
                Meanwhile::Offboard => drop(world.door.offboard(&world.bob, &operator("bob"))),
                Meanwhile::Halt => world.door.halt(&world.ada, Halt::Everything).unwrap(),
            }
            let decided = task.authorize(&action);
            asked.push(action.clone());
            if approve && decided.as_ref().is_err_and(|denial| denial.is_held()) {
                let approved = action.clone().approved(Approval::by(&world.ada, task.request(&action)));
                permits.extend(task.authorize(&approved));
                asked.push(approved);
            }
            permits.extend(decided);
        }

        let recorded = decisions(&world.sink.events());
        prop_assert_eq!(recorded.len(), asked.len());
        let mandate = mandate();
        for ((decided, now), action) in recorded.iter().zip(&asked) {
            let (standing, ledger, request) = (&decided.standing, &decided.ledger, task.request(action));
            let question = Question::new(&mandate, standing, ledger, action, &request, decided.until, *now);
            prop_assert_eq!(&evaluator.decide(&question), &decided.verdict, "{:?}", action);
        }
        Ok(recorded.iter().any(|(decided, _)| decided.verdict.rests_on_approval))
    });
}

/// What the memory of approvals answered is one of a decision's inputs.
#[test]
fn a_spent_approval_is_refused_again_when_its_record_is_replayed() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let purge = Action::on_behalf_of(&world.ada, "ticket.purge", &ticket()).unwrap();
    let approved = purge.clone().approved(Approval::by(&world.ada, task.request(&purge)));
    let _first = task.authorize(&approved).unwrap();
    assert_eq!(task.authorize(&approved).unwrap_err().code(), ReasonCode::ApprovalSpent);

    let (second, now) = decisions(&world.sink.events()).pop().unwrap();
    let (evaluator, mandate) = (Evaluator::new(catalog(), OPEN).unwrap(), world.mandate(scope()));
    let (standing, ledger, request) = (&second.standing, &second.ledger, task.request(&approved));
    let question = Question::new(&mandate, standing, ledger, &approved, &request, second.until, now);
    assert_eq!(evaluator.decide(&question), second.verdict);
}
