//! What races through one door, in every order that matters: budgets, approvals, halts and ends.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --test loom --target-dir target/loom` runs it. The whole door is modelled, through
//! what a host calls. Each model runs two threads against each other, in all orders of their locks and atomics with at most
//! [`PREEMPTIONS`] switches that nobody waited for, and with every value that an atomic may be read as. Not modelled: the
//! policies in force and the keys of the minter (replaced as a whole, by `arc-swap`), what is computed once (`OnceLock`), and
//! the waiting for an acknowledgement: the sink here takes every record at once.
#![cfg(loom)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bailiwick::audit::{Ack, AgentFact, AuditSink, Effect, Event, Permit};
use bailiwick::credential::{MintError, MintKey, Minter};
use bailiwick::entropy::{Entropy, EntropyError};
use bailiwick::id::{Audience, EventId, Issuer};
use bailiwick::identity::{AgentId, AgentKey, HumanOperator, OperatorId, OperatorSession, Registry, danger};
use bailiwick::mandate::{Action, ActionClass, Approval, Arguments, Grant, Intent, Mandate, Resource, Scope, Tool};
use bailiwick::policy::{Administration, Catalog, Evaluator, Outcome};
use bailiwick::time::{Clock, ClockError, Timestamp};
use bailiwick::{Authorizer, Halt, Task, TaskHandle};
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread::JoinHandle;

/// Switches in one run that nobody waited for. What goes wrong at all mostly goes wrong with two.
const PREEMPTIONS: usize = 4;
/// Stack of a thread of a model, in words.
const STACK: usize = 1 << 17;

/// Runs `model` in every order. It says what came of a run; over all runs, all of `wanted` does, and nothing else: were it
/// less, nothing raced.
fn explore<T>(name: &str, wanted: impl IntoIterator<Item = T>, model: impl Fn() -> T + Send + Sync + 'static)
where
    T: Ord + Debug + Send + 'static,
{
    heavy();
    let (model, seen) = (Arc::new(model), Arc::new(Mutex::new((BTreeSet::new(), 0))));
    let mut builder = loom::model::Builder::new();
    builder.max_threads = 4;
    builder.max_branches = 100_000;
    builder.preemption_bound = Some(PREEMPTIONS);
    let all = Arc::clone(&seen);
    builder.check(move || {
        let model = Arc::clone(&model);
        // The first thread of a model has a small stack: it only waits.
        let came = spawn(move || model()).join().expect("a model");
        let mut all = all.lock().unwrap();
        all.0.insert(came);
        all.1 += 1;
    });
    let seen = seen.lock().unwrap();
    println!("{name}: {} runs", seen.1);
    assert_eq!(seen.0, wanted.into_iter().collect(), "what came of {name}");
}

fn spawn<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    loom::thread::Builder::new().stack_size(STACK).spawn(run).expect("a thread")
}

/// What takes long to make and is the same in every run.
fn heavy() -> &'static (Evaluator, Administration) {
    static HEAVY: OnceLock<(Evaluator, Administration)> = OnceLock::new();
    HEAVY.get_or_init(|| {
        let tools = [("ticket.close", ActionClass::Write), ("ticket.purge", ActionClass::Irreversible)];
        let with = |catalog: Catalog, (name, class): (&str, _)| catalog.with(Tool::new(name.parse().unwrap(), class));
        let catalog = tools.into_iter().try_fold(Catalog::new(), with).unwrap();
        let open = r#"@id("all") @allow("unconditional-permit") permit(principal, action, resource);"#;
        (Evaluator::new(catalog, open).unwrap(), Administration::standard().unwrap())
    })
}

fn now() -> Timestamp {
    Timestamp::from_unix(1_790_000_000).unwrap()
}

/// A clock that stands still.
struct Still;

impl Clock for Still {
    fn now(&self) -> Result<Timestamp, ClockError> {
        Ok(now())
    }
}

/// Bytes that are counted, so that each run of a model can be repeated.
#[derive(Default)]
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for part in bytes.chunks_mut(8) {
            let count = self.0.fetch_add(1, Relaxed).to_be_bytes();
            part.iter_mut().zip(count.iter().rev()).for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }
}

/// Takes every record at once.
#[derive(Default)]
struct Records(Mutex<Vec<Event>>);

impl AuditSink for Records {
    fn record(&self, event: &Event) -> Ack {
        self.0.lock().unwrap().push(event.clone());
        Ack::taken()
    }
}

impl Records {
    fn agent_facts(&self) -> Vec<(EventId, AgentFact)> {
        let events = self.0.lock().unwrap();
        events.iter().filter_map(|event| event.agent.as_ref()).map(|one| (one.link.event, one.fact.clone())).collect()
    }

    fn ends(&self) -> usize {
        self.agent_facts().iter().filter(|(_, fact)| matches!(fact, AgentFact::Ended { .. })).count()
    }

    fn permitted(&self) -> usize {
        let is_permitted =
            |fact: &AgentFact| matches!(fact, AgentFact::Decided(one) if one.verdict.outcome == Outcome::Permitted);
        self.agent_facts().iter().filter(|(_, fact)| is_permitted(fact)).count()
    }

