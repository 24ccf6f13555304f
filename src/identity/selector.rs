//! Selectors: which of a platform's tokens are those of one agent.

use std::collections::BTreeMap;

use super::AgentId;
use crate::id::{Found, IdError, Issuer};
use crate::json::Json;

/// A selector was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectorError {
    /// It would take any token of the issuer.
    #[error("a selector names at least one claim")]
    Empty,
    /// The value looks like a pattern; claims are compared byte for byte.
    #[error("the claim {claim} must have one exact value, found {found}")]
    Wildcard {
        /// The claim.
        claim: Found,
        /// The value.
        found: Found,
    },
    /// The text is not the way to a claim.
    #[error("a claim is named by a JSON pointer such as `/repository_id`, found {0}")]
    Pointer(Found),
    /// The claim is named already.
    #[error("the claim {0} is named already")]
    Twice(Found),
    /// Somebody else has all of these values, or can come to have them.
    #[error("a selector names at least one claim that nobody else has or is ever given, not only {0}")]
    OnlyMutable(Found),
    /// A name in it is not valid.
    #[error(transparent)]
    Id(#[from] IdError),
}

/// The value of a claim that is matched.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Want {
    Text(String),
    Bool(bool),
}

impl Want {
    fn is(&self, found: &Json) -> bool {
        match (self, found) {
            (Self::Text(want), Json::Text(found)) => want == found,
            (Self::Bool(want), Json::Bool(found)) => want == found,
            _ => false,
        }
    }
}

/// Which tokens of one issuer are those of one agent: every claim that is named has exactly this value.
///
/// Match on what the platform never gives to somebody else: names of repositories, accounts and people are, once they are
/// free. The four presets name what is safe for their platform.
///
/// ```
/// use bailiwick::identity::{AgentId, Selector, SelectorError};
///
/// let agent: AgentId = "spiffe://acme.example/agent/releaser".parse()?;
/// let workflow = "acme/app/.github/workflows/release.yml@refs/heads/main";
/// let selector = Selector::github_actions(agent.clone(), "65", "74", workflow)?;
///
/// // Whoever registers the name `acme/app` once it is free would be this agent.
/// let named = Selector::new(agent.clone(), selector.issuer().clone()).with("/repository", "acme/app")?;
/// assert!(matches!(named.check(), Err(SelectorError::OnlyMutable(_))));
/// let any = Selector::new(agent, selector.issuer().clone()).with("/sub", "repo:acme/*");
/// assert!(matches!(any, Err(SelectorError::Wildcard { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    agent: AgentId,
    issuer: Issuer,
    claims: BTreeMap<Pointer, Want>,
}

/// The way to a claim (RFC 6901), of members of objects only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Pointer(Vec<String>);

impl Pointer {
    fn parse(text: &str) -> Option<Self> {
        // RFC 6901, section 3: `~` stands only before `0` and `1`.
        if text.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1'])) {
            return None;
        }
        let unescape = |part: &str| part.replace("~1", "/").replace("~0", "~");
        let parts: Vec<String> = text.strip_prefix('/')?.split('/').map(unescape).collect();
        (parts.len() <= 8 && parts.iter().all(|part| !part.is_empty())).then_some(Self(parts))
    }

    /// Whether others have this value too, or can come to have it. A truth value tells at most two apart.
    fn is_shared(&self, want: &Want) -> bool {
        let Want::Text(text) = want else { return true };
        match self.0.as_slice() {
            [name] if name == "sub" => {
                // GitHub makes subjects of other claims where it is told to: each is a name, `:` and a value.
                let starts_with_shared = text.split_once(':').is_some_and(|(name, _)| SHARED.contains(&name));
                starts_with_shared || NAMES.iter().any(|start| text.starts_with(start))
            }
            // A node has many workloads.
            [platform, node, ..] if platform == "kubernetes.io" && node == "node" => true,
            parts => parts.last().is_some_and(|name| SHARED.contains(&name.as_str())),
        }
    }

    fn find<'j>(&self, claims: &'j BTreeMap<String, Json>) -> Option<&'j Json> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(claims.get(first)?, |json, part| match json {
            Json::Record(members) => members.get(part),
            _ => None,
        })
    }
}

/// Claims, wherever they are, whose values others have too, or can come to have.
const SHARED: &[&str] = &[
    "actor",
    "actor_id",
    "appid",
    "appidacr",
    "aud",
    "azp",
    "azpacr",
    "base_ref",
    "ci_config_ref_uri",
    "ci_config_sha",
    "cid",
    "client_id",
    "email",
    "enterprise",
    "enterprise_id",
    "environment",
    "event_name",
    "family_name",
    "given_name",
    "groups",
    "hd",
    "head_ref",
    "idp",
    "idtyp",
    "instance_name",
    "iss",
    "job_workflow_ref",
    "job_workflow_sha",
    "name",
    "namespace",
    "namespace_id",
    "namespace_path",
    "nickname",
    "pipeline_source",
    "preferred_username",
    "project_id",
    "project_number",
    "project_path",
    "ref",
    "ref_path",
    "ref_protected",
    "ref_type",
    "repository",
    "repository_owner",
    "repository_owner_id",
    "repository_visibility",
    "roles",
    "run_attempt",
    "run_number",
    "runner_environment",
    "scope",
    "scp",
    "sha",
    "sub_profile",
    "tid",
    "unique_name",
    "upn",
    "user_access_level",
    "user_email",
    "user_id",
    "user_login",
    "ver",
    "workflow",
    "workflow_ref",
    "workflow_sha",
    "xms_act_fct",
    "xms_idrel",
    "xms_par_app_azp",
    "xms_sub_fct",
    "xms_tnt_fct",
    "zone",
];

