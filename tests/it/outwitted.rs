//! How targets, budgets, labels and refusals would be outwitted: by parts, by spellings, by what a verifier does not know.

use bailiwick::audit::Effect;
use bailiwick::mandate::{
    Action, ActionClass, ArgumentType, Bound, Drift, Email, Grant, Mode, Resource, Response, Scope, Source, Tool,
    ToolName, Url, Watch,
};
use bailiwick::policy::{Catalog, Evaluator, ReasonCode};

use crate::delegated::{deep, delegate};
use crate::steps::{alone, autonomous, code, read, step};
use crate::world::{OPEN, World, args};

fn catalog() -> Catalog {
    let pay = Tool::new("pay".parse().unwrap(), ActionClass::Write)
        .required("to".parse().unwrap(), ArgumentType::Text)
        .unwrap();
    let statement = Tool::new("statement".parse().unwrap(), ActionClass::Read);
    Catalog::new().with(pay).unwrap().with(statement).unwrap()
}

const ONLY_NAMED: &str = r#"@id("s") permit(principal, action == Action::"statement", resource);
    @id("p") permit(principal, action == Action::"pay", resource);
    @id("f") forbid(principal, action == Action::"pay", resource)
        when { context.task.provenance.to == "untrusted" };"#;

fn pay(to: &str) -> Action {
    alone("pay").with(args(&format!(r#"{{"to": "{to}"}}"#)))
}

#[test]
fn an_agent_does_not_make_a_target_the_humans_by_naming_it_in_a_part() {
    let world = World::under(Evaluator::new(catalog(), ONLY_NAMED).unwrap());
    let task = world.task(deep(autonomous(&["pay"]), 1));
    assert_eq!(code(task.authorize(&pay("US13"))), Some(ReasonCode::Forbidden));
    let named = Grant::new().autonomous().bound("to", Bound::one_of(["US13"])).unwrap();
    let child = delegate(&world, &task, "a", Scope::new().allow("pay", named).unwrap()).unwrap();
    assert_eq!(code(child.authorize(&pay("US13"))), Some(ReasonCode::Forbidden), "no human named it");
}

#[test]
fn an_agent_does_not_make_a_source_the_humans_by_trusting_it_in_a_part() {
    let world = World::under(Evaluator::new(catalog(), ONLY_NAMED).unwrap());
    let task = world.task(deep(autonomous(&["pay", "statement"]), 1));
    let from = Bound::from_sources([Source::new("statement", "/subject").unwrap()]);
    let part = autonomous(&["statement"]).allow("pay", Grant::new().autonomous().bound("to", from).unwrap()).unwrap();
    let child = delegate(&world, &task, "a", part).unwrap();
    let permit = child.authorize(&alone("statement")).unwrap();
    let ran = child.redeem(permit, &args("{}")).unwrap();
    child.observe(&ran, r#"{"subject": "US13"}"#).unwrap();
    assert_eq!(code(child.authorize(&pay("US13"))), Some(ReasonCode::Forbidden), "no human trusts it");
}

#[test]
fn an_agent_does_not_name_a_new_target_by_a_part() {
    let world = World::new(OPEN);
    let watch = || Watch::new().on(Drift::NewTarget, Response::Deny);
    let task = world.task(deep(autonomous(&["ticket.close"]).watched(watch()), 1));
    let other = Resource::new("ticket", "T-43").unwrap();
    let close = step(None, "ticket.close", &other);
    assert_eq!(code(task.authorize(&close)), Some(ReasonCode::Drift));
    let named = Grant::new().autonomous().on([other]);
    let part = Scope::new().allow("ticket.close", named).unwrap().watched(watch());
    let Ok(child) = delegate(&world, &task, "a", part) else { return };
    assert_eq!(code(child.authorize(&close)), Some(ReasonCode::Drift), "no human named it");
}

#[test]
fn a_tool_is_offered_whose_permit_looks_where_its_argument_comes_from() {
    let policies = r#"@id("p") permit(principal, action == Action::"pay", resource)
        when { context.task.provenance.to == "scope" };"#;
    offered(policies);
}

#[test]
fn a_tool_is_offered_whose_forbid_looks_where_its_argument_comes_from() {
    let policies = r#"@id("p") permit(principal, action == Action::"pay", resource);
        @id("f") forbid(principal, action == Action::"pay", resource)
        unless { context.task.provenance.to == "scope" };"#;
    offered(policies);
}

fn offered(policies: &str) {
    let world = World::under(Evaluator::new(catalog(), policies).unwrap());
    let named = Grant::new().autonomous().bound("to", Bound::one_of(["GB29"])).unwrap();
    let task = world.task(Scope::new().allow("pay", named).unwrap());
    assert_eq!(code(task.authorize(&pay("GB29"))), None);
    let tool = ToolName::new("pay").unwrap();
    assert_eq!(task.visible([&tool], &Mode::Autonomous).unwrap(), [&tool], "it can be permitted");
}

#[test]
fn a_permit_does_not_outlive_the_turn_of_its_tool() {
    let world = World::new(OPEN);
    let watch = Watch::new().plan([["ticket.read"], ["ticket.close"]]).unwrap().on(Drift::OrderBroken, Response::Deny);
    let task = world.task(autonomous(&["ticket.read", "ticket.close"]).watched(watch));
    let run = |permit| task.redeem(permit, &args("{}")).map(|ran| ran.finish(Effect::Succeeded).unwrap());
    run(task.authorize(&read()).unwrap()).unwrap();
    let kept = task.authorize(&read()).unwrap();
    run(task.authorize(&alone("ticket.close")).unwrap()).unwrap();
    assert_eq!(code(task.authorize(&read())), Some(ReasonCode::Drift));
    assert_eq!(code(run(kept)), Some(ReasonCode::Drift), "a permit of an earlier stage");
}

#[test]
fn a_permit_that_a_hiding_policy_takes_back_is_refused_as_if_there_were_no_tool() {
    let hide = r#"@id("h") @visibility("hide") forbid(principal, action == Action::"ticket.close", resource)
        when { context.task.labels.contains("untrusted") };"#;
    let world = World::new(&format!("{OPEN} {hide}"));
    let task = world.task(autonomous(&["ticket.close"]));
    let permit = task.authorize(&alone("ticket.close")).unwrap();
    task.label("untrusted".parse().unwrap()).unwrap();
    let taken_back = task.redeem(permit, &args("{}")).unwrap_err();
    let refused = world.task(autonomous(&["ticket.close"]));
    refused.label("untrusted".parse().unwrap()).unwrap();
    let refused = refused.authorize(&alone("ticket.close")).unwrap_err();
    assert_eq!(refused.for_model().code(), ReasonCode::ToolUndeclared);
    assert_eq!(taken_back.to_string(), refused.to_string());
}

#[test]
fn no_path_parameter_hides_two_points_in_a_url() {
    let prefix = Url::new("https://api.acme.example/v1/tickets").unwrap();
    let rest = ["..;/..;/admin", "..;x=1/..;/admin", ".;/x", "%c0%ae%c0%ae/admin", "..%3b/admin", "..%3B;/admin"];
    let no_text = ["%ff", "%80", "%c3", "%c3%", "%c3a9", "%c3x%a9", "%e2%82", "%f8%88%80%80%80", "%ed%a0%80"];
    let rest = rest.into_iter().chain(no_text);
    for rest in rest {
        let text = format!("https://api.acme.example/v1/tickets/{rest}");
        assert!(!Url::new(&text).is_ok_and(|url| url.is_under(prefix)), "{text}");
        assert!(bailiwick::mandate::Path::new(&format!("/v1/tickets/{rest}")).is_err(), "{rest}");
    }
    for rest in ["T-42;v=1", "..x;", "a..;x", "...;", "%c3%a9", "a%2Cb%e2%82%acc", "%F0%9f%a6%80%c3%a9%41"] {
        let text = format!("https://api.acme.example/v1/tickets/{rest}");
        assert!(Url::new(&text).unwrap().is_under(prefix), "{text}");
    }
}

#[test]
fn no_route_hides_another_domain_in_an_address() {
    for text in ["mallory%evil.example@acme.example", "evil.example!mallory@acme.example"] {
        assert!(Email::new(text).is_err(), "{text}");
    }
}

fn money(grant: Grant) -> (World, bailiwick::Task) {
    let pay = Tool::new("pay".parse().unwrap(), ActionClass::Write)
        .required("sum".parse().unwrap(), ArgumentType::Money)
        .and_then(|tool| tool.optional("amount".parse().unwrap(), ArgumentType::Number))
        .unwrap();
    let world = World::under(Evaluator::new(Catalog::new().with(pay).unwrap(), OPEN).unwrap());
    let task = Scope::new().allow("pay", grant.autonomous()).unwrap();
    let mandate = bailiwick::mandate::Mandate::new(
        crate::steps::attested(&world),
        bailiwick::mandate::Intent::new("pay", task.clone()).unwrap(),
    );
    let approval = bailiwick::mandate::Approval::by(&world.ada, task);
    let task = world.door.begin(mandate.approved(approval)).unwrap();
    (world, task)
}

fn credential_for_another(grant: Grant, own: &str, other: &str) {
    let (world, task) = money(grant);
    let action = alone("pay").with(args(own));
    let credential = task.mint(task.authorize(&action).unwrap(), &crate::world::audience()).unwrap();
    let verified = world.door.verify(credential.expose(), &crate::world::audience()).unwrap();
    assert!(verified.permits(action.tool(), action.resource(), &args(own)));
    assert!(!verified.permits(action.tool(), action.resource(), &args(other)), "another amount");
}

#[test]
fn a_credential_for_an_amount_in_parts_is_for_that_amount() {
    let bound = Bound::at_most("100".parse().unwrap()).in_currency("EUR".parse().unwrap());
    let own = r#"{"sum": {"amount": "5.00", "currency": "EUR"}}"#;
    let other = r#"{"sum": {"amount": "5000.00", "currency": "BTC"}}"#;
    credential_for_another(Grant::new().bound("sum", bound).unwrap(), own, other);
}

#[test]
fn a_credential_for_an_amount_as_text_is_for_that_amount() {
    let bound = Bound::at_most("100".parse().unwrap()).in_currency("EUR".parse().unwrap());
    credential_for_another(Grant::new().bound("sum", bound).unwrap(), r#"{"sum": "5 EUR"}"#, r#"{"sum": "5000 BTC"}"#);
}

#[test]
fn a_credential_for_what_a_budget_counts_is_for_that_amount() {
    let budget = bailiwick::mandate::Budget::sum("amount", "10".parse().unwrap()).unwrap();
    let own = r#"{"sum": "5 EUR", "amount": 5}"#;
    credential_for_another(Grant::new().budget(budget).unwrap(), own, r#"{"sum": "5 EUR", "amount": 5000}"#);
}

#[test]
fn a_credential_for_what_a_budget_of_all_tools_counts_is_for_that_amount() {
    let world = World::under(Evaluator::new(paying(), OPEN).unwrap());
    let sums = bailiwick::mandate::Budget::sum("amount", "10".parse().unwrap()).unwrap();
    let whom = bailiwick::mandate::Budget::distinct("to", 3).unwrap();
    let scope = autonomous(&["pay"]).budget(sums).and_then(|scope| scope.budget(whom)).unwrap();
    let task = world.task(deep(scope.clone(), 1));
    let own = r#"{"amount": 5, "to": "GB29"}"#;
    let others = [r#"{"amount": 5000, "to": "GB29"}"#, r#"{"amount": 5, "to": "US13"}"#, r#"{"to": "GB29"}"#];
    // A part has the budgets of what is above, or is none.
    assert!(delegate(&world, &task, "a", autonomous(&["pay"])).is_err());
    let child = delegate(&world, &task, "b", scope).unwrap();
    for task in [&task, &child] {
        let action = alone("pay").with(args(own));
        let credential = task.mint(task.authorize(&action).unwrap(), &crate::world::audience()).unwrap();
        let verified = world.door.verify(credential.expose(), &crate::world::audience()).unwrap();
        assert!(verified.permits(action.tool(), action.resource(), &args(own)));
        for other in others {
            assert!(!verified.permits(action.tool(), action.resource(), &args(other)), "{other}");
        }
    }
}

fn paying() -> Catalog {
    let pay = Tool::new("pay".parse().unwrap(), ActionClass::Write)
        .optional("to".parse().unwrap(), ArgumentType::Text)
        .and_then(|tool| tool.optional("amount".parse().unwrap(), ArgumentType::Number))
        .and_then(|tool| tool.optional("amounts".parse().unwrap(), ArgumentType::Integers))
        .unwrap();
    Catalog::new().with(pay).unwrap()
}

#[test]
fn no_credential_is_minted_for_a_value_that_it_could_not_bind() {
    let world = World::under(Evaluator::new(paying(), OPEN).unwrap());
    let budget = bailiwick::mandate::Budget::sum("amounts", "100".parse().unwrap()).unwrap();
    let grant = Grant::new().autonomous().budget(budget).unwrap();
    let task = world.task(Scope::new().allow("pay", grant).unwrap());
    let action = alone("pay").with(args(r#"{"amounts": [1, 2, 2]}"#));
    let refused = task.mint(task.authorize(&action).unwrap(), &crate::world::audience()).unwrap_err();
    assert_eq!(refused.to_string(), "no credential can be for the value of the argument amounts alone");
    let none = alone("pay").with(args(r#"{"amounts": []}"#));
    task.mint(task.authorize(&none).unwrap(), &crate::world::audience()).unwrap();
}

/// A tool that says of itself that it destroys, and of which a host says that it only reads.
fn destructive() -> Catalog {
    let listed = r#"{"tools": [{"name": "wipe", "inputSchema": {}, "annotations": {"destructiveHint": true}}]}"#;
    Catalog::from_mcp(listed).unwrap().classify("wipe", ActionClass::Read).unwrap()
}

fn wiping() -> Scope {
    Scope::new().allow("wipe", Grant::new().autonomous().preapproved()).unwrap()
}

#[test]
fn a_tool_whose_floor_is_above_a_group_of_actions_is_not_in_it() {
    let reads = r#"@id("reads") permit(principal, action in Action::"any read", resource);"#;
    // So that there is one that is so called.
    let catalog = destructive().with(Tool::new("look".parse().unwrap(), ActionClass::Read)).unwrap();
    let denial = World::under(Evaluator::new(catalog, reads).unwrap()).task(wiping()).authorize(&alone("wipe"));
    assert_eq!(code(denial), Some(ReasonCode::NotPermitted), "every call of it is irreversible");
}

#[test]
fn a_tool_whose_floor_is_a_group_of_actions_is_forbidden_with_it() {
    let never = format!(r#"{OPEN} @id("never") forbid(principal, action in Action::"any irreversible", resource);"#);
    // So that there is one that is so called.
    let other = Tool::new("burn".parse().unwrap(), ActionClass::Irreversible);
    let catalog = destructive().with(other).unwrap();
    let denial = World::under(Evaluator::new(catalog, &never).unwrap()).task(wiping()).authorize(&alone("wipe"));
    assert_eq!(code(denial), Some(ReasonCode::Forbidden), "every call of it is irreversible");
}

#[test]
fn a_ceiling_of_classes_is_one_of_what_calls_can_be() {
    let raised = Tool::new("wipe".parse().unwrap(), ActionClass::Read).raised_on("ticket", ActionClass::Privileged);
    for catalog in [destructive(), Catalog::new().with(raised).unwrap()] {
        let world = World::new(OPEN);
        let evaluator = Evaluator::new(catalog, OPEN).unwrap();
        let sink = std::sync::Arc::new(bailiwick::audit::MemorySink::new(100));
        let door = bailiwick::Authorizer::builder(world.registry.clone(), evaluator, sink)
            .clock(world.clock.clone())
            .ceiling(bailiwick::mandate::Ceiling::new().class(ActionClass::Write))
            .build()
            .unwrap();
        let agent = door.admit(world.workload(&world.triage)).unwrap();
        let intent = bailiwick::mandate::Intent::new("wipe", wiping()).unwrap();
        let approval = bailiwick::mandate::Approval::by(&world.ada, wiping());
        let task = door.begin(bailiwick::mandate::Mandate::new(agent, intent).approved(approval));
        let Ok(task) = task else { continue };
        assert!(task.authorize(&alone("wipe")).is_err(), "beyond what the agent may ever do");
    }
}

#[test]
fn a_person_is_entitled_to_what_a_call_is_and_not_to_what_its_tool_is_called() {
    let only_reads = r#"@id("p") permit(principal, action, resource) when { context.class == "read" };"#;
    let entitlements =
        bailiwick::policy::Entitlements::new(destructive(), only_reads, bailiwick::policy::Directory::new()).unwrap();
    let (action, now) = (alone("wipe"), crate::world::at(crate::world::START));
    use bailiwick::mandate::Entitlement;
    let ada = crate::world::operator("ada");
    let deed = bailiwick::mandate::Deed::of(&ada, &action, now);
    assert!(entitlements.check(&deed).is_err(), "every call of it is irreversible");
}

#[test]
fn what_follows_from_drift_has_one_spelling() {
    for written in [r#"{"deny": null}"#, r#"{"deny": []}"#] {
        let json = format!(r#"{{"tools": {{}}, "watch": {{"on": {{"order_broken": {written}}}}}}}"#);
        assert!(serde_json::from_str::<Scope>(&json).is_err(), "{json}");
    }
}

#[test]
fn what_happens_beyond_the_bounds_has_one_spelling() {
    let json = r#"{"tools": {"pay": {"beyond": {"ask": null}}}}"#;
    assert!(serde_json::from_str::<Scope>(json).is_err(), "{json}");
}

#[test]
fn what_a_catalogue_says_has_one_spelling() {
    let written = |class: &str, kind: &str, more: &str, raised: &str, attribute: &str| {
        let argument = format!(r#"{{"type": {kind}, "constraints": {{"type": [{more}], "maxLength": 9}}}}"#);
        let tool = format!(
            r#"{{"name": "a", "class": {class}, "raised": [{{"class": {raised}}}], "arguments": {{"b": {argument}}}}}"#
        );
        let json = format!(r#"{{"tools": [{tool}], "resource_attributes": {{"owner": {attribute}}}}}"#);
        serde_json::from_str::<Catalog>(&json)
    };
    let words = [r#""read""#, r#""opaque""#, r#""string""#, r#""write""#, r#""text""#];
    let [class, kind, more, raised, attribute] = words;
    written(class, kind, more, raised, attribute).unwrap();
    for place in 0..words.len() {
        let mut words = words.map(str::to_owned);
        words[place] = format!("{{{}: null}}", words[place]);
        let [class, kind, more, raised, attribute] = &words;
        assert!(written(class, kind, more, raised, attribute).is_err(), "{words:?}");
    }
}

#[test]
fn what_a_scope_names_is_no_list() {
    assert!(serde_json::from_str::<Scope>(r#"{"tools": {"pay": {"quorum": [2, null, false, 60]}}}"#).is_err());
    assert!(serde_json::from_str::<Scope>(r#"{"tools": {}, "budgets": [[null, 1, null, null, null, null]]}"#).is_err());
}

/// Time is as it is: 3 calls within any minute, whatever is given back in between.
#[test]
fn a_rate_is_kept_whatever_is_given_back() {
    let world = World::new(OPEN);
    let grant = Grant::new().autonomous();
    let rate = bailiwick::mandate::Budget::calls(3).within(std::time::Duration::from_secs(60)).unwrap();
    let task = world.task(Scope::new().allow("ticket.read", grant.budget(rate).unwrap()).unwrap());
    let run = || {
        let permit = task.authorize(&read())?;
        task.redeem(permit, &args("{}")).map(|ran| ran.finish(Effect::Succeeded).unwrap())
    };
    run().unwrap();
    drop(task.authorize(&read()).unwrap());
    let kept = task.authorize(&read()).unwrap();
    run().unwrap();
    drop(kept);
    run().unwrap();
    assert_eq!(code(run()), Some(ReasonCode::TooSoon));
}

/// A tool that reads where it is harmless, and changes something on some things.
#[test]
fn a_task_that_may_change_things_without_bounds_is_over_wide_whatever_its_tools_are_called() {
    let world = World::under(Evaluator::new(destructive(), OPEN).unwrap());
    let _task = world.task(wiping());
    let review = world.door.review().unwrap();
    let written = format!("{review:?}");
    assert!(written.contains("OverWide"), "every call of it is irreversible: {written}");
}

mod subsets {
    use super::*;
    use bailiwick::mandate::{Coverage, Currency, Number};
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};

    const NAMES: [&str; 6] = ["/srv/a", "/srv", "ada@eu.acme.example", "https://acme.example/v1", "5 EUR", "5 USD"];
    const UNDER: [&str; 8] = [
        "/srv",
        "/srv/a",
        "/",
        "srv",
        "@acme.example",
        "@*.acme.example",
        "https://acme.example",
        "https://acme.example/v1",
    ];
    const VALUES: [&str; 16] = [
        r#""/srv/a""#,
        r#""/srv/a/b""#,
        r#""/srv/ab""#,
        r#""ada@eu.acme.example""#,
        r#""https://acme.example/v1""#,
        r#""https://acme.example/v1/x""#,
        r#""5 EUR""#,
        r#""5 USD""#,
        r#"{"amount": "7", "currency": "EUR"}"#,
        "5",
        "7",
        "-1",
        "[]",
        "null",
        r#"["/srv/a", "/srv/a/b"]"#,
        r#"["5 EUR", "5 USD"]"#,
    ];

    fn bound() -> impl Strategy<Value = Bound> {
        let numbers = select(vec!["-2", "0", "5", "7"]);
        let limits =
            (proptest::option::of((numbers.clone(), numbers)), proptest::option::of(select(vec!["EUR", "USD"])));
        let named = (subsequence(NAMES.to_vec(), 0..=3), any::<bool>(), subsequence(UNDER.to_vec(), 0..=2));
        (named, limits, any::<bool>()).prop_map(|((names, is_named, under), (range, currency), or_absent)| {
            let number = |text: &str| text.parse::<Number>().unwrap();
            let mut bound = match (range, is_named) {
                (_, true) => Bound::one_of(names),
                (Some((low, high)), false) => Bound::between(number(low), number(high)),
                (None, false) => Bound::between(number("-100"), number("100")),
            };
            if let (Some((_, high)), true) = (range, is_named) {
                bound = bound.and_at_most(number(high));
            }
            if !under.is_empty() {
                bound = bound.or_under(under).unwrap();
            }
            if let Some(currency) = currency {
                bound = bound.in_currency(currency.parse::<Currency>().unwrap());
            }
            if or_absent { bound.or_absent() } else { bound }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40_000))]

        #[test]
        fn what_a_narrower_bound_admits_a_wider_one_does(narrow in bound(), wide in bound()) {
            let scope = |bound: &Bound| {
                Scope::new().allow("pay", Grant::new().autonomous().bound("to", bound.clone()).unwrap()).unwrap()
            };
            let (narrower, wider) = (scope(&narrow), scope(&wide));
            prop_assert!(narrower == wider || narrower.digest() != wider.digest());
            let written = serde_json::to_string(&narrower).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Scope>(&written).unwrap(), &narrower);
            if narrower.is_subset(&wider) {
                for value in VALUES {
                    let action = alone("pay").with(args(&format!(r#"{{"to": {value}}}"#)));
                    let covers = |scope: &Scope| scope.covers(&action, ActionClass::Write) == Coverage::Within;
                    prop_assert!(!covers(&narrower) || covers(&wider), "{}", value);
                }
            }
        }
    }
}

fn trusting(sources: &[&str]) -> Scope {
    let from = Bound::from_sources(sources.iter().map(|at| Source::new("statement", at).unwrap()));
    autonomous(&["statement"]).allow("pay", Grant::new().autonomous().bound("to", from).unwrap()).unwrap()
}

#[test]
fn a_tool_that_drifted_while_it_ran_gives_no_trusted_values() {
    let saying = |what: &str| {
        let statement = Tool::new("statement".parse().unwrap(), ActionClass::Read).described(what);
        catalog().without("statement").with(statement).unwrap()
    };
    let world = World::under(Evaluator::new(saying("Your statement."), OPEN).unwrap());
    let task = world.task(trusting(&["/sender"]));
    let ran = task.redeem(task.authorize(&alone("statement")).unwrap(), &args("{}")).unwrap();
    // Whatever answers to that name now is not what was approved.
    world.door.listed(&saying("A statement of anybody."));
    assert_eq!(code(task.authorize(&alone("statement"))), Some(ReasonCode::CapabilityDrift));
    let _ = task.observe(&ran, r#"{"sender": "US13"}"#);
    assert!(task.authorize(&pay("US13")).is_err());
}

#[test]
fn an_output_takes_memory_as_it_is_long_and_not_a_thousand_times_as_much() {
    let world = World::under(Evaluator::new(catalog(), OPEN).unwrap());
    let task = world.task(trusting(&["/*", "/*/*", "/0", "/a/*"]));
    let ran = task.redeem(task.authorize(&alone("statement")).unwrap(), &args("{}")).unwrap();
    let many = format!("[{}0]", "0,".repeat(500_000));
    let mut observed = None;
    let counted = allocation_counter::measure(|| observed = Some(task.observe(&ran, &many).unwrap()));
    assert_eq!(observed.unwrap().noted, 2, "the number at `/*`, and at `/0`");
    let most = counted.bytes_max;
    assert!(most > 1024 * 1024 && most < 48 * 1024 * 1024, "{most} bytes for 1 MiB");
}

#[test]
fn what_a_task_is_told_beyond_what_it_can_know_is_counted_and_not_kept() {
    let world = World::under(Evaluator::new(catalog(), OPEN).unwrap());
    let task = world.task(trusting(&["/*"]));
    let ran = task.redeem(task.authorize(&alone("statement")).unwrap(), &args("{}")).unwrap();
    let many: Vec<String> = (0..100_000).map(|number: u32| number.to_string()).collect();
    let many = format!("[0,{}]", many.join(","));
    let mut observed = None;
    let counted = allocation_counter::measure(|| observed = Some(task.observe(&ran, &many).unwrap()));
    let observed = observed.unwrap();
    assert_eq!((observed.noted, observed.left_out), (1024, 100_000 - 1024));
    assert!(counted.bytes_current < 256 * 1024, "{} bytes are kept", counted.bytes_current);
}

#[test]
fn a_scope_trusts_so_many_sources_and_no_more() {
    let places = |count: usize| (0..count).map(|place| format!("/{place}"));
    let granting = |count| {
        let from = Bound::from_sources(places(count).map(|at| Source::new("statement", &at).unwrap()));
        Scope::new().allow("pay", Grant::new().bound("to", from).unwrap())
    };
    let written = |count| {
        let from: Vec<String> = places(count).map(|at| format!(r#"{{"tool": "statement", "at": "{at}"}}"#)).collect();
        let json = format!(r#"{{"tools": {{"pay": {{"where": {{"to": {{"from": [{}]}}}}}}}}}}"#, from.join(","));
        serde_json::from_str::<Scope>(&json)
    };
    assert_eq!(granting(64).unwrap(), written(64).unwrap());
    assert_eq!(granting(65).unwrap_err().to_string(), "a scope trusts 64 sources at most, not 65");
    assert!(written(65).is_err());
}
