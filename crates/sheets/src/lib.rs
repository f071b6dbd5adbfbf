//! Reads a table from a file: CSV (RFC 4180) in UTF-8, UTF-16 or Shift_JIS, or the first sheet of an XLSX workbook.
//!
//! [`read`] hands the rows on one by one, so that of a long table one row is in memory. Whatever the bytes are, it ends within the
//! bounds of `sheet`, with a [`Fault`] if they are no table.

mod archive;
mod csv;
mod encoding;
mod sheet;
mod table;
mod xlsx;

pub use encoding::Encoding;
pub use sheet::{CELL_MAX, COLUMNS_MAX, FILE_MAX, Fault, Format, Head, ROWS_MAX, Row, Sink};

/// Reads a table. `encoding` is that of CSV, if it is known; a mark at the beginning of the file wins over detection alone.
///
/// # Errors
/// What is wrong with the file. Rows before the fault were handed on.
pub fn read(bytes: &[u8], encoding: Option<Encoding>, sink: &mut impl Sink) -> Result<(), Fault> {
    if bytes.is_empty() {
        return Err(Fault::Empty);
    }
    if archive::is_zip(bytes) {
        return xlsx::read(bytes, sink);
    }
    // The old binary workbook of Excel, and PDF.
    if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) || bytes.starts_with(b"%PDF-") {
        return Err(Fault::NotASheet);
    }
    csv::read(bytes, encoding, sink)
}
