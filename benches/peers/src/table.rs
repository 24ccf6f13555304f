//! The table: a row for each peer, a column for each number of policies, and below it why a cell is empty.

use std::fmt::Write;

/// Nanoseconds per decision, or why there are none.
pub type Cell = Result<f64, String>;

pub struct Table {
    sizes: Vec<usize>,
    columns: Vec<Vec<Cell>>,
}

impl Table {
    pub fn new(sizes: Vec<usize>) -> Self {
        Self { sizes, columns: Vec::new() }
    }

    /// The next size's cells, one for each row.
    pub fn column(&mut self, cells: Vec<Cell>) {
        self.columns.push(cells);
    }

    /// Aligned text, which is also a table in Markdown.
    pub fn render<'a>(&self, titles: impl Iterator<Item = &'a str>) -> String {
        let titles: Vec<&str> = titles.collect();
        let wide = titles.iter().map(|title| title.len()).max().unwrap_or_default();
        let line = |title: &str, cells: Vec<String>| {
            let cells: String = cells.iter().map(|cell| format!(" {cell:>12} |")).collect();
            format!("| {title:<wide$} |{cells}\n")
        };
        let mut text = line("", self.sizes.iter().map(|n| grouped(&n.to_string())).collect());
        text += &line(&"-".repeat(wide), vec!["-----------:".to_owned(); self.sizes.len()]);
        for (row, title) in titles.iter().enumerate() {
            let cell = |column: &Vec<Cell>| column[row].as_ref().map_or("–".to_owned(), |ns| number(*ns));
            text += &line(title, self.columns.iter().map(cell).collect());
        }
        let mut notes = String::new();
        for (n, column) in self.sizes.iter().zip(&self.columns) {
            for (title, cell) in titles.iter().zip(column) {
                if let Err(why) = cell {
                    let _ = writeln!(notes, "–  {title}, {}: {why}", grouped(&n.to_string()));
                }
            }
        }
        if notes.is_empty() { text } else { format!("{text}\n{notes}") }
    }
}

/// Three digits that mean something, at least.
fn number(ns: f64) -> String {
    if ns < 100.0 { format!("{ns:.1}") } else { grouped(&format!("{ns:.0}")) }
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
