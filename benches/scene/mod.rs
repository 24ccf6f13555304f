//! One job: an agent calls a tool with four arguments on behalf of a person, under a realistic mix of policies.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bailiwick::audit::{Ack, AgentFact, AuditSink, Event};
use bailiwick::credential::{CredentialVerifier, MintKey, Minter};
use bailiwick::entropy::SystemEntropy;
use bailiwick::id::{Audience, Issuer};
use bailiwick::identity::{
    AgentId, AgentIdentity, AgentKey, HumanOperator, OperatorId, OperatorSession, Registry, danger,
};
use bailiwick::mandate::{
    Action, ActionClass, ActionRequest, ArgumentType, Arguments, Bound, Budget, Drift, Grant, Intent, LedgerView,
    Mandate, Resource, Response, Scope, Source, Standing, Tool, Watch,
};
use bailiwick::policy::{Bundle, Catalog, Directory, Evaluator, Question};
use bailiwick::time::{ManualClock, Timestamp};
use bailiwick::{Authorizer, Task};
use cedar_policy::PolicySet;

/// Takes each event as a memory sink would, and forgets it, but for what held at the first decision.
#[derive(Default)]
struct Forgetful {
    standing: Mutex<Option<Standing>>,
}

impl AuditSink for Forgetful {
    fn record(&self, event: &Event) -> Ack {
        let event = std::hint::black_box(event.clone());
        if let Some(AgentFact::Decided(decided)) = event.agent.map(|record| record.fact) {
            self.standing.lock().expect("one thread").get_or_insert(decided.standing);
        }
        Ack::taken()
    }
}

pub(crate) struct Scene {
    door: Authorizer,
    ada: OperatorSession,
    agent: AgentIdentity,
    verifier: CredentialVerifier,
    evaluator: Evaluator,
    sink: Arc<Forgetful>,
    policies: String,
    start: Timestamp,
}

/// Policies per tool, so that as many tools are declared as `policies / PER_TOOL`. Half of them are about another agent.
const PER_TOOL: usize = 10;

