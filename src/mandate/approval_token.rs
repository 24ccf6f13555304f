//! The approval token: a human's consent to a task or their answer to one exact action, sealed by an approvals service.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ActionRequest, Approval, Consent, Detail, Objection, Scope};
use crate::canonical::Digest;
use crate::id::{ApprovalId, Audience, Issuer, Subject, TaskId};
use crate::identity::{AgentId, OperatorId, OperatorSession};
use crate::jose::{self, Flaw, KeySet, Kind, Leeway, Refused, Token};
use crate::strict::{object, present, present_object, present_objects, word};
use crate::time::Timestamp;

/// Verifies `task-approval+jwt` tokens, as an [`ApprovalSealer`](crate::credential::ApprovalSealer) seals them.
///
/// The human is the subject (`sub_id`, RFC 9493), and `may_act` (RFC 8693) names the agent. Consent to a task has
/// `authorization_details` (RFC 9396), which become a [`Scope`]: `actions` are tools, `identifier` a resource, `locations` the
/// audience, and of `constraints`, `max_calls` limits the calls, and `max_amount_minor` and `currency` bound the arguments
/// `amount_minor` and `currency`; `delegation.max_depth` says how many agents may stand below. An answer to one exact action
/// has that action in the namespaced container, `answer` beside it, and no details: who takes one for the other finds nothing.
/// Anything else is refused.
#[derive(Debug, Clone)]
pub struct ApprovalVerifier {
    keys: Arc<KeySet>,
    audience: Audience,
}

impl ApprovalVerifier {
    /// A verifier that trusts `keys`, for tokens whose `aud` is `audience`: this host's credential issuer.
    pub fn new(keys: KeySet, audience: Audience) -> Self {
        Self { keys: Arc::new(keys), audience }
    }

    /// Verifies `token` at `now`: a yes, to a task or to one action.
    ///
    /// # Errors
    ///
    /// The token is not a valid approval for this host; to outsiders all refusals look the same.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Approval, Refused> {
        let Said { claims, operator, issued, until } = self.read(token, now)?;
        let (agent, task) = (claims.may_act.sub, claims.context.task);
        let (consent, hash) = match Sealed::of(
            claims.authorization_details,
            &claims.context.delegation,
            claims.context.action,
            claims.context.answer,
        )? {
            Sealed::Task(scope) => (Consent::Scope(scope), Some(task.hash.ok_or(Flaw::Claims)?)),
            Sealed::Answer(action, SealedAnswer::Approved) => {
                check_action(&action, &agent, &task)?;
                (action.into(), None)
            }
            Sealed::Answer(_, SealedAnswer::Denied) => return Err(Flaw::Authority.into()),
        };
        let named = (claims.jti, Digest::of(token.as_bytes()));
        Ok(Approval::sealed(named, operator, consent, (agent, task.id, hash), (issued, until)).with_text(token))
    }

    /// Verifies `token` at `now`: a no to one action.
    ///
    /// # Errors
    ///
    /// The token is not a valid objection for this host; to outsiders all refusals look the same.
    pub fn verify_objection(&self, token: &str, now: Timestamp) -> Result<Objection, Refused> {
        let Said { claims, operator, issued, .. } = self.read(token, now)?;
        let (agent, task) = (claims.may_act.sub, claims.context.task);
        match Sealed::of(
            claims.authorization_details,
            &claims.context.delegation,
            claims.context.action,
            claims.context.answer,
        )? {
            Sealed::Answer(action, SealedAnswer::Denied) => {
                check_action(&action, &agent, &task)?;
                Ok(Objection::sealed(operator, action, issued))
            }
            _ => Err(Flaw::Authority.into()),
        }
    }

    /// Verifies what every such token says.
    fn read(&self, token: &str, now: Timestamp) -> Result<Said, Flaw> {
        let Token { owner, claims, .. } = Token::<ApprovalClaims>::verify(Kind::Approval, token, &self.keys)?;
        if claims.iss != owner {
            return Err(Flaw::Issuer);
        }
        if claims.aud != self.audience {
            return Err(Flaw::Audience);
        }
        let until = jose::check_window((claims.iat, claims.nbf, claims.exp), now, Leeway::default())?;
        if claims.sub_id.sub != claims.sub || claims.sub_id.format != ISS_SUB || claims.sub_profile != USER {
            return Err(Flaw::Subject);
        }
        if claims.may_act.iss.as_str() != self.audience.as_str() || claims.may_act.sub_profile != AGENT {
            return Err(Flaw::Subject);
        }
        let operator = OperatorId::of(claims.sub_id.iss.clone(), claims.sub.clone());
        let issued = Timestamp::from_unix(claims.iat).ok_or(Flaw::Claims)?;
        Ok(Said { claims, operator, issued, until })
    }
}

const ISS_SUB: &str = "iss_sub";
const USER: &str = "user";
const AGENT: &str = "ai_agent";

/// A token of which everything holds but what it is about.
struct Said {
    claims: ApprovalClaims,
    operator: OperatorId,
    issued: Timestamp,
    until: Timestamp,
}

/// What a token is about: one of the two, and never both.
enum Sealed {
    Task(Scope),
    Answer(ActionRequest, SealedAnswer),
}

impl Sealed {
    fn of(
        details: Option<Vec<Detail>>,
        delegation: &Option<Delegation>,
        action: Option<ActionRequest>,
        answer: Option<SealedAnswer>,
    ) -> Result<Self, Flaw> {
        match (details, action, answer) {
            (Some(details), None, None) => {
                let depth = delegation.as_ref().map_or(0, |delegation| delegation.max_depth);
                delegable(Detail::scope(&details)?, depth).map(Self::Task)
            }
            (None, Some(action), Some(answer)) if delegation.is_none() => Ok(Self::Answer(action, answer)),
            _ => Err(Flaw::Authority),
        }
    }
}

