//! Bundles: what is replaced as a whole, its version and seal, templates and annotations.

use std::num::NonZeroU32;

use bailiwick::Error;
use bailiwick::entropy::SystemEntropy;
use bailiwick::mandate::Approval;
use bailiwick::policy::{Bundle, BundleKey, Evaluator, PolicyError, ReasonCode};

use crate::steps::{alone, on_behalf};
use crate::world::{OPEN, World, catalog, scope};

const NONE: &str = "";

fn name(text: &str) -> bailiwick::policy::PolicyName {
    text.parse().expect("a policy name")
}

#[test]
fn an_older_bundle_replaces_a_later_one_only_by_force() {
    let versions = |old: Option<u64>, new: Option<u64>, forced: bool| {
        let bundle = |version: Option<u64>| match version {
            Some(version) => Bundle::new(OPEN).version(version),
            None => Bundle::new(OPEN),
        };
        let world = World::under(Evaluator::new(catalog(), bundle(old)).expect("a bundle"));
        let new = if forced { bundle(new).forced() } else { bundle(new) };
        world.door.reload(&world.ada, new).map(drop)
    };
    let rows = [
        (None, None, false, true),
        (None, Some(1), false, true),
        (Some(1), Some(1), false, true),
        (Some(1), Some(2), false, true),
        (Some(2), Some(1), false, false),
        (Some(2), None, false, false),
        (Some(2), Some(1), true, true),
        (Some(2), None, true, true),
    ];
    for (old, new, forced, loads) in rows {
        let result = versions(old, new, forced);
        assert_eq!(result.is_ok(), loads, "{old:?} to {new:?}, forced: {forced}");
        if let Err(error) = result {
            assert!(matches!(error, Error::Policy(PolicyError::Older { .. })), "{error:?}");
        }
    }
}

#[test]
fn a_reload_that_fails_changes_nothing() {
    let world = World::new(OPEN);
    let task = world.task(scope());
    let permit = task.authorize(&alone("ticket.read")).expect("a permit");
    assert!(world.door.reload(&world.ada, "permit(").is_err());
    let _ = task.redeem(permit, alone("ticket.read").arguments()).expect("the same policies");
    assert!(task.authorize(&alone("ticket.read")).is_ok());
}

#[test]
fn what_is_not_sealed_by_the_pinned_key_does_not_load() {
    let (key, other) = (BundleKey::generate(&SystemEntropy).unwrap(), BundleKey::generate(&SystemEntropy).unwrap());
    let bundle = || Bundle::new(OPEN).version(3);
    let seal = key.seal(&bundle()).expect("a seal");
    let load = |bundle: Bundle| Evaluator::builder(catalog()).pinned(key.public()).load(bundle).map(drop);
    assert_eq!(load(bundle().sealed(&seal)), Ok(()));
    let wrong = [
        ("no seal", bundle()),
        ("another key's", bundle().sealed(&other.seal(&bundle()).expect("a seal"))),
        ("of another version", bundle().version(4).sealed(&seal)),
        ("of other policies", Bundle::new(NONE).version(3).sealed(&seal)),
        ("no base64url", bundle().sealed("?")),
    ];
    for (what, bundle) in wrong {
        assert_eq!(load(bundle), Err(PolicyError::Seal), "{what}");
    }
    // The same where bundles are replaced.
    let evaluator = Evaluator::builder(catalog()).pinned(key.public()).load(bundle().sealed(&seal)).unwrap();
    let world = World::under(evaluator);
    assert!(matches!(world.door.reload(&world.ada, OPEN), Err(Error::Policy(PolicyError::Seal))));
    assert!(world.door.reload(&world.ada, bundle().sealed(&seal)).is_ok());
}

#[test]
fn the_digest_covers_policies_links_and_directory() {
    let digest = |bundle: Bundle| Evaluator::new(catalog(), bundle).expect("a bundle").digest();
    let template = r#"@id("t") permit(principal == ?principal, action, resource);"#;
    let world = World::new(NONE);
    let link = |agent| Bundle::new(template).link(name("t"), name("l"), Some(agent), None);
    let directory = bailiwick::policy::Directory::new().agent(&world.triage, ["x".parse().unwrap()]);
    let digests = [
        digest(Bundle::new(NONE)),
        digest(Bundle::new(template)),
        digest(link(&world.triage)),
        digest(link(&world.payer)),
        digest(Bundle::new(NONE).with(directory)),
        digest(Bundle::new(NONE).version(1)),
    ];
    let distinct: std::collections::BTreeSet<_> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len());
    assert_eq!(digest(link(&world.triage)), digest(link(&world.triage)));
}