    /// What was said of the effects of what this decision permitted.
    fn effects(&self, of: EventId) -> Vec<Effect> {
        let effect = |(_, fact)| match fact {
            AgentFact::Done { decision, effect } if decision == of => Some(effect),
            _ => None,
        };
        self.agent_facts().into_iter().filter_map(effect).collect()
    }
}

/// One person, one agent, and one task that the person approved.
struct World {
    door: Authorizer,
    records: Arc<Records>,
    ada: OperatorSession,
    agent: AgentId,
}

fn begin(scope: Scope) -> (World, Task) {
    let (evaluator, administration) = heavy().clone();
    let (entropy, records) = (Arc::new(Counted::default()), Arc::new(Records::default()));
    let person = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada").unwrap());
    let agent = AgentId::spiffe("spiffe://acme.example/agent/triage").unwrap();
    let registry = Registry::new();
    registry.enroll(person.clone()).unwrap();
    registry.register(agent.clone(), [person.id().clone()]).unwrap();
    let minter =
        Minter::new(Issuer::new("https://authz.acme.example").unwrap(), MintKey::generate(entropy.as_ref()).unwrap());
    let door = Authorizer::builder(registry, evaluator, records.clone())
        .minter(minter)
        .administration(administration)
        .administrator(person.id().clone())
        .clock(Arc::new(Still))
        .entropy(entropy.clone())
        .build()
        .unwrap();
    let hour = now().after(Duration::from_secs(3600));
    let ada = danger::operator_vouched_by_host(person, now(), hour).unwrap();
    let key = AgentKey::generate(entropy.as_ref()).unwrap().public().thumbprint();
    let proven = door.admit(danger::workload_vouched_by_host(agent.clone(), Some(key), hour)).unwrap();
    let mandate = Mandate::new(proven, Intent::new("close stale tickets", scope).unwrap()).approved_by(&ada);
    let task = door.begin(mandate).unwrap();
    (World { door, records, ada, agent }, task)
}

fn grant(tool: &str, grant: Grant) -> Scope {
    Scope::new().allow(tool, grant).unwrap()
}

fn act(world: &World, tool: &str) -> Action {
    Action::on_behalf_of(&world.ada, tool, &Resource::new("ticket", "T-42").unwrap()).unwrap()
}

fn audience() -> Audience {
    Audience::new("https://jira.acme.example").unwrap()
}

/// Takes one action from leave to effect: says which decision permitted what ran.
fn run(task: &TaskHandle, action: &Action) -> Option<EventId> {
    let execution = task.redeem(task.authorize(action).ok()?, &Arguments::none()).ok()?;
    let decision = *execution.decision();
    execution.finish(Effect::Succeeded).unwrap();
    Some(decision)
}

#[test]
fn a_budget_of_one_is_spent_once() {
    explore("budget", [true, false], || {
        let (world, task) = begin(grant("ticket.close", Grant::new().at_most(1)));
        let (handle, action) = (task.handle(), act(&world, "ticket.close"));
        let other = spawn({
            let (handle, action) = (handle.clone(), action.clone());
            move || run(&handle, &action)
        });
        let own = run(&handle, &action);
        let ran: Vec<_> = own.into_iter().chain(other.join().unwrap()).collect();
        assert_eq!(ran.len(), 1, "the budget is one");
        assert_eq!(world.records.effects(ran[0]), [Effect::Succeeded]);
        assert_eq!(world.records.permitted(), 1);
        own.is_some()
    });
}

#[test]
fn an_approval_of_one_action_permits_it_once() {
    explore("approval", [true, false], || {
        let (world, task) = begin(grant("ticket.purge", Grant::new()));
        let (handle, action) = (task.handle(), act(&world, "ticket.purge"));
        let approved = action.clone().approved(Approval::by(&world.ada, task.request(&action)));
        let other = spawn({
            let (handle, approved) = (handle.clone(), approved.clone());
            move || handle.authorize(&approved).ok().map(hold)
        });
        let own = handle.authorize(&approved).ok().map(hold);
        let permits = own.into_iter().chain(other.join().unwrap()).count();
        assert_eq!(permits, 1, "the approval is of one action");
        assert_eq!(world.records.permitted(), 1);
        own.is_some()
    });
}

/// A permit that is held, whatever becomes of it.
fn hold(permit: Permit) -> EventId {
    *permit.decision()
}

