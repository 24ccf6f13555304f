//! What a host declares of a tool: its arguments, how much is at stake, and the labels of what it touches.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Arguments, Value};
use crate::canonical::Digest;
use crate::id::{Found, made_of, text};

text! {
    /// The name of a tool. Compared byte for byte.
    ToolName, "tool name", "1 to 128 characters of A-Z, a-z, 0-9, `_`, `.`, `:`, `/` and `-`",
    |text| made_of(text, 128, |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'/' | b'-'))
}

text! {
    /// The name of one argument of a tool.
    ArgumentName, "argument name", "1 to 64 characters of A-Z, a-z, 0-9, `_`, `.` and `-`",
    |text| made_of(text, 64, |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

text! {
    /// Where data came from or what it is: `untrusted`, `pii`, `secret`, `internal`, or a name of the host's.
    Label, "label", "1 to 32 characters of a-z, 0-9 and `-`",
    |text| made_of(text, 32, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// How much is at stake, in rising order. From [`Irreversible`](Self::Irreversible) on, a human approves the exact
/// action unless the scope that they approved says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ActionClass {
    /// Changes nothing.
    Read,
    /// Changes something that can be changed back.
    Write,
    /// Changes something for good.
    Irreversible,
    /// Binds somebody towards others: money, contracts, messages in their name.
    ExternalCommitment,
    /// Changes who may do what. A tool that does not say its class counts as this.
    Privileged,
}

impl ActionClass {
    /// Every class, in rising order.
    pub const ALL: [Self; 5] =
        [Self::Read, Self::Write, Self::Irreversible, Self::ExternalCommitment, Self::Privileged];

    /// The name in records and policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Irreversible => "irreversible",
            Self::ExternalCommitment => "external_commitment",
            Self::Privileged => "privileged",
        }
    }

    /// Whether a human approves the exact action.
    pub fn is_high_consequence(self) -> bool {
        self >= Self::Irreversible
    }
}

/// The type of one argument, as policies see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ArgumentType {
    /// A truth value; Cedar `Bool`.
    Bool,
    /// A 64-bit integer; Cedar `Long`.
    Integer,
    /// A number of at most four fractional digits; Cedar `decimal`.
    Number,
    /// A text; Cedar `String`.
    Text,
    /// An array of texts; Cedar `Set<String>`.
    Texts,
    /// An array of integers; Cedar `Set<Long>`.
    Integers,
    /// Anything else: counts in the digest, and no policy can name it.
    Opaque,
}

impl ArgumentType {
    fn admits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Opaque, _) | (Self::Bool, Value::Bool(_)) | (Self::Text, Value::Text(_)) => true,
            (Self::Integer, Value::Number(number)) => number.as_integer().is_some(),
            (Self::Number, Value::Number(number)) => number.is_decimal(),
            (Self::Texts, Value::List(items)) => items.iter().all(|item| Self::Text.admits(item)),
            (Self::Integers, Value::List(items)) => items.iter().all(|item| Self::Integer.admits(item)),
            _ => false,
        }
    }

    /// What a value of this type is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bool => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a number of at most 922337203685477.5807",
            Self::Text => "a text",
            Self::Texts => "a list of texts",
            Self::Integers => "a list of integers",
            Self::Opaque => "anything",
        }
    }
}

/// One declared argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) kind: ArgumentType,
    /// Every call gives it.
    pub(crate) required: bool,
    /// A call may give `null`.
    pub(crate) nullable: bool,
}

impl Parameter {
    /// Whether policies always see it.
    pub(crate) fn is_certain(self) -> bool {
        self.required && !self.nullable
    }
}

