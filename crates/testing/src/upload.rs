//! Files that tests upload: forms, and workbooks made by hand.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::{Answer, Api};

const BOUNDARY: &str = "----kizuna";

/// A form with these fields and one file.
pub fn form(fields: &[(&str, &str)], file_name: &str, content: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend(part.into_bytes());
    }
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file_name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    body.extend(head.into_bytes());
    body.extend(content);
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").into_bytes());
    body
}

/// Sends a form to an address.
pub async fn send(by: &Api, path: &str, form: Vec<u8>) -> Answer {
    let by = by.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
    by.raw("POST", path, form).await
}

/// Like [`send`], for tests in which the server may end during the request.
///
/// # Errors
/// When there is no answer.
pub async fn attempt(by: &Api, path: &str, form: Vec<u8>) -> reqwest::Result<Answer> {
    let by = by.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
    by.attempt_raw("POST", path, form).await
}

/// A file of entries, as an archive.
pub fn archive(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).expect("an entry");
        zip.write_all(content).expect("room in memory");
    }
    zip.finish().expect("an archive").into_inner()
}

/// A workbook whose sheet has these cells, each as XML: `<c r="A1" t="inlineStr"><is><t>a</t></is></c>`.
pub fn workbook(sheet: &str) -> Vec<u8> {
    let head = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let of = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    let types = format!(
        r#"{head}<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#
    );
    let rels = format!(
        r#"{head}<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{of}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
    );
    let book = format!(
        r#"{head}<workbook xmlns="{main}" xmlns:r="{of}"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>"#
    );
    let book_rels = format!(
        r#"{head}<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{of}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{of}/styles" Target="styles.xml"/></Relationships>"#
    );
    // Style 1 is a day, style 2 a day with a time.
    let styles = format!(
        r#"{head}<styleSheet xmlns="{main}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy/m/d\ h:mm"/></numFmts><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs></styleSheet>"#
    );
    let sheet = format!(r#"{head}<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>"#);
    archive(&[
        ("[Content_Types].xml", types.into_bytes()),
        ("_rels/.rels", rels.into_bytes()),
        ("xl/workbook.xml", book.into_bytes()),
        ("xl/_rels/workbook.xml.rels", book_rels.into_bytes()),
        ("xl/styles.xml", styles.into_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.into_bytes()),
    ])
}

/// The rows of a sheet of texts, for [`workbook`].
pub fn text_rows(rows: &[&[&str]]) -> String {
    let cell = |row: usize, column: usize, text: &str| {
        let letter = char::from(b'A' + column as u8);
        format!(r#"<c r="{letter}{row}" t="inlineStr"><is><t>{text}</t></is></c>"#)
    };
    let row = |(place, cells): (usize, &&[&str])| {
        let cells = cells.iter().enumerate().map(|(column, text)| cell(place + 1, column, text));
        format!(r#"<row r="{}">{}</row>"#, place + 1, cells.collect::<String>())
    };
    rows.iter().enumerate().map(row).collect()
}
