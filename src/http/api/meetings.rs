//! `/api/meetings`.

use crate::http::error::HttpResult;
use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::meeting::messages::{
    ChangeMeeting, CreateMeeting, DeleteMeeting, ListMeetings, MeetingChanges, MeetingFilter, MeetingStats,
    NewMeeting,
};
use crate::domain::meeting::record::Meeting;
use crate::http::answer;
use crate::http::answer::Deleted;
use crate::http::export;
use crate::http::export::Export;
use crate::http::extract::{Authenticated, Body, NoParams, Params, PathId};
use crate::http::idempotency::{Shape, once};
use crate::http::paging::list_params;
use crate::http::period::{StatsParams, stats_period};
use crate::http::state::Gateway;
use crate::persistence::meetings::LATEST_FIRST;
use kernel::clock::Timestamp;
use kernel::ids::Id;

const PATH: &str = "/api/meetings";

list_params! {
    /// Which meetings; the latest come first.
    MeetingParams {
        customer_id: Id,
        owner_id: Id,
        from: Timestamp,
        to: Timestamp,
    }
}

impl Export for Meeting {
    const NAME: &'static str = "meetings";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "version",
        "created_at",
        "updated_at",
        "customer_id",
        "title",
        "met_at",
        "duration_minutes",
        "location",
        "notes",
        "outcome",
        "owner_id",
    ];
}

/// List meetings: a page as JSON, or all that the filters leave as CSV
#[utoipa::path(
    tag = "meetings",
    params(MeetingParams),
    responses((status = 200, content((Vec<Meeting> = "application/json"), (String = "text/csv"))))
)]
#[get("/meetings")]
pub async fn list(
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Authenticated,
    params: Params<MeetingParams>,
) -> HttpResult {
    let page = params.0.page(|keyset| LATEST_FIRST.fits(keyset))?;
    let MeetingParams { customer_id, owner_id, from, to, .. } = params.0;
    let filter = MeetingFilter { customer_id, owner_id, from, to };
    export::answer(&request, page, move |page| {
        let (gateway, filter) = (gateway.clone(), filter.clone());
        let asked = ListMeetings { caller: signed.caller, filter, page };
        async move { gateway.sales.service.ask(asked).await }
    })
    .await
}

/// Record a meeting
#[utoipa::path(tag = "meetings", request_body = NewMeeting, responses((status = 201, body = Meeting)))]
#[post("/meetings")]
pub async fn create(
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Authenticated,
    _: Params<NoParams>,
    body: Body<NewMeeting>,
) -> HttpResult {
    let Body { value: meeting, digest } = body;
    once(&gateway, &request, &signed, &digest, Shape::created(PATH), async |context| {
        let made = gateway.sales.service.ask(CreateMeeting { meeting, context }).await?;
        Ok(answer::created(PATH, made.id, made.version, &*made))
    })
    .await
}

/// Read a meeting
#[utoipa::path(tag = "meetings", params(("id" = Id, Path)), responses((status = 200, body = Meeting)))]
#[get("/meetings/{id}")]
pub async fn read(
    gateway: Data<Gateway>,
    signed: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    let meeting = gateway.sales.find(signed.caller, id.0).await?;
    Ok(answer::record(meeting.version, &*meeting))
}

/// Change a meeting
#[utoipa::path(
    tag = "meetings",
    params(("id" = Id, Path)),
    request_body = MeetingChanges,
    responses((status = 200, body = Meeting))
)]
#[patch("/meetings/{id}")]
pub async fn change(
    gateway: Data<Gateway>,
    signed: Authenticated,
    id: PathId,
    _: Params<NoParams>,
    body: Body<MeetingChanges>,
) -> HttpResult {
    let change = ChangeMeeting { id: id.0, changes: body.value, context: signed.context() };
    let after = gateway.sales.service.ask(change).await?;
    Ok(answer::record(after.version, &*after))
}

/// Delete a meeting
#[utoipa::path(tag = "meetings", params(("id" = Id, Path)), responses((status = 200, body = Deleted)))]
#[delete("/meetings/{id}")]
pub async fn remove(
    gateway: Data<Gateway>,
    signed: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    gateway.sales.service.ask(DeleteMeeting { id: id.0, context: signed.context() }).await?;
    Ok(answer::deleted(id.0))
}

/// Counts of meetings.
#[derive(Serialize, ToSchema)]
pub struct MeetingStatsView {
    total: i64,
    by_owner: BTreeMap<Id, i64>,
}

/// The service's statistics
#[utoipa::path(tag = "meetings", params(StatsParams), responses((status = 200, body = MeetingStatsView)))]
#[get("/meetings/stats")]
pub async fn stats(gateway: Data<Gateway>, signed: Authenticated, params: Params<StatsParams>) -> HttpResult {
    let (from, to) = stats_period(&params.0, gateway.clock.now())?;
    let asked = MeetingStats { caller: signed.caller, owner_id: params.0.owner_id, from, to };
    let counts = gateway.sales.service.ask(asked).await?;
    Ok(HttpResponse::Ok().json(MeetingStatsView { total: counts.total, by_owner: counts.by_owner }))
}
