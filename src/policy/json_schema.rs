//! What a JSON Schema says of an argument (draft 2020-12): the constraints that are enforced, and the rest by name.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use crate::json::Json;
use crate::mandate::{Constraints, JsonType, Number, Pattern, Value};

/// Schemas within schemas.
const MAX_DEPTH: usize = 24;

/// How much is read for one catalogue, besides what its text holds once.
pub(super) struct Budget {
    /// Patterns that are compiled.
    patterns: usize,
    /// Schemas that are read because another one refers to them.
    referred: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { patterns: 1_000, referred: 10_000 }
    }
}

/// Keywords that constrain nothing. `format` is one of them, as the standard has it.
const ANNOTATIONS: &[&str] = &[
    "$anchor",
    "$comment",
    "$defs",
    "$schema",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "default",
    "definitions",
    "deprecated",
    "description",
    "examples",
    "format",
    "readOnly",
    "title",
    "writeOnly",
];

/// Whether a keyword constrains nothing.
pub(super) fn is_annotation(keyword: &str) -> bool {
    ANNOTATIONS.contains(&keyword) || keyword.starts_with("x-")
}

/// Reads the schemas within one schema, to which they refer.
pub(super) struct Reader<'a> {
    root: &'a Json,
    budget: &'a mut Budget,
    /// The references that are being followed.
    followed: Vec<&'a str>,
    depth: usize,
    unenforced: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(root: &'a Json, budget: &'a mut Budget) -> Self {
        Self { root, budget, followed: Vec::new(), depth: 0, unenforced: BTreeSet::new() }
    }

    /// The constraints of one argument, and the keywords that are not among them.
    pub(super) fn argument(&mut self, schema: &'a Json) -> (Constraints, BTreeSet<String>) {
        let read = self.schema(schema, "").unwrap_or_else(|| {
            self.unenforced.insert("schema".to_owned());
            Constraints::new()
        });
        (read, mem::take(&mut self.unenforced))
    }

    /// Nothing where this is no schema, or too deep.
    fn schema(&mut self, schema: &'a Json, way: &str) -> Option<Constraints> {
        let keywords = match schema {
            Json::Bool(true) => return Some(Constraints::new()),
            Json::Bool(false) => return Some(Constraints::never()),
            Json::Record(keywords) if self.depth < MAX_DEPTH => keywords,
            _ => return None,
        };
        if !self.followed.is_empty() {
            self.budget.referred = self.budget.referred.saturating_sub(1);
        }
        self.depth += 1;
        let mut read = Constraints::new();
        for keyword in keywords.keys() {
            if self.keyword(keyword, keywords, &mut read, way).is_none() {
                self.unenforced.insert(format!("{way}{keyword}"));
            }
        }
        self.depth -= 1;
        Some(unwrapped(read))
    }

    /// Nothing where this keyword is not understood.
    fn keyword(
        &mut self,
        keyword: &str,
        schema: &'a BTreeMap<String, Json>,
        read: &mut Constraints,
        way: &str,
    ) -> Option<()> {
        let json = schema.get(keyword)?;
        let below = format!("{way}{keyword}/");
        match keyword {
            "type" => read.types = types(json)?,
            "enum" => choose(read, list(json)?)?,
            "const" => choose(read, std::slice::from_ref(json))?,
            "minimum" => read.minimum = Some(number(json)?),
            "maximum" => read.maximum = Some(number(json)?),
            "exclusiveMinimum" => read.exclusive_minimum = Some(number(json)?),
            "exclusiveMaximum" => read.exclusive_maximum = Some(number(json)?),
            "multipleOf" => read.multiple_of = Some(number(json).filter(|number| *number > Number::from(0))?),
            "minLength" => read.min_length = Some(count(json)?),
            "maxLength" => read.max_length = Some(count(json)?),
            "pattern" => read.pattern = Some(self.pattern(json)?),
            "minItems" => read.min_items = Some(count(json)?),
            "maxItems" => read.max_items = Some(count(json)?),
            "uniqueItems" => match json {
                Json::Bool(unique) => read.unique_items = *unique,
                _ => return None,
            },
            // These two speak of what the others in their schema leave over.
            "items" if !schema.contains_key("prefixItems") => {
                read.items = Some(Box::new(self.schema(json, &below)?));
            }
            "additionalProperties" if !schema.contains_key("patternProperties") => {
                read.additional_properties = Some(Box::new(self.schema(json, &below)?));
            }
            "properties" => self.properties(json, read, &below)?,
            "required" => read.required = texts(json)?,
            "anyOf" => read.any_of = self.schemas(json, &below)?,
            "allOf" => read.all_of.extend(self.schemas(json, &below)?),
            "oneOf" => read.exactly_one_of = self.alternatives(json, &below)?,
            "$ref" => read.all_of.push(self.referred(json, &below)?),
            other if is_annotation(other) => {}
            _ => return None,
        }
        Some(())
    }

    fn pattern(&mut self, json: &Json) -> Option<Pattern> {
        let Json::Text(text) = json else { return None };
        self.budget.patterns = self.budget.patterns.checked_sub(1)?;
        Pattern::new(text).ok()
    }

    fn properties(&mut self, json: &'a Json, read: &mut Constraints, way: &str) -> Option<()> {
        let Json::Record(properties) = json else { return None };
        for (name, property) in properties {
            if let Some(property) = self.schema(property, &format!("{way}{name}/")) {
                read.properties.insert(name.clone(), property);
            } else {
                self.unenforced.insert(format!("{way}{name}"));
            }
        }
        Some(())
    }

    fn schemas(&mut self, json: &'a Json, way: &str) -> Option<Vec<Constraints>> {
        let schemas = list(json).filter(|schemas| !schemas.is_empty())?;
        schemas.iter().map(|schema| self.schema(schema, way)).collect()
    }

    /// Exactly one holds. Where one is not enforced as a whole, nobody knows which.
    fn alternatives(&mut self, json: &'a Json, way: &str) -> Option<Vec<Constraints>> {
        let outside = mem::take(&mut self.unenforced);
        let read = self.schemas(json, way);
        let inside = mem::replace(&mut self.unenforced, outside);
        let whole = inside.is_empty();
        self.unenforced.extend(inside);
        read.filter(|_| whole)
    }

    /// What a reference within the same text leads to. One that leads back to itself is not followed.
    fn referred(&mut self, json: &'a Json, way: &str) -> Option<Constraints> {
        let Json::Text(reference) = json else { return None };
        if self.followed.contains(&reference.as_str()) || self.budget.referred == 0 {
            return None;
        }
        let target = find(self.root, reference)?;
        self.followed.push(reference);
        let read = self.schema(target, way);
        self.followed.pop();
        read
    }
}

