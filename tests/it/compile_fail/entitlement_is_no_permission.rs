//! E0308: that a person is entitled is no verdict and no permit; what decides about people decides nothing about agents.
use bailiwick::audit::Permit;
use bailiwick::mandate::{Arguments, Deed, Entitlement};
use bailiwick::policy::{Entitlements, Evaluator, Question, Verdict};
use bailiwick::{Digest, TaskHandle};

pub fn decide(evaluator: &Evaluator, question: &Question<'_>, entitlements: &Entitlements, deed: &Deed<'_>) {
    #[cfg(feature = "wrong")]
    let _: Option<Verdict> = entitlements.check(deed).ok();
    #[cfg(not(feature = "wrong"))]
    let _: Option<Digest> = entitlements.check(deed).ok();
    #[cfg(not(feature = "wrong"))]
    let _: Verdict = evaluator.decide(question);
}

pub fn run(task: &TaskHandle, permit: Permit, arguments: &Arguments, by: Digest) {
    #[cfg(feature = "wrong")]
    let _ = task.redeem(by, arguments);
    #[cfg(not(feature = "wrong"))]
    let _ = (by, task.redeem(permit, arguments));
}

fn main() {}
