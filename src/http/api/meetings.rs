//! `/api/meetings`.

use crate::http::error::HttpResult;
use std::collections::BTreeMap;

use actix_web::{delete, get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actors::sales::service::SalesService;
use crate::http::answer;
use crate::http::answer::Deleted;
use crate::http::api::activities;
use crate::http::api::activities::ActivityParams;
use crate::http::api::resource;
use crate::http::api::resource::{ApiRequest, resource};
use crate::http::extract::{Body, NoParams, Params, PathId};
use crate::http::paging::{list_params, order};
use crate::http::period::StatsParams;
use domain::meeting::messages::MeetingCounts;
use domain::meeting::messages::{
    ChangeMeeting, CreateMeeting, DeleteMeeting, ListMeetings, MeetingFilter, MeetingStats,
    ReadMeetingActivity, SORTS,
};
use domain::meeting::record::Meeting;
use domain::meeting::record::{MeetingChanges, NewMeeting};
use kernel::clock::Timestamp;
use kernel::cloud_event::CloudEvent;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::page::Sort;
use kernel::search::Words;

resource!(Meeting, "meetings", sales.service => SalesService);

list_params! {
    /// Which meetings; the latest come first.
    MeetingParams {
        /// Words of the title, location, notes or outcome, or of the customer's name, in any order.
        #[param(max_length = 200, pattern = r"^[^\x00]*$")]
        q: String,
        customer_id: Id,
        owner_id: Id,
        from: Timestamp,
        to: Timestamp,
        #[param(inline, value_type = Option<SortName>)]
        sort: String,
    }
}

/// The orders of the list; `-` for descending.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes `sort` in the OpenAPI document")]
enum SortName {
    #[schema(rename = "met_at")]
    MetAt,
    #[schema(rename = "-met_at")]
    MetAtDescending,
}

impl MeetingParams {
    /// The order asked for.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn order(&self) -> Result<Sort, Error> {
        order(&SORTS, self.sort.as_deref())
    }
}

impl From<MeetingParams> for MeetingFilter {
    fn from(params: MeetingParams) -> Self {
        let MeetingParams { q, customer_id, owner_id, from, to, .. } = params;
        Self { q, customer_id, owner_id, from, to }
    }
}

/// List meetings: a page as JSON, or all that the filters leave as CSV
#[utoipa::path(
    tag = "meetings",
    params(MeetingParams),
    responses((status = 200, content((Vec<Meeting> = "application/json"), (String = "text/csv"))))
)]
#[get("/meetings")]
pub async fn list(api: ApiRequest, params: Params<MeetingParams>) -> HttpResult {
    let params = params.0;
    let sort = params.order()?;
    let page = params.page(|keyset| sort.fits(keyset))?;
    Words::parse(params.q.as_deref())?;
    let filter = MeetingFilter::from(params);
    let caller = api.auth.caller;
    resource::list::<Meeting, _>(api, page, move |page| ListMeetings {
        caller,
        filter: filter.clone(),
        sort,
        page,
    })
    .await
}

/// Record a meeting
#[utoipa::path(tag = "meetings", request_body = NewMeeting, responses((status = 201, body = Meeting)))]
#[post("/meetings")]
pub async fn create(api: ApiRequest, _: Params<NoParams>, body: Body<NewMeeting>) -> HttpResult {
    let Body { value: meeting, digest } = body;
    resource::create::<Meeting, _>(&api, &digest, |context| CreateMeeting { meeting, context }).await
}

/// Read a meeting
#[utoipa::path(tag = "meetings", params(("id" = Id, Path)), responses((status = 200, body = Meeting)))]
#[get("/meetings/{id}")]
pub async fn read(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    resource::record(api.gateway.sales.find(api.auth.caller, id.0).await)
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
    api: ApiRequest,
    id: PathId,
    _: Params<NoParams>,
    body: Body<MeetingChanges>,
) -> HttpResult {
    let change = ChangeMeeting { id: id.0, changes: body.value, context: api.auth.context() };
    resource::record(api.gateway.sales.service.ask(change).await)
}

/// Delete a meeting
#[utoipa::path(tag = "meetings", params(("id" = Id, Path)), responses((status = 200, body = Deleted)))]
#[delete("/meetings/{id}")]
pub async fn remove(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    api.gateway.sales.service.ask(DeleteMeeting { id: id.0, context: api.auth.context() }).await?;
    Ok(answer::deleted(id.0))
}

/// The events about a meeting that the caller may see, newest first
#[utoipa::path(
    tag = "meetings",
    params(("id" = Id, Path), ActivityParams),
    responses((status = 200, body = Vec<CloudEvent>))
)]
#[get("/meetings/{id}/activity")]
pub async fn activity(api: ApiRequest, id: PathId, params: Params<ActivityParams>) -> HttpResult {
    let page = params.0.of_record()?;
    let timeline = ReadMeetingActivity { id: id.0, caller: api.auth.caller, page };
    Ok(activities::list(&api, api.gateway.sales.service.ask(timeline).await?))
}

/// Counts of meetings.
#[derive(Serialize, ToSchema)]
pub struct MeetingStatsView {
    total: i64,
    by_owner: BTreeMap<Id, i64>,
}

impl From<MeetingCounts> for MeetingStatsView {
    fn from(counts: MeetingCounts) -> Self {
        Self { total: counts.total, by_owner: counts.by_owner }
    }
}

/// The service's statistics
#[utoipa::path(tag = "meetings", params(StatsParams), responses((status = 200, body = MeetingStatsView)))]
#[get("/meetings/stats")]
pub async fn stats(api: ApiRequest, params: Params<StatsParams>) -> HttpResult {
    let caller = api.auth.caller;
    let of = |from, to, owner_id| MeetingStats { caller, owner_id, from, to };
    resource::stats::<Meeting, _, MeetingStatsView>(&api, &params.0, of).await
}
