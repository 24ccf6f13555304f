//! What one decision costs here, and in the peers: the same job in one run, in one table.
//!
//! All peers of one size are loaded first. Then they take turns: in each round every peer times one batch, so that what
//! else the machine does falls on all of them alike.

mod casbin;
mod cedar;
mod compiled;
mod machine;
mod ours;
mod rego;
mod remote;
mod table;
mod warrants;

use std::time::{Duration, Instant};

use scene::{Failure, Peer, REQUESTS, Timed, check};
use table::{Cell, Table};

/// The rows. A peer more is a function that prepares it, and a line here.
const PEERS: [Peer; 14] = [
    Peer { name: "bailiwick", title: "bailiwick, from typed values", prepare: ours::prepare },
    Peer { name: "compiled", title: "its compiled Cedar, everything prebuilt", prepare: compiled::prebuilt },
    Peer { name: "compiled-built", title: "its compiled Cedar, request and entities built", prepare: compiled::built },
    Peer { name: "cedar", title: "Cedar, everything prebuilt", prepare: cedar::prebuilt },
    Peer { name: "cedar-built", title: "Cedar, request and entities built", prepare: cedar::built },
    Peer { name: "tenuo", title: "tenuo constraints, arguments prebuilt", prepare: warrants::prebuilt },
    Peer { name: "tenuo-built", title: "tenuo constraints, arguments built", prepare: warrants::built },
    Peer { name: "agentmesh", title: "agentmesh rules, context prebuilt", prepare: remote::agentmesh },
    Peer { name: "agentmesh-built", title: "agentmesh rules, context built", prepare: remote::agentmesh_built },
    Peer { name: "regorus", title: "regorus, interpreter", prepare: rego::interpreter },
    Peer { name: "regorus-rvm", title: "regorus, RVM", prepare: rego::machine },
    Peer { name: "regorus-rvm-data", title: "regorus, RVM, policies as data", prepare: rego::machine_over_data },
    Peer { name: "casbin", title: "casbin, request prebuilt", prepare: casbin::prebuilt },
    Peer { name: "casbin-built", title: "casbin, request built", prepare: casbin::built },
];

const HELP: &str = "\
Measures what one decision costs here and in the peers: nanoseconds of one thread, medians
of batches.

    peers [--quick] [--sizes N,N,…] [--only NAME,NAME,…]
    peers --list
    peers --peer NAME --n N --iterations K

--quick        11 batches instead of 51, up to 1 000 policies
--sizes        numbers of policies, multiples of 10 up to 10 000; else 10, 100, 1 000 and 10 000
--only         these rows alone
--list         the names of the rows
--iterations   load one peer, take K decisions and say nothing, for a counter of instructions
";

/// How long a batch should be.
const BATCH: Duration = Duration::from_millis(2);
/// How long all batches of one cell may be: a slow peer gets fewer of them.
const CELL: Duration = Duration::from_millis(1_500);
/// How many batches a slow peer gets at least.
const FEWEST: u32 = 7;
/// How long a peer may load. Ten times the policies are expected to take fifty times as long, which is between linear and
/// quadratic.
const LOAD: Duration = Duration::from_secs(90);

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = |name: &str| arguments.iter().any(|argument| argument == name);
    if given("--help") || given("-h") {
        print!("{HELP}");
        return Ok(());
    }
    if given("--list") {
        PEERS.iter().for_each(|peer| println!("{}", peer.name));
        return Ok(());
    }
    if let Some(ask) = scene::ask(&arguments)? {
        return scene::serve(&PEERS, &ask);
    }
    let options = Options::read(&arguments)?;
    let mut table = Table::new(options.sizes.clone());
    let mut loaded = vec![None; options.peers.len()];
    for &n in &options.sizes {
        eprintln!("{n} policies …");
        let cells = measure(&options, n, &mut loaded);
        table.column(cells);
    }
    print!("{}", machine::describe(options.rounds)?);
    println!("\nns per decision, by number of policies\n");
    print!("{}", table.render(options.peers.iter().map(|peer| peer.title)));
    Ok(())
}