fn delegable(scope: Scope, max_depth: u8) -> Result<Scope, Flaw> {
    if max_depth == 0 { Ok(scope) } else { scope.delegable(max_depth).map_err(|_| Flaw::Authority) }
}

/// The action is of the agent and the task that the rest of the token names.
fn check_action(action: &ActionRequest, agent: &AgentId, task: &Task) -> Result<(), Flaw> {
    let is_same = action.agent() == agent && *action.task() == task.id && task.hash.is_none();
    if is_same { Ok(()) } else { Err(Flaw::Binding) }
}

/// The claims of a `task-approval+jwt`, members in lexical order.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ApprovalClaims {
    /// How the person signed in: for people who look into the token.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    #[serde(skip_deserializing, skip_serializing_if = "Vec::is_empty")]
    amr: Vec<String>,
    aud: Audience,
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(default, deserialize_with = "present_objects", skip_serializing_if = "Option::is_none")]
    authorization_details: Option<Vec<Detail>>,
    exp: i64,
    iat: i64,
    iss: Issuer,
    jti: ApprovalId,
    #[serde(deserialize_with = "object")]
    may_act: MayAct,
    nbf: i64,
    sub: Subject,
    #[serde(deserialize_with = "object")]
    sub_id: SubjectId,
    sub_profile: String,
    #[serde(rename = "urn:bailiwick:claims:v1", deserialize_with = "object")]
    context: Context,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectId {
    format: String,
    iss: Issuer,
    sub: Subject,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MayAct {
    iss: Issuer,
    sub: AgentId,
    sub_profile: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Context {
    /// The one action that was answered.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    action: Option<ActionRequest>,
    #[serde(default, deserialize_with = "present_answer", skip_serializing_if = "Option::is_none")]
    answer: Option<SealedAnswer>,
    /// How deep the agent may delegate: not at all, unless it is said.
    #[serde(default, deserialize_with = "present_object", skip_serializing_if = "Option::is_none")]
    delegation: Option<Delegation>,
    #[serde(deserialize_with = "object")]
    task: Task,
    v: One,
}

/// What a person answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SealedAnswer {
    Approved,
    Denied,
}

fn present_answer<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<SealedAnswer>, D::Error> {
    word(deserializer).map(Some)
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    /// Names the intent, where a whole task was approved.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    hash: Option<Digest>,
    id: TaskId,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Delegation {
    max_depth: u8,
}

/// The number 1: the only version that is known.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
#[derive(Clone)]
struct One;

impl TryFrom<u8> for One {
    type Error = &'static str;
    fn try_from(version: u8) -> Result<Self, Self::Error> {
        if version == 1 { Ok(Self) } else { Err("an unknown version") }
    }
}

impl From<One> for u8 {
    fn from(_: One) -> Self {
        1
    }
}

impl ApprovalClaims {
    /// What the operator of this session says to the host `audience` of this agent, by the service `iss`, good for
    /// `(now, until)`.
    fn new(
        (iss, audience, jti): (&Issuer, &Audience, ApprovalId),
        session: &OperatorSession,
        agent: &AgentId,
        (now, until): (Timestamp, Timestamp),
        context: Context,
    ) -> Option<Self> {
        let (person, signed_in) = (session.operator().id(), session.authentication());
        let (iss_of, sub) = (person.issuer().clone(), person.subject().clone());
        let may_act =
            MayAct { iss: Issuer::new(audience.as_str()).ok()?, sub: agent.clone(), sub_profile: AGENT.to_owned() };
        Some(Self {
            acr: signed_in.class().map(str::to_owned),
            amr: signed_in.methods().map(str::to_owned).collect(),
            aud: audience.clone(),
            auth_time: signed_in.time().map(Timestamp::unix),
            authorization_details: None,
            exp: until.unix(),
            iat: now.unix(),
            iss: iss.clone(),
            jti,
            may_act,
            nbf: now.unix(),
            sub: sub.clone(),
            sub_id: SubjectId { format: ISS_SUB.to_owned(), iss: iss_of, sub },
            sub_profile: USER.to_owned(),
            context,
        })
    }

    /// An answer to one action.
    pub(crate) fn of_action(
        named: (&Issuer, &Audience, ApprovalId),
        session: &OperatorSession,
        (action, answer): (&ActionRequest, SealedAnswer),
        window: (Timestamp, Timestamp),
    ) -> Option<Self> {
        let task = Task { hash: None, id: action.task().clone() };
        let (agent, action) = (action.agent(), Some(action.clone()));
        let context = Context { action, answer: Some(answer), delegation: None, task, v: One };
        let agent = agent.clone();
        Self::new(named, session, &agent, window, context)
    }

    /// Consent to a task as far as this scope goes; nothing where the details cannot say how far that is.
    pub(crate) fn of_task(
        named: (&Issuer, &Audience, ApprovalId),
        session: &OperatorSession,
        (agent, task, hash): (&AgentId, &TaskId, Digest),
        scope: &Scope,
        window: (Timestamp, Timestamp),
    ) -> Option<Self> {
        let (details, max_depth) = (Detail::of_scope(scope)?, scope.max_depth());
        // What is read must be what was meant, and not nearly.
        let read = Detail::scope(&details).and_then(|read| delegable(read, max_depth)).ok()?;
        if read != *scope {
            return None;
        }
        let delegation = (max_depth > 0).then_some(Delegation { max_depth });
        let task = Task { hash: Some(hash), id: task.clone() };
        let context = Context { action: None, answer: None, delegation, task, v: One };
        let claims = Self::new(named, session, agent, window, context)?;
        Some(Self { authorization_details: Some(details), ..claims })
    }
}