/// The arguments of a call do not fit the tool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// An argument was given that the tool does not have.
    #[error("the tool {tool} has no argument {argument}")]
    Undeclared {
        /// The tool.
        tool: ToolName,
        /// The argument.
        argument: Found,
    },
    /// A required argument is missing.
    #[error("the tool {tool} needs the argument {argument}")]
    Missing {
        /// The tool.
        tool: ToolName,
        /// The argument.
        argument: ArgumentName,
    },
    /// An argument is of another type.
    #[error("the argument {argument} of the tool {tool} must be {want}, found {found}")]
    Type {
        /// The tool.
        tool: ToolName,
        /// The argument.
        argument: ArgumentName,
        /// The declared type.
        want: &'static str,
        /// The type of what was given.
        found: &'static str,
    },
    /// The tool has this argument already.
    #[error("the tool {tool} has the argument {argument} already")]
    Duplicate {
        /// The tool.
        tool: ToolName,
        /// The argument.
        argument: ArgumentName,
    },
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    name: ToolName,
    class: ActionClass,
    parameters: BTreeMap<ArgumentName, Parameter>,
    labels: BTreeSet<Label>,
    description: Option<Digest>,
}

impl Tool {
    /// A tool without arguments.
    pub fn new(name: ToolName, class: ActionClass) -> Self {
        Self { name, class, parameters: BTreeMap::new(), labels: BTreeSet::new(), description: None }
    }

    /// With an argument that every call gives.
    ///
    /// # Errors
    ///
    /// The tool has the argument already.
    pub fn required(self, argument: ArgumentName, kind: ArgumentType) -> Result<Self, ToolError> {
        self.with(argument, Parameter { kind, required: true, nullable: false })
    }

    /// With an argument that a call may leave out, or give as `null`.
    ///
    /// # Errors
    ///
    /// The tool has the argument already.
    pub fn optional(self, argument: ArgumentName, kind: ArgumentType) -> Result<Self, ToolError> {
        self.with(argument, Parameter { kind, required: false, nullable: true })
    }

    /// With an argument that every call gives, if only as `null`.
    ///
    /// # Errors
    ///
    /// The tool has the argument already.
    pub fn nullable(self, argument: ArgumentName, kind: ArgumentType) -> Result<Self, ToolError> {
        self.with(argument, Parameter { kind, required: true, nullable: true })
    }

    fn with(mut self, argument: ArgumentName, parameter: Parameter) -> Result<Self, ToolError> {
        if self.parameters.contains_key(&argument) {
            return Err(ToolError::Duplicate { tool: self.name, argument });
        }
        self.parameters.insert(argument, parameter);
        Ok(self)
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

    /// How much is at stake.
    pub fn class(&self) -> ActionClass {
        self.class
    }

    /// The labels of what it touches.
    pub fn labels(&self) -> &BTreeSet<Label> {
        &self.labels
    }

    /// The digest of its description, if it was pinned.
    pub fn description(&self) -> Option<&Digest> {
        self.description.as_ref()
    }

    pub(crate) fn parameters(&self) -> &BTreeMap<ArgumentName, Parameter> {
        &self.parameters
    }

    /// Checks that `arguments` are what the tool declares: nothing else, nothing missing, nothing of another type.
    ///
    /// # Errors
    ///
    /// The first argument that does not fit: an undeclared one, or else by name.
    pub fn check(&self, arguments: &Arguments) -> Result<(), ToolError> {
        for (name, _) in arguments.iter() {
            let declared = ArgumentName::new(name).is_ok_and(|name| self.parameters.contains_key(&name));
            if !declared {
                return Err(ToolError::Undeclared { tool: self.name.clone(), argument: Found::new(name) });
            }
        }
        for (name, parameter) in &self.parameters {
            match arguments.get(name.as_str()) {
                None if !parameter.required => {}
                Some(Value::Null) if parameter.nullable => {}
                Some(value) if parameter.kind.admits(value) => {}
                None => {
                    return Err(ToolError::Missing { tool: self.name.clone(), argument: name.clone() });
                }
                Some(value) => {
                    return Err(ToolError::Type {
                        tool: self.name.clone(),
                        argument: name.clone(),
                        want: parameter.kind.name(),
                        found: value.kind(),
                    });
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for ActionClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
