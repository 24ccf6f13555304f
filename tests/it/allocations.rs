//! A decision on typed values allocates nothing; what would allocate is known.

use bailiwick::mandate::{Action, LedgerView};
use bailiwick::policy::compiled::{Compiled, Entities, Entity, EntityUid, IpNet, Name, Record, Set, Value};
use bailiwick::policy::{Evaluator, Outcome, ReasonCode};

use crate::laws::Bar;
use crate::steps::{alone, on_behalf};
use crate::world::{args, catalog, scope};

/// Scopes of every form, and conditions that use most of the language without making values of their own.
const POLICIES: &str = r#"
    permit(principal, action == Action::"read", resource)
    when { principal.level >= 2 && context.hour < 18 };
    permit(principal in Group::"staff", action in [Action::"read", Action::"any write"], resource is Document);
    permit(principal is User in Group::"staff", action in Action::"any read", resource)
    when { resource.owner == principal || principal in resource.readers || [principal, resource.owner].contains(principal) };
    forbid(principal, action, resource)
    when { context has task.labels && context.task.labels.containsAny(["secret", "pii", "hr", "legal", "untrusted"]) };
    forbid(principal, action, resource)
    unless { context.address.isInRange(ip("10.0.0.0/8")) && context.path like "/docs/*/drafts/*.md" };
    forbid(principal, action, resource)
    when { resource.hasTag("retention") && context.now.durationSince(resource.getTag("created")) > duration("30d") };
    forbid(principal, action, resource == Document::"another")
    when { decimal(context.amount).greaterThan(context.limit) };
    forbid(principal, action, resource)
    when { if context.hour * 60 + 1 > 1000000 then true else resource.kind == "account" };
    forbid(principal, action, resource) when { context.task.scope == {kind: "document", names: ["a", "b"]} };
    forbid(principal, action, resource) when { context.missing };
"#;

fn uid(kind: &str, id: &str) -> EntityUid {
    EntityUid::new(Name::new(kind), id)
}

fn record<const N: usize>(members: [(&str, Value); N]) -> Record {
    members.into_iter().map(|(name, value)| (Name::new(name), value)).collect()
}

fn texts(texts: &[&str]) -> Value {
    texts.iter().copied().map(Value::text).collect::<Set>().into()
}

/// How often one decision allocates, and what it says.
fn asked(policies: &str) -> (u64, bool, usize, usize) {
    let policies = Compiled::parse(policies).expect("the policies parse");
    let long = "a document whose id is too long to be kept in place";
    let (ada, document) = (uid("User", "ada"), uid("Document", long));
    let entities = Entities::new([
        Entity::new(ada.clone(), record([("level", 3.into())])).within([uid("Group", "writers")]),
        Entity::new(uid("Group", "writers"), record([])).within([uid("Group", "staff")]),
        Entity::new(uid("Action", "read"), record([])).within([uid("Action", "any read")]),
        Entity::new(
            document.clone(),
            record([
                ("owner", ada.clone().into()),
                ("kind", "document".into()),
                ("readers", [Value::from(uid("Group", "staff"))].into_iter().collect::<Set>().into()),
            ]),
        )
        .tagged(record([("retention", "short".into()), ("created", Value::Datetime(0))])),
    ])
    .expect("the entities fit");
    let scope = record([("kind", "document".into()), ("names", texts(&["a", "c"]))]);
    let context = record([
        ("hour", 9.into()),
        ("task", record([("labels", texts(&["internal", "draft"])), ("scope", scope.into())]).into()),
        ("address", Value::Ip(IpNet::parse("10.1.2.3").expect("the address parses"))),
        ("path", "/docs/2024/spring/drafts/plan.md".into()),
        ("now", Value::Datetime(86_400_000)),
        ("amount", "12.50".into()),
        ("limit", Value::Decimal(1_000_000)),
    ]);
    let action = uid("Action", "read");
    let mut said = None;
    let counted = allocation_counter::measure(|| {
        let response = policies.evaluate(&ada, &action, &document, &context, &entities);
        said = Some((response.is_allowed(), response.determining().count(), response.failed().count()));
    });
    let (allowed, determining, failed) = said.expect("the request was decided on");
    (counted.count_total, allowed, determining, failed)
}

