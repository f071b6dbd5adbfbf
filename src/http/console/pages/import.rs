//! `/imports/{id}`: what would become of the rows of a file, how it is read, and how far its saga is.

use std::collections::BTreeMap;

use actix_web::web::Path;
use actix_web::{get, post};
use askama::Template;
use serde::Deserialize;

use crate::http::console::kit::changes::{Change, Values, references};
use crate::http::console::kit::form::why;
use crate::http::console::kit::form_data::{Fields, Posted};
use crate::http::console::kit::frame::{Frame, Outcome, html, ok, redirect};
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::References;
use crate::http::console::kit::once::once;
use crate::http::console::kit::return_to::done_at;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::list_params;
use crate::http::error::HttpResult;
use crate::http::extract::PathId;
use crate::http::problem::FieldProblem;
use domain::changes::FieldChange;
use domain::import::form::{ENCODINGS, ImportChanges};
use domain::import::messages::{CommitImport, FindImport, ListImportRows};
use domain::import::record::{
    DateOrder, DecimalMark, Import, ImportKind, ImportRow, ImportStatus, MatchOn, RowOutcome,
};
use domain::saga::messages::FindSaga;
use domain::saga::record::{Saga, StepStatus};
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

/// Rows that the page shows of those that are kept.
const SHOWN_MAX: usize = 100;
/// Which outcomes are looked at first.
const FIRST: [RowOutcome; 4] = [RowOutcome::Wrong, RowOutcome::Changed, RowOutcome::New, RowOutcome::Same];

/// What an address asks for.
#[derive(Debug, Default, Deserialize)]
pub struct ImportPageParams {
    #[serde(default)]
    outcome: Option<RowOutcome>,
    #[serde(default)]
    #[expect(dead_code, reason = "what was done just now is said by the frame")]
    done: Option<String>,
}

struct FaultLine {
    column: Option<String>,
    message: String,
}

struct RowLine {
    row: i64,
    /// The page of the record, if it is there.
    record: Option<String>,
    changes: Vec<Change>,
    faults: Vec<FaultLine>,
}

struct Tab {
    outcome: RowOutcome,
    count: i64,
    is_open: bool,
}

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage {
    f: Frame,
    import: Import,
    by: String,
    tabs: Vec<Tab>,
    rows: Vec<RowLine>,
    /// Rows of the tab that are not shown.
    more: i64,
    saga: Option<Saga>,
    done: usize,
    /// Whether the caller may carry it out: who previewed it.
    may_commit: bool,
    /// Rows that would be written.
    works: i64,
    /// Why it was not read in another way, or not carried out.
    problem: Option<String>,
    encodings: [&'static str; 4],
    orders: &'static [DateOrder],
    marks: &'static [DecimalMark],
    matches: &'static [MatchOn],
}

impl ImportPage {
    fn is_open(&self) -> bool {
        self.import.status == ImportStatus::Previewed
    }

    /// The field that a column goes to.
    fn field(&self, header: &str) -> &str {
        self.import.reading.mapping.get(header).map_or("", String::as_str)
    }

    fn is_csv(&self) -> bool {
        self.import.format == "csv"
    }

    fn fields(&self) -> Vec<(&'static str, bool)> {
        self.import.kind.fields().iter().map(|field| (field.name, field.is_required)).collect()
    }
}

/// The word of a kind's records in texts and addresses.
fn noun(kind: ImportKind) -> &'static str {
    kind.as_str().trim_end_matches('s')
}

async fn page(me: &SessionUser, id: Id, outcome: Option<RowOutcome>) -> Result<ImportPage, Error> {
    let (f, caller) = (me.frame("imports").await, me.caller());
    let service = &me.gateway.customers.service;
    let import = (*service.ask(FindImport { id, caller }).await?).clone();
    let filled = FIRST.into_iter().find(|outcome| import.counts.of(*outcome) > 0);
    let open = outcome.or(filled).unwrap_or(RowOutcome::New);
    let rows = service.ask(ListImportRows { id, outcome: open, caller }).await?;
    let shown: Vec<ImportRow> = rows.into_iter().take(SHOWN_MAX).collect();
    let by = References::default().users([import.created_by]);
    let changes = shown.iter().flat_map(|row| &row.changes);
    let names = lookups::load(&me.gateway, caller, references(changes)).await?;
    let by = lookups::load(&me.gateway, caller, by).await?.user(&f, import.created_by);
    let saga = match import.saga {
        Some(saga) => me.gateway.sagas.ask(FindSaga { id: saga, caller }).await.ok(),
        None => None,
    };
    let line = |row: ImportRow| RowLine {
        row: row.row,
        record: record(&import, &row),
        changes: texts(&f, &names, &import, &row.changes),
        faults: row
            .faults
            .into_iter()
            .map(|fault| FaultLine {
                message: FieldProblem::message(&fault.error(), f.locale),
                column: fault.column.or_else(|| Some(f.word("label", fault.field.as_deref()?))),
            })
            .collect(),
    };
    let more = import.counts.of(open) - shown.len() as i64;
    let rows = shown.into_iter().map(line).collect();
    let tab =
        |outcome: RowOutcome| Tab { outcome, count: import.counts.of(outcome), is_open: outcome == open };
    let done =
        saga.iter().flat_map(|saga| &saga.steps).filter(|step| step.status == StepStatus::Done).count();
    Ok(ImportPage {
        by,
        tabs: FIRST.map(tab).into_iter().collect(),
        rows,
        more,
        saga,
        done,
        may_commit: import.is_previewed_by(&caller),
        works: import.counts.new + import.counts.changed,
        problem: None,
        encodings: ENCODINGS,
        orders: DateOrder::ALL,
        marks: DecimalMark::ALL,
        matches: if import.kind == ImportKind::Customers { MatchOn::ALL } else { &[MatchOn::ExternalId] },
        import,
        f,
    })
}

