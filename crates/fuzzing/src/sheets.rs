//! Files of tables. Whatever the bytes are, the reader ends within its bounds.

use std::ops::ControlFlow;

use sheets::{CELL_MAX, COLUMNS_MAX, Encoding, Fault, Head, Row, Sink};
use testing::upload;

use crate::{choose, is_stable};

/// What was read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Read {
    headers: Option<Vec<String>>,
    rows: Vec<Vec<String>>,
    last: i64,
}

impl Sink for Read {
    fn head(&mut self, head: Head) -> ControlFlow<()> {
        assert!(self.headers.is_none(), "headers twice");
        assert!(head.headers.len() <= COLUMNS_MAX);
        self.headers = Some(head.headers);
        ControlFlow::Continue(())
    }

    fn row(&mut self, row: Row) -> ControlFlow<()> {
        let columns = self.headers.as_ref().expect("headers before rows").len();
        assert_eq!(row.cells.len(), columns, "a cell for each header");
        assert!(row.number > self.last, "row {} after {}", row.number, self.last);
        self.last = row.number;
        for cell in &row.cells {
            assert!(cell.chars().count() <= CELL_MAX && !cell.contains('\0'), "{cell:?}");
        }
        self.rows.push(row.cells);
        ControlFlow::Continue(())
    }
}

fn read(bytes: &[u8], encoding: Option<Encoding>) -> Result<Read, Fault> {
    let mut read = Read::default();
    match sheets::read(bytes, encoding, &mut read) {
        Ok(()) => {
            assert!(read.headers.is_some(), "a table has headers");
            Ok(read)
        }
        Err(fault) => {
            is_stable(fault.code());
            Err(fault)
        }
    }
}

/// Encodings, and none.
const ENCODINGS: [Option<Encoding>; 5] =
    [None, Some(Encoding::Utf8), Some(Encoding::Utf16Le), Some(Encoding::Utf16Be), Some(Encoding::ShiftJis)];

/// An encoding in the first line, and a file. What was read is written and read again.
pub fn csv(input: &[u8]) {
    let (encoding, file) = choose(&ENCODINGS, |known| known.map_or("", Encoding::name), input);
    let Ok(table) = read(file, *encoding) else { return };
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
    writer.write_record(table.headers.iter().flatten()).expect("room in memory");
    table.rows.iter().for_each(|row| writer.write_record(row).expect("room in memory"));
    let written = writer.into_inner().expect("room in memory");
    let again = read(&written, Some(Encoding::Utf8));
    let again = again.unwrap_or_else(|fault| panic!("{fault:?} in {}", String::from_utf8_lossy(&written)));
    assert_eq!((again.headers, again.rows), (table.headers, table.rows), "{input:?}");
}

/// A file that says of itself that it is a workbook.
pub fn xlsx_file(input: &[u8]) {
    let file = [b"PK", input.strip_prefix(b"PK").unwrap_or(input)].concat();
    let _ = read(&file, None);
}

/// The XML of a sheet, within a workbook that is right.
pub fn xlsx_sheet(input: &[u8]) {
    let _ = read(&upload::workbook(&String::from_utf8_lossy(input)), None);
}
