//! A lint: what of a policy a person should look at, and where in its text it stands.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

use super::place::{Excerpt, Place};
use crate::policy::PolicyName;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// May be as it is meant.
    Note,
    /// Is hardly as it is meant.
    Warning,
    /// The policy does not load unless its author acknowledges it.
    Error,
}

impl Severity {
    /// The name in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Declares the codes of lints: variant, code, severity.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident, $code:literal, $severity:ident;)*) => {
        /// What is looked for. `@allow("…")` names codes, with spaces between them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum LintCode {
            $($(#[$doc])* $variant,)*
        }

        impl LintCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as text, the same in every version.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// How bad it is, at worst.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),* }
            }
        }
    };
}

codes! {
    /// A permit without a bound on principal, action or resource, and without a condition. It is told of nothing else
    /// that is too broad.
    UnconditionalPermit, "unconditional-permit", Error;
    /// A permit that lets every agent use privileged tools that it does not name, and asks no human.
    BroadAdministration, "broad-administration", Error;
    /// An annotation that means nothing and is almost one that does: what its author wanted does not happen.
    MisspeltAnnotation, "misspelt-annotation", Error;
    /// A permit on writes, or on what is worse, that looks at neither task, mode, operator, approval, arguments nor
    /// resource.
    NoTaskCondition, "no-task-condition", Warning;
    /// A policy that applies to no call of any declared tool.
    NeverFires, "never-fires", Warning;
    /// A policy that another one of the same effect implies. Of a permit, only a note.
    Shadowed, "shadowed", Warning;
    /// Characters that are not seen, or look like others, where Cedar does not look for them: in annotations and
    /// comments.
    Confusable, "confusable", Warning;
    /// A permit that is the same on behalf of a person and autonomously.
    IgnoresMode, "ignores-mode", Note;
    /// A forbid without a `@reason`.
    NoReason, "no-reason", Note;
    /// An `@allow` of what the policy does not do.
    UnusedAllow, "unused-allow", Note;
}

impl LintCode {
    pub(super) fn read(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for LintCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something of a policy that a person should look at, as [`Evaluator::lint`](crate::policy::Evaluator::lint) finds it.
///
/// `Display` is the finding, the line of the policy below it, and below that what is meant:
///
/// ```text
/// warning[no-task-condition] closes: permits write actions whatever task, mode, arguments and resource are
///   permit(principal, action == Action::"ticket.close", resource);
///   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Lint {
    /// What was looked for.
    pub code: LintCode,
    /// How bad it is.
    pub severity: Severity,
    /// The policy.
    pub policy: PolicyName,
    /// Where in the text of the policy, in bytes. The text begins with the first annotation or word; that of a linked
    /// policy is its template's with the slots filled.
    pub span: Range<usize>,
    /// What was found, in one line.
    pub message: String,
    /// What can stand in place of the span.
    pub fix: Option<String>,
    /// The line on which the span begins, at most 160 characters of it, printable, and a line of `^` below the span.
    pub excerpt: String,
}

impl Lint {
    pub(super) fn new(code: LintCode, policy: &PolicyName, text: &str, place: &Place<'_>, message: String) -> Self {
        let span = place.find(text);
        let excerpt = Excerpt::of(text, &span).to_string();
        Self { code, severity: code.severity(), policy: policy.clone(), span, message, fix: None, excerpt }
    }

    pub(super) fn fixed(self, fix: Option<String>) -> Self {
        Self { fix, ..self }
    }

    /// What was found, in one line.
    pub(in crate::policy) fn headline(&self) -> String {
        format!("{}[{}] {}: {}", self.severity, self.code, self.policy, self.message)
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        self.excerpt.lines().try_for_each(|line| write!(f, "\n  {line}"))?;
        self.fix.iter().try_for_each(|fix| write!(f, " instead: {fix}"))
    }
}
