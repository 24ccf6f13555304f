//! Explanations: which policies decided, by which clauses, and which values stood in the way.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write;

use bailiwick::Task;
use bailiwick::mandate::{Action, Approval, Grant, LedgerView, Resource, Scope};
use bailiwick::policy::compiled::Effect;
use bailiwick::policy::{
    Bundle, ClauseKind, Coverage, CoveredPolicy, Evaluator, ExplainedPolicy, Explanation, PolicyName, Reason, Truth,
    Verdict,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::any::{self, hold_often};
use crate::golden;
use crate::laws::{Bar, ledger};
use crate::steps::{alone, on_behalf, read, step};
use crate::world::{World, args, catalog, ticket};

const HEAD: &str = "\
# Explanations: the policies, what is asked, and why it is answered so.
#   ✓ holds   ✗ does not   ! could not be evaluated   · was not reached
# Written by `UPDATE_GOLDEN=1 cargo test explanations`; review it like code.
";

/// What is asked in a task of this world.
type Ask = fn(&World, &Task) -> Action;

/// A task that may read, pay without asking again, and do everything.
fn granted() -> Scope {
    let grants =
        [("ticket.read", Grant::new()), ("money.send", Grant::new().preapproved()), ("everything", Grant::new())];
    let allow =
        |scope: Scope, (tool, grant): (&str, Grant)| scope.allow(tool, grant.autonomous()).expect("a tool name");
    grants.into_iter().fold(Scope::new(), allow)
}

fn explain(world: &World, ask: impl FnOnce(&World, &Task) -> Action) -> Explanation {
    let task = world.task(granted());
    task.explain(&ask(world, &task)).expect("a clock")
}

fn pay(world: &World, amount: &str) -> Action {
    let json = format!(r#"{{"recipient": "GB29NWBK60161331926819", "amount": {amount}}}"#);
    on_behalf(&world.ada, "money.send").with(args(&json))
}

fn everything(json: &str) -> Action {
    alone("everything").with(args(json))
}

const PAYMENTS: &str = r#"
@id("small-payments")
@requires("approval")
permit(principal, action == Action::"money.send", resource)
when {
    context.mode == "on_behalf_of" && // nobody pays alone
    context.args.amount.lessThan(decimal("10.0"))
};
"#;

const READS: &str = r#"
@id("reads") permit(principal, action in Action::"any read", resource);
@id("tickets-alone")
permit(principal, action in [Action::"ticket.read", Action::"ticket.close"], resource == Resource::"ticket/T-42")
when { context.mode == "autonomous" } unless { context.task.calls > 100 };
@id("not-on-t-43") @reason("T-43 is evidence")
forbid(principal, action, resource) when { resource.kind == "ticket" && resource.name == "T-43" };
@id("no-agent-user") forbid(principal, action, resource) when { context has agent_user };
"#;

const NEAREST: &str = r#"
@id("a-other-agent") permit(principal == AgentIdentity::"spiffe://acme.example/agent/payer", action, resource);
@id("b-other-tool") permit(principal, action == Action::"ticket.close", resource == Resource::"ticket/T-43");
@id("c-flag") permit(principal, action == Action::"everything", resource)
when { context.args has flag && context.args.flag && context.mode == "autonomous" };
@id("d-texts") permit(principal, action == Action::"everything", resource)
when { context.args has texts } when { context.args.texts.contains("z") } unless { principal.attested };
@id("e-text") permit(principal, action == Action::"everything", resource)
when { context.args has text && (context.args.text == "short" || context.args.text like "*.") };
@id("f-sponsor") permit(principal, action in Action::"any write", resource) unless {
    principal.sponsor == HumanOperator::"https://idp.acme.example#ada"
    || principal.authority != "acme.example"
};
@id("g-if") permit(principal, action in Action::"any write", resource)
when { if context has operator then context.operator == HumanOperator::"https://idp.acme.example#ada" else false };
"#;

const FAILS: &str = r#"
@id("all") @allow("unconditional-permit") permit(principal, action, resource);
@id("sum") forbid(principal, action == Action::"everything", resource)
when { context.args has count && context.args.count + 1 > 9 && context.mode == "autonomous" };
"#;

#[test]
fn explanations_are_those_that_were_reviewed() {
    let groups: [(&str, &[(&str, Ask)]); 4] = [
        (
            READS,
            &[
                ("reading alone: two policies permit", |_, _| read()),
                ("reading T-43: one forbids", |_, _| step(None, "ticket.read", &other_ticket())),
                ("presenting its agent user: that takes", |world, _| read().presenting(&world.triage_bot)),
                ("presenting another's: the guard refuses", |world, _| read().presenting(&world.payer_bot)),
                ("granting a role: nobody approved that for the task", |_, _| alone("role.grant")),
                ("a tool that is not there", |_, _| alone("ticket.fly")),
            ],
        ),
        (
            PAYMENTS,
            &[
                ("a small payment: held", |world, _| pay(world, "9.50")),
                ("a larger payment: an approval would not help", |world, _| pay(world, "12")),
                ("a small payment that Ada approved", |world, task| {
                    let action = pay(world, "9.50");
                    let request = task.request(&action);
                    action.approved(Approval::by(&world.ada, request))
                }),
                ("reading: no policy is about it", |_, _| read()),
            ],
        ),
        (
            NEAREST,
            &[
                ("everything, with arguments", |_, _| {
                    let text = "so long that nobody wants to see all of it ".repeat(4);
                    let texts = r#"["a", "b", "c", "d", "e", "f", "g", "h", "i"]"#;
                    everything(&format!(r#"{{"flag": false, "text": "{text}", "texts": {texts}}}"#))
                }),
                ("everything, without", |_, _| everything("{}")),
            ],
        ),
        (
            FAILS,
            &[
                ("a number that is too large", |_, _| everything(r#"{"count": 9223372036854775807}"#)),
                ("a number that is forbidden", |_, _| everything(r#"{"count": 9}"#)),
                ("a number that is not", |_, _| everything(r#"{"count": 8}"#)),
            ],
        ),
    ];
    let mut shown = HEAD.to_owned();
    for (policies, asks) in groups {
        write!(shown, "\n{}\n{}\n", "═".repeat(100), policies.trim()).unwrap();
        for (what, ask) in asks {
            let world = World::new(policies);
            write!(shown, "\n── {what}\n{}", explain(&world, ask)).unwrap();
        }
    }
    golden::compare("explanations.txt", &shown);
}

fn other_ticket() -> Resource {
    Resource::new("ticket", "T-43").expect("a resource")
}

#[test]
fn clauses_are_found_in_every_spelling_and_their_spans_are_where_they_stand() {
    use ClauseKind::{Action, Approval, Principal, Resource, Unless, When};
    type Row = (&'static str, &'static str, &'static [(ClauseKind, &'static str)]);
    let rows: [Row; 18] = [
        ("no clause", "permit(principal, action, resource);", &[]),
        (
            "a scope",
            r#"permit(principal is AgentIdentity in AgentGroup::"a,b", action in [Action::"any read", Action::"role.grant"], resource == Resource::"ticket/(1");"#,
            &[
                (Principal, r#"principal is AgentIdentity in AgentGroup::"a,b""#),
                (Action, r#"action in [Action::"any read", Action::"role.grant"]"#),
                (Resource, r#"resource == Resource::"ticket/(1""#),
            ],
        ),
        (
            "a comma too many",
            r#"permit(principal, action == Action::"role.grant", resource,);"#,
            &[(Action, r#"action == Action::"role.grant""#)],
        ),
        ("one", "permit(principal, action, resource) when { principal.attested };", &[(When, "principal.attested")]),
        (
            "two",
            r#"permit(principal, action, resource) when { principal.attested && context.mode == "x" };"#,
            &[(When, "principal.attested"), (When, r#"context.mode == "x""#)],
        ),
        (
            "comments with `&&`, quotes and brackets",
            "permit(principal, action, resource) // when { \"\nwhen { // a && b }\nprincipal.attested // && \"c\n&& // }\ncontext.mode == // d\n\"x\" // e\n};",
            &[(When, "principal.attested"), (When, r#"context.mode == "x""#)],
        ),
        (
            "texts with brackets, quotes, `&&` and a comment",
            r#"permit(principal, action, resource) when { context.mode == "} && \" {" && resource.name == "// \\" };"#,
            &[(When, r#"context.mode == "} && \" {""#), (When, r#"resource.name == "// \\""#)],
        ),
        (
            "brackets within brackets",
            "permit(principal, action, resource) when { (principal.attested && (true)) && [1, 2].contains(context.task.step) };",
            &[(When, "(principal.attested && (true))"), (When, "[1, 2].contains(context.task.step)")],
        ),
        (
            "a record, an index and a method",
            r#"permit(principal, action, resource) when { {a: principal.attested && true}.a && principal["attested"] };"#,
            &[(When, "{a: principal.attested && true}.a"), (When, r#"principal["attested"]"#)],
        ),
        (
            "`||` binds looser",
            "permit(principal, action, resource) when { principal.attested && true || context.approved && true };",
            &[(When, "principal.attested && true || context.approved && true")],
        ),
        (
            "`||` in brackets does not",
            "permit(principal, action, resource) when { (principal.attested || true) && context.approved };",
            &[(When, "(principal.attested || true)"), (When, "context.approved")],
        ),
        (
            "`if` binds looser",
            "permit(principal, action, resource) when { if principal.attested then true else context.approved && true };",
            &[(When, "if principal.attested then true else context.approved && true")],
        ),
        (
            "`if` in brackets does not",
            "permit(principal, action, resource) when { (if principal.attested then true else false) && context.approved };",
            &[(When, "(if principal.attested then true else false)"), (When, "context.approved")],
        ),
        (
            "an `unless` stays whole",
            "permit(principal, action, resource) unless { principal.attested && context.approved };",
            &[(Unless, "unless { principal.attested && context.approved }")],
        ),
        (
            "several of both",
            "permit(principal, action, resource) when { principal.attested } unless{context.approved}when{context.task.step>1&&!context.approved} when { true };",
            &[
                (When, "principal.attested"),
                (Unless, "unless{context.approved}"),
                (When, "context.task.step>1"),
                (When, "!context.approved"),
                (When, "true"),
            ],
        ),
        (
            "other ends of lines",
            "permit(\r\n  principal,\r\n  action == Action::\"role.grant\", // c\r\n  resource\r\n)\r\nwhen {\r\n\tprincipal.attested &&\r\n\tcontext.mode\r\n\t== \"x\"\r\n};",
            &[
                (Action, r#"action == Action::"role.grant""#),
                (When, "principal.attested"),
                (When, r#"context.mode == "x""#),
            ],
        ),
        (
            "annotations that look like policies",
            "@when(\"when { x && y }\") @permit(\"(\") @unless permit(principal, action, resource) when { principal.attested };",
            &[(When, "principal.attested")],
        ),
        (
            "an approval that is wanted",
            "@requires(\"approval\") @note(\"é — ☂\") permit(principal, action, resource) when { resource.name == \"é\" };",
            &[(When, "resource.name == \"é\""), (Approval, "needs approval")],
        ),
    ];
    for (what, policy, wanted) in rows {
        let text = format!("@id(\"p\") @allow(\"unconditional-permit broad-administration\") {policy}");
        let evaluator = Evaluator::new(catalog(), &text).unwrap_or_else(|error| panic!("{what}: {error}"));
        let coverage = Coverage::new(&evaluator).expect("clauses");
        let clauses: Vec<_> = coverage.policies()[0].clauses.iter().map(|covered| &covered.clause).collect();
        let found: Vec<_> = clauses.iter().map(|clause| (clause.kind, clause.text.as_str())).collect();
        assert_eq!(found, wanted, "{what}");
        for clause in clauses {
            let there = &text[clause.span.clone()];
            let code =
                |text: &str| text.split(['\n', '\r']).map(|line| bare(line).trim().to_owned()).collect::<Vec<_>>();
            let shown = code(there).join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
            let said = if clause.kind == Approval { "@requires(\"approval\")" } else { &clause.text };
            assert_eq!(shown, said, "{what}");
        }
    }
}

/// A line without its comment; a text with `//` in it stays.
fn bare(line: &str) -> &str {
    match line.split_once("//") {
        Some((code, _)) if code.matches('"').count() % 2 == 0 => code,
        _ => line,
    }
}

#[test]
fn what_was_made_of_a_template_is_explained_in_its_own_text() {
    let bar = Bar::new();
    let policies = r#"@id("t") @requires("approval") permit(principal == ?principal, action, resource in ?resource)
        when { principal.attested && context.mode == "autonomous" };"#;
    let (t, own) = (PolicyName::new("t").unwrap(), PolicyName::new("own").unwrap());
    let bundle = Bundle::new(policies).link(t, own.clone(), Some(&bar.world.triage), Some(&ticket()));
    let evaluator = Evaluator::new(catalog(), bundle).expect("a bundle");
    let explanation = bar.ask(&granted(), &LedgerView::default(), &read(), |question| {
        evaluator.decide(question).explain(&evaluator, question)
    });
    let [policy] = explanation.policies.as_slice() else { panic!("{explanation}") };
    assert_eq!(policy.name, own);
    let kinds: Vec<_> = policy.clauses.iter().map(|clause| (clause.clause.kind, clause.truth)).collect();
    assert_eq!(
        kinds,
        [
            (ClauseKind::Principal, Truth::True),
            (ClauseKind::Resource, Truth::True),
            (ClauseKind::When, Truth::False),
            (ClauseKind::When, Truth::NotReached),
            (ClauseKind::Approval, Truth::NotReached),
        ],
        "{explanation}"
    );
    let spans: Vec<&str> = policy.clauses.iter().map(|clause| &policy.text[clause.clause.span.clone()]).collect();
    assert!(spans[0].contains("spiffe://acme.example/agent/triage"), "{spans:?}");
}

#[test]
fn an_explanation_of_another_question_or_of_other_policies_says_so() {
    let bar = Bar::new();
    let load = |text: &str| Evaluator::new(catalog(), text).expect("policies");
    let evaluator = load(r#"@id("reads") permit(principal, action in Action::"any read", resource);"#);
    let none = LedgerView::default();
    let verdict = bar.ask(&granted(), &none, &read(), |question| evaluator.decide(question));
    let explain = |evaluator: &Evaluator, action: &Action| {
        bar.ask(&granted(), &none, action, |question| verdict.explain(evaluator, question))
    };
    assert_eq!((explain(&evaluator, &read()).stale, explain(&evaluator, &read()).policies.len()), (false, 1));
    for stale in [explain(&evaluator, &everything("{}")), explain(&load(READS), &read())] {
        assert!(stale.stale && stale.policies.is_empty(), "{stale}");
        assert!(stale.to_string().contains("any more"), "{stale}");
    }
}

#[test]
fn an_explanation_is_bounded() {
    let many = |condition: &str| -> World {
        let permit = |n| {
            format!(
                "@id(\"p{n}\") permit(principal, action in Action::\"any read\", resource) when {{ {condition} {n} }};"
            )
        };
        World::new(&(100..400).map(permit).collect::<String>())
    };
    let denied = explain(&many("context.task.calls >"), |_, _| read());
    assert_eq!((denied.policies.len(), denied.more), (5, 295), "{denied}");
    let permitted = explain(&many("context.task.calls <"), |_, _| read());
    assert_eq!((permitted.policies.len(), permitted.more), (16, 284), "{permitted}");
    let long = "x".repeat(10_000);
    let world = World::new(&format!(
        r#"@id("p") permit(principal, action == Action::"everything", resource)
           when {{ context.args has text && context.args.text == "{long}" }};"#
    ));
    let shown = explain(&world, |_, _| everything(&format!(r#"{{"text": "y{long}"}}"#)));
    assert!(shown.to_string().chars().count() < 800, "{shown}");
    let json = serde_json::to_string(&shown).expect("JSON");
    assert!(json.chars().count() < 1_300, "{json}");
}

#[test]
fn an_explanation_is_data_too() {
    let shown = explain(&World::new(PAYMENTS), |world, _| pay(world, "12"));
    let json: serde_json::Value = serde_json::to_value(&shown).expect("JSON");
    let start = PAYMENTS.trim_start().find("context.args.amount").expect("a clause");
    let wanted = serde_json::json!({
        "outcome": "denied",
        "reason": { "code": "no_policy_permits", "detail": "no policy permits it" },
        "policies": [{
            "name": "small-payments",
            "effect": "permit",
            "clauses": [
                clause("action", r#"action == Action::"money.send""#, "true"),
                clause("when", r#"context.mode == "on_behalf_of""#, "true"),
                {
                    "kind": "when",
                    "text": r#"context.args.amount.lessThan(decimal("10.0"))"#,
                    "span": { "start": start, "end": start + 45 },
                    "truth": "false",
                    "values": [{ "path": "context.args.amount", "value": r#"decimal("12.0")"# }],
                },
                clause("approval", "needs approval", "not_reached"),
            ],
        }],
        "more": 0,
        "supposes_approval": false,
        "stale": false,
    });
    let mut json = json;
    for place in [0, 1, 3] {
        json["policies"][0]["clauses"][place].as_object_mut().expect("a clause").remove("span");
    }
    assert_eq!(json, wanted);
}

fn clause(kind: &str, text: &str, truth: &str) -> serde_json::Value {
    serde_json::json!({ "kind": kind, "text": text, "truth": truth })
}

#[cfg(feature = "miette")]
#[test]
fn as_a_diagnostic_it_points_into_the_policy() {
    use miette::{Diagnostic, NarratableReportHandler, Severity};

    let shown = explain(&World::new(PAYMENTS), |world, _| pay(world, "12"));
    assert_eq!(shown.code().map(|code| code.to_string()).as_deref(), Some("no_policy_permits"));
    assert_eq!(shown.severity(), Some(Severity::Error));
    let policy = shown.related().and_then(|mut related| related.next()).expect("a policy");
    let labels: Vec<_> = policy.labels().expect("labels").collect();
    let marked = |label: &miette::LabeledSpan| &PAYMENTS.trim_start()[label.offset()..label.offset() + label.len()];
    let last = labels.last().expect("the clause that did not hold");
    assert_eq!(labels.len(), 3, "what was not reached has no mark");
    assert_eq!(marked(last), r#"context.args.amount.lessThan(decimal("10.0"))"#);
    assert_eq!(last.label(), Some(r#"✗ context.args.amount is decimal("12.0")"#));
    let mut text = String::new();
    NarratableReportHandler::new().render_report(&mut text, &shown).expect("a report");
    assert!(text.contains("context.args.amount is"), "{text}");
}

// ── As Cedar evaluates ──────────────────────────────────────────────────────────────────────────────────────────────

const SCOPES: &[&str] = &[
    "principal, action, resource",
    r#"principal, action in Action::"any read", resource"#,
    r#"principal, action == Action::"everything", resource"#,
    r#"principal, action in [Action::"ticket.close", Action::"ticket.read"], resource is Resource"#,
    r#"principal == AgentIdentity::"spiffe://acme.example/agent/triage", action, resource == Resource::"ticket/T-42""#,
    r#"principal == AgentIdentity::"spiffe://acme.example/agent/payer", action, resource"#,
];

const CONDITIONS: &[&str] = &[
    r#"context.mode == "autonomous""#,
    r#"resource.name == "T-42""#,
    r#"resource.kind == "ticket""#,
    "context.task.calls < 2",
    "context has operator",
    "!context.approved",
    r#"context.tool.class == "write""#,
    r#"(context.task.labels.contains("untrusted") || resource.name != "T-43")"#,
    r#"(if resource.kind == "ticket" then context.task.calls < 3 else true)"#,
    // This one fails.
    "context.task.step + 9223372036854775807 > 0",
];

const BETWEEN: &[&str] = &[" && ", "&&", " && // and && or\n", "\r\n&&\t", " // \"\n&&", " || "];

/// A policy without an id.
fn policy() -> impl Strategy<Value = String> {
    let condition = (select(&["when", "unless"]), select(CONDITIONS), vec((select(BETWEEN), select(CONDITIONS)), 0..3));
    let condition = condition.prop_map(|(word, first, rest)| {
        let body: String = rest.into_iter().flat_map(|(between, condition)| [between, condition]).collect();
        format!("{word} {{ {first}{body} }}")
    });
    let effect = select(&["permit", "permit", "forbid", "@requires(\"approval\") permit", "@engine(\"cedar\") forbid"]);
    (effect, select(SCOPES), vec(condition, 0..3))
        .prop_map(|(effect, scope, conditions)| format!("{effect}({scope}) {};", conditions.join("\n")))
}

/// Everything may run, on whose errand ever.
fn open() -> Scope {
    let allow = |scope: Scope, (tool, _): &(&str, _)| {
        scope.allow(tool, Grant::new().autonomous().preapproved()).expect("a tool name")
    };
    any::TOOLS.iter().fold(Scope::new(), allow)
}

#[test]
fn a_policy_applies_where_each_of_its_clauses_holds_and_fails_where_one_fails() {
    let (bar, open) = (Bar::new(), open());
    let kinds: RefCell<BTreeSet<&str>> = RefCell::default();
    hold_often((48, 16), (vec(policy(), 1..6), vec((any::action(), ledger()), 3)), |(policies, questions)| {
        let text: String = policies
            .iter()
            .zip(0..)
            .map(|(policy, n)| {
                format!("@id(\"p{n}\") @allow(\"unconditional-permit broad-administration\") {policy}\n")
            })
            .collect();
        // Some say what can never be; those do not load.
        let Ok(evaluator) = Evaluator::new(catalog(), &text) else { return Ok(false) };
        let mut telling = false;
        for (action, ledger) in &questions {
            bar.ask(&open, ledger, action, |question| {
                let mut coverage = Coverage::new(&evaluator).expect("clauses");
                let verdict = coverage.observe(question);
                prop_assert_eq!(&verdict, &evaluator.decide(question));
                let Some((kind, names, holds)) = told(&verdict) else { return Ok(()) };
                telling = true;
                kinds.borrow_mut().insert(kind);
                prop_assert_eq!((kind, &names), (kind, &by_clauses(coverage.policies(), kind)), "{}", text);
                let explanation = verdict.explain(&evaluator, question);
                prop_assert!(!explanation.stale);
                if kind == "not permitted" {
                    prop_assert!(!explanation.policies.iter().any(ExplainedPolicy::applies), "{}", explanation);
                } else {
                    let named: Vec<_> = explanation.policies.iter().map(|policy| policy.name.clone()).collect();
                    prop_assert_eq!(names, named);
                    prop_assert!(explanation.policies.iter().all(holds), "{}", explanation);
                }
                Ok(())
            })?;
        }
        Ok(telling)
    });
    assert_eq!(kinds.into_inner().len(), 4, "permitted, forbidden, failed and not permitted");
}

type Holds = fn(&ExplainedPolicy) -> bool;

/// How policies decided, which, and what the clauses of each of these must say.
fn told(verdict: &Verdict) -> Option<(&'static str, Vec<PolicyName>, Holds)> {
    let fails: Holds = |policy| policy.clauses.iter().any(|clause| clause.truth == Truth::Failed);
    Some(match &verdict.reason {
        None | Some(Reason::NeedsApproval(_)) => ("permitted", verdict.policies.to_vec(), ExplainedPolicy::applies),
        Some(Reason::Forbidden(names)) => ("forbidden", names.to_vec(), ExplainedPolicy::applies),
        Some(Reason::PolicyFailed(names)) => ("failed", names.to_vec(), fails),
        Some(Reason::NotPermitted) => ("not permitted", Vec::new(), fails),
        Some(_) => return None,
    })
}

/// The policies that decide by what one question made of their clauses, weighed as the rules weigh them.
fn by_clauses(policies: &[CoveredPolicy], kind: &str) -> Vec<PolicyName> {
    let of = |is: &dyn Fn(&CoveredPolicy) -> bool| -> Vec<PolicyName> {
        policies.iter().filter(|policy| is(policy)).map(|policy| policy.name.clone()).collect()
    };
    let applies = |policy: &CoveredPolicy| policy.clauses.iter().all(|clause| clause.holds == 1);
    // One that wants an approval is not asked without.
    let wants = |policy: &CoveredPolicy| policy.clauses.iter().any(|own| own.clause.kind == ClauseKind::Approval);
    let fails = |policy: &CoveredPolicy| policy.clauses.iter().any(|own| own.failed == 1) && !wants(policy);
    let failed = of(&fails);
    let forbids = of(&|policy| policy.effect == Effect::Forbid && applies(policy));
    let permits = of(&|policy| policy.effect == Effect::Permit && applies(policy));
    match kind {
        "failed" => failed,
        _ if !failed.is_empty() => panic!("{failed:?} failed"),
        "forbidden" => forbids,
        _ if !forbids.is_empty() => panic!("{forbids:?} forbid"),
        _ => permits,
    }
}
