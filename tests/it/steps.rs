//! Steps that tests take, who takes them, and what is said of them.

use std::sync::Arc;

use bailiwick::audit::Denial;
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::Audience;
use bailiwick::identity::{AgentId, AgentIdentity, IdentityVerifier, KeyPossession, OperatorSession};
use bailiwick::mandate::{Action, Grant, Resource, Scope};
use bailiwick::policy::ReasonCode;
use bailiwick::time::Clock;

use crate::world::{START, World, at, ticket};

/// A step on this resource, for this person, or an autonomous one.
pub(crate) fn step(behalf: Option<&OperatorSession>, tool: &str, resource: &Resource) -> Action {
    match behalf {
        Some(person) => Action::on_behalf_of(person, tool, resource),
        None => Action::autonomous(tool, resource),
    }
    .expect("a tool name")
}

/// An autonomous step on the ticket.
pub(crate) fn alone(tool: &str) -> Action {
    step(None, tool, &ticket())
}

/// The smallest step: an autonomous read of the ticket.
pub(crate) fn read() -> Action {
    alone("ticket.read")
}

/// A step on the ticket for this person.
pub(crate) fn on_behalf(person: &OperatorSession, tool: &str) -> Action {
    step(Some(person), tool, &ticket())
}

/// These tools, autonomously too.
pub(crate) fn autonomous(tools: &[&str]) -> Scope {
    let grant = |scope: Scope, tool: &&str| scope.allow(tool, Grant::new().autonomous()).expect("a new tool name");
    tools.iter().fold(Scope::new(), grant)
}

/// Why not, if not.
pub(crate) fn code<T>(answer: Result<T, Denial>) -> Option<ReasonCode> {
    answer.err().map(|denial| denial.code())
}

/// The triage agent, admitted after it proved its key.
pub(crate) fn attested(world: &World) -> AgentIdentity {
    let (verifier, answer) = prover(world, &world.triage);
    world.door.admit(verifier.verify(&answer, at(START)).expect("a proof")).expect("an active agent")
}

/// A verifier that knows the world's key as this agent's, and an answer to a challenge of its.
pub(crate) fn prover(world: &World, agent: &AgentId) -> (KeyPossession, String) {
    let audience = Audience::new("https://host.acme.example").expect("an audience");
    let mut verifier = KeyPossession::new(audience, Arc::new(SystemEntropy));
    verifier.register(agent.clone(), world.key.public()).expect("a new key");
    let now = world.clock.now().expect("the time");
    let answer = verifier.challenge(agent, now).expect("a challenge").answer(&world.key).expect("an answer");
    (verifier, answer)
}