#[test]
fn a_decision_allocates_nothing() {
    assert_eq!(asked(POLICIES), (0, true, 3, 1));
}

#[test]
fn a_value_that_a_policy_makes_and_uses_is_allocated() {
    let (allocations, allowed, ..) =
        asked(r#"permit(principal, action, resource) when { {a: context.hour, b: [context.path]}.a == 9 };"#);
    assert!(allocations > 0 && allowed, "{allocations} allocations");
}

#[test]
fn the_fifth_policy_that_applies_is_kept_elsewhere() {
    let permit = "permit(principal, action, resource);";
    assert_eq!(asked(&permit.repeat(4)), (0, true, 4, 0));
    assert_eq!(asked(&permit.repeat(5)), (1, true, 5, 0));
}

#[test]
fn a_verdict_allocates_nothing_whether_it_permits_holds_or_denies() {
    let bar = Bar::new();
    let evaluator = Evaluator::new(
        catalog(),
        r#"
        @id("reads") permit(principal, action in Action::"any read", resource) when { context.task.step < 3 };
        @id("pays") permit(principal, action == Action::"money.send", resource)
        when { context.args.recipient like "GB*" && context.args.amount.lessThan(decimal("12.5")) };
        @id("purges") @requires("approval") permit(principal, action == Action::"ticket.purge", resource)
        when { context.mode == "on_behalf_of" };
        @id("no-drafts") forbid(principal, action, resource) when { context.task.labels.contains("draft") };
        "#,
    )
    .expect("policies");
    let mut drafting = LedgerView::default();
    drafting.labels.insert("draft".parse().expect("a label"));
    let pay = |amount: &str| {
        let json = format!(r#"{{"recipient": "GB29NWBK60161331926819", "amount": {amount}}}"#);
        on_behalf(&bar.world.ada, "money.send").with(args(&json))
    };
    let rows = [
        ("permitted", alone("ticket.read"), LedgerView::default(), Outcome::Permitted, None),
        ("permitted, with arguments", pay("9.75"), LedgerView::default(), Outcome::Permitted, None),
        (
            "presenting",
            alone("ticket.read").presenting(&bar.world.triage_bot),
            LedgerView::default(),
            Outcome::Permitted,
            None,
        ),
        (
            "held",
            on_behalf(&bar.world.ada, "ticket.purge"),
            LedgerView::default(),
            Outcome::Held,
            Some(ReasonCode::NeedsApproval),
        ),
        ("forbidden", alone("ticket.read"), drafting, Outcome::Denied, Some(ReasonCode::Forbidden)),
        (
            "not permitted",
            on_behalf(&bar.world.ada, "ticket.close"),
            LedgerView::default(),
            Outcome::Denied,
            Some(ReasonCode::NotPermitted),
        ),
        (
            "beyond a target",
            on_behalf(&bar.world.ada, "money.send").with(args(r#"{"recipient": "GB30", "amount": 1}"#)),
            LedgerView::default(),
            Outcome::Held,
            Some(ReasonCode::NeedsApproval),
        ),
        (
            "beyond the scope",
            alone("ticket.close"),
            LedgerView::default(),
            Outcome::Denied,
            Some(ReasonCode::OutOfScope),
        ),
    ];
    let decided = |action: &Action, ledger: &LedgerView| {
        bar.ask(&scope(), ledger, action, |question| {
            // The first time that a thread asks, the snapshot is made known to it.
            drop(evaluator.decide(question));
            let mut verdict = None;
            let counted = allocation_counter::measure(|| verdict = Some(evaluator.decide(question)));
            (counted.count_total, verdict.expect("a verdict"))
        })
    };
    for (what, action, ledger, outcome, code) in rows {
        let (allocations, verdict) = decided(&action, &ledger);
        assert_eq!((verdict.outcome, verdict.reason.map(|reason| reason.code())), (outcome, code), "{what}");
        assert_eq!(allocations, 0, "{what}");
    }
    // What is not declared is quoted in the reason: that this is seen shows that the rest is counted.
    let odd = alone("ticket.read").with(args(r#"{"nobody declared this": 1}"#));
    assert!(decided(&odd, &LedgerView::default()).0 > 0);
}
