//! `/sagas`: how far deletions are.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, get};
use askama::Template;

use crate::http::api::sagas::SagaParams;
use crate::http::console::kit::frame::{Frame, api_word, ok};
use crate::http::console::kit::listing::Pager;
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::{Names, References};
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::list_params;
use crate::http::state::Gateway;
use domain::bulk::progress::BulkProgress;
use domain::saga::messages::{ListSagas, NEWEST_FIRST};
use domain::saga::record::{Counts, Saga, SagaKind, StepStatus};

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
        .users(sagas.iter().filter_map(|saga| saga.started_by))
        .customers(of_kind(SagaKind::CustomerDeletion))
}

fn row(names: &Names, frame: &Frame, saga: Saga) -> SagaRow {
    let steps = saga.steps.iter().map(|step| StepRow {
        name: step.name.clone(),
        status: api_word(&step.status),
        counts: counted(&step.counts),
    });
    let subject = match saga.kind {
        SagaKind::UserDeletion => Some(names.user(frame, saga.subject_id)),
        SagaKind::CustomerDeletion => names.customer_even_if_deleted(saga.subject_id),
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
    let rows = page.items.into_iter().map(|saga| row(&names, &f, saga)).collect();
    Ok(ok(&SagasPage { rows, pager, f }))
}
