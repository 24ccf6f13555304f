//! A small fixed world: two people, two agents, a ticket system and a bank, at one moment that moves by hand.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bailiwick::audit::{AuditSink, MemorySink};
use bailiwick::credential::{MintKey, Minter};
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::{Audience, Issuer};
use bailiwick::identity::{
    AgentId, AgentIdentity, AgentKey, AgentUser, AgentUserId, HumanOperator, Namespace, OperatorId, OperatorSession,
    Registry, VerifiedWorkload, danger,
};
use bailiwick::jose::KeySet;
use bailiwick::mandate::{
    ActionClass, Approval, ArgumentType, Arguments, Bound, Grant, Intent, Mandate, Resource, Scope, Tool,
};
use bailiwick::policy::{Administration, Catalog, Evaluator};
use bailiwick::time::{ManualClock, Timestamp};
use bailiwick::{Authorizer, Builder, Task};

/// The moment at which the world begins: 2026-09-21T14:13:20Z.
pub(crate) const START: i64 = 1_790_000_000;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// Policies under which everything is permitted that the guard lets through.
pub(crate) const OPEN: &str = r#"@id("all") @allow("unconditional-permit") permit(principal, action, resource);"#;

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) sink: Arc<MemorySink>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) door: Authorizer,
    /// The sessions of two people, both administrators; Ada sponsors both agents, Bob none.
    pub(crate) ada: OperatorSession,
    pub(crate) bob: OperatorSession,
    /// The ids of two agents and the user records through which they are seen.
    pub(crate) triage: AgentId,
    pub(crate) payer: AgentId,
    pub(crate) triage_bot: AgentUser,
    pub(crate) payer_bot: AgentUser,
    pub(crate) key: AgentKey,
    /// What others verify the door's credentials with.
    pub(crate) keys: KeySet,
}

/// The second after the start of 1970.
pub(crate) fn at(unix: i64) -> Timestamp {
    Timestamp::from_unix(unix).expect("a moment between 1970 and 9999")
}

pub(crate) fn operator(name: &str) -> OperatorId {
    OperatorId::new("https://idp.acme.example", name).expect("an operator id")
}

pub(crate) fn session(name: &str) -> OperatorSession {
    let person = HumanOperator::new(operator(name));
    danger::operator_vouched_by_host(person, at(START), at(START + 8 * 3600)).expect("a session")
}

pub(crate) fn ticket() -> Resource {
    Resource::new("ticket", "T-42").expect("a resource")
}

pub(crate) fn audience() -> Audience {
    Audience::new("https://jira.acme.example").expect("an audience")
}

pub(crate) fn args(json: &str) -> Arguments {
    Arguments::from_json(json).expect("arguments")
}

/// The tools of the world, one of each class, and one with arguments of every type.
pub(crate) fn catalog() -> Catalog {
    let tool = |name: &str, class| Tool::new(name.parse().expect("a tool name"), class);
    let name = |text: &str| text.parse().expect("an argument name");
    let tools = [
        tool("ticket.read", ActionClass::Read).labelled("internal".parse().expect("a label")),
        tool("web.fetch", ActionClass::Read)
            .labelled("untrusted".parse().expect("a label"))
            .required(name("url"), ArgumentType::Text)
            .expect("one url"),
        tool("ticket.close", ActionClass::Write).optional(name("reason"), ArgumentType::Text).expect("one reason"),
        tool("ticket.purge", ActionClass::Irreversible),
        tool("money.send", ActionClass::ExternalCommitment)
            .required(name("recipient"), ArgumentType::Text)
            .and_then(|tool| tool.required(name("amount"), ArgumentType::Number))
            .expect("two arguments"),
        tool("role.grant", ActionClass::Privileged),
        tool("everything", ActionClass::Write)
            .optional(name("flag"), ArgumentType::Bool)
            .and_then(|tool| tool.optional(name("count"), ArgumentType::Integer))
            .and_then(|tool| tool.optional(name("sum"), ArgumentType::Number))
            .and_then(|tool| tool.optional(name("text"), ArgumentType::Text))
            .and_then(|tool| tool.optional(name("texts"), ArgumentType::Texts))
            .and_then(|tool| tool.optional(name("counts"), ArgumentType::Integers))
            .and_then(|tool| tool.optional(name("blob"), ArgumentType::Opaque))
            .expect("seven arguments"),
    ];
    tools.into_iter().fold(Catalog::new(), |catalog, tool| catalog.with(tool).expect("no tool twice"))
}