fn catalog(tools: usize) -> Catalog {
    let name = |text: &str| text.parse().expect("a name");
    let attributes =
        [("owner", ArgumentType::Text), ("weight", ArgumentType::Number), ("reviewed", ArgumentType::Bool)];
    let bare = attributes.into_iter().fold(Catalog::new(), |catalog, (attribute, kind)| {
        catalog.resource_attribute(name(attribute), kind).expect("an attribute")
    });
    (0..tools).fold(bare, |catalog, number| {
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
        (r#"permit"#, r#"principal.authority == "acme.example" && context.args.path like "/inbox/*""#),
        (r#"permit"#, r#"resource.kind == "folder" && context.task.step < 10 && context.args.count < 3"#),
        (r#"forbid"#, r#"context.task.labels.contains("secret") && !context.approved"#),
        (r#"forbid"#, r#"context.args has tags && context.args.tags.contains("draft") && context.task.refusals < 3"#),
    ];
    let policy = |number: usize| {
        let (effect, condition) = conditions.iter().cycle().nth(number % PER_TOOL).expect("a condition");
        let (tool, is_ours) = (number / PER_TOOL, number % PER_TOOL < conditions.len());
        let who =
            if is_ours { "principal" } else { r#"principal == AgentIdentity::"spiffe://acme.example/agent/clerk""# };
        format!(
            "@id(\"p{number}\") {effect}({who}, action == Action::\"tool-{tool}\", resource) when {{ {condition} }};\n"
        )
    };
    (0..count).map(policy).collect()
}

/// What is asked: the resource, on whose errand, the arguments, and whether it is permitted.
const ASKED: [(&str, bool, &str, bool); 8] = [
    ("inbox", true, r#"{"path": "/inbox/a.pdf", "amount": 98.7, "count": 2, "tags": ["invoice", "paid"]}"#, true),
    ("inbox", false, r#"{"path": "/inbox/b.pdf", "amount": 700, "count": 7}"#, true),
    ("archive", false, r#"{"path": "/archive/c.pdf", "amount": 700, "count": 1, "tags": ["paid"]}"#, true),
    ("archive", true, r#"{"path": "/archive/d.pdf", "amount": 12.5, "count": 9}"#, true),
    ("inbox", true, r#"{"path": "/inbox/e.pdf", "amount": 98.7, "count": 2, "tags": ["invoice", "draft"]}"#, false),
    ("archive", true, r#"{"path": "/archive/f.pdf", "amount": 700, "count": 9}"#, false),
    ("archive", false, r#"{"path": "/archive/g.pdf", "amount": 98.7, "count": 9, "tags": ["paid"]}"#, false),
    ("inbox", false, r#"{"path": "/inbox/h.pdf", "amount": 700, "count": 7, "tags": ["draft"]}"#, false),
];

impl Scene {
    pub(crate) fn new(count: usize) -> Self {
        Self::with(count, Directory::new())
    }

    /// The same, where these are known.
    pub(crate) fn with(count: usize, directory: Directory) -> Self {
        let start = Timestamp::from_unix(1_790_000_000).expect("a moment");
        let ada = HumanOperator::new(OperatorId::new("https://idp.acme.example", "ada").expect("an id"));
        let agent = AgentId::spiffe("spiffe://acme.example/agent/filer").expect("an id");
        let registry = Registry::new();
        registry.enroll(ada.clone()).expect("a new operator");
        registry.register(agent.clone(), [ada.id().clone()]).expect("a new agent");
        let (catalog, policies) = (catalog(count / PER_TOOL), policies(count));
        let evaluator = Evaluator::new(catalog, Bundle::new(&policies).with(directory)).expect("policies");
        let issuer = Issuer::new("https://authz.acme.example").expect("an issuer");
        let minter = Minter::new(issuer, MintKey::generate(&SystemEntropy).expect("a key"));
        let verifier = minter.verifier(Self::service(), start);
        let sink = Arc::new(Forgetful::default());
        let door = Authorizer::builder(registry, evaluator.clone(), sink.clone())
            .minter(minter)
            .administrator(ada.id().clone())
            .clock(Arc::new(ManualClock::at(start)))
            .build()
            .expect("a door");
        let day = start.after(Duration::from_secs(86_400));
        let ada = danger::operator_vouched_by_host(ada, start, day).expect("a session");
        let key = AgentKey::generate(&SystemEntropy).expect("a key");
        let workload = danger::workload_vouched_by_host(agent, Some(key.public().thumbprint()), day);
        let agent = door.admit(workload).expect("an active agent");
        Self { door, ada, agent, verifier, evaluator, sink, policies, start }
    }

    fn service() -> Audience {
        Audience::new("https://files.acme.example").expect("an audience")
    }

    pub(crate) fn audience(&self) -> Audience {
        Self::service()
    }

    pub(crate) fn evaluator(&self) -> &Evaluator {
        &self.evaluator
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.start
    }

    pub(crate) fn door(&self) -> &Authorizer {
        &self.door
    }

    pub(crate) fn ada(&self) -> &OperatorSession {
        &self.ada
    }

    pub(crate) fn verifier(&self) -> &CredentialVerifier {
        &self.verifier
    }

    pub(crate) fn task(&self) -> Task {
        self.begin(self.scope())
    }

    /// A task under this scope.
    pub(crate) fn begin(&self, scope: Scope) -> Task {
        self.door.begin(self.mandate(scope)).expect("a task")
    }

    fn mandate(&self, scope: Scope) -> Mandate {
        let intent = Intent::new("file the inbox", scope).expect("a purpose");
        Mandate::new(self.agent.clone(), intent).approved_by(&self.ada)
    }

    /// What the person approves.
    pub(crate) fn scope(&self) -> Scope {
        let bound = Bound::at_most("1000".parse().expect("a number"));
        let grant = Grant::new().bound("amount", bound).expect("a name").autonomous();
        Scope::new().allow("tool-0", grant).expect("a name")
    }

    /// The same with all that a scope can say: targets, sources, budgets, a plan, labels that are kept apart.
    pub(crate) fn narrow_scope(&self) -> Scope {
        let bound = Bound::at_most("1000".parse().expect("a number"));
        let source = Source::new("tool-0", "/*/path").expect("a source");
        let path = Bound::under(["/inbox", "/archive"]).expect("prefixes").or_from([source]);
        let folder = |name: &str| Resource::new("folder", name).expect("a resource");
        let grant = Grant::new()
            .bound("amount", bound)
            .and_then(|grant| grant.bound("path", path))
            .and_then(|grant| grant.budget(Budget::sum("amount", "100000".parse().expect("a number"))?))
            .and_then(|grant| grant.budget(Budget::distinct("path", 1_000)?))
            .expect("a grant");
        let watch = Watch::new()
            .plan([["tool-0"]])
            .and_then(|watch| watch.apart(["secret", "outside"]))
            .expect("a watch")
            .on(Drift::OrderBroken, Response::Deny)
            .on(Drift::RepeatedRefusals, Response::Ask);
        let scope = Scope::new().allow("tool-0", grant.on([folder("inbox"), folder("archive")]).autonomous());
        let rate = Budget::calls(1_000).within(Duration::from_secs(60)).expect("a rate");
        scope.and_then(|scope| scope.budget(rate)).expect("a scope").watched(watch).at_most(100_000)
    }

    pub(crate) fn action(&self) -> Action {
        self.actions().remove(0).0
    }

    /// Eight actions, and whether each is permitted: half of them.
    pub(crate) fn actions(&self) -> Vec<(Action, bool)> {
        let action = |(name, for_ada, arguments, permitted): (&str, bool, &str, bool)| {
            let folder = Resource::new("folder", name).expect("a resource");
            let action = match for_ada {
                true => Action::on_behalf_of(&self.ada, "tool-0", &folder),
                false => Action::autonomous("tool-0", &folder),
            };
            let arguments = Arguments::from_json(arguments).expect("arguments");
            (action.expect("a tool name").with(arguments), permitted)
        };
        ASKED.map(action).into()
    }

    /// The questions, with the answers that they must get.
    pub(crate) fn questions(&self) -> Questions {
        self.questions_under(self.scope())
    }

    /// The same under this scope, which must not change the answers.
    pub(crate) fn questions_under(&self, scope: Scope) -> Questions {
        let task = self.begin(scope.clone());
        let asked = self.actions().into_iter().map(|(action, permitted)| {
            let request = task.request(&action);
            (action, request, permitted)
        });
        // What holds at this instant is in the record of a decision.
        drop(task.authorize(&self.action()));
        let standing = self.sink.standing.lock().expect("the sink's last decision").clone().expect("a decision");
        Questions {
            mandate: self.mandate(scope),
            standing,
            ledger: LedgerView::default(),
            asked: asked.collect(),
            until: task.until(),
            now: self.start,
        }
    }

    pub(crate) fn policies(&self) -> &str {
        &self.policies
    }

    /// Replaces the policies.
    pub(crate) fn reload(&self, policies: &str) {
        self.door.reload(&self.ada, policies).expect("policies");
    }

    /// The policies, as Cedar wants them.
    pub(crate) fn raw_policies(&self) -> PolicySet {
        self.policies.parse().expect("policies")
    }
}

/// What questions are made of.
pub(crate) struct Questions {
    mandate: Mandate,
    standing: Standing,
    ledger: LedgerView,
    asked: Vec<(Action, ActionRequest, bool)>,
    until: Timestamp,
    now: Timestamp,
}

impl Questions {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Question<'_>, bool)> {
        self.asked.iter().map(|(action, request, permitted)| {
            let Self { mandate, standing, ledger, until, now, .. } = self;
            (Question::new(mandate, standing, ledger, action, request, *until, *now), *permitted)
        })
    }
}
