//! What both formats have in common: headers, the width of rows, the bounds.

use std::collections::HashSet;
use std::ops::ControlFlow;

use kernel::text_key;

use crate::encoding::Encoding;
use crate::sheet::{CELL_MAX, COLUMNS_MAX, Fault, Format, Head, ROWS_MAX, Row, Sink};

/// How a row may differ from the headers in length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Not at all (RFC 4180).
    Same,
    /// Cells at its end are missing where they are empty.
    Shorter,
}

/// Makes a table of rows of texts, and hands it on.
pub struct Table<'a, S> {
    sink: &'a mut S,
    format: Format,
    encoding: Option<Encoding>,
    width: Width,
    /// The number of headers, once they are known.
    columns: Option<usize>,
    rows: usize,
}

impl<'a, S: Sink> Table<'a, S> {
    pub fn new(sink: &'a mut S, format: Format, encoding: Option<Encoding>, width: Width) -> Self {
        Self { sink, format, encoding, width, columns: None, rows: 0 }
    }

    /// Takes the next row of the file.
    pub fn take(&mut self, number: i64, mut cells: Vec<String>) -> Result<ControlFlow<()>, Fault> {
        let is_long = |cell: &String| cell.len() > CELL_MAX && cell.chars().count() > CELL_MAX;
        if cells.iter().any(is_long) {
            return Err(Fault::CellTooLong { row: number });
        }
        if cells.iter().any(|cell| cell.contains('\0')) {
            return Err(Fault::Nul { row: number });
        }
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(ControlFlow::Continue(()));
        }
        let Some(columns) = self.columns else { return self.head(cells) };
        if self.width == Width::Shorter {
            while cells.len() > columns && cells.last().is_some_and(|cell| cell.trim().is_empty()) {
                cells.pop();
            }
            cells.resize(cells.len().max(columns), String::new());
        }
        if cells.len() != columns {
            return Err(Fault::Ragged { row: number });
        }
        self.rows += 1;
        if self.rows > ROWS_MAX {
            return Err(Fault::TooManyRows);
        }
        Ok(self.sink.row(Row { number, cells }))
    }

    fn head(&mut self, cells: Vec<String>) -> Result<ControlFlow<()>, Fault> {
        let mut headers: Vec<String> = cells.iter().map(|cell| cell.trim().to_owned()).collect();
        if self.width == Width::Shorter {
            while headers.last().is_some_and(String::is_empty) {
                headers.pop();
            }
        }
        if headers.len() > COLUMNS_MAX {
            return Err(Fault::TooManyColumns);
        }
        let mut keys = HashSet::new();
        let twice = headers.iter().find(|it| !it.is_empty() && !keys.insert(text_key::key(it)));
        if let Some(header) = twice {
            return Err(Fault::HeaderTwice { header: header.chars().take(100).collect() });
        }
        self.columns = Some(headers.len());
        Ok(self.sink.head(Head { format: self.format, encoding: self.encoding, headers }))
    }

    /// The file is at its end.
    pub fn end(self) -> Result<(), Fault> {
        if self.columns.is_some() { Ok(()) } else { Err(Fault::Empty) }
    }
}
