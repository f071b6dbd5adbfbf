//! What a file is, by its content. The name decides only between types that have one container: the files of Office are ZIP
//! archives, or one of two old forms. Pure.

use crate::attachment::file_name::extension;

/// So much of a file's beginning is kept to tell its type.
const HEAD: usize = 4 * 1024;

/// The parts of an Office file begin with this one in their list of contents.
const OFFICE: &[u8] = b"[Content_Types].xml";
/// The old files of Office are compound files.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// The beginnings of what is allowed by itself.
const SIGNATURES: [(&[u8], &str); 7] = [
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
];

const OFFICE_TYPES: [(&str, &str); 3] = [
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
];

const COMPOUND_TYPES: [(&str, &str); 4] = [
    ("doc", "application/msword"),
    ("xls", "application/vnd.ms-excel"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("msg", "application/vnd.ms-outlook"),
];

/// An OpenDocument file names its type at its beginning.
const OPEN_DOCUMENTS: [&str; 3] = [
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
];

const TEXT_TYPES: [(&str, &str); 6] = [
    ("txt", "text/plain"),
    ("text", "text/plain"),
    ("log", "text/plain"),
    ("md", "text/plain"),
    ("csv", "text/csv"),
    ("tsv", "text/tab-separated-values"),
];

/// Beginnings of text that a browser would carry out.
const MARKUP: [&[u8]; 6] = [b"<!doctype", b"<html", b"<svg", b"<?xml", b"<script", b"<!--"];

/// Looks at a file as it arrives, and keeps no more than its beginning.
#[derive(Debug, Default)]
pub struct Content {
    head: Vec<u8>,
    text: Text,
}

/// Whether what has come is text.
#[derive(Debug, Default)]
struct Text {
    /// Has a control character that no text has.
    is_binary: bool,
    /// Is no UTF-8: an older encoding, as spreadsheets write it.
    is_other: bool,
    /// The bytes of a character that is not whole yet.
    rest: Vec<u8>,
}

impl Content {
    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        let room = HEAD - self.head.len();
        self.head.extend_from_slice(&bytes[..room.min(bytes.len())]);
        self.text.feed(bytes);
    }

    /// The media type of the whole file under this name; `None` if that type is not allowed.
    pub fn media_type(&self, name: &str) -> Option<String> {
        let (head, extension) = (self.head.as_slice(), extension(name));
        let named = |types: &[(&str, &'static str)]| {
            types.iter().find(|(known, _)| *known == extension).map(|(_, media_type)| *media_type)
        };
        if let Some((_, media_type)) = SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature)) {
            return Some((*media_type).to_owned());
        }
        if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
            return Some("image/webp".to_owned());
        }
        if head.starts_with(COMPOUND) {
            return named(&COMPOUND_TYPES).map(str::to_owned);
        }
        if head.starts_with(b"PK\x03\x04") {
            return Some(self.archive(named(&OFFICE_TYPES)).to_owned());
        }
        let media_type = named(&TEXT_TYPES)?;
        self.text(media_type)
    }

    /// What a ZIP archive is.
    fn archive(&self, office: Option<&'static str>) -> &'static str {
        // The first entry of an OpenDocument file is its type, as it is (OpenDocument 1.3, part 2, §3.3).
        let first = self.head.get(30..).unwrap_or_default();
        let open = OPEN_DOCUMENTS.into_iter().find(|media_type| {
            let named = first.strip_prefix(b"mimetype");
            named.is_some_and(|content| content.starts_with(media_type.as_bytes()))
        });
        let is_office = self.head.windows(OFFICE.len()).any(|part| part == OFFICE);
        open.or(office.filter(|_| is_office)).unwrap_or("application/zip")
    }

    fn text(&self, media_type: &str) -> Option<String> {
        let wide = [b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| self.head.starts_with(*mark));
        let begin = self.head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.head).trim_ascii_start();
        let is_markup = MARKUP
            .iter()
            .any(|markup| begin.get(..markup.len()).is_some_and(|head| head.eq_ignore_ascii_case(markup)));
        match (wide, self.text.is_binary || is_markup, self.text.is_other || !self.text.rest.is_empty()) {
            (true, ..) => Some(format!("{media_type}; charset=utf-16")),
            (false, true, _) => None,
            (false, false, true) => Some(media_type.to_owned()),
            (false, false, false) => Some(format!("{media_type}; charset=utf-8")),
        }
    }
}

