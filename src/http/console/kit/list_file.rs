//! A list as a file for its reader: the columns and rows of the page, with headings and values in the reader's language.

use std::rc::Rc;

use crate::http::console::kit::cell::Cells;
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::listing::{chosen_columns, label};
use crate::http::console::kit::session_user::SessionUser;
use crate::http::csv;
use crate::http::csv::{Row, harmless};
use crate::http::error::HttpResult;
use domain::lists::{Column, ListName};
use kernel::error::Error;
use kernel::page::{Page, PageRequest};

/// Who reads a file, and in what language.
pub struct Reader {
    pub me: SessionUser,
    pub f: Frame,
}

/// The whole list. `ask` reads a page of it, with the names of whom its records refer to.
///
/// # Errors
/// Those of `ask`.
pub async fn answer<R, F>(
    me: SessionUser,
    list: ListName,
    given: &Fields,
    ask: impl Fn(Rc<Reader>, PageRequest) -> F + 'static,
) -> HttpResult
where
    R: Cells,
    F: Future<Output = Result<Page<R>, Error>> + 'static,
{
    let f = me.frame(list.as_str()).await;
    let columns: Rc<[Column]> = chosen_columns(list, given).into();
    let header = columns.iter().flat_map(|column| heading(list, column, &f)).collect();
    let (reader, ask) = (Rc::new(Reader { me, f }), Rc::new(ask));
    csv::file(list.as_str(), header, move |page| {
        let (reader, ask, columns) = (reader.clone(), ask.clone(), columns.clone());
        async move {
            let page = ask(reader.clone(), page).await?;
            Ok(page.map(|row: R| cells(&row, &columns, &reader.f)))
        }
    })
    .await
}

/// The heading of a column; an amount has its currency in one of its own.
fn heading(list: ListName, column: &Column, f: &Frame) -> Vec<String> {
    let label = f.word("label", label(list, column.name));
    match column.name {
        "amount" => vec![label, f.t("label-currency")],
        name if name.ends_with("_at") => vec![format!("{label} ({})", f.zone.name())],
        _ => vec![label],
    }
}

fn cells(row: &impl Cells, columns: &[Column], f: &Frame) -> Row {
    let written = columns.iter().flat_map(|column| row.cell(column.name, f).written(f));
    written.map(|text| harmless(&text).into_owned()).collect()
}
