//! `/api/imports`: customers, meetings, tasks and deals from a file. An upload is previewed, and carried out by a saga.

use std::cell::Cell;
use std::collections::BTreeMap;

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse, get, patch, post};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::actors::importer::Importer;
use crate::actors::uploads::Purpose;
use crate::http::answer;
use crate::http::answer::Departed;
use crate::http::api::bulk::begin;
use crate::http::api::resource::ApiRequest;
use crate::http::error::HttpResult;
use crate::http::extract::{Body, NoParams, Params, PathId};
use crate::http::idempotency::{Shape, once_viewed};
use crate::http::language::locale_of;
use crate::http::paging;
use crate::http::paging::list_params;
use crate::http::problem::FieldProblem;
use crate::http::uploads;
use crate::http::uploads::{Received, receive};
use domain::changes::FieldChange;
use domain::import::form::{ImportChanges, ImportForm};
use domain::import::messages::{CommitImport, FindImport, IMPORTS_NEWEST_FIRST, ListImportRows, ListImports};
use domain::import::record::{
    DateOrder, DecimalMark, Import, ImportCounts, ImportKind, ImportRow, ImportStatus, MatchOn, RowFault,
    RowOutcome,
};
use domain::undo::messages::UndoSaga;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::{Id, new_id};
use kernel::locale::Locale;
use kernel::text_schemas::TimeZone;

const PATH: &str = "/api/imports";

list_params! {
    /// Which page of imports; the newest come first.
    ImportParams {}
}

/// A file, and how it is read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the form is read as it arrives; this is what the document says of it")]
pub struct ImportUpload {
    kind: ImportKind,
    /// JSON: the fields of the columns, by their headers, `{"氏名": "name", "色": null}`. Without it columns go by their headers.
    #[schema(value_type = String, required = false)]
    mapping: Option<String>,
    /// By what a row finds its record: `email` (customers only) or `external_id`. Without it `external_id`, of customers without a
    /// column for it `email`.
    #[schema(value_type = MatchOn, required = false)]
    match_on: Option<MatchOn>,
    /// Of CSV: `UTF-8`, `UTF-16LE`, `UTF-16BE` or `Shift_JIS`. Without it as it is detected.
    #[schema(value_type = String, required = false, pattern = "^(UTF-8|UTF-16LE|UTF-16BE|Shift_JIS)$")]
    encoding: Option<String>,
    /// `ymd` (the default: days like 5/11/2026 are wrong), `dmy` or `mdy`.
    #[schema(value_type = DateOrder, required = false)]
    date_order: Option<DateOrder>,
    #[schema(value_type = DecimalMark, required = false)]
    decimal: Option<DecimalMark>,
    /// Of days and times that name no zone; the caller's if absent.
    #[schema(value_type = TimeZone, required = false)]
    time_zone: Option<String>,
    /// Up to 20 MiB: CSV or XLSX, with headers in its first row.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// An import of a file.
#[derive(Serialize, ToSchema)]
#[schema(as = Import)]
pub struct ImportView {
    id: Id,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    created_by: Id,
    kind: ImportKind,
    file_name: String,
    /// `csv` or `xlsx`.
    format: String,
    /// Of CSV.
    #[schema(required)]
    encoding: Option<String>,
    headers: Vec<String>,
    /// The fields of the columns, by their headers.
    mapping: BTreeMap<String, String>,
    match_on: MatchOn,
    date_order: DateOrder,
    decimal: DecimalMark,
    time_zone: String,
    status: ImportStatus,
    counts: ImportCounts,
    /// What is wrong with rows: the first 1,000 faults. Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    faults: Option<Vec<RowFaultView>>,
    /// The saga that carries it out, once it has begun.
    #[schema(required)]
    saga: Option<Id>,
}

/// What is wrong with a row.
#[derive(Serialize, ToSchema)]
pub struct RowFaultView {
    /// Its number in the file, whose headers mostly stand in row 1.
    row: i64,
    /// The header; null if the file has no column for the field, or the fault is of the row.
    #[schema(required)]
    column: Option<String>,
    #[schema(required)]
    field: Option<String>,
    /// A stable word.
    code: String,
    message: String,
}

/// A row, and what becomes of it.
#[derive(Serialize, ToSchema)]
pub struct ImportRowView {
    row: i64,
    outcome: RowOutcome,
    /// The record that it makes or names.
    #[schema(required)]
    record_id: Option<Id>,
    /// What it changes of the record, or sets of a new one; long texts are cut.
    changes: Vec<FieldChange>,
    faults: Vec<RowFaultView>,
}

impl ImportView {
    /// Without its faults.
    fn in_list(import: Import) -> Self {
        let reading = import.reading;
        Self {
            id: import.id,
            version: import.version,
            created_at: import.created_at,
            updated_at: import.updated_at,
            created_by: import.created_by,
            kind: import.kind,
            file_name: import.file_name,
            format: import.format,
            encoding: import.encoding,
            headers: import.headers,
            mapping: reading.mapping,
            match_on: reading.match_on,
            date_order: reading.date_order,
            decimal: reading.decimal,
            time_zone: reading.time_zone,
            status: import.status,
            counts: import.counts,
            faults: None,
            saga: import.saga,
        }
    }

