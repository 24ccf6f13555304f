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
    let task = take_task(&mut schema);
    tools.for_each(|tool| write_action(&mut schema, &task, tool));
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

/// What is known of every task. It is told of each tool apart, with where that tool's arguments come from.
fn take_task(schema: &mut String) -> String {
    const BEGIN: &str = "type Task = {\n";
    const END: &str = "};\n\n";
    let Some((before, (task, after))) = schema.split_once(BEGIN).and_then(|(a, b)| Some((a, b.split_once(END)?)))
    else {
        return String::new();
    };
    let (rest, task) = (format!("{before}{after}"), task.to_owned());
    *schema = rest;
    task
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
        tool.floor(),
    );
}

fn write_action(schema: &mut String, task: &str, tool: &Tool) {
    let task: String =
        task.lines().map(|line| format!("    {}\n", line.split("//").next().unwrap_or_default().trim_end())).collect();
    let mut provenance = String::new();
    for (name, parameter) in tool.parameters().iter() {
        let optional = if parameter.is_certain() { "" } else { "?" };
        // Writing to a string cannot fail. Names have no quotes and no backslashes.
        let _ = write!(provenance, " \"{name}\"{optional}: String,");
    }
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
    task: {{
{task}      provenance: {{{provenance} }},
    }},
    tool: Tool,
    time: datetime,
    args: {{{args}
    }},
  }},
}};
"#,
        tool.name(),
        tool.floor(),
    );
}

/// What policies see of a value of this type; nothing of an opaque one.
fn cedar_type(kind: ArgumentType) -> Option<&'static str> {
    match kind {
        ArgumentType::Bool => Some("Bool"),
        ArgumentType::Integer => Some("Long"),
        ArgumentType::Number => Some("decimal"),
        ArgumentType::Text | ArgumentType::Path => Some("String"),
        ArgumentType::Url => Some(
            r#"{ "text": String, "scheme": String, "host": String, "port": Long, "path": String, "private": Bool }"#,
        ),
        ArgumentType::Email => Some(r#"{ "text": String, "local": String, "domain": String }"#),
        ArgumentType::Money => Some(r#"{ "amount": decimal, "currency": String }"#),
        ArgumentType::Command => Some(r#"{ "program": String, "argv": Set<String> }"#),
        ArgumentType::Texts => Some("Set<String>"),
        ArgumentType::Integers => Some("Set<Long>"),
        ArgumentType::Opaque => None,
    }
}
