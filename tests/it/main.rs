//! What the crate promises, tested through its public API.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that meets the unexpected fails"
)]

mod accumulation;
mod administration;
mod allocations;
mod any;
mod arguments;
mod asked;
mod attribution;
mod audit;
mod breaker;
mod budgets;
mod bundles;
mod capabilities;
mod catalog;
mod catalog_json;
mod cedar;
mod cedar_tests;
mod closing;
mod compile;
mod constraints;
mod coverage;
mod credentials;
mod decisions;
mod delegated;
mod delegation;
mod denials;
mod directory;
mod door;
mod dpop;
mod drift;
mod ends;
mod enrolment;
mod entitlements;
mod entra;
mod explain;
mod flaky;
mod forged;
mod fuzzed;
mod golden;
mod halting;
mod host_schema;
mod house;
mod identity;
mod interop;
mod issuing;
mod key_ring;
mod keys;
mod laws;
mod lease_ends;
mod lease_model;
mod leases;
mod lineage;
mod lints;
mod meanwhile;
mod minted;
mod model;
mod namespaces;
mod offering;
mod oidc;
mod patterns;
mod pens;
mod permits;
mod pieces;
mod policies;
mod policy_bounds;
mod policy_facts;
mod possession;
mod presentations;
mod projecting;
mod projections;
mod proofs;
mod published;
mod quorums;
mod races;
mod reasons;
mod registry;
mod registry_snapshots;
mod reinstating;
mod replay;

mod outwitted;
mod reviews;
mod revocations;
mod roles;
mod scopes;
mod sealed;
mod seams;
mod shortcuts;
mod sign_ins;
mod signers;
mod steps;
mod svids;
mod targets;
mod terms;
mod testing;
mod tokens;
mod typed;
mod validation;
mod vocabulary;
mod watching;
mod world;
mod x509;
