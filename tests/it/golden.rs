//! Files under `golden/` that a person reviews: rendered by a test, compared line by line, and rewritten only on demand.

use std::path::Path;

/// Compares what was rendered with `golden/<name>`.
///
/// With the environment variable `UPDATE_GOLDEN` set to `1` the file is rewritten; a test that rewrote it fails once, so
/// that nobody passes it without looking.
pub(crate) fn compare(name: &str, rendered: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if kept == rendered {
        return;
    }
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1") {
        std::fs::write(&path, rendered).expect("golden/ can be written");
        panic!("golden/{name} was rewritten: review it, and run the test again without UPDATE_GOLDEN");
    }
    panic!("golden/{name} is not what the code does; UPDATE_GOLDEN=1 rewrites it\n{}", difference(&kept, rendered));
}

/// The lines between the first and the last that differ, those of the file as `-`, those of the code as `+`.
fn difference(kept: &str, rendered: &str) -> String {
    let (kept, rendered): (Vec<&str>, Vec<&str>) = (kept.lines().collect(), rendered.lines().collect());
    let shorter = kept.len().min(rendered.len());
    let before = kept.iter().zip(&rendered).take_while(|(one, other)| one == other).count();
    let same_end = kept.iter().rev().zip(rendered.iter().rev()).take_while(|(one, other)| one == other).count();
    let after = same_end.min(shorter - before);
    let show = |sign: char, lines: &[&str]| {
        let lines = lines[before..lines.len() - after].iter().enumerate();
        lines.map(|(place, line)| format!("{sign}{:>4} {line}\n", before + place + 1)).collect::<String>()
    };
    show('-', &kept) + &show('+', &rendered)
}

/// A table with its title, its columns, and rows in groups; every cell as wide as its column.
pub(crate) struct Table {
    title: String,
    columns: Vec<String>,
    rows: Vec<Row>,
}

enum Row {
    Group(String),
    Cells(Vec<String>),
}

impl Table {
    pub(crate) fn new(title: &str, columns: &[&str]) -> Self {
        Self { title: title.to_owned(), columns: columns.iter().map(ToString::to_string).collect(), rows: Vec::new() }
    }

    pub(crate) fn group(&mut self, title: &str) {
        self.rows.push(Row::Group(title.to_owned()));
    }

    pub(crate) fn row(&mut self, label: &str, cells: impl IntoIterator<Item = String>) {
        self.rows.push(Row::Cells(std::iter::once(format!("  {label}")).chain(cells).collect()));
    }

    pub(crate) fn render(&self) -> String {
        let lines = || self.rows.iter().filter_map(|row| if let Row::Cells(cells) = row { Some(cells) } else { None });
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|place| lines().chain([&self.columns]).map(|cells| cells[place].chars().count()).max().unwrap_or(0))
            .collect();
        let line = |cells: &[String]| {
            let padded = cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
            padded.collect::<Vec<_>>().join("   ").trim_end().to_owned()
        };
        let rule: Vec<String> = widths.iter().map(|&width| "─".repeat(width)).collect();
        let mut text = format!("{}\n\n{}\n{}\n", self.title, line(&self.columns), line(&rule));
        for row in &self.rows {
            let shown = match row {
                Row::Group(title) => title.clone(),
                Row::Cells(cells) => line(cells),
            };
            text.push_str(&shown);
            text.push('\n');
        }
        text
    }
}

#[test]
fn a_difference_shows_the_lines_that_changed_and_no_others() {
    assert_eq!(difference("a\nb\nc\nd\n", "a\nB\nc\nd\n"), "-   2 b\n+   2 B\n");
    assert_eq!(difference("a\nb\n", "a\nnew\nb\n"), "+   2 new\n");
    assert_eq!(difference("a\na\n", "a\n"), "-   2 a\n");
    assert_eq!(difference("", "a\n"), "+   1 a\n");
}