#[test]
fn a_template_decides_where_it_is_linked() {
    let text = r#"@id("readers") permit(principal == ?principal, action in Action::"any read", resource);"#;
    let linked = |bundle: Bundle| World::under(Evaluator::new(catalog(), bundle).expect("a bundle"));
    let read = |world: &World| world.task(scope()).authorize(&alone("ticket.read")).map(drop).map_err(|d| d.code());
    let ids = World::new(NONE);
    let link = |agent| linked(Bundle::new(text).link(name("readers"), name("reader"), Some(agent), None));
    assert_eq!(read(&linked(Bundle::new(text))), Err(ReasonCode::NotPermitted));
    assert_eq!(read(&link(&ids.triage)), Ok(()));
    assert_eq!(read(&link(&ids.payer)), Err(ReasonCode::NotPermitted));

    let load = |bundle: Bundle| Evaluator::new(catalog(), bundle).map(drop);
    let empty = Bundle::new(text).link(name("readers"), name("reader"), None, None);
    assert!(matches!(load(empty), Err(PolicyError::Cedar(_))), "a slot is not filled");
    let unknown = Bundle::new(text).link(name("writers"), name("reader"), Some(&ids.triage), None);
    assert!(matches!(load(unknown), Err(PolicyError::Cedar(_))), "no such template");
    let both = format!("{text} {OPEN}");
    let doubled = Bundle::new(&both).link(name("readers"), name("all"), Some(&ids.triage), None);
    assert_eq!(load(doubled), Err(PolicyError::DuplicateId(name("all"))));
}

#[test]
fn a_forbid_says_why_and_may_hide_the_tool() {
    let policies = r#"
        @id("all") @allow("unconditional-permit") permit(principal, action, resource);
        @id("b") @reason("tickets are frozen") forbid(principal, action == Action::"ticket.read", resource);
        @id("c") @visibility("hide") forbid(principal, action == Action::"web.fetch", resource);"#;
    let world = World::new(policies);
    let task =
        world.task(scope().allow("web.fetch", bailiwick::mandate::Grant::new().autonomous()).expect("a tool name"));
    let denial = task.authorize(&alone("ticket.read")).expect_err("frozen");
    assert_eq!(denial.because().map(bailiwick::id::Prose::as_str), Some("tickets are frozen"));
    assert!(format!("{:#}", denial.for_operator()).contains("tickets are frozen"));
    assert!(!denial.to_string().contains("frozen"), "not for the model");
    assert_eq!(denial.for_model().code(), ReasonCode::Forbidden);

    let fetch = alone("web.fetch").with(crate::world::args(r#"{"url": "https://example.org"}"#));
    let (hidden, unknown) = (task.authorize(&fetch).unwrap_err(), task.authorize(&alone("web.fly")).unwrap_err());
    assert_eq!(hidden.code(), ReasonCode::Forbidden, "for the operator");
    assert_eq!(hidden.for_model(), unknown.for_model());
    assert_eq!(hidden.to_string(), unknown.to_string());
}

#[test]
fn a_permit_that_requires_an_approval_is_none_without() {
    let world = World::new(
        r#"@id("closes") @requires("approval")
        permit(principal, action == Action::"ticket.close", resource) when { context.mode == "on_behalf_of" };"#,
    );
    let task = world.task(scope());
    let close = on_behalf(&world.ada, "ticket.close");
    let held = task.authorize(&close).expect_err("a hold");
    assert!(held.is_held(), "{}", held.for_operator());
    let approved = close.approved(Approval::by(&world.ada, held.request().expect("a request").clone()));
    assert!(task.authorize(&approved).is_ok());
    // Nothing else may refuse: where the condition does not hold, no approval helps.
    assert_eq!(task.authorize(&alone("ticket.close")).unwrap_err().code(), ReasonCode::OutOfScope);
}

#[test]
fn an_annotation_that_means_nothing_does_not_load() {
    let policy = |annotation: &str, effect: &str| {
        format!(r#"@id("p") {annotation} {effect}(principal, action == Action::"ticket.read", resource);"#)
    };
    let rows = [
        (r#"@requires("approval")"#, "permit", true),
        (r#"@requires("approval")"#, "forbid", false),
        (r#"@requires("two approvals")"#, "permit", false),
        (r#"@visibility("hide")"#, "forbid", true),
        (r#"@visibility("hide")"#, "permit", false),
        (r#"@visibility("show")"#, "forbid", false),
        (r#"@reason("because")"#, "forbid", true),
        (r#"@reason("")"#, "forbid", false),
        (r#"@owner("the payments team")"#, "forbid", true),
    ];
    for (annotation, effect, loads) in rows {
        let result = Evaluator::new(catalog(), &policy(annotation, effect)).map(drop);
        assert_eq!(result.is_ok(), loads, "{annotation} on a {effect}");
        if let Err(error) = result {
            assert!(matches!(error, PolicyError::Annotation { .. }), "{error}");
        }
    }
}

#[test]
fn what_cedar_evaluates_and_what_it_checks_is_the_same() {
    let own =
        r#"@id("p") permit(principal, action == Action::"ticket.read", resource) when { context.task.step < 3 };"#;
    let foreign = own.replace("@id(\"p\")", "@id(\"p\") @engine(\"cedar\")");
    let checked = Evaluator::builder(catalog()).cross_check(NonZeroU32::MIN).load(own).expect("a bundle");
    let evaluators = [
        (Evaluator::new(catalog(), own).expect("a bundle"), 0),
        (Evaluator::new(catalog(), &foreign).expect("a bundle"), 1),
        (checked, 0),
    ];
    for (evaluator, by_cedar) in evaluators {
        assert_eq!(evaluator.report().foreign.len(), by_cedar);
        let world = World::under(evaluator);
        let task = world.task(scope());
        let answers: Vec<bool> = (0..4).map(|_| task.authorize(&alone("ticket.read")).is_ok()).collect();
        assert_eq!(answers, [true, true, false, false]);
    }
}