/// How subjects begin that are made of such names: those of GitHub, GitLab and Kubernetes.
const NAMES: &[&str] = &["project_path:", "repo:", "system:serviceaccount:"];

impl Selector {
    /// Selects nothing yet: a selector without claims is refused.
    pub fn new(agent: AgentId, issuer: Issuer) -> Self {
        Self { agent, issuer, claims: BTreeMap::new() }
    }

    /// Where this claim is exactly this text. `claim` is a JSON pointer (RFC 6901): `/sub`, `/kubernetes.io/namespace`.
    ///
    /// # Errors
    ///
    /// `claim` is no pointer or is named already, or the text is empty or has a `*`.
    pub fn with(self, claim: &str, value: &str) -> Result<Self, SelectorError> {
        if value.is_empty() || value.contains('*') {
            return Err(SelectorError::Wildcard { claim: Found::new(claim), found: Found::new(value) });
        }
        self.wanting(claim, Want::Text(value.to_owned()))
    }

    /// Where this claim is exactly this truth value.
    ///
    /// # Errors
    ///
    /// `claim` is no pointer or is named already.
    pub fn with_bool(self, claim: &str, value: bool) -> Result<Self, SelectorError> {
        self.wanting(claim, Want::Bool(value))
    }

    fn wanting(mut self, claim: &str, want: Want) -> Result<Self, SelectorError> {
        let pointer = Pointer::parse(claim).ok_or_else(|| SelectorError::Pointer(Found::new(claim)))?;
        if self.claims.insert(pointer, want).is_some() {
            return Err(SelectorError::Twice(Found::new(claim)));
        }
        Ok(self)
    }

    /// The service account of a Kubernetes cluster, by its name and by the `uid` that no other ever has, also not one of
    /// the same name that is made after it (Kubernetes, "Bound service account tokens", on their schema).
    ///
    /// # Errors
    ///
    /// A part is not valid.
    pub fn kubernetes(
        agent: AgentId,
        cluster: Issuer,
        namespace: &str,
        service_account: &str,
        uid: &str,
    ) -> Result<Self, SelectorError> {
        Self::new(agent, cluster)
            .with("/sub", &format!("system:serviceaccount:{namespace}:{service_account}"))?
            .with("/kubernetes.io/namespace", namespace)?
            .with("/kubernetes.io/serviceaccount/name", service_account)?
            .with("/kubernetes.io/serviceaccount/uid", uid)
    }

    /// One workflow of one repository of GitHub's, by the numbers of the repository and of its owner, which keep them when
    /// they are renamed and are given to nobody else, and by file and ref of the workflow: `owner/name/.github/workflows/…@ref`,
    /// which tells a run on the main branch from one on a pull request (GitHub, "OpenID Connect reference", on the claims).
    ///
    /// # Errors
    ///
    /// A part is not valid.
    pub fn github_actions(
        agent: AgentId,
        repository_id: &str,
        repository_owner_id: &str,
        workflow_ref: &str,
    ) -> Result<Self, SelectorError> {
        Self::new(agent, Issuer::new("https://token.actions.githubusercontent.com")?)
            .with("/repository_id", repository_id)?
            .with("/repository_owner_id", repository_owner_id)?
            .with("/workflow_ref", workflow_ref)
    }

    /// A service account of Google Cloud, by its numeric unique id, which an account of the same mail address that is made
    /// after it does not have (Google Cloud, "Service accounts overview", on their identifiers).
    ///
    /// # Errors
    ///
    /// The id is not valid.
    pub fn gcp(agent: AgentId, unique_id: &str) -> Result<Self, SelectorError> {
        Self::new(agent, Issuer::new("https://accounts.google.com")?).with("/sub", unique_id)
    }

    /// An application or managed identity of Microsoft Entra, by tenant and object id, in a token that says it is an
    /// application's: the optional claim `idtyp` must be asked for (Microsoft, "Access token claims reference").
    ///
    /// # Errors
    ///
    /// A part is not valid.
    pub fn entra(agent: AgentId, tenant: &str, object: &str) -> Result<Self, SelectorError> {
        Self::new(agent, Issuer::new(&format!("https://login.microsoftonline.com/{tenant}/v2.0"))?)
            .with("/tid", tenant)?
            .with("/oid", object)?
            .with("/idtyp", "app")
    }

    /// Whether it selects one agent and no other, as far as its claims tell.
    ///
    /// # Errors
    ///
    /// It names no claim, or only such as others have too, or can come to have.
    pub fn check(&self) -> Result<(), SelectorError> {
        if self.claims.is_empty() {
            return Err(SelectorError::Empty);
        }
        if self.claims.iter().all(|(pointer, want)| pointer.is_shared(want)) {
            let names: Vec<_> = self.claims.keys().map(|pointer| pointer.0.join("/")).collect();
            return Err(SelectorError::OnlyMutable(Found::new(&names.join(", "))));
        }
        Ok(())
    }

    /// Which agent it selects.
    pub fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// Whose tokens it selects from.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    pub(super) fn selects(&self, issuer: &Issuer, claims: &BTreeMap<String, Json>) -> bool {
        let is = |(pointer, want): (&Pointer, &Want)| pointer.find(claims).is_some_and(|found| want.is(found));
        self.issuer == *issuer && !self.claims.is_empty() && self.claims.iter().all(is)
    }
}
