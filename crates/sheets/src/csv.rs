//! CSV by RFC 4180. Some programs write semicolons or tabs: they count where the first line has no comma.

use std::fmt;
use std::io;
use std::io::{BufReader, Read};

use encoding_rs::{Decoder, DecoderResult};

use crate::encoding::Encoding;
use crate::sheet::{COLUMNS_MAX, Fault, Format, Sink};
use crate::table::{Table, Width};

/// Bytes that are decoded at a time.
const PIECE: usize = 64 * 1024;

/// Cells that a spreadsheet would run as a formula begin so; exports put an apostrophe before them.
const RISKY: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

pub fn read(bytes: &[u8], told: Option<Encoding>, sink: &mut impl Sink) -> Result<(), Fault> {
    let encoding = told.or_else(|| Encoding::detect(bytes)).ok_or(Fault::WrongEncoding(None))?;
    let delimiter = delimiter(bytes, encoding);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(BufReader::new(Decoded::new(bytes, encoding)));
    let mut table = Table::new(sink, Format::Csv, Some(encoding), Width::Same);
    let mut record = csv::StringRecord::new();
    // Lines within cells, and the number of the row before: blank lines are rows, line ends in a cell are not.
    let (mut within, mut number) = (0, 0);
    while reader.read_record(&mut record).map_err(|error| fault(&error, encoding))? {
        if record.len() > COLUMNS_MAX {
            return Err(Fault::TooManyColumns);
        }
        within += record.iter().map(|cell| cell.matches('\n').count() as i64).sum::<i64>();
        let line = i64::try_from(reader.position().line()).unwrap_or(i64::MAX);
        number = (line - 1 - within).max(number + 1);
        let cells = record.iter().map(|cell| unescaped(cell).to_owned()).collect();
        if table.take(number, cells)?.is_break() {
            return Ok(());
        }
    }
    table.end()
}

/// The cell without the apostrophe that an export put before it.
fn unescaped(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(RISKY)).unwrap_or(cell)
}

/// What stands between the cells of the first line.
fn delimiter(bytes: &[u8], encoding: Encoding) -> u8 {
    let mut line = String::new();
    let mut begin = Vec::new();
    let _ = Decoded::new(bytes, encoding).take(PIECE as u64).read_to_end(&mut begin);
    line.push_str(&String::from_utf8_lossy(&begin));
    let (mut is_quoted, mut counts) = (false, [(b',', 0), (b';', 0), (b'\t', 0)]);
    for sign in line.trim_start().chars() {
        match sign {
            '"' => is_quoted = !is_quoted,
            '\n' | '\r' if !is_quoted => break,
            _ if is_quoted => {}
            sign => {
                let counted = counts.iter_mut().find(|(known, _)| char::from(*known) == sign);
                if let Some((_, count)) = counted {
                    *count += 1;
                }
            }
        }
    }
    match counts {
        [(_, 0), (_, semicolons), (_, tabs)] if semicolons + tabs > 0 => {
            if tabs > semicolons {
                b'\t'
            } else {
                b';'
            }
        }
        _ => b',',
    }
}

/// The bytes are no text in the encoding.
#[derive(Debug)]
struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed text")
    }
}

impl std::error::Error for Malformed {}

/// The text of bytes, as UTF-8. Lines end with a line feed, also within cells.
struct Decoded<'a> {
    bytes: &'a [u8],
    decoder: Decoder,
    piece: Vec<u8>,
    /// Whether the piece before ended with a carriage return, which may belong to a line feed.
    is_after_return: bool,
    /// What of the piece was taken.
    taken: usize,
    is_at_end: bool,
}

impl<'a> Decoded<'a> {
    fn new(bytes: &'a [u8], encoding: Encoding) -> Self {
        let decoder = encoding.standard().new_decoder_with_bom_removal();
        Self { bytes, decoder, piece: Vec::new(), is_after_return: false, taken: 0, is_at_end: false }
    }

