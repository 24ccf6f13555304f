//! Coverage: what of the policies had a say in the questions that were asked.

use bailiwick::mandate::{Action, LedgerView};
use bailiwick::policy::{Coverage, Evaluator, Gap, ReasonCode, Verdict};

use crate::laws::Bar;
use crate::steps::{alone, autonomous, read};
use crate::world::{args, catalog};

const POLICIES: &str = r#"
@id("reads") permit(principal, action in Action::"any read", resource);
@id("counts")
permit(principal, action == Action::"everything", resource)
when { context.args has count && context.args.count + 1 > 5 }
unless { context.args.count == 7 };
@id("wants") @requires("approval") permit(principal, action == Action::"everything", resource)
when { context.args has flag && context.args.flag };
@id("never") forbid(principal, action == Action::"ticket.purge", resource);
"#;

fn observed(coverage: &mut Coverage, bar: &Bar, action: &Action) -> Verdict {
    let scope = autonomous(&["ticket.read", "everything"]);
    bar.ask(&scope, &LedgerView::default(), action, |question| coverage.observe(question))
}

fn everything(json: &str) -> Action {
    alone("everything").with(args(json))
}

/// Asks one question of each kind.
fn asked(bar: &Bar) -> Coverage {
    let mut coverage = Coverage::new(&Evaluator::new(catalog(), POLICIES).expect("policies")).expect("clauses");
    let asked = [
        (read(), None),
        (everything("{}"), Some(ReasonCode::NotPermitted)),
        (everything(r#"{"count": 1}"#), Some(ReasonCode::NotPermitted)),
        (everything(r#"{"count": 7}"#), Some(ReasonCode::NotPermitted)),
        (everything(r#"{"count": 8}"#), None),
        (everything(r#"{"count": 9223372036854775807}"#), Some(ReasonCode::PolicyFailed)),
        (everything(r#"{"flag": true}"#), Some(ReasonCode::NeedsApproval)),
        (alone("ticket.purge"), Some(ReasonCode::OutOfScope)),
    ];
    for (action, code) in asked {
        let verdict = observed(&mut coverage, bar, &action);
        assert_eq!(verdict.reason.map(|reason| reason.code()), code, "{action:?}");
    }
    coverage
}

#[test]
fn every_clause_is_counted_as_it_came_out() {
    let coverage = asked(&Bar::new());
    let wanted: [(&str, u64, usize, &[[u64; 4]]); 4] = [
        // Of seven questions, for one the guard refused; in which order: held, did not, failed, not reached.
        ("counts", 2, 100, &[[6, 1, 0, 0], [4, 2, 0, 1], [2, 1, 1, 3], [1, 1, 0, 5]]),
        ("never", 0, 33, &[[0, 7, 0, 0]]),
        ("reads", 1, 100, &[[1, 6, 0, 0]]),
        ("wants", 1, 77, &[[6, 1, 0, 0], [1, 5, 0, 1], [1, 0, 0, 6], [1, 0, 0, 6]]),
    ];
    assert_eq!((coverage.questions(), coverage.policies().len()), (8, wanted.len()));
    for (policy, (name, decided, percent, clauses)) in coverage.policies().iter().zip(wanted) {
        let counts = policy.clauses.iter().map(|own| [own.holds, own.fails, own.failed, own.not_reached]);
        assert_eq!(counts.collect::<Vec<_>>(), clauses, "{name}");
        assert_eq!((policy.name.as_str(), policy.decided, policy.percent()), (name, decided, percent));
    }
    let gaps: Vec<String> = coverage.uncovered().map(|gap| gap.to_string()).collect();
    assert_eq!(
        gaps,
        [
            "`never` never decided",
            r#"`never`: never true: action == Action::"ticket.purge""#,
            "`wants`: never false: context.args.flag",
            "`wants`: never false: needs approval",
        ]
    );
    assert!(matches!(coverage.uncovered().next(), Some(Gap::Policy(name)) if name.as_str() == "never"));
}

#[test]
fn the_table_and_the_data_are_the_same_whenever_the_same_was_asked() {
    let bar = Bar::new();
    let (one, other) = (asked(&bar), asked(&bar));
    assert_eq!(one.to_string(), other.to_string());
    assert_eq!(serde_json::to_string(&one).expect("JSON"), serde_json::to_string(&other).expect("JSON"));
    let (policies, table) =
        one.to_string().split_once('\n').map(|(one, rest)| (one.to_owned(), rest.to_owned())).unwrap();
    assert_eq!(policies, format!("policies {}", one.digest()));
    assert_eq!(
        table,
        r#"8 questions, 1 of them refused before policies were asked

seen   decided      ✓    ✗    !    ·
100%         2                         permit `counts`
                    6    1    0    0     action == Action::"everything"
                    4    2    0    1     context.args has count
                    2    1    1    3     context.args.count + 1 > 5
                    1    1    0    5     unless { context.args.count == 7 }
 33%         0                         forbid `never`
                    0    7    0    0     action == Action::"ticket.purge"
100%         1                         permit `reads`
                    1    6    0    0     action in Action::"any read"
 77%         1                         permit `wants`
                    6    1    0    0     action == Action::"everything"
                    1    5    0    1     context.args has flag
                    1    0    0    6     context.args.flag
                    1    0    0    6     needs approval
"#,
        "{table}"
    );
    let json = serde_json::to_value(&one).expect("JSON");
    assert_eq!(json["questions"], 8);
    assert_eq!(json["guarded"], 1);
    assert_eq!(
        json["policies"][1],
        serde_json::json!({
            "name": "never",
            "effect": "forbid",
            "decided": 0,
            "clauses": [{
                "kind": "action",
                "text": r#"action == Action::"ticket.purge""#,
                "span": { "start": 31, "end": 63 },
                "true": 0,
                "false": 7,
                "failed": 0,
                "not_reached": 0,
            }],
        })
    );
}

#[test]
fn a_coverage_decides_as_the_evaluator_that_it_was_made_of() {
    let bar = Bar::new();
    let evaluator = Evaluator::new(catalog(), POLICIES).expect("policies");
    let mut coverage = Coverage::new(&evaluator).expect("clauses");
    assert_eq!(coverage.digest(), evaluator.digest());
    for action in [read(), everything("{}"), everything(r#"{"flag": true}"#), alone("ticket.purge")] {
        let scope = autonomous(&["ticket.read", "everything"]);
        bar.ask(&scope, &LedgerView::default(), &action, |question| {
            assert_eq!(coverage.observe(question), evaluator.decide(question));
        });
    }
}
