//! Only an agent identity is a principal: a policy that asks whether the principal is somebody else does not load.

use serde_json::Value;

/// The type that the policy compares `principal` with, if that is any other than an agent identity. `policy` is a policy
/// in Cedar's JSON format.
pub(super) fn stranger(policy: &Value) -> Option<String> {
    match policy {
        Value::Object(members) => members.iter().find_map(|(name, part)| {
            let asks = matches!(name.as_str(), "is" | "==" | "!=" | "in");
            asks.then(|| compared(part)).flatten().or_else(|| stranger(part))
        }),
        Value::Array(parts) => parts.iter().find_map(stranger),
        _ => None,
    }
}

/// The foreign type in one comparison of `principal`.
fn compared(comparison: &Value) -> Option<String> {
    let at = |path: &str| comparison.pointer(path).and_then(Value::as_str);
    let types: &[&str] = match (at("/left/Var"), at("/right/Var")) {
        // `is` names the type beside the expression; the others have an entity on the other side.
        (Some("principal"), _) => &["/entity_type", "/right/Value/__entity/type"],
        (_, Some("principal")) => &["/left/Value/__entity/type"],
        _ => return None,
    };
    types.iter().filter_map(|path| at(path)).find(|kind| *kind != "AgentIdentity").map(str::to_owned)
}
