//! The catalogue: the tools that agents can call, and the Cedar schema that they make.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::canonical::Encoder;
use crate::id::{Found, IdError};
use crate::json::{self, Json, JsonError, Limits};
use crate::mandate::{ActionClass, ArgumentName, ArgumentType, Label, Scope, Tool, ToolError, ToolName};

/// A `tools/list` answer has at most 4 MiB and 64 levels.
const LIMITS: Limits = Limits { bytes: 4 * 1024 * 1024, depth: 64 };
/// Arguments of one tool, as a server describes them.
const MAX_ARGUMENTS: usize = 256;
/// Tools in one catalogue.
const MAX_TOOLS: usize = 1_000;

/// A catalogue was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// The text is not strict JSON, or is over a bound.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A name is not valid.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A tool contradicts itself.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The tool is in the catalogue already.
    #[error("the tool {0} is in the catalogue already")]
    Duplicate(ToolName),
    /// The tool is not in the catalogue.
    #[error("the tool {0} is not in the catalogue")]
    Unknown(ToolName),
    /// The catalogue is full.
    #[error("the catalogue has {found} tools, at most {max} are read")]
    TooMany {
        /// How many there would be.
        found: usize,
        /// The bound.
        max: usize,
    },
    /// The text is not an answer to `tools/list`.
    #[error("{member} must be {want}, found {found}")]
    Shape {
        /// Which member.
        member: Found,
        /// What was wanted.
        want: &'static str,
        /// What was found.
        found: &'static str,
    },
}

/// The tools that agents can call.
///
/// ```
/// use bailiwick::mandate::ActionClass;
/// use bailiwick::policy::Catalog;
///
/// let catalog = Catalog::from_mcp(r#"{"tools": [{
///     "name": "read_file",
///     "description": "Reads a file.",
///     "inputSchema": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
/// }]}"#)?;
/// // What a server says of its own tools classifies nothing: until the host does, a tool is privileged.
/// let catalog = catalog.classify("read_file", ActionClass::Read)?;
/// assert_eq!(catalog.tools().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog(BTreeMap<ToolName, Tool>);

impl Catalog {
    /// An empty catalogue.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more tool.
    ///
    /// # Errors
    ///
    /// The tool is in the catalogue already, or the catalogue is full.
    pub fn with(mut self, tool: Tool) -> Result<Self, CatalogError> {
        if self.0.contains_key(tool.name()) {
            return Err(CatalogError::Duplicate(tool.name().clone()));
        }
        if self.0.len() >= MAX_TOOLS {
            return Err(CatalogError::TooMany { found: self.0.len() + 1, max: MAX_TOOLS });
        }
        self.0.insert(tool.name().clone(), tool);
        Ok(self)
    }

    /// Reads what an MCP server answers to `tools/list`. Every tool is privileged until it is
    /// [classified](Self::classify), and pinned to the digest of its description.
    ///
    /// # Errors
    ///
    /// The text is not strict JSON of that shape, a name is not valid, or a bound is exceeded.
    pub fn from_mcp(text: &str) -> Result<Self, CatalogError> {
        let answer = Member::root(json::parse(text, LIMITS)?);
        let mut catalog = Self::new();
        for tool in answer.get("tools")?.items()? {
            catalog = catalog.with(read_tool(&tool)?)?;
        }
        Ok(catalog)
    }

    /// Says what class a tool has, in place of what was said before.
    ///
    /// # Errors
    ///
    /// The tool is not in the catalogue.
    pub fn classify(self, tool: &str, class: ActionClass) -> Result<Self, CatalogError> {
        self.change(tool, |tool| tool.classed(class))
    }

    /// Says that a tool touches what has this label.
    ///
    /// # Errors
    ///
    /// The tool is not in the catalogue.
    pub fn label(self, tool: &str, label: Label) -> Result<Self, CatalogError> {
        self.change(tool, |tool| tool.labelled(label))
    }

    fn change(mut self, tool: &str, change: impl FnOnce(Tool) -> Tool) -> Result<Self, CatalogError> {
        let name = ToolName::new(tool)?;
        let tool = self.0.remove(&name).ok_or_else(|| CatalogError::Unknown(name.clone()))?;
        self.0.insert(name, change(tool));
        Ok(self)
    }

