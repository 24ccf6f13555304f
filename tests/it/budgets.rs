//! Budgets: what a task uses up in all or within a time is never more than was approved, and is given back exactly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::time::Duration;

use bailiwick::TaskHandle;
use bailiwick::audit::{Denial, Effect, Permit};
use bailiwick::mandate::{Action, Budget, Grant, Measure, Number, Resource, Scope, ScopeError, Shortage};
use bailiwick::policy::{Reason, ReasonCode, Retry};
use bailiwick::time::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::any::{hold_often, take};
use crate::delegated::{deep, delegate};
use crate::steps::{alone, code, read};
use crate::world::{OPEN, START, World, args, at};

fn number(text: &str) -> Number {
    text.parse().unwrap()
}

fn sum(limit: &str) -> Budget {
    Budget::sum("amount", number(limit)).unwrap()
}

fn within(budget: Budget, seconds: u64) -> Budget {
    budget.within(Duration::from_secs(seconds)).unwrap()
}

/// A grant to pay within these budgets, whatever the amount and the recipient.
fn payments(budgets: impl IntoIterator<Item = Budget>) -> Grant {
    let grant = Grant::new().autonomous().preapproved();
    budgets.into_iter().fold(grant, |grant, budget| grant.budget(budget).unwrap())
}

fn paying(budgets: impl IntoIterator<Item = Budget>) -> Scope {
    Scope::new().allow("money.send", payments(budgets)).unwrap()
}

