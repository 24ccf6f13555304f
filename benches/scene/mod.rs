//! One job: an agent calls a tool with four arguments on behalf of a person, under a realistic mix of policies.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bailiwick::audit::{Ack, AuditSink, Event};
use bailiwick::credential::{CredentialVerifier, MintKey, Minter};
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::{Audience, Issuer};
use bailiwick::identity::{AgentId, AgentKey, HumanOperator, OperatorId, OperatorSession, Registry, danger};
use bailiwick::mandate::{
    Action, ActionClass, ArgumentType, Arguments, Bound, Grant, Intent, Mandate, Resource, Scope, Tool,
};
use bailiwick::policy::{Catalog, Evaluator};
use bailiwick::time::{ManualClock, Timestamp};
use bailiwick::{Authorizer, Task};
use cedar_policy::{Context, Entities, Entity, EntityUid, PolicySet, Request, RestrictedExpression as Value, Schema};

/// Takes each event as a memory sink would, and forgets it.
struct Forgetful;

impl AuditSink for Forgetful {
    fn record(&self, event: &Event) -> Ack {
        drop(std::hint::black_box(event.clone()));
        Ack::taken()
    }
}

pub(crate) struct Scene {
    door: Authorizer,
    ada: OperatorSession,
    agent: AgentId,
    key: AgentKey,
    verifier: CredentialVerifier,
    catalog: Catalog,
    policies: String,
    start: Timestamp,
}

/// Policies per tool, so that as many tools are declared as `policies / PER_TOOL`.
const PER_TOOL: usize = 5;

fn catalog(tools: usize) -> Catalog {
    let name = |text: &str| text.parse().expect("a name");
    (0..tools).fold(Catalog::new(), |catalog, number| {
        let tool = Tool::new(format!("tool-{number}").parse().expect("a name"), ActionClass::Write)
            .required(name("path"), ArgumentType::Text)
            .and_then(|tool| tool.required(name("amount"), ArgumentType::Number))
            .and_then(|tool| tool.required(name("count"), ArgumentType::Integer))
            .and_then(|tool| tool.optional(name("tags"), ArgumentType::Texts))
            .expect("four arguments");
        catalog.with(tool).expect("no tool twice")
    })
}

