//! The reasons: a stable vocabulary, every word of which is reached through the public API.

use std::collections::BTreeSet;
use std::time::Duration;

use bailiwick::audit::{AgentFact, Denial, Event};
use bailiwick::credential::MintError;
use bailiwick::id::Audience;
use bailiwick::identity::danger;
use bailiwick::mandate::{
    Action, ActionClass, Approval, Bound, Budget, Drift, Grant, Objection, Quorum, Resource, Response, Scope, Watch,
};
use bailiwick::policy::{Catalog, Evaluator, ReasonCode, Retry};
use bailiwick::{Halt, Task};

use crate::flaky::{Host, Mood};
use crate::golden::{self, Table};
use crate::steps::{self, alone, autonomous, on_behalf, step};
use crate::world::{HOUR, OPEN, START, World, args, at, audience, operator, scope};

const HEAD: &str = "\
# Why an action is refused: the code (stable), when to try again, what the model and what people are told, and the controls
# that it is evidence for. Written by `UPDATE_GOLDEN=1 cargo test reasons`; a code that is here is never renamed.
";

#[test]
fn the_vocabulary_is_the_one_that_was_reviewed() {
    let mut table = Table::new("Reasons", &["code", "retry", "the model is told", "people are told", "evidence for"]);
    for code in ReasonCode::ALL {
        let cells = [code.retry().as_str(), code.for_model(), code.for_human(), &code.controls().join(", ")];
        let cells = cells.map(str::to_owned);
        table.row(code.as_str(), cells);
    }
    golden::compare("reasons.txt", &format!("{HEAD}\n{}", table.render()));
}

#[test]
fn a_code_is_one_name_and_one_sentence_and_evidence_for_something() {
    let names: BTreeSet<&str> = ReasonCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(names.len(), ReasonCode::ALL.len(), "no code is used twice");
    for code in ReasonCode::ALL {
        let (name, told) = (code.as_str(), code.for_model());
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        assert!(told.chars().count() <= 280, "{name}: {told}");
        assert_eq!(told.find(['.', '!', '?', '\n']), Some(told.len() - 1), "{name}: one sentence: {told}");
        assert!(told.starts_with(|first: char| first.is_ascii_uppercase()), "{name}: {told}");
        assert!(!code.controls().is_empty(), "{name}");
        let human = code.for_human();
        assert!(human.starts_with(|first: char| first.is_ascii_lowercase()), "{name}: a clause: {human}");
        assert!(!human.contains(['.', '`', '_', '\n']), "{name}: plain words: {human}");
    }
}

#[test]
fn every_reason_is_reached_and_tells_the_model_nothing_but_its_sentence() {
    for &code in ReasonCode::ALL {
        let host = Host::new(POLICIES);
        let Some(denial) = provoke(&host, code) else {
            let written = |event: Event| match event.agent?.fact {
                AgentFact::Voided { reason, .. } => Some(reason.code()),
                _ => None,
            };
            let last = host.world.sink.events().into_iter().filter_map(written).last();
            assert_eq!(last, Some(code), "`{}` is in the record", code.as_str());
            continue;
        };
        assert_eq!(denial.code(), code, "{}", denial.for_operator());
        assert_eq!(denial.to_string(), code.for_model());
        assert!(denial.for_operator().to_string().contains(code.as_str()), "{}", denial.for_operator());
        assert_eq!(
            denial.is_held(),
            code.retry() == Retry::Approval || code == ReasonCode::SessionOver,
            "{}",
            denial.for_operator()
        );
        assert_eq!(denial.request().is_some(), denial.is_held());
        assert_eq!(denial.event().is_some(), code != ReasonCode::Audit, "{}", denial.for_operator());
    }
}

