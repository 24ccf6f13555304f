//! Peers in a process of their own, which times each batch itself: only the question for it passes through a pipe.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use scene::{Answers, Failure, Timed};

pub fn agentmesh(n: usize) -> Result<Box<dyn Timed>, Failure> {
    start("agentmesh", n)
}

pub fn agentmesh_built(n: usize) -> Result<Box<dyn Timed>, Failure> {
    start("agentmesh-built", n)
}

struct Remote {
    child: Child,
    /// Closed when dropped, which ends the child.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    requests: Answers,
}

/// Starts the process beside this one, which loads and checks its answers.
fn start(name: &str, n: usize) -> Result<Box<dyn Timed>, Failure> {
    let program = std::env::current_exe()?.with_file_name("peers-agentmesh");
    let mut child = Command::new(&program)
        .args(["--peer", name, "--n", &n.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{} does not start ({error}): run.sh builds it", program.display()))?;
    let questions = child.stdin.take();
    let answers = BufReader::new(child.stdout.take().ok_or("no pipe")?);
    // The child checked its answers against these before it says that it is ready.
    let mut requests = scene::requests(n).into_iter().map(|request| request.allowed);
    let requests = std::array::from_fn(|_| requests.next().unwrap_or_default());
    let mut remote = Remote { child, questions, answers, requests };
    match remote.read()?.as_str() {
        "ready" => Ok(Box::new(remote)),
        why => Err(why.to_owned().into()),
    }
}

impl Remote {
    fn read(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("the process ended".into());
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Timed for Remote {
    fn answers(&mut self) -> Result<Answers, Failure> {
        Ok(self.requests)
    }

    fn time(&mut self, decisions: u64) -> Result<Duration, Failure> {
        writeln!(self.questions.as_mut().ok_or("no pipe")?, "{decisions}")?;
        Ok(Duration::from_nanos(self.read()?.parse()?))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.questions = None;
        let _ = self.child.wait();
    }
}
