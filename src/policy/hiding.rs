//! Hiding: whether policies hide a tool from a model, where something else refuses it first.

use super::Question;
use super::compiled::Made;
use super::facts::{self, Attributes, Seen};
use super::snapshot::{Asks, Prepared, Snapshot};

impl Snapshot {
    /// Whether some policy hides the tool in this question, which was refused before policies were asked: its arguments may
    /// not fit, and a policy that fails for it hides.
    pub(super) fn hides(&self, question: &Question<'_>, prepared: &Prepared) -> bool {
        if !prepared.may_hide {
            return false;
        }
        let values = facts::arguments_that_fit(prepared.tool(), question.action.arguments());
        let mut given = Attributes::new();
        if self.check_resource(question.action, &mut given).is_err() {
            given.clear();
        }
        let asks = Asks { question, values: &values, given: &given };
        let approved = question.is_approved();
        [false, true].into_iter().any(|agent_user| {
            self.with_facts(asks, prepared, Seen { approved, agent_user }, |asked| {
                let mut hiding = self.matters(prepared).filter(|policy| policy.hides);
                hiding.any(|policy| policy.rule.applies(asked, &Made::default()).unwrap_or(true))
            })
        })
    }
}
