//! What a model is offered: the tools of which some call could be permitted or held now.

use crate::mandate::{Action, Mode, ToolName};
use crate::policy::Question;
use crate::task::TaskHandle;
use crate::time::ClockError;

impl TaskHandle {
    /// Of these tools, the ones to offer to a model on this errand now: decided by the policies that decide calls, by what
    /// people approved, and by what is left of the budget.
    ///
    /// A tool is left out where *every* call of it is refused at this instant, and where a policy hides it without looking at
    /// the call. A tool that is in may be refused still: what depends on arguments, resource or agent user is decided at the
    /// call, and things change until then. Only of a hidden tool a call that comes with its approval may be permitted, and the
    /// tool is left out. Nothing is recorded or spent.
    ///
    /// ```
    /// # use std::{sync::Arc, time::Duration};
    /// # use bailiwick::audit::MemorySink;
    /// # use bailiwick::identity::{AgentId, HumanOperator, OperatorId, Registry, danger};
    /// # use bailiwick::mandate::{ActionClass, Grant, Intent, Mandate, Mode, Scope, Tool, ToolName};
    /// # use bailiwick::policy::{Catalog, Evaluator};
    /// # use bailiwick::time::{Clock, SystemClock};
    /// # use bailiwick::Authorizer;
    /// # let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada")?);
    /// # let agent = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
    /// # let registry = Registry::new();
    /// # registry.enroll(ada.clone())?;
    /// # registry.register(agent.clone(), [ada.id().clone()])?;
    /// let names = ["ticket.close", "ticket.read", "ticket.watch"].map(|name| name.parse::<ToolName>().expect("a tool name"));
    /// let tools = names.iter().map(|name| Tool::new(name.clone(), ActionClass::Read));
    /// let catalog = tools.fold(Ok(Catalog::new()), |catalog, tool| catalog.and_then(|catalog| catalog.with(tool)))?;
    /// let evaluator = Evaluator::new(catalog, r#"
    ///     @id("tickets") permit(principal, action, resource) when { resource.kind == "ticket" };
    ///     @id("daily") forbid(principal, action == Action::"ticket.watch", resource) when { context.task.calls < 3 };
    /// "#)?;
    /// # let door = Authorizer::builder(registry, evaluator, Arc::new(MemorySink::new(100))).build()?;
    /// # let (now, hour) = (SystemClock.now()?, Duration::from_secs(3600));
    /// # let ada = danger::operator_vouched_by_host(ada, now, now.after(hour))?;
    /// # let agent = door.admit(danger::workload_vouched_by_host(agent, None, now.after(hour)))?;
    /// let scope = names.iter().filter(|name| name.as_str() != "ticket.close").fold(Ok(Scope::new()), |scope, name| {
    ///     scope.and_then(|scope| scope.allow(name.as_str(), Grant::new().autonomous()))
    /// })?;
    /// let task = door.begin(Mandate::new(agent, Intent::new("triage", scope)?).approved_by(&ada))?;
    /// let offered = task.visible(&names, &Mode::Autonomous)?;
    /// assert_eq!(offered, [&names[1]], "one is not granted, and one is forbidden for now");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The clock failed.
    pub fn visible<'t>(
        &self,
        tools: impl IntoIterator<Item = &'t ToolName>,
        mode: &Mode,
    ) -> Result<Vec<&'t ToolName>, ClockError> {
        let (door, assignment) = (&self.door, &self.assignment);
        let now = door.trail.clock().now()?;
        let (offers, mandate) = (door.evaluator.offers(), assignment.mandate());
        let admits = |tool: &&ToolName| {
            let action = Action::any_of(tool, mode);
            let ledger = assignment.view(self.step(&action, now));
            let (mut standing, request) = (self.standing(&action), assignment.request(&action, ledger.step));
            standing.breaker = assignment.breaker(now);
            offers.admit(&Question::new(mandate, &standing, &ledger, &action, &request, assignment.until(), now))
        };
        Ok(tools.into_iter().filter(admits).collect())
    }
}
