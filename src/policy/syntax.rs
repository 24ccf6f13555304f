//! What a policy asks, read from its syntax tree in Cedar's JSON format.
//!
//! Never from its text: there, a name can be spelt in many ways.

use serde_json::Value;

/// The type that the policy compares `principal` with, if that is any other than an agent identity: nobody else is one.
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

/// Whether the policy may ask for this member of the context, or for the context as a whole.
pub(super) fn reads(policy: &Value, member: &str) -> bool {
    match policy {
        Value::Object(parts) => parts.iter().any(|(name, part)| {
            let of_context = part.pointer("/left/Var").and_then(Value::as_str) == Some("context");
            match name.as_str() {
                "." | "has" if of_context => part.get("attr").and_then(Value::as_str).is_none_or(|attr| attr == member),
                // A record may have a member of this name, and then it is not a variable.
                "Var" if part.is_string() => part.as_str() == Some("context"),
                _ => reads(part, member),
            }
        }),
        Value::Array(parts) => parts.iter().any(|part| reads(part, member)),
        _ => false,
    }
}