    /// The tool with this name.
    pub fn get(&self, name: &ToolName) -> Option<&Tool> {
        self.0.get(name)
    }

    /// Every tool, by name.
    pub fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.0.values()
    }

    /// Checks that a scope grants tools that are declared, and binds arguments that they have: a bound on a misspelt
    /// argument would bind nothing.
    ///
    /// # Errors
    ///
    /// The first tool or argument that is not declared.
    pub fn check_scope(&self, scope: &Scope) -> Result<(), CatalogError> {
        for (name, mut arguments) in scope.bound_arguments() {
            let tool = self.get(name).ok_or_else(|| CatalogError::Unknown(name.clone()))?;
            if let Some(argument) = arguments.find(|argument| !tool.parameters().contains_key(*argument)) {
                let (tool, argument) = (name.clone(), Found::new(argument.as_str()));
                return Err(ToolError::Undeclared { tool, argument }.into());
            }
        }
        Ok(())
    }

    /// Everything that a verdict depends on, besides the schema: labels, opaque arguments, descriptions.
    pub(super) fn encode(&self, encoder: &mut Encoder) {
        encoder.count(self.0.len());
        for tool in self.0.values() {
            encoder.text(tool.name().as_str()).text(tool.class().as_str()).count(tool.parameters().len());
            for (name, parameter) in tool.parameters() {
                encoder.text(name.as_str()).text(parameter.kind.name()).tag(u8::from(parameter.required));
                encoder.tag(u8::from(parameter.nullable));
            }
            encoder.count(tool.labels().len());
            for label in tool.labels() {
                encoder.text(label.as_str());
            }
            encoder.text(&tool.description().map_or(String::new(), ToString::to_string));
        }
    }

    /// The Cedar schema that policies over these tools are validated against.
    ///
    /// ```
    /// use bailiwick::mandate::{ActionClass, ArgumentType, Tool};
    /// use bailiwick::policy::Catalog;
    ///
    /// let close = Tool::new("ticket.close".parse()?, ActionClass::Write)
    ///     .required("reason".parse()?, ArgumentType::Text)?;
    /// let schema = Catalog::new().with(close)?.schema();
    /// assert!(schema.contains(r#"action "ticket.close" in [Action::"any write"]"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn schema(&self) -> String {
        let mut schema = include_str!("agent.cedarschema").to_owned();
        for tool in self.0.values() {
            let mut args = String::new();
            for (name, parameter) in tool.parameters() {
                if let Some(kind) = cedar_type(parameter.kind) {
                    let optional = if parameter.is_certain() { "" } else { "?" };
                    // Writing to a string cannot fail. Names have no quotes and no backslashes.
                    let _ = write!(args, "\n      \"{name}\"{optional}: {kind},");
                }
            }
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
        schema
    }
}

/// What policies see of an argument; nothing of an opaque one.
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

/// A member of a JSON text, and the way to it, for messages.
struct Member {
    path: String,
    json: Json,
}

impl Member {
    fn root(json: Json) -> Self {
        Self { path: "the answer".to_owned(), json }
    }

    fn refuse(&self, want: &'static str) -> CatalogError {
        let found = match self.json {
            Json::Null => "nothing",
            Json::Bool(_) => "a boolean",
            Json::Number(_) => "a number",
            Json::Text(_) => "a string",
            Json::List(_) => "an array",
            Json::Record(_) => "an object",
        };
        CatalogError::Shape { member: Found::new(&self.path), want, found }
    }

    fn get(&self, name: &str) -> Result<Self, CatalogError> {
        let Json::Record(members) = &self.json else {
            return Err(self.refuse("an object"));
        };
        let json = members.get(name).cloned().unwrap_or(Json::Null);
        Ok(Self { path: format!("{}.{name}", self.path), json })
    }

    fn items(&self) -> Result<Vec<Self>, CatalogError> {
        let Json::List(items) = &self.json else {
            return Err(self.refuse("an array"));
        };
        let item = |(place, json): (usize, &Json)| Self { path: format!("{}[{place}]", self.path), json: json.clone() };
        Ok(items.iter().enumerate().map(item).collect())
    }

