//! Reinstating at the door: a suspended agent comes back by a fresh proof and a person's approval, and never what it held.

use crate::audit::Administered;
use crate::authorizer::Authorizer;
use crate::error::Error;
use crate::identity::{Edit, FreshProof, IdentityVerifier, OperatorSession, Reinstatement};
use crate::mandate::{Approval, Consent};
use crate::policy::{AdminAction, On, Said};

impl Authorizer {
    /// Verifies, now, the proof of a workload whose agent is suspended, so that it can come back.
    ///
    /// # Errors
    ///
    /// The clock failed, or the verifier refused the proof.
    pub fn prove(
        &self,
        reinstatement: &Reinstatement,
        verifier: &dyn IdentityVerifier,
        proof: &str,
    ) -> Result<FreshProof, Error> {
        Ok(FreshProof::verify(reinstatement, verifier, proof, self.0.now()?)?)
    }

    /// Lets a suspended agent be admitted again: what it takes is a proof from after it was stopped, and a person's
    /// approval of exactly this [`Reinstatement`]. Nothing that it held comes back: tasks, permits, credentials and agent
    /// users of before stay dead, and the agent user is [bound](crate::identity::Registry::bind) anew.
    ///
    /// Unless policies of [`Administration`](crate::policy::Administration) say otherwise, an administrator does it, the
    /// approval is a sponsor's, and the proof an attested one.
    ///
    /// # Errors
    ///
    /// The operator may not do this, the session is over; the agent is not suspended, was stopped again meanwhile, or has no
    /// active sponsor; the proof is of another agent, over, or one that it was admitted by before; the approval is of
    /// something else, over, used before, or of somebody who is not active; or the record was not taken. Then nothing has
    /// changed.
    pub fn reinstate(&self, by: &OperatorSession, proof: FreshProof, approval: Approval) -> Result<(), Error> {
        let door = &self.0;
        let now = door.active(by.into())?;
        let (workload, reinstatement) = (proof.workload(), proof.reinstatement());
        let agent = reinstatement.agent();
        let governed = door.governed(agent)?;
        let wrong = || Error::NotForReinstatement { approval: approval.id().clone() };
        door.registry.hold_operator(approval.operator())?;
        let is_of_this = matches!(approval.consent(), Consent::Reinstatement(of) if **of == *reinstatement);
        if !is_of_this || !approval.is_presentable_at(now) {
            return Err(wrong());
        }
        door.registry.check_proof(reinstatement, workload, approval.operator(), now)?;
        let says = vec![
            ("approver", Said::Person(approval.operator())),
            ("attested", Said::Yes(workload.method().is_attested())),
            ("proof", Said::Text(workload.method().as_str())),
        ];
        let what = Administered::Reinstated {
            proof: workload.method(),
            digest: *workload.digest(),
            approver: approval.operator().clone(),
            approval: approval.id().clone(),
            evidence: *approval.evidence(),
        };
        let edit = Edit::Reinstate(reinstatement.clone(), workload.clone(), approval.operator().clone());
        let once = |source| Error::Once { approval: approval.id().clone(), source };
        door.consume(&approval, now).map_err(once)?;
        let done = door.change(by, (AdminAction::Reinstate, On::Agent(&governed), says), &edit, (Some(agent), what));
        done.map(drop).inspect_err(|_| door.release(&approval))
    }
}
