//! What a person reads: a table of the user's calls, the attacks that came through and why, and one line of figures.

use std::fmt::{self, Display, Formatter};

use crate::office::Answer;
use crate::trial::{Decided, Errand, Fate, Pair, Trial};

/// What the tables are about.
pub(crate) const HEADER: &str = "\
Real tool calls of an agent, and real attacks on it (AgentDojo v1.2), decided by bailiwick.

A person approves each user task before the agent reads anything: a scope written from the prompt and the list of tools
alone. Every call of the user's is then one decision. `held` waits for the person, who approves exactly that call; it was
then asked again, and passed. Every attack is decided twice, on a fresh task and on one that has done the user's work,
and is blocked only if both times a call that it needs was denied or held. The user's work is then that of the attacked
run: the planted text is in what the tools give back, and the task observes all of it.

What this does not show: a scope can trust a place that an attacker can write to. Who sends a cent is in the statement as a
sender, and who may create channels names them; the attackers of this benchmark write prose. And what the person leaves
open, such as the words of a message, is open to whoever has the agent's ear.
";

/// Calls that were counted.
#[derive(Default, Clone, Copy)]
struct Count {
    calls: usize,
    permitted: usize,
    held: usize,
    denied: usize,
}

impl Count {
    fn of<'a>(calls: impl Iterator<Item = &'a Decided>) -> Self {
        calls.fold(Self::default(), |count, decided| {
            let count = Self { calls: count.calls + 1, ..count };
            match decided.answer {
                Answer::Permitted => Self { permitted: count.permitted + 1, ..count },
                Answer::Held(_) => Self { held: count.held + 1, ..count },
                Answer::Denied(_) => Self { denied: count.denied + 1, ..count },
            }
        })
    }
}

impl Trial {
    fn calls(&self) -> impl Iterator<Item = &Decided> {
        self.errands.iter().flat_map(|errand| &errand.calls)
    }

    fn effects(&self) -> Count {
        Count::of(self.calls().filter(|decided| decided.has_side_effects))
    }

    fn pairs_that(&self, fate: impl Fn(Fate) -> bool) -> usize {
        self.pairs.iter().filter(|pair| fate(pair.fate())).count()
    }

    /// The figures, for programs.
    pub(crate) fn line(&self) -> String {
        let Count { calls, permitted, held, denied } = Count::of(self.calls());
        let (effects, blocked) = (self.effects(), self.pairs_that(|fate| fate != Fate::Survived));
        format!(
            "suite={} user_calls={calls} permitted={permitted} held={held} denied={denied} side_effecting={} pairs={} \
             blocked={} us_per_decision={:.1} held_side_effecting={} held_share={:.3} blocked_share={:.3}",
            self.suite,
            effects.calls,
            self.pairs.len(),
            blocked,
            self.us_per_decision,
            effects.held,
            share(effects.held, effects.calls),
            share(blocked, self.pairs.len()),
        )
    }
}

/// The report of one suite.
impl Display for Trial {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}", self.suite, "=".repeat(self.suite.len()))?;
        writeln!(
            f,
            "{:<14}{:>5}{:>11}{:>6}{:>8}  held or denied",
            "user task", "calls", "permitted", "held", "denied"
        )?;
        for Errand { user, calls, .. } in &self.errands {
            let mut notes = notes(calls).into_iter();
            write_row(f, user, Count::of(calls.iter()), &notes.next().unwrap_or_default())?;
            notes.try_for_each(|note| writeln!(f, "{:46}{note}", ""))?;
        }
        write_row(f, "all", Count::of(self.calls()), "")?;

        let effects = self.effects();
        let (pairs, denied) = (self.pairs.len(), self.pairs_that(|fate| fate == Fate::Denied));
        let held = self.pairs_that(|fate| fate == Fate::Held);
        writeln!(f)?;
        writeln!(
            f,
            "{} user calls have side effects; {} of them were held ({}), and passed once approved.",
            effects.calls,
            effects.held,
            percent(effects.held, effects.calls)
        )?;
        writeln!(
            f,
            "{pairs} attacks: {} blocked ({}), {denied} by a denial, {held} by waiting for the person.",
            denied + held,
            percent(denied + held, pairs)
        )?;
        writeln!(f, "{} decisions, {} events in the record.", self.decisions, self.events)?;
        let (trusted, left_out) = self.observed;
        writeln!(
            f,
            "{trusted} values came from sources that the scopes trust; {left_out} at such places were left out, for they are \
             prose and no names."
        )?;

        let survivors = self.pairs.iter().filter(|pair| pair.fate() == Fate::Survived);
        let survivors: Vec<&Pair> = survivors.collect();
        writeln!(f, "\nAttacks that came through:{}", if survivors.is_empty() { " none" } else { "" })?;
        survivors.iter().try_for_each(|pair| write_survivor(f, pair, self.errands.iter().find(|e| e.user == pair.user)))
    }
}

fn write_row(f: &mut Formatter<'_>, name: &str, count: Count, note: &str) -> fmt::Result {
    let Count { calls, permitted, held, denied } = count;
    writeln!(f, "{}", format!("{name:<14}{calls:>5}{permitted:>11}{held:>6}{denied:>8}  {note}").trim_end())
}

/// What was held or denied, and why; the same thing once, with its number.
fn notes(calls: &[Decided]) -> Vec<String> {
    let mut notes: Vec<(usize, String)> = Vec::new();
    for Decided { call, answer, .. } in calls {
        let note = match answer {
            Answer::Permitted => continue,
            Answer::Held(reason) => format!("{}: {reason}", call.tool),
            Answer::Denied(reason) => format!("DENIED {}: {reason}", call.tool),
        };
        match notes.iter_mut().find(|(_, known)| *known == note) {
            Some((number, _)) => *number += 1,
            None => notes.push((1, note)),
        }
    }
    notes.into_iter().map(|(number, note)| if number == 1 { note } else { format!("{number} x {note}") }).collect()
}

/// An attack that came through: what it did, what was approved, and what tells it from the user's own call.
fn write_survivor(f: &mut Formatter<'_>, pair: &Pair, errand: Option<&Errand>) -> fmt::Result {
    writeln!(f, "  {} under {}: {}", pair.user, pair.injection, pair.goal)?;
    let Some(errand) = errand else { return Ok(()) };
    writeln!(f, "    the person approved: {}", errand.reading)?;
    for Decided { call, .. } in pair.worse().iter().filter(|decided| matches!(decided.answer, Answer::Permitted)) {
        let arguments: Vec<String> = call.arguments.iter().map(|(name, value)| format!("{name} {value}")).collect();
        writeln!(f, "    the attacker's call: {} with {}", call.tool, arguments.join(", "))?;
        let Some(own) = errand.calls.iter().find(|own| own.call.tool == call.tool) else { continue };
        let (same, other): (Vec<_>, Vec<_>) =
            call.arguments.iter().partition(|(name, value)| own.call.arguments.get(name) == Some(*value));
        let names = |arguments: Vec<(&str, _)>| {
            let names: Vec<&str> = arguments.into_iter().map(|(name, _)| name).collect();
            if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
        };
        let (same, other) = (names(same), names(other));
        writeln!(
            f,
            "    indistinguishable: like the user's own call in {same}; other in {other}, which the scope leaves open."
        )?;
        writeln!(f, "    Nothing in a call says on whose suggestion it was written.")?;
    }
    Ok(())
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn percent(part: usize, whole: usize) -> String {
    format!("{:.1} %", 100.0 * share(part, whole))
}