/// The page of the record that a row made or names.
fn record(import: &Import, row: &ImportRow) -> Option<String> {
    let is_there = row.outcome != RowOutcome::New || import.status == ImportStatus::Committed;
    let id = row.record_id.filter(|_| is_there)?;
    Some(format!("/{}/{id}", import.kind.as_str()))
}

fn texts(f: &Frame, names: &lookups::Names, import: &Import, changes: &[FieldChange]) -> Vec<Change> {
    let currency = changes.iter().find(|change| change.field == "currency").and_then(|it| it.to.as_str());
    let currency = currency.unwrap_or(domain::money::CURRENCY_DEFAULT).to_owned();
    let values = Values { f, names, kind: noun(import.kind), currency };
    changes.iter().map(|change| values.change(change)).collect()
}

#[get("/imports/{id}")]
pub async fn index(me: SessionUser, id: PathId) -> HttpResult {
    let (params, _): (ImportPageParams, _) = list_params(&me.request)?;
    Ok(ok(&page(&me, id.0, params.outcome).await?))
}

/// How the form says that the file is to be read.
fn asked(import: &Import, posted: &Fields) -> Result<ImportChanges, Error> {
    let chosen = |place: usize| posted.get(&format!("column_{place}")).filter(|name| !name.is_empty());
    let columns = import.headers.iter().enumerate().filter(|(_, header)| !header.is_empty());
    let mapping: BTreeMap<String, Option<String>> =
        columns.map(|(place, header)| (header.clone(), chosen(place).map(str::to_owned))).collect();
    let text = |name: &str| posted.get(name).filter(|value| !value.is_empty());
    let encoding = text("encoding").map(str::to_owned);
    // In another encoding the headers are others.
    let is_read_otherwise = encoding.is_some() && encoding != import.encoding;
    ImportChanges {
        mapping: (!is_read_otherwise).then_some(Some(mapping)),
        match_on: text("match_on").and_then(MatchOn::parse),
        encoding: encoding.map(Some),
        date_order: text("date_order").and_then(DateOrder::parse),
        decimal: text("decimal").and_then(DecimalMark::parse),
        time_zone: text("time_zone").map(str::to_owned),
    }
    .checked()
}

#[post("/imports/{id}")]
pub async fn read_again(me: SessionUser, id: PathId, posted: Posted) -> HttpResult {
    let (id, caller) = (id.0, me.caller());
    let import = me.gateway.customers.service.ask(FindImport { id, caller }).await?;
    let done = match asked(&import, &posted.0) {
        Ok(changes) => {
            let zone = &me.user().time_zone;
            me.gateway.imports.change(id, changes, zone, me.context(None)).await.map(drop)
        }
        Err(error) => Err(error),
    };
    let address = format!("/imports/{id}");
    answer(&me, id, done, &done_at(&address, "import-read")).await
}

#[post("/imports/{id}/commit")]
pub async fn carry_out(me: SessionUser, id: Path<Id>, posted: Posted) -> HttpResult {
    let id = id.into_inner();
    let done = once(&me, &posted.0, async |context| {
        me.gateway.customers.service.ask(CommitImport { id, context }).await
    })
    .await;
    answer(&me, id, done.map(drop), &done_at(&format!("/imports/{id}"), "import-started")).await
}

async fn answer(me: &SessionUser, id: Id, done: Result<(), Error>, address: &str) -> HttpResult {
    let is_shown = |error: &Error| {
        let codes =
            [ErrorCode::InvalidFields, ErrorCode::ImportNotPreviewed, ErrorCode::ImportPreviewedByAnother];
        codes.contains(&error.code)
    };
    match done {
        Ok(()) => Ok(redirect(address)),
        Err(error) if is_shown(&error) => {
            let mut page = page(me, id, None).await?;
            page.problem = Some(match error.fields.first() {
                Some(fault) => FieldProblem::message(fault, page.f.locale),
                None => why(&page.f, &error),
            });
            Ok(html(Outcome(Some(&error)), &page))
        }
        Err(error) => Err(error.into()),
    }
}
