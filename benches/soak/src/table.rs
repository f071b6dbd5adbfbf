//! The result: a row for each figure, and whether it is as it should be.

use std::fmt::Display;

/// Details of a row that are printed below the table.
const DETAILS_MAX: usize = 5;

#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
    details: Vec<String>,
}

struct Row {
    what: String,
    figure: String,
    /// What it has to be, and whether it is; `None` for a figure that says how much was done.
    limit: Option<(String, bool)>,
}

impl Table {
    /// How much was done.
    pub fn figure(&mut self, what: &str, figure: impl Display) {
        self.rows.push(Row { what: what.to_owned(), figure: figure.to_string(), limit: None });
    }

    /// A figure with a limit.
    pub fn row(&mut self, what: &str, figure: String, limit: &str, holds: bool) {
        self.rows.push(Row { what: what.to_owned(), figure, limit: Some((limit.to_owned(), holds)) });
    }

    /// A count that has to be 0.
    pub fn zero(&mut self, what: &str, count: usize) {
        self.row(what, count.to_string(), "0", count == 0);
    }

    /// What must not be there.
    pub fn none(&mut self, what: &str, found: &[String]) {
        self.zero(what, found.len());
        self.details.extend(found.iter().take(DETAILS_MAX).map(|detail| format!("{what}: {detail}")));
    }

    pub fn holds(&self) -> bool {
        self.rows.iter().all(|row| row.limit.as_ref().is_none_or(|(_, holds)| *holds))
    }

    pub fn print(&self) {
        println!("\n| what | figure | must be | |\n|---|--:|--:|---|");
        for Row { what, figure, limit } in &self.rows {
            let (limit, verdict) = match limit {
                None => ("", ""),
                Some((limit, true)) => (limit.as_str(), "holds"),
                Some((limit, false)) => (limit.as_str(), "BROKEN"),
            };
            println!("| {what} | {figure} | {limit} | {verdict} |");
        }
        for detail in &self.details {
            println!("\n{detail}");
        }
    }
}

#[test]
fn a_table_holds_if_every_limit_does() {
    let mut table = Table::default();
    table.figure("requests", 5);
    table.zero("lost", 0);
    assert!(table.holds());
    table.none("missing", &["a customer".to_owned()]);
    assert!(!table.holds());
}
