//! Imports: the form's fields, and the cells of a row under headers.

use domain::customer::record::NewCustomer;
use domain::deal::record::NewDeal;
use domain::import::form::{ImportChanges, ImportForm};
use domain::import::mapping;
use domain::import::record::ImportKind;
use domain::import::row;
use domain::meeting::record::NewMeeting;
use domain::task::record::NewTask;
use kernel::ids::Id;

use crate::{choose, is_stable, refused};

const KINDS: [ImportKind; 4] =
    [ImportKind::Customers, ImportKind::Meetings, ImportKind::Tasks, ImportKind::Deals];

/// The fields of a form, one in a line: `name=value`.
pub fn form(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let pairs = text.lines().map(|line| line.split_once('=').unwrap_or((line, "")));
    let fields: Vec<(String, String)> =
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    match ImportForm::of(&fields) {
        Ok(ImportForm { kind, settings }) => {
            let headers = ["氏名", "email", "金額"].map(String::from);
            if let Err(error) = settings.reading(kind, &headers, None, "Asia/Tokyo") {
                refused(&error);
            }
        }
        Err(error) => refused(&error),
    }
}

/// A kind in the first line, headers in the second and cells in the third, with tabs between them. What a row has becomes
/// the body of a record: its shape fits, and only its rules may refuse it.
pub fn row(input: &[u8]) {
    let (kind, rest) = choose(&KINDS, |kind| kind.as_str(), input);
    let text = String::from_utf8_lossy(rest);
    let (headers, cells) = text.split_once('\n').unwrap_or((&text, ""));
    let mut headers: Vec<String> = headers.split('\t').map(str::to_owned).collect();
    let mut seen = Vec::new();
    headers.retain(|header| {
        !seen.contains(header) && {
            seen.push(header.clone());
            true
        }
    });
    let reading = ImportChanges::default().reading(*kind, &headers, None, "Asia/Tokyo");
    let reading = reading.expect("what follows from the headers alone fits");
    let columns = mapping::columns(*kind, &headers, &reading.mapping);
    let mut cells: Vec<String> = cells.split('\t').map(str::to_owned).collect();
    cells.resize(headers.len(), String::new());
    let mut row = row::parse(2, cells, &columns, &reading);
    // Whom it names was found.
    let (user, customer) = (row.user.is_some(), row.customer.is_some());
    row.settle(*kind, user.then_some(Id::of_bits(1)), customer.then_some(Id::of_bits(2)));
    row.settle_amount(Some("USD"));
    row.faults.iter().for_each(|fault| is_stable(&fault.code));
    if row.faults.is_empty() && row.missing(*kind).is_empty() {
        let fields = &row.fields;
        let body = match kind {
            ImportKind::Customers => row::body::<NewCustomer>(fields).map(drop),
            ImportKind::Meetings => row::body::<NewMeeting>(fields).map(drop),
            ImportKind::Tasks => row::body::<NewTask>(fields).map(drop),
            ImportKind::Deals => row::body::<NewDeal>(fields).map(drop),
        };
        body.unwrap_or_else(|error| panic!("{fields:?} is no body: {error:?}"));
    }
}
