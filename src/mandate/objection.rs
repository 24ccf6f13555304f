//! An objection: one operator's no to one exact action.

use super::{ActionRequest, Evidence};
use crate::identity::{OperatorId, OperatorSession};
use crate::time::Timestamp;

/// One operator's no to one exact action. Made only from an [`OperatorSession`], or a verified token
/// ([`ApprovalVerifier::verify_objection`](super::ApprovalVerifier::verify_objection)).
///
/// [`TaskHandle::object`](crate::TaskHandle::object) lets the task know: the same action is then refused in it, whoever else
/// approves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    operator: OperatorId,
    action: ActionRequest,
    evidence: Evidence,
}

impl Objection {
    /// The operator of this session says no.
    pub fn by(session: &OperatorSession, action: ActionRequest) -> Self {
        let evidence = Evidence::Session { since: session.signed_in(), until: session.until() };
        Self { operator: session.operator().id().clone(), action, evidence }
    }

    /// What a verified token says.
    pub(super) fn sealed(operator: OperatorId, action: ActionRequest, issued: Timestamp) -> Self {
        Self { operator, action, evidence: Evidence::Token { issued } }
    }

    /// Who says no.
    pub fn operator(&self) -> &OperatorId {
        &self.operator
    }

    /// To what.
    pub fn action(&self) -> &ActionRequest {
        &self.action
    }

    /// How it is known.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Whether it can be presented at `now`.
    pub(crate) fn is_presentable_at(&self, now: Timestamp) -> bool {
        self.evidence.holds_at(now)
    }
}