    fn decode(&mut self) -> io::Result<()> {
        self.piece.resize(4 * PIECE, 0);
        let some = &self.bytes[..self.bytes.len().min(PIECE)];
        let is_last = some.len() == self.bytes.len();
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(some, &mut self.piece, is_last);
        self.piece.truncate(written);
        self.taken = 0;
        self.bytes = &self.bytes[read..];
        self.is_at_end = match result {
            DecoderResult::Malformed(..) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, Malformed));
            }
            DecoderResult::InputEmpty => is_last,
            DecoderResult::OutputFull => false,
        };
        self.end_lines();
        Ok(())
    }

    /// Leaves out each carriage return before a line feed.
    fn end_lines(&mut self) {
        let mut kept = Vec::with_capacity(self.piece.len() + 1);
        for byte in self.piece.drain(..) {
            if self.is_after_return && byte != b'\n' {
                kept.push(b'\r');
            }
            self.is_after_return = byte == b'\r';
            if !self.is_after_return {
                kept.push(byte);
            }
        }
        if self.is_at_end && std::mem::take(&mut self.is_after_return) {
            kept.push(b'\r');
        }
        self.piece = kept;
    }
}

impl Read for Decoded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.piece.len() {
            if self.is_at_end {
                return Ok(0);
            }
            self.decode()?;
        }
        let length = into.len().min(self.piece.len() - self.taken);
        into[..length].copy_from_slice(&self.piece[self.taken..self.taken + length]);
        self.taken += length;
        Ok(length)
    }
}

