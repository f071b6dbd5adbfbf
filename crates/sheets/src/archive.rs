//! A workbook is a ZIP file. Before anything reads it, every entry is unpacked and counted, so that one that unpacks to far more than
//! it seems to be is refused.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::sheet::Fault;

/// The most bytes of the sheets together: they are read piece by piece.
const SHEETS_MAX: usize = 256 * 1024 * 1024;
/// The most bytes of everything else together: of it, texts and styles are in memory.
const OTHERS_MAX: usize = 32 * 1024 * 1024;
/// Entries of an archive.
const ENTRIES_MAX: usize = 2_000;
/// The longest piece of XML without a tag: far more than a cell may have.
const TEXT_MAX: usize = 256 * 1024;
/// The fewest bytes that a text takes in the list of texts.
const TEXT_MIN: usize = 5;

/// Whether it is, or pretends to be, a ZIP file.
pub fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK")
}

/// Checks that a workbook is within the bounds when it is unpacked.
pub fn check(bytes: &[u8]) -> Result<(), Fault> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Fault::NotASheet)?;
    if archive.len() > ENTRIES_MAX {
        return Err(Fault::Bomb);
    }
    let (mut sheets, mut others) = (SHEETS_MAX, OTHERS_MAX);
    for place in 0..archive.len() {
        let mut entry = archive.by_index(place).map_err(|_| Fault::NotASheet)?;
        let name = entry.name().map_err(|_| Fault::NotASheet)?.to_ascii_lowercase().replace('\\', "/");
        let left = if name.contains("worksheets/") { &mut sheets } else { &mut others };
        unpack(&mut entry, &name, left)?;
    }
    Ok(())
}

fn unpack(entry: &mut impl Read, name: &str, left: &mut usize) -> Result<(), Fault> {
    let is_xml = name.ends_with(".xml") || name.ends_with(".rels");
    let (mut piece, mut xml) = (vec![0; 64 * 1024], Xml::default());
    let (mut begin, mut size) = (Vec::new(), 0);
    loop {
        let length = entry.read(&mut piece).map_err(|_| Fault::NotASheet)?;
        if length == 0 {
            break;
        }
        *left = left.checked_sub(length).ok_or(Fault::Bomb)?;
        size += length;
        if is_xml {
            xml.take(&piece[..length])?;
            begin.extend(piece[..length].iter().take(4_096_usize.saturating_sub(begin.len())));
        }
    }
    // So many places are made at once for the texts.
    match promised(&begin) {
        Some(texts) if name.ends_with("sharedstrings.xml") && texts > size / TEXT_MIN => Err(Fault::Bomb),
        _ => Ok(()),
    }
}

/// The number that a list of texts says that it has.
fn promised(begin: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(begin);
    let (_, after) = text.split_once("uniqueCount")?;
    let digits: String =
        after.chars().skip_while(|sign| !sign.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    Some(digits.parse().unwrap_or(usize::MAX))
}

/// Looks for pieces of XML that would be in memory as a whole.
#[derive(Default)]
struct Xml {
    run: usize,
    after_angle: bool,
}

impl Xml {
    fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        for byte in bytes {
            // Workbooks have no comment, no CDATA and no DOCTYPE, in which angles would mean nothing.
            if self.after_angle && *byte == b'!' {
                return Err(Fault::NotASheet);
            }
            self.after_angle = *byte == b'<';
            self.run = if self.after_angle { 0 } else { self.run + 1 };
            if self.run > TEXT_MAX {
                return Err(Fault::Bomb);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn checked(name: &str, content: &[u8]) -> Result<(), Fault> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
        check(&zip.finish().unwrap().into_inner())
    }

    #[test]
    fn what_unpacks_to_far_more_than_it_seems_is_refused() {
        let long = |tag: &str, bytes: usize| tag.repeat(bytes / tag.len()).into_bytes();
        assert_eq!(checked("xl/worksheets/sheet1.xml", &long("<c/>", SHEETS_MAX - 4)), Ok(()));
        assert_eq!(checked("xl/worksheets/sheet1.xml", &long("<c/>", SHEETS_MAX + 64)), Err(Fault::Bomb));
        assert_eq!(checked("xl/styles.xml", &long("<c/>", OTHERS_MAX + 64)), Err(Fault::Bomb));
        assert_eq!(checked("xl/worksheets/sheet1.xml", &vec![b'x'; TEXT_MAX + 1]), Err(Fault::Bomb));
        let texts = |count: &str| format!("<sst uniqueCount=\"{count}\"><si/></sst>");
        for many in ["1000", "18446744073709551615", "99999999999999999999999"] {
            assert_eq!(checked("xl/sharedStrings.xml", texts(many).as_bytes()), Err(Fault::Bomb), "{many}");
        }
        assert_eq!(checked("xl/sharedStrings.xml", texts("1").as_bytes()), Ok(()));
    }

    #[test]
    fn markup_that_workbooks_do_not_have_is_refused() {
        for piece in ["<!DOCTYPE a>", "<![CDATA[a]]>", "<!-- a -->"] {
            assert_eq!(checked("xl/workbook.xml", piece.as_bytes()), Err(Fault::NotASheet), "{piece}");
        }
        assert_eq!(check(b"PK\x03\x04 no archive"), Err(Fault::NotASheet));
    }
}
