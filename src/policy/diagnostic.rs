//! Explanations as `miette` shows them: the text of each policy with a mark at each clause.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};

use super::{ExplainedClause, ExplainedPolicy, Explanation, Outcome, Truth};

impl std::error::Error for ExplainedPolicy {}

/// The policies are related diagnostics: each has a text of its own.
impl Diagnostic for Explanation {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.reason.as_ref().map(|reason| Box::new(reason.code().as_str()) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<Severity> {
        Some(match self.outcome {
            Outcome::Denied => Severity::Error,
            Outcome::Held => Severity::Warning,
            Outcome::Permitted => Severity::Advice,
        })
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.policies.iter().map(|policy| policy as &dyn Diagnostic)))
    }
}

/// Its source code is its own text, with a label for each clause that holds or settled the matter.
impl Diagnostic for ExplainedPolicy {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let reached = self.clauses.iter().filter(|clause| clause.truth != Truth::NotReached);
        Some(Box::new(reached.map(label)))
    }
}

fn label(explained: &ExplainedClause) -> LabeledSpan {
    let values: Vec<String> = explained.values.iter().map(ToString::to_string).collect();
    let text = format!("{} {}", explained.truth.mark(), values.join(", "));
    LabeledSpan::new_with_span(Some(text.trim_end().to_owned()), explained.clause.span.clone())
}
