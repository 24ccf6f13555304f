//! Agents who work for one another: who they are, and what is passed on.

use bailiwick::entropy::SystemEntropy;
use bailiwick::identity::{AgentId, AgentIdentity, AgentKey, danger};
use bailiwick::mandate::{Intent, Mandate, Scope};
use bailiwick::time::Timestamp;
use bailiwick::{Error, Task, TaskHandle};

use crate::world::{START, World, at, operator, scope};

/// The id of a worker.
pub(crate) fn id(name: &str) -> AgentId {
    AgentId::spiffe(&format!("spiffe://acme.example/worker/{name}")).expect("a SPIFFE ID")
}

/// A worker with a key of its own, for an hour. Bob answers for workers.
pub(crate) fn worker(world: &World, name: &str) -> AgentIdentity {
    worker_until(world, name, at(START + 3600))
}

/// The same, with a proof that ends then.
pub(crate) fn worker_until(world: &World, name: &str, until: Timestamp) -> AgentIdentity {
    if world.registry.agent_state(&id(name)).is_none() {
        world.registry.register(id(name), [operator("bob")]).expect("a new agent");
    }
    let key = AgentKey::generate(&SystemEntropy).expect("a key").public().thumbprint();
    let workload = danger::workload_vouched_by_host(id(name), Some(key), until);
    world.door.admit(workload).expect("an active agent")
}

/// A part for an agent.
pub(crate) fn part(agent: AgentIdentity, scope: Scope) -> Mandate {
    Mandate::new(agent, Intent::new("one step of it", scope).expect("a purpose"))
}

/// A worker with this part of the task.
pub(crate) fn delegate(world: &World, task: &TaskHandle, name: &str, scope: Scope) -> Result<Task, Error> {
    task.delegate(part(worker(world, name), scope))
}

/// The world's scope, of which so many agents below may have parts.
pub(crate) fn delegable(depth: u8) -> Scope {
    deep(scope(), depth)
}

/// The scope, of which so many agents below may have parts; none at 0.
pub(crate) fn deep(scope: Scope, depth: u8) -> Scope {
    if depth == 0 { scope } else { scope.delegable(depth).expect("a depth") }
}
