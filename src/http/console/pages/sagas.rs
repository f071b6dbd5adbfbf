//! `/sagas`: how far deletions, merges and changes of many records are, and undoing them.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use askama::Template;

use crate::http::api::sagas::SagaParams;
use crate::http::console::kit::form::{is_mendable, why};
use crate::http::console::kit::form_data::Posted;
use crate::http::console::kit::frame::{Frame, Outcome, api_word, html, ok, redirect};
use crate::http::console::kit::listing::Pager;
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::{Names, References};
use crate::http::console::kit::once::once;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::list_params;
use crate::http::extract::PathId;
use crate::http::state::Gateway;
use domain::bulk::progress::BulkProgress;
use domain::saga::messages::FindSaga;
use domain::saga::messages::{ListSagas, NEWEST_FIRST};
use domain::saga::record::{Counts, Saga, SagaKind, StepStatus};
use domain::undo::messages::{PreviewUndo, UndoSaga};
use domain::undo::rules::check_undo;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::ids::Id;

struct StepRow {
    name: String,
    status: String,
    counts: Vec<(String, i64)>,
}

struct SagaRow {
    saga: Saga,
    kind: String,
    status: String,
    /// Whose deletion it is, where that can be told.
    subject: Option<String>,
    by: String,
    /// Whether the reader may undo it.
    can_undo: bool,
    /// How many records an undo has left.
    left: i64,
    /// Steps that are done, and all of them.
    done: usize,
    of: usize,
    steps: Vec<StepRow>,
    /// What a change of many records has done so far.
    bulk: Option<BulkProgress>,
}

#[derive(Template)]
#[template(path = "sagas.html")]
struct SagasPage {
    f: Frame,
    rows: Vec<SagaRow>,
    pager: Pager,
}

/// Counts by kind, those above zero.
pub fn counted(counts: &Counts) -> Vec<(String, i64)> {
    let some = counts.iter().filter(|(_, count)| **count > 0);
    some.map(|(kind, count)| (api_word(kind), *count)).collect()
}

/// The users and customers that the rows name.
fn references(sagas: &[Saga]) -> References {
    let of_kind = |kind| sagas.iter().filter(move |saga| saga.kind == kind).map(|saga| saga.subject_id);
    References::default()
        .users(of_kind(SagaKind::UserDeletion))
        .users(of_kind(SagaKind::UserRestoration))
        .users(sagas.iter().filter_map(|saga| saga.started_by))
        .customers(of_kind(SagaKind::CustomerDeletion))
        .customers(of_kind(SagaKind::CustomerMerge))
        .customers(of_kind(SagaKind::CustomerRestoration))
}

fn row(names: &Names, frame: &Frame, (caller, now): (&Caller, Timestamp), saga: Saga) -> SagaRow {
    let steps = saga.steps.iter().map(|step| StepRow {
        name: step.name.clone(),
        status: api_word(&step.status),
        counts: counted(&step.counts),
    });
    let subject = match saga.kind {
        SagaKind::UserDeletion | SagaKind::UserRestoration => Some(names.user(frame, saga.subject_id)),
        SagaKind::CustomerDeletion | SagaKind::CustomerMerge | SagaKind::CustomerRestoration => {
            names.customer_even_if_deleted(saga.subject_id)
        }
        SagaKind::CustomersChange
        | SagaKind::MeetingsChange
        | SagaKind::TasksChange
        | SagaKind::DealsChange
        | SagaKind::CustomersImport
        | SagaKind::MeetingsImport
        | SagaKind::TasksImport
        | SagaKind::DealsImport => None,
    };
    SagaRow {
        kind: api_word(&saga.kind),
        status: api_word(&saga.status),
        subject,
        by: match saga.started_by {
            Some(id) => names.user(frame, id),
            None => frame.t("name-system"),
        },
        can_undo: check_undo(Some(&saga), caller, now).is_ok(),
        left: saga.steps.iter().map(|step| step.left_count).sum(),
        done: saga.steps.iter().filter(|step| step.status == StepStatus::Done).count(),
        // The steps of a change of many records are all alike: their sum says more.
        steps: if saga.bulk.is_some() { Vec::new() } else { steps.collect() },
        of: saga.steps.len(),
        bulk: saga.bulk.clone(),
        saga,
    }
}

#[get("/sagas")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, me: SessionUser) -> HttpResult {
    let f = me.frame("sagas").await;
    let (params, _): (SagaParams, _) = list_params(&request)?;
    let page = params.page(|keyset| NEWEST_FIRST.fits(keyset))?;
    let is_first = page.is_first();
    let page = gateway.sagas.ask(ListSagas { caller: me.caller(), page }).await?;
    let pager = Pager::of(&request, is_first, &page);
    let names = lookups::load(&gateway, me.caller(), references(&page.items)).await?;
    let reader = (&me.caller(), gateway.clock.now());
    let rows = page.items.into_iter().map(|saga| row(&names, &f, reader, saga)).collect();
    Ok(ok(&SagasPage { rows, pager, f }))
}

/// What an undo would do, before it is done.
#[derive(Template)]
#[template(path = "undo.html")]
struct UndoPage {
    f: Frame,
    saga: Saga,
    kind: String,
    counts: Vec<(String, i64)>,
    left: i64,
    problem: Option<String>,
}

async fn undo_page(gateway: &Gateway, me: &SessionUser, id: Id, error: Option<&Error>) -> HttpResult {
    let f = me.frame("sagas").await;
    let saga = gateway.sagas.ask(FindSaga { id, caller: me.caller() }).await?;
    let (counts, left) = match gateway.sagas.ask(PreviewUndo { id, caller: me.caller() }).await {
        Ok(preview) => (counted(&preview.counts), preview.left_count),
        // It was just undone, say: what was refused is said above.
        Err(_) if error.is_some() => (Vec::new(), 0),
        Err(refused) => return Err(refused.into()),
    };
    let problem = error.map(|error| why(&f, error));
    let page = UndoPage { kind: api_word(&saga.kind), saga, counts, left, problem, f };
    Ok(html(Outcome(error), &page))
}

#[get("/sagas/{id}/undo")]
pub async fn ask_undo(gateway: Data<Gateway>, me: SessionUser, id: PathId) -> HttpResult {
    undo_page(&gateway, &me, id.0, None).await
}

#[post("/sagas/{id}/undo")]
pub async fn undo(gateway: Data<Gateway>, me: SessionUser, id: PathId, posted: Posted) -> HttpResult {
    let id = id.0;
    let begun = once(&me, &posted.0, |context| gateway.sagas.ask(UndoSaga { id, context }));
    match begun.await {
        Ok(saga) => Ok(redirect(&format!("/sagas?done=undone#saga-{saga}"))),
        Err(error) if is_mendable(&error) => undo_page(&gateway, &me, id, Some(&error)).await,
        Err(error) => Err(error.into()),
    }
}
