//! The controls: what OWASP, CSA MAESTRO and NIST ask for, and where the evidence is.
//!
//! Every refusal names the controls that it is evidence for:
//! [`ReasonCode::controls`](crate::policy::ReasonCode::controls).
//!
//! # OWASP Top 10 for Agentic Applications (2026)
//!
//! | id | what answers it here | what remains |
//! |---|---|---|
//! | ASI01 Agent Goal Hijack | scopes bind targets; what is beyond is denied or held | injection inside what was approved |
//! | ASI02 Tool Misuse and Exploitation | declared arguments, classes, budgets, parameter-bound permits | calls that are allowed and wrong |
//! | ASI03 Identity and Privilege Abuse | one principal type, proofs, the intersection of scope, mode and policy, credentials per action | host code that holds other secrets |
//! | ASI04 Agentic Supply Chain Vulnerabilities | undeclared tools are refused; unclassified ones are privileged; descriptions are digested | build-time provenance; enforcement of the digests |
//! | ASI05 Unexpected Code Execution | class floor, approval of the exact action | sandboxing |
//! | ASI06 Memory and Context Poisoning | labels that stay to the end of the task, visible to policies; no cached permits | what the memory contains |
//! | ASI07 Insecure Inter-Agent Communication | audience, key confirmation, lineage of sub-agents | proofs of possession, channel encryption |
//! | ASI08 Cascading Failures | budgets, halting, refusals counted and visible to policies | planning faults |
//! | ASI09 Human-Agent Trust Exploitation | approvals by people only, bound to the exact action; records that say `nonHuman`, handles that are no person's | human judgement |
//! | ASI10 Rogue Agents | halting by task, agent, blueprint, everything; dead at once; breakers per agent | detection |
//!
//! # OWASP Non-Human Identities Top 10 (2025)
//!
//! | id | what answers it here |
//! |---|---|
//! | NHI1 Improper Offboarding | retiring and offboarding kill all that hangs below; user records elsewhere are shown as inactive at once; the last sponsor's leaving suspends |
//! | NHI2 Secret Leakage | secrets have no `Serialize`, a redacted `Debug`, and are wiped |
//! | NHI3 Vulnerable Third-Party NHI | keys are trusted per issuer |
//! | NHI4 Insecure Authentication | key possession; *unattested* is recorded and visible to policies |
//! | NHI5 Overprivileged NHI | a scope per task; its intersection with policies |
//! | NHI6 Insecure Cloud Deployment Configurations | issuer and subject compared exactly; platform tokens are not verified here yet |
//! | NHI7 Long-Lived Secrets | 300 seconds by default, 900 at most, no refresh |
//! | NHI8 Environment Isolation | the trust domain is `principal.authority` in policies |
//! | NHI9 NHI Reuse | agent users are bound to one agent for good; ids and handles are never used again |
//! | NHI10 Human Use of NHI | three types without conversions; a person is never a subject |
//!
//! # CSA MAESTRO
//!
//! MAESTRO names threats by layer and does not number them.
//!
//! | layer and threat | what answers it here |
//! |---|---|
//! | L7 Agent Identity Attack, Agent Impersonation | proofs, exact ids, agent-user binding |
//! | L7 Compromised Agents | halting, suspension |
//! | L7 Agent Tool Misuse, Agent Goal Manipulation | scopes with targets, classes, policies |
//! | L7 Repudiation | three linked records, taken before the permit exists; a downstream record is resolved to agent, task and human |
//! | L6 Lack of Explainability | reasons, determining policies, three renderings of a denial |
//! | L5 Data Leakage through Observability | digests only |
//! | L4 Lateral Movement, Resource Hijacking | audience-bound credentials, budgets |
//! | L3 Input Validation Attacks | strict parsers |
//! | L2, L1 | out of scope, except for labels |
//!
//! # NIST AI RMF
//!
//! | reference | what answers it here |
//! |---|---|
//! | GOVERN 1.4 | policies validated and digested; each decision names the digest |
//! | GOVERN 1.5 | linked records |
//! | GOVERN 1.6, 1.7 | [`Registry::agents`](crate::identity::Registry::agents); retiring, ids never reused |
//! | GOVERN 2.1, 2.3 | a sponsor for every agent, named in every credential |
//! | GOVERN 3.2 | three types, two modes |
//! | MAP 3.5 | held actions, approvals by people |
//! | MANAGE 2.4 | [`Authorizer::halt`](crate::Authorizer::halt) |
//!
//! # Labels that circulate and are not official
//!
//! "OWASP Agentic AI Top 10 A01" is no official id: the list's ids run from ASI01 to ASI10, and "A01" is the style of the
//! Web Top 10. Where it is used for *treating autonomous actions as human ones*, we read **ASI03** (with ASI09, ASI10 and
//! NHI10). "CSA MAESTRO MT-2" is no official id either: MAESTRO's threats carry no numbers. Where it is used for *identity,
//! privilege and governance*, we read **L7 Agent Identity Attack**, **L7 Repudiation**, and the cross-layer *Privilege
//! Escalation*. Neither label was found in the official documents as of November 2026.