    fn text(&self) -> Result<&str, CatalogError> {
        match &self.json {
            Json::Text(text) => Ok(text),
            _ => Err(self.refuse("a string")),
        }
    }

    fn is_nothing(&self) -> bool {
        self.json == Json::Null
    }
}

fn read_tool(member: &Member) -> Result<Tool, CatalogError> {
    let mut tool = Tool::new(ToolName::new(member.get("name")?.text()?)?, ActionClass::Privileged);
    let description = member.get("description")?;
    if !description.is_nothing() {
        tool = tool.described(description.text()?);
    }
    let schema = member.get("inputSchema")?;
    let required = schema.get("required")?;
    let required: BTreeSet<String> = if required.is_nothing() {
        BTreeSet::new()
    } else {
        required.items()?.iter().map(|name| name.text().map(str::to_owned)).collect::<Result<_, _>>()?
    };
    let properties = schema.get("properties")?;
    let declared = match &properties.json {
        Json::Record(declared) => declared.clone(),
        Json::Null => BTreeMap::new(),
        _ => return Err(properties.refuse("an object")),
    };
    if declared.len() + required.len() > MAX_ARGUMENTS {
        return Err(properties.refuse("an object of at most 256 arguments"));
    }
    for (name, property) in &declared {
        let (argument, (kind, nullable)) = (ArgumentName::new(name)?, read_type(property));
        tool = match required.contains(name) {
            false => tool.optional(argument, kind)?,
            true if nullable => tool.nullable(argument, kind)?,
            true => tool.required(argument, kind)?,
        };
    }
    // What must be given and is not described can be anything.
    for name in required.iter().filter(|name| !declared.contains_key(*name)) {
        tool = tool.nullable(ArgumentName::new(name)?, ArgumentType::Opaque)?;
    }
    Ok(tool)
}

/// The type that a JSON Schema says, and whether `null` is one of its values. What is not known is opaque.
fn read_type(schema: &Json) -> (ArgumentType, bool) {
    let Json::Record(schema) = schema else {
        return (ArgumentType::Opaque, true);
    };
    if let Some(Json::List(choices)) = schema.get("anyOf") {
        let is_null = |choice: &&Json| matches!(choice, Json::Record(choice) if names(choice, "null"));
        let mut others = choices.iter().filter(|choice| !is_null(choice));
        return match (others.next(), others.next()) {
            (Some(one), None) => nullable_as(read_type(one), choices.len() > 1),
            _ => (ArgumentType::Opaque, true),
        };
    }
    // A list of types is read like `anyOf`.
    if let Some(Json::List(types)) = schema.get("type") {
        let mut others = types.iter().filter(|kind| **kind != Json::Text("null".to_owned()));
        return match (others.next(), others.next()) {
            (Some(one), None) => {
                let one =
                    schema.iter().map(|(name, json)| (name.clone(), if name == "type" { one } else { json }.clone()));
                nullable_as(read_type(&Json::Record(one.collect())), types.len() > 1)
            }
            _ => (ArgumentType::Opaque, true),
        };
    }
    let named = |kind| names(schema, kind);
    let kind = match schema.get("items") {
        _ if named("boolean") => ArgumentType::Bool,
        _ if named("integer") => ArgumentType::Integer,
        _ if named("number") => ArgumentType::Number,
        _ if named("string") => ArgumentType::Text,
        Some(Json::Record(items)) if named("array") && names(items, "string") => ArgumentType::Texts,
        Some(Json::Record(items)) if named("array") && names(items, "integer") => ArgumentType::Integers,
        _ => ArgumentType::Opaque,
    };
    (kind, kind == ArgumentType::Opaque)
}

/// The same type, `null` too where it is one of the choices.
fn nullable_as((kind, nullable): (ArgumentType, bool), too: bool) -> (ArgumentType, bool) {
    (kind, nullable || too)
}

fn names(schema: &BTreeMap<String, Json>, kind: &str) -> bool {
    matches!(schema.get("type"), Some(Json::Text(text)) if text == kind)
}
