//! CSV files (RFC 4180) for spreadsheets, streamed page by page.

use std::borrow::Cow;
use std::rc::Rc;

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::Bytes;
use futures_util::stream;

use crate::http::error::HttpResult;
use kernel::error::Error;
use kernel::page::{Keyset, Page, PageRequest};

/// Rows that are in memory at a time: a full page of SPEC §2.
const ROWS: i64 = 200;

/// Spreadsheets take a file without it for one in the machine's own encoding.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The cells of a row, in which spreadsheets find no formula (see [`harmless`]).
pub type Row = Vec<String>;

/// What is written next.
enum Step {
    /// The header row and the first page.
    Begin(Page<Row>),
    After(Keyset),
    Done,
}

/// A file of this name with all rows of a list. `ask` reads a page of it.
///
/// # Errors
/// Those of `ask`. One that comes after the first page cuts the connection: a part never looks complete.
pub async fn file<F>(name: &'static str, header: Row, ask: impl Fn(PageRequest) -> F + 'static) -> HttpResult
where
    F: Future<Output = Result<Page<Row>, Error>> + 'static,
{
    let first = ask(PageRequest::first(ROWS)).await?;
    let (ask, header) = (Rc::new(ask), Rc::new(header));
    let cut_off = move |error: &Error| tracing::warn!(file = name, %error, "an export was cut off");
    let rows = stream::try_unfold(Step::Begin(first), move |step| {
        let (ask, header) = (ask.clone(), header.clone());
        async move {
            let (header, Page { items, next, .. }) = match step {
                Step::Begin(first) => (Some(&*header), first),
                Step::After(last) => {
                    let page = ask(PageRequest::after(ROWS, Some(last))).await;
                    (None, page.inspect_err(cut_off)?)
                }
                Step::Done => return Ok(None),
            };
            let bytes = write(header, &items).inspect_err(cut_off)?;
            Ok::<_, Error>(Some((bytes, next.map_or(Step::Done, Step::After))))
        }
    });
    let mut answer = HttpResponse::Ok();
    answer.content_type("text/csv; charset=utf-8; header=present");
    answer.insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")));
    Ok(answer.streaming(rows))
}

/// The rows as text, after the header row if it is their turn.
fn write(header: Option<&Row>, rows: &[Row]) -> Result<Bytes, Error> {
    let begin = if header.is_some() { BYTE_ORDER_MARK.as_bytes().to_vec() } else { Vec::new() };
    let mut settings = csv::WriterBuilder::new();
    // Everywhere, so that no reader takes a separator, a quote or a line break of a text for its own.
    settings.terminator(csv::Terminator::CRLF).quote_style(csv::QuoteStyle::Always);
    let mut writer = settings.from_writer(begin);
    for row in header.into_iter().chain(rows) {
        writer.write_record(row).map_err(|error| internal(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| internal(error.error()))?;
    Ok(bytes.into())
}

fn internal(error: &dyn std::error::Error) -> Error {
    Error::internal(format_args!("a row can't be written as CSV: {error}"))
}

/// Text that a spreadsheet takes for text: what it would take for a formula gets an apostrophe before it
/// (OWASP, CSV Injection), also behind quotes and spaces, and in the full width of Japanese keyboards.
pub fn harmless(text: &str) -> Cow<'_, str> {
    const STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    let hides = |c: char| matches!(c, '"' | '\'') || (c.is_whitespace() && !STARTS.contains(&c));
    if text.trim_start_matches(hides).starts_with(STARTS) { format!("'{text}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_a_spreadsheet_would_run_gets_an_apostrophe() {
        for text in [
            "=1+1",
            "+81 3",
            "-1",
            "@sum(a1)",
            "\t=1",
            "\r=1",
            "\n=1",
            " =1",
            "\"=1",
            "'=1",
            "' \"=1",
            "＝1",
            "＋1",
            "－1",
            "＠1",
            "\u{3000}=1",
        ] {
            assert_eq!(harmless(text), format!("'{text}"), "{text:?}");
        }
        for text in ["", "絆", "a=1", "1-2", "03-1234-5678", " a", "'a'", "\"a\"", "a@example.com", "– dash"]
        {
            assert_eq!(harmless(text), text);
        }
    }
}
