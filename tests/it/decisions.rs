//! The decision matrix: what is permitted (✔), held for a human's approval of exactly this action (⏸) or denied (✘) to
//! which agent, on whose errand, with which approval, in which situation, under which policies.
//!
//! Every cell is the answer of a real [`Task::authorize`](bailiwick::Task). `UPDATE_GOLDEN=1 cargo test decisions`
//! rewrites `golden/decisions.txt`.

use std::time::Duration;

use bailiwick::audit::{Denial, Effect, Permit};
use bailiwick::identity::{AgentId, AgentUser, danger as vouched};
use bailiwick::mandate::{Action, Approval, Bound, Grant, Intent, Mandate, Resource, Scope, danger};
use bailiwick::policy::Outcome;
use bailiwick::{Halt, Resume, Task, TaskHandle};

use crate::flaky::{Host, Mood};
use crate::golden::{self, Table};
use crate::steps::{alone, attested, read, step};
use crate::world::{HOUR, OPEN, START, World, args, at, operator, ticket};

const HEAD: &str = "\
# The decision matrix. Every cell is the answer of a real `Task::authorize`.
#   ✔ permitted   ⏸ held until a human approves exactly this action   ✘ denied, and why
#   … → …  without, and with Ada's approval of exactly this action; one answer where that changes nothing
# Written by `UPDATE_GOLDEN=1 cargo test decisions`; review it like code.
";

#[test]
fn every_decision_is_the_one_that_was_reviewed() {
    let tables = [actions(), approvals(), standings(), policies()].map(|table| table.render());
    golden::compare("decisions.txt", &format!("{HEAD}\n{}", tables.join("\n\n")));
}

