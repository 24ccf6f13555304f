//! E0451: what was proven of a party, or consented to by one, cannot be rewritten.
use bailiwick::BreakGlass;
use bailiwick::identity::{
    AgentIdentity, BearerProof, FreshProof, OperatorId, OperatorSession, Reinstatement, VerifiedWorkload,
};
use bailiwick::mandate::Approval;
use bailiwick::time::Timestamp;

pub fn rewrite(agent: AgentIdentity, proof: VerifiedWorkload, to: (OperatorId, OperatorId, Timestamp)) {
    let (first, operator, until) = to;
    #[cfg(feature = "wrong")]
    let _ = AgentIdentity { first, ..agent };
    #[cfg(feature = "wrong")]
    let _ = VerifiedWorkload { until, ..proof };
    #[cfg(feature = "wrong")]
    let _ = |bearer: BearerProof| BearerProof { until, ..bearer };
    #[cfg(feature = "wrong")]
    let _ = |approval: Approval| Approval { operator, ..approval };
    #[cfg(feature = "wrong")]
    let _ = |session: OperatorSession| OperatorSession { until, ..session };
    #[cfg(feature = "wrong")]
    let _ = |proof: FreshProof, of: Reinstatement| FreshProof { reinstatement: of, ..proof };
    #[cfg(feature = "wrong")]
    let _ = |glass: BreakGlass| BreakGlass { until, ..glass };
    #[cfg(not(feature = "wrong"))]
    let _ = |proof: FreshProof, glass: BreakGlass| (proof.reinstatement().clone(), glass.until());
    #[cfg(not(feature = "wrong"))]
    let _ = |approval: Approval, session: OperatorSession, bearer: BearerProof| {
        let ends = [proof.until(), session.until(), bearer.until()];
        (*agent.sponsor() == first, *approval.operator() == operator, ends.contains(&until))
    };
}

fn main() {}