struct Options {
    sizes: Vec<usize>,
    peers: Vec<Peer>,
    rounds: u32,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self { sizes: vec![10, 100, 1_000, 10_000], peers: PEERS.to_vec(), rounds: 51 };
        let mut arguments = arguments.iter();
        let (mut sizes, mut only) = (None, None);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => (options.rounds, options.sizes) = (11, vec![10, 100, 1_000]),
                "--sizes" => sizes = Some(arguments.next().ok_or("--sizes needs a value")?),
                "--only" => only = Some(arguments.next().ok_or("--only needs a value")?),
                other => return Err(format!("unknown option `{other}`\n\n{HELP}").into()),
            }
        }
        if let Some(sizes) = sizes {
            options.sizes = sizes.split(',').map(str::parse).collect::<Result<_, _>>()?;
            if options.sizes.iter().any(|n| *n == 0 || *n > 10_000 || n % 10 != 0) {
                return Err("sizes are multiples of 10 up to 10 000".into());
            }
        }
        if let Some(only) = only {
            let find = |name| PEERS.into_iter().find(|peer| peer.name == name).ok_or(format!("no row `{name}`"));
            options.peers = only.split(',').map(find).collect::<Result<_, _>>()?;
        }
        Ok(options)
    }
}

/// A loaded peer, and how its batches are cut.
struct Turn {
    timed: Box<dyn Timed>,
    decisions: u64,
    batches: u32,
    /// Nanoseconds per decision, of each batch.
    samples: Vec<f64>,
}

/// Measures every peer with `n` policies; `loaded` says at which size a peer loaded last, and how long that took.
#[allow(clippy::disallowed_methods, reason = "the library's rule: a benchmark reads the clock")]
fn measure(options: &Options, n: usize, loaded: &mut [Option<(usize, Duration)>]) -> Vec<Cell> {
    let prepare = |(peer, loaded): (&Peer, &mut Option<(usize, Duration)>)| {
        if let Some((before, took)) = loaded {
            let expected = took.mul_f64((n as f64 / *before as f64).powf(1.7));
            if expected > LOAD {
                return Err(format!("{before} policies took {:.1} s to load", took.as_secs_f64()));
            }
        }
        let start = Instant::now();
        let turn = Turn::new(peer, n, options.rounds).map_err(|why| why.to_string());
        *loaded = turn.is_ok().then(|| (n, start.elapsed()));
        turn
    };
    let mut turns: Vec<_> = options.peers.iter().zip(loaded).map(prepare).collect();
    for round in 0..options.rounds {
        for turn in &mut turns {
            let outcome = turn.as_mut().map(|turn| turn.take(round, options.rounds));
            if let Ok(Err(why)) = outcome {
                *turn = Err(why.to_string());
            }
        }
    }
    turns.into_iter().map(|turn| turn.map(Turn::median)).collect()
}

impl Turn {
    fn new(peer: &Peer, n: usize, rounds: u32) -> Result<Self, Failure> {
        let mut timed = (peer.prepare)(n)?;
        check(&mut *timed, n)?;
        // Whole turns of the eight requests, doubled until they fill a batch.
        let mut decisions = REQUESTS as u64;
        let mut time = timed.time(decisions)?;
        while time < BATCH / 2 {
            decisions *= 2;
            time = timed.time(decisions)?;
        }
        let affordable = (CELL.as_secs_f64() / time.as_secs_f64()) as u32;
        let batches = affordable.clamp(FEWEST.min(rounds), rounds);
        Ok(Self { timed, decisions, batches, samples: Vec::new() })
    }

    /// Times one batch, where this round is one of this peer's.
    fn take(&mut self, round: u32, rounds: u32) -> Result<(), Failure> {
        if round * self.batches / rounds != (round + 1) * self.batches / rounds {
            let time = self.timed.time(self.decisions)?;
            self.samples.push(time.as_nanos() as f64 / self.decisions as f64);
        }
        Ok(())
    }

    fn median(mut self) -> f64 {
        self.samples.sort_by(f64::total_cmp);
        self.samples[self.samples.len() / 2]
    }
}
