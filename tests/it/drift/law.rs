//! What holds of every text that comes back as a SCIM message, by a reading that is as simple as can be.

use std::sync::LazyLock;

use bailiwick::identity::projection::{Drift, DriftKind, ScimUser};
use bailiwick::identity::{AgentId, AgentUserId, HumanOperator, Namespace, OperatorId, Registry};
use serde_json::Value;

pub(crate) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

static USER: LazyLock<ScimUser> = LazyLock::new(|| user().expect("an agent user"));

fn user() -> Result<ScimUser, Box<dyn std::error::Error>> {
    let ada = OperatorId::new("https://idp.acme.example", "ada")?;
    let agent = AgentId::spiffe("spiffe://acme.example/agent/triage")?;
    let registry = Registry::new();
    registry.enroll(HumanOperator::new(ada.clone()))?;
    registry.register(agent.clone(), [ada])?;
    registry.declare(Namespace::suffix("jira.acme.example", "-bot")?);
    let user = registry.bind(&agent, AgentUserId::new("jira.acme.example", "triage-bot")?)?;
    Ok(ScimUser::of(&registry, &user)?)
}

/// Nothing panics; what is accepted is a PATCH to any reader, and says all that it plainly says.
pub(crate) fn hold(text: &str) -> Result<(), String> {
    let user = &*USER;
    let _ = user.replaced(text);
    let Ok(drift) = user.patched(text) else {
        return Ok(());
    };
    let message: Value = match serde_json::from_str(text) {
        Ok(message) => message,
        // JSON all the same: numbers are kept as they were written, and this reader's are 64 bits wide.
        Err(error) if error.to_string().starts_with("number out of range") => return Ok(()),
        Err(error) => return Err(format!("accepted what is not JSON: {error}")),
    };
    if message["schemas"] != serde_json::json!([PATCH_OP]) {
        return Err("accepted a message that is no PATCH".to_owned());
    }
    let operations = message["Operations"].as_array().filter(|all| !all.is_empty()).ok_or("accepted no operations")?;
    for operation in operations {
        let op = operation["op"].as_str().unwrap_or_default().to_ascii_lowercase();
        match op.as_str() {
            "add" | "replace" => held_against(&drift, operation)?,
            "remove" if operation["path"].is_string() => {}
            _ => return Err(format!("accepted the operation {operation}")),
        }
    }
    Ok(())
}

/// What an operation sets in plain words is in the report.
fn held_against(drift: &Drift, operation: &Value) -> Result<(), String> {
    let value = operation.get("value").ok_or_else(|| format!("accepted {operation} without a value"))?;
    let named: Vec<(String, &Value)> = match (operation.get("path"), value) {
        (Some(path), value) => vec![(path.as_str().ok_or("accepted a path that is no text")?.to_owned(), value)],
        (None, Value::Object(members)) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        (None, _) => return Err(format!("accepted {operation} without names")),
    };
    let reports = |kind| drift.left_out() > 0 || drift.differences().iter().any(|difference| difference.kind == kind);
    for (name, value) in named {
        let is_set = !value.is_null() && *value != serde_json::json!([]);
        let kind = match name.to_ascii_lowercase().as_str() {
            "password" if is_set => DriftKind::GainedCredential,
            "roles" | "groups" | "entitlements" if is_set => DriftKind::GainedAuthority,
            "username" if !value.as_str().is_some_and(|to| to.eq_ignore_ascii_case("triage-bot")) => DriftKind::Renamed,
            "active" if *value == Value::Bool(false) => DriftKind::Deactivated,
            _ => continue,
        };
        if !reports(kind) {
            return Err(format!("{operation} is not reported as {kind:?}: {drift:?}"));
        }
    }
    Ok(())
}
