//! What happens where Cedar answers otherwise than the compiled policies.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::World;
use crate::mandate::{Action, ActionClass, Grant, Resource, Scope, Tool};
use crate::policy::{Catalog, Evaluator, ReasonCode};

/// Counts what is said at error level.
#[derive(Clone, Default)]
struct Loud(Arc<AtomicUsize>);

impl tracing::Subscriber for Loud {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        if *event.metadata().level() == tracing::Level::ERROR {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// Decides, where the compiled policies are those of `compiled` and Cedar is asked about those of `text`.
fn decide(compiled: &str, text: &str) -> Result<(Option<ReasonCode>, usize, bool), Box<dyn std::error::Error>> {
    let catalog = Catalog::new().with(Tool::new("ticket.read".parse()?, ActionClass::Read))?;
    let world = World::of(Evaluator::torn(catalog, compiled, text)?)?;
    let ada = world.operator("ada")?;
    let task = world.task(&world.agent("triage")?, Scope::new().allow("ticket.read", Grant::new())?, [&ada])?;
    let action = Action::on_behalf_of(&ada, "ticket.read", &Resource::new("ticket", "1")?)?;
    let loud = Loud::default();
    let answer = tracing::subscriber::with_default(loud.clone(), || task.authorize(&action));
    let recorded = format!("{:?}", world.sink().events()).contains("PolicyFailed");
    Ok((answer.err().map(|denial| denial.code()), loud.0.load(Ordering::Relaxed), recorded))
}

#[test]
fn where_cedar_answers_otherwise_the_action_is_denied_and_that_is_loud_and_recorded() {
    let policy = |kind: &str| {
        format!(
            r#"@id("p") permit(principal, action, resource) when {{ resource.kind == "{kind}" && context.task.step < 9 }};"#
        )
    };
    let (permits, does_not) = (policy("ticket"), policy("folder"));
    let agreed = decide(&permits, &permits).map_err(|error| error.to_string());
    assert_eq!(agreed, Ok((None, 0, false)), "both permit");
    let differ = decide(&permits, &does_not).map_err(|error| error.to_string());
    assert_eq!(differ, Ok((Some(ReasonCode::PolicyFailed), 1, true)), "Cedar does not");
    let differ = decide(&does_not, &permits).map_err(|error| error.to_string());
    assert_eq!(differ, Ok((Some(ReasonCode::PolicyFailed), 1, true)), "Cedar alone does");
}