    fn of(mut import: Import, locale: Locale) -> Self {
        let faults = std::mem::take(&mut import.faults);
        Self { faults: Some(views(faults, locale)), ..Self::in_list(import) }
    }
}

fn views(faults: Vec<RowFault>, locale: Locale) -> Vec<RowFaultView> {
    let view = |fault: RowFault| {
        let message = FieldProblem::message(&fault.error(), locale);
        let RowFault { row, column, field, code, .. } = fault;
        RowFaultView { row, column, field, code: code.into_owned(), message }
    };
    faults.into_iter().map(view).collect()
}

fn record(request: &HttpRequest, import: Import) -> HttpResult {
    Ok(answer::record(import.version, &ImportView::of(import, locale_of(request))))
}

/// List imports: one's own, for MANAGER and ADMIN all
#[utoipa::path(tag = "imports", params(ImportParams), responses((status = 200, body = Vec<ImportView>)))]
#[get("/imports")]
pub async fn list(api: ApiRequest, params: Params<ImportParams>) -> HttpResult {
    let page = params.0.page(|keyset| IMPORTS_NEWEST_FIRST.fits(keyset))?;
    let asked = ListImports { caller: api.auth.caller, page };
    let imports = api.gateway.customers.service.ask(asked).await?;
    Ok(paging::list(&api.http, &imports.map(ImportView::in_list)))
}

/// Upload a file, and preview what its rows would become: no record is written
#[utoipa::path(
    tag = "imports",
    request_body(content = ImportUpload, content_type = "multipart/form-data"),
    responses((status = 201, body = ImportView))
)]
#[post("/imports")]
pub async fn create(api: ApiRequest, _: Params<NoParams>, payload: Payload) -> HttpResult {
    let caller = api.auth.caller;
    Importer::may_import(&caller)?;
    let receiver = (Purpose::Import, new_id());
    let received = receive(&api.http, payload.into_inner(), &caller, receiver, |_| Ok(())).await?;
    let Received { fields, upload } = received;
    let form = match ImportForm::of(&fields) {
        Ok(form) => form,
        Err(error) => {
            uploads::give_up(&api.gateway, upload.id).await;
            return Err(error.into());
        }
    };
    let mut digest = uploads::digest(&upload);
    digest.extend(serde_json::to_vec(&fields).unwrap_or_default());
    let locale = locale_of(&api.http);
    let view =
        |kept: &RawValue| serde_json::to_string(&ImportView::of(serde_json::from_str(kept.get())?, locale));
    let is_kept = Cell::new(false);
    let shape = Shape::created(PATH);
    let answer = once_viewed(&api.gateway, &api.http, &api.auth, &digest, shape, view, async |context| {
        let zone = &api.auth.user.user.time_zone;
        let import = api.gateway.imports.create(&upload, &form, zone, context).await?;
        is_kept.set(true);
        let (id, version) = (import.id, import.version);
        Ok(answer::created(PATH, id, version, &ImportView::of((*import).clone(), locale)))
    })
    .await;
    if !is_kept.get() {
        uploads::give_up(&api.gateway, upload.id).await;
    }
    answer
}