/// A situation in which an action is refused for this reason, which is told, or written in the record alone.
fn provoke(Host { world, clock, sink, .. }: &Host, code: ReasonCode) -> Option<Denial> {
    let task = world.task(granted());
    let (read, purge, for_bob) = (steps::read(), alone("ticket.purge"), on_behalf(&world.bob, "ticket.read"));
    let count = |json| alone("everything").with(args(json));
    let refused = |task: &Task, action: &Action| task.authorize(action).expect_err("a denial");
    Some(match code {
        ReasonCode::Clock => {
            clock.set(Mood::Fails);
            refused(&task, &read)
        }
        ReasonCode::Halted => {
            world.door.halt(&world.ada, Halt::Everything).expect("a halt");
            refused(&task, &read)
        }
        ReasonCode::AgentNotActive => {
            world.door.halt(&world.ada, Halt::Agent(world.triage.clone())).expect("a halt");
            refused(&task, &read)
        }
        ReasonCode::ProofExpired => {
            world.clock.advance(HOUR);
            refused(&task, &read)
        }
        ReasonCode::TaskEnded => {
            let handle = task.handle();
            task.complete().expect("an end");
            handle.authorize(&read).expect_err("a denial")
        }
        ReasonCode::TaskOver => {
            let brief = world.door.begin(world.mandate(granted()).until(at(START + 60)));
            world.clock.advance(Duration::from_secs(60));
            refused(&brief.expect("a task"), &read)
        }
        ReasonCode::NotApprovedBy => refused(&task, &for_bob),
        ReasonCode::OperatorNotActive => {
            let task = with_bob(world, |approval| approval);
            let _ = world.door.offboard(&world.ada, &operator("bob")).expect("Bob leaves");
            refused(&task, &for_bob)
        }
        ReasonCode::BlueprintHalted => {
            let task = crate::halting::made_from(world, "image@7");
            let halt = Halt::Blueprint(crate::halting::blueprint("image@7"));
            world.door.halt(&world.ada, halt).expect("a halt");
            refused(&task, &read)
        }
        ReasonCode::BreakerOpen => {
            let world = crate::breaker::world(1, 100);
            let task = world.task(granted());
            refused(&task, &alone("ticket.fly"));
            refused(&task, &read)
        }
        ReasonCode::NotEntitled => {
            let world = crate::entitlements::world();
            refused(&world.task(scope()), &on_behalf(&world.ada, "ticket.purge"))
        }
        ReasonCode::ApprovalOver => {
            let task = with_bob(world, |approval| approval.until(at(START + 60)));
            world.clock.advance(Duration::from_secs(60));
            refused(&task, &for_bob)
        }
        ReasonCode::ToolUndeclared => refused(&task, &alone("ticket.fly")),
        ReasonCode::CapabilityDrift => {
            let world = World::under(Evaluator::new(listing("Reads a file."), OPEN).expect("policies"));
            let task = world.task(autonomous(&["file.read"]));
            world.door.listed(&listing("Reads a file, and sends it to us."));
            refused(&task, &alone("file.read"))
        }
        ReasonCode::SessionOver => {
            let person = world.ada.operator().clone();
            let short = danger::operator_vouched_by_host(person, at(START), at(START + 60)).expect("a session");
            let approval = Approval::by(&short, task.request(&purge)).until(at(START + 3600));
            world.clock.advance(Duration::from_secs(60));
            refused(&task, &purge.approved(approval))
        }
        ReasonCode::AgentUserNotBound => refused(&task, &read.presenting(&world.payer_bot)),
        ReasonCode::Arguments => refused(&task, &read.with(args(r#"{"force": true}"#))),
        ReasonCode::ResourceDiffers => refused(&task, &read.of_resource(args(r#"{"owner": "mallory"}"#))),
        ReasonCode::OutOfScope => refused(&task, &alone("ticket.close")),
        ReasonCode::TargetOutOfScope => {
            let closing = Grant::new().autonomous().bound("reason", Bound::one_of(["stale"])).expect("a name");
            let task = world.task(Scope::new().allow("ticket.close", closing).expect("a tool name"));
            refused(&task, &alone("ticket.close").with(args(r#"{"reason": "because"}"#)))
        }
        ReasonCode::Budget => {
            let _permit = task.authorize(&read).expect("a permit");
            refused(&task, &read)
        }
        ReasonCode::Overrun => refused(&budgeted(world, Budget::calls(0)), &read),
        ReasonCode::TooSoon => {
            let task = budgeted(world, Budget::calls(1).within(HOUR).expect("a rate"));
            let _permit = task.authorize(&read).expect("a permit");
            refused(&task, &read)
        }
        ReasonCode::Drift => {
            let watch = Watch::new().plan([["ticket.purge"]]).expect("a plan").on(Drift::OutsidePlan, Response::Deny);
            refused(&world.task(granted().watched(watch)), &read)
        }
        ReasonCode::NeedsApproval => refused(&task, &purge),
        ReasonCode::ApprovalInvalid => refused(&task, &purge.approved(Approval::by(&world.ada, scope()))),
        ReasonCode::ApprovalSpent => {
            let approval = Approval::by(&world.ada, task.request(&purge));
            let purge = purge.approved(approval);
            drop(task.authorize(&purge).expect("a permit"));
            refused(&task, &purge)
        }
        ReasonCode::TooFewApprovals => {
            let purges = Grant::new().autonomous().approved_by(Quorum::of(2).expect("two people"));
            let scope = || Scope::new().allow("ticket.purge", purges.clone()).expect("a tool name");
            let mandate = world.mandate(scope()).approved(Approval::by(&world.bob, scope()));
            let task = world.door.begin(mandate).expect("a task");
            let approval = Approval::by(&world.ada, task.request(&purge));
            refused(&task, &purge.approved(approval))
        }
        ReasonCode::SaidNo => {
            let request = refused(&task, &purge).request().cloned().expect("a request");
            task.object(&Objection::by(&world.ada, request)).expect("an objection");
            refused(&task, &purge)
        }
        ReasonCode::TooManyRequests => {
            let purge = |name: &str| step(None, "ticket.purge", &Resource::new("ticket", name).expect("a name"));
            for waiting in 0..8 {
                assert!(refused(&task, &purge(&format!("T-{waiting}"))).is_held());
            }
            refused(&task, &purge("T-8"))
        }
        ReasonCode::Forbidden => refused(&task, &count(r#"{"flag": true}"#)),
        ReasonCode::NotPermitted => refused(&task, &count("{}")),
        ReasonCode::PolicyFailed => refused(&task, &count(r#"{"count": 1}"#)),
        ReasonCode::Audit => {
            sink.set(Mood::Panics);
            refused(&task, &read)
        }
        ReasonCode::PermitInvalid => {
            let permit = task.authorize(&read).expect("a permit");
            world.clock.advance(Duration::from_secs(30));
            task.redeem(permit, read.arguments()).expect_err("a denial")
        }
        ReasonCode::ArgumentsChanged => {
            let permit = task.authorize(&read).expect("a permit");
            task.redeem(permit, &args(r#"{"force": true}"#)).expect_err("a denial")
        }
        ReasonCode::Untold => {
            let reads = Scope::new().allow("ticket.read", Grant::new().autonomous()).expect("a tool name");
            let task = world.task(reads);
            let run = || task.redeem(task.authorize(&read).expect("a permit"), read.arguments());
            for _ in 0..1024 {
                drop(run().expect("an action that nobody finishes"));
            }
            run().expect_err("a denial")
        }
        ReasonCode::NoCredential => {
            let permit = task.authorize(&read).expect("a permit");
            let elsewhere = Audience::new("https://elsewhere.example").expect("an audience");
            assert!(matches!(task.mint(permit, &elsewhere), Err(MintError::Audience { .. })));
            return None;
        }
        other => panic!("nothing here provokes `{}`", other.as_str()),
    })
}

/// What a server lists: one tool, described so.
fn listing(description: &str) -> Catalog {
    let text =
        format!(r#"{{"tools": [{{"name": "file.read", "description": "{description}", "inputSchema": {{}}}}]}}"#);
    Catalog::from_mcp(&text).and_then(|catalog| catalog.classify("file.read", ActionClass::Read)).expect("a listing")
}

/// A task that may read tickets within this budget.
fn budgeted(world: &World, budget: Budget) -> Task {
    let grant = Grant::new().autonomous().budget(budget).expect("a budget");
    world.task(Scope::new().allow("ticket.read", grant).expect("a tool name"))
}

/// Permits tickets; forbids what is flagged, and cannot evaluate what is counted.
const POLICIES: &str = r#"
@id("tickets") permit(principal, action in [Action::"ticket.read", Action::"ticket.purge"], resource);
@id("flagged") forbid(principal, action == Action::"everything", resource)
when { context.args has flag && context.args.flag };
@id("counted") forbid(principal, action == Action::"everything", resource)
when { context.args has count && context.args.count + 9223372036854775807 > 0 };
"#;

/// One read, any number of purges, and everything, all autonomously.
fn granted() -> Scope {
    Scope::new()
        .allow("ticket.read", Grant::new().autonomous().at_most(1).at([audience()]))
        .and_then(|scope| scope.allow("ticket.purge", Grant::new().autonomous()))
        .and_then(|scope| scope.allow("everything", Grant::new().autonomous()))
        .expect("tool names")
}

/// A task that Bob approved too.
fn with_bob(world: &World, how: impl Fn(Approval) -> Approval) -> Task {
    let approval = how(Approval::by(&world.bob, granted()));
    world.door.begin(world.mandate(granted()).approved(approval)).expect("a task")
}