fn policies(count: usize) -> String {
    let conditions = [
        (r#"permit"#, r#"context.mode == "on_behalf_of" && context.args.amount.lessThan(decimal("500.0"))"#),
        (r#"permit"#, r#"principal.attested && context.args.path like "/inbox/*""#),
        (r#"permit"#, r#"resource.kind == "folder" && context.task.step < 10 && context.args.count < 3"#),
        (r#"forbid"#, r#"context.task.labels.contains("secret") && !context.approved"#),
        (r#"forbid"#, r#"context.args has tags && context.args.tags.contains("draft") && context.task.refusals > 3"#),
    ];
    let policy = |number: usize| {
        let (effect, condition) = conditions.iter().cycle().nth(number % PER_TOOL).expect("a condition");
        let tool = number / PER_TOOL;
        format!(
            "@id(\"p{number}\") {effect}(principal, action == Action::\"tool-{tool}\", resource) when {{ {condition} }};\n"
        )
    };
    (0..count).map(policy).collect()
}

impl Scene {
    pub(crate) fn new(count: usize) -> Self {
        let start = Timestamp::from_unix(1_790_000_000).expect("a moment");
        let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada").expect("an id"));
        let agent = AgentId::spiffe("spiffe://acme.example/agent/filer").expect("an id");
        let registry = Registry::new();
        registry.enroll(ada.clone()).expect("a new operator");
        registry.register(agent.clone(), [ada.id().clone()]).expect("a new agent");
        let (catalog, policies) = (catalog(count / PER_TOOL), policies(count));
        let evaluator = Evaluator::new(catalog.clone(), &policies).expect("policies");
        let issuer = Issuer::new("https://authz.acme.example").expect("an issuer");
        let minter = Minter::new(issuer, MintKey::generate(&SystemEntropy).expect("a key"));
        let verifier = minter.verifier(Self::service());
        let door = Authorizer::builder(registry, evaluator, Arc::new(Forgetful))
            .minter(minter)
            .clock(Arc::new(ManualClock::at(start)))
            .build()
            .expect("a door");
        let day = start.after(Duration::from_secs(86_400));
        let ada = danger::operator_vouched_by_host(ada, start, day).expect("a session");
        let key = AgentKey::generate(&SystemEntropy).expect("a key");
        Self { door, ada, agent, key, verifier, catalog, policies, start }
    }

    fn service() -> Audience {
        Audience::new("https://files.acme.example").expect("an audience")
    }

    pub(crate) fn audience(&self) -> Audience {
        Self::service()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.start
    }

    pub(crate) fn door(&self) -> &Authorizer {
        &self.door
    }

    pub(crate) fn verifier(&self) -> &CredentialVerifier {
        &self.verifier
    }

    pub(crate) fn task(&self) -> Task {
        let day = self.start.after(Duration::from_secs(86_400));
        let workload = danger::workload_vouched_by_host(self.agent.clone(), Some(self.key.public().thumbprint()), day);
        let agent = self.door.admit(workload).expect("an active agent");
        let grant = Grant::new().bound("amount", Bound::at_most("500".parse().expect("a number"))).expect("a name");
        let scope = Scope::new().allow("tool-1", grant).expect("a name");
        let intent = Intent::new("file the inbox", scope).expect("a purpose");
        self.door.begin(Mandate::new(agent, intent).approved_by(&self.ada)).expect("a task")
    }

    pub(crate) fn action(&self) -> Action {
        let folder = Resource::new("folder", "inbox").expect("a resource");
        let arguments =
            r#"{"path": "/inbox/2026/invoice.pdf", "amount": 98.7, "count": 2, "tags": ["invoice", "paid"]}"#;
        Action::on_behalf_of(&self.ada, "tool-1", &folder)
            .expect("a tool name")
            .with(Arguments::from_json(arguments).expect("arguments"))
    }

    /// The same question for Cedar, with everything built beforehand.
    pub(crate) fn raw_cedar(&self) -> (Request, PolicySet, Entities) {
        let (schema, _) = Schema::from_cedarschema_str(&self.catalog.schema()).expect("a schema");
        let uid = |text: &str| -> EntityUid { text.parse().expect("an entity") };
        let text = |text: &str| Value::new_string(text.to_owned());
        let record = |pairs: Vec<(&str, Value)>| {
            Value::new_record(pairs.into_iter().map(|(name, value)| (name.to_owned(), value))).expect("a record")
        };
        let none = || Value::new_set([]);
        let operator = uid(r#"HumanOperator::"https://idp.acme.example#ada""#);
        let principal = uid(r#"AgentIdentity::"spiffe://acme.example/agent/filer""#);
        let (action, resource) = (uid(r#"Action::"tool-1""#), uid(r#"Resource::"folder/inbox""#));
        let task = record(vec![
            ("id", text("tsk_0123456789abcdefghijkl")),
            ("purpose", text("file the inbox")),
            ("approvers", Value::new_set([Value::new_entity_uid(operator.clone())])),
            ("step", Value::new_long(1)),
            ("calls", Value::new_long(0)),
            ("tool_calls", Value::new_long(0)),
            ("refusals", Value::new_long(0)),
            ("labels", none()),
            ("recent", none()),
        ]);
        let args = record(vec![
            ("path", text("/inbox/2026/invoice.pdf")),
            ("amount", Value::new_decimal("98.7")),
            ("count", Value::new_long(2)),
            ("tags", Value::new_set([text("invoice"), text("paid")])),
        ]);
        let context = Context::from_pairs([
            ("mode".to_owned(), text("on_behalf_of")),
            ("operator".to_owned(), Value::new_entity_uid(operator.clone())),
            ("approved".to_owned(), Value::new_bool(false)),
            ("task".to_owned(), task),
            ("tool".to_owned(), record(vec![("class", text("write")), ("labels", none())])),
            ("time".to_owned(), Value::new_datetime("2026-09-21T14:13:20Z")),
            ("args".to_owned(), args),
        ]);
        let context = context.expect("a context");
        let entity = |uid: &EntityUid, pairs: Vec<(&str, Value)>| {
            let pairs: HashMap<String, Value> =
                pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Entity::new(uid.clone(), pairs, HashSet::new()).expect("an entity")
        };
        let agent = vec![
            ("attested", Value::new_bool(false)),
            ("proof", text("unattested")),
            ("authority", text("acme.example")),
            ("sponsor", Value::new_entity_uid(operator.clone())),
        ];
        let known = schema.action_entities().expect("actions");
        let mut entities: Vec<Entity> = known.get(&action).into_iter().cloned().collect();
        entities.extend(known.get(&uid(r#"Action::"any write""#)).cloned());
        entities.push(entity(&principal, agent));
        entities.push(entity(&resource, vec![("kind", text("folder")), ("name", text("inbox"))]));
        entities.push(Entity::new_no_attrs(operator, HashSet::new()));
        let entities = Entities::from_entities(entities, None).expect("entities");
        let request = Request::new(principal, action, resource, context, Some(&schema)).expect("a request");
        (request, self.policies.parse().expect("policies"), entities)
    }
}