/// Read an import
#[utoipa::path(tag = "imports", params(("id" = Id, Path)), responses((status = 200, body = ImportView)))]
#[get("/imports/{id}")]
pub async fn read(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    let find = FindImport { id: id.0, caller: api.auth.caller };
    let import = api.gateway.customers.service.ask(find).await?;
    record(&api.http, (*import).clone())
}

/// Read the file in another way, and preview it again
#[utoipa::path(
    tag = "imports",
    params(("id" = Id, Path)),
    request_body = ImportChanges,
    responses((status = 200, body = ImportView))
)]
#[patch("/imports/{id}")]
pub async fn change(
    api: ApiRequest,
    id: PathId,
    _: Params<NoParams>,
    body: Body<ImportChanges>,
) -> HttpResult {
    let (zone, context) = (&api.auth.user.user.time_zone, api.auth.context());
    let import = api.gateway.imports.change(id.0, body.value, zone, context).await?;
    record(&api.http, (*import).clone())
}

/// Which rows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RowParams {
    /// What becomes of them.
    #[param(inline)]
    outcome: RowOutcome,
}

/// List the first 1,000 rows of an outcome, with what they change and what is wrong with them
#[utoipa::path(
    tag = "imports",
    params(("id" = Id, Path), RowParams),
    responses((status = 200, body = Vec<ImportRowView>))
)]
#[get("/imports/{id}/rows")]
pub async fn rows(api: ApiRequest, id: PathId, params: Params<RowParams>) -> HttpResult {
    let asked = ListImportRows { id: id.0, outcome: params.0.outcome, caller: api.auth.caller };
    let (rows, locale) = (api.gateway.customers.service.ask(asked).await?, locale_of(&api.http));
    let view = |row: ImportRow| {
        let ImportRow { row, outcome, record_id, changes, faults } = row;
        ImportRowView { row, outcome, record_id, changes, faults: views(faults, locale) }
    };
    Ok(HttpResponse::Ok().json(rows.into_iter().map(view).collect::<Vec<_>>()))
}

/// Carry an import out: a saga makes and changes the records, batch by batch
#[utoipa::path(tag = "imports", params(("id" = Id, Path)), responses((status = 202, body = Departed)))]
#[post("/imports/{id}/commit")]
pub async fn commit(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    let view =
        |kept: &RawValue| serde_json::to_string(&answer::accepted_body(serde_json::from_str(kept.get())?));
    once_viewed(&api.gateway, &api.http, &api.auth, b"", Shape::ACCEPTED, view, async |context| {
        let commit = CommitImport { id: id.0, context };
        Ok(answer::accepted(api.gateway.customers.service.ask(commit).await?))
    })
    .await
}

/// Undo an import: a saga takes back what nobody has changed since
///
/// As `POST /sagas/{id}/undo` of its saga. A customer for which others have recorded something since is left.
#[utoipa::path(tag = "imports", params(("id" = Id, Path)), responses((status = 202, body = Departed)))]
#[post("/imports/{id}/undo")]
pub async fn undo(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    let undo = async |context| {
        let find = FindImport { id: id.0, caller: api.auth.caller };
        let import = api.gateway.customers.service.ask(find).await?;
        let id = import.saga.ok_or_else(|| Error::new(ErrorCode::SagaNotCompleted))?;
        api.gateway.sagas.ask(UndoSaga { id, context }).await
    };
    begin(&api, b"", undo).await
}
