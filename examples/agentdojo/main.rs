//! Decides the real tool calls of an agent, and real attacks on it: two suites of the AgentDojo benchmark.
//!
//! `cargo run --release --example agentdojo -- --data DIR --suite banking`. The files of a suite, beside this one, say
//! what its tools are (`tools.json`), what its house lets agents do (`policies.cedar`), and how far each task goes in the
//! reading of the person who wrote the prompt (`scopes.json`).

mod data;
mod office;
mod report;
mod suite;
mod trial;

use std::error::Error;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use data::{Data, DataError};
use suite::{SUITES, Suite};
use trial::Trial;

const HELP: &str = "\
Decides the real tool calls of an agent, and real attacks on it: two suites of the AgentDojo benchmark.

usage: agentdojo [--data DIR] [--suite banking|slack]

  --data DIR    where the benchmark's files are; otherwise the environment variable AGENTDOJO_DATA says so
  --suite NAME  one suite; otherwise both
  --help        this text";

fn main() -> ExitCode {
    match run(std::env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes = std::iter::successors(error.source(), |&cause| cause.source());
            eprintln!("agentdojo: {}", causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}")));
            match error.downcast_ref() {
                Some(Stop::Usage(_)) => eprintln!("\n{HELP}"),
                Some(Stop::NoData) | Some(Stop::Data(DataError::Missing { .. })) => {
                    eprintln!("\nThe data of a suite are three files:\n{}", data::ORIGIN);
                }
                _ => return ExitCode::FAILURE,
            }
            ExitCode::from(2)
        }
    }
}

/// Why there is nothing to decide.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("{0}")]
    Usage(String),
    #[error("no data: give `--data DIR`, or set AGENTDOJO_DATA")]
    NoData,
    #[error(transparent)]
    Data(#[from] DataError),
}

fn run(arguments: impl Iterator<Item = OsString>) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    let Some(Asked { dir, suites }) = Asked::read(arguments)? else {
        writeln!(out, "{HELP}")?;
        return Ok(());
    };
    let dir = dir.ok_or(Stop::NoData)?;
    let read = |suite: Suite| Ok((suite, Data::read(&dir, suite.name)?));
    let suites = suites.into_iter().map(read).collect::<Result<Vec<_>, Stop>>()?;
    let trials = suites.iter().map(|(suite, data)| trial::run(suite, data)).collect::<Result<Vec<_>, _>>()?;
    writeln!(out, "{}", report::HEADER)?;
    trials.iter().try_for_each(|trial| writeln!(out, "{trial}"))?;
    trials.iter().map(Trial::line).try_for_each(|line| writeln!(out, "{line}"))?;
    Ok(())
}

/// What was asked for on the command line.
struct Asked {
    dir: Option<PathBuf>,
    suites: Vec<Suite>,
}

impl Asked {
    /// Nothing, if help was asked for.
    fn read(mut arguments: impl Iterator<Item = OsString>) -> Result<Option<Self>, Stop> {
        let dir = std::env::var_os("AGENTDOJO_DATA").filter(|dir| !dir.is_empty()).map(PathBuf::from);
        let mut asked = Self { dir, suites: SUITES.to_vec() };
        while let Some(option) = arguments.next() {
            let option = option.to_string_lossy();
            let mut value = || arguments.next().ok_or_else(|| Stop::Usage(format!("{option} needs a value")));
            match option.as_ref() {
                "--help" | "-h" => return Ok(None),
                "--data" => asked.dir = Some(value()?.into()),
                "--suite" => {
                    let name = value()?;
                    asked.suites = SUITES.into_iter().filter(|suite| name == suite.name).collect();
                    if asked.suites.is_empty() {
                        return Err(Stop::Usage(format!("there is no suite `{}`", name.to_string_lossy())));
                    }
                }
                _ => return Err(Stop::Usage(format!("there is no option `{option}`"))),
            }
        }
        Ok(Some(asked))
    }
}