/// Follows a JSON Pointer in a fragment (RFC 6901, section 6), without percent-encoding.
fn find<'a>(root: &'a Json, reference: &str) -> Option<&'a Json> {
    let pointer = reference.strip_prefix('#')?;
    if pointer.contains('%') || !(pointer.is_empty() || pointer.starts_with('/')) {
        return None;
    }
    pointer.split('/').skip(1).try_fold(root, |json, part| match json {
        Json::Record(members) => members.get(&part.replace("~1", "/").replace("~0", "~")),
        Json::List(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The same without a wrapping that says nothing: one schema alone, or `null` beside it.
fn unwrapped(mut read: Constraints) -> Constraints {
    // Exactly one is like any one where no value is in two of them; `null` alone can be here.
    let once = read.exactly_one_of.iter().filter(|one| one.admits_null()).count() < 2;
    let one = match (read.all_of.len(), read.any_of.len(), read.exactly_one_of.len()) {
        (1, 0, 0) => alone(&mut read, |read| &mut read.all_of),
        (0, 1.., 0) => alone(&mut read, |read| &mut read.any_of),
        (0, 0, 1..) if once => alone(&mut read, |read| &mut read.exactly_one_of),
        _ => None,
    };
    one.unwrap_or(read)
}

/// The one schema in this list, if nothing stands beside the list and nothing but `null` beside the schema.
fn alone(read: &mut Constraints, part: fn(&mut Constraints) -> &mut Vec<Constraints>) -> Option<Constraints> {
    let list = mem::take(part(read));
    let null = Constraints { types: BTreeSet::from([JsonType::Null]), ..Constraints::new() };
    let mut others = list.iter().filter(|one| **one != null);
    let one = match (others.next(), others.next()) {
        _ if *read != Constraints::new() => None,
        (Some(one), None) => Some(Constraints { or_null: one.or_null || list.len() > 1, ..one.clone() }),
        (None, _) => list.first().cloned(),
        _ => None,
    };
    *part(read) = list;
    one
}

fn types(json: &Json) -> Option<BTreeSet<JsonType>> {
    let named = |json: &Json| match json {
        Json::Text(name) => JsonType::ALL.into_iter().find(|kind| kind.as_str() == name),
        _ => None,
    };
    match json {
        Json::List(names) if !names.is_empty() => names.iter().map(named).collect(),
        one => named(one).map(|kind| BTreeSet::from([kind])),
    }
}

/// Narrows to one of these values, all of them scalars.
fn choose(read: &mut Constraints, values: &[Json]) -> Option<()> {
    let scalar = |json: &Json| match json {
        Json::List(_) | Json::Record(_) => None,
        scalar => Value::from_json(scalar.clone()).ok(),
    };
    let values = values.iter().map(scalar).collect::<Option<BTreeSet<_>>>()?;
    read.one_of = Some(match read.one_of.take() {
        Some(before) => before.into_iter().filter(|value| values.contains(value)).collect(),
        None => values,
    });
    Some(())
}

fn list(json: &Json) -> Option<&[Json]> {
    if let Json::List(items) = json { Some(items) } else { None }
}

fn texts(json: &Json) -> Option<BTreeSet<String>> {
    let text = |json: &Json| if let Json::Text(text) = json { Some(text.clone()) } else { None };
    list(json)?.iter().map(text).collect()
}

fn number(json: &Json) -> Option<Number> {
    if let Json::Number(text) = json { text.parse().ok() } else { None }
}

fn count(json: &Json) -> Option<usize> {
    number(json)?.as_integer()?.try_into().ok()
}
