//! The file of a backup: lines of JSON, compressed by gzip, so that other tools can read it (`zcat FILE | head -1`).
//!
//! The first line is the [`Header`]. Then comes each table: a line with its name and columns, and a line with an array of
//! values for each row. Bytes are written in hexadecimal, times as in the API. The last line has the number of rows and the
//! SHA-256 of all lines before it. A file without it is cut off.

use std::io::{BufRead, BufReader, Read, Write};

use aws_lc_rs::digest::{Context, SHA256};
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};

use crate::backup::BackupError;
use crate::table::Dialect;
use kernel::clock::Timestamp;

/// The version of the format that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;
/// What each backup begins with: the header of gzip without a name, a time or a system.
const MAGIC: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// Between the fastest (1) and the smallest (9), each of which would change the header.
const LEVEL: u32 = 4;
/// No row is longer than this many bytes: the parts of files are far smaller.
const LINE_MAX: u64 = 64 << 20;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    pub kizuna_backup: u32,
    /// The version of the program that made it.
    pub program: String,
    /// `sqlite` or `postgres`.
    pub database: String,
    /// The migrations of the schema.
    pub migrations: Vec<i64>,
    /// When it was made.
    pub taken_at: Timestamp,
    /// The number of the last event of the log that it has,
    pub log_seq: i64,
    /// and the time of that event.
    pub last_event_at: Option<Timestamp>,
}

/// The name of a kind of database in a header.
pub(super) fn kind(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "sqlite",
        Dialect::Postgres => "postgres",
    }
}

/// The line before the rows of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableLine {
    pub table: String,
    pub columns: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndLine {
    rows: u64,
    sha256: String,
}

/// Writes a backup.
pub struct BackupWriter<W: Write> {
    out: GzEncoder<W>,
    sum: Context,
    rows: u64,
}

impl<W: Write> BackupWriter<W> {
    /// Begins with the header.
    ///
    /// # Errors
    /// Those of the file.
    pub fn new(out: W, header: &Header) -> Result<Self, BackupError> {
        let out = GzBuilder::new().operating_system(MAGIC[9]).write(out, Compression::new(LEVEL));
        let mut writer = Self { out, sum: Context::new(&SHA256), rows: 0 };
        writer.line(&serde_json::to_string(header)?)?;
        Ok(writer)
    }

    /// Begins a table.
    ///
    /// # Errors
    /// Those of the file.
    pub fn table(&mut self, table: &TableLine) -> Result<(), BackupError> {
        self.line(&serde_json::to_string(table)?)
    }

    /// Adds a row of the table: an array of values.
    ///
    /// # Errors
    /// Those of the file.
    pub fn row(&mut self, row: &str) -> Result<(), BackupError> {
        self.rows += 1;
        self.line(row)
    }

    fn line(&mut self, text: &str) -> Result<(), BackupError> {
        for part in [text.as_bytes(), b"\n"] {
            self.sum.update(part);
            self.out.write_all(part)?;
        }
        Ok(())
    }

