//! What an MCP server answers to `tools/list`, read as tools.

use std::collections::{BTreeMap, BTreeSet};

use super::CatalogError;
use super::catalog::MAX_ARGUMENTS;
use super::json_schema::{Budget, Reader, is_annotation};
use crate::canonical::{Digest, Encoder};
use crate::id::Found;
use crate::json::{self, Json, Limits};
use crate::mandate::{ActionClass, ArgumentName, ArgumentType, Tool, ToolName, Unenforced};

/// An answer has at most 4 MiB and 64 levels.
const LIMITS: Limits = Limits { bytes: 4 * 1024 * 1024, depth: 64 };

/// Every tool of an answer.
pub(super) fn read(text: &str) -> Result<Vec<Tool>, CatalogError> {
    let json = json::parse(text, LIMITS)?;
    let answer = Member { path: "the answer".to_owned(), json: &json };
    let mut budget = Budget::new();
    answer.get("tools")?.items()?.iter().map(|tool| read_tool(tool, &mut budget)).collect()
}

fn read_tool(member: &Member<'_>, budget: &mut Budget) -> Result<Tool, CatalogError> {
    let mut tool = Tool::new(ToolName::new(member.get("name")?.text()?)?, ActionClass::Privileged);
    let description = member.get("description")?;
    if !description.is_nothing() {
        tool = tool.described(description.text()?);
    }
    tool = hinted(tool, &member.get("annotations")?)?.listed(listing(member.json));
    let schema = member.get("inputSchema")?;
    let required = schema.get("required")?;
    let required: BTreeSet<String> = if required.is_nothing() {
        BTreeSet::new()
    } else {
        required.items()?.iter().map(|name| name.text().map(str::to_owned)).collect::<Result<_, _>>()?
    };
    let properties = schema.get("properties")?;
    let none = BTreeMap::new();
    let declared = match properties.json {
        Json::Record(declared) => declared,
        Json::Null => &none,
        _ => return Err(properties.refuse("an object")),
    };
    if declared.len() + required.len() > MAX_ARGUMENTS {
        return Err(properties.refuse("an object of at most 256 arguments"));
    }
    let mut unenforced = of_all_arguments(schema.json);
    let mut reader = Reader::new(schema.json, budget);
    for (name, property) in declared {
        let (argument, (constraints, keywords)) = (ArgumentName::new(name)?, reader.argument(property));
        let kind = constraints.argument_type();
        unenforced.extend(keywords.into_iter().map(|keyword| Unenforced::new(Some(argument.clone()), keyword)));
        tool = match required.contains(name) {
            false => tool.optional(argument, kind)?,
            true if constraints.admits_null() => tool.nullable(argument, kind)?,
            true => tool.required(argument, kind)?,
        };
        tool = tool.kept_to(name, constraints.beyond(kind))?;
    }
    // What must be given and is not described can be anything.
    for name in required.iter().filter(|name| !declared.contains_key(*name)) {
        tool = tool.nullable(ArgumentName::new(name)?, ArgumentType::Opaque)?;
    }
    Ok(tool.not_enforcing(unenforced))
}

/// The class of a tool is the host's to say. What the tool says of itself can only raise it: no hint is believed that it does
/// less (MCP 2025-06-18, `ToolAnnotations`: clients must consider annotations untrusted).
fn hinted(tool: Tool, annotations: &Member<'_>) -> Result<Tool, CatalogError> {
    if annotations.is_nothing() {
        return Ok(tool);
    }
    let says = |hint, what| Ok::<_, CatalogError>(*annotations.get(hint)?.json == Json::Bool(what));
    Ok(match (says("readOnlyHint", false)?, says("destructiveHint", true)?) {
        (_, true) => tool.raised(ActionClass::Irreversible),
        (true, false) => tool.raised(ActionClass::Write),
        (false, false) => tool,
    })
}

/// The digest of everything that a model is shown of a tool: all of its entry but what is for clients alone.
fn listing(entry: &Json) -> Digest {
    let mut encoder = Encoder::new("bailiwick/listing/v1");
    let Json::Record(members) = entry else { return encoder.finish() };
    for (name, member) in members.iter().filter(|(name, _)| !matches!(name.as_str(), "_meta" | "icons")) {
        encoder.text(name);
        encode(member, &mut encoder);
    }
    encoder.finish()
}

fn encode(json: &Json, encoder: &mut Encoder) {
    match json {
        Json::Null => drop(encoder.tag(0)),
        Json::Bool(value) => drop(encoder.tag(1).tag(u8::from(*value))),
        Json::Number(text) => drop(encoder.tag(2).text(text)),
        Json::Text(text) => drop(encoder.tag(3).text(text)),
        Json::List(items) => {
            encoder.tag(4).count(items.len());
            items.iter().for_each(|item| encode(item, encoder));
        }
        Json::Record(members) => {
            encoder.tag(5).count(members.len());
            for (name, member) in members {
                encoder.text(name);
                encode(member, encoder);
            }
        }
    }
}

/// What is said of all arguments together, besides which there are: those that are not declared are refused anyhow.
fn of_all_arguments(schema: &Json) -> Vec<Unenforced> {
    let Json::Record(schema) = schema else { return Vec::new() };
    let said = |(keyword, json): &(&String, &Json)| match keyword.as_str() {
        "properties" | "required" | "additionalProperties" | "$id" => false,
        "type" => **json != Json::Text("object".to_owned()),
        other => !is_annotation(other),
    };
    schema.iter().filter(said).map(|(keyword, _)| Unenforced::new(None, keyword.clone())).collect()
}

/// A member of a JSON text, and the way to it, for messages.
struct Member<'a> {
    path: String,
    json: &'a Json,
}

impl<'a> Member<'a> {
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
        let Json::Record(members) = self.json else {
            return Err(self.refuse("an object"));
        };
        Ok(Self { path: format!("{}.{name}", self.path), json: members.get(name).unwrap_or(&Json::Null) })
    }

    fn items(&self) -> Result<Vec<Self>, CatalogError> {
        let Json::List(items) = self.json else {
            return Err(self.refuse("an array"));
        };
        let item = |(place, json): (usize, &'a Json)| Self { path: format!("{}[{place}]", self.path), json };
        Ok(items.iter().enumerate().map(item).collect())
    }

    fn text(&self) -> Result<&'a str, CatalogError> {
        match self.json {
            Json::Text(text) => Ok(text),
            _ => Err(self.refuse("a string")),
        }
    }

    fn is_nothing(&self) -> bool {
        *self.json == Json::Null
    }
}