fn pay(recipient: &str, amount: &str) -> Action {
    alone("money.send").with(args(&format!(r#"{{"recipient": "{recipient}", "amount": {amount}}}"#)))
}

fn run(task: &TaskHandle, action: &Action) -> Result<(), Denial> {
    let permit = task.authorize(action)?;
    task.redeem(permit, action.arguments())?.finish(Effect::Succeeded).unwrap();
    Ok(())
}

fn shortage(denial: &Denial) -> Shortage {
    match denial.reason() {
        Reason::Overrun(overrun) | Reason::TooSoon(overrun) => overrun.shortage,
        other => panic!("{other}"),
    }
}

#[test]
fn amounts_add_up_to_the_limit_and_no_further() {
    let world = World::new(OPEN);
    let task = world.task(paying([sum("500.00")]));
    for (amount, fits) in
        [("200", true), ("300.0001", false), ("250.50", true), ("49.5001", false), ("49.5", true), ("0", true)]
    {
        assert_eq!(run(&task, &pay("a", amount)).is_ok(), fits, "{amount}");
    }
    let denial = run(&task, &pay("a", "0.0001")).unwrap_err();
    assert_eq!((denial.code(), denial.retry()), (ReasonCode::Overrun, Retry::OtherArguments));
    // What was asked for and what is used up are arguments, and not in the text.
    assert!(
        denial
            .for_operator()
            .to_string()
            .contains("the sum of the argument amount: this action would use up more than 500")
    );
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let world = World::new(OPEN);
    let grant = |argument| Grant::new().autonomous().budget(Budget::sum(argument, number("10")).unwrap()).unwrap();
    let task = world.task(Scope::new().allow("everything", grant("blob")).unwrap());
    let with = |blob: &str| alone("everything").with(args(&format!(r#"{{"blob": {blob}}}"#)));
    for blob in ["-1", "null", r#""1""#, "true", "{}", "[1, -1]", r#"[1, "1"]"#, "[[1]]", "[1, null]"] {
        let denial = task.authorize(&with(blob)).unwrap_err();
        assert_eq!(shortage(&denial), Shortage::Unmeasured, "{blob}");
    }
    assert_eq!(shortage(&task.authorize(&alone("everything")).unwrap_err()), Shortage::Unmeasured, "missing");
    assert!(task.authorize(&with("[1, 2.5, 6.5]")).is_ok(), "a list is what its items add up to");
    assert_eq!(shortage(&task.authorize(&with("[6, 4.1]")).unwrap_err()), Shortage::TooMuch);
    // A negative amount would make room for another.
    let task = world.task(paying([sum("10")]));
    assert_eq!(shortage(&task.authorize(&pay("a", "-1")).unwrap_err()), Shortage::Unmeasured);
}

#[test]
fn money_adds_up_in_its_currency_alone() {
    let world = World::new(OPEN);
    let euros = sum("100").in_currency("EUR".parse().unwrap()).unwrap();
    let grant = Grant::new().autonomous().budget(Budget::sum("blob", number("100")).unwrap());
    let task = world.task(Scope::new().allow("everything", grant.unwrap()).unwrap());
    let with = |blob: &str| alone("everything").with(args(&format!(r#"{{"blob": {blob}}}"#)));
    assert_eq!(shortage(&task.authorize(&with(r#""10 EUR""#)).unwrap_err()), Shortage::Unmeasured, "no number");
    let grant = Grant::new().autonomous();
    let grant = grant.budget(Budget::sum("blob", number("100")).unwrap().in_currency("EUR".parse().unwrap()).unwrap());
    let task = world.task(Scope::new().allow("everything", grant.unwrap()).unwrap());
    for (blob, short) in [
        (r#""60.00 EUR""#, None),
        (r#""10.00 USD""#, Some(Shortage::Unmeasured)),
        ("10", Some(Shortage::Unmeasured)),
        (r#""-10 EUR""#, Some(Shortage::Unmeasured)),
        (r#""40.01 EUR""#, Some(Shortage::TooMuch)),
        (r#"["20 EUR", {"amount": "20.01", "currency": "EUR"}]"#, Some(Shortage::TooMuch)),
        (r#"["20 EUR", {"amount": 20, "currency": "EUR"}]"#, None),
        (r#""0.01 EUR""#, Some(Shortage::TooMuch)),
    ] {
        let found = run(&task, &with(blob)).err().map(|denial| shortage(&denial));
        assert_eq!(found, short, "{blob}");
    }
    // Euros are no dollars, and no numbers.
    let other = sum("1").in_currency("USD".parse().unwrap()).unwrap();
    for wide in [other, sum("1")] {
        assert!(!paying([euros.clone()]).is_subset(&paying([wide.clone()])));
        assert_ne!(paying([euros.clone()]).digest(), paying([wide]).digest());
    }
    assert!(Budget::calls(1).in_currency("EUR".parse().unwrap()).is_err());
}

#[test]
fn a_budget_of_the_scope_is_of_all_tools_together() {
    let world = World::new(OPEN);
    let scope = paying([]).allow("ticket.read", Grant::new().autonomous()).unwrap();
    let task = world.task(scope.budget(sum("10")).unwrap().budget(Budget::calls(3)).unwrap());
    // A tool without the argument has nothing that adds up.
    run(&task, &read()).unwrap();
    run(&task, &pay("a", "10")).unwrap();
    assert_eq!(code(run(&task, &pay("a", "1"))), Some(ReasonCode::Overrun));
    run(&task, &read()).unwrap();
    assert_eq!(code(run(&task, &read())), Some(ReasonCode::Overrun));
}

#[test]
fn different_values_and_resources_are_counted_once_each() {
    let world = World::new(OPEN);
    let task = world.task(paying([Budget::distinct("recipient", 2).unwrap()]));
    for (recipient, fits) in [("a", true), ("b", true), ("a", true), ("c", false), ("b", true)] {
        assert_eq!(run(&task, &pay(recipient, "1")).is_ok(), fits, "{recipient}");
    }
    let texts = Grant::new().autonomous().budget(Budget::distinct("texts", 2).unwrap()).unwrap();
    let task = world.task(Scope::new().allow("everything", texts).unwrap());
    for (texts, fits) in
        [(r#"["a", "a"]"#, true), (r#"["b", "c"]"#, false), (r#"["a", "b"]"#, true), (r#"["c"]"#, false), ("[]", true)]
    {
        let action = alone("everything").with(args(&format!(r#"{{"texts": {texts}}}"#)));
        assert_eq!(run(&task, &action).is_ok(), fits, "{texts}");
    }
    let scope = crate::steps::autonomous(&["ticket.read"]).budget(Budget::resources(2).unwrap()).unwrap();
    let task = world.task(scope);
    for (name, fits) in [("T-1", true), ("T-2", true), ("T-3", false), ("T-1", true)] {
        let action = Action::autonomous("ticket.read", &Resource::new("ticket", name).unwrap()).unwrap();
        assert_eq!(run(&task, &action).is_ok(), fits, "{name}");
    }
}

#[test]
fn a_rate_slides_with_time() {
    let world = World::new(OPEN);
    let task = world.task(paying([within(Budget::calls(2), 60), within(sum("100"), 600)]));
    let wait = |seconds| world.clock.advance(Duration::from_secs(seconds));
    run(&task, &pay("a", "60")).unwrap();
    wait(59);
    run(&task, &pay("a", "30")).unwrap();
    let denial = run(&task, &pay("a", "1")).unwrap_err();
    assert_eq!(
        (denial.code(), denial.retry(), shortage(&denial)),
        (ReasonCode::TooSoon, Retry::Pause, Shortage::TooSoon)
    );
    // The first is a minute ago now, and the second is not.
    wait(1);
    run(&task, &pay("a", "1")).unwrap();
    assert_eq!(code(run(&task, &pay("a", "1"))), Some(ReasonCode::TooSoon));
    wait(60);
    assert_eq!(shortage(&run(&task, &pay("a", "10")).unwrap_err()), Shortage::TooSoon);
    // What is more than all of it is never let through by time.
    assert_eq!(shortage(&run(&task, &pay("a", "101")).unwrap_err()), Shortage::TooMuch);
    wait(600);
    run(&task, &pay("a", "100")).unwrap();
}

#[test]
fn a_task_lasts_no_longer_than_its_scope_says() {
    let world = World::new(OPEN);
    let lasting = |seconds| crate::steps::autonomous(&["ticket.read"]).lasting(Duration::from_secs(seconds));
    let task = world.task(lasting(90).unwrap());
    assert_eq!(task.until(), at(START + 90));
    world.clock.advance(Duration::from_secs(89));
    run(&task, &read()).unwrap();
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(code(run(&task, &read())), Some(ReasonCode::TaskOver));
    for seconds in [0, 366 * 24 * 3600 + 1] {
        assert_eq!(lasting(seconds), Err(ScopeError::Duration(seconds)));
    }
    assert!(lasting(90).unwrap().is_subset(&lasting(91).unwrap()));
    assert!(!lasting(91).unwrap().is_subset(&lasting(90).unwrap()));
    assert!(!crate::steps::autonomous(&["ticket.read"]).is_subset(&lasting(91).unwrap()));
}

#[test]
fn a_part_spends_what_is_above_it() {
    let world = World::new(OPEN);
    let task = world.task(deep(paying([sum("100")]), 1));
    // The part has a larger room of its own in words, but it is none: it must be as narrow.
    assert!(delegate(&world, &task, "one", paying([sum("101")])).is_err());
    assert!(delegate(&world, &task, "one", paying([])).is_err());
    let part = delegate(&world, &task, "one", paying([sum("80")])).unwrap();
    let other = delegate(&world, &task, "two", paying([sum("80")])).unwrap();
    run(&part, &pay("a", "70")).unwrap();
    assert_eq!(code(run(&other, &pay("a", "31"))), Some(ReasonCode::Overrun), "the task has 30 left");
    assert_eq!(code(run(&part, &pay("a", "11"))), Some(ReasonCode::Overrun), "the part has 10 left");
    // What is given back below is given back above.
    drop(other.authorize(&pay("a", "30")).unwrap());
    run(&task, &pay("a", "30")).unwrap();
    assert_eq!(code(run(&other, &pay("a", "1"))), Some(ReasonCode::Overrun));
}

#[test]
fn many_at_once_take_no_more_than_there_is() {
    let world = World::new(OPEN);
    let task = world.task(paying([sum("50"), Budget::distinct("recipient", 4).unwrap()]).at_most(1_000));
    let start = Barrier::new(8);
    let permitted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let (task, start) = (task.handle(), &start);
                scope.spawn(move || {
                    start.wait();
                    let pay = |turn: usize| pay(&format!("r{}", (thread + turn) % 6), "1");
                    (0..20).filter(|turn| run(&task, &pay(*turn)).is_ok()).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(permitted, 50);
}

/// What happened, with everything that a budget needs to know, in order.
#[derive(Debug, Default)]
struct Diary(Vec<(Timestamp, Resource, &'static str, Number)>);

/// A budget as a person would count it.
fn is_free(
    diary: &Diary,
    budget: (Measure, Number, Option<u64>),
    next: &(Timestamp, Resource, &'static str, Number),
) -> bool {
    let (measure, limit, seconds) = budget;
    let counts = |at: &Timestamp| seconds.is_none_or(|seconds| next.0.since(*at) < Duration::from_secs(seconds));
    let all = diary.0.iter().filter(|entry| counts(&entry.0)).chain([next]);
    let cents = |number: Number| (number.to_string().parse::<f64>().unwrap() * 100.0).round() as i64;
    match measure {
        Measure::Calls => all.count() as i64 * 100 <= cents(limit),
        Measure::Sum(_) => all.map(|entry| cents(entry.3)).sum::<i64>() <= cents(limit),
        Measure::Distinct(_) => all.map(|entry| entry.2).collect::<BTreeSet<_>>().len() as i64 * 100 <= cents(limit),
        Measure::Resources => all.map(|entry| &entry.1).collect::<BTreeSet<_>>().len() as i64 * 100 <= cents(limit),
        _ => unreachable!("there is no fifth measure"),
    }
}

#[derive(Debug, Clone)]
enum Turn {
    Pay(&'static str, &'static str, &'static str),
    Redeem(Index),
    Drop(Index),
    Wait(u64),
}

fn turn() -> impl Strategy<Value = Turn> {
    let pay = (select(&["T-1", "T-2", "T-3"]), select(&["a", "b", "c", "d"]), select(&["0", "1", "2.5", "10"]));
    prop_oneof![
        8 => pay.prop_map(|(resource, recipient, amount)| Turn::Pay(resource, recipient, amount)),
        2 => any::<Index>().prop_map(Turn::Redeem),
        3 => any::<Index>().prop_map(Turn::Drop),
        2 => (1_u64..25).prop_map(Turn::Wait),
    ]
}

#[test]
fn budgets_are_what_a_naive_diary_counts() {
    let limits = (1_u32..9, 3_i64..40, 1_u32..5, 1_u32..4, 1_u64..30, 1_u64..60, any::<bool>());
    hold_often(
        (96, 24),
        (limits, vec(turn(), 1..120)),
        |((calls, sums, values, resources, rate, time, by_tool), turns)| {
            let world = World::new(OPEN);
            let budgets = [
                (within(Budget::calls(calls), rate), (Measure::Calls, i64::from(calls).into(), Some(rate))),
                (sum(&sums.to_string()), (Measure::Sum("amount".parse().unwrap()), sums.into(), None)),
                (within(sum("12"), time), (Measure::Sum("amount".parse().unwrap()), 12.into(), Some(time))),
                (
                    Budget::distinct("recipient", values).unwrap(),
                    (Measure::Distinct("recipient".parse().unwrap()), i64::from(values).into(), None),
                ),
                (Budget::resources(resources).unwrap(), (Measure::Resources, i64::from(resources).into(), None)),
            ];
            let of = |budgets: &[(Budget, _)]| budgets.iter().map(|(budget, _)| budget.clone()).collect::<Vec<_>>();
            let scope = if by_tool {
                paying(of(&budgets))
            } else {
                of(&budgets).into_iter().fold(paying([]), |scope, budget| scope.budget(budget).unwrap())
            };
            let task = world.task(scope);
            let (mut diary, mut permits) = (Diary::default(), Vec::<(usize, Permit)>::new());
            let (mut now, mut number_of, mut refused) = (START, 0, 0);
            let mut kept = BTreeMap::new();
            for turn in turns {
                match turn {
                    Turn::Wait(seconds) => {
                        world.clock.advance(Duration::from_secs(seconds));
                        now += seconds as i64;
                        // A permit that is over is given back when it is dropped, and not before.
                    }
                    Turn::Pay(resource, recipient, amount) => {
                        let resource = Resource::new("ticket", resource).unwrap();
                        let action = Action::autonomous("money.send", &resource)
                            .unwrap()
                            .with(args(&format!(r#"{{"recipient": "{recipient}", "amount": {amount}}}"#)));
                        let next = (at(now), resource, recipient, number(amount));
                        diary.0 = kept.values().cloned().collect();
                        let fits = budgets.iter().all(|(_, budget)| is_free(&diary, budget.clone(), &next));
                        let asked = task.authorize(&action);
                        prop_assert_eq!(asked.is_ok(), fits, "{:?} after {:?}", next, diary);
                        refused += usize::from(!fits);
                        if let Ok(permit) = asked {
                            number_of += 1;
                            kept.insert(number_of, next);
                            permits.push((number_of, permit));
                        }
                    }
                    Turn::Redeem(index) => {
                        if let Some((number, permit)) = take(&mut permits, &index) {
                            let arguments = permit.action().arguments().clone();
                            match task.redeem(permit, &arguments) {
                                Ok(execution) => execution.finish(Effect::Succeeded).unwrap(),
                                // Over: given back.
                                Err(_) => drop(kept.remove(&number)),
                            }
                        }
                    }
                    Turn::Drop(index) => {
                        if let Some((number, permit)) = take(&mut permits, &index) {
                            drop(permit);
                            kept.remove(&number);
                        }
                    }
                }
            }
            Ok(refused > 3 && kept.len() > 3)
        },
    );
}

#[test]
fn budgets_are_written_as_people_read_them() {
    let read = |json: &str| serde_json::from_str::<Budget>(json);
    for (json, budget) in [
        (r#"{"calls":3}"#, Budget::calls(3)),
        (r#"{"calls":3,"seconds":60}"#, within(Budget::calls(3), 60)),
        (r#"{"resources":3}"#, Budget::resources(3).unwrap()),
        (r#"{"at_most":"12.5","sum":"amount"}"#, sum("12.5")),
        (
            r#"{"at_most":"12.5","currency":"EUR","sum":"amount"}"#,
            sum("12.5").in_currency("EUR".parse().unwrap()).unwrap(),
        ),
        (r#"{"at_most":"12.5","seconds":60,"sum":"amount"}"#, within(sum("12.5"), 60)),
        (r#"{"at_most":"3","distinct":"recipient"}"#, Budget::distinct("recipient", 3).unwrap()),
    ] {
        assert_eq!(read(json).unwrap(), budget, "{json}");
        assert_eq!(serde_json::to_string(&budget).unwrap(), json);
    }
    for wrong in [
        "{}",
        "[]",
        r#"{"calls": 3, "at_most": 3}"#,
        r#"{"calls": 3, "resources": 3}"#,
        r#"{"calls": -1}"#,
        r#"{"calls": null}"#,
        r#"{"sum": "amount"}"#,
        r#"{"at_most": 3}"#,
        r#"{"sum": "amount", "at_most": -1}"#,
        r#"{"sum": "", "at_most": 1}"#,
        r#"{"sum": "amount", "at_most": 1, "seconds": 0}"#,
        r#"{"sum": "amount", "at_most": 1, "seconds": 31622401}"#,
        r#"{"distinct": "recipient", "at_most": 1, "seconds": 60}"#,
        r#"{"distinct": "recipient", "at_most": "1.5"}"#,
        r#"{"distinct": "recipient", "at_most": 4097}"#,
        r#"{"resources": 4097}"#,
        r#"{"resources": 1, "currency": "EUR"}"#,
        r#"{"sum": "amount", "at_most": 1, "currency": "eur"}"#,
        r#"{"calls": 1, "more": 1}"#,
        r#"{"calls": 1, "calls": 2}"#,
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
    let nine = [(); 9].iter().enumerate().map(|(place, ())| within(Budget::calls(1), place as u64 + 1));
    let add = |grant: Grant, budget: Budget| grant.budget(budget);
    assert!(nine.clone().take(8).try_fold(Grant::new(), add).is_ok());
    assert_eq!(nine.clone().try_fold(Grant::new(), add), Err(ScopeError::Budget(Measure::Calls)));
    assert!([sum("1"), sum("2")].into_iter().try_fold(Grant::new(), add).is_err(), "said twice");
    let json = serde_json::to_string(&nine.collect::<Vec<_>>()).unwrap();
    assert!(serde_json::from_str::<Grant>(&format!(r#"{{"budgets": {json}}}"#)).is_err());
    assert!(serde_json::from_str::<Scope>(&format!(r#"{{"tools": {{}}, "budgets": {json}}}"#)).is_err());
}

#[test]
fn a_narrower_budget_is_less_in_no_shorter_a_time() {
    let narrower = [
        (sum("9"), sum("10")),
        (sum("10"), sum("10")),
        (sum("10"), within(sum("10"), 60)),
        (within(sum("10"), 61), within(sum("10"), 60)),
        (Budget::calls(2), within(Budget::calls(3), 5)),
    ];
    for (narrow, wide) in &narrower {
        let (narrow, wide) = (paying([narrow.clone()]), paying([wide.clone()]));
        assert!(narrow.is_subset(&wide) && narrow.is_subset(&paying([])), "{narrow:?} and {wide:?}");
        assert!(!paying([]).is_subset(&wide));
        assert!(narrow == wide || narrow.digest() != wide.digest());
    }
    for (other, wide) in [
        (sum("11"), sum("10")),
        (within(sum("10"), 60), sum("10")),
        (within(sum("10"), 59), within(sum("10"), 60)),
        (Budget::calls(1), sum("10")),
        (Budget::sum("other", number("1")).unwrap(), sum("10")),
        (Budget::distinct("amount", 1).unwrap(), sum("10")),
    ] {
        assert!(!paying([other.clone()]).is_subset(&paying([wide.clone()])), "{other:?} and {wide:?}");
        let of_scope = |budget: &Budget| paying([]).budget(budget.clone()).unwrap();
        assert!(!of_scope(&other).is_subset(&of_scope(&wide)), "{other:?} and {wide:?}");
    }
    // What is said of one tool says nothing of all of them.
    assert!(!paying([sum("1")]).is_subset(&paying([]).budget(sum("1")).unwrap()));
}