    /// Ends the file; returns it with the number of its rows.
    ///
    /// # Errors
    /// Those of the file.
    pub fn finish(mut self) -> Result<(W, u64), BackupError> {
        let end = EndLine { rows: self.rows, sha256: hexadecimal(self.sum.finish().as_ref()) };
        self.out.write_all(serde_json::to_string(&end)?.as_bytes())?;
        self.out.write_all(b"\n")?;
        Ok((self.out.finish()?, end.rows))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A line of a backup after its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Table(TableLine),
    /// A row of that table, as JSON.
    Row(String),
}

/// Reads a backup line by line, and checks it at its end.
pub struct BackupReader<R: Read> {
    lines: BufReader<GzDecoder<BufReader<R>>>,
    sum: Context,
    rows: u64,
    header: Header,
}

impl<R: Read> BackupReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// `Foreign`, `Damaged`, or `NewerFormat`.
    pub fn new(file: R) -> Result<Self, BackupError> {
        let mut file = BufReader::new(file);
        let begins = file.fill_buf()?;
        if !begins.starts_with(&MAGIC) {
            return Err(BackupError::Foreign);
        }
        let mut lines = BufReader::new(GzDecoder::new(file));
        let mut sum = Context::new(&SHA256);
        let first = line(&mut lines)?;
        sum.update(first.as_bytes());
        let format: Format = serde_json::from_str(&first).map_err(|_| BackupError::Foreign)?;
        if format.kizuna_backup > FORMAT {
            return Err(BackupError::NewerFormat { found: format.kizuna_backup, known: FORMAT });
        }
        Ok(Self { lines, sum, rows: 0, header: serde_json::from_str(&first)? })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many rows were read so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The next line; `None` at the end of a file that is whole.
    ///
    /// # Errors
    /// `Damaged`.
    pub fn next_line(&mut self) -> Result<Option<Line>, BackupError> {
        let mut text = line(&mut self.lines)?;
        if let Ok(end) = serde_json::from_str::<EndLine>(&text) {
            return self.check(&end).map(|()| None);
        }
        self.sum.update(text.as_bytes());
        text.truncate(text.len() - 1);
        if text.starts_with('[') {
            self.rows += 1;
            return Ok(Some(Line::Row(text)));
        }
        Ok(Some(Line::Table(serde_json::from_str(&text)?)))
    }

    fn check(&mut self, end: &EndLine) -> Result<(), BackupError> {
        let sum = hexadecimal(self.sum.clone().finish().as_ref());
        if sum != end.sha256 || self.rows != end.rows {
            return Err(BackupError::Damaged("its checksum does not match".into()));
        }
        // Reads the checksum of gzip, too.
        let rest = self.lines.read(&mut [0; 1]).map_err(damaged)?;
        if rest > 0 || !self.lines.get_mut().get_mut().fill_buf()?.is_empty() {
            return Err(BackupError::Damaged("something follows its end".into()));
        }
        Ok(())
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// `Damaged`.
    pub fn check_all(mut self) -> Result<Header, BackupError> {
        while self.next_line()?.is_some() {}
        Ok(self.header)
    }
}

/// The part of the header that every version of the format has.
#[derive(Deserialize)]
struct Format {
    kizuna_backup: u32,
}

/// A line with the line feed at its end.
fn line(lines: &mut impl BufRead) -> Result<String, BackupError> {
    let mut text = Vec::new();
    lines.take(LINE_MAX).read_until(b'\n', &mut text).map_err(damaged)?;
    if text.last() != Some(&b'\n') {
        return Err(BackupError::Damaged("it ends too early".into()));
    }
    String::from_utf8(text).map_err(|error| BackupError::Damaged(error.to_string()))
}

fn damaged(error: std::io::Error) -> BackupError {
    BackupError::Damaged(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(format: u32) -> Header {
        Header {
            kizuna_backup: format,
            program: "0.1.0".into(),
            database: "sqlite".into(),
            migrations: vec![1, 2],
            taken_at: Timestamp::from_micros(1),
            log_seq: 7,
            last_event_at: None,
        }
    }

    fn table() -> TableLine {
        TableLine { table: "users".into(), columns: vec!["id".into()] }
    }

    fn written(format: u32) -> Vec<u8> {
        let mut writer = BackupWriter::new(Vec::new(), &header(format)).expect("a header");
        writer.table(&table()).expect("a table");
        for n in 0..200 {
            writer.row(&format!("[{n}]")).expect("a row");
        }
        writer.finish().expect("an end").0
    }

    fn read(bytes: &[u8]) -> Result<Header, BackupError> {
        BackupReader::new(bytes)?.check_all()
    }

    #[test]
    fn what_was_written_is_read_again() {
        let bytes = written(FORMAT);
        let mut reader = BackupReader::new(&bytes[..]).expect("a header");
        assert_eq!(reader.header(), &header(FORMAT));
        assert_eq!(reader.next_line().expect("a line"), Some(Line::Table(table())));
        for n in 0..200 {
            assert_eq!(reader.next_line().expect("a line"), Some(Line::Row(format!("[{n}]"))));
        }
        assert_eq!(reader.next_line().expect("the end"), None);
    }

    #[test]
    fn a_file_that_is_cut_off_anywhere_is_refused() {
        let bytes = written(FORMAT);
        for length in 0..bytes.len() {
            let refused = read(&bytes[..length]).expect_err("not whole");
            assert!(matches!(refused, BackupError::Foreign | BackupError::Damaged(_)), "{length}: {refused}");
        }
    }

    #[test]
    fn a_file_with_any_other_byte_is_refused() {
        let bytes = written(FORMAT);
        for place in 0..bytes.len() {
            let mut other = bytes.clone();
            other[place] ^= 0x10;
            assert!(read(&other).is_err(), "{place}");
        }
        assert!(read(&[&bytes[..], b"x"].concat()).is_err(), "something after the end");
        assert!(read(&[&bytes[..], &bytes[..]].concat()).is_err(), "a second file after the end");
    }

    #[test]
    fn a_newer_format_is_named() {
        let refused = read(&written(FORMAT + 1)).expect_err("newer");
        assert!(matches!(refused, BackupError::NewerFormat { found: 2, known: 1 }), "{refused}");
    }
}