/// After `halt` returned nothing is redeemed, not even what was permitted before; what was redeemed is known.
fn nothing_runs_after(name: &str, halt: impl Fn(&World, &Task) -> Halt + Send + Sync + 'static) {
    explore(name, [(0, 0), (1, 0), (1, 1)], move || {
        let (world, task) = begin(grant("ticket.close", Grant::new()));
        let (world, halted) = (Arc::new(world), Arc::new(AtomicBool::new(false)));
        let what = halt(&world, &task);
        let agent = spawn({
            let (handle, action, halted) = (task.handle(), act(&world, "ticket.close"), Arc::clone(&halted));
            move || {
                let Ok(permit) = handle.authorize(&action) else {
                    return 0;
                };
                let is_halted = halted.load(Ordering::Acquire);
                let redeemed = handle.redeem(permit, &Arguments::none());
                assert!(!(is_halted && redeemed.is_ok()), "redeemed after the halt");
                u64::from(redeemed.is_ok())
            }
        });
        world.door.halt(&world.ada, what).unwrap();
        halted.store(true, Ordering::Release);
        let ran = agent.join().unwrap();
        assert_eq!(task.complete().unwrap().unknown, ran);
        (world.records.permitted(), ran)
    });
}

#[test]
fn nothing_is_redeemed_once_its_task_is_halted() {
    nothing_runs_after("halt of the task", |_, task| Halt::Task(task.id().clone()));
}

#[test]
fn nothing_is_redeemed_once_its_agent_is_suspended() {
    nothing_runs_after("suspension of the agent", |world, _| Halt::Agent(world.agent.clone()));
}

#[test]
fn nothing_is_redeemed_once_everything_is_halted() {
    nothing_runs_after("halt of everything", |_, _| Halt::Everything);
}

#[test]
fn no_credential_is_good_once_its_task_is_complete() {
    explore("complete against mint", [(0, false), (1, false), (1, true)], || {
        let (world, task) = begin(grant("ticket.close", Grant::new()));
        let (world, completed) = (Arc::new(world), Arc::new(AtomicBool::new(false)));
        let agent = spawn({
            let (handle, action) = (task.handle(), act(&world, "ticket.close"));
            let (world, completed) = (Arc::clone(&world), Arc::clone(&completed));
            move || {
                let permit = handle.authorize(&action).ok()?;
                let is_completed = completed.load(Ordering::Acquire);
                let credential = match handle.mint(permit, &audience()) {
                    Ok(credential) => credential,
                    Err(error) => {
                        assert!(matches!(error, MintError::Denied(_)), "{error}");
                        return None;
                    }
                };
                assert!(!is_completed, "minted after the end");
                let is_completed = completed.load(Ordering::Acquire);
                let verified = world.door.verify(credential.expose(), &audience());
                assert!(!(is_completed && verified.is_ok()), "good after the end");
                Some(credential)
            }
        });
        task.complete().unwrap();
        completed.store(true, Ordering::Release);
        let credential = agent.join().unwrap();
        if let Some(credential) = &credential {
            assert!(world.door.verify(credential.expose(), &audience()).is_err());
            assert_eq!(world.records.effects(*credential.execution().decision()), [Effect::Unknown]);
        }
        assert_eq!(world.records.ends(), 1);
        (world.records.permitted(), credential.is_some())
    });
}

/// What runs while its task is completed: whoever does not tell its effect leaves it to the closing.
fn one_end(name: &str, is_told: bool) {
    let came = [(false, 0), (true, 0), (true, 1)];
    explore(name, came.into_iter().filter(|(ran, unknown)| is_told || *ran == (*unknown == 1)), move || {
        let (world, task) = begin(grant("ticket.close", Grant::new()));
        let agent = spawn({
            let (handle, action) = (task.handle(), act(&world, "ticket.close"));
            move || {
                if is_told {
                    return run(&handle, &action);
                }
                let execution = handle.redeem(handle.authorize(&action).ok()?, &Arguments::none()).ok()?;
                Some(*execution.decision())
            }
        });
        let closed = task.complete().unwrap();
        let ran = agent.join().unwrap();
        let effects = ran.map_or(Vec::new(), |decision| world.records.effects(decision));
        let unknown = effects.iter().filter(|effect| **effect == Effect::Unknown).count();
        assert_eq!(closed.unknown, unknown as u64);
        assert_eq!(effects.is_empty(), ran.is_none(), "what ran has an effect");
        assert_eq!(effects.contains(&Effect::Succeeded), is_told && ran.is_some());
        assert_eq!((world.records.ends(), world.door.sweep().closed), (1, 0));
        (ran.is_some(), unknown)
    });
}

#[test]
fn a_task_ends_once_and_every_effect_is_recorded() {
    one_end("complete against redeem", true);
    one_end("complete against redeem, untold", false);
}

#[test]
fn who_completes_and_who_sweeps_record_one_end() {
    explore("complete against sweep", [0, 1], || {
        let (world, task) = begin(grant("ticket.close", Grant::new()));
        let execution = task.redeem(task.authorize(&act(&world, "ticket.close")).unwrap(), &Arguments::none()).unwrap();
        let decision = *execution.decision();
        drop(execution);
        let world = Arc::new(world);
        let sweeper = spawn({
            let world = Arc::clone(&world);
            move || world.door.sweep().closed
        });
        task.complete().unwrap();
        let swept = sweeper.join().unwrap();
        assert_eq!(world.records.ends(), 1, "one end");
        assert_eq!(world.records.effects(decision), [Effect::Unknown]);
        swept
    });
}