fn fault(error: &csv::Error, encoding: Encoding) -> Fault {
    // Bytes in UTF-8 that the reader refuses are impossible; an I/O error is ours.
    debug_assert!(matches!(error.kind(), csv::ErrorKind::Io(_)), "{error}");
    Fault::WrongEncoding(Some(encoding))
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use encoding_rs::SHIFT_JIS;
    use proptest::prelude::*;

    use super::*;
    use crate::sheet::{CELL_MAX, Head, ROWS_MAX, Row};

    #[derive(Default)]
    struct Kept {
        headers: Vec<String>,
        rows: Vec<(i64, Vec<String>)>,
        encoding: Option<Encoding>,
    }

    impl Sink for Kept {
        fn head(&mut self, head: Head) -> ControlFlow<()> {
            (self.headers, self.encoding) = (head.headers, head.encoding);
            ControlFlow::Continue(())
        }

        fn row(&mut self, row: Row) -> ControlFlow<()> {
            self.rows.push((row.number, row.cells));
            ControlFlow::Continue(())
        }
    }

    fn table(bytes: &[u8]) -> Result<Kept, Fault> {
        told(bytes, None)
    }

    fn told(bytes: &[u8], encoding: Option<Encoding>) -> Result<Kept, Fault> {
        let mut kept = Kept::default();
        crate::read(bytes, encoding, &mut kept).map(|()| kept)
    }

    fn fault(bytes: &[u8]) -> Fault {
        table(bytes).err().expect("a fault")
    }

    #[test]
    fn cells_may_be_quoted_and_have_lines() {
        let kept = table(b"name,notes\r\n\"Ann \"\"A\"\" Lee\",\"one,\r\ntwo\"\r\n\r\nBob,\r\n").unwrap();
        assert_eq!(kept.headers, ["name", "notes"]);
        assert_eq!(
            kept.rows,
            [
                (2, vec!["Ann \"A\" Lee".to_owned(), "one,\ntwo".to_owned()]),
                (4, vec!["Bob".to_owned(), String::new()])
            ]
        );
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_does() {
        let kept = table(b"a\n1\n\n\n2\n3").unwrap();
        assert_eq!(kept.rows.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 5, 6]);
    }

    #[test]
    fn the_same_table_is_read_from_every_encoding() {
        let text = "氏名,備考\n佐藤 花子,㈱青空〜\n";
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, encoding) in [
            (text.as_bytes().to_vec(), Encoding::Utf8),
            (utf16, Encoding::Utf16Le),
            (SHIFT_JIS.encode(&text.replace('〜', "～")).0.into_owned(), Encoding::ShiftJis),
        ] {
            let kept = told(&bytes, Some(encoding)).unwrap();
            assert_eq!((kept.headers, kept.encoding), (vec!["氏名".into(), "備考".into()], Some(encoding)));
            assert_eq!(kept.rows[0].1[0], "佐藤 花子");
        }
    }

    #[test]
    fn semicolons_and_tabs_count_where_there_is_no_comma() {
        assert_eq!(table(b"a;b\n1,5;2\n").unwrap().rows[0].1, ["1,5", "2"]);
        assert_eq!(table(b"a\tb\n1\t2\n").unwrap().rows[0].1, ["1", "2"]);
        assert_eq!(table(b"\"a;b\",c\n1,2\n").unwrap().headers, ["a;b", "c"]);
    }

    #[test]
    fn an_apostrophe_that_an_export_put_before_a_cell_is_taken_off() {
        let kept = table(b"phone,name\n'+81-3,'tis\n").unwrap();
        assert_eq!(kept.rows[0].1, ["+81-3", "'tis"]);
    }

    #[test]
    fn what_is_no_table_is_told() {
        assert_eq!(fault(b""), Fault::Empty);
        assert_eq!(fault(b"\n , \n\n"), Fault::Empty);
        assert_eq!(fault(b"a,b\n1,2\n1,2,3\n"), Fault::Ragged { row: 3 });
        assert_eq!(fault(b"a,b\n1\n"), Fault::Ragged { row: 2 });
        assert_eq!(fault("氏名,ｼﾒｲ,シメイ\n".as_bytes()), Fault::HeaderTwice { header: "シメイ".into() });
        assert_eq!(fault(b"a,b\nx,1\0\n"), Fault::Nul { row: 2 });
        assert_eq!(fault(&[b'a', b',', 0xE9, b'\n']), Fault::WrongEncoding(Some(Encoding::ShiftJis)));
        assert_eq!(
            told(&SHIFT_JIS.encode("氏名\n").0, Some(Encoding::Utf8)).err(),
            Some(Fault::WrongEncoding(Some(Encoding::Utf8)))
        );
        assert_eq!(fault(&[0xFE, 0xFF, 0xD8, 0x00]), Fault::WrongEncoding(Some(Encoding::Utf16Be)));
        assert_eq!(fault(b"%PDF-1.7\n"), Fault::NotASheet);
        assert_eq!(fault(",".repeat(1_000_000).as_bytes()), Fault::TooManyColumns);
        let long = format!("a\n{}\n", "x".repeat(CELL_MAX + 1));
        assert_eq!(fault(long.as_bytes()), Fault::CellTooLong { row: 2 });
        assert_eq!(fault(format!("a\n{}", "1\n".repeat(ROWS_MAX + 1)).as_bytes()), Fault::TooManyRows);
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back(
            rows in proptest::collection::vec(proptest::collection::vec("[^\0']{0,12}", 3), 1..6)
        ) {
            let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
            writer.write_record(["a", "b", "c"]).unwrap();
            rows.iter().for_each(|row| writer.write_record(row).unwrap());
            let bytes = writer.into_inner().unwrap();
            let kept = told(&bytes, Some(Encoding::Utf8)).unwrap();
            let read: Vec<_> = kept.rows.into_iter().map(|(_, cells)| cells).collect();
            let ended = |cell: String| cell.replace("\r\n", "\n");
            let rows = rows.into_iter().map(|row| row.into_iter().map(ended).collect::<Vec<_>>());
            let written: Vec<_> =
                rows.filter(|row| row.iter().any(|cell| !cell.trim().is_empty())).collect();
            prop_assert_eq!(read, written);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = table(&bytes);
        }
    }
}
