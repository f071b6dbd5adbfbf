//! The first sheet of a workbook that is not hidden. A cell's text is its value as a spreadsheet would write it.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx};

use crate::archive;
use crate::sheet::{COLUMNS_MAX, Fault, Format, Sink};
use crate::table::{Table, Width};

pub fn read(bytes: &[u8], sink: &mut impl Sink) -> Result<(), Fault> {
    archive::check(bytes)?;
    // The library counts places without checks where a file is made to mislead it.
    catch_unwind(AssertUnwindSafe(|| cells(bytes, sink))).unwrap_or(Err(Fault::NotASheet))
}

fn cells(bytes: &[u8], sink: &mut impl Sink) -> Result<(), Fault> {
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|_| Fault::NotASheet)?;
    let sheets = workbook.sheets_metadata();
    let shown = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let first = shown.clone().find(|sheet| sheet.visible == SheetVisible::Visible).or(sheets.first());
    let name = first.map(|sheet| sheet.name.clone()).ok_or(Fault::NotASheet)?;
    let mut reader = workbook.worksheet_cells_reader(&name).map_err(|_| Fault::NotASheet)?;
    let mut table = Table::new(sink, Format::Xlsx, None, Width::Shorter);
    let mut row: (u32, Vec<String>) = (0, Vec::new());
    while let Some(cell) = reader.next_cell_with_formula_metadata().map_err(|_| Fault::NotASheet)? {
        let (number, column) = cell.pos;
        if cell.formula.is_some() {
            return Err(Fault::Formula { cell: reference(number, column) });
        }
        if number < row.0 {
            return Err(Fault::NotASheet);
        }
        if number > row.0 {
            let before = std::mem::replace(&mut row, (number, Vec::new()));
            if table.take(i64::from(before.0) + 1, before.1)?.is_break() {
                return Ok(());
            }
        }
        let text = text(&cell.value);
        let column = column as usize;
        if text.is_empty() {
            continue;
        }
        if column >= COLUMNS_MAX {
            return Err(Fault::TooManyColumns);
        }
        row.1.resize(row.1.len().max(column + 1), String::new());
        row.1[column] = text;
    }
    match table.take(i64::from(row.0) + 1, row.1)? {
        ControlFlow::Break(()) => Ok(()),
        ControlFlow::Continue(()) => table.end(),
    }
}

/// The cell's name: `B7`.
fn reference(row: u32, column: u32) -> String {
    let (mut letters, mut left) = (String::new(), u64::from(column) + 1);
    while left > 0 {
        left -= 1;
        letters.insert(0, char::from(b'A' + (left % 26) as u8));
        left /= 26;
    }
    format!("{letters}{}", u64::from(row) + 1)
}

fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => decimal(*number),
        DataRef::Bool(yes) => if *yes { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::DateTime(time) => moment(time),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// The number with the 15 digits that a spreadsheet keeps.
fn decimal(number: f64) -> String {
    let kept = format!("{number:.14e}").parse::<f64>().unwrap_or(number);
    format!("{kept}")
}

/// A day, a time or both.
fn moment(time: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
    // A fraction of a second comes from the way in which days are counted.
    let second = if milli >= 500 && second < 59 { second + 1 } else { second };
    let value = time.as_f64();
    if time.is_duration() {
        let minutes = (value * 24.0 * 60.0).round() as i64;
        return format!("{}:{:02}", minutes / 60, minutes % 60);
    }
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    match (value < 1.0, value.fract() == 0.0) {
        (true, _) => clock,
        (false, true) => format!("{year:04}-{month:02}-{day:02}"),
        (false, false) => format!("{year:04}-{month:02}-{day:02} {clock}"),
    }
}
