//! One peer in a process of its own: timed from outside, or run so often for a counter of instructions.

use std::io::{BufRead, Write};

use crate::timing::{Failure, Peer, check};

/// What a process is asked for on its command line: `--peer NAME --n N [--iterations K]`.
#[derive(Debug, Clone)]
pub struct Ask {
    pub peer: String,
    pub n: usize,
    /// So many decisions and an end; without, one batch for each number read from standard input.
    pub iterations: Option<u64>,
}

/// Reads the command line. None where no peer is named.
pub fn ask(arguments: &[String]) -> Result<Option<Ask>, Failure> {
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        Some(arguments.get(at + 1).ok_or(format!("{name} needs a value")))
    };
    let Some(peer) = value("--peer").transpose()? else {
        return Ok(None);
    };
    let n = value("--n").transpose()?.ok_or("--peer needs --n")?.parse()?;
    let iterations = value("--iterations").transpose()?.map(|text| text.parse()).transpose()?;
    Ok(Some(Ask { peer: peer.clone(), n, iterations }))
}

/// Does what is asked with one of `peers`.
pub fn serve(peers: &[Peer], ask: &Ask) -> Result<(), Failure> {
    let peer = peers.iter().find(|peer| peer.name == ask.peer).ok_or(format!("no peer `{}`", ask.peer))?;
    let mut out = std::io::stdout();
    let mut timed = match (peer.prepare)(ask.n) {
        Ok(timed) => timed,
        Err(why) => return Ok(writeln!(out, "{why}")?),
    };
    check(&mut *timed, ask.n)?;
    if let Some(decisions) = ask.iterations {
        timed.time(decisions)?;
        return Ok(());
    }
    writeln!(out, "ready")?;
    for line in std::io::stdin().lock().lines() {
        let time = timed.time(line?.parse()?)?;
        writeln!(out, "{}", time.as_nanos())?;
    }
    Ok(())
}
