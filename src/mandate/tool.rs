//! What a host declares of a tool: its arguments, how much is at stake, and the labels of what it touches.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::broken::Broken;
use super::parameter::{Parameter, Parameters};
use super::raise::Raise;
use super::unenforced::Unenforced;
use super::{
    Action, ActionClass, ArgumentName, ArgumentType, Arguments, Bound, Constraints, Resource, ToolError, Value,
};
use crate::canonical::{Digest, Encoder};
use crate::id::{Found, made_of, text};
use crate::strict::{objects, present, word};

text! {
    /// The name of a tool. Compared byte for byte.
    ToolName, "tool name", "1 to 128 characters of A-Z, a-z, 0-9, `_`, `.`, `:`, `/` and `-`",
    |text| made_of(text, 128, |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'/' | b'-'))
}

text! {
    /// Where data came from or what it is: `untrusted`, `pii`, `secret`, `internal`, or a name of the host's.
    Label, "label", "1 to 32 characters of a-z, 0-9 and `-`",
    |text| made_of(text, 32, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The labels that mean something to every task: data of the house, a stranger's text, and a way out.
impl Label {
    /// Something that somebody from outside may have written.
    pub const UNTRUSTED: &'static str = "untrusted";
    /// Data about persons.
    pub const PII: &'static str = "pii";
    /// What nobody else may see.
    pub const SECRET: &'static str = "secret";
    /// What only the house may see.
    pub const INTERNAL: &'static str = "internal";
    /// A tool that can carry data out of the house.
    pub const OUTSIDE: &'static str = "outside";
}

/// The name of [`Tool::project_as`].
const PROJECT_AS: &str = "project_as";

impl ToolName {
    /// Whether it is that of [`Tool::project_as`].
    pub(crate) fn is_project_as(&self) -> bool {
        self.as_str() == PROJECT_AS
    }
}

/// A tool that agents can call, as its host declares it.
///
/// ```
/// use bailiwick::mandate::{ActionClass, ArgumentType, Tool, ToolName};
///
/// let close = Tool::new(ToolName::new("ticket.close")?, ActionClass::Write)
///     .required("reason".parse()?, ArgumentType::Text)?;
/// assert_eq!(close.class(), ActionClass::Write);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// In JSON: `{"name": "ticket.close", "class": "write", "arguments": {"reason": {"type": "text", "required": true,
/// "nullable": false, "constraints": {"maxLength": 200}}}, "labels": ["internal"], "description": "sha-256:…",
/// "listing": "sha-256:…", "raised": [{"class": "irreversible", "on": "account"}, {"class": "privileged",
/// "unless": {"reason": {"one_of": ["stale"]}}}]}`. Only the name must be there, and of an argument only its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    name: ToolName,
    #[serde(default = "ActionClass::unsaid", deserialize_with = "word")]
    class: ActionClass,
    #[serde(rename = "arguments", default, skip_serializing_if = "Parameters::is_empty")]
    parameters: Parameters,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    labels: BTreeSet<Label>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    description: Option<Digest>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    listing: Option<Digest>,
    #[serde(default, deserialize_with = "objects", skip_serializing_if = "Vec::is_empty")]
    raised: Vec<Raise>,
    #[serde(default, deserialize_with = "objects", skip_serializing_if = "Vec::is_empty")]
    unenforced: Vec<Unenforced>,
}

impl Tool {
    /// A tool without arguments.
    pub fn new(name: ToolName, class: ActionClass) -> Self {
        Self {
            name,
            class,
            parameters: Parameters::default(),
            labels: BTreeSet::new(),
            description: None,
            listing: None,
            raised: Vec::new(),
            unenforced: Vec::new(),
        }
    }

    /// With an argument that every call gives.
    ///
    /// # Errors
    ///
    /// The tool has the argument already.
    pub fn required(self, argument: ArgumentName, kind: ArgumentType) -> Result<Self, ToolError> {
        self.with(argument, kind, (true, false))
    }

    /// With an argument that a call may leave out, or give as `null`.
    ///
    /// # Errors
    ///
    /// The tool has the argument already.
    pub fn optional(self, argument: ArgumentName, kind: ArgumentType) -> Result<Self, ToolError> {
        self.with(argument, kind, (false, true))
    }

    /// With an argument that every call gives, if only as `null`.
    ///
    /// # Errors
    ///
    /// The tool has the argument already.
    pub fn nullable(self, argument: ArgumentName, kind: ArgumentType) -> Result<Self, ToolError> {
        self.with(argument, kind, (true, true))
    }

    /// The tool with which an agent obtains, from the system that keeps its agent user, a token that is shaped like that
    /// user. It changes who an agent is seen as, so it is [`Privileged`](ActionClass::Privileged). Its calls are
    /// [`Action::project_as`](super::Action::project_as); a host puts it into its catalogue, with arguments of its own
    /// where that system wants some.
    ///
    /// ```
    /// use bailiwick::mandate::Tool;
    /// use bailiwick::policy::Catalog;
    ///
    /// let catalog = Catalog::new().with(Tool::project_as())?;
    /// # Ok::<(), bailiwick::policy::CatalogError>(())
    /// ```
    pub fn project_as() -> Self {
        Self::new(ToolName(PROJECT_AS.into()), ActionClass::Privileged)
    }

    fn with(
        mut self,
        argument: ArgumentName,
        kind: ArgumentType,
        (required, nullable): (bool, bool),
    ) -> Result<Self, ToolError> {
        let parameter = Parameter { kind, required, nullable, constraints: None };
        match self.parameters.insert(argument, parameter) {
            Ok(()) => Ok(self),
            Err(argument) => Err(ToolError::Duplicate { tool: self.name, argument }),
        }
    }

    /// With an argument that keeps to these constraints, in place of those before. `null`, where the argument may be
    /// that, keeps to all of them.
    ///
    /// # Errors
    ///
    /// The tool has no such argument.
    pub fn constrained(self, argument: &str, constraints: Constraints) -> Result<Self, ToolError> {
        self.kept_to(argument, Some(Box::new(constraints)))
    }

    /// With an argument of another type, where what lists the tool says no more than that it is a text.
    ///
    /// # Errors
    ///
    /// The tool has no such argument.
    pub fn typed(mut self, argument: &str, kind: ArgumentType) -> Result<Self, ToolError> {
        let Some(parameter) = self.parameters.get_mut(argument) else {
            return Err(ToolError::Undeclared { tool: self.name, argument: Found::new(argument) });
        };
        parameter.kind = kind;
        Ok(self)
    }

    pub(crate) fn kept_to(mut self, argument: &str, constraints: Option<Box<Constraints>>) -> Result<Self, ToolError> {
        let Some(parameter) = self.parameters.get_mut(argument) else {
            return Err(ToolError::Undeclared { tool: self.name, argument: Found::new(argument) });
        };
        parameter.constraints = constraints;
        Ok(self)
    }

    /// With what is said of its arguments and not enforced.
    pub(crate) fn not_enforcing(mut self, unenforced: Vec<Unenforced>) -> Self {
        self.unenforced = unenforced;
        self
    }

    /// With a label: once a permit for the tool is redeemed, the task carries it to its end.
    #[must_use]
    pub fn labelled(mut self, label: Label) -> Self {
        self.labels.insert(label);
        self
    }

    /// With another class.
    #[must_use]
    pub fn classed(mut self, class: ActionClass) -> Self {
        self.class = class;
        self
    }

    /// A call that touches a thing of this kind is of this class at least. Nothing lowers it: not a policy, not a scope,
    /// and not what a tool says of itself.
    ///
    /// ```
    /// use bailiwick::mandate::{Action, ActionClass, ArgumentType, Arguments, Bound, Resource, Tool};
    ///
    /// let write = Tool::new("file.write".parse()?, ActionClass::Write)
    ///     .required("folder".parse()?, ArgumentType::Text)?
    ///     .raised_on("secret", ActionClass::Privileged)
    ///     .raised_unless("folder", Bound::one_of(["drafts"]), ActionClass::Irreversible)?;
    /// let write_to = |folder: &str, kind| {
    ///     let arguments = Arguments::from_json(&format!(r#"{{"folder": "{folder}"}}"#)).expect("arguments");
    ///     Action::autonomous("file.write", &Resource::new(kind, "x").expect("a name")).map(|call| call.with(arguments))
    /// };
    /// assert_eq!(write.class_of(&write_to("drafts", "file")?), ActionClass::Write);
    /// assert_eq!(write.class_of(&write_to("published", "file")?), ActionClass::Irreversible);
    /// assert_eq!(write.class_of(&write_to("drafts", "secret")?), ActionClass::Privileged);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn raised_on(mut self, kind: &str, class: ActionClass) -> Self {
        self.raised.push(Raise::on(class, kind));
        self
    }

    /// A call is of this class at least, unless this argument is there and within `bound`.
    ///
    /// # Errors
    ///
    /// The tool has no such argument.
    pub fn raised_unless(mut self, argument: &str, bound: Bound, class: ActionClass) -> Result<Self, ToolError> {
        match ArgumentName::new(argument).ok().filter(|name| self.parameters.contains(name.as_str())) {
            Some(name) => self.raised.push(Raise::unless(class, name, bound)),
            None => return Err(ToolError::Undeclared { tool: self.name, argument: Found::new(argument) }),
        }
        Ok(self)
    }

    /// Every call is of this class at least, whatever the tool is said to be.
    pub(crate) fn raised(mut self, class: ActionClass) -> Self {
        self.raised.push(Raise::always(class));
        self
    }

    /// The first argument that raises a call and that the tool does not have.
    pub(crate) fn misses(&self) -> Option<&ArgumentName> {
        let looked_at = self.raised.iter().flat_map(Raise::arguments);
        looked_at.into_iter().find(|name| !self.parameters.contains(name.as_str()))
    }

    /// As a server listed it: the digest of everything that a model is shown of it.
    pub(crate) fn listed(mut self, listing: Digest) -> Self {
        self.listing = Some(listing);
        self
    }

    /// Pinned to the digest of its description.
    #[must_use]
    pub fn described(mut self, description: &str) -> Self {
        self.description = Some(Digest::of(description.as_bytes()));
        self
    }

    /// The tool's name.
    pub fn name(&self) -> &ToolName {
        &self.name
    }

    /// How much is at stake, as the host says; a call can be of a higher class, and of none that is lower.
    pub fn class(&self) -> ActionClass {
        self.class
    }

    /// How much is at stake in this call.
    pub fn class_of(&self, action: &Action) -> ActionClass {
        self.class_of_call(action.resource(), action.arguments())
    }

    /// How much is at stake in a call with these arguments that touches this.
    pub(crate) fn class_of_call(&self, resource: &Resource, arguments: &Arguments) -> ActionClass {
        self.raised.iter().filter_map(|raise| raise.of(resource, arguments)).fold(self.class, ActionClass::max)
    }

    /// The highest class that a call of it may have: what whoever may call it may do.
    pub(crate) fn highest_class(&self) -> ActionClass {
        self.raised.iter().map(Raise::class).fold(self.class, ActionClass::max)
    }

    /// Whether calls of it may be of another class than it.
    pub(crate) fn is_raised(&self) -> bool {
        !self.raised.is_empty()
    }

    /// The least class that a call can have by what the tool says of itself, whatever the host says.
    pub(crate) fn least_class(&self) -> ActionClass {
        self.raised.iter().filter_map(Raise::of_every_call).fold(ActionClass::Read, ActionClass::max)
    }

    /// The class that no call is below: what the host says, or the tool of itself, whichever is higher.
    pub(crate) fn floor(&self) -> ActionClass {
        self.class.max(self.least_class())
    }

    /// The labels of what it touches.
    pub fn labels(&self) -> &BTreeSet<Label> {
        &self.labels
    }

    /// The digest of its description, if it was pinned.
    pub fn description(&self) -> Option<&Digest> {
        self.description.as_ref()
    }

    /// The digest of everything that a model is shown of it, where a server listed it.
    pub fn listing(&self) -> Option<&Digest> {
        self.listing.as_ref()
    }

    /// The digest of the declaration: name, description, what a server lists besides, and arguments. Class and labels are not
    /// in it: they are not the tool's to say. A scope is bound to it by [`Grant::pinned`](super::Grant::pinned).
    pub fn digest(&self) -> Digest {
        let mut encoder = Encoder::new("bailiwick/tool/v1");
        encoder.text(self.name.as_str());
        for digest in [self.description, self.listing] {
            encoder
                .tag(u8::from(digest.is_some()))
                .fixed(digest.map_or([0; 32], |digest| *digest.as_bytes()).as_slice());
        }
        // Writing it cannot fail: every key is text.
        encoder.text(&serde_json::to_string(&(&self.parameters, &self.unenforced)).unwrap_or_default());
        encoder.finish()
    }

    pub(crate) fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// What the JSON Schema that it was read from says of its arguments beyond what is enforced.
    pub fn unenforced(&self) -> &[Unenforced] {
        &self.unenforced
    }

    /// Checks that `arguments` are what the tool declares: nothing else, nothing missing, nothing of another type, and
    /// nothing that breaks a constraint.
    ///
    /// # Errors
    ///
    /// The first argument that does not fit: an undeclared one, or else by name.
    pub fn check(&self, arguments: &Arguments) -> Result<(), ToolError> {
        self.check_each(arguments, |_, _| ())
    }

    /// The same, and visits each declared argument, by name, with what the call gives. What was visited holds only where
    /// all fits.
    pub(crate) fn check_each<'v>(
        &self,
        arguments: &'v Arguments,
        mut visit: impl FnMut(ArgumentType, Option<&'v Value>),
    ) -> Result<(), ToolError> {
        let undeclared = |name| Err(ToolError::Undeclared { tool: self.name.clone(), argument: Found::new(name) });
        // Both are in order, so one walk sees all.
        let mut given = arguments.iter();
        let (mut next, mut first) = (given.next(), None);
        for (name, parameter) in self.parameters.iter() {
            match next {
                Some((own, value)) if own == name.as_str() => {
                    visit(parameter.kind, Some(value));
                    next = given.next();
                    if !parameter.plainly_admits(value) && first.is_none() {
                        first = self.check_value(name, parameter, value).err();
                    }
                }
                Some((own, _)) if own < name.as_str() => return undeclared(own),
                _ => {
                    visit(parameter.kind, None);
                    if parameter.required && first.is_none() {
                        first = Some(ToolError::Missing { tool: self.name.clone(), argument: name.clone() });
                    }
                }
            }
        }
        match next {
            Some((own, _)) => undeclared(own),
            None => first.map_or(Ok(()), Err),
        }
    }

    fn check_value(&self, name: &ArgumentName, parameter: &Parameter, value: &Value) -> Result<(), ToolError> {
        match (value, &parameter.constraints) {
            (Value::Null, _) if parameter.nullable => Ok(()),
            _ if !parameter.kind.admits(value) => {
                let (tool, argument, want) = (self.name.clone(), name.clone(), parameter.kind.name());
                Err(match parameter.kind.check_spelling(value) {
                    Err(why) => ToolError::Malformed { tool, argument, want, why },
                    Ok(()) => ToolError::Type { tool, argument, want, found: value.kind() },
                })
            }
            (_, Some(constraints)) => constraints.check(value).map_err(|broken| self.broken(name, broken)),
            (_, None) => Ok(()),
        }
    }

    fn broken(&self, argument: &ArgumentName, broken: Broken<'_>) -> ToolError {
        let Broken { keyword, limit, found } = broken;
        let (tool, argument) = (self.name.clone(), argument.clone());
        ToolError::Constraint { tool, argument, keyword, limit: Found::new(&limit.to_string()), found }
    }
}
