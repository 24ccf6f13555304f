//! What was measured on what: machine, compiler, versions, method.

use std::fmt::Write;
use std::process::Command;

use scene::Failure;

const OURS: &str = include_str!("../Cargo.lock");
const AGENTMESH: &str = include_str!("../agentmesh/Cargo.lock");

pub fn describe(rounds: u32) -> Result<String, Failure> {
    let mut text = String::new();
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    writeln!(text, "machine   {}, {cores} cores", model.unwrap_or("unknown"))?;
    let rustc = Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    writeln!(text, "compiler  {}, release profile", String::from_utf8_lossy(&rustc).trim())?;
    let ours = ["bailiwick", "cedar-policy", "tenuo", "regorus", "casbin"].map(|name| (name, OURS));
    let versions: Vec<String> = ours
        .into_iter()
        .chain([("agentmesh", AGENTMESH)])
        .map(|(name, lock)| format!("{name} {}", version(lock, name).unwrap_or("?")))
        .collect();
    writeln!(text, "crates    {}", versions.join(", "))?;
    writeln!(
        text,
        "method    processor time of one thread, medians of up to {rounds} batches of 1 to 2 ms, at least one turn of the \
         8 requests;\n          peers take turns, batch by batch; each gives the same 8 answers, 4 of them denials"
    )?;
    Ok(text)
}

/// The version of a package in a lock file.
fn version<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    rest.split('"').next()
}
