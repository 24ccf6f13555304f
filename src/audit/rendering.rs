//! A refusal in three languages: what the model, people and operators are told of it.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::ser::SerializeStruct;

use super::Denial;
use crate::policy::{PolicyName, ReasonCode, Retry};

/// So many times the same refusal is told before the model is told to stop.
const PATIENCE: u32 = 4;

/// What the model is told of a refusal: a sentence of a fixed catalogue, the code, and whether to try again. No policy, no
/// person, no value; of a tool that a policy hides, exactly what is told of one that does not exist, in every form.
///
/// `Display` is the text; as JSON it is `{"code", "retry", "times", "message"}`, with `"retry_after"` in seconds where that is
/// known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForModel {
    code: ReasonCode,
    pause: Option<Duration>,
    times: u32,
}

impl ForModel {
    pub(super) fn new(code: ReasonCode, pause: Option<Duration>, times: u32) -> Self {
        Self { code, pause, times }
    }

    /// The stable code.
    pub fn code(&self) -> ReasonCode {
        self.code
    }

    /// Whether to try again, and after what.
    pub fn retry(&self) -> Retry {
        self.code.retry()
    }

    /// How long to wait at most, where the action can be tried again after a pause and that is known.
    pub fn pause(&self) -> Option<Duration> {
        self.pause
    }

    /// How often this was told of the same action, this time included.
    pub fn times(&self) -> u32 {
        self.times
    }

    /// Whether the model was told so often that it is told to stop.
    pub fn is_last_word(&self) -> bool {
        self.times >= PATIENCE
    }
}

impl fmt::Display for ForModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.for_model())?;
        match self.times {
            0 | 1 => Ok(()),
            _ if self.is_last_word() => {
                f.write_str(" Stop: you were told so again and again; do not ask for this any more.")
            }
            _ => f.write_str(" You were told so before."),
        }
    }
}

impl Serialize for ForModel {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("ForModel", 5)?;
        fields.serialize_field("code", self.code.as_str())?;
        fields.serialize_field("retry", &self.retry())?;
        match self.pause {
            Some(pause) => fields.serialize_field("retry_after", &pause.as_secs())?,
            None => fields.skip_field("retry_after")?,
        }
        fields.serialize_field("times", &self.times)?;
        fields.serialize_field("message", &self.to_string())?;
        fields.end()
    }
}

/// What people are told of a refusal, in plain words: the tool, what it would have touched, what the task is for, what is the
/// matter, and what would lift it. No policy. It tells of hidden tools: not for the model.
#[derive(Debug, Clone, Copy)]
pub struct ForHuman<'d>(pub(super) &'d Denial);

impl fmt::Display for ForHuman<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(denial) = self;
        let what = if denial.is_held() { "waits" } else { "was refused" };
        write!(f, "`{}` on `{}`, for “{}”, {what}: ", denial.tool(), denial.resource(), denial.purpose())?;
        write!(f, "{}. {}", denial.code().for_human(), denial.retry().for_human())
    }
}

/// What the operator's log is told of a refusal: what was refused, the code, the values that disagreed, and the event in the
/// record. The alternate form (`{:#}`) adds, a line each, what would lift it and the policies that had a part in it.
#[derive(Debug, Clone, Copy)]
pub struct ForOperator<'d>(pub(super) &'d Denial);

impl fmt::Display for ForOperator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(denial) = self;
        let verb = if denial.is_held() { "held" } else { "denied" };
        let event = denial.event().map_or("unrecorded".to_owned(), |event| event.to_string());
        let (tool, code, reason) = (denial.tool(), denial.code().as_str(), denial.reason());
        write!(f, "{verb} `{tool}`: {code} ({reason}) [{event}]")?;
        if !f.alternate() {
            return Ok(());
        }
        let policies: Vec<&str> = denial.policies().iter().map(PolicyName::as_str).collect();
        let by = if policies.is_empty() { "none".to_owned() } else { policies.join(", ") };
        write!(f, "\n  retry: {}\n  times: {}\n  policies: {by}", denial.retry().as_str(), denial.for_model().times())?;
        denial.because().map_or(Ok(()), |because| write!(f, "\n  because: {because}"))
    }
}
