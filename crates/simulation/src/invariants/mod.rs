//! What must be true after each commit.

pub mod aggregates;
pub mod coordination;
pub mod effects;
pub mod log;

use crate::database::server::Changed;
use crate::sql::Row;
use crate::sql::value::Value;

/// The place of a column of a table.
fn place(table: &str, column: &str) -> usize {
    thread_local! {
        static SPECS: Vec<crate::database::server::TableSpec> = crate::ledger::tables::all();
    }
    SPECS.with(|specs| {
        let spec = specs.iter().find(|spec| spec.name == table).expect("a table of the world");
        spec.columns.iter().position(|known| *known == column).expect("a column of the table")
    })
}

impl Changed {
    fn value<'a>(&self, row: &'a Row, column: &str) -> &'a Value {
        &row[place(self.table, column)]
    }

    /// A number of the row after the commit; 0 without one.
    fn int(&self, column: &str) -> i64 {
        self.after.as_ref().map_or(0, |row| number(self.value(row, column)))
    }

    /// A number of the row before the commit; 0 without one.
    fn int_before(&self, column: &str) -> i64 {
        self.before.as_ref().map_or(0, |row| number(self.value(row, column)))
    }

    /// A text of the row after the commit, or before if it is deleted.
    pub(crate) fn text(&self, column: &str) -> String {
        let row = self.after.as_ref().or(self.before.as_ref());
        row.and_then(|row| self.value(row, column).shown()).unwrap_or_default()
    }
}

fn number(value: &Value) -> i64 {
    match value {
        Value::Int(number) | Value::Time(number) => *number,
        _ => 0,
    }
}