impl Text {
    fn feed(&mut self, bytes: &[u8]) {
        let is_control = |byte: &u8| *byte < 0x20 && !b"\t\n\x0c\r\x1b".contains(byte);
        self.is_binary |= bytes.iter().any(|byte| is_control(byte) || *byte == 0x7f);
        if self.is_other || self.is_binary {
            return;
        }
        let mut whole = std::mem::take(&mut self.rest);
        whole.extend_from_slice(bytes);
        if let Err(error) = std::str::from_utf8(&whole) {
            match error.error_len() {
                None => self.rest = whole[error.valid_up_to()..].to_vec(),
                Some(_) => self.is_other = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str, bytes: &[u8]) -> Option<String> {
        // Whatever the parts in which it arrives.
        let of = |length: usize| {
            let mut content = Content::default();
            bytes.chunks(length).for_each(|part| content.feed(part));
            content.media_type(name)
        };
        assert_eq!(of(1), of(bytes.len().max(1)), "{name}");
        of(3)
    }

    fn zip(first: &str, content: &[u8]) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        bytes.extend_from_slice(&(content.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(content.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(first.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(first.as_bytes());
        bytes.extend_from_slice(content);
        bytes
    }

    #[test]
    fn the_content_decides_and_not_the_name() {
        assert_eq!(kind("a.exe", b"%PDF-1.7 ...").as_deref(), Some("application/pdf"));
        assert_eq!(kind("a.pdf", b"\x89PNG\r\n\x1a\n0").as_deref(), Some("image/png"));
        assert_eq!(kind("a", b"\xff\xd8\xff\xe0 JFIF").as_deref(), Some("image/jpeg"));
        assert_eq!(kind("a", b"RIFF\0\0\0\0WEBPVP8 ").as_deref(), Some("image/webp"));
        for (name, bytes) in [
            ("a.pdf", &b"MZ\x90\0"[..]),
            ("a.txt", b"MZ\x90\0"),
            ("a.png", b"<svg xmlns='x'/>"),
            ("a.svg", b"<svg xmlns='x'/>"),
            ("a.txt", b"\xef\xbb\xbf \n<!DOCTYPE html><script>"),
            ("a.csv", b"<?xml version='1.0'?>"),
            ("a.html", b"hello"),
            ("a.js", b"alert(1)"),
            ("none", b"hello"),
            ("a.doc", b"RIFF\0\0\0\0WAVE"),
        ] {
            assert_eq!(kind(name, bytes), None, "{name}");
        }
    }

    #[test]
    fn files_of_office_are_told_within_their_containers() {
        let office = zip("[Content_Types].xml", b"<Types/>");
        let is = |name, bytes: &[u8], wanted: &str| {
            let found = kind(name, bytes).expect("allowed");
            assert!(found.contains(wanted), "{name}: {found}");
        };
        is("a.docx", &office, "wordprocessingml");
        is("a.XLSX", &office, "spreadsheetml");
        is("a.zip", &office, "application/zip");
        is("a.docx", &zip("a.txt", b"a"), "application/zip");
        is(
            "a.zip",
            &zip("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
            "opendocument.spreadsheet",
        );
        is("a.xls", COMPOUND, "ms-excel");
        assert_eq!(kind("a.bin", COMPOUND), None);
    }

    #[test]
    fn text_says_its_encoding_if_it_can_be_told() {
        assert_eq!(
            kind("a.csv", "名前,金額\r\n佐藤,1\r\n".as_bytes()).as_deref(),
            Some("text/csv; charset=utf-8")
        );
        assert_eq!(kind("a.txt", b"\x96\xbc\x91\x4f,\r\n").as_deref(), Some("text/plain"), "Shift_JIS");
        assert_eq!(kind("a.csv", b"\xff\xfea\0b\0").as_deref(), Some("text/csv; charset=utf-16"));
        assert_eq!(kind("a.txt", b"ends in \xe7\xb5").as_deref(), Some("text/plain"), "half a character");
        assert_eq!(kind("a.txt", b"a\0b"), None);
    }
}
