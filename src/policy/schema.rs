//! The Cedar schema that the declared tools and attributes make.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::mandate::{ArgumentName, ArgumentType, Tool};

/// The vocabulary that does not depend on the catalogue.
const VOCABULARY: &str = include_str!("agent.cedarschema");
/// The line of it after which the declared attributes of resources stand.
const ATTRIBUTES: &str = "  name: String,             // what is declared of resources follows\n";

/// The vocabulary, and an action for each tool.
pub(super) fn write<'a>(
    tools: impl Iterator<Item = &'a Tool>,
    resource_attributes: &BTreeMap<ArgumentName, ArgumentType>,
) -> String {
    let mut schema = with_attributes(VOCABULARY, resource_attributes);
    tools.for_each(|tool| write_action(&mut schema, tool));
    schema
}

/// A vocabulary with the declared attributes of resources.
pub(super) fn with_attributes(vocabulary: &str, resource_attributes: &BTreeMap<ArgumentName, ArgumentType>) -> String {
    let declared = resource_attributes.iter().filter_map(|(name, kind)| {
        let kind = cedar_type(*kind)?;
        Some(format!("  \"{name}\"?: {kind},\n"))
    });
    let declared: String = std::iter::once(ATTRIBUTES.to_owned()).chain(declared).collect();
    vocabulary.replacen(ATTRIBUTES, &declared, 1)
}

/// The arguments of a tool, as members of a record.
fn arguments(tool: &Tool) -> String {
    let mut args = String::new();
    for (name, parameter) in tool.parameters().iter() {
        if let Some(kind) = cedar_type(parameter.kind) {
            let optional = if parameter.is_certain() { "" } else { "?" };
            // Writing to a string cannot fail. Names have no quotes and no backslashes.
            let _ = write!(args, "\n      \"{name}\"{optional}: {kind},");
        }
    }
    args
}

/// A tool as a person would use it.
pub(super) fn write_deed(schema: &mut String, tool: &Tool) {
    let args = arguments(tool);
    let _ = write!(
        schema,
        r#"
action "{}" in [Action::"any {}"] appliesTo {{
  principal: [HumanOperator],
  resource: [Resource],
  context: {{
    class: String,
    time: datetime,
    args: {{{args}
    }},
  }},
}};
"#,
        tool.name(),
        tool.class(),
    );
}

fn write_action(schema: &mut String, tool: &Tool) {
    let args = arguments(tool);
    let _ = write!(
        schema,
        r#"
action "{}" in [Action::"any {}"] appliesTo {{
  principal: [AgentIdentity],
  resource: [Resource],
  context: {{
    mode: String,
    operator?: HumanOperator,
    agent_user?: AgentUser,
    approved: Bool,
    task: Task,
    tool: Tool,
    time: datetime,
    args: {{{args}
    }},
  }},
}};
"#,
        tool.name(),
        tool.class(),
    );
}

/// What policies see of a value of this type; nothing of an opaque one.
fn cedar_type(kind: ArgumentType) -> Option<&'static str> {
    match kind {
        ArgumentType::Bool => Some("Bool"),
        ArgumentType::Integer => Some("Long"),
        ArgumentType::Number => Some("decimal"),
        ArgumentType::Text => Some("String"),
        ArgumentType::Texts => Some("Set<String>"),
        ArgumentType::Integers => Some("Set<Long>"),
        ArgumentType::Opaque => None,
    }
}
