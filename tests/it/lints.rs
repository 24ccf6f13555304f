//! Lints: what of policies a person should look at, and what does not load unless its author says that it is meant.

use std::collections::BTreeSet;

use bailiwick::mandate::{ActionClass, Tool};
use bailiwick::policy::{Bundle, Catalog, Evaluator, Lint, LintCode, PolicyError, PolicyName, Severity};
use proptest::prelude::prop_assert_eq;
use proptest::sample::{select, subsequence};

use crate::any::hold_often;
use crate::golden;
use crate::world::catalog;

use LintCode::{
    BroadAdministration, Confusable, IgnoresMode, MisspeltAnnotation, NeverFires, NoReason, NoTaskCondition, Shadowed,
    UnconditionalPermit, UnusedAllow,
};

// ── One policy at a time ────────────────────────────────────────────────────────────────────────────────────────────

/// What is found in the policy `p` and in others beside it; an error keeps the policy from loading, alone.
fn lints(text: &str) -> Vec<Lint> {
    match Evaluator::new(catalog(), text) {
        Ok(evaluator) => evaluator.lint().expect("a stack"),
        Err(PolicyError::Lint(lint)) => vec![*lint],
        Err(other) => panic!("{text}: {other}"),
    }
}

/// Policies without their `@id`, and what is found in each.
const TABLE: &[(&str, &[LintCode])] = &[
    // Everything for everybody, however it is written.
    ("permit(principal, action, resource);", &[UnconditionalPermit]),
    ("permit(principal is AgentIdentity, action, resource is Resource);", &[UnconditionalPermit]),
    ("permit(principal, action, resource) when { true };", &[UnconditionalPermit]),
    ("permit(principal, action, resource) unless { false && context.approved };", &[UnconditionalPermit]),
    ("permit(principal, action, resource) when { context has mode && action is Action };", &[UnconditionalPermit]),
    (
        r#"permit(principal, action in [Action::"any read", Action::"any write", Action::"any irreversible",
            Action::"any external_commitment", Action::"any privileged"], resource);"#,
        &[UnconditionalPermit],
    ),
    (r#"@requires("approval") permit(principal, action, resource);"#, &[IgnoresMode]),
    (r#"permit(principal in AgentGroup::"a", action, resource);"#, &[NoTaskCondition]),
    (r#"permit(principal, action in Action::"any read", resource);"#, &[IgnoresMode]),
    (r#"@reason("for now") forbid(principal, action, resource);"#, &[]),
    // Privileged tools for everybody.
    (r#"permit(principal, action in Action::"any privileged", resource);"#, &[BroadAdministration]),
    (r#"permit(principal, action, resource) when { context.mode == "on_behalf_of" };"#, &[BroadAdministration]),
    (r#"permit(principal, action, resource) when { principal.attested };"#, &[BroadAdministration]),
    (
        r#"permit(principal, action, resource) when { context.mode == "autonomous" && principal.proof == "host-key" };"#,
        &[BroadAdministration],
    ),
    (r#"permit(principal, action == Action::"role.grant", resource) when { context.approved };"#, &[IgnoresMode]),
    (r#"permit(principal, action in [Action::"role.grant"], resource) when { context.mode == "autonomous" };"#, &[]),
    (r#"permit(principal, action, resource) when { context.mode == "autonomous" && context.approved };"#, &[]),
    (
        r#"permit(principal, action, resource) when { context.mode == "autonomous" && context.tool.class == "read" };"#,
        &[],
    ),
    (
        r#"permit(principal, action, resource) when { context.mode == "autonomous" }
            unless { context.tool.class == "privileged" };"#,
        &[],
    ),
    (
        r#"permit(principal, action, resource)
            when { context.mode == "autonomous" && [Action::"role.grant", Action::"web.fetch"].contains(action) };"#,
        &[],
    ),
    (
        r#"permit(principal, action, resource) when { context.mode == "autonomous" && action != Action::"role.grant" };"#,
        &[],
    ),
    (
        r#"permit(principal, action, resource)
            when { context.mode == "autonomous" && (principal.authority == "a" || principal in AgentGroup::"b") };"#,
        &[],
    ),
    (
        r#"permit(principal, action, resource) when { context.mode == "autonomous" && principal.authority != "a" };"#,
        &[BroadAdministration],
    ),
    (
        r#"permit(principal, action, resource)
            when { context.mode == "autonomous" && context.tool.labels.contains("internal") };"#,
        &[],
    ),
    // Writes whatever the task.
    (r#"permit(principal, action == Action::"ticket.close", resource);"#, &[NoTaskCondition]),
    (
        r#"permit(principal, action in Action::"any write", resource) when { context.time > datetime("2026-01-01") };"#,
        &[NoTaskCondition],
    ),
    (
        r#"permit(principal, action == Action::"ticket.close", resource == Resource::"ticket/T-42");"#,
        &[IgnoresMode],
    ),
    (
        r#"permit(principal, action == Action::"ticket.close", resource) when { resource.kind == "ticket" };"#,
        &[IgnoresMode],
    ),
    (
        r#"permit(principal, action == Action::"ticket.close", resource) when { context.task.calls < 3 };"#,
        &[IgnoresMode],
    ),
    (
        r#"permit(principal, action == Action::"money.send", resource) when { context.args.recipient == "GB29" };"#,
        &[IgnoresMode],
    ),
    (r#"permit(principal, action == Action::"ticket.close", resource) when { context has operator };"#, &[]),
    // What never applies.
    (
        r#"permit(principal, action == Action::"ticket.close", resource)
            when { context.mode == "autonomous" && context.tool.class == "read" };"#,
        &[NeverFires],
    ),
    (
        r#"permit(principal, action in Action::"any read", resource)
            when { context.mode == "autonomous" } when { context.mode == "on_behalf_of" };"#,
        &[NeverFires],
    ),
    (
        r#"permit(principal, action in Action::"any read", resource)
            when { context has operator && context.mode == "on_behalf" };"#,
        &[NeverFires],
    ),
    (
        r#"permit(principal, action in Action::"any read", resource)
            when { context.approved } unless { context.approved || context.mode == "autonomous" };"#,
        &[NeverFires],
    ),
    (
        r#"@reason("x") forbid(principal, action, resource == Resource::"a/b")
            when { resource == Resource::"a/c" };"#,
        &[NeverFires],
    ),
    (
        r#"permit(principal, action in Action::"any read", resource)
            when { context.mode == "autonomous" || context.mode == "on_behalf" };"#,
        &[],
    ),
    (
        r#"@reason("x") forbid(principal, action, resource) when { resource.kind == "a" && resource.name == "b" };"#,
        &[],
    ),
    // Annotations.
    (r#"@requries("approval") permit(principal, action == Action::"ticket.read", resource);"#, &[MisspeltAnnotation]),
    (r#"@visiblity("hide") @reason("x") forbid(principal, action, resource);"#, &[MisspeltAnnotation]),
    (r#"@Reason("x") forbid(principal, action, resource);"#, &[MisspeltAnnotation]),
    (r#"@alow("no-reason") forbid(principal, action, resource);"#, &[MisspeltAnnotation]),
    (r#"@engien("cedar") @reason("x") forbid(principal, action, resource);"#, &[MisspeltAnnotation]),
    (
        r#"@region("eu") @in("x") @owner("ada") @reasoning("x") @above("y") @doc("z") @reason("x")
            forbid(principal, action, resource);"#,
        &[],
    ),
    ("forbid(principal, action, resource);", &[NoReason]),
    // What looks like something else.
    ("@reason(\"f\u{43e}r people\") forbid(principal, action, resource);", &[Confusable]),
    ("@reason(\"x\") // \u{202e} }; permit\n forbid(principal, action, resource);", &[Confusable]),
    ("@reason(\"x\") forbid(principal, action, resource) when { resource.name == \"a\u{200b}b\" };", &[Confusable]),
    (
        "@reason(\"\u{434}\u{43b}\u{44f} \u{43b}\u{44e}\u{434}\u{435}\u{439}, f\u{fc}r Leute \u{1f469}\u{200d}\u{1f4bb}\")
            forbid(principal, action, resource);",
        &[],
    ),
    // What is acknowledged.
    (r#"@allow("unconditional-permit") permit(principal, action, resource);"#, &[]),
    (r#"@allow("unconditional-permit") permit(principal, action in Action::"any read", resource);"#, &[
        UnusedAllow,
        IgnoresMode,
    ]),
    (r#"@allow("no-reason") forbid(principal, action, resource);"#, &[]),
];

#[test]
fn each_lint_is_found_where_it_is_and_nowhere_else() {
    for (text, expected) in TABLE {
        let found: Vec<LintCode> = lints(&named("p", text)).iter().map(|lint| lint.code).collect();
        assert_eq!(found, *expected, "{text}");
    }
    let both = |code: &LintCode| {
        let is_in = |expected: &[LintCode]| expected.contains(code);
        TABLE.iter().any(|(_, expected)| is_in(expected)) && !TABLE.iter().all(|(_, expected)| is_in(expected))
    };
    let alone: Vec<&LintCode> = LintCode::ALL.iter().filter(|code| **code != Shadowed).collect();
    assert!(alone.into_iter().all(both), "each code is found in one policy and not in another");
}

fn named(name: &str, text: &str) -> String {
    format!("@id(\"{name}\") {text}\n")
}

#[test]
fn what_is_found_depends_on_the_tools_that_there_are() {
    let codes = |evaluator: Result<Evaluator, PolicyError>| {
        let lints = evaluator.expect("policies").lint().expect("a stack");
        lints.iter().map(|lint| lint.code).collect::<Vec<_>>()
    };
    // No tool is privileged, so nothing is broad; some tool that writes may come.
    let read = Tool::new("t".parse().expect("a tool name"), ActionClass::Read);
    let catalog = || Catalog::new().with(read.clone()).expect("one tool");
    let all = "permit(principal, action, resource) when { principal.attested };";
    assert_eq!(codes(Evaluator::new(catalog(), &named("p", all))), [NoTaskCondition]);
    // A schema of the host's has actions that are no tools.
    let ping = r#"action "ping" appliesTo { principal: [AgentIdentity], resource: [Resource], context: {} };"#;
    let schema = format!("{}{ping}", catalog().schema());
    let pings = named("p", r#"@reason("x") forbid(principal, action == Action::"ping", resource);"#);
    assert_eq!(codes(Evaluator::builder(catalog()).schema(&schema).load(&pings)), [NeverFires]);
}

// ── Several policies ────────────────────────────────────────────────────────────────────────────────────────────────

/// Policies by their names, and which of them is in the shadow of which other.
type Set = (&'static [(&'static str, &'static str)], &'static [(&'static str, &'static str)]);

const SETS: &[Set] = &[
    (
        &[
            ("all", r#"@reason("x") forbid(principal, action, resource);"#),
            ("some", r#"@reason("x") forbid(principal, action == Action::"role.grant", resource) when { true };"#),
        ],
        &[("some", "all")],
    ),
    (
        &[
            (
                "a",
                r#"@reason("x") forbid(principal, action in Action::"any write", resource) when { context.approved };"#,
            ),
            (
                "b",
                r#"@reason("y") forbid(principal in AgentGroup::"g", action == Action::"ticket.close", resource)
                    unless { resource.name == "x" || !context.approved };"#,
            ),
        ],
        &[("b", "a")],
    ),
    // The same twice: the second by name.
    (
        &[
            ("b", r#"@reason("x") forbid(principal, action in [Action::"any read", Action::"any write"], resource);"#),
            ("a", r#"@reason("x") forbid(principal, action in [Action::"any write", Action::"any read"], resource);"#),
        ],
        &[("b", "a")],
    ),
    (
        &[
            ("a", r#"permit(principal, action == Action::"ticket.close", resource in Resource::"project/a");"#),
            ("b", r#"permit(principal, action == Action::"ticket.close", resource == Resource::"project/a");"#),
            ("c", r#"permit(principal, action == Action::"ticket.close", resource == Resource::"project/b");"#),
        ],
        &[("b", "a")],
    ),
    // What says more, or something else, is in no shadow.
    (
        &[
            ("a", r#"forbid(principal, action in Action::"any write", resource);"#),
            ("b", r#"@reason("it says why") forbid(principal, action == Action::"ticket.close", resource);"#),
            ("c", r#"@visibility("hide") forbid(principal, action == Action::"ticket.close", resource);"#),
            ("d", r#"forbid(principal, action in Action::"any read", resource);"#),
            ("e", r#"forbid(principal is AgentIdentity, action in [Action::"any write"], resource);"#),
        ],
        &[("e", "a")],
    ),
    (
        &[
            ("a", r#"@requires("approval") permit(principal, action in Action::"any read", resource);"#),
            ("b", r#"permit(principal, action in Action::"any read", resource) when { principal.attested };"#),
            ("c", r#"forbid(principal, action in Action::"any read", resource) when { principal.attested };"#),
        ],
        &[],
    ),
];

#[test]
fn a_policy_that_another_one_implies_is_in_its_shadow() {
    for (policies, expected) in SETS {
        let text: String = policies.iter().map(|(name, text)| named(name, text)).collect();
        let lints = lints(&text);
        let shadows: Vec<(&str, &str)> = lints
            .iter()
            .filter(|lint| lint.code == Shadowed)
            .map(|lint| {
                let severity = if text.contains(&format!("@id(\"{}\") permit", lint.policy)) {
                    Severity::Note
                } else {
                    Severity::Warning
                };
                assert_eq!(lint.severity, severity, "{lint}");
                let other = policies.iter().find(|(name, _)| lint.message.contains(&format!(": `{name}` ")));
                (lint.policy.as_str(), other.expect("a policy").0)
            })
            .collect();
        assert_eq!(shadows, *expected, "{text}");
    }
}

// ── What is said ────────────────────────────────────────────────────────────────────────────────────────────────────

const HEAD: &str = "\
# What is found in policies, as `Display` says it. Written by `UPDATE_GOLDEN=1 cargo test lints`; a code that is here is
# never renamed.
";

#[test]
fn what_is_said_is_what_was_reviewed() {
    let shown = |c: char| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() };
    let mut golden = HEAD.to_owned();
    for code in LintCode::ALL {
        golden += &format!("\n{}  {code}", code.severity());
    }
    golden += "\n";
    let alone = TABLE.iter().map(|(text, _)| named("p", text));
    let sets = SETS.iter().map(|(set, _)| set.iter().map(|(name, text)| named(name, text)).collect::<String>());
    for text in alone.chain(sets) {
        golden += &format!("\n{}", text.chars().map(shown).collect::<String>());
        lints(&text).iter().for_each(|lint| golden += &format!("{lint}\n"));
    }
    golden::compare("lints.txt", &golden);
}

#[test]
fn a_lint_stands_where_it_says() {
    let rows = [
        (
            "@id(\"p\") // permit(a)\n permit(principal, action, // ;\n resource);",
            "permit(principal, action, // ;\n resource)",
        ),
        (
            "@reason(\"permit(x, y) when {\") @id(\"p\") permit(principal, action in\n  [Action::\"any privileged\"] , resource);",
            "action in\n  [Action::\"any privileged\"]",
        ),
        (
            "@id(\"p\") @requries ( \"approval\" ) permit(principal, action, resource in Resource::\"a/b\");",
            "@requries",
        ),
        ("@id(\"when\") forbid(principal, action, resource)\n  when { resource.name != \"{\" };", "forbid"),
        (
            "@id(\"p\") @reason(\"\\\"\") forbid(principal, action, resource) when { {a: 1}.a == context.task.step }
 unless { context.mode != \"me\" };",
            "unless { context.mode != \"me\" }",
        ),
    ];
    for (text, expected) in rows {
        let lints = lints(text);
        let lint = lints.first().expect("a lint");
        assert_eq!(&text[lint.span.clone()], expected, "{lint}");
        let (line, marks) = lint.excerpt.split_once('\n').expect("two lines");
        let at = marks.find('^').expect("a mark");
        let first = expected.lines().next().expect("a line").trim_end();
        assert_eq!(&line[at..at + first.len()], first, "{lint}");
        assert_eq!(marks.trim().len(), expected.lines().next().expect("a line").len(), "{lint}");
    }
}

#[test]
fn a_fix_in_place_of_the_span_is_one() {
    let mut fixed = BTreeSet::new();
    for (text, _) in TABLE {
        let text = named("p", text);
        for lint in lints(&text) {
            let Some(fix) = &lint.fix else { continue };
            let mut better = text.clone();
            better.replace_range(lint.span.clone(), fix);
            assert!(lints(&better).iter().all(|other| other.code != lint.code), "{lint}\n{better}");
            fixed.insert(lint.code);
        }
    }
    assert_eq!(fixed, BTreeSet::from([BroadAdministration, MisspeltAnnotation]));
}

#[test]
fn a_lint_reads_the_same_in_json() {
    for code in LintCode::ALL {
        assert_eq!(serde_json::to_value(code).expect("json"), code.as_str());
        assert_eq!(serde_json::to_value(code.severity()).expect("json"), code.severity().as_str());
    }
    let lint = &lints(&named("p", "permit(principal, action == Action::\"ticket.close\", resource);"))[0];
    let json = serde_json::to_value(lint).expect("json");
    assert_eq!((&json["code"], &json["policy"]), (&"no-task-condition".into(), &"p".into()));
    assert_eq!(json["span"], serde_json::json!({"start": lint.span.start, "end": lint.span.end}));
}

// ── What loads ──────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_is_refused_says_how_to_acknowledge_it() {
    let error = Evaluator::new(catalog(), r#"@id("all") permit(principal, action, resource);"#).expect_err("too broad");
    let said = "error[unconditional-permit] all: permits every agent every action on everything: change it, or \
        acknowledge it with `@allow(\"unconditional-permit\")` on the policy";
    assert_eq!(error.to_string(), said);
}

#[test]
fn what_is_acknowledged_must_be_a_lint() {
    for allow in [r#"@allow("everything")"#, r#"@allow("no-reason,shadowed")"#, r#"@allow("")"#, "@allow"] {
        let text = named("p", &format!("{allow} forbid(principal, action, resource);"));
        let error = Evaluator::new(catalog(), &text).expect_err(allow);
        assert!(matches!(error, PolicyError::Annotation { key: "allow", .. }), "{error}");
    }
}

#[test]
fn a_template_is_looked_at_as_it_is_linked() {
    let template = named("t", r#"permit(principal == ?principal, action in Action::"any privileged", resource);"#);
    let wide = named("t", r#"permit(principal, action in Action::"any privileged", resource in ?resource);"#);
    let name = |name: &str| PolicyName::new(name).expect("a name");
    let agent = "spiffe://acme.example/agent/triage".parse().expect("an agent");
    let ticket = crate::world::ticket();
    let narrow = Bundle::new(&template).link(name("t"), name("triage"), Some(&agent), None);
    let lints = Evaluator::new(catalog(), narrow).expect("an agent is named").lint().expect("a stack");
    let found: Vec<(&str, LintCode)> = lints.iter().map(|lint| (lint.policy.as_str(), lint.code)).collect();
    assert_eq!(found, [("triage", NoTaskCondition)]);
    // Nothing decides before it is linked.
    assert!(Evaluator::new(catalog(), Bundle::new(&wide)).is_ok());
    let linked = Bundle::new(&wide).link(name("t"), name("T-42"), None, Some(&ticket));
    let error = Evaluator::new(catalog(), linked).expect_err("no agent is named");
    assert!(
        matches!(error, PolicyError::Lint(lint) if lint.code == BroadAdministration && lint.policy == name("T-42"))
    );
}

/// What keeps a policy from loading.
const ERRORS: [LintCode; 3] = [UnconditionalPermit, BroadAdministration, MisspeltAnnotation];

/// What is found in the policies `p0`, `p1`, … that all acknowledge these codes.
fn allowing(codes: &BTreeSet<LintCode>, policies: &[&str]) -> Vec<Lint> {
    let codes: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let texts = policies.iter().map(|text| format!("@allow(\"{}\") {text}", codes.join(" "))).collect::<Vec<_>>();
    let evaluator = Evaluator::new(catalog(), &numbered(&texts)).expect("everything is acknowledged");
    evaluator.lint().expect("a stack")
}

fn numbered(policies: &[impl AsRef<str>]) -> String {
    policies.iter().zip(0..).map(|(text, number)| named(&format!("p{number}"), text.as_ref())).collect()
}

/// Everything that there is to find, acknowledged or not.
fn found(policies: &[&str]) -> BTreeSet<(String, LintCode)> {
    let lints = allowing(&BTreeSet::from(ERRORS), policies);
    let is_unused = |policy: &str, code: LintCode| {
        let says = |lint: &Lint| lint.code == UnusedAllow && lint.message.contains(&format!("`{code}`"));
        lints.iter().any(|lint| lint.policy.as_str() == policy && says(lint))
    };
    let errors = (0..policies.len()).map(|number| format!("p{number}")).flat_map(|policy| {
        let there = ERRORS.into_iter().filter(|code| !is_unused(&policy, *code));
        there.map(|code| (policy.clone(), code)).collect::<Vec<_>>()
    });
    let others = lints.iter().filter(|lint| lint.code != UnusedAllow);
    others.map(|lint| (lint.policy.to_string(), lint.code)).chain(errors).collect()
}

#[test]
fn an_acknowledgement_silences_its_code_and_no_other_and_what_is_clean_loads() {
    let mut policies: Vec<&str> = TABLE.iter().map(|(text, _)| *text).collect();
    policies.retain(|text| !text.contains("@allow"));
    let codes: Vec<LintCode> = LintCode::ALL.iter().copied().filter(|code| *code != UnusedAllow).collect();
    let count = codes.len();
    let input = (proptest::collection::vec(select(policies), 1..5), subsequence(codes, 0..=count));
    hold_often((60, 10), input, |(policies, silenced)| {
        let found = found(&policies);
        let allowed: BTreeSet<LintCode> = silenced.into_iter().chain(ERRORS).collect();
        let left = allowing(&allowed, &policies).iter().map(|lint| (lint.policy.to_string(), lint.code)).collect();
        let loud = found.iter().filter(|(_, code)| !allowed.contains(code)).cloned();
        let idle = (0..policies.len()).map(|number| format!("p{number}"));
        let idle = idle.filter(|name| allowed.iter().any(|code| !found.contains(&(name.clone(), *code))));
        let expected: BTreeSet<_> = loud.chain(idle.map(|name| (name, UnusedAllow))).collect();
        prop_assert_eq!(expected, left, "{:?}", policies);

        let clean = found.iter().all(|(_, code)| code.severity() < Severity::Error);
        let loaded = Evaluator::new(catalog(), &numbered(&policies));
        prop_assert_eq!(loaded.is_ok(), clean, "{:?}: {:?}", policies, loaded.err());
        Ok(clean)
    });
}