// ── Actions ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Every action, in and beyond the bounds, for each mode, in an open task that Ada approved.
fn actions() -> Table {
    let (own, other): (Present, Present) = (|world| Some(&world.triage_bot), |world| Some(&world.payer_bot));
    let none: Present = |_| None;
    let known = r#"{"recipient": "GB29NWBK60161331926819", "amount": 12.00}"#;
    let unknown = r#"{"recipient": "US133000000121212121212", "amount": 12.00}"#;
    let dear = r#"{"recipient": "GB29NWBK60161331926819", "amount": 12.01}"#;
    type Row = (&'static str, &'static str, &'static str, Present);
    let groups: [(&str, &str, &[Row]); 8] = [
        (
            "ticket.read",
            "read; granted, autonomously too",
            &[
                ("a ticket", "T-42", "{}", none),
                ("presenting its own agent user", "T-42", "{}", own),
                ("presenting another agent's user", "T-42", "{}", other),
            ],
        ),
        (
            "ticket.close",
            "write; granted on T-42",
            &[
                ("the ticket", "T-42", "{}", none),
                ("the ticket, with a reason", "T-42", r#"{"reason": "stale"}"#, none),
                ("another ticket", "T-43", "{}", none),
                ("an argument that is not declared", "T-42", r#"{"force": true}"#, none),
                ("an argument of another type", "T-42", r#"{"reason": 7}"#, none),
                ("presenting its own agent user", "T-42", "{}", own),
                ("presenting another agent's user", "T-42", "{}", other),
            ],
        ),
        (
            "ticket.purge",
            "irreversible; granted, autonomously too",
            &[
                ("a ticket", "T-42", "{}", none),
                ("presenting its own agent user", "T-42", "{}", own),
                ("presenting another agent's user", "T-42", "{}", other),
            ],
        ),
        (
            "money.send",
            "external commitment; preapproved to one recipient up to 12.00, beyond it ask",
            &[
                ("within the bounds", "T-42", known, none),
                ("to another recipient", "T-42", unknown, none),
                ("of a larger amount", "T-42", dear, none),
                ("without its arguments", "T-42", "{}", none),
            ],
        ),
        ("role.grant", "privileged; granted, autonomously too", &[("a role", "T-42", "{}", none)]),
        (
            "everything",
            "write; granted autonomously where `flag` is true",
            &[
                ("within the bounds", "T-42", r#"{"flag": true}"#, none),
                ("beyond the bounds", "T-42", r#"{"flag": false}"#, none),
                ("without the argument", "T-42", "{}", none),
            ],
        ),
        ("web.fetch", "read; not granted", &[("a page", "T-42", r#"{"url": "https://example.org"}"#, none)]),
        ("ticket.fly", "neither declared nor granted", &[("a ticket", "T-42", "{}", none)]),
    ];
    let world = World::new(OPEN);
    let task = world.task(scope_of_actions());
    let mut table =
        Table::new("1. Actions, in a task that Ada approved", &["action", "autonomous", "for Ada", "for Bob"]);
    for (tool, what, rows) in groups {
        table.group(&format!("{tool}: {what}"));
        for (label, name, json, presented) in rows {
            let cells = [None, Some(&world.ada), Some(&world.bob)].map(|behalf| {
                let resource = Resource::new("ticket", name).expect("a resource");
                let action = step(behalf, tool, &resource).with(args(json));
                decide(&world, &task, presented(&world).map_or(action.clone(), |user| action.presenting(user)))
            });
            table.row(label, cells);
        }
    }
    table
}

type Present = fn(&World) -> Option<&AgentUser>;

fn scope_of_actions() -> Scope {
    let payment = Grant::new()
        .bound("recipient", Bound::one_of(["GB29NWBK60161331926819"]))
        .and_then(|grant| grant.bound("amount", Bound::at_most("12.00".parse().expect("a number"))))
        .expect("argument names");
    let flagged = Grant::new().bound("flag", Bound::one_of([true])).expect("an argument name");
    Scope::new()
        .allow("ticket.read", Grant::new().autonomous())
        .and_then(|scope| scope.allow("ticket.close", Grant::new().on([ticket()])))
        .and_then(|scope| scope.allow("ticket.purge", Grant::new().autonomous()))
        .and_then(|scope| scope.allow("money.send", payment.preapproved().or_ask()))
        .and_then(|scope| scope.allow("role.grant", Grant::new().autonomous()))
        .and_then(|scope| scope.allow("everything", flagged.autonomous()))
        .expect("tool names")
}

// ── Approvals ───────────────────────────────────────────────────────────────────────────────────────────────────────

/// What comes along with an action that a human approves one by one.
fn approvals() -> Table {
    type Row = (&'static str, fn(&World, &Task, Action) -> Answer);
    let rows: [Row; 15] = [
        ("none", |_, task, action| task.authorize(&action)),
        ("Ada's, of exactly this action", |world, task, action| {
            let approval = Approval::by(&world.ada, task.request(&action));
            task.authorize(&action.approved(approval))
        }),
        ("Ada's, of exactly this action, used before", |world, task, action| {
            let approval = Approval::by(&world.ada, task.request(&action));
            let action = action.approved(approval);
            drop(task.authorize(&action).expect("a permit"));
            task.authorize(&action)
        }),
        ("Ada's, of exactly this action, and ended", |world, task, action| {
            let approval = Approval::by(&world.ada, task.request(&action)).until(at(START + 60));
            world.clock.advance(Duration::from_secs(60));
            task.authorize(&action.approved(approval))
        }),
        ("Ada's, from a session that is over", |world, task, action| {
            let (start, end) = (at(START), at(START + 60));
            let person = world.ada.operator().clone();
            let short = vouched::operator_vouched_by_host(person, start, end).expect("a session");
            let approval = Approval::by(&short, task.request(&action)).until(at(START + 3600));
            world.clock.advance(Duration::from_secs(60));
            task.authorize(&action.approved(approval))
        }),
        ("Ada's, of the action on another resource", |world, task, action| {
            let other = Resource::new("ticket", "T-43").expect("a resource");
            let asked = task.request(&same_mode(world, &action, "ticket.purge", &other));
            task.authorize(&action.approved(Approval::by(&world.ada, asked)))
        }),
        ("Ada's, of another action", |world, task, action| {
            let asked = task.request(&same_mode(world, &action, "role.grant", &ticket()));
            task.authorize(&action.approved(Approval::by(&world.ada, asked)))
        }),
        ("Ada's, of the action in the other mode", |world, task, action| {
            let behalf = if action.mode().operator().is_some() { None } else { Some(&world.ada) };
            let asked = task.request(&step(behalf, "ticket.purge", &ticket()));
            task.authorize(&action.approved(Approval::by(&world.ada, asked)))
        }),
        ("Ada's, of the same action of another task", |world, task, action| {
            let other = world.task(scope_of_actions());
            let approval = Approval::by(&world.ada, other.request(&action));
            task.authorize(&action.approved(approval))
        }),
        ("Ada's, of the whole task", |world, task, action| {
            task.authorize(&action.approved(Approval::by(&world.ada, scope_of_actions())))
        }),
        ("Ada's, vouched for by the host", |_, task, action| {
            let asked = task.request(&action);
            let approval = danger::approval_vouched_by_host(operator("ada"), asked, at(START + 60), "OPS-1");
            task.authorize(&action.approved(approval))
        }),
        ("Bob's, who did not approve the task", |world, task, action| {
            let approval = Approval::by(&world.bob, task.request(&action));
            task.authorize(&action.approved(approval))
        }),
        ("Bob's, who approved the task too", |world, _, action| {
            let mandate = world.mandate(scope_of_actions()).approved(Approval::by(&world.bob, scope_of_actions()));
            let task = world.door.begin(mandate).expect("a task");
            let approval = Approval::by(&world.bob, task.request(&action));
            task.authorize(&action.approved(approval))
        }),
        ("Bob's, who approved the task too and has left", |world, _, action| {
            let mandate = world.mandate(scope_of_actions()).approved(Approval::by(&world.bob, scope_of_actions()));
            let task = world.door.begin(mandate).expect("a task");
            let approval = Approval::by(&world.bob, task.request(&action));
            let _ = world.door.offboard(&world.ada, &operator("bob")).expect("Bob leaves");
            task.authorize(&action.approved(approval))
        }),
        ("Ada's, of another action, where none is needed", |world, task, action| {
            let approval = Approval::by(&world.ada, task.request(&action));
            task.authorize(&same_mode(world, &action, "ticket.read", &ticket()).approved(approval))
        }),
    ];
    let mut table = Table::new(
        "2. Approvals, of an action that a human approves one by one",
        &["approval", "autonomous", "for Ada"],
    );
    table.group("ticket.purge on T-42");
    for (label, decide) in rows {
        let cells = [false, true].map(|for_ada| {
            let world = World::new(OPEN);
            let task = world.task(scope_of_actions());
            cell(&decide(&world, &task, step(for_ada.then_some(&world.ada), "ticket.purge", &ticket())))
        });
        table.row(label, cells);
    }
    table
}

fn same_mode(world: &World, action: &Action, tool: &str, resource: &Resource) -> Action {
    step(action.mode().operator().map(|_| &world.ada), tool, resource)
}

// ── Standing ────────────────────────────────────────────────────────────────────────────────────────────────────────

/// What happened since the task began. Ada and Bob approved it, and both sponsor the agent unless said otherwise.
fn standings() -> Table {
    let rows: [(&str, Event); 20] = [
        ("nothing", |_, task| Some(task)),
        ("it was completed", |_, task| {
            task.complete().expect("an end");
            None
        }),
        ("it was dropped", |_, _| None),
        ("it was halted", |host, task| {
            let halt = Halt::Task(task.id().clone());
            host.world.door.halt(&host.world.ada, halt).expect("a halt");
            Some(task)
        }),
        ("everything was halted", |host, task| {
            host.world.door.halt(&host.world.bob, Halt::Everything).expect("a halt");
            Some(task)
        }),
        ("everything was halted, and resumed", |host, task| {
            host.world.door.halt(&host.world.bob, Halt::Everything).expect("a halt");
            host.world.door.resume(&host.world.ada, Resume::Everything).expect("a new start");
            Some(task)
        }),
        ("the agent was suspended", |host, task| {
            host.world.door.halt(&host.world.bob, Halt::Agent(shared())).expect("a halt");
            Some(task)
        }),
        ("the agent was retired", |host, task| {
            host.world.door.retire(&host.world.bob, &shared()).expect("an end");
            Some(task)
        }),
        ("Ada left", |host, task| {
            let _ = host.world.door.offboard(&host.world.bob, &operator("ada")).expect("Ada leaves");
            Some(task)
        }),
        ("Bob left", |host, task| {
            let _ = host.world.door.offboard(&host.world.ada, &operator("bob")).expect("Bob leaves");
            Some(task)
        }),
        ("both left, and so every sponsor", |host, task| {
            let _ = host.world.door.offboard(&host.world.ada, &operator("bob")).expect("Bob leaves");
            let _ = host.world.door.offboard(&host.world.ada, &operator("ada")).expect("Ada leaves");
            Some(task)
        }),
        ("Ada's approval ended, after 30 minutes", |host, task| later(host, task, HOUR / 2)),
        ("the task's time ended, after 40 minutes", |host, task| later(host, task, HOUR * 2 / 3)),
        ("the agent's proof ended, after an hour", |host, task| later(host, task, HOUR)),
        ("the calls of the tool are spent", |_, task| ran(task, 2)),
        ("the calls of the task are spent", |_, task| {
            let task = ran(task, 1)?;
            run(&task, &alone("web.fetch").with(args(r#"{"url": "https://example.org"}"#)));
            run(&task, &alone("web.fetch").with(args(r#"{"url": "https://example.org"}"#)));
            Some(task)
        }),
        ("the policies were replaced by one that forbids", |host, task| {
            let forbid = r#"@id("stop") forbid(principal, action, resource);"#;
            host.world.door.reload(&host.world.ada, forbid).expect("other policies");
            Some(task)
        }),
        ("the clock went back by ten minutes", |host, task| {
            let task = later(host, task, HOUR / 3)?;
            let _ = task.authorize(&read());
            host.world.clock.set(at(START + 600));
            Some(task)
        }),
        ("the clock fails", |host, task| {
            host.clock.set(Mood::Fails);
            Some(task)
        }),
        ("the sink fails", |host, task| {
            host.sink.set(Mood::Fails);
            Some(task)
        }),
    ];
    let mut table = Table::new(
        "3. What happened since the task began, which Ada and Bob approved",
        &["since then", "autonomous", "for Ada", "for Bob"],
    );
    table.group("ticket.read on T-42; Ada and Bob sponsor the agent");
    for (label, happens) in rows {
        let host = host_of_two();
        let task = task_of_two(&host, shared());
        let handle = task.handle();
        let alive = happens(&host, task);
        table.row(label, read_by_each(&host.world, &handle));
        drop(alive);
    }
    table.group("the same; Ada alone sponsors the agent");
    let host = host_of_two();
    let task = task_of_two(&host, host.world.triage.clone());
    let _ = host.world.door.offboard(&host.world.bob, &operator("ada")).expect("Ada leaves");
    table.row("Ada left", read_by_each(&host.world, &task));
    table.group("the same; Ada and Bob sponsor the agent, and Ada alone approved the task");
    let host = host_of_two();
    let agent = host.world.door.admit(host.world.workload(&shared())).expect("an active agent");
    let mandate = Mandate::new(agent, Intent::new("read tickets", scope_of_actions()).expect("a purpose"))
        .approved(Approval::by(&host.world.ada, scope_of_actions()));
    let task = host.world.door.begin(mandate).expect("a task");
    let _ = host.world.door.offboard(&host.world.bob, &operator("ada")).expect("Ada leaves");
    table.row("Ada left", read_by_each(&host.world, &task));
    table
}

type Event = fn(&Host, Task) -> Option<Task>;

fn shared() -> AgentId {
    AgentId::spiffe("spiffe://acme.example/agent/shared").expect("a SPIFFE ID")
}

fn host_of_two() -> Host {
    let host = Host::new(OPEN);
    host.world.registry.register(shared(), [operator("ada"), operator("bob")]).expect("a new agent");
    host
}

/// A task that Ada approved for half an hour, and Bob for forty minutes.
fn task_of_two(host: &Host, agent: AgentId) -> Task {
    let world = &host.world;
    let scope = Scope::new()
        .allow("ticket.read", Grant::new().autonomous().at_most(2))
        .and_then(|scope| scope.allow("web.fetch", Grant::new().autonomous()))
        .expect("tool names")
        .at_most(3);
    let agent = world.door.admit(world.workload(&agent)).expect("an active agent");
    let mandate = Mandate::new(agent, Intent::new("read tickets", scope.clone()).expect("a purpose"))
        .approved(Approval::by(&world.ada, scope.clone()).until(at(START).after(HOUR / 2)))
        .approved(Approval::by(&world.bob, scope).until(at(START).after(HOUR * 2 / 3)));
    world.door.begin(mandate).expect("a task")
}

fn later(host: &Host, task: Task, time: Duration) -> Option<Task> {
    host.world.clock.advance(time);
    Some(task)
}

fn ran(task: Task, times: usize) -> Option<Task> {
    (0..times).for_each(|_| run(&task, &read()));
    Some(task)
}

fn run(task: &Task, action: &Action) {
    let permit = task.authorize(action).expect("a permit");
    task.redeem(permit, action.arguments()).expect("an execution").finish(Effect::Succeeded).expect("a record");
}

fn read_by_each(world: &World, task: &TaskHandle) -> [String; 3] {
    [None, Some(&world.ada), Some(&world.bob)]
        .map(|behalf| cell(&task.authorize(&step(behalf, "ticket.read", &ticket()))))
}

// ── Policies ────────────────────────────────────────────────────────────────────────────────────────────────────────

/// What policies say, to proven and to vouched agents.
fn policies() -> Table {
    let all = r#"@id("all") @allow("unconditional-permit") permit(principal, action, resource);"#;
    let permit = |when: &str| {
        format!(r#"@id("some") @allow("broad-administration") permit(principal, action, resource) when {{ {when} }};"#)
    };
    let forbid = |when: &str| format!(r#"{all} @id("not") forbid(principal, action, resource) when {{ {when} }};"#);
    let only = |when: &str| {
        format!(r#"{all} @id("not") forbid(principal, action == Action::"everything", resource) when {{ {when} }};"#)
    };
    let overflow = "context.args has count && context.args.count + 9223372036854775807 > 0";
    let rows = [
        ("none", String::new()),
        ("permit everything", all.to_owned()),
        ("permit attested agents", permit("principal.attested")),
        ("permit the triage agent", permit(r#"principal == AgentIdentity::"spiffe://acme.example/agent/triage""#)),
        ("permit on behalf of people", permit(r#"context.mode == "on_behalf_of""#)),
        ("permit what a human approved exactly", permit("context.approved")),
        ("permit everything; forbid vouched agents", forbid("!principal.attested")),
        ("permit everything; forbid autonomous steps", forbid(r#"context.mode == "autonomous""#)),
        ("permit everything; forbid what overflows", only(overflow)),
        ("forbid everything; permit everything", forbid("true")),
    ];
    let mut table = Table::new(
        "4. Policies, for agents that the host vouches for or that proved a key",
        &["policies", "triage, vouched for", "triage, attested", "payer, vouched for"],
    );
    table.group("everything on T-42 with {\"count\": 1}: autonomously / for Ada, where they differ");
    for (label, text) in rows {
        let world = World::new(&text);
        let payer = || world.door.admit(world.workload(&world.payer)).expect("an active agent");
        let agents = [world.agent(), attested(&world), payer()];
        let cells = agents.map(|agent| {
            let scope = Scope::new().allow("everything", Grant::new().autonomous()).expect("a tool name");
            let intent = Intent::new("count", scope.clone()).expect("a purpose");
            let mandate = Mandate::new(agent, intent).approved(Approval::by(&world.ada, scope));
            let task = world.door.begin(mandate).expect("a task");
            let answer =
                |behalf| cell(&task.authorize(&step(behalf, "everything", &ticket()).with(args(r#"{"count": 1}"#))));
            let (alone, for_ada) = (answer(None), answer(Some(&world.ada)));
            if alone == for_ada { alone } else { format!("{alone} / {for_ada}") }
        });
        table.row(label, cells);
    }
    table
}

// ── Cells ───────────────────────────────────────────────────────────────────────────────────────────────────────────

type Answer = Result<Permit, Denial>;

/// Decides without an approval, and with Ada's of exactly this action: one answer where both are the same.
///
/// The rules alone, asked beforehand, say no less and no more.
fn decide(world: &World, task: &Task, action: Action) -> String {
    let asked = |action: &Action| {
        let verdict = task.verdict(action).expect("a clock");
        let answer = task.authorize(action);
        let outcome = match &answer {
            Ok(_) => Outcome::Permitted,
            Err(denial) if denial.is_held() => Outcome::Held,
            Err(_) => Outcome::Denied,
        };
        assert_eq!(verdict.outcome, outcome, "{action:?}");
        assert_eq!(verdict.reason.as_ref(), answer.as_ref().err().map(Denial::reason), "{action:?}");
        cell(&answer)
    };
    let approval = Approval::by(&world.ada, task.request(&action));
    let (without, with) = (asked(&action), asked(&action.approved(approval)));
    if without == with { without } else { format!("{without} → {with}") }
}

fn cell(answer: &Answer) -> String {
    match answer {
        Ok(_) => "✔".to_owned(),
        Err(denial) if denial.is_held() => format!("⏸ {}", denial.code().as_str()),
        Err(denial) => format!("✘ {}", denial.code().as_str()),
    }
}
