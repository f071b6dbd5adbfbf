//! What a table is, the bounds of what is read of one, and why a file is none.

use std::ops::ControlFlow;

use crate::encoding::Encoding;

/// The most bytes of a file.
pub const FILE_MAX: usize = 20 * 1024 * 1024;
/// The most rows below the headers.
pub const ROWS_MAX: usize = 100_000;
/// The most columns.
pub const COLUMNS_MAX: usize = 200;
/// The most characters of a cell.
pub const CELL_MAX: usize = 10_000;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Xlsx,
}

/// What is known of a table before its first row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub format: Format,
    /// Of CSV.
    pub encoding: Option<Encoding>,
    /// Trimmed, and different from each other but for empty ones.
    pub headers: Vec<String>,
}

/// A row below the headers. It has a cell for each header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number in the sheet, where the headers mostly stand in row 1.
    pub number: i64,
    pub cells: Vec<String>,
}

/// Takes what is read. To break off is no fault.
pub trait Sink {
    /// Takes the headers, before any row.
    fn head(&mut self, head: Head) -> ControlFlow<()>;

    /// Takes the next row. Rows without any text are left out.
    fn row(&mut self, row: Row) -> ControlFlow<()>;
}

/// Why a file is no table that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There are no headers.
    Empty,
    /// It is a ZIP file, or nearly one, that is no workbook; or a binary file.
    NotASheet,
    /// The workbook is too large when it is unpacked.
    Bomb,
    /// The bytes are no text in this encoding; `None`: in no encoding that is known.
    WrongEncoding(Option<Encoding>),
    Nul {
        row: i64,
    },
    /// The row has more or fewer cells than there are headers.
    Ragged {
        row: i64,
    },
    HeaderTwice {
        header: String,
    },
    TooManyColumns,
    TooManyRows,
    CellTooLong {
        row: i64,
    },
    /// The cell, as spreadsheets name it, has a formula.
    Formula {
        cell: String,
    },
}

impl Fault {
    /// Its stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "file_empty",
            Self::NotASheet => "not_a_sheet",
            Self::Bomb => "unpacks_too_large",
            Self::WrongEncoding(_) => "wrong_encoding",
            Self::Nul { .. } => "file_has_nul",
            Self::Ragged { .. } => "ragged_row",
            Self::HeaderTwice { .. } => "header_twice",
            Self::TooManyColumns => "too_many_columns",
            Self::TooManyRows => "too_many_rows",
            Self::CellTooLong { .. } => "cell_too_long",
            Self::Formula { .. } => "formula_cell",
        }
    }

    /// The row that it names, or the number that was exceeded.
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Nul { row } | Self::Ragged { row } | Self::CellTooLong { row } => Some(*row),
            Self::TooManyColumns => Some(COLUMNS_MAX as i64),
            Self::TooManyRows => Some(ROWS_MAX as i64),
            _ => None,
        }
    }

    /// The text that it names: a header, a cell, an encoding.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::HeaderTwice { header } => Some(header),
            Self::Formula { cell } => Some(cell),
            Self::WrongEncoding(Some(encoding)) => Some(encoding.name()),
            _ => None,
        }
    }
}
