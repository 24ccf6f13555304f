//! Builds an evaluator: what is settled once, besides what can be replaced.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::snapshot::Terms;
use super::{Bundle, Catalog, Evaluator, PolicyError};
use crate::jose::VerifyingKey;

/// Builds an [`Evaluator`].
#[derive(Debug)]
#[must_use = "nothing is loaded before `load`"]
pub struct EvaluatorBuilder(Terms);

impl EvaluatorBuilder {
    pub(super) fn new(catalog: Catalog) -> Self {
        Self(Terms::new(catalog))
    }

    /// With a schema of the host's own, in Cedar's syntax, in place of the one that is made of the catalogue. Everything
    /// that policies are told must fit it.
    pub fn schema(mut self, schema: &str) -> Self {
        self.0.schema = Some(schema.to_owned());
        self
    }

    /// Only bundles that this key sealed are loaded.
    pub fn pinned(mut self, key: VerifyingKey) -> Self {
        self.0.pinned = Some(key);
        self
    }

    /// Every so many decisions, Cedar itself is asked as well, on a thread with a stack of its own. A difference denies
    /// the action and is reported as an error to `tracing`.
    pub fn cross_check(mut self, every: NonZeroU32) -> Self {
        self.0.cross_check = Some(every);
        self
    }

    /// Loads the first bundle.
    ///
    /// # Errors
    ///
    /// As [`Evaluator::new`]; the host's schema does not fit; the bundle is not sealed by the pinned key.
    pub fn load(self, bundle: impl Into<Bundle>) -> Result<Evaluator, PolicyError> {
        Evaluator::load(Arc::new(self.0), &bundle.into())
    }
}