/// A scope that a person could have written for the ticket task.
pub(crate) fn scope() -> Scope {
    let payment = Grant::new()
        .bound("recipient", Bound::one_of(["GB29NWBK60161331926819"]))
        .and_then(|grant| grant.bound("amount", Bound::at_most("12.00".parse().expect("a number"))))
        .expect("argument names");
    Scope::new()
        .allow("ticket.read", Grant::new().autonomous())
        .and_then(|scope| scope.allow("ticket.close", Grant::new().on([ticket()])))
        .and_then(|scope| scope.allow("ticket.purge", Grant::new()))
        .and_then(|scope| scope.allow("money.send", payment.preapproved().or_ask()))
        .expect("tool names")
}

/// Who administers unless a host says otherwise: read once for all worlds, of which there are many.
pub(crate) fn standard() -> Administration {
    static STANDARD: OnceLock<Administration> = OnceLock::new();
    STANDARD.get_or_init(|| Administration::standard().expect("policies")).clone()
}

impl World {
    /// The world under these policies.
    pub(crate) fn new(policies: &str) -> Self {
        let sink = Arc::new(MemorySink::new(100_000));
        Self::recorded_in(policies, sink.clone(), sink)
    }

    /// The world under these policies, recorded in `sink`; `seen` is where tests look.
    pub(crate) fn recorded_in(policies: &str, sink: Arc<dyn AuditSink>, seen: Arc<MemorySink>) -> Self {
        Self::of(Evaluator::new(catalog(), policies).expect("policies"), sink, seen, |builder| builder)
    }

    /// The world under these policies, with a door that has more to it.
    pub(crate) fn built(policies: &str, more: impl FnOnce(Builder) -> Builder) -> Self {
        let sink = Arc::new(MemorySink::new(100_000));
        Self::of(Evaluator::new(catalog(), policies).expect("policies"), sink.clone(), sink, more)
    }

    /// The world under this evaluator.
    pub(crate) fn under(evaluator: Evaluator) -> Self {
        let sink = Arc::new(MemorySink::new(100_000));
        Self::of(evaluator, sink.clone(), sink, |builder| builder)
    }

    fn of(
        evaluator: Evaluator,
        sink: Arc<dyn AuditSink>,
        seen: Arc<MemorySink>,
        more: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(at(START)));
        let registry = Arc::new(Registry::new());
        for name in ["ada", "bob"] {
            registry.enroll(HumanOperator::new(operator(name))).expect("a new operator");
        }
        let triage = AgentId::spiffe("spiffe://acme.example/agent/triage").expect("a SPIFFE ID");
        let payer = AgentId::spiffe("spiffe://acme.example/agent/payer").expect("a SPIFFE ID");
        for agent in [&triage, &payer] {
            registry.register(agent.clone(), [operator("ada")]).expect("a new agent");
        }
        registry.declare(Namespace::suffix("jira.acme.example", "-bot").expect("a namespace"));
        let bind = |agent, handle| {
            let user = AgentUserId::new("jira.acme.example", handle).expect("an agent user id");
            registry.bind(agent, user).expect("a new agent user")
        };
        let (triage_bot, payer_bot) = (bind(&triage, "triage-bot"), bind(&payer, "payer-bot"));
        let issuer = Issuer::new("https://authz.acme.example").expect("an issuer");
        let minter = Minter::new(issuer, MintKey::generate(&SystemEntropy).expect("a key"));
        let keys = minter.keys(at(START));
        let builder = Authorizer::builder(Arc::clone(&registry), evaluator, sink)
            .minter(minter)
            .administration(standard())
            .may_break_glass(operator("ada"))
            .administrator(operator("ada"))
            .administrator(operator("bob"))
            .clock(clock.clone());
        let door = more(builder).build().expect("a door");
        Self {
            clock,
            sink: seen,
            registry,
            door,
            ada: session("ada"),
            bob: session("bob"),
            triage,
            payer,
            triage_bot,
            payer_bot,
            key: AgentKey::generate(&SystemEntropy).expect("a key"),
            keys,
        }
    }

    /// The host vouches for an agent, which holds the world's key, for an hour.
    pub(crate) fn workload(&self, agent: &AgentId) -> VerifiedWorkload {
        danger::workload_vouched_by_host(agent.clone(), Some(self.key.public().thumbprint()), at(START + 3600))
    }

    /// The triage agent, admitted.
    pub(crate) fn agent(&self) -> AgentIdentity {
        self.door.admit(self.workload(&self.triage)).expect("an active agent")
    }

    /// A task of the triage agent under `scope`, approved by Ada.
    pub(crate) fn task(&self, scope: Scope) -> Task {
        self.door.begin(self.mandate(scope)).expect("a task")
    }

    pub(crate) fn mandate(&self, scope: Scope) -> Mandate {
        let intent = Intent::new("close stale tickets", scope.clone()).expect("a purpose");
        Mandate::new(self.agent(), intent).approved(Approval::by(&self.ada, scope))
    }
}
