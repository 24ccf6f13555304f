//! The eight requests: facts as typed values, as a host has them.

use crate::timing::REQUESTS;
use crate::tools;

/// The agent that asks.
pub const FILER: &str = "spiffe://acme.example/agent/filer";
/// Another agent, which half of the policies are about.
pub const PAYER: &str = "spiffe://acme.example/agent/payer";
/// The group that both agents are in.
pub const OFFICE: &str = "office";
/// The person for whom the agent works.
pub const OPERATOR: &str = "https://idp.acme.example#ada";

/// An agent with five attributes and two parents.
#[derive(Debug, Clone)]
pub struct Agent {
    pub id: &'static str,
    pub attested: bool,
    pub proof: &'static str,
    pub authority: &'static str,
    pub sponsor: &'static str,
    pub level: i32,
    pub groups: [&'static str; 2],
}

/// A resource with three attributes.
#[derive(Debug, Clone)]
pub struct Resource {
    pub kind: &'static str,
    pub name: &'static str,
    pub owner: &'static str,
}

/// Nine values.
#[derive(Debug, Clone)]
pub struct Context {
    pub task: &'static str,
    pub mode: &'static str,
    pub operator: &'static str,
    /// The tools that the operator approved.
    pub scopes: Vec<String>,
    pub depth: i32,
    pub hour: i32,
    /// In cents.
    pub amount: i32,
    pub path: &'static str,
    pub count: i32,
}

impl Context {
    /// The amount as a decimal.
    pub fn decimal(&self) -> String {
        decimal(self.amount)
    }
}

/// Cents as a decimal.
pub(crate) fn decimal(cents: i32) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// One request, and what every peer must answer.
#[derive(Debug, Clone)]
pub struct Request {
    pub agent: Agent,
    pub tool: String,
    pub resource: Resource,
    pub context: Context,
    pub allowed: bool,
}

const PERSON: &str = "on_behalf_of";
const ALONE: &str = "autonomous";

/// Eight distinct requests under `n` policies, spread over the tools; half of them are denied, each for another reason.
pub fn requests(n: usize) -> Vec<Request> {
    let tools = tools(n);
    // Mode, amount in cents, hour, depth, count, path, answer.
    #[rustfmt::skip]
    let rows: [(&str, i32, i32, i32, i32, &str, bool); REQUESTS] = [
        (PERSON, 12_050, 10, 1,   2, "/inbox/2026/invoice.pdf",  true),
        (ALONE,  32_000, 19, 1,   1, "/inbox/notes.txt",         true),
        (PERSON, 32_050,  7, 4,  40, "/archive/2025/report.pdf", true),
        (ALONE,   1_200, 15, 2,  20, "/archive/letter.txt",      true),
        (PERSON, 90_000, 10, 1,   2, "/inbox/2026/invoice.pdf",  false), // over the limit: nothing permits
        (PERSON,  2_000, 11, 1,   2, "/secret/keys.pem",         false), // a secret
        (ALONE,  10_000, 22, 1,   1, "/inbox/notes.txt",         false), // at night, unattested
        (PERSON,  6_000, 12, 1, 150, "/archive/2025/report.pdf", false), // too many, whatever the tool
    ];
    let request = |(number, (mode, amount, hour, depth, count, path, allowed))| {
        let at: usize = number * tools.len() / REQUESTS;
        let (tool, other): (&String, &String) = (&tools[at], &tools[(at + 1) % tools.len()]);
        Request {
            agent: Agent {
                id: FILER,
                attested: false,
                proof: "unattested",
                authority: "acme.example",
                sponsor: OPERATOR,
                level: 2,
                groups: ["filers", OFFICE],
            },
            tool: tool.clone(),
            resource: Resource { kind: "folder", name: "documents", owner: OPERATOR },
            context: Context {
                task: "tsk_0123456789abcdefghijkl",
                mode,
                operator: OPERATOR,
                scopes: vec![other.clone(), tool.clone()],
                depth,
                hour,
                amount,
                path,
                count,
            },
            allowed,
        }
    };
    rows.into_iter().enumerate().map(request).collect()
}
