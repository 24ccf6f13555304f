//! What policies see: every fact of the vocabulary, with a case that it permits and one that it does not.

use bailiwick::audit::{Denial, Effect, Permit};
use bailiwick::id::TaskId;
use bailiwick::identity::{AgentId, AgentIdentity, danger};
use bailiwick::mandate::{Action, Approval, Arguments, Grant, Intent, Mandate, Resource, Scope};
use bailiwick::policy::ReasonCode;

use crate::steps::{self, alone, attested, code, on_behalf, step};
use crate::world::{START, World, args, at, catalog, operator};

type Answer = Result<Permit, Denial>;

/// A policy that permits this under that condition.
fn permit(scope: &str, condition: &str) -> String {
    format!("@id(\"p\") @allow(\"broad-administration\") permit({scope}) when {{ {condition} }};")
}

/// A policy of one fact, a situation in which it permits, and one in which it does not.
struct Fact {
    scope: &'static str,
    condition: &'static str,
    yes: fn(&World) -> Answer,
    no: fn(&World) -> Answer,
}

/// A fact of every action.
const fn fact(condition: &'static str, yes: fn(&World) -> Answer, no: fn(&World) -> Answer) -> Fact {
    Fact { scope: "principal, action, resource", condition, yes, no }
}

/// A fact of the arguments of `everything`.
const fn argument(condition: &'static str, yes: fn(&World) -> Answer, no: fn(&World) -> Answer) -> Fact {
    Fact { scope: r#"principal, action == Action::"everything", resource"#, condition, yes, no }
}

/// A fact of the action itself.
const fn group(scope: &'static str, yes: fn(&World) -> Answer, no: fn(&World) -> Answer) -> Fact {
    Fact { scope, condition: "true", yes, no }
}

#[test]
fn policies_see_every_fact_of_the_vocabulary() {
    let facts = [
        fact(r#"context.mode == "autonomous""#, read, for_ada),
        fact(r#"context.mode == "on_behalf_of""#, for_ada, read),
        fact(
            r#"context has operator && context.operator == HumanOperator::"https://idp.acme.example#ada""#,
            for_ada,
            |world| with_bob(world, &on_behalf(&world.bob, "ticket.read")),
        ),
        fact("context has operator", for_ada, read),
        // Presenting an agent user adds nothing, and may take.
        fact(
            r#"!(context has agent_user && context.agent_user == AgentUser::"jira.acme.example/triage-bot")"#,
            read,
            |world| take(world, steps::read().presenting(&world.triage_bot)),
        ),
        // The task.
        fact(
            r#"context.task.id == "tsk_of_this_name""#,
            |world| {
                let name = TaskId::new("tsk_of_this_name").expect("a task id");
                let task = world.door.begin(world.mandate(granted()).named(name)).expect("a task");
                task.authorize(&alone("ticket.read"))
            },
            read,
        ),
        fact(r#"context.task.purpose == "close stale tickets""#, read, |world| {
            let intent = Intent::new("close fresh tickets", granted()).expect("a purpose");
            let mandate = Mandate::new(world.agent(), intent).approved(Approval::by(&world.ada, granted()));
            world.door.begin(mandate).expect("a task").authorize(&alone("ticket.read"))
        }),
        fact(r#"context.task.approvers == [HumanOperator::"https://idp.acme.example#ada"]"#, read, |world| {
            with_bob(world, &steps::read())
        }),
        fact("context.task.step == 1", read, |world| after(world, &[], &["ticket.read"], "ticket.read")),
        fact("context.task.calls == 0", read, |world| after(world, &["ticket.read"], &[], "ticket.close")),
        fact(
            "context.task.tool_calls == 0 && context.task.calls <= 1",
            |world| after(world, &["ticket.read"], &[], "ticket.close"),
            |world| after(world, &["ticket.read"], &[], "ticket.read"),
        ),
        fact("context.task.refusals == 0", read, |world| after(world, &[], &["ticket.fly"], "ticket.read")),
        fact(
            r#"context.task.labels.contains("internal") || context.task.calls == 0"#,
            |world| after(world, &["ticket.read"], &[], "ticket.close"),
            |world| after(world, &["ticket.close"], &[], "ticket.close"),
        ),
        fact(
            r#"context.task.recent.contains("ticket.read") || context.task.calls == 0"#,
            |world| after(world, &["ticket.read"], &[], "ticket.close"),
            |world| after(world, &["ticket.close"], &[], "ticket.close"),
        ),
        // The tool.
        fact(r#"context.tool.class == "read""#, read, |world| take(world, alone("ticket.close"))),
        fact(r#"context.tool.labels.contains("internal")"#, read, |world| take(world, alone("ticket.close"))),
        // The time: the world begins at 14:13:20.
        fact(r#"context.time < datetime("2026-09-21T15:00:00Z")"#, read, |world| {
            world.clock.set(at(START + 2800));
            read(world)
        }),
        fact(r#"context.time == datetime("2026-09-21T14:13:20Z")"#, read, |world| {
            world.clock.set(at(START + 1));
            read(world)
        }),
        // The principal.
        fact(r#"principal == AgentIdentity::"spiffe://acme.example/agent/triage""#, read, |world| {
            let payer = world.door.admit(world.workload(&world.payer)).expect("an active agent");
            read_as(world, payer)
        }),
        fact("principal.attested", |world| read_as(world, attested(world)), read),
        fact(r#"principal.proof == "host-key""#, |world| read_as(world, attested(world)), read),
        fact(r#"principal.proof == "unattested""#, read, |world| read_as(world, attested(world))),
        fact(r#"principal.authority == "acme.example""#, read, |world| read_as(world, issued(world, "ada"))),
        fact(
            r#"principal.authority == "https://token.ci.example""#,
            |world| read_as(world, issued(world, "ada")),
            read,
        ),
        fact(r#"principal.sponsor == HumanOperator::"https://idp.acme.example#ada""#, read, |world| {
            read_as(world, issued(world, "bob"))
        }),
        // The resource.
        fact(r#"resource.kind == "ticket""#, read, |world| read_on(world, "page", "T-42")),
        fact(r#"resource.name == "T-42""#, read, |world| read_on(world, "ticket", "T-43")),
        fact(r#"resource == Resource::"ticket/T-42""#, read, |world| read_on(world, "page", "T-42")),
        // The action and its class.
        group(r#"principal, action == Action::"ticket.read", resource"#, read, |world| {
            take(world, alone("ticket.close"))
        }),
        group(r#"principal, action in [Action::"ticket.read", Action::"ticket.purge"], resource"#, read, |world| {
            take(world, alone("ticket.close"))
        }),
        group(r#"principal, action in Action::"any read", resource"#, read, |world| take(world, alone("ticket.close"))),
        group(
            r#"principal, action in Action::"any write", resource"#,
            |world| take(world, alone("ticket.close")),
            read,
        ),
        group(
            r#"principal, action in Action::"any irreversible", resource"#,
            |world| take(world, alone("ticket.purge")),
            read,
        ),
        group(
            r#"principal, action in Action::"any external_commitment", resource"#,
            |world| take(world, alone("money.send").with(args(r#"{"recipient": "x", "amount": 1}"#))),
            read,
        ),
        group(
            r#"principal, action in Action::"any privileged", resource"#,
            |world| take(world, alone("role.grant")),
            read,
        ),
        // The arguments, of each type.
        argument(
            "context.args has flag && context.args.flag",
            |world| everything(world, r#"{"flag": true}"#),
            |world| everything(world, r#"{"flag": false}"#),
        ),
        argument(
            "context.args has count && context.args.count == 9223372036854775807",
            |world| everything(world, r#"{"count": 9223372036854775807}"#),
            |world| everything(world, r#"{"count": 9223372036854775806}"#),
        ),
        argument(
            r#"context.args has sum && context.args.sum == decimal("98.7")"#,
            |world| everything(world, r#"{"sum": 98.7000}"#),
            |world| everything(world, r#"{"sum": 98.7001}"#),
        ),
        argument(
            r#"context.args has sum && context.args.sum.lessThan(decimal("-0.0001"))"#,
            |world| everything(world, r#"{"sum": -0.0002}"#),
            |world| everything(world, r#"{"sum": 0}"#),
        ),
        argument(
            r#"context.args has text && context.args.text like "GB*""#,
            |world| everything(world, r#"{"text": "GB29"}"#),
            |world| everything(world, r#"{"text": "US29"}"#),
        ),
        argument(
            r#"context.args has texts && context.args.texts == ["a", "b"]"#,
            |world| everything(world, r#"{"texts": ["b", "a", "b"]}"#),
            |world| everything(world, r#"{"texts": ["a"]}"#),
        ),
        argument(
            "context.args has texts && context.args.texts.isEmpty()",
            |world| everything(world, r#"{"texts": []}"#),
            |world| everything(world, r#"{"texts": [""]}"#),
        ),
        argument(
            "context.args has counts && context.args.counts.containsAll([1, 2])",
            |world| everything(world, r#"{"counts": [2, 3, 1]}"#),
            |world| everything(world, r#"{"counts": [2, 3]}"#),
        ),
        argument(
            "!(context.args has text)",
            |world| everything(world, r#"{"text": null, "blob": {"text": "x"}}"#),
            |world| everything(world, r#"{"text": "x"}"#),
        ),
    ];
    for Fact { scope, condition, yes, no } in facts {
        let world = || World::new(&permit(scope, condition));
        if let Err(denial) = yes(&world()) {
            panic!("{scope} {condition} permits: {}", denial.for_operator());
        }
        assert_eq!(no(&world()).expect_err(condition).code(), ReasonCode::NotPermitted, "{scope} {condition}");
    }
}

// ── Approvals ───────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn policies_see_whether_a_human_approved_exactly_this_action() {
    let world = World::new(
        r#"@id("all") @allow("unconditional-permit") permit(principal, action, resource);
        @id("ask") forbid(principal, action in Action::"any write", resource) unless { context.approved };"#,
    );
    let task = world.task(granted());
    let (close, purge) = (alone("ticket.close"), alone("ticket.purge"));
    let approved = |request| close.clone().approved(Approval::by(&world.ada, request));
    assert_eq!(code(task.authorize(&purge)), None);
    assert_eq!(code(task.authorize(&close)), Some(ReasonCode::NeedsApproval));
    assert_eq!(code(task.authorize(&approved(task.request(&purge)))), Some(ReasonCode::ApprovalInvalid));
    assert_eq!(code(task.authorize(&approved(task.request(&close)))), None);
}

// ── Situations ──────────────────────────────────────────────────────────────────────────────────────────────────────

/// Everything, autonomously, without asking a human again.
fn granted() -> Scope {
    catalog().tools().fold(Scope::new(), |scope, tool| {
        scope.allow(tool.name().as_str(), Grant::new().autonomous().preapproved()).expect("no tool twice")
    })
}

fn take(world: &World, action: Action) -> Answer {
    world.task(granted()).authorize(&action)
}

fn read(world: &World) -> Answer {
    take(world, steps::read())
}

fn for_ada(world: &World) -> Answer {
    take(world, on_behalf(&world.ada, "ticket.read"))
}

fn read_on(world: &World, kind: &str, name: &str) -> Answer {
    let resource = Resource::new(kind, name).expect("a resource");
    take(world, step(None, "ticket.read", &resource))
}

/// In a task that Bob approved too.
fn with_bob(world: &World, action: &Action) -> Answer {
    let mandate = world.mandate(granted()).approved(Approval::by(&world.bob, granted()));
    world.door.begin(mandate).expect("a task").authorize(action)
}

fn everything(world: &World, json: &str) -> Answer {
    take(world, alone("everything").with(args(json)))
}

fn read_as(world: &World, agent: AgentIdentity) -> Answer {
    let intent = Intent::new("close stale tickets", granted()).expect("a purpose");
    let mandate = Mandate::new(agent, intent).approved(Approval::by(&world.ada, granted()));
    world.door.begin(mandate).expect("a task").authorize(&alone("ticket.read"))
}

/// Asks for `last` in a task in which these tools ran, and these were only asked for.
fn after(world: &World, ran: &[&str], asked: &[&str], last: &str) -> Answer {
    let task = world.task(granted());
    for tool in ran {
        let permit = task.authorize(&alone(tool)).expect("a permit");
        task.redeem(permit, &Arguments::none()).expect("an execution").finish(Effect::Succeeded).expect("a record");
    }
    asked.iter().for_each(|tool| drop(task.authorize(&alone(tool))));
    task.authorize(&alone(last))
}

/// An agent that a platform's tokens name, sponsored by this person.
fn issued(world: &World, sponsor: &str) -> AgentIdentity {
    let agent = AgentId::issued("https://token.ci.example", "repo:acme/app").expect("an agent id");
    world.registry.register(agent.clone(), [operator(sponsor)]).expect("a new agent");
    world.door.admit(danger::workload_vouched_by_host(agent, None, at(START + 3600))).expect("an active agent")
}
